"""upgrade_aid.py - the fixtures of released versions (tests/fixtures/README.md), unpacked around a scene."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import sqlite3
import subprocess

import pytest

from crash_aid import CrashScene
from stage import ROOT, Deploybot

RELEASED = ("0.1.0", "8e78ade", "3adc366", "eab7e636", "6565c431")
WITH_ACTIONS = RELEASED[3:]     # ... and what waits for an approval
ENVIRONMENTS = ("staging", "production", "qa", "demo", "preview", "canary", "next", "local")
GATED = {"ENVIRONMENTS": ",".join((*ENVIRONMENTS, "gated")), "GITHUB_BRANCH_GATED": "develop-gated",
         "GATED_APPROVALS": "1", "CLIENTS": "acme", "CLIENT_ACME_HOST": "web@acme.example:2222",
         "CLIENT_ACME_ACTIONS": "restart-web", "CLIENT_ACME_WEB_UNIT": "web.service"}


def need_its_machine():
    """Skips a test that runs a released version's own programs where they are of another machine."""
    if os.uname().machine != "x86_64":
        pytest.skip(f"the fixtures' programs are x86_64's, this is {os.uname().machine}: not tested here")


class Released(CrashScene):
    """A scene around what that version left: its database, runs and audit log, nothing started yet."""

    def __init__(self, folder, version):
        self.version = version
        super().__init__(folder, settings={
            "ENVIRONMENTS": ",".join(ENVIRONMENTS), "STAGING_HEALTH_URL": None,
            **{f"GITHUB_BRANCH_{name.upper()}": f"develop-{name}" for name in ENVIRONMENTS if name != "production"},
            **{f"{name.upper()}_CONFIRM": "false" for name in ("qa", "demo", "preview", "next")},
            **(GATED if version in WITH_ACTIONS else {})}, start=False)
        for name in ENVIRONMENTS:
            self.scripts.deploy('echo "deploy $@" >>"$here/ran"; echo "==> release"', name)
            self.scripts.rollback('echo "rollback $@" >>"$here/ran"; echo "==> release"', name)
        subprocess.run(["tar", "xJf", str(ROOT / "tests" / "fixtures" / version / "fixture.tar.xz"),
                        "-C", str(self.folder)], check=True)
        # As if another machine had made them: of its runs nothing can be alive here.
        for leader in (self.folder / "state" / "runs").glob("*/leader"):
            words = leader.read_text(encoding="ascii").split()
            words[2] = "00000000-0000-4000-8000-000000000000"
            leader.write_text(" ".join(words) + "\n", encoding="ascii")
        self.start_peers()

    def settings(self):
        found = super().settings()
        found["AUDIT_LOG_PATH"] = str(self.folder / "audit.log")
        return found

    @property
    def database(self):
        return self.folder / "state" / "deploybot.db"

    def old_bot(self):
        """That version's server, on the same state."""
        need_its_machine()
        return Deploybot(self.folder, self.settings(), self.folder / "bin")

    def rows(self, query, *values, path=None):
        connection = sqlite3.connect(path or self.database)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def work_rows(self, columns, path=None):
        """Of each deployment, whether the table is still called so or not."""
        name, = self.rows("SELECT name FROM sqlite_master WHERE name IN ('work', 'deployment')", path=path)[0]
        return self.rows(f"SELECT {columns} FROM {name}", path=path)

    def states(self):
        return dict(self.work_rows("id, state"))

    def ran(self):
        """What the scripts did: lines `deploy ENVIRONMENT COMMIT`."""
        path = self.folder / "scripts" / "ran"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def words_of_the_list():
    """(class, word) of every line of the list of words on disk, the retired ones too."""
    lines = pathlib.Path(ROOT, "tests/fixtures/words-on-disk.txt").read_text(encoding="utf-8").splitlines()
    return {tuple(line.removeprefix("retired ").split(" ", 1)) for line in lines if not line.startswith("#")}
