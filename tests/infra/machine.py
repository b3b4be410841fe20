"""A machine with a real systemd, and the stand-ins on its loopback: `with Machine(folder, tar) as machine`.

systemd-nspawn boots a root in namespaces of its own. Commands go into them by nsenter. The test itself stands in the
machine's network (on_its_network), so that what it starts and asks is on the machine's loopback.
"""
# SPDX-License-Identifier: ISC
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess

from infra_aid import Root, clean_environment, run, say
from stage import wait_until

BOOT_TIMEOUT_S = 600
STOP_TIMEOUT_S = 120
CLONE_NEWNET = 0x40000000


def hierarchy():
    """Which hierarchy of control groups systemd is to take: the kernel's own, or where that is mixed, the old one."""
    return [] if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else ["systemd.unified_cgroup_hierarchy=0"]


def enter_network(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


@contextlib.contextmanager
def on_its_network(machine):
    """This thread, and what it starts, is in the machine's network."""
    ours = f"/proc/self/fd/{os.open('/proc/self/ns/net', os.O_RDONLY)}"
    enter_network(f"/proc/{machine.init}/ns/net")
    try:
        yield
    finally:
        enter_network(ours)
        os.close(int(ours.rsplit("/", 1)[1]))


# What nspawn lets nobody do by itself, and a machine everybody.
SANDBOX = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


class Machine:
    """Boots at once; what is in `binds` (host path: path in it) is there from the start."""

    def __init__(self, folder, tar, binds=None, deb=None):
        self.root = Root(pathlib.Path(folder) / "root", tar)
        self.console = pathlib.Path(folder) / "console"
        self.process = self.init = None
        self.binds = binds or {}
        if deb is not None:
            self.install(deb)

    def install(self, deb):
        """Before it boots: what it depends on is there."""
        self.root.run("dpkg", "-i", self.root.give(deb, "it.deb"))

    def start(self):
        binds = [f"--bind={source}:{target}" for source, target in self.binds.items()]
        with open(self.console, "ab") as console:
            # Its mounts are gone with it, and it with us.  A session of its own: Ctrl-C is ours to hand on.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private", "systemd-nspawn",
                 "-q", "--register=no", "--keep-unit", "-D", str(self.root.path), "--private-network",
                 "--console=pipe", "--hostname=bot", "--resolv-conf=off", "--timezone=off",
                 f"--system-call-filter={SANDBOX}", *binds, "-b", *hierarchy()],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                env=clean_environment())
        wait_until(self.is_running, BOOT_TIMEOUT_S, "the machine's boot")
        return self

    def find_init(self):
        """Its pid 1, in our numbers.  nspawn has another child first, for a moment."""
        assert self.process.poll() is None, f"no machine:\n{self.console.read_text('utf-8', 'replace')[-3000:]}"
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split()
        return int(children[-1]) if children else None

    def is_running(self):
        self.init = self.find_init()
        if self.init is None:
            return False
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said.splitlines()[-1:] in (["running"], ["degraded"])

    def enter(self):
        return ["nsenter", "-t", str(self.init), "-m", "-p", "-n", "-u", "-i", "-r", "-w"]

    def run(self, *command, timeout=120, check=True, stdin=None):
        return run([*self.enter(), *command], timeout, check,
                   env=clean_environment(DEBIAN_FRONTEND="noninteractive"),
                   **({} if stdin is None else {"input": stdin}))

    def sh(self, script, **options):
        return self.run("bash", "-ec", script, **options).stdout

    def as_user(self, user, script, check=True):
        """As a login would be, outside of any unit."""
        return self.run("runuser", "-u", user, "--", "bash", "-c", script, check=check)

    def give(self, source, name):
        return self.root.give(source, name)

    def show(self, unit, *names):
        """Properties of a unit; one: its value, more: a dict."""
        said = dict(line.split("=", 1) for line in
                    self.run("systemctl", "show", unit, "-p", ",".join(names)).stdout.splitlines() if "=" in line)
        return said[names[0]] if len(names) == 1 else said

    def active(self, *units):
        """Of each of them "active", "inactive" or what else systemd calls it."""
        return self.run("systemctl", "is-active", *units, check=False).stdout.split()

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID"))

    def outside_pid(self, pid):
        """The same process in our numbers."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                text = (folder / "status").read_text("ascii", "replace")
                numbers = [line for line in text.splitlines() if line.startswith("NSpid:")][0].split()
                if len(numbers) == 3 and int(numbers[2]) == pid and \
                        os.readlink(folder / "ns" / "pid") == os.readlink(f"/proc/{self.init}/ns/pid"):
                    return int(folder.name)
            except (OSError, IndexError):
                continue    # it has ended
        raise AssertionError(f"no process {pid} in the machine")

    def journal(self, unit):
        return self.run("journalctl", "-o", "cat", "-u", unit, "--no-pager").stdout

    def status(self, unit):
        """With more lines than its ten: where control groups are not all ours systemd complains of them in four."""
        return self.run("systemctl", "status", "--no-pager", "--full", "--lines=20", unit, check=False).stdout

    def stop(self):
        """TERM to nspawn's own process: KILL would leave what it has started."""
        if self.process is not None and self.process.poll() is None:
            if self.init is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.init, signal.SIGRTMIN + 4)     # poweroff.target
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                say("the machine does not stop by itself")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.init, signal.SIGKILL)
                self.process.terminate()
                self.process.wait(STOP_TIMEOUT_S)
        self.root.remove()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
