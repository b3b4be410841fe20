"""Goal: a server and a runner of another user, joined by a socket: a deployment goes as with one user, either may end
and come again in the middle of it, and neither can touch what is the other's."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import signal
import sqlite3
import subprocess

import pytest

from crash_aid import HOLD, STEADY, is_alive
from flow_aid import PATIENCE_S
from service_aid import AS_RUNNER, AS_SERVER, RUNNER, SERVER, TWO_USERS, ServiceScene, give
from stage import get, wait_until


@pytest.fixture(scope="module")
def scene():
    made = ServiceScene(settings={"SHUTDOWN_TIMEOUT_SECONDS": "30"})
    yield made
    made.close()


@pytest.fixture(autouse=True)
def running(scene):
    yield
    scene.go_on()
    if scene.service.process.poll() is not None:
        scene.service.start()
    if scene.bot.process.poll() is not None:
        scene.bot.start()
    scene.wait_runner()
    scene.wait_free()


def begin(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Deploying staging")
    scene.wait_held()
    return who


def test_a_deployment_goes_and_each_has_what_is_his(scene):
    scene.scripts.deploy('id -u >"$here/user"; echo "this is shown"; ' + STEADY)
    scene.release()
    run = scene.last_run()
    assert b"this is shown" in subprocess.check_output([*AS_SERVER, "cat", scene.run_folder(run) / "log"])
    assert (scene.scripts.folder / "user").read_text().strip() == str(RUNNER if TWO_USERS else os.geteuid())
    ours, theirs = ((RUNNER, SERVER), (SERVER, SERVER)) if TWO_USERS else ((), ())
    assert scene.mode("runs") == ("0o2750", *ours)
    assert scene.mode(f"runs/{run}") == ("0o2750", *ours)
    for name in ("log", "order", "leader"):
        assert scene.mode(f"runs/{run}/{name}") == ("0o640", *ours), name
    # Who may read it may lock it, and its supervisor would seem alive.
    assert scene.mode(f"runs/{run}/exit")[0] == "0o600"
    assert scene.mode("environments")[0] == "0o750" and scene.mode("environments/staging.json") == ("0o640", *theirs)
    assert scene.mode("deploybot.db")[0] == "0o600"


def test_what_is_the_runners_the_server_may_not_touch(scene):
    """The server's user may order, read and connect; it cannot write, remove or put another folder in place."""
    if not TWO_USERS:
        pytest.skip("one user only: not root")
    scene.scripts.deploy(STEADY)
    scene.release()
    state, run = scene.folder / "state", scene.run_folder()
    for command in (f"echo x >>{run}/log", f"rm -f {run}/exit", f"touch {state}/runs/x", f"mkdir {state}/runs/99",
                    f"mv {state}/runs {state}/runs.old", f"mv {state}/git {state}/git.old", f"ls {state}/git",
                    f"rm -f {scene.folder}/run/runner.sock", f"touch {state}/apps/x"):
        done = subprocess.run([*AS_SERVER, "sh", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "denied" in done.stderr or "not permitted" in done.stderr, (command, done)


# ---- either ends in the middle ---------------------------------------------------------------------


def test_a_stopping_server_does_not_wait_and_the_next_adopts(scene):
    who = begin(scene)
    leader = scene.leader()
    scene.bot.process.send_signal(signal.SIGTERM)
    assert scene.bot.process.wait(15) == 0, "SHUTDOWN_TIMEOUT_SECONDS is 30: it did not wait"
    assert "1 runs keep running under their runner" in scene.bot.log() and is_alive(leader)
    scene.bot.start()
    scene.wait_runner()
    assert is_alive(leader) and scene.is_busy("staging")
    scene.go_on()
    who.hear("Live: staging")
    assert scene.scripts.live() == scene.state_file("staging")["commit"]


def test_a_killed_server_changes_nothing_either(scene):
    who = begin(scene)
    leader = scene.leader()
    scene.crash()
    assert is_alive(leader)
    scene.bot.start()
    scene.go_on()
    who.hear("Live: staging")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_runner_may_end_under_a_run(scene, number):
    who = begin(scene)
    leader = scene.leader()
    status = scene.service.stop(number)
    assert status == (0 if number == signal.SIGTERM else -number)
    scene.wait_runner(False)
    status, text = get(scene.bot.base + "/readyz")
    assert status == 200 and text.startswith("ready; the runner is disconnected (") and \
        text.endswith(": deployments are queued\n")
    assert is_alive(leader)
    scene.service.start()
    scene.wait_runner()
    assert get(scene.bot.base + "/readyz") == (200, "ready\n")
    assert is_alive(leader) and scene.is_busy("staging")
    scene.go_on()
    who.hear("Live: staging")


def test_a_run_without_a_runner_is_abandoned_by_a_person_alone(scene):
    """Its message says that the runner is disconnected; what the run does later changes nothing."""
    who = begin(scene)
    run, leader = scene.last_run(), scene.leader()
    with contextlib.closing(sqlite3.connect(scene.folder / "state" / "deploybot.db")) as rows:
        number = rows.execute("SELECT deployment FROM run WHERE id = ?", (run,)).fetchone()[0]
    who.say(f"/abandon {number}")
    who.hear("Not abandoned: staging", "is connected and is waited for")
    scene.service.stop()
    who.hear("Deploying staging", "its runner is disconnected since")
    who.say(f"/abandon {number}")
    asked = who.hear("Abandon staging?", "may go on: this stops nothing")
    who.press(asked, "Abandon #")
    unknown = who.hear("State unknown: staging", "abandoned by", buttons=["Resume"])
    assert is_alive(leader)
    scene.go_on()
    wait_until(lambda: f"run {run}, which was abandoned, ended with 0" in scene.bot.log(), PATIENCE_S, "its end")
    who.say("/status staging")
    who.hear("staging: not known what runs")
    scene.service.start()
    scene.wait_runner()
    who.press(unknown, "Resume")


def test_a_run_that_ends_while_there_is_no_runner_has_its_verdict(scene):
    who = begin(scene)
    scene.service.stop()
    scene.go_on()
    who.hear("Live: staging")     # its supervisor says so itself
    scene.service.start()


def test_both_may_end_under_a_run(scene):
    who = begin(scene)
    leader = scene.leader()
    scene.service.stop(signal.SIGKILL)
    scene.crash()
    assert is_alive(leader)
    scene.bot.start()            # first, and finds no runner
    assert scene.is_busy("staging")
    scene.service.start()
    scene.wait_runner()
    scene.go_on()
    who.hear("Live: staging")


def test_a_supervisor_killed_while_there_is_no_runner_is_a_lost_run(scene):
    """The runner that comes reconciles it: what it started is ended, and that is reported."""
    begin(scene)
    run, leader, supervisor = scene.last_run(), scene.leader(), scene.supervisor()
    scene.service.stop(signal.SIGKILL)
    assert supervisor > 1
    os.kill(supervisor, signal.SIGKILL)
    scene.service.start()
    wait_until(lambda: b"\nlost 1\n" in (scene.run_folder(run) / "exit").read_bytes(), PATIENCE_S, "its record")
    assert not is_alive(leader)
    scene.wait_free()


def test_an_order_waits_for_a_runner_that_is_away(scene):
    scene.scripts.deploy(STEADY)
    scene.release()
    scene.service.stop()
    scene.wait_runner(False)
    who = scene.admin()
    who.say("/deploy staging")
    scene.service.start()
    who.hear("Live: staging")


def test_the_log_says_that_the_runner_went_and_that_it_is_there(scene):
    lost = "is disconnected: there is no such socket"
    before = scene.bot.log().count(lost)
    scene.service.stop()
    wait_until(lambda: scene.bot.log().count(lost) > before, PATIENCE_S, "the log")
    scene.wait_runner(False)
    scene.service.start()
    scene.wait_runner()
    assert scene.bot.log().rstrip().count(f"the runner at {scene.service.socket} is connected") >= 1


def test_a_folder_that_the_server_cannot_see_is_said_once_and_found_again(scene):
    """Another STATE_DIRECTORY, or a user who is not in the group: an order that nobody follows."""
    if not TWO_USERS:
        pytest.skip("one user only: not root")
    scene.scripts.deploy(STEADY)
    words = "its supervisor cannot be reached: run {}: its folder: Permission denied: server and runner need one"
    who = scene.admin()
    os.chmod(scene.folder / "state" / "runs", 0o2700)
    try:
        who.say("/deploy staging")
        who.hear("Deploying staging")
        run = wait_until(lambda: scene.bot.log().count("its supervisor cannot be reached") and scene.last_run(),
                         PATIENCE_S, "the log")
        for _ in range(8):      # meanwhile it is tried again and again
            assert "runs cannot be read, so no log can be shown" in scene.as_server("doctor").stdout
    finally:
        os.chmod(scene.folder / "state" / "runs", 0o2750)
    who.hear("Live: staging")
    assert scene.bot.log().count(words.format(run)) == 1


# ---- what the runner's user may make beside the database -----------------------------------------------


GRABS = """
import fcntl, os, sys
lock = os.open(".", os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
for name in sys.argv[1:]:
    try:
        os.mkdir(name)
        print("made", name)
    except FileExistsError:
        print("there", name)
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not TWO_USERS, reason="it takes two users")
def test_the_runners_user_cannot_keep_the_server_from_starting(scene):
    """Neither by a file that the server is going to make, nor by a lock on the folder that both may read."""
    names = ["deploybot.db" + end for end in ("", "-journal", "-wal", "-shm", "-reserve")]
    names += ["under-way", "environments"]
    state = scene.folder / "state"
    scene.scripts.deploy(STEADY)
    scene.release()
    scene.bot.stop()
    with subprocess.Popen([*AS_RUNNER, "/usr/bin/python3", "-c", GRABS, *names], cwd=state, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as grabs:
        try:
            said = [grabs.stdout.readline() for _ in range(len(names) + 1)]
            assert said == [f"there {name}\n" for name in names] + ["done\n"]
            scene.bot.start()
            scene.wait_runner()
            scene.release()
        finally:
            grabs.kill()


@pytest.mark.parametrize("make", ["head -c 32 /dev/zero >{key} && chmod 666 {key}", "ln -s {other} {key}"])
def test_a_key_that_the_runners_user_made_marks_no_secret(scene, make):
    """Whoever knows the key of the marks tries weak secrets against a copy of the database: none is marked under it."""
    if not TWO_USERS:
        pytest.skip("one user only: not root")
    key, other = scene.folder / "state/secret-marks.key", scene.folder / "scripts/known.key"
    other.write_bytes(b"a key of 32 bytes known to them.")
    scene.bot.stop()
    key.unlink()
    subprocess.run([*AS_RUNNER, "sh", "-c", make.format(key=key, other=other)], check=True)
    said = scene.bot.log().count("how old secrets are is not known")
    scene.bot.start()
    wait_until(lambda: scene.bot.log().count("how old secrets are is not known") > said, PATIENCE_S, "a warning")
    assert "secret-marks.key" in scene.bot.log()
    scene.bot.stop()
    key.unlink()
    scene.bot.start()
    wait_until(lambda: key.exists() and key.stat().st_size == 32, PATIENCE_S, "a key of the server's own")
    assert key.stat().st_uid == SERVER


def test_a_second_server_on_the_same_state_is_refused(scene):
    second = scene.as_server("serve")
    assert second.returncode == 75 and "another deploybot uses" in second.stderr + second.stdout


# ---- settings, doctor ------------------------------------------------------------------------------


def test_the_server_reads_no_secret_of_the_runners(scene):
    """It need not be able to; what is wrong with it the runner says, when it is needed."""
    secret = scene.folder / "runner-secret"
    secret.write_text("a-token-that-is-the-runners-0123456789", encoding="ascii")
    give(secret, RUNNER, RUNNER, 0o600)
    scene.bot.settings["REPOSITORY_TOKEN_FILE"] = str(secret)
    try:
        checked = scene.as_server("check-config")
        assert checked.returncode == 0, checked.stderr
        assert f"a service at {scene.service.socket}; its own secrets are not checked" in checked.stdout
        if TWO_USERS:
            scene.bot.settings["RUNNER_SOCKET"] = ""
            checked = scene.as_server("check-config")
            assert checked.returncode == 78 and "REPOSITORY_TOKEN_FILE: cannot open" in checked.stderr
    finally:
        scene.bot.settings["RUNNER_SOCKET"] = scene.service.socket
        del scene.bot.settings["REPOSITORY_TOKEN_FILE"]


def test_a_socket_with_a_path_too_long_is_refused(scene):
    scene.bot.settings["RUNNER_SOCKET"] = "/run/" + "x" * 103
    try:
        checked = scene.as_server("check-config")
    finally:
        scene.bot.settings["RUNNER_SOCKET"] = scene.service.socket
    assert checked.returncode == 78
    assert "RUNNER_SOCKET: is 108 bytes long, and may be 107" in checked.stderr


def test_doctor_asks_the_runner_beside_a_server_that_works(scene):
    said = scene.as_server("doctor").stdout
    assert f"ok       runner: it answers at {scene.service.socket} and speaks our version" in said, said
    assert f"ok       git: {scene.repository} answers" in said
    assert f"ok       runner: {scene.folder}/state/runs can be read" in said
    assert "SSH_KEY_PATH" not in said and "DEPLOY_SCRIPT" not in said
    scene.release()     # the server's own connection is none the worse


def test_doctor_says_when_the_runner_is_away_or_out_of_reach(scene):
    scene.service.stop()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Not deployed: staging", "deploybot-runner is disconnected", without=("restarted",))
    said = scene.as_server("doctor")
    assert said.stdout.count(f"error    runner: at {scene.service.socket}: there is no such socket: start "
                             "deploybot-runner, or set RUNNER_SOCKET right") == 1, said
    assert said.stderr == "", "each of its lines is a finding"
    scene.service.stop()
    scene.service.start()
    if TWO_USERS:
        os.chown(scene.folder / "run", RUNNER, RUNNER)
        said = scene.as_server("doctor").stdout
        os.chown(scene.folder / "run", RUNNER, SERVER)
        os.chmod(scene.folder / "run", 0o2750)
        assert "permission denied: our user must be in the group of the socket and of its folder" in said, said
