"""Goal: whatever dies and whatever a script does, a run begins only when ordered, is adopted by whoever comes next, and
leaves nothing behind that was not left on purpose.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import errno
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from runner_client import PROGRAM, Bench, encode, gone, is_alive, wait_for


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


# ---- beginning ---------------------------------------------------------------------------------


def test_a_run_tells_steps_output_and_its_record(bench):
    runner = bench.runner('echo "==> build"; echo "to $1 at $2"; echo "==> release"; echo oops >&2; exit 0')
    supervisor = runner.start(1)
    record = supervisor.exit()
    assert record.names == ["build", "release"]
    assert record["gate"] and record["released"] and record["status"] == 0 and not record["signal"]
    assert runner.log(1) == b"==> build\nto staging at 1a2b3c4d5e6f\n==> release\noops\n"
    settled = runner.until("settled")
    assert (settled["id"], settled["state"], settled.names) == (1, "ended", ["build", "release"])


def test_an_id_has_one_supervisor(bench):
    runner = bench.runner("exit 3")
    assert runner.start(1).exit()["status"] == 3
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "exists")


def test_the_spare_folder_becomes_one_run_and_an_id_is_given_once(bench):
    runner = bench.runner("exit 3")
    runs = bench.state / "runs"
    spare = runs / "spare" / "exit"
    wait_for(lambda: spare.exists() and spare.stat().st_size == 16384, "the spare folder")
    inode = spare.stat().st_ino
    assert runner.start(1).exit()["status"] == 3
    assert (runs / "1" / "exit").stat().st_ino == inode
    wait_for(spare.exists, "another spare folder")
    assert spare.stat().st_ino != inode
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "exists")
    assert spare.exists() and (runs / "1" / "exit").read_bytes()[:4] == b"exit"


def test_nothing_runs_while_the_gate_is_shut(bench):
    """Others come, run and go in the meantime: a script that did not wait would have run too."""
    runner = bench.runner('echo x >"$MARKS/ran.${RUN_ID%%-*}"')
    assert runner.order(1).kind == "started"
    shut = runner.supervisor(1)
    for run in (2, 3, 4):
        assert runner.start(run).exit()["status"] == 0
        assert bench.has_mark(f"ran.{run}")
    with open(f"/proc/{shut.hello['pid']}/comm", encoding="ascii") as comm:
        assert comm.read().startswith("deploybot-")    # not what it is to become
    assert not bench.has_mark("ran.1")
    shut.close()
    gone(shut.hello["pid"])
    assert not bench.has_mark("ran.1")


def test_a_script_does_not_run_when_the_server_dies_before_go(bench):
    runner = bench.runner("echo x >$MARKS/ran")
    assert runner.order(1).kind == "started"
    supervisor = runner.supervisor(1)
    leader = supervisor.hello["pid"]
    supervisor.close()
    gone(leader)
    record = runner.until("settled")
    assert record["state"] == "ended" and not record["gate"] and not record["ended"]
    assert not bench.has_mark("ran")


def test_a_script_does_not_run_when_the_server_dies_before_it_connects(bench):
    runner = bench.runner("echo x >$MARKS/ran")
    assert runner.order(1).kind == "started"
    assert runner.stop() == 0
    wait_for(lambda: not bench.supervisors(), "end of the supervisor")
    record = bench.runner("exit 0").settle(1)
    assert record["state"] == "ended" and not record["gate"]
    assert not bench.has_mark("ran")


def test_an_end_before_go_leaves_the_gate_shut(bench):
    runner = bench.runner("echo x >$MARKS/ran")
    runner.order(1)
    record = runner.supervisor(1).end().exit()
    assert not record["gate"] and record["ended"] and not bench.has_mark("ran")


def test_the_gate_stays_shut_when_the_name_of_its_folder_cannot_be_flushed(bench):
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing: tests/tools/packages.sh test"
    runner = bench.runner("echo x >$MARKS/ran")
    runs = bench.state / "runs"
    status = pathlib.Path(f"/proc/{runner.process.pid}/status")
    # Only the flush of runs/ itself fails: the spare folder may be in the making just then.
    with subprocess.Popen([strace, "-f", "-qq", "-o", bench.path / "calls", "-e", "trace=fsync", "-P", runs, "-e",
                           "inject=fsync:error=EIO", "-p", str(runner.process.pid)]) as tracer:
        try:
            wait_for(lambda: "TracerPid:\t0\n" not in status.read_text(), "strace")
            assert runner.order(1).kind == "started"
            record = runner.supervisor(1).go().exit()
        finally:
            tracer.terminate()
    assert "(INJECTED)" in (bench.path / "calls").read_text()
    assert not record["gate"] and not record["ended"] and not bench.has_mark("ran")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ETXTBSY])
def test_a_program_that_cannot_be_started_is_told_apart(bench, number):
    runner = bench.runner("exit 0")
    script = bench.path / "script"
    if number == errno.ENOENT:
        script.unlink()
    elif number == errno.EACCES:
        script.chmod(0o644)
    elif number == errno.ENOEXEC:
        script.write_bytes(b"\x00\x01nothing that can be executed")
    writer = script.open("ab") if number == errno.ETXTBSY else None
    record = runner.start(1).exit()
    if writer:
        writer.close()
    assert record["gate"] and record["exec_errno"] == number and record["status"] == 0


@pytest.mark.parametrize("wrong", [
    {"environment": "Staging"}, {"environment": "../x"}, {"argument": "--help"},
    {"argument": "1a2b3c"}, {"argument": "1a2b3c4;id"}, {"previous": "HEAD"},
    {"deadline_s": 0}, {"deadline_s": 90001}, {"grace_s": 601}, {"ref": "a\x01b"},
    {"program": "commits"}, {"program": "sh"}, {"deployment": -1}])
def test_an_order_with_a_wrong_field_is_refused_and_leaves_nothing(bench, wrong):
    runner = bench.runner("echo x >$MARKS/ran")
    refused = runner.order(1, **wrong)
    # What may be a word of an action, and is no release, is found when what it is for is known.
    assert (refused.kind, refused["why"]) == ("refused", "failed" if wrong == {"argument": "1a2b3c"} else "invalid")
    assert os.listdir(bench.state / "runs") == []
    assert runner.settle(1)["state"] == "never"


def test_a_start_that_is_refused_leaves_no_folder(bench):
    runner = bench.runner("exit 0", RUN_LOG_LIMIT="much")
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "failed")
    assert "RUN_LOG_LIMIT" in refused["text"]
    assert os.listdir(bench.state / "runs") == []


def test_a_link_in_the_place_of_a_runs_folder_is_not_followed(bench):
    """Nor one in the place of the spare folder, or of a file in it: nothing is written behind it."""
    behind = bench.path / "behind"
    behind.mkdir()
    runner = bench.runner("echo x >>$MARKS/ran")
    runs = bench.state / "runs"
    (runs / "1").symlink_to(behind)
    assert runner.order(1).kind == "refused"
    assert runner.start(2).exit()["status"] == 0
    wait_for((runs / "spare").exists, "another spare folder")
    runner.stop()
    for path in (runs / "spare").iterdir():
        path.unlink()
    (runs / "spare").rmdir()
    (runs / "spare").symlink_to(behind)
    runner = bench.runner("echo x >>$MARKS/ran")
    assert runner.order(3).kind == "refused"
    assert runner.start(4).exit()["status"] == 0
    assert os.listdir(behind) == [] and bench.mark("ran") == "x\nx"


@pytest.mark.parametrize("where", ["the script", "its folder", "behind a link"])
def test_a_script_that_others_may_write_is_not_started(bench, where):
    """Whoever may write it would be executed as us."""
    folder = bench.path / "own"
    folder.mkdir()
    script = folder / "deploy"
    script.write_text(f"#!/bin/sh\necho x >{bench.marks}/ran\n")
    script.chmod(0o777 if where == "the script" else 0o755)
    named = script
    if where == "behind a link":
        named = bench.path / "link"
        named.symlink_to(script)
    if where != "the script":
        folder.chmod(0o777)
    runner = bench.runner(DEPLOY_SCRIPT=str(named))
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "failed")
    assert "DEPLOY_SCRIPT" in refused["text"] and "may be written by others" in refused["text"]
    folder.chmod(0o755)
    script.chmod(0o755)
    assert runner.start(1).exit()["status"] == 0 and bench.has_mark("ran")


def test_another_version_is_said_and_ends_the_runner(bench):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([PROGRAM, "--fd", str(theirs.fileno()), "--state", str(bench.state)],
                               pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
    theirs.close()
    ours.send(encode("hello", version=999))
    assert b"\nversion 5\n" in ours.recv(1024)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 78 and b"999" in said
    ours.close()


# ---- adoption ----------------------------------------------------------------------------------


def test_a_run_goes_on_without_server_and_runner_and_is_adopted(bench):
    """Nothing is lost and nothing is doubled in the log."""
    runner = bench.runner('for i in $(seq 1000); do echo "line $i"; [[ $i -eq 500 ]] && { echo "==> half"; '
                          'echo x >$MARKS/half; until [[ -e $MARKS/on ]]; do sleep 0.01; done; }; done; '
                          'echo "==> release"')
    supervisor = runner.start(1)
    bench.mark("half")
    supervisor.close()
    runner.kill()
    second = bench.runner("exit 0")
    assert second.settle(1)["state"] == "alive"
    supervisor = second.supervisor(1)
    assert supervisor.hello["gate"] and is_alive(supervisor.hello["pid"])
    (bench.marks / "on").write_text("x\n")
    record = supervisor.exit()
    assert record.names == ["half", "release"] and record["status"] == 0
    expected = [f"line {i}" for i in range(1, 1001)]
    assert [line for line in second.log(1).decode().splitlines() if not line.startswith("==>")] == expected
    settled = second.until("settled")
    assert (settled["id"], settled["state"]) == (1, "ended")


IMAGES = [f"sha256:{digit * 64}" for digit in "abc"]


def test_the_image_that_was_said_last_before_release_is_recorded_and_told(bench):
    runner = bench.runner(f'echo "==> image {IMAGES[0]}"; echo "==> build"; echo "==> image {IMAGES[1]}"; '
                          f'echo "==> image {IMAGES[2]}x"; echo "==> release"; echo "==> image {IMAGES[2]}"; '
                          'echo x >$MARKS/said; until [[ -e $MARKS/on ]]; do sleep 0.01; done; echo "==> end"')
    supervisor = runner.start(1)
    until = [supervisor.until("step") for _ in range(3)]
    assert [(m.names[0][:12], m["image"]) for m in until[1:]] == [
        ("image sha256", IMAGES[1]), ("release", IMAGES[1])]
    bench.mark("said")
    second = runner.supervisor(1)
    assert second.hello["image"] == IMAGES[1]
    (bench.marks / "on").write_text("x\n")
    record = second.exit()
    assert record["image"] == IMAGES[1] and record.names[-1] == "end"
    settled = runner.settle(1)
    assert (settled["state"], settled["image"]) == ("ended", IMAGES[1])


def test_a_lost_run_tells_no_image(bench):
    """Nobody wrote it down; whoever received its steps knows it."""
    runner = bench.runner(f'echo "==> image {IMAGES[0]}"; echo "==> release"; echo x >$MARKS/said; exec sleep 1000')
    supervisor = runner.start(1)
    assert supervisor.until("step")["image"] == IMAGES[0]
    bench.mark("said")
    os.kill(bench.supervisor_of(supervisor.hello["pid"]), signal.SIGKILL)
    settled = runner.until("settled")
    assert (settled["state"], settled["image"]) == ("lost", 0)


def test_the_newest_connection_is_the_server(bench):
    runner = bench.runner("until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    first = runner.start(1)
    second = runner.supervisor(1)
    assert first.receive() is None
    (bench.marks / "on").write_text("x\n")
    assert second.exit()["status"] == 0


def test_a_run_that_ended_while_nobody_looked_has_its_record(bench):
    runner = bench.runner('echo "==> release"; echo $$ >$MARKS/pid; exit 5')
    supervisor = runner.start(1)
    supervisor.close()
    runner.kill()
    wait_for(lambda: not bench.supervisors(), "end of the supervisor")
    record = bench.runner("exit 0").settle(1)
    assert (record["state"], record["status"], record["released"], record.names) == ("ended", 5, 1, ["release"])


# ---- the runner itself -------------------------------------------------------------------------


def test_a_state_directory_with_a_long_path_is_fine(bench):
    bench.state = bench.path / ("d" * 100) / ("e" * 100)
    bench.state.mkdir(parents=True)
    assert bench.runner("exit 0").start(1).exit()["status"] == 0


def test_a_run_can_be_cancelled_while_another_goes_on(bench):
    runner = bench.runner("echo $$ >$MARKS/pid-$ENVIRONMENT; until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    first, second = runner.start(1), runner.start(2, environment="production")
    bench.mark("pid-staging")
    bench.mark("pid-production")
    assert first.end().exit()["ended"]
    (bench.marks / "on").write_text("x\n")
    assert second.exit()["status"] == 0


def test_the_runner_is_small(bench):
    runner = bench.runner("exit 0")
    with open(f"/proc/{runner.process.pid}/status", encoding="utf-8") as status:
        sizes = {name: int(size) for name, size in re.findall(r"(\w+):\s+(\d+) kB", status.read())}
    libraries = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
    if "asan" in libraries:
        pytest.skip("sanitizers are not small")
    assert sizes["RssAnon"] <= 512 and sizes["VmRSS"] <= 2304, sizes    # some 2 MB: libc's pages come and go
    assert re.findall(r"(\S+)\.so\.\S+ =>", libraries) == ["libc"]
