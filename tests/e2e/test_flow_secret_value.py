"""Goal: where that is set a job is given the value itself, once, by what that secret's policy lets be read and nothing
else; what has read it ends as a loan does; and nothing of it is in anything that the server writes."""
# SPDX-License-Identifier: ISC
import json
import os
import signal

import pytest

from flow_aid import PATIENCE_S, Scripts, ended_well
from secret_aid import CREATE, OWN, WORKFLOWS, Job, Lending
from stage import wait_until
from telegram_client import GROUP, text_of
from test_canaries import memory

CANARY = "canary-of-a-value-7Vb2Kx9Lm4Qd"
# Of no shape that is known; scripts print it, so it stands in the files of their runs.
PRINTED = "a value that scripts print: 0815"
LINES = f'{CANARY}-1\n"{CANARY}-2"\r\n\tä€𝄞 {CANARY}-3\n'
LONGEST = CANARY + (65536 - len(CANARY)) * "x"
PATHS = {
    "one": "kv2 secret app/one field=pass.word", "all": "kv2 secret app/one", "old": "kv1 kv app/old field=password",
    "lines": "kv2 secret app/lines field=text", "long": "kv2 secret app/long field=text", "user": "creds database user",
    "password": "creds database user field=password", "yes": "kv2 secret app/one field=pass.word",
    "hidden": "kv2 secret hidden", "absent": "kv2 secret app/absent", "deleted": "kv2 secret app/deleted",
    "longer": "kv2 secret app/longer field=text", "nul": "kv2 secret app/nul field=text",
    "short": "kv2 secret app/short field=text", "empty": "kv2 secret app/short field=none",
    "other": "kv2 secret app/one field=nothing", "number": "kv2 secret app/one field=port",
    "denied": "creds database denied", "printed": "kv2 secret app/printed field=text",
    "fields": "kv2 secret app/printed", "memory": "kv2 secret app/memory field=text",
    "loot": "kv2 secret app/one field=pass.word",
    "memories": "kv2 secret app/memories"}
READS = """
path "secret/data/app/*" { capabilities = ["read"] }
path "kv/app/old" { capabilities = ["read"] }
"""


class Delivering(Lending):
    def __init__(self, folder):
        more = {f"WORKFLOW_W{n:02}_MAY": ", ".join(f"secret.{name}:production" for name in PATHS)
                for n in range(WORKFLOWS)}
        for name, path in PATHS.items():
            more |= {f"SECRET_{name.upper()}_PATH": path, f"SECRET_{name.upper()}_FOR": "production",
                     f"SECRET_{name.upper()}_DELIVERS": "value", f"SECRET_{name.upper()}_TTL": "5m"}
        self.scripts = Scripts(folder / "scripts")
        super().__init__(folder, {**more, **self.scripts.settings(), "SECRET_YES_APPROVALS": "1",
                                  "STAGING_HEALTH_URL": None})
        vault = self.vault
        vault.kv2("secret", "app/one", {"pass.word": CANARY, "port": 5432})
        vault.kv1("kv", "app/old", {"password": CANARY})
        for name, text in (("lines", LINES), ("long", LONGEST), ("longer", LONGEST + "x"), ("nul", f"{CANARY}\0"),
                           ("short", "12345"), ("deleted", CANARY)):
            vault.kv2("secret", f"app/{name}", {"text": text, "none": ""})
        vault.kv2("secret", "app/printed", {"text": PRINTED, "user": "root"})
        vault.delete("secret", "app/deleted")
        vault.kv2("secret", "hidden", {"text": CANARY})
        vault.creds("database", "user")
        vault.creds("database", "denied")
        for name, path in PATHS.items():
            if name not in ("hidden", "denied", "loot"):
                vault.policy(f"deploybot-secret-{name}",
                             'path "database/creds/user" { capabilities = ["read"] }' if "creds" in path else READS)

    def check_kept(self):
        with self.vault.lock:
            passwords = [user["password"] if isinstance(user, dict) else user for user in self.vault.users.values()]
        for where, text in self.written():
            for secret in (CANARY, *(one for one in passwords if isinstance(one, str))):
                assert secret.encode() not in text, f"a value, in {where}"
        return super().check_kept()


class Served(Job):
    def value(self, name=None):
        """What is delivered, once it is there."""
        if name:
            self.wants(name)

        def look():
            status, said = self.looks()
            assert status in (200, 202), said
            assert "token" not in said
            return said.get("value")
        return wait_until(look, PATIENCE_S, f"the value of #{self.loan}")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Delivering(tmp_path_factory.mktemp("delivering"))
    yield made
    ended_well(made)
    made.check_kept()


def test_a_value_of_kv_is_given_once_after_the_yes_and_what_has_read_it_ends(scene):
    job, other = Served(scene).wants("yes"), Served(scene)
    assert job.looks()[0] == 202
    asked = len([one for one in scene.vault.calls if "/secret/data" in one.path])
    scene.admin().press(job.message("yes", "as its value itself", buttons=("Approve", "Reject")), "Approve")
    wait_until(lambda: job.phase() == "kept", PATIENCE_S, "the value")
    other.loan = job.loan
    assert other.looks()[0] == 404
    assert job.value() == CANARY
    assert job.row() == ("given", 1) and job.child().policies == ["deploybot-secret-yes"]
    assert len([one for one in scene.vault.calls if "/secret/data" in one.path]) == asked + 1
    scene.person(0).hear("Lent: production", f"by workflow:{job.workflow}", chat=GROUP, after=0)
    assert job.gives_back() == 202
    job.is_over()
    status, said = job.looks()
    assert status == 410 and "given before" in said["said"] and "value" not in said
    assert [code for code in job.audited() if code.startswith("secret_")] == [
        "secret_requested", "secret_lent", "secret_revoked", "secret_unwrap_failed"]


@pytest.mark.parametrize("name, value", (
    ("one", CANARY), ("old", CANARY), ("lines", LINES), ("long", LONGEST),
    ("all", {"pass.word": CANARY, "port": 5432})))
def test_each_value_is_given_as_it_is(scene, name, value):
    got = Served(scene).value(name)
    assert (json.loads(got) if isinstance(value, dict) else got) == value


@pytest.mark.parametrize("name, why", (
    ("hidden", "Vault's policy of that secret does not let it be read"), ("absent", "not there, or not allowed"),
    ("deleted", "that version was deleted"),
    ("longer", "longer than 64 KB"), ("nul", "it has a NUL"), ("short", "shorter than 6"), ("empty", "shorter than 6"),
    ("other", "no field nothing"), ("number", "its field port is no text")))
def test_what_cannot_be_delivered_is_said_why(scene, name, why):
    job = Served(scene).wants(name)
    job.is_refused(409, why)
    job.is_over()


def test_whoever_names_anothers_path_reads_by_its_own_policy_and_not_by_deploybots(scene):
    scene.vault.policy("deploybot", OWN + READS)
    scene.vault.policy("deploybot-secret-loot", 'path "secret/data/app/of-its-own" { capabilities = ["read"] }')
    job = Served(scene).wants("loot")
    job.is_refused(409, "Vault's policy of that secret does not let it be read")
    job.is_over()
    scene.vault.policy("deploybot", OWN)


def test_credentials_end_with_the_child_that_has_read_them(scene):
    job, part = Served(scene), Served(scene)
    both = json.loads(job.value("user"))
    assert both["username"] in scene.vault.users
    password = part.value("password")
    assert password and password != both["password"] and not password.startswith("{")
    assert job.row() == ("given", 1) and job.child().policies == ["deploybot-secret-user"]
    assert job.gives_back() == 202
    job.is_over()
    assert both["username"] not in scene.vault.users
    assert part.job_ends() == 200
    part.is_over()


def test_a_child_that_may_not_read_is_revoked(scene):
    job = Served(scene).wants("denied")
    job.is_refused(409, "Vault's policy of that secret does not let it be read")
    job.is_over()


def test_a_value_that_is_kept_is_lost_with_the_server(scene):
    for name in ("one", "user"):
        job = Served(scene).wants(name)
        wait_until(lambda job=job: job.phase() == "kept", PATIENCE_S, "the value")
        scene.bot.kill()
        scene.bot.start()
        job.is_refused(410, "ask again")
        scene.comes(lambda job=job: job.phase() == "over" and job.child() is None, "its end")
        assert "secret_lost" in job.audited()


def test_a_vault_that_is_sealed_delivers_when_it_is_not(scene):
    scene.vault.troubles.append((CREATE, 503))
    job = Served(scene).wants("one")
    wait_until(lambda: job.row() == ("asked", 1), PATIENCE_S, "that it is to be asked again")
    scene.pass_time(6)
    assert scene.comes(job.value, "the value") == CANARY


def test_a_person_is_given_a_token_and_no_value(scene):
    who = scene.admin()
    made = len(scene.vault.made)
    who.say("/get_secret user")
    who.hear("vault unwrap -field=token")
    assert len(scene.vault.made) > made and (CREATE, 200) in [(one.path, one.status) for one in scene.vault.calls]


@pytest.mark.parametrize("name", ("printed", "fields"))
def test_a_value_that_is_printed_is_redacted_until_its_time_is_over(scene, name):
    def fails():
        scene.commit()
        who = scene.admin()
        who.say("/deploy staging")
        failed = who.hear("Failed: staging", "cannot log in with", buttons=("Log",))
        who.press(failed, "Log")
        return text_of(failed), scene.chat.file(who.hear("Log of staging")).decode()

    before = len(scene.bot.log())
    scene.scripts.deploy(f'echo "as {PRINTED}, root"; echo "cannot log in with {PRINTED}" >&2; exit 65')
    assert PRINTED in Served(scene).value(name)
    for text in fails():
        assert "cannot log in with ***" in text and PRINTED not in text
    assert Served(scene).value(name)
    read = scene.bot.log().count("settings reloaded")
    scene.bot.process.send_signal(signal.SIGHUP)
    wait_until(lambda: scene.bot.log().count("settings reloaded") > read, PATIENCE_S, "the settings, read anew")
    scene.pass_time(250)
    assert "as ***, root" in fails()[1]
    logged = scene.bot.log()[before:]
    assert "cannot log in with ***" in logged and PRINTED not in logged
    scene.pass_time(60)
    for text in fails():
        assert f"cannot log in with {PRINTED}" in text
    scene.scripts.reset()


@pytest.mark.skipif(os.geteuid() != 0, reason="the server lets nobody but root read its memory")
@pytest.mark.parametrize("name", ("memory", "memories"))
def test_a_value_is_in_the_servers_memory_until_its_time_is_over(scene, name):
    secret = f"canary-of-{name}-5Rt8Yw2Ns6"
    scene.vault.kv2("secret", f"app/{name}", {"text": f"{secret}-1\n{secret}-2", "other": f"{secret}-3"})

    def is_there():
        return any(secret.encode() in data for _, data in memory(scene.bot.process.pid))
    assert secret in Served(scene).value(name)
    assert is_there()       # redaction has it, and the search finds it
    scene.pass_time(301)
    scene.comes(lambda: not is_there(), "that it is forgotten")


def test_no_value_is_in_what_the_server_writes(scene):
    assert Served(scene).value("one") == CANARY
    Served(scene).wants("one")
    made = scene.bot.run("backup", str(scene.folder / "backup.db"))
    assert made.returncode == 0, made.stderr
    assert scene.check_kept() > 10
