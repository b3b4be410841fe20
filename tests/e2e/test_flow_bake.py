"""Goal: a release is watched before it is live: rolled back by itself where Prometheus says that it is wrong, live
where it is not, and neither while nothing is known; also across the death of the server."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import ANY, Scene, ended_well
from prometheus import TOKEN, Prometheus
from stage import wait_until
from telegram_client import text_of

ERRORS, PRESENT = 'errors{e="%s"}', 'up{e="%s"}'
BAKE_S = 150        # a minute's bake, and all around it


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    peer = Prometheus(token=TOKEN)
    asked = {f"{name}_BAKE{what}": text for name in ("STAGING", "PRODUCTION") for what, text in (
        ("", "1m"), ("_QUERY", "errors: errors{e={environment}} > 1%"), ("_PRESENT", "up{e={environment}}"))}
    made = Scene(tmp_path_factory.mktemp("bake"), settings={
        "PROMETHEUS_URL": peer.url, "PROMETHEUS_TOKEN": TOKEN, **asked})
    made.prometheus = peer
    yield made
    ended_well(made)
    peer.close()


@pytest.fixture(name="prometheus")
def _prometheus(scene):
    peer = scene.prometheus
    peer.is_away = False
    peer.troubles.clear()
    peer.queries.clear()
    peer.values = {text % name: value for name in ("staging", "production")
                   for text, value in ((ERRORS, 0.002), (PRESENT, 1))}
    yield peer


def bakes(scene, environment="staging", branch="develop"):
    """A new commit that bakes there: who asked, its message, and the commit."""
    commit, who = scene.commit(branch)["after"], scene.admin()
    who.say(f"/deploy {environment}")
    return who, who.hear(f"Baking: {environment}", commit[:7], confirms=ANY), commit


def live(scene, environment="staging", branch="develop"):
    who, asked, commit = bakes(scene, environment, branch)
    who.press(asked, "Live now")
    who.hear(f"Live: {environment}", commit[:7])
    return commit


def current(scene, environment="staging"):
    rows = scene.bot_rows("SELECT commit_id FROM release WHERE id = (SELECT current_release FROM environment"
                          f" WHERE name = '{environment}')")
    return rows[0][0] if rows else None


def test_it_is_live_when_somebody_says_so_and_before_that_it_is_not(scene, prometheus):
    before = live(scene)
    who, asked, commit = bakes(scene)
    assert scene.runs("staging") == commit and scene.state_file("staging")["commit"] == before
    assert ERRORS % "staging" in prometheus.queries and PRESENT % "staging" in prometheus.queries
    who.say("/status")
    status = text_of(who.hear("production"))
    assert "another commit answers" not in status
    who.press(asked, "Live now")
    who.hear("Live: staging", commit[:7])
    wait_until(lambda: scene.state_file("staging")["commit"] == commit, what="the state file")


def test_a_pause_keeps_it_where_it_is_over_the_death_of_the_server(scene, prometheus):
    before = live(scene)
    who, asked, commit = bakes(scene)
    who.press(asked, "Pause")
    who.hear("Paused: staging, by @")
    scene.bot.kill()
    scene.start_bot()
    who.say("/resume staging")
    asked = who.hear("Baking: staging", commit[:7])
    who.say("/rollback staging")
    who.hear("Rolled back: staging", commit[:7])
    assert scene.runs("staging") == before == scene.state_file("staging")["commit"]


def test_one_that_is_wrong_is_rolled_back_and_one_that_is_well_is_live(scene, prometheus):
    """Both at once: a minute passes for each.  The server dies in the middle of it."""
    before = live(scene)
    ada, _, bad = bakes(scene)
    bob, _, good = bakes(scene, "production", "main")
    prometheus.values[ERRORS % "staging"] = [({"instance": "web1"}, 0.041)]
    ada.hear("Baking: staging", "errors 4.1 % (before 0.2 %, wrong once)", timeout=BAKE_S)
    left = scene.bot_rows("SELECT work, began_at, left_ms FROM bake WHERE counted_at <> 0 ORDER BY work")
    scene.bot.kill()
    scene.start_bot()
    said = text_of(ada.hear("Rolled back: staging", "errors 4.1 % > 1 %, before 0.2 %", bad[:7], timeout=BAKE_S))
    assert "web1" in said
    assert scene.runs("staging") == before == scene.state_file("staging")["commit"]
    bob.hear("Live: production", good[:7], timeout=BAKE_S)
    began = dict(scene.bot_rows("SELECT work, began_at FROM bake"))
    assert left and all(began[work] == at for work, at, _ in left)
    assert scene.state_file("production")["commit"] == good


def test_without_an_answer_it_is_neither_live_nor_rolled_back(scene, prometheus):
    live(scene)
    who, _, commit = bakes(scene)
    prometheus.is_away = True
    who.hear("Baking: staging", "not known: ", timeout=BAKE_S)
    assert scene.is_busy("staging") and scene.runs("staging") == commit
    assert scene.metric("deploybot_bake_unknown_total", environment="staging") > 0
    prometheus.is_away = False
    who.say("/rollback staging")
    who.hear("Rolled back: staging", commit[:7])


def doctor(scene):
    return [line for line in scene.bot.run("doctor").stdout.splitlines() if " Prometheus: " in line]


def test_doctor_says_which_query_prometheus_does_not_take(scene, prometheus):
    lines = doctor(scene)
    assert len(lines) == 1 and lines[0].startswith("ok") and lines[0].endswith("answers 4 queries")
    for status, why in ((400, "parse error"), (422, "too many samples")):
        prometheus.troubles[:] = [status]
        lines = doctor(scene)
        assert len(lines) == 1 and lines[0].startswith("error") and "it does not take errors of " in lines[0]
        assert why in lines[0]


def test_doctor_says_what_is_wrong_where_there_is_no_data_and_that_nobody_answers(scene, prometheus):
    prometheus.values[ERRORS % "staging"] = 0.041
    del prometheus.values[PRESENT % "production"]
    lines = doctor(scene)
    assert all(line.startswith("warning") for line in lines)
    assert any("errors of staging is 4.1 % now, so it is wrong (> 1 %)" in line for line in lines)
    assert any("_BAKE_PRESENT of production has no answer that counts now" in line for line in lines)
    prometheus.is_away = True
    lines = doctor(scene)
    assert len(lines) == 1 and lines[0].startswith("error") and "does not answer (" in lines[0]
