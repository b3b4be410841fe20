"""Goal: wherever the connection of an agent's host is cut, or stands and says nothing, a run begins once or not at all,
and its end is said; 200 ms of way each way change nothing."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import re
import selectors
import socket
import threading

import pytest

from agents_aid import Agents
from flow_aid import PATIENCE_S
from runner_client import wait_for
from telegram_client import ADA, text_of

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")]

STEP = 97           # bytes between one cut and the next
ENDED = re.compile("Done|Failed|not known|nothing was started")


class Way:
    """Between a host and deploybot-link: passes on so many bytes, of both directions, then cuts or stands still."""

    def __init__(self, server):
        host, _, port = server.rpartition(":")
        self.server = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.most, self.stands, self.delay_s, self.length = None, False, 0, threading.Event()
        self.passed = 0
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def cut_at(self, most, stands=False):
        """Of the connection that comes next, once; those behind it are whole."""
        self.most, self.stands = most, stands
        self.hang_up()

    def hang_up(self):
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                most, self.most = self.most, None
                threading.Thread(target=self.pass_on, args=(client, most), daemon=True).start()

    def pass_on(self, client, most):
        self.passed = 0
        with contextlib.suppress(OSError), client, socket.create_connection(self.server) as server, \
                selectors.DefaultSelector() as ready:
            self.open = [client, server]
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    self.length.wait(self.delay_s)  # the way itself
                    if most is not None and self.passed + len(data) > most:
                        key.data.sendall(data[:most - self.passed])
                        while self.stands and client.recv(65536):
                            pass                    # taken, and passed on to nobody
                        return
                    key.data.sendall(data)
                    self.passed += len(data)

    def close(self):
        self.listener.close()
        self.hang_up()


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(CLIENTS="acme", CLIENT_ACME_HOST="agent:acme", CLIENT_ACME_ACTIONS="disk-free")
    made.peer, made.host = made.start_agent("acme", disk_free=("41 percent\n", 0))
    made.host.kill()
    made.links.remove(made.host)
    made.way = Way(made.address)
    direct, made.address = made.address, made.way.address
    made.host = made.start_again("acme", LINK_HEARTBEAT_S=3)
    made.address = direct
    yield made
    made.way.close()
    made.close()


@pytest.fixture(name="ada")
def make_ada(agents):
    return agents.admin()


def run_once(agents, ada):
    """A run, whatever happens on its way; its message."""
    before = len(agents.peer.starts)
    ada.say("/do disk-free acme")
    said = text_of(agents.scene.chat.wait_for_message(
        lambda view: "client/acme disk-free" in text_of(view) and ENDED.search(text_of(view)), 3 * PATIENCE_S,
        chat_id=ADA, after=ada.since))
    assert len(agents.peer.starts) - before <= 1, (said, agents.peer.starts[before:])
    assert "Done" not in said or (len(agents.peer.starts) == before + 1 and "41 percent" in said), said
    return said


def test_it_is_done_over_a_slow_way(agents, ada):
    agents.way.delay_s = 0.2
    assert "Done" in run_once(agents, ada)
    agents.way.delay_s = 0


@pytest.mark.parametrize("stands", [False, True], ids=["cut", "stands still"])
def test_wherever_it_is_cut_a_run_begins_once_or_not_at_all(agents, ada, stands):
    agents.way.cut_at(None)
    wait_for(lambda: agents.serve.found("agent/acme is connected"), "the host")
    assert "Done" in run_once(agents, ada)
    whole = agents.way.passed
    assert whole > 4000, whole
    ends = []
    for most in range(1, whole, STEP * (8 if stands else 1)):
        agents.way.cut_at(most, stands)
        ends.append(run_once(agents, ada))
    assert any("Done" in end for end in ends)
