"""Goal: the steps that docs/pipelines.md shows, typed as they stand there, before the real server and a Vault with the
policies and the role of that page: one waits for a yes, the next uses the secret, the token ends behind them."""
# SPDX-License-Identifier: ISC
import itertools
import json
import os
import re
import subprocess
import textwrap

import pytest
import yaml

from flow_aid import ended_well
from gate_aid import node_version
from github_tokens import Runner
from jobs_aid import REPOSITORY, Jobs
from secret_action_aid import SecretAction
from stage import ROOT, wait_until
from telegram_client import GROUP
from vault import Vault

PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8").partition("\n## A secret for minutes\n")[2]
STEPS = yaml.safe_load(textwrap.dedent(re.search(r"(?m)(^    - id: loan\n(?:    .*\n)+)", PAGE)[1]))
SETTINGS = dict(re.findall(r'(?m)^    (SECRET_\w+)="?([^"\n]+)"?$', PAGE))
LOAN = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))["components"]["schemas"]["loan"]
PASSWORD = "tr0ub4dor-of-the-database"
RUNS = itertools.count(8000)
needs_node = pytest.mark.skipif(node_version() < 18, reason="no node of version 18 or later")


def vault_of_the_page():
    """(a Vault, the token of deploybot): as its commands make them."""
    made = Vault()
    for name, text in re.findall(r"(?s)vault policy write (\S+) - <<<'(.*?)'", PAGE):
        made.policy(name, text)
    name, words = re.search(r"vault write auth/token/roles/(\S+) ((?:.*\\\n)*.*)\n", PAGE).groups()
    fields = dict(word.split("=", 1) for word in words.replace("\\\n", "").split())
    fields = {name: value == "true" if value in ("true", "false") else value for name, value in fields.items()}
    fields["allowed_policies_glob"] = [fields["allowed_policies_glob"].strip("'")]
    fields["token_explicit_max_ttl"] = 3600
    made.role(name, **fields)
    made.kv2("secret", "django/database", {"password": PASSWORD})
    assert "vault token create -orphan -period=24h -policy=deploybot " in PAGE
    day = 24 * 3600
    return made, made.make(["default", "deploybot"], "auth/token/create", ttl=day, end=made.now + day).id


class Loans(Jobs):
    def __init__(self, folder):
        self.vault, token = vault_of_the_page()
        super().__init__(folder, {
            "TELEGRAM_CHAT_ID": str(GROUP), "VAULT_ADDR": self.vault.url, "VAULT_TOKEN": token,
            **SETTINGS, "SECRET_DB_MIGRATE_FOR": "production",
            "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/main",
            "WORKFLOW_SHOP_MAY": "secret.db-migrate:production"})

    def settings(self):
        return {**super().settings(), "PUBLIC_URL": f"http://127.0.0.1:{self.http_port}"}

    def stop(self):
        status = super().stop()
        self.vault.stop()
        return status


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    assert SETTINGS["SECRET_DB_MIGRATE_APPROVALS"] == "1" and len(STEPS) == 2
    made = Loans(tmp_path_factory.mktemp("loans"))
    made.commit("main")
    yield made
    ended_well(made)


class Job:
    """The two steps: that of `uses:` as the runner runs an action, and the one behind it."""

    def __init__(self, scene, folder):
        self.run = str(next(RUNS))
        self.runner = Runner(scene.issuer, repository=REPOSITORY, ref="refs/heads/main", sha=scene.head("main"),
                             run_id=self.run, check_run_id="9" + self.run)
        here = {"https://bot.example.org": scene.bot.base, "https://vault.example.org": scene.vault.url}
        self.step = SecretAction(folder, self.runner, lambda: [PASSWORD, *scene.vault.tokens], **{
            name: here.get(value, value) for name, value in STEPS[0]["with"].items()})
        self.folder = folder
        (folder / "migrate.sh").write_text('#!/bin/sh\nprintf %s "$DATABASE_PASSWORD" >used\n')
        (folder / "migrate.sh").chmod(0o755)

    def goes_on(self):
        (name, value), = STEPS[1]["env"].items()
        assert value == "${{ steps.loan.outputs.file }}"
        subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[1]["run"]], cwd=self.folder,
                       check=True, timeout=60, env={"PATH": os.environ["PATH"], name: self.step.outputs()["file"]})

    def done(self):
        self.step.done()
        self.runner.stop()


@pytest.fixture
def job(scene, tmp_path):
    made = Job(scene, tmp_path)
    yield made
    made.done()


def asked(scene, job):
    job.step.start()
    return scene.person(0).hear("db-migrate", f"run {job.run}", chat=GROUP, after=0, buttons=("Approve", "Reject"))


def lent(scene):
    return [token for token in scene.vault.tokens.values() if "deploybot-secret-db-migrate" in token.policies]


def test_what_the_page_uses_is_there():
    assert STEPS[0]["uses"] == f"OWNER/deploybot/{SecretAction.folder.relative_to(ROOT)}@COMMIT"
    inputs = yaml.safe_load((SecretAction.folder / "action.yml").read_text("utf-8"))["inputs"]
    needed = {name for name, one in inputs.items() if one.get("required")}
    assert needed <= set(STEPS[0]["with"]) <= set(inputs)
    assert not [name for name in set(inputs) - needed - {"audience"} - set(STEPS[0]["with"])
                if not re.search(rf"`{name}\b", PAGE)]


@needs_node
def test_the_steps_of_the_page_use_the_secret_behind_a_yes_and_give_it_back(scene, job):
    question = asked(scene, job)
    assert scene.admin().press(question, "Approve").startswith("Approved")
    assert job.step.finish() == 0, job.step.said()
    job.goes_on()
    assert (job.folder / "used").read_text() == PASSWORD and PASSWORD in job.step.masked and len(lent(scene)) == 1
    assert job.step.post() == 0
    wait_until(lambda: not lent(scene))


def test_doctor_finds_the_role_of_the_page_as_it_should_be(scene):
    said = [line for line in scene.bot.run("doctor").stdout.splitlines() if " Vault: " in line]
    assert len(said) == 1 and said[0].endswith("; role deploybot-lend: orphan, deploybot-secret-* alone"), said


@needs_node
def test_what_vault_has_wrapped_by_another_path_is_not_given_and_revoked(scene, job):
    scene.vault.troubles.append(("auth/token/create/deploybot-lend", "another creation_path"))
    question = asked(scene, job)
    assert scene.admin().press(question, "Approve").startswith("Approved")
    assert job.step.finish() == 1 and "creation_path" in job.step.last()
    wait_until(lambda: not lent(scene))


def test_it_is_given_once_to_that_job_alone_and_revoked_by_whoever_may(scene):
    mine = {"aud": scene.bot.base, "ref": "refs/heads/main", "sha": scene.head("main"),
            "run_id": str(next(RUNS)), "check_run_id": "77"}
    status, loan = scene.ask("/v1/secret/db-migrate", **mine)
    assert (status, loan.get("state")) == (202, "awaiting_approval"), (status, loan)
    where, get = f"/v1/loan/{loan['id']}", {"method": "GET"}
    assert scene.ask(where, **get, **mine)[0] == 202
    assert scene.ask(where, **get, **{**mine, "run_id": str(next(RUNS)), "check_run_id": "78"})[0] == 404
    question = scene.person(0).hear("db-migrate", f"run {mine['run_id']}", chat=GROUP, after=0, buttons=("Approve",))
    who = scene.admin()
    assert who.press(question, "Approve").startswith("Approved")
    given = wait_until(lambda: (answer := scene.ask(where, **get, **mine))[0] == 200 and answer[1])
    assert set(given) == {*LOAN["required"], "token"} == set(LOAN["properties"]) - {"value"}
    assert given["state"] in LOAN["properties"]["state"]["enum"]
    assert len(lent(scene)) == 1
    who.say(f"/revoke {loan['id']}", chat=GROUP)
    wait_until(lambda: not lent(scene))
    assert scene.ask(where, **get, **mine)[0] == 410
