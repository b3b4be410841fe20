"""Goal: a script is given what stands in docs/deploy-scripts.md and nothing else: descriptors, signals, session,
environment, settings, files.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import ctypes
import os
import pathlib
import re
import signal
import stat

import pytest

from runner_client import ROOT, Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.done()


def test_a_script_has_descriptors_0_1_2_and_no_other(bench):
    runner = bench.runner("exec /usr/bin/python3 -c 'import os; print(sorted(os.listdir(\"/proc/self/fd\")))\n"
                          "for f in (0, 1, 2): print(os.readlink(f\"/proc/self/fd/{f}\"))'")
    runner.start(1).exit()
    lines = runner.log(1).decode().splitlines()
    # os.listdir itself has one open while it reads.
    assert lines[0] == "['0', '1', '2', '3']"
    assert lines[1] == "/dev/null" and lines[2] == lines[3] and lines[2].startswith("pipe:")


def raw_sigaction(number, action):
    """The kernel's own call, for the two signals that libc hides; returns the action before."""
    before = (ctypes.c_ulong * 8)()
    call = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
    assert ctypes.CDLL(None).syscall(call, number, action, before, 8) == 0
    return before


def test_a_script_has_no_blocked_or_ignored_signal(bench):
    """Not even 32 and 33, which libc keeps to itself: a parent may have ignored them."""
    ignored = (ctypes.c_ulong * 8)(int(signal.SIG_IGN))
    before = [(number, raw_sigaction(number, ignored)) for number in (32, 33)]
    try:
        runner = bench.runner("exec grep -E '^Sig(Blk|Ign)' /proc/self/status")
    finally:
        for number, action in before:
            raw_sigaction(number, action)
    runner.start(1).exit()
    assert [line.split()[1] for line in runner.log(1).decode().splitlines()] == ["0" * 16] * 2


def test_a_script_has_a_session_of_its_own_and_a_private_umask(bench):
    runner = bench.runner('read -r stat </proc/self/stat; set -- ${stat##*) }; echo "$$ $3 $4"; umask; pwd')
    runner.start(1).exit()
    lines = runner.log(1).decode().splitlines()
    pid, group, session = lines[0].split()
    assert pid == group == session and lines[1:] == ["0077", "/"]


def test_a_transport_of_ones_own_gets_settings_of_its_own(bench):
    """From the runner's environment and from the file; of its environment alone, and nothing that is empty."""
    (bench.path / "settings").write_text(
        "STAGING_TRANSPORT_FOLDER=/srv/www\nSTAGING_TRANSPORT_MODE=file\nTRANSPORT_ZONE=\nSTAGING_FOLDER=/no\n")
    runner = bench.runner("env", arguments=["--env-file", str(bench.path / "settings")],
                          STAGING_TRANSPORT_MODE="environment", TRANSPORT_FOLDER="yes",
                          PRODUCTION_TRANSPORT_FOLDER="/other")
    runner.start(1).exit()
    env = dict(line.split("=", 1) for line in runner.log(1).decode().splitlines())
    assert {name: value for name, value in env.items() if "TRANSPORT_" in name or "FOLDER" in name} == {
        "STAGING_TRANSPORT_FOLDER": "/srv/www", "STAGING_TRANSPORT_MODE": "environment", "TRANSPORT_FOLDER": "yes"}


def test_the_environment_is_minimal_and_a_secret_is_a_file(bench):
    token = "ghp_0123456789abcdefghij"
    runner = bench.runner('env; echo "token=$(rev "$REPOSITORY_TOKEN_FILE")"; '
                          'echo "mode=$(stat -L -c %a "$REPOSITORY_TOKEN_FILE")"', REPOSITORY_TOKEN=token,
                          TELEGRAM_BOT_TOKEN="1:secret-of-the-server", STAGING_PORT="8081",
                          PRODUCTION_PORT="8082", LD_LIBRARY_PATH="/nowhere")
    runner.start(1, previous="9f8e7d6c5b4a", ref="feature/$(id)", installation="0a" * 16).exit()
    lines = runner.log(1).decode().splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert env.pop("token") == token[::-1] and env.pop("mode") == "600"
    assert not any(token in value for value in env.values())
    assert env["REF"] == "feature/$(id)" and env["PREVIOUS_RELEASE"] == "9f8e7d6c5b4a"
    assert env["INSTALLATION_ID"] == "0a" * 16
    assert env["DEPLOYMENT_ID"] == "7" and env["ENVIRONMENT"] == "staging"
    assert re.fullmatch("1-[0-9a-f]{32}", env["RUN_ID"]) and env["STAGING_PORT"] == "8081"
    assert not {"TELEGRAM_BOT_TOKEN", "PRODUCTION_PORT", "LD_LIBRARY_PATH"} & set(env)


def test_every_setting_of_a_run_is_given_at_once_and_a_truth_is_spelt_one_way(bench):
    table = re.findall(r"^(?:SETTING|SHIPPING)\((\w+), (\w+), [^\n]*, (OPEN|SECRET), (?:RUNNER|BOTH),(?: |$)",
                       pathlib.Path(ROOT, "runner", "settings.def").read_text(encoding="utf-8"), re.MULTILINE)
    own = {"STATE_DIRECTORY", "DEPLOY_SCRIPT", "ROLLBACK_SCRIPT", "RUN_LOG_LIMIT",
           "MIRROR_MAINTENANCE_SECONDS", "APPS_DIRECTORY", "CLIENTS",
           "ANSIBLE_FOLDER", "ANSIBLE_VAULT_PASSWORD"}      # of a playbook's run alone
    texts = {"BOOL": "Yes", "HOST_PATH": "/x", "PATH": "/x", "FILE": "/x", "REPOSITORY": "a/b", "REMOTE": "/x",
             "SECONDS_OR_0": "0", "SECONDS": "9", "COUNT": "7", "LINES": "3", "PORT_PAIR": "1,2", "SMOKE": "http://h",
             "ENGINE": "tcp://h:1", "SOURCE": "build", "COMPOSE_SOURCE": "host",
             "COMPOSE_ALLOW": "privileged bind:/x", "STRATEGY": "recreate", "MISSING": "warn", "AT_ONCE": "5",
             "BUILD_ARGS": "A=1 B=2", "BUILD_SECRETS": "npmrc=/x", "PLATFORM": "linux/arm64", "REGISTRIES": "base",
             "JUMP": "a@b", "PROXY_COMMAND": "/bin/nc %h %p", "UNITS": "a.service", "SCOPE": "user", "STEADY": "6",
             "WORKLOADS": "deployment/web"}
    given = {name: texts.get(kind, f"x-{name.lower()}".replace("_", "-")) for name, kind, _ in table if name not in own}
    given["ENVIRONMENTS"] = "staging"
    runner = bench.runner("env", STAGING_HOST="a,b:22", STAGING_COMPOSE_DIR="/srv/x", STAGING_PORT="1",
                          STAGING_KUBECONFIG="/etc/kube", STAGING_KUBE_NAMESPACE="shop", **given)
    runner.start(1).exit()
    env = dict(line.split("=", 1) for line in runner.log(1).decode().splitlines())
    for name, kind, secrecy in table:
        if name in own - {"STATE_DIRECTORY"}:
            assert name not in env
        elif name not in own | {"KUBECONFIG", "KUBE_NAMESPACE"}:
            assert env.get(name) == (None if secrecy == "SECRET" else "true" if kind == "BOOL" else given[name])
            assert (name + "_FILE" in env) == (secrecy == "SECRET")
    assert (env["STAGING_HOST"], env["STAGING_COMPOSE_DIR"]) == ("a,b:22", "/srv/x")
    assert (env["KUBECONFIG"], env["KUBE_NAMESPACE"]) == ("/etc/kube", "shop")


def test_a_truth_that_is_none_starts_nothing(bench):
    runner = bench.runner("exit 0", REMOTE_LOGIN="perhaps")
    refused = runner.order(1)
    assert (refused.kind, refused["why"]) == ("refused", "failed")
    assert "REMOTE_LOGIN: \"perhaps\" is not true or false" in refused["text"]


def test_settings_are_read_anew_for_each_order_and_the_environment_wins(bench):
    file = bench.path / "env"
    file.write_text("DEPLOY_USER=first\nDEPLOY_TRANSPORT=file\n")
    runner = bench.runner('echo "$DEPLOY_USER $DEPLOY_TRANSPORT"', arguments=["--env-file", str(file)],
                          DEPLOY_TRANSPORT="local")
    runner.start(1).exit()
    file.write_text("DEPLOY_USER=second\n")
    runner.start(2).exit()
    assert (runner.log(1), runner.log(2)) == (b"first local\n", b"second local\n")


def test_a_runs_files_are_private(bench):
    runner = bench.runner("exit 0")
    runner.start(1).exit()
    folder = runner.folder(1)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in os.listdir(folder)} == {0o600}
