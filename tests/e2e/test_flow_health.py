"""Goal: health URLs are asked side by side, by their plan, and only what all of them say is live."""
# SPDX-License-Identifier: ISC
import re
import threading

import pytest

from flow_aid import Health, PATIENCE_S, Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import text_of

NAMES = ("web", "api", "shop", "jobs")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    scripts, health = Scripts(folder / "scripts"), Health()
    made = Scene(folder, settings={
        **scripts.settings(), "STAGING_HEALTH_URL": f"{health.url('web')}, {health.url('api')}",
        "PRODUCTION_HEALTH_URL": f"{health.url('shop')},{health.url('jobs')}",
        "PRODUCTION_CONFIRM": "false", "HEALTH_CHECK_SUCCESSES": "2", "HEALTH_CHECK_DEADLINE": "10"})
    made.scripts, made.health = scripts, health
    yield made
    health.close()
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    scene.health.answers.clear()
    yield
    for gate in list(scene.health.gates.values()):
        gate.set()
    scene.health.gates.clear()
    scene.wait_free("staging")
    scene.wait_free("production")


def close_gates(scene):
    gate = threading.Event()
    scene.health.gates.update({name: gate for name in NAMES})
    return gate, {name: scene.health.times(name) for name in NAMES}


def wait_asked(scene, before, names=NAMES):
    """All of these are asked while none of them has answered."""
    wait_until(lambda: all(scene.health.times(name) > before[name] for name in names),
               PATIENCE_S, "every URL being asked")


def test_both_environments_are_verified_at_the_same_time(scene):
    gate, before = close_gates(scene)
    verified = scene.bot.log().count("→ VERIFYING on")
    one, two = scene.admin(), scene.admin()
    one.say("/deploy staging")
    two.say("/deploy production")
    wait_asked(scene, before)
    # Asked by the gate, that is: once a minute the URLs are also asked for the metrics.
    wait_until(lambda: scene.bot.log().count("→ VERIFYING on") == verified + 2, PATIENCE_S,
               "both being verified")
    assert scene.is_busy("staging") and scene.is_busy("production")
    gate.set()
    one.hear("Live: staging")
    two.hear("Live: production")


def test_status_asks_all_environments_at_once(scene):
    gate, before = close_gates(scene)
    who = scene.admin()
    who.say("/status")
    wait_asked(scene, before)
    gate.set()
    said = text_of(who.hear("staging runs", "production runs", "healthy", without=("asking",)))
    assert said.count("healthy at 127.0.0.1:") == said.count(", HTTP 200") == 4


def test_one_sick_url_of_many_is_not_healthy(scene):
    live = scene.scripts.live()
    scene.health.answers["api"] = (500, {})
    change = scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.audit(action="rollback_started"), PATIENCE_S, "a rollback")
    scene.health.answers.clear()
    said = text_of(who.hear(f"staging is NOT running {change['after'][:7]}; it runs {live[:7]}"))
    assert "HTTP 500" in said
    assert scene.scripts.live() == live


def test_doctor_calls_what_is_live_and_unhealthy_an_error(scene):
    """Regression: "fine when nothing is deployed there yet", of a release that was live and down."""
    change, who = scene.commit(), scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", change["after"][:7])
    scene.health.answers["api"] = (500, {})
    found = scene.bot.run("doctor").stdout
    assert re.search(r"(?m)^error +staging: release \d+ is live and unhealthy: \S+ answers 500: deploybot status",
                     found), found


def test_passes_count_only_in_a_row(scene):
    well, ill = (200, {}), (503, {})
    scene.health.answers["web"] = [well, ill, well, well]
    change = scene.commit()
    before = scene.health.times("web")
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", change["after"][:7])
    assert scene.health.times("web") - before >= 4


@pytest.mark.long
def test_answers_that_come_and_go_end_at_the_deadline(scene):
    """Never twice the same: without a deadline the gate would stay open for ever."""
    who = scene.admin()
    who.say("/deploy staging " + scene.commit()["after"])
    who.hear("Live: staging ")
    live = scene.scripts.live()
    scene.health.answers["web"] = [(200, {}), (503, {})] * 50
    change = scene.commit()
    before = len(scene.audit(action="rollback_started"))
    who.say("/deploy staging")
    scene.wait_for_audit(before + 1, action="rollback_started")
    scene.health.answers.clear()
    said = text_of(who.hear(f"staging is NOT running {change['after'][:7]}; it runs {live[:7]}"))
    assert "answers come and go: " in said and "tries passed within 10 s" in said


def test_a_url_that_does_not_answer_is_told_as_that(scene):
    gate, _ = close_gates(scene)
    who = scene.admin()
    who.say("/status staging")
    said = text_of(who.hear("🔴 staging", "DOWN", ", 3 of 3 tries", timeout=60))
    assert "timed out after" in said
    gate.set()


@pytest.mark.long
def test_behind_a_rollback_that_failed_its_message_says_what_answers(scene):
    for answer, said in (((500, {}), ("staging is DOWN: the rollback", "🩺 answers unhealthy: HTTP 500, checked ")),
                         ((200, {}), ("staging may be DOWN: the rollback", "🩺 answers healthy, checked "))):
        who = scene.admin()
        who.say("/deploy staging " + scene.commit()["after"])
        who.hear("Live: staging ")
        scene.scripts.deploy('echo "==> release"\nexit 1')
        scene.scripts.rollback('echo "==> release"\nexit 1')
        scene.health.answers["web"] = answer
        who.say("/deploy staging " + scene.commit()["after"])
        who.hear(*said)
        scene.health.answers.clear()
        scene.scripts.reset()


def test_redirects_are_not_followed_and_status_says_so(scene):
    scene.health.answers["web"] = (302, b"")
    who = scene.admin()
    who.say("/status staging")
    who.hear("DOWN at 127.0.0.1:", ": HTTP 302 (redirects are not followed), 3 of 3 tries")


def test_another_commit_that_answers_is_shown(scene):
    scene.health.answers["web"] = (200, {"commit": "abcdef0123456789"})
    who = scene.admin()
    who.say("/status staging")
    who.hear("answers as abcdef0")
