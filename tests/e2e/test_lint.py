"""Goal: what `make lint` looks for it finds: the checks that read objects or count, each on a small tree that is wrong."""
# SPDX-License-Identifier: ISC
import os
import subprocess
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import callers

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
    assert callers.findings(tmp_path, tmp_path, {}) != []
