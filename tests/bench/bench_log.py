"""bench_log.py - a gigabyte of output into a run's log, beside `cat > file` of the same producer."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import re
import statistics
import subprocess
import threading
import time

import kit
from bench_start import (Presser, began_ns, begin_run, stage_with_script, wait_for_end)

SIZE = 1_000_000_000
RATIO = 1.5
KEEPER_MB = 8
GROWTH_MB = 2
LAG_S = 0.05
LOOK_S = 0.02
LAG = re.compile(r"^deploybot_loop_lag_seconds (\S+)$", re.MULTILINE)


def write_script(bench):
    script = bench.folder / "gigabyte.sh"
    script.write_text(f"#!/bin/sh\nexec {bench.lines} {SIZE}\n", encoding="ascii")
    script.chmod(0o755)
    return script


def wait_whole(path):
    """Until the file holds everything; returns when, in monotonic ns."""
    def is_whole():
        return path.stat().st_size >= SIZE and time.monotonic_ns()
    return kit.wait_until(is_whole, 120, "a gigabyte in " + str(path))


def cat_seconds(bench):
    path = bench.folder / "cat.log"
    os.sync()
    with open(path, "wb") as file, \
            subprocess.Popen([str(bench.lines), str(SIZE)], stdout=subprocess.PIPE) as producer, \
            subprocess.Popen(["cat"], stdin=producer.stdout, stdout=file) as cat:
        producer.stdout.close()
        ended = wait_whole(path)
        cat.wait()
    took = (ended - began_ns(path)) / 1e9
    path.unlink()
    return took


class Witness:
    """Looks at server and keeper while a run prints: memory, and what the loop says of its lag."""

    def __init__(self, stage):
        self.stage = stage
        self.keeper_mb = 0
        self.lag_s = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        server = self.stage.bot.process.pid
        while not self.over.wait(LOOK_S):
            for pid, name in kit.children(server).items():
                if name.startswith("deploybot-"):
                    self.keeper_mb = max(self.keeper_mb, kit.peak_mb(pid) or 0)
            found = LAG.search(self.stage.bot.metrics())
            self.lag_s = max(self.lag_s, float(found.group(1)) if found else 0)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def run_seconds(stage, presser):
    """(seconds of a run, the path of its log)"""
    os.sync()
    _, log = begin_run(stage, presser)
    ended = wait_whole(log)
    took = (ended - began_ns(log)) / 1e9
    wait_for_end(stage)
    return took, log


def measure_log(bench):
    bench.flush_ms()
    ours, theirs = [], []
    with stage_with_script(bench, "log", write_script(bench)) as stage, \
            contextlib.closing(Presser(stage)) as presser:
        _, log = run_seconds(stage, presser)  # the first one's pages belong to nobody's round
        os.truncate(log, 0)
        before = kit.peak_mb(stage.bot.process.pid)
        for _ in range(bench.rounds):
            theirs.append(cat_seconds(bench))
            took, log = run_seconds(stage, presser)
            ours.append(took)
            os.truncate(log, 0)
        grown = kit.peak_mb(stage.bot.process.pid) - before
        with Witness(stage) as witness:
            _, log = run_seconds(stage, presser)
            time.sleep(1.2)  # the gauge tells of the second before
        os.truncate(log, 0)
    ratio = statistics.median(ours) / statistics.median(theirs)
    bench.row("1 GB of 80-byte lines into a run's log, against cat > file",
              f"{ratio:.2f} × the time ({statistics.median(ours):.2f} s; "
              f"cat {statistics.median(theirs):.2f} s)", f"≤ {RATIO} ×", ratio <= RATIO)
    bench.row("keeper and runner during that, at most", f"{witness.keeper_mb:.1f} MB",
              f"≤ {KEEPER_MB} MB", witness.keeper_mb <= KEEPER_MB)
    bench.row("server during that, grown by", f"{grown:.1f} MB", f"≤ {GROWTH_MB} MB",
              grown <= GROWTH_MB)
    bench.row("the loop's worst lag during that", f"{witness.lag_s * 1000:.1f} ms",
              f"≤ {LAG_S * 1000:.0f} ms", witness.lag_s <= LAG_S)
