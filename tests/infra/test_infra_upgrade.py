"""Goal: a package that was installed before is upgraded in place on a running systemd host, with a deployment in
progress: nothing asks, nothing is lost, and the next deployment goes live. 0.1.0 itself had no package."""
# SPDX-License-Identifier: ISC
import re
import shutil

import pytest

import infra_aid
from host_aid import BASE, PATIENCE_S, UNITS, Host
from infra_aid import BUILD_TIMEOUT_S, KEPT, ROOT, clean_environment, kept_deb, run
from stage import get, wait_until
from telegram_client import ADA, text_of

# Of tests/fixtures: what was installed somewhere and had a package.
OLD = ("8e78ade", "3adc366")
NEWER = "99.0"      # than each of them by name: their versions are counted from 0.1.0


def old_deb(commit):
    """Of the history, built once."""
    kept = KEPT / "deb" / f"old-{commit}"
    for path in kept.glob("deploybot_*.deb"):
        return path
    if run(["git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}"], check=False).returncode != 0:
        pytest.skip(f"the history has no {commit}: a tarball, or a shallow clone")
    infra_aid.say(f"make deb of {commit}")
    tree = KEPT / "build" / f"old-{commit}"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    run(["bash", "-c", 'git -C "$0" archive "$1" | tar -xC "$2"', ROOT, commit, tree])
    run(["make", "deb", "VERSION=0.1.0"], BUILD_TIMEOUT_S, cwd=tree, env=clean_environment())
    kept.mkdir(parents=True)
    made, = (tree / "build" / "deb").glob("deploybot_*.deb")
    shutil.copy2(made, kept)
    shutil.rmtree(tree)
    return kept / made.name


class OldHost(Host):
    """The same machine with an earlier package, whose units and settings are fewer."""

    def start(self):
        there = [unit for unit in UNITS if self.machine.root.exists(f"/lib/systemd/system/{unit}")]
        self.machine.run("systemctl", "enable", "--now", *there)
        self.wait_ready()

    def settings(self):
        known = self.machine.run("cat", "/etc/deploybot/deploybot.conf").stdout
        return {name: value for name, value in super().settings().items()
                if re.search(f"(?m)^#?{name}=", known)}


@pytest.mark.parametrize("commit", OLD)
def test_a_package_of_before_is_upgraded_under_a_deployment_and_the_next_one_goes_live(commit, tmp_path):
    with OldHost(tmp_path, old_deb(commit)) as host:
        host.configure()
        host.start()
        host.make_builds_wait()
        before = host.machine.run("sha256sum", "/etc/deploybot/deploybot.conf").stdout
        newer = host.machine.give(kept_deb(NEWER), "newer.deb")
        with host.held_deployment() as mark:
            host.machine.run("dpkg", "-i", newer, timeout=300)
            host.wait_ready()
            assert f'version="{NEWER}"' in get(BASE + "/metrics")[1]
            assert host.machine.run("sha256sum", "/etc/deploybot/deploybot.conf").stdout == before
        end = host.chat.wait_for_message(
            lambda view: re.search("Live: |[Ff]ailed|[Ii]nterrupted|[Uu]nknown|not known", text_of(view)),
            PATIENCE_S, ADA, mark)
        print(f"--- {commit}: {text_of(end)}")
        wait_until(lambda: not host.builds(), PATIENCE_S, "the end of what was in progress")
        host.deploy()
        assert host.app()[0] == 200
        done = host.machine.run("runuser", "-u", "deploybot", "--", "deploybot", "--env-file",
                                "/etc/deploybot/deploybot.conf", "audit", "verify")
        assert "ok" in done.stdout.lower(), done.stdout
