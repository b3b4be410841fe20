"""Goal: an action is asked for, followed and denied on the machine as in the chat."""
# SPDX-License-Identifier: ISC
import os

import pytest

from local_aid import PERSON, ROLE, LocalScene

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module")
def scene():
    made = LocalScene(settings={"CLIENTS": "acme", "CLIENT_ACME_HOST": "local",
                                "CLIENT_ACME_ACTIONS": "disk-free,reload-nginx",
                                "CLIENT_ACME_ENVIRONMENT": "staging", "NGINX_RELOAD_COMMAND": "/bin/echo reloaded"})
    yield made
    made.close()


def test_an_action_is_done_and_followed(scene):
    said = scene.run(PERSON, "do", "disk-free", "acme", "--wait")
    assert "Done: client/acme disk-free" in said and "the fullest disk is" in said, said
    status, found = scene.ask(PERSON, "GET", "/v1/work/1")
    assert status == 200 and (found["program"], found["action"], found["client"]) == ("action", "disk-free", "acme")
    assert found["is_good"] and found["environment"] == "staging"


def test_who_has_no_grant_is_denied(scene):
    assert "Denied: disk-free: " in scene.run(ROLE, "do", "disk-free", "acme", wanted=77)


def test_words_that_are_none_say_what_there_is(scene):
    said = scene.run(PERSON, "do", "bounce", "acme", wanted=1)
    assert "There is no action bounce. You may on acme: disk-free" in said


def test_somebody_else_is_asked_to_approve_an_action(scene):
    said = scene.run(PERSON, "request", "disk-free", "acme", "--no-wait")
    assert "To be approved: client/acme disk-free" in said and "APPROVE: disk-free acme nonce=" in said, said
    listed = scene.run(PERSON, "pending")
    assert "client/acme: " in listed and "approved 0 of 1; you asked for it" in listed, listed
    number = listed.split("❓ #")[1].split()[0]
    assert "you asked for it" in scene.run(PERSON, "approve", number, wanted=77)
    assert "Cancelling: client/acme disk-free" in scene.run(PERSON, "cancel", "staging")
    assert "Nothing awaits an approval." in scene.run(PERSON, "pending")
    assert "There is no client beta" in scene.run(PERSON, "request", "disk-free", "beta", wanted=1)
