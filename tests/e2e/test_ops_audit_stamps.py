"""Goal: the last head of each day is stamped by an authority, in a file that `openssl ts` verifies by itself, and a log
that was written anew does not fit to it; an answer that proves nothing is no file."""
# SPDX-License-Identifier: ISC
import datetime
import json
import os
import socket
import subprocess

import pytest

from audit_chain_aid import chained, entries, head_of, run
from peers.tsa import Tsa
from stage import ROOT


@pytest.fixture(name="tsa", scope="module")
def _tsa(tmp_path_factory):
    tsa = Tsa(tmp_path_factory.mktemp("tsa"))
    yield tsa
    tsa.close()


@pytest.fixture(autouse=True)
def _quiet(tsa):
    tsa.troubles.clear()


def openssl_takes(path, digest, ca_file):
    return subprocess.run(["openssl", "ts", "-verify", "-in", path, "-digest", digest, "-CAfile", ca_file],
                          capture_output=True, check=False).returncode == 0


# --- what an auditor finds ---

def stamp(tsa, log, line, day):
    path = log.with_name(f"{log.name}.{day}.tsr")
    path.write_bytes(tsa.authority.reply(tsa.authority.query(json.loads(line)["hash"])))
    return path


@pytest.fixture(name="log")
def _log(tmp_path, tsa):
    """Two days of it are stamped."""
    lines = chained(entries(20))
    log = tmp_path / "audit.log"
    log.write_text("".join(lines), encoding="utf-8")
    stamp(tsa, log, lines[7], "2026-11-01")
    stamp(tsa, log, lines[15], "2026-11-02")
    return log


def verify(log, status, *arguments):
    found = run(log.parent, str(log), *arguments)
    text = found.stdout + found.stderr
    assert found.returncode == status, text
    return text


def test_each_stamp_is_told_with_its_signer_and_its_moment(tsa, log):
    text = verify(log, 0, "--tsa-ca", str(tsa.ca_file))
    for seq, day in ((8, "2026-11-01"), (16, "2026-11-02")):
        told = next(x for x in text.splitlines() if day in x)
        assert told.startswith(f"ok: entries 1 to {seq} are as they were at ")
        assert told.endswith(f": stamped by CN=Stamp Office,O=Stamps ({log}.{day}.tsr)")


def test_a_day_that_is_over_and_has_no_stamp_is_named_from_the_first_stamped_one_on(tsa, tmp_path):
    lines = chained(entries(40, per_day=5))     # 1 to 8 November
    log = tmp_path / "audit.log"
    log.write_text("".join(lines), encoding="utf-8")
    for day in (2, 3, 7):
        stamp(tsa, log, lines[5 * day - 1], f"2026-11-0{day}")
    text = verify(log, 0, "--tsa-ca", str(tsa.ca_file))
    assert [x for x in text.splitlines() if "no timestamp" in x] == [
        "note: no timestamps of 3 days, 2026-11-04 to 2026-11-06, stand beside the log"]
    log.with_name("audit.log.2026-11-07.tsr").unlink()
    stamp(tsa, log, lines[24], "2026-11-05")
    text = verify(log, 0, "--tsa-ca", str(tsa.ca_file))
    assert [x for x in text.splitlines() if "no timestamp" in x] == [
        "note: no timestamp of 2026-11-04 stands beside the log",
        "note: no timestamps of 2 days, 2026-11-06 to 2026-11-07, stand beside the log"]


def test_a_log_that_was_written_anew_does_not_fit_to_its_stamps(tsa, log):
    changed = entries(20)
    changed[10]["outcome"] = "allowed"
    anew = chained(changed)
    log.write_text("".join(anew), encoding="utf-8")
    text = verify(log, 1, "--tsa-ca", str(tsa.ca_file))
    assert "ok: entries 1 to 8 are as they were at" in text
    assert f"({log}.2026-11-02.tsr), is no entry: the log was changed, cut off or written anew" in text
    assert head_of(anew[15]) not in text


def test_a_days_stamp_under_another_days_name_does_not_stand_for_it(tsa, log):
    """Of a log that was written anew from 2 November on, whose own stamp would tell."""
    changed = entries(20)
    changed[10]["outcome"] = "allowed"
    log.write_text("".join(chained(changed)), encoding="utf-8")
    first, second = (log.with_name(f"{log.name}.2026-11-0{day}.tsr") for day in (1, 2))
    second.write_bytes(first.read_bytes())
    text = verify(log, 1, "--tsa-ca", str(tsa.ca_file))
    assert f"error: {second} stamps entry 8, which is not the last of 2026-11-02: what is behind it that day" in text
    assert f"error: {first}" not in text


def test_whose_authority_nobody_named_does_not_count_and_a_strangers_is_wrong(tsa, log):
    text = verify(log, 0)
    assert "is not checked: the system knows no such authority" in text and "as they were" not in text
    text = verify(log, 1, "--tsa-ca", str(tsa.stranger.folder / "ca.pem"))
    assert "does not count: timestamp: its signature leads to no authority that is trusted" in text
    assert "holds no certificate in PEM" in verify(log, 78, "--tsa-ca", str(log))


@pytest.mark.long
def test_no_byte_of_a_stamp_can_be_changed_so_that_it_proves_something_else(tsa, log):
    good = verify(log, 0, "--tsa-ca", str(tsa.ca_file))
    path = log.with_name(log.name + ".2026-11-02.tsr")
    whole = path.read_bytes()
    for i in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1:])
        found = run(log.parent, str(log), "--tsa-ca", str(tsa.ca_file))
        assert found.returncode == 1 or found.stdout == good, (i, found)
    for cut in (b"", whole[:100], whole + b"x", b"x" * 70000):
        path.write_bytes(cut)
        assert "does not count" in verify(log, 1, "--tsa-ca", str(tsa.ca_file))


# --- what deploybot-timestamp.service does ---

@pytest.fixture(name="conf")
def _conf(tmp_path, tsa):
    """Of a log of three days, whose oldest file is closed; nothing is stamped."""
    lines = chained(entries(20))
    log = tmp_path / "audit.log"
    log.with_name("audit.log.1").write_text("".join(lines[:8]), encoding="utf-8")
    log.with_name("audit.log.9").write_text("".join(lines[8:16]), encoding="utf-8")
    log.write_text("".join(lines[16:]), encoding="utf-8")
    conf = tmp_path / "timestamp.conf"
    conf.write_text(f"# Who stamps.\nURL={tsa.url}\nCA={tsa.ca_file}\nLOG={log}\n", encoding="utf-8")
    return conf


def stamp_all(conf, *words):
    """(status, what it says), as the unit starts it."""
    done = subprocess.run([ROOT / "deploy/timestamp.sh", *words, conf], stdin=subprocess.DEVNULL, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]},
                          check=False)
    return done.returncode, done.stdout


def stamps(conf):
    return sorted(path.name for path in conf.parent.glob("audit.log.*.tsr*"))


THREE_DAYS = [f"audit.log.2026-11-0{day}.tsr" for day in (1, 2, 3)]


def test_each_finished_day_is_stamped_once_where_openssl_and_audit_verify_look(tsa, conf):
    status, said = stamp_all(conf)
    assert status == 0 and stamps(conf) == THREE_DAYS, said
    assert [line.split()[4] for line in said.splitlines()] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    lines = chained(entries(20))
    for name, line in zip(THREE_DAYS, (lines[7], lines[15], lines[19])):
        path = conf.with_name(name)
        assert openssl_takes(path, json.loads(line)["hash"], tsa.ca_file)
        assert not openssl_takes(path, "ab" * 32, tsa.ca_file)
        assert path.stat().st_mode & 0o777 == 0o640
    text = verify(conf.with_name("audit.log"), 0, "--tsa-ca", str(tsa.ca_file))
    assert text.count("are as they were at") == 3 and "no timestamp" not in text
    calls = len(tsa.calls)
    assert stamp_all(conf) == (0, "") and stamp_all(conf, "--check") == (0, "") and len(tsa.calls) == calls


@pytest.mark.parametrize("trouble, words", [
    ("500", "answered 500"), ("html", "does not count"), ("other", "message imprint mismatch"),
    ("refused", "status text: out of order"), ("stranger", "certificate verify error"), ("replay", "nonce mismatch"),
    ("huge", "has more than 64 KB")])
def test_what_does_not_prove_the_day_is_refused_and_the_next_run_asks_again(tsa, conf, trouble, words):
    digest = json.loads(chained(entries(20))[7])["hash"]
    tsa.last = tsa.authority.reply(tsa.authority.query(digest))
    tsa.troubles.append(trouble)
    calls = len(tsa.calls)
    status, said = stamp_all(conf)
    assert status == 1 and said.startswith("timestamp.sh: no timestamp of 2026-11-01: ") and words in said, said
    assert len(said.splitlines()) == 1 and not stamps(conf) and len(tsa.calls) == calls + 1
    assert stamp_all(conf)[0] == 0 and stamps(conf) == THREE_DAYS


def test_an_authority_that_is_down_and_one_of_another_root_leave_no_file(tsa, conf):
    text = conf.read_text("utf-8")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        conf.write_text(text.replace(tsa.url, f"http://127.0.0.1:{nobody.getsockname()[1]}/"), encoding="utf-8")
        status, said = stamp_all(conf)
    assert status == 1 and "Failed to connect" in said and not stamps(conf), said
    conf.write_text(text.replace(str(tsa.ca_file), str(tsa.stranger.folder / "ca.pem")), encoding="utf-8")
    status, said = stamp_all(conf)
    assert status == 1 and "certificate verify error" in said and not stamps(conf), said


@pytest.mark.parametrize("line, words", [
    ("URL=ftp://x/", "is no authority's address"), ("URL=https://me:secret@tsa.example.org/", "without a login"),
    ("CA=/nowhere/there", "is no file of root certificates"), ("CA=timestamp.conf", "is no file of root certificates"),
    ("LOG=audit.log", "is no path of an audit log"), ("LOG=/nowhere/audit.log", "LOG: there is no folder /nowhere"),
    ("NAME=x", "expected lines of URL=, CA= and LOG=, found 'NAME=x'"),
    (None, "no file that ")])
def test_a_file_that_is_wrong_is_said_before_anybody_is_asked(tsa, conf, line, words):
    calls = len(tsa.calls)
    if line is None:
        conf.unlink()
    else:
        conf.write_text(conf.read_text("utf-8") + line + "\n", encoding="utf-8")
    for option in ((), ("--check",)):
        status, said = stamp_all(conf, *option)
        assert status == 78 and words in said and len(said.splitlines()) == 1, said
    assert len(tsa.calls) == calls and not stamps(conf)
    assert stamp_all(conf, "--wrong")[0] == 64


def test_a_day_that_goes_on_is_left_alone_and_the_nightly_check_gives_one_six_hours(tsa, conf):
    log = conf.with_name("audit.log")
    today = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}"
    rest = [json.loads(line) for line in chained(entries(20))]
    rest[-1]["timestamp"] = f"{today}T00:00:00.000Z"
    log.write_text("".join(chained(rest)[16:]), encoding="utf-8")
    status, said = stamp_all(conf, "--check")
    assert status == 1 and "sh: 2 of the audit log's days have no timestamp, 2026-11-01 the first: " in said, said
    assert stamp_all(conf)[0] == 0 and stamps(conf) == THREE_DAYS[:2]
    for hour, missing in ((5, False), (7, True)):    # of the next day
        clock = conf.parent / "bin"
        clock.mkdir(exist_ok=True)
        (clock / "date").write_text(f'#!/bin/sh\nexec /bin/date -u +%F -d "{today} UTC + 1 day + {hour} hours $3"\n',
                                    encoding="ascii")
        (clock / "date").chmod(0o755)
        done = subprocess.run([ROOT / "deploy/timestamp.sh", "--check", conf], capture_output=True, timeout=60,
                              env={"PATH": f"{clock}:{os.environ['PATH']}"}, check=False)
        assert done.returncode == int(missing), (hour, done)


def test_a_file_that_does_not_end_with_its_entry_is_not_stamped(tsa, conf):
    log = conf.with_name("audit.log")
    whole = log.read_text("utf-8")
    calls = len(tsa.calls)
    for text, words in ((whole[:-40], "ends with no entry"),
                        (whole.replace('"user_id":"telegram:20"', '"user_id":"telegram:21"'), "has another hash")):
        log.write_text(text, encoding="utf-8")
        for option in ((), ("--check",)):
            status, said = stamp_all(conf, *option)
            assert status == 1 and words in said, said
    assert len(tsa.calls) == calls and not stamps(conf)
