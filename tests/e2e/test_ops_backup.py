"""Goal: a backup made while all goes on is whole or is not there, and a restored one goes on."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

from crash_aid import CrashScene, telegram_update
from namespace_aid import MOUNTS, need
from ops_aid import bare, check_stop, post_telegram, wait_audit
from stage import ROOT, wait_until
from telegram_client import CARL
from test_ops_socket import Caller

WAIT_S = 40


def backup(bot, path, **more):
    return bot.run("backup", str(path), **more)


def rows(path, query):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as done:
        return done.execute(query).fetchall()


@pytest.fixture
def bot(tmp_path):
    made = bare(tmp_path).start()
    yield made
    check_stop(made)


@pytest.fixture
def bot_with_entries(tmp_path):
    """Who may deploy staging alone was refused, which is audited: each kind at once."""
    made = bare(tmp_path, STAGING_TELEGRAM_IDS=str(CARL)).start()
    for number, word in enumerate(("deploy", "rollback", "cancel"), 1):
        update = json.dumps(telegram_update(CARL, number, f"/{word} production")).encode()
        assert post_telegram(made, update).status == 200
    wait_audit(made, 3)
    yield made
    check_stop(made)


@pytest.mark.long
def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(bot, tmp_path):
    callers = [Caller(bot, n) for n in range(6)]
    for caller in callers:
        caller.start()
    try:
        for n in range(5):
            taken = len(callers[0].taken)
            wait_until(lambda t=taken: len(callers[0].taken) > t + 5, WAIT_S, "load")
            before = {guid for c in callers for guid in list(c.taken)}
            copy = tmp_path / f"backup-{n}.db"
            found = backup(bot, copy)
            assert found.returncode == 0, found
            assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
            known = {row[0] for row in rows(copy, "SELECT id FROM inbox")}
            assert before <= known
    finally:
        for caller in callers:
            caller.is_over = True
        for caller in callers:
            caller.join(WAIT_S)
    assert not any(c.failures for c in callers)
    assert sorted(p.name for p in tmp_path.glob("backup-*")) == [f"backup-{n}.db" for n in range(5)]


def test_it_is_private_one_file_and_says_what_it_wrote(bot_with_entries, tmp_path):
    copy = tmp_path / "copies" / "b.db"
    copy.parent.mkdir()
    found = backup(bot_with_entries, copy)
    assert found.returncode == 0, found
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [p.name for p in copy.parent.iterdir()] == ["b.db"]
    entries, = rows(copy, "SELECT COUNT(*) FROM audit")[0]
    assert found.stdout == (f"ok: {copy}: {copy.stat().st_size} bytes, 0 deployments, {entries} audit"
                            f" entries, head {head_of(copy)}; read again and checked\n")
    assert rows(copy, "PRAGMA journal_mode") == [("delete",)]


def head_of(path):
    return rows(path, "SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1")[0][0][:16]


def test_nothing_is_overwritten(bot, tmp_path):
    copy = tmp_path / "b.db"
    copy.write_text("precious", encoding="ascii")
    found = backup(bot, copy)
    assert found.returncode != 0 and "is there already" in found.stderr, found
    assert copy.read_text(encoding="ascii") == "precious"
    assert not (tmp_path / "b.db.partial").exists()
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "nowhere.db")
    assert "is there already" in backup(bot, link).stderr
    assert not (tmp_path / "nowhere.db").exists()
    assert "is a folder: name a file in it" in backup(bot, tmp_path).stderr


def test_a_folder_that_may_not_be_written_comes_with_advice(bot):
    found = backup(bot, pathlib.Path("/sys/rel.db"))     # where root may not either
    assert found.returncode != 0 and "/sys/rel.db.partial" in found.stderr, found
    assert "name a folder that it may write, or chown that one" in found.stderr, found


def test_what_a_killed_backup_left_is_replaced_and_one_in_progress_is_not(bot, tmp_path):
    copy, partial = tmp_path / "b.db", tmp_path / "b.db.partial"
    partial.write_bytes(b"half of something" * 1000)
    with subprocess.Popen(["flock", str(partial), "cat"], stdin=subprocess.PIPE) as holder:
        inode = f":{partial.stat().st_ino} "
        wait_until(lambda: inode in pathlib.Path("/proc/locks").read_text("ascii"), WAIT_S, "the lock")
        found = backup(bot, copy)
        assert found.returncode != 0 and "another backup is writing it" in found.stderr, found
        assert partial.stat().st_size == 17000
        holder.stdin.close()
    assert backup(bot, copy).returncode == 0
    assert not partial.exists() and rows(copy, "PRAGMA integrity_check") == [("ok",)]


def test_a_write_that_fails_leaves_nothing(bot, tmp_path):
    """A limit on files stands for a disk that fills up while the copy is written."""
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    found = subprocess.run(
        ["prlimit", "--fsize=40960", str(bot.build / "deploybot"), "backup", str(tmp_path / "b.db")],
        cwd=bot.folder, env=bot.environment(), capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=limited)
    assert found.returncode in (73, 74, 75), found
    assert found.stderr.startswith("error: no backup was made: "), found
    assert not list(tmp_path.glob("b.db*"))


def test_a_disk_without_room_is_said_before_anything_is_written(bot, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    need(*MOUNTS)
    words = [*MOUNTS, "sh", "-c",
             f"mount -t tmpfs -o size=2m none '{disk}' && \"$@\"; status=$?; ls '{disk}' >&2; exit $status",
             "sh", str(bot.build / "deploybot"), "backup", f"{disk}/b.db"]
    found = subprocess.run(words, cwd=bot.folder, env=bot.environment(), capture_output=True, text=True,
                           timeout=60, check=False)
    assert found.returncode != 0, found
    lines = found.stderr.splitlines()
    assert len(lines) == 1 and "MB free, and" in lines[0], found     # and ls said nothing


def test_a_damaged_database_gives_no_backup_that_looks_whole(bot_with_entries, tmp_path):
    """A disk that lies, in a page that a copy never looks into."""
    check_stop(bot_with_entries)
    path = tmp_path / "state" / "deploybot.db"
    page = rows(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'audit'")[0][0]
    with open(path, "r+b") as done:
        done.seek((page - 1) * 4096)
        done.write(b"\xff" * 64)
    found = backup(bot_with_entries, tmp_path / "b.db")
    assert found.returncode == 78, found
    assert found.stderr.startswith("error: no backup was made: the copy is not whole: "), found
    assert not list(tmp_path.glob("b.db*"))


def test_a_changed_audit_row_gives_no_backup(bot_with_entries, tmp_path):
    check_stop(bot_with_entries)
    with sqlite3.connect(tmp_path / "state" / "deploybot.db") as done:
        assert done.execute("UPDATE audit SET user_id = 'nobody' WHERE seq = 1").rowcount == 1
    found = backup(bot_with_entries, tmp_path / "b.db")
    assert found.returncode != 0 and "the copy is not whole" in found.stderr, found
    assert not list(tmp_path.glob("b.db*"))


def test_no_database_is_said(tmp_path):
    found = backup(bare(tmp_path), tmp_path / "b.db")
    assert found.returncode != 0 and "there is no database" in found.stderr, found
    assert not list(tmp_path.glob("b.db*"))


def test_a_restored_backup_goes_on_beside_what_came_later(tmp_path):
    """As OPERATIONS says: stop, copy, the later audit log moved away, start, audit verify."""
    scene = CrashScene(tmp_path / "scene")
    state, log = scene.folder / "state", scene.folder / "audit.log"
    try:
        scene.release()
        first = scene.state_file("staging")["commit"]
        found = scene.bot.run("backup", str(tmp_path / "b.db"))
        assert found.returncode == 0, found
        scene.commit()
        scene.release()
        later = scene.last_run()
        assert scene.bot.stop() == 0
        for name in state.glob("deploybot.db*"):
            name.unlink()
        shutil.copy(tmp_path / "b.db", state / "deploybot.db")
        # Forgotten beside it, the later entries are evidence that nobody writes over.
        before = log.read_bytes()
        verified = scene.bot.run("audit", "verify")
        assert verified.returncode != 0 and "no such entry" in verified.stderr, verified
        scene.bot.start()
        wait_until(lambda: scene.state_file("staging")["commit"] == first, WAIT_S, "the state file")
        assert log.read_bytes() == before
        assert scene.bot.stop() == 0
        log.rename(scene.folder / "audit.log.before-restore")
        scene.bot.start()
        wait_until(lambda: scene.bot.run("audit", "verify").returncode == 0, WAIT_S, "a whole audit log")
        scene.commit()
        scene.release()
        assert scene.last_run() > later
        assert scene.bot.run("audit", "verify").returncode == 0
    finally:
        scene.close()


def run_unit(scene, folder):
    """What deploybot-backup.service runs, in other folders."""
    text = (ROOT / "deploy" / "systemd" / "deploybot-backup.service").read_text(encoding="utf-8")
    for name, here in (("/usr/lib/deploybot/deploybot", f"{scene.bot.build}/deploybot"),
                       (" --env-file /etc/deploybot/deploybot.conf", ""), ("/var/backups/deploybot", str(folder))):
        assert name in text
        text = text.replace(name, here)
    for line in re.findall(r"^ExecStart(?:Post)?=(.+)$", text, re.M):
        words = shlex.split(line.replace("%%", "%").replace("$$", "$"))
        done = subprocess.run(words, cwd=scene.folder, env=scene.bot.environment(), check=False, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives a file away")
def test_the_stamp_of_roots_backup_is_the_servers_who_replaces_it_in_the_sticky_folder(bot, tmp_path):
    state = bot.folder / "state"
    state.chmod(0o1770)
    os.chown(state / "deploybot.db", 10001, 10001)
    made = backup(bot, tmp_path / "by-root.db")
    os.chown(state / "deploybot.db", 0, 0)
    stamp = (state / "backup.stamp").stat()
    assert made.returncode == 0 and made.stderr == "", made
    assert (stamp.st_uid, stamp.st_gid) == (10001, 10001)


def test_the_nightly_backup_keeps_two_weeks_is_seen_by_metrics_and_can_be_restored(tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    for name, days in (("old.db", 16), ("newer.db", 3), ("old.txt", 99)):
        (folder / name).touch()
        os.utime(folder / name, (1, time.time() - days * 86400))
    scene = CrashScene(tmp_path / "scene")
    state = scene.folder / "state"
    try:
        scene.release()
        first = scene.state_file("staging")["commit"]
        run_unit(scene, folder)
        made, = folder.glob("20*.db")
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d{6}\.db", made.name) and made.stat().st_mode & 0o777 == 0o600
        assert {path.name for path in folder.iterdir()} == {made.name, "newer.db", "old.txt"}
        stamp = state / "backup.stamp"
        assert stamp.read_text(encoding="utf-8") == f"{made}\n"
        scene.commit()
        scene.release()
        assert scene.bot.stop() == 0
        for name in state.glob("deploybot.db*"):
            name.unlink()
        shutil.copy(made, state / "deploybot.db")
        (scene.folder / "audit.log").rename(scene.folder / "audit.log.before-restore")
        scene.bot.arguments = ("serve", "--restored")
        scene.bot.start()
        wait_until(lambda: scene.state_file("staging")["commit"] == first, WAIT_S, "the state file")
        seen = f"deploybot_backup_timestamp_seconds {int(stamp.stat().st_mtime)}"
        wait_until(lambda: seen in scene.bot.metrics(), WAIT_S, "the metric")
        verified = scene.bot.run("audit", "verify")
        assert verified.returncode == 0, verified
    finally:
        scene.close()


def test_the_line_that_brings_backups_elsewhere_reads_roots_configuration_and_removes_nothing_there(tmp_path):
    """As the unit calls it: root, with the home of the server's user, who may write a configuration into it."""
    block = re.search(r"(?m)^<!-- not run: .*test_ops_backup\.py types its line -->\n((?: {4}.*\n)+)",
                      (ROOT / "docs/OPERATIONS.md").read_text("utf-8"))[1]
    prefix, words = re.search(r"(?m)^ +ExecStartPost=([^/]*)(/.*)$", block).groups()
    assert prefix == "+"
    rclone = tmp_path / "rclone"
    rclone.write_text('#!/bin/sh\necho "$HOME" "$@"\n', "ascii")
    rclone.chmod(0o755)
    done = subprocess.run(shlex.split(words), env={"PATH": str(tmp_path), "HOME": "/var/lib/deploybot"}, check=True,
                          capture_output=True, text=True, timeout=60)
    assert done.stdout == "/root copy /var/backups/deploybot REMOTE:deploybot\n"
