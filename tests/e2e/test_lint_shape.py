"""Goal: what is above a measure of the house, or in its list for nothing, is refused, and nothing else is."""
# SPDX-License-Identifier: ISC
import os
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import shape

HEAD = "/* one.h - a text of this test: { ( */\n"


def function(lines=1, parameters="void", name="one"):
    return f"static int\n{name}({parameters})\n{{\n" + "\tuse(\"}\");\n" * lines + "}\n"


def declare(count):
    """With all that looks like a function and is none."""
    return ("DEFINE_FREEP(struct one, one_free)\n#define ONE(a) \\\n\tvoid macro(a); \\\n\tvoid other(a);\n"
            "typedef void one_fn(void);\nextern void (*one_hook)(int a);\nEACH(ROW)\n"
            "struct one { int (*call)(int a); };\n_Static_assert(sizeof(int) == 4, \"int\");\n"
            "static inline int\none_0(void)\n{\n\treturn two();\n}\n" +
            "".join(f"MUST_USE int one_{i}(int a,\n    int b) PRINTF(1, 2);\n" for i in range(1, count)))


@pytest.fixture
def house(tmp_path, monkeypatch, capsys):
    """shape.py over a house of one file, and a list: its status and what it says."""
    monkeypatch.setattr(shape, "ROOT", tmp_path)
    monkeypatch.setattr(shape, "LIST", tmp_path / "shape.txt")
    for room in ("lib", "runner", "server"):
        (tmp_path / room).mkdir()

    def run(text, rows="", name="lib/one.c", option=None):
        for path in (tmp_path / "lib").iterdir():
            path.unlink()
        (tmp_path / name).write_text(HEAD + text, encoding="utf-8")
        (tmp_path / "shape.txt").write_text(rows, encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["shape.py"] + ([option] if option else []))
        status = shape.main()
        return status, capsys.readouterr().out

    return run


MEMBERS = "struct one {\n\tstruct {\n\t\tint a, b;\n\t} in;\n" + "\tint (*m)(int, int);\n" * 37 + "%s};\n"
OF_A_MACRO = "READER(read_one, struct one, A(a), A(b),\n    A(c), A(d), A(e))\n\n"


@pytest.mark.parametrize("text, name", [
    (function(lines=50), "lib/one.c"),
    (function(parameters="int a, int b, int (*c)(int, int),\n    char d[F(1, 2)], int e, ..."), "lib/one.c"),
    (OF_A_MACRO + function(), "lib/one.c"),
    (declare(10), "lib/one.h"),
    (MEMBERS % "", "lib/one.c"),
    ("int a; /* 1 ... 2 */\nconst char *b = \"...\";\n", "lib/one.c"),
], ids=["lines", "parameters", "a_macro", "functions", "members", "dots"])
def test_what_is_at_a_measure_is_good(house, text, name):
    assert house(text, name=name) == (0, "shape: 1 files, 0 problems\n")


@pytest.mark.parametrize("text, name, said", [
    (function(lines=51), "lib/one.c", "lib/one.c: one: 51 lines, at most 50"),
    ("static inline " + function(lines=51)[7:], "lib/one.h", "lib/one.h: one: 51 lines, at most 50"),
    (OF_A_MACRO.replace("\n\n", "\n{\n") + "\tuse();\n" * 51 + "}\n", "lib/one.c",
     "lib/one.c: read_one: 51 lines, at most 50"),
    (function(parameters="int a, int b, int c, int d, int e,\n    int f"), "lib/one.c",
     "lib/one.c: one: 6 parameters, at most 5"),
    (declare(11), "lib/one.h", "lib/one.h: 11 functions, at most 10"),
    (MEMBERS % "\tint more;\n", "lib/one.h", "lib/one.h: one: 41 members, at most 40"),
], ids=["lines", "lines_in_a_header", "lines_of_a_macro", "parameters", "functions", "members"])
def test_what_is_above_a_measure_is_refused_unless_the_list_has_it(house, text, name, said):
    status, out = house(text, name=name)
    assert status and said in out
    kind, count = said.split(",", maxsplit=1)[0].split()[-1], said.split(",", maxsplit=1)[0].split()[-2]
    what = "-" if kind == "functions" else said.split(": ")[1]
    rows = f"# why\n{kind} {name} {what} %d a reason of this test\n"
    assert house(text, rows % int(count), name) == (0, "shape: 1 files, 0 problems\n")
    assert house(text, rows % (int(count) - 1), name)[0]


@pytest.mark.parametrize("comment", ["/* ... and so on */", "/* begins ... */", "/* … */", "/*\n * ... below\n */",
                                     "/** ... */"])
def test_a_comment_that_begins_or_ends_with_dots_is_refused(house, comment):
    status, out = house(f"int a;\nint b; {comment}\n", name="lib/one.def")
    assert status and out.startswith("lib/one.def:3: a comment that begins or ends with")


@pytest.mark.parametrize("row", ["lines lib/one.c one 52 it was longer", "lines lib/one.c two 51 it is gone",
                                 "parameters lib/one.c one 5 it is no more above", "lines lib/two.c one 51 renamed"])
def test_a_row_that_is_too_high_or_for_nothing_is_refused_until_it_is_lowered(house, tmp_path, row):
    long, good = function(lines=51), "lines lib/one.c one 51 a reason"
    rows = f"# why\n{row}\n" + ("" if row.startswith("lines lib/one.c one") else f"{good}\n")
    status, out = house(long, rows)
    assert status and "--lower" in out and "1 problems" in out
    assert house(long, rows, option="--lower")[0] == 0
    left = (tmp_path / "shape.txt").read_text()
    assert left == f"# why\n{good if good in rows else row.replace('52', '51')}\n"
    assert house(long, left)[0] == 0


def test_lowering_raises_and_adds_nothing(house, tmp_path):
    rows = "lines lib/one.c one 51 a reason\n"
    text = function(lines=52) + function(lines=51, name="two")
    status, out = house(text, rows, option="--lower")
    assert status and "one: 52 lines" in out and "two: 51 lines" in out
    assert (tmp_path / "shape.txt").read_text() == rows


@pytest.mark.parametrize("row", ["lines lib/one.c one 51", "width lib/one.c one 51 a reason", "lines lib/one.c one",
                                 "lines lib/one.c one 51 a reason\nlines lib/one.c one 51 again"])
def test_a_row_without_its_reason_or_twice_is_refused(house, row):
    with pytest.raises(SystemExit, match="not KIND FILE NAME NUMBER REASON"):
        house(function(lines=51), f"{row}\n")
