#!/usr/bin/env python3
"""check_ha.py [N] - N take-overs of two real servers on one PostgreSQL, under pushes and chat; what holds, seen from
outside, and how long nobody answered.  SEED=n repeats the same ones."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/e2e", "tests/peers", "tests/demo", "tests/tools"):
    sys.path.insert(0, str(ROOT / folder))

# pylint: disable=wrong-import-position
from ops_aid import post_github  # noqa: E402
from postgresql_aid import Pair  # noqa: E402
from stage import wait_until  # noqa: E402
from telegram_client import text_of  # noqa: E402

PATIENCE_S = 60
SHOP = "acme/shop"
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'deploybot%'"
STANDBYS = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'deploybot standby %'"


class Pushes:
    """Deliveries one after the other, as a proxy with both servers gives them on: to the one that took the last one
    first, and to the other where nobody answers or 503 is said."""

    def __init__(self, servers):
        self.servers, self.taken, self.pauses = servers, [], []
        self.refused = 0            # tries that neither server took
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def try_once(self, guid):
        body = json.dumps({"ref": "refs/heads/elsewhere", "before": "0" * 40, "after": guid.replace("-", "") + "0" * 8,
                           "repository": {"id": 1, "full_name": SHOP}, "pusher": {"name": "ada"}}).encode()
        for server in self.servers:
            try:
                status = post_github(server, body, guid=guid).status
            except OSError:
                continue
            if status == 200:
                self.servers.remove(server)
                self.servers.insert(0, server)
                return True
        self.refused += 1
        return False

    def run(self):
        while not self.over.is_set():
            guid, began = str(uuid.uuid4()), time.monotonic()
            if wait_until(lambda guid=guid: self.over.is_set() or self.try_once(guid) and guid, PATIENCE_S,
                          "a push that is taken") == guid:
                self.taken.append(guid)
                self.pauses.append((began, time.monotonic() - began))

    def pause_since(self, began):
        """The longest that one took, of those that ended since then."""
        return max((took for at, took in self.pauses if at + took >= began), default=0)

    def end(self):
        self.over.set()
        self.thread.join()


def kill(leader, _):
    leader.kill()


def stop(leader, _):
    leader.stop()


def hand_over(leader, _):
    done = leader.run("hand-over")
    assert done.returncode == 0, done.stderr
    assert leader.process.wait(PATIENCE_S) == 75


def stop_and_go_on(leader, pair):
    """It lives, and knows nothing of what goes on meanwhile."""
    leader.process.send_signal(signal.SIGSTOP)
    other = pair.other if leader is pair.bot else pair.bot
    pair.wait_leads(other)
    leader.process.send_signal(signal.SIGCONT)
    status = leader.process.wait(PATIENCE_S)
    assert status == 75, f"a server that was deposed ended with {status}"


def cut_sessions(_, pair):
    pair.database.sql(CUT)


CAUSES = {"kill -9": kill, "SIGTERM": stop, "hand-over": hand_over, "SIGSTOP": stop_and_go_on,
          "sessions cut": cut_sessions}
QUIET = ("SIGTERM", "hand-over")    # nobody is told to come again


def one(pair, pushes, cause, who):
    """Returns how long nobody answered."""
    leader, other = (pair.bot, pair.other) if pair.leads(pair.bot) else (pair.other, pair.bot)
    before, n = pair.epoch(), len(pushes.taken)
    wait_until(lambda: len(pushes.taken) > n, PATIENCE_S, "a push")
    who.say("/status")
    wait_until(lambda: pair.database.sql(STANDBYS) == "1", PATIENCE_S, "a standby that could lead")
    refused = pushes.refused
    began = time.monotonic()
    CAUSES[cause](leader, pair)
    if cause == "sessions cut":
        n = len(pushes.taken)
        wait_until(lambda: len(pushes.taken) >= n + 2, PATIENCE_S, "pushes behind it")
        assert pair.epoch() == before, "an epoch ended with a session"
    else:
        pair.wait_leads(other)
        n = len(pushes.taken)
        wait_until(lambda: len(pushes.taken) >= n + 2, PATIENCE_S, "pushes behind it")
        assert pair.epoch() == before + 1, "an epoch is missing, or one too many"
        vain = pushes.refused - refused
        assert cause not in QUIET or vain == 0, f"{vain} pushes were refused"
        leader.start()
        pair.wait_stands_by(leader)
    who.hear("staging", timeout=PATIENCE_S)
    return pushes.pause_since(began)


def check(pair, pushes, asked):
    """What holds at the end."""
    rows = pair.database.sql("SELECT id, COUNT(*) FROM inbox GROUP BY id").splitlines()
    counts = dict(row.rsplit("|", 1) for row in rows)
    lost = [guid for guid in pushes.taken if guid not in counts]
    assert not lost, f"{len(lost)} deliveries were acknowledged and are in no row"
    assert set(counts.values()) == {"1"}, "a delivery was acted on twice"
    assert pair.database.sql("SELECT MAX(seq) = COUNT(*) FROM audit") == "t", "the audit has a gap"
    verified = (pair.bot if pair.leads(pair.bot) else pair.other).run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    for who, n in asked.items():
        answers = [view for view in who.messages() if "staging" in text_of(view)]
        assert n <= len(answers) <= 2 * n, f"{len(answers)} answers to {n} questions"


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    draw = random.Random(seed)
    pauses = {cause: [] for cause in CAUSES}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-ha-"))
    pair = Pair(folder, settings={"GITHUB_REPOSITORY": SHOP})
    pushes = Pushes([pair.bot, pair.other])
    asked = {pair.admin(): 0 for _ in range(8)}
    try:
        for i in range(n):
            cause, who = draw.choice(list(CAUSES)), list(asked)[i % len(asked)]
            asked[who] += 1
            pauses[cause].append(one(pair, pushes, cause, who))
            print(f"{i + 1} of {n}: {cause}: {pauses[cause][-1]:.2f} s; {len(pushes.taken)} pushes", flush=True)
        pushes.end()
        check(pair, pushes, asked)
    except BaseException:
        print(f"failed with SEED={seed}; {folder} has both logs", flush=True)
        raise
    finally:
        pushes.end()
        pair.close()
    for cause, took in pauses.items():
        if took:
            took.sort()
            print(f"{cause}: {len(took)} times, nobody answered for {took[len(took) // 2]:.2f} s (median), "
                  f"{took[-1]:.2f} s at most")
    print(f"{len(pushes.taken)} pushes were taken, none is lost, none is there twice")


if __name__ == "__main__":
    main()
