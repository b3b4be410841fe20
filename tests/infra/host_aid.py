"""A machine with deploybot's package, and around it chat, GitHub and a repository: for the systemd tests."""
# SPDX-License-Identifier: ISC
import contextlib
import re
import sqlite3

import sample_app
from github import GitHub
from infra_aid import HOST_PACKAGES, clean_environment, kept_deb, root_tar, run
from machine import Machine, on_its_network
from stage import ROOT, get, wait_until
from telegram_client import ADA, DEFAULT_TOKEN, Telegram, text_of

GITHUB_SECRET = "github-webhook-secret-0123456789abcdef"
REPOSITORY = "orchard/shop"
SHOP = "/srv/shop"                  # where the repository is seen in the machine
PORTS = {"staging": 8101, "production": 8102}
UNITS = ("deploybot.socket", "deploybot-local.socket", "deploybot-runner.service", "deploybot.service")
BASE = "http://127.0.0.1:8080"
PATIENCE_S = 120                    # of a machine that others load


class Host:
    """Installed (without `deb` from source), not configured: configure() and start() are an administrator's steps."""

    def __init__(self, folder, deb=None):
        self.stack = contextlib.ExitStack()
        self.shop = folder / "shop"
        self.repository, self.work = sample_app.create(str(self.shop), 0.0)
        self.machine = Machine(folder / "machine", root_tar("host", HOST_PACKAGES), {self.shop: SHOP}, deb)
        if deb is None:
            self.install_from_source(folder / "build")
        self.chat = None
        self.github = GitHub(f"{BASE}/github/webhook", GITHUB_SECRET, REPOSITORY)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.machine)
            stack.enter_context(on_its_network(self.machine))
            self.chat = stack.enter_context(Telegram.start("--local", "--limits", "off"))
            self.give_repository()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def install_from_source(self, build):
        """`make install` with programs that are built already, and the three commands that it names."""
        build.mkdir(parents=True)
        run(["dpkg-deb", "-x", kept_deb(), build / "deb"])
        for name in ("deploybot", "deploybot-runner", "deploybot-remote-runner", "deploybot-judge", "deploybot-agent",
                     "deploybot-link", "deploybot-unpack"):
            (build / "deb/usr/lib/deploybot" / name).rename(build / name)
        root = self.machine.root
        run(["make", "install", f"BUILD={build}", "INSTALL_NEEDS=", f"DESTDIR={root.path}"], cwd=ROOT,
            env=clean_environment())
        root.run("systemd-sysusers", "deploybot.conf")
        root.run("systemd-tmpfiles", "--create", "deploybot.conf")

    def give_repository(self):
        """git serves it only to its owner: it becomes the runner's, and we may go on pushing."""
        user = int(self.machine.run("id", "-u", "deploybot-runner").stdout)
        run(["chown", "-R", f"{user}:{user}", self.repository])
        sample_app.git(self.work, "config", "remote.origin.receivepack", "git -c safe.directory=* receive-pack")

    # --- what an administrator does ---

    def settings(self):
        found = {
            "ADMIN_TELEGRAM_IDS": str(ADA), "TELEGRAM_API_BASE": self.chat.base, "TELEGRAM_MODE": "polling",
            "GITHUB_WEBHOOK_SECRET_FILE": "/etc/deploybot/secrets/server/github_webhook_secret",
            "GITHUB_REPOSITORY": REPOSITORY, "REPOSITORY_URL": f"{SHOP}/shop.git", "POLL_REPOSITORY_SECONDS": "0",
            "DEPLOY_TRANSPORT": "local", "HEALTH_CHECK_TIMEOUT": "5", "HEALTH_CHECK_INTERVAL": "1",
            "PRODUCTION_CONFIRM": "false",
        }
        for name, port in PORTS.items():
            found[f"{name.upper()}_PORT"] = str(port)
            found[f"{name.upper()}_HEALTH_URL"] = f"http://127.0.0.1:{port}/health"
        return found

    def configure(self):
        """In the file that the package brought, and as it says there."""
        conf = "/etc/deploybot/deploybot.conf"
        for name, value in self.settings().items():
            self.machine.run("sed", "-i", f"s|^#\\?{name}=.*|{name}={value}|", conf)
            assert f"\n{name}={value}\n" in self.machine.run("cat", conf).stdout, name
        self.put_secret("server/telegram_bot_token", DEFAULT_TOKEN)
        self.put_secret("server/github_webhook_secret", GITHUB_SECRET)

    def put_secret(self, name, value):
        user = "deploybot" if name.startswith("server/") else "deploybot-runner"
        self.machine.run("install", "-m", "0600", "-o", user, "/dev/stdin", f"/etc/deploybot/secrets/{name}",
                         stdin=value)

    def start(self):
        self.machine.run("systemctl", "enable", "--now", *UNITS)
        self.wait_ready()

    def wait_ready(self):
        wait_until(lambda: get(BASE + "/readyz")[0] == 200, PATIENCE_S, "readiness")

    def look(self, unit, script):
        """What the unit's process could do: `script` in a unit with the same user, groups, mounts and limits of calls.
        Programs can be started in it, else nothing could be tried.  (ended well?, output)."""
        text = self.machine.run("cat", f"/lib/systemd/system/{unit}").stdout
        text = re.sub(r"(?m)^(ExecStart|ExecReload|Type|Restart\w*|WatchdogSec|NoExecPaths|ExecPaths|StartLimit\w+|"
                      r"KillMode|Delegate|WantedBy)=.*\n", "", text)
        text = text.replace("[Service]\n", "[Service]\nType=oneshot\nExecStart=/bin/bash /usr/local/lib/look.sh\n"
                            "StandardOutput=truncate:/run/look.out\nStandardError=inherit\n")
        (self.machine.root.path / "usr/local/lib/look.sh").write_text(script + "\n", "utf-8")
        self.machine.run("bash", "-c", "cat >/run/systemd/system/look.service", stdin=text)
        self.machine.run("systemctl", "daemon-reload")
        done = self.machine.run("systemctl", "start", "look", check=False)
        assert self.machine.show("look", "ExecMainStatus") not in ("203", "226"), self.machine.journal("look")
        return done.returncode == 0, self.machine.run("cat", "/run/look.out").stdout

    # --- what people do, and what there is to see ---

    def make_builds_wait(self):
        """From here on a build of develop waits as long as builds are stopped."""
        sample_app.check_out(self.work, "develop")
        script = (f'#!/bin/sh\necho "building $COMMIT"\nwhile [ -e {SHOP}/hold ]\ndo sleep 0.05; done\n'
                  + sample_app.BUILD.split("\n", 1)[1])
        sample_app.write(self.work, ".deploybot/build", script, executable=True)
        sample_app.commit(self.work, "joon", "Builds can be held")
        sample_app.git(self.work, "push", "-q", "origin", "develop")

    @contextlib.contextmanager
    def held_deployment(self):
        """/deploy staging, in progress and waiting in its build; let go at the end."""
        hold = self.shop / "hold"
        hold.touch()
        sample_app.change(self.work, "develop", "good")
        mark = self.chat.mark()
        try:
            self.chat.say(ADA, ADA, "/deploy staging")
            wait_until(self.builds, PATIENCE_S, "the build")
            yield mark
        finally:
            hold.unlink()

    def builds(self):
        """The pids (in the machine) of builds that wait."""
        return self.machine.sh("grep -lzE '/[.]deploybot/build$' /proc/[0-9]*/cmdline 2>/dev/null | sort | "
                               "cut -d / -f 3 || true").split()

    def wait_live(self, mark):
        """The final message of a deployment begun after `mark`."""
        found = self.chat.wait_for_message(lambda view: any(word in text_of(view) for word in
                                                            ("✅", "❌", "Live: staging", "failed")),
                                           PATIENCE_S, ADA, mark)
        assert "Live: staging" in text_of(found), text_of(found) + self.machine.journal("deploybot*")
        return found

    def deploy(self):
        """A commit that is new: what is live already is asked about."""
        sample_app.change(self.work, "develop", "good")
        mark = self.chat.mark()
        self.chat.say(ADA, ADA, "/deploy staging")
        return self.wait_live(mark)

    def app(self):
        return get(f"http://127.0.0.1:{PORTS['staging']}/health")

    def database(self, question):
        """Rows of the server's database, looked at from outside."""
        path = self.machine.root.path / "var/lib/deploybot/deploybot.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()
