"""A TLS server with a certificate of any age, which nobody has signed but itself."""
# SPDX-License-Identifier: ISC
import datetime
import pathlib
import socket
import ssl
import subprocess
import threading

OPENSSL = "/usr/bin/openssl"
CA_SETTINGS = """[ca]
default_ca = here
[here]
dir = {folder}
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def openssl(folder, *words):
    subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificate(folder, expires, name="localhost"):
    """cert.pem and key.pem in that folder; expires: seconds since 1970, also of the past."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    def stamp(at):
        return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y%m%d%H%M%SZ")
    (folder / "index.txt").write_text("", encoding="ascii")
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "ca.cnf").write_text(CA_SETTINGS.format(folder=folder), encoding="ascii")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
            "-subj", f"/CN={name}", "-keyout", "key.pem", "-out", "request.pem")
    openssl(folder, "ca", "-batch", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem",
            "-in", "request.pem", "-out", "cert.pem", "-notext",
            "-startdate", stamp(expires - 86400 * 90), "-enddate", stamp(expires))
    return folder


class TlsServer:
    """Shows a certificate to whoever comes; answers 404, or nothing at all, and keeps what it was
    asked."""

    def __init__(self, folder, silent=False):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.show(folder)
        self.silent = silent
        self.asked = []
        self.kept = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def show(self, folder):
        """Another certificate, from the next connection on."""
        self.context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")

    def serve(self):
        while True:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(raw,), daemon=True).start()

    def answer(self, raw):
        raw.settimeout(30)
        try:
            conn = self.context.wrap_socket(raw, server_side=True)
            self.asked.append(conn.recv(4096))
            if self.silent:
                self.kept.append(conn)
                return
            conn.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            conn.close()
        except OSError:
            raw.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)
        for conn in self.kept:
            conn.close()
