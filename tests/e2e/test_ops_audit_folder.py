"""Goal: an auditor's folder says what stands at its ends, and what is outside (a timestamp, the witness, the chat)
shows whether that is so; nothing of deploybot is needed for it."""
# SPDX-License-Identifier: ISC
import csv
import datetime
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from audit_chain_aid import PROGRAM, chained, entries, hash_of, head_of, objects
from peers.tsa import Tsa
from stage import ROOT

PERIOD = ("--from", "2026-11-02", "--to", "2026-11-03")       # entries 9 to 24 of 40


@pytest.fixture(name="tsa", scope="module")
def _tsa(tmp_path_factory):
    tsa = Tsa(tmp_path_factory.mktemp("tsa"))
    yield tsa
    tsa.close()


@pytest.fixture(name="lines")
def _lines():
    return chained(entries(40))


@pytest.fixture(name="log")
def _log(tmp_path, lines, tsa):
    log = tmp_path / "audit.log"
    log.write_text("".join(lines), "ascii")
    for last, day in ((7, "2026-11-01"), (15, "2026-11-02"), (23, "2026-11-03"), (31, "2026-11-04")):
        (tmp_path / f"audit.log.{day}.tsr").write_bytes(
            tsa.authority.reply(tsa.authority.query(json.loads(lines[last])["hash"])))
    return log


@pytest.fixture(name="witness")
def _witness(tmp_path, lines):
    write_witness(tmp_path / "witness", lines)
    return tmp_path / "witness"


def write_witness(folder, lines):
    for name, content in objects(lines):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def export(log, *arguments):
    folder = log.parent / "folder"
    subprocess.run([PROGRAM, "audit", "export", folder, "--log", log, *arguments], cwd=log.parent, capture_output=True,
                   check=True, env={"PATH": "/usr/bin:/bin"})
    return folder


def verify(folder, *arguments, status=0):
    done = subprocess.run([folder / "verify.sh", *arguments], cwd=folder.parent, capture_output=True, text=True,
                          check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == status, done
    return done.stdout + done.stderr


def forge(folder, change, asked=None):
    """As whoever makes the folder could: its sums fit."""
    if asked is not None:
        was = json.loads((folder / "asked.json").read_text("ascii"))
        (folder / "asked.json").write_text(json.dumps({**was, **asked}, sort_keys=True, separators=(",", ":")) + "\n",
                                           "ascii")
    path = folder / "entries.jsonl"
    path.write_text("".join(change(path.read_text("ascii").splitlines(keepends=True))), "ascii")
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, text=True, check=True).stdout
    (folder / "SHA256SUMS").write_text(sums, "ascii")


def test_a_periods_folder_has_its_timestamps_and_nothing_of_what_happened_outside(log, lines, tsa):
    folder = export(log, *PERIOD)
    assert (folder / "entries.jsonl").read_text("ascii") == "".join(lines[8:24])
    assert sorted(path.name for path in folder.iterdir()) == [
        "2026-11-02.tsr", "2026-11-03.tsr", "README.txt", "SHA256SUMS", "asked.json", "entries.jsonl", "verify.sh"]
    for digits in ("0123456789abcdef", head_of(lines[39])):
        assert f"{digits} is no entry of this folder: if a message of its time" in verify(folder, digits, status=1)
    said = verify(folder, head_of(lines[20]))
    for words in (f"begins behind entry 8, head {head_of(lines[7])}",
                  "note: 2026-11-02.tsr has the hash of entry 16 in it;",
                  "note: 2026-11-03.tsr has the hash of entry 24 in it;",
                  "is entry 21", "own word the log's newest entry was 40 then"):
        assert words in said
    digest = json.loads(lines[15])["hash"]
    subprocess.run(["openssl", "ts", "-verify", "-in", "2026-11-02.tsr", "-CAfile", tsa.ca_file, "-digest", digest],
                   cwd=folder, capture_output=True, check=True)


@pytest.mark.long
def test_who_signed_a_timestamp_is_what_openssl_says(log, lines, tsa, tmp_path):
    """Anybody can write an entry's hash into a file."""
    folder = export(log, *PERIOD)
    said = verify(folder, "--tsa-ca", tsa.ca_file)
    for day, entry in ((2, 16), (3, 24)):
        assert re.search(rf"2026-11-0{day}.tsr was signed under \S+ at [A-Z][a-z]+ [0-9: ]+ GMT.* entry {entry} ", said)
    digest = json.loads(lines[23])["hash"]
    for forged in (bytes.fromhex(digest), tsa.stranger.reply(tsa.stranger.query(digest))):
        (folder / "2026-11-03.tsr").write_bytes(forged)
        forge(folder, lambda them: them)
        assert "note: 2026-11-03.tsr has the hash of entry 24 in it" in verify(folder)
        assert f"2026-11-03.tsr is not signed under {tsa.ca_file}" in verify(folder, "--tsa-ca", tsa.ca_file, status=1)
    for stamp in folder.glob("*.tsr"):
        stamp.unlink()
    forge(folder, lambda them: them)
    assert "no timestamp is here" in verify(folder, "--tsa-ca", tsa.ca_file, status=1)
    assert "usage: verify.sh" in verify(folder, "--tsa-ca", tmp_path, status=1)


def test_the_end_of_the_whole_log_cannot_be_cut_off_in_silence(log):
    folder = export(log)
    forge(folder, lambda them: them[:-1])
    assert "entries 40 to 40 were asked for and are not here" in verify(folder, status=1)


def hashed(line, **change):
    """That line changed, with a hash that is right."""
    entry = {**json.loads(line), **change}
    return json.dumps({**entry, "hash": hash_of(entry)}, sort_keys=True, separators=(",", ":")) + "\n"


COMMAND = "n[$(touch pwned)0]"


@pytest.mark.parametrize("change", [{"seq": COMMAND}, *(
    pytest.param({name: COMMAND}, marks=pytest.mark.long) for name in ("version", "prev"))])
def test_what_an_entry_says_is_no_command_for_whoever_verifies_it(log, change):
    folder = export(log, *PERIOD)
    forge(folder, lambda them: them[:-1] + [hashed(them[-1], **change)])
    assert "line 16 is no entry" in verify(folder, status=1)
    assert not list(log.parent.rglob("pwned"))


@pytest.mark.long
def test_a_witness_says_numbers_and_nothing_for_the_terminal(log, lines, tmp_path):
    folder = export(log, *PERIOD)
    for line, words in ((hashed(lines[30], seq=COMMAND), "a line is no entry"),
                        (lines[30].replace("denied", "\x1b[2J"), "printable ASCII alone")):
        write_witness(tmp_path / "other", lines[:30] + [line] + lines[31:])
        assert words in verify(folder, "other", status=1)
    assert not list(log.parent.rglob("pwned"))


FORGED_LINES = [
    lambda line: line.replace('{', '{"user_id":"telegram:666",', 1),         # the last of two is what counts
    lambda line: line.replace('{', '{"hash":"44bdff81a266224e",', 1),
    lambda line: line.replace('"code"', '"co\\u0064e"'),
    lambda line: line.replace(',"code"', ', "code"')]


@pytest.mark.parametrize("change", FORGED_LINES)
def test_a_line_that_hashes_as_another_is_read_is_no_entry(log, change):
    folder = export(log, *PERIOD)
    forge(folder, lambda them: them[:3] + [change(them[3])] + them[4:])
    assert "line 4 is not as deploybot writes it" in verify(folder, status=1)


def test_a_line_without_its_end_is_no_place_for_what_jq_alone_reads(log, lines, tsa, tmp_path):
    """The heads and the stamp of a log that is not here would be found in it."""
    folder = export(log, *PERIOD)
    real = [{key: json.loads(line)[key] for key in ("hash", "seq", "timestamp")} for line in lines[:24]]
    for extra in ([real[23]], real):
        forge(folder, lambda them, extra=extra: them[:16] + ["".join(json.dumps(entry) for entry in extra)])
        assert "entries.jsonl: its last line has no end" in \
            verify(folder, real[20]["hash"][:16], "--tsa-ca", tsa.ca_file, status=1)
    forge(folder, lambda them: them[:16])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / f"1-40-{head_of(lines[39])}.jsonl").write_text("".join(lines)[:-1], "ascii")
    assert "/other: its last line has no end" in verify(folder, "other", status=1)


def cut_off(folder):
    """Two lines less, as if they had been the log's newest: by itself such a folder is sound."""
    forge(folder, lambda them: them[:-2], {"at": "2026-11-06T00:00:00.000Z", "newest": 22})


def test_a_timestamp_shows_that_its_day_went_on(log):
    folder = export(log, *PERIOD)
    cut_off(folder)
    assert "2026-11-03.tsr is of another entry than 22" in verify(folder, status=1)
    (folder / "2026-11-03.tsr").unlink()
    forge(folder, lambda them: them)
    assert "ok: 14 entries" in verify(folder), "only what is outside shows it then"


@pytest.mark.long
def test_a_day_that_goes_on_behind_the_period_is_said(log):
    folder = export(log, "--from", "2026-11-02", "--to", "2026-11-03T07:20:00Z")
    assert "2026-11-03.tsr is of an entry that is not here: of that day only what was until 2026-11-03T07:20" in \
        verify(folder)


@pytest.mark.long
def test_the_witness_shows_what_the_folder_leaves_out_and_where_it_ends(log, witness):
    folder = export(log, *PERIOD)
    said = verify(folder, witness)
    assert "ok: 16 entries are as the witness has them" in said
    assert "has entry 8, before line 1, of 2026-11-01T" in said
    assert "has entry 25, behind the last line, of 2026-11-04T" in said
    cut_off(folder)
    (folder / "2026-11-03.tsr").unlink()
    forge(folder, lambda them: them)
    assert "has entry 24, of 2026-11-03T07:23:48.123Z, which was asked for and is not here" in \
        verify(folder, "witness", status=1)


def test_an_end_is_not_cut_where_the_witness_lacks_what_stood_behind_it(log, witness):
    folder = export(log, *PERIOD)
    next(witness.rglob("21-25-*")).unlink()
    said = verify(folder, witness)
    assert "has entry 26, behind the last line, of 2026-11-04T07:25:48.123Z; it lacks 25 to 25, and" in said
    cut_off(folder)
    (folder / "2026-11-03.tsr").unlink()
    forge(folder, lambda them: them)
    assert "has entry 26, of 2026-11-04T07:25:48.123Z; by this folder the newest was 22" in \
        verify(folder, witness, status=1)


@pytest.mark.long
def test_what_came_behind_the_export_is_no_fault(log, lines, witness):
    log.write_text("".join(lines[:37]), "ascii")
    folder = export(log, "--from", "2026-11-05")
    forge(folder, lambda them: them, {"at": json.loads(lines[37])["timestamp"]})
    assert "has entries up to 40, of 2026-11-05T07:39:48.123Z; by this folder the newest of the log was 37" in \
        verify(folder, witness)


@pytest.mark.long
def test_a_folder_says_what_was_asked_for(log):
    folder = export(log, "--environment", "staging", *PERIOD)
    asked = json.loads((folder / "asked.json").read_text("ascii"))
    assert {key: asked[key] for key in asked if key not in ("at", "version")} == {
        "application": None, "deployment": None, "environment": "staging", "from": "2026-11-02T00:00:00.000Z",
        "newest": 40, "source": "log", "to": "2026-11-04T00:00:00.000Z", "verified": "yes"}
    said = verify(folder)
    for words in ("asked for: from 2026-11-02T00:00:00.000Z until 2026-11-04T00:00:00.000Z, environment staging; ",
                  f"by deploybot {asked['version']}", "note: a part alone", "note: made of the log's files alone"):
        assert words in said


@pytest.mark.parametrize("asked, words", [
    ({"from": None}, "entries 1 to 8 were asked for and are not here"),
    pytest.param({"to": None}, "entries 25 to 40 were asked for and are not here", marks=pytest.mark.long),
    pytest.param({"newest": 23}, "the log's newest entry was 23, and 24 is here", marks=pytest.mark.long),
    pytest.param({"newest": COMMAND}, "asked.json is not as deploybot writes it", marks=pytest.mark.long),
    ({"to": "2026-11-03T00:00:00.000Z"}, "entry 24 is none of what was asked for"),
    pytest.param({"environment": "production"}, "entry 9 is none of what was asked for", marks=pytest.mark.long),
    ({"application": "a[$(touch pwned)0]\u001b[2J"}, "asked.json is not as deploybot writes it"),
    pytest.param({"deployment": COMMAND}, "asked.json is not as deploybot writes it", marks=pytest.mark.long),
    ({"verified": "no"}, "exported with --anyway: the log did not verify then")])
def test_a_folder_of_something_else_than_was_asked_for_does_not_verify(log, asked, words):
    folder = export(log, *PERIOD)
    forge(folder, lambda them: them, asked)
    assert words in verify(folder, status=1)
    assert not list(log.parent.rglob("pwned"))


@pytest.mark.parametrize("period, numbers", [
    pytest.param(("--from", "2026-11-02"), range(9, 25),
                 marks=pytest.mark.long), pytest.param(("--to", "2026-11-01"), range(1, 11),
                                                           marks=pytest.mark.long),
    (("--from", "2026-11-02", "--to", "2026-11-02"), range(9, 17))])
def test_a_clock_that_was_set_back_leaves_no_hole_in_a_period(tmp_path, tsa, period, numbers):
    """Nobody has taken anything out, and the day's timestamp is of the last entry before it was another day."""
    them = entries(24)
    them[9]["timestamp"] = "2026-11-01T23:59:59.900Z"         # behind the first one of the next day
    lines = chained(them)
    log = tmp_path / "audit.log"
    log.write_text("".join(lines), "ascii")
    (tmp_path / "audit.log.2026-11-01.tsr").write_bytes(
        tsa.authority.reply(tsa.authority.query(json.loads(lines[7])["hash"])))
    write_witness(tmp_path / "witness", lines)
    folder = export(log, *period)
    made = (folder / "entries.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line)["seq"] for line in made] == [*numbers]
    assert f"ok: {len(numbers)} entries" in verify(folder, "witness") + verify(folder)


def test_the_manual_s_table_is_harmless_in_a_spreadsheet(log):
    """docs/audit.md: a row for each entry, whatever stands in one."""
    them = entries(4)
    them[1]["reason"], them[2]["reason"] = 'two\n"lines"', "=1+1"
    with_stamps(log, chained(them), None)
    folder = export(log)
    table, ends = re.search(r"(?ms)^    (jq -r '.*?entries\.csv)\n    (jq -s .*?)$",
                            (ROOT / "docs/audit.md").read_text("utf-8")).groups()
    subprocess.run(["bash", "-c", table], cwd=folder, check=True)
    rows = list(csv.reader((folder / "entries.csv").open(encoding="ascii", newline="")))
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert [row[-1] for row in rows[1:3]] == ['two\n"lines"', "'=1+1"]
    found = json.loads(subprocess.run(["bash", "-c", ends], cwd=folder, capture_output=True, check=True).stdout)
    assert (found["before"]["seq"], found["last"]["seq"]) == (1, 4)


def test_a_folder_of_an_older_version_verifies_and_what_is_not_compared_in_it_is_named(log, witness):
    folder = export(log, *PERIOD)
    for name in ("entries.csv", "edges.jsonl"):
        (folder / name).write_text("{}\n", "ascii")
    forge(folder, lambda them: them, {"newest": None})
    (folder / "names.csv").write_text('"telegram:42","ada"\n', "ascii")
    said = verify(folder, witness)
    for words in ("entries.csv is not compared with the entries", "edges.jsonl is not compared", "ok: 16 entries",
                  "names.csv is not in SHA256SUMS", "note: the witness has entry 25, behind the last line"):
        assert words in said


@pytest.mark.long
def test_a_verify_sh_of_ones_own_verifies_a_folder_whose_own_cannot_be_trusted(log, witness):
    folder = export(log, *PERIOD)
    own = log.parent / "own.sh"
    own.write_bytes((folder / "verify.sh").read_bytes())
    (folder / "verify.sh").write_text("#!/bin/bash\necho ok\n", "ascii")
    forge(folder, lambda them: them[:3] + [hashed(them[3], outcome="ok")] + them[4:])
    assert verify(folder) == "ok\n"
    for arguments in (("folder",), (witness, folder)):
        done = subprocess.run(["bash", own, *arguments], cwd=log.parent, capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/bin:/bin", "CDPATH": "/"})
        assert done.returncode == 1 and "line 5: entry 13 does not follow the one before it" in done.stderr, done


def test_what_somebody_put_beside_the_export_is_named(log):
    folder = export(log, *PERIOD)
    assert "is not in SHA256SUMS" not in verify(folder)
    (folder / "entries-2.jsonl").write_text("{}\n", "ascii")
    (folder / "a\x1b[2J").write_text("", "ascii")
    said = verify(folder)
    assert "note: entries-2.jsonl is not in SHA256SUMS: it is not of the export" in said
    assert "note: a?[2J is not in SHA256SUMS" in said


def test_the_manual_has_the_sum_of_verify_sh_which_is_one_text(log):
    digest = hashlib.sha256((export(log, *PERIOD) / "verify.sh").read_bytes()).hexdigest()
    assert digest in (ROOT / "docs" / "audit.md").read_text("utf-8")


@pytest.mark.long
@pytest.mark.parametrize("spoil, words", [
    (lambda lines: chained([{**json.loads(line), "user_id": "telegram:666"} for line in lines]),
     "entry 9 is not as the witness"),
    (lambda lines: lines[:5], "has none of these entries")])
def test_a_folder_of_another_log_than_the_witnesss_is_no_part_of_it(log, lines, tmp_path, spoil, words):
    write_witness(tmp_path / "other", spoil(lines))
    assert words in verify(export(log, *PERIOD), "other", status=1)


@pytest.mark.long
def test_a_folder_without_objects_is_no_witness(log, tmp_path):
    (tmp_path / "empty").mkdir()
    folder = export(log)
    assert "holds no object of a witness" in verify(folder, "empty", status=1)
    assert "usage: verify.sh" in verify(folder, "nowhere", status=1)


ABOUT = [{"environment": "staging"}, {"environment": "shop/staging"}, {"environment": "production"},
         {"application": "shop"}, {"application": "*", "environment": "*"}, {"applications": "cider, shop"},
         {"deployment": 7}, {"environment": "web/staging"}]


@pytest.mark.parametrize("asked", [("--environment", "staging"), ("--deployment", "7"), *(
    pytest.param(asked, marks=pytest.mark.long) for asked in (("--environment", "shop/staging"), ("--app", "shop")))])
def test_of_a_part_the_witness_shows_what_was_left_out_and_what_was_not_asked_for(tmp_path, log, asked):
    """verify.sh takes the same for that part as `audit export` does."""
    lines = chained([{**entry, "environment": None, **ABOUT[i % 8]} for i, entry in enumerate(entries(40))])
    log.write_text("".join(lines), "ascii")
    write_witness(tmp_path / "other", lines)
    for stamp in tmp_path.glob("*.tsr"):
        stamp.unlink()
    folder = export(log, *asked, *PERIOD)
    n = len((folder / "entries.jsonl").read_text("ascii").splitlines())
    assert f"ok: {n} entries are as the witness has them" in verify(folder, "other") and 0 < n < 16
    if n > 2:
        forge(folder, lambda them: them[:1] + them[2:])
        assert "note: a part alone" in verify(folder)
        assert ", which was asked for and is not here" in verify(folder, "other", status=1)


def of_late():
    """24 entries, a third of each of nine days ago, yesterday and today: what is signed now is in time for two."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    days = [str(today - datetime.timedelta(n)) for n in (9, 1, 0)]
    return [{**entry, "timestamp": days[n // 8] + entry["timestamp"][10:]} for n, entry in enumerate(entries(24))]


def with_stamps(log, lines, tsa, *stamped):
    log.write_text("".join(lines), "ascii")
    for stamp in log.parent.glob("*.tsr"):
        stamp.unlink()
    for entry in (json.loads(lines[number - 1]) for number in stamped):
        (log.parent / f"audit.log.{entry['timestamp'][:10]}.tsr").write_bytes(
            tsa.authority.reply(tsa.authority.query(entry["hash"])))


@pytest.mark.parametrize("others, words, alone", [
    pytest.param({12}, "entry 16 was as it is here then, and so were entries 13 to 15", 19, marks=pytest.mark.long),
    ({12, 15}, "entry 16 was as it is here then; of the others this shows nothing", 21)])
def test_a_timestamp_in_a_part_shows_the_entries_that_are_chained_to_its_own(log, tsa, others, words, alone):
    lines = chained([{**entry, "application": "web" if n in others else "shop"}
                     for n, entry in enumerate(of_late(), 1)])
    with_stamps(log, lines, tsa, 16)
    said = verify(export(log, "--app", "shop"), "--tsa-ca", tsa.ca_file)
    assert words in said and f"; {alone} of them, between 1 and 24, are shown by this folder alone" in said


@pytest.mark.long
def test_what_nothing_outside_reaches_is_said_at_the_end(log, lines, witness):
    folder = export(log, *PERIOD)
    for path in witness.rglob("*.jsonl"):
        if not path.name.startswith(("1-5-", "6-10-")):
            path.unlink()
    early, late = head_of(lines[8]), head_of(lines[20])
    for outside, words in (((), "; entries 9 to 24 are shown by this folder alone"),
                           ((early,), "; entries 10 to 24 are shown by this folder alone"),
                           ((late, early), "; entries 22 to 24 are shown by this folder alone"),
                           ((witness,), "; entries 11 to 24 are shown by this folder alone"),
                           ((head_of(lines[23]),), f"the last is 24, head {head_of(lines[23])}")):
        assert verify(folder, *outside).endswith(f"{words}\n")


def test_few_digits_are_not_counted_as_they_can_be_made_to_fit(log):
    """These two entries were found in seconds: of a part, whose lines may follow anything."""
    them = [{**entry, "application": name} for entry, name in zip(entries(3), ("shop", "web", "shop"))]
    with_stamps(log, chained(them), None)
    folder = export(log, "--app", "shop")
    first, last = (folder / "entries.jsonl").read_text("ascii").splitlines(keepends=True)
    said = verify(folder, json.loads(last)["hash"][:15])
    assert "is entry 3; 15 digits can be made to fit" in said and "; 2 of them, between 1 and 3," in said
    last = hashed(last, user_id="telegram:6347", prev="b" * 64)
    forge(folder, lambda _: [hashed(first, user_id="telegram:145988"), last])
    assert "491d70de is more than one entry: 1 3; newer messages have 16 digits" in verify(folder, "491d70de", status=1)
    assert ", head 491d70de" in verify(folder, head_of(last))


def test_a_timestamp_that_was_bought_long_after_its_day_is_not_counted(tmp_path, log, tsa):
    """Both are signed now."""
    lines = chained(of_late())
    for stamped, words in (((8,), "; entries 1 to 24 are shown by this folder alone"),
                           ((8, 16), "; entries 17 to 24 are shown by this folder alone")):
        with_stamps(log, lines, tsa, *stamped)
        said = verify(export(log), "--tsa-ca", tsa.ca_file)
        assert "more than 2 days behind its day: until then entry 8 could be written anew, so it is not" in said
        assert words in said
        shutil.rmtree(tmp_path / "folder")
