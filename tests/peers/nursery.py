"""nursery.py - the programs of the stand-ins, loaded once: a start costs a fork, and not an import of aiohttp.

In a test process, start("telegram.py", words) is what subprocess.Popen would be; run by it, this forks one for each
line {"script", "words"} that it reads, answers with its pid, and ends with its standard input.
"""
# SPDX-License-Identifier: ISC
import asyncio
import functools
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys

PROGRAMS = ("telegram", "github")
UNKNOWN = 255     # how one ended: no test takes that for well


class Peer:
    """What is asked of a subprocess.Popen.  It is the nursery's child, and its status is known to nobody here."""

    def __init__(self, pid, args):
        self.pid, self.args, self.returncode = pid, args, None
        try:
            self.handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self.returncode = UNKNOWN

    def poll(self):
        return self.ends_within(0)

    def ends_within(self, seconds):
        poll = select.poll()
        if self.returncode is None:
            poll.register(self.handle, select.POLLIN)
            if poll.poll(None if seconds is None else 1000 * seconds):
                os.close(self.handle)
                self.returncode = UNKNOWN
        return self.returncode

    def wait(self, timeout=None):
        if self.ends_within(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            signal.pidfd_send_signal(self.handle, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@functools.lru_cache
def nursery():
    return subprocess.Popen(["/usr/bin/python3", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            start_new_session=True)


def start(script, words):
    process = nursery()
    process.stdin.write(json.dumps({"script": script, "words": words}).encode() + b"\n")
    process.stdin.flush()
    return Peer(int(process.stdout.readline()), [script, *words])


def work(program, script, words):
    import peer_process      # who only starts one has no aiohttp
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.setsid()
    peer_process.die_with_parent()
    sys.argv = [script, *words]
    asyncio.run(program.main())


def main():
    programs = {f"{name}.py": importlib.import_module(name) for name in PROGRAMS}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    for line in iter(sys.stdin.buffer.readline, b""):
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(programs[wanted["script"]], **wanted)
            return
        os.write(1, b"%d\n" % pid)


if __name__ == "__main__":
    main()
