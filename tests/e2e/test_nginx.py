"""Goal: the shipped nginx.conf lets exactly the webhooks, hooks and /v1 through, whole, and says who called."""
# SPDX-License-Identifier: ISC
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import threading

import pytest

from crash_aid import telegram_update
from nginx_aid import NAME, PATIENCE_S, Proxy, Upstream, need_nginx
from ops_aid import (WAIT_S, bare, check_stop, github_headers, is_sanitized, metric,
                     resident_kb, telegram_headers, wait_audit)
from stage import ROOT, wait_until
from telegram_client import ADA

# Debian 12's /etc/nginx/nginx.conf without its comments.
DEBIAN_CONF = """{user}
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{
	worker_connections 768;
}}
http {{
	sendfile on;
	tcp_nopush on;
	types_hash_max_size 2048;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
	ssl_prefer_server_ciphers on;
	access_log {folder}/access.log;
	gzip on;
	include {folder}/ours.conf;
}}
"""


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture
def proxy(tmp_path, upstream):
    need_nginx()
    nginx = Proxy(tmp_path, upstream.address).start()
    yield nginx
    nginx.stop()


def test_nginx_itself_accepts_the_configuration_without_a_warning(proxy):
    found = proxy.check()
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""


def test_all_webhooks_and_hooks_arrive_whole_and_unchanged(proxy, upstream):
    body = "a=ü&b=\u2028 +%41".encode() * 1000
    forges = re.findall(r'FORGE\(\w+, +"(\w+)"', pathlib.Path(ROOT, "server/types/delivery_forge.h").read_text("ascii"))
    assert len(forges) >= 4
    of_forges = [f"/forge/webhook/{forge}{ours}" for forge in forges if forge != "github" for ours in ("", "/shop-2")]
    for path in ("/github/webhook", "/github/webhook/shop-2", "/github/app", "/telegram/webhook", *of_forges,
                 "/hooks/build-done", "/hooks/shop/build-done"):
        headers = {"X-Hub-Signature-256": "sha256=ab", "X-GitHub-Event": "push",
                   "X-Telegram-Bot-Api-Secret-Token": "s", "Content-Type": "application/json",
                   "X-Gitlab-Token": "t", "webhook-signature": "v1,x v1,y", "webhook-id": "a", "Idempotency-Key": "k",
                   "X-Gitea-Delivery": "d", "Authorization": "Bearer x"}
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


def test_a_forge_may_send_26_mb_telegram_1_mb_and_a_hook_64_kb(proxy, upstream):
    mb = 1 << 20
    assert proxy.ask("POST", "/github/webhook", bytes(26 * mb)).status == 200
    assert proxy.ask("POST", "/telegram/webhook", bytes(mb)).status == 200
    assert proxy.ask("POST", "/forge/webhook/gitlab", bytes(26 * mb)).status == 200
    assert proxy.ask("POST", "/hooks/build-done", bytes(64 * 1024)).status == 200
    seen = len(upstream.seen)
    for path, size in (("/github/webhook", 26 * mb + 1), ("/github/webhook/shop", 26 * mb + 1),
                       ("/telegram/webhook", mb + 1), ("/forge/webhook/gitlab", 26 * mb + 1),
                       ("/hooks/build-done", 64 * 1024 + 1)):
        head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {size}\r\n\r\n"
        assert proxy.raw(head.encode()) == 413
    assert len(upstream.seen) == seen


def test_everything_else_is_404_metrics_and_health_too(proxy, upstream):
    for path in ("/", "/metrics", "/metrics/", "/healthz", "/readyz", "/github/webhook/",
                 "/github/webhookx", "/github/webhook/Shop", "/github/webhook/shop/x", "/github/webhook/../x",
                 "/github", "/github/app/", "/github/app/shop", "/github/appx", "/github/webhook/../../metrics",
                 "//metrics", "/forge/webhook", "/forge/webhook/",
                 "/forge/webhook/gogs", "/forge/webhook/gitlab/", "/forge/webhook/gitlab/a/b", "/hooks", "/hooks/",
                 "/hooks/A", "/hooks/a/b/c", "/hooks/a/", "/hooks/a_b", "/v1", "/v2/status", "/v1/../metrics",
                 "/hooks/a/../../metrics",
                 "/%6detrics", "/.git/config"):
        assert proxy.ask("GET", path).status == 404, path
        assert proxy.ask("POST", path, b"{}").status == 404, path
    assert upstream.seen == []


def test_calls_of_hooks_from_one_address_are_limited_and_webhooks_are_not(proxy, upstream):
    said = [proxy.ask("POST", "/hooks/build-done", b"{}").status for _ in range(60)]
    assert said[:20] == [200] * 20 and 429 in said
    assert said.count(200) == len(upstream.seen)
    assert [proxy.ask("POST", path, b"{}").status for path in ("/forge/webhook/gitlab", "/github/webhook")
            for _ in range(40)] == [200] * 80


def test_v1_arrives_with_its_token_which_no_log_has(proxy, upstream, tmp_path):
    token = "deploybot_" + "5c" * 32
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for method, path, body in (("GET", "/v1/status/shop/staging", None), ("POST", "/v1/command/deploy", b"{}")):
        assert proxy.ask(method, path, body, headers).status == 200
        assert upstream.seen[-1][:2] == (method, path)
        assert ("Authorization", f"Bearer {token}") in [(k, v) for k, v in upstream.seen[-1][2]]
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path


@pytest.mark.long
def test_v1_takes_16_kb_and_no_flood(proxy, upstream):
    assert proxy.ask("POST", "/v1/command/deploy", bytes(16 << 10)).status == 200
    head = f"POST /v1/command/deploy HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {(16 << 10) + 1}\r\n\r\n"
    assert proxy.raw(head.encode()) == 413
    answers = [proxy.ask("GET", "/v1/status").status for _ in range(300)]
    assert answers[:50] == [200] * 50 and 429 in answers
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 200, "webhooks are limited apart"


def test_a_hundred_who_watch_from_one_address_take_no_place_of_others(proxy, upstream):
    upstream.gate = threading.Event()
    paths = [path for _ in range(25) for path in ("/v1/log/12/4096", "/v1/run/7/0", f"/v1/news/{'5d' * 16}/17",
                                                  "/v1/news")]
    with concurrent.futures.ThreadPoolExecutor(len(paths) + 2) as pool:
        waiting = [pool.submit(proxy.ask, "GET", path, None, {"Prefer": "wait=7"}) for path in paths]
        wait_until(lambda: len(upstream.seen) == len(paths), PATIENCE_S, "all of them wait")
        assert all(("Prefer", "wait=7") in seen[2] for seen in upstream.seen)
        others = [pool.submit(proxy.ask, method, path, body) for method, path, body in
                  (("GET", "/v1/status", None), ("POST", "/github/webhook", b"{}"))]
        wait_until(lambda: len(upstream.seen) == len(paths) + 2, PATIENCE_S, "others come through")
        upstream.gate.set()
        assert {one.result(PATIENCE_S).status for one in waiting + others} == {200}
    upstream.gate = None
    assert proxy.ask("GET", "/v1/news?wait=7").status == 400
    assert proxy.ask("GET", "/v1/newsx").status == 200     # is for deploybot to refuse


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
    request = f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\n{fields}\r\n{{}}"
    assert proxy.raw(request.encode()) in (400, 501)
    assert upstream.seen == []


def test_a_chunked_body_arrives_with_a_length(proxy, upstream):
    request = (f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert proxy.raw(request.encode()) == 200
    headers = {k.lower(): v for k, v in upstream.seen[-1][2]}
    assert headers["content-length"] == "2"
    assert "transfer-encoding" not in headers


def test_a_sender_that_never_ends_its_body_does_not_reach_deploybot(proxy, upstream):
    with proxy.connect() as s:
        s.sendall(f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 9\r\n\r\n{{".encode())
        assert proxy.ask("POST", "/telegram/webhook", b"{}").status == 200
        assert [seen[1] for seen in upstream.seen] == ["/telegram/webhook"]


def test_no_secret_reaches_a_log(proxy, upstream):
    secrets = {"X-Telegram-Bot-Api-Secret-Token": "CANARY3", "Authorization": "CANARY4",
               "X-Hub-Signature-256": "sha256=CANARY5", "Referer": "CANARY6", "Cookie": "CANARY7"}
    for status in (200, 503):
        upstream.status = status
        proxy.ask("POST", "/telegram/webhook", b"CANARY2", {**secrets, "X-GitHub-Delivery": "72d3162e"})
    proxy.ask("POST", "/telegram/webhook", b"", {"X-GitHub-Delivery": "CANARY8"})
    proxy.ask("POST", "/github/webhook", b"", {"X-GitHub-Delivery": "ci-77-1"})      # as ci-cd.yml reports a push
    assert proxy.ask("POST", "/telegram/webhook?token=CANARY1", b"{}", secrets).status == 400
    proxy.ask("POST", "/bot123456789:CANARYaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"{}", secrets)
    proxy.ask("POST", "/bot123456789%3ACANARYaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/x", b"{}", secrets)
    proxy.ask("POST", "/telegram/webhook", b"x" * 500_000, secrets)     # to a file, which is a warning
    # What nginx itself complains of has the request's line and its Referer in it.
    too_big = f"POST /telegram/webhook?CANARY9 HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 99999999\r\n\r\n"
    assert proxy.raw(too_big.encode()) == 400
    upstream.stop()
    assert proxy.ask("POST", "/telegram/webhook?CANARY9", b"{}", secrets).status == 400
    del secrets["Referer"]
    assert proxy.ask("POST", "/telegram/webhook", b"{}", secrets).status == 502
    proxy.stop()
    log = proxy.log()
    assert '"POST /telegram/webhook" 200' in log and '"72d3162e"' in log and '"ci-77-1"' in log
    assert '"POST (a token)" 404' in log
    assert "connect() failed" in proxy.errors()
    assert "CANARY" not in log + proxy.errors()


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
        context.wrap_socket(raw, server_hostname=NAME).close()


def test_a_deploybot_that_is_away_is_502(proxy, upstream):
    upstream.stop()
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 502


def test_when_to_come_again_is_handed_on(proxy, upstream):
    upstream.status, upstream.fields = 503, {"Retry-After": "10"}
    answer = proxy.ask("POST", "/telegram/webhook", b"{}")
    assert (answer.status, answer.getheader("Retry-After")) == (503, "10")


def test_every_answer_over_tls_has_the_security_headers_and_no_version(proxy, upstream):
    wanted = {"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff",
              "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
              "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Server": "nginx"}
    upstream.fields = {"X-Powered-By": "nobody"}
    for status, path in ((200, "/github/webhook"), (503, "/telegram/webhook"), (404, "/"),
                         (400, "/github/webhook?x"), (413, "/x")):
        upstream.status = status
        answer = proxy.ask("POST", path, b"x" * (2000 if status == 413 else 2))
        assert answer.status == status
        for name, value in wanted.items():
            assert answer.headers.get_all(name) == [value], (path, name)
        assert b"nginx/" not in answer.body


def test_the_console_has_the_whole_set_of_headers_once_and_may_be_framed_by_telegram_alone(proxy, upstream):
    policy = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
              "base-uri 'none'; form-action 'none'; "
              "frame-ancestors https://web.telegram.org https://*.web.telegram.org; "
              "require-trusted-types-for 'script'")
    wanted = {"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff",
              "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    upstream.fields = {**wanted, "ETag": '"1"', "Content-Encoding": "gzip"}
    for status in (200, 304, 503):
        upstream.status = status
        for path in ("/console/", "/console/console.css", "/console/console.js", "/console/icon.svg"):
            answer = proxy.ask("GET", path)
            assert answer.status == status and answer.headers.get_all("X-Frame-Options") is None
            assert answer.getheader("ETag") == '"1"'
            for name, value in wanted.items():
                assert answer.headers.get_all(name) == [value], (path, name)
    assert proxy.ask("GET", "/console").getheader("Location").endswith("/console/")


def test_of_all_queries_the_consoles_start_parameter_alone_comes_through(proxy, upstream):
    for query in ("w12", "W_-9", "a" * 64):
        assert proxy.ask("GET", f"/console/?tgWebAppStartParam={query}").status == 200, query
    seen = len(upstream.seen)
    for path in ("/console/?tgWebAppStartParam=", "/console/?tgWebAppStartParam=" + "a" * 65, "/console/?x=1",
                 "/console/?tgWebAppStartParam=a&x=1", "/console/?tgWebAppStartParam=a%0a",
                 "/console/?tgWebAppStartParam=a/b",
                 "/console/console.js?tgWebAppStartParam=a", "/v1/status?tgWebAppStartParam=a", "/v1/status?x",
                 "/console/%0A?tgWebAppStartParam=a", "/github/webhook?tgWebAppStartParam=a/console/",
                 "/x?tgWebAppStartParam=a/console/"):
        assert proxy.ask("GET", path).status == 400, path
    for path in ("/console/x", "/console/../metrics", "/console/console.js/", "/console/a.html",
                 "/console/%2e%2e/metrics"):
        assert proxy.ask("GET", path).status == 404, path
    assert len(upstream.seen) == seen


def test_another_name_gets_no_certificate_and_no_answer(proxy, upstream):
    for name in ("other.example.com", "example.com", f"x.{NAME}", None):
        with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
            proxy.connect(name=name)
    # The right name in TLS, another one in the request.
    for host in ("other.example.com", "127.0.0.1", "x"):
        head = f"POST /github/webhook HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}"
        assert proxy.raw(head.encode()) == 0
    assert upstream.seen == []
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 200


def test_port_80_serves_the_challenge_and_sends_the_rest_to_tls(proxy, upstream):
    folder = f"{proxy.folder}/www/.well-known/acme-challenge"
    pathlib.Path(folder, "tOkEn-_1").write_text("tOkEn-_1.thumb", encoding="ascii")
    pathlib.Path(proxy.folder, "www", "secret").write_text("x", encoding="ascii")
    found = proxy.ask_plain("GET", "/.well-known/acme-challenge/tOkEn-_1")
    assert (found.status, found.body) == (200, b"tOkEn-_1.thumb")
    for path in ("none", "", "../../secret", "..%2f..%2fsecret"):
        assert proxy.ask_plain("GET", f"/.well-known/acme-challenge/{path}").status in (301, 400, 403, 404)
    for path in ("/", "/github/webhook", "/a?b=c"):
        for method in ("GET", "POST"):
            answer = proxy.ask_plain(method, path, b"{}" if method == "POST" else None)
            assert (answer.status, answer.getheader("Location")) == (301, f"https://{NAME}{path}")
            assert answer.getheader("Server") == "nginx"
    assert upstream.seen == []


def test_port_80_says_nothing_under_another_name(proxy):
    for host in ("evil.example", "127.0.0.1"):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            proxy.ask_plain("GET", "/.well-known/acme-challenge/x", headers={"Host": host})


def test_what_stands_between_the_marks_fits_into_an_nginx_that_serves_others(tmp_path):
    """The nginx.conf of Debian's package, which has an http block of its own."""
    need_nginx()
    proxy = Proxy(tmp_path, "127.0.0.1:9")
    ours = pathlib.Path(proxy.conf).read_text(encoding="utf-8")
    part = ours.partition("# --- BEGIN ---\n")[2].partition("# --- END ---")[0]
    blocks = re.split(r"(?m)^(?=\t# DEFAULT)|^(?=\t# Port 80: certbot)", part)
    assert len(blocks) == 4
    (tmp_path / "ours.conf").write_text(blocks[0] + blocks[3], encoding="utf-8")
    theirs = DEBIAN_CONF.format(folder=tmp_path, user="user root;" if os.geteuid() == 0 else "")
    pathlib.Path(proxy.conf).write_text(theirs, encoding="utf-8")
    found = proxy.check()
    assert (found.returncode, found.stderr) == (0, "")


# --- only Telegram's networks ---

BEHIND_ANOTHER = [(r"#set_real_ip_from 10\.0\.0\.10;", "set_real_ip_from 127.0.0.7;"),
                  (r"#real_ip_header", "real_ip_header"),
                  (r"#real_ip_recursive", "real_ip_recursive")]
ONLY_TELEGRAM = [(r"#include telegram-networks\.conf;", "include telegram-networks.conf;")]
ADDRESSES = {"149.154.160.0": 200, "149.154.175.255": 200, "91.108.4.1": 200, "91.108.7.255": 200,
             "149.154.159.255": 403, "149.154.176.0": 403, "91.108.3.255": 403, "91.108.8.0": 403,
             "203.0.113.9": 403, "2001:67c:4e8::1": 403}


def with_changes(tmp_path, upstream, changes):
    need_nginx()
    return Proxy(tmp_path, upstream.address, changes).start()


def test_the_list_of_telegrams_networks_is_off_until_it_is_included(proxy):
    assert proxy.ask("POST", "/telegram/webhook", b"{}").status == 200


def test_once_included_nobody_else_reaches_that_webhook_whatever_they_pretend(tmp_path, upstream):
    nginx = with_changes(tmp_path, upstream, ONLY_TELEGRAM)
    try:
        for pretended in ({}, {"X-Forwarded-For": "149.154.167.220"}, {"X-Real-IP": "91.108.4.1"}):
            assert nginx.ask("POST", "/telegram/webhook", b"{}", pretended).status == 403
        assert upstream.seen == []
        assert nginx.ask("POST", "/github/webhook", b"{}").status == 200
    finally:
        nginx.stop()


def test_behind_another_proxy_the_address_that_it_names_is_the_clients(tmp_path, upstream):
    nginx = with_changes(tmp_path, upstream, ONLY_TELEGRAM + BEHIND_ANOTHER)
    try:
        for address, status in ADDRESSES.items():
            found = nginx.ask("POST", "/telegram/webhook", b"{}", {"X-Forwarded-For": address},
                              source="127.0.0.7")
            assert found.status == status, address
            # The first of the list is the client's own word; the last is the proxy's.
            found = nginx.ask("POST", "/telegram/webhook", b"{}", source="127.0.0.7", headers={
                "X-Forwarded-For": f"149.154.167.220, {address}"})
            assert found.status == status, address
        told = [v for x in upstream.seen for k, v in x[2] if k == "X-Real-IP"]
        assert set(told) == {a for a, status in ADDRESSES.items() if status == 200}
        # Who comes from elsewhere may say what they like.
        assert nginx.ask("POST", "/telegram/webhook", b"{}",
                         {"X-Forwarded-For": "149.154.167.220"}, source="127.0.0.8").status == 403
    finally:
        nginx.stop()


@pytest.mark.parametrize("path", ["/hooks/build", pytest.param("/v1/status", marks=pytest.mark.long)])
def test_a_network_of_ipv6_is_limited_as_one_address_and_no_other_with_it(tmp_path, upstream, path):
    """One customer has 2^64 of them.  In each address some bytes are 0, and some are what ends a line."""
    nginx = with_changes(tmp_path, upstream, BEHIND_ANOTHER)
    try:
        def said(*addresses):
            return [nginx.ask("POST", path, b"{}", {"X-Forwarded-For": address}, source="127.0.0.7").status
                    for address in addresses]
        assert [429] in (said(f"2001:db8:a0a:0:{i:x}::{i:x}") for i in range(1000))
        assert said("2001:db8:a0a:1::", "2001:db8::a0a:0:1:1", "192.0.2.1") == [200, 200, 200]
        assert said(*(f"2001:db8:b0b:{i:x}::1" for i in range(70))) == [200] * 70
        assert said(*(f"::ffff:198.51.100.{i}" for i in range(70))) == [200] * 70
    finally:
        nginx.stop()


# --- with the real deploybot behind it ---

@pytest.fixture(scope="module", params=["port", "socket"])
def pair(request, tmp_path_factory):
    """(nginx, deploybot), joined by a port or by a unix socket."""
    need_nginx()
    folder = tmp_path_factory.mktemp(f"behind-{request.param}")
    path = folder / "http.sock"
    bot = bare(folder, LISTEN_ADDRESS=str(path) if request.param == "socket" else None)
    bot.start(wait=False)
    wait_until(lambda: bot.run("healthcheck").returncode == 0, WAIT_S, "deploybot")
    nginx = Proxy(folder, f"unix:{path}" if request.param == "socket" else f"127.0.0.1:{bot.port}").start()
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
    assert nginx.raw(f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\n{fields}"
                     "Transfer-Encoding: chunked\r\n\r\n".encode() + chunks) == 200


def test_of_many_deliveries_at_once_none_is_lost_and_no_connection_stays(pair):
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


@pytest.mark.long
def test_a_restart_behind_nginx_is_502_for_a_moment_and_then_forgotten(pair):
    nginx, bot = pair
    body, headers = ping(guid="n3")
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 200
    assert bot.stop() == 0
    assert nginx.ask("POST", "/github/webhook", body, headers).status == 502
    bot.start(wait=False)
    wait_until(lambda: bot.run("healthcheck").returncode == 0, WAIT_S, "deploybot")
    assert nginx.ask("POST", "/github/webhook", body, headers).status in (200, 202)
