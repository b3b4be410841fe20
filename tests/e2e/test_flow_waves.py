"""Goal: a release comes to its hosts in waves, by the real server, runner, supervisor and scripts: over kill -9 of the
server to the end, and back on the hosts that it has touched.  Only what a host would do is a stand-in."""
# SPDX-License-Identifier: ISC
import pytest

from fleet import Hosts, own_build, settings_of
from flow_aid import ANY, Scene, ended_well
from stage import wait_until
from telegram_client import text_of

class Fleet(Scene):
    def mark(self, name):
        return self.folder / "state" / name

    def runs_on(self, host):
        return Hosts(self.folder / "state").runs(host)

    def switched(self, commit):
        return Hosts(self.folder / "state").switches(commit)

    def rows(self):
        return dict((name, state) for name, state in self.bot_rows("SELECT name, state FROM host ORDER BY name"))

    def live(self, hosts=2):
        commit, who = self.commit("develop")["after"], self.admin()
        who.say("/deploy staging")
        who.hear("Live: staging", commit[:7], f"live on {hosts} of 2 hosts", confirms=ANY)
        return commit


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    made = Fleet(folder / "scene", settings=settings_of(("h1", "h2"), "1, 100%"), build=own_build(folder / "build"))
    yield made
    ended_well(made)


@pytest.fixture(autouse=True)
def tidy(scene):
    yield
    for name in ("hold-h1:22", "hold-h2:22", "fails-h1:22", "fails-h2:22"):
        scene.mark(name).unlink(missing_ok=True)


def test_two_waves_over_the_death_of_the_server_are_one_message_to_the_end(scene):
    before = scene.live()
    scene.mark("hold-h2:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    asked = who.hear("Deploying staging", "wave 2 of 2: 0 of its 1 hosts, 1 of all 2", confirms=ANY)
    wait_until(lambda: scene.switched(commit) == ["h1:22", "h2:22"], what="wave 2")
    scene.bot.kill()
    assert (scene.runs_on("h1"), scene.runs_on("h2")) == (commit, before)
    assert scene.state_file("staging")["commit"] == before
    scene.start_bot()
    scene.mark("hold-h2:22").unlink()
    said = who.hear("Live: staging", commit[:7], "live on 2 of 2 hosts")
    assert said["message_id"] == asked["message_id"]
    assert scene.runs_on("h2") == commit and scene.switched(commit) == ["h1:22", "h2:22"]
    wait_until(lambda: scene.state_file("staging")["commit"] == commit, what="the state file")


def test_a_host_that_fails_in_wave_2_takes_the_touched_ones_back(scene):
    before = scene.live()
    scene.mark("fails-h2:22").touch()
    scene.mark("hold-h1:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.switched(commit) == ["h1:22"], what="wave 1")
    scene.bot.kill()
    scene.mark("hold-h1:22").unlink()
    scene.start_bot()
    said = text_of(who.hear("Rolled back: staging", commit[:7], "2 of 2 touched hosts are rolled back"))
    assert "h1 failed" not in said
    assert (scene.runs_on("h1"), scene.runs_on("h2")) == (before, before)
    assert scene.switched(commit) == ["h1:22", "h2:22"]
    assert scene.rows() == {"h1:22": "current", "h2:22": "current"}
    assert scene.state_file("staging")["commit"] == before


def test_a_wave_that_is_stopped_waits_for_a_word_and_goes_on_with_the_rest(scene):
    scene.live()            # h2, which failed, goes first
    before = scene.live()
    scene.mark("hold-h2:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.mark("switched").exists() and len(scene.switched(commit)) == 2, what="wave 2")
    who.say("/cancel staging")
    who.hear("Paused: staging, stopped in wave 2 of 2")
    assert scene.is_busy("staging") and scene.runs_on("h2") == before
    scene.bot.kill()
    scene.mark("hold-h2:22").unlink()
    scene.start_bot()
    who.say("/hosts staging")
    who.hear("h1: runs " + commit[:7], "h2: touched, ran " + before[:7])
    who.say("/resume staging")
    who.hear("Live: staging", commit[:7], "live on 2 of 2 hosts")
    assert scene.runs_on("h2") == commit and scene.switched(commit).count("h1:22") == 1
