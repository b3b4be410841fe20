#!/usr/bin/python3
"""bench_bed.py [ROUNDS] - a release to two real hosts, beside the line of shell that one would type.

Both replace the same container by the same image, which lies in the registry and not on the hosts.  By turns; from the
order to the first answer of the new release on the last host.  What docker and compose take there they write down.
"""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "targets"))

# pylint: disable-next=wrong-import-position
from bed import (  # noqa: E402
    IMAGE, OURS, REGISTRY_PASSWORD, REGISTRY_PORT, REGISTRY_USER, Bed, get, sample_app)

CLOCK = """#!/bin/bash
began=$EPOCHREALTIME
"/usr/bin/${0##*/}" "$@"
status=$?
echo "$began $EPOCHREALTIME $*" >>/tmp/clock
exit "$status"
"""
LINE = """cd /srv/app && docker pull --quiet {image} && echo DEPLOY_IMAGE={image} >.env &&
{compose} up -d --no-deps --no-build app && until docker inspect --format '{{{{.State.Health.Status}}}}' \
$(docker ps -q --filter label=com.docker.compose.service=app) | grep -q '^healthy'; do sleep 0.5; done"""


class Measure:
    """A bed with a release live, and others to come."""

    def __init__(self, bed, folder, rounds):
        self.bed, self.folder = bed, folder
        self.settings = {**bed.settings(), "STATE_DIRECTORY": str(folder / "state"), "KEEP_RELEASES": "50",
                         "PATH": os.environ["PATH"], "HOME": "/root",
                         "DEPLOYBOT_RUNNER": os.environ["DEPLOYBOT_BUILD"] + "/deploybot-runner"}
        bare, tree = sample_app.create(str(folder / "repository"), 0)
        bed.publish(bare, tree)
        bed.clear()
        self.hosts = list(bed.hosts.values())
        has_compose = self.hosts[0].try_run("docker compose version").returncode == 0
        self.compose = "docker compose" if has_compose else "docker-compose"
        self.previous = ""
        for host in self.hosts:
            for name in ("docker", "docker-compose"):
                host.run(f"install -m 755 /dev/null /usr/local/bin/{name}; install -m 666 /dev/null /tmp/clock")
                host.write(f"/usr/local/bin/{name}", CLOCK)
            host.run(f"runuser -u deploy -- docker login --username {REGISTRY_USER} --password-stdin "
                     f"{OURS}:{REGISTRY_PORT} <<<{REGISTRY_PASSWORD} 2>&1")
        self.commits = [sample_app.git(tree, "rev-parse", "main")] + [
            sample_app.change(tree, "main", "good")["after"] for _ in range(2 * rounds)]
        for commit in self.commits:     # built, pushed, and released once
            self.ours(commit)

    def image(self, commit):
        return f"{OURS}:{REGISTRY_PORT}/{IMAGE}@{self.bed.digest(commit)}"

    def prepare(self, commit):
        for host in self.hosts:
            host.try_run(f"docker image rm {self.image(commit)}; : >/tmp/clock")
        return commit

    def until_live(self, commit, is_over):
        for host in self.hosts:
            while True:
                status, text = get(f"http://{host.address}:8080/health", timeout=5)
                if status == 200 and json.loads(text)["commit"] == commit:
                    break
                if is_over():
                    raise RuntimeError("no release")
                time.sleep(0.01)

    def engines(self, began, ended):
        """Seconds in which an engine worked, on whichever host; those between its calls while the new container became
        healthy; and how many calls there were."""
        total, until, waits, spans = 0, began, 0, []
        for host in self.hosts:
            is_up = False
            for line in host.run("cat /tmp/clock").splitlines():
                first, last, *words = line.split()
                if is_up and words[0] in ("ps", "inspect"):
                    waits += max(0, min(float(first), ended) - spans[-1][1])
                is_up = is_up or "up" in words
                spans.append((float(first), float(last)))
        for first, last in sorted(spans):
            first, last = max(first, until), min(last, ended)
            if last > first:
                total, until = total + last - first, last
        return total, waits, len(spans)

    def ours(self, commit):
        words, steps = [ROOT / "deploy" / "deploy.sh", "production", commit], []
        began = time.time()
        with subprocess.Popen(words, env={**self.settings, "PREVIOUS_RELEASE": self.previous}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            said = []

            def listen():
                for line in process.stdout:
                    said.append(line)
                    if line.startswith("==> "):
                        steps.append((line[4:].split()[0], time.time() - began))

            reader = threading.Thread(target=listen)
            reader.start()
            self.until_live(commit, lambda: process.poll() is not None)
            ended = time.time()
            reader.join()
        over = time.time()
        if process.returncode != 0:
            raise RuntimeError("".join(said))
        self.previous = f"{commit}@{self.bed.digest(commit)}"
        engine, waits, calls = self.engines(began, ended)
        ends = [at for _, at in steps[1:]] + [over - began]
        return {"seconds": ended - began, "own": ended - began - engine - waits, "waits": waits, "calls": calls,
                "steps": {name: round(end - at, 2) for (name, at), end in zip(steps, ends)}}

    def theirs(self, commit):
        line = LINE.format(image=self.image(commit), compose=self.compose).replace("\n", " ")
        began = time.time()
        for host in self.hosts:
            subprocess.run(["ssh", "-F", "none", "-i", self.bed.folder / "key",
                            f"-oUserKnownHostsFile={self.bed.known_hosts}", f"deploy@{host.address}", line],
                           check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=300)
        self.until_live(commit, lambda: False)
        return time.time() - began


def main():
    if os.environ.get("BED_REFUSED"):
        return 1
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = pathlib.Path(tempfile.mkdtemp(prefix="measure-"))
    ours, theirs = [], []
    with Bed(folder / "bed") as bed:
        measure = Measure(bed, folder, rounds)
        for number in range(rounds):
            ours.append(measure.ours(measure.prepare(measure.commits[2 * number])))
            theirs.append(measure.theirs(measure.prepare(measure.commits[2 * number + 1])))
            with open("/proc/loadavg", encoding="ascii") as file:
                load = file.read().split()[0]
            one = ours[-1]
            print(f"deploybot {one['seconds']:.1f} s (own {one['own']:.1f} s, until healthy {one['waits']:.1f} s, "
                  f"{one['calls']} calls of docker and compose), the line {theirs[-1]:.1f} s, load {load}: "
                  f"{one['steps']}", flush=True)
    seconds, own, waits = (statistics.median(one[name] for one in ours) for name in ("seconds", "own", "waits"))
    line = statistics.median(theirs)
    print(f"medians: {seconds:.1f} s, own {own:.1f} s, until healthy {waits:.1f} s; the line {line:.1f} s: "
          f"{seconds / line:.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
