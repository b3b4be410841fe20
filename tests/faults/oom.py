"""oom.py - gives no memory once to each place that asks for it, in flows and in starts.

make check-oom: places differ by their stacks (tests/faults/fault.h). Of those that are the same in our own code
one is drawn. A trial of a flow fails some of them, one call each; in a trial of starts one place fails after the other.
A server or a runner that finds none aborts, and is started again as systemd would; a supervisor goes on. After each:
nothing acknowledged that is not stored, nothing twice, nothing quarantined, the truth in the chat. OOM=all: each place.
"""
# SPDX-License-Identifier: ISC
import collections
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import site_trial    # first: it finds the rest
from fault_page import Site
from flows import FLOWS, PATIENCE_S
from inout import Sites, shuffled
from oracle import Broken

TOGETHER = 5        # places that fail in one flow
STARTS = 5          # … and in one trial of starts
LASTING = 6
STORE_S = 150       # the simulation beside the flows, which wait most of the time
STORE_ALL_S = 1800
SHORT_TRIALS = 4
HIGH = 1 << 40
ABORTED = {-signal.SIGABRT}
MANY = 40           # a send whose answer was not received is sent again: Telegram has no key for it


def program_frames(site, program):
    return tuple(frame for frame in site.frames if frame >> 48 == program)


def programs_of(found):
    """By role, the module whose frames stand last in its stacks: the program itself."""
    counts = collections.defaultdict(collections.Counter)
    for site in found.sites.values():
        if site.frames:
            counts[site.role][site.frames[-1] >> 48] += 1
    return {role: of_role.most_common(1)[0][0] for role, of_role in counts.items()}


def one_of_each(sites, chance, programs):
    """Of those that are the same in our own code, one."""
    groups = collections.defaultdict(list)
    for site in sites:
        groups[(site.role, program_frames(site, programs.get(site.role)))].append(site)
    return [chance.choice(group) for _, group in sorted(groups.items())]


def together(flow, phase, sites, size):
    return [f"{flow}/{phase}/{'+'.join(f'{s.role}.{s.key:016x}' for s in sites[i:i + size])}/ENOMEM"
            for i in range(0, len(sites), size)]


def make_trials(found, chance, want_all):
    memory = [site for _, site in sorted(found.sites.items()) if site.group == "malloc"]
    trials = []
    for phase, size in (("flow", TOGETHER), ("start", STARTS)):
        of_phase = [s for s in memory if any(p == phase for _, p in found.where[s.key])]
        if not want_all:
            of_phase = one_of_each(of_phase, chance, programs_of(found))
        flow_of = {s.key: chance.choice(sorted(f for f, p in found.where[s.key] if p == phase)) for s in of_phase}
        for flow in FLOWS:
            trials += together(flow, phase, shuffled([s for s in of_phase if flow_of[s.key] == flow], chance), size)
    lasting = []
    for _ in range(LASTING):
        after, count = chance.randrange(1, 4000), chance.choice((30, 300, HIGH))
        lasting.append(f"{chance.choice(sorted(FLOWS))}/lasting/server.{after}.{count}/ENOMEM")
    return [*lasting, *shuffled(trials, chance)]


def sites_of(words):
    for word in words.split("+"):
        role, key = word.split(".")
        yield Site(int(key, 16), role, "none", "malloc", "malloc", 0, 0, (), 0)


def go_on(trial):
    """Plays the flow, and starts what was aborted again as often as it ends."""
    who = trial.play()
    while trial.scene.is_dead():
        trial.note_stop(ABORTED)
        trial.scene.kills += 1
        trial.launch(wait="if it lives")
        trial.flow.follow(trial.scene, PATIENCE_S, trial.scene.is_dead)
    return who


def trial(scene, label):
    flow, phase, words, error = label.split("/")
    if phase == "lasting":
        role, after, count = words.split(".")
        hits = site_trial.play(
            scene, flow, "flow", lambda page: page.arm_rule("malloc", role, error, n=int(after), count=int(count)),
            may_stop=-signal.SIGABRT, lost_runs=1, kills=MANY, persistent=True, within=go_on)
    elif phase == "start":
        hits = starts(scene, flow, list(sites_of(words)), error)
    else:
        sites = list(sites_of(words))
        hits = site_trial.play(scene, flow, "flow", lambda page: [page.arm_site(s, error) for s in sites],
                               may_stop=-signal.SIGABRT, lost_runs=len(sites), kills=MANY, within=go_on)
    nothing_is_quarantined(scene, label)
    return hits


def nothing_is_quarantined(scene, label):
    if scene.rows("SELECT 1 FROM audit WHERE code = 'event_quarantined'"):
        raise Broken("nothing_is_quarantined_for_want_of_memory", label)


def starts(scene, flow, sites, error):
    """One place after the other: it starts and stops, or is aborted, or says why not, and starts the next time."""
    hits = []
    for site in sites:
        one = site_trial.Trial(scene, flow)
        try:
            one.page.arm_site(site, error)
            one.launch_under_fault(ABORTED)
            hits += one.finish(ABORTED)
            nothing_is_quarantined(scene, f"{site.role}.{site.key:016x}")
        except Exception as problem:
            told = one.page.describe(next(s for s in one.page.sites() if s.key == site.key), scene.real)
            raise Broken("a_start_without_memory", f"{problem}\n{told}") from problem
        finally:
            one.close()
    return hits


class StoreRun:
    """Histories of the simulation in which the store gets no memory: a process beside the trials."""

    def __init__(self, chosen, seconds, keys=""):
        build = pathlib.Path(chosen.build)
        # Of what SQLite and OpenSSL ask for, two frames say enough: the rest is our own stack.
        environment = {**os.environ, "FAULT_ANY": "1", "FAULT_SITES": "2",
                       "LD_PRELOAD": str(build / "faults" / "libfault.so"),
                       "ASAN_OPTIONS": "verify_asan_link_order=0:allocator_may_return_null=1"}
        words = [str(build / "faults" / "oom_store"), str(seconds), str(chosen.seed), *([keys] if keys else [])]
        self.process = subprocess.Popen(words, env=environment, text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def wait(self, result):
        said = self.process.communicate()[0]
        last = next((line for line in reversed(said.splitlines()) if line.startswith("store: ")), "")
        print(f"  {last}")
        failed = next((line.split() for line in said.splitlines() if line.startswith("FAILED ")), None)
        if self.process.returncode != 0 or failed:
            label = f"store/{'/'.join(failed[1:])}" if failed else "store"
            print(f"  FAILED {label}\n{said[-6000:]}\n  again: make check-oom ONLY='{label}'")
            result.failures.append((label, said[-6000:]))
        elif last:
            result.hits[last] += 1


def replay_store(chosen):
    """store/SEED/KEY,KEY…"""
    _, seed, keys = chosen.only.split("/")
    chosen.seed = int(seed)
    run = StoreRun(chosen, 0, keys)
    print(run.process.communicate()[0][-20000:])
    sys.exit(run.process.returncode)


def tell(found, labels):
    known = collections.Counter()
    for site in found.sites.values():
        if site.group == "malloc":
            known[site.role] += 1
    for role, n in sorted(known.items()):
        print(f"  {n:5} places ask for memory in {role}")
    print(f"  {sum(label.split('/')[2].count('+') + 1 for label in labels):5} of them are failed")


class OutOfMemory(Sites):
    """Each place that asks for memory gets none, once, and all of them for a while."""

    name = "oom"
    classes = ("malloc",)

    def one(self, label):
        if label.startswith("store/"):
            replay_store(self.chosen)
        return super().one(label)

    def trials(self, dice):
        labels = make_trials(self.look(), dice, os.environ.get("OOM") == "all")
        tell(self.found, labels)
        if self.chosen.short:
            labels = [one for one in labels if "/lasting/" not in one][:SHORT_TRIALS]
        return [(one, one) for one in labels]

    trial = staticmethod(trial)

    @contextlib.contextmanager
    def beside(self):
        if self.chosen.only:
            yield lambda result: None
            return
        store = StoreRun(self.chosen, 5 if self.chosen.short else
                         STORE_ALL_S if os.environ.get("OOM") == "all" else STORE_S)
        try:
            yield store.wait
        finally:
            store.process.kill()    # when we were interrupted: it has ended else


KIND = OutOfMemory
