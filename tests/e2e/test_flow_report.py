"""Goal: each deployment and rollback is a Deployment at GitHub, once, with its states in their order, whatever GitHub
or the server does meanwhile; and nothing here waits for it."""
# SPDX-License-Identifier: ISC
import threading

import pytest

from flow_aid import ANY, PATIENCE_S, Scene, ended_well
from github_api import Api
from stage import wait_until

TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
SHOP = "octo/shop"


@pytest.fixture(name="api")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {"metadata": "read", "deployments": "write"}}})
    yield api
    api.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path, api):
    made = Scene(tmp_path, settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_API_URL": api.url, "GITHUB_API_TOKEN": TOKEN, "WATCH_PIPELINES": "none",
        "PRODUCTION_GITHUB_ENVIRONMENT": "Live shop", "PRODUCTION_CONFIRM": "false"})
    yield made
    ended_well(made)


def said(api, environment="staging"):
    """What GitHub shows of it, the oldest first."""
    return [(one["sha"], one["states"]) for one in api.deployments if one["environment"] == environment]


def wait_said(api, *wanted, environment="staging"):
    wait_until(lambda: said(api, environment) == list(wanted), PATIENCE_S, f"{wanted} at GitHub")


def posts(api):
    return [path.removeprefix(f"/repos/{SHOP}") for method, path, _ in api.calls if method == "POST"]


def test_each_is_one_of_its_own_with_its_states(scene, api):
    scene.release("staging")
    good = scene.runs("staging")
    wait_said(api, (good, ["in_progress", "success"]))
    assert [(one["payload"]["deploybot"], one["production_environment"]) for one in api.deployments] == [(1, False)]
    bad = scene.commit("develop", "broken")["after"]
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Rolled back: staging", confirms=ANY)
    # What ran before is shown as active still.
    wait_said(api, (good, ["in_progress", "success"]), (bad, ["in_progress", "failure"]))
    newer = scene.commit("develop")["after"]
    scene.release("staging")
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?"), "Roll back")
    who.hear("↩️ Rolled back: staging")
    wait_until(lambda: scene.runs("staging") == good, PATIENCE_S, "the rollback")
    wait_said(api, (good, ["in_progress", "success", "inactive"]), (bad, ["in_progress", "failure"]),
              (newer, ["in_progress", "success", "inactive"]), (good, ["in_progress", "success"]))


def test_production_is_that_and_has_its_name_there(scene, api):
    scene.release("production")
    wait_said(api, (scene.runs("production"), ["in_progress", "success"]), environment="Live shop")
    assert [one["production_environment"] for one in api.deployments] == [True]


def test_nothing_waits_and_nothing_is_lost_while_it_is_away(scene, api):
    api.troubles = [("/deployments", trouble) for trouble in (502, "torn", "away")]
    scene.release("staging")
    commit = scene.runs("staging")
    wait_said(api, (commit, ["in_progress", "success"]))
    assert api.troubles == []


@pytest.mark.parametrize("is_text", (False, True))
def test_one_that_was_made_without_an_answer_is_found(scene, api, is_text):
    api.payloads_are_text = is_text
    # It lists them, makes one, and goes away.
    api.troubles = [("/deployments", "none"), ("/deployments", "away")]
    scene.release("staging")
    wait_said(api, (scene.runs("staging"), ["in_progress", "success"]))
    assert posts(api).count("/deployments") == 1


def test_one_of_another_life_is_not_ours(scene, api):
    commit = scene.head("develop")
    api.deploy({"ref": commit, "auto_merge": False, "required_contexts": [], "environment": "staging",
                "payload": {"deploybot": 1, "at": 5}})     # by a database before a restore
    scene.release("staging")
    wait_said(api, (commit, []), (commit, ["in_progress", "success"]))


def test_one_whose_server_is_killed_is_told_of_once(scene, api):
    killed, is_up = [threading.Event(), threading.Event()], threading.Event()

    def kill(at):
        assert at == 0 or is_up.wait(PATIENCE_S), "the server that asks is the scene's by now"
        scene.bot.kill()
        killed[at].set()
    api.after["&per_page=30"] = lambda: kill(0)
    who = scene.admin()
    who.say("/deploy staging")
    assert killed[0].wait(PATIENCE_S), "it is killed before it hears that there is none"
    api.after["/deployments"] = lambda: kill(1)
    scene.start_bot()
    is_up.set()
    assert killed[1].wait(PATIENCE_S), "it is killed before it hears that it is made"
    scene.start_bot()
    who.hear("Live: staging", confirms=ANY)
    wait_said(api, (scene.runs("staging"), ["in_progress", "success"]))


@pytest.mark.parametrize("level, commits, why", (
    ("read", [], "HTTP 403: Resource not accessible"), ("write", ["0" * 40], "HTTP 422: No ref found for")))
def test_a_no_is_logged_once_and_keeps_nobody(scene, api, level, commits, why):
    api.people[TOKEN]["permissions"]["deployments"], api.commits = level, commits
    for _ in range(2):
        scene.commit("develop")
        scene.release("staging")
    wait_until(lambda: len(posts(api)) == 4, PATIENCE_S, "four times no")
    assert said(api) == []
    log = scene.bot.log()
    assert log.count(f"octo/shop: deployments are not shown there (REPORT_DEPLOYMENTS): {why}") == 1


def test_what_is_switched_off_is_not_asked(scene, api):
    scene.bot.stop()
    scene.start_bot(REPORT_DEPLOYMENTS="false")
    scene.release("staging")
    assert [path for _, path, _ in api.calls if "deployments" in path] == []
