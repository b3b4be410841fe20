# SPDX-License-Identifier: ISC
"""notified.py - those who are told besides the chat: a webhook, Slack, Discord and Matrix, each as strict as it is.

A call that the real one would refuse is refused with its words, and stands in `refused`.  What was taken stands in
`taken`, in order: Taken(where, key, text, body); `rings` has what would have rung people.  `troubles[where]` says what
goes wrong with the next calls there, one each: a status, ("status", {header: value}, body), or "hang" (nothing until
`release` is set); who is in `down` answers 503 to all.  Webhooks are proved by this file alone, after the text of
github.com/standard-webhooks/standard-webhooks spec/ 1.0.0.
"""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
import urllib.parse

SLACK_PATH = "/services/T01AB2CD3/B04EF5GH6/abcdefghijklmnopqrstuvwx"
DISCORD_PATH = "/api/webhooks/123456789012345678/" + "a" * 68
ROOM = "!ops:example.org"
MATRIX_TOKEN = "syt_bot_0123456789abcdefghij"
KEYS = ["whsec_" + base64.b64encode(bytes(range(n, n + 32))).decode() for n in (1, 101)]
TOLERANCE_S = 300

Taken = collections.namedtuple("Taken", "where key text body")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(body)
        self.status, self.body = status, body


def verify(headers, body, secrets):
    """Which of these secrets the body is signed with; ValueError: with none, or not as the spec has it."""
    key, at = headers["webhook-id"], headers["webhook-timestamp"]
    if not key or "." in key or not re.fullmatch("[0-9]+", at or "") or abs(time.time() - int(at)) > TOLERANCE_S:
        raise ValueError("id or timestamp")
    given = [part.partition(",")[2] for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
    good = []
    for secret in secrets:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        wanted = base64.b64encode(hmac.new(raw, f"{key}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(wanted, one) for one in given):
            good.append(secret)
    if not good:
        raise ValueError("no signature fits")
    return good


class Notified:
    """`secrets`: with which of them a webhook may be signed."""

    def __init__(self, port=0):
        self.secrets = list(KEYS)
        self.taken, self.refused, self.rings, self.tries = [], [], [], []
        self.signed, self.raw, self.down, self.is_member = [], [], set(), True
        self.troubles = collections.defaultdict(list)
        self.release = threading.Event()
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self):
                if outer.release.is_set():      # closed: a kept connection ends without an answer
                    self.close_connection = True
                else:
                    outer.answer(self)

            do_PUT = do_POST

            def do_GET(self):
                outer.show(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def of(self, where):
        with self.lock:
            return [one for one in self.taken if one.where == where]

    def settings(self):
        """Of each kind, for every word of every environment."""
        what = "*/*: question live failed rolled-back down restored"
        return {
            "NOTIFY_HOOK_TO": "webhook", "NOTIFY_HOOK_URL": f"{self.base}/hook", "NOTIFY_HOOK_SECRET": KEYS[0],
            "NOTIFY_HOOK_WHAT": what,
            "NOTIFY_SLACK_TO": "slack", "NOTIFY_SLACK_URL": self.base + SLACK_PATH, "NOTIFY_SLACK_WHAT": what,
            "NOTIFY_DISCORD_TO": "discord", "NOTIFY_DISCORD_URL": self.base + DISCORD_PATH,
            "NOTIFY_DISCORD_WHAT": what,
            "NOTIFY_MATRIX_TO": "matrix", "NOTIFY_MATRIX_URL": self.base, "NOTIFY_MATRIX_SECRET": MATRIX_TOKEN,
            "NOTIFY_MATRIX_ROOM": ROOM, "NOTIFY_MATRIX_WHAT": what}

    # --- what is there, without a message ---

    def show(self, handler):
        status, said = 404, {"errcode": "M_UNRECOGNIZED", "code": 10015}
        if handler.path == DISCORD_PATH:
            status, said = 200, {"id": "123456789012345678", "type": 1}
        elif handler.path == f"/_matrix/client/v3/rooms/{urllib.parse.quote(ROOM, safe='')}/state/m.room.create/":
            if handler.headers.get("Authorization") != f"Bearer {MATRIX_TOKEN}":
                status, said = 401, {"errcode": "M_UNKNOWN_TOKEN"}
            else:
                status, said = (200, {"room_version": "11"}) if self.is_member else (403, {"errcode": "M_FORBIDDEN"})
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    # --- an answer ---

    def answer(self, handler):
        size = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(size)
        take = {"/hook": self.take_webhook, SLACK_PATH: self.take_slack, DISCORD_PATH: self.take_discord}.get(
            handler.path, self.take_matrix)
        where = take.__name__.removeprefix("take_")
        with self.lock:
            self.tries.append(where)
            trouble = 503 if where in self.down else self.troubles[where].pop(0) if self.troubles[where] else None
        if trouble == "hang":
            self.release.wait()
            handler.close_connection = True
            return
        headers = {}
        try:
            if isinstance(trouble, int):
                raise Refused(trouble, "")
            if trouble is not None:
                headers = trouble[1]
                raise Refused(trouble[0], trouble[2])
            if handler.headers.get("Content-Type") != "application/json":
                raise Refused(400, "no JSON")
            with self.lock:
                status, said = take(handler, body)
        except Refused as refused:
            status, said = refused.status, refused.body
            if trouble is None:
                self.refused.append((where, status, said))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(said.encode())))
        handler.end_headers()
        handler.wfile.write(said.encode())

    def take_webhook(self, handler, body):
        if handler.command != "POST" or len(body) > 20_000:
            raise Refused(413, "")
        try:
            self.signed.append(verify(handler.headers, body, self.secrets))
        except ValueError as error:
            raise Refused(401, str(error)) from error
        self.raw.append((dict(handler.headers), body.decode()))
        said = json.loads(body)
        if set(said) != {"type", "timestamp", "data"}:
            raise Refused(400, "type, timestamp, data")
        self.taken.append(Taken("webhook", handler.headers["webhook-id"], said["type"], said))
        return 204, ""

    def take_slack(self, handler, body):
        try:
            text = json.loads(body)["text"]
        except (ValueError, KeyError) as error:
            raise Refused(400, "invalid_payload") from error
        if not text:
            raise Refused(400, "no_text")
        if len(text) > 3000:
            raise Refused(400, "msg_too_long")
        self.rings += re.findall(r"<[!@#][^>]*>", text)
        if re.search(r"<|>|&(?!(amp|lt|gt);)", text):
            raise Refused(400, "invalid_blocks")
        plain = text if json.loads(body).get("mrkdwn") is False else re.sub("[*_`~]", "", text)
        plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        self.taken.append(Taken("slack", "", plain, text))
        return 200, "ok"

    def take_discord(self, handler, body):
        said = json.loads(body)
        if not 0 < len(said["content"]) <= 2000:
            raise Refused(400, json.dumps({"code": 50035, "message": "Invalid Form Body"}))
        if said.get("allowed_mentions") != {"parse": []}:
            self.rings += re.findall("@everyone|@here|<@[^>]*>", said["content"])
        plain = re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)[*_`]", "", said["content"]))
        self.taken.append(Taken("discord", "", plain, said["content"]))
        return 204, ""

    def take_matrix(self, handler, body):
        path = re.fullmatch(r"/_matrix/client/v3/rooms/([^/]+)/send/m\.room\.message/([0-9a-f]{32})", handler.path)
        if path is None or handler.command != "PUT":
            raise Refused(404, json.dumps({"errcode": "M_UNRECOGNIZED"}))
        if handler.headers.get("Authorization") != f"Bearer {MATRIX_TOKEN}":
            raise Refused(401, json.dumps({"errcode": "M_UNKNOWN_TOKEN"}))
        if urllib.parse.unquote(path[1]) != ROOM or ":" in path[1]:
            raise Refused(403, json.dumps({"errcode": "M_FORBIDDEN"}))
        said = json.loads(body)
        if said["msgtype"] != "m.notice" or said["format"] != "org.matrix.custom.html":
            raise Refused(400, json.dumps({"errcode": "M_BAD_JSON"}))
        if said.get("m.mentions") != {}:
            self.rings.append(said["body"])
        if all(one.key != path[2] for one in self.taken if one.where == "matrix"):
            self.taken.append(Taken("matrix", path[2], said["body"], said))
        return 200, json.dumps({"event_id": f"${path[2]}"})
