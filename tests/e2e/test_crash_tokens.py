"""Goal: a token and a login are whole or not at all, though the server is killed while it makes them: what was shown
is valid, what is valid was shown or can be revoked, and a login is one."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re

import pytest

from crash_aid import killed_at
from flow_aid import PATIENCE_S
from local_aid import ROLE_ADMIN, LocalScene
from ops_aid import request
from stage import wait_until
from telegram_client import MALLORY

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root says which role it acts as")
POINTS = ["decision_made", "batch_decided", "batch_committed", "answer_due", "answer_given"]
BY_DAY = [point if point in ("batch_decided", "batch_committed") else pytest.param(point, marks=pytest.mark.long)
          for point in POINTS]
SHAPE = re.compile(r"deploybot_[0-9a-f]{64}")


@pytest.fixture(scope="module")
def scene():
    made = LocalScene(settings={
        "ENABLE_TOKEN_AUTH": "true", "AUTH_TOKEN_SECRET": "key-of-the-tokens-of-this-test-0123456789",
        "ENABLE_API_SERVER": "true", "ROLE_RATE_LIMIT": "0"})
    yield made
    made.close()


def add(scene, name):
    """The token; None where the server died first."""
    said = scene.run(ROLE_ADMIN, "token", "add", name, "--role", "staging", "--expires", "9d", wanted=None)
    said = SHAPE.search(said)
    return said[0] if said else None


def status(scene, token):
    return request(scene.bot, "GET", "/v1/status", b"", {"Authorization": f"Bearer {token}"}).status


@pytest.mark.parametrize("point", BY_DAY)
def test_a_token_is_made_whole_or_not_at_all(scene, point):
    name = f"ci-{point.replace('_', '-')}"
    with killed_at(scene.bot, point, scene.sockets / f"add-{point}.page"):
        shown = add(scene, name)
    rows = scene.bot_rows(f"SELECT id FROM token WHERE name = '{name}' AND revoked_at = 0")
    entries = [e for e in scene.audit(action="token_made") if name in str(e)]
    assert len(rows) == len(entries) <= 1
    assert shown is None or (len(rows) == 1 and status(scene, shown) == 200)
    if rows:
        scene.run(ROLE_ADMIN, "token", "revoke", name)
        assert shown is None or status(scene, shown) == 401
    again = add(scene, name)
    assert again != shown and status(scene, again) == 200


@pytest.mark.parametrize("point", BY_DAY)
def test_a_login_is_one_and_its_token_is_not_kept(scene, point):
    token = add(scene, f"login-{point.replace('_', '-')}")
    before = len(scene.audit(action="login"))
    eve = scene.person(MALLORY)
    with killed_at(scene.bot, point, scene.sockets / f"login-{point}.page"):
        eve.say(f"/login {token}")
    wait_until(lambda: len(scene.audit(action="login")) > before, PATIENCE_S, "the login")
    eve.hear("Logged in as ", chat=MALLORY)
    assert len(scene.audit(action="login")) == before + 1
    assert scene.bot_rows(f"SELECT COUNT(*) FROM session WHERE person = {MALLORY}") == [(1,)]
    for path in pathlib.Path(scene.bot.settings["STATE_DIRECTORY"]).rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    eve.say("/logout")
    wait_until(lambda: scene.bot_rows(f"SELECT COUNT(*) FROM session WHERE person = {MALLORY}") == [(0,)], PATIENCE_S,
               "the end of the login")
