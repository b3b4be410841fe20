"""Goal: a server and a runner of another user, joined by a socket: a deployment goes as with one user, either may end
and come again in the middle of it, and neither can touch what is the other's."""
# SPDX-License-Identifier: ISC
import os
import subprocess

import pytest

from crash_aid import HOLD, STEADY
from service_aid import AS_SERVER, RUNNER, SERVER, TWO_USERS, ServiceScene


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
    for name in ("log", "exit", "order", "leader"):
        assert scene.mode(f"runs/{run}/{name}") == ("0o640", *ours), name
    assert scene.mode("environments")[0] == "0o750" and scene.mode("environments/staging.json") == ("0o640", *theirs)
    assert scene.mode("deploybot.db")[0] == "0o600"
