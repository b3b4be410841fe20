"""Goal: the audit log is read, searched and exported; an auditor verifies the folder with sha256sum, jq and a shell
alone, and jq and the server agree on each line of the second version, whatever stands in it."""
# SPDX-License-Identifier: ISC
# pylint: disable=redefined-outer-name
import contextlib
import csv
import hashlib
import json
import pathlib
import random
import re
import sqlite3
import subprocess

import pytest

from stage import Deploybot
from test_ops_audit import copy, told, verify  # noqa: F401 pylint: disable=unused-import

COLUMNS = ("seq", "at", "user_id", "action", "environment", "commit_id", "outcome", "severity", "deployment", "meta",
           "prev", "hash", "version", "code", "principal", "violation_type", "application", "need", "factor")
CORE = ("environment", "commit", "deployment", "application", "need", "principal")
HOSTILE = ["\x7f", "\u2028", "\u2029", "\u202e", "\u2066", "\u009b", "", "\x01", "\x1f", "\b\f\n\r\t",
           "\"", "\\", "\\u0041", "/", "<>&", "'", "é", "漢", "😀", "\ufffe", "\uffff", "\U0010ffff", "\ufeff",
           ",\"hash\":\"", "$(id)", "=1+1", "x" * 600, "%s", "\u00a0", "\ud7ff", "\ue000"]


def escaped(text):
    """As the server writes a string: ASCII, DEL escaped too."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def jq(line, *arguments):
    return subprocess.run(["jq", *arguments], input=line, capture_output=True, check=True).stdout


def sha(data):
    return subprocess.run(["sha256sum"], input=data, capture_output=True, check=True).stdout.split()[0].decode()


def first_version(seq, prev, outcome):
    """A row and a line, as CHANGES of 0.1.0 described them."""
    bare = (f'{{"timestamp":"2026-11-20T00:00:00.{seq:03d}Z","seq":{seq},"user_id":"telegram:1","action":"denied",'
            f'"environment":null,"commit":null,"outcome":{escaped(outcome)},"severity":"warning","deployment":null')
    body = (bare + "}").encode()
    digest = hashlib.sha256(bytes.fromhex(prev) + len(body).to_bytes(8, "big") + body).hexdigest()
    row = (seq, 1795132800000 + seq, "telegram:1", "denied", None, None, outcome, "warning", 0, "{}",
           bytes.fromhex(prev), bytes.fromhex(digest), 1, "", "", None, None, None, None)
    return row, f'{bare},"prev":"{prev}","hash":"{digest}"}}\n', digest


def second_version(seq, prev, outcome, meta):
    """The hash is jq's word alone."""
    fields = {"action": "denied", "code": "denied", "commit": None, "deployment": None, "environment": "shop/staging",
              "application": "shop", "outcome": outcome, "prev": prev, "principal": "telegram", "seq": seq,
              "severity": "medium", "timestamp": f"2026-11-20T00:00:00.{seq:03}Z", "user_id": "telegram:1",
              "version": 2, "violation_type": "unauthorized", **meta}

    def line():
        return "{" + ",".join(f'"{key}":{escaped(fields[key])}' for key in sorted(fields)) + "}\n"
    fields["hash"] = sha(jq(line().encode(), "-cS", "del(.hash)"))
    rest = {key: value for key, value in meta.items() if key not in CORE}
    row = (seq, 1795132800000 + seq, "telegram:1", "denied", fields["environment"], fields["commit"], outcome, "medium",
           fields["deployment"] or 0, "{" + ",".join(f'"{key}":{escaped(rest[key])}' for key in rest) + "}",
           bytes.fromhex(prev), bytes.fromhex(fields["hash"]), 2, "denied", fields["principal"], "unauthorized",
           fields["application"], fields.get("need"), None)
    return row, line(), fields["hash"]


def write_chain(bot, made):
    """Rows and lines of (version, outcome, meta) in the place of what was there."""
    rows, lines, prev = [], [], "0" * 64
    for seq, (version, outcome, meta) in enumerate(made, 1):
        row, line, prev = (first_version(seq, prev, outcome) if version == 1 else
                           second_version(seq, prev, outcome, meta))
        rows.append(row)
        lines.append(line)
    with contextlib.closing(sqlite3.connect(pathlib.Path(bot.settings["STATE_DIRECTORY"]) / "deploybot.db")) as db:
        db.execute("DELETE FROM audit")
        db.execute("UPDATE message SET audit_head = ''")
        for named in ("witness", "audit_line", "audit_end"):      # what was there is missed by none of them
            db.execute(f"DELETE FROM {named}")
        db.executemany(f"INSERT INTO audit ({','.join(COLUMNS)}) VALUES ({','.join('?' * len(COLUMNS))})", rows)
        db.commit()
    bot.audit.write_text("".join(lines), encoding="ascii")
    return lines


def say(bot, *arguments, status=0):
    done = bot.run("audit", *arguments)
    assert done.returncode == status, done
    return done.stdout if status == 0 else done.stderr


def run_verify(folder):
    return subprocess.run([str(folder / "verify.sh")], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin"})


@pytest.mark.long
def test_jq_and_the_server_agree_on_hostile_strings(copy, tmp_path):  # noqa: F811
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    made = [(2, text, {"reason": text + "x" + text}) for text in HOSTILE]
    for _ in range(40):
        made.append((2, "".join(dice.choices(HOSTILE, k=3)),
                     {f"key_{n}": "".join(dice.choices(HOSTILE[:-11], k=5)) for n in range(dice.randrange(4))}))
    made[0:0] = [(1, text, {}) for text in HOSTILE[:9]]     # it begins in the first version, and changes in the middle
    lines = write_chain(copy, made)
    print("seed", seed)
    verify(copy, 0, f"ok: {len(lines)} entries")
    assert say(copy, "tail", "-n", "1000", "--format", "json") == "".join(lines)
    folder = tmp_path / "for-the-auditor"
    say(copy, "export", str(folder))
    done = run_verify(folder)
    assert done.returncode == 0, done
    assert f"ok: {len(lines)} entries" in done.stdout


@pytest.mark.long
def test_any_byte_line_or_cut_of_a_chain_of_both_versions_is_noticed(copy):  # noqa: F811
    """By verify, with the rows beside it, at places that a seed draws; test_audit_chain takes every byte and bit."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    lines = write_chain(copy, [(1, "a", {}), (1, "b", {}), (2, "c", {"reason": "é\x7f"}), (2, "d", {}), (2, "e", {})])
    text = "".join(lines)
    wrong = [text[:at] + ("0" if text[at:at + 1] != "0" else "1") + text[at + 1:]
             for at in dice.sample(range(len(text)), 25)]
    wrong += [text[:at] for at in dice.sample(range(len(text)), 10)]
    wrong += ["".join(lines[:n] + lines[n + 1:]) for n in range(5)]
    wrong += ["".join(lines[:n] + [lines[n + 1], lines[n]] + lines[n + 2:]) for n in range(4)]
    wrong += ["".join(lines[:n] + [lines[n]] + lines[n:]) for n in range(5)]
    for seq, prev in ((2, 0), (4, 2)):      # one line forged, with a hash of its own that is right
        before = json.loads(lines[prev])["hash"]
        forged = first_version(seq, before, "z")[1] if seq == 2 else second_version(seq, before, "z", {})[1]
        wrong.append("".join(lines[:seq - 1] + [forged] + lines[seq:]))
    for content in wrong:
        copy.audit.write_text(content, encoding="ascii")
        done = copy.run("audit", "verify")
        assert done.returncode == 1 and "error" in done.stderr, (content, done)


@pytest.fixture(name="folder")
def fixture_folder(copy, tmp_path):  # noqa: F811
    write_chain(copy, [(1, "a", {}), (1, "b", {}), (2, "c", {"reason": "é\x7f"}), (2, "d", {}), (2, "e", {})])
    path = tmp_path / "audit-2026"
    say(copy, "export", str(path))
    return path


def test_the_readme_s_commands_verify_the_folder(folder):
    """With sha256sum and jq alone, as README.txt says."""
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    readme = (folder / "README.txt").read_text("utf-8")
    block = [line.strip() for line in readme.splitlines() if line.strip().startswith("sed -n 1p")]
    assert len(block) == 3
    lines = (folder / "entries.jsonl").read_text("ascii").splitlines()
    for number in (3, 4, 5):
        hashed, told, line = [subprocess.run(["bash", "-c", command.replace("1p", f"{number}p")], cwd=folder, text=True,
                                             check=True, capture_output=True).stdout.strip() for command in block]
        assert hashed.split()[0] == told and line == lines[number - 1]
    assert run_verify(folder).returncode == 0


@pytest.mark.parametrize("change", ["byte", "removed", "sums", "twice", *(
    pytest.param(change, marks=pytest.mark.long) for change in ("swapped", "doubled", "behind"))])
def test_a_folder_that_was_changed_does_not_verify(folder, change):
    path = folder / "entries.jsonl"
    lines = path.read_text("ascii").splitlines(keepends=True)
    if change in ("byte", "sums"):
        lines[3] = lines[3].replace('"outcome":"d"', '"outcome":"x"')
    elif change == "removed":
        del lines[2]
    elif change == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    elif change == "behind":    # of a line of the first version the hash covers what is before prev
        lines[0] = lines[0].replace('"}\n', '","code":"x"}\n')
    elif change == "twice":
        lines[0] = lines[0].replace("{", '{"hash":"0123456789abcdef",', 1)
    else:
        lines.insert(2, lines[2])
    path.write_text("".join(lines), encoding="ascii")
    if change != "byte":        # whoever changes the file changes its sum, too
        sums = [line if not line.endswith(" entries.jsonl\n") else f"{sha(path.read_bytes())}  entries.jsonl\n"
                for line in (folder / "SHA256SUMS").read_text("ascii").splitlines(keepends=True)]
        (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
    assert run_verify(folder).returncode != 0


def test_entries_are_searched_by_all_that_an_auditor_asks_for(copy):  # noqa: F811
    write_chain(copy, [(1, "a", {}), (2, "b", {"reason": "twice"}), (2, "\x1b[2Jc\u202e", {"principal": "local:ada"})])

    def found(*arguments):
        return [json.loads(line)["seq"] for line in say(copy, "search", "--format", "json", *arguments).splitlines()]
    assert found() == [1, 2, 3]
    assert found("--app", "shop") == [2, 3]
    assert "names the application sho: is that" in say(copy, "search", "--app", "sho", status=1)
    assert "names the environment production" in say(copy, "search", "--environment", "production", status=1)
    assert found("--environment", "staging") == found("--environment", "shop/staging") == [2, 3]
    assert found("--deployment", "7") == []
    assert found("--person", "1") == found("--person", "telegram:1") == [1, 2, 3]
    assert found("--person", "local:ada") == [3] and found("--person", "telegram") == found("--person", "2") == []
    assert found("--severity", "medium") == [1, 2, 3], "warning of the first version is medium"
    assert found("--severity", "high") == []
    assert found("--code", "denied") == [1, 2, 3]
    assert found("--from", "2026-11-20", "--to", "2026-11-20") == [1, 2, 3]
    assert found("--from", "2026-11-21") == found("--to", "2026-11-19") == []
    assert found("-n", "2") == [1, 2]
    text = say(copy, "search")
    assert "\x1b" not in text and "\u202e" not in text, "nothing moves a terminal's cursor"
    assert "2 2026-11-20T00:00:00.002Z medium   denied shop/staging: b, telegram:1: twice\n" in text
    assert "reason          twice" in say(copy, "show", "2")
    assert "no entry 9" in say(copy, "show", "9", status=1)
    done = copy.run("audit", "search", "--severity", "critical")
    assert (done.returncode, done.stderr) == (0, "note: none of the log's 3 entries is like that\n")


def test_what_concerns_an_application_is_found_wherever_an_entry_says_so(copy):  # noqa: F811
    """A freeze of all, a webhook's refusal without an environment, settings of its file; and who approved what."""
    write_chain(copy, [(2, "a", {"application": "*", "environment": "*/*"}),
                       (2, "b", {"application": "shop", "environment": None}),
                       (2, "c", {"application": None, "environment": None, "applications": "cider, shop"}),
                       (2, "d", {"application": "web", "environment": "web/production"}),
                       (2, "e", {"application": "shop", "environment": "shop/production", "deployment": 5,
                                 "commit": "fddeaa3" + 33 * "0", "need": "approval"}),
                       (2, "f", {"application": None, "environment": None, "changed": "ADMIN_TELEGRAM_IDS", "was": "1",
                                 "is": "1,666"})])

    def found(*arguments):
        return [json.loads(line)["seq"] for line in say(copy, "search", "--format", "json", *arguments).splitlines()]
    assert found("--app", "shop") == [1, 2, 3, 5]
    assert found("--app", "web") == [1, 4]
    assert found("--environment", "production") == [1, 4, 5]
    assert found("--environment", "shop/production") == [1, 5]
    assert found("--deployment", "5") == [5]
    say(copy, "search", "--app", "nosuch", status=1)
    text = say(copy, "search")
    assert " denied shop/production #5 fddeaa3: e, telegram:1, approval\n" in text
    assert " denied shop: b, telegram:1\n" in text
    assert " denied: f, telegram:1, changed ADMIN_TELEGRAM_IDS, was 1, is 1,666\n" in text


@pytest.mark.parametrize("arguments, words", [
    (["search", "--from", "yesterday"], "expected 2026-11-20"),
    (["search", "--from", "2026-13-01"], "expected 2026-11-20"),
    (["search", "--from", "2026-02-31"], "expected 2026-11-20"),
    (["search", "--from", "2026-11-24", "--to", "2026-11-20"], "--from is not before --to"),
    (["search", "--code", "deploy_aproval"], "(deploy_approval?)"),
    (["search", "--person", "root"], "expected telegram:42"),
    (["search", "--person", "telegramm:4"], "expected telegram:42"),
    (["search", "--environment", "a/b/c"], "expected an environment"),
    (["search", "--deployment", "five"], "expected the number of a deployment"),
    (["search", "--anyway"], "search takes no --anyway"),
    (["search", "--severity", "bad"], "expected info, low"),
    (["search", "--app", "../x"], "expected the name"),
    (["search", "--format", "xml"], "expected text, json or csv"),
    (["search", "-n", "0"], "expected a number"),
    (["search", "--from"], "--from needs 2026-11-20 or 2026-11-20T07:10:48Z, UTC"),
    (["tail", "--app", "shop"], "tail takes no --app"),
    (["show", "x"], "expected the number"),
    (["export"], "expected a new folder"),
    (["export", "x", "--format", "csv"], "export takes no --format"),
    (["nonsense"], "Usage:"),
    ([], "Usage:"),
])
def test_what_is_mistyped_is_said(copy, arguments, words):  # noqa: F811
    assert words in say(copy, *arguments, status=64)


def alone(copy, folder, *arguments, status=0):
    """Typed where there are no settings."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run([str(copy.build / "deploybot"), "audit", *map(str, arguments)], cwd=folder,
                          capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == status, done
    return done.stdout + done.stderr


def test_a_copy_of_the_database_or_of_the_log_is_read_without_settings_and_nothing_is_written(
        copy, tmp_path):  # noqa: F811
    lines = write_chain(copy, [(2, "a", {}), (2, "b", {}), (2, "c", {})])
    taken, here = tmp_path / "taken%3F#?", tmp_path / "desk"
    taken.mkdir()
    database, log = taken / "copy.db", taken / "audit.log"
    with contextlib.closing(sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db")) as db:
        db.execute("VACUUM INTO ?", (str(database),))
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    (taken / "audit.log.1").write_text("".join(lines[:2]), "ascii")
    log.write_text(lines[2], "ascii")
    before = {path.name: path.read_bytes() for path in taken.iterdir()}
    lacks = (f"note: {database} was copied without its -wal: the newest entries may be missing in it; "
             "`deploybot backup FILE` makes a whole copy\n")
    for source, note in ((("--database", database), lacks), (("--log", log), "")):
        assert alone(copy, here, "search", "--format", "json", *source) == "".join(lines) + note
        assert alone(copy, here, "tail", "-n", "1", "--format", "json", *source) == lines[2] + note
        assert re.search(r"(?m)^outcome +b$", alone(copy, here, "show", "2", *source))
        assert "none of the log's 3 entries" in alone(copy, here, "search", "--deployment", "7", *source)
        assert "error" in alone(copy, here, "show", "4", *source, status=1)
        assert "ok: 3 entries in" in alone(copy, here, "export", here / source[0].strip("-"), *source)
        assert run_verify(here / source[0].strip("-")).returncode == 0
    assert "ok: 3 entries in" in alone(copy, here, "export", here / "both", "--database", database, "--log", log)
    head = json.loads(lines[1])["hash"][:16]
    said = alone(copy, here, "verify", "--database", database, head)
    assert "no log was named" in said and f"ok: {head} is entry 2" in said and "ok: 3 entries in the database" in said
    assert "no log was named" not in alone(copy, here, "verify", log, "--database", database)
    assert {path.name: path.read_bytes() for path in taken.iterdir()} == before
    log.unlink()
    assert alone(copy, here, "tail", "-n", "1", "--format", "json", "--log", log) == lines[1], "closed files alone"
    (taken / "audit.log.1").write_text(lines[0], "ascii")
    assert "entries are not in" in alone(copy, here, "verify", log, "--database", database, status=1)


@pytest.mark.parametrize("arguments, status, words", [
    (["search", "--database", "x.db", "--log", "audit.log"], 64, "one of both"),
    (["search", "--database"], 64, "--database needs a file"),
    (["search", "--log", "a", "--log", "b"], 64, "--log: one at a time"),
    (["tail", "--log", "nowhere"], 66, "there is no such file: nowhere"),
    (["verify", "./nowhere"], 66, "there is no such file: ./nowhere"),
    (["verify", "nowhere"], 64, "there is no such file, and these are not the 16 hexadecimal digits"),
    (["tail", "--log", "/dev/null"], 64, "it is no file: /dev/null"),
    (["tail", "--database", "nowhere.db"], 66, "there is no database nowhere.db"),
    (["verify", "--log", "audit.log"], 64, "stands by itself"),
    (["verify", "--database", "x.db", "--against", "witness"], 64, "name its path, too"),
    (["verify", "."], 64, ". is a folder: name the log in it"),
    (["verify", "audit.log.17"], 64, "name the log, audit.log, and all its files are read"),
    (["verify", "--agaist", "x"], 64, 'there is no option "--agaist"; did you mean "--against"?'),
    (["verify", "--help"], 0, "--database FILE"),
    (["verify", "--database", "x.db", "--bot", "5"], 64, "and --against names none"),
    (["verify", "--database", "x.db", "--tsa-ca", "nowhere.pem"], 64, "a file (PEM) that can be read: nowhere.pem"),
    (["verify", "--database", "x.db", "--tsa-ca", "audit.log.17"], 64, "timestamps stand beside a log"),
    (["verify", "audit.log", "--tsa-ca", "audit.log.17"], 64, "no timestamp stands beside the log: audit.log"),
    (["verify", "audit.log", "--against", "36fec2005dd1a0b4", "--bot", "5"], 64, "--against names no export of a chat"),
    (["verify", "audit.log", "--bot", "ada"], 64, "--bot ada: expected the bot's id, as 123456789"),
    (["verify", "audit.log", "--env-file", "audit.log.17"], 64, "beside --database or a log's path"),
])
def test_what_is_named_for_settings_that_are_not_there_is_said(copy, tmp_path, arguments, status, words):  # noqa: F811
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "audit.log.17").write_text("", "ascii")
    assert words in alone(copy, tmp_path / "desk", *arguments, status=status)


def test_help_says_the_options_of_each_kind(copy, tmp_path):  # noqa: F811
    for words in (["help", "audit"], ["help", "audit", "verify"], ["audit", "--help"]):
        done = subprocess.run([str(copy.build / "deploybot"), *words], cwd=tmp_path, capture_output=True, text=True,
                              check=True)
        said = done.stdout.replace(str(copy.build / "deploybot"), "deploybot")
        assert "\n  --database FILE " in said and max(map(len, said.splitlines())) <= 100


def test_a_spreadsheet_takes_nothing_for_a_formula(copy):  # noqa: F811
    write_chain(copy, [(2, text, {}) for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a\"b,\nc",
                                                  "\x1b[2J\x07\u202eplain")])
    rows = list(csv.reader(say(copy, "tail", "--format", "csv").splitlines(keepends=True)))
    outcome = rows[0].index("outcome")
    cells = [row[outcome] for row in rows[1:] if len(row) == len(rows[0])]
    assert cells == ["'=1+1", "'+1", "'-1", "'@x", "'=1", "'=1", "a\"b, c", "[2Jplain"], "a line each, without controls"
    assert not any(cell[:1] in tuple("=+-@\t\r") for row in rows for cell in row if cell)


def test_an_export_is_never_made_over_another(copy, folder):  # noqa: F811
    again = copy.run("audit", "export", str(folder))
    assert again.returncode == 64 and "File exists" in again.stderr


def test_an_application_alone_is_exported_and_verifies_with_its_gaps(copy, tmp_path):  # noqa: F811
    write_chain(copy, [(2, "a", {}), (1, "b", {}), (2, "c", {})][:1] + [(2, "d", {})])
    say(copy, "export", str(tmp_path / "one"), "--app", "shop")
    assert run_verify(tmp_path / "one").returncode == 0
    assert "names the application web" in say(copy, "export", str(tmp_path / "none"), "--app", "web", status=1)
    assert not (tmp_path / "none").exists(), "a folder of nothing proves nothing, and looks green"


def test_what_does_not_verify_is_not_exported_unless_somebody_says_so(copy, tmp_path):  # noqa: F811
    """Rows that were cut off: by itself the folder would be sound."""
    lines = write_chain(copy, [(2, "a", {}), (2, "b", {}), (2, "c", {})])
    with contextlib.closing(sqlite3.connect(pathlib.Path(copy.settings["STATE_DIRECTORY"]) / "deploybot.db")) as db:
        db.execute("DELETE FROM audit WHERE seq > 2")
        db.commit()
    assert "nothing was exported; --anyway" in say(copy, "export", str(tmp_path / "no"), status=1)
    assert not (tmp_path / "no").exists()
    say(copy, "export", str(tmp_path / "yes"), "--anyway", status=1)
    assert (tmp_path / "yes" / "README.txt").read_text("utf-8").startswith("NOT VERIFIED")
    done = run_verify(tmp_path / "yes")
    assert done.returncode == 1 and "exported with --anyway: the log did not verify then" in done.stderr
    assert "what came behind entry 2 this folder does not show" in done.stdout and "ok:" not in done.stdout
    for digits, words in ((json.loads(lines[1])["hash"][:16], "is entry 2"),
                          (json.loads(lines[2])["hash"][:16], "is no entry of this folder"), ("-x", "usage: ")):
        done = subprocess.run([str(tmp_path / "yes" / "verify.sh"), digits], capture_output=True, text=True,
                              check=False, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 1 and words in done.stdout + done.stderr, done


def test_the_server_s_own_entries_verify_by_jq_and_name_nobody(told, tmp_path):  # noqa: F811
    scene = told[0]
    bot = Deploybot(tmp_path, {**scene.bot.settings})
    assert bot.run("audit", "export", str(tmp_path / "all")).returncode == 0
    assert run_verify(tmp_path / "all").returncode == 0
    entries = (tmp_path / "all" / "entries.jsonl").read_text("ascii")
    assert "mallory" not in entries.lower()
    security = [entry for entry in map(json.loads, entries.splitlines()) if entry.get("violation_type")]
    assert security and all(entry["user_id"] for entry in security)
    log = (scene.folder / "deploybot.log").read_text("utf-8")
    for entry in security:
        assert f"security violation_type={entry['violation_type']} user_id={entry['user_id']} " in log


def test_the_manual_has_each_code_with_its_severity_and_violation():
    top = pathlib.Path(__file__).resolve().parents[2]
    text = (top / "server/types/audit_code.h").read_text("utf-8").replace("\\\n", " ")
    rows = re.findall(r'CODE\(\s*\w+,\s*"(\w+)",\s*"(\w+)",\s*(\w+),\s*(NULL|"\w+"),\s*(?:NULL|"\w+")\)', text)
    assert len(rows) == text[text.index("AUDIT_CODES(CODE)"):text.index("enum audit_severity {")].count("CODE(")
    server = "".join(path.read_text("utf-8") for path in (top / "server").rglob("*.c"))
    # Why an archive is refused comes from the unpacker as a word, which is looked up among the violations.
    whys = set(re.findall(r'W\([A-Z]+, "(\w+)"\)', (top / "runner/unpack_name.h").read_text("utf-8")))
    assert len(whys) == 6 and "audit_code_rows[code].violation" in server
    unwritten = [row[0] for row in rows if row[3].strip('"') not in whys
                 and not re.search(rf"\bAUDIT_CODE_{row[0].upper()}\b", server)]
    assert unwritten == []
    manual = (top / "docs/audit.md").read_text("utf-8")
    said = {}
    for line in re.findall(r"(?m)^\| (?:info|low|medium|high|critical) \|.*$", manual[manual.index("## Codes"):]):
        severity, violation, codes = (cell.strip() for cell in line.strip("|").split("|"))
        for code, action in re.findall(r"`(\w+)`(?: \(`(\w+)`\))?", codes):
            assert code not in said, code
            said[code] = (action or code, severity, violation.strip("`") or None)
    assert said == {code: (action, severity.lower(), None if violation == "NULL" else violation.strip('"'))
                    for code, action, severity, violation in rows}
