"""syslog_tls.py - a stand-in for a syslog server over TLS (RFC 5425), which refuses whatever RFC 5424 does not allow.

It reads until its client closes TLS, keeps what it has read, and closes the connection.  `troubles` of the next ones:
"reset" (gone before the handshake), "cut" (reads one frame and is killed: what it has not read is lost), "early"
(closes in order without having been asked to), "bare" (reads all, ends without a word of TLS), "swallowed" (a relay
that takes all bytes and shows nobody any), "held" (closes when `release` is set), "talks" (says a lot).
"""
# SPDX-License-Identifier: ISC
import collections
import os
import pathlib
import re
import socket
import ssl
import struct
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
CLOSE_NOTIFY = 19       # bytes of its record in TLS 1.3: two, their kind, a tag
FRAME_MAX = 32768
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
    """One SYSLOG-MSG of deploybot's."""
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


def cut_frame(data):
    """(SYSLOG-MSG, what is behind it), or None while bytes are missing."""
    length, blank, rest = data.partition(b" ")
    refuse_unless(re.fullmatch(rb"[1-9][0-9]{0,5}", length) or (not blank and len(data) < 6), "MSG-LEN", data)
    if not blank or len(rest) < int(length):
        refuse_unless(not blank or int(length) <= FRAME_MAX, "MSG-LEN", data)
        return None
    return rest[:int(length)], rest[int(length):]


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
    """`received`: each frame that was read, in its order; `raw`: the same as bytes; `refused`: why one was none."""

    def __init__(self, certificates, wants_client=False):
        self.certificates = certificates
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.folder / "server.pem", certificates.folder / "server.key")
        if wants_client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(certificates.ca)
        self.received, self.raw, self.refused, self.troubles = [], [], [], []
        self.is_over = False
        self.release = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def settings(self):
        return {"AUDIT_SYSLOG_SERVER": f"localhost:{self.port}", "AUDIT_SYSLOG_CA": str(self.certificates.ca)}

    def close(self):
        self.is_over = True
        self.release.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(WAIT_S)
        self.listener.close()

    def lines(self):
        return [entry.line for entry in self.received]

    def serve(self):
        """One after the other: a client has one connection at a time."""
        while not self.is_over:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            raw.settimeout(WAIT_S)
            trouble = self.troubles.pop(0) if self.troubles else None
            try:
                self.take(raw, trouble)
            except (OSError, Refused) as error:
                if isinstance(error, Refused):
                    self.refused.append(str(error))
            finally:
                raw.close()

    @staticmethod
    def kill(raw):
        """As the kernel does with the socket of a process that was killed with something unread."""
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    @staticmethod
    def swallow(conn):
        """All records up to the one that is as short as a close_notify, as they came."""
        def read(size):
            data = b""
            while len(data) < size:
                data += os.read(conn.fileno(), size - len(data)) or b"\0" * size
            return data
        conn.settimeout(None)
        while (size := int.from_bytes(read(5)[3:], "big")) != CLOSE_NOTIFY:
            read(size)
        read(size)
        conn.close()

    def take(self, raw, trouble):
        if trouble == "reset":
            self.kill(raw)
            return
        conn = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        if trouble == "talks":
            conn.sendall(b"220 hello\r\n" * 1000)
        if trouble == "early":
            self.end(conn)
            return
        if trouble == "swallowed":
            self.swallow(conn)
            return
        data, n = b"", 0
        while True:
            got = conn.recv(400 if trouble else 65536)  # 400: less than a frame
            if not got:
                break
            data += got
            while (cut := cut_frame(data)) is not None:
                message, data = cut
                self.received.append(parse(message))
                self.raw.append(message)
                n += 1
            if n > 0 and trouble == "cut":
                self.kill(conn)
                return
        refuse_unless(not data, "the last frame is not whole", data)
        if trouble == "held":
            self.release.wait(WAIT_S)
        if trouble == "bare":
            conn.close()
        else:
            self.end(conn)

    @staticmethod
    def end(conn):
        """close_notify, and then the connection."""
        conn.setblocking(False)
        try:
            conn.unwrap()
        except OSError:
            pass    # it does not wait for the other's
        conn.close()
