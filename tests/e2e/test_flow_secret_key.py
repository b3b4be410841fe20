"""Goal: without a forge's tokens a workflow asks by its key: a line of `deploybot sign` is pasted, once, for a secret
and for nothing else; and the key is in nothing that the server writes or a process of the machine shows."""
# SPDX-License-Identifier: ISC
import base64
import json
import os
import signal
import subprocess

import pytest

from flow_aid import PATIENCE_S, ended_well
from ops_aid import write_env
from secret_aid import VALUE, Job, Lending
from stage import wait_until

KEYS = {name: "whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n, name in enumerate(
    ("nightly", "nightly before", "hourly", "another"), start=65)}


class Keys(Lending):
    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        files = {name: write_env(folder, key, name=name.replace(" ", "_")) for name, key in KEYS.items()}
        super().__init__(folder, {
            "WORKFLOW_NIGHTLY_KEY_FILE": files["nightly"],
            "WORKFLOW_NIGHTLY_KEY_PREVIOUS_FILE": files["nightly before"],
            "WORKFLOW_NIGHTLY_MAY": "secret.db-migrate:production, secret.stripe:production",
            "WORKFLOW_HOURLY_KEY_FILE": files["hourly"], "WORKFLOW_HOURLY_MAY": "secret.stripe:production"})

    def settings(self):
        return {**super().settings(), "PUBLIC_URL": f"http://127.0.0.1:{self.http_port}"}

    def line(self, method, path, *body, workflow="nightly"):
        done = self.bot.run("sign", "--workflow", workflow, method, path, *body)
        assert done.returncode == 0, done.stderr
        assert not any(key in done.stdout for key in KEYS.values())
        return done.stdout

    def line_by(self, key, method, path):
        """As on another machine, that has the key alone."""
        file = self.folder / "key_elsewhere"
        file.write_text(key + "\n", encoding="ascii")
        done = self.bot.run("sign", "--key-file", str(file), method, path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def paste(self, line):
        """(status, answer) of a line that is pasted into a shell."""
        env = {**os.environ, "BOT": f"http://127.0.0.1:{self.http_port}"}
        done = subprocess.run(["bash", "-c", line.rstrip("\n") + " -w '\\n%{http_code}'"], env=env, text=True,
                              capture_output=True, timeout=60, check=False)
        text, _, status = done.stdout.rpartition("\n")
        assert (done.returncode == 22) == (int(status) >= 400), done.stderr
        return int(status), json.loads(text)


class Nightly(Job):
    """What Jenkins or a cron begins: it has no run, and a line for each thing that it asks."""
    workflow = "nightly"

    def ask(self, path, method="POST", **options):
        return self.scene.paste(self.scene.line(method, path, **options))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Keys(tmp_path_factory.mktemp("keys"))
    yield made
    ended_well(made)
    made.check_kept()
    for where, text in made.written():
        assert not any(key.encode() in text for key in KEYS.values()), f"a key, in {where}"


def test_a_pasted_line_asks_fetches_and_gives_back(scene):
    job = Nightly(scene).wants("db-migrate")
    assert job.wants("db-migrate").loan == job.loan
    status, said = job.looks()
    assert status == 202 and "token" not in said and not job.was_made()
    asked = job.message("db-migrate", "for 10 min at most, for workflow:nightly", buttons=("Approve", "Reject"))
    scene.admin().press(asked, "Approve")
    job.is_kept()
    assert scene.paste(scene.line("GET", f"/v1/loan/{job.loan}", workflow="hourly"))[0] == 404, "another's it is not"
    child = job.unwraps(job.fetches())
    status, said = scene.at_vault("/v1/secret/data/django/database", child)
    assert (status, said["data"]["data"]) == (200, {"password": VALUE})
    assert job.looks()[0] == 410
    assert job.gives_back() == 202
    job.is_over()
    audited = job.audited()
    assert [code for code in audited if code.startswith("secret_")] == [
        "secret_requested", "secret_lent", "secret_unwrap_failed", "secret_revoked"]
    assert audited["secret_lent"]["user_id"] == "workflow:nightly"


def test_a_line_is_good_once_and_for_what_was_signed(scene):
    line = scene.line("POST", "/v1/secret/stripe", workflow="hourly")
    for changed in (line.replace("/stripe", "/db-migrate"), line.replace("'{}'", "'{ }'"),
                    line.replace("webhook-timestamp: 1", "webhook-timestamp: 2"), line.replace("webhook-id: ", "&x")):
        status, said = scene.paste(changed)
        assert status == 401 and "webhook-" in said["said"], said
    status, said = scene.paste(line)
    assert status == 202
    assert scene.paste(line)[0] == 409 and scene.audit(code="token_replayed")
    loan = Job(scene)
    loan.loan = said["id"]
    loan.is_kept()
    line = scene.line("GET", f"/v1/loan/{said['id']}", workflow="hourly")
    status, got = scene.paste(line)
    assert status == 200 and got["token"]
    status, got = scene.paste(line)
    assert status == 409 and "token" not in got
    assert scene.paste(scene.line("POST", f"/v1/loan-end/{said['id']}", workflow="hourly"))[0] == 202


def test_a_key_begins_no_work_and_sees_none(scene):
    for method, path, *body in (("POST", "/v1/command/deploy", '{"arguments": ["staging"], "reason": "it\'s late"}'),
                                ("POST", "/v1/gate", '{"environment": "production"}'), ("POST", "/v1/push"),
                                ("GET", "/v1/status"), ("GET", "/v1/tokens")):
        status, said = scene.paste(scene.line(method, path, *body))
        assert status == 403 and "good for secrets alone" in said["said"], (path, said)
    status, said = scene.paste(scene.line("POST", "/v1/secret/db-migrate", workflow="hourly"))
    assert status == 403, "it has no grant of that one"


def test_a_key_is_rotated_while_it_is_used(scene):
    def asks(name):
        return scene.paste(scene.line_by(KEYS[name], "POST", "/v1/secret/nothing"))[0]
    assert [asks(name) for name in ("nightly", "nightly before", "another")] == [403, 403, 401]
    used = 'deploybot_secret_previous_uses_total{secret="WORKFLOW_NIGHTLY_KEY"} 1'
    wait_until(lambda: used in scene.bot.metrics(), PATIENCE_S, "the use that is counted")
    write_env(scene.folder, KEYS["another"], name="nightly")
    write_env(scene.folder, KEYS["nightly"], name="nightly_before")
    scene.bot.process.send_signal(signal.SIGHUP)
    wait_until(lambda: asks("another") == 403, PATIENCE_S, "the new one")
    assert [asks(name) for name in ("nightly", "nightly before")] == [403, 401]
    checked = scene.bot.run("check-config")
    assert checked.returncode == 0 and not any(key in checked.stdout + checked.stderr for key in KEYS.values())


def test_what_is_no_line_is_not_signed(scene):
    for words in (["GET", "/v1/loan/1"], ["--workflow", "nobody", "GET", "/v1/loan/1"],
                  ["--workflow", "w1", "GET", "/v1/loan/1"], ["--workflow", "nightly", "PUT", "/v1/loan/1"],
                  ["--workflow", "nightly", "GET", "/v1/loan/1?a=b"], ["--workflow", "nightly", "GET", "/metrics"],
                  ["--workflow", "nightly", "GET", "/v1/loan/1", "{}"],
                  ["--key-file", "/nonexistent", "GET", "/v1/loan/1"], ["--key-file", "-", "GET", "/v1/loan/1"]):
        done = scene.bot.run("sign", *words)
        assert done.returncode != 0 and not done.stdout and done.stderr, words


def test_that_nobody_knows_who_asked_is_said(scene):
    job = Nightly(scene).wants("db-migrate")
    job.message("db-migrate", "asked for by a job that one of you may have started", buttons=("Approve",))
    assert job.gives_back() == 202
