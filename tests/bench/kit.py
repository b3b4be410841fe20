"""kit.py - what the measurements share: the disk's flush, processes, cores, loads."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import mmap
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "demo"), str(ROOT / "tests" / "peers")]

import github  # noqa: E402  pylint: disable=wrong-import-position
# pylint: disable-next=unused-import
from stage import (GITHUB_SECRET, WEBHOOK_SECRET, Deploybot, Stage,  # noqa: E402,F401
                   free_port, get, wait_until)

REPOSITORY = "orchard/shop"
PLACE = "@" * 40  # where load.c puts a commit
MARK = "#" * 12  # and a number
FLUSHES = 400
BODY_BYTES = 8192


def build_dir():
    return pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve()


def program(name):
    """tests/bench/NAME.c, as `make bench` has built it."""
    return build_dir() / "bench" / name


# ---- the machine -------------------------------------------------------------------------------


def flush_times_ms(folder):
    """How long an fdatasync takes after 4 KB were appended, on this file system: many, sorted."""
    times = []
    path = folder / "flush"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(FLUSHES):
            os.write(file, b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(file)
        path.unlink()
    return sorted(times)


def touch_us(rest_s):
    """How long it takes to touch a page behind a rest, of 256 that are all there: a virtual machine's host may have
    looked for idle ones meanwhile."""
    size = 256 * mmap.PAGESIZE
    with mmap.mmap(-1, size) as memory:
        for _ in range(2):
            for at in range(0, size, mmap.PAGESIZE):
                memory[at] = 1
        time.sleep(rest_s)
        began = time.perf_counter()
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1
        return (time.perf_counter() - began) * 1e6 / 256


def cores():
    """(the load's core, the server's core); the same one on a machine that has but one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pin(pid, core):
    """Every thread of a process, and what it starts from now on, on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


@contextlib.contextmanager
def apart(pid):
    """A server and all that it started on its core; what else we started, and we, on the load's."""
    usable, (load, server) = os.sched_getaffinity(0), cores()
    servers = {pid, *children(pid)}
    for one in servers:
        pin(one, server)
    for one in {os.getpid(), *children(os.getpid())} - servers:
        pin(one, load)
    try:
        yield
    finally:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), usable)


def memory_mb(pid):
    """(resident, private dirty) of a process."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        words = line.split()
        if words[0] in ("Rss:", "Private_Dirty:"):
            found[words[0]] = int(words[1]) / 1024
    return found["Rss:"], found["Private_Dirty:"]


def peak_mb(pid):
    """The most that was ever resident; None once the process is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def processor_seconds(pid):
    """What a process has used so far, its ended children not counted."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    """{pid: name} of all that descends from a process."""
    parents, names = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                head, tail = (entry / "stat").read_text("ascii", "replace").rsplit(")", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(tail.split()[1])
            names[int(entry.name)] = head.split("(", 1)[1]
    found, new = {}, {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found.update({child: names[child] for child in new})
    return found


# ---- loads -------------------------------------------------------------------------------------


def padded(payload, holder, field):
    """Its JSON, with a text in that field made as long as it takes to have 8 KB."""
    words = "The build waits for it. "
    holder[field] = ""
    size = len(json.dumps(payload, separators=(",", ":")))
    holder[field] = words * ((BODY_BYTES - size) // len(words))
    return json.dumps(payload, separators=(",", ":"))


def push_text(branch):
    payload = github.push_payload(REPOSITORY, f"refs/heads/{branch}", "9" * 40, PLACE)
    return padded(payload, payload["repository"], "description")


def star_text():
    """Somebody starred the repository: an event that nobody asked for."""
    push = github.push_payload(REPOSITORY, "refs/heads/topic", "9" * 40, "8" * 40)
    payload = {"action": "created", "starred_at": "2026-11-20T10:00:00Z",
               **{name: push[name] for name in ("repository", "organization", "sender")}}
    payload["repository"]["node_id"] = PLACE
    return padded(payload, payload["repository"], "description")


def update_text():
    """A message that is no command, from a person without a role."""
    return json.dumps({"update_id": MARK, "message": {
        "message_id": 7, "date": int(time.time()), "text": "Has anybody seen the new build?",
        "from": {"id": 5550001, "is_bot": False, "first_name": "Eve", "language_code": "en"},
        "chat": {"id": 5550001, "type": "private", "first_name": "Eve"}}}
        ).replace(f'"{MARK}"', MARK)


def write_bodies(folder):
    """{name: file}, with places for load.c."""
    texts = {"topic": push_text("topic"), "develop": push_text("develop"), "star": star_text(),
             "update": update_text()}
    found = {}
    for name, text in texts.items():
        found[name] = folder / f"{name}.json"
        found[name].write_text(text, encoding="ascii")
    return found


# pylint: disable-next=too-many-arguments
def run_load(bench, to, connections, seconds, body=None, *, kind="push", rate=0, closes=False):
    """A load from its core onto what has a port and a route; what load.c reports.  An answer that
    is not what its kind expects raises."""
    options = ["-k", kind, *(["-c"] if closes else []), *(["-r", str(rate)] if rate else [])]
    secret = WEBHOOK_SECRET if kind == "update" else GITHUB_SECRET
    done = subprocess.run(["taskset", "-c", str(cores()[0]), str(bench.load), *options,
                           str(to.port), to.route, str(connections), str(seconds), secret,
                           *([str(body)] if body else [])],
                          capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"load {kind} {to.route}: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


class Target:
    """Where a load goes."""

    def __init__(self, port, route):
        self.port, self.route = port, route


class Watch:
    """Looks at a server while something happens: memory, descriptors, and what its loop says."""

    LAG = re.compile(r"^deploybot_loop_lag_seconds (\S+)$", re.MULTILINE)
    LOOK_S = 0.25

    def __init__(self, bot):
        self.bot = bot
        self.pid = bot.process.pid
        self.resident_mb = self.dirty_mb = self.descriptors = 0
        self.lags_ms = []  # the longest turn of each second
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def look(self):
        resident, dirty = memory_mb(self.pid)
        self.resident_mb = max(self.resident_mb, resident)
        self.dirty_mb = max(self.dirty_mb, dirty)
        self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{self.pid}/fd")))

    def ask(self):
        found = self.LAG.search(self.bot.metrics())
        if found:
            self.lags_ms.append(float(found.group(1)) * 1000)

    def watch(self):
        looks = 0
        while not self.over.wait(self.LOOK_S):
            self.look()
            looks += 1
            if looks % 4 == 0:
                self.ask()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.look()
        time.sleep(1.1)  # the gauge shows the second before
        self.ask()

    @property
    def lag_ms(self):
        return max(self.lags_ms, default=0)
