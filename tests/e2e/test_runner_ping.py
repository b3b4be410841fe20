"""Goal: a container's health check knows a runner that works from one that is hung, gone, or never was; and one that
never was says why in its last line."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from flow_aid import PATIENCE_S
from runner_client import PROGRAM
from service_aid import AS_RUNNER, AS_SERVER, RUNNER, TWO_USERS, RunnerService, ServiceScene

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8"}


@pytest.fixture
def service():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-ping-"))
    folder.chmod(0o755)
    ServiceScene.prepare(folder)
    made = RunnerService(folder / "lib" / "deploybot-runner", folder, folder / "run" / "runner.sock", folder / "state",
                         ENVIRONMENT).start()
    yield made
    made.process.send_signal(signal.SIGCONT)
    made.stop()
    shutil.rmtree(folder)


def ping(service, user=None):
    done = subprocess.run([*(user or AS_RUNNER), str(service.program), "--ping", str(service.socket)], cwd="/",
                          env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_says_its_version_and_its_arguments():
    said = {word: subprocess.run([PROGRAM, word], capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
            for word in ("--version", "--help")}
    server = subprocess.run([os.path.join(os.path.dirname(PROGRAM), "deploybot"), "version"], capture_output=True,
                            text=True, timeout=PATIENCE_S, check=True).stdout
    assert said["--version"].split() == ["deploybot-runner", server.split()[1]]
    assert said["--help"].startswith("usage: deploybot-runner ")


def test_a_runner_that_works_is_well_and_says_nothing_of_being_asked(service):
    before = service.log()
    for _ in range(6):      # more than may be connected at once
        assert ping(service) == (0, "")
    assert service.log() == before
    assert ping(service, AS_SERVER) == (0, "")


def test_one_that_hangs_or_is_gone_is_not(service):
    service.process.send_signal(signal.SIGSTOP)
    status, said = ping(service)
    assert status == 1 and "runner.sock: it does not answer" in said
    service.process.send_signal(signal.SIGCONT)
    assert ping(service) == (0, "")
    service.process.kill()
    service.process.wait()
    status, said = ping(service)
    assert status == 1 and "runner.sock: no process listens" in said
    service.socket.unlink()
    status, said = ping(service)
    assert status == 1 and "no process listens: No such file" in said


def test_settings_that_it_may_not_read_are_said_with_its_user(service):
    conf = service.state.parent / "deploybot.conf"
    for words in ("No such file or directory", "Permission denied"):
        if words == "Permission denied" and not TWO_USERS:
            continue
        status, said = service.refused("--env-file", str(conf))
        user = RUNNER if TWO_USERS else os.geteuid()
        assert status == 78
        closed = words == "Permission denied"
        remedy = f"let user {user} read it" if closed else f"put it there, for user {user} to read"
        assert said == f"deploybot-runner: cannot open {conf}: {words}: {remedy}"
        conf.touch(mode=0o600)
