#!/usr/bin/python3
"""picture.py [FILE] - takes the README's picture: two phones, a question before production and what became of it.

Each is the demo's chat page in a Chromium of a phone's size, played by the real server; what stands around them is a
page of its own.  `make picture` installs what it wants; it takes the binaries of `make`, or of $DEPLOYBOT_BUILD.
"""
# SPDX-License-Identifier: ISC
import base64
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("demo", "e2e", "peers"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import sample_app  # noqa: E402
from browser_aid import chromium, shows, until  # noqa: E402
from stage import Stage, wait_until  # noqa: E402
from story import Story  # noqa: E402
from telegram_client import ADA, BEA, buttons_of, text_of  # noqa: E402

WIDTH, HEIGHT, SCALE = 390, 844, 2
PAGE_WIDTH, PAGE_HEIGHT, PAGE_SCALE = 920, 910, 1.5
LIMIT = 300_000
AGE_S = int(os.environ.get("AGE_S", "125"))     # of what runs on staging by then
FONTS = "document.documentElement.style.setProperty('--sans', '\"chat emoji\", Roboto, sans-serif')"
PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;width:{width}px;height:{height}px;display:flex;justify-content:center;align-items:center;gap:56px;
 background:linear-gradient(160deg,#e9edf8,#dde3f3);position:relative}}
.phone{{width:380px;height:822px;border:9px solid #20242e;border-radius:52px;overflow:hidden;background:#fff;
 box-shadow:0 22px 50px #1e325038;box-sizing:content-box}}
img{{width:380px;height:822px;display:block}}
.arrow{{position:absolute;left:50%;top:50%;margin:-20px;width:40px;height:40px;border-radius:50%;background:#3d7be8;
 display:grid;place-items:center;box-shadow:0 4px 14px #1e325040}}
</style><div class="phone"><img src="data:image/png;base64,{first}"></div>
<div class="phone"><img src="data:image/png;base64,{second}"></div>
<div class="arrow"><svg width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="#fff" stroke-width="2.6"
 stroke-linecap="round" stroke-linejoin="round"><path d="M4 12h15M13 6l6 6-6 6"/></svg></div>"""


def ask(story, person, text, *words, press=None):
    """Writes it and waits for the answer that has these words; the answer."""
    mark = story.chat.mark()
    story.chat.say(person, person, text)
    view = story.chat.wait_for_message(lambda m: all(word in text_of(m) for word in words), 120, chat_id=person,
                                       after=mark)
    if press:
        story.chat.press(person, view, next(label for label in buttons_of(view) if press in label))
    return view


def live(story, person, environment, mark):
    story.chat.wait_for_message(lambda m: f"Live: {environment}" in text_of(m) and "took" in text_of(m), 120,
                                chat_id=person, after=mark)


def prepare(story):
    """What a colleague has done by then: production has a release, two newer commits have run on staging a while."""
    mark = story.chat.mark()
    ask(story, BEA, "/deploy production", "Deploy to production?", press="Deploy to")
    live(story, BEA, "production", mark)
    for _ in range(2):
        sample_app.change(story.stage.work, "main", "good")
    mark = story.chat.mark()
    story.chat.say(BEA, BEA, "/deploy staging main")
    live(story, BEA, "staging", mark)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + AGE_S, AGE_S + 10, "a release that is not of this very moment")


def open_phone(browser, url):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": True})
    browser.get(url)
    browser.execute_script(FONTS)
    until(browser, "document.body.classList.contains('ready')", "the page is ready")


def screenshot(browser):
    until(browser, "document.fonts.status === 'loaded' && document.getAnimations().every("
          "(one) => one.playState === 'finished')", "a page at rest")
    browser.execute_script("document.getElementById('scroll').scrollTop = 1e6")
    return browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]


def compose(browser, first, second, target):
    """Both pictures beside each other, in as few bytes as go unnoticed."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": PAGE_WIDTH, "height": PAGE_HEIGHT, "deviceScaleFactor": PAGE_SCALE, "mobile": False})
    page = target.with_suffix(".html")
    page.write_text(PAGE.format(width=PAGE_WIDTH, height=PAGE_HEIGHT, first=first, second=second), "ascii")
    try:
        browser.get(page.as_uri())
        until(browser, "[...document.images].every((image) => image.complete && image.naturalWidth)", "both pictures")
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    finally:
        page.unlink()
    target.write_bytes(base64.b64decode(shot["data"]))
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--strip", "--quality", "70-100", "--speed", "1",
                        "--output", str(target), str(target)], check=True)


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "chat.png").resolve()
    settings = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "TELEGRAM_CHAT_ID": str(BEA), "POLL_REPOSITORY_SECONDS": "0"}
    with tempfile.TemporaryDirectory() as folder, \
            Stage(pathlib.Path(folder) / "stage", 2.0, settings=settings) as stage, \
            chromium(pathlib.Path(folder), f"{WIDTH},{HEIGHT}") as browser:
        story = Story(stage)
        prepare(story)
        open_phone(browser, stage.chat.base)
        question = ask(story, ADA, "/deploy production", "Deploy to production?", "ran on staging")
        shows(browser, "Deploy to production?")
        first = screenshot(browser)
        mark = stage.chat.mark()
        stage.chat.press(ADA, question, next(label for label in buttons_of(question) if "Deploy to" in label))
        live(story, ADA, "production", mark)
        shows(browser, "Live: production")
        second = screenshot(browser)
        compose(browser, first, second, target)
    size = target.stat().st_size
    print(f"{target}: {size // 1024} kB")
    return 0 if size <= LIMIT else f"{target} is larger than {LIMIT // 1000} kB"


if __name__ == "__main__":
    sys.exit(main())
