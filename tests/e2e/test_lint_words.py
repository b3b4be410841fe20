"""Goal: an old word where users read is found, with its line and what to say; names and code are let pass."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess
import sys

import pytest

from stage import ROOT

TOOL = os.path.join(ROOT, "tests", "tools", "words.py")
sys.path.insert(0, os.path.dirname(TOOL))
import words


def look(name, text, allowed=(), used=None):
    return words.findings(pathlib.Path(name), text, allowed, set() if used is None else used)


# What each row of the table is there for.
PHRASES = (
    "told twice to stop", "nobody is told of it", "it tells the chat", "is taken back", "it goes back to that",
    "there is no way back", "takes it back", "all is well", "is it well", "production is not well", "that host is sick",
    "is well", "a run is under way", "it waits for its turn", "is held against ana", "is held", "superseded by another",
    "asked by ana", "found in git", "the script's word", "asks Telegram for news", "is not heard", "is deaf",
    "cannot be heard", "the keeper of another release", "was put aside", "goes on without us", "nothing is settled",
    "they settle it", "no sign of life", "mend it", "that makes it right", "is not to be had", "the runner is away",
    "is gone with its container", "the disk failed to keep what was written", "one that hangs, that dies",
    "is newer than we", "that is nobody's",
)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("name, text", [
    ("server/chat/x.c", 'int a; /* told */\nsay("so: %s");\n'), ("docs/x.md", "So\n%s\n"),
    ("deploy/x.sh", "# told\nfail 1 \"so: %s\"\n"), ("deploy/x.sh", "x\nfail 1 \"so $1: %s\"\n"),
    ("deploy/monitoring/x.yml", "a: 1\nsummary: so %s\n"),
    ("nginx/x.conf", "x\n# so %s\n"), ("deploy/man/x.8", ".B x\nso %s\n"), (".env.example", "A=1\n# so %s\n")])
def test_an_old_word_is_found_on_its_line(name, text, phrase):
    found = look(name, text % phrase)
    assert found and {line for line, _, _ in found} == {2}
    assert all(found_phrase.lower() in phrase.lower() and say for _, found_phrase, say in found)


def test_every_row_of_the_table_has_a_phrase_that_it_finds():
    for row, _ in words.TABLE:
        assert any(row.search(phrase) for phrase in PHRASES), row.pattern


@pytest.mark.parametrize("name, text", [
    ("server/x.c", 'state("held");\n'), ("server/x.c", 'db("SELECT id FROM run WHERE told = 1 AND held");\n'),
    ("server/x.c", 'say("{\\"told\\":true, \\"a b\\"}");\n'),
    ("server/x.c", "told(held); /* is told */ // is away\n"),
    ("server/x.c", '#include "a told.h"\n'), ("server/x.c", 'say("is as well known as it may tell-tale");\n'),
    ("docs/x.md", "the state `held`, [a link](told.md), https://x/told and TELL\n"),
    ("docs/x.md", "that may as well be\n"), ("tests/x.py", "say('told')\n"),
    ("deploy/x.sh", "told=1 # is told\ncase $told in held) ;; esac\nstate 'held'\n"),
    ("deploy/monitoring/x.yml", "  expr: told > 1\n"), ("deploy/github/x.yml", "jobs:\n  tell:\n    needs: x\n"),
    ("CHANGES.md", "# Changes\n\n## Unreleased\n\nnew\n\n## 0.1.0 - 2026\n\n- is told\n")])
def test_names_code_and_history_are_let_pass(name, text):
    assert look(name, text) == []


def test_a_phrase_that_is_broken_over_lines_is_found():
    assert [line for line, _, _ in look("docs/x.md", "a run is under\nway\n")] == [1]
    assert look("nginx/x.conf", "# a run is under\n# way\n")


def test_what_is_allowed_is_let_pass_where_it_is_and_nowhere_else():
    row, used = ("docs/x.md", "the mutex is held", "a mutex is"), set()
    assert look("docs/x.md", "the mutex is held\n", (row,), used) == [] and used == {row}
    assert look("docs/x.md", "a commit is held\n", (row,)) and look("docs/y.md", "the mutex is held\n", (row,))


def test_the_tool_ends_with_1_and_names_file_line_and_replacement(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "x.md").write_text("ok\nthe runner is away\n", "utf-8")
    run = subprocess.run([sys.executable, TOOL, "docs/x.md"], cwd=tmp_path, stdin=subprocess.DEVNULL, text=True,
                         capture_output=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (1, 'docs/x.md:2: "is away": say: disconnected\n')


def test_an_allowed_place_that_is_gone_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(words, "tracked", lambda: [])
    monkeypatch.setattr(words, "ALLOWED", (("docs/x.md", "held", "a reason"),))
    assert words.main([]) == 1 and "take it off" in capsys.readouterr().out
