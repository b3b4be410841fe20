"""Goal: the order of a release through agents brings a ticket of that run and its hosts to the script, and no other
order brings one."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import re
import subprocess
import time

import pytest

from agent import order_bytes
from agents_aid import DEPLOYBOT, Agents

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

# In the place of deploy.sh and rollback.sh.  What is shown to who calls is no argument of anything.
STUB = """#!/bin/bash
printf '%s' "${RELEASE_TICKET-none}" >"NOTES/$1.ticket"
echo "==> release"
echo "$2" >"NOTES/$1.live"
"""


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(DEPLOY_SCRIPT=None, ROLLBACK_SCRIPT=None, STAGING_DEPLOY_TRANSPORT="agent", STAGING_HOST="web1,web2",
                  PRODUCTION_HOST="web3", PRODUCTION_CONFIRM="false", STAGING_COMPOSE_DIR="/srv/app")
    for name in ("deploy", "rollback"):
        (made.scene.folder / "lib" / "deploy" / f"{name}.sh").write_text(
            STUB.replace("NOTES", str(made.scene.scripts.folder)), encoding="ascii")
    made.peer, _ = made.start_agent("web1", release=("", 0))
    made.ada = made.scene.ada
    yield made
    made.close()


def ticket_of(agents, environment):
    return (agents.scene.folder / "scripts" / f"{environment}.ticket").read_text("ascii")


def deployed(agents, environment="staging", branch="develop"):
    """The ticket of a deployment of a new commit there."""
    agents.scene.commit(branch)
    agents.ada.say(f"/deploy {environment}")
    agents.ada.hear(f"Live: {environment}")
    return ticket_of(agents, environment)


def check(agents, text, before, program="deploy"):
    """It is of the newest run, for the hosts that are known, as long as that may take, signed with the order key."""
    run, epoch, environment, ordered, until, hosts, signature, seed = text.split(" ")
    digest = agents.scene.bot_rows("SELECT manifest_digest FROM peer WHERE identity = 'agent/web1'")[0][0]
    assert hosts.startswith(f"web1={digest},=") and len(seed) == 64 and seed not in hosts
    newest = agents.scene.bot_rows("SELECT MAX(id) FROM run")[0][0]
    assert (int(run), epoch, environment, ordered) == (newest, "0", "staging", program)
    assert before + 600 < int(until) < time.time() + 7200
    agents.peer.key.verify(bytes.fromhex(signature), order_bytes(
        "ticket", environment, program, run, epoch, hashlib.sha256(hosts.encode()).hexdigest(), until))


def test_a_release_has_a_ticket_of_its_own_run_and_of_the_hosts_that_are_known(agents):
    before = time.time()
    first = deployed(agents)
    check(agents, first, before)
    second = deployed(agents)
    check(agents, second, before)
    assert first.split(" ")[7] != second.split(" ")[7]
    for kept in ("state", "audit"):      # the script alone has written it
        found = subprocess.run(["grep", "-rlF", second.split(" ")[7], agents.scene.folder / kept], check=False)
        assert found.returncode == 1
    agents.ada.say("/rollback staging")
    agents.ada.press(agents.ada.hear("Roll back staging"), "Roll")
    agents.ada.hear("Rolled back")
    check(agents, ticket_of(agents, "staging"), before, "rollback")


def test_where_no_agent_is_released_to_there_is_none(agents):
    assert deployed(agents, "production", "main") == "none"


def test_doctor_and_logs_say_what_is_true_through_agents(agents):
    """Of ssh's keys and hosts, and of a ticket, nothing is said: no script here is asked."""
    def doctor(*words):
        return agents.scene.bot.run("doctor", *words)
    one = doctor("staging")
    assert one.returncode == 1 and one.stderr.startswith("staging is released to through agents, of which"), one
    assert re.search(r"^ok +web1: connected, .*, may release$", one.stdout, re.M), one
    assert re.search(r"^error +web2: is not enrolled: deploybot agent enrol web2$", one.stdout, re.M), one
    agents.start_agent("web2", restart_web=("", 0))
    assert re.search(r"^error +web2: nothing can be released there: it has no deploybot-do-release@.*; connected, ",
                     doctor("staging").stdout, re.M)
    said = doctor().stdout
    assert len(re.findall(r"^\w+ +web[12]: (connected|nothing can)", said, re.M)) == 2, said
    assert "RELEASE_TICKET" not in said
    (agents.scene.folder / "unread.env").write_text("STAGING_DEPLOY_TRANSPORT=agent\nTELEGRAM_BOT_TOKEN_FILE=/none")
    unread = subprocess.run([DEPLOYBOT, "--env-file", agents.scene.folder / "unread.env", "doctor", "staging"], cwd="/",
                            env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert unread.returncode == 77 and "sudo deploybot doctor staging" in unread.stderr, unread
    agents.ada.say("/logs staging")
    agents.ada.hear("No log: staging: read it on")


def test_the_audits_tail_names_whom_an_entry_is_about(agents):
    assert re.search(r" peer_enrolled agent/web1: ok, ", agents.scene.bot.run("audit", "tail", "-n", "100").stdout)
