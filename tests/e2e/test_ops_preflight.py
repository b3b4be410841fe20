"""Goal: `deploybot doctor ENV` asks the target as the runner would: with its settings, whatever stands in them."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import subprocess

import pytest

from ops_aid import bare
from stage import Deploybot

SCRIPT = """#!/bin/bash
printf '%s\\n' "$*" "$NGINX_RELOAD_COMMAND" "${TELEGRAM_BOT_TOKEN-none}" "$(<"$REGISTRY_PASSWORD_FILE")" "$STAGING_HOST"
echo "what is wrong" >&2
exit 70
"""


@pytest.fixture
def runner(tmp_path):
    """Runs deploybot-runner with a target.sh of the test's own."""
    scripts, state = tmp_path / "scripts", tmp_path / "state"
    scripts.mkdir()
    state.mkdir(0o700)
    for name in ("deploy.sh", "target.sh"):
        (scripts / name).write_text(SCRIPT)
        (scripts / name).chmod(0o755)
    password = tmp_path / "password"
    password.write_text("p4ss w0rd\n")
    password.chmod(0o600)
    conf = tmp_path / "deploybot.conf"
    conf.write_text("TELEGRAM_BOT_TOKEN_FILE=/nowhere/of/the/server\nNGINX_RELOAD_COMMAND=sudo -n nginx -s reload\n"
                    f"REGISTRY_USER=ada\nREGISTRY_PASSWORD_FILE={password}\nSTAGING_HOST=h1\n"
                    f"STATE_DIRECTORY={state}\n")

    def run(*more, lines=""):
        conf.write_text(conf.read_text() + lines)
        program = Deploybot(tmp_path, {"API_SERVER_PORT": "1"}).build / "deploybot-runner"
        return subprocess.run([program, "--scripts", scripts, "--env-file", conf, *more], check=False, timeout=60,
                              capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    return run


def test_a_blank_in_a_setting_and_a_secret_reach_the_script(runner):
    """`env $(grep … | xargs)` cut the first and left out the second."""
    done = runner("--preflight", "staging")
    assert done.stdout.splitlines() == [
        "staging preflight", "sudo -n nginx -s reload", "none", "p4ss w0rd", "h1"], done
    assert done.returncode == 70 and done.stderr == "what is wrong\n"  # the script's own


def test_ones_own_deploy_script_is_not_asked(runner):
    done = runner("--preflight", "staging", lines="DEPLOY_SCRIPT=/bin/true\n")
    assert done.returncode == 78 and "only deploybot's own scripts" in done.stderr and not done.stdout


@pytest.mark.parametrize("words", [("--preflight", "Staging!"), ("--preflight", "staging", "--drain"),
                                   ("--preflight", "staging", "--check-settings")])
def test_what_cannot_be_meant_is_refused(runner, words):
    done = runner(*words)
    assert done.returncode in (64, 78) and not done.stdout


def test_doctor_env_is_the_targets_preflight(tmp_path):
    """As it is typed; the server's own settings do not matter."""
    bot = bare(tmp_path, DEPLOY_TRANSPORT="ssh", REGISTRY_URL="registry.example.org", STAGING_HOST="h1",
               SSH_KEY_PATH="/nowhere/key", TELEGRAM_BOT_TOKEN=None)
    (tmp_path / "state").mkdir(0o700)
    found = bot.run("doctor", "staging")
    assert found.stdout.splitlines() == ["asks the target of staging, over the network", "==> preflight"], found
    assert found.returncode == 78 and "SSH_KEY_PATH: there is no file /nowhere/key" in found.stderr
    found = bot.run("doctor", "stagign")
    assert found.returncode != 0 and "unknown environment: stagign (there are: staging,production)" in found.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the runner's user")
def test_root_asks_a_target_as_the_runners_user(tmp_path):
    """sudo deploybot doctor ENV is what everybody types."""
    bot = bare(tmp_path, DEPLOY_TRANSPORT="local", STAGING_PORT="8001", PRODUCTION_PORT="8002")
    (tmp_path / "state").mkdir(0o755)
    shutil.chown(tmp_path / "state", "nobody")
    (tmp_path / "bin").mkdir()
    shutil.copy(bot.build / "deploybot", tmp_path / "bin")
    (tmp_path / "bin/deploybot-runner").write_text("#!/bin/sh\nid -un\n")
    for path in (tmp_path / "bin/deploybot-runner", *tmp_path.parents, tmp_path):
        if path != pathlib.Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    bot.build = tmp_path / "bin"
    assert bot.run("doctor", "staging").stdout.splitlines()[1:] == ["nobody"]


def test_doctor_says_what_a_preflight_warns_of(tmp_path):
    """Regression: a target that somebody else sets back was "ready to be deployed to", and no more."""
    bot = bare(tmp_path, ENVIRONMENTS="staging,production,test", DEPLOY_TRANSPORT="local", STAGING_PORT="8001",
               PRODUCTION_PORT="8002", TEST_PORT="8003")
    (tmp_path / "state").mkdir(0o700)
    (tmp_path / "bin").mkdir()
    shutil.copy(bot.build / "deploybot", tmp_path / "bin")
    runner = tmp_path / "bin" / "deploybot-runner"
    runner.write_text("""#!/bin/sh
[ "$1" = --preflight ] || exit 1
case $2 in
staging) echo '==> preflight'; printf '==> warning kept as in git\\033[1m\\n' >&2 ;;
production) echo '==> warning one'; echo '==> warning two'; echo all is there ;;
*) echo all is there; echo '==> warning' ;;
esac
""")
    runner.chmod(0o755)
    bot.build = tmp_path / "bin"
    found = bot.run("doctor").stdout
    for line in ("warning  staging: ready to be deployed to, but: kept as in git",
                 "warning  production: ready to be deployed to, with 2 warnings: one\n",
                 "ok       test: ready to be deployed to\n"):
        assert line in found, found
