#!/usr/bin/env python3
"""check_fleet.py HOSTS SSHD - a release in three waves to so many hosts, by the real server, runner, supervisor and
scripts: how long it takes, with 3 % bad ones, with too many of them, and over kill -9 of server, runner and supervisor
in each wave and between two.  Hosts are files (tests/demo/fleet.py): SECONDS each, 50 at once.  Then the same to SSHD
machines over ssh (real_hosts.py; a few have the worst trial alone), and a bake that a real Prometheus watches."""
# SPDX-License-Identifier: ISC
import contextlib
import math
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/e2e", "tests/peers", "tests/peers/commands", "tests/demo", "tests/tools", "tests/targets"):
    sys.path.insert(0, str(ROOT / folder))

# pylint: disable=wrong-import-position
from crash_aid import is_alive, kill, parent_of  # noqa: E402
from fleet import Hosts, own_build, settings_of  # noqa: E402
from flow_aid import ANY, Scene  # noqa: E402
from real_hosts import RealHosts  # noqa: E402
from runner_client import runner_of  # noqa: E402
from stage import wait_until  # noqa: E402
from telegram_client import text_of  # noqa: E402
import test_flow_bake_real as bake  # noqa: E402

AT_ONCE = 50
SECONDS = os.environ.get("SECONDS_EACH", "1")
LIMIT_S = 60            # of 1,000 hosts
PATIENCE_S = 300        # of machines that others use
OF_A_SETTING = 64       # more stand in a file
BAD = 0.03
A_FEW = 10
WAVES = 3
ALL = ("server", "runner", "supervisor")


def ends_of(n):
    """How many hosts have it behind each wave: 1, 10%, 100%, and of a few hosts two behind the second."""
    return [1, max(2, math.ceil(n / 10)), n]


class Fleet:
    def __init__(self, scene, hosts, names):
        self.scene = scene
        self.hosts = hosts
        self.names = names
        self.bad = names[-math.ceil(len(names) * BAD):]     # of the last wave
        self.who = scene.admin()
        self.ends = ends_of(len(names))
        self.trials = 0

    # --- what is done ---

    def begin(self):
        commit = self.scene.commit("develop")["after"]
        self.hosts.publish(commit)
        self.who.say("/deploy staging")
        return commit

    def live(self, commit, n=None):
        n = len(self.names) if n is None else n
        said = self.who.hear("Live: staging", commit[:7], f"live on {n} of {len(self.names)} hosts", confirms=ANY,
                             timeout=PATIENCE_S)
        self.holds(commit)
        return text_of(said)

    def reaches(self, commit, n):
        wait_until(lambda: len(set(self.hosts.switches(commit))) >= n, PATIENCE_S, f"{n} hosts")

    def hold(self, wave):
        """Some host of that wave, which stops in the middle.  Without failures a wave is taken by name."""
        mark = self.hosts.mark(f"hold-{self.names[self.ends[wave - 1] - 1]}:22")
        mark.touch()
        return mark

    def pids(self):
        """(runner, supervisor) of the run in hand."""
        runs = self.hosts.state / "runs"
        last = max(int(path.name) for path in runs.glob("[0-9]*"))
        leader = int((runs / str(last) / "leader").read_text(encoding="ascii").split()[0])
        return runner_of(self.scene.bot.process.pid), parent_of(leader)

    def kill(self, which):
        runner, supervisor = self.pids()
        if "supervisor" in which:
            kill(supervisor)
            wait_until(lambda: not is_alive(supervisor), PATIENCE_S, "the supervisor's death")
        if "runner" in which:
            kill(runner)
        if "server" in which:
            self.scene.bot.kill()
            self.scene.start_bot()

    # --- what holds ---

    def rows(self):
        return {name: (state, release) for name, state, release in
                self.scene.bot_rows("SELECT name, state, release FROM host")}

    def holds(self, commit):
        """Rows say what hosts run; no host that has it was switched to it twice, but where a run was cut."""
        for name, (state, release) in self.rows().items():
            runs = self.hosts.runs(name.split(":", maxsplit=1)[0])
            assert state == "unknown" or release == runs, (name, state, release, runs)
        self.trials += 1
        print(f"  ✓ {self.trials}: {len(self.hosts.switches(commit))} switches of {len(self.names)} hosts", flush=True)

    # --- trials ---

    def first(self):
        """How long it took."""
        commit = self.begin()
        began = time.monotonic()
        self.live(commit)
        took = time.monotonic() - began
        assert len(self.hosts.switches(commit)) == len(self.names)
        print(f"{len(self.names)} hosts in {took:.1f} s", flush=True)
        return took

    def killed_in_each_wave(self, which):
        """What was released to stays so; where a supervisor dies, what it had in hand is released to again."""
        mark = self.hold(1)
        commit = self.begin()
        done = {}
        for wave in range(1, WAVES + 1):
            self.reaches(commit, self.ends[wave - 1])
            next_mark = self.hold(wave + 1) if wave < WAVES else None
            before = self.who.scene.chat.mark()
            self.kill(which)
            mark.unlink()
            mark = next_mark
            if "supervisor" in which:
                self.who.hear("Paused: staging, ", f"interrupted in wave {wave} of {WAVES}", after=before,
                              timeout=PATIENCE_S)
                switches = self.hosts.switches(commit)
                done |= {name: switches.count(name) for name, row in self.rows().items() if row == ("current", commit)}
                self.who.say("/resume staging")
        self.live(commit)
        if "supervisor" not in which:
            done = {f"{name}:22": 1 for name in self.names}
        switches = self.hosts.switches(commit)
        again = [name for name, n in done.items() if switches.count(name) != n]
        assert not again, f"{again} were released to twice"

    def killed_between(self, which):
        """Paused there, over the death of all; and then, without a pause, about when the second one begins."""
        mark = self.hold(1)
        commit = self.begin()
        self.reaches(commit, 1)
        self.who.say("/pause staging")
        wait_until(lambda: self.scene.bot_rows("SELECT COUNT(*) FROM bake WHERE is_to_pause = 1")[0][0], PATIENCE_S,
                   "what pauses it")
        mark.unlink()
        self.who.hear("Paused: staging, ", timeout=PATIENCE_S)
        runner = runner_of(self.scene.bot.process.pid)
        if "runner" in which:
            kill(runner)
        if "server" in which:
            self.scene.bot.kill()
            self.scene.start_bot()
        assert len(self.hosts.switches(commit)) == 1 and self.scene.is_busy("staging")
        self.who.say("/resume staging")
        self.live(commit)
        assert len(self.hosts.switches(commit)) == len(self.names)

    def killed_as_the_next_begins(self):
        commit = self.begin()
        wait_until(lambda: self.hosts.runs(self.names[0]) == commit, PATIENCE_S, "wave 1")
        self.scene.bot.kill()
        self.scene.start_bot()
        self.live(commit)
        assert len(self.hosts.switches(commit)) == len(self.names)

    def goes_live_without_the_bad(self):
        """Within the budget: they are named, and the next release takes them along in its first wave."""
        for name in self.bad:
            self.hosts.mark(f"fails-{name}:22").touch()
        commit = self.begin()
        said = self.live(commit, len(self.names) - len(self.bad))
        assert f"{len(self.bad)} failed" in said and self.bad[0] in said, said
        for name in self.bad:
            self.hosts.mark(f"fails-{name}:22").unlink()
        commit = self.begin()
        self.live(commit)
        first = self.hosts.switches(commit)[:len(self.bad) + 1]
        assert {f"{name}:22" for name in self.bad} <= set(first), first
        return commit

    def goes_back(self, before):
        """One more than may: what was touched goes back, and nothing else."""
        earlier = len(self.hosts.switches(before, "rollback"))
        for name in self.names[-len(self.bad) - 1:]:
            self.hosts.mark(f"fails-{name}:22").touch()
        commit = self.begin()
        self.who.hear("Rolled back: staging", commit[:7], "touched hosts are rolled back", confirms=ANY,
                      timeout=PATIENCE_S)
        self.went_back(commit, before, earlier)
        for name in self.names[-len(self.bad) - 1:]:
            self.hosts.mark(f"fails-{name}:22").unlink()

    def strays(self):
        """Somebody puts an earlier release back on a host of the last wave, by hand."""
        before, name = self.begin(), self.names[-1]
        self.live(before)
        other = self.hosts.by_hand(name)
        commit = self.begin()
        self.who.hear("Paused: staging, ", f"hosts differ: 1 of wave {WAVES} of {WAVES} does not run",
                      f"{name}: unknown", timeout=PATIENCE_S)
        assert len(self.hosts.switches(commit)) == self.ends[WAVES - 2] and self.hosts.runs(name) == other
        self.who.say("/resume staging")
        self.live(commit)

    def bakes(self):
        """A real Prometheus sees its errors rise behind the second wave: that goes back where it was.  First all run
        one release, or those that failed before are in the first wave."""
        before = self.begin()
        self.live(before)
        print("a bake that Prometheus watches", flush=True)
        shop = bake.Shop()
        with bake.prometheus_of(self.scene.folder, shop) as url:
            self.scene.bot.stop()
            self.scene.start_bot(**bake.settings_of(url))
            bake.wait_for_rate(url)
            commit = self.begin()
            self.who.press(self.who.hear("Baking: staging", commit[:7], buttons=("Next wave",), confirms=ANY,
                                         timeout=PATIENCE_S), "Next wave")
            self.who.hear("Baking: staging", commit[:7], "wave 2 of 3", timeout=PATIENCE_S)
            shop.failing = 5
            self.who.hear("Rolled back: staging", "errors 5 % > 1 %, before 0 %", commit[:7], timeout=2 * bake.BAKE_S)
        shop.close()
        assert len(self.hosts.switches(commit)) < len(self.names)
        self.went_back(commit, before, 0)

    def went_back(self, commit, before, earlier):
        """Behind as many switches back to that as there were earlier."""
        touched, back = self.hosts.switches(commit), self.hosts.switches(before, "rollback")[earlier:]
        assert sorted(touched) == sorted(back), f"touched: {touched}, rolled back: {back}"
        assert {self.hosts.runs(name) for name in self.names} == {before}
        self.holds(commit)

    def play(self):
        took = self.first()
        for which in (("server",), ("runner",), ("supervisor",), ALL):
            print(f"kill -9 of {', '.join(which)} in each wave", flush=True)
            self.killed_in_each_wave(which)
        print("kill -9 between two waves", flush=True)
        for which in (("server",), ("runner",), ("server", "runner")):
            self.killed_between(which)
        self.killed_as_the_next_begins()
        print(f"{len(self.bad)} bad hosts, and one more", flush=True)
        self.goes_back(self.goes_live_without_the_bad())
        return took


@contextlib.contextmanager
def stopped(scene):
    """In the end, with the end of its log where that is a failure."""
    try:
        yield
    except BaseException:
        print(scene.bot.log()[-4000:], file=sys.stderr)
        raise
    finally:
        status = scene.stop()
    assert status == 0, scene.bot.log()[-4000:]


def settings(names, **more):
    waves = f"1, {'10%' if len(names) > 10 else 2}, 100%"
    return {**settings_of(names, waves), "DEPLOY_TIMEOUT_SECONDS": "400", "RUNS_MAX": "2",
            "STAGING_FAILURES_MAX": str(math.ceil(len(names) * BAD)), **more}


def play_files(folder, n):
    folder.mkdir()
    names, more = [f"h{i:04}" for i in range(n)], {}
    if n > OF_A_SETTING:
        file = folder / "hosts"
        file.write_text("".join(f"{name}\n" for name in names), encoding="ascii")
        more = {"STAGING_HOST": None, "STAGING_HOSTS_FILE": str(file)}
    scene = Scene(folder / "scene", build=own_build(folder / "build"), settings=settings(names, **more))
    with stopped(scene):
        fleet = Fleet(scene, Hosts(scene.folder / "state"), names)
        fleet.hosts.mark("fleet").write_text(f"{AT_ONCE} {SECONDS}\n", encoding="ascii")
        took = fleet.play()
        assert took <= LIMIT_S, f"more than {LIMIT_S} s"
    print(f"{fleet.trials} releases to {n} hosts: all of it held")


def play_machines(folder, n):
    """A few hosts have a few trials."""
    folder.mkdir()
    hosts = RealHosts(folder, n)
    try:
        hosts.start()
        scene = Scene(folder / "scene", settings=settings(hosts.names, **hosts.settings()))
        with stopped(scene):
            fleet = Fleet(scene, hosts, hosts.names)
            if n < A_FEW:
                fleet.killed_in_each_wave(ALL)
                fleet.strays()
            else:
                fleet.play()
                fleet.strays()
                fleet.bakes()
    finally:
        hosts.stop()
    print(f"{fleet.trials} releases to {n} hosts with an sshd each: all of it held")


def main():
    n, n_sshd = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="deploybot-fleet-") as made:
        folder = pathlib.Path(made)
        play_files(folder / "files", n)
        missing = [name for name in ("sshd", "prometheus") if not shutil.which(name, path="/usr/sbin:/usr/bin")]
        if "BED_CGROUP" not in os.environ or missing:
            print(f"not run: {n_sshd} hosts with an sshd each: "
                  f"{os.environ.get('BED_REFUSED') or 'missing: ' + ', '.join(missing)}")
        else:
            play_machines(folder / "machines", n_sshd)


if __name__ == "__main__":
    main()
