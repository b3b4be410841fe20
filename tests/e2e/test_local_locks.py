"""Goal: locks and freezes are begun, ended, and passed with a reason on the machine as in the chat."""
# SPDX-License-Identifier: ISC
import os

import pytest

from local_aid import PERSON, ROLE_ADMIN, LocalScene

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module")
def scene():
    made = LocalScene()
    yield made
    made.close()


def test_a_lock_by_a_user_of_the_machine_binds_the_others(scene):
    said = scene.run(ROLE_ADMIN, "lock", "staging", "2h", "disk is full")
    assert "Locked: staging by " in said and "(UTC): disk is full" in said
    assert "deploybot unlock staging ends it." in said, "as it is typed here"
    assert "Not deployed: staging: locked by " in scene.run(PERSON, "deploy", "staging", wanted=77)
    assert scene.audit(action="lock_begun")[-1]["user_id"].startswith("local:")
    assert "Unlocked: staging by " in scene.run(ROLE_ADMIN, "unlock", "staging")


def test_a_freeze_is_passed_with_a_reason(scene):
    assert "Frozen: all environments by " in scene.run(ROLE_ADMIN, "freeze", "all", "until", "Mon", "08:00", "sale")
    denied = scene.run(PERSON, "deploy", "staging", wanted=77)
    assert "Not deployed: staging: frozen by " in denied and "--reason" in denied
    done = scene.run(PERSON, "deploy", "staging", "--reason", "CVE-2026-1, all are exposed", "--wait")
    assert "Live: staging" in done or "live" in done, done
    assert [e["exception"] for e in scene.audit(action="deploy_requested") if "exception" in e] \
        == ["CVE-2026-1, all are exposed"]
    assert "Freeze ended: all environments by " in scene.run(ROLE_ADMIN, "unfreeze", "all")
