"""sweep.py - campaign: SIGKILL at the n-th call of each kind that writes, forks or closes, by strace: nameless places.

`when=n` of strace counts for each name of a call and each thread by itself, so each name is swept alone: for every n
up to the most that one thread made in both of two plays, whoever comes to its n-th call first ends the process.
The server is swept, and apart from it the runner with its supervisors. SWEEP=all plays all of them, else a sample.
"""
# SPDX-License-Identifier: ISC
import collections
import os
import re

import campaign
import oracle
from scene import kill
from flows import FLOWS

CALLS = ("pwrite64", "write", "writev", "sendto", "sendmsg", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink",
         "unlinkat", "rename", "renameat2", "mkdir", "mkdirat", "link", "linkat", "clone", "clone3", "fork", "vfork",
         "execve", "close", "shutdown", "fcntl", "bind", "connect", "accept4", "kill", "pidfd_send_signal", "wait4")
WHO = ("server", "runner")
SAMPLE = 220        # what two idle cores play in some five minutes
SHORT_TRIALS = 3
CLOSES_OF_RUNNER = 80   # behind these it looks through /proc, and how long that is the machine decides
LABEL = re.compile(r"(\w+)/(\w+)/(\w+):(\d+)")   # of one trial
LINE = re.compile(r"^(\d+) +(\w+)\(")
KILLED = re.compile(r"^(\d+) +\+\+\+ killed by SIGKILL")     # strace fills a short pid up


def tracer(scene, *more):
    """strace beside its process, not above it; a program that is started is let go."""
    scene.trace = scene.folder / "strace.out"
    scene.trace.unlink(missing_ok=True)
    return ["strace", "-D", "-f", "-q", "-b", "execve", "-o", str(scene.trace), "-s", "0", *more]


def launch(scene, who, wrapper):
    if who == "runner":
        scene.wish_of_runner(wrapper=wrapper)
    scene.launch(wrapper=wrapper if who == "server" else (), wait="if it lives")


def lines_of(scene):
    return scene.trace.read_text("utf-8", "replace").splitlines() if scene.trace.exists() else []


def count(scene, parameters):
    """How often which call is made; a name for each time of the thread that made the most."""
    name, who = parameters
    flow = FLOWS[name]
    flow.prepare(scene)
    launch(scene, who, tracer(scene, "-e", "trace=" + ",".join(CALLS)))
    person = flow.play(scene)
    calls = collections.Counter(match.groups() for match in map(LINE.match, lines_of(scene)) if match)
    flow.settle(scene, person)  # what comes behind the play is not waited for by a trial either
    most = collections.Counter()
    for (_, call), n in calls.items():
        most[call] = max(most[call], n)
    return [f"{name} {who} {call}" for call, n in most.items() for _ in range(n)]


def was_hit(scene, call):
    """Did somebody die in that call?"""
    last = {}
    for line in lines_of(scene):
        killed = KILLED.match(line)
        if killed and last.get(killed.group(1)) == call:
            return True
        match = LINE.match(line)
        if match:
            last[match.group(1)] = match.group(2)
    return False


def trial(scene, parameters):
    """Kills there, starts again, and asks the oracle."""
    name, who, call, n = parameters
    flow = FLOWS[name]
    flow.prepare(scene)
    scene.expected = flow.expected if who == "server" else None
    launch(scene, who, tracer(scene, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"))
    flow.play(scene)
    scene.wish_of_runner()
    is_hit = was_hit(scene, call)
    scene.kills += 1
    if who == "runner" and not scene.is_dead():
        # strace counts for each process: every supervisor and question of this runner died like the first.
        scene.kills, scene.lost_runs = 3, 3
        kill(scene.runner())
    elif not scene.is_dead():
        scene.power_cut()       # it was not reached, and must not be later
        scene.expected = None
    if scene.is_dead():
        scene.launch()
    flow.settle(scene, scene.who)
    oracle.check(scene, scene.who)
    return [f"{who} {call}"] if is_hit else []


class Sweep(campaign.Kind):
    """SIGKILL at the n-th call of each kind that writes, forks or closes."""

    name = "crash-sweep"
    workers = 2
    unreached_share = 0.25  # what is committed together, and so how often it writes, differs from play to play

    def one(self, label):
        match = LABEL.fullmatch(label)
        return (match[1], match[2], match[3], int(match[4])) if match else None

    def look(self):
        """The most calls of each name that one thread makes in each flow, in both of two plays."""
        pairs = [(f"count {name} {who}", (name, who)) for name in FLOWS for who in WHO]
        plays = []
        for _ in range(2):
            counted = campaign.run(self, pairs, count)
            if counted.failures:
                campaign.finish(self, [], counted)
            plays.append(counted.hits)
        most = {tuple(key.split()): min(n, plays[1][key]) for key, n in sorted(plays[0].items())}
        return {(name, who, call): min(n, CLOSES_OF_RUNNER) if (who, call) == ("runner", "close") else n
                for (name, who, call), n in most.items() if n > 0}

    def trials(self, dice):
        places = [(f"{name}/{who}/{call}:{n}", (name, who, call, n))
                  for (name, who, call), most in self.look().items() for n in range(1, most + 1)]
        dice.shuffle(places)
        size = SHORT_TRIALS if self.chosen.short else SAMPLE
        trials = places if os.environ.get("SWEEP") == "all" or self.chosen.only else places[:size]
        print(f"crash-sweep: {len(places)} places, {len(trials)} of them are played"
              + ("" if len(trials) == len(places) else " (SWEEP=all: all of them)"), flush=True)
        return trials

    trial = staticmethod(trial)


KIND = Sweep
