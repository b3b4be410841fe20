"""Goal: the page draws how often and how well was deployed, opens what stands behind each point, shows the secret of a
second factor once, and claims nothing that the server has not done."""
# SPDX-License-Identifier: ISC
import os
import random
import urllib.parse

import pytest

import authenticator
from browser_aid import click, complaints, until
from console_aid import _ada, _browser, _inside  # noqa: F401  pylint: disable=unused-import
from console_aid import DESK, ConsoleScene, forged, init_data, log_in, open_page, pictures, shows, size

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

BARS = """return [...document.querySelectorAll(".chart")].map((chart) => [...chart.querySelectorAll("g")].map((bar) =>
    [bar.querySelector("title").textContent, Number(bar.querySelectorAll("rect")[1].getAttribute("height"))]))"""
LINES = """return [...document.querySelectorAll(".wide tr")].map((line) =>
    [...line.children].map((cell) => cell.textContent))"""
KEYS = ("deployments", "change_failure_rate", "lead_time_median_s", "lead_time_p90_s", "time_to_restore_median_s")


def figure(n, failures=0, lead=None, restore=None):
    return {"deployments": n, "failures": failures, "change_failure_rate": failures / n if n else None,
            "lead_time_median_s": lead, "lead_time_p90_s": lead and 3 * lead, "without_lead_time": 0,
            "time_to_restore_median_s": restore}


WEEKS = [{"from": "2026-06-29", **figure(4, 1, 3600, 0), "work": [1]}, {"from": "2026-07-06", **figure(0), "work": []},
         {"from": "2026-07-13", **figure(12, 0, 90000), "work": [1]},
         {"from": "2026-07-20", **figure(6, 3, 540, 1260), "work": [1]}]
FIGURES = {"status": 200, "from": "2026-07-01", "to": "2026-07-26", "days": 26, "deployments_a_week": 5.9231,
           **figure(22, 4, 7260, 630), "weeks": WEEKS, "environments": [
               {"environment": "shop/staging", **figure(15, 1, 3600, 0)},
               {"environment": "shop/production", **figure(7, 3, 90000, 1260)}]}


@pytest.fixture(name="scene", scope="module")
def _scene():
    made = ConsoleScene()
    made.scripts.reset()
    made.release()
    yield made
    made.close()


def test_figures_are_drawn_by_week_and_nothing_is_no_point(scene, inside, tmp_path):
    """A week without a deployment is a 0 of deployments; of the four others it is nothing."""
    with forged(inside, {"/v1/figures/": [FIGURES]}):
        open_page(inside, scene, "#/figures")
        until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    bars = inside.execute_script(BARS)
    assert [len(one) for one in bars] == [4, 3, 3, 3, 2]
    assert bars[0] == [["2026-06-29: 4", pytest.approx(80 / 3)], ["2026-07-06: 0", 1], ["2026-07-13: 12", 80],
                       ["2026-07-20: 6", 40]]
    assert [title for title, _ in bars[1]] == ["2026-06-29: 25 %", "2026-07-13: 0 %", "2026-07-20: 50 %"]
    assert [title for title, _ in bars[2]] == ["2026-06-29: 1 h 0 min", "2026-07-13: 25 h 0 min", "2026-07-20: 9 min"]
    assert [title for title, _ in bars[4]] == ["2026-06-29: 0 s", "2026-07-20: 21 min"]
    shows(inside, "5.9 a week")
    pictures(inside, tmp_path, "figures")
    assert complaints(inside) == []


def test_the_same_figures_are_a_table_and_a_file(scene, inside):
    """For whoever sees no chart, and for a spreadsheet."""
    with forged(inside, {"/v1/figures/": [FIGURES]}):
        open_page(inside, scene, "#/figures")
        until(inside, "document.querySelectorAll('table').length === 2", "two tables")
    lines = inside.execute_script(LINES)
    assert lines[2] == ["2026-07-06", "0", "–", "–", "–", "–"]
    assert lines[4] == ["2026-07-20", "6", "50 %", "9 min", "27 min", "21 min"]
    assert lines[7][0] == "shop/production"
    assert inside.execute_script("return document.querySelector('.chart').getAttribute('aria-hidden')") == "true"
    kind, text = inside.execute_script("return document.querySelector('a[download]').href").split(",", 1)
    rows = [line.split(",") for line in urllib.parse.unquote(text).split("\r\n")]
    assert kind == "data:text/csv" and rows[0] == ["week", *KEYS]
    assert rows[2] == ["2026-07-06", "0", "", "", "", ""]
    assert rows[4] == ["2026-07-20", "6", "0.5", "540", "1620", "1260"]
    click(inside, ".wide a", "shop/production")
    until(inside, "document.querySelector('h1').textContent === 'shop/production'", "its own figures")
    click(inside, ".back")
    until(inside, "location.hash === '#/figures/shop'", "those of its application")


@pytest.mark.parametrize("point", ["chart", "table"])
def test_a_point_opens_the_deployments_behind_it(scene, inside, tmp_path, point):
    with forged(inside, {"/v1/figures/": [FIGURES]}):
        open_page(inside, scene, "#/figures")
        until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    if point == "chart":
        inside.execute_script("document.querySelectorAll('.chart')[4].querySelectorAll('g')[1]"
                              ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    else:
        click(inside, ".wide button", "2026-07-20")
    until(inside, "document.querySelectorAll('.list a').length === 1", "its rows")
    assert inside.execute_script("return document.activeElement.textContent") == "Deployments of the week of 2026-07-20"
    pictures(inside, tmp_path, "week")
    click(inside, ".list a")
    until(inside, "location.hash === '#w1' && document.querySelector('h1 + .pill')?.textContent === 'Live'", "the work")
    click(inside, "nav a", "Figures")
    until(inside, "document.querySelectorAll('.list a').length === 1", "the same week, without asking anew")


def test_the_servers_own_figures_are_those_of_the_environment(scene, inside):
    """The way there begins at the environment."""
    size(inside, *DESK)
    open_page(inside, scene, "#/at/staging")
    click(inside, ".day a", "Figures")
    until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    assert inside.current_url.endswith("#/figures/staging")
    assert inside.execute_script("return document.querySelector('.figure').textContent").startswith("1 ")
    bars = inside.execute_script(BARS)
    assert 12 <= len(bars[0]) <= 13 and bars[0][-1][0].endswith(": 1") and len(bars[1]) == 1
    inside.execute_script("[...document.querySelectorAll('.chart g')].find((bar) => bar.textContent.endsWith(': 1'))"
                          ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    until(inside, "document.querySelector('.list a')?.getAttribute('href') === '#w1'", "the deployment")


def test_who_asks_too_often_waits_and_sees_them_then(scene, inside):
    """The server counts them three times at once, and once in ten seconds; no news ever shows them by chance."""
    with forged(inside, {"/v1/figures/": [{"status": 429, "said": "once in ten seconds"}, FIGURES],
                         "/v1/news": [{"status": 200, "after_ms": 10_000_000}]}):
        open_page(inside, scene, "#/at/staging")
        until(inside, "window.asked.some((one) => one.includes('/v1/news'))", "it waits for news")
        inside.execute_script("location.hash = '#/figures'")
        until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    assert inside.execute_script("return window.asked.filter((one) => one.includes('figures')).length") == 2


def test_figures_that_are_on_their_way_are_not_asked_for_again(scene, inside):
    """The server counts them slowly, and once in ten seconds: what else happens on the page meanwhile asks for none."""
    with forged(inside, {"/v1/figures/": [{**FIGURES, "after_ms": 1500}]}):
        open_page(inside, scene, "#/at/staging")
        inside.execute_script("location.hash = '#/figures'; dispatchEvent(new Event('hashchange'))")
        until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    assert inside.execute_script("return window.asked.filter((one) => one.includes('figures')).length") == 1


def test_half_a_date_is_not_asked_for(scene, inside):
    with forged(inside, {"/v1/figures/": [FIGURES]}):
        open_page(inside, scene, "#/figures")
        until(inside, "document.querySelectorAll('.chart').length === 5", "five charts")
    for day in ("", "0002-02-02", "2026-02-03"):
        inside.execute_script("""const field = document.querySelector("input[type=date]");
            field.value = arguments[0];
            field.dispatchEvent(new Event("change", { bubbles: true }));""", day)
    until(inside, "window.asked.some((one) => one.includes('/2026-02-03/'))", "what is whole")
    assert inside.execute_script("return window.asked.filter((one) => one.includes('figures')).length") == 2


# --- the second factor ---

GRID = """const path = document.querySelector(".qr path"), svg = document.querySelector(".qr");
const size = svg.viewBox.baseVal.width, rows = [];
for (let y = 0; y < size; y++) {
	rows.push("");
	for (let x = 0; x < size; x++)
		rows[y] += path.isPointInFill(new DOMPoint(x + 0.5, y + 0.5)) ? "1" : "0";
}
return [rows, getComputedStyle(svg).backgroundColor, getComputedStyle(path).fill];"""
SECRET = "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567"


def factor(size=29):
    dots = random.Random(40)
    return {"status": 200, "secret": SECRET, "uri": f"otpauth://totp/deploybot:1?secret={SECRET.replace(' ', '')}",
            "ends": "2030-01-01T10:00:00Z",
            "qr": ["".join(dots.choice("01") for _ in range(size)) for _ in range(size)]}


def test_the_secret_of_a_second_factor_is_drawn_once_and_forgotten(scene, inside, tmp_path):
    """It is asked for when somebody says so: a page that is opened anew or shared takes it from nobody."""
    answer = factor()
    with forged(inside, {"/v1/factor": [answer, {"status": 404, "said": "Nothing waits: /2fa in the chat begins."}]}):
        open_page(inside, scene, "#/factor")
        pictures(inside, tmp_path, "factor-before")
        assert not inside.execute_script("return window.asked.some((one) => one.includes('factor'))")
        click(inside, "button", "Show it")
        until(inside, "document.querySelector('.qr') !== null", "the QR code")
        pictures(inside, tmp_path, "factor")
        quiet = ["0" * 37] * 4
        assert inside.execute_script(GRID) == [
            quiet + [f"0000{row}0000" for row in answer["qr"]] + quiet, "rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        shows(inside, SECRET)
        shows(inside, "/2fa confirm")
        click(inside, "nav a", "Now")
        until(inside, "document.querySelector('.card') !== null", "another view")
        assert SECRET not in inside.execute_script("return document.documentElement.outerHTML + "
                                                   "JSON.stringify({...sessionStorage, ...localStorage})")
        inside.back()
        click(inside, "button", "Show it")
        shows(inside, "Nothing waits")
    assert inside.execute_script("return window.asked.filter((one) => one === 'POST /v1/factor').length") == 2
    assert [one for one in complaints(inside) if "404" not in one["message"]] == []


@pytest.mark.parametrize("status, said, shown", [
    (428, "a code is needed", "open the page from the chat again"),
    (403, "Not shown: only a session", "only a session"),
    (409, "It cannot be read: no key", "It cannot be read: no key"),
    (0, "", "nobody answers")])
def test_why_a_secret_is_not_shown_is_said(scene, inside, status, said, shown):
    with forged(inside, {"/v1/factor": [{"status": status, "said": said}]}):
        open_page(inside, scene, "#/factor")
        click(inside, "button", "Show it")
        shows(inside, shown)
    assert inside.execute_script("return document.querySelector('.qr')") is None


def test_an_address_in_a_secret_that_is_none_of_an_authenticator_is_no_link(scene, inside):
    with forged(inside, {"/v1/factor": [{**factor(), "uri": "javascript:alert(1)"}]}):
        open_page(inside, scene, "#/factor")
        click(inside, "button", "Show it")
        until(inside, "document.querySelector('.qr') !== null", "the QR code")
    assert inside.execute_script("return [...document.querySelectorAll('main a')].length") == 0


def test_who_has_begun_a_second_factor_finds_it_and_enrols_by_the_chat(scene, browser):
    """What an authenticator reads off the screen, typed in the chat, is the factor that the server has made."""
    person = scene.admin()
    person.say("/2fa")
    person.hear("Second factor begun")
    open_page(browser, scene)
    browser.execute_script("sessionStorage.clear()")
    log_in(browser, scene, person)
    until(browser, "location.hash === '#/factor'", "the view")
    click(browser, "button", "Show it")
    until(browser, "document.querySelector('.qr') !== null", "the QR code")
    rows = [row[4:-4] for row in browser.execute_script(GRID)[0][4:-4]]
    uri = authenticator.read(rows)
    assert uri == browser.execute_script("return document.querySelector('main a').href")
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["secret"][0]
    shows(browser, " ".join(secret[i:i + 4] for i in range(0, 32, 4)))
    person.say(f"/2fa confirm {scene.code(secret)}")
    person.hear("Code accepted")
    browser.execute_script("sessionStorage.clear()")


# --- what is not so ---

RUNNING = {"status": 200, "work": 1, "environment": "staging", "program": "deploy", "state": "running",
           "is_over": False, "is_asked": False, "subject": "x", "started_at": "2026-07-01T10:00:00Z", "runs": [],
           "message": ""}


def test_what_somebody_may_is_offered_also_when_it_is_known_late(scene, inside):
    """The work may be there first."""
    me = {"status": 200, "person": {"name": "Ada"}, "may": [{"right": "cancel", "target": "staging"}]}
    with forged(inside, {"/v1/me": [{"status": 503}, {"status": 503}, me], "/v1/work/1": [RUNNING]}):
        open_page(inside, scene, "#w1")
        until(inside, "document.querySelector('button[data-key=cancel]') !== null", "a button")


def test_where_hosts_run_different_releases_it_says_what_runs_on_how_many(scene, inside):
    status = scene.json("root", "status", "--as", "admin")
    status["environments"][0]["runs_on"] = [{"commit": "1a2b3c4" + "0" * 33, "state": "release", "hosts": 9},
                                            {"commit": None, "state": "touched", "hosts": 3}]
    with forged(inside, {"/v1/status": [{"status": 200, **status}]}):
        open_page(inside, scene, "#/")
        shows(inside, "1a2b3c4 on 9, touched on 3")


def test_a_path_of_dots_is_no_environment(scene, inside):
    """A browser would make /v1/ of /v1/status/.. and send the session there."""
    with forged(inside, {}):
        for name in ("..", "../..", "%2e%2e/me", ".", "shop/.."):
            for view in ("at", "figures"):
                open_page(inside, scene, f"#/{view}/{name}")
                until(inside, "document.title === 'Now · deploybot'", "what runs where")
                asked = inside.execute_script("return window.asked")
                assert {one.split("/")[2] for one in asked} <= {"me", "status", "pending", "queue", "news"}, asked


def test_the_skip_link_stays_in_its_view(scene, inside):
    open_page(inside, scene, "#/history")
    inside.execute_script("document.getElementById('skip').click()")
    assert inside.execute_script("return [location.hash, document.activeElement.id]") == ["#/history", "main"]


def test_a_session_that_the_server_did_not_end_is_not_called_ended(scene, inside, ada):
    for status, said in ((503, "did not answer"), (0, "did not answer"), (200, "You have signed out.")):
        with forged(inside, {"/v1/session/end": [{"status": status}]}):
            signed = urllib.parse.quote(init_data(ada.number, query_id=f"AA{status}"))
            open_page(inside, scene, f"#tgWebAppData={signed}&tgWebAppVersion=8.0")
            until(inside, "sessionStorage.length === 1", "a session")
            click(inside, "#leave")
            shows(inside, said)
        assert inside.execute_script("return sessionStorage.length") == 0
    assert "did not answer" not in inside.execute_script("return document.body.innerText")
