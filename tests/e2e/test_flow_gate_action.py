"""Goal: the step of a job at GitHub, before the real server: it waits for two approvals, goes on, and its end frees the
environment; one that is cancelled or rejected leaves nothing behind, and one that may not is told why."""
# SPDX-License-Identifier: ISC
import itertools

import pytest

from flow_aid import ended_well
from gate_aid import Action, node_version
from github_tokens import Runner
from jobs_aid import REPOSITORY, Jobs
from stage import wait_until
from telegram_client import GROUP

pytestmark = pytest.mark.skipif(node_version() < 18, reason="no node of version 18 or later")
RUNS = itertools.count(7000)
FAST = 25      # it asks five times a second


class Gates(Jobs):
    def settings(self):
        return {**super().settings(), "PUBLIC_URL": f"http://127.0.0.1:{self.http_port}"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Gates(tmp_path_factory.mktemp("gates"), {
        "TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_APPROVALS": "2", "PRODUCTION_CONFIRM": "false",
        "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/main", "WORKFLOW_SHOP_MAY": "gate:production"})
    made.commit("main")
    yield made
    ended_well(made)


@pytest.fixture
def step(scene, tmp_path):
    run = str(next(RUNS))
    runner = Runner(scene.issuer, repository=REPOSITORY, ref="refs/heads/main", sha=scene.head("main"), run_id=run,
                    check_run_id="9" + run)
    made = Action(tmp_path, runner, fast=FAST, url=scene.bot.base, environment="production")
    yield made
    made.done()
    runner.stop()


def asked(scene, step):
    """The question about its gate, once the step waits for it."""
    step.start()
    return scene.person(0).hear("gate", f"run {step.runner.claims['run_id']}", chat=GROUP, after=0,
                                buttons=("Approve", "Reject"))


def approve(scene, question):
    for who in (scene.admin(), scene.admin()):
        said = who.press(question, "Approve")
        assert said.startswith("Approved: production "), said


def state(scene, step):
    number = step.state().get("id") or step.number
    return scene.bot_rows(f"SELECT state FROM work WHERE id = {number}")[0][0]


def test_it_goes_on_when_two_have_approved_and_its_end_is_known(scene, step):
    question = asked(scene, step)
    approve(scene, question)
    assert step.finish() == 0
    said = [line.partition(f"work {step.state()['id']}: ")[2] for line in step.said()]
    assert said[0].startswith("awaiting approval in the chat") and said[-1] == "open: this job goes on", said
    assert state(scene, step) == "RUNNING"
    assert step.post() == 0 and state(scene, step) == "DONE"


def test_a_job_that_fails_behind_it_lets_the_next_one_in(scene, step):
    question = asked(scene, step)
    approve(scene, question)
    assert step.finish() == 0 and step.post("failure") == 0 and state(scene, step) == "FAILED"


def test_a_no_fails_the_step_with_its_words(scene, step):
    question = asked(scene, step)
    who = scene.admin()
    who.press(question, "Reject")
    who.press(scene.person(0).hear("press a reason", chat=GROUP, after=0, buttons=("Not tonight",)), "Not tonight")
    assert step.finish() == 1 and step.said()[-1].startswith("error: deploybot: production, work "), step.said()
    assert step.state()["id"] == "" and step.post("failure") == 0 and not step.lines


def test_a_job_that_is_cancelled_takes_its_question_back(scene, step):
    asked(scene, step)
    wait_until(lambda: step.state().get("id"), 20, "its number")
    step.number = step.state()["id"]
    step.cancel()
    assert step.finish() == 1 and state(scene, step) == "CANCELLED", step.said()


def test_one_that_may_not_is_told_why(scene, step):
    step.inputs["environment"] = "staging"
    assert step.main() == 1 and step.said()[-1].startswith("error: deploybot: "), step.said()
    assert 'has no gate at "staging"' in step.said()[-1], step.said()
