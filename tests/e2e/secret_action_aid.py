"""secret_action_aid.py - deploy/github/secret/ run as the runner of GitHub Actions runs it, and what it leaves."""
# SPDX-License-Identifier: ISC
import pathlib
import re

from gate_aid import Action, command_of
from runner_client import ROOT


class SecretAction(Action):
    """The log is read as it grows: what is masked is in no line behind its mask, and what is secret in none before."""

    folder = pathlib.Path(ROOT) / "deploy" / "github" / "secret"

    def __init__(self, path, runner, secrets, fast=25, **inputs):
        super().__init__(path, runner, fast=fast, **inputs)
        self.secrets, self.masked = secrets, []
        (path / "temp").mkdir()
        for name in ("output", "env"):
            (path / name).write_text("")
        self.more = {"GITHUB_OUTPUT": str(path / "output"), "GITHUB_ENV": str(path / "env"),
                     "RUNNER_TEMP": str(path / "temp")}

    def finish(self, timeout=60):
        try:
            return super().finish(timeout)
        finally:
            self.log.unlink()       # it has what it masks

    def check_log(self):
        self.masked = [text for kind, text in map(command_of_mask, self.lines) if kind == "add-mask"]
        for line in self.lines:
            command = command_of(line)
            if command and command[0] == "add-mask":
                continue
            assert not [one for one in (*self.masked, *self.secrets(), self.runner.bearer) if one in line], line
            assert command is None or command[0] in ("error", "warning"), line
            assert len(line) < 600 and (command or line.startswith("deploybot: ")), line

    def last(self):
        return self.said()[-1]

    def outputs(self):
        return dict(line.split("=", 1) for line in (self.path / "output").read_text().splitlines())

    def file(self):
        """Where the value is, which it is only there and to this user alone."""
        found, = (self.path / "temp").iterdir()
        assert str(found) == self.outputs()["file"] and found.stat().st_mode & 0o777 == 0o600
        return found

    def has_left(self):
        return list((self.path / "temp").iterdir())

    def variables(self):
        """As SetEnvFileCommand of actions/runner reads them."""
        text = (self.path / "env").read_bytes().decode()
        found = re.fullmatch(r"(\w+)<<(\S+)\n(.*)\n\2\n", text, re.S)
        assert not text or f"\n{found[2]}\n" not in found[3], text
        return {found[1]: found[3]} if text else {}


def command_of_mask(line):
    return command_of(line) or (None, None)
