"""Goal: a real Prometheus that scrapes real deploybots has data for every query of the dashboards, and each
alert is provoked once, and ends when its cause does."""
# SPDX-License-Identifier: ISC
import contextlib
import hmac
import math
import pathlib
import re
import sqlite3
import subprocess
import time

import pytest

from crash_aid import HOLD, STEADY, CrashScene, LiveCommit
from monitoring_aid import PATIENCE_S, Prometheus, expressions, filled_in, metric_names, queries
from ops_aid import bare, check_stop, post_github, post_telegram, request
from stage import ROOT, WEBHOOK_SECRET, free_port, wait_until
from tls_aid import TlsServer, make_certificate
from vault import Vault

# Nobody waits for minutes, and what is remembered over a restart ends before the test does.
HURRY = [(r"for: \d+[mh]\n", "for: 1s\n"), (r"\[10m\]", "[10s]"), (r"> 2400\)", "> 1)"), (r"> 300\b", "> 1"),
         (r"> 900\b", "> 1"), (r"\[26h\]", "[10s]"), (r"\[15m\]", "[6s]")]
DAY = 86400
OLD_SECRET = "what-github-had-before-0123456789"


class Town:
    """One deploybot that works, one that is unhealthy in every way that another can be, one that is not there."""

    def __init__(self, folder):
        self.folder = folder
        port = free_port()
        self.scene = CrashScene(folder / "scene", start=False)
        self.scene.http_port = port
        self.scene.extra.update({"TELEGRAM_MODE": "webhook", "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                                 "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook",
                                 "CLIENTS": "acme", "CLIENT_ACME_HOST": "local", "CLIENT_ACME_ACTIONS": "disk-free",
                                 "ENABLE_API_SERVER": "true", **self.vault_settings()})
        self.server = TlsServer(make_certificate(folder / "tls", int(time.time()) + 5 * DAY))
        self.folder_of("ill")
        self.ill = bare(folder / "ill", GITHUB_REPOSITORY="octo/shop", GITHUB_API_TOKEN="ghp_" + "4Kx9Qm2Rv7" * 3,
                        GITHUB_API_URL="http://127.0.0.1:1",
                        TELEGRAM_WEBHOOK_URL=f"https://localhost:{self.server.port}/telegram/webhook",
                        RUNNER_SOCKET=str(folder / "nobody.sock"), STAGING_HEALTH_URL="http://127.0.0.1:9/",
                        GITHUB_WEBHOOK_SECRET_PREVIOUS=OLD_SECRET, AUDIT_S3_BUCKET="orchard",
                        AUDIT_S3_REGION="eu-central-1", AUDIT_S3_ENDPOINT="https://127.0.0.1:9",
                        AUDIT_S3_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
                        AUDIT_S3_SECRET_ACCESS_KEY="kq7Rz2Vd9Xs4Lm8Tc1Wb6Yh3Pf5Gj0Na",
                        PRODUCTION_DEPLOY_TRANSPORT="ssh", PRODUCTION_HOST="h1,h2", PRODUCTION_WAVES="1, 100%",
                        PRODUCTION_COMPOSE_DIR="/srv/app")
        self.nobody = f"127.0.0.1:{free_port()}"
        self.folder_of("prometheus")
        self.prometheus = Prometheus(folder / "prometheus", [f"127.0.0.1:{port}", f"127.0.0.1:{self.ill.port}",
                                                             self.nobody], HURRY)

    def vault_settings(self):
        """Of a Vault in which no time passes."""
        self.vault = Vault()
        token = self.vault.make(["default"], "auth/token/create", ttl=DAY, period=DAY, end=self.vault.now + DAY)
        return {"VAULT_ADDR": self.vault.url, "VAULT_TOKEN": token.id}

    def folder_of(self, name):
        (self.folder / name).mkdir()

    def start(self):
        for stamp in ("check.begun", "check.passed"):    # of the nightly check
            (self.scene.folder / "state").mkdir(exist_ok=True)
            (self.scene.folder / "state" / stamp).touch()
        self.scene.start()
        self.ill.start()
        self.prometheus.start()
        self.well = f"127.0.0.1:{self.scene.bot.port}"
        self.other = f"127.0.0.1:{self.ill.port}"
        wait_until(lambda: len(self.prometheus.query('up{job="deploybot"} == 1')) == 2, PATIENCE_S, "two that are up")
        return self

    def stop(self):
        self.prometheus.stop()
        self.server.stop()
        check_stop(self.ill)
        self.scene.close()
        self.vault.stop()

    def start_ill_anew(self, *statements):
        """... with these in its database."""
        self.ill.stop()
        with contextlib.closing(sqlite3.connect(f"{self.ill.settings['STATE_DIRECTORY']}/deploybot.db")) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()
        self.ill.start()

    def wait_firing(self, alert, **labels):
        return wait_until(lambda: self.prometheus.firing(alertname=alert, **labels), PATIENCE_S, alert)[alert]

    def wait_silent(self, alert, **labels):
        wait_until(lambda: not self.prometheus.firing(alertname=alert, **labels), PATIENCE_S, f"the end of {alert}")


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    made = Town(tmp_path_factory.mktemp("town"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


# --- one alert after the other, in the order of a day ---

def test_one_that_is_not_there_is_down(town):
    assert town.wait_firing("DeploybotDown", instance=town.nobody)["severity"] == "critical"


def test_a_server_whose_runner_is_away(town):
    assert town.wait_firing("DeploybotRunnerDown")["instance"] == town.other


def test_a_bot_whose_commands_do_not_come(town):
    found = town.wait_firing("DeploybotNotReceiving", instance=town.other)
    assert (found["severity"], found["reason"]) == ("critical", "stopped")


def test_an_environment_that_does_not_answer(town):
    """Once it has a release: nothing that was never deployed to is down."""
    town.start_ill_anew("INSERT INTO release (environment, commit_id, image, at, deployment, released_by, subject)"
                        " VALUES ('staging', '0123456789abcdef0123456789abcdef01234567', '', 1767225600000, 0, '', '')",
                        "UPDATE environment SET current_release = last_insert_rowid() WHERE name = 'staging'",
                        "INSERT OR REPLACE INTO counter SELECT 'release', MAX(id) FROM release")
    found = town.wait_firing("DeploybotEnvironmentUnhealthy")
    assert (found["instance"], found["environment"], found["severity"]) == (town.other, "staging", "warning")


def test_a_certificate_of_five_days(town):
    found = town.wait_firing("DeploybotCertificateExpiring", reason="expires")
    assert (found["instance"], found["severity"]) == (town.other, "warning")


def test_actions_are_counted(town):
    town.scene.admin().say("/do disk-free acme")    # the first of its name and outcome
    wait_until(lambda: [x for x in town.prometheus.query("increase(deploybot_actions_total[10m])") if x[1] > 0],
               PATIENCE_S, "an action that is an increase")


def test_deliveries_with_a_wrong_signature(town):
    for n in range(5):
        assert post_github(town.ill, b"{}", guid=f"w{n}", X_Hub_Signature_256="sha256=" + "0" * 64).status == 401
    found = town.wait_firing("DeploybotWebhooksRejected")
    assert (found["instance"], found["source"]) == (town.other, "github")


def test_a_secret_that_somebody_has_not_changed(town):
    wait_until(lambda: [x for x in town.prometheus.query("deploybot_secret_previous_uses_total") if x[1] == 0],
               PATIENCE_S, "what is known before, at 0")
    mark = hmac.new(OLD_SECRET.encode(), b"{}", "sha256").hexdigest()
    assert post_github(town.ill, b"{}", guid="o1", X_Hub_Signature_256=f"sha256={mark}").status != 401
    found = town.wait_firing("DeploybotPreviousSecretUsed")
    assert (found["instance"], found["secret"]) == (town.other, "GITHUB_WEBHOOK_SECRET")


def test_a_witness_that_does_not_answer(town):
    assert town.wait_firing("DeploybotAuditWithoutWitness")["instance"] == town.other


def test_an_audit_log_whose_end_was_cut_off(town):
    """The chats' line names an entry that is not there; when nothing names it any more, a start ends the alert."""
    town.start_ill_anew("INSERT INTO audit_line VALUES (1000000, '0123456789abcdef', 1767225600000)")
    found = town.wait_firing("DeploybotAuditCut")
    assert (found["instance"], found["severity"]) == (town.other, "critical")
    town.start_ill_anew("DELETE FROM audit_line WHERE seq = 1000000")
    town.wait_silent("DeploybotAuditCut")


def test_an_audit_log_that_cannot_be_written(town):
    log = pathlib.Path(town.ill.settings["AUDIT_LOG_PATH"])
    log.unlink(missing_ok=True)
    log.mkdir()
    assert post_telegram(town.ill, b"{}").status == 200      # no update: an entry
    assert town.wait_firing("DeploybotAuditExportFailing")["instance"] == town.other
    log.rmdir()
    town.wait_silent("DeploybotAuditExportFailing")


def test_a_deployment_that_takes_too_long(town):
    scene = town.scene
    scene.hold_script()
    scene.scripts.deploy(HOLD + "\n" + STEADY)
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    found = town.wait_firing("DeploybotEnvironmentBusyTooLong")
    assert (found["instance"], found["environment"]) == (town.well, "staging")
    scene.go_on()
    who.hear("Live: staging")
    town.wait_silent("DeploybotEnvironmentBusyTooLong")


def test_a_deployment_that_failed_is_told_through_a_restart(town):
    scene = town.scene
    scene.scripts.deploy("echo broken; exit 65")
    scene.commit()
    scene.admin().say("/deploy staging")
    assert town.wait_firing("DeploybotDeploymentFailed")["environment"] == "staging"
    since = town.prometheus.query('ALERTS_FOR_STATE{alertname="DeploybotDeploymentFailed"}')
    assert scene.bot.stop() == 0
    scene.restart()
    wait_until(lambda: town.prometheus.query(
        f'deploybot_deployment_failed{{instance="{town.well}", environment="staging"}} == 1'), PATIENCE_S, "a scrape")
    assert town.prometheus.query('ALERTS_FOR_STATE{alertname="DeploybotDeploymentFailed"}') == since, "told once"


def test_a_release_that_was_rolled_back(town):
    scene = town.scene
    scene.scripts.deploy(STEADY)
    scene.health.answers["staging"] = [(200, {"commit": "0" * 40})]      # what serves is something else
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")

    def well_again():
        """The previous release serves as soon as the rollback is over."""
        if scene.scripts.live() == scene.state_file("staging")["commit"]:
            scene.health.answers["staging"] = (200, {"commit": scene.scripts.live()})
        return town.prometheus.firing(alertname="DeploybotRolledBack")
    found = wait_until(well_again, PATIENCE_S, "DeploybotRolledBack")["DeploybotRolledBack"]
    assert (found["instance"], found["environment"]) == (town.well, "staging")
    town.wait_silent("DeploybotDeploymentFailed")
    scene.health.answers["staging"] = LiveCommit(scene.scripts, "staging")
    scene.wait_free()
    scene.release()
    town.wait_silent("DeploybotRolledBack")


def test_messages_that_telegram_does_not_take(town):
    scene = town.scene
    scene.chat.fault("sendMessage", 100000, close=True)
    scene.admin().say("/status")
    assert town.wait_firing("DeploybotMessagesStuck", instance=town.well)
    scene.chat.clear_faults()
    town.wait_silent("DeploybotMessagesStuck", instance=town.well)


def test_the_one_that_works_has_no_alert_left(town):
    wait_until(lambda: not town.prometheus.firing(instance=town.well), PATIENCE_S, "quiet")


# --- queries ---

# The town has one server, no OPA, no bake, and notifies nobody: test_flow_two_servers.py, _opa.py, _bake.py and
# _notify.py scrape these.
ELSEWHERE = {"deploybot_bake_unknown_total", "deploybot_is_leader", "deploybot_leader_epoch",
             "deploybot_standby_connected", "deploybot_database_replicas", "deploybot_opa_answers_total",
             "deploybot_notifications_total"}
HERE = [query for query in queries() if not metric_names(query[2]) & ELSEWHERE]


@pytest.mark.parametrize("title, reference, expression", HERE, ids=[f"{q[0]} {q[1]}" for q in HERE])
def test_every_query_of_the_dashboards_has_data(town, title, reference, expression):
    def has_data():
        found = town.prometheus.query(filled_in(expression))
        return [x for x in found if not math.isnan(x[1])]
    assert wait_until(has_data, PATIENCE_S, f"{title}: {expression}")


# There is a series only while an environment is down or busy, a host is left out, or git does not answer:
# test_metric_set.c feeds them.
ONLY_WHILE = {"deploybot_environment_down", "deploybot_environment_left_hosts",
              "deploybot_environment_busy_since_timestamp_seconds",
              "deploybot_poll_failing_since_timestamp_seconds"}


@pytest.mark.parametrize("name", sorted(metric_names(" ".join(e for _, e in expressions())) - ONLY_WHILE - ELSEWHERE))
def test_every_metric_that_an_alert_looks_at_was_scraped(town, name):
    assert town.prometheus.query(f"last_over_time({name}[10m])")


def test_labels_are_those_that_the_alerts_speak_of(town):
    for name, labels in (("deploybot_webhook_requests_total", {"source", "code"}),
                         ("deploybot_health_up", {"environment"}), ("deploybot_deployment_failed", {"environment"}),
                         ("deploybot_deployments_total", {"environment", "trigger", "outcome"})):
        assert labels | {"__name__", "job", "instance"} == set(town.prometheus.query(name)[0][0])


def test_an_alert_says_what_it_means_in_words(town):
    for alert in town.prometheus.api("alerts")["data"]["alerts"]:
        for text in alert["annotations"].values():
            assert text and "<no value>" not in text and "{{" not in text and "error" not in text.lower(), alert


def test_telemetry_that_is_off_looks_like_one_that_is_down(town, tmp_path):
    silent = bare(tmp_path, ENABLE_TELEMETRY="false").start()
    assert request(silent, "GET", "/metrics").status == 404
    check_stop(silent)


# --- what docs/OPERATIONS.md says is to be typed ---

RUNBOOK = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8").partition("## When an alert fires")[2]
RUNBOOK = RUNBOOK.partition("\n## ")[0]
TYPED = sorted(set(re.findall(r"^    (?!/)(.+)$", RUNBOOK, re.M)))
UNITS = {"deploybot", "deploybot.socket", "deploybot-runner", "deploybot-backup", "deploybot-backup.timer",
         "deploybot-check", "deploybot-check.timer", "nginx",
         "certbot.timer", "prometheus", "prometheus-alertmanager"}


def on_this_machine(town, command):
    """The command with this test's places for the package's."""
    state = town.scene.bot.settings["STATE_DIRECTORY"]
    for there, here in (("http://127.0.0.1:8080", town.ill.base), ("/var/lib/deploybot", state),
                        ("/var/log/deploybot/audit.log", town.ill.settings["AUDIT_LOG_PATH"]),
                        ("-connect deploybot.example.com:443", f"-connect localhost:{town.server.port}"),
                        ("sudo ", "")):
        command = command.replace(there, here)
    return command


@pytest.mark.parametrize("command", TYPED)
def test_what_an_operator_is_told_to_type_shows_something(town, command):
    words = command.removeprefix("sudo ").split()
    if words[0] in ("systemctl", "journalctl"):     # there is no systemd here: its units, and what they say
        named = set(words) & UNITS
        assert named and all((ROOT / "deploy/systemd" / (n if "." in n else f"{n}.service")).exists()
                             for n in named if n.startswith("deploybot"))
        if "-g" in words:
            pattern = command.partition("-g ")[2].strip("'").replace("1a2b3c4", "[0-9a-f]{7}")
            pattern = pattern.replace("production", "staging")
            assert re.search(pattern, town.scene.bot.log() + town.ill.log()), pattern
    elif words[:2] == ["-u", "deploybot"]:
        yesterday = time.strftime("%F", time.gmtime(time.time() - DAY))
        typed = command.removeprefix("sudo ").replace('"$(date -u -d -1day +%F)"', yesterday)
        words = typed.partition(" | ")[0].split()
        done = town.scene.bot.run(*words[3:])
        assert done.returncode in (0, 1) and done.stdout + done.stderr, done
    elif (words[0] in ("certbot", "df", "ls", "tail", "timedatectl")
          or words[0] == "amtool"               # with an Alertmanager: test_alertmanager.py
          or words[0] == "deploybot-setup"      # of a whole host: tests/infra
          or "api.telegram.org" in command or "HEALTH_URL" in command):
        # certbot is not here, nor the internet, nor a clock's daemon; folders are tmpfiles', the file nginx.conf's.
        known = "".join((ROOT / name).read_text(encoding="utf-8")
                        for name in ("deploy/systemd/tmpfiles.conf", "nginx/nginx.conf", "deploy/man/deploybot.8"))
        assert all(path in known for path in re.findall(r" (/var/[\w./]+)", command)), command
    else:
        done = subprocess.run(["sh", "-c", on_this_machine(town, command)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode == 0 and done.stdout.strip(), done
