"""Goal: what a first start and a git query cost the kernel is counted, as no clock can: calls, flushes, programs."""
# SPDX-License-Identifier: ISC
import re
import shutil
import socket
import subprocess

import pytest

from ops_aid import bare_settings, check_stop
from shipping_aid import DEPLOY, git
from stage import Deploybot, wait_until

FLUSHES = 12    # of the main thread: the database's files, names of folders, the mark of what runs, the audit's file
PROGRAMS = 24   # of a question about a commit whose digits are all there: git's own helpers are not counted
PROCESS = re.compile(r'openat\(.*"/proc/\d+/stat"')
# Begun by a clock: what measures a fetch once for each second in which git says nothing.
BY_TIME = re.compile(r'execve\("[^"]*/du", \["du", "-sb", ')


def programs_of(text):
    """Those that a trace of execve names, but for git's own helpers and what only a slow machine starts."""
    return [call.split('"')[1] for call in text.splitlines()
            if "execve(" in call and "git-core" not in call and not BY_TIME.search(call)]


class Traced:
    """A server whose calls of these kinds, and those of all that it starts, are written to a file."""

    def __init__(self, folder, kinds, **settings):
        strace = shutil.which("strace")
        assert strace is not None, "strace is missing: tests/tools/packages.sh test"
        self.file = folder / "calls"
        self.bot = Deploybot(folder, bare_settings(folder, ASAN_OPTIONS="exitcode=99:detect_leaks=0", **settings),
                             wrapper=[strace, "-D", "-f", "-qq", "-s", "40", "-o", self.file, "-e", f"trace={kinds}"])
        libraries = subprocess.run(["ldd", self.bot.build / "deploybot"], capture_output=True, check=True).stdout
        if b"asan" in libraries:
            pytest.skip("LeakSanitizer does not work below strace")

    def lines(self):
        """(process or thread, call) of each so far."""
        found = [line.split(None, 1) for line in self.file.read_text("utf-8", "replace").splitlines()]
        return [(int(who), call) for who, call in filter(lambda words: len(words) == 2, found)]


def test_a_first_start_starts_the_runner_alone_asks_for_no_name_and_flushes_seldom(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        traced = Traced(tmp_path, "fsync,fdatasync,execve,connect,sendmsg", NOTIFY_SOCKET=str(tmp_path / "notify"))
        traced.bot.start()
        while b"READY=1" not in manager.recv(4096):
            pass
        check_stop(traced.bot)
    lines = traced.lines()
    main = lines[0][0]
    ready = next(n for n, (_, call) in enumerate(lines) if "READY=1" in call)
    before = lines[:ready]
    assert [call.split('"')[1].rsplit("/", 1)[1] for _, call in before if call.startswith("execve(")] == \
        ["deploybot", "deploybot-runner"]
    assert not [call for _, call in before if "htons(53)" in call]
    flushes = [call for who, call in before if who == main and re.match(r"f(data)?sync\(", call)]
    assert len(flushes) <= FLUSHES, flushes


def test_a_git_query_that_has_left_nothing_behind_does_not_read_the_table_of_all_processes(tmp_path):
    traced = Traced(tmp_path, "openat,execve,clone,clone3,sendto", POLL_REPOSITORY_SECONDS="1")
    traced.bot.start()

    def answered():
        """The calls of the supervisor of a query that was answered."""
        lines = traced.lines()
        scripts = {who for who, call in lines if call.startswith("execve(") and "commits.sh" in call}
        for parent, call in lines:
            born = re.search(r"= (\d+)$", call) if re.match(r"clone|<\.\.\. clone", call) else None
            if born and int(born.group(1)) in scripts:
                own = [call for who, call in lines if who == parent]
                if any(call.startswith("sendto(") and '"answer' in call for call in own):
                    return own
        return None
    calls = wait_until(answered, what="a git query's answer")
    check_stop(traced.bot)
    assert not [call for call in calls if PROCESS.match(call)]


def test_the_commit_that_was_confirmed_is_asked_about_with_few_programs(tmp_path):
    """Each costs one to two milliseconds of the time from Confirm to the script's first instruction."""
    repository = tmp_path / "repository"
    git(tmp_path, "init", "-q", "-b", "main", str(repository))
    git(repository, "-c", "user.name=Ann", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "First")
    head = git(repository, "rev-parse", "HEAD").strip()
    for _ in range(2):  # the first makes the mirror
        done = subprocess.run(
            ["strace", "-z", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e", "trace=execve", f"{DEPLOY}/commits.sh",
             "commits", head, "main", head, "", ""],
            env={"PATH": "/usr/bin:/bin", "REPOSITORY_URL": str(repository), "STATE_DIRECTORY": str(tmp_path / "state"),
                 "DEPLOY_TRANSPORT": "local", "ENVIRONMENT": "production", "DEPLOYBOT_SETTINGS": "checked"},
            capture_output=True, text=True, check=True, timeout=300)
        assert f"\nkind commit\ncommit {head}\n" in done.stdout and done.stdout.endswith("\nend\n")
    programs = programs_of((tmp_path / "calls").read_text("utf-8", "replace"))
    assert len(programs) <= PROGRAMS, programs
