"""Goal: what alerts look at is true at each moment of a deployment, and after a restart."""
# SPDX-License-Identifier: ISC
import time

import pytest

from crash_aid import HOLD, STEADY, CrashScene
from stage import wait_until

WAIT_S = 40
SINCE = "deploybot_environment_busy_since_timestamp_seconds"
WAITING = "deploybot_messages_waiting_since_timestamp_seconds"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("alerts"))
    yield made
    made.close()


def failed(scene):
    return scene.metric("deploybot_deployment_failed", environment="staging")


def test_every_series_that_will_count_is_there_before_anything_happened(scene):
    """increase() sees no first event in a series that begins with it."""
    told = scene.bot.metrics()
    assert 'deploybot_webhook_requests_total{source="github",code="401"} 0\n' in told
    assert 'deploybot_commands_total{command="deploy",outcome="denied"} 0\n' in told
    assert 'deploybot_deployment_failed{environment="staging"} 0\n' in told
    assert "deploybot_deployments_total{" not in told    # those of two thousand environments that nobody uses


def check_outcomes_are_expected(told):
    """Of the first work, before it ends; of no other environment."""
    for outcome in ("live", "failed", "rolled_back", "rollback_failed", "refused", "cancelled", "expired",
                    "superseded"):
        assert f'deploybot_deployments_total{{environment="staging",trigger="chat",outcome="{outcome}"}} 0\n' in told
    assert 'deploybot_deployments_total{environment="production"' not in told


def test_busy_since_and_released_at_are_moments_of_this_deployment(scene):
    scene.hold_script()
    scene.scripts.deploy(HOLD + "\n" + STEADY)
    before = time.time()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    assert before - 1 <= scene.metric(SINCE, environment="staging") <= time.time() + 1
    assert SINCE + '{environment="production"' not in scene.bot.metrics()
    check_outcomes_are_expected(scene.bot.metrics())
    scene.go_on()
    who.hear("Live: staging")
    scene.wait_free()
    assert SINCE + "{" not in scene.bot.metrics()
    at = scene.metric("deploybot_release_timestamp_seconds", environment="staging")
    assert before - 1 <= at <= time.time() + 1
    assert failed(scene) == 0


def test_a_failure_is_told_until_something_ends_well_and_after_a_restart(scene):
    scene.scripts.deploy("echo broken; exit 65")
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: failed(scene) == 1, WAIT_S, "the failure")
    assert scene.bot.stop() == 0
    scene.restart()
    wait_until(lambda: failed(scene) == 1, WAIT_S, "the failure after a restart")
    scene.scripts.deploy(STEADY)
    scene.release()
    wait_until(lambda: failed(scene) == 0, WAIT_S, "a release that went well")


def test_a_message_that_telegram_does_not_take_says_since_when(scene):
    wait_until(lambda: scene.metric(WAITING) == 0, WAIT_S, "all messages told")
    before = time.time()
    scene.chat.fault("sendMessage", 100000, close=True)
    scene.admin().say("/status")
    since = wait_until(lambda: scene.metric(WAITING), WAIT_S, "a message that waits")
    assert before - 1 <= since <= time.time() + 1
    scene.admin().say("/status")
    assert scene.metric(WAITING) == since
    scene.chat.clear_faults()
    wait_until(lambda: scene.metric(WAITING) == 0, WAIT_S, "all messages told")
