"""Goal: doctor says whether deploybot-link shows what a host expects, at its address, without a word to its socket; and
which ansible-playbook there is."""
# SPDX-License-Identifier: ISC
import os
import shutil
import subprocess
import tempfile

import pytest

from agents_aid import Agents
from link_aid import Link
from runner_client import wait_for
from service_aid import SERVER

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module", name="agents")
def make_agents():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("inventory", "site.yml"):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write("[]\n")
        made = Agents(ANSIBLE_FOLDER=folder, PLAYBOOK_RESTART="site.yml tags=restart")
        made.run("ca", "rotate", made.ca)
        made.key("other", "acme")
        (made.ca / "second.crt").write_text(made.run("ca", "sign", made.ca, "server", made.ca / "other.csr").stdout,
                                            encoding="ascii")
        (made.ca / "other.key").rename(made.ca / "second.key")
        yield made
        made.close()


def doctor(agents, word):
    return [line for line in agents.scene.bot.run("doctor").stdout.splitlines() if word in line]


def test_what_a_host_sees_is_said_and_the_servers_connection_stands(agents):
    assert doctor(agents, f"ok       LINK_ADDRESS: deploybot-link answers at {agents.address} with TLS 1.3 and its "
                  "certificate until 20")
    assert doctor(agents, f"ok       LINK_SOCKET: {agents.socket} is there")
    assert doctor(agents, "ok       LINK_CERTIFICATE_FILE: until 20")
    agents.agent("enrol", "seen", agents.key("seen", "seen"))
    agents.start_host("seen")
    agents.serve.log("agent/seen is connected")
    assert not agents.serve.found("another connection"), agents.serve.lines


def test_root_sees_that_the_servers_user_may_not_connect(agents):
    """Whose the audit log's folder is: that user is in no group of link's."""
    said, audit = "error    LINK_SOCKET: user www-data, as whom the server runs", agents.scene.folder / "audit"
    shutil.chown(audit, "www-data")
    assert doctor(agents, said)
    agents.socket.chmod(0o666)
    assert not doctor(agents, said)
    agents.socket.chmod(0o660)
    os.chown(audit, SERVER, -1)


@pytest.mark.long
def test_the_playbooks_and_the_program_are_named(agents):
    said = doctor(agents, "ok       ANSIBLE_FOLDER: ")
    assert said and said[0].endswith(": its inventory and 1 playbook"), said
    program = "/usr/bin/ansible-playbook"
    # It starts for seconds, and doctor waits for ten.
    assert not os.path.exists(program) or wait_for(
        lambda: doctor(agents, f"ok       {program}: ansible-playbook [core 2."), "ansible-playbook's version", 120)


@pytest.mark.parametrize("file, said", [
    ("next-link", "error    LINK_ADDRESS: a certificate that LINK_CA_FILE has not signed for a server"),
    ("second", "error    LINK_ADDRESS: 127.0.0.1:")])
def test_another_certificate_is_an_error(agents, file, said):
    agents.serve.kill()
    agents.socket.unlink(missing_ok=True)
    other = Link("serve", LINK_ADDRESS=agents.address, LINK_SOCKET=agents.socket, LINK_CA_FILE=agents.ca / "ca.crt",
                 LINK_CERTIFICATE_FILE=agents.ca / f"{file}.crt", LINK_KEY_FILE=agents.ca / f"{file}.key")
    wait_for(agents.socket.exists, "its socket")
    found = doctor(agents, said)
    assert found and (file == "next-link" or "shows another key than that of LINK_CERTIFICATE_FILE" in found[0]), found
    other.kill()


def test_what_speaks_no_tls_1_3_does_not_answer(agents):
    nobody = f"error    LINK_ADDRESS: nothing with TLS 1.3 answers at {agents.address} ("
    assert doctor(agents, nobody)
    with subprocess.Popen(["openssl", "s_server", "-accept", agents.address, "-tls1_2", "-cert", agents.ca / "link.crt",
                           "-key", agents.ca / "link.key"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as old:
        assert b"ACCEPT" in old.stdout.readline() + old.stdout.readline()
        assert doctor(agents, nobody)
        old.kill()
