"""recorder.py - what the stand-ins for commands share: each call is written down, and may go as a test plans.

The environment's STAND names a folder:
    calls       one JSON line for each call: name, words, what of its environment counts, and its stdin if it read that
    plan        JSON: [{"when": ["docker", "push"], "status": 1, "stderr": "denied", …}], by the first words
    world       JSON: what the commands know of each other (images, the registry's contents)
A stand-in is as strict as the real command: it knows its subcommands and options, and refuses all others.  One is
started ten thousand times in a run of all tests: it imports little, and what is long is a module, compiled once.
"""
# SPDX-License-Identifier: ISC
import fcntl
import json
import os
import signal
import sys

ENVIRONMENT = ("DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_BUILDKIT", "KUBECONFIG", "GIT_ASKPASS", "GIT_SSH_COMMAND",
               "REPOSITORY_TOKEN_FILE")


FILES_MAX = 4096     # that a process has


class Refused(Exception):
    """The real command would not take these words: its exit status and what it says."""

    def __init__(self, status, said):
        super().__init__(said)
        self.status = status


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def append(path, record):
    """One write, so that no other process's record begins in the middle of this one."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, json.dumps(record).encode() + b"\n")
    os.close(file)


def records_in(path):
    """What was appended so far.  Who writes may be in the middle of the last line: a line without its end is none."""
    try:
        return [json.loads(line) for line in read(path).split("\n")[:-1]]
    except FileNotFoundError:
        return []


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Caller:
    """The process that was called: this one.  In resident.py it is another."""

    def pid(self):
        return os.getpid()

    def hang(self, file, deaf):
        if deaf:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        write(file, str(os.getpid()))
        while True:
            signal.pause()

    def become(self, path, words, environment, leads=False, alone=False):
        """leads: a process group of its own; alone: with the first three files only."""
        if leads:
            os.setpgid(0, 0)
        if alone:
            os.closerange(3, FILES_MAX)
        os.execve(path, words, environment)


caller = Caller()


class Call:
    def __init__(self, name, words):
        self.stand = os.environ["STAND"]
        self.name = name
        self.words = words
        self.write(name=name, words=words, process=caller.pid(),
                   environment={key: os.environ[key] for key in ENVIRONMENT if key in os.environ})

    def write(self, **fields):
        append(self.path("calls"), fields)

    def path(self, *names):
        return os.path.join(self.stand, *names)

    def stdin(self):
        text = sys.stdin.read()
        self.write(process=caller.pid(), stdin=text)
        return text

    def act_planned(self):
        """Does what the plan says of this call, if it says something: `hang` (ignores TERM with `deaf`), `status` with
        `stdout` and `stderr`, and what it says in the file of -E (`own`), or only `prints`.
        `after` leaves the first calls alone, `times` the later ones."""
        try:
            plan = json.loads(read(self.path("plan")))
        except FileNotFoundError:
            return
        for number, entry in enumerate(plan):
            when = entry["when"]
            if [self.name, *self.words][:len(when)] != when or not self.is_due(number, entry):
                continue
            if "hang" in entry:
                self.hang("deaf" in entry)
            sys.stdout.write(entry.get("stdout", ""))
            sys.stderr.write(entry.get("stderr", ""))
            if "own" in entry:
                with open(self.words[self.words.index("-E") + 1], "a", encoding="utf-8") as file:
                    file.write(entry["own"])
            if "status" in entry:
                sys.exit(entry["status"])

    def hang(self, deaf=False):
        caller.hang(self.path("hangs"), deaf)

    def is_due(self, number, entry):
        counter = self.path(f"plan.{number}")
        seen = int(read(counter)) if os.path.exists(counter) else 0
        write(counter, str(seen + 1))
        after = entry.get("after", 0)
        return after <= seen < after + entry.get("times", seen + 1)

    def world(self):
        """The world, locked; what it is when the block ends is what stays."""
        return World(self.stand)


def replace(file, text):
    """In one write: who is killed meanwhile leaves the old or the new text, and whoever reads finds one."""
    data = text.encode()
    os.pwrite(file.fileno(), data.ljust(os.fstat(file.fileno()).st_size), 0)


class World:
    name = "world"

    def __init__(self, stand):
        self.path = os.path.join(stand, self.name)

    def __enter__(self):
        self.file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.state = json.loads(self.file.read() or '{"images": {}, "registry": {}, "here": {}}')
        return self.state

    def save(self):
        replace(self.file, json.dumps(self.state))

    def __exit__(self, *_):
        self.save()
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


def main(act, name=None):
    """Runs a stand-in: act(call) -> exit status."""
    call = Call(name or os.path.basename(sys.argv[0]), sys.argv[1:])
    call.act_planned()
    try:
        status = act(call)
    except Refused as refused:
        print(refused, file=sys.stderr)
        status = refused.status
    sys.exit(status or 0)
