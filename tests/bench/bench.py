"""bench.py - the speed of deploybot as ratios, measured in one run on this machine.

    bench.py [--seconds S] [--rounds N] [WHAT...]

Prints tables in Markdown: what, measured, target, met.  Ends with 1 only when something could not
be measured: speed is no test, for the machine decides it as much as the program.
docs/PERFORMANCE.md explains.
"""
# SPDX-License-Identifier: ISC
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bench_decisions  # noqa: E402  pylint: disable=wrong-import-position
import bench_deploy  # noqa: E402  pylint: disable=wrong-import-position
import bench_growth  # noqa: E402  pylint: disable=wrong-import-position
import bench_log  # noqa: E402  pylint: disable=wrong-import-position
import bench_open  # noqa: E402  pylint: disable=wrong-import-position
import bench_probes  # noqa: E402  pylint: disable=wrong-import-position
import bench_push  # noqa: E402  pylint: disable=wrong-import-position
import bench_start  # noqa: E402  pylint: disable=wrong-import-position
import bench_update  # noqa: E402  pylint: disable=wrong-import-position
import kit  # noqa: E402  pylint: disable=wrong-import-position

# Each measures and adds rows; in the order of the table.
PARTS = {
    "idle": bench_start.measure_idle,
    "start": bench_start.measure_start,
    "confirm": bench_start.measure_confirm,
    "update": bench_update.measure_update,
    "probes": bench_probes.measure_probes,
    "log": bench_log.measure_log,
    "push": bench_push.measure_push,
    "refused": bench_push.measure_refused,
    "open": bench_open.measure_open,
    "growth": bench_growth.measure_growth,
    "decisions": bench_decisions.measure_decisions,
    "deploy": bench_deploy.measure_deploy,
}


class Bench:
    """One run: its folder on the disk that is judged, and the tables."""

    def __init__(self, folder, options):
        self.folder = folder
        self.seconds = options.seconds
        self.rounds = options.rounds
        self.rows = []
        self.tables = []
        self.flushes = []  # of all parts, ms
        self.load = kit.compile_load(folder)
        self.bodies = kit.write_bodies(folder)
        self.lines = kit.compile_helper("lines", folder, "-static", "-Wl,-e,first")

    def flush_ms(self, share=0.5):
        """Measured again for each part: a busy disk has its hours.  Of all so far."""
        self.flushes += kit.flush_times_ms(self.folder)
        return sorted(self.flushes)[int(len(self.flushes) * share)]

    def row(self, what, measured, target="", met=None):
        """met: True, False, None where there is no target, or words that say where."""
        words = {None: "", True: "yes", False: "NO"}.get(met, met)
        self.rows.append((what, measured, target, words))
        print(f"  {what}: {measured}  {words}", file=sys.stderr, flush=True)

    def matrix(self, title, columns, rows):
        """A table of its own: {name: cells}."""
        self.tables.append((title, [("", *map(str, columns)),
                                    *((name, *cells) for name, cells in rows.items())]))

    def print_tables(self):
        for title, rows in (*self.tables, ("Targets", [("what", "measured", "target", "met"),
                                                       *self.rows])):
            print(f"\n{title}\n")
            widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
            for n, row in enumerate(rows):
                print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |")
                if n == 0:
                    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")

    def new_folder(self, name):
        """Once what was written before is on disk: nobody pays for another's pages."""
        os.sync()
        return pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.folder))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=1, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=" ".join(PARTS))
    options = parser.parse_args()
    unknown = set(options.what) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(PARTS)}")
    return options


def run_part(bench, name):
    """Was it measured?"""
    began = time.monotonic()
    print(f"{name} …", file=sys.stderr, flush=True)
    try:
        PARTS[name](bench)
    except Exception:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        return False
    print(f"  ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    return True


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    # Beside the programs: /tmp may be a disk of memory, which flushes nothing.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=kit.build_dir()))
    failed = []
    try:
        bench = Bench(folder, options)
        for name in options.what or PARTS:
            if not run_part(bench, name):
                failed.append(name)
        bench.row("fdatasync of 4 KB: median, p99",
                  f"{bench.flush_ms():.2f} ms, {bench.flush_ms(.99):.2f} ms")
        bench.print_tables()
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    if failed:
        print(f"not measured: {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
