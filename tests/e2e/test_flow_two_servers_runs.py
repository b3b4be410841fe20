"""Goal: who hands over reads which runs of the leader's own runner it waits for, and which are left behind.  Drives the
real program beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import pytest

from crash_aid import HOLD, STEADY
from flow_aid import PATIENCE_S
from postgresql_aid import Pair
from stage import wait_until


@pytest.fixture(scope="module", name="pair")
def make_pair(tmp_path_factory):
    made = Pair(tmp_path_factory.mktemp("two-runs"), settings={"SHUTDOWN_TIMEOUT_SECONDS": "3"})
    yield made
    made.close()


def could_lead(pair):
    return pair.database.sql(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'deploybot standby %'") == "1"


def test_a_hand_over_names_what_it_waits_for_and_what_it_leaves(pair):
    wait_until(lambda: pair.leads(pair.bot), PATIENCE_S, "a leader")
    pair.scripts.deploy(f"{HOLD}; {STEADY}")
    pair.hold_script()
    ada = pair.admin()
    ada.say("/deploy staging")
    pair.wait_held()
    wait_until(lambda: could_lead(pair), PATIENCE_S, "a standby")
    done = pair.bot.run("hand-over")
    assert done.returncode == 0, done
    first, second, third = done.stdout.splitlines()
    assert first == "waiting for #1 (staging), at most 3 s"
    assert second.startswith("server-b leads since ")
    assert third == "#1 goes on at server-a: hand back to it, or /abandon 1"
    assert "1 runs are left running; they will be re-attached when this server leads again" in pair.bot.log()
    pair.bot.process.wait(PATIENCE_S)
    pair.wait_leads(pair.other)
    ada.say("/status")
    ada.hear("staging", "disconnected", ": start server-a, hand over to it, or ")
    pair.bot.start()
    pair.wait_stands_by(pair.bot)
    done = pair.other.run("hand-over")
    assert done.returncode == 0 and "waiting for" not in done.stdout, done
    pair.wait_leads(pair.bot)
    pair.go_on()
    ada.hear("Live: staging")
