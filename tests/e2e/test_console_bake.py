"""Goal: a release that bakes or is paused stands on the page as in the chat, with buttons that its reader may press."""
# SPDX-License-Identifier: ISC
import os
import re
import urllib.parse

import pytest

from browser_aid import click, complaints, until
from console_aid import _ada, _browser  # noqa: F401  pylint: disable=unused-import
from console_aid import DESK, PHONE, ConsoleScene, init_data, open_page, pictures, shows, size
from flow_aid import ANY
from stage import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")



def source(name):
    return (ROOT / "server" / name).read_text("utf-8")


PAGE = source("console/console.js")
PUSHER, LOOKER = 4701, 4702
BUTTONS = """return [...document.querySelectorAll("main button")].filter((one) => one.checkVisibility())
    .map((one) => one.textContent)"""
PILL = "document.querySelector('h1 + .pill').textContent"


class BakeScene(ConsoleScene):
    """Each release bakes for ten minutes, by time alone."""

    def settings(self):
        return {**super().settings(), "STAGING_BAKE": "10m", "PRODUCTION_BAKE": "10m", "PRODUCTION_APPROVALS": "",
                "ROLE_PUSHER_IDS": str(PUSHER), "ROLE_PUSHER_MAY": "status:staging, deploy:staging",
                "ROLE_LOOKER_IDS": str(LOOKER), "ROLE_LOOKER_MAY": "status:staging, history:staging"}


@pytest.fixture(name="scene", scope="module")
def _scene():
    made = BakeScene()
    made.scripts.reset()
    yield made
    made.close()


def log_in_as(browser, scene, person, query):
    """By Telegram's button; each is another login."""
    open_page(browser, scene)
    browser.execute_script("sessionStorage.clear()")
    signed = urllib.parse.quote(init_data(person, query_id=query))
    open_page(browser, scene, f"#tgWebAppData={signed}&tgWebAppVersion=8.0")
    until(browser, "document.getElementById('name').textContent !== ''", "who it is")


@pytest.fixture(name="rest")
def _rest(scene):
    """Staging is free, and has a release."""
    if not scene.bot_rows("SELECT 1 FROM release WHERE environment = 'staging'"):
        who, asked, _ = bakes(scene)
        who.press(asked, "Live now")
        who.hear("Live: staging")
    yield
    if scene.is_busy("staging"):
        scene.admin().say("/rollback staging")
        scene.wait_free()


def bakes(scene):
    """Who asked for it, its message, its number."""
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    return who, who.hear("Baking: staging", confirms=ANY), scene.bot_rows("SELECT MAX(id) FROM work")[0][0]


def stands(browser, scene, work, *buttons):
    """That work, with those buttons."""
    open_page(browser, scene, f"#w{work}")
    until(browser, f"{PILL} !== ''", "its state")
    wanted = list(buttons)
    until(browser, "[...document.querySelectorAll('.actions button')].length >= " + str(len(wanted)), "buttons")
    assert [one for one in browser.execute_script(BUTTONS) if one not in ("Sign out", "Follow")] == wanted


@pytest.mark.usefixtures("rest")
def test_what_bakes_is_paused_goes_on_and_is_live(scene, browser, ada, tmp_path):
    size(browser, *PHONE)
    log_in_as(browser, scene, ada.number, "pause")
    who, _, work = bakes(scene)
    stands(browser, scene, work, "Live now", "Pause", "Roll back…")
    assert browser.execute_script(f"return {PILL}") == "Baking"
    shows(browser, "0 of 10 min")           # as the chat says it
    assert not browser.execute_script("return document.querySelectorAll('progress').length")
    pictures(browser, tmp_path, "baking")
    size(browser, *PHONE)
    click(browser, "button", "Pause")
    until(browser, f"{PILL} === 'Paused'", "it is paused")
    who.hear("Paused: staging, by ")
    until(browser, "document.getElementById('said').textContent.includes('Paused')", "that is read aloud")
    stands(browser, scene, work, "Go on", "Roll back…", "Leave it")
    pictures(browser, tmp_path, "paused")
    open_page(browser, scene)
    shows(browser, "1 of 2 needs a look")
    until(browser, "document.getElementById('count').textContent === '1'", "it waits for somebody")
    pictures(browser, tmp_path, "paused-now")
    click(browser, "nav a", "Approvals1")
    until(browser, "document.querySelector('.list a .pill')?.textContent === 'Paused'", "what waits")
    click(browser, ".list a")
    click(browser, "button", "Go on")
    until(browser, f"{PILL} === 'Baking'", "it goes on")
    click(browser, "button", "Live now")
    until(browser, f"{PILL} === 'Live'", "it is live")
    who.hear("Live: staging")
    assert complaints(browser) == []


@pytest.mark.usefixtures("rest")
def test_what_is_paused_is_left_or_rolled_back(scene, browser, ada):
    size(browser, *DESK)
    log_in_as(browser, scene, ada.number, "leave")
    who, _, work = bakes(scene)
    open_page(browser, scene, "#/at/staging")
    until(browser, "document.querySelector('button[data-key=rollback]') !== null", "buttons")
    assert "Cancel…" not in browser.execute_script(BUTTONS)
    stands(browser, scene, work, "Live now", "Pause", "Roll back…")
    click(browser, "button", "Roll back…")
    click(browser, "button", "Roll back")
    until(browser, f"{PILL} === 'Rolled back'", "the release before")
    who.hear("Rolled back: staging")
    who, _, work = bakes(scene)
    stands(browser, scene, work, "Live now", "Pause", "Roll back…")
    click(browser, "button", "Pause")
    click(browser, "button", "Leave it")
    until(browser, f"{PILL} === 'Failed'", "its end")
    who.hear("staging", "Left as it is: staging", "by the page")
    who, _, work = bakes(scene)
    stands(browser, scene, work, "Live now", "Pause", "Roll back…")
    click(browser, "button", "Live now")
    who.hear("Live: staging")
    figures = scene.json("root", "figures", "staging", "--as", "admin")
    ended = scene.bot_rows("SELECT state FROM work WHERE environment = 'staging' AND program = 'deploy'")
    wrong = sum(state in ("FAILED", "ROLLED_BACK") for state, in ended)
    assert (figures["deployments"], figures["failures"]) == (len(ended), wrong) and wrong == 2


@pytest.mark.usefixtures("rest")
@pytest.mark.parametrize("person, baking, paused", [
    (PUSHER, ["Live now"], []), (LOOKER, [], [])])
def test_who_may_less_sees_less(scene, browser, person, baking, paused):
    scene.chat.act("users", user_id=person, first_name="P", username=f"p{person}")
    log_in_as(browser, scene, person, f"less{person}")
    who, _, work = bakes(scene)
    stands(browser, scene, work, *baking)
    who.say("/pause staging")
    who.hear("Paused: staging, ")
    stands(browser, scene, work, *paused)
    who.say("/rollback staging")
    who.hear("Rolled back: staging")


@pytest.mark.usefixtures("rest")
def test_no_rollback_is_offered_where_nothing_ran_before(scene, browser, ada):
    """Of what bakes, and of what is live; on staging it is offered."""
    who, asked, _ = bakes(scene)
    who.press(asked, "Live now")
    who.hear("Live: staging")
    size(browser, *PHONE)
    log_in_as(browser, scene, ada.number, "first")
    ada.say("/deploy production")
    ada.hear("Baking: production", confirms=ANY)
    stands(browser, scene, scene.bot_rows("SELECT MAX(id) FROM work")[0][0], "Live now", "Pause")
    click(browser, "button", "Live now")
    ada.hear("Live: production")
    for place, buttons in (("staging", ["Deploy…", "Roll back…"]), ("production", ["Deploy…"])):
        open_page(browser, scene, f"#/at/{place}")
        until(browser, "document.querySelector('button[data-key=deploy]') !== null", "buttons")
        assert [one for one in browser.execute_script(BUTTONS) if one.endswith("…")] == buttons


def test_the_page_has_a_word_for_each_state_and_the_chats_buttons():
    """What deploy_flow.h or the chat gets besides, the page gets too."""
    states = {state.lower() for state in
              re.findall(r"^\tS\(\w+, +\"(\w+)\"", source("deployment/deploy_flow.h"), re.M)}
    shown = re.search(r"^const STATES = \{(.*?)^\};", PAGE, re.M | re.S).group(1)
    assert len(states) >= 20 and states == set(re.findall(r"(\w+): \[", shown))
    described = re.findall(r'"(requested, [\w, ]+ or \w+)"', (ROOT / "docs" / "openapi.json").read_text("utf-8"))
    assert described and all(states == set(re.split(r", | or ", text)) for text in described)
    bake = "".join(source(f"decide/tell/decide_bake_buttons.{end}") for end in "ch")
    labels = {re.sub(r"[^\w ]+", "", label).strip() for label in re.findall(r'"(\W*[A-Z][a-z][\w ]+)"', bake)}
    assert labels == {"Live now", "Next wave", "Go on", "Pause", "Leave it"}
    # The page knows nothing of waves: both ends of a bake are its "Live now".
    assert all(f'"{label}"' in PAGE for label in {*labels, "Roll back"} - {"Next wave"}), labels
