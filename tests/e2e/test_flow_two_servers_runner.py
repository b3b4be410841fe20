"""Goal: a run of a remote runner goes on while its leader stands still, is followed by who leads next, and the first
does nothing to it when it goes on.  Drives the real programs beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from agents_aid import Agents
from crash_aid import HOLD, STEADY
from flow_aid import PATIENCE_S
from postgresql_aid import PostgreSQL
from runner_client import wait_for
from service_aid import AS_SERVER, SERVER, give
from stage import Deploybot, free_port, get
from test_flow_remote_runner import NAME, Remote, listed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
BEGIN = 'echo begin >>"$here/begun"'


class Two(Agents):
    """Server a with its link is the scene's; b has a folder, a port and a link of its own, and the same authority."""

    def __init__(self):
        self.database = PostgreSQL()
        self.other = None
        super().__init__(RUNNERS=NAME, STAGING_RUNNER=NAME, DATABASE_URL=self.database.url, SERVER_NAME="server-a",
                         PRODUCTION_CONFIRM="false")
        wait_for(lambda: self.leads(self.scene.bot), "a leader")
        self.addresses = [self.address, f"127.0.0.1:{free_port()}"]
        self.folder_b = self.folder / "b"
        self.folder_b.mkdir()
        give(self.folder_b, SERVER, SERVER, 0o755)
        self.socket_b = self.folder_b / "server.sock"
        self.link_b = self.start("serve", "link", LINK_ADDRESS=self.addresses[1], LINK_SOCKET=self.socket_b,
                                 LINK_CALLS=self.folder_b / "calls.sock")
        wait_for(self.socket_b.exists, "link's socket")
        give(self.socket_b, SERVER, SERVER, 0o660)
        settings = {**self.scene.settings(), "SERVER_NAME": "server-b", "STATE_DIRECTORY": str(self.folder_b / "state"),
                    "AUDIT_LOG_PATH": str(self.folder_b / "audit.log"), "API_SERVER_PORT": str(free_port()),
                    "LOCAL_SOCKET": str(self.folder_b / "local.sock"), "LINK_ADDRESS": self.addresses[1],
                    "LINK_SOCKET": str(self.socket_b)}
        del settings["RUNNER_SOCKET"]
        self.other = Deploybot(self.folder_b, settings, self.scene.folder / "lib", wrapper=AS_SERVER).start()
        self.address = ",".join(self.addresses)
        self.remote = Remote(self)
        self.peers.append(self.remote)

    def leads(self, server):
        return "\ndeploybot_is_leader 1\n" in server.metrics()

    def epoch(self):
        return int(self.database.sql("SELECT epoch FROM leader"))

    def kept(self):
        return int((self.remote.service.state / "runs" / "epoch").read_text())

    def close(self):
        try:
            for server in (self.scene.bot, self.other):
                if server is not None and server.process.poll() is None:
                    server.process.send_signal(signal.SIGCONT)
            if self.other is not None:
                self.other.stop()
            super().close()
        finally:
            self.database.close()


@pytest.fixture(scope="module", name="two")
def make_two():
    made = Two()
    yield made
    made.close()


def test_a_leader_that_was_only_stopped_does_nothing_to_a_run(two):
    ada, first = two.admin(), two.epoch()
    two.scene.scripts.deploy(f"{BEGIN}; {HOLD}; {STEADY}")
    two.scene.hold_script()
    wait_for(lambda: "connected, " in listed(two), "the runner")
    ada.say("/deploy staging")
    two.scene.wait_held()
    assert two.kept() == first
    a = two.scene.bot.process
    a.send_signal(signal.SIGSTOP)
    wait_for(lambda: two.leads(two.other), "another leader")
    wait_for(lambda: two.kept() == first + 1, "its hello to the runner")
    wait_for(lambda: "is re-attached: it went on meanwhile" in two.other.log(), "its connection to the run")
    a.send_signal(signal.SIGCONT)
    assert a.wait(PATIENCE_S) == 75
    two.scene.go_on()
    ada.hear("✅ Live: staging")
    begun = two.scene.scripts.folder / "begun"
    assert begun.read_text() == "begin\n" and two.kept() == first + 1
    assert get(two.other.base + "/healthz")[0] == 200
    two.scene.bot.start()
    wait_for(lambda: get(two.scene.bot.base + "/readyz")[1].startswith("standby of "), "a standby")
    assert two.epoch() == first + 1
