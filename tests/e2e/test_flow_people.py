"""Goal: who asks with a token, or with an account that logs in by one, does not approve that with their own account."""
# SPDX-License-Identifier: ISC
import os

import pytest

from flow_aid import PATIENCE_S
from local_aid import PERSON
from stage import wait_until
from telegram_client import MALLORY
from test_flow_tokens import TokenScene

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

DENIED = "a token joins you with who asked for it"


@pytest.fixture(scope="module")
def scene():
    made = TokenScene(PRODUCTION_APPROVALS="1", PRODUCTION_CONFIRM="false", APPROVE_SELF="false",
                      APPROVE_UNKNOWN_PUSHER="true", RATE_LIMIT_REQUESTS="0")
    made.maker = made.admin()       # who is PERSON on the machine
    yield made
    made.close()


def approves(who, number, words):
    who.say(f"/approve {number}")
    return who.hear(*words)


def newest(scene):
    return scene.wait_for_audit(action="deploy_requested")[-1]["deployment"]


def test_a_token_and_a_second_account_approve_nothing(scene):
    token = scene.token("burner", role="admin", user=PERSON)
    maker, other, burner = scene.maker, scene.admin(), scene.mallory
    burner.say(f"/login {token}")
    burner.hear("Logged in as admin", chat=MALLORY)
    scene.commit("main")
    burner.say("/deploy production")
    burner.hear("Awaiting approval: production", "by a token: burner, made by", chat=MALLORY)
    number = newest(scene)
    approves(maker, number, ("Denied: production approve", DENIED))
    burner.say("/logout")
    burner.hear("Logged out", chat=MALLORY)
    approves(maker, number, ("Denied: production approve", DENIED))
    burner.say(f"/approve {number}")
    burner.hear("Denied", chat=MALLORY)
    assert scene.json(PERSON, "queue", "production")["environments"]
    assert scene.work_of(number)["state"] == "awaiting_approval"
    # Its login is over, and its account has no role: another's yes leads to nothing either.
    approves(other, number, ("Approved: production",))
    wait_until(lambda: scene.work_of(number)["is_over"], PATIENCE_S, "it is refused")
    assert not scene.work_of(number)["is_good"]


def test_a_token_over_v1_and_a_login_that_begins_later_approve_nothing(scene):
    token = scene.token("late", role="admin", user=PERSON)
    maker, other, burner = scene.maker, scene.admin(), scene.mallory
    scene.commit("main")
    status, answer, _ = scene.call("POST", "/v1/command/deploy", token, {"arguments": ["production"]})
    assert status == 200, answer
    number = answer["work"]
    wait_until(lambda: scene.work_of(number)["state"] == "awaiting_approval", PATIENCE_S, "it awaits approval")
    assert scene.audit(action="deploy_requested")[-1]["trigger"] == "api"
    approves(maker, number, ("Denied: production approve", DENIED))
    burner.say(f"/login {token}")
    burner.hear("Logged in as admin", chat=MALLORY)
    approves(maker, number, ("Denied: production approve", DENIED))
    assert scene.work_of(number)["state"] == "awaiting_approval"
    approves(other, number, ("Approved: production",))
    wait_until(lambda: scene.work_of(number)["is_good"], PATIENCE_S, "it is live")
    maker.say(f"/show {number}")
    maker.hear("requested by token:late over the API")


def test_on_the_machine_the_trigger_is_local(scene):
    scene.commit()
    scene.run(PERSON, "deploy", "staging", "--wait")
    assert scene.audit(action="deploy_requested", environment="staging")[-1]["trigger"] == "local"
