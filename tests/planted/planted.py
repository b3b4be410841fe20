#!/usr/bin/python3
"""planted.py FOLDER JOBS [WORD...] - takes one protection out after another, and wants its test to notice.
planted.py --names - only looks whether each names a test that there is.

Each tests/planted/*.patch begins with the line
    # gone: <the protection that it takes out>   by: <test program> <test or invariant that must fail>
(or `by: <campaign>.py:<label of its trial> <invariant>`, of tests/faults/; `one|other`: either is broken first).
In JOBS copies of the tree under FOLDER each is applied, built, tested and reverted; WORDs choose patches by their name.
What counts is that the named test fails, not that something does. Before that the same tests pass without a patch.
Exit status 1 when one was not noticed, no longer applies, does not compile, or has no such line.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import contextlib
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
FIRST_LINE = re.compile(r"# gone: (.+?)   by: (\S+) ([\w|]+)")
NOT_COMPILED = ("+++ b/deploy/", "+++ b/nginx/", "+++ b/tests/peers/", "+++ b/docs/", "+++ b/.github/")
FAILURE = re.compile(r"^\[\s*FAILED\s*\] (\w+)$|broken: (\w+): |^FAILED \S+::(\w+)", re.M)
# The same histories each time; without a patch as many as reach every fault, or the program fails by itself.
HISTORIES = {"FIRST": "1", "SEEDS": "3000"}
HISTORIES_UNPATCHED = {"FIRST": "1", "SEEDS": "500"}
SAID_OF_A_FAILURE = 2000


class Bad(Exception):
    """Why a planted bug does not count as noticed: a verdict, and what there is to read."""

    def __init__(self, verdict, text=""):
        super().__init__(verdict)
        self.verdict = verdict
        self.text = text.strip()[-SAID_OF_A_FAILURE:]


class Patch:
    def __init__(self, path):
        self.path = path
        with path.open(encoding="utf-8") as lines:
            match = FIRST_LINE.fullmatch(lines.readline().rstrip("\n"))
        if match is None:
            sys.exit(f"{path.name}: the first line is not `# gone: ...   by: <program> <test>`")
        self.gone, self.program, self.test = match.groups()

    def names(self):
        return set(self.test.split("|"))

    def is_end_to_end(self):
        return self.program.endswith(".py")

    def is_campaign(self):
        return ".py:" in self.program

    def is_compiled(self):
        """Whether make has anything to do for it: scripts and what they ship run as they lie there."""
        return any(not line.startswith(NOT_COMPILED) for line in self.path.read_text("utf-8").splitlines()
                   if line.startswith("+++ "))

    def names_no_test(self):
        """What is wrong with what it says of who notices it; None: nothing.  Invariants are named where they break."""
        if self.is_campaign():
            sources = [ROOT / "tests" / "faults" / (self.program.split(":", 1)[0])]
        elif self.is_end_to_end():
            sources = [ROOT / "tests" / "e2e" / self.program]
        elif self.program == "test_sim":
            sources = [*ROOT.glob("tests/sim/*.c"), *ROOT.glob("tests/faults/*.c"), ROOT / "tests/unit/test_sim.c"]
        else:
            sources = [ROOT / "tests" / "unit" / f"{self.program}.c"]
        texts = [source.read_text("utf-8") for source in sources if source.is_file()]
        missing = [] if self.is_campaign() else \
            [name for name in self.names() if not any(re.search(rf"\b{name}\b", text) for text in texts)]
        if not texts:
            return f"{self.path.name}: there is no {self.program}"
        return f"{self.path.name}: {self.program} has no test {', '.join(missing)}" if missing else None

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

    def run(self, command, timeout_s, **more):
        """Exit status and output; None when it did not end in time, and then all of it is killed."""
        with tempfile.TemporaryFile() as output:    # no pipe: something that is left would keep it open
            with self.starts:
                started = subprocess.Popen(     # pylint: disable=consider-using-with
                    command, cwd=self.path, env=self.environment | more, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
                self.running.add(started.pid)
            with started as process:
                try:
                    status = process.wait(timeout_s)
                except subprocess.TimeoutExpired:
                    status = None
                finally:
                    self.running.discard(process.pid)
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
            output.seek(0)
            text = output.read().decode(errors="replace")
        return status, text if status is not None else f"{text}\nstill running after {timeout_s} s"

    def copy(self):
        """Only what differs, so that an earlier build is not made again."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        names = {name for name in os.fsdecode(listed).split("\0") if name and (ROOT / name).is_file()}
        for name in names:
            source, target = ROOT / name, self.path / name
            content = source.read_bytes()
            if not target.is_file() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            target.chmod(source.stat().st_mode & 0o777)
        for target in self.path.rglob("*"):
            name = target.relative_to(self.path)
            if target.is_file() and name.parts[0] != "build" and str(name) not in names:
                target.unlink()

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

    def apply(self, patch, *how):
        status, output = self.run(["git", "apply", "--whitespace=nowarn", *how, str(patch.path)], 60)
        if status != 0:
            raise Bad("NO LONGER APPLIES", f"{output}\nWrite it anew: apply it by hand, and keep what `git diff` says.")

    def test(self, command, timeout_s, histories):
        """The names of what failed, none when nothing failed, and the output."""
        status, output = self.run(command, timeout_s, **histories)
        failed = {name for names in FAILURE.findall(output) for name in names if name}
        if (status == 0) == bool(failed) or status is None:
            raise Bad("BROKE OFF", output)
        return failed, output


def check_unpatched(tree, patches, jobs):
    """{program: (what fails of it in the tree as it is, its output)}: a test that fails anyway notices nothing."""
    tree.build(sorted({target for patch in patches for target in patch.targets()}))
    names, of_program = {}, {}
    for patch in patches:
        names.setdefault(patch.program, set()).update(patch.names())
        of_program[patch.program] = patch

    def play(program):
        named = names[program]
        try:
            return tree.test(of_program[program].command(named), TEST_TIMEOUT_S * len(named), HISTORIES_UNPATCHED)
        except Bad as bad:
            return named, bad.text

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(zip(names, pool.map(play, names)))


def judge_unpatched(patch, said):
    """Raises why its test would notice nothing: it fails anyway, or does not exist."""
    failed, output = said[patch.program]
    if failed and (not patch.is_end_to_end() or failed & patch.names()):
        raise Bad("FAILS WITHOUT IT", output)
    is_there = (patch.is_end_to_end() or patch.is_campaign() or patch.program == "test_sim"
                or all(f"] {name}\n" in output for name in patch.names()))
    if not is_there:
        raise Bad("NO SUCH TEST", output)


def check_patched(tree, patch, unpatched):
    """Raises what is wrong; else the bug was noticed by the test that is named."""
    judge_unpatched(patch, unpatched)
    tree.apply(patch)
    try:
        if patch.is_compiled():
            tree.build(patch.targets())
        failed, output = tree.test(patch.command(), TEST_TIMEOUT_S, HISTORIES)
    finally:
        tree.apply(patch, "--reverse")
    if not failed:
        raise Bad("NOT NOTICED", output)
    if failed.isdisjoint(patch.names()):
        raise Bad("NOT NOTICED by that test", f"What failed is {', '.join(sorted(failed))}.\n{output}")


def say(verdict, began, patch, *more):
    print("\n".join([f"  {verdict:<12} {time.monotonic() - began:5.1f} s  {patch.path.stem}: {patch.gone}"
                     f" ({patch.program} {patch.test})", *more]), flush=True)


def check_each(tree, waiting, unpatched):
    """Takes from those that wait until none does; how many were noticed."""
    noticed = 0
    while True:
        try:
            patch = waiting.get_nowait()
        except queue.Empty:
            return noticed
        began = time.monotonic()
        try:
            check_patched(tree, patch, unpatched)
            noticed += 1
            say("noticed", began, patch)
        except Bad as bad:
            say(bad.verdict, began, patch, *(f"      {line}" for line in bad.text.splitlines()),
                f"      again: make check-planted WHAT={patch.path.stem}")


def chosen(words):
    """Those that need no compiler first: nothing of a bug is left in what was built."""
    patches = sorted((Patch(path) for path in pathlib.Path(__file__).parent.glob("*.patch")
                      if not words or any(word in path.name for word in words)),
                     key=lambda patch: (patch.is_compiled(), patch.path.name))
    if not patches:
        sys.exit("no such patch in tests/planted/")
    return patches


def main():
    patches = chosen([] if sys.argv[1:] == ["--names"] else sys.argv[3:])
    wrong = [said for said in (patch.names_no_test() for patch in patches) if said]
    if wrong or sys.argv[1] == "--names":
        sys.exit("\n".join(wrong) or 0)
    signal.signal(signal.SIGTERM, Tree.end_all)
    signal.signal(signal.SIGINT, Tree.end_all)
    folder, jobs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    tree = Tree(folder, jobs)
    tree.copy()
    began = time.monotonic()
    try:
        unpatched = check_unpatched(tree, patches, jobs)
    except Bad as bad:
        sys.exit(f"{bad.text}\n{bad.verdict}: nothing can be said of planted bugs")
    print(f"  {len(unpatched)} programs and files without a patch ({time.monotonic() - began:.1f} s)", flush=True)
    waiting = queue.SimpleQueue()
    for patch in patches:
        waiting.put(patch)
    trees = [tree, *(tree.twin(f"tree{n}") for n in range(1, min(jobs, len(patches))))]
    tree.jobs = 1 if len(trees) > 1 else jobs     # the trees are as many as the cores
    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        noticed = sum(pool.map(lambda one: check_each(one, waiting, unpatched), trees))
    print(f"{noticed} of {len(patches)} planted bugs were noticed ({time.monotonic() - began:.0f} s)")
    sys.exit(0 if noticed == len(patches) else 1)


if __name__ == "__main__":
    main()
