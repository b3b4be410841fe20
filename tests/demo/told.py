"""The news where the others are: Slack, Discord, Matrix, a mailbox and a status page beside the chat.  A deployment
goes live, one breaks and is rolled back, production goes down and is restored; Slack is broken meanwhile, and gets
what it missed.  Played without a person; the five are strict stand-ins, which refuse what the real ones refuse."""
# SPDX-License-Identifier: ISC
import collections
import contextlib
import sqlite3
import sys

from elsewhere import WHERE, Elsewhere
from rolled_back import NAMES
from stage import Stage, wait_until
from story import STEP_TIMEOUT_S, Story, brief
from telegram_client import ADA, BEA, buttons_of

RETRY_TIMEOUT_S = 300       # the pause before the next try is as long as all those before


def first_line(text):
    return text.strip().partition("\n")[0]


class Told(Story):
    def __init__(self, stage, elsewhere):
        super().__init__(stage)
        self.elsewhere = elsewhere
        self.read = collections.Counter()

    def lines(self, where):
        return [first_line(text) for text in self.elsewhere.texts(where)]

    def have(self, *words, where):
        """Each of those has one message more by now, which has these words."""
        for one in where:
            at = self.read[one]
            wait_until(lambda one=one, at=at: len(self.lines(one)) > at, STEP_TIMEOUT_S, f"a message to {one}")
            said = self.lines(one)[at]
            self.read[one] += 1
            self.tell(f"      {WHERE[one][0]}: {brief(said, 100)}")
            if not all(word in said for word in words):
                raise AssertionError(f"{one} has {said!r}, without {words}")

    def press(self, who, view, button):
        label = next(label for label in buttons_of(self.chat.message(view)) if button in label)
        self.tell(f"{NAMES[who]} presses {label}")
        self.chat.press(who, self.chat.message(view), label)

    def push(self, branch, kind):
        change = self.stage.push(branch, kind)
        self.tell(f"a colleague pushes {change['after'][:7]} \"{change['subject']}\" to {branch}")
        return change["after"][:7]

    def confirm(self, question, *ends):
        """Ada says yes to it; the end of what she has begun."""
        self.have("Deploy to production?", where=["matrix"])
        mark = self.chat.mark()
        self.press(ADA, question, "Deploy to")
        self.hear(*ends, after=mark)

    def push_to_main(self, kind, *ends):
        mark = self.chat.mark()
        commit = self.push("main", kind)
        self.confirm(self.hear("Deploy to production?", commit, after=mark, buttons=("Deploy to",)), *ends)


def is_told(story):
    story.tell("--- a deployment goes live")
    is_polled = "SELECT COUNT(*) = 2 FROM environment WHERE polled_commit <> ''"    # what was pushed before is no push
    with contextlib.closing(sqlite3.connect(story.stage.folder / "state" / "deploybot.db")) as rows:
        wait_until(lambda: rows.execute(is_polled).fetchone() == (1,), STEP_TIMEOUT_S, "a first poll of both branches")
    mark = story.chat.mark()
    commit = story.push("develop", "good")
    story.hear("Live: staging", commit, after=mark)
    story.have("Live: staging", where=["slack", "discord", "matrix"])
    story.must(not story.lines("mail") and not story.lines("webhook"),
               "mail and status page have nothing: they are notified of production alone, down and restored")


def slack_breaks(story):
    story.tell("--- Slack is broken (503), and a release too")
    story.elsewhere.peer.down.add("slack")
    mark = story.chat.mark()
    commit = story.push("develop", "broken")
    story.hear("Rolled back: staging", commit, after=mark)
    story.have("Rolled back: staging", where=["discord", "matrix"])


def production_goes_down(story):
    story.tell("--- production goes down, while Slack is broken")
    mark = story.chat.mark()
    story.tell("Ada writes /deploy production")
    story.chat.say(ADA, ADA, "/deploy production")
    story.confirm(story.hear("Deploy to production?", after=mark, buttons=("Deploy to",)), "Live: production")
    story.have("Live: production", where=["matrix"])
    for program in (story.stage.folder / "state" / "apps" / "production" / "releases").glob("*/.deploybot/run"):
        program.unlink()
    story.tell("somebody removes what was live from the disk")
    story.push_to_main("crash", "DOWN", "production")
    story.have("production", where=["matrix", "mail", "webhook"])
    story.must("DOWN" in story.lines("mail")[-1], "mail and status page have it, once each: " + story.lines("mail")[-1])
    story.must(len(story.lines("slack")) == 1 and story.elsewhere.peer.tries.count("slack") > 2,
               "Slack has none of it, and is tried again; nobody else noticed")


def slack_is_back(story):
    story.tell("--- Slack is back")
    story.elsewhere.peer.down.discard("slack")
    missed = story.lines("matrix")
    wait_until(lambda: len(story.lines("slack")) >= len(missed), RETRY_TIMEOUT_S, "what Slack missed")
    story.must(story.lines("slack") == missed, f"it gets the {len(missed) - 1} that it missed, in order, once each")
    story.read["slack"] = len(missed)


def it_is_restored(story):
    story.tell("--- production is restored")
    story.push_to_main("good", "Live: production")
    story.have("production", where=["slack"])
    story.have("production", where=["slack", "matrix", "mail", "webhook"])
    types = [one.text for one in story.elsewhere.peer.of("webhook")]
    story.must(types == ["deployment.down", "deployment.restored"], f"the status page has {' and '.join(types)}")


def nobody_has_more(story):
    story.tell("--- what they have")
    for where, (name, what) in WHERE.items():
        story.must(len(story.lines(where)) == story.read[where], f"{name}: {story.read[where]}, of {what}")
    peer, keys = story.elsewhere.peer, [one.key for one in story.elsewhere.peer.taken if one.key]
    story.must(len(set(keys)) == len(keys) and len(peer.signed) == len(story.lines("webhook")),
               "each id came once, and each webhook is signed")
    story.must(not peer.refused and not peer.rings and not story.elsewhere.mail.refused,
               "nobody had to refuse one, and nobody was rung by @everyone and the like")


CHAPTERS = (is_told, slack_breaks, production_goes_down, slack_is_back, it_is_restored, nobody_has_more)


def play(folder):
    """0: all of it happened."""
    with Elsewhere() as elsewhere:
        settings = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", **elsewhere.settings()}
        with Stage(folder, 1.0, telegram=("--local", "--elsewhere-url", elsewhere.base), settings=settings) as stage:
            print(f"the chat, and the five beside it: {stage.chat.base}/", flush=True)
            story = Told(stage, elsewhere)
            try:
                for chapter in CHAPTERS:
                    chapter(story)
            except (AssertionError, TimeoutError, RuntimeError, StopIteration) as problem:
                print(f"the story broke off: {problem}", file=sys.stderr)
                print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
                return 1
            story.tell("all of it happened")
            return 0
