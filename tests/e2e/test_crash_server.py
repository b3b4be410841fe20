"""Goal: kill -9 of the server at any moment loses nothing, doubles nothing, and every chat is notified
an end.  Each test kills at a moment of its own and starts it again."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import re
import signal
import threading

import pytest

from crash_aid import HOLD, STEADY, CrashScene, is_alive, kill
from flow_aid import PATIENCE_S
from stage import wait_until
from telegram_client import text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    # An end is no message of its own here, however long it takes.
    made = CrashScene(tmp_path_factory.mktemp("crash"), settings={"STAGING_NOTIFY_AFTER_SECONDS": "3600"})
    yield made
    made.close()


@pytest.fixture(autouse=True)
def steady(scene):
    """Every test begins with scripts that work and a commit that is not blocked."""
    scene.scripts.reset()
    scene.scripts.deploy(STEADY)
    scene.commit()
    yield
    scene.mend()


def started(scene, who):
    return scene.audit(action="deploy_started", user_id=f"telegram:{who.number}")


def finals(who):
    return [v for v in who.messages() if "Live: staging" in text_of(v)]


def test_killed_while_git_is_asked(scene):
    head = scene.folder / "repository" / "shop.git" / "HEAD"
    words = head.read_bytes()
    head.unlink()
    os.mkfifo(head)             # git waits here until somebody writes
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("asking git")
    scene.crash()
    head.unlink()
    head.write_bytes(words)
    scene.restart()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert len(started(scene, who)) == 1 and len(finals(who)) == 1
    scene.check()


def test_a_question_that_stood_can_still_be_answered(scene):
    who = scene.admin()
    who.say("/deploy production")
    question = who.hear("Deploy to production?", buttons=("Deploy to", "Not now"))
    # Killed before it has noted the message's id, the server sends it once more.
    wait_until(lambda: scene.metric("deploybot_outbox_pending") == 0, PATIENCE_S, "its id is noted")
    scene.crash()
    scene.restart()
    assert who.press(question, "Deploy to") == "Confirmed."
    final = who.hear("Live: production", "took ")    # what rings beside it says less
    assert len(started(scene, who)) == 1
    wait_until(lambda: [v["message_id"] for v in who.messages()] == [final["message_id"]], PATIENCE_S,
               "the message anew, and no copy of before")


def begun(scene):
    path = scene.scripts.folder / "begun"
    return path.read_text(encoding="ascii").split() if path.exists() else []


def release_production(scene, who):
    scene.commit("main")
    commit = scene.head("main")
    who.say("/deploy production")
    who.press(who.hear("Deploy to production?", buttons=("Deploy to",)), "Deploy to")
    who.hear("Live: production", commit[:7])
    return commit


def confirm_while_the_runner_stands(scene):
    """A rollback of production, whose order is given at once and has not been read by the runner yet."""
    who = scene.admin()
    before = release_production(scene, who)
    release_production(scene, who)
    scene.scripts.clear("begun")
    scene.scripts.rollback('echo "$2" >>"$here/begun"; ' + STEADY, "production")
    who.say("/rollback production")
    question = who.hear("Roll back production?", f"→ {before[:7]}")
    runner = scene.runner()
    os.kill(runner, signal.SIGSTOP)
    assert who.press(question, "Roll back") == "Started."
    return who, runner, before


@pytest.mark.parametrize("old_runner", ["wakes first", pytest.param("wakes last", marks=pytest.mark.long)])
def test_killed_before_the_runner_took_the_order(scene, old_runner):
    who, runner, commit = confirm_while_the_runner_stands(scene)
    scene.crash()
    if old_runner == "wakes first":
        os.kill(runner, signal.SIGCONT)
        wait_until(lambda: not is_alive(runner), PATIENCE_S, "the old runner's end")
    scene.restart()
    if old_runner == "wakes last":
        # The kernel may have woken it: a stopped group that lost its session's leader is hung up.
        with contextlib.suppress(ProcessLookupError):
            os.kill(runner, signal.SIGCONT)
    who.hear("↩️ Rolled back: production", commit[:7] + "\nrequested by ")
    wait_until(lambda: not is_alive(runner), PATIENCE_S, "the old runner's end")
    assert begun(scene) == [commit]
    assert len(scene.audit(action="rollback_started", user_id=f"telegram:{who.number}")) == 1
    scene.check()


def test_killed_before_go_the_script_of_that_run_never_starts(scene):
    who, runner, commit = confirm_while_the_runner_stands(scene)
    before = scene.last_run()
    os.kill(scene.server(), signal.SIGSTOP)
    os.kill(runner, signal.SIGCONT)
    wait_until(lambda: scene.last_run() > before, PATIENCE_S, "a run")
    leader = scene.leader()
    assert is_alive(leader) and begun(scene) == []
    scene.crash()
    scene.restart()
    who.hear("↩️ Rolled back: production", commit[:7] + "\nrequested by ")
    assert not is_alive(leader)
    assert begun(scene) == [commit]
    assert scene.last_run() == before + 2, "another run was ordered for the same deployment"
    scene.check()


def test_killed_in_the_middle_of_a_build_it_goes_on_and_nothing_is_doubled(scene):
    scene.scripts.deploy('for i in $(seq 1 200); do echo "line $i"; done; ' + HOLD +
                         '; for i in $(seq 201 400); do echo "line $i"; done; ' + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    running = who.hear("line 200", buttons=("Stop",))
    scene.wait_held()
    leader, run = scene.leader(), scene.last_run()
    scene.crash()
    assert is_alive(leader)
    scene.restart()
    assert is_alive(leader) and scene.is_busy("staging")
    # One that ended before the server has reached it has ended meanwhile.
    attached = f"run {run} (staging {scene.head('develop')[:7]}) is re-attached"
    wait_until(lambda: attached in scene.bot.log(), PATIENCE_S, "the run is followed again")
    scene.go_on()
    final = who.hear("Live: staging", scene.head("develop")[:7])
    assert final["message_id"] == running["message_id"], "the same message goes on"
    lines = re.findall(r"^line (\d+)$", scene.log_of(run), re.M)
    assert lines == [str(i) for i in range(1, 401)]
    assert len(finals(who)) == 1 and len(started(scene, who)) == 1
    assert scene.state_file("staging")["commit"] == scene.head("develop")
    scene.check()


def test_an_adopted_build_shows_its_output_and_can_be_cancelled(scene):
    scene.scripts.deploy('echo before; ' + HOLD)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    running = who.hear("before", buttons=("Stop",))
    scene.wait_held()
    scene.crash()
    scene.restart()
    leader = scene.leader()
    who.press(running, "Stop")
    who.hear("⛔ Stopped: staging", "nothing was changed")
    assert not is_alive(leader)
    scene.check()


def test_a_script_that_ended_while_nobody_watched_is_live_in_the_end(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    leader, supervisor = scene.leader(), scene.supervisor()
    scene.crash()
    scene.go_on()
    wait_until(lambda: not is_alive(leader) and not is_alive(supervisor), PATIENCE_S, "the run's end")
    scene.restart()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert len(finals(who)) == 1
    scene.check()


def test_a_script_that_failed_while_nobody_watched_is_rolled_back(scene):
    scene.release()
    before = scene.scripts.live()
    scene.scripts.deploy(HOLD + '; echo "==> release"; echo half >"$here/$1.live"; exit 3')
    scene.hold_script()
    scene.commit()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    supervisor = scene.supervisor()
    scene.crash()
    scene.go_on()
    wait_until(lambda: not is_alive(supervisor), PATIENCE_S, "the run's end")
    scene.restart()
    who.hear("staging is NOT running", "it runs " + before[:7] + " again")
    assert scene.scripts.live() == before == scene.state_file("staging")["commit"]
    scene.check()


def test_killed_while_probing_it_is_probed_again(scene):
    gate = scene.health.gates["staging"] = threading.Event()
    before = scene.health.times("staging")
    who = scene.admin()
    who.begin()
    wait_until(lambda: scene.scripts.live() == scene.head("develop") and not scene.with_run_id()
               and scene.health.times("staging") > before, PATIENCE_S, "a probe")
    assert scene.is_busy("staging")
    scene.crash()
    asked = scene.health.times("staging")
    del scene.health.gates["staging"]
    gate.set()
    scene.restart()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert scene.health.times("staging") > asked, "it was asked again"
    assert len(finals(who)) == 1
    scene.check()


def test_killed_while_rolling_back_it_is_rolled_back_to_the_same_release(scene):
    scene.release()
    before = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy('echo "==> release"; echo bad >"$here/$1.live"; exit 1')
    scene.scripts.rollback('echo "$2" >>"$here/back"; ' + HOLD + '; echo "$2" >"$here/$1.live"')
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    scene.crash()
    scene.restart()
    assert scene.is_busy("staging")
    scene.go_on()
    who.hear("staging is NOT running", "it runs " + before[:7] + " again")
    assert scene.scripts.live() == before
    assert set((scene.scripts.folder / "back").read_text(encoding="ascii").split()) == {before}
    assert len(scene.audit(action="auto_rollback_completed")) >= 1
    scene.check()


def test_killed_while_telegram_is_away_the_end_is_told_once_when_it_is_back(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    for method in ("sendmessage", "editmessagetext"):
        scene.chat.fault(method, times=100000, status=502, description="Bad Gateway")
    scene.go_on()
    scene.wait_for_audit(action="deploy_success", user_id=f"telegram:{who.number}")
    scene.crash()
    scene.restart()
    assert finals(who) == []
    scene.chat.clear_faults()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert len(finals(who)) == 1
    wait_until(lambda: len([m for m in who.messages() if "staging" in text_of(m)]) == 1, PATIENCE_S,
               "one message, without the copy of before")
    scene.check()


def test_five_kills_in_a_row_lose_nothing(scene):
    scene.scripts.deploy('echo one; ' + HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    for _ in range(5):
        scene.crash()
        scene.restart()
    scene.go_on()
    who.hear("Live: staging")
    assert scene.log_of().count("one\n") == 1
    assert len(finals(who)) == 1 and len(started(scene, who)) == 1
    scene.check()


def test_the_runner_alone_is_killed_and_another_takes_its_place(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    old, leader = scene.runner(), scene.leader()
    kill(old)
    wait_until(lambda: scene.runner() != old, PATIENCE_S, "another runner")
    assert is_alive(leader), "the run goes on with its supervisor"
    scene.go_on()
    who.hear("Live: staging")
    other = scene.admin()
    other.say("/deploy staging")
    other.hear("Live: staging")
    scene.check()


def test_a_killed_supervisor_is_an_interruption_and_what_was_live_comes_back(scene):
    scene.release()
    before = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy('setsid sleep 1000 & echo "==> release"; echo half >"$here/$1.live"; '
                         + HOLD)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    leader = scene.leader()
    kill(scene.supervisor())
    who.hear("staging is NOT running", "interrupted", "it runs " + before[:7] + " again")
    assert not is_alive(leader) and scene.scripts.live() == before
    scene.check()


def test_server_and_supervisor_killed_together_are_an_interruption_too(scene):
    scene.release()
    before = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy('setsid sleep 1000 & echo "==> release"; echo half >"$here/$1.live"; '
                         + HOLD)
    scene.hold_script()
    who = scene.admin()
    who.begin()
    scene.wait_held()
    supervisor = scene.supervisor()
    scene.crash()
    kill(supervisor)
    scene.restart()
    who.hear("staging is NOT running", "it runs " + before[:7] + " again", timeout=PATIENCE_S)
    assert scene.scripts.live() == before
    scene.check()
