"""What was rolled back stays back: four ways in which a yes stood or waited while the commit below it was rolled back.
Played without a person; production is asked all the time, and must never serve again what was rolled back."""
# SPDX-License-Identifier: ISC
import json
import sqlite3
import sys
import threading

from stage import Stage, wait_until
from story import STEP_TIMEOUT_S, Story, brief
from telegram_client import ADA, BEA, buttons_of, text_of

# Long enough to ask, push and answer meanwhile.
BUILD_SECONDS = 8.0
ADMINS = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}"}
NAMES = {ADA: "Ada", BEA: "Bea"}


class Watch(threading.Thread):
    """Asks production ten times a second what it runs."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.seen, self.over = stage, [], threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            status, body = self.stage.app("production")
            self.seen.append(json.loads(body)["commit"][:7] if status == 200 else f"HTTP {status}")

    def stop(self):
        self.over.set()
        self.join()


class RolledBack(Story):
    def __init__(self, stage):
        super().__init__(stage)
        self.watch = Watch(stage)
        self.live = None
        self.mark = 0

    def read(self, *words, who=ADA, button=""):
        """What the bot says to that person from this chapter on, in a message or an edit of one."""
        view = self.chat.wait_for_message(
            lambda m: all(word in text_of(m) for word in words)
            and (not button or any(button in label for label in buttons_of(m))),
            STEP_TIMEOUT_S, chat_id=who, after=self.mark)
        said = next((line for line in text_of(view).split("\n") if words[0] in line), text_of(view))
        self.tell(f"      to {NAMES[who]}: {brief(said)}")
        return view

    def press(self, who, view, button):
        now = self.chat.message(view)
        label = next(label for label in buttons_of(now) if button in label)
        self.tell(f"{NAMES[who]} presses {label}")
        self.chat.press(who, now, label)

    def chapter(self, title):
        self.tell(f"--- {title}")
        self.mark = self.chat.mark()

    def push(self, kind):
        """A colleague pushes to main; the question about that."""
        change = self.stage.push("main", kind)
        self.tell(f"a colleague pushes {change['after'][:7]} \"{change['subject']}\" to main")
        return change["after"][:7], self.read("Deploy to production?", change["after"][:7], button="Deploy to")

    def release(self, commit):
        """It is live, and production says so itself."""
        self.live = wait_until(lambda: commit in self.watch.seen and commit, STEP_TIMEOUT_S, f"{commit} in production")

    def is_rolled_back(self, commit):
        self.read("Rolled back: production", commit)
        wait_until(lambda: self.watch.seen[-1] == self.live, STEP_TIMEOUT_S, "what was live before")
        self.since = len(self.watch.seen)

    def nothing_came_back(self, commit):
        """From the rollback on, also a while after whoever answered has read why not."""
        enough = len(self.watch.seen) + 30
        wait_until(lambda: len(self.watch.seen) >= enough, STEP_TIMEOUT_S, "three seconds more")
        answers = self.watch.seen[self.since:]
        self.must(set(answers) == {self.live},
                  f"production answered {len(answers)} times since: {self.live}, never {commit} and never HTTP 500")

    # --- the ways ---

    def begin(self):
        self.chapter("production = A")
        self.chat.say(BEA, BEA, "/start")
        self.chat.say(ADA, ADA, "/deploy production")
        question = self.read("Deploy to production?", button="Deploy to")
        self.press(ADA, question, "Deploy to")
        self.approve_first()
        self.read("Live: production")
        self.release(self.runs("production")[:7])
        self.watch_polls()

    def approve_first(self):
        """Nobody has to."""

    def watch_polls(self):
        """Until git was asked about main: what was there before is no push."""
        database = sqlite3.connect(f"file:{self.stage.folder / 'state' / 'deploybot.db'}?mode=ro", uri=True, timeout=10)
        known = "SELECT COUNT(*) FROM environment WHERE name = 'production' AND polled_commit <> ''"
        try:
            wait_until(lambda: database.execute(known).fetchone() == (1,), STEP_TIMEOUT_S, "a first poll")
        finally:
            database.close()

    def broken_begins(self):
        """B, which answers HTTP 500 when it is up."""
        bad, question = self.push("broken")
        self.press(ADA, question, "Deploy to")
        self.read("Deploying production", bad)
        return bad

    def drop(self, view, who=ADA):
        self.press(who, view, "Not now")
        self.read("Cancelled: production")

    def second_admin_confirms_while_it_runs(self):
        self.chapter("1: a second admin confirms C while B is in progress")
        bad = self.broken_begins()
        after, question = self.push("broken")
        self.must(f"deploys {bad} now; this waits for it" in text_of(question), "it names what is in progress")
        self.chat.say(BEA, BEA, "/deploy production")
        self.press(BEA, self.read("asked about already", after, who=BEA, button="Deploy to"), "Deploy to")
        self.read("Queued: 1st in production", after, who=BEA)
        self.is_rolled_back(bad)
        anew = self.read(f"Not started: production: contains {bad}, rolled back meanwhile (HTTP 500)", after)
        self.nothing_came_back(after)
        self.drop(anew)

    def question_is_pressed_afterwards(self):
        self.chapter("2: the question about C is pressed after B was rolled back")
        bad = self.broken_begins()
        after, question = self.push("broken")
        self.is_rolled_back(bad)
        self.read("has ended: rolled back (HTTP 500)", after)
        self.press(ADA, question, "Deploy to")
        anew = self.read(f"Not started: production: contains {bad}, rolled back meanwhile (HTTP 500)", after)
        self.nothing_came_back(after)
        self.drop(anew)

    def push_is_confirmed_while_it_runs(self):
        self.chapter("4: a push of C is confirmed while B is in progress")
        bad = self.broken_begins()
        after, question = self.push("broken")
        self.press(ADA, question, "Deploy to")
        self.read("Queued: 1st in production", after)
        self.is_rolled_back(bad)
        anew = self.read(f"Not started: production: contains {bad}, rolled back meanwhile (HTTP 500)", after)
        self.nothing_came_back(after)
        self.drop(anew)

    def repair_goes_live(self):
        self.chapter("the repair contains them all, and goes live: its question says so")
        good, question = self.push("good")
        self.must(", rolled back by deploybot" in text_of(question), "the question names what was rolled back")
        self.press(ADA, question, "Deploy to")
        self.approve_first()
        self.read("Live: production", good)
        self.must(self.runs("production").startswith(good), "production runs the repair")

    PARTS = ("begin", "second_admin_confirms_while_it_runs", "question_is_pressed_afterwards",
             "push_is_confirmed_while_it_runs", "repair_goes_live")


class Approved(RolledBack):
    """The same where somebody else has to approve it."""

    def approve_first(self):
        self.press(BEA, self.read("Awaiting approval: production", who=BEA, button="Approve"), "Approve")

    def broken_begins(self):
        bad, question = self.push("broken")
        self.press(ADA, question, "Deploy to")
        self.press(BEA, self.read("Awaiting approval: production", bad, who=BEA, button="Approve"), "Approve")
        self.read("Deploying production", bad)
        return bad

    def ask(self, bad):
        """C awaits its approval while B is in progress."""
        after, question = self.push("broken")
        self.press(ADA, question, "Deploy to")
        asked = self.read("Awaiting approval: production", after, who=BEA, button="Approve")
        self.must(f"deploys {bad} now; this waits for it" in text_of(asked), "who approves reads that, too")
        return after, asked

    def asked_again(self, bad, after):
        why = f"asked again: contains {bad}, rolled back meanwhile (HTTP 500)"
        return self.read(why, after, who=BEA, button="Approve")

    def approval_is_given_before(self):
        self.chapter("3: C is approved, and then B is rolled back")
        bad = self.broken_begins()
        after, asked = self.ask(bad)
        self.press(BEA, asked, "Approve")
        self.is_rolled_back(bad)
        self.asked_again(bad, after)
        self.must(bool(self.stage.bot.audit(action="approval_void")), "the audit says that the approval is void")
        self.nothing_came_back(after)
        self.chat.say(ADA, ADA, "/cancel production")
        self.read("Cancelled: production", after)

    def approval_is_given_afterwards(self):
        self.chapter("3: C is approved after B was rolled back; by then it is asked again")
        bad = self.broken_begins()
        after, _ = self.ask(bad)
        self.is_rolled_back(bad)
        self.press(BEA, self.asked_again(bad, after), "Approve")
        anew = self.read("Not started: production", f"contains {bad}", after, button="Deploy to")
        self.nothing_came_back(after)
        self.drop(anew)

    PARTS = ("begin", "approval_is_given_before", "approval_is_given_afterwards", "repair_goes_live")


def play_one(kind, folder, settings):
    with Stage(folder, BUILD_SECONDS, telegram=("--local",), settings={**ADMINS, **settings}, in_file=True) as stage:
        story = kind(stage)
        story.watch.start()
        try:
            for part in kind.PARTS:
                getattr(story, part)()
        except (AssertionError, TimeoutError, RuntimeError, StopIteration) as problem:
            print(f"the story broke off: {problem}", file=sys.stderr)
            print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
            return False
        finally:
            story.watch.stop()
    return True


def play(folder):
    if not (play_one(RolledBack, folder / "confirmed", {}) and
            play_one(Approved, folder / "approved", {"PRODUCTION_APPROVALS": "1"})):
        return 1
    print("what was rolled back stayed back", flush=True)
    return 0
