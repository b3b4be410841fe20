"""Goal: a push that GitHub delivers is deployed once, the newest wins, a bad one is rolled back and
blocked, and nothing that is not a push of ours does anything."""
# SPDX-License-Identifier: ISC
import re

import pytest

import sample_app
from flow_aid import Scene, ended_well
from github import GitHub, encode, ping_payload, push_payload
from stage import GITHUB_SECRET
from telegram_client import request_json, text_of

REPOSITORY = "orchard/shop"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("push"), deliver=True,
                 settings={"GITHUB_REPOSITORY": "Orchard/Shop"})
    made.make_builds_wait()
    made.hub = GitHub(made.bot.base + "/github/webhook", GITHUB_SECRET, REPOSITORY)
    made.team = made.ada    # TELEGRAM_CHAT_ID's default: the first admin, in private
    yield made
    made.let_go()
    ended_well(made)


def tell(scene, change, **options):
    """What GitHub delivers of a change."""
    entry = scene.hub.push(change["branch"], change["after"], change["before"], **options)
    assert entry["status"] == 200 and entry["answer"] == "", entry
    return entry


def push(scene, branch="develop", kind="good", **options):
    change = scene.commit(branch, kind)
    tell(scene, change, **options)
    return change


def hear(scene, *words, **options):
    return scene.team.hear(*words, **options)


def quiet(scene):
    """Asks git something and waits for the answer: whatever was asked before is answered too."""
    who = scene.admin()
    who.say("/deploy staging nosuch")
    who.hear("Not deployed")


def test_a_good_push_goes_live_by_itself(scene):
    change = push(scene, login="joon", login_id=77)
    final = hear(scene, "Live: staging", change["after"][:7], "pushed by joon (GitHub)")
    assert change["subject"] in text_of(final)
    assert scene.runs("staging") == change["after"]
    assert scene.audit(action="deploy_success")[-1]["user_id"] == "github:77"


def test_a_redelivery_under_the_same_id_does_nothing(scene):
    entry = scene.hub.deliveries[-1]
    before = len(scene.audit(action="deploy_requested"))
    again = scene.hub.redeliver(entry["guid"])
    assert (again["status"], again["answer"]) == (200, "")
    same = scene.hub.send("push", entry["body"])
    assert (same["status"], same["answer"]) == (200, "")
    quiet(scene)
    assert len(scene.audit(action="deploy_requested", environment="staging")) == before + 1


def test_a_push_of_what_was_seen_already_does_nothing(scene):
    before = len(scene.audit(action="deploy_started"))
    head = scene.head("develop")
    scene.hub.push("develop", head, "1" * 40)
    quiet(scene)
    assert len(scene.audit(action="deploy_started")) == before


@pytest.mark.parametrize("event, status", [("issues", 202), ("check_suite", 202),
                                           ("no such event", 202)])
def test_an_unknown_event_is_accepted_and_does_nothing(scene, event, status):
    entry = scene.hub.deliver(event, {"action": "opened", "repository": {"full_name": REPOSITORY}})
    assert (entry["status"], entry["answer"]) == (status, "")


def test_ping_is_answered(scene):
    assert scene.hub.ping()["status"] == 200
    entry = scene.hub.deliver("ping", ping_payload(REPOSITORY), content_type="form")
    assert entry["status"] == 200


def test_another_repository_is_accepted_and_does_nothing(scene):
    change = scene.commit()
    payload = push_payload("somebody/else", "refs/heads/develop", change["before"],
                           change["after"])
    assert scene.hub.deliver("push", payload)["status"] == 202
    quiet(scene)
    assert scene.runs("staging") != change["after"]


@pytest.mark.parametrize("ref, after", [
    ("refs/tags/develop", "2" * 40), ("refs/heads/feature/develop", "2" * 40),
    ("refs/heads/developer", "2" * 40), ("refs/heads/Develop", "2" * 40),
    ("refs/heads/develop", "0" * 40), ("refs/heads/refs/heads/develop", "2" * 40)])
def test_tags_deletions_and_other_branches_do_nothing(scene, ref, after):
    before = len(scene.audit())
    entry = scene.hub.push(ref, after, commits=[])
    assert entry["status"] in (200, 202)
    assert len(scene.audit()) == before and not scene.is_busy("staging")


def test_a_form_delivery_is_a_delivery(scene):
    change = {"branch": "develop", "before": "3" * 40, "after": scene.head("develop")}
    entry = scene.hub.deliver("push", push_payload(REPOSITORY, "refs/heads/develop",
                                                   change["before"], change["after"]),
                              content_type="form")
    assert entry["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert entry["status"] == 200
    hear(scene, "Live: staging", change["after"][:7])
    assert scene.runs("staging") == change["after"]


def test_a_wrong_signature_is_401_empty_counted_and_audited_once_a_minute(scene):
    body = encode(push_payload(REPOSITORY, "refs/heads/develop", "4" * 40, "5" * 40))[0]
    before = scene.metric("deploybot_webhook_requests_total", source="github", code="401")
    for options in ({"secret": "x" * 40}, {"signature": "sha256=" + "0" * 64},
                    {"signature": "sha1=" + "0" * 40}, {"signature": "sha256="},
                    {"headers": {"X-Hub-Signature-256": None}}):
        entry = scene.hub.send("push", body, **options)
        assert (entry["status"], entry["answer"]) == (401, "")
    assert scene.metric("deploybot_webhook_requests_total", source="github",
                        code="401") == before + 5
    assert len(scene.wait_for_audit(action="webhook_rejected")) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"ref":"\xff"}', b'{"ref":"\\u0000"}',
                                  b"[" * 5000, b'{"ref":"a","ref":"b"}', b"\0", b'{"ref":1}'],
                         ids=["empty", "cut", "list", "string", "utf8", "nul", "deep", "twice",
                              "zero", "number"])
def test_a_signed_body_that_is_no_delivery_is_400(scene, body):
    entry = scene.hub.send("push", body)
    assert (entry["status"], entry["answer"]) == (400, "")


def test_other_methods_and_content_types_are_refused(scene):
    body = encode(ping_payload(REPOSITORY))[0]
    assert scene.hub.send("ping", body, kind="text/plain")["status"] == 415
    assert request_json(scene.bot.base + "/github/webhook")[0] == 405


def test_a_broken_push_is_rolled_back_and_told_in_these_words(scene):
    good = scene.runs("staging")
    change = push(scene, kind="broken")
    final = hear(scene, f"staging is NOT running {change['after'][:7]}; it runs {good[:7]} again")
    assert text_of(final).startswith("❌ Rolled back: staging ") and "(HTTP 500)" in text_of(final)
    assert scene.runs("staging") == good == scene.state_file("staging")["commit"]
    scene.bad = change
    actions = [e["action"] for e in scene.audit(environment="staging", commit=change["after"])]
    assert actions == ["deploy_requested", "deploy_started", "deploy_failed", "rollback_started",
                       "auto_rollback_completed"]


def test_what_was_rolled_back_is_held_against_a_push(scene):
    good, bad = scene.runs("staging"), scene.bad["after"]
    between = push(scene, kind="build")     # seen, never live: the hold stays
    hear(scene, "nothing was changed", f"staging still runs {good[:7]}", between["after"][:7])
    scene.wait_free()
    started = len(scene.audit(action="deploy_started"))
    sample_app.git(scene.work, "push", "-q", "-f", "origin", f"{bad}:refs/heads/develop")
    scene.team.since = scene.chat.mark()
    scene.hub.push("develop", bad, between["after"])
    hear(scene, "Push blocked: staging", bad[:7], "was rolled back by deploybot")
    assert len(scene.audit(action="deploy_started")) == started and not scene.is_busy("staging")
    assert scene.runs("staging") == good


def test_deploy_of_what_is_held_asks_with_a_warning(scene):
    bad, who = scene.bad["after"], scene.admin()
    who.say("/deploy staging")
    question = who.hear("Deploy to staging?", bad[:7],
                        "this commit is blocked: rolled back by deploybot",
                        buttons=("Deploy to", "Not now"))
    assert who.press(question, "Not now") == "Cancelled."
    who.say("/status staging")
    who.hear("blocked: " + bad[:7])
    sample_app.git(scene.work, "push", "-q", "-f", "origin", "develop")


def test_a_later_good_push_goes_live_and_ends_the_block(scene):
    change = push(scene)
    hear(scene, "Live: staging", change["after"][:7], after=0)
    who = scene.admin()
    who.say("/status staging")
    assert "blocked: " not in text_of(who.hear("staging runs " + change["after"][:7]))


def test_while_one_deploys_the_latest_push_wins(scene):
    scene.hold()
    first = push(scene)
    scene.wait_busy()
    scene.team.since = 0
    second = push(scene)
    hear(scene, "⏳ Queued: 1st in staging", second["after"][:7], "starts after #")
    third = push(scene)
    hear(scene, "⛔ Skipped: staging, replaced by " + third["after"][:7], second["after"][:7])
    scene.let_go()
    hear(scene, "Live: staging", third["after"][:7])
    started = [e["commit"] for e in scene.audit(action="deploy_started")]
    assert started[-2:] == [first["after"], third["after"]]
    assert scene.runs("staging") == third["after"]


def test_while_git_is_away_a_person_is_told_and_a_push_waits(scene):
    change = scene.commit()
    away = scene.repository.with_name("away.git")
    scene.repository.rename(away)
    try:
        who = scene.admin()
        who.say("/deploy staging")
        said = text_of(who.hear("⛔ Not deployed: staging"))
        assert len(said.splitlines()) > 1 and "Possible" not in said
        scene.team.since = scene.chat.mark()
        tell(scene, change)
        scene.wait_for_audit(action="deploy_failed")
        assert not scene.is_busy("staging")
    finally:
        away.rename(scene.repository)
    hear(scene, "Live: staging", change["after"][:7])
    assert scene.runs("staging") == change["after"]


def test_the_audit_of_all_of_it_is_whole(scene):
    done = scene.bot.run("audit", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"(\d+) entries", done.stdout).group(1)
    assert int(told) == len(scene.audit())
