#!/usr/bin/python3
"""run_tests.py BUILD [--e2e] [WHAT...] - runs BUILD's unit test programs beside the end-to-end tests, and adds them up.

The last line is `N passed, N failed, N skipped`, behind what failed: the end of each unit program's output, all names.
The exit status is 0 only when none failed.  WHAT names unit programs, as test_policy: then only those are run, with
--e2e none; and what pytest takes, as tests/e2e/test_x.py: then only those end-to-end tests are, none beside unit
programs alone.  End-to-end tests start the programs of DEPLOYBOT_BUILD, of BUILD where one is to die.  Three at most
that failed among all the others are run once more, one file after another, alone: one that passes then is `unsteady`
and a bug of the test or of what it tests all the same; with STRICT=1 it has failed.
One that costs a processor more than ten times the mean is named, above forty times it has failed, unless it is `long`.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import statistics
import sys
import threading
import time
import xml.etree.ElementTree

import chat_texts
import leaked

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Only for what hangs: the longest take a minute of a core, and where many want one, or a page fault costs 15 µs, ten
# times that.
UNIT_TIMEOUT_S = 2400
E2E_TIMEOUT_S = 7200      # a single test has a limit of its own: tests/e2e/conftest.py
TESTS_FAILED = 1      # pytest's status: all were run
LONG, REFUSED = 10, 40    # times the mean of a processor's seconds, for an end-to-end test with all that it starts
AGAIN_MAX = 3         # more are no coincidence
SANITIZER_STATUS = 99
OUTPUT_MAX = 6000     # of one program that failed, behind what cmocka says of it
ERROR = re.compile(r"^\[\s*ERROR.*|.*: error: Failure!.*", re.M)
# Begun before the others, the longest first, so that none ends with one: what costs seconds of a processor, and what
# waits for them.
LONGEST = ("test_sim", "test_decide_faults", "test_telegram", "test_audit_compare", "test_decide_people_any",
           "test_cli_doctor", "test_audit_verify", "test_perform_run", "test_decide_access", "test_isolation",
           "test_audit_heads", "test_telegram_poll", "test_perform_health", "test_command_status_many")
# A PostgreSQL: the unit programs that keep rows are run, and no others, and they keep them there.
ON_A_SERVER = "TEST_DATABASE" in os.environ
WAITING = 2           # unit programs beside those that the processors carry: some wait for a clock
PATIENCE = {"DEPLOYBOT_SLOW": "5"}     # waiting costs only who waits in vain
EVERY_DAY = ["tests/e2e", "-m", "not long"]       # the others are `make check-long`'s
MEMORY = "/dev/shm"
MEMORY_BYTES_MIN = 1 << 30
LINE = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (\w+)$")


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names, self.outputs = [], []     # of what failed
        self.unsteady = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.names += other.names
        self.outputs += other.outputs

    def fail(self, name):
        self.failed += 1
        self.names.append(name)

    def show_failed(self):
        for output in self.outputs:
            print(output)
        for name in self.names:
            print(f"failed: {name}")
        for name in self.unsteady:
            print(f"unsteady: {name} failed among the others (above) and passed alone: find out why")

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def sanitizer_environment(kept_mb=8, frames=10):
    """So much of what is freed is kept from use, and so many frames have stacks: 256 and 30 cost a fifth of the time,
    8 and 10 another one where nothing waits.  Stacks of two frames cost no unwinding at all."""
    return {**os.environ,
            "ASAN_OPTIONS": f"abort_on_error=0:exitcode={SANITIZER_STATUS}:detect_leaks=1:disable_coredump=1:"
                            f"quarantine_size_mb={kept_mb}:malloc_context_size={frames}",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def memory():
    """Where unit tests write: no power is cut there, and each of their many flushes would wait for a disk."""
    with contextlib.suppress(OSError):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= MEMORY_BYTES_MIN and os.access(MEMORY, os.W_OK):
            return {"TMPDIR": MEMORY}
    return {}


def has_source(name):
    """A program whose source is gone was left behind by an earlier build."""
    return ((ROOT / "tests" / "unit" / f"{name}.c").exists()
            or (ROOT / "tests" / "fuzz" / f"{name.removeprefix('test_')}.c").exists())


def texts_of(build):
    """Where the unit programs keep what the chat said."""
    return build / "chat-texts"


def output_of(program, frames):
    """(output, status, how it ended) of a unit program."""
    environment = {**sanitizer_environment(kept_mb=1, frames=frames), **memory(),
                   "CHAT_TEXTS": str(texts_of(program.parents[1]).resolve())}
    try:
        done = subprocess.run([program], cwd=ROOT, env=environment, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=UNIT_TIMEOUT_S, check=False)
        return done.stdout + done.stderr, done.returncode, f"ended with status {done.returncode}"
    except subprocess.TimeoutExpired as late:
        # Bytes, whatever was asked for.
        output = b"\n".join(filter(None, (late.stdout, late.stderr))).decode(errors="replace")
        return output, -1, f"did not end within {UNIT_TIMEOUT_S} s"


def run_unit(program):
    started = time.monotonic()
    output, status, end = output_of(program, frames=2)
    if status == SANITIZER_STATUS:      # it has failed, whatever comes now: whose memory it was takes more frames
        output += output_of(program, frames=30)[0]
    count = Count()
    seen = set()
    for line in output.splitlines():
        match = LINE.match(line)
        # cmocka names what failed once more at the end.
        if not match or match.groups() in seen:
            continue
        seen.add(match.groups())
        count.passed += match.group(1) == "OK"
        if match.group(1) == "FAILED":
            count.fail(f"{program.name}: {match.group(2)}")
        if match.group(1) == "SKIPPED":
            count.skipped += 1
            print(f"  skipped: {program.name}: {match.group(2)}")
    # A program that died, leaked or printed no test has failed, whatever it printed before.
    if not count.names and (status != 0 or count.passed + count.skipped == 0):
        count.fail(f"{program.name}, which {end}")
    print(f"  {program.name}: {count.passed} passed, {count.failed} failed "
          f"({time.monotonic() - started:.1f} s)", flush=True)
    if count.failed:
        errors = "\n".join(ERROR.findall(output[:-OUTPUT_MAX]))
        count.outputs.append(f"---- {program.name} ----\n{errors}{output[-OUTPUT_MAX:]}")
        print(count.outputs[0], flush=True)
    return count


def pytest_words(*words):
    return ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", "--tb=short", *words]


def pytest_environment(build):
    environment = {**PATIENCE, "DEPLOYBOT_BUILD": str(build.resolve()), **sanitizer_environment(),
                   "DEPLOYBOT_CRASH_BUILD": str(build.resolve()),
                   "PYTHONPYCACHEPREFIX": str((build / "pycache").resolve())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def start_e2e(build, wanted, jobs=int(os.environ.get("JOBS") or min(3 * (os.cpu_count() or 1), 16))):
    """pytest, whose output is read when the unit tests are through: until then a pipe has room for its dots.  Its jobs
    mostly wait.  With TEST_SECONDS what has not begun by then is skipped, and counted so."""
    report_of(build).unlink(missing_ok=True)
    environment = pytest_environment(build)
    environment["DEPLOYBOT_TESTS_UNTIL"] = str(time.time() + float(os.environ.get("TEST_SECONDS", "inf")))
    if wanted == EVERY_DAY:
        compile_once(build, environment)
    return subprocess.Popen(
        pytest_words("-n", str(jobs), "--dist", "loadfile", f"--junitxml={report_of(build)}", *wanted),
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def compile_once(build, environment):
    """Six seconds of a core, which no worker and no other run of the same tests spends again."""
    compiled = build / f"compiled.{sys.implementation.cache_tag}"
    changed = max(file.stat().st_mtime for file in (ROOT / "tests").rglob("*.py"))
    if not compiled.exists() or compiled.stat().st_mtime < changed:
        compiled.touch()        # what changes meanwhile is newer
        subprocess.run(pytest_words("--collect-only", *EVERY_DAY), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def report_of(build):
    return build / "e2e.xml"


def read_report(path):
    """{(module, test): "passed", "skipped" or "failed"}; a test whose end went wrong is there twice."""
    ended = {}
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("classname"), case.get("name")
        if case.find("failure") is not None or case.find("error") is not None:
            ended[name] = "failed"
        else:
            ended.setdefault(name, "passed" if case.find("skipped") is None else "skipped")
    return ended


def read_costs(path):
    """{(module, test): seconds of a processor}."""
    return {(case.get("classname"), case.get("name")): float(one.get("value"))
            for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase") if case.find("skipped") is None
            for one in case.iter("property") if one.get("name") == "processor_s"}


def judge_costs(costs, count):
    """Names what should be marked `long`, and refuses what must be: by how many times it costs what a test does on
    average in the same run, whatever the machine is and does besides."""
    mean = statistics.mean(costs.values())
    for name, seconds in sorted(costs.items(), key=lambda one: -one[1]):
        said = f"{': '.join(name)}, which costs {seconds:.1f} s of a processor, {seconds / mean:.0f} times the mean"
        if seconds > REFUSED * mean:
            count.fail(f"{said}, at most {REFUSED}: it is to cost less, or to be marked `long`")
        elif seconds > LONG * mean:
            print(f"  long: {said}")


def passed_alone(build, module):
    """The tests that passed in a file that passes: all of it is run, since its tests may stand on one another."""
    print(f"once more, alone: {module}", flush=True)
    report = build / "e2e-alone.xml"
    report.unlink(missing_ok=True)
    status = subprocess.run(
        pytest_words(f"--junitxml={report}", "-m", "not long", f"{module.replace('.', '/')}.py"), cwd=ROOT,
        env=pytest_environment(build), stdin=subprocess.DEVNULL, check=False).returncode
    return {name for name, end in read_report(report).items() if end == "passed"} if status == 0 else set()


def end_e2e(e2e, build, count):
    for piece in iter(lambda: e2e.stdout.read1(4096), b""):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    status, report = e2e.wait(), report_of(build)
    if status == -signal.SIGKILL:
        count.fail(f"the end-to-end tests, which did not end within {E2E_TIMEOUT_S} s")
        return
    if not report.exists():
        count.fail(f"the end-to-end tests, which wrote no report: status {status}")
        return
    ended = read_report(report)
    count.passed += sum(end == "passed" for end in ended.values())
    count.skipped += sum(end == "skipped" for end in ended.values())
    failed = [name for name, end in ended.items() if end == "failed"]
    again = status == TESTS_FAILED and len(failed) <= AGAIN_MAX and os.environ.get("STRICT") != "1"
    modules = dict.fromkeys(module for module, _ in failed) if again else ()
    passed = set().union(*(passed_alone(build, module) for module in modules))
    for name in failed:
        if name in passed:
            count.passed += 1
            count.unsteady.append(": ".join(name))
        else:
            count.fail(": ".join(name))
    if not failed and status != 0:
        count.fail(f"the end-to-end tests, whose status is {status}")


def choose(words, names):
    """(the unit programs of names, the words of pytest) that WHAT and --e2e choose; without words no pytest is run."""
    has_units, words = "--e2e" not in words, [word for word in words if word != "--e2e"]
    named = [name for name in names if name in words]
    others = [word for word in words if word not in names]
    wanted = others or ([] if named and has_units else EVERY_DAY)
    return (named or names) if has_units else [], [] if ON_A_SERVER else wanted


def keeps_rows(program):
    return b"database_aid_make" in program.read_bytes()


def main():
    build = pathlib.Path(sys.argv[1])
    count = Count()
    programs = sorted((p for p in (build / "tests").iterdir() if has_source(p.name) and os.access(p, os.X_OK)),
                      key=lambda p: (LONGEST.index(p.name) if p.name in LONGEST else len(LONGEST), p.name))
    names, wanted = choose(sys.argv[2:], [p.name for p in programs])
    programs = [p for p in programs if p.name in names and (not ON_A_SERVER or keeps_rows(p))]
    shutil.rmtree(texts_of(build), ignore_errors=True)
    texts_of(build).mkdir()
    print(f"unit tests: {len(programs)} programs", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + WAITING) as pool, contextlib.ExitStack() as left:
        units = pool.map(run_unit, programs)      # they run already
        e2e = left.enter_context(start_e2e(build, wanted)) if wanted else None
        alarm = threading.Timer(E2E_TIMEOUT_S, lambda: e2e and e2e.kill())
        alarm.start()
        for one in units:
            count.add(one)
        for first in chat_texts.misleading(texts_of(build)):
            count.fail(f"chat_texts: {first}")
        print(f"end-to-end tests: {' '.join(wanted) or 'none'}", flush=True)
        if e2e:
            end_e2e(e2e, build, count)
        if wanted == EVERY_DAY and "--e2e" not in sys.argv and report_of(build).exists():
            judge_costs(read_costs(report_of(build)), count)
        for file in leaked.search(texts_of(build), *([report_of(build).parent / "stories"] if e2e else [])):
            count.fail(f"a secret in {file}")
        alarm.cancel()
    count.show_failed()
    print(count.line(), flush=True)
    sys.exit(1 if count.failed else 0)


if __name__ == "__main__":
    main()
