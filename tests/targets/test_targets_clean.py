"""Goal: images do not pile up: hosts and registry keep the last five, what runs and what ran before among them."""
# SPDX-License-Identifier: ISC
KEPT, DEPLOYMENTS = 5, 8


def test_after_eight_deployments_hosts_and_registry_hold_the_last_five(make_scene, bed):
    scene = make_scene(hosts=["h1"])
    digests = []
    for _ in range(DEPLOYMENTS):
        digests.append(bed.digest(scene.release()))
    scene.wait_cleaned()
    assert [digest for digest in digests if bed.has(digest)] == digests[-KEPT:]
    held = scene.hosts[0].run("docker images --no-trunc --digests --format '{{.Digest}}'").split()
    assert sorted(set(held)) == sorted(digests[-KEPT:])
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said, said + scene.last_log()
    assert scene.all_run(scene.state_file("production")["commit"]) == digests[-2]
