"""gate_api.py - a stand-in for deploybot's requests of gates, as a job meets them: strict in what it takes."""
# SPDX-License-Identifier: ISC
#
# It checks each token by PyJWT (signature, issuer, audience, moment), binds it to the first request that changes
# something, lets only the same job ask again, and takes no body, path or header but those of the contract:
#
#     POST /v1/gate {"environment": "shop/production"}     202 {"id", "state", "said"}
#     GET /v1/work/ID                                      200, an object as docs/openapi.json has it
#     POST /v1/gate-end/ID {"conclusion": "success"}       202; also "failure", "cancelled"
#
# `states`: what the work is, one after the other, each time it is asked for; the last for ever: a word, or a dict with
# `state` and other keys of the answer.  `troubles`: what goes wrong with the next requests, one each: a status,
# (status, {header: value}), (status, said), "away" (no answer), "html", "off" (a 404 without words), "redirect", "long"
# or None.  `down`: all away.
# `asked` has (method, path, body, token) of each request, also of those.
import http.server
import json
import pathlib
import ssl
import threading

import jwt

SCHEMAS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.json").read_text("utf-8"))[
    "components"]["schemas"]
OVER = ("done", "failed", "refused", "cancelled", "expired", "superseded")
BEGUN = ("requested", "awaiting_confirmation", "awaiting_approval", "queued", "running")
ID = 12


class Refused(Exception):
    def __init__(self, status, said):
        super().__init__(said)
        self.status = status


class GateApi:
    def __init__(self, issuer, certificate=None):
        self.issuer = issuer
        self.states, self.troubles, self.asked, self.ended = ["running"], [], [], []
        self.down = False
        self.uses, self.job, self.environment = {}, None, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = f"https://localhost:{self.server.server_port}"
        self.audience = self.url
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # --- one request ---

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.asked.append((request.command, request.path, body.decode(), token))
        trouble = "away" if self.down else self.troubles.pop(0) if self.troubles else None
        if trouble == "away":
            request.close_connection = True
            return
        if trouble in ("html", "long", "off", "redirect"):
            text = {"html": b"<html>no</html>", "long": b'{"said":"' + 400_000 * b"x" + b'"}'}.get(trouble, b"")
            status = {"redirect": 302, "off": 404}.get(trouble, 200)
            self.send(request, status, text, {"Location": f"{self.url}/elsewhere"})
            return
        status, more = trouble if isinstance(trouble, tuple) else (trouble, "the server is busy: try again in a moment")
        headers = more if isinstance(more, dict) else {}
        try:
            if status:
                raise Refused(status, "too many requests: wait a moment" if headers else more)
            status, answer = self.decide(request, body, token)
        except Refused as refused:
            status, answer = refused.status, {"id": None, "state": None, "said": str(refused)}
        self.send(request, status, json.dumps(answer).encode(), headers)

    def send(self, request, status, text, headers):
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)

    def decide(self, request, body, token):
        job = self.enter(request, body, token)
        if request.command == "GET":
            if body or "Content-Type" in request.headers:
                raise Refused(400, "a GET has no body")
            if request.path != f"/v1/work/{ID}" or self.job != job:
                raise Refused(404, "no such work, or none of this job")
            return 200, self.work()
        if request.headers.get("Content-Type") != "application/json":
            raise Refused(415, "only application/json")
        said = json.loads(body)
        if request.path == "/v1/gate":
            return 202, self.begin(said, job)
        if request.path != f"/v1/gate-end/{ID}" or self.job != job:
            raise Refused(404, "no such work, or none of this job")
        if list(said) != ["conclusion"] or said["conclusion"] not in ("success", "failure", "cancelled"):
            raise Refused(400, "no conclusion")
        if self.ended:
            raise Refused(409, "that gate has ended")
        self.ended.append(said["conclusion"])
        return 202, {"id": ID, "state": "done", "said": ""}

    def enter(self, request, body, token):
        """The job that the token proves."""
        try:
            claims = jwt.decode(token, self.issuer.keys[0].private.public_key(), algorithms=["RS256"],
                                audience=self.audience, issuer=self.issuer.url)
        except jwt.PyJWTError as wrong:
            raise Refused(401, f"JWT: {wrong}") from None
        asked = (request.path, body)
        if request.command == "POST" and self.uses.setdefault(claims["jti"], asked) != asked:
            raise Refused(401, "token_replayed: this token was used for another request")
        return tuple(claims[name] for name in ("repository_id", "run_id", "run_attempt", "check_run_id"))

    def begin(self, said, job):
        if list(said) != ["environment"]:
            raise Refused(400, "it needs \"environment\", and takes nothing else")
        if self.job not in (None, job):
            raise Refused(409, "another job has it")
        self.job, self.environment = job, said["environment"]
        state = self.next_state()
        return {"id": ID, "said": "", **{name: state[name] for name in ("state", "said") if name in state}}

    def next_state(self):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return state if isinstance(state, dict) else {"state": state}

    def work(self):
        """As docs/openapi.json has it: all that it wants, and null where nothing is known."""
        state = self.next_state()
        known = {"work": ID, "environment": self.environment, "program": "action", "action": "open-gate",
                 "is_over": state["state"] in OVER, **state}
        return {**dict.fromkeys(SCHEMAS["work"]["required"]), **known}
