"""Goal: the digest that a script said before it released is the one that a rollback is given, however
server and supervisor died between."""
# SPDX-License-Identifier: ISC
import hashlib

import pytest

from crash_aid import HOLD, CrashScene, is_alive, kill
from flow_aid import PATIENCE_S
from stage import wait_until

# What a deployment is given, it writes down; a wrong digest before and another after the release change nothing.
SAY = ('echo "$2 $PREVIOUS_RELEASE" >"$here/$1.asked"; image=sha256:$(printf %s "$2" | sha256sum | cut -c 1-64); '
       f'echo "==> image sha256:{"0" * 64}"; echo "==> build"; echo "==> image $image"; ')
RELEASE = f'echo "==> release"; echo "==> image sha256:{"f" * 64}"; '
LIVE = 'echo "${2%%@*}" >"$here/$1.live"'
BACK = 'echo "$2 $PREVIOUS_RELEASE" >"$here/$1.asked"; echo "==> release"; ' + LIVE


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("image"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def before(scene):
    """A release with an image is live, and the next commit is there."""
    scene.scripts.deploy(SAY + RELEASE + LIVE)
    scene.scripts.rollback(BACK)
    scene.commit()
    scene.release()
    scene.commit()
    yield scene.scripts.live()
    scene.mend()


def image_of(commit):
    return "sha256:" + hashlib.sha256(commit.encode()).hexdigest()


def named(commit):
    return f"{commit}@{image_of(commit)}"


def asked(scene):
    return (scene.scripts.folder / "staging.asked").read_text(encoding="utf-8").split()


def test_the_image_that_went_live_comes_back(scene, before):
    state = scene.state_file("staging")
    assert (state["commit"], state["image"]) == (before, image_of(before))
    oldest = before
    scene.release()
    before = scene.scripts.live()
    scene.commit()
    head = scene.head("develop")
    final = scene.release()["message"]["text"]
    short = image_of(head)[7:14]
    assert "image" not in final      # a digest says nothing to who deploys: /status has it
    assert asked(scene) == [head, named(before)]
    who = scene.admin()
    who.say("/status staging")
    who.hear("staging runs", f"image {short}…")
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?", f"image {image_of(before)[7:14]}…"), "Roll back")
    who.hear("↩️ Rolled back: staging", before[:7] + "\nrequested by ")
    assert asked(scene) == [named(before), named(head)]
    state = scene.state_file("staging")
    # what was rolled back is no release to go back to
    assert (state["image"], state["previous"]["image"]) == (image_of(before), image_of(oldest))


def test_a_bad_release_is_rolled_back_to_the_image_that_ran(scene, before):
    scene.scripts.deploy(SAY + RELEASE + "exit 70")
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("staging is NOT running", "it runs " + before[:7] + " again")
    assert asked(scene) == [named(before), named(scene.head("develop"))]
    assert scene.state_file("staging")["image"] == image_of(before)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_server_that_was_away_knows_the_image(scene, before, where):
    """It was said to the one that died, or to nobody."""
    held = SAY + HOLD + "; " if where == "behind" else HOLD + "; " + SAY
    scene.scripts.deploy(held + RELEASE + LIVE)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    supervisor = scene.supervisor()
    scene.crash()
    scene.go_on()
    wait_until(lambda: not is_alive(supervisor), PATIENCE_S, "the run's end")
    scene.restart()
    head = scene.head("develop")
    who.hear("Live: staging", head[:7])
    state = scene.state_file("staging")
    assert (state["image"], state["previous"]["image"]) == (image_of(head), image_of(before))


def test_a_server_that_comes_back_while_it_runs_knows_the_image(scene, before):
    scene.scripts.deploy(SAY + HOLD + "; " + RELEASE + "exit 70")
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    scene.crash()
    scene.restart()
    scene.go_on()
    who.hear("staging is NOT running", "it runs " + before[:7] + " again")
    assert asked(scene) == [named(before), named(scene.head("develop"))]


def test_a_killed_supervisor_is_rolled_back_to_the_image_that_ran(scene, before):
    scene.scripts.deploy(SAY + RELEASE + HOLD)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("▸ release")
    scene.wait_held()
    kill(scene.supervisor())
    who.hear("staging is NOT running", "interrupted", "it runs " + before[:7] + " again")
    assert asked(scene) == [named(before), named(scene.head("develop"))]
