"""syslog_tls.py - a stand-in for a syslog server over TLS, which refuses lines that RFC 5424 does not allow.

It reads until its client is gone, and keeps what it has read.
"""
# SPDX-License-Identifier: ISC
import collections
import pathlib
import re
import socket
import ssl
import subprocess
import threading

CONFIG = """
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[server]
basicConstraints = critical,CA:FALSE
subjectAltName = {names}
extendedKeyUsage = serverAuth
[client]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth
[req]
distinguished_name = name
[name]
"""
WAIT_S = 60
LOG_AUDIT = 13
HEADER = re.compile(rb"<(0|[1-9][0-9]{0,2})>1 "
                    rb"(-|[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
                    rb"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-2][0-9]:[0-5][0-9])) "
                    rb"(-|[!-~]{1,255}) (-|[!-~]{1,48}) (-|[!-~]{1,128}) (-|[!-~]{1,32}) ")
SD_NAME = rb"[!#-<>-\\^-~]{1,32}"
SD_ID = re.compile(rb"\[(" + SD_NAME + rb")(?=[ \]])")
SD_PARAM = re.compile(rb" (" + SD_NAME + rb')="((?:[^"\\\]]|\\["\\\]])*)"')
REGISTERED = {b"timeQuality", b"origin", b"meta"}

Received = collections.namedtuple("Received", "facility severity at host app process code params line")


class Refused(Exception):
    pass


def refuse_unless(is_right, what, text):
    if not is_right:
        raise Refused(f"{what}: {text[:200]!r}")


def read_elements(text):
    """The structured data and what stands behind it."""
    if text[:1] == b"-":
        return {}, text[1:]
    elements = {}
    while text[:1] == b"[":
        found = SD_ID.match(text)
        refuse_unless(found, "no SD-ID", text)
        name = found.group(1)
        refuse_unless(name in REGISTERED or re.fullmatch(rb"[^@]+@[1-9][0-9]*(\.[0-9]+)*", name), "SD-ID", name)
        refuse_unless(name not in elements, "SD-ID twice", name)
        text, params = text[found.end():], {}
        while text[:1] == b" ":
            found = SD_PARAM.match(text)
            refuse_unless(found, "no SD-PARAM", text)
            value = re.sub(rb'\\(["\\\]])', rb"\1", found.group(2))
            try:
                params[found.group(1).decode()] = value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Refused(f"PARAM-VALUE is not UTF-8: {value!r}") from error
            refuse_unless(not re.search(rb"[\x00-\x1f\x7f]", value), "control in PARAM-VALUE", value)
            text = text[found.end():]
        refuse_unless(text[:1] == b"]", "SD-ELEMENT does not end", text)
        elements[name] = params
        text = text[1:]
    refuse_unless(elements, "no structured data", text)
    return elements, text


def parse(message):
    """One SYSLOG-MSG with an entry of the audit."""
    found = HEADER.match(message)
    refuse_unless(found, "header", message)
    facility, severity = divmod(int(found.group(1)), 8)
    refuse_unless(facility == LOG_AUDIT, "PRI", message)
    elements, rest = read_elements(message[found.end():])
    refuse_unless(rest[:1] == b" ", "no blank before MSG", rest)
    refuse_unless(not rest[1:].startswith(b"\xef\xbb\xbf") and b"\n" not in rest, "MSG", rest)
    refuse_unless(list(elements) == [b"deploybot@32473"], "elements", message)
    texts = [found.group(n).decode() for n in range(2, 7)]
    return Received(facility, severity, *texts, elements[b"deploybot@32473"], rest[1:])


class Certificates:
    """An authority, a server's certificate for those names, and a client's."""

    def __init__(self, folder, names="DNS:localhost"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        (self.folder / "cnf").write_text(CONFIG.format(names=names), encoding="ascii")
        self.ca = self.folder / "ca.pem"
        self.openssl("req", "-config", "cnf", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=logs root", "-days", "3650",
                     "-extensions", "ca")
        for serial, name in enumerate(("server", "client"), 7):
            self.openssl("req", "-config", "cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                         "-keyout", f"{name}.key", "-out", "csr", "-subj", f"/CN={name}")
            self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(serial),
                         "-days", "3650", "-extfile", "cnf", "-extensions", name, "-out", f"{name}.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=WAIT_S)


class SyslogTls:
    """`received`: each message that was read, in its order; `refused`: why one was none."""

    def __init__(self, certificates, wants_client=False):
        self.certificates = certificates
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.folder / "server.pem", certificates.folder / "server.key")
        if wants_client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(certificates.ca)
        self.received, self.refused, self.failed = [], [], []
        self.is_over = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.is_over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(WAIT_S)
        self.listener.close()

    def serve(self):
        """One after the other: a client has one connection at a time."""
        while not self.is_over:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            raw.settimeout(1)
            try:
                self.take(raw)
            except OSError as error:    # also a client that was killed within a line, which it sends again
                self.failed.append(str(error))
            except Refused as error:
                self.refused.append(str(error))
            finally:
                raw.close()

    def take(self, raw):
        conn = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        data = b""
        while not self.is_over:
            try:
                got = conn.recv(65536)
            except TimeoutError:
                continue
            if not got:
                break
            data += got
            *messages, data = data.split(b"\n")
            self.received += map(parse, messages)
        conn.close()
