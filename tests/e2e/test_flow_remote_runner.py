"""Goal: an environment of a remote runner is deployed there: asked of, ordered, followed and ended over deploybot-link,
and of what is disconnected nothing is guessed.  Drives the real programs."""
# SPDX-License-Identifier: ISC
import os
import shutil

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from agents_aid import DEPLOYBOT, Agents
from local_aid import PERSON
from runner_client import wait_for
from service_aid import RUNNER, SERVER, RunnerService, give
from telegram_client import text_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

NAME = "build-1"


class Remote:
    """A machine with deploybot-remote-runner and deploybot-link of its own."""

    def __init__(self, agents):
        self.agents, scene = agents, agents.scene
        self.folder = agents.folder / NAME
        for name in ("", "state", "run"):
            (self.folder / name).mkdir()
            give(self.folder / name, RUNNER, SERVER, 0o755)
        program = scene.folder / "lib" / "deploybot-remote-runner"
        shutil.copy(DEPLOYBOT.parent / program.name, program)
        public = load_pem_private_key((agents.ca / "order.key").read_bytes(), None).public_key()
        keys = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        orders = self.folder / "runner.conf"
        orders.write_text(f"RUNNER_NAME={NAME}\nORDER_KEYS={keys}\n")
        self.service = RunnerService(program, self.folder, self.folder / "run" / "runner.sock", self.folder / "state",
                                     scene.runner_environment())
        self.service.start("--orders", str(orders))
        agents.scene.run(PERSON, "runner", "enrol", NAME, agents.key(NAME, NAME, "runner"))
        self.connect()

    def connect(self):
        self.link = self.agents.start_host(NAME, "runner", RUNNER_SOCKET=self.service.socket,
                                           STATE_DIRECTORY=self.service.state)

    def runs(self):
        return sorted(int(path.name) for path in (self.service.state / "runs").glob("[0-9]*"))

    def close(self):
        if self.service.process.poll() is None:
            self.service.stop()


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(RUNNERS=NAME, STAGING_RUNNER=NAME)
    made.remote = Remote(made)
    made.peers.append(made.remote)
    yield made
    made.close()


@pytest.fixture(name="ada")
def make_ada(agents):
    return agents.admin()


def listed(agents):
    return agents.scene.run(PERSON, "runner", "list")


def test_what_is_deployed_there_runs_there(agents, ada):
    wait_for(lambda: "connected, " in listed(agents), "it")
    ada.say("/deploy staging")
    ada.hear("✅ Deployed staging")
    runs = agents.remote.runs()
    assert runs and not (agents.scene.folder / "state" / "runs" / str(runs[-1])).exists()
    assert agents.scene.bot_rows(f"SELECT runner FROM run WHERE id = {runs[-1]}") == [(NAME,)]
