"""Goal: make compiles again what other flags ask for, and nothing when they are the same."""
# SPDX-License-Identifier: ISC
import os
import shlex
import subprocess

from stage import ROOT

OBJECT = "obj/lib/bucket.o"    # a small one
FLAGS = ((), ("SANITIZE=address",), ("CRASH_POINTS=1",), ("OPT=-O0",), ("CC=gcc",), ("CFLAGS=-DSAID='\"a b\"'",), ())


def make(build, *flags):
    """When the object was made.  What a make above us was told is none of this one's."""
    subprocess.run(["make", "--no-print-directory", f"BUILD={build}", *flags, str(build / OBJECT)], cwd=ROOT,
                   env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, timeout=300, check=True)
    return (build / OBJECT).stat().st_mtime_ns


def test_other_flags_compile_again_and_the_same_ones_do_not(tmp_path):
    made = 0
    for flags in FLAGS:
        last, made = made, make(tmp_path, *flags)
        assert made != last, f"not compiled again: {flags}"
        assert make(tmp_path, *flags) == made, f"compiled twice: {flags}"


def test_another_version_compiles_nothing_that_does_not_say_it(tmp_path):
    made = make(tmp_path)
    assert make(tmp_path, "VERSION=99.9") == made


def test_what_bed_is_to_run_reaches_the_shell_there_as_it_was_given():
    wish = "deploy/target.sh production current; echo 'at '$COMMIT"
    said = subprocess.run(["make", "--no-print-directory", "-n", "bed", f"RUN={wish}"], cwd=ROOT,
                          env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300, check=True).stdout.splitlines()[-1]
    assert shlex.split(said)[-3:] == ["bash", "-c", wish]
