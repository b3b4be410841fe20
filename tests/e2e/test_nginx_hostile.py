"""Goal: whoever means harm to nginx.conf is refused before deploybot receives it, costs bounded memory and
disk, and does not keep honest senders waiting."""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import os
import pathlib
import socket
import threading

import pytest

import http2_aid as h2
from nginx_aid import NAME, PATIENCE_S, Proxy, Upstream, need_nginx
from stage import wait_until

STRANGER, NEIGHBOUR, PROXY = "127.0.0.66", "127.0.0.67", "127.0.0.7"
LIMIT = 64
POST = f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\n"
# Behind a proxy of the test's own, which may say any address.
ADDRESSED = [(r"#set_real_ip_from 10\.0\.0\.10;", f"set_real_ip_from {PROXY};"),
             (r"#real_ip_header", "real_ip_header")]
# The burst is held together until all of it is there, which may take a machine longer than an answer.
PATIENT = [(r"proxy_read_timeout 15s;", f"proxy_read_timeout {PATIENCE_S}s;")]
HURRIED = [(r"client_header_timeout 10s;", "client_header_timeout 1s;")]


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path, upstream):
    need_nginx()
    started = []

    def begin(*changes):
        started.append(Proxy(tmp_path, upstream.address, changes).start())
        return started[0]
    yield begin
    for nginx in started:
        nginx.stop()


@pytest.fixture
def proxy(start):
    return start()


def bodies_on_disk(proxy):
    """Bodies that are being received: each is a file that has no name any more."""
    main = proxy.process.pid
    workers = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
    found = []
    for entry in [e for worker in workers for e in pathlib.Path(f"/proc/{worker}/fd").iterdir()]:
        with contextlib.suppress(OSError):
            found.append(os.readlink(entry))
    return [path for path in found if "/client_body/" in path] + os.listdir(f"{proxy.folder}/client_body")


# --- who holds connections ---

def test_one_address_cannot_hold_more_than_its_share_and_others_are_served(proxy, upstream):
    with contextlib.ExitStack() as stack:
        for n in range(LIMIT + 5):      # the last of them are refused, or whoever asks next
            conn = stack.enter_context(proxy.connect(source=STRANGER))
            conn.sendall(f"{POST}X-N: {n}\r\nContent-Length: 9\r\n\r\n{{".encode())

        def is_full():
            return proxy.ask("POST", "/github/webhook", b"{}", source=STRANGER).status == 503
        wait_until(is_full, PATIENCE_S, "a refusal")
        for _ in range(3):
            assert proxy.ask("POST", "/github/webhook", b"{}", source=NEIGHBOUR).status == 200
    wait_until(lambda: not is_full(), PATIENCE_S, "room again")


@pytest.mark.long
@pytest.mark.parametrize("address, is_limited", [
    ("140.82.115.3", False), ("2a0a:a440::1", False), ("149.154.167.220", False), ("140.82.128.1", True)])
def test_a_burst_of_github_or_telegram_is_never_refused(start, upstream, address, is_limited):
    proxy = start(*ADDRESSED, *PATIENT)
    upstream.gate = threading.Event()
    statuses = []

    def ask():
        statuses.append(proxy.ask("POST", "/github/webhook", b"{}", {"X-Forwarded-For": address},
                                  source=PROXY).status)
    threads = [threading.Thread(target=ask) for _ in range(LIMIT + 20)]
    for thread in threads:
        thread.start()
    # All at once: none is answered before all are there.
    wait_until(lambda: len(upstream.seen) + len(statuses) == len(threads), PATIENCE_S, "the burst")
    upstream.gate.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(statuses) == [200] * (LIMIT if is_limited else LIMIT + 20) + [503] * (20 * is_limited)


@pytest.mark.parametrize("first, drip", [
    (POST.encode(), b"X-A: b\r\n"), (b"", b"P"), (POST.encode(), b"")], ids=["fields", "a line", "silence"])
def test_a_head_has_a_deadline_however_it_drips(start, upstream, first, drip):
    proxy = start(*HURRIED)
    with proxy.connect() as conn:
        conn.sendall(first)
        conn.settimeout(0.2)
        said = []

        def is_cut():
            with contextlib.suppress(TimeoutError):
                try:
                    conn.sendall(drip)
                    said.append(conn.recv(4096))
                except OSError as error:
                    if isinstance(error, TimeoutError) or "timed out" in str(error):
                        return False
                    said.append(b"")
            return b"" in said
        wait_until(is_cut, PATIENCE_S, "the end")
    assert upstream.seen == []


def test_a_hand_that_is_never_shaken_is_let_go(start):
    proxy = start(*HURRIED)
    for first in (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S) as conn:
            conn.sendall(first)
            assert conn.recv(1) == b""


# --- bodies ---

def test_a_chunked_body_that_grows_beyond_its_limit_is_refused_and_leaves_nothing(proxy, upstream):
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    for path, size in (("/github/webhook", 26), ("/telegram/webhook", 1)):
        with proxy.connect() as conn:
            head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n"
            with contextlib.suppress(OSError):
                conn.sendall(head.encode() + chunk * size + b"1\r\nx\r\n")
            assert conn.recv(4096).split()[1] == b"413"
    assert upstream.seen == []
    wait_until(lambda: not bodies_on_disk(proxy), PATIENCE_S, "no file left")


def test_who_leaves_in_the_middle_of_a_body_leaves_nothing(proxy, upstream):
    with proxy.connect() as conn:
        conn.sendall(f"{POST}Content-Length: 9000000\r\n\r\n".encode() + bytes(1 << 20))
        wait_until(lambda: bodies_on_disk(proxy), PATIENCE_S, "its file")
    wait_until(lambda: not bodies_on_disk(proxy), PATIENCE_S, "no file left")
    assert upstream.seen == []


# --- heads ---

@pytest.mark.parametrize("request_text, statuses", [
    (f"TRACE /github/webhook HTTP/1.1\r\nHost: {NAME}\r\n\r\n", {405}),
    (f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n", {400, 405}),
    ("POST /github/webhook HTTP/1.1\r\n\r\n", {400}),
    (f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}\r\nHost: x\r\n\r\n", {400}),
    (f"POST /github/webhook HTTP/1.1\r\nHost: {NAME}@x\r\n\r\n", {0, 400}),
    (f"POST /github/webhook HTTP/3.0\r\nHost: {NAME}\r\n\r\n", {400, 505}),
    ("POST /github/webhook\r\n", {0, 400}),
    (f"POST /{'a' * 9000} HTTP/1.1\r\nHost: {NAME}\r\n\r\n", {414}),
    (f"{POST}X: {'a' * 9000}\r\n\r\n", {400}),
    (f"{POST}" + "".join(f"X-{n}: {'a' * 500}\r\n" for n in range(100)) + "\r\n", {400}),
    (f"{POST}X: a\0b\r\n\r\n", {400}),
    ("POST /github/webhook\0 HTTP/1.1\r\n\r\n", {400}),
    (f"POST /%00 HTTP/1.1\r\nHost: {NAME}\r\n\r\n", {400}),
    (f"POST /a%2e%2e/../../../etc/passwd HTTP/1.1\r\nHost: {NAME}\r\n\r\n", {400}),
    ("\x16\x03\x01\x02\x00\r\n\r\n", {400})])
def test_a_head_that_nobody_honest_sends_is_refused(proxy, upstream, request_text, statuses):
    assert proxy.raw(request_text.encode("latin-1")) in statuses
    assert upstream.seen == []
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 200


def test_a_name_with_underscores_is_no_signature(proxy, upstream):
    proxy.ask("POST", "/github/webhook", b"{}", {"X_Hub_Signature_256": "sha256=ab"})
    assert not [k for k, _ in upstream.seen[-1][2] if "signature" in k.lower()]


def test_what_hides_in_a_body_is_a_body(proxy, upstream):
    hidden = f"POST /telegram/webhook HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 0\r\n\r\n".encode()
    assert proxy.ask("POST", "/github/webhook", hidden).status == 200
    assert [x[:2] for x in upstream.seen] == [("POST", "/github/webhook")]
    assert upstream.seen[0][3] == hashlib.sha256(hidden).hexdigest()


# --- HTTP/2 ---

def fields(*more, path="/github/webhook", method="POST", authority=NAME):
    return [(":method", method), (":scheme", "https"), (":path", path), (":authority", authority), *more]


@pytest.fixture
def rude(proxy):
    with proxy.connect(alpn=["h2"]) as conn:
        yield h2.Client(conn)


def test_a_webhook_over_http_2_arrives_whole(rude, upstream):
    body = bytes(range(256)) * 60
    stream = rude.open(fields(("content-length", str(len(body))), ("x-hub-signature-256", "sha256=ab")),
                       h2.END_HEADERS)
    rude.send(h2.frame(h2.DATA, h2.END_STREAM, stream, body))
    assert rude.status(stream) == 200
    method, path, got, digest = upstream.seen[-1]
    assert (method, path, digest) == ("POST", "/github/webhook", hashlib.sha256(body).hexdigest())
    assert ("x-hub-signature-256", "sha256=ab") in got and ("Content-Length", str(len(body))) in got


@pytest.mark.parametrize("more", [
    [("x", "a\r\ntransfer-encoding: chunked")], [("x", "a\nb")], [("x", b"a\0b")], [("X-Upper", "a")],
    [("x y", "a")], [("x:y", "a")], [("transfer-encoding", "chunked"), ("content-length", "5")],
    [("content-length", "2"), ("content-length", "3")], [("content-length", "-2")],
    [("content-length", "9")], [("content-length", "1")], [(":path", "/telegram/webhook")],
    [("host", "other.example")]],
    ids=["CRLF", "LF", "NUL", "upper case", "a blank", "a colon", "chunked", "two lengths", "negative",
         "too long", "too short", "two paths", "two hosts"])
def test_what_would_be_two_requests_in_http_1_is_none_from_http_2(rude, proxy, upstream, more):
    stream = rude.open(fields(*more), h2.END_HEADERS)
    with contextlib.suppress(OSError):
        rude.send(h2.frame(h2.DATA, h2.END_STREAM, stream, b"{}"))
    assert rude.status(stream) in (0, 400, 421, 501)
    assert upstream.seen == []
    assert proxy.ask("POST", "/github/webhook", b"{}").status == 200


@pytest.mark.parametrize("wrong", [
    fields(authority="other.example"), fields(authority=""), fields()[1:], fields()[:2],
    fields(path="/github/webhook?x"), fields(path="*"), fields(path=""), fields(path="http://x/")])
def test_another_name_path_or_half_a_head_reaches_nobody(rude, upstream, wrong):
    assert rude.status(rude.open(wrong)) in (0, 400, 404, 421)
    assert upstream.seen == []


def test_streams_that_are_opened_and_reset_by_the_thousand_hold_up_nobody(proxy, upstream):
    turns = 0
    for _ in range(5):
        with proxy.connect(alpn=["h2"], source=STRANGER) as conn, contextlib.suppress(OSError):
            rude = h2.Client(conn)
            for _ in range(40):
                rude.send(*(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, n, h2.head(*fields()))
                            + h2.frame(h2.RST_STREAM, 0, n, b"\0\0\0\x08")
                            for n in range(rude.next_stream, rude.next_stream + 100, 2)))
                rude.next_stream += 100
                turns += 50
        assert proxy.ask("POST", "/telegram/webhook", b"{}", source=NEIGHBOUR).status == 200
    assert turns > 50
    assert "exited" not in proxy.errors(), "no worker died"


@pytest.mark.parametrize("flood", [
    [h2.frame(h2.HEADERS, 0, 1, h2.head(*fields()))]
    + [h2.frame(h2.CONTINUATION, 0, 1, h2.head(("x", "a" * 4000)))] * 500,
    [h2.frame(h2.PING, 0, 0, b"12345678")] * 50_000,
    [h2.frame(h2.SETTINGS, 0, 0, b"\0\x04\0\0\xff\xff")] * 20_000,
    [h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.head(*fields()))]
    + [h2.frame(h2.DATA, 0, 1)] * 50_000,
    [h2.frame(h2.DATA, 0, 2 ** 31 - 1, b"x")], [b"\xff" * 64]],
    ids=["CONTINUATION", "PING", "SETTINGS", "empty DATA", "DATA of no stream", "no frame at all"])
def test_a_flood_of_frames_costs_its_sender_the_connection_or_nothing(proxy, upstream, flood):
    with proxy.connect(alpn=["h2"], source=STRANGER, timeout=5) as conn, contextlib.suppress(OSError):
        h2.Client(conn).send(*flood)
    assert proxy.ask("POST", "/telegram/webhook", b"{}", source=NEIGHBOUR).status == 200
    assert [x[1] for x in upstream.seen] == ["/telegram/webhook"]
    assert "exited" not in proxy.errors(), "no worker died"
