#!/usr/bin/python3
"""cover.py BUILD [E2E...] - runs the tests on programs built for gcov, and holds what they reach against the floors.

Unit tests, fuzz corpora, a short simulation and some end-to-end tests.  BUILD/report/index.html shows each line.
A branch is judged unless it is an assertion's (it is there not to be taken) or a switch's (its cases are lines).
Exit status 1 below a floor.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from rooms import ROOMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM_TIMEOUT_S = 600
E2E_TIMEOUT_S = 900
REPORT_TIMEOUT_S = 600
WORST_SHOWN = 15

# Per cent of lines and of branches.
WHOLE = (90.0, 80.0)
CORE = (100.0, 100.0)
# What decides who may do what, and what is believed: nothing in these stands untested.  With functions, only those.
CORE_FILES = {
    "lib/clean.c": (),                          # text from outside
    "lib/crypto.c": ("crypto_same", "crypto_same_text"),
    "lib/http_guard.c": (),                     # framing
    "lib/redact.c": (),                         # secrets in output
    "lib/redact_shape.c": (),
    "lib/redact_value.c": (),
    "lib/setting.c": (),                        # branches, ids, secrets of the settings
    "runner/protocol.c": (),                    # names and refs, on both sides of the runner
    "runner/supervisor_flow.c": (),             # states
    "server/commands/command_deploy.c": (),     # a ref from the chat
    "server/decide/approval/decide_approval.c": (),      # whose yes counts, for what, how long
    "server/decide/factor/decide_factor_try.c": (),    # a code counts once; wrong ones end in a wait
    "server/deployment/deploy_flow.c": (),      # states
    "server/forges/forge_signature.c": (),
    "server/handlers/handle_update.c": (),      # buttons
    "server/policy/hold.c": (),                 # locks and freezes
    "server/policy/needs.c": (),                # how many approvals, and whose
    "server/policy/policy.c": (),               # roles
    "server/runs/run_flow.c": (),               # states
    "server/store/audit_chain.c": (),
    "server/store/row_button.c": (),          # a button counts once
    "server/telegram/telegram_html.c": (),      # escaping
    "server/telegram/telegram_webhook.c": ("on_begin", "reject"),   # its secret
}
# What unit tests do not reach: programs, processes, sockets.
END_TO_END = ("test_flow_production.py", "test_flow_staging.py", "test_flow_cancel.py", "test_runner.py",
              "test_runner_script.py", "test_runner_end.py", "test_runner_output.py", "test_ops_start.py",
              "test_ops_tools.py", "test_crash_server.py", "test_runner_listen.py", "test_settings_reload.py",
              "test_ops_applications.py", "test_policy_cli.py", "test_ops_production.py", "test_local_flow.py",
              "test_ops_audit_read.py", "test_ops_audit_against.py", "test_secrets_fetch.py", "test_completion.py",
              "test_flow_forges.py", "test_flow_hooks.py", "test_flow_tokens.py")
NOT_HERE = ("test_runner.py::test_the_runner_is_small",)    # what gcov keeps is not small
HISTORIES = {"FIRST": "1", "SEEDS": "300", "STRIDE": "200"}    # what plays by lot plays little
DEFINITION = re.compile(r"^(\w+)\(")    # begins its line (KNF)
LONGEST = ("test_sim", "test_decide_faults")    # begin first, so that no core waits for them at the end
NOT_JUDGED = r".*\b(assert|OBJ_CHECK|OBJ_OF|switch)\s*\(.*"


def run_program(program, environment):
    began = time.monotonic()
    try:
        done = subprocess.run([program], cwd=ROOT, env=environment, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PROGRAM_TIMEOUT_S, check=False)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status, output = -1, f"{late.stdout}\nstill running after {PROGRAM_TIMEOUT_S} s"
    return program.name, status, output, time.monotonic() - began


def let_all_write(build):
    """Some of the programs run as other users, and count as well where the way to BUILD is open to them."""
    for path in [build / "obj", *(build / "obj").rglob("*")]:
        if path.is_dir() or path.suffix == ".gcda":
            path.chmod(0o777 if path.is_dir() else 0o666)


SHORT = bool(os.environ.get("SHORT"))     # what unit programs are there, and no floors: it runs, no more


def run_tests(build, end_to_end):
    """True when all pass: what a failing test reaches proves nothing."""
    good = True
    environment = {**os.environ, **HISTORIES}
    sources = [*(ROOT / "tests/unit").glob("test_*.c"), *(ROOT / "tests/fuzz").glob("fuzz_*.c")]
    names = {re.sub("^fuzz_", "test_fuzz_", source.stem) for source in sources}
    if SHORT:
        names = {name for name in names if (build / "tests" / name).exists()}
    programs = sorted((build / "tests" / name for name in names), key=lambda program: program.name not in LONGEST)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, output, seconds in pool.map(lambda program: run_program(program, environment), programs):
            print(f"  {name}: {'ok' if status == 0 else f'FAILED ({status})'} ({seconds:.1f} s)", flush=True)
            if status != 0:
                good = False
                print(output[-4000:], flush=True)
    let_all_write(build)
    if end_to_end:
        status = subprocess.run(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(os.cpu_count()),
             "--dist", "loadfile", "--tb=short", "--durations=5",
             *(f"--deselect=tests/e2e/{test}" for test in NOT_HERE), *end_to_end],
            cwd=ROOT,
            stdin=subprocess.DEVNULL, timeout=E2E_TIMEOUT_S, check=False,
            env={**os.environ, "DEPLOYBOT_BUILD": str(build), "DEPLOYBOT_SLOW": "3"}).returncode
        good = good and status == 0
    return good


def report(build):
    """What gcovr found, by file: lines and branches, reached and in all."""
    folder = build / "report"
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["gcovr", "--root", str(ROOT), "--object-directory", str(ROOT), "-j", str(os.cpu_count()),
         "--filter", f"{ROOT}/({'|'.join(ROOMS)})/", "--exclude-branches-by-pattern", NOT_JUDGED,
         "--json-summary", str(folder / "summary.json"), "--json", str(folder / "lines.json"),
         "--html-details", str(folder / "index.html"), str(build / "obj")],
        cwd=ROOT, timeout=REPORT_TIMEOUT_S, check=True)
    lines = {found["file"]: found["lines"] for found in json.loads((folder / "lines.json").read_text())["files"]}
    return json.loads((folder / "summary.json").read_text()), lines


def lines_in(path, functions):
    """Numbers of the lines of these functions."""
    numbers, name = set(), ""
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        match = DEFINITION.match(line)
        name = match.group(1) if match else name
        if name in functions:
            numbers.add(number)
    return numbers


def judge_core(path, functions, lines):
    """A line for each line and branch that was not reached, and one for a function that is not there."""
    chosen = lines_in(path, functions) if functions else None
    counts = {"line_covered": 0, "line_total": 0, "branch_covered": 0, "branch_total": 0}
    for line in lines:
        is_chosen = chosen is None or line["line_number"] in chosen
        if line["gcovr/noncode"] or line["gcovr/excluded"] or not is_chosen:
            continue
        hits = [branch["count"] for branch in line["branches"]]
        counts["line_total"] += 1
        counts["line_covered"] += line["count"] > 0
        counts["branch_total"] += len(hits)
        counts["branch_covered"] += sum(hit > 0 for hit in hits)
        if line["count"] == 0 or 0 in hits:
            yield f"{path}:{line['line_number']}: {'a branch of it was not taken' if line['count'] else 'not reached'}"
    if counts["line_total"] == 0:
        yield f"{path}: nothing of {' '.join(functions) or 'it'} was built"
    yield from judge(path, counts, CORE)


def share(covered, total):
    return 100.0 * covered / total if total else 100.0


def judge(name, found, floor):
    """A line for each floor that is not kept."""
    for what, many, least in zip(("line", "branch"), ("lines", "branches"), floor):
        covered, total = found[f"{what}_covered"], found[f"{what}_total"]
        if share(covered, total) < least:
            yield f"{name}: {covered} of {total} {many} is {share(covered, total):.1f} %, the floor is {least:.0f} %"


def missed(found):
    return found["branch_total"] - found["branch_covered"] + found["line_total"] - found["line_covered"]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    end_to_end = sys.argv[2:] or [f"tests/e2e/{name}" for name in (() if SHORT else END_TO_END)]
    began = time.monotonic()
    for old in build.rglob("*.gcda"):
        old.unlink()
    good = run_tests(build, end_to_end)
    tests_took = time.monotonic() - began
    summary, lines = report(build)
    files = {found["filename"]: found for found in summary["files"]}
    print(f"tests {tests_took:.0f} s, report {time.monotonic() - began - tests_took:.0f} s; the files that miss most:")
    for name, found in sorted(files.items(), key=lambda item: -missed(item[1]))[:WORST_SHOWN]:
        print(f"  {found['line_percent']:5.1f} % of {found['line_total']:4} lines {found['branch_percent']:5.1f} % "
              f"of {found['branch_total']:4} branches  {name}")
    below = [] if SHORT else list(judge("all", summary, WHOLE))
    for name, functions in () if SHORT else CORE_FILES.items():
        below += judge_core(name, functions, lines.get(name, []))
    print("\n".join(below))
    print(f"{summary['line_percent']} % of {summary['line_total']} lines, {summary['branch_percent']} % of "
          f"{summary['branch_total']} branches; {os.path.relpath(build, ROOT)}/report/index.html shows each")
    if not good:
        print("a test failed")
    sys.exit(0 if good and not below else 1)


if __name__ == "__main__":
    main()
