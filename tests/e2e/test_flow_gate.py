"""Goal: a job of a pipeline goes on to its environment when those who have to say yes have, and keeps it until it says
how it ended; who has not asked, and a run that was begun again, gets nothing of that."""
# SPDX-License-Identifier: ISC
import itertools

import pytest

from flow_aid import ended_well
from jobs_aid import Jobs
from stage import wait_until
from telegram_client import GROUP

MAIN = "refs/heads/main"
JOBS = itertools.count(5000)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Jobs(tmp_path_factory.mktemp("gates"), {
        "TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_APPROVALS": "2", "PRODUCTION_CONFIRM": "false",
        "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/main",
        "WORKFLOW_SHOP_MAY": "gate:production, deploy:production"})
    yield made
    ended_well(made)


class Job:
    """One job of one run, on the newest commit of main."""

    def __init__(self, scene, **named):
        self.scene = scene
        number = str(next(JOBS))
        self.claims = {"ref": MAIN, "sha": scene.head("main"), "run_id": number, "check_run_id": "9" + number, **named}
        self.work = None

    def ask(self, path, body=None, method="POST", **changed):
        return self.scene.ask(path, body, method=method, **{**self.claims, **changed})

    def gate(self, environment="production"):
        status, said = self.ask("/v1/gate", {"environment": environment})
        assert status == 202, said
        self.work = said["id"]
        return said["state"]

    def state(self, **changed):
        status, said = self.ask(f"/v1/work/{self.work}", method="GET", **changed)
        return said["state"] if status == 200 else status

    def waits_for(self, state):
        wait_until(lambda: self.state() == state, 60, f"the state {state}")

    def end(self, conclusion="success", **changed):
        return self.ask(f"/v1/gate-end/{self.work}", {"conclusion": conclusion}, **changed)[0]


def approve(scene, job, *people):
    job.waits_for("awaiting_approval")
    asked = scene.person(0).hear("open-gate", scene.head("main")[:7], f"run {job.claims['run_id']}", chat=GROUP, after=0,
                                 buttons=("Approve", "Reject"))
    for who in people:
        assert who.press(asked, "Approve").startswith("Approved: production ")
    return asked


def test_a_job_goes_on_when_two_have_approved_and_keeps_the_environment(scene):
    scene.commit("main")
    job = Job(scene)
    assert job.gate() == "awaiting_approval"
    approve(scene, job, scene.admin())
    assert job.state() == "awaiting_approval"
    approve(scene, job, scene.admin())
    job.waits_for("running")
    who = scene.admin()
    who.say("/deploy production")
    who.hear("production", "Awaiting approval")
    other = Job(scene)
    other.gate()
    assert job.end() == 200
    assert job.state() == "done"
    assert other.end("cancelled") == 200 and other.state() == "cancelled"
    assert job.end("failure") == 200 and job.state() == "done", "an end is an end"
