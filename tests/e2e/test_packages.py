"""Goal: what the targets of the Makefile install opens nothing to the network: no server of those packages is started,
now or at a boot, and one that was there before stays as it is."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "tools/packages.sh"
STAND_INS = {
    "dpkg-query": """case "$*" in *libcurl*) echo 7.88 ;; *" $THERE") echo installed ;; *) exit 1 ;; esac""",
    "apt-get": """case "$*" in *install*)
        [ ! -e "$POLICY_RC_D" ] || { sh "$POLICY_RC_D"; echo "policy $?" >>"$SAID"; }
        echo "install $*" >>"$SAID"; exit "$APT" ;; esac""",
    "systemctl": """[ "$1" != is-enabled ] || exit 1; echo "$*" >>"$SAID" """,
    "sudo": """while [ "${1#-}" != "$1" ]; do shift; done; exec "$@" """,
}
NO_SERVERS = {"systemd", "systemd-container", "logrotate", "sudo"}
OURS = "#!/bin/sh\n# packages.sh: no service is started by what it installs.\nexit 101\n"
FOREIGN = "#!/bin/sh\nexit 0\n"


@pytest.fixture(name="install")
def fixture_install(tmp_path):
    """Runs it for a group; what it did, and whether the policy is there afterwards."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in STAND_INS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        (folder / name).chmod(0o755)
    policy, said = tmp_path / "policy-rc.d", tmp_path / "said"

    def run(group, *, there="none", apt=0):
        said.write_text("", "utf-8")
        done = subprocess.run([SCRIPT, group], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": f"{folder}:{os.environ['PATH']}", "POLICY_RC_D": str(policy),
                                   "SAID": str(said), "THERE": there, "APT": str(apt)})
        return done.returncode, said.read_text("utf-8").splitlines(), done.stderr

    run.policy = policy
    return run


def test_servers_of_a_group_are_not_started_and_not_at_a_boot(install):
    status, did, said = install("bench")
    assert status == 0, said
    assert did[0] == "policy 101" and " webhook " in did[1]
    assert did[2:] == ["disable -q webhook.service", "disable -q nginx.service"]
    assert "not started, nor at a boot: webhook nginx" in said
    assert not install.policy.exists()


def test_a_server_that_was_there_stays_as_it_is(install):
    status, did, _ = install("bench", there="nginx")
    assert status == 0 and did[2:] == ["disable -q webhook.service"]


def test_a_failed_installation_leaves_no_policy(install):
    status, did, said = install("bench", apt=100)
    assert status == 1 and len(did) == 2, said
    assert not install.policy.exists()


def test_a_policy_of_the_machine_is_asked_and_stays(install):
    install.policy.write_text(FOREIGN, "utf-8")
    status, did, _ = install("bench")
    assert status == 0 and did[0] == "policy 0" and install.policy.read_text("utf-8") == FOREIGN


def test_one_that_a_killed_run_has_left_goes(install):
    install.policy.write_text(OURS, "utf-8")
    status, did, _ = install("bench")
    assert status == 0 and did[0] == "policy 101" and not install.policy.exists()


@pytest.mark.parametrize("group", ["test", "targets", "infra", "bench"])
def test_each_server_among_the_packages_is_known(group):
    """A package that brings a unit which listens stands in the table: asked of those that are installed here."""
    text = SCRIPT.read_text("utf-8")
    names = next(line for line in text.splitlines() if line.startswith(f"\t[{group}]=")).split('"')[1].split()
    for name in names:
        files = subprocess.run(["dpkg", "-L", name, f"{name}-common"], capture_output=True, text=True,
                               check=False).stdout
        units = {pathlib.Path(file).name for file in files.splitlines() if "/systemd/system/" in file
                 and file.endswith(".service") and "@" not in file}
        if name not in NO_SERVERS:
            assert not units or f"[{name}]=" in text, (name, units)
