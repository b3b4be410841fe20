"""Goal: a pipeline is begun at GitLab once, by who may, with the words that were shown; its end there is the end here,
across lost answers."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from forges import GitLab
from gitlab_api import GitlabApi
from pipeline_aid import RELEASE, begins
from stage import wait_until
from telegram_client import text_of

TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
READER = "glpat-" + "7vR2mQ9xK4" * 2
SECRET = "forge-s3cret-of-this-test-0123456789"
PATH = "orchard/fruit/shop"


@pytest.fixture(name="api", scope="module")
def _api():
    api = GitlabApi({TOKEN: [PATH], READER: [PATH]}, project=15)
    api.inputs = ("channel", "version")
    api.readers.add(READER)
    yield api
    api.stop()


def settings(api, token=TOKEN):
    return {"FORGE_WEBHOOK_SECRET": SECRET, "REPOSITORY_PATH": PATH, "GITHUB_REPOSITORY": "", "GITLAB_URL": api.url,
            "REPORT_DEPLOYMENTS": "false",
            "GITLAB_API_TOKEN": token, "PIPELINE_RELEASE": ".gitlab-ci.yml ref=main channel=stable version=?"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory, api):
    made = Scene(tmp_path_factory.mktemp("pipeline"), settings=settings(api))
    made.lab = GitLab(f"{made.bot.base}/forge/webhook/gitlab", SECRET, PATH)
    yield made
    ended_well(made)


def running(scene, api):
    """Who has begun one, and the pipeline, when it is named."""
    who, _ = begins(scene)
    who.hear("Running production release", "/-/pipelines/")
    return who, api.pipelines[-1]


def ends(scene, api, made, status, **changed):
    """It is over at GitLab, whose webhook says so."""
    api.job(made, "unit", status)
    newest = max(made["jobs"], key=lambda job: job["id"])
    said = scene.lab.pipeline(status, [(newest["id"], "unit", status)], id=made["id"], iid=made["iid"], ref=made["ref"],
                              sha=made["sha"], source="api", **changed)
    assert scene.lab.deliver(said)["status"] == 200


def begun(api):
    return sum(path.endswith(("/pipeline", "/retry")) and status == 201 for path, status in api.calls)


def test_what_was_shown_is_begun_and_its_end_is_said(scene, api):
    who, question = begins(scene)
    assert f".gitlab-ci.yml at main of {PATH}: channel=stable version=1.4.2-RC1" in question
    view = who.hear("Running production release", "/-/pipelines/")
    made = api.pipelines[-1]
    assert made["inputs"] == {"channel": "stable", "version": "1.4.2-RC1"} and made["ref"] == "main"
    assert f"{api.url}/{PATH}/-/pipelines/{made['id']}" in text_of(view)
    assert not scene.is_busy("production") and begun(api) == 1
    ends(scene, api, made, "success")
    who.hear("Done: production release", f"/pipelines/{made['id']}")


def test_failed_jobs_run_again_behind_a_question(scene, api):
    who, made = running(scene, api)
    ends(scene, api, made, "failed")
    failed = who.hear("Failed: production release", "its pipeline failed: test › unit",
                      buttons=["Run failed jobs"])
    before = begun(api)
    who.since = scene.chat.mark()
    who.press(failed, "Run failed jobs")
    asked = who.hear("❓ Run? production release 1.4.2-RC1 (failed jobs)",
                     f"failed jobs of pipeline {made['id']} of {PATH} again")
    assert begun(api) == before
    who.press(asked, "🔧 Run release 1.4.2-RC1 (failed jobs)")
    who.hear("Running production release", f"/pipelines/{made['id']}")
    ends(scene, api, made, "success")
    who.hear("Done: production release")
    assert begun(api) == before + 1


def test_a_late_word_of_the_attempt_before_ends_nothing(scene, api):
    who, made = running(scene, api)
    ends(scene, api, made, "failed")
    failed = who.hear("Failed: production release", buttons=["Run failed jobs"])
    late = made["jobs"][0]["id"]
    who.since = scene.chat.mark()
    who.press(failed, "Run failed jobs")
    who.press(who.hear("❓ Run? production release", "again"), "🔧 Run release")
    who.hear("Running production release", f"/pipelines/{made['id']}")
    said = scene.lab.pipeline("failed", [(late, "unit", "failed")], id=made["id"], source="api")
    assert scene.lab.deliver(said)["status"] == 200
    ends(scene, api, made, "success")
    who.hear("Done: production release")


def test_a_stop_cancels_it_at_gitlab(scene, api):
    who, made = running(scene, api)
    who.say("/cancel production")
    wait_until(lambda: made["status"] == "canceled", 60, "a cancel at GitLab")
    ends(scene, api, made, "canceled")
    who.hear("Stopped: production release")


@pytest.mark.parametrize("trouble, said", [(401, "HTTP 401"), (403, "HTTP 403"), (404, "HTTP 404"), (400, "HTTP 400"),
                                           (429, "HTTP 429")], ids=str)
def test_what_gitlab_refuses_has_not_begun(scene, api, trouble, said):
    before = len(api.pipelines)
    api.refusals.append(trouble)
    who, _ = begins(scene)
    who.hear("production release", "not started", f"GitLab: {said}")
    assert len(api.pipelines) == before


def test_what_is_wrong_with_it_is_said_in_gitlabs_words(scene, api):
    api.branches = ("develop",)
    who, _ = begins(scene)
    who.hear("production release", "not started: GitLab: HTTP 400: Reference not found")
    api.branches = ("main",)


def test_a_retry_whose_answer_was_lost_is_followed_by_its_number(scene, api):
    who, made = running(scene, api)
    ends(scene, api, made, "failed")
    failed = who.hear("Failed: production release", buttons=["Run failed jobs"])
    who.since = scene.chat.mark()
    who.press(failed, "Run failed jobs")
    api.troubles.append("late away")
    who.press(who.hear("❓ Run? production release", "again"), "🔧 Run release")
    who.hear("Running production release", f"/pipelines/{made['id']}")
    ends(scene, api, made, "success")
    who.hear("Done: production release")


def test_an_answer_that_was_lost_is_said_to_be_unknown_and_it_is_begun_once(scene, api):
    """Nothing there shows which pipeline is ours."""
    before = begun(api)
    api.troubles.append("late away")
    who, _ = begins(scene)
    who.hear("production release", "whether it was started is not known")
    assert begun(api) == before + 1


def test_another_projects_pipeline_of_that_number_ends_nothing(scene, api):
    who, made = running(scene, api)
    other = GitLab(scene.lab.url, SECRET, "orchard/other")
    assert other.deliver(other.pipeline("failed", [(999, "unit", "failed")], id=made["id"], source="api"))[
        "status"] == 202
    ends(scene, api, made, "success")
    who.hear("Done: production release")


def test_whoever_may_not_begins_none(scene, api):
    before = begun(api)
    scene.carl.say(RELEASE)
    scene.carl.hear("Denied: run-pipeline")
    assert begun(api) == before


def test_a_token_that_may_only_read_begins_none(tmp_path, api):
    made = Scene(tmp_path, settings=settings(api, READER))
    try:
        who, _ = begins(made)
        who.hear("production release", "not started", "GitLab: HTTP 403: 403 Forbidden")
    finally:
        ended_well(made)
