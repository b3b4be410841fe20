"""hostile_slow.py - many who hold a connection and give or take a byte now and then: each is cut at its
absolute deadline, and an honest client is answered all the while."""
# SPDX-License-Identifier: ISC
import contextlib
import itertools
import resource
import threading
import time

from hostile_aid import (NAME, PATHS, PATIENCE_S, Honest, House, ask_once, body_of, healthz, honest_request,
                         must, proof)

HELD = 420              # more than the bot takes in all (LIMIT_CONNECTIONS)
DEADLINE_S = 10
SLACK_S = 30            # how much later a busy machine may cut
numbers = itertools.count(1)


def half_a_body(source):
    """A head that may well be true, and no body: only its end could show."""
    number = next(numbers)
    body = body_of(source, number)
    fields = "".join(f"{k}: {v}\r\n" for k, v in proof(source, body, number).items())
    return f"POST {PATHS[source]} HTTP/1.1\r\nHost: {NAME}\r\n{fields}Content-Length: 90000\r\n\r\n".encode()


HEALTHZ = f"GET /healthz HTTP/1.1\r\nHost: {NAME}\r\n".encode()
METRICS = f"GET /metrics HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()

# name: (what is sent at first, what is sent again and again, whether answers are read)
HOLDERS = {
    "silent": (lambda: b"", b"", True),
    "head drip": (lambda: HEALTHZ, b"X-A: b\r\n", True),
    "one byte of a line": (lambda: b"", b"G", True),
    "body drip": (lambda: half_a_body("github"), b" ", True),
    "no body": (lambda: half_a_body("telegram"), b"", True),
    # Answers that nobody reads: what is to be sent stays with the server.
    "read drip": (lambda: METRICS * 1500, b"", False),
    "kept alive": (lambda: HEALTHZ + b"\r\n", b"", True),
}
# 4 MB of answers each until a socket takes no more: many of them would measure how fast we make them.
FEW = ("read drip",)
READERS = 6
# They asked and were answered: they may wait for their next question, until places are few.
MAY_STAY = ("kept alive",)


class Holder:
    def __init__(self, door, kind):
        first, self.more, self.reads = HOLDERS[kind]
        self.kind = kind
        self.began = time.monotonic()
        self.cut_after = None
        # nginx limits what comes from one address at once: a crowd has its own, of which it uses all.
        self.conn = (door.connect(source="127.0.0.66") if door.name != "directly" else
                     door.connect() if self.reads else door.connect(window=4096))
        self.conn.setblocking(False)
        self.send(first())

    def send(self, data):
        try:
            self.conn.send(data)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if "want" not in str(error).lower():
                self.cut()

    def cut(self):
        if self.cut_after is None:
            self.cut_after = time.monotonic() - self.began
            self.conn.close()

    def turn(self):
        """Gives a byte, takes what there is; notices its end."""
        if self.cut_after is not None:
            return
        if not self.reads and time.monotonic() - self.began > DEADLINE_S + 5:
            self.reads = True   # with no room for a byte, the end was not reported either
            self.more = b""
        if self.more:
            self.send(self.more)
        try:
            while self.cut_after is None and self.reads:
                if not self.conn.recv(65536):
                    self.cut()
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if "did not complete" not in str(error):
                self.cut()


class Crowd:
    """Many holders, and a thread that gives each of them its turn."""

    def __init__(self, door, kinds):
        self.holders = []
        self.is_over = threading.Event()
        self.door = door
        few = [kind for kind in kinds if kind in FEW] * READERS
        many = [kind for kind in kinds if kind not in FEW]
        self.kinds = [*few, *itertools.islice(itertools.cycle(many), HELD - len(few) if many else 0)]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.is_over.wait(0.2):
            for holder in self.holders:
                holder.turn()

    def __enter__(self):
        for kind in self.kinds:
            with contextlib.suppress(OSError):      # the places may all be taken
                self.holders.append(Holder(self.door, kind))
        self.thread.start()
        return self

    def left(self, but=()):
        return [h for h in self.holders if h.cut_after is None and h.kind not in but]

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(PATIENCE_S)
        for holder in self.holders:
            holder.cut()


def asker(house, door, longest):
    def ask():
        request, _ = honest_request("github", 9_000_000 + next(numbers), "close")
        with door.connect(longest) as conn:
            conn.sendall(request)
            return int(conn.recv(64).split()[1])
    return Honest(f"who asks properly {door.name}", ask, right=(200,))


def hold(hall, house, door, kinds, label):
    """A crowd until the last of it was cut, and honest ones all the time."""
    with contextlib.ExitStack() as stack:
        looks = stack.enter_context(healthz(house.bot))
        asks = stack.enter_context(asker(house, door, PATIENCE_S))
        crowd = stack.enter_context(Crowd(door, kinds))
        hall.hit(f"held {door.name}", len(crowd.holders))
        began = time.monotonic()
        but = MAY_STAY if door.name == "directly" else tuple(HOLDERS)
        least = DEADLINE_S + 2 if door.name != "directly" else 0
        waits = threading.Event()
        while (crowd.left(but) or time.monotonic() - began < least) and \
                time.monotonic() - began < DEADLINE_S + SLACK_S:
            waits.wait(0.1)
        left = crowd.left(but)
        must(not left, lambda: f"{label}: {len(left)} of {len(crowd.holders)} are still held after "
                               f"{DEADLINE_S + SLACK_S} s: {sorted({h.kind for h in left})}")
    hall.note(f"{label}: {len(crowd.holders)} held {door.name}; answered meanwhile: {asks.answered}, "
              f"the longest wait {asks.longest_s:.1f} s; /healthz {looks.answered} and "
              f"{looks.longest_s:.1f} s")
    must(ask_once(door, honest_request("github", 9_500_000 + next(numbers))[0]) == 200,
         f"{label}: the next honest request")


def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2048:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


def play(hall):
    enough_descriptors()
    hall.wants("held directly", least=HELD // 2)
    if not hall.is_short:
        hall.wants("held through nginx", least=HELD // 2)
    with House(hall, "slow") as house:
        direct, nginx = house.doors
        if hall.is_short:
            hold(hall, house, direct, ("silent", "head drip", "kept alive"), "a mixed crowd")
            return
        hold(hall, house, direct, tuple(HOLDERS), "a mixed crowd")
        for kind in ("head drip", "body drip", "read drip"):
            hold(hall, house, direct, (kind,), kind)
        hold(hall, house, nginx, ("silent", "head drip", "body drip", "kept alive"), "a mixed crowd")
