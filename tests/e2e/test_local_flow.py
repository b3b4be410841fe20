"""Goal: users of the machine deploy, follow, answer and roll back over LOCAL_SOCKET, each as who the settings say
they are, whether Telegram is there or not; what they do is seen in the chat and in the audit."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from crash_aid import HOLD, STEADY
from flow_aid import FIRST_ADMIN, PATIENCE_S
from local_aid import PERSON, ROLE, LocalScene
from stage import wait_until
from telegram_client import ADA

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module")
def scene():
    made = LocalScene(settings={"PRODUCTION_CONFIRM": "true"})
    yield made
    made.close()


def test_somebody_deploys_and_follows_and_the_chat_sees_it(scene):
    scene.scripts.deploy('echo "this is shown"; ' + STEADY)
    said = scene.run(PERSON, "deploy", "staging", "--wait")
    commit = scene.head("develop")
    assert "==> ship" in said and "this is shown" in said
    assert f"staging runs {commit[:7]}" in said
    assert scene.scripts.live() == commit
    scene.ada.hear("staging runs " + commit[:7], "games (from the machine)", chat=ADA, after=0)
    assert [e["user_id"] for e in scene.audit(action="deploy_requested")] == [f"telegram:{FIRST_ADMIN}"]
    assert scene.audit(action="deploy_requested")[0]["name"] == "games (from the machine)"
