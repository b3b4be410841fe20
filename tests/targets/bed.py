#!/usr/bin/python3
"""bed.py - a small data centre of real parts: two hosts, a forge with git, registry and builder.

    with Bed(folder) as bed:            # inside inside.py's namespaces
        bed.hosts["h1"].run("docker ps")

    h1, h2   10.77.0.11, 10.77.0.12     sshd, a container engine, nginx in front of /srv/app's compose file
    forge    10.77.0.9                  sshd with the repository, a registry with a password, an engine that builds
    we       10.77.0.1                  and on port 5000 a door to the registry, which can be made to misbehave

"""
# SPDX-License-Identifier: ISC
# make bed: a shell in it; make bed RUN='COMMAND...'
import base64
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings

with warnings.catch_warnings():
    # It goes with Python 3.13; Debian 12 has 3.11, and no other bcrypt without a package more.
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt  # pylint: disable=deprecated-module

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for _folder in (HERE, ROOT / "tests" / "peers", ROOT / "tests" / "demo", ROOT / "tests" / "e2e"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import sample_app  # noqa: E402  pylint: disable=wrong-import-position
from registry_door import RegistryDoor  # noqa: E402  pylint: disable=wrong-import-position
from stage import get, wait_until  # noqa: E402  pylint: disable=wrong-import-position

OURS = "10.77.0.1"
FORGE = "10.77.0.9"
HOSTS = {"h1": "10.77.0.11", "h2": "10.77.0.12"}
REGISTRY_PORT = 5000
REGISTRY_USER = "shop"
REGISTRY_PASSWORD = "registry-password_0123456789"
REGISTRY = f"http://{OURS}:{REGISTRY_PORT}"
IMAGE = "orchard/shop"
START_TIMEOUT_S = 120

DOCKERFILE = """FROM scratch
ARG COMMIT=
ENV COMMIT=$COMMIT
COPY shop app.py settings.json release.json /
HEALTHCHECK --interval=1s --timeout=2s --start-period=2s CMD ["/shop", "--health"]
CMD ["/shop"]
"""
COMPOSE = """version: "3.7"
services:
  app:
    image: ${DEPLOY_IMAGE}
    restart: unless-stopped
    ports:
      - "%s:8080"
"""
RECREATE = COMPOSE % "8080"
BLUEGREEN = COMPOSE % "127.0.0.1:${DEPLOY_PORT}"
NGINX = """worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 2048; }
http {
    access_log off;
    upstream app { include /etc/nginx/upstream/app.conf; }
    server {
        listen 80 backlog=4096;
        location / { proxy_pass http://app; }
        location = /requests { stub_status; }
    }
    server {
        listen 81 backlog=4096;
        keepalive_timeout 0;
        location / { proxy_pass http://app; }
    }
}
"""
REGISTRY_CONFIG = """version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /var/lib/docker/registry}, delete: {enabled: true}}
http: {addr: ":5000", relativeurls: true}
auth: {htpasswd: {realm: orchard, path: /bed/htpasswd}}
"""
UPSTREAM_FILE = "/etc/nginx/upstream/app.conf"
# A machine has nothing of ours: a TMPDIR that is not there ends each health check of its engine.
ENVIRONMENT = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


def sh(*words, **options):
    """Runs something that must succeed; what it prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_key(path, comment):
    """An ssh key pair; its public half."""
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))
    return path.with_name(path.name + ".pub").read_text(encoding="ascii").strip()


class Machine:
    """A machine with an address, started and switched off as one; its folder is /bed in it."""

    def __init__(self, folder, name, address, services, key):
        self.name = name
        self.address = address
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.services = services
        self.host_key = make_key(self.folder / "host_key", name)
        (self.folder / "authorized_keys").write_text(f"restrict {key}\n", encoding="ascii")
        (self.folder / "docker-compose.yml").write_text(RECREATE, encoding="ascii")
        (self.folder / "nginx.conf").write_text(NGINX, encoding="ascii")
        self.wire = f"bed-{name}"
        self.process = None
        self.pid = None

    def words(self):
        """What becomes the machine, in a network that is its own already."""
        return ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "--mount", "--pid", "--uts", "--ipc",
                "--fork", "--kill-child=KILL", "--mount-proc", "--propagation", "private", *ENVIRONMENT,
                *(f"{name}={os.environ[name]}" for name in ("BED_ROOT", "BED_CGROUP")),
                "bash", str(HERE / "machine.sh"), self.name, str(self.folder), *self.services]

    def start(self):
        """Begins; is_up() says when it is."""
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        sh("ip", "link", "set", self.wire, "master", "bed0", "up")
        for words in (f"address add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            sh("ip", "-n", self.name, *words.split())
        with open(self.folder / "machine.log", "ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start:\n{self.log('machine')}")
        if not self.has_begun():
            return False
        if "docker" in self.services and self.try_run("docker version >/dev/null 2>&1").returncode != 0:
            return False
        return answers(self.address, 22)

    def has_begun(self):
        if not (self.folder / "started").exists():
            return False
        self.pid = self.pid or self.child()
        return True

    def child(self):
        """The first process in it, by our number; None as long as there is none."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = children.read_text(encoding="ascii").split()
        return int(found[-1]) if found else None

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-4000:] if path.exists() else ""

    def try_run(self, script, timeout=120):
        """Runs a shell's words in the machine, as root."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "--all", "--root", "--wd", *ENVIRONMENT,
                               "bash", "-c", script],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def run(self, script, timeout=120):
        """The same, and it must succeed; what it prints."""
        done = self.try_run(script, timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {script}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def write(self, path, text):
        """A file of the machine, put in the place of what was there; its owner and mode stay."""
        (self.folder / "file").write_text(text, encoding="utf-8")
        self.run(f"cat /bed/file >{path}")

    def link(self, up):
        """Plugs its cable in, or out: what it is sent and what it says goes nowhere."""
        sh("ip", "link", "set", self.wire, "up" if up else "down")

    def disk(self, free_kb=None):
        """Leaves so much of the container engine's disk free; None: as it was."""
        size = "2G"
        if free_kb is not None:
            used = int(self.run("df --output=used -k /var/lib/docker | tail -n 1"))
            size = f"{used + free_kb}k"
        self.run(f"mount -o remount,size={size} /var/lib/docker")

    def running(self):
        """The images (as they were named) that containers of the application run now."""
        return self.run("docker ps --no-trunc --format '{{.Image}}'").split()

    def switch_off(self):
        """The power is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()
            # Its mounts and its network end with the last process in it.
            subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)
            subprocess.run(["ip", "link", "delete", self.wire], capture_output=True, check=False)
        self.process = None
        self.pid = None


def answers(address, port):
    try:
        with socket.create_connection((address, port), 2):
            return True
    except OSError:
        return False


class Bed:
    """All of it; start() returns when every part answers."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        key = make_key(self.folder / "key", "deploybot")
        git_key = make_key(self.folder / "git_key", "deploybot's for git")
        self.forge = Machine(self.folder, "forge", FORGE, ["git", "docker", "registry", "sshd"], git_key)
        self.hosts = {name: Machine(self.folder, name, address, ["app", "docker", "nginx", "sshd"], key)
                      for name, address in HOSTS.items()}
        self.machines = [self.forge, *self.hosts.values()]
        self.known_hosts = self.folder / "known_hosts"
        self.know_hosts()
        secret = crypt.crypt(REGISTRY_PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        (self.forge.folder / "htpasswd").write_text(f"{REGISTRY_USER}:{secret}\n", encoding="ascii")
        (self.forge.folder / "registry.yml").write_text(REGISTRY_CONFIG, encoding="ascii")
        self.password = self.folder / "registry-password"
        self.password.write_text(REGISTRY_PASSWORD + "\n", encoding="ascii")
        self.password.chmod(0o600)
        self.shop = self.folder / "shop"
        self.door = None

    def know_hosts(self):
        """Pins every machine's key."""
        self.known_hosts.write_text("".join(f"{machine.address} {' '.join(machine.host_key.split()[:2])}\n"
                                            for machine in self.machines), encoding="ascii")

    def start(self):
        began = time.monotonic()
        try:
            sh("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", str(self.shop), str(HERE / "shop.c"))
            for machine in self.machines:
                machine.start()
            for machine in self.machines:
                wait_until(machine.is_up, START_TIMEOUT_S, machine.name)
            wait_until(lambda: get(f"http://{FORGE}:{REGISTRY_PORT}/v2/")[0] == 401, START_TIMEOUT_S, "the registry")
            self.door = RegistryDoor((OURS, REGISTRY_PORT), (FORGE, REGISTRY_PORT))
        except BaseException:
            self.stop()
            raise
        print(f"bed: {len(self.machines)} machines are up after {time.monotonic() - began:.1f} s", flush=True)
        return self

    def stop(self):
        if self.door is not None:
            self.door.close()
        for machine in self.machines:
            machine.switch_off()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- the repository ---

    def publish(self, bare, tree):
        """Puts the sample application's Dockerfile on its branches, and the repository on the forge."""
        for branch in sample_app.BRANCHES:
            sample_app.check_out(tree, branch)
            sample_app.write(tree, "Dockerfile", DOCKERFILE)
            shutil.copy(self.shop, pathlib.Path(tree) / "shop")
            sample_app.commit(tree, "ada", "The shop comes in a container")
            sample_app.git(tree, "push", "-q", "origin", branch)
        there = self.forge.folder / "shop.git"
        shutil.rmtree(there, ignore_errors=True)
        shutil.move(bare, there)
        sample_app.git(tree, "remote", "set-url", "origin", str(there))

    # --- settings ---

    def settings(self, strategy="recreate", hosts=None):
        """What a deploybot needs to know to release to production here."""
        addresses = [HOSTS[name] for name in hosts or HOSTS]
        port = 8080 if strategy == "recreate" else 80
        found = {
            "DEPLOY_TRANSPORT": "ssh",
            "DEPLOY_STRATEGY": strategy,
            "DEPLOY_USER": "deploy",
            "DOCKER_HOST": f"unix://{self.forge.folder}/docker.sock",
            "REPOSITORY_URL": f"ssh://git@{FORGE}/bed/shop.git",
            "REPOSITORY_KEY_PATH": str(self.folder / "git_key"),
            "REPOSITORY_KNOWN_HOSTS": str(self.known_hosts),
            "SSH_KEY_PATH": str(self.folder / "key"),
            "SSH_KNOWN_HOSTS": str(self.known_hosts),
            "REGISTRY_URL": REGISTRY,
            "REGISTRY_IMAGE": IMAGE,
            "REGISTRY_USER": REGISTRY_USER,
            "REGISTRY_PASSWORD_FILE": str(self.password),
            "PRODUCTION_HOST": ",".join(addresses),
            "PRODUCTION_HEALTH_URL": ",".join(f"http://{address}:{port}/health" for address in addresses),
        }
        if strategy == "bluegreen":
            found |= {"NGINX_UPSTREAM_FILE": UPSTREAM_FILE, "NGINX_RELOAD_COMMAND": "sudo -n nginx -s reload",
                      "APP_PORTS": "8001,8002", "DRAIN_SECONDS": "2"}
        return found

    def clear(self, strategy="recreate"):
        """Hosts as they were delivered: nothing runs, the strategy's compose file lies there."""
        for host in self.hosts.values():
            host.link(True)
            host.run("docker ps -aq | xargs -r docker rm -f >/dev/null; docker network prune -f >/dev/null; "
                     "docker image prune -af >/dev/null; rm -rf /srv/app/.[!.]* /srv/app/*")
            host.write("/srv/app/docker-compose.yml", RECREATE if strategy == "recreate" else BLUEGREEN)
            host.run("chown -R deploy: /srv/app; echo 'server 127.0.0.1:8001;' >/etc/nginx/upstream/app.conf; "
                     "! pgrep -x nginx >/dev/null || nginx -s reload")

    # --- the registry as it is ---

    def ask_registry(self, path, method="GET", accept="application/vnd.docker.distribution.manifest.v2+json"):
        """(status, headers, body) of the registry itself, past the door."""
        proof = base64.b64encode(f"{REGISTRY_USER}:{REGISTRY_PASSWORD}".encode()).decode()
        request = urllib.request.Request(f"http://{FORGE}:{REGISTRY_PORT}/v2/{path}", method=method,
                                         headers={"Authorization": f"Basic {proof}", "Accept": accept})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def digest(self, tag):
        """The digest that a tag has there, None when there is no such tag."""
        status, headers, _ = self.ask_registry(f"{IMAGE}/manifests/{tag}", "HEAD")
        return headers.get("Docker-Content-Digest") if status == 200 else None

    def has(self, digest):
        return self.ask_registry(f"{IMAGE}/manifests/{digest}", "HEAD")[0] == 200


def main():
    """A shell, or a command, that has the bed around it and its settings in the environment."""
    if os.environ.get("BED_REFUSED"):
        return 1
    (ROOT / "build" / "targets").mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bed-", dir=ROOT / "build" / "targets"))
    with Bed(folder) as bed:
        bare, tree = sample_app.create(str(folder / "repository"), 0)
        bed.publish(bare, tree)
        settings = {**bed.settings(os.environ.get("STRATEGY", "recreate")), "STATE_DIRECTORY": str(folder / "state"),
                    "COMMIT": sample_app.git(tree, "rev-parse", "main")}
        bed.clear(settings["DEPLOY_STRATEGY"])
        print("".join(f"{name}={value}\n" for name, value in settings.items()))
        who = ", ".join(f"{machine.name} {machine.pid}" for machine in bed.machines)
        print(f"machines: nsenter --all --root -t PID: {who}", flush=True)
        status = subprocess.run(sys.argv[1:] or ["bash"], env={**os.environ, **settings}, check=False).returncode
    shutil.rmtree(folder)
    return status


if __name__ == "__main__":
    sys.exit(main())
