"""Goal: a workflow that fails on an environment's branch is said once in the chat, with the step and the line that
GitHub has for it, and the green run after it is an edit; GitHub may refuse, tear or delay what it is asked."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from github import workflow_run
from github_api import Api
from stage import GITHUB_SECRET
from telegram_client import GROUP
from test_flow_ci import SHOP, TOKEN, says

FAILED = {"id": 555, "name": "test", "conclusion": "failure", "steps": [
    {"name": "Set up", "conclusion": "success"}, {"name": "Unit tests", "conclusion": "failure"}]}
WELL = {"id": 554, "name": "lint", "conclusion": "success", "steps": []}
LINES = [{"path": ".github", "start_line": 9, "annotation_level": "failure", "message": "Process completed"},
         {"path": "src/cart.c", "start_line": 3, "annotation_level": "warning", "message": "unused"},
         *({"path": "src/cart.c", "start_line": at, "annotation_level": "failure", "message": f"expected {at}\nnot 4"}
           for at in (12, 13, 14, 15))]


@pytest.fixture(name="api")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {
        "metadata": "read", "actions": "read", "checks": "read"}}})
    yield api
    api.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path, api):
    made = Scene(tmp_path, settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_API_URL": api.url,
        "GITHUB_API_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": str(GROUP)})
    yield made
    ended_well(made)


def ends(scene, number, conclusion, **changed):
    run = workflow_run(SHOP, "ci.yml", f"{number:040x}", number=number, conclusion=conclusion, **changed)
    assert says(scene, run) == 200


def texts(scene):
    return [row[0] for row in scene.bot_rows("SELECT head FROM message ORDER BY id")]


def test_red_with_its_step_and_line_then_green(scene, api):
    api.jobs[9000001] = [WELL, FAILED]
    api.annotations[555] = LINES
    who = scene.admin()
    ends(scene, 1, "failure")
    who.hear("CI failed: shop develop, ci.yml", "by mona", "test › Unit tests", "src/cart.c:12: expected 12 not 4",
             chat=GROUP)
    [text] = texts(scene)
    assert "src/cart.c:14" in text and "src/cart.c:15" not in text and "Process completed" not in text
    assert "unused" not in text and f"{api.url}/{SHOP}/actions/runs/9000001" in text
    ends(scene, 2, "success")
    who.hear("CI green again: shop develop, ci.yml", chat=GROUP)
    assert len(texts(scene)) == 1


@pytest.mark.parametrize("trouble", [502, "torn", "429", "away"], ids=str)
def test_what_passes_is_asked_again(scene, api, trouble):
    api.troubles.append(("/jobs", trouble))
    api.jobs[9000001] = [FAILED]
    ends(scene, 1, "failure")
    scene.admin().hear("CI failed: shop develop", "test › Unit tests", chat=GROUP)


@pytest.mark.parametrize("status", [403, 404], ids=str)
def test_what_is_not_allowed_leaves_the_page(scene, api, status):
    api.troubles.append(("/annotations", status))
    api.jobs[9000001] = [FAILED]
    ends(scene, 1, "failure")
    scene.admin().hear("CI failed: shop develop", "test › Unit tests", "actions/runs/9000001",
                         chat=GROUP)
    assert not api.troubles
