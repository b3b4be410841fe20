"""What the tests on real parts share: a deploybot that releases to the bed's hosts, a load on them, and eyes."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import sample_app
from bed import HOSTS, IMAGE, OURS, REGISTRY_PORT, ROOT
from flow_aid import FIRST_ADMIN, Scene
from runner_client import PROGRAM
from stage import SLOW, get, wait_until
from telegram_client import text_of

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 300
OVER = re.compile(r"^took \d", re.MULTILINE)


class ChatScene(Scene):
    """A deploybot that is asked in the chat to change production."""

    def change(self, kind="good"):
        """A colleague's commit on the branch that production follows."""
        return sample_app.change(self.work, "main", kind)["after"]

    # --- what is asked in the chat ---

    def ask(self, words="/deploy production"):
        """Writes it and confirms; whoever asked, in a chat where nothing was said before."""
        who = self.admin()
        who.say(words)
        button = "Roll back" if words.startswith("/rollback") else "Deploy to"
        if words == "/deploy production" and (self.state_file("production") or {}).get("commit") == self.head("main"):
            button = "Deploy again"
        question = who.hear("production", buttons=(button,), timeout=PATIENCE_S)
        who.press(question, button)
        return who

    def end(self, who, timeout=PATIENCE_S):
        """What is said when all is over: a message of its own, as it notifies.  Each admin is notified of a failure:
        one that somebody else asked for may come late, to whom the bot could not write before."""
        own = re.compile(rf"requested by @admin_{who.number - FIRST_ADMIN + 1}\b")
        view = self.chat.wait_for_message(lambda view: OVER.search(text_of(view)) and own.search(text_of(view)),
                                          timeout * SLOW, chat_id=who.number, after=who.since)
        self.wait_free("production")
        return text_of(view)

    def attempt(self, words="/deploy production", timeout=PATIENCE_S):
        return self.end(self.ask(words), timeout)

    def release(self, kind="good"):     # pylint: disable=arguments-differ
        """Makes a new commit live on all hosts; the commit."""
        commit = self.change(kind)
        said = self.attempt()
        assert "Live: production" in said and f"{commit[:7]}" in said, said + self.last_log()
        self.all_run(commit)
        return commit

    def logs(self):
        """What the runs printed, oldest first; without drains and clean-ups, which come behind a deployment."""
        paths = sorted((self.folder / "state" / "runs").glob("*/log"), key=lambda path: path.stat().st_mtime)
        return [path.read_text("utf-8", "replace") for path in paths
                if "\nprogram drain\n" not in path.with_name("order").read_text("utf-8")]

    def wait_cleaned(self):
        """Until what comes behind a deployment has ended too."""
        wait_until(lambda: not self.bot_rows("SELECT 1 FROM run WHERE ended_at = 0"), PATIENCE_S, "the end of all runs")

    def last_log(self):
        """What the newest of them printed, for whoever reads a failure."""
        logs = self.logs()
        return "\n--- log ---\n" + logs[-1][-6000:] if logs else ""

    def last_line(self):
        """The last thing that the newest run said, which is what people read."""
        return self.last_log().strip().splitlines()[-1]

    def last_said(self):
        """The same as the chat shows it: without the script's name, and a digest by its beginning."""
        return re.sub("(sha256:[0-9a-f]{12})[0-9a-f]{52}", r"\1…", re.sub(r"^\w+\.sh: ", "", self.last_line()))

    def by_hand(self, script, *arguments, **more):
        """Runs one of deploy/'s scripts as a person would, with our settings, and more of them."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/root", "DEPLOYBOT_RUNNER": PROGRAM,
                       **self.settings(), **more}
        return subprocess.run([str(ROOT / "deploy" / script), *arguments], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)

    def steps(self):
        """The steps of the newest run so far."""
        return re.findall(r"^==> (?!quote |unquote )(.+)$", self.last_log(), re.MULTILINE)

    def all_run(self, commit):
        raise NotImplementedError


class TargetScene(ChatScene):
    """A deploybot whose production is the bed's hosts; `strategy` as DEPLOY_STRATEGY."""

    def __init__(self, bed, folder, strategy="recreate", hosts=None, settings=None):
        self.bed = bed
        self.strategy = strategy
        self.image = f"{OURS}:{REGISTRY_PORT}/{IMAGE}"
        self.hosts = [bed.hosts[name] for name in hosts or HOSTS]
        bed.clear(strategy)
        wanted = {**bed.settings(strategy, hosts), "ADMIN_COMMAND_RATE": None, **(settings or {})}
        super().__init__(folder, settings=wanted, start=False)
        bed.publish(self.repository, self.work)
        self.start()

    # --- what is true on the hosts ---

    def answer(self, host):
        """The commit that a host answers with as people see it; None when it does not answer well."""
        port = 8080 if self.strategy == "recreate" else 80
        status, body = get(f"http://{host.address}:{port}/health")
        try:
            return json.loads(body)["commit"] if status == 200 else None
        except ValueError:
            return None

    def answers(self):
        return {host.name: self.answer(host) for host in self.hosts}

    def all_run(self, commit):
        """Every host answers with it, and runs it by the digest that the registry has for it."""
        assert self.answers() == {host.name: commit for host in self.hosts}
        digest = self.bed.digest(commit)
        assert digest, f"the registry has no {commit}"
        for host in self.hosts:
            if self.strategy == "bluegreen":    # what drains ends by itself
                wait_until(lambda h=host: len(h.running()) == 1, PATIENCE_S, f"{host.name}'s drain")
            assert host.running() == [f"{self.image}@{digest}"]
        return digest

    def leftovers(self):
        """Folders with a password for the registry, and locks of compose, that somebody has left."""
        self.wait_cleaned()
        found = []
        for where in ("/dev/shm", self.folder / "state"):
            found += subprocess.run(["grep", "-rlsF", '"auth"', str(where)], capture_output=True, text=True,
                                    check=False).stdout.split()
        for host in self.hosts:
            found += host.try_run("grep -rlsF '\"auth\"' /dev/shm /tmp /var/tmp /run /srv ~/.docker").stdout.split()
        return found

    def locks(self):
        """Who holds a lock that only a deployment may hold."""
        held = [str(lock) for lock in (self.folder / "state" / "apps").glob("*/lock")
                if subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode != 0]
        return held + [host.name for host in self.hosts if host.try_run(
            "test ! -e /srv/app/.deploybot.lock || flock -w 20 /srv/app/.deploybot.lock true").returncode != 0]


def sessions():
    """Every process here: pid, session, group, command line."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ").strip()
        except OSError:
            continue    # it has ended
        if stat[0] not in "ZX":
            yield int(folder.name), int(stat[3]), int(stat[2]), words


def kill_all(pids):
    """SIGKILL to each; how many there were."""
    killed = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            pass
    return killed


def script_pids():
    """The processes of the release scripts' sessions that run now."""
    found = list(sessions())
    leaders = {session for pid, session, _, words in found
               if re.search(r"/deploy/(deploy|rollback)\.sh production", words) and pid == session}
    return [pid for pid, session, _, _ in found if session in leaders]


def bot_pids():
    """Server, runner and supervisors."""
    return [pid for pid, _, _, words in sessions() if re.match(r"\S*/deploybot(-runner)?( |$)", words)]


def wrk(host, port, *more):
    return ["wrk", "-t1", "-c4", "-d3600s", "--timeout", "60s", "-s", str(HERE / "load.lua"), *more,
            f"http://{host.address}:{port}/"]


class Load:
    """People on every host, about 400 requests a second of each kind.  Port 80 is nginx as Debian has it, port 81 as
    docs/deploy-scripts.md advises for clients that do not ask again on a new connection when a kept one was closed."""

    KINDS = {
        "new connections": lambda host: wrk(host, 80, "-H", "Connection: close"),
        "kept connections": lambda host: wrk(host, 81),
        "kept connections, asking again": lambda host: ["hey", "-c", "4", "-q", "100", "-z", "3600s", "-t", "60",
                                                        f"http://{host.address}/"],
    }

    def __init__(self, hosts, kinds=tuple(KINDS)):
        self.hosts = hosts
        self.before = {host.name: served(host) for host in hosts}
        self.began = time.monotonic()
        self.processes = {}
        for host in hosts:
            for kind in kinds:
                self.processes[host.name, kind] = subprocess.Popen(
                    self.KINDS[kind](host), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    env={"PATH": os.environ["PATH"]})
        self.wait_for(200)

    def wait_for(self, requests):
        """Until each host has served so many."""
        for host in self.hosts:
            wait_until(lambda h=host: served(h) - self.before[h.name] >= requests, PATIENCE_S, f"{requests} requests")

    def end(self, what):
        """Stops, prints the figures; how many requests there were, and what failed of them."""
        requests, failed = 0, {}
        seconds = time.monotonic() - self.began
        for process in self.processes.values():
            process.send_signal(signal.SIGINT)
        for who, process in self.processes.items():
            count, slowest, wrong = figures(process.communicate(timeout=120)[0])
            requests += count
            if wrong:
                failed[who] = wrong
            print(f"load: {what}: {who[0]}, {who[1]}: {count} requests, the slowest {slowest:.0f} ms; "
                  f"failed: {wrong or 'none'}", flush=True)
        print(f"load: {what}: {requests} requests in {seconds:.0f} s, failed: {failed or 'none'}", flush=True)
        self.processes = {}
        return requests, failed

    def stop(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


def served(host):
    """How many requests a host's nginx has had."""
    status, body = get(f"http://{host.address}/requests")
    return int(re.search(r"^ \d+ \d+ (\d+)", body, re.MULTILINE).group(1)) if status == 200 else 0


def figures(said):
    """(requests, slowest in ms, what went wrong) as wrk with load.lua, or hey, says it."""
    line = next((line for line in said.splitlines() if line.startswith("{")), None)
    if line is not None:
        found = json.loads(line)
        return found["requests"], found["max_ms"], {name: found[name] for name in (
            "connect", "read", "write", "status", "timeout") if found[name]}
    codes = {code: int(count) for code, count in re.findall(r"^ +\[(\d+)\]\t(\d+) responses", said, re.MULTILINE)}
    wrong = {code: count for code, count in codes.items() if code != "200"}
    errors = said.partition("Error distribution:")[2].strip()
    if errors:
        wrong["errors"] = errors
    return sum(codes.values()), float(re.search(r"Slowest:\t([\d.]+)", said).group(1)) * 1000, wrong
