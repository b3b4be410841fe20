"""Goal: an environment whose hosts stand in a file is released to in waves, by the real server, runner and scripts;
what changes in the file is asked about anew, waits, or is skipped and named.  Only what a host does is a stand-in."""
# SPDX-License-Identifier: ISC
import os
import subprocess

import pytest

from flow_aid import ANY, ended_well
from runner_client import ROOT
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
        wanted = [f"host:{host}:22/srv/app" for host in hosts]
        wait_until(lambda: self.resources() == wanted, what="the rows of the file")

    def deploy(self, who):
        who.say("/deploy staging")
        who.press(who.hear("Deploy to staging?", buttons=("Deploy to",)), "Deploy to")

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
        "STAGING_WAVES": "1, 100%", "STAGING_CONFIRM": "true", "STAGING_COMPOSE_DIR": "/srv/app", "STAGING_PORT": None,
        "STAGING_HEALTH_URL": None},
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
    scene.deploy(who)
    wait_until(lambda: scene.switched_by(commit) == ["h1:22", "h2:22"], what="wave 2")
    assert scene.claims() == ["env:staging", *scene.resources()]
    scene.mark("hold-h2:22").unlink()
    who.hear("Live: staging", commit[:7], "live on 3 of 3 hosts", confirms=ANY)
    assert [scene.runs_on(host) for host in ("h1", "h2", "h3")] == [commit] * 3
    wait_until(lambda: scene.claims() == [], what="no claims")


def test_a_file_that_changes_in_the_middle_skips_who_left_and_leaves_the_new_one_to_the_next(scene):
    scene.mark("hold-h1:22").touch()
    commit, who = scene.commit("develop")["after"], scene.admin()
    scene.deploy(who)
    wait_until(lambda: scene.switched_by(commit) == ["h1:22"], what="wave 1")
    scene.write("h1", "h2", "h4")
    scene.wait_for_hosts("h1", "h2", "h4")
    scene.mark("hold-h1:22").unlink()
    said = text_of(who.hear("Live: staging", commit[:7], "live on 2 of 3 hosts", confirms=ANY))
    assert "h3" in said and "it left the settings before its wave" in said
    assert scene.switched(commit) == ["h1:22", "h2:22"]
    again = scene.commit("develop")["after"]
    scene.deploy(who)
    who.hear("Live: staging", again[:7], "live on 3 of 3 hosts", confirms=ANY)
    assert scene.switched(again) == ["h1:22", "h2:22", "h4:22"] and scene.runs_on("h3") != again


def test_a_file_that_changes_between_question_and_press_is_asked_about_by_its_name(scene):
    scene.write("h1", "h2")
    scene.wait_for_hosts("h1", "h2")
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    question = who.hear("Deploy to staging?", buttons=("Deploy to",))
    scene.write("# only words", "h1", "h2")     # the same hosts
    scene.write("h1", "h2", "h5")
    who.press(question, "Deploy to")
    anew = who.hear("changed since it was approved: environment/STAGING_HOSTS_FILE", buttons=("Deploy to",))
    scene.wait_for_hosts("h1", "h2", "h5")
    assert scene.switched(commit) == []
    who.press(anew, "Deploy to")
    who.hear("Live: staging", commit[:7], "live on 3 of 3 hosts")
    assert scene.switched(commit) == ["h1:22", "h2:22", "h5:22"]


def test_a_file_that_is_no_list_leaves_what_was_in_force_and_is_said(scene):
    before = scene.resources()
    scene.write("h1", "H1:22")
    wait_until(lambda: "h1 (line 1) and H1:22 (line 2) are one host" in scene.bot.log(), what="the refusal")
    assert scene.resources() == before
    scene.write("h1", "h2")
    scene.wait_for_hosts("h1", "h2")


def test_with_one_wave_a_script_reads_the_file_itself(scene):
    assert "STAGING_HOSTS_FILE" not in os.environ
    listed = scene.write("h1", "h2 # two", "")
    found = subprocess.run(
        ["bash", "-c", f'here={ROOT}/deploy; . "$here/common.sh"; environment=staging; find_hosts list; '
                       'printf "%s %s" "$list" "$hosts_setting"'],
        env={**os.environ, "STAGING_HOSTS_FILE": str(listed)}, capture_output=True, encoding="ascii", check=True)
    assert found.stdout == "h1,h2 STAGING_HOSTS_FILE"
