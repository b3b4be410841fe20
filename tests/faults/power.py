"""power.py - campaign: cuts the power at a chosen record of a flow, and starts deploybot on what a disk may hold then.

    make check-power                                            # 240 cuts
    make check-power CUTS=1000 SEED=7
    make check-power ONLY='push write state/deploybot.db-wal 3 sectors 5'   # that one again
"""
# SPDX-License-Identifier: ISC
#
# The label of a trial is what it does: the flow; the call behind which the power goes, what it was for, and which
# of those it was; what becomes of that which was not flushed (power_disk.py: Damage), and the seed of that.
# Before deploybot is started on one image, others of the same cut are looked at: what was acknowledged, sent or
# begun must stand on each of them.
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import threading
import uuid

import campaign
import oracle
from scene import is_alive, kill, wait_until  # first of the kit: it finds the rest
from flow_aid import PATIENCE_S, text_of
from flows import FLOWS, SETTLE_S, Push, note_github, note_telegram
from stage import each_process
from power_disk import Damage, Disk, Page

WATCHED = ("state", "audit.log")
IMAGES = 8          # looked at in each cut
CUTS = 240
NOWHERE = ("write", "nothing", 0)   # the power goes when all is over
LATE = "cut when all is over"           # of another trial: its place was not reached
# What was found first, by one each: the state folder's own name, a run that was let go, an acknowledgement; and a
# folder that was flushed later than the row that says that its run was at its gate.
SHORT = (("empty", *NOWHERE, "lost", 1), ("production", "told", "step", 2, "lost", 1),
         ("push", "write", "audit.log", 2, "sectors", 1), ("production", "told", "go", 1, "lost", 1))
GONE = "a started run without its folder"
CUT_S = 600         # a trial that is over cuts too
LOOKS = 3           # at the processes there are: a list of /proc is no snapshot
BUSY_DELIVERIES = 120
OLD = 1             # milliseconds after 1970: before whatever is kept
GOES_ON = re.compile(r"^↩️ Rolling back|[:,] rolling back to ")   # it is shown, or rang, and is no end


# --- more flows: what writes in other ways ---

class Busy(Push):
    """Many deliveries, so that the log is moved into the database meanwhile; settings read anew among them."""

    name = "busy"

    def ask(self, scene):
        threads = [threading.Thread(target=self.deliver, args=(scene, i)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not scene.is_dead():
            scene.bot.process.send_signal(signal.SIGHUP)
        super().ask(scene)

    @staticmethod
    def deliver(scene, lane):
        for i in range(BUSY_DELIVERIES // 4):
            if scene.is_dead():
                return
            number = f"{lane:02x}{i:02x}" * 10
            note_github(scene, scene.hub.push(f"topic/{lane}", number, scene.old["staging"]))


class Tidy(Push):
    """The daily clean-up: old rows go, and the folders of old runs."""

    name = "tidy"
    settings = {"RUN_LOGS_KEEP": "1"}

    def prepare(self, scene):
        super().prepare(scene)
        connection = sqlite3.connect(scene.folder / "state" / "deploybot.db")
        with connection:
            connection.execute("UPDATE effect SET due = ? WHERE kind = 'wait' AND subject = 0", (OLD,))
            connection.execute("UPDATE inbox SET at = ?", (OLD,))
            connection.execute("UPDATE message SET at = ?", (OLD,))
            connection.execute("UPDATE button SET closed_at = ? WHERE closed_at <> 0", (OLD,))
        connection.close()
        scene.template_rows = (scene.template_rows[0], 0)   # numbers of rows that went are given again


class Empty(Push):
    """The first start of all: folders, schema; then a push to an environment without a release."""

    name = "empty"

    def prepare(self, scene):
        super().prepare(scene)
        shutil.rmtree(scene.folder / "state")
        (scene.folder / "audit.log").unlink()
        for environment in ("staging", "production"):
            (scene.scripts.folder / f"{environment}.live").unlink(missing_ok=True)
        scene.template_rows = (0, 0)


SCENARIOS = {**FLOWS, **{flow.name: flow for flow in (Busy(), Tidy(), Empty())}}


# --- the machine whose power goes ---

class Machine:
    """Everything of deploybot's that runs, its disk, and the power."""

    def __init__(self, scene):
        self.scene = scene
        self.page = Page(scene.folder / "power.page")
        self.boot = scene.folder / "boot_id"
        self.library = scene.real / "faults" / "libpower.so"
        self.disk = None
        self.watch = None
        self.untold = []        # what was sent before it was flushed

    def start(self, where):
        """What stands on the disk is flushed; from now on everything is noted."""
        scene = self.scene
        self.disk = Disk(scene.folder, WATCHED, scene.folder / "template")
        kind, name, number = where
        self.page.arm(kind, name if kind == "told" else os.path.normpath(scene.folder / name), number)
        environment = {**self.loaded(), "POWER_PAGE": str(self.page.path),
                       "POWER_PATHS": ":".join(str(scene.folder / name) for name in WATCHED)}
        scene.wish_of_runner(environment)
        scene.bot = None
        self.watch = threading.Thread(target=self.wait_for_cut)
        self.watch.start()
        scene.launch(environment, wait="if it lives")

    def loaded(self):
        """Before AddressSanitizer's own library, where there is one: it calls on through ours."""
        return {"LD_PRELOAD": str(self.library), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def wait_for_cut(self):
        """All stand still at the chosen record: then the processes are ended."""
        wait_until(lambda: self.page.is_cut, CUT_S, "the cut")
        wait_until(lambda: self.scene.bot is not None and self.scene.bot.process is not None, PATIENCE_S,
                   "a process")
        self.end_everything()

    def end_everything(self):
        """Of what ran on this machine nothing does any more.  What is just being started shows up late."""
        wait_until(self.page.is_whole, PATIENCE_S, "the end of a record")
        self.scene.bot.process.kill()
        self.scene.bot.process.wait()
        for _ in range(LOOKS):
            wait_until(lambda: not end_all(processes_of(self.scene)), PATIENCE_S, "the end of runners and scripts")

    def cut(self):
        """Now, unless it has happened."""
        self.page.cut_now()
        self.watch.join()
        self.disk.read(self.page, self.on_told)
        return self.page.count

    def on_told(self, disk, packet, pid):
        """A supervisor says that its run has ended: that must be on the disk."""
        run = disk.runs.get(pid)
        if run is None or not packet.startswith(b"exit"):
            return
        record = disk.find(self.scene.folder / "state" / "runs" / run / "exit")
        if record is None or not bytes(record.safe).startswith(b"exit"):
            self.untold.append(f"run {run}: {packet!r} was said, and its record is not flushed")

    def restart(self, image):
        """The image is the disk now, and this is another boot."""
        scene = self.scene
        for name in WATCHED:
            shutil.rmtree(scene.folder / name, ignore_errors=True)
            (scene.folder / name).unlink(missing_ok=True)
            if (image / name).exists():
                os.rename(image / name, scene.folder / name)
        self.boot.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        environment = {**self.loaded(), "POWER_BOOT": str(self.boot)}
        scene.wish_of_runner(environment)
        scene.launch(environment)


def processes_of(scene):
    """Everything that works on this scene's state: the environment names it."""
    mark = f"STATE_DIRECTORY={scene.folder / 'state'}".encode()
    return [pid for pid, words in each_process("environ") if mark in words.split(b"\0")]


def end_all(pids):
    """Those that live, killed."""
    living = [pid for pid in pids if is_alive(pid)]
    for pid in living:
        kill(pid)
    return living


# --- what must stand on every image ---

class Facts:
    """What the world knows at the moment of the cut."""

    def __init__(self, scene):
        note_telegram(scene)
        texts = [text_of(view) for view in scene.who.messages()]
        self.acknowledged = set(scene.acknowledged)
        self.ends = [text for text in texts if text.startswith(sum(oracle.SIGNS.values(), ()))
                     and not GOES_ON.search(text.split("\n", maxsplit=1)[0])]
        self.begun = {line[4].split("-")[0] for line in scene.begun() if line[0] == "begin"}

    def check(self, image):
        """Raises oracle.Broken."""
        path = image / "state" / "deploybot.db"
        if not path.exists():
            if self.acknowledged or self.begun or self.ends:
                raise oracle.Broken("the_database_is_there", f"{self.acknowledged} {self.begun} {self.ends}")
            return
        connection = sqlite3.connect(path)
        try:
            self.check_rows(connection, image)
        finally:
            connection.close()

    def check_rows(self, connection, image):
        def values(sql):
            return {row[0] for row in connection.execute(sql)}
        found = values("PRAGMA quick_check")
        if found != {"ok"}:
            raise oracle.Broken("the_database_is_whole", found)
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            if self.acknowledged or values("SELECT name FROM sqlite_schema"):
                raise oracle.Broken("the_schema_is_whole", values("SELECT name FROM sqlite_schema"))
            return
        stored = {(source, key) for source, key in connection.execute("SELECT source, id FROM inbox")}
        for source, key in self.acknowledged:
            if not any(name.startswith(source) and key == known for name, known in stored):
                raise oracle.Broken("what_is_acknowledged_is_stored", f"{source} {key}")
        heads = values("SELECT lower(substr(hex(hash), 1, 16)) FROM audit")
        named = values("SELECT audit_head FROM message WHERE audit_head <> ''")
        if not named <= heads:
            raise oracle.Broken("a_head_that_a_message_names_is_in_the_chain", named - heads)
        states = values("SELECT state FROM work")
        for text in self.ends:
            if not any(text.startswith(signs) and state in states for state, signs in oracle.SIGNS.items()):
                raise oracle.Broken("what_was_told_is_so", f"{text!r}, but {states}")
        started = {str(run) for run in values("SELECT id FROM run WHERE started_at <> 0")}
        if not self.begun <= started:
            raise oracle.Broken("what_began_is_recorded", f"{self.begun}, but {started}")
        for run in self.begun:
            if run in {str(r) for r in values("SELECT id FROM run WHERE is_purged = 0")} and \
                    not (image / "state" / "runs" / run / "exit").exists():
                raise oracle.Broken("a_run_that_began_has_its_folder", run)


class Gone:
    """Runs that were seen at their gate, and whose folders the disk has not: nobody may begin anything for them."""

    def __init__(self, image):
        path = image / "state" / "deploybot.db"
        self.runs = []
        if not path.exists():
            return
        connection = sqlite3.connect(path)
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'run'").fetchone():
            found = connection.execute("SELECT id FROM run WHERE started_at <> 0 AND ended_at = 0").fetchall()
            self.runs = [run for (run,) in found if not (image / "state" / "runs" / str(run)).exists()]
        connection.close()

    @staticmethod
    def flush_late(image, begun):
        """The supervisor flushes the folder while the server commits its hello, in no order: where `go` has just been
        said and nothing has begun, the slower of the two may as well be missing."""
        for folder in (image / "state" / "runs").glob("[0-9]*"):
            is_open = not (folder / "exit").exists() or (folder / "exit").read_bytes()[:1] == b"\0"
            if folder.name not in begun and is_open:
                shutil.rmtree(folder)

    def check(self, scene):
        """Raises oracle.Broken."""
        for run in self.runs:
            rows = scene.rows("SELECT d.state, e.unknown_since <> 0, d.run = ? FROM work d JOIN run r"
                              " ON r.deployment = d.id JOIN environment e ON e.name = d.environment"
                              " WHERE r.id = ?", run, run)
            if rows not in ([("FAILED", 1, 1)], [("ROLLBACK_FAILED", 1, 1)]):
                raise oracle.Broken("a_run_without_a_folder_ends_unknown", f"run {run}: {rows}")
            if any(line[4].split("-")[0] == str(run) for line in scene.begun()):
                raise oracle.Broken("a_started_run_is_never_ordered_again", f"run {run}: {scene.begun()}")


# --- a trial ---

def trial(scene, what):
    name, *where, mode, seed = what
    flow = SCENARIOS[name]
    flow.prepare(scene)
    scene.delivery, scene.expected = None, None
    scene.kills = scene.lost_runs = 1
    machine = Machine(scene)
    hits = play(scene, machine, flow, where) + look_at_images(scene, machine, seed)
    image = scene.folder / "image"
    shutil.rmtree(image, ignore_errors=True)
    hits += machine.disk.image(image, Damage(mode, seed))
    if where[:2] == ["told", "go"]:
        Gone.flush_late(image, Facts(scene).begun)
    gone = Gone(image)
    machine.restart(image)
    settle(scene, flow)
    gone.check(scene)
    hits += [GONE] * bool(gone.runs)
    return hits if tuple(where) == NOWHERE or LATE not in hits else []


def play(scene, machine, flow, where):
    try:
        machine.start(where)
        flow.play(scene)
        if not scene.is_dead():
            scene.bot.stop()
        is_cut = machine.page.is_cut
    finally:
        machine.cut()
    if machine.untold:
        raise oracle.Broken("what_is_told_is_flushed", machine.untold)
    scene.classes = machine.disk.classes
    return [f"cut behind {where[0]} {where[1]}"] if is_cut else [LATE]


def look_at_images(scene, machine, seed):
    facts = Facts(scene)
    hits = []
    for i in range(IMAGES):
        mode = "lost" if i == 0 else Damage.MODES[1 + (seed + i) % 3]
        image = scene.folder / "look"
        shutil.rmtree(image, ignore_errors=True)
        damage = Damage(mode, seed * 100 + i)
        hits += machine.disk.image(image, damage, is_whole=False) + ["image looked at"]
        try:
            facts.check(image)
        except (oracle.Broken, sqlite3.DatabaseError) as error:
            raise oracle.Broken(getattr(error, "invariant", "the_database_is_whole"),
                                f"on an image ({mode} {seed * 100 + i}): {error}") from None
    return hits


def settle(scene, flow):
    if flow.name != "empty":
        flow.settle(scene, scene.who)
        oracle.check(scene, scene.who)
    else:
        flow.ask_again(scene)
        wait_until(lambda: scene.rows("SELECT 1 FROM work WHERE ended_at <> 0"), SETTLE_S, "an end")
        note_telegram(scene)
        oracle.what_is_acknowledged_is_stored_once(scene)
        oracle.one_request_is_one_deployment(scene)
        oracle.a_program_begins_once(scene)
    verified = scene.bot.run("audit", "verify")
    if verified.returncode != 0:
        raise oracle.Broken("the_audit_verifies", verified.stdout + verified.stderr)


# --- the campaign ---

def labelled(trials):
    return [(" ".join(map(str, what)), what) for what in trials]


def draw_trials(found, cuts, draw):
    """Behind every call that some flow makes, each as often as the others; what is not flushed is lost in each
    way in turn."""
    places = [(name, kind, path, n) for name in sorted(found) for kind, path, n in found[name]]
    draw.shuffle(places)
    trials = []
    for i in range(cuts):
        name, kind, path, n = places[i % len(places)]
        mode = Damage.MODES[(i + i // len(places)) % len(Damage.MODES)]
        trials.append((name, kind, path, draw.randint(1, n), mode, draw.randrange(1000)))
    return trials


class Power(campaign.Kind):
    """The power goes behind a chosen write, flush or word of a flow."""

    name = "power"

    def options(self, parser):
        parser.add_argument("--cuts", type=int, default=int(os.environ.get("CUTS") or 0))

    def one(self, label):
        words = label.split()
        return (*words[:3], int(words[3]), words[4], int(words[5])) if len(words) == 6 else None

    def survey(self):
        """What each flow writes and flushes, and how often: it is played to its end first."""
        folder = pathlib.Path(self.chosen.build) / "faults"
        folder.mkdir(parents=True, exist_ok=True)

        def one(scene, what):
            hits = trial(scene, what)
            found = [[*key, n] for key, n in sorted(scene.classes.items())]
            (folder / f"power-{what[0]}.json").write_text(json.dumps(found), encoding="utf-8")
            return hits
        trials = [(name, *NOWHERE, "lost", self.chosen.seed) for name in SCENARIOS]
        result = campaign.run(self, labelled(trials), one)
        if result.failures or result.played < len(SCENARIOS):
            campaign.finish(self, [], result)
        return {name: json.loads((folder / f"power-{name}.json").read_text("utf-8")) for name in SCENARIOS}

    def trials(self, dice):
        found = self.survey()
        places = {(kind, path) for each in found.values() for kind, path, _ in each}
        print(f"  {sum(map(len, found.values()))} kinds of calls in {len(found)} flows, {len(places)} different ones")
        return labelled(draw_trials(found, self.chosen.cuts or CUTS, dice))

    def short(self, dice):
        return labelled(SHORT)

    trial = staticmethod(trial)

    def aims(self, label, parameters):
        """The run may have begun before the cut: another cut at the same place then."""
        return [GONE] if parameters[1:3] == ("told", "go") else []

    def must_hit(self, trials):
        if self.chosen.short:
            return ["writes lost", "names lost", GONE]
        return [] if self.chosen.only else ["writes lost", "writes torn", "names lost", "mapped pages lost"]


KIND = Power
