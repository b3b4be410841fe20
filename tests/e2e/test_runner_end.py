"""Goal: whoever is ended, fails, hides or is killed: a run ends whole, is witnessed once, and only what was left
on purpose lives on.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import os
import random
import signal
import subprocess
import time

import pytest

from runner_client import Bench, gone, is_alive, wait_for
from stage import crash_build


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


def traced(bench, text, end):
    """What the supervisor of a run did to its state, a line for each change, once for those in a row."""
    bench.program = crash_build() / "deploybot-runner"
    if b"DEPLOYBOT_SUPERVISOR_TRACE" not in bench.program.read_bytes():
        pytest.skip("built without CRASH_POINTS=1: its trace goes nowhere")
    trace = bench.path / "trace"
    runner = bench.runner("echo $$ >$MARKS/pid; " + text, DEPLOYBOT_SUPERVISOR_TRACE=str(trace))
    supervisor = runner.start(1, grace_s=0)
    bench.mark("pid")
    (supervisor.end() if end else supervisor).exit()
    wait_for(lambda: trace.read_text().endswith(" on ALONE\n"), "the end of the trace")
    assert b"->" not in runner.log(1)
    lines = trace.read_text().splitlines()
    assert all(line.startswith("run 1: ") for line in lines)
    return [line[7:] for line, before in zip(lines, [None, *lines]) if line != before]


def test_each_change_of_a_supervisors_state_is_traced(bench):
    assert traced(bench, "exit 0", end=False) == [
        "AT_GATE -> AT_GATE on CONNECTED", "AT_GATE -> RUNNING on GO", "RUNNING -> DRAINING on MAIN_OK",
        "DRAINING -> RECORDING on OUTPUT_CLOSED", "RECORDING -> TOLD on RECORDED",
        "TOLD -> TOLD on EXIT_SENT", "TOLD -> TOLD on ALONE"]


def test_a_run_that_is_killed_has_its_escalation_traced(bench):
    assert traced(bench, "trap '' TERM; while :; do sleep 0.02; done", end=True) == [
        "AT_GATE -> AT_GATE on CONNECTED", "AT_GATE -> RUNNING on GO", "RUNNING -> STOPPING on STOP_REQUESTED",
        "STOPPING -> STOPPING on TIME_UP", "STOPPING -> RECORDING on NO_CHILD", "RECORDING -> TOLD on RECORDED",
        "TOLD -> TOLD on EXIT_SENT", "TOLD -> TOLD on ALONE"]


@pytest.mark.parametrize("status", (0, 3))
@pytest.mark.parametrize("end", (False, True))
def test_what_happens_while_the_supervisor_does_not_run_still_ends_the_run(bench, status, end):
    runner = bench.runner(f"echo $$ >$MARKS/pid; while [ ! -e $MARKS/on ]; do sleep 0.02; done; exit {status}")
    server = runner.start(1, grace_s=60)
    script = int(bench.mark("pid"))
    process = bench.supervisor_of(script)
    os.kill(process, signal.SIGSTOP)
    (bench.marks / "on").touch()
    gone(script)    # and with it the last that holds the output
    if end:
        server.end()
    server.close()
    os.kill(process, signal.SIGCONT)
    settled = runner.until("settled")
    assert (settled["state"], settled["gate"], settled["status"]) == ("ended", 1, status)
    assert not settled["timed_out"] and not settled["signal"]
    gone(process)


def test_a_script_that_ignores_term_is_killed_after_the_grace(bench):
    runner = bench.runner("trap '' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    supervisor = runner.start(1, grace_s=1)
    bench.mark("pid")
    begun = time.monotonic()
    record = supervisor.end().exit()
    assert record["ended"] and record["signal"] == signal.SIGKILL and not record["timed_out"]
    assert time.monotonic() - begun > 0.9


def test_a_script_that_hears_term_ends_within_the_grace(bench):
    runner = bench.runner("trap 'echo bye; exit 9' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    supervisor = runner.start(1, grace_s=60)
    bench.mark("pid")
    record = supervisor.end().exit()
    assert record["ended"] and record["status"] == 9
    assert runner.log(1).endswith(b"bye\n")


def test_a_stopped_script_hears_term(bench):
    runner = bench.runner("trap 'exit 9' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    supervisor = runner.start(1, grace_s=60)
    os.kill(int(bench.mark("pid")), signal.SIGSTOP)
    assert supervisor.end().exit()["status"] == 9


def test_the_deadline_ends_a_run(bench):
    runner = bench.runner("echo $$ >$MARKS/pid; exec sleep 100")
    record = runner.start(1, deadline_s=1).exit()
    assert record["timed_out"] and not record["ended"] and record["signal"] == signal.SIGTERM


def test_a_grandchild_in_another_session_is_ended_with_its_run(bench):
    runner = bench.runner("trap '' TERM; export MARKS; setsid bash -c 'trap \"\" TERM; echo $$ >$MARKS/pid2; "
                          "while :; do sleep 0.05; done' & echo $$ >$MARKS/pid; wait")
    supervisor = runner.start(1, grace_s=0)
    grandchild = int(bench.mark("pid2"))
    assert supervisor.end().exit()["ended"]
    assert not is_alive(grandchild)


def test_what_a_failed_script_left_is_ended_before_its_record(bench):
    runner = bench.runner("export MARKS; env -i setsid bash -c \"echo \\$\\$ >$MARKS/pid; exec sleep 1000\" & "
                          "until [[ -s $MARKS/pid ]]; do sleep 0.01; done; exit 1")
    record = runner.start(1).exit()
    assert record["status"] == 1 and not record["ended"]
    assert not is_alive(int(bench.mark("pid")))


def test_a_killed_supervisor_takes_its_run_with_it_and_only_then_is_it_lost(bench):
    runner = bench.runner("export MARKS; setsid bash -c 'trap \"\" TERM; echo $$ >$MARKS/pid2; "
                          "while :; do sleep 0.05; done' & echo \"==> release\"; echo $$ >$MARKS/pid; wait")
    supervisor = runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    os.kill(bench.supervisor_of(leader), signal.SIGKILL)
    lost = runner.until("settled")
    assert not is_alive(leader) and not is_alive(orphan)
    assert lost["state"] == "lost" and lost["lost"] and lost["gate"] and lost["released"]
    assert supervisor.until("step").names == ["release"] and supervisor.until_closed()
    assert runner.settle(1)["state"] == "lost"


def test_a_supervisor_killed_while_no_runner_was_there_is_reconciled_by_the_next(bench):
    runner = bench.runner("export MARKS; setsid bash -c 'echo $$ >$MARKS/pid2; exec sleep 1000' & "
                          "echo $$ >$MARKS/pid; wait")
    runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    supervisor = bench.supervisor_of(leader)
    runner.kill()
    os.kill(supervisor, signal.SIGKILL)
    gone(leader)
    assert is_alive(orphan)
    lost = bench.runner("exit 0").settle(1)
    assert lost["state"] == "lost" and not is_alive(orphan)


def test_what_left_session_and_environment_is_ended_with_its_killed_supervisor(bench):
    runner = bench.runner("export MARKS; "
                          "env -i MARKS=$MARKS setsid -f bash -c 'echo $$ >$MARKS/pid2; exec sleep 1000'; "
                          "echo $$ >$MARKS/pid; wait; sleep 1000")
    runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    with open(f"/proc/{leader}/cgroup", encoding="ascii") as text:
        group = [line.strip()[3:] for line in text if line.startswith("0::")]
    if not group or "/deploybot-run-1-" not in group[0]:
        pytest.skip("no control group may be made here: by root, or in a unit with Delegate=yes")
    os.kill(bench.supervisor_of(leader), signal.SIGKILL)
    assert runner.until("settled")["state"] == "lost"
    assert not is_alive(orphan) and not is_alive(leader)
    with open("/proc/self/mounts", encoding="ascii") as text:
        mounts = [line.split()[1] for line in text if line.split()[2] == "cgroup2"]
    assert not any(os.path.exists(mount + group[0]) for mount in mounts), "an empty group stays"


def test_a_record_that_another_release_wrote_counts_as_lost_and_is_not_waited_for(bench):
    runner = bench.runner("exit 0")
    runner.start(1).exit()
    runner.until("settled")
    record = os.path.join(runner.folder(1), "exit")
    with open(record, "r+b") as text:
        text.write(b"departed\nhow well\n" + bytes(256))
    lost = runner.settle(1)
    assert lost["state"] == "lost" and lost["lost"] and lost["gate"] and lost["released"]
    with open(record, "rb") as text:
        assert text.read(8) == b"departed", "what it wrote stays to be read"


def test_a_recorded_pid_that_is_another_process_now_is_not_signalled(bench):
    """P1: the leader's number was used again."""
    runner = bench.runner("exit 0")
    runner.start(1).exit()
    runner.until("settled")
    folder = runner.folder(1)
    os.unlink(os.path.join(folder, "exit"))
    bystander = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        with open(os.path.join(folder, "leader"), encoding="utf-8") as text:
            _, start, boot, tag, space, _ = text.read().split()
        with open(os.path.join(folder, "leader"), "w", encoding="utf-8") as text:
            text.write(f"{bystander.pid} {int(start) - 1} {boot} {tag} {space}\n")
        assert runner.settle(1)["state"] == "lost"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("same_space", [False, True])
def test_a_recorded_pid_of_a_container_that_is_gone_is_nobody(bench, same_space):
    """P1: in the next one the same small numbers are given again, and the boot is the same."""
    runner = bench.runner("exit 0")
    runner.start(1).exit()
    runner.until("settled")
    folder = runner.folder(1)
    os.unlink(os.path.join(folder, "exit"))
    with subprocess.Popen("sleep 1000 & echo $!; read line", shell=True, start_new_session=True, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leader:
        member = int(leader.stdout.readline())
        with open(f"/proc/{leader.pid}/stat", encoding="ascii") as stat_file:
            start = int(stat_file.read().rsplit(")", 1)[1].split()[19])
        leader.stdin.close()
        leader.wait()       # its session, with the number of its leader, goes on
        with open(os.path.join(folder, "leader"), encoding="utf-8") as text:
            _, _, boot, tag, space, _ = text.read().split()
        with open(os.path.join(folder, "leader"), "w", encoding="utf-8") as text:
            text.write(f"{leader.pid} {start} {boot} {tag} {int(space) if same_space else int(space) + 1}\n")
        try:
            assert runner.settle(1)["state"] == "lost"
            assert is_alive(member) is not same_space
        finally:
            if is_alive(member):
                os.kill(member, signal.SIGKILL)


def test_a_daemon_left_on_purpose_outlives_supervisor_and_runner_without_a_sigpipe(bench):
    runner = bench.runner("export MARKS; env -u RUN_ID setsid bash -c 'trap \"echo x >$MARKS/broken; exit\" PIPE; "
                          "echo $$ >$MARKS/pid; n=0; while :; do echo daemon; n=$((n+1)); echo $n >$MARKS/n.new; "
                          "mv $MARKS/n.new $MARKS/n; sleep 0.01; done' & "
                          "until [[ -s $MARKS/pid ]]; do sleep 0.01; done; exit 0")
    record = runner.start(1).exit()
    assert record["status"] == 0
    daemon = int(bench.mark("pid"))
    size = len(runner.log(1))
    runner.stop()
    before = int(bench.mark("n"))
    wait_for(lambda: int((bench.marks / "n").read_text() or 0) > before + 20, "the daemon's next lines")
    assert is_alive(daemon) and not bench.has_mark("broken")
    with open(os.path.join(runner.folder(1), "log"), "rb") as log:
        assert len(log.read()) == size
    assert bench.runner("exit 0").settle(1)["state"] == "ended"
    supervisors = bench.supervisors()
    assert len(supervisors) >= 1  # it reads on
    os.kill(daemon, signal.SIGKILL)
    wait_for(lambda: not bench.supervisors(), "end of the supervisor")


def test_a_script_that_closes_its_output_is_not_taken_for_ended(bench):
    runner = bench.runner("exec >&- 2>&-; echo $$ >$MARKS/pid; until [[ -e $MARKS/on ]]; do sleep 0.01; done; exit 4")
    supervisor = runner.start(1)
    bench.mark("pid")
    (bench.marks / "on").write_text("x\n")
    assert supervisor.exit()["status"] == 4


def test_signals_of_a_terminal_do_not_reach_supervisor_or_runner(bench):
    runner = bench.runner("echo $$ >$MARKS/pid; until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    supervisor = runner.start(1)
    kept_by = bench.supervisor_of(int(bench.mark("pid")))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(kept_by, number)
        os.kill(runner.process.pid, number)
    (bench.marks / "on").write_text("x\n")
    assert supervisor.exit()["status"] == 0
    assert runner.settle(1)["state"] == "ended"


@pytest.mark.long
def test_nothing_is_alive_once_a_run_is_reconciled_whatever_was_killed(bench):
    """Supervisor, runner or both are killed at random moments; afterwards no process has the run's RUN_ID."""
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    script = ("setsid bash -c 'while :; do sleep 0.05; done' &\n"
              "(setsid setsid bash -c 'trap \"\" TERM; while :; do sleep 0.05; done' &)\n"
              "for i in 1 2 3 4 5; do echo \"==> $i\"; sleep 0.01; done; exit 1")
    runner = bench.runner(script)
    for run in range(1, 41):
        assert runner.order(run, grace_s=0).kind == "started"
        supervisor = runner.supervisor(run)
        kept_by = bench.supervisor_of(supervisor.hello["pid"])
        supervisor.go()
        for _ in range(dice.randrange(6)):
            supervisor.receive()
        victims = dice.choice([[kept_by], [runner.process.pid], [kept_by, runner.process.pid]])
        for pid in victims:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        supervisor.until_closed()
        if runner.process.pid in victims:
            runner = bench.runner(script)
        runner.send("settle", id=run)
        settled = runner.until("settled")
        while settled["id"] != run or settled["state"] == "alive":
            settled = runner.until("settled")
        assert settled["state"] in ("ended", "lost") and settled["gate"]
        assert bench.with_run_id(run) == []
