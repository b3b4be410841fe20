"""Goal: Telegram's updates come in by webhook: registered once, proven by the secret, answered with
nothing, acted on once, and none is lost when the way of receiving changes."""
# SPDX-License-Identifier: ISC
import http.client
import json

import pytest

from flow_aid import PATIENCE_S, Scene, ended_well
from stage import WEBHOOK_SECRET, wait_until
from telegram_client import ADA, GROUP, text_of

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("webhook"), webhook=True)
    yield made
    ended_well(made)


def is_registered(scene):
    return scene.chat.state()["webhook"]["url"] == scene.settings()["TELEGRAM_WEBHOOK_URL"]


def post(scene, body, secret=WEBHOOK_SECRET, method="POST", kind="application/json"):
    connection = http.client.HTTPConnection("127.0.0.1", scene.http_port, timeout=20)
    try:
        headers = {"Content-Type": kind}
        if secret is not None:
            headers[SECRET_HEADER] = secret
        connection.request(method, "/telegram/webhook", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def update(number, text, person=ADA):
    return json.dumps({"update_id": number, "message": {
        "message_id": number, "date": 1, "chat": {"id": person, "type": "private",
                                                  "first_name": "A"},
        "from": {"id": person, "is_bot": False, "first_name": "A"}, "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}]}})


def test_the_webhook_is_registered_at_start_and_asks_for_its_updates(scene):
    wait_until(lambda: is_registered(scene), PATIENCE_S, "the registration")
    call = scene.chat.calls("setWebhook")[0]
    assert call["arguments"]["secret_token"] == WEBHOOK_SECRET
    assert call["arguments"]["drop_pending_updates"] in ("false", "")
    assert set(json.loads(call["arguments"]["allowed_updates"])) >= {"message", "callback_query"}
    assert scene.chat.calls("getUpdates") == []


def test_a_deployment_by_webhook_goes_live(scene):
    who = scene.admin()
    who.say("/deploy production")
    question = who.hear("Deploy to production?")
    assert who.press(question, "Deploy to") == "Confirmed."
    who.hear("Live: production", scene.head("main")[:7])


def test_answers_to_telegram_have_no_body(scene):
    deliveries = scene.chat.deliveries()
    assert len(deliveries) >= 2
    assert {(d["status"], d["body"]) for d in deliveries} == {(200, "")}
    assert scene.chat.state()["executed"] == []


def test_a_wrong_or_missing_secret_is_401_empty_counted_and_audited_once(scene):
    before = scene.metric("deploybot_webhook_requests_total", source="telegram", code="401")
    commands = scene.metric("deploybot_commands_total")
    for secret in (None, "", "x", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x", WEBHOOK_SECRET.upper()):
        assert post(scene, update(1, "/status"), secret) == (401, b"")
    assert scene.metric("deploybot_webhook_requests_total", source="telegram",
                        code="401") == before + 6
    assert scene.metric("deploybot_commands_total") == commands
    assert len(scene.wait_for_audit(action="webhook_rejected")) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_is_no_post_is_405(scene, method):
    assert post(scene, b"", method=method)[0] == 405


def test_another_content_type_is_415_and_a_big_body_413(scene):
    assert post(scene, b"x", kind="text/plain") == (415, b"")
    assert post(scene, b" " * (2 << 20)) == (413, b"")


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"{}", b'{"update_id":1,"update_id":2}',
                                  b'{"update_id":"x"}', b"\xff\xfe", b"\0", b"[" * 100000,
                                  b'{"update_id":5,"message":{"text":"\\u0000"}}'],
                         ids=["empty", "cut", "null", "list", "nothing", "twice", "word", "utf8",
                              "zero", "deep", "nul"])
def test_an_update_that_is_none_is_200_and_audited(scene, body):
    """The first is an entry at once, the others are counted for the next one."""
    def known():
        return len(unreadable()) + scene.bot.counted("telegram: refused")

    def unreadable():
        return scene.audit(action="denied", outcome="denied", reason="unreadable")

    before = known()
    assert post(scene, body) == (200, b"")
    assert post(scene, update(1_000_000 + before, "/whoami"))[0] == 200, "the chat is not blocked"
    wait_until(lambda: known() > before, PATIENCE_S, "an entry, or one more that is counted")
    assert known() == before + 1 and len(unreadable()) == 1


def test_an_update_that_comes_twice_is_acted_on_once(scene):
    who = scene.admin()
    before = scene.metric("deploybot_commands_total", command="history")
    body = update(2_000_001, "/history", who.number)
    who.since = scene.chat.mark()
    for _ in range(3):
        assert post(scene, body) == (200, b"")
    who.since = 0
    scene.chat.act("say", user_id=who.number, chat_id=who.number, text="/status")
    who.hear("No release yet: staging")
    assert scene.metric("deploybot_commands_total", command="history") == before + 1
    assert len([m for m in who.messages() if "no deployments yet" in text_of(m)]) == 1


def test_a_webhook_of_ours_is_not_registered_again(scene):
    registered = len(scene.chat.calls("setWebhook"))
    asked = len(scene.chat.calls("getWebhookInfo"))
    assert scene.bot.stop() == 0
    who = scene.admin()
    who.say("/whoami")     # while we are stopped: it waits at Telegram
    scene.start_bot()
    who.hear("Your Telegram id is")
    wait_until(lambda: len(scene.chat.calls("getWebhookInfo")) > asked, PATIENCE_S, "a look")
    assert len(scene.chat.calls("setWebhook")) == registered
    assert scene.chat.calls("deleteWebhook") == []


def test_another_webhook_is_replaced_by_ours(scene):
    assert scene.bot.stop() == 0
    # As Telegram has it, two at once are refused: our own may have been a moment ago.
    wait_until(lambda: scene.chat.bot("setWebhook", url="http://127.0.0.1:9/other", secret_token="x" * 20)[0] == 200,
               PATIENCE_S, "another's webhook")
    assert not is_registered(scene)
    found = scene.bot.run("doctor")
    said = [line for line in found.stdout.splitlines() if "another webhook is registered" in line]
    # It may be our own of before: then `webhook set` makes the server that still has that one ring.
    advice = ": restart deploybot if TELEGRAM_WEBHOOK_URL was changed, else type `deploybot webhook set`"
    assert found.returncode == 1 and len(said) == 1, found.stdout
    assert said[0].startswith("error ") and advice in said[0], found.stdout
    who = scene.admin()
    who.say("/whoami")
    scene.start_bot()
    wait_until(lambda: is_registered(scene), PATIENCE_S, "our webhook")
    who.hear("Your Telegram id is", after=0)


def test_the_webhook_command_tells_and_sets(scene):
    info = scene.bot.run("webhook", "info")
    assert info.returncode == 0 and "/telegram/webhook" in info.stdout, info.stdout + info.stderr
    assert WEBHOOK_SECRET not in info.stdout + info.stderr


def test_polling_removes_the_webhook_and_drops_nothing(scene):
    assert scene.bot.stop() == 0
    who = scene.admin()
    who.say("/whoami")
    who.say("/history", chat=GROUP)
    scene.webhook = False
    scene.start_bot()
    who.hear("Your Telegram id is", after=0)
    who.hear("no deployments yet", chat=GROUP, after=0)
    assert scene.chat.state()["webhook"]["url"] == ""
    deleted = scene.chat.calls("deleteWebhook")
    assert deleted and all(call["arguments"].get("drop_pending_updates", "false") == "false"
                           for call in deleted)
