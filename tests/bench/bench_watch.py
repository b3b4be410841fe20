"""bench_watch.py - a hundred pages that follow one log: how soon each has a line, what they cost in memory, and what
pushes lose beside them; what a page asks for first, of 200 applications and of 10,000 works."""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import itertools
import json
import os
import selectors
import shlex
import socket
import statistics
import threading
import time

import kit
from bench_history import DEPLOYMENTS, fill
from bench_push import count_rows
from bench_start import ADMINS, REST_S, Presser, Starter, stage_with_script
from github_tokens import AUDIENCE
from mini_app import init_data
from stage import write_application
from telegram_client import DEFAULT_TOKEN

WATCHERS, LINES, PACE_S = 100, 20, 2.0     # a watcher is answered once a second at most
LINE_MS, MEMORY_MB, SLOWER = 500, 3, 0.05
APPLICATIONS, STATUS_MS, FIGURES_MS, ASKS = 200, 100, 50, 20
TURNS = 4       # for each round
QUERIES = itertools.count(1)
CONSOLE = {"CONSOLE": "true", "ENABLE_API_SERVER": "true", "PUBLIC_URL": AUDIENCE, "RATE_LIMIT_REQUESTS": "0",
           "AUTH_TOKEN_SECRET": "of-the-bench-7Qd2Zk9Lw4Xs-of-the-bench", "GITHUB_REPOSITORY": kit.REPOSITORY}


def ask(stage, path, token=None, body=None):
    """(answer, ms) of /v1."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.http_port, timeout=60)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with contextlib.closing(connection):
        connection.connect()
        began = time.perf_counter()
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]}")
        return json.loads(text), took


def log_in(stage, who):
    """A session of the page, as Telegram's button opens it."""
    signed = init_data(DEFAULT_TOKEN, {"id": who, "first_name": "Ada"}, query_id=f"AAE{next(QUERIES)}")
    return ask(stage, "/v1/session/open", body={"init_data": signed})[0]["token"]


class Watchers(threading.Thread):
    """Each follows the log on a connection and with a session of its own, and asks again as soon as it is answered."""

    def __init__(self, stage, work, tokens):
        super().__init__(daemon=True)
        self.port, self.work, self.tokens = stage.http_port, work, tokens
        self.selector, self.over = selectors.DefaultSelector(), threading.Event()
        self.times, self.fault, self.is_asked = [], None, 0
        for token in tokens:
            one = socket.create_connection(("127.0.0.1", self.port))
            self.selector.register(one, selectors.EVENT_READ, {"token": token, "next": 0, "text": b""})
            self.send(one, self.selector.get_key(one).data)

    def send(self, one, state):
        self.is_asked += 1
        one.sendall((f"GET /v1/log/{self.work}/{state['next']} HTTP/1.1\r\nHost: x\r\nPrefer: wait=7\r\n"
                     f"Authorization: Bearer {state['token']}\r\n\r\n").encode())

    def take(self, one, state):
        piece = one.recv(65536)
        if not piece:
            raise RuntimeError("a watcher's connection was ended")
        state["text"] += piece
        head, _, body = state["text"].partition(b"\r\n\r\n")
        size = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                     if line.lower().startswith(b"content-length:")), None)
        if size is None or len(body) < size:
            return
        arrived = time.monotonic_ns()
        if head.split()[1] != b"200":
            raise RuntimeError(f"a watcher was answered {state['text'][:300]}")
        answer, state["text"] = json.loads(body), b""
        for line in answer["text"].splitlines():
            if line.startswith("at "):
                self.times.append((int(line.split()[1]), (arrived - int(line.split()[1])) / 1e6))
        state["next"] = answer["next"]
        self.send(one, state)

    def run(self):
        try:
            while not self.over.is_set():
                for key, _ in self.selector.select(0.2):
                    self.take(key.fileobj, key.data)
        except (OSError, RuntimeError, ValueError) as problem:
            self.fault = problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        if self.fault is not None:
            raise self.fault


class Printer:
    """A run in progress prints what is written here."""

    def __init__(self, bench):
        folder = bench.new_folder("printed")
        self.path, script = folder / "lines", folder / "deploy.sh"
        os.mkfifo(self.path)
        script.write_text(f"#!/bin/sh\necho 'a first line'\nexec cat {shlex.quote(str(self.path))}\n", encoding="ascii")
        script.chmod(0o755)
        self.script, self.file = script, None

    def open(self):
        """Waits for the run."""
        self.file = os.open(self.path, os.O_WRONLY)

    def line(self):
        os.write(self.file, b"at %d\n" % time.monotonic_ns())

    def close(self):
        if self.file is not None:
            os.close(self.file)


@contextlib.contextmanager
def followed(bench):
    """(stage, printer, number of the work that is in progress, a session for each watcher)"""
    printer = Printer(bench)
    with stage_with_script(bench, "watch", printer.script, settings=CONSOLE) as stage, \
            contextlib.closing(Presser(stage)) as presser, contextlib.closing(printer):
        kit.pin(stage.bot.process.pid, kit.cores()[1])
        presser.confirm(presser.ask("production"))
        printer.open()
        tokens = [log_in(stage, who) for who in ADMINS for _ in range(WATCHERS // len(ADMINS))]
        yield stage, printer, count_rows(stage, "work"), tokens


def lines_row(bench, printer, watchers, memory_mb):
    for _ in range(LINES):
        time.sleep(PACE_S)
        printer.line()
    kit.wait_until(lambda: len(watchers.times) >= LINES * WATCHERS or watchers.fault, 20, "the last line everywhere")
    if len(watchers.times) != LINES * WATCHERS:
        raise RuntimeError(f"{len(watchers.times)} arrived of {LINES * WATCHERS}: {watchers.fault}")
    times = sorted(took for _, took in watchers.times)
    p50, p99 = (times[int(len(times) * share)] for share in (.5, .99))
    bench.row(f"a line that is printed behind {PACE_S:.0f} s of silence, until it is on {WATCHERS} pages: p50, p99 of "
              f"{len(times):,}; memory of these pages",
              f"{p50:.0f}, {p99:.0f} ms; {memory_mb:.2f} MB", f"p99 ≤ {LINE_MS} ms; ≤ {MEMORY_MB} MB",
              p99 <= LINE_MS and memory_mb <= MEMORY_MB)


def pushes_row(bench, stage, printer, begin):
    """By turns, each first in every other one: beside watchers who have a line each two seconds, and without."""
    to = kit.Target(stage.http_port, "/github/webhook")

    def rate(is_watched):
        if not is_watched:
            return kit.run_load(bench, to, 16, max(bench.seconds, int(PACE_S)), bench.bodies["topic"])["rate"]
        with begin() as watchers:
            kit.wait_until(lambda: watchers.is_asked >= 2 * WATCHERS or watchers.fault, 20, "watchers that wait")
            time.sleep(1)
            printer.line()
            return rate(False)
    ratios = []
    for n in range(TURNS * bench.rounds):
        both = [rate(is_watched) for is_watched in ((True, False) if n % 2 else (False, True))]
        beside, alone = both if n % 2 else both[::-1]
        ratios.append(beside / alone)
    ratio = statistics.median(ratios)
    bench.row(f"pushes over 16 connections beside {WATCHERS} pages that follow a log, against without",
              f"{ratio:.2f} × the rate", f"≥ {1 - SLOWER:.2f} ×", ratio >= 1 - SLOWER)


def measure_followed(bench):
    with followed(bench) as (stage, printer, work, tokens):
        def begin():
            return Watchers(stage, work, tokens)
        pid = stage.bot.process.pid
        time.sleep(REST_S)
        before = kit.memory_mb(pid)[1]
        with begin() as watchers:
            time.sleep(REST_S)
            lines_row(bench, printer, watchers, kit.memory_mb(pid)[1] - before)
        pushes_row(bench, stage, printer, begin)


def status_times(bench):
    stage = kit.Stage(bench.new_folder("many"), deliver=True, start=False, settings={
        **CONSOLE, "ADMIN_TELEGRAM_IDS": ",".join(map(str, ADMINS)), "STAGING_HEALTH_URL": None,
        "PRODUCTION_HEALTH_URL": None})
    stage.extra["APPS_DIRECTORY"] = str(stage.folder / "apps")
    for number in range(APPLICATIONS - 1):
        write_application(stage.folder / "apps", f"a{number:03}", {"GITHUB_REPOSITORY": f"octo/a{number:03}"})
    with stage.start():
        token = log_in(stage, ADMINS[0])
        found, _ = ask(stage, "/v1/status", token)
        times = [ask(stage, "/v1/status", token)[1] for _ in range(ASKS)]
    return len(found["environments"]), times


def figures_times(bench):
    span = [time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86400)) for days in (31, 0)]
    with stage_with_script(bench, "figures", bench.lines, settings=CONSOLE) as stage, \
            contextlib.closing(Starter(stage)) as starter:
        starter.stop()
        fill(stage, DEPLOYMENTS, DEPLOYMENTS)
        starter.start_ms()
        times = [ask(stage, f"/v1/figures/{span[0]}/{span[1]}/production", log_in(stage, who))[1] for who in ADMINS]
        if count_rows(stage, "work") < DEPLOYMENTS:
            raise RuntimeError("the history is not there")
    return times


def measure_watch(bench):
    bench.flush_ms()
    measure_followed(bench)
    (places, statuses), figures = status_times(bench), figures_times(bench)
    status_ms, figures_ms = statistics.median(statuses), statistics.median(figures)
    bench.row(f"GET /v1/status of {APPLICATIONS} applications ({places} environments), and /v1/figures of one over "
              f"{DEPLOYMENTS:,} works: median, the worst of {ASKS}",
              f"{status_ms:.1f}, {max(statuses):.1f} ms; {figures_ms:.1f}, {max(figures):.1f} ms",
              f"≤ {STATUS_MS} ms; ≤ {FIGURES_MS} ms", status_ms <= STATUS_MS and figures_ms <= FIGURES_MS)
