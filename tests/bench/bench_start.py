"""bench_start.py - memory at rest, from exec to ready, from a pressed button to a running script."""
# SPDX-License-Identifier: ISC
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import time

import kit
from bench_history import DELIVERIES, DEPLOYMENTS, fill
from stage import WEBHOOK_SECRET
from telegram_client import ADA

RSS_MB, DIRTY_MB, RUNNER_MB = 16, 4, 2
START_MS, CONFIRM_MS, FLUSHES = 25, 3, 4
STARTS, CONFIRMS = 9, 15
ADMINS = range(424_250_001, 424_250_021)  # each has a chat and a share of what may be asked
PACE_S = 0.2
REST_S = 3  # until what starting takes is over


def measure_idle(bench):
    with kit.Stage(bench.new_folder("idle"), deliver=True) as stage:
        time.sleep(REST_S)
        pid = stage.bot.process.pid
        resident, dirty = kit.memory_mb(pid)
        runners = [child for child, name in kit.children(pid).items()
                   if name.startswith("deploybot-runn")]
        (runner,) = [kit.memory_mb(child)[0] for child in runners]
        bench.row("server at rest, resident", f"{resident:.1f} MB", f"≤ {RSS_MB} MB",
                  resident <= RSS_MB)
        bench.row("server at rest, private dirty", f"{dirty:.1f} MB", f"≤ {DIRTY_MB} MB",
                  dirty <= DIRTY_MB)
        bench.row("runner, resident", f"{runner:.1f} MB", f"≤ {RUNNER_MB} MB", runner <= RUNNER_MB)


# ---- from exec to ready ------------------------------------------------------------------------


class Starter:
    """Starts a server and is notified by it (sd_notify) when it is ready."""

    def __init__(self, stage):
        self.bot = stage.bot
        self.state = stage.folder / "state"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0deploybot-bench-{os.getpid()}-{stage.http_port}"
        self.socket.bind(name)
        self.socket.settimeout(20)
        self.bot.settings["NOTIFY_SOCKET"] = "@" + name[1:]

    def close(self):
        self.socket.close()

    def start_ms(self):
        began = time.perf_counter()
        self.bot.start(wait=False)
        while b"READY=1" not in self.socket.recv(4096):
            pass
        took = (time.perf_counter() - began) * 1000
        if kit.get(self.bot.base + "/readyz")[0] != 200:
            raise RuntimeError("READY was said, and /readyz says no")
        return took

    def stop(self, number=signal.SIGTERM):
        self.bot.stop(number)
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):  # STOPPING=1 of the one that ended
            while True:
                self.socket.recv(4096)
        self.socket.settimeout(20)

    def median_ms(self, is_fresh, number=signal.SIGTERM, times=STARTS):
        found = []
        for _ in range(times):
            if is_fresh:
                shutil.rmtree(self.state)
                (self.bot.folder / "audit.log").unlink(missing_ok=True)
                self.state.mkdir(mode=0o700)
            found.append(self.start_ms())
            self.stop(number)
        return statistics.median(found)


def measure_start(bench):
    bench.flush_ms()

    def row(what, took):
        bench.row(f"exec to ready, {what}", f"{took:.1f} ms", f"≤ {START_MS} ms", took <= START_MS)

    with kit.Stage(bench.new_folder("start"), deliver=True) as stage, \
            contextlib.closing(Starter(stage)) as starter:
        starter.stop()
        row("nothing there yet", starter.median_ms(True))
        fill(stage, DELIVERIES, DEPLOYMENTS)
        history = f"{DELIVERIES:,} deliveries and {DEPLOYMENTS:,} deployments"
        row(f"with {history}", starter.median_ms(False))
        row("the same after kill -9", starter.median_ms(False, signal.SIGKILL))


# ---- from Confirm to exec ----------------------------------------------------------------------


def go_of(view):
    """The button that starts what a question asks about; None: it is no question."""
    rows = view["message"].get("reply_markup", {}).get("inline_keyboard", [])
    return next((button for row in rows for button in row
                 if "Deploy " in button["text"]), None)


class Presser:
    """Presses buttons as Telegram delivers it, on a connection that is open already."""

    numbers = itertools.count(2_000_000_000)
    people = itertools.cycle(ADMINS)

    def __init__(self, stage):
        self.person = ADA
        self.chat = stage.chat
        self.bot = stage.bot
        self.connection = http.client.HTTPConnection("127.0.0.1", stage.bot.port, timeout=20)
        self.connection.connect()

    def close(self):
        self.connection.close()

    def ask(self, environment):
        """The message that asks, with its buttons."""
        self.person = next(self.people)
        mark = self.chat.mark()
        self.chat.say(self.person, self.person, f"/deploy {environment}")
        return self.chat.wait_for_message(
            lambda view: go_of(view) is not None, after=mark, chat_id=self.person)

    def post(self, update):
        """One update; returns when its first byte was handed to the kernel, in monotonic ns."""
        body = json.dumps(update).encode()
        self.connection.putrequest("POST", "/telegram/webhook")
        for name, value in (("Content-Type", "application/json"), ("Content-Length", len(body)),
                            ("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET)):
            self.connection.putheader(name, value)
        began = time.monotonic_ns()
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"an update was answered {answer.status}")
        return began

    def command_ms(self, text):
        """From a command's update to the request that answers it, as Telegram's clock has it.  Not
        of those that wait for their turn: we send it 25 a second, as it allows, and five at once."""
        time.sleep(PACE_S)
        before = len(self.chat.calls("sendmessage"))
        who = next(self.people)
        person = {"id": who, "is_bot": False, "first_name": "Ada"}
        began = time.time()
        self.post({"update_id": next(self.numbers), "message": {
            "message_id": 1, "date": int(began), "text": text, "from": person,
            "chat": {"id": who, "type": "private", "first_name": "Ada"},
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}]}})

        time.sleep(PACE_S)  # a look would take Telegram's time just then

        def answered():
            calls = self.chat.calls("sendmessage")[before:]
            return calls and calls[0]
        return (kit.wait_until(answered, 20, f"the answer to {text}")["at"] - began) * 1000

    def confirm(self, view):
        return self.press(view, go_of(view))

    def press(self, view, button):
        """Returns when it was pressed, in monotonic ns."""
        number = next(self.numbers)
        return self.post({"update_id": number, "callback_query": {
            "id": str(number), "chat_instance": "1", "data": button["callback_data"],
            "from": {"id": self.person, "is_bot": False, "first_name": "Ada"},
            "message": view["message"]}})


@contextlib.contextmanager
def stage_with_script(bench, name, script, build=None, settings=None):
    """A stage in webhook mode that deploys production with this script, and no health gate."""
    stage = kit.Stage(bench.new_folder(name), deliver=True, start=False, build=build, settings={
        "DEPLOY_SCRIPT": str(script), "PRODUCTION_HEALTH_URL": None,
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ADMIN_TELEGRAM_IDS": ",".join(map(str, (ADA, *ADMINS))), **(settings or {})})
    stage.extra["TELEGRAM_WEBHOOK_URL"] = f"http://127.0.0.1:{stage.http_port}/telegram/webhook"
    with stage.start():
        kit.wait_until(lambda: stage.chat.state()["webhook"]["url"], what="the webhook")
        for who in ADMINS:
            stage.chat.act("users", user_id=who, first_name="Ada")
        yield stage


def newest_log(stage):
    logs = {int(path.parent.name): path for path in stage.folder.glob("state/runs/*/log")}
    return logs[max(logs)] if logs else None


def began_ns(log):
    """When the script's first instruction ran; None until it has said so."""
    first = pathlib.Path(log).open("rb").readline(64)
    return int(first.split()[1]) if first.startswith(b"began ") and first.endswith(b"\n") else None


def wait_for_end(stage):
    kit.wait_until(lambda: 'deploybot_environment_busy{environment="production"} 0\n'
                   in stage.bot.metrics(), 60, "the deployment's end")


def begin_run(stage, presser):
    """One deployment of production, confirmed: (ns from press to exec, its log, when it was pressed)."""
    question = presser.ask("production")
    before = newest_log(stage)
    pressed = presser.confirm(question)
    log = kit.wait_until(lambda: newest_log(stage) != before and newest_log(stage), 20, "a run")
    began = kit.wait_until(lambda: began_ns(log), 20, "the script's first line")
    return began - pressed, log, pressed


class Asked:
    """The programs beside a deploy/ whose commits.sh notes when it began and ended (asked.c)."""

    def __init__(self, folder):
        self.build = folder / "build"
        self.log = folder / "deploy" / "asked"
        self.build.mkdir(parents=True)
        for name in ("deploybot", "deploybot-runner"):
            shutil.copy2(kit.build_dir() / name, self.build)
        shutil.copytree(kit.ROOT / "deploy", folder / "deploy", symlinks=True)
        (folder / "deploy" / "commits.sh").rename(folder / "deploy" / "asked.sh")
        shutil.copy2(kit.program("asked"), folder / "deploy" / "commits.sh")

    def ns_between(self, pressed, began):
        """How long git was being asked then."""
        lines = [tuple(map(int, line.split())) for line in self.log.read_text("ascii").splitlines()]
        return sum(max(0, min(end, began) - max(start, pressed)) for start, end in lines)


def measure_confirm(bench):
    target = CONFIRM_MS + FLUSHES * bench.flush_ms()
    asked = Asked(bench.new_folder("asked"))
    times, gits = [], []
    with stage_with_script(bench, "confirm", bench.lines, asked.build) as stage, \
            contextlib.closing(Presser(stage)) as presser, kit.apart(stage.bot.process.pid):
        for _ in range(CONFIRMS):
            took, _, pressed = begin_run(stage, presser)
            times.append(took / 1e6)
            gits.append(asked.ns_between(pressed, pressed + took) / 1e6)
            wait_for_end(stage)
    ours = [took - git for took, git in zip(times, gits)]
    bench.row("Confirm to the script's first instruction",
              f"{statistics.median(times):.1f} ms (worst of {CONFIRMS}: {max(times):.1f}), "
              f"{statistics.median(gits):.1f} of it commits.sh, which is asked once more")
    bench.row("the same, less what commits.sh took",
              f"{statistics.median(ours):.1f} ms (worst: {max(ours):.1f})", f"≤ {target:.1f} ms",
              statistics.median(ours) <= target)
