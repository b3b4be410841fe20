"""Goal: a call of /hooks starts its one thing, once, as a principal that may do nothing else; what the policy needs is
asked in the chat, and who has not its secret learns nothing, not even whether there is such a hook."""
# SPDX-License-Identifier: ISC
import concurrent.futures
import json
import uuid

import pytest

from flow_aid import Applications, Scene, Scripts, ended_well
from hook_aid import HOOKS, OWN, SHARED, call, call_once, raw_answer
from stage import ROOT, wait_until
from telegram_client import text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("hooks"), settings={**HOOKS, "ROLE_RATE_LIMIT": "0"})
    yield made
    ended_well(made)


def works(scene):
    return len(scene.bot_rows("SELECT id FROM work"))


def end_of(scene, work):
    """How that work ended."""
    def state():
        return scene.bot_rows(f"SELECT state FROM work WHERE id = {work} AND ended_at <> 0")
    return wait_until(state, 120, f"the end of work {work}")[0][0]


def key():
    return str(uuid.uuid4())


def test_a_call_deploys_what_its_body_names_as_that_hook(scene):
    commit = scene.commit("develop")["after"]
    status, said = call(scene.http_port, "build-done", {"build": {"ref": "develop", "x": [1]}}, Idempotency_Key=key())
    assert status == 202 and said["state"] == "requested" and said["said"] == ""
    described = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))["components"]["schemas"]["hook"]
    described = described["properties"]
    assert said.keys() == described.keys() and said["state"] in described["state"]["description"]
    heard = scene.ada.hear("Live: staging", commit[:7], after=0)
    assert "hook build-done" in text_of(heard)
    assert end_of(scene, said["id"]) == "LIVE"
    entry = scene.audit(action="deploy_requested")[-1]
    assert (entry["user_id"], entry["trigger"]) == ("hook:build-done", "hook")
    assert scene.audit(action="deploy_success")[-1]["trigger"] == "hook"
    assert scene.runs("staging") == commit
    assert scene.metric("deploybot_webhook_requests_total", source="hook", code="202") == 1


def test_without_a_value_the_branch_is_deployed(scene):
    commit = scene.commit("develop")["after"]
    status, said = call(scene.http_port, "nightly", b"not looked at", SHARED)
    assert status == 202
    assert end_of(scene, said["id"]) == "LIVE" and scene.runs("staging") == commit


def test_a_confirmation_is_asked_in_the_chat_and_the_answer_says_so(scene):
    commit = scene.commit("main")["after"]
    status, said = call(scene.http_port, "release", {"ref": commit}, SHARED, Idempotency_Key=key())
    assert (status, said["state"]) == (202, "awaiting_confirmation")
    question = scene.ada.hear("Deploy to production?", commit[:7], after=0)
    assert "hook release" in text_of(question)
    assert scene.ada.press(question, "Deploy to") == "Confirmed."
    assert end_of(scene, said["id"]) == "LIVE"
    again = call(scene.http_port, "release", {"ref": "main"}, SHARED, Idempotency_Key=key())
    assert again[0] in (202, 409)


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Delivery-ID", "webhook-id"])
def test_the_same_call_twice_is_one_and_has_one_answer(scene, header):
    number, before = key(), works(scene)
    body = {"build": {"ref": "nosuch"}}
    first = call(scene.http_port, "build-done", body, **{header: number})
    assert first[0] == 202
    for _ in range(3):
        status, said = call(scene.http_port, "build-done", body, **{header: number})
        assert (status, said["id"]) == (202, first[1]["id"]) and "came before" in said["said"]
    assert works(scene) == before + 1
    assert call(scene.http_port, "build-done", {"build": {"ref": "other"}}, **{header: number})[0] == 422
    assert call(scene.http_port, "nightly", body, SHARED, **{header: number})[1]["id"] != first[1]["id"], \
        "a key is that of one hook"
    end_of(scene, first[1]["id"])
    assert call(scene.http_port, "build-done", body, **{header: number})[1]["id"] == first[1]["id"]


def test_the_same_call_twice_at_once_is_one(scene):
    number, before = key(), works(scene)
    body = {"build": {"ref": "nosuch-at-once"}}
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda _: call(scene.http_port, "build-done", body, Idempotency_Key=number), range(24)))
    assert {status for status, _ in said} == {202} and len({answer["id"] for _, answer in said}) == 1
    assert works(scene) == before + 1


def test_a_constant_body_without_a_key_is_one_within_a_minute(scene):
    body = {"build": {"ref": "nosuch-constant"}}
    first = call(scene.http_port, "build-done", body)
    assert first[0] == 202
    assert call(scene.http_port, "build-done", body) == (202, first[1] | {"said": "the same call came before",
                                                                          "state": call(scene.http_port, "build-done",
                                                                                        body)[1]["state"]})
    other = call(scene.http_port, "build-done", {"build": {"ref": "nosuch-constant"}, "n": 2})
    assert other[0] == 202 and other[1]["id"] != first[1]["id"]


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"x"', b"null", b'{"build":"develop"}', b'{"build":{"ref":7}}', b'{"build":{"ref":null}}',
    b'{"build":{"ref":["a"]}}', b'{"build":{"ref":{"a":"b"}}}', b'{"build":[{"ref":"a"}]}', b'{"build":{"ref":""}}',
    b'{"build":{"ref":"a b"}}', b'{"build":{"ref":"a\\nb"}}', b'{"build":{"ref":"\\u0000"}}', b'{"build":{"REF":"a"}}',
    b'{"build.ref":"a"}', b'{"build":{"ref":"a","ref":"b"}}', b'{"build":{"ref":"\\u202edev"}}',
    json.dumps({"build": {"ref": "a" * 201}}).encode(), b'{"build":{"ref":"\xff"}}', b"[" * 5000,
    b'{"build":' * 70 + b'{"ref":"a"}' + b"}" * 70], ids=repr)
def test_a_body_without_that_string_is_400_and_starts_nothing(scene, body):
    before = works(scene)
    status, said = call(scene.http_port, "build-done", body)
    assert status == 400 and said["id"] is None and len(said["said"]) > 10
    assert works(scene) == before
    assert scene.bot_rows("SELECT COUNT(*) FROM hook_call WHERE status = 400") == [(0,)]


@pytest.mark.parametrize("ref", ["-x", "--upload-pack=/bin/true", "$(id)", "emergency", "develop;id", "../../etc",
                                 "a" * 200])
def test_a_hostile_ref_deploys_nothing(scene, ref):
    before = len(scene.audit(action="deploy_started"))
    status, said = call(scene.http_port, "build-done", {"build": {"ref": ref}})
    assert status in (202, 409)
    if said["id"]:
        assert end_of(scene, said["id"]) in ("DISCARDED", "FAILED", "REFUSED", "CANCELLED")
    assert len(scene.audit(action="deploy_started")) == before
    assert not scene.audit(action="emergency")


@pytest.mark.parametrize("number", ["", " ", "a b", "x" * 201, "\u00e9".encode().decode("latin-1")])
def test_a_key_that_is_none_is_refused(scene, number):
    status, _ = call(scene.http_port, "build-done", {"build": {"ref": "nosuch"}}, Idempotency_Key=number)
    assert status == 400


def test_who_has_not_its_secret_learns_nothing(scene):
    before, counted = works(scene), scene.metric("deploybot_webhook_requests_total", source="hook", code="401")
    wrong = [None, "x", OWN[:-1], OWN + "x", OWN.upper(), "Basic " + OWN, "Bearer", "Bearer  ", f"Token {OWN}"]
    for token in wrong:
        assert call(scene.http_port, "build-done", {"build": {"ref": "develop"}}, token) == (401, b""), token
    assert call(scene.http_port, "build-done", {"build": {"ref": "develop"}}, SHARED) == (401, b""), "it has its own"
    assert call(scene.http_port, "nightly", b"{}", OWN) == (401, b"")
    answers = [raw_answer(scene.http_port, hook, token)
               for hook in ("build-done", "nightly", "nosuch", "", "shop/build-done", "build-done/", "../metrics",
                            "x" * 300)
               for token in (None, "x", OWN if hook != "build-done" else "y")]
    assert all(answer == answers[0] for answer in answers) and answers[0][0] == 401
    assert works(scene) == before
    assert scene.metric("deploybot_webhook_requests_total", source="hook", code="401") >= counted + len(wrong) + 2
    found = scene.wait_for_audit(action="webhook_rejected", user_id="hook")
    assert len(found) == 1 and "build-done" not in json.dumps(found) and OWN not in scene.bot.log()


def test_other_methods_types_and_sizes_are_refused(scene):
    port = scene.http_port
    assert call(port, "build-done", None, method="GET")[0] == 405
    assert call(port, "build-done", b"a=b", Content_Type="application/x-www-form-urlencoded")[0] == 415
    assert call(port, "build-done", b"{" + b" " * 65536 + b"}")[0] == 413
    assert call(port, "nosuch", b"{" + b" " * 65536 + b"}")[0] == 413


def test_a_storm_is_429_and_ends(scene):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: call_once(scene.http_port, "nightly", {"n": 7}, SHARED)[0], range(300)))
    assert set(said) <= {202, 409, 429} and 429 in said
    assert len([status for status in said if status != 429]) < 200
    assert call(scene.http_port, "build-done", {"build": {"ref": "nosuch-behind-a-storm"}})[0] in (202, 409), \
        "another hook has its own"


def test_off_it_is_404_as_any_path_and_the_webhooks_are_served(tmp_path):
    made = Scene(tmp_path, settings={**HOOKS, "ENABLE_API_SERVER": None})
    try:
        status, said = call(made.http_port, "build-done", {"build": {"ref": "develop"}})
        assert (status, said) == (404, b"")
        checked = made.bot.run("check-config")
        assert "/hooks is not served" in checked.stdout + checked.stderr
        assert "/hooks/nightly, /hooks/release share one secret, WEBHOOK_API_SECRET" in checked.stdout + checked.stderr
    finally:
        ended_well(made)


class WithHooks(Applications):
    def settings(self):
        found = super().settings()
        self.write("shop", HOOK_BUILD_DONE_STARTS="deploy:staging ref=$.ref", HOOK_BUILD_DONE_SECRET=OWN)
        return found


def test_a_hook_of_an_application_is_below_its_name(tmp_path):
    made = WithHooks(tmp_path, settings={**Scripts(tmp_path / "scripts").settings(), "STAGING_HEALTH_URL": None,
                                         "ENABLE_API_SERVER": "true",
                                         "HOOK_ALL_STARTS": "deploy:blog/staging ref=$.ref",
                                         "WEBHOOK_API_SECRET": SHARED})
    try:
        status, said = call(made.http_port, "shop/build-done", {"ref": "nosuch"})
        assert status == 202, said
        assert call(made.http_port, "build-done", {"ref": "nosuch"}) == (401, b"")
        assert call(made.http_port, "shop/all", {"ref": "nosuch"}, SHARED) == (401, b"")
        assert call(made.http_port, "all", {"ref": "nosuch"}, SHARED)[0] == 202
        assert made.bot_rows(f"SELECT environment FROM work WHERE id = {said['id']}") == [("shop/staging",)]
        made.wait_for_audit(action="deploy_requested", user_id="hook:shop/build-done")
        wait_until(lambda: made.metric("deploybot_webhook_requests_total", source="hook", application="shop",
                                       code="202") == 1, 20, "the count")
    finally:
        ended_well(made)
