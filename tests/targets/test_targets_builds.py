"""Goal: a real engine builds from a private base, a pruned one takes its layers from the last image in the registry,
and a registry that is busy for a moment, here or on a host, fails no release."""
# SPDX-License-Identifier: ISC
import re

import sample_app
from bed import HOSTS, IMAGE, OURS, REGISTRY_PORT

FROM_BASE = f"""FROM {OURS}:{REGISTRY_PORT}/{IMAGE}:%s
COPY slow /slow
ARG COMMIT=
ENV COMMIT=$COMMIT
COPY app.py settings.json release.json /
"""
FORGET = "docker image prune -af >/dev/null; docker builder prune -af >/dev/null"


def test_a_private_base_and_the_cache_of_the_last_image(make_scene, bed):
    scene = make_scene()
    base = scene.release()
    sample_app.check_out(scene.work, "main")
    sample_app.write(scene.work, "Dockerfile", FROM_BASE % base)
    sample_app.write(scene.work, "slow", "slow\n")
    sample_app.commit(scene.work, "ada", "Begin with the base")
    bed.forge.run(FORGET)
    scene.release()
    assert re.search(r"images are built by docker \S+, (BuildKit|buildx)", scene.last_log()), scene.last_log()
    bed.forge.run(FORGET)
    scene.release()
    assert " CACHED" in scene.last_log(), scene.last_log()


def test_a_registry_that_is_busy_for_a_moment_fails_no_release(make_scene, bed):
    scene = make_scene()
    rules = [bed.door.add(**rule, status=status, times=1) for status, rule in (
        (503, {"method": "GET", "path": "/manifests/", "who": OURS}),
        (429, {"method": "POST", "path": "/uploads"}),
        (503, {"path": "/manifests/", "who": HOSTS["h1"]}),
        (429, {"path": "/manifests/", "who": HOSTS["h2"]}))]
    scene.release()
    assert all(rule.hits == 1 for rule in rules), [rule.hits for rule in rules]
    assert "HTTP 503: asked again in 1 s" in scene.last_log(), scene.last_log()


def test_a_base_of_a_registry_that_is_busy_for_a_moment_is_asked_for_again(make_scene, bed):
    """By what builds here, whichever that is: it is the real one that says why it failed."""
    scene = make_scene()
    base = scene.release()
    sample_app.check_out(scene.work, "main")
    sample_app.write(scene.work, "Dockerfile", FROM_BASE % base)
    sample_app.write(scene.work, "slow", "slow\n")
    sample_app.commit(scene.work, "ada", "Begin with the base")
    bed.forge.run(FORGET)
    # BuildKit itself asks again a few times where it is 429, and not where it is 503.
    rules = [bed.door.add(path=f"/manifests/{base}", status=status, times=times)
             for status, times in ((429, 12), (503, 1))]
    scene.release()
    assert all(rule.hits == rule.times for rule in rules), [rule.hits for rule in rules]
    assert "docker build: a registry is busy: asked again in " in scene.last_log(), scene.last_log()
