"""Goal: ten stories of docs/stories.md happen in a browser as wide as a phone, by so many taps and messages, in the
words of tests/fixtures/stories.txt, of which nothing is cut off.

GOLDEN=write makes that file anew: read what has changed in it before it is committed."""
# SPDX-License-Identifier: ISC
import base64
import contextlib
import getpass
import os
import pathlib
import re
import subprocess

import pytest

import sample_app
from browser_aid import chromium, complaints, shows, until
from ssh_aid import Sshd
from stage import ROOT, Stage, free_port, wait_until
from telegram_client import ADA, BEA, CARL, buttons_of, text_of

PATIENCE_S = 60
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
ROW = re.compile(r"\| \d+ \| (.+?) \| (\d+) \| (\d+) \| (\d+) \|")
YES, STOP, BACK, SEEN = "Deploy to production", "Stop", "Roll back", "Seen"
DOCS = ROOT / "docs" / "stories.md"
PROMISED = {title: tuple(map(int, counts)) for title, *counts in ROW.findall(DOCS.read_text("utf-8"))}
LAST = "[...document.querySelectorAll('#messages .row.theirs')].at(-1)"
GOLDEN = ROOT / "tests" / "fixtures" / "stories.txt"
VARIES = ((r"\b[0-9a-f]{7,64}\b", "<commit>"), (r"\b\d\d:\d\d\b", "<clock>"), (r"\b[\d.]+ (ms|s|min)\b", "<time>"))
# What a person with this phone could not read: wider than the screen or than what it stands in, or a label of two
# lines, of which Telegram shows one.
CUT = """const width = document.documentElement.clientWidth, found = [];
const say = (what, node) => found.push(`${what}: ${node.textContent.slice(0, 60)}`);
if (document.documentElement.scrollWidth > width || document.getElementById('scroll').scrollWidth > width)
	found.push('the page scrolls to the side');
for (const node of document.querySelectorAll('#messages .bubble, #messages .body, #messages .key, .composer')) {
	const box = node.getBoundingClientRect();
	if (box.left < 0 || box.right > width)
		say('beyond the screen', node);
	if (node.scrollWidth > node.clientWidth + 4)     /* a block of output reaches into the margin */
		say('cut off', node);
}
for (const key of document.querySelectorAll('#messages .key')) {
	const range = document.createRange();
	range.selectNodeContents(key);
	const tops = [...range.getClientRects()].map((box) => box.top);
	if (Math.max(...tops) - Math.min(...tops) > parseFloat(getComputedStyle(key).fontSize) / 2)
		say('a label of two lines', key);
}
return found;"""


class Phone:
    """One browser, and who holds it; counts what they do and what they are told."""

    def __init__(self, browser, stage, shots):
        self.browser, self.stage, self.shots = browser, stage, shots
        self.typed = self.taps = 0
        self.before = set()
        self.person = ADA
        self.lines = []     # what was typed and tapped in this story

    def begin(self, name="Ada", person=ADA):
        """The story is counted from here on."""
        self.become(name, person)
        self.typed = self.taps = 0
        self.lines = []
        self.before = self.said()

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def become(self, name, person):
        """The telephone of somebody else: no tap of the story."""
        if self.person == person:
            return
        self.script("document.querySelector('[data-show=chats]').click();"
                    "document.querySelector(`.persona[data-user=${arguments[0]}]`).click();"
                    "document.querySelector('[data-show=chat]').click()", name)
        self.person = person
        until(self.browser, f"document.getElementById('acting').innerText.includes('{name}')", name)

    def write(self, text):
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys
        self.browser.find_element(By.ID, "input").send_keys(text + " ", Keys.BACKSPACE, Keys.ENTER)
        self.typed += 1
        self.lines.append(f"types {text}")

    def tap(self, label):
        """The newest button whose label holds this."""
        find = "[...document.querySelectorAll('#messages .key')].filter(k => k.innerText.includes(arguments[0])).at(-1)"
        wait_until(lambda: self.script(f"return Boolean({find})", label), PATIENCE_S, f"a button {label}")
        self.lines.append("taps " + self.script(f"const key = {find}; key.click(); return key.innerText", label))
        self.taps += 1

    def sees(self, *words):
        """The newest message says all of it."""
        def text():
            return self.script(f"return {LAST}?.innerText") or ""
        try:
            wait_until(lambda: all(word in text() for word in words), PATIENCE_S, str(words))
        except TimeoutError:
            assert False, f"{words} are not in: {text()}"

    def said(self):
        """The bot's messages to this person, each once, however often it is edited or sent anew."""
        return {view["message_id"] for view in self.stage.chat.messages(self.person)
                if view["outgoing"] and not view["deleted"]}

    def ends(self, title):
        """Kept as a picture, and by as many words, taps and messages as docs say."""
        number = list(PROMISED).index(title) + 1
        taken = self.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        self.shots.mkdir(parents=True, exist_ok=True)
        (self.shots / f"{number:02}.png").write_bytes(base64.b64decode(taken["data"]))
        with contextlib.suppress(TimeoutError):     # the copy above goes when the one below is there
            wait_until(lambda: len(self.told()) == PROMISED[title][2], 5)
        told = self.told()
        if (self.typed, self.taps, len(told)) != PROMISED[title]:
            pytest.fail("\n---\n".join(
                [f"{title}: {self.typed} typed, {self.taps} taps, {len(told)} messages", *map(text_of, told)]))
        assert not complaints(self.browser)
        assert not (cut := self.script(CUT)), cut
        self.reads(title)

    def told(self):
        """The messages of this story, as they stand now."""
        new = self.said() - self.before
        return sorted((view for view in self.stage.chat.messages(self.person) if view["message_id"] in new),
                      key=lambda view: view["message_id"])

    def reads(self, title):
        """What was done, each message's first line and its buttons are those that were read and found good."""
        def page():
            lines = list(self.lines)
            for view in self.told():
                lines.append("> " + (text_of(view).partition("\n")[0] or "(a document)"))
                lines += [f"  [{label}]" for label in buttons_of(view)]
            text = "\n".join(lines)
            for pattern, word in VARIES:
                text = re.sub(pattern, word, text)
            return text
        if os.environ.get("GOLDEN") == "write":
            kept = {**golden(), title: page()}
            pages = [f"# {name}\n{kept[name]}\n" for name in PROMISED if name in kept]
            GOLDEN.write_text("\n".join(pages), encoding="utf-8")
            return
        try:
            wait_until(lambda: page() == golden().get(title), 10)    # an edit may be on its way
        except TimeoutError:
            pytest.fail(f"{title}: is\n{page()}\n--- and not, as {GOLDEN.name} has it,\n{golden().get(title)}")


def golden():
    """What the file has of each story."""
    text = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    return {title: page.strip("\n") for title, _, page in
            (part.partition("\n") for part in re.split(r"(?m)^# ", text) if part)}


# A unit of systemd stops and starts by systemctl alone; there is no systemd in a test (tests/targets has a real one).
SYSTEMCTL = """#!/bin/sh
case "$*" in
"--no-ask-password --no-pager restart -- web.service") echo again >>"$STAND/restarted" ;;
"--no-pager show -p ActiveState -p SubState --value -- web.service") printf 'active\\nrunning\\n' ;;
*) echo "not asked for: $*" >&2; exit 64 ;;
esac
"""


@pytest.fixture(name="host", scope="module")
def _host(tmp_path_factory):
    """Acme's machine: a real sshd on loopback, on which systemctl is a stand-in."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "systemctl").write_text(SYSTEMCTL, "ascii")
    (folder / "systemctl").chmod(0o755)
    (folder / "sudo").write_text('#!/bin/sh\n[ "$1 $2" = "-n --" ] && shift 2 && exec "$@"\n', "ascii")
    (folder / "sudo").chmod(0o755)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    (folder / "authorized").write_bytes((folder / "key.pub").read_bytes())
    port = free_port()
    sshd = Sshd(folder, [("127.0.0.1", port, {"PATH": f"{folder}:/usr/bin:/bin", "STAND": folder})])
    (folder / "known_hosts").write_text(sshd.known, "ascii")
    yield folder, port
    sshd.done()


def settings_of(folder, port):
    return {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}",
            "CLIENTS": "acme", "CLIENT_ACME_NAME": "Acme Ltd",
            "CLIENT_ACME_HOST": f"{getpass.getuser()}@127.0.0.1:{port}",
            "CLIENT_ACME_SSH_KEY_PATH": str(folder / "key"), "SSH_KNOWN_HOSTS": str(folder / "known_hosts"),
            "CLIENT_ACME_ENVIRONMENT": "staging", "CLIENT_ACME_ACTIONS": "restart-web",
            "CLIENT_ACME_WEB_UNIT": "web.service",
            "ROLE_CONTRACTOR_IDS": str(CARL), "ROLE_CONTRACTOR_MAY": "do.restart-web:client/acme",
            "STAGING_TELEGRAM_IDS": None,
            "POLL_REPOSITORY_SECONDS": "0", "STAGING_ROLLBACK_NAG_MINUTES": "15"}


@pytest.fixture(name="phone", scope="module")
def _phone(host, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stories")
    shots = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD", ROOT / "build")) / "stories"
    with Stage(folder / "stage", 4.0, settings=settings_of(*host)) as stage, \
            chromium(folder, "390,844") as browser:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        browser.get(stage.chat.base)
        until(browser, "document.body.classList.contains('ready')", "the page is ready")
        yield Phone(browser, stage, shots)


def test_docs_tell_ten_stories():
    assert len(PROMISED) == 10 and list(golden()) == list(PROMISED)


@pytest.fixture(name="approvals")
def _approvals(phone):
    """Production needs a second person's yes."""
    bot = phone.stage.bot
    for value in ("1", None):
        bot.stop()
        bot.settings = {**bot.settings, "PRODUCTION_APPROVALS": value} if value else {
            name: kept for name, kept in bot.settings.items() if name != "PRODUCTION_APPROVALS"}
        bot.start()
        if value:
            yield


def commit(phone, branch="develop", kind="good"):
    return sample_app.change(phone.stage.work, branch, kind)


@pytest.mark.long
def test_staging_from_a_phone(phone):
    phone.begin()
    phone.write("/deploy staging")
    phone.sees("Live: staging")
    phone.ends("Staging from a phone")


@pytest.mark.long
def test_production_with_what_changes(phone):
    phone.write("/deploy production")
    phone.tap(YES)
    phone.sees("Live: production")
    sample_app.promote(phone.stage.work)
    phone.begin()
    phone.write("/deploy production")
    phone.sees("Deploy to production?", "Put all three fruits on the front page")
    phone.tap(YES)
    phone.sees("Live: production")
    phone.ends("Production, with what changes")


@pytest.mark.long
def test_a_second_person_approves(phone, approvals):    # pylint: disable=unused-argument
    commit(phone, "main")
    phone.become("Bea", BEA)
    phone.write("/status production")
    phone.sees("production runs")
    phone.begin()
    phone.write("/deploy production")
    phone.tap(YES)
    phone.sees("Awaiting approval")
    phone.become("Bea", BEA)
    phone.tap("Approve")
    phone.sees("pproved", "production")
    phone.become("Ada", ADA)
    shows(phone.browser, "approved by @bea", PATIENCE_S)
    phone.sees("Live: production")
    phone.ends("A second person approves")


@pytest.mark.long
def test_stop_it_now(phone):
    commit(phone)
    phone.begin()
    phone.write("/deploy staging")
    phone.sees("▸ build")
    phone.tap(STOP)
    phone.sees("Stopped: staging")
    phone.ends("Stop it now")


@pytest.mark.long
def test_roll_it_back(phone):
    phone.write("/deploy staging")
    phone.sees("Live: staging")
    phone.begin()
    phone.tap(BACK)
    phone.sees("Roll back staging?")
    phone.tap(BACK)
    phone.sees("Rolled back: staging")
    phone.ends("Roll it back")


@pytest.mark.long
def test_a_contractor_restarts_a_service(phone, host):
    phone.become("Carl", CARL)
    phone.write("/deploy staging")
    phone.sees("No \"staging\" for you. Yours: client/acme")
    phone.begin("Carl", CARL)
    phone.write("/do restart-web acme")
    phone.sees("restart web.service on")
    phone.tap("restart-web client/acme")
    phone.sees("Done: client/acme restart-web")
    assert (host[0] / "restarted").read_text("ascii") == "again\n"
    phone.ends("A contractor restarts a service, and may do nothing else")


@pytest.mark.long
def test_what_runs_where_and_its_health(phone):
    phone.begin()
    phone.write("/status")
    phone.sees("staging runs", "production runs", "healthy")
    phone.ends("What runs where, and its health")


@pytest.mark.long
def test_who_did_that_and_when(phone):
    phone.begin()
    phone.write("/history production")
    phone.sees("production", "live since", "@ada_ops")
    phone.tap("Show")
    phone.sees("production", "requested by @ada_ops", "audit entries")
    phone.ends("Who did that, and when")


@pytest.mark.long
def test_why_did_it_fail(phone):
    commit(phone)
    phone.write("/deploy staging")      # it contains what was rolled back
    phone.tap("Deploy to staging")
    phone.sees("Live: staging")
    commit(phone, kind="build")
    phone.begin()
    phone.write("/deploy staging")
    phone.sees("Build failed: staging")
    shows(phone.browser, "prices.csv: the price of Gravensteiner is not a number: '2.89'", PATIENCE_S)
    phone.tap("Log")
    until(phone.browser, "document.querySelector('#messages .document')", "the log", PATIENCE_S)
    phone.ends("Why did it fail")


@pytest.mark.long
def test_it_was_rolled_back_and_somebody_knows(phone):
    commit(phone, kind="broken")
    phone.begin()
    phone.write("/deploy staging")
    phone.sees("Rolled back: staging")
    phone.tap(SEEN)
    phone.sees("Seen by @ada_ops")
    phone.ends("It was rolled back, and somebody knows")
