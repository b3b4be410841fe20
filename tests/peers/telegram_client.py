"""What a test does with the Telegram stand-in: people who write, press and read. Synchronous.

    with Telegram.start("--local") as chat:
        chat.say(ADA, ADA, "/status")
        answer = chat.wait_for_message(lambda m: "staging" in text_of(m), chat_id=ADA)
        chat.press(ADA, answer, "Deploy to")
"""
# SPDX-License-Identifier: ISC
import base64
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

DEFAULT_TOKEN = "7000000001:AAF-demo_token_of_the_stand-in_0123456789"
ADA, CARL, MALLORY, BEA = 424242001, 424242002, 424242003, 424242004
GROUP = -1001700000001
HERE = pathlib.Path(__file__).parent
START_TIMEOUT_S = 120     # one that cannot start ends, which is seen at once
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start_program(script, words):
    """Not in our group: Ctrl-C is for whoever started it to hand on."""
    return subprocess.Popen(["/usr/bin/python3", str(HERE / script), *words], stdout=subprocess.DEVNULL,
                            start_new_session=True)


start_process = start_program       # tests/e2e/conftest.py takes nursery.start


def start_peer(script, *arguments):
    """Starts a stand-in on a free port. Returns (process, its base URL)."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        port_file = os.path.join(folder, "port")
        process = start_process(script, ["--port", "0", "--port-file", port_file, *arguments])
        try:
            return process, f"http://127.0.0.1:{read_port(process, port_file)}"
        except BaseException:
            stop_peer(process)
            raise


def read_port(process, port_file):
    deadline = time.monotonic() + START_TIMEOUT_S
    while not os.path.exists(port_file):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not start, status {process.poll()}")
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            pass
    with open(port_file, encoding="ascii") as source:
        return int(source.read())


def stop_peer(process):
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def request_json(url, body=None, timeout=30):
    """GET, or POST of a JSON body. Returns (status, decoded answer)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with DIRECT.open(request, timeout=timeout) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        content = error.read()
        try:
            return error.code, json.loads(content or b"null")
        except ValueError:
            return error.code, {"error": content.decode("utf-8", "replace")}


def text_of(view):
    message = view["message"]
    return message.get("text", message.get("caption", ""))


def buttons_of(view):
    """The texts of all buttons under a message, in reading order."""
    rows = view["message"].get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


class Telegram:
    """A client of /sim; messages are views {chat_id, message_id, outgoing, edits, message…}."""

    def __init__(self, base, process=None, token=DEFAULT_TOKEN):
        self.base = base.rstrip("/")
        self.process = process
        self.token = token

    @classmethod
    def start(cls, *arguments):
        process, base = start_peer("telegram.py", *arguments)
        return cls(base, process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        stop_peer(self.process)

    # --- the Bot API, as a bot would call it ---

    def bot(self, method, http_timeout=70, **arguments):
        """Returns (status, answer) of a Bot API call."""
        return request_json(f"{self.base}/bot{self.token}/{method}", arguments, http_timeout)

    # --- people ---

    def act(self, action, **arguments):
        status, answer = request_json(f"{self.base}/sim/{action}", arguments, 60)
        if status != 200:
            raise RuntimeError(f"{action}: {answer}")
        return answer

    def say(self, user_id, chat_id, text, **options):
        """A person writes; options: thread_id, reply_to, date, extra, anonymous, as_channel."""
        return self.act("say", user_id=user_id, chat_id=chat_id, text=text, **options)

    def send(self, user_id, chat_id, name, content, **options):
        """A person sends a file; options: caption, path, size, extra (see World.send)."""
        return self.act("send", user_id=user_id, chat_id=chat_id, name=name,
                        content=base64.b64encode(content).decode(), **options)

    def press(self, user_id, view, button=None, wait=10, **options):
        """Presses a button by its text. Returns {text, show_alert} of the toast, or None."""
        return self.act("press", user_id=user_id, chat_id=view["chat_id"],
                        message_id=view["message_id"], button=button, wait=wait,
                        **options)["answer"]

    # --- looking ---

    def get(self, path, http_timeout=30, **query):
        url = f"{self.base}/sim/{path}?{urllib.parse.urlencode(query)}"
        status, answer = request_json(url, None, http_timeout)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {answer}")
        return answer

    def state(self):
        return self.get("state")

    def messages(self, chat_id):
        """All messages of a chat, each with its edit history."""
        return self.get("messages", chat=chat_id, history=1)

    def message(self, view):
        """The same message as it is now."""
        for candidate in self.messages(view["chat_id"]):
            if candidate["message_id"] == view["message_id"]:
                return candidate
        return None

    def calls(self, method=""):
        return self.get("calls", method=method)

    def deliveries(self):
        return self.get("deliveries")

    def file(self, view):
        """The bytes of a message's document or picture."""
        message = view["message"]
        file_id = (message["photo"][-1] if "photo" in message else message["document"])["file_id"]
        with DIRECT.open(f"{self.base}/sim/files/{file_id}", timeout=30) as answer:
            return answer.read()

    def mark(self):
        """A point in time for wait_for_message(after=…) and wait_for_event."""
        return self.state()["seq"]

    def wait_for_event(self, predicate, timeout=20, after=0):
        """The first event for which predicate(event) is true; TimeoutError with what was seen."""
        deadline = time.monotonic() + timeout
        seen = []
        while True:
            left = max(deadline - time.monotonic(), 0)
            found = request_json(f"{self.base}/sim/events?after={after}&timeout={min(left, 20)}",
                                 timeout=60)[1]
            for event in found:
                if predicate(event):
                    return event
            seen += found
            after += len(found)
            if left == 0:
                raise TimeoutError(f"not within {timeout} s; seen: {describe(seen)}")

    def wait_for_message(self, predicate, timeout=20, chat_id=None, after=0, outgoing=True):
        """The first state of a message (new or edited) for which predicate(view) is true."""
        def fits(event):
            return (event["kind"] in ("message", "edit")
                    and (outgoing is None or event["outgoing"] == outgoing)
                    and (chat_id is None or event["chat_id"] == chat_id) and predicate(event))
        return self.wait_for_event(fits, timeout, after)

    def wait_for_text(self, text, timeout=20, chat_id=None, after=0):
        return self.wait_for_message(lambda view: text in text_of(view), timeout, chat_id, after)

    # --- trouble ---

    def fault(self, method="*", times=1, **fault):
        """The next `times` calls fail: status=, description=, retry_after=, hang=, close=True,
        execute=True (does it, then fails), raw= (a body that is no JSON), chat_id= (those to that chat alone)."""
        self.act("faults", method=method, times=times, **fault)

    def clear_faults(self):
        self.act("clear-faults")

    def set_limits(self, **limits):
        return self.act("limits", **limits)


def describe(events):
    """The last events in a form that fits into a failed test's message."""
    lines = []
    for event in events[-30:]:
        if event["kind"] in ("message", "edit"):
            who = "bot" if event["outgoing"] else "user"
            lines.append(f"{event['kind']} #{event['message_id']} {who}: "
                         f"{text_of(event)[:300]!r} {buttons_of(event)}")
        else:
            rest = {k: v for k, v in event.items() if k not in ("kind", "at", "seq")}
            lines.append(f"{event['kind']} {rest}")
    return "".join(f"\n  {line}" for line in lines)
