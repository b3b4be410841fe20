"""Goal: the shipped nginx.conf lets exactly the two webhooks through, whole, and says who called."""
# SPDX-License-Identifier: ISC
import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from crash_aid import telegram_update
from ops_aid import (WAIT_S, bare, check_stop, github_headers, is_sanitized, metric,
                     resident_kb, telegram_headers, wait_audit)
from stage import wait_until
from telegram_client import ADA

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONF = os.path.join(ROOT, "nginx", "nginx.conf")
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Upstream(http.server.ThreadingHTTPServer):
    """Remembers what came; answers as it is told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        self.status = 200
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.seen.append(
            (self.command, self.path, list(self.headers.items()), hashlib.sha256(body).hexdigest())
        )
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = reply

    def log_message(self, *args):
        pass


def adapt(text, folder, port, upstream):
    """What the ADAPT marks ask for, for this test."""
    for pattern, value in [
        (r"^pid .*?;", f"pid {folder}/nginx.pid;"),
        (r"^error_log .*?;", f"error_log {folder}/error.log warn;"),
        (r"access_log \S+ deploybot;", f"access_log {folder}/access.log deploybot;"),
        (r"server 127\.0\.0\.1:8080;", f"server {upstream};"),
        (r"listen 443 ssl default_server;", f"listen 127.0.0.1:{port} ssl default_server;"),
        (r"listen \[::\]:443 ssl default_server;", ""),
        (r"ssl_certificate /\S+;", f"ssl_certificate {folder}/cert.pem;"),
        (r"ssl_certificate_key /\S+;", f"ssl_certificate_key {folder}/key.pem;"),
    ]:
        text, n = re.subn(pattern, value, text, flags=re.M)
        assert n == 1, pattern
    paths = "".join(
        f"\t{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    if os.geteuid() == 0:
        text = "user root;\n" + text  # the workers must reach the folder of this test
    return text.replace("http {\n", "http {\n" + paths, 1)


class Proxy:
    def __init__(self, folder, upstream):
        self.folder = folder
        self.port = free_port()
        self.conf = os.path.join(folder, "nginx.conf")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
             "/CN=deploybot.example.com", "-keyout", f"{folder}/key.pem", "-out",
             f"{folder}/cert.pem"],
            check=True, capture_output=True)
        with open(CONF) as f:
            text = adapt(f.read(), folder, self.port, upstream)
        with open(self.conf, "w") as f:
            f.write(text)
        self.process = None

    def check(self):
        return subprocess.run([NGINX, "-t", "-q", "-p", self.folder, "-c", self.conf],
                              capture_output=True, text=True, check=False)

    def start(self):
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-c", self.conf, "-g", "daemon off;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.errors()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def errors(self):
        path = os.path.join(self.folder, "error.log")
        return open(path).read() if os.path.exists(path) else ""

    def log(self):
        with open(os.path.join(self.folder, "access.log")) as f:
            return f.read()

    def tls(self, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def connect(self, **options):
        raw = socket.create_connection(("127.0.0.1", self.port), 10)
        return self.tls(**options).wrap_socket(raw, server_hostname="deploybot.example.com")

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                                 context=self.tls())
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def raw(self, request):
        """The status of a request sent byte by byte as it is; 0 when none is answered."""
        with self.connect() as s:
            s.sendall(request)
            answer = s.recv(4096)
            return int(answer.split()[1]) if answer else 0


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture
def proxy(tmp_path, upstream):
    if not os.path.exists(NGINX):
        pytest.skip("nginx is not installed")
    nginx = Proxy(str(tmp_path), f"127.0.0.1:{upstream.server_address[1]}")
    nginx.start()
    yield nginx
    nginx.stop()


def test_nginx_itself_accepts_the_configuration_without_a_warning(proxy):
    found = proxy.check()
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""


def test_both_webhooks_arrive_whole_and_unchanged(proxy, upstream):
    body = "a=ü&b=\u2028 +%41".encode() * 1000
    for path in ("/github/webhook", "/telegram/webhook"):
        headers = {"X-Hub-Signature-256": "sha256=ab", "X-GitHub-Event": "push",
                   "X-Telegram-Bot-Api-Secret-Token": "s", "Content-Type": "application/json"}
        assert proxy.ask("POST", path, body, headers).status == 200
        method, seen, got, digest = upstream.seen[-1]
        assert (method, seen) == ("POST", path)
        assert digest == hashlib.sha256(body).hexdigest()
        assert set(headers.items()) <= {(k, v) for k, v in got}


def test_the_status_of_deploybot_comes_back_as_it_is(proxy, upstream):
    for status in (200, 202, 400, 401, 413, 503):
        upstream.status = status
        assert proxy.ask("POST", "/github/webhook", b"{}").status == status
    assert len(upstream.seen) == 6  # none was tried twice


def test_github_may_send_26_mb_and_telegram_1_mb(proxy, upstream):
    mb = 1 << 20
    assert proxy.ask("POST", "/github/webhook", bytes(26 * mb)).status == 200
    assert proxy.ask("POST", "/telegram/webhook", bytes(mb)).status == 200
    seen = len(upstream.seen)
    for path, size in (("/github/webhook", 26 * mb + 1), ("/telegram/webhook", mb + 1)):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        assert proxy.raw(head.encode()) == 413
    assert len(upstream.seen) == seen


def test_everything_else_is_404_metrics_and_health_too(proxy, upstream):
    for path in ("/", "/metrics", "/metrics/", "/healthz", "/readyz", "/github/webhook/",
                 "/github/webhookx", "/github", "/github/webhook/../../metrics", "//metrics",
                 "/%6detrics", "/.git/config"):
        assert proxy.ask("GET", path).status == 404, path
        assert proxy.ask("POST", path, b"{}").status == 404, path
    assert upstream.seen == []


def test_the_clients_own_address_is_told_and_cannot_be_pretended(proxy, upstream):
    proxy.ask("POST", "/telegram/webhook", b"{}",
              {"X-Real-IP": "6.6.6.6", "X-Forwarded-For": "6.6.6.6"})
    headers = upstream.seen[-1][2]
    assert [v for k, v in headers if k.lower() == "x-real-ip"] == ["127.0.0.1"]
    assert [v for k, v in headers if k.lower() == "x-forwarded-for"] == []


@pytest.mark.parametrize("fields", [
    "Content-Length: 2\r\nContent-Length: 2\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n",
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Content-Length: 2, 2\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 2\r\nX: a\0b\r\n",
])
def test_two_ways_to_read_a_length_are_refused(proxy, upstream, fields):
    request = f"POST /github/webhook HTTP/1.1\r\nHost: x\r\n{fields}\r\n{{}}"
    assert proxy.raw(request.encode()) in (400, 501)
    assert upstream.seen == []


def test_a_chunked_body_arrives_with_a_length(proxy, upstream):
    request = (b"POST /github/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert proxy.raw(request) == 200
    headers = {k.lower(): v for k, v in upstream.seen[-1][2]}
    assert headers["content-length"] == "2"
    assert "transfer-encoding" not in headers


def test_a_sender_that_never_ends_its_body_does_not_reach_deploybot(proxy, upstream):
    with proxy.connect() as s:
        s.sendall(b"POST /github/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert proxy.ask("POST", "/telegram/webhook", b"{}").status == 200
        assert [seen[1] for seen in upstream.seen] == ["/telegram/webhook"]


def test_no_secret_reaches_the_log(proxy):
    proxy.ask("POST", "/telegram/webhook?token=CANARY1", b"CANARY2",
              {"X-Telegram-Bot-Api-Secret-Token": "CANARY3", "Authorization": "CANARY4",
               "X-Hub-Signature-256": "sha256=CANARY5", "Referer": "CANARY6",
               "X-GitHub-Delivery": "72d3162e"})
    proxy.stop()
    proxy.process = None
    log = proxy.log()
    assert '"POST /telegram/webhook" 200' in log and "72d3162e" in log
    assert "CANARY" not in log


def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(proxy):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with proxy.connect(minimum_version=version, maximum_version=version) as s:
            assert s.version().replace("v1.", "v1_") == version.name
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context = proxy.tls()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        raw = socket.create_connection(("127.0.0.1", proxy.port), 10)
        context.wrap_socket(raw).close()


def test_a_deploybot_that_is_away_is_502_at_once(proxy, upstream):
    upstream.stop()
    started = time.monotonic()
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 502
    assert time.monotonic() - started < 5


# --- with the real deploybot behind it ---

@pytest.fixture(scope="module", params=["port", "socket"])
def pair(request, tmp_path_factory):
    """(nginx, deploybot), joined by a port or by a unix socket."""
    if not os.path.exists(NGINX):
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp(f"behind-{request.param}")
    path = folder / "http.sock"
    bot = bare(folder, LISTEN_ADDRESS=str(path) if request.param == "socket" else None)
    bot.start(wait=False)
    wait_until(lambda: bot.run("healthcheck").returncode == 0, WAIT_S, "deploybot")
    nginx = Proxy(str(folder), f"unix:{path}" if request.param == "socket"
                  else f"127.0.0.1:{bot.port}")
    nginx.start()
    yield nginx, bot
    nginx.stop()
    check_stop(bot)


def ping(size=0, event="ping", guid="n0"):
    body = json.dumps({"zen": "x" * size, "repository": {"full_name": "orchard/shop"}}).encode()
    return body, github_headers(body, event=event, guid=guid)


def test_a_signed_delivery_comes_through_and_a_forged_one_does_not(pair):
    nginx, _ = pair
    body, headers = ping()
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 200
    assert nginx.ask("POST", "/github/webhook", body + b" ", headers).status == 401
    assert nginx.ask("POST", "/github/webhook", body, {**headers, "Content-Type": "text/plain"}
                     ).status == 415
    broken = b'{"ref":'
    assert nginx.ask("POST", "/github/webhook", broken, github_headers(broken)).status == 400
    assert nginx.ask("GET", "/github/webhook").status == 405


def test_the_largest_delivery_of_github_comes_through_in_bounded_memory(pair):
    nginx, bot = pair
    body, headers = ping(25 << 20, guid="n1")
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 200
    assert nginx.ask("POST", "/github/webhook", bytes((26 << 20) + 1), headers).status == 413
    if not is_sanitized(bot):
        assert resident_kb(bot.process.pid, "VmHWM") < 100 * 1024


def test_an_update_comes_through_and_is_stored_once(pair):
    nginx, bot = pair
    body = json.dumps(telegram_update(ADA, 5, "/whoami")).encode()
    for _ in range(2):
        answer = nginx.ask("POST", "/telegram/webhook", body, telegram_headers())
        assert answer.status == 200 and answer.getheader("Content-Length") == "0"
    assert nginx.ask("POST", "/telegram/webhook", b"{", telegram_headers()).status == 200
    assert nginx.ask("POST", "/telegram/webhook", body).status in (401, 415)
    if "LISTEN_ADDRESS" not in bot.settings:    # else nobody may ask it for metrics over TCP
        assert metric(bot, "deploybot_commands_total", command="whoami") == 1


def test_what_is_refused_is_audited_by_deploybot_itself(pair):
    nginx, bot = pair
    nginx.ask("POST", "/github/webhook", b"{}", {"Content-Type": "application/json",
                                                 "X-Real-IP": "6.6.6.6"})
    found = wait_audit(bot, 1, action="webhook_rejected", user_id="github", reason="signature")
    assert found[-1]["client"] == "127.0.0.1", "who asked nginx, whatever they pretend"
    assert len(found) <= 2


def test_metrics_and_health_stay_behind_nginx(pair):
    nginx, _ = pair
    for path in ("/metrics", "/healthz", "/readyz"):
        assert nginx.ask("GET", path).status == 404


def test_a_chunked_delivery_comes_through_whole(pair):
    nginx, _ = pair
    body, headers = ping(guid="n2")
    fields = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                      for i in range(0, len(body), 7)) + b"0\r\n\r\n"
    assert nginx.raw(f"POST /github/webhook HTTP/1.1\r\nHost: x\r\n{fields}"
                     "Transfer-Encoding: chunked\r\n\r\n".encode() + chunks) == 200


def test_many_deliveries_share_few_connections_and_none_is_lost(pair):
    nginx, bot = pair
    statuses = []

    def send(n):
        body, headers = ping(n, guid=f"m{n}")
        statuses.append(nginx.ask("POST", "/github/webhook", body, headers).status)
    threads = [threading.Thread(target=lambda k=k: [send(k * 20 + i) for i in range(20)])
               for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 80, statuses
    sockets = [f for f in os.listdir(f"/proc/{bot.process.pid}/fd")
               if os.path.exists(f"/proc/{bot.process.pid}/fd/{f}")]
    assert len(sockets) < 64


def test_a_restart_behind_nginx_is_502_for_a_moment_and_then_forgotten(pair):
    nginx, bot = pair
    body, headers = ping(guid="n3")
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 200
    assert bot.stop() == 0
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 502
    bot.start(wait=False)
    wait_until(lambda: bot.run("healthcheck").returncode == 0, WAIT_S, "deploybot")
    assert nginx.ask("POST", "/github/webhook", body, headers).status in (200, 202)
