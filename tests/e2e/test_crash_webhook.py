"""Goal: what a webhook was answered 200 for is acted on exactly once, though the server is killed right
after the answer; what comes again is a duplicate."""
# SPDX-License-Identifier: ISC
import pytest

import github
from crash_aid import (STEADY, CrashScene, post_update, telegram_update)
from flow_aid import PATIENCE_S
from stage import GITHUB_SECRET, WEBHOOK_SECRET, free_port, wait_until
from telegram_client import text_of

ROUNDS = 4


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    port = free_port()
    made = CrashScene(tmp_path_factory.mktemp("webhook"), start=False)
    made.http_port = port
    made.extra.update({"TELEGRAM_MODE": "webhook", "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                       "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook",
                       "GITHUB_REPOSITORY": "orchard/shop"})
    made.scripts.deploy('echo "$2" >>"$here/begun"; ' + STEADY)
    made.start()
    yield made
    made.close()


def begun(scene):
    path = scene.scripts.folder / "begun"
    return path.read_text(encoding="ascii").split() if path.exists() else []


@pytest.mark.long
def test_an_update_told_200_right_before_the_kill_is_acted_on_once(scene):
    for n in range(ROUNDS):
        scene.wait_free()
        scene.commit("develop")
        before, who = len(begun(scene)), scene.admin()
        update = telegram_update(who.number, 900_000 + n, "/deploy staging")
        assert post_update(scene.bot, update) == 200
        scene.crash()
        scene.restart()
        who.hear("Live: staging", after=0)
        assert post_update(scene.bot, update) == 200, "a duplicate is acknowledged too"
        who.say("/status staging")
        who.hear("staging runs")
        assert len(begun(scene)) == before + 1
        assert len(scene.audit(action="deploy_requested",
                               user_id=f"telegram:{who.number}")) == 1
    scene.check()


def test_a_push_told_200_right_before_the_kill_is_deployed_once(scene):
    hook = github.GitHub(scene.bot.base + "/github/webhook", GITHUB_SECRET)
    for _ in range(ROUNDS):
        scene.wait_free()
        before = len(begun(scene))
        change = scene.commit("develop")
        delivery = hook.push("develop", change["after"], change["before"])
        assert delivery["status"] == 200
        scene.crash()
        scene.restart()
        wait_until(lambda: (scene.state_file("staging") or {}).get("commit") == change["after"],
                   PATIENCE_S, "the pushed commit")
        assert hook.redeliver(delivery["guid"])["status"] in (200, 202)
        scene.wait_free()
        assert begun(scene)[before:] == [change["after"]]
    scene.check()


def test_while_the_server_is_away_telegram_keeps_the_update_and_it_is_done_once(scene):
    scene.wait_free()
    scene.commit()      # what is live already is asked about
    before, who = len(begun(scene)), scene.admin()
    scene.crash()
    who.say("/deploy staging")
    wait_until(lambda: any(d["error"] or d["status"] != 200 for d in scene.chat.deliveries()[-1:]),
               PATIENCE_S, "a delivery that failed")
    scene.restart()
    who.hear("Live: staging")
    assert len(begun(scene)) == before + 1
    assert len([m for m in who.messages() if "Live: staging" in text_of(m)]) == 1


def test_answers_to_telegram_have_empty_bodies(scene):
    scene.ada.say("/status")
    scene.ada.hear("staging")
    done = [d for d in scene.chat.deliveries() if d["status"] == 200]
    assert done and all(d["body"] == "" for d in done)
