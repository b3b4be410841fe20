"""bench_decisions.py - what 200 applications cost a decision, without its commit."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import kit

APPLICATIONS, COUNT, ROUNDS = 200, 20000, 5
TARGET = 1.2


def decide_us(program, applications):
    folder = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        done = subprocess.run([str(program), str(folder), str(applications), str(COUNT)],
                              capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"decisions ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)
    finally:
        shutil.rmtree(folder)


def measure_decisions(bench):
    program = kit.program("decisions")
    rounds = {1: [], APPLICATIONS: []}
    for _ in range(ROUNDS):
        for applications, found in rounds.items():
            found.append(decide_us(program, applications))
    for asked, said in rounds[APPLICATIONS][0].items():
        if asked[0] == "/":
            us = statistics.median(x[asked]["us"] for x in rounds[APPLICATIONS])
            sent = f" in {said['messages']} message" if said["messages"] else ""
            bench.row(f"{asked} there, requested by an admin",
                      f"{us / 1000:.1f} ms, {said['bytes']:,} bytes{sent}", "", None)
    for share in ("p50", "p99"):
        one, many = (statistics.median(x[share] for x in rounds[n]) for n in (1, APPLICATIONS))
        ratio = many / one
        bench.row(f"{share} of a decision with {APPLICATIONS} applications of 10 environments, and with one",
                  f"{many:.0f} and {one:.0f} µs, {ratio:.2f} ×", f"≤ {TARGET} ×" if share == "p99" else "",
                  ratio <= TARGET if share == "p99" else None)
