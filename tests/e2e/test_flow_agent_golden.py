"""Goal: each action on a client reads the same in the chat and in the audit, over ssh and through an agent, but for
ssh's own step; the question alone shows an agent's unit."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shlex
import shutil
import tempfile

import pytest

from agents_aid import Agents
from runner_client import wait_for
from service_aid import RUNNER, give
from telegram_client import text_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

DOES = {"restart-web": ("web is running\n", 0), "disk-free": ("/ 41% of 20 GB\n/srv 9% of 80 GB\n", 0),
        "service-status": ("web has failed\n", 3), "reload-nginx": ("", 0)}
# In the place of ssh, whose user has to have a name: the host says what the agent's unit says.
SSH = """#!/bin/bash
case ${!#} in
%s*" -- clear-cache "*) touch %s; cat >/dev/null; exit 75 ;;
*) exit 0 ;;
esac
"""


@pytest.fixture(scope="module", name="agents")
def make_agents():
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    cases = "".join(f'*" -- {action}"*) printf %s {shlex.quote(words)}; exit {status} ;;\n'
                    for action, (words, status) in DOES.items())
    (folder / "ssh").write_text(SSH % (cases, folder / "up"), "ascii")
    (folder / "ssh").chmod(0o755)
    for name, text in (("key", "x"), ("known_hosts", "acme.example ssh-ed25519 AAAA\n")):
        (folder / name).write_text(text, "ascii")
        give(folder / name, RUNNER, RUNNER, 0o600)
    actions = ",".join([*DOES, "clear-cache"])
    made = Agents(CLIENTS="acme,beta", CLIENT_ACME_HOST="agent:acme", CLIENT_ACME_ACTIONS=actions,
                  CLIENT_BETA_HOST="root@acme.example", CLIENT_BETA_ACTIONS=actions,
                  CLIENT_BETA_SSH_KEY_PATH=str(folder / "key"), CLIENT_BETA_WEB_UNIT="web.service",
                  CLIENT_BETA_CACHE_COMMAND="empty", SSH_KNOWN_HOSTS=str(folder / "known_hosts"))
    script = made.scene.folder / "lib" / "deploy" / "act-on.sh"     # its PATH is the runner's word
    begin = "\nset -euo pipefail\n"
    script.write_text(script.read_text("utf-8").replace(begin, f"{begin}PATH={folder}:$PATH\n"), "utf-8")
    made.peer, _ = made.start_agent("acme", clear_cache=None, **{
        action.replace("-", "_"): does for action, does in DOES.items()})
    made.up, made.ada = folder / "up", made.admin()
    yield made
    made.close()
    shutil.rmtree(folder)


def plain(text, client):
    """Without what is another one each time (client, numbers, times), ssh's own step, and its script's status."""
    text = re.sub(r"\n[✓✗] ssh \S+| in ssh \S+", "", text.replace(client, "CLIENT")).replace(": exit 70:", ": exit 3:")
    return re.sub(r"#\d+|\d+(\.\d)? (min|m?s)\b", "N", text)


def ended(agents, client, action, stop=None):
    """(what its message says at the end, what the audit says): of one run there."""
    def is_over():
        rows = agents.scene.audit(environment=f"client/{client}")
        return [row["action"] for row in rows if row["action"].startswith("action_")][before:]
    before = len([row for row in agents.scene.audit(environment=f"client/{client}")
                  if row["action"].startswith("action_")])
    agents.ada.say(f"/do {action} {client}")
    if action == "restart-web":
        agents.ada.press(agents.ada.hear(f"❓ Run this? client/{client} {action}"), action)
    if stop:
        view = agents.ada.hear(f"⏳ Running client/{client} {action}")
        stop()
        agents.ada.press(view, "Stop")
    said = text_of(agents.ada.hear(f"client/{client} {action}", without=("⏳", "❓", "⚠️ The cancel")))
    wait_for(lambda: len(is_over()) > 1, "its end in the audit")
    return plain(said, client), is_over()


@pytest.mark.parametrize("action", DOES)
def test_an_action_reads_the_same_over_ssh_and_through_an_agent(agents, action):
    by_agent, over_ssh = ended(agents, "acme", action), ended(agents, "beta", action)
    assert by_agent == over_ssh
    words, status = DOES[action]
    assert words.strip() in by_agent[0] and by_agent[0].startswith("❌" if status else "✅"), by_agent


def test_one_that_is_stopped_reads_the_same(agents):
    starts = len(agents.peer.starts)
    by_agent = ended(agents, "acme", "clear-cache",
                     lambda: wait_for(lambda: len(agents.peer.starts) > starts, "its start"))
    over_ssh = ended(agents, "beta", "clear-cache", lambda: wait_for(agents.up.exists, "it on the host"))
    assert by_agent == over_ssh
