"""peers_aid.py - somebody who receives webhooks and answers as a test says."""
# SPDX-License-Identifier: ISC
import http.server
import json
import threading
import time


class Receiver:
    """A webhook that answers what a test says and remembers what came."""

    def __init__(self):
        self.answers = []
        self.got = []
        self.lock = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = receiver.take(self, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, handler, body):
        with self.lock:
            self.got.append({"at": time.monotonic(), "headers": dict(handler.headers),
                             "body": body})
            self.lock.notify_all()
            return self.answers.pop(0) if self.answers else (200, {}, b"")

    def wait(self, count, timeout=10):
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.got) >= count, timeout), len(self.got)
            return list(self.got)

    def updates(self):
        with self.lock:
            return [json.loads(entry["body"]) for entry in self.got]
