"""Goal: on real engines, with compose itself: one release replaces web, worker and scheduler on both hosts, whatever
the compose file's folder is called; where the worker does not come up, all run what they ran, and people are served."""
# SPDX-License-Identifier: ISC
import json

import sample_app
from bed import BLUEGREEN, RECREATE, UPSTREAM_FILE
from stage import wait_until
from targets_aid import PATIENCE_S

OTHERS = """  worker:
    image: ${DEPLOY_IMAGE}
    command: ["/shop", "--worker"]
    restart: unless-stopped
  scheduler:
    image: ${DEPLOY_IMAGE}
    healthcheck: {disable: true}
  by-hand:
    image: ${DEPLOY_IMAGE}
    restart: "no"
"""


def parts(host):
    """(service, image) of each container that runs."""
    words = host.run("docker ps --no-trunc --format '{{.Label \"com.docker.compose.service\"}} {{.Image}}'")
    return sorted(tuple(line.split()) for line in words.splitlines())


def all_run(scene, commit):
    digest = scene.bed.digest(commit)
    assert scene.answers() == {host.name: commit for host in scene.hosts}
    expected = [(name, f"{scene.image}@{digest}") for name in ("app", "scheduler", "worker")]
    for host in scene.hosts:    # what drains ends by itself
        wait_until(lambda h=host: parts(h) == expected, PATIENCE_S, f"{host.name} to run {expected}")


def release(scene):
    commit = scene.change()
    said = scene.attempt()
    assert "Live: production" in said and f"{commit[:7]}" in said, said + scene.last_log()
    all_run(scene, commit)
    return commit


def without_a_worker(scene):
    """A commit whose worker does not start."""
    sample_app.check_out(scene.work, "main")
    with open(f"{scene.work}/app.py", encoding="utf-8") as file:
        sample_app.write(scene.work, "app.py", file.read() + "\n# no worker starts\n")
    commit = sample_app.commit(scene.work, "ada", "A worker that does not start")
    sample_app.git(scene.work, "push", "-q", "origin", "main")
    return commit


def write(scene, text, path="docker-compose.yml"):
    for host in scene.hosts:
        host.write(f"/srv/app/{path}", text)


def test_all_services_are_replaced_and_restored_together(make_scene):
    scene = make_scene()
    write(scene, RECREATE + OTHERS)
    first = release(scene)
    second = release(scene)
    without_a_worker(scene)
    said = scene.attempt()
    assert "the service worker does not run: worker ended" in said, said + scene.last_log()
    all_run(scene, second)
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
    all_run(scene, first)


def test_a_compose_file_in_a_subfolder_is_released_like_any_other(make_scene):
    scene = make_scene()
    for host in scene.hosts:
        host.run("rm /srv/app/docker-compose.yml; install -d -o deploy /srv/app/prod; "
                 "echo COMPOSE_FILE=prod/compose.yaml >/srv/app/.env; chown deploy: /srv/app/.env")
    write(scene, RECREATE + OTHERS, "prod/compose.yaml")
    release(scene)
    commit = release(scene)
    assert scene.state_file("production")["commit"] == commit


def test_what_takes_longer_to_end_than_any_start_gets_its_time(make_scene):
    """More than the 180 s that compose has for a release else.  Its first process hears no such signal."""
    scene = make_scene(hosts=["h1"])
    write(scene, RECREATE + OTHERS.replace("unless-stopped\n", "unless-stopped\n    stop_signal: SIGUSR1\n"
                                           "    stop_grace_period: 190s\n", 1))
    release(scene)
    host, = scene.hosts
    before = host.run("docker ps -q --no-trunc --filter label=com.docker.compose.service=worker")
    commit = scene.change()
    said = scene.attempt(timeout=2 * PATIENCE_S)
    assert "Live: production" in said, said + scene.last_log()
    all_run(scene, commit)
    ended = host.run("docker ps -aq --no-trunc --filter label=com.docker.compose.service=worker")
    assert before not in ended.split() and "rolling back" not in scene.last_log(), scene.last_log()


def test_behind_the_switch_the_others_follow_or_all_goes_back(make_scene):
    scene = make_scene("bluegreen", hosts=["h1"])
    write(scene, BLUEGREEN + OTHERS)
    release(scene)
    commit = release(scene)
    host, = scene.hosts
    projects = set(host.run("docker ps --format '{{.Label \"com.docker.compose.project\"}}'").split())
    port = host.run(f"grep -o '800[12]' {UPSTREAM_FILE}")
    assert projects == {"app", f"app-{port}"}
    without_a_worker(scene)
    said = scene.attempt()
    assert "the earlier release serves still" in said, said + scene.last_log()
    all_run(scene, commit)
    assert json.loads(host.run("curl -s http://127.0.0.1/health"))["commit"] == commit
