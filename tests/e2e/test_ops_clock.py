"""Goal: when the wall clock jumps, no deadline comes early or late, and what is in progress ends as it should."""
# SPDX-License-Identifier: ISC
import datetime
import pathlib
import sqlite3

import pytest

from crash_aid import CrashScene
from stage import wait_until
from telegram_client import ADA, buttons_of

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HOUR = 3600


@pytest.fixture
def clock(tmp_path):
    """A file that says by how many seconds the server's clock is wrong."""
    path = tmp_path / "clock"
    path.write_text("+0\n", encoding="ascii")
    return path


def faked(clock):
    """Only the wall: a jump moves no monotonic clock."""
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # What is freed is wiped, as our allocator does, which a sanitizer's takes the place of.
            "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:detect_leaks=0:"
                            "max_free_fill_size=67108864:free_fill_byte=0"}


@pytest.fixture
def scene(tmp_path, clock):
    assert LIBRARY is not None, "libfaketime is missing: tests/tools/packages.sh test"
    made = CrashScene(tmp_path / "scene", start=False, settings={**faked(clock), "DEPLOY_TIMEOUT_SECONDS": "600"})
    made.start()
    yield made
    made.close()


@pytest.mark.long
def test_a_server_that_was_killed_while_its_clock_was_ahead_polls_at_once(tmp_path, clock):
    scene = CrashScene(tmp_path / "scene", start=False, settings={**faked(clock), "POLL_REPOSITORY_SECONDS": "2"})
    try:
        clock.write_text(f"+{9 * HOUR}\n", encoding="ascii")
        scene.start()
        who = scene.admin()
        who.say("/status")
        who.hear("staging")
        wait_until(lambda: polled(scene), what="a first poll")
        scene.crash()
        clock.write_text("+0\n", encoding="ascii")
        scene.start_bot()
        change = scene.commit()
        who.hear("Live: staging", change["after"][:7], chat=ADA)
    finally:
        scene.close()


def polled(scene):
    """Every branch is known, and the next poll is being waited for."""
    with sqlite3.connect(f"file:{scene.folder}/state/deploybot.db?mode=ro", uri=True) as db:
        known = db.execute("SELECT count(*) FROM environment WHERE polled_commit <> ''").fetchone()[0]
        waits = db.execute("SELECT count(*) FROM effect WHERE kind = 'wait' AND body LIKE '%poll%'").fetchone()[0]
        return known == 2 and waits == 1


@pytest.mark.long
@pytest.mark.parametrize("jump", (f"+{30 * HOUR}", f"-{30 * HOUR}"))
def test_a_jump_of_the_clock_ends_no_run_and_no_question(scene, clock, jump):
    scene.hold_script()
    scene.scripts.deploy('echo "==> ship"; touch "$here/$1.held"; while [ -e "$here/$1.hold" ]; do sleep 0.02; done; '
                         'echo "==> release"; echo "$2" >"$here/$1.live"')
    asker, deployer = scene.admin(), scene.admin()
    asker.say("/deploy production")
    question = asker.hear("Deploy to production?", buttons=("Deploy to",))
    deployer.say("/deploy staging")
    scene.wait_held()

    clock.write_text(f"{jump}\n", encoding="ascii")
    seen = scene.admin()
    seen.say("/status")             # decided after the jump
    seen.hear("staging")
    assert scene.is_busy("staging")
    assert any("Deploy to" in label for label in buttons_of(scene.chat.message(question)))

    scene.go_on()
    deployer.hear("Live: staging")
    wait_until(lambda: not scene.is_busy("staging"), what="the end")
    began, ended = (datetime.datetime.fromisoformat(entry["timestamp"])
                    for entry in (scene.audit()[0], scene.audit()[-1]))
    assert abs((ended - began).total_seconds()) > 29 * HOUR, "the clock never jumped"
    assert asker.press(question, "Not now") is not None
    scene.check()
