"""shipping_aid.py - a runner with the transport local, a repository, and an application that says what it got."""
# SPDX-License-Identifier: ISC
import json
import os
import signal
import subprocess
import urllib.request

from runner_client import ROOT, Bench, is_alive
from stage import free_port

DEPLOY = os.path.join(ROOT, "deploy")
APP = """#!/bin/bash
exec /usr/bin/python3 -c '
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"commit": os.environ["COMMIT"], "page": open("page").read(),
                           "env": sorted(os.environ)}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()'
"""


def git(folder, *arguments, **env):
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
             "GIT_AUTHOR_NAME": "Ann Example", "GIT_AUTHOR_EMAIL": "a@example.org",
             "GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "b@example.org", **env}).stdout.strip()


class Repository:
    def __init__(self, path):
        self.path = path
        path.mkdir()
        git(path, "init", "-q", "-b", "main")
        self.count = 0

    def commit(self, subject, **files):
        self.count += 1
        for name, text in files.items():
            file = self.path / name.replace("__", "/").replace("DOT", ".")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o755)
        date = f"2026-01-01T00:{self.count // 60:02}:{self.count % 60:02}Z"
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", subject,
            GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
        return git(self.path, "rev-parse", "HEAD")


class ShippingBench(Bench):
    def __init__(self, path):
        super().__init__(path)
        self.repository = Repository(path / "repository")
        self.port = free_port()
        self.app = self.state / "apps" / "staging"
        self.run_id = 0

    def shipper(self, **env):
        return self.runner(DEPLOY_TRANSPORT="local", REPOSITORY_URL=str(self.repository.path),
                           STAGING_PORT=str(self.port), **env)

    def ship(self, runner, commit, **order):
        self.run_id += 1
        supervisor = runner.start(self.run_id, argument=commit, deployment=self.run_id, **order)
        return supervisor.exit(seconds=60)

    def page(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return json.load(answer)

    def app_pid(self):
        return int((self.app / "app.pid").read_text().split()[0])

    def done(self):
        super().done()
        if (self.app / "app.pid").exists() and is_alive(self.app_pid()):
            os.kill(self.app_pid(), signal.SIGKILL)


def lines(answer):
    """[(key, value)] of an answer's body."""
    text = answer.body.decode(errors="replace")    # cut between bytes
    return [tuple(line.split(" ", 1)) for line in text.splitlines() if " " in line and not line.startswith("==>")]


def good_app(bench, page):
    return bench.repository.commit(page, **{"DOTdeploybot__run": APP, "page": page})
