#!/usr/bin/python3
"""mutate.py BUILD [WORD...] - changes one thing at a time in what decides about safety; its unit tests must notice.

A mutant is one file with one operator, condition, constant, call or answer changed.  It is compiled alone and linked
in front of the archives, so that nothing else is built.  Where the compiler makes the same code of it, it is none.
A survivor is tried once more with sanitizers in it, as "make test" has them: they see leaks, and what is out of bounds.
WORDs choose files.  T (300) seconds end the sample, 0: all of them; SEED plays the same order again.
Exit status 1 when a file's tests notice less than the floor, or tests/tools/mutate.same lists what is no mutant.
"""
# SPDX-License-Identifier: ISC
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAME = ROOT / "tests/tools/mutate.same"
FLOOR = 90.0
FEWEST_JUDGED = 20    # of a sample: one survivor of nine says little
TEST_TIMEOUT_S = 60
TEST_CPU_S = 5        # none takes one; a loop without end is over sooner, however much else runs
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None      # tests flush often, but no power is cut here
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

# File, the functions that are changed (empty: all), the tests that must notice, the quick ones first.
TARGETS = (
    ("lib/crypto.c", ("crypto_same", "crypto_same_text"), ("test_crypto",)),
    ("lib/http_guard.c", (), ("test_http_guard",)),
    ("lib/redact.c", (), ("test_redact",)),
    ("lib/redact_shape.c", (), ("test_redact_shape", "test_redact")),
    ("lib/redact_value.c", (), ("test_redact_value", "test_redact")),
    ("runner/protocol.c", ("protocol_is_environment", "protocol_is_commit", "protocol_is_release", "protocol_is_ref",
                           "hex_length", "is_plain"), ("test_protocol",)),
    ("runner/supervisor_flow.c", (), ("test_supervisor_flow",)),
    ("server/deployment/deploy_flow.c", (), ("test_deploy_flow",)),
    ("server/forges/forge_signature.c", (), ("test_forge_signature", "test_forge_webhook")),
    ("server/handlers/handle_update.c", (),
     ("test_handle_press", "test_handle_update", "test_handle_update_limits", "test_handle_update_status",
      "test_command_deploy", "test_decide_push")),
    ("server/policy/policy.c", (), ("test_policy", "test_policy_unknown")),
    ("server/runs/run_flow.c", (), ("test_run_flow", "test_run_flow_world")),
    ("server/store/audit_chain.c", (), ("test_audit_chain",)),
    ("server/store/row_button.c", (), ("test_row_button",)),
    ("server/telegram/telegram_html.c", (), ("test_telegram_html",)),
    ("server/telegram/telegram_webhook.c", ("answer_request", "on_begin", "reject", "on_time", "tell_rejected",
                                            "make_event", "on_request", "on_decided"), ("test_telegram_webhook",)),
)

TOKEN = re.compile(r"""
    (?P<skip>/\*.*?\*/ | \{\ 0\ \} | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | ->|<<=?|>>=?|\+=|-=|\*=|/=|\|=|&=) |
    (?P<operator>==|!=|<=|>=|&&|\|\||<|>|!(?=[\w(])|\+\+|--|(?<=\s)[+-](?=\s)) |
    (?P<number>\b\d+\b(?![xX.])) |
    (?P<word>\b(?:true|false)\b)
""", re.X | re.S)
INSTEAD = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<"], ">": [">=", "<="], ">=": [">"], "&&": ["||"],
           "||": ["&&"], "!": [""], "++": ["--"], "--": ["++"], "+": ["-"], "-": ["+"], "true": ["false"],
           "false": ["true"]}
CALL = re.compile(r"\t+(?:\(void\))?[a-z]\w*\([^;{}]*\);\n")
CONDITION = re.compile(r"\b(?:if|while) (\(.+\))(?=\n| \{)")
DEFINITION = re.compile(r"^(\w+)\(", re.M)

Mutant = collections.namedtuple("Mutant", "target start end text")


def function_at(source, place):
    """A definition begins its line with the name (KNF)."""
    found = [match for match in DEFINITION.finditer(source, 0, place)]
    return found[-1].group(1) if found else ""


def is_code(source, place):
    """Inside a function, in no directive and no assertion (which is there not to fail)."""
    line = source[source.rfind("\n", 0, place) + 1:].split("\n", 1)[0]
    return line.startswith(("\t", " ")) and not re.search(r"\bassert\(|_Static_assert|OBJ_CHECK", line)


def mutants_of(target):
    path, functions, _ = target
    source = (ROOT / path).read_text()
    changes = []
    for match in TOKEN.finditer(source):
        text = match.group()
        if match.lastgroup in ("operator", "word"):
            changes += [(*match.span(), other) for other in INSTEAD[text]]
        elif match.lastgroup == "number":
            others = [int(text) + 1] + [int(text) - 1] * (int(text) > 0)
            changes += [(*match.span(), str(other)) for other in others]
    changes += [(*match.span(1), f"(!{match.group(1)})") for match in CONDITION.finditer(source)]
    changes += [(*match.span(), "\t;\n") for match in CALL.finditer(source)]
    return source, [Mutant(target, *change) for change in changes if is_code(source, change[0])
                    and (not functions or function_at(source, change[0]) in functions)]


def line_of(source, mutant):
    """The line as it is and as it becomes."""
    begin = source.rfind("\n", 0, mutant.start) + 1
    end = source.find("\n", mutant.end - 1)
    become = source[begin:mutant.start] + mutant.text + source[mutant.end:end]
    return " ".join(source[begin:end].split()), " ".join(become.split())


def names_of(source, mutant):
    """How mutate.same may call it: by its line, or by function and line where that line stands elsewhere too."""
    path, change = mutant.target[0], "  =>  ".join(line_of(source, mutant))
    return {f"{path}: {change}", f"{path} {function_at(source, mutant.start)}(): {change}"}


def same_ones():
    """What nobody can notice, behind a line that says why."""
    lines = SAME.read_text().splitlines() if SAME.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


class Builder:
    """Compiles and links as the Makefile does, but one file.  What it makes stands in `folder`."""

    def __init__(self, build, folder):
        self.build = build
        self.made = folder
        self.here = threading.local()
        self.ending = os.eventfd(0)     # readable once nothing may run any more
        said = subprocess.run(
            ["make", "-s", "--no-print-directory", f"BUILD={build}", "OPT=-O1", "WERROR=", "--eval",
             "say-flags: ; @echo '$(ALL_CFLAGS)'; echo '$(ALL_LDFLAGS)'; echo '$(SERVER_LIBS)'", "say-flags"], cwd=ROOT,
            stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        flags = [line.split() for line in said]
        self.compile_flags = [flag for flag in flags[0] if flag not in ("-MMD", "-MP")] + ["-w"]
        self.link_flags, self.libraries = flags[1], [*flags[2], "-lcmocka"]
        self.wraps = {}

    def wraps_of(self, program):
        """What its calls are wrapped by is a variable of its target alone: as `make -n` would link it."""
        if program not in self.wraps:
            told = subprocess.run(
                ["make", "-n", "-s", "--no-print-directory", f"BUILD={self.build}", "OPT=-O1", "WERROR=",
                 "-W", self.build / f"obj/tests/unit/{program}.o", self.build / f"tests/{program}"], cwd=ROOT,
                stdout=subprocess.PIPE, text=True, check=True).stdout
            line = next(line for line in told.splitlines() if f" -o {self.build}/tests/{program} " in line)
            words = line.split()
            self.wraps[program] = [word for at, word in enumerate(words) if "-Xlinker" in (word, words[at - 1])]
        return self.wraps[program]

    def folder(self):
        if not hasattr(self.here, "path"):
            self.here.path = pathlib.Path(tempfile.mkdtemp(dir=self.made))
        return self.here.path

    def compile(self, source, more=()):
        """The object, or None when it does not compile."""
        (self.folder() / "mutant.c").write_text(source)
        done = subprocess.run(["cc", *self.compile_flags, *more, "-c", "-o", self.folder() / "mutant.o",
                               self.folder() / "mutant.c"], cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
        return self.folder() / "mutant.o" if done.returncode == 0 else None

    def fails(self, program, mutant_object, more=()):
        """True when the test program notices; a hang is noticed too."""
        binary = self.folder() / program
        names = ("testaid", "server", "judge", "agent", "runner", "link", "lib")
        archives = [self.build / f"lib{name}.a" for name in names]
        subprocess.run(["cc", *self.link_flags, *more, *self.wraps_of(program), "-o", binary,
                        self.build / f"obj/tests/unit/{program}.o", mutant_object, *archives, *self.libraries],
                       cwd=ROOT, check=True)
        # setpriv: it ends with us, also where we are killed.
        with tempfile.TemporaryDirectory(dir=MEMORY) as place, \
                subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "prlimit", f"--cpu={TEST_CPU_S}", binary], cwd=ROOT,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 start_new_session=True, env={**os.environ, "TMPDIR": place}) as process:
            pidfd = os.pidfd_open(process.pid)
            try:
                ended = pidfd in select.select([pidfd, self.ending], [], [], TEST_TIMEOUT_S)[0]
            finally:
                os.close(pidfd)
                os.killpg(process.pid, signal.SIGKILL)  # it, or what it left: nobody has asked for its status yet
            return process.wait() != 0 or not ended

    def end(self):
        """Ends what runs in other threads; what they start from now on ends at once."""
        os.eventfd_write(self.ending, 1)


class Campaign:
    def __init__(self, builder, chosen, seconds):
        self.builder = builder
        self.sources = {}
        self.originals = {}
        self.mutants = []
        self.ends = time.monotonic() + seconds if seconds else float("inf")
        self.known = same_ones()
        self.verdicts = collections.defaultdict(collections.Counter)
        for target in chosen:
            self.sources[target[0]], found = mutants_of(target)
            self.mutants += found
            self.originals[target[0]] = builder.compile(self.sources[target[0]]).read_bytes()
            for more in ((), SANITIZE):
                compiled = builder.compile(self.sources[target[0]], more)
                for program in target[2]:
                    if builder.fails(program, compiled, more):
                        sys.exit(f"{program} fails with {target[0]} as it is {' '.join(more)}")

    def judge(self, mutant):
        path, _, programs = mutant.target
        if time.monotonic() > self.ends:
            return "not played", mutant
        source = self.sources[path]
        text = source[:mutant.start] + mutant.text + source[mutant.end:]
        if names_of(source, mutant) & self.known:
            return "listed", mutant
        compiled = self.builder.compile(text)
        if compiled is None or compiled.read_bytes() == self.originals[path]:
            return "none", mutant
        for more in ((), SANITIZE):
            compiled = self.builder.compile(text, more) if more else compiled
            if any(self.builder.fails(program, compiled, more) for program in programs):
                return "noticed", mutant
        return "survived", mutant

    def play(self):
        pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        try:
            for verdict, mutant in pool.map(self.judge, self.mutants):
                path = mutant.target[0]
                self.verdicts[path][verdict] += 1
                if verdict == "survived":
                    was, becomes = line_of(self.sources[path], mutant)
                    number = self.sources[path].count("\n", 0, mutant.start) + 1
                    print(f"  survived, line {number}:\n{path}: {was}  =>  {becomes}", flush=True)
        finally:
            self.builder.end()
            pool.shutdown(cancel_futures=True)

    def report(self):
        """True when every file's tests notice enough."""
        good = True
        for path, counts in sorted(self.verdicts.items()):
            played = counts["noticed"] + counts["survived"]
            share = 100.0 * counts["noticed"] / played if played else 100.0
            is_judged = counts["not played"] == 0 or played >= FEWEST_JUDGED
            is_kept = share >= FLOOR or not is_judged
            good = good and is_kept
            print(f"  {share:5.1f} % of {played:4} noticed; {counts['listed']} listed as the same, "
                  f"{counts['none']} are none, {counts['not played']} not played  {path}"
                  f"{'' if is_kept else '  BELOW THE FLOOR'}")
        names = set().union(*(names_of(self.sources[mutant.target[0]], mutant) for mutant in self.mutants))
        for stale in sorted(line for line in self.known - names if re.split("[: ]", line)[0] in self.sources):
            print(f"  {SAME.name} lists what is no mutant: {stale}")
            good = False
        return good


def end_on_signal(number, _):
    """Once, by way of all cleaning up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    words = sys.argv[2:]
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    seconds = float(os.environ.get("T") or 300)
    only_programs = words[:1] == ["--programs"]
    words = words[only_programs:]
    chosen = [target for target in TARGETS if not words or any(word in target[0] for word in words)]
    if not chosen:
        sys.exit("no such file; there are: " + " ".join(target[0] for target in TARGETS))
    if only_programs:
        print(*sorted({f"{sys.argv[1]}/tests/{program}" for target in chosen for program in target[2]}))
        return
    began = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_on_signal)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        campaign = Campaign(Builder(build, folder), chosen, seconds)
        random.Random(seed).shuffle(campaign.mutants)
        print(f"{len(campaign.mutants)} mutants in {len(chosen)} files; SEED={seed}, "
              f"{f'a sample of {seconds:.0f} s' if seconds else 'all of them'}", flush=True)
        campaign.play()
    good = campaign.report()
    print(f"{time.monotonic() - began:.0f} s; again: SEED={seed} T={seconds:.0f} make mutate WHAT='{' '.join(words)}'")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
