"""Goal: people who use the application while it is released notice nothing: not one request of theirs fails."""
# SPDX-License-Identifier: ISC
import pytest

from targets_aid import Load, failures

REQUESTS = 10000


@pytest.fixture
def loaded(make_scene):
    scene = make_scene("bluegreen")
    scene.release()
    load = Load(scene.hosts)
    yield scene, load
    load.stop()


def test_no_request_fails_during_a_deployment_and_a_rollback(loaded, make_scene):
    scene, load = loaded
    first = scene.answer(scene.hosts[0])
    second = scene.release()
    load.wait_for(REQUESTS)
    during = load.end("deployment")
    assert failures(during) == {}
    load = Load(scene.hosts)
    try:
        said = scene.attempt("/rollback production")
        assert f"production runs {first[:7]}" in said, said + scene.last_log()
        assert first != second and scene.all_run(first)
        load.wait_for(REQUESTS)
        assert failures(load.end("rollback")) == {}
    finally:
        load.stop()
