"""Goal: with the nginx.conf that ships before two servers of one database no push is lost while one takes over from the
other, and none is acted on twice; a POST to /v1 is asked of one server alone."""
# SPDX-License-Identifier: ISC
import collections
import json
import re
import signal
import subprocess
import threading
import time
import uuid

import pytest

from nginx_aid import Proxy, need_nginx
from ops_aid import github_headers
from postgresql_aid import Pair
from stage import get, wait_until

SHOP = "acme/shop"
PATIENCE_S = 60
GAVE_UP = "upstream timed out (110: Connection timed out) while reading response header"   # behind proxy_read_timeout


@pytest.fixture(scope="module", name="pair")
def make_pair(tmp_path_factory):
    need_nginx()
    made = Pair(tmp_path_factory.mktemp("two-servers"),
                settings={"GITHUB_REPOSITORY": SHOP, "ENABLE_API_SERVER": "true"})
    yield made
    made.close()


@pytest.fixture(name="nginx")
def make_nginx(pair, tmp_path):
    made = Proxy(tmp_path, None, [
        (r"#server 10\.0\.0\.11:8080", f"server 127.0.0.1:{pair.bot.port}"),
        (r"#server 10\.0\.0\.12:8080", f"server 127.0.0.1:{pair.other.port}"),
        (r"^\t\tproxy_connect_timeout 3s;", ""),
        (r"#proxy_connect_timeout 1s;", "proxy_connect_timeout 1s;")]).start()
    yield made
    made.stop()


def leader_and_other(pair):
    """(who leads, the standby), both alive."""
    wait_until(lambda: pair.leads(pair.bot) or pair.leads(pair.other), PATIENCE_S, "a leader")
    return (pair.bot, pair.other) if pair.leads(pair.bot) else (pair.other, pair.bot)


def push(nginx, guid):
    """The status; every third one is larger than what a socket takes at once."""
    padding = "x" * (300_000 if int(guid[0], 16) % 3 == 0 else 1)
    body = json.dumps({"ref": "refs/heads/elsewhere", "before": "0" * 40, "after": guid.replace("-", "") + "0" * 8,
                       "repository": {"id": 1, "full_name": SHOP}, "pusher": {"name": "ada"}, "-": padding}).encode()
    return nginx.ask("POST", "/github/webhook", body, github_headers(body, guid=guid)).status


class Pushes:
    """One after the other; what is not taken comes again, as by redelivery.  They end with the block."""

    def __init__(self, nginx):
        self.nginx = nginx
        self.taken = []
        self.statuses = collections.Counter()
        self.longest_s = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            guid, status = str(uuid.uuid4()), 0
            while status != 200:
                began = time.monotonic()
                status = push(self.nginx, guid)
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.statuses[status] += 1
                if status != 200 and self.over.wait(0.05):
                    return
            self.taken.append(guid)

    def wait_more(self, count=5):
        before = len(self.taken)
        wait_until(lambda: len(self.taken) >= before + count, PATIENCE_S, "pushes that are taken")

    def __enter__(self):
        self.thread.start()
        self.wait_more()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def check(pair, pushes):
    """Each that was acknowledged stands in a row, once, and so does all else."""
    rows = pair.database.sql("SELECT id, COUNT(*) FROM inbox WHERE source = 'github' GROUP BY id").splitlines()
    counts = dict(row.rsplit("|", 1) for row in rows)
    assert [guid for guid in pushes.taken if guid not in counts] == []
    assert set(counts.values()) == {"1"}
    print(dict(pushes.statuses), f"{len(pushes.taken)} taken, {pushes.longest_s:.2f} s at most")


def test_no_push_has_another_answer_than_200_while_one_leads(pair, nginx):
    """Half of them come to the standby first."""
    leader_and_other(pair)
    with Pushes(nginx) as pushes:
        pushes.wait_more(30)
    assert set(pushes.statuses) == {200}
    assert re.search(r'POST /github/webhook" 200 \d+ \S+ \d\.\d+, \d\.\d+ ', nginx.log()), "nobody was asked second"
    check(pair, pushes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_pushes_are_taken_by_who_leads_next(pair, nginx, number):
    """Until the lease has ended a standby says 503, and nginx that, or 502 where it asks the dead one last."""
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    with Pushes(nginx) as pushes:
        leader.process.send_signal(number)
        leader.process.wait(PATIENCE_S)
        pair.wait_leads(other)
        pushes.wait_more()
        leader.start()
        pair.wait_stands_by(leader)
        pushes.wait_more()
    assert pair.epoch() == before + 1
    assert set(pushes.statuses) <= ({200} if number == signal.SIGTERM else {200, 502, 503}), pushes.statuses
    assert GAVE_UP not in nginx.errors(), "a standby holds for less long than nginx waits"
    check(pair, pushes)


def test_a_hand_over_is_noticed_by_nobody(pair, nginx):
    leader, other = leader_and_other(pair)
    before, name = pair.epoch(), other.settings["SERVER_NAME"]
    with Pushes(nginx) as pushes:
        done = leader.run("hand-over")
        assert leader.process.wait(PATIENCE_S) == 75  # which its unit starts again
        leader.start()
        pair.wait_stands_by(leader)
        pushes.wait_more()
    assert done.returncode == 0 and re.fullmatch(rf"{name} leads since \S+ \(\d+\.\d s\)\n", done.stdout), done
    assert pair.leads(other) and pair.epoch() == before + 1
    assert set(pushes.statuses) == {200}
    check(pair, pushes)


def test_a_standby_that_could_not_lead_is_no_standby(pair):
    """Its program is older than the tables; nobody would lead once the leader has left."""
    leader, other = leader_and_other(pair)
    before, version = pair.epoch(), pair.database.sql("SELECT version FROM schema_version")
    pair.database.sql("UPDATE schema_version SET version = 1000")
    try:
        wait_until(lambda: "it cannot lead: the database is of a newer program" in other.log(), PATIENCE_S,
                   "what is in its way")
        done = leader.run("hand-over")
        assert done.returncode == 69 and "no standby could lead" in done.stderr, done
        assert pair.leads(leader) and pair.epoch() == before
    finally:
        pair.database.sql(f"UPDATE schema_version SET version = {version}")


def test_what_has_nobody_to_hand_over_to_goes_on(pair):
    leader, other = leader_and_other(pair)
    before = pair.epoch()
    done = other.run("hand-over")
    assert done.returncode == 69 and "leads; this server is" in done.stderr, done
    other.stop()
    wait_until(lambda: leader.run("hand-over").returncode != 0 and
               "no standby could lead" in leader.run("hand-over").stderr, PATIENCE_S, "a refusal")
    assert pair.leads(leader) and pair.epoch() == before
    other.start()
    pair.wait_stands_by(other)


def test_a_push_that_comes_while_nobody_leads_waits_for_who_leads_next(pair, nginx):
    """Nobody can lead as long as the leader's row is locked: a standby holds what comes behind the lease's end."""
    leader, other = leader_and_other(pair)
    leader.kill()
    with subprocess.Popen(["psql", "-qAt", pair.database.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as lock:
        lock.stdin.write("BEGIN; SELECT epoch FROM leader FOR UPDATE;\n")
        lock.stdin.flush()
        assert lock.stdout.readline().strip() == str(pair.epoch())
        wait_until(lambda: pair.ready(other)[1].startswith("standby; it cannot lead: "), PATIENCE_S, "the lease's end")
        found = []
        guid = str(uuid.uuid4())
        pushing = threading.Thread(target=lambda: found.append(push(nginx, guid)))
        pushing.start()
        pushing.join(2)
        assert pushing.is_alive(), found
        lock.stdin.close()
        lock.wait(PATIENCE_S)
        pushing.join(PATIENCE_S)
    assert found == [200] and GAVE_UP not in nginx.errors(), (found, nginx.errors())
    assert pair.database.sql(f"SELECT COUNT(*) FROM inbox WHERE id = '{guid}'") == "1"
    leader.start()
    pair.wait_stands_by(leader)


def test_a_call_is_asked_of_who_leads_and_is_one_by_its_key(pair, nginx):
    """nginx's log has a time for each server that it asked; its key is the same for both."""
    leader, _ = leader_and_other(pair)
    assert get(leader.base + "/v1/status")[0] == 401
    calls = [nginx.ask("POST", "/v1/command/deploy", b'{"arguments": ["staging"]}',
                       {"Content-Type": "application/json"}).status for _ in range(4)]
    assert set(calls) == {401}, calls
    assert {nginx.ask("GET", "/v1/status").status for _ in range(4)} == {401}
    wait_until(lambda: nginx.log().count("/v1/") == 8, PATIENCE_S, "the log")
    for method in ("GET", "POST"):
        asked = re.findall(rf'"{method} /v1/\S+" (\d+) \d+ \S+ (.*) "', nginx.log())
        assert len(asked) == 4 and any("," in times for _, times in asked), asked
