"""Goal: `doctor --production` says of a real installation what is not fit yet, and what to do."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time

import pytest

from crash_aid import telegram_update
from ops_aid import (bare, bare_settings, check_stop, lines_of, post_telegram, request, telegram_headers, wait_audit,
                     write_env)
from stage import WEBHOOK_SECRET, Deploybot, free_port, wait_until
from telegram_client import CARL, DEFAULT_TOKEN
from tls_aid import TlsServer, make_certificate

DAY_S = 86400
SECRETS = {"TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN, "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
           "GITHUB_WEBHOOK_SECRET": "0123456789abcdef0123456789abcdef"}


def examine(bot, *words):
    found = bot.run(*words, "doctor", "--production")
    assert "AddressSanitizer" not in found.stderr and "runtime error" not in found.stderr, found.stderr
    return found


def line_with(found, words):
    lines = [line for line in found.stdout.splitlines() if words in line]
    assert len(lines) == 1, (words, found.stdout)
    return lines[0]


def private(path, text, mode=0o600):
    path.write_text(text, encoding="ascii")
    path.chmod(mode)
    return str(path)


@pytest.fixture
def installed(tmp_path):
    return install(tmp_path)


def install(folder):
    """As INSTALLATION says, as far as one machine without a public address can be."""
    safe = folder / "etc"
    safe.mkdir(mode=0o700)
    files = {f"{name}_FILE": private(safe / name.lower(), value) for name, value in SECRETS.items()}
    return bare(folder, **{name: None for name in SECRETS}, **files, ADMIN_TELEGRAM_IDS="11,22",
                TELEGRAM_CHAT_ID="-100123", DEPLOY_TRANSPORT="ssh", STAGING_HOST="127.0.0.1",
                PRODUCTION_HOST="127.0.0.2", IMAGE_SOURCE="registry", REGISTRY_URL="registry.example.com",
                STAGING_HEALTH_URL="http://127.0.0.1:9/", PRODUCTION_HEALTH_URL="http://127.0.0.1:9/",
                SSH_KEY_PATH=private(safe / "deploy_key", "key\n"),
                SSH_KNOWN_HOSTS=private(safe / "known_hosts", "127.0.0.1 ssh-ed25519 AAAA\n"),
                TELEGRAM_WEBHOOK_URL=f"https://localhost:{free_port()}/telegram/webhook")


def test_the_last_line_counts_and_names_what_cannot_be_seen(installed):
    found = examine(installed)
    assert found.returncode == 1
    levels = [line.split()[0] for line in found.stdout.split("\n\n")[0].splitlines()]
    last = found.stdout.splitlines()[-1]
    for level, word in (("ok", "ok"), ("warning", "warning"), ("error", "error"), ("note", "note")):
        assert f"{levels.count(level)} {word}" in last, (level, last)
    for word in ("not fit for production yet", "firewall", "BotFather", "GitHub", "backups"):
        assert word in last
    assert DEFAULT_TOKEN not in found.stdout + found.stderr


def test_all_that_can_be_right_here_is_said_to_be(installed):
    found = examine(installed)
    for words in ("secrets stand in files of their own",
                  "SSH_KEY_PATH: the key is 0 days old", "hosts are known by their keys",
                  "ADMIN_TELEGRAM_IDS: 2 admins", "staging has a health URL",
                  "production asks before it deploys", "IMAGE_SOURCE: images are built by CI",
                  "LISTEN_ADDRESS: only this machine reaches it", "REGISTRY_URL is set",
                  "GITHUB_WEBHOOK_SECRET is set", "Telegram calls a webhook over https"):
        assert line_with(found, words).startswith("ok "), words


@pytest.mark.parametrize("days, words", [(60, "certificate: it is not trusted: certificate: "),
                                         (-3, "certificate: it has expired"),
                                         (None, "certificate: none could be read: ")])
def test_the_public_addresss_certificate_is_looked_at(installed, tmp_path, days, words):
    server = None
    if days is not None:
        server = TlsServer(make_certificate(tmp_path / "tls", int(time.time()) + days * DAY_S))
        installed.settings["TELEGRAM_WEBHOOK_URL"] = f"https://localhost:{server.port}/telegram/webhook"
    try:
        assert line_with(examine(installed), words).startswith("error ")
    finally:
        if server is not None:
            server.stop()
            assert not any(WEBHOOK_SECRET.encode() in asked for asked in server.asked)


def test_secrets_in_the_open_are_named_with_where_they_stand(installed, tmp_path):
    del installed.settings["TELEGRAM_BOT_TOKEN_FILE"]
    del installed.settings["GITHUB_WEBHOOK_SECRET_FILE"]
    installed.settings["GITHUB_WEBHOOK_SECRET"] = "0123456789abcdef"
    conf = private(tmp_path / "conf", f"TELEGRAM_BOT_TOKEN={DEFAULT_TOKEN}\n")
    os.chmod(installed.settings["TELEGRAM_WEBHOOK_SECRET_FILE"], 0o644)
    found = examine(installed, "--env-file", conf)
    assert line_with(found, f"TELEGRAM_BOT_TOKEN stands in {conf}").startswith("error ")
    assert line_with(found, "GITHUB_WEBHOOK_SECRET stands in the environment").startswith("error ")
    assert line_with(found, "error    GITHUB_WEBHOOK_SECRET: a secret shorter than 32")
    line = line_with(found, "TELEGRAM_WEBHOOK_SECRET_FILE: ")
    assert line.startswith("warning ") and "(mode 0644): chmod 600 it" in line
    assert "secrets stand in files of their own" not in found.stdout


def test_an_old_key_and_hosts_that_nobody_knows_are_told(installed):
    old = time.time() - 91 * DAY_S
    os.utime(installed.settings["SSH_KEY_PATH"], (old, old))
    os.truncate(installed.settings["SSH_KNOWN_HOSTS"], 0)
    found = examine(installed)
    assert line_with(found, "SSH_KEY_PATH: the key is 91 days old").startswith("warning ")
    assert line_with(found, "is empty: ssh-keyscan").startswith("error ")
    os.unlink(installed.settings["SSH_KEY_PATH"])
    assert line_with(examine(installed), "SSH_KEY_PATH: there is no").startswith("error ")


def test_whose_the_database_is_and_whether_the_chain_is_whole(installed, tmp_path):
    installed.settings["STAGING_TELEGRAM_IDS"] = str(CARL)
    installed.start()
    for number, word in enumerate(("deploy", "rollback"), 1):
        update = json.dumps(telegram_update(CARL, number, f"/{word} production")).encode()
        assert post_telegram(installed, update).status == 200
    wait_audit(installed, 3)
    assert line_with(examine(installed), "audit log: 3 entries").startswith("ok ")
    check_stop(installed)
    database = tmp_path / "state" / "deploybot.db"
    if os.geteuid() == 0:
        assert line_with(examine(installed), "the server runs as root").startswith("error ")
        os.chown(database, 65534, 65534)
        assert line_with(examine(installed), "the server does not run as root").startswith("ok ")
        os.chown(database, 0, 0)
    with sqlite3.connect(database) as done:
        done.execute("UPDATE audit SET user_id = 'nobody' WHERE seq = 1")
    assert line_with(examine(installed), "find out who did it").startswith("error ")


def test_root_sees_the_users_files_as_they_see_them(installed):
    """sudo deploybot doctor: secrets belong to the server's user, keys to the runner's."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    key = installed.settings["SSH_KEY_PATH"]
    for path in (key, *(installed.settings[f"{name}_FILE"] for name in SECRETS)):
        os.chown(path, 65534, 65534)
    found = examine(installed)
    assert line_with(found, "secrets stand in files of their own").startswith("ok ")
    assert line_with(found, "SSH_KEY_PATH: the key is 0 days old").startswith("ok ")
    os.chmod(key, 0o644)
    words = f"SSH_KEY_PATH: {key} may be read by others (mode 0644)"
    assert line_with(examine(installed), words).startswith("error ")


def test_typed_by_root_folders_of_the_users_are_no_strangers():
    """As the package makes them: secrets and logs in folders of the server's user."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    with tempfile.TemporaryDirectory(prefix="deploybot-test-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        bot = install(folder)
        log = pathlib.Path(bot.settings["AUDIT_LOG_PATH"]).parent
        for path in (folder / "etc", *(folder / "etc").iterdir(), log):
            os.chown(path, 65534, 65534)
        found = examine(bot)
        assert "not to root or us" not in found.stdout
        assert line_with(found, f"AUDIT_LOG_PATH: {log} can be").startswith("ok ")
        assert line_with(found, "TELEGRAM_BOT_TOKEN_FILE: ").startswith("ok ")
        (folder / "etc").chmod(0o777)
        assert line_with(examine(bot), "TELEGRAM_BOT_TOKEN_FILE: ").startswith("warning ")


def test_what_another_user_keeps_to_himself_is_not_called_missing():
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    # Not in pytest's own folder, where nobody else gets in.
    with tempfile.TemporaryDirectory(prefix="deploybot-test-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        bot = install(folder)
        hidden = folder / "runner"
        hidden.mkdir(mode=0o700)
        bot.settings["SSH_KEY_PATH"] = private(hidden / "deploy_key", "key\n")
        bot.settings["SSH_KNOWN_HOSTS"] = private(hidden / "known_hosts", "h\n")
        for path in (folder / "etc", *(folder / "etc").iterdir()):
            os.chown(path, 65534, 65534)
        found = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             str(bot.build / "deploybot"), "doctor", "--production"], cwd=folder,
            env=bot.environment(), capture_output=True, text=True, timeout=60, check=False)
        assert line_with(found, "is not readable by this user: check its age").startswith("note "), found
        assert line_with(found, "SSH_KNOWN_HOSTS: ").startswith("note ")
        assert line_with(found, "secrets stand in files of their own").startswith("ok ")


def test_a_word_that_is_none_is_refused(installed):
    found = installed.run("doctor", "--prod")
    assert found.returncode == 64 and "doctor [ENV|client/ID]" in found.stderr


# --- ENVIRONMENT=production -------------------------------------------------------------------------

UNSAFE = ("TELEGRAM_WEBHOOK_SECRET: the demo's", "GITHUB_WEBHOOK_SECRET: a secret shorter than 32 bytes",
          "TELEGRAM_API_BASE: http:// goes over the network in the clear", "LOG_LEVEL: is DEBUG",
          "TELEGRAM_CHAT_ID: is not set", "ALLOWED_CHATS: is not set",
          "RUNNER_SOCKET: is not set")
FIT = {"ENVIRONMENT": "production", "TELEGRAM_BOT_TOKEN": "7000000001:AAE3f91c07d5e2b8467a0c19d2e4f5b683",
       "TELEGRAM_WEBHOOK_SECRET": "f3a91c07d5e2b8467a0c19d2e4f5b683",
       "GITHUB_WEBHOOK_SECRET": "91c07d5e2b8467a0c19d2e4f5b683f3a", "TELEGRAM_CHAT_ID": "-100123",
       "ALLOWED_CHATS": "-100123"}


def fit_for_production(folder):
    """In a file, so that it can be changed; its runner is expected."""
    values = bare_settings(folder, **FIT, RUNNER_SOCKET=str(folder / "nobody.sock"))
    bot = Deploybot(folder, {name: values[name] for name in ("API_SERVER_PORT", "AUDIT_LOG_PATH", "STATE_DIRECTORY")})
    write_env(folder, lines_of(values))
    return bot, values


def test_what_is_unsafe_is_refused_at_start_and_named_before(tmp_path):
    bot = bare(tmp_path, GITHUB_WEBHOOK_SECRET="f3a91c07d5e2b8467a0c19d2e4f5b68", LOG_LEVEL="DEBUG",
               TELEGRAM_API_BASE="http://api.acme.org")
    before = bot.run("check-config", "--production")
    assert before.returncode == 78 and "ENVIRONMENT=production refuses these settings" in before.stderr
    assert "The server starts" in bot.run("check-config").stderr or bot.run("check-config").returncode == 0
    bot.settings["ENVIRONMENT"] = "production"
    refused = bot.run("serve")
    assert refused.returncode == 78
    assert not (tmp_path / "state").exists(), "nothing was begun"
    for said in (before.stderr, refused.stderr):
        lines = [line for line in said.splitlines() if line.startswith("error ")]
        for words in UNSAFE:
            assert [line for line in lines if words in line], (words, said)
    assert "f3a91c07d5e2b8467a0c19d2e4f5b68" not in before.stderr + refused.stderr


def test_another_environment_asks_whether_the_list_was_meant(tmp_path):
    refused = bare(tmp_path, ENVIRONMENT="staging").run("serve")
    assert refused.returncode == 78
    assert 'ENVIRONMENT: "staging" is not production or development; did you mean ENVIRONMENTS' in refused.stderr
    used = bare(tmp_path).run("check-config", "--productions")
    assert used.returncode == 64 and "check-config [--json]" in used.stderr


def test_what_is_fit_starts_says_so_and_a_reload_to_what_is_not_is_refused(tmp_path):
    bot, values = fit_for_production(tmp_path)
    assert bot.run("check-config", "--production").returncode == 0
    bot.start()
    assert "ENVIRONMENT=production: start and reload refuse" in bot.log()
    del values["TELEGRAM_CHAT_ID"]
    values["TELEGRAM_WEBHOOK_SECRET"] = "rotated-and-long-enough-to-be-taken_07d5"
    write_env(tmp_path, lines_of(values))
    wait_until(lambda: "settings not changed: TELEGRAM_CHAT_ID: is not set" in bot.log(), 20, "the refusal")
    entry = wait_audit(bot, 1, action="settings_reloaded")[-1]
    assert entry["outcome"] == "refused" and "TELEGRAM_CHAT_ID" in str(entry), entry
    update = json.dumps(telegram_update(CARL, 1, "/status")).encode()
    for secret, status in ((FIT["TELEGRAM_WEBHOOK_SECRET"], 200), (values["TELEGRAM_WEBHOOK_SECRET"], 401)):
        assert request(bot, "POST", "/telegram/webhook", update,
                       telegram_headers(X_Telegram_Bot_Api_Secret_Token=secret)).status == status
    values |= {"TELEGRAM_CHAT_ID": "-100123"}
    write_env(tmp_path, lines_of(values))
    wait_until(lambda: "settings changed: TELEGRAM_WEBHOOK_SECRET" in bot.log(), 20, "what is fit")
    check_stop(bot)
