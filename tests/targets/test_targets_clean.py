"""Goal: images do not pile up: hosts and registry keep the last five, what runs and what ran before among them."""
# SPDX-License-Identifier: ISC
KEPT, DEPLOYMENTS = 5, 8


def test_after_eight_deployments_hosts_and_registry_hold_the_last_five(make_scene, bed):
    scene = make_scene()
    digests = []
    for _ in range(DEPLOYMENTS):
        digests.append(bed.digest(scene.release()))
    assert [digest for digest in digests if bed.has(digest)] == digests[-KEPT:]
    for host in scene.hosts:
        held = host.run("docker images --no-trunc --digests --format '{{.Digest}}'").split()
        assert sorted(held) == sorted(digests[-KEPT:])
    # An old one is live again: it stays, however many come after it.
    for _ in range(2):
        said = scene.attempt("/rollback production")
        assert "production runs" in said, said + scene.last_log()
    scene.all_run(scene.state_file("production")["commit"])
