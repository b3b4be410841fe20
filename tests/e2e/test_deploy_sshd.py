"""Goal: a real ssh and a real sshd: one connection to a host for a run, also through others, and why there is none."""
# SPDX-License-Identifier: ISC
import os
import signal
import subprocess

import pytest

from commands_aid import private_folders
from runner_client import ROOT, is_alive, wait_for
from ssh_aid import TUNNEL, SshdBench, until_at_rest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshdBench(tmp_path, tools_folder))


@pytest.mark.long
def test_a_run_makes_one_connection_to_each_host(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said
    assert bench.sshd.connections() == 2 and not bench.shared() and not private_folders(bench)
    assert bench.runs("h2")[0][1] == "running"


@pytest.mark.long
def test_calls_without_a_shared_connection_each_have_their_own(bench):
    """As on a host that allows no further session in it."""
    config = bench.sshd.path / "sshd_config"
    config.write_text("MaxSessions 1\n" + config.read_text())
    os.kill(bench.sshd.process.pid, signal.SIGHUP)
    wait_for(lambda: bench.sshd.said().count("Server listening on") == 4, "sshd to read its file anew", 60)
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and bench.sshd.connections() > 4, said


def test_a_path_too_long_for_a_socket_is_done_without(bench):
    script = (f'. {ROOT}/deploy/common.sh; . {ROOT}/deploy/transports/ssh/connect.sh\n'
              'for size in "$2" "$3"; do\n'
              'ssh_folder=$1/$(printf %0"${size}d"); mkdir "$ssh_folder"; ssh_begin_sharing\n'
              'echo "$ssh_shares $(printf %s/c999 "$ssh_folder" | wc -c)"; done')
    root = bench.path.parent.parent     # short
    room = 80 - len(f"{root}//c999")
    done = subprocess.run(["/bin/bash", "-c", script, "x", root, str(room), str(room + 1)], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout.splitlines() == ["yes 80", "no 81"], done
    assert "each call connects anew" in done.stderr and "more than 80 bytes" in done.stderr


@pytest.mark.parametrize("says,status", [
    ("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 255", 255),      # before it hangs up
    ("exec tr '\\0' x </dev/zero", 0),                                # a line without an end: then without it
    ("echo; echo hello; echo up; exec cat", 0)])
def test_what_a_host_says_while_it_is_connected_to_is_bounded(tmp_path, says, status):
    """Regression: stderr went to memory whole, and a line was read until there was no memory left."""
    (tmp_path / "ssh").write_text(f"#!/bin/bash\n{says}\n")
    (tmp_path / "ssh").chmod(0o755)
    script = (f'. {ROOT}/deploy/common.sh; . {ROOT}/deploy/transports/ssh/connect.sh\n'
              'ssh_hosts=(h) ssh_ports=(22) DEPLOY_USER=u ssh_options=() ssh_jump_host=\n'
              'ssh_folder=$(mktemp -d /tmp/XXXXXX); trap \'rm -rf "$ssh_folder"\' EXIT\n'
              'PATH=$1:$PATH; exec {ssh_life}</dev/null; mkfifo "$ssh_folder"/{hold,up.0,up.0.own,up.0.jump}\n'
              'ssh_begin_sharing; ssh_share 0; (ssh_await_master 0); status=$?\n'
              'stat -c "%s" "$ssh_folder/master.0" 2>/dev/null || echo 0; ssh_unshare; exit "$status"')
    done = subprocess.run(["/bin/bash", "-c", script, "x", tmp_path], check=False, timeout=120, capture_output=True,
                          text=True)
    assert done.returncode == status, done.stderr[-300:]
    assert done.stdout.split() == ["65536" if status else "0"] and len(done.stderr) <= 65536


# ---- killed ------------------------------------------------------------------------------------


def hanging_up(bench):
    """A deployment to the first host, hung in `compose up` there: (its process, compose's pid)."""
    _, digest = bench.shipped("one")
    commit, _ = bench.release("two")
    bench.host_plan({"when": ["compose", "up"], "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    return process, bench.until_host_hangs(), digest


@pytest.mark.long
@pytest.mark.first
def test_when_the_shared_connection_is_killed_each_host_puts_itself_in_order(bench):
    bench.environment["STAGING_HOST"] = f"[::1]:{bench.port}"
    process, compose, digest = hanging_up(bench)
    (master, _), = bench.shared().items()
    os.kill(master, signal.SIGKILL)
    assert process.wait(timeout=120) == 70, bench.said()
    assert "cannot be reached" in bench.said()[-1] and not bench.shared()
    assert not bench.is_quiet()     # compose is never cut short by us
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_a_host_whose_script_was_killed_is_not_called_unreachable(bench):
    """ssh ends with 255 then too, without a word."""
    bench.environment["STAGING_HOST"] = f"[::1]:{bench.port}"
    process, compose, _ = hanging_up(bench)
    bench.kill_host(compose)
    assert process.wait(timeout=120) == 70
    says = "::1: deploybot's process there was killed; "
    assert bench.said()[-1].startswith(f"deploy.sh: {says}"), bench.said()
    bench.host_plan({"when": ["docker", "info"], "hang": True})
    process = bench.start("target.sh", "staging", "preflight")
    hung = bench.until_host_hangs()
    bench.kill_host(hung)
    assert process.wait(timeout=120) == 70
    assert bench.said()[-1].startswith(f"target.sh: {says}"), bench.said()
    bench.host_plan()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_shared_connection_ends_with_the_run(bench, number):
    process, compose, digest = hanging_up(bench)
    masters = bench.shared()
    assert sorted(masters.values()) == sorted([bench.port, bench.port_2])
    os.kill(process.pid, number)
    process.wait(timeout=60)
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, masters)), "the connections to end", 60)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


# ---- through others ----------------------------------------------------------------------------


def jump(bench, **settings):
    return {"SSH_JUMP": f"{bench.environment['DEPLOY_USER']}@127.0.0.1:{bench.jump_port}", **settings}


@pytest.mark.long
def test_a_jump_host_leads_to_the_hosts(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **jump(bench))
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said
    assert bench.sshd.connections() == 2 and bench.jump.connections() == 2 and not bench.shared()


@pytest.mark.long
def test_a_command_of_ones_own_leads_to_the_hosts(bench):
    tunnel = bench.bin / "tunnel"
    tunnel.write_text(TUNNEL)
    tunnel.chmod(0o755)
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, SSH_PROXY_COMMAND="tunnel %h %p")
    assert status == 0, said
    calls = (bench.bin / "tunnel.calls").read_text().splitlines()
    assert sorted(calls) == sorted([f"::1 {bench.port}", f"127.0.0.1 {bench.port_2}"])
    tunnel.write_text("#!/bin/bash\necho 'no such instance' >&2; exit 1\n")
    status, said = bench.run("deploy.sh", "staging", commit, SSH_PROXY_COMMAND="tunnel %h %p")
    assert status == 69 and "::1 cannot be reached through SSH_PROXY_COMMAND: no such instance" in "".join(said), said


def test_what_root_on_a_host_prints_is_no_word_on_the_jump_host(bench):
    config = bench.sshd.path / "sshd_config"
    forged = ("kex_exchange_identification: x\\nConnection closed by UNKNOWN port 65535\\n"
              "Host key verification failed.\\n")
    config.write_text(f"ForceCommand printf '{forged}' >&2; exit 255\n{config.read_text()}")
    os.kill(bench.sshd.process.pid, signal.SIGHUP)
    wait_for(lambda: bench.sshd.said().count("Server listening on") == 4, "sshd to read its file anew", 60)
    status, said = bench.run("deploy.sh", "staging", COMMIT, **jump(bench), HOSTS_PARALLEL="1")
    assert status == 69, said
    assert said[-1].startswith("deploy.sh: ::1 cannot be reached: it says: Host key verification failed. (is"), said


@pytest.mark.parametrize("how, status, says", [
    ("unknown", 78, "has no key of [127.0.0.1]:"),
    ("another key", 69, "the jump host 127.0.0.1 shows ANOTHER key: "),
    ("another key of the host", 69, "deploy.sh: ::1 shows ANOTHER key: "),
    pytest.param("shut", 69, "the jump host 127.0.0.1 does not let", marks=pytest.mark.long),
    ("host shut", 69, "deploy.sh: ::1 does not let"),
    pytest.param("down", 69, "the jump host 127.0.0.1 cannot be reached: ssh: connect to host 127.0.0.1 port",
                 marks=pytest.mark.long),
    ("host down", 69, "::1 cannot be reached from the jump host 127.0.0.1: channel 0: open failed"),
    pytest.param("host down, no jump host", 69, "::1 cannot be reached: ssh: connect to host ::1 port",
                 marks=pytest.mark.long),
])
def test_what_keeps_us_from_a_host_is_said_of_the_right_one(bench, how, status, says):
    settings = jump(bench)
    if how == "unknown":
        bench.known.write_text(bench.sshd.known)
    elif how == "another key":
        key = " ".join(bench.sshd.known.split()[1:3])
        bench.known.write_text(f"{bench.sshd.known}{bench.jump.known.split()[0]} {key}\n")
    elif how == "another key of the host":
        key = " ".join(bench.jump.known.split()[1:3])
        places = [line.split()[0] for line in bench.sshd.known.splitlines()]
        bench.known.write_text("".join(f"{place} {key}\n" for place in places) + bench.jump.known)
    elif how == "shut":
        (bench.jump.path / "authorized").write_text("")
    elif how == "host shut":
        (bench.sshd.path / "authorized").write_text("")
    elif how == "down":
        bench.jump.done()
    else:
        bench.sshd.done()
    if how.endswith("no jump host"):
        settings = {}
    found, said = bench.run("deploy.sh", "staging", COMMIT, **settings, HOSTS_PARALLEL="1")
    assert found == status and says in said[-1], said
    assert "release" not in bench.steps()
