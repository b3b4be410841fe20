"""Goal: with two machines behind nginx.conf a webhook goes to the second one when nothing of it was sent
to the first, and never when the first may have read it: it may have decided."""
# SPDX-License-Identifier: ISC
import socket
import struct
import threading

import pytest

from nginx_aid import PATIENCE_S, Proxy, Upstream, need_nginx
from stage import free_port

BODY = b"x" * 300_000       # more than a socket takes at once
BOTH = ("/github/webhook", "/telegram/webhook")


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
            length = got.index(b"\r\n\r\n") + 4 + len(BODY)
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
            (r"proxy_connect_timeout 3s;", "proxy_connect_timeout 1s;"),
            (r"proxy_read_timeout 15s;", "proxy_read_timeout 1s;")]).start())
        assert started[0].check().stderr == ""
        return started[0]
    yield begin
    for nginx in started:
        nginx.stop()


@pytest.mark.parametrize("path", BOTH)
def test_who_refuses_the_connection_has_not_read_and_the_second_gets_it_once(start, second, path):
    nginx = start(f"127.0.0.1:{free_port()}")
    for n in range(1, 4):
        assert nginx.ask("POST", path, BODY).status == 200
        assert len(second.seen) == n


def test_a_missing_socket_is_a_refusal_too(start, second, tmp_path):
    assert start(f"unix:{tmp_path}/nobody.sock").ask("POST", BOTH[0], BODY).status == 200
    assert len(second.seen) == 1


def test_who_does_not_take_the_connection_in_time_has_not_read(start, second):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S):     # the only place
            assert start(f"127.0.0.1:{port}").ask("POST", BOTH[0], BODY).status == 200
    assert len(second.seen) == 1


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("act, status", [
    (dies_unread, 502), (dies_after_a_byte, 502), (read_all, 502), (dies_after_half_an_answer, 502),
    (says_nothing, 504), (says(500), 500), (says(502), 502), (says(503), 503), (says(429), 429)])
def test_once_a_byte_was_sent_to_the_first_the_second_never_gets_it(start, second, act, status, path):
    first = Doomed(act)
    try:
        nginx = start(first.address)
        # nginx may notice a closed connection before it sends: then nothing was sent, and that is no loss.
        found = nginx.ask("POST", path, BODY)
        assert first.asked == 1
        if found.status != 200 or act is not dies_unread:
            assert (found.status, second.seen) == (status, [])
        assert nginx.ask("POST", path, BODY).status in (status, 200 if act is dies_unread else status)
        assert first.asked == 2, "the first is asked again at once"
    finally:
        first.stop()
    if act in (read_all, dies_after_half_an_answer, says_nothing):
        assert min(first.read) > len(BODY)


def test_who_comes_back_is_asked_again_at_once(start, second):
    port = free_port()
    nginx = start(f"127.0.0.1:{port}")
    second.stop()
    assert nginx.ask("POST", BOTH[0], BODY).status == 502
    first = Upstream(port)
    try:
        assert [nginx.ask("POST", BOTH[0], BODY).status for _ in range(3)] == [200] * 3
        assert len(first.seen) == 3
    finally:
        first.stop()


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
        assert [nginx.ask("POST", BOTH[0], BODY).status for _ in range(5)] == [200] * 5
        assert only.asked == 5
    finally:
        nginx.stop()
        only.stop()
