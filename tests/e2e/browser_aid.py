"""A real browser on the chat page: opens it, waits for what the page shows, and clicks."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import shutil

from runner_client import SLOW

DRIVER = "/usr/bin/chromedriver"
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-dev-shm-usage", "--hide-scrollbars")
PATIENCE_S = 30    # a browser beside other tests is slow
FIND = """const [selector, text] = arguments;
return [...document.querySelectorAll(selector)]
	.find(node => text === null || node.textContent.trim() === text)"""


@contextlib.contextmanager
def chromium(folder, size="1320,950", logs="browser"):
    """A Chromium whose profile lives in that folder; skips the test when there is none.  logs: what else it notes."""
    if not os.path.exists(DRIVER):
        import pytest       # the demo has none
        pytest.skip("Chromium's driver is not installed (chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    for option in (*OPTIONS, f"--window-size={size}", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", logs: "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    try:
        driver.set_script_timeout(20)
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(folder / "profile", ignore_errors=True)


def wait(browser, condition, what, timeout=PATIENCE_S):
    """Waits until condition(browser) is true, as patient as whatever else waits (DEPLOYBOT_SLOW)."""
    from selenium.webdriver.support.ui import WebDriverWait
    WebDriverWait(browser, timeout * SLOW, 0.05).until(condition, what)


def until(browser, condition, what, timeout=PATIENCE_S):
    """Waits until a JavaScript expression is true in the page."""
    wait(browser, lambda driver: driver.execute_script(f"return Boolean({condition})"), what,
         timeout)


def shows(browser, text, timeout=PATIENCE_S):
    until(browser, f"document.getElementById('messages').innerText.includes({text!r})", text,
          timeout)


def click(browser, selector, text=None, timeout=PATIENCE_S):
    """Clicks the first element that fits, as soon as there is one."""
    wait(browser, lambda driver: driver.execute_script(FIND, selector, text),
         f"{selector} {text}", timeout)
    browser.execute_script(f"(function() {{ {FIND} }}).apply(null, arguments).click()", selector,
                           text)


def complaints(browser):
    """What the page's console says is wrong."""
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
