"""Goal: on real engines a migration runs once, by compose, with the new image, before the release; one that fails, is
cancelled or takes too long leaves what was live and no container; one that was left, on any host, is waited for."""
# SPDX-License-Identifier: ISC
import sample_app
from stage import wait_until
from targets_aid import PATIENCE_S

NAME = "deploybot-migrate-production"


def migrates(scene, how):
    """A commit whose migration does that, and the deployment of it: (commit, who asked)."""
    sample_app.check_out(scene.work, "main")
    sample_app.write(scene.work, "app.py", f"{sample_app.APP}\n# the migration {how}\n")
    commit = sample_app.commit(scene.work, "ada", f"The migration {how}")
    sample_app.git(scene.work, "push", "-q", "origin", "main")
    return commit, scene.ask()


def containers(host, *words):
    return host.run(f"docker ps --quiet --filter name=^{NAME}$ {' '.join(words)}").split()


def nothing_is_left(scene):
    assert [host.name for host in scene.hosts if containers(host, "--all")] == []


def serves_still(scene, live, said, what):
    assert f"{what}; {live[:7]} still serves; the database may be half migrated" in said, said + scene.last_log()
    nothing_is_left(scene)
    scene.all_run(live)


def test_compose_migrates_once_and_whatever_ends_it_leaves_no_container(make_scene):
    scene = make_scene(settings={"MIGRATE_COMMAND": "/shop --migrate", "MIGRATE_TIMEOUT_SECONDS": "60"})
    first, second = scene.hosts
    live = scene.release()
    assert scene.last_log().count(f"|app| migrates to {live}\n") == 1
    assert scene.steps().index("migrated") == scene.steps().index("migrate") + 1 < scene.steps().index("release")
    nothing_is_left(scene)

    commit, asked = migrates(scene, "fails")
    said = scene.end(asked)
    serves_still(scene, live, said, "the migration failed (exit 3)")
    assert f"\nmigrates to {commit}\n" in said.partition("the application logged:\n")[2], said

    _, asked = migrates(scene, "hangs")
    wait_until(lambda: containers(first), PATIENCE_S, "the migration")
    assert not containers(second)
    scene.admin().say("/cancel production")
    serves_still(scene, live, scene.end(asked), "the migration was interrupted and stopped")

    # As a killed run has left it, where another host was the first one.
    image = second.running()[0]
    second.run(f"docker run --detach --name {NAME} {image}")
    commit, asked = migrates(scene, "works")
    wait_until(lambda: "wait for a migration" in scene.steps(), PATIENCE_S, "the wait for it")
    assert "migrate" not in scene.steps() and f"{NAME} on {second.address}" in scene.last_log()
    second.run(f"docker stop --time 1 {NAME}")
    said = scene.end(asked)
    assert "Live: production" in said and commit[:7] in said, said + scene.last_log()
    assert f"migrates to {commit}\n" in scene.last_log()
    nothing_is_left(scene)
    scene.all_run(commit)


def test_one_that_takes_too_long_is_stopped_on_its_host(make_scene):
    scene = make_scene("bluegreen", hosts=["h1"], settings={
        "MIGRATE_COMMAND": "/shop --migrate", "MIGRATE_TIMEOUT_SECONDS": "10"})
    live = scene.release()
    _, asked = migrates(scene, "hangs")
    serves_still(scene, live, scene.end(asked), "the migration was interrupted and stopped")
    assert "it took longer than 10 s and was stopped" in scene.last_log()
