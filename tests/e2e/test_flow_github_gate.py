"""Goal: a job that waits at an environment of GitHub's goes on when those who have to say yes here have, GitHub knows
who, and every other end is answered too: a no, an expiry, a cancel, across an outage and a kill."""
# SPDX-License-Identifier: ISC
import http.client
import itertools
import json
import threading
import uuid

import pytest

from flow_aid import Scene, ended_well
from github import protection_rule, push_payload, sign, workflow_job, workflow_run
from github_api import APP_ID, Api
from stage import GITHUB_SECRET, wait_until
from telegram_client import GROUP

SHOP, NUMBER = "octo/shop", 812_345_678
APP_SECRET = "app-" + "5tR8wZ2q" * 5
RUNS = itertools.count(4711)
DEPLOYMENTS = itertools.count(900_001)
RULE = "/deployment_protection_rule"


@pytest.fixture(name="api", scope="module")
def _api():
    api = Api(installations={"octo": {"id": 7, "repositories": [SHOP], "permissions": {
        "metadata": "read", "deployments": "write", "actions": "write"}}})
    yield api
    api.stop()


@pytest.fixture(scope="module")
def scene(tmp_path_factory, api):
    key = tmp_path_factory.mktemp("app") / "key.pem"
    key.write_text(api.pem, encoding="ascii")
    key.chmod(0o600)
    made = Scene(tmp_path_factory.mktemp("rules"), settings={
        "TELEGRAM_CHAT_ID": str(GROUP), "GITHUB_REPOSITORY": SHOP, "GITHUB_API_URL": api.url,
        "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_KEY_FILE": str(key),
        "GITHUB_APP_WEBHOOK_SECRET": APP_SECRET, "PRODUCTION_APPROVALS": "2", "PRODUCTION_CONFIRM": "false",
        "PRODUCTION_GITHUB_ENVIRONMENT": "Live shop"})
    made.api = api
    yield made
    ended_well(made)


def deliver(scene, event, payload, path="/github/app", secret=APP_SECRET, guid=None):
    body = json.dumps(payload).encode()
    connection = http.client.HTTPConnection("127.0.0.1", scene.http_port, timeout=60)
    connection.request("POST", path, body, {
        "Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": guid or str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(secret, body)})
    return connection.getresponse().status


class Run:
    """A job of it waits at the environment that is production here."""

    def __init__(self, scene, sha=None, run=None, environment="Live shop", **changed):
        self.scene, self.environment = scene, environment
        self.run, self.deployment = run or next(RUNS), next(DEPLOYMENTS)
        self.sha = sha or scene.head("main")
        self.changed = changed

    def payload(self):
        return protection_rule(SHOP, self.sha, self.run, self.deployment, self.environment, **self.changed)

    def waits(self):
        self.scene.api.waits.add((str(self.run), self.environment))
        self.scene.api.jobs_wait[self.deployment] = (str(self.run), self.environment)

    def asks(self, **options):
        self.waits()
        return deliver(self.scene, "deployment_protection_rule", self.payload(), **options)

    def message(self, *words, **options):
        return self.scene.person(0).hear(*words, f"run {self.run}", chat=GROUP, after=0, **options)

    def approve(self, *people, attempt=""):
        asked = self.message("gate", self.sha[:7], attempt, buttons=("Approve", "Reject"))
        for who in people:
            assert who.press(asked, "Approve").startswith("Approved: production ")
        return asked

    def row(self, column):
        return self.scene.bot_rows(f"SELECT {column} FROM work JOIN work_job j ON j.work = work.id WHERE j.run = "
                                   f"'{self.run}' ORDER BY id DESC")[0][0]

    def is_unanswered(self, why):
        wait_until(lambda: self.row("note").startswith(f"GitHub is not answered yet: {why}"), 60, why)
        assert not self.answers()

    def is_over(self, state):
        wait_until(lambda: self.row("state") == state, 60, f"the end of {self.run}")

    def shows(self, comment):
        """On its page, before anything is decided."""
        wait_until(lambda: self.scene.api.reports.get((str(self.run), self.environment)), 60, "a report")
        (said,) = self.scene.api.reports[str(self.run), self.environment]
        assert said.startswith(comment), said

    def answers(self):
        return [answer[2:] for answer in self.scene.api.answers if answer[0] == str(self.run)]

    def is_answered(self, state, *words):
        wait_until(self.answers, 60, f"an answer of {self.run}")
        assert len(self.answers()) == 1 and self.answers()[0][0] == state, self.answers()
        assert all(word in self.answers()[0][1] for word in words), self.answers()

    def job_ends(self, conclusion="success", **options):
        return deliver(self.scene, "workflow_job", workflow_job(SHOP, self.run, self.deployment, conclusion),
                       **options)


def test_a_job_at_github_goes_on_when_two_have_approved(scene):
    scene.commit("main")
    run = Run(scene)
    assert run.asks() == 200
    assert run.asks() == 200, "the same event once more, under another id"
    run.approve(scene.admin())
    run.shows("waits: its message in the chat says for what (#")
    assert not run.answers()
    run.approve(scene.admin())
    run.is_answered("approved", "approved by", "admin_1, admin_2")
    who = scene.admin()
    who.say("/status production")
    who.hear("gate open for", run.sha[:7])
    assert run.job_ends("failure") == 200
    run.message("Gate ended badly: production", "its job ended: failure")
    assert len(run.answers()) == 1


def test_a_no_is_answered_with_who_said_it(scene):
    run = Run(scene)
    run.asks()
    asked, who = run.approve(), scene.admin()
    who.press(asked, "Reject")
    who.press(who.hear("press a reason", chat=GROUP, buttons=("Not tonight",)), "Not tonight")
    run.is_answered("rejected", "rejected", "admin_", "Not tonight")


def test_what_somebody_cancels_is_answered(scene):
    run, who = Run(scene), scene.admin()
    run.asks()
    run.approve()
    who.say("/cancel production")
    run.is_answered("rejected", "cancelled")


def test_a_commit_of_another_branch_is_refused_and_github_reads_where_it_says_why(scene):
    scene.commit("develop")
    run = Run(scene, sha=scene.head("develop"))
    run.asks()
    run.is_answered("rejected", "refused: /show ")


def test_a_run_that_asks_again_is_asked_about_anew_and_answered_once(scene):
    run, who = Run(scene), scene.admin()
    run.asks()
    run.approve(who)
    again = Run(scene, run=run.run)
    again.asks()
    scene.person(0).hear("Skipped: production, its run asks anew", chat=GROUP, after=0)
    again.approve(who, scene.admin(), attempt="attempt 2")
    again.is_answered("approved", "approved by")
    assert deliver(scene, "workflow_run", {
        "action": "completed", "repository": workflow_run(SHOP, "x.yml", run.sha)["repository"],
        "workflow_run": workflow_run(SHOP, "x.yml", run.sha, conclusion="success", id=run.run, run_attempt=2,
                                     event="schedule", head_branch="main")}) == 200
    again.message("Gate done: production")


def test_github_is_away_and_its_answer_comes_when_it_is_back(scene, api):
    run = Run(scene)
    run.asks()
    run.shows("waits")
    api.troubles.append((RULE, 502))
    run.approve(scene.admin(), scene.admin())
    run.is_unanswered("HTTP 502")
    scene.bot.stop()
    scene.start_bot()
    run.is_answered("approved", "approved by")
    wait_until(lambda: run.row("note") == "", 60, "the note to go")
    assert run.job_ends() == 200
    run.is_over("DONE")


@pytest.mark.parametrize("lost", ["before", "behind"])
def test_a_kill_around_the_answer_leaves_github_answered_once(scene, api, lost):
    """Killed when it was not sent, and when nobody has read what came of it."""
    run, gone = Run(scene), threading.Event()
    run.asks()
    wait_until(lambda: api.reports.get((str(run.run), run.environment)), 60, "a report, which goes the same way")
    people = scene.admin(), scene.admin()
    if lost == "before":
        api.troubles += [(RULE, 502)] * 99
    else:
        api.after[RULE] = lambda: (scene.bot.kill(), gone.set())
    asked = run.approve(people[0])
    people[1].press(asked, "Approve", wait=0)      # what it is answered may be lost
    if lost == "before":
        run.is_unanswered("")
        scene.bot.kill()
        api.troubles.clear()
    else:
        assert gone.wait(60)
    scene.start_bot()
    run.is_answered("approved", "approved by")
    wait_until(lambda: run.row("is_answered") == 1, 60, "deploybot to know it")
    assert run.job_ends("cancelled") == 200
    run.is_over("FAILED")
    assert len(run.answers()) == 1


def test_a_rule_of_others_gets_nothing(scene, api):
    """Of a repository that took over the name, signed by another secret or come another way, of no environment here;
    the callback's address is never called."""
    before = len(api.calls), scene.bot_rows("SELECT COUNT(*) FROM work")
    assert Run(scene, repository_id=9).asks() == 202
    assert Run(scene, environment="preview").asks() == 202
    assert Run(scene).asks(secret=GITHUB_SECRET) == 401
    assert Run(scene).asks(path="/github/webhook", secret=GITHUB_SECRET) == 202
    assert deliver(scene, "deployment_protection_rule", {"action": "requested"}) == 400
    assert Run(scene, event=7).asks() == 400
    assert (len(api.calls), scene.bot_rows("SELECT COUNT(*) FROM work")) == before
    assert "is repository 9 at GitHub now, and was 812345678" in scene.bot.log()
    assert "no environment is preview of octo/shop at GitHub" in scene.bot.log()


def test_a_callback_elsewhere_is_not_called(scene):
    run = Run(scene, event="push", host="http://169.254.169.254")
    assert run.asks() == 200
    assert deliver(scene, "workflow_job", workflow_job(SHOP, run.run, run.deployment, "cancelled")) == 200
    run.is_over("CANCELLED")
    assert not run.answers()


def test_a_push_by_the_app_and_by_the_webhook_is_one(scene):
    commit = scene.commit("develop")
    payload, guid = push_payload(SHOP, "refs/heads/develop", "0" * 40, commit["after"]), str(uuid.uuid4())
    assert deliver(scene, "push", payload, guid=guid) == 200
    assert deliver(scene, "push", {**payload, "installation": None}, "/github/webhook", GITHUB_SECRET, guid) == 200
    assert scene.bot_rows(f"SELECT source FROM inbox WHERE id = '{guid}'") == [("github",)]
    wait_until(lambda: scene.bot_rows("SELECT COUNT(*) FROM work WHERE environment = 'staging'")[0][0] == 1, 60, "it")


def test_what_is_too_large_is_not_read_and_the_log_says_so_once(scene):
    for _ in range(2):
        assert deliver(scene, "workflow_job", {**workflow_job(SHOP, 1), "pad": "x" * (1 << 20)}) == 202
    assert scene.bot.log().count("larger than 1 MB") == 1


def test_stop_cancels_the_run_whose_gate_is_open(scene, api):
    run, who = Run(scene), scene.admin()
    at_github = workflow_run(SHOP, "ship.yml", run.sha, id=run.run)
    api.runs.append(at_github)
    run.asks()
    run.approve(who, scene.admin())
    run.is_answered("approved")
    who.say("/cancel production")
    wait_until(lambda: at_github["conclusion"] == "cancelled", 60, "its run to be cancelled")
    assert run.row("state") == "STOPPING", "its job is not over yet"
    who.say("/status production")
    who.hear("⏳ stopping", run.sha[:7])
    assert run.job_ends("cancelled") == 200
    run.message("Gate closed: production", ", by @admin_")


def test_stop_of_a_job_that_is_over_leaves_the_next_attempt_of_its_run_alone(scene, api):
    """At staging, where nobody has to approve it."""
    run = Run(scene, sha=scene.head("develop"), environment="staging")
    at_github = workflow_run(SHOP, "ship.yml", run.sha, id=run.run)
    api.runs.append(at_github)
    scene.wait_free()
    assert run.asks() == 200
    run.is_answered("approved")
    api.jobs_over[run.deployment] = ["failure"]     # of which no event came
    scene.admin().say("/cancel staging")
    run.message("Run may go on: staging", "its job is over already")
    assert at_github["conclusion"] is None
    assert not [path for method, path, _ in api.calls if method == "POST" and path.endswith(f"/{run.run}/cancel")]


def test_a_run_that_cannot_be_cancelled_goes_on_and_its_message_says_so(scene, api):
    run, who = Run(scene), scene.admin()
    api.runs.append(workflow_run(SHOP, "ship.yml", run.sha, id=run.run))
    run.asks()
    run.approve(who, scene.admin())
    run.is_answered("approved")
    api.troubles.append(("/cancel", 403))
    who.say("/cancel production")
    run.message("Run may go on: production", "its run was not cancelled: HTTP 403")


def test_a_yes_that_has_come_there_lets_no_other_job_of_its_run_go_on(scene, api, monkeypatch):
    """Its answer is lost, and the next job of the run waits from then on: the yes may be given again at once."""
    run = Run(scene)
    run.asks()
    other = Run(scene, run=run.run)
    run.shows("waits")
    take = api.take_answer

    def take_and_wait(names, body):
        said = take(names, body)
        other.waits()   # its event is late
        return said

    monkeypatch.setattr(api, "take_answer", take_and_wait)
    api.troubles.append((RULE, "away"))
    run.approve(scene.admin(), scene.admin())
    wait_until(lambda: run.row("is_answered") == 1, 60, "a look at the job")
    assert [state for state, _ in run.answers()] == ["approved"]
    look = ("GET", f"/repos/{SHOP}/deployments/{run.deployment}/statuses?per_page=1", 200)
    wait_until(lambda: look in api.calls, 60, "a look at where the job is")
