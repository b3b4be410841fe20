"""Goal: whatever a script prints, memory and log are bounded, its steps are found, and the run does not mind.  Drives
the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import os
import re
import subprocess

import pytest

from runner_client import Bench, wait_for


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


def test_a_hundred_megabytes_without_newline_are_bounded_in_memory(bench):
    runner = bench.runner("head -c 104857600 /dev/zero; echo $PPID >$MARKS/supervisor; "
                          "until [[ -e $MARKS/on ]]; do sleep 0.01; done")
    supervisor = runner.start(1)
    kept_by = int(bench.mark("supervisor"))
    with open(f"/proc/{kept_by}/status", encoding="utf-8") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
    (bench.marks / "on").write_text("x\n")
    supervisor.exit()
    assert os.path.getsize(os.path.join(runner.folder(1), "log")) == 104857600
    assert peak < 16384              # kB, with a sanitizer of its own; 100 MB went through it
    assert not supervisor.skipped    # nothing is sent only because the log grew


def test_the_log_ends_at_its_limit_and_the_run_does_not(bench):
    runner = bench.runner("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '==> release'; exit 0",
                          RUN_LOG_LIMIT="1M")
    record = runner.start(1).exit()
    assert record["status"] == 0 and record["released"] and record.names == ["release"]
    log = runner.log(1)
    assert log[:1048576] == b"x" * 1048576
    assert b"RUN_LOG_LIMIT" in log[1048576:] and len(log) < 1048576 + 300


def test_64_steps_are_told_and_those_that_decide_always(bench):
    decide = ["migrate", "migrate-stopped", "migrated", "migrate-failed 1", "previous target:before-1", "no-rollback",
              "release"]
    runner = bench.runner("for i in $(seq 100); do echo \"==> step $i\"; done; "
                          + "; ".join(f"echo '==> {step}'; echo '==> {step}'" for step in decide))
    record = runner.start(1).exit()
    assert record.names == [f"step {i}" for i in range(1, 65)] + decide
    assert record["released"] and record["no_rollback"] and record["migration"]


def test_a_migration_behind_the_release_is_a_step_like_any_other(bench):
    record = bench.runner("echo '==> release'; echo '==> migrate'").start(1).exit()
    assert record.names == ["release", "migrate"] and record["released"] and not record["migration"]


@pytest.mark.parametrize("words, drains", [
    ("release drain-later", True), ("drain-later release", False), ("release", False),
    ("release quote:x drain-later unquote:x", False)])
def test_what_is_left_to_a_drain_stands_in_the_record(bench, words, drains):
    """Behind the release alone: before it nothing was replaced."""
    said = "; ".join(f"echo '==> {word.replace(':', ' ')}'" for word in words.split())
    record = bench.runner(said).start(1).exit()
    assert record["status"] == 0 and record["drains"] == drains


def test_what_others_wrote_is_no_step(bench):
    """An application's last words, or a recipe's output, say nothing of what may be rolled back to."""
    runner = bench.runner("echo '==> quote a1'; echo '==> release'; echo '==> no-rollback'; echo '==> unquote a2'; "
                          "echo '==> build'; printf '\\n==> unquote a1\\n==> push\\n'; exit 65")
    record = runner.start(1).exit()
    assert record.names == ["push"] and not record["released"] and not record["no_rollback"]
    said = runner.log(1)
    assert b"quote" not in said and b"a1" not in said, "who reads the log could tell the word to whoever wrote that"
    assert b"==> release\n==> no-rollback\n" in said and said.endswith(b"==> push\n")
    runner = bench.runner("echo '==> release'; echo '==> no-rollback'; exit 70")
    record = runner.start(2).exit()
    assert record.names == ["release"] and not record["no_rollback"]


def test_odd_step_lines_are_cut_and_cleaned(bench):
    runner = bench.runner(r"printf '==> a\x1b[31mred\x07  \r\n==>\n==> \nx==> no\n ==> no\n==> %070d\n==> last' 1")
    assert runner.start(1).exit().names == ["ared", "0" * 47]


def test_a_full_disk_under_the_log_does_not_fail_the_run(bench):
    """FAULTS, spike: a good script was killed by SIGPIPE because its log did not fit."""
    mount = bench.path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)],
                      stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        bench.state = mount
        runner = bench.runner("head -c 9000000 /dev/zero | tr '\\0' y; echo; echo '==> release'; exit 0")
        record = runner.start(1).exit()
        assert record["status"] == 0 and record["released"]
        assert b"The run goes on" in runner.log(1)[-200:]
        runner.stop()
        wait_for(lambda: not bench.supervisors(), "end of the supervisor")
    finally:
        bench.done()
        subprocess.run(["umount", "-l", str(mount)], check=True)
