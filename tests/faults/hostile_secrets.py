"""hostile_secrets.py - canaries in every secret setting, through good and bad flows, crashes, reloads and a core:
none of them is found in any artefact, nor in what any child ever had."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import resource
import signal
import subprocess

import canary
from hostile_aid import IN_PROGRESS, PATIENCE_S, check_log, must
from github_api import new_key
from link_keys import new_authority, new_order_key
from crash_aid import STEADY, CrashScene
from ops_aid import github_headers, request
from stage import Deploybot

APP_KEY = new_key().strip()
CA_KEY, CA = new_authority()
ORDER_KEY = new_order_key()
PLANTED = {
    "TELEGRAM_BOT_TOKEN": "7000000002:AAH-canary_of_the_token_6Rw3Yd8Kp1Zx5Vt",
    "GITHUB_WEBHOOK_SECRET": "canary-of-github's-secret_9Jc4Hn7Xs2Qb",
    "TELEGRAM_WEBHOOK_SECRET": "canary-of-telegrams-secret_3Gf8Lm5Tz6Wp",
    "REPOSITORY_TOKEN": "canary-of-the-repository_7Qm4ZrT9wL2x",
    "REGISTRY_PASSWORD": "canary-of-the-registry_8Hs3Kd6Vw1Bn5Yp",
    "TELEGRAM_API_HASH": "canary0of0the0api0hash0e5d1c7b9a3f82",
    "AUDIT_S3_SECRET_ACCESS_KEY": "canary-of-the-witness_2Pd6Lk9Vh4Xc",
    "CLOUDFLARE_API_TOKEN": "canary-of-cloudflares-token_4Lq9Vt2Zs7Bk",
    "GITHUB_API_TOKEN": "canary-of-a-persons-token_8Vr5Nc3Ky7Wd",
    "GITLAB_API_TOKEN": "canary-of-a-projects-token_2Xm7Bd5Pq9Ls",
    "ANSIBLE_VAULT_PASSWORD": "canary-of-ansibles-vault_6Rp2Wn8Jc5Gd",
    "VAULT_TOKEN": "canary-of-vaults-token_7Nb2Kx5Hq8Zm",
    "OPA_TOKEN": "canary-of-opas-token_8Gt3Wq6Rn1Xb",            # in force in test_ops_secrets.py
    "PROMETHEUS_TOKEN": "canary-of-prometheus_9Kc4Vn7Wd2Xt",     # in force in test_ops_secrets.py
    "VAULT_SECRET_ID": "canary-of-vaults-role_3Yt6Wd9Fs4Cr",     # in force in test_ops_secrets.py
    "DATABASE_URL": "postgres://bot:canary-of-the-database_8Jf5Tq2Lc7Wn@h/d",    # in force in test_flow_postgresql.py
    "GITHUB_APP_KEY": APP_KEY.splitlines()[9],
    "LINK_CA_KEY": CA_KEY.splitlines()[1],
    "LINK_ORDER_KEY": ORDER_KEY.splitlines()[1],
    **{name + which: f"canary-of-{name.lower().replace('_', '-')}{which.lower()}_5Wz8Rk3Jd"
       for name in ("FORGE_WEBHOOK_SECRET", "WEBHOOK_API_SECRET", "AUTH_TOKEN_SECRET", "HOOK_BUILD_DONE_SECRET",
                    "GITHUB_APP_WEBHOOK_SECRET")
       for which in ("", "_PREVIOUS")},
    "NOTIFY_STATUS_URL": "https://127.0.0.1:9/canary-of-a-destination_4Kx8Vb2Nq",
    "NOTIFY_STATUS_SECRET": "whsec_canaryOfADestinationsKey6Yh2Rt9Lp4Wx",
    "NOTIFY_STATUS_SECRET_PREVIOUS": "whsec_canaryOfItsKeyBefore8Zx3Cv5Bn1Mq",
    "WORKFLOW_DEPLOY_KEY": "whsec_canaryOfAWorkflowsKey5Wz8Rk3Jd6T",
    "WORKFLOW_DEPLOY_KEY_PREVIOUS": "whsec_canaryOfTheKeyBefore9Ht4Lm7Qx2Vb",
    "REGISTRY_PULL_PASSWORD": "canary-of-who-pulls-there_1Jb7Sg3Qv9Zn",
    "REGISTRY_HUB_PASSWORD": "canary-of-another-registry_6Tc4Mw8Fx2Kd",
    "GITHUB_WEBHOOK_SECRET_PREVIOUS": "canary-of-what-github-had-before_9Bc2Xn6Tq",
    "TELEGRAM_WEBHOOK_SECRET_PREVIOUS": "canary-of-what-telegram-had-before_4Fh7Ms1Yd",
    "the deploy key": "Y2FuYXJ5LW9mLXRoZS1kZXBsb3kta2V5LTRIOWpLMnBX",
}
SERVERS = ("TELEGRAM_BOT_TOKEN", "GITHUB_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET", "TELEGRAM_API_HASH",
           "CLOUDFLARE_API_TOKEN")
# What a script can see of itself and of those above it, kept where the test looks for canaries.
SPY = """{ cat /proc/self/environ; env; p=$PPID
while grep -qs '^deploybot' /proc/$p/comm; do
	cat /proc/$p/environ /proc/$p/cmdline
	p=$(sed -n 's/^PPid:\\t//p' /proc/$p/status)
done; echo "saw up to $p"; } >"$here/spied.$RUN_ID"
"""


def flows(scene, hall):
    """Good, bad, printed, refused, unreachable, killed, reloaded."""
    secret = PLANTED["GITHUB_WEBHOOK_SECRET"]
    # What the server does not know (the runner's token, unless it has a known shape) it cannot redact.
    printed = "".join(f'echo "{PLANTED[name]}"; echo "x{PLANTED[name]}y" >&2; echo "==> {PLANTED[name]}"\n'
                      for name in SERVERS) + f'cat "{scene.folder}/deploy_key"\n'
    for number, words in enumerate((SPY + STEADY, SPY + printed + STEADY, printed + 'echo "==> release"; exit 3',
                                    SPY + f'echo "{PLANTED["TELEGRAM_BOT_TOKEN"]}"; exit 65')):
        scene.scripts.deploy(words)
        scene.commit()
        who = scene.admin()
        who.say("/deploy staging")
        final = who.hear("staging", without=IN_PROGRESS, timeout=2 * PATIENCE_S)
        scene.wait_free()
        if number != 1:     # that one's raw log is its own affair, its document is not
            continue
        who.press(final, "Log")
        who.hear("Log of staging")
    for path in ("/github/webhook", "/telegram/webhook"):
        request(scene.bot, "POST", f"{path}?{secret}", b"{}", {"X-Hub-Signature-256": secret})
        request(scene.bot, "POST", path, secret.encode(), github_headers(secret.encode()))
    for fault in ({"status": 401, "description": f"Unauthorized {PLANTED['TELEGRAM_BOT_TOKEN']}"}, {"close": True},
                  {"status": 404}, {"raw": f"no JSON: {PLANTED['TELEGRAM_BOT_TOKEN']}"}):
        scene.chat.fault("sendmessage", times=1, **fault)
        scene.ada.say("/whoami")
    scene.scripts.deploy("kill -9 $PPID; sleep 60")     # its supervisor
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("staging", without=IN_PROGRESS, timeout=2 * PATIENCE_S)
    scene.crash()
    hall.hit("crashes")
    scene.restart()
    scene.bot.process.send_signal(signal.SIGHUP)
    hall.hit("reloads")
    said = [scene.bot.run(*words) for words in (("check-config",), ("doctor",), ("webhook", "info"),
                                                ("audit", "verify"), ("version",))]
    return [(f"what deploybot {' '.join(one.args[3:])} says", one.stdout + one.stderr) for one in said]


def seen(scene):
    """What people and programs were sent; where canaries that people said themselves come from, they are let out."""
    for person in scene.chat.state()["chats"] if "chats" in scene.chat.state() else []:
        yield f"chat {person}", str(person)
    numbers = [424_250_000 + n for n in range(scene.next_admin)] + [424242001]
    for number in numbers:
        for view in scene.chat.messages(number):
            if view["outgoing"]:
                yield f"the chat of {number}", str(view)
                if "document" in view["message"]:
                    yield "a log as a document", scene.chat.file(view)
    yield "/metrics", scene.bot.metrics()
    for path in ("/healthz", "/readyz", "/nothing", "/metrics/"):
        yield path, request(scene.bot, "GET", path).raw


def spied(scene):
    return [(f"what a script saw ({path.name})", path.read_bytes())
            for path in scene.scripts.folder.glob("spied.*")]


def core(hall, scene, folder):
    """The server is made to dump core, with every limit lifted for it beforehand: there is none."""
    pid = scene.server()
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    line = next(x for x in limits.splitlines() if x.startswith("Max core file size"))
    must(line.split()[4:6] == ["0", "0"], f"a core of the server may be: {line}")
    dumped = subprocess.run(["gcore", "-o", str(folder / "by-gcore"), str(pid)], capture_output=True, text=True,
                            check=False) if os.path.exists("/usr/bin/gcore") and os.geteuid() != 0 else None
    must(dumped is None or not list(folder.glob("by-gcore*")), "another of its user dumped the server")
    os.kill(pid, signal.SIGABRT)
    scene.bot.process.wait(PATIENCE_S)
    found = [path for path in (*folder.glob("core*"), *scene.folder.glob("core*"), *pathlib.Path("/").glob("core*"))
             if path.is_file()]
    must(not found, f"a core: {found}")
    hall.hit("aborted, and no core")
    scene.restart()


def play(hall):
    bare = canary.secret_settings() - set(PLANTED)
    must(not bare, f"a secret setting without a canary: {bare}")
    hall.wants("crashes", "reloads", "artefacts", "processes looked at", "aborted, and no core",
               "negative control")
    folder = hall.room("secrets")
    key = folder / "deploy_key"
    key.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{PLANTED['the deploy key']}\n"
                   "-----END OPENSSH PRIVATE KEY-----\n", encoding="ascii")
    key.chmod(0o600)
    ca = folder / "ca.crt"
    ca.write_text(CA, encoding="ascii")
    scene = CrashScene(folder, start=False, telegram=("--local", "--limits", "off", "--token",
                                                      PLANTED["TELEGRAM_BOT_TOKEN"]), settings={
        **{name: value for name, value in PLANTED.items()
           if name.isupper() and name not in ("VAULT_SECRET_ID", "OPA_TOKEN", "PROMETHEUS_TOKEN",
                                                "DATABASE_URL")},
        "VAULT_ADDR": "http://127.0.0.1:9",
        "GITHUB_APP_ID": "12345", "GITHUB_APP_KEY": '"' + APP_KEY.replace("\n", "\\n") + '"',
        "LINK_ADDRESS": "127.0.0.1:9443", "LINK_CA_FILE": str(ca), "LINK_CERTIFICATE_FILE": str(ca),
        **{name: '"' + text.strip().replace("\n", "\\n") + '"'
           for name, text in (("LINK_CA_KEY", CA_KEY), ("LINK_ORDER_KEY", ORDER_KEY))},
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "AUDIT_S3_BUCKET": "orchard", "AUDIT_S3_REGION": "eu-central-1", "AUDIT_S3_ENDPOINT": "https://127.0.0.1:9",
        "AUDIT_S3_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "ENABLE_API_SERVER": "true", "ENABLE_TOKEN_AUTH": "true",
        "HOOK_BUILD_DONE_STARTS": "deploy:staging ref=$.ref", "REGISTRIES": "hub",
        "NOTIFY_STATUS_TO": "webhook", "NOTIFY_STATUS_WHAT": "*/*: live",
        "WORKFLOW_DEPLOY_MAY": "secret:staging",
        "REGISTRY_HUB_URL": "hub.example.org", "REGISTRY_HUB_USER": "robot", "REGISTRY_USER": "robot",
        "REGISTRY_PULL_USER": "reader", "SSH_KEY_PATH": str(key), "LOG_LEVEL": "DEBUG",
        "DEPLOY_TIMEOUT_SECONDS": "60"})
    scene.start_peers()
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        start_with_env_file(scene)
        with canary.Watch(scene.server, PLANTED) as watch:
            said = flows(scene, hall)
        hall.hit("processes looked at", watch.looked)
        must(not watch.leaks, f"a child had: {sorted(watch.leaks)}")
        # What a script printed itself is redacted where people see it, and raw in its log, which is named so.
        more = [*said, *seen(scene), *spied(scene)]
        looked = canary.check(folder, PLANTED, more)
        hall.hit("artefacts", looked)
        core(hall, scene, folder)
        hall.note(f"{looked} artefacts; {watch.looked} looks at argv and environment of {sorted(watch.programs)}")
        control(hall, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        status = scene.stop()
        scene.health.close()
    must(status == 0, f"deploybot ended with {status}:\n{scene.bot.log()[-3000:]}")
    check_log(scene.bot.log())
    canary.check(folder, PLANTED)


def start_with_env_file(scene):
    """Secrets come from a file, so that nobody has them in an environment."""
    class ByFile(Deploybot):
        def environment(self):
            env = self.folder / "env"
            env.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()), encoding="utf-8")
            env.chmod(0o600)
            kept = {k: v for k, v in super().environment().items() if k not in self.settings}
            return kept

        def command(self, *words):
            return [*self.wrapper, str(self.build / "deploybot"), "--env-file", str(self.folder / "env"), *words]

        def start(self, wait=True):
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(self.command("serve"), cwd=self.folder, env=self.environment(),
                                                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                start_new_session=True)
            if wait:
                self.wait_ready()
            return self

        def run(self, *arguments, timeout=60):
            return subprocess.run(self.command(*arguments), cwd=self.folder, env=self.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                                  check=False)

    scene.bot = ByFile(scene.folder, scene.settings())
    scene.bot.start()


def control(hall, folder):
    """The search finds what is there: each canary in each shape, in a file of the state."""
    place = folder / "state" / "environments" / "leaked"
    for name, value in PLANTED.items():
        for shape in canary.shapes(value):
            place.write_bytes(b"before " + shape + b" behind")
            try:
                canary.check(folder, {name: value})
            except canary.Leak:
                hall.hit("negative control")
                continue
            must(False, f"{name} was not found as {shape[:6]!r}…")
    place.unlink()
