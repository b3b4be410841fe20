"""Goal: whatever dies and whatever a script does, a run begins only when told, is witnessed to its
end, and leaves nothing behind that was not left on purpose.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import ctypes
import errno
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runner_client import PROGRAM, ROOT, Bench, encode, is_alive, wait_for  # noqa: E402

@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


def gone(pid):
    wait_for(lambda: not is_alive(pid), f"end of process {pid}")


# ---- beginning ---------------------------------------------------------------------------------


def test_a_run_tells_steps_output_and_its_record(bench):
    runner = bench.runner('echo "==> build"; echo "to $1 at $2"; echo "==> release"; echo oops >&2; exit 0')
    keeper = runner.start(1)
    record = keeper.exit()
    assert record.names == ["build", "release"]
    assert record["gate"] and record["released"] and record["status"] == 0 and not record["signal"]
    assert runner.log(1) == b"==> build\nto staging at 1a2b3c4d5e6f\n==> release\noops\n"
    assert record["log_size"] == len(runner.log(1))
    settled = runner.until("settled")
    assert (settled["id"], settled["state"], settled.names) == (1, "ended", ["build", "release"])


def test_an_id_has_one_keeper(bench):
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
    shut = runner.keeper(1)
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
    keeper = runner.keeper(1)
    leader = keeper.hello["pid"]
    keeper.close()
    gone(leader)
    record = runner.until("settled")
    assert record["state"] == "ended" and not record["gate"] and not record["ended"]
    assert not bench.has_mark("ran")


def test_a_script_does_not_run_when_the_server_dies_before_it_connects(bench):
    runner = bench.runner("echo x >$MARKS/ran")
    assert runner.order(1).kind == "started"
    assert runner.stop() == 0
    wait_for(lambda: not bench.keepers(), "end of the keeper")
    record = bench.runner("exit 0").settle(1)
    assert record["state"] == "ended" and not record["gate"]
    assert not bench.has_mark("ran")


def test_an_end_before_go_leaves_the_gate_shut(bench):
    runner = bench.runner("echo x >$MARKS/ran")
    runner.order(1)
    record = runner.keeper(1).end().exit()
    assert not record["gate"] and record["ended"] and not bench.has_mark("ran")


def test_the_gate_stays_shut_when_the_name_of_its_folder_cannot_be_flushed(bench):
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing: tests/tools/packages.sh test"
    runner = bench.runner("echo x >$MARKS/ran")
    spare = bench.state / "runs" / "spare" / "exit"
    wait_for(lambda: spare.exists() and spare.stat().st_size == 16384, "the spare folder")
    status = pathlib.Path(f"/proc/{runner.process.pid}/status")
    with subprocess.Popen([strace, "-f", "-qq", "-o", bench.path / "calls", "-e", "trace=fsync", "-e",
                           "inject=fsync:error=EIO", "-p", str(runner.process.pid)]) as tracer:
        wait_for(lambda: "TracerPid:\t0\n" not in status.read_text(), "strace")
        assert runner.order(1).kind == "started"
        record = runner.keeper(1).go().exit()
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
    {"deadline_s": 0}, {"deadline_s": 86401}, {"grace_s": 601}, {"ref": "a\x01b"},
    {"program": "commits"}, {"program": "sh"}, {"deployment": -1}])
def test_an_order_with_a_wrong_field_is_refused_and_leaves_nothing(bench, wrong):
    runner = bench.runner("echo x >$MARKS/ran")
    refused = runner.order(1, **wrong)
    assert (refused.kind, refused["why"]) == ("refused", "invalid")
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
    assert b"\nversion 1\n" in ours.recv(1024)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 78 and b"999" in said
    ours.close()


# ---- what a script is given --------------------------------------------------------------------


def test_a_script_has_descriptors_0_1_2_and_no_other(bench):
    runner = bench.runner("exec /usr/bin/python3 -c 'import os; print(sorted(os.listdir(\"/proc/self/fd\")))\n"
                          "for f in (0, 1, 2): print(os.readlink(f\"/proc/self/fd/{f}\"))'")
    runner.start(1).exit()
    lines = runner.log(1).decode().splitlines()
    # os.listdir itself has one open while it reads.
    assert lines[0] == "['0', '1', '2', '3']"
    assert lines[1] == "/dev/null" and lines[2] == lines[3] and lines[2].startswith("pipe:")


def raw_sigaction(number, action):
    """The kernel's own call, for the two signals that libc hides; returns the action before."""
    before = (ctypes.c_ulong * 8)()
    call = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
    assert ctypes.CDLL(None).syscall(call, number, action, before, 8) == 0
    return before


def test_a_script_has_no_blocked_or_ignored_signal(bench):
    """Not even 32 and 33, which libc keeps to itself: a parent may have ignored them."""
    ignored = (ctypes.c_ulong * 8)(int(signal.SIG_IGN))
    before = [(number, raw_sigaction(number, ignored)) for number in (32, 33)]
    try:
        runner = bench.runner("exec grep -E '^Sig(Blk|Ign)' /proc/self/status")
    finally:
        for number, action in before:
            raw_sigaction(number, action)
    runner.start(1).exit()
    assert [line.split()[1] for line in runner.log(1).decode().splitlines()] == ["0" * 16] * 2


def test_a_script_has_a_session_of_its_own_and_a_private_umask(bench):
    runner = bench.runner('read -r stat </proc/self/stat; set -- ${stat##*) }; echo "$$ $3 $4"; umask; pwd')
    runner.start(1).exit()
    lines = runner.log(1).decode().splitlines()
    pid, group, session = lines[0].split()
    assert pid == group == session and lines[1:] == ["0077", "/"]


def test_the_environment_is_minimal_and_a_secret_is_a_file(bench):
    token = "ghp_0123456789abcdefghij"
    runner = bench.runner('env; echo "token=$(cat "$REPOSITORY_TOKEN_FILE")"; '
                          'echo "mode=$(stat -L -c %a "$REPOSITORY_TOKEN_FILE")"', REPOSITORY_TOKEN=token,
                          TELEGRAM_BOT_TOKEN="1:secret-of-the-server", STAGING_PORT="8081",
                          PRODUCTION_PORT="8082", LD_LIBRARY_PATH="/nowhere")
    runner.start(1, previous="9f8e7d6c5b4a", ref="feature/$(id)").exit()
    lines = runner.log(1).decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert env.pop("token") == token and env.pop("mode") == "600"
    assert not any(token in value for value in env.values())
    assert env["REF"] == "feature/$(id)" and env["PREVIOUS_RELEASE"] == "9f8e7d6c5b4a"
    assert env["DEPLOYMENT_ID"] == "7" and env["ENVIRONMENT"] == "staging"
    assert re.fullmatch("1-[0-9a-f]{32}", env["RUN_ID"]) and env["STAGING_PORT"] == "8081"
    assert not {"TELEGRAM_BOT_TOKEN", "PRODUCTION_PORT", "LD_LIBRARY_PATH"} & set(env)


def test_every_setting_of_a_run_is_given_at_once_and_a_truth_is_spelt_one_way(bench):
    table = re.findall(r"^SETTING\((\w+), (\w+), [^\n]*, (OPEN|SECRET), (?:RUNNER|BOTH),$", pathlib.Path(
        ROOT, "runner", "settings.def").read_text(encoding="utf-8"), re.MULTILINE)
    own = {"STATE_DIRECTORY", "DEPLOY_SCRIPT", "ROLLBACK_SCRIPT", "DEPLOY_TIMEOUT_SECONDS", "RUN_LOG_LIMIT"}
    given = {name: "Yes" if kind == "BOOL" else f"x-{name}" for name, kind, _ in table if name not in own}
    runner = bench.runner("env", STAGING_HOST="a,b:22", STAGING_COMPOSE_DIR="/srv/x", STAGING_PORT="1",
                          STAGING_KUBECONFIG="/etc/kube", STAGING_KUBE_NAMESPACE="shop", **given)
    runner.start(1).exit()
    env = dict(line.split("=", 1) for line in runner.log(1).decode().splitlines())
    for name, kind, secrecy in table:
        if name in own - {"STATE_DIRECTORY"}:
            assert name not in env
        elif name not in own:
            assert env.get(name) == (None if secrecy == "SECRET" else "true" if kind == "BOOL" else given[name])
            assert (name + "_FILE" in env) == (secrecy == "SECRET")
    assert (env["STAGING_HOST"], env["STAGING_COMPOSE_DIR"]) == ("a,b:22", "/srv/x")
    assert (env["STAGING_KUBECONFIG"], env["STAGING_KUBE_NAMESPACE"]) == ("/etc/kube", "shop")


def test_a_truth_that_is_none_starts_nothing(bench):
    runner = bench.runner("exit 0", HOSTS_PARALLEL="perhaps")
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "failed")
    assert "HOSTS_PARALLEL is neither true nor false" in refused["text"]


def test_settings_are_read_anew_for_each_order_and_the_environment_wins(bench):
    file = bench.path / "env"
    file.write_text("DEPLOY_USER=first\nDEPLOY_TRANSPORT=file\n")
    runner = bench.runner('echo "$DEPLOY_USER $DEPLOY_TRANSPORT"', arguments=["--env-file", str(file)],
                          DEPLOY_TRANSPORT="local")
    runner.start(1).exit()
    file.write_text("DEPLOY_USER=second\n")
    runner.start(2).exit()
    assert (runner.log(1), runner.log(2)) == (b"first local\n", b"second local\n")


def test_a_runs_files_are_private(bench):
    runner = bench.runner("exit 0")
    runner.start(1).exit()
    folder = runner.folder(1)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in os.listdir(folder)} == {0o600}


# ---- adoption ----------------------------------------------------------------------------------


def test_a_run_goes_on_without_server_and_runner_and_is_adopted(bench):
    """Nothing is lost and nothing is doubled in the log."""
    runner = bench.runner('for i in $(seq 1000); do echo "line $i"; [[ $i -eq 500 ]] && { echo "==> half"; '
                          'echo x >$MARKS/half; until [[ -e $MARKS/on ]]; do sleep 0.01; done; }; done; '
                          'echo "==> release"')
    keeper = runner.start(1)
    bench.mark("half")
    keeper.close()
    runner.kill()
    second = bench.runner("exit 0")
    assert second.settle(1)["state"] == "alive"
    keeper = second.keeper(1)
    assert keeper.hello["gate"] and is_alive(keeper.hello["pid"])
    (bench.marks / "on").write_text("x\n")
    record = keeper.exit()
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
    keeper = runner.start(1)
    until = [keeper.until("step") for _ in range(3)]
    assert [(m.names[0][:12], m["image"]) for m in until[1:]] == [
        ("image sha256", IMAGES[1]), ("release", IMAGES[1])]
    bench.mark("said")
    second = runner.keeper(1)
    assert second.hello["image"] == IMAGES[1]
    (bench.marks / "on").write_text("x\n")
    record = second.exit()
    assert record["image"] == IMAGES[1] and record.names[-1] == "end"
    settled = runner.settle(1)
    assert (settled["state"], settled["image"]) == ("ended", IMAGES[1])


def test_a_lost_run_tells_no_image(bench):
    """Nobody wrote it down; whoever heard its steps knows it."""
    runner = bench.runner(f'echo "==> image {IMAGES[0]}"; echo "==> release"; echo x >$MARKS/said; exec sleep 1000')
    keeper = runner.start(1)
    assert keeper.until("step")["image"] == IMAGES[0]
    bench.mark("said")
    os.kill(bench.keeper_of(keeper.hello["pid"]), signal.SIGKILL)
    settled = runner.until("settled")
    assert (settled["state"], settled["image"]) == ("lost", 0)


def test_the_newest_connection_is_the_server(bench):
    runner = bench.runner("until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    first = runner.start(1)
    second = runner.keeper(1)
    assert first.receive() is None
    (bench.marks / "on").write_text("x\n")
    assert second.exit()["status"] == 0


def test_a_run_that_ended_while_nobody_looked_has_its_record(bench):
    runner = bench.runner('echo "==> release"; echo $$ >$MARKS/pid; exit 5')
    keeper = runner.start(1)
    keeper.close()
    runner.kill()
    wait_for(lambda: not bench.keepers(), "end of the keeper")
    record = bench.runner("exit 0").settle(1)
    assert (record["state"], record["status"], record["released"], record.names) == ("ended", 5, 1, ["release"])


# ---- ending ------------------------------------------------------------------------------------


def test_a_script_that_ignores_term_is_killed_after_the_grace(bench):
    runner = bench.runner("trap '' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    keeper = runner.start(1, grace_s=1)
    bench.mark("pid")
    begun = time.monotonic()
    record = keeper.end().exit()
    assert record["ended"] and record["signal"] == signal.SIGKILL and not record["timed_out"]
    assert 0.9 < time.monotonic() - begun < 10


def test_a_script_that_hears_term_ends_within_the_grace(bench):
    runner = bench.runner("trap 'echo bye; exit 9' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    keeper = runner.start(1, grace_s=60)
    bench.mark("pid")
    record = keeper.end().exit()
    assert record["ended"] and record["status"] == 9
    assert runner.log(1).endswith(b"bye\n")


def test_a_stopped_script_hears_term(bench):
    runner = bench.runner("trap 'exit 9' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.02; done")
    keeper = runner.start(1, grace_s=60)
    os.kill(int(bench.mark("pid")), signal.SIGSTOP)
    assert keeper.end().exit()["status"] == 9


def test_the_deadline_ends_a_run(bench):
    runner = bench.runner("echo $$ >$MARKS/pid; exec sleep 100")
    record = runner.start(1, deadline_s=1).exit()
    assert record["timed_out"] and not record["ended"] and record["signal"] == signal.SIGTERM


def test_a_grandchild_in_another_session_is_ended_with_its_run(bench):
    runner = bench.runner("trap '' TERM; export MARKS; setsid bash -c 'trap \"\" TERM; echo $$ >$MARKS/pid2; "
                          "while :; do sleep 0.05; done' & echo $$ >$MARKS/pid; wait")
    keeper = runner.start(1, grace_s=0)
    grandchild = int(bench.mark("pid2"))
    assert keeper.end().exit()["ended"]
    assert not is_alive(grandchild)


def test_what_a_failed_script_left_is_ended_before_its_record(bench):
    runner = bench.runner("export MARKS; env -i setsid bash -c \"echo \\$\\$ >$MARKS/pid; exec sleep 1000\" & "
                          "until [[ -s $MARKS/pid ]]; do sleep 0.01; done; exit 1")
    record = runner.start(1).exit()
    assert record["status"] == 1 and not record["ended"]
    assert not is_alive(int(bench.mark("pid")))


def test_a_killed_keeper_takes_its_run_with_it_and_only_then_is_it_lost(bench):
    runner = bench.runner("export MARKS; setsid bash -c 'trap \"\" TERM; echo $$ >$MARKS/pid2; "
                          "while :; do sleep 0.05; done' & echo \"==> release\"; echo $$ >$MARKS/pid; wait")
    keeper = runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    os.kill(bench.keeper_of(leader), signal.SIGKILL)
    lost = runner.until("settled")
    assert not is_alive(leader) and not is_alive(orphan)
    assert lost["state"] == "lost" and lost["lost"] and lost["gate"] and lost["released"]
    assert keeper.until("step").names == ["release"] and keeper.until_closed()
    assert runner.settle(1)["state"] == "lost"


def test_a_keeper_killed_while_no_runner_was_there_is_settled_by_the_next(bench):
    runner = bench.runner("export MARKS; setsid bash -c 'echo $$ >$MARKS/pid2; exec sleep 1000' & "
                          "echo $$ >$MARKS/pid; wait")
    runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    keeper = bench.keeper_of(leader)
    runner.kill()
    os.kill(keeper, signal.SIGKILL)
    gone(leader)
    assert is_alive(orphan)
    lost = bench.runner("exit 0").settle(1)
    assert lost["state"] == "lost" and not is_alive(orphan)


def test_what_left_session_and_environment_is_ended_with_its_killed_keeper(bench):
    runner = bench.runner("export MARKS; "
                          "env -i MARKS=$MARKS setsid -f bash -c 'echo $$ >$MARKS/pid2; exec sleep 1000'; "
                          "echo $$ >$MARKS/pid; wait; sleep 1000")
    runner.start(1)
    leader, orphan = int(bench.mark("pid")), int(bench.mark("pid2"))
    with open(f"/proc/{leader}/cgroup", encoding="ascii") as text:
        group = [line.strip()[3:] for line in text if line.startswith("0::")]
    if not group or "/deploybot-run-1-" not in group[0]:
        pytest.skip("no control group may be made here: by root, or in a unit with Delegate=yes")
    os.kill(bench.keeper_of(leader), signal.SIGKILL)
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
            _, start, boot, tag = text.read().split()
        with open(os.path.join(folder, "leader"), "w", encoding="utf-8") as text:
            text.write(f"{bystander.pid} {int(start) - 1} {boot} {tag}\n")
        assert runner.settle(1)["state"] == "lost"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_daemon_left_on_purpose_outlives_keeper_and_runner_without_a_sigpipe(bench):
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
    keepers = bench.keepers()
    assert len(keepers) >= 1  # it reads on
    os.kill(daemon, signal.SIGKILL)
    wait_for(lambda: not bench.keepers(), "end of the keeper")


def test_a_script_that_closes_its_output_is_not_taken_for_ended(bench):
    runner = bench.runner("exec >&- 2>&-; echo $$ >$MARKS/pid; until [[ -e $MARKS/on ]]; do sleep 0.01; done; exit 4")
    keeper = runner.start(1)
    bench.mark("pid")
    (bench.marks / "on").write_text("x\n")
    assert keeper.exit()["status"] == 4


def test_signals_of_a_terminal_do_not_reach_keeper_or_runner(bench):
    runner = bench.runner("echo $$ >$MARKS/pid; until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    keeper = runner.start(1)
    kept_by = bench.keeper_of(int(bench.mark("pid")))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(kept_by, number)
        os.kill(runner.process.pid, number)
    (bench.marks / "on").write_text("x\n")
    assert keeper.exit()["status"] == 0
    assert runner.settle(1)["state"] == "ended"


def test_nothing_is_alive_once_a_run_is_settled_whatever_was_killed(bench):
    """Keeper, runner or both are killed at random moments; afterwards no process has the run's RUN_ID."""
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    script = ("setsid bash -c 'while :; do sleep 0.05; done' &\n"
              "(setsid setsid bash -c 'trap \"\" TERM; while :; do sleep 0.05; done' &)\n"
              "for i in 1 2 3 4 5; do echo \"==> $i\"; sleep 0.01; done; exit 1")
    runner = bench.runner(script)
    for run in range(1, 41):
        assert runner.order(run, grace_s=0).kind == "started"
        keeper = runner.keeper(run)
        kept_by = bench.keeper_of(keeper.hello["pid"])
        keeper.go()
        for _ in range(dice.randrange(6)):
            keeper.receive()
        victims = dice.choice([[kept_by], [runner.process.pid], [kept_by, runner.process.pid]])
        for pid in victims:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        keeper.until_closed()
        if runner.process.pid in victims:
            runner = bench.runner(script)
        runner.send("settle", id=run)
        settled = runner.until("settled")
        while settled["id"] != run or settled["state"] == "alive":
            settled = runner.until("settled")
        assert settled["state"] in ("ended", "lost") and settled["gate"]
        assert bench.with_run_id(run) == []


# ---- output ------------------------------------------------------------------------------------


def test_a_hundred_megabytes_without_newline_are_bounded_in_memory(bench):
    runner = bench.runner("head -c 104857600 /dev/zero; echo $PPID >$MARKS/keeper; "
                          "until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    keeper = runner.start(1)
    kept_by = int(bench.mark("keeper"))
    with open(f"/proc/{kept_by}/status", encoding="utf-8") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
    (bench.marks / "on").write_text("x\n")
    assert keeper.exit()["log_size"] == 104857600
    assert peak < 8192
    assert sum(message.kind == "grew" for message in keeper.skipped) < 600


def test_the_log_ends_at_its_limit_and_the_run_does_not(bench):
    runner = bench.runner("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '==> release'; exit 0",
                          RUN_LOG_LIMIT="1M")
    record = runner.start(1).exit()
    assert record["status"] == 0 and record["released"] and record.names == ["release"]
    log = runner.log(1)
    assert log[:1048576] == b"x" * 1048576
    assert b"RUN_LOG_LIMIT" in log[1048576:] and len(log) < 1048576 + 300


def test_64_steps_are_told_and_release_always(bench):
    runner = bench.runner("for i in $(seq 100); do echo \"==> step $i\"; done; echo '==> no-rollback'; "
                          "echo '==> release'; echo '==> release'")
    record = runner.start(1).exit()
    assert record.names == [f"step {i}" for i in range(1, 65)] + ["no-rollback", "release"]
    assert record["released"] and record["no_rollback"]


def test_what_others_wrote_is_no_step(bench):
    """An application's last words, or a recipe's output, say nothing of what may be gone back to."""
    runner = bench.runner("echo '==> quote a1'; echo '==> release'; echo '==> no-rollback'; echo '==> unquote a2'; "
                          "echo '==> build'; printf '\\n==> unquote a1\\n==> push\\n'; exit 65")
    record = runner.start(1).exit()
    assert record.names == ["push"] and not record["released"] and not record["no_rollback"]
    runner = bench.runner("echo '==> release'; echo '==> no-rollback'; exit 70")
    record = runner.start(2).exit()
    assert record.names == ["release"] and not record["no_rollback"]


def test_odd_step_lines_are_cut_and_cleaned(bench):
    runner = bench.runner(r"printf '==> a\x1b[31mred\x07  \r\n==>\n==> \nx==> no\n ==> no\n==> %070d\n==> last' 1")
    assert runner.start(1).exit().names == ["a[31mred", "0" * 47]


def test_a_full_disk_under_the_log_does_not_fail_the_run(bench):
    """FAULTS, spike: a good script was killed by SIGPIPE because its log did not fit."""
    mount = bench.path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)],
                      stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        bench.state = mount
        runner = bench.runner("head -c 9000000 /dev/zero | tr '\\0' y; echo; echo '==> release'; exit 0")
        record = runner.start(1).exit()
        assert record["status"] == 0 and record["released"]
        assert b"The run goes on" in runner.log(1)[-200:]
        runner.stop()
        wait_for(lambda: not bench.keepers(), "end of the keeper")
    finally:
        bench.done()
        subprocess.run(["umount", "-l", str(mount)], check=True)


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
        size = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
    libraries = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
    if "asan" in libraries:
        pytest.skip("sanitizers are not small")
    assert size <= 2048
    assert re.findall(r"(\S+)\.so\.\S+ =>", libraries) == ["libc"]
