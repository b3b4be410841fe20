"""bench_peers.py - the programs that ours is measured beside, each on the server's core."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess

import kit

HERE = pathlib.Path(__file__).resolve().parent
NPM_TIMEOUT_S = 600  # better-sqlite3 is compiled, SQLite and all


class Peer:
    """A process that listens on a free port."""

    route = "/hooks/push"
    name = ""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(kit.cores()[1]), *map(str, command)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            kit.wait_until(self.is_up, 30, f"the port of {command[0]}")
        except BaseException:
            self.close()
            raise

    port = 0

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


class Webhook(Peer):
    """Debian's `webhook`: the same signature checked, then /bin/true; or a branch that is not it."""

    def __init__(self, folder, matches):
        self.name = "webhook, /bin/true" if matches else "webhook, no rule matches"
        self.port = kit.free_port()
        signature = {"match": {
            "type": "payload-hmac-sha256", "secret": kit.GITHUB_SECRET,
            "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}
        branch = {"match": {"type": "value", "value": "refs/heads/nobody-pushes-this",
                            "parameter": {"source": "payload", "name": "ref"}}}
        rule = signature if matches else {"and": [signature, branch]}
        hooks = folder / f"hooks-{int(matches)}.json"
        hooks.write_text(json.dumps([{
            "id": "push", "execute-command": "/bin/true", "http-methods": ["POST"],
            "trigger-rule": rule}]), encoding="ascii")
        super().__init__("webhook", "-hooks", hooks, "-ip", "127.0.0.1", "-port", self.port)


class Nginx(Peer):
    """The floor: nginx reads the request and says 200."""

    name = "nginx return 200"

    def __init__(self, folder):
        self.port = kit.free_port()
        prefix = folder / "nginx"
        prefix.mkdir(exist_ok=True)
        (prefix / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {prefix}/pid; error_log {prefix}/error;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 1m;
  client_body_buffer_size 32k; client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
  fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi; scgi_temp_path {prefix}/scgi;
  server {{ listen 127.0.0.1:{self.port} backlog=1024; location / {{ return 200 "ok"; }} }}
}}
""", encoding="utf-8")
        super().__init__(shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"),
                         "-p", prefix, "-c", prefix / "nginx.conf", "-e", prefix / "error")


def headers_folder(node):
    """What node-gyp compiles against: the headers of this node, or Debian's libnode-dev."""
    for prefix in (pathlib.Path(node).resolve().parents[1], pathlib.Path("/usr")):
        if (prefix / "include" / "node" / "node.h").exists():
            return prefix
    raise RuntimeError("there are no headers of node: install libnode-dev")


def install_node():
    """node/ with its packages in the build folder, compiled here; its folder."""
    folder = kit.build_dir() / "bench-node"
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    lock = (HERE / "node" / "package-lock.json").read_bytes()
    stamp = hashlib.sha256(lock + version.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(HERE / "node" / name, folder)
    if (folder / "stamp").exists() and (folder / "stamp").read_text("ascii") == stamp:
        return folder
    print("  npm ci: @octokit/webhooks, and better-sqlite3 compiled (a minute) …", flush=True)
    # From its source: what is compiled already would come from GitHub.
    settings = {"npm_config_nodedir": str(headers_folder(node)),
                "npm_config_build_from_source": "true", "npm_config_update_notifier": "false"}
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder,
                          env={**os.environ, **settings}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci ended with {done.returncode}:\n{done.stderr[-3000:]}")
    (folder / "stamp").write_text(stamp, encoding="ascii")
    return folder


class Node(Peer):
    """@octokit/webhooks on node:http; durable: better-sqlite3, WAL, synchronous FULL."""

    route = "/github/webhook"

    def __init__(self, folder, is_durable):
        self.name = ("node, @octokit, better-sqlite3 FULL" if is_durable else
                     "node, @octokit, storing nothing")
        self.port = kit.free_port()
        database = [folder / f"node-{self.port}.db"] if is_durable else []
        super().__init__("node", install_node() / "server.mjs", self.port, kit.GITHUB_SECRET,
                         *database)
