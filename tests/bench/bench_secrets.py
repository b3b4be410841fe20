"""bench_secrets.py - from the last yes until a job has what it was lent, what open loans cost in memory, and what a
Vault that hangs costs everything else."""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import itertools
import json
import statistics
import threading
import time

import jwt

import kit
from bench_push import count_rows
from bench_start import ADMINS, REST_S, Presser
from github_tokens import AUDIENCE, Issuer
from stage import WEBHOOK_SECRET
from telegram_client import ADA
from vault import Vault

DELAY_S = 0.005  # of each answer of Vault's
LENT_MS, MEMORY_KB, SLOWER = 150, 512, 0.05
PRESSES, POSTS, OPEN = 40, 100, 64
TURNS, STATUSES = 4, 3  # for each round, and in each turn
WARM = 8  # loans that have ended, before memory is looked at
WORKFLOWS = 32  # one alone may not have so many open
POLL_S = 0.002
TOKENS = 100  # of a job, which shows each once, that are made before anything is measured
HANGING = 8  # calls, all that are made at once
CREATE = "auth/token/create/deploybot-lend"
RUNS = itertools.count(5001)
SECRETS = {"db-migrate": "secret/data/django/database", "stripe": "database/creds/stripe"}


class Slow(Vault):
    """Answers behind DELAY_S, and not at all what is asked of `hangs` until `let_go`."""

    def __init__(self):
        self.hangs = None
        super().__init__()
        self.kv2("secret", "django/database", {"password": "tr0ub4dor"})
        self.creds("database", "stripe")
        self.lends(SECRETS)
        self.server.handle_error = lambda *_: None  # a server that ends resets its connections
        self.own = self.make(["default", "deploybot"], "auth/token/create", ttl=86400, end=self.now + 86400)

    def send(self, request, *words):
        if self.hangs is not None and request.path.endswith(self.hangs):
            self.let_go.wait(120)
        time.sleep(DELAY_S)
        super().send(request, *words)


class Lender:
    """A stage whose Vault lends one secret behind a yes, and one without."""

    def __init__(self, bench, name, admins=ADMINS, has_vault=True):
        self.stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self.issuer = Issuer()
            stack.callback(self.issuer.stop)
            self.vault = Slow() if has_vault else None
            if has_vault:
                stack.callback(self.vault.stop)
            self.stage = kit.Stage(bench.new_folder(name), deliver=True, start=False, settings=self.settings(admins))
            self.stage.extra["TELEGRAM_WEBHOOK_URL"] = f"http://127.0.0.1:{self.stage.http_port}/telegram/webhook"
            stack.enter_context(self.stage.start())
            kit.wait_until(lambda: self.stage.chat.state()["webhook"]["url"], what="the webhook")
            for who in admins:
                self.stage.chat.act("users", user_id=who, first_name="Ada")
            kit.pin(self.stage.bot.process.pid, kit.cores()[1])
            self.connection = http.client.HTTPConnection("127.0.0.1", self.stage.http_port, timeout=60)
            stack.callback(self.connection.close)
            self.presser = stack.enter_context(contextlib.closing(Presser(self.stage)))
            if has_vault:
                kit.wait_until(lambda: "Vault: our token is good" in self.stage.bot.log(), what="Vault's token")
            self.stack = stack.pop_all()

    def settings(self, admins):
        found = {
            "ADMIN_TELEGRAM_IDS": ",".join(map(str, (ADA, *admins))), "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "GITHUB_REPOSITORY": kit.REPOSITORY, "RATE_LIMIT_REQUESTS": "0", "ENABLE_API_SERVER": "true",
            "PUBLIC_URL": AUDIENCE, "GITHUB_TOKEN_ISSUER": self.issuer.url}
        for n in range(WORKFLOWS):
            found[f"WORKFLOW_W{n}_IS"] = f"github 456789 w{n}.yml@refs/heads/develop"
            found[f"WORKFLOW_W{n}_MAY"] = "deploy:staging"
        if self.vault is None:
            return found
        for n in range(WORKFLOWS):
            found[f"WORKFLOW_W{n}_MAY"] = "secret.db-migrate:production, secret.stripe:production"
        return {**found, "VAULT_ADDR": self.vault.url, "VAULT_TOKEN": self.vault.own.id, "LOG_LEVEL": "INFO",
                "SECRET_DB_MIGRATE_PATH": "kv2 secret django/database", "SECRET_DB_MIGRATE_FOR": "production",
                "SECRET_DB_MIGRATE_APPROVALS": "1", "SECRET_STRIPE_PATH": "creds database stripe",
                "SECRET_STRIPE_FOR": "production"}

    def close(self):
        if self.vault is not None:
            self.vault.let_go.set()
        self.stack.close()

    @property
    def pid(self):
        return self.stage.bot.process.pid

    def rows(self, phase):
        return count_rows(self.stage, f"loan WHERE phase = '{phase}'")


class Job:
    """Of a run of its own."""

    def __init__(self, lender):
        self.lender, self.run, self.loan = lender, next(RUNS), 0
        self.tokens = []

    def sign(self, number):
        key = self.lender.issuer.keys[0]
        for _ in range(number):
            claims = self.lender.issuer.claims(
                repository=kit.REPOSITORY, ref="refs/heads/develop", file=f"w{self.run % WORKFLOWS}.yml",
                run_id=str(self.run), check_run_id=str(70_000 + self.run))
            self.tokens.append(jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid}))
        return self

    def ask(self, path, method="POST"):
        """(status, answer, when the first byte went out in monotonic ns)"""
        body = None if method == "GET" else b"{}"
        token = self.tokens.pop() if self.tokens else self.sign(1).tokens.pop()
        began = time.monotonic_ns()
        self.lender.connection.request(method, path, body, {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = self.lender.connection.getresponse()
        return answer.status, json.loads(answer.read()), began

    def wants(self, name):
        """When it asked."""
        status, said, began = self.ask(f"/v1/secret/{name}")
        if status != 202:
            raise RuntimeError(f"a job was answered {status} {said}")
        self.loan = said["id"]
        return began

    def fetches_ms(self, began):
        """From then until it has the token."""
        while True:
            status, said, _ = self.ask(f"/v1/loan/{self.loan}", "GET")
            if status == 200 and said["token"]:
                return (time.monotonic_ns() - began) / 1e6
            if status != 202:
                raise RuntimeError(f"loan {self.loan} was answered {status} {said}")
            time.sleep(POLL_S)

    def gives_back(self):
        if self.ask(f"/v1/loan-end/{self.loan}")[0] != 202:
            raise RuntimeError(f"loan {self.loan} was not given back")


def approve_of(view):
    rows = view["message"].get("reply_markup", {}).get("inline_keyboard", [])
    return next((button for row in rows for button in row if "Approve" in button["text"]), None)


def pressed_ms(lender):
    """One that a person approves."""
    who = lender.presser.person = ADMINS[0]
    job, mark = Job(lender).sign(TOKENS), lender.stage.chat.mark()
    job.wants("db-migrate")
    view = lender.stage.chat.wait_for_message(
        lambda view: approve_of(view) is not None and f"run {job.run}" in view["message"]["text"],
        after=mark, chat_id=who)
    took = job.fetches_ms(lender.presser.press(view, approve_of(view)))
    job.gives_back()
    return took


def posted_ms(lender):
    """One that nobody has to approve."""
    job = Job(lender).sign(TOKENS)
    took = job.fetches_ms(job.wants("stripe"))
    job.gives_back()
    return took


def lent_row(bench, what, times):
    p99 = sorted(times)[min(len(times) - 1, int(len(times) * .99))]
    bench.row(f"from {what} until GET /v1/loan has the token, of a Vault that takes {DELAY_S * 1000:.0f} ms: "
              f"p50, p99 of {len(times)}", f"{statistics.median(times):.1f}, {p99:.1f} ms", f"p99 ≤ {LENT_MS} ms",
              p99 <= LENT_MS)


def measure_lent(bench):
    with contextlib.closing(Lender(bench, "lent", ADMINS[:1])) as lender:
        pressed_ms(lender)  # keys are fetched, and connections made
        lent_row(bench, "the last yes", [pressed_ms(lender) for _ in range(PRESSES)])
        lent_row(bench, "a job's request that nobody has to approve", [posted_ms(lender) for _ in range(POSTS)])


def measure_memory(bench):
    """With loans that wait to be fetched, each with its token."""
    with contextlib.closing(Lender(bench, "loans")) as lender:
        for _ in range(WARM):
            posted_ms(lender)
        time.sleep(REST_S)
        resident, dirty = kit.memory_mb(lender.pid)
        for _ in range(OPEN):
            Job(lender).sign(1).wants("stripe")
        kit.wait_until(lambda: lender.rows("kept") == OPEN, 60, "tokens of Vault's")
        time.sleep(REST_S)
        more, more_dirty = (after - before for after, before in zip(kit.memory_mb(lender.pid), (resident, dirty)))
        bench.row(f"memory with {OPEN} loans open, against none",
                  f"{more_dirty * 1024:.0f} KB more of its own than {dirty:.1f} MB, {more * 1024:.0f} resident",
                  f"≤ {MEMORY_KB} KB", more_dirty * 1024 <= MEMORY_KB)


def hang(lender):
    """As many calls as are made at once, none of which is answered; whose they are."""
    def calls():
        return len([call for call in lender.vault.calls if call.path.endswith(CREATE)])
    before, jobs = calls(), [Job(lender).sign(2) for _ in range(HANGING)]
    for job in jobs:
        job.wants("stripe")
    kit.wait_until(lambda: calls() >= before + HANGING, what="calls that hang")
    return jobs


def release(lender, jobs):
    """A call has 10 s."""
    if lender.rows("asked") < len(jobs):
        raise RuntimeError("not all calls hung for so long")
    let_go, lender.vault.let_go = lender.vault.let_go, threading.Event()
    let_go.set()
    kit.wait_until(lambda: lender.rows("kept") == len(jobs), 60, "the end of what hung")
    for job in jobs:
        job.gives_back()
    kit.wait_until(lambda: lender.rows("kept") == 0, 60, "what was given back")


def turn(bench, lender):
    """(pushes a second, ms of each /status) of one server, now."""
    jobs = hang(lender) if lender.vault is not None else []
    to = kit.Target(lender.stage.http_port, "/github/webhook")
    rate = kit.run_load(bench, to, 16, bench.seconds, bench.bodies["topic"])["rate"]
    times = [lender.presser.command_ms("/status") for _ in range(STATUSES)]
    if jobs:
        release(lender, jobs)
    return rate, times


def measure_hang(bench):
    """Beside a server that has no Vault: by turns, each first in every other one, for a disk has its minutes."""
    rates, times = [], ([], [])
    with contextlib.closing(Lender(bench, "hangs")) as hanging, \
            contextlib.closing(Lender(bench, "without", has_vault=False)) as without:
        hanging.vault.hangs = CREATE
        for n in range(TURNS * bench.rounds):
            both = [turn(bench, lender) for lender in ((hanging, without) if n % 2 else (without, hanging))]
            ours, theirs = both if n % 2 else both[::-1]
            rates.append(ours[0] / theirs[0])
            for found, one in zip(times, (ours, theirs)):
                found.extend(one[1])
    rate, ours, theirs = map(statistics.median, (rates, *times))
    bench.row(f"pushes over 16 connections beside {HANGING} calls of a hung Vault, against without a Vault",
              f"{rate:.2f} × the rate", f"≥ {1 - SLOWER:.2f} ×", rate >= 1 - SLOWER)
    bench.row("/status until the answer's request at Telegram, the same",
              f"{ours / theirs:.2f} × the time ({ours:.1f} ms; {theirs:.1f})", f"≤ {1 + SLOWER:.2f} ×",
              ours <= theirs * (1 + SLOWER))


def measure_secrets(bench):
    bench.flush_ms()
    measure_lent(bench)
    measure_memory(bench)
    measure_hang(bench)
