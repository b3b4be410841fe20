"""Goal: an action of a client whose host is an agent runs there once, by orders that are signed, or not at all."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re

import pytest

from agents_aid import Agents
from runner_client import wait_for
from telegram_client import text_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
NO_ORDER = "verify_asan_link_order=0:detect_leaks=0"
ACTIONS = "restart-web,disk-free,service-status,clear-cache"


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(CLIENTS="acme", CLIENT_ACME_HOST="agent:acme", CLIENT_ACME_ACTIONS=ACTIONS)
    made.peer, made.host = made.start_agent(
        "acme", restart_web=("web is running\n", 0), disk_free=("/ 41% of 20 GB\n", 0),
        service_status=("web has failed\n", 3), clear_cache=None)
    yield made
    made.close()


@pytest.fixture(name="ada")
def make_ada(agents):
    return agents.admin()


def test_an_action_runs_once_on_its_host_and_its_output_is_the_message(agents, ada):
    ada.say("/do restart-web acme")
    digest = agents.peer.digests["restart-web"]
    ada.press(ada.hear("❓ Run this? client/acme restart-web", "deploybot-do-restart-web.service", digest[:8]),
              "restart-web")
    said = text_of(ada.hear("client/acme restart-web", "Done"))
    assert "web is running" in said, said
    assert [capability for _, capability in agents.peer.starts] == ["restart-web"]


def test_what_fails_there_ends_as_over_ssh(agents, ada):
    ada.say("/do service-status acme")
    said = text_of(ada.hear("client/acme service-status", "exit 3"))
    assert "web has failed" in said and said.startswith("❌"), said


def start_long(agents, person):
    """A run that goes on; returns its number."""
    starts = len(agents.peer.starts)
    person.say("/do clear-cache acme")
    wait_for(lambda: len(agents.peer.starts) > starts, "the start")
    return agents.peer.starts[-1][0]


def test_it_is_stopped_there(agents, ada):
    start_long(agents, ada)
    ada.press(ada.hear("⏳ Running client/acme clear-cache"), "Stop")
    ada.hear("client/acme clear-cache", "topped")
    assert ("end", {}) in agents.peer.said


def test_a_word_of_another_agent_counts_for_nothing(agents, ada):
    other, _ = agents.start_agent("other", restart_web=("", 0))
    run = start_long(agents, ada)
    for word in (f"settled\nid {run}\nstate ended\ngate 1\n", f"refused\nid {run}\nwhy failed\n",
                 f"settled\nid {run}\nstate never\n"):
        other.server.send(word.encode())
    other.server.send(other.hello())                        # by which it is seen that all of it has come
    wait_for(lambda: "agent/other said what no agent says: hello unasked" in agents.scene.bot.log(), "its end")
    agents.peer.end(b"its own word\n", 0)
    assert "its own word" in text_of(ada.hear("client/acme clear-cache", "Done"))


def test_units_that_changed_since_the_question_are_asked_about_anew(agents, ada):
    ada.say("/do restart-web acme")
    question = ada.hear("❓ Run this? client/acme restart-web")
    starts = len(agents.peer.starts)
    agents.peer.digests["restart-web"] = "5" * 64
    ada.press(question, "restart-web")
    anew = ada.hear("❓ Run this? client/acme restart-web", "55555555")
    assert len(agents.peer.starts) == starts
    ada.press(anew, "restart-web")
    ada.hear("client/acme restart-web", "Done")
    assert len(agents.peer.starts) == starts + 1


def test_a_run_goes_on_without_its_server_and_ends_once(agents, ada):
    run = start_long(agents, ada)
    agents.scene.bot.kill()
    agents.scene.start_bot()
    wait_for(lambda: ("settle", {"id": str(run)}) in agents.peer.said, "the server's question")
    agents.peer.end(b"emptied\n", 0)
    assert "emptied" in text_of(ada.hear("client/acme clear-cache", "Done"))
    assert agents.peer.starts[-1][0] == run


def test_a_record_of_another_database_is_no_end_of_this_run(agents, ada):
    """Its numbers began anew, and the agent remembers one of before."""
    last = agents.peer.starts[-1][0]
    for number in range(last + 1, last + 4):
        agents.peer.records[number] = {"end": {"gate": 1, "ended_at": 1}, "output": b"of another", "capability": "x"}
    ada.say("/do disk-free acme")
    said = text_of(ada.hear("client/acme disk-free", "there is a record of it already"))
    assert "Done" not in said and "of another" not in said, said
    for number in range(last + 1, last + 4):
        del agents.peer.records[number]


def test_a_host_that_is_rebooted_in_a_run_has_lost_it_and_nothing_is_started_again(agents, ada):
    start_long(agents, ada)
    starts = len(agents.peer.starts)
    agents.host.kill()
    agents.links.remove(agents.host)
    agents.serve.log("agent/acme is disconnected")
    agents.peer.reboot()
    agents.host = agents.start_again("acme")
    said = text_of(ada.hear("client/acme clear-cache", "not known"))
    assert "Done" not in said and len(agents.peer.starts) == starts, said
    ada.say("/do disk-free acme")
    ada.hear("client/acme disk-free", "Done")


def test_a_host_whose_clock_is_off_by_ten_years_is_ordered_and_its_clock_is_said(agents, ada):
    agents.host.kill()
    agents.links.remove(agents.host)
    agents.serve.log("agent/acme is disconnected")
    agents.peer.clock_ms += 20 * 365 * 86400000
    agents.host = agents.start_again("acme", environment={
        "LD_PRELOAD": str(LIBRARY), "FAKETIME": "-3650d", "DONT_FAKE_MONOTONIC": "1", "ASAN_OPTIONS": NO_ORDER})
    agents.wait_for_manifest("acme")
    wait_for(lambda: "its clock is 10 years behind" in agents.agent("show", "acme"), "its clock")
    ada.say("/do disk-free acme")
    said = text_of(ada.hear("client/acme disk-free", "Done"))
    assert "41% of 20 GB" in said and re.search(r"took \d+\.\d s", said), said


def restart_link(agents, meanwhile):
    agents.serve.kill()
    agents.links.remove(agents.serve)
    meanwhile()
    agents.serve = agents.start_serve()


def test_a_run_goes_on_without_link_and_ends_meanwhile(agents, ada):
    run = start_long(agents, ada)
    restart_link(agents, lambda: agents.peer.end(b"emptied meanwhile\n", 0))
    assert "emptied meanwhile" in text_of(ada.hear("client/acme clear-cache", "Done"))
    assert agents.peer.starts[-1][0] == run


def test_output_is_asked_for_again_where_the_answer_was_lost(agents, ada):
    agents.peer.lost_reads = 2
    ada.say("/do disk-free acme")
    assert "41% of 20 GB" in text_of(ada.hear("client/acme disk-free", "Done"))
    assert agents.peer.lost_reads == 0


def test_an_order_that_was_not_answered_is_not_given_twice(agents, ada):
    """Its host is lost between the order and the answer, which the agent gives to nobody."""
    starts = len(agents.peer.starts)
    agents.peer.may_answer.clear()
    ada.say("/do restart-web acme")
    ada.press(ada.hear("❓ Run this? client/acme restart-web"), "restart-web")
    wait_for(lambda: agents.peer.said[-1][0] == "run", "the order")
    restart_link(agents, agents.peer.may_answer.set)
    ada.hear("client/acme restart-web", "Done")
    assert len(agents.peer.starts) == starts + 1


@pytest.mark.long
def test_what_cannot_be_sent_in_time_is_refused_and_never_sent(agents, ada):
    agents.host.kill()
    agents.links.remove(agents.host)
    agents.serve.log("agent/acme is disconnected")
    starts, orders = len(agents.peer.starts), len(agents.peer.said)
    ada.say("/do restart-web acme")
    ada.press(ada.hear("❓ Run this? client/acme restart-web"), "restart-web")
    ada.hear("client/acme restart-web", "acme's agent is disconnected since")
    said = text_of(ada.hear("client/acme restart-web", "nothing was started"))
    assert "acme's agent has been disconnected for" in said, said
    agents.host = agents.start_again("acme")
    agents.serve.log("agent/acme is connected")
    ada.say("/do disk-free acme")
    ada.hear("client/acme disk-free", "Done")
    assert len(agents.peer.starts) == starts + 1
    assert [kind for kind, _ in agents.peer.said[orders:]].count("run") == 1
