"""Goal: a service manager hears when the server can work, and when it stops."""
# SPDX-License-Identifier: ISC
import socket

from stage import Stage, get


def test_systemd_hears_of_ready_and_stopping(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(str(tmp_path / "notify"))
        with Stage(tmp_path / "stage", settings={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as stage:
            assert manager.recv(4096) == b"READY=1"
            assert get(stage.bot.base + "/readyz")[0] == 200
            assert stage.bot.stop() == 0
            assert manager.recv(4096) == b"STOPPING=1"
