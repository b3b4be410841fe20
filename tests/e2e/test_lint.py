"""Goal: what `make lint` looks for it finds: its own checks, each on a small text or tree that is wrong."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess
import sys

import pytest

from stage import ROOT

sys.path[:0] = [os.path.join(ROOT, "tests", "tools"), os.path.join(ROOT, "tests", "planted")]
import callers
import lint_text
import planted
import size
import swallow

TREE = {
    "lib/one.c": "#include \"one.h\"\n"
                 "int number;\n"
                 "int used(void) { return own(); }\n"
                 "int own(void) { return 1; }\n"
                 "int dead(void) { return 2; } /* dead */\n"
                 "int seam(void) { return 3; }\n",
    "server/main.c": "#include \"../lib/one.h\"\nint main(void) { return used(); }\n",
}
HEADER = "int used(void), own(void), dead(void), seam(void);\nextern int number;\n"


@pytest.fixture
def tree(tmp_path):
    for room in ("lib", "server"):
        (tmp_path / room).mkdir()
        (tmp_path / "obj" / room).mkdir(parents=True)
    (tmp_path / "lib/one.h").write_text(HEADER)
    for name, text in TREE.items():
        made = (tmp_path / "obj" / name).with_suffix(".o")
        (tmp_path / name).write_text(text)
        subprocess.run(["gcc", "-O1", "-c", "-o", made, tmp_path / name], check=True, timeout=60)
    return tmp_path


def test_what_is_exported_and_has_no_caller_is_named(tree):
    assert callers.findings(tree / "obj", tree, {"a reason": ("seam",)}) == [
        "lib/one.c: dead: nobody in the product uses it: delete it",
        "lib/one.c: number: nobody in the product uses it: delete it",
        "lib/one.c: own: only its own file uses it: make it static"]


def test_a_seam_that_has_a_caller_or_is_gone_is_named(tree):
    said = callers.findings(tree / "obj", tree, {"a reason": ("used", "gone", "own", "dead", "seam", "number")})
    assert [line.split(": ", 1)[1] for line in said] == [
        "gone: is gone: take it off the list", "used: has a caller: take it off the list"]


def test_no_objects_are_no_pass(tmp_path):
    assert callers.findings(tmp_path, tmp_path, {})


@pytest.mark.parametrize("line, is_found", [
    ('if (strncmp(run->detail, prefix, 4) == 0)', True),
    ('return strstr(error, "is not there") != NULL;', True),
    ('#define HOW "; the way back: "\nreturn strstr(out, HOW) != NULL;', True),
    ('return strstr(said, CHAT_SAID_LOGGED) != NULL;', True),
    ('return strstr(line->text, reason) != NULL;', True),
    ('return strncmp(report->lines[i].text, application, size) == 0;', True),
    ('return strcmp(report->lines[i].text, line->text) == 0;', False),
    ('#define RESET "reset "\nreturn text_starts(text, RESET);', False),
    ('if (strcmp(kind, "step") == 0) /* a "word or two" */', False),
    ('say("it is not there", strlen(deployment->note));', False)])
def test_a_decision_that_is_read_out_of_a_sentence_is_found(line, is_found, capsys):
    found = lint_text.Findings()
    lint_text.check_c(pathlib.Path("server/x.c"), line + "\n", found)
    assert ("out of a sentence" in capsys.readouterr().out) == is_found and found.bad == is_found


def test_what_counts_is_code(tmp_path):
    (tmp_path / "server/chat").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/no.c").write_text("int no;\n")
    (tmp_path / "server/chat/x.c").write_text(
        "/* x\n * y */\n\nint a; // b\nstatic void\nf(void)\n{\n\tsay(\"/*\");\n}\nint b[] = {\n\t1,\n};\n")
    assert size.sizes(tmp_path) == {"server/chat": 6}


SHELL = """fail() {
	exit "$1"
}
bounded() {
	timeout "$@" &
	wait "$!"
}
limited() {
	bounded "$1" "${@:3}" || fail 75 "too long"
}
asked() {
	limited "$@" >answer
}
look() {
	asked 60 "a question" program
}
"""


@pytest.mark.parametrize("line, says", [
    ('limited 60 "a question" program >/dev/null 2>&1 || true', "the reason"),
    ("if look &>/dev/null; then", "the reason"),
    ("{ look; } 2>/dev/null", "the reason"), ('limited 60 "a question" program \\\n\t--option 2>file', "the reason"),
    ('word=$(look)', "no signal"), ('word="the $(look) of"', "no signal"), ("look | tail -n 1", "no signal"),
    ("program | look", "no signal"), ("done < <(look)", "no signal"),
    ("limited 60 'a 2>' program >out", ""), ("bounded 60 program >/dev/null 2>&1", ""), ("look || fail 70 no >&2", ""),
    ("look >out; program 2>/dev/null", ""), ("# word=$(look)", ""), ("# reason kept: it is shown\nlook 2>file", ""),
    ("ship | look) ;;", ""), ('program "a look 2>" 2>/dev/null', "")])
def test_a_reason_or_a_signal_that_the_shell_would_lose_is_found(tmp_path, capsys, line, says):
    file = tmp_path / "act.sh"
    file.write_text(SHELL + line + "\n")
    assert swallow.main([str(file)]) == bool(says)
    assert says in capsys.readouterr().out


# Each kind of program with a test that it has, and beside that a name that it only mentions.
PLANTED = {
    "unit/test_one.c": "/* mentioned */\nTEST(true_of_one)\n{\n\thelper();\n}\nOWN_TEST_OF(\n    true_of_all, NULL)\n",
    "e2e/test_two.py": "def test_true():\n    helper()\n",
    "unit/test_sim.c": "",
    "sim/sim_check.c": "static void\nends(struct sim *sim)\n{\n\thelper(\"starts\");\n}\n",
    "faults/crash.py": "",
    "faults/oracle.c": "\tcheck(\"lasts\", helper());\n",
}


@pytest.mark.parametrize("program, test, said", [
    ("test_one", "true_of_one", None),
    ("test_one", "true_of_all", None),
    ("test_one", "true_of_one|helper", "test_one has no test helper"),
    ("test_one", "mentioned", "test_one has no test mentioned"),
    ("test_one", "true_of", "test_one has no test true_of"),
    ("test_none", "true_of_one", "there is no test_none"),
    ("test_two.py", "test_true", None),
    ("test_two.py", "helper", "test_two.py has no test helper"),
    ("test_none.py", "test_true", "there is no test_none.py"),
    ("test_sim", "ends|starts|lasts", None),
    ("test_sim", "helper", "test_sim has no test helper"),
    ("crash.py:push/batch:2", "lasts", None),
    ("crash.py:push/batch:2", "helper", "crash.py:push/batch:2 has no test helper"),
    ("trash.py:push/batch:2", "lasts", "there is no trash.py:push/batch:2"),
])
def test_a_planted_bug_whose_test_is_not_there_is_named(tmp_path, monkeypatch, program, test, said):
    for name, text in PLANTED.items():
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).write_text(text)
    (tmp_path / "one.c").write_text("\tcheck();\n")
    monkeypatch.setattr(planted, "ROOT", tmp_path)
    assert planted.Bug("bug", "a check", program, test, "in: one.c\n-\tcheck();\n").is_wrong() == (
        said and f"bug: {said}")
