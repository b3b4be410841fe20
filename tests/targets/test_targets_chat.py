"""Goal: from the chat to two hosts and back, on real parts: what people are told is what runs, by digest."""
# SPDX-License-Identifier: ISC
from telegram_client import text_of


def test_deploy_builds_pushes_and_ships_by_digest_and_rollback_takes_it_back(make_scene, bed):
    scene = make_scene()
    first = scene.release()
    old = bed.digest(first)
    assert scene.state_file("production")["image"] == old
    second = scene.release()
    new = bed.digest(second)
    assert new != old
    state = scene.state_file("production")
    assert (state["commit"], state["image"]) == (second, new)
    who = scene.admin()
    who.say("/status production")
    assert new.removeprefix("sha256:")[:12] in text_of(who.hear("production", "healthy"))
    built = len([1 for method, path, _ in bed.door.asked if method == "PUT" and "/manifests/" in path])
    said = scene.attempt("/rollback production")
    assert f"production runs {first[:7]}" in said, said + scene.last_log()
    assert scene.all_run(first) == old
    assert scene.state_file("production")["image"] == old
    assert "build" not in scene.steps() and "push" not in scene.steps()
    assert built == len([1 for method, path, _ in bed.door.asked if method == "PUT" and "/manifests/" in path])
    assert not scene.leftovers()


def test_an_unhealthy_release_is_taken_back_on_both_hosts(make_scene, bed):
    scene = make_scene()
    first = scene.release()
    bad = scene.change("broken")
    said = scene.attempt()
    assert f"production is NOT running {bad[:7]}; it runs {first[:7]} again" in said, said + scene.last_log()
    scene.all_run(first)
    assert scene.state_file("production")["image"] == bed.digest(first)
    # The next one is released as if nothing had been.
    scene.release()


def test_a_release_that_cannot_start_is_taken_back_on_both_hosts(make_scene):
    scene = make_scene()
    first = scene.release()
    bad = scene.change("crash")
    said = scene.attempt()
    assert f"production is NOT running {bad[:7]}; it runs {first[:7]} again" in said, said + scene.last_log()
    scene.all_run(first)


def test_a_release_that_cannot_start_beside_the_old_one_touches_nothing(make_scene):
    scene = make_scene("bluegreen")
    first = scene.release()
    scene.change("crash")
    said = scene.attempt()
    assert f"production still runs {first[:7]}" in said and "nothing was touched" in said, said + scene.last_log()
    scene.all_run(first)
    scene.release()
