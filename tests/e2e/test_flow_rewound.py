"""Goal: a database that lacks what this server's own log has is led by nobody who knows that, until a person says so.
Drives the real program beside a real PostgreSQL that is put back to what it was before, as a promotion without the
last commits does."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re

import pytest

from flow_aid import PATIENCE_S
from postgresql_aid import Pair
from stage import get, wait_until

ALONE = "SELECT COUNT(*) = 1 FROM pg_stat_activity WHERE datname = 'postgres' AND backend_type = 'client backend'"


@pytest.fixture(scope="module", name="pair")
def make_pair(tmp_path_factory):
    made = Pair(tmp_path_factory.mktemp("rewound"))
    made.other.stop()
    yield made
    made.close()


def outside(pair, *statements):
    """As PostgreSQL's administrator, from another database; nobody else has a session."""
    wait_until(lambda: pair.database.sql(ALONE) == "t", PATIENCE_S, "that all sessions are over")
    for statement in statements:
        pair.database.sql(statement, pair.database.url.replace("/postgres?", "/template1?"))


def lock(pair, environment):
    """A decision that is audited."""
    ada = pair.admin()
    ada.say(f"/lock {environment} 1h")
    ada.hear(f"Locked: {environment}")


def test_who_knows_more_than_the_database_does_not_lead(pair):
    lock(pair, "staging")
    assert pair.bot.stop() == 0
    outside(pair, "CREATE DATABASE before TEMPLATE postgres")
    pair.bot.start()
    pair.wait_leads(pair.bot)
    lock(pair, "production")
    assert pair.bot.stop() == 0
    outside(pair, "DROP DATABASE postgres", "ALTER DATABASE before RENAME TO postgres")
    pair.bot.start()
    wait_until(lambda: get(pair.bot.base + "/readyz")[1].endswith("goes on without\n"), PATIENCE_S, "its word")
    status, text = get(pair.bot.base + "/readyz")
    assert status == 503, text
    said = re.search(r"; it cannot lead: the database lacks entry (\d+), which this server's audit log ends with; "
                     r"it ends with (\d+): with deploybot and its sockets stopped `deploybot serve --rewound`", text)
    assert said and int(said[1]) > int(said[2]), text
    assert pair.database.sql("SELECT MAX(seq) FROM audit") == said[2]
    assert "\ndeploybot_is_leader 0\n" in pair.bot.metrics()


def test_another_that_knows_no_more_leads_and_says_who_does_not(pair):
    pair.other.start()
    pair.wait_leads(pair.other)
    ada = pair.admin()
    wait_until(lambda: "server-a is gone, or cannot lead" in status_of(ada), PATIENCE_S, "that it is named")
    wait_until(lambda: "server-b leads without entry" in get(pair.bot.base + "/readyz")[1], PATIENCE_S, "what to do")
    assert "move that log away" in get(pair.bot.base + "/readyz")[1]
    assert pair.bot.stop() == 0
    refused = pair.bot.run("serve", "--rewound")    # who leads goes on without already
    assert refused.returncode == 78 and "server-b leads: " in refused.stderr, refused
    assert pair.other.stop() == 0
    pair.bot.start()
    # What was decided since has the numbers of what was lost: it is not taken for it.
    assert "server's audit log ends with" in get(pair.bot.base + "/readyz")[1]


def status_of(who):
    who.say("/status")
    return str(who.hear("staging"))


def test_it_goes_on_once_that_is_said_and_keeps_what_was_lost(pair):
    epoch = pair.epoch()
    assert pair.bot.stop() == 0
    log = pathlib.Path(pair.bot.settings["AUDIT_LOG_PATH"])
    lost = log.read_text("utf-8")
    pair.bot.arguments = ("serve", "--rewound")
    pair.bot.start()
    pair.wait_leads(pair.bot)
    first = pair.epoch()
    assert first > epoch + 1700000000, "runners may know a higher one"
    runs = "SELECT coalesce(max(value), 0) FROM counter WHERE name = 'run'"
    wait_until(lambda: int(pair.database.sql(runs)) > 1700000000, PATIENCE_S, "numbers that no host knows")
    kept, = log.parent.glob("before-*/audit.log")
    assert kept.read_text("utf-8") == lost
    started = pair.bot.audit(action="server_started")[-1]
    assert started["restored"] == "yes" and started["log_last"] == str(json.loads(lost.splitlines()[-1])["seq"])
    assert started["severity"] == "high"
    who = pair.admin()
    who.say("/status")
    who.hear("What runs in staging is not known")
    verified = pair.bot.run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    assert pair.bot.stop() == 0
    pair.bot.arguments = ("serve",)     # once
    pair.bot.start()
    pair.wait_leads(pair.bot)
    assert pair.epoch() == first + 1
