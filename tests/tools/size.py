#!/usr/bin/python3
"""size.py - counted lines of the product, by room: *.c, *.h and *.def of the rooms of rooms.py,
without lines that are blank, comment, or a lone brace (with its `;` or `,`).  Tests and scripts are not counted.
"""
# SPDX-License-Identifier: ISC
import collections
import pathlib
import re
import sys

from rooms import ROOMS

KINDS = (".c", ".h", ".def")
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.S)
LONE_BRACE = re.compile(r"[{}][;,]?")


def lines_of(text):
    """How many of a text count."""
    code = STRING_OR_COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", "", m[0]), text)
    return sum(1 for line in code.split("\n") if line.strip() and not LONE_BRACE.fullmatch(line.strip()))


def sizes(root):
    """Room (server/x one by one): counted lines."""
    counted = collections.Counter()
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*") if path.suffix in KINDS):
        parts = path.relative_to(root).parts
        counted["/".join(parts[:2 if parts[0] == "server" and len(parts) > 2 else 1])] += \
            lines_of(path.read_text(encoding="utf-8"))
    return counted


def main():
    counted = sizes(pathlib.Path(__file__).resolve().parents[2])
    for room, size in sorted(counted.items()):
        print(f"{room:<20} {size:>6}")
    print(f"{'all':<20} {sum(counted.values()):>6}")


if __name__ == "__main__":
    sys.exit(main())
