"""Goal: what an application logged goes from its machine to who may read it, and a team's chat never shows it."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from telegram_client import GROUP, buttons_of, text_of

LOGGED = "for staging on port"     # what the shop prints when it starts


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("logs"), settings={"TELEGRAM_CHAT_ID": str(GROUP)})
    made.make_builds_wait()
    yield made
    made.let_go()
    ended_well(made)


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
    other.hear("Logged last: staging:", LOGGED)
    scene.let_go()
    who.hear("Live: staging")
    other.say("/logs production")
    other.hear("No log: production: ")


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
