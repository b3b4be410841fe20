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
        "WORKFLOW_SHOP_MAY": "gate:production, deploy:production",
        "WORKFLOW_TESTS_IS": "github 456789 test.yml@refs/heads/main", "WORKFLOW_TESTS_MAY": "gate:staging"})
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


def approve(scene, job, *people, said="gate"):
    job.waits_for("awaiting_approval")
    asked = scene.person(0).hear(said, scene.head("main")[:7], f"run {job.claims['run_id']}", chat=GROUP, after=0,
                                 buttons=("Approve", "Reject"))
    for who in people:
        assert who.press(asked, "Approve").startswith("Approved: production ")
    return asked


def test_a_job_goes_on_when_two_have_approved_and_keeps_the_environment(scene):
    scene.commit("main")
    job = Job(scene)
    assert job.gate() == "awaiting_approval"
    first = job.work
    approve(scene, job, scene.admin())
    assert job.gate() == "awaiting_approval" and job.work == first, "the same job asks for the same"
    approve(scene, job, scene.admin())
    job.waits_for("running")
    other = Job(scene)
    other.gate()
    approve(scene, other, scene.admin(), scene.admin())
    other.waits_for("queued")
    status, said = job.ask("/v1/command/deploy", {"arguments": ["production"]})
    assert status == 409 and "waits for the gate that this run has there" in said["said"]
    assert job.ask("/v1/push")[0] == 409, "nor by a push: it would wait for its own gate"
    assert job.end() == 202
    assert job.state() == "done"
    assert job.end("failure") == 202 and job.state() == "done", "an end is an end"
    other.waits_for("awaiting_approval")
    approve(scene, other, scene.admin(), scene.admin(), said="has gone to production meanwhile")
    other.waits_for("running")
    who = scene.admin()
    who.say("/status production")
    who.hear(f"🚦 gate: {scene.head('main')[:7]}, run {job.claims['run_id']}, ended well", "gate open for")
    assert other.end("failure") == 202 and other.state() == "failed"
    who.say("/status production")
    who.hear(f"run {other.claims['run_id']}, ended badly", "what it has changed is not known")


def test_an_open_gate_outlives_a_restart(scene):
    job = Job(scene)
    job.gate()
    approve(scene, job, scene.admin(), scene.admin())
    job.waits_for("running")
    scene.bot.stop()
    scene.start_bot()
    assert job.state() == "running"
    assert job.end() == 202 and job.state() == "done"


def test_a_gate_is_its_own_jobs(scene):
    job = Job(scene)
    job.gate()
    assert job.ask(f"/v1/work/{job.work}", method="GET", file="test.yml")[0] == 200
    assert job.ask(f"/v1/work/{job.work}", method="GET", file="test.yml", run_id="1")[0] == 404
    assert job.end(check_run_id="1") == 404
    assert job.end(run_attempt="2") == 404, "a run that was begun again is another"
    assert job.ask("/v1/gate", {"environment": "staging"})[0] == 403
    assert job.ask("/v1/gate", {"environment": "nowhere"})[0] == 403
    assert Job(scene).ask("/v1/gate", {"environment": "production", "commit": "1" * 40})[0] == 409
    assert job.ask("/v1/gate", {})[0] == 400
    assert job.ask("/v1/gate-end/1", {"conclusion": "fine"})[0] == 400
    assert job.end("cancelled") == 202 and job.state() == "cancelled"


def test_a_job_answers_no_question_and_deploys_its_own_commit_alone(scene):
    scene.commit("main")
    job = Job(scene)
    job.gate()
    for path, body in (("/v1/answer", {"answer": "yes"}), ("/v1/command/approve", {"arguments": [str(job.work)]}),
                       ("/v1/command/cancel", {"arguments": ["production"]}), ("/v1/token/add", {"name": "a"})):
        where = f"{path}/{job.work}" if path == "/v1/answer" else path
        status, said = job.ask(where, body)
        assert status == 403 and "a person does" in said["said"], (path, said)
    status, said = Job(scene).ask("/v1/command/deploy", {"arguments": ["production", "develop"]})
    assert status == 409 and "leave it out" in said["said"]
    assert job.end("cancelled") == 202


def test_a_push_that_was_refused_can_be_reported_again(scene):
    """Regression: it was noted, and its true report came to nothing for 90 days."""
    job = Job(scene)
    job.gate()
    approve(scene, job, scene.admin(), scene.admin())
    job.waits_for("running")
    assert job.ask("/v1/push")[0] == 409
    assert job.end() == 202
    assert job.ask("/v1/push")[0] == 202


def test_a_run_that_is_begun_again_asks_anew(scene):
    job = Job(scene, check_run_id=None)     # as a forge's older versions say nothing of it
    job.gate()
    approve(scene, job, scene.admin())
    again = Job(scene, run_id=job.claims["run_id"], run_attempt="2", check_run_id=None)
    again.gate()
    again.waits_for("awaiting_approval")
    assert again.work != job.work
    assert again.ask(f"/v1/work/{again.work}", method="GET")[1]["approvals_open"] == 2
    for one in (job, again):
        assert one.end("cancelled") == 202


def test_a_commit_that_is_not_on_the_branch_is_refused_at_once(scene):
    scene.commit("develop")
    job = Job(scene, sha=scene.head("develop"))
    job.gate()
    job.waits_for("refused")


def test_somebody_stops_it_and_the_environment_is_free(scene):
    job = Job(scene)
    job.gate()
    approve(scene, job, scene.admin(), scene.admin())
    job.waits_for("running")
    who = scene.admin()
    who.say("/cancel production")
    scene.person(0).hear("Run may go on: production", "its run goes on: nothing here may cancel it", chat=GROUP,
                         after=who.since)
    assert job.state() == "failed" and job.end() == 202
