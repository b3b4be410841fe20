"""Goal: docs/INSTALLATION.md is true to the letter: its commands, typed in its order on a bare Debian, end in a
production that is live; and what docs/OPERATIONS.md says of backups, upgrades and rotation. What apt installs is
fetched here; all after that is played by walk_installation.py, among hosts, a registry and a git server that have no
way out."""
# SPDX-License-Identifier: ISC
import pathlib
import subprocess
import sys

import pytest

from infra_aid import BUILD_TIMEOUT_S, Root, clean_environment, copy_sources, root_tar, run, say
from page_aid import blocks, packages
from stage import ROOT

PAGE = "INSTALLATION.md"
# What a server that somebody may log in to has.  What section 3 needs it installs itself.
BASE = ("systemd", "systemd-sysv", "dbus", "sudo", "openssh-client", "iproute2", "ca-certificates")
REFUSED = 77
WALK_TIMEOUT_S = 1800


def install(root, way):
    """Section 3, one way through it, typed by a user who may sudo."""
    root.run("useradd", "--create-home", "--shell", "/bin/bash", "ada")
    (root.path / "etc/sudoers.d/ada").write_text("ada ALL=(ALL) NOPASSWD: ALL\n", "utf-8")
    (root.path / "etc/hostname").write_text("bot\n", "utf-8")
    (root.path / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 bot\n", "utf-8")
    (root.path / "etc/resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text("utf-8"), "utf-8")
    source = root.path / "srv" / "deploybot"
    copy_sources(source)
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "commit",
                                                  "-q", "-m", "all")):
        run(["git", "-C", source, *words], env=clean_environment())
    run(["chown", "-R", root.run("id", "-u", "ada").stdout.strip(), source])
    typed = [block for block in blocks(PAGE) if block.is_run and block.where == way and "booted" not in block.options]
    assert typed, f"the page has no commands for the way {way}"
    for block in typed:
        say(f"{PAGE}:{block.line}, {way}")
        script = "set -eo pipefail\n" + block.text.replace("https://github.com/OWNER/deploybot", "/srv/deploybot")
        root.run("runuser", "-l", "ada", "-c", script, timeout=BUILD_TIMEOUT_S)


@pytest.mark.parametrize("way", ["deb", "source"])
def test_followed_to_the_letter_it_ends_in_a_live_production(way, tmp_path):
    later = packages(block for block in blocks(PAGE) if block.where == "machine")
    root = Root(tmp_path / "root", root_tar("installation", (*BASE, *later)))
    try:
        install(root, way)
        done = subprocess.run([sys.executable, str(ROOT / "tests/targets/inside.py"), sys.executable,
                               str(ROOT / "tests/infra/walk_installation.py"), str(tmp_path), way],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              check=False, timeout=WALK_TIMEOUT_S, stdin=subprocess.DEVNULL)
    finally:
        root.remove()
    if done.returncode == REFUSED:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-12000:]
    print(done.stdout)
