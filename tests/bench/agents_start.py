"""agents_start.py - from a press in the chat to StartUnit on a booted host, and to the start.

    make bench-agent [ROUNDS=n]      as root

A round trip between the host and deploybot-link takes 1 ms more than on one machine.  From before the press is handed
to the stand-in of Telegram to the moment at which the agent asks systemd, its flush of the record included, as its log
says; and to that at which systemd writes "Starting" to its journal: in between polkit is asked.  What was measured is
printed, and no test: it wants a machine on which nothing else runs.
"""
# SPDX-License-Identifier: ISC
import contextlib
import datetime
import json
import pathlib
import re
import statistics
import sys
import tempfile
import time

import kit

sys.path[:0] = [str(kit.ROOT / "tests" / folder) for folder in ("e2e", "infra", "tools")]

# pylint: disable=wrong-import-position
from test_flow_agent_cut import Way  # noqa: E402
from test_infra_agent_client import Client  # noqa: E402

ONE_WAY_S, MOST_MS = 0.0005, 50
ACTION = "restart-web"


def slow_down(client):
    """The host's link anew, over a way that is as long as said."""
    agents = client.agents
    way = Way(agents.address)
    way.delay_s = ONE_WAY_S
    lines = dict(line.split("=", 1) for line in client.link.file.read_text("ascii").splitlines())
    client.link.kill()
    agents.links.remove(client.link)
    agents.serve.log("agent/acme is disconnected")
    for name in ("LINK_CA_FILE", "LINK_CERTIFICATE_FILE", "LINK_KEY_FILE"):
        del lines[name]
    client.link = agents.start("agent", "acme", **{**lines, "LINK_SERVERS": way.address})
    agents.serve.log("agent/acme is connected", count=2)
    return way


def asked_at(client, count):
    """When the agent has asked for the start for the count-th time, in seconds of the wall clock."""
    said = client.host.run("journalctl", "-o", "cat", "--no-pager", "-u", "deploybot-agent.service").stdout
    asks = re.findall(r"(?m)^(?:<\d>)?(\S+)Z info +run \d+: asks systemd to start", said)
    assert len(asks) == count, said
    return datetime.datetime.fromisoformat(asks[-1] + "+00:00").timestamp()


def begun_at(client, count):
    """When systemd has started that unit for the count-th time, in seconds of the wall clock."""
    said = client.host.run("journalctl", "-o", "json", "--no-pager", f"UNIT=deploybot-do-{ACTION}.service").stdout
    starts = [entry for entry in map(json.loads, said.splitlines()) if entry["MESSAGE"].startswith("Starting ")]
    assert len(starts) == count, (len(starts), count)
    return int(starts[-1]["_SOURCE_REALTIME_TIMESTAMP"]) / 1e6


def one(client, count):
    client.ada.say(f"/do {ACTION} acme")
    question = client.ada.hear(f"❓ Run this? client/acme {ACTION}")
    pressed_at = time.time()
    client.ada.press(question, ACTION)
    client.ada.hear(f"client/acme {ACTION}", "Done")
    return [(at(client, count) - pressed_at) * 1000 for at in (asked_at, begun_at)]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Client(pathlib.Path(folder))) as client, \
            contextlib.closing(slow_down(client)):
        taken = [one(client, count) for count in range(1, rounds + 1)]
    for what, times, most in zip(("StartUnit", "its start"), zip(*taken), (MOST_MS, None)):
        median = statistics.median(times)
        print(f"press to {what}: median {median:.1f} ms, {min(times):.1f} to {max(times):.1f}, of {rounds}"
              + (f" (at most {most}{'!' if median > most else ''})" if most else ""))


if __name__ == "__main__":
    main()
