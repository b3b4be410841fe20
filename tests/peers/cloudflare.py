"""cloudflare.py - a stand-in for Cloudflare's API: security levels of zones, and as strict as it.

Refuses what Cloudflare refuses: no bearer token, another one, a zone that is not the token's, another method, a
body that is no {"value": LEVEL}.  `troubles` says what goes wrong with the next calls, one each:

    "500", "429", "html"    answered so, and nothing is done
    "lost"                  done, and the connection ends without an answer
    "gone"                  not done, and the connection ends without an answer
    "no"                    a 200 whose envelope says success: false; nothing is done
    "other"                 a 200 that names another level than was asked for; nothing is done
"""
# SPDX-License-Identifier: ISC
import http.server
import json
import re
import threading
import time

LEVELS = ("off", "essentially_off", "low", "medium", "high", "under_attack")
PATH = re.compile(r"/client/v4/zones/([0-9a-f]{32})/settings/security_level")
TOKEN = "cf-token-0123456789abcdefghijklmnopqrstuv"
ZONE = "0123456789abcdef0123456789abcdef"


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def envelope(result=None, errors=()):
    return {"success": not errors, "errors": list(errors), "messages": [], "result": result}


class Cloudflare:
    """`levels` is what each zone has; `calls` what was asked: (method, zone, value or None, status)."""

    def __init__(self, token=TOKEN, levels=None):
        self.token = token
        self.levels = dict(levels or {ZONE: "medium"})
        self.calls = []
        self.troubles = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                self.close_connection = True
                super().handle_one_request()

            def do_GET(self):
                outer.answer(self)

            do_PATCH = do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/client/v4"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def sets(self):
        """The values that were set, in order; what was not done is not there."""
        return [value for method, _, value, status in self.calls if method == "PATCH" and status == 200]

    def answer(self, request):
        size = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(size)
        with self.lock:
            trouble = self.troubles.pop(0) if self.troubles else None
            value = zone = None
            try:
                zone, value = self.read(request, body)
                status, text = self.carry_out(zone, value, trouble)
            except Refused as refused:
                status = refused.status
                text = json.dumps(envelope(errors=[{"code": refused.code, "message": str(refused)}]))
            self.calls.append((request.command, zone, value, status))
        if trouble in ("lost", "gone"):
            request.connection.close()
            return
        self.send(request, status, text, trouble)

    def read(self, request, body):
        """The zone, and the value that is to be set; Refused, as Cloudflare does."""
        authorization = request.headers.get("Authorization", "")
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40,}", authorization):
            raise Refused(400, 6003, "Invalid request headers")
        if authorization != f"Bearer {self.token}":
            raise Refused(403, 10000, "Authentication error")
        match = PATH.fullmatch(request.path)
        if not match or match[1] not in self.levels:
            raise Refused(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")
        if request.command == "GET":
            return match[1], None
        if request.command != "PATCH":
            raise Refused(405, 10405, "Method not allowed for this authentication scheme")
        if request.headers.get("Content-Type") != "application/json":
            raise Refused(415, 10015, "Content type must be application/json")
        return match[1], self.read_value(body)

    @staticmethod
    def read_value(body):
        try:
            value = json.loads(body)
        except ValueError:
            raise Refused(400, 6007, "Malformed JSON in request body") from None
        if not isinstance(value, dict) or list(value) != ["value"] or value["value"] not in LEVELS:
            raise Refused(400, 1007, "Invalid value for zone setting security_level")
        return value["value"]

    def carry_out(self, zone, value, trouble):
        if trouble == "500":
            return 500, json.dumps(envelope(errors=[{"code": 1000, "message": "internal error"}]))
        if trouble == "429":
            return 429, json.dumps(envelope(errors=[{"code": 971, "message": "Please wait, and throttle"}]))
        if trouble == "html":
            return 503, "<!DOCTYPE html><title>Just a moment...</title>"
        if trouble == "gone":
            return 0, ""
        if trouble == "no":
            return 200, json.dumps(envelope(errors=[{"code": 1006, "message": "You are not allowed to do that"}]))
        if value is not None and trouble != "other":
            self.levels[zone] = value
        level = "low" if trouble == "other" else self.levels[zone]
        return 200, json.dumps(envelope({"id": "security_level", "value": level, "editable": True,
                                         "modified_on": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}))

    @staticmethod
    def send(request, status, text, trouble):
        data = text.encode()
        request.send_response(status)
        request.send_header("Content-Type", "text/html" if trouble == "html" else "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.send_header("Ratelimit", '"default";r=1100;t=30')
        if trouble == "429":
            request.send_header("Retry-After", "1")
        request.end_headers()
        request.wfile.write(data)
