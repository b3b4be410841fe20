"""bench.py - the speed of deploybot as ratios, measured in one run on this machine.

    bench.py [--seconds S] [--rounds N] [WHAT...]      WHAT: push idle start confirm log

Prints a table: what, measured, target, met.  Ends with 1 only when something could not be measured:
speed is no test, for the machine decides it as much as the program.  docs/PERFORMANCE.md explains.
"""
# SPDX-License-Identifier: ISC
import argparse
import contextlib
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bench_log  # noqa: E402  pylint: disable=wrong-import-position
import bench_push  # noqa: E402  pylint: disable=wrong-import-position
import bench_start  # noqa: E402  pylint: disable=wrong-import-position
import kit  # noqa: E402  pylint: disable=wrong-import-position

# Each measures and adds rows; in the order of the table.
PARTS = {
    "idle": bench_start.measure_idle,
    "start": bench_start.measure_start,
    "confirm": bench_start.measure_confirm,
    "log": bench_log.measure_log,
    "push": bench_push.measure_push,
}


class Bench:
    """One run: its folder on the disk that is judged, and the table."""

    def __init__(self, folder, options):
        self.folder = folder
        self.seconds = options.seconds
        self.rounds = options.rounds
        self.rows = []
        self.flushes = []
        self.load = kit.compile_load(folder)
        self.lines = kit.compile_helper("lines", folder)

    def flush_ms(self):
        """Measured again for each part: a busy disk has its hours.  The median of all so far."""
        self.flushes.append(kit.median_flush_ms(self.folder))
        return statistics.median(self.flushes)

    def row(self, what, measured, target="", met=None):
        self.rows.append((what, measured, target, {None: "", True: "yes", False: "NO"}[met]))
        print(f"  {what}: {measured}", file=sys.stderr, flush=True)

    def print_table(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(4)]
        for row in self.rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    def new_folder(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.folder))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=3, help="of each closed loop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=" ".join(PARTS))
    options = parser.parse_args()
    unknown = set(options.what) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(PARTS)}")
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    # Beside the programs: /tmp may be a disk of memory, which flushes nothing.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=kit.build_dir()))
    failed = []
    try:
        bench = Bench(folder, options)
        for name in options.what or PARTS:
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                PARTS[name](bench)
            except Exception:  # pylint: disable=broad-exception-caught
                traceback.print_exc()
                failed.append(name)
        bench.row("fdatasync of 4 KB, median", f"{bench.flush_ms():.2f} ms")
        bench.print_table()
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    if failed:
        print(f"not measured: {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
