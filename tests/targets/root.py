#!/usr/bin/python3
"""root.py - a Debian 13 in build/targets/, made once, out of which machines of the bed are started with BED=trixie.

Nothing is written into it: a machine has a disk of memory over it.
"""
# SPDX-License-Identifier: ISC
import hashlib
import os
import pathlib
import shutil
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parents[1] / "tools"
KEPT = pathlib.Path(__file__).resolve().parents[2] / "build" / "targets"
PACKAGES = ("ca-certificates", "caddy", "curl", "dbus", "docker-buildx", "docker-cli", "docker-compose",
            "docker-registry", "docker.io", "git", "iproute2", "iptables", "libpam-systemd", "netavark", "nginx-light",
            "openssh-server", "podman", "procps", "python3", "sudo", "systemd", "systemd-sysv")
# A machine that boots has sshd and what a test sets up, and nothing else that its packages would start.
UNITS = ("caddy", "containerd", "docker", "docker-registry", "netavark-dhcp-proxy", "netavark-firewalld-reload",
         "nginx", "podman", "podman-auto-update", "podman-restart")
TIMEOUT_S = 1200


def make():
    """The root's folder; RuntimeError says why there is none."""
    off = " ".join(f"{unit}.{kind}" for unit in UNITS for kind in ("service", "socket", "timer"))
    words = [f"--include={','.join(PACKAGES)}",
             f'--customize-hook=cd "$1/etc/systemd/system" && for unit in {off}; do rm -f ./*.wants/"$unit"; done',
             '--customize-hook=rm -f "$1/etc/hostname"']
    root = KEPT / f"trixie-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:12]}"
    if root.exists():
        return root
    if shutil.which("mmdebstrap") is None:
        raise RuntimeError("mmdebstrap is missing (apt-get install mmdebstrap)")
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob("trixie-*"):
        shutil.rmtree(old)
    part = KEPT / f"trixie-part-{os.getpid()}"
    print(f"bed: mmdebstrap makes a Debian 13 in {root}", flush=True)
    done = subprocess.run([TOOLS / "debian_root.sh", "--variant=minbase", *words, "trixie", str(part)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap makes no Debian 13: {done.stdout.strip()[-300:]}")
    part.rename(root)
    return root
