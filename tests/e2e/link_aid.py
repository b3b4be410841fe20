"""link_aid.py - certificates, a stand-in of the server, of a runner and of a host, for tests of deploybot-link."""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import os
import pathlib
import queue
import re
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

from runner_client import SLOW, wait_for
from stage import crash_program
from tls_aid import openssl

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("DEPLOYBOT_BUILD", "build") / "deploybot-link"
PATIENCE_S = 20 * SLOW
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


class Authority:
    """A CA in a folder; of each name one file with certificate and one with key."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        openssl(self.folder, "req", "-x509", *CURVE, "-subj", "/CN=ca", "-days", "2", "-keyout", "ca.key",
                "-out", "ca.pem")
        self.ca = self.folder / "ca.pem"

    def issue(self, file, uri, days="1", key_of=None):
        """FILE.pem and FILE.key with that SAN; returns the paths of both.  key_of: whose key it is too."""
        (self.folder / f"{file}.ext").write_text(f"subjectAltName={uri}\n", encoding="ascii")
        if key_of is None:
            openssl(self.folder, "req", *CURVE, "-subj", f"/CN={file}", "-keyout", f"{file}.key", "-out", f"{file}.csr")
        else:
            for end in ("key", "csr"):
                (self.folder / f"{file}.{end}").symlink_to(f"{key_of}.{end}")
        openssl(self.folder, "x509", "-req", "-in", f"{file}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", days,
                "-extfile", f"{file}.ext", "-out", f"{file}.pem")
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"

    def settings(self, file, ca=None):
        return {"LINK_CA_FILE": ca or self.ca, "LINK_CERTIFICATE_FILE": self.folder / f"{file}.pem",
                "LINK_KEY_FILE": self.folder / f"{file}.key"}

    def digest(self, file):
        """Of its public key, as openssl writes it."""
        der = subprocess.run(["openssl", "x509", "-in", self.folder / f"{file}.pem", "-pubkey", "-noout"],
                             check=True, capture_output=True).stdout
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
            der.decode().replace("PUBLIC KEY", "CERTIFICATE"))).hexdigest()


class Link:
    """A process of deploybot-link; its log is read as it comes.  files: how many descriptors it may have; crash: where
    one of the build that can be made to die does so; environment: more of its variables."""

    def __init__(self, use, files=16384, crash=None, environment=None, **settings):
        self.lines = []
        with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="ascii", delete=False) as file:
            file.write("".join(f"{name}={value}\n" for name, value in settings.items()))
        self.file = pathlib.Path(file.name)
        program = crash_program("deploybot-link") if crash else PROGRAM
        self.process = subprocess.Popen(["prlimit", f"--nofile={files}:{files}", program, use, file.name],
                                        env={**os.environ, **({"DEPLOYBOT_CRASH": crash} if crash else {}),
                                             **(environment or {})},
                                        stderr=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def found(self, *words):
        return [line for line in list(self.lines) if all(word in line for word in words)]

    def log(self, *words, count=1):
        """Waits for that many lines with these words; returns them."""
        def is_there():
            return len(self.found(*words)) >= count
        with contextlib.suppress(AssertionError):
            wait_for(lambda: is_there() or self.process.poll() is not None, "a line")
        if self.process.poll() is not None:
            self.thread.join()
        assert is_there(), (words, self.lines)
        return self.found(*words)

    def stat(self):
        """(ticks of CPU time that it has taken, how often it has waited for something)"""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        fields = (folder / "stat").read_text("ascii").rsplit(")", 1)[1].split()
        waits = re.search(r"^voluntary_ctxt_switches:\s+(\d+)$", (folder / "status").read_text("ascii"), re.M)
        return int(fields[11]) + int(fields[12]), int(waits[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stderr.close()
        self.file.unlink(missing_ok=True)


class Packets:
    """One socket of packets: all that comes is kept in a queue."""

    def __init__(self, sock):
        self.sock = sock
        self.came = queue.Queue()
        self.may_read = threading.Event()
        self.may_read.set()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with contextlib.suppress(OSError):
            while packet := self.sock.recv(1 << 18):
                self.take(packet)
                self.may_read.wait()
        self.came.put(None)

    def take(self, packet):
        self.came.put(packet)

    def next(self):
        """The next packet; None: the other side has closed."""
        return self.came.get(timeout=PATIENCE_S)

    def send(self, packet):
        self.sock.sendall(packet)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Server(Packets):
    """deploybot, as link sees it: says yes to each certificate but those of `refused` (names)."""

    def __init__(self, path):
        self.refused = {}
        self.checks = []
        self.is_mute = False
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        wait_for(lambda: sock.connect_ex(str(path)) == 0, f"a listener on {path}")
        super().__init__(sock)

    def take(self, packet):
        if not packet.startswith(b"link 0\ncheck "):
            super().take(packet)
            return
        name, digest, request = packet.decode().split()[3:]
        self.checks.append((name, digest))
        if not self.is_mute:
            answer = f"no {self.refused[name]}" if name in self.refused else "yes"
            self.send(f"link 0\nchecked {request} {answer}\n".encode())

    def expect(self, start):
        """The next packet that begins so; others are left out."""
        while True:
            packet = self.next()
            assert packet is not None, f"closed before {start}"
            if packet.startswith(start.encode()):
                return packet.decode(errors="replace")


class Listener:
    """A runner's socket, or a supervisor's."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = os.open(path.parent, os.O_PATH)    # however long its path is
        self.sock.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
        self.sock.listen(8)
        self.sock.settimeout(PATIENCE_S)

    def accept(self):
        return Packets(self.sock.accept()[0])


def frame(channel, packet):
    return struct.pack(">II", len(packet), channel) + packet


def hello(name):
    return frame(0, f"hello\nname {name}\nversion 1\nepoch 0\nat 1767225600\n".encode())


class Host:
    """A host in Python's ssl, which sends what it likes."""

    def __init__(self, port, authority, file, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if "maximum" in options:
            context.maximum_version = options["maximum"]
        if file:
            context.load_cert_chain(authority.folder / f"{file}.pem", authority.folder / f"{file}.key")
        raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S,
                                       source_address=(options.get("source", "127.0.0.1"), 0))
        try:
            self.sock = context.wrap_socket(raw)
        except OSError:
            raw.close()
            raise

    def send(self, data):
        self.sock.sendall(data)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def next(self):
        """(channel, packet); None: it has ended."""
        try:
            head = self.exactly(8)
            if head is None:
                return None
            size, channel = struct.unpack(">II", head)
            return channel, self.exactly(size)
        except (ssl.SSLError, ConnectionError):
            return None

    def ends(self):
        """All that came until it ended."""
        came = []
        while (got := self.next()) is not None:
            came.append(got)
        self.sock.close()
        return came

    def greet(self, name):
        self.send(hello(name))
        channel, packet = self.next()
        assert channel == 0 and packet.startswith(b"hello\n"), packet
        return self
