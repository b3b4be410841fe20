"""Goal: make compiles again what other flags ask for, and nothing when they are the same; `make test` ends with what
failed."""
# SPDX-License-Identifier: ISC
import os
import shlex
import subprocess
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import run_tests

OBJECT = "obj/lib/bucket.o"    # a small one
FLAGS = ((), ("SANITIZE=address",), ("CRASH_POINTS=1",), ("OPT=-O0",), ("CC=gcc",), ("CFLAGS=-DSAID='\"a b\"'",), ())


def make(build, *flags):
    """When the object was made.  What a make above us was given is none of this one's."""
    subprocess.run(["make", "--no-print-directory", f"BUILD={build}", *flags, str(build / OBJECT)], cwd=ROOT,
                   env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, timeout=300, check=True)
    return (build / OBJECT).stat().st_mtime_ns


@pytest.mark.long
def test_other_flags_compile_again_and_the_same_ones_do_not(tmp_path):
    made = 0
    for flags in FLAGS:
        last, made = made, make(tmp_path, *flags)
        assert made != last, f"not compiled again: {flags}"
        assert make(tmp_path, *flags) == made, f"compiled twice: {flags}"


def test_another_version_compiles_nothing_that_does_not_say_it(tmp_path):
    made = make(tmp_path)
    assert make(tmp_path, "VERSION=99.9") == made


def test_a_warning_ends_our_builds_and_nobody_elses():
    """A newer compiler warns of more."""
    def said(*words):
        return subprocess.run(["make", "--no-print-directory", "-n", "BUILD=not-there", *words], cwd=ROOT, timeout=300,
                              env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=True).stdout
    ours = said("--eval", "say-test: ; @echo '$(TEST_MAKE)'", "say-test")
    assert "-Wall " in said("not-there/" + OBJECT) and "-Werror " not in said("not-there/" + OBJECT)
    assert "-Werror" in ours and "-Werror " in said("WERROR=-Werror", "not-there/" + OBJECT)
    with open(os.path.join(ROOT, "tests", "tools", "lint.sh"), encoding="utf-8") as file:
        assert " CC=\"$1\" OPT=-O1 WERROR=-Werror " in file.read()


def test_the_programs_that_measure_speed_are_compiled_with_the_tests():
    """They are run seldom, and name structs and functions of the product."""
    said = subprocess.run(["make", "--no-print-directory", "-n", "BUILD=not-there", "tests"], cwd=ROOT, timeout=300,
                          env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True).stdout
    programs = [name for name in os.listdir(os.path.join(ROOT, "tests", "bench")) if name.endswith(".c")]
    assert len(programs) > 5
    assert [name for name in programs if f" -o not-there/obj/tests/bench/{name[:-2]}.o " not in said] == []


def test_what_bed_is_to_run_reaches_the_shell_there_as_it_was_given():
    wish = "deploy/target.sh production current; echo 'at '$COMMIT"
    said = subprocess.run(["make", "--no-print-directory", "-n", "bed", f"RUN={wish}"], cwd=ROOT,
                          env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300, check=True).stdout.splitlines()[-1]
    assert shlex.split(said)[-3:] == ["bash", "-c", wish]


def play(tmp_path, *words, e2e=True):
    """run_tests.py, with three unit programs and, as long as it is asked for, one end-to-end test."""
    programs = {"test_bucket": "echo '[       OK ] runs'; echo '[  FAILED  ] leaks'; echo 'line 7'; exit 1",
                "test_buf": "echo '[       OK ] runs'; echo 'is killed'; kill -9 $$",
                "test_text": "echo '[       OK ] runs'"}
    (tmp_path / "tests").mkdir()
    for name, text in programs.items():
        (tmp_path / "tests" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "tests" / name).chmod(0o755)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")      # names begin here, wherever this checkout is
    (tmp_path / "test_it.py").write_text("def test_that():\n    assert 1 == 2\n")
    return subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests", "tools", "run_tests.py"), tmp_path,
         *([tmp_path / "test_it.py"] if e2e else []), *words],
        cwd=tmp_path, stdin=subprocess.DEVNULL, timeout=300, env={"PATH": os.environ["PATH"], "JOBS": "1"},
        capture_output=True, text=True, check=False)


@pytest.mark.long
def test_what_failed_stands_at_the_end(tmp_path):
    """A unit test that fails now and then: its name is what there is to go by."""
    done = play(tmp_path)
    said = done.stdout.splitlines()
    assert done.returncode == 1
    assert said[-4:] == ["failed: test_bucket: leaks", "failed: test_buf, which ended with status -9",
                         "failed: test_it: test_that", "3 passed, 3 failed, 0 skipped"]
    behind = said[said.index("end-to-end tests: " + str(tmp_path / "test_it.py")):]
    assert "line 7" in behind and "is killed" in behind


@pytest.mark.long
@pytest.mark.parametrize("word, count", (("test_text", "1 passed, 1 failed"), ("--e2e", "0 passed, 1 failed")))
def test_of_unit_programs_those_that_are_named_are_run_or_none(tmp_path, word, count):
    assert play(tmp_path, word).stdout.endswith(f"{count}, 0 skipped\n")


def test_beside_unit_programs_alone_no_end_to_end_test_is_run(tmp_path):
    """make test WHAT=test_policy: one test while it is written."""
    done = play(tmp_path, "test_text", e2e=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert "unit tests: 1 programs" in said and said[-2:] == ["end-to-end tests: none", "1 passed, 0 failed, 0 skipped"]
    assert not (tmp_path / "e2e.xml").exists()


@pytest.mark.parametrize("words, programs, wanted", (
    ([], ["test_a", "test_b"], run_tests.EVERY_DAY),
    (["test_b"], ["test_b"], []),
    (["test_b", "test_a"], ["test_a", "test_b"], []),
    (["tests/e2e/test_a.py"], ["test_a", "test_b"], ["tests/e2e/test_a.py"]),
    (["test_b", "tests/e2e/test_a.py", "-k", "x"], ["test_b"], ["tests/e2e/test_a.py", "-k", "x"]),
    (["test_c"], ["test_a", "test_b"], ["test_c"]),      # pytest says that there is none
    (["--e2e"], [], run_tests.EVERY_DAY),
    (["--e2e", "tests/e2e/test_a.py"], [], ["tests/e2e/test_a.py"])))
def test_what_chooses_unit_programs_and_end_to_end_tests(words, programs, wanted):
    assert run_tests.choose(words, ["test_a", "test_b"]) == (programs, wanted)


FAILS_AT_FIRST = """
import pathlib
import pytest

@pytest.mark.parametrize("which", range({}))
def test_that(which):
    seen = pathlib.Path(__file__).with_name(f"seen{{which}}")
    first = not seen.exists()
    seen.touch()
    assert not first
"""
STANDS_ON_ANOTHER = """
began = []
def test_it_begins(): began.append(1)
""" + FAILS_AT_FIRST.replace("    seen =", "    assert began\n    seen =")
OTHER_FAILS = FAILS_AT_FIRST + """
def test_other():
    assert not pathlib.Path(__file__).with_name("seen").exists()
    pathlib.Path(__file__).with_name("seen").touch()
"""


@pytest.mark.parametrize("text, strict, line, unsteady", (
    pytest.param(FAILS_AT_FIRST.format(1), "", "1 passed, 0 failed, 0 skipped", ["test_it: test_that[0]"],
                 marks=pytest.mark.long),
    pytest.param(STANDS_ON_ANOTHER.format(1), "", "2 passed, 0 failed, 0 skipped", ["test_it: test_that[0]"],
                 marks=pytest.mark.long),
    pytest.param(OTHER_FAILS.format(1), "", "1 passed, 1 failed, 0 skipped", [], marks=pytest.mark.long),
    pytest.param(FAILS_AT_FIRST.format(1), "1", "0 passed, 1 failed, 0 skipped", [], marks=pytest.mark.long),
    pytest.param(FAILS_AT_FIRST.format(4), "", "0 passed, 4 failed, 0 skipped", [], marks=pytest.mark.long),
    ("def test_that(): assert 1 == 2", "", "0 passed, 1 failed, 0 skipped", []),
    pytest.param(FAILS_AT_FIRST.format(1).replace("seen.touch()", "first or pytest.skip(); seen.touch()"), "",
     "0 passed, 1 failed, 0 skipped", [], marks=pytest.mark.long)),
    ids=("passes alone", "stands on another", "another fails alone", "strict", "too many", "fails again",
         "skipped alone"))
def test_what_fails_among_the_others_and_passes_alone_is_named(tmp_path, monkeypatch, capfd, text, strict, line,
                                                               unsteady):
    """Only a few, and never with STRICT=1."""
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    monkeypatch.setenv("STRICT", strict)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(text)
    count = run_tests.Count()
    with run_tests.start_e2e(tmp_path, ["test_it.py"], jobs=1) as e2e:
        run_tests.end_e2e(e2e, tmp_path, count)
    count.show_failed()
    assert (count.line(), count.unsteady) == (line, unsteady)
    assert ("unsteady: test_it: test_that[0] failed" in capfd.readouterr().out) == bool(unsteady)


@pytest.mark.parametrize("slowness", (1, 7))
def test_what_costs_ten_times_the_mean_is_named_and_forty_times_is_refused(capfd, slowness):
    costs = {("test_it", f"test_{n}"): 0.1 * slowness for n in range(1_000)}
    costs |= {("test_it", "test_cheap"): 0.9 * slowness, ("test_it", "test_dear"): 1.5 * slowness,
              ("test_it", "test_dearest"): 4.5 * slowness}
    count = run_tests.Count()
    run_tests.judge_costs(costs, count)
    assert count.names == [f"test_it: test_dearest, which costs {4.5 * slowness:.1f} s of a processor, 42 times the "
                           "mean, at most 40: it is to cost less, or to be marked `long`"]
    assert capfd.readouterr().out == f"  long: test_it: test_dear, which costs {1.5 * slowness:.1f} s of a " \
                                     "processor, 14 times the mean\n"


SPENDS = """
import subprocess, sys
import pytest
SPIN = "import time\\nwhile time.process_time() < 0.3: pass"

@pytest.fixture(scope="module")
def shared():
    subprocess.run([sys.executable, "-c", SPIN], check=True)

@pytest.fixture
def own():
    subprocess.run([sys.executable, "-c", SPIN], check=True)

def test_child(): subprocess.run([sys.executable, "-c", SPIN], check=True)
def test_fixture(own): pass
def test_shared(shared): pass
"""


@pytest.mark.long
def test_the_cost_of_a_test_is_that_of_its_children_too_and_not_what_its_file_shares(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(SPENDS)
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "cost",
                    f"--junitxml={tmp_path / 'e2e.xml'}", "test_it.py"], cwd=tmp_path, check=True,
                   env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "tests", "tools")}, stdin=subprocess.DEVNULL,
                   capture_output=True, timeout=300)
    costs = run_tests.read_costs(tmp_path / "e2e.xml")
    spent = {name for (_, name), seconds in costs.items() if seconds >= 0.3}
    assert (len(costs), spent) == (3, {"test_child", "test_fixture"}), costs


def test_a_unit_test_that_hangs_is_named_with_what_it_said(tmp_path, monkeypatch):
    monkeypatch.setattr(run_tests, "UNIT_TIMEOUT_S", 1)
    program = tmp_path / "test_bucket"
    program.write_text("#!/bin/sh\necho '[ RUN      ] waits'\nexec sleep 600\n")
    program.chmod(0o755)
    count = run_tests.run_unit(program)
    assert count.names == ["test_bucket, which did not end within 1 s"]
    assert count.outputs[0].splitlines()[1:] == ["[ RUN      ] waits"]


@pytest.mark.long
def test_tests_have_the_same_names_in_all_workers():
    """A name made of the time, or of a set's order, differs between two of them, and then not one test is run."""
    def names(seed, *before):
        return subprocess.run(
            [*before, "/usr/bin/python3", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
             os.path.join(ROOT, "tests", "e2e")],
            env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True,
            timeout=300).stdout.splitlines()[:-1]
    now = names("1")
    assert len(now) > 1000
    assert names("2", "faketime", "+3 days") == now


def test_the_longest_unit_tests_are_begun_first_by_names_that_are_there():
    for name in run_tests.LONGEST:
        assert run_tests.has_source(name), name
