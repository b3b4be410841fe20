"""soak.py - SIGKILL at random moments under load, for as long as one likes: nothing that was promised is lost.

    make soak MINUTES=60            # server, runner, supervisors or all of them every few seconds; peers fail too
    make soak MINUTES=60 SEED=7     # the same draws again; moments are the machine's, so a failure may need some tries

Rounds of load end in a rest, where all of the oracle is asked; after each kill what any commit must hold is checked.
"""
# SPDX-License-Identifier: ISC
import collections
import contextlib
import itertools
import os
import pathlib
import random
import re
import threading
import time
import traceback

import campaign
import oracle
from adopt import SCRIPT, STEADY, AdoptScene
from scene import ENVIRONMENTS, REPOSITORY, SPEED, GitHub, is_alive, kill, wait_until
from flow_aid import ADMINS, FIRST_ADMIN, Person, buttons_of, text_of
from stage import GITHUB_SECRET

ROUND_S = 40
REST_S = 120
KILL_EVERY_S = (0.5, 5)
TROUBLE_EVERY_S = (1, 6)
PEOPLE = 4
PERSON_EVERY_S = (0.1, 1.2)
COMMIT_EVERY_S = (1, 4)
RSS_MORE_KB = 16384     # of a server at rest, over the first one's
AGAIN = 0.05            # of the acknowledged deliveries are delivered once more
VICTIMS = (("server",), ("server",), ("server",), ("runner",), ("supervisor",), ("supervisor",),
           ("server", "supervisor"), ("server", "runner"), ("runner", "supervisor"), ("server", "runner", "supervisor"))
MODES = ("good", "good", "good", "slow", "noisy", "fail", "broken", "hang", "hang later")
SOAK = """mode=$(cat "$here/$env.mode" 2>/dev/null)
for i in 1 2 3; do echo "line $i"; done
case $mode in
hang) while :; do sleep 0.05; done ;;
fail) exit 3 ;;
slow) sleep 0.7 ;;
esac
echo "==> release"
said touch
echo half >"$here/$env.live"
case $mode in
broken) exit 4 ;;
"hang later") while :; do sleep 0.05; done ;;
noisy) head -c 500000 /dev/zero | tr '\\0' x ;;
esac
sleep 0.05
echo "$commit" >"$here/$env.live"
kill "$child"
"""
COMMANDS = ("/deploy staging", "/deploy staging", "/deploy production", "/deploy production", "/rollback staging",
            "/rollback production", "/cancel staging", "/cancel production", "/status", "/history staging", "/whoami",
            "/deploy staging no-such-branch", "/deploy moon")
FINAL = "('LIVE','FAILED','ROLLED_BACK','ROLLBACK_FAILED','REFUSED','CANCELLED','EXPIRED','SUPERSEDED','DONE')"


class Flapping:
    """A health answer of what runs, and now and then none."""

    def __init__(self, scene, environment):
        self.scene = scene
        self.environment = environment

    def __iter__(self):
        is_well = random.random() >= self.scene.flapping
        yield 200 if is_well else 503
        yield {"status": "ok" if is_well else "bad", "commit": self.scene.scripts.live(self.environment) or "none"}


class SoakScene(AdoptScene):
    """One deploybot that lives for the whole soak, as long as it is allowed to."""

    def __init__(self, folder, build):
        self.flapping = 0.0
        super().__init__(folder, build)

    def set_up(self):
        admins = ",".join(str(FIRST_ADMIN + n) for n in range(ADMINS))
        self.begin(DEPLOY_TIMEOUT_SECONDS="8", HEALTH_CHECK_RETRIES="2", HEALTH_CHECK_TIMEOUT="2",
                   ADMIN_TELEGRAM_IDS=admins, POLL_REPOSITORY_SECONDS="5")
        for environment in ENVIRONMENTS:
            self.scripts.deploy(SCRIPT.format(program="deploy", body=SOAK, end=":"), environment)
            self.scripts.rollback(SCRIPT.format(program="rollback", body=STEADY, end=":"), environment)
            self.health.answers[environment] = Flapping(self, environment)
        self.people = [self.admin() for _ in range(ADMINS)]
        self.launch()

    def set_mode(self, environment, mode):
        fresh = self.scripts.folder / f"{environment}.mode.new"
        fresh.write_text(mode, encoding="ascii")
        fresh.replace(self.scripts.folder / f"{environment}.mode")


class Soak:
    """What goes on in it; each thread draws from a generator of its own."""

    def __init__(self, scene, chosen):
        self.scene = scene
        self.chosen = chosen
        self.dice = random.Random(chosen.seed)
        self.count = collections.Counter()
        self.is_loaded = threading.Event()
        self.repository = threading.Lock()
        self.lock = threading.Lock()        # of what follows
        self.unacked = []                   # pushes that nobody took yet
        self.acked = []                     # guids since the last look
        self.deliveries_seen = len(scene.chat.deliveries())
        self.deployments_seen = scene.template_rows[0]
        self.answered = set()
        self.heads = []                     # audit heads that messages name
        self.rss = None
        self.failure = None
        self.began = time.monotonic()
        self.told = 0

    def add(self, what, n=1):
        with self.lock:
            self.count[what] += n

    # --- the load ---

    def guarded(self, work, *arguments):
        """A thread's work; what it did not expect ends the soak."""
        try:
            work(*arguments)
        except Exception:       # pylint: disable=broad-except
            with self.lock:
                self.failure = self.failure or traceback.format_exc()
            self.is_loaded.clear()

    def every(self, dice, span):
        """True again and again, after a pause each time, as long as there is load."""
        self.pause(dice.uniform(*span))
        return self.is_loaded.is_set()

    def pause(self, seconds):
        until = time.monotonic() + seconds
        while self.is_loaded.is_set() and time.monotonic() < until:
            time.sleep(min(0.05, max(until - time.monotonic(), 0)))     # the pace is the test's input

    def deliver(self, hub, dice):
        """Signed pushes: of branches that nobody deploys, of staging's, and some of them twice."""
        while self.every(dice, (0, 2 / self.chosen.rate)):
            branch = dice.choice(("develop", "main", f"topic-{dice.randrange(1000)}", f"topic-{dice.randrange(1000)}"))
            self.note(hub, hub.push(branch, f"{dice.getrandbits(160):040x}"), dice)

    def note(self, hub, entry, dice):
        if entry["status"] is not None and 200 <= entry["status"] < 300:
            self.add("pushes acknowledged")
            with self.lock:
                self.acked.append(entry["guid"])
            if dice.random() < AGAIN:
                hub.redeliver(entry["guid"])    # whatever becomes of it: it was acknowledged
                self.add("pushes delivered again")
            hub.deliveries = [d for d in hub.deliveries if d["guid"] != entry["guid"]]    # its body is large
        else:
            self.add("pushes refused" if entry["status"] else "pushes that met nobody")
            with self.lock:
                self.unacked.append((hub, entry["guid"]))

    def act(self, dice):
        """A person writes, or presses whatever button there is."""
        while self.every(dice, PERSON_EVERY_S):
            who = dice.choice(self.crew)
            try:
                if dice.random() < 0.5:
                    self.press(who, dice)
                else:
                    self.scene.chat.say(who.number, who.number, dice.choice(COMMANDS))
                    self.add("commands")
            except RuntimeError:
                self.add("things that Telegram itself refused")

    def press(self, who, dice):
        views = [v for v in who.messages()[-12:] if buttons_of(v)]
        if not views:
            return
        view = dice.choice(views)
        labels = buttons_of(view)
        likely = [label for label in labels if "Deploy to" in label]
        self.scene.chat.press(who.number, view, dice.choice(likely * 3 + labels), wait=0)
        self.add("buttons pressed")

    def work(self, dice):
        """Colleagues commit, and what the next script does changes."""
        while self.every(dice, COMMIT_EVERY_S):
            environment = dice.choice(("staging", "staging", "production"))
            self.scene.set_mode(environment, dice.choice(MODES))
            with self.repository:
                self.scene.commit(ENVIRONMENTS[environment])
            self.add("commits")

    def trouble(self, dice):
        """Peers fail for a while."""
        kinds = ("Telegram 5xx", "Telegram 429", "Telegram garbage", "Telegram hangs up", "Telegram did it and failed",
                 "Telegram is away", "git is away", "health flaps")
        while self.every(dice, TROUBLE_EVERY_S):
            kind = dice.choice(kinds)
            n = dice.randint(1, 5)
            self.add(f"trouble: {kind}")
            if kind == "Telegram 5xx":
                self.scene.chat.fault("*", times=n, status=502, description="Bad Gateway")
            elif kind == "Telegram 429":
                self.scene.chat.fault("*", times=n, status=429, retry_after=1, description="Too Many Requests")
            elif kind == "Telegram garbage":
                self.scene.chat.fault("*", times=n, raw="<html>we'll be back soon")
            elif kind == "Telegram hangs up":
                self.scene.chat.fault("*", times=n, close=True)
            elif kind == "Telegram did it and failed":
                self.scene.chat.fault("sendmessage", times=1, execute=True, status=502, description="Bad Gateway")
            elif kind == "Telegram is away":
                self.scene.chat.fault("*", times=1_000_000, close=True)
                self.pause(dice.uniform(1, 4))
                self.scene.chat.clear_faults()
            elif kind == "git is away":
                self.without_git(dice.uniform(1, 4))
            else:
                self.scene.flapping = dice.choice((0.3, 0.7, 1.0))
                self.pause(dice.uniform(1, 4))
                self.scene.flapping = 0.0

    def without_git(self, seconds):
        head = pathlib.Path(self.scene.repository) / "HEAD"
        with self.repository:
            words = head.read_bytes()
            head.unlink()
            try:
                self.pause(seconds)
            finally:
                head.write_bytes(words)

    # --- the kills ---

    def strike(self):
        """Some of them die at once; a supervisor starts the server again, which may die as it starts."""
        scene, victims = self.scene, self.dice.choice(VICTIMS)
        if scene.is_dead():
            raise oracle.Broken("the_server_lives", f"it ended with {scene.bot.process.returncode}")
        server = scene.server()
        found = {"server": [server], "supervisor": scene.supervisors()[:1]}
        found["runner"] = [pid for pid in scene.runners() if pid not in scene.supervisors()][:1]
        for name in self.dice.sample(victims, len(victims)):
            for pid in found[name]:
                if is_alive(pid):
                    kill(pid)
                    self.add(f"killed: {name}")
        self.add(f"kills of {'+'.join(victims)}")
        if "server" in victims:
            scene.bot.process.wait()
            self.look_at_commits()
            self.start_again()

    def start_again(self):
        """As systemd would; sometimes it is killed on its way up."""
        while self.dice.random() < 0.15:
            self.scene.launch(wait=False)
            time.sleep(self.dice.uniform(0, 0.2))   # the moment is the test's input
            self.scene.bot.kill()
            self.add("killed: server as it started")
        began = time.monotonic()
        self.scene.launch()
        self.count["longest start, ms"] = max(self.count["longest start, ms"], round(1000 * (time.monotonic() - began)))

    def look_at_commits(self):
        """The server is dead: what it has committed holds together, and what it has acknowledged is there."""
        self.add("looks of the oracle")
        oracle.look_at_folder(self.scene.real, self.scene.folder, "moving")
        with self.lock:
            guids, self.acked = self.acked, []
        self.are_stored("github", guids)
        oracle.no_two_programs_met(self.scene)


    def are_stored(self, source, names):
        """I1: each exactly once."""
        stored = collections.Counter(
            row[0] for row in self.scene.rows("SELECT id FROM inbox WHERE source LIKE ?", f"{source}%"))
        for name in set(names):
            if stored[name] != 1:
                raise oracle.Broken("what_is_acknowledged_is_stored_once", f"{source} {name}: {stored[name]} times")
        self.add(f"acknowledged and found, {source}", len(set(names)))

    # --- a round ---

    def round(self, n, seconds):
        self.is_loaded.set()
        self.crew = [self.scene.people[(n * PEOPLE + i) % ADMINS] for i in range(PEOPLE)]
        url = self.scene.hub.url
        jobs = [(self.deliver, GitHub(url, GITHUB_SECRET, REPOSITORY), self.fork()) for _ in range(2)]
        jobs += [(self.act, self.fork()) for _ in range(PEOPLE)]
        jobs += [(self.work, self.fork()), (self.trouble, self.fork())]
        threads = [threading.Thread(target=self.guarded, args=job, daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until and self.is_loaded.is_set():
                self.pause(self.dice.uniform(*KILL_EVERY_S))
                self.strike()
                self.tell()
        finally:
            self.is_loaded.clear()
            for thread in threads:
                thread.join(60)
        if self.failure:
            raise RuntimeError(self.failure)

    def fork(self):
        return random.Random(self.dice.getrandbits(64))

    def rest(self):
        """Nothing fails any more: what is in progress comes to its end, and all of the oracle is asked."""
        scene = self.scene
        scene.chat.clear_faults()
        scene.flapping = 0.0
        for environment in ENVIRONMENTS:
            scene.set_mode(environment, "good")
        self.deliver_the_rest()
        try:
            wait_until(self.is_at_rest, REST_S)
        except TimeoutError:
            raise oracle.Broken("it_comes_to_rest", self.unrest()) from None
        oracle.no_sanitizer_complains(scene)
        self.add("looks of the oracle")
        oracle.rows_and_files_hold(scene)
        oracle.nothing_lives(scene)
        oracle.no_two_programs_met(scene)
        oracle.the_target_runs_what_is_said(scene)
        begun = collections.Counter(line[4] for line in scene.begun() if line[0] == "begin")
        if any(n > 1 for n in begun.values()):
            raise oracle.Broken("a_run_begins_once", begun)
        self.look_at_commits()
        self.telegram_was_heard()
        self.ends_were_told()
        self.audit_holds()
        self.back_to_the_baseline()
        (scene.scripts.folder / "begun").unlink(missing_ok=True)
        os.truncate(scene.bot.log_path, 0)      # it was looked through
        self.add("rests")

    def deliver_the_rest(self):
        """What nobody took is delivered again, as a person does on GitHub's page."""
        with self.lock:
            left, self.unacked = self.unacked, []
        for hub, guid in left:
            def is_taken(hub=hub, guid=guid):
                entry = hub.redeliver(guid)
                return entry["status"] is not None and 200 <= entry["status"] < 300
            wait_until(is_taken, REST_S, "a delivery that is taken")
            self.add("pushes delivered by hand")
            self.acked.append(guid)
            hub.deliveries = [d for d in hub.deliveries if d["guid"] != guid]

    def unrest(self):
        return (self.scene.rows(f"SELECT id, environment, state FROM work WHERE state NOT IN {FINAL}"),
                self.scene.rows("SELECT kind, subject FROM effect WHERE kind <> 'wait' OR subject <> 0"),
                self.scene.chat.state()["pending"])

    def is_at_rest(self):
        if self.scene.is_dead():
            raise oracle.Broken("the_server_lives", f"it ended with {self.scene.bot.process.returncode}")
        if self.unrest() == ([], [], 0):
            return True
        self.answer_no()
        return False

    def answer_no(self):
        """Whoever was asked, in the queue too, and gave no answer says Not now, or the only thing that can be said,
        once in a while."""
        for number, chat, remote in self.scene.rows(
                "SELECT d.id, m.chat, m.remote_id FROM work d JOIN message m ON m.id = d.message"
                " WHERE (d.state = 'AWAITING_CONFIRMATION' OR d.state = 'QUEUED' AND d.is_asked_anew)"
                " AND m.remote_id <> 0"):
            key = (number, int(time.monotonic() / 5))
            if key in self.answered:
                continue
            self.answered.add(key)
            view = self.scene.chat.message({"chat_id": chat, "message_id": remote})
            label = next((b for b in buttons_of(view) if "Not now" in b), (buttons_of(view) + [None])[0])
            with contextlib.suppress(RuntimeError):     # the button has gone meanwhile
                self.scene.chat.press(chat, view, label, wait=0)

    def telegram_was_heard(self):
        """What Telegram's webhook was answered 200 for."""
        all_of_them = self.scene.chat.deliveries()
        new, self.deliveries_seen = all_of_them[self.deliveries_seen:], len(all_of_them)
        self.are_stored("telegram", [str(d["update_id"]) for d in new
                                     if d["status"] is not None and 200 <= d["status"] < 300])

    def ends_were_told(self):
        """I8: the message of each deployment that has ended says so; one that was asked about already has none of
        its own: its question is there."""
        rows = self.scene.rows("SELECT d.id, d.environment, d.state, m.chat, m.remote_id FROM work d"
                               f" LEFT JOIN message m ON m.id = d.message WHERE d.id > ? AND d.state IN {FINAL}"
                               " AND NOT (d.message = 0 AND d.why = 'ELSEWHERE')", self.deployments_seen)
        views = {}
        for chat in {row[3] for row in rows if row[3]}:
            for view in Person(self.scene, chat).messages():
                views[chat, view["message_id"]] = text_of(view)
        for number, environment, state, chat, remote in rows:
            self.add(f"ended: {state}")
            said = views.get((chat, remote))
            if said is None or not said.startswith(oracle.SIGNS[state]):
                raise oracle.Broken("every_chat_was_told", f"deployment {number} of {environment} is {state}: {said!r}")
        self.heads += [head for head, in self.scene.rows("SELECT audit_head FROM message WHERE audit_head <> ''")]
        self.deployments_seen = self.scene.rows("SELECT COALESCE(MIN(id) - 1, (SELECT MAX(id) FROM work))"
                                                f" FROM work WHERE state NOT IN {FINAL}")[0][0]

    def audit_holds(self):
        """It verifies, and every head that a message of a chat names is one of its hashes."""
        verified = self.scene.bot.run("audit", "verify")
        if verified.returncode != 0:
            raise oracle.Broken("the_audit_verifies", verified.stdout + verified.stderr)
        known = {entry["hash"][:16] for entry in self.scene.audit()}
        unknown = set(self.heads) - known
        self.add("heads of the audit found", len(set(self.heads)))
        self.heads = []
        if unknown:
            raise oracle.Broken("the_audit_is_what_the_messages_name", sorted(unknown))

    def back_to_the_baseline(self):
        """I10"""
        oracle.back_to_the_baseline(self.scene)
        status = pathlib.Path(f"/proc/{self.scene.server()}/status").read_text("ascii")
        rss = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        self.rss = self.rss or rss
        self.count["memory at rest, KB"] = rss
        if rss > self.rss + RSS_MORE_KB:
            raise oracle.Broken("back_to_the_baseline", f"{rss} KB, {self.rss} at first")

    # --- what is sent ---

    def tell(self, always=False):
        minute = int((time.monotonic() - self.began) / 60)
        if minute == self.told and not always:
            return
        self.told = minute
        seconds = time.monotonic() - self.began
        kills = sum(n for name, n in self.count.items() if name.startswith("killed:"))
        print(f"  {seconds / 60:5.1f} min: {kills} killed, 0 violations, {self.count['rests']} rests, "
              f"{self.count['pushes acknowledged'] / seconds:.1f} pushes/s, "
              f"{self.count['commands'] + self.count['buttons pressed']} commands and buttons, "
              f"{sum(n for name, n in self.count.items() if name.startswith('ended:'))} deployments ended, "
              f"{self.count['memory at rest, KB']} KB at rest", flush=True)


MUST = ("killed: server", "killed: runner", "killed: supervisor", "killed: server as it started", "pushes acknowledged",
        "pushes that met nobody", "pushes delivered again", "buttons pressed", "ended: LIVE", "ended: ROLLED_BACK",
        "ended: FAILED", "heads of the audit found", "rests")


class SoakKind(campaign.Kind):
    """SIGKILL at random moments under load, for as long as one likes."""

    name = target = "soak"
    make_scene = SoakScene

    def options(self, parser):
        parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES") or 3))
        parser.add_argument("--rate", type=float, default=float(os.environ.get("RATE") or 20), help="pushes a second")

    @property
    def silent_s(self):
        return campaign.SILENT_S + 60 * self.chosen.minutes

    def trials(self, dice):
        chosen = self.chosen
        print(f"soak: {chosen.minutes:g} minutes, {chosen.rate:g} pushes a second, {PEOPLE} people, Telegram {SPEED} "
              "times as fast", flush=True)
        return [("soak", None)]

    def trial(self, scene, parameters):
        scene.set_up()
        soak = Soak(scene, self.chosen)
        until = time.monotonic() + 60 * self.chosen.minutes
        try:
            for n in itertools.takewhile(lambda _: time.monotonic() < until, itertools.count()):
                soak.round(n, min(ROUND_S, max(until - time.monotonic(), 5)))
                soak.rest()
                soak.tell()
            return soak.count
        finally:
            soak.is_loaded.clear()

    def must_hit(self, trials):
        return MUST if self.chosen.minutes >= 3 else ()

    def replay(self, label):
        return f"make soak SEED={self.chosen.seed} MINUTES={self.chosen.minutes:g} RATE={self.chosen.rate:g}"


KIND = SoakKind
