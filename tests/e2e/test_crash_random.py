"""Goal: whichever of server, runner and keeper are killed at whatever moment, every deployment ends,
its chat is told, what is said to run is what runs, and nothing of it is left alive.

DEPLOYBOT_SEED and DEPLOYBOT_ROUNDS choose the play; the seed is printed."""
# SPDX-License-Identifier: ISC
import os
import random
import time

import pytest

from crash_aid import CrashScene, ends_of, kill, texts
from flow_aid import PATIENCE_S
from stage import wait_until

ROUNDS = int(os.environ.get("DEPLOYBOT_ROUNDS", "12"))
ENDINGS = {"good": 'echo "$2" >"$here/$1.live"', "bad": "exit 1"}


@pytest.fixture
def scene(tmp_path):
    made = CrashScene(tmp_path, settings={"SHUTDOWN_TIMEOUT_SECONDS": "5"})
    yield made
    made.close()


def words(kind):
    """A script of three phases; what it leaves in the background only when it fails."""
    daemon = "(setsid sleep 1000 >/dev/null 2>&1 &)\n" if kind == "bad" else ""
    return ('echo "==> build"; sleep 0.1; echo "==> release"; echo half >"$here/$1.live"\n'
            f"{daemon}sleep 0.2; {ENDINGS[kind]}")


def processes(scene):
    found = {"server": scene.server()}
    try:
        found["runner"] = scene.runner()
        leader = scene.run_folder() / "leader"
        if scene.last_run() and leader.exists():
            found["keeper"] = scene.keeper()
    except (TimeoutError, OSError, ValueError, IndexError):
        pass
    return {name: pid for name, pid in found.items() if pid > 1}


def play(scene, dice, n):
    """One round; the person who asked, and what was done."""
    kind = dice.choice(("good", "good", "bad"))
    scene.scripts.deploy(words(kind))
    scene.commit()
    who = scene.admin()
    mark = scene.last_run()
    who.say("/deploy staging")
    moment = dice.uniform(0, 0.7)
    wait_for_run = dice.random() < 0.7
    if wait_for_run:
        wait_until(lambda: scene.last_run() > mark, PATIENCE_S, "a run")
        moment /= 2
    time.sleep(moment)          # the moment is the test's input
    victims = dice.sample(("server", "runner", "keeper"), dice.randint(1, 3))
    known = processes(scene)
    for name in victims:
        if name in known:
            kill(known[name])
    if "server" in victims:
        scene.bot.process.wait()
        time.sleep(dice.choice((0, 0, 0.3)))
        scene.restart()
    told = f"round {n}: {kind}, {'run+' if wait_for_run else ''}{moment:.3f} s, {sorted(victims)}"
    print(told, flush=True)
    return who, told


def test_any_of_them_killed_at_any_moment(scene):
    seed = int(os.environ.get("DEPLOYBOT_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"DEPLOYBOT_SEED={seed}", flush=True)
    dice = random.Random(seed)
    scene.scripts.rollback('echo "==> release"; sleep 0.1; echo "$2" >"$here/$1.live"')
    scene.release()
    for n in range(ROUNDS):
        who, told = play(scene, dice, n)
        try:
            wait_until(lambda: ends_of(who), PATIENCE_S, "an end that is told")
            scene.wait_free()
        except TimeoutError as late:
            raise AssertionError(f"seed {seed}, {told}: {late}{texts(who)}"
                                 f"\n{scene.bot.log()[-5000:]}") from late
        left = scene.with_run_id()
        wait_until(lambda: not scene.with_run_id(), PATIENCE_S, f"seed {seed}, {told}: {left}")
        known = scene.state_file("staging")
        assert known is None or known["commit"] == scene.scripts.live(), (seed, told, known)
    scene.check()
