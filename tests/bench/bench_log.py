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
RATIO = 0.5
PUMPS = {4: 0.8, 64: 0.5}  # secrets to keep out, and of cat's speed at least


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


def cat_seconds(bench, readers=READERS):
    path = bench.folder / "cat.log"
    os.sync()
    pinned = ["taskset", "-c", str(kit.cores()[1])]  # as the run: program and supervisor on one core
    with open(path, "wb") as file, Readers(bench, path, readers), \
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

    def __init__(self, bench, path, count=READERS):
        self.command = ["taskset", "-c", str(kit.cores()[0]), str(bench.readers), str(count), str(path)]
        self.process = None
        self.count = count

    def __enter__(self):
        if self.count > 0:
            self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        if self.process is None:
            return
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
    with Readers(bench, log):
        ended = wait_whole(log)
    took = (ended - began_ns(log)) / 1e9
    wait_for_end(stage)
    return took, log


def pump_seconds(bench, secrets):
    """The same through the runner's pump alone (pump.c): a run is handed a dozen secrets at most."""
    folder = bench.new_folder("pump")
    done = subprocess.run(
        ["taskset", "-c", str(kit.cores()[1]), str(kit.program("pump")), str(secrets), str(folder),
         str(bench.lines), str(SIZE)], stdout=subprocess.PIPE, timeout=120, check=True)
    took = (int(done.stdout) - began_ns(folder / "log")) / 1e9
    (folder / "log").unlink()
    return took


def measure_pumps(bench):
    """What secrets cost, beside cat, which keeps none out; nobody reads."""
    cats, found = [], {secrets: [] for secrets in PUMPS}
    for _ in range(bench.rounds):
        cats.append(cat_seconds(bench, 0))
        for secrets, times in found.items():
            times.append(pump_seconds(bench, secrets))
    for secrets, times in found.items():
        ratio = statistics.median(cats) / statistics.median(times)
        bench.row(f"1 GB of 80-byte lines through a run's pump with {secrets} secrets to keep out, "
                  "against cat > file", f"{ratio:.2f} × its speed", f"≥ {PUMPS[secrets]} ×",
                  ratio >= PUMPS[secrets])


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
              f"cat {SIZE / 1e9 / statistics.median(theirs):.2f})", f"≥ {RATIO} ×", ratio >= RATIO)
    bench.row("supervisor and runner during that, at most", f"{witness.supervisor_mb:.1f} MB",
              f"≤ {SUPERVISOR_MB} MB", witness.supervisor_mb <= SUPERVISOR_MB)
    loads_row(bench, "a gigabyte of output", witness)
    measure_pumps(bench)
