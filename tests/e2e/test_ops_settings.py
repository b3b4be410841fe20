"""Goal: settings are right or refused whole, in one clear line each; what changes is adopted when all
of it is valid, reported, and audited."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import pytest

from namespace_aid import MOUNTS, need
from ops_aid import (lines_of, write_env, WAIT_S, bare, bare_settings, check_stop, post_github, request, sign,
                     wait_audit)
from stage import GITHUB_SECRET, ROOT, Deploybot, wait_until
from telegram_client import ADA, CARL, DEFAULT_TOKEN

PING = b'{"zen":"x","repository":{"full_name":"orchard/shop"}}'


def refused(bot):
    """The lines that name what is wrong, the same from check-config and from serve, which may do without a file."""
    checked = bot.run("check-config")
    assert checked.returncode == 78, checked
    bot.start(wait=False)
    assert bot.process.wait(WAIT_S) == 78
    no_file, *rest = checked.stderr.splitlines()
    assert no_file.startswith("error    no settings file was read: "), no_file
    lines = [x for x in rest if x.startswith("error")]
    for line in lines:
        assert line in bot.log(), line
    return lines


def test_nothing_set_names_all_that_is_required_and_no_more(tmp_path):
    lines = refused(Deploybot(tmp_path, {"API_SERVER_PORT": "1"}))
    assert len(lines) >= 2
    for name in ("TELEGRAM_BOT_TOKEN", "ADMIN_TELEGRAM_IDS"):
        assert len([x for x in lines if name in x]) == 1, lines
    assert not any("WEBHOOK_SECRET" in x for x in lines)


def test_what_is_refused_ends_with_why(tmp_path):
    """Regression: a warning stood last, which is all that `docker ps` and `docker logs --tail 1` show of a start."""
    same = "http://127.0.0.1:1/"
    bot = bare(tmp_path, HEALTH_CHECK_RETRIES="many", STAGING_HEALTH_URL=same, PRODUCTION_HEALTH_URL=same)
    refused(bot)
    said = bot.log().splitlines()
    assert any(line.startswith("warning") for line in said), said
    assert said[-1].startswith("error") and "HEALTH_CHECK_RETRIES" in said[-1], said


def test_webhook_mode_needs_its_secret(tmp_path):
    lines = refused(bare(tmp_path, TELEGRAM_WEBHOOK_SECRET=None))
    assert len(lines) == 1 and "TELEGRAM_WEBHOOK_SECRET" in lines[0]


WRONG = {"API_SERVER_PORT": "70000", "ADMIN_TELEGRAM_IDS": "ada", "TELEGRAM_API_BASE": "ftp://x",
         "HEALTH_CHECK_RETRIES": "0", "LOG_LEVEL": "LOUD", "STATE_DIRECTORY": "relative",
         "GITHUB_WEBHOOK_SECRET": "short", "ENVIRONMENTS": "Staging!", "RUN_LOG_LIMIT": "2 apples",
         "LISTEN_ADDRESS": "example.com", "REPOSITORY_URL": "ext::sh -c x",
         "ENABLE_TELEMETRY": "perhaps", "STAGING_HEALTH_URL": "file:///etc/passwd"}


def test_everything_that_is_wrong_is_named_at_once_one_line_each(tmp_path):
    lines = refused(bare(tmp_path, **{**WRONG, "ENVIRONMENTS": None}))
    for name in WRONG:
        if name != "ENVIRONMENTS":
            assert len([x for x in lines if name in x]) == 1, (name, lines)
    assert not (tmp_path / "state").exists() and not (tmp_path / "relative").exists()


@pytest.mark.parametrize("name", sorted(WRONG))
def test_each_wrong_value_is_refused_with_its_name(tmp_path, name):
    bot = bare(tmp_path, **{name: WRONG[name]})
    found = bot.run("check-config")
    assert found.returncode == 78 and name in found.stderr, found


@pytest.mark.parametrize("secret", ["changeme", "x" * 15, "your-secret-here", "secret"])
def test_a_secret_that_is_none_is_refused_and_not_repeated(tmp_path, secret):
    found = bare(tmp_path, GITHUB_WEBHOOK_SECRET=secret).run("check-config")
    assert found.returncode == 78 and "GITHUB_WEBHOOK_SECRET" in found.stderr
    if secret not in ("secret", "changeme"):
        assert secret not in found.stderr + found.stdout


def test_a_short_secret_is_warned_of(tmp_path):
    found = bare(tmp_path, GITHUB_WEBHOOK_SECRET="0123456789abcdefXYZ").run("check-config")
    assert found.returncode == 0 and "GITHUB_WEBHOOK_SECRET" in found.stderr
    assert "warning" in found.stderr and "0123456789abcdefXYZ" not in found.stderr + found.stdout


def test_an_unknown_name_in_env_is_a_warning_with_the_nearest(tmp_path):
    write_env(tmp_path, lines_of(bare_settings(tmp_path)) + "TELEGRAM_BOT_TOKN=x\n")
    found = Deploybot(tmp_path, {"API_SERVER_PORT": "1"}).run("check-config")
    assert found.returncode == 0
    line = next(x for x in found.stderr.splitlines() if "TELEGRAM_BOT_TOKN" in x)
    assert line.startswith("warning") and "TELEGRAM_BOT_TOKEN" in line


def test_the_environment_wins_over_the_file_and_env_file_chooses_it(tmp_path):
    settings = bare_settings(tmp_path)
    write_env(tmp_path, lines_of({**settings, "ADMIN_TELEGRAM_IDS": "1,2,3"}), name="other.env")
    bot = Deploybot(tmp_path, {"API_SERVER_PORT": settings["API_SERVER_PORT"]})
    found = bot.run("--env-file", "other.env", "check-config")
    assert found.returncode == 0 and "3 admins" in found.stdout, found
    bot.settings["ADMIN_TELEGRAM_IDS"] = "1,2"
    assert "2 admins" in bot.run("--env-file=other.env", "check-config").stdout
    missing = bot.run("--env-file", "missing.env", "check-config")
    assert missing.returncode == 78
    assert "missing.env: No such file or directory: put it there, for user " in missing.stderr
    assert "run this as" not in missing.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_settings_that_are_another_users_are_read_with_sudo(tmp_path):
    (tmp_path / "deploybot.conf").touch(mode=0o600)
    program = Deploybot(tmp_path, {"API_SERVER_PORT": "1"}).build / "deploybot"
    done = subprocess.run(["setpriv", "--reuid=12345", "--clear-groups", program, "--env-file",
                           tmp_path / "deploybot.conf", "check-config"], capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert ("Permission denied: run this as the server's user (sudo -u deploybot deploybot),"
            " or let user 12345 read it") in done.stderr + done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("user, name, secret, remedy", [
    (123, "deploybot", False, "its group has to be the server's: sudo chown root:deploybot {0}; sudo chmod 0640 {0}"),
    (123, "deploybot", True, "it has to be the server's: sudo chown deploybot {0}"),
    (124, "deploybot-runner", True, "run this as the server's user (sudo -u deploybot deploybot)"),
    (10001, "deploybot", True, "or let user 10001 read it")])  # of an image, where there is no sudo
def test_what_the_servers_own_user_may_not_read_has_a_remedy_to_type(tmp_path, user, name, secret, remedy):
    need(*MOUNTS)
    folder = pathlib.Path(tempfile.mkdtemp())  # others may not enter tmp_path
    folder.chmod(0o755)
    path = folder / "closed"
    path.touch(mode=0o600)
    (tmp_path / "passwd").write_text(f"{name}:x:{user}:{user}::/:/bin/sh\n", encoding="ascii")
    settings = {**bare_settings(tmp_path), "TELEGRAM_BOT_TOKEN": None, "TELEGRAM_BOT_TOKEN_FILE": str(path)}
    (folder / "all.conf").write_text(lines_of({k: v for k, v in settings.items() if v is not None}), encoding="ascii")
    program = Deploybot(tmp_path, {"API_SERVER_PORT": "1"}).build / "deploybot"
    done = subprocess.run(
        [*MOUNTS, "sh", "-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh",
         tmp_path / "passwd", "setpriv", f"--reuid={user}", "--clear-groups", program, "--env-file",
         folder / "all.conf" if secret else path, "check-config"], capture_output=True, text=True, check=False)
    shutil.rmtree(folder)
    assert done.returncode == 78
    assert "Permission denied: " in done.stderr + done.stdout
    assert remedy.format(path) in done.stderr + done.stdout
    assert ("or let user" in done.stderr + done.stdout) == (user == 10001)  # the runner gets no secret of the server's


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_secret_of_roots_in_the_servers_folder_has_the_right_remedy(tmp_path):
    """Typed by root: who is to read it, and cannot."""
    folder = tmp_path / "server"
    folder.mkdir(mode=0o700)
    (folder / "token").write_text(DEFAULT_TOKEN + "\n", encoding="ascii")
    (folder / "token").chmod(0o600)
    shutil.chown(folder, "www-data")
    bot = bare(tmp_path, TELEGRAM_BOT_TOKEN=None, TELEGRAM_BOT_TOKEN_FILE=str(folder / "token"))
    line, = (line for line in bot.run("doctor").stdout.splitlines() if line.endswith(f"chown www-data {folder}/token"))
    assert line.startswith("error ") and "user www-data, whose folder it is in, cannot read it: " in line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("command", ["doctor", "check-config"])
def test_typed_by_root_settings_and_a_database_that_the_servers_user_may_not_read_are_errors(tmp_path, command):
    """Root reads all: what is sound for root alone keeps the server from its start."""
    log = tmp_path / "log"
    log.mkdir()
    conf = write_env(tmp_path, lines_of(bare_settings(tmp_path, AUDIT_LOG_PATH=str(log / "audit.log"))))
    database = tmp_path / "state" / "deploybot.db"
    database.parent.mkdir()
    database.touch(mode=0o600)
    bot = Deploybot(tmp_path, {"API_SERVER_PORT": "1"})

    def said(*named):
        done = bot.run(*named, command)
        return [line for line in (done.stdout + done.stderr).splitlines() if "as whom the server runs" in line]
    assert not said()                                           # root's own server
    shutil.chown(log, "www-data")
    unread, unopened = said()
    assert unread == ("error    .env: user www-data, as whom the server runs, may not read it:"
                      " chown root:www-data .env; chmod 0640 .env")
    assert not said("--env-file", str(conf))                    # a draft, as deploybot-setup has it
    assert unopened.endswith(f"deploybot.db: user www-data, as whom the server runs, may not open it:"
                             f" chown www-data: {database}")
    shutil.chown(conf, "root", "www-data")
    conf.chmod(0o640)
    shutil.chown(database, "www-data")
    assert not said()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_database_that_is_anothers_is_said_with_the_user_who_has_to_have_it():
    folder = pathlib.Path(tempfile.mkdtemp())  # others may not enter tmp_path
    folder.chmod(0o755)
    conf = write_env(folder, lines_of(bare_settings(folder, AUDIT_LOG_PATH=str(folder / "state" / "audit.log"))), 0o644)
    (folder / "state").mkdir()
    (folder / "state" / "deploybot.db").touch(mode=0o600)
    os.chown(folder / "state", 123, 123)
    program = Deploybot(folder, {"API_SERVER_PORT": "1"}).build / "deploybot"
    serve, doctor = (subprocess.run(
        ["setpriv", "--reuid=123", "--clear-groups", program, "--env-file", conf, word], cwd=folder,
        capture_output=True, text=True, timeout=60, check=False) for word in ("serve", "doctor"))
    shutil.rmtree(folder)
    assert "deploybot.db: user 123 may not: chown it to that user" in serve.stderr, serve
    assert ("deploybot.db: user 123 may not: run doctor as the service's user; where that is this one,"
            " chown the file\n") in doctor.stdout, doctor


def test_a_secret_is_read_from_the_file_that_name_file_names(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(DEFAULT_TOKEN + "\n", encoding="ascii")
    secret.chmod(0o600)
    bot = bare(tmp_path, TELEGRAM_BOT_TOKEN=None, TELEGRAM_BOT_TOKEN_FILE=str(secret))
    assert bot.run("check-config").returncode == 0
    bot.start()
    check_stop(bot)
    missing = bare(tmp_path, TELEGRAM_BOT_TOKEN=None, TELEGRAM_BOT_TOKEN_FILE="/nowhere")
    assert missing.run("check-config").returncode == 78


@pytest.mark.parametrize("text", ["NAME", "A B=1\n", "X='open\n", "X=1\nX=2\n", "X=\"\\q\"\n", "A\0=1\n"])
def test_a_file_that_cannot_be_read_is_refused_with_its_line(tmp_path, text):
    write_env(tmp_path, lines_of(bare_settings(tmp_path)) + text)
    found = Deploybot(tmp_path, {"API_SERVER_PORT": "1"}).run("check-config")
    assert found.returncode == 78 and ".env" in found.stderr, found


def test_the_guides_approvals_codes_and_clients_are_valid_and_arrive(tmp_path):
    guide = (ROOT / "docs/INSTALLATION.md").read_text("utf-8")
    section = guide[guide.index("\n## 11."):guide.index("\n## 12.")]
    (tmp_path / "key").write_text("0123456789abcdef" * 4 + "\n", encoding="ascii")
    (tmp_path / "key").chmod(0o600)
    values = dict(re.findall(r"(?m)^    ([A-Z_]+)=(.*)$", section), TOTP_KEY_FILE=str(tmp_path / "key"))
    found = bare(tmp_path, **values).run("check-config")
    assert found.returncode == 0 and "CLIENT" not in found.stderr, found
    for line in ("production 2 approvals (1 for a rollback)", "codes:    deploy:production; do:client/*\n", "; lead 3",
                 "clients:  acme at web@acme.example.org, 1 approval: "):
        assert line in found.stdout, found.stdout


# --- while it runs ---

@pytest.fixture(scope="module")
def reloading(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reload")
    settings = bare_settings(folder)
    port = settings["API_SERVER_PORT"]
    write_env(folder, lines_of(settings))
    bot = Deploybot(folder, {"API_SERVER_PORT": port}).start()
    bot.in_file = settings
    bot.settings = {**settings, "API_SERVER_PORT": port}
    yield bot
    check_stop(bot)


def change(bot, **values):
    """Writes .env and says SIGHUP; the audit's entry of it."""
    before = len(bot.audit(action="settings_reloaded"))
    bot.in_file.update(values)
    write_env(bot.folder, lines_of({k: v for k, v in bot.in_file.items() if v is not None}))
    bot.process.send_signal(signal.SIGHUP)
    return wait_audit(bot, before + 1, action="settings_reloaded")[-1]


def test_a_new_webhook_secret_counts_from_the_next_request_on(reloading):
    fresh = "another-secret-of-github-0123456789abcdef"
    assert post_github(reloading, PING, event="ping", guid="s1").status == 200
    entry = change(reloading, GITHUB_WEBHOOK_SECRET=fresh)
    assert "GITHUB_WEBHOOK_SECRET" in str(entry) and fresh not in str(entry)
    assert post_github(reloading, PING, event="ping", guid="s2").status == 401
    found = request(reloading, "POST", "/github/webhook", PING, {
        "Content-Type": "application/json", "X-GitHub-Event": "ping", "X-GitHub-Delivery": "s3",
        "X-Hub-Signature-256": sign(PING, fresh)})
    assert found.status == 200
    change(reloading, GITHUB_WEBHOOK_SECRET=GITHUB_SECRET)
    assert fresh not in reloading.log()


def test_what_is_wrong_keeps_the_old_and_names_each_line(reloading):
    entry = change(reloading, LOG_LEVEL="LOUD", HEALTH_CHECK_RETRIES="0", ADMIN_TELEGRAM_IDS="x")
    assert entry["outcome"] != "success" and entry["outcome"] != "adopted", entry
    log = reloading.log()
    for name in ("LOG_LEVEL", "HEALTH_CHECK_RETRIES", "ADMIN_TELEGRAM_IDS"):
        assert len([x for x in log.splitlines() if "error" in x and name in x]) >= 1, name
    assert post_github(reloading, PING, event="ping", guid="w1").status in (200, 202)
    change(reloading, LOG_LEVEL="INFO", HEALTH_CHECK_RETRIES="5",
           ADMIN_TELEGRAM_IDS=f"{ADA},{CARL}")


def test_what_needs_a_restart_says_so(reloading):
    change(reloading, LISTEN_ADDRESS="127.0.0.2")
    wait_until(lambda: any("restart" in x and "LISTEN_ADDRESS" in x
                           for x in reloading.log().splitlines()), WAIT_S, "the word restart")
    assert request(reloading, "GET", "/healthz").status == 200
    change(reloading, LISTEN_ADDRESS=None, HEALTH_CHECK_INTERVAL="9")


def test_a_changed_file_is_noticed_without_a_signal(reloading):
    before = len(reloading.audit(action="settings_reloaded"))
    reloading.in_file["HEALTH_CHECK_INTERVAL"] = "7"
    write_env(reloading.folder, lines_of({k: v for k, v in reloading.in_file.items() if v}))
    entry = wait_audit(reloading, before + 1, action="settings_reloaded")[-1]
    assert "HEALTH_CHECK_INTERVAL" in str(entry)


def test_secrets_of_the_settings_are_in_no_row(reloading):
    done = sqlite3.connect(f"file:{reloading.settings['STATE_DIRECTORY']}/deploybot.db?mode=ro", uri=True)
    text = "\n".join(done.iterdump())
    for name in ("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET"):
        assert reloading.in_file[name] not in text
    done.close()
    assert os.stat(reloading.folder / ".env").st_mode & 0o077 == 0


class WithEtc(Deploybot):
    """Sees another /etc, in which there is nothing but deploybot's folder."""

    def __init__(self, folder, etc):
        super().__init__(folder, {"API_SERVER_PORT": "1"})
        need(*MOUNTS)
        self.enter = [*MOUNTS, "sh", "-c", f"mount --bind '{etc}' /etc && exec \"$@\"", "sh"]

    def run(self, *arguments, timeout=60):
        return subprocess.run([*self.enter, str(self.build / "deploybot"), *arguments],
                              cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture
def installed(tmp_path):
    """A deploybot with /etc/deploybot/deploybot.conf, started in a folder without .env."""
    etc = tmp_path / "etc"
    (etc / "deploybot").mkdir(parents=True)
    made = WithEtc(tmp_path, etc)
    write_env(etc / "deploybot", lines_of(bare_settings(tmp_path)), name="deploybot.conf")
    return made


def test_without_a_file_of_its_own_it_reads_the_installed_one_and_says_so(installed):
    found = installed.run("check-config")
    assert found.returncode == 0, found
    assert "file:     /etc/deploybot/deploybot.conf\n" in found.stdout


def test_env_in_the_folder_and_env_file_win_over_the_installed_one(installed, tmp_path):
    settings = bare_settings(tmp_path, ADMIN_TELEGRAM_IDS="1,2,3")
    write_env(tmp_path, lines_of(settings))
    found = installed.run("check-config")
    assert "file:     .env\n" in found.stdout and "3 admins" in found.stdout, found
    write_env(tmp_path, lines_of({**settings, "ADMIN_TELEGRAM_IDS": "1,2"}), name="other.env")
    found = installed.run("--env-file=other.env", "check-config")
    assert "file:     other.env\n" in found.stdout and "2 admins" in found.stdout, found


def test_the_installed_file_is_named_when_it_is_wrong(installed, tmp_path):
    conf = tmp_path / "etc" / "deploybot" / "deploybot.conf"
    conf.write_text("HEALTH_CHECK_RETRIES=many\n", encoding="ascii")
    found = installed.run("check-config")
    assert found.returncode == 78
    assert found.stderr.splitlines()[-1] == (
        "The settings are wrong (file: /etc/deploybot/deploybot.conf): no server starts with them,"
        " and one that runs takes no change until they are right.")
    assert found.stderr.splitlines()[-2] == (     # and for nothing else
        "deploybot-setup asks for the bot's token, the first admin, the repository, the registry and the hosts,"
        " and writes them.")


def test_no_file_at_all_is_said(tmp_path):
    (tmp_path / "etc").mkdir()
    made = WithEtc(tmp_path, tmp_path / "etc")
    made.settings.update(bare_settings(tmp_path))
    assert "file:     none: the environment alone\n" in made.run("check-config").stdout


def test_an_installed_file_that_may_not_be_read_is_not_passed_over(installed, tmp_path):
    """Started by hand by somebody else: not with half of the settings."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    (tmp_path / "etc" / "deploybot").chmod(0o700)
    for folder in (tmp_path, tmp_path / "etc"):
        folder.chmod(0o755)
    installed.enter += ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    found = installed.run("check-config")
    assert found.returncode == 78, found
    assert "/etc/deploybot/deploybot.conf" in found.stderr and "Permission denied" in found.stderr
