"""The chat page in a real browser: what a newcomer does in the demo works there."""
# SPDX-License-Identifier: ISC
import pytest

import sample_app
import telegram_client
from browser_aid import chromium, click, complaints, shows, until, wait
from stage import wait_until
from telegram_client import ADA, CARL, GROUP, Telegram

BUTTONS = {"inline_keyboard": [[{"text": "Confirm", "callback_data": "c"},
                                {"text": "Cancel", "callback_data": "x"}]]}


@pytest.fixture(name="browser")
def _browser(tmp_path):
    with chromium(tmp_path) as driver:
        yield driver


@pytest.fixture(name="panel")
def _panel(tmp_path):
    _, tree = sample_app.create(tmp_path / "app", build_seconds=0)
    process, base = telegram_client.start_peer("github.py", "--work", str(tree),
                                               "--app", "staging=http://127.0.0.1:9/")
    yield tree, base
    telegram_client.stop_peer(process)


@pytest.mark.long
def test_the_chat_page_shows_what_happens_and_does_what_is_pressed(browser, panel):
    """Text both ways, an edit in place, a button with its toast, a command, a topic, a commit."""
    tree, panel_url = panel
    with Telegram.start("--local", "--limits", "off", "--panel-url", panel_url) as chat:
        browser.get(chat.base)
        until(browser, "document.body.classList.contains('ready')", "the page is ready")
        type_a_command_from_the_menu(browser, chat)
        message = a_message_with_buttons(browser, chat)
        answered = press_and_see_the_toast(browser, chat)
        press_and_be_answered_before_the_press_is_confirmed(browser, chat, answered)
        see_the_edit_in_place(browser, chat, message)
        a_topic_carries_its_label(browser, chat)
        push_a_commit(browser, tree)
        until(browser, "document.fonts.check('16px \"chat emoji\"', '✅') && "
              "[...document.fonts].every((font) => font.status !== 'error')", "the font of the signs")
        assert complaints(browser) == []


def type_a_command_from_the_menu(browser, chat):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    chat.bot("setMyCommands", commands=[{"command": "deploy", "description": "ship it"},
                                        {"command": "status", "description": "what runs"}])
    field = browser.find_element(By.ID, "input")
    wait_for_the_menu(browser, field)
    field.send_keys(Keys.TAB, Keys.ENTER)
    update = chat.bot("getUpdates", timeout=10)[1]["result"][-1]
    assert update["message"]["text"] == "/status"
    assert update["message"]["from"]["id"] == ADA
    shows(browser, "/status")


def wait_for_the_menu(browser, field):
    """The list of commands reaches the page as an event: type again until it is there."""
    def offered(driver):
        field.clear()
        field.send_keys("/st")
        return "what runs" in driver.execute_script(
            "const m = document.getElementById('menu'); return m.hidden ? '' : m.innerText")
    wait(browser, offered, "the command menu")


def a_message_with_buttons(browser, chat):
    text = ("Deploy <b>staging</b>? <code>1a2b3c4</code> &lt;script&gt;alert(1)&lt;/script&gt;"
            '<pre><code class="language-sh">make</code></pre>')
    answer = chat.bot("sendMessage", chat_id=ADA, text=text, parse_mode="HTML",
                      reply_markup=BUTTONS)[1]
    shows(browser, "<script>alert(1)</script>")
    assert browser.execute_script(
        "return ['.body strong', '.body > code', '.pre pre'].map("
        "s => document.querySelector('.row.theirs ' + s).textContent)") == [
            "staging", "1a2b3c4", "make"]
    return answer["result"]


def pressed(chat, before=""):
    """The press that has come, and is not that one."""
    def newest():
        query = chat.bot("getUpdates", offset=-1, timeout=10)[1]["result"][-1].get("callback_query")
        return query if query and query["id"] != before else None
    return wait_until(newest, 20, "a press")


def press_and_see_the_toast(browser, chat):
    click(browser, ".key", "Confirm")
    query = pressed(chat)
    assert query["data"] == "c"
    chat.bot("answerCallbackQuery", callback_query_id=query["id"], text="It begins")
    until(browser, "document.getElementById('toasts').innerText.includes('It begins')", "toast")
    until(browser, "!document.querySelector('.key.waiting')", "the button is free again")
    return query["id"]


def press_and_be_answered_before_the_press_is_confirmed(browser, chat, before):
    """The button waited for an answer that had come already: seconds of a spinner, now and then."""
    browser.execute_script("""
        const real = window.fetch;
        const held = new Promise((go) => { window.letGo = go; });
        window.fetch = async (...words) => {
            const answer = await real(...words);
            if (String(words[0]).includes("press")) {
                window.fetch = real;
                await held;
            }
            return answer;
        };""")
    click(browser, ".key", "Confirm")
    query = pressed(chat, before)
    chat.bot("answerCallbackQuery", callback_query_id=query["id"], text="It is quick")
    until(browser, "document.getElementById('toasts').innerText.includes('It is quick')", "toast")
    browser.execute_script("window.letGo()")
    until(browser, "!document.querySelector('.key.waiting')", "the button is free at once", 5)


def see_the_edit_in_place(browser, chat, message):
    rows = "document.querySelectorAll('#messages .row').length"
    before = browser.execute_script(f"return {rows}")
    chat.bot("editMessageText", chat_id=ADA, message_id=message["message_id"],
             text="staging is live")
    shows(browser, "staging is live")
    assert browser.execute_script(f"return {rows}") == before
    assert not browser.execute_script("return document.querySelectorAll('.key').length")


def a_topic_carries_its_label(browser, chat):
    group = next(c for c in chat.state()["chats"] if c["id"] == GROUP)
    topic = group["topics"][0]
    click(browser, ".persona[data-user='Carl']")
    until(browser, "document.getElementById('acting').textContent === 'as Carl'", "his chats are loaded")
    click(browser, ".chat-row:not([aria-current=true])")
    chat.bot("sendMessage", chat_id=GROUP, text="in its topic",
             message_thread_id=topic["message_thread_id"])
    shows(browser, "in its topic")
    until(browser, "document.querySelector('.topic-label')?.textContent === 'Staging'", "label")
    browser.execute_script("document.getElementById('input').value = 'hello'")
    click(browser, ".topic", topic["name"])
    click(browser, ".send")
    event = chat.wait_for_message(lambda v: v["message"].get("text") == "hello", 10,
                                  outgoing=False)
    assert event["message"]["from"]["id"] == CARL
    assert event["thread_id"] == topic["message_thread_id"]


def push_a_commit(browser, tree):
    before = sample_app.git(tree, "rev-parse", "develop")
    click(browser, ".action.good")
    until(browser, "document.getElementById('panel-note').textContent.startsWith('pushed')",
          "the commit is pushed")
    after = sample_app.git(tree, "rev-parse", "develop")
    assert after != before
    until(browser, f"document.getElementById('commits').innerText.includes({after[:7]!r})",
          "the commit is listed")
