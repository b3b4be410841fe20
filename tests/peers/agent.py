"""agent.py - a stand-in of deploybot-agent, as strict as agent/: hello, challenges, signed orders, records.

In this process, behind the two sockets to which deploybot-link connects: FOLDER/runner.sock and FOLDER/runs/ID/socket.
`units` are its capabilities and what each does: (output, status); of one that is None nothing ends it but `end`.
"""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import os
import pathlib
import socket
import struct
import threading

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

PACKET_MAX = 81920
PIECE_MAX = 16384


def order_bytes(*fields):
    """As lib/order_bytes.h says: kind, agent, capability, run, epoch, manifest, challenge."""
    encoded = [str(field).encode() for field in fields]
    return b"\1" + b"".join(struct.pack(">I", len(field)) + field for field in encoded)


def packet_of(kind, body=None, **fields):
    head = "".join([f"{kind}\n", *(f"{name} {value}\n" for name, value in fields.items() if value not in (None, ""))])
    return head.encode() + (b"" if body is None else b"\n" + body)


def fields_of(data):
    lines = data.decode().split("\n\n", 1)[0].split("\n")
    return lines[0], dict(line.split(" ", 1) for line in lines[1:] if " " in line)


class Refused(Exception):
    """What is wrong with an order, and its word on the wire."""

    def __init__(self, why, text, **fields):
        super().__init__(text)
        self.fields = {"why": why, "text": text, **fields}


class Challenge:
    """Of one connection: drawn anew it makes the one before void, and one order takes it."""

    def __init__(self):
        self.hex = None

    def draw(self):
        self.hex = os.urandom(16).hex()
        return self.hex

    def check(self, agent, kind, order, *of):
        """of: capability, run, manifest."""
        valid, self.hex = self.hex, None
        if valid is None or order.get("challenge") != valid:
            raise Refused("invalid", "it answers no challenge that is valid")
        capability, run, manifest = of
        signed = order_bytes(kind, agent.name, capability, run, order.get("epoch", 0), manifest, valid)
        try:
            agent.key.verify(bytes.fromhex(order.get("signature", "")), signed)
        except InvalidSignature as error:
            raise Refused("invalid", "no order key that is known here has signed this") from error


class Agent:
    """Listens until close(); `said` has each packet that came, as (kind, fields)."""

    def __init__(self, folder, name, order_key, units):
        self.folder, self.name, self.units = pathlib.Path(folder), name, dict(units)
        with open(order_key, "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None).public_key()
        self.digests = {unit: hashlib.sha256(unit.encode()).hexdigest() for unit in units}
        self.records, self.starts, self.said = {}, [], []
        self.current = None                     # (id, its socket's listener, who is connected there)
        self.may_answer = threading.Event()     # to `run`
        self.may_answer.set()
        self.is_mute = False                    # no hello is answered
        self.lost_reads = 0                     # so many are hung up on
        self.clock_ms = 1767225600000           # its wall clock, in its records
        self.server = None                      # the connection on which the last was
        self.lock = threading.RLock()
        self.open, self.listener = [], self.listen("runner.sock")
        threading.Thread(target=self.accept, args=(self.listener, self.serve), daemon=True).start()

    def close(self):
        self.listener.close()
        with self.lock:
            for sock in self.open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    # --- what it is ---

    def manifest(self):
        """The list, as the server compares it."""
        return " ".join(f"{name}={digest}" for name, digest in sorted(self.digests.items()))

    def digest(self):
        return hashlib.sha256(self.manifest().encode()).hexdigest()

    def hello(self):
        lines = [f"capability {name} {digest}\n" for name, digest in sorted(self.digests.items())]
        return packet_of("hello", version=3, manifest=self.digest()) + "".join(lines).encode()

    # --- sockets ---

    def listen(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.bind(str(path))
        path.chmod(0o666)
        sock.listen(4)
        return sock

    def accept(self, listener, serve):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                self.open.append(sock)
                threading.Thread(target=self.hear, args=(sock, serve), daemon=True).start()

    def hear(self, sock, serve):
        challenge = Challenge()
        with contextlib.suppress(OSError):
            serve(sock, challenge, None, None)
            while data := sock.recv(PACKET_MAX):
                kind, fields = fields_of(data)
                self.said.append((kind, fields))
                serve(sock, challenge, kind, fields)
        if serve is not self.serve:
            self.lost_at_gate(sock)
        sock.close()

    # --- runner.sock ---

    def serve(self, sock, challenge, kind, fields):
        if kind == "hello" and not self.is_mute:
            self.server = sock
            sock.send(self.hello())
        elif kind == "challenge":
            sock.send(packet_of("challenge", challenge=challenge.draw()))
        elif kind == "settle":
            sock.send(self.settled(challenge, int(fields["id"])))
        elif kind == "read" and self.lost_reads > 0:
            self.lost_reads -= 1
            sock.shutdown(socket.SHUT_RDWR)
        elif kind == "read":
            record = self.records.get(int(fields["id"]), {})
            sock.send(packet_of("piece", id=fields["id"], body=record.get("output", b"")[-PIECE_MAX:]))
        elif kind == "run":
            self.may_answer.wait()
            sock.send(self.begin(challenge, fields))

    def settled(self, challenge, run):
        with self.lock:
            record = self.records.get(run)
            if record is None:
                challenge.hex = None
                return packet_of("settled", id=run, state="never")
            if self.current is not None and self.current[0] == run:
                return packet_of("settled", id=run, state="alive")
            return packet_of("settled", id=run, state="lost" if record["end"].get("lost") else "ended", **record["end"])

    def begin(self, challenge, order):
        run, capability = int(order["id"]), order["argument"]
        try:
            challenge.check(self, "run", order, capability, run, order.get("fingerprint", ""))
            with self.lock:
                if run in self.records:
                    raise Refused("exists", "there is a record of it already")
                if self.records and run < min(self.records):
                    raise Refused("invalid", "its number is below those of all records")
                if self.current is not None:
                    raise Refused("failed", "another run is in progress here")
                if order.get("fingerprint") != self.digest():
                    raise Refused("changed", "its manifest is not that of this host now", settings=self.manifest())
                if order["program"] != "action" or capability not in self.units:
                    raise Refused("invalid", f"this host has no capability {capability}")
                listener = self.listen(f"runs/{run}/socket")
                self.records[run] = {"end": {}, "output": b"", "capability": capability, "manifest": self.digest()}
                self.current = (run, listener, None)
        except Refused as refused:
            return packet_of("refused", id=run, **refused.fields)
        threading.Thread(target=self.accept, args=(listener, self.serve_run), daemon=True).start()
        return packet_of("started", id=run)

    # --- runs/ID/socket ---

    def serve_run(self, sock, challenge, kind, fields):
        with self.lock:
            if self.current is None:
                raise ConnectionError("that run has ended")
            run = self.current[0]
            record = self.records[run]
            if kind is None:
                self.current = (*self.current[:2], sock)
                sock.send(packet_of("hello", version=3, gate=record["end"].get("gate")))
            elif kind == "challenge":
                sock.send(packet_of("challenge", challenge=challenge.draw()))
            elif kind == "end":
                self.finish(sock, ended=1, **({"status": 143} if record["end"].get("gate") else {}))
            elif kind == "go" and not record["end"].get("gate"):
                self.go(sock, challenge, fields, record)

    def go(self, sock, challenge, order, record):
        try:
            challenge.check(self, "go", order, record["capability"], self.current[0], record["manifest"])
            if self.digest() != record["manifest"]:
                raise Refused("changed", "its unit is not that of the order")
        except Refused as refused:
            record["output"] += f"nothing was started: {refused}\n".encode()
            self.finish(sock)
            return
        record["end"]["gate"] = 1
        self.starts.append((self.current[0], record["capability"]))
        does = self.units[record["capability"]]
        if does is not None:
            record["output"] += does[0].encode()
            self.finish(sock, status=does[1])

    def end(self, output, status):
        """The unit that goes on ends."""
        with self.lock:
            self.records[self.current[0]]["output"] += output
            self.finish(self.current[2], status=status)

    def reboot(self):
        """Its host: nothing that ran is alive, and each of its connections is closed."""
        with self.lock:
            self.records[self.current[0]]["end"].update(lost=1, ended_at=self.clock_ms)
            self.current[1].close()
            self.current = None
            for sock in self.open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def finish(self, sock, **end):
        record = self.records[self.current[0]]
        record["end"].update(end, ended_at=self.clock_ms)
        self.current[1].close()
        self.current = None
        with contextlib.suppress(OSError):      # who has not come asks for it
            sock.send(packet_of("exit", **{name: value for name, value in record["end"].items() if value}))

    def lost_at_gate(self, sock):
        """The server is lost before `go`; another connection's end says nothing of this run."""
        with self.lock:
            if self.current is None or self.current[2] is not sock:
                return
            if self.records[self.current[0]]["end"].get("gate"):
                return
            self.records[self.current[0]]["end"].update(ended_at=1767225600000)
            self.current[1].close()
            self.current = None
