"""Goal: webhooks and alerts are set up where they arrive, and else everything stays as it is."""
# SPDX-License-Identifier: ISC
import os
import shutil
import subprocess

import pytest

from setup_aid import PROGRAM, SERVER_PORT
from setup_aid import bench, chat, taken  # noqa: F401  pylint: disable=unused-import
from stage import free_port, wait_until
from telegram_client import ADA, DEFAULT_TOKEN, Telegram, text_of

OTHERS = "deploybot 0123456789abcdef0123456789abcdef"
ALERT_TOKEN = "7000000003:AAF-the_second_bot_for_alerts_0123456789"


# ---- webhooks ------------------------------------------------------------------------------------

def answer_at_the_door(bench, status, body=""):
    """https://bot.example.org as curl sees it; all else is asked by the real one."""
    path = bench.path / "door"
    path.mkdir(exist_ok=True)
    (path / "curl").write_text('#!/bin/bash\nsaid=$(cat)\ncase $said in *//bot.example.org/*) '
                               'while (($# > 1)); do [[ $1 != --output ]] || out=$2; shift; done; '
                               f'printf "%s\\n" "{body}" >"$out"; printf {status}; [[ {status} != 000 ]] ;; *) '
                               f'exec {shutil.which("curl")} "$@" <<<"$said" ;; esac\n')
    (path / "curl").chmod(0o755)
    bench.environment["PATH"] = f"{path}:{bench.environment['PATH']}"


@pytest.fixture
def here(taken):
    """A deploybot runs here; taken.instance: what it says which one it is."""
    given = taken.conf.read_text("utf-8")
    taken.conf.write_text(given.replace(f"PORT={SERVER_PORT}\n", f"PORT={free_port()}\nAPI_SERVER_ADDRESS=127.0.0.1\n"))
    (taken.folder / "state").mkdir()
    words = [os.path.join(os.path.dirname(PROGRAM), "deploybot"), "--env-file", str(taken.conf)]
    given = {name: text for name, text in taken.given().items() if name in ("PATH", "LANG", "HOME")}
    with open(taken.path / "server.log", "wb") as log, \
            subprocess.Popen(words, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server:
        def ask():
            assert server.poll() is None, (taken.path / "server.log").read_text("utf-8", "replace")
            return subprocess.run([*words, "healthcheck", "--instance"], env=given, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False).stdout.strip()
        try:
            taken.instance = wait_until(ask, 60, "the server")
            yield taken
        finally:
            server.terminate()


def test_webhooks_get_secrets_of_their_own_and_what_the_forge_is_to_know_is_said(here):
    taken = here
    answer_at_the_door(taken, 200, here.instance)
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 0 and "https://bot.example.org/github/webhook" in said, said
    settings, secrets = taken.settings(), taken.folder / "secrets/server"
    assert settings["TELEGRAM_WEBHOOK_URL"] == "https://bot.example.org/telegram/webhook"
    for name in ("telegram", "github"):
        path = secrets / f"{name}_webhook_secret"
        assert settings[f"{name.upper()}_WEBHOOK_SECRET_FILE"] == str(path) and path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_text()) == 64 and path.read_text() not in said
    before = taken.files()
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 0 and taken.files() == before, said


def test_without_a_server_no_name_leads_to_it(taken):
    answer_at_the_door(taken, 200, OTHERS)
    before = taken.files()
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 78 and "deploybot does not run here" in said and taken.files() == before, said


@pytest.mark.parametrize("name, door, status, words", [
    ("bot.example.org", "000", 69, "does not answer with a certificate"),
    pytest.param("bot.example.org", "502", 69, "behind it is not", marks=pytest.mark.long),
    ("bot.example.org", "200", 78, "not this deploybot"),
    pytest.param("bot.example.org", "405", 78, "not this deploybot", marks=pytest.mark.long),
    pytest.param("https://bot.example.org", "200", 64, "no name in the DNS", marks=pytest.mark.long),
    ("bot.example.org/$(id)", "200", 64, "no name in the DNS"),
    ("localhost", "200", 64, "no name in the DNS")])
def test_an_address_that_leads_nowhere_leaves_polling_as_it_is(here, name, door, status, words):
    taken = here
    answer_at_the_door(taken, door, OTHERS)
    before = taken.files()
    done, said = taken.setup("webhooks", name)
    assert done == status and words in said and taken.files() == before, said


# ---- alerts --------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def second_bot():
    with Telegram.start("--local", "--limits", "off", "--token", ALERT_TOKEN) as made:
        made.say(ADA, ADA, "/start")
        yield made


@pytest.fixture
def second(taken, second_bot):
    """The Bot API that knows the second bot."""
    answer_at_the_door(taken, 200)
    text = taken.conf.read_text("utf-8")
    taken.conf.write_text(text.replace(f"TELEGRAM_API_BASE={taken.chat.base}", f"TELEGRAM_API_BASE={second_bot.base}"))
    return second_bot


def alert_answers(bench, **changes):
    path = bench.path / "alert-answers"
    said = {"ALERT_BOT_TOKEN": ALERT_TOKEN, "ALERT_CHAT_ID": str(ADA), "ALERT_WATCHDOG_URL": bench.site.url("ring"),
            **changes}
    path.write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    path.chmod(0o600)
    return path


def test_alerts_go_by_a_second_bot_whose_token_is_in_no_file_of_others(taken, second):
    status, said = taken.setup("--answers", alert_answers(taken), "alerts")
    assert status == 0 and ALERT_TOKEN not in said, said
    assert text_of(second.messages(ADA)[-1]) == "deploybot's alerts arrive here."
    values, made = taken.folder / "secrets/alerts", taken.folder / "alerts/alertmanager.yml"
    assert values.stat().st_mode & 0o777 == 0o700 and made.stat().st_mode & 0o777 == 0o640
    assert ALERT_TOKEN in made.read_text() and taken.site.asked and (taken.folder / "alerts/alerts.yml").exists()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in values.iterdir())
    status, said = taken.setup("--answers", alert_answers(taken), "alerts")
    assert status == 0, said


@pytest.mark.parametrize("changes, words", [
    ({"ALERT_BOT_TOKEN": DEFAULT_TOKEN}, "deploybot's own bot"), ({"ALERT_BOT_TOKEN": "x"}, "no token"),
    ({"ALERT_CHAT_ID": "@team"}, "no chat's id"),
    ({"ALERT_CHAT_ID": "1009999999999"}, "without its minus: did you mean -1009999999999?"),
    ({"ALERT_CHAT_ID": "-1009999999999"}, "is the second bot in that chat?"),
    ({"ALERT_WATCHDOG_URL": "ring.example.org"}, "no http:// or https:// address"),
    ({"ALERT_WATCHDOG_URL": 'https://a"b'}, "no http:// or https:// address"),
    ({"ALERT_WATCHDOG_URL": "http://127.0.0.1:1/"}, "it answers 000")])
def test_an_alert_that_nobody_would_hear_is_not_set_up(taken, second, changes, words):
    before = taken.files()
    status, said = taken.setup("--answers", alert_answers(taken, **changes), "alerts")
    assert status == 78 and words in said and taken.files() == before, said
