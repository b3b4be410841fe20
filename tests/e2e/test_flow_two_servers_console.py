"""Goal: a session of the console that one of two servers has opened is good on the other once that leads; what was used
or ended on one is so on both.  Drives the real program beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import http.client
import json
import threading

import pytest

from postgresql_aid import Pair
from test_flow_console import OBSERVER, OLGA, ConsoleScene
from test_flow_two_servers import leader_and_other


class ConsolePair(ConsoleScene, Pair):
    """Both serve the page, with one AUTH_TOKEN_SECRET."""

    def hand_over(self):
        """Who leads ends in order; (the one that leads now, the other, which stands by)."""
        leader, other = leader_and_other(self)
        leader.stop()
        self.wait_leads(other)
        leader.start()
        self.wait_stands_by(leader)
        return other, leader

    def new_token(self, server):
        status, answer = self.open(server, init_data=self.init_data(OLGA))
        assert status == 200, answer
        return answer["token"]


@pytest.fixture(scope="module", name="pair")
def make_pair(tmp_path_factory):
    made = ConsolePair(tmp_path_factory.mktemp("two-console"))
    yield made
    made.close()


def test_a_session_goes_on_where_the_other_leads_and_not_before(pair):
    leader, other = leader_and_other(pair)
    token = pair.new_token(leader)
    assert pair.me(token, leader)[0] == 200
    assert pair.me(token, other)[0] == 503      # the page asks again, and keeps its session
    leader.kill()
    pair.wait_leads(other)
    status, me = pair.me(token, other)
    assert status == 200 and me["person"]["id"] == OBSERVER, me
    leader.start()
    pair.wait_stands_by(leader)
    leader, _ = pair.hand_over()
    assert pair.me(token, leader)[0] == 200


def test_one_that_has_ended_is_accepted_by_neither(pair):
    leader, _ = leader_and_other(pair)
    by_page, by_chat, by_role = (pair.new_token(leader) for _ in range(3))
    assert pair.call("POST", "/v1/session/end", by_page, {}, server=leader)[0] == 200
    leader, other = pair.hand_over()
    assert pair.me(by_page, leader)[0] == 401 and pair.me(by_chat, leader)[0] == 200
    olga = pair.person(OBSERVER)
    olga.say("/logout")
    olga.hear("ogged out")
    assert [pair.me(token, leader)[0] for token in (by_page, by_chat, by_role)] == [401] * 3
    leader, other = pair.hand_over()
    for token in (by_page, by_chat, by_role):
        assert pair.me(token, leader)[0] == 401
        assert pair.me(token, other)[0] == 503, "a standby lets nobody in"


def test_what_opens_a_session_opens_one_on_both_together(pair):
    """Neither a code nor initData counts a second time because another server is asked."""
    leader, _ = leader_and_other(pair)
    code, signed = pair.code(pair.person(OBSERVER)), pair.init_data(OLGA)
    assert pair.open(leader, init_data=signed)[0] == 200
    leader, other = pair.hand_over()
    assert pair.open(leader, init_data=signed)[0] == 401
    assert pair.open(other, code=code)[0] == 503 and pair.open(leader, code=code)[0] == 200
    leader, _ = pair.hand_over()
    assert pair.open(leader, code=code)[0] == 401


def news(server, token, since="", **headers):
    """(status, JSON) of /v1/news."""
    connection = http.client.HTTPConnection(server.base.removeprefix("http://"), timeout=60)
    connection.request("GET", f"/v1/news{since}", headers={"Authorization": f"Bearer {token}", **headers})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_who_waits_is_answered_when_the_server_stops_and_goes_on_at_the_other(pair):
    """A server that stops answers those who wait first; the other is another instance, of which all is read anew."""
    leader, other = leader_and_other(pair)
    token = pair.new_token(leader)
    _, heard = news(leader, token)
    since, waited = f"/{heard['instance']}/{heard['number']}", []
    waiting = threading.Thread(target=lambda: waited.append(news(leader, token, since, Prefer="wait=7")))
    waiting.start()
    leader.stop()
    waiting.join(60)
    assert waited and waited[0][0] in (200, 503), waited
    pair.wait_leads(other)
    status, answer = news(other, token, since)
    assert (status, answer["again"]) == (200, True), answer
    leader.start()
    pair.wait_stands_by(leader)
