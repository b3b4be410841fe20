"""Goal: kill -9 of whatever carries a release out, at every step and at any moment: people are answered by the old or
the new release whole, and the next attempt works."""
# SPDX-License-Identifier: ISC
import os
import random
import re
import threading

import pytest

from stage import wait_until
from targets_aid import PATIENCE_S, Load, bot_pids, kill_all, script_pids

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10 ** 6)


@pytest.fixture
def loaded(make_scene):
    """Blue/green on two hosts, with a release live and people on it."""
    scene = make_scene("bluegreen")
    scene.release()
    load = Load(scene.hosts, ["new connections"])
    try:
        yield scene, load
    finally:
        load.stop()


def whole(scene, allowed):
    """Each host answers with a release that it may have, and none is asked of by two."""
    answers = scene.answers()
    assert all(answer in allowed for answer in answers.values()), f"{answers}, expected {allowed}{scene.last_log()}"


def step_names(scene):
    """The steps of a whole deployment, as this one takes them."""
    scene.release()
    return list(dict.fromkeys(re.sub(r" .*", "", step) for step in scene.steps()))


def deploy_until(scene, step):
    """Asks for a deployment; returns when its script has said the step, or is over."""
    count = len(list((scene.folder / "state" / "runs").glob("*/log")))
    who, question = scene.ask()
    wait_until(lambda: len(list((scene.folder / "state" / "runs").glob("*/log"))) > count, PATIENCE_S, "a run")
    wait_until(lambda: any(said.split()[0] == step for said in scene.steps()) or not scene.is_busy("production"),
               PATIENCE_S, f"the step {step}")
    return who, question


def test_a_script_killed_at_any_step_leaves_a_whole_release(loaded):
    scene, load = loaded
    live = scene.answer(scene.hosts[0])
    killed = {}
    for step in step_names(scene):
        live = scene.answer(scene.hosts[0])
        wanted = scene.change()
        who, question = deploy_until(scene, step)
        killed[step] = kill_all(script_pids())
        said = scene.end(who, question)
        print(f"kill: script at {step}: {killed[step]} processes; {said.splitlines()[0]}")
        whole(scene, {live, wanted})
        assert f"production runs {wanted[:7]}" in scene.attempt(), scene.last_log()
        scene.all_run(wanted)
    assert all(killed.values()), killed
    assert not load.end("script killed at every step")[1]
    assert not scene.leftovers()


def host_script(host):
    """The processes of what deploybot runs on a host."""
    return [int(pid) for pid in host.run("pgrep -u deploy -f 'bash -s' || true").split()]


def test_a_host_script_killed_at_random_moments_leaves_a_whole_release(loaded):
    scene, load = loaded
    draw = random.Random(SEED)
    print(f"seed {SEED}")
    hit = 0
    for _ in range(ROUNDS):
        live, wanted = scene.answer(scene.hosts[0]), scene.change()
        host = draw.choice(scene.hosts)
        passes = draw.randrange(1, 60)
        who, question = deploy_until(scene, "image")
        # So many looks at the host's processes after its script was first seen.
        seen = 0
        while scene.is_busy("production") and seen < passes:
            seen += bool(host_script(host))
        found = host_script(host)
        if found:
            host.run(f"kill -9 {' '.join(map(str, found))} || true")
            hit += 1
        said = scene.end(who, question)
        print(f"kill: script on {host.name} after {seen} looks: {len(found)} processes; {said.splitlines()[0]}")
        whole(scene, {live, wanted})
        assert f"production runs {wanted[:7]}" in scene.attempt(), scene.last_log()
        scene.all_run(wanted)
    assert hit
    assert not load.end("host's script killed")[1]
    assert not scene.leftovers()


def test_a_switch_killed_at_random_moments_answers_every_request(loaded):
    scene, load = loaded
    draw = random.Random(SEED)
    print(f"seed {SEED}")
    hit = 0
    for _ in range(ROUNDS):
        live, wanted = scene.answer(scene.hosts[0]), scene.change()
        moment = draw.uniform(0, 4)
        who, question = deploy_until(scene, "release")
        threading.Event().wait(moment)
        killed = kill_all(script_pids())
        hit += bool(killed)
        said = scene.end(who, question)
        print(f"kill: script {moment:.2f} s into the switch: {killed} processes; {said.splitlines()[0]}")
        whole(scene, {live, wanted})
        assert f"production runs {wanted[:7]}" in scene.attempt(), scene.last_log()
        scene.all_run(wanted)
    assert hit
    assert not load.end("killed in the middle of a switch")[1]
    assert not scene.leftovers()


@pytest.mark.parametrize("step", ["push", "pull", "release"])
def test_server_runner_and_keeper_killed_together_lose_nothing(loaded, step):
    scene, load = loaded
    live, wanted = scene.answer(scene.hosts[0]), scene.change()
    who, question = deploy_until(scene, step)
    killed = kill_all(bot_pids())
    assert killed >= 3, killed
    scene.bot.process.wait()
    whole(scene, {live, wanted})
    scene.start_bot()
    said = scene.end(who, question)
    print(f"kill: server, runner, keeper at {step}: {killed} processes; {said.splitlines()[0]}")
    whole(scene, {live, wanted})
    assert f"production runs {wanted[:7]}" in scene.attempt(), scene.last_log()
    scene.all_run(wanted)
    assert not load.end(f"all of deploybot killed at {step}")[1]
    assert not scene.leftovers()
