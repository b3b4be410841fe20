"""Goal: what a killed supervisor leaves is ended, also where no control group may be made, and nothing else is;
where that cannot be said, the record does not claim it.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

import namespace_aid
from runner_client import PROGRAM, Bench, gone, is_alive, wait_for

WITHOUT_GROUPS = f"""#!/bin/sh
exec {" ".join(namespace_aid.MOUNTS)} sh -c '
  awk "\\$3 == \\"cgroup2\\" {{ print \\$2 }}" /proc/self/mounts | xargs -r -n 1 umount -l
  exec "$0" "$@"' {PROGRAM} "$@"
"""
# As the transport local starts an application: without our variables, in a session of its own.
SCRIPT = """
env -i LEFT=$MARKS/pid_left_$1 setsid bash -c 'echo $$ >$LEFT; exec sleep 1000' >/dev/null 2>&1 &
until [[ -s $MARKS/pid_left_$1 ]]; do sleep 0.01; done
if [[ $1 == production ]]; then exit 0; fi
echo "==> release"
echo $$ >$MARKS/pid_$1
wait
"""


@pytest.fixture
def bench(tmp_path):
    namespace_aid.need(*namespace_aid.MOUNTS)
    made = Bench(tmp_path)
    program = tmp_path / "without-groups"
    program.write_text(WITHOUT_GROUPS)
    program.chmod(0o755)
    made.program = str(program)
    yield made
    made.done()


def release_of_production(bench, runner, run=1):
    """What serves since an earlier run, whose supervisor has gone: a child of the runner's."""
    supervisor = runner.start(run, environment="production")
    assert supervisor.exit()["status"] == 0
    supervisor.close()
    assert runner.until("settled")["state"] == "ended"
    left = int(bench.mark("pid_left_production"))
    wait_for(lambda: bench.supervisor_of(left) == runner.hello["pid"], "the runner's child")
    return left


def begin(bench, runner, run, name):
    runner.start(run, environment=name)
    script, left = int(bench.mark(f"pid_{name}")), int(bench.mark(f"pid_left_{name}"))
    with open(f"/proc/{script}/cgroup", encoding="ascii") as text:
        assert "deploybot-run" not in text.read(), "this is about runs without a group"
    return bench.supervisor_of(script), script, left


def test_what_left_session_and_environment_is_ended_and_an_earlier_release_serves_on(bench):
    runner = bench.runner(SCRIPT)
    serving = release_of_production(bench, runner)
    supervisor, script, left = begin(bench, runner, 2, "staging")
    os.kill(supervisor, signal.SIGKILL)
    lost = runner.until("settled")
    assert lost["state"] == "lost" and lost["lost"] and not lost["unswept"]
    assert not is_alive(script) and not is_alive(left), "beside which a rollback would begin"
    assert is_alive(serving)


def test_after_a_restart_of_the_runner_it_is_not_claimed_that_all_was_ended(bench):
    runner = bench.runner(SCRIPT)
    supervisor, script, left = begin(bench, runner, 2, "staging")
    runner.kill()
    runner = bench.runner(SCRIPT)
    assert runner.settle(2)["state"] == "alive"
    os.kill(supervisor, signal.SIGKILL)
    lost = runner.until("settled")
    assert lost["state"] == "lost" and lost["unswept"]
    assert runner.settle(2)["unswept"], "the record says so too"
    assert not is_alive(script) and is_alive(left)


def test_of_two_that_die_between_two_looks_neither_is_said_to_be_swept(bench):
    runner = bench.runner(SCRIPT)
    serving = release_of_production(bench, runner)
    first, *ones = begin(bench, runner, 2, "staging")
    second, *others = begin(bench, runner, 3, "testing")
    os.kill(runner.hello["pid"], signal.SIGSTOP)
    for supervisor in (first, second):
        os.kill(supervisor, signal.SIGKILL)
    for script in (ones[0], others[0]):
        gone(script)
    os.kill(runner.hello["pid"], signal.SIGCONT)
    lost = [runner.until("settled"), runner.until("settled")]
    assert {one["id"] for one in lost} == {2, 3}
    assert all(one["state"] == "lost" and one["unswept"] for one in lost)
    assert is_alive(ones[1]) and is_alive(others[1]) and is_alive(serving)


def test_a_script_goes_before_its_supervisor_where_memory_is_short_and_what_it_leaves_does_not(bench):
    def score(pid):
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as text:
            return int(text.read())

    runner = bench.runner(SCRIPT)
    serving = release_of_production(bench, runner)
    supervisor, script, left = begin(bench, runner, 2, "staging")
    ours = score(supervisor)
    assert ours == score(runner.hello["pid"]) == score(serving)
    assert score(script) == score(left) == min(1000, ours + 300)


def test_an_application_that_was_released_meanwhile_serves_on(bench):
    runner = bench.runner(SCRIPT)
    supervisor, _, left = begin(bench, runner, 2, "staging")
    serving = release_of_production(bench, runner, 3)     # begun later, and known when it was left
    os.kill(supervisor, signal.SIGKILL)
    lost = runner.until("settled")
    assert lost["state"] == "lost" and not lost["unswept"]
    assert not is_alive(left) and is_alive(serving)


def test_what_an_earlier_application_leaves_meanwhile_is_not_taken_for_the_runs(bench):
    runner = bench.runner(SCRIPT.replace("exec sleep", "setsid sleep 1000 & echo $! >${LEFT}_worker; sleep"))
    serving = release_of_production(bench, runner)
    worker = int(bench.mark("pid_left_production_worker"))
    supervisor, _, left = begin(bench, runner, 2, "staging")
    os.kill(serving, signal.SIGKILL)
    wait_for(lambda: bench.supervisor_of(worker) == runner.hello["pid"], "the runner's child")
    os.kill(supervisor, signal.SIGKILL)
    assert runner.until("settled")["state"] == "lost"
    assert not is_alive(left) and not is_alive(int(bench.mark("pid_left_staging_worker")))
    assert is_alive(worker)
