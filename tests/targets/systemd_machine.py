"""systemd_machine.py - a machine of the bed that Debian 13's own systemd has booted: sshd runs, nothing is prepared."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess

from bed import Machine, make_key, sh
from stage import wait_until

ADDRESS = "10.77.0.21"
STOP_TIMEOUT_S = 60
PATIENCE_S = 300


class SystemdMachine(Machine):
    """s1: no engine, no nginx; what is started in it are its units."""

    def __init__(self, folder):
        self.key = folder / "key"
        super().__init__(folder, "s1", ADDRESS, [], make_key(self.key, "deploybot"))
        (self.folder / "deploy_key.pub").write_bytes((folder / "key.pub").read_bytes())
        self.known_hosts = folder / "known_hosts"

    def words(self):
        # The kernel's newer hierarchy of control groups, which this systemd wants, as far as the kernel has it here.
        top = pathlib.Path("/sys/fs/cgroup")
        if not (top / "cgroup.controllers").exists():
            top = top / "unified"
        # In a group that inside.py removes.
        return ["bash", "-c", 'mkdir -p "$0" && echo "$$" >"$0/cgroup.procs" && exec "$@"',
                str(top / os.environ["BED_CGROUP"] / self.name), "env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
                "systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D",
                os.environ["BED_ROOT"], "--volatile=overlay", f"--network-namespace-path=/run/netns/{self.name}",
                f"--bind={self.folder}:/bed", "--console=pipe", f"--hostname={self.name}", "--resolv-conf=off",
                "--timezone=off", "-b"]

    def has_begun(self):
        self.pid = self.child()
        return self.pid is not None and self.try_run("systemctl is-system-running").stdout.strip() == "running"

    def boot(self):
        self.start()
        wait_until(self.is_up, PATIENCE_S, "s1's boot")
        self.run("cp /bed/deploy_key.pub ~/")
        key = self.run("cat /etc/ssh/ssh_host_ed25519_key.pub").split()
        self.known_hosts.write_text(f"{ADDRESS} {key[0]} {key[1]}\n", encoding="ascii")
        return self

    def try_run(self, script, timeout=120):
        """In a control group of the machine's own: whoever comes from outside of these logind knows nothing about."""
        return super().try_run(f"{{ echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs; }} 2>/dev/null\n{script}", timeout)

    def switch_off(self):
        """In order: what was killed would leave its mounts and control groups behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                pass    # killed by
        super().switch_off()

    def ssh(self, script):
        """As deploy, by a login over ssh; what it prints."""
        return sh("ssh", "-F", "none", "-i", str(self.key), "-o", f"UserKnownHostsFile={self.known_hosts}",
                  f"deploy@{ADDRESS}", script, stdin=subprocess.DEVNULL).strip()
