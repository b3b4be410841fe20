"""Goal: /metrics is what Prometheus wants and all that was promised, its labels are bounded whatever
is sent, and health and readiness report the truth."""
# SPDX-License-Identifier: ISC
import json
import re
import resource
import shutil
import sqlite3
import subprocess

import pytest

from crash_aid import CrashScene, telegram_update
from ops_aid import (WAIT_S, bare, check_stop, metric, post_github, post_telegram, request)
from stage import WEBHOOK_SECRET, free_port, wait_until
from telegram_client import ADA

NAMES = """deploybot_build_info deploybot_webhook_requests_total deploybot_deployments_total
deploybot_deployment_duration_seconds deploybot_environment_busy
deploybot_rollback_unacknowledged deploybot_release_info deploybot_health_up deploybot_deployment_failed
deploybot_release_timestamp_seconds deploybot_messages_waiting_since_timestamp_seconds
deploybot_telegram_requests_total deploybot_telegram_pending_updates deploybot_outbox_pending
deploybot_telegram_receiving
deploybot_audit_entries_total deploybot_audit_export_failures_total deploybot_commands_total
deploybot_loop_lag_seconds deploybot_mirror_size_bytes
deploybot_store_commit_seconds process_cpu_seconds_total process_open_fds
process_max_fds process_virtual_memory_bytes process_resident_memory_bytes
process_start_time_seconds""".split()


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    made = bare(tmp_path_factory.mktemp("metrics"), STAGING_HEALTH_URL="http://127.0.0.1:9/").start()
    yield made
    check_stop(made)


@pytest.fixture(scope="module")
def after_a_deployment(tmp_path_factory):
    """What /metrics says once everything that is counted has happened; webhook mode."""
    port = free_port()
    scene = CrashScene(tmp_path_factory.mktemp("deployed"), start=False)
    scene.http_port = port
    scene.extra.update({"TELEGRAM_MODE": "webhook", "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                        "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook"})
    scene.start()
    wait_until(lambda: "Telegram sends updates to" in scene.bot.log(), WAIT_S, "a webhook")
    assert scene.bot.stop() == 0
    scene.bot.start()       # it finds its webhook: what else is known of it at the next look, a minute later
    scene.release()
    def told():
        said = scene.bot.metrics()
        return said if all(f"\n{name}" in said for name in NAMES) else None
    try:
        said = wait_until(told, WAIT_S, "every name")
    except TimeoutError:
        said = scene.bot.metrics()
    yield said
    scene.close()


def promtool(said):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (package prometheus)")
    found = subprocess.run([program, "check", "metrics"], input=said, text=True,
                           capture_output=True, check=False)
    assert found.returncode == 0 and found.stderr == "", found.stdout + found.stderr


def test_promtool_has_nothing_to_say_about_a_server_that_just_started(bot):
    promtool(bot.metrics())


def test_promtool_has_nothing_to_say_after_a_deployment(after_a_deployment):
    promtool(after_a_deployment)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_that_was_promised_is_there(after_a_deployment, name):
    said = after_a_deployment
    assert re.search(rf"^# TYPE {name} ", said, re.M), name
    assert re.search(rf"^# HELP {name} \S", said, re.M), name
    assert re.search(rf"^{name}(_bucket)?[ {{]", said, re.M), name


@pytest.mark.parametrize("series", [
    'deploybot_deployments_total{environment="staging",trigger="chat",outcome="live"} 1',
    'deploybot_environment_busy{environment="staging"} 0',
    'deploybot_rollback_unacknowledged{environment="staging"} 0',
    'deploybot_deployment_duration_seconds_count'])
def test_series_have_the_labels_that_were_promised(after_a_deployment, series):
    name, _, labels = series.partition("{")
    lines = [x for x in after_a_deployment.splitlines() if x.startswith(name)]
    parts = labels.rstrip("} 01").split(",") if labels else []
    assert any(all(part in line for part in parts) and
               (not labels or line.endswith(series[-1])) for line in lines), lines


def test_it_allows_itself_more_descriptors_than_the_usual_1024(tmp_path):
    """All HTTP connections and all probes at once leave too few of those for runs and files."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    hard = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    bot = bare(tmp_path, wrapper=["prlimit", f"--nofile=512:{hard}", "--"]).start()
    try:
        assert metric(bot, "process_max_fds") == min(4096, hard)
    finally:
        check_stop(bot)


def test_the_content_type_is_that_of_the_text_format(bot):
    found = request(bot, "GET", "/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_what_is_sent_makes_no_new_series(bot):
    def series():
        return {line.rsplit(" ", 1)[0] for line in bot.metrics().splitlines()
                if line and line[0] != "#"}
    post_telegram(bot, json.dumps(telegram_update(ADA, 50, "/nosuch0")).encode())
    request(bot, "GET", "/nothing")
    post_github(bot, b'{"repository":{"full_name":"a/b"}}', event="e0", guid="g0")
    before = series()
    for n in range(30):
        post_telegram(bot, json.dumps(telegram_update(ADA + n, 100 + n, f"/cmd{n} env{n}")).encode())
        post_github(bot, b'{"repository":{"full_name":"a/b"},"n":%d}' % n, event=f"e{n}", guid=f"h{n}")
        request(bot, "GET", f"/nothing{n}")
        request(bot, f"M{n}", "/healthz")
    new = series() - before
    assert not any(f"cmd{n}" in s or f"env{n}" in s for s in new for n in range(30)), new
    assert len(new) <= 5, new


def test_no_secret_and_no_person_is_in_it(bot):
    said = bot.metrics()
    for name in ("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET",
                 "ADMIN_TELEGRAM_IDS"):
        assert bot.settings[name] not in said


def test_telemetry_can_be_turned_off(tmp_path):
    bot = bare(tmp_path, ENABLE_TELEMETRY="false").start()
    assert request(bot, "GET", "/metrics").status == 404
    assert request(bot, "GET", "/healthz").status == 200
    check_stop(bot)


def test_health_and_readiness_answer_get_and_head(bot):
    for path, word in (("/healthz", b"ok"), ("/readyz", b"ready")):
        found = request(bot, "GET", path)
        assert (found.status, found.body.split(b";")[0].strip()) == (200, word)
        assert request(bot, "HEAD", path).status == 200


def test_not_ready_while_the_store_cannot_write_and_alive_all_the_same(bot):
    """Somebody else holds the database's write lock for seconds."""
    done = sqlite3.connect(f"{bot.settings['STATE_DIRECTORY']}/deploybot.db", isolation_level=None)
    done.execute("BEGIN IMMEDIATE")
    try:
        update = json.dumps(telegram_update(ADA, 60_000, "/whoami")).encode()
        found = post_telegram(bot, update)
        assert found.status == 503 and int(found.headers["retry-after"]) > 0, found
        assert request(bot, "GET", "/healthz").status == 200
        sick = request(bot, "GET", "/readyz")
        assert sick.status == 503 and len(sick.body) > 5, sick
    finally:
        done.execute("ROLLBACK")
        done.close()
    count = metric(bot, "deploybot_commands_total", command="whoami")
    wait_until(lambda: post_telegram(bot, update).status == 200, WAIT_S, "the update taken")
    assert metric(bot, "deploybot_commands_total", command="whoami") == count + 1
    wait_until(lambda: request(bot, "GET", "/readyz").status == 200, WAIT_S, "readiness")
