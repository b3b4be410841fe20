"""Goal: what an application logged goes from its machine to who may read it, and a team's chat never shows it."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from flow_aid import FIRST_ADMIN, PATIENCE_S, Scene, ended_well
from service_aid import as_user
from stage import ROOT
from telegram_client import GROUP, buttons_of, text_of

LOGGED = "for staging on port"     # what the shop prints when it starts


@pytest.fixture(scope="module", name="sockets")
def fixture_sockets():
    """Where users of the machine reach the server, and its program that each may run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-logs-"))
    folder.chmod(0o755)
    shutil.copy(pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build") / "deploybot", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scene(tmp_path_factory, sockets):
    made = Scene(tmp_path_factory.mktemp("logs"), settings={
        "TELEGRAM_CHAT_ID": str(GROUP), "LOCAL_SOCKET": str(sockets / "local.sock"), "LOCAL_GAMES_IS": str(FIRST_ADMIN),
        "LOCAL_MAN_IS": "role staging"})
    made.make_builds_wait()
    yield made
    made.let_go()
    ended_well(made)


def on_the_machine(sockets, user, *words):
    """(status, stdout, stderr) of the command line."""
    done = subprocess.run([*as_user(user, 65534), str(sockets / "deploybot"), *words], cwd="/", text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/", "LOCAL_SOCKET": str(sockets / "local.sock")},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S * 2)
    return done.returncode, done.stdout, done.stderr


def test_logs_are_asked_for_while_something_is_deployed(scene):
    who, other = scene.admin(), scene.admin()
    other.say("/logs staging")
    other.hear("No log: staging: the application has logged nothing")
    who.say("/deploy staging")
    who.hear("Live: staging")
    scene.hold()
    scene.commit()
    who.say("/deploy staging")
    who.hear("▸ build")
    other.say("/logs staging 3")
    other.hear("Last log lines: staging:", LOGGED)
    scene.let_go()
    who.hear("Live: staging")
    other.say("/logs production")
    other.hear("No log: production: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_the_command_line_shows_what_the_chat_does(scene, sockets):
    """At night, without Telegram, it is the one way to what the application says."""
    status, said, errors = on_the_machine(sockets, "games", "logs", "staging", "3")
    assert status == 0 and LOGGED in said and "|app|" not in said and errors == ""
    status, said, errors = on_the_machine(sockets, "games", "logs", "production")
    assert (status, said) == (1, "") and errors.startswith("No log: ")
    status, said, errors = on_the_machine(sockets, "man", "logs", "production")
    assert status == 77 and LOGGED not in said + errors
    # What its deployment has printed is another thing.
    status, said, errors = on_the_machine(sockets, "games", "log", "staging")
    assert status == 0 and "==> build" in said


def test_of_a_release_that_was_rolled_back_the_team_is_shown_none(scene):
    scene.commit(kind="broken")
    who = scene.admin()
    who.say("/deploy staging")
    mine = who.hear("Rolled back: staging", "the application logged:", LOGGED)
    team = who.hear("Rolled back: staging", chat=GROUP, buttons=("Application log",))
    assert LOGGED not in text_of(team) and not any("Application log" in label for label in buttons_of(mine))
    who.since = scene.chat.mark()
    assert "in private" in who.press(team, "Application log")
    who.hear("before it was rolled back:", LOGGED)
    who.since = scene.chat.mark()
    assert "in private" in who.press(team, "Rollback log")
    log = scene.chat.file(who.hear("Log of staging")).decode()
    assert "\n|app| " in log and LOGGED in log
    for view in scene.chat.messages(GROUP):
        assert LOGGED not in text_of(view) and "|app|" not in text_of(view), view


def test_a_group_is_told_where_to_ask(scene):
    who = scene.admin()
    who.say("/logs staging", chat=GROUP)
    who.hear("shown in private: write /logs staging to me there", chat=GROUP)
