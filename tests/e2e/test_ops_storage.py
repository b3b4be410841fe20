"""Goal: a disk that is full, lies or holds something else loses nothing that was acknowledged: 503 and
recovery where that is possible, an end on purpose where it is not, never a new database over an old."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from crash_aid import HOLD, STEADY, CrashScene, post_update, telegram_update
from ops_aid import (WAIT_S, bare, bare_settings, check_stop, elapsed, metric, post_telegram,
                     request)
from stage import Deploybot, wait_until
from telegram_client import ADA


def inbox(bot):
    """The updates that the database knows."""
    path = f"file:{bot.settings['STATE_DIRECTORY']}/deploybot.db?mode=ro"
    rows = sqlite3.connect(path, uri=True).execute("SELECT id FROM inbox").fetchall()
    return [int(row[0]) for row in rows]


def update(number, text="/whoami"):
    return json.dumps(telegram_update(ADA, number, text)).encode()


@contextlib.contextmanager
def a_small_disk(folder, size):
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    folder.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    with a_small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def fill_up(folder):
    """To the last byte; the file to remove again."""
    fill = folder / "fill"
    with open(fill, "wb", buffering=0) as out:
        for size in (1 << 16, 4096, 1):
            try:
                while out.write(b"\0" * size):
                    pass
            except OSError:
                pass
    return fill


def test_a_full_disk_is_503_with_retry_after_and_recovers_without_a_restart(small_disk, tmp_path):
    bot = bare(tmp_path, STATE_DIRECTORY=str(small_disk / "state")).start()
    try:
        assert post_telegram(bot, update(1)).status == 200
        fill = fill_up(small_disk)
        refused, taken = None, []
        for number in range(2, 400):
            found = post_telegram(bot, update(number, "/x" * 1000))
            if found.status == 503:
                refused = number
                break
            assert found.status == 200
            taken.append(number)
        assert refused is not None, "the log of the database outgrew a full disk"
        assert int(found.headers["retry-after"]) > 0
        assert request(bot, "GET", "/healthz").status == 200
        assert request(bot, "GET", "/readyz").status == 503
        assert bot.process.poll() is None
        fill.unlink()
        wait_until(lambda: post_telegram(bot, update(refused)).status == 200, WAIT_S, "recovery")
        wait_until(lambda: request(bot, "GET", "/readyz").status == 200, WAIT_S, "readiness")
        errors = [x for x in bot.log().splitlines() if "the store cannot commit" in x]
        assert 1 <= len(errors) <= 5, "told, and not once for each request"
        assert {1, *taken, refused} <= set(inbox(bot)), "what was acknowledged is there"
    finally:
        check_stop(bot)


def test_on_a_full_disk_a_running_deployment_comes_to_its_end_and_says_so(tmp_path):
    """S1: the reserve is for what is in progress; nothing new is taken in meanwhile."""
    with a_small_disk(tmp_path / "scene" / "state", "24m") as state:
        scene = CrashScene(tmp_path / "scene", webhook=True)
        number = 1_000_000
        try:
            scene.scripts.deploy(HOLD + "; " + STEADY)
            scene.hold_script()
            who = scene.admin()
            who.say("/deploy staging")
            scene.wait_held()
            fill = fill_up(state)
            while post_update(scene.bot, telegram_update(ADA, number, "/x" * 1000)) == 200:
                number += 1
                assert number < 1_001_000, "the log of the database outgrew a full disk"
            scene.go_on()
            who.hear("Live: staging", scene.head("develop")[:7])
            scene.wait_free("staging")
            assert fill.exists()
            assert post_update(scene.bot, telegram_update(ADA, number, "/whoami")) == 503
            fill.unlink()
            wait_until(lambda: post_update(scene.bot, telegram_update(ADA, number, "/whoami")) == 200,
                       WAIT_S, "recovery")
            scene.check(everybody_ended=[who])
        finally:
            scene.close()


def test_room_is_kept_at_every_start_where_the_file_system_cannot_reserve(tmp_path):
    """ZFS of old, FUSE: the library reserves by writing, and the second time it reads first."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing: tests/tools/packages.sh test"
    settings = bare_settings(tmp_path, ASAN_OPTIONS="exitcode=99:detect_leaks=0")   # none under ptrace
    for _ in range(2):
        bot = Deploybot(tmp_path, settings, wrapper=[
            strace, "-D", "-qq", "-o", tmp_path / "calls", "-e", "trace=fallocate", "-e",
            "inject=fallocate:error=EOPNOTSUPP"]).start()
        check_stop(bot)
        assert "INJECTED" in (tmp_path / "calls").read_text(encoding="utf-8")
    assert "disk of the database is nearly full" not in bot.log()
    assert (tmp_path / "state" / "deploybot.db-reserve").exists()


def test_a_flush_that_fails_stops_the_program_on_purpose_and_nothing_unsafe_was_acknowledged(tmp_path):
    """After EIO nobody knows what is on disk: going on would be a lie."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    settings = bare_settings(tmp_path)
    healthy = Deploybot(tmp_path, settings).start()
    check_stop(healthy)
    bot = Deploybot(tmp_path, settings, wrapper=[
        strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
        "inject=fdatasync:error=EIO:when=4+"])
    bot.start()
    acknowledged, number = [], 0
    try:
        while bot.process.poll() is None and number < 50:
            number += 1
            try:
                status = post_telegram(bot, update(number)).status
            except OSError:
                break
            if status == 200:
                acknowledged.append(number)
            elif status == 0:
                break
        status = bot.process.wait(WAIT_S)
    finally:
        if bot.process.poll() is None:
            os.killpg(bot.process.pid, signal.SIGKILL)
            bot.process.wait()
    assert number < 50, "it went on after EIO"
    assert status == 74, f"EX_IOERR: {status}\n{bot.log()[-3000:]}"
    assert "stopping at once" in bot.log()
    assert "checkpoint" not in bot.log(), "what may not be on disk is copied nowhere"
    again = Deploybot(tmp_path, settings)
    again.log_path = tmp_path / "again.log"     # a sanitizer looks for no leaks under ptrace
    again.start()
    assert set(acknowledged) <= set(inbox(again))
    assert again.run("audit", "verify").returncode == 0
    check_stop(again)


@pytest.fixture
def stopped(tmp_path):
    bot = bare(tmp_path).start()
    assert post_telegram(bot, update(1)).status == 200
    check_stop(bot)
    return bot, pathlib.Path(bot.settings["STATE_DIRECTORY"]) / "deploybot.db"


def damage_none(database):
    database.write_bytes(b"this is no database\n" * 1000)


def damage_middle(database):
    content = bytearray(database.read_bytes())
    for at in range(4096, len(content) - 4096, 4096):
        content[at:at + 200] = b"\xff" * 200
    database.write_bytes(content)


def damage_cut(database):
    content = database.read_bytes()
    database.write_bytes(content[:len(content) // 2 // 4096 * 4096 + 100])


@pytest.mark.parametrize("damage", [damage_none, damage_middle, damage_cut])
def test_a_database_that_is_none_is_refused_with_78_and_left_as_it_is(stopped, damage):
    bot, database = stopped
    damage(database)
    before = database.read_bytes()
    bot.start(wait=False)
    status = bot.process.wait(WAIT_S)
    assert status == 78, f"{status}\n{bot.log()[-2000:]}"
    assert database.read_bytes() == before
    assert str(database) in bot.log().splitlines()[-1] or "cannot start" in bot.log()


def test_a_database_of_a_newer_version_is_refused(stopped):
    bot, database = stopped
    done = sqlite3.connect(database)
    done.execute("PRAGMA user_version = 9999")
    done.commit()
    done.close()
    bot.start(wait=False)
    assert bot.process.wait(WAIT_S) == 78
    assert "newer" in bot.log() or "9999" in bot.log(), bot.log()[-1000:]


def test_an_empty_file_in_its_place_is_a_first_start(stopped):
    bot, database = stopped
    for path in database.parent.glob("deploybot.db*"):
        path.unlink()
    pathlib.Path(bot.settings["AUDIT_LOG_PATH"]).unlink(missing_ok=True)
    bot.start()
    check_stop(bot)


@pytest.mark.long
def test_a_lock_that_somebody_else_holds_for_seconds_loses_nothing(tmp_path):
    bot = bare(tmp_path).start()
    other = sqlite3.connect(f"{bot.settings['STATE_DIRECTORY']}/deploybot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = {}
    began = time.monotonic()
    while elapsed(began) < 2:
        number = len(answers) + 1
        answers[number] = post_telegram(bot, update(number)).status
        assert request(bot, "GET", "/healthz").status == 200
    assert set(answers.values()) <= {200, 503}
    other.execute("ROLLBACK")
    other.close()
    missing = [number for number, status in answers.items() if status == 503]
    for number in missing:      # as Telegram would
        wait_until(lambda n=number: post_telegram(bot, update(n)).status == 200, WAIT_S, "it taken")
    assert missing, "the lock was felt"
    assert sorted(inbox(bot)) == sorted(answers)
    check_stop(bot)


def test_the_audit_file_that_cannot_be_written_is_counted_and_made_up_for(tmp_path):
    """The chain stands in the database; its file follows when the disk lets it."""
    bot = bare(tmp_path).start()
    log = pathlib.Path(bot.settings["AUDIT_LOG_PATH"])
    if log.exists():
        log.rename(tmp_path / "kept")
    log.mkdir()
    assert post_telegram(bot, b"{}").status == 200
    wait_until(lambda: metric(bot, "deploybot_audit_export_failures_total") > 0, WAIT_S, "the count")
    log.rmdir()
    if (tmp_path / "kept").exists():
        (tmp_path / "kept").rename(log)
    assert post_telegram(bot, b"[]").status == 200
    wait_until(lambda: log.is_file() and len(log.read_text("utf-8").splitlines())
               == metric(bot, "deploybot_audit_entries_total"), WAIT_S, "all entries in the file")
    assert bot.run("audit", "verify").returncode == 0
    check_stop(bot)
