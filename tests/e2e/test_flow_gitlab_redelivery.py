"""Goal: what GitLab could not deliver while deploybot was away comes when it is back, each event once; and whoever asks
for the status reads that GitLab has switched its webhook off."""
# SPDX-License-Identifier: ISC
import datetime

import pytest

from flow_aid import PATIENCE_S, Scene, ended_well
from forges import GitLab
from gitlab_api import GitlabApi
from stage import wait_until
from telegram_client import GROUP

TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
SECRET = "forge-s3cret-of-this-test-0123456789"
PATH = "orchard/fruit/shop"
OUTAGE_S = 40 * 60


@pytest.fixture(name="api")
def _api():
    api = GitlabApi({TOKEN: [PATH]}, project=15)
    yield api
    api.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path, api):
    made = Scene(tmp_path, settings={
        "FORGE_WEBHOOK_SECRET": SECRET, "REPOSITORY_PATH": PATH, "GITHUB_REPOSITORY": "", "GITLAB_URL": api.url,
        "REPORT_DEPLOYMENTS": "false", "GITLAB_API_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": str(GROUP)})
    made.extra["PUBLIC_URL"] = f"http://127.0.0.1:{made.http_port}"
    made.bot.stop()
    made.lab = GitLab(f"http://127.0.0.1:{made.http_port}/forge/webhook/gitlab", SECRET, PATH)
    made.hook = api.hook(made.lab)
    yield made
    ended_well(made)


def push(scene, branch, commit):
    return scene.lab.payload(f"refs/heads/{branch}", "1" * 40, commit)


def resends(api):
    return [(path.rsplit("/", 2)[1], status) for path, status in api.calls if path.endswith("/resend")]


def test_what_came_in_vain_for_forty_minutes_comes_once(scene, api):
    older, newest = (scene.commit("develop")["after"] for _ in range(2))
    api.fails(scene.hook, push(scene, "develop", older), OUTAGE_S)
    api.fails(scene.hook, scene.lab.pipeline("failed", [(380, "unit", "failed")], sha="a" * 40), OUTAGE_S - 60)
    api.fails(scene.hook, {"object_kind": "note"}, OUTAGE_S - 90)
    newer = api.fails(scene.hook, push(scene, "develop", newest), OUTAGE_S - 120, "internal error")
    who = scene.admin()
    scene.start_bot()
    wait_until(lambda: scene.runs("staging") == newest, PATIENCE_S, "its newest push is live")
    who.hear("CI failed: shop develop, .gitlab-ci.yml", chat=GROUP)
    assert resends(api) == [("71", 201), ("73", 201)], "the oldest first; of two pushes the newest"
    assert (newer,) in scene.bot_rows("SELECT id FROM inbox")
    assert scene.bot_rows("SELECT COUNT(*) FROM work WHERE cause = 'push'") == [(1,)]
    scene.bot.stop()
    api.calls.clear()
    scene.start_bot()
    wait_until(lambda: any("/events?" in path for path, _ in api.calls), PATIENCE_S, "the next look")
    scene.release("staging")
    assert resends(api) == []


def test_a_page_leads_to_the_next_one_and_five_are_sent_again_in_a_look(scene, api):
    for number in range(12):
        api.fails(scene.hook, scene.lab.pipeline("success", [(380 + number, "unit", "success")], 100 + number,
                                                 sha="b" * 40), OUTAGE_S - number)
    scene.start_bot()
    wait_until(lambda: len(resends(api)) == 5, PATIENCE_S, "five")
    wait_until(lambda: not scene.bot_rows("SELECT 1 FROM effect WHERE kind = 'github_deliveries'"), PATIENCE_S,
               "an end")
    assert resends(api) == [(str(70 + number), 201) for number in range(5)], "the oldest stand on the second page"
    who = scene.admin()
    who.say("/status")
    who.hear("7 webhook events missing since ", ", asked for again")


def test_a_webhook_that_is_off_is_said_and_nothing_is_asked_for(scene, api):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
    scene.hook.update(alert_status="temporarily_disabled", disabled_until=until.isoformat())
    api.fails(scene.hook, push(scene, "feature", "b" * 40))
    scene.start_bot()
    who = scene.admin()
    wait_until(lambda: scene.bot_rows("SELECT 1 FROM forge_hook WHERE off_until <> 0"), PATIENCE_S, "a look")
    who.say("/status")
    who.hear(f"GitLab sends no events of {PATH}: its webhook is off until ")
    assert not any("/events" in path for path, _ in api.calls)


@pytest.mark.parametrize("trouble, said", [(403, "HTTP 403"), (404, "HTTP 404"), (429, "HTTP 429"), (502, "HTTP 502"),
                                           ("html", "half a body"), ("away", "returned nothing")])
def test_each_trouble_delays_it_and_is_said_once(scene, api, trouble, said):
    api.fails(scene.hook, push(scene, "feature", "b" * 40))
    api.troubles.append(("/hooks", trouble))
    scene.start_bot()
    wait_until(lambda: "what GitLab could not deliver is not asked for again" in scene.bot.log(), PATIENCE_S, "a word")
    assert said in scene.bot.log()
    assert resends(api) == []


def test_who_has_no_webhook_there_reads_which_one_is_missing(scene, api):
    scene.hook["url"] = "https://other.example/forge/webhook/gitlab"
    scene.start_bot()
    wait_until(lambda: f"{PATH}: what GitLab could not deliver is not asked for again: no webhook there sends to "
               "PUBLIC_URL/forge/webhook/gitlab" in scene.bot.log(), PATIENCE_S, "which")
