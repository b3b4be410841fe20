"""Goal: `deploybot-setup rotate` changes a deploy key so that the one in use opens each host at every moment, and the
old one opens none behind it."""
# SPDX-License-Identifier: ISC
import getpass
import os
import subprocess

import pytest

from commands_aid import DEPLOY
from runner_client import PROGRAM
from setup_aid import bench, chat  # noqa: F401  pylint: disable=unused-import


def public(file):
    return subprocess.check_output(["ssh-keygen", "-y", "-f", file], text=True).split()[1]


def let_in(bench):
    """The keys that deploybot has there."""
    lines = (bench.sshd.path / "authorized").read_text("ascii").splitlines()
    return [line.split()[-2] for line in lines if line.endswith(" deploybot")]


def fail_at(bench, name, times):
    """A program of the host fails from the given call on."""
    (bench.host_bin / name).write_text(
        f'#!/bin/bash\necho >>{bench.path}/{name}.calls\n'
        f'(($(wc -l <{bench.path}/{name}.calls) < {times})) && exec /usr/bin/{name} "$@"; exit 1\n')
    (bench.host_bin / name).chmod(0o755)


@pytest.mark.long
def test_a_deploy_key_is_changed_here_and_on_each_host_and_the_old_one_opens_nothing(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    file = bench.folder / "secrets/runner/deploy_key"
    mode, old = file.stat().st_mode, public(file)
    before = bench.files()
    others = [line for line in (bench.sshd.path / "authorized").read_text().splitlines() if old not in line]
    assert let_in(bench) == [old]
    status, said = bench.setup("rotate", "production")
    assert status == 64 and "production is no environment with hosts" in said and bench.files() == before, said
    for words in (("rotate",), ("rotate", "staging")):
        status, said = bench.setup(*words)
        assert status == 0 and "all is there" in said, said
        fresh = public(file)
        assert let_in(bench) == [fresh] and fresh != old and file.stat().st_mode == mode
        left = (bench.sshd.path / "authorized").read_text()
        assert [line for line in left.splitlines() if fresh not in line] == others
        assert f"restrict ssh-ed25519 {fresh} deploybot\n" in left
        assert not (bench.folder / "setup.rotate").exists()
        assert {name: one for name, one in bench.files().items() if name != "secrets/runner/deploy_key"} == {
            name: one for name, one in before.items() if name != "secrets/runner/deploy_key"}
        old = fresh


@pytest.mark.long
def test_behind_a_rotation_the_environments_of_files_of_their_own_are_looked_at(bench):
    """Regression: it looked at staging and production, which there are none of then."""
    assert bench.setup("--answers", bench.answers())[0] == 0
    program = PROGRAM.removesuffix("-runner")
    status, said = bench.run_setup(program, "--env-file", bench.conf, "application", "adopt", "shop")
    assert status == 0, said
    status, said = bench.setup("rotate")
    assert status == 0 and "==> doctor shop/staging, as " in said and "all is there" in said, said


@pytest.mark.long
@pytest.mark.parametrize("times, in_use", [(1, "old"), (2, "new")])
def test_where_a_host_fails_the_key_in_use_opens_it_and_the_same_command_goes_on(bench, times, in_use):
    """At the first change of its file, and at the second."""
    assert bench.setup("--answers", bench.answers())[0] == 0
    file = bench.folder / "secrets/runner/deploy_key"
    old = public(file)
    fail_at(bench, "sync", times)
    status, said = bench.setup("rotate")
    assert status == 69, said
    fresh = [public(path) for path in (bench.folder / "setup.rotate").glob("deploy_key.*") if not path.suffix[1:] in
             ("pub", "old") and not path.name.endswith((".pub", ".old"))]
    assert len(fresh) == 1 and public(file) == (old if in_use == "old" else fresh[0]), said
    assert let_in(bench) == ([old] if in_use == "old" else [old, fresh[0]]), said
    assert ("the old key is still the one in use" if in_use == "old" else "an old one is still let in") in said, said
    (bench.host_bin / "sync").unlink()
    status, said = bench.setup("--anew", "rotate")
    assert status == 0 and let_in(bench) == fresh == [public(file)], said


@pytest.mark.long
def test_behind_a_jump_host_the_key_is_changed_there_too(bench):
    """The jump host lets nobody of ours run anything: who may log in there does it."""
    bench.through_jump()
    jump = f"{getpass.getuser()}@127.0.0.1:{bench.jump_port}"
    prints = f"{bench.fingerprint(bench.jump)},{bench.fingerprint()}"
    answers = bench.answers(SSH_JUMP=jump, SETUP_HOST_KEYS=prints)
    assert bench.setup("--answers", answers)[0] == 0
    file = bench.folder / "secrets/runner/deploy_key"
    old = public(file)
    status, said = bench.setup("--answers", answers, "rotate")
    assert status == 0 and "preparing it as" in said, said
    assert public(file) != old and set(let_in(bench)) == {public(file)}


HOST = """# of the team
restrict ssh-ed25519 AAAAold deploybot
restrict,from="10.0.0.1" ssh-ed25519 AAAAold deploybot-2026
restrict,command="act" ssh-ed25519 AAAAclient acme
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB/+= ada@home"""
CHANGE = f""". {DEPLOY}/setup/rotate-host.sh; getent() {{ echo "x:x:1:1::$HERE:/bin/bash"; }}
user=$(id -un) old='ssh-ed25519 AAAAold' new='ssh-ed25519 AAAA+/new'; $1"""


def test_a_hosts_file_keeps_options_and_other_lines_and_is_never_without_a_key_of_ours(tmp_path):
    (tmp_path / ".ssh").mkdir()
    file = tmp_path / ".ssh/authorized_keys"

    def change(act):
        done = subprocess.run(["bash", "-c", CHANGE, "x", act], env={**os.environ, "HERE": str(tmp_path)}, check=False,
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    assert change("add_key")[0] != 0 and not file.exists()
    file.write_text(HOST, "ascii")
    file.chmod(0o640)
    status, said = change("drop_key")
    assert status != 0 and "the old one stays" in said and file.read_text("ascii") == HOST
    lines = HOST.splitlines()
    for _ in range(2):
        assert change("add_key")[0] == 0
        assert file.read_text("ascii").splitlines() == [
            lines[0], lines[1], "restrict ssh-ed25519 AAAA+/new deploybot", lines[2],
            'restrict,from="10.0.0.1" ssh-ed25519 AAAA+/new deploybot', *lines[3:]]
    for _ in range(2):
        assert change("drop_key")[0] == 0
        assert file.read_text("ascii").splitlines() == [
            lines[0], "restrict ssh-ed25519 AAAA+/new deploybot",
            'restrict,from="10.0.0.1" ssh-ed25519 AAAA+/new deploybot', *lines[3:]]
    assert file.stat().st_mode & 0o777 == 0o640
    file.write_text(lines[3], "ascii")
    status, said = change("add_key")
    assert status != 0 and "has not the key that deploybot has" in said and file.read_text("ascii") == lines[3]
