"""Goal: one server with DATABASE_URL does what one with a file does: a deployment goes live, a restart and kill -9 lose
nothing, nobody is shown the URL's password, and a run of another server's runner is waited for.  A real PostgreSQL."""
# SPDX-License-Identifier: ISC
import pathlib
import shutil
import subprocess

import pytest

from crash_aid import HOLD, STEADY, CrashScene
from stage import ROOT
from telegram_client import text_of

PASSWORD = "canary-of-the-database-6Xk2Vw9Rt4Zp"


class Database:
    """A cluster of its own, as tests/tools/with_postgresql.sh makes it, until close()."""

    def __init__(self):
        self.process = subprocess.Popen(
            [ROOT / "tests/tools/with_postgresql.sh", "sh", "-c", 'echo "$TEST_DATABASE"; read -r end'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def rows(self, sql):
        said = subprocess.run([shutil.which("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url],
                              capture_output=True, text=True, check=True)
        return said.stdout.splitlines()

    def close(self):
        self.process.communicate("end\n", timeout=60)


@pytest.fixture(scope="module", name="database")
def make_database():
    if not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")):
        pytest.skip("no PostgreSQL here: make packages-test")
    made = Database()
    yield made
    made.close()


@pytest.fixture(scope="module", name="scene")
def make_scene(database, tmp_path_factory):
    # The cluster asks for no password: it is only to be kept unseen.
    made = CrashScene(tmp_path_factory.mktemp("postgresql"), settings={
        "DATABASE_URL": f"{database.url}&password={PASSWORD}", "SERVER_NAME": "server-a",
        "STAGING_NOTIFY_AFTER_SECONDS": "3600"})
    yield made
    made.close()


@pytest.fixture(autouse=True)
def steady(scene):
    scene.scripts.reset()
    scene.scripts.deploy(STEADY)
    scene.commit()
    yield
    scene.mend()


def finals(who):
    return [view for view in who.messages() if "Live: staging" in text_of(view)]


def open_runs(database):
    return database.rows("SELECT runner FROM run WHERE ended_at = 0")


def test_a_deployment_from_the_chat_goes_live_and_a_restart_goes_on(scene, database):
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", scene.head("develop")[:7])
    assert not list((scene.folder / "state").glob("deploybot.db*"))
    assert database.rows("SELECT DISTINCT runner FROM run") == ["server-a"]
    assert scene.bot.stop() == 0
    scene.restart()
    who.say("/status staging")
    who.hear("staging", scene.head("develop")[:7])
    scene.commit()
    who.say("/deploy staging")
    who.hear("Live: staging", scene.head("develop")[:7])
    scene.check()


def test_killed_in_a_run_it_goes_on_with_it(scene, database):
    scene.scripts.deploy(f"{HOLD}\n{STEADY}")
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    run = scene.last_run()
    scene.crash()
    scene.restart()
    assert open_runs(database) == ["server-a"]
    scene.go_on()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert scene.last_run() == run and len(finals(who)) == 1
    scene.check()


def test_another_server_waits_for_a_run_of_the_first_ones_runner(scene, database):
    scene.scripts.deploy(f"{HOLD}\n{STEADY}")
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    scene.crash()
    own = dict(scene.bot.settings)
    scene.bot.settings.update(SERVER_NAME="server-b", STATE_DIRECTORY=str(scene.folder / "state-b"),
                              AUDIT_LOG_PATH=str(scene.folder / "audit-b.log"))
    try:
        scene.restart()
        who.hear("its runner server-a is disconnected")
        scene.go_on()
        who.say("/abandon")
        who.hear("Which one?")
        assert open_runs(database) == ["server-a"] and not finals(who)
        scene.bot.stop()
    finally:
        scene.bot.settings = own
    scene.restart()
    who.hear("Live: staging", scene.head("develop")[:7])
    assert len(finals(who)) == 1


def test_nobody_is_shown_the_password(scene, database):
    scene.scripts.deploy(f'echo "it is {PASSWORD}"; exit 65')
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("it is ***")
    said = [scene.bot.log(), str([text_of(view) for view in who.messages()])]
    for words in (("check-config",), ("doctor",), ("audit", "verify"), ("config-example",), ("secrets", "check"),
                  ("backup", str(scene.folder / "copy.db")), ("policy", "report")):
        done = scene.bot.run(*words)
        said += [done.stdout, done.stderr]
    assert "store: the database of DATABASE_URL answers" in "".join(said)
    assert "database: PostgreSQL, by DATABASE_URL; this server is server-a" in "".join(said)
    assert "read again and checked" in "".join(said)
    assert PASSWORD.encode() not in (scene.folder / "copy.db").read_bytes()
    for text in said:
        assert PASSWORD not in text and database.url not in text, text
