"""service_aid.py - a server and a runner that is a service of its own, as two users where we are root."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from crash_aid import CrashScene, check_log, is_alive
from flow_aid import PATIENCE_S
from stage import ROOT, Deploybot, wait_until

SERVER, RUNNER = 10001, 10002       # users, and their groups; the runner is in the server's group too
TWO_USERS = os.geteuid() == 0
# How settings begin that are the runner's too.
OF_RUNNER = ("CLIENT", "DEPLOY_", "ROLLBACK_", "REPOSITORY_URL", "IMAGE_", "REGISTRY_", "TRANSPORT_", "SSH_KNOWN",
             "STAGING_HOST", "STAGING_COMPOSE_DIR")


def as_user(user, group, *groups):
    """What is put before a command so that it runs as that user; nothing where we may not."""
    if not TWO_USERS:
        return []
    more = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", "--reuid", str(user), "--regid", str(group), *more, "--inh-caps=-all", "--bounding-set=-all"]


AS_SERVER = as_user(SERVER, SERVER)
AS_RUNNER = as_user(RUNNER, RUNNER, SERVER)


def give(path, user, group, mode):
    if TWO_USERS:
        os.chown(path, user, group)
    os.chmod(path, mode)


class RunnerService:
    """deploybot-runner --listen, started and stopped."""

    def __init__(self, program, folder, socket, state, environment):
        self.program, self.socket, self.state = program, socket, state
        self.log_path = folder / "runner.log"
        self.environment = environment
        self.process = None

    def command(self, *more):
        return [*AS_RUNNER, str(self.program), "--listen", str(self.socket), "--state", str(self.state), *more]

    def start(self, *more, wrapper=()):
        before = self.log().count("ready: ")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, *self.command(*more)], env=self.environment, cwd="/", stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.log().count("ready: ") > before or self.process.poll() is not None,
                   PATIENCE_S, "the runner")
        assert self.process.poll() is None, self.log()
        return self

    def refused(self, *more, socket=None):
        """(exit status, last line) of one that must not start."""
        command = self.command(*more)
        if socket is not None:
            command[command.index("--listen") + 1] = str(socket)
        done = subprocess.run(command, env=self.environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stderr.strip().splitlines()[-1]

    def log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class ServiceScene(CrashScene):
    """A scene whose folder others may enter, with programs installed in it, and a runner beside the server."""

    def __init__(self, settings=None, **options):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-service-"))
        self.service = None
        folder.chmod(0o755)
        self.prepare(folder)
        super().__init__(folder, settings={
            "RUNNER_SOCKET": str(folder / "run" / "runner.sock"),
            "AUDIT_LOG_PATH": str(folder / "audit" / "audit.log"), **(settings or {})}, **options)

    @staticmethod
    def prepare(folder):
        """What a package makes: programs, folders with their owners."""
        build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build")
        installed = folder / "lib"
        installed.mkdir()
        for name in ("deploybot", "deploybot-runner"):
            shutil.copy(build / name, installed / name)
        shutil.copytree(ROOT / "deploy", installed / "deploy", ignore=shutil.ignore_patterns("debian", "terraform"))
        for name in ("state", "run", "audit", "scripts"):
            (folder / name).mkdir()
        give(folder / "state", 0, SERVER, 0o1770)
        give(folder / "run", RUNNER, SERVER, 0o2750)
        give(folder / "audit", SERVER, SERVER, 0o750)
        give(folder / "scripts", 0, 0, 0o1777)      # the scripts leave marks beside themselves

    def runner_environment(self):
        keep = {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
                if name in os.environ}
        return {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", **keep,
                **{name: value for name, value in self.settings().items() if name.startswith(OF_RUNNER)}}

    def start(self):
        if TWO_USERS:
            subprocess.run(["chown", "-R", str(RUNNER), str(self.repository)], check=True)
        try:
            self.start_peers()
            self.service = RunnerService(self.folder / "lib" / "deploybot-runner", self.folder,
                                         self.settings()["RUNNER_SOCKET"], self.folder / "state",
                                         self.runner_environment())
            self.service.start()
            self.start_bot()
        except BaseException:
            self.stop()
            raise
        return self

    def start_bot(self, **changes):
        self.extra.update(changes)
        self.bot = Deploybot(self.folder, self.settings(), self.folder / "lib", wrapper=AS_SERVER)
        self.bot.start()

    def as_server(self, *arguments):
        """Another subcommand, as the server's user."""
        return subprocess.run([*AS_SERVER, str(self.folder / "lib" / "deploybot"), *arguments], cwd=self.folder,
                              env=self.bot.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S * 2, check=False)

    def wait_runner(self, is_up=True):
        wait_until(lambda: self.metric("deploybot_runner_up") == (1 if is_up else 0), PATIENCE_S,
                   "a runner" if is_up else "no runner")

    def mode(self, path):
        """(mode, owner, group) of something in the state directory; owners only where there are two."""
        st = os.lstat(self.folder / "state" / path)
        return (oct(st.st_mode & 0o7777), *((st.st_uid, st.st_gid) if TWO_USERS else ()))

    def close(self):
        self.go_on()
        status = None
        try:
            status = self.stop()
        finally:
            said = self.bot.log() + self.service.log()
            self.health.close()
            if self.service is not None and self.service.process.poll() is None:
                self.service.stop()
            for pid in self.with_run_id():
                if is_alive(pid):
                    os.kill(pid, signal.SIGKILL)
            shutil.rmtree(self.folder, ignore_errors=True)
        assert status == 0, f"deploybot ended with {status}"
        check_log(said)
