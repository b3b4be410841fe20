#!/usr/bin/python3
"""night.py - plays a bad night in the demo and prints what Ada's lock screen shows of it: who is woken reads no more.

Each line is a message as it was sent, its first forty characters; what comes without a sound has a dot in front.
"""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import shutil
import sqlite3
import sys
import tempfile
import time

from stage import Stage, sample_app, wait_until
from telegram_client import ADA, BEA, buttons_of, text_of

FIRST = 40
PATIENCE_S = 150
BUILD_SECONDS = 4.0     # long enough for its step to be shown
SETTINGS = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "PRODUCTION_APPROVALS": "1", "APPROVAL_TIMEOUT": "1m",
            "STAGING_ROLLBACK_NAG_MINUTES": "1", "PRODUCTION_ROLLBACK_NAG_MINUTES": "0",
            "STAGING_NOTIFY_AFTER_SECONDS": "3600", "PRODUCTION_NOTIFY_AFTER_SECONDS": "3600"}
# Other each night, and as wide: commits, clocks and dates with their day, ages.
VARIES = re.compile(r"\b[0-9a-f]{7,64}\b|\b\d\d:\d\d\b|\b(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d\b|\b\d+ (?:s|min)\b")


class Night:
    def __init__(self, stage):
        self.stage, self.chat = stage, stage.chat
        self.mark = 0
        self.chapters = []      # (what happened, the number of the newest message by then)

    def chapter(self, title):
        self.mark = self.chat.mark()
        self.chapters.append((title, max((view["message_id"] for view in self.said()), default=0)))

    def said(self):
        return [view for view in self.chat.messages(ADA) if view["outgoing"] and not view["deleted"]]

    def hear(self, *words, who=ADA, button="", rings=False, edited=None):
        """What the bot says from this chapter on: a message, or an edit of one, with these words; one of the two where
        edited says so."""
        return self.chat.wait_for_message(
            lambda view: all(word in text_of(view) for word in words) and not (rings and view["silent"])
            and edited in (None, view["edits"] > 0)
            and (not button or any(button in label for label in buttons_of(view))),
            PATIENCE_S, chat_id=who, after=self.mark)

    def press(self, who, view, button):
        now = self.chat.message(view)
        self.chat.press(who, now, next(label for label in buttons_of(now) if button in label))

    def wait_free(self, environment):
        busy = f'deploybot_environment_busy{{environment="{environment}"}} 0'
        wait_until(lambda: busy in self.stage.bot.metrics(), PATIENCE_S, f"a free {environment}")

    def wait_until_git(self, holds):
        """Until that statement gives 1: what git was asked about stands in the rows alone."""
        database = sqlite3.connect(f"file:{self.stage.folder / 'state' / 'deploybot.db'}?mode=ro", uri=True, timeout=10)
        try:
            wait_until(lambda: database.execute(holds).fetchone() == (1,), PATIENCE_S, "a poll")
        finally:
            database.close()

    def wait_polled(self):
        """Until git was asked about each branch: what was pushed before is no push."""
        self.wait_until_git("SELECT COUNT(*) = 2 FROM environment WHERE polled_commit <> ''")

    def wait_polled_since(self):
        """Until git was asked behind the last rollback: what is pushed before that is asked about."""
        self.wait_until_git("SELECT head_seen >= (SELECT MAX(number) FROM block) FROM environment"
                            " WHERE name = 'staging'")

    def ask_for_production(self, ref):
        """Bea asks and confirms; what Ada is sent."""
        commit = sample_app.git(self.stage.work, "rev-parse", ref)
        self.chat.say(BEA, BEA, f"/deploy production {commit}")
        self.press(BEA, self.hear("Deploy to production?", who=BEA, button="Deploy to"), "Deploy to")
        return self.hear("production", button="Approve")

    # --- what happens ---

    def all_is_quiet(self):
        self.wait_polled()
        self.chapter("in the evening all is live")
        self.stage.push("develop", "good")
        self.hear("Live: staging")
        self.press(ADA, self.ask_for_production("main~1"), "Approve")
        self.hear("Live: production", who=BEA)

    def build_fails(self):
        self.chapter("a build fails")
        self.stage.push("develop", "build")
        self.hear("Build failed: staging", rings=True)
        self.wait_free("staging")

    def rolled_back(self):
        self.chapter("a release is unhealthy, and rolled back")
        self.stage.push("develop", "broken")
        self.hear("Rolled back: staging", rings=True)
        self.wait_free("staging")

    def nobody_has_seen_it(self):
        self.chapter("nobody has seen the rollback for a minute")
        self.press(ADA, self.hear("staging", button="Seen", rings=True), "Seen")

    def nobody_approves(self):
        self.chapter("Bea asks for production, and nobody approves")
        self.ask_for_production("main")

    def approval_expires(self):
        self.chapter("the approval expires")
        self.hear("Approval expired: production", edited=False)

    def lock_and_freeze(self):
        self.chapter("Bea locks staging; a push waits")
        self.chat.say(BEA, BEA, "/lock staging 1h looking into the sessions")
        self.hear("Locked: staging by @bea")
        self.stage.push("develop", "good")
        self.hear("Push waits")
        self.chapter("Bea freezes production; Ada wants to deploy there")
        self.chat.say(BEA, BEA, f"/freeze production until {in_two_days()} incident")
        self.hear("Frozen: production")
        self.chat.say(ADA, ADA, "/deploy production")
        self.hear("Not deployed: production: frozen by @bea", "incident")
        self.chapter("Bea ends both")
        self.chat.say(BEA, BEA, "/unfreeze production")
        self.hear("Freeze ended: production")
        self.chat.say(BEA, BEA, "/unlock staging")
        self.hear("Live: staging")
        self.wait_free("staging")

    def server_is_killed(self):
        self.chapter("the server is killed while it deploys")
        self.stage.push("develop", "broken")
        self.hear("Deploying staging", "▸ build", button="Stop", edited=True)    # which one it is, is on disk
        self.stage.bot.kill()
        self.stage.bot.start()
        self.press(ADA, self.hear("Rolled back: staging", button="Seen", rings=True), "Seen")
        self.wait_free("staging")

    def rollback_fails(self):
        self.chapter("a release is unhealthy, and the previous one is gone from the disk")
        for program in (self.stage.folder / "state" / "apps" / "staging" / "releases").glob("*/.deploybot/run"):
            program.unlink()
        self.wait_polled_since()
        self.stage.push("develop", "crash")
        self.hear("DOWN", "staging", rings=True)
        self.wait_free("staging")
        wait_until(lambda: not any("rolling back to" in text_of(view) for view in self.said()), PATIENCE_S, "one copy")

    PARTS = ("all_is_quiet", "build_fails", "rolled_back", "nobody_has_seen_it", "nobody_approves", "approval_expires",
             "lock_and_freeze", "server_is_killed", "rollback_fails")

    def lock_screen(self):
        """What the night was by first lines alone."""
        lines, chapters = [], list(self.chapters)
        for view in self.said():
            if first_of(view).startswith("Audit log of"):
                continue  # at midnight, wherever that comes
            while chapters and view["message_id"] > chapters[0][1]:
                lines.append(f"# {chapters.pop(0)[0]}")
            lines.append(f"{'·' if view['silent'] else '🔔'} {first_of(view)}")
        return lines


def in_two_days():
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400))


def first_of(view):
    """As it was sent, not as it was edited later; the phone lies there unread."""
    first = [*view["history"], view["message"]][0]
    text = (first.get("text") or first.get("caption") or "").partition("\n")[0]
    return VARIES.sub(lambda found: re.sub(r"\w", "#", found[0]), text)[:FIRST].rstrip()


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-night-"))
    try:
        with Stage(folder, BUILD_SECONDS, settings=SETTINGS) as stage:
            night = Night(stage)
            try:
                for part in Night.PARTS:
                    getattr(night, part)()
            finally:
                print("\n".join(night.lock_screen()))
                if "--whole" in sys.argv:
                    print(json.dumps([text_of(view) for view in night.said()], indent=1, ensure_ascii=False))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
