"""commands_aid.py - deploy.sh and rollback.sh with a PATH of recording stand-ins instead of docker, aws and others."""
# SPDX-License-Identifier: ISC
import contextlib
import functools
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time

from commands.recorder import records_in
from copies_aid import once
from runner_client import PROGRAM, ROOT, Script, wait_for

COMMANDS = os.path.join(ROOT, "tests", "peers", "commands")
CALLER = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-static", "-Wall", "-Wextra", "-Werror"]
DEPLOY = os.path.join(ROOT, "deploy")
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = 'pass "word" \\ of $(id) ü'
# Talks to nothing: what it was asked to do stands in STAND/target, and a file `MOMENT.hang` there holds it up.
SPY = """# spy.sh - a transport that only notes what it is asked.
transport_needs=image
spy() { printf '%s\\n' "$*" >>"$STAND/spy"; if [[ -e $STAND/$1.hang ]]; then limited 600 spy sleep 600; fi; }
transport_preflight() { spy preflight; }
transport_ship() {
	spy pull "$(image_of "$1")"
	release_begins
	spy ship "$1"
	printf '%s\\n' "$1" >"$STAND/target"
}
transport_rollback() { release_begins; spy rollback "$1"; printf '%s\\n' "$1" >"$STAND/target"; }
transport_current() { [[ ! -e $STAND/target ]] || cat "$STAND/target"; }
transport_logs() { echo "logs $1"; }
transport_clean() { spy clean "$@"; }
"""


@functools.lru_cache
def resident():
    """A folder of commands that resident.py carries out, as long as this process lives."""
    folder = tempfile.mkdtemp(prefix="stand-ins.")
    subprocess.run([*CALLER, "-o", os.path.join(folder, "caller"), os.path.join(COMMANDS, "caller.c")], check=True)
    process = subprocess.Popen(     # pylint: disable=consider-using-with; it ends with us
        ["/usr/bin/python3", "-IS", os.path.join(COMMANDS, "resident.py"), folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env={"LC_ALL": "C"})
    assert process.stdout.readline() == b"ready\n"
    resident.process = process
    return os.path.join(folder, "commands")


def stand_in(name):
    """What is called for it: docker is that of the machine that builds, host/docker that of a host."""
    return os.path.join(resident(), name)


def git(folder, *words):
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
             "GIT_AUTHOR_NAME": "Ann Example", "GIT_AUTHOR_EMAIL": "a@example.org",
             "GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "b@example.org"}).stdout.strip()


def make_library(folder):
    """Another repository, which is a submodule somewhere; its commit."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "part").write_text("a part\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Part")
    return git(folder, "rev-parse", "HEAD")


def tools(folder):
    """A folder with everything of /usr/bin but the commands that have a stand-in."""
    folder.mkdir()
    for name in set(os.listdir("/usr/bin")) - set(os.listdir(COMMANDS)):
        os.symlink(f"/usr/bin/{name}", folder / name)
    return folder


class CommandBench:
    """A copy of deploy/ (links, and transports of its own), a repository, a state directory and a STAND."""
    copies = None       # where `once` keeps what releases did
    pass_fds = ()       # to scripts

    def __init__(self, path, tools_folder, commands=("docker", "aws", "curl"), transports=("local",)):
        self.path, self.tools = path, str(tools_folder)
        self.stand, self.state, self.bin, self.deploy, self.hooks = (
            path / name for name in ("stand", "state", "bin", "deploy", "hooks"))
        for folder in (self.stand, self.state, self.bin, self.deploy, self.deploy / "transports", self.hooks):
            folder.mkdir()
        for name in os.listdir(DEPLOY):
            if name.endswith(".sh"):
                os.symlink(os.path.join(DEPLOY, name), self.deploy / name)
        for name in os.listdir(os.path.join(DEPLOY, "transports")):
            if name.split(".")[0].split("-")[0] in transports:
                os.symlink(os.path.join(DEPLOY, "transports", name), self.deploy / "transports" / name)
        (self.deploy / "transports" / "spy.sh").write_text(SPY)
        for name in commands:
            os.symlink(stand_in(name), self.bin / name)
        self.repository = path / "repository"
        self.repository.mkdir()
        git(self.repository, "init", "-q", "-b", "main")
        self.environment = {
            "PATH": f"{self.bin}:{tools_folder}", "HOME": str(path / "home"), "LANG": "C.UTF-8",
            "DEPLOYBOT_RUNNER": PROGRAM, "RUN_ID": "1-0", "STAND": str(self.stand), "STATE_DIRECTORY": str(self.state),
            "DEPLOY_TRANSPORT": "spy", "REPOSITORY_URL": str(self.repository),
            "REGISTRY_URL": "registry.example.org", "REGISTRY_IMAGE": "team/shop", "HOOKS_DIRECTORY": str(self.hooks)}
        self.image = "registry.example.org/team/shop"
        self.number = 0
        self.processes = []

    def own_words(self):
        """What another bench, alike but for them, has in their place."""
        return [str(self.path), self.tools, os.path.dirname(resident())]

    def lives(self):
        """Whether something runs: then its files are not all that there is of it."""
        return any(process.poll() is None for process in self.processes) or any(self.state.glob("apps/*/app.pid"))

    def commit(self, text):
        (self.repository / "Dockerfile").write_text(f"FROM scratch\n# {text}\n")
        git(self.repository, "add", "-A")
        git(self.repository, "commit", "-q", "--allow-empty", "-m", text)
        return git(self.repository, "rev-parse", "HEAD")

    def forbid(self, reason="drops column price"):
        """The next commit says that nobody rolls back past it."""
        (self.repository / ".deploybot").mkdir(exist_ok=True)
        (self.repository / ".deploybot" / "no-rollback").write_text(f"{reason}\n")

    def start(self, script, *words, **settings):
        """Starts a script in a session of its own; its output goes to self.log."""
        self.number += 1
        environment = {"DEPLOYMENT_ID": str(self.number), **self.environment, **settings}
        self.log = self.path / f"log.{self.number}"
        with open(self.log, "wb") as log:
            process = Script(
                [str(self.deploy / script), *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, pass_fds=self.pass_fds,
                env={key: value for key, value in environment.items() if value is not None})
        self.processes.append(process)
        return process

    def run(self, script, *words, **settings):
        """Runs a script to its end: (status, the lines of its log)."""
        status = self.start(script, *words, **settings).wait(timeout=120)
        return status, self.said()

    def said(self):
        return self.log.read_text().splitlines()

    def steps(self):
        """As the supervisor finds them: what is quoted is no step."""
        found, quote = [], ""
        for line in self.said():
            if quote:
                quote = "" if line == f"==> un{quote}" else quote
            elif line.startswith("==> quote "):
                quote = line[4:]
            elif line.startswith("==> "):
                found.append(line[4:])
        return found

    def plan(self, *entries):
        for counter in self.stand.glob("plan.*"):
            counter.unlink()
        (self.stand / "plan").write_text(json.dumps(entries))

    def world(self):
        text = (self.stand / "world").read_text() if (self.stand / "world").exists() else ""
        return json.loads(text or '{"images": {}, "registry": {}, "here": {}}')

    def change_world(self, **fields):
        (self.stand / "world").write_text(json.dumps({**self.world(), **fields}))

    def records(self):
        return records_in(self.stand / "calls")

    def calls(self, name=None):
        """[[name, word, …]] of what was called, in order."""
        return [[record["name"], *record["words"]] for record in self.records()
                if "name" in record and name in (None, record["name"])]

    def forget_calls(self):
        for file in ("calls", "spy"):
            (self.stand / file).unlink(missing_ok=True)

    def spied(self):
        return (self.stand / "spy").read_text().splitlines() if (self.stand / "spy").exists() else []

    def target(self):
        return (self.stand / "target").read_text().strip() if (self.stand / "target").exists() else ""

    def until_hangs(self):
        """Waits for a hung stand-in, as planned; its pid."""
        file = self.stand / "hangs"
        return int(wait_for(lambda: file.exists() and file.read_text(), "a call that hangs"))

    def digests(self):
        """{commit: digest} of what the registry has."""
        kept = self.world()["registry"].get(self.image, {})
        return {tag: digest for tag, manifest in kept.items() if not tag.startswith("sha256:")
                for digest, other in kept.items() if digest.startswith("sha256:") and other == manifest}

    def hook(self, kind, name, text="", mode=0o755):
        (self.hooks / kind).mkdir(exist_ok=True)
        file = self.hooks / kind / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(mode)
        return file

    def wrap(self, name, lines):
        """Bash in front of a stand-in, which is $real."""
        real = os.readlink(self.bin / name)
        (self.bin / name).unlink()
        (self.bin / name).write_text(f'#!/bin/bash\nreal={real}\n{lines}\nexec -a {name} "$real" "$@"\n')
        (self.bin / name).chmod(0o755)

    def session(self, process):
        """The living processes of a script's session."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == process.pid and fields[0] not in "ZX":
                found.append(int(pid))
        return found

    def kill_session(self, process):
        """As a power cut would."""
        cut_power(lambda: self.session(process))
        process.wait()
        (self.stand / "hangs").unlink(missing_ok=True)

    def done(self):
        """Ends what still runs; was there something?"""
        still = [process for process in self.processes if process.poll() is None]
        for process in self.processes:
            self.kill_session(process)
        return bool(still)


def cut_power(find):
    """Ends the processes that find() finds as if at once: none may see the end of another, and clean up.  So all are
    stopped before the first one dies, and parents die last: the kernel wakes a stopped child that is left alone."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        stopped = set()
        while new := set(find()) - stopped:     # who was stopped starts no other one
            signal_each(new, signal.SIGSTOP)
            stopped |= new
        if not stopped:
            return
        signal_each(sorted(stopped, reverse=True), signal.SIGKILL)


def signal_each(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@once
def shipped(bench, text="one", environment="staging", **settings):
    """Deploys a new commit; (commit, digest)."""
    commit = bench.commit(text)
    status, said = bench.run("deploy.sh", environment, commit, **settings)
    assert status == 0, said
    return commit, bench.target().partition("@")[2]


def goes_live(bench, environment, commit):
    """What the server notes when the health gate has passed."""
    file = bench.state / "environments" / f"{environment.replace('/', '.')}.json"
    file.parent.mkdir(exist_ok=True)
    state = json.loads(file.read_text()) if file.exists() else {"environment": environment}
    state["live"] = [commit, *[of for of in state.get("live", []) if of != commit]]
    file.write_text(json.dumps(state, separators=(",", ":")) + "\n")


def cleans(bench, environment, **settings):
    """What the server runs then.  Returns what both said."""
    before = bench.said()
    status, said = bench.run("drain.sh", environment, **settings)
    assert status == 0, said
    return before + bench.said()


def password_file(bench, mode=0o600):
    file = bench.path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(mode)
    bench.change_world(password=PASSWORD)
    return {"REGISTRY_USER": "robot", "REGISTRY_PASSWORD_FILE": str(file)}


def private_folders(bench):
    """What a run noted as its private folders and did not take away."""
    notes = [bench.state / "apps" / name / "private" for name in ("staging", "production")]
    return [folder for note in notes if note.exists() for folder in note.read_text().split()]
