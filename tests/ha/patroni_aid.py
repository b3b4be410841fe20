"""patroni_aid.py - two nodes of PostgreSQL under patroni, and three members of etcd, in a folder in memory."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from crash_aid import is_alive
from runner_client import children_of
from stage import ROOT, SLOW, free_port, get, wait_until

PATIENCE_S = 120
MEMBERS = 3
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] if os.geteuid() == 0 else []
# Of the lease (patroni has 30); its parts are a round and the time of tries.
TTL_S = int(os.environ.get("TTL", "20"))
ROLES = {role: {"username": name} for role, name in (("superuser", "postgres"), ("replication", "replica"),
                                                     ("rewind", "rewind"))}


def end(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def psql(url, text):
    return subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url], input=text, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


class Process:
    """A daemon of that folder, which has nothing of our environment."""

    def __init__(self, folder, name, *words):
        self.folder, self.name, self.words, self.process = folder, name, words, None
        self.log_path = folder / f"{name}.log"

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*AS_NOBODY, *map(str, self.words)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"}, start_new_session=True)
        return self

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Node:
    """A machine of the database: patroni, and the PostgreSQL that it starts."""

    def __init__(self, folder, name, etcd):
        self.folder, self.name = folder, name
        self.port, rest = free_port(), free_port()
        self.base, self.data = f"http://127.0.0.1:{rest}", folder / name
        self.config = folder / f"{name}.json"
        bin_dir = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.config.write_text(json.dumps({
            "scope": "deploybot", "name": name, "etcd3": {"hosts": etcd},
            "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{rest}"},
            "bootstrap": {
                "dcs": {"ttl": TTL_S, "loop_wait": TTL_S // 6, "retry_timeout": TTL_S // 3, "synchronous_mode": True,
                        "postgresql": {"use_pg_rewind": True}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.data), "bin_dir": str(bin_dir), "pgpass": str(folder / f"{name}.pgpass"),
                "authentication": ROLES, "parameters": {"unix_socket_directories": ""},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]}}))
        self.patroni = Process(folder, f"patroni-{name}", "/usr/bin/patroni", self.config)

    def role(self):
        """As patroni says it: master, replica, or nothing where nobody answers."""
        status, body = get(self.base + "/patroni", timeout=2)
        return json.loads(body).get("role") if status and body.startswith("{") else None

    def is_synchronous(self):
        return get(self.base + "/synchronous", timeout=2)[0] == 200

    def postmaster(self):
        """0: there is none."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text("ascii").splitlines()[0])
            return pid if is_alive(pid) else 0
        return 0

    def postgres(self):
        """Its postmaster and what that has started."""
        first = self.postmaster()
        return [first, *children_of(first)] if first else []

    def signal(self, number, patroni=True):
        for pid in [*([self.patroni.process.pid] if patroni else []), *self.postgres()]:
            end(pid, number)

    def kill(self):
        """kill -9 of all that is there, as a machine that loses its power."""
        pids = self.postgres()
        self.patroni.kill()
        for pid in pids:
            end(pid)
        wait_until(lambda: not any(map(is_alive, pids)), PATIENCE_S, "that it is gone")

    def sql(self, text, database="deploybot"):
        """As its administrator, at this node, whatever its role."""
        done = psql(f"postgresql://postgres@127.0.0.1:{self.port}/{database}?connect_timeout=3", text)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def prepare(self):
        build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build")
        printed = subprocess.run([build / "deploybot", "database", "prepare"], env={}, capture_output=True, text=True,
                                 check=True, timeout=PATIENCE_S)
        self.sql(printed.stdout, "postgres")


class Patroni:
    """What Pair has for its database: `url` names both nodes, sql() asks the one that takes writes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patroni.", dir="/dev/shm"))
        if AS_NOBODY:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.folder.chmod(0o755)
        peers = {f"e{i}": f"http://127.0.0.1:{free_port()}" for i in range(MEMBERS)}
        clients = {name: f"127.0.0.1:{free_port()}" for name in peers}
        self.etcd = [Process(
            self.folder, f"etcd-{name}", "etcd", "--name", name, "--data-dir", self.folder / f"etcd-{name}",
            "--listen-peer-urls", peers[name], "--initial-advertise-peer-urls", peers[name],
            "--listen-client-urls", f"http://{clients[name]}", "--advertise-client-urls", f"http://{clients[name]}",
            "--initial-cluster", ",".join(f"{one}={url}" for one, url in peers.items()), "--log-level", "error")
            for name in peers]
        self.nodes = [Node(self.folder, name, list(clients.values())) for name in ("n1", "n2")]
        self.url = ("postgresql://deploybot@" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes) +
                    "/deploybot?target_session_attrs=read-write")
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        for member in self.etcd:
            member.start()
        for node in self.nodes:
            node.patroni.start()
            wait_until(lambda node=node: node.role() in ("master", "replica"), PATIENCE_S, f"PostgreSQL of {node.name}")
        primary, _ = self.wait_whole()
        primary.prepare()

    def wait_primary(self, among=None):
        return wait_until(lambda: next((node for node in among or self.nodes if node.role() == "master"), None),
                          PATIENCE_S, "a primary")

    def wait_whole(self):
        """(the primary, its synchronous standby)."""
        def look():
            primary = next((node for node in self.nodes if node.role() == "master"), None)
            other = next((node for node in self.nodes if node is not primary), None)
            return primary and other.is_synchronous() and (primary, other)
        return wait_until(look, PATIENCE_S, "a primary with a synchronous standby")

    def patronictl(self, *words):
        done = subprocess.run(["patronictl", "-c", str(self.nodes[0].config), *words], capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder)},
                              timeout=PATIENCE_S * SLOW, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, text, url=None):
        """It is asked again while no node takes writes."""
        done = None

        def ask():
            nonlocal done
            done = psql((url or self.url) + "&connect_timeout=3", text)
            return done.returncode != 2
        wait_until(ask, PATIENCE_S, "a database")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self):
        for node in self.nodes:
            if node.patroni.process is not None:
                node.signal(signal.SIGCONT)
                node.kill()
        for member in self.etcd:
            if member.process is not None:
                member.kill()
