"""Goal: a struct of more than 1 KB that is taken, returned or copied by value is refused, and nothing else is."""
# SPDX-License-Identifier: ISC
import os
import subprocess
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import by_value

HEAD = """struct big { char text[1025]; };
struct full { char text[1024]; };
typedef struct big big_by_name;
struct big *read_big(struct big *ret);
void use(void *what, ...);
"""
FINE = """
static struct full
make(struct full one, const struct big *two)
{
	struct full copy = one, again;
	struct big big = { "= *two;" }, *at = (struct big *)two; /* big = *two; */
	const struct big *const other = two;

	again = copy;
	big = (struct big){ .text = "a" };
	if (read_big(&big) == at)
		use(&big, at->text[0] == big.text[0], other);
	*at = big;
	return again;
}

void entry(const struct big *big);
void entry(const struct big *big) { use((void *)big, make((struct full){ "" }, big)); }
"""


@pytest.fixture
def judge(tmp_path, monkeypatch, capsys):
    """by_value.py over a house of one file: its status and what it says."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "obj" / "lib").mkdir(parents=True)

    def run(text, *flags):
        (tmp_path / "lib" / "one.c").write_text(HEAD + text, encoding="utf-8")
        subprocess.run(["gcc", "-std=gnu17", "-O1", *(flags or ["-g"]), "-c", "-o", tmp_path / "obj" / "lib" / "one.o",
                        tmp_path / "lib" / "one.c"], check=True)
        monkeypatch.setattr(sys, "argv", ["by_value.py", str(tmp_path / "obj"), str(tmp_path)])
        status = by_value.main()
        return status, capsys.readouterr().out

    return run


def test_pointers_values_written_out_and_what_is_small_pass(judge):
    assert judge(FINE) == (False, "by value: 1 objects, 0 problems\n")


@pytest.mark.parametrize("text, says", [
    ("int take(int a, const struct big b);\nint take(int a, const struct big b) { return a + b.text[0]; }\n",
     "take takes struct big by value: 1025 bytes"),
    ("int take(big_by_name b);\nint take(big_by_name b) { return b.text[0]; }\n",
     "take takes struct big by value: 1025 bytes"),
    ("struct big give(void);\nstruct big give(void) { return (struct big){ \"\" }; }\n",
     "give returns struct big by value: 1025 bytes"),
    ("static __attribute__((always_inline)) inline int in(struct big b) { return b.text[0]; }\n"
     "int take(const struct big *b);\nint take(const struct big *b) { return in(*b); }\n",
     "in takes struct big by value: 1025 bytes"),
    ("struct table { int (*call)(struct big); };\nint at(struct table *t);\n"
     "int at(struct table *t) { return t != 0; }\n",
     "a pointer to a function takes struct big by value: 1025 bytes"),
    ("void\ncopy(const struct big *from)\n{\n\tstruct big a = *from;\n\n\tuse(&a);\n}\n",
     "one.c:9: a local is a copy of a struct big"),
    ("void\ncopy(const struct big *from)\n{\n\tstruct big *b, a;\n\n\ta =\n\t    *from;\n\tuse(&a, b);\n}\n",
     "one.c:11: a local is a copy of a struct big"),
    ("void\ncopy(const struct big *from, int n)\n{\n\tif (n > 0) {\n\t\tstruct big a[2];\n\n\t\ta[n] = *from;\n"
     "\t\tuse(a);\n\t}\n}\n", "one.c:12: a local is a copy of a struct big"),
], ids=["argument", "typedef", "result", "inlined", "pointer", "initialised", "assigned", "array"])
def test_each_way_by_value_is_refused(judge, text, says):
    status, said = judge(text)
    assert status and said.count("\n") == 2 and says in said, said


@pytest.mark.parametrize("flag", ["-g0", "-g1"])
def test_objects_without_what_debuggers_read_are_refused(judge, tmp_path, flag):
    status, said = judge(FINE, flag)
    assert status and "build it with -g" in said, said
    (tmp_path / "obj" / "lib" / "one.o").unlink()
    assert by_value.main(), "no objects at all"
