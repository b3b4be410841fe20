"""Goal: the short way of docs/INSTALLATION.md is true on a bare Debian: apt-get of the package that `make deb` made,
`deploybot-setup` at a terminal, and /deploy staging in the chat ends in a release that is live. What apt installs is
fetched here; all after that is played by walk_setup.py, among hosts, a registry and a repository without a way out."""
# SPDX-License-Identifier: ISC
import pathlib
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


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_bare_host_gets_engine_user_key_and_folder_and_keeps_them(suite, tmp_path):
    """What deploybot-setup sends to a host, or prints to be pasted there, where no container engine is."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
    block = f"user=deploy key={key!r} dir=/srv/app port=8080 inside=8080 addresses=\n" + \
        (ROOT / "deploy/setup/prepare-host.sh").read_text("utf-8") + "prepare_host\n"
    root = Root(tmp_path / "root", root_tar("clean") if suite == "bookworm" else root_tar(suite, ("apt",), suite))
    try:
        (root.path / "etc/resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text("utf-8"), "utf-8")
        said = root.run("bash", "-c", block).stdout
        assert "done: installed docker.io docker-compose" in said and said.endswith("\nprepared\n"), said
        home = root.run("bash", "-c", "echo ~deploy").stdout.strip()
        assert {"deploy", "docker"} == set(root.run("id", "-nG", "deploy").stdout.split())
        assert root.stat(f"{home}/.ssh/authorized_keys") == "600 deploy deploy"
        assert root.run("cat", f"{home}/.ssh/authorized_keys").stdout == f"restrict {key} deploybot\n"
        assert root.stat("/srv/app/docker-compose.yml").endswith(" deploy deploy")
        shown = root.run("bash", "-c", "docker --version && cd /srv/app && "
                                       "{ docker-compose config || docker compose config; }",
                         DEPLOY_IMAGE="registry.example.org/app:1").stdout
        assert "registry.example.org/app:1" in shown and "8080" in shown, shown
        look = ("bash", "-c", "find /srv/app ~deploy -type f -exec sha256sum {} +; id deploy; "
                              "stat -c %Y /var/lib/dpkg/status")
        before = root.run(*look).stdout
        said = root.run("bash", "-c", block).stdout.splitlines()
        assert said[-1] == "prepared" and all(line.startswith("kept: ") for line in said[:-1]) and len(said) == 5, said
        assert root.run(*look).stdout == before
    finally:
        root.remove()
