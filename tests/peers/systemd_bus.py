"""systemd_bus.py - a stand-in of D-Bus with systemd on it: what deploybot-agent asks of a machine, and no more.

`Systemd(socket, units, environment)`: DBUS_SYSTEM_BUS_ADDRESS=unix:path=SOCKET is the agent's bus.  Units are files in
a folder, which the agent has to see as /etc/systemd/system; of an instance NAME@X.service NAME@.service is the file.  A
start runs ExecStart with the files that StandardInput, StandardOutput and StandardError name, %i as in systemd.unit(5).
"""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading

MANAGER, UNIT = "/org/freedesktop/systemd1", "/org/freedesktop/systemd1/unit/"
NAME = "org.freedesktop.systemd1"
CALL, RETURN, SIGNAL = 1, 2, 4
PATH, INTERFACE, MEMBER, REPLY, SENDER, SIGNATURE = 1, 2, 3, 5, 7, 8


class Writer:
    """Marshals values by their signature (D-Bus specification, "Marshaling"); little-endian."""

    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def put(self, kind, value):
        if kind in "sog":
            text = value.encode() + b"\0"
            if kind != "g":
                self.put("u", len(text) - 1)
            else:
                self.data.append(len(text) - 1)
            self.data += text
        elif kind == "v":
            self.put("g", value[0])
            self.put(*value)
        elif kind == "y":
            self.data.append(value)
        elif kind in ("u", "i", "b"):
            self.align(4)
            self.data += struct.pack("<i" if kind == "i" else "<I", value)
        elif kind == "t":
            self.align(8)
            self.data += struct.pack("<Q", value)
        else:
            assert kind[0] == "a", kind
            self.put_array(kind[1:], value)

    def put_array(self, kind, values):
        self.put("u", 0)
        at = len(self.data)
        self.align(8 if kind[0] in "{(t" else 4 if kind[0] in "su" else 1)
        begin = len(self.data)
        for value in values:
            if kind[0] in "{(":
                self.align(8)
                for part, of in zip(kind[1:-1], value):
                    self.put(part, of)
            else:
                self.put(kind, value)
        struct.pack_into("<I", self.data, at - 4, len(self.data) - begin)


def message_of(kind, serial, fields, *words):
    """fields: code: (signature, value); words: the body's signature, and its values."""
    signature, *values = words or ("",)
    body = Writer()
    for part, value in zip(re.findall(r"a\{sv\}|a?[a-z]", signature), values):
        body.put(part, value)
    if signature:
        fields = {**fields, SIGNATURE: ("g", signature)}
    head = Writer()
    head.data += struct.pack("<cBBBII", b"l", kind, 0, 1, len(body.data), serial)
    head.put("a(yv)", sorted(fields.items()))
    head.align(8)
    return bytes(head.data + body.data)


def text_at(data, at):
    size = struct.unpack_from("<I", data, at)[0]
    return data[at + 4:at + 4 + size].decode(), at + 5 + size


def read_call(data):
    """(serial, wants an answer, path, member, its strings): of a call, whose body has strings alone."""
    serial, size = struct.unpack_from("<II", data, 8)
    found, at = {}, 16
    while at < 16 + size:
        at += -at % 8
        code, kind = data[at], chr(data[at + 2])
        at += 4
        if kind == "g":
            found[code] = data[at + 1:at + 1 + data[at]].decode()
            at += data[at] + 2
        elif kind == "u":
            at += -at % 4 + 4
        else:
            found[code], at = text_at(data, at + -at % 4)
    at, words = at + -at % 8, []
    for _ in found.get(SIGNATURE, ""):
        word, at = text_at(data, at + -at % 4)
        words.append(word)
    return serial, not data[2] & 1, found.get(PATH, ""), found[MEMBER], words


class Systemd:
    """environment: of what it starts.  `starts`: names of units, in their order.  `hangs_up`: it starts, and does
    not say so."""

    def __init__(self, path, units, environment):
        self.units, self.environment = pathlib.Path(units), environment
        self.hangs_up = False
        self.starts, self.stops, self.invocations, self.processes, self.clients = [], {}, {}, {}, []
        self.lock, self.serial = threading.RLock(), 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.clients.append(client)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        file = client.makefile("rb")
        while (line := file.readline()) != b"BEGIN\r\n":
            word = line.lstrip(b"\0").split()
            if not word:
                return
            client.sendall({b"AUTH": b"DATA\r\n", b"DATA": b"OK 0123456789abcdef0123456789abcdef\r\n",
                            b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD\r\n"}[word[0]])
        with contextlib.suppress(OSError, struct.error):
            while head := file.read(16):
                size, _, fields = struct.unpack_from("<III", head, 4)
                rest = file.read(fields + -fields % 8 + size)
                self.answer(client, *read_call(head + rest))

    def send(self, client, kind, fields, *body):
        with self.lock, contextlib.suppress(OSError):
            self.serial += 1
            client.sendall(message_of(kind, self.serial, fields, *body))

    def answer(self, client, serial, wants, path, member, words):
        body = ()
        if member == "Hello":
            body = ("s", ":1.1")
        elif member == "GetAll":
            body = ("a{sv}", self.properties(self.name_of(path)).items())
        elif member in ("StartUnit", "StopUnit"):
            body = ("o", f"{MANAGER}/job/{serial}")
        if member == "StartUnit" and self.hangs_up:
            client.shutdown(socket.SHUT_RDWR)
        elif wants:
            self.send(client, RETURN, {REPLY: ("u", serial)}, *body)
        if member == "StartUnit":
            self.start(client, serial, words[0])
        elif member == "StopUnit":
            self.stops[words[0]] = serial
            self.processes[words[0]].terminate()

    def name_of(self, path):
        return re.sub("_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), path.removeprefix(UNIT))

    def file_of(self, name):
        return re.sub("@.*[.]", "@.", name)

    def text_of(self, name):
        path = self.units / self.file_of(name)
        return path.read_text("utf-8") if path.exists() else None

    def properties(self, name):
        text = self.text_of(name)
        if text is None:
            return {"LoadState": ("s", "not-found")}
        setting = dict(re.findall(r"(?m)^(\w+)=(.*)$", text))
        process = self.processes.get(name)
        code = None if process is None else process.poll()
        return {
            "LoadState": ("s", "loaded"), "FragmentPath": ("s", f"/etc/systemd/system/{self.file_of(name)}"),
            "ActiveState": ("s", "activating" if process is not None and code is None else "inactive"),
            "DropInPaths": ("as", []), "Type": ("s", setting["Type"]), "Restart": ("s", "no"),
            "KillMode": ("s", setting.get("KillMode", "control-group")), "NeedDaemonReload": ("b", 0),
            "RemainAfterExit": ("b", 0), "TimeoutStartUSec": ("t", int(setting["TimeoutStartSec"]) * 1000000),
            "InvocationID": ("ay", self.invocations.get(name, b"")),
            "Result": ("s", "success" if code in (None, 0) else "exit-code" if code > 0 else "signal"),
            "ExecMainCode": ("i", 0 if code is None else 1 if code >= 0 else 2),
            "ExecMainStatus": ("i", 0 if code is None else abs(code))}

    def start(self, client, job, name):
        instance = name.partition("@")[2].removesuffix(".service")
        setting = {key: value.replace("%i", instance)
                   for key, value in re.findall(r"(?m)^(\w+)=(.*)$", self.text_of(name))}
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(open(setting[f"Standard{which}"].removeprefix("file:"), mode))
                       for which, mode in (("Input", "rb"), ("Output", "wb"), ("Error", "wb"))]
            self.processes[name] = subprocess.Popen(
                setting["ExecStart"].split(), stdin=streams[0], stdout=streams[1], stderr=streams[2],
                env=self.environment, start_new_session=True, cwd="/")
        self.starts.append(name)
        self.invocations[name] = os.urandom(16)
        threading.Thread(target=self.watch, args=(client, job, name), daemon=True).start()

    def watch(self, client, job, name):
        process = self.processes[name]
        status = process.wait()
        with contextlib.suppress(ProcessLookupError):   # what is left of its control group
            os.killpg(process.pid, signal.SIGKILL)
        path = UNIT + re.sub("[^A-Za-z0-9]", lambda found: f"_{ord(found[0]):02x}", name)
        self.send(client, SIGNAL, {
            PATH: ("o", path), INTERFACE: ("s", "org.freedesktop.DBus.Properties"), SENDER: ("s", NAME),
            MEMBER: ("s", "PropertiesChanged")},
            "sa{sv}as", f"{NAME}.Service", self.properties(name).items(), [])
        for number in filter(None, (job, self.stops.get(name))):
            self.send(client, SIGNAL, {
                PATH: ("o", MANAGER), INTERFACE: ("s", f"{NAME}.Manager"), SENDER: ("s", NAME),
                MEMBER: ("s", "JobRemoved")},
                "uoss", number, f"{MANAGER}/job/{number}", name, "failed" if status else "done")
