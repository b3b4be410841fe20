"""Goal: on real engines, what another project or program has there is found before anything is changed; what a release
that came to nothing left, and what did not end when it was asked to, is said as it is."""
# SPDX-License-Identifier: ISC
import sample_app
from bed import COMPOSE, RECREATE
from stage import wait_until
from targets_aid import PATIENCE_S

LISTENS = ("perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or "
           "die; sleep 900' </dev/null >/dev/null 2>&1 & echo $! >/run/neighbour")
WORKER = """  worker:
    image: ${DEPLOY_IMAGE}
    command: ["/shop", "--migrate"]
    restart: unless-stopped
    stop_grace_period: 2s
    healthcheck: {disable: true}
"""


def write(scene, text):
    for host in scene.hosts:
        host.write("/srv/app/docker-compose.yml", text)


def is_refused(scene, says):
    """Nothing was pulled, migrated or replaced for it; and doctor says so too."""
    commit = scene.change()
    before = [host.running() for host in scene.hosts]
    said = scene.attempt()
    assert "Preflight failed: production, nothing was changed" in said and says in said, said + scene.last_log()
    assert not {"pull", "migrate", "release"} & set(scene.steps())
    assert [host.running() for host in scene.hosts] == before
    done = scene.by_hand("target.sh", "production", "preflight")
    assert done.returncode == 70 and says in done.stdout, done.stdout
    return commit


def test_a_port_that_something_else_has_stops_a_release_before_its_migration(make_scene):
    scene = make_scene(settings={"MIGRATE_COMMAND": "/shop --migrate"})
    second = scene.hosts[1]
    second.run(LISTENS)
    try:
        wait_until(lambda: ":1F90 " in second.run("cat /proc/net/tcp"), PATIENCE_S, "the neighbour to listen")
        is_refused(scene, f"{second.address}: the compose file in /srv/app: port 8080, which app publishes, is that of "
                          "a program there")
    finally:
        second.run("kill $(cat /run/neighbour); rm /run/neighbour")
    scene.release()
    image, = second.running()
    second.run("docker run --detach --name mail-web-1 --label com.docker.compose.project=mail --publish 8081:8080 "
               f"{image}")
    write(scene, COMPOSE % "127.0.0.1:8081")
    is_refused(scene, "port 8081, which app publishes, is that of the container mail-web-1, compose project mail: ")
    second.run("docker rm --force mail-web-1")
    write(scene, RECREATE)
    scene.release()


def test_a_first_release_that_was_taken_back_whole_leaves_no_doubt(make_scene):
    scene = make_scene()
    scene.change("crash")
    said = scene.attempt()
    assert "production, nothing of it runs" in said and "production has no release yet" in said, said + scene.last_log()
    assert "may be DOWN" not in said and "unknown" not in said, said
    assert all(not host.running() for host in scene.hosts)
    scene.release()


def test_a_worker_that_had_to_be_killed_is_named(make_scene):
    """The first process of a container ignores TERM where it has no handler for it."""
    scene = make_scene(hosts=["h1"])
    write(scene, RECREATE + WORKER)
    for _ in range(2):
        sample_app.check_out(scene.work, "main")
        sample_app.write(scene.work, "app.py", f"{sample_app.APP}\n# the migration hangs\n# {scene.head('main')}\n")
        sample_app.commit(scene.work, "ada", "A worker that does not end")
        sample_app.git(scene.work, "push", "-q", "origin", "main")
        said = scene.attempt()
        assert "Live: production" in said, said + scene.last_log()
    assert "worker did not end within 2 s, and was killed" in said, said + scene.last_log()
