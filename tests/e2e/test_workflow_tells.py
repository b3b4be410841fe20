"""Goal: what CI sends deploybot when its image is there is, to the real server, the push itself: it deploys that, once,
and believes nobody who has another secret."""
# SPDX-License-Identifier: ISC
import json

import pytest

from flow_aid import Scene, ended_well
from github import commit_entry, push_payload
from stage import GITHUB_SECRET
from workflow_aid import Workbench

REPOSITORY = "orchard/shop"
TELL = "Notify deploybot of the push"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("tells"), deliver=True, settings={"GITHUB_REPOSITORY": "Orchard/Shop"})
    yield made
    ended_well(made)


@pytest.fixture
def ci(scene, tmp_path):
    made = Workbench(tmp_path, "/usr/bin:/bin", commands=())    # the real curl
    made.plan("deploybot", "staging")
    made.context["secrets"] = {"DEPLOYBOT_URL": scene.bot.base, "DEPLOYBOT_WEBHOOK_SECRET": GITHUB_SECRET}
    made.more = {"no_proxy": "127.0.0.1"}
    yield made
    made.done()


def event_of(ci, change):
    """As Actions has it in GITHUB_EVENT_PATH: laid out for people, and without the names of files."""
    commit = commit_entry(REPOSITORY, change["after"], change["subject"])
    for key in ("added", "removed", "modified"):
        commit.pop(key, None)
    payload = push_payload(REPOSITORY, "refs/heads/" + change["branch"], change["before"], change["after"], [commit])
    (ci.path / "event.json").write_text(json.dumps(payload, indent=2))
    ci.commit = change["after"]


def test_a_push_that_ci_tells_goes_live_once(scene, ci):
    change = scene.commit("develop", "good")
    event_of(ci, change)
    assert ci.job("tell")[0] == 0 and "was notified of" in ci.said[-1], ci.said
    scene.ada.hear("Live: staging", change["after"][:7], "pushed by github:ada-byron")
    asked = len(scene.audit(action="deploy_requested", environment="staging"))
    # A job that is repeated, and one that is run again later.
    for attempt in ("1", "2"):
        ci.more["GITHUB_RUN_ATTEMPT"] = attempt
        assert ci.step("tell", TELL) == 0, ci.said
    scene.ada.say("/deploy staging nosuch")
    scene.ada.hear("Not deployed: staging")
    assert len(scene.audit(action="deploy_requested", environment="staging")) == asked + 1, "the question alone"
    assert scene.runs("staging") == change["after"]


def test_who_has_another_secret_is_told_which_and_deploys_nothing(scene, ci):
    change = scene.commit("develop", "good")
    event_of(ci, change)
    ci.context["secrets"]["DEPLOYBOT_WEBHOOK_SECRET"] = "another-secret-of-the-same-length-0000"
    assert ci.job("tell")[0] == 1 and "GITHUB_WEBHOOK_SECRET is not what DEPLOYBOT_WEBHOOK_SECRET is" in ci.said[-1]
    assert scene.runs("staging") != change["after"]


def test_a_push_of_another_repository_is_said(scene, ci):
    event_of(ci, scene.commit("develop", "good"))
    event = ci.path / "event.json"
    event.write_text(event.read_text().replace('"full_name": "orchard/shop"', '"full_name": "orchard/pears"'))
    assert ci.job("tell")[0] == 1 and "GITHUB_REPOSITORY" in ci.said[-1], ci.said
