"""Goal: an APPROVE line does what it says once, whoever sends it again, and wherever the server died."""
# SPDX-License-Identifier: ISC
import secrets
import time

import pytest

from crash_aid import killed_at
from flow_aid import Scene, Scripts, ended_well
from telegram_client import GROUP, MALLORY, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("line")
    counted = folder / "counted"
    counted.mkdir()
    program = folder / "clear"
    program.write_text(f"#!/bin/bash\nmktemp {counted}/XXXXXXXX >/dev/null; echo cleared\n")
    program.chmod(0o755)
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, settings={
        **scripts.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None,
        "CLIENTS": "acme", "CLIENT_ACME_HOST": "local", "CLIENT_ACME_ACTIONS": "clear-cache",
        "CLIENT_ACME_CACHE_COMMAND": str(program)})
    made.counted = counted
    yield made
    ended_well(made)


def line(action="clear-cache", client="acme", nonce=None, ahead=0):
    return f"APPROVE: {action} {client} nonce={nonce or secrets.token_hex(8)} ts={int(time.time()) + ahead}"


def done(scene):
    return len(list(scene.counted.iterdir()))


def test_a_line_is_carried_out_once(scene):
    who, other = scene.admin(), scene.admin()
    before, text = done(scene), line()
    who.say(text)
    who.hear("✅ Done: client/acme clear-cache")
    for again in (who, other):
        again.say(text)
        again.hear("⛔ APPROVE line not accepted", "its nonce was used already")
    assert done(scene) == before + 1


def test_each_no_says_which_part(scene):
    who = scene.admin()
    before = done(scene)
    for text, words in ((line().replace("APPROVE", "Approve"), "its start"),
                        (line().replace("clear-cache", "clear–cache"), "typographic dash"),
                        (line().replace(" nonce", "\u00a0nonce"), "odd space"),
                        (line().replace("acme", "a\u200bcme"), "invisible character"),
                        (line() + "\nthanks", "line break"),
                        (line(client="beta"), "no such action on such a client"),
                        (line(ahead=-400), "5 minutes ago"), (line(ahead=400), "5 minutes ahead")):
        who.say(text)
        who.hear("⛔ APPROVE line not accepted", words)
    assert done(scene) == before


def test_a_stranger_is_not_answered(scene):
    before, text = done(scene), line()
    mark = scene.chat.mark()
    scene.chat.say(MALLORY, MALLORY, text)
    who = scene.admin()
    who.say(text)      # its nonce was not used up
    who.hear("✅ Done: client/acme clear-cache")
    assert done(scene) == before + 1
    assert not [view for view in scene.chat.messages(MALLORY) if view["outgoing"] and view["at"] > mark]
    assert text_of(who.messages()[-1])


PASSED = ("poll_read", "decision_made", "batch_decided", "batch_committed", "answer_due", "answer_given", "effect_due",
          "effect_begun", "order_said", "hello_received", "go_due", "go_said", "exit_received", "message_due",
          "message_answered", "result_due")


BY_DAY = ("batch_decided", "batch_committed", "effect_begun", "order_said", "message_due")


@pytest.mark.parametrize("point", [
    point if point in BY_DAY else pytest.param(point, marks=pytest.mark.long) for point in PASSED])
def test_a_line_is_carried_out_once_wherever_the_server_dies(scene, point):
    before, text, who = done(scene), line(), scene.admin()
    with killed_at(scene.bot, point, scene.folder / f"{point}.page"):
        who.say(text)
    who.hear("✅ Done: client/acme clear-cache")
    who.say(text)
    who.hear("⛔ APPROVE line not accepted", "its nonce was used already")
    assert done(scene) == before + 1
    assert scene.audit(action="action_requested", user_id=f"telegram:{who.number}", outcome="confirmed")


def test_a_reply_to_the_ready_line_is_heard_where_plain_text_is_hidden(scene):
    asks, approves = scene.admin(), scene.admin()
    before = done(scene)
    asks.say("/request clear-cache acme", chat=GROUP)
    own = asks.hear("Awaiting approval", "clear-cache", chat=GROUP, buttons=("Show APPROVE line",))
    asks.press(own, "Show APPROVE line")
    view = asks.hear("❓ To be approved: client/acme clear-cache", chat=GROUP, buttons=("Copy the line", "New line"))
    button = next(b for row in view["message"]["reply_markup"]["inline_keyboard"] for b in row if "copy_text" in b)
    text = button["copy_text"]["text"]
    assert text in text_of(view)
    asks.say(text, chat=GROUP, reply_to=view["message_id"])
    asks.hear("somebody else must", chat=GROUP)
    approves.say(text, chat=GROUP, reply_to=view["message_id"])
    asks.hear("✅ Done: client/acme clear-cache", chat=GROUP)
    assert done(scene) == before + 1
