"""Goal: an auditor with the log and a witness, and nothing else of deploybot's, learns what was done to the log: from a
folder, a copy, a chat's export and a bucket."""
# SPDX-License-Identifier: ISC
import datetime
import json
import random

import pytest

from audit_chain_aid import SERVER, chained, entries, head_of, objects, run
from crash_aid import telegram_update
from ops_aid import WAIT_S, bare, check_stop, post_telegram, write_env
from peers.s3_read import S3, SECRET
from stage import wait_until

N = 40
BEGAN = datetime.datetime(2026, 11, 1, 8, 0, 0)
UNTIL = datetime.datetime(2031, 1, 1)
COMPLIANCE = ("COMPLIANCE", UNTIL)


def at(minutes):
    return BEGAN + datetime.timedelta(minutes=minutes)


@pytest.fixture(name="lines")
def _lines():
    return chained(entries(N))


@pytest.fixture(name="log")
def _log(tmp_path, lines):
    path = tmp_path / "audit.log"
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(name="bucket")
def _bucket(lines):
    """All but the newest five entries, in pages of two versions."""
    s3 = S3(page=2)
    for i, (name, content) in enumerate(objects(lines[:N - 5])):
        s3.put(name, content, at(i), COMPLIANCE)
    yield s3
    s3.close()


def verify(log, status, *arguments, says=(), silent=(), env=None):
    found = run(log.parent, *arguments, env=env)
    text = found.stdout + found.stderr
    assert found.returncode == status, text
    for word in says:
        assert word in text, (word, text)
    for word in silent:
        assert word not in text, (word, text)
    assert status == 0 or "\nok: " + str(log) not in "\n" + text, text
    return text


def write_folder(folder, lines):
    for name, content in objects(lines):
        path = folder / "some" / "depth" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# --- a folder, a copy, a chat ---

def test_a_folder_of_objects_shows_what_was_done_to_the_log_without_server_database_and_settings(tmp_path, lines, log):
    write_folder(tmp_path / "witness", lines[:N - 5])
    (tmp_path / "witness" / "notes.txt").write_text("mine", encoding="utf-8")
    arguments = (str(log), "--against", str(tmp_path / "witness"))
    verify(log, 0, *arguments, says=("ok: 35 of 35 entries (1 to 35) are as the witness has them", "1 other files",
                                     "5 entries are newer than the witness's newest, of 2026-11-05T07:34:48.123Z: ",
                                     f"ok: {log}: {N} entries, head {head_of(lines[-1])}"))
    log.write_text("".join(lines).replace("telegram:7\"", "telegram:8\""), encoding="utf-8")
    verify(log, 1, *arguments, says=(f"error: entry 7 was changed ({log} line 7): user_id was \"telegram:7\", is "
                                     "\"telegram:8\"", "whole are entries 1 to 6"))
    log.write_text("".join(lines[:12] + lines[13:]), encoding="utf-8")
    verify(log, 1, *arguments, says=("error: entry 13 was removed", "whole are entries 1 to 12\n"))
    log.write_text("".join(lines[:20]), encoding="utf-8")
    verify(log, 1, *arguments, says=("error: entries 21 to 35 are not in the log: it was cut off at its end",))
    log.write_text("".join(lines[9:]), encoding="utf-8")
    verify(log, 1, *arguments, says=("error: entries 1 to 9 are not in the log: it was cut off at its beginning",))


def removed(went, last, days=2, **claim):
    """With entry 30, of 2026-11-04T07:29:48, as the one that says so."""
    went[29] |= {"action": "files_removed", "code": "files_removed", "first": "1", "last": str(last), "days": str(days),
                 "head": head_of(chained(went)[last - 1]), **claim}
    return went


@pytest.mark.parametrize("last, claim, says", [
    (20, {}, "entry 20 of 2026-11-03T07:19:48Z was younger than the 2 days that it says"),
    (9, {"days": "3"}, "entry 9 of 2026-11-02T07:08:48Z was younger than the 3 days that it says"),
    (9, {"timestamp": "2199-12-24T07:29:48.123Z", "days": "36500"}, "entry 9 of 2026-11-02T07:08:48Z was younger than"),
    (9, {"head": "0123456789abcdef"}, "the witness has another entry 9"),
    (9, {"days": ""}, None)])
def test_a_removal_that_cannot_be_by_age_is_no_excuse(tmp_path, last, claim, says):
    """Whoever owns the server writes it into a chain that is sound, and the witness takes it."""
    lines, log = chained(removed(entries(N), last, **claim)), tmp_path / "audit.log"
    write_folder(tmp_path / "witness", lines)
    log.write_text("".join(lines[last:]), encoding="utf-8")
    verify(log, 1, str(log), "--against", str(tmp_path / "witness"),
           says=(f"error: entries 1 to {last} are not in the log: it was cut off at its beginning",) +
           ((f"error: entry 30 says that AUDIT_KEEP_DAYS removed what it cannot have removed: {says}",)
            if says else ()))


def test_of_what_went_by_age_it_is_said_what_the_witness_does_not_have(tmp_path):
    lines, log = chained(removed(entries(N), 9)), tmp_path / "audit.log"
    write_folder(tmp_path / "witness", lines)
    next((tmp_path / "witness").rglob("1-5-*.jsonl")).unlink()
    log.write_text("".join(lines[9:]), encoding="utf-8")
    verify(log, 0, str(log), "--against", str(tmp_path / "witness"), says=(
        "note: entries 1 to 5 are not in the log: AUDIT_KEEP_DAYS removed them, says entry 30 of "
        "2026-11-04T07:29:48.123Z; only a witness that has them shows what they were",
        "note: entries 6 to 9 are not in the log: AUDIT_KEEP_DAYS removed them, says entry 30 of "
        "2026-11-04T07:29:48.123Z; the witness has the first of them"))


def test_a_beginning_that_audit_keep_days_removed_is_no_fault_and_said_to_be_so(tmp_path):
    went = removed(entries(N), 9)
    lines, log = chained(went), tmp_path / "audit.log"
    write_folder(tmp_path / "witness", lines[:N - 5])
    log.write_text("".join(lines[9:]), encoding="utf-8")
    said = ("note: entries 1 to 9 are not in the log: AUDIT_KEEP_DAYS removed them, says entry 30 of "
            "2026-11-04T07:29:48.123Z")
    arguments = (str(log), "--against", str(tmp_path / "witness"))
    verify(log, 0, *arguments, says=(said + "; the witness has the first of them",))
    verify(log, 0, str(log), says=(said + "; only a witness that has them shows what they were",))
    log.write_text("".join(lines[10:]), encoding="utf-8")
    verify(log, 1, *arguments, says=("error: entries 1 to 10 are not in the log: it was cut off at its beginning",))


def test_a_chain_that_was_written_anew_by_who_owns_the_machine_is_seen_for_what_it_is(tmp_path, lines, log):
    """All hashes fit: by itself the log is sound."""
    write_folder(tmp_path / "witness", lines)
    changed = entries(N)
    changed[9]["outcome"] = "allowed"
    log.write_text("".join(chained(changed)), encoding="utf-8")
    verify(log, 0, str(log), says=("by its own chain alone",))
    verify(log, 0, str(log), head_of(chained(changed)[23]), says=(
        "note: what is behind entry 24, up to entry 40, stands on the log's own chain alone",
        "note: no head shows what was cut off behind entry 40"))
    verify(log, 1, str(log), "--against", str(tmp_path / "witness"),
           says=("entry 10 was changed", "outcome was \"denied\", is \"allowed\"", "entries 11 to 40 were hashed anew"))


def test_lines_of_another_chain_are_one_finding_and_not_each_a_changed_one(tmp_path, lines, log):
    write_folder(tmp_path / "witness", lines)
    other = [{**entry, "user_id": f"telegram:{1000 + i}", "timestamp": entry["timestamp"].replace("2026-", "2025-")}
             for i, entry in enumerate(entries(N))]
    other[4]["outcome"] = "allowed"
    log.write_text("".join(chained(other)), encoding="utf-8")
    text = verify(log, 1, str(log), "--against", str(tmp_path / "witness"), says=(
        "entries 1 to 40 are of another chain", f"({log} line 1)",
        "user_id differs in all, timestamp in all, outcome in 1 (5); the witness has others (",
        "entry 5 was changed", "outcome was \"denied\", is \"allowed\"; the witness has it otherwise ("))
    assert len([line for line in text.splitlines() if line.startswith("error")]) == 3, text
    log.write_text("".join([*lines[:16], *chained(other)[16:32], *lines[32:]]), encoding="utf-8")
    text = verify(log, 1, str(log), "--against", str(tmp_path / "witness"), says=(
        "entries 17 to 32 are of another chain",
        "entry 17 does not follow entry 16, entry 33 does not follow entry 32; user_id",
        "is not what it was: whole are entries 1 to 16"))
    assert len([line for line in text.splitlines() if line.startswith("error")]) == 2, text
    log.write_text("".join([*lines[:16], *chained(other)[16:19], *lines[19:]]), encoding="utf-8")
    verify(log, 1, str(log), "--against", str(tmp_path / "witness"),
           says=("entry 17 was changed", "entry 19 was changed"), silent=("of another chain",))
    mixed = [*lines[:16], *(line.replace('"denied"', '"alloww"', 1) for line in lines[16:24]), *lines[24:]]
    log.write_text("".join(mixed), encoding="utf-8")
    verify(log, 1, str(log), "--against", str(tmp_path / "witness"), says=("entries 17 to 24 were changed",),
           silent=("of another chain",))


def test_closed_files_that_changed_names_are_noticed(tmp_path, lines, log):
    write_folder(tmp_path / "witness", lines)
    arguments = (str(log), "--against", str(tmp_path / "witness"))
    log.write_text("".join(lines[20:]), encoding="utf-8")
    first, second = tmp_path / "audit.log.1", tmp_path / "audit.log.11"
    first.write_text("".join(lines[:10]), encoding="utf-8")
    second.write_text("".join(lines[10:20]), encoding="utf-8")
    verify(log, 0, *arguments)
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    verify(log, 1, *arguments, says=(f"{first} begins with entry 11: its name says another",
                                     "entries 1 to 10 were moved"))


@pytest.mark.long
def test_each_way_to_spoil_a_log_at_random_is_noticed(tmp_path, lines, log):
    """Bytes, lines and blocks, many at once: never ok unless what counts is unchanged."""
    write_folder(tmp_path / "witness", lines)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    whole = "".join(lines)
    for _ in range(25):
        spoilt = list(lines)
        for _ in range(dice.randrange(1, 4)):
            i, j = dice.randrange(len(spoilt)), dice.randrange(len(spoilt))
            match dice.randrange(4):
                case 0:
                    del spoilt[i]
                case 1:
                    spoilt.insert(i, spoilt[j])
                case 2:
                    spoilt[i], spoilt[j] = spoilt[j], spoilt[i]
                case _:
                    k = dice.randrange(len(spoilt[i]))
                    spoilt[i] = spoilt[i][:k] + dice.choice("\0 x0\n") + spoilt[i][k + 1:]
        text = "".join(spoilt)
        log.write_text(text, encoding="utf-8")
        verify(log, 0 if text == whole else 1, str(log), "--against", str(tmp_path / "witness"))


def test_objects_of_two_servers_are_not_mixed(tmp_path, lines, log):
    write_folder(tmp_path / "witness", lines)
    other = tmp_path / "witness" / "deploybot-other"
    other.mkdir()
    (other / f"1-1-{head_of(lines[0])}.jsonl").write_text(lines[0], encoding="utf-8")
    verify(log, 64, str(log), "--against", str(tmp_path / "witness"),
           says=("several servers", "deploybot-other", SERVER))


def test_of_two_objects_of_the_same_numbers_in_a_folder_neither_counts(tmp_path, lines, log):
    """The log goes on behind a restore, or was written anew by who has the server's key: a name proves no time."""
    changed = entries(N)
    changed[20]["outcome"] = "allowed"
    write_folder(tmp_path / "witness", lines)
    write_folder(tmp_path / "witness", chained(changed)[:25])
    for text in (lines, chained(changed)[:30]):
        log.write_text("".join(text), encoding="utf-8")
        verify(log, 1, str(log), "--against", str(tmp_path / "witness"), silent=("jsonl) counts,",), says=(
            "error: entries 21 to 25 stand in two objects, and are not the same", "neither counts"))


def test_what_is_no_witness_is_refused_with_what_would_be(tmp_path, log):
    (tmp_path / "nothing").mkdir()
    verify(log, 64, str(log), "--against", str(tmp_path / "nothing"), says=("FIRST-LAST-HEAD.jsonl",))
    verify(log, 66, str(log), "--against", "nowhere", says=("expected s3, a folder, a file, or 16",))
    verify(log, 64, str(log), "--against", says=("--against needs s3",))
    verify(log, 64, str(log), str(log), says=("one log at a time",))
    verify(log, 66, "/no/such/log", says=("there is no such file",))
    (tmp_path / "chat.json").write_text("{\"messages\":[]}", encoding="utf-8")
    verify(log, 64, str(log), "--against", str(tmp_path / "chat.json"), says=("no message in it shows a head",))
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    verify(log, 64, str(log), "--against", str(tmp_path / "x.json"), says=("Export chat history",))


def message(number, text, sender="user77", **more):
    return {"id": number, "type": "message", "date_unixtime": str(1793577600 + number), "from": "deploybot \x1b[31m",
            "from_id": sender, "text": text, **more}


def test_the_heads_of_an_exported_chat_prove_the_log_up_to_the_newest_of_them(tmp_path, lines, log):
    chat = tmp_path / "result.json"
    messages = [message(1, ["✅ live\n", {"type": "italic", "text": f"audit {head_of(lines[9])}"}]),
                message(2, f"audit {head_of(lines[29])}", edited_unixtime="1793590000"),
                message(3, "audit entries 17-19, 23"), message(4, "audit feedfacefeedface", forwarded_from="deploybot")]
    for shape in ({"messages": messages},
                  {"chats": {"list": [{"messages": messages[:1]}, {"messages": messages[1:]}]}}):
        chat.write_text(json.dumps(shape), encoding="utf-8")
        verify(log, 0, str(log), "--against", str(chat), silent=("\x1b",),
               says=("ok: 2 heads are entries; entries 1 to 30 are as they were on 2026-11-02T03:26:40Z",))
    changed = entries(N)
    changed[19]["outcome"] = "allowed"
    log.write_text("".join(chained(changed)), encoding="utf-8")
    verify(log, 1, str(log), "--against", str(chat),
           says=(f"error: {head_of(lines[29])} is no entry", "1 to 10 are as they were on 2026-11-02T00:00:01Z"))


def test_a_member_of_the_group_cannot_pass_for_the_bot(tmp_path, lines, log):
    chat = tmp_path / "result.json"
    chat.write_text(json.dumps({"messages": [message(1, f"audit {head_of(lines[9])}"),
                                             message(2, "audit 0123456789abcdef", sender="user66")]}), encoding="utf-8")
    verify(log, 64, str(log), "--against", str(chat), says=("--bot ID", "user77 (1), user66 (1)"))
    verify(log, 0, str(log), "--against", str(chat), "--bot", "77")
    verify(log, 64, str(log), "--against", str(chat), "--bot", "5", says=("--bot 5 has no heads",))


# --- a bucket ---

def against(bucket, log, status, *says, place=None, env=None, silent=()):
    return verify(log, status, str(log), "--against", place or f"s3://{bucket.bucket}/{SERVER}/", says=says,
                  silent=(SECRET, *silent), env={**bucket.environment(), **(env or {})})


def test_a_bucket_is_read_page_by_page_and_its_lock_is_told(bucket, log):
    against(bucket, log, 0, "ok: 35 of 35 entries (1 to 35) are as the witness has them, the oldest since "
            "2026-11-01T08:00:00Z, the newest since 2026-11-01T08:06:00Z",
            "7 versions with COMPLIANCE, until 2031-01-01T00:00:00Z", "the account's root neither")
    assert sum("versions=" in x for x in bucket.calls) == 4


def test_of_a_name_the_oldest_version_counts_and_the_second_is_named(bucket, lines, log):
    """Somebody who may write there puts what fits to the log that they wrote anew."""
    changed = entries(N)
    changed[1]["outcome"] = "allowed"
    forged = chained(changed)
    name = objects(lines)[0][0]
    bucket.put(name, "".join(forged[:5]).encode(), at(600), COMPLIANCE)
    log.write_text("".join(forged), encoding="utf-8")
    against(bucket, log, 1, "somebody put another content under that name", "of 2026-11-01T18:00:00Z",
            "entry 2 was changed", "since 2026-11-01T08:00:00Z")
    log.write_text("".join(lines), encoding="utf-8")
    against(bucket, log, 1, "the log is as the witness has it, but with the witness itself 1 things are wrong",
            silent=("was changed",))


def test_a_delete_marker_hides_nothing(bucket, lines, log):
    bucket.put(objects(lines)[2][0], None, at(700))
    against(bucket, log, 1, "a delete marker hides", "of 2026-11-01T19:40:00Z", "35 of 35 entries")


def test_two_objects_of_the_same_numbers_are_named_with_their_times(bucket, lines, log):
    bucket.put(f"{SERVER}/2-3-{head_of(lines[2])}.jsonl", "".join(lines[1:3]).encode(), at(50), COMPLIANCE)
    against(bucket, log, 0, "note: entries 2 to 3 stand in two objects, and are the same", "of 2026-11-01T08:50:00Z")


def test_a_version_that_was_removed_leaves_a_gap_that_the_chain_spans(bucket, lines, log):
    del bucket.versions[3]
    against(bucket, log, 1, "the witness lacks entries 16 to 20", "the log is as the witness has it")
    log.write_text("".join(lines[:16] + lines[17:]), encoding="utf-8")
    against(bucket, log, 1, "entry 17 was removed")


def test_each_lock_is_told_for_what_it_proves(bucket, log):
    bucket.versions[0].lock = None
    bucket.versions[1].lock = ("GOVERNANCE", datetime.datetime(2020, 1, 1))
    against(bucket, log, 1, "of 2026-11-01T08:00:00Z): it has no lock", "1 versions with GOVERNANCE",
            "s3:BypassGovernanceRetention", "(some of that is over)", "5 versions with COMPLIANCE")
    bucket.versions[0].lock = COMPLIANCE
    bucket.shows_locks = False
    against(bucket, log, 0, "7 versions with a lock that these keys may not see")


def test_faults_that_pass_are_tried_again_and_others_say_what_to_do(bucket, log, tmp_path):
    bucket.troubles = ["503", "gone", "503"]
    against(bucket, log, 0)
    against(bucket, log, 77, "SignatureDoesNotMatch", "s3:ListBucketVersions", env={"AWS_SECRET_ACCESS_KEY": "wrong"})
    against(bucket, log, 77, "InvalidAccessKeyId", env={"AWS_ACCESS_KEY_ID": "somebody-else"})
    against(bucket, log, 74, "NoSuchBucket", place="s3://no-such-bucket")
    against(bucket, log, 66, "holds no object of a witness", place=f"s3://{bucket.bucket}/other/")
    against(bucket, log, 78, "set AWS_REGION", env={"AWS_REGION": ""})
    against(bucket, log, 78, "which bucket?", place="s3")
    against(bucket, log, 66, ".aws/credentials", env={"AWS_ACCESS_KEY_ID": ""})
    keys = tmp_path / "keys"
    keys.write_text("[default]\naws_access_key_id = x\n# no\n[auditor]\naws_access_key_id=" +
                    bucket.environment()["AWS_ACCESS_KEY_ID"] + f"\n aws_secret_access_key = {SECRET} \n"
                    "aws_session_token = token/==\n", encoding="utf-8")
    bucket.token = "token/=="
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
    against(bucket, log, 0, place="s3", env={**env, "AWS_PROFILE": "auditor", "AUDIT_S3_BUCKET": bucket.bucket})
    against(bucket, log, 78, "profile default has no", env=env)


def test_a_bucket_of_two_servers_asks_for_a_folder(bucket, lines, log):
    bucket.put(f"deploybot-other/1-1-{head_of(lines[0])}.jsonl", lines[0].encode(), at(9), COMPLIANCE)
    bucket.put(f"{SERVER}/readme", b"x", at(9), None)
    against(bucket, log, 64, "objects of several servers", place=f"s3://{bucket.bucket}")
    against(bucket, log, 0, "1 other objects are not looked at")


def test_on_the_machine_itself_the_bucket_is_that_of_the_settings_and_the_keys_are_never_the_servers(bucket, tmp_path):
    bot = bare(tmp_path).start()
    assert post_telegram(bot, json.dumps(telegram_update(4242, 1, "/deploy staging")).encode()).status == 200
    wait_until(bot.audit, WAIT_S, "an entry")
    check_stop(bot)
    lines = (tmp_path / "audit.log").read_text(encoding="utf-8").splitlines(keepends=True)
    bucket.versions.clear()
    bucket.put(f"{SERVER}/1-{len(lines)}-{head_of(lines[-1])}.jsonl", "".join(lines).encode(), at(0), COMPLIANCE)
    write_env(tmp_path, f"""AUDIT_S3_BUCKET={bucket.bucket}
AUDIT_S3_REGION=eu-central-1
AUDIT_S3_ENDPOINT={bucket.endpoint}
AUDIT_S3_ACCESS_KEY_ID=AKIAWRITESALONE
AUDIT_S3_SECRET_ACCESS_KEY=w-secret-half-0123456789abcdefghijklmnop
""")
    found = bare(tmp_path, HOME=str(tmp_path)).run("audit", "verify", "--against", "s3")
    assert found.returncode != 0 and "no keys to read the bucket with" in found.stderr, found
    keys = {name: value for name, value in bucket.environment().items() if "KEY" in name}
    found = bare(tmp_path, AWS_REGION="us-east-1", **keys).run("audit", "verify", "--against", "s3")
    assert found.returncode == 0, found
    assert f"ok: {len(lines)} of {len(lines)} entries (1 to {len(lines)}) are as the witness has them" in found.stdout
