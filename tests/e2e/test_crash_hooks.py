"""Goal: what a forge or a hook was answered for is acted on exactly once, though the server is killed between the
commit and the answer, or right behind it; who asks again gets the first answer."""
# SPDX-License-Identifier: ISC
import http.client
import uuid

import pytest

from crash_aid import STEADY, CrashScene, killed_at
from flow_aid import PATIENCE_S
from forges import Bitbucket, GitLab
from hook_aid import HOOKS, OWN, call
from stage import wait_until

SECRET = "forge-s3cret-of-this-test-0123456789"
ROUNDS = 3


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("hooks"), start=False)
    made.extra.update({**HOOKS, "FORGE_WEBHOOK_SECRET": SECRET, "REPOSITORY_PATH": "orchard/shop",
                       "GITHUB_REPOSITORY": ""})
    made.scripts.deploy('echo "$2" >>"$here/begun"; ' + STEADY)
    made.start()
    yield made
    made.close()


def begun(scene):
    path = scene.scripts.folder / "begun"
    return path.read_text(encoding="ascii").split() if path.exists() else []


def wait_live(scene, commit):
    wait_until(lambda: (scene.state_file("staging") or {}).get("commit") == commit, PATIENCE_S, f"{commit} to be live")


def asked(scene, body, number):
    """The answer; None where the server died first."""
    try:
        return call(scene.http_port, "build-done", body, OWN, Idempotency_Key=number)
    except (OSError, http.client.HTTPException):
        return None


def test_a_call_told_202_right_before_the_kill_is_deployed_once(scene):
    for _ in range(ROUNDS):
        scene.wait_free()
        before, number = len(begun(scene)), str(uuid.uuid4())
        change = scene.commit("develop")
        body = {"build": {"ref": change["after"]}}
        first = call(scene.http_port, "build-done", body, OWN, Idempotency_Key=number)
        assert first[0] == 202
        scene.crash()
        scene.restart()
        wait_live(scene, change["after"])
        again = call(scene.http_port, "build-done", body, OWN, Idempotency_Key=number)
        assert (again[0], again[1]["id"]) == (202, first[1]["id"])
        scene.wait_free()
        assert begun(scene)[before:] == [change["after"]]
    scene.check()


@pytest.mark.parametrize("point", ["batch_decided", "batch_committed", *(
    pytest.param(point, marks=pytest.mark.long) for point in ("decision_made", "answer_due", "answer_given"))])
def test_a_call_is_one_wherever_the_server_dies(scene, point):
    scene.wait_free()
    before, number, change = len(begun(scene)), str(uuid.uuid4()), scene.commit("develop")
    body = {"build": {"ref": change["after"]}}
    with killed_at(scene.bot, point, scene.folder / f"{point}.page"):
        first = asked(scene, body, number)
    again = asked(scene, body, number)
    assert again[0] == 202 and (first is None or first[1]["id"] == again[1]["id"])
    wait_live(scene, change["after"])
    scene.wait_free()
    assert begun(scene)[before:] == [change["after"]]
    assert scene.bot_rows(f"SELECT COUNT(*) FROM work WHERE ref = '{change['after']}'") == [(1,)]


@pytest.mark.parametrize("forge", [GitLab, Bitbucket])
def test_a_push_told_200_right_before_the_kill_is_deployed_once(scene, forge):
    word = forge.__name__.lower()
    for _ in range(ROUNDS):
        scene.wait_free()
        before, change = len(begun(scene)), scene.commit("develop")
        hub = forge(f"{scene.bot.base}/forge/webhook/{word}", SECRET, "orchard/shop")
        sent = hub.push("develop", change["after"], change["before"])
        assert sent["status"] == 200
        scene.crash()
        scene.restart()
        wait_live(scene, change["after"])
        assert hub.send(sent["body"], sent["headers"])["status"] == 200
        scene.wait_free()
        assert begun(scene)[before:] == [change["after"]]
    scene.check()
