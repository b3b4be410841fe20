"""Goal: the jobs of deploy/gitlab/, line by line as a runner of GitLab runs them, before the real server: one waits for
two approvals, goes on, and its end is known; one that is cancelled, fails or may not leaves nothing behind."""
# SPDX-License-Identifier: ISC
import itertools
import pathlib
import re
import subprocess

import pytest

from flow_aid import ended_well
from gitlab_aid import GitlabJobs
from gitlab_tokens import BEGIN, Runner, merged, read_jobs
from jobs_aid import REPOSITORY
from runner_client import ROOT
from stage import free_port, wait_until
from telegram_client import GROUP, text_of

FOLDER = pathlib.Path(ROOT) / "deploy" / "gitlab"
FILES = (FOLDER / "gate.yml", FOLDER / "ci.yml")
JOBS = itertools.count(7000)
LINES = {"WORKFLOW_STAGING_IS": "gitlab 22 .gitlab-ci.yml@refs/heads/develop", "WORKFLOW_STAGING_MAY": "deploy:staging",
         "WORKFLOW_PRODUCTION_IS": "gitlab 22 .gitlab-ci.yml@refs/heads/main",
         "WORKFLOW_PRODUCTION_MAY": "gate:production"}


class Gates(GitlabJobs):
    def settings(self):
        return {**super().settings(), "PUBLIC_URL": f"http://127.0.0.1:{self.http_port}"}


def gates(tmp_path_factory):
    made = Gates(tmp_path_factory.mktemp("gates"), {
        "TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_APPROVALS": "2", "PRODUCTION_CONFIRM": "false",
        **LINES})
    made.commit("main")
    yield made
    ended_well(made)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    yield from gates(tmp_path_factory)


@pytest.fixture(name="own")
def _own(tmp_path_factory):
    """Whose group has had no message yet: of twenty in a minute the next may be a minute late."""
    yield from gates(tmp_path_factory)


@pytest.fixture
def run(request, tmp_path):
    """run(job, branch): begins a job of ci.yml; its ship.sh does what `ships` says, `changed` are variables of it."""
    scene = request.getfixturevalue("own" if "own" in request.fixturenames else "scene")
    begun = []

    def begin(job, branch="main", ships="echo shipped $1", shell="bash", changed=(), **named):
        number = str(next(JOBS))
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "ship.sh").write_text(f"#!/bin/sh\n{ships}\n")
        (tmp_path / "work" / "ship.sh").chmod(0o755)
        variables = {"DEPLOYBOT_URL": scene.bot.base, "CI_REGISTRY_IMAGE": "registry.example.org/shop"}
        made = Runner(scene.gitlab, tmp_path / "work", FILES, job, variables, shell,
                      **{"repository": REPOSITORY, "ref": f"refs/heads/{branch}", "sha": scene.head(branch),
                         "pipeline_id": number, "job_id": "9" + number, **named})
        made.number = number
        made.variables.update(changed)
        begun.append(made)
        return made.begin()
    yield begin
    for job in begun:
        job.done()


def asked(scene, job):
    return scene.person(0).hear("gate", f"pipeline {job.number} of {REPOSITORY}, begun by mona (GitLab)",
                                chat=GROUP, after=0, buttons=("Approve", "Reject"))


def approve(scene, question):
    for who in (scene.admin(), scene.admin()):
        said = who.press(question, "Approve")
        assert said.startswith("Approved: production "), said


def state(scene, job):
    sql = f"SELECT state FROM work JOIN work_job ON work = id WHERE work_job.run = '{job.number}'"
    return scene.bot_rows(sql)[0][0]


def test_the_examples_settings_are_those_of_this_test():
    text = (FOLDER / "ci.yml").read_text("utf-8")
    assert all(f"#   {name}={value}\n" in text for name, value in LINES.items())


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_lines_are_those_of_any_shell(name):
    job = merged(read_jobs(FILES), name)
    for lines in (job.get("before_script", []) + job["script"], job.get("after_script", [])):
        done = subprocess.run(["shellcheck", "-s", "sh", "-"], input=BEGIN + "\n".join(lines) + "\n", text=True,
                              capture_output=True, check=False)
        assert "SC" not in done.stdout.replace("SC3040", ""), done.stdout


def test_a_push_job_reports_and_its_commit_is_deployed(scene, run):
    scene.commit("develop")
    job = run("staging", "develop")
    assert job.finish() == "success" and f"{scene.head('develop')[:7]} is looked for: staging" in job.log, job.log
    scene.person(0).hear("Live: staging", scene.head("develop")[:7], chat=GROUP, after=0)


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_job_goes_on_when_two_have_approved_and_its_end_is_known(scene, run, shell):
    job = run("production", shell=shell)
    question = asked(scene, job)
    assert f"{scene.gitlab.url}/{REPOSITORY}/-/jobs/9{job.number}" in text_of(question)
    assert "GitHub" not in text_of(question) and "shipped" not in (job.folder / "log").read_text()
    approve(scene, question)
    assert job.finish() == "success", job.log
    assert "awaiting_approval" in job.log and ": running" in job.log
    assert f"shipped registry.example.org/shop:{scene.head('main')}" in job.log
    assert state(scene, job) == "DONE"


def test_a_job_that_fails_behind_it_is_known_to_have_failed(scene, run):
    job = run("production", ships="exit 3")
    approve(scene, asked(scene, job))
    assert job.finish() == "failed" and state(scene, job) == "FAILED", job.log


def test_a_no_fails_the_job(scene, run):
    job = run("production")
    who = scene.admin()
    who.press(asked(scene, job), "Reject")
    who.press(scene.person(0).hear("press a reason", chat=GROUP, after=0, buttons=("Not tonight",)), "Not tonight")
    assert job.finish() == "failed" and ": refused rejected by @" in job.log and "shipped" not in job.log, job.log


def test_a_job_that_is_cancelled_takes_its_question_back(scene, run):
    job = run("production")
    asked(scene, job)
    wait_until((job.folder.parent / "work.tmp" / "gate").exists, 20, "its number")
    assert job.cancel() == "canceled" and state(scene, job) == "CANCELLED", job.log


def test_one_that_may_not_is_told_why_and_reports_nothing(scene, run):
    job = run("production", ref_protected="false")
    assert job.finish() == "failed" and "HTTP 401" not in job.log
    assert "HTTP 403 this job is of no workflow here" in job.log and "of a ref that is not protected" in job.log
    assert "does not know how" not in job.log and "shipped" not in job.log


def asked_at_all(scene):
    return len(scene.audit(action="denied")) + scene.bot_rows("SELECT count(*) FROM work")[0][0]


@pytest.mark.parametrize("behind", ["/", "/v1", "x"])
@pytest.mark.parametrize("name", ["staging", "production"])
def test_an_address_that_is_none_is_named_before_anything_is_sent(scene, run, name, behind):
    before = asked_at_all(scene)
    job = run(name, changed={"DEPLOYBOT_URL": scene.bot.base + behind})
    assert job.finish() == "failed" and job.log == \
        "deploybot: DEPLOYBOT_URL is no https://HOST[:PORT], without a path, and without a / at its end\n"
    assert asked_at_all(scene) == before


@pytest.mark.parametrize("name, token", [("staging", "DEPLOYBOT_PUSH_TOKEN"), ("production", "DEPLOYBOT_GATE_TOKEN")])
def test_a_job_without_a_token_says_what_it_lacks(scene, run, name, token):
    before = asked_at_all(scene)
    job = run(name, changed={token: ""})
    assert job.finish() == "failed" and job.log == "deploybot: this job has no token: id_tokens: is missing\n"
    assert asked_at_all(scene) == before


@pytest.mark.parametrize("name", ["staging", "production"])
def test_an_address_where_nobody_answers_is_said_at_the_first_try_and_at_the_last(run, tmp_path, name):
    """Each look at the clock is a minute later than the one before."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "date").write_text(f"""#!/bin/sh
n=$(cat {tmp_path}/clock 2>/dev/null || echo 1)
echo $((n + 60)) | tee {tmp_path}/clock
""")
    (tmp_path / "tools" / "date").chmod(0o755)
    job = run(name, changed={"DEPLOYBOT_URL": f"http://127.0.0.1:{free_port()}"})
    assert job.finish() == "failed"
    first, last = re.sub(r" after \d+ ms", "", job.log).splitlines()
    assert first == f"{last}; trying again for 300 s"
    assert last.startswith("deploybot: nobody answers at DEPLOYBOT_URL: curl: (7) "), last


def test_a_server_that_does_not_serve_v1_is_said(tmp_path_factory, run):
    made = Gates(tmp_path_factory.mktemp("off"), {"ENABLE_API_SERVER": "false"})
    try:
        job = run("staging", changed={"DEPLOYBOT_URL": made.bot.base})
        assert job.finish() == "failed" and job.log == "deploybot: nothing is served at /v1 there: " \
            "ENABLE_API_SERVER=true and a restart, and a proxy that passes /v1/ on\n"
    finally:
        made.stop()


def test_a_job_waits_while_the_server_is_away(own, run):
    job = run("production")
    question = asked(own, job)
    own.bot.stop()
    own.start_bot()
    approve(own, question)
    assert job.finish() == "success" and state(own, job) == "DONE", job.log
