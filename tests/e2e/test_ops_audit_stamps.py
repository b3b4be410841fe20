"""Goal: the last head of each day is stamped by an authority, in a file that `openssl ts` verifies by itself, and a log
that was written anew does not fit to it."""
# SPDX-License-Identifier: ISC
import datetime
import json
import pathlib
import re
import subprocess

import pytest

from audit_chain_aid import chained, entries, head_of, run
from crash_aid import telegram_update
from ops_aid import WAIT_S, bare, check_stop, post_telegram
from peers.tsa import Tsa
from stage import wait_until

WAITS = "deploybot_audit_timestamp_waiting_since_timestamp_seconds"
LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
TOMORROW = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": "+1d", "DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:detect_leaks=0"}


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


# --- what the server does ---

@pytest.fixture(name="stopped")
def _stopped(tmp_path):
    """A server that has an entry of today, and is stopped."""
    assert LIBRARY is not None, "libfaketime is missing: tests/tools/packages.sh test"
    bot = bare(tmp_path).start()
    assert post_telegram(bot, json.dumps(telegram_update(4242, 1, "/deploy staging")).encode()).status == 200
    wait_until(bot.audit, WAIT_S, "an entry")
    check_stop(bot)
    return bot


def failures(bot):
    return bot.log().count("audit: no timestamp of")


def waits_since(bot):
    return float(re.search(rf"(?m)^{WAITS} (\S+)$", bot.metrics())[1])


def midnight_behind(entry):
    day = datetime.datetime.fromisoformat(entry["timestamp"][:10]).replace(tzinfo=datetime.timezone.utc)
    return (day + datetime.timedelta(days=1)).timestamp()


def stamps(bot):
    return sorted(bot.folder.glob("audit.log.*.tsr"))


def test_the_next_day_the_last_head_of_the_day_is_stamped_whatever_came_between(tsa, stopped, tmp_path):
    newest = stopped.audit()[-1]
    troubles = ["500", "html", "other", "refused", "stranger"]
    for trouble in troubles:
        tsa.troubles.append(trouble)
        bot = bare(tmp_path, AUDIT_TIMESTAMP_URL=tsa.url, AUDIT_TIMESTAMP_CA=str(tsa.ca_file), **TOMORROW)
        before = failures(bot)
        bot.start()
        wait_until(lambda bot=bot, before=before: failures(bot) > before, WAIT_S, trouble)
        assert not stamps(bot) and waits_since(bot) == midnight_behind(newest)
        check_stop(bot)
    for words in ("answered 500", "is not of type application/timestamp-reply", "it stamps another hash",
                  "refused by the authority, status 2: out of order", "leads to no authority that is trusted",
                  "tried again in 1 min"):
        assert words in bot.log()
    bot = bare(tmp_path, AUDIT_TIMESTAMP_URL=tsa.url, AUDIT_TIMESTAMP_CA=str(tsa.ca_file), **TOMORROW).start()
    wait_until(lambda: stamps(bot), WAIT_S, "a stamp")
    path, = stamps(bot)
    assert path.name == f"audit.log.{newest['timestamp'][:10]}.tsr"
    assert openssl_takes(path, newest["hash"], tsa.ca_file) and not openssl_takes(path, "ab" * 32, tsa.ca_file)
    line = f"(entry {newest['seq']}) is stamped by CN=Stamp Office,O=Stamps"
    wait_until(lambda: line in bot.log(), WAIT_S, "its line")
    wait_until(lambda: waits_since(bot) == 0, WAIT_S, "that none is missing")
    check_stop(bot)
    found = bot.run("audit", "verify")
    assert found.returncode == 0 and f"ok: entries 1 to {newest['seq']} are as they were at" in found.stdout, found


def test_the_stamp_of_another_request_is_refused_and_today_is_not_stamped(tsa, stopped, tmp_path):
    """Its hash fits: the nonce does not."""
    assert stopped.audit()
    calls = len(tsa.calls)
    bot = bare(tmp_path, AUDIT_TIMESTAMP_URL=tsa.url).start()
    check_stop(bot)
    assert len(tsa.calls) == calls and not stamps(bot)
    newest = bot.audit()[-1]    # that it was started
    tsa.last = tsa.authority.reply(tsa.authority.query(newest["hash"]))
    tsa.troubles.append("replay")
    bot = bare(tmp_path, AUDIT_TIMESTAMP_URL=tsa.url, **TOMORROW).start()
    wait_until(lambda: "its nonce is another one" in bot.log(), WAIT_S, "the refusal")
    assert not stamps(bot)
    check_stop(bot)
