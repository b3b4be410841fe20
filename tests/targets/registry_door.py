"""registry_door.py - stands between everybody and the registry, and misbehaves as a test says.

A rule is what is done with the requests that it matches; the first that matches counts. Without rules all is handed on
as it is. What was asked is in `asked`, and how often each rule was hit in its `hits`.
"""
# SPDX-License-Identifier: ISC
import http.client
import http.server
import threading

CHUNK = 65536
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


class Rule:
    """What happens to requests whose method and path have these words, from this address."""

    def __init__(self, method="", path="", who=None):
        self.method = method
        self.path = path
        self.who = who
        self.hits = 0
        self.times = None       # after so many hits it is none
        self.status = None      # answered instead, with
        self.body = b""
        self.gate = None        # an Event that answers wait for
        self.reached = threading.Event()
        self.spoil = False      # bytes of the body are changed
        self.cut = None         # hangs up after so many bytes of the body
        self.pause_s = 0.0      # in front of each kilobyte of the body
        self.over = threading.Event()   # no longer a rule: whoever is slow hurries up
        self.digest = None      # Docker-Content-Digest that is answered

    def matches(self, handler):
        return self.method in ("", handler.command) and self.path in handler.path and \
            self.who in (None, handler.client_address[0]) and (self.times is None or self.hits < self.times)


class RegistryDoor:
    """Listens on one address and asks another."""

    def __init__(self, where, registry):
        self.registry = registry
        self.rules = []
        self.asked = []         # (method, path, who)
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self.serve
                raise AttributeError(name)

            def serve(self):
                door.serve(self)

            def send_error(self, *arguments, **options):
                # To whoever begins with TLS too in HTTP's words, by which clients know that there is none.
                self.request_version = self.protocol_version
                super().send_error(*arguments, **options)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(where, Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, **what):
        """A rule; its matching words and what it does."""
        rule = Rule(what.pop("method", ""), what.pop("path", ""), what.pop("who", None))
        for name, value in what.items():
            if not hasattr(rule, name):
                raise ValueError(name)
            setattr(rule, name, value)
        self.rules.insert(0, rule)
        return rule

    def behave(self):
        """No rule from here on; whoever waits at a gate goes on."""
        rules, self.rules = self.rules, []
        for rule in rules:
            rule.over.set()
            if rule.gate is not None:
                rule.gate.set()

    def close(self):
        self.behave()
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        self.asked.append((handler.command, handler.path, handler.client_address[0]))
        rule = next((rule for rule in self.rules if rule.matches(handler)), None)
        if rule is None:
            rule = Rule()
        rule.hits += 1
        rule.reached.set()
        if rule.gate is not None:
            rule.gate.wait()
        if rule.status is not None:
            self.answer_instead(handler, rule)
        else:
            self.hand_on(handler, rule)

    @staticmethod
    def answer_instead(handler, rule):
        handler.close_connection = True
        handler.send_response(rule.status)
        handler.send_header("Content-Length", str(len(rule.body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(rule.body)

    def hand_on(self, handler, rule):
        body = read_body(handler)
        asked = http.client.HTTPConnection(*self.registry, timeout=120)
        try:
            asked.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            # One name may come several times: Accept does.
            for name, value in handler.headers.items():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    asked.putheader(name, value)
            if body is not None:
                asked.putheader("Content-Length", str(len(body)))
            asked.endheaders(body)
            answer = asked.getresponse()
            self.hand_back(handler, answer, rule)
        finally:
            asked.close()

    @staticmethod
    def hand_back(handler, answer, rule):
        handler.send_response(answer.status)
        length = answer.getheader("Content-Length")
        for name, value in answer.getheaders():
            if name.lower() == "docker-content-digest" and rule.digest is not None:
                value = rule.digest
            if name.lower() not in HOP_BY_HOP | {"server", "date"}:
                handler.send_header(name, value)
        if length is None and handler.command != "HEAD" and answer.status not in (204, 304):
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        sent = 0
        while handler.command != "HEAD":
            if rule.pause_s:
                rule.over.wait(rule.pause_s)
            piece = answer.read(1024 if rule.pause_s and not rule.over.is_set() else CHUNK)
            if not piece:
                break
            if rule.spoil:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
            if rule.cut is not None and sent + len(piece) > rule.cut:
                handler.wfile.write(piece[:rule.cut - sent])
                handler.close_connection = True
                break
            handler.wfile.write(piece)
            sent += len(piece)


def read_body(handler):
    """The request's body, whole."""
    length = handler.headers.get("Content-Length")
    if length is not None:
        return handler.rfile.read(int(length))
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return None
    body = b""
    while True:
        size = int(handler.rfile.readline().split(b";")[0], 16)
        body += handler.rfile.read(size)
        handler.rfile.readline()
        if size == 0:
            return body
