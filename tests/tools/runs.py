#!/usr/bin/python3
"""runs.py check | smoke [TARGET...] | nightly [TARGET...] - runs the rows of runs.txt.

check: each row of `make help` is a row of the table, and the reverse.
smoke: the smallest forms, `aside` rows beside the others.  It ends after SMOKE_SECONDS: what has not begun by then is
not run, and what is not finished is ended, and counts as not run.  SMOKE=strict: a row that is not run is a failure.
nightly: the whole forms, NIGHT=all: the longest; what was finished on the same tree is not run again.

The output of each row and the table are kept in build/smoke/ and build/nightly/.  A row that takes longer than its
limit is ended with its whole process group.  The exit status is 0 when no row failed.
"""
# SPDX-License-Identifier: ISC
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(os.environ.get("RUNS_ROOT") or pathlib.Path(__file__).resolve().parents[2])
TABLE = pathlib.Path(os.environ.get("RUNS_TABLE") or ROOT / "tests" / "tools" / "runs.txt")
BUILD = ROOT / "build"
RESULTS = pathlib.Path(os.environ.get("RUNS_RESULTS") or BUILD)
COLUMNS = ("needs", "smoke", "nightly", "all")
HELP = re.compile(r"^make(?: ([a-z][a-z-]*))?  ?", re.M)
# What pytest says at its end when it skipped all that it was asked to run: it exits with 0.
NOTHING_PASSED = re.compile(r"^(?:=+ )?\d+ skipped[^\n]*$", re.M)
SKIPPED = re.compile(r"^SKIPPED \[\d+\] (.*)$", re.M)
LAST_LINES = 30
GRACE_S = 10          # between TERM and KILL
CLOCK_S = 1
NETWORK_S = 5
DOCKER_S = 10

Result = collections.namedtuple("Result", "word seconds why")
Form = collections.namedtuple("Form", "command limit")


class Row:
    def __init__(self, target):
        self.target, self.needs, self.forms = target, [], {}

    def form(self, kind):
        """NIGHT=all is the nightly form where the row has no longer one."""
        return self.forms[kind] if kind in self.forms else self.forms["nightly"]


def die(why):
    sys.exit(f"{TABLE.name}: {why}")


def read_form(where, text):
    limit, _, command = text.partition(" ")
    if not re.fullmatch(r"[1-9]\d*[smh]", limit) or not command.strip():
        die(f"{where}: wanted a limit (90s, 5m, 2h) and a command, not {text!r}")
    return Form(command.strip(), int(limit[:-1]) * {"s": 1, "m": 60, "h": 3600}[limit[-1]])


def read_table():
    """{target: Row}, in the order in which they are run."""
    rows, row = {}, None
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        where, (word, _, rest) = f"line {number}", line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if not line[0].isspace():
            if rest or word in rows:
                die(f"{where}: {line} is no target, or stands twice")
            row = rows[word] = Row(word)
        elif row is None or word not in COLUMNS or word in row.forms or not rest:
            die(f"{where}: wanted one of {' '.join(COLUMNS)} with a value, each once in a row, not {line!r}")
        elif word == "needs":
            row.needs = rest.split()
        else:
            row.forms[word] = read_form(where, rest.strip())
    for row in rows.values():
        for kind in ("smoke", "nightly"):
            if kind not in row.forms:
                die(f"{row.target} has no line {kind!r}")
        for need in row.needs:
            if need.partition("=")[0] not in (*NEEDS, *NO_NEEDS):
                die(f"{row.target}: nobody knows what {need!r} is")
    return rows


# --- what a row needs: a function for each word, that returns why it is missing, or "" ---

def needs_root(_):
    return "" if os.geteuid() == 0 else "no root"


def needs_docker(_):
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run(["docker", "info"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=DOCKER_S, check=False).returncode == 0:
            return ""
    return "no docker daemon answers"


def needs_network(host):
    """A connection to the host, or to the proxy in front of it."""
    proxy = urllib.parse.urlsplit(os.environ.get("https_proxy") or os.environ.get("http_proxy") or "")
    address = (proxy.hostname, proxy.port or 80) if proxy.hostname else (host, 443)
    with contextlib.suppress(OSError):
        socket.create_connection(address, NETWORK_S).close()
        return ""
    return f"no network: {address[0]} does not answer"


def needs_package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return "" if done.stdout == "installed" else f"the package {name} is not installed"


def needs_program(name):
    """Where it may be another package's than Debian's."""
    return "" if shutil.which(name) else f"there is no {name}"


NEEDS = {"root": needs_root, "docker": needs_docker, "network": needs_network, "package": needs_package,
         "program": needs_program}


NO_NEEDS = ("copy", "aside")


def missing(row):
    for need in row.needs:
        word, _, value = need.partition("=")
        if word not in NO_NEEDS and (why := NEEDS[word](value)):
            return why
    return ""


# --- one row ---

class Ended(BaseException):
    """A signal told us to end."""


class OutOfTime(Exception):
    """SMOKE_SECONDS are over."""


# The rows aside end as well.
ENDING = threading.Event()


class Held(threading.local):
    """A signal, while the main thread starts a row: its process has to be known, or it would outlive us."""
    is_on, number = False, None     # of a row aside nothing: signals come to the main thread


HELD = Held()


def end_on_signal(number, _):
    if not HELD.is_on:
        raise Ended(number)
    HELD.number = number


def start(words, **options):
    """The process; a signal waits for end_if_held(), which is called where whoever ends it knows it."""
    HELD.is_on = True
    try:
        return subprocess.Popen(words, **options)
    except BaseException:
        end_if_held()
        raise


def end_if_held():
    number, HELD.number, HELD.is_on = HELD.number, None, False
    if number:
        raise Ended(number)


def end_group(process):
    """Whatever of the row's process group still runs: TERM, then KILL.  Its leader is not reaped before."""
    for number, seconds in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)      # those that outlived their leader


def make_copy(folder):
    """The tree with what is built for use, so that nothing of ours is changed; times are kept, so nothing is stale."""
    folder.mkdir(parents=True)
    names = [name for name in os.listdir(ROOT) if name != "build"]
    subprocess.run(["cp", "-a", *names, folder], cwd=ROOT, check=True)
    (folder / "build").mkdir()
    built = [name for name in ("deploybot", "deploybot-runner", "deploybot-remote-runner", "deploybot-judge",
                               "deploybot-agent", "deploybot-link", "deploybot-unpack",
                               "liblib.a", "libserver.a", "librunner.a",
                               "libjudge.a", "libagent.a", "liblink.a", "flags", "version", "obj", "deb")
             if (BUILD / name).exists()]
    if built:
        subprocess.run(["cp", "-a", *built, folder / "build"], cwd=BUILD, check=True)


def environment():
    """What make was told for itself is not for the rows."""
    own = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "SMOKE", "SMOKE_SECONDS", "NIGHT", "WHAT",
           "RUNS_TABLE", "RUNS_ROOT", "RUNS_RESULTS")
    return {name: value for name, value in os.environ.items() if name not in own}


def wait(process, limit_s, until=float("inf")):
    """Its status, or TimeoutExpired, or OutOfTime behind `until`.  The clock of the limit goes as much slower as there
    is more to run than there are cores."""
    left, now = limit_s, time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, CLOCK_S))
        if ENDING.is_set():
            raise Ended(0)
        began, now = now, time.monotonic()
        if now >= until:
            raise OutOfTime
        left -= (now - began) / max(1, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
        if left <= 0:
            raise subprocess.TimeoutExpired(process.args, limit_s)


def run(row, form, folder, until):
    log, copy = folder / f"{row.target}.log", folder / f"copy-{row.target}"
    began, place = time.monotonic(), ROOT
    shutil.rmtree(copy, ignore_errors=True)
    try:
        if "copy" in row.needs:
            make_copy(copy)
            place = copy
        with open(log, "wb") as output:
            process = start(["bash", "-euo", "pipefail", "-c", form.command], cwd=place, env=environment(),
                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                end_if_held()
                status = wait(process, form.limit, until)
                why = f"status {status}" if status else ""
            except subprocess.TimeoutExpired:
                why = f"not finished within {form.limit} s"
            finally:
                end_group(process)
    except OutOfTime:
        return Result("not run", time.monotonic() - began, "no time was left to finish")
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    seconds, text = time.monotonic() - began, log.read_text(encoding="utf-8", errors="replace")
    if why:
        return Result("FAILED", seconds, why)
    if NOTHING_PASSED.search(text) and " passed" not in text:
        reasons = SKIPPED.findall(text)
        return Result("not run", seconds, reasons[-1] if reasons else "all its tests were skipped")
    return Result("ok", seconds, "")


PRINTING = threading.Lock()


def play(row, kind, folder, until=float("inf")):
    """Runs a row, where that begins in time, and prints its line."""
    if why := missing(row) or ("no time is left" if time.monotonic() >= until else ""):
        result = Result("not run", 0, why)
    else:
        result = run(row, row.form(kind), folder, until)
    log = folder / f"{row.target}.log"
    with PRINTING:
        print(f"{result.word + (': ' + result.why if result.word == 'not run' else ''):8} {row.target:18} "
              f"{result.seconds:5.0f} s{'  ' + result.why if result.word == 'FAILED' else ''}", flush=True)
        if result.word == "FAILED":
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]:
                print(f"    {line}")
            print(f"    all of it: {os.path.relpath(log, ROOT)}", flush=True)
    return result


def summary(results, strict):
    """Prints the count; True when it is good."""
    count = collections.Counter(result.word for result in results)
    print(f"{count['ok']} ok, {count['FAILED']} failed, {count['not run']} not run")
    return not count["FAILED"] and not (strict and count["not run"])


def chosen(rows, words):
    for word in words:
        if word not in rows:
            die(f"no row {word}; there are: {' '.join(rows)}")
    return [row for row in rows.values() if not words or row.target in words]


# --- the three commands ---

def check(rows):
    done = subprocess.run(["make", "-s", "--no-print-directory", "help"], cwd=ROOT, env=environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    shown = {name or "all" for name in HELP.findall(done.stdout)}
    wrong = [f"{name} is a row of `make help` and none of {TABLE.name}" for name in sorted(shown - rows.keys())]
    wrong += [f"{name} is a row of {TABLE.name} and none of `make help`" for name in sorted(rows.keys() - shown)]
    print("\n".join(wrong + [f"{len(rows)} rows"] * (not wrong)))
    return not wrong


def smoke(rows, words):
    folder = RESULTS / "smoke"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(BUILD / "small", ignore_errors=True)
    results, wanted = [], chosen(rows, words)
    until = time.monotonic() + float(os.environ.get("SMOKE_SECONDS", "inf"))

    def play_aside():
        with contextlib.suppress(Ended):
            results.extend(play(row, "smoke", folder, until) for row in wanted if "aside" in row.needs)
    aside = threading.Thread(target=play_aside)
    try:
        if wanted[0].target == "all":    # all others stand on it
            results.append(play(wanted.pop(0), "smoke", folder, until))
        aside.start()
        results.extend(play(row, "smoke", folder, until) for row in wanted if "aside" not in row.needs)
    except BaseException:
        ENDING.set()
        raise
    finally:
        if aside.ident:
            aside.join()
    return summary(results, os.environ.get("SMOKE") == "strict") and len(results) >= len(wanted)


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


def tree():
    """The commit, and the commit with the sum of what is not committed."""
    commit = git("rev-parse", "--short=12", "HEAD").decode().strip()
    changed = hashlib.sha256(git("diff", "HEAD", "--binary"))
    for name in filter(None, git("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")):
        changed.update(name + b"\0" + hashlib.sha256((ROOT / os.fsdecode(name)).read_bytes()).digest())
    return commit, f"{commit} {changed.hexdigest()}"


def write(path, text):
    """The old file or the new one, whenever we are killed."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def nightly(rows, words):
    folder, kind = RESULTS / "nightly", "all" if os.environ.get("NIGHT") == "all" else "nightly"
    folder.mkdir(parents=True, exist_ok=True)
    commit, name = tree()
    wanted, state = chosen(rows, words), {"of": f"{name} {kind}", "results": {}}
    with contextlib.suppress(OSError, ValueError, KeyError):
        old = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        if old["of"] == state["of"] and any(row.target not in old["results"] for row in wanted):
            state = old
    done = state["results"]
    if here := [row.target for row in wanted if row.target in done]:
        print(f"finished before: {' '.join(here)}", flush=True)
    for row in wanted:
        if row.target in done:
            continue
        done[row.target] = play(row, kind, folder)
        write(folder / "state.json", json.dumps(state))
        lines = ["| commit | target | result | seconds |", "|---|---|---|---|"]
        for target, values in done.items():
            result = Result(*values)
            lines.append(f"| {commit} | {target} | {': '.join(filter(None, (result.word, result.why)))} "
                         f"| {result.seconds:.0f} |")
        write(folder / "table.md", "\n".join(lines) + "\n")
    print(f"{os.path.relpath(folder, ROOT)}/table.md has the table")
    return summary([Result(*done[row.target]) for row in wanted], False)


def main():
    words = sys.argv[2:]
    commands = {"check": check, "smoke": lambda rows: smoke(rows, words),
                "nightly": lambda rows: nightly(rows, words)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on_signal)
    try:
        good = commands[sys.argv[1]](read_table())
    except Ended as ended:
        sys.exit(128 + ended.args[0])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
