"""The stand-in for Telegram is as strict as Telegram: a test on it proves something."""
# SPDX-License-Identifier: ISC
import json
import threading
import time
import urllib.error
import urllib.request

import pytest

import telegram_client
from peers_aid import Receiver
from stage import wait_until
from telegram_client import ADA, CARL, GROUP, MALLORY, Telegram, request_json

SECRET = "a-secret-of-more-than-sixteen-bytes"
BUTTON = {"inline_keyboard": [[{"text": "Go", "callback_data": "id1"}]]}


@pytest.fixture(name="chat")
def _chat():
    with Telegram.start("--local", "--limits", "off", "--speed", "50") as chat:
        yield chat


@pytest.fixture(name="receiver")
def _receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


# ---- what a message may be -----------------------------------------------------------------------

def refusal(chat, method, **arguments):
    status, answer = chat.bot(method, **arguments)
    assert answer["ok"] is False and answer["error_code"] == status
    return status, answer["description"]


def sent(chat, text="x", chat_id=ADA, **options):
    status, answer = chat.bot("sendMessage", chat_id=chat_id, text=text, **options)
    assert status == 200, answer
    return answer["result"]


@pytest.mark.parametrize("text, sentence", [
    ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
    ("<foo>", 'Unsupported start tag "foo" at byte offset 0'),
    ("ü <x y", 'Unsupported start tag "x" at byte offset 3'),
    ("x</b>", "Unexpected end tag at byte offset 1"),
    ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
    ("a &nbsp; b", 'Unsupported entity "&nbsp;" at byte offset 2'),
    ("<code><b>x</b></code>", 'Tag "b" can\'t be nested in "code" at byte offset 6'),
])
def test_text_that_is_no_telegram_html_is_refused(chat, text, sentence):
    assert refusal(chat, "sendMessage", chat_id=ADA, text=text, parse_mode="HTML") == (
        400, f"Bad Request: can't parse entities: {sentence}")


def test_entities_are_counted_in_utf16_units(chat):
    message = sent(chat, '😀 <b>ü</b> <a href="https://x.example/?a=1&amp;b=2">l</a>'
                         '<pre><code class="language-c">int</code></pre>', parse_mode="HTML")
    assert message["text"] == "😀 ü lint"
    assert message["entities"] == [
        {"offset": 3, "length": 1, "type": "bold"},
        {"offset": 5, "length": 1, "type": "text_link", "url": "https://x.example/?a=1&b=2"},
        {"offset": 6, "length": 3, "type": "pre", "language": "c"}]


def test_a_text_has_at_most_4096_units_after_its_entities(chat):
    assert sent(chat, "<b>" + "&lt;" * 4096 + "</b>", parse_mode="HTML")["text"] == "<" * 4096
    assert refusal(chat, "sendMessage", chat_id=ADA, text="😀" * 2049) == (
        400, "Bad Request: message is too long")
    assert refusal(chat, "sendMessage", chat_id=ADA, text=" \n ") == (
        400, "Bad Request: message text is empty")


@pytest.mark.parametrize("body", [b"chat_id=%d&text=a%%00b" % ADA, b"chat_id=%d&text=%%ff" % ADA])
def test_nul_and_invalid_utf8_are_refused(chat, body):
    request = urllib.request.Request(f"{chat.base}/bot{chat.token}/sendMessage", body)
    with pytest.raises(urllib.error.HTTPError) as caught:
        telegram_client.DIRECT.open(request)
    assert json.load(caught.value)["description"] == (
        "Bad Request: strings must be encoded in UTF-8")


MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}


def multipart(file=None, **fields):
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
             for k, v in fields.items()]
    if file:
        parts.append(b'--cut\r\nContent-Disposition: form-data; name="document"; '
                     b'filename="run.log"\r\nContent-Type: text/plain\r\n\r\n' + file + b"\r\n")
    return b"".join(parts) + b"--cut--\r\n"


def test_a_document_is_kept_whole_and_has_a_limit(chat):
    url = f"{chat.base}/bot{chat.token}/sendDocument"
    content = bytes(range(256)) * 64
    body = multipart(content, chat_id=str(ADA), caption="the log")
    telegram_client.DIRECT.open(urllib.request.Request(url, body, MULTIPART)).read()
    view = chat.messages(ADA)[-1]
    assert view["message"]["document"]["file_name"] == "run.log"
    assert chat.file(view) == content
    body = multipart(b"x" * 50_000_001, chat_id=str(ADA))
    with pytest.raises(urllib.error.HTTPError) as caught:
        telegram_client.DIRECT.open(urllib.request.Request(url, body, MULTIPART))
    assert caught.value.code == 413


@pytest.mark.parametrize("button, sentence", [
    ({"text": "x", "callback_data": "ü" * 33}, "BUTTON_DATA_INVALID"),
    ({"text": "x"}, "can't parse inline keyboard button: Text buttons are unallowed in the "
                    "inline keyboard"),
    ({"callback_data": "x"}, "can't parse inline keyboard button: Can't find field \"text\""),
])
def test_buttons_are_checked(chat, button, sentence):
    assert refusal(chat, "sendMessage", chat_id=ADA, text="x",
                   reply_markup={"inline_keyboard": [[button]]}) == (
        400, f"Bad Request: {sentence}")


def test_a_copy_button_is_allowed(chat):
    keyboard = {"inline_keyboard": [[{"text": "Copy", "copy_text": {"text": "APPROVE 1"}}]]}
    assert sent(chat, reply_markup=keyboard)["reply_markup"] == keyboard


def test_a_page_opens_in_private_chats_alone_and_by_https(chat):
    """https://core.telegram.org/bots/api#inlinekeyboardbutton: web_app is available in private chats alone."""
    def page(url):
        return {"inline_keyboard": [[{"text": "Open", "web_app": {"url": url}}]]}
    good = page("https://bot.example.org/console/")
    assert sent(chat, reply_markup=good)["reply_markup"] == good
    assert refusal(chat, "sendMessage", chat_id=GROUP, text="x", reply_markup=good) == (
        400, "Bad Request: BUTTON_TYPE_INVALID")
    assert "Only HTTPS links are allowed" in refusal(
        chat, "sendMessage", chat_id=ADA, text="x", reply_markup=page("http://bot.example.org/"))[1]
    button = {"type": "web_app", "text": "Console", "web_app": {"url": "https://bot.example.org/console/"}}
    assert chat.bot("setChatMenuButton", chat_id=ADA, menu_button=button)[0] == 200
    assert chat.bot("getChatMenuButton", chat_id=ADA)[1]["result"] == button
    assert refusal(chat, "setChatMenuButton", chat_id=GROUP, menu_button=button)[0] == 400
    assert refusal(chat, "setChatMenuButton", chat_id=ADA, menu_button={
        **button, "web_app": {"url": "http://bot.example.org/"}})[0] == 400


def test_topics_are_checked(chat):
    topic = next(c for c in chat.state()["chats"] if c["id"] == GROUP)["topics"][0]
    thread_id = topic["message_thread_id"]
    assert sent(chat, chat_id=GROUP, message_thread_id=thread_id)["is_topic_message"]
    for unknown in (1, 99):
        assert refusal(chat, "sendMessage", chat_id=GROUP, text="x",
                       message_thread_id=unknown) == (
            400, "Bad Request: message thread not found")
    chat.act("delete-topic", chat_id=GROUP, message_thread_id=thread_id)
    assert refusal(chat, "sendMessage", chat_id=GROUP, text="x", message_thread_id=thread_id) == (
        400, "Bad Request: message thread not found")


def test_who_cannot_be_written_to_is_said(chat):
    assert refusal(chat, "sendMessage", chat_id=12345, text="x") == (
        400, "Bad Request: chat not found")
    chat.act("block", user_id=ADA)
    assert refusal(chat, "sendMessage", chat_id=ADA, text="x") == (
        403, "Forbidden: bot was blocked by the user")


def test_a_group_that_became_a_supergroup_says_its_new_id(chat):
    chat.act("chats", chat_id=-77, title="old", kind="group", members=[ADA])
    chat.act("migrate", chat_id=-77, new_id=-1001700000077)
    status, answer = chat.bot("sendMessage", chat_id=-77, text="x")
    assert status == 400 and answer["parameters"] == {"migrate_to_chat_id": -1001700000077}
    assert sent(chat, chat_id=-1001700000077)


def test_an_edit_without_a_change_is_refused(chat):
    message = sent(chat, "<b>x</b>", parse_mode="HTML", reply_markup=BUTTON)
    edit = {"chat_id": ADA, "message_id": message["message_id"], "text": "<b>x</b>",
            "parse_mode": "HTML"}
    status, sentence = refusal(chat, "editMessageText", **edit, reply_markup=BUTTON)
    assert status == 400 and sentence.startswith("Bad Request: message is not modified: ")
    assert chat.bot("editMessageText", **edit)[0] == 200
    assert "reply_markup" not in chat.messages(ADA)[-1]["message"]
    assert refusal(chat, "editMessageText", chat_id=ADA, message_id=999, text="y") == (
        400, "Bad Request: message to edit not found")


def test_only_own_messages_can_be_edited(chat):
    view = chat.say(ADA, ADA, "mine")
    assert refusal(chat, "editMessageText", chat_id=ADA, message_id=view["message_id"],
                   text="y") == (400, "Bad Request: message can't be edited")


def test_commands_are_checked_and_kept_per_scope(chat):
    good = [{"command": "deploy", "description": "ship it"}]
    assert refusal(chat, "setMyCommands",
                   commands=[{"command": "De-ploy", "description": "x"}]) == (
        400, "Bad Request: BOT_COMMAND_INVALID")
    assert refusal(chat, "setMyCommands", commands=good * 101) == (
        400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    scope = {"type": "chat", "chat_id": ADA}
    assert chat.bot("setMyCommands", commands=good, scope=scope)[0] == 200
    assert chat.bot("getMyCommands", scope=scope)[1]["result"] == good
    assert chat.bot("getMyCommands")[1]["result"] == []


def test_a_press_is_answered_once_and_in_time():
    with Telegram.start("--local", "--limits", "off", "--speed", "300") as chat:
        sent(chat, reply_markup=BUTTON)
        view = chat.messages(ADA)[-1]
        assert chat.press(CARL, view, "Go", wait=0) is None
        query = chat.bot("getUpdates", timeout=2)[1]["result"][-1]["callback_query"]
        assert (query["from"]["id"], query["data"]) == (CARL, "id1")
        answer = {"callback_query_id": query["id"], "text": "done"}
        assert refusal(chat, "answerCallbackQuery", **{**answer, "text": "x" * 201})[0] == 400
        assert chat.bot("answerCallbackQuery", **answer)[0] == 200
        late = (400, "Bad Request: query is too old and response timeout expired or query ID is "
                     "invalid")
        assert refusal(chat, "answerCallbackQuery", **answer) == late
        second = chat.act("press", user_id=ADA, chat_id=ADA, message_id=view["message_id"],
                          data="forged")["query_id"]
        assert chat.get("events", after=chat.mark(), timeout=0.7) == []
        assert refusal(chat, "answerCallbackQuery", callback_query_id=second) == late


# ---- who calls -----------------------------------------------------------------------------------

def test_a_page_of_another_site_cannot_act_for_people(chat):
    act = f"{chat.base}/sim/privacy"
    for headers in ({"Content-Type": "text/plain"},
                    {"Content-Type": "application/json", "Host": "evil.example"}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            telegram_client.DIRECT.open(urllib.request.Request(act, b'{"on":false}', headers))
        assert caught.value.code in (415, 421)


def test_tokens_and_methods_are_checked(chat):
    for token, status in (("nonsense", 404), ("7000000001:another_token_of_the_bot", 401)):
        assert request_json(f"{chat.base}/bot{token}/getMe")[0] == status
    assert refusal(chat, "makeCoffee") == (404, "Not Found: method not found")
    chat.act("revoke")
    assert refusal(chat, "getMe") == (401, "Unauthorized")


def test_parameters_stand_in_query_form_json_or_multipart(chat):
    url = f"{chat.base}/bot{chat.token}/sendMessage"
    ways = [(f"{url}?chat_id={ADA}&text=one", None, {}),
            (url, f"chat_id={ADA}&text=two+words".encode(), {}),
            (url, json.dumps({"chat_id": ADA, "text": "three"}).encode(),
             {"Content-Type": "application/json"}),
            (url, multipart(chat_id=str(ADA), text="four"), MULTIPART)]
    for address, body, headers in ways:
        telegram_client.DIRECT.open(urllib.request.Request(address, body, headers)).read()
    texts = [view["message"]["text"] for view in chat.messages(ADA)]
    assert texts == ["one", "two words", "three", "four"]


# ---- updates -------------------------------------------------------------------------------------

def polled(chat, **arguments):
    return chat.bot("getUpdates", **arguments)[1]["result"]


def test_an_acknowledged_update_is_not_given_again(chat):
    chat.say(ADA, ADA, "one")
    chat.say(ADA, ADA, "two")
    first, second = polled(chat)
    assert second["update_id"] == first["update_id"] + 1
    assert polled(chat, offset=second["update_id"]) == [second]
    assert polled(chat, offset=second["update_id"] + 1, timeout=1) == []
    assert polled(chat, offset=0, timeout=1) == []


def test_a_long_poll_ends_when_something_is_said(chat):
    timer = threading.Timer(0.2, chat.say, (ADA, ADA, "hello"))
    timer.start()
    assert polled(chat, timeout=20)[0]["message"]["text"] == "hello"
    timer.join()


def test_two_pollers_are_a_conflict(chat):
    found = {}
    first = threading.Thread(target=lambda: found.update(first=chat.bot("getUpdates",
                                                                        timeout=20)))
    first.start()
    chat_polls(chat)
    threading.Timer(0.3, chat.say, (ADA, ADA, "x")).start()
    assert len(polled(chat, timeout=20, offset=-5)) == 1
    first.join()
    assert found["first"][0] == 409
    assert "terminated by other getUpdates request" in found["first"][1]["description"]


def chat_polls(chat):
    wait_until(lambda: chat.state()["polling"], what="a poll")


def test_polling_while_a_webhook_is_set_is_a_conflict(chat, receiver):
    chat.bot("setWebhook", url=receiver.url)
    status, sentence = refusal(chat, "getUpdates")
    assert status == 409 and "webhook is active" in sentence


def test_allowed_updates_are_kept_until_they_are_named_again(chat):
    polled(chat, allowed_updates=["callback_query"])
    chat.say(ADA, ADA, "nobody hears this")
    assert polled(chat, timeout=1) == []
    chat.say(ADA, ADA, "nor this")
    polled(chat, allowed_updates=[])
    chat.say(ADA, ADA, "but this")
    assert [u["message"]["text"] for u in polled(chat)] == ["but this"]


def test_a_group_that_was_left_is_left_once_and_hears_nothing(chat):
    assert chat.bot("leaveChat", chat_id=GROUP)[1]["result"] is True
    assert refusal(chat, "leaveChat", chat_id=GROUP) == (403, "Forbidden: bot is not a member of the supergroup chat")
    assert refusal(chat, "sendMessage", chat_id=GROUP, text="x")[0] == 403
    assert refusal(chat, "leaveChat", chat_id=ADA)[0] == 400
    change, = (u["my_chat_member"] for u in polled(chat) if "my_chat_member" in u)
    assert change["new_chat_member"]["status"] == "left"


def test_only_an_administrator_with_the_right_pins_in_a_group(chat):
    own = sent(chat, "what runs where", chat_id=GROUP)
    rights = (400, "Bad Request: not enough rights to manage pinned messages in the chat")
    assert refusal(chat, "pinChatMessage", chat_id=GROUP, message_id=own["message_id"]) == rights
    chat.act("bot_status", chat_id=GROUP, by_user_id=ADA, status="administrator", may_pin=False)
    assert refusal(chat, "pinChatMessage", chat_id=GROUP, message_id=own["message_id"]) == rights
    chat.act("bot_status", chat_id=GROUP, by_user_id=ADA, status="administrator")
    assert refusal(chat, "pinChatMessage", chat_id=GROUP, message_id=9999) == (
        400, "Bad Request: message to pin not found")
    assert refusal(chat, "pinChatMessage", chat_id=GROUP) == (
        400, "Bad Request: message identifier is not specified")
    for _ in range(2):
        assert chat.bot("pinChatMessage", chat_id=GROUP, message_id=own["message_id"],
                        disable_notification=True)[1]["result"] is True
    # Although it is ours, what Telegram says about it comes back: once.
    told, = (u["message"] for u in polled(chat, offset=-9) if "message" in u)
    assert told["pinned_message"]["message_id"] == own["message_id"] and told["from"]["is_bot"]
    assert refusal(chat, "pinChatMessage", chat_id=GROUP, message_id=told["message_id"]) == (
        400, "Bad Request: a service message can't be pinned")
    assert chat.bot("unpinChatMessage", chat_id=GROUP, message_id=own["message_id"])[1]["result"] is True
    assert refusal(chat, "unpinChatMessage", chat_id=GROUP, message_id=own["message_id"]) == (
        400, "Bad Request: message to unpin not found")
    private = sent(chat, "here too", chat_id=ADA)
    assert chat.bot("pinChatMessage", chat_id=ADA, message_id=private["message_id"])[1]["result"] is True


def test_in_a_group_privacy_mode_hides_what_is_not_for_the_bot(chat):
    own = sent(chat, "a question", chat_id=GROUP)
    for text in ("hello", "@deploy_demo_bot do it", "/status@other_bot", "x /status"):
        chat.say(CARL, GROUP, text)
    assert polled(chat, timeout=1) == []
    chat.say(CARL, GROUP, "/status")
    chat.say(CARL, GROUP, "/status@Deploy_Demo_Bot")
    chat.say(CARL, GROUP, "yes", reply_to=own["message_id"])
    texts = [u["message"]["text"] for u in polled(chat, offset=-9)]
    assert texts == ["/status", "/status@Deploy_Demo_Bot", "yes"]


def test_a_bot_never_hears_itself_other_bots_or_yesterday(chat):
    chat.act("users", user_id=55, first_name="Other", is_bot=True)
    sent(chat, "/status", chat_id=GROUP)
    chat.say(55, GROUP, "/status")
    chat.say(ADA, ADA, "/status", date=int(time.time()) - 86401)
    assert polled(chat, timeout=1) == []


def test_strange_senders_can_be_played(chat):
    origin = {"type": "user", "date": 1, "sender_user": {"id": ADA, "is_bot": False,
                                                         "first_name": "Ada"}}
    chat.say(MALLORY, GROUP, "/deploy staging", anonymous=True)
    chat.say(MALLORY, MALLORY, "/deploy staging", extra={"forward_origin": origin})
    view = chat.say(MALLORY, MALLORY, "harmless")
    chat.act("edit", user_id=MALLORY, chat_id=MALLORY, message_id=view["message_id"],
             text="/deploy staging")
    anonymous, forwarded, _, edited = polled(chat)
    assert anonymous["message"]["from"]["username"] == "GroupAnonymousBot"
    assert anonymous["message"]["sender_chat"]["id"] == GROUP
    assert forwarded["message"]["forward_origin"] == origin
    assert edited["edited_message"]["edit_date"]


def test_a_chat_takes_a_short_burst_and_then_one_message_a_second():
    with Telegram.start("--local") as chat:
        results = [chat.bot("sendMessage", chat_id=ADA, text=str(i)) for i in range(7)]
        status, answer = results[-1]
        assert [s for s, _ in results][:5] == [200] * 5 and status == 429
        assert answer["parameters"]["retry_after"] >= 1
        assert answer["description"] == (
            f"Too Many Requests: retry after {answer['parameters']['retry_after']}")


def test_a_group_takes_twenty_messages_a_minute_and_edits_count():
    with Telegram.start("--local") as chat:
        chat.set_limits(chat_rate=None, overall=None)
        message = sent(chat, "0", chat_id=GROUP)
        for i in range(1, 20):
            assert chat.bot("editMessageText", chat_id=GROUP, message_id=message["message_id"],
                            text=str(i))[0] == 200
        status, answer = chat.bot("sendMessage", chat_id=GROUP, text="x")
        assert status == 429 and 50 <= answer["parameters"]["retry_after"] <= 60


def test_faults_happen_when_they_were_asked_for(chat):
    chat.fault("sendMessage", times=1, status=502, description="Bad Gateway")
    chat.fault("sendMessage", times=1, execute=True, close=True)
    assert refusal(chat, "sendMessage", chat_id=ADA, text="one") == (502, "Bad Gateway")
    with pytest.raises(OSError):
        chat.bot("sendMessage", chat_id=ADA, text="two")
    sent(chat, "three")
    assert [v["message"]["text"] for v in chat.messages(ADA)] == ["two", "three"]


# ---- webhooks ------------------------------------------------------------------------------------

@pytest.mark.parametrize("url, sentence", [
    ("http://bot.example.org/", "bad webhook: An HTTPS URL must be provided for webhook"),
    ("https://1.1.1.1:8080/", "bad webhook: Webhook can be set up only on ports 80, 88, 443 or "
                              "8443"),
    ("https://127.0.0.1/", "bad webhook: IP address 127.0.0.1 is reserved"),
])
def test_a_strict_server_refuses_a_webhook_it_would_not_call(url, sentence):
    with Telegram.start() as chat:
        assert refusal(chat, "setWebhook", url=url) == (400, f"Bad Request: {sentence}")


def test_secret_tokens_have_an_alphabet(chat, receiver):
    assert refusal(chat, "setWebhook", url=receiver.url, secret_token="a+b/c=") == (
        400, "Bad Request: secret token contains unallowed characters")


def test_setting_webhooks_in_haste_is_refused():
    with Telegram.start("--local") as chat:
        chat.bot("setWebhook", url="http://127.0.0.1:9/a")
        status, answer = chat.bot("setWebhook", url="http://127.0.0.1:9/b")
        assert status == 429 and answer["parameters"]["retry_after"] == 1


def test_an_update_is_delivered_with_the_secret_and_counted(chat, receiver):
    chat.say(ADA, ADA, "before")
    chat.bot("setWebhook", url=receiver.url, secret_token="s3cret_-", allowed_updates=["message"])
    got = receiver.wait(1)[0]
    assert got["headers"]["X-Telegram-Bot-Api-Secret-Token"] == "s3cret_-"
    assert got["headers"]["Content-Type"] == "application/json"
    assert json.loads(got["body"])["message"]["text"] == "before"
    chat.wait_for_event(lambda e: e["kind"] == "delivery" and e["status"] == 200, 5)
    info = chat.bot("getWebhookInfo")[1]["result"]
    assert (info["pending_update_count"], info["allowed_updates"]) == (0, ["message"])


def test_a_refused_update_holds_back_its_own_chat_only(chat, receiver):
    receiver.answers = [(500, {}, b"")] * 3
    chat.bot("setWebhook", url=receiver.url)
    chat.say(ADA, ADA, "a1")
    receiver.wait(2)
    chat.say(ADA, ADA, "a2")
    chat.say(CARL, CARL, "c1")
    receiver.wait(6)
    texts = [u["message"]["text"] for u in receiver.updates()]
    assert texts.count("a1") >= 3 and texts.count("a2") == 1
    assert texts.index("a2") > len(texts) - texts[::-1].index("a1") - 1
    assert "500" in chat.bot("getWebhookInfo")[1]["result"]["last_error_message"]


def test_the_first_retry_comes_at_once_and_later_ones_double(receiver):
    with Telegram.start("--local", "--speed", "10") as chat:
        receiver.answers = [(503, {}, b"")] * 4
        chat.bot("setWebhook", url=receiver.url)
        chat.say(ADA, ADA, "x")
        times = [entry["at"] for entry in receiver.wait(5)]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        assert gaps[0] < 0.15
        assert [0.2 <= gaps[1] < 0.4, 0.4 <= gaps[2] < 0.8, 0.8 <= gaps[3] < 1.6] == [True] * 3


def test_retry_after_is_honoured(receiver):
    with Telegram.start("--local", "--speed", "10") as chat:
        receiver.answers = [(503, {"Retry-After": "5"}, b"")]
        chat.bot("setWebhook", url=receiver.url)
        chat.say(ADA, ADA, "x")
        first, second = (entry["at"] for entry in receiver.wait(2))
        assert 0.5 <= second - first < 1


def test_a_body_with_a_method_is_executed(chat, receiver):
    receiver.answers = [(200, {"Content-Type": "application/json"},
                         json.dumps({"method": "sendMessage", "chat_id": ADA,
                                     "text": "oops"}).encode())]
    chat.bot("setWebhook", url=receiver.url)
    chat.say(ADA, ADA, "x")
    assert chat.wait_for_text("oops", 5)
    assert chat.state()["executed"][0]["method"] == "sendmessage"


def test_a_strict_webhook_can_be_led_to_loopback(receiver):
    with Telegram.start("--resolve", f"bot.example.org:8443=127.0.0.1:{receiver.port}") as chat:
        assert chat.bot("setWebhook", url="https://bot.example.org:8443/hook")[0] == 200
        chat.say(ADA, ADA, "x")
        # The receiver speaks no TLS: that the attempt is noticed there is enough.
        event = chat.wait_for_event(lambda e: e["kind"] == "delivery", 5)
        assert event["error"] and event["status"] is None
