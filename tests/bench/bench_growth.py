"""bench_growth.py - what ten times the rows change."""
# SPDX-License-Identifier: ISC
import contextlib
import statistics

import kit
from bench_history import DELIVERIES, DEPLOYMENTS, fill
from bench_push import Pushes, count_rows
from bench_start import Presser, Starter, begin_run, stage_with_script, wait_for_end

TIMES = 10
TOLERANCE = 0.1
STARTS, CONFIRMS = 7, 9
ROUNDS = 5

def confirm_ms(stage):
    times = []
    with contextlib.closing(Presser(stage)) as presser:
        for _ in range(CONFIRMS):
            times.append(begin_run(stage, presser)[0] / 1e6)
            wait_for_end(stage)
    return statistics.median(times)


def command_ms(stage, text):
    """From an update to the request that answers it, at Telegram."""
    times = []
    with contextlib.closing(Presser(stage)) as presser:
        for _ in range(CONFIRMS):
            times.append(presser.command_ms(text))
    return statistics.median(times)


def figures(bench, stage, starter):
    """{what: (median, unit, higher is better)}"""
    found = {"exec to ready": (starter.median_ms(False, times=STARTS), "ms", False)}
    starter.start_ms()
    kit.pin(stage.bot.process.pid, kit.cores()[1])
    pushes = Pushes(bench, stage)
    for what, connections, kind in (("pushes, 1 connection", 1, "push"),
                                    ("pushes, 64 connections", 64, "push"),
                                    ("updates, 16 connections", 16, "update")):
        to = pushes if kind == "push" else kit.Target(stage.bot.port, "/telegram/webhook")
        body = bench.bodies["topic" if kind == "push" else "update"]
        rates = [kit.run_load(bench, to, connections, bench.seconds, body, kind=kind)["rate"]
                 for _ in range(ROUNDS)]
        found[what] = (statistics.median(rates), "a second", True)
    found["Confirm to exec"] = (confirm_ms(stage), "ms", False)
    for command in ("/help", "/history"):
        found[f"{command} to its answer"] = (command_ms(stage, command), "ms", False)
    found["memory after that"] = (kit.memory_mb(stage.bot.process.pid)[0], "MB", False)
    starter.stop()
    return found


def measure_growth(bench):
    sizes = {}
    with stage_with_script(bench, "growth", bench.lines) as stage, \
            contextlib.closing(Starter(stage)) as starter:
        starter.stop()
        for times in (1, TIMES):
            fill(stage, DELIVERIES * times, DEPLOYMENTS * times)
            sizes[times] = figures(bench, stage, starter)
            if count_rows(stage, "work") < DEPLOYMENTS * times:
                raise RuntimeError("the history is not there")
    for what, (few, unit, is_higher_better) in sizes[1].items():
        many = sizes[TIMES][what][0]
        worse = few / many - 1 if is_higher_better else many / few - 1
        digits = 1 if few < 1000 else 0
        bench.row(f"{what}: {DELIVERIES:,} deliveries and {DEPLOYMENTS:,} deployments, then "
                  f"{TIMES} times as many",
                  f"{few:,.{digits}f}, then {many:,.{digits}f} {unit} "
                  f"({'+' if worse <= 0 else '−'}{abs(worse) * 100:.0f} %)",
                  f"at most {TOLERANCE * 100:.0f} % worse", worse <= TOLERANCE)
