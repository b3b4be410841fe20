"""Goal: news of a repository reach the applications that they concern, by the webhook that may say them, and no other:
three applications in two repositories, one with a secret of its own, two that share a repository by PATHS."""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import hmac
import itertools
import json
import re
import sqlite3
import subprocess
import urllib.error
import urllib.request

import pytest

from stage import GITHUB_SECRET, Deploybot, free_port, wait_until
from telegram_client import ADA, CARL, DEFAULT_TOKEN, DIRECT, Telegram, text_of

SHOP_SECRET = "a secret of the shop, 0123456789"
SHOP_CHAT = CARL
SCRIPT = """#!/bin/bash
echo "==> release"
"""


class Repository:
    def __init__(self, path):
        self.path = path
        subprocess.run(["git", "init", "-q", "-b", "develop", str(path)], check=True)

    def git(self, *words):
        return subprocess.run(
            ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *words], cwd=self.path,
            capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, *files):
        for name in files:
            file = self.path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(str(next(self.numbers)), encoding="ascii")
        self.git("add", ".")
        self.git("commit", "-q", "-m", f"Change {' '.join(files)}")
        return self.git("rev-parse", "HEAD")

    numbers = itertools.count()


class Routing:
    """A server, its chat, its applications' files and both repositories."""

    def __init__(self, folder, poll="0"):
        self.folder = folder
        self.said = ""
        self.numbers = itertools.count(1)
        self.mono, self.shop = Repository(folder / "mono"), Repository(folder / "shop")
        self.mono.commit("blog/a", "docs/a")
        self.shop.commit("a")
        script = folder / "deploy.sh"
        script.write_text(SCRIPT, encoding="ascii")
        script.chmod(0o755)
        (folder / "apps").mkdir()
        own = {"DEPLOY_SCRIPT": script, "ENVIRONMENTS": "staging", "GITHUB_BRANCH_STAGING": "develop",
               "STAGING_PORT": None, "POLL_REPOSITORY_SECONDS": poll}
        mono = {"GITHUB_REPOSITORY": "acme/mono", "REPOSITORY_URL": self.mono.path}
        self.write("blog", own | mono | {"PATHS": "blog/**"})
        self.write("docs", own | mono | {"PATHS": "docs/**,!docs/*.txt"})
        self.write("shop", own | {"REPOSITORY_URL": self.shop.path, "GITHUB_REPOSITORY": "acme/shop",
                                  "GITHUB_WEBHOOK_SECRET": SHOP_SECRET, "TELEGRAM_CHAT_ID": SHOP_CHAT})
        self.chat = Telegram.start("--local", "--limits", "off")
        self.bot = Deploybot(folder, {
            "TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN, "TELEGRAM_API_BASE": self.chat.base, "ADMIN_TELEGRAM_IDS": str(ADA),
            "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "APPS_DIRECTORY": str(folder / "apps"),
            "DEPLOY_TRANSPORT": "local", "STATE_DIRECTORY": str(folder / "state"),
            "AUDIT_LOG_PATH": str(folder / "audit.log"), "API_SERVER_PORT": str(free_port())})
        self.bot.start()
        self.chat.say(CARL, CARL, "/start")     # else a bot may not write to him

    def write(self, name, settings):
        if settings["STAGING_PORT"] is None:
            settings = settings | {"STAGING_PORT": free_port()}
        file = self.folder / "apps" / f"{name}.env"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="ascii")
        file.chmod(0o600)

    def deliver(self, commit, repository, hook="", secret=GITHUB_SECRET, branch="develop", number=None):
        body = json.dumps({
            "ref": f"refs/heads/{branch}", "before": "0" * 40, "after": commit, "created": False, "deleted": False,
            "forced": False, "repository": {"id": 1, "full_name": repository},
            "sender": {"id": 7, "login": "octo"}}).encode()
        request = urllib.request.Request(
            f"{self.bot.base}/github/webhook{hook}", body, method="POST", headers={
                "Content-Type": "application/json", "X-GitHub-Event": "push",
                "X-GitHub-Delivery": f"d-{number or next(self.numbers)}",
                "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()})
        try:
            with DIRECT.open(request, timeout=20) as answer:
                self.said = answer.read().decode()
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(
                f"file:{self.folder}/state/deploybot.db?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()

    def work(self):
        """Of each environment, all commits that it was ever deployed, oldest first."""
        found = {}
        for environment, commit in self.rows("SELECT environment, commit_id FROM work ORDER BY id"):
            found.setdefault(environment, []).append(commit)
        return found

    def is_idle(self):
        return self.rows("SELECT (SELECT count(*) FROM work WHERE state NOT IN ('LIVE', 'FAILED', 'SUPERSEDED'))"
                         " + (SELECT count(*) FROM effect WHERE kind IN ('ask', 'run'))") == [(0,)]

    def wait_live(self, **commits):
        def is_there():
            live = dict(self.rows("SELECT e.name, r.commit_id FROM environment e"
                                  " JOIN release r ON r.id = e.current_release"))
            return all(live.get(f"{name}/staging") == commit for name, commit in commits.items()) and self.is_idle()
        wait_until(is_there, 40, f"{commits} in {self.bot.log()[-2000:]}")

    def stop(self):
        self.bot.stop()
        self.chat.stop()


@pytest.fixture(scope="module")
def routing(tmp_path_factory):
    made = Routing(tmp_path_factory.mktemp("routing"))
    yield made
    made.stop()


def test_a_push_reaches_each_application_of_its_repository(routing):
    commit = routing.mono.commit("blog/a", "docs/a")
    assert routing.deliver(commit, "ACME/Mono") == 200
    routing.wait_live(blog=commit, docs=commit)
    assert sorted(routing.work()) == ["blog/staging", "docs/staging"]
    assert routing.rows("SELECT body FROM effect WHERE body LIKE '%shop/staging%'") == []   # nor is git asked for it


def test_of_a_shared_repository_the_one_whose_paths_changed_is_deployed(routing):
    before = routing.mono.git("rev-parse", "HEAD")
    commit = routing.mono.commit("blog/b")
    since = routing.chat.mark()
    assert routing.deliver(commit, "acme/mono") == 200
    routing.wait_live(blog=commit, docs=before)
    assert routing.work()["docs/staging"] == [before]
    routing.chat.wait_for_message(lambda view: commit[:7] in text_of(view), 20, after=since)
    heard = [text_of(view) for view in routing.chat.messages(ADA) if commit[:7] in text_of(view)]
    assert all("blog/staging" in text for text in heard)
    since = routing.chat.mark()
    routing.chat.say(ADA, ADA, "/status docs/staging")
    routing.chat.wait_for_message(lambda view: "1 newer commit in develop, none in PATHS" in text_of(view), 20,
                                  after=since)
    commit = routing.mono.commit("docs/a.txt")
    assert routing.deliver(commit, "acme/mono") == 200
    wait_until(lambda: routing.rows("SELECT skipped_count FROM environment ORDER BY name") == [(1,), (2,)], 20)
    commit = routing.mono.commit("docs/b")
    assert routing.deliver(commit, "acme/mono") == 200
    routing.wait_live(docs=commit)
    assert routing.work()["docs/staging"] == [before, commit]


def test_an_application_with_a_secret_of_its_own_is_reached_by_its_own_webhook_alone(routing):
    commit = routing.shop.commit("a")
    assert routing.deliver(commit, "acme/shop") == 202                                  # the secret of the others
    assert routing.deliver(commit, "acme/shop", "/shop") == 401
    assert routing.deliver(commit, "acme/shop", "", SHOP_SECRET) == 401
    assert routing.deliver(commit, "acme/shop", "/blog", GITHUB_SECRET) == 404          # it has none of its own
    assert "shop/staging" not in routing.work()
    since = routing.chat.mark()
    assert routing.deliver(commit, "acme/shop", "/shop", SHOP_SECRET, number="own") == 200
    routing.wait_live(shop=commit)
    routing.chat.wait_for_message(
        lambda view: "shop/staging" in text_of(view), 20, chat_id=SHOP_CHAT, after=since)
    assert routing.rows("SELECT source FROM inbox WHERE id = 'd-own'") == [("github/shop",)]


def test_a_webhook_speaks_for_its_own_application_s_repository_alone(routing):
    before = routing.work()
    commit = routing.mono.commit("blog/c", "docs/c")
    assert routing.deliver(commit, "acme/mono", "/shop", SHOP_SECRET) == 202
    assert routing.deliver(commit, "acme/other") == 202
    assert "ignored: no application has this repository here" in routing.said
    assert len(re.findall(r"a push of acme/\w+ came by /github/webhook\S*, and no", routing.bot.log())) == 1
    assert routing.work() == before and routing.is_idle()


def test_metrics_name_the_application(routing):
    text = routing.bot.metrics()
    assert 'deploybot_environment_busy{application="shop",environment="shop/staging"} 0' in text
    assert 'deploybot_webhook_requests_total{application="shop",source="github",code="200"} 1' in text
    assert 'deploybot_webhook_requests_total{application="shop",source="github",code="401"} 1' in text
    assert 'deploybot_deployments_total{application="blog",environment="blog/staging",trigger="push",' in text
    assert 'application="blog",source="github"' not in text


@pytest.mark.long
def test_polls_find_what_each_application_is_made_of(tmp_path):
    made = Routing(tmp_path, poll="1")
    try:
        wait_until(lambda: len(made.rows("SELECT name FROM environment WHERE polled_commit <> ''")) == 3, 30)
        first, shop = made.mono.commit("blog/a", "docs/a"), made.shop.commit("a")
        made.wait_live(blog=first, docs=first, shop=shop)
        second = made.mono.commit("docs/b")
        made.wait_live(docs=second, blog=first)
        assert made.work()["blog/staging"] == [first]
        assert "deploybot_poll_interval_seconds 1" in made.bot.metrics()
        assert len(list((tmp_path / "state" / "git").glob("*.git"))) == 2
    finally:
        made.stop()
