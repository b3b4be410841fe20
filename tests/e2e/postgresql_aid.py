"""postgresql_aid.py - a PostgreSQL of a test's own, and two servers that have it."""
# SPDX-License-Identifier: ISC
import functools
import pathlib
import signal
import subprocess

from crash_aid import CrashScene
from flow_aid import PATIENCE_S
from stage import ROOT, Deploybot, free_port, get, wait_until


class PostgreSQL:
    """A cluster in memory, reached by a socket; sql() asks it as its administrator does."""

    def __init__(self):
        self.process = subprocess.Popen(
            [str(ROOT / "tests" / "tools" / "with_postgresql.sh"), "sh", "-c", 'echo "$TEST_DATABASE"; cat >/dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("postgresql:"), "no cluster"

    def sql(self, text, url=None):
        done = subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", url or self.url, "-c", text],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)


class Pair(CrashScene):
    """Server a is the scene's; server b has a folder, a port and a socket of its own.  Neither waits for the other's
    end: who is asked is the one that leads.  database: another that has url, sql() and close(); urls: where each of
    the two finds it."""

    def __init__(self, folder, settings=None, database=None, urls=None, **options):
        self.database = database or PostgreSQL()
        urls = urls or [self.database.url] * 2
        self.other = None
        folder = pathlib.Path(folder)
        super().__init__(folder, settings={
            "DATABASE_URL": urls[0], "SERVER_NAME": "server-a",
            "LOCAL_SOCKET": str(folder / "a.sock"), **(settings or {})}, **options)
        (folder / "b").mkdir()
        self.other = Deploybot(folder / "b", {
            **self.settings(), "DATABASE_URL": urls[1], "SERVER_NAME": "server-b",
            "STATE_DIRECTORY": str(folder / "b" / "state"),
            "AUDIT_LOG_PATH": str(folder / "b" / "audit.log"), "API_SERVER_PORT": str(free_port()),
            "LOCAL_SOCKET": str(folder / "b.sock")}, self.build).start()
        for server in (self.bot, self.other):
            server.newest_audit_row = functools.partial(self.newest_audit_row, server)

    def newest_audit_row(self, server):
        """Who leads writes the rows to its own log."""
        if server.process is None or server.process.poll() is not None or not self.leads(server):
            return 0
        return int(self.database.sql("SELECT coalesce(max(seq), 0) FROM audit"))

    def ready(self, server):
        return get(server.base + "/readyz")

    def leads(self, server):
        return "\ndeploybot_is_leader 1\n" in server.metrics()

    def wait_leads(self, server):
        wait_until(lambda: self.leads(server), PATIENCE_S, "a leader")

    def wait_stands_by(self, server):
        wait_until(lambda: self.ready(server)[1].startswith("standby of "), PATIENCE_S, "a standby")

    def epoch(self):
        return int(self.database.sql("SELECT epoch FROM leader"))

    def close(self):
        try:
            for server in (self.bot, self.other):
                if server is not None and server.process is not None and server.process.poll() is None:
                    server.process.send_signal(signal.SIGCONT)
            if self.other is not None:
                self.other.stop()
            super().close()
        finally:
            self.database.close()
