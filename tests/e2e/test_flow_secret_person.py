"""Goal: a person is lent a secret in private, reads it once by the command that they are sent, and of what nobody uses
nothing is left: at Vault, in the chat, and in anything that the server writes."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from crash_aid import CrashPage
from flow_aid import ADMINS, FIRST_ADMIN, PATIENCE_S, ended_well
from secret_aid import CREATE, OWN, VALUE, Job, Lending
from service_aid import as_user
from stage import ROOT, crash_program, wait_until
from telegram_client import GROUP, buttons_of, text_of
from test_flow_factor import FactorScene
from test_vault_client import HOUR, Recorded

COMMAND = ROOT / "tests" / "peers" / "vault_command"
SENT = "once, 2 min"
# A secret of which SERVICE has the grant, and nobody else whom the tests ask as.
SERVICE = FIRST_ADMIN + ADMINS
PERSON = "games"


class Ask(Job):
    """What somebody has asked for in their chat; `view`: the message with the command."""

    def __init__(self, scene, who=None):
        super().__init__(scene)
        self.who, self.view, self.home = who or scene.admin(), None, tempfile.mkdtemp(dir=scene.folder)

    def wants(self, name):
        before = {row[0] for row in self.scene.bot_rows("SELECT work FROM loan")}
        self.who.say(f"/get_secret {name}")

        def new():
            return {row[0] for row in self.scene.bot_rows("SELECT work FROM loan")} - before
        self.loan = wait_until(new, PATIENCE_S, f"a loan of {name}").pop()
        return self

    def is_sent(self):
        self.view = self.who.hear(SENT)
        wait_until(lambda: self.phase() == "given", PATIENCE_S, "that it is known to be sent")
        return self

    @property
    def command(self):
        return command_of(self.view)

    def token(self):
        return re.search(r"-field=token '(\S+)'\)", self.command)[1]

    def runs(self):
        """(status, stdout, stderr) of the command in a shell, where somebody's own token is at hand, too."""
        return run_in_shell(self.command, self.home)

    def is_deleted(self):
        self.scene.comes(lambda: self.scene.chat.message(self.view)["deleted"], "that the message is deleted")

    def says(self, *words):
        return self.who.hear(*words)


def command_of(view):
    return re.search(r"export VAULT_ADDR=.*(?=\nNot valid\?)", text_of(view), re.S)[0]


def run_in_shell(command, home):
    done = subprocess.run(["/bin/sh", "-c", command], cwd=home, text=True, capture_output=True, check=False,
                          env={"PATH": f"{COMMAND}:/usr/bin:/bin", "HOME": str(home)}, timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(name="sockets", scope="module")
def _sockets():
    """Where users of the machine reach the server, and its program that each may run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-secret-"))
    folder.chmod(0o755)
    shutil.copy(pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build") / "deploybot", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scene(tmp_path_factory, sockets):
    made = Lending(tmp_path_factory.mktemp("lending"), {
        "LOCAL_SOCKET": str(sockets / "local.sock"), "LOCAL_GAMES_IS": str(FIRST_ADMIN), "ROLE_OPS_IDS": str(SERVICE),
        "ROLE_OPS_MAY": "secret.stripe:production", "RATE_LIMIT_REQUESTS": "0"})
    made.admin()        # whom LOCAL_GAMES_IS names
    made.chat.act("users", user_id=SERVICE, first_name="Olga", username="olga_ops")
    yield made
    ended_well(made)
    made.check_kept()


def test_the_command_of_the_message_reads_it_once_and_the_message_goes(scene):
    ask = Ask(scene).wants("stripe").is_sent()
    assert text_of(ask.view).startswith("🔐 stripe of production: once, 2 min")
    assert buttons_of(ask.view) == ["📋 Copy the wrapping token"]
    status, said, errors = ask.runs()
    assert status == 0, errors
    user = re.search(r"^username +(\S+)$", said, re.M)[1]
    assert user in scene.vault.users
    status, said, errors = ask.runs()
    assert status != 0 and said == "" and "wrapping token is not valid" in errors
    scene.pass_time(31)
    ask.is_deleted()
    assert re.search(r"used \d\d:\d\d", text_of(ask.says("used ")))
    assert ask.phase() == "given" and user in scene.vault.users, "what is used goes on"
    ask.who.say(f"/revoke {ask.loan}")
    ask.is_over()
    assert user not in scene.vault.users
    assert re.search(r"used \d\d:\d\d; revoked by ", text_of(ask.says("Revoked: production", "used ")))


def test_the_own_token_of_who_comes_second_reads_nothing(scene):
    """An empty VAULT_TOKEN is none, and then vault takes ~/.vault-token: that would hide that somebody was first."""
    ask = Ask(scene).wants("stripe").is_sent()
    pathlib.Path(ask.home, ".vault-token").write_text(scene.vault.root, encoding="ascii")
    status, said, _ = run_in_shell(f"export VAULT_ADDR={scene.vault.url}; vault read database/creds/stripe", ask.home)
    assert status == 0 and "username" in said, "it could read it"
    status, said, errors = ask.runs()
    assert status == 0, errors
    status, said, errors = ask.runs()
    assert status != 0 and said == "" and "wrapping token is not valid" in errors
    pathlib.Path(ask.home, ".vault-token").unlink()


def test_an_approved_one_is_read_by_its_path_and_the_group_reads_neither_path_nor_token(scene):
    ask = Ask(scene).wants("django/database for the refund of 7")
    asked = scene.admin().hear("db-migrate", chat=GROUP, after=0, buttons=("Approve", "Reject"))
    assert "the refund of 7" in text_of(asked) and not ask.was_made()
    scene.admin().press(asked, "Approve")
    ask.is_sent()
    status, said, errors = ask.runs()
    assert status == 0 and VALUE in said, errors
    for view in scene.chat.messages(GROUP):
        assert ask.token() not in json.dumps(view) and "django/database" not in text_of(view)
    ask.who.say(f"/revoke {ask.loan}")
    ask.is_deleted()
    ask.is_over()
    assert ask.runs()[0] != 0


def test_what_nobody_uses_is_revoked_and_its_message_goes(scene):
    ask = Ask(scene).wants("stripe").is_sent()
    for seconds in (31, 30, 30):
        scene.pass_time(seconds)
        assert ask.child() is not None and not scene.chat.message(ask.view)["deleted"]
    scene.pass_time(25)
    ask.is_deleted()
    ask.is_over()
    ask.says("Revoked: production", "not used")
    status, said, _ = ask.runs()
    assert status != 0 and said == ""


def test_a_group_is_refused_and_nothing_is_lent(scene):
    who = scene.admin()
    made = len(scene.vault.made)
    who.say("/get_secret stripe", chat=GROUP)
    who.hear("works in our private chat only", chat=GROUP)
    assert len(scene.vault.made) == made


def test_what_is_not_granted_reads_as_what_is_not_there(scene):
    who = scene.person(SERVICE)
    said = []
    for name in ("db-migrate", "django/database", "nothing-at-all"):
        who.say(f"/get_secret {name}")
        said.append(text_of(who.hear("Denied: ", name)).replace(name, "NAME"))
    assert len(set(said)) == 1 and "there is no such secret, or you may not have it" in said[0]
    who.say("/secrets")
    listed = text_of(who.hear("You may ask for these"))
    assert "stripe of production, for 30 min" in listed and "db-migrate" not in listed


def test_what_telegram_takes_too_late_is_dead_and_deleted(scene):
    ask = Ask(scene)
    scene.chat.fault("sendMessage", times=100000, chat_id=ask.who.number, status=502, description="Bad Gateway")
    ask.wants("stripe").is_kept()
    scene.pass_time(116)
    ask.is_over()
    scene.pass_time(64)
    scene.chat.clear_faults()
    scene.pass_time(120)
    scene.comes(lambda: scene.chat.messages(ask.who.number), "that Telegram takes something")
    ask.view = ask.who.hear(SENT)
    ask.is_deleted()
    status, said, _ = ask.runs()
    assert status != 0 and said == ""
    ask.says("Telegram did not take it within two minutes")


def crashes(scene, path, point, then):
    """Dies there with the first message behind Vault's answer."""
    page, before = CrashPage(path), scene.bot.build
    page.set(1)
    scene.bot.stop()
    scene.bot.build = crash_program("deploybot").parent
    scene.bot.settings.update({"DEPLOYBOT_CRASH_PAGE": str(path), "DEPLOYBOT_CRASH": f"{point}:1-999999"})
    scene.bot.start()
    scene.vault.let_go.clear()
    scene.vault.troubles.append((CREATE, "late"))
    then()
    wait_until(lambda: not scene.bot_rows("SELECT 1 FROM effect WHERE kind = 'say'"), PATIENCE_S,
               "that the server has read what Telegram answered before")
    page.set(0)
    scene.vault.let_go.set()
    scene.bot.process.wait(PATIENCE_S)
    assert page.died() == 1
    for name in ("DEPLOYBOT_CRASH_PAGE", "DEPLOYBOT_CRASH"):
        del scene.bot.settings[name]
    scene.bot.build = before
    scene.bot.start()


@pytest.mark.parametrize("point", ("message_due", "message_answered"))
def test_what_vault_made_before_a_crash_is_revoked_at_the_start(scene, tmp_path, point):
    ask = Ask(scene)

    def asks():
        ask.wants("stripe")
        wait_until(ask.was_made, PATIENCE_S, "what Vault has made")
        ask.says("stripe")
    crashes(scene, tmp_path / "page", point, asks)
    ask.is_over()
    ask.says("ask again")
    assert "secret_lost" in ask.audited()
    if point == "message_answered":
        ask.view = ask.who.hear(SENT, after=0)
        status, said, _ = ask.runs()
        assert status != 0 and said == "", "it stands there still, and nobody reads anything by it"


# --- on the machine ---

def on_the_machine(scene, sockets, *words, user=PERSON, out=subprocess.PIPE):
    """(status, stdout, stderr) of the command line."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "LOCAL_SOCKET": scene.bot.settings["LOCAL_SOCKET"]}
    done = subprocess.run([*as_user(user, 65534), str(sockets / "deploybot"), *words], cwd="/", text=True, check=False,
                          env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                          timeout=PATIENCE_S * 2)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_script_from_the_machine_reads_it_once(scene, sockets, tmp_path):
    status, printed, errors = on_the_machine(scene, sockets, "secret", "get", "stripe", "--for", "a refund")
    assert status == 0, errors
    assert printed.startswith("export VAULT_ADDR='http://") and printed.count("\n") == 1
    status, said, errors = run_in_shell(printed, tmp_path)
    assert status == 0 and re.search(r"^username +\S+$", said, re.M), errors
    status, said, errors = run_in_shell(printed, tmp_path)
    assert status != 0 and said == "" and "wrapping token is not valid" in errors
    number = scene.bot_rows("SELECT MAX(work) FROM loan")[0][0]
    scene.person(FIRST_ADMIN).say(f"/revoke {number}")
    scene.comes(lambda: scene.bot_rows(f"SELECT phase FROM loan WHERE work = {number}") == [("over",)], "its end")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_of_a_file_that_others_can_read_it_warns(scene, sockets, tmp_path):
    for mode, warns in ((0o640, True), (0o600, False)):
        with (tmp_path / "get.sh").open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            status, _, errors = on_the_machine(scene, sockets, "secret", "get", "stripe", out=file)
        assert status == 0 and ("(mode 640): chmod 600" in errors) == warns, errors
        number = scene.bot_rows("SELECT MAX(work) FROM loan")[0][0]
        scene.person(FIRST_ADMIN).say(f"/revoke {number}")
        scene.comes(lambda work=number: scene.bot_rows(f"SELECT phase FROM loan WHERE work = {work}") == [("over",)],
                    "its end")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_the_machine_lists_what_one_may_ask_for_and_refuses_the_rest_alike(scene, sockets):
    status, said, errors = on_the_machine(scene, sockets, "secret", "list")
    assert status == 0 and "db-migrate of production" in said and "after 1 approval" in said, (said, errors)
    status, said, errors = on_the_machine(scene, sockets, "secret", "get", "nothing-at-all")
    assert status != 0 and said == "" and "there is no such secret, or you may not have it" in errors
    assert on_the_machine(scene, sockets, "secret", "get", "stripe", user="backup")[0] != 0


class FactorLending(FactorScene):
    """As two users, for root alone makes a first second factor; time goes on by itself."""

    def __init__(self):
        self.vault = Recorded()
        self.vault.kv2("secret", "django/database", {"password": VALUE})
        self.vault.lends({"db-migrate": "secret/data/django/database"})
        self.vault.policy("deploybot", OWN)     # no more than it needs
        self.own_token = self.vault.make(["deploybot"], "auth/token/create", ttl=HOUR, period=HOUR,
                                         end=self.vault.now + HOUR).id
        super().__init__()

    def settings(self):
        return {**super().settings(), "VAULT_ADDR": self.vault.url, "VAULT_TOKEN": self.own_token,
                "SECRET_DB_MIGRATE_PATH": "kv2 secret django/database", "SECRET_DB_MIGRATE_FOR": "production",
                "REQUIRE_OTP": "secret.db-migrate:production"}

    def close(self):
        super().close()
        self.vault.stop()


@pytest.fixture(name="guarded")
def _guarded():
    made = FactorLending()
    yield made
    made.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_code_is_asked_first_and_without_a_second_factor_nothing_is_lent(guarded, tmp_path):
    who, made = guarded.admin(), len(guarded.vault.made)
    who.say("/get_secret db-migrate")
    who.hear("db-migrate", "you have no second factor")
    secret, _ = guarded.enrol(who.number)
    who.hear("Second factor", f"telegram:{who.number}")
    who.say("/get_secret db-migrate")
    pad = who.hear("Code for ", "db-migrate", buttons=("1", "0"))
    assert len(guarded.vault.made) == made
    for digit in guarded.code(secret):
        who.press(pad, digit)
    command = command_of(who.hear(SENT))
    status, said, errors = run_in_shell(command, tmp_path)
    assert status == 0 and VALUE in said, errors


# --- who had it? ---

def test_an_auditor_asks_who_had_it(scene):
    job = Job(scene)
    job.wants("db-migrate")
    scene.admin().press(job.message("db-migrate", buttons=("Approve", "Reject")), "Approve")
    job.unwraps(job.fetches())
    assert job.gives_back() == 202
    job.is_over()
    ask = Ask(scene).wants("db-migrate")
    scene.admin().press(scene.admin().hear("db-migrate", f"#{ask.loan}", chat=GROUP, after=0,
                                           buttons=("Approve", "Reject")), "Approve")
    ask.is_sent()
    day = scene.audit(code="secret_lent")[-1]["timestamp"][:10]
    done = scene.bot.run("audit", "search", "--code", "secret_lent", "--from", day, "--to", day, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {entry["deployment"]: entry for entry in map(json.loads, done.stdout.splitlines())
             if entry["secret"] == "db-migrate"}
    by_job, by_person = found[job.loan], found[ask.loan]
    made = {one.meta["work"]: one.accessor for one in scene.vault.made if one.meta}
    for entry in (by_job, by_person):
        assert entry["environment"] == "production" and entry["path"] == "kv2 secret django/database"
        assert entry["accessor"] == made[str(entry["deployment"])][:8] and entry["until"] > entry["timestamp"]
    assert by_job["user_id"] == f"workflow:{job.workflow}"
    assert (by_job["repository"], by_job["run"]) == ("octo/shop", str(job.run))
    assert by_person["user_id"] == f"telegram:{ask.who.number}"
    assert (by_person["repository"], by_person["run"]) == ("", "")
    ask.who.say(f"/revoke {ask.loan}")
    ask.is_over()
    ended = ask.audited()["secret_revoked"]
    assert (ended["secret"], ended["user_id"]) == ("db-migrate", by_person["user_id"])


def test_nothing_of_it_is_in_what_the_server_writes(scene):
    ask = Ask(scene).wants("stripe").is_sent()
    made = scene.bot.run("backup", str(scene.folder / "backup.db"))
    assert made.returncode == 0, made.stderr
    assert scene.check_kept() > 10
    for where, text in scene.written():
        assert ask.token().encode() not in text, where
    ask.who.say(f"/revoke {ask.loan}")
    ask.is_over()
