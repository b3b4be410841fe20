"""agents_aid.py - a server with deploybot-link beside it, and hosts with certificates of its authority."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from agent import Agent
from link_aid import Link, Listener
from local_aid import PERSON, LocalScene
from runner_client import wait_for
from service_aid import RUNNER, SERVER, give
from stage import free_port
from telegram_client import ADA

DEPLOYBOT = pathlib.Path(__file__).resolve().parents[2] / os.environ.get("DEPLOYBOT_BUILD", "build") / "deploybot"


class Agents:
    """An authority by `deploybot ca`, link beside a server, and hosts with certificates of it."""

    def __init__(self, files=None, **settings):
        """files: more settings, each with the name of a file of the authority's."""
        self.folder = pathlib.Path(tempfile.mkdtemp())     # a socket's path is short
        self.ca = self.folder / "ca"
        self.run("ca", "init", self.ca)
        self.address = f"127.0.0.1:{free_port()}"
        self.socket, self.calls = self.folder / "server.sock", self.folder / "calls.sock"
        self.folder.chmod(0o755)
        self.ca.chmod(0o755)
        self.links, self.peers = [], []
        for file in self.ca.iterdir():
            give(file, SERVER, SERVER, 0o600)
        self.scene = LocalScene(settings={
            "LINK_ADDRESS": self.address, "LINK_SOCKET": str(self.socket), "LINK_CA_FILE": str(self.ca / "ca.crt"),
            "LINK_CERTIFICATE_FILE": str(self.ca / "link.crt"), "LINK_ORDER_KEY_FILE": str(self.ca / "order.key"),
            "ROLE_RATE_LIMIT": "0", "TRANSPORT_LINK_CALLS": str(self.calls), **settings,
            **{name: str(self.ca / file) for name, file in (files or {}).items()}})
        self.serve = self.start_serve()

    def run(self, *words):
        return subprocess.run([DEPLOYBOT, *map(str, words)], check=True, capture_output=True, text=True, cwd="/",
                              timeout=60)

    def start(self, use, file, **settings):
        link = Link(use, LINK_CA_FILE=self.ca / "ca.crt", LINK_CERTIFICATE_FILE=self.ca / f"{file}.crt",
                    LINK_KEY_FILE=self.ca / f"{file}.key", **settings)
        self.links.append(link)
        return link

    def start_serve(self):
        for socket in (self.socket, self.calls):
            socket.unlink(missing_ok=True)
        link = self.start("serve", "link", LINK_ADDRESS=self.address, LINK_SOCKET=self.socket, LINK_CALLS=self.calls)
        for socket, user in ((self.socket, SERVER), (self.calls, RUNNER)):
            wait_for(socket.exists, "link's socket")
            give(socket, user, user, 0o660)
        return link

    def key(self, file, name, role="agent"):
        """A key and its certificate for that name; returns the digest, as `ca sign` says it."""
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                        "-subj", "/CN=x", "-keyout", f"{file}.key", "-out", f"{file}.csr"], cwd=self.ca, check=True,
                       capture_output=True)
        done = self.run("ca", "sign", self.ca, f"{role}/{name}", self.ca / f"{file}.csr")
        (self.ca / f"{file}.crt").write_text(done.stdout, encoding="ascii")
        return re.search("[0-9a-f]{64}", done.stderr)[0]

    def start_host(self, file, use="agent", **settings):
        return self.start(use, file, **{
            "LINK_SERVERS": self.address, "RUNNER_SOCKET": self.folder / "none.sock", "STATE_DIRECTORY": self.folder,
            "LINK_RECONNECT_S": 1, "LINK_RENEWED_FILE": self.folder / f"{file}.pem", **settings})

    def start_agent(self, name, **units):
        """A host with a stand-in of deploybot-agent, enrolled and connected; returns both."""
        peer = Agent(self.folder / name, name, self.ca / "order.key",
                     {unit.replace("_", "-"): does for unit, does in units.items()})
        self.peers.append(peer)
        self.agent("enrol", name, self.key(name, name))
        host = self.start_again(name)
        self.wait_for_manifest(name)
        return peer, host

    def wait_for_manifest(self, name):
        """What it can start is known."""
        wait_for(lambda: self.scene.bot_rows(f"SELECT 1 FROM peer WHERE identity = 'agent/{name}' AND manifest <> ''"),
                 f"the list of capabilities of {name}")

    def start_again(self, name, **settings):
        return self.start_host(name, RUNNER_SOCKET=self.folder / name / "runner.sock",
                               STATE_DIRECTORY=self.folder / name, **settings)

    @contextlib.contextmanager
    def stand_in(self):
        """Link's end of the server's connection, behind the server's first word: deploybot-link is gone meanwhile."""
        self.serve.kill()
        self.socket.unlink()
        listener = Listener(self.socket)
        give(self.socket, SERVER, SERVER, 0o660)
        link = listener.accept()
        assert link.next() == b"link 0\nlist\n"
        yield link
        link.close()
        listener.sock.close()
        self.serve = self.start_serve()

    def admin(self):
        """Who is written to: a bot writes to nobody who has not written to it."""
        person = self.scene.person(ADA)
        person.say("/whoami")
        return person

    def agent(self, *words, user=PERSON, **options):
        return self.scene.run(user, "agent", *words, **options)

    def refused(self, *words, user=PERSON):
        done = subprocess.run(self.scene.command(user, "agent", *words), cwd="/", env=self.scene.environment(),
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0, done
        return done.stdout + done.stderr

    def close(self):
        for link in self.links:
            link.kill()
        for peer in self.peers:
            peer.close()
        self.scene.close()
        shutil.rmtree(self.folder)
