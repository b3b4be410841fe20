"""Goal: a container that cannot start says in its last line why and what to do, docker shows that it is unhealthy, and
what was repaired comes up without anything else having to be done."""
# SPDX-License-Identifier: ISC
import os
import shutil

import pytest

from compose_aid import PATIENCE_S, Installation
from engine_aid import Engine
from stage import wait_until

TOKEN = "secrets/server/telegram_bot_token"
CONF = "config/deploybot.conf"
STATE = """services:
  server: {{volumes: [{0}]}}
  runner: {{volumes: [{0}]}}
"""
READ_ONLY = "{type: volume, source: state, target: /var/lib/deploybot, read_only: true}"
FOLDER = "{type: bind, source: ./mine, target: /var/lib/deploybot}"
TINY = "volumes: {state: {driver_opts: {type: tmpfs, device: tmpfs, o: 'size=16k,mode=1770,uid=0,gid=10001'}}}\n"


@pytest.fixture(scope="module")
def made(images, tmp_path_factory):
    with Engine() as engine, engine.world():
        installation = Installation(engine, tmp_path_factory.mktemp("trouble"))
        try:
            installation.set_up()
            yield installation
        finally:
            installation.end()


@pytest.fixture
def place(made):
    """Everything is in order, nothing runs, no volume is there."""
    files, kept = list(made.files), made.folder.parent / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    for name in ("config", "secrets"):
        shutil.copytree(made.folder / name, kept / name)
    yield made
    made.try_compose("kill")
    made.compose("down", "--volumes", "--timeout=5")
    made.files = files
    for name in ("config", "secrets"):
        shutil.rmtree(made.folder / name)
        shutil.copytree(kept / name, made.folder / name)
    assert made.prepare()[0] == 0


def change(place, text):
    """A file beside docker-compose.yml."""
    place.put("trouble.yml", text)
    place.files.append("--file=trouble.yml")


def fails(place, service, *words):
    """It ends, is started again by docker, and ends so once more; all words are in its last line."""
    try:
        wait_until(lambda: place.container(service)["RestartCount"] >= 2 and
                   all(word in place.last_line(service) for word in words), PATIENCE_S, f"{service}: {words}")
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{place.logs(service)[-2000:]}") from None
    assert place.state(service) != "healthy"


def comes_up(place, *services):
    """What was repaired comes up; nothing else is done but what the README says."""
    place.compose("restart", *services)
    place.wait_well(*services)


@pytest.mark.parametrize("how, words", [
    ("missing", "cannot open /run/secrets/telegram_bot_token: No such file or directory: put it there, for user 10001"),
    ("empty", "/run/secrets/telegram_bot_token is empty: write the secret into it"),
    ("root's", "cannot open /run/secrets/telegram_bot_token: Permission denied: run this as the server's user")])
def test_a_secret_that_is(place, how, words):
    path = place.folder / TOKEN
    text = path.read_text(encoding="ascii")
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_text("", encoding="ascii")
    else:
        os.chown(path, 0, 0)
    place.up("server")
    fails(place, "server", "TELEGRAM_BOT_TOKEN_FILE: ", words)
    place.put(TOKEN, text)
    assert place.prepare()[0] == 0
    comes_up(place, "server")


@pytest.mark.parametrize("how, words", [("missing", "No such file or directory"), ("root's", "Permission denied")])
def test_settings_that_are(place, how, words):
    path = place.folder / CONF
    text = path.read_text(encoding="utf-8")
    if how == "missing":
        path.unlink()
    else:
        path.chmod(0o600)
    place.up("server", "runner")
    for service, user in (("server", 10001), ("runner", 10002)):
        fails(place, service, f"cannot open /etc/deploybot/deploybot.conf: {words}: ",
              f"let user {user} read it" if how == "root's" else f"put it there, for user {user} to read")
    place.put(CONF, text)
    assert place.prepare()[0] == 0
    comes_up(place, "server", "runner")


def test_a_setting_that_is_wrong_is_named_with_its_line(place):
    with open(place.folder / CONF, "a", encoding="utf-8") as conf:
        conf.write("HEALTH_CHECK_RETRIES=many\n")
    place.up("server")
    fails(place, "server", "HEALTH_CHECK_RETRIES", "/etc/deploybot/deploybot.conf line ")


def test_a_state_volume_that_is_read_only(place):
    change(place, STATE.format(READ_ONLY))
    place.up("server", "runner")
    fails(place, "server", "creating /var/lib/deploybot/under-way (mount it writable): Read-only file system")
    fails(place, "runner", "Read-only file system: mount it writable")


def test_a_state_volume_that_is_full(place):
    change(place, TINY)
    place.up("server", "runner")
    fails(place, "server", "make room on its disk")


@pytest.mark.parametrize("owner, words", [
    (0, "fix it: install -d -m 0700 -o deploybot-runner -g deploybot-runner /var/lib/deploybot/"),
    (1000, "make the state directory root:")])
def test_a_folder_of_another_in_the_place_of_the_state_volume(place, owner, words):
    folder = place.folder / "mine"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chown(folder, owner, owner)
    change(place, STATE.format(FOLDER))
    place.up("server", "runner")
    fails(place, "server", "creating /var/lib/deploybot/under-way (user 10001 must be able to write in its folder)")
    fails(place, "runner", words)
    # As the README says.
    os.chown(folder, 0, 10001)
    folder.chmod(0o1770)
    for name, user, group, mode in (("environments", 10001, 10001, 0o2750), ("runs", 10002, 10001, 0o2750),
                                    ("git", 10002, 10002, 0o700), ("apps", 10002, 10002, 0o700),
                                    ("approved", 10002, 10002, 0o700)):
        (folder / name).mkdir()
        os.chown(folder / name, user, group)
        (folder / name).chmod(mode)
    comes_up(place, "server", "runner")


@pytest.mark.parametrize("how, words", [
    ("missing", "there is no fullchain.pem that user 101 may read: put it into secrets/tls, run deploy/compose/"),
    ("root's", "there is no privkey.pem that user 101 may read"),
    ("another's", "nginx refuses its configuration, see above; is a certificate that of the key?")])
def test_a_certificate_that_is(place, how, words):
    tls = place.folder / "secrets" / "tls"
    if how == "missing":
        (tls / "fullchain.pem").unlink()
    elif how == "root's":
        (tls / "privkey.pem").chmod(0o600)
    else:
        shutil.copy(place.next_certificate / "fullchain.pem", tls)
        assert place.prepare()[0] == 0
    place.up("nginx")
    fails(place, "nginx", words)
    for name in ("fullchain.pem", "privkey.pem"):
        shutil.copy(place.next_certificate / name, tls)
    assert place.prepare()[0] == 0
    comes_up(place, "nginx")


def test_what_was_not_prepared_is_refused_by_compose(place):
    shutil.rmtree(place.folder / "secrets" / "runner")
    done = place.try_compose("up", "--detach", "--no-build", "runner")
    assert done.returncode != 0 and "bind source path does not exist" in done.stderr
    assert "secrets/runner" in done.stderr
    del place.variables["DEPLOYBOT_HOSTNAME"]
    try:
        done = place.try_compose("up", "--detach", "--no-build")
    finally:
        place.variables["DEPLOYBOT_HOSTNAME"] = "deploybot.example.com"
    assert done.returncode != 0 and "write the name that Telegram and GitHub call into .env" in done.stderr
