"""Goal: run-job.sh runs plain words in the live release's image on the first host, and leaves nothing there."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from runner_client import wait_for
from ssh_aid import SshBench


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = SshBench(tmp_path, tools_folder, "v1")
    yield made
    made.done()
    wait_for(made.is_quiet, "the hosts to be at rest", 60)


def test_a_job_has_the_live_image_and_its_words(bench):
    commit, digest = bench.shipped("one")
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="bin/migrate --all a=b")
    assert status == 0, said
    assert f"app of {bench.image}@{digest}: bin/migrate --all a=b" in said
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.parametrize("command, words", [
    ("false", "the job ended with status 3"),
    pytest.param("bin/x $(id)", "no plain word", marks=pytest.mark.long),
    ("bin/x ;id", "no plain word"),
    pytest.param(None, "JOB_COMMAND is not set", marks=pytest.mark.long)])
def test_what_is_wrong_is_said(bench, command, words):
    commit, digest = bench.shipped("one")
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND=command)
    assert status in (70, 78) and words in "\n".join(said), said


@pytest.mark.long
def test_a_release_that_is_not_live_runs_no_job(bench):
    commit, digest = bench.shipped("one")
    bench.shipped("two")
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="bin/migrate")
    assert status == 70 and "the job was asked for in" in said[-1], said
    assert not [call for call in bench.host_calls() if "bin/migrate" in call]


def test_a_transport_without_jobs_says_so(bench):
    commit, digest = bench.shipped("one")
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="bin/x", DEPLOY_TRANSPORT="spy")
    assert status == 78 and "the transport spy runs no jobs" in said[-1]


@pytest.mark.long
def test_a_job_whose_worker_on_the_host_is_killed_leaves_no_container(bench):
    commit, digest = bench.shipped("one")
    process = bench.start("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="hang")
    bench.until_host_hangs()
    assert len(bench.runs()) == 2
    worker = [pid for pid in bench.host_processes() if os.getpgid(pid) == pid][-1]
    os.kill(worker, signal.SIGKILL)
    assert process.wait(timeout=60) == 70
    wait_for(lambda: bench.runs() == [(f"{bench.image}@{digest}", "running")], "the end of its container", 60)


@pytest.mark.parametrize("number", [pytest.param(15, marks=pytest.mark.long), 9])
def test_whoever_is_killed_leaves_no_container(bench, number):
    commit, digest = bench.shipped("one")
    process = bench.start("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="hang")
    wait_for((bench.host() / "hangs").exists, "the job on the host")
    os.killpg(process.pid, number)
    process.wait(timeout=60)
    wait_for(lambda: any(call[:3] == ["docker", "rm", "-f"] and call[3].startswith("deploybot-job-")
                         for call in bench.host_calls()), "the end of its container", 60)
