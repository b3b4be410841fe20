"""Goal: the steps that docs/pipelines.md shows, typed as they stand there, before the real server and a Vault with the
policies and the role of that page: one waits for a yes, the next uses the secret, the token ends behind them."""
# SPDX-License-Identifier: ISC
import base64
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
from ops_aid import write_env
from secret_action_aid import SecretAction
from stage import ROOT, wait_until
from telegram_client import GROUP
from vault import Vault

PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8").partition("\n## A secret for minutes\n")[2]
STEPS = yaml.safe_load(textwrap.dedent(re.search(r"(?m)(^    - id: loan\n(?:    .*\n)+)", PAGE)[1]))
SETTINGS = dict(re.findall(r'(?m)^    (SECRET_\w+)="?([^"\n]+)"?$', PAGE))
SCRIPT = textwrap.dedent(re.search(r"(?m)^    #!/bin/bash\n(?:(?:    .*)?\n)+?(?=\n\S)", PAGE)[0])
COMMANDS = ROOT / "tests" / "peers" / "vault_command"
LOAN = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))["components"]["schemas"]["loan"]
KEY = "whsec_" + base64.b64encode(32 * b"n").decode()
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
        folder.mkdir(exist_ok=True)
        self.vault, token = vault_of_the_page()
        super().__init__(folder, {
            "TELEGRAM_CHAT_ID": str(GROUP), "VAULT_ADDR": self.vault.url, "VAULT_TOKEN": token,
            **SETTINGS, "SECRET_DB_MIGRATE_FOR": "production",
            "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/main",
            "WORKFLOW_SHOP_MAY": "secret.db-migrate:production",
            "WORKFLOW_NIGHTLY_KEY_FILE": write_env(folder, KEY, name="nightly.key"),
            "WORKFLOW_NIGHTLY_MAY": "secret.db-migrate:production"})

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


class Cron:
    """The page's script, as it stands there but for the hosts and the path of its key; no pause is as long."""

    def __init__(self, scene, folder):
        self.scene, self.folder, bin_folder, self.since = scene, folder, folder / "bin", scene.chat.mark()
        bin_folder.mkdir()
        text = SCRIPT
        for there, here in (("https://bot.example.org", scene.bot.base), ("https://vault.example.org", scene.vault.url),
                            ("/etc/nightly.key", str(write_env(folder, KEY, name="nightly.key")))):
            assert text.count(there) == 1, there
            text = text.replace(there, here)
        (folder / "cron.sh").write_text(text)
        (folder / "migrate.sh").write_text('#!/bin/sh\nprintf %s "$DATABASE_PASSWORD" >used\n')
        (bin_folder / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.1\n")
        (bin_folder / "deploybot").symlink_to(scene.bot.build / "deploybot")
        for path in (folder / "migrate.sh", bin_folder / "sleep"):
            path.chmod(0o755)
        with open(folder / "said", "wb") as said:
            self.process = subprocess.Popen(
                ["bash", "cron.sh"], cwd=folder, stdout=said, stderr=said,
                env={"PATH": f"{bin_folder}:{COMMANDS}:{os.environ['PATH']}", "HOME": str(folder)})

    def question(self):
        return self.scene.person(0).hear("db-migrate", "for workflow:nightly", chat=GROUP, after=self.since,
                                         buttons=("Approve", "Reject"))

    def finish(self):
        """(its status, what it has said, what the migration was given)"""
        status, used = self.process.wait(60), self.folder / "used"
        said = (self.folder / "said").read_text("utf-8")
        assert KEY not in said and PASSWORD not in said
        return status, said, used.read_text() if used.exists() else None


@pytest.fixture
def cron(scene, tmp_path):
    made = Cron(scene, tmp_path)
    yield made
    made.process.kill()
    made.process.wait()
    scene.vault.troubles.clear()


def test_the_script_of_the_page_waits_for_a_yes_uses_the_secret_and_gives_it_back(scene, cron):
    assert scene.admin().press(cron.question(), "Approve").startswith("Approved")
    assert cron.finish() == (0, "", PASSWORD)
    wait_until(lambda: not lent(scene))


def test_the_script_of_the_page_ends_with_the_sentence_of_a_no(scene, cron):
    question, who = cron.question(), scene.admin()
    who.press(question, "Reject")
    who.press(scene.person(0).hear("press a reason", chat=GROUP, after=cron.since, buttons=("Not tonight",)),
              "Not tonight")
    status, said, used = cron.finish()
    assert status != 0 and "is not lent: REFUSED, rejected by" in said and used is None, said


def test_the_script_of_the_page_reports_what_another_has_unwrapped(scene, cron):
    scene.vault.troubles.append(("sys/wrapping/unwrap", 400))
    assert scene.admin().press(cron.question(), "Approve").startswith("Approved")
    status, said, used = cron.finish()
    assert status == 1 and used is None and "status 400" in said, said
    wait_until(lambda: not lent(scene))
    assert scene.audit(code="secret_unwrap_failed")


def test_doctor_finds_what_the_page_makes_at_vault_as_it_should_be(scene):
    def said():
        return [line for line in scene.bot.run("doctor").stdout.splitlines() if " Vault: " in line]
    good = "; role deploybot-lend: orphan, deploybot-secret-* alone; 1 secret: policies and mounts are right"
    assert len(said()) == 1 and said()[0].endswith(good), said()
    name, vault = "deploybot-secret-db-migrate", scene.vault
    kept, own = vault.policy_texts[name], vault.policy_texts["deploybot"]
    try:
        vault.policy(name, kept.replace("/data/", "/"))
        lacks = f"policy {name} is not there or does not let secret/data/django/database be read"
        line = next(line for line in said() if lacks in line)
        vault.policies.pop(name)
        assert line in said(), "one that is not there"
        vault.policy(name, line.partition(f"vault policy write {name} - <<<'")[2].removesuffix("'"))
        assert len(said()) == 1 and said()[0].endswith(good), "what it prints is right"
        for line in re.findall(r'path "sys/.*', own):
            vault.policy("deploybot", own.replace(line.rstrip("'"), ""))
            assert "is not known" in (text := " ".join(said())) and "mounts are right" not in text, line
            assert line.rstrip("'") in text, "what it says is lacking"
        assert not lent(scene)
    finally:
        vault.policy(name, kept)
        vault.policy("deploybot", own)


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
