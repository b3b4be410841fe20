"""bench_log.py - a gigabyte of output into a run's log, beside `cat > file` of the same producer."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import statistics
import subprocess
import time

import kit
from bench_push import loads_row
from bench_start import (Presser, began_ns, begin_run, stage_with_script, wait_for_end)

SIZE = 1_000_000_000
READERS = 100
SUPERVISOR_MB = 8


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
    pinned = ["taskset", "-c", str(kit.cores()[1])]  # as the run: program and supervisor on one core
    with open(path, "wb") as file, contextlib.closing(Readers(bench, path)), \
            subprocess.Popen([*pinned, str(bench.lines), str(SIZE)],
                             stdout=subprocess.PIPE) as producer, \
            subprocess.Popen([*pinned, "cat"], stdin=producer.stdout, stdout=file) as cat:
        producer.stdout.close()
        ended = wait_whole(path)
        cat.wait()
    took = (ended - began_ns(path)) / 1e9
    path.unlink()
    return took


class Readers:
    """People who follow the file, on the load's core."""

    def __init__(self, bench, path):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(kit.cores()[0]), str(bench.readers), str(READERS), str(path)],
            stdout=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        if self.process.wait(30) != 0:
            raise RuntimeError("the readers could not read")


class Witness(kit.Watch):
    """The supervisor's memory too."""

    supervisor_mb = 0

    def look(self):
        super().look()
        for pid, name in kit.children(self.pid).items():
            if name.startswith("deploybot-"):
                self.supervisor_mb = max(self.supervisor_mb, kit.peak_mb(pid) or 0)


def run_seconds(bench, stage, presser):
    """(seconds of a run, the path of its log)"""
    os.sync()
    log = begin_run(stage, presser)[1]
    with contextlib.closing(Readers(bench, log)):
        ended = wait_whole(log)
    took = (ended - began_ns(log)) / 1e9
    wait_for_end(stage)
    return took, log


def measure_log(bench):
    bench.flush_ms()
    bench.readers = kit.program("readers")
    ours, theirs = [], []
    with stage_with_script(bench, "log", write_script(bench)) as stage, \
            contextlib.closing(Presser(stage)) as presser:
        kit.pin(stage.bot.process.pid, kit.cores()[1])
        for pid in kit.children(stage.bot.process.pid):
            kit.pin(pid, kit.cores()[1])
        _, log = run_seconds(bench, stage, presser)  # the first one's pages count for no round
        os.truncate(log, 0)
        with Witness(stage.bot) as witness:
            for _ in range(bench.rounds):
                theirs.append(cat_seconds(bench))
                took, log = run_seconds(bench, stage, presser)
                ours.append(took)
                os.truncate(log, 0)
    ratio = statistics.median(theirs) / statistics.median(ours)
    bench.row(f"1 GB of 80-byte lines into a run's log, the chat attached, {READERS} readers; "
              "against cat > file with as many",
              f"{ratio:.2f} × its speed ({SIZE / 1e9 / statistics.median(ours):.2f} GB/s; "
              f"cat {SIZE / 1e9 / statistics.median(theirs):.2f})", "≥ 1 ×", ratio >= 1)
    bench.row("supervisor and runner during that, at most", f"{witness.supervisor_mb:.1f} MB",
              f"≤ {SUPERVISOR_MB} MB", witness.supervisor_mb <= SUPERVISOR_MB)
    loads_row(bench, "a gigabyte of output", witness)
