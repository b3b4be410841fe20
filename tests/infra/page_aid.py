"""The commands of a page of docs/, as it marks them: a comment before each block of code says who types it.

    <!-- run: machine -->                    in a user's home on deploybot's machine
    <!-- run: machine, typed BOT_TOKEN -->   the same, with something pasted
    <!-- not run: why -->
"""
# SPDX-License-Identifier: ISC
import dataclasses
import re
import textwrap

from stage import ROOT

MARK = re.compile(r"\s*<!-- (run|not run): (.+) -->$")
HEADING = re.compile(r"## (?:(\d+)\. )?(.+)")
CODE_INDENT = 4


@dataclasses.dataclass
class Block:
    page: str
    line: int
    section: str            # "4" of "## 4. Settings and secrets", or the whole heading
    is_run: bool
    where: str              # machine, target, deb, source; or why it is not run
    options: list
    text: str


def read_mark(line):
    """(is it run?, where or why, options); None: it is no mark."""
    found = MARK.match(line)
    if not found:
        return None
    if found[1] == "not run":
        return False, found[2], []
    where, *options = found[2].split(", ")
    return True, where, options


def take_block(lines, number):
    """(text, the line after it) of the code that begins at a line; None: none begins there."""
    line = lines[number]
    if line.lstrip().startswith("```"):
        end = next(n for n in range(number + 1, len(lines)) if lines[n].lstrip().startswith("```"))
        return textwrap.dedent("\n".join(lines[number + 1:end])), end + 1
    indent = len(line) - len(line.lstrip())
    if indent < CODE_INDENT or (lines[number - 1].strip() and read_mark(lines[number - 1]) is None):
        return None
    end = number
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) >= indent):
        end += 1
    return textwrap.dedent("\n".join(lines[number:end])).strip("\n"), end


def blocks(name, sections=None):
    """All code of docs/NAME, or of some sections, in order; code without a mark is a mistake of the page."""
    lines = (ROOT / "docs" / name).read_text("utf-8").split("\n")
    found, section, mark, number = [], "", None, 0
    while number < len(lines):
        line = lines[number]
        heading = HEADING.match(line)
        if heading:
            section = heading[1] or heading[2]
        code = take_block(lines, number) if line.strip() else None
        if code is None:
            if line.strip():
                mark = read_mark(line)
            number += 1
            continue
        if sections is not None and section not in sections:
            number = code[1]
            continue
        assert mark, f"docs/{name}:{number + 1}: code without a mark `run: WHERE` or `not run: WHY` before it"
        found.append(Block(name, number + 1, section, mark[0], mark[1], mark[2], code[0]))
        mark, number = None, code[1]
    return found


def packages(found):
    """What the blocks install by name."""
    names = set()
    for block in found:
        for words in re.findall(r"apt-get install -y ([^\n]+)", block.text) if block.is_run else []:
            names |= {word for word in words.split() if "/" not in word and word[0] != "-"}
    return sorted(names)
