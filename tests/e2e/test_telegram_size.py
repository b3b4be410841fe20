"""Goal: an answer of the Bot API as large as it may be costs memory of its own size, and moves the offset."""
# SPDX-License-Identifier: ISC
import http.server
import json
import threading

import pytest

from ops_aid import bare, check_stop, is_sanitized, resident_kb
from stage import wait_until
from telegram_client import ADA

FIRST = 5000
WHOLE = 8 * 1024 * 1024 - 4096      # below telegram_poll.c's ANSWER_MAX
MEMORY_KB = 96 * 1024               # 47 MB were measured; 725 MB where all of it is decoded
DENSE = b"{},"                      # the shape that costs most once it is decoded


def update(number, size):
    """One update of that many bytes that is sound JSON, and a command of an admin's."""
    head = (b'{"update_id":%d,"message":{"message_id":1,"date":1,"chat":{"id":%d,"type":"private"},'
            b'"from":{"id":%d,"is_bot":false,"first_name":"Ada"},"text":"/whoami","x":['
            % (number, ADA, ADA))
    return head + DENSE * ((size - len(head) - 6) // len(DENSE)) + b"{}]}}"


class BotApi(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):      # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        method = self.path.rsplit("/", 1)[1]
        result = b"true"
        if method == "getMe":
            result = b'{"id":5,"is_bot":true,"first_name":"b","username":"deploy_bot"}'
        if method == "getUpdates":
            result = self.updates(json.loads(body))
        answer = b'{"ok":true,"result":%s}' % result
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def updates(self, asked):
        offset = asked.get("offset", 0)
        self.server.offsets.append(offset)
        if offset > self.server.last:
            self.server.over.wait(asked.get("timeout", 0))
            return b"[]"
        return self.server.answer

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BotApi)
    server.daemon_threads = True
    server.handle_error = lambda *_: None   # a poll that was open when the server stopped
    server.over, server.offsets = threading.Event(), []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("size, n", [(WHOLE, 1), pytest.param(255 * 1024, 32, marks=pytest.mark.long)],
                         ids=["one of 8 MB", "32 of 255 KB"])
def test_an_answer_of_8_mb_costs_memory_of_its_size(tmp_path, api, size, n):
    api.answer = b"[" + b",".join(update(FIRST + i, size) for i in range(n)) + b"]"
    api.last = FIRST + n - 1
    assert 7.5 * 1024 * 1024 < len(api.answer) < 8 * 1024 * 1024
    bot = bare(tmp_path, TELEGRAM_MODE="polling", TELEGRAM_WEBHOOK_URL=None, TELEGRAM_WEBHOOK_SECRET=None,
               TELEGRAM_API_BASE=f"http://127.0.0.1:{api.server_port}").start()
    wait_until(lambda: FIRST + n in api.offsets, 30, "the offset moves past them")
    if n == 1:
        assert bot.audit(outcome="denied", reason="unreadable")
    if not is_sanitized(bot):
        assert resident_kb(bot.process.pid, "VmHWM") < MEMORY_KB, resident_kb(bot.process.pid, "VmHWM")
    api.over.set()
    check_stop(bot)
