"""A release comes to thirty hosts in waves: one first, then a tenth, then all.  One goes through; of the next one the
third wave breaks, and only what it had touched is rolled back.  Played without a person: only hosts are stand-ins."""
# SPDX-License-Identifier: ISC
import pathlib
import subprocess
import sys
import tempfile

from fleet import Hosts, own_build, settings_of
from stage import Stage, wait_until
from story import STEP_TIMEOUT_S, Story
from telegram_client import ADA, GROUP, buttons_of

HOSTS = [f"shop-{n:02}" for n in range(1, 31)]
BAD = "shop-11"


class Waves(Story):
    def __init__(self, stage):
        super().__init__(stage)
        self.hosts = Hosts(stage.folder / "state")

    def push(self):
        mark = self.chat.mark()
        change = self.stage.push("develop", "good")
        self.tell(f"a colleague pushes {change['after'][:7]} \"{change['subject']}\" to develop")
        return change["after"], mark

    def reach(self, commit, n):
        """So many hosts were begun with."""
        wait_until(lambda: len(self.hosts.switches(commit)) >= n, STEP_TIMEOUT_S, f"{n} hosts")

    def serve(self):
        return {host: self.hosts.runs(host) for host in HOSTS}

    def goes_through(self):
        self.tell("Ada writes /deploy staging")
        mark = self.chat.mark()
        commit = subprocess.run(["git", "-C", self.stage.repository, "rev-parse", "develop"], check=True,
                                capture_output=True, text=True).stdout.strip()
        self.chat.say(ADA, ADA, "/deploy staging")
        for wave, n in enumerate((1, 3, 30), 1):
            self.reach(commit, n)
            self.tell(f"      wave {wave} of 3: {n} of 30 hosts were begun with")
        self.hear("Live: staging", commit[:7], "live on 30 of 30 hosts", after=mark)
        self.must(set(self.serve().values()) == {commit}, "all thirty run it")
        self.must(len(self.hosts.switches(commit)) == 30, "no host was released to twice")
        return commit

    def breaks(self, before):
        self.tell(f"--- the disk of {BAD} is full")
        self.hosts.mark(f"fails-{BAD}:22").touch()
        commit, mark = self.push()
        self.hear("Rolled back: staging", commit[:7], "touched hosts are rolled back", after=mark, chat=GROUP)
        touched = self.hosts.switches(commit)
        back = self.hosts.switches(before, "rollback")
        self.must(3 < len(touched) < 30, f"the third wave stopped by itself: {len(touched)} of 30 hosts were touched")
        self.must(sorted(back) == sorted(touched), f"these {len(back)} were rolled back, and no other")
        self.must(set(self.serve().values()) == {before}, f"all thirty run {before[:7]}")
        self.must(self.state_file("staging")["commit"] == before, "the state file never named the other one")

    def press(self, question, button):
        self.tell(f"Ada presses {button}")
        self.chat.press(ADA, question, next(label for label in buttons_of(question) if button in label))

    def goes_back(self, before):
        """A person's rollback is one run for all."""
        self.hosts.mark(f"fails-{BAD}:22").unlink()
        commit, mark = self.push()
        question = self.hear("Deploy to staging?", "rolled back by deploybot", after=mark, buttons=("Deploy to",),
                             chat=GROUP)
        self.press(question, "Deploy to")
        self.hear("Live: staging", commit[:7], "live on 30 of 30 hosts", after=mark, chat=GROUP)
        self.tell("Ada writes /rollback staging")
        mark = self.chat.mark()
        self.chat.say(ADA, ADA, "/rollback staging")
        self.press(self.hear("Roll back staging", before[:7], after=mark, buttons=("Roll back",)), "Roll back")
        self.hear("Rolled back", before[:7], after=mark)
        self.must(set(self.serve().values()) == {before}, f"all thirty run {before[:7]} again")

    def ask(self):
        self.tell("Ada writes /hosts staging")
        mark = self.chat.mark()
        self.chat.say(ADA, ADA, "/hosts staging")
        self.hear("shop-01: runs", after=mark)


def play(folder):
    folder = pathlib.Path(folder)
    with tempfile.TemporaryDirectory(prefix="deploybot-waves-") as made:
        build = own_build(pathlib.Path(made) / "build")
        with Stage(folder, telegram=("--local",), build=build,
                   settings={"TELEGRAM_CHAT_ID": str(GROUP), **settings_of(HOSTS, "1, 10%, 100%")}) as stage:
            (folder / "state" / "fleet").write_text("5 0.3\n", encoding="ascii")
            story = Waves(stage)
            try:
                first = story.goes_through()
                story.breaks(first)
                story.goes_back(first)
                story.ask()
            except (AssertionError, TimeoutError) as error:
                print(f"it did not happen: {error}\n{stage.bot.log()[-2000:]}", file=sys.stderr)
                return 1
            story.tell("all of it happened")
            return 0
