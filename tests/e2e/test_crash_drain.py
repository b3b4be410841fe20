"""Goal: the run that drains what a release replaced keeps nobody waiting, and kill -9 of server, runner, supervisor or
script at each of its moments leaves the release live: it goes on, is ordered again, or is a warning."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import shutil
import signal
import threading

import pytest

from crash_aid import HOLD, STEADY, CrashScene, is_alive, kill
from flow_aid import PATIENCE_S
from runner_client import ROOT
from stage import wait_until
from telegram_client import text_of

# What a host would say: it drains until somebody says that it has, or that it cannot.
HELD = """transport_needs=source
transport_preflight() { :; }
transport_ship() { release_begins; }
transport_rollback() { release_begins; }
transport_current() { :; }
transport_logs() { :; }
transport_drain() {
	printf '%s %s\\n' "${STAGING_FOLDER-none}" "$(setting_of staging TRANSPORT_FOLDER)" >"$STATE_DIRECTORY/given"
	printf '%s\\n' "$1" >>"$STATE_DIRECTORY/drains" # which is waited for
	until [[ -e $STATE_DIRECTORY/drained || -e $STATE_DIRECTORY/stuck ]]; do
		limited 60 "a look" sleep 0.05
	done
	[[ ! -e $STATE_DIRECTORY/stuck ]] || fail "$EXIT_REFUSED" "h1: what ran on port 8001 could not be stopped"
}
"""
LEAVES = STEADY + '; echo "==> drain-later"'


def own_build(folder):
    """The programs, beside a folder deploy with a transport of ours."""
    given = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or os.path.join(ROOT, "build"))
    folder.mkdir()
    for name in ("deploybot", "deploybot-runner"):
        shutil.copy(given / name, folder / name)
    (folder / "deploy" / "transports").mkdir(parents=True)
    for script in pathlib.Path(ROOT, "deploy").glob("*.sh"):
        (folder / "deploy" / script.name).symlink_to(script)
    (folder / "deploy" / "transports" / "held.sh").write_text(HELD, encoding="ascii")
    return folder


class DrainScene(CrashScene):
    def mark(self, name):
        return self.folder / "state" / name

    def drains(self):
        """Which deployments were drained, one for each start of the script."""
        return self.mark("drains").read_text(encoding="ascii").split() if self.mark("drains").exists() else []

    def replace(self):
        """A release that leaves another one draining, with a person who asked for it."""
        self.commit()
        before = len(self.drains())
        who = self.admin()
        who.say("/deploy staging")
        who.hear("Live: staging", self.head("develop")[:7])
        wait_until(lambda: len(self.drains()) > before, PATIENCE_S, "a drain")
        return who

    def says(self, who):
        who.say("/status staging")
        return text_of(who.hear("staging runs", "healthy"))

    def runs_now(self, environment):
        return self.state_file(environment)["commit"]

    def count(self, action):
        return len(self.audit(action=action))

    def finish(self, action="drain_completed", mark="drained"):
        """It has drained (or cannot be ended), and that is recorded once."""
        before = self.count(action)
        self.mark(mark).touch()
        wait_until(lambda: self.count(action) == before + 1, PATIENCE_S, action)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drain")
    made = DrainScene(folder / "scene", settings={"DEPLOY_TRANSPORT": "held", "RUNS_MAX": "1",
                                                     "STAGING_TRANSPORT_FOLDER": "/srv/shop"},
                      build=own_build(folder / "build"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def steady(scene):
    scene.scripts.reset()
    scene.scripts.deploy(LEAVES)
    yield
    scene.mark("drained").touch()
    if not is_alive(scene.server()):
        scene.restart()
    wait_until(lambda: not scene.with_run_id(), PATIENCE_S, "the end of all runs")
    scene.mend()
    for name in ("drained", "stuck"):
        scene.mark(name).unlink(missing_ok=True)


def test_what_drains_keeps_neither_its_environment_nor_a_slot(scene):
    who = scene.replace()
    assert "💧 draining" in scene.says(who) and not scene.is_busy("staging")
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    scene.commit()
    who.say("/deploy staging")
    who.hear("⏳ Deploying staging", "still draining since", ": open connections will be closed")
    scene.go_on()
    who.hear("Live: staging", scene.head("develop")[:7], without=("draining",))
    scene.finish()
    assert "draining" not in scene.says(who)


def test_a_drain_has_the_settings_and_nothing_that_a_script_of_ones_own_exports(scene):
    """What docs/transports.md says of a DEPLOY_SCRIPT that sets something and goes on with ours."""
    scene.scripts.deploy("export STAGING_FOLDER=/srv/www STAGING_TRANSPORT_FOLDER=/srv/other; " + LEAVES)
    scene.replace()
    assert scene.mark("given").read_text() == "none /srv/shop\n"
    scene.finish()


def test_killed_while_it_drains_the_server_adopts_it(scene):
    who = scene.replace()
    leader, run = scene.leader(), scene.last_run()
    scene.crash()
    assert is_alive(leader)
    scene.restart()
    assert is_alive(leader) and "💧 draining" in scene.says(who)
    scene.finish()
    assert scene.last_run() == run and not is_alive(leader)


def test_a_drain_that_ends_while_nobody_watches_is_recorded_by_the_next_server(scene):
    who = scene.replace()
    leader, supervisor = scene.leader(), scene.supervisor()
    before = scene.count("drain_completed")
    scene.crash()
    scene.mark("drained").touch()
    wait_until(lambda: not is_alive(leader) and not is_alive(supervisor), PATIENCE_S, "the drain's end")
    scene.restart()
    wait_until(lambda: scene.count("drain_completed") == before + 1, PATIENCE_S, "its record")
    assert "draining" not in scene.says(who)


def behind_the_gate(scene):
    """The runner stands while a release goes live: its drain is ordered, and not begun."""
    gate = scene.health.gates["staging"] = threading.Event()
    before = scene.health.times("staging")
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    wait_until(lambda: scene.scripts.live() == scene.head("develop") and not scene.with_run_id()
               and scene.health.times("staging") > before, PATIENCE_S, "a probe")
    assert scene.count("drain_started") == scene.begun, "nothing drains before the gate has passed"
    runner = scene.runner()
    os.kill(runner, signal.SIGSTOP)
    del scene.health.gates["staging"]
    gate.set()
    who.hear("Live: staging", scene.head("develop")[:7])
    return who, runner


@pytest.mark.parametrize("moment", [pytest.param("ordered", marks=pytest.mark.long), "at its gate"])
def test_killed_before_it_began_it_is_begun_once(scene, moment):
    scene.begun = scene.count("drain_started")
    drains, run = len(scene.drains()), scene.last_run() + 1
    who, runner = behind_the_gate(scene)
    if moment == "at its gate":
        os.kill(scene.server(), signal.SIGSTOP)
        os.kill(runner, signal.SIGCONT)
        wait_until(lambda: scene.last_run() > run, PATIENCE_S, "a run")
        leader = scene.leader()
        assert is_alive(leader) and len(scene.drains()) == drains
    scene.crash()
    scene.restart()
    with contextlib.suppress(ProcessLookupError):
        os.kill(runner, signal.SIGCONT)
    wait_until(lambda: len(scene.drains()) == drains + 1, PATIENCE_S, "the drain")
    assert "💧 draining" in scene.says(who)
    scene.finish()
    assert len(scene.drains()) == drains + 1


def test_the_runner_alone_is_killed_and_it_drains_on(scene):
    scene.replace()
    old, leader = scene.runner(), scene.leader()
    kill(old)
    wait_until(lambda: scene.runner() != old, PATIENCE_S, "another runner")
    assert is_alive(leader)
    scene.finish()


def test_a_killed_supervisor_is_no_failure_and_it_is_drained_again(scene):
    who = scene.replace()
    live, drains = scene.head("develop"), scene.drains()
    leader = scene.leader()
    kill(scene.supervisor())
    wait_until(lambda: scene.drains() == drains + drains[-1:], PATIENCE_S, "another run of the same drain")
    assert not is_alive(leader)
    assert scene.runs_now("staging") == live and "💧 draining" in scene.says(who)
    scene.finish()


@pytest.mark.parametrize("how", ["killed", "refused"])
def test_a_drain_that_is_cut_is_a_warning_and_the_release_stays(scene, how):
    who = scene.replace()
    live = scene.head("develop")
    if how == "killed":
        before = scene.count("drain_cut")
        kill(scene.leader())
        wait_until(lambda: scene.count("drain_cut") == before + 1, PATIENCE_S, "a warning")
    else:
        scene.finish("drain_cut", "stuck")
    who.hear("Live: staging", live[:7], "the old release may still run: stopping it was cut off", after=0)
    assert scene.runs_now("staging") == live and scene.count("auto_rollback_completed") == 0
    assert scene.audit(action="drain_cut")[-1]["severity"] == "medium"
    assert "draining" not in scene.says(who)


def test_the_next_release_ends_the_drain_of_the_one_before(scene):
    before = len(scene.audit(action="drain_completed", outcome="stopped"))
    scene.replace()
    leader = scene.leader()
    scene.replace()
    wait_until(lambda: not is_alive(leader), PATIENCE_S, "the end of the first drain")
    scene.wait_for_audit(before + 1, action="drain_completed", outcome="stopped")
    scene.finish()


def test_a_graceful_stop_does_not_wait_for_a_drain(scene):
    scene.replace()
    leader = scene.leader()
    assert scene.bot.stop() == 0
    assert is_alive(leader) and "waiting for 0 runs" in scene.bot.log().rpartition("stopping:")[2]
    scene.restart()
    scene.finish()
