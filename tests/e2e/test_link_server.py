"""Goal: who may connect to deploybot-link is what `deploybot agent` says: enrolled, moved, revoked, also while it was
disconnected."""
# SPDX-License-Identifier: ISC
import os
import re

import pytest

from agents_aid import Agents
from local_aid import PERSON, ROLE
from runner_client import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents()
    yield made
    made.close()


def test_who_is_enrolled_connects_until_it_is_revoked(agents):
    key = agents.key("acme", "acme")
    host = agents.start_host("acme")
    host.log("nobody of that name is enrolled")
    assert "Enrolled" in agents.agent("enrol", "acme", key)
    agents.serve.log("agent/acme is connected")
    host.log("what the server sends reaches no runner: ")
    agents.scene.bot.kill()
    agents.scene.start_bot()                                # it asks anew
    wait_for(lambda: "does not answer" in agents.agent("list"), "the host")
    assert re.fullmatch(rf"acme  does not answer, its host is connected, \S+; key {key}, since .* by .*\n",
                        agents.agent("list"))
    assert "that name has the key" in agents.refused("enrol", "acme", "0" * 64)
    assert "acme has that key" in agents.refused("enrol", "other", key)
    assert "Revoked" in agents.agent("revoke", "acme")
    host.log("its certificate is revoked")
    agents.serve.log("agent/acme is disconnected")
    assert re.match(r"acme  revoked \d+:\d+; key", agents.agent("list")) and len(host.found("reaches no runner")) == 1
    assert "it is revoked already" in agents.refused("revoke", "acme")
    assert "acme has that key, which was revoked" in agents.refused("enrol", "other", key)


def test_a_name_that_moves_ends_the_key_of_before_also_where_link_was_not_connected_then(agents):
    first, second = agents.key("one", "web"), agents.key("two", "web")
    agents.agent("enrol", "web", first)
    host = agents.start_host("one")
    agents.serve.log("agent/web is connected")
    away = agents.socket.rename(agents.folder / "away.sock")
    agents.scene.bot.kill()
    agents.scene.start_bot()                                # it finds no link; the host stays connected
    agents.agent("move", "web", second)
    assert not host.found("revoked")
    away.rename(agents.socket)
    host.log("its certificate is revoked")
    agents.start_host("two")
    agents.serve.log("agent/web is connected", count=2)
    assert re.findall(rf"^web  .*; key {second}", agents.agent("list"), re.M)


def test_a_runner_that_was_enrolled_meanwhile_has_never_connected(agents):
    agents.scene.run(PERSON, "runner", "enrol", "build-1", "2" * 64)
    assert agents.scene.run(PERSON, "runner", "list").startswith("build-1  never connected; key 2222")


def test_it_is_for_admins_who_are_notified(agents):
    for words in (("enrol", "mine", "1" * 64), ("revoke", "mine"), ("list",)):
        assert "admin" in agents.refused(*words, user=ROLE)
    ada = agents.admin()
    agents.agent("enrol", "seen", "1" * 64)
    ada.hear("Agent enrolled: seen")


@pytest.mark.parametrize("words, said", [
    (("enrol", "Acme", "1" * 64), "a name: letters a-z"), (("enrol", "..", "1" * 64), "a name: letters a-z"),
    (("enrol", "a" * 58, "1" * 64), "a text of 1 to 57 bytes"), (("enrol", "x", "1" * 63), "the 64 hexadecimal digits"),
    (("enrol", "x", "A" * 64), "the 64 hexadecimal digits"), (("move", "nobody", "2" * 64), "no agent of that name"),
    (("revoke", "nobody"), "no agent of that name")])
def test_what_is_wrong_is_said(agents, words, said):
    assert said in agents.refused(*words)


def test_two_hosts_with_one_key_are_audited_a_few_times(agents):
    key = agents.key("copied", "copied")
    agents.agent("enrol", "copied", key)
    with agents.stand_in() as link:
        for said in ("x; rm 2", "1" * 101, "192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.3", "2001:db8::1 [2001:db8::2]",
                     "192.0.2.1 192.0.2.5"):
            link.send(f"link 0\ntwice agent/copied {said}\n".encode())
        link.send(b"link 0\ncheck agent/copied " + key.encode() + b" 8\n")
        while link.next() != b"link 0\nchecked 8 yes\n":
            pass
    entries = agents.scene.wait_for_audit(3, action="peer_twice")
    assert [entry["client"] for entry in entries] == [
        "192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.3", "2001:db8::1 [2001:db8::2]"]


def test_what_link_says_has_limits(agents):
    """Of whoever owns link the server takes no name or key that is longer than one, and goes on."""
    with agents.stand_in() as link:
        assert link.next().startswith(b"link 0\ncut agent/acme ")      # it was revoked
        long, key = b"a" * 70000, b"1" * 64
        for said in (b"here " + long + b" " + key + b" 1 2 3", b"here agent/x " + long + b" 1 2 3", b"here agent/x",
                     b"check " + long + b" " + key + b" 7", b"check agent/x " + long + b" 7", b"check agent/x " + key,
                     b"check agent/x " + key + b" -1", b"gone", b"", long):
            link.send(b"link 0\n" + said + b"\n")
        link.send(b"a channel's packet")
        link.send(b"link 0\ncheck agent/x " + key + b" 8\n")
        while (said := link.next()).startswith(b"link 0\ncut "):
            pass
        assert said == b"link 0\nchecked 8 no nobody of that name is enrolled\n"
