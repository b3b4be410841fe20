"""Goal: what is said for one environment decides there and nowhere else: of a script that a person starts, and of a run
of the runner's, which has no secret of another environment."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess

import pytest

from runner_client import PROGRAM, ROOT, Bench

DEPLOY = os.path.join(ROOT, "deploy")
TABLE = pathlib.Path(ROOT, "tests/fixtures/settings-of-environments.txt")
ROWS = [tuple(part.strip() for part in line.split("|")) for line in TABLE.read_text("utf-8").splitlines()
        if line and not line.startswith("#")]
# As deploy.sh begins.
SHOW = 'here=$1; . "$1/common.sh"; check_environment "$2"; printf %s "${!3:--}"'


def by_hand(folder, environment, name, words=SHOW, **given):
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", words, "show", DEPLOY, environment, name],
        capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "DEPLOYBOT_RUNNER": PROGRAM,
             "APPS_DIRECTORY": str(folder), **given})


@pytest.mark.parametrize("setting, where, said", ROWS, ids=lambda text: text or "nowhere")
def test_by_hand_the_table_of_cases_holds_as_for_server_and_runner(tmp_path, setting, where, said):
    """tests/unit/test_settings_special.c asks those two."""
    given = {"main": {}, "env": {}, "app": {}}
    for word in where.split():
        place, text = word.split(":", 1)
        given[place].update([text.split("=", 1)])
    if given["app"]:
        (tmp_path / "shop.env").write_text("".join(f"{name}={value}\n" for name, value in given["app"].items()))
    done = by_hand(tmp_path, "shop/staging" if given["app"] else "staging", setting, **given["main"] | given["env"])
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_the_table_is_not_empty():
    assert len(ROWS) > 20 and {"app:", "main:", "env:"} <= {word[:4] if word[0] != "m" else word[:5]
                                                            for _, where, _ in ROWS for word in where.split()}


def test_by_hand_what_is_another_environments_goes_out_of_the_environment(tmp_path):
    """A hook, a build or a transport of one's own has it otherwise."""
    given = {"STAGING_REGISTRY_PASSWORD_FILE": "/s/staging", "PRODUCTION_REGISTRY_PASSWORD_FILE": "/s/production",
             "PRODUCTION_REGISTRY_PASSWORD": "the-canary", "PRODUCTION_SSH_KEY_PATH": "/s/key",
             "ENVIRONMENTS": "staging,production,eu-west", "EU_WEST_DEPLOY_USER": "far"}
    done = by_hand(tmp_path, "staging", "-", words='here=$1; . "$1/common.sh"; check_environment "$2"; env', **given)
    assert done.returncode == 78 and "STAGING_REGISTRY_PASSWORD_FILE: /s/staging" in done.stderr
    for name in ("staging", "production"):
        (tmp_path / name).write_text(f"password-of-{name}\n")
        given[f"{name.upper()}_REGISTRY_PASSWORD_FILE"] = str(tmp_path / name)
    done = by_hand(tmp_path, "staging", "-", words='here=$1; . "$1/common.sh"; check_environment "$2"; env', **given)
    env = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert env["REGISTRY_PASSWORD_FILE"] == str(tmp_path / "staging"), done.stderr
    assert not [name for name in env if name.startswith(("STAGING_", "PRODUCTION_", "EU_WEST_"))
                and not name.endswith(("_COMPOSE_DIR", "_HOST", "_PORT"))]
    assert "canary" not in done.stdout and str(tmp_path / "production") not in done.stdout


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


# Everything that a run may look at: its variables, and what its parents and it hold open.
LOOK = r"""env
printf "mine=%s\n" "$(<"$REGISTRY_PASSWORD_FILE")" | tr a-z b-za
for process in $$ $PPID; do
	for file in /proc/$process/fd/*; do
		case $(readlink "$file") in
		*memfd:setting*) printf 'held=%s\n' "$(head -c 200 "$file")" | tr a-z b-za ;;
		esac
	done
done"""


def turned(text):
    """As LOOK writes it: the log has no secret as it is."""
    return "".join("a" if c == "z" else chr(ord(c) + 1) if c.isalpha() else c for c in text)


def test_no_secret_of_another_environment_reaches_a_run(bench):
    """Of one file with both, in one life of the runner, whoever ran before."""
    main = bench.path / "deploybot.conf"
    secrets = {name: f"canary-of-{name}" for name in ("staging", "production")}
    for name, secret in secrets.items():
        (bench.path / f"password.{name}").write_text(secret)
    main.write_text("ENVIRONMENTS=staging,production\nREGISTRY_USER=ci\nDEPLOY_USER=all\nPRODUCTION_DEPLOY_USER=prod\n"
                    f"STAGING_REGISTRY_PASSWORD={secrets['staging']}\nSTAGING_SSH_KEY_PATH=/k/staging\n"
                    f"PRODUCTION_REGISTRY_PASSWORD_FILE={bench.path}/password.production\n"
                    "PRODUCTION_SSH_KEY_PATH=/k/production\n")
    runner = bench.runner(LOOK, arguments=["--env-file", str(main)],
                          PRODUCTION_KUBECONFIG="/k/production-cluster", STAGING_KUBECONFIG="/k/staging-cluster")
    for run, name in enumerate(("production", "staging", "production"), 1):
        other = "production" if name == "staging" else "staging"
        assert runner.start(run, environment=name).exit()["status"] == 0
        log = runner.log(run).decode()
        env = dict(line.split("=", 1) for line in log.splitlines() if "=" in line)
        assert env["SSH_KEY_PATH"] == f"/k/{name}" and env["KUBECONFIG"] == f"/k/{name}-cluster"
        assert env["DEPLOY_USER"] == ("prod" if name == "production" else "all")
        assert f"{turned('mine')}={turned(secrets[name])}" in log
        assert f"{turned('held')}={turned(secrets[name])}" in log   # the look would see the other's too
        for trace in (turned(secrets[other]), secrets[other], f"/k/{other}", f"{other.upper()}_", f"password.{other}"):
            assert trace not in log, trace


def test_check_config_says_what_is_an_environments_own_and_what_does_nothing(tmp_path):
    file = tmp_path / "settings.env"
    file.write_text("TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\nADMIN_TELEGRAM_IDS=11\n"
                    "GITHUB_REPOSITORY=a/b\nREGISTRY_URL=r.example\nSTAGING_HOST=a\nPRODUCTION_HOST=b\n"
                    "PRODUCTION_DEPLOY_TRANSPORT=carrier\nPRODUCTION_DEPLOY_USER=x\nSTAGING_DEPLOY_USR=y\n"
                    "STAGING_POLL_REPOSITORY_SECONDS=5\n")
    done = subprocess.run([PROGRAM.removesuffix("-runner"), "check-config", "--env-file", str(file)], check=False,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert "      of its own: DEPLOY_TRANSPORT, DEPLOY_USER\n" in done.stdout and done.returncode == 78
    for said in ("warning  STAGING_DEPLOY_USR: is no setting; did you mean STAGING_DEPLOY_USER?",
                 "error    STAGING_POLL_REPOSITORY_SECONDS: no environment has a POLL_REPOSITORY_SECONDS of its own",
                 'error    DEPLOY_TRANSPORT: there is no transport "carrier"'):
        assert said in done.stderr, done.stderr


def test_an_action_on_a_client_has_nothing_of_an_environment_of_that_name(bench):
    main = bench.path / "deploybot.conf"
    main.write_text("ENVIRONMENTS=staging,acme\nCLIENTS=acme\nCLIENT_ACME_HOST=h\nCLIENT_ACME_ACTIONS=disk-free\n"
                    "DEPLOY_USER=all\nACME_DEPLOY_USER=the-environments\nSSH_JUMP=ops@bastion:22\n")
    scripts = bench.path / "scripts"
    scripts.mkdir()
    for name in ("deploy.sh", "act-on.sh"):
        (scripts / name).write_text("#!/bin/sh\nenv\n")
        (scripts / name).chmod(0o755)
    runner = bench.runner(arguments=["--env-file", str(main), "--scripts", str(scripts)])
    assert runner.start(1, program="action", application="client", environment="acme", argument="disk-free",
                        client="acme").exit()["status"] == 0
    assert "DEPLOY_USER=all\n" in runner.log(1).decode() and b"CLIENT_HOST=h\n" in runner.log(1)
    assert b"SSH_JUMP=ops@bastion:22\n" in runner.log(1)     # it goes the way of releases
    assert runner.start(2, environment="acme").exit()["status"] == 0
    assert "DEPLOY_USER=the-environments\n" in runner.log(2).decode()
