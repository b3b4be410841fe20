"""campaign.py - plays trials (a flow under a fault) on several workers, and tells what held and what was hit.

    options = campaign.options(__doc__)
    trials = [(label, parameters), …]               # a label names a trial for good: it is what replays it
    result = campaign.run("crash", trials, trial, options)
    campaign.finish(result, must_hit=[…])

trial(scene, parameters) returns what was really hit (any iterable of names), and raises when something broke.
"""
# SPDX-License-Identifier: ISC
import argparse
import collections
import contextlib
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

SAID_OF_A_LOG = 6000
SILENT_S = 300      # no trial takes longer; a worker that is silent for so long hangs
UNREACHED_SHARE = 0.1   # of the trials: a place that was seen once is not always come by
TERMINATED = 128 + signal.SIGTERM


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


def options(description, **defaults):
    """The options that every campaign has; defaults replace theirs."""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=os.environ.get("DEPLOYBOT_BUILD", "build"), help="where the programs are")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0), help="0 draws one")
    parser.add_argument("--only", default=os.environ.get("ONLY") or "", help="trials whose label has this in it")
    parser.add_argument("--workers", type=int, default=defaults.pop("workers", len(os.sched_getaffinity(0))))
    parser.add_argument("--short", action="store_true", help="a small sample, as part of make test")
    parser.add_argument("--keep", default="", help="where the folders of failed trials are kept")
    parser.set_defaults(**defaults)
    return parser


def parse(parser):
    """What was chosen; from now on SIGTERM ends the program as Ctrl-C does, by way of its cleaning up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    chosen = parser.parse_args()
    chosen.seed = chosen.seed or random.SystemRandom().randrange(1, 1 << 31)
    chosen.build = str(pathlib.Path(chosen.build).resolve())
    return chosen


def without_choice(chosen):
    """The same options, for trials that the campaign needs whatever was chosen."""
    return argparse.Namespace(**{**vars(chosen), "only": ""})


def run(name, trials, trial, chosen=None, workers=None, make_scene=FaultScene):
    """Plays them all; a failure ends its trial, not the campaign."""
    chosen = chosen or parse(options(name))
    trials = [one for one in trials if chosen.only in one[0]]
    result = Result(name, chosen.seed)
    print(f"{name}: {len(trials)} trials, SEED={chosen.seed}", flush=True)
    if not trials:
        return result
    keep = pathlib.Path(chosen.keep or pathlib.Path(chosen.build) / "faults" / f"{name}-failed")
    n = min(workers or chosen.workers, len(trials))
    jobs, told = multiprocessing.Queue(), multiprocessing.Queue()
    for one in trials:
        jobs.put(one)
    for _ in range(n):
        jobs.put(None)
    crew = [multiprocessing.Process(target=work, args=(i, jobs, told, trial, make_scene, chosen.build, keep))
            for i in range(n)]
    try:
        for worker in crew:
            worker.start()
        listen(result, trials, told, crew)
    finally:
        for worker in crew:
            if worker.is_alive():
                worker.terminate()      # it ends what it started
        for worker in crew:
            worker.join(30)
    return result


def listen(result, trials, told, crew):
    """Takes the workers' reports, and says how far it is now and then."""
    said = time.monotonic()
    waiting = {label for label, _ in trials}
    heard = time.monotonic()
    while waiting:
        try:
            label, seconds, hits, failure = told.get(timeout=2)
            heard = time.monotonic()
        except queue.Empty:
            if not any(worker.is_alive() for worker in crew) or time.monotonic() - heard > SILENT_S:
                result.failures.append(("the workers", f"ended before {len(waiting)} trials were played: "
                                        f"{sorted(waiting)[:5]}"))
                return
            continue
        waiting.discard(label)
        result.played += 1
        result.hits.update(hits)
        if failure is not None:
            result.failures.append((label, failure))
            print(f"  FAILED {label} ({seconds:.1f} s)\n{failure}\n  again: {replay(result, label)}", flush=True)
        elif not hits:
            result.unhit.append(label)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"  {result.played} of {len(trials)} trials, {sum(result.hits.values())} hits, "
                  f"{len(result.failures)} failed, {said - result.began:.0f} s", flush=True)


def replay(result, label):
    return f"make check-{result.name} SEED={result.seed} ONLY='{label}'"


def work(number, jobs, told, trial, make_scene, build, keep):
    """One worker: a scene of its own, trial after trial."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # whoever started us ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    peer_process.die_with_parent()
    scene = None
    folder = tempfile.mkdtemp(prefix=f"faults-{number}-")
    try:
        while (job := jobs.get()) is not None:
            label, parameters = job
            began = time.monotonic()
            hits, failure = (), None
            try:
                if scene is None:
                    scene = make_scene(pathlib.Path(folder) / "scene", build)
                hits = tuple(trial(scene, parameters) or ())
                end_well(scene)
            except Exception as error:
                failure = tell_failure(scene, error)
                keep_folder(scene, keep, label)
                scene = start_over(scene, folder)
            told.put((label, time.monotonic() - began, hits, failure))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)   # whoever ends us late must not end this
        drop(scene, folder)
        shutil.rmtree(folder, ignore_errors=True)


def end_well(scene):
    """Each trial ends with a stop that a deploybot at rest obeys."""
    status = scene.bot.stop()
    if status != 0:
        raise AssertionError(f"deploybot ended with {status}")


def tell_failure(scene, error):
    text = "".join(traceback.format_exception(error)[-6:])
    if scene is not None and scene.bot is not None:
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
    """After a failure: nothing of it may live on; a scene that cannot even do that is made anew."""
    try:
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


def finish(result, must_hit=(), unreached_share=UNREACHED_SHARE):
    """Says what was hit how often, and ends the program; 1 when something failed or was never reached.

    Nor may more than that share of the trials hit nothing, so a trial that is replayed alone must hit."""
    never = sorted(set(must_hit) - set(result.hits))
    for name, n in sorted(result.hits.items()):
        print(f"  {n:6} times {name}")
    for name in never:
        print(f"  NEVER {name}: a fault that is not reached tests nothing")
    for label in result.unhit:
        print(f"  UNREACHED in {label}")
    for label, _ in result.failures:
        print(f"  FAILED {label}: {replay(result, label)}")
    is_idle = len(result.unhit) > unreached_share * result.played
    if is_idle:
        print(f"  {len(result.unhit)} of {result.played} trials hit nothing, and test nothing")
    print(f"{result.name}: {result.played} trials, {sum(result.hits.values())} faults hit, "
          f"{len(result.failures)} failed, {time.monotonic() - result.began:.0f} s, SEED={result.seed}", flush=True)
    sys.exit(1 if result.failures or never or is_idle or not result.played else 0)
