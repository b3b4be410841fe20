"""Goal: on a real systemd the agent starts what root has put there, where the server orders it, at most once; nothing
else and nobody else makes it start anything. The journal is the witness of each start. One machine's life, in order."""
# SPDX-License-Identifier: ISC
import contextlib

import pytest

from agent_aid import AgentHost, Server, unit_text


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with AgentHost(tmp_path_factory.mktemp("agent")) as made:
        made.put("disk-free", unit_text("echo first; echo last >&2"))
        made.put("restart-web", unit_text("echo \"==> release\"; exit 3"))
        made.restart_agent()
        yield made


@pytest.fixture
def server(host):
    with contextlib.closing(Server(host)) as made:
        yield made


def test_an_order_starts_its_unit_once_and_its_end_is_said(host, server):
    assert list(server.hello.capabilities) == ["disk-free", "restart-web"]
    over = server.play(1, "disk-free")
    assert (over["gate"], over["status"], over["lost"]) == ("1", "0", "0") and int(over["ended_at"]) > 0
    assert host.log(1) == "first\nlast\n"
    assert host.starts("disk-free") == 1
    settled = server.settle(1)
    assert settled["state"] == "ended" and settled["status"] == "0"


def test_a_unit_that_fails_is_said_with_its_status(host, server):
    over = server.play(2, "restart-web")
    assert (over["gate"], over["status"]) == ("1", "3") and "step" not in over.fields
    assert host.log(2).startswith("==> release\n")
