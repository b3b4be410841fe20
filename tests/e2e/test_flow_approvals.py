"""Goal: what two must want is shipped when both did, and not before; who asked is never one of the others."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from telegram_client import GROUP, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("approvals"),
                 settings={"TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_APPROVALS": "1",
                           "STAGING_APPROVALS_IF": "path db/**=1"})
    yield made
    ended_well(made)


def ask(scene, who):
    scene.commit("main")
    who.say("/deploy production")
    who.press(who.hear("Deploy to production?", buttons=("Deploy to",)), "Deploy to")
    # An edit of an earlier one may come late: what is meant is that commit's.
    asked = scene.person(0).hear("❓ Awaiting approval: production \"", scene.head("main")[:7], "approved 0 of 1",
                                 chat=GROUP, after=who.since, buttons=("Approve", "Reject"))
    assert not scene.is_busy("production")
    return asked


def test_another_approves_and_both_stand_in_what_is_said(scene):
    who, other, head = scene.admin(), scene.admin(), None
    asked = ask(scene, who)
    head = scene.head("main")
    assert head[:7] in text_of(asked) and "requested by @admin_" in text_of(asked)
    assert "you asked for it, so somebody else must" in who.press(asked, "Approve")
    assert scene.runs("production") is None
    assert other.press(asked, "Approve").startswith("Approved: production ")
    who.hear("Live: production", head[:7], "approved by @admin_")
    assert scene.runs("production") == head
    who.say("/history production")
    who.hear("approved by @admin_")
    approved = scene.audit(action="deploy_approval", outcome="approved")
    assert [entry["user_id"] for entry in approved] == [f"telegram:{other.number}"]


def test_a_no_with_a_reason_ends_it(scene):
    who, other = scene.admin(), scene.admin()
    asked = ask(scene, who)
    other.since = scene.chat.mark()
    other.press(asked, "Reject")
    why = other.hear("Reject? ", "press a reason", chat=GROUP, buttons=("Not tonight",))
    other.say("the demo is at four", chat=GROUP, reply_to=why["message_id"])
    who.hear("Rejected: production", "by @admin_", "the demo is at four")
    other.say("/pending")
    other.hear("Nothing awaits an approval.")


def test_a_press_after_a_restart_counts(scene):
    who, other = scene.admin(), scene.admin()
    asked = ask(scene, who)
    scene.bot.stop()
    scene.start_bot()
    assert other.press(asked, "Approve").startswith("Approved: production ")
    who.hear("Live: production", scene.head("main")[:7])


@pytest.mark.long
def test_git_says_which_paths_need_more(scene):
    who, other = scene.admin(), scene.admin()
    who.say("/deploy staging")
    asked = scene.person(0).hear("approved 0 of 1", "because of path db/**", chat=GROUP, after=who.since,
                                 buttons=("Approve",))     # with nothing live everything differs
    other.press(asked, "Approve")
    who.hear("Live: staging")
    scene.commit("develop")
    who.say("/deploy staging")
    who.hear("Live: staging", scene.head("develop")[:7], without=("approved by",))


def test_an_emergency_passes_them_and_is_marked_until_another_has_looked(scene):
    who, other = scene.admin(), scene.admin()
    scene.commit("main")
    head = scene.head("main")
    who.say("/deploy production —Emergency the shop is down")     # as a phone writes it
    asked = who.hear("🚨 Emergency to production?", "emergency: the shop is down", buttons=("Deploy to",))
    who.press(asked, "Deploy to")
    rung = scene.person(0).hear("Emergency: production", head[:7], "the shop is down", chat=GROUP, after=who.since,
                                buttons=("Review done",))
    who.hear("Live: production", head[:7], "not reviewed")
    assert scene.runs("production") == head
    assert "somebody else must review it" in who.press(rung, "Review done")
    other.say("/status production")
    other.hear("emergency not reviewed", "the shop is down", "/review")
    assert "is reviewed" in other.press(rung, "Review done")
    who.hear("Live: production", head[:7], "reviewed by @admin_")
    other.say("/status production")
    other.hear("production runs " + head[:7], without=("not reviewed",))
    began = scene.audit(action="deploy_started")[-1]
    assert (began["severity"], began["emergency"]) == ("high", "the shop is down")
    assert scene.audit(action="emergency_reviewed")[-1]["severity"] == "high"
