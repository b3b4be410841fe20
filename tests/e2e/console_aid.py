"""console_aid.py - a server with the page /console/, and a browser on it as wide as a phone or a desk."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import pathlib
import re

import pytest

import mini_app
from browser_aid import chromium, until
from flow_aid import PATIENCE_S
from runner_client import ROOT
from stage import wait_until
from telegram_client import DEFAULT_TOKEN, text_of
from test_flow_factor import FactorScene

PHONE, DESK = (390, 844), (1280, 900)
AXE = pathlib.Path(ROOT) / "build" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
# Answers in the server's place, by how their path begins: the last of them again and again.
FORGED = """const really = window.fetch.bind(window), forged = %s;
window.asked = [];
window.fetch = async (path, options) => {
	window.asked.push(`${options?.method ?? "GET"} ${path}`);
	const found = Object.entries(forged).find(([begin]) => path.startsWith(begin));
	if (!found)
		return really(path, options);
	const { status, after_ms, ...answer } = found[1].length > 1 ? found[1].shift() : found[1][0];
	if (after_ms)
		await new Promise((done) => setTimeout(done, after_ms));
	if (status === 0)
		throw new TypeError("nobody answers");
	return new Response(JSON.stringify(answer), { status, headers: { "Retry-After": status === 429 ? "1" : "" } });
};"""
IDLE = "document.getElementById('main').getAttribute('aria-busy') === 'false'"


class ConsoleScene(FactorScene):
    """People log in to the page by the chat; production needs somebody else's yes."""

    def settings(self):
        found = super().settings()
        found.pop("REQUIRE_OTP")
        return {**found, "CONSOLE": "true", "ENABLE_API_SERVER": "true", "PUBLIC_URL": "https://bot.example.org",
                "AUTH_TOKEN_SECRET": "of-the-console-7Qd2Zk9Lw4Xs-of-the-console", "PRODUCTION_APPROVALS": "1",
                "PRODUCTION_HEALTH_URL": self.health.url("production"), "ROLE_RATE_LIMIT": "0"}

    def code_for(self, who):
        """Of the link that the chat answers with."""
        who.say("/console")
        return re.search(r"#code=([0-9a-f]{32})", text_of(who.hear("Open the console"))).group(1)

    def hold_log(self, first="one"):
        """A deployment that prints a line and waits to be let go."""
        self.scripts.clear("held", "more")
        self.scripts.deploy(f'echo "==> checkout"; echo "{first}"; touch "$here/held"\n'
                            'while [ ! -e "$here/more" ]; do sleep 0.05; done\n'
                            'echo two; echo "==> release"; echo "$2" >"$here/$1.live"; echo three')

    def restart(self):
        assert self.bot.stop() == 0
        self.start_bot()


def size(browser, width, height):
    """What the page has: no window of Chromium is as narrow as a phone."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500})


def open_page(browser, scene, fragment=""):
    """The page, from its beginning; who has logged in in this tab is still logged in."""
    browser.get("about:blank")
    browser.get(f"{scene.bot.base}/console/{fragment}")
    until(browser, IDLE, "the page is there")


def log_in(browser, scene, who):
    open_page(browser, scene, f"#code={scene.code_for(who)}")
    until(browser, "sessionStorage.getItem('deploybot-session') !== null", "a session")


def init_data(person, **more):
    """What Telegram gives to a Mini App that it opens."""
    return mini_app.init_data(DEFAULT_TOKEN, {"id": person, "first_name": "Ada + Bea", "language_code": "en"}, **more)


def shows(browser, text, timeout=PATIENCE_S):
    until(browser, f"document.body.innerText.includes({text!r})", text, timeout)


@contextlib.contextmanager
def forged(browser, answers):
    """Each page that is opened meanwhile is answered so: {"/v1/factor": [{"status": 404, "said": "nothing waits"}]}."""
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FORGED % json.dumps(answers)})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})


def is_readable(browser, name):
    """What axe-core finds of a view, where npm has brought it: nothing."""
    if not AXE.exists():
        return
    if not browser.execute_script("return Boolean(window.axe)"):
        browser.execute_script(AXE.read_text("utf-8"))
    found = browser.execute_async_script("""const done = arguments[arguments.length - 1];
        axe.run().then((all) => done(all.violations.map((one) =>
            `${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`)),
            (error) => done([String(error)]))""")
    assert not found, f"{name}: {found}"


def pictures(browser, folder, name):
    """One of each size, in the light and in the dark; nothing is wider than the screen, and axe-core finds nothing."""
    for (width, height), kind in ((PHONE, "phone"), (PHONE, "phone-dark"), (DESK, "desk-dark"), (DESK, "desk")):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if kind.endswith("dark") else "light"}]})
        size(browser, width, height)
        until(browser, f"innerWidth === {width}", "the size")
        wait_until(lambda: browser.save_screenshot(str(folder / f"{name}-{kind}.png")), PATIENCE_S, "a picture")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} pixels wide on {width}"
        is_readable(browser, f"{name}-{kind}")


@pytest.fixture(name="browser", scope="module")
def _browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture(name="ada", scope="module")
def _ada(scene):
    return scene.admin()


@pytest.fixture(name="inside")
def _inside(scene, browser, ada):
    """Somebody who is logged in, at a desk."""
    size(browser, *DESK)
    open_page(browser, scene)
    if not browser.execute_script("return sessionStorage.getItem('deploybot-session')"):
        log_in(browser, scene, ada)
    browser.get_log("browser")
    return browser
