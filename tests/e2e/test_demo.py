"""Goal: the demo does what the README says: played by itself, ended by Ctrl-C, and used by a person in
a browser who talks to the real bot."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import signal
import subprocess

import pytest

from browser_aid import chromium, click, complaints, shows, until
from stage import ROOT, Stage, wait_until

DEMO = ["/usr/bin/python3", str(ROOT / "tests" / "demo" / "demo.py")]
STORY_SECONDS = 240
LIVE_SECONDS = 60
STEPS = ("Ada writes /deploy staging", "✓ it went live by itself",
         "✓ the broken release was rolled back", "Ada presses Confirm",
         "✓ /status tells the truth about production", "✓ deploybot audit verify",
         "all of it happened")


def processes_in(folder):
    """What still runs there: applications, servers and stand-ins of a demo that has ended."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace")
            if os.readlink(process / "cwd").startswith(str(folder)) or str(folder) in words:
                found.append(words.replace("\0", " "))
        except OSError:
            continue    # no process, one that is gone, or nobody's business
    return found


@pytest.fixture(name="place")
def _place(tmp_path):
    """An environment in which the demo puts everything into a folder of the test's."""
    return tmp_path, {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}


def test_the_story_happens_from_the_first_step_to_the_last_and_leaves_nothing(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    at = 0
    for step in STEPS:
        assert step in done.stdout[at:], f"{step!r} is missing, or out of order:\n{done.stdout}"
        at = done.stdout.index(step, at)
    assert not list(folder.iterdir())
    assert not processes_in(folder)


def test_ctrl_c_ends_the_demo_with_everything_that_it_started(place):
    folder, environment = place
    with subprocess.Popen(DEMO, env=environment, stdin=subprocess.DEVNULL,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as demo:
        said = ""
        while "Ctrl-C ends it." not in said:
            line = demo.stdout.readline()
            assert line, f"the demo ended by itself:\n{said}"
            said += line
        assert processes_in(folder)
        commands = [line.strip() for line in said.partition("in another terminal")[2].splitlines()[1:4]]
        subprocess.run(["/bin/sh", "-ec", "\n".join(commands)], check=True, env=environment, timeout=60)
        log = next(folder.glob("deploybot-demo-*/deploybot.log"))
        wait_until(lambda: "web: new" in log.read_text("utf-8"), 20, "the second application")
        # As a terminal does: everything in the foreground gets it, the stand-ins too.
        os.killpg(demo.pid, signal.SIGINT)
        rest = demo.stdout.read()
    assert demo.returncode == 0, rest
    assert "Traceback" not in rest, rest
    assert "/deploy staging" in said and "http://127.0.0.1:" in said
    assert not list(folder.iterdir())
    wait_until(lambda: not processes_in(folder), 10, "the end of all processes")


@pytest.fixture(name="stage", scope="module")
def _stage(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("demo") / "stage", 1.0) as made:
        yield made


@pytest.fixture(name="page", scope="module")
def _page(stage, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        browser.get(stage.chat.base)
        until(browser, "document.body.classList.contains('ready')", "the page is ready")
        yield browser


def write(browser, text):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    field = browser.find_element(By.ID, "input")
    field.send_keys(text + " ", Keys.BACKSPACE, Keys.ENTER)


def test_a_person_deploys_staging_in_the_browser_and_sees_it_go_live(stage, page):
    rows = "document.querySelectorAll('#messages .row.theirs').length"
    write(page, "/deploy staging")
    until(page, "[...document.querySelectorAll('.key')].some(k => k.innerText.includes('Cancel'))",
          "a deployment that may be cancelled", LIVE_SECONDS)
    assert page.execute_script(f"return {rows}") == 1
    shows(page, "staging runs", LIVE_SECONDS)
    assert page.execute_script(f"return {rows}") == 1, "the message is edited in place"
    assert stage.app("staging")[0] == 200
    until(page, "document.querySelector('.app.is-up[data-app=staging]')", "staging in the panel")
    click(page, ".key", "📄 Log")
    until(page, "document.querySelector('#messages .document')", "the log as a document",
          LIVE_SECONDS)
    assert not complaints(page)


def test_a_person_is_asked_before_production_and_the_button_decides(stage, page):
    write(page, "/deploy production")
    shows(page, "Deploy to production?", LIVE_SECONDS)
    assert stage.app("production")[0] == 0
    click(page, ".key", "✅ Confirm")
    shows(page, "production runs", LIVE_SECONDS)
    assert stage.app("production")[0] == 200
    assert not complaints(page)
