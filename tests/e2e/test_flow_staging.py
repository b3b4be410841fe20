"""Goal: /deploy staging goes from a chat to a verified release with live output, and everything that
reports it (message, state file, audit, history, status) says the same.  Polling mode."""
# SPDX-License-Identifier: ISC
import json
import re

import pytest

from flow_aid import Scene, ended_well
from stage import wait_until
from telegram_client import buttons_of, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("staging"))
    made.make_builds_wait()
    yield made
    made.let_go()
    ended_well(made)


def test_a_first_start_asks_for_nothing_and_polls(scene):
    state = scene.chat.state()
    assert state["webhook"]["url"] == ""
    wait_until(lambda: scene.chat.state()["online"], 20, "a poll")
    assert {"message", "callback_query"} <= set(scene.chat.state()["allowed_updates"])
    assert scene.chat.calls("setWebhook") == []


def test_deploy_staging_shows_live_output_steps_and_buttons(scene):
    scene.hold()
    who = scene.admin()
    who.say("/deploy staging")
    commit = scene.head("develop")
    running = who.hear("staging", commit[:7], "✓ checkout", "▸ build", "building " + commit,
                       buttons=("Stop", "Log"))
    assert running["edits"] > 0, "output is seen in an edit, not in a message of its own"
    assert scene.state_file("staging") is None, "nothing is released before the gate"
    assert "Builds can be held" in text_of(running) and "Joon Park" in text_of(running)
    scene.let_go()
    final = who.hear("Live: staging", commit[:7])
    assert final["message_id"] == running["message_id"]
    # A step without a time of its own is left out, as its release is on a fast machine.
    assert re.search(r"✓ build \d+(\.\d+)? s", text_of(final)), text_of(final)
    assert not any("Stop" in label for label in buttons_of(final))
    assert any("Log" in label for label in buttons_of(final))
    assert scene.runs("staging") == commit


def test_the_state_file_says_what_the_application_answers(scene):
    found = scene.state_file("staging")
    assert found["environment"] == "staging" and found["release"] == 1
    assert found["commit"] == scene.runs("staging") == scene.head("develop")
    assert found["image"] is None and found["previous"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", found["deployed_at"])


def test_the_audit_tells_a_deployment_in_order(scene):
    actions = [e["action"] for e in scene.audit(environment="staging")]
    assert actions == ["deploy_requested", "deploy_started", "deploy_success"]
    entries = scene.audit(environment="staging")
    assert all(e["user_id"].startswith("telegram:") for e in entries)
    assert entries[-1]["commit"] == scene.runs("staging")


def test_show_carries_the_digits_of_the_audit(scene):
    who = scene.admin()
    who.say("/show 1")
    said = text_of(who.hear("audit"))
    digits = re.search(r"audit .*?\b([0-9a-f]{8,})", said, re.S).group(1)
    assert any(entry["hash"].startswith(digits[:8]) for entry in scene.audit())


def test_what_is_asked_for_elsewhere_and_goes_live_is_no_news_of_another_admin(scene):
    assert not [view for view in scene.ada.messages() if "Live: staging" in text_of(view)]


def test_the_log_button_sends_the_runs_log_any_number_of_times(scene):
    who = scene.admin()
    who.say("/deploy staging")
    final = who.hear("Live: staging")
    for _ in range(2):
        who.since = scene.chat.mark()
        who.press(final, "Log")
        document = who.hear("Log of staging")
        assert document["message"]["document"]["file_name"].endswith(".log")
        log = scene.chat.file(document).decode()
        assert "==> checkout" in log and "==> release" in log and "rendering the front page" in log


def test_history_lists_what_was_deployed(scene):
    who = scene.admin()
    who.say("/history staging")
    listed = who.hear("staging", "live since ", scene.head("develop")[:7])
    assert text_of(listed).count("✅") == 2 and text_of(listed).count("live since") == 1
    assert sum("Log of #" in label for label in buttons_of(listed)) == 2
    assert who.press(listed, "🔎 Show #2") == "", "a press that is not answered turns for a minute"
    shown = text_of(who.hear("Live: staging", "#2, live since ", "requested by @admin_", "audit entries "))
    assert re.search(r"\n(\d\d:\d\d )?build( \d|\n)", shown), "one that took no tenth of a second has no time"
    assert re.search(r"deploy script: started .*, ok \(run \d+\)", shown)
    who.say("/show 999")
    who.hear("There is no deployment of that number: ")
    who.say("/history")
    who.hear("staging", without=("production",))     # nothing was deployed there


def test_status_tells_health_release_age_and_who(scene):
    who = scene.admin()
    who.say("/status")
    heard = text_of(who.hear("staging runs " + scene.runs("staging")[:7], "healthy, HTTP 200"))
    assert re.search(r"HTTP 200 in \d+ ms", heard) and re.search(r"release 2, live since .*(ago|just now)", heard)
    assert "@admin_" in heard and "No release yet: production" in heard


def test_status_tells_what_is_in_progress_and_since_when(scene):
    scene.hold()
    who, other = scene.admin(), scene.admin()
    who.say("/deploy staging")
    who.hear("▸ build")
    other.say("/status staging")
    heard = text_of(other.hear("in progress", "(build)", "started", "requested by @admin_"))
    assert "production" not in heard
    scene.let_go()
    who.hear("Live: staging")


@pytest.mark.long
def test_a_place_names_who_what_and_since_when(scene):
    scene.hold()
    who, other = scene.admin(), scene.admin()
    who.say("/deploy staging")
    who.hear("▸ build")
    other.say("/deploy staging")
    other.hear("it is being deployed already")
    moved = scene.commit()
    other.say("/deploy staging")
    heard = text_of(other.hear("⏳ Queued: 1st in staging", moved["after"][:7]))
    assert f"@admin_{scene.next_admin - 1} deploys" in heard and "since" in heard
    scene.let_go()
    who.hear("Live: staging")
    other.hear("Live: staging", moved["after"][:7])


def test_where_releases_take_a_moment_its_time_has_no_estimate(scene):
    scene.hold()
    who = scene.admin()
    who.say("/deploy staging")
    said = text_of(who.hear("▸ build"))
    scene.let_go()
    took = scene.bot_rows("SELECT MAX(ended_at - started_at) FROM run WHERE started_at > 0 AND ended_at > 0")[0][0]
    assert took >= 5000 or "of about" not in said, said
    who.hear("Live: staging")


def test_an_unhealthy_application_is_seen_by_status(scene):
    scene.stop_apps()
    wait_until(lambda: scene.app("staging")[0] == 0, 20, "the application's end")
    who = scene.admin()
    who.say("/status staging")
    who.hear("🔴 staging", "DOWN", ", 3 of 3 tries")
    who.say("/deploy staging")
    who.hear("Live: staging")
    assert scene.runs("staging") == scene.head("develop")


def test_the_metrics_tell_of_releases(scene):
    done = len(scene.audit(action="deploy_success"))
    assert scene.metric("deploybot_deployments_total", environment="staging", outcome="live",
                        trigger="chat") == done
    assert scene.metric("deploybot_release_info", environment="staging") == 1
    assert scene.metric("deploybot_audit_entries_total") == len(scene.audit())


def test_a_restart_keeps_the_application_and_what_is_known(scene):
    before = scene.runs("staging")
    assert scene.bot.stop() == 0
    assert scene.runs("staging") == before
    assert scene.bot.run("audit", "verify").returncode == 0
    scene.bot.start()
    who = scene.admin()
    who.say("/status staging")
    who.hear("staging runs " + before[:7], "healthy")


def test_json_of_every_audit_line_is_chained(scene):
    entries = scene.audit()
    for before, after in zip(entries, entries[1:]):
        assert after["prev"] == before["hash"], json.dumps([before, after])
