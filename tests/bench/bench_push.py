"""bench_push.py - signed pushes, each with its durable answer, beside Debian's `webhook`."""
# SPDX-License-Identifier: ISC
import contextlib
import socket
import sqlite3
import statistics
import time

import kit

CONNECTIONS = (1, 16, 64)
IDLE_CONNECTIONS = 200  # with the load's 16 still below the server's 256
RATIO = 5
RSS_AFTER_MB = 40
SETTLE_TIMEOUT_S = 120


@contextlib.contextmanager
def stage_for_pushes(bench):
    with kit.Stage(bench.new_folder("push"), deliver=True,
                   settings={"GITHUB_REPOSITORY": kit.REPOSITORY}) as stage:
        kit.pin(stage.bot.process.pid, kit.cores()[1])
        yield stage


def count_rows(stage, what):
    path = stage.folder / "state" / "deploybot.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0]


class Pushes:
    """Loads on one stage; counts what was promised."""

    def __init__(self, bench, stage):
        self.bench, self.stage = bench, stage
        self.acknowledged = 0
        self.bodies = {}
        for branch in ("topic", "develop"):
            self.bodies[branch] = bench.folder / f"push-{branch}.json"
            self.size = kit.write_body(self.bodies[branch], branch)

    def run(self, connections, branch="topic", seconds=None):
        pid = self.stage.bot.process.pid
        before = kit.processor_seconds(pid)
        told = kit.run_load(self.bench.load, self.stage.bot.port, "/github/webhook", connections,
                            seconds or self.bench.seconds, self.bodies[branch])
        told["cpu_us"] = (kit.processor_seconds(pid) - before) / told["ok"] * 1e6
        self.acknowledged += told["ok"]
        return told

    def peer(self, webhook, connections):
        return kit.run_load(self.bench.load, webhook.port, webhook.route, connections,
                            self.bench.seconds, self.bodies["topic"])


def median_of(rounds, key):
    return statistics.median(one[key] for one in rounds)


def compare(bench, pushes, webhook, connections):
    """Ours and theirs by turns, so that what the machine does hits both."""
    ours, theirs = [], []
    for _ in range(bench.rounds):
        ours.append(pushes.run(connections))
        theirs.append(pushes.peer(webhook, connections))
    ratio = median_of(ours, "rate") / median_of(theirs, "rate")
    bench.row(f"pushes of {pushes.size} bytes, {connections} connections, against webhook",
              f"{ratio:.1f} ×  ({median_of(ours, 'rate'):.0f}/s, p99 "
              f"{median_of(ours, 'p99_us') / 1000:.1f} ms, {median_of(ours, 'cpu_us'):.0f} µs of "
              f"processor; webhook {median_of(theirs, 'rate'):.0f}/s)",
              f"≥ {RATIO} ×" if connections > 1 else "", ratio >= RATIO if connections > 1 else None)
    return median_of(ours, "rate")


def beside_idle(bench, pushes):
    """Connections that are open and silent, half of them in the middle of a head."""
    alone, beside = [], []
    for _ in range(bench.rounds):
        alone.append(pushes.run(16))
        with contextlib.ExitStack() as stack:
            for i in range(IDLE_CONNECTIONS):
                address = ("127.0.0.1", pushes.stage.bot.port)
                idle = stack.enter_context(socket.create_connection(address))
                if i % 2:
                    idle.sendall(b"POST /github/webhook HTTP/1.1\r\nHost: x\r\n")
            beside.append(pushes.run(16))
    ratio = median_of(beside, "rate") / median_of(alone, "rate")
    bench.row(f"the same beside {IDLE_CONNECTIONS} silent connections", f"{ratio:.2f} × of alone",
              "≥ 0.8 ×", ratio >= 0.8)


def followed(bench, pushes):
    """Pushes of a branch that an environment follows: each is a question to git as well."""
    told = pushes.run(16, "develop")
    began = time.monotonic()
    kit.wait_until(lambda: count_rows(pushes.stage, "effect WHERE kind = 'ask'") == 0,
                   SETTLE_TIMEOUT_S, "git's answers")
    bench.row("pushes of a branch that is deployed, 16 connections",
              f"{told['rate']:.0f}/s, {told['cpu_us']:.0f} µs of processor; "
              f"git had answered {time.monotonic() - began:.1f} s later")


def measure_push(bench):
    bench.flush_ms()
    with stage_for_pushes(bench) as stage:
        pushes = Pushes(bench, stage)
        pid = stage.bot.process.pid
        with contextlib.closing(kit.Webhook(bench.folder)) as webhook:
            for connections in CONNECTIONS:
                compare(bench, pushes, webhook, connections)
        beside_idle(bench, pushes)
        rows = count_rows(stage, "inbox")
        if rows != pushes.acknowledged:
            raise RuntimeError(f"{pushes.acknowledged} pushes were acknowledged, {rows} are rows")
        bench.row("pushes acknowledged, and rows in the database", f"{rows}, all of them")
        resident, dirty = kit.memory_mb(pid)
        bench.row("memory after that load", f"{resident:.1f} MB resident, {dirty:.1f} MB its own",
                  f"≤ {RSS_AFTER_MB} MB", resident <= RSS_AFTER_MB)
        followed(bench, pushes)
