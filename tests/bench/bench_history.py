"""bench_history.py - a database with a month behind it, written by SQL."""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import json
import os
import sqlite3
import time

DELIVERIES, DEPLOYMENTS = 100_000, 10_000
AUDIT_EACH = 3  # entries of a deployment
DAY_MS = 86_400_000
NUMBERS = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) "

# Each with the number of rows and the moment of the last; all are of the last month.
HISTORY = {
    "inbox": (NUMBERS + "INSERT INTO inbox (source, id, digest, at) SELECT 'github',"
              " lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' ||"
              " hex(randomblob(2)) || '-0000-' || hex(randomblob(6))), randomblob(32),"
              " :at - :month + :month * i / :rows FROM n ORDER BY 2"),  # else pages are split
    "message": (NUMBERS + "INSERT INTO message (chat, thread, remote_id, head, foot, buttons,"
                " live_run, live_since, live_estimate_ms, at) SELECT 424242001, 0, 100 + i,"
                " '{\"text\":\"production is live\"}', '', '[]', 0, 0, 0,"
                " :at - :month + :month * i / :rows FROM n"),
    "work": (NUMBERS + "INSERT INTO work (image, previous_image, environment, program, cause,"
                   " state, why, commit_id, ref, subject, author, is_forced, is_foreign, previous, requested_by,"
                   " requester, chat, thread, message, also_message, run, attempts, is_touched,"
                   " has_no_way_back, urls, detail, note, requested_at, started_at, ended_at)"
                   " SELECT '', '', CASE WHEN i % 3 = 0 THEN 'production' ELSE 'staging' END, 'deploy',"
                   " 'chat', 'LIVE', 'NONE', lower(hex(randomblob(20))), 'main', 'Say what it costs',"
                   " 'Ada', 0, 0, '', 424242001, 'Ada', 424242001, 0, i, 0, i, 1, 1, 0, '', '',"
                   " '', :at - :month + :month * i / :rows - 9000,"
                   " :at - :month + :month * i / :rows - 8000,"
                   " :at - :month + :month * i / :rows FROM n"),
    "run": (NUMBERS + "INSERT INTO run (deployment, program, pid, start_time, boot, ordered_at,"
            " started_at, ended_at, exit_status, signal_number, duration_ms, detail, is_purged)"
            " SELECT i, 'deploy', 4000, 1, '', :at - :month + :month * i / :rows - 8000,"
            " :at - :month + :month * i / :rows - 8000, :at - :month + :month * i / :rows, 0, 0,"
            " 8000, '', 1 FROM n"),
    "release": ("INSERT INTO release (environment, commit_id, image, at, deployment, released_by,"
                " subject, number, origin) SELECT environment, commit_id, '', ended_at, id, requester,"
                " subject, ROW_NUMBER() OVER (PARTITION BY environment ORDER BY id), id"
                " FROM work ORDER BY id"),
}


def audit_rows(deployments, now):
    """The chain, as audit_chain.h says it."""
    head = bytes(32)
    for seq in range(1, deployments * AUDIT_EACH + 1):
        deployment = (seq - 1) // AUDIT_EACH + 1
        at = now - 30 * DAY_MS + 30 * DAY_MS * seq // (deployments * AUDIT_EACH)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"
        action = ("deploy_requested", "deploy_confirmed", "deploy_ended")[(seq - 1) % AUDIT_EACH]
        text = json.dumps({
            "timestamp": stamp, "seq": seq, "user_id": "424242001", "action": action,
            "environment": "production", "commit": None, "outcome": "ok", "severity": "info",
            "deployment": deployment}, separators=(",", ":")).encode()
        digest = hashlib.sha256(head + len(text).to_bytes(8, "big") + text).digest()
        line = text[:-1] + f',"prev":"{head.hex()}","hash":"{digest.hex()}"}}\n'.encode()
        row = (seq, at, "424242001", action, "production", None, "ok", "info", deployment, "{}",
               head, digest)
        yield row, line
        head = digest


def fill_audit(database, deployments, now, path):
    with open(path, "wb") as file:
        def rows():
            for row, line in audit_rows(deployments, now):
                file.write(line)
                yield row
        # Of the first version: what an installation has that was upgraded.
        columns = [row[1] for row in database.execute("PRAGMA table_info(audit)")][:12]
        database.executemany(
            f"INSERT INTO audit ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows())


def fill(stage, deliveries, deployments):
    """A month of that many rows into the database of a server that has made its tables and stands
    still.  It is vacuumed by nobody: what it deletes is as it was in use.  All is on disk then: whoever
    starts there pays for no pages of ours."""
    now = int(time.time() * 1000)
    path = stage.folder / "state" / "deploybot.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("PRAGMA cache_size = -400000")  # random keys into three indexes
        database.execute("BEGIN IMMEDIATE")
        for table in (*HISTORY, "audit", "button", "effect", "environment"):
            database.execute(f"DELETE FROM {table}")
        (index,) = database.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'inbox_digest'").fetchone()
        database.execute("DROP INDEX inbox_digest")
        for table, sql in HISTORY.items():
            rows = deliveries if table == "inbox" else deployments
            database.execute(sql.replace("?", ":rows"),
                             {"rows": rows, "at": now, "month": 30 * DAY_MS})
            database.execute(f"INSERT OR REPLACE INTO counter SELECT '{table}', MAX(rowid) FROM {table}")
        database.execute(index)
        database.execute(
            "INSERT INTO environment (name, current_release, previous_release, held_commit,"
            " seen_commit, is_down, is_unacknowledged) SELECT environment, MAX(id), 0, '', '', 0,"
            " 0 FROM release GROUP BY environment")
        fill_audit(database, deployments, now, stage.bot.folder / "audit.log")
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.sync()
