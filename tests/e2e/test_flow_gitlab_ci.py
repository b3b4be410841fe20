"""Goal: a push is deployed when GitLab says that its pipeline has passed, whether its webhook says so or it has to be
asked; what anybody else says counts for nothing."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from forges import GitLab
from gitlab_api import GitlabApi
from stage import wait_until

TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
SECRET = "forge-s3cret-of-this-test-0123456789"
PATH = "orchard/fruit/shop"


@pytest.fixture(name="api", scope="module")
def _api():
    api = GitlabApi({TOKEN: [PATH]}, project=15)
    yield api
    api.stop()


@pytest.fixture(scope="module")
def scene(tmp_path_factory, api):
    made = Scene(tmp_path_factory.mktemp("ci"), settings={
        "FORGE_WEBHOOK_SECRET": SECRET, "REPOSITORY_PATH": PATH, "GITHUB_REPOSITORY": "", "GITLAB_URL": api.url,
        "REPORT_DEPLOYMENTS": "false",
        "GITLAB_API_TOKEN": TOKEN, "STAGING_REQUIRE_CI": ".gitlab-ci.yml"})
    made.lab = GitLab(f"{made.bot.base}/forge/webhook/gitlab", SECRET, PATH)
    yield made
    ended_well(made)


def asks(scene):
    """Somebody asks for it: who, and its commit, when it waits for CI."""
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear(commit[:7], "CI: .gitlab-ci.yml not seen yet")
    return who, commit


def says(scene, status, commit, builds, number=500, **changed):
    """By its webhook: of a pipeline that the API does not have, unless it has its id."""
    return scene.lab.deliver(scene.lab.pipeline(status, builds, number, sha=commit, **changed))["status"]


def withdraw(scene, who):
    who.say("/cancel staging")
    wait_until(lambda: scene.bot_rows("SELECT COUNT(*) FROM work WHERE state = 'QUEUED'") == [(0,)], 60, "an end")


def test_what_a_webhook_says_is_acted_on_at_once(scene):
    who, commit = asks(scene)
    assert says(scene, "running", commit, [(380, "unit", "running")]) == 200
    who.hear(commit[:7], "CI: .gitlab-ci.yml running")
    assert says(scene, "success", commit, [(380, "unit", "success")]) == 200
    who.hear("Live: staging", commit[:7])


def test_what_no_webhook_says_is_asked_for(scene, api):
    commit, who = scene.commit("develop")["after"], scene.admin()
    made = api.begin(commit)
    api.job(made, "unit", "success")
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])
    asked = [path.partition("?")[0].rpartition("/")[2] for path, status in api.calls if status == 200]
    assert [one for one in asked if one != "hooks"][-2:] == ["pipelines", "jobs"]


def test_a_red_one_is_refused_with_its_page(scene, api):
    who, commit = asks(scene)
    says(scene, "failed", commit, [(390, "unit", "failed")], number=77)
    who.hear(commit[:7], "CI not passed", ".gitlab-ci.yml: failure", f"{api.url}/{PATH}/-/pipelines/9077")


def test_a_job_that_is_begun_again_is_a_new_word_whoever_says_it(scene, api):
    """GitLab's answer is as new as its newest job: the webhook's late red of the one before changes nothing."""
    commit, who = scene.commit("develop")["after"], scene.admin()
    made = api.begin(commit)
    api.job(made, "unit", "failed")
    api.job(made, "unit", "success")
    newest = made["jobs"][0]["id"]
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])
    says(scene, "failed", commit, [(newest - 1, "unit", "failed")], id=made["id"])
    assert scene.bot_rows(f"SELECT attempt, conclusion FROM pipeline_run WHERE commit_id = '{commit}'") == [
        (newest, "success")]


@pytest.mark.parametrize("trouble", [502, 401, 404, 429, "html", "away"], ids=str)
def test_gitlab_is_away_and_its_webhook_is_not(scene, api, trouble):
    api.troubles.append(trouble)
    who, commit = asks(scene)
    who.hear(commit[:7], "GitLab: ")
    assert TOKEN not in scene.bot.log()
    says(scene, "success", commit, [(400, "unit", "success")])
    who.hear("Live: staging", commit[:7])


def test_a_newer_pipeline_of_another_kind_hides_none(scene, api):
    commit, who = scene.commit("develop")["after"], scene.admin()
    for other in ({}, {"source": "merge_request_event"}, {"ref": "feature"}):
        api.job(api.begin(commit, **other), "unit", "running" if other else "success")
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])


@pytest.mark.parametrize("other, words", [({}, "Live: staging"), ({"tag": True}, "CI: .gitlab-ci.yml not seen yet")])
def test_one_of_trigger_jobs_alone_says_it_itself(scene, api, other, words):
    """Those are in no list of jobs."""
    commit, who = scene.commit("develop")["after"], scene.admin()
    api.begin(commit, **other)["status"] = "success"
    who.say("/deploy staging")
    who.hear(words, commit[:7])
    if other:
        withdraw(scene, who)


@pytest.mark.parametrize("other", [{"source": "merge_request_event"}, {"source": "schedule"}, {"tag": True},
                                   {"ref": "feature"}], ids=str)
def test_nothing_else_is_a_yes(scene, api, other):
    commit, who = scene.commit("develop")["after"], scene.admin()
    api.job(api.begin(commit, **other), "unit", "success")
    asked = len(api.calls)
    who.say("/deploy staging")
    who.hear(commit[:7], "CI: .gitlab-ci.yml not seen yet")
    wait_until(lambda: len(api.calls) > asked, 60, "its question")
    assert says(scene, "success", commit, [(410, "unit", "success")], **other) in (200, 202)
    assert scene.bot_rows(f"SELECT state, waits_for FROM work WHERE commit_id = '{commit}'") == [("QUEUED", "ci")]
    withdraw(scene, who)
