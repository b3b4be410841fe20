#!/usr/bin/env python3
"""check_ha.py [N] - N take-overs of two real servers on one PostgreSQL, under pushes, chat and deployments; what holds,
seen from outside, and how long nobody answered.  SEED=n repeats the same ones."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import random
import shutil
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
from crash_aid import HOLD, STEADY, ends_of  # noqa: E402
from line import ANSWER, Cut, Line  # noqa: E402
from ops_aid import post_github  # noqa: E402
from postgresql_aid import Pair, PostgreSQL  # noqa: E402
from stage import wait_until  # noqa: E402
from telegram_client import text_of  # noqa: E402

PATIENCE_S = 60
SHOP = "acme/shop"
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'deploybot%'"
RUNS = "SELECT runner FROM run WHERE ended_at = 0"
BEGIN = 'echo "$RUN_ID" >>"$here/begun"'
REST_S = 0.02       # between two pushes
MOMENT_S = 0.5      # a deployment that is met anywhere goes on for about so long
CUTS = 5
LATE_S = 2.5        # a session that waits for longer is ended by the database
STANDBYS = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'deploybot standby %'"


class Pushes:
    """Deliveries one after the other, as a proxy with both servers gives them on: to the one that took the last one
    first, and to the other where nobody answers or 503 is said.  rest_s: between two of them."""

    def __init__(self, servers, rest_s=0, patience_s=PATIENCE_S):
        self.servers, self.taken, self.pauses = servers, [], []
        self.rest_s, self.patience_s = rest_s, patience_s
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
        while not self.over.wait(self.rest_s):
            guid, began = str(uuid.uuid4()), time.monotonic()
            if wait_until(lambda guid=guid: self.over.is_set() or self.try_once(guid) and guid, self.patience_s,
                          "a push that is taken") == guid:
                self.taken.append(guid)
                self.pauses.append((began, time.monotonic() - began))

    def wait_more(self, n=2):
        """n that were given behind now."""
        before = len(self.taken)
        wait_until(lambda: len(self.taken) > before + n, self.patience_s, "pushes behind it")

    @staticmethod
    def now():
        return time.monotonic()

    def pause_since(self, began):
        """The longest that one took, of those that ended since then."""
        return max((took for at, took in self.pauses if at + took >= began), default=0)

    def end(self):
        self.over.set()
        self.thread.join()


class Bed:
    def __init__(self, draw):
        self.draw = draw
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-ha-"))
        self.database = PostgreSQL()
        lines = [Line(self.folder / f"line-{name}", self.database.url) for name in "ab"]
        # A held script ends behind the take-over: it is left running, and followed when that server leads again.
        self.pair = Pair(self.folder, settings={"GITHUB_REPOSITORY": SHOP, "SHUTDOWN_TIMEOUT_SECONDS": "3"},
                         database=self.database, urls=[line.url for line in lines])
        self.lines = dict(zip((self.pair.bot, self.pair.other), lines))
        self.pair.scripts.deploy(f"{BEGIN}; {HOLD}; {STEADY}")
        self.pushes = Pushes([self.pair.bot, self.pair.other], REST_S)
        self.asked = {self.pair.admin(): 0 for _ in range(8)}
        self.releases, self.cuts = [], []

    def servers(self):
        """(who leads, the other)."""
        a, b = self.pair.bot, self.pair.other
        return (a, b) if self.pair.leads(a) else (b, a)

    def wait_standby(self):
        wait_until(lambda: self.database.sql(STANDBYS) == "1", PATIENCE_S, "a standby that could lead")

    def wait_stands_by(self, server):
        """Once more, behind its end."""
        server.start()
        self.pair.wait_stands_by(server)

    def close(self):
        self.pushes.end()
        self.pair.close()
        for line in self.lines.values():
            line.close()


class Release:
    """A deployment of a commit of its own by the leader's runner, in progress while another takes over: held in its
    script, or met anywhere."""

    def __init__(self, bed):
        self.bed, self.pair, self.who = bed, bed.pair, bed.pair.admin()
        self.pair.commit()
        if bed.draw.random() < 0.5:
            self.pair.hold_script()
            self.who.begin()
            self.pair.wait_held()
        else:
            self.who.say("/deploy staging")
            bed.pushes.over.wait(bed.draw.uniform(0, MOMENT_S))

    def end(self):
        """A run of a runner that does not lead is followed when that leads again."""
        self.pair.go_on()
        wait_until(self.has_ended, PATIENCE_S, "the end of a deployment")
        self.pair.wait_free()

    def has_ended(self):
        leader, other = self.bed.servers()
        if self.bed.database.sql(RUNS) == other.settings["SERVER_NAME"]:
            self.bed.wait_standby()
            hand_over(self.bed, leader)
            self.pair.wait_leads(other)
            self.bed.wait_stands_by(leader)
        return ends_of(self.who)


# --- what ends an epoch, or does not ---

def kill(_, leader):
    leader.kill()


def stop(_, leader):
    leader.stop()


def ends(leader):
    """By itself, as one that leads no longer."""
    status = leader.process.wait(PATIENCE_S)
    assert status == 75, f"a server that was deposed ended with {status}"


def hand_over(_, leader):
    done = leader.run("hand-over")
    assert done.returncode == 0, done.stderr
    ends(leader)


def stop_and_go_on(bed, leader):
    """It lives, and knows nothing of what goes on meanwhile."""
    _, other = bed.servers()
    leader.process.send_signal(signal.SIGSTOP)
    bed.pair.wait_leads(other)
    leader.process.send_signal(signal.SIGCONT)
    ends(leader)


def lose_line(bed, leader):
    """Its sessions stay open, and nothing of them arrives until it has ended."""
    _, other = bed.servers()
    bed.lines[leader].carry(False)
    bed.pair.wait_leads(other)
    ends(leader)
    bed.lines[leader].carry(True)


def cut_sessions(bed, _):
    bed.database.sql(CUT)


def cut_commit(bed, leader):
    """Again and again it is not sent, or its answer ends in the middle, or it comes when its session is given up."""
    line, before = bed.lines[leader], bed.pair.epoch()
    for _ in range(CUTS):
        line.arm(bed.draw.choice([Cut(), Cut(late_s=bed.draw.uniform(0, LATE_S)),
                                  *(Cut(n) for n in range(ANSWER + 1))]))
        assert line.was_cut.wait(PATIENCE_S), "no COMMIT came by"
        bed.pushes.wait_more(0)
        if bed.pair.epoch() != before:
            break


CAUSES = {"kill -9": kill, "SIGTERM": stop, "hand-over": hand_over, "SIGSTOP": stop_and_go_on, "link down": lose_line,
          "sessions cut": cut_sessions, "COMMIT cut": cut_commit}
QUIET = ("SIGTERM", "hand-over")    # nobody is told to come again
STAYS = ("sessions cut",)           # the epoch does not end
MAY_STAY = ("COMMIT cut",)


def one(bed, cause, who):
    """Returns how long nobody answered."""
    pair, pushes = bed.pair, bed.pushes
    leader, other = bed.servers()
    before = pair.epoch()
    pushes.wait_more(0)
    bed.wait_standby()
    who.say("/status")
    if bed.draw.random() < 0.5:
        bed.releases.append(Release(bed))
        release = bed.releases[-1]
    else:
        release = None
    refused, began = pushes.refused, time.monotonic()
    CAUSES[cause](bed, leader)
    pushes.wait_more()
    over = pair.epoch() - before
    assert over == (0 if cause in STAYS else 1) or over == 0 and cause in MAY_STAY, f"{over} epochs later"
    vain, pause = pushes.refused - refused, pushes.pause_since(began)
    assert cause not in QUIET or vain == 0, f"{vain} pushes were refused"
    if cause in MAY_STAY:
        bed.cuts.append(over)
    if over == 1:
        pair.wait_leads(other)
        if cause in MAY_STAY:
            ends(leader)
        bed.wait_stands_by(leader)
    who.hear("staging", timeout=PATIENCE_S)
    if release is not None:
        release.end()
    return pause


def check(pair, pushes, asked):
    """What holds at the end."""
    rows = pair.database.sql("SELECT id, COUNT(*) FROM inbox GROUP BY id").splitlines()
    counts = dict(row.rsplit("|", 1) for row in rows)
    lost = [guid for guid in pushes.taken if guid not in counts]
    assert not lost, f"{len(lost)} deliveries were acknowledged and are in no row"
    assert set(counts.values()) <= {"1"}, "a delivery was acted on twice"
    assert pair.database.sql("SELECT MAX(seq) = COUNT(*) FROM audit") == "t", "the audit has a gap"
    verified = (pair.bot if pair.leads(pair.bot) else pair.other).run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    for who, n in asked.items():
        answers = [view for view in who.messages() if "staging" in text_of(view)]
        assert n <= len(answers) <= 2 * n, f"{len(answers)} answers to {n} questions"


def check_releases(bed):
    """Each run has begun once, each end is told, and nothing is busy."""
    begun = bed.pair.scripts.folder / "begun"
    runs = begun.read_text("ascii").split() if begun.exists() else []
    assert len(set(runs)) == len(runs), f"a run has begun twice: {runs}"
    assert bed.database.sql("SELECT COUNT(*) FROM run WHERE ended_at = 0") == "0", "a run has no end"
    leader, _ = bed.servers()
    busy = [line for line in leader.metrics().splitlines() if line.startswith("deploybot_environment_busy")]
    assert busy and all(line.endswith(" 0") for line in busy), busy
    for release in bed.releases:
        assert 1 <= len(ends_of(release.who)) <= 2, "an end is told once, or twice behind a take-over"
    return len(runs)


def check_cuts(bed):
    """Who asks what became of its COMMIT goes on; only a late one may cost it its lease."""
    assert sum(bed.cuts) <= len(bed.cuts) / 2, f"{sum(bed.cuts)} of {len(bed.cuts)} cuts of COMMIT ended the epoch"


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    causes = [cause for cause in CAUSES if os.environ.get("CAUSE", "") in cause]
    pauses = {cause: [] for cause in CAUSES}
    bed = Bed(random.Random(seed))
    try:
        for i in range(n):
            cause, who = bed.draw.choice(causes), list(bed.asked)[i % len(bed.asked)]
            bed.asked[who] += 1
            pauses[cause].append(one(bed, cause, who))
            print(f"{i + 1} of {n}: {cause}: {pauses[cause][-1]:.2f} s; {len(bed.pushes.taken)} pushes", flush=True)
        bed.pushes.end()
        check(bed.pair, bed.pushes, bed.asked)
        runs = check_releases(bed)
        check_cuts(bed)
    except BaseException:
        print(f"failed with SEED={seed}; {bed.folder} has both logs", flush=True)
        raise
    finally:
        bed.close()
    shutil.rmtree(bed.folder, ignore_errors=True)
    for cause, took in pauses.items():
        if took:
            took.sort()
            print(f"{cause}: {len(took)} times, nobody answered for {took[len(took) // 2]:.2f} s (median), "
                  f"{took[-1]:.2f} s at most")
    print(f"{len(bed.pushes.taken)} pushes were taken, none is lost, none is there twice; {len(bed.releases)} "
          f"deployments, {runs} runs, each has begun once, and each end is told")


if __name__ == "__main__":
    main()
