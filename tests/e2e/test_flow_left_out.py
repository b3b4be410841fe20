"""Goal: of two hosts one is dead, and a bad release on the other one is rolled back from the chat all the same; through
chat, server, runner and scripts of theirs."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Health, Scene, Scripts, ended_well
from telegram_client import text_of

DEAD = "10.77.0.12"


@pytest.fixture
def scene(tmp_path):
    scripts, health = Scripts(tmp_path / "scripts"), Health()
    made = Scene(tmp_path, settings={
        **scripts.settings(), "STAGING_HEALTH_URL": health.url("web"), "HEALTH_CHECK_SUCCESSES": "1",
        "STAGING_HOST": f"h1,{DEAD}"})
    made.scripts, made.health = scripts, health
    health.answers["web"] = (200, {"status": "ok"})
    yield made
    health.close()
    ended_well(made)


def two_live(scene, who):
    scene.scripts.rollback(f"""echo "==> preflight"; echo "==> unreachable {DEAD}"
if [[ -z ${{WITHOUT_HOSTS:-}} ]]; then echo "{DEAD} cannot be reached" >&2; exit 69; fi
echo "without=$WITHOUT_HOSTS" >"$here/given"; echo "==> release"; echo "$2" >"$here/$1.live" """)
    releases = []
    for _ in range(2):
        releases.append(scene.commit()["after"])
        who.say("/deploy staging")
        who.hear("Live: staging", releases[-1][:7])
    return releases


@pytest.mark.long
def test_a_rollback_goes_on_without_a_dead_host_and_it_is_said_until_a_release_reached_it(scene):
    who = scene.admin()
    releases = two_live(scene, who)
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?", buttons=("Roll back",)), "Roll back")
    failed = who.hear("❌ Rollback failed: staging", f"{DEAD} cannot be reached",
                      buttons=(f"Without {DEAD}",))
    assert scene.scripts.live().startswith(releases[1])
    who.press(failed, "Without")
    who.press(who.hear("Roll back staging?", f"without {DEAD}", buttons=("Roll back",)), "Roll back")
    who.hear("Rolled back: staging", releases[0][:7])
    assert (scene.scripts.folder / "given").read_text() == f"without={DEAD}\n"
    assert scene.scripts.live().startswith(releases[0])
    left = 'deploybot_environment_left_hosts{environment="staging"} 1'
    assert scene.bot.stop() == 0
    scene.start_bot()
    who.say("/status staging")
    said = text_of(who.hear("staging", f"{DEAD} still has {releases[1][:7]}"))
    assert "unreachable" not in said        # a note of the script's, no step
    assert left in scene.bot.metrics(), scene.bot.metrics()
    found = scene.bot.run("doctor").stdout
    assert f"staging: {DEAD} still has {releases[1][:7]}" in found, found
    asked = scene.audit(environment="staging", action="deploy_requested")
    assert [entry for entry in asked if DEAD in str(entry)], asked
    scene.commit()
    who.say("/deploy staging")
    who.hear("Live: staging")
    assert left not in scene.bot.metrics()


@pytest.mark.long
def test_an_automatic_rollback_that_a_dead_host_stops_goes_on_without_it(scene):
    who = scene.admin()
    releases = two_live(scene, who)
    scene.commit()
    scene.health.answers["web"] = (500, {"status": "bad"})
    who.say("/deploy staging")
    failed = who.hear("DOWN", f"{DEAD} cannot be reached", buttons=(f"Without {DEAD}",))
    scene.health.answers["web"] = (200, {"status": "ok"})
    who.press(failed, "Without")
    who.press(who.hear("Roll back staging?", f"without {DEAD}", buttons=("Roll back",)), "Roll back")
    not_known = f"{DEAD}: what it has is not known"
    who.hear("Rolled back: staging", releases[1][:7], not_known)
    who.say("/status staging")
    who.hear("staging", not_known)
    found = scene.bot.run("doctor").stdout
    assert f"staging: {not_known}" in found, found
