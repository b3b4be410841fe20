"""Goal: a copy of the database on a spare machine, while the first one's run lives, starts no program: neither
the run again nor a rollback of it, until a person has looked."""
# SPDX-License-Identifier: ISC
import os
import shutil
import signal
import socket
import sqlite3

import pytest

from crash_aid import HOLD, CrashScene, check_log, is_alive
from flow_aid import PATIENCE_S, text_of
from ops_aid import wait_audit
from stage import Deploybot, free_port, wait_until
from telegram_client import ADA

BEGUN = 'echo deploy >>"$here/begun"; echo "==> ship"; echo "==> release"; ' + HOLD + '; echo "$2" >"$here/$1.live"'
ROLLED_BACK = 'echo rollback >>"$here/begun"; echo "==> release"; echo "$2" >"$here/$1.live"'
NOT_KNOWN = "What runs in staging is not known"


class Spare(Deploybot):
    """A second machine, with a copy of the first one's database and nothing else of it."""

    def __init__(self, scene, *arguments):
        folder = scene.folder / "spare"
        (folder / "state").mkdir(parents=True, mode=0o700)
        super().__init__(folder, {
            **scene.settings(), "STATE_DIRECTORY": str(folder / "state"),
            "AUDIT_LOG_PATH": str(folder / "audit.log"), "API_SERVER_PORT": str(free_port())}, scene.build)
        self.arguments = ("serve", *arguments)
        copied = scene.bot.run("backup", str(self.database()))
        assert copied.returncode == 0, copied.stderr
        shutil.copy(scene.folder / "audit.log", folder / "audit.log")

    def database(self):
        return self.folder / "state" / "deploybot.db"

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.database()}?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute(sql).fetchall()

    def runs(self):
        return sorted(path.name for path in (self.folder / "state" / "runs").glob("[0-9]*"))


@pytest.fixture
def scene(tmp_path):
    """Staging has a release, and the next one's script is at work behind its release, under a supervisor."""
    made = CrashScene(tmp_path / "scene")
    made.release()
    made.scripts.deploy(BEGUN)
    made.scripts.rollback(ROLLED_BACK)
    made.commit()
    made.hold_script()
    made.who = made.admin()
    made.who.say("/deploy staging")
    made.wait_held()
    yield made
    made.close()


def begun(scene):
    return (scene.scripts.folder / "begun").read_text(encoding="ascii").split()


def end(scene, spare):
    """The spare machine is switched off, and the first goes on: nobody has disturbed its run."""
    assert spare.stop() == 0, spare.log()[-4000:]
    check_log(spare.log())
    assert spare.runs() == [], "the spare machine has begun something"
    assert is_alive(scene.leader())
    os.kill(scene.server(), signal.SIGCONT)
    scene.go_on()
    scene.check()
    assert begun(scene) == ["deploy"]
    assert scene.scripts.live() == scene.head("develop")


def take_over(scene, *arguments, change=None):
    """The first machine is cut off from everything, with its runner and its supervisor alive."""
    spare = Spare(scene, *arguments)
    if change:
        with sqlite3.connect(spare.database()) as connection:
            connection.execute(change)
    scene.supervisor_pid, scene.runner_pid = scene.supervisor(), scene.runner()
    os.kill(scene.server(), signal.SIGSTOP)
    scene.ada_since = scene.chat.mark()
    spare.start()
    return spare


def hear_warning(scene, environment="staging"):
    return scene.ada.hear(f"State unknown: {environment}", socket.gethostname(), buttons=("Resume queue",),
                          after=scene.ada_since)


@pytest.mark.long
def test_a_started_run_is_not_begun_on_a_second_machine(scene):
    spare = take_over(scene)
    warning = hear_warning(scene)
    assert "its runner has no folder of it" in text_of(warning)
    assert is_alive(scene.supervisor_pid) and is_alive(scene.runner_pid)
    assert spare.rows("SELECT state, why FROM work ORDER BY id DESC LIMIT 1") == [("FAILED", "INTERRUPTED")]
    scene.who.hear("may be DOWN", "what it left is not known", after=scene.ada_since)

    scene.who.say("/deploy staging")    # without STAGING_CONFIRM
    question = scene.who.hear("Deploy to staging?", NOT_KNOWN, socket.gethostname(), buttons=("Deploy to",))
    # Behind what is asked, before all else.
    assert text_of(question).splitlines()[1].startswith(f"⚠️ {NOT_KNOWN}")
    scene.who.press(question, "Not now")
    scene.who.say("/status staging")
    scene.who.hear(NOT_KNOWN, buttons=("Resume queue",))

    assert scene.ada.press(warning, "Resume queue") == "Deployments to staging go on."
    wait_until(lambda: spare.rows("SELECT unknown_since FROM environment WHERE name = 'staging'") == [(0,)],
               PATIENCE_S, "a known environment")
    scene.who.say("/status staging")
    scene.who.hear("staging", "runs", without=(NOT_KNOWN,))
    assert begun(scene) == ["deploy"], "a second program was begun"
    end(scene, spare)


@pytest.mark.long
def test_a_run_that_the_copy_does_not_know_is_begun_by_no_restored_server(scene):
    """The copy is from before the run was at its gate: nothing in it says that it was ever started."""
    spare = take_over(scene, "--restored", change="UPDATE run SET started_at = 0 WHERE ended_at = 0")
    for environment in ("staging", "production"):
        hear_warning(scene, environment)
    wait_until(lambda: spare.rows("SELECT COUNT(*) FROM run WHERE ended_at = 0") == [(0,)], PATIENCE_S, "an end")
    assert spare.rows("SELECT state FROM work ORDER BY id DESC LIMIT 1") == [("FAILED",)]
    assert spare.rows("SELECT COUNT(*) FROM environment WHERE unknown_since = 0") == [(0,)]
    scene.who.say("/status")            # Telegram is received as always
    scene.who.hear(NOT_KNOWN, "What runs in production is not known")
    assert begun(scene) == ["deploy"], "a second program was begun"

    # Nothing is trusted before the run ends: its end may free what another environment waits for.
    doubts = [(entry["environment"], "restored" in entry["why"])
              for entry in wait_audit(spare, 3, action="state_unknown")]
    assert sorted(doubts[:2]) == [("production", True), ("staging", True)], doubts
    assert doubts[2:] == [("staging", False)], doubts

    # The end of the run and the start warn once, and the button under it is good.
    texts = [text_of(view) for view in scene.chat.messages(ADA)]
    said = [text for text in texts if text.startswith("❓ State unknown: staging")]
    assert len(said) == 1 and "\nsays deploybot on " in said[0], texts

    # A start after it, without the word: what is not known stays so, and nothing is begun.
    assert spare.stop() == 0
    spare.arguments = ("serve",)
    spare.start()
    scene.who.say("/status")
    scene.who.hear(NOT_KNOWN, "What runs in production is not known")
    assert begun(scene) == ["deploy"]
    end(scene, spare)


def test_serve_takes_no_other_argument(scene):
    found = scene.bot.run("serve", "--restore")
    assert found.returncode == 64 and "--restored" in found.stderr, found
    scene.go_on()
