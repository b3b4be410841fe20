"""imds.py - a stand-in for the metadata of an EC2 machine, version 2 alone, at http://169.254.169.254.

As strict as it: a token by PUT with a time to live of 1 s to 6 h, refused to what came through a proxy; everything else
by GET with a token that is valid, else 401.  `role` is the machine's (None: it has none), `keys` what that has now.

own_network(function) calls it in a thread that has a network of its own, in which that address is this machine's: what
is started there, processes too, is in it.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import ctypes
import datetime
import http.server
import json
import os
import re
import secrets
import subprocess
import threading
import time

ADDRESS = "169.254.169.254"
CLONE_NEWNET = 0x40000000
TTL_MOST_S = 21600
ROLES = "/latest/meta-data/iam/security-credentials/"


def own_network(function):
    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        for words in (("link", "set", "lo", "up"), ("address", "add", f"{ADDRESS}/32", "dev", "lo")):
            subprocess.run(["ip", *words], check=True)
        return function()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(enter).result()


class Imds:
    def __init__(self, role, access, secret, token):
        self.role, self.keys = role, (access, secret, token)
        self.tokens = {}    # until when (monotonic)
        self.calls = []     # (method, path, status)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = outer.answer(self.command, self.path, self.headers)
                outer.calls.append((self.command, self.path, status))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_HEAD = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((ADDRESS, 80), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, headers):
        if method == "PUT" and path == "/latest/api/token":
            return self.make_token(headers)
        if method != "GET":
            return 405, b""
        if self.tokens.get(headers.get("X-aws-ec2-metadata-token"), 0) < time.monotonic():
            return 401, b"<?xml version=\"1.0\"?><title>401 - Unauthorized</title>"
        if self.role is not None and path == ROLES:
            return 200, self.role.encode()
        if self.role is not None and path == ROLES + self.role:
            return 200, self.credentials()
        return 404, b"<?xml version=\"1.0\"?><title>404 - Not Found</title>"

    def make_token(self, headers):
        ttl = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if "X-Forwarded-For" in headers:
            return 403, b""
        if not re.fullmatch(r"[1-9]\d{0,4}", ttl) or int(ttl) > TTL_MOST_S or headers.get("Content-Length", "0") != "0":
            return 400, b""
        token = secrets.token_urlsafe(40) + "=="
        self.tokens[token] = time.monotonic() + int(ttl)
        return 200, token.encode()

    def credentials(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        access, secret, token = self.keys
        return json.dumps({"Code": "Success", "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "Type": "AWS-HMAC",
                           "AccessKeyId": access, "SecretAccessKey": secret, "Token": token,
                           "Expiration": (now + datetime.timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()
