#!/usr/bin/python3
"""shape.py - the shape of the house: what is above its measures stands in shape.txt with a reason.

A header has at most ten functions, a function at most 50 lines and five parameters, a struct at
most 40 members; a comment is a sentence of its own, and begins with no "...".  shape.txt only gets
shorter: what is not in it may not be above, and a row whose number has fallen is lowered or goes.
"""
# SPDX-License-Identifier: ISC
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).with_suffix(".txt")
MOST = {"functions": 10, "lines": 50, "parameters": 5, "members": 40, "dots": 0}
WORDS = {"functions": "functions in the header", "lines": "lines in the function",
         "parameters": "parameters", "members": "members", "dots": 'comments that begin with "..."'}

BLANK = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
FUNCTION = re.compile(r"^(\w+)(\((?:[^{};]|\n)*?\))\n\{\n(.*?)^\}$", re.M | re.S)
DECLARED = re.compile(r"^(?!typedef|struct \w+ \{|#|\s)[\w *]*?\b(\w+)\((?:[^;{}])*\)[^;{}]*;", re.M)
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\}", re.M | re.S)
DOTS = re.compile(r"/\*+\s*(?:…|\.\.\.)")
NO_FUNCTION = {"static_assert", "_Static_assert"}


def without_texts(source):
    """Comments and literals are gone, line for line."""
    return BLANK.sub(lambda found: re.sub(r"[^\n]", "", found[0]) or " ", source)


def count_parameters(text):
    depth, count = 0, 1
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        count += character == "," and depth == 1
    return count


def members_of(body):
    """Names that are declared there, also in what has no name of its own."""
    count = 0
    for line in re.sub(r"\n\s+", " ", re.sub(r"[{}]", ";\n", body)).split(";"):
        line = re.sub(r"\([^()]*\)", "", line).strip()
        if line and not line.startswith("#") and not re.fullmatch(r"(?:struct|union)\b\s*\w*", line):
            count += 1 + line.count(",")
    return count


def findings(path):
    source = path.read_text(encoding="utf-8")
    code, name = without_texts(source), str(path.relative_to(ROOT))
    yield "dots", name, "", len(DOTS.findall(source))
    for struct in STRUCT.finditer(code):
        yield "members", name, struct[1], members_of(struct[2])
    if path.suffix == ".h":
        names = {found[1] for found in DECLARED.finditer(code)} - NO_FUNCTION
        yield "functions", name, "", len(names)
        return
    for function in FUNCTION.finditer(code):
        yield "lines", name, function[1], function[3].count("\n")
        yield "parameters", name, function[1], count_parameters(function[2])


def read_list():
    rows = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            kind, name, what, most, reason = (line.split(None, 4) + [""] * 5)[:5]
            assert kind in MOST and most.isdigit() and reason, f"{LIST.name}:{number}: KIND FILE NAME NUMBER reason"
            rows[kind, name, "" if what == "-" else what] = int(most)
    return rows


def main():
    listed, bad = read_list(), 0
    files = [path for room in ("lib", "runner", "server") for path in sorted((ROOT / room).rglob("*.[ch]"))]
    for kind, name, what, count in (row for path in files for row in findings(path)):
        most = listed.pop((kind, name, what), None)
        where = f"{name}{' ' if what else ''}{what}"
        if "--list" in sys.argv and count > MOST[kind]:
            print(kind, name, what or "-", count)
        elif count > (most or MOST[kind]):
            print(f"{where}: {count} {WORDS[kind]}, at most {most or MOST[kind]}")
            bad = 1
        elif most is not None and count < most:
            print(f"{where}: {count} {WORDS[kind]} now: {LIST.name} says {most}")
            bad = 1
    for kind, name, what in listed:
        print(f"{name} {what}: {LIST.name} has a row ({kind}) for what is not there")
        bad = 1
    return bad and "--list" not in sys.argv


if __name__ == "__main__":
    sys.exit(main())
