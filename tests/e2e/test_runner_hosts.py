"""Goal: a run that is for some hosts gets them as a file, what it says of them is kept before it is acknowledged, and
an order for a host that the runner's own settings do not name begins nothing.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from runner_client import Bench, encode, gone, wait_for

HOSTS = b"web1:22\n[::1]:2222\n"
SETTINGS = "STAGING_HOST=Web1,[::0001]:2222,web3\n"
SAYS = """
say() { echo "==> host $*"; }
await() { read -r -u "$HOST_ACKS" name && [[ $name == "$1" ]]; }
"""


class HostsBench(Bench):
    def __init__(self, path):
        super().__init__(path)
        self.scripts = path / "scripts"
        self.scripts.mkdir()
        self.settings = path / "env"
        self.settings.write_text(SETTINGS)
        self.settings.chmod(0o600)

    def begin(self, script, **env):
        for name in ("deploy.sh", "rollback.sh"):
            (self.scripts / name).write_text(f"#!/bin/bash\nMARKS={self.marks}\n{SAYS}{script}")
            (self.scripts / name).chmod(0o755)
        return self.runner(arguments=["--env-file", str(self.settings), "--scripts", str(self.scripts)], **env)

    def results(self, runner, run):
        with open(os.path.join(runner.folder(run), "results"), encoding="utf-8") as file:
            return file.read().splitlines()[1:]


@pytest.fixture
def bench(tmp_path):
    made = HostsBench(tmp_path)
    yield made
    made.done()


def order(runner, run, hosts=HOSTS, **fields):
    words = {"program": "deploy", "environment": "staging", "argument": "1a2b3c4d5e6f", "deadline_s": 60, "grace_s": 1,
             "deployment": 7, **fields}
    runner.sock.send(encode("run", body=hosts, id=run, **words))
    return runner.until("started", "refused")


def test_the_script_gets_its_hosts_and_which_wave_it_is(bench):
    runner = bench.begin('env | grep -E "^(WAVE|RUN_HOSTS|HOST_ACKS)" | sort >"$MARKS/env"\n'
                         'cat "$RUN_HOSTS" >"$MARKS/hosts"')
    assert order(runner, 1, wave="2/3", failures_max=2).kind == "started"
    assert runner.supervisor(1).go().exit()["status"] == 0
    folder = runner.folder(1)
    assert (bench.marks / "hosts").read_bytes() == HOSTS
    assert (bench.marks / "env").read_text().splitlines() == [
        "HOST_ACKS=3", f"RUN_HOSTS={folder}/hosts", "WAVE=2/3", "WAVE_FAILURES_MAX=2"]
    assert b"web1" not in open(os.path.join(folder, "order"), "rb").read()
    assert order(runner, 2, failures_max=0).kind == "started"       # to all of them at once
    assert runner.supervisor(2).go().exit()["status"] == 0
    assert "WAVE=" not in (bench.marks / "env").read_text()


def test_a_run_without_hosts_is_as_it_was(bench):
    runner = bench.begin('env | grep -cE "^(WAVE|RUN_HOSTS|HOST_ACKS)" >"$MARKS/env"; ls -l /proc/$$/fd >"$MARKS/fds"\n'
                         'say web1:22 began')
    said = runner.start(1).exit()
    assert (bench.marks / "env").read_text() == "0\n"
    assert said.names == ["host web1:22 began"] and not os.path.exists(os.path.join(runner.folder(1), "results"))
    assert not os.path.exists(os.path.join(runner.folder(1), "hosts"))
    assert " 3 -> " not in (bench.marks / "fds").read_text()


@pytest.mark.parametrize("hosts,says", [
    (b"web1:22\nweb2:22\n", "the settings of staging name no host web2:22 here: nothing is released to it"),
    (b"web1:2222\n", "the settings of staging name no host web1:2222 here: nothing is released to it"),
    (b"web1:22\nweb1:22\n", "the order has the host web1:22 twice"),
    (b"web1:22\n= 1a2b3c4d\nweb1:22\n", "the order has the host web1:22 twice")])
def test_a_host_that_the_settings_here_do_not_name_is_released_to_by_nobody(bench, hosts, says):
    runner = bench.begin('touch "$MARKS/ran"')
    said = order(runner, 1, hosts)
    assert said.kind == "refused" and said["text"] == says and not os.path.exists(runner.folder(1))
    assert order(runner, 2, b"web3:22\n").kind == "started"


def test_hosts_of_a_file_are_those_that_it_names_now_and_the_script_reads_what_was_checked(bench):
    path = bench.settings.parent / "hosts"
    path.write_text("# two\nWeb1\n[::0001]:2222 # by the door\n", encoding="ascii")
    path.chmod(0o644)
    bench.settings.write_text(f"STAGING_HOSTS_FILE={path}\n")
    runner = bench.begin('cat "$STAGING_HOSTS_FILE" >"$MARKS/hosts"; echo "$STAGING_HOSTS_FILE" >"$MARKS/path"')
    assert order(runner, 1).kind == "started"
    assert runner.supervisor(1).go().exit()["status"] == 0
    assert (bench.marks / "hosts").read_text() == "Web1\n[::0001]:2222"
    assert (bench.marks / "path").read_text().startswith("/proc/")
    said = order(runner, 2, b"web3:22\n")
    assert said.kind == "refused" and said["why"] == "changed"
    assert said["text"] == "the settings of staging name no host web3:22 here: nothing is released to it"
    path.chmod(0o666)
    assert "others may write" in order(runner, 3)["text"]
    path.chmod(0o644)
    bench.settings.write_text(f"STAGING_HOSTS_FILE={path}\n{SETTINGS}")
    assert "STAGING_HOST and STAGING_HOSTS_FILE are both set" in order(runner, 4)["text"]
    bench.settings.write_text(f"STAGING_HOSTS_FILE={path}.gone\n")
    assert order(runner, 5)["text"].startswith("STAGING_HOSTS_FILE: ")


@pytest.mark.parametrize("hosts", [
    b"web1\n", b"Web1:22\n", b"web1:22", b"\n", b"web1:22\n\n", b"-oProxyCommand=x:22\n", b"web1:22 web3:22\n",
    b"= \nweb1:22\n", b"= x\nweb1:22\n", b"= none\n", b"web1:22\n= none\n", b"web1:22\x00\n",
    b"web1:22\n" * 1001,
    b"x" * 300 + b":22\n", b"../web1:22\n"])
def test_what_are_no_hosts_is_refused(bench, hosts):
    runner = bench.begin('touch "$MARKS/ran"')
    assert order(runner, 1, hosts, program="rollback")["why"] == "invalid"
    assert not os.path.exists(runner.folder(1))


def test_neither_an_action_nor_a_script_of_ones_own_has_hosts(bench):
    runner = bench.begin("true", DEPLOY_SCRIPT=bench.script('touch "$MARKS/ran"'))
    said = order(runner, 1)
    assert said.kind == "refused" and "only deploybot's own scripts" in said["text"]
    said = order(runner, 2, program="action", argument="run-job", previous="1a2b3c4d5e6f", ref="job")
    assert said.kind == "refused" and not bench.has_mark("ran")
    assert order(runner, 3, hosts=None, wave="1/2")["text"] == "a wave without hosts"


def test_a_host_that_began_is_acknowledged_and_what_is_said_is_no_step(bench):
    runner = bench.begin("""
        echo "==> release"; say web1:22 began; await web1:22 || exit 1
        say "[::1]:2222" began; await "[::1]:2222" || exit 2
        say web1:22 ok; say "[::1]:2222" failed it does not answer; say web3:22 began; say web1:22 began
        echo "==> switch"; exit 0""")
    assert order(runner, 1).kind == "started"
    supervisor = runner.supervisor(1).go()
    said = supervisor.exit()
    assert said["status"] == 0 and said.names == ["release", "switch"]
    assert bench.results(runner, 1) == ["web1:22 began", "[::1]:2222 began", "web1:22 ok",
                                        "[::1]:2222 failed it does not answer"]
    assert "grew" in [message.kind for message in supervisor.skipped]
    assert b"==> host web1:22 began" in runner.log(1)


def test_a_rollback_in_groups_gets_them_as_they_are(bench):
    groups = b"= 1a2b3c4d\nweb1:22\n= none\n[::1]:2222\n"
    runner = bench.begin('cat "$RUN_HOSTS" >"$MARKS/hosts"; say "[::1]:2222" ok')
    assert order(runner, 1, groups, program="rollback").kind == "started"
    assert runner.supervisor(1).go().exit()["status"] == 0
    assert (bench.marks / "hosts").read_bytes() == groups and bench.results(runner, 1) == ["[::1]:2222 ok"]


def test_a_deployment_gets_what_its_hosts_should_run_and_a_rollback_all_of_them_so_or_none(bench):
    mixed = b"web1:22\n= 1a2b3c4d\n[::1]:2222\n"
    runner = bench.begin('cat "$RUN_HOSTS" >"$MARKS/hosts"; say "[::1]:2222" ok')
    assert order(runner, 1, mixed).kind == "started"
    assert runner.supervisor(1).go().exit()["status"] == 0
    assert (bench.marks / "hosts").read_bytes() == mixed and bench.results(runner, 1) == ["[::1]:2222 ok"]
    for number, program, says in ((2, "rollback", "a rollback has all its hosts in groups, or none"),
                                  (3, "drain", "a drain has no hosts in groups")):
        said = order(runner, number, mixed, program=program)
        assert said.kind == "refused" and said["text"] == says and not os.path.exists(runner.folder(number))


def test_no_server_is_needed_for_it_and_the_next_one_knows_all(bench):
    runner = bench.begin('mkfifo "$MARKS/../on"; say web1:22 began; await web1:22 && echo >"$MARKS/acked"\n'
                         'read -r <"$MARKS/../on"; say web1:22 ok')
    assert order(runner, 1).kind == "started"
    supervisor = runner.supervisor(1).go()
    wait_for(lambda: bench.has_mark("acked"), "its acknowledgement")
    supervisor.close()
    runner.kill()
    with open(bench.path / "on", "w", encoding="ascii") as on:
        on.write("\n")
    wait_for(lambda: bench.results(runner, 1) == ["web1:22 began", "web1:22 ok"], "what it says then")


def test_a_killed_supervisor_leaves_touched_what_began_and_switches_nothing(bench):
    """Between the line and the change: its script dies with it, and what it had said is on disk."""
    runner = bench.begin('echo $$ >"$MARKS/pid"; say web1:22 began\nawait web1:22; echo >"$MARKS/pid2.acked"\n'
                         'sleep 60 & echo $! >"$MARKS/pid3"; wait; touch "$MARKS/switched"')
    assert order(runner, 1).kind == "started"
    runner.supervisor(1).go()
    leader = int(bench.mark("pid"))
    wait_for(lambda: bench.has_mark("pid2.acked"), "its acknowledgement")
    os.kill(bench.supervisor_of(leader), signal.SIGKILL)
    gone(leader)
    assert runner.until("settled")["state"] == "lost"
    assert bench.results(runner, 1) == ["web1:22 began"] and not bench.has_mark("switched")


def test_a_stopped_supervisor_acknowledges_nothing(bench):
    """What was said and is not on disk is not acknowledged, whatever becomes of it then."""
    runner = bench.begin('echo $$ >"$MARKS/pid"; mkfifo "$MARKS/../on"; echo >"$MARKS/pid4.ready"\n'
                         'read -r <"$MARKS/../on"\n'
                         'say web1:22 began; echo >"$MARKS/pid5.said"; await web1:22 && touch "$MARKS/switched"')
    assert order(runner, 1).kind == "started"
    runner.supervisor(1).go()
    leader = int(bench.mark("pid"))
    supervisor = bench.supervisor_of(leader)
    wait_for(lambda: bench.has_mark("pid4.ready"), "the script")
    os.kill(supervisor, signal.SIGSTOP)
    with open(bench.path / "on", "w", encoding="ascii") as on:
        on.write("\n")
    wait_for(lambda: bench.has_mark("pid5.said"), "what it says")
    os.kill(supervisor, signal.SIGKILL)
    gone(leader)
    assert not bench.results(runner, 1) and not bench.has_mark("switched")


def test_hostile_output_is_bounded_and_says_nothing_of_others(bench):
    runner = bench.begin("""
        for ((i = 0; i < 20000; i++)); do echo "==> host web$i:22 began"; echo "==> host web1:22 failed $i"; done
        for ((i = 0; i < 100; i++)); do printf '==> host web1:22 ok\\n==> host web1:22 ok\\r\\n'; done
        printf '==> host web1:22 began \\n==> host web1:22 began\\0\\n==> host web1:22\\n==> host %09999d began\\n' 1
        printf '==> host ../../x:22 began\\n==> host web1:22 o\\033[0mk\\n'""")
    assert order(runner, 1).kind == "started"
    said = runner.supervisor(1).go().exit(seconds=60)
    assert said["status"] == 0 and not said.names
    assert bench.results(runner, 1) == ["web1:22 failed 0", "web1:22 began", "web1:22 ok"]


def test_its_folder_goes_whole(bench):
    runner = bench.begin("say web1:22 ok")
    assert order(runner, 1).kind == "started"
    supervisor = runner.supervisor(1).go()
    supervisor.exit()
    supervisor.until_closed()
    runner.send("forget", id=1)
    assert runner.until("forgotten")["removal"] == "gone" and not os.path.exists(runner.folder(1))
