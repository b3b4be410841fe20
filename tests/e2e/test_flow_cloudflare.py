"""Goal: a zone is under attack because somebody said so, and is again what it was, whatever Cloudflare answers."""
# SPDX-License-Identifier: ISC
import pytest

from cloudflare import TOKEN, ZONE, Cloudflare
from flow_aid import Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloudflare")
    peer = Cloudflare()
    made = Scene(folder, settings={
        **Scripts(folder / "scripts").settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None,
        "CLIENTS": "acme", "CLIENT_ACME_CLOUDFLARE_ZONE": ZONE, "CLIENT_ACME_ACTIONS": "cf-under-attack,cf-normal",
        "CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_BASE": peer.base})
    made.peer = peer
    yield made
    ended_well(made)
    peer.close()


def attack(scene, minutes=""):
    who = scene.admin()
    who.say(f"/do cf-under-attack acme {minutes}".strip())
    who.press(who.hear("❓ Run this? client/acme", buttons=("cf-under-attack",)), "cf-under-attack")
    return who


def normal(scene):
    who = scene.admin()
    who.say("/do cf-normal acme")
    who.hear("✅ Done: client/acme cf-normal", "medium again")
    assert scene.peer.levels[ZONE] == "medium"


def test_under_attack_and_normal_again(scene):
    said = text_of(attack(scene).hear("✅ Done: client/acme cf-under-attack 60"))
    assert "under attack until" in said and "then medium again" in said
    assert scene.peer.levels[ZONE] == "under_attack"
    attack(scene, "30").hear("✅ Done", "under attack already")
    assert scene.peer.sets() == ["under_attack"]
    normal(scene)
    assert scene.peer.sets() == ["under_attack", "medium"]


def test_what_cloudflare_refuses_is_said_and_nothing_is_set(scene):
    before = len(scene.peer.sets())
    for trouble, words in (("500", "HTTP 500: 1000 internal error"), ("429", "HTTP 429"), ("html", "HTTP 503"),
                           ("no", "1006 You are not allowed")):
        scene.peer.troubles = [trouble]
        attack(scene).hear("❌ Failed: client/acme cf-under-attack", words)
    assert len(scene.peer.sets()) == before and scene.peer.levels[ZONE] == "medium"


def test_an_answer_that_is_lost_is_looked_for(scene):
    scene.peer.troubles = [None, "lost"]
    attack(scene).hear("✅ Done: client/acme cf-under-attack 60", "under attack until")
    normal(scene)


def test_a_restart_in_between_sends_the_same_again(scene):
    scene.peer.lock.acquire()   # nobody is answered
    try:
        who = attack(scene)
        who.hear("⏳ Running client/acme cf-under-attack")
        scene.bot.kill()
    finally:
        scene.peer.lock.release()
    scene.bot.start()
    who.hear("✅ Done: client/acme cf-under-attack 60", "then medium again")
    normal(scene)
    wait_until(lambda: scene.peer.levels[ZONE] == "medium")


def test_normal_of_what_deploybot_has_not_set_offers_the_levels(scene):
    who = scene.admin()
    who.say("/do cf-normal acme")
    who.press(who.hear("⛔ Not done: client/acme cf-normal", "name the level", buttons=("low", "high")), "high")
    who.hear("✅ Done: client/acme cf-normal high")
    assert scene.peer.levels[ZONE] == "high"
