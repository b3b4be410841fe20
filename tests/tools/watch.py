#!/usr/bin/python3
"""watch.py tsan|valgrind BUILD [WHAT] - tests of that build under ThreadSanitizer or valgrind; what it reports fails.

Unit programs run by themselves, stories by pytest: the server of their Stage, its runner and its supervisors are
watched, the scripts are not.  WHAT: only unit programs and stories with that in their name.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT_TIMEOUT_S = 600
TSAN_ROUNDS = 10    # a lock that was taken out showed itself in two of three
STORIES_TIMEOUT_S = 1500
STORIES = "tests/e2e/"
TSAN_STORIES = [
    "test_flow_production.py",
    "test_flow_push.py",
    "test_settings_reload.py",
    "test_ops_stop.py",
    "test_http_load.py::test_many_at_once_are_each_answered_exactly_once",
]
VALGRIND_STORIES = [
    "test_flow_production.py::test_a_first_release_is_asked_about_and_cannot_roll_back",
    "test_flow_push.py::test_a_good_push_goes_live_by_itself",
    "test_flow_push.py::test_a_broken_push_is_rolled_back_and_told_in_these_words",
    "test_settings_reload.py::test_a_rotated_telegram_secret_holds_and_telegram_is_told",
    "test_ops_stop.py::test_a_run_that_takes_longer_goes_on_and_the_next_start_adopts_it",
]
# Single tests that are not: what valgrind cannot do.
VALGRIND_NOT_TESTS = {
    "a_program_that_cannot_be_executed_says_so": "valgrind's own exec has succeeded by then",
    "a_runner_that_is_not_there_is_an_error_at_once": "the same",
    "a_runner_gets_no_secret_of_ours_and_one_descriptor": "it has valgrind's log besides",
}
# Not under valgrind, which runs one thread at a time and twenty times slower.
VALGRIND_NOT = {
    "test_http_server_conn": "deadlines of its own, and the stories have the server",
    "test_http_request": "the same",
    "test_forge_webhook": "25 MB against a deadline",
    "test_http_client": "a thread of curl's hangs in a resolver on purpose, to the end",
    "test_cli_doctor": "it holds what it looks at against the clock",
    "test_sim": "as much as all the others together, of the same code",
    "test_decide_faults": "the same, each call failing",
    "test_github_payload": "ten minutes of comparing two readers of JSON; ASan has it",
}
VALGRIND = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible", "--track-fds=yes",
            "--error-exitcode=9", "--num-callers=25", "--trace-children=yes", "--vgdb=no",
            "--trace-children-skip=/usr/*,/bin/*,/sbin/*,*.sh,*/deploy/*,*/scripts/*",
            f"--suppressions={ROOT / 'tests/tools/valgrind.supp'}"]


# A supervisor and a git query are made for one run, and leave by _exit(), which closes what they hold all their life;
# a runner whose server goes leaves the questions that are open.
HELD = ("subreaper_init", "main_process_fork", "run_folder_claim", "git_query_start")
HELD_MAX = 6


def call(command, environment, timeout):
    """(exit status, output, process id)"""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace") as process:
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode, output, process.pid
        except BaseException as late:
            process.kill()
            output, _ = process.communicate()
            if not isinstance(late, subprocess.TimeoutExpired):
                raise
            return -1, f"{output}\nstill running after {timeout} s", process.pid


def lines_of(path):
    return [re.sub(r"^==\d+== ?", "", line) for line in path.read_text(errors="replace").splitlines()]


def open_at_exit(lines):
    """Descriptors that were opened here and are open at the end; what was inherited is the parent's."""
    found, held = [], 0
    for number, line in enumerate(lines):
        match = re.match(r"Open (.*file descriptor|AF_\w+ socket) (\d+):", line)
        if not match or int(match.group(2)) <= 2 or "<inherited from parent>" in " ".join(lines[number:number + 2]):
            continue
        end = next((i for i in range(number + 1, len(lines)) if not lines[i].strip()), len(lines))
        stack = lines[number:end]
        held += any(f": {name} (" in part for name in HELD for part in stack)
        if held > HELD_MAX or not any(f": {name} (" in part for name in HELD for part in stack):
            found.append("  ".join(part.strip() for part in stack[:6]))
    return found


def judge_valgrind(folder, only):
    """(processes watched to their end, what valgrind reported); only: of that process alone."""
    ended, bad = 0, []
    for path in sorted(folder.glob(f"{only or '*'}.log")):
        lines = lines_of(path)
        summary = [line for line in lines if line.startswith("ERROR SUMMARY:")]
        if not summary:
            continue        # killed, or a child on its way to a script
        ended += 1
        if not summary[-1].startswith("ERROR SUMMARY: 0 errors"):
            bad.append(f"{path.name}:\n" + "\n".join(lines[-200:]))
        bad += [f"{path.name}: left open: {one}" for one in open_at_exit(lines)]
    return ended, bad


def judge_tsan(folder, _):
    return None, [path.read_text(errors="replace") for path in sorted(folder.glob("tsan.*"))]


def give_pidfds(path):
    """Opens pidfds for those who run under a valgrind that cannot: see valgrind_pidfd.c."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen(64)

    def serve():
        while True:
            with listener.accept()[0] as client:
                try:
                    fd = os.pidfd_open(int.from_bytes(client.recv(4), sys.byteorder))
                except OSError as error:
                    client.send(error.errno.to_bytes(4, sys.byteorder))
                    continue
                socket.send_fds(client, [bytes(4)], [fd])
                os.close(fd)
    threading.Thread(target=serve, daemon=True).start()


class Watch:
    def __init__(self, tool, build):
        self.tool = tool
        self.build = build.resolve()
        self.folder = self.build / "watched"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.failed = []
        self.ended = 0
        if tool == "valgrind":
            for beside in (self.build, self.build / "tests"):
                give_pidfds(beside / "pidfd.socket")

    def place(self, name):
        folder = self.folder / re.sub(r"\W+", "_", name)
        folder.mkdir(parents=True)
        folder.chmod(0o1777)    # a test's child that has become another user has a log too
        return folder

    def under(self, folder):
        """(what stands before a program, what is in its environment)"""
        if self.tool == "valgrind":
            return [*VALGRIND, f"--log-file={folder}/%p.log"], {"DEPLOYBOT_SLOW": "6"}
        options = f"log_path={folder}/tsan exitcode=66 halt_on_error=0 second_deadlock_stack=1"
        return [], {"TSAN_OPTIONS": f"{options} suppressions={ROOT / 'tests/tools/tsan.supp'}"}

    def judge(self, name, folder, status, output, only=None):
        judge = judge_valgrind if self.tool == "valgrind" else judge_tsan
        ended, bad = judge(folder, only)
        self.ended += ended or 0
        if ended == 0:
            bad.append("nothing was watched to its end")
        if status != 0:
            bad.insert(0, f"exit status {status}\n{output[-5000:]}")
        if bad:
            self.failed.append(name)
            print("\n".join(bad)[:12000], flush=True)
        return "FAILED" if bad else "ok"

    def unit(self, name):
        began = time.monotonic()
        folder = self.place(name)
        prefix, environment = self.under(folder)
        not_these = ["-" + " ".join(VALGRIND_NOT_TESTS)] if self.tool == "valgrind" else []
        for _ in range(TSAN_ROUNDS if self.tool == "tsan" else 1):
            status, output, pid = call([*prefix, str(self.build / "tests" / name), *not_these],
                                       {**os.environ, **environment}, UNIT_TIMEOUT_S)
            if status == 0 and "PASSED" not in output:
                status = -1
            if status != 0:
                break
        # What a test forks is its helper and no program: that is not judged.
        verdict = self.judge(name, folder, status, output, only=pid)
        print(f"  {name}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)

    def stories(self, names, jobs):
        began = time.monotonic()
        folder = self.place("stories")
        prefix, environment = self.under(folder)
        environment |= {"DEPLOYBOT_BUILD": str(self.build), "DEPLOYBOT_UNDER": shlex.join(prefix),
                        "DEPLOYBOT_SLOW": "6"}
        status, output, _ = call(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-n", str(jobs),
             "--dist", "loadfile", "--tb=short", f"--basetemp={folder}/tmp", *names],
            {**os.environ, **environment}, STORIES_TIMEOUT_S)
        for line in output.splitlines():
            if re.match(r"(PASSED|FAILED|ERROR) |=+ .* in ", line):
                print(f"  {line}", flush=True)
        verdict = self.judge("stories", folder, status, output)
        print(f"  stories: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)


def main():
    tool, build = sys.argv[1], pathlib.Path(sys.argv[2])
    what = sys.argv[3] if len(sys.argv) > 3 else ""
    jobs = min(os.cpu_count() or 1, 4)
    watch = Watch(tool, build)
    units = sorted(p.stem for p in ROOT.glob("tests/unit/test_*.c") if (build / "tests" / p.stem).exists())
    stories = TSAN_STORIES if tool == "tsan" else VALGRIND_STORIES
    if tool == "valgrind":
        units = [name for name in units if name not in VALGRIND_NOT]
        for name, why in (VALGRIND_NOT | VALGRIND_NOT_TESTS).items():
            print(f"  not watched: {name}: {why}")
    began = time.monotonic()
    units = [name for name in units if what in name]
    stories = [STORIES + name for name in stories if what in name]
    if not units and not stories:
        sys.exit(f"nothing is called {what}")
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(watch.unit, units))
    if stories:
        watch.stories(stories, jobs)
    watched = f", {watch.ended} processes watched to their end" if tool == "valgrind" else ""
    print(f"{tool}: {len(units)} unit programs, {len(stories)} stories{watched}, {len(watch.failed)} failed "
          f"({time.monotonic() - began:.0f} s); reports in {watch.folder}")
    for name in watch.failed:
        print(f"  again: make check-{tool} WHAT={name if name != 'stories' else 'test_flow'}")
    sys.exit(1 if watch.failed else 0)


if __name__ == "__main__":
    main()
