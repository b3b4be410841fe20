"""Goal: act-on.sh does what a host's settings say and no more; act-on-host.sh, a key's only command, does less."""
# SPDX-License-Identifier: ISC
import fcntl
import os
import pathlib
import re
import subprocess

import pytest

from runner_client import ROOT, wait_for
from ssh_aid import SshBench

SERVER = os.path.join(ROOT, os.environ.get("DEPLOYBOT_BUILD", "build"), "deploybot")
HOST_SCRIPT = os.path.join(ROOT, "deploy", "act-on-host.sh")
TABLE = pathlib.Path(ROOT, "server", "types", "action.def").read_text("utf-8")
ON_HOSTS = re.findall(r'(?m)^ACTION\("([a-z-]+)", \w+, \w+, HOST,', TABLE)
KEY_LINE = ["--only", "restart-web", "unit=web.service", "service-status", "unit=web.service"]


@pytest.fixture
def client(tmp_path, tools_folder):
    """A client on h1, which has a systemd that notes what it is asked."""
    made = SshBench(tmp_path, tools_folder, "docker compose")
    for name, words in {
            "systemctl": 'echo "systemctl $*" >>"$STAND/asked"\n[[ $* != *show* ]] || cat "$STAND/state"\n',
            "sudo": 'echo "sudo $*" >>"$STAND/asked"\nwhile [[ $1 == -* ]]; do shift; done\nexec "$@"\n',
            "slow": 'trap "echo ended >>$STAND/asked; exit" TERM\ntouch "$STAND/up"\n'
                    'while :; do read -t 0.05 <> <(:) || true; done\n'}.items():
        (made.host_bin / name).write_text("#!/bin/bash\n" + words)
        (made.host_bin / name).chmod(0o755)
    (made.host() / "state").write_text("active\nrunning\n")
    made.environment |= {"CLIENT_HOST": "web@h1", "CLIENT_SSH_KEY": str(made.key), "CLIENT_WEB_UNIT": "web.service",
                         "DEPLOYBOT_SETTINGS": "checked"}
    yield made
    made.done()


def asked(client):
    file = client.host() / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_a_unit_is_restarted_by_sudo_and_looked_at(client):
    status, said = client.run("act-on.sh", "client/acme", "restart-web")
    assert status == 0, said
    assert "web.service is running (active running)" in said
    restart = "systemctl --no-ask-password --no-pager restart -- web.service"
    assert asked(client)[:-1] == ([f"sudo -n -- {restart}"] if os.geteuid() else []) + [restart]
    words = client.ssh_calls()[-1]
    assert words[-2:] == ["web@h1", "bash -s -- restart-web unit=web.service sudo=yes watch=yes"]
    assert "-oStrictHostKeyChecking=yes" in words and f"-oIdentityFile={client.key}" in words


def box(name, client, project, status="running", folder=None):
    labels = {"project": project, "service": "app", "oneoff": "False", "project.working_dir": str(folder or client.app)}
    return {"id": f"{name:0>64}", "name": f"{project}_app_1", "of": "shop:1", "labels": labels, "status": status}


def with_service(client, version, *boxes):
    """The client's service `app` of the compose file in client.app, on a host with that compose."""
    client.change_engine(compose=version, images={"shop:1": "sha256:1"}, containers=list(boxes))
    client.environment |= {"CLIENT_WEB_UNIT": "app", "CLIENT_COMPOSE_DIR": str(client.app)}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_service_of_a_compose_file_is_restarted_by_the_compose_that_is_there(client, tmp_path, version):
    """Regression: on Debian 12, which has docker-compose and no plugin, docker was asked what it does not know."""
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    with_service(client, version, box("2", client, "other", "exited", elsewhere), box("1", client, "app"))
    status, said = client.run("act-on.sh", "client/acme", "service-status")
    assert status == 0 and "app is running" in said, said
    status, said = client.run("act-on.sh", "client/acme", "restart-web")
    assert status == 0 and "Restarting app_app_1 ... done" in "\n".join(said) and "app is running" in said, said
    assert ["compose", "restart", "app"] in client.host_calls()


def test_nothing_is_restarted_in_the_middle_of_a_release_to_that_folder(client):
    with_service(client, "v2", box("1", client, "app"))
    with open(client.app / ".deploybot.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said = client.run("act-on.sh", "client/acme", "restart-web")
        assert f"app: something is being released to {client.app}: try again when that has ended" in said
        assert status == 70
        assert ["compose", "restart", "app"] not in client.host_calls()
        assert client.run("act-on.sh", "client/acme", "service-status")[0] == 0
    status, said = client.run("act-on.sh", "client/acme", "restart-web")
    assert status == 0 and ["compose", "restart", "app"] in client.host_calls(), said


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("note", [".deploybot.nginx", ".env"])
def test_with_bluegreen_the_one_that_serves_is_meant(client, version, note):
    with_service(client, version, box("1", client, "app-8001", "exited"), box("2", client, "app-8002"))
    (client.app / ".env").write_text(f"X=y\nDEPLOY_PORT={'8001' if note != '.env' else '8002'}\n")
    if note != ".env":
        (client.app / note).write_text("1 2 3 4\n8002\n77\n")
    status, said = client.run("act-on.sh", "client/acme", "restart-web")
    assert status == 0 and "Restarting app-8002_app_1 ... done" in "\n".join(said), said
    assert "app is running on port 8002" in said and not any("app-8001_app_1" in line for line in said), said
    assert client.runs() == [("shop:1", "exited"), ("shop:1", "running")]


@pytest.mark.parametrize("states, words", [
    ([], "app is not running: there is no container"), (["exited"], "app is not running: exited")])
def test_a_service_that_does_not_run_is_a_failure_too(client, states, words):
    with_service(client, "v1", *(box("1", client, "app", state) for state in states))
    status, said = client.run("act-on.sh", "client/acme", "service-status")
    assert status == 70 and words in "\n".join(said), said


def test_a_host_without_any_compose_is_told_what_to_install(client, tmp_path, tools_folder):
    with_service(client, "v1", box("1", client, "app"))
    (client.host_bin / "docker-compose").unlink()
    (tmp_path / "tools").mkdir()
    for name in set(os.listdir(tools_folder)) - {"docker-compose"}:
        os.symlink(os.path.join(tools_folder, name), tmp_path / "tools" / name)
    (client.stand / "host.path").write_text(f"{client.host_bin}:{tmp_path}/tools")
    status, said = client.run("act-on.sh", "client/acme", "restart-web")
    assert status == 70 and "apt-get install docker-compose" in "\n".join(said), said


def test_one_that_does_not_run_is_a_failure_that_says_so(client):
    (client.host() / "state").write_text("failed\nfailed\n")
    status, said = client.run("act-on.sh", "client/acme", "service-status")
    assert status == 70 and "web.service is not running: failed failed" in said, said


@pytest.mark.parametrize("name, value, words", [
    ("CLIENT_WEB_UNIT", "web;id", "cannot go to a host's shell"),
    ("CLIENT_WEB_UNIT", "$(id)", "cannot go to a host's shell"),
    ("CLIENT_WEB_UNIT", None, "CLIENT_<ID>_WEB_UNIT is not set"),
    ("CLIENT_HOST", None, "CLIENT_<ID>_HOST is not set"),
    ("CLIENT_HOST", "agent:acme", "CLIENT_<ID>_HOST is an agent, which does it itself"),
    ("CLIENT_HOST", "nowhere", "cannot be reached"),
    ("CLIENT_SSH_KEY", "/nonexistent", "CLIENT_SSH_KEY_PATH: there is no file /nonexistent")])
def test_what_is_wrong_reaches_no_host(client, name, value, words):
    status, said = client.run("act-on.sh", "client/acme", "restart-web", **{name: value})
    assert status in (64, 70, 78) and words in "\n".join(said), said
    assert asked(client) == []


@pytest.mark.parametrize("action", ON_HOSTS)
def test_the_host_knows_each_action_of_the_table(action):
    """Alone it does it, or says which word it needs."""
    done = subprocess.run([HOST_SCRIPT, action], capture_output=True, text=True, check=False, timeout=60)
    assert "no such action" not in done.stderr, done.stderr
    assert done.returncode == 0 or f"{action} needs " in done.stderr, done.stderr


@pytest.mark.parametrize("action", ON_HOSTS)
def test_what_an_action_cannot_do_without_is_said_before(client, action):
    """What act-on.sh misses check-config names as well: a row of `needs` in settings_clients.c."""
    bare = {"CLIENT_WEB_UNIT": None}
    _, said = client.run("act-on.sh", "client/acme", action, **bare)
    said = "\n".join(said)
    assert "no action on a client" not in said, said
    missed = set(re.findall(r"CLIENT_<ID>_(\w+) is not set, and", said))
    checked = subprocess.run(
        [SERVER, "check-config"], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/bin:/bin", "CLIENTS": "acme", "CLIENT_ACME_HOST": "h", "CLIENT_ACME_ACTIONS": action})
    named = set(re.findall(rf"CLIENT_ACME_(\w+): is not set, and {action} needs it", checked.stdout + checked.stderr))
    assert missed == named


def test_two_at_once_are_refused(client):
    client.environment["CLIENT_CACHE_COMMAND"] = "slow"
    first = client.start("act-on.sh", "client/acme", "clear-cache")
    wait_for((client.host() / "up").exists, "the program on the host")
    status, said = client.run("act-on.sh", "client/acme", "disk-free")
    assert status == 75 and "something else is being released to client/acme (clear-cache" in said[-1], said
    first.terminate()
    first.wait(timeout=30)


def test_whoever_is_killed_leaves_no_program_on_the_host(client):
    client.environment["CLIENT_CACHE_COMMAND"] = "slow"
    process = client.start("act-on.sh", "client/acme", "clear-cache")
    wait_for((client.host() / "up").exists, "the program on the host")
    os.killpg(process.pid, 15)
    process.wait(timeout=30)
    wait_for(lambda: asked(client) == ["ended"], "the end of the program on the host")


# --- as the key's only command ---

def forced(tmp_path, original, *line):
    binaries = tmp_path / "bin"
    binaries.mkdir(exist_ok=True)
    (binaries / "systemctl").write_text(
        '#!/bin/bash\necho "$*" >>"$ASKED"\n[[ $* != *show* ]] || printf "active\\nrunning\\n"\n')
    (binaries / "systemctl").chmod(0o755)
    noted = pathlib.Path(tmp_path / "asked")
    done = subprocess.run([HOST_SCRIPT, *(line or KEY_LINE)], input="echo what is sent is not read\n", text=True,
                          capture_output=True, check=False, timeout=60,
                          env={"PATH": f"{binaries}:/usr/bin:/bin", "SSH_ORIGINAL_COMMAND": original,
                               "ASKED": str(noted)})
    return done.returncode, done.stdout + done.stderr, noted.read_text() if noted.exists() else ""


def test_a_key_does_what_its_line_lists(tmp_path):
    status, said, noted = forced(tmp_path, "bash -s -- restart-web unit=web.service watch=yes")
    assert status == 0 and "is running" in said and "restart -- web.service" in noted
    assert "what is sent" not in said


@pytest.mark.parametrize("original, words", [
    ("bash -s -- restart-web unit=other.service", "may do restart-web unit=web.service alone"),
    ("bash -s -- disk-free", "may not do disk-free"),
    ("bash -s -- clear-cache run=rm", "may not do clear-cache"),
    ("bash -s -- restart-web unit=web.service x;id", "may do restart-web unit=web.service alone"),
    ("bash -s -- restart-web unit=web.service dir=$(id)", "may do restart-web unit=web.service alone"),
    ("id; bash -s -- x", "may not do x"),
    ("rm -rf /", "for actions of deploybot alone"),
    ("", "for actions of deploybot alone")])
def test_a_key_does_nothing_else(tmp_path, original, words):
    status, said, noted = forced(tmp_path, original)
    assert status == 64 and words in said and noted == "", said


def test_words_of_a_command_are_pinned_too(tmp_path):
    line = ("--only", "clear-cache", "run=true", "run=all", "disk-free")
    for words in ("run=touch run=x", "run=true", "run=true run=all run=more", "", "run=all run=true"):
        status, said, _ = forced(tmp_path, f"bash -s -- clear-cache {words}", *line)
        assert status == 64 and "may do clear-cache run=true run=all alone" in said, words
    status, said, _ = forced(tmp_path, "bash -s -- clear-cache sudo=yes run=true run=all", *line)
    assert status == 0 and "clear-cache: done" in said
