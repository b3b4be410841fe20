"""Goal: a person's week in small: people wait in order, know where they stand, take a place back, give it away, and
nothing that is older than what is live starts unasked; through the chat, with a real git and real scripts."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import PATIENCE_S, Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import buttons_of, text_of

HELD = ('echo "==> build"; touch "$here/up"; until [ -e "$here/go" ]; do sleep 0.05; done\n'
        'echo "==> release"; echo "$2" >"$here/$1.live"\n')


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("queue")
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, settings={**scripts.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None})
    made.scripts = scripts
    yield made
    scripts.touch("go")
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    scene.scripts.deploy(HELD)
    scene.scripts.clear("up", "go")
    yield
    scene.scripts.touch("go")
    wait_until(lambda: scene.bot_rows("SELECT COUNT(*) FROM work WHERE ended_at = 0") == [(0,)], PATIENCE_S,
               "the end of all that is queued")


def begin(scene):
    """Somebody's deployment of the newest commit is at its build; who, and the commit."""
    commit = scene.commit()["after"]
    who = scene.admin()
    who.say(f"/deploy staging {commit}")
    scene.scripts.wait_for("up")
    return who, commit


def queue(scene, what="2nd"):
    """Somebody else's deployment of a newer commit, which waits; who, the commit, the message."""
    commit = scene.commit()["after"]
    who = scene.admin()
    who.say(f"/deploy staging {commit}")
    return who, commit, who.hear(f"⏳ Queued: {what} in staging", commit[:7])


def started(scene):
    return [entry["commit"] for entry in scene.audit(action="deploy_started", environment="staging")]


def test_people_are_served_in_order_and_told_when_it_is_their_turn(scene):
    ada, first = begin(scene)
    bob, second, waiting = queue(scene, "1st")
    carl, third, _ = queue(scene, "2nd")
    assert "starts after #" in text_of(waiting) and f"deploys {first[:7]}" in text_of(waiting)
    scene.scripts.touch("go")
    ada.hear("Live: staging", first[:7])
    bob.hear("⏳ Started: staging", second[:7])
    carl.hear("⏳ You are next in staging: ", third[:7])
    carl.hear("Live: staging", third[:7])
    assert started(scene)[-3:] == [first, second, third]


def test_the_queue_is_shown_and_a_place_is_taken_back(scene):
    _, first = begin(scene)
    bob, second, _ = queue(scene, "1st")
    carl, third, _ = queue(scene, "2nd")
    bob.say("/queue staging")
    shown = bob.hear("▶️", "1.", "2.", second[:7], third[:7])
    assert first[:7] in text_of(shown)
    assert any("Leave" in label for label in buttons_of(shown))
    leave = next(label for label in buttons_of(shown) if "Leave" in label)
    toast = scene.chat.press(carl.number, shown, leave, wait=PATIENCE_S)
    assert toast["text"] == "⛔ Only who asked may press this. You may type /queue."
    assert bob.press(shown, "Leave").startswith("You left the queue: #")
    carl.hear("⏳ Queued: 1st in staging", third[:7])
    carl.hear("⏳ You are next in staging")
    wait_until(lambda: second[:7] not in text_of(scene.chat.message(shown)), PATIENCE_S, "what bob is shown now")
    scene.scripts.touch("go")
    carl.hear("Live: staging", third[:7])
    assert started(scene)[-2:] == [first, third]


def test_a_place_is_given_to_somebody_in_a_hurry(scene):
    begin(scene)
    bob, second, _ = queue(scene, "1st")
    carl, third, _ = queue(scene, "2nd")
    bob.say("/queue staging")
    shown = bob.hear("▶️", "2.")
    assert bob.press(shown, "Give my place").endswith("has your place.")
    carl.hear("⏳ staging: you have the place of")
    bob.hear("⏳ staging: your place went to")
    scene.scripts.touch("go")
    carl.hear("Live: staging", third[:7])
    # Older than what is live by now: nothing goes back unasked.
    question = bob.hear("Not started: staging runs " + third[:7], buttons=("Go back",))
    assert started(scene)[-1] == third
    assert bob.press(question, "Go back to " + second[:7]) == "Started."
    bob.hear("Live: staging", second[:7])


def test_a_fourth_place_is_refused_with_that_sentence(scene):
    begin(scene)
    who = scene.admin()
    for place in ("1st", "2nd", "3rd"):
        who.say("/deploy staging " + scene.commit()["after"])
        who.hear(f"⏳ Queued: {place} in staging")
    who.say("/deploy staging")
    who.hear("⛔ Not queued: staging: you have 3 places in its queue already: leave one first, in /queue staging")


def test_places_outlive_a_kill(scene):
    _, first = begin(scene)
    bob, second, _ = queue(scene, "1st")
    scene.bot.kill()
    scene.start_bot()
    bob.say("/queue staging")
    bob.hear("▶️", first[:7], "1.", second[:7])
    scene.scripts.touch("go")
    bob.hear("Live: staging", second[:7])
    assert started(scene)[-2:] == [first, second]
