"""Goal: the page /console/ in a real browser, on a phone and on a desk: a login by the chat, what runs where, a log
that follows over a restart, a yes with six digits, and text from outside that stays text."""
# SPDX-License-Identifier: ISC
import gzip
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

import sample_app
from browser_aid import click, complaints, until, wait
from console_aid import _ada, _browser, _inside  # noqa: F401  pylint: disable=unused-import
from console_aid import DESK, PHONE, ConsoleScene, init_data, open_page, pictures, shows, size
from service_aid import RUNNER
from stage import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

FILES = {"": "text/html", "console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors https://web.telegram.org https://*.web.telegram.org; "
          "require-trusted-types-for 'script'")
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
BIDI = "\u202egnp.exe"
LINES = "document.querySelector('.lines').innerText"


@pytest.fixture(name="scene", scope="module")
def _scene():
    made = ConsoleScene()
    yield made
    made.close()


def get(scene, name, **headers):
    asked = urllib.request.Request(f"{scene.bot.base}/console/{name}", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def test_each_file_comes_with_all_headers_and_once(scene):
    whole = compressed = 0
    for name, kind in FILES.items():
        status, headers, body = get(scene, name)
        assert status == 200 and headers["Content-Type"].split(";")[0] == kind
        assert headers["Content-Security-Policy"] == POLICY and headers["X-Frame-Options"] is None
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["Cache-Control"]) == (
            "nosniff", "no-referrer", "no-cache")
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        compressed += len(body)
        whole += len(gzip.decompress(body))
        again, same, nothing = get(scene, name, **{"If-None-Match": headers["ETag"]})
        assert (again, nothing, same["ETag"]) == (304, b"", headers["ETag"])
        assert same["Content-Security-Policy"] == POLICY
        assert get(scene, name, **{"If-None-Match": '"another"'})[0] == 200
    assert whole <= 60 * 1024 and compressed <= 30 * 1024
    for name in ("x", "console.js/", "console.js.gz", "../v1/me", "%2e%2e/metrics", "index.html"):
        assert get(scene, name)[0] == 404, name


def test_the_page_and_its_login_are_off_until_the_settings_say_so(scene):
    scene.bot.stop()
    scene.start_bot()
    scene.bot.stop()
    scene.bot.settings["CONSOLE"] = "false"
    scene.bot.start()
    try:
        assert get(scene, "")[0] == 404
    finally:
        scene.restart()


def test_a_link_of_the_chat_logs_in_once_and_leaves_nothing_in_the_address(scene, browser, ada, tmp_path):
    size(browser, *PHONE)
    open_page(browser, scene)
    shows(browser, "Sign in from the chat")
    pictures(browser, tmp_path, "login")
    code = scene.code_for(ada)
    open_page(browser, scene, f"#code={code}")
    until(browser, "document.getElementById('name').textContent !== ''", "who it is")
    assert code not in browser.current_url
    assert not browser.execute_script("return document.cookie + (localStorage.length || '')")
    click(browser, "#leave")
    shows(browser, "You have signed out")
    assert browser.execute_script("return sessionStorage.length") == 0
    browser.get_log("browser")
    open_page(browser, scene, f"#code={code}")
    shows(browser, "Sign in from the chat")
    until(browser, "document.querySelector('[role=alert].said') !== null", "why not")
    assert browser.execute_script("return sessionStorage.length") == 0


def test_telegrams_button_logs_in_and_opens_what_its_link_names(scene, browser, ada):
    scene.scripts.reset()
    scene.release()
    signed = init_data(ada.number, start_param="w1")
    open_page(browser, scene)
    browser.execute_script("sessionStorage.clear()")
    browser.get_log("browser")
    open_page(browser, scene, f"?tgWebAppStartParam=w1#tgWebAppData={urllib.parse.quote(signed)}&tgWebAppVersion=8.0"
              "&tgWebAppPlatform=ios")      # as from t.me/BOT?startapp=w1
    until(browser, "document.querySelector('h1 + .pill')?.textContent === 'Live'", "its work")
    assert browser.current_url == f"{scene.bot.base}/console/#w1"
    assert complaints(browser) == []


def test_what_runs_where_is_shown_and_who_keeps_it_locked(scene, inside, ada, tmp_path):
    scene.scripts.reset()
    scene.release()
    ada.say("/lock staging for the demo at four")
    ada.hear("ocked")
    open_page(inside, scene)
    shows(inside, "Healthy")
    until(inside, "[...document.querySelectorAll('article')].some(card => card.innerText.includes('staging') && "
                  "card.innerText.includes('Live') && card.innerText.includes('for the demo at four'))", "its card")
    pictures(inside, tmp_path, "now")
    scene.health.answers["production"] = (500, {"status": "down"})
    ada.say("/unlock staging")
    open_page(inside, scene)
    shows(inside, "1 of 2 needs a look")
    pictures(inside, tmp_path, "ill")
    scene.health.answers.pop("production")
    size(inside, *DESK)
    click(inside, ".name a", "staging")
    shows(inside, "What is live")
    shows(inside, "Latest")
    pictures(inside, tmp_path, "place")
    click(inside, "nav a", "History")
    until(inside, "document.querySelectorAll('.list li').length > 0", "its history")
    pictures(inside, tmp_path, "history")
    assert complaints(inside) == []


def deploy_held(scene, first="one"):
    scene.hold_log(first)
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Deploying staging")
    wait_until((scene.scripts.folder / "held").exists, 60, "the script's first line")
    return scene.bot_rows("SELECT MAX(id) FROM work")[0][0]


def test_a_log_follows_line_by_line_over_a_restart_of_the_server(scene, inside, tmp_path):
    scene.commit()
    work = deploy_held(scene)
    open_page(inside, scene, f"#w{work}")
    until(inside, f"{LINES}.includes('one') && !{LINES}.includes('two')", "the first line")
    pictures(inside, tmp_path, "running")
    size(inside, *DESK)
    scene.restart()
    scene.scripts.touch("more")
    until(inside, f"{LINES}.includes('three')", "the last line")
    until(inside, "document.querySelector('h1 + .pill').textContent === 'Live'", "the end")
    until(inside, "document.getElementById('said').textContent.includes('Live')", "the end is said")
    assert inside.execute_script(f"return {LINES}").split("\n").count("one") == 1     # and nothing twice
    pictures(inside, tmp_path, "log")


def push(scene, subject):
    """git takes no repository of another user: it is ours as long as we push."""
    sample_app.check_out(scene.work, "develop")
    sample_app.write(scene.work, "odd.txt", subject[:40])
    sample_app.commit(scene.work, "joon", subject)
    subprocess.run(["chown", "-R", "0", str(scene.repository)], check=True)
    sample_app.git(scene.work, "push", "-q", "origin", "develop")
    subprocess.run(["chown", "-R", str(RUNNER), str(scene.repository)], check=True)


def test_markup_from_outside_is_text_in_every_field(scene, inside, tmp_path):
    push(scene, f"{MARKUP} {BIDI} " + "long" * 4000)
    who = scene.admin()
    scene.chat.act("users", user_id=who.number, first_name=MARKUP, username="odd")
    scene.scripts.deploy(f"echo '==> <b>step'; echo '{MARKUP}'; echo '==> warning {MARKUP}'\n"
                         'echo "==> release"; echo "$2" >"$here/$1.live"')
    who.say("/deploy staging")
    who.hear("Live: staging")
    who.say(f"/lock staging {MARKUP}")
    who.hear("ocked")
    work = scene.bot_rows("SELECT MAX(id) FROM work")[0][0]
    open_page(inside, scene, f"#w{work}")
    until(inside, f"{LINES}.includes('<script>alert(2)')", "the log")
    shows(inside, MARKUP)
    pictures(inside, tmp_path, "odd-work")
    for fragment in ("#/", "#/history", "#/at/staging", "#/approvals", "#/at/<img%20src=x>", "#w<b>"):
        open_page(inside, scene, fragment)
        assert not inside.execute_script("return document.querySelectorAll('main img, main script').length")
    open_page(inside, scene)
    until(inside, f"[...document.querySelectorAll('.notes li')].some(n => n.innerText.includes({MARKUP!r}))", "a lock")
    pictures(inside, tmp_path, "odd-now")
    assert not [said for said in complaints(inside) if "Content Security" in said["message"]]
    who.say("/unlock staging")
    who.hear("nlocked")


FORGED = """const real = window.fetch;
window.fetch = async (path, ...words) => {
    const answer = await real(path, ...words);
    if (!String(path).startsWith("/v1/run/"))
        return answer;
    const piece = await answer.json();
    if (piece.text)
        piece.text = "\\u001b[31mred\\u001b[0m \\u001b]8;;https://evil.example\\u0007a link\\u001b]8;;\\u001b\\\\ " +
            "\\u202ebidi \\ud83d \\ud83d\\ude80\\n10%\\r20%\\r99%\\u0000\\n";
    return new Response(JSON.stringify(piece));
};"""


def test_a_log_that_a_server_let_through_as_it_is_shows_no_escapes_and_nothing_unseen(scene, inside):
    """The server cleans a log; the page does not rely on that."""
    scene.scripts.reset()
    scene.release()
    work = scene.bot_rows("SELECT MAX(id) FROM work")[0][0]
    added = inside.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FORGED})
    try:
        open_page(inside, scene, f"#w{work}")
        until(inside, f"{LINES}.includes('bidi')", "the log")
        assert inside.execute_script(f"return {LINES}").split("\n")[:2] == [
            "red a link U+202Ebidi \ufffd \U0001f680", "99%U+0000"]
    finally:
        inside.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})


def test_a_yes_needs_six_digits_and_the_chat_shows_it(scene, inside, ada, tmp_path):
    secret, _ = scene.enrol(ada.number)
    other = scene.admin()
    scene.scripts.reset("production")
    other.say("/deploy production")
    other.press(other.hear("Deploy to production?", buttons=("Deploy to production",)), "Deploy to production")
    open_page(inside, scene, "#/approvals")
    until(inside, "document.querySelector('.list a')?.innerText.includes('Needs approval')", "what waits")
    pictures(inside, tmp_path, "approvals")
    size(inside, *DESK)
    click(inside, ".list a")
    click(inside, "button", "Approve")
    until(inside, "document.getElementById('code') !== null", "the six digits")
    pictures(inside, tmp_path, "code")
    size(inside, *PHONE)
    from selenium.webdriver.common.keys import Keys
    field = inside.find_element("id", "code")
    field.send_keys("000000", Keys.ENTER)
    until(inside, "document.querySelector('form [role=alert]') !== null || "
                  "document.querySelector('.said.ill') !== null", "a wrong code is refused")
    if not inside.execute_script("return document.getElementById('code') !== null"):
        click(inside, "button", "Approve")
        until(inside, "document.getElementById('code') !== null", "the six digits once more")
    inside.find_element("id", "code").send_keys(scene.code(secret), Keys.ENTER)
    until(inside, "document.querySelector('h1 + .pill').textContent === 'Live'", "it is live")
    other.hear("Live: production")
    pictures(inside, tmp_path, "approved")
    click(inside, "nav a", "Audit")
    until(inside, "document.querySelector('.list')?.innerText.includes('deploy_approval')", "the audit")
    pictures(inside, tmp_path, "audit")


def test_it_is_used_by_keyboard_and_read_aloud(scene, inside):
    from selenium.webdriver.common.keys import Keys
    size(inside, *DESK)
    open_page(inside, scene)
    body = inside.find_element("tag name", "body")
    reached = []
    for _ in range(12):
        body.send_keys(Keys.TAB)
        reached.append(inside.execute_script("return document.activeElement.textContent.trim()"))
    assert reached[0] == "Skip to the content" and {"Now", "Approvals", "History", "staging"} <= set(reached), reached
    assert inside.execute_script("""return [...document.querySelectorAll('input, select, button, a')]
        .filter(node => node.checkVisibility() && !(node.labels?.length || node.ariaLabel || node.textContent.trim() ||
            node.getAttribute('aria-label'))).length""") == 0
    assert inside.execute_script("return document.querySelectorAll('h1').length") == 1
    assert inside.execute_script("return document.getElementById('said').getAttribute('aria-live')") == "polite"
    wait(inside, lambda driver: driver.title == "Now · deploybot", "the title")
