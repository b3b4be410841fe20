"""Goal: whatever is wrong with key, host, disk, registry or repository: the chat's last line says what to do, the old
release runs on both hosts untouched, nothing stays locked, and the next attempt works."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import threading

import pytest

from bed import IMAGE, make_key
from stage import wait_until
from targets_aid import PATIENCE_S, TargetScene


@pytest.fixture(scope="module")
def scene(bed, tmp_path_factory):
    made = TargetScene(bed, tmp_path_factory.mktemp("trouble"))
    try:
        made.release()
        yield made
    finally:
        bed.door.behave()
        made.stop()


@contextlib.contextmanager
def wrong_host_key(scene):
    """Another machine answers at h2's address, as far as anybody can see."""
    bed, other = scene.bed, scene.folder / "other_key"
    other.unlink(missing_ok=True)
    key = make_key(other, "other")
    known = bed.known_hosts.read_text(encoding="ascii")
    bed.known_hosts.write_text("".join(
        f"{line.split()[0]} {key}\n" if line.startswith(bed.hosts["h2"].address) else f"{line}\n"
        for line in known.splitlines()), encoding="ascii")
    try:
        yield
    finally:
        bed.know_hosts()


@contextlib.contextmanager
def unknown_host(scene):
    """Nobody has pinned h2's key."""
    bed = scene.bed
    known = bed.known_hosts.read_text(encoding="ascii")
    bed.known_hosts.write_text("".join(f"{line}\n" for line in known.splitlines()
                                       if not line.startswith(bed.hosts["h2"].address)), encoding="ascii")
    try:
        yield
    finally:
        bed.know_hosts()


@contextlib.contextmanager
def host_unreachable(scene):
    host = scene.bed.hosts["h2"]
    host.link(False)
    try:
        yield
    finally:
        host.link(True)
        wait_until(lambda: scene.answer(host), PATIENCE_S, "h2's answer")


@contextlib.contextmanager
def while_h2_pulls(scene, act):
    """act(h2) is called while h2 waits for its image; where it returns true, h2 gets that now."""
    host, door = scene.bed.hosts["h2"], scene.bed.door
    rule = door.add(method="GET", path="/blobs/", who=host.address, gate=threading.Event())

    def wait_and_act():
        rule.reached.wait(PATIENCE_S)
        if act(host):
            rule.gate.set()

    actor = threading.Thread(target=wait_and_act)
    actor.start()
    try:
        yield
        assert rule.hits
    finally:
        rule.reached.set()
        actor.join()
        door.behave()


@contextlib.contextmanager
def host_vanishes_mid_ship(scene):
    def pull_cable(host):
        host.link(False)

    host = scene.bed.hosts["h2"]
    try:
        with while_h2_pulls(scene, pull_cable):
            yield
    finally:
        host.link(True)
        wait_until(lambda: scene.answer(host), PATIENCE_S, "h2's answer")


@contextlib.contextmanager
def disk_full(scene):
    host = scene.bed.hosts["h1"]
    host.disk(100 * 1024)
    try:
        yield
    finally:
        host.disk()


@contextlib.contextmanager
def disk_full_while_it_pulls(scene):
    def fill_disk(host):
        host.disk(64)
        return True

    try:
        with while_h2_pulls(scene, fill_disk):
            yield
    finally:
        scene.bed.hosts["h2"].disk()


@contextlib.contextmanager
def wrong_password(scene):
    password = scene.bed.password
    right = password.read_text(encoding="ascii")
    password.write_text("not-the-password_0123456789\n", encoding="ascii")
    try:
        yield
    finally:
        password.write_text(right, encoding="ascii")


def rules(*several):
    """The registry misbehaves in these ways; each must have been met."""
    @contextlib.contextmanager
    def misbehave(scene):
        added = [scene.bed.door.add(**rule) for rule in several]
        try:
            yield
            assert all(rule.hits for rule in added), [rule.hits for rule in added]
        finally:
            scene.bed.door.behave()
    return misbehave


@contextlib.contextmanager
def key_readable_by_others(scene):
    key = scene.bed.folder / "key"
    os.chmod(key, 0o644)
    try:
        yield
    finally:
        os.chmod(key, 0o600)


def on_host(name, broken, mended):
    @contextlib.contextmanager
    def change(scene):
        scene.bed.hosts[name].run(broken)
        try:
            yield
        finally:
            scene.bed.hosts[name].run(mended)
    return change


H1, H2 = "10.77.0.11", "10.77.0.12"
COMPOSE_BACK = "mv /srv/app/away /srv/app/docker-compose.yml"
NO_COMPOSE_FILE = on_host("h2", "mv /srv/app/docker-compose.yml /srv/app/away", COMPOSE_BACK)
FIXED_IMAGE = on_host("h1", "cp -p /srv/app/docker-compose.yml /srv/app/away; "
                            "sed -i 's/image:.*/image: orchard:latest/' /srv/app/docker-compose.yml", COMPOSE_BACK)
NO_DOCKER = on_host("h1", "chmod 600 /run/docker.sock", "chmod 660 /run/docker.sock")

TROUBLE = {
    "wrong host key": (wrong_host_key, (H2, "shows ANOTHER key", "ssh-keyscan", "compare, replace its line")),
    "unknown host": (unknown_host, (H2, "has no key of", "ssh-keyscan", "add it to")),
    "host unreachable": (host_unreachable, (H2, "cannot be reached", "is it up")),
    "host vanishes mid-ship": (host_vanishes_mid_ship, (H2, "cannot be reached", "is it up")),
    "disk full": (disk_full, (H1, "disk")),
    "disk full while it pulls": (disk_full_while_it_pulls, (H2, "no room", "remove something")),
    "wrong password": (wrong_password, ("REGISTRY_PASSWORD",)),
    "registry takes no image": (rules({"method": "POST", "path": "/uploads", "status": 403}), ("10.77.0.1:5000",)),
    "registry is ill": (rules({"status": 503}), ("10.77.0.1:5000",)),
    "registry sends other bytes": (rules({"method": "GET", "path": "/blobs/", "who": H1, "spoil": True}),
                                   (H1, "cannot be pulled", "try again")),
    "registry hangs up": (rules({"method": "GET", "path": "/blobs/", "who": H1, "cut": 1000}),
                          (H1, "cannot be pulled", "try again")),
    "registry names another digest": (rules({"path": "/manifests/", "digest": "sha256:" + "0" * 64}),
                                      ("nonsense", "REGISTRY_URL")),
    "registry forgets": (rules({"method": "GET", "path": "/manifests/", "who": H2, "status": 404,
                                 "body": b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'}),
                          (H2, "does not have")),
    "key readable by others": (key_readable_by_others, ("SSH_KEY_PATH", "chmod 600")),
    "no compose file": (NO_COMPOSE_FILE, (H2, "docker-compose.yml")),
    "compose file without DEPLOY_IMAGE": (FIXED_IMAGE, (H1, "image: ${DEPLOY_IMAGE}")),
    "no right to use docker": (NO_DOCKER, (H1, "docker")),
}


# What runs on a host that was not reached nobody has seen (69).
UNSEEN = ("wrong host key", "host unreachable", "host vanishes mid-ship")

# These get as far as a host: what they leave there must be in nobody's way.
DEEP = ("host vanishes mid-ship", "disk full while it pulls", "registry sends other bytes", "registry forgets")


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_says_what_to_do_and_is_in_nobodys_way(scene, name):
    trouble, words = TROUBLE[name]
    live = scene.state_file("production")["commit"]
    commit = scene.change()
    with trouble(scene):
        said = scene.attempt()
    print(f"trouble: {name}: {scene.last_line()}", flush=True)
    runs = f"production still runs {live[:7]}"
    if name in UNSEEN:
        runs = f"production: {live[:7]} was not replaced; whether it still runs is not known"
    assert runs in said and "nothing was changed" in said, said + scene.last_log()
    # The chat shows 180 bytes of a line, without the script's name: what to do has to stand in them.
    assert scene.last_said()[:140] in said
    for word in words:
        assert word in said
    scene.all_run(live)
    if name in DEEP:
        again = scene.attempt()
        assert "Live: production" in again and f"{commit[:7]}" in again, again + scene.last_log()
        scene.all_run(commit)
    assert not scene.leftovers() and not scene.locks()


def test_after_all_that_the_next_attempt_works(scene):
    scene.release()
    assert not scene.leftovers() and not scene.locks()


def test_a_slow_registry_is_waited_for(scene):
    rule = scene.bed.door.add(method="GET", path="/blobs/", pause_s=0.02)
    scene.release()
    assert rule.hits
    scene.bed.door.behave()


def test_a_release_whose_image_is_gone_is_not_rolled_back_to(scene):
    old = scene.state_file("production")["image"]
    live = scene.release()
    assert scene.bed.ask_registry(f"{IMAGE}/manifests/{old}", "DELETE")[0] == 202
    for host in scene.hosts:
        host.run(f"docker image rm {scene.image}@{old}")
    said = scene.attempt("/rollback production")
    assert f"production still runs {live[:7]}" in said and "nothing was changed" in said, said + scene.last_log()
    assert scene.last_said()[:180] in said
    scene.all_run(live)
    scene.release()


def test_a_commit_that_is_nowhere_is_refused(scene):
    live = scene.state_file("production")["commit"]
    who = scene.admin()
    who.say("/deploy production " + "1" * 40)
    who.hear("no commit of the repository")
    done = scene.by_hand("deploy.sh", "production", "1" * 40)
    assert done.returncode == 64 and "1" * 12 in done.stdout.splitlines()[-1]
    assert "==> release" not in done.stdout
    scene.all_run(live)
