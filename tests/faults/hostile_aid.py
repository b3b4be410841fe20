"""hostile_aid.py - what the hostile themes share: a tally that must be reached, doors to the bot
(straight, and through the real nginx), and an honest client who asks all the time."""
# SPDX-License-Identifier: ISC
import itertools
import json
import os
import pathlib
import random
import re
import socket
import sqlite3
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for room in ("tests/demo", "tests/peers", "tests/e2e", "tests/faults"):
    sys.path.insert(0, str(ROOT / room))

from crash_aid import telegram_update  # noqa: E402
from github import push_payload  # noqa: E402
from nginx_aid import NAME, Proxy  # noqa: E402
from oracle import COMPLAINTS  # noqa: E402
from ops_aid import bare, github_headers, telegram_headers  # noqa: E402
from stage import get  # noqa: E402
from telegram_client import ADA  # noqa: E402

PATIENCE_S = 60         # until something that must come is a failure; the machine may be busy
IN_PROGRESS = ("asking git for", "git is still fetching", "again?", "▸", "Deploying staging", "Stopping staging",
               "Rolling back staging")


class Failure(Exception):
    """A promise was broken; the text is the evidence."""


def must(condition, what):
    if not condition:
        raise Failure(what() if callable(what) else what)


class Hall:
    """One campaign: its folder, its seed, its size, and how often each fault was really met."""

    def __init__(self, folder, seed, is_short=False):
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self.is_short = is_short
        self.hits = {}
        self.wanted = {}
        self.notes = []
        self.folders = itertools.count(1)
        self.looked_at = set()      # databases, by the oracle

    def end_all(self):
        """What the campaign asks of a scene after a failure: a theme has ended what it started."""

    def close(self):
        """As end_all()."""

    def dice(self, theme):
        """Random numbers of a theme's own: a theme alone draws what it drew among the others."""
        return random.Random(f"{self.seed} {theme}")

    def size(self, whole, short):
        return short if self.is_short else whole

    def room(self, name):
        path = self.folder / f"{name}-{next(self.folders)}"
        path.mkdir(parents=True)
        return path

    def wants(self, *names, least=1):
        for name in names:
            self.wanted[name] = least

    def hit(self, name, n=1):
        self.hits[name] = self.hits.get(name, 0) + n

    def note(self, text):
        self.notes.append(text)
        print(f"    {text}", flush=True)

    def missed(self):
        return [f"{name}: {self.hits.get(name, 0)} of at least {least}"
                for name, least in self.wanted.items() if self.hits.get(name, 0) < least]


# --- doors ----------------------------------------------------------------------------------------

class Direct:
    name = "directly"

    def __init__(self, bot):
        self.bot = bot

    def connect(self, timeout=PATIENCE_S, window=None):
        conn = socket.socket()
        conn.settimeout(timeout)
        try:
            if window:      # before: what the other end sends is to stay there
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            conn.connect(("127.0.0.1", self.bot.port))
        except OSError:
            conn.close()
            raise
        return conn


class ThroughNginx:
    name = "through nginx"

    def __init__(self, proxy):
        self.proxy = proxy

    def connect(self, timeout=PATIENCE_S, source="127.0.0.1"):
        return self.proxy.connect(source=source, timeout=timeout)


class House:
    """A real deploybot without a chat, and the real nginx with our configuration before it."""

    def __init__(self, hall, name, **settings):
        self.folder = hall.room(name)
        self.bot = bare(self.folder, **settings).start()
        nginx = self.folder / "nginx"
        nginx.mkdir()
        self.proxy = Proxy(nginx, f"127.0.0.1:{self.bot.port}").start()
        self.doors = [Direct(self.bot), ThroughNginx(self.proxy)]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.proxy.stop()
        status = self.bot.stop()
        if kind is None:
            must(status == 0, f"deploybot ended with {status}:\n{self.bot.log()[-4000:]}")
            check_log(self.bot.log())

    def stored(self):
        """What was taken for good: {(source, id)} of the inbox."""
        return inbox_of(self.folder / "state" / "deploybot.db")


def inbox_of(path):
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S)
    try:
        return set(conn.execute("SELECT source, id FROM inbox"))
    finally:
        conn.close()


def is_at_rest(path):
    """Was nothing left to do when it was stopped?  Without a chat there is always something to be said."""
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S)
    try:
        return not conn.execute("SELECT 1 FROM effect WHERE kind <> 'wait' OR subject <> 0").fetchall()
    finally:
        conn.close()


def check_log(log):
    for word in COMPLAINTS:
        must(word not in log, lambda: f"{word} in the log:\n{log[-8000:]}")


# --- requests -------------------------------------------------------------------------------------

PATHS = {"telegram": "/telegram/webhook", "github": "/github/webhook"}


def update_body(number, text="/whoami", person=ADA):
    return json.dumps(telegram_update(person, number, text)).encode()


def push_body(number, branch="nobodys", after=None):
    """A push as small as a true one can be; its commit is the number."""
    return json.dumps(push_payload("orchard/shop", f"refs/heads/{branch}", f"{number + 1:040x}",
                                   after or f"{number:040x}", commits=[])).encode()


def proof(source, body, number):
    """The header fields that make a request of this source a true one."""
    if source == "telegram":
        return telegram_headers()
    return github_headers(body, event="push", guid=f"g{number}")


def key_of(source, number):
    """Under which the inbox keeps it."""
    return (source, str(number) if source == "telegram" else f"g{number}")


def body_of(source, number):
    return update_body(number) if source == "telegram" else push_body(number)


def honest_request(source, number, connection="keep-alive"):
    """A whole request that has to be stored, and the key under which it is."""
    body = body_of(source, number)
    fields = "".join(f"{k}: {v}\r\n" for k, v in proof(source, body, number).items())
    head = (f"POST {PATHS[source]} HTTP/1.1\r\nHost: {NAME}\r\nConnection: {connection}\r\n{fields}"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode("latin-1") + body, key_of(source, number)


class Exchange:
    """What came back until the other end closed: statuses, and whether it did close."""

    def __init__(self, raw, is_closed):
        self.raw = raw
        self.is_closed = is_closed
        self.statuses = [int(n) for n in re.findall(rb"HTTP/1\.[01] (\d{3})", raw)]

    @property
    def final(self):
        """The first status that is no 100 Continue; 0: closed without a word."""
        return next((n for n in self.statuses if n >= 200), 0)

    def __repr__(self):
        end = "closed" if self.is_closed else "LEFT OPEN"
        return f"{self.statuses or 'no answer'}, {end}: {self.raw[:200]!r}"


def exchange(door, request, timeout=15, last=b""):
    """Sends these bytes, says no more, and reads until the end, or until `last` was answered."""
    raw = b""
    with door.connect() as conn:
        conn.settimeout(timeout)
        try:
            conn.sendall(request)
        except OSError:
            pass    # refused before all of it was read
        while True:
            try:
                piece = conn.recv(65536)
            except TimeoutError:
                return Exchange(raw, False)
            except OSError:
                return Exchange(raw, True)
            if not piece:
                return Exchange(raw, True)
            raw += piece
            if last and last in raw:
                return Exchange(raw, True)


def ask_once(door, request, timeout=PATIENCE_S):
    """The status of one honest request on a connection of its own."""
    with door.connect(timeout) as conn:
        conn.sendall(request)
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = conn.recv(65536)
            if not piece:
                break
            raw += piece
    return Exchange(raw, True).final


class Honest:
    """Somebody who asks properly all the time while others do what they do.

    ask() returns a status, or raises OSError."""

    def __init__(self, name, ask, right=(200,)):
        self.name = name
        self.ask = ask
        self.right = right
        self.answered = 0
        self.longest_s = 0.0
        self.wrong = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.is_over.is_set():
            began = time.monotonic()
            try:
                status = self.ask()
            except OSError as error:
                status = repr(error)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if status in self.right:
                self.answered += 1
            else:
                self.wrong.append((status, round(time.monotonic() - began, 2)))
            self.is_over.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.is_over.set()
        self.thread.join(PATIENCE_S)
        if kind is None:
            must(not self.wrong, f"{self.name} was refused: {self.wrong[:5]}")
            must(self.answered > 0, f"{self.name} was never answered")


def healthz(bot):
    """An Honest who asks whether the loop turns."""
    return Honest("who asks /healthz", lambda: get(bot.base + "/healthz", timeout=PATIENCE_S)[0])


def high_water_kb(pid):
    """The most memory that a process had, None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+)", text, re.M)
    return int(found.group(1)) if found else None


def is_sanitized():
    """A sanitizer's shadow memory makes sizes meaningless."""
    build = os.environ.get("DEPLOYBOT_BUILD", str(ROOT / "build"))
    return b"__asan_init" in (pathlib.Path(build) / "deploybot").read_bytes()
