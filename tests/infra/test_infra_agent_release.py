"""Goal: a release goes from the chat through link and agent to another host's systemd, as its own user there: server,
runner, deploy.sh, tickets, link, agent, polkit and pipes are real. docker on the host is a stand-in."""
# SPDX-License-Identifier: ISC
import json
import shutil

import pytest

from link_aid import PROGRAM
from ssh_aid import COMPOSE
from stage import ROOT, wait_until
from telegram_client import text_of
from test_flow_image import Registry
from test_infra_agent_client import Client

STAND = "/srv/stand"
APP = "/srv/app"
UNIT = "deploybot-do-release@.service"


class Releases(Client):
    """STAGING_HOST is a host with an agent, where deploybot's own half of a release is installed."""

    def __init__(self, folder):
        self.registry = Registry()
        super().__init__(folder, DEPLOY_TRANSPORT="agent", STAGING_HOST="acme", CLIENT_ACME_ENVIRONMENT="staging",
                         DEPLOY_SCRIPT=None, ROLLBACK_SCRIPT=None, STAGING_COMPOSE_DIR=APP, STAGING_HEALTH_URL=None,
                         IMAGE_SOURCE="registry", REGISTRY_URL=self.registry.url, REGISTRY_IMAGE="team/shop",
                         PRODUCTION_HOST="nowhere")

    def install(self):
        super().install()
        root = self.host.root.path
        shutil.copytree(ROOT / "deploy", root / "usr/lib/deploybot/deploy")
        shutil.copytree(ROOT / "tests/peers/commands", root / "opt/commands")
        unit = (ROOT / "deploy/agent/units" / UNIT).read_text("utf-8").replace(
            "[Service]\n", f"[Service]\nEnvironment=STAND={STAND} PATH=/opt/commands/host:/usr/bin:/bin\n")
        (root / "etc/systemd/system" / UNIT).write_text(unit, "utf-8")
        self.host.sh(f"useradd deploy; install -d -o deploy {STAND} {APP}; systemctl daemon-reload")
        (root / APP.lstrip("/") / "docker-compose.yml").write_text(COMPOSE, "utf-8")
        self.change(images={}, registry=[], containers=[], compose="v2")
        shutil.copy(PROGRAM, self.agents.scene.folder / "lib" / "deploybot-link")

    def engine(self):
        return json.loads(self.host.sh(f"cat {STAND}/engine"))

    def change(self, **fields):
        path = self.host.root.path / STAND.lstrip("/") / "engine"
        before = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**before, **fields}), "utf-8")
        self.host.sh(f"chown deploy {STAND}/engine")

    def commit(self):
        """One of which the registry has an image; its name there."""
        commit = self.agents.scene.commit()["after"]
        digest = self.registry.push(commit, commit)
        self.registry.tags[digest] = self.registry.tags[commit]
        image = f"{self.registry.url.removeprefix('http://')}/team/shop@{digest}"
        self.change(registry=[*self.engine()["registry"], image])
        return image

    def runs(self):
        return [(box["of"], box["status"]) for box in self.engine()["containers"]]

    def starts(self):
        """Units of acts that systemd has started, by the journal."""
        self.host.run("journalctl", "--sync")   # what systemd has said is in it
        said = self.host.run("journalctl", "-o", "cat", "--no-pager", "_PID=1").stdout
        return [line for line in said.splitlines() if line.startswith("Starting deploybot-do-release@")]

    def close(self):
        super().close()
        self.registry.done()


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    made = Releases(tmp_path_factory.mktemp("release"))
    yield made
    made.close()


def test_a_deployment_and_a_rollback_go_through_the_agent(releases):
    first = releases.commit()
    releases.ada.say("/deploy staging")
    said = text_of(releases.ada.hear("Live: staging"))
    assert releases.runs() == [(first, "running")], said
    second = releases.commit()
    releases.ada.say("/deploy staging")
    said = text_of(releases.ada.hear("Live: staging"))
    assert releases.runs() == [(second, "running")], said
    releases.ada.say("/rollback staging")
    releases.ada.press(releases.ada.hear("Roll back staging"), "Roll")
    said = text_of(releases.ada.hear("Rolled back"))
    assert releases.runs() == [(first, "running")], said
    starts = releases.starts()
    assert len(starts) == len(set(starts)) > 5, starts
    assert releases.host.sh("ls /run/deploybot-agent") == "runner.sock\n"
    assert "deploy\n" == releases.host.sh(f"stat -c %U {APP}/.env")


def test_a_release_that_is_stopped_puts_the_host_in_order(releases):
    live = releases.runs()
    releases.commit()
    plan = '[{"when": ["compose", "up"], "hang": true}]'
    releases.host.sh(f"echo '{plan}' >{STAND}/plan; chown deploy {STAND}/plan")
    releases.ada.say("/deploy staging")
    running = releases.ada.hear("⏳ Deploying staging")
    wait_until((releases.host.root.path / STAND.lstrip("/") / "hangs").exists, 120, "compose")
    releases.host.sh(f"rm {STAND}/plan")
    releases.ada.press(running, "Stop")
    said = text_of(releases.ada.hear("topped"))
    releases.host.sh(f"kill -9 $(cat {STAND}/hangs)")
    wait_until(lambda: releases.host.sh("ls /run/deploybot-agent") == "runner.sock\n", 120, "the end of all acts")
    assert releases.runs() == live, said


def test_an_agent_that_was_revoked_is_released_to_no_more(releases):
    starts = releases.starts()
    releases.agents.agent("revoke", "acme")
    releases.commit()
    releases.ada.say("/deploy staging")
    said = text_of(releases.ada.hear("Failed: staging"))
    assert "acme: nothing was begun: agent/acme is not connected" in said and releases.starts() == starts, said
