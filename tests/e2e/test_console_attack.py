"""Goal: what another site, a stolen session or an account of another application tries with the page brings nothing."""
# SPDX-License-Identifier: ISC
import http.server
import json
import os
import socket
import threading
import urllib.error
import urllib.request

import pytest

from browser_aid import until
from console_aid import _ada, _browser  # noqa: F401  pylint: disable=unused-import
from console_aid import ConsoleScene, init_data
from flow_aid import PATIENCE_S
from stage import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

TABS = 300
EVIL = """<!DOCTYPE html><title>evil</title><iframe id="frame" src="%s/console/"></iframe>
<form id="form" method="post" enctype="text/plain" action="%s/v1/command/lock" target="sink">
<input name='{"arguments": ["staging"], "reason": "' value='"}'></form><iframe name="sink"></iframe>"""
TRY = """const [base, token] = arguments, done = arguments[arguments.length - 1];
const ask = (path, options) => fetch(base + path, options).then(
    async (answer) => `${answer.type} ${answer.status} ${await answer.text()}`, (error) => String(error));
const own = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
Promise.all([ask("/v1/me", { headers: own }), ask("/v1/me", { credentials: "include" }),
    ask("/v1/command/lock", { method: "POST", headers: own, body: '{"arguments": ["staging"]}' }),
    ask("/v1/command/lock", { method: "POST", mode: "no-cors", body: '{"arguments": ["staging"]}' })]).then(done);"""


@pytest.fixture(name="scene", scope="module")
def _scene():
    made = ConsoleScene()
    made.scripts.reset()
    made.release()
    yield made
    made.close()


@pytest.fixture(name="evil", scope="module")
def _evil(scene):
    """Another site, of another port."""
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            body = (EVIL % (scene.bot.base, scene.bot.base)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{site.server_port}"
    site.shutdown()


def call(scene, method, path, token=None, body=None):
    """(status, text) of /v1."""
    asked = urllib.request.Request(scene.bot.base + path, method=method, data=body)
    asked.add_header("Content-Type", "application/json")
    if token is not None:
        asked.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def session(scene, person, query):
    status, text = call(scene, "POST", "/v1/session/open", body=json.dumps(
        {"init_data": init_data(person, query_id=query)}).encode())
    assert status == 200, text
    return json.loads(text)["token"]


def is_locked(scene):
    return scene.bot_rows("SELECT COUNT(*) FROM hold")[0][0] > 0


def test_another_site_frames_nothing_reads_nothing_and_changes_nothing(scene, browser, evil, ada):
    """Not with the token either: no page of another origin gets to send it."""
    token = session(scene, ada.number, "frame")
    browser.get_log("browser")
    browser.get(evil)
    until(browser, "document.getElementById('frame') !== null", "its page")
    wait_until(lambda: any("frame-ancestors" in said["message"] for said in browser.get_log("browser")), PATIENCE_S,
               "a frame that is refused")
    browser.switch_to.frame("frame")
    assert "Sign in" not in browser.execute_script("return document.documentElement.innerText")
    browser.switch_to.default_content()
    read = browser.execute_async_script(TRY, scene.bot.base, token)
    assert [one.split()[0] for one in read] == ["TypeError:"] * 3 + ["opaque"] and "opaque 0" in read[3], read
    browser.execute_script("document.getElementById('form').submit()")
    wait_until(lambda: call(scene, "GET", "/v1/me", token)[0] == 200, PATIENCE_S, "an answer")
    assert not is_locked(scene)


def test_a_stolen_session_approves_nothing_and_cannot_be_made_stronger(scene, ada):
    """It may look and, for ten minutes behind a login, what its person may; nothing that proves who somebody is."""
    token = session(scene, ada.number, "stolen")
    for path, body in (("/v1/command/2fa", {"arguments": ["reset", "1"]}), ("/v1/command/login", {"arguments": ["x"]}),
                       ("/v1/command/console", {}), ("/v1/command/start", {}),
                       ("/v1/token/add", {"name": "mine", "role": "admin", "expires": "1d"}),
                       ("/v1/2fa/add", {"person": ada.number})):
        status, text = call(scene, "POST", path, token, json.dumps(body).encode())
        assert status in (400, 403), (path, text)
    assert call(scene, "POST", "/v1/session/open", token, b"{}")[0] in (400, 401)


@pytest.mark.parametrize("body, wanted", [
    (b"x" * 65536, 413), (b'{"init_data": "' + b"a" * 15000 + b'"}', 400), (b"", 400), (b"[]", 400),
    (b"\xff" * 99, 400),
    (b'{"code": "' + b"0" * 32 + b'"}', 401), (b'{"init_data": "hash="}', 401),
    (b'{"init_data": "user=%7B%7D&hash=' + b"0" * 64 + b'"}', 401), (b'{"code": 1}', 400), (b'{"code": null}', 400),
    (b'{"code": "a", "init_data": "b"}', 400), (b"[" * 16000, 400)])
def test_what_is_no_login_opens_nothing(scene, body, wanted):
    status, text = call(scene, "POST", "/v1/session/open", body=body)
    assert status in (wanted, 429), text
    assert call(scene, "GET", "/v1/me", "deploybotc_" + "0" * 64)[0] in (401, 429)


def test_a_session_with_many_tabs_waits_with_four_of_them_and_keeps_nobody_else_out(scene, ada):
    """Each of its tabs follows a log and the news: those beyond its places are answered at once."""
    token, other = session(scene, ada.number, "tabs"), session(scene, scene.admin().number, "else")
    heard = json.loads(call(scene, "GET", "/v1/news", token)[1])
    host, port = scene.bot.base.removeprefix("http://").split(":")
    tabs = []
    try:
        for _ in range(TABS):
            tab = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
            tab.sendall(f"GET /v1/news/{heard['instance']}/{heard['number']} HTTP/1.1\r\nHost: x\r\n"
                        f"Authorization: Bearer {token}\r\nPrefer: wait=7\r\n\r\n".encode())
            tabs.append(tab)
        assert call(scene, "GET", "/v1/me", other)[0] == 200
        answers = [tab.recv(4096)[:12].decode() for tab in tabs]
        assert set(answers) <= {"HTTP/1.1 200", "HTTP/1.1 429", "HTTP/1.1 503", ""}, set(answers)
    finally:
        for tab in tabs:
            tab.close()
    assert call(scene, "GET", "/v1/me", other)[0] == 200
