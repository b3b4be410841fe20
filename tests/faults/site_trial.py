"""site_trial.py - what check-io and check-oom share: finding sites, and one trial in which some of them fail.

A campaign first plays each flow with nothing failing, and notes from where what was called.  Then each trial
fails a site or a few of them, in a flow or in a start, and asks the oracle.  A trial's label says all that it
needs, so it is replayed without its neighbours:  FLOW/PHASE/ROLE.KIND.CLASS.CALL.KEY/ERROR
"""
# SPDX-License-Identifier: ISC
import collections
import os
import pathlib
import shutil
import tempfile
import threading
import time

from scene import FaultScene, wait_until    # first: it finds the rest
import oracle
from fault_page import Page, Site, complaints
from flows import FLOWS

# How deploybot ends on purpose: err.h.
ON_PURPOSE = {64, 65, 66, 71, 74, 75, 77, 78}
EX_IOERR = 74
HEAL_AFTER_S = 3


class Found:
    """Where calls came from while a flow was played and nothing failed."""

    def __init__(self):
        self.sites = {}                         # key -> Site
        self.where = collections.defaultdict(set)   # key -> {(flow, phase)}
        self.text = {}                          # key -> its frames in words, when asked for

    def add(self, flow, phase, sites):
        for site in sites:
            self.sites[site.key] = site
            self.where[site.key].add((flow, phase))


def look(build, flows=tuple(FLOWS)):
    """Plays each flow once, and notes its sites: `start` until it is ready, `flow` until all is at rest."""
    found = Found()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-look-"))
    scene = None
    try:
        scene = FaultScene(folder / "scene", build)
        for name in flows:
            FLOWS[name].prepare(scene)
            page = Page(folder / "page")
            scene.launch(environment(page, scene))
            started = page.sites()
            found.add(name, "start", started)
            had = {site.key: site.calls for site in started}
            who = FLOWS[name].play(scene)
            FLOWS[name].settle(scene, who)
            found.add(name, "flow", [s for s in page.sites() if s.calls > had.get(s.key, 0)])
            if scene.bot.stop() != 0:
                raise RuntimeError(f"without a fault it ended with {scene.bot.process.returncode}")
            page.close()
    finally:
        if scene is not None:
            scene.close()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def environment(page, scene):
    return page.environment(scene.real, scene.folder / "sanitizer")


def label_of(flow, phase, site, error):
    return f"{flow}/{phase}/{site.role}.{site.kind}.{site.group}.{site.call}.{site.key:016x}/{error}"


def read_label(label):
    """(flow, phase, site, error) of a label: a replay needs no look before."""
    flow, phase, where, error = label.split("/")
    role, kind, group, call, key = where.split(".")
    return flow, phase, Site(int(key, 16), role, kind, group, call, 0, 0, (), 0), error


class Trial:
    """One scene under a page, from its start to what the oracle says."""

    def __init__(self, scene, flow, may_stop=None):
        self.scene = scene
        self.flow = FLOWS[flow]
        self.may_stop = may_stop    # a status with which it may end on purpose in the flow
        self.flow.prepare(scene)
        self.page = Page(scene.folder / "page")
        self.stopped = None         # the status with which it ended on purpose
        self.timer = None

    def launch(self, **options):
        return self.scene.launch(environment(self.page, self.scene), **options)

    def launch_under_fault(self, also=frozenset()):
        """True when it stands, else it ended on purpose, and stands now that the fault is gone."""
        self.launch(wait="if it lives")
        if not self.scene.is_dead():
            return True
        self.note_stop(ON_PURPOSE | also)
        self.page.heal()
        self.launch()
        return False

    def note_stop(self, statuses):
        """It is dead: was that on purpose?  It may say so of what the fault allows, and of nothing else."""
        self.stopped = self.scene.bot.process.wait()
        self.look_for_complaints()
        if self.stopped not in statuses:
            raise oracle.Broken("it_ends_only_on_purpose", f"status {self.stopped}")

    def heal_later(self):
        """The fault goes while the flow is played."""
        self.timer = threading.Timer(HEAL_AFTER_S, self.page.heal)
        self.timer.start()

    def play(self):
        return self.flow.play(self.scene)

    def settle(self, who):
        """The fault is gone; a program that stopped on purpose is started again, as systemd would."""
        if self.timer is not None:
            self.timer.join()
        self.page.heal()
        if self.scene.is_dead():
            self.note_stop(set() if self.may_stop is None else {self.may_stop})
            self.launch()
        self.flow.settle(self.scene, who)
        oracle.check(self.scene, who)

    def stop(self, statuses):
        status = self.scene.bot.stop()
        self.look_for_complaints()
        if status not in statuses:
            raise oracle.Broken("it_stops_when_asked", f"status {status}")
        return status

    def finish(self, also=frozenset()):
        """What was hit: `class in role`, and how it was survived.  No leak, in any process.

        Who ends in another way while it stops goes on as after a kill: nothing is lost, and nothing doubled."""
        status = self.stop({0} | also)
        if status != 0:
            self.stopped = status
            self.page.heal()
            self.launch()
            self.settle(self.play())
            self.stop({0})
        how = "survived" if self.stopped is None else f"stopped on purpose with {self.stopped}"
        return [f"{group} in {role}: {how}" for (role, group), n in self.page.hits().items() if n > 0]

    def look_for_complaints(self):
        text = complaints(self.scene.folder)
        if text:
            raise oracle.Broken("no_sanitizer_complains", text[:8000])

    def close(self):
        if self.timer is not None:
            self.timer.cancel()
        self.page.heal()
        hit = [self.page.describe(site, self.scene.real) for site in self.page.sites() if site.hits > 0]
        self.page.close()
        return hit


def play(scene, flow, phase, prepare, may_stop=None, lost_runs=0, kills=0, persistent=False, within=None):
    """One trial: prepare(page) arms it.  within(trial) looks at it while the fault lasts.  Returns what was hit."""
    trial = Trial(scene, flow, may_stop)
    hits, why = [], None
    try:
        scene.lost_runs, scene.kills = lost_runs, kills
        if phase == "start":
            prepare(trial.page)
            stands = trial.launch_under_fault()
            if not stands:
                scene.lost_runs += 1
        else:
            trial.launch()
            prepare(trial.page)
        if persistent:
            trial.heal_later()
        who = trial.play() if within is None else within(trial)
        trial.settle(who)
        hits = trial.finish()
        return hits
    except Exception as error:
        why = error
        raise
    finally:
        told = trial.close()
        if why is not None:
            why.args = (f"{why}\n--- what failed\n" + "\n".join(told[:20]),)


def cpu_seconds(pid):
    """What a process has used until now."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share_while(pid, seconds, poke):
    """How much of a core it uses in that time, in which poke() is called now and then."""
    used, began = cpu_seconds(pid), time.monotonic()
    wait_until(lambda: poke() or time.monotonic() - began > seconds, seconds + 60, "the time")
    return (cpu_seconds(pid) - used) / (time.monotonic() - began)
