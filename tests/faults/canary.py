"""canary.py - secrets that are easy to know again, and where they must never be found (I9).

    found = canary.search({"TELEGRAM_BOT_TOKEN": token}, canary.artefacts(folder, bot))     # [(name, where)]
    canary.check(folder, secrets)       # raises Leak: files, database and log under a scene's folder

A secret is looked for as it is, URL-encoded, in hex, and in base64 at each of its three alignments.  Where it has
to be is named in EXPECTED.
"""
# SPDX-License-Identifier: ISC
import pathlib
import re
import threading

from scene import children_of
import canaries

# (setting, pattern of where): there it is on purpose.
EXPECTED = (
    ("*", r"/scripts/"),                            # what a test itself wrote down to be printed
    ("*", r"/github\.secret$"), ("*", r"/\.?env$"), # the stand-in's copy; the .env itself
    ("*", r"/runs/\w+/(log|exit)$"),                # what a run's script printed, and its steps, raw: mode 0600
    ("*", r"^the server's environ$"),               # where a test handed its settings over, instead of by .env
    ("REPOSITORY_TOKEN", r"^deploybot-runner's environ$"),  # the runner's own secret
)
# Of a family's settings, the one that scenes have.
NAMES = {"HOOK": "BUILD_DONE", "REGISTRY": "HUB", "WORKFLOW": "DEPLOY", "NOTIFY": "STATUS"}
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Files of megabytes are looked at in pieces that overlap.
PIECE = 1 << 20


class Leak(AssertionError):
    """A secret where none may be; says which and where, and not the secret."""


def shapes(secret):
    """The bytes that give a secret away."""
    found = canaries.shapes(secret)
    if ":" in secret:   # the second half of a bot token is the secret one
        found |= shapes(secret.split(":", 1)[1])
    return found


def secret_settings():
    """The names of all settings that are secrets, as the tables say."""
    text = "".join((ROOT / part).read_text(encoding="utf-8")
                   for part in ("server/types/settings.def", "runner/settings.def"))
    names = set(re.findall(r"^(?:SETTING|SHIPPING)\((\w+), \w+, [^,]+, SECRET,", text, re.M))
    return names | {name.replace("<NAME>", NAMES[name.split("_")[0]]) for name in
                    re.findall(r'^FAMILY_SETTING\(\w+, \w+, "([\w<>]+)", \w+, [^,]+, SECRET,', text, re.M)}


def is_expected(name, where):
    return any(setting in ("*", name) and re.search(pattern, where) for setting, pattern in EXPECTED)


def search(secrets, artefacts):
    """[(setting, where)] of everything that leaks; artefacts: (where, bytes or text)."""
    wanted = {name: shapes(value) for name, value in secrets.items() if value}
    leaks = []
    for where, content in artefacts:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        leaks += [(name, where) for name, some in wanted.items()
                  if not is_expected(name, where) and any(shape in data for shape in some)]
    return leaks


def pieces(path):
    """A file's bytes, a piece at a time, each beginning where the one before had its last 4 KB."""
    with open(path, "rb") as source:
        before = b""
        while piece := source.read(PIECE):
            yield before + piece
            before = piece[-4096:]


def files(*roots):
    """(where, bytes) of every regular file below."""
    for root in map(pathlib.Path, roots):
        for path in [root, *root.rglob("*")] if root.is_dir() else [root]:
            try:
                if path.is_file() and not path.is_symlink():
                    yield from ((str(path), piece) for piece in pieces(path))
            except OSError:
                pass    # it has just gone


def check(folder, secrets, more=()):
    """State, database with its WAL, audit and log of a scene's folder; more: other (where, bytes)."""
    folder = pathlib.Path(folder)
    looked = [*files(folder / "state", folder / "audit.log", folder / "deploybot.log"), *more]
    leaks = search(secrets, looked)
    if leaks:
        raise Leak("; ".join(f"{name} in {where}" for name, where in leaks[:10]))
    return len(looked)


class Watch:
    """argv and environment of everything that came from a process, looked at again and again."""

    def __init__(self, find_server, secrets):
        self.find_server = find_server
        self.wanted = secrets
        self.looked = 0
        self.programs = set()
        self.leaks = set()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def look(self):
        server = self.find_server()
        waiting = [server]
        while waiting:
            pid = waiting.pop()
            waiting += children_of(pid)
            self.look_at(pid, pid == server)

    def look_at(self, pid, is_server):
        for part in ("cmdline", "environ"):
            try:
                data = pathlib.Path(f"/proc/{pid}/{part}").read_bytes()
            except OSError:
                continue
            if part == "cmdline":
                program = "the server" if is_server else \
                    pathlib.Path(data.split(b"\0")[0].decode("utf-8", "replace")).name
                self.programs.add(program)
            self.looked += 1
            self.leaks |= set(search(self.wanted, [(f"{program}'s {part}", data)]))

    def run(self):
        while not self.is_over.wait(0.01):
            try:
                self.look()
            except (OSError, UnboundLocalError):
                pass    # it has just ended

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(60)
