"""Pipelines in the chat: a job that reports a push, CI that is waited for, fails and is green again, a job at a gate
that two people open, and an outage in which nothing is lost.  Played without a person; GitHub's API and its issuer of
tokens are stand-ins.  Pushes are reported by jobs alone: the webhook brings runs, and nobody polls."""
# SPDX-License-Identifier: ISC
import http.client
import json
import sys

from rolled_back import NAMES
from stage import GITHUB_SECRET, Stage, wait_until
from story import STEP_TIMEOUT_S, Story
from github import HOOK_ID, GitHub, workflow_run
from github_api import Api
from github_tokens import AUDIENCE, Issuer
import sample_app
from telegram_client import ADA, BEA, GROUP, buttons_of, text_of

SHOP = "octo/shop"
TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
FAILED = {"id": 555, "name": "test", "conclusion": "failure",
          "steps": [{"name": "Unit tests", "conclusion": "failure"}]}
LINE = {"path": "src/cart.c", "start_line": 12, "annotation_level": "failure", "message": "expected 3, got 4"}


class Listed:
    """The webhook as GitHub lists it, by the address that the internet knows."""

    url = f"{AUDIENCE}/github/webhook"

    def __init__(self, hook):
        self.hook = hook

    def __getattr__(self, name):
        return getattr(self.hook, name)


class Pipelines(Story):
    def __init__(self, stage, api, issuer, settings):
        super().__init__(stage)
        self.api, self.issuer, self.settings, self.number = api, issuer, settings, 0
        self.hook = GitHub(f"http://127.0.0.1:{stage.http_port}/github/webhook", GITHUB_SECRET, SHOP)
        api.hooks[HOOK_ID] = Listed(self.hook)

    def chapter(self, title, *names):
        """A line that names what has it happen, as the settings have it."""
        said = (f"{name}={self.settings[name] if 'TOKEN' not in name else '…'}" for name in names)
        self.tell(f"--- {title}: " + "; ".join(said))

    def request(self, path, body, headers, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.stage.http_port, timeout=STEP_TIMEOUT_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def ci(self, commit, conclusion=None, again=False, branch="develop"):
        """What GitHub delivers of the run of ci.yml on that commit: it is in progress, or has ended."""
        self.number += 0 if again else 1
        title = sample_app.git(self.stage.work, "log", "-1", "--format=%s", commit).strip()
        run = workflow_run(SHOP, "ci.yml", commit, number=self.number, conclusion=conclusion, head_branch=branch,
                           display_title=title)
        self.api.runs[:] = [one for one in self.api.runs if one["id"] != run["id"]] + [run]
        action = "completed" if conclusion else "in_progress"
        sent = self.hook.deliver("workflow_run", {"action": action, "workflow_run": run,
                                                  "repository": run["repository"]})
        if sent["status"] not in (200, None):
            raise RuntimeError(f"the run of CI: {sent}")

    def job(self, path, body=None, **claims):
        token = self.issuer.token(repository=SHOP, **claims)
        status, said = self.request(path, None if body is None else json.dumps(body),
                                    {"Authorization": f"Bearer {token}"}, "GET" if body is None else "POST")
        if status not in (200, 202):
            raise RuntimeError(f"{path}: {status} {said}")
        return said

    def report(self, commit):
        """What a job does whose image is there: ci-cd.yml's `tell`."""
        said = self.job("/v1/push", {}, ref="refs/heads/develop", sha=commit, file="publish.yml")["said"]
        self.tell(f"a job of publish.yml reports it; deploybot answers: {said}")

    def press(self, who, view, button):
        label = next(label for label in buttons_of(self.chat.message(view)) if button in label)
        self.tell(f"{NAMES[who]} presses {label}")
        self.chat.press(who, self.chat.message(view), label)


def a_job_reports(story):
    story.chapter("a job reports a push by the token that GitHub gives it", "ENABLE_API_SERVER", "PUBLIC_URL",
                  "WORKFLOW_STAGING_IS", "WORKFLOW_STAGING_MAY", "POLL_REPOSITORY_SECONDS")
    commit = sample_app.git(story.stage.work, "rev-parse", "develop").strip()
    story.ci(commit, "success")
    mark = story.chat.mark()
    story.report(commit)
    story.hear("Live: staging", commit[:7], "pushed by mona (GitHub)", after=mark, chat=GROUP)
    story.must(story.runs("staging") == commit, "it came by no webhook, and without a secret")


def ci_first(story):
    story.chapter("a deployment waits for its tests", "STAGING_REQUIRE_CI")
    change = story.stage.push("develop", "good")
    commit = change["after"]
    story.ci(commit)
    story.tell(f"a colleague pushes \"{change['subject']}\" to develop")
    story.tell("Ada writes /deploy staging, whose CI still runs")
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/deploy staging")
    story.hear("Waits for CI: staging", "CI: ci.yml running", after=mark)
    story.ci(commit, "success", again=True)
    story.hear("Live: staging", commit[:7], after=mark)


def a_red_friday(story):
    story.chapter("CI fails", "STAGING_REQUIRE_CI", "TELEGRAM_CHAT_ID", "GITHUB_API_TOKEN")
    before = story.runs("staging")
    change = story.stage.push("develop", "good")
    commit = change["after"]
    story.tell(f"a colleague pushes \"{change['subject']}\" to develop, whose tests fail")
    mark = story.chat.mark()
    story.ci(commit)
    story.report(commit)
    story.hear("Waits for CI: staging", commit[:7], after=mark, chat=GROUP)
    story.api.jobs[9_000_000 + story.number] = [FAILED]
    story.api.annotations[555] = [LINE]
    story.ci(commit, "failure", again=True)
    story.hear("CI failed: shop develop, ci.yml", change["subject"], "test › Unit tests",
               "src/cart.c:12: expected 3, got 4", after=mark, chat=GROUP)
    story.hear("CI not passed: staging", commit[:7], after=mark, chat=GROUP)
    story.must(story.runs("staging") == before, "what has not passed was not deployed")


def green_again(story):
    story.chapter("and is green again", "STAGING_REQUIRE_CI", "TELEGRAM_CHAT_ID")
    change = story.stage.push("develop", "good")
    commit = change["after"]
    story.tell(f"\"{change['subject']}\" repairs it")
    mark = story.chat.mark()
    story.ci(commit)
    story.report(commit)
    story.hear("Waits for CI: staging", commit[:7], after=mark, chat=GROUP)
    story.ci(commit, "success", again=True)
    story.hear("CI green again: shop develop, ci.yml", change["subject"], after=mark, chat=GROUP)
    story.hear("Live: staging", commit[:7], after=mark, chat=GROUP)
    story.must(story.runs("staging") == commit, "the push went live when its CI had passed")


def a_gate_for_two(story):
    story.chapter("a gate for two", "WORKFLOW_PRODUCTION_IS", "WORKFLOW_PRODUCTION_MAY", "PRODUCTION_APPROVALS",
                  "PRODUCTION_CONFIRM")
    commit = story.stage.push("main", "good")["after"]
    claims = {"ref": "refs/heads/main", "sha": commit, "run_id": "4711", "check_run_id": "94711"}
    story.tell("a job of deploy.yml comes to the gate of production")
    mark = story.chat.mark()
    work = story.job("/v1/gate", {"environment": "production"}, **claims)["id"]
    asked = story.hear("Awaiting approval: production", "run 4711", after=mark, buttons=("Approve",), chat=GROUP)
    story.press(ADA, asked, "Approve")
    story.must(story.job(f"/v1/work/{work}", **claims)["state"] == "awaiting_approval", "one yes is not enough")
    story.press(BEA, asked, "Approve")
    story.hear("Gate open: production", after=mark, chat=GROUP)
    wait_until(lambda: story.job(f"/v1/work/{work}", **claims)["state"] == "running", STEP_TIMEOUT_S, "an open gate")
    story.tell("      ✓ the job goes on")
    story.job(f"/v1/gate-end/{work}", {"conclusion": "success"}, **claims)
    story.hear("Gate done: production", after=mark, chat=GROUP)
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/status production")
    view = story.hear(f"gate: {commit[:7]}, run 4711, ended well", after=mark)
    story.must("awaits" not in text_of(view), "nobody is asked to deploy what the job has shipped")


def an_outage(story):
    story.chapter("an outage, in which nothing is lost", "GITHUB_API_TOKEN", "POLL_REPOSITORY_SECONDS")
    story.tell("deploybot is stopped; a colleague pushes meanwhile, and CI passes: for GitHub five minutes ago")
    story.stage.bot.stop()
    missed = len(story.hook.deliveries)
    commit = story.stage.push("develop", "good")["after"]
    story.ci(commit)
    story.ci(commit, "success", again=True)
    for entry in story.hook.deliveries[missed:]:
        entry["at"] -= 5 * 60
    missed = {entry["guid"] for entry in story.hook.deliveries[missed:]}
    mark = story.chat.mark()
    try:
        story.report(commit)
    except ConnectionRefusedError:
        story.tell("its job is not answered, and tries again for five minutes")
    story.stage.bot.start()
    story.report(commit)
    story.hear("Live: staging", commit[:7], after=mark, chat=GROUP)

    def came():
        return {entry["guid"] for entry in story.hook.deliveries if entry["status"] == 200} & missed
    wait_until(lambda: came() == missed, STEP_TIMEOUT_S, "what GitHub could not deliver")
    story.tell(f"      ✓ GitHub was asked again for the {len(missed)} deliveries that failed")


def list_runs(story):
    story.chapter("the last runs", "STAGING_REQUIRE_CI")
    mark = story.chat.mark()
    story.tell("Ada writes /pipelines")
    story.chat.say(ADA, ADA, "/pipelines")
    story.hear("ci.yml develop", "success", "failure", after=mark)


CHAPTERS = (a_job_reports, ci_first, a_red_friday, green_again, a_gate_for_two, an_outage, list_runs)


def play(folder):
    """0: all of it happened."""
    api = Api(people={TOKEN: {"repositories": [SHOP], "permissions": {
        "metadata": "read", "actions": "read", "checks": "read", "repository_hooks": "write", "deployments": "write"}}})
    issuer = Issuer()
    settings = {
        "ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "TELEGRAM_CHAT_ID": str(GROUP), "GITHUB_REPOSITORY": SHOP,
        "GITHUB_API_URL": api.url, "GITHUB_API_TOKEN": TOKEN, "STAGING_REQUIRE_CI": "ci.yml",
        "ENABLE_API_SERVER": "true", "PUBLIC_URL": AUDIENCE, "GITHUB_TOKEN_ISSUER": issuer.url,
        "PRODUCTION_APPROVALS": "2", "PRODUCTION_CONFIRM": "false", "POLL_REPOSITORY_SECONDS": "0",
        "WORKFLOW_STAGING_IS": "github 456789 publish.yml@refs/heads/develop",
        "WORKFLOW_STAGING_MAY": "deploy:staging",
        "WORKFLOW_PRODUCTION_IS": "github 456789 deploy.yml@refs/heads/main",
        "WORKFLOW_PRODUCTION_MAY": "gate:production"}
    try:
        with Stage(folder, telegram=("--local",), settings=settings) as stage:
            story = Pipelines(stage, api, issuer, settings)
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
        api.stop()
