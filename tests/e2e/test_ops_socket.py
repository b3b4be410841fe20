"""Goal: on a socket that the service manager keeps nobody is refused, and nothing is lost, while
deploybot restarts."""
# SPDX-License-Identifier: ISC
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading

import pytest

from github import push_payload
from crash_aid import runner_of
from namespace_aid import MOUNTS, need
from ops_aid import WAIT_S, bare, check_stop, connect, github_headers, receive, request
from stage import get, wait_until

RESTARTS = 10
CALLERS = 12
PATIENCE_S = 60
# As systemd does it: the sockets from 3 on, how many, and for whom.
GIVE = ('count=$1; names=$2; shift 2; to=3; '
        'for from in $names; do eval "exec $to<&$from"; to=$((to + 1)); done; '
        'export LISTEN_PID=${LISTEN_PID:-$$} LISTEN_FDS=$count; exec "$@"')


def listener(address=("127.0.0.1", 0)):
    made = socket.socket(socket.AF_INET)
    made.bind(address)
    made.listen(511)
    return made


def activated(folder, *sockets, env=None, **more):
    """A deploybot that gets these sockets; its own port is one that nobody may need."""
    bot = bare(folder, **more)
    fds = [s.fileno() for s in sockets]
    bot.pass_fds = fds
    bot.wrapper = ["bash", "-c", GIVE, "bash", str(len(fds)), " ".join(map(str, fds))]
    bot.settings.update(env or {})
    for made in sockets:
        if made.family == socket.AF_INET and made.type == socket.SOCK_STREAM:
            bot.port = made.getsockname()[1]
            bot.base = f"http://127.0.0.1:{bot.port}"
            break
    return bot


def push_body(number):
    """A push to a branch of no environment; its commit is the number."""
    return json.dumps(push_payload("orchard/shop", "refs/heads/nobodys", "1" * 40, f"{number:040x}")).encode()


class Caller(threading.Thread):
    """Signed pushes on new connections, one after the other, until it is stopped."""

    def __init__(self, bot, number):
        super().__init__(daemon=True)
        self.bot = bot
        self.number = number
        self.is_over = False
        self.taken = []
        self.failures = []

    def run(self):
        n = 0
        while not self.is_over:
            n += 1
            guid = f"{self.number}-{n}"
            body = push_body(self.number * 1_000_000 + n)
            connection = http.client.HTTPConnection("127.0.0.1", self.bot.port, timeout=PATIENCE_S)
            try:
                connection.request("POST", "/github/webhook", body,
                                   github_headers(body, event="push", guid=guid))
                status = connection.getresponse().status
                if status in (200, 202):
                    self.taken.append(guid)
                else:
                    self.failures.append((guid, status))
            except OSError as error:
                self.failures.append((guid, repr(error)))
            except http.client.HTTPException as error:
                self.failures.append((guid, repr(error)))
            finally:
                connection.close()


@pytest.mark.long
def test_nobody_is_refused_and_no_push_is_lost_over_restarts_under_load(tmp_path):
    with listener() as kept:
        bot = activated(tmp_path, kept).start()
        callers = [Caller(bot, n) for n in range(CALLERS)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(RESTARTS):
                before = sum(len(c.taken) for c in callers)
                wait_until(lambda n=before: sum(len(c.taken) for c in callers) > n + 50, WAIT_S, "load")
                check_stop(bot)
                bot.start(wait=False)
        finally:
            for caller in callers:
                caller.is_over = True
            for caller in callers:
                caller.join(PATIENCE_S)
        failures = [f for c in callers for f in c.failures]
        taken = {guid for c in callers for guid in c.taken}
        assert failures == []
        assert len(taken) > RESTARTS * 50
        known = known_deliveries(tmp_path)
        assert taken <= known, taken - known
        check_stop(bot)


def test_whoever_was_accepted_before_the_end_is_heard(tmp_path):
    """Half of a push is there when the server is stopped: it is read, kept and answered."""
    bot = bare(tmp_path).start()
    body = push_body(7)
    head = "".join(f"{k}: {v}\r\n" for k, v in github_headers(body, guid="half").items())
    raw = (f"POST /github/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
           f"{head}\r\n").encode() + body
    with connect(bot, PATIENCE_S) as conn:
        conn.sendall(raw[:-40])
        assert request(bot, "GET", "/healthz").status == 200    # by then the half was read
        bot.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping: " in bot.log(), WAIT_S, "the stop")
        conn.sendall(raw[-40:])
        assert receive(conn).status == 200
    assert bot.process.wait(PATIENCE_S) == 0
    assert known_deliveries(tmp_path) == {"half"}


def known_deliveries(folder):
    with sqlite3.connect(f"file:{folder}/state/deploybot.db?mode=ro", uri=True) as rows:
        return {row[0] for row in rows.execute("SELECT id FROM inbox WHERE source = 'github'")}


def test_the_given_socket_is_served_instead_of_the_settings_and_said(tmp_path):
    with listener() as kept:
        bot = activated(tmp_path, kept).start()
        port = kept.getsockname()[1]
        assert f"listening on 127.0.0.1:{port} from the service manager" in bot.log()
        assert get(f"http://127.0.0.1:{bot.settings['API_SERVER_PORT']}/healthz")[0] == 0
        assert f"say 127.0.0.1:{bot.settings['API_SERVER_PORT']}, and count for nothing" in bot.log()
        assert "and does not listen on port" in bot.run("check-config").stderr
        check_stop(bot)


def test_who_changes_the_socket_unit_is_told_to_stop_all_three(tmp_path):
    """Regression: "systemctl restart" of two, where systemd refuses a socket whose server runs."""
    need(*MOUNTS)
    in_systemd = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && " \
        '>/run/systemd/system/deploybot.socket && exec "$@"'
    with listener() as kept:
        bot = activated(tmp_path, kept).start()
        words = [*MOUNTS, "sh", "-c", in_systemd, "sh", bot.build / "deploybot", "check-config"]
        said = subprocess.run(words, cwd=bot.folder, env=bot.environment(), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=60, check=False)
        assert "then systemctl stop deploybot.socket deploybot-local.socket deploybot, and start" in said.stderr, said
        check_stop(bot)


def test_one_of_the_settings_own_address_is_no_warning(tmp_path):
    with listener() as kept:
        bot = activated(tmp_path, kept)
        bot.settings["API_SERVER_PORT"] = str(kept.getsockname()[1])
        bot.start(wait=False)
        wait_until(lambda: "from the service manager" in bot.log(), WAIT_S, "the start")
        assert "count for nothing" not in bot.log()
        assert "API_SERVER_PORT" not in bot.run("check-config").stderr
        check_stop(bot)


def test_a_port_that_another_program_has_is_not_called_ours(tmp_path):
    """deploybot runs, on the port of its start; the one that the settings say now is somebody else's."""
    with listener() as other:
        bot = bare(tmp_path).start()
        bot.settings["API_SERVER_PORT"] = str(other.getsockname()[1])
        found = bot.run("check-config").stderr
        assert "deploybot runs, but port " in found and "the next start would fail" in found
        check_stop(bot)


def test_a_unix_socket_is_served_and_its_file_stays(tmp_path):
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as kept:
        kept.bind(str(path))
        kept.listen(16)
        bot = activated(tmp_path, kept).start(wait=False)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(PATIENCE_S)
            caller.connect(str(path))
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert caller.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert f"listening on unix:{path} from" in bot.log()
        check_stop(bot)
        assert path.exists()


def test_the_command_lines_socket_is_known_by_its_name_and_has_v1_alone(tmp_path):
    path = tmp_path / "local.sock"
    with socket.socket(socket.AF_UNIX) as kept, listener() as http:
        kept.bind(str(path))
        kept.listen(16)
        bot = activated(tmp_path, kept, http, env={"LISTEN_FDNAMES": "local:deploybot.socket"}).start()
        answers = []
        for target in (b"/v1/status", b"/healthz"):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(PATIENCE_S)
                caller.connect(str(path))
                caller.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                answers.append(caller.recv(12))
        assert answers == [b"HTTP/1.1 403", b"HTTP/1.1 200"]     # we are the server's own user
        assert get(bot.base + "/v1/status")[0] == 404
        check_stop(bot)
        assert path.exists()


def test_no_child_has_the_socket_or_its_variables(tmp_path):
    """A run that outlived us would else hold the port for as long as it takes."""
    with listener() as kept:
        mine = os.fstat(kept.fileno()).st_ino
        bot = activated(tmp_path, kept).start()
        runner = runner_of(bot.process.pid)
        assert mine in inodes_of(bot.process.pid)
        assert mine not in inodes_of(runner)
        environment = pathlib.Path(f"/proc/{runner}/environ").read_bytes()
        assert b"LISTEN_" not in environment
        check_stop(bot)


def inodes_of(pid):
    found = []
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(path.stat().st_ino)
        except OSError:
            pass
    return found


def test_sockets_for_another_process_are_left_alone(tmp_path):
    with listener() as kept:
        bot = activated(tmp_path, kept, env={"LISTEN_PID": "1"})
        bot.port = int(bot.settings["API_SERVER_PORT"])
        bot.base = f"http://127.0.0.1:{bot.port}"
        bot.start()
        assert "service manager" not in bot.log()
        assert request(bot, "GET", "/healthz").status == 200
        check_stop(bot)


def test_the_first_that_can_be_served_is_taken(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as odd, listener() as kept, \
            listener() as second:
        bot = activated(tmp_path, odd, kept, second).start()
        assert "descriptor 3 is not served: it is no stream socket" in bot.log()
        assert "descriptor 5 is not served: one socket is enough" in bot.log()
        check_stop(bot)


def test_nothing_that_can_be_served_is_a_start_that_says_what_to_do(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as odd:
        bot = activated(tmp_path, odd).start(wait=False)
        assert bot.process.wait(PATIENCE_S) == 78
        assert "none of 1 descriptors can be served: the .socket unit needs ListenStream=" in bot.log()


def test_systemds_own_program_hands_it_over(tmp_path):
    program = shutil.which("systemd-socket-activate")
    if program is None:
        pytest.skip("systemd-socket-activate is not installed (package systemd)")
    bot = bare(tmp_path)
    port = bot.settings["API_SERVER_PORT"]
    names = [f"--setenv={name}={value}" for name, value in bot.environment().items()]
    log = tmp_path / "activate.log"
    with open(log, "ab") as out:
        process = subprocess.Popen(
            [program, f"--listen=127.0.0.1:{port}", *names, str(bot.build / "deploybot"), "serve"],
            cwd=tmp_path, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: get(bot.base + "/healthz")[0] == 200, WAIT_S, "the first caller's answer")
        assert "from the service manager" in log.read_text(encoding="utf-8")
    finally:
        process.terminate()     # it has become deploybot itself
        status = process.wait(PATIENCE_S)
    assert status == 0, log.read_text(encoding="utf-8")
