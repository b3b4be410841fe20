"""Goal: a pattern of agents is released to by the real server, link and runner: each agent that is enrolled is a host
of its own, a run's ticket is for its hosts alone, and who joins later waits."""
# SPDX-License-Identifier: ISC
import os
import re

import pytest

from agents_aid import Agents
from stage import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

# In the place of deploy.sh and rollback.sh.
STUB = """#!/bin/bash
printf '%s' "${RELEASE_TICKET-none}" >"NOTES/$1.ticket"
cp -- "${RUN_HOSTS:-/dev/null}" "NOTES/$1.hosts"
echo "==> release"
while read -r host; do
	[[ $host != =* ]] || continue
	echo "==> host $host began"
	read -r -t 20 _ <&"$HOST_ACKS"
	echo "==> host $host ok"
done <"$RUN_HOSTS"
echo "$2" >"NOTES/$1.live"
"""


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(DEPLOY_SCRIPT=None, ROLLBACK_SCRIPT=None, STAGING_DEPLOY_TRANSPORT="agent", STAGING_HOST="web-*",
                  PRODUCTION_HOST="h3", STAGING_COMPOSE_DIR="/srv/app",
                  STAGING_REGISTRY_URL="registry.example:5000", STAGING_PORT=None, STAGING_WAVES="1, 100%")
    for name in ("deploy", "rollback"):
        (made.scene.folder / "lib" / "deploy" / f"{name}.sh").write_text(
            STUB.replace("NOTES", str(made.scene.scripts.folder)), encoding="ascii")
    made.ada = made.scene.ada
    yield made
    made.close()


def note_of(agents, what):
    return (agents.scene.folder / "scripts" / f"staging.{what}").read_text("ascii")


def ticket_is_for(agents):
    return re.findall(r"([a-z0-9-]+)=", note_of(agents, "ticket").split(" ")[5])


def deploy(agents):
    commit = agents.scene.commit("develop")["after"]
    agents.ada.say("/deploy staging")
    return commit


def test_a_pattern_that_stands_for_nobody_is_refused_and_check_config_takes_it(agents):
    assert agents.scene.bot.run("check-config").returncode == 0
    agents.ada.say("/deploy staging")
    agents.ada.hear("no enrolled agent has a name that its pattern")
    assert "web-*: stands for no enrolled agent" in agents.scene.bot.run("doctor", "staging").stdout


def test_each_agent_is_a_host_and_a_ticket_is_for_its_wave_alone(agents):
    for name in ("web-1", "web-2", "db-1"):
        agents.start_agent(name, release=("", 0))
    deploy(agents)
    agents.ada.hear("live on 2 of 2 hosts")
    assert note_of(agents, "hosts") == "web-2:22\n" and ticket_is_for(agents) == ["web-2"]
    agents.ada.say("/hosts staging")
    agents.ada.hear("staging: 2 hosts", "web-1", "web-2")
    said = agents.scene.bot.run("doctor", "staging").stdout
    assert re.findall(r"^\w+ +(\S+): connected, .*, may release$", said, re.M) == ["web-1", "web-2"], said


def test_a_rollback_is_for_those_that_run_something(agents):
    agents.start_agent("web-3", release=("", 0))
    deploy(agents)
    agents.ada.hear("live on 3 of 3 hosts")
    agents.start_agent("web-4", release=("", 0))
    agents.ada.say("/rollback staging")
    agents.ada.press(agents.ada.hear("Roll back staging"), "Roll")
    agents.ada.hear("Rolled back")
    assert note_of(agents, "hosts") == "web-1:22\nweb-2:22\nweb-3:22\n"
    assert ticket_is_for(agents) == ["web-1", "web-2", "web-3"]


def test_who_is_revoked_has_left(agents):
    agents.agent("revoke", "web-2")
    wait_until(lambda: agents.scene.bot_rows("SELECT name FROM host WHERE left_at <> 0") == [("web-2:22",)],
               what="that it has left")
    deploy(agents)
    agents.ada.hear("live on 3 of 3 hosts")
    new, expected, known = note_of(agents, "hosts").splitlines()    # web-4 has had no release yet
    assert (new, expected[:2], known) == ("web-4:22", "= ", "web-3:22")
