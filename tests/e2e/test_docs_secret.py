"""Goal: the steps that docs/pipelines.md shows, typed as they stand there, before the real server and a Vault with the
policies and the role of that page: two wait for a yes, the secret is used, and the token ends by the last step."""
# SPDX-License-Identifier: ISC
import itertools
import json
import os
import re
import shutil
import subprocess
import textwrap

import pytest
import yaml

from flow_aid import ended_well
from gate_aid import command_of
from github_tokens import Runner
from jobs_aid import REPOSITORY, Jobs
from stage import ROOT, wait_until
from telegram_client import GROUP
from vault import Vault

PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8").partition("\n## A secret for minutes\n")[2]
STEPS = yaml.safe_load(textwrap.dedent(re.search(r"(?m)(^    - id: loan\n(?:    .*\n)+)", PAGE)[1]))
SETTINGS = dict(re.findall(r'(?m)^    (SECRET_\w+)="?([^"\n]+)"?$', PAGE))
LOAN = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))["components"]["schemas"]["loan"]
PASSWORD = "tr0ub4dor-of-the-database"
RUNS = itertools.count(8000)
ID = "${{ steps.loan.outputs.id }}"


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
    """The two steps, run as the runner runs them."""

    def __init__(self, scene, folder):
        self.scene, self.folder, self.run = scene, folder, str(next(RUNS))
        self.process = None
        self.runner = Runner(scene.issuer, repository=REPOSITORY, ref="refs/heads/main", sha=scene.head("main"),
                             run_id=self.run, check_run_id="9" + self.run)
        (folder / "bin").mkdir()
        for name, text in (("bin/sleep", f"exec {shutil.which('sleep')} 0.1"),
                           ("migrate.sh", 'printf %s "$DATABASE_PASSWORD" >used')):
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)

    def start(self, step):
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(step["run"].replace(ID, self.number()) if ID in step["run"] else step["run"])
        output.touch()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "BOT": self.scene.bot.base,
                "VAULT_ADDR": self.scene.vault.url, "GITHUB_OUTPUT": str(output), **self.runner.environment()})
        return self

    def finish(self):
        said = self.process.communicate(timeout=60)[0]
        return self.process.returncode, said

    def number(self):
        return dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())["id"]


@pytest.fixture
def job(scene, tmp_path):
    made = Job(scene, tmp_path)
    yield made
    made.runner.stop()


def asked(scene, job):
    job.start(STEPS[0])
    return scene.person(0).hear("db-migrate", f"run {job.run}", chat=GROUP, after=0, buttons=("Approve", "Reject"))


def lent(scene):
    return [token for token in scene.vault.tokens.values() if "deploybot-secret-db-migrate" in token.policies]


def test_the_steps_of_the_page_use_the_secret_behind_a_yes_and_give_it_back(scene, job):
    question = asked(scene, job)
    assert scene.admin().press(question, "Approve").startswith("Approved")
    status, said = job.finish()
    assert status == 0, said
    assert (job.folder / "used").read_text() == PASSWORD
    masked = [command_of(line) for line in said.splitlines()]
    assert [kind for kind, _ in masked] == ["add-mask"] * 2 and masked[1][1] == PASSWORD
    assert [token.id for token in lent(scene)] == [masked[0][1]]
    assert STEPS[1]["if"].startswith("always() ")
    assert job.start(STEPS[1]).finish()[0] == 0
    wait_until(lambda: not lent(scene))


def test_doctor_finds_the_role_of_the_page_as_it_should_be(scene):
    said = [line for line in scene.bot.run("doctor").stdout.splitlines() if " Vault: " in line]
    assert len(said) == 1 and said[0].endswith("; role deploybot-lend: orphan, deploybot-secret-* alone"), said


def test_a_no_ends_the_first_step_with_its_reason(scene, job):
    question = asked(scene, job)
    who = scene.admin()
    who.press(question, "Reject")
    who.press(scene.person(0).hear("press a reason", chat=GROUP, after=0, buttons=("Not tonight",)), "Not tonight")
    status, said = job.finish()
    assert status == 1 and "is not lent" in said and not lent(scene), said
    assert job.start(STEPS[1]).finish()[0] == 0


def test_what_vault_has_wrapped_by_another_path_is_not_given_and_revoked(scene, job):
    scene.vault.troubles.append(("auth/token/create/deploybot-lend", "another creation_path"))
    question = asked(scene, job)
    assert scene.admin().press(question, "Approve").startswith("Approved")
    status, said = job.finish()
    assert status == 1 and "creation_path" in said, said
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
    assert set(given) == set(LOAN["required"]) == set(LOAN["properties"])
    assert given["state"] in LOAN["properties"]["state"]["enum"]
    assert scene.ask(where, **get, **mine)[0] == 410 and len(lent(scene)) == 1
    who.say(f"/revoke {loan['id']}", chat=GROUP)
    wait_until(lambda: not lent(scene))
