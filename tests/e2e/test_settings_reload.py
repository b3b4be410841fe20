"""Goal: what .env says holds at once, or the log says that it waits for a restart; never half."""
# SPDX-License-Identifier: ISC
import functools
import json
import signal
import socket
import uuid

import pytest

from ops_aid import (bare_settings, check_stop, github_headers, request, sign, telegram_headers)
from stage import GITHUB_SECRET, WEBHOOK_SECRET, Deploybot, get, wait_until
from telegram_client import ADA, Telegram, text_of

NEW_SECRET = "rotated-secret_fedcba9876543210fedcba9876"
OTHER_TOKEN = "987654321:ZZyyXXwwVVuuTTssRRqqPPooNNmmLLkkJJi"


class Bot(Deploybot):
    """A deploybot whose settings stand in .env, so that they can be changed."""

    def __init__(self, folder, chat):
        self.values = bare_settings(folder, TELEGRAM_API_BASE=chat.base)
        self.env_path = folder / ".env"
        self.write()
        super().__init__(folder, {"API_SERVER_PORT": self.values["API_SERVER_PORT"]})

    def write(self, **changes):
        self.values.update(changes)
        fresh = self.env_path.with_suffix(".new")
        fresh.write_text("".join(f"{k}={v}\n" for k, v in self.values.items() if v is not None),
                         encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.env_path)

    def change(self, **changes):
        """Writes it and returns what the log says of it."""
        return self.after(functools.partial(self.write, **changes))

    def after(self, act):
        before = len(self.log())
        act()
        wait_until(lambda: any(words in self.log()[before:] for words in (
            "settings changed", "settings not changed", "no changes", "valid again")), 20, "a reload")
        get(self.base + "/healthz")     # the loop answers behind the reload: each line of it is there
        return self.log()[before:]


@pytest.fixture(name="chat")
def fixture_chat():
    made = Telegram.start("--local", "--limits", "off")
    yield made
    made.stop()


@pytest.fixture(name="bot")
def fixture_bot(tmp_path, chat):
    made = Bot(tmp_path, chat).start()
    yield made
    check_stop(made)


def telegram_status(bot, secret):
    return request(bot, "POST", "/telegram/webhook", b'{"update_id":1}',
                   telegram_headers(X_Telegram_Bot_Api_Secret_Token=secret)).status


def github_status(bot, secret):
    body = b'{"zen":"x"}'
    headers = github_headers(body, event="ping", guid=str(uuid.uuid4()))
    return request(bot, "POST", "/github/webhook", body,
                   {**headers, "X-Hub-Signature-256": sign(body, secret)}).status


def test_a_rotated_telegram_secret_holds_and_telegram_is_told(bot):
    wait_until(lambda: "Telegram sends updates to" in bot.log(), 20, "the registration")
    said = bot.change(TELEGRAM_WEBHOOK_SECRET=NEW_SECRET)
    assert "settings changed: TELEGRAM_WEBHOOK_SECRET" in said and "restart needed" not in said
    assert telegram_status(bot, WEBHOOK_SECRET) == 401
    assert telegram_status(bot, NEW_SECRET) == 200
    # The platform gives what it has to us again, with the new secret: it was registered once more.
    wait_until(lambda: bot.log().count("Telegram sends updates to") == 2, 20, "setWebhook")
    assert NEW_SECRET not in bot.log() and WEBHOOK_SECRET not in bot.log()


def test_a_delivery_in_the_middle_of_a_rotation_is_not_lost(bot):
    """Its head came with the old value; until that is taken out of NAME_PREVIOUS others with it come in too."""
    body = b'{"zen":"x"}'
    head = {**github_headers(body, event="ping", guid=str(uuid.uuid4())), "Host": "x",
            "X-Hub-Signature-256": sign(body, GITHUB_SECRET), "Content-Length": str(len(body)), "Connection": "close"}
    with socket.create_connection(("127.0.0.1", int(bot.values["API_SERVER_PORT"])), timeout=20) as caller:
        text = "POST /github/webhook HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()) + "\r\n"
        caller.sendall(text.encode() + body[:4])
        said = bot.change(GITHUB_WEBHOOK_SECRET=NEW_SECRET, GITHUB_WEBHOOK_SECRET_PREVIOUS=GITHUB_SECRET)
        assert "settings changed: " in said and "GITHUB_WEBHOOK_SECRET_PREVIOUS" in said
        assert "restart needed" not in said
        caller.sendall(body[4:])
        assert caller.makefile("rb").readline().split()[1] in (b"200", b"202")
    assert (github_status(bot, GITHUB_SECRET), github_status(bot, NEW_SECRET)) == (200, 200)
    used = 'deploybot_secret_previous_uses_total{secret="GITHUB_WEBHOOK_SECRET"} 1'
    wait_until(lambda: used in bot.metrics(), 20, "the use that is counted")
    assert github_status(bot, GITHUB_SECRET) == 200
    wait_until(lambda: used[:-1] + "2" in bot.metrics(), 20, "the second")
    named = "GITHUB_WEBHOOK_SECRET_PREVIOUS was used"
    assert bot.log().count(named) == 1, "once an hour"
    shown = json.loads(bot.run("--env-file", str(bot.env_path), "secrets", "check", "--json").stdout)
    previous = next(one for one in shown["secrets"] if one["name"] == "GITHUB_WEBHOOK_SECRET_PREVIOUS")
    assert previous["uses"] == 2 and previous["used_at"] is not None and previous["from"] == "settings"
    lines = bot.run("--env-file", str(bot.env_path), "secrets", "check").stdout.splitlines()
    line, = (line for line in lines if line.startswith("    GITHUB_WEBHOOK_SECRET_PREVIOUS is accepted too; "))
    assert "; last used " in line and line.endswith(" UTC, 2 times"), "with its name, for grep"
    bot.change(GITHUB_WEBHOOK_SECRET_PREVIOUS=None)
    assert (github_status(bot, GITHUB_SECRET), github_status(bot, NEW_SECRET)) == (401, 200)
    assert NEW_SECRET not in bot.log() and GITHUB_SECRET not in bot.log()


def test_both_values_of_telegrams_secret_are_valid_once_the_new_one_is_registered(bot):
    wait_until(lambda: "Telegram sends updates to" in bot.log(), 20, "the registration")
    bot.change(TELEGRAM_WEBHOOK_SECRET=NEW_SECRET, TELEGRAM_WEBHOOK_SECRET_PREVIOUS=WEBHOOK_SECRET)
    wait_until(lambda: bot.log().count("Telegram sends updates to") == 2, 20, "setWebhook")
    assert (telegram_status(bot, WEBHOOK_SECRET), telegram_status(bot, NEW_SECRET)) == (200, 200)
    bot.change(TELEGRAM_WEBHOOK_SECRET_PREVIOUS=None)
    assert (telegram_status(bot, WEBHOOK_SECRET), telegram_status(bot, NEW_SECRET)) == (401, 200)


def test_an_environment_that_is_not_looked_at_any_more_has_no_health(bot):
    told = 'deploybot_health_up{environment="staging"} 1'
    bot.change(STAGING_HEALTH_URL=bot.base + "/healthz")
    bot.stop()
    bot.start()         # the first look is at the start, the next a minute later
    wait_until(lambda: told in bot.metrics(), 20, "a look at staging")
    bot.change(STAGING_HEALTH_URL=None)
    wait_until(lambda: "deploybot_health_up{" not in bot.metrics(), 20, "no more of staging")


def test_a_rotated_github_secret_holds_from_the_file_that_names_it_too(bot, tmp_path):
    assert github_status(bot, GITHUB_SECRET) == 200
    said = bot.change(GITHUB_WEBHOOK_SECRET=NEW_SECRET)
    assert "settings changed: GITHUB_WEBHOOK_SECRET" in said and "restart needed" not in said
    assert github_status(bot, GITHUB_SECRET) == 401
    assert github_status(bot, NEW_SECRET) == 200
    secret_file = tmp_path / "github.secret"
    secret_file.write_text(GITHUB_SECRET + "\n", encoding="ascii")
    bot.change(GITHUB_WEBHOOK_SECRET=None, GITHUB_WEBHOOK_SECRET_FILE=secret_file)
    assert github_status(bot, GITHUB_SECRET) == 200
    said = bot.after(lambda: secret_file.write_text(NEW_SECRET + "2\n", encoding="ascii"))
    if "no changes" in said:   # read once more because the list of files had changed
        wait_until(lambda: bot.log().count("settings changed: GITHUB_WEBHOOK_SECRET") == 3, 20)
    assert github_status(bot, GITHUB_SECRET) == 401
    assert github_status(bot, NEW_SECRET + "2") == 200


def test_a_secret_that_cannot_be_redacted_is_not_adopted(bot):
    """256 values at most are known; one that was there before counts once."""
    kept = ""
    for i in range(100):
        secret = f"rotated-{i:03}-0123456789abcdef0123456789"
        bot.write(GITHUB_WEBHOOK_SECRET=secret, REPOSITORY_TOKEN=f"token-{i:03}-0123456789abcdef012345",
                  TELEGRAM_WEBHOOK_SECRET=f"telegram-{i:03}-0123456789abcdef0123")
        said = bot.after(lambda: bot.process.send_signal(signal.SIGHUP))
        if "settings not changed" in said:
            break
        kept = secret
    assert "more than 256 secrets" in said and secret not in said
    assert github_status(bot, secret) == 401 and github_status(bot, kept) == 200
    said = bot.change(GITHUB_WEBHOOK_SECRET=kept, REPOSITORY_TOKEN=None, TELEGRAM_WEBHOOK_SECRET=WEBHOOK_SECRET)
    assert "settings not changed" not in said and github_status(bot, kept) == 200


def told(chat, words):
    return [text for text in (text_of(view) for view in chat.messages(ADA)) if words in text]


def test_a_refused_change_reaches_the_admins_once_and_its_end_too(bot, chat, tmp_path):
    """Whoever took a leaver's id out, and slipped in another line, believes that it holds."""
    chat.say(ADA, ADA, "/start")
    bot.change(ADMIN_TELEGRAM_IDS="me")
    wait_until(lambda: told(chat, "Settings refused: ADMIN_TELEGRAM_IDS: "), 30, "the message")
    assert "\ndeploybot_settings_valid 0\n" in bot.metrics()
    bot.after(lambda: bot.process.send_signal(signal.SIGHUP))      # saved again
    bot.change(ADMIN_TELEGRAM_IDS=str(ADA), LOG_LEVEL="LOUD")
    wait_until(lambda: told(chat, "Settings refused: LOG_LEVEL: "), 30, "the other reason")
    bot.after(lambda: bot.write(LOG_LEVEL=None))                    # as it was: nothing has changed
    wait_until(lambda: told(chat, "Settings are valid again"), 30, "the end")
    assert "\ndeploybot_settings_valid 1\n" in bot.metrics()
    assert [len(told(chat, words)) for words in ("refused: ADMIN", "refused: LOG_LEVEL", "valid again")] == [1, 1, 1]
    assert "check-config" in told(chat, "refused: ADMIN")[0]


def test_a_refused_file_of_an_application_reaches_the_admins(bot, chat, tmp_path):
    chat.say(ADA, ADA, "/start")
    (tmp_path / "apps").mkdir()
    right = f"ENVIRONMENTS=qa\nREPOSITORY_URL={tmp_path}/nowhere.git\nQA_PORT=18999\n"
    (tmp_path / "apps/shop.env").write_text(right + "DEPLOY_TIMEOUT_SECONDS=soon\n", "utf-8")
    wait_until(lambda: told(chat, "shop.env: DEPLOY_TIMEOUT_SECONDS"), 30, "the message")
    assert "\ndeploybot_settings_valid 0\n" in bot.metrics()
    (tmp_path / "apps/shop.env").write_text(right, "utf-8")
    wait_until(lambda: "\ndeploybot_settings_valid 1\n" in bot.metrics(), 30, "the end")


def test_what_needs_a_restart_is_named_and_waits_whole(bot, tmp_path):
    said = bot.change(STATE_DIRECTORY=tmp_path / "elsewhere", TELEGRAM_BOT_TOKEN=OTHER_TOKEN,
                      LOG_LEVEL="DEBUG", ENABLE_TELEMETRY="false")
    assert "restart needed for: TELEGRAM_BOT_TOKEN, STATE_DIRECTORY\n" in said
    assert OTHER_TOKEN not in said
    assert get(bot.base + "/metrics")[0] == 404      # this one needs none
    assert not (tmp_path / "elsewhere").exists()
    # It is named until it holds, or is as it was.
    said = bot.after(lambda: bot.process.send_signal(signal.SIGHUP))
    assert "restart needed for: TELEGRAM_BOT_TOKEN, STATE_DIRECTORY\n" in said
    said = bot.change(STATE_DIRECTORY=tmp_path / "state", ENABLE_TELEMETRY="true",
                      TELEGRAM_BOT_TOKEN=bare_settings(tmp_path)["TELEGRAM_BOT_TOKEN"])
    assert "settings changed: ENABLE_TELEMETRY" in said and "restart needed" not in said
    assert get(bot.base + "/metrics")[0] == 200


def test_a_webhook_that_is_to_become_polling_hears_until_the_restart(bot):
    said = bot.change(TELEGRAM_MODE=None, TELEGRAM_WEBHOOK_URL=None, TELEGRAM_WEBHOOK_SECRET=None)
    assert "restart needed for: TELEGRAM_MODE, TELEGRAM_WEBHOOK_URL, " \
           "TELEGRAM_WEBHOOK_SECRET\n" in said
    assert telegram_status(bot, WEBHOOK_SECRET) == 200
