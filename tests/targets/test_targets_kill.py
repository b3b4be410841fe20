"""Goal: kill -9 of whatever carries a release out, at every step and at any moment: people are answered by the old or
the new release whole, not one request fails, and the next attempt works."""
# SPDX-License-Identifier: ISC
import os
import random
import re
import threading

import pytest

from stage import wait_until
from targets_aid import PATIENCE_S, Load, TargetScene, bot_pids, kill_all, script_pids

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10 ** 6)


@pytest.fixture(scope="module")
def scene(bed, tmp_path_factory):
    """Blue/green on two hosts, with a release live."""
    with TargetScene(bed, tmp_path_factory.mktemp("kill"), "bluegreen") as made:
        made.release()
        yield made


@pytest.fixture
def load(scene):
    """People who notice whatever fails."""
    made = Load(scene.hosts, ["new connections"])
    try:
        yield made
    finally:
        made.stop()


def deploy_until(scene, step):
    """Asks for a deployment; returns when its script has said the step, or is over."""
    count = len(scene.logs())
    who = scene.ask()
    wait_until(lambda: len(scene.logs()) > count, PATIENCE_S, "a run")
    wait_until(lambda: step in step_words(scene) or not scene.is_busy("production"), PATIENCE_S, f"the step {step}")
    return who


def step_words(scene):
    """The steps of the newest run, without what stands behind their name, in their order."""
    return list(dict.fromkeys(step.split()[0] for step in scene.steps()))


def kill_at(scene, step, kill, what):
    """A deployment, somebody killed when it has said the step; what became of it, and how many were killed."""
    allowed = {scene.answer(scene.hosts[0]), scene.change()}
    who = deploy_until(scene, step)
    killed = kill()
    said = scene.end(who)
    answers = scene.answers()
    print(f"kill: {what}: {killed} processes; {said.splitlines()[0]}", flush=True)
    assert set(answers.values()) <= allowed, f"{answers}, not of {allowed}{scene.last_log()}"
    assert len(set(answers.values())) == 1, f"{answers}{scene.last_log()}"
    return killed


def ends_well(scene, load, what):
    """The next attempt works, nobody saw an error, nothing lies about."""
    scene.release()
    assert not load.end(what)[1]
    assert not scene.leftovers() and not scene.locks()


def test_a_script_killed_at_any_step_leaves_a_whole_release(scene, load):
    steps = ["preflight", "checkout", "build", "push", "image", "pull", "start", "release", "switch", "drain-later",
             "clean-later"]
    killed = {step: kill_at(scene, step, lambda: kill_all(script_pids()), f"script at {step}") for step in steps}
    ends_well(scene, load, "script killed at every step")
    assert set(step_words(scene)) <= set(steps), killed
    # The last two only note what is done later: their script may have ended before it can be killed.
    assert all(killed[step] for step in steps[:-2]), killed


def test_a_switch_killed_at_random_moments_leaves_a_whole_release(scene, load):
    draw, killed = random.Random(SEED), 0
    print(f"SEED={SEED}")
    for _ in range(ROUNDS):
        moment = draw.uniform(0, 4)

        def kill(after=moment):
            threading.Event().wait(after)
            return kill_all(script_pids())
        killed += kill_at(scene, "release", kill, f"script, {moment:.2f} s into the switch")
    ends_well(scene, load, "killed in the middle of a switch")
    assert killed


def host_script(host):
    """The processes of what deploybot runs on a host."""
    return re.findall(r"\d+", host.run("pgrep -u deploy -f 'bash -s' || true"))


def test_a_hosts_script_killed_at_random_moments_leaves_a_whole_release(scene, load):
    draw, killed = random.Random(SEED), 0
    print(f"SEED={SEED}")
    for _ in range(ROUNDS):
        host, looks = draw.choice(scene.hosts), draw.randrange(1, 40)

        def kill(host=host, looks=looks):
            seen, found = 0, []
            while scene.is_busy("production") and seen < looks:
                found = host_script(host)
                seen += bool(found)
            if found:
                host.run(f"kill -9 {' '.join(found)} || true")
            return len(found)
        killed += kill_at(scene, "image", kill, f"{host.name}'s script at the {looks}th look")
    ends_well(scene, load, "a host's script killed")
    assert killed


@pytest.mark.parametrize("step", ["push", "start", "release"])
def test_server_runner_and_supervisor_killed_together_leave_a_whole_release(scene, load, step):
    def kill():
        killed = kill_all(bot_pids())
        scene.bot.process.wait()
        scene.start_bot()
        return killed
    # Behind the release its supervisor may have ended before it can be killed.
    assert kill_at(scene, step, kill, f"server, runner, supervisor at {step}") >= (2 if step == "release" else 3)
    ends_well(scene, load, f"all of deploybot killed at {step}")
