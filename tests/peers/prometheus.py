# SPDX-License-Identifier: ISC
"""prometheus.py - a stand-in for Prometheus's HTTP API, GET /api/v1/query, and as strict as it.

Refuses what Prometheus refuses, with its words: another path or method, a parameter that it does not know, a time that
is no number, a query whose brackets or quotes do not match, a token or password that is missing or another one where it
has one.  `values` says what there is: from the text of a query to a number (one series without labels), a list of
(labels, number), or nothing where it is not named: no series.  `troubles` says what goes wrong with the next calls, one
each:

    503, 422, 400    an error of Prometheus's, by its status
    "html"      200 and a page of what stands before it
    "late"      nothing until `release` is set
    "cut"       the connection ends in the middle of the answer
    "large"     20 MB
    "old"       samples of an hour ago
    "warns"     an answer with a warning
    "redirect"  302 to another place
    a dict      200, and that as the whole body

While `is_away` each connection ends without an answer.
"""
import base64
import http.server
import json
import threading
import time
import urllib.parse

TOKEN = "prometheus-token-0123456789abcdefghijklmn"
WORDS = {400: ("bad_data", 'invalid parameter "query": 1:5: parse error: unexpected identifier "of"'),
         503: ("timeout", "query timed out in expression evaluation"),
         422: ("execution", "query processing would load too many samples into memory in query execution")}


class Refused(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind = status, kind


def check_promql(query):
    """Raises where a quote or a bracket is not closed, as the parser there does; no more of PromQL is known here."""
    opened, quote, escaped = [], None, False
    for at, letter in enumerate(query):
        if quote:
            if escaped:
                escaped = False
            elif letter == "\\" and quote != "`":
                escaped = True
            elif letter == quote:
                quote = None
        elif letter in "\"'`":
            quote = letter
        elif letter in "([{":
            opened.append({"(": ")", "[": "]", "{": "}"}[letter])
        elif letter in ")]}" and (not opened or opened.pop() != letter):
            raise Refused(400, "bad_data", f'invalid parameter "query": 1:{at + 1}: parse error: unexpected {letter}')
    if quote or opened or not query:
        raise Refused(400, "bad_data", 'invalid parameter "query": parse error: unexpected end of input')


class Prometheus:
    """`queries` is what was asked, in order."""

    def __init__(self, token=None, user=None):
        self.user, self.token = user, token
        self.values, self.queries, self.troubles = {}, [], []
        self.is_away = False
        self.release = threading.Event()
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1       # head and body in one segment

            def do_GET(self):
                outer.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def proof(self):
        if self.user is None:
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()

    def answer(self, request):
        if self.is_away:
            request.close_connection = True
            return
        with self.lock:
            trouble = self.troubles.pop(0) if self.troubles else None
        try:
            status, text = 200, self.carry_out(request, trouble)
        except Refused as refused:
            status = refused.status
            text = json.dumps({"status": "error", "errorType": refused.kind, "error": str(refused)})
        if trouble == "late":
            self.release.wait()
        self.send(request, 302 if trouble == "redirect" else status, text, trouble)

    def carry_out(self, request, trouble):
        path, _, rest = request.path.partition("?")
        if self.token is not None and request.headers.get("Authorization") != self.proof():
            raise Refused(401, "unauthorized", "Unauthorized")
        if path != "/api/v1/query":
            raise Refused(404, "not_found", "404 page not found")
        if request.command != "GET":
            raise Refused(405, "bad_data", f"method {request.command} is not of this peer")
        asked = dict(urllib.parse.parse_qsl(rest, strict_parsing=True, keep_blank_values=True))
        if set(asked) != {"query", "time", "timeout"}:
            raise Refused(400, "bad_data", f"parameters {sorted(asked)}")
        try:
            at = float(asked["time"])
        except ValueError:
            raise Refused(400, "bad_data", 'invalid parameter "time"') from None
        if abs(at - time.time()) > 60:
            raise Refused(400, "bad_data", f"time {at} is not now")
        check_promql(asked["query"])
        with self.lock:
            self.queries.append(asked["query"])
        if trouble in WORDS:
            raise Refused(trouble, *WORDS[trouble])
        if isinstance(trouble, dict):
            return json.dumps(trouble)
        if trouble == "html":
            return "<!DOCTYPE html><title>Sign in</title>"
        if trouble == "large":
            return json.dumps({"status": "success", "data": {"resultType": "vector", "result": []},
                               "more": "x" * 20_000_000})
        return json.dumps(self.vector(asked["query"], at - (3600 if trouble == "old" else 0), trouble))

    def vector(self, query, at, trouble):
        has = self.values.get(query, [])
        series = has if isinstance(has, list) else [({}, has)]
        answer = {"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": labels, "value": [at, str(value)]} for labels, value in series]}}
        if trouble == "warns":
            answer["warnings"] = ["not all of it could be read"]
        return answer

    @staticmethod
    def send(request, status, text, trouble):
        data = text.encode()
        try:
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if trouble == "html" else "application/json")
            request.send_header("Content-Length", str(len(data) + (trouble == "cut")))
            if trouble == "redirect":
                request.send_header("Location", "http://127.0.0.1:1/api/v1/query")
            request.end_headers()
            request.wfile.write(data)
            if trouble == "cut":
                request.close_connection = True
        except OSError:
            request.close_connection = True
