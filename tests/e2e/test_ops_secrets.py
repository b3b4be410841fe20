"""Goal: after a whole run with everything that can go wrong in it, no secret stands in any artefact:
logs, argv, children's environments, database, audit, state, chat; and files belong to no other user."""
# SPDX-License-Identifier: ISC
import base64
import json
import os
import pathlib
import re
import stat
import urllib.parse

import pytest

from crash_aid import HOLD, STEADY, CrashScene, program_of
from github_api import new_key
from link_keys import new_authority, new_order_key
from opa import Opa
from ops_aid import request, sign
from runner_client import children_of
from stage import GITHUB_SECRET, ROOT, WEBHOOK_SECRET, wait_until
from telegram_client import DEFAULT_TOKEN

REPOSITORY_TOKEN = "canary-repository-token-0123456789abcdef"
APP_KEY = new_key().strip()
CA_KEY, CA = new_authority()
ORDER_KEY = new_order_key()
API_HASH = "canary0123456789abcdef0123456789abcdef"
# What others prove themselves with to the server, each with the value that it had before.
INBOUND = {f"{name}{which}": f"canary-of-{name.lower().replace('_', '-')}{which.lower()}-7Kd3Vx9Qp2Wm5Zt"
           for name in ("FORGE_WEBHOOK_SECRET", "WEBHOOK_API_SECRET", "HOOK_BUILD_DONE_SECRET", "AUTH_TOKEN_SECRET",
                        "GITHUB_APP_WEBHOOK_SECRET")
           for which in ("", "_PREVIOUS")}
INBOUND |= {f"{name}_PREVIOUS": f"canary-of-{name.lower().replace('_', '-')}-4Hs8Nb6Yc1Rf3Jg"
            for name in ("GITHUB_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET")}
SECRETS = {"TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET,
           "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET, "REPOSITORY_TOKEN": REPOSITORY_TOKEN,
           "AUDIT_S3_SECRET_ACCESS_KEY": "canary-of-the-witness-9Gm3Rd7Xs5Vq",
           "TELEGRAM_API_HASH": API_HASH, "CLOUDFLARE_API_TOKEN": "canary-of-cloudflares-token-2Tb6Xk8Lw4Qz",
           "GITHUB_API_TOKEN": "canary-of-a-persons-token-6Mw2Pj9Zc5Ht",
           "GITLAB_API_TOKEN": "canary-of-a-projects-token-8Fd4Yn3Gb7Lk", "GITHUB_APP_KEY": APP_KEY.splitlines()[9],
           "VAULT_TOKEN": "canary-of-vaults-token-5Qj8Zr3Xn6Lb",     # in force in hostile_secrets.py
           "DATABASE_URL": "postgres://bot:canary-of-the-database-6Xk2Vw9Rt4Zp@h/d",    # in test_flow_postgresql.py
           "LINK_CA_KEY": CA_KEY.splitlines()[1], "LINK_ORDER_KEY": ORDER_KEY.splitlines()[1],
           "OPA_TOKEN": "canary-of-opas-token-4Vz7Lm2Qx9Kd",
           "PROMETHEUS_TOKEN": "canary-of-prometheus-6Wb3Rk8Tn5Yc",
           "VAULT_SECRET_ID": "canary-of-vaults-role-9Wk4Ht7Mv2Pc",
           "NOTIFY_BUILD_DONE_URL": "https://hooks.acme.test/canary-of-a-destination-3Fh7Jq9Zw2Xc",
           "NOTIFY_BUILD_DONE_SECRET": "whsec_canaryOfADestinationsKey8Bn4Mv6Kd1Sz",
           "NOTIFY_BUILD_DONE_SECRET_PREVIOUS": "whsec_canaryOfItsKeyBefore5Tg9Yh3Uj7Ik",
           "WORKFLOW_BUILD_DONE_KEY": "whsec_canaryOfAWorkflowsKey3Kd9Vx6Qp2W",
           "WORKFLOW_BUILD_DONE_KEY_PREVIOUS": "whsec_canaryOfTheKeyBefore7Hs5Nb8Yc4Rf", **INBOUND}
SHOWN = """cat /proc/self/status | grep -E 'Sig|NoNewPrivs|Dumpable' >"$here/status"
ls -l /proc/self/fd >"$here/fds"
tr '\\0' '\\n' </proc/$$/environ >"$here/environ"; tr '\\0' ' ' </proc/$$/cmdline >"$here/argv"
ulimit -c >"$here/core"; umask >"$here/umask"; pwd >"$here/pwd"; readlink /proc/self/fd/0 >"$here/stdin"
ps -o sid=,pgid=,pid= -p $$ >"$here/session"
"""


def shapes(secret):
    """A secret as it is, and as programs write it by accident."""
    yield secret
    yield secret.split(":", 1)[-1]
    yield urllib.parse.quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-2]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    ca = tmp_path_factory.mktemp("ca") / "ca.crt"
    ca.write_text(CA, encoding="ascii")
    peer = Opa(token=SECRETS["OPA_TOKEN"])
    made = CrashScene(tmp_path_factory.mktemp("secrets"), settings={
        "OPA_URL": peer.url, "OPA_TOKEN": SECRETS["OPA_TOKEN"],
        "PROMETHEUS_URL": "http://127.0.0.1:9", "PROMETHEUS_TOKEN": SECRETS["PROMETHEUS_TOKEN"],
        "LINK_ADDRESS": "127.0.0.1:9443", "LINK_CA_FILE": str(ca), "LINK_CERTIFICATE_FILE": str(ca),
        "LINK_CA_KEY": CA_KEY.strip(), "LINK_ORDER_KEY": ORDER_KEY.strip(),
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET, "REPOSITORY_TOKEN": REPOSITORY_TOKEN,
        "TELEGRAM_API_HASH": API_HASH, "LOG_LEVEL": "DEBUG", "ENABLE_API_SERVER": "true", "ENABLE_TOKEN_AUTH": "true",
        "AUDIT_S3_BUCKET": "orchard", "AUDIT_S3_REGION": "eu-central-1", "AUDIT_S3_ENDPOINT": "https://127.0.0.1:9",
        "AUDIT_S3_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AUDIT_S3_SECRET_ACCESS_KEY": SECRETS["AUDIT_S3_SECRET_ACCESS_KEY"],
        "GITHUB_APP_ID": "12345", "GITHUB_APP_KEY": APP_KEY, "GITHUB_API_TOKEN": SECRETS["GITHUB_API_TOKEN"],
        "GITLAB_API_TOKEN": SECRETS["GITLAB_API_TOKEN"], "VAULT_ADDR": "http://127.0.0.1:9",
        "VAULT_ROLE_ID": "deploybot", "VAULT_SECRET_ID": SECRETS["VAULT_SECRET_ID"],
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "CLOUDFLARE_API_TOKEN": SECRETS["CLOUDFLARE_API_TOKEN"], "HOOK_BUILD_DONE_STARTS": "deploy:staging ref=$.ref",
        "HOOK_NIGHTLY_STARTS": "deploy:staging ref=$.ref", "REPOSITORY_PATH": "orchard/shop",
        "NOTIFY_BUILD_DONE_TO": "webhook", "NOTIFY_BUILD_DONE_WHAT": "shop/production: live",
        "WORKFLOW_BUILD_DONE_MAY": "secret:staging",
        **{name: value for name, value in SECRETS.items() if name.startswith(("WORKFLOW_", "NOTIFY_"))}, **INBOUND})
    play(made)
    yield made
    made.close()
    peer.close()


# What each inbound secret that has a previous value opens.
OPENS = {"HOOK_BUILD_DONE_SECRET": "/hooks/build-done", "WEBHOOK_API_SECRET": "/hooks/nightly",
         "GITHUB_WEBHOOK_SECRET": "/github/webhook", "GITHUB_APP_WEBHOOK_SECRET": "/github/app",
         "FORGE_WEBHOOK_SECRET": "/forge/webhook/gitlab"}


def play(scene):
    """Good, bad, a script that prints what it must not know, Telegram failing, a restart."""
    scene.seen = []
    scene.scripts.deploy(SHOWN + f'echo "{DEFAULT_TOKEN}"; echo "token={GITHUB_SECRET}"; ' + HOLD
                         + "; " + STEADY)
    scene.hold_script()
    who = scene.admin()
    who.say("/deploy staging")
    scene.wait_held()
    scene.supervisor_pid, scene.leader_pid, scene.runner_pid = (scene.supervisor(), scene.leader(),
                                                            scene.runner())
    look(scene)
    scene.go_on()
    final = who.hear("Live: staging")
    who.press(final, "Log")
    who.hear("Log of staging")
    scene.chat.fault("sendmessage", times=1, status=401, description="Unauthorized")
    scene.scripts.deploy('echo "==> release"; exit 1')
    scene.commit()
    who.say("/deploy staging")
    who.hear("staging is NOT running")
    for path in ("/github/webhook", "/telegram/webhook"):
        request(scene.bot, "POST", path, b"{}", {"Content-Type": "application/json",
                                                 "X-Hub-Signature-256": "sha256=" + "1" * 64})
    scene.answers = rotate(scene)
    scene.crash()
    scene.restart()
    scene.shown = [done.stdout + done.stderr for done in (scene.bot.run("secrets", "check"),
                                                          scene.bot.run("secrets", "check", "--json"))]
    scene.bot.run("doctor")
    scene.bot.run("webhook", "info")
    scene.said = scene.bot.run("check-config").stderr


def rotate(scene):
    """Each value of each inbound secret, where it opens something, and where it opens nothing."""
    answers, body = [], b'{"ref": 7}'
    for name, value in INBOUND.items():
        for path in ("/hooks/build-done", "/hooks/nightly", "/v1/status", "/github/webhook", "/github/app",
                     "/telegram/webhook", "/forge/webhook/gitlab", "/forge/webhook/gitea"):
            answer = request(scene.bot, "GET" if path.startswith("/v1") else "POST", path, body, {
                "Content-Type": "application/json", "Authorization": f"Bearer {value}", "X-Gitlab-Token": value,
                "X-Gitlab-Event-UUID": name, "X-Telegram-Bot-Api-Secret-Token": value, "X-GitHub-Event": "ping",
                "X-GitHub-Delivery": name, "X-Hub-Signature-256": sign(body, value)})
            answers.append((f"{name} at {path}", answer))
    for name in OPENS:      # a kill follows, which loses lines that were not written yet
        wait_until(lambda said=f"{name}_PREVIOUS was used": said in scene.bot.log(), what=name)
    return answers


def look(scene):
    """argv and environment of every process that came from the server."""
    waiting = [scene.server(), scene.supervisor_pid]
    while waiting:
        pid = waiting.pop()
        waiting += children_of(pid)
        for name in ("cmdline", "environ"):
            if name == "environ" and pid in (scene.server(), ):
                continue    # it was given its settings there
            try:
                content = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue
            scene.seen.append((f"{program_of(pid)} {name}", content.decode("utf-8", "replace")))


def artefacts(scene):
    """(name, text) of everything that a run leaves behind or shows."""
    yield from scene.seen
    yield "the log", scene.bot.log()
    for root in ("state", "audit.log", "scripts"):
        top = scene.folder / root
        for path in [top, *top.rglob("*")]:
            if path.is_file() and path.suffix != ".deploy":
                yield str(path), path.read_bytes().decode("utf-8", "replace")
    for person in (scene.next_admin + 424_249_999, 424242001):
        for view in scene.chat.messages(person):
            yield "the chat", str(view)
            if "document" in view["message"]:
                yield "the log document", scene.chat.file(view).decode("utf-8", "replace")
    yield "check-config", scene.said
    for shown in scene.shown:
        yield "secrets check", shown
    for where, answer in scene.answers:
        yield f"the answer to {where}", str(answer.raw)
    yield "/metrics", scene.bot.metrics()


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_artefact_holds_a_secret(scene, name):
    looked = 0
    for where, text in artefacts(scene):
        looked += 1
        if name == "REPOSITORY_TOKEN" and where.endswith("deploybot-runner environ"):
            continue    # the runner's own
        if name == "GITHUB_WEBHOOK_SECRET" and re.search(r"/runs/\d+/log$", where):
            continue    # the server's alone: what redacts a log does not know it, and the script was given it by us
        for shape in shapes(SECRETS[name]):
            assert shape not in text, f"{name} in {where}"
    assert looked > 20


def test_each_secret_of_the_server_has_a_canary_here():
    rows = (ROOT / "server/types/settings.def").read_text("utf-8")
    names = set(re.findall(r"^SETTING\((\w+), \w+, [^,]+, SECRET,", rows, re.M))
    names |= {name.replace("<NAME>", "BUILD_DONE") for name in
              re.findall(r'^FAMILY_SETTING\(\w+, \w+, "([\w<>]+)", \w+, \w+, SECRET,', rows, re.M)}
    assert len(names) > 10 and names <= set(SECRETS), names - set(SECRETS)


def test_each_previous_value_opens_what_its_secret_does_and_that_is_said(scene):
    status = {where: answer.status for where, answer in scene.answers}
    for name in INBOUND:
        for path in OPENS.values():
            is_open = OPENS.get(name.removesuffix("_PREVIOUS")) == path
            assert (status[f"{name} at {path}"] != 401) == is_open, (name, path, status[f"{name} at {path}"])
    shown = {one["name"]: one for one in json.loads(scene.shown[1][:scene.shown[1].rindex("}") + 1])["secrets"]}
    for name in OPENS:
        assert shown[f"{name}_PREVIOUS"]["uses"] > 0 and f"{name}_PREVIOUS was used" in scene.bot.log(), name
        assert shown[name]["since"] is not None
    assert set(shown) >= set(INBOUND)


def test_what_a_script_prints_is_redacted_in_the_chat_and_in_its_log(scene):
    log = scene.log_of(1)
    assert "token=" in log and DEFAULT_TOKEN not in log
    document = next(v for v in scene.chat.messages(scene.next_admin + 424_249_999)
                    if "document" in v["message"])
    text = scene.chat.file(document).decode()
    assert "token=" in text and DEFAULT_TOKEN not in text


def test_the_script_knows_only_what_it_needs(scene):
    environ = dict(x.split("=", 1) for x in
                   (scene.scripts.folder / "environ").read_text().splitlines() if "=" in x)
    allowed = {"PATH", "HOME", "LANG", "STATE_DIRECTORY", "APPLICATION", "ENVIRONMENT", "RUN_ID",
               "DEPLOYMENT_ID", "INSTALLATION_ID", "SOURCE", "DEPLOYBOT_SETTINGS", "HOOKS_BOUND", "DEPLOYBOT_RUNNER",
               "PREVIOUS_RELEASE", "REF", "GITHUB_REPOSITORY", "REPOSITORY_URL", "ENVIRONMENTS",
               "REPOSITORY_KEY_PATH", "REPOSITORY_KNOWN_HOSTS", "REPOSITORY_TOKEN_FILE", "REPOSITORY_CREDENTIALS",
               "DEPLOY_TRANSPORT", "DEPLOY_USER", "SSH_KEY_PATH", "REGISTRY_URL", "REGISTRY_IMAGE",
               "FETCH_TIMEOUT_SECONDS", "REPOSITORY_SUBMODULES", "REPOSITORY_LFS",
               "AWS_REGION", "USE_KUBERNETES", "KUBE_NAMESPACE", "STAGING_HOST", "STAGING_PORT",
               # those with a default
               "IMAGE_SOURCE", "IMAGE_WAIT_SECONDS", "BUILD_NO_CACHE", "BUILD_AGAIN", "BUILD_CONTEXT", "DOCKERFILE",
               "KEEP_RELEASES",
               "FAILURE_LOG_LINES", "DEPLOY_TIMEOUT_SECONDS",
               "SSH_KNOWN_HOSTS", "HOSTS_PARALLEL", "COMPOSE_SERVICE", "COMPOSE_SOURCE",
               "COMPOSE_REPO_FILE", "COMPOSE_REPO_TRUSTED", "REMOTE_LOGIN", "APP_PORTS",
               "DEPLOY_STRATEGY", "NGINX_RELOAD_COMMAND", "DRAIN_SECONDS", "START_SECONDS", "STAGING_COMPOSE_DIR",
               "HOOK_SECONDS",
               "MIGRATE_TIMEOUT_SECONDS", "SYSTEMD_DIR", "SYSTEMD_SCOPE", "SYSTEMD_STEADY_SECONDS"}
    assert set(environ) <= allowed | {"PWD", "SHLVL", "_"}, set(environ) - allowed
    assert environ["APPLICATION"] == ""
    assert environ["IMAGE_WAIT_SECONDS"] == "300"    # the script alone would not wait


def test_the_script_has_descriptors_0_1_2_and_nothing_on_stdin(scene):
    lines = (scene.scripts.folder / "fds").read_text().splitlines()
    numbers = sorted(int(x.split(" -> ")[0].split()[-1]) for x in lines if " -> " in x)
    # 1 is the file it writes to, 3 is ls reading the folder
    assert numbers[:3] == [0, 1, 2] and len(numbers) <= 4, lines
    assert (scene.scripts.folder / "stdin").read_text().strip() == "/dev/null"


def test_the_script_ignores_and_blocks_no_signal_and_has_a_session(scene):
    status = dict(x.split(":\t") for x in
                  (scene.scripts.folder / "status").read_text().splitlines())
    assert int(status["SigIgn"], 16) == 0 and int(status["SigBlk"], 16) == 0, status
    assert (scene.scripts.folder / "core").read_text().strip() == "0"
    session, group, pid = (scene.scripts.folder / "session").read_text().split()
    assert session == group == pid


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_files_are_nobody_elses(scene):
    state = scene.folder / "state"
    assert mode(state) == 0o700
    for path in state.glob("deploybot.db*"):
        assert mode(path) == 0o600, path
    runs = list((state / "runs").glob("[0-9]*"))
    assert runs and all(mode(run) == 0o700 for run in runs)
    for path in (state / "runs").glob("*/*"):
        if path.is_file():
            assert mode(path) == 0o600, path
    assert mode(scene.folder / "audit.log") & 0o037 == 0
    assert mode(state / "environments" / "staging.json") & 0o022 == 0


def test_the_server_leaves_no_core_and_cannot_be_read_by_others_of_its_user(scene):
    limits = pathlib.Path(f"/proc/{scene.server()}/limits").read_text(encoding="ascii")
    core = next(x for x in limits.splitlines() if x.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
    assert os.stat(f"/proc/{scene.server()}/mem").st_uid == 0, "not dumpable"


@pytest.mark.long
def test_descriptors_and_processes_come_back_to_where_they_were(scene):
    """Four deployments later there are as many of both as before them."""
    def count():
        pid = scene.server()
        return (len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())), len(children_of(pid)),
                len(list(pathlib.Path(f"/proc/{scene.runner()}/fd").iterdir())))
    scene.scripts.reset()
    scene.commit()
    scene.release()
    wait_until(lambda: not scene.with_run_id(), 20, "rest")
    before = count()
    for _ in range(4):
        scene.release()
    wait_until(lambda: not scene.with_run_id() and all(
        now <= then + 1 for now, then in zip(count(), before)), 20, f"{before} again")
