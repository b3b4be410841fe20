"""adopt.py - whoever is killed, the rest is adopted: server, runner, supervisor in every combination, and upgrades.

    make check-adopt            # every subset of the three at every moment of a deployment; 50 upgrades of one run
    make check-adopt ROUNDS=5   # the same with other pauses and orders, five times
"""
# SPDX-License-Identifier: ISC
import contextlib
import itertools
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import campaign
import oracle
from flows import FLOWS
from scene import ENVIRONMENTS, PATIENCE_S, ROOT, RUNNER, FaultScene, is_alive, kill, wait_until
from flow_aid import text_of

PARTS = ("server", "runner", "supervisor")
SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(PARTS, n)]
UPGRADES = 50
UPGRADE_WAYS = ("kill", "kill", "term", "term and kill", "runner first")
NEXT_VERSION, OTHER_VERSION = "99.0.0", "98.0.0"
DEADLINE_S = 6
ADOPTIONS = 40      # of a run whose deadline is shorter than a tenth of them take
BORN_WAIT_S = 0.25

# A target has a lock that is made with O_EXCL; whoever finds it taken by one that lives leaves a line in `overlap`.
SCRIPT = r"""
what={program} env=$1 commit=$2 lock=$here/$1.lock
said() {{ echo "$1 $what $env $commit ${{RUN_ID:-none}}" >>"$here/begun"; }}
hold() {{ : >"$here/$env.at-$what-$1"; while [ -e "$here/$env.hold-$what-$1" ]; do sleep 0.02; done; }}
until (set -C; echo "$RUN_ID $$" >"$lock") 2>/dev/null; do
	read -r owner others <"$lock"
	for other in $others; do
		if grep -qzsx "RUN_ID=$owner" "/proc/$other/environ"; then
			echo "$RUN_ID found $other of $owner: $(tr '\0' ' ' <"/proc/$other/cmdline")" >>"$here/overlap"
		fi
	done
	rm -f "$lock"
done
said begin
echo "==> ship"
setsid sleep 600 >/dev/null 2>&1 & child=$!
echo "$RUN_ID $$ $child" >"$lock"
{body}
rm -f "$lock"
said end
{end}
"""
STEADY = """for i in 1 2 3; do echo "$what line $i"; done
hold build
echo "==> release"
said touch
echo half >"$here/$env.live"
hold release
echo "$commit" >"$here/$env.live"
kill "$child"
hold exit
"""
LATE = '[ ! -e "$here/$env.drain" ] || { (sleep 0.7; echo late) & }'
LONG = """i=0
while [ ! -e "$here/$env.stop" ]; do i=$((i + 1)); echo "line $i"; sleep 0.01; done
echo "==> release"
said touch
echo "$commit" >"$here/$env.live"
kill "$child"
"""


class AdoptScene(FaultScene):
    """A scene whose programs can be exchanged, and whose scripts stop at points that have names."""

    def set_scripts(self, between=""):
        del between
        self.set_bodies(STEADY)

    def set_bodies(self, deploy):
        for environment in ENVIRONMENTS:
            self.scripts.deploy(SCRIPT.format(program="deploy", body=deploy, end=LATE), environment)
            self.scripts.rollback(SCRIPT.format(program="rollback", body=STEADY, end=":"), environment)

    def begin(self, **settings):
        """The template again, with nothing stopped; a good end is an edit, however long it takes."""
        self.fresh(**{"STAGING_NOTIFY_AFTER_SECONDS": "3600", **settings})
        for path in self.scripts.folder.glob("*.*-*-*"):
            path.unlink()
        self.scripts.clear(*(f"{name}.{what}" for name in ENVIRONMENTS for what in ("drain", "stop", "lock")))
        self.health.gates.clear()
        self.install(self.real)

    def install(self, server, runner=None):
        """Puts other programs in the place of ours, as a package does: a file is renamed over the old one."""
        for name, content in (
                ("deploybot", (pathlib.Path(server) / "deploybot").read_bytes()),
                ("deploybot-runner", RUNNER.format(
                    here=self.folder / "bin", runner=pathlib.Path(runner or server) / "deploybot-runner",
                    scripts=ROOT / "deploy").encode())):
            fresh = self.folder / "bin" / f"{name}.new"
            fresh.write_bytes(content)
            fresh.chmod(0o755)
            fresh.replace(self.folder / "bin" / name)

    # --- stops that have names ---

    def hold_at(self, point, environment="production"):
        self.scripts.touch(f"{environment}.hold-{point}")

    def wait_at(self, point, environment="production"):
        self.scripts.wait_for(f"{environment}.at-{point}")

    def let_go_on(self):
        for path in self.scripts.folder.glob("*.hold-*"):
            path.unlink()
        for gate in self.health.gates.values():
            gate.set()

    # --- runs ---

    def has_record(self, run=None):
        path = self.run_folder(run) / "exit"
        return path.exists() and path.read_bytes()[:1] not in (b"", b"\0")

    def record(self, run=None):
        text = (self.run_folder(run) / "exit").read_bytes().rstrip(b"\0").decode("utf-8", "replace")
        return dict(line.partition(" ")[::2] for line in text.splitlines())

    def supervisors(self):
        """Forks of a runner that lead a session and have a run's folder open; a question has none."""
        return [pid for pid in self.runners() if opened(pid, f"{self.folder / 'state' / 'runs'}/")]

    def versions(self):
        return re.findall(r'deploybot_build_info\{version="([^"]*)"', self.bot.metrics())


def opened(pid, prefix):
    """How many of a process's descriptors are called so."""
    found = 0
    with contextlib.suppress(OSError):
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found += os.readlink(entry).startswith(prefix)
    return found


# --- the moments ----------------------------------------------------------------------------------


def confirm(scene):
    """A person confirms, while somebody looks on."""
    def is_asked():
        FLOWS["production"].answer(scene)
        return scene.pressed
    wait_until(is_asked, PATIENCE_S, "the question")


def ask(scene):
    FLOWS["production"].ask(scene)
    wait_until(lambda: any("Deploy to production?" in text_of(v) for v in scene.who.messages()), PATIENCE_S,
               "the question")


def stop(scene, pid):
    os.kill(pid, signal.SIGSTOP)
    scene.stopped.append(pid)


def go_on(scene, pid):
    scene.stopped.remove(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def before_the_folder(scene):
    """The run is ordered, and the runner has not read it."""
    ask(scene)
    scene.mark = scene.last_run()
    idle = len(scene.runners())
    with git_waits(scene):
        confirm(scene)
        wait_until(lambda: len(scene.runners()) > idle, PATIENCE_S, "git's last look before the start")
        stop(scene, scene.server())
    wait_until(lambda: len(scene.runners()) == idle, PATIENCE_S, "its answer")
    stop(scene, scene.runner())
    go_on(scene, scene.server())
    wait_until(lambda: scene.rows("SELECT 1 FROM effect WHERE kind = 'run'"), PATIENCE_S, "an order")


@contextlib.contextmanager
def git_waits(scene):
    """Whoever asks the repository waits until the end of this."""
    head = scene.folder / "repository" / "shop.git" / "HEAD"
    words = head.read_bytes()
    kept = head.with_name("HEAD.kept")
    head.rename(kept)
    os.mkfifo(head)
    try:
        yield
    finally:
        kept.rename(head.with_name("HEAD.new"))
        fifo = os.open(head, os.O_RDWR)     # who waits there reads it from here
        head.with_name("HEAD.new").rename(head)
        os.write(fifo, words)
        os.close(fifo)


def at_the_gate(scene):
    """The supervisor waits, and its server has not connected."""
    before_the_folder(scene)
    stop(scene, scene.server())
    go_on(scene, scene.runner())

    def is_there():
        if scene.last_run() > scene.mark and (scene.run_folder() / "socket").exists():
            return True
        if scene.last_run() == scene.mark:      # its row is there before the order is sent
            go_on(scene, scene.server())
            stop(scene, scene.server())
        return False

    wait_until(is_there, PATIENCE_S, "a run")
    wait_until((scene.run_folder() / "leader").exists, PATIENCE_S, "its leader")


def between_hello_and_go(scene):
    """The server has connected and received hello, and cannot write it down: `go` is not said."""
    before_the_folder(scene)

    def is_locked():
        """Not while the server itself writes: it was stopped in the middle of a commit."""
        stop(scene, scene.server())
        try:
            scene.lock = sqlite3.connect(scene.folder / "state" / "deploybot.db", timeout=0.1,
                                         isolation_level=None)
            scene.lock.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError:
            scene.lock.close()
            go_on(scene, scene.server())
            return False
    wait_until(is_locked, PATIENCE_S, "a database that is ours")
    go_on(scene, scene.server())    # the order's row is there before it is sent
    go_on(scene, scene.runner())
    wait_until(lambda: scene.last_run() > scene.mark and (scene.run_folder() / "leader").exists(), PATIENCE_S,
               "a run")
    supervisor = scene.supervisor()
    wait_until(lambda: opened(supervisor, "socket:") == 2, PATIENCE_S, "a supervisor that is connected")


def in_a_script(point):
    def reach(scene):
        scene.hold_at(point)
        ask(scene)
        confirm(scene)
        scene.wait_at(point)
    return reach


def at_its_exit(scene):
    """Some milliseconds around the script's last word."""
    in_a_script("deploy-exit")(scene)
    scene.let_go_on()
    time.sleep(random.uniform(0, 0.03))     # the moment is the test's input: another one when it is aimed at again


def while_it_drains(scene):
    """The script has ended well, and something that it left still holds its output."""
    scene.scripts.touch("production.drain")
    in_a_script("deploy-exit")(scene)
    leader = scene.leader()
    scene.let_go_on()
    wait_until(lambda: not is_alive(leader), PATIENCE_S, "the script's end")


def while_it_is_probed(scene):
    scene.health.gates["production"] = threading.Event()
    asked = scene.health.times("production")
    ask(scene)
    confirm(scene)
    wait_until(lambda: scene.health.times("production") > asked and scene.last_run() > scene.mark
               and scene.has_record(), PATIENCE_S, "a probe")


def before_the_rollback(scene):
    """Health has failed, and the runner has not read the order to roll back."""
    scene.health.gates["staging"] = threading.Event()
    asked = scene.health.times("staging")
    FLOWS["unhealthy"].ask(scene)
    wait_until(lambda: scene.health.times("staging") > asked and scene.last_run() > scene.mark
               and scene.has_record(), PATIENCE_S, "a probe")
    stop(scene, scene.runner())
    scene.let_go_on()
    wait_until(lambda: scene.rows("SELECT 1 FROM work WHERE state = 'ROLLING_BACK'"), PATIENCE_S,
               "an order to go back")


def in_the_rollback(scene):
    scene.hold_at("rollback-release", "staging")
    FLOWS["unhealthy"].ask(scene)
    scene.wait_at("rollback-release", "staging")


# name: (how it is reached, flow, is there a supervisor?)
MOMENTS = {
    "folder": (before_the_folder, "production", False),
    "gate": (at_the_gate, "production", True),
    "go": (between_hello_and_go, "production", True),
    "build": (in_a_script("deploy-build"), "production", True),
    "release": (in_a_script("deploy-release"), "production", True),
    "exit": (at_its_exit, "production", True),
    "drain": (while_it_drains, "production", True),
    "health": (while_it_is_probed, "production", False),
    "back": (before_the_rollback, "unhealthy", False),
    "rollback": (in_the_rollback, "unhealthy", True),
}
MAY_BE_LATE = {"gate", "go", "exit", "drain"}    # the supervisor may be gone already, or its run not begun


def kill_trial(scene, parameters):
    """One subset of the three, killed at one moment; then what a supervisor does."""
    moment, victims, seed = parameters
    reach, flow, _ = MOMENTS[moment]
    scene.dice = random.Random(f"{seed} {moment} {victims}")
    scene.stopped, scene.lock = [], None
    scene.begin(**FLOWS[flow].settings)
    if flow == "unhealthy":
        scene.bad = {scene.new["staging"]}
    scene.mark = scene.last_run()
    scene.launch()
    try:
        reach(scene)
        hits = strike(scene, moment, victims)
    finally:
        if scene.lock is not None:
            scene.lock.close()
        for pid in list(scene.stopped):
            go_on(scene, pid)
    scene.let_go_on()
    scene.kills = int("server" in victims)
    scene.lost_runs = int(f"{moment}: supervisor" in hits)
    scene.expected = {"ROLLED_BACK"} if flow == "unhealthy" else {"LIVE"}
    if "supervisor" in victims and flow == "production":
        scene.expected = {"ROLLED_BACK", "LIVE"} if moment in MAY_BE_LATE else {"ROLLED_BACK"}
    FLOWS[flow].settle(scene, scene.who)
    oracle.check(scene, scene.who)
    return hits


def strike(scene, moment, victims):
    """Kills them in any order, and starts the server again where it was among them.  What was hit."""
    pids = {"server": scene.server(), "runner": scene.runner()}
    supervisors = scene.supervisors()
    if supervisors:
        pids["supervisor"] = supervisors[0]
    hits = []
    for name in scene.dice.sample(victims, len(victims)):
        if name in pids and is_alive(pids[name]):
            kill(pids[name])
            hits.append(f"{moment}: {name}")
    if "server" not in victims:
        return hits
    scene.bot.process.wait()
    if scene.lock is not None:
        scene.lock.close()
    for pid in scene.dice.choice(([], list(scene.stopped))):
        go_on(scene, pid)       # an old runner that wakes before, or behind, the new one
    time.sleep(scene.dice.choice((0, 0, BORN_WAIT_S)))
    scene.launch()
    if pids.get("supervisor") and "supervisor" not in victims and moment in ("build", "release", "rollback"):
        if not is_alive(pids["supervisor"]) or scene.supervisors() != [pids["supervisor"]]:
            raise oracle.Broken("one_supervisor_until_its_end", f"{pids['supervisor']}, then {scene.supervisors()}")
    return hits


# --- upgrades -------------------------------------------------------------------------------------


def line_in(view):
    """The last numbered line that a message shows."""
    return max(map(int, re.findall(r"line (\d+)", text_of(view))), default=0)


def lines_logged(scene, run):
    return [int(n) for n in re.findall(r"^line (\d+)$", scene.log_of(run), re.M)]


def stop_somehow(scene, way):
    """Ends the server as somebody who upgrades it might."""
    if way == "runner first":
        old = scene.runner()
        kill(old)       # the old server starts the new runner
        wait_until(lambda: scene.runner() != old, PATIENCE_S, "another runner")
    if way.startswith("term"):
        scene.bot.process.send_signal(signal.SIGTERM)
    if way == "term":
        scene.bot.process.wait(PATIENCE_S)
    else:
        scene.bot.kill()


def start_long(scene, **settings):
    """A deployment that prints lines until it is stopped; the message that shows it."""
    scene.begin(SHUTDOWN_TIMEOUT_SECONDS="1", **settings)
    return start_long_as(scene, scene.real)


def message_of(scene, view):
    return next(v for v in scene.who.messages() if v["message_id"] == view["message_id"])


def goes_on(scene, view, run):
    """What is shown of a run comes to what it has printed by now."""
    printed = lines_logged(scene, run)[-1]
    wait_until(lambda: line_in(message_of(scene, view)) >= printed, PATIENCE_S, f"line {printed} in the message")


def end_long(scene, view, run):
    """Ends it, and checks what it left."""
    scene.scripts.touch("staging.stop")
    final = scene.who.hear("Live: staging", scene.new["staging"][:7], after=0)
    if final["message_id"] != view["message_id"]:
        raise oracle.Broken("its_message_goes_on", f"{view['message_id']}, then {final['message_id']}")
    lines = lines_logged(scene, run)
    if lines != list(range(1, len(lines) + 1)):
        odd = next(i for i, n in enumerate(lines) if n != i + 1)
        raise oracle.Broken("no_line_is_lost_or_doubled", f"{lines[max(odd - 3, 0):odd + 3]}")
    if [line[0] for line in scene.begun()] != ["begin", "touch", "end"] or scene.last_run() != run:
        raise oracle.Broken("one_run", f"{scene.begun()}, run {run}, then {scene.last_run()}")
    settle(scene)


def settle(scene):
    FLOWS["unhealthy"].settle(scene, scene.who)
    oracle.check(scene, scene.who)


def upgrade_trial(scene, parameters):
    """The program is exchanged and started again, over and over, while one deployment goes on."""
    times, seed, builds = parameters
    dice = random.Random(seed)
    view = start_long(scene, DEPLOY_TIMEOUT_SECONDS="3600")
    run, supervisor, hits = scene.last_run(), scene.supervisor(), []
    for n in range(times):
        way = dice.choice(UPGRADE_WAYS)
        folder, version = builds[n % 2]
        scene.install(folder)
        stop_somehow(scene, way)
        scene.kills += 1
        scene.launch()
        if scene.versions() != [version]:
            raise oracle.Broken("the_new_one_works", f"{scene.versions()}, not {version}")
        if scene.supervisors() != [supervisor] or scene.last_run() != run:
            raise oracle.Broken("one_supervisor_until_its_end",
                                f"{supervisor}, then {scene.supervisors()}; {scene.last_run()}")
        goes_on(scene, view, run)
        hits.append(f"upgrade: {way}")
    end_long(scene, view, run)
    return hits


# --- deadlines ------------------------------------------------------------------------------------


def held_with_a_deadline(scene):
    scene.begin(DEPLOY_TIMEOUT_SECONDS=str(DEADLINE_S))
    scene.expected = {"FAILED"}
    scene.hold_at("deploy-build", "staging")
    scene.launch()
    scene.who.say("/deploy staging")
    scene.wait_at("deploy-build", "staging")
    return scene.last_run()


def told_of_the_deadline(scene, run):
    if scene.record(run).get("timed_out") != "1":
        raise oracle.Broken("a_deadline_is_kept", scene.record(run))
    settle(scene)


def deadline_adopted_trial(scene, _):
    """Adopted again and again, each time long before the deadline: it is not renewed."""
    run, n = held_with_a_deadline(scene), 0
    while not scene.has_record(run):
        if n == ADOPTIONS:
            raise oracle.Broken("a_deadline_is_not_renewed", f"alive after {n} adoptions")
        scene.crash()
        scene.launch()
        scene.kills += 1
        n += 1
        time.sleep(0.2)     # the pace is the test's input
    told_of_the_deadline(scene, run)
    return ["deadline: adopted"] * n


def deadline_nobody_trial(scene, _):
    """It passes while no server lives."""
    run = held_with_a_deadline(scene)
    leader = scene.leader(run)
    scene.crash()
    scene.kills = 1
    wait_until(lambda: scene.has_record(run), PATIENCE_S, "the deadline")
    if is_alive(leader):
        raise oracle.Broken("a_deadline_is_kept", "the script lives")
    scene.launch()
    told_of_the_deadline(scene, run)
    return ["deadline: nobody there"]


# --- another version of the protocol --------------------------------------------------------------


def foreign_trial(scene, parameters):
    """A supervisor of one version, server and runner of another: said, followed by its log, ended by its record."""
    name, before, after, ending = parameters
    scene.begin()
    view = start_long_as(scene, before)
    run, supervisor = scene.last_run(), scene.supervisor()
    scene.install(after)
    scene.crash()
    scene.kills = 1
    scene.launch()
    scene.who.hear("started by another version of deploybot", after=0)
    if "its supervisor is of another version (incompatible): it speaks version" not in scene.bot.log():
        raise oracle.Broken("another_version_is_said", scene.bot.log()[-2000:])
    goes_on(scene, view, run)
    if scene.supervisors() != [supervisor]:
        raise oracle.Broken("one_supervisor_until_its_end", f"{supervisor}, then {scene.supervisors()}")
    if ending == "cancel":
        scene.who.press(message_of(scene, view), "Stop")
        scene.expected = {"FAILED"}
        scene.who.hear("cancelled", after=0)
        settle(scene)
    else:
        end_long(scene, view, run)
    return [f"protocol: {name}"]


def start_long_as(scene, build):
    scene.install(build)
    scene.set_bodies(LONG)
    scene.expected = {"LIVE"}
    scene.launch()
    scene.who.say("/deploy staging")
    return scene.who.hear("line", buttons=("Stop",))


def mixed_trial(scene, parameters):
    """Server and runner of different versions: both are named, the program ends, and a run goes on without it."""
    name, server, runner = parameters
    view = start_long(scene)
    run, supervisor = scene.last_run(), scene.supervisor()
    scene.install(server, runner)
    if name == "runner exchanged":      # under a server that runs
        kill(scene.runner())
    else:
        scene.crash()
        scene.kills = 1
        scene.launch(wait=False)
    status = scene.bot.process.wait(PATIENCE_S)
    said = scene.bot.log()[-3000:]
    if status != 78 or not re.search(r"speaks version \d+, this program version \d+: install ", said):
        raise oracle.Broken("another_version_is_said", f"status {status}: {said}")
    doctor = scene.bot.run("doctor")
    if doctor.returncode == 0 or "install the same version of both" not in doctor.stdout:
        raise oracle.Broken("the_doctor_says_it", doctor.stdout + doctor.stderr)
    if scene.supervisors() != [supervisor]:
        raise oracle.Broken("one_supervisor_until_its_end", f"{supervisor}, then {scene.supervisors()}")
    scene.install(scene.real)
    scene.launch()
    goes_on(scene, view, run)
    end_long(scene, view, run)
    return [f"protocol: {name}"]


# --- the campaign ---------------------------------------------------------------------------------

TRIALS = {"kill": kill_trial, "upgrade": upgrade_trial, "foreign": foreign_trial, "mixed": mixed_trial,
          "deadline adopted": deadline_adopted_trial, "deadline nobody": deadline_nobody_trial}


def subsets_of(moment):
    has_supervisor = MOMENTS[moment][2]
    return [s for s in SUBSETS if has_supervisor or "supervisor" not in s]


def make_trials(chosen):
    kills = [(f"kill/{moment}/{'+'.join(victims)}/{n}", ("kill", (moment, victims, f"{chosen.seed} {n}")))
             for n in range(chosen.rounds) for moment in MOMENTS for victims in subsets_of(moment)]
    return long_trials(chosen, *others_of(chosen.build)) + kills


def long_trials(chosen, after, other):
    here = pathlib.Path(chosen.build)
    ours = subprocess.run([here / "deploybot", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return [
        ("upgrade", ("upgrade", (chosen.upgrades, chosen.seed, ((after, NEXT_VERSION), (here, ours))))),
        ("deadline/adopted", ("deadline adopted", None)),
        ("deadline/nobody", ("deadline nobody", None)),
        *((f"protocol/{name}/{ending}", ("foreign", (name, before, now, ending)))
          for name, before, now in (("old supervisor", here, other), ("new supervisor", other, here))
          for ending in ("live", "cancel")),
        *((f"protocol/{name}", ("mixed", (name, server, runner)))
          for name, server, runner in (("old server", here, other), ("old runner", other, here),
                                       ("runner exchanged", here, other))),
    ]


def others_of(build):
    """Where another version of the program is built, and one of the protocol."""
    return pathlib.Path(build) / "next", pathlib.Path(build) / "protocol"


def build_others(build):
    """The first from this tree, the second from a copy with one number changed."""
    after, other = others_of(build)
    tree = other / "tree"
    for name in ("agent", "judge", "lib", "link", "runner", "server"):
        for path in sorted(ROOT.glob(f"{name}/**/*.*")):
            copy_changed(path, tree / path.relative_to(ROOT))
    for name in ("Makefile", "CHANGES.md"):
        copy_changed(ROOT / name, tree / name)
    make(ROOT, after, NEXT_VERSION)
    make(tree, other, OTHER_VERSION)


def copy_changed(source, target):
    """So that make builds what has changed and nothing else."""
    content = source.read_bytes()
    if source.name == "protocol.h":     # of all others it knows none
        content, n = re.subn(rb"(#define PROTOCOL_(?:VERSION|SUPERVISOR_SINCE)[\t ])\d+", rb"\g<1>4242", content)
        assert n == 2, "runner/protocol.h names its versions otherwise"
    if not target.exists() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def make(tree, build, version):
    done = subprocess.run(["make", "--no-print-directory", f"-j{len(os.sched_getaffinity(0))}", f"BUILD={build}",
                           f"VERSION={version}", "SANITIZE=", "all"],
                          cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"adopt: building {version} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


class Adopt(campaign.Kind):
    """Server, runner and supervisor die in every combination, and are exchanged under a run."""

    name = "adopt"
    make_scene = AdoptScene

    def options(self, parser):
        parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS") or 1), help="of all the kills")
        parser.add_argument("--upgrades", type=int, default=int(os.environ.get("UPGRADES") or UPGRADES))

    def trials(self, dice):
        found = make_trials(self.chosen)
        if any(label.startswith(("upgrade", "protocol")) for label, _ in found if self.chosen.only in label):
            build_others(self.chosen.build)
        return found

    def short(self, dice):
        return dice.sample([one for one in make_trials(self.chosen) if one[0].startswith("kill/")], 3)

    def trial(self, scene, parameters):
        return TRIALS[parameters[0]](scene, parameters[1])

    def aims(self, label, parameters):
        kind, what = parameters
        if kind == "kill":
            moment, victims, _ = what
            return [] if self.chosen.only or self.chosen.short else [f"{moment}: {name}" for name in victims]
        if kind in ("foreign", "mixed"):
            return [f"protocol: {what[0]}"]
        return {"deadline adopted": ["deadline: adopted"], "deadline nobody": ["deadline: nobody there"]}.get(kind, ())


KIND = Adopt
