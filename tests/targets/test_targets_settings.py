"""Goal: on real engines, what is released with other settings runs with them: an env_file, the compose file of the
commit and the host's again, another name of the project.  A clean-up that hangs keeps no release waiting."""
# SPDX-License-Identifier: ISC
import re
import threading

import sample_app
from bed import BLUEGREEN, RECREATE, UPSTREAM_FILE
from targets_aid import Load
from test_targets_services import OTHERS, all_run, release, write

HELD = "docker images --no-trunc --digests --format '{{.Digest}}'"
REPO = {"COMPOSE_SOURCE": "repo", "COMPOSE_REPO_TRUSTED": "true"}


def containers(host):
    return set(host.run("docker ps -q --no-trunc").split())


def variables(host):
    """Of the container that answers people."""
    port = host.run(f"grep -o '800[12]' {UPSTREAM_FILE}")
    return host.run("docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "
                    f"$(docker ps -q --filter publish={port})").split()


def deploy(scene, commit):
    said = scene.attempt()
    assert "Live: production" in said and f"{commit[:7]}" in said, said + scene.last_log()
    all_run(scene, commit)
    return said


def bring(scene, text):
    """A commit with this compose file."""
    sample_app.check_out(scene.work, "main")
    sample_app.write(scene.work, "docker-compose.yml", text)
    commit = sample_app.commit(scene.work, "ada", "A compose file")
    sample_app.git(scene.work, "push", "-q", "origin", "main")
    return commit


def restart(scene, **settings):
    scene.bot.stop()
    scene.start_bot(**settings)


def test_with_a_changed_env_file_the_image_that_serves_is_made_anew_and_nobody_waits(make_scene):
    """With .env itself among them, some of whose lines change with each release."""
    scene = make_scene("bluegreen", hosts=["h1"])
    host, = scene.hosts
    host.run("cd /srv/app && install -o deploy -m 600 /dev/null .env && install -o deploy /dev/null app.env")
    write(scene, BLUEGREEN + "    env_file: [app.env, .env]\n" + OTHERS)
    host.write("/srv/app/app.env", "PRICES=old\n")
    release(scene)
    commit = release(scene)
    before = containers(host)
    deploy(scene, commit)
    assert containers(host) == before and "PRICES=old" in variables(host), scene.last_log()
    host.write("/srv/app/app.env", "PRICES=new\n")
    load = Load(scene.hosts, ["new connections"])
    try:
        deploy(scene, commit)
        assert not load.end("a changed env_file")[1]
    finally:
        load.stop()
    assert "PRICES=new" in variables(host) and not containers(host) <= before


def test_the_compose_file_of_the_commit_follows_the_hosts_and_gives_way_to_it(make_scene):
    """A worker that it breaks is put back with the file of before, and a rollback brings the file of its release."""
    scene = make_scene("bluegreen", hosts=["h1"])
    host, = scene.hosts
    write(scene, BLUEGREEN + OTHERS)
    first = release(scene)
    restart(scene, **REPO)
    text = BLUEGREEN + "    environment: [FROM=commit]\n" + OTHERS
    second = bring(scene, text)
    deploy(scene, second)
    assert "FROM=commit" in variables(host)
    bad = bring(scene, text.replace('"/shop", "--worker"', '"/missing"'))
    said = scene.attempt()
    assert f"production is NOT running {bad[:7]}; it runs {second[:7]} again" in said, said + scene.last_log()
    assert any("; the earlier release serves still" in log for log in scene.logs()[-2:]), scene.logs()[-2:]
    all_run(scene, second)
    assert "FROM=commit" in variables(host)
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
    all_run(scene, first)
    assert "FROM=commit" not in variables(host) and "COMPOSE_FILE" not in host.run("cat /srv/app/.env")
    third = bring(scene, text)
    deploy(scene, third)
    assert "FROM=commit" in variables(host)
    restart(scene, COMPOSE_SOURCE="host")
    deploy(scene, third)    # the same image
    assert "FROM=commit" not in variables(host)


def test_what_a_renamed_project_has_left_is_named_or_in_the_way_of_no_release(make_scene):
    scene = make_scene(hosts=["h1"])
    host, = scene.hosts
    write(scene, RECREATE + OTHERS)
    live = release(scene)
    host.run("echo COMPOSE_PROJECT_NAME=renamed >>/srv/app/.env")
    commit = scene.change()
    said = scene.attempt()
    assert f"production still runs {live[:7]}" in said and "nothing was changed" in said, said + scene.last_log()
    all_run(scene, live)
    advice = re.search(r"COMPOSE_PROJECT_NAME=app in /srv/app/.env, or end it there \((docker rm -f app.app.1)\)", said)
    host.run(advice.group(1))
    said = scene.attempt()
    assert "Live: production" in said and "still on the old release: app" in said, said + scene.last_log()
    advice = next(log for log in reversed(scene.logs()) if "another name run" in log)
    host.run(re.search(r"; there: (docker rm -f [a-z0-9_ -]+)", advice).group(1))
    all_run(scene, commit)


def test_a_clean_up_that_hangs_keeps_no_release_waiting(make_scene, bed):
    """Neither where a host's engine does not answer, nor where the registry does not."""
    scene = make_scene(hosts=["h1"])
    host, = scene.hosts
    old = bed.digest(scene.release())
    for _ in range(2):
        scene.release()
    hooks = scene.folder / "hooks" / "post-deploy"
    hooks.mkdir(parents=True)
    (hooks / "10-hang").write_text(f"#!/bin/sh\nexec nsenter -t {host.pid} --all --root pkill -STOP dockerd\n")
    (hooks / "10-hang").chmod(0o755)
    gate = bed.door.add(method="DELETE", path="/manifests/", gate=threading.Event(), status=500)
    commit = scene.change()
    done = scene.by_hand("deploy.sh", "production", commit, HOOKS_DIRECTORY=str(hooks.parent), CLEAN_SECONDS="3",
                         KEEP_RELEASES="1")
    host.run("pkill -CONT dockerd")
    bed.door.behave()
    assert done.returncode == 0 and gate.hits, done.stdout
    assert done.stdout.count("warning: the clean-up was not finished; the next deployment continues it") == 2, \
        done.stdout
    scene.all_run(commit)
    assert bed.has(old)
    commit = scene.change()
    done = scene.by_hand("deploy.sh", "production", commit, KEEP_RELEASES="1")
    assert done.returncode == 0 and "clean-up" not in done.stdout, done.stdout
    scene.all_run(commit)
    assert not bed.has(old) and old not in host.run(HELD)
