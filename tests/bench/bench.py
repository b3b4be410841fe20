"""bench.py - the speed of deploybot as ratios, measured in one run on this machine.

    bench.py [--seconds S] [--rounds N] [--page FILE] [WHAT...]

Prints tables in Markdown: what, measured, target, met.  They take the place of those in the page,
where all parts were measured: docs/PERFORMANCE.md, which explains.  Ends with 1 only when something
could not be measured: speed is no test, for the machine decides it as much as the program.
"""
# SPDX-License-Identifier: ISC
import argparse
import contextlib
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
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
import bench_secrets  # noqa: E402  pylint: disable=wrong-import-position
import bench_start  # noqa: E402  pylint: disable=wrong-import-position
import bench_update  # noqa: E402  pylint: disable=wrong-import-position
import bench_view  # noqa: E402  pylint: disable=wrong-import-position
import bench_watch  # noqa: E402  pylint: disable=wrong-import-position
import bench_workflows  # noqa: E402  pylint: disable=wrong-import-position
import kit  # noqa: E402  pylint: disable=wrong-import-position

# Each measures and adds rows; in the order of the table.
PARTS = {
    "idle": bench_start.measure_idle,
    "start": bench_start.measure_start,
    "confirm": bench_start.measure_confirm,
    "update": bench_update.measure_update,
    "watch": bench_watch.measure_watch,
    "view": bench_view.measure_view,
    "workflows": bench_workflows.measure_workflows,
    "probes": bench_probes.measure_probes,
    "secrets": bench_secrets.measure_secrets,
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
        self.touches = []  # the same: (at once, behind a rest), µs
        self.load = kit.program("load")
        self.bodies = kit.write_bodies(folder)
        self.lines = kit.program("lines")

    def flush_ms(self, share=0.5):
        """Measured again for each part: a busy disk has its hours.  Of all so far."""
        self.flushes += kit.flush_times_ms(self.folder)
        self.touches.append((kit.touch_us(0), kit.touch_us(0.25)))
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

    def text(self):
        """The tables, and what they were measured on."""
        ret = []
        for title, rows in (*self.tables, ("Targets", [("what", "measured", "target", "met"),
                                                       *self.rows])):
            ret += ["", f"**{title}**", ""]
            for n, row in enumerate(rows):
                ret.append("| " + " | ".join(row) + " |")
                if n == 0:
                    ret.append("|---" * len(row) + "|")
        return "\n".join([where(), *ret, ""])

    def new_folder(self, name):
        """Once what was written before is on disk: nobody pays for another's pages."""
        os.sync()
        return pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.folder))


def where():
    """The commit and the machine, as a sentence."""
    commit = subprocess.run(["git", "-C", kit.ROOT, "describe", "--always", "--dirty", "--exclude=*"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    with open("/proc/cpuinfo", encoding="ascii") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return (f"Commit {commit.stdout.strip() or 'not known'}, {time.strftime('%Y-%m-%d', time.gmtime())}, "
            f"{len(os.sched_getaffinity(0))} cores of {models[0] if models else platform.machine()}, "
            f"Linux {platform.release().split('-', 1)[0]}.")


FIGURES = ("<!-- figures: the run writes them -->\n", "<!-- end of figures -->\n")


def write_page(page, text):
    """In place of the figures of an earlier run; the file's other words stay."""
    before, rest = page.read_text(encoding="utf-8").split(FIGURES[0], 1)
    behind = rest.split(FIGURES[1], 1)[1]
    new = page.with_suffix(".new")
    new.write_text(before + FIGURES[0] + text + FIGURES[1] + behind, encoding="utf-8")
    new.replace(page)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=1, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=pathlib.Path, help="whose figures are replaced")
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
        hot, cold = (statistics.median(one) for one in zip(*bench.touches))
        bench.row("a page of 4 KB that is there, touched at once, and behind a rest of 0.25 s",
                  f"{hot:.2f}, {cold:.2f} µs")
        print("\n" + bench.text(), end="")
        if options.page and not options.what and not failed:
            write_page(options.page, bench.text())
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    if failed:
        print(f"not measured: {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
