"""Goal: without any webhook a push is found by asking git, and what was there before is let be."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from stage import wait_until
from telegram_client import ADA, text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("poll"), settings={
        "POLL_REPOSITORY_SECONDS": "1", "GITHUB_WEBHOOK_SECRET": None})
    yield made
    ended_well(made)


def mirror_of(scene):
    return list((scene.folder / "state").glob("git/*.git"))


def test_the_first_poll_only_remembers(scene):
    who = scene.ada
    who.say("/status")
    who.hear("No release yet: staging")
    scene.wait_polled()
    change = scene.commit()
    who.hear("Live: staging", change["after"][:7], "\nauthor ", without=("polling",))
    started = scene.audit(action="deploy_started")
    assert [e["commit"] for e in started] == [change["after"]]


def test_a_poll_asks_about_production(scene):
    who = scene.ada
    who.since = scene.chat.mark()
    change = scene.commit("main")
    question = who.hear("Deploy to production?", change["after"][:7], buttons=("Deploy to",))
    assert who.press(question, "Deploy to") == "Confirmed."
    who.hear("Live: production", change["after"][:7])


def test_a_crash_at_the_start_is_rolled_back(scene):
    good = scene.runs("staging")
    who = scene.ada
    who.since = scene.chat.mark()
    change = scene.commit("develop", "crash")
    said = text_of(who.hear(f"staging is NOT running {change['after'][:7]}; it runs {good[:7]} again"))
    assert "(the application ended as soon as it was started)" in said and "deploy.sh" not in said
    assert scene.runs("staging") == good


def test_a_build_that_fails_touches_nothing_and_holds_nothing(scene):
    scene.wait_polled_since("staging")
    scene.commit("develop", "good")
    wait_until(lambda: scene.runs("staging") == scene.head("develop"), 40, "a good release")
    scene.wait_free()
    good = scene.runs("staging")
    who = scene.ada
    who.since = scene.chat.mark()
    change = scene.commit("develop", "build")
    said = text_of(who.hear("nothing was changed", f"staging still runs {good[:7]}",
                            change["after"][:7]))
    assert "\nscript failed: .deploybot/build failed" in said and "exit 65" not in said
    assert scene.runs("staging") == good
    actions = [e["action"] for e in scene.audit(environment="staging")]
    assert actions[-1] == "deploy_failed" and actions[-2] == "deploy_started"
    other = scene.admin()
    other.say("/status staging")
    assert "held" not in text_of(other.hear("staging runs " + good[:7]))


def test_without_a_secret_githubs_door_does_not_exist(scene):
    from github import GitHub   # pylint: disable=import-outside-toplevel
    assert GitHub(scene.bot.base + "/github/webhook", "x" * 40).ping()["status"] == 404


def test_the_team_is_told_in_private_by_default(scene):
    assert any("Live: staging" in text_of(view) for view in scene.person(ADA).messages())
    assert len(mirror_of(scene)) == 1
