#!/usr/bin/env python3
"""check_fleet.py HOSTS - a release in three waves to so many hosts, by the real server, runner, supervisor and scripts:
how long it takes, with 3 % bad ones, with too many of them, and over kill -9 of server, runner and supervisor in each
wave and between two.  Hosts are files (tests/demo/fleet.py): SECONDS each, 50 at once."""
# SPDX-License-Identifier: ISC
import math
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/e2e", "tests/peers", "tests/demo", "tests/tools"):
    sys.path.insert(0, str(ROOT / folder))

# pylint: disable=wrong-import-position
from crash_aid import is_alive, kill, parent_of  # noqa: E402
from fleet import Hosts, own_build, settings_of  # noqa: E402
from flow_aid import ANY, Scene  # noqa: E402
from runner_client import runner_of  # noqa: E402
from stage import wait_until  # noqa: E402
from telegram_client import text_of  # noqa: E402

AT_ONCE = 50
SECONDS = os.environ.get("SECONDS_EACH", "1")
LIMIT_S = 60            # of 1,000 hosts
PATIENCE_S = 90
OF_A_SETTING = 64       # more stand in a file
BAD = 0.03
WAVES = 3


class Fleet:
    def __init__(self, folder, n):
        self.names = [f"h{i:04}" for i in range(n)]
        n_bad = math.ceil(n * BAD)
        more = {"STAGING_FAILURES_MAX": str(n_bad), "DEPLOY_TIMEOUT_SECONDS": "300", "RUNS_MAX": "2"}
        if n > OF_A_SETTING:
            file = folder / "hosts"
            file.write_text("".join(f"{name}\n" for name in self.names), encoding="ascii")
            more |= {"STAGING_HOST": None, "STAGING_HOSTS_FILE": str(file)}
        self.bad = self.names[-n_bad:]      # of the last wave
        self.scene = Scene(folder / "scene", build=own_build(folder / "build"),
                           settings={**settings_of(self.names, "1, 10%, 100%"), **more})
        self.hosts = Hosts(self.scene.folder / "state")
        self.hosts.mark("fleet").write_text(f"{AT_ONCE} {SECONDS}\n", encoding="ascii")
        self.who = self.scene.admin()
        self.ends = [1, math.ceil(n / 10), n]
        self.trials = 0

    # --- what is done ---

    def begin(self):
        commit = self.scene.commit("develop")["after"]
        self.who.say("/deploy staging")
        return commit

    def live(self, commit, n=None):
        n = len(self.names) if n is None else n
        said = self.who.hear("Live: staging", commit[:7], f"live on {n} of {len(self.names)} hosts", confirms=ANY,
                             timeout=PATIENCE_S)
        self.holds(commit)
        return text_of(said)

    def reaches(self, commit, n):
        wait_until(lambda: len(self.hosts.switches(commit)) >= n, PATIENCE_S, f"{n} hosts")

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
        commit = self.begin()
        began = time.monotonic()
        self.live(commit)
        took = time.monotonic() - began
        waves = [end - start for start, end in zip([0] + self.ends, self.ends)]
        stand_in = sum(math.ceil(n / AT_ONCE) for n in waves) * float(SECONDS)
        print(f"{len(self.names)} hosts in {took:.1f} s, of which hosts took {stand_in:.1f} s", flush=True)
        assert took <= LIMIT_S, f"more than {LIMIT_S} s"
        assert len(self.hosts.switches(commit)) == len(self.names)
        return commit

    def killed_in(self, wave, which):
        mark = self.hold(wave)
        commit = self.begin()
        self.reaches(commit, self.ends[wave - 1])
        before = self.who.scene.chat.mark()
        self.kill(which)
        mark.unlink()
        if "supervisor" in which:
            self.who.hear("Paused: staging", f"wave {wave} of {WAVES} was interrupted", after=before,
                          timeout=PATIENCE_S)
            done = {name for name, row in self.rows().items() if row == ("current", commit)}
            self.who.say("/resume staging")
        self.live(commit)
        switches = self.hosts.switches(commit)
        again = {f"{name}:22" for name in self.names if switches.count(f"{name}:22") > 1}
        if "supervisor" in which:
            assert not again & done, f"{again & done} were released to twice"
        else:
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
        self.who.hear("Paused: staging", timeout=PATIENCE_S)
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
        wait_until(lambda: self.hosts.mark(f"runs-{self.names[0]}:22").exists()
                   and self.hosts.runs(self.names[0]) == commit, PATIENCE_S, "wave 1")
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
        for name in self.names[-len(self.bad) - 1:]:
            self.hosts.mark(f"fails-{name}:22").touch()
        commit = self.begin()
        self.who.hear("Rolled back: staging", commit[:7], "touched hosts are rolled back", confirms=ANY,
                      timeout=PATIENCE_S)
        touched = self.hosts.switches(commit)
        assert sorted(touched) == sorted(self.hosts.switches(before, "rollback")), "only touched hosts go back"
        assert {self.hosts.runs(name) for name in self.names} == {before}
        self.holds(commit)

    def play(self):
        self.first()
        for wave in range(1, WAVES + 1):
            for which in (("server",), ("runner",), ("supervisor",), ("server", "runner", "supervisor")):
                print(f"kill -9 of {', '.join(which)} in wave {wave}", flush=True)
                self.killed_in(wave, which)
        print("kill -9 between two waves", flush=True)
        for which in (("server",), ("runner",), ("server", "runner")):
            self.killed_between(which)
        self.killed_as_the_next_begins()
        print(f"{len(self.bad)} bad hosts, and one more", flush=True)
        self.goes_back(self.goes_live_without_the_bad())


def main():
    n = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="deploybot-fleet-") as made:
        fleet = Fleet(pathlib.Path(made), n)
        try:
            fleet.play()
        except BaseException:
            print(fleet.scene.bot.log()[-4000:], file=sys.stderr)
            raise
        finally:
            status = fleet.scene.stop()
        assert status == 0, fleet.scene.bot.log()[-4000:]
    print(f"{fleet.trials} releases to {n} hosts: all of it held")


if __name__ == "__main__":
    main()
