"""The real nginx with the configuration that ships, on ports of its own, and servers to stand behind it."""
# SPDX-License-Identifier: ISC
import hashlib
import http.client
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from stage import free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "nginx"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NAME = "deploybot.example.com"
PATIENCE_S = 60


def need_nginx():
    if not os.path.exists(NGINX):
        pytest.skip("nginx is not installed")


class Upstream(http.server.ThreadingHTTPServer):
    """Remembers what came; answers as the test says."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.seen = []          # (method, path, header fields, the body's SHA-256)
        self.status = 200
        self.fields = {}        # more header fields of each answer
        self.gate = None        # an event that answers wait for
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.seen.append(
            (self.command, self.path, list(self.headers.items()), hashlib.sha256(body).hexdigest()))
        if self.server.gate is not None:
            self.server.gate.wait(PATIENCE_S)
        self.send_response(self.server.status)
        for name, value in self.server.fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = do_OPTIONS = reply

    def log_message(self, *args):
        pass


def replace(text, pattern, value, times=1):
    """Every line of the shipped file that a test changes must be there."""
    text, found = re.subn(pattern, value, text, flags=re.M)
    assert found == times, f"{pattern}: {found} times"
    return text


def adapt(text, folder, port, plain_port, upstream):
    """What the ADAPT marks ask for, for a test; upstream: an address, None when the changes name some."""
    for pattern, value, times in [
        # The workers must reach the folder of this test.
        (r"^user www-data;", "user root;" if os.geteuid() == 0 else "", 1),
        (r"^pid .*?;", f"pid {folder}/nginx.pid;", 1),
        (r"^error_log /\S+", f"error_log {folder}/error.log", 1),
        (r"access_log \S+ deploybot;", f"access_log {folder}/access.log deploybot;", 1),
        (r"^\t\tserver 127\.0\.0\.1:8080;", f"\t\tserver {upstream};" if upstream else "", 1),
        (r"listen 443 ssl http2", f"listen 127.0.0.1:{port} ssl http2", 2),
        (r"listen 80\b", f"listen 127.0.0.1:{plain_port}", 2),
        (r"^\t\tlisten \[::\]:.*\n", "", 4),
        (r"ssl_certificate /\S+;", f"ssl_certificate {folder}/cert.pem;", 1),
        (r"ssl_certificate_key /\S+;", f"ssl_certificate_key {folder}/key.pem;", 1),
        (r"root /var/www/letsencrypt;", f"root {folder}/www;", 1),
    ]:
        text = replace(text, pattern, value, times)
    paths = "".join(f"\t{name}_temp_path {folder}/{name};\n"
                    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return text.replace("http {\n", "http {\n" + paths, 1)


class Proxy:
    """changes: (pattern, replacement) pairs beyond what every test adapts."""

    def __init__(self, folder, upstream, changes=()):
        self.folder = str(folder)
        self.port, self.plain_port = free_port(), free_port()
        self.conf = os.path.join(self.folder, "nginx.conf")
        self.renew()
        shutil.copy(SHIPPED / "telegram-networks.conf", self.folder)
        os.makedirs(f"{self.folder}/www/.well-known/acme-challenge", exist_ok=True)
        text = (SHIPPED / "nginx.conf").read_text(encoding="utf-8")
        text = adapt(text, self.folder, self.port, self.plain_port, upstream)
        for pattern, value in changes:
            text = replace(text, pattern, value, len(re.findall(pattern, text, re.M)) or 1)
        pathlib.Path(self.conf).write_text(text, encoding="utf-8")
        self.process = None

    def renew(self):
        """Another certificate, as certbot would put it in the place of the old one."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
             f"/CN={NAME}", "-keyout", f"{self.folder}/key.pem", "-out",
             f"{self.folder}/cert.pem"],
            check=True, capture_output=True)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def shown(self):
        """The certificate that a client sees."""
        with self.connect() as conn:
            return ssl.DER_cert_to_PEM_cert(conn.getpeercert(binary_form=True))

    def check(self):
        return subprocess.run([NGINX, "-t", "-q", "-p", self.folder, "-c", self.conf],
                              capture_output=True, text=True, check=False)

    def start(self):
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-c", self.conf, "-g", "daemon off;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def is_up():
            assert self.process.poll() is None, self.errors()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                return False
        wait_until(is_up, PATIENCE_S, "nginx")
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
            self.process = None

    def errors(self):
        path = os.path.join(self.folder, "error.log")
        return open(path, encoding="utf-8").read() if os.path.exists(path) else ""

    def log(self):
        with open(os.path.join(self.folder, "access.log"), encoding="utf-8") as f:
            return f.read()

    def tls(self, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        alpn = options.pop("alpn", None)
        if alpn:
            context.set_alpn_protocols(alpn)
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def connect(self, name=NAME, source="127.0.0.1", timeout=PATIENCE_S, **options):
        """A TLS connection as it stands after the handshake; name None: no SNI."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0))
        try:
            return self.tls(**options).wrap_socket(raw, server_hostname=name)
        except OSError:
            raw.close()
            raise

    def ask(self, method, path, body=None, headers=None, source="127.0.0.1"):
        connection = http.client.HTTPConnection(NAME, timeout=PATIENCE_S)
        connection.sock = self.connect(source=source)
        return self.answer_of(connection, method, path, body, headers)

    def ask_plain(self, method, path, body=None, headers=None):
        """The same at port 80."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE_S)
        return self.answer_of(connection, method, path, body, headers)

    @staticmethod
    def answer_of(connection, method, path, body, headers):
        try:
            connection.request(method, path, body, {"Host": NAME, **(headers or {})})
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            connection.close()

    def raw(self, request, **options):
        """The status of a request sent byte by byte as it is; 0 when none is said."""
        with self.connect(**options) as s:
            s.sendall(request)
            try:
                answer = s.recv(4096)
            except ConnectionResetError:
                return 0
            return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else 0
