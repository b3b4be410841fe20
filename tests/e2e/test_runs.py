"""Goal: `make smoke` and `make nightly` run each row of their table, say how it ended, and leave no process."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import signal
import subprocess

import pytest

import runs
from stage import ROOT, wait_until

RUNS = os.path.join(ROOT, "tests", "tools", "runs.py")


class Table:
    def __init__(self, folder):
        self.folder = folder
        (folder / "Makefile").write_text("help:\n\t@echo 'make  all'; echo 'make one  x'\n")
        subprocess.run("git init -q && git add Makefile && git -c user.name=a -c user.email=a@example.org commit -qm 1",
                       shell=True, cwd=folder, check=True)

    def write(self, **rows):
        self.folder.joinpath("table").write_text("".join(
            f"{target}\n  needs {row.get('needs', 'program=make')}\n" +
            "".join(f"  {kind} {row.get('limit', '60s')} {row[kind] if kind in row else row['does']}\n"
                    for kind in ("smoke", "nightly")) for target, row in rows.items()))
        (self.folder / ".git" / "info" / "exclude").write_text("*\n")

    def start(self, *words, **settings):
        return subprocess.Popen(
            ["/usr/bin/python3", RUNS, *words], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "RUNS_ROOT": str(self.folder),
                                           "RUNS_TABLE": str(self.folder / "table"), **settings})

    def run(self, *words, **settings):
        with self.start(*words, **settings) as process:
            said = process.communicate(timeout=120)[0]
        return process.returncode, said


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path)


def is_gone(file):
    pid = file.read_text().strip()
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("rows, said", (
    (("all", "one"), "2 rows"),
    (("all",), "one is a row of `make help` and none of table"),
    (("all", "one", "two"), "two is a row of table and none of `make help`")))
def test_table_and_help_have_the_same_rows(table, rows, said):
    table.write(**{name: {"does": "true"} for name in rows})
    assert table.run("check") == (0 if said == "2 rows" else 1, said + "\n")


@pytest.mark.parametrize("text", ("one\n", "one\n  smoke 5 true\n", "one\n  smoke 5s true\n",
                                  "one\n  smoke 5s true\n  nightly 5s true\n  needs luck\n", "one\none\n"))
def test_a_row_that_is_not_whole_is_refused(table, text):
    (table.folder / "table").write_text(text)
    assert table.run("smoke")[0] == 1


def test_each_row_has_a_line_and_the_count_decides(table):
    table.write(all={"does": "echo fine"}, one={"does": "echo why it failed; exit 3"},
                two={"does": "true", "needs": "package=none-such"}, three={"does": "echo '1 skipped in 0.1s'"})
    status, said = table.run("smoke")
    assert status == 1 and "1 ok, 1 failed, 2 not run" in said
    assert "    why it failed\n" in said and "status 3" in said and "    fine" not in said
    assert "not run: the package none-such is not installed two" in said
    assert (table.folder / "build/smoke/one.log").read_text() == "why it failed\n"


def test_what_cannot_run_fails_only_where_it_must_run(table):
    table.write(one={"does": "true", "needs": "program=none-such"})
    assert table.run("smoke")[0] == 0
    assert table.run("smoke", SMOKE="strict")[0] == 1


def test_at_its_limit_a_row_ends_with_its_whole_group(table):
    table.write(one={"does": "trap '' TERM; sleep 600 & echo $! >child; wait; wait", "limit": "1s"})
    status, said = table.run("smoke")
    assert status == 1 and "not finished within 1 s" in said
    wait_until(lambda: is_gone(table.folder / "child"))


@pytest.mark.parametrize("load, is_late", ((0, True), (1000 * os.cpu_count(), False)))
def test_on_a_busy_machine_the_limit_comes_later(monkeypatch, load, is_late):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0, 0))
    with subprocess.Popen(["sleep", "3"]) as process:
        if is_late:
            with pytest.raises(subprocess.TimeoutExpired):
                runs.wait(process, 1)
            process.kill()
        else:
            assert runs.wait(process, 1) == 0


def test_what_a_row_leaves_behind_is_ended(table):
    table.write(one={"does": "sleep 600 & echo $! >child"})
    assert table.run("smoke")[0] == 0
    wait_until(lambda: is_gone(table.folder / "child"))


def test_a_copy_is_changed_and_not_the_tree(table):
    table.write(one={"does": "rm Makefile; pwd", "needs": "copy"})
    assert table.run("smoke")[0] == 0
    assert (table.folder / "Makefile").exists() and not (table.folder / "build/smoke/copy-one").exists()


def test_rows_aside_run_one_after_the_other_beside_the_others(table):
    """The two that are aside wait for one that is not, and it for the first of them."""
    table.write(one={"does": "echo one >>order; until [[ -e go ]]; do sleep 0.05; done", "needs": "aside"},
                two={"does": "echo two >>order", "needs": "aside"},
                three={"does": "until [[ -e order ]]; do sleep 0.05; done; cp order seen; touch go"})
    status, said = table.run("smoke")
    assert status == 0 and "3 ok, 0 failed, 0 not run" in said
    assert (table.folder / "seen").read_text() == "one\n"
    assert (table.folder / "order").read_text() == "one\ntwo\n"


def test_what_has_not_begun_in_time_is_not_run_and_said(table):
    table.write(one={"does": "true"}, two={"does": "true", "needs": "aside"})
    status, said = table.run("smoke", SMOKE_SECONDS="0")
    assert status == 0 and said.count("not run: no time is left") == 2 and "0 ok, 0 failed, 2 not run" in said
    assert table.run("smoke", SMOKE_SECONDS="0", SMOKE="strict")[0] == 1


def test_what_is_not_finished_in_time_is_ended_and_not_run(table):
    table.write(one={"does": "echo $$ >child; exec sleep 600"}, two={"does": "exec sleep 600", "needs": "aside"})
    status, said = table.run("smoke", SMOKE_SECONDS="5")
    assert status == 0 and said.count("no time was left to finish") == 2 and "0 ok, 0 failed, 2 not run" in said
    assert is_gone(table.folder / "child")
    assert table.run("smoke", SMOKE_SECONDS="1", SMOKE="strict")[0] == 1


def test_whoever_ends_smoke_ends_the_rows_aside_as_well(table):
    table.write(one={"does": "echo $$ >child; exec sleep 600", "needs": "aside"}, two={"does": ":", "needs": "aside"},
                three={"does": "until [[ -s child ]]; do sleep 0.05; done; touch both; exec sleep 600"})
    process = table.start("smoke")
    wait_until((table.folder / "both").exists)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM and is_gone(table.folder / "child") and "two" not in (said or "")


def test_a_signal_that_comes_while_a_row_is_started_ends_it(monkeypatch):
    """Before anybody knows its process: it would outlive whoever was told to end."""
    class Interrupted(subprocess.Popen):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            runs.end_on_signal(signal.SIGTERM, None)

    monkeypatch.setattr(runs.subprocess, "Popen", Interrupted)
    process = runs.start(["sleep", "600"], start_new_session=True)
    runs.end_on_signal(signal.SIGTERM, None)        # nor does anybody yet
    try:
        with pytest.raises(runs.Ended):
            runs.end_if_held()
        runs.end_if_held()      # once
    finally:
        runs.end_group(process)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL))
def test_nightly_goes_on_where_it_was_cut_and_only_on_the_same_tree(table, number):
    table.write(all={"does": "echo all >>ran"},
                one={"does": "echo one >>ran; echo $$ >child; [[ -e go ]] || exec sleep 600"}, two={"does": "false"})
    process = table.start("nightly")
    wait_until((table.folder / "child").exists)
    wait_until((table.folder / "child").read_text)
    process.send_signal(number)
    process.communicate(timeout=60)
    if number == signal.SIGKILL:
        os.kill(int((table.folder / "child").read_text()), signal.SIGKILL)
    wait_until(lambda: is_gone(table.folder / "child"))
    (table.folder / "go").touch()
    status, said = table.run("nightly")
    assert status == 1 and "finished before: all\n" in said and "2 ok, 1 failed, 0 not run" in said
    assert (table.folder / "ran").read_text().split() == ["all", "one", "one"]
    lines = (table.folder / "build/nightly/table.md").read_text().splitlines()
    assert [line.split(" | ")[1:3] for line in lines[2:]] == [["all", "ok"], ["one", "ok"], ["two", "FAILED: status 1"]]
    table.run("nightly", "all")
    assert (table.folder / "ran").read_text().split().count("all") == 2, "a round that was whole begins anew"
    (table.folder / "Makefile").write_text("changed, with a round in the middle:\n")
    table.run("nightly", "one", "all")
    assert list(json.loads((table.folder / "build/nightly/state.json").read_text())["results"]) == ["all", "one"]
    assert (table.folder / "ran").read_text().split().count("all") == 3
