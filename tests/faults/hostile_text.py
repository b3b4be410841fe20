"""hostile_text.py - what no text that people or programs read may hold: escapes, direction marks, forged lines."""
# SPDX-License-Identifier: ISC
import re
import unicodedata

from hostile_aid import must

# C0 but tab and line feed, DEL, C1; direction marks and isolates; line and paragraph separators; tags.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f"
                       "\U000e0000-\U000e007f\ufff9-\ufffb]")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* +(ERROR|WARNING|INFO|DEBUG|error|warning|info|debug)\b")


def check_text(text, where):
    bad = FORBIDDEN.findall(text)
    must(not bad, lambda: f"{[unicodedata.name(c, hex(ord(c))) for c in bad[:5]]} in {where}: {text[:400]!r}")


def check_line(line, where):
    check_text(line, where)
    must(LOG_LINE.match(line), f"a line that nobody wrote, in {where}: {line[:300]!r}")
