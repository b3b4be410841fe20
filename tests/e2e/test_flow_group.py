"""Goal: a group is told in time, within the limits that Telegram really has: what one deployment costs of them, what is
closed first, and that nothing is refused."""
# SPDX-License-Identifier: ISC
import time

import pytest

from flow_aid import Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import ADA, BEA, CARL, GROUP, buttons_of, text_of

ABSENT = 77001      # may deploy, and is neither in the group nor has written to the bot
SAYING = ("sendMessage", "editMessageText")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("group")
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, telegram=("--local", "--limits", "on"), deliver=True,
                 settings={**scripts.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None,
                           "ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "STAGING_TELEGRAM_IDS": f"{CARL},{ABSENT}",
                           "TELEGRAM_CHAT_ID": str(GROUP), "PRODUCTION_APPROVALS": "1", "ROLE_RATE_LIMIT": "0"})
    made.scripts = scripts
    yield made
    ended_well(made)


def calls(scene, since, methods=SAYING):
    """What Telegram was asked to say or change in the group, in its order."""
    return [call for call in scene.chat.calls() if call["method"] in methods and call["at"] >= since
            and call["arguments"].get("chat_id") == str(GROUP)]


def rings(scene, since):
    return [call["arguments"]["text"] for call in calls(scene, since, ("sendMessage",))
            if call["arguments"].get("disable_notification") != "true"]


def standing(scene):
    """What stands in the group now, of the bot's."""
    return [view for view in scene.chat.messages(GROUP) if view["outgoing"] and not view["deleted"]]


def nothing_was_refused(scene):
    assert scene.chat.state()["limits"]["refused"] == 0
    assert [call.get("description") for call in scene.chat.calls()
            if call["method"] in SAYING and call["status"] != 200] == []


def quiet(scene):
    """A minute in which the group hears nothing: what is counted then is of one deployment alone."""
    wait_until(lambda: not calls(scene, time.time() - 61), 200, "a quiet minute")


def test_one_production_deployment_with_approval_is_four_calls_three_sounds_and_one_message(scene):
    before, ada, bea = len(standing(scene)), scene.person(ADA), scene.person(BEA)
    since = time.time()
    ada.say("/deploy production", chat=GROUP)
    question = ada.hear("Deploy to production?", buttons=("Deploy to production",), chat=GROUP)
    ada.press(question, "Deploy to")
    approval = bea.hear("Awaiting approval: production", buttons=("Approve",), chat=GROUP, after=ada.since)
    wait_until(lambda: scene.chat.message(question)["deleted"], 20, "the question is gone")
    bea.press(approval, "Approve")
    end = ada.hear("Live: production", chat=GROUP, after=ada.since)
    wait_until(lambda: scene.chat.message(approval)["deleted"], 20, "what was approved is gone")
    said = [call for call in calls(scene, since)    # one that takes its time shows how far it is
            if call["method"] != "editMessageText" or not call["arguments"]["text"].startswith("⏳ Deploying")]
    assert len(said) <= 4, [(call["method"], call["arguments"]["text"][:40]) for call in said]
    # A question that waits for git is a silent message first, which is edited.
    was_slow = any("Deploy to" in call["arguments"]["text"] for call in calls(scene, since, ("editMessageText",)))
    assert len(rings(scene, since)) == 3 - was_slow, rings(scene, since)
    assert len(standing(scene)) == before + 1
    assert end["message"]["reply_to_message"]["message_id"] == next(
        view["message_id"] for view in reversed(scene.chat.messages(GROUP)) if text_of(view) == "/deploy production")
    nothing_was_refused(scene)


def test_doctor_names_who_is_notified_of_nothing(scene):
    said = scene.bot.run("doctor").stdout
    assert f"Telegram: {ABSENT} may act on an environment, is not in its group {GROUP}" in said
    assert said.count("nothing notifies them") == 1, said


def test_status_is_one_message(scene):
    ada, since = scene.person(ADA), time.time()
    ada.say("/status", chat=GROUP)
    ada.hear("production runs", chat=GROUP)
    assert [call["method"] for call in calls(scene, since)] == ["sendMessage"]


@pytest.mark.long      # real minutes; test_telegram_minute has them in no time
def test_in_a_busy_minute_no_question_keeps_its_buttons(scene):
    """Staging shows all the time how far it is; meanwhile production is asked about, confirmed and approved."""
    ada, bea, carl = scene.person(ADA), scene.person(BEA), scene.person(CARL)
    scene.scripts.deploy('for n in 1 2 3 4 5 6 7 8 9; do echo "==> step$n"; sleep 0.3; done; until [ -e "$here/go" ]; '
                         'do echo "==> more$((n += 1))"; sleep 0.3; done; '
                         'echo "==> release"; echo "$2" >"$here/$1.live"')
    scene.commit("develop")
    carl.say("/deploy staging", chat=GROUP)
    carl.hear("⏳ Deploying staging", chat=GROUP)
    for _ in range(6):
        bea.say("/history production", chat=GROUP)
        bea.hear("production\n", without=("Deploying",), chat=GROUP)
    scene.commit("main")
    ada.say("/deploy production", chat=GROUP)
    question = ada.hear("Deploy to production?", chat=GROUP, buttons=("Deploy to",))
    ada.press(question, "Deploy to")
    wait_until(lambda: scene.chat.message(question)["deleted"] or not buttons_of(scene.chat.message(question)), 20)
    approval = bea.hear("Awaiting approval: production", chat=GROUP, buttons=("Approve",))
    bea.press(approval, "Approve")
    wait_until(lambda: scene.chat.message(approval)["deleted"]
               or not any("Approve" in label for label in buttons_of(scene.chat.message(approval))), 20)
    scene.scripts.touch("go")
    ada.hear("Live: production", chat=GROUP, after=ada.since)
    carl.hear("Live: staging", chat=GROUP, after=carl.since, timeout=100)
    scene.scripts.clear("go")
    scene.scripts.reset()
    nothing_was_refused(scene)
    assert [label for view in standing(scene) for label in buttons_of(view)
            if "Stop" in label or "Approve" in label or "Deploy to" in label] == []


@pytest.mark.long      # real minutes; test_telegram_minute has them in no time
def test_that_the_minute_is_full_is_said_once(scene):
    ada, since = scene.person(ADA), time.time()
    for n in range(20):
        ada.say(f"/show {n + 900}", chat=GROUP)
    wait_until(lambda: len(calls(scene, since)) >= 21, 200, "all answers")
    assert sum("which is Telegram's limit" in call["arguments"]["text"] for call in calls(scene, since)) == 1
    nothing_was_refused(scene)


@pytest.mark.long      # real minutes; test_telegram_minute has them in no time
def test_a_failing_push_is_one_message_and_at_most_six_calls(scene):
    quiet(scene)
    scene.scripts.deploy('echo "==> release"; exit 7')
    before, since = len(standing(scene)), time.time()
    scene.push("develop")
    scene.person(0).hear("❌ Rolled back: staging", chat=GROUP, after=0)
    said = calls(scene, since)
    assert len(said) <= 6, [(call["method"], call["arguments"]["text"][:40]) for call in said]
    assert [text[:10] for text in rings(scene, since)] == ["❌ Failed: ", "❌ Rolled b"], rings(scene, since)
    wait_until(lambda: len(standing(scene)) == before + 1, 20, "one message")
    scene.scripts.reset()
    nothing_was_refused(scene)


def ships(scene, ada, bea, end):
    """Ada's question in the group is answered, approved by Bea, and it ends so."""
    question = ada.hear("Deploy to production?", buttons=("Deploy to production",), chat=GROUP)
    ada.press(question, "Deploy to")
    approval = bea.hear("Awaiting approval: production", buttons=("Approve",), chat=GROUP, after=ada.since)
    bea.press(approval, "Approve")
    ada.hear(end, chat=GROUP, after=ada.since)


@pytest.mark.long      # the group is quiet for a minute first
def test_what_is_typed_over_the_question_of_a_push_is_two_calls_more(scene):
    quiet(scene)
    ada, bea, since = scene.person(ADA), scene.person(BEA), time.time()
    ada.since = scene.chat.mark()
    scene.push("main")
    ada.hear("Deploy to production?", buttons=("Deploy to production",), chat=GROUP)
    ada.say("/deploy production", chat=GROUP)
    ships(scene, ada, bea, "Live: production")
    said = calls(scene, since)
    assert len(said) <= 6, [(call["method"], call["arguments"]["text"][:40]) for call in said]
    nothing_was_refused(scene)


@pytest.mark.long      # the group is quiet for a minute first
def test_one_with_question_and_approval_that_is_rolled_back_is_seven_calls(scene):
    quiet(scene)
    ada, bea, since = scene.person(ADA), scene.person(BEA), time.time()
    scene.scripts.deploy('echo "==> release"; exit 7', "production")
    scene.commit("main")
    ada.say("/deploy production", chat=GROUP)
    ships(scene, ada, bea, "❌ Rolled back: production")
    said = calls(scene, since)
    assert len(said) <= 7, [(call["method"], call["arguments"]["text"][:40]) for call in said]
    scene.scripts.reset("production")
    nothing_was_refused(scene)
