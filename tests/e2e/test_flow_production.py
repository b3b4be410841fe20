"""Goal: what asks first is started by exactly the right person, exactly once, and says beforehand
what would change."""
# SPDX-License-Identifier: ISC
import pytest

import sample_app
from flow_aid import PATIENCE_S, Scene, ended_well
from stage import wait_until
from telegram_client import GROUP, buttons_of, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("production"))
    made.make_builds_wait()
    yield made
    made.let_go()
    ended_well(made)


def ask(who, words="/deploy production", **options):
    """About a commit of its own, where the branch's is live already, or another test's question is open about it."""
    scene, head = who.scene, who.scene.head("main")
    asked = scene.bot_rows("SELECT commit_id FROM work WHERE state = 'AWAITING_CONFIRMATION'")
    if words == "/deploy production" and (scene.runs("production") == head or (head,) in asked):
        scene.commit("main")
    who.say(words, **options)
    return who.hear("Deploy to production?", chat=options.get("chat"),
                    buttons=("Deploy to", "Not now"))


def test_a_first_release_is_asked_about_and_cannot_roll_back(scene):
    who = scene.admin()
    question = ask(who)
    said = text_of(question)
    for words in (scene.head("main")[:7], "Builds can be held", "author Joon Park", "requested by @admin_",
                  "Nothing was released to production yet.", "no release to roll back to"):
        assert words in said
    assert scene.app("production")[0] == 0 and not scene.is_busy("production")
    assert who.press(question, "Deploy to") == "Confirmed."
    who.hear("Live: production", scene.head("main")[:7], "took ")      # sent anew, for it rings
    wait_until(lambda: scene.chat.message(question)["deleted"], PATIENCE_S, "one message of it")
    assert scene.runs("production") == scene.head("main")
    assert scene.audit(action="deploy_requested", outcome="confirmed")


def test_a_used_question_says_so_and_starts_nothing(scene):
    who = scene.admin()
    question = ask(who)
    scene.hold()
    first = scene.chat.press(who.number, question, wait=0, data=confirm_of(question))
    second = scene.chat.act("press", user_id=who.number, chat_id=question["chat_id"],
                            message_id=question["message_id"], data=confirm_of(question), wait=20)
    assert second["answer"]["text"].endswith(" has confirmed it already.")
    assert first is None or first["text"] == "Confirmed."
    scene.let_go()
    who.hear("Live: production")
    started = scene.audit(action="deploy_started", user_id=f"telegram:{who.number}")
    assert len(started) == 1


def confirm_of(view):
    row = view["message"]["reply_markup"]["inline_keyboard"]
    return next(b["callback_data"] for line in row for b in line if "Deploy to" in b["text"])


def test_a_question_lists_ten_commits_and_counts_the_rest(scene):
    subjects = [scene.commit("main")["subject"] for _ in range(12)]
    who = scene.admin()
    said = text_of(ask(who))
    assert "12 new commits:" in said and "… and 2 more" in said
    assert said.count("\n• ") == 10
    assert subjects[-1] in said and "replaces" in said and "no release to roll back to" not in said


def test_who_may_confirm_answers_what_another_asked(scene):
    asker, other = scene.admin(), scene.admin()
    question = ask(asker, chat=GROUP)
    assert other.press(question, "Not now") == "Cancelled."
    assert asker.press(question, "Deploy to") == "This button has expired or was used."
    assert not scene.is_busy("production")
    assert scene.audit(action="deploy_started", user_id=f"telegram:{asker.number}") == []


def test_a_strangers_press_is_denied_and_audited(scene):
    asker = scene.admin()
    question = ask(asker, chat=GROUP)
    assert scene.mallory.press(question, "Deploy to") == "⛔ Denied: deploy: you have no role here."
    assert scene.bot.counted() or scene.wait_for_audit(action="denied", user_id=f"telegram:{scene.mallory.number}")
    assert asker.press(question, "Not now") == "Cancelled."


def test_a_button_of_one_chat_is_worth_nothing_in_another(scene):
    asker, other = scene.admin(), scene.admin()
    question = ask(asker)
    other.say("/status")
    elsewhere = other.hear("production")
    answer = scene.chat.act("press", user_id=asker.number, chat_id=elsewhere["chat_id"],
                            message_id=elsewhere["message_id"], data=confirm_of(question), wait=20)
    assert answer["answer"]["text"] == "This button has expired or was used."
    assert not scene.is_busy("production")
    asker.press(question, "Not now")


def test_a_forged_button_says_that_it_expired(scene):
    who = scene.admin()
    who.say("/status")
    view = who.hear("production")
    for data in ("", "x", "0" * 64, "../../etc/passwd", "'; DROP TABLE question; --"):
        answer = scene.chat.act("press", user_id=who.number, chat_id=view["chat_id"],
                                message_id=view["message_id"], data=data, wait=20)
        assert answer["answer"]["text"] == "This button has expired or was used."


def test_a_commit_outside_the_branch_is_said_in_bold(scene):
    who = scene.admin()
    question = ask(who, "/deploy production develop")
    assert "not on the branch of production" in text_of(question)
    bold = [text_of(question).encode("utf-16-le")[2 * e["offset"]:2 * (e["offset"] + e["length"])]
            .decode("utf-16-le") for e in question["message"]["entities"] if e["type"] == "bold"]
    assert "not on the branch of production" in bold
    who.press(question, "Not now")
    who.hear("cancelled before it began")


def test_tags_and_abbreviated_commits_can_be_deployed(scene):
    sample_app.git(scene.work, "tag", "v9", "main")
    sample_app.git(scene.work, "push", "-q", "origin", "v9")
    for ref in ("v9", scene.head("main")[:10]):
        who = scene.admin()
        question = ask(who, f"/deploy production {ref}")
        assert scene.head("main")[:7] in text_of(question)
        who.press(question, "Not now")


def test_an_unknown_ref_is_answered_with_what_is_possible(scene):
    who = scene.admin()
    who.say("/deploy staging nosuch")
    said = text_of(who.hear("Not deployed: staging", "no branch, tag or commit", "Possible:"))
    assert "• develop" in said and "• main" in said and "• v9" in said


@pytest.mark.parametrize("ref", ["-rf", "--upload-pack=/bin/true", "a..b", "x;id", "$(id)", "`id`",
                                 "refs/../../x", "deadbeefdeadbeef", "@{-1}", "HEAD~1", "x" * 300])
def test_a_ref_that_is_none_deploys_nothing(scene, ref):
    who = scene.admin()
    before = len(scene.audit(action="deploy_started"))
    who.say(f"/deploy staging {ref}")
    said = text_of(who.hear("", without=("asking git",)))
    assert ("Not deployed" in said or "cannot begin" in said or "Too much" in said), said
    assert len(scene.audit(action="deploy_started")) == before


def test_an_unknown_environment_is_answered_with_those_there_are(scene):
    who = scene.admin()
    for word in ("/deploy x", "/cancel x", "/rollback x", "/history x", "/status x"):
        who.say(word)
        who.hear('No "x".', "There are: staging production")


def test_the_commit_shown_is_deployed_and_that_the_branch_moved_on_is_said(scene):
    scene.hold()
    who = scene.admin()
    shown = scene.head("main")
    question = ask(who)
    moved = scene.commit("main")
    who.press(question, "Deploy to")
    who.hear("Deploying production", "main has moved on to " + moved["after"][:7])
    scene.let_go()
    who.hear("Live: production", shown[:7])
    assert scene.runs("production") == shown


def test_a_confirm_while_busy_takes_a_place(scene):
    scene.hold()
    first, second = scene.admin(), scene.admin()
    one, two = ask(first), ask(second)
    first.press(one, "Deploy to")
    first.hear("▸ build")
    assert second.press(two, "Deploy to") == "Confirmed."
    second.hear("⏳ Queued: 1st in production", "starts after #", "deploys")
    scene.let_go()
    first.hear("Live: production")
    assert not any("Deploy to" in label for label in buttons_of(scene.chat.message(two)))
    # Its question had shown another release.
    again = second.hear("⛔ Not started: production runs", buttons=("Deploy to",))
    assert second.press(again, "Not now") == "Cancelled."
    second.hear("Cancelled: production", "cancelled before it began")


def test_a_question_outlives_a_restart(scene):
    scene.commit("main")
    who = scene.admin()
    question = ask(who)
    assert scene.bot.stop() == 0
    scene.start_bot()
    assert who.press(question, "Deploy to") == "Confirmed."
    who.hear("Live: production", scene.head("main")[:7])
    assert len(scene.audit(action="deploy_started", user_id=f"telegram:{who.number}")) == 1


def test_rollback_shows_from_and_to_and_asks_with_one_button(scene):
    who = scene.admin()
    live, previous = (scene.state_file("production")["commit"],
                      scene.state_file("production")["previous"]["commit"])
    who.say("/rollback production")
    question = who.hear("Roll back production?", f"{live[:7]} → {previous[:7]}")
    assert buttons_of(question)[0] == "↩️ Roll back production" and buttons_of(question)[-1] == "Not now"
    assert who.press(question, "Roll back") == "Started."
    who.hear("↩️ Rolled back: production", previous[:7] + "\nrequested by ")
    assert scene.runs("production") == previous
    assert [e["action"] for e in scene.audit(environment="production")][-2:] == [
        "rollback_started", "rollback_completed"]
    who.hear("Rolled back: production", f"{live[:7]} is blocked: a push does not deploy it again")
    assert scene.metric("deploybot_rollback_unacknowledged", environment="production") == 0
    who.say("/rollback production")
    again = text_of(who.hear("Roll back production?"))
    assert f"{previous[:7]} → " in again and f"→ {live[:7]}" not in again
    who.say("/status production")
    who.hear(f"blocked: {live[:7]} rolled back by @admin_", "(to release ", f"/deploy production {live[:7]}")


def test_rollback_to_a_named_release_goes_there(scene):
    who = scene.admin()
    who.say("/rollback production 1")
    question = who.hear("Roll back production?")
    who.press(question, "Roll back")
    who.hear("↩️ Rolled back: production")
    who.say("/rollback production 99")
    said = text_of(who.hear("Not rolled back: production has no release 99", "There are:"))
    assert "• release 1 " in said
