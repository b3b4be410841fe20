#!/usr/bin/python3
"""picture.py [FILE] - plays a morning in the demo and takes the README's picture of its chat page.

Wants fonts-noto-color-emoji and fonts-roboto-unhinted, so that it looks as it does on a desktop, and
pngquant to make it small; takes the binaries of `make`, or of $DEPLOYBOT_BUILD.
"""
# SPDX-License-Identifier: ISC
import base64
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("demo", "e2e", "peers"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import sample_app  # noqa: E402
from browser_aid import chromium, shows, until  # noqa: E402
from stage import Stage  # noqa: E402
from story import Story, deploy_staging, push_broken  # noqa: E402
from telegram_client import ADA, buttons_of  # noqa: E402

WIDTH, HEIGHT, SCALE = 1280, 900, 0.88
FONTS = "document.documentElement.style.setProperty('--sans', '\"chat emoji\", Roboto, sans-serif')"


def release_production(story):
    mark = story.chat.mark()
    story.chat.say(ADA, ADA, "/deploy production")
    question = story.hear("Deploy to production?", after=mark, buttons=("Confirm",))
    story.chat.press(ADA, question, next(b for b in buttons_of(question) if "Confirm" in b))
    story.hear("production runs", after=mark)


def play(stage, browser):
    """What stands in the chat when the picture is taken: live, rolled back, and a confirmation."""
    story = Story(stage)
    release_production(story)
    good = deploy_staging(story)
    push_broken(story, good)
    mark = story.chat.mark()
    sample_app.change(stage.work, "main", "good")
    story.hear("Deploy to production?", after=mark, buttons=("Confirm",))
    shows(browser, "since")
    until(browser, "document.querySelectorAll('.app.is-up .app-view iframe').length === 2",
          "both applications in the panel")
    # The list of commits is asked for every two seconds; then both pictures have been painted too.
    until(browser, f"document.querySelector('[data-app=staging] code').textContent === "
          f"'{good[:7]}'", "staging as it runs again")
    until(browser, "document.getAnimations().length === 0", "everything in its place")


def take(browser, target):
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    target.write_bytes(base64.b64decode(shot["data"]))
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--strip", "--quality", "85-100", "--speed", "1",
                        "--output", str(target), str(target)], check=True)


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "chat.png")
    with tempfile.TemporaryDirectory() as folder, \
            Stage(pathlib.Path(folder) / "stage", 2.0, telegram=("--local",)) as stage, \
            chromium(pathlib.Path(folder)) as browser:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": round(WIDTH / SCALE), "height": round(HEIGHT / SCALE),
            "deviceScaleFactor": SCALE, "mobile": False})
        browser.get(stage.chat.base)
        browser.execute_script(FONTS)
        play(stage, browser)
        take(browser, target)
    print(f"{target}: {target.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
