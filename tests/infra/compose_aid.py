"""compose_aid.py - docker-compose.yml brought up as docs/INSTALLATION.md says, with stand-ins for the internet.

The installation is a checkout of its own: what ships is copied, what an operator writes is written. We, Telegram and a
health URL are at WORLD, which containers reach as they would reach the internet. A script in the runner's configuration
takes the place of deploy.sh: it waits as long as a test says, and writes down what is live.
"""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess

import sample_app
from engine_aid import COMPOSE, HOST, ROOT, WORLD
from flow_aid import Health, Person
from github import push_payload
from ops_aid import github_headers
from stage import GITHUB_SECRET, WEBHOOK_SECRET, wait_until
from telegram_client import ADA, DEFAULT_TOKEN, Telegram

PATIENCE_S = 240
NAME = "deploybot.example.com"
SERVER, RUNNER = 10001, 10002
SCRIPT = """#!/bin/bash
set -u
here=$STATE_DIRECTORY/apps
echo "==> build"
: >"$here/$1.begun"
while [[ -e $here/hold ]]; do sleep 0.05; done
echo "==> release"
echo "${2%%@*}" >"$here/$1.live"
"""
CONF = """ADMIN_TELEGRAM_IDS={ada}
TELEGRAM_BOT_TOKEN_FILE=/run/secrets/telegram_bot_token
TELEGRAM_API_BASE={telegram}
TELEGRAM_WEBHOOK_URL=https://{name}/telegram/webhook
TELEGRAM_WEBHOOK_SECRET_FILE=/run/secrets/telegram_webhook_secret
GITHUB_WEBHOOK_SECRET_FILE=/run/secrets/github_webhook_secret
GITHUB_REPOSITORY=orchard/shop
REPOSITORY_URL=/srv/shop.git
POLL_REPOSITORY_SECONDS=0
DEPLOY_SCRIPT=/etc/deploybot/deploy.sh
ROLLBACK_SCRIPT=/etc/deploybot/deploy.sh
STAGING_HEALTH_URL={health}
PRODUCTION_HEALTH_URL={health}
HEALTH_CHECK_SUCCESSES=1
HEALTH_CHECK_INTERVAL=1
"""
# What a test has and an installation has not: a repository on a disk.
OVERRIDE = """services:
  runner:
    volumes:
      - {{type: bind, source: {repository}, target: /srv/shop.git, read_only: true}}
"""


class Installation:
    """A checkout with docker-compose.yml; the caller is in the engine's network."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = pathlib.Path(folder) / "deploybot"
        self.folder.mkdir(parents=True)
        for name in ("nginx", "deploy/compose", "deploy/monitoring"):
            shutil.copytree(ROOT / name, self.folder / name)
        shutil.copy(ROOT / "docker-compose.yml", self.folder)
        self.files = ["--file=docker-compose.yml"]
        self.variables = {"SERVER_IMAGE": "deploybot-server:test", "RUNNER_IMAGE": "deploybot-runner:test",
                          "NGINX_IMAGE": "nginx:test", "PROMETHEUS_IMAGE": "prometheus:test",
                          "ALERTMANAGER_IMAGE": "alertmanager:test",
                          "DEPLOYBOT_HOSTNAME": NAME, "COMPOSE_PROJECT_NAME": "deploybot"}
        self.chat = None
        self.health = None
        self.bare = self.work = self.trusted = self.next_certificate = None

    # --- what an operator does ---

    def prepare(self, **more):
        """deploy/compose/prepare.sh; (exit status, what it says)."""
        done = subprocess.run(["deploy/compose/prepare.sh"], cwd=self.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self.variables, **more})
        return done.returncode, done.stdout + done.stderr

    def put(self, path, text):
        """A file that an operator writes as root."""
        (self.folder / path).write_text(text, encoding="utf-8")

    def make_certificate(self, folder):
        folder.mkdir(exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "30", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                        "-keyout", "privkey.pem", "-out", "fullchain.pem"],
                       cwd=folder, check=True, capture_output=True, timeout=60)
        return (folder / "fullchain.pem").read_text(encoding="ascii")

    def set_up(self):
        """Everything that is needed to begin."""
        self.prepare()
        self.trusted = self.folder.parent / "trusted.pem"
        self.next_certificate = self.folder.parent / "next"
        self.trusted.write_text(self.make_certificate(self.folder / "secrets" / "tls") +
                                self.make_certificate(self.next_certificate), encoding="ascii")
        self.bare, self.work = sample_app.create(str(self.folder.parent / "repository"), 0)
        subprocess.run(["chown", "-R", f"{RUNNER}:{RUNNER}", str(self.bare)], check=True, timeout=60)
        # Telegram trusts whom its machine trusts: here these certificates.
        os.environ["SSL_CERT_FILE"] = str(self.trusted)
        self.chat = Telegram.start("--host", "0.0.0.0", "--limits", "off",
                                   "--resolve", f"{NAME}:443={HOST}:443")
        self.health = Health(WORLD)
        port = self.chat.base.rsplit(":", 1)[1]
        self.put("config/deploybot.conf", CONF.format(
            ada=ADA, name=NAME, telegram=f"http://{WORLD}:{port}", health=self.health.url("shop")))
        self.put("config/deploy.sh", SCRIPT)
        (self.folder / "config" / "deploy.sh").chmod(0o755)
        self.put("secrets/server/telegram_bot_token", DEFAULT_TOKEN + "\n")
        for name, text in (("bot_token", "223456789:BBaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"), ("chat_id", "-5"),
                           ("watchdog_url", "https://ring.example.org/")):
            self.put(f"secrets/alertmanager/alert_{name}", text + "\n")
        self.put("secrets/server/telegram_webhook_secret", WEBHOOK_SECRET + "\n")
        self.put("secrets/server/github_webhook_secret", GITHUB_SECRET + "\n")
        self.put("override.yml", OVERRIDE.format(repository=self.bare))
        self.files.append("--file=override.yml")
        status, said = self.prepare()
        assert status == 0, said

    # --- docker-compose ---

    def try_compose(self, *words, timeout=PATIENCE_S):
        return subprocess.run([COMPOSE, *self.files, *words], cwd=self.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout, check=False,
                              env=self.engine.environment(**self.variables))

    def compose(self, *words, timeout=PATIENCE_S):
        done = self.try_compose(*words, timeout=timeout)
        assert done.returncode == 0, f"docker-compose {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def up(self, *services):
        self.compose("up", "--detach", "--no-build", *services)

    def container(self, service):
        """What docker knows of it."""
        return self.engine.inspect(f"deploybot_{service}_1")

    def state(self, service):
        found = self.container(service)["State"]
        if found["Status"] != "running" or "Health" not in found:
            return found["Status"]
        return found["Health"]["Status"]

    def wait(self, service, *states):
        def is_there():
            return self.state(service) in states
        try:
            wait_until(is_there, PATIENCE_S, f"{service} {states}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: it is {self.state(service)}\n{self.logs(service)}") from None

    def wait_well(self, *services):
        for service in services or ("runner", "server", "nginx", "prometheus", "alertmanager"):
            self.wait(service, "healthy")

    def logs(self, service):
        done = self.engine.try_docker("logs", f"deploybot_{service}_1")
        return done.stdout + done.stderr

    def last_line(self, service):
        """What docker logs ends with."""
        lines = self.logs(service).strip().splitlines()
        return lines[-1] if lines else ""

    def volume(self, name):
        """Where a volume lies on the disk."""
        return pathlib.Path(self.engine.docker("volume", "inspect", "--format={{.Mountpoint}}", f"deploybot_{name}"))

    def down(self, *words):
        # Nothing that a test stopped may block the end.
        self.let_go()
        self.compose("down", "--timeout=60", *words, timeout=600)

    def end(self):
        with contextlib.suppress(Exception):
            for service in ("server", "runner", "nginx", "prometheus", "alertmanager"):
                print(f"--- {service}\n{self.logs(service)[-3000:]}")
        self.try_compose("kill", timeout=PATIENCE_S)
        self.try_compose("down", "--volumes", timeout=PATIENCE_S)
        os.environ.pop("SSL_CERT_FILE", None)
        if self.chat is not None:
            self.chat.stop()
        if self.health is not None:
            self.health.close()

    # --- the script ---

    def mark(self, name):
        return self.volume("state") / "apps" / name

    def hold(self):
        self.mark("hold").touch()

    def let_go(self):
        with contextlib.suppress(AssertionError):       # no volume, nothing stopped
            self.mark("hold").unlink(missing_ok=True)

    def begun(self, environment):
        """Waits until the script has begun, once."""
        wait_until(self.mark(f"{environment}.begun").exists, PATIENCE_S, f"a run for {environment}")
        self.mark(f"{environment}.begun").unlink()

    def live(self, environment="staging"):
        path = self.mark(f"{environment}.live")
        return path.read_text(encoding="ascii").strip() if path.exists() else None

    # --- people and GitHub ---

    @property
    def ada(self):
        return Person(self, ADA)

    def commit(self, branch):
        """A colleague's, of which nobody is notified; what a push of it says."""
        # Git trusts nobody else's repository: for that long it is ours.
        subprocess.run(["chown", "-R", "0:0", str(self.bare)], check=True, timeout=60)
        event = sample_app.change(self.work, branch, "good")
        subprocess.run(["chown", "-R", f"{RUNNER}:{RUNNER}", str(self.bare)], check=True, timeout=60)
        return event

    def push(self, branch="develop"):
        """A colleague's commit, and GitHub's delivery of it through nginx; the commit."""
        event = self.commit(branch)
        payload = push_payload("orchard/shop", f"refs/heads/{branch}", event["before"], event["after"])
        body = json.dumps(payload).encode()
        status, _, said = ask("POST", "/github/webhook", body, github_headers(body, guid=event["after"][:8]))
        assert status in (200, 202), (status, said)
        return event["after"]


class NamedConnection(http.client.HTTPSConnection):
    """To the published port, by the name that is in the certificate."""

    def connect(self):
        raw = socket.create_connection((HOST, 443), self.timeout)
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        self.sock = context.wrap_socket(raw, server_hostname=NAME)


def ask(method, path, body=None, headers=None, plain=False):
    """(status, header fields, body) of nginx, as everybody reaches it."""
    connection = (http.client.HTTPConnection(HOST, timeout=60) if plain
                  else NamedConnection(NAME, timeout=60))
    with contextlib.closing(connection):
        connection.request(method, path, body, {"Host": NAME, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
