"""tsa.py - a stand-in for an RFC 3161 authority: HTTP around `openssl ts`, with an authority of its own.

`troubles` says what goes wrong with the next requests, one each:

    "500", "html"   answered so
    "other"         a stamp of another hash
    "replay"        the stamp that the last request got: its nonce is another one
    "refused"       a PKIStatus of 2 in a 200
    "stranger"      signed by somebody whom nobody trusts
    "huge"          more than an answer may have
"""
# SPDX-License-Identifier: ISC
import http.server
import pathlib
import subprocess
import threading

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamper]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = name
[name]
"""
REFUSED = bytes.fromhex("3015 3013 020102 300e 0c0c") + b"out of order"


class Authority:
    """A root, and a certificate that stamps, in a folder."""

    def __init__(self, folder, name):
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "serial").write_text("01\n", encoding="ascii")
        (folder / "cnf").write_text(CONFIG.format(folder=folder), encoding="ascii")
        self.openssl("req", "-config", "cnf", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key",
                     "-out", "ca.pem", "-subj", f"/CN={name} root", "-days", "3650", "-extensions", "ca")
        self.openssl("req", "-config", "cnf", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "csr",
                     "-subj", f"/O=Stamps/CN={name}")
        self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7",
                     "-days", "3650", "-extfile", "cnf", "-extensions", "stamper", "-out", "cert")

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True).stdout

    def reply(self, query):
        (self.folder / "query").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "cnf", "-section", "one", "-queryfile", "query", "-signer", "cert",
                     "-inkey", "key", "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def query(self, digest):
        self.openssl("ts", "-query", "-sha256", "-digest", digest, "-cert", "-out", "made")
        return (self.folder / "made").read_bytes()


class Tsa:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.authority = Authority(folder / "tsa", "Stamp Office")
        self.stranger = Authority(folder / "stranger", "Stamp Office")
        self.ca_file = self.authority.folder / "ca.pem"
        self.troubles, self.calls, self.last = [], [], None
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/stamp"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        query = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            trouble = self.troubles.pop(0) if self.troubles else None
            self.calls.append(trouble)
            status, kind, body = self.answer(handler, query, trouble)
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler, query, trouble):
        kind = "application/timestamp-reply"
        if handler.headers["Content-Type"] != "application/timestamp-query" or handler.path != "/stamp":
            return 415, "text/plain", b"a timestamp-query is wanted"
        fixed = {"500": (500, "text/plain", b"later"), "html": (200, "text/html", b"<html>"),
                 "refused": (200, kind, REFUSED), "huge": (200, kind, b"0" * 70000)}
        if trouble in fixed:
            return fixed[trouble]
        if trouble == "other":
            return 200, kind, self.authority.reply(self.authority.query("ab" * 32))
        if trouble == "replay":
            return 200, kind, self.last
        self.last = (self.stranger if trouble == "stranger" else self.authority).reply(query)
        return 200, kind, self.last
