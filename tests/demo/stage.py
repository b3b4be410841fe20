"""Everything a deploybot needs around it, on one machine: chat, repository, sample application.

The demo and the end-to-end tests stand on the same stage:

    with Stage(folder) as stage:
        stage.chat.say(ADA, ADA, "/status")
"""
# SPDX-License-Identifier: ISC
import contextlib
import functools
import http.client
import json
import os
import pathlib
import random
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "peers"))

import sample_app  # noqa: E402  pylint: disable=wrong-import-position
from telegram_client import (ADA, CARL, DEFAULT_TOKEN, DIRECT, Telegram,  # noqa: E402
                             start_peer, stop_peer)

WEBHOOK_SECRET = "telegram-webhook-secret_0123456789abcdef"
GITHUB_SECRET = "github-webhook-secret-0123456789abcdef"
# Under a tool that watches every instruction all takes longer: then patience is so many times as long.
SLOW = float(os.environ.get("DEPLOYBOT_SLOW", "1"))
READY_TIMEOUT_S = 30
PORTS = (11000, 32768)
PROCESSES_MAX = 20          # that draw ports side by side: 16 workers, and who has no number
APPLICATIONS = ("shop", "cider")        # the demo's; sample_app.SHOPS has them
ENVIRONMENTS = ("staging", "production")
STOP_TIMEOUT_S = 90 * SLOW
CRASH_BUILD = ("`make -j4 BUILD=build/test SANITIZE=address,undefined CRASH_POINTS=1 all tests` makes one that has, "
               "and DEPLOYBOT_CRASH_BUILD=build/test names it (`make test WHAT=tests/e2e/test_x.py` does both)")


def ports_of(worker, part=0, parts=1):
    """A test process draws from a part of the range that is its own (pytest-xdist names it gw0, gw1 …): a port that one
    test holds for what it starts later is not drawn by another that runs beside it."""
    low, high = PORTS
    each = (high - low) // PROCESSES_MAX
    low += (int(worker.removeprefix("gw")) % PROCESSES_MAX if worker else PROCESSES_MAX - 1) * each
    each //= parts
    low += part * each
    drawn = random.SystemRandom().randrange(each)
    while True:
        drawn = (drawn + 1) % each
        yield low + drawn


PORTS_HERE = ports_of(os.environ.get("PYTEST_XDIST_WORKER", ""))


def draw_ports_as(part, parts):
    """For a process that was forked with others: what it was given a copy of would draw the same ports as theirs."""
    global PORTS_HERE   # pylint: disable=global-statement
    PORTS_HERE = ports_of(os.environ.get("PYTEST_XDIST_WORKER", ""), part, parts)


def crash_build():
    """Where programs can be made to die, with CRASH_POINTS=1, beside the unit tests; `make test` starts the programs of
    another build wherever a test does not ask for this one."""
    given = os.environ.get("DEPLOYBOT_CRASH_BUILD") or os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build"
    return pathlib.Path(given).resolve()


def crash_program(name, has_points=True):
    """A program of that build; who has none reads how it is built.  has_points: it can be made to die."""
    program = crash_build() / name
    lacks = f"has no {name}" if not program.exists() else \
        f"has a {name} without CRASH_POINTS=1" if has_points and b"DEPLOYBOT_CRASH" not in program.read_bytes() else ""
    assert not lacks, f"{crash_build()} {lacks}: {CRASH_BUILD}"
    return program


def free_port():
    """A port nobody listens on now; whoever is started next takes it.  Drawn below those that the kernel gives to who
    connects somewhere: one of them would soon be taken by any other test that runs beside."""
    for port in PORTS_HERE:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def each_process(what):
    """(pid, the bytes of its file of that name in /proc) of each process that is there and lets us read it; one that
    ends meanwhile is none."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                yield int(name), pathlib.Path("/proc", name, what).read_bytes()


def get(url, timeout=5):
    """(status, body) of a GET; (0, reason) when nobody answers."""
    try:
        with DIRECT.open(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:     # or stopped in the middle
        return 0, str(error)


def wait_until(condition, timeout=20, what="it"):
    """Polls until condition() is true and returns its value; TimeoutError else."""
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > timeout * SLOW:
            raise TimeoutError(f"{what} did not come true within {timeout} s")
        # Not a synchronisation: the condition is; this only keeps the processor free, the longer the more.
        time.sleep(min(max(0.02, waited / 20), 0.2))


@functools.lru_cache(maxsize=8)
def is_instrumented(program):
    """Sanitizers and coverage do at a process's end what the sandbox kills it for."""
    text = pathlib.Path(program).read_bytes()
    return b"__asan_" in text or b"__gcov_" in text


class Deploybot:
    """One deploybot process with an environment of its own and nothing else."""

    def __init__(self, folder, settings, build=None, wrapper=()):
        self.folder = pathlib.Path(folder)
        given = build or os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build"
        self.build = pathlib.Path(given).resolve()
        self.settings = dict(settings)
        self.given = None       # to the process, where that is not all of them
        self.wrapper = list(wrapper) or shlex.split(os.environ.get("DEPLOYBOT_UNDER", ""))
        self.arguments = ("serve",)
        self.pass_fds = ()      # given to the process, under the same numbers
        self.process = None
        self.log_path = self.folder / "deploybot.log"
        self.pid_path = self.folder / "deploybot.pid"
        self.port = int(self.settings["API_SERVER_PORT"])
        self.base = f"http://127.0.0.1:{self.port}"

    def environment(self):
        keep = {name: os.environ[name] for name in
                ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        if is_instrumented(self.build / "deploybot"):
            keep["SANDBOX"] = "off"
        return {"PATH": "/usr/bin:/bin", "HOME": "/", **keep, "LANG": "C.UTF-8",
                **(self.settings if self.given is None else self.given)}

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            # A process that is not in our group: Ctrl-C is ours to hand on.
            self.process = subprocess.Popen(
                [*self.wrapper, str(self.build / "deploybot"), *self.arguments], cwd=self.folder,
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=self.pass_fds)
        self.pid_path.write_text(str(self.process.pid), encoding="ascii")
        if wait:
            self.wait_ready()
        return self

    def use_file(self):
        """Its settings stand in .env from now on, where a person changes them; the process is given none."""
        path = self.folder / ".env"
        path.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()), encoding="utf-8")
        path.chmod(0o600)
        self.given = {}
        return self

    def counted(self, kind="%"):
        """How often strangers repeated what the audit has only the first of, so far: a kind like this."""
        with contextlib.closing(sqlite3.connect(
                f"file:{self.settings['STATE_DIRECTORY']}/deploybot.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT coalesce(sum(n), 0) FROM stranger WHERE input LIKE ?", [kind]).fetchone()[0]

    def audit(self, **wanted):
        """The audit's entries that have these fields, oldest first.  The file follows the rows, so all that they have
        now is waited for, as long as there is somebody to write it."""
        path = pathlib.Path(self.settings["AUDIT_LOG_PATH"])
        newest = self.newest_audit_row()

        def read():
            closed = sorted(path.parent.glob(path.name + ".[1-9]*"), key=lambda file: int(file.suffix[1:]))
            return [json.loads(line) for file in [*closed, path] if file.is_file()
                    for line in file.read_text("utf-8").split("\n")[:-1]]

        def is_whole():
            entries = read()
            return self.process.poll() is not None or newest <= (entries[-1]["seq"] if entries else 0)
        if self.process is not None and path.parent.exists():
            wait_until(is_whole, READY_TIMEOUT_S, "the audit's file")
        return [entry for entry in read() if all(entry.get(key) == value for key, value in wanted.items())]

    def newest_audit_row(self):
        path = pathlib.Path(self.settings["STATE_DIRECTORY"]) / "deploybot.db"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute("SELECT coalesce(max(seq), 0) FROM audit").fetchone()[0]

    def wait_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"deploybot ended with {self.process.returncode}:\n{self.log()}")
            return get(self.base + "/healthz")[0] == 200
        wait_until(is_ready, READY_TIMEOUT_S, "deploybot's readiness")

    def run(self, *arguments, timeout=60):
        """Another subcommand under the same settings."""
        return subprocess.run([str(self.build / "deploybot"), *arguments], cwd=self.folder,
                              env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def stop(self, number=signal.SIGTERM):
        """Returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except BaseException:
            # Too late, or a second Ctrl-C.
            self.process.kill()
            self.process.wait()
            raise
        return self.process.returncode

    def kill(self):
        """kill -9, as a power cut would do it to this process."""
        self.process.kill()
        self.process.wait()

    def metrics(self):
        return get(self.base + "/metrics")[1]


def own_settings(repository, ports):
    """What is one application's own: its repository, and the port of each of its environments."""
    found = {"REPOSITORY_URL": str(repository)}
    for name, port in ports.items():
        found[f"{name.upper()}_PORT"] = str(port)
        found[f"{name.upper()}_HEALTH_URL"] = f"http://127.0.0.1:{port}/health"
    return found


def write_application(folder, name, settings):
    """The file that makes an application of that name."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}.env"
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
    path.chmod(0o600)


class Stage:
    """Telegram, repositories and deploybot in one folder, started and stopped together.  With names of `applications`
    (of sample_app.SHOPS) each has a file and a repository of its own; `repository` and `work` are the first one's."""

    def __init__(self, folder, build_seconds=0.0, telegram=("--local", "--limits", "off"),
                 settings=None, build=None, deliver=False, start=True, in_file=False, applications=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.applications = applications
        self.ports = {f"{name}/{environment}" if name else environment: free_port()
                      for name in applications or [""] for environment in ENVIRONMENTS}
        self.http_port = free_port()
        self.repositories = {
            name: sample_app.create(str(self.folder / "repository" / name), build_seconds, name or "shop")
            for name in applications or [""]}
        self.repository, self.work = next(iter(self.repositories.values()))
        self.github = None
        self.github_base = None
        self.chat = None
        self.telegram_options = telegram
        self.deliver = deliver
        self.in_file = in_file
        self.extra = settings or {}
        self.build = build
        self.bot = None
        if start:
            self.start()

    def settings(self):
        state = self.folder / "state"
        found = {
            "TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN,
            "TELEGRAM_API_BASE": self.chat.base,
            "ADMIN_TELEGRAM_IDS": str(ADA),
            "STAGING_TELEGRAM_IDS": str(CARL),
            "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET,
            "POLL_REPOSITORY_SECONDS": "0" if self.deliver else "1",
            "DEPLOY_TRANSPORT": "local",
            "STATE_DIRECTORY": str(state),
            "AUDIT_LOG_PATH": str(self.folder / "audit.log"),
            "API_SERVER_PORT": str(self.http_port),
            "HEALTH_CHECK_TIMEOUT": "3",
            "HEALTH_CHECK_INTERVAL": "1",
            "HEALTH_CHECK_RETRIES": "3",
        }
        for name, (repository, _) in self.repositories.items():
            ports = {environment: self.ports[f"{name}/{environment}" if name else environment]
                     for environment in ENVIRONMENTS}
            if name:
                write_application(self.folder / "apps", name, own_settings(repository, ports))
                found["APPS_DIRECTORY"] = str(self.folder / "apps")
            else:
                found.update(own_settings(repository, ports))
        found.update(self.extra)
        return {name: value for name, value in found.items() if value is not None}

    def start_peers(self):
        """Telegram and the repository alone."""
        secret = self.folder / "github.secret"
        secret.write_text(GITHUB_SECRET, encoding="ascii")
        secret.chmod(0o600)
        options = ["--secret-file", str(secret), "--server-pid", str(self.folder / "deploybot.pid")]
        for name, (_, work) in self.repositories.items():
            options += ["--work", f"{name}={work}"]
        for name, port in self.ports.items():
            options += ["--app", f"{name}=http://127.0.0.1:{port}"]
        if self.deliver:
            options += ["--deliver-to", f"http://127.0.0.1:{self.http_port}/github/webhook"]
        self.github, self.github_base = start_peer("github.py", *options)
        self.chat = Telegram.start(*self.telegram_options, "--panel-url", self.github_base)

    def start(self):
        try:
            self.start_peers()
            self.bot = Deploybot(self.folder, self.settings(), self.build)
            if self.in_file:
                self.bot.use_file()
            self.bot.start()
        except BaseException:
            self.stop()
            raise
        return self

    def push(self, branch="develop", kind="good", application=None):
        """A colleague commits; what GitHub would deliver is delivered where that is wanted."""
        if self.deliver:
            from telegram_client import request_json  # pylint: disable=import-outside-toplevel
            status, answer = request_json(f"{self.github_base}/push",
                                          {"branch": branch, "kind": kind})
            if status != 200:
                raise RuntimeError(f"push: {status} {answer}")
            return answer
        work = self.repositories[application][1] if application else self.work
        return sample_app.change(work, branch, kind)

    def app(self, environment):
        """(status, body) of the application's health answer."""
        return get(f"http://127.0.0.1:{self.ports[environment]}/health")

    def stop_apps(self):
        """Ends the applications that deployments left running on purpose."""
        for pid_file in self.folder.glob("state/apps/*/*pid*"):
            words = pid_file.read_text(encoding="ascii", errors="replace").split()
            if words and words[0].isdigit() and self.is_ours(int(words[0])):
                try:
                    os.killpg(int(words[0]), signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass

    def is_ours(self, pid):
        """Does this process stand in our folder?  (A pid may have been used again.)"""
        try:
            return os.readlink(f"/proc/{pid}/cwd").startswith(str(self.folder))
        except OSError:
            return False

    def stop(self):
        """Stops everything; returns deploybot's exit status."""
        status = None
        try:
            if self.bot is not None:
                status = self.bot.stop()
        finally:
            self.stop_apps()
            if self.chat is not None:
                self.chat.stop()
            stop_peer(self.github)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
