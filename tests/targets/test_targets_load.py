"""Goal: people who use the application while it is released notice nothing: not one request of theirs fails."""
# SPDX-License-Identifier: ISC
from targets_aid import Load

REQUESTS = 10000


def under_load(scene, what, act):
    """Does it with people on all hosts, who go on until there were enough of them."""
    load = Load(scene.hosts)
    try:
        act()
        load.wait_for(REQUESTS // len(scene.hosts))
        requests, failed = load.end(what)
    finally:
        load.stop()
    assert requests >= REQUESTS and not failed


def test_no_request_fails_during_a_deployment_and_a_rollback(make_scene):
    scene = make_scene("bluegreen")
    first = scene.release()
    under_load(scene, "deployment", scene.release)

    def take_back():
        said = scene.attempt("/rollback production")
        assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
        scene.all_run(first)
    under_load(scene, "rollback", take_back)
