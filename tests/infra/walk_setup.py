#!/usr/bin/python3
"""walk_setup.py FOLDER - the short way of docs/INSTALLATION.md, played to the end: `sudo deploybot-setup`, typed at a
terminal by who may sudo, then /deploy staging in the chat; then `webhooks`, behind a real nginx.

Runs inside tests/targets/inside.py. FOLDER/root is a Debian in which the package was installed. What is here is who
sits there: the answers, whoever opens the link, and the team's CI.
Exit status: 0 what the set-up wrote has released, 77 no machines can be made here (the last line says why), else a
traceback.
"""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import pty
import re
import subprocess
import sys
import time

from walk_installation import (CONF, FORGE, HOSTS, IMAGE, NAME, PATIENCE_S, REFUSED, REGISTRY, REGISTRY_PASSWORD,
                               REGISTRY_USER, Bed, Bot, Walk, on_its_network, sample_app)
from telegram_client import ADA, DEFAULT_TOKEN, text_of

STAGING, PRODUCTION = HOSTS.values()
SHOP = f"ssh://git@{FORGE}/bed/shop.git"
QUESTIONS_MAX = 12      # a repository by ssh needs no token: one less than the pages say
# What is asked, and what is typed there; nothing: the default, which is shown.
ANSWERS = {"SETUP_REPOSITORY": SHOP, "TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN, "SETUP_ADMIN": "yes", "IMAGE_SOURCE": "",
           "REGISTRY_URL": REGISTRY, "REGISTRY_USER": REGISTRY_USER, "REGISTRY_PASSWORD": REGISTRY_PASSWORD,
           "STAGING_HOST": STAGING, "PRODUCTION_HOST": PRODUCTION, "SETUP_HEALTH": "", "SETUP_LOGIN": "",
           "SETUP_HOST_KEYS": "yes"}
QUESTION = re.compile(rb"\n([A-Z][A-Z0-9_]+)  [^\n]*\n[^\n]*\n  (?:\(not shown\) )?\[[^\n]*\] > $")
LINK = re.compile(rb"https://t\.me/\w+\?start=([0-9a-f]{16})\s")


class Setup(Walk):
    """Whoever has this to do before lunch."""

    def __init__(self, folder, bed, bot):   # pylint: disable=super-init-not-called
        self.folder, self.bed, self.bot, self.chat, self.asked = folder, bed, bot, None, []
        bare, self.tree = sample_app.create(str(folder / "repository"), 0)
        bed.publish(bare, self.tree)

    def prepare(self):
        """Who sits there has a key that the hosts know, and may sudo on all of them."""
        self.bot.run("runuser", "-l", "ada", "-c", "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519")
        key = self.bot.sh("cat ~ada/.ssh/id_ed25519.pub").strip()
        for host in self.bed.hosts.values():
            host.run("useradd --create-home --shell /bin/bash ada && usermod -p '*' ada && "
                     "echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ada && install -d -m 700 -o ada ~ada/.ssh && "
                     f"echo '{key}' | install -m 600 -o ada /dev/stdin ~ada/.ssh/authorized_keys")
        self.answer_for_github()
        self.bot.run("sed", "-i", f"s|^#\\?TELEGRAM_API_BASE=.*|TELEGRAM_API_BASE={self.chat.base}|;"
                     f"s|^#\\?REGISTRY_IMAGE=.*|REGISTRY_IMAGE={IMAGE}|", CONF)

    def answer_for_github(self):
        """The repository is on a server of the bed's, with a key that whoever sits there has put in its place."""
        secrets = "/etc/deploybot/secrets/runner"
        for name, path in (("git_key", self.bed.folder / "git_key"), ("git_hosts", self.bed.known_hosts)):
            self.bot.run("install", "-m", "0600", "-o", "deploybot-runner", "/dev/stdin", f"{secrets}/{name}",
                         stdin=path.read_text("ascii"))
        self.bot.run("sed", "-i", f"s|^#\\?REPOSITORY_KEY_PATH=.*|REPOSITORY_KEY_PATH={secrets}/git_key|;"
                     f"s|^#\\?REPOSITORY_KNOWN_HOSTS=.*|REPOSITORY_KNOWN_HOSTS={secrets}/git_hosts|", CONF)

    def type_setup(self, answers, words=""):
        """`sudo deploybot-setup` at a terminal; all that it printed."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(["setsid", "--ctty", "--wait", *self.bot.enter(), "runuser", "-l", "ada", "-c",
                                    f"sudo deploybot-setup {words}"], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said, looked = b"", 0
        with contextlib.suppress(OSError):      # EIO: who had the terminal has ended
            while part := os.read(ours, 65536):
                said += part.replace(b"\r", b"")
                sys.stdout.write(part.decode("utf-8", "replace"))
                sys.stdout.flush()
                if found := LINK.search(said, looked):
                    self.chat.say(ADA, ADA, f"/start {found[1].decode()}")
                elif found := QUESTION.search(said, looked):
                    self.asked.append(found[1].decode())
                    os.write(ours, answers[found[1].decode()].encode() + b"\n")
                if found:
                    looked = found.end()
        os.close(ours)
        assert process.wait(timeout=PATIENCE_S) == 0, said.decode("utf-8", "replace")
        return said.decode("utf-8", "replace")

    def follow(self):
        self.prepare()
        commit = self.build("develop")
        began = time.monotonic()
        said = self.type_setup(ANSWERS)
        assert said.count("all is there") == 2 and "Now write to the bot: /deploy staging" in said
        assert len(self.asked) <= QUESTIONS_MAX, self.asked
        end = self.end(self.ask("/deploy staging", "staging"))
        assert "Live: staging" in end and commit[:7] in end, end + self.bot.journal("deploybot")
        self.is_live(STAGING, commit)
        print(f"--- live {time.monotonic() - began:.0f} s after `sudo deploybot-setup`", flush=True)
        self.again()
        self.look_at_night()
        self.open_the_door()

    def again(self):
        """Typed once more it asks nothing and changes nothing, and what runs goes on."""
        look = f"cd {CONF.rpartition('/')[0]} && find . -type f -exec sha256sum {{}} + | sort"
        before, started = self.bot.sh(look), self.bot.sh("systemctl show -P MainPID deploybot")
        self.asked.clear()
        said = self.type_setup({name: "" for name in ANSWERS})
        assert said.count("all is there") == 2 and "deploybot runs already" in said, said
        assert (self.bot.sh(look), self.bot.sh("systemctl show -P MainPID deploybot")) == (before, started)

    def look_at_night(self):
        """What deploybot-check.timer starts passes, until a host's key is not known any more; both can be seen."""
        known, kept = "/etc/deploybot/secrets/runner/known_hosts", "/run/known"
        passed, begun = (f"/var/lib/deploybot/check.{name}" for name in ("passed", "begun"))
        done = self.bot.run("systemctl", "start", "deploybot-check", check=False)
        assert done.returncode == 0, self.bot.journal("deploybot-check")
        assert self.bot.sh(f"stat -c %U {begun} {passed}").split() == ["deploybot", "deploybot"]
        self.bot.sh(f"cp -p {known} {kept} && runuser -u deploybot-runner -- truncate -s 0 {known} && "
                    f"touch -d '1 hour ago' {passed}")
        done = self.bot.run("systemctl", "start", "deploybot-check", check=False)
        assert done.returncode != 0 and "known_hosts" in self.bot.journal("deploybot-check")
        assert self.bot.sh(f"[[ {begun} -nt {passed} ]] && echo later").strip() == "later"
        self.bot.sh(f"runuser -u deploybot-runner -- tee {known} <{kept} >/dev/null")

    def open_the_door(self):
        """certbot's part is the test's; all of nginx, and Telegram's webhook, is the set-up's."""
        self.certify()
        said = self.type_setup({}, f"webhooks {NAME}")
        assert f"https://{NAME}/forge/webhook/gitlab" in said and f"https://{NAME}/telegram/webhook" in said, said
        assert "staging" in text_of(self.ask("/status", "staging"))
        look = "stat -c '%U %a' /etc/deploybot/secrets/server/forge_webhook_secret"
        assert self.bot.sh(look).strip() == "deploybot 600"
        said = self.type_setup({}, f"webhooks {NAME}")
        assert "is in its configuration already" in said, said


def main():
    if "BED_CGROUP" not in os.environ:
        print(os.environ.get("BED_REFUSED") or __doc__)
        return REFUSED
    folder = pathlib.Path(sys.argv[1])
    bed = Bed(folder / "bed")
    for host in bed.hosts.values():
        host.services = ["docker", "sshd"]      # all else is made by the set-up
    with contextlib.ExitStack() as stack:
        stack.enter_context(bed)
        bot = Bot(folder)
        setup = Setup(folder, bed, bot)
        stack.enter_context(bot)
        stack.enter_context(on_its_network(bot))
        setup.chat = stack.enter_context(setup.start_telegram())
        setup.follow()
    return 0


if __name__ == "__main__":
    sys.exit(main())
