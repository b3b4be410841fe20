#!/usr/bin/python3
"""planted.py FOLDER JOBS [WORD...] - takes one protection out after another, and wants its test to notice.
planted.py --names - only looks whether each finds its place, and names a test that there is.

Each row of tests/planted/<room>.txt takes one protection out (ROW below says how it is written).
In copies of the tree under FOLDER, three for each of JOBS, each is put in, built, tested and taken out; WORDs choose
rows by their name.  What was noticed on the same tree, in a run that was cut, is not played once more.
What counts is that the named test fails, not that something does. Before that the same tests pass without a bug.
Exit status 1 when one was not noticed, finds no place, does not compile, or has no such lines.
"""
# SPDX-License-Identifier: ISC
import collections
import concurrent.futures
import contextlib
import difflib
import hashlib
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_TIMEOUT_S = 240
BUILD_TIMEOUT_S = 900
TREES = 3      # for each job: most end-to-end tests wait
# A row, between empty lines:
#     == <name>: <the protection that it takes out>
#     by: <test program> <test or invariant that must fail>
#     in: <file>
# and lines as a diff has them, `-` what goes, `+` what comes, ` ` what stays, without line numbers: what goes and what
# stays is text that stands once in the file.  What only comes stands beside a line that stays.  It may go on with
# another `in:`.  Also `by: <campaign>.py:<label of its trial> <invariant>`, of tests/faults/; `one|other`: either is
# broken first.
ROW = re.compile(r"== (\w+): (.+)\nby: (\S+) ([\w|]+)\n((?:in: \S+\n(?:[-+ ].*\n|[-+]?\n)+)+)")
NOT_COMPILED = ("deploy/", "nginx/", "tests/peers/", "docs/", ".github/")
NEAR = 0.6     # how alike a line is that somebody means
FAILURE = re.compile(r"^\[\s*FAILED\s*\] (\w+)$|broken: (\w+): |^FAILED \S+::(\w+)", re.M)
WAITING = re.compile(r"^\[ RUN +\] (\w+)\n(?!(?:.*\n)*\[ +(?:OK|FAILED) +\] \1\n)", re.M)
# The same histories each time; without a bug as many as reach every fault, or the program fails by itself.
HISTORIES = {"FIRST": "1", "SEEDS": "3000", "HISTORIES": "1000", "POLICIES": "300"}
HISTORIES_PLAIN = {"FIRST": "1", "SEEDS": "500", "HISTORIES": "1000", "POLICIES": "300"}
SAID_OF_A_FAILURE = 2000
SYNTAX = ("-std=gnu17 -Werror=implicit-function-declaration -w -D_GNU_SOURCE -DCRASH_POINTS -fsyntax-only -I. "
          '-Iserver -DCONSOLE_FOLDER=""').split()


class Bad(Exception):
    """Why a planted bug does not count as noticed: a verdict, and what there is to read."""

    def __init__(self, verdict, text=""):
        super().__init__(verdict)
        self.verdict = verdict
        self.text = text.strip()[-SAID_OF_A_FAILURE:]


def find(lines, wanted):
    """Where these lines stand one behind the other."""
    return [at for at in range(len(lines) - len(wanted) + 1) if lines[at:at + len(wanted)] == wanted]


def nearest(lines, wanted):
    """What somebody means who names lines that are not there: the first of them that is gone, and what is like it."""
    gone = next((line for line in wanted if line not in lines), wanted[0])
    close = difflib.get_close_matches(gone, lines, 1, NEAR)
    like = f"; nearest, line {lines.index(close[0]) + 1}: {close[0].strip()!r}" if close else ""
    return f"{gone.strip()!r} is gone{like}"


class Change:
    """What becomes of one place of one file."""

    def __init__(self, text):
        path, _, body = text.partition("\n")
        lines = body.rstrip("\n").split("\n")
        self.path = path
        self.old = [line[1:] for line in lines if not line.startswith("+")]
        self.new = [line[1:] for line in lines if not line.startswith("-")]

    def put(self, text):
        """The text with it; raises where it finds no place, or two."""
        lines = text.split("\n")
        places = find(lines, self.old)
        if len(places) != 1:
            twice = f"stands {len(places)} times: {self.old[0].strip()!r}"
            raise Bad("FINDS NO PLACE", f"{self.path}: {twice if places else nearest(lines, self.old)}")
        return "\n".join([*lines[:places[0]], *self.new, *lines[places[0] + len(self.old):]])


class Bug:
    def __init__(self, name, gone, program, test, changes):
        self.name, self.gone, self.program, self.test = name, gone, program, test
        self.changes = [Change(text) for text in re.split(r"^in: ", changes, flags=re.M)[1:]]

    def put(self, root):
        """{file: its text with the bug}, of the files below `root`."""
        texts = {}
        for change in self.changes:
            if change.path not in texts:
                texts[change.path] = (root / change.path).read_text("utf-8") if (root / change.path).is_file() else ""
            texts[change.path] = change.put(texts[change.path])
        return texts

    def names(self):
        return set(self.test.split("|"))

    def is_end_to_end(self):
        return self.program.endswith(".py")

    def is_campaign(self):
        return ".py:" in self.program

    def is_compiled(self):
        """Whether make has anything to do for it: scripts and what they ship run as they lie there."""
        return any(not change.path.startswith(NOT_COMPILED) for change in self.changes)

    def is_wrong(self):
        """What is wrong with its place, or with who notices it; None: nothing.  Invariants stand where they break."""
        try:
            self.put(ROOT)
        except Bad as bad:
            return f"{self.name}: {bad.verdict}: {bad.text}"
        sources, test = self.place_of_tests()
        if not sources[0].is_file():
            return f"{self.name}: there is no {self.program}"
        texts = [source.read_text("utf-8") for source in sources]
        missing = sorted(name for name in self.names()
                         if not any(re.search(test % {"name": name}, text, re.M) for text in texts))
        return f"{self.name}: {self.program} has no test {', '.join(missing)}" if missing else None

    def place_of_tests(self):
        """The files that have its tests or invariants, its program first, and how one begins: a mention is no test."""
        if self.is_end_to_end():
            return [ROOT / "tests" / "e2e" / self.program], r"^def %(name)s\("
        if not self.is_campaign() and self.program != "test_sim":
            return [ROOT / "tests" / "unit" / f"{self.program}.c"], r"^\w*TEST\w*\(\s*%(name)s\b"
        program = "unit/test_sim.c" if self.program == "test_sim" else f"faults/{self.program.split(':', 1)[0]}"
        return [ROOT / "tests" / program, *ROOT.glob("tests/sim/*.c"), *ROOT.glob("tests/faults/*.c")], \
            r'^%(name)s\(|"%(name)s"'

    def does_not_compile(self):
        """What a compiler says of it; None: nothing.  Of a table or header only who includes it could tell."""
        for path, text in self.put(ROOT).items():
            if path.endswith(".c"):
                done = subprocess.run(["gcc", *SYNTAX, "-iquote", ROOT / pathlib.Path(path).parent, "-x", "c", "-"],
                                      input=text, text=True, capture_output=True, cwd=ROOT, check=False)
                errors = [line for line in done.stderr.splitlines() if "error:" in line]
                if done.returncode:
                    return f"{self.name}: {path}: {(errors or ['?'])[0]}"
        return None

    def targets(self):
        if self.is_campaign():
            return ["all", "build/faults/oracle"]
        # A test that starts the real runner is skipped where there is none.
        return ["all"] if self.is_end_to_end() else [f"build/tests/{self.program}", "build/deploybot-runner"]

    def command(self, names=None):
        """What runs its test, or, of an end-to-end file, the tests of these names."""
        if self.is_campaign():
            kind, label = self.program.split(".py:", 1)
            return ["/usr/bin/python3", "tests/faults/campaign.py", kind, "--build", "build", "--only", label]
        if not self.is_end_to_end():
            return [f"build/tests/{self.program}"]
        return ["/usr/bin/python3", "-m", "pytest", "-q", "--tb=line", "-rf", "-p", "no:cacheprovider",
                f"tests/e2e/{self.program}", "-k", " or ".join(sorted(names or self.names()))]


def failed_of(text):
    return {name for names in FAILURE.findall(text) for name in names if name}


def failed_in(file):
    """What has failed so far, of what is being written to it."""
    return failed_of(os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace"))


def wait(process, timeout_s, is_enough):
    """Its exit status; None: it did not end in time, or what it has said is enough."""
    over = time.monotonic() + timeout_s
    while time.monotonic() < over and not is_enough():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(1)
    return process.poll()


class Tree:
    """A copy of what git knows, as it stands in the working tree, with a build folder of its own."""

    running = set()     # pids of process groups, of all trees
    starts = threading.RLock()     # a signal may come to who holds it

    @classmethod
    def end_all(cls, number, _):
        """Nothing is started any more, and what runs is killed."""
        with cls.starts:
            for pid in list(cls.running):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            os._exit(128 + number)

    def __init__(self, folder, jobs):
        self.path = folder.resolve() / "tree"
        self.jobs = jobs
        # A make above us is none of the copy's, and git must take it for no part of the repository around it.
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "SEED")}
        self.environment |= {"GIT_CEILING_DIRECTORIES": str(self.path.parent), "BUILD": "build"}

    def run(self, command, timeout_s, until=(), **more):
        """Exit status and output; None when it did not end in time, and then all of it is killed.  So it is, too, once
        a test of until's names has failed: the others may wait for what never comes."""
        with tempfile.TemporaryFile() as output:    # no pipe: something that is left would keep it open
            with self.starts:
                started = subprocess.Popen(     # pylint: disable=consider-using-with
                    command, cwd=self.path, env=self.environment | more, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
                self.running.add(started.pid)
            with started as process:
                try:
                    status = wait(process, timeout_s, lambda: not failed_in(output).isdisjoint(until))
                finally:
                    self.running.discard(process.pid)
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
            output.seek(0)
            text = output.read().decode(errors="replace")
        return status, text if status is not None else f"{text}\nstill running, of {timeout_s} s"

    def copy(self):
        """Only what differs, so that an earlier build is not made again; a hash of all."""
        digest = hashlib.sha256()
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                stdout=subprocess.PIPE, check=True).stdout
        names = {name for name in os.fsdecode(listed).split("\0") if name and (ROOT / name).is_file()}
        for name in sorted(names):
            source, target = ROOT / name, self.path / name
            content = source.read_bytes()
            digest.update(b"%s\0%d\0%s" % (os.fsencode(name), len(content), content))
            if not target.is_file() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            target.chmod(source.stat().st_mode & 0o777)
        for target in self.path.rglob("*"):
            name = target.relative_to(self.path)
            if target.is_file() and name.parts[0] != "build" and str(name) not in names:
                target.unlink()
        return digest.hexdigest()

    def twin(self, name):
        """Another such copy beside it, built as it is."""
        made = Tree(self.path.parent, 1)
        made.path = self.path.parent / name
        shutil.rmtree(made.path, ignore_errors=True)
        shutil.copytree(self.path, made.path, symlinks=True)
        return made

    def build(self, targets):
        """Without -Werror: what became unused with a protection is no reason not to compile."""
        status, output = self.run(["make", "--no-print-directory", f"-j{self.jobs}", "BUILD=build", "OPT=-O1",
                                   "CRASH_POINTS=1", "WERROR=", *targets], BUILD_TIMEOUT_S)
        if status != 0:
            raise Bad("DOES NOT COMPILE", output)

    @contextlib.contextmanager
    def having(self, bug):
        """With the bug in it, and behind that as before."""
        with_it = bug.put(self.path)
        before = {name: (self.path / name).read_bytes() for name in with_it}
        try:
            for name, text in with_it.items():
                (self.path / name).write_text(text, "utf-8")
            yield
        finally:
            for name, content in before.items():
                (self.path / name).write_bytes(content)

    def test(self, command, timeout_s, histories, until=()):
        """The names of what failed, none when nothing failed, and the output."""
        status, output = self.run(command, timeout_s, until, **histories)
        failed = failed_of(output)
        # It waits for what never comes, and would fail when its own patience ends; or it breaks an assertion.
        if status is None or "Assertion `" in output:
            failed |= set(WAITING.findall(output))
            status = 1
        if (status == 0) == bool(failed):
            raise Bad("BROKE OFF", output)
        return failed, output


def check_plain(tree, bugs, jobs):
    """{program: (what fails of it in the tree as it is, its output)}: a test that fails anyway notices nothing."""
    tree.build(sorted({target for bug in bugs for target in bug.targets()}))
    names, of_program = {}, {}
    for bug in bugs:
        names.setdefault(bug.program, set()).update(bug.names())
        of_program[bug.program] = bug

    def play(program):
        named = names[program]
        try:
            return tree.test(of_program[program].command(named), TEST_TIMEOUT_S * len(named), HISTORIES_PLAIN)
        except Bad as bad:
            return named, bad.text

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(zip(names, pool.map(play, names)))


def judge_plain(bug, said):
    """Raises why its test would notice nothing: it fails anyway, or does not exist."""
    failed, output = said[bug.program]
    if failed and (not bug.is_end_to_end() or failed & bug.names()):
        raise Bad("FAILS WITHOUT IT", output)
    is_there = (bug.is_end_to_end() or bug.is_campaign() or bug.program == "test_sim"
                or all(f"] {name}\n" in output for name in bug.names()))
    if not is_there:
        raise Bad("NO SUCH TEST", output)


def check_bug(tree, bug, plain):
    """Raises what is wrong; else the bug was noticed by the test that is named."""
    judge_plain(bug, plain)
    with tree.having(bug):
        if bug.is_compiled():
            tree.build(bug.targets())
        failed, output = tree.test(bug.command(), TEST_TIMEOUT_S, HISTORIES, bug.names())
    if not failed:
        raise Bad("NOT NOTICED", output)
    if failed.isdisjoint(bug.names()):
        raise Bad("NOT NOTICED by that test", f"What failed is {', '.join(sorted(failed))}.\n{output}")


def say(verdict, began, bug, *more):
    print("\n".join([f"  {verdict:<12} {time.monotonic() - began:5.1f} s  {bug.name}: {bug.gone}"
                     f" ({bug.program} {bug.test})", *more]), flush=True)


class Noticed:
    """Whose protections were noticed on this very tree, kept in a file."""

    def __init__(self, path, tree):
        self.path = path
        kept = path.read_text("utf-8").split() if path.is_file() else []
        self.names = set(kept[1:]) if kept[:1] == [tree] else set()
        if not self.names:
            path.write_text(f"{tree}\n", "utf-8")

    def add(self, name):
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")


def check_each(tree, waiting, plain, before):
    """Takes from those that wait until none does; how many were noticed."""
    noticed = 0
    while True:
        try:
            bug = waiting.get_nowait()
        except queue.Empty:
            return noticed
        began = time.monotonic()
        try:
            check_bug(tree, bug, plain)
            noticed += 1
            before.add(bug.name)
            say("noticed", began, bug)
        except Bad as bad:
            say(bad.verdict, began, bug, *(f"      {line}" for line in bad.text.splitlines()),
                f"      again: make check-planted WHAT={bug.name}")


def read_room(path):
    """Its bugs; whatever is no row of it ends the program."""
    text = path.read_text("utf-8")
    head = re.match(r"(#.*\n)+\n", text)
    rest = text[head.end():] if head else text
    bugs = []
    for row in re.split(r"(?<=\n)\n+(?=== )", rest):
        match = ROW.fullmatch(row)
        if match is None:
            sys.exit(f"{path.name}: no row: {row[:80]!r}")
        bugs.append(Bug(*match.groups()))
    return bugs


def chosen(words):
    """Those that need no compiler first: nothing of a bug is left in what was built."""
    bugs = [bug for path in sorted(pathlib.Path(__file__).parent.glob("*.txt")) for bug in read_room(path)]
    for name, number in collections.Counter(bug.name for bug in bugs).items():
        if number > 1:
            sys.exit(f"{name}: two rows have that name")
    bugs = sorted((bug for bug in bugs if not words or any(word in bug.name for word in words)),
                  key=lambda bug: (bug.is_compiled(), bug.name))
    if not bugs:
        sys.exit("no such row in tests/planted/")
    return bugs


def main():
    bugs = chosen([] if sys.argv[1].startswith("--") else sys.argv[3:])
    wrong = [said for said in (bug.is_wrong() for bug in bugs) if said]
    if not wrong and sys.argv[1] == "--compile":
        with concurrent.futures.ThreadPoolExecutor() as pool:
            wrong = [said for said in pool.map(Bug.does_not_compile, bugs) if said]
    if wrong or sys.argv[1].startswith("--"):
        sys.exit("\n".join(wrong) or 0)
    signal.signal(signal.SIGTERM, Tree.end_all)
    signal.signal(signal.SIGINT, Tree.end_all)
    folder, jobs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    tree = Tree(folder, jobs)
    before = Noticed(folder / "noticed", tree.copy())
    again = [bug for bug in bugs if bug.name not in before.names] or bugs
    noticed_before, bugs = len(bugs) - len(again), again
    began = time.monotonic()
    try:
        plain = check_plain(tree, bugs, jobs)
    except Bad as bad:
        sys.exit(f"{bad.text}\n{bad.verdict}: nothing can be said of planted bugs")
    print(f"  {len(plain)} programs and files without a bug ({time.monotonic() - began:.1f} s)", flush=True)
    waiting = queue.SimpleQueue()
    for bug in bugs:
        waiting.put(bug)
    trees = [tree, *(tree.twin(f"tree{n}") for n in range(1, min(TREES * jobs, len(bugs))))]
    tree.jobs = 1 if len(trees) > 1 else jobs
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        noticed = sum(pool.map(lambda one: check_each(one, waiting, plain, before), trees))
    more = f", {noticed_before} more before on this tree" if noticed_before else ""
    print(f"{noticed} of {len(bugs)} planted bugs were noticed ({time.monotonic() - began:.0f} s){more}")
    sys.exit(0 if noticed == len(bugs) else 1)


if __name__ == "__main__":
    main()
