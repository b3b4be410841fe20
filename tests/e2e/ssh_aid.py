"""ssh_aid.py - hosts that are folders, to which the ssh transport releases; ssh and docker there are stand-ins."""
# SPDX-License-Identifier: ISC
import fcntl
import functools
import getpass
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

from commands.recorder import records_in
from commands_aid import COMMANDS, DEPLOY, CommandBench, cut_power, stand_in
from copies_aid import once
from runner_client import wait_for
from stage import free_port, get

sys.path.insert(0, COMMANDS)
from engine import Engine  # noqa: E402

COMPOSE = """services:
  app:
    image: ${DEPLOY_IMAGE}
    restart: always
"""
PORTS = """    ports:
      - "127.0.0.1:${DEPLOY_PORT}:8080"
"""
NGINX = """daemon off;
worker_processes 1;
pid nginx.pid;
error_log nginx.log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    send_timeout 1h;
    proxy_read_timeout 1h;
    upstream app { %s }
    server {
        listen 127.0.0.1:%d;
        location / { proxy_pass http://app; }
    }
}
"""


@functools.lru_cache
def key_pair():
    """The texts of a key's two files, the same for all that this process tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
        return tuple(pathlib.Path(name).read_text("ascii") for name in (file, f"{file}.pub"))


def host_program():
    """What goes to a host over ssh, as one text."""
    parts = ("base", "containers", "up", "images", "file", "kept", "paths", "services", "ports", "recreate",
             "bluegreen",
             "acts", "guard", "main")
    text = ""
    for part in parts:
        with open(os.path.join(DEPLOY, "transports", "ssh-host", f"{part}.sh"), encoding="utf-8") as file:
            text += file.read()
    return text


def until_at_rest(made, compose=None):
    """A fixture's bench, with this compose file if any, whose hosts are at rest behind the test."""
    if compose is not None:
        (made.app / "docker-compose.yml").write_text(compose)
    yield made
    made.done()
    wait_for(made.is_quiet, "the hosts to be at rest", 60)


class SshBench(CommandBench):
    """Two hosts that are folders, with the same compose folder at two places: srv/a on h1, and on h2."""

    def __init__(self, path, tools_folder, compose):
        super().__init__(path, tools_folder, commands=("docker", "aws", "curl", "ssh"), transports=("ssh",))
        self.host_bin = path / "host-bin"
        self.host_bin.mkdir()
        for name in ("docker", "docker-compose"):
            os.symlink(stand_in("host/docker"), self.host_bin / name)
        (self.stand / "host.path").write_text(f"{self.host_bin}:{tools_folder}")
        self.key = path / "key"
        private, public = key_pair()
        for file, text in ((self.key, private), (path / "key.pub", public)):
            file.write_text(text)
            file.chmod(0o600)
        self.public = " ".join(public.split()[:2])
        self.known = path / "known_hosts"
        self.known.write_text(f"h1 {self.public}\n[h2]:2222 {self.public}\n")
        self.environment |= {
            "DEPLOY_TRANSPORT": "ssh", "STAGING_HOST": "h1", "STAGING_COMPOSE_DIR": str(path / "app"),
            "SSH_KEY_PATH": str(self.key), "SSH_KNOWN_HOSTS": str(self.known), "DEPLOY_USER": "deploy"}
        self.app = path / "app"
        self.app.mkdir()
        (self.app / "docker-compose.yml").write_text(COMPOSE)
        for name in ("h1", "h2"):
            (self.stand / "hosts" / name).mkdir(parents=True)
            self.change_engine(name, images={}, registry=[], containers=[], compose=compose)

    def host(self, name="h1"):
        return self.stand / "hosts" / name

    def engine(self, name="h1"):
        with open(self.host(name) / "engine", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return json.load(file)

    def change_engine(self, name="h1", **fields):
        with Engine(str(self.host(name))) as state:
            state.update(fields)

    def host_plan(self, *entries, name="h1"):
        for counter in self.host(name).glob("plan.*"):
            counter.unlink()
        (self.host(name) / "plan").write_text(json.dumps(entries))

    def host_calls(self, name="h1"):
        records = records_in(self.host(name) / "calls")
        return [[record["name"], *record["words"]] for record in records if "name" in record]

    def on_host(self, program, text):
        """A program of the hosts is this one; `exec -a` of the real one is the text's last line."""
        file = self.host_bin / program
        real = os.readlink(file) if file.is_symlink() else f"/usr/bin/{program}"
        file.unlink(missing_ok=True)
        file.write_text(f'#!/bin/bash\n{text}\nexec -a {program} {real} "$@"\n')
        file.chmod(0o755)

    def fill_disk(self, act):
        """In this act no file there but docker's can be larger than 1024 bytes: what is written stops in the middle."""
        self.on_host("timeout", f"""trap "" XFSZ
if [[ " $* " == *" -s -- {act} "* ]]; then ulimit -S -f 1; else ulimit -S -f unlimited; fi""")

    def empty_disk(self):
        (self.host_bin / "timeout").unlink()

    def by_hand(self, image="shop:old"):
        """The application runs there, as somebody has started it by hand."""
        labels = {"project": "app", "service": "app", "oneoff": "False", "project.working_dir": str(self.app)}
        self.change_engine(images={image: "sha256:id-of-before"}, containers=[
            {"id": "9" * 64, "name": "app_app_1", "of": image, "labels": labels, "status": "running"}])
        (self.app / ".env").write_text(f"DEPLOY_IMAGE={image}\n")

    def runs(self, name="h1"):
        return [(box["of"], box["status"]) for box in self.engine(name)["containers"]]

    def ssh_calls(self):
        """Without what makes them share a connection, and the pipe of ssh's own words."""
        ours = ("-oControlMaster=no", "-oControlPath=/dev/shm/deploybot.", "-E", "/dev/shm/deploybot.")
        return [[word for word in call if not word.startswith(ours)] for call in self.calls("ssh")]

    def own_words(self):
        return [*super().own_words(), *key_pair(), self.public]

    def lives(self):
        return super().lives() or any(
            "pid" in box for name in os.listdir(self.stand / "hosts") for box in self.engine(name)["containers"])

    @once
    def release(self, text):
        """A commit and the image that the registry has of it: (commit, digest)."""
        commit = self.commit(text)
        status, said = self.run("deploy.sh", "staging", commit, DEPLOY_TRANSPORT="spy")
        assert status == 0, said
        digest = self.digests()[commit]
        for name in ("h1", "h2"):
            self.change_engine(name, registry=[*self.engine(name)["registry"], f"{self.image}@{digest}"])
        self.forget_calls()
        return commit, digest

    @once
    def shipped(self, text, **settings):
        commit, digest = self.release(text)
        status, said = self.run("deploy.sh", "staging", commit, **settings)
        assert status == 0, said
        return commit, digest

    def host_processes(self):
        """Bash processes that work on our compose folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words[0] == b"bash" and f"dir={self.app}".encode() in words:
                found.append(int(pid))
        return sorted(found)

    def is_quiet(self):
        """Nothing works there any more: the lock is free."""
        lock = self.app / ".deploybot.lock"
        return not self.host_processes() and (
            not lock.exists() or subprocess.run(["flock", "-n", lock, "true"], check=False).returncode == 0)

    def kill_host(self, *pids, name="h1"):
        """As a power cut would: whatever works on the host, and these; dockerd and its containers live."""
        cut_power(self.host_processes)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        (self.host(name) / "hangs").unlink(missing_ok=True)

    def done(self):
        """And what runs in containers that have a port."""
        found = super().done()
        for host in (self.stand / "hosts").iterdir():
            for box in self.engine(host.name)["containers"]:
                if "pid" in box:
                    os.kill(box["pid"], signal.SIGKILL)
        return found

    def until_host_hangs(self, name="h1"):
        """Waits for a hung stand-in there, as planned; its pid."""
        file = self.host(name) / "hangs"
        return int(wait_for(lambda: file.exists() and file.read_text(), "a command on the host to hang", 60))


class BlueGreenBench(SshBench):
    """A host with a real nginx, whose upstream file is ours; a container answers with the name of its image."""

    def __init__(self, path, tools_folder, compose="v1"):
        if not os.access("/usr/sbin/nginx", os.X_OK):
            pytest.skip("nginx is not installed")
        super().__init__(path, tools_folder, compose)
        os.symlink(stand_in("host/nginx"), self.host_bin / "nginx")
        (self.app / "docker-compose.yml").write_text(COMPOSE + PORTS)
        self.port, *self.ports = free_port(), free_port(), free_port()
        self.upstream = self.host() / "upstream" / "app.conf"
        self.upstream.parent.mkdir()
        self.upstream.write_text(f"server 127.0.0.1:{self.ports[0]};\n")
        self.environment |= {
            "DEPLOY_STRATEGY": "bluegreen", "NGINX_UPSTREAM_FILE": str(self.upstream),
            "NGINX_RELOAD_COMMAND": "nginx -s reload", "APP_PORTS": ",".join(map(str, self.ports))}
        self.configure(f"include {self.upstream};")
        self.nginx = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", self.host(), "-e", self.host() / "nginx.log", "-c", self.host() / "nginx.conf"],
            stdin=subprocess.DEVNULL)
        wait_for(lambda: self.ask()[0] != 0, "nginx to listen", 60)

    def own_words(self):
        return [*super().own_words(), *map(str, (self.port, *self.ports))]

    def configure(self, upstream):
        (self.host() / "nginx.conf").write_text(NGINX % (upstream, self.port))

    def ask(self):
        """(status, which image answers)."""
        return get(f"http://127.0.0.1:{self.port}/", timeout=30)

    def serves(self):
        """The digest of what answers behind nginx."""
        status, text = self.ask()
        return text.partition("@")[2] if status == 200 else status

    def file_says(self):
        says = r"server 127\.0\.0\.1:(\d+);(?: # deploybot: staging)?\n"
        return int(re.fullmatch(says, self.upstream.read_text())[1])

    def port_of(self, digest):
        """The ports on which containers of it run."""
        return [box["port"] for box in self.engine()["containers"]
                if "port" in box and box["of"].endswith(digest) and box["status"] == "running"]

    def release(self, text):
        commit, digest = super().release(text)
        self.set_health(digest, "healthy")
        return commit, digest

    def set_health(self, digest, health):
        self.change_engine(health={**self.engine().get("health", {}), "sha256:id-of-" + digest[-8:]: health})

    def done(self):
        found = super().done()
        self.nginx.terminate()
        self.nginx.wait(timeout=60)
        return found


class People(threading.Thread):
    """Ask one after the other, each with a connection of his own, while the block runs; what they got is in `got`."""

    def __init__(self, bench):
        super().__init__()
        self.bench, self.got, self.is_over = bench, [], False

    def run(self):
        while not self.is_over:
            self.got.append(self.bench.serves())
            select.select([], [], [], 0.02)     # they are no load test

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.join()


def drain(bench, **settings):
    """As the server orders it behind the health gate; by hand it is whichever deployment's."""
    return bench.run("drain.sh", "staging", **{"DEPLOYMENT_ID": None, **settings})


def is_whole(bench, digest):
    """This release runs and answers, once what it replaced is drained alone; file and .env say so."""
    status, said = drain(bench)
    assert status == 0, said
    (port,) = bench.port_of(digest)
    assert bench.serves() == digest
    assert len(bench.engine()["containers"]) == 1 and bench.file_says() == port
    assert f"DEPLOY_IMAGE={bench.image}@{digest}\nDEPLOY_PORT={port}\n" in (bench.app / ".env").read_text()


def deploy(bench, commit):
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, "\n".join(said)
    return said


class Download:
    """A client whose answer does not come: its connection holds one of nginx's workers."""

    def __init__(self, bench):
        self.socket = socket.create_connection(("127.0.0.1", bench.port))
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")  # its head does not end: no worker may close it

    def is_open(self):
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1) != b""
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.socket.setblocking(True)

    def ends(self):
        self.socket.sendall(b"Connection: close\r\n\r\n")
        answer = b""
        while more := self.socket.recv(4096):
            answer += more
        return answer


def left_running(bench, **settings):
    """A release over another with a connection open: (commit and digest of the earlier one, of the new one)."""
    one = bench.shipped("one")
    drain(bench)
    two = bench.release("two")
    client = Download(bench)
    status, said = bench.run("deploy.sh", "staging", two[0], DEPLOYMENT_ID="40", **settings)
    assert status == 0, said
    return one, two, client


# A way of its own to a host and a port: SSH_PROXY_COMMAND.
TUNNEL = """#!/bin/bash
echo "$*" >>"$0.calls"
exec /usr/bin/python3 -IS -c '
import os, socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def back():
    while data := s.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back).start()
while data := os.read(0, 65536):
    s.sendall(data)
s.shutdown(socket.SHUT_WR)' "$1" "$2"
"""

SSHD = """PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
MaxStartups 100
HostKey {path}/host_key
AuthorizedKeysFile {path}/authorized
"""


class Sshd:
    """A real sshd on loopback, with a port for each host: what runs there has the environment of that host."""

    def __init__(self, path, addresses, options=""):
        """addresses: [(address, port, {variable: value})]; its host key and whom it lets in are files of `path`."""
        self.path = path
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)     # it wants that, and works elsewhere
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path / "host_key"], check=True)
        places = [f"[{address}]:{port}" for address, port, _ in addresses]
        text = SSHD.format(path=path) + "".join(f"ListenAddress {place}\n" for place in places) + options
        for _, port, variables in addresses:
            if variables:
                words = " ".join(f"{key}={value}" for key, value in variables.items())
                text += f"Match LocalPort {port}\n    SetEnv {words}\n"
        (path / "sshd_config").write_text(text)
        public = " ".join((path / "host_key.pub").read_text().split()[:2])
        self.known = "".join(f"{place} {public}\n" for place in places)
        with open(path / "sshd.log", "wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", path / "sshd_config"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: self.said().count("Server listening on") == len(addresses), "sshd on loopback", 60)

    def said(self):
        assert self.process.poll() is None, (self.path / "sshd.log").read_text()
        return (self.path / "sshd.log").read_text()

    def connections(self):
        """How many were let in so far."""
        return self.said().count("Accepted publickey")

    def done(self):
        self.process.terminate()
        self.process.wait(timeout=60)


class SshdBench(SshBench):
    """The hosts h1 and h2 behind a real sshd, and another one that may lead there; the engines are stand-ins."""

    def __init__(self, path, tools_folder, compose="v2"):
        super().__init__(path, tools_folder, compose)
        (self.bin / "ssh").unlink()
        os.symlink("/usr/bin/ssh", self.bin / "ssh")
        self.port, self.port_2, self.jump_port = free_port(), free_port(), free_port()
        where = {"PATH": (self.stand / "host.path").read_text()}
        self.sshd = self.begin("sshd", [
            ("::1", self.port, {**where, "STAND": self.host()}),
            ("127.0.0.1", self.port_2, {**where, "STAND": self.host("h2")})])
        self.jump = self.begin("jump", [("127.0.0.1", self.jump_port, {})])
        self.known.write_text(self.sshd.known + self.jump.known)
        self.environment |= {
            "DEPLOY_USER": getpass.getuser(), "STAGING_HOST": f"[::1]:{self.port},127.0.0.1:{self.port_2}"}

    def lives(self):
        return True     # sshd, and what it logs

    def begin(self, name, addresses):
        folder = self.path / name
        folder.mkdir()
        (folder / "authorized").write_text(self.key.with_name("key.pub").read_text())
        return Sshd(folder, addresses)

    def shared(self):
        """The processes of connections that calls share: {pid: the host's port}."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words[0] == "ssh" and "-oControlMaster=yes" in words and f"-oIdentityFile={self.key}" in words:
                found[int(pid)] = int(words[words.index("--") - 1])
        return found

    def done(self):
        found = super().done()
        self.sshd.done()
        self.jump.done()
        return found
