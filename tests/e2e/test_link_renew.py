"""Goal: a host's certificate renews itself by a key that is made there; wherever it is killed, a key of it counts."""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import os
import re
import ssl
import struct
import subprocess

import pytest

from agents_aid import Agents
from link_aid import Link, Listener, Packets
from runner_client import wait_for
from service_aid import SERVER, give

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


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Renewals()
    made.serve.log("deploybot is connected")
    yield made
    made.close()


def test_a_certificate_renews_itself(agents):
    old = agents.enrol("acme")
    host = agents.start_host("acme")
    new = agents.wait_renewed("acme", old)
    agents.serve.log(f"agent/acme is connected", count=2)
    assert agents.row("acme")[1] > 0 and agents.row("acme")[2] == ""
    assert f"acme  key {new[:12]}" in agents.agent("list")
    assert (agents.folder / "acme.pem").stat().st_mode & 0o777 == 0o600
    host.kill()
    agents.start_host("acme")
    agents.serve.log("agent/acme is connected", count=3)
