"""Goal: many, slow and greedy clients cost bounded memory and do not keep an honest one waiting."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import socket
import time

import pytest

from crash_aid import telegram_update
from ops_aid import (WAIT_S, bare, check_stop, connect, elapsed, github_headers, is_sanitized,
                     post_telegram, receive, request, resident_kb, telegram_headers)
from stage import wait_until
from telegram_client import ADA

MB = 1 << 20
DEADLINE_S = 10
MANY = 420          # LIMIT_CONNECTIONS is 384


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    made = bare(tmp_path_factory.mktemp("load")).start()
    yield made
    check_stop(made)


def descriptors(bot):
    return len(list(pathlib.Path(f"/proc/{bot.process.pid}/fd").iterdir()))


def is_told_to_come_again(conn):
    try:
        return b" 503 " in conn.recv(64, socket.MSG_PEEK)
    except OSError:
        return False


def head_of(path, headers, length):
    fields = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n").encode()


def drip(conn, bit):
    """One more byte, or header line, of a request that never ends; False: it was cut."""
    try:
        conn.send(bit)
        return conn.recv(4096, socket.MSG_DONTWAIT) is None    # an answer, or the end
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_slow_clients_are_cut_at_the_absolute_deadline_however_they_drip(bot):
    """A head or a body without end: one more byte now and then helps none.  10 s, for real."""
    body = head_of("/telegram/webhook", telegram_headers(), 1000)
    began = time.monotonic()
    drips = {connect(bot): b"X-A: b\r\n" for _ in range(3)}
    drips.update({connect(bot): b"a" for _ in range(3)})
    silent = connect(bot)
    for conn, bit in drips.items():
        conn.sendall(body if bit == b"a" else b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    try:
        cut = {}
        while len(cut) < len(drips) and elapsed(began) < DEADLINE_S + WAIT_S:
            for conn, bit in drips.items():
                if conn not in cut and not drip(conn, bit):
                    cut[conn] = elapsed(began)
            time.sleep(0.2)     # the pace of who drips
        assert len(cut) == len(drips), "all of them are cut"
        assert DEADLINE_S - 1 < min(cut.values()), "and have their time"
        assert receive(silent).status == 0, "who says nothing at all, too"
    finally:
        for conn in (silent, *drips):
            conn.close()


@pytest.mark.parametrize("first", [
    b"", b"POST /telegram/webhook HTTP/1.1\r\nHost:", b"\x16\x03\x01",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    head_of("/github/webhook", github_headers(b"a body that does not come"), 1000)],
    ids=["silent", "half a head", "another protocol", "kept alive", "a body that does not come"])
def test_more_idle_connections_than_places_do_not_keep_an_honest_one_waiting(bot, first):
    before = descriptors(bot)
    idle = []
    try:
        for _ in range(MANY):
            idle.append(connect(bot))
            try:
                idle[-1].sendall(first)
            except OSError:
                pass    # made room already
        body = json.dumps(telegram_update(ADA, 91_000 + len(first), "/whoami")).encode()
        began = time.monotonic()
        assert post_telegram(bot, body).status == 200
        assert elapsed(began) < DEADLINE_S - 1, "none of them was waited for"
    finally:
        for conn in idle:
            conn.close()
    wait_until(lambda: descriptors(bot) <= before + 4, WAIT_S, "descriptors given back")


def test_a_hundred_megabyte_bodies_at_once_cost_bounded_memory(bot):
    """100 bodies of 1 MB, all but their last byte sent, none of them signed right or wrong yet."""
    before = resident_kb(bot.process.pid)
    body = b" " * (MB - 1)
    conns = [socket.socket() for _ in range(100)]
    waiting = {}
    try:
        for conn in conns:
            conn.setblocking(False)
            conn.connect_ex(("127.0.0.1", bot.port))
            waiting[conn] = memoryview(head_of("/github/webhook", github_headers(body), MB) + body)
        most, deadline = 0, time.monotonic() + 6
        while waiting and time.monotonic() < deadline:
            moved = False
            for conn in list(waiting):
                try:
                    sent = conn.send(waiting[conn])
                    moved = moved or sent > 0
                    waiting[conn] = waiting[conn][sent:]
                    if not waiting[conn]:
                        del waiting[conn]
                except BlockingIOError:
                    pass
                except OSError:
                    del waiting[conn]       # refused: 503, or cut
            most = max(most, resident_kb(bot.process.pid))
            if not moved:
                time.sleep(0.01)            # only to keep the processor free
        began = time.monotonic()
        assert request(bot, "GET", "/healthz").status == 200
        assert elapsed(began) < DEADLINE_S - 1, "none of them was waited for"
        wait_until(lambda: any(is_told_to_come_again(conn) for conn in conns), WAIT_S,
                   "503 for whoever had no room")
        most = max(most, resident_kb(bot.process.pid))
    finally:
        for conn in conns:
            conn.close()
    print(f"{before} kB before, {most} kB at most")
    if not is_sanitized(bot):
        assert most - before < 96 * 1024, "the budget for bodies is 64 MB"
    wait_until(lambda: request(bot, "GET", "/readyz").status == 200, WAIT_S, "rest")


def test_bodies_whose_senders_hung_up_give_their_memory_back_at_once(bot):
    """The end comes right behind the last bytes: it is noticed, and not at the deadline only."""
    body = b" " * (MB - 1)
    waiting = {}
    for _ in range(100):
        conn = connect(bot)
        conn.setblocking(False)
        waiting[conn] = memoryview(head_of("/github/webhook", github_headers(body), MB) + body)
    conns, deadline = list(waiting), time.monotonic() + 2
    while waiting and time.monotonic() < deadline:
        for conn in list(waiting):
            try:
                waiting[conn] = waiting[conn][conn.send(waiting[conn]):]
            except BlockingIOError:
                continue
            except OSError:
                del waiting[conn]
                continue
            if not waiting[conn]:
                del waiting[conn]
    for conn in conns:
        conn.close()
    update = json.dumps(telegram_update(ADA, 93_000, "/whoami")).encode()
    began = time.monotonic()
    wait_until(lambda: post_telegram(bot, update).status == 200, WAIT_S, "room for an honest one")
    assert elapsed(began) < DEADLINE_S - 1


def test_many_at_once_are_each_answered_exactly_once(bot):
    conns = []
    try:
        for n in range(150):
            body = json.dumps(telegram_update(ADA + 1000 + n, 92_000 + n, "hello")).encode()
            conn = connect(bot)
            conn.sendall(head_of("/telegram/webhook", telegram_headers(), len(body)) + body)
            conns.append(conn)
        answers = [receive(conn) for conn in conns]
    finally:
        for conn in conns:
            conn.close()
    assert {a.status for a in answers} <= {200, 503}
    assert sum(a.status == 200 for a in answers) >= 64, "as many as the queue takes"
    assert all(a.headers.get("retry-after") for a in answers if a.status == 503)
