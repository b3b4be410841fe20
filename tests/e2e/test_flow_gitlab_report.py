"""Goal: each deployment and rollback is a deployment at GitLab, once, with its states in their order, whatever GitLab
does meanwhile; and nothing here waits for it."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import ANY, PATIENCE_S, Scene, ended_well
from gitlab_api import GitlabApi
from stage import wait_until

TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
PATH = "orchard/fruit/shop"


@pytest.fixture(name="api")
def _api():
    api = GitlabApi({TOKEN: [PATH]})
    yield api
    api.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path, api):
    made = Scene(tmp_path, settings={
        "REPOSITORY_PATH": PATH, "GITHUB_REPOSITORY": "", "GITLAB_URL": api.url, "GITLAB_API_TOKEN": TOKEN,
        "WATCH_PIPELINES": "none", "PRODUCTION_CONFIRM": "false"})
    yield made
    ended_well(made)


def said(api, environment="staging"):
    """What GitLab shows of it, the oldest first."""
    return [(one["sha"], one["states"]) for one in api.deployments if one["environment"]["name"] == environment]


def wait_said(api, *wanted):
    wait_until(lambda: said(api) == list(wanted), PATIENCE_S, f"{wanted} at GitLab")


def made(api):
    return sum(path.endswith("/deployments") and status == 201 for path, status in api.calls)


def test_each_is_one_of_its_own_with_its_states(scene, api):
    scene.release("staging")
    good = scene.runs("staging")
    wait_said(api, (good, ["running", "success"]))
    assert api.deployments[0]["ref"] == "develop"
    bad = scene.commit("develop", "broken")["after"]
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Rolled back: staging", confirms=ANY)
    newer = scene.commit("develop")["after"]
    scene.release("staging")
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?"), "Roll back")
    who.hear("↩️ Rolled back: staging")
    wait_until(lambda: scene.runs("staging") == good, PATIENCE_S, "the rollback")
    wait_said(api, (good, ["running", "success"]), (bad, ["running", "failed"]), (newer, ["running", "success"]),
              (good, ["running", "success"]))


@pytest.mark.parametrize("troubles", ((502, None, "html"), ("away", "late away", None, "late away", None, "late away")))
def test_nothing_waits_and_nothing_is_there_twice_while_it_is_away(scene, api, troubles):
    """Looked for, made without an answer, looked for, found."""
    api.troubles = list(troubles)
    scene.release("staging")
    wait_said(api, (scene.runs("staging"), ["running", "success"]))
    assert made(api) == 1 and api.troubles == []


def test_a_jobs_own_deployment_of_that_commit_is_not_ours(scene, api):
    commit = scene.head("develop")
    api.deploy({"environment": "staging", "sha": commit, "ref": "develop", "tag": False, "status": "running"},
               job={"id": 380})
    api.deploy({"environment": "production", "sha": commit, "ref": "develop", "tag": False, "status": "running"})
    scene.release("staging")
    wait_said(api, (commit, ["running"]), (commit, ["running", "success"]))
    assert api.deployments[1]["states"] == ["running"]


def test_a_no_is_logged_once_and_keeps_nobody(scene, api):
    api.readers.add(TOKEN)
    for _ in range(2):
        scene.commit("develop")
        scene.release("staging")
    wait_until(lambda: sum(status == 403 for _, status in api.calls) == 4, PATIENCE_S, "four times no")
    assert said(api) == []
    log = scene.bot.log()
    assert log.count(f"{PATH}: deployments are not shown there (REPORT_DEPLOYMENTS): HTTP 403: 403 Forbidden") == 1
