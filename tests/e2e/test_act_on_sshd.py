"""Goal: act-on.sh and a real sshd understand each other, and a key with the line of docs/actions.md can do no more."""
# SPDX-License-Identifier: ISC
import getpass
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from commands_aid import CommandBench
from docs_aid import Typist, blocks_of
from runner_client import ROOT, is_alive, wait_for
from ssh_aid import TUNNEL, Sshd
from stage import free_port

HOST_SCRIPT = os.path.join(ROOT, "deploy", "act-on-host.sh")
DOCS = pathlib.Path(ROOT, "docs", "actions.md").read_text("utf-8")
KEY_LINE = re.search(r"(?m)^ +(restrict,command=.*) ssh-ed25519 ", DOCS)[1]
CONFIG = """Port {port}
ListenAddress 127.0.0.1
HostKey {path}/host_key
AuthorizedKeysFile {path}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
SetEnv PATH={path}/host-bin:/usr/bin:/bin STAND={stand}
"""
PROGRAMS = {
    "systemctl": 'echo "systemctl $*" >>"$STAND/asked"\n[[ $* != *show* ]] || printf "active\\nrunning\\n"\n',
    "sudo": 'while [[ $1 == -* ]]; do shift; done\nexec "$@"\n',
    "slow": 'trap "echo ended >>$STAND/asked; exit" TERM\necho $$ >"$STAND/up"\n'
            'while :; do read -t 0.05 <> <(:) || true; done\n'}


class Machine(CommandBench):
    """This machine as a host: sshd on loopback, whose user is the one that runs the tests."""

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder, commands=(), transports=("ssh",))
        os.symlink("/usr/bin/ssh", self.bin / "ssh")
        (path / "host-bin").mkdir()
        for name, words in PROGRAMS.items():
            (path / "host-bin" / name).write_text("#!/bin/bash\n" + words)
            (path / "host-bin" / name).chmod(0o755)
        for name in ("key", "host_key", "other_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path / name], check=True)
        self.port = free_port()
        self.trust("host_key")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)     # it wants that, and works elsewhere
        (path / "sshd_config").write_text(CONFIG.format(port=self.port, path=path, stand=self.stand))
        with open(path / "sshd.log", "wb") as log:
            self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", path / "sshd_config"],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.answers, "sshd on loopback")
        self.environment |= {
            "CLIENT_HOST": f"{getpass.getuser()}@127.0.0.1:{self.port}", "CLIENT_SSH_KEY": str(path / "key"),
            "SSH_KNOWN_HOSTS": str(path / "known_hosts"), "CLIENT_WEB_UNIT": "web.service",
            "CLIENT_CACHE_COMMAND": "slow", "DEPLOYBOT_SETTINGS": "checked"}

    def answers(self):
        assert self.sshd.poll() is None, (self.path / "sshd.log").read_text()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def public(self, name):
        return " ".join((self.path / f"{name}.pub").read_text().split()[:2])

    def trust(self, name):
        (self.path / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {self.public(name)}\n")

    def allow(self, options=""):
        """The key's line, with the script where it is here."""
        options = options.replace("/usr/local/lib/deploybot/act-on-host.sh", HOST_SCRIPT)
        (self.path / "authorized").write_text(f"{options} {self.public('key')}\n".lstrip())

    def act(self, action, **settings):
        status, said = self.run("act-on.sh", "client/acme", action, **settings)
        return status, "\n".join(said)

    def ssh(self, *words):
        """As whoever has got hold of the key."""
        return subprocess.run(
            ["/usr/bin/ssh", "-F", "none", "-oBatchMode=yes", f"-oUserKnownHostsFile={self.path}/known_hosts",
             "-oIdentitiesOnly=yes", f"-oIdentityFile={self.path}/key", f"-p{self.port}", *words[:-1], "127.0.0.1",
             *words[-1:]], capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)

    def asked(self):
        file = self.stand / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def done(self):
        self.sshd.terminate()
        self.sshd.wait(timeout=60)
        return super().done()


@pytest.fixture
def machine(tmp_path, tools_folder):
    made = Machine(tmp_path, tools_folder)
    yield made
    made.done()


@pytest.mark.long
@pytest.mark.parametrize("options", ["", KEY_LINE])
def test_an_action_is_done_over_ssh(machine, options):
    """The script goes over stdin; with the line of the docs the one that is there does the same."""
    machine.allow(options)
    status, said = machine.act("restart-web")
    assert status == 0 and "web.service is running (active running)" in said, said
    assert machine.asked()[0] == "systemctl --no-ask-password --no-pager restart -- web.service"
    status, said = machine.act("disk-free")
    assert status == 0 and "the fullest disk is /" in said, said


@pytest.fixture
def jump(machine):
    """Another sshd that leads to the machine, and lets a key of its own in."""
    folder = machine.path / "jump"
    folder.mkdir()
    port = free_port()
    (folder / "authorized").write_text(f"restrict,port-forwarding {machine.public('other_key')}\n")
    made = Sshd(folder, [("127.0.0.1", port, {})])
    with open(machine.path / "known_hosts", "a", encoding="ascii") as known:
        known.write(made.known)
    machine.allow()
    machine.environment |= {"SSH_JUMP": f"127.0.0.1:{port}", "SSH_KEY_PATH": str(machine.path / "other_key"),
                            "DEPLOY_USER": getpass.getuser()}
    yield made
    made.done()


def test_an_action_goes_through_the_jump_host_as_releases_do(machine, jump):
    status, said = machine.act("restart-web")
    assert status == 0 and "web.service is running" in said, said
    assert jump.connections() == 1      # with SSH_KEY_PATH; the machine knows the client's key alone
    status, said = machine.act("restart-web", SSH_JUMP=None)
    assert status == 0 and jump.connections() == 1, said


@pytest.mark.parametrize("how, status, says", [
    ("unknown", 78, "has no key of [127.0.0.1]:"), ("shut", 70, "cannot be reached, by the jump host 127.0.0.1"),
    ("no address", 78, "SSH_JUMP is not USER@HOST"), ("both", 78, "SSH_JUMP and SSH_PROXY_COMMAND are both set")])
def test_a_jump_host_that_does_not_lead_there_is_named_and_nothing_is_done(machine, jump, how, status, says):
    more = {"no address": {"SSH_JUMP": "a;id"}, "both": {"SSH_PROXY_COMMAND": "nc %h %p"}}.get(how, {})
    if how == "unknown":
        machine.trust("host_key")
    elif how == "shut":
        (machine.path / "jump" / "authorized").write_text("")
    got, said = machine.act("restart-web", **more)
    assert got == status and says in said and machine.asked() == [] and jump.connections() == 0, said


def test_an_action_goes_through_the_proxy_command_as_releases_do(machine):
    machine.allow()
    tunnel = machine.bin / "tunnel"
    tunnel.write_text(TUNNEL)
    tunnel.chmod(0o755)
    status, said = machine.act("restart-web", SSH_PROXY_COMMAND="tunnel %h %p")
    assert status == 0 and "web.service is running" in said, said
    assert (machine.bin / "tunnel.calls").read_text().split() == ["127.0.0.1", str(machine.port)]
    tunnel.write_text("#!/bin/bash\necho 'no such instance' >&2; exit 1\n")
    status, said = machine.act("restart-web", SSH_PROXY_COMMAND="tunnel %h %p")
    assert status == 70 and "no such instance" in said and "cannot be reached, by SSH_PROXY_COMMAND" in said, said


@pytest.mark.parametrize("action, settings, words", [
    ("clear-cache", {}, "this key may not do clear-cache"),
    pytest.param("service-status", {}, "this key may not do service-status", marks=pytest.mark.long),
    ("restart-web", {"CLIENT_WEB_UNIT": "other.service"}, "may do restart-web unit=web.service alone"),
    pytest.param("restart-web", {"CLIENT_COMPOSE_DIR": "/srv"}, "may do restart-web unit=web.service alone",
                 marks=pytest.mark.long)])
def test_what_the_keys_line_does_not_list_is_not_done(machine, action, settings, words):
    machine.allow(KEY_LINE)
    status, said = machine.act(action, **settings)
    assert status == 70 and words in said and machine.asked() == [] and not (machine.stand / "up").exists(), said


@pytest.mark.long
def test_whoever_has_such_a_key_has_no_shell_no_tunnel_and_no_terminal(machine):
    tunnel = ["-W", f"127.0.0.1:{machine.port}", "-N"]
    machine.allow()     # without its line it has all of that
    assert machine.ssh("id -un").stdout.strip() == getpass.getuser() and "SSH-2.0" in machine.ssh(*tunnel).stdout
    machine.allow(KEY_LINE)
    for words in (["id -un"], ["bash -s -- disk-free; id -un"], ["-tt", "id -un"], [""]):
        said = machine.ssh(*words)
        assert said.returncode != 0 and getpass.getuser() not in said.stdout.split(), said
    said = machine.ssh(*tunnel)
    assert said.returncode != 0 and "SSH-2.0" not in said.stdout, said


def test_a_host_with_another_key_is_not_spoken_to(machine):
    machine.allow()
    machine.trust("other_key")
    status, said = machine.act("restart-web")
    assert status == 70 and "cannot be reached, or does not let" in said and machine.asked() == [], said


def test_a_key_that_is_not_let_in_is_said(machine):
    (machine.path / "authorized").write_text("")
    status, said = machine.act("restart-web")
    assert status == 70 and "cannot be reached, or does not let" in said and machine.asked() == [], said


@pytest.mark.long
@pytest.mark.parametrize("options", ["", f'restrict,command="{HOST_SCRIPT} --only clear-cache run=slow"'])
@pytest.mark.parametrize("number", [15, 9])
def test_whoever_is_killed_leaves_no_program_on_the_host(machine, options, number):
    machine.allow(options)
    process = machine.start("act-on.sh", "client/acme", "clear-cache")
    pid = int(wait_for(lambda: (machine.stand / "up").exists() and (machine.stand / "up").read_text().strip(),
                       "the program on the host"))
    os.killpg(process.pid, number)
    process.wait(timeout=60)
    if number == 9:
        machine.kill_session(process)
    wait_for(lambda: not is_alive(pid), "the end of the program on the host", 60)
    assert machine.asked() == ["ended"]


def test_a_clients_new_key_of_the_runbook_is_let_in_and_held_to_the_same_actions(machine, tmp_path):
    """docs/SECURITY-OPERATIONS.md, "A client's key", typed on both machines: the old key is not let in behind it."""
    machine.allow(KEY_LINE)
    make, add, ask, place, remove, _ = blocks_of("A key by hand")
    typist = Typist(tmp_path / "machine")
    (typist.folder / "bin" / "deploybot").write_text("#!/bin/bash\n")
    typist.conf.write_text(f"CLIENT_ACME_SSH_KEY_PATH={machine.path}/key\n", "ascii")
    typist.keep("known_hosts", (machine.path / "known_hosts").read_text("ascii").strip(), "runner")
    on_host = {"~deploy/.ssh/authorized_keys": f"{machine.path}/authorized"}
    theirs = {"SSH_KEY_PATH": "CLIENT_ACME_SSH_KEY_PATH"}
    typist.type(make, **theirs)
    assert KEY_LINE.split()[-1] in typist.type(add, **on_host)
    said = typist.type(ask.rpartition("\n")[0], check=False, **{"deploy@STAGING_IP": f"-p {machine.port} 127.0.0.1"})
    assert "this key is for actions of deploybot alone" in said, said
    shutil.copy(machine.path / "key", machine.path / "former")
    typist.type(place, **theirs)
    typist.type(remove, **on_host)
    status, said = machine.act("restart-web")
    assert status == 0 and "web.service is running" in said, said
    assert "alone" in machine.ssh("true").stderr
    os.replace(machine.path / "former", machine.path / "key")
    assert "Permission denied" in machine.ssh("true").stderr
