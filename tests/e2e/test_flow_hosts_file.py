"""Goal: an environment whose hosts stand in a file is released to in waves, by the real server, runner and scripts; what
changes in the file is asked about anew, waits, or is skipped and named.  Only what a host would do is a stand-in."""
# SPDX-License-Identifier: ISC
import os

import pytest

from flow_aid import ANY, ended_well
from stage import wait_until
from telegram_client import text_of
from test_flow_waves import Fleet, own_build


class Listed(Fleet):
    def write(self, *lines):
        path = self.folder / "hosts"
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        fresh.chmod(0o644)
        os.replace(fresh, path)
        return path

    def resources(self):
        return [name for (name,) in self.bot_rows("SELECT name FROM resource ORDER BY name")]

    def claims(self):
        return [name for (name,) in self.bot_rows("SELECT resource FROM claim ORDER BY resource")]

    def wait_for_hosts(self, *hosts):
        wait_until(lambda: self.resources() == [f"host:{host}:22/srv/app" for host in hosts], what="the rows of the file")

    def switched_by(self, commit):
        return self.switched(commit) if self.mark("switched").exists() else []


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    path = folder / "scene" / "hosts"
    path.parent.mkdir()
    path.write_text("# kiosks\nh1\nH2:22\nh3 # by the door\n", encoding="ascii")
    path.chmod(0o644)
    made = Listed(folder / "scene", settings={
        "STAGING_DEPLOY_TRANSPORT": "ssh", "STAGING_HOST": None, "STAGING_HOSTS_FILE": str(path),
        "STAGING_WAVES": "1, 100%", "STAGING_COMPOSE_DIR": "/srv/app", "STAGING_PORT": None, "STAGING_HEALTH_URL": None},
        build=own_build(folder / "build"))
    yield made
    ended_well(made)


@pytest.fixture(autouse=True)
def tidy(scene):
    yield
    for mark in scene.mark("").glob("hold-*"):
        mark.unlink()


def test_three_hosts_of_a_file_are_released_to_in_two_waves(scene):
    scene.wait_for_hosts("h1", "h2", "h3")
    scene.mark("hold-h2:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.switched_by(commit) == ["h1:22", "h2:22"], what="wave 2")
    assert scene.claims() == ["env:staging", *scene.resources()]
    scene.mark("hold-h2:22").unlink()
    who.hear("Live: staging", commit[:7], "live on 3 of 3 hosts", confirms=ANY)
    assert [scene.runs_on(host) for host in ("h1", "h2", "h3")] == [commit] * 3
    wait_until(lambda: scene.claims() == [], what="no claims")


def test_a_file_that_changes_in_the_middle_skips_who_left_and_leaves_the_new_one_to_the_next(scene):
    scene.mark("hold-h1:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.switched_by(commit) == ["h1:22"], what="wave 1")
    scene.write("h1", "h2", "h4")
    scene.wait_for_hosts("h1", "h2", "h4")
    scene.mark("hold-h1:22").unlink()
    said = text_of(who.hear("Live: staging", commit[:7], "live on 2 of 3 hosts", confirms=ANY))
    assert "h3" in said and "it left the settings before its wave" in said
    assert scene.switched(commit) == ["h1:22", "h2:22"]
    again = scene.commit("develop")["after"]
    who.say("/deploy staging")
    who.hear("Live: staging", again[:7], "live on 3 of 3 hosts", confirms=ANY)
    assert scene.switched(again) == ["h1:22", "h2:22", "h4:22"] and scene.runs_on("h3") != again
