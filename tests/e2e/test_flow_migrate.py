"""Goal: what becomes of a release and its database is said as it is, when a migration fails, is cut or outlives us."""
# SPDX-License-Identifier: ISC
import fcntl
import os
import signal

import pytest

import sample_app
from crash_aid import parent_of, runner_of
from flow_aid import Scene, ended_well, is_alive
from stage import wait_until
from telegram_client import text_of

# The migration of a commit does what stands in `how`; it notes each begin.
MIGRATE = """#!/bin/bash
echo "$COMMIT" >>{folder}/began
how=$(cat {folder}/how)
touch {folder}/up
[[ $how != wait ]] || until [[ -e {folder}/go ]]; do sleep 0.05; done
[[ $(cat {folder}/how) != fail ]] || exit 3
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrate")
    made = Scene(folder, settings={"MIGRATE_COMMAND": "bin/migrate", "MIGRATE_TIMEOUT_SECONDS": "60",
                                   "DEPLOY_TIMEOUT_SECONDS": "60"})
    sample_app.check_out(made.work, "develop")
    sample_app.write(made.work, "bin/migrate", MIGRATE.format(folder=folder), executable=True)
    sample_app.commit(made.work, "joon", "A database")
    sample_app.git(made.work, "push", "-q", "origin", "develop")
    how(made, "well")
    yield made
    (folder / "go").touch()
    ended_well(made)


def how(scene, word):
    (scene.folder / "how").write_text(word)
    for name in ("up", "go"):
        (scene.folder / name).unlink(missing_ok=True)


def begin(scene, word):
    """A deployment of a new commit: (who asked, its commit)."""
    commit = scene.commit()["after"]
    how(scene, word)
    who = scene.admin()
    who.begin()
    wait_until((scene.folder / "up").exists, 60, "the migration")
    return who, commit


def application(scene):
    """What serves staging, as its process: one that was started anew is another one."""
    return (scene.folder / "state" / "apps" / "staging" / "app.pid").read_text()


def is_blocked(scene, commit):
    return scene.bot_rows(f"SELECT COUNT(*) FROM block WHERE commit_id = '{commit}'") == [(1,)]


def test_a_migration_runs_before_the_release_once(scene):
    scene.release()
    live = scene.runs("staging")
    assert (scene.folder / "began").read_text().split() == [live]


def test_one_that_fails_leaves_what_was_live_and_blocks_its_commit(scene):
    live = scene.runs("staging")
    who, commit = begin(scene, "fail")
    said = text_of(who.hear("❌ Migration failed: staging", "staging: the migration failed (exit 3); "
                            f"{live[:7]} still serves; the database may be half migrated\n",
                            "This one is blocked"))
    assert "nothing was changed" not in said
    assert scene.runs("staging") == live == scene.state_file("staging")["commit"] and is_blocked(scene, commit)
    assert scene.audit(environment="staging")[-1]["action"] == "deploy_failed"


def test_one_that_is_cancelled_is_stopped_and_said_so(scene):
    live = scene.runs("staging")
    who, commit = begin(scene, "wait")
    other = scene.admin()
    other.say("/cancel staging")
    who.hear("staging: the migration was interrupted and stopped; "
             f"{live[:7]} still serves; the database may be half migrated")
    assert scene.runs("staging") == live and is_blocked(scene, commit)


def latest_log(scene):
    runs = scene.folder / "state" / "runs"
    log = runs / str(max(int(folder.name) for folder in runs.glob("[0-9]*"))) / "log"
    return log.read_text() if log.exists() else ""


def test_one_that_is_cancelled_while_it_waits_for_another_has_changed_nothing(scene):
    live = scene.runs("staging")
    how(scene, "well")
    commit = scene.commit()["after"]
    who = scene.admin()
    with open(scene.folder / "state" / "apps" / "staging" / "migrate.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)    # as the migration of a killed run does
        who.begin()
        wait_until(lambda: "==> wait for a migration\n" in latest_log(scene), 60, "the wait")
        other = scene.admin()
        other.say("/cancel staging")
        said = text_of(who.hear("⛔ Stopped: staging", "nothing was changed", f"staging still runs {live[:7]}"))
    assert "was cut" not in said and "half migrated" not in said
    assert scene.runs("staging") == live and not is_blocked(scene, commit)
    assert commit not in (scene.folder / "began").read_text()


def test_a_killed_server_is_told_by_the_record_how_it_ended(scene):
    live = scene.runs("staging")
    who, commit = begin(scene, "wait")
    scene.bot.kill()
    how(scene, "fail")
    (scene.folder / "go").touch()
    scene.start_bot()
    heard = text_of(who.hear("still serves"))
    assert "the migration" in heard and f"{live[:7]} still serves" in heard
    assert scene.runs("staging") == live and is_blocked(scene, commit)


@pytest.mark.parametrize("with_it", ["supervisor", *(
    pytest.param(with_it, marks=pytest.mark.long) for with_it in (
        "supervisor and runner", "supervisor, runner and server"))])
def test_a_supervisor_killed_in_it_leaves_what_was_live(scene, with_it):
    """It was rolled back: what served was started anew, over a database in the middle of a migration."""
    how(scene, "well")
    scene.release()
    live = scene.runs("staging")
    who, commit = begin(scene, "wait")
    runs = scene.folder / "state" / "runs"
    run = max(int(folder.name) for folder in runs.glob("[0-9]*"))
    leader = int((runs / str(run) / "leader").read_text(encoding="ascii").split()[0])
    supervisor, app = parent_of(leader), application(scene)
    if "server" in with_it:
        scene.bot.kill()            # its runner ends with it
        scene.bot.process.wait()
    elif "runner" in with_it:
        runner = runner_of(scene.bot.process.pid)
        os.kill(runner, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    if "server" in with_it:
        scene.start_bot()
    elif "runner" in with_it:
        os.kill(runner, signal.SIGKILL)
    said = text_of(who.hear("❌ Migration killed: staging", "staging: the migration was interrupted and stopped; "
                            f"{live[:7]} still serves; the database may be half migrated",
                            "it was killed", "This one is blocked"))
    assert "rolled back" not in said and "nothing was changed" not in said
    assert not is_alive(leader) and is_blocked(scene, commit)
    assert scene.runs("staging") == live == scene.state_file("staging")["commit"] and application(scene) == app
    assert scene.bot_rows(f"SELECT COUNT(*) FROM run WHERE program = 'rollback' AND id > {run}") == [(0,)]


def test_a_newer_commit_is_not_held_by_it(scene):
    who, commit = begin(scene, "well")
    who.hear("Live: staging", f"{commit[:7]}")
    assert scene.runs("staging") == commit
