"""Goal: what the thief of one key can do, and what not: that of link, of an agent, of the authority, of orders; and how
long it takes until that key is worth nothing (on stdout: pytest -s)."""
# SPDX-License-Identifier: ISC
import os
import shutil
import socket
import ssl
import time
import types

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import fields_of, order_bytes, packet_of
from agents_aid import Agents
from link_aid import Authority, Host, Server, frame, hello
from stage import free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

HOSTS = int(os.environ.get("DEPLOYBOT_STOLEN_HOSTS", "3"))


@pytest.fixture(name="agents")
def make_agents():
    made = Agents(files={"LINK_CA_KEY_FILE": "ca.key"}, CLIENTS="acme", CLIENT_ACME_HOST="agent:acme",
                  CLIENT_ACME_ACTIONS="restart-web")
    made.peer, made.host = made.start_agent("acme", restart_web=("web is running\n", 0))
    yield made
    made.close()


class Thief:
    """In link's place: deploybot is gone, and the hosts are connected to link as before."""

    def __init__(self, agents):
        self.agents = agents
        agents.scene.bot.kill()
        self.link = Server(agents.socket)

    def say(self, packet):
        self.link.send(b"agent/acme 1\n" + packet)

    def hear(self, kind):
        """The fields of the next packet of that kind."""
        while True:
            said = self.link.next()
            assert said is not None
            if said.startswith(b"agent/acme 1\n" + kind.encode()):
                return fields_of(said.split(b"\n", 1)[1])[1]

    def order(self, run, key=None, **fields):
        """Answered by the agent: (kind is refused) why."""
        self.say(packet_of("challenge"))
        challenge, manifest = self.hear("challenge")["challenge"], self.agents.peer.digest()
        if key is not None:
            signed = order_bytes("run", "acme", "restart-web", run, 0, manifest, challenge)
            fields = {"challenge": challenge, "signature": key.sign(signed).hex()}
        self.say(packet_of("run", id=run, program="action", argument="restart-web", fingerprint=manifest, **fields))
        return self.hear("refused")

    def close(self):
        self.link.close()
        self.agents.scene.start_bot()


def test_with_links_key_one_reads_and_starts_nothing(agents):
    """The thief is link: it has link's key, its hosts, and an order that it has carried."""
    ada = agents.admin()
    ada.say("/do restart-web acme")
    ada.press(ada.hear("❓ Run this? client/acme restart-web"), "restart-web")
    ada.hear("client/acme restart-web", "Done")
    carried = next(fields for kind, fields in agents.peer.said if kind == "run")
    thief = Thief(agents)
    thief.say(packet_of("hello", version=3))
    assert thief.hear("hello")["manifest"] == agents.peer.digest()         # it reads
    known = "no order key that is known here has signed this"
    stale = "it answers no challenge that is valid"
    assert thief.order(900)["text"] == stale                               # no signature at all
    assert thief.order(901, Ed25519PrivateKey.generate())["text"] == known
    replayed = {name: carried[name] for name in ("challenge", "signature")}
    assert thief.order(int(carried["id"]), **replayed)["text"] == stale
    assert [run for run, _ in agents.peer.starts] == [int(carried["id"])]
    thief.close()


def test_with_an_order_key_alone_no_host_is_reached(agents, tmp_path):
    """Its server shows a certificate of an authority of the thief's; and link takes nobody without one."""
    thieves = Authority(tmp_path / "ca")
    thieves.issue("link", "URI:deploybot:server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(thieves.folder / "link.pem", thieves.folder / "link.key")
    port = free_port()
    with open(agents.ca / "order.key", "rb") as file:
        assert isinstance(serialization.load_pem_private_key(file.read(), None), Ed25519PrivateKey)
    said = len(agents.peer.said)
    with socket.create_server(("127.0.0.1", port)) as listener:
        host = agents.start_again("acme", LINK_SERVERS=f"127.0.0.1:{port}")
        sock, _ = listener.accept()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with context.wrap_socket(sock, server_side=True) as tls:
                tls.recv(1)                                 # the host's alert
        host.log("unable to get local issuer certificate")
        host.kill()
        agents.links.remove(host)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        guest = Host(int(agents.address.rsplit(":", 1)[1]), None, None)
        guest.send(hello("agent/acme"))
        guest.sock.recv(1)
    assert agents.peer.starts == [] and len(agents.peer.said) == said


def host_of(agents, file):
    """A host that sends what it likes, with a certificate of the authority's."""
    shutil.copy(agents.ca / f"{file}.crt", agents.ca / f"{file}.pem")
    return Host(int(agents.address.rsplit(":", 1)[1]), types.SimpleNamespace(folder=agents.ca), file)


def ended(host):
    """What was said until the end; that a hello was answered."""
    said = b"".join(packet for _, packet in host.ends())
    return said.decode(), said.startswith(b"hello")


def test_with_an_agents_key_one_is_that_agent_until_it_is_revoked(agents):
    agents.host.kill()                                      # while it stands, a second one with its key is refused
    agents.links.remove(agents.host)
    agents.serve.log("agent/acme is disconnected")
    other = host_of(agents, "acme")
    other.send(hello("agent/other"))
    assert not ended(other)[1]                              # it is nobody else
    thief = host_of(agents, "acme").greet("agent/acme")
    thief.send(frame(1, packet_of("run", id=1, program="action", argument="restart-web", challenge="0" * 32,
                                  signature="0" * 128)))
    assert "it said what no agent says" in ended(thief)[0]  # it orders nobody
    thief = host_of(agents, "acme").greet("agent/acme")
    agents.serve.log("agent/acme is connected", count=3)
    begun = time.monotonic()
    assert "Revoked" in agents.agent("revoke", "acme")
    assert "its certificate is revoked" in ended(thief)[0]
    print(f"\nfrom `agent revoke` to the cut: {time.monotonic() - begun:.2f} s")
    again = host_of(agents, "acme")
    again.send(hello("agent/acme"))
    assert not ended(again)[1]
    assert agents.peer.starts == []


def test_with_the_authoritys_key_one_has_names_and_no_enrolled_key(agents):
    """Whatever it certifies, the name's key is the one that was enrolled."""
    for file, name, why in (("thief", "acme", "another key has that name"),
                            ("new", "somebody", "nobody of that name is enrolled")):
        agents.key(file, name)
        agents.start_host(file).log("the server refuses this certificate", why)
    assert not agents.serve.found("agent/somebody is connected") and agents.peer.starts == []


def test_another_authority_takes_the_place_of_one_that_was_stolen(agents):
    """Nobody waits for renewals: each host enrols anew, and what the thief has is worth nothing."""
    hosts = {"acme": agents.host}
    for name in [f"h{n}" for n in range(1, HOSTS)]:
        agents.agent("enrol", name, agents.key(name, name))
        hosts[name] = agents.start_host(name)
        agents.serve.log(f"agent/{name} is connected")
    stolen = agents.folder / "stolen"
    shutil.copytree(agents.ca, stolen)
    begun = time.monotonic()
    agents.run("ca", "rotate", agents.ca)
    for file in ("ca.key", "ca.crt", "link.key", "link.crt"):
        shutil.copy(agents.ca / f"next-{file}", agents.ca / file)
        os.chown(agents.ca / file, (agents.ca / "order.key").stat().st_uid, -1)
    agents.serve.kill()
    agents.links.remove(agents.serve)
    agents.scene.bot.kill()
    agents.serve = agents.start_serve()
    agents.scene.start_bot()
    for name, host in hosts.items():
        host.kill()
        agents.links.remove(host)
        agents.agent("move", name, agents.key(name, name))
        agents.start_host(name, RUNNER_SOCKET=agents.folder / name / "runner.sock")
        agents.serve.log(f"agent/{name} is connected")
    print(f"\n`ca rotate` and {HOSTS} hosts enrolled anew: {time.monotonic() - begun:.2f} s")
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError, TypeError)):
        shutil.copy(stolen / "acme.crt", stolen / "acme.pem")
        Host(int(agents.address.rsplit(":", 1)[1]), types.SimpleNamespace(folder=stolen), "acme").greet("agent/acme")
    port = free_port()                                      # link's stolen key: the hosts know another authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stolen / "link.crt", stolen / "link.key")
    with socket.create_server(("127.0.0.1", port)) as listener:
        host = agents.start_host("h1", LINK_SERVERS=f"127.0.0.1:{port}")
        sock, _ = listener.accept()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with context.wrap_socket(sock, server_side=True) as tls:
                tls.recv(1)
        host.log("unable to get local issuer certificate")
    assert agents.peer.starts == []
