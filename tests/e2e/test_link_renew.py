"""Goal: a host's certificate renews itself by a key that is made there; wherever it is killed, a key of it counts."""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import os
import shutil
import signal
import sqlite3
import ssl
import struct
import subprocess

import pytest

from agents_aid import Agents
from runner_client import wait_for

CRASHES = ("link_certificate_received", "link_pair_kept", "link_pair_written")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


class Renewals(Agents):
    """The same, where the authority is online: what was signed by hand, whose end is not known, renews at once."""

    def __init__(self):
        super().__init__({"LINK_CA_KEY_FILE": "ca.key"})

    def enrol(self, name):
        """Returns the key."""
        key = self.key(name, name)
        self.agent("enrol", name, key)
        return key

    def row(self, name):
        """(key, end of its certificate, next key)"""
        return self.scene.bot_rows(
            f"SELECT digest, ends_at, next_digest FROM peer WHERE identity = 'agent/{name}'")[0]

    def wait_renewed(self, name, key):
        """Another key has the name; returns it."""
        wait_for(lambda: self.row(name)[0] != key, f"another key of {name}")
        return self.row(name)[0]

    def restart(self, sql=None):
        """The server, whose database was changed meanwhile."""
        count = len(self.serve.found("deploybot is connected"))
        self.scene.bot.kill()
        if sql is not None:
            with sqlite3.connect(self.scene.folder / "state" / "deploybot.db") as database:
                database.execute(sql)
            database.close()
        self.scene.start_bot()
        self.serve.log("info", "deploybot is connected", count=count + 1)

    def connected(self, name, count):
        self.serve.log(f"agent/{name} is connected", count=count)


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Renewals()
    made.serve.log("deploybot is connected")
    yield made
    made.close()


def test_a_certificate_renews_itself_and_the_key_of_before_ends(agents):
    old = agents.enrol("acme")
    host = agents.start_host("acme")
    new = agents.wait_renewed("acme", old)
    agents.connected("acme", 2)
    assert agents.row("acme")[1] > 0 and agents.row("acme")[2] == ""
    assert f"key {new[:12]}" in agents.agent("list")
    assert (agents.folder / "acme.pem").stat().st_mode & 0o777 == 0o600
    stolen = agents.start_host("acme", LINK_RENEWED_FILE=agents.folder / "none.pem")
    agents.serve.log("refused", "agent/acme: the server ")  # link was told before, or asks
    stolen.kill()
    host.kill()
    agents.start_host("acme")
    agents.connected("acme", 3)
    assert agents.row("acme")[0] == new


def digest(file):
    key = subprocess.run(["openssl", "x509", "-in", file, "-pubkey", "-noout"], check=True, capture_output=True).stdout
    return hashlib.sha256(der(key.decode())).hexdigest()


def der(pem):
    kind = pem.split("-----")[1].removeprefix("BEGIN ")
    return ssl.PEM_cert_to_DER_cert(pem.replace(kind, "CERTIFICATE"))


def test_it_renews_again_and_one_file_of_before_is_kept(agents):
    first = agents.enrol("again")
    agents.start_host("again")
    second = agents.wait_renewed("again", first)
    agents.connected("again", 2)
    agents.restart("UPDATE peer SET ends_at = 1 WHERE identity = 'agent/again'")
    third = agents.wait_renewed("again", second)
    agents.connected("again", 3)
    files = [agents.folder / "again.pem", agents.folder / "again.pem.before"]
    assert [digest(file) for file in files] == [third, second]


@pytest.mark.parametrize("crash", CRASHES)
def test_a_host_that_is_killed_connects_by_the_key_that_it_has_then(agents, crash):
    name = crash.replace("_", "-")
    old = agents.enrol(name)
    host = agents.start_host(name, crash=crash)
    assert host.process.wait() == -signal.SIGKILL
    assert agents.row(name)[0] == old and agents.row(name)[2] != ""
    agents.start_host(name)
    if crash == "link_pair_written":
        agents.wait_renewed(name, old)
    agents.connected(name, 2)
    assert (agents.row(name)[0] == old) == (crash != "link_pair_written")


@pytest.mark.parametrize("crash", CRASHES)
def test_a_host_is_killed_when_it_renews_for_the_second_time(agents, crash):
    name = "b-" + crash.replace("_", "-")
    first = agents.enrol(name)
    host = agents.start_host(name)
    second = agents.wait_renewed(name, first)
    agents.connected(name, 2)
    host.kill()
    agents.restart(f"UPDATE peer SET ends_at = 1 WHERE identity = 'agent/{name}'")
    host = agents.start_host(name, crash=crash)
    assert host.process.wait() == -signal.SIGKILL
    agents.start_host(name)
    if crash == "link_pair_written":
        agents.wait_renewed(name, second)
    agents.connected(name, 4)
    assert (agents.row(name)[0] == second) == (crash != "link_pair_written")


def test_the_server_is_killed_between_signing_and_seeing(agents):
    old = agents.enrol("between")
    assert agents.start_host("between", crash="link_pair_written").process.wait() == -signal.SIGKILL
    agents.restart()
    assert agents.row("between")[0] == old
    agents.start_host("between")
    agents.wait_renewed("between", old)


def test_a_host_whose_new_key_the_restored_server_does_not_know_shows_the_one_of_before(agents):
    old = agents.enrol("restored")
    host = agents.start_host("restored")
    new = agents.wait_renewed("restored", old)
    agents.connected("restored", 2)
    agents.serve.kill()
    agents.serve = agents.start_serve()                    # one that has not cut the key of before
    agents.connected("restored", 1)
    agents.restart(f"UPDATE peer SET digest = '{old}', ends_at = 1 WHERE identity = 'agent/restored'")
    host.log("refused by the peer: its certificate is revoked")
    assert agents.wait_renewed("restored", old) != new
    agents.connected("restored", 3)


def test_a_host_that_cannot_write_keeps_what_it_has(agents):
    key = agents.enrol("full")
    host = agents.start_host("full", LINK_RENEWED_FILE=agents.folder / "none" / "full.pem")
    host.log("error", "its certificate is not renewed")
    wait_for(lambda: agents.row("full")[2] != "", "a next key")
    assert agents.row("full")[0] == key and not host.found("disconnected")


def test_what_is_no_pair_of_this_host_is_not_shown(agents):
    agents.enrol("whose")
    agents.agent("enrol", "other", agents.key("other", "other"))
    shutil.copy(agents.ca / "other.crt", agents.folder / "whose.pem")
    with open(agents.folder / "whose.pem", "ab") as file:
        file.write((agents.ca / "other.key").read_bytes())
    (agents.folder / "whose.pem.before").write_text("-----BEGIN CERTIFICATE-----\n", encoding="ascii")
    host = agents.start_host("whose")
    host.log("not used", "whose.pem is the certificate of agent/other")
    host.log("not used", "whose.pem.before")
    agents.connected("whose", 1)


class Requests:
    """What a host asks for, written here from its description."""

    def __init__(self, folder):
        self.folder = folder

    def key(self, name):
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                        "-subj", "/CN=x", "-keyout", f"{name}.key", "-out", f"{name}.csr"], cwd=self.folder, check=True,
                       capture_output=True)

    def spki(self, name):
        return der(subprocess.run(["openssl", "pkey", "-in", self.folder / f"{name}.key", "-pubout"], check=True,
                                  capture_output=True).stdout.decode())

    def renewal(self, by, following, identity, signed_for=None, kind="renew"):
        """The word; signed_for: another next key than the one that is asked for."""
        fields = (kind, identity, "", "0", "0", hashlib.sha256(self.spki(signed_for or following)).hexdigest(), "")
        text = b"\1" + b"".join(struct.pack(">I", len(field)) + field.encode() for field in fields)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.folder / f"{by}.key"], input=text,
                                   check=True, capture_output=True).stdout
        request = (self.folder / f"{following}.csr").read_text("ascii").replace("\n", ",")
        words = (base64.b64encode(self.spki(by)).decode(), base64.b64encode(signature).decode(), request)
        return f"{identity} 0\nrenew\nrenewal {' '.join(words)}\n".encode()


def test_who_owns_link_gets_no_key_of_its_own_signed(agents):
    """A stand-in of link passes on what it likes: of each name one answer is looked at, and the host's counts."""
    requests = Requests(agents.ca)
    requests.key("thief")
    lies = {
        "mine": lambda name: requests.renewal("thief", "thief", f"agent/{name}"),
        "swapped": lambda name: requests.renewal(name, "thief", f"agent/{name}", signed_for=f"{name}-next"),
        "order": lambda name: requests.renewal(name, "thief", f"agent/{name}", kind="run"),
        "same": lambda name: requests.renewal(name, name, f"agent/{name}"),
        "long": lambda name: f"agent/{name} 0\nrenew\nrenewal {'a' * 8000}\n".encode(),
        "good": lambda name: requests.renewal(name, f"{name}-next", f"agent/{name}"),
    }
    keys = {name: agents.enrol(name) for name in lies}
    for name in lies:
        requests.key(f"{name}-next")
    with agents.stand_in() as link:
        for name, lie in lies.items():
            link.send(lie(name))                               # nobody has asked
            link.send(f"link 0\nhere agent/{name} {keys[name]} 1767225600 1 127.0.0.1:1\n".encode())
            while link.next() != f"agent/{name} 0\nrenew\nrenewal \n".encode():
                pass
            link.send(lie(name))
        while not (packet := link.next()).startswith(b"agent/good 0\nrenew\n"):
            assert b"\nrenew\n" not in packet
        assert b"renewal -----BEGIN CERTIFICATE-----," in packet
        for name in lies:
            assert agents.row(name)[0] == keys[name] and (agents.row(name)[2] != "") == (name == "good"), name
        link.send(lies["mine"]("good"))                        # it has answered
        link.send(f"link 0\ncheck agent/good {hashlib.sha256(requests.spki('thief')).hexdigest()} 7\n".encode())
        while not (packet := link.next()).startswith(b"link 0\nchecked 7 "):
            pass
        assert packet == b"link 0\nchecked 7 no another key has that name\n"
