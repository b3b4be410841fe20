"""Goal: a service manager is notified when the server can work, and when it stops."""
# SPDX-License-Identifier: ISC
import pathlib
import signal
import socket

import pytest

from stage import Stage, get, wait_until


@pytest.mark.long
def test_systemd_hears_of_ready_and_stopping(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(str(tmp_path / "notify"))
        with Stage(tmp_path / "stage", settings={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as stage:
            assert manager.recv(4096) == b"READY=1"
            assert get(stage.bot.base + "/readyz")[0] == 200
            assert stage.bot.stop() == 0
            assert manager.recv(4096) == b"STOPPING=1"


def test_systemd_hears_why_it_does_not_start(tmp_path):
    """Between two attempts `systemctl status` shows no line of the log: this is what it shows then."""
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(str(tmp_path / "notify"))
        with pytest.raises(RuntimeError):
            Stage(tmp_path / "stage", settings={"NOTIFY_SOCKET": str(tmp_path / "notify"),
                                                "STATE_DIRECTORY": str(tmp_path / "file" / "state")})
        said = manager.recv(4096).decode()
    assert said.startswith("STATUS=cannot start: ") and str(tmp_path / "file") in said, said


def test_systemd_hears_that_the_loop_turns_and_nothing_when_it_hangs(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(str(tmp_path / "notify"))
        with Stage(tmp_path / "stage", settings={"NOTIFY_SOCKET": str(tmp_path / "notify"),
                                                 "WATCHDOG_USEC": "400000"}) as stage:
            assert manager.recv(4096) == b"READY=1"
            for _ in range(5):
                assert manager.recv(4096) == b"WATCHDOG=1"
            stage.bot.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_stopped(stage.bot.process.pid), what="the stop")
            manager.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    manager.recv(4096)      # what was said before
            manager.settimeout(2)
            with pytest.raises(TimeoutError):
                manager.recv(4096)
            stage.bot.process.send_signal(signal.SIGCONT)
            manager.settimeout(30)
            assert manager.recv(4096) == b"WATCHDOG=1"


def is_stopped(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rsplit(")", 1)[1].split()[0] == "T"
