"""Goal: from the chat to two hosts and back, on real parts: what people are notified of is what runs, by digest."""
# SPDX-License-Identifier: ISC
import pytest

from targets_aid import TargetScene
from telegram_client import text_of


@pytest.fixture(scope="module")
def scene(bed, tmp_path_factory):
    with TargetScene(bed, tmp_path_factory.mktemp("chat")) as made:
        yield made


def pushed(bed):
    return len([1 for method, path, _ in bed.door.asked if method == "PUT" and "/manifests/" in path])


def test_deploy_builds_pushes_and_ships_by_digest_and_rollback_takes_it_back(scene, bed):
    first = scene.release()
    old = bed.digest(first)
    assert scene.state_file("production")["image"] == old
    second = scene.release()
    new = bed.digest(second)
    state = scene.state_file("production")
    assert new != old and (state["commit"], state["image"]) == (second, new)
    who = scene.admin()
    who.say("/status production")
    assert new.removeprefix("sha256:")[:7] in text_of(who.hear("production", "healthy"))
    before = pushed(bed)
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
    assert scene.all_run(first) == old == scene.state_file("production")["image"]
    assert "build" not in scene.steps() and pushed(bed) == before
    assert not scene.leftovers()


def test_an_unhealthy_release_is_rolled_back_on_both_hosts(scene, bed):
    live = scene.state_file("production")["commit"]
    bad = scene.change("broken")
    said = scene.attempt()
    assert f"production is NOT running {bad[:7]}; it runs {live[:7]} again" in said, said + scene.last_log()
    scene.all_run(live)
    assert scene.state_file("production")["image"] == bed.digest(live)


def test_a_release_that_cannot_start_is_rolled_back_on_both_hosts(scene):
    live = scene.state_file("production")["commit"]
    bad = scene.change("crash")
    said = scene.attempt()
    assert f"production is NOT running {bad[:7]}; it runs {live[:7]} again" in said, said + scene.last_log()
    scene.all_run(live)


def test_a_release_that_cannot_start_beside_the_old_one_touches_nothing(make_scene):
    scene = make_scene("bluegreen")
    first = scene.release()
    scene.change("crash")
    said = scene.attempt()
    assert f"production still runs {first[:7]}" in said and "nothing was changed" in said, said + scene.last_log()
    scene.all_run(first)
    scene.release()
