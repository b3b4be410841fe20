"""kit.py - what the measurements share: the disk's flush, processes, cores, helpers in C."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "demo"), str(ROOT / "tests" / "peers")]

import github  # noqa: E402  pylint: disable=wrong-import-position
# pylint: disable-next=unused-import
from stage import GITHUB_SECRET, Deploybot, Stage, free_port, get, wait_until  # noqa: E402,F401

REPOSITORY = "orchard/shop"
PLACE = "@" * 40  # where load.c puts a commit
FLAGS = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-I."]
FLUSHES = 400


def build_dir():
    return pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve()


def compile_helper(name, folder, *libraries):
    """tests/bench/NAME.c as FOLDER/NAME."""
    program = folder / name
    subprocess.run(["cc", *FLAGS, "-o", str(program), f"tests/bench/{name}.c", *libraries],
                   cwd=ROOT, check=True)
    return program


def compile_load(folder):
    return compile_helper("load", folder, str(build_dir() / "liblib.a"), "-lcrypto")


# ---- the machine -------------------------------------------------------------------------------


def median_flush_ms(folder):
    """The median time of an fdatasync after 4 KB were appended, on this file system."""
    times = []
    path = folder / "flush"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(FLUSHES):
            os.write(file, b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file)
            times.append(time.perf_counter() - began)
    finally:
        os.close(file)
        path.unlink()
    return statistics.median(times) * 1000


def cores():
    """(the load's core, the server's core); the same one on a machine that has but one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pin(pid, core):
    """Every thread of a process, and what it starts from now on, on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


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


def write_body(path, branch):
    """A push of some 7.7 KB to that branch, with places for load.c; returns its size."""
    payload = github.push_payload(REPOSITORY, f"refs/heads/{branch}", "9" * 40, PLACE)
    text = json.dumps(payload, separators=(",", ":"))
    path.write_text(text, encoding="ascii")
    return len(text)


def run_load(load, port, route, connections, seconds, body):
    """One closed loop on the load's core; what load.c reports.  An answer that is no 2xx raises."""
    done = subprocess.run(["taskset", "-c", str(cores()[0]), str(load), str(port), route,
                           str(connections), str(seconds), GITHUB_SECRET, str(body)],
                          capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"load {route}: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


class Webhook:
    """Debian's `webhook`, the peer: the same signature checked, then /bin/true."""

    def __init__(self, folder, waits=False):
        self.port = free_port()
        self.route = "/hooks/push"
        hooks = folder / f"hooks-{int(waits)}.json"
        signature = {"source": "header", "name": "X-Hub-Signature-256"}
        hooks.write_text(json.dumps([{
            "id": "push", "execute-command": "/bin/true", "http-methods": ["POST"],
            "include-command-output-in-response": waits,
            "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": GITHUB_SECRET,
                                       "parameter": signature}}}]), encoding="ascii")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(cores()[1]), "webhook", "-hooks", str(hooks),
             "-ip", "127.0.0.1", "-port", str(self.port)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_up, 20, "webhook's port")

    def is_up(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.terminate()
        self.process.wait(30)
