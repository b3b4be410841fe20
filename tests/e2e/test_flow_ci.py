"""Goal: a push is deployed when GitHub says that the workflows which its environment requires have passed, whether its
webhook says so or it has to be asked; what anybody else says counts for nothing."""
# SPDX-License-Identifier: ISC
import http.client
import json
import uuid

import pytest

from flow_aid import Scene, ended_well
from github import sign, workflow_run
from github_api import Api
from stage import GITHUB_SECRET, wait_until

TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
SHOP = "octo/shop"


@pytest.fixture(name="api", scope="module")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {"metadata": "read", "actions": "read"}}})
    yield api
    api.stop()


@pytest.fixture(scope="module")
def scene(tmp_path_factory, api):
    made = Scene(tmp_path_factory.mktemp("ci"), settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_API_URL": api.url,
        "GITHUB_API_TOKEN": TOKEN, "STAGING_REQUIRE_CI": "ci.yml"})
    yield made
    ended_well(made)


def deliver(scene, event, payload, secret=GITHUB_SECRET):
    body = json.dumps(payload).encode()
    connection = http.client.HTTPConnection("127.0.0.1", scene.http_port, timeout=60)
    connection.request("POST", "/github/webhook", body, {
        "Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(secret, body)})
    return connection.getresponse().status


def says(scene, run, **options):
    return deliver(scene, "workflow_run", {"action": "completed", "workflow_run": run, "repository": run["repository"]},
                   **options)


def asks(scene):
    """Somebody asks for it: who, and its commit, when it waits for CI."""
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear(commit[:7], "CI: ci.yml not seen yet")
    return who, commit


def test_what_a_webhook_says_is_acted_on_at_once(scene):
    who, commit = asks(scene)
    assert says(scene, workflow_run(SHOP, "ci.yml", commit)) == 200
    who.hear(commit[:7], "CI: ci.yml running")
    assert says(scene, workflow_run(SHOP, "ci.yml", commit, conclusion="success")) == 200
    who.hear("Live: staging", commit[:7])


def test_what_no_webhook_says_is_asked_for(scene, api):
    commit, who = scene.commit("develop")["after"], scene.admin()
    api.runs.append(workflow_run(SHOP, "ci.yml", commit, conclusion="success"))
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])
    assert any(f"head_sha={commit}" in path and status == 200 for _, path, status in api.calls)


def test_runs_of_timers_do_not_hide_the_one_that_counts(scene, api):
    commit, who = scene.commit("develop")["after"], scene.admin()
    api.runs.append(workflow_run(SHOP, "ci.yml", commit, conclusion="failure"))
    api.runs.append(workflow_run(SHOP, "ci.yml", commit, number=2, conclusion="success", event="workflow_dispatch"))
    api.runs += [workflow_run(SHOP, "nightly.yml", commit, number=number, conclusion="success", event="schedule")
                 for number in range(3, 33)]
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])


def test_a_red_one_is_refused_with_its_page(scene):
    who, commit = asks(scene)
    says(scene, workflow_run(SHOP, "ci.yml", commit, number=77, conclusion="failure"))
    refused = who.hear(commit[:7], "CI not passed", "ci.yml: failure")
    assert f"{scene.settings()['GITHUB_API_URL']}/{SHOP}/actions/runs/9000077" in json.dumps(refused)


def test_github_is_away_and_its_webhook_is_not(scene, api):
    api.troubles.append(("/actions/runs", 502))
    who, commit = asks(scene)
    who.hear(commit[:7], "GitHub: ")
    says(scene, workflow_run(SHOP, "ci.yml", commit, conclusion="success"))
    who.hear("Live: staging", commit[:7])


@pytest.mark.parametrize("said", [
    {"event": "pull_request"}, {"fork": 5}, {"head_repository": None}, {"path": ".github/workflows/other.yml"},
    {"path": "ci.yml"}], ids=str)
def test_nothing_else_is_a_yes(scene, said):
    who, commit = asks(scene)
    run = workflow_run(SHOP, "ci.yml", commit, conclusion="success")
    if "fork" in said:
        run = workflow_run(SHOP, "ci.yml", commit, conclusion="success", **said)
    assert says(scene, {**run, **{k: v for k, v in said.items() if k != "fork"}}) in (200, 202)
    assert says(scene, workflow_run(SHOP, "ci.yml", commit), secret="another" * 5) == 401
    assert scene.bot_rows(f"SELECT file FROM pipeline_run WHERE commit_id = '{commit}' AND file = 'ci.yml'") == []
    assert scene.bot_rows(f"SELECT state, waits_for FROM work WHERE commit_id = '{commit}'") == [("QUEUED", "ci")]
    who.say("/cancel staging")
    wait_until(lambda: scene.bot_rows("SELECT COUNT(*) FROM work WHERE state = 'QUEUED'") == [(0,)], 60, "an end")


@pytest.mark.parametrize("body", [
    {"workflow_run": {}}, {"action": "completed"}, {"action": "completed", "workflow_run": {"id": 1}},
    {"action": "completed", "workflow_run": {"id": "1"}, "ref": "refs/heads/main", "after": "0" * 40}], ids=str)
def test_what_is_no_run_is_refused(scene, body):
    assert deliver(scene, "workflow_run", body) == 400


def test_what_is_larger_than_any_is_not_read(scene):
    assert deliver(scene, "workflow_run", {"action": "completed", "x": "x" * (1 << 20)}) == 202
