"""Goal: a fetch goes on as long as it makes progress and no longer, leaves nothing behind, and holds up nobody else;
under the real runner, with a git server as slow as the test says."""
# SPDX-License-Identifier: ISC
import os
import random
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runner_client import PROGRAM, ROOT, Bench, wait_for  # noqa: E402
from shipping_aid import DEPLOY, Repository, git, lines  # noqa: E402

PEER = os.path.join(ROOT, "tests", "peers", "slow_git.py")
FAST = "100000000"


class SlowBench(Bench):
    def __init__(self, path):
        super().__init__(path)
        self.slow = path / "slow"
        self.slow.mkdir()
        self.repository = Repository(path / "repository")
        self.bin = path / "bin"
        self.bin.mkdir()
        (self.bin / "ssh").symlink_to(PEER)
        self.pace(FAST)

    def pace(self, pace):
        (self.slow / "pace.new").write_text(f"{pace}\n")
        (self.slow / "pace.new").replace(self.slow / "pace")

    def grow(self, megabytes, repository=None):
        """A commit that git cannot make small."""
        repository = repository or self.repository
        (repository.path / "blob").write_bytes(random.Random(len(str(repository.path))).randbytes(
            int(megabytes * 1e6) + repository.count))
        return repository.commit("Large")

    def url(self, repository=None):
        return f"ssh://git@slow{(repository or self.repository).path}"

    def asker(self, stall_s=2, more=(), **env):
        """A runner whose git has the slow line, and less patience."""
        scripts = self.path / "scripts"
        scripts.mkdir(exist_ok=True)
        for name in ("commits.sh", "deploy.sh", "rollback.sh"):
            (scripts / name).write_text(
                f'#!/bin/bash\nexport PATH={self.bin}:$PATH SLOW_GIT={self.slow} FETCH_STALL_SECONDS={stall_s}\n'
                f'exec "{DEPLOY}/{name}" "$@"\n')
            (scripts / name).chmod(0o755)
        settings = {"DEPLOY_TRANSPORT": "local", "REPOSITORY_URL": self.url(), "STAGING_PORT": "9", **env}
        return self.runner(arguments=("--scripts", str(scripts), *more),
                           **{name: value for name, value in settings.items() if value is not None})

    def mirror(self):
        found = [path for path in (self.state / "git").glob("*.git") if path.is_dir()]
        return found[0] if found else None

    def left(self):
        return sorted(path.name for path in self.mirror().rglob("*")
                      if path.name.startswith("tmp_") or path.suffix in (".lock", ".keep"))

    def calls(self):
        return (self.slow / "calls").read_text().split() if (self.slow / "calls").exists() else []


@pytest.fixture
def bench(tmp_path):
    made = SlowBench(tmp_path)
    yield made
    made.pace("cut")
    made.done()


def answer_of(runner, number, seconds=60):
    """The answer to that question; what else is said meanwhile is noted."""
    deadline = time.monotonic() + seconds
    while True:
        said = runner.receive(max(0.1, deadline - time.monotonic()))
        if said.kind == "answer" and said["id"] == number:
            return said
        runner.heard.append(said)


def ask(runner, number, **fields):
    runner.heard = getattr(runner, "heard", [])
    runner.send("ask", id=number, question="commits", **fields)


@pytest.mark.long
def test_a_fetch_that_makes_progress_goes_on_for_longer_than_any_patience(bench):
    """Its own is 6 s here, and the runner's for a query that shows none is 30 s."""
    head = bench.grow(3)
    bench.pace(85_000)
    runner = bench.asker(stall_s=6)     # more than git or the machine may pause
    began = time.monotonic()
    ask(runner, 1, branch="main", progress=1)
    answer = answer_of(runner, 1, 120)
    assert answer["status"] == 0 and dict(lines(answer))["commit"] == head
    assert time.monotonic() - began > 32, "it was slow indeed"
    told = [said["text"] for said in runner.heard if said.kind == "progress"]
    assert told[0] == "git fetch" and any("receiving objects" in text and "%" in text for text in told), told
    assert b"==>" not in answer.body, "progress is no part of the answer"
    assert bench.left() == []


def test_a_fetch_without_progress_is_ended_and_leaves_nothing(bench):
    bench.grow(3)
    bench.pace(300_000)
    runner = bench.asker(stall_s=2)
    ask(runner, 1, branch="main")
    wait_for(lambda: bench.mirror() and any(name.startswith("tmp_pack") for name in bench.left()), "a part of a pack")
    bench.pace(0)
    answer = answer_of(runner, 1)
    assert answer["status"] == 69
    assert dict(lines(answer))["error"] == "fatal: git fetch made no progress for 2 s"
    assert bench.left() == []


def test_the_last_bound_says_its_name(bench):
    bench.grow(3)
    bench.pace(300_000)
    runner = bench.asker(stall_s=30, FETCH_TIMEOUT_SECONDS="2")
    ask(runner, 1, branch="main")
    answer = answer_of(runner, 1)
    assert answer["status"] == 69
    assert dict(lines(answer))["error"] == "fatal: git fetch took longer than 2 s (FETCH_TIMEOUT_SECONDS)"
    assert bench.left() == []


def test_what_a_killed_fetch_left_is_removed_under_the_lock(bench):
    bench.grow(0.1)
    runner = bench.asker()
    ask(runner, 1, branch="main")
    assert answer_of(runner, 1)["status"] == 0
    for name in ("tmp_pack_x1y2z3", "tmp_idx_x1y2z3", "pack-0.keep"):
        (bench.mirror() / "objects" / "pack" / name).write_bytes(b"x")
    ask(runner, 2, branch="main")
    assert answer_of(runner, 2)["status"] == 0
    assert bench.left() == []


@pytest.mark.long
@pytest.mark.parametrize("how", ("0", "cut"))
def test_a_fetch_that_was_cut_clones_nothing_anew(bench, how):
    bench.grow(0.1)
    runner = bench.asker(stall_s=2)
    ask(runner, 1, branch="main")
    assert answer_of(runner, 1)["status"] == 0
    (bench.mirror() / "mark").write_text("the same mirror")
    bench.grow(3)
    bench.pace(300_000)
    ask(runner, 2, branch="main")
    wait_for(lambda: any(name.startswith("tmp_pack") for name in bench.left()), "a part of a pack")
    bench.pace(how)
    if how == "cut":    # ... and the server is there again at once
        wait_for(lambda: not any(name.startswith("tmp_pack") for name in bench.left()), "the end of it")
        bench.pace(FAST)
    answer = answer_of(runner, 2)
    assert answer["status"] == 69, answer.body
    assert (bench.mirror() / "mark").exists() and bench.left() == []
    bench.pace(FAST)
    ask(runner, 3, branch="main")
    assert answer_of(runner, 3)["status"] == 0
    assert (bench.mirror() / "mark").exists()


def test_who_waits_for_the_lock_counts_the_holders_progress(bench):
    head = bench.grow(3)
    bench.pace(400_000)
    runner = bench.asker(stall_s=2)
    ask(runner, 1, branch="main")
    wait_for(lambda: bench.mirror() and bench.left(), "a fetch")
    ask(runner, 2, branch="main", progress=1)
    first, second = answer_of(runner, 1), answer_of(runner, 2)
    assert (first["status"], second["status"]) == (0, 0), second.body
    assert dict(lines(second))["commit"] == head
    assert any("receiving objects" in said["text"] for said in runner.heard if said.kind == "progress")


def test_a_slow_fetch_holds_up_neither_heads_nor_who_asks_for_what_is_there(bench):
    old = bench.grow(0.1)
    runner = bench.asker(stall_s=20)
    ask(runner, 1, branch="main")
    assert answer_of(runner, 1)["status"] == 0
    new = bench.grow(3)
    bench.pace(100_000)
    ask(runner, 2, branch="main")
    wait_for(lambda: any(name.startswith("tmp_pack") for name in bench.left()), "a fetch")
    ask(runner, 3, ref=old[:9], branch="main")
    answer = answer_of(runner, 3, 5)
    assert answer["status"] == 0 and dict(lines(answer))["commit"] == old
    runner.send("ask", id=4, question="heads", branches="main")
    assert ("head", f"{new} main") in lines(answer_of(runner, 4, 5))
    bench.pace(FAST)
    assert dict(lines(answer_of(runner, 2)))["commit"] == new


def test_two_repositories_are_asked_side_by_side(bench, tmp_path):
    bench.grow(3)
    other = Repository(tmp_path / "other")
    head = other.commit("Small")
    settings = tmp_path / "settings"
    settings.write_text(f"REPOSITORY_URL={bench.url()}\n")
    settings.chmod(0o600)
    runner = bench.asker(stall_s=20, more=("--env-file", str(settings)), REPOSITORY_URL=None)
    bench.pace(100_000)
    ask(runner, 1, branch="main")
    wait_for(lambda: bench.mirror() and bench.left(), "a fetch")
    settings.write_text(f"REPOSITORY_URL={other.path}\n")
    ask(runner, 2, branch="main")
    assert dict(lines(answer_of(runner, 2, 10)))["commit"] == head
    bench.pace(FAST)
    assert answer_of(runner, 1)["status"] == 0


def test_a_runs_fetch_is_not_taken_from_its_deadline(bench):
    bench.grow(0.1)
    commit = bench.grow(3)
    bench.pace(600_000)
    runner = bench.asker(stall_s=3)
    supervisor = runner.start(1, argument=commit, deployment=1, deadline_s=3)
    record = supervisor.exit(seconds=60)
    log = (bench.state / "runs" / "1" / "log").read_text()
    assert not record["timed_out"] and "git fetch" in record.names, log
    assert record["status"] == 65, "behind the fetch there is nothing to build: " + log


def test_a_run_that_hangs_behind_its_fetch_is_ended_by_its_deadline(bench):
    words = 'echo "==> git fetch"; echo "==> build"; sleep 60'
    runner = bench.runner(arguments=("--scripts", str(scripts_that(bench, words))))
    record = runner.start(1, argument="a" * 40, deployment=1, deadline_s=2).exit(seconds=30)
    assert record["timed_out"]


def test_a_run_that_fetches_for_ever_is_ended_by_the_last_bound(bench):
    runner = bench.runner(arguments=("--scripts", str(scripts_that(bench, 'echo "==> git fetch"; sleep 60'))),
                          FETCH_TIMEOUT_SECONDS="3")
    began = time.monotonic()
    record = runner.start(1, argument="a" * 40, deployment=1, deadline_s=1).exit(seconds=30)
    assert record["timed_out"] and time.monotonic() - began > 3


@pytest.mark.parametrize("settings, before, in_time", [
    ({"MIGRATE_COMMAND": "bin/migrate"}, "", True), ({}, "", False),
    ({"MIGRATE_COMMAND": "bin/migrate"}, 'echo "==> release"; ', False)])
@pytest.mark.parametrize("step", ["migrate", "wait for a migration"])
def test_a_migration_has_a_time_of_its_own_where_there_is_one(bench, settings, before, in_time, step):
    words = before + f'echo "==> {step}"; sleep 3; echo "==> migrated"'
    runner = bench.runner(arguments=("--scripts", str(scripts_that(bench, words))), **settings)
    record = runner.start(1, argument="a" * 40, deployment=1, deadline_s=1).exit(seconds=30)
    assert record["timed_out"] != in_time


def test_what_hangs_behind_its_migration_is_ended_by_its_deadline(bench):
    words = 'echo "==> migrate"; echo "==> migrated"; sleep 60'
    runner = bench.runner(arguments=("--scripts", str(scripts_that(bench, words))), MIGRATE_COMMAND="bin/migrate")
    record = runner.start(1, argument="a" * 40, deployment=1, deadline_s=2).exit(seconds=30)
    assert record["timed_out"]


def scripts_that(bench, words):
    folder = bench.path / "own"
    folder.mkdir(exist_ok=True)
    for name in ("deploy.sh", "rollback.sh", "commits.sh"):
        (folder / name).write_text(f"#!/bin/bash\n{words}\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_push_that_is_not_in_the_repository_is_said_to_be_missing(bench):
    head = bench.repository.commit("One")
    runner = bench.asker(REPOSITORY_URL=str(bench.repository.path))
    for number, after, lacks in ((1, head, "0"), (2, "f" * 40, "1")):
        ask(runner, number, branch="main", after=after)
        assert dict(lines(answer_of(runner, number)))["lacks_after"] == lacks
    ask(runner, 3, branch="main")
    assert "lacks_after" not in dict(lines(answer_of(runner, 3)))


def test_by_hand_a_fetch_that_was_cut_says_so(bench):
    bench.grow(3)
    bench.pace(0)
    done = subprocess.run(
        [os.path.join(DEPLOY, "commits.sh"), "commits", "", "main", "", ""],
        capture_output=True, text=True, check=False,
        env={"PATH": f"{bench.bin}:{os.environ['PATH']}", "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
             "DEPLOYBOT_RUNNER": PROGRAM, "REPOSITORY_URL": bench.url(), "SLOW_GIT": str(bench.slow),
             "FETCH_STALL_SECONDS": "1"})
    assert done.returncode == 69 and "error fatal: git fetch made no progress for 1 s\n" in done.stdout
    assert bench.left() == [] and git(bench.mirror(), "for-each-ref") == ""
