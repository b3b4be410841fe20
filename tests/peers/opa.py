# SPDX-License-Identifier: ISC
"""opa.py - a stand-in for OPA's REST API, POST of one rule's address, and as strict as it.

Refuses what OPA refuses, with its words: another method, a path that is no document's, a body that is no JSON object,
a bearer token that is missing or another one where it has one.  An address without a rule, and a rule that is
undefined for an input, are 200 and {}.  `decide` is the policy: from the input to `result`, or UNDEFINED; `troubles`
says what goes wrong with the next calls, one each:

    "500"       an error of OPA's: {"code", "message"}
    "html"      200 and a page of what stands before it
    "late"      nothing until `release` is set
    "cut"       the connection ends in the middle of the answer
    "large"     more than anybody takes
    a dict      200, and that as the whole body

While `is_away` each connection ends without an answer.
"""
import http.server
import json
import threading
import uuid

TOKEN = "opa-token-0123456789abcdefghijklmnopqrstuv"
UNDEFINED = object()


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class Opa:
    """`inputs` is what was asked, in order; `calls` what was answered: (method, path, status)."""

    def __init__(self, decide=lambda asked: True, token=None, rule="deploybot/allow", logs=True):
        self.decide, self.token, self.logs, self.rule = decide, token, logs, rule
        self.inputs, self.calls, self.troubles = [], [], []
        self.is_away = False
        self.release = threading.Event()
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1       # head and body in one segment

            def do_POST(self):
                outer.answer(self)

            do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.url = f"{self.base}/v1/data/{rule}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def of_stage(self, stage):
        """What was asked at that stage, in order."""
        return [asked for asked in self.inputs if asked.get("stage") == stage]

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self.is_away:
            request.close_connection = True
            return
        with self.lock:
            trouble = self.troubles.pop(0) if self.troubles else None
        try:
            status, text = 200, self.carry_out(request, body, trouble)
        except Refused as refused:
            status = refused.status
            text = json.dumps({"code": refused.code, "message": str(refused)})
        with self.lock:
            self.calls.append((request.command, request.path, status))
        if trouble == "late":
            self.release.wait()
        self.send(request, status, text, trouble)

    def carry_out(self, request, body, trouble):
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(401, "unauthorized", "request rejected by administrative policy")
        path, _, _ = request.path.partition("?")
        if not path.startswith("/v1/data/"):
            raise Refused(404, "resource_not_found", "no such path")
        if request.command != "POST":
            raise Refused(405, "invalid_method", f"method {request.command} is not of this peer")
        try:
            document = json.loads(body) if body else {}
        except ValueError:
            raise Refused(400, "invalid_parameter", "error(s) occurred while parsing request body") from None
        if not isinstance(document, dict) or request.headers.get("Content-Type") != "application/json":
            raise Refused(400, "invalid_parameter", "request body must be a JSON object with an input")
        if trouble == "500":
            raise Refused(500, "internal_error", "error(s) occurred while evaluating query")
        if isinstance(trouble, dict):
            return json.dumps(trouble)
        if trouble == "html":
            return "<!DOCTYPE html><title>Sign in</title>"
        if trouble == "large":
            return json.dumps({"result": True, "more": "x" * 70000})
        with self.lock:
            self.inputs.append(document.get("input"))
        decided = self.decide(document.get("input")) if path == f"/v1/data/{self.rule}" else UNDEFINED
        said = {"decision_id": str(uuid.uuid4())} if self.logs else {}
        if decided is not UNDEFINED:
            said["result"] = decided
        return json.dumps(said)

    @staticmethod
    def send(request, status, text, trouble):
        data = text.encode()
        try:
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if trouble == "html" else "application/json")
            request.send_header("Content-Length", str(len(data) + (trouble == "cut")))
            request.end_headers()
            request.wfile.write(data)
            if trouble == "cut":
                request.close_connection = True
        except OSError:
            request.close_connection = True
