"""Goal: of two servers that have one database one leads, and the other takes over when it is gone.  Drives the real
program beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import os
import signal
import threading
import uuid

import pytest

from ops_aid import post_github
from postgresql_aid import Pair
from stage import get, wait_until


@pytest.fixture(scope="module", name="pair")
def make_pair(tmp_path_factory):
    made = Pair(tmp_path_factory.mktemp("two-servers"))
    yield made
    made.close()


def leader_and_other(pair):
    """(who leads, the standby), both alive."""
    wait_until(lambda: pair.leads(pair.bot) or pair.leads(pair.other), 20, "a leader")
    return (pair.bot, pair.other) if pair.leads(pair.bot) else (pair.other, pair.bot)


def name_of(server):
    return server.settings["SERVER_NAME"]


def test_one_leads_and_the_other_says_so(pair):
    leader, other = leader_and_other(pair)
    assert pair.ready(leader)[0] == 200
    status, text = pair.ready(other)
    assert status == 503 and text.startswith(f"standby of {name_of(leader)}, which leads since 20"), text
    assert get(other.base + "/healthz")[0] == 200
    assert "\ndeploybot_is_leader 0\n" in other.metrics()
    assert "deploybot_release_info{" not in other.metrics()


def ping(server, guid):
    return post_github(server, b'{"zen": "-", "hook_id": 1}', event="ping", guid=guid).status


def test_a_standby_takes_no_push_while_another_leads(pair):
    leader, other = leader_and_other(pair)
    assert get(other.base + "/telegram/webhook")[0] == 503
    assert ping(other, str(uuid.uuid4())) == 503
    assert ping(leader, str(uuid.uuid4())) == 200


def test_a_push_in_between_waits_for_who_leads_next(pair):
    """Held by the standby once the lease has ended, and answered by the same connection when it leads."""
    leader, other = leader_and_other(pair)
    statuses, ends = [], threading.Event()

    def push():
        while not ends.is_set():
            statuses.append(ping(other, str(uuid.uuid4())))
    leader.kill()
    pushing = threading.Thread(target=push)
    pushing.start()
    pair.wait_leads(other)
    wait_until(lambda: statuses[-1:] == [200], 20, "a push that is taken")
    ends.set()
    pushing.join()
    refused = statuses.index(200)
    assert set(statuses[:refused]) <= {503} and set(statuses[refused:]) == {200}, statuses
    leader.start()
    pair.wait_stands_by(leader)


def test_a_standby_s_command_line_says_who_leads(pair):
    leader, other = leader_and_other(pair)
    done = other.run("status")
    assert done.returncode != 0
    assert f"{name_of(leader)} leads; this server is a standby: run it there" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_takes_over_when_the_leader_is_gone(pair, number):
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    ada = pair.admin()
    ada.say("/status")
    ada.hear("staging")
    leader.process.send_signal(number)
    leader.process.wait()
    pair.wait_leads(other)
    assert pair.epoch() == before + 1
    ada.say("/status")
    ada.hear("staging")
    leader.start()
    pair.wait_stands_by(leader)
    assert pair.epoch() == before + 1
    verified = other.run("audit", "verify")
    assert verified.returncode == 0, verified.stderr


def test_a_leader_that_was_only_stopped_ends_when_it_goes_on(pair):
    """Another leads by then: what it held counts for nothing."""
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    ada = pair.admin()
    leader.process.send_signal(signal.SIGSTOP)
    pair.wait_leads(other)
    ada.say("/status")
    ada.hear("staging")
    leader.process.send_signal(signal.SIGCONT)
    assert leader.process.wait(20) == 75
    assert "this server leads no longer: it stood still for " in leader.log()
    leader.start()
    pair.wait_stands_by(leader)
    assert pair.epoch() == before + 1
    ada.say("/status")
    ada.hear("staging")


def sees_standby(pair):
    return pair.database.sql(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'deploybot standby %'") == "1"


def test_status_says_who_leads_and_who_could_take_over(pair):
    leader, other = leader_and_other(pair)
    ada = pair.admin()
    wait_until(lambda: sees_standby(pair), 20, "a standby")
    ada.say("/status")
    ada.hear("staging", f"🖥 {name_of(leader)} leads since ", f"; its standby: {name_of(other)}")
    assert f"\nstandby:  {name_of(other)}\n" in leader.run("database", "status").stdout
    wait_until(lambda: "\ndeploybot_standby_connected 1\n" in leader.metrics(), 30, "its metric")
    assert "\ndeploybot_database_replicas 0\n" in leader.metrics()
    assert "\ndeploybot_standby_connected " not in other.metrics()
    other.stop()
    wait_until(lambda: not sees_standby(pair), 20, "that it is gone")
    ada.say("/status")
    ada.hear("staging", f"⚠️ {name_of(other)} is gone, or cannot lead; {name_of(leader)} leads since ")
    wait_until(lambda: "\ndeploybot_standby_connected 0\n" in leader.metrics(), 30, "its metric")
    other.start()
    pair.wait_stands_by(other)


def test_a_session_that_is_cut_changes_nothing(pair):
    leader, _ = leader_and_other(pair)
    before, ada = pair.epoch(), pair.admin()
    pair.database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'deploybot%'")
    ada.say("/status")
    ada.hear("staging")
    wait_until(lambda: pair.ready(leader)[0] == 200, 20, "readiness")
    assert pair.epoch() == before


def test_a_signal_in_the_moment_of_a_take_over_is_no_kill(pair):
    """It stops in order behind its start, and gives its lease up: whoever is started next need not wait for the end."""
    for _ in range(4):
        leader, other = leader_and_other(pair)
        before = other.log().count("this server leads, epoch")
        leader.stop()
        wait_until(lambda other=other, before=before: other.log().count("this server leads, epoch") > before, 20,
                   "a take-over")
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(60) == 0
        assert pair.database.sql("SELECT holder FROM leader") == ""
        leader.start()
        other.start()
        pair.wait_stands_by(other)


def test_a_store_that_gets_no_answer_leads_no_longer(pair):
    """Its session hangs behind a kernel that lives, and the lease's does not."""
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    assert ping(leader, str(uuid.uuid4())) == 200       # it is behind a COMMIT
    store = int(pair.database.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'deploybot'"))
    os.kill(store, signal.SIGSTOP)
    try:
        pushing = threading.Thread(target=ping, args=(leader, str(uuid.uuid4())))
        pushing.start()
        assert leader.process.wait(60) == 75
        pushing.join()
    finally:
        os.kill(store, signal.SIGCONT)
    assert "this server leads no longer: its store gets no answer of the database" in leader.log()
    pair.wait_leads(other)
    leader.start()
    pair.wait_stands_by(leader)
    assert pair.epoch() == before + 1


def test_a_leader_that_does_not_come_to_its_end_is_ended(pair):
    """Its store's session hangs behind the last answer: who waits at the standby waits no longer than the lease."""
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    store = int(pair.database.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'deploybot'"))
    os.kill(store, signal.SIGSTOP)
    try:
        leader.process.send_signal(signal.SIGTERM)
        assert leader.process.wait(90) == 75
    finally:
        os.kill(store, signal.SIGCONT)
    assert "this server leads no longer: it has not come to its end" in leader.log()
    pair.wait_leads(other)
    leader.start()
    pair.wait_stands_by(leader)
    assert pair.epoch() == before + 1


def test_of_two_with_one_name_the_second_says_so_and_waits(pair):
    leader, other = leader_and_other(pair)
    before, own = pair.epoch(), name_of(other)
    other.stop()
    other.settings["SERVER_NAME"] = name_of(leader)
    try:
        other.start()
        wait_until(lambda: f"another server is called {name_of(leader)} too, and leads" in other.log(), 20, "its log")
        assert pair.epoch() == before and pair.leads(leader)
        words = f"two servers are called {name_of(leader)}: give one of them another SERVER_NAME"
        assert f"names:    {words}" in other.run("database", "status").stdout
        said = other.run("doctor").stdout
        assert f"error    servers: {words}" in said and "a standby serves on port" in said, said
    finally:
        other.stop()
        other.settings["SERVER_NAME"] = own
    other.start()
    pair.wait_stands_by(other)
