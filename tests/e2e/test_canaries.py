"""Goal: loans that end in each way leave no secret behind: none is in anything that the server has written, said or
shown, and none of a loan is in its memory once all are over."""
# SPDX-License-Identifier: ISC
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import canaries
from flow_aid import FIRST_ADMIN, PATIENCE_S
from runner_client import children_of
from secret_aid import CREATE, VALUE, Job
from stage import ROOT, wait_until
from telegram_client import ADA, GROUP, text_of
from test_flow_secret_key import KEYS, Keys, Nightly

pytestmark = pytest.mark.long
COMMAND = ROOT / "tests" / "peers" / "vault_command"
WRONG = ("no wrap_info", "another creation_path", "another ttl", {"ttl": 300})
PRIVATE = "once, 2 min"
# What has to be in the server's memory: what it works by.  Of a loan there is nothing.
MAY = (("our own token|a key:.*", "memory/.*"),)


class Planted(Keys):
    """`issued`: each token of the forge's that a job has shown; `users`: passwords that a database was given."""

    def __init__(self, folder):
        self.issued, self.users, self.private = [], [], []
        super().__init__(folder)
        own = self.issuer.token

        def token(*words, **named):
            self.issued.append(own(*words, **{"aud": f"http://127.0.0.1:{self.http_port}", **named}))
            return self.issued[-1]
        self.issuer.token = token

    def reads_creds(self, token):
        status, said = self.at_vault("/v1/database/creds/stripe", token)
        assert status == 200
        self.users.append(said["data"]["password"])

    def planted(self):
        with self.vault.lock:
            made = [(one, "our own token" if "deploybot" in one.policies else "wrapping token" if one.wraps
                     else "root's token" if one.policies == ["root"] else "child token") for one in self.vault.made]
        found = {f"{what}{'' if what.startswith('our') else f' {n}'}": one.id for n, (one, what) in enumerate(made)}
        found["what was lent"] = VALUE
        found |= {f"password of the database {n}": one for n, one in enumerate(self.users)}
        # Its signature: what stands before it is no secret.
        found |= {f"token of the forge {n}": one.rpartition(".")[2] for n, one in enumerate(self.issued)}
        return found | {f"a key: {name}": key for name, key in KEYS.items() if name != "another"}


def run_command(scene, view):
    block = next(one for one in view["message"]["entities"] if one["type"] == "pre")
    text = text_of(view).encode("utf-16-le")[2 * block["offset"]:2 * (block["offset"] + block["length"])]
    scene.private.append((view["chat_id"], view["message_id"]))
    return subprocess.run(["sh", "-c", text.decode("utf-16-le")], text=True, capture_output=True, timeout=60,
                          check=False, env={"PATH": f"{COMMAND}:/usr/bin:/bin", "HOME": "/nonexistent"})


# --- how loans end ---

def is_lost_by_a_restart(scene):
    job = Job(scene).wants("stripe").is_kept()
    scene.bot.kill()
    scene.bot.start()
    job.is_over()
    job.is_refused(410, "ask again")


def has_a_yes_and_is_given_back(scene):
    job = Job(scene).wants("db-migrate")
    scene.admin().press(job.message("db-migrate", buttons=("Approve", "Reject")), "Approve")
    child = job.unwraps(job.fetches())
    assert scene.at_vault("/v1/secret/data/django/database", child)[1]["data"]["data"] == {"password": VALUE}
    assert job.looks()[0] == 410 and job.gives_back() == 202
    job.is_over()


def ends_with_its_job(scene):
    job = Job(scene)
    scene.reads_creds(job.has())
    assert job.job_ends() == 200
    job.is_over()


def is_refused(scene):
    job = Job(scene).wants("db-migrate")
    assert job.gives_back() == 202
    job.is_refused(403, "CANCELLED")
    assert job.ask("/v1/secret/nothing")[0] == 403


def is_lost_on_its_way(scene):
    scene.vault.troubles.append((CREATE, "away"))
    job = Job(scene).wants("stripe")
    job.is_refused(410)
    assert job.was_made()
    # Nobody knows its accessor: its own end ends it.
    scene.vault.revoke(job.child())


def is_revoked(scene):
    job = Job(scene)
    scene.reads_creds(job.has())
    scene.admin().say(f"/revoke {job.loan}")
    job.is_over()


def was_made_otherwise(scene):
    for what in WRONG:
        scene.vault.troubles.append((CREATE, what))
        job = Job(scene).wants("stripe")
        job.is_refused(409, "wrap_info")
        job.is_over()


def could_not_be_unwrapped(scene):
    job = Job(scene)
    job.has()
    assert job.ask(f"/v1/loan-failed/{job.loan}")[0] == 202
    job.is_over()


def is_shown_to_who_may_not(scene):
    """Its tokens in the places where a job that is wrong may put them."""
    job = Job(scene)
    wrapping = job.wants("stripe").fetches()
    child = job.unwraps(wrapping)
    for token in (wrapping, child):
        assert job.ask("/v1/loan-end/1", token=token)[0] == 401
        assert job.ask(f"/v1/loan/{token}", method="GET")[0] >= 400
        assert job.ask(f"/v1/secret/{token}")[0] >= 400
        assert job.ask("/v1/push", body={"token": token})[0] >= 400
    assert job.gives_back() == 202
    job.is_over()


def is_a_keys(scene):
    job = Nightly(scene).wants("stripe")
    scene.reads_creds(job.unwraps(job.fetches()))
    assert job.gives_back() == 202
    job.is_over()


def of_a_person(scene, what=""):
    who = scene.admin()
    who.say(f"/get_secret stripe {what}".strip())
    view = who.hear(PRIVATE)
    job = Job(scene)
    job.loan = scene.bot_rows("SELECT MAX(work) FROM loan")[0][0]
    return view, job


def is_a_persons(scene):
    view, job = of_a_person(scene, "for the refunds")
    done = run_command(scene, view)
    assert done.returncode == 0, done.stderr
    scene.users.append(re.search(r"password +(\S+)", done.stdout)[1])
    scene.pass_time(31)
    scene.comes(lambda: scene.chat.message(view)["deleted"], "that its message is deleted")
    scene.admin().say(f"/revoke {job.loan}")
    job.is_over()


def nobody_fetches(scene):
    view, persons = of_a_person(scene)
    scene.private.append((view["chat_id"], view["message_id"]))
    job = Job(scene).wants("stripe").is_kept()
    look, last = f"SELECT id FROM effect WHERE kind = 'vault_look' AND subject = {persons.loan}", []
    for passed_s in (31, 30, 30, 25):       # each time Vault is asked whether it was used
        last = scene.comes(lambda last=last: scene.bot_rows(look) not in ([], last) and scene.bot_rows(look), "a look")
        scene.pass_time(passed_s)
    job.is_over()
    persons.is_over()


WAYS = (is_lost_by_a_restart, has_a_yes_and_is_given_back, ends_with_its_job, is_refused, is_lost_on_its_way,
        is_revoked, was_made_otherwise, could_not_be_unwrapped, is_shown_to_who_may_not, is_a_keys, is_a_persons,
        nobody_fetches)


# --- what is looked at ---

PIECE = 16 << 20
SHADOW = 4 << 30
OVERLAP = 64 << 10      # longer than whatever is looked for


def memory(pid):
    """(where it begins, bytes) of each part that may be read, in pieces: what a core would have.  The server lets
    nobody dump it (PR_SET_DUMPABLE and RLIMIT_CORE are 0, and `make check-hostile` aborts one to see that), so root
    reads it."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            low, high, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            is_shadow = int(high, 16) - int(low, 16) > SHADOW   # a sanitizer's, of terabytes, has no bytes of ours
            if "r" not in rights or is_shadow or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                continue
            for at in range(int(low, 16), int(high, 16), PIECE):
                try:
                    mem.seek(at)
                    yield f"{at:x}", mem.read(min(PIECE + OVERLAP, int(high, 16) - at))
                except OSError:
                    break   # of a file that has become shorter


def collect(scene, folder):
    """Everything there is, by name, below FOLDER/artefacts; and what must not be in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)

    def write(name, data):
        path = folder / "artefacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    here = folder / "artefacts"
    here.mkdir()
    for words in (("backup", str(here / "backup.db")), ("audit", "export", str(here / "audit")), ("audit", "verify"),
                  ("audit", "search", "-n", "1000"), ("doctor",), ("doctor", "--json"), ("check-config",),
                  ("policy", "report"), ("secrets", "check")):
        done = scene.bot.run(*words, timeout=120)
        write(f"said/{'_'.join(words[:2]).replace('/', '.')}", (done.stdout + done.stderr).encode())
    for chat in (GROUP, ADA, *range(FIRST_ADMIN, FIRST_ADMIN + scene.next_admin)):
        for view in scene.chat.messages(chat):
            if (chat, view["message_id"]) not in scene.private:
                write(f"chat/{chat}.{view['message_id']}", json.dumps(view).encode())
    write("metrics", scene.bot.metrics().encode())
    pids = [scene.bot.process.pid, *children_of(scene.bot.process.pid)]
    for pid in pids:
        for name in ("cmdline", "environ"):
            write(f"proc/{pid}.{name}", pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
    left = [scene.folder / "deploybot.log", *scene.folder.glob("audit.log*"), *(scene.folder / "state").rglob("*")]
    for path in left:
        if path.is_file():
            write(f"files/{path.relative_to(scene.folder)}", path.read_bytes())
    if os.geteuid() == 0:
        for pid in pids:
            for low, data in memory(pid):
                write(f"memory/{pid}.{low}", data)
    (folder / "canaries.secret").write_text(json.dumps({"canaries": scene.planted(), "may": MAY}), encoding="utf-8")


def search(folder):
    done = subprocess.run([sys.executable, str(ROOT / "tests/tools/canaries.py"), str(folder)], text=True,
                          capture_output=True, timeout=300, check=False)
    return done.returncode, done.stdout


def test_loans_that_end_in_each_way_leave_no_secret_behind(tmp_path):
    folder = pathlib.Path(os.environ.get("DEPLOYBOT_CANARIES") or tmp_path / "secrets").resolve()
    scene = Planted(tmp_path / "scene")
    try:
        for way in WAYS:
            way(scene)
        open_ones = "SELECT work, phase FROM loan WHERE phase <> 'over'"
        wait_until(lambda: not scene.bot_rows(open_ones), PATIENCE_S, "the end of all loans")
        collect(scene, folder)
    finally:
        scene.stop()
    status, said = search(folder)
    names = {path.name for path in (folder / "artefacts").iterdir()}
    assert names >= {"backup.db", "audit", "said", "chat", "metrics", "proc", "files"}, names
    assert status == 0, said
    assert re.fullmatch(r"0 of \d+ canaries in \d+ artefacts\n", said), said
    # What the server works by is in its memory, so that is what was looked at.
    if os.geteuid() == 0:
        own = scene.planted()["our own token"].encode()
        assert any(own in path.read_bytes() for path in (folder / "artefacts" / "memory").iterdir())


@pytest.mark.parametrize("shape", ("as it is", "base64", "hex", "URL-encoded", "across two pieces", "reversed"))
def test_a_canary_that_is_planted_is_found(tmp_path, shape):
    secret = "hvs.CAESI of what/is lent+8Kd"
    raw = secret.encode()
    data = {"as it is": raw, "base64": base64.b64encode(b"12345:" + raw + b"!"), "hex": raw.hex().encode(),
            "URL-encoded": canaries.urllib.parse.quote(secret, safe="").encode(), "reversed": raw[::-1],
            "across two pieces": b"." * (canaries.PIECE - 7) + raw}[shape]
    (tmp_path / "artefacts" / "in").mkdir(parents=True)
    (tmp_path / "artefacts" / "in" / "log").write_bytes(b"before " + data + b" after")
    (tmp_path / "artefacts" / "other").write_bytes(b"nothing")
    told = {"canaries": {"one": secret, "two": "another of at least twelve"}, "may": [["two", ".*"]]}
    (tmp_path / "canaries.secret").write_text(json.dumps(told), encoding="utf-8")
    status, said = search(tmp_path)
    assert status == 1 and "canaries: one stands in in/log, at byte " in said and secret not in said
    assert said.endswith("\n1 of 2 canaries in 2 artefacts\n")
    (tmp_path / "artefacts" / "in" / "log").write_bytes(b"before after")
    assert search(tmp_path) == (0, "0 of 2 canaries in 2 artefacts\n")


def test_a_search_of_nothing_finds_nothing_and_fails(tmp_path):
    assert search(tmp_path)[0] == 2
    (tmp_path / "canaries.secret").write_text('{"canaries": {}}', encoding="utf-8")
    assert search(tmp_path) == (2, "0 of 0 canaries in 0 artefacts\n")
