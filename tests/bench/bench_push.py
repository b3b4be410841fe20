"""bench_push.py - signed pushes, each with its durable answer, beside those who do as much or less."""
# SPDX-License-Identifier: ISC
import contextlib
import socket
import sqlite3
import statistics
import subprocess
import time

import kit
from bench_peers import Nginx, Node, Webhook

CONNECTIONS = (1, 16, 64, 256)
IDLE_CONNECTIONS = 200
RSS_MB, DIRTY_MB, LAG_MS = 24, 12, 10
REFUSED_RATIO = 3
SETTLE_TIMEOUT_S = 120
JSON_US = 15


class Pushes:
    """Loads on one stage; counts what was promised."""

    name = "deploybot, on disk"

    def __init__(self, bench, stage):
        self.bench, self.stage = bench, stage
        self.port, self.route = stage.bot.port, "/github/webhook"
        self.acknowledged = 0

    def run(self, connections, body="topic", seconds=None, **options):
        pid = self.stage.bot.process.pid
        before = kit.processor_seconds(pid)
        told = kit.run_load(self.bench, self, connections, seconds or self.bench.seconds,
                            self.bench.bodies[body], **options)
        told["cpu_us"] = (kit.processor_seconds(pid) - before) / told["ok"] * 1e6
        if options.get("kind", "push") == "push":
            self.acknowledged += told["ok"]
        return told


@contextlib.contextmanager
def stage_for_pushes(bench, name="push", start=True):
    with kit.Stage(bench.new_folder(name), deliver=True, start=start,
                   settings={"GITHUB_REPOSITORY": kit.REPOSITORY}) as stage:
        if start:
            kit.pin(stage.bot.process.pid, kit.cores()[1])
        yield stage


def count_rows(stage, what):
    path = stage.folder / "state" / "deploybot.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0]


def median_of(rounds, key):
    return statistics.median(one[key] for one in rounds)


def by_turns(bench, peers, body, over=CONNECTIONS, **options):
    """{(name, connections): rounds}: one after another, so that what the machine does hits all."""
    found = {}
    for connections in over:
        for _ in range(bench.rounds):
            for peer in peers:
                if isinstance(peer, Pushes):
                    told = peer.run(connections, body, **options)
                else:
                    told = kit.run_load(bench, peer, connections, bench.seconds,
                                        bench.bodies[body], **options)
                found.setdefault((peer.name, connections), []).append(told)
    return found


def ratios_row(bench, what, found, ours, theirs, target):
    """One row for all numbers of connections; met says where, when it is not everywhere."""
    ratios = {}
    for name, connections in found:
        if name == ours:
            ratios[connections] = (median_of(found[ours, connections], "rate") /
                                   median_of(found[theirs, connections], "rate"))
    good = [str(n) for n, ratio in ratios.items() if ratio >= target]
    met = len(good) == len(ratios) or (f"at {', '.join(good)}" if good else False)
    told = ", ".join(f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}" for ratio in ratios.values())
    over = ", ".join(map(str, ratios))
    bench.row(f"{what}; over {over} connections", f"{told} ×", f"≥ {target} ×", met)


RATIOS = {
    "webhook, /bin/true": 10,
    "webhook, no rule matches": 1.5,
    "node, @octokit, better-sqlite3 FULL": 4,
    "node, @octokit, storing nothing": 0.9,
}


def loads_row(bench, what, watch):
    """Memory, descriptors and lag under a load, in one row each."""
    bench.row(f"memory under {what}",
              f"{watch.resident_mb:.1f} MB, {watch.dirty_mb:.1f} of it its own, "
              f"{watch.descriptors} descriptors", f"≤ {RSS_MB} MB, ≤ {DIRTY_MB}",
              watch.resident_mb <= RSS_MB and watch.dirty_mb <= DIRTY_MB)
    bench.row(f"loop lag under {what}, the worst turn", f"{watch.lag_ms:.1f} ms", f"≤ {LAG_MS} ms",
              watch.lag_ms <= LAG_MS)


def compare(bench, pushes, peers, closes):
    mode = "a connection each" if closes else "kept alive"
    with kit.Watch(pushes.stage.bot) as watch:
        found = by_turns(bench, [pushes, *peers], "topic", closes=closes)
    bench.matrix(f"Signed pushes of 8 KB a second, {mode}", CONNECTIONS, {
        peer.name: [f"{median_of(found[peer.name, n], 'rate'):,.0f}" for n in CONNECTIONS]
        for peer in [pushes, *peers]} | {
        "deploybot, p99 in ms": [f"{median_of(found[pushes.name, n], 'p99_us') / 1000:.1f}"
                                 for n in CONNECTIONS],
        "deploybot, processor for one in µs": [
            f"{median_of(found[pushes.name, n], 'cpu_us'):.0f}" for n in CONNECTIONS]})
    for name, target in RATIOS.items():
        ratios_row(bench, f"pushes {mode}, against {name}", found, pushes.name, name, target)
    loads_row(bench, f"pushes {mode}", watch)


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
              f"{told['rate']:,.0f}/s, {told['cpu_us']:.0f} µs of processor; "
              f"git had answered {time.monotonic() - began:.1f} s later")


def check_none_lost(bench, pushes):
    rows = count_rows(pushes.stage, "inbox")
    if rows != pushes.acknowledged:
        raise RuntimeError(f"{pushes.acknowledged} pushes were acknowledged, {rows} are rows")
    bench.row("pushes acknowledged, and rows in the database", f"{rows:,}, all of them")


def read_json(bench):
    program = kit.program("picker")
    done = subprocess.run(["taskset", "-c", str(kit.cores()[1]), str(program),
                           str(bench.bodies["topic"])],
                          capture_output=True, text=True, timeout=60, check=True)
    bench.row("reading a push's JSON", f"{float(done.stdout):.1f} µs", f"≤ {JSON_US} µs",
              float(done.stdout) <= JSON_US)


def measure_push(bench):
    bench.flush_ms()
    read_json(bench)
    with stage_for_pushes(bench) as stage, contextlib.ExitStack() as stack:
        pushes = Pushes(bench, stage)
        peers = [stack.enter_context(contextlib.closing(peer)) for peer in (
            Webhook(bench.folder, True), Webhook(bench.folder, False), Node(bench.folder, True),
            Node(bench.folder, False), Nginx(bench.folder))]
        for closes in (False, True):
            compare(bench, pushes, peers, closes)
        beside_idle(bench, pushes)
        check_none_lost(bench, pushes)
        followed(bench, pushes)


def measure_refused(bench):
    with stage_for_pushes(bench, "refused") as stage, \
            contextlib.closing(Node(bench.folder, False)) as node:
        pushes = Pushes(bench, stage)
        for kind, what in (("star", "an event nobody asked for, its signature checked"),
                           ("forged", "a wrong signature")):
            with kit.Watch(stage.bot) as watch:
                body = "star" if kind == "star" else "topic"
                found = by_turns(bench, [pushes, node], body, (16, 64), kind=kind)
            ratios_row(bench, f"refused: {what}, against {node.name}", found, pushes.name,
                       node.name, REFUSED_RATIO)
            rates = (f"{median_of(found[name, 64], 'rate'):,.0f}/s"
                     for name in (pushes.name, node.name))
            bench.row(f"refused: {what}, 64 connections", "; node ".join(rates))
            loads_row(bench, f"{kind} events", watch)
        if count_rows(stage, "inbox") != 0:
            raise RuntimeError("what was refused is in the database")
