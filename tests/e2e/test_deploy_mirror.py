"""Goal: the mirror is packed once a day when nothing else is to be done, keeps what was released, and stands in nobody's
way; what a commit needs beside itself is named, refused or fetched."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from runner_client import PROGRAM, is_alive, wait_for
from test_deploy_scripts import DEPLOY, ShippingBench, git, good_app, lines

OLD = time.time() - 100 * 86400
SLOW_GIT = """
for word; do
    if [[ $word == gc && $* == *--prune* ]]; then
        for last in "$STATE_DIRECTORY"/git/*.git; do echo half >"$last/objects/pack/tmp_pack_1"; done
        echo "$$" >$MARKS/gc
        exec sleep 1000
    fi
done
exec /usr/bin/git "$@"
"""


@pytest.fixture
def bench(tmp_path):
    made = ShippingBench(tmp_path)
    yield made
    made.done()


def mirror_of(bench):
    mirror, = (bench.state / "git").glob("*.git")
    return mirror


def loose(bench):
    """How many objects no pack has."""
    return int(git(mirror_of(bench), "count-objects").split()[0])


def maintain(bench, **env):
    return subprocess.run([os.path.join(DEPLOY, "commits.sh"), "maintain"], capture_output=True, text=True, check=False, env={
        "PATH": os.environ["PATH"], "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
        "DEPLOYBOT_RUNNER": PROGRAM, "REPOSITORY_URL": str(bench.repository.path), **env})


def knows(bench, commit):
    return subprocess.run(["git", "cat-file", "-e", commit], cwd=mirror_of(bench), capture_output=True, check=False).returncode == 0


def test_the_mirror_is_packed_when_nothing_else_is_to_be_done_and_once_a_day(bench):
    bench.repository.commit("First", page="1")
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="20000")    # later than this test
    assert runner.ask("commits", branch="main")["status"] == 0
    assert loose(bench) > 0
    runner.stop()
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="24")    # it looks every second
    wait_for(lambda: loose(bench) == 0, "the mirror in one pack")
    stamp = mirror_of(bench).with_suffix(".packed")
    wait_for(stamp.exists, "its day noted")
    runner.stop()
    bench.repository.commit("Second", page="2")
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="86400")
    assert runner.ask("commits", branch="main")["status"] == 0
    assert maintain(bench).stdout == "end\n" and loose(bench) > 0    # not yet
    os.utime(stamp, (OLD, OLD))
    assert maintain(bench, MIRROR_MAINTENANCE_SECONDS="0").returncode == 0 and loose(bench) > 0    # never
    assert maintain(bench).stdout == "end\n" and loose(bench) == 0


def test_what_was_released_is_kept_when_its_branch_was_moved_away(bench):
    base = good_app(bench, "base")
    released = good_app(bench, "released")
    runner = bench.shipper()
    assert bench.ship(runner, released)["status"] == 0
    git(bench.repository.path, "reset", "-q", "--hard", base)
    before = good_app(bench, "released before they were kept")
    assert runner.ask("commits", branch="main")["status"] == 0
    (bench.state / "environments").mkdir(exist_ok=True)
    (bench.state / "environments" / "production.json").write_text(json.dumps({"current": {"commit": before}}))
    git(bench.repository.path, "reset", "-q", "--hard", base)
    never = good_app(bench, "never released")
    assert runner.ask("commits", branch="main")["status"] == 0
    git(bench.repository.path, "reset", "-q", "--hard", base)
    assert runner.ask("commits", branch="main")["status"] == 0
    runner.stop()
    for path in (mirror_of(bench) / "objects").rglob("*"):
        os.utime(path, (OLD, OLD))
    assert maintain(bench).returncode == 0
    assert [knows(bench, commit) for commit in (released, before, never)] == [True, True, False]
    assert dict(lines(bench.shipper().ask("commits", ref=released[:12], branch="main")))["commit"] == released


def slow_runner(bench):
    """One whose packing never ends by itself, begun."""
    scripts, stand_in = bench.path / "deploy", bench.path / "bin"
    shutil.copytree(DEPLOY, scripts)
    stand_in.mkdir()
    (stand_in / "git").write_text(f"#!/bin/bash\nMARKS={bench.marks}\n{SLOW_GIT}")
    (stand_in / "git").chmod(0o755)
    text = (scripts / "commits.sh").read_text()
    (scripts / "commits.sh").write_text(text.replace("set -euo pipefail\n", f"set -euo pipefail\nPATH={stand_in}:$PATH\n", 1))
    runner = bench.runner(arguments=["--scripts", str(scripts)], REPOSITORY_URL=str(bench.repository.path),
                          DEPLOY_TRANSPORT="local", STAGING_PORT=str(bench.port), MIRROR_MAINTENANCE_SECONDS="24")
    assert runner.ask("commits", branch="main")["status"] == 0
    return runner, int(bench.mark("gc"))


@pytest.mark.parametrize("what", ["query", "run"])
def test_packing_ends_when_a_query_or_a_run_comes_and_leaves_nothing_half_done(bench, what):
    head = good_app(bench, "First")
    runner, packing = slow_runner(bench)
    half = mirror_of(bench) / "objects/pack/tmp_pack_1"
    assert half.exists()
    heads = lines(runner.ask("heads", branches="main"))    # that one needs no mirror
    assert heads[0] == ("head", f"{head} main") and is_alive(packing) and half.exists()
    if what == "query":
        assert dict(lines(runner.ask("commits", branch="main")))["commit"] == head
        wait_for(lambda: not half.exists() and not is_alive(packing), "end of the packing")
    else:
        assert bench.ship(runner, head)["status"] == 0
        wait_for(lambda: not half.exists() and not is_alive(packing), "end of the packing")
    assert not mirror_of(bench).with_suffix(".packed").exists()    # it is still to be done
    assert git(mirror_of(bench), "rev-parse", "main") == head


def test_packing_ends_with_its_runner(bench):
    good_app(bench, "First")
    runner, packing = slow_runner(bench)
    runner.stop()
    wait_for(lambda: not is_alive(packing), "end of the packing")


def test_what_the_mirror_takes_is_said_with_each_answer(bench):
    bench.repository.commit("First", page="x" * 100000)
    runner = bench.shipper()
    assert "mirror" not in dict(lines(runner.ask("heads", branches="main")))    # there is none yet
    first = int(dict(lines(runner.ask("commits", branch="main")))["mirror"])
    (pathlib.Path(mirror_of(bench)) / "objects/pack/tmp_pack_1").write_bytes(b"x" * 500000)
    assert int(dict(lines(runner.ask("heads", branches="main")))["mirror"]) >= first + 500000
    assert int(dict(lines(runner.ask("commits", branch="main")))["mirror"]) < first + 500000    # its leftovers are gone
