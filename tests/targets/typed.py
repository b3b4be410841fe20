"""typed.py - the blocks of docs/deploy-scripts.md, and the files of deploy/hosts/ that it leads to, typed on a machine
of the bed as they stand there."""
# SPDX-License-Identifier: ISC
import re
import textwrap

from bed import ROOT


def block(heading, first):
    """The code under a heading, indented or between fences, or the file that begins with these words."""
    page = (ROOT / "docs" / "deploy-scripts.md").read_text(encoding="utf-8")
    section = re.split(r"^##+ ", page.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    fences = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}\S.*\n(?:^ {4}.*\n)*", fences.sub("", section), re.MULTILINE)
    files = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "deploy" / "hosts").iterdir())]
    blocks = [textwrap.dedent(text) for text in fences.findall(section) + indented] + files
    found, = [text for text in blocks if text.startswith(first)]
    return found.rstrip("\n")


def type_blocks(machine, heading, *firsts):
    """The blocks under that heading that begin with these words, each in turn, as root: a file where the first lines
    name one, else commands."""
    for first in firsts:
        text = block(heading, first)
        path = re.match(r"(?:#!.*\n)?# ([/~]\S+)\n", text)
        machine.run(f"install -m {755 if text.startswith('#!') else 644} /dev/stdin {path[1]} <<'END'\n{text}\nEND"
                    if path else f"cd; set -e\n{text}")
