"""agents_many.py - N agents on one deploybot-link and one server: memory of both, and how soon all are back.

    DEPLOYBOT_BUILD=build agents_many.py N

Prints what was measured.  Status 1: above the limits below, which are those of 10,000.
"""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import queue
import sqlite3
import subprocess
import sys
import threading
import time

import kit

sys.path[:0] = [str(kit.ROOT / "tests" / "e2e"), str(kit.ROOT / "tests" / "tools")]

# pylint: disable=wrong-import-position
from agents_aid import Agents  # noqa: E402
from service_aid import SERVER  # noqa: E402

LINK_MB, SERVER_MB, BACK_S = 256, 4, 60
PATIENCE_S = 120


class Load:
    """tests/bench/agents.c: all hosts in one process."""

    def __init__(self, agents, count):
        self.count = count
        self.process = subprocess.Popen(
            [kit.program("agents"), agents.ca / "ca.crt", agents.ca / "ca.key", agents.address.rpartition(":")[2],
             str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.peers = []
        while (line := self.next()) != "made":
            self.peers.append(line.split())

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def next(self):
        line = self.lines.get(timeout=PATIENCE_S)
        if line is None:
            raise SystemExit(f"agents ended with {self.process.wait()}")
        return line

    def forget(self):
        """From now on greetings are counted anew."""
        self.process.stdin.write("\n")

    def wait(self):
        """Until all are greeted; how many seconds it took."""
        began = time.monotonic()
        while self.next() != f"{self.count} {self.count}":
            pass
        return time.monotonic() - began

    def close(self):
        self.process.kill()
        self.process.wait()


def enrol(scene, peers):
    """As `deploybot agent enrol NAME KEY` of each has it, in one go."""
    path = pathlib.Path(scene.bot.settings["STATE_DIRECTORY"]) / "deploybot.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO peer (identity, digest, made_at, made_by, by_name, revoked_at)"
            " VALUES (?, ?, 0, 0, 'x', 0)", peers)
        database.execute("COMMIT")
    for file in path.parent.glob("deploybot.db*"):
        os.chown(file, SERVER, SERVER)


def dirty(process):
    return kit.memory_mb(process.pid)[1]


def restart(scene):
    scene.bot.kill()
    scene.start_bot()


def measure(agents, load, found):
    scene = agents.scene
    restart(scene)
    found["server, no agent"] = (dirty(scene.bot.process), "MB", None)
    found["link, no agent"] = (dirty(agents.serve.process), "MB", None)
    scene.bot.kill()
    enrol(scene, load.peers)
    scene.start_bot()
    load.forget()
    found["all connect for the first time"] = (load.wait(), "s", None)
    agents.serve.kill()
    load.forget()
    agents.serve = agents.start_serve()
    found["back behind a restart of link"] = (load.wait(), "s", BACK_S)
    found["processor time of link for each"] = (
        kit.processor_seconds(agents.serve.process.pid) / load.count * 1000, "ms", None)
    load.forget()
    restart(scene)
    found["back behind a restart of the server"] = (load.wait(), "s", BACK_S)
    found["link, all connected"] = (dirty(agents.serve.process), "MB", LINK_MB)
    found["server, all connected"] = (dirty(scene.bot.process), "MB", None)
    found["more in the server"] = (found["server, all connected"][0] - found["server, no agent"][0], "MB", SERVER_MB)


def main():
    count, found, status = int(sys.argv[1]), {}, 0
    agents = Agents()
    load = None
    try:
        load = Load(agents, count)
        print(f"{count} agents; more than once: {count - len({digest for _, digest in load.peers})} keys", flush=True)
        measure(agents, load, found)
    finally:
        if load is not None:
            load.close()
        agents.close()
    for what, (value, unit, most) in found.items():
        is_wrong = most is not None and value > most
        status |= is_wrong
        limit = "" if most is None else f"  (at most {most}{'!' if is_wrong else ''})"
        print(f"{what:40} {value:8.2f} {unit}{limit}")
    return status


if __name__ == "__main__":
    sys.exit(main())
