"""Goal: behind the shipped nginx.conf no delivery is lost while deploybot restarts on a socket that is kept,
nor while nginx takes a renewed certificate; and deploybot sees that certificate as the world does."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import sqlite3
import subprocess
import threading

import pytest

from github import push_payload
from nginx_aid import NAME, PATIENCE_S, Proxy, need_nginx
from ops_aid import WAIT_S, bare, check_stop, github_headers, metric
from stage import free_port, wait_until
from test_ops_socket import activated, listener

CALLERS = 6
TURNS = 5


class Caller(threading.Thread):
    """Signed pushes through nginx, one after the other, until it is stopped."""

    def __init__(self, nginx, number):
        super().__init__(daemon=True)
        self.nginx, self.number = nginx, number
        self.is_over = False
        self.taken, self.failures = [], []

    def run(self):
        n = 0
        while not self.is_over:
            n += 1
            guid = f"{self.number}a{n}"
            commit = f"{self.number * 1_000_000 + n:040x}"
            body = json.dumps(push_payload("orchard/shop", "refs/heads/nobodys", "1" * 40, commit)).encode()
            try:
                status = self.nginx.ask("POST", "/github/webhook", body, github_headers(body, guid=guid)).status
                (self.taken if status in (200, 202) else self.failures).append((guid, status))
            except OSError as error:
                self.failures.append((guid, repr(error)))


class Load:
    """Callers all the while; what they were answered is compared with what is stored."""

    def __init__(self, nginx, bot):
        self.bot = bot
        self.callers = [Caller(nginx, n) for n in range(1, CALLERS + 1)]

    def taken(self):
        return [guid for caller in self.callers for guid, _ in caller.taken]

    def wait_more(self, count=20):
        before = len(self.taken())
        wait_until(lambda: len(self.taken()) > before + count, PATIENCE_S, "load")

    def __enter__(self):
        for caller in self.callers:
            caller.start()
        return self

    def __exit__(self, kind, *_):
        for caller in self.callers:
            caller.is_over = True
        for caller in self.callers:
            caller.join(PATIENCE_S)
        if kind is None:
            assert [f for caller in self.callers for f in caller.failures] == []
            path = f"file:{self.bot.settings['STATE_DIRECTORY']}/deploybot.db?mode=ro"
            with sqlite3.connect(path, uri=True) as rows:
                known = {row[0] for row in rows.execute("SELECT id FROM inbox WHERE source = 'github'")}
            assert set(self.taken()) <= known


@pytest.fixture
def pair(tmp_path):
    need_nginx()
    with listener() as kept:
        bot = activated(tmp_path, kept).start()
        nginx = Proxy(tmp_path, f"127.0.0.1:{bot.port}").start()
        yield nginx, bot
        nginx.stop()
        check_stop(bot)


@pytest.mark.long
def test_deploybot_restarts_on_its_socket_and_nobody_hears_of_it(pair):
    nginx, bot = pair
    with Load(nginx, bot) as load:
        for _ in range(TURNS):
            load.wait_more()
            check_stop(bot)
            bot.start(wait=False)
        load.wait_more()
    assert nginx.errors() == ""


@pytest.mark.long
def test_a_renewed_certificate_is_shown_after_a_reload_that_refuses_nobody(pair):
    nginx, bot = pair
    with Load(nginx, bot) as load:
        for _ in range(TURNS):
            load.wait_more()
            nginx.renew()
            nginx.reload()
            new = pathlib.Path(nginx.folder, "cert.pem").read_text(encoding="ascii")
            wait_until(lambda text=new: nginx.shown() == text, PATIENCE_S, "the new certificate")
        load.wait_more()
    assert nginx.errors() == ""


def test_deploybot_sees_the_certificate_that_nginx_shows(tmp_path):
    """By its name: under another one nginx shows none."""
    need_nginx()
    port = free_port()
    nginx = Proxy(tmp_path, f"127.0.0.1:{port}", [(re.escape(f"server_name {NAME};"), "server_name localhost;")])
    bot = bare(tmp_path, API_SERVER_PORT=str(port),
               TELEGRAM_WEBHOOK_URL=f"https://localhost:{nginx.port}/telegram/webhook")
    nginx.start()
    bot.start()
    wait_until(lambda: metric(bot, "deploybot_tls_probe_up") == 1, WAIT_S, "a look at it")
    end = subprocess.run(["openssl", "x509", "-in", f"{nginx.folder}/cert.pem", "-noout", "-enddate", "-dateopt",
                          "iso_8601"], capture_output=True, text=True, check=True).stdout
    seconds = subprocess.run(["date", "-d", end.partition("=")[2].strip(), "+%s"], capture_output=True, text=True,
                             check=True).stdout
    assert metric(bot, "deploybot_tls_expiry_timestamp_seconds") == int(seconds)
    nginx.stop()
    check_stop(bot)
