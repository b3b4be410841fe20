"""gate_aid.py - deploy/github/gate/ run as the runner of GitHub Actions runs it, and its log read as that reads it."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import signal
import subprocess

import yaml

from runner_client import ROOT

FOLDER = pathlib.Path(ROOT) / "deploy" / "github" / "gate"
FAST_CLOCK = pathlib.Path(ROOT) / "tests" / "e2e" / "fast_clock.cjs"
NODE = shutil.which("node") or ""
COMMANDS = ("add-mask", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "save-state", "set-env",
            "set-output", "stop-commands", "warning", "add-matcher", "remove-matcher", "internal-set-repo-path")


def node_version():
    if not NODE:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"v(\d+)", said)[1])


def command_of(line):
    """(command, data) of a line, or None: as TryParseV2, then TryParse of actions/runner's ActionCommand.cs find it."""
    match = re.match(r"\s*::(.*?)::(.*)", line)
    if match and match[1].partition(" ")[0] in COMMANDS:
        data = match[2].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
        return match[1].partition(" ")[0], data
    match = re.search(r"##\[(.*?)\](.*)", line)
    if match and match[1].partition(" ")[0] in COMMANDS:
        return match[1].partition(" ")[0], match[2]
    return None


class Action:
    """One use of the action in a job: main(), then post()."""

    folder = FOLDER

    def __init__(self, path, runner, fast=5000, **inputs):
        self.definition = yaml.safe_load((self.folder / "action.yml").read_text("utf-8"))
        self.path, self.runner, self.fast = path, runner, fast
        self.inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
        self.state_file = path / "state"
        self.state_file.write_text("")
        self.waits_file = path / "waits"
        self.more, self.lines, self.status, self.process = {}, [], None, None

    def environment(self, job_status):
        inputs = {name: body.get("default", "") for name, body in self.definition["inputs"].items()}
        inputs = {name: job_status if value == "${{ job.status }}" else value
                  for name, value in {**inputs, **self.inputs}.items()}
        found = {"PATH": os.environ["PATH"], "GITHUB_STATE": str(self.state_file), "FAST": str(self.fast),
                 "WAITS": str(self.waits_file), **self.runner.environment(),
                 **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
                 **{f"STATE_{name}": value for name, value in self.state().items()}, **self.more}
        return {name: value for name, value in found.items() if value is not None}

    def state(self):
        """What a step has kept for the post step; the last of a name counts."""
        return dict(line.split("=", 1) for line in self.state_file.read_text().splitlines())

    def start(self, stage="main", job_status="success"):
        if stage == "post":
            assert self.definition["runs"]["post-if"] == "always()"
        self.waits_file.write_text("")
        self.log = self.path / f"{stage}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [NODE, "--require", FAST_CLOCK, self.folder / self.definition["runs"][stage]], cwd=self.path,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.environment(job_status))
        return self

    def finish(self, timeout=60):
        self.status = self.process.wait(timeout=timeout)
        self.lines = self.log.read_text("utf-8").splitlines()
        self.check_log()
        return self.status

    def main(self):
        return self.start().finish()

    def post(self, job_status="success"):
        return self.start("post", job_status).finish()

    def check_log(self):
        """Whatever was answered: no token is shown, no command but ours is given, no line is long."""
        for line in self.lines:
            command = command_of(line)
            if command and command[0] == "add-mask":
                assert command[1] in self.runner.made, line
                continue
            assert self.runner.bearer not in line and not [token for token in self.runner.made if token in line], line
            assert command is None or command[0] in ("error", "warning"), line
            assert len(line) < 600 and (command or line.startswith("deploybot: ")), line

    def said(self):
        """What people read: lines, those of commands with their name in front."""
        commands = [(line, command_of(line)) for line in self.lines]
        return [f"{command[0]}: {command[1]}" if command else line for line, command in commands
                if not command or command[0] != "add-mask"]

    def waits(self):
        """What it waited between requests, in seconds."""
        return [float(line) / 1000 for line in self.waits_file.read_text().splitlines()]

    def cancel(self, word="SIGINT"):
        self.process.send_signal(getattr(signal, word))

    def done(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
