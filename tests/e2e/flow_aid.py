"""What the tests of whole flows share: people with chats of their own, scripts that wait for a word,
a health server that answers as the test says, and eyes for audit, metrics and state files."""
# SPDX-License-Identifier: ISC
import http.server
import json
import pathlib
import re
import sqlite3
import threading
import time

import sample_app
from stage import SLOW, WEBHOOK_SECRET, Deploybot, Stage, wait_until
from telegram_client import ADA, CARL, MALLORY, buttons_of, text_of

PATIENCE_S = 40
FIRST_ADMIN = 424_250_000
ADMINS = 40
ADMIN_IDS = ",".join(str(n) for n in (ADA, *range(FIRST_ADMIN, FIRST_ADMIN + ADMINS)))
# Labels of yeses to what no test here is about: what is live already, and what holds a commit that an earlier test's
# end has blocked.
AGAIN = re.compile(r"Deploy again|Deploy to")
HOLDS_BLOCKED = re.compile(r"⚠️ (may contain|contains) ")
ANY = re.compile("")
OWN = re.compile(
    r"GITHUB_REPOSITORY$|REPOSITORY_URL$|ENVIRONMENTS$|GITHUB_BRANCH_|(STAGING|PRODUCTION)_(?!TELEGRAM_IDS)")
QUICK = {"POLL_REPOSITORY_SECONDS": "0", "HEALTH_CHECK_SUCCESSES": "1",
         "HEALTH_CHECK_RETRIES": "2", "HEALTH_CHECK_INTERVAL": "1"}


class Person:
    """Somebody with a chat of their own, so that one test's messages do not hold up another's."""

    def __init__(self, scene, number):
        self.scene = scene
        self.number = number
        self.since = 0
        self.again = set()      # questions that were answered so

    def say(self, text, chat=None, **options):
        """Writes, here or in another chat; what is received next came after it."""
        self.since = self.scene.chat.mark()
        return self.scene.chat.say(self.number, chat or self.number, text, **options)

    def hear(self, *words, buttons=(), without=(), chat=None, after=None, timeout=PATIENCE_S, confirms=HOLDS_BLOCKED):
        """The first message, or edit of one, that says all the words and none of the others.

        What is live already, or holds what an earlier test has blocked, is confirmed, where no test is about that.
        confirms: what a question says that is confirmed too."""
        def is_wanted(view):
            return (all(word in text_of(view) for word in words)
                    and not any(word in text_of(view) for word in without)
                    and all(any(b in label for label in buttons_of(view)) for b in buttons))

        def is_again(view):
            return (view["chat_id"] == (chat or self.number) and view["message_id"] not in self.again
                    and (any("Deploy again" in label for label in buttons_of(view))
                         or confirms.search(text_of(view)) and yes_of(view)))

        def yes_of(view):
            return next((label for label in buttons_of(view) if AGAIN.search(label)), None)

        after = self.since if after is None else after
        while True:
            heard = self.scene.chat.wait_for_message(
                lambda view: is_wanted(view) or is_again(view), timeout * SLOW,
                chat_id=chat or self.number, after=after)
            if is_wanted(heard):
                return heard
            self.again.add(heard["message_id"])
            label = yes_of(self.scene.chat.message(heard))     # another one of us may have pressed it
            if label:
                self.press(heard, label)

    def begin(self, environment="staging"):
        """Types a deployment there, and has seen that it runs."""
        self.say(f"/deploy {environment}")
        self.hear(f"⏳ Deploying {environment}")

    def press(self, view, word, wait=PATIENCE_S * SLOW):
        """Presses the button whose label holds the word; what the toast says within so many seconds."""
        now = self.scene.chat.message(view)
        label = next(label for label in buttons_of(now) if word in label)
        toast = self.scene.chat.press(self.number, now, label, wait=wait)
        return toast["text"] if toast else None

    def messages(self, chat=None):
        """What the bot has said there, as it stands now."""
        return [view for view in self.scene.chat.messages(chat or self.number)
                if view["outgoing"] and not view["deleted"]]


class Scene(Stage):
    """A stage with many admins, and what a test wants to know of it."""

    def __init__(self, folder, settings=None, webhook=False, **options):
        self.next_admin = 0
        self.webhook = webhook
        self.hold_file = pathlib.Path(folder) / "hold"
        options.setdefault("telegram", ("--local", "--limits", "off"))
        super().__init__(folder, settings={"ADMIN_TELEGRAM_IDS": ADMIN_IDS, **QUICK,
                                           **(settings or {})}, **options)

    def settings(self):
        found = super().settings()
        if self.webhook:
            found["TELEGRAM_WEBHOOK_URL"] = f"http://127.0.0.1:{self.http_port}/telegram/webhook"
            found["TELEGRAM_WEBHOOK_SECRET"] = WEBHOOK_SECRET
        return found

    def person(self, number):
        return Person(self, number)

    def admin(self):
        """An admin who has said nothing yet."""
        number = FIRST_ADMIN + self.next_admin
        self.next_admin += 1
        self.chat.act("users", user_id=number, first_name=f"Admin{self.next_admin}",
                      username=f"admin_{self.next_admin}")
        return Person(self, number)

    @property
    def ada(self):
        return Person(self, ADA)

    @property
    def carl(self):
        return Person(self, CARL)

    @property
    def mallory(self):
        return Person(self, MALLORY)

    # --- the repository ---

    def make_builds_wait(self):
        """From here on a build of develop or main waits as long as builds are stopped."""
        for branch in ("main", "develop"):
            sample_app.check_out(self.work, branch)
            script = (f'#!/bin/sh\necho "building $COMMIT"\nwhile [ -e "{self.hold_file}" ]\n'
                      "do sleep 0.05; done\n" + sample_app.BUILD.split("\n", 1)[1])
            sample_app.write(self.work, ".deploybot/build", script, executable=True)
            sample_app.commit(self.work, "joon", "Builds can be held")
            sample_app.git(self.work, "push", "-q", "origin", branch)

    def hold(self):
        self.hold_file.touch()

    def let_go(self):
        self.hold_file.unlink(missing_ok=True)

    def commit(self, branch="develop", kind="good"):
        """A commit that nobody is notified of."""
        return sample_app.change(self.work, branch, kind)

    def head(self, branch):
        return sample_app.git(self.work, "rev-parse", branch)

    # --- deploybot itself ---

    def start_bot(self, **changes):
        """Another deploybot on the same state; names given as None are not set."""
        self.extra.update(changes)
        self.bot = Deploybot(self.folder, self.settings(), self.build).start()

    # --- what is true now ---

    def bot_rows(self, sql):
        """Rows of its database, read while it runs."""
        database = sqlite3.connect(f"file:{self.folder / 'state' / 'deploybot.db'}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def wait_polled(self):
        """Until git was asked about each branch: what is pushed from here on is found by comparison."""
        unknown = "SELECT name FROM environment WHERE polled_commit = ''"
        wait_until(lambda: self.bot_rows("SELECT 1 FROM environment") and not self.bot_rows(unknown),
                   PATIENCE_S, "a first poll")

    def wait_polled_since(self, environment):
        """Until git was asked behind the last rollback: what is pushed before that is asked about."""
        behind = f"SELECT head_seen >= (SELECT MAX(number) FROM block) FROM environment WHERE name = '{environment}'"
        wait_until(lambda: self.bot_rows(behind) == [(1,)], PATIENCE_S, "a poll behind the rollback")

    def runs(self, environment):
        """The commit that the application itself says it runs, None when it does not answer."""
        status, body = self.app(environment)
        try:
            return json.loads(body)["commit"] if status == 200 else None
        except ValueError:
            return None

    def state_file(self, environment):
        path = self.folder / "state" / "environments" / f"{environment}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def audit(self, **wanted):
        """The audit's entries, oldest first, those that have these fields."""
        return self.bot.audit(**wanted)

    def wait_for_audit(self, n=1, **wanted):
        return wait_until(lambda: len(self.audit(**wanted)) >= n and self.audit(**wanted),
                          PATIENCE_S, f"{n} audit entries {wanted}")

    def metric(self, name, **labels):
        """The sum of a metric over all series that have these labels."""
        total = 0.0
        for line in self.bot.metrics().splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if match and match.group(1) == name and all(
                    f'{key}="{value}"' in (match.group(2) or "") for key, value in labels.items()):
                total += float(match.group(3))
        return total

    def is_busy(self, environment):
        return self.metric("deploybot_environment_busy", environment=environment) != 0

    def wait_free(self, environment="staging"):
        wait_until(lambda: not self.is_busy(environment), PATIENCE_S, f"a free {environment}")

    def wait_busy(self, environment="staging"):
        wait_until(lambda: self.is_busy(environment), PATIENCE_S, f"a busy {environment}")

    # --- what most tests begin with ---

    def release(self, environment="staging", ref=""):
        """Makes what is asked for live; the final message."""
        who = self.admin()
        who.say(f"/deploy {environment} {ref}".strip())
        return who.hear(f"Live: {environment}", "took ", confirms=ANY)


class Applications(Scene):
    """A scene whose environments are those of two applications, each with the settings that were one's own."""

    def settings(self):
        found = super().settings()
        own = {name: found.pop(name) for name in list(found) if OWN.match(name)}
        self.own = {name: value for name, value in own.items() if value is not None}
        for name in ("shop", "blog"):
            self.write(name, STAGING_HOST=f"{name}.example.org")
        return {**found, "APPS_DIRECTORY": str(self.folder / "apps")}

    def write(self, application, **settings):
        (self.folder / "apps").mkdir(exist_ok=True)
        file = self.folder / "apps" / f"{application}.env"
        fresh = file.with_suffix(".new")
        fresh.write_text("".join(f"{k}={v}\n" for k, v in {**self.own, **settings}.items()), encoding="utf-8")
        fresh.chmod(0o640)
        fresh.replace(file)


class Scripts:
    """DEPLOY_SCRIPT and ROLLBACK_SCRIPT whose words each test chooses, by environment."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("deploy", "rollback"):
            self.write(f"{name}.sh", f'. "{self.folder}/$1.{name}"')
        for environment in ("staging", "production"):
            self.reset(environment)

    def write(self, name, words):
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(f"#!/bin/bash\nhere='{self.folder}'\n{words}\n", encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(path)

    def deploy(self, words, environment="staging"):
        self.write(f"{environment}.deploy", words)

    def rollback(self, words, environment="staging"):
        self.write(f"{environment}.rollback", words)

    def reset(self, environment="staging"):
        self.deploy('echo "==> ship"; echo "==> release"; echo "$2" >"$here/$1.live"', environment)
        self.rollback('echo "==> release"; echo "$2" >"$here/$1.live"', environment)

    def live(self, environment="staging"):
        path = self.folder / f"{environment}.live"
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    def touch(self, name):
        (self.folder / name).touch()

    def wait_for(self, name):
        wait_until((self.folder / name).exists, PATIENCE_S, f"the script's mark {name}")

    def clear(self, *names):
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def settings(self):
        return {"DEPLOY_SCRIPT": str(self.folder / "deploy.sh"),
                "ROLLBACK_SCRIPT": str(self.folder / "rollback.sh")}


class Health:
    """A health URL for each name, each answering as the test says."""

    def __init__(self, address="127.0.0.1"):
        self.answers = {}       # name: (status, body), or a list of them, the last of which stays
        self.asked = []         # (when, name)
        self.gates = {}         # name: an event that answers wait for
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.strip("/")
                outer.asked.append((time.monotonic(), name))
                gate = outer.gates.get(name)
                if gate is not None:
                    gate.wait(PATIENCE_S)
                status, body = outer.next_answer(name)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    pass    # whoever asked did not wait

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def next_answer(self, name):
        answer = self.answers.get(name, (200, {"status": "ok"}))
        if isinstance(answer, list):
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer

    def url(self, name):
        host, port = self.server.server_address
        return f"http://{host}:{port}/{name}"

    def times(self, name):
        return len([asked for _, asked in self.asked if asked == name])

    def close(self):
        for gate in self.gates.values():
            gate.set()
        self.server.shutdown()
        self.server.server_close()


def is_alive(pid):
    """Is there such a process, and no zombie?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def ended_well(scene):
    """Stops a scene; a sanitizer's complaint, a method that Telegram's stand-in has not, or a bad exit status is a
    failure."""
    status = scene.stop()
    log = scene.bot.log()
    assert status == 0, f"deploybot ended with {status}:\n{log[-4000:]}"
    for word in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "method not found"):
        assert word not in log, log[-8000:]
