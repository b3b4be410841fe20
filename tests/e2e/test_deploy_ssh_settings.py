"""Goal: what goes to a host is a secret over stdin or a plain word that was checked; what a host says is bounded."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from commands.recorder import records_in
from commands_aid import DEPLOY, cleans
from runner_client import ROOT
from ssh_aid import SshBench, until_at_rest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PASSWORD = 'pass "word" $(id)'


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


def test_the_registrys_password_reaches_the_host_over_stdin_alone(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    settings = {"REGISTRY_USER": "robot$shop", "REGISTRY_PASSWORD_FILE": str(file)}
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    assert bench.engine()["login"] == ["robot$shop", PASSWORD]
    config = [record["environment"].get("DOCKER_CONFIG")
              for record in records_in(bench.host() / "calls") if "pull" in record.get("words", ())]
    assert config[0].startswith("/dev/shm/deploybot.") and not os.path.exists(config[0])
    assert not any(PASSWORD in line for line in said)
    assert PASSWORD not in json.dumps(bench.calls(), ensure_ascii=False) + (bench.host() / "calls").read_text()


# What a host that is taken over does with whatever comes to it.
LISTENS = """#!/bin/bash
[[ $1 != -s ]] || exec < <(exec tee -a "$STAND/got.$3" 2>/dev/null)
exec -a bash /bin/bash "$@"
"""


@pytest.mark.long
def test_a_host_gets_the_registrys_login_for_a_pull_alone_and_then_the_pulling_one(bench):
    """Regression: it came with every act, to hosts that pulled nothing too, and was the one that pushes."""
    file = bench.host_bin / "bash"
    file.write_text(LISTENS)
    file.chmod(0o755)
    pushes, pulls = "the-one-that-pushes", "the-one-that-pulls"
    settings = {"STAGING_HOST": "h1,h2:2222"}
    for name, word in (("REGISTRY", pushes), ("REGISTRY_PULL", pulls)):
        (bench.path / name).write_text(word)
        (bench.path / name).chmod(0o600)
        settings |= {f"{name}_USER": f"{name.lower()}-robot", f"{name}_PASSWORD_FILE": str(bench.path / name)}
    (commit, _), (later, _) = bench.release("one"), bench.release("two")
    bench.change_world(password=pushes)
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    cleans(bench, "staging", **settings)
    got = {file.name.removeprefix("got."): file.read_text()
           for name in ("h1", "h2") for file in bench.host(name).glob("got.*")}
    assert {"check", "pull", "switch", "clean"} <= set(got) and pulls in got["pull"]
    assert [act for act, text in got.items() if pushes in text or "robot" in text or pulls in text] == ["pull"]
    assert pushes not in got["pull"] and bench.engine()["login"] == ["registry_pull-robot", pulls]
    bench.run("deploy.sh", "staging", later, **{
        name: value for name, value in settings.items() if "PULL" not in name})
    assert bench.engine()["login"] == ["registry-robot", pushes]


@pytest.mark.parametrize("settings,said", [
    pytest.param({"REGISTRY_PULL_USER": "ci"}, "REGISTRY_PULL_USER is set, REGISTRY_PULL_PASSWORD ",
                 marks=pytest.mark.long),
    ({"REGISTRY_PULL_USER": "ci", "REGISTRY_PULL_PASSWORD_FILE": "/nowhere"}, "REGISTRY_PULL_PASSWORD")])
def test_a_pulling_login_without_its_password_reaches_no_host(bench, settings, said):
    status, lines = bench.run("deploy.sh", "staging", bench.release("one")[0], **settings)
    assert status == 78 and said in "\n".join(lines) and not bench.ssh_calls(), lines


@pytest.mark.long
def test_a_host_that_was_taken_out_is_named_once(bench):
    """Regression: its scheduler ran on, and no line named it."""
    bench.shipped("one", STAGING_HOST="h1,h2:2222")
    says = ("==> warning h2 (port 2222) is not in STAGING_HOST any more: what the last release started there runs on, "
            "and no release replaces it: stop it there")
    assert says in bench.run("target.sh", "staging", "preflight")[1]
    bench.shipped("two")
    assert bench.said().count(says) == 1
    assert says not in bench.run("target.sh", "staging", "preflight")[1]


UNKNOWN = "; what runs on h3 is not known: a switch that loses us is finished there, or rolled back"


@pytest.mark.parametrize("act, variables, says", [
    ("deploy", "RUN_ID=", "; switched to the new release on h1: deploy/rollback.sh staging old rolls it back"),
    ("deploy", "RUN_ID= barred=yes",
     "; switched to the new release on h1: deploy/rollback.sh staging old --past rolls it back"),
    ("rollback", "RUN_ID= past=yes",
     "; rolled back on h1: deploy/rollback.sh staging to --past goes on with the others"),
    ("deploy", "RUN_ID=1", "; switched to the new release on h1"), ("rollback", "RUN_ID=1", "; rolled back on h1"),
    ("deploy", "RUN_ID=1 barred=yes ssh_done=() ssh_lost=(2)", UNKNOWN.replace("rolled back", "left as it was then")),
    ("deploy", "RUN_ID=1 ssh_lost=(2)", f"{UNKNOWN}; switched to the new release on h1"),
    ("rollback", "RUN_ID=", "; rolled back on h1: deploy/rollback.sh staging to goes on with the others")])
def test_what_some_hosts_run_behind_a_switch_that_failed_is_said_as_it_is(tmp_path, act, variables, says):
    """Regression: behind a rollback that failed, the command named would have brought the bad release back.  And people
    were told to roll back beside the server, which did."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'act=$1 environment=staging release=to PREVIOUS_RELEASE=old barred=no ssh_hosts=(h1 h2 h3) ssh_done=(0)\n'
              f'ssh_status=69 ssh_said=down; {variables}; ssh_switch_failed')
    done = subprocess.run(["/bin/bash", "-c", script, "x", act], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (70, f"x: down{says}\n")


@pytest.mark.parametrize("state, says", [
    ("ssh_switches=no", ""), ("ssh_done=() ssh_begun=([0]=0)", f"it runs on no host yet{UNKNOWN.replace('h3', 'h1')}"),
    ("ssh_done=(0 1) ssh_begun=([0]=0 [1]=1)", "it runs on h1 h2"),
    ("ssh_done=(0) ssh_begun=([0]=0) ssh_lost=(2)", f"it runs on h1{UNKNOWN}")])
def test_where_a_release_runs_that_is_ended_in_its_switch_is_known(tmp_path, state, says):
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              f'ssh_hosts=(h1 h2 h3) barred=no ssh_switches=yes ssh_lost=(); {state}; transport_reached')
    done = subprocess.run(["/bin/bash", "-c", script, "x"], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, says), done


def test_a_host_that_lost_us_while_it_started_is_tidied_or_named(tmp_path):
    """Regression: what it had started beside what serves ran on unsaid."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'act=deploy environment=staging ssh_hosts=(h1 h2 h3) ssh_common=() RUN_ID=1 ssh_started=()\n'
              'SSH_START_SECONDS=1\n'
              'ssh_everywhere() { echo "$2 on ${ssh_only[*]}"; ssh_done=(0) ssh_lost=(2) ssh_status=69 '
              'ssh_said="h3: down"; return 69; }\n'
              'trap on_exit EXIT; ssh_start')
    done = subprocess.run(["/bin/bash", "-c", script, "x"], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 69 and done.stdout.splitlines() == ["==> start", "start on 0 1 2", "tidy on 0 2"], done
    assert "==> warning h3: down; what was started there may run on beside what serves, until the next" in done.stderr


@pytest.mark.parametrize("seconds", ["0", "08", "00009", "14"])
def test_whatever_number_a_host_says_it_drains_the_next_look_is_to_come(tmp_path, seconds):
    """Regression: bash read 08 as an octal number, and the drain of all hosts was over."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'ssh_everywhere() { printf "draining %s\\n" "$seconds" >"$ssh_folder/out.0"; mkfifo "$ssh_pipes.in"; }\n'
              'ssh_folder=$1 ssh_pipes=$1/5.1. seconds=$2 ssh_hosts=(h)\n'
              'ssh_common=() ssh_still=() ssh_pause=5 DRAIN_SECONDS=10\n'
              'look() { ssh_look 0 7 "$SECONDS"; }; look; echo "${ssh_still[*]} $ssh_pause"')
    done = subprocess.run(["/bin/bash", "-c", script, "x", tmp_path, seconds], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout == f"0 {min(5, int(seconds) + 1)}\n", done
    # Regression: pipes of each look were left, for as long as a drain may take.
    assert os.listdir(tmp_path) == ["out.0"]


@pytest.mark.long
def test_nobody_else_can_open_the_lock_in_a_hosts_folder(bench):
    """Regression: the application, which may read that folder, held it, and each release and rollback ended with 75."""
    lock = bench.app / ".deploybot.lock"
    lock.write_text("")     # as an earlier version has left it
    lock.chmod(0o644)
    commit, _ = bench.shipped("one")
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and lock.stat().st_mode & 0o777 == 0o600, said


def test_half_a_program_goes_to_no_host(bench):
    # What stands behind it on stdin are the settings, with the registry's password: bash there would execute them.
    link = bench.deploy / "transports" / "ssh-host"
    whole = os.readlink(link)
    link.unlink()
    link.mkdir()
    for name in set(os.listdir(whole)) - {"main.sh"}:
        os.symlink(os.path.join(whole, name), link / name)
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0])
    assert status == 78 and said[-1].endswith("is not whole: install deploybot again"), said
    assert not bench.ssh_calls()


@pytest.mark.long
def test_remote_login_false_sends_none(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    assert bench.run("deploy.sh", "staging", commit, REGISTRY_USER="robot", REGISTRY_PASSWORD_FILE=str(file),
                     REMOTE_LOGIN="false")[0] == 0
    assert "login" not in bench.engine()


@pytest.mark.parametrize("name, value, says", [
    ("STAGING_HOST", "", "STAGING_HOST is not set"),
    ("STAGING_HOST", "-oProxyCommand=id", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1;id", "STAGING_HOST: \"h1;id\" is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1,,h2", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1:99999", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h9", "has no key of h9: ssh-keyscan -p 22 h9"),
    ("STAGING_HOST", "h1:23", "has no key of [h1]:23"),
    ("STAGING_COMPOSE_DIR", "/srv/my app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/$(id)", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "srv/app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/../etc", "is not an absolute path"),
    ("COMPOSE_SERVICE", "a;b", "COMPOSE_SERVICE: \"a;b\" is not a service"),
    ("DEPLOY_USER", "-l", "DEPLOY_USER: \"-l\" is not the name of a user"),
    ("DEPLOY_STRATEGY", "rolling", "is not recreate or bluegreen"),
    ("SMOKE_URL", "https://h1/", "is not http://HOST"),
    ("SMOKE_URL", "http://127.0.0.1:{port}/", "only DEPLOY_STRATEGY=bluegreen knows"),
    ("SSH_KEY_PATH", "/nowhere", "there is no file /nowhere"),
    ("SSH_KNOWN_HOSTS", "/nowhere", "no file /nowhere"),
    ("HOSTS_PARALLEL", "all", "is not a number of hosts, 1 to 99"),
    ("SSH_JUMP", "-oProxyCommand=id", "is not HOST, USER@HOST or USER@HOST:PORT"),
    ("SSH_JUMP", "h1;id", "SSH_JUMP: \"h1;id\" is not HOST, USER@HOST"),
    ("SSH_JUMP", "ops@h9", "has no key of h9: ssh-keyscan -p 22 h9"),
    ("SSH_PROXY_COMMAND", "nc %h %p; id", "SSH_PROXY_COMMAND: \"nc %h %p; id\" is not a command of plain words"),
    ("SSH_PROXY_COMMAND", "no-such-program %h", "no program no-such-program is installed"),
])
def test_a_setting_that_is_no_plain_word_goes_nowhere(bench, name, value, says):
    status, said = bench.run("deploy.sh", "staging", COMMIT, **{name: value})
    assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls() and "release" not in bench.steps()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file of another user's")
def test_a_known_hosts_that_may_not_be_read_is_not_said_to_be_missing():
    """Regression: root's ssh-keygen -R leaves it root's, and `doctor ENV` looked for a file that was there."""
    parts = [pathlib.Path(DEPLOY, name).read_text("utf-8") for name in ("common.sh", "transports/ssh/connect.sh")]
    script = "\n".join([*parts, 'me() { echo runner; }; SSH_KNOWN_HOSTS=$1; ssh_check_known'])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        known = pathlib.Path(folder, "known_hosts")
        known.write_text("h1 ssh-ed25519 AAAA\n")
        for mode, path, status, words in (
                (0o600, known, 78, f"{known} is there, and runner may not read it: as root: chown runner {known}"),
                (0o600, f"{known}.none", 78, f"SSH_KNOWN_HOSTS: no file {known}.none is there"), (0o644, known, 0, "")):
            known.chmod(mode)
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script,
                                   "bash", path], check=False, capture_output=True, text=True, timeout=60, cwd="/")
            assert done.returncode == status and words in done.stderr, done.stderr


def test_by_hand_all_settings_that_are_wrong_are_named_at_once(bench):
    status, said = bench.run("deploy.sh", "staging", COMMIT, DEPLOY_STRATEGY="rolling", COMPOSE_SERVICE="a;b")
    assert status == 78 and not bench.ssh_calls(), said
    assert all(name in "\n".join(said) for name in ("DEPLOY_STRATEGY", "COMPOSE_SERVICE")), said


@pytest.mark.parametrize("name, value, says", [
    ("NGINX_UPSTREAM_FILE", None, "needs NGINX_UPSTREAM_FILE"),
    ("NGINX_UPSTREAM_FILE", "app.conf", "is not an absolute path"),
    ("NGINX_RELOAD_COMMAND", "nginx -s reload; id", "is not a command of plain words"),
    ("APP_PORTS", "8001,8001", "is not two different ports"),
    ("APP_PORTS", "8001", "is not two different ports"),
    ("DRAIN_SECONDS", "1s", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "0", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "08", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "86401", "is not seconds, 1 to 86400"),
    ("SMOKE_URL", "http://127.0.0.1/health", "has no {port}, and DEPLOY_STRATEGY is bluegreen: the release that serves "
     "would answer for the new one; write http://127.0.0.1:{port}/PATH"),
])
def test_bluegreen_settings_are_checked_before_anybody_is_asked(bench, name, value, says):
    settings = {"DEPLOY_STRATEGY": "bluegreen", "NGINX_UPSTREAM_FILE": "/etc/nginx/deploybot/app.conf", name: value}
    for script in ("deploy.sh", "rollback.sh") if name == "SMOKE_URL" else ("deploy.sh",):
        status, said = bench.run(script, "staging", COMMIT, **settings)
        assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls()


@pytest.mark.parametrize("seconds", ["1", "1000", "86400"])
def test_what_check_config_takes_for_draining_the_script_takes(bench, seconds):
    status, said = bench.run("deploy.sh", "staging", COMMIT, DEPLOY_STRATEGY="bluegreen", DRAIN_SECONDS=seconds,
                             NGINX_UPSTREAM_FILE="/etc/nginx/deploybot/app.conf")
    assert status == 70 and "DRAIN" not in said[-1] and f" drain={seconds} " in bench.ssh_calls()[0][-1], said


@pytest.mark.long
@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_host_that_does_not_stop_talking_fills_no_memory(bench, where):
    """What is kept of it stands in /dev/shm until the call is over."""
    commit, _ = bench.shipped("one")
    # Behind what shares the connection.
    said_there = "runs sha256:1 " + "x" * 3000000 if where == "stdout" else "x" * 3000000
    bench.plan({"when": ["ssh"], "status": 0, where: said_there, "after": 0 if where == "stdout" else 1})
    hold = bench.hook("pre-deploy", "look", f"cat {bench.state}/apps/staging/private >{bench.path}/private; "
                      f"while read -r folder; do stat -c %s \"$folder\"/out.0 \"$folder\"/err.0; done "
                      f"<{bench.path}/private >{bench.path}/sizes 2>/dev/null; true")
    status, said = bench.run("deploy.sh", "staging", commit)
    hold.unlink()
    assert "warning: h1 says more than 65536 bytes at once: the rest is left out" in said
    if where == "stdout":
        assert status == 70 and "says nonsense of what runs there: '" + "x" * 200 + "'" in said[-1]
    else:
        assert max(map(int, (bench.path / "sizes").read_text().split())) == 65536
    bench.plan()
    assert bench.run("deploy.sh", "staging", commit)[0] == 0


@pytest.mark.long
def test_a_host_names_no_more_services_than_are_read(bench):
    """Each is a step, and a name in the message."""
    commit, _ = bench.shipped("one")
    lines = "".join(f"{word} s{number} x:1\\n" for number in range(500) for word in ("stays-old", "left-over"))
    lines += f"stays-old {'n' * 1000} x:1\\n"
    program = bench.deploy / "transports" / "ssh-host"
    text = (program / "acts.sh").read_text()
    text = text.replace("\tname_strangers\n", f"\tname_strangers\n\tprintf '{lines}'\n", 1)
    program.unlink()
    shutil.copytree(os.path.join(DEPLOY, "transports", "ssh-host"), program)
    (program / "acts.sh").write_text(text)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and len([step for step in bench.steps() if step.startswith("stays-old")]) <= 16, bench.steps()
    warning = "warning: h1 names 1001 services that no release replaces: the first 16"
    assert any(line.startswith(warning) for line in said), said
    assert "nnnnn" not in "\n".join(said)


def test_a_key_or_known_hosts_that_others_may_change_is_refused(bench):
    bench.key.chmod(0o644)
    assert "chmod 600" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    bench.key.chmod(0o600)
    bench.known.chmod(0o666)
    assert "others may write" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    assert not bench.ssh_calls()
