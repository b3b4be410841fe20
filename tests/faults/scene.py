"""scene.py - one worker's world for campaigns: peers stay, each trial has a state folder and a chat of its own.

    scene = FaultScene(folder)
    flow.prepare(scene)                     # staging and production run scene.old; nothing else has happened
    scene.launch(environment={...})         # deploybot, under whatever fault
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import sqlite3
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / name) for name in ("e2e", "demo", "peers", "tools")]

from crash_aid import CrashScene, is_alive, kill, program_of  # noqa: E402
from flow_aid import PATIENCE_S, Person  # noqa: E402
from github import GitHub  # noqa: E402
from runner_client import children_of  # noqa: E402
from stage import GITHUB_SECRET, WEBHOOK_SECRET, Deploybot, each_process, wait_until  # noqa: E402

ENVIRONMENTS = {"staging": "develop", "production": "main"}
REPOSITORY = "orchard/shop"
FIRST_PERSON = 424_260_000
AGAIN_S = 5     # a person who sees no answer presses again
SPEED = "4"     # Telegram's pauses before it delivers again are shorter by that
RUNNER = """#!/bin/sh
# Stands beside a copy of deploybot, which starts it: what the trial wants of the runner comes first.
here='{here}'
[ ! -e "$here/runner.env" ] || . "$here/runner.env"
exec $RUNNER_WRAPPER '{runner}' "$@" --scripts '{scripts}'
"""
# Each start of a script leaves a line, and whoever finds another at work on its target one in `overlap`.
SCRIPT = r"""
what={program}
said() {{ echo "$1 $what $env $commit ${{RUN_ID:-none}}" >>"$here/begun"; }}
env=$1 commit=$2
other=$(cat "$here/$env.at" 2>/dev/null)
if [ -n "$other" ] && [ -r "/proc/$other/environ" ] && grep -qz '^RUN_ID=' "/proc/$other/environ"; then
	echo "$RUN_ID found $other" >>"$here/overlap"
fi
echo $$ >"$here/$env.at"
said begin
echo "==> ship"
setsid sleep 600 >/dev/null 2>&1 & child=$!
for i in 1 2 3; do echo "$what line $i"; done
echo "==> release"
said touch
echo half >"$here/$env.live"
{between}
echo "$commit" >"$here/$env.live"
kill "$child"
rm -f "$here/$env.at"
said end
"""
BETWEEN = 'while [ -e "$here/$env.hold" ]; do sleep 0.02; done; sleep 0.05'


class Broken(AssertionError):
    """An invariant does not hold: its name, and what shows it."""

    def __init__(self, invariant, evidence):
        super().__init__(f"broken: {invariant}: {evidence}")
        self.invariant = invariant


class Judge:
    """A health answer: well as long as what is live is whole and not the commit that is bad."""

    def __init__(self, scene, environment):
        self.scene = scene
        self.environment = environment

    def __iter__(self):
        live = self.scene.scripts.live(self.environment) or "none"
        is_well = len(live) == 40 and live not in self.scene.bad
        yield 200 if is_well else 500
        yield {"status": "ok" if is_well else "bad", "commit": live}


class FaultScene(CrashScene):
    """Peers that stay, and a deploybot whose state is a template's copy in each trial."""

    def __init__(self, folder, build=None, settings=None):
        folder = pathlib.Path(folder).resolve()
        self.bad = set()
        self.persons = 0
        self.who = None
        self.said, self.pressed = 0, set()  # updates that Telegram has to bring, and buttons
        self.acknowledged = []  # (source, id) of what a peer was answered 2xx for
        self.kills = 0          # of this trial: each may cost one message that stands twice
        self.expected = None    # states in which the flow's deployment may end; None: any end
        self.lost_runs = 0      # supervisors that were killed: so many programs may have begun once more
        self.trial_settings = {}
        self.real = pathlib.Path(build or os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve()
        super().__init__(folder, settings={
            "GITHUB_REPOSITORY": REPOSITORY, "STAGING_TELEGRAM_IDS": None, "HEALTH_CHECK_TIMEOUT": "30",
            "SHUTDOWN_TIMEOUT_SECONDS": "5", "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            **(settings or {})}, telegram=("--local", "--limits", "off", "--speed", SPEED), start=False)
        self.extra["PRODUCTION_HEALTH_URL"] = self.health.url("production")
        self.build = self.make_programs()
        self.hub = GitHub(f"http://127.0.0.1:{self.http_port}/github/webhook", GITHUB_SECRET, REPOSITORY)
        try:
            self.start_peers()
            self.make_template()
        except BaseException:
            self.close()
            raise

    # --- programs whose runner can be given an order ---

    def make_programs(self):
        """A deploybot of our own, and beside it a runner that reads its trial's wishes first."""
        folder = self.folder / "bin"
        folder.mkdir()
        shutil.copy2(self.real / "deploybot", folder / "deploybot")
        runner = folder / "deploybot-runner"
        runner.write_text(RUNNER.format(here=folder, runner=self.real / "deploybot-runner",
                                        scripts=ROOT / "deploy"), encoding="utf-8")
        runner.chmod(0o755)
        return folder

    def wish_of_runner(self, environment=None, wrapper=()):
        """What every runner that starts from now on has in its environment and before its name."""
        lines = [f"export {name}='{value}'\n" for name, value in (environment or {}).items()]
        lines.append(f"RUNNER_WRAPPER='{' '.join(map(str, wrapper))}'\n")
        (self.folder / "bin" / "runner.env").write_text("".join(lines), encoding="utf-8")

    # --- the state that every trial begins with ---

    def set_scripts(self, between=BETWEEN):
        """Scripts that say what they do; `between` stands where a target is half changed."""
        for environment in ENVIRONMENTS:
            self.scripts.deploy(SCRIPT.format(program="deploy", between=between), environment)
            self.scripts.rollback(SCRIPT.format(program="rollback", between="sleep 0.05"), environment)

    def make_template(self):
        """Both environments run a release, and there is a newer commit."""
        self.old, self.new = {}, {}
        for environment in ENVIRONMENTS:
            self.health.answers[environment] = Judge(self, environment)
        self.set_scripts()
        self.new_person()
        self.wish_of_runner()
        self.launch()
        for environment, branch in ENVIRONMENTS.items():
            self.who.say(f"/deploy {environment}")
            if environment == "production":
                self.who.press(self.who.hear("Deploy to production?", buttons=("Deploy to",)), "Deploy to")
            self.who.hear(f"Live: {environment}")
            self.old[environment] = self.head(branch)
        self.files_at_rest = len(os.listdir(f"/proc/{self.server()}/fd"))
        assert self.bot.stop() == 0, self.bot.log()[-4000:]
        for environment, branch in ENVIRONMENTS.items():
            self.commit(branch)
            self.new[environment] = self.head(branch)
        template = self.folder / "template"
        template.mkdir()
        shutil.copytree(self.folder / "state", template / "state", symlinks=True,
                        ignore=lambda folder, names: [n for n in names if n == "socket"])
        shutil.copy2(self.folder / "audit.log", template / "audit.log")
        shutil.copytree(self.scripts.folder, template / "scripts")
        self.first_rows = self.rows("SELECT (SELECT COALESCE(MAX(id), 0) FROM work),"
                                       " (SELECT COALESCE(MAX(seq), 0) FROM inbox)")[0]

    def fresh(self, webhook=True, **settings):
        """The template again, for a person with a chat of their own.  Nothing is started."""
        assert self.bot is None or self.bot.process is None or self.bot.process.poll() is not None
        for name in ("state", "scripts"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.folder / "template" / name, self.folder / name, symlinks=True)
        shutil.copy2(self.folder / "template" / "audit.log", self.folder / "audit.log")
        (self.scripts.folder / "begun").unlink(missing_ok=True)
        (self.folder / "deploybot.log").unlink(missing_ok=True)
        self.set_scripts()
        self.wish_of_runner()
        self.bad, self.acknowledged, self.kills, self.expected, self.lost_runs = set(), [], 0, None, 0
        self.said, self.pressed = 0, set()
        self.webhook, self.hub.secret = webhook, GITHUB_SECRET
        self.trial_settings = settings
        self.chat.clear_faults()
        self.template_rows = self.first_rows    # what was there before the trial
        self.new_person()
        self.first_delivery = len(self.chat.deliveries())

    def new_person(self):
        number = FIRST_PERSON + self.persons
        self.persons += 1
        self.chat.act("users", user_id=number, first_name=f"Person{self.persons}",
                      username=f"person_{self.persons}")
        self.extra["ADMIN_TELEGRAM_IDS"] = str(number)  # the first admin: pushes are reported there too
        self.who = Person(self, number)

    def settings(self):
        return {name: value for name, value in {**super().settings(), **self.trial_settings}.items()
                if value is not None}

    # --- what people do ---

    def say(self, text):
        """The trial's person writes."""
        self.said += 1
        self.who.say(text)

    def press_once(self, view, label):
        """Presses a button (None: there is none); as long as it stands, again after a while."""
        key = (view["message_id"], label, int(time.monotonic() / AGAIN_S))
        if label is None or key in self.pressed:
            return
        self.pressed.add(key)
        try:
            self.chat.press(self.who.number, view, label, wait=0)
            self.said += 1
        except RuntimeError:
            pass    # the button has gone meanwhile

    def is_half(self, environment):
        """Does a script stand where its target is half changed?"""
        return self.scripts.live(environment) == "half"

    # --- deploybot ---

    def launch(self, environment=None, wrapper=(), wait=True):
        """Starts deploybot on the trial's state; more environment, and what stands before its name."""
        self.bot = Deploybot(self.folder, {**self.settings(), **(environment or {})}, self.build, wrapper)
        try:
            self.bot.start(wait=False)
            if wait:
                self.bot.wait_ready()
        except RuntimeError:
            if wait != "if it lives":
                raise
        return self.bot

    def is_dead(self):
        return self.bot.process.poll() is not None

    def runners(self):
        """Runners and supervisors of this scene's state that are alive (a supervisor is a fork of its runner)."""
        mark = f"{self.folder / 'state'}".encode()
        found = []
        for pid, line in each_process("cmdline"):
            words = line.split(b"\0")
            if mark in words and words[0].endswith(b"deploybot-runner") and is_alive(pid):
                found.append(pid)
        return found

    def power_cut(self):
        """Server, runner and supervisors at once; scripts in sessions of their own live on, as orphans."""
        # The server first: what it orders while the others die would be no power cut.
        if not self.is_dead():
            self.bot.process.kill()
        for pid in self.runners():
            kill(pid)
        self.bot.process.wait()
        wait_until(lambda: not self.runners(), PATIENCE_S, "the end of runners and supervisors")

    def rows(self, sql, *values):
        """What is committed."""
        path = self.folder / "state" / "deploybot.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def has_ended(self):
        """Is there a deployment of this trial, and none that goes on?"""
        try:
            n, ended = self.rows("SELECT COUNT(*), COALESCE(SUM(ended_at <> 0), 0) FROM work WHERE id > ?",
                                 self.template_rows[0])[0]
        except sqlite3.Error:
            return False    # the very first start has not made its tables yet
        return 0 < n == ended

    # --- what has happened ---

    def begun(self):
        """(begin, touch or end, program, environment, commit, RUN_ID) of every script of this trial."""
        path = self.scripts.folder / "begun"
        return [tuple(line.split()) for line in path.read_text("ascii").splitlines()] if path.exists() else []

    def end_all(self):
        """Deploybot and all that it ever started here."""
        if self.bot is not None and self.bot.process is not None:
            self.power_cut()
        for pid in self.with_run_id():
            kill(pid)

    def close(self):
        """What a trial left is its failure, not this one's."""
        self.end_all()
        self.bot = None
        self.stop()
        self.health.close()


def forks_of(pid):
    """A process's children, each with the name of its program."""
    return {child: program_of(child) for child in children_of(pid)}
