#!/usr/bin/python3
"""analyze.py BUILD JOBS [WHAT] - reads the code with three analysers: gcc -fanalyzer, clang-tidy and cppcheck.

Each file is looked at again when it, a header it includes, or what is asked has changed.  A finding that is
none says so, with its reason, at its line or on the one before:
    NOLINT(check): reason, NOLINTNEXTLINE(check): reason        clang-tidy
    cppcheck-suppress check ; reason                            cppcheck
    NOANALYZE(check): reason                                    gcc, its check without -Wanalyzer-
What is never asked stands, with its reason, in .clang-tidy and below.  WHAT: only files with that in their name.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time

from rooms import ROOMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The unit tests are not read: no analyser knows that cmocka's assertions do not return.
WHERE = ["lib/*.c", "server/**/*.c", "runner/*.c", "judge/*.c", "agent/*.c", "link/*.c", "tests/sim/*.c",
         "tests/faults/invariants.c", "tests/faults/look.c", "tests/faults/oracle.c"]
CONFIG = [ROOT / ".clang-tidy", ROOT / "server/cli/.clang-tidy", pathlib.Path(__file__).resolve()]
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", '-DDEPLOYBOT_VERSION="0"', f'-DCONSOLE_FOLDER="{sys.argv[1]}/console"', "-I.",
         "-Iserver"]
QUIET = ["--suppress=" + check for check in (
    "memleak", "resourceLeak",  # it does not know CLEANUP(); gcc's analyser, ASan and valgrind do
    "uninitvar", "ctuuninitvar",  # nor who fills what, by pointer or in a loop; gcc, clang and valgrind do
    "unreadVariable",           # the same; clang's deadcode.DeadStores does
    "getpwuidCalled", "getgrgidCalled",  # clang-tidy's concurrency-mt-unsafe asks where there are threads
    "variableScope",            # where a variable is declared is a reader's judgement
    "redundantContinue",        # the body of an empty loop
    "readdirCalled",            # glibc's is safe on a folder of one's own, and readdir_r is withdrawn
)]
CPPCHECK = ["cppcheck", "--quiet", "--std=c11", "--inline-suppr", "--error-exitcode=1",
            "--enable=warning,style,performance,portability", "--library=posix", *QUIET,
            "--suppress=missingIncludeSystem",  # of sys/queue.h it needs so much, without what silences it: ; {}
            *(f"-D{kind}_{macro}" for kind in ("LIST", "TAILQ") for macro in (
                "HEAD(name,type)=struct type*", "FOREACH(at,head,field)=while(at=*(head))")),
            "--template={file}:{line}: {message} [{id}]", "-D_GNU_SOURCE", "-I.", "-Iserver"]
FINDING = re.compile(r"^(?P<file>[^:\s]+):(?P<line>\d+):(?:\d+:)? (?:(?:warning|error): )?(?P<what>.*)$")
SILENCED = re.compile(r"\b(NOLINT\w*|NOANALYZE|cppcheck-suppress)\b(?P<rest>.*)")
WITH_REASON = re.compile(r"(\([\w.,-]+\): \w|\s\w+ ; \w)")


def run(command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def say(finding):
    return f"{finding[0]}:{finding[1]}: {finding[2]}"


def findings_of(output, only):
    found = []
    for line in output.splitlines():
        match = FINDING.match(line)
        if match and re.search(only, line):
            path = pathlib.Path(match["file"])
            name = path.relative_to(ROOT) if path.is_absolute() and ROOT in path.parents else path
            found.append((str(name).removeprefix("./"), int(match["line"]), match["what"]))
    return found


def is_answered(finding):
    name, line, what = finding
    check = re.search(r"\[-Wanalyzer-([\w-]+)\]", what)
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    near = " ".join(lines[max(0, line - 3):line])
    return check is not None and f"NOANALYZE({check.group(1)}): " in near


def ask_gcc(name, deps):
    # What the simulator allocates is in its world, which gcc does not follow; leaks there are LeakSanitizer's.
    world = ["-Wno-analyzer-malloc-leak"] if name.startswith("tests/sim/") else []
    status, output = run(["gcc", *FLAGS, "-O2", "-fanalyzer", *world, "-MMD", "-MF", deps, "-c", "-o/dev/null", name])
    found = findings_of(output, r"(warning|error): ")
    if status != 0 and not found:
        found = [(name, 1, "gcc failed: " + output[-500:])]
    return [one for one in found if not is_answered(one)]


def ask_tidy(name):
    status, output = run(["clang-tidy", "--quiet", name, "--", *FLAGS])
    found = findings_of(output, r"(warning|error): ")
    if status != 0 and not found:
        found = [(name, 1, "clang-tidy failed: " + output[-500:])]
    return found


def ask_cppcheck(name):
    status, output = run([*CPPCHECK, name])
    found = findings_of(output, r"\[\w+\]$")
    if status != 0 and not found:
        found = [(name, 1, "cppcheck failed: " + output[-500:])]
    return found


def is_fresh(stamp, deps):
    if not stamp.exists():
        return False
    names = deps.read_text(encoding="utf-8").replace("\\\n", " ").split(":", 1)[1].split()
    wanted = [ROOT / name for name in names] + CONFIG
    return all(path.exists() and path.stat().st_mtime < stamp.stat().st_mtime for path in wanted)


def look_at(name, folder):
    """The findings in one file; without any it is not read again before it changes."""
    stamp, deps = folder / f"{name}.ok", folder / f"{name}.d"
    if is_fresh(stamp, deps):
        return None
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    began = time.time()
    found = ask_gcc(name, str(deps)) + ask_tidy(name) + ask_cppcheck(name)
    if not found:
        stamp.touch()
        if any((ROOT / path).stat().st_mtime >= began for path in [name]):
            stamp.unlink()      # edited meanwhile
    return found


def reasons(names):
    """Whoever silences a check says why."""
    found = []
    for name in names:
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1):
            match = SILENCED.search(line)
            if match and not WITH_REASON.match(match["rest"]):
                found.append((name, number, f"{match.group(1)} without a check's name or a reason"))
    return found


def main():
    folder, jobs = pathlib.Path(sys.argv[1]) / "analyze", int(sys.argv[2])
    folder = folder if folder.is_absolute() else ROOT / folder
    what = sys.argv[3] if len(sys.argv) > 3 else ""
    names = sorted(str(p.relative_to(ROOT)) for where in WHERE for p in ROOT.glob(where) if what in str(p))
    if not names:
        sys.exit(f"analyze: no file has {what} in its name")
    began, read = time.monotonic(), 0
    headers = [str(p.relative_to(ROOT)) for top in (*ROOMS, "tests")
               for p in ROOT.glob(f"{top}/**/*.h")]
    found = set(reasons(names + headers))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, findings in zip(names, pool.map(lambda one: look_at(one, folder), names)):
            if findings is None:
                continue
            read += 1
            for finding in sorted(set(findings) - found):
                print(say(finding), flush=True)
            found |= set(findings)
            if read % 25 == 0:
                print(f"analyze: {name}, {time.monotonic() - began:.0f} s", flush=True)
    for finding in sorted(reasons(names + headers)):
        print(say(finding))
    print(f"analyze: {len(names)} files, {read} of them read anew, {len(found)} findings, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
