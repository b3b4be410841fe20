"""Goal: what GitHub could not deliver while deploybot was away comes when it is back: each event once, of pushes the
newest of a branch alone, and nothing twice, whoever is killed in between."""
# SPDX-License-Identifier: ISC
import contextlib
import sqlite3
import time

import pytest

from flow_aid import PATIENCE_S, Scene, ended_well
from github import HOOK_ID, GitHub, protection_rule, workflow_run
from github_api import APP_ID, FIRST_DELIVERY, Api
from stage import GITHUB_SECRET, wait_until

TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
SHOP = "octo/shop"
OUTAGE_S = 40 * 60
MISSING = "deploybot_github_missing_since_timestamp_seconds"


@pytest.fixture(name="api")
def _api():
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {
        "metadata": "read", "actions": "read", "repository_hooks": "write"}}})
    yield api
    api.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path, api):
    made = Scene(tmp_path, settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_API_URL": api.url,
        "GITHUB_API_TOKEN": TOKEN})
    made.extra["PUBLIC_URL"] = f"http://127.0.0.1:{made.http_port}"
    made.bot.stop()
    made.hook = GitHub(f"http://127.0.0.1:{made.http_port}/github/webhook", GITHUB_SECRET, SHOP)
    api.hooks[HOOK_ID] = made.hook
    yield made
    ended_well(made)


def fails(scene, event, payload, ago_s=OUTAGE_S):
    """It is sent while nobody listens; its guid."""
    entry = scene.hook.deliver(event, payload)
    assert entry["status"] is None
    entry["at"] = time.time() - ago_s
    return entry["guid"]


def push_fails(scene, branch, commit, ago_s=OUTAGE_S):
    entry = scene.hook.push(branch, commit)
    assert entry["status"] is None
    entry["at"] = time.time() - ago_s
    return entry["guid"]


def run_fails(scene, number, **options):
    run = workflow_run(SHOP, "ci.yml", "a" * 40, number=number, conclusion="success")
    return fails(scene, "workflow_run", {"action": "completed", "workflow_run": run, "repository": run["repository"]},
                 **options)


def an_hour_passes(scene):
    """For what was asked for again; it does not run."""
    with contextlib.closing(sqlite3.connect(scene.folder / "state" / "deploybot.db", timeout=10)) as database:
        database.execute("UPDATE undelivered SET due = due - 3600 * 1000")
        database.commit()


def came(scene):
    """The guids that came, in their order."""
    return [entry["guid"] for entry in scene.hook.deliveries if entry["status"] == 200]


def wait_came(scene, *guids):
    wait_until(lambda: set(guids) <= set(came(scene)), PATIENCE_S, "what was missed")


def test_what_came_in_vain_for_forty_minutes_comes_once(scene, api):
    older = push_fails(scene, "develop", scene.commit("develop")["after"], OUTAGE_S)
    runs = [run_fails(scene, number, ago_s=OUTAGE_S - 60 * number) for number in (1, 2)]
    feature = push_fails(scene, "feature", "b" * 40, OUTAGE_S - 500)
    commit = scene.commit("develop")["after"]
    newest = push_fails(scene, "develop", commit, OUTAGE_S - 600)
    others = [fails(scene, event, {"zen": "x", "action": "opened"}) for event in ("ping", "issues")]
    scene.start_bot()
    wait_until(lambda: scene.runs("staging") == commit, PATIENCE_S, "its newest push is live")
    wait_came(scene, newest, feature, *runs)
    assert came(scene) == [*runs, feature, newest], "the oldest first, each once"
    assert not {older, *others} & set(came(scene))
    assert scene.bot_rows("SELECT COUNT(*) FROM work WHERE cause = 'push'") == [(1,)]
    assert [call for call in api.calls if call[0] == "POST" and call[2] != 202] == []


def test_nothing_comes_twice_whoever_is_killed_in_between(scene, api):
    commit = scene.commit("develop")["after"]
    guids = [run_fails(scene, number, ago_s=OUTAGE_S - 60 * number) for number in range(1, 6)]
    guids.append(push_fails(scene, "develop", commit, 300))
    for at in range(3):
        scene.start_bot()
        # A look is open in its rows: killed while GitHub is asked, or right behind that.
        wait_until(lambda: scene.bot_rows("SELECT 1 FROM effect WHERE kind = 'github_deliveries'")
                   or len(came(scene)) > at, PATIENCE_S, "a look")
        scene.bot.kill()
    # What was asked for again while nobody listened has its next turn ten minutes later.
    an_hour_passes(scene)
    scene.start_bot()
    # One that was stored when the server died, before its answer, is here though GitHub does not know that.
    wait_until(lambda: set(guids) <= {guid for guid, in scene.bot_rows("SELECT id FROM inbox")},
               PATIENCE_S, "each of them")
    wait_until(lambda: scene.runs("staging") == commit, PATIENCE_S, "its push is live")
    assert scene.bot_rows("SELECT COUNT(*) FROM work WHERE cause = 'push'") == [(1,)]
    wait_until(lambda: scene.metric(MISSING) == 0, PATIENCE_S, "all is there")
    api.calls.clear()
    scene.bot.stop()
    scene.start_bot()
    wait_until(lambda: any("/deliveries?" in path for _, path, _ in api.calls), PATIENCE_S, "the next look")
    scene.release("staging")
    assert [call for call in api.calls if call[0] == "POST"] == []


def test_the_webhook_is_looked_for_by_its_address_and_then_known_by_its_deliveries(scene, api):
    other = GitHub("https://other.example/github/webhook", GITHUB_SECRET, SHOP)
    api.hooks = {1: other, HOOK_ID: scene.hook}
    guid = run_fails(scene, 1)
    scene.start_bot()
    wait_came(scene, guid)
    assert sum(path.endswith("/hooks?per_page=100") for _, path, _ in api.calls) == 1
    assert scene.bot_rows("SELECT number FROM forge_hook") == [(HOOK_ID,)]
    scene.bot.stop()
    api.calls.clear()
    api.hooks = {501: scene.hook}
    guid = run_fails(scene, 2, ago_s=120)
    scene.start_bot()
    wait_until(lambda: scene.bot_rows("SELECT number FROM forge_hook") == [(0,)], PATIENCE_S, "that it is gone")
    scene.bot.stop()
    scene.start_bot()
    wait_came(scene, guid)
    assert sum(path.endswith("/hooks?per_page=100") for _, path, _ in api.calls) == 1


def test_a_page_leads_to_the_next_one(scene):
    guids = [run_fails(scene, number, ago_s=OUTAGE_S - number) for number in range(1, 104)]
    scene.start_bot()
    wait_came(scene, *guids[:20])
    assert scene.bot_rows("SELECT COUNT(*) FROM undelivered WHERE is_ok = 0") == [(83,)]
    assert came(scene) == guids[:20], "the oldest, which stand on the second page"


TROUBLES = {401: "HTTP 401: Unauthorized", 403: "HTTP 403: Forbidden", 404: "HTTP 404: Not Found",
            422: "HTTP 422: Unprocessable Entity", "429": "HTTP 429: ", "limit": "HTTP 403: API rate limit",
            502: "HTTP 502: Bad Gateway", "half": "partial file", "torn": "half a body", "huge": "larger than",
            "html": "HTTP 503", "moved": "HTTP 301"}
EACH = [("/deliveries", trouble) for trouble in TROUBLES] + [
    (path, trouble) for path in ("/hooks", "/attempts") for trouble in (403, "429", 502)] + [("/hooks", "away")]


@pytest.mark.parametrize("path, trouble", EACH, ids=str)
def test_each_trouble_delays_it_and_is_said_once(scene, api, path, trouble):
    guid = run_fails(scene, 1)
    for n in (1, 2):
        api.troubles.append((path, trouble))
        scene.start_bot()
        wait_until(lambda: api.troubles == [] and not scene.bot_rows(
            "SELECT 1 FROM effect WHERE kind = 'github_deliveries'"), PATIENCE_S, "the end of a look")
        scene.bot.stop()
        asked = [one for _, one, _ in api.calls if one.partition("?")[0].endswith(path)]
        assert len(asked) == n, "one try in a look"
        an_hour_passes(scene)
    assert scene.bot.log().count("what GitHub could not deliver is not asked for again") == 1
    assert TROUBLES.get(trouble, "returned nothing") in scene.bot.log()
    assert came(scene) == []
    scene.start_bot()
    if (path, trouble) == ("/deliveries", 404):
        wait_until(lambda: scene.bot_rows("SELECT number FROM forge_hook") != [(0,)], PATIENCE_S, "a webhook")
    wait_came(scene, guid)


@pytest.mark.parametrize("trouble", ["huge", "torn", 404])
def test_a_push_of_which_github_does_not_say_its_branch_is_sent_again_all_the_same(scene, api, trouble):
    first = push_fails(scene, "develop", scene.commit("develop")["after"])
    second = push_fails(scene, "develop", scene.commit("develop")["after"], OUTAGE_S - 60)
    api.troubles.append((f"/deliveries/{FIRST_DELIVERY}", trouble))
    scene.start_bot()
    wait_came(scene, first, second)
    assert "is not asked for again" not in scene.bot.log()


def test_what_github_does_not_send_again_counts_as_a_try(scene, api):
    guids = [run_fails(scene, number, ago_s=OUTAGE_S - number) for number in range(1, 6)]
    api.troubles += [("/attempts", trouble) for trouble in (422, 404, 400, 409)]
    scene.start_bot()
    wait_came(scene, guids[4])
    assert scene.bot_rows("SELECT tries FROM undelivered WHERE is_ok = 0 ORDER BY at") == [(1,)] * 4
    assert "is not asked for again" not in scene.bot.log()


def test_a_list_that_never_ends_is_read_to_its_tenth_page(scene, api):
    guid = run_fails(scene, 1)
    api.endless = True
    scene.start_bot()
    wait_came(scene, guid)
    assert sum("/deliveries?" in path for _, path, _ in api.calls) == 10


def test_a_metric_says_how_much_more_rarely_github_is_asked(scene, api):
    api.limit = 15      # of three calls, the fifth that is used, a look makes two
    run_fails(scene, 1)
    scene.start_bot()
    wait_until(lambda: scene.metric("deploybot_github_interval_factor") > 1, PATIENCE_S, "a longer interval")


def test_nobody_is_asked_where_no_credential_is_set(scene, api):
    guid = run_fails(scene, 1)
    scene.start_bot(GITHUB_API_TOKEN=None)
    scene.release("staging")
    assert api.calls == [] and guid not in came(scene)
    assert "redelivery is off: what GitHub cannot deliver has to be redelivered there; set GITHUB_API_TOKEN or " \
        "GITHUB_APP_ID" in scene.bot.run("doctor").stdout


def test_doctor_says_which_permission_is_missing(scene, api):
    api.people[TOKEN]["permissions"] = {"metadata": "read"}
    scene.start_bot()
    assert 'redelivery lacks "Webhooks: write" (HTTP 403: Resource not accessible by integration)' in \
        scene.bot.run("doctor").stdout
    api.people[TOKEN]["permissions"]["repository_hooks"] = "read"
    guid = run_fails_while(scene)
    wait_until(lambda: "is not asked for again: HTTP 403" in scene.bot.log(), PATIENCE_S, "what is missing")
    assert guid not in came(scene)


def run_fails_while(scene):
    """An event that fails while deploybot runs, as it is known by the next start."""
    scene.bot.stop()
    guid = run_fails(scene, 1)
    scene.start_bot()
    return guid


def test_what_is_missing_is_said_by_status_and_a_metric(scene, api):
    who = scene.admin()
    run_fails(scene, 1)
    run_fails(scene, 2)
    first = min(int(entry["at"]) for entry in scene.hook.deliveries[-2:])
    api.troubles += [("/attempts", 502)] * 2
    scene.start_bot()
    since = wait_until(lambda: scene.metric(MISSING), PATIENCE_S, "a metric")
    assert since == first
    who.say("/status")
    who.hear("2 webhook events missing since ", ", asked for again")
    assert scene.metric(MISSING) == since, "whatever else was decided meanwhile"


def test_what_the_app_could_not_deliver_comes_too(tmp_path):
    api = Api(installations={"octo": {"id": 7, "repositories": [SHOP], "permissions": {
        "metadata": "read", "deployments": "write"}}})
    key, secret = tmp_path / "key.pem", "app-" + "5tR8wZ2q" * 5
    key.write_text(api.pem, encoding="ascii")
    key.chmod(0o600)
    scene = Scene(tmp_path / "scene", settings={
        "GITHUB_REPOSITORY": SHOP, "GITHUB_API_URL": api.url, "GITHUB_WEBHOOK_SECRET": None,
        "GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_KEY_FILE": str(key), "GITHUB_APP_WEBHOOK_SECRET": secret,
        "PRODUCTION_APPROVALS": "1", "PRODUCTION_CONFIRM": "false"})
    try:
        scene.bot.stop()
        scene.hook = api.app_hook = GitHub(f"http://127.0.0.1:{scene.http_port}/github/app", secret, SHOP)
        api.waits.add(("4711", "production"))
        guid = fails(scene, "deployment_protection_rule",
                     protection_rule(SHOP, scene.head("main"), 4711, 900_001, "production"))
        push = push_fails(scene, "develop", scene.commit("develop")["after"])
        scene.start_bot()
        wait_came(scene, guid, push)
        assert scene.bot_rows("SELECT COUNT(*) FROM work WHERE action = 'open-gate'") == [(1,)]
        wait_until(lambda: scene.metric(MISSING) == 0, PATIENCE_S, "all is there")
        assert [call for call in api.calls if call[2] >= 400] == []
        ended_well(scene)
    finally:
        api.stop()
