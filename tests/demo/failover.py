"""Two servers and one PostgreSQL: the one that leads is killed in the middle of a release to production; the other
goes on with it and says how it ended, and hands over when the first is back.  Played without a person."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from stage import ROOT, Deploybot, Stage, free_port, get, wait_until
from story import STEP_TIMEOUT_S, Story, brief
from telegram_client import ADA, GROUP, buttons_of, text_of

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

# pylint: disable=wrong-import-position
from link_aid import Link  # noqa: E402
from postgresql_aid import PostgreSQL  # noqa: E402

BUILD_SECONDS = 8.0     # long enough for another to lead before its end
RUNNER = "build-1"


class Machines(Stage):
    """Server a is the stage's; server b has a folder, a port and a link of its own; what is deployed is so by a runner
    on a third machine."""

    def __init__(self, folder, database):
        self.database, self.other, self.links, self.runner = database, None, [], None
        self.ca, self.made = folder / "ca", tempfile.TemporaryDirectory(prefix="b")
        self.machine = pathlib.Path(self.made.name)     # not deeper: deploybot-link has a socket there
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in "ab"]
        folder.mkdir(exist_ok=True)
        self.program("deploybot", "ca", "init", self.ca)
        super().__init__(folder, BUILD_SECONDS, telegram=("--local",), settings={
            "TELEGRAM_CHAT_ID": str(GROUP), "DATABASE_URL": database.url, "RUNNERS": RUNNER,
            "INSTALLATION_NAME": "orchard", "STAGING_RUNNER": RUNNER, "PRODUCTION_RUNNER": RUNNER,
            "LINK_CA_FILE": str(self.ca / "ca.crt"), "LINK_CERTIFICATE_FILE": str(self.ca / "link.crt"),
            "LINK_ORDER_KEY_FILE": str(self.ca / "order.key"), **self.own("a", self.addresses[0])})

    def own(self, name, address):
        return {"SERVER_NAME": f"server-{name}", "LINK_ADDRESS": address,
                **{f"{use}_SOCKET": f"{self.machine}/{use}-{name}" for use in ("LINK", "LOCAL")}}

    def program(self, name, *words, **options):
        build = os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build"
        return subprocess.run([ROOT / build / name, *map(str, words)], check=True, capture_output=True, text=True,
                              timeout=STEP_TIMEOUT_S, **options)

    def start(self):
        super().start()
        try:
            self.start_others()
        except BaseException:
            self.stop()
            raise
        return self

    def start_others(self):
        self.enrol()
        folder = self.folder / "b"
        folder.mkdir()
        self.other = Deploybot(folder, {
            **self.settings(), **self.own("b", self.addresses[1]), "STATE_DIRECTORY": str(folder / "state"),
            "AUDIT_LOG_PATH": str(folder / "audit.log"), "API_SERVER_PORT": str(free_port())}).start()
        for server in (self.bot, self.other):
            self.start_link("serve", "link", LINK_ADDRESS=server.settings["LINK_ADDRESS"],
                            LINK_SOCKET=server.settings["LINK_SOCKET"])
        self.start_runner()

    def start_link(self, use, file, **settings):
        self.links.append(Link(use, LINK_CA_FILE=self.ca / "ca.crt", LINK_CERTIFICATE_FILE=self.ca / f"{file}.crt",
                               LINK_KEY_FILE=self.ca / f"{file}.key", **settings))

    def enrol(self):
        """A key of its own, and the certificate for it."""
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-noenc", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-subj", "/CN=x", "-keyout", f"{RUNNER}.key",
                        "-out", f"{RUNNER}.csr"], cwd=self.ca, check=True, capture_output=True)
        signed = self.program("deploybot", "ca", "sign", self.ca, f"runner/{RUNNER}", self.ca / f"{RUNNER}.csr")
        (self.ca / f"{RUNNER}.crt").write_text(signed.stdout, encoding="ascii")
        # Whoever serves may enrol nobody, and nobody here is another user: the row is set.
        self.bot.stop()
        self.database.sql(f"INSERT INTO peer (identity, digest, made_at, made_by, by_name, revoked_at) VALUES"
                          f" ('runner/{RUNNER}', '{re.search('[0-9a-f]{64}', signed.stderr)[0]}', 1, {ADA}, 'Ada', 0)")
        self.bot.start()

    def start_runner(self):
        """On a machine of its own, with the settings of what it deploys."""
        (self.machine / "state").mkdir()
        public = load_pem_private_key((self.ca / "order.key").read_bytes(), None).public_key()
        key, orders = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(), self.machine / "runner.conf"
        orders.write_text(f"RUNNER_NAME={RUNNER}\nORDER_KEYS={key}\n", encoding="ascii")
        socket = self.machine / "runner.sock"
        with open(self.machine / "runner.log", "ab") as log:
            self.runner = subprocess.Popen(
                [self.bot.build / "deploybot-remote-runner", "--listen", socket, "--state", self.machine / "state",
                 "--orders", orders], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**self.bot.environment(), "STATE_DIRECTORY": str(self.machine / "state")})
        wait_until(socket.exists, STEP_TIMEOUT_S, "the runner's socket")
        self.start_link("runner", RUNNER, LINK_SERVERS=",".join(self.addresses), RUNNER_SOCKET=socket,
                        STATE_DIRECTORY=self.machine / "state", LINK_RECONNECT_S=1,
                        LINK_RENEWED_FILE=self.ca / f"{RUNNER}.pem")
        wait_until(lambda: f"the runner {RUNNER} is connected" in self.bot.log(), STEP_TIMEOUT_S, "the runner")

    def stop(self):
        try:
            if self.other is not None:
                self.other.stop()
            return super().stop()
        finally:
            if self.runner is not None:
                self.runner.terminate()
                self.runner.wait(STEP_TIMEOUT_S)
            for link in self.links:
                link.kill()
            self.made.cleanup()

    def stop_apps(self):
        here, self.folder = self.folder, self.machine
        super().stop_apps()
        self.folder = here


class Failover(Story):
    def say(self, text):
        mark = self.chat.mark()
        self.tell(f"Ada writes {text}")
        self.chat.say(ADA, ADA, text)
        return mark

    def release(self):
        """Ada asks for production, and says yes; what comes next comes behind the mark."""
        mark = self.say("/deploy production")
        question = self.hear("Deploy to production?", after=mark, buttons=("Deploy to",))
        self.tell("Ada presses Deploy to production")
        mark = self.chat.mark()
        self.chat.press(ADA, question, next(label for label in buttons_of(question) if "Deploy to" in label))
        return mark

    def leads(self, server):
        return "\ndeploybot_is_leader 1\n" in server.metrics()

    def status_says(self, *words):
        """As soon as each server knows of the other."""
        def look():
            mark = self.say("/status")
            view = self.chat.wait_for_message(lambda m: "production" in text_of(m), STEP_TIMEOUT_S, ADA, mark)
            return all(word in text_of(view) for word in words) and view
        said = text_of(wait_until(look, STEP_TIMEOUT_S, f"/status with {words}"))
        self.tell("      bot: " + next(line for line in said.split("\n") if words[0] in line))


def two_servers(story):
    story.tell("--- two servers, one database")
    stage = story.stage
    ready = get(stage.other.base + "/readyz")[1].strip()
    story.must(ready.startswith("standby of server-a, which leads since "), f"server-b says: {ready}")
    mark = story.release()
    story.hear("Live: production", after=mark)
    story.status_says("server-a leads since ", "its standby: server-b")


def killed_in_a_release(story):
    story.tell("--- kill -9 in the middle of a release")
    stage = story.stage
    change = stage.push("main", "good")
    story.tell(f"a colleague pushes {change['after'][:7]} \"{change['subject']}\" to main")
    mark = story.release()
    story.hear("production", change["after"][:7], "build", after=mark)
    stage.bot.kill()
    began = time.monotonic()
    story.tell("server-a is killed: kill -9")
    wait_until(lambda: story.leads(stage.other), STEP_TIMEOUT_S, "another leader")
    story.tell(f"server-b leads {time.monotonic() - began:.1f} s later")
    story.hear("Live: production", change["after"][:7], after=mark)
    story.must(story.runs("production") == change["after"], "production runs it")
    runs = stage.database.sql("SELECT runner FROM run WHERE program = 'deploy'"
                              " AND deployment = (SELECT MAX(deployment) FROM run)")
    story.must(runs == RUNNER, f"by one run, of the runner {RUNNER}, which went on meanwhile")
    story.status_says("server-a is gone, or cannot lead; server-b leads since ")


def handed_back(story):
    story.tell("--- the first machine is back")
    stage = story.stage
    stage.bot.start()
    story.status_says("server-b leads since ", "its standby: server-a")
    done = stage.other.run("hand-over")
    story.must(done.returncode == 0, "deploybot hand-over, on server-b: " + brief(done.stdout.strip()))
    stage.other.process.wait(STEP_TIMEOUT_S)
    stage.other.start()
    story.status_says("server-a leads since ", "its standby: server-b")
    verified = stage.bot.run("audit", "verify")
    story.must(verified.returncode == 0, "deploybot audit verify: " + brief(verified.stdout.strip()))


CHAPTERS = (two_servers, killed_in_a_release, handed_back)


def play(folder):
    """0: all of it happened."""
    database = PostgreSQL()
    try:
        with Machines(folder, database) as stage:
            story = Failover(stage)
            try:
                for chapter in CHAPTERS:
                    chapter(story)
            except (AssertionError, TimeoutError, RuntimeError) as problem:
                print(f"the story broke off: {problem}", file=sys.stderr)
                for path in (stage.bot.log_path, stage.other.log_path, stage.machine / "runner.log"):
                    print(f"--- {path} ---\n" + path.read_text("utf-8", "replace")[-6000:], file=sys.stderr)
                return 1
            story.tell("all of it happened")
            return 0
    finally:
        database.close()
