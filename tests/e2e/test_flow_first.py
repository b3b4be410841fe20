"""Goal: the first release of a target where something ran before deploybot is rolled back to that, and services that a
release leaves old are named; through chat, server, runner and scripts of theirs."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Health, Scene, Scripts, ended_well
from telegram_client import text_of

OLD = {"status": "ok", "commit": "0ddba11" * 5 + "0ddba"}


@pytest.fixture
def scene(tmp_path):
    scripts, health = Scripts(tmp_path / "scripts"), Health()
    made = Scene(tmp_path, settings={
        **scripts.settings(), "STAGING_HEALTH_URL": health.url("web"), "HEALTH_CHECK_SUCCESSES": "1"})
    made.scripts, made.health = scripts, health
    yield made
    health.close()
    ended_well(made)


def test_a_bad_first_release_is_rolled_back_to_what_ran_before_deploybot(scene):
    scene.scripts.deploy('echo "previous=$PREVIOUS_RELEASE" >"$here/given"; echo "==> previous target:before-1"; '
                         'echo "==> release"; exit 1')
    scene.health.answers["web"] = (200, OLD)    # it says a commit of its own, which nobody asks it for
    commit = scene.head("develop")
    who = scene.admin()
    who.say("/deploy staging")
    end = who.hear("Rolled back", f"staging is NOT running {commit[:7]}; it is back to what ran before deploybot")
    assert "target:" not in text_of(end)
    assert (scene.scripts.folder / "given").read_text() == "previous=\n"
    assert scene.scripts.live() == "target:before-1"
    assert scene.state_file("staging") is None      # it is no release of deploybot's


def test_a_service_that_stays_old_is_named_where_it_is_said_to_run(scene):
    scene.scripts.deploy('echo "==> release"; echo "==> stays-old worker"; echo "==> switch"')
    scene.health.answers["web"] = (200, {"status": "ok"})
    who = scene.admin()
    who.say("/deploy staging")
    end = text_of(who.hear("Live: staging", "⚠️ still on the old release: worker"))
    assert "stays-old" not in end


def test_what_a_script_warns_of_is_in_its_message_and_speaks_for_no_one_else(scene):
    """Twelve are said, one of them thrice; in code, where nothing is a link, a mention or bold."""
    scene.scripts.deploy('echo "==> release"; for n in 1 2 3; do echo "==> warning <b>x</b> @ada https://evil.example"; '
                         'done; for n in $(seq 11); do echo "==> warning number $n"; done; echo "==> switch"')
    scene.health.answers["web"] = (200, {"status": "ok"})
    who = scene.admin()
    who.say("/deploy staging")
    end = who.hear("Live: staging, 12 warnings: ")
    assert ("⚠️ the script warned:\n• <b>x</b> @ada https://evil.example\n• number 1\n• number 2\n"
            "… and 9 more: 📄 Log\n") in text_of(end)
    assert "warning" not in text_of(end).replace("12 warnings", "")     # no step
    codes = [entity for entity in end["message"]["entities"] if entity["type"] == "code"]
    assert len([code for code in codes if code["length"] == len("<b>x</b> @ada https://evil.example")]) == 1, codes
    who.say("/show 1")
    who.hear("• number 7\n… and 4 more: 📄 Log\n")
