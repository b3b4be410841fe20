"""What the tests of crashes share: finding and killing the parts of one deploybot, releases whose
scripts wait for a word, and the invariants that hold after any of it."""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import time

from flow_aid import PATIENCE_S, Health, Scene, Scripts, text_of
from runner_client import runner_of
from stage import WEBHOOK_SECRET, crash_program, each_process, wait_until

STEADY = 'echo "==> ship"; echo "==> release"; echo "$2" >"$here/$1.live"'
HOLD = 'touch "$here/$1.held"; while [ -e "$here/$1.hold" ]; do sleep 0.02; done'
END_WORDS = ("Live: {}", "Rolled back: {} ", "Rolled forward: {} ", "{} is NOT running", "{} is DOWN",
             "{} may be DOWN", "may be DOWN", "still runs", "has no release yet", "is busy",
             "cancelled before it began", "nothing was changed", "Not deployed: {}",
             "nobody confirmed it in time")

CRASH_POINTS = re.findall(r"^CRASH\((\w+), ", (pathlib.Path(__file__).parents[2] / "lib" / "crash_point.def").read_text(
    "utf-8"), re.M)


class CrashPage:
    """As lib/crash_point.c has it: nobody dies while its first word is 1."""

    def __init__(self, path):
        self.path = path
        self.set(1)

    def set(self, is_over):
        with self.path.open("r+b" if self.path.exists() else "w+b") as page:
            page.write(struct.pack("I", is_over))

    def died(self):
        n = len(CRASH_POINTS)
        return sum(struct.unpack(f"{n}I", self.path.read_bytes()[4 + 4 * n:4 + 8 * n]))


@contextlib.contextmanager
def killed_at(bot, point, path):
    """Within, the server is one that dies there once it comes by; behind, it has, and runs again as before."""
    page, before = CrashPage(path), bot.build
    path.chmod(0o666)
    bot.stop()
    bot.build = crash_program("deploybot").parent
    bot.settings.update({"DEPLOYBOT_CRASH_PAGE": str(path), "DEPLOYBOT_CRASH": f"{point}:1-999999"})
    bot.start()
    page.set(0)
    yield
    bot.process.wait(PATIENCE_S)
    assert page.died() == 1
    page.set(1)
    for name in ("DEPLOYBOT_CRASH_PAGE", "DEPLOYBOT_CRASH"):
        del bot.settings[name]
    bot.build = before
    bot.start()


def parent_of(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(stat.rsplit(")", 1)[1].split()[1])


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def program_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class LiveCommit:
    """A health answer with the commit that the scripts put live last."""

    def __init__(self, scripts, environment):
        self.scripts = scripts
        self.environment = environment

    def __iter__(self):
        yield 200
        yield {"status": "ok", "commit": self.scripts.live(self.environment) or "none"}


class CrashScene(Scene):
    """A scene with scripts that do as planned, and a hand on each of deploybot's processes."""

    def __init__(self, folder, settings=None, **options):
        folder = pathlib.Path(folder)
        self.scripts = Scripts(folder / "scripts")
        self.scripts.deploy(STEADY)
        self.health = Health()
        self.health.answers["staging"] = LiveCommit(self.scripts, "staging")
        super().__init__(folder, settings={
            **self.scripts.settings(), "STAGING_HEALTH_URL": self.health.url("staging"),
            "PRODUCTION_HEALTH_URL": None, **(settings or {})}, **options)

    # --- the scripts ---

    def hold_script(self, environment="staging"):
        self.scripts.clear(f"{environment}.held")
        self.scripts.touch(f"{environment}.hold")

    def wait_held(self, environment="staging"):
        self.scripts.wait_for(f"{environment}.held")

    def go_on(self, environment="staging"):
        self.scripts.clear(f"{environment}.hold")

    # --- processes ---

    def server(self):
        return self.bot.process.pid

    def runner(self):
        """The runner of the server that works now."""
        def find():
            return runner_of(self.server())
        return wait_until(find, PATIENCE_S, "a runner")

    def last_run(self):
        return max((int(p.name) for p in (self.folder / "state" / "runs").glob("[0-9]*")),
                   default=0)

    def run_folder(self, run=None):
        return self.folder / "state" / "runs" / str(run or self.last_run())

    def leader(self, run=None):
        path = self.run_folder(run) / "leader"
        wait_until(lambda: path.exists() and path.read_text(encoding="ascii").endswith("\n"), PATIENCE_S, "a leader")
        return int(path.read_text(encoding="ascii").split()[0])

    def supervisor(self, run=None):
        return parent_of(self.leader(run))

    def log_of(self, run=None):
        return (self.run_folder(run) / "log").read_text(encoding="utf-8", errors="replace")

    def with_run_id(self):
        """Processes of runs of this scene that are alive."""
        mark = f"STATE_DIRECTORY={self.folder / 'state'}".encode()
        found = []
        for pid, block in each_process("environ"):
            words = block.split(b"\0")
            if mark in words and any(w.startswith(b"RUN_ID=") for w in words) and is_alive(pid):
                found.append(pid)
        return found

    def crash(self):
        """kill -9 of the server alone."""
        self.bot.kill()

    def restart(self):
        self.bot.start()

    def mend(self):
        """For the next test: nothing is stopped or broken any more, a server lives, staging is free."""
        self.go_on()
        self.chat.clear_faults()
        if not is_alive(self.server()):
            self.restart()
        self.wait_free()

    # --- what must hold ---

    def check(self, everybody_ended=()):
        """The invariants of a deploybot that has come to rest."""
        for environment in ("staging", "production"):
            self.wait_free(environment)
        for who in everybody_ended:
            wait_until(lambda: ends_of(who), PATIENCE_S, f"an end told to {who.number}")
        wait_until(lambda: not self.with_run_id(), PATIENCE_S,
                   f"the end of {self.with_run_id()}, which")
        known = self.state_file("staging")
        if known is not None:
            assert known["commit"] == self.scripts.live(), (known, self.scripts.live())
        verified = self.bot.run("audit", "verify")
        assert verified.returncode == 0, verified.stderr

    def close(self):
        self.go_on()
        status = None
        try:
            status = self.stop()
        finally:
            self.health.close()
        assert status == 0, f"deploybot ended with {status}:\n{self.bot.log()[-4000:]}"
        check_log(self.bot.log())


def check_log(log):
    for word in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "Assertion"):
        assert word not in log, log[-8000:]


def ends_of(who, environment="staging"):
    """Messages in somebody's chat that report an end."""
    words = [w.format(environment) for w in END_WORDS]
    return [view for view in who.messages() if any(w in text_of(view) for w in words)]


def telegram_update(number, update_id, text):
    """An update as Telegram sends it to a webhook."""
    person = {"id": number, "is_bot": False, "first_name": "Ada"}
    return {"update_id": update_id, "message": {
        "message_id": update_id, "date": int(time.time()), "text": text, "from": person,
        "chat": {"id": number, "type": "private", "first_name": "Ada"},
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]}}


def post_update(bot, update, secret=WEBHOOK_SECRET):
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=15)
    try:
        connection.request("POST", "/telegram/webhook", json.dumps(update).encode(), {
            "Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def texts(who):
    """What the bot has said to somebody, for a failed test's message."""
    return "".join(f"\n  {text_of(view)!r}" for view in who.messages())
