"""crash.py - campaign: SIGKILL at each named place of lib/crash_point.def, in each flow that comes by there.

Each place twice: that process alone is killed (`alone`), and server, runner and supervisors at once (`power`); what a
start after a power cut comes by, three times in a row (`thrice`); one that others wait for, when they have gone as far
as they go without it (`late`). Then deploybot is started again, the user goes on,
and the oracle looks. ALL=1 plays every passage of a place, else one of them is drawn.
"""
# SPDX-License-Identifier: ISC
import collections
import os
import re
import shutil
import signal
import struct
import sys

import campaign
import oracle
from scene import ROOT, wait_until
from flow_aid import PATIENCE_S, buttons_of
from flows import FLOWS, Flow, Production, Push, note_github
from stage import GITHUB_SECRET, WEBHOOK_SECRET

ROW = re.compile(r'^CRASH\((\w+), (\w+), "([^"]*)", (\w+), "([^"]*)"\)$', re.M)
LABEL = re.compile(r"(\w+)/(\w+):(\d+)/(\w+)")    # of one trial
Point = collections.namedtuple("Point", "name who faults flow words")
OF_TABLE = {row[0]: Point(*row) for row in ROW.findall((ROOT / "lib" / "crash_point.def").read_text("utf-8"))}
# Whose places no flow here comes by, and the test that kills them there: an agent needs a host with systemd.
ELSEWHERE = {"agent": "tests/infra/test_infra_agent.py", "link": "tests/e2e/test_link_renew.py"}
POINTS = {name: point for name, point in OF_TABLE.items() if point.who not in ELSEWHERE}
LIMIT_PASSAGES = 40
NOT_SHORT = {"push_read", "poll_read", "rollback_due"}     # a confirmed deployment does not come by there
SHORT_TRIALS = 4
# Whose supervisor is killed there is ordered again and goes its way: no file names a leader that may have begun.
BEFORE_LEADER = {"order_received", "folder_named", "folder_made", "supervisor_begun", "folder_claimed",
                 "main_process_forked"}
# Whoever is killed there takes a question to git along.
ASKING = {"git_query_received", "reply_passed", "git_query_begun", "git_query_answered"}
# Its record counts.
BEHIND_RECORD = {"record_done", "exit_sent"}
# Where others must wait: what they do without it comes too early.
LATE = {"decision_made", "batch_decided", "hello_received", "go_due", "main_process_written", "supervisor_ready",
        "record_written"}
PUSHES = 150        # so many commits fill the database's log


class Page:
    """The page that all processes of a trial share: passages, deaths, pids."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """Two dictionaries by the point's name: how often it was passed, how often somebody died there."""
        n = len(OF_TABLE)
        content = self.path.read_bytes() if self.path.exists() else b""
        numbers = struct.unpack(f"{1 + 2 * n}I", content[:4 + 8 * n].ljust(4 + 8 * n, b"\0"))
        return dict(zip(OF_TABLE, numbers[1:])), dict(zip(OF_TABLE, numbers[1 + n:]))

    def end(self):
        """Nobody dies any more, also not who was to and is alive."""
        if self.path.exists():
            with self.path.open("r+b") as page:
                page.write(struct.pack("I", 1))

    def died(self):
        return {name: n for name, n in self.read()[1].items() if n > 0}


# --- flows that come by where the three do not ---


class First(Flow):
    """The very first start: the database is made, then staging is deployed."""

    name = "first"
    expected = {"LIVE"}

    def prepare(self, scene):
        super().prepare(scene)
        shutil.rmtree(scene.folder / "state")
        (scene.folder / "audit.log").unlink()
        scene.template_rows = (0, 0)

    def ask(self, scene):
        scene.say("/deploy staging")


class Reload(Push):
    """The webhook's secret changes in its file; a push that is signed with the new one is deployed."""

    name = "reload"

    def prepare(self, scene):
        secret = scene.folder / "changing.secret"
        secret.write_text(GITHUB_SECRET, encoding="ascii")
        secret.chmod(0o600)
        super().prepare(scene)
        scene.trial_settings = {"GITHUB_WEBHOOK_SECRET": None, "GITHUB_WEBHOOK_SECRET_FILE": str(secret)}

    def ask(self, scene):
        (scene.folder / "changing.secret").write_text(WEBHOOK_SECRET, encoding="ascii")
        scene.hub.secret = WEBHOOK_SECRET
        if not scene.is_dead():
            scene.bot.process.send_signal(signal.SIGHUP)
        wait_until(lambda: scene.is_dead() or "settings changed" in scene.bot.log(), PATIENCE_S)
        super().ask(scene)


class Busy(Push):
    """Pushes of other branches until the log is copied into the database at the next pause; then a push."""

    name = "busy"

    def ask(self, scene):
        for n in range(PUSHES):
            if scene.is_dead():
                break
            note_github(scene, scene.hub.push(f"feature-{n}", f"{n:040x}"))
        wait_until(lambda: scene.is_dead() or scene.page.read()[0]["checkpoint_done"], PATIENCE_S, "a checkpoint")
        super().ask(scene)


class Stop(Production):
    """SIGTERM in the middle of the script: the server waits for it, and the next one says how it ended."""

    name = "stop"

    def play(self, scene):
        scene.scripts.touch("production.hold")
        self.ask(scene)
        self.follow(scene, PATIENCE_S, lambda: scene.is_dead() or scene.is_half("production"))
        if not scene.is_dead():
            scene.bot.process.send_signal(signal.SIGTERM)
            wait_until(lambda: scene.is_dead() or "stopping" in scene.bot.log(), PATIENCE_S)
        scene.scripts.clear("production.hold")
        wait_until(scene.is_dead, PATIENCE_S, "the server's end")
        return scene.who


class Cancel(Flow):
    """A script that would never end is cancelled when it has half changed its target."""

    name = "cancel"
    expected = {"ROLLED_BACK"}

    def ask(self, scene):
        scene.scripts.touch("staging.hold")
        scene.pressed = set()
        scene.say("/deploy staging")

    def answer(self, scene):
        if scene.is_half("staging"):
            for view in scene.who.messages():
                scene.press_once(view, next((b for b in buttons_of(view) if "Stop" in b), None))


class Recovery(Production):
    """The power goes in the middle of the script; what is played is the start after it."""

    name = "recovery"
    expected = {"ROLLED_BACK"}

    def before(self, scene):
        scene.scripts.touch("production.hold")
        scene.launch()
        self.ask(scene)
        self.follow(scene, PATIENCE_S, lambda: scene.is_half("production"))
        assert scene.is_half("production"), scene.bot.log()
        scene.power_cut()
        scene.scripts.clear("production.hold")
        scene.lost_runs += 1
        scene.kills += 1

    def play(self, scene):
        self.follow(scene, PATIENCE_S, scene.is_dead)
        return scene.who


ALL = {**FLOWS, **{flow.name: flow for flow in (First(), Reload(), Busy(), Stop(), Cancel(), Recovery())}}


# --- one trial ---


def expected_of(flow, point, kind):
    """In which states the flow's deployment may end when it was killed there."""
    found = set(flow.expected)
    is_supervisor_lost = kind in ("power", "thrice") or point.who == "supervisor"
    if is_supervisor_lost and point.name not in BEHIND_RECORD:
        # Lost before it named its leader, it has touched nothing, and the oracle holds it to that.
        found.add("FAILED" if point.name in BEFORE_LEADER else "ROLLED_BACK")
    if kind == "power":
        found.add("FAILED")
    if kind == "thrice":
        found |= {"ROLLBACK_FAILED"}    # a rollback is begun three times, not four
    if point.name in ("folder_named", "folder_made"):
        found.add("FAILED")
    if point.who == "main_process":
        found |= {"FAILED", "ROLLBACK_FAILED"}
    if (point.name in ASKING or point.who == "main_process") and kind in ("alone", "late"):
        found.add("REFUSED")    # a person gets "git did not answer"; a push is retried by itself
    return found


def arm(scene, wish):
    """From the next start on; None: passages are counted, nobody dies."""
    scene.page = Page(scene.folder / "crash.page")
    scene.page.path.unlink(missing_ok=True)
    found = {"DEPLOYBOT_CRASH_PAGE": str(scene.page.path), "DEPLOYBOT_CRASH": wish or "none"}
    scene.wish_of_runner(found)
    return found


def count(scene, name):
    """A flow without a death; the names of what it came by, as often as it did."""
    flow = ALL[name]
    flow.prepare(scene)
    if hasattr(flow, "before"):
        flow.before(scene)
    scene.expected = flow.expected
    scene.launch(arm(scene, None))
    who = flow.play(scene)
    passed = scene.page.read()[0]
    if scene.is_dead():     # it was stopped
        scene.launch()
    flow.settle(scene, who)
    oracle.check(scene, who)
    return [f"{name} {point}" for point, n in passed.items() for _ in range(n)]


def trial(scene, parameters):
    """Kills at a point, starts again, and asks the oracle."""
    name, point, passage, kind = parameters
    flow, last = ALL[name], passage + (2 if kind == "thrice" else 0)
    flow.prepare(scene)
    if hasattr(flow, "before"):
        flow.before(scene)
    scene.expected = expected_of(flow, POINTS[point], kind)
    armed = arm(scene, f"{point}:{passage}-{last}" + (f":{kind}" if kind in ("power", "late") else ""))
    scene.launch(armed, wait="if it lives")
    flow.play(scene)
    while kind == "thrice" and scene.is_dead() and sum(scene.page.died().values()) < 3:
        scene.launch(armed, wait="if it lives")
        flow.follow(scene, PATIENCE_S, scene.is_dead)
    scene.page.end()
    hits = scene.page.died()
    scene.kills += sum(hits.values())
    if kind == "power" and hits:
        scene.power_cut()       # whoever came by no point yet
    if kind in ("power", "thrice") or POINTS[point].who == "supervisor":
        scene.lost_runs += max(1, sum(hits.values()))
    scene.wish_of_runner()
    if scene.is_dead():
        scene.launch()
    flow.settle(scene, scene.who)
    oracle.check(scene, scene.who)
    return [f"{kind} {POINTS[point].who} {point}"] if hits else []


# --- which there are ---


def check_table():
    """Each place is of a flow that is played, or named by the test that kills there."""
    for name, point in OF_TABLE.items():
        test = ELSEWHERE.get(point.who)
        if test is not None and name not in (ROOT / test).read_text("utf-8"):
            sys.exit(f"crash_point.def: {test} does not kill at {name}")
        if test is None and point.flow != "any" and point.flow not in ALL:
            sys.exit(f"crash_point.def: {name} is of no flow of tests/faults/crash.py: {point.flow}")


def kinds_of(flow, point):
    found = ["alone", "power"]
    if flow == "recovery":
        found.append("thrice")
    if point in LATE:
        found.append("late")
    return found


def is_played(name, point):
    """The three flows play what they come by; a special one what is its own, and the start all of it."""
    return name in FLOWS or POINTS[point].flow == name or name == "recovery"


def make_trials(passages, dice, plays_all):
    """One passage of each place in each flow, in each kind; or every passage."""
    found = []
    for (name, point), n in passages.items():
        if not is_played(name, point):
            continue
        for kind in kinds_of(name, point):
            chosen = range(1, min(n, LIMIT_PASSAGES) + 1) if plays_all else [dice.randint(1, n)]
            found += [(f"{name}/{point}:{i}/{kind}", (name, point, i, kind)) for i in chosen]
    dice.shuffle(found)
    return found


class Crash(campaign.Kind):
    """SIGKILL at each named place of lib/crash_point.def, in each flow that comes by there."""

    name = "crash"
    workers = 2

    def one(self, label):
        match = LABEL.fullmatch(label)
        return (match[1], match[2], int(match[3]), match[4]) if match else None

    def trials(self, dice):
        """A play of each flow without a death counts how often it comes by each place."""
        check_table()
        names = [name for name in ALL if self.chosen.only.startswith(name + "/")] or ALL
        counted = campaign.run(self, [(f"count {name}", name) for name in names], count)
        if not self.chosen.only:
            for point in sorted(set(POINTS) - {name.split()[1] for name in counted.hits}):
                counted.failures.append((f"count {point}", "no flow comes by: give it one in tests/faults/crash.py"))
        if counted.failures:
            print("\n".join(f"  {label}: {text}" for label, text in counted.failures))
            campaign.finish(self, [], counted)
        passages = {tuple(name.split()): n for name, n in sorted(counted.hits.items())}
        return make_trials(passages, dice, bool(os.environ.get("ALL")))

    def short(self, dice):
        """Some that are sure to be reached, without a play to count."""
        check_table()
        names = [name for name, point in POINTS.items() if point.flow == "any" and name not in NOT_SHORT]
        return [(f"production/{name}:1/{kind}", ("production", name, 1, kind))
                for name, kind in zip(dice.sample(names, SHORT_TRIALS), ("alone", "power") * SHORT_TRIALS)]

    trial = staticmethod(trial)

    def aims(self, label, parameters):
        _, point, _, kind = parameters
        return [f"{kind} {POINTS[point].who} {point}"]

    def aim_again(self, name, trials):
        """A later passage may not come again in another play; the first one does, in whatever flow came by."""
        found = {(flow, point, 1, kind) for _, (flow, point, _, kind) in super().aim_again(name, trials)}
        return [(f"{flow}/{point}:1/{kind}", (flow, point, 1, kind)) for flow, point, _, kind in sorted(found)]


KIND = Crash
