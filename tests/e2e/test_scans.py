"""Goal: no statement of server/store/ walks a table that grows, by what SQLite says of how it finds its rows."""
# SPDX-License-Identifier: ISC
import functools
import pathlib
import re
import sqlite3
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = "server/store/store_schema.c"

# Rows that stay for weeks or for ever, whatever is in progress.
GROWS = {"audit", "change", "effect", "exempt", "inbox", "message", "past", "question", "release", "run", "run_step",
         "work", "work_action"}
# One value of that column has any number of them.
COARSE = {"chat", "environment", "kind", "source", "state"}
# They look at databases of before too, at rest or in the background;
# or they ask what is asked of PostgreSQL alone: one row of leader, few of server.
OTHERS = {"audit_heads.c", "audit_verify.c", "store_backup.c", "store_move.c", "leader.c", "leader_fence.c", "lease.c",
          "row_leader.c", "row_server.c", "store_foreign.c"}
# Statements that may, by how they begin, and why.
MAY = (
    # the newest so many, by id
    "SELECT requested_by, requester, id FROM (SELECT id, requested_by, requester, ROW_NUMBER() OVER (",
    "SELECT environment FROM (SELECT id, environment, requested_by, program FROM work ORDER BY id DESC LIMIT",
    "SELECT commit_id FROM (SELECT commit_id, MAX(id) AS newest FROM (SELECT id, commit_id FROM release WHERE ",
    # the end of an index
    "INSERT INTO release (",
    # the list of releases to roll back to, which a person asks for: past those that were removed
    "SELECT id, environment, commit_id, image, at, deployment, released_by, subject, number, renumbered_at, origin,"
    " left_by, removed_at, tree, source FROM release WHERE environment = $1 AND commit_id <> $2 AND removed_at = 0 AND",
    # at a start: what is open
    "DELETE FROM factor WHERE enrolled_at = 0 AND EXISTS (SELECT 1 FROM effect WHERE kind IN ('picture'",
    "DELETE FROM effect WHERE kind IN ('forward', 'picture')",
    "SELECT COUNT(*) FROM effect WHERE (kind = ''",
    "DELETE FROM effect WHERE kind = 'say' AND id < (SELECT m.anew FROM message m",
    "SELECT id, kind, lane, subject, body, due, at FROM effect WHERE lane IS NULL ORDER BY id",
    "UPDATE message SET foot = $1 WHERE remote_id = 0 AND is_answer = 0 AND id IN (SELECT subject FROM effect WHERE id",
    # a group that moved, an application that has another name, a database that was restored: once
    "UPDATE message SET is_silent = 1, rings_for = 0, rings = 0 WHERE chat = ",
    "UPDATE message SET chat = ",
    "SELECT id, body FROM effect WHERE kind = 'document' ORDER BY id",
    "UPDATE effect SET body = REPLACE(",
    "UPDATE work SET chat = ",
    "SELECT EXISTS (SELECT 1 FROM ",
    "UPDATE release SET environment = ",
    "UPDATE work SET environment = ",
    "UPDATE run SET started_at = $1 WHERE started_at = 0",
)

LITERAL = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
STATEMENT = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE)\b")


def preprocessed(path):
    command = ("gcc", "-E", "-P", "-D_GNU_SOURCE", "-I.", "-Iserver", path)
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def texts(source, at=0):
    """Each text that stands in it, of as many literals as stand side by side."""
    while (found := source.find('"', at)) >= 0:
        text, at = "", found
        while (literal := LITERAL.match(source, at)) is not None:
            text, at = text + literal[1].encode().decode("unicode_escape"), literal.end()
        yield text


@functools.cache
def database():
    made = sqlite3.connect(":memory:")
    source = preprocessed(SCHEMA)
    for migration in re.finditer(r"\bmigration_\d+\[\] = \{", source):
        end = source.index("};", migration.end())
        for text in texts(source[migration.end():end]):
            made.executescript(text)
    return made


def steps(statement):
    numbered = [int(number) for number in re.findall(r"\$(\d+)", statement)]
    values = [1] * (max(numbered) if numbered else statement.count("?"))
    try:
        return [row[3] for row in database().execute("EXPLAIN QUERY PLAN " + statement, values)]
    except sqlite3.OperationalError as failure:
        assert "incomplete input" in str(failure), statement  # the rest is added when it runs
        return []


def table_of(statement, name):
    alias = re.search(rf"\b(\w+)(?: AS)? {name}\b", statement)
    return name if name in GROWS or alias is None else alias[1]


def walk_of(statement):
    """The step that looks at rows of which there is no end; None: there is none."""
    plan = steps(statement)
    ends = "LIMIT" in statement and not any("TEMP B-TREE FOR ORDER" in step for step in plan)
    for step in plan:
        found = re.match(r"(SCAN|SEARCH) (\w+)(?: USING .*?INDEX (\w+)(?: \((.*)\))?)?", step)
        if found is None or ends or table_of(statement, found[2]) not in GROWS:
            continue
        index = database().execute("SELECT sql FROM sqlite_master WHERE name = ?", (found[3],)).fetchone()
        is_partial = index is not None and index[0] is not None and " WHERE " in index[0]
        column = re.fullmatch(r"(\w+)[=<>]\?", found[4] or "")
        if not is_partial and (found[1] == "SCAN" or (column is not None and column[1] in COARSE)):
            return step
    return None


# What only says or counts something, by how it begins; with these alone a decision needs no second factor.
SAYS = ("DELETE FROM effect WHERE id = $1 AND (kind = ''", "INSERT INTO audit ", "INSERT INTO bucket ",
        "INSERT INTO button ", "INSERT INTO cost ", "INSERT INTO effect (kind, ", "INSERT INTO grant_use ",
        "INSERT INTO message ", "INSERT INTO person_name ", "INSERT INTO stranger ", "UPDATE button ",
        "UPDATE message ", "UPDATE stranger ")


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "server/store").glob("row_*.c")))
def test_what_only_says_is_listed(name):
    source = preprocessed(f"server/store/{name}")
    calls = re.finditer(r"\btx_say_sql\(tx, &\(const struct db_sql\) ?\{ \(?(\w*)", source)
    starts = [source.index(f"{call[1]}[] = ") if call[1] else call.end() for call in calls]
    said = {next(texts(source, start)) for start in starts}
    for text in texts(source):
        if STATEMENT.match(text) and not text.startswith("SELECT "):
            assert (text in said) == text.startswith(SAYS) or name == "row_rename.c", text


INTO = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)")


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "server/store").glob("*.c")))
def test_no_engine_numbers_a_row(name):
    """SQLite does where an integer is the key, PostgreSQL does not: store_ids.h."""
    if f"server/store/{name}" == SCHEMA:
        return
    for table, columns in (into.groups() for text in texts(preprocessed(f"server/store/{name}"))
                           for into in INTO.finditer(text)):
        rows = database().execute(f"PRAGMA table_info({table})")
        keys = {row[1] for row in rows if row[5] > 0 and row[2] == "INTEGER"}
        assert keys <= set(columns.split(", ")), (table, columns)


# Their rows are bounded by something else than what finds them: migrations since one release; of a month; a batch.
BOUNDED = ("SELECT COUNT(*) OVER (), m.commit_id, m.migration, m.source FROM work m INDEXED BY work_migration",
           "SELECT DISTINCT chat FROM message INDEXED BY message_audit", "DELETE FROM message WHERE id IN (SELECT m.id",
           "DELETE FROM inbox WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM inbox ORDER BY seq LIMIT",
           "SELECT DISTINCT lane FROM effect")
ROWS, STEPS_MAX = 2000, 2000                   # of each table that grows; of the engine's program for one statement
COMMON = {"environment": "production", "chat": 5, "kind": "say", "source": "github", "state": "LIVE"}


@functools.cache
def month():
    """The database with so many rows of one environment, one chat, one kind; all else differs."""
    of = {"INTEGER": lambda _, i: i, "BLOB": lambda _, i: str(i).encode(), "TEXT": lambda name, i: f"{name}{i}"}
    filled = sqlite3.connect(":memory:")
    database().backup(filled)
    filled.execute("PRAGMA ignore_check_constraints = ON")
    filled.execute("PRAGMA foreign_keys = OFF")
    for table in GROWS:
        columns = [row[1:3] for row in filled.execute(f"PRAGMA table_info({table})")]
        filled.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",
                           [[COMMON[name] if name in COMMON else of[kind](name, i) for name, kind in columns]
                            for i in range(1, ROWS + 1)])
    filled.commit()
    return filled


def value_of(statement, number):
    """What is common for what is compared with that, a few for a limit; else what no row has."""
    compared = re.search(rf"\b(\w+) = \${number}\b", statement)
    limit = re.search(rf"\b(LIMIT|OFFSET) \${number}\b", statement)
    return {"LIMIT": 5, "OFFSET": 0}[limit[1]] if limit else COMMON.get(compared[1] if compared else "", -7)


def engine_steps(statement):
    """How many the engine takes, in fifties; nothing is changed."""
    count = max([0, *map(int, re.findall(r"\$(\d+)", statement))]) or statement.count("?")
    seen = []
    month().set_progress_handler(lambda: seen.append(50), 50)
    try:
        month().execute("SAVEPOINT here")
        month().execute(statement, [value_of(statement, n) for n in range(1, count + 1)]).fetchall()
    except (sqlite3.OperationalError, sqlite3.IntegrityError) as failure:
        assert re.search("incomplete input|cannot store|datatype mismatch|constraint failed", str(failure)), statement
    finally:
        month().set_progress_handler(None, 50)
        month().execute("ROLLBACK TO here")
        month().execute("RELEASE here")
    return sum(seen)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "server/store").glob("*.c")))
def test_no_statement_costs_what_an_environment_has(name):
    """An index that begins with the environment is walked to its end where what is looked for is not in it."""
    if f"server/store/{name}" == SCHEMA or name in OTHERS:
        return
    for text in texts(preprocessed(f"server/store/{name}")):
        if STATEMENT.match(text) and not text.startswith((*MAY, *BOUNDED)):
            assert engine_steps(text) <= STEPS_MAX, text


def test_what_walks_an_index_of_an_environment_is_seen():
    assert engine_steps("SELECT number FROM release WHERE environment = $1 AND subject = $2 ORDER BY id DESC"
                        " LIMIT 1") > STEPS_MAX
    assert engine_steps("SELECT number FROM release WHERE environment = $1 ORDER BY id DESC LIMIT 5") < STEPS_MAX


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "server/store").glob("*.c")))
def test_no_statement_walks_a_table_that_grows(name):
    if f"server/store/{name}" == SCHEMA or name in OTHERS:
        return
    for text in texts(preprocessed(f"server/store/{name}")):
        if STATEMENT.match(text) and not text.startswith(MAY):
            assert walk_of(text) is None, text
