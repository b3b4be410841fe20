#!/usr/bin/python3
"""fuzz.py DIR SECONDS|merge [HARNESS...] - runs the libFuzzer programs in DIR, one after another.

Each begins with its corpus in the tree (corpus.py unpacks it to DIR/seeds/<what>) and with what earlier runs found
(DIR/found/<what>), and a line says what became of it.  `merge` adds to the corpus what of that reaches something new.
An input that breaks a harness is minimized, kept in tests/fuzz/crashes/, and shown with the command that replays it;
the exit status is 1 then.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import subprocess
import sys

import corpus

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/fuzz"
CRASHES = HERE / "crashes"
INPUT_MAX = {"html": 20000, "http_server": 16000, "protocol": 76000, "git_answer": 8000, "unpack": 8000}
INPUT_MAX_ELSE = 4096
UNIT_TIMEOUT_S = 25
MINIMIZE_S = 20
STATUS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")

ENVIRONMENT = {**os.environ,
               "ASAN_OPTIONS": "detect_leaks=1:disable_coredump=1:allocator_may_return_null=1",
               "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
               "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-14"}


def command(program, what):
    return [str(program), "-rss_limit_mb=1024", f"-timeout={UNIT_TIMEOUT_S}",
            f"-max_len={INPUT_MAX.get(what, INPUT_MAX_ELSE)}", "-print_final_stats=1"]


def seeds_of(program, what):
    """A folder with the corpus as it is now, made anew."""
    seeds = program.parent / "seeds" / what
    shutil.rmtree(seeds, ignore_errors=True)
    corpus.unpack(what, seeds)
    return seeds


def merge(program, what, found):
    """libFuzzer copies what reaches something new into the first folder: that becomes the corpus's."""
    seeds = seeds_of(program, what)
    known = set(seeds.iterdir())
    found.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command(program, what) + ["-merge=1", str(seeds), str(found)], cwd=ROOT, env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        print(f"{what:<12} {corpus.add(what, sorted(set(seeds.iterdir()) - known)):>5} new seeds", flush=True)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def fuzz(program, what, seconds, found):
    """The output, line by line, of a run that began with all that is known."""
    found.mkdir(parents=True, exist_ok=True)
    arguments = [f"-max_total_time={seconds}", f"-dict={HERE / (what + '.dict')}",
                 f"-artifact_prefix={found.parent.parent}/{what}-",
                 str(found), str(seeds_of(program, what))]
    done = subprocess.run(command(program, what) + arguments, cwd=ROOT, env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def number(lines, name):
    """A final statistic of libFuzzer's."""
    for line in lines:
        if line.startswith(f"stat::{name}:"):
            return int(line.split()[-1])
    return 0


def tell(what, lines):
    reached = [match for match in map(STATUS.match, lines) if match]
    coverage, features = (reached[-1][2], reached[-1][3]) if reached else ("?", "?")
    print(f"{what:<12} {coverage:>6} edges {features:>7} features "
          f"{number(lines, 'number_of_executed_units'):>10} runs "
          f"{number(lines, 'average_exec_per_sec'):>7}/s "
          f"{number(lines, 'new_units_added'):>5} new", flush=True)


def minimize(program, what, artifact):
    """The smallest input that still breaks it, of what is found within a short time."""
    small = artifact.with_name(artifact.name + ".small")
    subprocess.run(command(program, what) + ["-minimize_crash=1", f"-max_total_time={MINIMIZE_S}",
                                             f"-exact_artifact_path={small}", str(artifact)],
                   cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return small if small.exists() else artifact


def keep_crashes(program, what, lines):
    for line in lines:
        match = re.search(r"Test unit written to (\S+)", line)
        if not match:
            continue
        artifact = pathlib.Path(match[1])
        CRASHES.mkdir(exist_ok=True)
        kept = CRASHES / artifact.name
        kept.write_bytes(minimize(program, what, artifact).read_bytes())
        at = next((i for i, said in enumerate(lines) if "ERROR:" in said or "Assertion" in said
                   or "runtime error" in said), 0)
        print("\n".join(lines[at:at + 30]))
        print(f"{what}: BROKEN by {kept.relative_to(ROOT)}\n"
              f"    again: {program} {kept.relative_to(ROOT)}", flush=True)


def main():
    directory, seconds, wanted = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    directory = directory.resolve()
    broken = []
    for program in sorted(p for p in directory.iterdir() if p.is_file() and os.access(p, os.X_OK)):
        what = program.name
        if wanted and what not in wanted:
            continue
        found = directory / "found" / what
        if seconds == "merge":
            status, lines = merge(program, what, found)
        else:
            status, lines = fuzz(program, what, int(seconds), found)
            tell(what, lines)
        if status != 0:
            broken.append(what)
            keep_crashes(program, what, lines)
            if not any("Test unit written" in line for line in lines):
                print("\n".join(lines[-30:]))
    print(f"fuzzing: {'broken: ' + ' '.join(broken) if broken else 'nothing found'}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
