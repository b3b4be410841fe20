"""Goal: deploybot-setup ends in an installation to which everything is there, and until then changes nothing."""
# SPDX-License-Identifier: ISC
import os
import re
import shutil
import signal
import stat
import subprocess

import pytest

from audit_chain_aid import chained, entries
from commands_aid import DEPLOY
from namespace_aid import MOUNTS, need
from setup_aid import bench, chat  # noqa: F401  pylint: disable=unused-import
from telegram_client import ADA, DEFAULT_TOKEN, MALLORY, text_of
from test_flow_proxy import NAME, Proxy

QUESTIONS_MAX = 13     # tests/e2e/test_docs.py counts them, and what the pages say


# ---- to the end ----------------------------------------------------------------------------------

@pytest.mark.long
def test_a_file_of_answers_ends_in_a_target_where_all_is_there(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0 and "all is there" in said and "write to the bot: /deploy staging" in said, said
    settings = bench.settings()
    assert settings["ADMIN_TELEGRAM_IDS"] == str(ADA) and settings["ENVIRONMENTS"] == "staging"
    assert settings["STAGING_HEALTH_URL"] == "http://127.0.0.1:8080/health"
    assert not any(name.startswith("SETUP_") for name in settings) and DEFAULT_TOKEN not in bench.conf.read_text()
    assert (bench.folder / "secrets/server/telegram_bot_token").read_text().strip() == DEFAULT_TOKEN
    for name, (mode, _) in bench.files().items():
        assert mode == (0o640 if name == "deploybot.conf" else 0o600), name
    assert not (bench.folder / "setup").exists()
    assert stat.S_IMODE((bench.folder / "secrets/runner").stat().st_mode) == 0o700
    keys = (bench.home / ".ssh/authorized_keys").read_text().splitlines()
    assert len(keys) == 2 and keys[1].startswith("restrict ssh-ed25519 ") and keys[1].endswith(" deploybot")
    check_stamps_of_the_nightly_check(bench, bench.folder / "state")


def check_stamps_of_the_nightly_check(bench, state):
    """Where the server looks for them, which STATE_DIRECTORY says."""
    assert bench.settings()["STATE_DIRECTORY"] == str(state) and not list(state.glob("check.*"))
    status, said = bench.setup("--stamp", "check")
    assert status == 0 and {path.name for path in state.glob("check.*")} == {"check.begun", "check.passed"}, said
    for name in ("check.begun", "check.passed"):
        os.utime(state / name, (1, 1))
    known = bench.folder / "secrets/runner/known_hosts"
    hosts = known.read_bytes()
    known.write_text("")
    assert bench.setup("--stamp", "check")[0] == 78
    assert (state / "check.begun").stat().st_mtime > 1 == (state / "check.passed").stat().st_mtime
    # A backup that is not brought elsewhere is as bad: its own stamp is new.
    known.write_bytes(hosts)
    systemctl = bench.path / "systemctl"
    path = bench.environment["PATH"]
    for unit in ("deploybot-backup", "deploybot-secrets"):
        systemctl.write_text(f'#!/bin/sh\n[ "$*" = "--quiet is-failed {unit}.service" ]\n')
        systemctl.chmod(0o755)
        bench.environment["PATH"] = f"{bench.path}:{path}"
        status, said = bench.setup("--stamp", "check")
        bench.environment["PATH"] = path
        assert status == 78 and f"journalctl -u {unit} says why" in said, said
        assert (state / "check.passed").stat().st_mtime == 1
    check_timestamps_of_the_audit_log(bench, state)
    # Where none can be written the look is made all the same.
    known.write_bytes(hosts)
    (state / "check.begun").unlink()
    (state / "check.begun").symlink_to("/nowhere/there")
    status, said = bench.setup("--stamp", "check")
    assert status == 78 and "==> doctor" in said and "no stamp could be written" in said, said
    assert "all is there, and only the stamp" in said and (state / "check.passed").stat().st_mtime == 1, said
    # Of what agents release to, and of a remote runner's, the running server is asked and no script of here.
    settings = bench.conf.read_text()
    for line in ("STAGING_DEPLOY_TRANSPORT=agent", "STAGING_RUNNER=build-1"):
        bench.conf.write_text(f"{settings}\n{line}\n")
        said = bench.setup("check")[1]
        assert "\n==> doctor staging, as " in said and "sudo deploybot doctor staging" in said.replace(
            "sudo -u deploybot-runner deploybot", "sudo deploybot"), said
    bench.conf.write_text(settings)


def check_timestamps_of_the_audit_log(bench, state):
    """A day without one is as bad, where an authority is named."""
    conf, log = bench.folder / "timestamp.conf", bench.path / "audit.log"
    log.write_text("".join(chained(entries(1))), encoding="utf-8")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-out",
                    bench.path / "ca.pem", "-subj", "/CN=root"], check=True, capture_output=True, timeout=60)
    conf.write_text(f"URL=http://127.0.0.1:9/\nCA={bench.path}/ca.pem\nLOG={log}\n", encoding="ascii")
    status, said = bench.setup("--stamp", "check")
    assert status == 78 and "1 of the audit log's days have no timestamp, 2026-11-01 the first: " in said, said
    assert (state / "check.passed").stat().st_mtime == 1
    log.with_name("audit.log.2026-11-01.tsr").touch()
    status, said = bench.setup("--stamp", "check")
    assert status == 0 and "==> timestamps of the audit log" in said, said
    os.utime(state / "check.passed", (1, 1))
    conf.unlink()


def test_a_file_that_a_package_names_and_nobody_has_made_is_asked_for(bench):
    """Nobody is told to correct what he has not written."""
    bench.take_over()
    status, said = bench.setup("--answers", bench.answers(TELEGRAM_BOT_TOKEN=None))
    assert status == 78 and "has no TELEGRAM_BOT_TOKEN: The bot's token" in said.splitlines()[-1], said


@pytest.mark.parametrize("words", [("app", "web"), ("host", "staging"), ("webhooks", "bot.example.org"), ("alerts",)])
@pytest.mark.parametrize("is_there", [False, True])
def test_whatever_comes_later_asks_for_the_first_set_up_before_anything_else(bench, words, is_there):
    """Regression: they took a package's settings file for an installation, and asked, or named a line of a draft."""
    if is_there:
        bench.take_over()
    before = bench.files()
    status, said = bench.setup(*words)
    assert status == 78 and said.endswith(f": first deploybot-setup, without {words[0]}\n"), said
    assert len(said.splitlines()) == 1 and bench.files() == before and not list(bench.folder.glob("setup*")), said


def test_a_token_below_run_that_is_away_now_counts_as_set_up(bench):
    """What a manager of secrets puts there when the server starts: who types that is no server."""
    bench.know_admin()
    away = bench.conf.read_text("utf-8").replace(f"{bench.folder}/secrets/server/", f"/run/{bench.path.name}/none/")
    bench.conf.write_text(away)
    status, said = bench.setup("app", "web")
    assert status == 64 and "first deploybot-setup" not in said and "\nSETUP_REPOSITORY  " in said, said


@pytest.mark.long
def test_what_is_there_is_taken_over_and_nothing_is_another_one_then(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    before, keys = bench.files(), (bench.home / ".ssh/authorized_keys").read_text().splitlines()
    status, said = bench.setup("--answers", bench.answers(TELEGRAM_BOT_TOKEN=None, SETUP_HOST_KEYS=None))
    assert status == 0 and bench.files() == before, said
    assert "kept: the key of deploybot" in said
    assert (bench.home / ".ssh/authorized_keys").read_text().splitlines() == keys


@pytest.mark.long
@pytest.mark.parametrize("interrupts", [False, True])
def test_each_try_asks_one_question_and_the_last_one_has_all(bench, interrupts):
    """The end of the input, or Ctrl-C, at each question leaves nothing but a draft, with which the next try goes on."""
    bench.take_over()
    before, lines = bench.files(), bench.lines()
    lines.insert(2, "yes")      # who has opened the link
    assert len(lines) <= QUESTIONS_MAX
    for line in lines[:-1]:
        status, said = bench.talk(line, interrupts)
        assert status == (130 if interrupts else 64) and bench.files() == before, said
        assert "nothing here was changed" in said.splitlines()[-1], said
        draft = bench.folder / "setup"
        assert all(not path.stat().st_mode & 0o077 for path in draft.iterdir() if path.name != "known_hosts")
    status, said = bench.talk(lines[-1])
    assert status == 0 and "all is there" in said, said
    assert bench.settings()["ADMIN_TELEGRAM_IDS"] == str(ADA) and bench.conf.read_text().startswith("# ours\n")
    assert text_of(bench.chat.messages(ADA)[-1]).startswith("Your id is shown where deploybot is set up")


# Where it is installed, in an /etc of its own: of whom is each file then?
INSTALLED = """PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; cp -a /etc "$1" && mount --bind "$1" /etc || exit 77
systemd-sysusers "$2/systemd/sysusers.conf" &&
    install -m 0640 -g deploybot -D /dev/null /etc/deploybot/deploybot.conf &&
    systemd-tmpfiles --create --prefix=/etc/deploybot "$2/systemd/tmpfiles.conf" || exit 77
mkdir -m 1777 /etc/deploybot/state
"$2/setup.sh" --no-start --answers "$3"; status=$?
find /etc/deploybot ! -path '*/state*' -type f -printf 'file %u:%g %m %P\\n'
echo STAGING_DEPLOY_TRANSPORT=agent >>/etc/deploybot/deploybot.conf
"$2/setup.sh" check 2>&1 | sed 's/^/check /'
exit $status"""


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("systemd-sysusers"), reason="needs root and systemd-sysusers")
def test_each_file_of_an_installation_belongs_to_who_reads_it(bench):
    need(*MOUNTS)
    answers = bench.answers(RUNNER_SOCKET="/run/deploybot-runner/runner.sock", STATE_DIRECTORY="/etc/deploybot/state",
                            AUDIT_LOG_PATH="/etc/deploybot/state/audit.log")
    own_etc = bench.path / "own-etc"
    _, said = bench.run_setup(shutil.which("unshare"), *MOUNTS[1:], "/bin/bash", "-c", INSTALLED, "bash", str(own_etc),
                              DEPLOY, str(answers))
    shutil.rmtree(own_etc)
    assert "==> doctor staging, as deploybot-runner" in said, said
    # What agents release to only the running server knows, which root asks.
    asked = said.rpartition("check ==> doctor staging, as deploybot-runner\n")[2]
    assert asked.count("check staging is released to through agents") == 2, said
    assert re.search(r"^check note +127\.0\.0\.1:\d+: whether it is connected", asked, re.M), said
    assert sorted(line for line in said.splitlines() if line.startswith("file ")) == [
        "file deploybot-runner:deploybot-runner 600 secrets/runner/deploy_key",
        "file deploybot-runner:deploybot-runner 600 secrets/runner/known_hosts",
        "file deploybot:deploybot 600 secrets/server/telegram_bot_token",
        "file root:deploybot 640 deploybot.conf"], said


# ---- the first admin -----------------------------------------------------------------------------

def test_ctrl_c_while_nobody_opens_the_link_changes_nothing(bench):
    path = bench.answers(ADMIN_TELEGRAM_IDS=None)
    process = subprocess.Popen(bench.words("--answers", path), env=bench.given(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    for line in process.stdout:
        if "https://t.me/" in line:
            os.killpg(process.pid, signal.SIGINT)
    process.stdout.close()
    assert process.wait(timeout=60) == 130 and bench.files() == {}


def test_whoever_opens_the_link_is_admin_only_where_it_is_said_who_that_was(bench):
    """Regression: whoever saw the terminal, and was first, was the admin."""
    bench.take_over()
    (bench.folder / "setup").mkdir()
    (bench.folder / "setup/answers").write_text(f"SETUP_REPOSITORY='{bench.repository}'\nSETUP_ADMIN='yes'\n")
    status, said = bench.talk(f"{DEFAULT_TOKEN}\nwell\nno\nyes", openers=(MALLORY, ADA))
    names = [re.escape(f"SETUP_ADMIN  {who} has opened the link: is that you?") for who in (
        f"@mallory, Telegram id {MALLORY},", f"@ada_ops, Telegram id {ADA},")]
    assert re.search(f"{names[0]}.*SETUP_ADMIN: yes or no.*/t.me/.*{names[1]}", said, re.S), said
    kept = (bench.folder / "setup/answers").read_text("utf-8")
    assert status == 64 and f"ADMIN_TELEGRAM_IDS='{ADA}'" in kept and "SETUP_ADMIN" not in kept, kept + said


def test_a_telegram_that_does_not_answer_has_refused_no_token_and_a_proxy_is_asked_for(bench):
    """Regression: without DNS "Telegram refused", and @BotFather was named."""
    bench.know_admin()
    bench.conf.write_text(bench.conf.read_text("utf-8").replace(bench.chat.base, f"http://{NAME}:9"), "utf-8")
    status, said = bench.setup("--answers", bench.answers(TELEGRAM_API_BASE=f"http://{NAME}:9"))
    assert status == 78 and "has no TELEGRAM_PROXY: Through which proxy is Telegram reached?" in said, said
    assert "Telegram does not answer this machine: Could not resolve host: telegram.invalid (http" in said, said
    assert "BotFather" not in said and "refused" not in said, said
    proxy = Proxy(int(bench.chat.base.rpartition(":")[2]))
    _, said = bench.type_lines([bench.repository, "", "ftp://x", "http://127.0.0.1:1", f"http://{proxy.address}",
                                DEFAULT_TOKEN])
    assert "warning: TELEGRAM_PROXY: " in said and "\nThe bot is @deploy_demo_bot" in said, said
    assert "Telegram does not answer this machine through http://127.0.0.1:1: " in said, said
    assert f"TELEGRAM_PROXY='http://{proxy.address}'\n" in (bench.folder / "setup/answers").read_text("utf-8")
    proxy.listener.close()


def test_while_a_webhook_is_set_no_link_is_offered(bench):
    assert bench.chat.bot("setWebhook", url="http://127.0.0.1:9/telegram/webhook")[0] == 200
    try:
        status, said = bench.setup("--answers", bench.answers(ADMIN_TELEGRAM_IDS=None))
    finally:
        bench.chat.bot("deleteWebhook")
    bot = bench.chat.bot("getMe")[1]["result"]["username"]
    assert status == 78 and f"the bot's updates go to a webhook: @{bot}'s, at 127.0.0.1:9. " in said, said
    assert "If another deploybot or program is there, take a new bot" in said and "t.me" not in said, said
    assert "ADMIN_TELEGRAM_IDS" in said.splitlines()[-1] and bench.files() == {}


def test_what_hosts_and_services_say_moves_nothing_on_the_terminal(tmp_path):
    """Regression: marks of direction in what a host said turned the words around them."""
    text = "a\u202eb\u2066c\u200bd\ufeffe\u061cf\u0085g\x1b[31m ünïcödé – “q” 日本"
    (tmp_path / "said").write_text(text, "utf-8")
    script = f'. {DEPLOY}/common.sh; . {DEPLOY}/setup/hosts.sh; draft=$1; print_said h1'
    for language in ("C", "C.UTF-8"):
        done = subprocess.run(["bash", "-c", script, "x", tmp_path],
                              env={"PATH": os.environ["PATH"], "LC_ALL": language},
                              stdout=subprocess.PIPE, timeout=60, check=True)
        said = done.stdout.decode("utf-8")
        assert re.sub(" +", " ", said) == " h1: abcdef g [31m ünïcödé – “q” 日本\n", (language, said)


def test_the_bot_is_shown_by_its_name_before_it_is_taken(bench):
    bench.know_admin()
    for lines in (bench.lines()[:2], []):    # typed, and as answered before
        _, said = bench.type_lines(lines)
        assert "\nThe bot is @deploy_demo_bot; another one: Ctrl-C, and deploybot-setup --anew\n" in said, said
    _, said = bench.setup("--answers", bench.answers(SETUP_REPOSITORY="/nowhere/shop.git"))
    assert "The bot is @deploy_demo_bot\n" in said, said
