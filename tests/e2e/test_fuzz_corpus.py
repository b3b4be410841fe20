"""Goal: a corpus is one text file, and the harness reads in it byte for byte what corpus.py has written there."""
# SPDX-License-Identifier: ISC
import pathlib
import subprocess
import sys

import pytest
from stage import ROOT, crash_program

FUZZ = pathlib.Path(ROOT, "tests/fuzz")
sys.path.insert(0, str(FUZZ))
import corpus


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def read_by_harness(what, cwd=ROOT):
    harness = crash_program(f"tests/test_fuzz_{what}", has_points=False)
    return subprocess.run([harness, "--list"], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)


def test_every_harness_has_a_corpus_and_reads_the_same_bytes_in_it():
    assert corpus.names() == sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c"))
    for what in corpus.names():
        expected = [f"{name} {len(data)} {fnv(data)}" for name, data in corpus.load(what).items()]
        assert read_by_harness(what).stdout.splitlines() == expected


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A tree with a corpus of its own, of one harness."""
    monkeypatch.setattr(corpus, "HERE", tmp_path / "tests/fuzz")
    (tmp_path / "tests/fuzz/corpus").mkdir(parents=True)
    return tmp_path


def test_every_byte_survives_and_so_does_nothing_and_a_blank_at_the_end(elsewhere):
    seeds = {"all": bytes(range(256)), "blank": b"a ", "blanks": b"  ", "nothing": b"", "slashes": b"\\x41\\n"}
    corpus.save("text", seeds)
    assert corpus.load("text") == seeds
    assert read_by_harness("text", elsewhere).stdout.splitlines() == [
        f"{name} {len(data)} {fnv(data)}" for name, data in seeds.items()]
    corpus.unpack("text", elsewhere / "seeds")
    assert {path.name: path.read_bytes() for path in (elsewhere / "seeds").iterdir()} == seeds


@pytest.mark.parametrize("text", ["a 1\nb \\q\n", "a 1\nb \\x4\n", "a 1\nb \\xZZ\n", "a 1\na 2\n", "a 1\nb \x1b\n",
                                  "b 1\na 1\n", "a 1\nb 2"])
def test_the_harness_refuses_a_line_that_is_damaged_and_names_it(elsewhere, text):
    corpus.path_of("text").write_text(text, encoding="ascii")
    done = read_by_harness("text", elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert "corpus/text:2: " in done.stderr


def test_what_was_found_is_added_once_under_a_name_of_its_own(elsewhere):
    corpus.save("text", {"known": b"1"})
    for name, data in (("f" * 40, b"1"), ("a" * 40, b"new"), ("own_name", b"too")):
        (elsewhere / name).write_bytes(data)
    files = [elsewhere / ("f" * 40), elsewhere / ("a" * 40), elsewhere / "own_name"]
    assert (corpus.add("text", files), corpus.add("text", files)) == (2, 0)
    assert sorted(corpus.load("text").values()) == [b"1", b"new", b"too"]
    assert corpus.load("text")["own_name"] == b"too"
    (elsewhere / "known").write_bytes(b"other")
    with pytest.raises(ValueError, match="known"):
        corpus.add("text", [elsewhere / "known"])


def test_a_build_without_what_a_test_needs_is_named_with_how_it_is_made(tmp_path, monkeypatch):
    """Regression: it was a FileNotFoundError in each of these tests."""
    monkeypatch.setenv("DEPLOYBOT_CRASH_BUILD", str(tmp_path))
    with pytest.raises(AssertionError, match=" has no tests/test_fuzz_text: `make .*CRASH_POINTS=1 all tests`"):
        read_by_harness("text")
    (tmp_path / "deploybot").write_bytes(b"dies nowhere")
    with pytest.raises(AssertionError, match="has a deploybot without CRASH_POINTS=1: `make "):
        crash_program("deploybot")
