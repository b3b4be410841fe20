"""A booted host with deploybot-agent, and a server that orders by hand: `Server(host)`.

The server of these tests speaks runner/protocol.h over the agent's own sockets, as deploybot-link would, and signs with
an order key of its own. A socket's path reaches into the machine through its init's root.
"""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import shutil
import socket
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra_aid import root_tar
from machine import Machine
from stage import ROOT, wait_until

PACKAGES = ("systemd", "systemd-sysv", "dbus", "polkitd", "python3", "libssl3", "libsystemd0")
UNIT = "deploybot-agent.service"
STATE = "/var/lib/deploybot-agent"
RUNNER = "/run/deploybot-agent/runner.sock"
PATIENCE_S = 60
PACKET_MAX = 81920
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


def key_of(number):
    """(private key, its public half in hex), the same each time."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return key, key.public_key().public_bytes(*RAW).hex()


def order_bytes(kind, agent, capability, run, epoch, manifest, challenge):
    """As lib/order_bytes.h says."""
    fields = [str(field).encode() for field in (kind, agent, capability, run, epoch, manifest, challenge)]
    return b"\1" + b"".join(struct.pack(">I", len(field)) + field for field in fields)


def unit_text(command, service=""):
    return "[Unit]\nStartLimitIntervalSec=0\n" \
        f"[Service]\nType=oneshot\nTimeoutStartSec=900\nExecStart=/bin/sh -c '{command}'\n{service}"


class AgentHost(Machine):
    """Boots with the agent of a build with crash points, its polkit rule and its user; the key is number 1's."""

    def __init__(self, folder):
        super().__init__(folder, root_tar("agent", PACKAGES))
        build = pathlib.Path(os.environ.get("DEPLOYBOT_CRASH_BUILD", ROOT / "build" / "crash"))
        for source, target in (
                (build / "deploybot-agent", "usr/lib/deploybot/deploybot-agent"),
                (ROOT / "deploy/systemd" / UNIT, "usr/lib/systemd/system/" + UNIT),
                (ROOT / "deploy/agent/sysusers.conf", "usr/lib/sysusers.d/deploybot-agent.conf"),
                (ROOT / "deploy/agent/50-deploybot-agent.rules",
                 "usr/share/polkit-1/rules.d/50-deploybot-agent.rules")):
            path = self.root.path / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
            path.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        self.configure(f"AGENT_NAME=acme\nORDER_KEYS={key_of(1)[1]}\n")

    def configure(self, text):
        path = self.root.path / "etc/deploybot-agent/agent.conf"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def start(self):
        super().start()
        self.run("systemd-sysusers")
        return self

    def put(self, name, text, reload=True):
        """One capability's unit."""
        path = self.root.path / f"etc/systemd/system/deploybot-do-{name}.service"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        if reload:
            self.run("systemctl", "daemon-reload")
        return path

    def restart_agent(self, crash=""):
        """Anew, with the place at which it dies."""
        drop = self.root.path / f"run-{UNIT}.conf"
        drop.write_text(f"[Service]\nEnvironment=DEPLOYBOT_CRASH={crash}\n" +
                        ("Restart=no\n" if crash else ""), encoding="ascii")
        folder = f"/etc/systemd/system/{UNIT}.d"
        self.sh(f"mkdir -p {folder}; mv /{drop.name} {folder}/crash.conf; systemctl daemon-reload; "
                f"systemctl reset-failed {UNIT} || true; systemctl restart {UNIT}")

    def inside(self, path):
        """A path of the machine as we reach it."""
        return pathlib.Path(f"/proc/{self.init}/root") / path.lstrip("/")

    def starts(self, name):
        """How often systemd has started that unit, by the journal: the witness."""
        self.run("journalctl", "--sync")    # what systemd has said is in it
        said = self.run("journalctl", "-o", "cat", "--no-pager", f"UNIT=deploybot-do-{name}.service").stdout
        return sum(line.startswith("Starting ") for line in said.splitlines())

    def log(self, run):
        return self.inside(f"{STATE}/runs/{run}/log").read_text("utf-8", "replace")


class Packet:
    """One message: its kind, and its fields by name (of one that is repeated, all in a list)."""

    def __init__(self, data):
        lines = data.decode().split("\n")
        self.kind, self.fields, self.capabilities = lines[0], {}, {}
        for line in lines[1:-1]:
            name, value = line.split(" ", 1)
            if name == "capability":
                self.capabilities[value.split(" ")[0]] = value.split(" ")[1]
            else:
                self.fields[name] = value

    def __getitem__(self, name):
        return self.fields.get(name, "0")


class Channel:
    """A connection to one of the agent's sockets."""

    def __init__(self, host, path):
        self.connect(host, path)

    def connect(self, host, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(PATIENCE_S)
        folder = os.open(host.inside(path).parent, os.O_PATH)
        try:
            self.socket.connect(f"/proc/self/fd/{folder}/{pathlib.PurePath(path).name}")
        finally:
            os.close(folder)

    def send(self, kind, **fields):
        self.socket.send("".join([f"{kind}\n", *(f"{name} {value}\n" for name, value in fields.items())]).encode())

    def hear(self, *kinds):
        """The next packet, which is of one of these kinds; None: the agent hung up."""
        try:
            data = self.socket.recv(PACKET_MAX)
        except ConnectionResetError:
            data = b""
        if not data:
            return None
        packet = Packet(data)
        assert packet.kind in kinds, data.decode()
        return packet

    def challenge(self):
        self.send("challenge")
        return self.hear("challenge")["challenge"]

    def close(self):
        self.socket.close()


class Server(Channel):
    """Says hello, and orders."""

    def __init__(self, host, key=1, name="acme"):    # pylint: disable=super-init-not-called
        self.host, self.key, self.name = host, key_of(key)[0], name
        wait_until(self.is_connected, PATIENCE_S, "the agent")
        self.send("hello", version=3)
        self.hello = self.hear("hello")

    def is_connected(self):
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            self.connect(self.host, RUNNER)
            return True
        return False

    def sign(self, kind, capability, run, challenge, epoch=0, manifest=None):
        return self.key.sign(order_bytes(kind, self.name, capability, run, epoch,
                                         manifest or self.hello["manifest"], challenge)).hex()

    def fields(self, run, capability, challenge, **more):
        """Of an order to run; more: what is to be different in the packet, and is signed so."""
        epoch, manifest = more.get("epoch", 0), more.get("fingerprint", self.hello["manifest"])
        return {"id": run, "program": "action", "application": "client", "environment": "acme", "client": "acme",
                "argument": capability, "deadline_s": 60, "grace_s": 5, "deployment": run, "epoch": epoch,
                "fingerprint": manifest, "challenge": challenge,
                "signature": self.sign("run", capability, run, challenge, epoch, manifest), **more}

    def order(self, run, capability, **more):
        """The agent's answer."""
        self.send("run", **self.fields(run, capability, self.challenge(), **more))
        return self.hear("started", "refused")

    def at_gate(self, run, capability, **more):
        """A run that has started and waits for `go`; its channel."""
        answer = self.order(run, capability, **more)
        assert answer.kind == "started", answer.fields
        channel = Channel(self.host, f"{STATE}/runs/{run}/socket")
        hello = channel.hear("hello")
        assert hello["gate"] == "0"
        return channel

    def go(self, channel, run, capability, **more):
        challenge = more.pop("challenge", None) or channel.challenge()
        channel.send("go", challenge=challenge, epoch=more.get("epoch", 0),
                     signature=self.sign("go", capability, run, challenge, **more))

    def play(self, run, capability, **more):
        """A whole run; its exit."""
        with contextlib.closing(self.at_gate(run, capability, **more)) as channel:
            self.go(channel, run, capability)
            return channel.hear("exit")

    def settle(self, run):
        self.send("settle", id=run)
        return self.hear("settled")
