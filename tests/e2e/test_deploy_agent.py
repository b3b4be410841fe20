"""Goal: a release through an agent is what ssh's is: calls go through a real deploybot-link on both sides and a real
deploybot-agent, whose systemd is a stand-in, and what has no good ticket starts nothing."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import order_bytes
from commands_aid import DEPLOY, cleans, goes_live
from link_aid import PROGRAM, Authority, Link, Server
from runner_client import wait_for
from ssh_aid import SshBench, until_at_rest
from stage import free_port
from systemd_bus import Systemd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may bind a folder over another one")

UNIT = "deploybot-do-release@.service"
AGENT = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
         'mount --bind "$1" /etc/systemd/system && exec "$2" serve "$3"', "sh"]


class AgentBench(SshBench):
    """h1 is a host with deploybot-agent; h2 is none.  What a server does is done by hand: the ticket."""

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder, "v1")
        for name in ("agent.sh", "ssh.sh", "ssh", "ssh-host"):
            link = self.deploy / "transports" / name
            if not link.exists():
                os.symlink(os.path.join(DEPLOY, "transports", name), link)
        self.folder = pathlib.Path(tempfile.mkdtemp())      # a socket's path is short
        self.key = Ed25519PrivateKey.generate()
        self.made = []
        self.start_link()
        self.start_agent()
        self.environment |= {"DEPLOY_TRANSPORT": "agent", "TRANSPORT_LINK_CALLS": str(self.folder / "calls.sock"),
                             "RELEASE_TICKET": self.ticket()}

    def start_link(self):
        authority = Authority(self.folder / "ca")
        authority.issue("server", "URI:deploybot:server")
        authority.issue("h1", "URI:deploybot:agent/h1")
        address = f"127.0.0.1:{free_port()}"
        self.serve = Link("serve", LINK_ADDRESS=address, LINK_SOCKET=self.folder / "server.sock",
                          LINK_CALLS=self.folder / "calls.sock", **authority.settings("server"))
        self.server = Server(self.folder / "server.sock")
        self.link = Link("agent", LINK_SERVERS=address, RUNNER_SOCKET=self.folder / "run" / "runner.sock",
                         STATE_DIRECTORY=self.folder / "state", LINK_RENEWED_FILE=self.folder / "h1.pem",
                         LINK_RECONNECT_S=1, **authority.settings("h1"))
        self.server.expect("link 0\nhere agent/h1 ")

    def start_agent(self):
        for name in ("run", "state", "units"):
            (self.folder / name).mkdir(exist_ok=True)
        text = pathlib.Path(DEPLOY, "agent", "units", UNIT).read_text("utf-8")
        (self.folder / "units" / UNIT).write_text(
            text.replace("/run/deploybot-agent", str(self.folder / "run"))
            .replace("/usr/lib/deploybot/deploy", str(self.deploy)))
        self.systemd = Systemd(self.folder / "bus", self.folder / "units", {
            "PATH": f"{self.host_bin}:{self.tools}", "HOME": str(self.host()), "STAND": str(self.host()),
            "HOSTNAME": "h1", "USER": "deploy"})
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        (self.folder / "agent.conf").write_text(f"AGENT_NAME=h1\nORDER_KEYS={public}\n")
        self.log_of_agent = open(self.folder / "agent.log", "wb")   # pylint: disable=consider-using-with
        self.agent = subprocess.Popen(
            [*AGENT, self.folder / "units", PROGRAM.parent / "deploybot-agent", self.folder / "agent.conf"],
            stderr=self.log_of_agent,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus",
                 "STATE_DIRECTORY": str(self.folder / "state"), "RUNTIME_DIRECTORY": str(self.folder / "run")})
        wait_for((self.folder / "state" / "runs" / "0" / "socket").exists, "the agent")

    def check(self):
        """What `deploybot-agent check` says."""
        words = [*AGENT, self.folder / "units", PROGRAM.parent / "deploybot-agent", self.folder / "agent.conf"]
        words[words.index("sh") + 2] = words[words.index("sh") + 2].replace("serve", "check")
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={
            **os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}).stdout

    def manifest(self):
        return re.search("(?m)^manifest +([0-9a-f]{64})$", self.check())[1]

    def ticket(self, run=12, environment="staging", seconds=600, agents=None, key=None, epoch=0):
        """As lib/release_ticket.h says."""
        agents = agents or f"h0={'0' * 64},h1={self.manifest()}"
        until = int(time.time()) + seconds
        import hashlib
        signed = order_bytes("ticket", environment, "release", run, epoch,
                             hashlib.sha256(agents.encode()).hexdigest(), until)
        return f"{run} {epoch} {environment} {until} {agents} {(key or self.key).sign(signed).hex()}"

    def call(self, *words, ticket=None, agent="h1", text="\n" * 6, seconds=60):
        return subprocess.run(
            [PROGRAM, "call", agent, str(seconds), *words], input=text, capture_output=True, text=True, check=False,
            timeout=120, env={"LINK_CALLS": str(self.folder / "calls.sock"), "RELEASE_TICKET": ticket or self.ticket()})

    def done(self):
        found = super().done()
        self.agent.kill()
        self.agent.wait()
        self.log_of_agent.close()
        self.server.close()
        for link in (self.link, self.serve):
            link.kill()
        self.systemd.close()
        shutil.rmtree(self.folder)
        return found


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(AgentBench(tmp_path, tools_folder))


def test_a_deployment_goes_through_link_and_agent(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    print(bench.serve.lines, bench.link.lines, (bench.folder / "agent.log").read_text()); assert status == 0, (said, (bench.folder / "agent.log").read_text())
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not bench.calls("ssh")

