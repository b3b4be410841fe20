"""Goal: the demo does what the README says: played by itself, ended by Ctrl-C, and used by a person in
a browser who talks to the real bot."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest

from browser_aid import chromium, click, complaints, shows, until
from ops_aid import processes_in
from stage import APPLICATIONS, ROOT, Stage, wait_until
from story import WIDTH, brief
from telegram_client import ADA, BEA

DEMO = ["/usr/bin/python3", str(ROOT / "tests" / "demo" / "demo.py")]
STORY_SECONDS = 240
LIVE_SECONDS = 60
STEPS = ("Ada presses shop/staging", "✓ the other application was left alone", "✓ it went live by itself",
         "✓ the broken release was rolled back", "✓ the second application went live by itself",
         "Ada presses Deploy to shop/production", "✓ /status tells the truth about shop/production",
         "✓ /status tells the truth about cider/staging", "✓ deploybot audit verify",
         "all of it happened")


@pytest.fixture(name="place")
def _place(tmp_path):
    """An environment in which the demo puts everything into a folder of the test's."""
    return tmp_path, {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}


def test_what_readme_says_to_press_is_on_the_page_and_a_good_commit_comes_before_a_broken_one():
    """Of an environment that has nothing yet nothing is rolled back."""
    text = (ROOT / "README.md").read_text("utf-8")
    start = text[text.index("Start with **"):text.index("`make demo STORY=1`")]
    labels = re.findall(r"\*\*([^*]+)\*\*", start)
    page = (ROOT / "tests/peers/page/index.html").read_text("utf-8")
    assert labels[:2] == ["Push a good commit", "Push a broken one"] and len(labels) > 4
    assert [label for label in labels if f">{label}</button>" not in page] == []
    said = (ROOT / "tests/demo/demo.py").read_text("utf-8")
    assert "push a broken commit  behind a good one: " in said[said.index("push a good commit "):]


def test_what_a_story_prints_is_cut_between_words():
    text = "🚦 gate: 45f7076\nrun 4711, ended well " + 20 * "https://github.com/octo/shop/actions "
    said = brief(text)
    assert said.startswith("🚦 gate: 45f7076 | run 4711, ended well https://") and len(said) <= WIDTH
    assert said.endswith("https://github.com/octo/shop/actions …") and brief("as it is") == "as it is"


def test_each_story_that_make_plays_is_named_where_people_look():
    demo = (ROOT / "tests/demo/demo.py").read_text("utf-8")
    there = set(re.search(r"(?ms)^STORIES = .*?\}$", demo)[0].split('"')[1::2])
    for page in ("README.md", "docs/stories.md"):
        assert there == set(re.findall(r"STORY=([\w-]+)", (ROOT / page).read_text("utf-8"))), page


@pytest.mark.long
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


@pytest.mark.long
def test_what_was_rolled_back_stays_back_in_each_of_the_four_ways(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "rolled-back-stays-back"], env=environment, stdin=subprocess.DEVNULL,
                          text=True, capture_output=True, timeout=2 * STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("rolled back meanwhile (HTTP 500)") == 6
    assert done.stdout.count("and never HTTP 500") == 5
    for way in "1234":
        assert f"  --- {way}: " in done.stdout
    assert done.stdout.endswith("what was rolled back stayed back\n")
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_pipelines_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "pipelines"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    chapters = re.findall(r"(?m)^ *[0-9.]+ s  --- ([^:]+): ([A-Z_]+)=", done.stdout)
    assert len(chapters) == 7 and chapters[0][0].startswith("a job reports a push"), chapters
    assert "its job is not answered" in done.stdout and "A change" not in done.stdout
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_secrets_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "secrets"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    at = 0
    for step in ("Bea types six digits", "✓ the job reads the password", "✓ its token is dead at Vault",
                 "✓ Ada runs it in her shell", "✓ run again it is refused", "✓ its token is dead, and that user",
                 "✓ deployments go on; the job waits", "✓ the job goes on by itself", "✓ no password and no token"):
        assert step in done.stdout[at:], f"{step!r} is missing, or out of order:\n{done.stdout}"
        at = done.stdout.index(step, at)
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_waves_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "waves"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    for step in ("wave 3 of 3: 30 of 30", "✓ no host was released to twice", "✓ the third wave stopped by itself"):
        assert step in done.stdout, done.stdout
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_archives_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "uploads"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    assert done.stdout.count("✓ staging serves what was sent") == 2 and done.stdout.count("Not deployed: staging") == 6
    assert "✓ rolled back to the first" in done.stdout and "✓ nothing of them stays" in done.stdout
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_who_is_notified_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "told"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=2 * STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    at = 0
    for step in ("✓ mail and status page have nothing", "Discord: ❌ Rolled back",
                 "✓ mail and status page have it, once each", "✓ Slack has none of it",
                 "✓ it gets the 5 that it missed, in order", "✓ the status page has deployment.down",
                 "✓ each id came once", "✓ nobody had to refuse one"):
        assert step in done.stdout[at:], f"{step!r} is missing, or out of order:\n{done.stdout}"
        at = done.stdout.index(step, at)
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_of_the_console_happens(place):
    """Chromium has a socket there, whose path is short."""
    with tempfile.TemporaryDirectory(prefix="console-") as short:
        folder = pathlib.Path(short)
        its_story_happens(folder, {**place[1], "TMPDIR": short})


def its_story_happens(folder, environment):
    done = subprocess.run([*DEMO, "--story", "console"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=2 * STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    at = 0
    for step in ("✓ it is as wide as a phone", "✓ it knows that it is @bea", "✓ that alone starts nothing",
                 "page: the log's first lines", "the server is killed", "none is missing and none comes twice",
                 "✓ the chat says that @bea approved", "✓ production runs what ran before",
                 "✓ by the page, as the audit"):
        assert step in done.stdout[at:], f"{step!r} is missing, or out of order:\n{done.stdout}"
        at = done.stdout.index(step, at)
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_those_who_are_notified_stand_beside_the_chat(tmp_path):
    from elsewhere import WHERE, Elsewhere
    with Elsewhere() as elsewhere, chromium(tmp_path) as browser, Stage(
            tmp_path / "stage", telegram=("--local", "--elsewhere-url", elsewhere.base),
            settings=elsewhere.settings()) as stage:
        elsewhere.peer.down.add("slack")
        browser.get(stage.chat.base)
        stage.chat.say(ADA, ADA, "/deploy staging")
        until(browser, "document.querySelector('[data-where=discord] .told')?.innerText.includes('Live: staging')",
              "what Discord has", LIVE_SECONDS)
        until(browser, "document.querySelector('[data-where=slack].is-broken').innerText.includes('broken; ')", "Slack")
        panels = "return [...document.querySelectorAll('.elsewhere')].map((one) => one.dataset.where)"
        assert browser.execute_script(panels) == list(WHERE)
        assert browser.execute_script("return document.querySelectorAll('[data-where=mail] .told').length") == 0
        assert not complaints(browser)


@pytest.mark.long
def test_the_story_of_two_servers_happens(place):
    folder, environment = place
    done = subprocess.run([*DEMO, "--story", "failover"], env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it happened\n")
    at = 0
    for step in ("server-a leads since ", "server-a is killed: kill -9", "server-b leads ", "bot: ✅ Live: production",
                 "✓ by one run, of the runner build-1", "server-a is gone, or cannot lead; server-b leads since ",
                 "✓ deploybot hand-over, on server-b: server-a leads since ", "✓ deploybot audit verify"):
        assert step in done.stdout[at:], f"{step!r} is missing, or out of order:\n{done.stdout}"
        at = done.stdout.index(step, at)
    assert not list(folder.iterdir())
    assert not processes_in(folder)


@pytest.mark.long
def test_the_story_that_breaks_off_is_a_failure(place):
    """With a Vault that has no role for it nothing can be lent."""
    folder, environment = place
    broken = ("import sys; sys.path[:0] = [sys.argv.pop(1)]; import demo, loans, story, vault;"
              " sys.argv.append('--story=secrets'); vault.Vault.lends = lambda *_: None;"
              " loans.STEP_TIMEOUT_S = story.STEP_TIMEOUT_S = 3; sys.exit(demo.main())")
    done = subprocess.run(["/usr/bin/python3", "-c", broken, str(ROOT / "tests" / "demo")], env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=STORY_SECONDS, check=False)
    assert done.returncode == 1 and "the story broke off: " in done.stderr, done.stdout + done.stderr
    assert "all of it happened" not in done.stdout
    assert not list(folder.iterdir())


@pytest.mark.long
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
        log = next(folder.glob("deploybot-demo-*/deploybot.log"))
        (home,) = folder.glob("deploybot-demo-*")
        os.kill(int((home / "deploybot.pid").read_text("ascii")), signal.SIGKILL)
        while (line := demo.stdout.readline()) != "deploybot was killed: it is started again\n":
            assert not line.strip(), line
        wait_until(lambda: log.read_text("utf-8").count(" ready: ") == 2, 20, "the server once more")
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
    with Stage(tmp_path_factory.mktemp("demo") / "stage", 1.0, settings={"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}"},
               applications=APPLICATIONS) as made:
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


@pytest.mark.long
def test_a_person_deploys_staging_in_the_browser_and_sees_it_go_live(stage, page):
    rows = "document.querySelectorAll('#messages .row.theirs').length"
    write(page, "/deploy shop/staging")
    until(page, "[...document.querySelectorAll('.key')].some(k => k.innerText.includes('Stop'))",
          "a deployment that may be cancelled", LIVE_SECONDS)
    assert page.execute_script(f"return {rows}") == 1
    shows(page, "Live: shop/staging", LIVE_SECONDS)
    assert page.execute_script(f"return {rows}") == 1, "the message is edited in place"
    assert stage.app("shop/staging")[0] == 200
    until(page, "document.querySelector('.app.is-up[data-app=\\'shop/staging\\']')", "staging in the panel")
    click(page, ".key", "📄 Log")
    until(page, "document.querySelector('#messages .document')", "the log as a document",
          LIVE_SECONDS)
    assert not complaints(page)


@pytest.mark.long
def test_a_person_is_asked_before_production_and_the_button_decides(stage, page):
    write(page, "/deploy shop/production")
    shows(page, "Deploy to shop/production?", LIVE_SECONDS)
    assert stage.app("shop/production")[0] == 0
    click(page, ".key", "🚀 Deploy to shop/production")
    shows(page, "Live: shop/production", LIVE_SECONDS)
    assert stage.app("shop/production")[0] == 200
    assert not complaints(page)


@pytest.mark.long
def test_a_person_who_kills_the_server_in_the_middle_sees_it_go_on(stage, page):
    change = stage.push("develop", "good")
    until(page, "[...document.querySelectorAll('.key')].some(k => k.innerText.includes('Stop'))",
          "a deployment that may be cancelled", LIVE_SECONDS)
    click(page, "#kill")
    assert stage.bot.process.wait(LIVE_SECONDS) == -signal.SIGKILL
    stage.bot.start()
    rows = "[...document.querySelectorAll('#messages .row.theirs')].at(-1).innerText"
    until(page, f"{rows}.includes('Live: shop/staging') && {rows}.includes('{change['after'][:7]}')",
          "what was deploying is live", LIVE_SECONDS)
    click(page, "#kill")
    assert stage.bot.process.wait(LIVE_SECONDS) == -signal.SIGKILL
    click(page, "#kill")
    until(page, "document.getElementById('toasts').innerText.includes('not running')", "that nobody is there")
    assert len(complaints(page)) == 1, "the refused kill alone"
    stage.bot.start()


def newest(words):
    """JavaScript: the bot's newest message says all of it."""
    rows = "([...document.querySelectorAll('#messages .row.theirs')].at(-1)?.innerText ?? '')"
    return " && ".join(f"{rows}.includes({word!r})" for word in words)


def is_confirmed_until(page, words, what):
    """Where git was asked before a commit was blocked and answers behind that, the newer one is asked about."""
    asked = newest(["Deploy to cider/staging?"])
    until(page, f"({newest(words)}) || ({asked})", what, LIVE_SECONDS)
    if page.execute_script(f"return Boolean({asked})"):
        click(page, ".key", "🚀 Deploy to cider/staging")
    until(page, newest(words), what, LIVE_SECONDS)


def sent_by(stage):
    return [call for call in stage.chat.calls("sendMessage") if call["status"] == 200]


@pytest.mark.long
def test_a_person_who_unplugs_telegram_is_answered_when_it_is_back(stage, page):
    click(page, "#unplug")
    until(page, "document.getElementById('fault-note').innerText.includes('20 s')", "what was done")
    sent = len(sent_by(stage))
    write(page, "/status shop/production")
    shows(page, "/status shop/production")
    assert len(sent_by(stage)) == sent
    until(page, newest(["shop/production runs"]), "the answer", LIVE_SECONDS)


@pytest.mark.long
def test_each_button_of_the_second_application_breaks_what_it_says_and_nothing_of_the_one_before(stage, page):
    click(page, "#applications .segment", "cider")
    until(page, "document.querySelector('#applications .segment[aria-selected=true]').innerText === 'cider'", "cider")
    before = stage.app("shop/staging")
    click(page, ".action.good")
    until(page, newest(["Live: cider/staging"]), "the second application", LIVE_SECONDS)
    for kind, words in (("broken", ["Rolled back: cider/staging", "HTTP 500"]),
                        ("build", ["Build failed: cider/staging", "nothing was changed"]),
                        ("crash", ["Rolled back: cider/staging", "faster"])):
        click(page, f"[data-kind={kind}]")
        is_confirmed_until(page, words, kind)
    click(page, ".action.good")
    is_confirmed_until(page, ["Live: cider/staging"], "a good one behind three bad ones")
    assert stage.app("shop/staging") == before
    names = page.execute_script("return [...document.querySelectorAll('.app')].map((card) => card.dataset.app)")
    assert names == ["shop/staging", "shop/production", "cider/staging", "cider/production"]
    assert not complaints(page)


@pytest.mark.long
def test_a_second_admin_confirms_what_the_first_one_asked_for(stage, page):
    write(page, "/deploy cider/production")
    shows(page, "Deploy to cider/production?", LIVE_SECONDS)
    click(page, ".persona[data-user=Bea]")
    until(page, "document.getElementById('acting').innerText.includes('Bea')", "Bea")
    write(page, "/deploy cider/production")
    shows(page, "Deploy to cider/production?", LIVE_SECONDS)
    click(page, ".key", "🚀 Deploy to cider/production")
    shows(page, "Live: cider/production", LIVE_SECONDS)
    assert stage.app("cider/production")[0] == 200
