"""Hosts that are machines out of namespaces, each with an sshd, an address and a host key of its own; what is released
there by the real scripts and ssh are words of a stand-in for docker (tests/peers/commands/engine.py), which DOCKER has
in hand.  As of hosts that are files, a file hold or fails in the folder of a machine makes its next release wait, or
fail."""
# SPDX-License-Identifier: ISC
import shutil
import subprocess

from bed import Machine, make_key
from commands_aid import CALLER, COMMANDS
from engine import Engine
from fleet import Hosts
from stage import wait_until
from test_flow_image import Registry

ADDRESS = "10.77.0.{}"      # of the bridge that inside.sh makes
FIRST_ADDRESS = 101         # all as long, so that their order by name is that of their numbers
MOST = 99
AT_ONCE = 10
START_S = 120
UP = "/usr/local/bin/docker compose up -d --no-deps --no-build app"
# Each `up` is a line of the file switched: when, of which image.  Whoever has run an image before does so again.
DOCKER = r"""#!/bin/bash
export STAND=/bed/stand
if [[ $1 == compose && " $* " == *" up "* ]]; then
	image=${DEPLOY_IMAGE:-$(sed -n 's/^DEPLOY_IMAGE=//p' .env)}
	ran=$(grep -c -F -- "$image" /bed/switched)
	printf '%s %s\n' "$EPOCHREALTIME" "$image" >>/bed/switched
	until [[ ! -e /bed/hold ]]; do sleep 0.05; done
	if [[ -e /bed/fails && $ran == 0 ]]; then
		echo "no space left on device" >&2
		exit 1
	fi
fi
exec -a docker /run/stand/commands/host/docker "$@"
"""


class RealHosts(Hosts):
    def __init__(self, folder, n):
        super().__init__(folder / "scene" / "state")
        self.folder = folder
        self.registry = Registry()
        self.images = {}        # of each commit
        key = make_key(folder / "key", "deploybot")
        self.machines = {}
        for number in range(n):
            address = ADDRESS.format(FIRST_ADDRESS + number)
            self.machines[address] = Machine(folder, f"h{number}", address, ["app", "stand_in", "sshd"], key)
        self.names = list(self.machines)

    def start(self):
        caller = self.folder / "caller"
        subprocess.run([*CALLER, "-o", caller, f"{COMMANDS}/caller.c"], check=True)
        for machine in self.machines.values():
            shutil.copytree(COMMANDS, machine.folder / "commands")
            shutil.copy(caller, machine.folder / "caller")
            (machine.folder / "docker").write_text(DOCKER, encoding="ascii")
            (machine.folder / "stand").mkdir()
            with Engine(str(machine.folder / "stand")) as state:
                state.update(images={}, registry=[], containers=[], compose="v2")
            machine.start()
        for machine in self.machines.values():
            wait_until(machine.is_up, START_S, machine.name)
        (self.folder / "known_hosts").write_text("".join(
            f"{address} {' '.join(machine.host_key.split()[:2])}\n" for address, machine in self.machines.items()),
            encoding="ascii")

    def stop(self):
        for machine in self.machines.values():
            machine.switch_off()
        self.registry.done()

    def settings(self):
        return {"DEPLOY_USER": "deploy", "SSH_KEY_PATH": str(self.folder / "key"),
                "SSH_KNOWN_HOSTS": str(self.folder / "known_hosts"), "HOSTS_PARALLEL": str(AT_ONCE),
                "IMAGE_SOURCE": "registry", "REGISTRY_URL": self.registry.url, "REGISTRY_IMAGE": "team/shop"}

    # --- as of hosts that are files ---

    def mark(self, name):
        kind, _, host = name.removesuffix(":22").partition("-")
        return self.machines[host].folder / kind

    def publish(self, commit):
        """The registry has an image of it, and hosts can pull that."""
        image = f"{self.registry.url.removeprefix('http://')}/team/shop@{self.registry.push(commit, commit)}"
        self.images[commit] = image
        for machine in self.machines.values():
            with Engine(str(machine.folder / "stand")) as state:
                state["registry"].append(image)

    def runs(self, host):
        """As the engine says it there."""
        with Engine(str(self.machines[host].folder / "stand")) as state:
            running = [box["of"] for box in state["containers"] if box["status"] == "running"]
        return next((commit for commit, image in self.images.items() if [image] == running), "")

    def by_hand(self, host):
        """Somebody puts another release there, which it has, without deploybot; its commit."""
        now = self.runs(host)
        other = next(commit for commit in reversed(self.images) if commit != now)
        setting = f"DEPLOY_IMAGE={self.images[other]}"
        self.machines[host].run(
            f"cd /srv/app && sed -i 's|^DEPLOY_IMAGE=.*|{setting}|' .env && {UP}")
        assert self.runs(host) == other, (now, other, self.runs(host))
        return other

    def switches(self, commit, act="deploy"):
        """A rollback is to an image that was not the last one there."""
        found = []
        for host, machine in self.machines.items():
            lines = [line.split() for line in (machine.folder / "switched").read_text("ascii").splitlines()]
            images = [image for _, image in lines]
            for number, (at, image) in enumerate(lines):
                was = "rollback" if image in images[:number] and images[number - 1] != image else "deploy"
                if (image, was) == (self.images[commit], act):
                    found.append((at, f"{host}:22"))
        return [host for _, host in sorted(found)]
