"""bench_update.py - Telegram's updates: until they are acknowledged, and until a command is answered."""
# SPDX-License-Identifier: ISC
import contextlib
import statistics

import kit
from bench_push import count_rows, loads_row, median_of
from bench_start import Presser, stage_with_script

CONNECTIONS = (1, 16, 64)
COMMANDS, HELP_MS = 15, 10


def measure_update(bench):
    bench.flush_ms()
    with stage_with_script(bench, "update", bench.lines) as stage:
        kit.pin(stage.bot.process.pid, kit.cores()[1])
        to = kit.Target(stage.bot.port, "/telegram/webhook")
        before = count_rows(stage, "inbox WHERE source = 'telegram'")
        acknowledged = 0
        with kit.Watch(stage.bot) as watch:
            for connections in CONNECTIONS:
                rounds = [kit.run_load(bench, to, connections, bench.seconds,
                                       bench.bodies["update"], kind="update")
                          for _ in range(bench.rounds)]
                acknowledged += sum(one["ok"] for one in rounds)
                bench.row(f"updates acknowledged on disk, {connections} connections",
                          f"{median_of(rounds, 'rate'):,.0f}/s, "
                          f"p50 {median_of(rounds, 'median_us') / 1000:.2f} ms, "
                          f"p99 {median_of(rounds, 'p99_us') / 1000:.2f} ms")
        rows = count_rows(stage, "inbox WHERE source = 'telegram'") - before
        if rows != acknowledged:
            raise RuntimeError(f"{acknowledged} updates were acknowledged, {rows} are rows")
        loads_row(bench, "updates", watch)
        with contextlib.closing(Presser(stage)) as presser:
            times = [presser.command_ms("/help") for _ in range(COMMANDS)]
        took = statistics.median(times)
        bench.row("from /help to the answer's request at Telegram",
                  f"{took:.1f} ms (worst of {COMMANDS}: {max(times):.1f})", f"≤ {HELP_MS} ms",
                  took <= HELP_MS)
