"""runner_client.py - a small server for deploybot-runner: orders, answers, supervisors' sockets."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import select
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, os.environ.get("DEPLOYBOT_BUILD", "build"), "deploybot-runner")
VERSION = 5
SLOW = float(os.environ.get("DEPLOYBOT_SLOW", "1"))     # as in stage.py: where much runs at once, patience is longer
PATIENCE_S = 20.0       # for what has to come


def wait_for(condition, what, seconds=PATIENCE_S):
    """Polls until condition() is true and returns its value."""
    seconds *= SLOW
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds} s still not: {what}")
        select.select([], [], [], 0.005)


def all_processes():
    """What runs now, for a test that waited in vain."""
    return subprocess.run(["ps", "-eo", "pid,ppid,etimes,stat,wchan:20,args", "--forest", "--width", "200"], text=True,
                          capture_output=True, check=False).stdout


class Script(subprocess.Popen):
    """A script; whoever waits for it in vain says what ran then."""

    def wait(self, timeout=None):
        try:
            return super().wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{late}; what ran then:\n{all_processes()}") from late


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid):
    """The pids of a process's children, [] when it is gone, also while it is looked at: Path.glob would raise then."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as text:
                found += map(int, text.read().split())
    return found


def runner_of(server):
    """The pid of a server's runner, which a process of the server's own has started; None: it has none yet."""
    for starter in children_of(server):
        for pid in children_of(starter):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").endswith("deploybot-runner"):
                    return pid
    return None


def gone(pid):
    wait_for(lambda: not is_alive(pid), f"end of process {pid}")


def encode(kind, body=None, **fields):
    lines = [kind]
    lines += [f"{key} {value}" for key, value in fields.items() if value not in (None, "")]
    return ("\n".join(lines) + "\n").encode() + (b"" if body is None else b"\n" + body)


class Message(dict):
    """A decoded packet: its fields (numbers as int), kind, steps [(at, name)], body."""

    def __init__(self, packet):
        super().__init__()
        head, _, self.body = packet.partition(b"\n\n")
        lines = head.decode().splitlines()
        self.kind = lines[0]
        self.steps = []
        for line in lines[1:]:
            key, _, value = line.partition(" ")
            if key == "step":
                at, _, name = value.partition(" ")
                self.steps.append((int(at), name))
            else:
                self[key] = int(value) if value.isdigit() else value

    def __missing__(self, key):
        return 0

    @property
    def names(self):
        return [name for _, name in self.steps]

    def __repr__(self):
        return f"{self.kind} {dict(self)} {self.names} {self.body[:2000]!r}"


class Channel:
    def __init__(self, sock):
        self.sock = sock
        self.closed = False

    def send(self, kind, **fields):
        self.sock.send(encode(kind, **fields))

    def receive(self, seconds=PATIENCE_S):
        """The next message, or None when the other side has closed."""
        self.sock.settimeout(seconds)
        try:
            packet = self.sock.recv(1 << 17)
        except ConnectionResetError:
            packet = b""
        if not packet:
            self.closed = True
            return None
        return Message(packet)

    def until(self, *kinds, seconds=PATIENCE_S):
        """Skips messages until one of these kinds; what was skipped is in .skipped."""
        self.skipped = []
        while True:
            message = self.receive(seconds)
            assert message is not None, f"closed instead of {kinds}; before: {self.skipped}"
            if message.kind in kinds:
                return message
            self.skipped.append(message)

    def until_closed(self):
        while self.receive() is not None:
            pass
        return True

    def close(self):
        self.sock.close()


class Supervisor(Channel):
    def __init__(self, folder, hello=None, waits=False):
        """hello: the fields of what is said first; waits: for a hello that may not come."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = os.open(folder, os.O_PATH)
        try:
            sock.connect(f"/proc/self/fd/{fd}/socket")
        finally:
            os.close(fd)
        super().__init__(sock)
        if hello is not None:
            self.send("hello", **hello)
        self.hello = None if waits else self.receive()
        assert waits or (self.hello.kind == "hello" and self.hello["version"] == VERSION)

    def go(self):
        self.send("go")
        return self

    def end(self):
        self.send("end")
        return self

    def exit(self, seconds=PATIENCE_S):
        return self.until("exit", seconds=seconds)


class Runner(Channel):
    """Starts a deploybot-runner over a state directory."""

    def __init__(self, program, state, env=None, arguments=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(ours)
        self.state = str(state)
        command = [str(program), "--fd", str(theirs.fileno()), "--state", self.state]
        self.process = subprocess.Popen(
            command + list(arguments), pass_fds=[theirs.fileno()],
            env={"HOME": self.state, **(env or {})}, stdin=subprocess.DEVNULL)
        theirs.close()
        self.questions = 0
        self.send("hello", version=VERSION)
        self.hello = self.until("hello")

    def folder(self, run):
        return os.path.join(self.state, "runs", str(run))

    def log(self, run):
        with open(os.path.join(self.folder(run), "log"), "rb") as log:
            return log.read()

    def order(self, run, program="deploy", environment="staging", argument="1a2b3c4d5e6f",
              deadline_s=60, grace_s=1, deployment=7, previous=None, ref="main", **fields):
        self.send("run", id=run, program=program, environment=environment, argument=argument,
                  deadline_s=deadline_s, grace_s=grace_s, deployment=deployment,
                  previous=previous, ref=ref, **fields)
        return self.until("started", "refused")

    def supervisor(self, run):
        return Supervisor(self.folder(run))

    def start(self, run, **order):
        """Orders a run and opens its gate."""
        said = self.order(run, **order)
        assert said.kind == "started", said
        return self.supervisor(run).go()

    def settle(self, run, seconds=PATIENCE_S):
        self.send("settle", id=run)
        return self.until("settled", seconds=seconds)

    def ask(self, question, **fields):
        self.questions += 1
        self.send("ask", id=self.questions, question=question, **fields)
        return self.until("answer", seconds=60)

    def stop(self):
        """As when the server dies: the socket closes, and the runner ends."""
        self.close()
        return self.process.wait(PATIENCE_S)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.close()


class Bench:
    """A state directory, scripts in it, and the runners that a test starts."""

    def __init__(self, path):
        self.path = path
        self.state = path / "state"
        self.state.mkdir()
        self.runners = []
        self.program = PROGRAM
        self.marks = path / "marks"
        self.marks.mkdir()

    def script(self, text, name="script"):
        path = self.path / name
        text = "#!/bin/bash\nMARKS=" + str(self.marks) + "\n" + text
        if not path.exists() or path.read_text() != text:  # a leader may be about to execute it
            path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def runner(self, script=None, arguments=(), **env):
        if script is not None:
            env["DEPLOY_SCRIPT"] = self.script(script)
        runner = Runner(self.program, self.state, env, arguments)
        self.runners.append(runner)
        return runner

    def mark(self, name):
        """What a script wrote to $MARKS/name, once it is there with its newline."""
        path = self.marks / name
        return wait_for(lambda: path.exists() and path.read_text().endswith("\n")
                        and path.read_text().strip(), f"mark {name}")

    def has_mark(self, name):
        return (self.marks / name).exists()

    def supervisors(self):
        """Processes that have a run's folder of this bench open."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                continue
            if any(link.startswith(str(self.state / "runs") + "/") for link in links):
                found.append(int(pid))
        return found

    def with_run_id(self, run):
        """Living processes that this run started, by their environment."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as text:
                    variables = text.read().split(b"\0")
            except OSError:
                continue
            ours = f"STATE_DIRECTORY={self.state}".encode() in variables
            if ours and any(v.startswith(f"RUN_ID={run}-".encode()) for v in variables) and is_alive(int(pid)):
                found.append(int(pid))
        return found

    def supervisor_of(self, leader):
        with open(f"/proc/{leader}/stat", encoding="utf-8") as text:
            return int(text.read().rsplit(")", 1)[1].split()[1])

    def done(self):
        for runner in self.runners:
            if runner.process.poll() is None:
                runner.kill()
        for name in os.listdir(self.marks):
            text = (self.marks / name).read_text().strip()
            if name.startswith("pid") and text.isdigit() and is_alive(int(text)):
                os.kill(int(text), signal.SIGKILL)
        for pid in self.supervisors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass    # its run had ended
