#!/usr/bin/python3
"""inside.py COMMAND... - runs a command where it may change the network, the mounts and /etc, and nobody notices.

COMMAND gets namespaces of its own: processes, network, mounts, host name. When it ends, or this program is killed in
whatever way, the kernel ends all that was started in them: machines, containers, mounts, interfaces. What outlives
them, cgroups that a container engine made, is removed here, and by the next run where this one could not.
BED=trixie: its machines are Debian 13 (BED_ROOT, made by root.py), not the system that runs here.
Exit status: COMMAND's. Where the kernel refuses, COMMAND runs outside with BED_REFUSED=why in its environment.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import signal
import subprocess
import sys

import root

HERE = pathlib.Path(__file__).resolve().parent
CGROUP = "deploybot-targets-"
NAMESPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--uts", "--fork",
              "--kill-child=KILL", "--mount-proc", "--propagation", "private"]


def refused():
    """Why there can be no bed here; empty when there can."""
    if os.geteuid() != 0:
        return "needs root: machines are made of namespaces, mounts and cgroups"
    for what, command in (("namespaces", ["true"]),
                          ("a tmpfs", ["mount", "-t", "tmpfs", "bed", "/mnt"]),
                          ("a bridge", ["ip", "link", "add", "bed0", "type", "bridge"])):
        done = subprocess.run([*NAMESPACES, *command], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            return f"the kernel refuses {what}: {done.stderr.strip()}"
    try:
        for root in hierarchies():
            (root / f"{CGROUP}{os.getpid()}").mkdir()
            (root / f"{CGROUP}{os.getpid()}").rmdir()
    except OSError as error:
        return f"the kernel refuses cgroups: {error}"
    return "" if hierarchies() else "there are no cgroups"


def no_root():
    """Finds what machines are made of; why that is not possible, empty where it is.  Inside is no way to a mirror."""
    bed = os.environ.get("BED") or "here"
    if bed not in ("here", "trixie"):
        sys.exit(f"there is no BED={bed}: it is here, or trixie")
    try:
        os.environ["BED_ROOT"] = str(root.make()) if bed == "trixie" else "/"
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ""


def hierarchies():
    """The folders below which cgroups are made: one for each controller, or the only one of version 2."""
    root = pathlib.Path("/sys/fs/cgroup")
    return [root] if (root / "cgroup.controllers").exists() else [p for p in root.glob("*") if p.is_dir()]


def remove_cgroups():
    """Those of beds whose first process has ended."""
    for folder in (found for root in hierarchies() for found in root.glob(CGROUP + "*")):
        if not os.path.exists(f"/proc/{folder.name[len(CGROUP):]}"):
            for path, _, _ in os.walk(folder, topdown=False):
                try:
                    os.rmdir(path)
                except OSError as error:
                    print(f"{path}: {error.strerror}", file=sys.stderr)


def hand_on_controllers():
    """In a container with cgroups version 2, processes in its topmost group keep controllers from those below it."""
    root = pathlib.Path("/sys/fs/cgroup")
    if not (root / "cgroup.controllers").exists() or not (root / "cgroup.type").exists():
        return
    (root / "init").mkdir(exist_ok=True)
    for pid in (root / "cgroup.procs").read_text(encoding="ascii").split():
        try:
            (root / "init" / "cgroup.procs").write_text(pid, encoding="ascii")
        except OSError:
            pass    # it has ended
    for name in (root / "cgroup.controllers").read_text(encoding="ascii").split():
        (root / "cgroup.subtree_control").write_text("+" + name, encoding="ascii")


def main():
    why = refused() or no_root()
    if why:
        print(f"no machines can be made here: {why}", file=sys.stderr, flush=True)
        os.environ["BED_REFUSED"] = why
        os.execvp(sys.argv[1], sys.argv[1:])
    remove_cgroups()
    hand_on_controllers()
    os.environ["BED_CGROUP"] = f"{CGROUP}{os.getpid()}"
    with subprocess.Popen([*NAMESPACES, "bash", str(HERE / "inside.sh"), *sys.argv[1:]]) as child:
        # Ctrl-C reaches COMMAND by itself; TERM does not reach through unshare.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: child.kill())
        status = child.wait()
    del os.environ["BED_CGROUP"]
    for folder in (found for root in hierarchies() for found in root.glob(f"{CGROUP}{os.getpid()}")):
        for path, _, _ in os.walk(folder, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                pass    # something in it is still ending: the next run finds it
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main())
