"""Goal: an archive is on the machine that took it alone: behind a take-over the other server says that it is not there,
waits for nothing, and takes it when it is sent again.  Drives the real program beside a real PostgreSQL."""
# SPDX-License-Identifier: ISC
import os
import signal
import subprocess

import pytest

from flow_aid import PATIENCE_S
from postgresql_aid import Pair
from stage import wait_until
from test_flow_upload import PERSON, UploadScene, digest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
ASKED = "SELECT COUNT(*) FROM effect WHERE kind = 'ask' AND subject <> 0"
HOST = "192.0.2.1"   # nobody connects to it: nothing is deployed


class UploadPair(UploadScene, Pair):
    """Both take archives, of users of their machine, for a host that both could reach."""

    def __init__(self, folder):
        super().__init__(folder, DEPLOY_SCRIPT=None, ROLLBACK_SCRIPT=None, STAGING_HEALTH_URL=None,
                         DEPLOY_TRANSPORT="systemd", SYSTEMD_UNITS="shop.service", STAGING_HOST=HOST,
                         PRODUCTION_HOST="192.0.2.2", SSH_KEY_PATH="/etc/hostname", SSH_KNOWN_HOSTS="/etc/hostname",
                         APPLICATION_URL=None)
        self.other.stop()
        self.other.settings["LOCAL_SOCKET"] = str(self.sockets / "b.sock")
        self.other.start()

    def close(self):
        if self.bot.process.poll() is not None:
            self.bot.start()
        Pair.close(self)

    def reaches(self, server):
        return {"PATH": "/usr/bin:/bin", "LOCAL_SOCKET": str(self.sockets / f"{server}.sock")}

    def states(self):
        return self.database.sql("SELECT state FROM work ORDER BY id").split()


@pytest.fixture(name="pair")
def make_pair(tmp_path_factory):
    made = UploadPair(tmp_path_factory.mktemp("two-upload"))
    yield made
    made.close()


def test_an_archive_of_the_other_machine_is_said_to_be_missing_and_is_taken_when_it_is_sent_again(pair):
    wait_until(lambda: pair.leads(pair.bot) and "\ndeploybot_runner_up 1\n" in pair.bot.metrics(), PATIENCE_S,
               "a leader with a runner")
    path = pair.site("first")
    runner = pair.runner()
    os.kill(runner, signal.SIGSTOP)     # it unpacks nothing
    with subprocess.Popen(pair.command(PERSON, "upload", "staging", path), cwd="/", env=pair.reaches("local"),
                          stdin=subprocess.DEVNULL) as sent:
        wait_until(lambda: pair.database.sql(ASKED) == "1", PATIENCE_S, "a question to the runner")
        assert pair.states() == ["REQUESTED"] and pair.uploads() == {digest(path)}
        pair.bot.kill()
        os.kill(runner, signal.SIGKILL)
        sent.kill()     # it would wait for its server
    pair.wait_leads(pair.other)
    wait_until(lambda: pair.states() == ["REFUSED"], PATIENCE_S, "an end of what nobody can unpack")
    detail = pair.database.sql("SELECT detail FROM work")
    assert detail == "the archive is not on this machine any more: send it again"
    assert pair.database.sql(ASKED) == "0"
    done = subprocess.run(pair.command(PERSON, "upload", "staging", path), cwd="/", env=pair.reaches("b"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 4 and "not from git" in done.stdout + done.stderr, done
    assert pair.states() == ["REFUSED", "AWAITING_CONFIRMATION"]
