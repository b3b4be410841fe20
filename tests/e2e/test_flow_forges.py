"""Goal: a push that GitLab, Gitea or Bitbucket delivers is deployed once, whatever comes again, each ref for itself;
what is not proven, or is no push of ours, does nothing."""
# SPDX-License-Identifier: ISC
import base64
import json
import uuid

import pytest

from flow_aid import Applications, Scene, ended_well
from forges import ZEROS, Bitbucket, Gitea, GitLab
from stage import wait_until
from telegram_client import text_of

SECRET = "forge-s3cret-of-this-test-0123456789"
SIGNING = "whsec_" + base64.b64encode(bytes(range(32))).decode()
KINDS = {"gitlab": GitLab, "gitea": Gitea, "bitbucket": Bitbucket}
PATH = "orchard/shop"
A, B = "a" * 40, "b" * 40


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("forges"),
                 settings={"FORGE_WEBHOOK_SECRET": SECRET, "REPOSITORY_PATH": "Orchard/Shop", "GITHUB_REPOSITORY": ""})
    made.forges = {word: kind(f"{made.bot.base}/forge/webhook/{word}", SECRET, PATH) for word, kind in KINDS.items()}
    yield made
    ended_well(made)


def quiet(scene):
    """Asks git something and waits for the answer: whatever was asked before is answered too."""
    who = scene.admin()
    who.say("/deploy staging nosuch")
    who.hear("Not deployed")


def pushes(scene):
    """Deliveries that counted, by the forge's word."""
    return [row[0] for row in scene.bot_rows(
        "SELECT source FROM inbox WHERE source IN ('gitlab', 'gitea', 'bitbucket') ORDER BY seq")]


@pytest.mark.parametrize("word, name, number", [("gitlab", "GitLab", 4), ("gitea", "Gitea", 7),
                                                ("bitbucket", "Bitbucket", 0xd301aafad6764)])
def test_a_push_goes_live_by_itself_and_once(scene, word, name, number):
    change = scene.commit("develop")
    sent = scene.forges[word].push("develop", change["after"], change["before"])
    assert (sent["status"], sent["answer"]) == (200, "")
    final = scene.ada.hear("Live: staging", change["after"][:7], f"pushed by joon ({name})", after=0)
    assert change["subject"] in text_of(final)
    assert scene.runs("staging") == change["after"]
    assert scene.audit(action="deploy_success")[-1]["user_id"] == f"{word}:{number}"
    counted, begun = len(pushes(scene)), len(scene.audit(action="deploy_started"))
    again = scene.forges[word].send(sent["body"], sent["headers"])
    assert (again["status"], again["answer"]) == (200, "")
    quiet(scene)
    assert len(pushes(scene)) == counted and len(scene.audit(action="deploy_started")) == begun
    assert scene.metric("deploybot_webhook_requests_total", source=word, code="200") == 2


def test_a_push_of_bitbuckets_is_one_for_each_ref_and_a_ref_that_failed_comes_again_alone(scene):
    hub = scene.forges["bitbucket"]
    body = hub.pushed(hub.change("refs/heads/feature", A, B), hub.change("refs/heads/gone", B, ZEROS),
                      hub.change("refs/tags/v1", ZEROS, B), hub.change("refs/heads/v1", ZEROS, B, forced=True))
    before = len(pushes(scene))
    sent = hub.deliver(body)
    assert sent["status"] == 200 and len(pushes(scene)) == before + 4
    one = hub.pushed(hub.change("refs/heads/feature", A, B), hub.change("refs/heads/new", ZEROS, B))
    one = json.dumps(one).encode()
    more = hub.headers(one) | {"X-Request-UUID": sent["headers"]["X-Request-UUID"]}
    assert hub.send(one, more)["status"] == 200 and len(pushes(scene)) == before + 5
    hub.deliver(body)       # the same push on another day: the branch went there and back
    assert len(pushes(scene)) == before + 9


def test_gitlabs_hooks_that_share_an_id_are_known_by_ref_and_commit(scene):
    hub = scene.forges["gitlab"]
    shared = {"Idempotency-Key": None, "X-Gitlab-Event-UUID": str(uuid.uuid4())}
    before = len(pushes(scene))
    for branch, after in (("a", A), ("b", A), ("a", B), ("a", A), ("b", A)):
        assert hub.push(branch, after, **shared)["status"] == 200
    assert len(pushes(scene)) == before + 3
    key = {"Idempotency-Key": str(uuid.uuid4())}    # GitLab's word that these are one
    assert [hub.push(branch, A, **key)["status"] for branch in ("c", "d")] == [200, 200]
    assert len(pushes(scene)) == before + 4
    nothing = {"Idempotency-Key": None, "X-Gitlab-Event-UUID": None}
    sent = hub.push("develop", A, **nothing)
    assert sent["status"] == 202 and "no id" in sent["answer"]   # a 400 would count as a failure of its webhook


@pytest.mark.parametrize("word, header", [("gitlab", "X-Gitlab-Token"), ("gitea", "X-Gitea-Signature"),
                                          ("bitbucket", "X-Hub-Signature")])
def test_what_is_not_proven_is_401_empty_and_audited_once(scene, word, header):
    hub = scene.forges[word]
    before = len(pushes(scene))
    right = hub.headers(json.dumps(hub.payload("refs/heads/develop", A, B)).encode())[header]
    wrong = [None, "", "sha256=", "x", right[:-1], right + "0", right.upper(), right[::-1], "sha256=" + "0" * 64,
             "0" * 64, " " * 3]
    for value in wrong:
        sent = hub.push("develop", B, **{header: value})
        assert (sent["status"], sent["answer"]) == (401, ""), value
    quiet(scene)
    assert len(pushes(scene)) == before
    found = scene.wait_for_audit(action="webhook_rejected", user_id=word)
    assert [(e["code"], e["severity"], e["outcome"]) for e in found] == [("webhook_rejected", "medium", "denied")]
    assert SECRET not in scene.bot.log()


@pytest.mark.parametrize("word", KINDS)
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"[" * 100, b'{"a":1,"a":2}', b'{"ref":"\xff"}',
                                  b'{"object_kind":"push","ref":"refs/heads/develop","before":"x","after":"x"}',
                                  b'{"push":{"changes":[{"new":null,"old":null}]}}', b'{"push":{"changes":7}}'])
def test_what_is_proven_and_no_sound_push_is_refused_or_ignored(scene, word, body):
    before = len(pushes(scene))
    hub = scene.forges[word]
    sent = hub.send(body, hub.headers(body))
    is_foreign = word == "gitea" and b"push" in body and b"ref" not in body or word == "bitbucket" and b"ref" in body \
        or b"\xff" in body     # which is replaced, and names no branch then
    is_lenient = is_foreign or word == "gitlab"     # which switches its webhook off otherwise
    assert sent["status"] == (202 if is_lenient else 400)
    assert len(pushes(scene)) == before


def test_what_is_no_push_or_of_another_repository_is_202(scene):
    lab = scene.forges["gitlab"]
    assert lab.deliver({"object_kind": "tag_push", "ref": "refs/tags/v1"})["status"] == 202
    for word, kind in KINDS.items():
        other = kind(f"{scene.bot.base}/forge/webhook/{word}", SECRET, "orchard/other")
        sent = other.push("develop", A)
        assert sent["status"] == 202 and "REPOSITORY_PATH" in sent["answer"]
    deep = GitLab(f"{scene.bot.base}/forge/webhook/gitlab", SECRET, "x/orchard/shop")
    assert deep.push("develop", A)["status"] == 202


def test_a_pipeline_of_gitlab_that_fails_is_said_with_its_jobs_and_its_green_is_an_edit(scene):
    lab = scene.forges["gitlab"]
    begun = len(scene.audit(action="deploy_started"))
    for status in ("pending", "running", "failed"):
        unit = "failed" if status == "failed" else "running"
        assert lab.deliver(lab.pipeline(status, [(380, "unit", unit), (379, "lint", "success")]))["status"] == 200
    red = text_of(scene.ada.hear("CI failed: shop develop, .gitlab-ci.yml", "\"Fix the cart\" by joon"))
    assert "\ntest › unit\n" in red and "lint" not in red
    assert "https://gitlab.com/orchard/shop/-/pipelines/9003" in red
    again = lab.pipeline("success", [(381, "unit", "success"), (379, "lint", "success")])     # that job once more
    assert lab.deliver(again)["status"] == 200
    scene.ada.hear("CI green again: shop develop, .gitlab-ci.yml")
    for other, status in (({"source": "merge_request_event"}, 202), ({"tag": True}, 202), ({"ref": "feature"}, 200)):
        assert lab.deliver(lab.pipeline("failed", [(390, "unit", "failed")], number=4, **other))["status"] == status
    scene.ada.say("/pipelines")
    scene.ada.hear("✅ .gitlab-ci.yml develop, ccccccc")
    said = "head LIKE '%CI failed%' OR head LIKE '%CI green%'"
    assert scene.bot_rows(f"SELECT COUNT(*) FROM message WHERE {said}") == [(1,)]
    assert len(scene.audit(action="deploy_started")) == begun


def test_gitlabs_signing_token_is_compared_where_it_is_the_secret(scene, tmp_path):
    made = Scene(tmp_path, settings={"FORGE_WEBHOOK_SECRET": SIGNING, "REPOSITORY_PATH": PATH, "GITHUB_REPOSITORY": ""})
    try:
        hub = GitLab(made.bot.base + "/forge/webhook/gitlab", SIGNING, PATH)
        change = made.commit("develop")
        sent = hub.push("develop", change["after"], change["before"])
        assert sent["status"] == 200
        made.ada.hear("Live: staging", change["after"][:7], after=0)
        body, head = sent["body"], sent["headers"]
        first = head["webhook-signature"]
        assert hub.send(body, head | {"Idempotency-Key": str(uuid.uuid4())})["status"] == 200
        assert len(pushes(made)) == 1, "the id that is signed counts"
        assert hub.send(body, head | {"webhook-signature": "v1a,AAAA v1,bad " + first})["status"] == 200
        for wrong in ({"webhook-id": "other"}, {"webhook-timestamp": "1"}, {"webhook-signature": ""},
                      {"webhook-signature": first[:-4] + "AAA="}, {"webhook-signature": first[3:]},
                      {"webhook-signature": None, "X-Gitlab-Token": SIGNING}, {"webhook-id": None},
                      {"webhook-timestamp": "12 "}, {"webhook-id": "a.b"}):
            assert hub.send(body, head | wrong)["status"] == 401, wrong
        assert hub.send(body + b" ", head)["status"] == 401
    finally:
        ended_well(made)


OWN = "a-secret-of-the-shop-alone-0123456789"


class OwnSecret(Applications):
    def settings(self):
        found = super().settings()
        self.write("shop", REPOSITORY_PATH="group/sub/shop", FORGE_WEBHOOK_SECRET=OWN)
        return found


def test_an_application_with_a_secret_of_its_own_is_reached_by_its_own_path_alone(tmp_path):
    made = OwnSecret(tmp_path, settings={"FORGE_WEBHOOK_SECRET": SECRET})
    try:
        base = made.bot.base + "/forge/webhook/gitlab"
        assert GitLab(base, SECRET, "group/sub/shop").push("develop", A)["status"] == 202
        assert GitLab(base + "/shop", SECRET, "group/sub/shop").push("develop", A)["status"] == 401
        assert GitLab(base + "/shop", OWN, "sub/shop").push("develop", A)["status"] == 202
        assert GitLab(base + "/shop", OWN, "group/sub/shop").push("x", A)["status"] == 200
        assert made.bot_rows("SELECT source FROM inbox WHERE source LIKE 'git%'") == [("gitlab/shop",)]
        wait_until(lambda: made.metric("deploybot_webhook_requests_total", source="gitlab", application="shop",
                                       code="401") == 1, 20, "the count")
    finally:
        ended_well(made)
