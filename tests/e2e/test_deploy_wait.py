"""Goal: with IMAGE_SOURCE=registry a push and CI are in no race: the deployment waits for the image, but not for ever,
keeps nobody else from cleaning up meanwhile, and can be ended at any moment."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import signal

import pytest

from commands.recorder import World
from commands_aid import cleans, goes_live, shipped
from runner_client import wait_for

WAITS = {"IMAGE_SOURCE": "registry", "IMAGE_WAIT_SECONDS": "60", "IMAGE_POLL_SECONDS": "1"}
STEP = "==> wait for CI's image"


def change_world(bench, **fields):
    """With the lock that the stand-ins take: one of them may be reading."""
    with World(bench.stand) as world:
        world.update(fields)


def push_as_ci(bench, commit):
    manifest = json.dumps({"schemaVersion": 2, "commit": commit})
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    change_world(bench, registry={bench.image: {commit: manifest, digest: manifest}})
    return digest


def asked(bench, times):
    """Waits until the registry has been asked so often."""
    wait_for(lambda: len(bench.calls("curl")) >= times, f"{times} questions to the registry")


def test_a_push_that_is_heard_before_ci_is_done_waits_for_its_image(bench):
    commit = bench.commit("one")
    process = bench.start("deploy.sh", "staging", commit, **WAITS)
    asked(bench, 2)
    assert STEP in bench.said() and bench.target() == ""
    digest = push_as_ci(bench, commit)
    assert process.wait(timeout=120) == 0, bench.said()
    assert bench.target() == f"{commit}@{digest}"
    assert bench.steps() == ["preflight", "wait for CI's image", f"image {digest}", "release", "clean-later"]


def test_an_image_that_is_there_is_not_waited_for(bench):
    commit = bench.commit("one")
    push_as_ci(bench, commit)
    assert bench.run("deploy.sh", "staging", commit, **WAITS)[0] == 0
    assert STEP not in bench.said() and len(bench.calls("curl")) == 1


def test_an_image_that_never_comes_is_waited_for_as_long_as_was_said(bench):
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), **{**WAITS, "IMAGE_WAIT_SECONDS": "2"})
    assert status == 66 and "waited for: 2 s" in said[-1] and "IMAGE_WAIT_SECONDS" in said[-1], said
    assert STEP in said and "==> release" not in said and 2 <= len(bench.calls("curl")) <= 4
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), IMAGE_SOURCE="registry")
    assert status == 66 and STEP not in said and "CI has not pushed" in said[-1], "by hand nobody waits"


def test_a_registry_that_hiccups_while_it_is_waited_for_is_asked_again(bench):
    commit = bench.commit("one")
    process = bench.start("deploy.sh", "staging", commit, **WAITS)
    asked(bench, 1)
    wait_for(lambda: STEP in bench.said(), "the wait")
    seen = len(bench.calls("curl"))
    change_world(bench, answers={"GET": [503, {}, "busy"]})
    asked(bench, seen + 2)
    assert process.poll() is None, bench.said()
    digest = push_as_ci(bench, commit)
    change_world(bench, answers={})
    assert process.wait(timeout=120) == 0 and bench.target() == f"{commit}@{digest}", bench.said()


@pytest.mark.long
def test_who_waits_keeps_no_other_environment_from_cleaning_up(bench):
    process = bench.start("deploy.sh", "production", bench.commit("slow"), **{**WAITS, "IMAGE_WAIT_SECONDS": "900",
                                                                              "IMAGE_POLL_SECONDS": "900"})
    waiting = bench.log
    wait_for(lambda: STEP in waiting.read_text(), "the wait")
    for text in ("one", "two", "three"):
        goes_live(bench, "staging", shipped(bench, text, PREVIOUS_RELEASE="")[0])
    said = cleans(bench, "staging", KEEP_RELEASES="1")
    assert any(line.startswith("removed ") for line in said), said
    assert process.poll() is None


def test_a_wait_is_ended_at_once(bench):
    process = bench.start("deploy.sh", "staging", bench.commit("one"), **{**WAITS, "IMAGE_POLL_SECONDS": "600"})
    wait_for(lambda: STEP in bench.said(), "the wait")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 143 and "ended by a signal" in bench.said()[-1]
    wait_for(lambda: not bench.session(process), "nothing of it is left")


@pytest.mark.parametrize("value", ["-1", "soon", "1;id", "007"])
def test_a_wait_that_is_no_number_is_refused(bench, value):
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), IMAGE_WAIT_SECONDS=value)
    assert status == 78 and "IMAGE_WAIT_SECONDS" in said[-1] and not bench.calls()
