"""Goal: doctor says what is wrong and what to do, healthcheck and webhook do one thing each, and the
command line is forgiving with people and strict with mistakes."""
# SPDX-License-Identifier: ISC
import contextlib
import pathlib
import re
import sqlite3

import pytest

from crash_aid import CrashScene
from flow_aid import Scene
from ops_aid import WAIT_S, bare, check_stop
from stage import WEBHOOK_SECRET, Deploybot, free_port, wait_until
from telegram_client import DEFAULT_TOKEN


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("doctor"))
    yield made
    made.close()


def ask_doctor(bot, **changes):
    patient = Deploybot(bot.folder, {k: v for k, v in {**bot.settings, **changes}.items()
                                     if v is not None}, bot.build)
    return patient.run("doctor")


def findings(found, level):
    return [x for x in found.stdout.splitlines() if x.startswith(level)]


def test_a_deploybot_that_is_well_is_told_so_beside_the_running_one(scene):
    found = ask_doctor(scene.bot)
    assert found.returncode == 0, found.stdout + found.stderr
    assert findings(found, "error") == []
    for word in ("settings", "STATE_DIRECTORY", "AUDIT_LOG_PATH", "DEPLOY_SCRIPT", "git", "runner",
                 "store", "Telegram", "clock", "staging"):
        assert any(word.lower() in x.lower() for x in found.stdout.splitlines()), (word, found.stdout)
    for line in found.stdout.splitlines()[:-2]:
        assert re.match(r"(ok|note|warning|error) +\S", line), line
    assert scene.bot.process.poll() is None


@pytest.mark.parametrize("changes, words", [
    ({"TELEGRAM_BOT_TOKEN": "7000000002:AAF-a_token_that_nobody_gave_0123456789"},
     ("Telegram", "TELEGRAM_BOT_TOKEN is not valid", "@BotFather")),
    ({"REPOSITORY_URL": "/nowhere/at/all.git"}, ("git",)),
    ({"STAGING_HEALTH_URL": "http://127.0.0.1:9/"}, ("staging",)),
    ({"DEPLOY_SCRIPT": "/nowhere/deploy.sh"}, ("DEPLOY_SCRIPT",)),
    ({"TELEGRAM_API_BASE": "http://127.0.0.1:9"}, ("Telegram",))])
def test_what_is_broken_is_found_and_what_to_do_is_said(scene, changes, words):
    found = ask_doctor(scene.bot, **changes)
    bad = findings(found, "error") + (findings(found, "warning") if "STAGING_HEALTH_URL" in changes
                                      else [])
    assert found.returncode == (0 if "STAGING_HEALTH_URL" in changes and not findings(found, "error")
                                else 1), found.stdout
    assert any(all(w in x for w in words) for x in bad), found.stdout


def test_a_script_that_anybody_may_write_is_an_error(scene, tmp_path):
    script = tmp_path / "deploy.sh"
    script.write_text("#!/bin/sh\n", encoding="ascii")
    script.chmod(0o777)
    found = ask_doctor(scene.bot, DEPLOY_SCRIPT=str(script))
    assert found.returncode == 1
    assert any("DEPLOY_SCRIPT" in x and "writable" in x for x in findings(found, "error")), found.stdout
    script.chmod(0o644)
    found = ask_doctor(scene.bot, DEPLOY_SCRIPT=str(script))
    assert any("chmod +x" in x for x in findings(found, "error")), found.stdout
    script.unlink()
    found = ask_doctor(scene.bot, DEPLOY_SCRIPT=str(script))
    assert any(x.endswith("put it there, or set DEPLOY_SCRIPT") for x in findings(found, "error")), found.stdout


def test_a_folder_that_cannot_be_made_is_an_error(scene):
    found = ask_doctor(scene.bot, STATE_DIRECTORY="/dev/null/deploybot")
    assert found.returncode == 1 and any("STATE_DIRECTORY" in x for x in findings(found, "error"))


def test_a_folder_that_others_may_write_is_an_error(scene, tmp_path):
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    found = ask_doctor(scene.bot, STATE_DIRECTORY=str(loose / "state"))
    assert any("STATE_DIRECTORY" in x for x in findings(found, "error")), found.stdout


def test_wrong_settings_are_findings_too(scene):
    found = ask_doctor(scene.bot, LOG_LEVEL="LOUD", ADMIN_TELEGRAM_IDS=None)
    assert found.returncode == 1
    said = "\n".join(findings(found, "error"))
    assert "LOG_LEVEL" in said and "ADMIN_TELEGRAM_IDS" in said


def test_a_damaged_store_is_an_error_and_stays_as_it_is(scene, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "deploybot.db").write_bytes(b"no database" * 1000)
    found = ask_doctor(scene.bot, STATE_DIRECTORY=str(state))
    assert found.returncode == 1 and any("store" in x for x in findings(found, "error")), found.stdout
    assert (state / "deploybot.db").read_bytes() == b"no database" * 1000


def test_a_database_of_a_newer_version_is_an_error(scene, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(state / "deploybot.db")) as made:
        made.execute("PRAGMA user_version = 99")
    found = ask_doctor(scene.bot, STATE_DIRECTORY=str(state))
    assert found.returncode == 1, found.stdout
    assert any("has version 99 and this program knows" in x for x in findings(found, "error")), found.stdout
    # Nobody holds its lock: what was started there before does not run.
    assert any("deploybot does not run" in x for x in findings(found, "error")), found.stdout


def test_no_github_secret_is_said(scene):
    found = ask_doctor(scene.bot, GITHUB_WEBHOOK_SECRET=None)
    assert any("/github/webhook" in x and "404" in x for x in found.stdout.splitlines())


def test_doctor_prints_no_secret(scene):
    said = ask_doctor(scene.bot, TELEGRAM_API_BASE="http://127.0.0.1:9").stdout
    assert DEFAULT_TOKEN not in said and DEFAULT_TOKEN.split(":")[1] not in said


# --- healthcheck ---

def test_healthcheck_is_0_while_it_runs_and_1_when_it_does_not(tmp_path):
    bot = bare(tmp_path)
    away = bot.run("healthcheck")
    assert away.returncode == 1 and away.stderr.count("\n") == 1
    bot.start()
    well = bot.run("healthcheck")
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    check_stop(bot)


def test_healthcheck_asks_a_unix_socket_too(tmp_path):
    bot = bare(tmp_path, LISTEN_ADDRESS=str(tmp_path / "http.sock"))
    bot.start(wait=False)
    wait_until(lambda: bot.run("healthcheck").returncode == 0, WAIT_S, "health")
    assert (tmp_path / "http.sock").stat().st_mode & 0o777 == 0o660
    check_stop(bot)


# --- webhook ---

@pytest.mark.long
def test_webhook_set_info_and_delete(tmp_path):
    with Scene(tmp_path, start=False) as scene:
        port = free_port()
        url = f"http://127.0.0.1:{port}/telegram/webhook"
        scene.extra.update({"TELEGRAM_WEBHOOK_URL": url, "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET})
        scene.http_port = port
        scene.start()
        wait_until(lambda: scene.chat.state()["webhook"]["url"] == url, WAIT_S, "a registration")
        assert scene.bot.stop() == 0
        tool = scene.bot
        assert url in tool.run("webhook", "info").stdout
        found = tool.run("webhook", "delete")
        assert found.returncode == 0 and scene.chat.state()["webhook"]["url"] == ""
        assert "none" in tool.run("webhook", "info").stdout
        # the stand-in wants a second between two of these, as Telegram does
        found = wait_until(lambda: (r := tool.run("webhook", "set")).returncode == 0 and r, WAIT_S,
                           "webhook set")
        assert url in found.stdout
        assert scene.chat.state()["webhook"]["url"] == url
        assert all("drop_pending_updates" not in c["arguments"] or
                   c["arguments"]["drop_pending_updates"] in ("false", "0", "False")
                   for c in scene.chat.calls("setWebhook") + scene.chat.calls("deleteWebhook"))
        for said in ([], ["sett"], ["set", "more"]):
            assert tool.run("webhook", *said).returncode == 64
        tool.settings["TELEGRAM_API_BASE"] = "http://127.0.0.1:9"
        away = tool.run("webhook", "info")
        assert away.returncode == 1 and away.stderr and DEFAULT_TOKEN not in away.stderr


# --- the command line ---

@pytest.fixture
def tool(tmp_path):
    return Deploybot(tmp_path, {"API_SERVER_PORT": "1"})


def test_version_and_help_need_no_settings(tool):
    said = tool.run("version")
    assert re.fullmatch(r"deploybot \d+(\.\d+)*(-\d+-(g[0-9a-f]+|unreleased))?\n", said.stdout) and said.returncode == 0
    assert tool.run("--version").stdout == said.stdout
    text = tool.run("help")
    assert text.returncode == 0 and text.stdout == tool.run("--help").stdout
    for word in ("serve", "doctor", "check-config", "healthcheck", "webhook", "audit", "version",
                 "--env-file"):
        assert word in text.stdout
    assert all(line == line.rstrip() for line in text.stdout.splitlines())
    assert max(len(line) for line in text.stdout.splitlines()[1:]) <= 80
    said = tool.run("version", "--help").stdout
    assert "  " not in said and " \n" not in said


@pytest.mark.parametrize("words, said", [
    (["docter"], "doctor"), (["check_config"], "check-config"), (["xyzzy"], "help"),
    (["--nosuch"], "--nosuch"), (["--env-file"], "--env-file"), (["audit"], "verify"),
    (["audit", "verifi"], "verify"), (["version", "now"], "now")])
def test_a_mistake_is_64_and_says_what_was_meant(tool, words, said):
    found = tool.run(*words)
    assert found.returncode == 64 and said in found.stderr, found
    assert not (pathlib.Path(tool.folder) / "state").exists()
