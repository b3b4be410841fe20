"""The page /console/ as a Mini App beside the chat, in a Chromium that is played without a person: Bea is logged in by
Telegram's signature, approves with six digits, follows a build line by line while the server is restarted, and rolls
back.  The chat has all of it."""
# SPDX-License-Identifier: ISC
import os
import sys

from loans import Lent, bea_has_a_second_factor, write_private
from stage import ROOT, Stage
from telegram_client import ADA, BEA, text_of

sys.path.append(str(ROOT / "tests" / "e2e"))

from browser_aid import chromium, click, until  # noqa: E402  pylint: disable=wrong-import-position

BUILD_SECONDS = 8.0     # long enough for a restart in the middle
PATIENCE_S = 60
IDLE = "document.getElementById('main')?.getAttribute('aria-busy') === 'false'"
LINES = "(document.querySelector('.lines')?.innerText ?? '')"
PILL = "document.querySelector('h1 + .pill')?.textContent"


class Page(Lent):
    """What Bea does on the page, in the frame beside the chat."""

    def __init__(self, stage, browser):
        super().__init__(stage, None, None)
        self.browser = browser

    def sees(self, condition, what):
        until(self.browser, condition, what, PATIENCE_S)
        self.tell("      page: " + what)

    def click(self, what, selector, text=None):
        self.tell(f"Bea presses {what} on the page")
        click(self.browser, selector, text, PATIENCE_S)

    def asks_for_production(self):
        """Ada; what is heard then comes behind the mark."""
        mark = self.say(ADA, "/deploy production")
        self.press(ADA, self.hear("Deploy to production?", after=mark, buttons=("Deploy to",)), "Deploy to")
        return mark


def it_opens(story):
    story.tell("--- the console opens beside the chat, as a Mini App")
    browser = story.browser
    browser.get(story.chat.base)
    until(browser, "document.body.classList.contains('ready')", "the chat")
    click(browser, ".persona[data-user=Bea]")
    until(browser, "!document.getElementById('open-app').hidden", "the button of the menu", PATIENCE_S)
    story.tell("Bea presses Console, beside the text field")
    click(browser, "#open-app")
    until(browser, "document.querySelector('#mini-app iframe') !== null", "the window")
    frame = browser.find_element("css selector", "#mini-app iframe")
    story.must(frame.size["width"] == 390, "it is as wide as a phone: 390 px")
    browser.switch_to.frame(frame)
    until(browser, f"{IDLE} && document.getElementById('name').textContent === '@bea'", "who it is", PATIENCE_S)
    address = browser.execute_script("return location.href")
    story.must("tgWebAppData" not in address, "it knows that it is @bea, and the address keeps nothing of that")


def bea_approves(story):
    story.tell("--- a second person approves, with six digits")
    mark = story.asks_for_production()
    story.hear("production", "approv", after=mark)
    story.click("Approvals", "nav a[href='#/approvals']")
    story.sees("document.querySelector('.list a')?.innerText.includes('Needs approval')", "what waits for her")
    story.click("what waits", ".list a")
    story.click("Approve", "button", "Approve")
    until(story.browser, "document.getElementById('code') !== null", "a field for six digits", PATIENCE_S)
    story.must(story.stage.app("production")[0] == 0, "that alone starts nothing: it asks for her six digits")
    story.tell("Bea types the six digits that her telephone shows")
    story.browser.find_element("id", "code").send_keys(story.code())
    story.click("Confirm", "button", "Confirm")
    story.hear("Deploying production", after=mark)
    return mark


def a_log_follows(story, mark):
    story.tell("--- its log follows, over a restart of the server")
    story.sees(f"{LINES}.includes('checking sources') && !{LINES}.includes('checking prices')", "the log's first lines")
    story.tell("the server is killed in the middle of the build (kill -9), and started again")
    story.stage.bot.kill()
    story.stage.bot.start()
    story.sees(f"{LINES}.includes('built')", "the log's last lines")
    lines = story.browser.execute_script(f"return {LINES}").split("\n")
    words = ("checking sources", "checking prices", "built")
    story.must(all(sum(word in line for line in lines) == 1 for word in words),
               f"{len(lines)} lines, none is missing and none comes twice")
    story.sees(f"{PILL} === 'Live'", "Live")
    said = story.hear("Live: production", after=mark)
    story.must("by the page" in text_of(said), "the chat says that @bea approved, by the page")
    story.first = story.runs("production")


def bea_rolls_back(story):
    story.tell("--- the next one, and back")
    change = story.stage.push("main", "good")
    story.tell(f"a colleague pushes {change['after'][:7]} \"{change['subject']}\" to main")
    mark = story.chat.mark()
    story.press(ADA, story.hear("Deploy to production?", change["after"][:7], after=mark, buttons=("Deploy to",)),
                "Deploy to")
    story.press(BEA, story.hear("production", after=mark, buttons=("Approve",), chat=BEA), "Approve")
    story.hear("Live: production", change["after"][:7], after=mark)
    story.must(story.runs("production") == change["after"], "production runs it")
    mark = story.chat.mark()
    story.click("Now", "nav a[href='#/']")
    story.click("production", ".name a", "production")
    story.click("Roll back…", "button", "Roll back…")
    story.click("Roll back", "button", "Roll back")
    story.click("Yes", "button", "Yes")
    story.sees(f"{PILL} === 'Live' || {PILL} === 'Rolled back'", "it is rolled back")
    story.hear("Rolled back: production", after=mark)
    story.must(story.runs("production") == story.first, "production runs what ran before")


def what_is_left(story):
    story.tell("--- what is left")
    done = story.stage.bot.run("audit", "verify")
    story.must(done.returncode == 0, "deploybot audit verify: " + done.stdout.strip().replace("\n", " "))
    by_page = [one["action"] for one in story.stage.bot.audit(by="the page")]
    story.must({"deploy_approval", "rollback_started"} <= set(by_page), "by the page, as the audit says: "
               + ", ".join(by_page))


def play(folder):
    """0: all of it happened."""
    settings = {
        "ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "PRODUCTION_APPROVALS": "1", "CONSOLE": "true",
        "ENABLE_API_SERVER": "true", "PUBLIC_URL": "https://bot.example.org",
        "AUTH_TOKEN_SECRET_FILE": write_private(folder / "auth_token_secret", os.urandom(32).hex()),
        "TOTP_KEY_FILE": write_private(folder / "totp_key", os.urandom(32).hex())}
    stage = Stage(folder, BUILD_SECONDS, settings=settings, start=False)
    stage.telegram_options = ("--local", "--console-url", f"http://127.0.0.1:{stage.http_port}")
    with stage.start(), chromium(folder / "browser") as browser:
        story = Page(stage, browser)
        try:
            bea_has_a_second_factor(story)
            it_opens(story)
            a_log_follows(story, bea_approves(story))
            bea_rolls_back(story)
            what_is_left(story)
        except Exception as problem:  # pylint: disable=broad-exception-caught    # the browser has many of its own
            print(f"the story broke off: {type(problem).__name__}: {problem}", file=sys.stderr)
            print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
            return 1
        story.tell("all of it happened")
        return 0
