"""Goal: a runner that listens serves several servers at once, each as if it were alone; it starts only where it is
safe to, ends as it is asked to, and leaves no run and no process behind.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import errno
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from namespace_aid import MOUNTS, need  # noqa: E402
from runner_client import (  # noqa: E402
    PROGRAM, VERSION, Bench, Channel, Supervisor, children_of, encode, is_alive, wait_for)

QUERIES_AT_ONCE = 16    # PROTOCOL_GIT_QUERIES_MAX: so many run side by side
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root has more than one user")


class Server(Channel):
    """One connection to a runner that listens."""

    def __init__(self, path, greet=True):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.connect(str(path))
        super().__init__(sock)
        if greet:
            self.send("hello", version=VERSION)
            assert self.until("hello")["version"] == VERSION

    def order(self, run, **fields):
        wanted = {"program": "deploy", "environment": "staging", "argument": "1a2b3c4d5e6f", "deadline_s": 60,
                  "grace_s": 1, "deployment": 7, "ref": "main", **fields}
        self.send("run", id=run, **wanted)
        return self.until("started", "refused")

    def settle(self, run):
        self.send("settle", id=run)
        return self.until("settled")


class ListenBench(Bench):
    def __init__(self, path):
        super().__init__(path)
        self.folder = path / "run"
        self.folder.mkdir()
        self.socket = self.folder / "runner.sock"
        self.process = None
        self.said = path / "said"
        self.servers = []

    def command(self, *more, listen=None, state=None):
        return [PROGRAM, "--listen", str(listen or self.socket), "--state", str(state or self.state), *more]

    def environment(self, script):
        return {"HOME": "/", "PATH": "/usr/bin:/bin", "DEPLOY_SCRIPT": self.script(script),
                **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}

    def start(self, script, *more, wrapper=()):
        before = self.words().count("ready: ")
        with self.said.open("ab") as said:
            self.process = subprocess.Popen([*wrapper, *self.command(*more)], env=self.environment(script),
                                            stdin=subprocess.DEVNULL, stderr=said, start_new_session=True)
        wait_for(lambda: self.words().count("ready: ") > before or self.process.poll() is not None, "the runner")
        assert self.process.poll() is None, self.words()
        return self.server()

    def words(self):
        return self.said.read_text() if self.said.exists() else ""

    def server(self, greet=True):
        made = Server(self.socket, greet)
        self.servers.append(made)
        return made

    def refused(self, *more, env=None, wrapper=(), **places):
        """(exit status, the last line it says) of a runner that must not start."""
        done = subprocess.run([*wrapper, *self.command(*more, **places)], stdin=subprocess.DEVNULL, text=True,
                              env={"HOME": "/", "PATH": "/usr/bin:/bin", **(env or {})}, capture_output=True,
                              timeout=20, check=False)
        return done.returncode, done.stderr.strip().splitlines()[-1]

    def done(self):
        for server in self.servers:
            server.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)
        super().done()


def go(bench, run):
    """Connects to the supervisor of a run and opens its gate."""
    return Supervisor(bench.state / "runs" / str(run)).go()


@pytest.fixture
def bench(tmp_path):
    made = ListenBench(tmp_path)
    yield made
    made.done()


# ---- what a run leaves behind ----------------------------------------------------------------------


def test_no_secret_that_a_run_was_given_gets_into_a_log_that_another_user_reads(bench):
    """The server, which shows it to people, knows none of them and could not hide them."""
    password = "correct-horse-battery-staple"
    (bench.path / "env").write_text(f"REGISTRY_USER=ci\nREGISTRY_PASSWORD={password}\n")
    server = bench.start('secret=$(cat "$REGISTRY_PASSWORD_FILE"); echo "login $secret ok"; '
                         'printf "half ${secret:0:9}"; touch $MARKS/half; '
                         'until [[ -e $MARKS/on ]]; do sleep 0.01; done; printf "${secret:9}\\n"; '
                         'echo "==> release"; printf %s "end ${secret:0:9}"', "--env-file", str(bench.path / "env"))
    log = bench.state / "runs" / "1" / "log"
    assert server.order(1).kind == "started"
    supervisor = go(bench, 1)
    wait_for(lambda: bench.has_mark("half") and b"half " in log.read_bytes(), "the first half")
    assert password[:9].encode() not in log.read_bytes()
    (bench.marks / "on").write_text("x\n")
    record = supervisor.exit()
    assert record["released"] and record.names == ["release"]
    assert log.read_bytes() == f"login *** ok\nhalf ***\n==> release\nend {password[:9]}".encode()


def test_a_folder_that_a_runner_of_one_user_held_ready_is_made_anew(bench):
    """From one user to two: it would be the first run's, and the server could not look into it."""
    (bench.state / "runs").mkdir(mode=0o700)
    (bench.state / "runs").chmod(0o2750)
    spare = bench.state / "runs" / "spare"
    spare.mkdir(mode=0o700)
    spare.chmod(0o700)
    (spare / "exit").write_bytes(bytes(16384))
    (spare / "exit").chmod(0o600)
    server = bench.start("exit 0")
    assert server.order(1).kind == "started"
    folder = bench.state / "runs" / "1"
    assert folder.stat().st_mode & 0o7777 == 0o2750
    go(bench, 1).exit()
    assert (folder / "leader").stat().st_mode & 0o777 == 0o640


# ---- where it starts -------------------------------------------------------------------------------


def test_a_stale_socket_is_replaced_and_removed_at_the_end(bench):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(str(bench.socket))
    bench.start("exit 0")
    assert os.stat(bench.socket).st_mode & 0o7777 == 0o660
    bench.process.terminate()
    assert bench.process.wait(20) == 0 and not bench.socket.exists()


def test_one_with_a_runner_behind_it_is_refused(bench, tmp_path):
    bench.start("exit 0")
    (tmp_path / "other").mkdir()
    status, line = bench.refused(state=tmp_path / "other")
    assert status == 75 and "another runner uses it: stop it first" in line
    status, line = bench.refused(listen=tmp_path / "other.sock")
    assert status == 75 and f"another runner uses {bench.state}/runs: stop it first" in line
    bench.server().settle(1)    # the first one is none the worse


def test_the_lock_ends_with_its_runner_and_not_with_its_supervisors(bench):
    server = bench.start("while [ ! -e $MARKS/go ]; do sleep 0.05; done")
    assert server.order(1).kind == "started"    # at its gate: the supervisor has runs/ open
    bench.process.kill()
    bench.process.wait(20)
    bench.start("exit 0")


def test_a_file_that_is_no_socket_stays(bench):
    bench.socket.write_text("mine")
    status, line = bench.refused()
    assert status == 78 and "there is a file that is no socket: remove it, or choose another path" in line
    assert bench.socket.read_text() == "mine"


@pytest.mark.parametrize("path, words", [
    ("/tmp/" + "x" * 103, "a socket's has 107 at most: choose a shorter one"),
    ("relative.sock", "not an absolute path"),
    ("/no/such/folder/runner.sock", "make it: install -d -m 2750"),
    ("/proc/runner.sock", "the runner's user must be able to write in its folder"),
])
def test_a_path_where_no_socket_can_be_is_refused(bench, path, words):
    status, line = bench.refused(listen=path)
    assert status == 78 and words in line, line


def test_a_path_of_107_bytes_is_served(bench):
    with tempfile.TemporaryDirectory(prefix="deploybot-") as folder:
        bench.socket = pathlib.Path(folder) / ("x" * (106 - len(folder)))
        assert len(str(bench.socket)) == 107
        bench.start("exit 0").settle(1)
        bench.process.terminate()
        assert bench.process.wait(20) == 0


def test_its_folders_are_made_for_the_group_of_the_state_directory(bench):
    bench.start("exit 0")
    modes = {name: oct((bench.state / name).stat().st_mode & 0o7777) for name in ("runs", "git", "apps")}
    assert modes == {"runs": "0o2750", "git": "0o700", "apps": "0o700"}


@pytest.mark.parametrize("name, mode, words", [
    ("runs", 0o2770, "others may write there"), ("runs", 0o0700, "the server could not read what is made there"),
    ("git", 0o0720, "others may write there"), ("apps", 0o0702, "others may write there")])
def test_a_folder_with_a_wrong_mode_is_refused_with_the_command_that_helps(bench, name, mode, words):
    (bench.state / name).mkdir()
    (bench.state / name).chmod(mode)
    status, line = bench.refused()
    assert status == 78 and words in line, line
    command = re.search(r"install -d .*$", line)[0].split()
    assert command[-1] == str(bench.state / name)
    subprocess.run(command, check=True)
    bench.start("exit 0")


def test_a_link_in_the_place_of_a_folder_is_refused(bench, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (bench.state / "git").symlink_to(tmp_path / "elsewhere")
    status, line = bench.refused()
    assert status == 78 and "git/: Not a directory: fix it: install -d -m 0700" in line


@ROOT_ONLY
def test_a_folder_of_another_user_or_group_is_refused(bench):
    (bench.state / "runs").mkdir()
    os.chmod(bench.state / "runs", 0o2750)
    for user, group, words in ((10001, 0, "it belongs to another user"),
                               (0, 10001, "it does not have the state directory's group")):
        os.chown(bench.state / "runs", user, group)
        status, line = bench.refused()
        assert status == 78 and words in line and "install -d -m 2750 -o root -g root" in line, line


@ROOT_ONLY
@pytest.mark.parametrize("user, mode", [(10001, 0o750), (0, 0o770)])
def test_a_state_directory_whose_folders_others_could_exchange_is_refused(bench, user, mode):
    """Or an owned server would put a git/ of its own there, with hooks that are executed as the runner."""
    os.chown(bench.state, user, 10001)
    bench.state.chmod(mode)
    status, line = bench.refused()
    assert status == 78 and "others could put folders in place of the runner's: /" in line
    assert line.endswith("make the state directory root:10001 and mode 1770"), line
    os.chown(bench.state, 0, 10001)
    bench.state.chmod(0o1770)
    bench.start("exit 0")


@ROOT_ONLY
def test_a_state_directory_it_may_not_enter_or_write_is_refused(bench):
    """As a user who is not in its group, and with a disk that is read-only."""
    bench.path.chmod(0o755)
    status, line = bench.refused(wrapper=["setpriv", "--reuid", "10002", "--regid", "10002", "--clear-groups"])
    assert status == 78 and "Permission denied" in line, line
    need(*MOUNTS)
    script = f'mount --bind "{bench.state}" "{bench.state}" && mount -o remount,bind,ro "{bench.state}" && exec "$@"'
    status, line = bench.refused(wrapper=[*MOUNTS, "sh", "-c", script, "sh"])
    assert status == 78 and "Read-only file system: mount it writable" in line, line
    for name in ("runs", "git", "apps"):
        (bench.state / name).mkdir(mode=0o700)
    (bench.state / "runs").chmod(0o2750)
    status, line = bench.refused(wrapper=[*MOUNTS, "sh", "-c", script, "sh"])
    assert status == 78 and "Read-only file system: mount it writable" in line, line


@ROOT_ONLY
def test_a_full_disk_is_no_wrong_place(bench):
    """74: the service manager tries again; with 78 it would not."""
    need(*MOUNTS)
    bench.path.chmod(0o755)
    script = ('mount -t tmpfs -o size=8k,nr_inodes=2 none "$0" && : >"$0/full" && chown 0:0 "$0" && chmod 755 "$0" && '
              'exec "$@"')
    status, line = bench.refused(wrapper=[*MOUNTS, "sh", "-c", script, str(bench.state)])
    assert status == 74 and line.endswith("No space left on device"), line


@pytest.mark.parametrize("arguments", [[], ["--listen", "/x", "--fd", "3"], ["--fd", "3"],
                                       ["--fd", "3", "--state", "/", "--drain"], ["--listen"]])
def test_what_cannot_be_meant_is_a_usage_error(arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 64 and "usage: deploybot-runner --fd N" in done.stderr


def test_the_settings_name_the_state_directory(bench, tmp_path):
    (tmp_path / "env").write_text(f"STATE_DIRECTORY={bench.state}\n")
    with bench.said.open("ab") as said:
        bench.process = subprocess.Popen(
            [PROGRAM, "--listen", str(bench.socket), "--env-file", str(tmp_path / "env")], env={"HOME": "/"},
            stdin=subprocess.DEVNULL, stderr=said)
    wait_for(lambda: f"ready: listening on {bench.socket}, state in {bench.state}" in bench.words(), "the runner")


def test_settings_that_nothing_can_be_deployed_with_are_said_at_the_start(bench, tmp_path):
    """It starts: there may be runs to reconcile.  A file that cannot be read at all is the end."""
    (tmp_path / "env").write_text(f"STATE_DIRECTORY={bench.state}\nREPOSITORY_TOKEN_FILE=/no/such/token\n"
                                  "BUILD_AGAIN=perhaps\n")
    bench.start("exit 0", "--env-file", str(tmp_path / "env")).settle(1)
    for words in ("warning: REPOSITORY_TOKEN_FILE: /no/such/token: No such file or directory: nothing can be deployed",
                  'warning: BUILD_AGAIN: "perhaps" is not true or false (or yes, no, on, off, 1, 0): nothing can be '
                  "deployed until"):
        assert words in bench.words()
    status, line = bench.refused("--env-file", "/no/such/env")
    assert status == 78 and "/no/such/env" in line and "No such file or directory" in line
    (tmp_path / "env").write_text("not a setting\n")
    status, line = bench.refused("--env-file", str(tmp_path / "env"))
    assert status == 78 and "line 1" in line, line


# ---- several servers -------------------------------------------------------------------------------


def test_answers_go_to_who_asked(bench):
    """Both number their questions and runs alike."""
    one = bench.start("exit 3")
    two = bench.server()
    one.send("ask", id=1, question="heads", branches="main")
    two.send("ask", id=1, question="commits", ref="main")
    assert one.until("answer")["id"] == 1 and two.until("answer")["id"] == 1
    assert one.order(1).kind == "started"
    assert two.settle(1)["state"] == "alive"
    assert two.order(1)["why"] == "exists"
    one.send("settle", id=9)
    assert one.until("settled")["id"] == 9
    two.send("settle", id=8)
    assert two.until("settled")["id"] == 8      # and nothing of 9


def test_the_end_of_a_supervisor_is_told_to_all_that_have_said_hello(bench):
    one = bench.start("exit 3")
    two, stranger = bench.server(), bench.server(greet=False)
    one.order(1)
    go(bench, 1).exit()
    for server in (one, two):
        told = server.until("settled")
        assert (told["id"], told["state"], told["status"]) == (1, "ended", 3)
    stranger.send("hello", version=VERSION)
    assert stranger.receive().kind == "hello"


def test_the_log_of_a_service_says_of_each_run_how_it_began_and_ended(bench):
    one = bench.start("exit 3")
    one.order(1)
    go(bench, 1).exit()
    wait_for(lambda: "run 1: ended: exit 3\n" in bench.words(), "its end")
    assert bench.words().count("run 1: started: staging 1a2b3c4\n") == 1
    one.order(2)
    leader = int((bench.state / "runs" / "2" / "leader").read_text(encoding="utf-8").split()[0])
    stat = pathlib.Path(f"/proc/{leader}/stat").read_text(encoding="utf-8")
    os.kill(int(stat.rsplit(")", 1)[1].split()[1]), signal.SIGKILL)     # its parent: the supervisor
    wait_for(lambda: "run 2: its supervisor was killed\n" in bench.words(), "its end")


def test_refused_orders_without_end_are_a_line_a_minute_in_the_log(bench):
    """Whoever is in the socket's group can send them: 77 MB of log in 25 s without a bound."""
    one = bench.start("exit 0")
    for number in range(1, 501):
        assert one.order(number, argument="--help")["why"] == "invalid"
    assert one.settle(1)["state"] == "never"
    assert bench.words().count("deploybot-runner: refused: ") == 1, bench.words()[-2000:]


def test_a_server_that_leaves_leaves_the_others(bench):
    one = bench.start("while [ ! -e $MARKS/go ]; do sleep 0.05; done; exit 4")
    two = bench.server()
    one.order(1)
    supervisor = go(bench, 1)
    one.send("ask", id=1, question="heads", branches="main")
    one.close()
    (bench.marks / "go").touch()
    assert supervisor.exit()["status"] == 4
    assert two.until("settled")["id"] == 1
    two.send("ask", id=1, question="heads", branches="main")
    assert two.until("answer")["id"] == 1


def test_the_questions_of_a_server_that_has_gone_are_ended(bench, tmp_path):
    """A clone may take ten minutes: who asks next does not wait for them where they are all that run at once."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("deploy.sh", "rollback.sh"):
        (scripts / name).write_text("#!/bin/sh\n")
    (scripts / "commits.sh").write_text(
        f"#!/bin/sh\n[ \"$2\" != never ] || touch {bench.marks}/never\n[ \"$2\" = slow ] || {{ echo end; exit 0; }}\n"
        f"echo $$ >>{bench.marks}/asked\nwhile :; do sleep 1; done\n")
    (scripts / "commits.sh").chmod(0o755)
    one = bench.start("exit 0", "--scripts", str(scripts))
    two = bench.server()
    for number in range(QUERIES_AT_ONCE):
        one.send("ask", id=10 + number, question="heads", branches="slow")

    def asked():
        path = bench.marks / "asked"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    wait_for(lambda: len(asked()) == QUERIES_AT_ONCE, "git")
    one.send("ask", id=6, question="heads", branches="never")
    two.send("ask", id=5, question="heads", branches="main")
    one.settle(3)
    two.send("settle", id=3)
    assert two.receive().kind == "settled", "all that can run at once does: it waits"
    assert all(map(is_alive, asked()))
    one.close()
    answer = two.until("answer")
    assert (answer["id"], answer["status"], answer.body) == (5, 0, b"end\n")
    wait_for(lambda: not any(map(is_alive, asked())), "their end")
    two.send("settle", id=3)
    assert two.receive().kind == "settled", "and no answer to a question of the other's"
    assert not (bench.marks / "never").exists()


def test_a_fifth_server_is_sent_away(bench):
    servers = [bench.start("exit 0"), bench.server(), bench.server(), bench.server()]
    fifth = bench.server(greet=False)
    assert fifth.until_closed()
    wait_for(lambda: "refused: a server of user" in bench.words(), "a word")
    for server in servers:
        server.settle(1)
    servers[0].close()
    wait_for(lambda: try_server(bench), "a place")


def try_server(bench):
    server = bench.server(greet=False)
    try:
        server.send("hello", version=VERSION)
        return server.receive() is not None
    except OSError as error:
        assert error.errno in (errno.EPIPE, errno.ECONNRESET)
        return False


@pytest.mark.parametrize("words", [encode("hello", version=VERSION + 1), encode("settle", id=1),
                                   encode("run", id=1)])
def test_one_of_another_version_or_without_hello_is_sent_away_alone(bench, words):
    other = bench.start("exit 0")
    server = bench.server(greet=False)
    server.sock.send(words)
    if words.startswith(b"hello"):
        assert server.receive()["version"] == VERSION
    elif words.startswith(b"run"):
        server.receive()    # its refusal: a field is missing
        server.sock.send(encode("settle", id=1))
    assert server.until_closed()
    other.settle(1)
    assert bench.process.poll() is None


@pytest.mark.long
@pytest.mark.first
def test_nobody_waits_for_a_server_that_does_not_read_and_no_gate_for_ever(bench):
    """Three patiences at once: ten seconds for one that does not read and for one that says nothing, thirty for a
    supervisor that nobody comes to."""
    one = bench.start("echo x >$MARKS/ran")
    silent = bench.server(greet=False)
    assert one.order(1).kind == "started"       # and nobody connects to its supervisor
    slow = bench.server()
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sent = 0
    slow.sock.setblocking(False)
    while sent < 5000:
        try:
            slow.sock.send(encode("settle", id=99))
            sent += 1
        except BlockingIOError:
            break       # its answers are queued, and no more of its orders are read
    assert sent < 5000
    assert one.settle(5)["state"] == "never"
    assert one.order(2).kind == "started"
    go(bench, 2).exit()
    slow.sock.setblocking(True)
    wait_for(lambda: closed(slow), "the end of the slow one", 30)
    assert silent.until_closed()
    told = one.until("settled", seconds=60)
    while told["id"] != 1:
        told = one.until("settled", seconds=60)
    assert told["state"] == "ended" and not told["gate"] and bench.process.poll() is None


def closed(server):
    """Whether the other side has closed; nothing is read of what it sent."""
    try:
        server.sock.send(encode("settle", id=98), socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


# ---- forgetting ------------------------------------------------------------------------------------


def test_what_has_ended_may_be_forgotten_and_nothing_else(bench):
    server = bench.start("[ $ENVIRONMENT = staging ] || while :; do sleep 1; done; echo x")
    server.order(1)
    go(bench, 1).exit()
    server.until("settled")
    server.order(2, environment="production")
    supervisor = go(bench, 2)
    for run, removal in ((1, "gone"), (1, "gone"), (2, "stay"), (77, "gone")):
        server.send("forget", id=run)
        said = server.until("forgotten")
        assert (said["id"], said["removal"]) == (run, removal), said
    assert not (bench.state / "runs" / "1").exists() and (bench.state / "runs" / "2" / "log").exists()
    supervisor.end().exit()


# ---- its end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_at_once_and_runs_go_on(bench, number):
    script = "while [ ! -e $MARKS/go ]; do sleep 0.05; done; exit 5"
    server = bench.start(script)
    server.order(1)
    supervisor = go(bench, 1)
    bench.process.send_signal(number)
    assert bench.process.wait(20) == 0 and server.until_closed()
    assert is_alive(supervisor.hello["pid"])
    server = bench.start(script)
    assert server.settle(1)["state"] == "alive"
    (bench.marks / "go").touch()
    assert supervisor.exit()["status"] == 5
    assert server.until("settled")["status"] == 5


def test_draining_it_begins_nothing_and_waits_for_its_runs(bench):
    server = bench.start("while [ ! -e $MARKS/go ]; do sleep 0.05; done; exit 5", "--drain")
    server.order(1)
    supervisor = go(bench, 1)
    bench.process.terminate()
    wait_for(lambda: "draining: waiting for 1 runs" in bench.words(), "a word")
    refused = server.order(2)
    assert (refused["why"], refused["text"]) == ("failed", "the runner is stopping")
    assert bench.server().settle(1)["state"] == "alive"     # whoever comes can adopt
    (bench.marks / "go").touch()
    assert supervisor.exit()["status"] == 5
    assert server.until("settled")["state"] == "ended"
    supervisor.close()
    assert bench.process.wait(20) == 0


def test_a_second_signal_ends_a_draining_runner_at_once(bench):
    server = bench.start("while [ ! -e $MARKS/go ]; do sleep 0.05; done", "--drain")
    server.order(1)
    go(bench, 1)
    bench.process.terminate()
    wait_for(lambda: "draining: waiting for 1 runs" in bench.words(), "a word")
    bench.process.terminate()
    assert bench.process.wait(20) == 0


def test_draining_with_nothing_to_do_it_ends_at_once(bench):
    bench.start("exit 0", "--drain")
    bench.process.terminate()
    assert bench.process.wait(20) == 0


@ROOT_ONLY
def test_as_process_1_it_reaps_what_runs_leave(bench):
    """In a container: an orphan of a run's daemon, whose supervisor has ended, is adopted by process 1."""
    first = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    need(*first)
    server = bench.start(
        "(setsid sh -c 'sh -c \"exit 0\" & echo $$ >$MARKS/pid; exec >/dev/null 2>&1; while [ ! -e $MARKS/go ]; do "
        "sleep 0.05; done' </dev/null >/dev/null 2>&1 &) ; exit 0".replace("$MARKS", str(bench.marks)),
        wrapper=[*first])
    inner = wait_for(lambda: children_of(bench.process.pid), "the runner")[0]
    server.order(1)
    go(bench, 1).exit()
    server.until("settled")
    daemon = wait_for(lambda: [pid for pid in children_of(inner) if "sleep" in cmdline(pid) or "while" in cmdline(pid)],
                      "the daemon as a child of process 1")[0]
    (bench.marks / "go").touch()
    wait_for(lambda: not os.path.exists(f"/proc/{daemon}"), "the daemon reaped")
    assert server.settle(9)["state"] == "never"
    os.kill(inner, signal.SIGTERM)
    assert bench.process.wait(20) == 0


def cmdline(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
