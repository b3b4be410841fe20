#!/usr/bin/python3
"""walk_installation.py FOLDER WAY - types docs/INSTALLATION.md on a machine, its targets and in the chat; then what
docs/OPERATIONS.md and docs/SECURITY-OPERATIONS.md say of backups, upgrades, rotation and removal.

Runs inside tests/targets/inside.py. FOLDER/root is a Debian in which section 3 was typed. The page is the script: what
is here is who types what where, what stands for Telegram, Let's Encrypt and the team's CI, and what people do in the
chat.
Exit status: 0 all of it was so, 77 no machines can be made here (the last line says why), else a traceback.
"""
# SPDX-License-Identifier: ISC
import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import socket
import ssl
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
for _folder in (HERE, *(HERE.parent / name for name in ("targets", "peers", "demo", "e2e"))):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

# pylint: disable=wrong-import-position
import sample_app  # noqa: E402
from bed import FORGE, HOSTS, IMAGE, OURS, REGISTRY, REGISTRY_PASSWORD, REGISTRY_PORT, REGISTRY_USER, Bed  # noqa: E402
from github import encode, push_payload, sign  # noqa: E402
from infra_aid import Root, run  # noqa: E402
from machine import Machine, on_its_network  # noqa: E402
from page_aid import blocks  # noqa: E402
from stage import get, wait_until  # noqa: E402
from telegram_client import ADA, DEFAULT_TOKEN, GROUP, Telegram, buttons_of, text_of  # noqa: E402

PAGE = "INSTALLATION.md"
RUNBOOKS = ("OPERATIONS.md", "SECURITY-OPERATIONS.md")
SECTIONS = ("Backup and restore", "Upgrade", "Rotation", "Removing it")
NAME = "bot.example.org"
ADDRESS = "10.77.0.20"
PATIENCE_S = 240
REFUSED = 77
REPOSITORY = "orchard/shop"
CONF = "/etc/deploybot/deploybot.conf"
OVER = re.compile(r"^took \d", re.MULTILINE)
TYPED = {"BOT_TOKEN": DEFAULT_TOKEN, "REPOSITORY_TOKEN": "github_pat_0123456789",
         "REGISTRY_PASSWORD": REGISTRY_PASSWORD}
STAGING, PRODUCTION = HOSTS.values()


class Installed(Root):
    """One that is there already."""

    def __init__(self, path):   # pylint: disable=super-init-not-called
        self.path = pathlib.Path(path)

    def remove(self):
        """Whoever made it does."""


class Bot(Machine):
    """deploybot's machine, with a wire to the others."""

    def __init__(self, folder):     # pylint: disable=super-init-not-called
        self.root = Installed(folder / "root")
        self.console = folder / "console"
        self.process = self.init = None
        self.binds = {}

    def start(self):
        super().start()
        run(["ip", "link", "add", "bed-bot", "type", "veth", "peer", "name", "eth0", "netns", str(self.init)])
        run(["ip", "link", "set", "bed-bot", "master", "bed0", "up"])
        self.run("ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.sh(f"echo '127.0.0.1 {NAME}' >>/etc/hosts")
        return self


class Walk:
    def __init__(self, folder, way, bed, bot):
        self.folder, self.way, self.bed, self.bot = folder, way, bed, bot
        there = blocks(PAGE) + [block for page in RUNBOOKS for block in blocks(page, SECTIONS)]
        self.page = [block for block in there if block.is_run and (
            block.where in ("machine", "target") or block.where == way and "booted" in block.options)]
        assert {block.section for block in self.page} >= {"1", "4", "5", "6", "9", "Backup and restore", "Rotation"}
        self.chat = None
        bare, self.tree = sample_app.create(str(folder / "repository"), 0)
        bed.publish(bare, self.tree)

    # --- typing ---

    def put(self, text):
        """What stands in capitals is ours to replace; installed from source, so are two paths."""
        for old, new in (("STAGING_IP", STAGING), ("PRODUCTION_IP", PRODUCTION), ("OWNER/NAME", REPOSITORY),
                         ("REGISTRY_LOGIN", REGISTRY_USER)):
            text = text.replace(old, new)
        text = re.sub(r"(?m)^(REGISTRY_URL)=REGISTRY$", rf"\1={REGISTRY}", text)
        text = re.sub(r"(?m)^(REGISTRY_IMAGE)=IMAGE$", rf"\1={IMAGE}", text)
        return re.sub(r"/usr/(lib|share)/(?=deploybot|doc/deploybot)", r"/usr/local/\1/", text) \
            if self.way == "source" else text

    def type(self, section):
        """All of a section; what each block printed."""
        return [self.type_block(block) for block in self.page if block.section == section]

    def type_block(self, block):
        print(f"--- {block.page}:{block.line}, {block.where} {', '.join(block.options)}", flush=True)
        text = self.put(block.text)
        option = (block.options or [""])[0]
        if block.where == "target":
            for name in re.findall(r"\w+_key\.pub", text):
                for host in self.bed.hosts.values():
                    host.write(f"/tmp/{name}", self.bot.sh(f"cat ~ada/{name}"))
            return [self.type_on_target(host, text, option) for host in self.bed.hosts.values()]
        if option == "settings":
            return self.set(text)
        if option.startswith("file "):
            return self.bot.run("install", "-m", "0755", "/dev/stdin", option.split()[1], stdin=text + "\n")
        typed = TYPED[option.split()[1]] + "\n" if option.startswith("typed ") else ""
        done = self.bot.run("runuser", "-l", "ada", "-c", f"set -eo pipefail\n{text}", stdin=typed, timeout=600,
                            check=option != "may end with 1")
        assert done.returncode in (0, 1), done.stdout
        print(done.stdout, flush=True)
        return done.stdout

    @staticmethod
    def type_on_target(host, text, option):
        if option.startswith("file "):
            return host.write(option.split()[1], text + "\n")
        if option == "sshd":
            host.write("/etc/ssh/hardened", text + "\n")
            return host.run("cat /etc/ssh/hardened >>/etc/ssh/bed_config && "
                            "/usr/sbin/sshd -t -f /etc/ssh/bed_config && kill -HUP $(pgrep -o sshd)")
        return host.run(f"set -eo pipefail; cd /tmp\n{text}", timeout=300)

    def set(self, text):
        """In the lines that are there, as the page says."""
        for line in text.splitlines():
            name = line.partition("=")[0]
            before = self.bot.sh(f"grep -c '^#\\?{name}=' {CONF} || true").strip()
            assert before == "1", f"{name} stands {before} times in {CONF}"
            self.bot.run("sed", "-i", f"s|^#\\?{name}=.*|{line}|", CONF)

    # --- what stands for others ---

    def certify(self):
        """An authority that everybody here trusts, and what certbot would have put there."""
        live = f"/etc/letsencrypt/live/{NAME}"
        self.bot.sh(f"""mkdir -p {live} && cd {live}
            openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=authority -keyout /etc/ssl/private/ca.key \
                -out /usr/local/share/ca-certificates/authority.crt 2>/dev/null
            openssl req -newkey rsa:2048 -nodes -subj /CN={NAME} -addext subjectAltName=DNS:{NAME} -keyout privkey.pem \
                -out /tmp/csr 2>/dev/null
            openssl x509 -req -in /tmp/csr -copy_extensions copy -CA /usr/local/share/ca-certificates/authority.crt \
                -CAkey /etc/ssl/private/ca.key -days 90 -out fullchain.pem 2>/dev/null
            chmod 600 privkey.pem; update-ca-certificates >/dev/null 2>&1""")

    def start_telegram(self):
        os.environ["SSL_CERT_FILE"] = str(self.bot.root.path / "etc/ssl/certs/ca-certificates.crt")
        return Telegram.start("--local", "--limits", "off", "--resolve", f"{NAME}:443=127.0.0.1:443")

    def answer_for_github(self):
        """The repository is on a server of the bed's; the runner gets a key for it in the place of the token."""
        secrets = "/etc/deploybot/secrets/runner"
        for name, path in (("git_key", self.bed.folder / "git_key"), ("git_hosts", self.bed.known_hosts)):
            self.bot.run("install", "-m", "0600", "-o", "deploybot-runner", "/dev/stdin", f"{secrets}/{name}",
                         stdin=path.read_text("ascii"))
        self.set(f"REPOSITORY_URL=ssh://git@{FORGE}/bed/shop.git\nREPOSITORY_KEY_PATH={secrets}/git_key\n"
                 f"REPOSITORY_KNOWN_HOSTS={secrets}/git_hosts\nTELEGRAM_API_BASE={self.chat.base}")
        self.bot.run("sed", "-i", "s|^REPOSITORY_TOKEN_FILE=.*|#REPOSITORY_TOKEN_FILE=|", CONF)

    def build(self, branch):
        """The team's CI: an image of the branch, tagged with its commit."""
        sample_app.check_out(self.tree, branch)
        commit = sample_app.git(self.tree, "rev-parse", "HEAD")
        name = f"{OURS}:{REGISTRY_PORT}/{IMAGE}:{commit}"
        environment = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": f"unix://{self.bed.forge.folder}/docker.sock",
                       "DOCKER_CONFIG": str(self.folder / "docker"), "HOME": str(self.folder)}
        run(["/usr/bin/docker", "login", "-u", REGISTRY_USER, "--password-stdin", f"{OURS}:{REGISTRY_PORT}"],
            input=REGISTRY_PASSWORD, env=environment)
        run(["/usr/bin/docker", "build", "-q", "--build-arg", f"COMMIT={commit}", "-t", name, self.tree],
            env=environment)
        run(["/usr/bin/docker", "push", "-q", name], env=environment)
        return commit

    # --- in the chat ---

    def ask(self, words, expected, chat=ADA):
        mark = self.chat.mark()
        self.chat.say(ADA, chat, words)
        return self.chat.wait_for_message(lambda view: re.search(expected, text_of(view)), PATIENCE_S, chat, mark)

    def end(self, view):
        """What a deployment's message says when all is over, or one anew below it, as that notifies."""
        chat, number = view["chat_id"], view["message_id"]
        return text_of(self.chat.wait_for_message(
            lambda view: view["message_id"] >= number and OVER.search(text_of(view)), PATIENCE_S, chat))

    def is_live(self, address, commit):
        status, body = get(f"http://{address}:8080/health")
        assert status == 200 and commit in body, (status, body)

    # --- the page ---

    def follow(self):
        self.type("1")
        self.type("3")
        self.configure()
        self.open_the_door()
        self.find_out_who()
        self.deploy()
        self.push("A push before its image is there waits for it")
        self.look_after()
        self.restore()
        self.type("Upgrade")
        self.rotate()
        self.remove()

    def configure(self):
        for block in self.page:
            if block.section == "4":
                if "check-config" in block.text:
                    self.answer_for_github()
                said = self.type_block(block)
                if "check-config" in block.text:
                    assert "ok: the settings are valid" in said.strip().splitlines()[-1], said
                if "systemctl status" in block.text:
                    assert said.count("Active: active (running)") == 2, said

    def open_the_door(self):
        self.certify()
        said = self.type("5")[-1]
        assert "url: none yet: the server registers" in said or f"https://{NAME}/telegram/webhook" in said, said
        last = [block for block in self.page if block.section == "5"][-1].text.splitlines()[-1]
        wait_until(lambda: f"https://{NAME}/telegram/webhook" in self.bot.sh(last), PATIENCE_S, "the webhook")

    def find_out_who(self):
        told = self.ask("/whoami", "Your Telegram id is")
        assert str(ADA) in text_of(told)
        self.set(f"ADMIN_TELEGRAM_IDS={ADA}")
        wait_until(lambda: "settings changed: ADMIN_TELEGRAM_IDS" in self.bot.journal("deploybot"), PATIENCE_S,
                   "the settings")
        told = self.ask("/whoami", "This chat's id is", GROUP)
        assert str(GROUP) in text_of(told)
        self.set(f"TELEGRAM_CHAT_ID={GROUP}\nALLOWED_CHATS={GROUP}")
        doctor, preflight = self.type("6")
        assert "error" not in doctor.lower().replace("0 errors", ""), doctor
        assert preflight.strip().splitlines()[-1] == "all is there", preflight

    def deploy(self):
        staging = self.build("develop")
        said = self.end(self.ask("/deploy staging", "staging"))
        assert "Live: staging" in said and f"{staging[:7]}" in said, said + self.bot.journal("deploybot")
        self.is_live(STAGING, staging)
        production = self.build("main")
        question = self.ask("/deploy production", r"production\?")
        self.chat.press(ADA, question, next(button for button in buttons_of(question) if "Deploy to" in button))
        said = self.end(question)
        assert "Live: production" in said and f"{production[:7]}" in said, said + self.bot.journal("deploybot")
        self.is_live(PRODUCTION, production)
        self.ask("/status", "(?s)production runs.*staging runs")      # what is called so comes first

    def push(self, what):
        """To staging's branch, before CI has built it; from GitHub's side, with the secret that deploybot has."""
        print(f"--- {what}", flush=True)
        secret = self.bot.sh("cat /etc/deploybot/secrets/server/github_webhook_secret").strip()
        mark = self.chat.mark()
        commit = sample_app.change(self.tree, "develop", "good")["after"]
        body, kind = encode(push_payload(REPOSITORY, "refs/heads/develop", "1" * 40, commit))
        authority = self.bot.root.path / "usr/local/share/ca-certificates/authority.crt"
        context = ssl.create_default_context(cafile=authority)
        line = http.client.HTTPSConnection(NAME, timeout=60)
        line.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", 443), 60), server_hostname=NAME)
        with contextlib.closing(line):
            line.request("POST", "/github/webhook", body, {
                "Content-Type": kind, "X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4()),
                "X-Hub-Signature-256": sign(secret, body)})
            assert line.getresponse().status == 200
        view = self.chat.wait_for_message(lambda view: commit[:7] in text_of(view), PATIENCE_S, GROUP, mark)
        self.build("develop")
        end = self.end(view)
        assert "Live: staging" in end and f"{commit[:7]}" in end, end
        self.is_live(STAGING, commit)

    def look_after(self):
        production = self.type("9")[0]
        wrong = [line for line in production.splitlines() if line.startswith("error")]
        bed = ("TELEGRAM_BOT_TOKEN: the demo's", "http:// goes over the network in the clear")  # as it has them
        assert all(any(words in line for words in bed) for line in wrong), production
        assert "chmod" not in production, production
        asked = "http://127.0.0.1:9090/api/v1/query?query=up%7Bjob%3D%22deploybot%22%7D"
        wait_until(lambda: ',"1"]' in get(asked)[1], PATIENCE_S, "the scrape")

    def restore(self):
        """A copy is made, more happens, the copy is put back."""
        backup, cron, restore = [block for block in self.page if block.section == "Backup and restore"]
        self.type_block(backup)
        copy, = self.bot.sh("ls /var/backups/deploybot/*.db").split()
        self.type_block(cron)
        self.bot.sh("systemctl start deploybot-backup.service")
        self.push("This one will be forgotten")
        restore.text = restore.text.replace("COPY", copy)
        mark = self.chat.mark()
        said = self.type_block(restore)
        assert said.strip().splitlines()[-1].startswith("ok"), said
        warning = self.chat.wait_for_message(lambda view: "State unknown: staging" in text_of(view),
                                             PATIENCE_S, GROUP, mark)
        self.chat.press(ADA, warning, next(button for button in buttons_of(warning) if "Resume queue" in button))
        self.push("After the copy was put back")

    def rotate(self):
        """What was there before is no longer needed by anything."""
        secrets = "/etc/deploybot/secrets/*/"
        names = ("deploy_key", "telegram_webhook_secret", "github_webhook_secret")
        before = {name: self.bot.sh(f"cat {secrets}{name}") for name in names}
        pasted = next(block for block in self.page if "name=REPOSITORY_TOKEN" in block.text)
        as_the_bots = dataclasses.replace(pasted, text=pasted.text.replace("REPOSITORY_TOKEN", "TELEGRAM_BOT_TOKEN"),
                                          options=["typed BOT_TOKEN"])
        # The bed's repository is read with a key: of the two whose setting is there each is pasted once.
        pasted.text = pasted.text.replace("REPOSITORY_TOKEN", "REGISTRY_PASSWORD")
        pasted.options = ["typed REGISTRY_PASSWORD"]
        said = "".join("".join(one or "") for one in self.type("Rotation"))     # of a target: one of each
        assert "\n    GITHUB_WEBHOOK_SECRET_PREVIOUS is accepted too; " in said, said
        for block in self.page:     # which names GitHub's; Telegram's is the other one that is there
            if block.section == "Rotation" and "name=GITHUB_WEBHOOK_SECRET" in block.text:
                block.text = block.text.replace("GITHUB_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET")
                self.type_block(block)
        self.type_block(as_the_bots)
        for name in names:
            assert self.bot.sh(f"cat {secrets}{name}") != before[name], name
        assert not self.bot.sh(f"ls {secrets} | grep new || true")
        for host in self.bed.hosts.values():
            assert host.run("grep -c . ~deploy/.ssh/authorized_keys") == "1"
        self.ask("/status", "staging")
        self.push("With new keys and secrets")

    def remove(self):
        if self.way != "deb":
            return
        said = self.type("Removing it")[-1]
        assert "/var/log/deploybot" in said, said
        assert get(f"http://{STAGING}:8080/health")[0] == get(f"http://{PRODUCTION}:8080/health")[0] == 200
        assert not self.bot.sh("ls -d /etc/deploybot/secrets /usr/bin/deploybot /usr/lib/deploybot 2>/dev/null || true")


def main():
    if "BED_CGROUP" not in os.environ:
        print(os.environ.get("BED_REFUSED") or __doc__)
        return REFUSED
    folder, way = pathlib.Path(sys.argv[1]), sys.argv[2]
    bed = Bed(folder / "bed")
    for host in bed.hosts.values():
        host.services = ["docker", "sshd"]      # all else is what the page types
    with contextlib.ExitStack() as stack:
        stack.enter_context(bed)
        bot = stack.enter_context(Bot(folder))
        walk = Walk(folder, way, bed, bot)
        stack.enter_context(on_its_network(bot))
        walk.chat = stack.enter_context(walk.start_telegram())
        walk.follow()
    return 0


if __name__ == "__main__":
    sys.exit(main())
