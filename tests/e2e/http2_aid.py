"""Just enough HTTP/2 to be rude in: frames by hand (RFC 9113), head fields as literals (RFC 7541)."""
# SPDX-License-Identifier: ISC
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUSES = {0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500}


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def number(value):
    """An integer behind a prefix of 7 bits."""
    if value < 127:
        return bytes([value])
    rest, found = value - 127, b"\x7f"
    while rest >= 128:
        found += bytes([rest % 128 + 128])
        rest //= 128
    return found + bytes([rest])


def literal(name, value):
    name, value = (x if isinstance(x, bytes) else x.encode("latin-1") for x in (name, value))
    return b"\x00" + number(len(name)) + name + number(len(value)) + value


def head(*fields):
    return b"".join(literal(name, value) for name, value in fields)


class Client:
    """On a TLS connection that agreed on h2."""

    def __init__(self, conn):
        assert conn.selected_alpn_protocol() == "h2"
        self.conn = conn
        self.buffer = b""
        self.next_stream = 1
        self.conn.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def send(self, *frames):
        self.conn.sendall(b"".join(frames))

    def open(self, fields, flags=END_HEADERS | END_STREAM):
        """Sends a head; the stream's number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(frame(HEADERS, flags, stream, head(*fields)))
        return stream

    def read(self):
        """(kind, flags, stream, payload) of the next frame; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                piece = self.conn.recv(65536)
            except OSError:
                return None
            if not piece:
                return None
            self.buffer += piece
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        return kind, flags, stream, payload

    def status(self, stream):
        """The status of the stream's answer; 0 when it was reset or the connection ended instead."""
        while True:
            found = self.read()
            if found is None:
                return 0
            kind, _, of, payload = found
            if kind == GOAWAY or (kind == RST_STREAM and of == stream):
                return 0
            if kind == HEADERS and of == stream:
                at = 1 if payload[0] & 0xe0 == 0x20 else 0      # a new size of the table
                if payload[at] in STATUSES:
                    return STATUSES[payload[at]]
                return int(payload[at + 2:at + 5])
