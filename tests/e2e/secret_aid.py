"""secret_aid.py - a stage whose Vault lends secrets, and jobs that ask for them over /v1."""
# SPDX-License-Identifier: ISC
import http.client
import itertools
import json
import pathlib
import time
import uuid

from flow_aid import PATIENCE_S
from github import sign, workflow_job
from jobs_aid import REPOSITORY, Jobs
from ops_aid import write_env
from runner_client import children_of
from stage import GITHUB_SECRET, wait_until
from telegram_client import GROUP
from test_ops_clock import LIBRARY, faked
from test_vault_client import HOUR, Recorded

CREATE, REVOKE = "/v1/auth/token/create/deploybot-lend", "/v1/auth/token/revoke-accessor"
VALUE = "canary-of-what-is-lent-3Hc8Wq5Nz7Tk"
# Of each workflow five ask at once: each job here is of the next one.
WORKFLOWS = 40
RUNS = itertools.count(5001)
OWN = """
path "auth/token/create/deploybot-lend" { capabilities = ["update"] }
path "auth/token/roles/deploybot-lend" { capabilities = ["read"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
"""


class Lending(Jobs):
    """Vault lends db-migrate after a yes, and stripe without one; the clocks of both go on together."""

    def __init__(self, folder, more=None):
        assert LIBRARY is not None, "libfaketime is missing: tests/tools/packages.sh test"
        folder.mkdir(exist_ok=True)
        self.vault, self.clock, self.ahead_s = Recorded(), folder / "clock", 0
        self.clock.write_text("+0\n", encoding="ascii")
        self.vault.kv2("secret", "django/database", {"password": VALUE})
        self.vault.creds("database", "stripe")
        self.vault.lends({"db-migrate": "secret/data/django/database", "stripe": "database/creds/stripe"})
        self.vault.policy("deploybot", OWN)     # no more than it needs
        token = self.vault.make(["deploybot"], "auth/token/create", ttl=HOUR, period=HOUR, end=self.vault.now + HOUR)
        settings = {name: value for name, value in faked(self.clock).items() if name != "DONT_FAKE_MONOTONIC"}
        for n in range(WORKFLOWS):
            settings[f"WORKFLOW_W{n:02}_IS"] = f"github 456789 w{n:02}.yml@refs/heads/develop"
            settings[f"WORKFLOW_W{n:02}_MAY"] = "secret.db-migrate:production, secret.stripe:production, deploy:staging"
        super().__init__(folder, {
            **settings, "VAULT_ADDR": self.vault.url, "TELEGRAM_CHAT_ID": str(GROUP), "LOG_LEVEL": "DEBUG",
            "VAULT_TOKEN_FILE": write_env(folder, token.id, name="vault_token"),
            "SECRET_DB_MIGRATE_PATH": "kv2 secret django/database", "SECRET_DB_MIGRATE_FOR": "production",
            "SECRET_DB_MIGRATE_APPROVALS": "1", "SECRET_STRIPE_PATH": "creds database stripe",
            "SECRET_STRIPE_FOR": "production", "SECRET_STRIPE_TTL": "30m", **(more or {})})
        wait_until(lambda: self.vault.sent and "Vault: our token is good" in self.bot.log(), PATIENCE_S, "its token")

    def pass_time(self, seconds):
        """While nothing is asked: who waits for an answer meanwhile waits too long."""
        wait_until(lambda: self.vault.sent == len(self.vault.calls), PATIENCE_S, "rest")
        self.vault.advance(seconds)
        self.ahead_s += seconds
        self.clock.write_text(f"+{self.ahead_s}\n", encoding="ascii")

    def wait_asked(self, path, status=503):
        wait_until(lambda: (path, status) in [(one.path, one.status) for one in self.vault.calls], PATIENCE_S, path)

    def comes(self, condition, what):
        """What a clock that was moved brings is noticed with the next thing that happens."""
        return wait_until(lambda: self.bot.metrics() and condition(), PATIENCE_S, what)

    def at_vault(self, path, token, body=None):
        """(status, answer) of whoever asks it with that token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.vault.port, timeout=60)
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body),
                           {"X-Vault-Token": token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")

    def stop(self):
        self.vault.let_go.set()
        status = super().stop()
        self.vault.stop()
        return status

    # --- what is written ---

    def written(self):
        """(where, bytes) of all that the server has left, and of how it was started."""
        for name in ("deploybot.log", "audit.log", "state", "backup.db"):
            for path in [self.folder / name, *(self.folder / name).rglob("*")]:
                if path.is_file():
                    yield str(path), path.read_bytes()
        if self.bot.process.poll() is None:
            for view in self.chat.messages(GROUP):
                yield "the chat", json.dumps(view).encode()
            yield "/metrics", self.bot.metrics().encode()
            for pid in (self.bot.process.pid, *children_of(self.bot.process.pid)):
                for name in ("cmdline", "environ"):
                    yield f"{name} of {pid}", pathlib.Path(f"/proc/{pid}/{name}").read_bytes()

    def check_kept(self):
        """No token that there ever was, and no secret; how many places were looked at."""
        with self.vault.lock:
            texts = [VALUE, *(one.id for one in self.vault.made)]
            accessors = [one.accessor for one in self.vault.made]
        places = list(self.written())
        for where, text in places:
            for secret in texts + ([] if ".db" in where else accessors):
                assert secret.encode() not in text, f"of what Vault has made, in {where}"
        return len(places)


class Job:
    """Of a run of its own, and of the next workflow; `loan`: the number of what it has asked for."""

    def __init__(self, scene):
        self.scene, self.run, self.loan = scene, next(RUNS), 0

    @property
    def check_run(self):
        return 70_000 + self.run

    @property
    def workflow(self):
        return f"w{self.run % WORKFLOWS:02}"

    def ask(self, path, **options):
        now = int(time.time()) + self.scene.ahead_s
        return self.scene.ask(path, **{
            "run_id": str(self.run), "check_run_id": str(self.check_run), "file": f"{self.workflow}.yml",
            "iat": now, "nbf": now - 60, "exp": now + 300, **options})

    def wants(self, name):
        status, said = self.ask(f"/v1/secret/{name}")
        assert status == 202, said
        self.loan = said["id"]
        return self

    def looks(self, **options):
        return self.ask(f"/v1/loan/{self.loan}", method="GET", **options)

    def gives_back(self):
        return self.ask(f"/v1/loan-end/{self.loan}")[0]

    def fetches(self):
        """The wrapping token, once it is there."""
        def look():
            status, said = self.looks()
            assert status in (200, 202), said
            return said.get("token")
        return wait_until(look, PATIENCE_S, f"the token of #{self.loan}")

    def unwraps(self, token):
        """The token within, by which the job reads what it was lent."""
        status, said = self.scene.at_vault("/v1/sys/wrapping/unwrap", token, {})
        assert status == 200, said
        return said["auth"]["client_token"]

    def has(self, name="stripe"):
        return self.unwraps(self.wants(name).fetches())

    def child(self):
        """What Vault has made for it, that may still be used; None: nothing."""
        with self.scene.vault.lock:
            return next((one for one in self.scene.vault.tokens.values()
                         if (one.meta or {}).get("work") == str(self.loan)), None)

    def was_made(self):
        return any((one.meta or {}).get("work") == str(self.loan) for one in self.scene.vault.made)

    def is_kept(self):
        wait_until(lambda: self.phase() == "kept", PATIENCE_S, "what Vault has made")
        assert self.child() is not None
        return self

    def row(self):
        """Its phase, and whether it waits for a moment."""
        return self.scene.bot_rows(f"SELECT phase, timer <> 0 FROM loan WHERE work = {self.loan}")[0]

    def phase(self):
        return self.row()[0]

    def audited(self):
        """What the audit has of it, by code."""
        return {entry["code"]: entry for entry in self.scene.audit(deployment=self.loan)}

    def is_over(self):
        """At Vault, and here."""
        self.scene.comes(lambda: self.was_made() and self.child() is None, f"the end of #{self.loan} at Vault")
        self.scene.comes(lambda: self.phase() == "over", f"the end of #{self.loan}")

    def is_refused(self, status, *words):
        def look():
            found, said = self.looks()
            return found != 202 and (found, said["said"])
        found, said = self.scene.comes(look, f"a refusal of #{self.loan}")
        assert found == status and all(word in said for word in words), (found, said)

    def message(self, *words, **options):
        return self.scene.person(0).hear(*words, f"by workflow:{self.workflow}", chat=GROUP, after=0, **options)

    def job_ends(self):
        body = json.dumps(workflow_job(REPOSITORY, self.run, repository_id=456_789, id=self.check_run)).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.scene.http_port, timeout=60)
        connection.request("POST", "/github/webhook", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "workflow_job",
            "X-GitHub-Delivery": str(uuid.uuid4()), "X-Hub-Signature-256": sign(GITHUB_SECRET, body)})
        return connection.getresponse().status
