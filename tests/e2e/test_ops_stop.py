"""Goal: SIGTERM ends deploybot in order: at once when idle, after the run when there is one, in time
when that takes too long, and never two of them work on one state directory."""
# SPDX-License-Identifier: ISC
import signal
import time

import pytest

from crash_aid import HOLD, STEADY, CrashScene, is_alive
from flow_aid import PATIENCE_S
from ops_aid import bare, check_stop, elapsed, processes_in
from stage import get, wait_until
from telegram_client import text_of


LONGER_S = "300"    # than whoever waits for its end


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("stop"), settings={"SHUTDOWN_TIMEOUT_SECONDS": LONGER_S})
    yield made
    made.close()


@pytest.fixture(autouse=True)
def running(request):
    yield
    if "scene" in request.fixturenames:
        scene = request.getfixturevalue("scene")
        scene.go_on()
        if scene.bot.process.poll() is not None:
            scene.bot.start()
        scene.wait_free()


def tell_to_stop(scene):
    """SIGTERM, and waits until it was handled: two signals at once would be one."""
    before = scene.bot.log().count("stopping: ")
    scene.bot.process.send_signal(signal.SIGTERM)
    wait_until(lambda: scene.bot.log().count("stopping: ") > before, PATIENCE_S, "the signal")


def begin(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Deploying staging")
    scene.wait_held()
    return who


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_it_ends_at_once_with_0(scene, number):
    runner = scene.runner()
    scene.bot.process.send_signal(number)
    assert scene.bot.process.wait(PATIENCE_S) == 0
    wait_until(lambda: not is_alive(runner), PATIENCE_S, "the runner's end")
    assert get(scene.bot.base + "/healthz")[0] == 0


def test_a_run_that_ends_in_time_is_waited_for(scene):
    who = begin(scene)
    tell_to_stop(scene)
    assert scene.bot.process.poll() is None, "it waits"
    scene.go_on()
    assert scene.bot.process.wait(PATIENCE_S) == 0
    scene.bot.start()
    who.hear("Live: staging")
    assert len([v for v in who.messages() if "Live: staging" in text_of(v)]) == 1


def test_a_run_that_takes_longer_goes_on_and_the_next_start_adopts_it(scene):
    assert scene.bot.stop() == 0
    scene.start_bot(SHUTDOWN_TIMEOUT_SECONDS="2")
    who = begin(scene)
    leader = scene.leader()
    began = time.monotonic()
    scene.bot.process.send_signal(signal.SIGTERM)
    assert scene.bot.process.wait(PATIENCE_S) == 0
    assert elapsed(began) > 1.5 and is_alive(leader)
    scene.start_bot(SHUTDOWN_TIMEOUT_SECONDS=LONGER_S)
    assert is_alive(leader) and scene.is_busy("staging")
    scene.go_on()
    who.hear("Live: staging")
    scene.check()


def calls_to(scene, who):
    return sum(call["arguments"].get("chat_id") in (who.number, str(who.number))
               for call in scene.chat.calls("sendMessage"))


@pytest.mark.parametrize("fault, is_noted", [
    ({"status": 429, "retry_after": 300, "description": "Too Many Requests"}, False),
    ({"execute": True, "hang": 600}, True)])    # it stands there, and Telegram does not say so
def test_a_message_that_telegram_may_have_says_so_after_a_restart_and_no_other(scene, fault, is_noted):
    scene.scripts.deploy(HOLD + "; exit 3")
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Deploying staging")
    scene.wait_held()
    scene.chat.fault("sendMessage", chat_id=who.number, **fault)
    before = calls_to(scene, who)
    scene.go_on()
    wait_until(lambda: calls_to(scene, who) > before, PATIENCE_S, "the message anew")
    scene.bot.process.send_signal(signal.SIGTERM)
    assert scene.bot.process.wait(PATIENCE_S) == 0
    scene.chat.clear_faults()
    scene.bot.start()

    def said():
        return [text_of(view) for view in who.messages() if text_of(view).startswith("❌ Failed: staging")]
    wait_until(lambda: len(said()) == 1 + is_noted, PATIENCE_S, "it again")
    assert sum("Sent again after a restart" in text for text in said()) == is_noted, said()


def test_a_second_signal_ends_it_at_once(scene):
    who = begin(scene)
    leader = scene.leader()
    tell_to_stop(scene)
    scene.bot.process.send_signal(signal.SIGTERM)
    assert scene.bot.process.wait(PATIENCE_S) == 0
    assert is_alive(leader)
    scene.bot.start()
    scene.go_on()
    who.hear("Live: staging")


def test_a_second_one_on_the_same_state_is_refused_with_75(tmp_path):
    first = bare(tmp_path).start()
    other = tmp_path / "other"
    other.mkdir()
    second = bare(other, STATE_DIRECTORY=first.settings["STATE_DIRECTORY"])
    second.start(wait=False)
    assert second.process.wait(20) == 75
    said = [x for x in second.log().splitlines() if "another deploybot uses" in x]
    assert len(said) == 1 and "STATE_DIRECTORY" in said[0]
    assert get(first.base + "/healthz")[0] == 200
    check_stop(first)


def test_a_port_that_is_taken_is_said_and_nothing_is_left(tmp_path):
    first = bare(tmp_path).start()
    other = tmp_path / "other"
    other.mkdir()
    second = bare(other, API_SERVER_PORT=first.settings["API_SERVER_PORT"]).start(wait=False)
    assert second.process.wait(20) not in (0, None)
    assert first.settings["API_SERVER_PORT"] in second.log()
    assert len(processes_in(first.settings["STATE_DIRECTORY"])) > 0, "one that runs is seen"
    wait_until(lambda: not processes_in(other), PATIENCE_S, "the end of its runner")
    third = bare(other).start()     # in the same state directory, whose lock is free
    assert processes_in(other)
    check_stop(third)
    check_stop(first)
