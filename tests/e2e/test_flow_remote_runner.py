"""Goal: an environment of a remote runner is deployed there: asked of, ordered, followed and ended over deploybot-link,
and of what is disconnected nothing is guessed.  Drives the real programs."""
# SPDX-License-Identifier: ISC
import os
import shutil

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from agents_aid import DEPLOYBOT, Agents
from crash_aid import HOLD, STEADY
from local_aid import PERSON
from runner_client import wait_for
from service_aid import RUNNER, SERVER, RunnerService, give

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
    made = Agents(RUNNERS=NAME, STAGING_RUNNER=NAME, RUNS_MAX="1", PRODUCTION_CONFIRM="false")
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
    ada.hear("✅ Live: staging")
    runs = agents.remote.runs()
    assert runs and not (agents.scene.folder / "state" / "runs" / str(runs[-1])).exists()
    assert agents.scene.bot_rows(f"SELECT runner FROM run WHERE id = {runs[-1]}") == [(NAME,)]


def test_a_failure_there_shows_the_end_of_its_log_and_all_of_it_comes_from_there(agents, ada):
    agents.scene.scripts.deploy('for i in $(seq 20000); do echo "line $i of many"; done; echo it burns; exit 3')
    ada.say("/deploy staging")
    said = ada.hear("❌ Failed: staging", "it burns")
    assert not (agents.scene.folder / "state" / "runs" / str(agents.remote.runs()[-1])).exists()
    ada.press(said, "Log")
    sent = agents.scene.chat.file(ada.hear("Log of staging")).decode()
    assert "it burns" in sent and all(f"line {i} of many\n" in sent for i in (1, 9999, 20000))
    printed = agents.scene.run(PERSON, "log", "staging")
    assert "line 1 of many\n" in printed and printed.count(" of many\n") == 20000 and "it burns" in printed
    agents.scene.lift_blocks()


def test_what_it_prints_there_is_seen_while_it_goes_on(agents, ada):
    agents.scene.commit()
    agents.scene.scripts.deploy(f'echo compiling 7 of 9; {HOLD}; {STEADY}')
    agents.scene.hold_script()
    ada.begin("staging")
    agents.scene.wait_held()
    ada.hear("compiling 7 of 9")
    assert "compiling 7 of 9\n" in agents.scene.run(PERSON, "log", "staging")
    disconnect(agents)
    assert f"the runner {NAME} " in agents.scene.run(PERSON, "log", "staging", wanted=75)
    agents.remote.connect()
    agents.scene.go_on()
    ada.hear("✅ Live: staging")


def start_held(agents, person, environment="staging"):
    """A run that waits in its script."""
    agents.scene.commit("main" if environment == "production" else "develop")
    agents.scene.scripts.deploy(f"{HOLD}; {STEADY}", environment)
    agents.scene.hold_script(environment)
    person.begin(environment)
    agents.scene.wait_held(environment)


def disconnect(agents):
    agents.remote.link.kill()
    wait_for(lambda: "disconnected" in listed(agents), "its being away")


def test_a_run_goes_on_while_its_runner_and_then_its_server_is_gone_and_ends_once(agents, ada):
    start_held(agents, ada)
    run = agents.remote.runs()[-1]
    disconnect(agents)
    ada.hear("staging", f"its runner {NAME} is disconnected since")
    ada.say("/status staging")
    ada.hear("staging", f"its runner {NAME} is disconnected since")
    agents.scene.bot.kill()
    agents.scene.go_on()
    agents.scene.start_bot()
    assert agents.scene.is_busy("staging")                  # of it nothing is known
    agents.remote.connect()
    ada.hear("✅ Live: staging")
    assert agents.remote.runs()[-1] == run


def test_what_waits_for_a_runner_keeps_its_place_and_starts_when_it_is_there(agents, ada):
    start_held(agents, ada, "production")
    agents.scene.commit()
    ada.say("/deploy staging")
    ada.hear("as many deployments are in progress as may be")
    runs = agents.remote.runs()
    disconnect(agents)
    wait_for(lambda: agents.scene.bot_rows("SELECT 1 FROM runner"), "the row of who is gone")
    agents.scene.go_on("production")
    ada.hear(f"waits: its runner {NAME} is disconnected since")
    ada.say("/queue staging")
    ada.hear(f"waits for the runner {NAME}")
    ada.say("/deploy staging")
    ada.hear("⛔ Not deployed: staging", f"the runner {NAME} has been disconnected for")
    agents.remote.connect()
    ada.hear("✅ Live: staging")
    assert len(agents.remote.runs()) == len(runs) + 1
