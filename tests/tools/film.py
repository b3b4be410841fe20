#!/usr/bin/python3
"""film.py [FILE] - a minute of the demo as an animated WebP: a broken push is rolled back by itself; /deploy production
shows the commits, and a second person approves.

Each frame is a screenshot of the demo's page, taken when it looks other than before; how long one is shown is written
into the file, so nothing here waits for the eye.  `make picture` installs what it wants.
"""
# SPDX-License-Identifier: ISC
import base64
import pathlib
import subprocess
import sys
import tempfile
import time

from picture import FONTS, ROOT
import sample_app
from browser_aid import chromium, click, until
from stage import Stage
from story import Story
from telegram_client import ADA, BEA, buttons_of, text_of

WIDTH, HEIGHT, SCALE = 780, 840, 1.5
LIMIT, LONG_MS = 2_000_000, 60_000
STEP_MS, READ_MS, LOOK_MS = 600, 6500, 2800     # while something happens; to read what it came to; to see where
PATIENCE_S = 60
CAPTION = """const old = document.getElementById('caption'), node = old ?? document.createElement('div');
node.id = 'caption';
node.textContent = arguments[0];
Object.assign(node.style, {position: 'fixed', left: '0', right: '0', bottom: '0', padding: '11px 20px', zIndex: '99',
    background: '#16233a', color: '#fff', fontSize: '19px', fontWeight: '600', textAlign: 'center'});
document.body.append(node);
document.body.style.paddingBottom = '60px';"""
# Of the page what the film is about; of a message that is longer than the screen its beginning.
QUIET = """for (const one of document.querySelectorAll('.people section:has(.chats), .card:has(#kill), .more, .note'))
    one.style.display = 'none';"""
LOOK = """const box = document.getElementById('scroll'), last = [...document.querySelectorAll('#messages .row')].at(-1);
box.scrollTop = 1e6;
if (last && last.offsetHeight > box.clientHeight)
    last.scrollIntoView({block: 'start'});"""
NEWEST = "([...document.querySelectorAll('#messages .row.theirs')].at(-1)?.innerText ?? '')"


class Film:
    def __init__(self, browser):
        self.browser, self.frames, self.last = browser, [], ""

    def shoot(self, shown_ms=STEP_MS):
        """The page as it is now, where it is another one than before; else that one is shown for longer."""
        self.browser.execute_script(LOOK)
        picture = self.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        if picture != self.last:
            self.frames.append([picture, 0])
        self.last = picture
        self.frames[-1][1] += shown_ms

    def caption(self, text):
        self.browser.execute_script(CAPTION, text)

    def until(self, condition, what):
        """All that is to be seen until it is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.browser.execute_script(f"return Boolean({condition})"):
            before = self.last
            self.shoot(0)
            if self.last != before:
                self.frames[-1][1] = STEP_MS
            if time.monotonic() > end:
                raise TimeoutError(what)

    def has(self, *words):
        self.until(" && ".join(f"{NEWEST}.includes({word!r})" for word in words), words)

    def says(self, text):
        field = self.browser.find_element("id", "input")
        for letter in text:
            field.send_keys(letter)
            self.shoot(70)
        self.shoot(STEP_MS)
        click(self.browser, ".send")

    def press(self, words):
        label = self.browser.execute_script(
            "return [...document.querySelectorAll('.key')].map((one) => one.textContent)"
            f".findLast((text) => text.includes({words!r}))")
        self.browser.execute_script(
            "[...document.querySelectorAll('.key')].findLast(k => k.textContent === arguments[0]).click()", label)

    def write(self, folder, target):
        """In all it is a minute."""
        factor = LONG_MS / sum(shown_ms for _, shown_ms in self.frames)
        words = ["-loop", "0", "-lossy", "-q", "78", "-m", "4"]
        for number, (picture, shown_ms) in enumerate(self.frames):
            path = folder / f"{number:04}.png"
            path.write_bytes(base64.b64decode(picture))
            words += ["-d", str(round(shown_ms * factor)), str(path)]
        subprocess.run(["img2webp", *words, "-o", str(target)], check=True, stdout=subprocess.DEVNULL)
        return factor


def prepare(story):
    """Production runs an older release; what is newer has run on staging, which then got a commit of its own."""
    chat = story.chat

    def live(who, text, press, approve=False):
        mark = chat.mark()
        chat.say(who, who, text)
        if press:
            view = chat.wait_for_message(lambda m: any(press in one for one in buttons_of(m)), PATIENCE_S, who, mark)
            chat.press(who, view, next(one for one in buttons_of(view) if press in one))
        if approve:
            view = chat.wait_for_message(
                lambda m: any("Approve" in one for one in buttons_of(m)), PATIENCE_S, ADA, mark)
            chat.press(ADA, view, next(one for one in buttons_of(view) if "Approve" in one))
        chat.wait_for_message(lambda m: "Live: " in text_of(m) and "took" in text_of(m), PATIENCE_S, who, mark)
    live(BEA, "/deploy production", "Deploy to", approve=True)
    for _ in range(3):
        sample_app.change(story.stage.work, "main", "good")     # nobody delivers that
    live(BEA, "/deploy staging main", None)
    mark = chat.mark()
    story.stage.push("develop", "good")
    chat.wait_for_message(lambda m: "Live: staging" in text_of(m) and "took" in text_of(m), PATIENCE_S, ADA, mark)


def a_broken_push(film):
    film.caption("Your team's chat, your repository, your servers")
    film.shoot(LOOK_MS)
    film.caption("A colleague pushes a broken commit")
    film.shoot(LOOK_MS)
    click(film.browser, ".action.bad")
    film.has("Deploying staging")
    film.caption("It is built and started … and answers HTTP 500")
    film.has("Rolled back: staging")
    film.caption("Rolled back by itself: what ran before serves again")
    film.until("document.querySelector('.app[data-app=staging].is-up')", "staging in the panel")
    film.shoot(READ_MS)


def a_release_for_two(film):
    film.caption("Ada asks for production")
    click(film.browser, "#branches .segment", "main")
    film.says("/deploy production")
    film.has("Deploy to production?")
    film.caption("It shows the commits that would go there, and asks")
    film.shoot(READ_MS + 1000)
    film.press("Deploy to")
    film.has("Awaiting approval")
    film.caption("Production needs a second person")
    film.shoot(LOOK_MS)
    click(film.browser, ".persona[data-user=Bea]")
    film.has("Awaiting approval")
    film.caption("Bea reads the same on her phone, and approves")
    film.shoot(READ_MS - 1000)
    film.press("Approve")
    film.until(f"!{NEWEST}.includes('Awaiting approval')", "an approval")
    click(film.browser, ".persona[data-user=Ada]")
    film.has("Deploying production")
    film.has("Live: production")
    film.caption("Live: this very commit answers, and it is healthy")
    film.until("document.querySelector('.app[data-app=production].is-up')", "production in the panel")
    film.shoot(READ_MS)


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "demo.webp").resolve()
    settings = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "PRODUCTION_APPROVALS": "1", "GITHUB_REPOSITORY": "orchard/shop"}
    with tempfile.TemporaryDirectory() as name, \
            Stage(pathlib.Path(name) / "stage", 2.0, settings=settings, deliver=True) as stage, \
            chromium(pathlib.Path(name), f"{WIDTH},{HEIGHT}") as browser:
        prepare(Story(stage))
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": False})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-reduced-motion", "value": "reduce"}]})
        browser.get(stage.chat.base)
        browser.execute_script(FONTS)
        until(browser, "document.body.classList.contains('ready') && document.fonts.status === 'loaded'", "the page")
        until(browser, "document.querySelectorAll('.app.is-up').length === 2", "both in the panel")
        browser.execute_script(QUIET)
        film = Film(browser)
        a_broken_push(film)
        a_release_for_two(film)
        factor = film.write(pathlib.Path(name), target)
    size = target.stat().st_size
    print(f"{target}: {size // 1024} kB, {len(film.frames)} frames, each shown {factor:.2f} times as long as meant")
    return 0 if size <= LIMIT else f"{target} is larger than {LIMIT // 1000} kB"


if __name__ == "__main__":
    sys.exit(main())
