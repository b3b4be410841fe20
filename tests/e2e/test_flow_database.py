"""Goal: a server with a history goes to PostgreSQL by one command, and back by the same one: the chat sees no
difference, and of the two databases one alone is served.  Drives the real program beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import pathlib
import re
import subprocess

import pytest

from crash_aid import CrashScene
from postgresql_aid import PostgreSQL
from stage import wait_until
from telegram_client import text_of

AGES = re.compile(r"\d+ (s|ms|min)( ago)?|just now")


@pytest.fixture(scope="module", name="database")
def make_database():
    made = PostgreSQL()
    yield made
    made.close()


@pytest.fixture(scope="module", name="scene")
def make_scene(tmp_path_factory):
    made = CrashScene(tmp_path_factory.mktemp("moved"))
    yield made
    made.close()


def deploy(scene, who):
    scene.commit()
    who.say("/deploy staging")
    who.hear("Live: staging", scene.head("develop")[:7])


def told(who, command):
    """What the chat says to that, without the ages that grow meanwhile."""
    who.say(command)
    return AGES.sub("", text_of(who.hear("staging runs" if command == "/status" else "#1 ")))


def says_still(who, status, history):
    """Health is checked anew by each start."""
    wait_until(lambda: told(who, "/status") == status, 60, "the status of before")
    assert told(who, "/history staging") == history


def said_installations(scene):
    """By the orders of its runs."""
    orders = list(pathlib.Path(scene.bot.settings["STATE_DIRECTORY"]).glob("runs/*/order"))
    lines = [re.findall("^installation ([0-9a-f]{32})$", order.read_text(), re.MULTILINE) for order in orders]
    assert len(lines) >= 4 and all(len(found) == 1 for found in lines), lines
    return {found[0] for found in lines}


def folder_of(scene):
    return f"sqlite:{scene.bot.settings['STATE_DIRECTORY']}"


def at_postgresql(scene, database):
    scene.bot.settings.update(DATABASE_URL=database.url, SERVER_NAME="server-a")


def at_file(scene):
    del scene.bot.settings["DATABASE_URL"]


def copied(done):
    assert done.returncode == 0, done.stderr
    assert "rows, as many at both ends" in done.stdout, done
    assert all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout
    return done.stdout


def refuses_to_start(scene, words):
    scene.bot.start(wait=False)
    assert scene.bot.process.wait(30) == 78
    assert words in scene.bot.log().splitlines()[-1], scene.bot.log()


def test_there_and_back(scene, database):
    who = scene.admin()
    deploy(scene, who)
    deploy(scene, who)
    status, history = told(who, "/status"), told(who, "/history staging")
    unset = scene.bot.run("database", "copy", folder_of(scene), "DATABASE_URL")
    assert unset.returncode == 78 and "SERVER_NAME is not set" in unset.stderr, unset
    at_postgresql(scene, database)
    beside = scene.bot.run("database", "copy", folder_of(scene), "DATABASE_URL")
    assert beside.returncode == 75 and "deploybot runs" in beside.stderr, beside
    assert scene.bot.stop() == 0
    empty = scene.bot.run("database", "status")
    assert empty.returncode == 0 and "schema:   0: it is empty" in empty.stdout, empty
    assert "FROM is marked as moved" in copied(scene.bot.run("database", "copy", folder_of(scene), "DATABASE_URL"))
    scene.bot.start()
    says_still(who, status, history)
    deploy(scene, who)
    says = scene.bot.run("database", "status")
    assert says.returncode == 0 and "leader:   server-a, epoch 1, since 20" in says.stdout, says
    assert "replica:  none is synchronous" in says.stdout and database.url not in says.stdout
    assert scene.bot.run("audit", "verify").returncode == 0

    led = scene.bot.run("database", "copy", "DATABASE_URL", folder_of(scene))
    assert led.returncode == 75 and ("deploybot runs" in led.stderr or "server-a leads on FROM" in led.stderr), led
    status, history = told(who, "/status"), told(who, "/history staging")
    assert scene.bot.stop() == 0
    aside = scene.bot.run("database", "copy", "DATABASE_URL", str(scene.folder / "x.db"))   # no server would find it
    assert aside.returncode != 0 and "a backup is made by deploybot backup" in aside.stderr, aside
    assert not (scene.folder / "x.db").exists()
    copied(scene.bot.run("database", "copy", "DATABASE_URL", folder_of(scene)))
    epoch = database.sql("SELECT epoch FROM leader")
    refuses_to_start(scene, "copied to another database")
    assert database.sql("SELECT epoch FROM leader") == epoch     # runners would take no lower one
    at_file(scene)
    scene.bot.start()
    says_still(who, status, history)
    deploy(scene, who)
    assert len(said_installations(scene)) == 1      # a host takes both databases for one
    assert scene.bot.run("audit", "verify").returncode == 0


def test_the_one_that_was_left_is_served_when_that_is_said(scene, database):
    """PostgreSQL's is marked by the test before, and knows nothing of what the file's server has deployed since."""
    assert scene.bot.stop() == 0
    at_postgresql(scene, database)
    scene.bot.arguments = ("serve", "--moved-back")
    scene.bot.start()
    who = scene.admin()
    who.say("/status")
    who.hear("staging")
    assert scene.bot.stop() == 0
    scene.bot.arguments = ("serve",)
    scene.bot.start()
    assert scene.bot.stop() == 0
    at_file(scene)
    scene.bot.start()


def test_a_backup_of_postgresql_is_restored_into_either(scene, database, tmp_path):
    copy = tmp_path / "copy.db"
    assert scene.bot.stop() == 0
    at_postgresql(scene, database)
    scene.bot.start()
    made = scene.bot.run("backup", str(copy))
    assert made.returncode == 0 and "read again and checked" in made.stdout, made
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
    assert scene.bot.stop() == 0
    refused = scene.bot.run("restore", str(copy))
    assert refused.returncode == 78 and "deploybot database copy" in refused.stderr, refused
    database.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    copied(scene.bot.run("database", "copy", str(copy), "DATABASE_URL"))
    refuses_to_start(scene, "serve --restored")
    scene.bot.arguments = ("serve", "--restored")
    scene.bot.start()
    assert scene.bot.run("audit", "verify", "--database", str(copy)).returncode == 0
    scene.bot.arguments = ("serve",)
    assert scene.bot.stop() == 0
    at_file(scene)
    assert scene.bot.run("restore", str(copy)).returncode == 0
    scene.bot.start()
    who = scene.admin()
    who.say("/status")
    who.hear("this database was restored from a backup")


def as_role(database, role, sql):
    url = database.url.replace("/postgres?", "/bot?").replace("user=deploybot", f"user={role}")
    return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", url, "-c", sql], capture_output=True, text=True,
                          timeout=30, check=False), url


def test_what_prepare_prints_makes_a_database_for_two_roles(scene, database):
    """As its administrator runs it; the names are others, for this cluster has its roles."""
    printed = scene.bot.run("database", "prepare").stdout.replace("deploybot", "bot")
    made = subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", database.url], input=printed, capture_output=True,
                          text=True, timeout=30, check=False)
    assert made.returncode == 0 and not made.stderr, made
    assert scene.bot.stop() == 0
    _, url = as_role(database, "bot", "SELECT 1")
    scene.bot.settings.update(DATABASE_URL=url, SERVER_NAME="server-a")
    copied(scene.bot.run("database", "copy", folder_of(scene), "DATABASE_URL"))
    scene.bot.start()
    read, url = as_role(database, "bot_read", "SELECT COUNT(*) > 0 FROM audit; SELECT COUNT(*) FROM leader")
    assert read.returncode == 0 and read.stdout == "t\n1\n", read
    for sql in ("DELETE FROM audit", "SET default_transaction_read_only = off; DELETE FROM audit",
                "SET default_transaction_read_only = off; CREATE TABLE mine (n int)"):
        assert as_role(database, "bot_read", sql)[0].returncode != 0, sql
    scene.bot.settings["DATABASE_URL"] = url
    says = scene.bot.run("database", "status")
    assert says.returncode == 0 and "leader:   server-a" in says.stdout, says
    assert scene.bot.run("backup", str(scene.folder / "read.db")).returncode == 0
    encoding = database.sql("SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'bot'")
    assert encoding == "UTF8|C"
