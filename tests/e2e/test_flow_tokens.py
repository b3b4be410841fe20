"""Goal: a token opens /v1 on the network for its role and no longer; typed behind /login it lends its role to one
account; nowhere in the state, the logs or the audit does a token stand."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import sqlite3
import urllib.error
import urllib.request

import pytest

from flow_aid import FIRST_ADMIN, PATIENCE_S
from local_aid import ROLE, ROLE_ADMIN, LocalScene
from stage import wait_until
from telegram_client import MALLORY

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

SECRET = "canary-of-the-key-of-tokens-7Qd2Zk9Lw4Xs"
SHAPE = re.compile(r"^deploybot_[0-9a-f]{64}$")


class TokenScene(LocalScene):
    def __init__(self, **settings):
        self.made, self.address = [], 0
        super().__init__(settings={"ENABLE_TOKEN_AUTH": "true", "AUTH_TOKEN_SECRET": SECRET,
                                   "ENABLE_API_SERVER": "true", "ROLE_OBSERVER_IDS": "7",
                                   "ROLE_OBSERVER_MAY": "status:staging,history:staging", "ROLE_RATE_LIMIT": "0",
                                   **settings})

    def token(self, name, role="staging", expires="90d", user=ROLE_ADMIN):
        token = self.run(user, "token", "add", name, "--role", role, "--expires", expires).strip()
        assert SHAPE.match(token), token
        self.made.append(token)
        return token

    def call(self, method, path, token=None, body=None, **headers):
        """(status, JSON, headers) of /v1 over TCP."""
        asked = urllib.request.Request(self.bot.base + path, method=method,
                                       data=None if body is None else json.dumps(body).encode())
        # As nginx says it: an address of its own for each call, so that wrong tries of one cost no other.
        self.address += 1
        asked.add_header("X-Real-IP", f"192.0.2.{self.address % 250 + 1}")
        if token is not None:
            asked.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            asked.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            asked.add_header(name, value)
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as answer:
            text = answer.read()
            return answer.code, json.loads(text) if text else None, answer.headers

    def status(self, token, path="/v1/status"):
        return self.call("GET", path, token)[0]

    def artefacts(self):
        """All that is kept: the state with its database, the logs, the audit, the runs."""
        for folder in (self.folder, pathlib.Path(self.bot.settings["STATE_DIRECTORY"])):
            for path in folder.rglob("*"):
                if path.is_file() and path.suffix != ".env" and "peers" not in path.parts:
                    yield path


@pytest.fixture(scope="module")
def scene():
    made = TokenScene()
    yield made
    made.close()


def test_a_token_opens_what_its_role_may_over_tcp_and_no_more(scene):
    token = scene.token("ci")
    status, answer, _ = scene.call("GET", "/v1/status", token)
    assert status == 200 and "staging" in [e["environment"] for e in answer["environments"]]
    status, answer, _ = scene.call("POST", "/v1/command/deploy", token, {"arguments": ["production"]})
    assert status == 403 and "only an admin may" in answer["said"]
    status, answer, _ = scene.call("POST", "/v1/command/deploy", token, {"arguments": ["staging"]})
    assert status == 200 and answer["work"], answer
    asked = scene.wait_for_audit(action="deploy_requested")[-1]
    assert asked["user_id"] == "token:ci"
    scene.wait_free()
    work = scene.call("GET", f"/v1/work/{answer['work']}", token)[1]
    assert work["requested_by"] == "token:ci"
    assert scene.call("GET", f"/v1/log/{answer['work']}/0", token)[0] == 200


def test_a_key_makes_requests_one(scene):
    """A proxy passes it on to a second server, which is behind what the first has decided."""
    token, other = scene.token("once"), scene.token("another")
    key = {"Idempotency-Key": "f" * 32}
    before = len(scene.audit(action="deploy_requested"))

    def deploy(who=token, environment="staging", **headers):
        return scene.call("POST", "/v1/command/deploy", who, {"arguments": [environment]}, **headers)[:2]
    status, first = deploy(**key)
    assert status == 200 and first["work"], first
    status, again = deploy(**key)
    assert (status, again["work"]) == (200, first["work"]), again
    assert again["said"] == "the same request came before"
    status, answer = deploy(environment="production", **key)
    assert status == 422 and "used for another request" in answer["said"]
    scene.wait_free()
    status, answer = deploy(who=other, **key)   # theirs is another
    assert status == 200 and answer["work"] not in (None, first["work"])
    scene.wait_free()
    assert len(scene.audit(action="deploy_requested")) == before + 2
    for _ in range(2):
        status, answer = deploy(environment="production", **{"Idempotency-Key": "e" * 32})
        assert status == 403 and "only an admin may" in answer["said"]
    for wrong in ("", "a b", "\x7f", "f" * 201):
        assert deploy(**{"Idempotency-Key": wrong})[0] == 400, wrong


def test_a_key_keeps_nothing_that_is_for_one_reader(scene):
    body = {"name": "shown-once", "role": "staging", "expires": "1d"}
    asked = [scene.ask(ROLE_ADMIN, "POST", "/v1/token/add", body, ["Idempotency-Key: " + "d" * 32]) for _ in range(2)]
    assert [status for status, _ in asked] == [200, 200], asked
    assert SHAPE.match(asked[0][1]["token"]) and asked[0][1]["token"] not in str(asked[1])
    assert asked[1][1]["said"] == "the same request came before"
    scene.made.append(asked[0][1]["token"])     # which stands nowhere, as a test below looks


def test_what_a_token_may_not_see_is_not_there(scene):
    token = scene.token("looker", role="observer")
    assert scene.call("GET", "/v1/status/nowhere", token)[0] == 404
    assert scene.call("GET", "/v1/work/424242", token)[0] == 404
    assert scene.call("POST", "/v1/command/deploy", token, {"arguments": ["staging"]})[0] == 403


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic Zm9vOmJhcg==",
                                    "Bearer deploybot_" + "0" * 63, "Bearer deploybot_" + "0" * 65,
                                    "Bearer deploybot_" + "G" * 64])
def test_without_a_token_nobody_is_let_in(scene, header):
    headers = {} if header is None else {"Authorization": header}
    status, answer, found = scene.call("GET", "/v1/status", None, **headers)
    assert status == 401 and "environments" not in answer and found["WWW-Authenticate"] == "Bearer"


def test_wrong_tries_of_one_address_are_limited_and_cost_a_good_token_nothing(scene):
    token = scene.token("good")
    assert scene.status(token) == 200
    tries = [scene.call("GET", "/v1/status", "deploybot_" + f"{i:064x}", **{"X-Real-IP": "198.51.100.7"})[0]
             for i in range(14)]
    assert tries[:10] == [401] * 10 and 429 in tries[10:], tries
    assert scene.call("GET", "/v1/status", token, **{"X-Real-IP": "198.51.100.7"})[0] == 200
    refused = [e for e in scene.audit(action="token_refused") if e["reason"] == "an unknown token"]
    assert 0 < len(refused) <= 7, "the first are entries, then they are counted"


def test_a_token_of_another_key_an_expired_one_and_a_revoked_one_open_nothing():
    scene = TokenScene()
    try:
        token, other = scene.token("ci", expires="1m"), scene.token("other")
        wrong = other[:-1] + ("0" if other[-1] != "0" else "1")
        assert scene.status(token) == 200 and scene.status(other) == 200
        assert scene.status(wrong) == 401
        refused = scene.wait_for_audit(action="token_refused", reason="an unknown token")[0]
        assert refused["client"].startswith("192.0.2.")
        scene.run(ROLE_ADMIN, "token", "revoke", "other")
        assert scene.status(other) == 401
        assert scene.wait_for_audit(action="token_refused", reason="a revoked token")[0]["user_id"] == "token:other"
        assert "no token of that name" in scene.run(ROLE_ADMIN, "token", "revoke", "other", wanted=1)
        scene.bot.stop()
        scene.start_bot(LOCAL_MAN_IS="role observer")
        assert scene.call("GET", "/v1/status", token)[1]["said"].startswith("a token whose maker does not have")
        said = scene.run("root", "token", "list", "--as", "admin")
        assert "ci  role staging, NOT VALID: who made the token does not have its role any more, until " in said
        assert "note: that is a token whose maker does not have its role any more\n" in \
            scene.as_server("policy", "explain", "token:ci", "deploy", "staging").stdout
        scene.bot.stop()
        scene.start_bot(AUTH_TOKEN_SECRET="another-key-of-tokens-that-is-long-enough")
        assert scene.status(token) == 401, "under another key no token is valid"
    finally:
        scene.close()


def test_the_command_line_lists_tokens_and_never_shows_one_again(scene):
    token = scene.token("listed", expires="2d")
    assert scene.status(token) == 200
    said = scene.run(ROLE_ADMIN, "token", "list")
    line = next(line for line in said.split("\n") if line.startswith("listed "))
    assert "role staging" in line and "last used" in line and "local:man" in line
    assert "deploybot_" not in said
    found = {one["name"]: one for one in scene.json(ROLE_ADMIN, "token", "list")["tokens"]}
    assert found["listed"]["is_valid"] and found["listed"]["used_at"]


@pytest.mark.parametrize("arguments, wanted, said", [
    (("add", "Upper", "--role", "staging", "--expires", "1d"), 64, "a name: letters a-z"),
    (("add", "a", "--role", "king", "--expires", "1d"), 1, "no such role"),
    (("add", "a", "--role", "staging", "--expires", "400d"), 64, "at most 366 days"),
    (("add", "a", "--role", "staging", "--expires", "2001-01-01"), 64, "at most 366 days"),
    (("add", "a", "--role", "staging"), 64, "token add: --expires 90d|DATE is missing"),
    (("add", "--role", "staging", "--expires", "1d"), 64, "token add: expected a name"),
    (("make",), 64, "token: there is no \"make\""),
])
def test_what_is_wrong_is_said(scene, arguments, wanted, said):
    assert said in scene.run(ROLE_ADMIN, "token", *arguments, wanted=wanted)


def test_what_a_token_may_is_explained(scene):
    def explain(*words):
        return scene.as_server("policy", "explain", *words).stdout
    scene.token("explained")
    assert "yes: token:explained may deploy staging: staging (STAGING_TELEGRAM_IDS: " in \
        explain("token:explained", "deploy", "staging")
    assert "no: token:explained may not deploy production" in explain("token:explained", "deploy", "production")


def test_nobody_makes_a_token_without_the_grant_nor_by_a_token(scene):
    said = scene.run(ROLE, "token", "add", "mine", "--role", "staging", "--expires", "1d", wanted=77)
    assert "only an admin may" in said
    token = scene.token("maker", role="admin")
    body = {"name": "child", "role": "staging", "expires": "1d"}
    assert scene.call("POST", "/v1/token/add", token, body)[0] == 403
    assert scene.call("POST", "/v1/2fa/add", token, {"person": FIRST_ADMIN})[0] == 403
    assert "child" not in scene.run(ROLE_ADMIN, "token", "list")


def test_somebody_logs_in_and_out_and_their_message_is_gone(scene):
    token = scene.token("login")
    eve = scene.mallory
    eve.say("/status staging")
    eve.say(f"/login {token}")
    eve.hear("Logged in as staging", chat=MALLORY)
    wait_until(lambda: not [m for m in scene.chat.messages(MALLORY)
                            if token in json.dumps(m) and not m["deleted"]], PATIENCE_S, "the message with the token")
    assert scene.wait_for_audit(action="login")[-1]["user_id"] == f"telegram:{MALLORY}"
    eve.say("/sessions")
    eve.hear("Logged in:", "login", chat=MALLORY)
    eve.say("/logout")
    eve.hear("Logged out", chat=MALLORY)
    assert scene.wait_for_audit(action="logout")[-1]["reason"] == "at their word"


def test_no_artefact_holds_a_token_or_their_key(scene):
    token = scene.token("canary")
    scene.mallory.say(f"please use {token} for me")
    scene.mallory.hear("Nothing done: that looks like a token", chat=MALLORY)
    assert scene.status(token) == 200
    looked = 0
    for path in scene.artefacts():
        bytes_of = path.read_bytes()
        looked += 1
        for one in scene.made:
            assert one.encode() not in bytes_of and one[10:].encode() not in bytes_of, path
    assert looked > 5 and len(scene.made) > 5
    with sqlite3.connect(f"file:{scene.bot.settings['STATE_DIRECTORY']}/deploybot.db?mode=ro", uri=True) as db:
        macs = [row[0] for row in db.execute("SELECT mac FROM token")]
    assert len(macs) >= len(scene.made) and all(re.fullmatch("[0-9a-f]{64}", mac) for mac in macs)


def test_without_the_setting_there_is_no_v1_on_tcp():
    scene = TokenScene(ENABLE_API_SERVER="false")
    try:
        token = scene.token("ci")
        assert scene.status(token) == 404
        assert scene.call("POST", "/v1/command/deploy", token, {"arguments": ["staging"]})[0] == 404
    finally:
        scene.close()
