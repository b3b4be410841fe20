"""Goal: with two servers behind nginx.conf a webhook or hook goes to the second one when the first does not take it,
because each is acted on once; a POST to /v1 only when nothing of it was sent: the first may have decided."""
# SPDX-License-Identifier: ISC
import hashlib
import re
import socket
import struct
import threading

import pytest

from nginx_aid import PATIENCE_S, Proxy, Upstream, need_nginx
from stage import free_port

BODY = b"x" * 300_000       # more than a socket takes at once
SMALL = b"x" * 10_000
# /v1 by the Idempotency-Key that nginx gives each request.
KNOWN_BY_KEY = ("/github/webhook", "/forge/webhook/gitlab", "/telegram/webhook", "/hooks/ci", "/v1/command/deploy")
PUSH, CALL = KNOWN_BY_KEY[0], KNOWN_BY_KEY[-1]


def body_of(path):
    return SMALL if path in (CALL, "/hooks/ci") else BODY


class Doomed:
    """A first server that closes on each who asks: act(conn) says where."""

    def __init__(self, act, backlog=16):
        self.asked = 0
        self.read = []          # how many bytes of each request were read
        self.act = act
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            self.asked += 1
            conn.settimeout(PATIENCE_S)
            with conn:
                self.read.append(self.act(conn))

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def reset(conn):
    """What the kernel of a killed process does with what was not read."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dies_unread(conn):
    reset(conn)
    return 0


def dies_after_a_byte(conn):
    got = len(conn.recv(1))
    reset(conn)
    return got


def read_all(conn):
    got, length = b"", None
    while length is None or len(got) < length:
        piece = conn.recv(65536)
        if not piece:
            break
        got += piece
        if length is None and b"\r\n\r\n" in got:
            head = got[:got.index(b"\r\n\r\n")]
            length = len(head) + 4 + int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    return len(got)


def dies_after_half_an_answer(conn):
    got = read_all(conn)
    conn.sendall(b"HTTP/1.1 200")
    return got


def says_nothing(conn):
    got = read_all(conn)
    conn.recv(1)        # until nginx has had enough
    return got


def says(status):
    def act(conn):
        got = read_all(conn)
        conn.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
        return got
    return act


@pytest.fixture
def second():
    need_nginx()
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path, second):
    """start(address of the first) is nginx with the example of two machines that nginx.conf has."""
    started = []

    def begin(first):
        started.append(Proxy(tmp_path, None, [
            (r"#server 10\.0\.0\.11:8080", f"server {first}"),
            (r"#server 10\.0\.0\.12:8080", f"server {second.address}"),
            (r"^worker_processes auto;", "worker_processes 1;"),     # each begins with the first
            (r"^\t\tproxy_connect_timeout 3s;", ""),
            (r"#proxy_connect_timeout 1s;", "proxy_connect_timeout 1s;"),
            (r"proxy_read_timeout 15s;", "proxy_read_timeout 1s;")]).start())
        assert started[0].check().stderr == ""
        return started[0]
    yield begin
    for nginx in started:
        nginx.stop()


@pytest.mark.parametrize("path", [*KNOWN_BY_KEY, CALL])
def test_who_refuses_the_connection_has_not_read_and_the_second_gets_it_once(start, second, path):
    nginx = start(f"127.0.0.1:{free_port()}")
    for n in range(1, 4):
        assert nginx.ask("POST", path, body_of(path)).status == 200
        assert len(second.seen) == n


def test_a_missing_socket_is_a_refusal_too(start, second, tmp_path):
    assert start(f"unix:{tmp_path}/nobody.sock").ask("POST", PUSH, BODY).status == 200
    assert len(second.seen) == 1


@pytest.mark.parametrize("path", [PUSH, CALL])
def test_who_does_not_take_the_connection_in_time_has_not_read(start, second, path):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S):     # the only place
            assert start(f"127.0.0.1:{port}").ask("POST", path, body_of(path)).status == 200
    assert len(second.seen) == 1


TROUBLES = [(dies_unread, 502), (dies_after_a_byte, 502), (read_all, 502), (dies_after_half_an_answer, 502),
            (says_nothing, 504), (says(503), 503)]
ANSWERS = [(says(500), 500), (says(502), 502), (says(429), 429)]


@pytest.mark.parametrize("path", KNOWN_BY_KEY)
@pytest.mark.parametrize("act, _", TROUBLES)
def test_what_is_known_by_its_key_goes_to_the_second_where_the_first_does_not_take_it(
        start, second, path, act, _):
    first = Doomed(act)
    try:
        assert start(first.address).ask("POST", path, body_of(path)).status == 200
        assert first.asked == 1
    finally:
        first.stop()
    assert [(seen[1], seen[3]) for seen in second.seen] == [(path, hashlib.sha256(body_of(path)).hexdigest())]


@pytest.mark.parametrize("path", KNOWN_BY_KEY)
@pytest.mark.parametrize("act, status", ANSWERS)
def test_any_other_answer_is_one(start, second, path, act, status):
    first = Doomed(act)
    try:
        assert start(first.address).ask("POST", path, body_of(path)).status == status
    finally:
        first.stop()
    assert second.seen == []



def test_what_only_reads_is_asked_of_who_leads(start, second):
    first = Upstream()
    first.status = 503
    try:
        assert start(first.address).ask("GET", "/v1/status").status == 200
        assert (len(first.seen), len(second.seen)) == (1, 1)
    finally:
        first.stop()


@pytest.mark.parametrize("path", KNOWN_BY_KEY)
def test_where_both_say_503_so_does_nginx_and_each_was_asked_once(start, second, path):
    first, second.status = Upstream(), 503
    try:
        first.status = 503
        assert start(first.address).ask("POST", path, body_of(path)).status == 503
        assert (len(first.seen), len(second.seen)) == (1, 1)
    finally:
        first.stop()


def test_who_said_503_or_was_gone_is_asked_again_at_once(start, second):
    """It leads next: nobody counts as gone for what he said."""
    first = Upstream()
    first.status = 503
    nginx = start(first.address)

    def statuses():
        return {nginx.ask("POST", PUSH, BODY).status for _ in range(6)}
    try:
        assert statuses() == {200}
        first.status, second.status = 200, 503
        assert statuses() == {200}
        second.stop()
        assert statuses() == {200}
    finally:
        first.stop()
    assert statuses() == {502}
    first = Upstream(first.server_address[1])
    try:
        assert statuses() == {200}
    finally:
        first.stop()


@pytest.mark.parametrize("path", KNOWN_BY_KEY)
def test_where_there_is_one_server_it_is_asked_once_and_its_503_comes_back_as_it_is(tmp_path, path):
    need_nginx()
    only = Upstream()
    only.status, only.fields = 503, {"Retry-After": "7"}
    nginx = Proxy(tmp_path, only.address).start()
    try:
        answers = [nginx.ask("POST", path, body_of(path)) for _ in range(3)]
        assert [(answer.status, answer.headers["Retry-After"]) for answer in answers] == [(503, "7")] * 3
        assert len(only.seen) == 3
    finally:
        nginx.stop()
        only.stop()
    dying = Doomed(read_all)
    nginx = Proxy(tmp_path, dying.address).start()
    try:
        assert [nginx.ask("POST", path, body_of(path)).status for _ in range(3)] == [502] * 3
        assert dying.asked == 3
    finally:
        nginx.stop()
        dying.stop()


def test_each_request_has_a_connection_of_its_own(tmp_path):
    """One that is kept could be closed by a deploybot that restarts in the moment in which it is used."""
    need_nginx()

    def once(conn):
        """Says that the connection stays, and dies at the second request."""
        got = read_all(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        conn.recv(1)
        reset(conn)
        return got
    only = Doomed(once)
    nginx = Proxy(tmp_path, only.address).start()
    try:
        assert [nginx.ask("POST", PUSH, BODY).status for _ in range(5)] == [200] * 5
        assert only.asked == 5
    finally:
        nginx.stop()
        only.stop()
