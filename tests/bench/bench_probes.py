"""bench_probes.py - a thousand health URLs at once, of a peer that answers after 100 ms."""
# SPDX-License-Identifier: ISC
import json
import statistics
import subprocess

import kit
from bench_push import LAG_MS

COUNT, DELAY_MS = 1000, 100
TARGET_MS = 300


def measure_probes(bench):
    program = kit.program("probes")
    load, server = kit.cores()
    rounds = []
    for _ in range(2 * bench.rounds + 1):
        done = subprocess.run(
            [str(program), *map(str, (COUNT, DELAY_MS, load, server))], capture_output=True,
            text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"probes ended with {done.returncode}: {done.stdout} {done.stderr}")
        rounds.append(json.loads(done.stdout))
    took = statistics.median(one["ms"] for one in rounds)
    lag = statistics.median(one["worst_turn_ms"] for one in rounds)
    bench.row(f"{COUNT:,} probes at once of a peer that takes {DELAY_MS} ms", f"{took:.0f} ms",
              f"< {TARGET_MS} ms", took < TARGET_MS)
    bench.row("loop lag under these, the worst turn", f"{lag:.1f} ms", f"≤ {LAG_MS} ms",
              lag <= LAG_MS)
    bench.row("descriptors and memory that these take",
              f"{max(one['descriptors'] for one in rounds)}, "
              f"{max(one['grown_mb'] for one in rounds):.1f} MB")
