"""Goal: where a person's token reviews an environment at GitHub, its jobs go on when those who have to say yes here
have: the environment is asked for by its number, and each end is answered, once."""
# SPDX-License-Identifier: ISC
import itertools

import pytest

from flow_aid import Scene, ended_well
from github import GitHub, review, workflow_job, workflow_run
from github_api import Api
from stage import GITHUB_SECRET, wait_until
from telegram_client import GROUP

SHOP = "octo/shop"
TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
RUNS = itertools.count(4711)
PENDING = "/pending_deployments"


@pytest.fixture(name="api", scope="module")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {
        "metadata": "read", "actions": "read", "deployments": "write"}}})
    yield api
    api.stop()


@pytest.fixture(name="scene", scope="module")
def _scene(tmp_path_factory, api):
    made = Scene(tmp_path_factory.mktemp("reviews"), settings={
        "TELEGRAM_CHAT_ID": str(GROUP), "GITHUB_REPOSITORY": SHOP, "GITHUB_API_URL": api.url,
        "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_API_TOKEN": TOKEN, "PRODUCTION_GATE_REVIEWER": "true",
        "PRODUCTION_APPROVALS": "1", "PRODUCTION_CONFIRM": "false", "PRODUCTION_GITHUB_ENVIRONMENT": "Live shop"})
    made.hook = GitHub(f"http://127.0.0.1:{made.http_port}/github/webhook", GITHUB_SECRET, SHOP)
    yield made
    ended_well(made)


def asks(scene, api, environment="Live shop", **changed):
    """A run whose job waits there, and what was said of it."""
    run = next(RUNS)
    api.waits.add((str(run), "Live shop"))
    entry = scene.hook.deliver("deployment_review", review(SHOP, scene.head("main"), run, environment, **changed))
    return run, entry["status"]


def asked(scene, run):
    return scene.person(0).hear("gate", f"run {run}", chat=GROUP, after=0, buttons=("Approve", "Reject"))


def answer(api, run):
    wait_until(lambda: [one for one in api.answers if one[0] == str(run)], 60, f"an answer to {run}")
    return [one[1:] for one in api.answers if one[0] == str(run)]


@pytest.mark.parametrize("troubles", ((), (502, "torn"), ("none", 502), (404,), ("none", "away")))
def test_its_job_goes_on_when_one_has_approved(scene, api, troubles):
    """The second of the requests is the answer: where it is lost, GitHub has it."""
    scene.commit("main")
    run, status = asks(scene, api)
    assert status == 200
    api.troubles.extend((PENDING, trouble) for trouble in troubles)
    who = scene.admin()
    assert who.press(asked(scene, run), "Approve").startswith("Approved: production ")
    (name, state, comment), = answer(api, run)
    assert (name, state) == ("Live shop", "approved") and comment.startswith("approved by "), comment
    assert [path for method, path, code in api.calls if method == "POST" and path.endswith(PENDING) and code == 200
            and f"/{run}/" in path] == [f"/repos/{SHOP}/actions/runs/{run}{PENDING}"]
    if troubles:    # its job says so, or else its run
        scene.hook.deliver("workflow_job", workflow_job(SHOP, run, 5, environment="Other"))
        scene.hook.deliver("workflow_job", workflow_job(SHOP, run, 6, environment="Live shop"))
    else:
        ended = workflow_run(SHOP, "deploy.yml", scene.head("main"), conclusion="success", id=run)
        scene.hook.deliver("workflow_run", {"action": "completed", "workflow_run": ended,
                                            "repository": ended["repository"]})
    who.hear("Gate done: production", f"run {run}", chat=GROUP, after=0)
    scene.wait_free("production")
    wait_until(lambda: scene.bot_rows(f"SELECT is_answered FROM work_job WHERE run = '{run}'") == [(1,)], 60, "its end")
    assert not api.troubles


def test_a_review_that_has_come_there_lets_no_other_job_of_its_run_go_on(scene, api):
    """Its answer is lost, and the next job of the run waits by the time it would be given again."""
    scene.commit("main")
    run, _ = asks(scene, api)
    api.troubles.extend((PENDING, trouble) for trouble in ("none", "away"))
    scene.admin().press(asked(scene, run), "Approve")
    answer(api, run)
    api.waits.add((str(run), "Live shop"))      # whose event is late
    wait_until(lambda: scene.bot_rows(f"SELECT is_answered FROM work_job WHERE run = '{run}'") == [(1,)], 60, "a look")
    assert len(answer(api, run)) == 1
    assert ("GET", f"/repos/{SHOP}/actions/runs/{run}/approvals", 200) in api.calls
    api.waits.clear()
    scene.admin().say("/cancel production")
    scene.wait_free("production")


def test_whose_token_is_no_reviewers_is_told(scene, api):
    scene.commit("main")
    run, _ = asks(scene, api)
    api.can_review = False
    scene.admin().press(asked(scene, run), "Approve")
    note = f"SELECT note FROM work JOIN work_job j ON j.work = work.id WHERE j.run = '{run}'"
    wait_until(lambda: "the owner of GITHUB_API_TOKEN may not review there" in scene.bot_rows(note)[0][0], 60, "why")
    api.can_review = True
    assert answer(api, run)[0][1] == "approved"
    scene.admin().say("/cancel production")
    scene.wait_free("production")


def test_a_no_is_answered_and_what_waits_no_more_ends_it(scene, api):
    scene.commit("main")
    run, _ = asks(scene, api)
    who = scene.admin()
    who.press(asked(scene, run), "Reject")
    who.press(who.hear("Reject?", chat=GROUP, buttons=("Not tonight",)), "Not tonight")
    assert answer(api, run)[0][1] == "rejected"
    run, _ = asks(scene, api)
    api.waits.clear()       # somebody has reviewed it there
    scene.admin().press(asked(scene, run), "Approve")
    wait_until(lambda: scene.bot_rows(f"SELECT is_answered FROM work_job WHERE run = '{run}'") == [(1,)], 60, "its end")
    assert not [one for one in api.answers if one[0] == str(run)]
    scene.admin().say("/cancel production")
    scene.wait_free("production")


def test_what_is_no_question_and_what_another_environment_asks_decides_nothing(scene, api):
    known = scene.bot_rows("SELECT COUNT(*) FROM work")
    assert asks(scene, api, action="approved")[1] == 202
    assert asks(scene, api, environment="staging")[1] == 202, "which the App would answer"
    assert asks(scene, api, deployment_callback_url="x")[1] == 400, "which could be two kinds"
    assert scene.bot_rows("SELECT COUNT(*) FROM work") == known
