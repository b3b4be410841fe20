"""Goal: from the chat to systemd on another host and back: server, link, agent and polkit are real.
The journal of the host is the witness that each run has at most one start."""
# SPDX-License-Identifier: ISC
import pytest
from cryptography.hazmat.primitives import serialization

from agent_aid import RAW, STATE, AgentHost, unit_text
from agents_aid import Agents
from stage import wait_until
from telegram_client import ADA, text_of


class Client:
    """One client over an agent on a booted host; link's process for it is outside, as its sockets are reached there."""

    def __init__(self, folder, **settings):
        self.agents = Agents(CLIENTS="acme", CLIENT_ACME_HOST="agent:acme",
                             CLIENT_ACME_ACTIONS="restart-web,disk-free,service-status,clear-cache", **settings)
        self.host = AgentHost(folder)
        self.host.start()
        self.install()
        key = serialization.load_pem_private_key((self.agents.ca / "order.key").read_bytes(), None)
        self.host.configure(f"AGENT_NAME=acme\nORDER_KEYS={key.public_key().public_bytes(*RAW).hex()}\n")
        self.host.restart_agent()
        self.agents.agent("enrol", "acme", self.agents.key("acme", "acme"))
        self.link = self.agents.start(
            "agent", "acme", LINK_SERVERS=self.agents.address, LINK_RECONNECT_S=1,
            RUNNER_SOCKET=self.host.inside("/run/deploybot-agent/runner.sock"), STATE_DIRECTORY=self.host.inside(STATE))
        self.agents.wait_for_manifest("acme")
        self.ada = self.agents.scene.person(ADA)
        self.ada.say("/whoami")

    def install(self):
        """What root puts there."""
        self.host.put("disk-free", unit_text("echo 41 percent of 20 GB"))
        self.host.put("restart-web", unit_text("echo restarted"))
        self.host.put("service-status", unit_text("echo it has failed; exit 3"))
        self.host.put("clear-cache", unit_text("echo begun; exec sleep 600"))

    def close(self):
        self.agents.close()
        self.host.stop()

    def do(self, action, asks=False):
        """Asks for it in the chat."""
        self.ada.say(f"/do {action} acme")
        if asks:
            question = self.ada.hear(f"❓ Run this? client/acme {action}", f"deploybot-do-{action}.service")
            self.ada.press(question, action)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    made = Client(tmp_path_factory.mktemp("client"))
    yield made
    made.close()


def test_a_unit_is_started_once_and_its_output_is_in_the_message(client):
    client.do("restart-web", asks=True)
    assert "restarted" in text_of(client.ada.hear("client/acme restart-web", "Done"))
    assert client.host.starts("restart-web") == 1


def test_what_is_looked_at_is_in_the_message(client):
    client.do("disk-free")
    assert "41 percent of 20 GB" in text_of(client.ada.hear("client/acme disk-free", "Done"))


def test_a_unit_that_fails_says_how(client):
    client.do("service-status")
    said = text_of(client.ada.hear("client/acme service-status", "Failed"))
    assert "exit 3" in said and "it has failed" in said, said


def test_a_unit_that_runs_is_stopped(client):
    client.do("clear-cache")
    running = client.ada.hear("⏳ Running client/acme clear-cache")
    wait_until(lambda: client.host.starts("clear-cache") == 1, 60, "the start")
    client.ada.press(running, "Stop")
    client.ada.hear("client/acme clear-cache", "topped")
    assert client.host.active("deploybot-do-clear-cache.service")[0] in ("inactive", "failed")


def test_a_unit_that_changed_is_asked_about_anew_and_started_as_it_is_now(client):
    client.ada.say("/do restart-web acme")
    question = client.ada.hear("❓ Run this? client/acme restart-web")
    client.host.put("restart-web", unit_text("echo restarted otherwise"))
    client.ada.press(question, "restart-web")
    client.ada.press(client.ada.hear("❓ Run this? client/acme restart-web", "changed"), "restart-web")
    assert "restarted otherwise" in text_of(client.ada.hear("client/acme restart-web", "Done"))
    assert client.host.starts("restart-web") == 2


def test_an_agent_that_dies_in_a_run_has_lost_it_and_nothing_is_started_again(client):
    starts = client.host.starts("clear-cache")
    client.do("clear-cache")
    wait_until(lambda: client.host.starts("clear-cache") == starts + 1, 60, "the start")
    client.host.run("systemctl", "kill", "--signal=KILL", "deploybot-agent.service")
    said = text_of(client.ada.hear("client/acme clear-cache", "not known"))
    assert client.host.starts("clear-cache") == starts + 1, said
