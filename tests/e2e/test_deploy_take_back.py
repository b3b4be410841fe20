"""Goal: what a host puts back by itself is named as what it is, also in a rollback, where that is the newer release;
and what it takes away for it gets its time to end."""
# SPDX-License-Identifier: ISC
import subprocess

import pytest

from runner_client import ROOT, wait_for
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest
from systemd_aid import SystemdBench

OTHERS = """  worker:
    image: ${DEPLOY_IMAGE}
    restart: always
  scheduler:
    image: ${DEPLOY_IMAGE}
"""


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"), COMPOSE + OTHERS)


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"), COMPOSE + PORTS + OTHERS)


@pytest.fixture
def units(tmp_path, tools_folder):
    yield from until_at_rest(SystemdBench(tmp_path, tools_folder))


def ends(bench, service, digest):  # pylint: disable=redefined-outer-name
    bench.change_engine(ends={f"{service} {bench.image}@{digest}": 3} if service else {})


def running(bench, project="app"):  # pylint: disable=redefined-outer-name
    """{service: digest} of what runs of a compose project."""
    return {box["labels"]["service"]: box["of"].partition("@")[2] for box in bench.engine()["containers"]
            if box["labels"]["project"] == project and box["status"] == "running"}


# ---- what is said ------------------------------------------------------------------------------


REPLACED = "the release that it was to replace"


@pytest.mark.long
def test_a_rollback_that_fails_says_which_release_runs(bench):
    """Regression: "the earlier release runs again" was said of the newer one, which was to be left."""
    (old, one), (_, two) = bench.shipped("one"), bench.shipped("two")
    ends(bench, "app", one)
    status, said = bench.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 70 and said[-1].endswith(
        f": the release to roll back to ({old[:12]}) does not run: the application ended with status 3 as soon as it "
        f"was started; {REPLACED} runs again"), said
    assert any(line.endswith(f": rolling back to {REPLACED}") for line in said), said
    assert running(bench) == {"app": two, "worker": two, "scheduler": two}
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_what_ran_before_deploybot_is_called_so_where_it_does_not_run(bench):
    bench.by_hand()
    bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous target:")]
    bench.change_engine(ends={f"app deploybot-before:{word.removeprefix('target:')}": 3})
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 70 and ": what ran before deploybot does not run: " in said[-1], said
    assert said[-1].endswith(f"; {REPLACED} runs again"), said


@pytest.mark.long
def test_bluegreen_says_of_a_rollback_that_fails_which_release_serves(pair):
    (old, one), (_, two) = pair.shipped("one"), pair.shipped("two")
    ends(pair, "scheduler", one)
    status, said = pair.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 70 and said[-1].endswith(f"; {REPLACED} serves still"), said
    assert pair.serves() == two and running(pair) == {"worker": two, "scheduler": two}


@pytest.mark.long
def test_bluegreen_says_which_release_does_not_start(pair):
    (old, one), (_, two) = pair.shipped("one"), pair.shipped("two")
    assert pair.run("drain.sh", "staging", DRAIN_SECONDS="1", DEPLOYMENT_ID=None)[0] == 0 and not pair.port_of(one)
    pair.set_health(one, "unhealthy")
    status, said = pair.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 70 and said[-1].endswith(
        f": the release to roll back to ({old[:12]}) does not run: the container's health check fails"), said
    assert pair.serves() == two


@pytest.mark.long
def test_units_say_of_a_rollback_that_fails_which_release_runs(units):
    old, new = units.shipped_app(), units.shipped_app()
    for folder in (units.app / "releases").glob(f"*-{old}"):
        (folder / "app").write_text("ends 3")
    status, said = units.run("rollback.sh", "staging", old)
    assert status == 70 and f": the release to roll back to ({old[:12]}) does not run: " in said[-1], said
    assert said[-1].endswith(f"; {REPLACED} runs again") and units.runs() == ("active", new), said


@pytest.mark.long
def test_what_a_killed_rollback_was_to_leave_is_no_earlier_release_to_whoever_puts_it_back(bench):
    """The next act is a deployment; the note of what ran says what that one was."""
    (old, one), (_, two) = bench.shipped("one"), bench.shipped("two")
    commit, three = bench.release("three")
    bench.change_engine(halts=True)
    process = bench.start("rollback.sh", "staging", f"{old}@{one}")
    bench.kill_host(bench.until_host_hangs())
    assert process.wait(timeout=120) == 70
    assert ["app" in running(bench), running(bench)["worker"]] == [False, two]
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and any(line.endswith(f": rolling back to {REPLACED}") for line in said), said
    assert running(bench) == {"app": three, "worker": three, "scheduler": three}


@pytest.mark.parametrize("act, barred, says", [
    ("deploy", "no", "rolled back"), ("deploy", "yes", "left as it was then"), ("rollback", "no", "undone")])
def test_what_becomes_of_a_rollback_that_loses_its_host_is_not_called_rolled_back(tmp_path, act, barred, says):
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'act=$1 barred=$2; ssh_unknown " h1"')
    done = subprocess.run(["/bin/bash", "-c", script, "x", act, barred], check=True, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.stdout == f"what runs on h1 is not known: a switch that loses us is finished there, or {says}"


# ---- what is taken away ------------------------------------------------------------------------


def stops(bench):  # pylint: disable=redefined-outer-name
    return [call[1:] for call in bench.host_calls() if call[:2] in (["docker", "stop"], ["docker", "rm"])]


@pytest.mark.long
@pytest.mark.parametrize("of, count", [("bench", 3), ("pair", 2)])
def test_what_was_brought_up_gets_its_time_to_end_all_at_once(request, of, count):
    """Regression: it was killed, in the middle of the requests and jobs that it had taken by then."""
    made = request.getfixturevalue(of)
    _, old = made.shipped("one")
    commit, new = made.release("two")
    ends(made, "scheduler", new)
    before = len(stops(made))
    status, said = made.run("deploy.sh", "staging", commit)
    assert status == 70 and "the service scheduler does not run" in said[-1], said
    assert "killed" not in made.engine()
    stop, remove, *_ = stops(made)[before:]
    assert stop[0] == "stop" and len(stop[1:]) == count and remove == ["rm", "-f", *stop[1:]]
    assert {"worker", "scheduler"} <= {name for name, digest in running(made).items() if digest == old}


@pytest.mark.long
def test_what_does_not_end_in_its_time_is_removed(bench):
    _, old = bench.shipped("one")
    commit, new = bench.release("two")
    ends(bench, "scheduler", new)
    bench.on_host("docker", '[[ $1 != stop ]] || { echo "cannot stop container: permission denied" >&2; exit 1; }')
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("; the earlier release runs again"), said
    assert sorted(bench.engine()["killed"]) == ["app_app_1", "app_worker_1"]
    assert running(bench) == {"app": old, "worker": old, "scheduler": old}


@pytest.mark.long
def test_what_was_about_to_end_when_all_was_killed_is_not_believed_to_run(bench):
    """dockerd goes on with that stop: a deployment of the same commit found it running, and said so."""
    bench.shipped("one")
    commit, new = bench.release("two")
    ends(bench, "scheduler", new)
    bench.host_plan({"when": ["docker", "stop"], "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    bench.kill_host(bench.until_host_hangs())
    assert process.wait(timeout=120) == 70
    assert running(bench) == {"app": new, "worker": new}
    bench.host_plan()
    ends(bench, None, None)
    process = bench.start("deploy.sh", "staging", commit)
    looks = "it may have begun to stop what runs: that is looked at for 13 s, and started again where it ends"
    wait_for(lambda: process.poll() is not None or any(looks in line for line in bench.said()), "the look", 60)
    assert process.poll() is None, bench.said()
    bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])
    assert process.wait(timeout=120) == 0, bench.said()
    assert running(bench) == {"app": new, "worker": new, "scheduler": new}
