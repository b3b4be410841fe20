"""Goal: `deploybot audit verify` notices whatever is done to the audit log, says where, and the chat
is a witness of its head."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import shutil
import sqlite3

import pytest

from crash_aid import STEADY, CrashScene, audit_head_in
from flow_aid import PATIENCE_S
from stage import Deploybot, wait_until


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A stopped deploybot with a history, and the final messages of its chats."""
    scene = CrashScene(tmp_path_factory.mktemp("history"))
    finals, lengths = [], []
    for _ in range(2):
        scene.scripts.deploy(STEADY)
        scene.release()     # what rings may come before the edit that shows the head
        finals.append(scene.chat.wait_for_message(
            lambda view: audit_head_in(view) not in [None, *map(audit_head_in, finals)], PATIENCE_S))
        lengths.append(len(scene.audit()))
        scene.mallory.say("/deploy staging")
        scene.wait_for_audit(1, action="denied")
    newest = audit_head_in(finals[-1])
    wait_until(lambda: any(head.startswith(newest) for head, in scene.bot_rows("SELECT head FROM witness")), PATIENCE_S,
               "what Telegram confirmed")
    scene.close()
    return scene, finals, lengths


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


def test_what_nobody_touched_is_ok_and_its_head_is_told(copy):
    found = verify(copy, 0, "ok", f"{len(copy.lines)} entries")
    assert json.loads(copy.lines[-1])["hash"][:8] in found.stdout


def test_the_short_hash_in_a_final_message_was_the_head_then(told, copy):
    _, finals, lengths = told
    for final, length in zip(finals, lengths):
        head = audit_head_in(final)
        at = next(i for i, x in enumerate(copy.lines) if json.loads(x)["hash"].startswith(head))
        entry = json.loads(copy.lines[at])
        assert entry["action"] == "deploy_success", "the very decision that the message tells of"
        assert at + 1 == length


def test_the_digits_in_the_chat_are_found_in_the_chain_those_of_old_messages_too(told, copy):
    _, finals, lengths = told
    heads = [audit_head_in(final) for final in finals]
    verify(copy, 0, *(f"ok: {head} is entry {n}\n" for head, n in zip(heads, lengths)), digits=heads)
    verify(copy, 0, f"note: {heads[0][:8]} is entry {lengths[0]}; 8 digits can be made to fit", digits=[heads[0][:8]])


def test_what_the_database_alone_says_of_witness_and_chat_is_not_said_as_true(copy):
    """Whoever owns the machine writes it there too: the row of the chat's newest head, and what the bucket has."""
    with sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db") as db:
        db.execute("UPDATE witness SET head = ?", [json.loads(copy.lines[-1])["hash"][:16]])
        db.execute("INSERT INTO audit_witness (place, confirmed, head, confirmed_at, ordered_at, last, last_head,"
                   " tries, failing_since, is_late, detail, removed) VALUES ('x', ?, '', 0, 0, 0, '', 0, 0, 0, '', 0)",
                   [len(copy.lines)])
    said = verify(copy, 0).stdout
    assert "should show it: compare" in said and "the same" not in said
    assert not [line for line in said.splitlines() if line.startswith("ok:") and "witness" in line]


def test_a_log_that_was_written_anew_whole_does_not_fit_to_the_chat(told, copy):
    """Whoever owns the machine can write a chain that is sound: what the chat keeps is not in it."""
    head = audit_head_in(told[1][0])
    with sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db") as db:
        db.execute("DELETE FROM audit")
    write(copy, [])
    verify(copy, 0, "ok: 0 entries")
    verify(copy, 1, f"error: {head} is no entry", digits=[head])


def test_the_newest_head_is_to_be_compared_with_the_chat_where_that_has_it(told, copy):
    """The newest entry is the one that the newest final message shows, and Telegram has confirmed it."""
    _, finals, lengths = told
    assert lengths[-1] == len(copy.lines) and json.loads(copy.lines[-1])["hash"].startswith(audit_head_in(finals[-1]))
    verify(copy, 0, "(the newest final message in the chat should show it: compare)")
    with sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db") as db:
        db.execute("DELETE FROM witness")
    assert "in the chat" not in verify(copy, 0).stdout


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
