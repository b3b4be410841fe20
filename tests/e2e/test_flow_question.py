"""Goal: a push to what asks first puts a question to the team's group, for any admin and once, until a
newer push replaces it."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from github import GitHub
from stage import GITHUB_SECRET
from telegram_client import GROUP, buttons_of, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("question"), deliver=True,
                 settings={"TELEGRAM_CHAT_ID": str(GROUP),
                           "ENVIRONMENTS": "staging,production,qa-eu"})
    made.hub = GitHub(made.bot.base + "/github/webhook", GITHUB_SECRET, "orchard/shop")
    made.team = made.person(0)
    yield made
    ended_well(made)


def push(scene, branch, **options):
    change = scene.commit(branch)
    entry = scene.hub.push(branch, change["after"], change["before"], **options)
    assert entry["status"] == 200 and entry["answer"] == "", entry
    return change


def hear(scene, *words, **options):
    return scene.team.hear(*words, chat=GROUP, **options)


def test_a_push_to_production_asks_any_admin_and_not_a_contractor(scene):
    scene.team.since = scene.chat.mark()
    change = push(scene, "main", login="mina", login_id=5)
    question = hear(scene, "Deploy to production?", change["after"][:7],
                    "pushed by mina (GitHub)", buttons=("Deploy to", "Not now"))
    assert scene.app("production")[0] == 0
    assert "only an admin may" in scene.carl.press(question, "Deploy to")
    assert "no role" in scene.mallory.press(question, "Deploy to")
    assert scene.admin().press(question, "Deploy to") == "Confirmed."
    hear(scene, "Live: production", change["after"][:7])
    assert scene.runs("production") == change["after"]


def test_a_newer_push_replaces_the_question(scene):
    scene.team.since = scene.chat.mark()
    first = push(scene, "main")
    old = hear(scene, "Deploy to production?", first["after"][:7], buttons=("Deploy to",))
    data = [b["callback_data"] for row in old["message"]["reply_markup"]["inline_keyboard"]
            for b in row][0]
    second = push(scene, "main")
    hear(scene, "⛔ Skipped: production, replaced by " + second["after"][:7], first["after"][:7])
    new = hear(scene, "Deploy to production?", second["after"][:7], buttons=("Deploy to",))
    late = scene.chat.act("press", user_id=scene.ada.number, chat_id=GROUP,
                          message_id=old["message_id"], data=data, wait=20)
    assert late["answer"]["text"] == "This button has expired or was used."
    assert scene.ada.press(new, "Deploy to") == "Confirmed."
    hear(scene, "Live: production", second["after"][:7])


def test_asked_in_private_it_is_told_in_private_and_in_the_group(scene):
    scene.team.since = scene.chat.mark()
    who = scene.admin()
    who.say("/deploy staging")
    here = who.hear("Live: staging", scene.head("develop")[:7])
    there = hear(scene, "Live: staging", scene.head("develop")[:7])
    assert text_of(here) == text_of(there)
    assert buttons_of(here) == buttons_of(there)


def test_a_topic_gets_its_answers_in_the_topic(scene):
    chat = next(c for c in scene.chat.state()["chats"] if c["id"] == GROUP)
    topic = next(t for t in chat["topics"] if t["name"] == "Staging")["message_thread_id"]
    who = scene.admin()
    who.say("/status staging", chat=GROUP, thread_id=topic)
    answer = hear(scene, "staging runs", after=who.since)
    assert answer["thread_id"] == topic


def test_a_topic_that_is_gone_loses_no_answer(scene):
    topic = scene.chat.act("topics", chat_id=GROUP, name="Short-lived")["message_thread_id"]
    who = scene.admin()
    scene.chat.act("faults", method="sendMessage", times=1, status=400,
                   description="Bad Request: message thread not found")
    who.say("/history staging", chat=GROUP, thread_id=topic)
    answer = hear(scene, "staging", "live since", after=who.since)
    assert answer["thread_id"] is None


def test_an_environment_without_a_branch_needs_a_ref(scene):
    who = scene.admin()
    who.say("/deploy qa-eu")
    who.hear("⛔ Not deployed: qa-eu has no branch configured", "/deploy qa-eu <branch, tag or commit>")
    who.say("/deploy qa-eu develop")
    question = who.hear("Deploy to qa-eu?", scene.head("develop")[:7], buttons=("Deploy to",))
    assert "not on the branch" not in text_of(question)
    assert who.press(question, "Deploy to") == "Confirmed."
    who.hear("nothing was changed", "qa-eu has no release yet", "QA_EU_PORT")


def test_an_environment_of_ones_own_is_an_admins(scene):
    scene.carl.say("/deploy qa-eu develop")
    scene.carl.hear("⛔ Denied: qa-eu deploy: only an admin may.")
