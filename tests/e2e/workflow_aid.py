"""workflow_aid.py - the jobs of a workflow, their shell steps run as Actions runs them, beside stand-ins for commands.

Actions themselves (`uses:`) are not run: a step that uses one is passed over, and its name is noted.
"""
# SPDX-License-Identifier: ISC
import functools
import os
import pathlib
import pickle
import re
import signal
import subprocess

import yaml

from commands.recorder import World, records_in
from commands_aid import stand_in
from runner_client import ROOT

WORKFLOWS = (pathlib.Path(ROOT) / "deploy" / "github", pathlib.Path(ROOT) / ".github" / "workflows")    # yours; ours
CI_CD = "deploy/github/ci-cd.yml"
GHCR = "deploy/github/ghcr.yml"
SETTINGS = "All settings are there"     # the first step of every job that needs secrets
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
SECRETS = {
    "AWS_DEPLOY_ROLE_ARN": "arn:aws:iam::123456789012:role/shop-deploy", "ECR_REGISTRY": ECR,
    "DEPLOYBOT_URL": "https://bot.example.org",
    "STAGING_HOST": "h1", "PRODUCTION_HOST": "h1", "DEPLOY_SSH_KEY": "a key\nof a test", "DEPLOY_KNOWN_HOSTS": "h1 key",
    "TELEGRAM_BOT_TOKEN": "4242:" + "a-token_of_nobody", "TELEGRAM_CHAT_ID": "-1001"}
ID_TOKENS = {    # what a job with `id-token: write` asks for tokens with
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.example.org/token?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner-of-this-job"}
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def text_of(name):
    return (pathlib.Path(ROOT) / name).read_text(encoding="utf-8")


@functools.lru_cache
def kept(text):
    return pickle.dumps(yaml.load(text, Loader=yaml.CSafeLoader))


def parsed(text):
    """Read once: what asks for a job and each of its steps asks for the same."""
    return pickle.loads(kept(text))


def read(name):
    return parsed(text_of(name))


def every_workflow():
    return sorted(str(path.relative_to(ROOT)) for folder in WORKFLOWS for path in folder.glob("*.yml"))


def shell_steps(name):
    """(job, step's name or number, script) of a workflow."""
    for job, body in read(name)["jobs"].items():
        for number, step in enumerate(body.get("steps", [])):
            if "run" in step:
                yield job, step.get("name", number), step["run"]


def look_up(path, context):
    """secrets.X, steps.a.outputs.b: what is not there is the empty string, as with GitHub."""
    if path.startswith("'"):
        return path.strip("'")
    value = context
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return value


def evaluate(expression, context):
    """The few operators that our expressions have."""
    expression = expression.removeprefix("always() && ")    # a job here ends with its first step that fails
    if "==" in expression or "!=" in expression:
        left, operator, right = re.fullmatch(r"(\S+) (==|!=) (\S+)", expression).groups()
        return (look_up(left, context) == look_up(right, context)) == (operator == "==")
    for path in expression.split(" || "):
        value = look_up(path, context)
        if value:
            return value
    return ""


def expand(text, context):
    return EXPRESSION.sub(lambda match: str(evaluate(match[1], context)), str(text))


class Workbench:
    """A runner's folders, and what GitHub would know: secrets, vars, the event."""

    def __init__(self, path, tools_folder, commands=("docker", "aws", "curl", "trivy", "gh")):
        self.path = path
        self.work, self.temp, self.bin, self.stand = (path / name for name in ("work", "temp", "ci-bin", "stand"))
        for folder in (self.work, self.temp, self.bin, self.stand):
            folder.mkdir(exist_ok=True)
        for name in commands:
            os.symlink(stand_in(name), self.bin / name)
        self.commit = "c0ffee" + "0" * 34
        self.tools = tools_folder
        self.workflow = CI_CD
        self.context = {"secrets": dict(SECRETS), "vars": {}, "needs": {}, "steps": {}, "github": {
            "token": "ghs-of-this-job", "repository": "orchard/shop", "sha": self.commit, "event": {}}}
        self.more = {}
        self.said = []
        self.used = []
        self.process = None

    def github(self):
        branch = "develop" if look_up("needs.plan.outputs.environment", self.context) == "staging" else "main"
        return {"GITHUB_SHA": self.commit, "GITHUB_REPOSITORY": "orchard/shop", "GITHUB_RUN_ID": "77",
                "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "ada", "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY_ID": "456789",
                "GITHUB_WORKFLOW_REF": f"orchard/shop/.github/workflows/ci-cd.yml@refs/heads/{branch}",
                "GITHUB_REF": f"refs/heads/{branch}", "GITHUB_REF_NAME": branch, "GITHUB_EVENT_NAME": "push",
                "GITHUB_EVENT_PATH": str(self.path / "event.json"), "GITHUB_OUTPUT": str(self.path / "output"),
                "GITHUB_WORKSPACE": str(self.work), "RUNNER_TEMP": str(self.temp)}

    def plan(self, mode, environment):
        self.context["needs"]["plan"] = {"outputs": {"mode": mode, "environment": environment}}

    def world(self, **fields):
        """Changes what the stand-ins know; what they know then."""
        with World(self.stand) as world:
            world.update(fields)
            return dict(world)

    def start(self, job, step):
        """Starts a shell step, found by its name, in a session of its own."""
        body = read(self.workflow)["jobs"][job]
        found, = (entry for entry in body["steps"] if entry.get("name") == step)
        script = self.path / "script.sh"
        script.write_text(found["run"], encoding="utf-8")
        (self.path / "output").write_text("")
        given = {**body.get("env", {}), **found.get("env", {})}
        given = {key: expand(value, self.context) for key, value in given.items()}
        tokens = ID_TOKENS if body.get("permissions", {}).get("id-token") == "write" else {}
        self.log = self.path / "said"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=self.work, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={"PATH": f"{self.bin}:{self.tools}", "HOME": str(self.path), "LANG": "C.UTF-8",
                     "STAND": str(self.stand), **self.github(), **tokens, **given, **self.more})
        return self.process

    def finish(self, timeout=120):
        status = self.process.wait(timeout=timeout)
        self.said = self.log.read_text(encoding="utf-8").splitlines()
        return status

    def step(self, job, step):
        """Runs a shell step to its end: its status; what it printed is in self.said, what it put out in steps.ID."""
        self.start(job, step)
        status = self.finish()
        entry = next(entry for entry in read(self.workflow)["jobs"][job]["steps"] if entry.get("name") == step)
        lines = (self.path / "output").read_text(encoding="utf-8").splitlines()
        self.context["steps"][entry.get("id", step)] = {"outputs": dict(line.split("=", 1) for line in lines)}
        return status

    def job(self, job):
        """Runs a job's shell steps one after the other, as far as they succeed: (status, the steps that ran)."""
        self.context["steps"], ran = {}, []
        for entry in read(self.workflow)["jobs"][job]["steps"]:
            if "if" in entry and not evaluate(entry["if"], self.context):
                continue
            if "uses" in entry:
                self.used.append(entry["uses"].partition("@")[0])
                continue
            ran.append(entry["name"])
            status = self.step(job, entry["name"])
            if status:
                return status, ran
        return 0, ran

    def calls(self, name):
        return [record["words"] for record in records_in(self.stand / "calls") if record.get("name") == name]

    def outputs(self, step):
        return self.context["steps"][step]["outputs"]

    def done(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
