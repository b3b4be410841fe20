"""Goal: deploybot-setup ends in an installation to which everything is there, and until then changes nothing."""
# SPDX-License-Identifier: ISC
import getpass
import os
import shutil
import signal
import stat
import subprocess

import pytest

from commands_aid import DEPLOY
from namespace_aid import MOUNTS, need
from setup_aid import NOWHERE, PROGRAM, SERVER_PORT, SetupBench
from ssh_aid import until_at_rest
from stage import ROOT, free_port, wait_until
from telegram_client import ADA, DEFAULT_TOKEN, Telegram, text_of

QUESTIONS_MAX = 12


@pytest.fixture(scope="module")
def chat():
    with Telegram.start("--local", "--limits", "off") as made:
        yield made


@pytest.fixture
def bench(tmp_path, tools_folder, chat):
    yield from until_at_rest(SetupBench(tmp_path, tools_folder, chat))


# ---- to the end ------------------------------------------------------------------------------------

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
    # Where none can be written the look is made all the same.
    known.write_bytes(hosts)
    (state / "check.begun").unlink()
    (state / "check.begun").symlink_to("/nowhere/there")
    status, said = bench.setup("--stamp", "check")
    assert status == 78 and "==> doctor" in said and "no stamp could be written" in said, said
    assert "all is there, and only the stamp" in said and (state / "check.passed").stat().st_mtime == 1, said


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
    assert len(lines) <= QUESTIONS_MAX == 12
    for page, words in (("README.md", "at most twelve questions"), ("docs/BENEFITS.md", "at most 12 questions"),
                        ("docs/INSTALLATION.md", "at most twelve questions")):
        assert words in (ROOT / page).read_text("utf-8"), page
    for line in lines[:-1]:
        status, said = bench.talk(line, interrupts)
        assert status == (130 if interrupts else 64) and bench.files() == before, said
        assert "nothing here was changed" in said.splitlines()[-1], said
        draft = bench.folder / "setup"
        assert all(not path.stat().st_mode & 0o077 for path in draft.iterdir() if path.name != "known_hosts")
    status, said = bench.talk(lines[-1])
    assert status == 0 and "all is there" in said, said
    assert bench.settings()["ADMIN_TELEGRAM_IDS"] == str(ADA) and bench.conf.read_text().startswith("# ours\n")
    assert text_of(bench.chat.messages(ADA)[-1]).startswith("You are the first admin")


# Where it is installed, in an /etc of its own: of whom is each file then?
INSTALLED = """PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; cp -a /etc "$1" && mount --bind "$1" /etc || exit 77
systemd-sysusers "$2/systemd/sysusers.conf" &&
    install -m 0640 -g deploybot -D /dev/null /etc/deploybot/deploybot.conf &&
    systemd-tmpfiles --create --prefix=/etc/deploybot "$2/systemd/tmpfiles.conf" || exit 77
mkdir -m 1777 /etc/deploybot/state
"$2/setup.sh" --no-start --answers "$3"; status=$?
find /etc/deploybot ! -path '*/state*' -type f -printf 'file %u:%g %m %P\\n'
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
    assert sorted(line for line in said.splitlines() if line.startswith("file ")) == [
        "file deploybot-runner:deploybot-runner 600 secrets/runner/deploy_key",
        "file deploybot-runner:deploybot-runner 600 secrets/runner/known_hosts",
        "file deploybot:deploybot 600 secrets/server/telegram_bot_token",
        "file root:deploybot 640 deploybot.conf"], said


@pytest.mark.parametrize("registry, repository, image", [
    ("ghcr.io", "Orchard/Shop", "orchard/shop"), ("https://ghcr.io/", "https://github.com/Orchard/shop.git", "orchard/shop"),
    ("registry.gitlab.com", "git@gitlab.com:team/sub/shop.git", "team/sub/shop"),
    ("ghcr.io/orchard", "orchard/Shop", "shop"),
    ("registry.example.org:5000", "ssh://git@git.example.org/team/shop.git", "shop"),
    ("10.1.2.3", "/srv/shop.git", "shop"),
    ("docker.io", "https://git.example.org/team/shop/", "team/shop")])
def test_an_image_is_called_as_its_registry_has_them(registry, repository, image):
    words = ["bash", "-c", f". {DEPLOY}/setup/questions.sh; image_name_of \"$1\" \"$2\"; echo \"$said\"", "bash"]
    done = subprocess.run([*words, registry, repository], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{image}\n"


def test_a_login_at_the_registry_is_taken_from_the_file_with_its_password(bench):
    """Regression: the bot's token was looked at while the settings had the one without the other."""
    bench.take_over()
    with open(bench.conf, "a", encoding="utf-8") as conf:      # as a package has it
        conf.write(f"REGISTRY_PASSWORD_FILE={bench.folder}/secrets/runner/registry_password\n")
    status, said = bench.setup("--answers", bench.answers(REGISTRY_USER="ada"))
    assert status == 78 and "REGISTRY_USER, and no REGISTRY_PASSWORD" in said.splitlines()[-1], said
    login = {"REGISTRY_USER": "ada", "REGISTRY_PASSWORD": "of-the-registry"}
    status, said = bench.setup("--answers", bench.answers(**login, STAGING_HOST="127.0.0.1:1"))
    assert status == 69 and "shows no ssh key at port 1" in said and "is not taken" not in said, said


# ---- the first admin -------------------------------------------------------------------------------

def test_ctrl_c_while_nobody_opens_the_link_changes_nothing(bench):
    path = bench.answers(ADMIN_TELEGRAM_IDS=None)
    process = subprocess.Popen(bench.words("--answers", path), env=bench.given(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    for line in process.stdout:
        if "https://t.me/" in line:
            os.killpg(process.pid, signal.SIGINT)
    process.stdout.close()
    assert process.wait(timeout=60) == 130 and bench.files() == {}


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


def type_lines(bench, lines, *words):
    """(status, what it said) of whoever types these and goes."""
    done = subprocess.run(bench.words(*words), input="".join(f"{line}\n" for line in lines), env=bench.given(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300,
                          check=False)
    return done.returncode, done.stdout


@pytest.fixture
def known_admin(bench):
    """Nobody has to open a link."""
    bench.take_over()
    with open(bench.conf, "a", encoding="utf-8") as conf:
        conf.write(f"ADMIN_TELEGRAM_IDS={ADA}\n")
    return bench


def test_the_bot_is_shown_by_its_name_before_it_is_taken(known_admin):
    bench = known_admin
    for lines in (bench.lines()[:2], []):    # typed, and as answered before
        _, said = type_lines(bench, lines)
        assert "\nThe bot is @deploy_demo_bot; another one: Ctrl-C, and deploybot-setup --anew\n" in said, said
    _, said = bench.setup("--answers", bench.answers(SETUP_REPOSITORY="/nowhere/shop.git"))
    assert "The bot is @deploy_demo_bot\n" in said, said


# ---- what is refused -------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong, name, value", [
    ({0: "/nowhere/shop.git"}, "SETUP_REPOSITORY", "/nowhere/shop.git"),
    pytest.param({3: NOWHERE}, "REGISTRY_URL", NOWHERE, marks=pytest.mark.long),
    ({5: "127.0.0.1:1", 6: "-\n-"}, "STAGING_HOST", "127.0.0.1:1"),    # and no jump host
    pytest.param({5: "127.0.0.1:1", 6: "-\nops@localhost:1"}, "SSH_JUMP", "ops@localhost:1", marks=pytest.mark.long),
    pytest.param({8: getpass.getuser()}, "SETUP_LOGIN", getpass.getuser(), marks=pytest.mark.long),
    pytest.param({9: "no"}, "STAGING_HOST", "", marks=pytest.mark.long)])
def test_an_answer_that_fails_later_is_asked_anew_and_named(known_admin, wrong, name, value):
    """Regression: the next try took it again and failed again, and --anew alone asked for it, with all the rest."""
    bench = known_admin
    before = bench.files()
    lines = [wrong.get(i, line) for i, line in enumerate(bench.lines())]
    if name == "SETUP_LOGIN":
        (bench.home / "no-sudo").touch()
    _, said = type_lines(bench, lines)
    assert bench.files() == before, said
    status, said = type_lines(bench, [])
    value = value or lines[5]
    assert status == 64 and f"\n{name}  " in said and f"{name}: {value}, as answered before" not in said, said
    assert f"\n  {value} was answered before, and did not work\n  [{value}] > " in said, said


TOGETHER = f"""set -uo pipefail; . {DEPLOY}/common.sh; . {DEPLOY}/setup/ask.sh; . {DEPLOY}/setup/settings.sh
draft=$1 application=$2 said=$3
look_at_candidate() {{ printf '%s\n' "$said"; return 1; }}
drafted=([REGISTRY_URL]=a [IMAGE_SOURCE]=build [STAGING_HOST]=h1)
check_all && echo taken
refused=(); [[ ! -f $draft/refused ]] || read_answers refused "$draft/refused"
echo "asked anew: $(printf '%s\n' "${{!refused[@]}}" | sort | xargs)"
"""


@pytest.mark.parametrize("application, said, last", [
    ("", "error    IMAGE_SOURCE: no", "asked anew: IMAGE_SOURCE STAGING_HOST"),
    ("", "error    STAGING_COMPOSE_DIR: shared", "asked anew: STAGING_HOST"),
    ("web", "error    web: IMAGE_SOURCE: no", "asked anew: IMAGE_SOURCE STAGING_HOST"),
    ("web", "error    shop: IMAGE_SOURCE: no", "taken\nasked anew: ")])
def test_answers_that_do_not_go_together_are_asked_anew(tmp_path, application, said, last):
    done = subprocess.run(["bash", "-c", TOGETHER, "x", tmp_path, application, said],
                          check=False, timeout=60, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert done.stdout == f"{last}\n", done.stdout


def test_anew_forgets_answers_and_keeps_the_key_that_hosts_may_have(known_admin):
    bench = known_admin
    type_lines(bench, bench.lines()[:-1])
    key = bench.folder / "setup/deploy_key"
    made = key.read_bytes()
    status, said = type_lines(bench, [], "--anew")
    assert status == 64 and "\nSETUP_REPOSITORY  " in said and key.read_bytes() == made, said
    assert sorted(path.name for path in key.parent.iterdir()) == ["confirmed", "deploy_key", "deploy_key.pub",
                                                                  "known_hosts"]



@pytest.mark.parametrize("changes, status, words", [
    ({"TELEGRAM_BOT_TOKEN": "7000000002:AAF-a_token_that_nobody_gave_0123456789"}, 78, "@BotFather"),
    ({"SETUP_HOST_KEYS": "SHA256:AAAA"}, 78, "is not among them"),
    pytest.param({"SETUP_HOST_KEYS": "yes"}, 78, "is not among them", marks=pytest.mark.long),
    ({"API_SERVER_PORT": None}, 78, "127.0.0.1 is this machine, whose port 8080 is deploybot's own (API_SERVER_PORT)"),
    pytest.param({"STAGING_HOST": "127.0.0.1:1"}, 69, "shows no ssh key at port 1", marks=pytest.mark.long),
    ({"STAGING_HOST": "h 1"}, 78, "STAGING_HOST"),
    ({"SETUP_REPOSITORY": "/nowhere/shop.git"}, 69, "git cannot read /nowhere/shop.git"),
    ({"WEBHOOK_API_SECRET": "x" * 40}, 78, "WEBHOOK_API_SECRET_FILE"),
    ({"HEALTH_CHECK_RETRIES": "never"}, 78, "HEALTH_CHECK_RETRIES")])
def test_a_wrong_answer_is_named_and_nothing_is_changed(bench, changes, status, words):
    done, said = bench.setup("--answers", bench.answers(**changes))
    assert done == status and words in said and bench.files() == {}, said
    assert " line " not in said and "warning:  " not in said and ": error " not in said, said
    assert "HEALTH" in words or bench.sshd.connections() == 0


REPOSITORY = f""". {DEPLOY}/common.sh; for part in questions settings around; do . {DEPLOY}/setup/$part.sh; done
check_setting() {{ want[$1]=$said; }}; conf_there=/nowhere repository_there=$2 application='' said=$1
check_repository SETUP_REPOSITORY || exit; echo "${{want[GITHUB_REPOSITORY]-}} ${{want[REPOSITORY_URL]-}}"
want[GITHUB_WEBHOOK_SECRET_FILE]=github want[FORGE_WEBHOOK_SECRET_FILE]=forge; say_forge bot.example.org"""


def check_repository(typed, there=""):
    done = subprocess.run(["bash", "-c", REPOSITORY, "setup", typed, there], check=False, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.mark.parametrize("typed", [
    "orchard/shop", "orchard/shop.git", "https://github.com/orchard/shop", "https://github.com/orchard/shop.git",
    "https://github.com/orchard/shop/", "github.com/orchard/shop", "http://www.github.com/orchard/shop.git/"])
def test_a_pasted_address_of_github_is_owner_and_name(typed):
    """Regression: git asked for shop.git.git, or webhooks named the address and the secret of another forge."""
    for there in ("", "orchard/shop.git"):
        status, said = check_repository(typed, there)
        assert status == 0 and said.startswith("orchard/shop \n"), said
        assert "https://bot.example.org/github/webhook" in said and "sudo cat github\n" in said, said


@pytest.mark.parametrize("typed, path", [
    ("git@github.com:orchard/shop.git", "github/webhook"), ("https://gitlab.example.org/a/b/shop.git", "forge/webhook"),
    ("https://github.example.org/orchard/shop", "forge/webhook"), ("/srv/shop.git", "forge/webhook"),
    ("git@git.example.org:shop.git", "forge/webhook")])
def test_another_address_stays_as_it_is_typed(typed, path):
    status, said = check_repository(typed)
    assert status == 0 and said.startswith(f" {typed}\n") and f"https://bot.example.org/{path}" in said, said


def test_a_registry_that_is_not_reached_is_said_with_curls_reason(tmp_path):
    """Regression: "see curl's output in the log", of which there is none; http:// was named nowhere."""
    script = f"""set -euo pipefail; here={DEPLOY}; . "$here/common.sh"
for part in questions settings; do . "$here/setup/$part.sh"; done
act=setup draft=$1 conf_there=/nowhere application='' secret_file=
want[REGISTRY_URL]=127.0.0.1:1 want[REGISTRY_IMAGE]=team/shop; check_registry_answers REGISTRY_URL"""
    given = {"PATH": "/usr/bin:/bin", "DEPLOYBOT_RUNNER": PROGRAM}
    done = subprocess.run(["bash", "-c", script, "setup", tmp_path], check=False, capture_output=True, text=True,
                          timeout=60, env=given)
    assert done.returncode == 1 and ": the registry 127.0.0.1:1 cannot be reached: curl: (7) " in done.stderr, done
    assert done.stderr.endswith("the name, its port, and http:// before it where it has no TLS?\n"), done.stderr


def test_one_word_is_no_repository():
    said = "warning: SETUP_REPOSITORY: OWNER/NAME of a repository at GitHub, or a URL\n"
    assert check_repository("shop") == (1, said)


def test_a_repository_by_ssh_says_what_ssh_said_and_which_settings_it_needs(bench):
    """Regression: "and the repository exists" alone, of a token that nobody had been asked for."""
    url = f"git@127.0.0.1:{bench.path}/shop.git"
    status, said = bench.setup("--answers", bench.answers(SETUP_REPOSITORY=url))
    warning, end = said.splitlines()[-2:]
    assert status == 69 and warning.startswith(f"warning: SETUP_REPOSITORY: git cannot read {url}: "), said
    assert "fatal: Could not read from remote repository." in warning and "the repository exists" not in warning, said
    assert "by ssh it needs REPOSITORY_KEY_PATH" in end and f"set both in {bench.path}/answers" in end, said
    assert bench.files() == {}


def test_answers_that_others_may_read_are_not_read(bench):
    path = bench.answers()
    path.chmod(0o640)
    status, said = bench.setup("--answers", path)
    assert status == 78 and "chmod 600" in said and bench.files() == {}, said


BLOCK_BEGINS = 'if [ "$(id -u)" = 0 ]; then '


@pytest.mark.parametrize("who, has_sudo", [("0", False), ("0", True), ("1000", True)])
def test_the_block_to_paste_works_as_root_without_sudo(tmp_path, who, has_sudo):
    """Regression: a Debian that was installed with a root password has no sudo."""
    (tmp_path / "setup").mkdir()
    (tmp_path / "setup/prepare-host.sh").write_text('prepare_host() { echo "$user $dir $port ${BY_SUDO:-as is}"; }\n')
    words = [f". {DEPLOY}/setup/hosts.sh; here=$1 deploy_user=deploy public_key='ssh-ed25519 AA' health=8080/health",
             "print_block h1 /srv/app"]
    printed = subprocess.run(["bash", "-c", "; ".join(words), "bash", tmp_path], capture_output=True, text=True,
                             timeout=60, check=True).stdout
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, text in {"id": f"echo {who}", "sudo": 'BY_SUDO=sudo exec "$@"', "cat": 'exec /usr/bin/cat "$@"'}.items():
        if name != "sudo" or has_sudo:
            (binaries / name).write_text(f"#!/bin/bash\n{text}\n")
            (binaries / name).chmod(0o755)
    (binaries / "bash").symlink_to("/bin/bash")
    for shell in ("/bin/sh", "/bin/bash"):
        pasted = subprocess.run([shell], input=printed[printed.index(BLOCK_BEGINS):], env={"PATH": str(binaries)},
                                check=False, capture_output=True, text=True, timeout=60)
        by = "as is" if who == "0" else "sudo"
        assert pasted.returncode == 0 and pasted.stdout == f"deploy /srv/app 8080 {by}\n", pasted


def test_what_another_deploybot_has_on_a_host_is_named_where_our_key_is_new(tmp_path):
    """Regression: neither its key nor its releases were said; the first message of ours said "was target:"."""
    stubs = f"""at={tmp_path} dir={tmp_path}/app user=deploy; mkdir -p "$dir"
getent() {{ echo "x:x:1:1::$at:/bin/bash"; }}; runuser() {{ while [[ $1 != -- ]]; do shift; done; shift; "$@"; }}
. {DEPLOY}/setup/prepare-host.sh; key='ssh-ed25519 {{}}'; prepare_key"""

    def prepare(key):
        return subprocess.run(["bash", "-c", stubs.replace("{}", key)], check=True, capture_output=True, text=True,
                              timeout=60).stdout.splitlines()
    assert prepare("ours") == ["done: the key of deploybot"]
    assert prepare("ours") == ["kept: the key of deploybot"]
    (tmp_path / "app/.deploybot.releases").touch()
    assert prepare("ours") == ["kept: the key of deploybot"]
    another, releases, done = prepare("fresh")
    assert another.startswith(f"note: {tmp_path}/.ssh/authorized_keys has another key of a deploybot: "), another
    assert releases.startswith(f"note: {tmp_path}/app has releases of another deploybot, or of an earlier "), releases
    assert done == "done: the key of deploybot"


@pytest.mark.long
def test_a_host_that_lets_nobody_in_gets_a_block_to_paste(bench):
    """As sudo there asks for a password that nobody types."""
    (bench.home / "no-sudo").touch()
    status, said = bench.setup("--answers", bench.answers())
    assert status == 69 and "does not let" in said.splitlines()[-1] and bench.files() == {}, said
    block = said[said.index(BLOCK_BEGINS):said.rindex("\nDEPLOYBOT\n") + len("\nDEPLOYBOT\n")]
    path = {"PATH": (bench.stand / "host.path").read_text(), "STAND": str(bench.host("h2")), "PASTED": "yes"}
    (bench.host_bin / "sudo").unlink()     # at the console, as root
    pasted = subprocess.run(["bash", "-c", block], env=path, capture_output=True, text=True, timeout=60, check=False)
    assert pasted.returncode == 0 and pasted.stdout.endswith("prepared\n"), pasted
    status, said = bench.setup("--answers", bench.answers(SETUP_LOGIN=""))
    assert status == 0 and "lets" in said, said


@pytest.mark.long
def test_hosts_of_a_private_network_are_prepared_through_another_one(bench):
    bench.through_jump()
    jump = f"{getpass.getuser()}@127.0.0.1:{bench.jump_port}"
    prints = f"{bench.fingerprint(bench.jump)},{bench.fingerprint()}"
    status, said = bench.setup("--answers", bench.answers(SSH_JUMP=jump, SETUP_HOST_KEYS=bench.fingerprint()))
    assert status == 78 and f"{bench.fingerprint(bench.jump)} is not among them" in said and bench.files() == {}, said
    assert bench.jump.connections() == 0
    status, said = bench.setup("--answers", bench.answers(SSH_JUMP=jump, SETUP_HOST_KEYS=prints))
    assert status == 0 and "all is there" in said, said
    settings = bench.settings()
    assert settings["SSH_JUMP"] == jump and settings["STAGING_SMOKE_URL"] == "http://127.0.0.1:8080/health"
    assert "STAGING_HEALTH_URL" not in settings
    known = (bench.folder / "secrets/runner/known_hosts").read_text()
    assert f"[127.0.0.1]:{bench.jump_port} " in known and f"[127.0.0.1]:{bench.port_2} " in known
    keys = (bench.home / ".ssh/authorized_keys").read_text().splitlines()
    assert len(keys) == 2 and keys[1].startswith("restrict,port-forwarding ssh-ed25519 ")


def test_who_sits_there_is_asked_through_which_host_one_that_is_not_reached_is(bench):
    """Where nobody sits there it is as it was; to neither has a byte gone by then."""
    bench.take_over()
    with open(bench.conf, "a", encoding="utf-8") as conf:
        conf.write(f"ADMIN_TELEGRAM_IDS={ADA}\n")
    jump = f"ops@127.0.0.1:{bench.jump_port}"
    lines = bench.lines()
    host = lines.index(f"127.0.0.1:{bench.port_2}")
    typed = [*lines[:host], "127.0.0.1:1", "-", "ops@h1;id", jump]
    done = subprocess.run(bench.words(), input="\n".join([*typed, ""]), env=bench.given(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    said = done.stdout
    assert done.returncode == 64 and "127.0.0.1 is not reached from here: through which host?" in said, said
    refused = said[said.index("through which host?"):said.index("\nSETUP_HEALTH  ")]
    assert "\nwarning: SSH_JUMP: " in refused and " line " not in refused, said
    assert f"SSH_JUMP='{jump}'\n" in (bench.folder / "setup/answers").read_text()
    assert bench.jump.connections() == bench.sshd.connections() == 0


def test_a_host_that_shows_another_key_than_before_is_no_question(bench):
    place = f"[127.0.0.1]:{bench.port_2}"
    secrets = bench.folder / "secrets/runner"
    secrets.mkdir(parents=True)
    another = bench.key.with_name("key.pub").read_text().split()[:2]
    (secrets / "known_hosts").write_text(f"{place} {' '.join(another)}\n")
    before = bench.files()
    status, said = bench.setup("--answers", bench.answers())
    assert status == 70 and f"anew: ssh-keygen -R '{place}' -f {secrets}/known_hosts, and begin again." in said, said
    assert bench.sshd.connections() == 0 and bench.files() == before


@pytest.mark.parametrize("confirmed, words", [
    ("known_hosts", "anew: sudo -u runner ssh-keygen -R 'h1' -f {}/known_hosts, and begin again."),
    ("confirmed", "another key than was confirmed before: is somebody in between? "
     "If the host was made anew: begin again with --anew.")])
def test_a_key_that_has_changed_is_taken_out_by_who_reads_the_file(tmp_path, confirmed, words):
    """Regression: typed with sudo, ssh-keygen -R left a file that the runner could not read; at first there is none."""
    public = {}
    for name in ("old", "new"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        public[name] = " ".join((tmp_path / f"{name}.pub").read_text().split()[:2])
    for name in (confirmed, "known"):
        (tmp_path / name).write_text(f"h1 {public['old']}\n")
    script = f""". {DEPLOY}/common.sh; . {DEPLOY}/setup/hosts.sh; new=$2 draft=$1 jump='' untouched=''
known_final=$1/known_hosts known=$1/known runner_user=runner; scan_key() {{ echo "h1 $new"; }}; look_at_key h1 22"""
    done = subprocess.run(["bash", "-c", script, "setup", tmp_path, public["new"]], text=True, check=False,
                          capture_output=True, timeout=60)
    assert done.returncode == 70 and words.format(tmp_path) in done.stderr, done.stderr
    assert ("ssh-keygen" in done.stderr) == (confirmed == "known_hosts"), done.stderr


# ---- more of them ----------------------------------------------------------------------------------

def test_a_health_url_that_another_application_has_is_warned_of(tmp_path):
    """Regression: it was offered again, and the gate of one was passed by the other."""
    (tmp_path / "apps").mkdir()
    for name, text in (("main", "STAGING_HEALTH_URL=http://h/main\n"),
                       ("apps/web.env", "STAGING_HEALTH_URL=http://h/web\n"),
                       ("apps/shop.env", "EU_WEST_HEALTH_URL='http://h/a,http://h/shop'\n")):
        (tmp_path / name).write_text(text)
    script = """set -euo pipefail
. "$1/deploy/setup/settings.sh"; . "$1/deploy/setup/questions.sh"
name_of() { printf "%s_%s" "${1^^}" "$2"; }; value_of() { said=$mine; }; warn() { echo "$1"; }
read_value() { said=${1//\\'}; }
folder=$2 conf=$2/main application=web target=$2/apps/web.env environments=(staging)
for mine in http://h/web http://h/shop http://h/main; do warn_of_shared_health; done
application='' target=$conf; warn_of_shared_health"""
    done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT, tmp_path], check=False, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert [line.partition(" too: ")[0] for line in done.stdout.splitlines()] == [
        "STAGING_HEALTH_URL: http://h/shop is shop/eu-west's", "STAGING_HEALTH_URL: http://h/main is staging's"], done.stdout


@pytest.mark.long
def test_one_more_application_and_one_more_host(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    web = {"SETUP_FIRST_NAME": "shop", "ADMIN_TELEGRAM_IDS": None, "TELEGRAM_BOT_TOKEN": None, "IMAGE_SOURCE": None,
           "TELEGRAM_API_BASE": None, "REGISTRY_URL": None, "REGISTRY_IMAGE": "team/web", "REGISTRY_USER": None,
           "DEPLOY_USER": None, "API_SERVER_PORT": None}
    before = bench.files()
    status, said = bench.setup("--answers", bench.answers(**web), "app", "web")     # to the folder of the first one
    assert status == 78 and bench.files() == before, said
    (bench.path / "web").mkdir()
    (bench.path / "web/docker-compose.yml").write_text((bench.app / "docker-compose.yml").read_text())
    web["STAGING_COMPOSE_DIR"] = str(bench.path / "web")
    status, said = bench.setup("--answers", bench.answers(**web), "app", "web")
    assert status == 0 and "/deploy web/staging" in said, said
    assert "STAGING_HEALTH_URL: http://127.0.0.1:8080/health is staging's too" in said, said
    apps = bench.folder / "apps"
    assert sorted(path.name for path in apps.iterdir()) == ["shop.env", "web.env"]
    assert "STAGING_HOST" not in bench.settings() and bench.settings(apps / "shop.env")["STAGING_HOST"]
    assert bench.settings(apps / "web.env")["REGISTRY_IMAGE"] == "team/web"
    more = bench.path / "more"
    more.write_text(f"SETUP_HOST=[::1]:{bench.port}\nSETUP_LOGIN={getpass.getuser()}\n"
                    f"SETUP_HOST_KEYS={bench.fingerprint()}\n")
    more.chmod(0o600)
    status, said = bench.setup("--answers", more, "host", "web/staging")
    assert status == 0 and "all is there" in said, said
    settings = bench.settings(apps / "web.env")
    assert settings["STAGING_HOST"] == f"127.0.0.1:{bench.port_2},[::1]:{bench.port}"
    assert settings["STAGING_HEALTH_URL"] == "http://127.0.0.1:8080/health,http://[::1]:8080/health"


PREPARED = f"""set -euo pipefail; . {DEPLOY}/common.sh; . {DEPLOY}/setup/ask.sh; . {DEPLOY}/setup/hosts.sh
draft=$1 login=$2 lets_in=$3 answers=file untouched='' deploy_user=deploy key=k known=k public_key=k health=8080/health
prepare_through() {{ echo "as $login"; [[ $login == root ]] && mkdir -p -- "$draft/srv"; }}
ssh_to() {{ [[ $lets_in == yes ]] || return 255; bash -c "${{@: -1}}"; }}
print_block() {{ echo "the block"; }}
[[ $4 == no ]] || mkdir -p "$1/srv"
prepare h1 22 "$1/srv"
"""


@pytest.mark.parametrize("login, lets_in, has_folder, status, words", [
    ("root", "yes", "no", 0, "as root\n"), ("root", "no", "no", 69, "does not let deploy in with deploybot's key"),
    ("gone", "yes", "yes", 0, "h1: it lets deploy in already"), ("gone", "yes", "no", 69, "h1 has no folder"),
    ("", "yes", "yes", 0, "h1: it lets deploy in already"), ("", "yes", "no", 69, "h1 has no folder"),
    ("", "no", "yes", 69, "does not let deploy in with deploybot's key")])
def test_a_host_is_ready_where_deploybots_key_opens_it_and_the_folder_is_there(
        tmp_path, login, lets_in, has_folder, status, words):
    """Regression: whose login is not let in any more was asked for it though all was there; and with none a host
    without the folder passed, until doctor."""
    done = subprocess.run(["bash", "-c", PREPARED, "x", tmp_path, login, lets_in, has_folder], check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == status and words in done.stdout, done.stdout
    assert ("the block" in done.stdout) == (status != 0), done.stdout


WAYS_IN = f"""set -euo pipefail; shopt -s extglob; . {DEPLOY}/common.sh
for part in ask questions settings hosts; do . {DEPLOY}/setup/$part.sh; done
draft=$1 conf=$1/main target=$1/main conf_there=$1/main application='' answers='' untouched='' runner_user=me
key_final=$1/shared known=$1/known by_ssh=(staging production qa) health=8080/health
look_at_candidate() {{ :; }}
if [[ -e $1/web.env ]]; then target=$1/web.env conf_there=$1/web.env application=web; fi
find_key
for one in staging production; do
    find_way_in $one
    echo "$one: $deploy_user ${{key#"$1/"}} ${{public_key##* }} $through"
done
confirm_keys() {{ echo "asked at once: $deploy_user ${{key##*/}} ${{1:-direct}}: ${{hosts[*]}}"; }}
confirm_keys_of_all
for one in staging production; do set_health "$one"; done >/dev/null
echo "health: ${{want[STAGING_SMOKE_URL]-}} ${{want[PRODUCTION_SMOKE_URL]-}}"
"""
HOSTS_OF_THREE = "STAGING_HOST=h1\nPRODUCTION_HOST=h2,h3\nQA_HOST=h4\n"


@pytest.fixture(name="ways_in")
def make_ways_in(tmp_path):
    """Calls with settings; what is said then, by its first words, and the keys' public halves by name."""
    public = {}
    for name in ("shared", "staging_key", "production_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        public[name] = (tmp_path / f"{name}.pub").read_text().split()[1]

    def call(**files):
        for name, text in files.items():
            (tmp_path / {"app": "web.env"}.get(name, name)).write_text(text.replace("%", f"{tmp_path}/"))
        done = subprocess.run(["bash", "-c", WAYS_IN, "deploybot-setup", tmp_path], check=False, timeout=60, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout, public
    return call


OWN_KEYS = "STAGING_SSH_KEY_PATH=%staging_key\nPRODUCTION_SSH_KEY_PATH=%production_key\n"


@pytest.mark.parametrize("files, staging, production", [
    ({"main": HOSTS_OF_THREE}, "deploy shared ", "deploy shared "),
    ({"main": HOSTS_OF_THREE + OWN_KEYS}, "deploy staging_key ", "deploy production_key "),
    ({"main": HOSTS_OF_THREE + OWN_KEYS + "SSH_KEY_PATH=%shared\nPRODUCTION_DEPLOY_USER=ops\n"},
     "deploy staging_key ", "ops production_key "),
    ({"main": OWN_KEYS + "PRODUCTION_DEPLOY_USER=ops\n",
      "app": HOSTS_OF_THREE + "SSH_KEY_PATH=%shared\nDEPLOY_USER=web\n"}, "web shared ", "web shared "),
    ({"main": OWN_KEYS, "app": HOSTS_OF_THREE}, "deploy staging_key ", "deploy production_key ")])
def test_a_host_gets_the_key_of_its_own_environment(ways_in, files, staging, production):
    """Regression: each host got the one that SSH_KEY_PATH names, and staging's opened production."""
    status, said, public = ways_in(**files)
    assert status == 0, said
    for line, words in (("staging", staging), ("production", production)):
        assert f"{line}: {words}{public[words.split()[1]]} \n" in said, said
    assert "asked at once: deploy shared direct: h1 h2 h3 h4\n" in said or "asked at once" in said, said


def test_each_environment_is_asked_about_by_its_own_way(ways_in):
    """A key that goes through a jump host is needed there; who has no jump host gets a health URL."""
    own = "PRODUCTION_SSH_JUMP=ops@gate\nPRODUCTION_DEPLOY_USER=x\n"
    status, said, public = ways_in(main=HOSTS_OF_THREE + OWN_KEYS + own)
    assert status == 0 and f"production: x production_key {public['production_key']} ops@gate\n" in said, said
    assert said.count("asked at once") == 2 and "x production_key ops@gate: h2 h3\n" in said, said
    assert "staging_key direct: h1 h4\nasked" in said and "health:  http://127.0.0.1:8080/health\n" in said, said
    status, said, _ = ways_in(main=HOSTS_OF_THREE + OWN_KEYS + "SSH_JUMP=ops@gate\n")
    assert [line.split(" ", 3)[3] for line in said.splitlines() if "asked" in line] == [
        "deploy staging_key ops@gate: h1", "deploy production_key ops@gate: h2 h3", "deploy shared ops@gate: h4"], said


def test_a_key_that_is_named_and_not_there_is_no_reason_to_take_another_one(ways_in):
    status, said, _ = ways_in(main=HOSTS_OF_THREE + "PRODUCTION_SSH_KEY_PATH=%none\n")
    assert status == 78 and "PRODUCTION_SSH_KEY_PATH: the key of production, " in said, said
    assert "\nproduction: " not in said and "ssh-keygen -q -t ed25519" in said.splitlines()[-1], said


# ---- around it -------------------------------------------------------------------------------------

@pytest.fixture
def taken(bench):
    """An installation as setup leaves one, without the hosts."""
    bench.take_over()
    token = bench.folder / "secrets/server/telegram_bot_token"
    token.parent.mkdir(parents=True)
    token.write_text(DEFAULT_TOKEN + "\n")
    token.chmod(0o600)
    with open(bench.conf, "a", encoding="utf-8") as conf:
        conf.write(f"ADMIN_TELEGRAM_IDS={ADA}\nGITHUB_REPOSITORY=orchard/shop\n"
                   f"ENVIRONMENTS=staging\nSTAGING_HOST=127.0.0.1:{bench.port_2}\nDEPLOY_TRANSPORT=ssh\n"
                   f"STAGING_HEALTH_URL=http://127.0.0.1:8080/health\nREGISTRY_URL={bench.registry}\n"
                   f"SSH_KEY_PATH={bench.key}\nSSH_KNOWN_HOSTS={bench.folder}/known_hosts\n")
    (bench.folder / "known_hosts").touch()
    return bench


def test_where_production_was_nowhere_yet_it_is_asked_for_again_and_host_says_how(taken):
    """Two environments on one host are said to have one port there, too."""
    before = taken.files()
    for environment, words in (("production", "deploybot-setup, typed again, asks where production runs"),
                               ("eu", "write eu into its ENVIRONMENTS, behind the others; then deploybot-setup")):
        status, said = taken.setup("host", environment)
        assert status == 78 and words in said.splitlines()[-1] and taken.files() == before, said
    with open(taken.conf, "a", encoding="utf-8") as conf:
        conf.write(f"PRODUCTION_COMPOSE_DIR={taken.path}/production\n")
    before = taken.files()
    lines = taken.lines()
    host = lines.index(f"127.0.0.1:{taken.port_2}")
    typed = [lines[0], "", *lines[2:host], "", lines[host], ""]     # the token, and staging's host, are there
    done = subprocess.run(taken.words(), input="\n".join([*typed, ""]), env=taken.given(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    said = done.stdout
    assert "\nPRODUCTION_HOST  Where does production run? - for nowhere yet\n" in said, said
    assert "PRODUCTION_HEALTH_URL: http://127.0.0.1:8080/health is staging's too" in said, said
    assert done.returncode == 64 and "\nSETUP_LOGIN  " in said and taken.files() == before, said
    assert taken.sshd.connections() == 0


def test_the_host_that_was_typed_for_staging_is_not_productions(taken):
    """Regression: all environments had one draft, and production got what an interrupted try had for staging."""
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text}PRODUCTION_HOST=localhost:{taken.port_2}\n"
                          "PRODUCTION_HEALTH_URL=http://localhost:8081/health\n")
    before, typed = taken.files(), f"[::1]:{taken.port}"
    status, said = type_lines(taken, [typed], "host", "staging")
    assert status == 64 and "\nSETUP_LOGIN  " in said, said
    status, said = type_lines(taken, [], "host", "production")
    assert status == 64 and "\nSETUP_HOST  Which host does production get?" in said and typed not in said, said
    status, said = type_lines(taken, [], "host", "staging")
    assert status == 64 and f"SETUP_HOST: {typed}, as answered before" in said and taken.files() == before, said


@pytest.mark.long
def test_a_new_host_of_production_lets_in_productions_own_key_and_not_stagings(taken):
    """Regression: it let in the one of SSH_KEY_PATH."""
    public = {}
    for name in ("staging_key", "production_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", taken.path / name], check=True)
        public[name] = (taken.path / f"{name}.pub").read_text().split()[1]
    with open(taken.sshd.path / "authorized", "a", encoding="utf-8") as authorized:     # on the first host
        authorized.write(f"ssh-ed25519 {public['production_key']}\n")
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text.replace(str(taken.key), str(taken.path / 'staging_key'))}"
                          f"PRODUCTION_HOST=127.0.0.1:{taken.port_2}\nPRODUCTION_COMPOSE_DIR={taken.path}/production\n"
                          f"PRODUCTION_HEALTH_URL=http://127.0.0.1:8081/health\n"
                          f"PRODUCTION_SSH_KEY_PATH={taken.path / 'production_key'}\n")
    answers = taken.path / "answers"
    answers.write_text(f"SETUP_HOST=[::1]:{taken.port}\nSETUP_LOGIN={getpass.getuser()}\n"
                       f"SETUP_HOST_KEYS={taken.fingerprint()}\n")
    answers.chmod(0o600)
    _, said = taken.setup("--answers", answers, "host", "production")
    assert "\nwritten: " in said and taken.settings()["PRODUCTION_HOST"].endswith(f",[::1]:{taken.port}"), said
    keys = (taken.home / ".ssh/authorized_keys").read_text()
    assert public["production_key"] in keys and public["staging_key"] not in keys, keys


def test_an_environment_with_a_transport_of_its_own_stays_when_set_up_is_typed_again(taken):
    """Regression: it was asked for a host, and Enter, or --answers without one, took it out of ENVIRONMENTS."""
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text}PRODUCTION_DEPLOY_TRANSPORT=local\nPRODUCTION_PORT=8090\n"
                          "PRODUCTION_HEALTH_URL=http://127.0.0.1:8090/health\n")
    before = taken.files()
    lines = taken.lines()
    typed = [lines[0], "", *lines[2:lines.index(f"127.0.0.1:{taken.port_2}")], ""]
    done = subprocess.run(taken.words(), input="\n".join([*typed, ""]), env=taken.given(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    said = done.stdout
    assert done.returncode == 64 and "\nSETUP_LOGIN  " in said and taken.files() == before, said
    assert "Where does production run?" not in said and "production is released by local: it stays" in said, said
    assert "\nSETUP_HEALTH  " not in said and "\nSTAGING_HEALTH_URL stays as it is: http://127.0.0.1:8080/health\n" in said
    answers = taken.answers(PRODUCTION_HOST=None, API_SERVER_PORT=None, ADMIN_TELEGRAM_IDS=None)
    _, said = taken.setup("--answers", answers)
    assert "\nwritten: " in said and "==> doctor production" in said and "goes out of ENVIRONMENTS" not in said, said
    assert taken.settings()["ENVIRONMENTS"] == "staging,production", said
    assert "#PRODUCTION_HOST" not in taken.conf.read_text("utf-8")


ENVIRONMENTS = f"""set -euo pipefail; shopt -s extglob; . {DEPLOY}/common.sh
for part in ask questions settings; do . {DEPLOY}/setup/$part.sh; done
draft=$1 conf=$1/main target=$1/main conf_there=$1/main application='' answers='' untouched=''
look_at_candidate() {{ :; }}
getent() {{ [[ $2 == h[0-9] ]]; }}
timeout() {{ "${{@:3}}"; }}
if [[ -e $1/web.env ]]; then target=$1/web.env conf_there=$1/web.env application=web; fi
if [[ -e $1/answers ]]; then answers=$1/answers; read_answers given "$answers"; fi
take_given; ask_environments; echo "all: ${{environments[*]}} by ssh: ${{by_ssh[*]-}}"
echo "written: ${{want[ENVIRONMENTS]-as it was}}"
"""
BOTH = "ENVIRONMENTS='staging, production'\nSTAGING_HOST=h1\n"


def ask_environments(folder, typed, **files):
    for name, text in files.items():
        (folder / {"app": "web.env"}.get(name, name)).write_text(text)
    done = subprocess.run(["bash", "-c", ENVIRONMENTS, "deploybot-setup", folder], input=typed, check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.mark.parametrize("way, named", [
    ("PRODUCTION_DEPLOY_TRANSPORT=kubernetes\n", "kubernetes"), ("PRODUCTION_USE_KUBERNETES=Yes\n", "kubernetes"),
    ("PRODUCTION_DEPLOY_TRANSPORT=systemd\nPRODUCTION_HOST=h2\n", "systemd"),
    ("PRODUCTION_DEPLOY_SCRIPT=/srv/ship\n", "/srv/ship"),
    ("DEPLOY_TRANSPORT=local\nSTAGING_DEPLOY_TRANSPORT=ssh\n", "local")])
@pytest.mark.parametrize("application", [False, True])
def test_who_is_not_asked_for_a_host_stays(tmp_path, way, named, application):
    files = {"main": way, "app": BOTH} if application else {"main": BOTH + way}
    if "_HOST" in way and application:
        files = {"main": "", "app": BOTH + way}
    for given in ({}, {"answers": "IMAGE_SOURCE=registry\n"}):
        status, said = ask_environments(tmp_path, "\n", **files, **given)
        assert status == 0 and "PRODUCTION_HOST" not in said, said
        assert f"production is released by {named}: it stays" in said, said
        assert "all: staging production by ssh: staging\nwritten: staging,production\n" in said, said


@pytest.mark.parametrize("typed, answers, status, words", [
    ("\n\n", None, 64, "production is in ENVIRONMENTS: a host is needed, or - takes it out"),
    ("\n-\n", None, 0, "production goes out of ENVIRONMENTS, as answered"),
    ("\nh2\n", None, 0, "all: staging production by ssh: staging production"),
    ("", "IMAGE_SOURCE=registry\n", 78, "has no PRODUCTION_HOST"),
    ("", "PRODUCTION_HOST=\n", 0, "production goes out of ENVIRONMENTS, as answered"),
    ("", "ENVIRONMENTS=staging\n", 0, "production goes out of ENVIRONMENTS, as answered")])
def test_an_environment_goes_by_an_answer_alone_and_that_is_said(tmp_path, typed, answers, status, words):
    done, said = ask_environments(tmp_path, typed, main=BOTH, **({"answers": answers} if answers else {}))
    assert done == status and words in said, said
    assert ("written: staging\n" in said) == ("goes out" in words), said


@pytest.mark.parametrize("main, typed, answers, status, words", [
    ("", "nosuch.example.org\n", None, 64, "STAGING_HOST: nosuch.example.org has no address here."),
    ("", "nosuch.example.org\nnosuch.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("", "h1\n8080\n", None, 64, "PRODUCTION_HOST: 8080 has no address here."),
    ("SSH_JUMP=ops@h1\n", "inside.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("SSH_PROXY_COMMAND='tunnel %h %p'\n", "inside.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("", "", "STAGING_HOST=nosuch.example.org\n", 78, "nosuch.example.org has no address here.")])
def test_a_name_without_an_address_is_asked_again_unless_a_jump_host_may_know_it(
        tmp_path, main, typed, answers, status, words):
    """Regression: it was taken, the way through another host was asked, and much later whether it is up."""
    done, said = ask_environments(tmp_path, typed, main=main, **({"answers": answers} if answers else {}))
    assert done == status and words in said, said
    assert ("has no address" in said) == ("no address" in words or typed.count("nosuch") == 2), said


JUMPS = ENVIRONMENTS.partition("take_given;")[0] + """environment=staging
can_reach() { return 1; }
hosts=(h2) ports=(22); ask_jump; echo "through ${want[SSH_JUMP]}"
"""


@pytest.mark.parametrize("typed, through", [("8080\nops@h1\n", "ops@h1"), ("ops@nosuch:22\n\n-\n", ""),
                                            ("ops@h1:2222\n", "ops@h1:2222")])
def test_a_jump_host_without_an_address_is_asked_again(tmp_path, typed, through):
    (tmp_path / "main").touch()
    done = subprocess.run(["bash", "-c", JUMPS, "deploybot-setup", tmp_path], input=typed, check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout
    assert done.returncode == 0 and said.endswith(f"through {through}\n"), said
    assert ("has no address here: USER@HOST" in said) == ("2222" not in typed), said


KEEPS = ENVIRONMENTS.partition("take_given;")[0] + """by_ssh=(staging production)
if keep_health; then echo "not asked, the port of $health"; else echo asked; fi
"""
HEALTH_OF_BOTH = "STAGING_HEALTH_URL=http://h1:8080/health\nPRODUCTION_HEALTH_URL=https://[::1]:9090/up\n"


@pytest.mark.parametrize("main, answers, words, warned", [
    ("", "", "asked\n", 0), ("STAGING_HEALTH_URL=http://h1:8080/health\n", "", "asked\n", 0),
    ("STAGING_HEALTH_URL=http://h1/\nPRODUCTION_SMOKE_URL=http://127.0.0.1:1/\n", "", "asked\n", 0),
    (HEALTH_OF_BOTH, "", "not asked, the port of 8080/\n", 0),
    (HEALTH_OF_BOTH + "SSH_JUMP=ops@h3\n", "SETUP_HEALTH=8080/health\n", "not asked, the port of 8080/\n", 1),
    (HEALTH_OF_BOTH, "SETUP_HEALTH=9090/ready\n", "STAGING_HEALTH_URL stays as it is: http://h1:8080/health\n", 2),
    ("STAGING_HEALTH_URL=http://h1/\nPRODUCTION_HEALTH_URL=http://h2/\n", "", "not asked, the port of 8080/health\n", 0),
    ("SSH_JUMP=ops@h3\nSTAGING_SMOKE_URL=http://127.0.0.1:8081/\nPRODUCTION_HEALTH_URL=http://h2/\n", "",
     "STAGING_SMOKE_URL stays as it is: http://127.0.0.1:8081/\n", 0)])
def test_where_each_has_a_health_url_none_is_asked_for(tmp_path, main, answers, words, warned):
    """Regression: one was asked for, taken, and not used."""
    for name, text in (("main", main), ("answers", answers)):
        (tmp_path / name).write_text(text)
    (tmp_path / "answers").chmod(0o600)
    done = subprocess.run(["bash", "-c", KEEPS, "deploybot-setup", tmp_path], check=False, timeout=60, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and words in done.stdout, done.stdout
    assert done.stdout.count("stays as it is: change it in") == warned, done.stdout


@pytest.mark.parametrize("main, typed, written", [
    ("", "h1\n\n", "staging"), ("ENVIRONMENTS=staging\nSTAGING_HOST=h1\n", "\n\n", "staging"),
    ("ENVIRONMENTS=staging\nSTAGING_DEPLOY_TRANSPORT=local\n", "\n", "staging"),
    ("ENVIRONMENTS=staging\nDEPLOY_TRANSPORT=local\n", "", "as it was"),
    ("DEPLOY_TRANSPORT=kubernetes\n", "", "as it was")])
def test_who_was_never_there_needs_no_host_yet(tmp_path, main, typed, written):
    status, said = ask_environments(tmp_path, typed, main=main)
    assert status == 0 and said.endswith(f"written: {written}\n") and "goes out" not in said, said


def answer_at_the_door(bench, status, body=""):
    """https://bot.example.org as curl sees it; all else is asked by the real one."""
    path = bench.path / "door"
    path.mkdir(exist_ok=True)
    (path / "curl").write_text('#!/bin/bash\nsaid=$(cat)\ncase $said in *//bot.example.org/*) '
                               'while (($# > 1)); do [[ $1 != --output ]] || out=$2; shift; done; '
                               f'printf "%s\\n" "{body}" >"$out"; printf {status}; [[ {status} != 000 ]] ;; *) '
                               f'exec {shutil.which("curl")} "$@" <<<"$said" ;; esac\n')
    (path / "curl").chmod(0o755)
    bench.environment["PATH"] = f"{path}:{bench.environment['PATH']}"


OTHERS = "deploybot 0123456789abcdef0123456789abcdef"


@pytest.fixture
def here(taken):
    """A deploybot runs here; taken.instance: what it says which one it is."""
    given = taken.conf.read_text("utf-8")
    taken.conf.write_text(given.replace(f"PORT={SERVER_PORT}\n", f"PORT={free_port()}\nAPI_SERVER_ADDRESS=127.0.0.1\n"))
    (taken.folder / "state").mkdir()
    words = [os.path.join(os.path.dirname(PROGRAM), "deploybot"), "--env-file", str(taken.conf)]
    given = {name: text for name, text in taken.given().items() if name in ("PATH", "LANG", "HOME")}
    with open(taken.path / "server.log", "wb") as log, \
            subprocess.Popen(words, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server:
        def ask():
            assert server.poll() is None, (taken.path / "server.log").read_text("utf-8", "replace")
            return subprocess.run([*words, "healthcheck", "--instance"], env=given, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False).stdout.strip()
        try:
            taken.instance = wait_until(ask, 60, "the server")
            yield taken
        finally:
            server.terminate()


def test_webhooks_get_secrets_of_their_own_and_what_the_forge_is_to_know_is_said(here):
    taken = here
    answer_at_the_door(taken, 200, here.instance)
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 0 and "https://bot.example.org/github/webhook" in said, said
    settings, secrets = taken.settings(), taken.folder / "secrets/server"
    assert settings["TELEGRAM_WEBHOOK_URL"] == "https://bot.example.org/telegram/webhook"
    for name in ("telegram", "github"):
        path = secrets / f"{name}_webhook_secret"
        assert settings[f"{name.upper()}_WEBHOOK_SECRET_FILE"] == str(path) and path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_text()) == 64 and path.read_text() not in said
    before = taken.files()
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 0 and taken.files() == before, said


def test_without_a_server_no_name_leads_to_it(taken):
    answer_at_the_door(taken, 200, OTHERS)
    before = taken.files()
    status, said = taken.setup("webhooks", "bot.example.org")
    assert status == 78 and "deploybot does not run here" in said and taken.files() == before, said


@pytest.mark.parametrize("name, door, status, words", [
    ("bot.example.org", "000", 69, "does not answer with a certificate"),
    pytest.param("bot.example.org", "502", 69, "behind it is not", marks=pytest.mark.long),
    ("bot.example.org", "200", 78, "not this deploybot"),
    pytest.param("bot.example.org", "405", 78, "not this deploybot", marks=pytest.mark.long),
    pytest.param("https://bot.example.org", "200", 64, "no name in the DNS", marks=pytest.mark.long),
    ("bot.example.org/$(id)", "200", 64, "no name in the DNS"),
    ("localhost", "200", 64, "no name in the DNS")])
def test_an_address_that_leads_nowhere_leaves_polling_as_it_is(here, name, door, status, words):
    taken = here
    answer_at_the_door(taken, door, OTHERS)
    before = taken.files()
    done, said = taken.setup("webhooks", name)
    assert done == status and words in said and taken.files() == before, said


ALERT_TOKEN = "7000000003:AAF-the_second_bot_for_alerts_0123456789"


@pytest.fixture(scope="module")
def second_bot():
    with Telegram.start("--local", "--limits", "off", "--token", ALERT_TOKEN) as made:
        made.say(ADA, ADA, "/start")
        yield made


@pytest.fixture
def second(taken, second_bot):
    """The Bot API that knows the second bot."""
    answer_at_the_door(taken, 200)
    text = taken.conf.read_text("utf-8")
    taken.conf.write_text(text.replace(f"TELEGRAM_API_BASE={taken.chat.base}", f"TELEGRAM_API_BASE={second_bot.base}"))
    return second_bot


def alert_answers(bench, **changes):
    path = bench.path / "alert-answers"
    said = {"ALERT_BOT_TOKEN": ALERT_TOKEN, "ALERT_CHAT_ID": str(ADA), "ALERT_WATCHDOG_URL": bench.site.url("ring"),
            **changes}
    path.write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    path.chmod(0o600)
    return path


def test_alerts_go_by_a_second_bot_whose_token_is_in_no_file_of_others(taken, second):
    status, said = taken.setup("--answers", alert_answers(taken), "alerts")
    assert status == 0 and ALERT_TOKEN not in said, said
    assert text_of(second.messages(ADA)[-1]) == "deploybot's alerts arrive here."
    values, made = taken.folder / "secrets/alerts", taken.folder / "alerts/alertmanager.yml"
    assert values.stat().st_mode & 0o777 == 0o700 and made.stat().st_mode & 0o777 == 0o640
    assert ALERT_TOKEN in made.read_text() and taken.site.asked and (taken.folder / "alerts/alerts.yml").exists()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in values.iterdir())
    status, said = taken.setup("--answers", alert_answers(taken), "alerts")
    assert status == 0, said


@pytest.mark.parametrize("changes, words", [
    ({"ALERT_BOT_TOKEN": DEFAULT_TOKEN}, "deploybot's own bot"), ({"ALERT_BOT_TOKEN": "x"}, "no token"),
    ({"ALERT_CHAT_ID": "@team"}, "no chat's id"),
    ({"ALERT_CHAT_ID": "-1009999999999"}, "is the second bot in that chat?"),
    ({"ALERT_WATCHDOG_URL": "ring.example.org"}, "no http:// or https:// address"),
    ({"ALERT_WATCHDOG_URL": 'https://a"b'}, "no http:// or https:// address"),
    ({"ALERT_WATCHDOG_URL": "http://127.0.0.1:1/"}, "it answers 000")])
def test_an_alert_that_nobody_would_hear_is_not_set_up(taken, second, changes, words):
    before = taken.files()
    status, said = taken.setup("--answers", alert_answers(taken, **changes), "alerts")
    assert status == 78 and words in said and taken.files() == before, said
