"""Goal: wherever the server dies over an archive that somebody sends, a user who goes on has it live in the end, as it
was sent; nothing that was half there stays, and no question stays open."""
# SPDX-License-Identifier: ISC
import os
import re
import subprocess

import pytest

from crash_aid import killed_at
from flow_aid import PATIENCE_S
from stage import wait_until
from test_flow_upload import UploadScene, digest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
NEWEST = "SELECT id, state, ended_at FROM work ORDER BY id DESC LIMIT 1"
# In the order in which an archive comes by, from its first byte to what its run has brought.
POINTS = ("file_written", "file_renamed", "batch_committed", "answer_due", "effect_begun", "order_said", "go_said")
LONG = ("decision_made", "batch_decided", "effect_due", "go_due", "exit_received", "result_due")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = UploadScene(tmp_path_factory.mktemp("crash-upload"))
    made.sent = 0   # nobody has sent one by another way
    yield made
    made.close()


def play(scene, user, *arguments):
    """What a command says, whatever becomes of the server meanwhile."""
    done = subprocess.run(scene.command(user, *arguments), cwd="/", capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE_S * 2,
                          env={"PATH": "/usr/bin:/bin", "LOCAL_SOCKET": str(scene.sockets / "local.sock")})
    return done.stdout + done.stderr


def answer(scene, user, said):
    line = re.search(r"deploybot answer (\d+) yes(?: ([0-9a-f]{32}))?", said)
    if line:
        play(scene, user, "answer", line[1], "yes", *filter(None, [line[2]]), "--no-wait")


def go_on(scene, user, path):
    """As who wants it live: answers what is asked, and sends it again where that has ended otherwise."""
    def look():
        if scene.runs("staging") == digest(path) and scene.bot_rows(NEWEST)[0][2] != 0:
            return True
        number, state, ended_at = (scene.bot_rows(NEWEST) or [(0, "", 1)])[0]
        if state == "AWAITING_CONFIRMATION":
            answer(scene, user, play(scene, user, "answer", str(number)))
        elif ended_at != 0:
            answer(scene, user, play(scene, scene.sender(), "upload", "staging", path))
        return False
    wait_until(look, PATIENCE_S * 2, "the archive to be live")


@pytest.mark.parametrize("point", [*POINTS, *(pytest.param(point, marks=pytest.mark.long) for point in LONG)])
def test_an_archive_goes_live_wherever_the_server_dies(scene, point):
    path, user = scene.site(point), scene.sender()
    with killed_at(scene.bot, point, scene.folder / f"{point}.page"):
        answer(scene, user, play(scene, user, "upload", "staging", path))
    go_on(scene, user, path)
    assert scene.runs("staging") == digest(path)
    assert digest(path) in scene.uploads() and all(len(name) == 64 for name in scene.uploads())
    assert scene.trees() <= scene.uploads()
    assert scene.bot_rows("SELECT COUNT(*) FROM work WHERE ended_at = 0") == [(0,)]
