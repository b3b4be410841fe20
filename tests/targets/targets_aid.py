"""What the tests on real parts share: a deploybot that releases to the bed's hosts, a load on them, and eyes."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import signal
import subprocess

import sample_app
from bed import HOSTS, IMAGE, OURS, REGISTRY_PORT, ROOT
from flow_aid import Scene
from stage import SLOW, get, wait_until
from telegram_client import text_of

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 180
FINAL = ("production runs", "production still runs", "production is NOT", "production is DOWN", "Nothing runs in",
         "Nothing is released to production")


class TargetScene(Scene):
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

    def change(self, kind="good"):
        """A colleague's commit on the branch that production follows."""
        return sample_app.change(self.work, "main", kind)["after"]

    # --- what is asked in the chat ---

    def ask(self, words="/deploy production"):
        """Writes it and confirms; whoever asked, and the message that will tell the end."""
        who = self.admin()
        who.say(words)
        question = who.hear("production?", buttons=("Cancel",), timeout=PATIENCE_S)
        who.press(question, "Roll back" if words.startswith("/rollback") else "Confirm")
        return who, question

    def end(self, who, question, timeout=PATIENCE_S):
        """What the message says when all is over."""
        view = self.chat.wait_for_message(
            lambda view: view["message_id"] == question["message_id"] and "▸" not in text_of(view)
            and any(word in text_of(view) for word in FINAL), timeout * SLOW, chat_id=who.number, after=who.since)
        self.wait_free("production")
        return text_of(view)

    def attempt(self, words="/deploy production", timeout=PATIENCE_S):
        who, question = self.ask(words)
        return self.end(who, question, timeout)

    def release(self, kind="good"):     # pylint: disable=arguments-differ
        """Makes a new commit live on all hosts; the commit."""
        commit = self.change(kind)
        said = self.attempt()
        assert f"production runs {commit[:7]}" in said, said + self.last_log()
        self.all_run(commit)
        return commit

    def last_log(self):
        """What the newest run printed, for whoever reads a failure."""
        logs = sorted((self.folder / "state" / "runs").glob("*/log"), key=lambda path: path.stat().st_mtime)
        return "\n--- log ---\n" + logs[-1].read_text("utf-8", "replace")[-6000:] if logs else ""

    def last_line(self):
        """The last thing that the newest run said, which is what people read."""
        return self.last_log().strip().splitlines()[-1]

    def by_hand(self, script, *arguments):
        """Runs one of deploy/'s scripts as a person would, with our settings."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/root", **self.settings()}
        return subprocess.run([str(ROOT / "deploy" / script), *arguments], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)

    def steps(self):
        """The steps of the newest run so far."""
        return re.findall(r"^==> (.+)$", self.last_log(), re.MULTILINE)

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
            assert host.running() == [f"{self.image}@{digest}"]
        return digest

    def leftovers(self):
        """Folders with a password for the registry, and locks of compose, that somebody has left."""
        found = []
        for where in ("/dev/shm", self.folder / "state"):
            found += subprocess.run(["grep", "-rlsF", '"auth"', str(where)], capture_output=True, text=True,
                                    check=False).stdout.split()
        for host in self.hosts:
            found += host.try_run("grep -rlsF '\"auth\"' /dev/shm /tmp /var/tmp /run /srv /root").stdout.split()
        return found


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
    """Server, runner and keepers."""
    return [pid for pid, _, _, words in sessions() if re.match(r"\S*/deploybot(-runner)?( |$)", words)]


class Load:
    """wrk on every host: some people keep their connection, others come anew for each request."""

    def __init__(self, hosts, connections=4):
        self.hosts = hosts
        self.before = {host.name: served(host) for host in hosts}
        self.processes = {}
        for host in hosts:
            for kind, more in (("keep-alive", []), ("new connections", ["-H", "Connection: close"])):
                self.processes[host.name, kind] = subprocess.Popen(
                    ["wrk", "-t1", f"-c{connections}", "-d3600s", "--timeout", "15s", "-s", str(HERE / "load.lua"),
                     *more, f"http://{host.address}/"], stdout=subprocess.PIPE, text=True)
        self.wait_for(200)

    def wait_for(self, requests):
        """Until so many more requests were served by each host."""
        now = {host.name: served(host) for host in self.hosts}
        for host in self.hosts:
            wait_until(lambda h=host: served(h) - now[h.name] >= requests, PATIENCE_S, f"{requests} requests")

    def end(self, what):
        """Stops, prints the figures and returns them."""
        found = {}
        for (host, kind), process in self.processes.items():
            process.send_signal(signal.SIGINT)
        for (host, kind), process in self.processes.items():
            lines = process.communicate(timeout=60)[0].splitlines()
            figures = json.loads(next(line for line in lines if line.startswith("{")))
            found[host, kind] = figures
            wrong = {name: figures[name] for name in ("connect", "read", "write", "status", "timeout") if figures[name]}
            print(f"load: {what}: {host}, {kind}: {figures['requests']} requests in {figures['seconds']} s, "
                  f"99 % within {figures['p99_ms']} ms, the longest {figures['max_ms']} ms; failed: {wrong or 'none'}")
        self.processes = {}
        return found

    def stop(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


def served(host):
    """How many requests a host's nginx has had."""
    status, body = get(f"http://{host.address}/requests")
    return int(re.search(r"^ \d+ \d+ (\d+)", body, re.MULTILINE).group(1)) if status == 200 else 0


def failures(figures):
    return {who: {name: one[name] for name in ("connect", "read", "write", "status", "timeout") if one[name]}
            for who, one in figures.items()
            if any(one[name] for name in ("connect", "read", "write", "status", "timeout"))}
