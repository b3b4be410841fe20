"""Goal: nothing starts that OPA refuses: no on Fridays, a wait while it is down, and a rollback by hand or an emergency
that goes on without it."""
# SPDX-License-Identifier: ISC
import json
import re

import pytest

from flow_aid import Scene, ended_well
from opa import TOKEN, UNDEFINED, Opa
from stage import ROOT, wait_until
from telegram_client import text_of

SAYS_NO = {"allow": False, "reason": "no deployments on Fridays"}


@pytest.fixture(name="opa")
def _opa(scene):
    scene.opa.decide = lambda asked: True
    scene.opa.is_away = False
    scene.opa.troubles.clear()
    scene.opa.inputs.clear()
    yield scene.opa


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    peer = Opa(token=TOKEN)
    made = Scene(tmp_path_factory.mktemp("opa"), settings={
        "OPA_URL": peer.url, "OPA_TOKEN": TOKEN, "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None})
    made.opa = peer
    yield made
    ended_well(made)
    peer.close()


def ask(scene, environment="production", branch="main"):
    """A question about a new commit: who asked, it, and the commit."""
    commit, who = scene.commit(branch)["after"], scene.admin()
    who.say(f"/deploy {environment}")
    return who, who.hear(f"Deploy to {environment}?", commit[:7], buttons=("Deploy to",)), commit


def test_yes_starts_and_is_asked_at_the_request_and_before_the_start(scene, opa):
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])
    request, start = opa.of_stage("request")[-1], opa.of_stage("start")[-1]
    for asked in (request, start):
        assert asked["commit"] == commit and asked["action"] == "deploy" and asked["target"] == "staging"
        assert asked["principal"]["kind"] == "telegram" and asked["principal"]["id"] == str(who.number)
        assert (asked["grant"], asked["source"], asked["version"]) == ("*:*/*", "git", 1)
        assert asked["in_branch"] and not asked["emergency"] and not asked["freeze"] and asked["approvals"] == []
    began = scene.audit(action="deploy_started", commit=commit)[-1]
    assert len(began["decision_id"]) == 36


def test_no_at_the_request_refuses_before_anybody_is_asked(scene, opa):
    opa.decide = lambda asked: SAYS_NO
    commit, who = scene.commit("main")["after"], scene.admin()
    who.say("/deploy production")
    who.hear(commit[:7], "OPA: no deployments on Fridays")
    assert opa.of_stage("start") == [] and scene.runs("production") != commit
    assert not [view for view in who.messages() if "Deploy to production?" in text_of(view)]


def test_no_before_the_start_refuses(scene, opa):
    opa.decide = lambda asked: SAYS_NO if asked["stage"] == "start" else True
    who, asked, commit = ask(scene)
    who.press(asked, "Deploy to")
    who.hear(commit[:7], "OPA: no deployments on Fridays")
    assert scene.runs("production") != commit
    ended = scene.audit(action="deploy_not_done", commit=commit)[-1]
    assert len(ended["decision_id"]) == 36 and ended["detail"] == "OPA: no deployments on Fridays"


@pytest.mark.parametrize("said", [UNDEFINED, "true", 1, {}, [], None, {"allow": "true"}, {"allow": 1}],
                         ids=lambda said: "undefined" if said is UNDEFINED else repr(said))
def test_anything_but_true_is_no(scene, opa, said):
    opa.decide = lambda asked: said
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear(commit[:7], "OPA: no decision at that path" if said is UNDEFINED else "OPA: its ")
    assert opa.of_stage("start") == []


def test_down_it_waits_and_says_so_and_comes_back(scene, opa):
    scene.opa.troubles = ["500"]
    who, asked, commit = ask(scene)
    assert "OPA has not answered" in text_of(asked)
    opa.is_away = True
    who.press(asked, "Deploy to")
    who.hear(commit[:7], "waits for OPA since ")
    assert scene.bot_rows("SELECT waits_for FROM work WHERE state = 'QUEUED'") == [("opa",)]
    who.say("/queue production")
    who.hear("waits for OPA since ")
    scene.bot.stop()
    opa.is_away = False
    scene.start_bot()
    who.hear("Live: production", commit[:7], after=0)
    assert scene.metric("deploybot_opa_answers_total", answer="yes") > 0
    assert scene.metric("deploybot_opa_answers_total", answer="undefined") == 0


def test_a_rollback_by_hand_and_an_emergency_go_on_without_it(scene, opa):
    who, asked, commit = ask(scene)
    who.press(asked, "Deploy to")
    who.hear("Live: production", commit[:7])
    opa.is_away = True
    who.say("/rollback production")
    who.press(who.hear("Roll back production?", buttons=("Roll back",)), "Roll back")
    who.hear("Rolled back: production")
    wait_until(lambda: scene.runs("production") not in (None, commit), what="the release before")
    missing = scene.wait_for_audit(action="opa_missing")[-1]
    assert (missing["severity"], missing["need"]) == ("high", "opa_missing")
    assert not opa.of_stage("request")[1:] and all(asked["action"] != "rollback" for asked in opa.inputs)
    scene.commit("main")
    who.say("/deploy production emergency the shop is down")
    who.press(who.hear("🚨 Emergency to production?", buttons=("Deploy to",)), "Deploy to")
    who.hear("Live: production", scene.head("main")[:7])
    assert len(scene.wait_for_audit(n=2, action="opa_missing")) == 2


def test_a_rollback_that_it_refuses_is_refused(scene, opa):
    opa.decide = lambda asked: asked["action"] != "rollback"
    who, asked, commit = ask(scene)
    who.press(asked, "Deploy to")
    who.hear("Live: production", commit[:7])
    who.say("/rollback production")
    who.press(who.hear("Roll back production?", buttons=("Roll back",)), "Roll back")
    who.hear("OPA: its policy does not allow it")
    assert scene.runs("production") == commit
    assert [asked["stage"] for asked in opa.inputs if asked["action"] == "rollback"] == ["start"]


@pytest.mark.parametrize("said, words", [
    (False, "says no to what nobody allows"), (True, "this policy allows everything"),
    ({"allow": True}, "this policy allows everything"),
    (UNDEFINED, "no rule at that path, or it has no default")], ids=["no", "yes", "allow", "undefined"])
def test_doctor_asks_what_every_policy_must_answer_with_no(scene, opa, said, words):
    opa.decide = lambda asked: said if asked == {"version": 1, "action": "doctor"} else None
    lines = [line for line in scene.bot.run("doctor").stdout.splitlines() if " OPA: " in line]
    assert len(lines) == 1 and words in lines[0]
    assert lines[0].startswith("ok" if said is False else "error")


def test_doctor_says_where_nobody_answers_and_where_no_decision_has_a_name(scene, opa):
    opa.is_away = True
    assert "does not answer (" in next(line for line in scene.bot.run("doctor").stdout.splitlines() if " OPA: " in line)
    opa.is_away, opa.logs, opa.decide = False, False, lambda asked: False
    said = scene.bot.run("doctor").stdout
    opa.logs = True
    assert any(line.startswith("warning") and "without a decision_id" in line for line in said.splitlines())


@pytest.mark.parametrize("said, status, words", [
    (True, 0, "OPA says yes (decision_id "), (SAYS_NO, 1, "OPA says no: no deployments on Fridays (decision_id "),
    (UNDEFINED, 1, "OPA says no: no decision at that path: check OPA_URL"), (None, 69, "OPA has not answered: ")],
    ids=["yes", "no", "undefined", "away"])
def test_explain_prints_what_is_asked_and_the_answer(scene, opa, said, status, words):
    opa.decide, opa.is_away = lambda asked: said, status == 69
    who = scene.admin()
    done = scene.bot.run("policy", "explain", str(who.number), "deploy", "production", "--opa")
    assert done.returncode == status and words in done.stdout, done.stdout + done.stderr
    sent = json.loads(re.search(r"^OPA is asked: (.*)$", done.stdout, re.M)[1])
    assert (sent["action"], sent["target"], sent["principal"]["id"]) == ("deploy", "production", str(who.number))
    if status != 69:
        assert opa.inputs == [sent]


def test_explain_tries_a_freeze_an_emergency_and_approvals(scene, opa):
    who = scene.admin()
    words = ("policy", "explain", str(who.number), "deploy", "production", "--opa")
    done = scene.bot.run(*words, "--freeze", "--emergency", "down", f"--approved-by={who.number}",
                         "--approved-by", "777")
    assert done.returncode == 0, done.stdout + done.stderr
    sent = opa.inputs[-1]
    assert sent["freeze"] and sent["emergency"] and sent["stage"] == "start"
    assert [(one["person"], one["role"]) for one in sent["approvals"]] == [
        (f"telegram:{who.number}", "admin"), ("telegram:777", "")]
    done = scene.bot.run(*words, "--approved-by", "ada", "--approved-by", "777")
    assert done.returncode == 64 and "ada" in done.stderr and len(opa.inputs) == 1


def test_what_is_asked_has_the_members_that_its_page_has(scene, opa):
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7])
    page = (ROOT / "docs/opa/README.md").read_text(encoding="utf-8")
    rows = [row for row in page[page.index("| of `input` |"):].splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows))) == set(opa.inputs[-1])
