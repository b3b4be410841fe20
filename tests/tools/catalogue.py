#!/usr/bin/python3
"""catalogue.py - does every test exist that docs/fault-catalogue.md, SECURITY.md and TESTING.md name, does each promise
of SECURITY.md name one, and is one of each promise of TESTING.md in `make test`?  Exit 1 when not."""
# SPDX-License-Identifier: ISC
import collections
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "docs" / "fault-catalogue.md"
SECURITY = ROOT / "SECURITY.md"
TESTING = ROOT / "docs" / "TESTING.md"
PROMISES = 9            # of the design
LINES = {"K": 17, "P": 14, "S": 20, "H": 19, "X": 16, "T": 44, "A": 13, "D": 14, "F": 10, "R": 14, "G": 11,
         "N": 23, "I": 14}


LIMITS = (5, 60, 70, 190)    # columns of the cells: what a screen shows, and two lines of it for the names of tests


@functools.cache
def sources():
    """The text of every file of tests, by its name."""
    found = collections.defaultdict(list)
    for path in (ROOT / "tests").rglob("test_*.*"):
        if path.suffix in (".c", ".py"):
            found[path.name].append(path.read_text(encoding="utf-8"))
    return found


def tests_called(file, name):
    """How many tests of that file have this name, or one that begins so where it ends with an ellipsis."""
    name = name.replace("\N{HORIZONTAL ELLIPSIS}", r"\w+")
    begin = rf"^def (?:test_)?{name}\(" if file.endswith(".py") else rf"^(?:\w*TEST\w*\(\s*{name}|{name}\(void)"
    texts = sources()[file if file.startswith("test_") else f"test_{file}"]
    return sum(len(re.findall(begin, text, re.M)) for text in texts)


def check_row(line):
    cells = [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" |")]
    if any(len(cell) > most for cell, most in zip(cells, LIMITS)):
        yield f"longer than a screen shows: {line[:60]}"
    if re.match(r"\| [A-Z]\d", line) and "`" not in cells[-1] and "none" not in cells[-1]:
        yield f"nothing holds, and nothing says why: {line[:60]}"


def check_table(text):
    """Of the catalogue, whose rows have numbers and fit a screen."""
    for kind, count in LINES.items():
        found = re.findall(rf"^\| {kind}(\d+) \|", text, re.M)
        if found != [str(n) for n in range(1, count + 1)]:
            yield f"the lines {kind} are not 1 to {count}: {' '.join(found)}"
    for line in text.splitlines():
        if line.startswith("| "):
            yield from check_row(line)


def check(text, makefile):
    """What is wrong with what a page names, a line each.  A test without a file is of the file before it."""
    file = ""
    for named, name in re.findall(r"`((?:\w+\.(?:c|py))?)::([\w\N{HORIZONTAL ELLIPSIS}]+)`", text):
        file = named or file
        if (found := tests_called(file, name)) != 1:
            yield f"{found} tests are called {name} in {file}"
    for target in re.findall(r"`make ([\w-]+)`", text):
        if not re.search(rf"^{target}:|^\.PHONY:.* {target}\b", makefile, re.M):
            yield f"there is no `make {target}`"
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        if not (ROOT / path).exists():
            yield f"there is no {path}"


def check_promises(text):
    """Of SECURITY.md: each row of what is promised against whom, and each point of what stands there in detail."""
    parts = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    rows = re.findall(r"(?m)^(\| (?!who \|).*)$", parts["What is promised against whom"])
    points = re.split(r"(?m)^- ", parts["In detail"])[1:]
    if len(rows) < 20 or len(points) < 10:
        yield "there are no promises"
    for promise in (*rows, *points):
        if not re.search(r"`\w+\.(?:c|py)::|\| [A-Z]\d+\b", promise):
            yield f"no test is named: {promise[:60]}"
    for kind, number in re.findall(r"\b([A-Z])(\d+)(?=, [A-Z]\d| \|)", "\n".join(rows)):
        if not 1 <= int(number) <= LINES.get(kind, 0):
            yield f"the catalogue has no {kind}{number}"


def is_long(file, name):
    """Whether `make test` leaves an end-to-end test, or some of its values, to `make check-long`."""
    other = r"(?:(?!^def ).)*"
    marked = rf"(?ms)^pytestmark[^\n]*mark\.long|^@{other}mark\.long{other}^def test_{name}\("
    return any(re.search(marked, text) for text in sources()[f"test_{file}"])


def check_kept(text):
    """Of TESTING.md: each promise has its row, whose last cell names a test that is part of every `make test`."""
    rows = re.findall(r"(?m)^\| (\d) .*\| ([^|]*) \|$", text)
    if [number for number, _ in rows] != [str(n) for n in range(1, PROMISES + 1)]:
        yield f"the promises are not 1 to {PROMISES}"
    for number, cell in rows:
        kept = re.findall(r"`(\w+\.(?:c|py))::(\w+)`", cell)
        if not kept:
            yield f"promise {number}: no test of `make test` is named"
        for file, name in kept:
            if file.endswith(".py") and is_long(file, name):
                yield f"promise {number}: {name} is marked `long`"


def main():
    makefile, catalogue, security, testing = (
        path.read_text(encoding="utf-8") for path in (ROOT / "Makefile", CATALOGUE, SECURITY, TESTING))
    problems = [f"{CATALOGUE.name}: {problem}" for problem in (*check_table(catalogue), *check(catalogue, makefile))]
    problems += [f"{SECURITY.name}: {problem}" for problem in (*check_promises(security), *check(security, makefile))]
    promises = testing.partition("\n| promise |")[2].partition("\n\n")[0]
    problems += [f"{TESTING.name}: {problem}" for problem in (*check_kept(promises), *check(promises, makefile))]
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
