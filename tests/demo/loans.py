"""Secrets for minutes: a job that asks for a password of Vault's, a yes with six digits, a person who is lent one in
private, one that is revoked, and a Vault that is sealed.  Played without a person; Vault, its command, GitHub's
issuer of tokens and Bea's telephone are stand-ins."""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import itertools
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse

from rolled_back import NAMES
from stage import ROOT, Stage, wait_until
from story import STEP_TIMEOUT_S, Story, brief
import authenticator
from github_tokens import AUDIENCE, Issuer
from telegram_client import ADA, BEA, GROUP, buttons_of, text_of
from vault import Vault

SHOP = "octo/shop"
PASSWORD = "tr0ub4dor-of-the-database"
FIGURES = "s3cret-of-the-figures"
DAY = 24 * 3600
RUNS = itertools.count(4711)


class Lent(Story):
    def __init__(self, stage, vault, issuer):
        super().__init__(stage)
        self.vault, self.issuer, self.secret, self.step = vault, issuer, "", 0

    def say(self, who, text):
        """What the bot says next comes behind the mark that it returns."""
        mark = self.chat.mark()
        self.tell(f"{NAMES[who]} writes {text}")
        self.chat.say(who, who, text)
        return mark

    def press(self, who, view, button):
        now = self.chat.message(view)
        label = next(label for label in buttons_of(now) if button in label)
        self.tell(f"{NAMES[who]} presses {label}")
        self.chat.press(who, now, label)

    def code(self):
        """One that was not used: the step behind this one counts, too."""
        self.step = max(int(time.time()) // 30, self.step + 1)
        return authenticator.code_of(self.secret, self.step)

    def at_vault(self, path, token, body=None):
        """(status, answer) of whoever asks it with that token."""
        return ask(self.vault.port, path, {"X-Vault-Token": token}, body)

    def has_password(self, token):
        return self.at_vault("/v1/secret/data/django/database", token)


def ask(port, path, headers, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STEP_TIMEOUT_S)
    try:
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


class Job:
    """Of a run of its own of migrate.yml."""

    def __init__(self, story, name):
        self.story, self.name, self.run = story, name, next(RUNS)
        status, said = self.ask(f"/v1/secret/{name}", {})
        if status != 202:
            raise RuntimeError(f"{name}: {status} {said}")
        self.loan = said["id"]
        story.tell(f"run {self.run} of migrate.yml asks for {name}: it is #{self.loan}")

    def ask(self, path, body=None):
        token = self.story.issuer.token(repository=SHOP, ref="refs/heads/main", file="migrate.yml",
                                        run_id=str(self.run), check_run_id=str(90_000 + self.run))
        return ask(self.story.stage.http_port, path, {"Authorization": f"Bearer {token}"}, body)

    def looks(self):
        return self.ask(f"/v1/loan/{self.loan}")

    def waits(self):
        return self.looks()[0] == 202

    def goes_on(self):
        """The token that it was lent, unwrapped."""
        def look():
            status, said = self.looks()
            if status not in (200, 202):
                raise RuntimeError(f"#{self.loan}: {status} {said}")
            return said.get("token")
        wrapping = wait_until(look, STEP_TIMEOUT_S, f"what #{self.loan} is lent")
        status, said = self.story.at_vault("/v1/sys/wrapping/unwrap", wrapping, {})
        if status != 200:
            raise RuntimeError(f"unwrap: {status} {said}")
        return said["auth"]["client_token"]

    def gives_back(self):
        status, _ = self.ask(f"/v1/loan-end/{self.loan}", {})
        self.story.tell(f"its last step gives it back, and is answered {status}")


def bea_has_a_second_factor(story):
    story.tell("--- Bea's second factor")
    mark = story.say(BEA, "/2fa")
    story.hear("Second factor begun", after=mark, chat=BEA)
    mark = story.say(BEA, "/console")
    login = re.search("#code=([0-9a-f]{32})", text_of(story.hear("Open the console", after=mark, chat=BEA))).group(1)
    port = story.stage.http_port
    _, session = ask(port, "/v1/session/open", {}, {"code": login})
    status, shown = ask(port, "/v1/factor", {"Authorization": f"Bearer {session['token']}"}, {})
    story.must(status == 200 and authenticator.read(shown["qr"]) == shown["uri"],
               "the page shows its QR code, once, and Bea scans it")
    story.secret = urllib.parse.parse_qs(urllib.parse.urlsplit(shown["uri"]).query)["secret"][0]
    mark = story.chat.mark()
    story.tell("Bea writes /2fa confirm and the six digits that her telephone shows")
    story.chat.say(BEA, BEA, f"/2fa confirm {story.code()}")
    story.hear("Code accepted", after=mark, chat=BEA)
    # Nobody here is root, and the first factor of all is root's to confirm.
    story.stage.bot.stop()
    with contextlib.closing(sqlite3.connect(story.stage.folder / "state" / "deploybot.db")) as rows:
        done = rows.execute("UPDATE factor SET enrolled_at = proven_at WHERE person = ? AND proven_at > 0", [BEA])
        rows.commit()
    story.stage.bot.start()
    story.must(done.rowcount == 1, "root confirms it on the server (here its row is set: nobody has to be root)")


def a_job_asks(story):
    story.tell("--- a job asks: SECRET_DB_MIGRATE_APPROVALS=1; REQUIRE_OTP=secret.db-migrate:production")
    mark = story.chat.mark()
    job = Job(story, "db-migrate")
    asked = story.hear("Lend? ", "db-migrate", after=mark, buttons=("Approve", "Reject"), chat=GROUP)
    story.must(job.waits() and not made_for(story, job), "it waits, and Vault has made nothing")
    story.press(BEA, asked, "Approve")
    pad = story.hear("lending db-migrate", after=mark, buttons=("1", "0"), chat=BEA)
    story.must(job.waits(), "a press alone lends nothing")
    for digit in story.code():
        story.chat.press(BEA, story.chat.message(pad), digit)
    story.tell("Bea types six digits")
    token = job.goes_on()
    story.hear("Lent: production", "db-migrate", after=mark, chat=GROUP)
    status, said = story.has_password(token)
    story.must(status == 200 and said["data"]["data"] == {"password": PASSWORD},
               "the job reads the password at Vault by a token of its own")
    story.must(job.looks()[0] == 410, "it was had once: who asks again is answered 410")
    job.gives_back()
    wait_until(lambda: story.has_password(token)[0] == 403, STEP_TIMEOUT_S, "the end of its token")
    story.must(story.has_password(token)[0] == 403, "its token is dead at Vault")
    story.hear("Was lent: production", "db-migrate", "fetched twice", after=mark, chat=GROUP)


def made_for(story, job):
    """What Vault has made for it, that may still be used."""
    with story.vault.lock:
        return next((one for one in story.vault.tokens.values() if (one.meta or {}).get("work") == str(job.loan)), None)


def command_of(view):
    """The block of code, which people copy by a tap; its place counts units of UTF-16."""
    block = next(one for one in view["message"]["entities"] if one["type"] == "pre")
    text = text_of(view).encode("utf-16-le")[2 * block["offset"]:2 * (block["offset"] + block["length"])]
    return text.decode("utf-16-le")


def run_command(command):
    path = f"{ROOT / 'tests' / 'peers' / 'vault_command'}:/usr/bin:/bin"
    return subprocess.run(["sh", "-c", command], env={"PATH": path, "HOME": "/nonexistent"}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=STEP_TIMEOUT_S, check=False)


def a_person_asks(story):
    story.tell("--- a person asks in private")
    mark = story.say(ADA, "/get_secret figures for the books of this month")
    sent = story.hear("once, 2 min", after=mark)
    command = command_of(sent)
    first = run_command(command)
    story.must(first.returncode == 0 and FIGURES in first.stdout, "Ada runs it in her shell, and reads the secret")
    second = run_command(command)
    story.must(second.returncode != 0 and FIGURES not in second.stdout,
               "run again it is refused: " + brief(second.stderr.strip().rpartition("* ")[2]))
    story.must(FIGURES not in json.dumps(story.chat.messages(ADA)), "what she has read is in no message")
    story.tell("… and half a minute later")
    wait_until(lambda: story.chat.message(sent)["deleted"], STEP_TIMEOUT_S, "that the message is deleted")
    story.must(True, "the message is deleted, as it was used")


def it_is_revoked(story):
    story.tell("--- it is revoked")
    mark = story.chat.mark()
    job = Job(story, "orders")
    token = job.goes_on()
    status, said = story.at_vault("/v1/database/creds/orders", token)
    user = said["data"]["username"]
    story.must(status == 200 and user in story.vault.users, "the job has a user of the database, made for it by Vault")
    story.hear("Lent: production", "orders", after=mark, buttons=("Revoke",), chat=GROUP)
    mark = story.say(ADA, f"/revoke {job.loan}")
    story.hear("orders of ", "is being revoked at Vault", after=mark)
    wait_until(lambda: made_for(story, job) is None, STEP_TIMEOUT_S, "the end of its token")
    story.must(story.at_vault("/v1/database/creds/orders", token)[0] == 403 and user not in story.vault.users,
               "its token is dead, and that user is gone from the database")


def vault_is_sealed(story):
    story.tell("--- Vault is sealed")
    story.vault.state = "sealed"
    job = Job(story, "orders")
    wait_until(lambda: ("/v1/auth/token/create/deploybot-lend", 503) in
               [(call.path, call.status) for call in story.vault.calls], STEP_TIMEOUT_S, "that Vault says so")
    change = story.stage.push("develop", "good")
    mark = story.chat.mark()
    story.tell(f"a colleague pushes \"{change['subject']}\" to develop meanwhile")
    story.hear("Live: staging", change["after"][:7], after=mark, chat=GROUP)
    story.must(job.waits() and not made_for(story, job), "deployments go on; the job waits")
    story.vault.state = "active"
    story.tell("Vault is unsealed")
    token = job.goes_on()
    story.must(story.at_vault("/v1/database/creds/orders", token)[0] == 200, "the job goes on by itself")
    job.gives_back()
    wait_until(lambda: made_for(story, job) is None, STEP_TIMEOUT_S, "the end of its token")
    story.must(story.at_vault("/v1/database/creds/orders", token)[0] == 403, "its token is dead at Vault")


def nothing_is_written(story):
    story.tell("--- what is left")
    done = story.stage.bot.run("audit", "verify")
    story.must(done.returncode == 0, "deploybot audit verify: " + brief(done.stdout.strip()))
    left = [path for path in (story.stage.folder / "state").rglob("*") if path.is_file()]
    left += [story.stage.folder / "audit.log", story.stage.bot.log_path]
    secrets = [secret.encode() for secret in (PASSWORD, FIGURES, "hvs.")]
    found = [str(path) for path in left for text in [path.read_bytes()] for secret in secrets if secret in text]
    story.must(not found, f"no password and no token is in the {len(left)} files that the server has written")


CHAPTERS = (bea_has_a_second_factor, a_job_asks, a_person_asks, it_is_revoked, vault_is_sealed, nothing_is_written)


def prepare(vault):
    """What lends, and the token of deploybot's own."""
    vault.kv2("secret", "django/database", {"password": PASSWORD})
    vault.kv2("secret", "shop/figures", {"password": FIGURES})
    vault.creds("database", "orders")
    vault.lends({"db-migrate": "secret/data/django/database", "figures": "secret/data/shop/figures",
                 "orders": "database/creds/orders"})
    return vault.make(["default", "deploybot"], "auth/token/create", ttl=DAY, period=DAY, end=vault.now + DAY).id


def write_private(path, text):
    path.write_text(text + "\n", encoding="ascii")
    path.chmod(0o600)
    return str(path)


def play(folder):
    """0: all of it happened."""
    vault, issuer = Vault(runs=True), Issuer()
    settings = {
        "ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "TELEGRAM_CHAT_ID": str(GROUP), "GITHUB_REPOSITORY": SHOP,
        "ENABLE_API_SERVER": "true", "PUBLIC_URL": AUDIENCE, "GITHUB_TOKEN_ISSUER": issuer.url,
        "VAULT_ADDR": vault.url, "VAULT_TOKEN_FILE": write_private(folder / "vault_token", prepare(vault)),
        "TOTP_KEY_FILE": write_private(folder / "totp_key", os.urandom(32).hex()), "CONSOLE": "true",
        "AUTH_TOKEN_SECRET": os.urandom(32).hex(),
        "REQUIRE_OTP": "secret.db-migrate:production",
        "SECRET_DB_MIGRATE_PATH": "kv2 secret django/database", "SECRET_DB_MIGRATE_FOR": "production",
        "SECRET_DB_MIGRATE_APPROVALS": "1",
        "SECRET_FIGURES_PATH": "kv2 secret shop/figures", "SECRET_FIGURES_FOR": "production",
        "SECRET_ORDERS_PATH": "creds database orders", "SECRET_ORDERS_FOR": "production",
        "WORKFLOW_MIGRATE_IS": "github 456789 migrate.yml@refs/heads/main",
        "WORKFLOW_MIGRATE_MAY": "secret.db-migrate:production, secret.orders:production"}
    try:
        with Stage(folder, telegram=("--local",), settings=settings) as stage:
            story = Lent(stage, vault, issuer)
            try:
                for chapter in CHAPTERS:
                    chapter(story)
            except (AssertionError, TimeoutError, RuntimeError) as problem:
                print(f"the story broke off: {problem}", file=sys.stderr)
                print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
                return 1
            story.tell("all of it happened")
            return 0
    finally:
        issuer.stop()
        vault.stop()
