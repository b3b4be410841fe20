"""Goal: whoever stops an open gate has the job behind it cancelled at its forge, if it still runs, and nothing else."""
# SPDX-License-Identifier: ISC
import itertools

import pytest

from flow_aid import ended_well
from github import workflow_run
from github_api import Api
from gitlab_aid import GitlabJobs
from gitlab_api import GitlabApi
from jobs_aid import REPOSITORY, Jobs
from stage import wait_until
from telegram_client import GROUP

TOKEN = "github_pat_" + "5tR8wZ2q" * 4
LAB_TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
RUNS = itertools.count(5000)
LINES = {"TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_CONFIRM": "false", "WORKFLOW_SHOP_MAY": "gate:production"}


class Github(Jobs):
    """`job` makes one that has opened its gate: what its run and itself are at the forge."""

    def __init__(self, folder):
        self.api = Api(people={TOKEN: {"repositories": [REPOSITORY], "permissions": {
            "metadata": "read", "actions": "write"}}})
        super().__init__(folder, {**LINES, "GITHUB_API_URL": self.api.url, "GITHUB_API_TOKEN": TOKEN,
                                  "WATCH_PIPELINES": "none", "REPORT_DEPLOYMENTS": "false",
                                  "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/main"})

    def job(self):
        number = next(RUNS)
        run = workflow_run(REPOSITORY, "deploy.yml", self.head("main"), id=number)
        job = {"id": number + 90000, "status": "in_progress"}
        self.api.runs.append(run)
        self.api.jobs[number] = [{"id": 1, "status": "completed"}, job]
        self.claims = {"ref": "refs/heads/main", "sha": self.head("main"), "run_id": str(number),
                       "check_run_id": str(job["id"])}
        return job, lambda: run["conclusion"] == "cancelled"

    @staticmethod
    def end(job):
        job["status"] = "completed"


class WholeLab(GitlabApi):
    """One address for its API and the keys of its jobs' tokens."""
    issuer = None

    def page(self, request):
        return super().page(request) if request.path.startswith("/api/") else self.issuer.page(request)


class Gitlab(GitlabJobs):
    def __init__(self, folder):
        self.api = WholeLab({LAB_TOKEN: [REPOSITORY]})
        super().__init__(folder, {**LINES, "GITLAB_URL": self.api.url, "GITLAB_API_TOKEN": LAB_TOKEN,
                                  "GITHUB_REPOSITORY": "", "WATCH_PIPELINES": "none", "REPORT_DEPLOYMENTS": "false",
                                  "WORKFLOW_SHOP_IS": "gitlab 22 .gitlab-ci.yml@refs/heads/main"})
        self.api.issuer = self.gitlab
        self.gitlab.url = self.api.url

    def job(self):
        one = self.api.begin(self.head("main"), "main")
        self.api.job(one, "ship", "running")
        job = one["jobs"][0]
        self.claims = {"ref": "refs/heads/main", "sha": self.head("main"), "pipeline_id": str(one["id"]),
                       "job_id": str(job["id"])}
        return job, lambda: job["status"] == "canceled"

    @staticmethod
    def end(job):
        job["status"] = "success"


@pytest.fixture(name="scene", scope="module", params=(Github, Gitlab))
def _scene(request, tmp_path_factory):
    made = request.param(tmp_path_factory.mktemp("stops"))
    yield made
    ended_well(made)
    made.api.stop()


def opened(scene):
    job, is_cancelled = scene.job()
    status, said = scene.ask("/v1/gate", {"environment": "production"}, **scene.claims)
    assert status == 202, said

    def state():
        return scene.ask(f"/v1/work/{said['id']}", method="GET", **scene.claims)[1]["state"]
    wait_until(lambda: state() == "running", 60, "its gate")
    return job, is_cancelled, state, said["id"]


def test_a_job_that_runs_is_cancelled_and_its_place_is_kept_until_it_is_over(scene):
    _, is_cancelled, state, work = opened(scene)
    who = scene.admin()
    who.say("/cancel production")
    who.hear("/cancel again asks whether to wait for that")
    wait_until(is_cancelled, 60, "its end at its forge")
    assert state() == "stopping"
    assert scene.ask(f"/v1/gate-end/{work}", {"conclusion": "cancelled"}, **scene.claims)[0] == 202
    assert state() == "failed"


def test_what_a_run_does_behind_a_job_that_is_over_is_not_cancelled(scene):
    """Nobody was told of the job's end, and its run goes on to something else."""
    job, is_cancelled, state, _ = opened(scene)
    scene.end(job)
    who = scene.admin()
    who.say("/cancel production")
    wait_until(lambda: state() == "failed", 60, "its gate to be closed")
    who.hear("Run may go on: production", "was not cancelled: its job is over already", chat=GROUP)
    assert not is_cancelled()
