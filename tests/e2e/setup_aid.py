"""setup_aid.py - deploybot-setup beside a chat, a repository, a registry and two hosts behind a real sshd."""
# SPDX-License-Identifier: ISC
import getpass
import os
import re
import signal
import socket
import subprocess

import pytest

from commands_aid import DEPLOY, stand_in
from flow_aid import Health
from runner_client import PROGRAM, wait_for
from ssh_aid import SshdBench, until_at_rest
from stage import free_port
from telegram_client import ADA, DEFAULT_TOKEN, MALLORY, Telegram

SERVER_PORT = "8079"        # 8080 is the application's, on this same machine
# Of a host: what changes a machine for good changes the bench's folder there.
HOST_PROGRAMS = {
    "getent": 'case $1 in passwd) echo "$2:x:1:1::$HOST_HOME:/bin/bash" ;; *) exit 2 ;; esac',
    "runuser": 'while [[ $1 != -- ]]; do shift; done; shift; exec "$@"',
    "sudo": '[[ ! -e $HOST_HOME/no-sudo ]] || { echo "sudo: a password is required" >&2; exit 1; }; shift; exec "$@"',
    "id": '[[ $1 == -u ]] || exec /usr/bin/id "$@"\n'
          '[[ -e $HOST_HOME/no-sudo && -z ${PASTED:-} ]] && echo 1000 || echo 0',
    "install": 'mkdir -p -- "${@: -1}"',
}
NOWHERE = "http://127.0.0.1:1"
# The chat is asked by the real one, and so is where nobody answers.
CURL = """#!/bin/bash
said=
[[ " $* " != *" --config - "* ]] || said=$(cat)
case "$* $said" in
*{chat}/* | *//127.0.0.1:1/* | *//telegram.invalid:9/*) exec /usr/bin/curl "$@" <<<"$said" ;;
*) exec {stand_in} "$@" <<<"$said" ;;
esac
"""


class SetupBench(SshdBench):
    """Settings in a folder of the caller's own; h2 is what port_2 leads to."""

    def __init__(self, path, tools_folder, chat):
        super().__init__(path, tools_folder)
        self.chat = chat
        self.site = Health()
        (self.bin / "curl").unlink()
        (self.bin / "curl").write_text(CURL.format(chat=chat.base, stand_in=stand_in("curl")))
        (self.bin / "curl").chmod(0o755)
        self.registry = self.site.url("").rstrip("/")
        self.folder = path / "etc"
        self.folder.mkdir()
        self.conf = self.folder / "deploybot.conf"
        self.home = path / "home"
        (self.home / ".ssh").mkdir(parents=True, mode=0o700)
        (self.home / ".ssh" / "authorized_keys").symlink_to(self.sshd.path / "authorized")
        for name, text in HOST_PROGRAMS.items():
            file = self.host_bin / name
            file.write_text(f"#!/bin/bash\nHOST_HOME={self.home}\n{text}\n")
            file.chmod(0o755)
        self.agent_path = str(path / "agent")
        self.agent = subprocess.Popen(["ssh-agent", "-D", "-a", self.agent_path], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL)
        wait_for(self.agent_answers, "ssh-agent", 60)
        self.add_key()
        self.commit("one")

    def agent_answers(self):
        """Its socket is a file before anybody listens there; and one that ended will never."""
        assert self.agent.poll() is None, f"ssh-agent ended with {self.agent.returncode}"
        with socket.socket(socket.AF_UNIX) as asking:
            return asking.connect_ex(self.agent_path) == 0

    def add_key(self):
        subprocess.run(["ssh-add", "-q", self.key], env={"SSH_AUTH_SOCK": self.agent_path, "PATH": "/usr/bin:/bin"},
                       check=True, stdin=subprocess.DEVNULL)

    def through_jump(self):
        """A jump host that may be prepared; its keys are the hosts' keys."""
        self.jump.done()
        where = {"PATH": (self.stand / "host.path").read_text(), "STAND": self.host()}
        self.jump_port = free_port()
        self.jump = self.begin("setup-jump", [("127.0.0.1", self.jump_port, where)])
        (self.jump.path / "authorized").unlink()
        (self.jump.path / "authorized").symlink_to(self.sshd.path / "authorized")

    def done(self):
        found = super().done()
        self.agent.terminate()
        self.agent.wait(timeout=60)
        self.site.close()
        return found

    # --- what is answered ---

    def fingerprint(self, sshd=None):
        words = ["ssh-keygen", "-l", "-f", str((sshd or self.sshd).path / "host_key.pub")]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]

    def answers(self, **changes):
        """Of a file that says everything."""
        said = {
            "SETUP_REPOSITORY": str(self.repository), "TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN,
            "ADMIN_TELEGRAM_IDS": str(ADA), "TELEGRAM_API_BASE": self.chat.base, "IMAGE_SOURCE": "registry",
            "REGISTRY_URL": self.registry, "REGISTRY_IMAGE": "team/shop", "REGISTRY_USER": "",
            "STAGING_HOST": f"127.0.0.1:{self.port_2}", "STAGING_COMPOSE_DIR": str(self.app), "PRODUCTION_HOST": "",
            "DEPLOY_USER": getpass.getuser(), "SETUP_LOGIN": getpass.getuser(), "SETUP_HOST_KEYS": self.fingerprint(),
            "API_SERVER_PORT": SERVER_PORT, **changes}
        path = self.path / "answers"
        path.write_text("".join(f"{name}={value}\n" for name, value in said.items() if value is not None))
        path.chmod(0o600)
        return path

    def words(self, *words):
        return [os.path.join(DEPLOY, "setup.sh"), "--folder", str(self.folder), *map(str, words)]

    def given(self):
        return {"PATH": self.environment["PATH"], "HOME": str(self.path), "LANG": "C.UTF-8", "STAND": str(self.stand),
                "DEPLOYBOT_RUNNER": PROGRAM, "SSH_AUTH_SOCK": self.agent_path}

    def run_setup(self, *words):
        """(status, what it said)."""
        done = subprocess.run(words, stdin=subprocess.DEVNULL, env=self.given(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300, check=False)
        return done.returncode, done.stdout

    def setup(self, *words):
        return self.run_setup(*self.words(*words))

    # --- what there is then ---

    def files(self):
        """Each file of the installation with its content and mode; not the draft."""
        return {str(path.relative_to(self.folder)): (path.stat().st_mode & 0o777, path.read_bytes())
                for path in sorted(self.folder.rglob("*"))
                if path.is_file() and not re.match(r"setup|state", str(path.relative_to(self.folder)))}

    def settings(self, path=None):
        lines = (path or self.conf).read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    # --- who sits there ---

    def take_over(self):
        """What an administrator has written already, and nobody is asked about."""
        self.conf.write_text(
            f"# ours\nAPI_SERVER_PORT={SERVER_PORT}\nTELEGRAM_API_BASE={self.chat.base}\n"
            f"STAGING_COMPOSE_DIR={self.app}\n#STAGING_HOST=\n"
            f"DEPLOY_USER={getpass.getuser()}\nREGISTRY_IMAGE=team/shop\nSTATE_DIRECTORY={self.folder}/state\n"
            f"AUDIT_LOG_PATH={self.folder}/state/audit.log\nLOCAL_SOCKET={self.folder}/state/local.sock\n"
            f"TELEGRAM_BOT_TOKEN_FILE={self.folder}/secrets/server/telegram_bot_token\n")   # as a package has it
        self.conf.chmod(0o640)

    def know_admin(self):
        """The same; and nobody has to open a link."""
        self.take_over()
        with open(self.conf, "a", encoding="utf-8") as conf:
            conf.write(f"ADMIN_TELEGRAM_IDS={ADA}\n")
        return self

    def set_up(self):
        """An installation as setup leaves one, without the hosts."""
        self.know_admin()
        token = self.folder / "secrets/server/telegram_bot_token"
        token.parent.mkdir(parents=True)
        token.write_text(DEFAULT_TOKEN + "\n")
        token.chmod(0o600)
        with open(self.conf, "a", encoding="utf-8") as conf:
            conf.write(f"GITHUB_REPOSITORY=orchard/shop\n"
                       f"ENVIRONMENTS=staging\nSTAGING_HOST=127.0.0.1:{self.port_2}\nDEPLOY_TRANSPORT=ssh\n"
                       f"STAGING_HEALTH_URL=http://127.0.0.1:8080/health\nREGISTRY_URL={self.registry}\n"
                       f"SSH_KEY_PATH={self.key}\nSSH_KNOWN_HOSTS={self.folder}/known_hosts\n")
        (self.folder / "known_hosts").touch()
        return self

    def type_lines(self, lines, *words):
        """(status, what it said) of whoever types these and goes."""
        done = subprocess.run(self.words(*words), input="".join(f"{line}\n" for line in lines), env=self.given(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=300, check=False)
        return done.returncode, done.stdout

    def lines(self):
        """What is typed at each question; where it is the link's turn, it is opened."""
        return [str(self.repository), DEFAULT_TOKEN, "registry", self.registry, "-",
                f"127.0.0.1:{self.port_2}", "-", "", getpass.getuser(), "yes"]

    def talk(self, line, interrupts=False, openers=(ADA,)):
        """(status, what it said): types a line, and at the question behind it ends its input, or presses Ctrl-C.
        Each link is opened by the next of `openers`."""
        openers, opened = iter(openers), b""
        process = subprocess.Popen(self.words(), env=self.given(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
        if not interrupts:
            process.stdin.close()
        said = b""
        while part := os.read(process.stdout.fileno(), 65536):
            said += part
            found = re.search(rb"https://t\.me/\w+\?start=([0-9a-f]{16})\n$", said.rstrip(b"\n") + b"\n")
            if found and found[1] != opened:
                opened = found[1]
                self.chat.say(MALLORY, MALLORY, f"/start {'0' * 16}")
                who = next(openers)
                self.chat.say(who, who, f"/start {found[1].decode()}")
            if interrupts and said.count(b"] > ") == 2 and said.endswith(b"] > "):
                os.killpg(process.pid, signal.SIGINT)
        process.stdin.close()
        process.stdout.close()
        return process.wait(timeout=300), said.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def chat():
    with Telegram.start("--local", "--limits", "off") as made:
        yield made


@pytest.fixture
def bench(tmp_path, tools_folder, chat):
    yield from until_at_rest(SetupBench(tmp_path, tools_folder, chat))


@pytest.fixture
def taken(bench):
    return bench.set_up()
