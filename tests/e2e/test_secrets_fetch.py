"""Goal: `deploybot secrets fetch` runs each NAME_COMMAND of the settings file as root, keeps what it prints for the one
user that reads it, and runs nothing that others than root could have changed."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import pwd
import shutil
import stat
import subprocess

import pytest

from runner_client import PROGRAM
from stage import ROOT

SERVER, RUNNER = "daemon", "nobody"     # two users that every Debian has
DEPLOYBOT = pathlib.Path(PROGRAM).with_name("deploybot")
TOKEN = "canary-of-a-command_7Rq2Wn9Kd4Lp6Vz1"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Bench:
    def __init__(self, folder):
        self.folder, self.conf, self.made = folder, folder / "deploybot.conf", folder / "run"
        self.said = ""

    def command(self, name, script):
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)
        return str(path)

    def settings(self, **lines):
        self.conf.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        self.conf.chmod(0o640)

    def words(self):
        return [str(DEPLOYBOT), "--env-file", str(self.conf), "secrets", "fetch", "--folder", str(self.made),
                "--users", f"{SERVER},{RUNNER}"]

    def fetch(self, user=None, environment=None):
        done = subprocess.run(self.words(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False, user=user, cwd="/", env=environment)
        self.said = done.stdout + done.stderr
        assert TOKEN not in self.said
        return done.returncode

    def value(self, side, name):
        return (self.made / side / name).read_text()

    def read(self, name, *words):
        """As that user, from the folder itself: nobody gets through pytest's own."""
        return subprocess.run(words, cwd=self.made, user=name, group=pwd.getpwnam(name).pw_gid, extra_groups=[],
                              capture_output=True, check=False).returncode

    def mode(self, *parts):
        found = self.made.joinpath(*parts).lstat()
        return stat.S_IMODE(found.st_mode), pwd.getpwuid(found.st_uid).pw_name


@pytest.fixture(name="bench")
def fixture_bench(tmp_path):
    return Bench(tmp_path)


def test_each_is_kept_for_the_one_user_that_reads_it(bench):
    bench.settings(
        GITHUB_WEBHOOK_SECRET_COMMAND=f'"{bench.command("github", f"echo {TOKEN}")}"',
        HOOK_BUILD_DONE_SECRET_COMMAND=f'"{bench.command("hook", "echo $1-$2-is-long-enough")} a $HOME;id"',
        STAGING_REGISTRY_PASSWORD_COMMAND=bench.command("password", "printf correct-horse-battery"),
        NGINX_RELOAD_COMMAND="/bin/false")
    assert bench.fetch() == 0, bench.said
    assert bench.value("server", "GITHUB_WEBHOOK_SECRET") == TOKEN
    assert bench.value("server", "HOOK_BUILD_DONE_SECRET") == "a-$HOME;id-is-long-enough", "no shell reads it"
    assert bench.value("runner", "STAGING_REGISTRY_PASSWORD") == "correct-horse-battery"
    assert bench.mode() == (0o711, "root")
    for side, name in (("server", SERVER), ("runner", RUNNER)):
        assert bench.mode(side) == (0o710, "root"), side
        assert (bench.made / side).stat().st_gid == pwd.getpwnam(name).pw_gid
        assert bench.read(name, "cat", f"{side}/{os.listdir(bench.made / side)[0]}") == 0
    assert bench.mode("server", "GITHUB_WEBHOOK_SECRET") == (0o400, SERVER)
    assert bench.mode("runner", "STAGING_REGISTRY_PASSWORD") == (0o400, RUNNER)
    for name, side in ((RUNNER, "server"), (SERVER, "runner"), (SERVER, "server")):
        assert bench.read(name, "ls", side) != 0, f"{name} sees what is in {side}"


def test_a_private_key_is_kept_whole_for_the_runner_and_nothing_else_is_taken_for_one(bench):
    key = bench.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "deploybot", "-f", key], check=True)
    program = bench.command("print", f"cat {key}")
    names = ["SSH_KEY", "REPOSITORY_KEY", "CLIENT_ACME_SSH_KEY", "STAGING_SSH_KEY"]
    bench.settings(**{f"{name}_COMMAND": program for name in names})
    assert bench.fetch() == 0, bench.said
    for name in names:
        assert bench.value("runner", name) == key.read_text() and bench.mode("runner", name) == (0o400, RUNNER)
    before = (bench.made / "runner/SSH_KEY").stat().st_ino
    bench.command("print", f"head -c -1 {key}")    # command substitution takes the last newline; ssh needs it
    assert bench.fetch() == 0 and (bench.made / "runner/SSH_KEY").stat().st_ino == before, bench.said
    for script, said in ((f"ssh-keygen -y -f {key}", "it printed no private key"),
                         (f"head -n 3 {key}", "it printed no private key"), ("true", "it printed nothing"),
                         (f"tail -n +2 {key}", "it printed no private key"),
                         (f"tr '\\n' '\\r' <{key}", "it printed what is in no private key")):
        bench.command("print", script)
        assert bench.fetch() == 0 and f"SSH_KEY_COMMAND: {said}" in bench.said, (script, bench.said)
        assert bench.value("runner", "SSH_KEY") == key.read_text(), script


def test_what_is_the_same_is_not_written_and_what_has_no_command_goes(bench):
    both = {"GITHUB_WEBHOOK_SECRET_COMMAND": bench.command("one", f"echo {TOKEN}"),
            "FORGE_WEBHOOK_SECRET_COMMAND": bench.command("two", f"echo {TOKEN}x")}
    bench.settings(**both)
    assert bench.fetch() == 0, bench.said
    before = (bench.made / "server/GITHUB_WEBHOOK_SECRET").stat().st_ino
    both.pop("FORGE_WEBHOOK_SECRET_COMMAND")
    bench.settings(**both)
    assert bench.fetch() == 0, bench.said
    assert (bench.made / "server/GITHUB_WEBHOOK_SECRET").stat().st_ino == before
    assert os.listdir(bench.made / "server") == ["GITHUB_WEBHOOK_SECRET"]
    bench.command("one", f"echo {TOKEN}new")
    assert bench.fetch() == 0, bench.said
    assert bench.value("server", "GITHUB_WEBHOOK_SECRET") == TOKEN + "new"


@pytest.mark.parametrize("script, said", [
    ("exit 3", "it failed (status 3)"), (f"echo {TOKEN} >&2; exit 1", "it failed"), ("true", "it printed nothing"),
    (f"printf '{TOKEN}\\0x'", "it printed a NUL byte"), ("echo short", "what it printed: "),
    ("yes | head -c 20000", "it printed more than 16384 bytes"), ("kill -9 $$", "it was ended by signal 9")])
def test_what_goes_wrong_is_said_and_what_was_there_stays(bench, script, said):
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=bench.command("one", script))
    assert bench.fetch() == 75 and f"GITHUB_WEBHOOK_SECRET_COMMAND: {said}" in bench.said, bench.said
    assert not (bench.made / "server/GITHUB_WEBHOOK_SECRET").exists()
    bench.command("one", f"echo {TOKEN}")
    assert bench.fetch() == 0, bench.said
    bench.command("one", script)
    assert bench.fetch() == 0 and "the value that was fetched before stays" in bench.said
    assert bench.value("server", "GITHUB_WEBHOOK_SECRET") == TOKEN


def test_nothing_runs_where_others_than_root_could_change_what_runs(bench):
    ran = bench.folder / "ran"
    program = bench.command("one", f"touch {ran}; echo {TOKEN}")
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=program)
    os.chown(program, pwd.getpwnam(SERVER).pw_uid, -1)
    assert bench.fetch() == 75 and "others than root could replace what it runs" in bench.said, bench.said
    os.chown(program, 0, -1)
    os.chmod(program, 0o775)
    assert bench.fetch() == 75 and "may be written by others" in bench.said, bench.said
    os.chmod(program, 0o755)
    bench.conf.chmod(0o660)
    assert bench.fetch() == 78 and "root takes no settings that somebody else may write" in bench.said, bench.said
    bench.conf.chmod(0o640)
    os.chown(bench.folder, pwd.getpwnam(SERVER).pw_uid, -1)
    assert bench.fetch() == 78, bench.said
    os.chown(bench.folder, 0, -1)
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND="one")
    assert bench.fetch() == 75 and "expected the absolute path of a program" in bench.said, bench.said
    assert not ran.exists()


def test_a_script_that_others_could_replace_is_not_run(bench):
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=bench.command("token", f"echo {TOKEN}"))
    copy = bench.folder / "copy"
    (copy / "deploy").mkdir(parents=True)
    program, script = copy / "deploybot", copy / "deploy/secrets.sh"
    shutil.copy(DEPLOYBOT, program)
    shutil.copy(ROOT / "deploy/secrets.sh", script)
    words = [str(program), *bench.words()[1:]]
    for mode, status in ((0o755, "ok: 1 secret"), (0o777, "others than root could replace what is run")):
        script.chmod(mode)
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, cwd="/")
        assert status in done.stdout + done.stderr, done


def test_a_folder_that_a_user_has_prepared_leads_nowhere(bench):
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=bench.command("one", f"echo {TOKEN}"))
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    bench.made.symlink_to(elsewhere)
    assert bench.fetch() == 75 and os.listdir(elsewhere) == [], bench.said
    bench.made.unlink()
    bench.made.mkdir()
    os.chown(bench.made, pwd.getpwnam(SERVER).pw_uid, -1)
    assert bench.fetch() == 75 and "is not root's alone" in bench.said, bench.said
    bench.made.rmdir()
    assert bench.fetch() == 0, bench.said
    # Until 0.2.0 it was its own: what it has put there is in nobody's way, and it puts nothing there any more.
    kept = bench.made / "server/GITHUB_WEBHOOK_SECRET"
    kept.unlink()
    for name in (".GITHUB_WEBHOOK_SECRET.new", "GITHUB_WEBHOOK_SECRET"):
        (bench.made / "server" / name).symlink_to(elsewhere / "file")
    (bench.made / "server/deep/er").mkdir(parents=True)
    os.chown(bench.made / "server", pwd.getpwnam(SERVER).pw_uid, -1)
    (bench.made / "server").chmod(0o700)
    assert bench.fetch() == 0, bench.said
    assert not kept.is_symlink() and kept.read_text() == TOKEN and os.listdir(elsewhere) == []
    assert bench.mode("server") == (0o710, "root") and os.listdir(kept.parent) == [kept.name]
    (bench.made / "runner").rmdir()
    (bench.made / "runner").symlink_to(elsewhere)
    assert bench.fetch() == 0 and os.listdir(elsewhere) == [], "nothing is fetched for it"


def test_nothing_of_the_environment_runs_or_shows_a_secret(bench):
    """bash reads more of it than a program does; nor is a value in an argument or a variable."""
    ran = bench.folder / "ran"
    aid = bench.command("aid", f"touch {ran}")
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=bench.command(
        "one", f"echo {TOKEN}; tr '\\0' '\\n' </proc/$PPID/environ >{bench.folder}/seen"))
    assert bench.fetch(environment={"PATH": os.environ["PATH"], "BASH_ENV": aid, "ENV": aid, "SHELLOPTS": "xtrace",
                                    "BASH_FUNC_id%%": f"() {{ {aid}; }}", "VAULT_ADDR": "https://vault"}) == 0
    assert not ran.exists() and "+ " not in bench.said, bench.said
    assert "VAULT_ADDR=https://vault" in (bench.folder / "seen").read_text(), "what the command is to find is there"


def test_two_at_once_mix_nothing_up(bench):
    """Each of the two units fetches before it starts."""
    names = [f"HOOK_H{n}_SECRET" for n in range(6)]
    bench.settings(**{f"{name}_COMMAND": bench.command(name, f"echo of-{name}-and-long-enough") for name in names})
    both = [subprocess.Popen(bench.words(), cwd="/") for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert [bench.value("server", name) for name in names] == [f"of-{name}-and-long-enough" for name in names]


def test_only_root_fetches(bench):
    bench.settings(GITHUB_WEBHOOK_SECRET_COMMAND=bench.command("one", f"echo {TOKEN}"))
    if subprocess.run(["test", "-x", DEPLOYBOT], user=SERVER, check=False).returncode != 0:
        pytest.skip("another user cannot run the program from there")
    assert bench.fetch(user=SERVER) == 77 and "runs as root" in bench.said, bench.said


def check_config(bench, **lines):
    bench.settings(TELEGRAM_BOT_TOKEN="7000000001:AAF-demo_token_of_the_stand-in_0123456789", ADMIN_TELEGRAM_IDS=1,
                   GITHUB_REPOSITORY="o/r", STATE_DIRECTORY=bench.folder, **lines)
    return subprocess.run([str(DEPLOYBOT), "--env-file", str(bench.conf), "check-config"], capture_output=True,
                          text=True, check=False, timeout=60, env={"PATH": os.environ["PATH"]}, cwd="/").stderr


def test_the_settings_say_what_is_wrong_with_a_command(bench):
    said = check_config(bench, GITHUB_WEBHOOK_SECRET_COMMAND="/bin/echo x")
    assert "GITHUB_WEBHOOK_SECRET_COMMAND: set GITHUB_WEBHOOK_SECRET_FILE=/run/deploybot/secrets/server/" \
           "GITHUB_WEBHOOK_SECRET too" in said, said
    assert "expected the absolute path" in check_config(bench, GITHUB_WEBHOOK_SECRET_COMMAND="echo x")
    apps = bench.folder / "apps"
    apps.mkdir()
    (apps / "shop.env").write_text("GITHUB_REPOSITORY=o/shop\nGITHUB_WEBHOOK_SECRET_COMMAND=/bin/echo\n")
    said = check_config(bench)
    assert "GITHUB_WEBHOOK_SECRET_COMMAND: stands in the settings file alone" in said, said
