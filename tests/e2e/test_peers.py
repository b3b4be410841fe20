"""The stand-ins for commands, GitHub and an application are as strict as what they stand for: a test on them proves
something."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import threading

import pytest

import github
import sample_app
import telegram_client
from commands import recorder
from commands_aid import COMMANDS, stand_in
from peers_aid import Receiver
from stage import free_port, get, wait_until
from telegram_client import Telegram, request_json

SECRET = "a-secret-of-more-than-sixteen-bytes"


@pytest.fixture(name="receiver")
def _receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


# ---- commands ------------------------------------------------------------------------------------

KILLED = """import json, os, signal, sys
sys.path.insert(0, sys.argv[1])
import recorder
for _ in range(100):
    ours, theirs = os.pipe()
    child = os.fork()
    while child == 0:
        with recorder.World(sys.argv[2]) as state:
            state["number"] = state.get("number", 0) + 1
        os.write(theirs, b".")
    os.read(ours, 1)
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    assert json.loads(recorder.read(os.path.join(sys.argv[2], "world")))["number"] > 0
    os.close(ours)
    os.close(theirs)
"""


def test_a_stand_in_ends_with_its_parent():
    peers = pathlib.Path(telegram_client.__file__).parent
    starter = subprocess.Popen(
        ["/usr/bin/python3", "-c",
         "import sys, time; from telegram_client import start_peer;"
         "print(*[f'{p.pid} {u}' for p, u in [start_peer('telegram.py')]], flush=True);"
         "time.sleep(60)"],
        cwd=peers, stdout=subprocess.PIPE, text=True)
    pid, base = starter.stdout.readline().split()
    assert request_json(f"{base}/sim/state")[0] == 200
    handle = os.pidfd_open(int(pid))
    starter.kill()
    starter.communicate()
    assert select.select([handle], [], [], 5)[0]
    os.close(handle)


def test_a_stand_in_that_is_ended_at_any_moment_leaves_its_world_whole(tmp_path):
    """Regression: a `docker wait` that was ended at its deadline left an empty engine, which answered nothing more."""
    done = subprocess.run([sys.executable, "-c", KILLED, COMMANDS, str(tmp_path)], check=False, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()


def test_a_command_that_hangs_is_the_process_that_was_called(tmp_path):
    """resident.py works for it, and who signals or kills it does not notice that."""
    (tmp_path / "plan").write_text(json.dumps([{"when": ["docker", "push"], "hang": True, "deaf": True}]))
    process = subprocess.Popen([stand_in("docker"), "push", "x"], env={"STAND": str(tmp_path)})
    hangs = tmp_path / "hangs"
    assert wait_until(lambda: hangs.exists() and hangs.read_text(), what="a call that hangs") == str(process.pid)
    assert json.loads((tmp_path / "calls").read_text())["process"] == process.pid
    ignored, = re.findall("^SigIgn:\t(.*)$", pathlib.Path(f"/proc/{process.pid}/status").read_text("ascii"), re.M)
    assert int(ignored, 16) & 1 << signal.SIGTERM - 1
    process.kill()
    assert process.wait(timeout=20) == -signal.SIGKILL


def test_a_record_that_is_being_written_is_not_there_yet_and_none_begins_within_another(tmp_path):
    """A long one was seen in part: two writes of a file object, or one that the kernel did page by page."""
    calls, long = tmp_path / "calls", {"words": ["x" * 100_000]}
    assert recorder.records_in(calls) == []
    recorder.append(calls, {"name": "docker"})
    whole = calls.read_bytes()
    for cut in (1, len(whole) - 1):
        calls.write_bytes(whole + whole[:cut])
        assert recorder.records_in(calls) == [{"name": "docker"}]
    calls.unlink()
    writers = [threading.Thread(target=recorder.append, args=(calls, long)) for _ in range(8)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert all(record == long for record in recorder.records_in(calls))
    assert recorder.records_in(calls) == 8 * [long]


def test_who_kills_a_command_ends_what_works_for_it(tmp_path):
    """Nobody reads its standard input any more."""
    process = subprocess.Popen([stand_in("docker"), "login", "--password-stdin", "--username", "x", "h"],
                               env={"STAND": str(tmp_path)}, stdin=subprocess.PIPE)
    calls, poll = tmp_path / "calls", select.poll()
    poll.register(process.stdin, 0)
    wait_until(lambda: calls.exists() and calls.read_text(), what="a call")
    assert not poll.poll(0)
    process.kill()
    assert process.wait(timeout=20) == -signal.SIGKILL
    wait_until(lambda: poll.poll(0), what="the end of who reads")
    process.stdin.close()


def test_a_command_ends_as_its_program_does(tmp_path):
    """By its own status, what it could not write, or a signal of the kernel."""
    (tmp_path / "world").write_text(json.dumps({"sites": {"http://x/": [[200, "x" * 10000]]}}))
    curl = f"{stand_in('curl')} --disable --output body --write-out '%{{http_code}}' http://x/"
    for line, status, said in ((f"{curl} 3>&1", 0, "200"), (f"{curl} >/dev/full", 120, ""), (f"{curl} <&-", 0, "200"),
                               (f"umask 077; {curl} && stat -c %a body", 0, "200600\n"), (f"{curl} --never", 2, ""),
                               (f"ulimit -f 1; {curl}; exit $((256 - $?))", 256 - 128 - signal.SIGXFSZ, "")):
        (tmp_path / "body").unlink(missing_ok=True)
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env={"STAND": str(tmp_path), "PATH": os.environ["PATH"]})
        assert (done.returncode, done.stdout) == (status, said), line


# ---- GitHub --------------------------------------------------------------------------------------

def test_the_signature_is_the_one_of_githubs_documentation():
    assert github.sign("It's a Secret to Everybody", b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")


@pytest.mark.parametrize("kind", ["json", "form"])
def test_a_push_is_signed_over_the_bytes_that_are_sent(receiver, kind):
    forge = github.GitHub(receiver.url, SECRET, content_type=kind)
    entry = forge.push("develop", "a" * 40)
    got = receiver.wait(1)[0]
    assert got["headers"]["X-Hub-Signature-256"] == github.sign(SECRET, got["body"])
    assert got["headers"]["X-GitHub-Event"] == "push"
    assert (entry["status"], entry["too_slow"]) == (200, False)
    if kind == "json":
        payload = json.loads(got["body"])
        assert payload["ref"] == "refs/heads/develop" and payload["after"] == "a" * 40
        assert 7000 < len(got["body"]) < 8500
    else:
        assert got["body"].startswith(b"payload=%7B%22ref%22")


def test_a_redelivery_has_the_same_id_and_bytes(receiver):
    forge = github.GitHub(receiver.url, SECRET)
    receiver.answers = [(500, {}, b"")]
    first = forge.push("develop", "a" * 40)
    second = forge.redeliver(first["guid"])
    assert (first["status"], second["status"], second["redelivery"]) == (500, 200, True)
    one, two = receiver.wait(2)
    assert one["body"] == two["body"]
    assert one["headers"]["X-GitHub-Delivery"] == two["headers"]["X-GitHub-Delivery"]


def test_nobody_there_is_an_answer_too():
    entry = github.GitHub("http://127.0.0.1:9/hook", SECRET).ping()
    assert entry["status"] is None and "refused" in entry["error"]


# ---- the sample application, and the panel -------------------------------------------------------

def test_a_broken_commit_builds_and_says_nothing_of_it(tmp_path):
    _, tree = sample_app.create(tmp_path, build_seconds=0)
    made = sample_app.change(tree, "develop", "broken")
    assert made["subject"] in sample_app.BROKEN_SUBJECTS
    assert answer_of(tree, "broken") == 500
    sample_app.change(tree, "develop", "good")
    assert answer_of(tree, "good") == 200


def answer_of(tree, commit):
    """Builds and runs what is checked out; returns the status of /health."""
    port = free_port()
    environment = {"PATH": "/usr/bin:/bin", "PORT": str(port), "COMMIT": commit,
                   "ENVIRONMENT": "staging"}
    subprocess.run([tree / ".deploybot/build"], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    with subprocess.Popen([tree / ".deploybot/run"], env=environment, text=True,
                          stdout=subprocess.PIPE) as app:
        try:
            app.stdout.readline()
            wait_until(lambda: get(f"http://127.0.0.1:{port}/health")[0], what="the application")
            status, answer = request_json(f"http://127.0.0.1:{port}/health")
            assert answer["commit"] == commit
            return status
        finally:
            app.terminate()


def test_a_commit_that_does_not_build_fails_in_its_build(tmp_path):
    _, tree = sample_app.create(tmp_path, build_seconds=0)
    sample_app.change(tree, "develop", "build")
    done = subprocess.run([tree / ".deploybot/build"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "not a number" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("before", sample_app.KINDS)
def test_a_change_breaks_what_it_says_whatever_was_broken_before(tmp_path, before):
    _, tree = sample_app.create(tmp_path, build_seconds=0)
    good = {name: (tree / name).read_text("utf-8") for name in ("app.py", "prices.csv", "settings.json")}
    broken = {"good": None, "broken": "settings.json", "crash": "app.py", "build": "prices.csv"}
    for kind in sample_app.KINDS:
        sample_app.change(tree, "develop", before)
        sample_app.change(tree, "develop", kind)
        changed = [name for name, text in good.items() if (tree / name).read_text("utf-8") != text]
        assert changed == [broken[kind]] * (kind != "good")


def test_the_panel_pushes_commits_and_delivers_them(tmp_path, receiver):
    bare, tree = sample_app.create(tmp_path / "app", build_seconds=0)
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    process, base = telegram_client.start_peer("github.py", "--work", str(tree), "--deliver-to",
                                               receiver.url, "--secret-file", str(secret))
    try:
        with Telegram.start("--panel-url", base) as chat:
            made = chat.act("panel/push", branch="develop", kind="good")
            assert made["delivery"]["status"] == 200
            payload = receiver.updates()[0]
            assert payload["after"] == made["after"]
            assert payload["head_commit"]["message"] == made["subject"]
            assert sample_app.git(bare, "rev-parse", "develop") == made["after"]
            state = chat.get("panel/state")
            (shop,) = state["applications"]
            assert shop["branches"][0]["commits"][0]["id"] == made["after"]
            refused = telegram_client.request_json(f"{base}/push", {"application": "blog"})
            assert refused == (400, {"error": "there is no such application"})
    finally:
        telegram_client.stop_peer(process)
