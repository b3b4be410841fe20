"""Goal: with one person at the wheel, or nobody, nothing new is shipped; what was pushed meanwhile is shipped
once when it ends, and whoever may freeze ships a fix with a reason."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from github import GitHub
from stage import GITHUB_SECRET, wait_until
from telegram_client import GROUP, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("locks"), deliver=True,
                 settings={"TELEGRAM_CHAT_ID": str(GROUP), "TIMEZONE": "Europe/Berlin"})
    made.hub = GitHub(made.bot.base + "/github/webhook", GITHUB_SECRET, "orchard/shop")
    made.team = made.person(0)
    made.release()
    yield made
    ended_well(made)


def push(scene):
    change = scene.commit("develop")
    entry = scene.hub.push("develop", change["after"], change["before"])
    assert entry["status"] == 200 and entry["answer"] == "", entry
    return change["after"]


def begun(scene):
    return [e["commit"] for e in scene.audit(action="deploy_started", environment="staging")]


def test_a_push_waits_for_the_lock_and_its_head_is_deployed_once(scene):
    owner, other, before = scene.admin(), scene.admin(), len(begun(scene))
    scene.team.since = scene.chat.mark()
    owner.say("/lock staging 2h incident 42")
    owner.hear("🔒 Locked: staging by @admin_", "(Europe/Berlin): incident 42")
    scene.team.hear("🔒 Locked: staging by @admin_", chat=GROUP)
    assert scene.metric("deploybot_environment_held", environment="staging", kind="lock") == 1
    first = push(scene)
    scene.team.hear("🔒 Push waits: staging", first[:7], "incident 42", chat=GROUP)
    last = push(scene)
    wait_until(lambda: scene.bot_rows("SELECT seen_commit FROM environment WHERE name = 'staging'")
               == [(last,)], 20, "the second push is seen")
    other.say("/deploy staging")
    denial = other.hear("🔒 Not deployed: staging: locked by @admin_", buttons=("Ask",))
    assert "was asked" in other.press(denial, "Ask")
    question = owner.hear("asks", "to unlock it", buttons=("Unlock", "Keep"))
    assert len(begun(scene)) == before
    assert owner.press(question, "Unlock") == "staging is unlocked."
    other.hear("Unlocked: staging, as you asked.")
    scene.team.hear("Live: staging", last[:7], chat=GROUP)
    assert begun(scene)[before:] == [last]
    assert scene.runs("staging") == last
    assert scene.metric("deploybot_environment_held") == 0


def test_a_lock_holds_over_a_restart_and_a_rollback_goes_through(scene):
    owner, other = scene.admin(), scene.admin()
    live = scene.runs("staging")
    owner.say("/lock staging")
    owner.hear("🔒 Locked: staging by @admin_", "until unlocked")
    scene.bot.stop()
    scene.start_bot()
    other.say("/deploy staging")
    other.hear("🔒 Not deployed: staging: locked")
    other.say("/rollback staging")
    other.press(other.hear("Roll back staging?"), "Roll")
    other.hear("Rolled back: staging", without=("?",))
    wait_until(lambda: scene.runs("staging") not in (None, live), 20, "the release before")
    other.say("/unlock staging")
    owner.hear("Unlocked: staging by @admin_", "who ended the lock of")


def test_a_fix_goes_through_a_freeze_with_a_reason(scene):
    who = scene.admin()
    commit = scene.head("develop")
    who.say("/freeze all until 2 hours sale")
    who.hear("⛔ Not frozen: all environments: \"2 hours\" is not a time: 16:00, Mon 16:00")
    who.say("/freeze staging until Mon 08:00 sale")
    who.hear("🔒 Frozen: staging by @admin_", "until Mon 20", "(Europe/Berlin): sale")
    who.say("/deploy staging " + commit)
    denial = who.hear("🔒 Not deployed: staging: frozen by", "To deploy all the same, reply to this message")
    who.say("CVE-2026-1, all are exposed", reply_to=denial["message_id"])
    asked = who.hear("Deploy to staging?", "in a freeze: CVE-2026-1", buttons=("Deploy to",))
    who.press(asked, "Deploy to")
    who.hear("Live: staging", commit[:7])
    assert scene.runs("staging") == commit
    assert [e["exception"] for e in scene.audit(action="deploy_requested", outcome="requested")
            if "exception" in e] == ["CVE-2026-1, all are exposed"]
    who.say("/status staging")
    status = who.hear("staging", "🔒 frozen by @admin_", "in a freeze: CVE-2026-1")
    assert "waits for that" not in text_of(status)
    who.say("/unfreeze staging")
    who.hear("Freeze ended: staging by @admin_")
