"""Goal: `deploybot audit verify` notices whatever is done to the audit log, says where, and who was told of an entry
is a witness of it."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import pathlib
import shutil
import sqlite3

import pytest

from crash_aid import STEADY, CrashScene
from flow_aid import PATIENCE_S
from stage import Deploybot, wait_until


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A stopped deploybot with a history, what rows name of it, and how long it was then."""
    scene = CrashScene(tmp_path_factory.mktemp("history"))
    heads, lengths = [], []
    for _ in range(2):
        scene.scripts.deploy(STEADY)
        scene.release()
        heads.append(scene.bot_rows("SELECT audit_head FROM message WHERE audit_head <> '' ORDER BY id DESC")[0][0])
        lengths.append(len(scene.audit()))
        scene.mallory.say("/deploy staging")
        scene.wait_for_audit(1, action="denied")
    wait_until(lambda: (heads[-1],) in scene.bot_rows("SELECT head FROM witness"), PATIENCE_S, "what Telegram has")
    scene.admin().say("/lock production 1h a reason")
    scene.wait_for_audit(1, action="lock_begun")
    scene.close()
    return scene, heads, lengths


@pytest.fixture
def copy(told, tmp_path):
    """Its state and audit log, to be tampered with."""
    scene = told[0]
    shutil.copytree(scene.folder / "state", tmp_path / "state", symlinks=True,
                    ignore=shutil.ignore_patterns("runs", "git", "socket"))
    shutil.copy(scene.folder / "audit.log", tmp_path / "audit.log")
    bot = Deploybot(tmp_path, {**scene.bot.settings, "STATE_DIRECTORY": str(tmp_path / "state"),
                               "AUDIT_LOG_PATH": str(tmp_path / "audit.log")})
    bot.audit = tmp_path / "audit.log"
    bot.lines = bot.audit.read_text(encoding="utf-8").splitlines(keepends=True)
    return bot


def verify(bot, status, *words, digits=()):
    found = bot.run("audit", "verify", *digits)
    assert found.returncode == status, found
    for word in words:
        assert word in found.stdout + found.stderr, found
    return found


def write(bot, lines):
    bot.audit.write_text("".join(lines), encoding="utf-8")


def by_hand(bot, *statements):
    """In its database, without computing a hash; returns what the last one found."""
    with contextlib.closing(sqlite3.connect(pathlib.Path(bot.settings["STATE_DIRECTORY"]) / "deploybot.db")) as db:
        for statement in statements:
            found = db.execute(statement).fetchall()
        db.commit()
    return found


def cut(bot, behind):
    """Off the end, in file and rows alike."""
    by_hand(bot, f"DELETE FROM audit WHERE seq > {behind}")
    write(bot, bot.lines[:behind])


def test_what_nobody_touched_is_ok_and_its_head_is_told(copy):
    found = verify(copy, 0, "ok", f"{len(copy.lines)} entries")
    assert json.loads(copy.lines[-1])["hash"][:8] in found.stdout


def test_what_a_final_message_names_was_the_head_then(told, copy):
    _, heads, lengths = told
    for head, length in zip(heads, lengths):
        at = next(i for i, x in enumerate(copy.lines) if json.loads(x)["hash"].startswith(head))
        entry = json.loads(copy.lines[at])
        assert entry["action"] == "deploy_success", "the very decision that the message tells of"
        assert at + 1 == length


def test_digits_are_found_in_the_chain_those_of_old_messages_too(told, copy):
    _, heads, lengths = told
    verify(copy, 0, *(f"ok: {head} is entry {n}\n" for head, n in zip(heads, lengths)), digits=heads)
    verify(copy, 0, f"note: {heads[0][:8]} is entry {lengths[0]}; 8 digits can be made to fit", digits=[heads[0][:8]])


def test_what_the_database_alone_says_of_witness_and_chat_is_not_said_as_true(copy):
    """Whoever owns the machine writes it there too: what chats were sent, and what the bucket has."""
    newest = json.loads(copy.lines[-1])
    by_hand(copy, f"INSERT INTO audit_line VALUES ({newest['seq']}, '{newest['hash'][:16]}', 1767225600000)",
            "INSERT INTO audit_witness (place, confirmed, head, confirmed_at, ordered_at, last, last_head,"
            " tries, failing_since, is_late, detail, removed)"
            f" VALUES ('x', {newest['seq']}, '', 0, 0, 0, '', 0, 0, 0, '', 0)")
    said = verify(copy, 0).stdout
    assert f"by the database the chats were sent entry {newest['seq']}, audit {newest['hash'][:16]}, as the line of" \
           " 2026-01-01: compare it with theirs" in said
    assert not [line for line in said.splitlines() if line.startswith("ok:") and ("witness" in line or "chat" in line)]


def test_a_log_that_was_written_anew_whole_does_not_fit_to_what_is_named(told, copy):
    """Whoever owns the machine can write a chain that is sound: what rows and chats have of it is not in it."""
    head = told[1][0]
    by_hand(copy, "DELETE FROM audit")
    write(copy, [])
    verify(copy, 1, f"with the head {head}, which no entry has", "note: 0 entries")
    by_hand(copy, "DELETE FROM message", "DELETE FROM witness", "DELETE FROM audit_end")
    verify(copy, 0, "ok: 0 entries")
    verify(copy, 1, f"error: {head} is no entry", digits=[head])


# ---- the end, cut off in file and rows alike: the chain that is left is sound ----------------------


def test_an_end_that_was_cut_off_is_missed_by_the_message_that_names_it(told, copy):
    _, heads, lengths = told
    cut(copy, lengths[-1] - 1)
    number = by_hand(copy, f"SELECT id FROM message WHERE audit_head = '{heads[-1]}' ORDER BY id DESC")[0][0]
    found = verify(copy, 1, f"error: message #{number} was sent with the head {heads[-1]}, which no entry has: it was"
                            f" entry {lengths[-1]} (the newest is {lengths[-1] - 1})")
    assert "ok:" not in found.stdout and heads[0] not in found.stderr


def test_what_came_behind_the_newest_message_is_missed_by_the_end_of_the_server(told, copy):
    """A lock was the last entry, and no message names it; how far the chain was when the server ended, one row does."""
    last = len(copy.lines)
    assert last > told[2][-1]
    head = json.loads(copy.lines[-1])["hash"][:16]
    cut(copy, last - 1)
    missed = f"the server ended with the head {head}, which no entry has: it was entry {last}"
    verify(copy, 1, f"error: {missed}")
    # Neither a start nor a kill -9 takes that away, nor that the numbers are given a second time.
    copy.start()
    wait_until(lambda: missed in copy.log(), PATIENCE_S, "the comparison")
    wait_until(lambda: by_hand(copy, f"SELECT 1 FROM audit WHERE seq > {last}"), PATIENCE_S, "more entries")
    copy.kill()
    verify(copy, 1, f"error: {missed}")


@pytest.mark.parametrize("cover_up", [
    "UPDATE message SET audit_seq = 0",                     # as rows of before, which name the head alone
    "UPDATE message SET audit_seq = 1 WHERE audit_seq > 0",
    "DELETE FROM message",                                  # what Telegram took last names it, too
    "UPDATE message SET audit_head = '', audit_seq = 0",
    "DELETE FROM audit_end",
])
def test_whoever_cuts_has_to_find_all_that_names_it(told, copy, cover_up):
    cut(copy, told[2][-1] - 1)
    by_hand(copy, cover_up)
    verify(copy, 1, f"{told[1][-1]}, which no entry has")


def test_a_start_says_that_the_end_was_cut_off(told, copy):
    """Error, message, metric, entry; it runs on, tells once, and the record cannot be cut off unseen."""
    scene, heads, lengths = told
    cut(copy, lengths[-1] - 1)
    copy.start()
    missing = "deploybot_audit_heads_missing"
    wait_until(lambda: f"\n{missing} " in copy.metrics(), PATIENCE_S, "the comparison")
    assert f"\n{missing} 0\n" not in copy.metrics()
    assert "error" in copy.log() and f"was sent with the head {heads[-1]}, which no entry has" in copy.log()
    wait_until(lambda: by_hand(copy, "SELECT seq FROM audit WHERE code = 'entries_missing'"), PATIENCE_S, "an entry")
    told_admins = "SELECT count(*) FROM message WHERE head LIKE '%Audit log cut off: entries at its end%'"
    n = by_hand(copy, told_admins)[0][0]
    assert n == len(scene.bot.settings["ADMIN_TELEGRAM_IDS"].split(","))
    assert copy.stop() == 0
    copy.start()
    wait_until(lambda: copy.log().count(f"was sent with the head {heads[-1]}") > 1, PATIENCE_S, "the next comparison")
    assert copy.stop() == 0
    assert by_hand(copy, told_admins)[0][0] == n
    assert len(by_hand(copy, "SELECT 1 FROM audit WHERE code = 'entries_missing'")) == 1
    verify(copy, 1, f"with the head {heads[-1]}, which no entry has")
    # Whoever cuts its record off as well is found by the message that told of it.
    seq, = by_hand(copy, "SELECT seq FROM audit WHERE code = 'entries_missing'")[0]
    by_hand(copy, f"DELETE FROM audit WHERE seq >= {seq}", "DELETE FROM audit_end")
    verify(copy, 1, f"which no entry has: it was entry {seq} (the newest is {seq - 1})")


def test_behind_a_copy_what_is_newer_is_named_so(told, copy):
    """serve --restored: heads of the log that went on without the copy are no cut, and no alarm."""
    _, heads, lengths = told
    cut(copy, lengths[0])
    by_hand(copy, "DELETE FROM audit_end", "DELETE FROM witness")
    write(copy, copy.lines)         # the log of before stands beside it
    copy.arguments = ("serve", "--restored")
    copy.start()
    wait_until(lambda: "\ndeploybot_audit_heads_missing 0" in copy.metrics(), PATIENCE_S, "the comparison")
    assert "it is newer than the copy started with --restored" in copy.log()
    assert copy.stop() == 0
    restored = lengths[0] + 1
    verify(copy, 0, "ok: ")
    moved, = copy.audit.parent.glob("before-*/audit.log")
    lost = moved.read_bytes()
    assert f'"log_last":"{lost.count(bytes([10]))}"' in copy.audit.read_text("utf-8")
    copy.audit.write_bytes(lost)    # as one that a person has brought back
    verify(copy, 1, f"audit.log line {restored}: it is newer than the copy started with --restored (entry {restored}):"
                    " move that log away")
    copy.audit.unlink()
    copy.arguments = ("serve",)
    copy.start()
    assert copy.stop() == 0
    verify(copy, 0, "note: message #", f"was sent with the head {heads[1]}",
           f"it is newer than the copy started with --restored (entry {restored})", "ok: ")
    verify(copy, 1, f"error: {heads[1]} is no entry", f"started with --restored (entry {restored})", digits=heads[1:])


def test_what_retention_removed_is_no_gap(told, copy):
    """Messages go after their time: what names nothing any more is not missed."""
    by_hand(copy, "DELETE FROM message")
    verify(copy, 0, "ok:")


@pytest.mark.parametrize("at", [0, 3, -1])
def test_a_line_that_was_changed_is_named(copy, at):
    entry = json.loads(copy.lines[at])
    changed = copy.lines[at].replace(entry["action"], "denied" if entry["action"] != "denied" else "x")
    copy.lines[at] = changed
    write(copy, copy.lines)
    verify(copy, 1, "error", str(entry["seq"]))


@pytest.mark.parametrize("at", [0, 3])
def test_a_line_that_was_removed_is_noticed(copy, at):
    seq = json.loads(copy.lines[at])["seq"]
    del copy.lines[at]
    write(copy, copy.lines)
    verify(copy, 1, "error", str(seq))


def test_lines_in_another_order_are_noticed(copy):
    copy.lines[2], copy.lines[3] = copy.lines[3], copy.lines[2]
    write(copy, copy.lines)
    verify(copy, 1, "error")


@pytest.mark.parametrize("n", [1, 2, 5])
def test_lines_cut_off_the_end_are_counted(copy, n):
    write(copy, copy.lines[:-n])
    verify(copy, 1, "error", f"newest {n} entries")


def test_half_a_line_at_the_end_is_noticed(copy):
    write(copy, copy.lines[:-1] + [copy.lines[-1][:40]])
    verify(copy, 1, "error")


def test_a_line_put_in_is_noticed(copy):
    copy.lines.insert(2, copy.lines[2])
    write(copy, copy.lines)
    verify(copy, 1, "error")


def test_a_line_put_behind_the_end_is_noticed(copy):
    entry = json.loads(copy.lines[-1])
    entry["seq"] += 1
    write(copy, [*copy.lines, json.dumps(entry, separators=(",", ":")) + "\n"])
    verify(copy, 1, "error")


def test_an_older_copy_of_the_file_is_noticed(copy):
    write(copy, copy.lines[:len(copy.lines) // 2])
    verify(copy, 1, "error", "newest")


def test_a_file_that_is_gone_or_empty_is_noticed(copy):
    write(copy, [])
    verify(copy, 1, "error")
    copy.audit.unlink()
    verify(copy, 1, "error", "audit.log")


@pytest.mark.parametrize("column", ["user_id", "action", "outcome", "meta", "at"])
def test_a_row_that_was_changed_in_the_database_is_noticed(copy, column):
    done = sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db")
    columns = [row[1] for row in done.execute("PRAGMA table_info(audit)")]
    assert column in columns, columns
    value = {"at": "at + 1000", "meta": "'{\"reason\":\"none\"}'"}.get(column, "'somebody'")
    done.execute(f"UPDATE audit SET {column} = {value} WHERE seq = 3")
    done.commit()
    done.close()
    verify(copy, 1, "error", "3")


def test_a_row_that_was_removed_from_the_database_is_noticed(copy):
    done = sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db")
    done.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    done.commit()
    done.close()
    verify(copy, 1, "error")


def test_tampering_is_not_covered_up_by_a_start(copy):
    """A start appends what is missing; it does not repair what was changed."""
    copy.lines[2] = copy.lines[2].replace("telegram:", "telegraph:")
    write(copy, copy.lines)
    copy.start()
    assert copy.stop() == 0
    verify(copy, 1, "error")


def test_core_fields_cannot_be_taken_by_metadata(told):
    for entry in told[0].audit():
        assert list(entry) == sorted(entry) and entry["version"] == 2
        assert {"timestamp", "seq", "user_id", "action", "code", "environment", "commit", "outcome",
                "severity"} <= set(entry)
