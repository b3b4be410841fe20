"""recorder.py - what the stand-ins for commands share: each call is written down, and may go as a test plans.

The environment's STAND names a folder:
    calls       one JSON line for each call: name, words, what of its environment counts, and its stdin if it read that
    plan        JSON: [{"when": ["docker", "push"], "status": 1, "stderr": "denied", …}], by the first words
    world       JSON: what the commands know of each other (images, the registry's contents)
A stand-in is as strict as the real command: it knows its subcommands and options, and refuses all others.
"""
# SPDX-License-Identifier: ISC
import fcntl
import json
import os
import pathlib
import signal
import sys

ENVIRONMENT = ("DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_BUILDKIT", "KUBECONFIG")


class Refused(Exception):
    """The real command would not take these words: its exit status and what it says."""

    def __init__(self, status, said):
        super().__init__(said)
        self.status = status


class Call:
    def __init__(self, name, words):
        self.stand = pathlib.Path(os.environ["STAND"])
        self.name = name
        self.words = words
        self.write(name=name, words=words, process=os.getpid(),
                   environment={key: os.environ[key] for key in ENVIRONMENT if key in os.environ})

    def write(self, **fields):
        with open(self.stand / "calls", "a", encoding="utf-8") as calls:
            calls.write(json.dumps(fields) + "\n")

    def stdin(self):
        text = sys.stdin.read()
        self.write(process=os.getpid(), stdin=text)
        return text

    def act_planned(self):
        """Does what the plan says of this call, if it says something: `hang` (ignores TERM with `deaf`), `status` with
        `stdout` and `stderr`, or only `prints`.  `after` leaves the first calls alone."""
        try:
            plan = json.loads((self.stand / "plan").read_text())
        except FileNotFoundError:
            return
        for number, entry in enumerate(plan):
            when = entry["when"]
            if [self.name, *self.words][:len(when)] != when or not self.is_due(number, entry.get("after", 0)):
                continue
            if "hang" in entry:
                if "deaf" in entry:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                self.hang()
            sys.stdout.write(entry.get("stdout", ""))
            sys.stderr.write(entry.get("stderr", ""))
            if "status" in entry:
                sys.stdout.flush()
                os._exit(entry["status"])

    def hang(self):
        (self.stand / "hangs").write_text(str(os.getpid()))
        while True:
            signal.pause()

    def is_due(self, number, after):
        counter = self.stand / f"plan.{number}"
        seen = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(seen + 1))
        return seen >= after

    def world(self):
        """The world, locked; what it is when the block ends is what stays."""
        return World(self.stand)


class World:
    def __init__(self, stand):
        self.stand = stand

    def __enter__(self):
        self.file = open(self.stand / "world", "a+", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.seek(0)
        self.state = json.loads(self.file.read() or '{"images": {}, "registry": {}, "here": {}}')
        return self.state

    def __exit__(self, *_):
        self.file.truncate(0)
        self.file.write(json.dumps(self.state))
        self.file.close()


def options(words, flags=(), values=(), refuse=lambda word: Refused(2, f"unknown flag: {word}")):
    """Splits words into ({option: [its values]}, the rest).  `--name=value` only where the table has it so."""
    found, rest, words = {}, [], list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            return found, rest + words
        if word in flags:
            found.setdefault(word, []).append(True)
        elif word in values:
            if not words:
                raise refuse(word)
            found.setdefault(word, []).append(words.pop(0))
        elif word.startswith("-") and word != "-":
            raise refuse(word)
        else:
            rest.append(word)
    return found, rest


def main(act):
    """Runs a stand-in: act(call) -> exit status."""
    call = Call(os.path.basename(sys.argv[0]), sys.argv[1:])
    call.act_planned()
    try:
        status = act(call)
    except Refused as refused:
        print(refused, file=sys.stderr)
        status = refused.status
    sys.exit(status or 0)
