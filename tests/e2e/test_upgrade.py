"""Goal: what a released version left goes on under this one: each open effect is closed once, nothing is done or sent
twice, and the downgrade works."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter

import pytest

from crash_aid import HOLD, CrashScene, check_log, text_of
from flow_aid import PATIENCE_S
from namespace_aid import MOUNTS, need
from stage import Deploybot, get, wait_until
from telegram_client import ADA, buttons_of
from upgrade_aid import RELEASED, WITH_ACTIONS, Released, need_its_machine, words_of_the_list

OPEN = {"run": 3, "end": 1, "ask": 3, "probe": 3, "say": 2, "toast": 2, "document": 1, "forget": 14, "wait": 2}
# How each deployment that was open ends: those with a health URL have one that refuses.
ENDS = {21: "ROLLBACK_FAILED",      # qa, VERIFYING
        22: "ROLLBACK_FAILED",      # preview, VERIFYING_ROLLBACK
        23: "ROLLED_BACK",          # demo, ROLLING_BACK: its record says that it ended well
        24: "ROLLBACK_FAILED",      # production, STOPPING: its supervisor is gone
        25: "EXPIRED",              # canary, AWAITING_CONFIRMATION since long
        26: "REFUSED",              # next, REQUESTED: there is no such branch
        27: "ROLLBACK_FAILED",      # staging, RUNNING: its supervisor is gone
        28: "QUEUED",               # staging: asked anew, as git does not know whether it holds what is blocked now
        29: "AWAITING_CONFIRMATION"}    # of a push that git was being asked about: the first poll leaves it alone
A, B, F = ("aaaaaaa1" + "a" * 32, "bbbbbbb2" + "b" * 32, "fffffff6" + "f" * 32)

# ... and of the releases that knew approvals and actions.
ENDS_WITH_ACTIONS = {**ENDS, 29: "EXPIRED",         # gated, AWAITING_APPROVAL since long
                     30: "EXPIRED",                 # an action of acme, AWAITING_CONFIRMATION since long
                     31: "AWAITING_CONFIRMATION"}   # 29 of the others


OLDEST_BY_DAY = [RELEASED[0], *(pytest.param(version, marks=pytest.mark.long) for version in RELEASED[1:])]


LONG = [pytest.param(version, marks=pytest.mark.long) for version in RELEASED[1:]]


@pytest.fixture(params=[RELEASED[0], *LONG])
def released(request, tmp_path):
    made = Released(tmp_path, request.param)
    yield made
    made.stop()
    made.health.close()


def test_everything_that_was_open_is_closed_once(released):
    known = released.rows("SELECT kind, count(*) FROM effect GROUP BY kind")
    more = {"3adc366": {"wait": 1},             # a stranger's messages
            "eab7e636": {"wait": 4},            # ... the daily one, an approval, an action
            "6565c431": {"wait": 5, "say": 1}}  # ... the audit's line
    assert Counter(dict(known)) == Counter(OPEN) + Counter(more.get(released.version, {}))
    last = released.rows("SELECT max(id) FROM effect")[0][0]
    was = released.rows("PRAGMA user_version")[0][0]
    runs = released.rows("SELECT max(id) FROM run")[0][0]
    before = released.states()
    words = {word for kind, word in words_of_the_list() if kind == "deployment.state"}
    newer = {"DONE", "BAKING", "PAUSED"} | (set() if released.version in WITH_ACTIONS else {"AWAITING_APPROVAL"})
    assert set(before.values()) == words - newer
    bot = released.bot = Deploybot(released.folder, released.settings(), released.build).start()
    wait_until(lambda: not released.rows("SELECT id FROM effect WHERE id <= ?", last), PATIENCE_S,
               f"the end of what was open: {released.rows('SELECT id, kind FROM effect')}")
    wait_states(released, {**before, **ends(released)})
    ran = [f"rollback qa {A}", f"rollback production {A}", f"rollback staging {F}"]
    assert sorted(released.ran()) == sorted(ran)
    assert released.rows("SELECT count(*) FROM run WHERE id > ?", runs)[0][0] == len(ran)
    assert released.rows("SELECT count(*) FROM run WHERE ended_at = 0") == [(0,)]
    assert not (released.folder / "state" / "runs" / "14").exists()
    copy = released.database.with_name(f"deploybot.db.v{was}")
    assert copy.exists() == (was < released.rows("PRAGMA user_version")[0][0])
    assert released.rows("PRAGMA integrity_check") == [("ok",)] and not released.rows("PRAGMA foreign_key_check")
    verified = bot.run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    check_log(bot.log())
    assert bot.stop() == 0


@pytest.mark.long
@pytest.mark.parametrize("released", RELEASED[:1], indirect=True)
def test_what_was_open_is_told_at_the_pace_of_a_chat(released):
    """Half a minute."""
    released.bot = Deploybot(released.folder, released.settings(), released.build).start()
    wait_states(released, {**released.states(), **ends(released)})
    check_told(released)
    assert released.bot.stop() == 0


@pytest.mark.parametrize("released", LONG[1:], indirect=True)
def test_a_setting_that_has_gone_keeps_nothing_from_running_and_is_said_once(released):
    gone = {"AUDIT_TIMESTAMP_URL": "http://127.0.0.1:9/", "AUDIT_TIMESTAMP_CA": "/nowhere/there"}
    words = "Settings without effect: AUDIT_TIMESTAMP_URL, AUDIT_TIMESTAMP_CA"

    def said():
        return sum(words in text_of(view) for view in released.chat.messages(ADA))
    bot = released.bot = Deploybot(released.folder, {**released.settings(), **gone}, released.build).start()
    wait_until(lambda: said() == 1, PATIENCE_S, "a message to the admin")
    assert bot.stop() == 0
    assert bot.log().count("AUDIT_TIMESTAMP_URL: is no setting any more: ") == 1
    bot.start()
    wait_states(released, {**released.states(), **ends(released)})
    assert said() == 1
    found = bot.run("check-config")
    assert re.search("warning +AUDIT_TIMESTAMP_CA: is no setting any more: ", found.stderr), found
    found = bot.run("doctor")
    assert re.search("error +AUDIT_TIMESTAMP_CA: is no setting any more: ", found.stdout), found
    assert "settings are valid" not in found.stdout, found
    assert found.returncode == 1 and bot.stop() == 0


@pytest.mark.parametrize("released", LONG[2:], indirect=True)
def test_the_audits_collectors_end_and_how_far_each_got_is_said_once(released):
    gone = {"AUDIT_SYSLOG_SERVER": "127.0.0.1:9", "AUDIT_SYSLOG_CA": "/nowhere/ca", "AUDIT_JOURNAL": "true",
            "AUDIT_SYSLOG_CERTIFICATE": "/nowhere/pem", "AUDIT_SYSLOG_KEY": "/nowhere/key"}
    last, = released.rows("SELECT max(seq) FROM audit")[0]
    with contextlib.closing(sqlite3.connect(released.database)) as database:
        database.execute("INSERT INTO effect (kind, subject, body, due, at) VALUES"
                         """ ('forward', 0, '{"to":"journal","first":1,"last":2,"place":"journal"}', 0, 1),"""
                         """ ('wait', 0, '{"wait":"forward","name":""}', 1, 1)""")
        database.execute("INSERT INTO audit_forward VALUES ('syslog 127.0.0.1:9', ?, 1, 0, 3, 'it is away'),"
                         " ('journal', 2, 1, 1, 0, '')", (last,))
        database.commit()
    bot = released.bot = Deploybot(released.folder, {**released.settings(), **gone}, released.build).start()
    said = [f"audit: deploybot sends no more, and up to entry {seq} all is with {place}"
            for seq, place in ((last, "syslog 127.0.0.1:9"), (2, "journal"))]
    for _ in range(2):
        assert bot.stop() == 0
        assert [bot.log().count(line) for line in said] == [1, 1]
        bot.start()
    assert not released.rows("SELECT id FROM effect WHERE kind = 'forward' OR body LIKE '%forward%'")

    def is_said():
        return any("Settings without effect: " in text and all(name in text for name in gone)
                   for text in map(text_of, released.chat.messages(ADA)))
    wait_until(is_said, PATIENCE_S, "a message to the admin")
    found = bot.run("check-config")
    assert all(re.search(f"warning +{name}: is no setting any more: ", found.stderr) for name in gone), found
    with contextlib.closing(sqlite3.connect(released.database)) as database:
        database.execute("UPDATE audit_forward SET sent = 1000000 WHERE place = 'journal'")
        database.commit()
    found = bot.run("audit", "verify")       # what a collector got is still compared
    assert found.returncode == 1 and "entry 1000000 was sent to journal, and is not there" in found.stderr, found
    assert bot.stop() == 0


@pytest.mark.parametrize("released", LONG[2:], indirect=True)
def test_a_second_factor_that_was_shown_as_a_picture_is_deleted_there_and_counts_no_more(released):
    """One stands in a chat, one was on its way."""
    _, sent = released.chat.bot("sendMessage", chat_id=ADA, text="🔐 Scan this")
    shown = sent["result"]["message_id"]
    with contextlib.closing(sqlite3.connect(released.database)) as database:
        database.execute("INSERT INTO factor (person, sealed, made_at, made_by, picture) VALUES"
                         " (?, 'of before', 5, ?, ?), (7, 'of before', 6, 7, 0)", (ADA, ADA, shown))
        database.execute("INSERT INTO effect (kind, subject, body, due, lane, at) VALUES"
                         """ ('picture', 0, '{"person":7,"made_at":6}', 0, 'picture:7', 1),"""
                         """ ('wait', 0, ?, 1, NULL, 1)""",
                         (f'{{"wait":"picture","name":"{ADA}","began":0,"round":{shown}}}',))
        database.commit()
    settings = {**released.settings(), "TOTP_ENROL": "chat"}
    bot = released.bot = Deploybot(released.folder, settings, released.build).start()

    def deletions():
        return [call["status"] for call in released.chat.calls("deleteMessage")
                if call["arguments"]["message_id"] == str(shown)]
    ours = f'{{"person":{ADA},"message":{shown}}}'
    wait_until(lambda: deletions() and not released.rows("SELECT id FROM effect WHERE body = ?", ours), PATIENCE_S,
               "the message is deleted")
    assert not released.rows("SELECT person FROM factor")
    assert not released.rows("SELECT id FROM effect WHERE kind = 'picture' OR body LIKE '%picture%'")
    assert bot.stop() == 0
    bot.start()
    wait_states(released, {**released.states(), **ends(released)})
    assert deletions() == [200]
    assert "TOTP_ENROL: is no setting any more: " in bot.log() and bot.stop() == 0


@pytest.mark.parametrize("released", OLDEST_BY_DAY[:2], indirect=True)    # later ones wrote both themselves
def test_releases_are_numbered_for_each_environment_and_what_was_held_is_a_row(released):
    held = "c" * 40
    with contextlib.closing(sqlite3.connect(released.database)) as database:
        with database:
            database.execute("UPDATE environment SET held_commit = ? WHERE name = 'preview'", (held,))
    released.bot = Deploybot(released.folder, released.settings(), released.build).start()
    numbers = released.rows("SELECT environment, number, renumbered_at > 0 FROM release WHERE id <= 8 ORDER BY id")
    assert numbers == [("staging", n, 1) for n in (1, 2, 3, 4)] + [
        (name, 1, 1) for name in ("qa", "demo", "preview", "production")]
    assert released.rows("SELECT environment, blocked_by, why FROM block WHERE commit_id = ?", held) == [
        ("preview", "deploybot", "")]
    file = released.folder / "state" / "environments" / "qa.json"
    wait_until(lambda: json.loads(file.read_text(encoding="utf-8"))["release"] == 1, PATIENCE_S, "its number")
    assert released.bot.stop() == 0


@pytest.mark.parametrize("released", OLDEST_BY_DAY[:3], indirect=True)    # later ones wrote buttons themselves
def test_a_button_of_yesterday_stands_for_the_same(released):
    """Its id stays, and what was a verb is a request."""
    requests = {"CONFIRM": ("confirm", "work/{0}", "answer=yes"), "DECLINE": ("confirm", "work/{0}", "answer=no"),
                "CANCEL": ("cancel", "work/{0}", ""), "LOG": ("log", "run/{1}", "")}
    before = released.rows("SELECT id, chat, verb, deployment, run FROM question WHERE closed_at = 0 ORDER BY id")
    assert {row[2] for row in before} == set(requests)
    released.bot = Deploybot(released.folder, released.settings(), released.build).start()
    rows = {row[0]: row[1:] for row in released.rows("SELECT id, chat, action, target, arguments, person FROM button")}
    for button, chat, verb, deployment, run in before:
        if button in rows:    # what ended at this start, and was closed, is compared as well
            action, target, arguments = requests[verb]
            assert rows[button] == (chat, action, target.format(deployment, run), arguments, 0)
    kept = {row[0] for row in before} & set(rows)
    assert {verb for button, _, verb, _, _ in before if button in kept} >= {"CONFIRM", "DECLINE", "LOG"}
    assert released.bot.stop() == 0


def ends(scene):
    return ENDS_WITH_ACTIONS if scene.version in WITH_ACTIONS else ENDS


def wait_states(scene, wanted):
    try:
        wait_until(lambda: scene.states() == wanted, PATIENCE_S, "the ends of all")
    except TimeoutError:
        assert scene.states() == wanted
        raise


def check_told(scene):
    """Each end stands in the chat, and no message stands there twice; what is too old is not said any more."""
    wait_until(lambda: not scene.rows("SELECT id FROM effect WHERE kind IN ('say', 'toast', 'document')"),
               PATIENCE_S, "an empty outbox")
    texts = [text_of(view) for view in scene.chat.messages(ADA) if view["outgoing"] and not view["deleted"]]
    assert len(texts) == len(set(texts)), texts
    for words in ("qa is DOWN", "preview is DOWN", "demo is NOT running", "production is DOWN", "staging is DOWN",
                  "Not started: staging: may contain", "Your Telegram id is"):
        assert len([text for text in texts if words in text]) == 1, words + " in\n" + "\n----\n".join(texts)


def test_the_words_that_it_wrote_are_in_the_list(released):
    """The list only grows: what is in a database of a release may not be taken from it."""
    words = words_of_the_list()
    wrote = {("deployment.state", word) for word, in released.work_rows("state")}
    wrote |= {("deployment.why", word) for word, in released.work_rows("why")}
    wrote |= {("deployment.cause", word) for word, in released.work_rows("cause")}
    tables = {name for name, in released.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "button" in tables:
        wrote |= {("button.action", word) for word, in released.rows("SELECT action FROM button")}
    else:
        wrote |= {("question.verb", word) for word, in released.rows("SELECT verb FROM question")}
    wrote |= {("audit.action", word) for word, in released.rows("SELECT action FROM audit")}
    wrote |= {("audit.severity", word) for word, in released.rows("SELECT severity FROM audit")}
    for kind, lane, body in released.rows("SELECT kind, lane, body FROM effect"):
        wrote |= {("effect.kind", kind)} | {(f"effect.{kind}", key) for key in json.loads(body)}
        wrote |= {("effect.lane", lane.partition(":")[0] + ":")} if lane else set()
    for path in released.folder.glob("audit.log*"):
        for line in path.read_text(encoding="utf-8").splitlines():
            wrote |= {("audit", key) for key in json.loads(line)}
    for path in (released.folder / "state" / "environments").iterdir():
        wrote |= {("environment.json", key) for key in json.loads(path.read_text(encoding="utf-8"))}
    for path in (released.folder / "state" / "runs").glob("*/*"):
        wrote.add(("run.file", path.name))
        for line in path.read_text("utf-8", "replace").splitlines()[1:] if path.name == "order" else ():
            wrote.add(("protocol.run", line.split(" ")[0]))
    assert wrote <= words, wrote - words


@pytest.mark.long
def test_a_runs_files_and_variables_are_those_of_the_list(tmp_path):
    scene = CrashScene(tmp_path)
    try:
        scene.scripts.deploy('env >"$here/env"; echo "==> release"; echo "$2" >"$here/$1.live"')
        scene.hold_script()
        scene.scripts.rollback("exit 1")
        scene.release()
        words = words_of_the_list()
        given = {line.partition("=")[0] for line in (tmp_path / "scripts" / "env").read_text("utf-8").splitlines()}
        assert {word for kind, word in words if kind == "run.variable"} <= given, given
        files = {path.name for path in scene.run_folder().iterdir()} | {"socket"}   # gone when it ended
        assert files == {word for kind, word in words if kind == "run.file"}
    finally:
        scene.close()


def test_the_way_to_the_version_before(tmp_path):
    """As docs/OPERATIONS.md says it: the older program starts on the copy, and knows what it knew."""
    need_its_machine()
    scene = Released(tmp_path, "0.1.0")
    try:
        before = scene.states()
        scene.bot = Deploybot(scene.folder, scene.settings(), scene.build).start()
        wait_states(scene, {**before, **ENDS})
        assert scene.bot.stop() == 0
        refused = scene.old_bot().start(wait=False)
        assert refused.process.wait(PATIENCE_S) == 78 and "newer" in refused.log(), refused.log()[-1000:]
        copy = scene.database.with_name("deploybot.db.v1")
        assert scene.rows("PRAGMA user_version", path=copy) == [(1,)]
        assert dict(scene.work_rows("id, state", path=copy)) == before
        away = scene.folder / "state" / "before"
        away.mkdir()
        for path in [scene.database, *scene.database.parent.glob("deploybot.db-*")]:
            path.rename(away / path.name)
        shutil.copy(copy, scene.database)
        (scene.folder / "audit.log").rename(scene.folder / "audit.log.before")
        old = scene.bot = scene.old_bot().start()
        old_ends = {**{n: ENDS[n] for n in before if n in ENDS}, 28: "LIVE"}     # it knew of no block in a commit
        assert old.run("version").stdout.strip().endswith("0.1.0")
        wait_until(lambda: all(scene.states()[n] == end for n, end in old_ends.items()), PATIENCE_S, "its ends")
        assert old.run("audit", "verify").returncode == 0
        assert old.stop() == 0
    finally:
        scene.stop()
        scene.health.close()


def start_without_a_copy(scene):
    """The version of the database after `serve --no-copy`."""
    bot = Deploybot(scene.folder, scene.settings(), scene.build)
    with subprocess.Popen([str(bot.build / "deploybot"), "serve", "--no-copy"], cwd=scene.folder,
                          env=bot.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: get(bot.base + "/healthz")[0] == 200, PATIENCE_S, "a start")
        process.terminate()
        assert process.wait(PATIENCE_S * 2) == 0
    return scene.rows("PRAGMA user_version")[0][0]


@pytest.mark.long
def test_without_room_for_the_copy_nothing_is_started_and_nothing_changed():
    need(*MOUNTS)
    folder = tempfile.mkdtemp(prefix="deploybot-")      # as short as a real one: the sentence ends with the reason
    scene = Released(folder, "0.1.0")
    try:
        state = scene.folder / "state"
        mount = (f"cp -a '{state}' '{state}.kept' && mount -t tmpfs -o size=14m none '{state}' && "
                 f"cp -a '{state}.kept/.' '{state}' && \"$@\"; status=$?; ls '{state}'; exit $status")

        def start(*more):
            bot = Deploybot(scene.folder, scene.settings(), scene.build)
            words = [*MOUNTS, "sh", "-c", mount, "sh", str(bot.build / "deploybot"), "serve", *more]
            shutil.rmtree(f"{state}.kept", ignore_errors=True)
            return subprocess.run(words, cwd=scene.folder, env=bot.environment(), capture_output=True, text=True,
                                  timeout=60, check=False)
        found = start()
        assert found.returncode == 74, found
        assert "make room, or start `serve --no-copy`" in found.stderr and "MB free" in found.stderr, found
        assert not re.search(r"deploybot\.db\.v", found.stdout), found.stdout
        refused = start("--nocopy")
        assert refused.returncode == 64 and "serve [--no-copy]" in refused.stderr, refused
        migrated = start_without_a_copy(scene)
        assert migrated > 1 and not list(state.glob("deploybot.db.v*"))
    finally:
        scene.stop()
        scene.health.close()


def upgraded_under_a_run(folder, version):
    """That version's server, runner and supervisor; the server alone is killed, ours takes over."""
    need_its_machine()
    unpacked = folder / "old"
    unpacked.mkdir()
    subprocess.run(["tar", "xJf", f"tests/fixtures/{version}/fixture.tar.xz", "-C", str(unpacked)], check=True)
    scene = CrashScene(folder / "scene", build=unpacked / "bin")
    scene.scripts.deploy('echo begun >>"$here/marks"; echo "==> ship"; echo "held at its place"; '
                         + HOLD + '; echo "==> release"; echo "$2" >"$here/$1.live"')
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    supervisor = scene.supervisor()
    scene.crash()
    scene.bot = Deploybot(scene.folder, scene.settings(), os.environ.get("DEPLOYBOT_BUILD") or "build").start()
    message = who.hear("staging", "held at its place")
    assert scene.supervisor() == supervisor
    return scene, who, message


@pytest.mark.parametrize("version", OLDEST_BY_DAY)
def test_a_deployment_that_it_began_is_cancelled_under_this_one(tmp_path, version):
    """Its supervisor speaks version 1 of the protocol, and is spoken to."""
    scene, who, message = upgraded_under_a_run(tmp_path, version)
    try:
        who.press(message, next(b for b in buttons_of(message) if "Cancel" in b or "Stop" in b))
        who.hear("cancelled")
        assert "incompatible" not in scene.bot.log()
        scene.check()
    finally:
        scene.close()


@pytest.mark.parametrize("version", OLDEST_BY_DAY)
def test_a_deployment_that_it_began_ends_live_under_this_one(tmp_path, version):
    scene, who, _ = upgraded_under_a_run(tmp_path, version)
    try:
        scene.go_on()
        who.hear("Live: staging")
        assert (tmp_path / "scene" / "scripts" / "marks").read_text("utf-8").count("\n") == 1
        assert len([view for view in who.messages() if "Live: staging" in text_of(view)]) == 1
        scene.check()
    finally:
        scene.close()
