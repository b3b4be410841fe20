"""Goal: a workflow is begun at GitHub once, by who may, with the words that were shown; its end there is the end here,
whether a webhook says it or GitHub is asked, across lost answers and kill -9."""
# SPDX-License-Identifier: ISC
import http.client
import json
import uuid

import pytest

from flow_aid import Scene, ended_well
from github import sign
from github_api import Api
from pipeline_aid import RELEASE, begins
from stage import GITHUB_SECRET, wait_until
from telegram_client import text_of

TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
SHOP = "octo/shop"
WORKFLOWS = {"release.yml": {"branches": ["main"], "inputs": ["channel", "version"]},
             "nightly.yml": {"branches": ["main"], "inputs": ["deploybot"], "title": "nightly {deploybot}"}}
NIGHTLY = "/do run-pipeline production nightly"


@pytest.fixture(name="api", scope="module")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {"metadata": "read", "actions": "write"}}})
    api.workflows.update(WORKFLOWS)
    yield api
    api.let_go.set()
    api.stop()


@pytest.fixture(scope="module")
def scene(tmp_path_factory, api):
    made = Scene(tmp_path_factory.mktemp("pipeline"), settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_API_URL": api.url,
        "GITHUB_API_TOKEN": TOKEN, "PIPELINE_RELEASE": "release.yml ref=main channel=stable version=?",
        "PIPELINE_NIGHTLY": "nightly.yml ref=main deploybot=?"})
    yield made
    ended_well(made)


def ends(scene, run, conclusion):
    """It is over at GitHub, whose webhook says so."""
    run.update(status="completed", conclusion=conclusion)
    body = json.dumps({"action": "completed", "workflow_run": run, "repository": run["repository"]}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", scene.http_port, timeout=60)
    connection.request("POST", "/github/webhook", body, {
        "Content-Type": "application/json", "X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(GITHUB_SECRET, body)})
    assert connection.getresponse().status == 200


def runs(who, api, name, before):
    """The run that came behind so many is named."""
    wait_until(lambda: len(api.runs) > before, 60, "a run at GitHub")
    who.hear(f"Running production {name}", f"/actions/runs/{api.runs[-1]['id']}")


def begun(api):
    """How often something was begun there."""
    return sum(path.endswith(("/dispatches", "/rerun-failed-jobs")) and 200 <= status < 300
               for _, path, status in api.calls)


def test_what_was_shown_is_begun_and_its_end_is_said(scene, api):
    who, question = begins(scene)
    assert "release.yml at main of octo/shop: channel=stable version=1.4.2-RC1" in question
    view = who.hear("Running production release", "/actions/runs/")
    run = api.runs[-1]
    assert run["inputs"] == {"channel": "stable", "version": "1.4.2-RC1"}
    assert f"/{SHOP}/actions/runs/{run['id']}" in text_of(view)
    assert not scene.is_busy("production")
    ends(scene, run, "success")
    who.hear("Done: production release", f"/actions/runs/{run['id']}")


def test_failed_jobs_run_again_behind_a_question(scene, api):
    who, _ = begins(scene)
    who.hear("Running production release", "/actions/runs/")
    run = api.runs[-1]
    ends(scene, run, "failure")
    failed = who.hear("Failed: production release", "its run failed", buttons=["Run failed jobs"])
    before = begun(api)
    who.since = scene.chat.mark()
    who.press(failed, "Run failed jobs")
    asked = who.hear("❓ Run? production release 1.4.2-RC1 (failed jobs)",
                     f"failed jobs of run {run['id']} of {SHOP} again")
    assert begun(api) == before
    who.press(asked, "🔧 Run release 1.4.2-RC1 (failed jobs)")
    who.hear("Running production release", "/actions/runs/")
    wait_until(lambda: run["run_attempt"] == 2, 60, "a second attempt")
    ends(scene, run, "success")
    who.hear("Done: production release")
    assert begun(api) == before + 1


def test_a_stop_cancels_it_at_github(scene, api):
    who, _ = begins(scene)
    who.hear("Running production release", "/actions/runs/")
    run = api.runs[-1]
    who.say("/cancel production")
    wait_until(lambda: run["conclusion"] == "cancelled", 60, "a cancel at GitHub")
    ends(scene, run, "cancelled")
    who.hear("Stopped: production release")


def test_an_answer_that_was_lost_is_made_up_for_by_its_title(scene, api):
    for trouble in ((), ("/dispatches", "away")):  # the first one's connection is kept: on that it would be sent twice
        n = len(api.runs)
        before = begun(api)
        api.troubles.extend([trouble] if trouble else [])
        who, _ = begins(scene, NIGHTLY)
        runs(who, api, "nightly", n)
        assert begun(api) == before + 1
        ends(scene, api.runs[-1], "success")
        who.hear("Done: production nightly")


def test_killed_between_the_request_and_its_answer_it_is_begun_once(scene, api):
    n = len(api.runs)
    before = begun(api)
    api.let_go.clear()
    api.troubles.append(("/dispatches", "late"))
    who, _ = begins(scene, NIGHTLY)
    wait_until(lambda: begun(api) == before + 1, 60, "a run at GitHub")
    scene.bot.kill()
    api.let_go.set()
    scene.bot.start()
    runs(who, api, "nightly", n)
    assert begun(api) == before + 1
    ends(scene, api.runs[-1], "success")
    who.hear("Done: production nightly")


def test_a_server_that_does_not_know_our_key_is_asked_without_it(scene, api):
    n = len(api.runs)
    api.is_old = True
    who, _ = begins(scene, NIGHTLY)
    runs(who, api, "nightly", n)
    api.is_old = False
    ends(scene, api.runs[-1], "success")
    who.hear("Done: production nightly")


@pytest.mark.parametrize("trouble, said", [
    (401, "HTTP 401"), (403, "HTTP 403"), (404, "HTTP 404"), (422, "HTTP 422"), ("429", "HTTP 429")], ids=str)
def test_what_github_refuses_has_not_begun(scene, api, trouble, said):
    before = begun(api)
    api.troubles.append(("/dispatches", trouble))
    who, _ = begins(scene)
    who.hear("production release", "not started", f"GitHub: {said}")
    assert begun(api) == before


def test_whoever_may_not_begins_none(scene, api):
    before = begun(api)
    carl = scene.carl
    carl.say(RELEASE)
    carl.hear("Denied: run-pipeline")
    assert begun(api) == before
