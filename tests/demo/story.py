"""The demo played without a person: each step is printed, and must happen."""
# SPDX-License-Identifier: ISC
import json
import sys
import textwrap
import time

from stage import wait_until
from telegram_client import ADA, GROUP, buttons_of, text_of

STEP_TIMEOUT_S = 60
WIDTH = 160


def brief(text, width=WIDTH):
    """On one line, without half a word at its end."""
    return textwrap.shorten(text.replace("\n", " | "), width, placeholder=" …", break_on_hyphens=False)


class Story:
    def __init__(self, stage):
        self.stage = stage
        self.chat = stage.chat
        self.started = time.monotonic()

    def tell(self, text):
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def hear(self, *words, after, buttons=(), chat=ADA):
        """Waits until the bot has said all the words in one message."""
        view = self.chat.wait_for_message(
            lambda m: all(w in text_of(m) for w in words)
            and all(any(b in label for label in buttons_of(m)) for b in buttons),
            STEP_TIMEOUT_S, chat_id=chat, after=after)
        self.tell(f"      bot{' to the group' if chat == GROUP else ''}: " + brief(text_of(view)))
        return view

    def runs(self, environment):
        """The commit that the application itself says it runs."""
        def answer():
            status, body = self.stage.app(environment)
            return status == 200 and json.loads(body)["commit"]
        return wait_until(answer, STEP_TIMEOUT_S, f"{environment}'s health")

    def must(self, condition, what):
        if not condition:
            raise AssertionError(what)
        self.tell("      ✓ " + what)

    def state_file(self, environment):
        path = self.stage.folder / "state" / "environments" / (environment.replace("/", ".") + ".json")
        return json.loads(path.read_text(encoding="utf-8"))


def deploy_staging(story):
    story.tell("Ada writes /deploy staging: of which application?")
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/deploy staging")
    question = story.hear("of which application?", after=mark, buttons=("cider/staging", "shop/staging"))
    story.tell("Ada presses shop/staging")
    story.chat.press(ADA, question, "shop/staging")
    story.hear("shop/staging", "checkout", after=mark)
    story.hear("Live: shop/staging", after=mark)
    commit = story.runs("shop/staging")
    story.must(story.state_file("shop/staging")["commit"] == commit,
               "the state file names the commit that answers")
    story.must(story.stage.app("cider/staging")[0] == 0, "the other application was left alone")
    return commit


def push_to_the_other(story):
    change = story.stage.push("develop", "good", "cider")
    story.tell(f"a colleague pushes \"{change['subject']}\" to the other repository")
    mark = story.chat.mark()
    story.hear("Live: cider/staging", change["after"][:7], after=mark, chat=GROUP)
    story.must(story.runs("cider/staging") == change["after"], "the second application went live by itself")


def push_good(story, before):
    change = story.stage.push("develop", "good")
    story.tell(f"a colleague pushes \"{change['subject']}\" to develop")
    mark = story.chat.mark()
    story.hear("Live: shop/staging", change["after"][:7], after=mark, chat=GROUP)
    story.must(story.runs("shop/staging") == change["after"] != before, "it went live by itself")
    return change["after"]


def push_broken(story, good):
    mark = story.chat.mark()
    change = story.stage.push("develop", "broken")
    story.tell(f"a colleague pushes \"{change['subject']}\" to develop")
    story.hear("Rolled back: shop/staging", change["after"][:7], "it runs", good[:7], after=mark, chat=GROUP)
    story.must(story.runs("shop/staging") == good, "the broken release was rolled back")
    story.must(story.state_file("shop/staging")["commit"] == good, "the state file never named it")


def deploy_production(story):
    story.tell("Ada writes /deploy shop/production")
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/deploy shop/production")
    question = story.hear("Deploy to shop/production?", after=mark, buttons=("Deploy to",))
    story.tell("Ada presses Deploy to shop/production")
    story.chat.press(ADA, question, next(b for b in buttons_of(question) if "Deploy to" in b))
    story.hear("Live: shop/production", after=mark)
    story.runs("shop/production")


def ask_status(story):
    story.tell("Ada writes /status")
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/status")
    live = ("shop/staging", "shop/production", "cider/staging")
    view = story.hear(*(f"🟢 {environment}" for environment in live), after=mark)
    for environment in live:
        story.must(story.runs(environment)[:7] in text_of(view),
                   f"/status tells the truth about {environment}")


def verify_audit(story):
    done = story.stage.bot.run("audit", "verify")
    story.must(done.returncode == 0, "deploybot audit verify: " + brief(done.stdout.strip()))


def play(stage):
    story = Story(stage)
    try:
        first = deploy_staging(story)
        good = push_good(story, first)
        push_broken(story, good)
        push_to_the_other(story)
        deploy_production(story)
        ask_status(story)
        verify_audit(story)
    except (AssertionError, TimeoutError, RuntimeError) as problem:
        print(f"the story broke off: {problem}", file=sys.stderr)
        print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
        return 1
    story.tell("all of it happened")
    return 0
