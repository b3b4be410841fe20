"""Goal: a chat keeps one pinned message of what runs where: edited in place, pinned anew where somebody has deleted
it, kept without the right to pin, over kill -9 and a restart, and given up when nobody wants it any more."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from stage import wait_until
from telegram_client import ADA, GROUP, text_of

REFUSED = "Status not pinned: Bad Request: not enough rights to manage pinned messages in the chat"

pytestmark = pytest.mark.long      # each goes on from where the one before it ended


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    # Telegram's own limits are on: who keeps them is never refused.
    made = Scene(tmp_path_factory.mktemp("pin"), telegram=("--local",),
                 settings={"TELEGRAM_CHAT_ID": str(GROUP), "PIN_STATUS": "true"})
    yield made
    ended_well(made)


def summaries(scene):
    return [m for m in scene.chat.messages(GROUP)
            if m["outgoing"] and not m["deleted"] and "Last change: " in text_of(m)]


def pinned(scene):
    return next(c["pinned"] for c in scene.chat.state()["chats"] if c["id"] == GROUP)


def wait_says(scene, *words):
    """A group has to have been quiet for what is pinned there: a minute."""
    wait_until(lambda: any(all(w in text_of(m) for w in words) for m in summaries(scene)), 100, " ".join(words))
    assert len(summaries(scene)) == 1
    return summaries(scene)[0]


def refusals(scene):
    return sum(REFUSED in text_of(m) for m in scene.chat.messages(GROUP))


def test_without_the_right_it_is_kept_and_that_is_said_once(scene):
    said = wait_says(scene, "staging has no release yet")
    assert said["silent"]
    wait_until(lambda: refusals(scene) == 1, 40, "the refusal")
    scene.release()
    again = wait_says(scene, f"staging runs {scene.runs('staging')[:7]}, healthy", "live since ")
    assert again["message_id"] == said["message_id"] and again["edits"] > 0
    assert refusals(scene) == 1 and pinned(scene) == []


def test_with_the_right_it_is_pinned_after_a_start_and_survives_kill_9(scene):
    said = summaries(scene)[0]
    scene.chat.act("bot_status", chat_id=GROUP, by_user_id=ADA, status="administrator")
    scene.bot.kill()
    scene.start_bot()
    wait_until(lambda: pinned(scene) == [said["message_id"]], 40, "it is pinned")
    assert [m["silent"] for m in scene.chat.messages(GROUP) if "pinned_message" in m["message"]] == [True]
    admin = scene.admin()
    admin.say("/lock production 2h sale")
    assert wait_says(scene, "🔒 locked by @admin_")["message_id"] == said["message_id"]
    admin.say("/unlock production")
    wait_says(scene, "staging runs ", "production has no release yet\n\nLast")


def test_one_that_was_deleted_is_sent_and_pinned_again(scene):
    gone = summaries(scene)[0]
    scene.chat.act("delete", chat_id=GROUP, message_id=gone["message_id"])
    scene.admin().say("/lock production 2h sale")
    anew = wait_says(scene, "🔒 locked by @admin_")
    assert anew["message_id"] != gone["message_id"] and anew["silent"]
    wait_until(lambda: pinned(scene) == [anew["message_id"]], 40, "it is pinned")


def test_telegrams_limits_are_kept(scene):
    assert scene.chat.state()["limits"]["refused"] == 0


def test_switched_off_it_is_unpinned_and_says_so(scene):
    said = summaries(scene)[0]
    scene.bot.stop()
    scene.start_bot(PIN_STATUS="false")
    wait_until(lambda: "PIN_STATUS is off" in text_of(scene.chat.message(said)), 40, "it says so")
    wait_until(lambda: pinned(scene) == [], 40, "it is unpinned")
