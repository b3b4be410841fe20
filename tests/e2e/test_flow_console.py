"""Goal: a person logs in to /v1 by a link from the chat or by initData, and is out with their role."""
# SPDX-License-Identifier: ISC
import hashlib
import hmac
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from flow_aid import PATIENCE_S, Scene
from stage import wait_until
from telegram_client import GROUP, text_of

SECRET = "canary-of-the-key-of-sessions-7Qd2Zk9Lw4X"
OBSERVER = 4711


class ConsoleScene(Scene):
    def __init__(self, folder, **options):
        super().__init__(folder, settings={
            "CONSOLE": "true", "ENABLE_API_SERVER": "true", "AUTH_TOKEN_SECRET": SECRET,
            "PUBLIC_URL": "https://bot.example.org", "ROLE_RATE_LIMIT": "0", "ROLE_OBSERVER_IDS": str(OBSERVER),
            "ROLE_OBSERVER_MAY": "status:staging,history:staging"}, **options)
        self.address = 0
        self.chat.act("users", user_id=OBSERVER, first_name="Olga", username="olga")

    def call(self, method, path, token=None, body=None, server=None):
        """(status, JSON) of /v1; each from an address of its own, so that wrong tries of one cost no other."""
        asked = urllib.request.Request((server or self.bot).base + path, method=method,
                                       data=None if body is None else json.dumps(body).encode())
        self.address += 1
        asked.add_header("X-Real-IP", f"192.0.2.{self.address % 250 + 1}")
        asked.add_header("Content-Type", "application/json")
        if token is not None:
            asked.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            text = answer.read()
            return answer.code, json.loads(text) if text else None

    def code(self, person):
        person.say("/console")
        text = text_of(person.hear("Open the console"))
        return re.search(r"https://bot\.example\.org/console/#code=([0-9a-f]{32})\b", text)[1]

    def open(self, server=None, **body):
        return self.call("POST", "/v1/session/open", body=body, server=server)

    def me(self, token, server=None):
        return self.call("GET", "/v1/me", token, server=server)

    def init_data(self, user, token=None, age_s=0, **more):
        """As Telegram gives it to a Mini App: signed with the bot's token."""
        pairs = {"auth_date": str(int(time.time()) - age_s), "query_id": f"AAE{self.address}", "user": json.dumps(user),
                 "signature": "c2lnbmF0dXJl", **more}
        key = hmac.new(b"WebAppData", (token or self.bot.settings["TELEGRAM_BOT_TOKEN"]).encode(), hashlib.sha256)
        signed = "\n".join(f"{name}={pairs[name]}" for name in sorted(pairs))
        pairs["hash"] = hmac.new(key.digest(), signed.encode(), hashlib.sha256).hexdigest()
        return urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = ConsoleScene(tmp_path_factory.mktemp("console"), in_file=True)
    yield made
    made.stop()


OLGA = {"id": OBSERVER, "first_name": "Olga +", "username": "olga"}


def test_a_link_from_the_chat_logs_in_once(scene):
    code = scene.code(scene.person(OBSERVER))
    status, answer = scene.open(code=code)
    assert status == 200 and re.fullmatch("deploybotc_[0-9a-f]{64}", answer["token"]), answer
    assert scene.open(code=code)[0] == 401
    status, me = scene.me(answer["token"])
    assert status == 200 and me["person"] == {"id": OBSERVER, "name": "@olga"} and me["roles"] == ["observer"], me
    assert {"right": "status", "target": "staging"} in me["may"] and not me["has_factor"]
    assert scene.call("GET", "/v1/status/staging", answer["token"])[0] == 200
    assert scene.call("POST", "/v1/command/deploy", answer["token"], {"arguments": ["staging"]})[0] == 403
    assert scene.call("POST", "/v1/session/end", answer["token"], {})[0] == 200
    assert scene.me(answer["token"])[0] == 401
    assert scene.wait_for_audit(action="login")[-1]["user_id"] == f"telegram:{OBSERVER}"


def test_initdata_logs_in_once_and_only_of_this_bot_and_of_now(scene):
    good = scene.init_data(OLGA)
    status, answer = scene.open(init_data=good)
    assert status == 200, answer
    assert scene.me(answer["token"])[0] == 200
    shuffled = "&".join(reversed(good.split("&")))
    assert scene.open(init_data=good)[0] == 401 and scene.open(init_data=shuffled)[0] == 401
    for bad in (scene.init_data(OLGA, token="1:another"), scene.init_data(OLGA, age_s=86400),
                scene.init_data(OLGA, age_s=-86400), good[:-1] + ("0" if good[-1] != "0" else "1"),
                urllib.parse.quote(good)):
        assert scene.open(init_data=bad)[0] == 401, bad
    assert scene.open(init_data=scene.init_data({"id": 99887766, "first_name": "Eve"}))[0] == 403


def test_a_session_survives_a_restart_and_is_kept_as_a_mac_alone(scene):
    token = scene.open(init_data=scene.init_data(OLGA))[1]["token"]
    scene.bot.kill()
    scene.bot.start()
    assert scene.me(token)[0] == 200
    for path in scene.folder.rglob("*"):
        if path.is_file() and "peers" not in path.parts:
            assert token[11:].encode() not in path.read_bytes(), path


def test_a_session_ends_with_the_role_of_its_person(scene):
    token = scene.open(init_data=scene.init_data(OLGA))[1]["token"]
    path = scene.folder / ".env"
    before = path.read_text("utf-8")
    path.write_text(before.replace(f"ROLE_OBSERVER_IDS={OBSERVER}", "ROLE_OBSERVER_IDS=1"), "utf-8")
    wait_until(lambda: scene.me(token)[0] == 401, PATIENCE_S, "the end of the session")
    path.write_text(before, "utf-8")
    wait_until(lambda: scene.open(init_data=scene.init_data(OLGA))[0] == 200, PATIENCE_S, "the role")
    assert scene.me(token)[0] == 401


def test_work_has_a_button_that_opens_the_page_and_so_has_the_menu(scene):
    scene.carl.say("/deploy staging")
    view = scene.carl.hear("staging", chat=scene.carl.number)
    rows = view["message"]["reply_markup"]["inline_keyboard"]
    opened = [button for row in rows for button in row if "web_app" in button]
    assert [button["web_app"]["url"] for button in opened] == ["https://bot.example.org/console/"]
    wait_until(lambda: scene.chat.bot("getChatMenuButton", chat_id=OBSERVER)[1]["result"] == {
        "type": "web_app", "text": "Console", "web_app": {"url": "https://bot.example.org/console/"}},
        PATIENCE_S, "the button of the menu")
    scene.wait_free()


def test_from_a_group_it_opens_inside_telegram_where_the_bot_has_a_main_app(scene):
    """Which getMe says, and doctor how to have it."""
    path = scene.folder / ".env"
    path.write_text(f"{path.read_text('utf-8')}TELEGRAM_CHAT_ID={GROUP}\n", "utf-8")
    page = "https://bot.example.org/console/"
    for on, link, said in (
            (False, f"{page}#w", f"Bot Settings, Configure Mini App, enable it with {page}, then restart deploybot"),
            (True, "https://t.me/deploy_demo_bot?startapp=w", f"if the main app at @BotFather is {page}")):
        scene.chat.act("main_app", on=on)
        scene.bot.stop()
        scene.bot.start()
        wait_until(lambda: scene.bot.log().count("connected to Telegram as @") > 0, PATIENCE_S, "getMe")
        commit = scene.commit()["after"]
        scene.carl.say("/deploy staging", chat=GROUP)
        rows = scene.carl.hear("staging", commit[:7], chat=GROUP)["message"]["reply_markup"]["inline_keyboard"]
        opened = [button["url"] for row in rows for button in row if "Open" in button["text"]]
        assert len(opened) == 1 and re.fullmatch(re.escape(link) + "[0-9]+", opened[0]), opened
        scene.wait_free()
        found = scene.bot.run("doctor").stdout
        assert said in found, [line for line in found.split("\n") if "Telegram" in line]
