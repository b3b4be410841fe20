#!/usr/bin/python3
"""campaign.py KIND [--seed N] [--only LABEL] [--short] … - plays trials under one kind of fault, counts what was hit.

A kind is a subclass of Kind, the KIND of a file: which trials there are, how one is played, what they must hit between
them.  Everything else is here: options and what the environment says (SEED, ONLY), workers with a scene each, reports,
what is kept of a failure, how it is replayed, and another try at what must be hit and was not.
"""
# SPDX-License-Identifier: ISC
import argparse
import collections
import contextlib
import importlib
import multiprocessing
import os
import pathlib
import queue
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

from scene import FaultScene
import peer_process
import stage

# A new kind, with its line in KINDS and in CAMPAIGNS of tests/e2e/test_fault_campaigns.py:
#
#     class Noise(campaign.Kind):
#         """What --help says."""
#         name = "noise"
#
#         def trials(self, dice):                                 # labels replay: ONLY=label
#             return [(f"production/{n}", n) for n in range(100)]
#
#         def trial(self, scene, parameters):
#             flow = FLOWS["production"]
#             flow.prepare(scene)                                 # state, person, chat; nothing runs
#             scene.launch({"MY_FAULT": str(parameters)}, wait="if it lives")
#             flow.play(scene)
#             if scene.is_dead():
#                 scene.launch()
#             flow.settle(scene, scene.who)                       # until all is at rest
#             oracle.check(scene, scene.who)
#             return ["what was hit"]
#
#     KIND = Noise
KINDS = {"crash": "crash", "crash-sweep": "sweep", "adopt": "adopt", "power": "power", "io": "inout", "oom": "oom",
         "hostile": "hostile", "soak": "soak"}      # and the file, which has it as KIND
SAID_OF_A_LOG = 6000
SILENT_S = 300      # no trial takes longer; a worker that is silent for so long hangs
REACH_TRIES = 3     # what must be hit and was not is aimed at so often again
AIMED_AT_ONCE = 3   # … by at most so many trials for each
TERMINATED = 128 + signal.SIGTERM


class Kind:
    """One kind of fault; `chosen` has the options by the time that anything but options() is called."""

    name = ""
    target = ""             # of make; check-<name> where it is empty
    make_scene = FaultScene
    workers = 1             # for each core
    unreached_share = 0.1   # of the trials: a place that was seen once is not always come by
    silent_s = SILENT_S

    def __init__(self):
        self.chosen = None

    def options(self, parser):
        """More options, or other defaults."""

    def one(self, label):
        """The parameters of a label that is a whole one, so that a replay needs nothing else; None: it is a part."""
        return None

    def trials(self, dice):
        """(label, parameters) of all that is played; --only chooses among them."""
        raise NotImplementedError

    def short(self, dice):
        """A small sample, as part of make test."""
        return self.trials(dice)

    def trial(self, scene, parameters):
        """Returns the names of what was hit, each as often as it was (or a Counter); raises when something broke."""
        raise NotImplementedError

    def end(self, scene):
        """Each trial ends with a stop that a deploybot at rest obeys."""
        status = scene.bot.stop()
        if status != 0:
            raise AssertionError(f"deploybot ended with {status}")

    def aims(self, label, parameters):
        """What this trial is to hit: between them the trials must hit all of that."""
        return ()

    def must_hit(self, trials):
        return {name for label, parameters in trials for name in self.aims(label, parameters)}

    def hit(self, result):
        """What of must_hit() was hit."""
        return set(result.hits)

    def aim_again(self, name, trials):
        """Trials for what must be hit and was not, the surest first."""
        return [one for one in trials if name in self.aims(*one)]

    @contextlib.contextmanager
    def beside(self):
        """What runs beside the trials; what it gives is called with their result."""
        yield lambda result: None

    def replay(self, label):
        return f"make {self.target or f'check-{self.name}'} SEED={self.chosen.seed} ONLY='{label}'"


class Result:
    """What became of a campaign."""

    def __init__(self, name, seed):
        self.name = name
        self.seed = seed
        self.played = 0
        self.hits = collections.Counter()
        self.unhit = []         # labels of trials that hit nothing
        self.failures = []      # (label, text)
        self.began = time.monotonic()

    def add(self, other):
        self.played += other.played
        self.hits += other.hits
        self.unhit += other.unhit
        self.failures += other.failures


def parse(kind, words):
    """What was chosen; from now on SIGTERM ends the program as Ctrl-C does, by way of its cleaning up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    parser = argparse.ArgumentParser(prog=f"campaign.py {kind.name}", description=kind.__doc__)
    parser.add_argument("--build", default=os.environ.get("DEPLOYBOT_BUILD", "build"), help="where the programs are")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0), help="0 draws one")
    parser.add_argument("--only", default=os.environ.get("ONLY") or "", help="trials whose label has this in it")
    parser.add_argument("--workers", type=int, default=kind.workers * len(os.sched_getaffinity(0)))
    parser.add_argument("--short", action="store_true", default=bool(os.environ.get("SHORT")),
                        help="a small sample, as part of make test")
    parser.add_argument("--keep", default="", help="where the folders of failed trials are kept")
    kind.options(parser)
    chosen = parser.parse_args(words)
    chosen.seed = chosen.seed or random.SystemRandom().randrange(1, 1 << 31)
    chosen.build = str(pathlib.Path(chosen.build).resolve())
    return chosen


def main(words):
    """Plays a campaign, and ends the program."""
    if not words or words[0] not in KINDS:
        sys.exit(f"campaign.py KIND …: one of {' '.join(KINDS)}")
    kind = importlib.import_module(KINDS[words[0]]).KIND()
    kind.chosen = parse(kind, words[1:])
    trials = plan(kind)
    with kind.beside() as behind:
        result = run(kind, trials)
        reach(kind, trials, result)
        behind(result)
    finish(kind, trials, result)


def plan(kind):
    chosen, dice = kind.chosen, random.Random(kind.chosen.seed)
    parameters = kind.one(chosen.only) if chosen.only else None
    if parameters is not None:
        return [(chosen.only, parameters)]
    trials = kind.short(dice) if chosen.short else kind.trials(dice)
    return [one for one in trials if chosen.only in one[0]]


def never(kind, trials, result):
    return sorted(set(kind.must_hit(trials)) - kind.hit(result))


def is_idle(kind, result):
    """Of a short form's few trials one may miss: it shows that the campaign runs, the whole one what it reaches."""
    share = 0.5 if kind.unreached_share and kind.chosen.short else kind.unreached_share
    return len(result.unhit) > share * result.played


def reach(kind, trials, result):
    """How often a place is passed, and when, the machine decides too: what must be hit and was not is aimed at again,
    and so are the trials that hit nothing where they are too many."""
    for attempt in range(1, REACH_TRIES + 1):
        missing = [] if result.failures else never(kind, trials, result)
        again = dict(one for name in missing for one in kind.aim_again(name, trials)[:AIMED_AT_ONCE])
        if not result.failures and is_idle(kind, result):
            again |= {label: parameters for label, parameters in trials if label in result.unhit}
        if not again:
            return
        names = ", ".join([*missing, *result.unhit])
        print(f"  not reached: {names}; aimed at again, {attempt} of {REACH_TRIES} times", flush=True)
        more = run(kind, list(again.items()))
        result.unhit = [label for label in result.unhit if label not in again]
        result.add(more)


def run(kind, trials, trial=None):
    """Plays them all, by another function than the kind's where one is given; a failure ends its trial, not the
    campaign."""
    chosen = kind.chosen
    result = Result(kind.name, chosen.seed)
    print(f"{kind.name}: {len(trials)} trials, SEED={chosen.seed}", flush=True)
    if not trials:
        return result
    keep = pathlib.Path(chosen.keep or pathlib.Path(chosen.build) / "faults" / f"{kind.name}-failed")
    n = min(chosen.workers, len(trials))
    jobs, told = multiprocessing.Queue(), multiprocessing.Queue()
    for one in trials:
        jobs.put(one)
    for _ in range(n):
        jobs.put(None)
    crew = [multiprocessing.Process(target=work, args=((i, n), jobs, told, kind, trial or kind.trial, keep))
            for i in range(n)]
    try:
        for worker in crew:
            worker.start()
        listen(kind, result, trials, told, crew)
    finally:
        for worker in crew:
            if worker.is_alive():
                worker.terminate()      # it ends what it started
        for worker in crew:
            worker.join(30)
    return result


def listen(kind, result, trials, told, crew):
    """Takes the workers' reports, and says how far it is now and then."""
    said = time.monotonic()
    waiting = {label for label, _ in trials}
    heard = time.monotonic()
    while waiting:
        try:
            label, seconds, hits, failure = told.get(timeout=2)
            heard = time.monotonic()
        except queue.Empty:
            if not any(worker.is_alive() for worker in crew) or time.monotonic() - heard > kind.silent_s:
                result.failures.append(("the workers", f"ended before {len(waiting)} trials were played: "
                                        f"{sorted(waiting)[:5]}"))
                return
            continue
        waiting.discard(label)
        result.played += 1
        result.hits.update(hits)
        if failure is not None:
            result.failures.append((label, failure))
            print(f"  FAILED {label} ({seconds:.1f} s)\n{failure}\n  again: {kind.replay(label)}", flush=True)
        elif not hits:
            result.unhit.append(label)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"  {result.played} of {len(trials)} trials, {sum(result.hits.values())} hits, "
                  f"{len(result.failures)} failed, {said - result.began:.0f} s", flush=True)


def work(which, jobs, told, kind, trial, keep):
    """One worker, `which` of how many: a scene of its own, trial after trial."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # whoever started us ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    peer_process.die_with_parent()
    stage.draw_ports_as(*which)
    scene = None
    folder = tempfile.mkdtemp(prefix=f"faults-{which[0]}-")
    try:
        while (job := jobs.get()) is not None:
            label, parameters = job
            began = time.monotonic()
            hits, failure = (), None
            try:
                if scene is None:
                    scene = kind.make_scene(pathlib.Path(folder) / "scene", kind.chosen.build)
                hits = collections.Counter(trial(scene, parameters) or ())
                kind.end(scene)
            except Exception as error:
                failure = tell_failure(scene, error)
                keep_folder(scene, keep, label)
                scene = start_over(scene, folder)
            told.put((label, time.monotonic() - began, hits, failure))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)   # whoever ends us late must not end this
        drop(scene, folder)
        shutil.rmtree(folder, ignore_errors=True)


def tell_failure(scene, error):
    text = "".join(traceback.format_exception(error)[-6:])
    if getattr(scene, "bot", None) is not None:
        text += f"--- the server's log\n{scene.bot.log()[-SAID_OF_A_LOG:]}"
    return text


def keep_folder(scene, keep, label):
    """State, logs and scripts of a trial that failed."""
    if scene is None:
        return
    target = keep / "".join(c if c.isalnum() or c in "-_." else "_" for c in label)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("state", "scripts"):
        with contextlib.suppress(OSError):      # there is none, or what still runs has just taken a file away
            shutil.copytree(scene.folder / name, target / name, symlinks=True, dirs_exist_ok=True,
                            ignore=lambda folder, names: [n for n in names if n == "socket"])
    for name in ("audit.log", "deploybot.log"):
        if (scene.folder / name).exists():
            shutil.copy2(scene.folder / name, target / name)


def start_over(scene, folder):
    """After a failure: nothing of it may live on; a scene that cannot even do that, or was not made, is made anew."""
    try:
        if scene is None:
            return drop(scene, folder)
        scene.end_all()
        return scene
    except Exception:
        traceback.print_exc()
        return drop(scene, folder)


def drop(scene, folder):
    """Ends all that is a scene's."""
    if scene is not None:
        try:
            scene.close()
        except Exception:
            traceback.print_exc()
    shutil.rmtree(pathlib.Path(folder) / "scene", ignore_errors=True)


def finish(kind, trials, result):
    """Says what was hit how often, and ends the program; 1 when something failed or was never reached.

    Nor may more than a share of the trials hit nothing, so a trial that is replayed alone must hit."""
    missing = never(kind, trials, result)
    for name, n in sorted(result.hits.items()):
        print(f"  {n:6} times {name}")
    for name in missing:
        print(f"  NEVER {name}: a fault that is not reached tests nothing")
    for label in result.unhit:
        print(f"  UNREACHED in {label}")
    for label, _ in result.failures:
        print(f"  FAILED {label}: {kind.replay(label)}")
    if is_idle(kind, result):
        print(f"  {len(result.unhit)} of {result.played} trials hit nothing, and test nothing")
    print(f"{result.name}: {result.played} trials, {sum(result.hits.values())} faults hit, "
          f"{len(result.failures)} failed, {time.monotonic() - result.began:.0f} s, SEED={result.seed}", flush=True)
    sys.exit(1 if result.failures or missing or is_idle(kind, result) or not result.played else 0)


if __name__ == "__main__":
    importlib.import_module("campaign").main(sys.argv[1:])     # under the name by which the kinds know it
