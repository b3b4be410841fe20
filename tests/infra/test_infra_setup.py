"""Goal: the short way of docs/INSTALLATION.md is true on a bare Debian: apt-get of the package that `make deb` made,
`deploybot-setup` at a terminal, and /deploy staging in the chat ends in a release that is live. What apt installs is
fetched here; all after that is played by walk_setup.py, among hosts, a registry and a repository without a way out."""
# SPDX-License-Identifier: ISC
import subprocess
import sys

import pytest

from infra_aid import Root, kept_deb, root_tar
from stage import ROOT

# What a server that somebody may log in to has; all else comes with the package.
BASE = ("systemd", "systemd-sysv", "dbus", "sudo", "openssh-client", "iproute2", "ca-certificates")
REFUSED = 77
WALK_TIMEOUT_S = 1200


def test_the_short_way_ends_in_a_live_staging(tmp_path):
    root = Root(tmp_path / "root", root_tar("setup", BASE))
    try:
        root.install(kept_deb())
        root.run("apt-get", "install", "-y", "nginx")       # of the later step, webhooks
        root.run("useradd", "--create-home", "--shell", "/bin/bash", "ada")
        (root.path / "etc/sudoers.d/ada").write_text("ada ALL=(ALL) NOPASSWD: ALL\n", "utf-8")
        (root.path / "etc/hostname").write_text("bot\n", "utf-8")
        (root.path / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 bot\n", "utf-8")
        done = subprocess.run([sys.executable, str(ROOT / "tests/targets/inside.py"), sys.executable,
                               str(ROOT / "tests/infra/walk_setup.py"), str(tmp_path)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                              timeout=WALK_TIMEOUT_S, stdin=subprocess.DEVNULL)
    finally:
        root.remove()
    if done.returncode == REFUSED:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-12000:]
    print(done.stdout)
