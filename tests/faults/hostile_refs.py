"""hostile_refs.py - thousands of hostile branch names, as pushes, as arguments, and in a real repository that
has them: none is executed, none leaves the field it stands in, and the mirror stays whole."""
# SPDX-License-Identifier: ISC
import itertools
import json
import os
import pathlib
import subprocess

from hostile_aid import PATIENCE_S, ROOT, check_log, healthz, must
from crash_aid import CrashScene
from flow_aid import ADMINS, FIRST_ADMIN, Person
from github import GitHub
from hostile_text import check_line, check_text
from stage import GITHUB_SECRET, Deploybot, wait_until
from telegram_client import text_of

COUNT = 5000
PROGRAMS = ("tripwire", "ssh", "git-upload-pack", "git-receive-pack", "git-remote-ext", "git-remote-http", "less",
            "more", "pager", "vi", "vim", "nano", "editor", "ed", "gpg", "curl", "wget", "nc", "id", "touch",
            "xdg-open")
# Where a name may do harm if it is taken for more than a name; {t}: the tripwire's path.
WORDS = (
    "--upload-pack={t}", "--exec={t}", "-u{t}", "--receive-pack={t}", "-c core.pager={t}", "-ccore.fsmonitor={t}",
    "--config=core.sshCommand={t}", "--output={t}.out", "--template={t}", "--open-files-in-pager={t}", "-O{t}",
    "--help",
    "--version", "-", "--", "---", "--end-of-options", "--all", "--stdin", "--git-dir={t}", "-C{t}", "-i", "-h",
    ";{t}", "|{t}", "&{t}", "&&{t}", "||{t}", "$({t})", "`{t}`", "${{IFS}}{t}", ">{t}.out", "<{t}", "\n{t}", "\r{t}",
    "$(touch${{IFS}}{t}.out)", "';{t};'", '";{t};"', "$'\\x3b'{t}", "{{{t},-x}}", "!{t}", "#{t}", "(){{:;}};{t}",
    "a$IFS$9{t}", "~root", "~{t}", "*", "?", "[a-z]", "\\", "{t}", "ext::{t}", "ext::sh -c {t}", "fd::17",
    "file://{t}", "git@host:{t}", "-oProxyCommand={t}", "ssh://-oProxyCommand={t}/x",
    "@", "@{{u}}", "@{{-1}}", "@{{upstream}}", "main@{{0}}", "main@{{yesterday}}", "main^{{commit}}", "main^{{/x}}",
    "HEAD", "HEAD~1", "HEAD^", "FETCH_HEAD", "refs/heads/main", "refs/heads/refs/heads/main", "heads/main", ":/x",
    ":main", "main:", "+main", "main:refs/heads/develop", "+refs/heads/*:refs/heads/*", "^main", "main..develop",
    "main...develop", "..", "../..", "../../config", "/etc/passwd", "a/../b", "a//b", "/a", "a/", ".a", "a/.b",
    "a.lock",
    "a.lock/b", "a.", "a..b", "a b", "a\tb", "objects/info/alternates", "config", "hooks/post-update", "packed-refs",
    "main\0", "\0", "\x01", "\x07bell", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x7f", "\x9b31m", "\u202eniam",
    "\u2066main\u2069", "m\u0430in", "ma\u0456n", "\uff4dain", "main\u200b", "main\u00a0", "\u2028main",
    "de\u0301velop",
    "DEVELOP", "Main", "develop ", " develop", "develop.", "develop\u200d", "\U0001f680", "\U000e0041main",
    "\ufeffmain",
    "%s%n%x", "%00", "%2e%2e", "{{0}}", "{{{{7*7}}}}", "<b>main</b>", "<a href='tg://user?id=1'>x</a>", "&lt;",
    "*x*", "_x_",
    "[x](http://evil.example)", "/deploy", "@all", "=cmd()", "null", "true", "0", "-1", "1e9", "0x1f", "NaN",
    "0123456", "deadbeef", "0" * 40, "f" * 64, "a" * 200, "a" * 240, "a" * 255, "a" * 256, "a" * 5000, "a/" * 100 + "a",
    "\u00e9" * 120, "==> release", "==> no-rollback", "RUN_ID=1", "PATH={t}", "LD_PRELOAD={t}")
GLUE = ("", "", "/", "-", ".", "_", " ", ";", "'", '"', "$", "\n", "@", "feature/", "release-")


def names(dice, count, trip):
    """The words themselves, then what becomes of two or three of them."""
    words = [word.format(t=trip) for word in WORDS]
    found = dict.fromkeys(words)
    while len(found) < count:
        parts = dice.sample(words, dice.choice((1, 2, 2, 3)))
        name = dice.choice(GLUE).join(parts) + dice.choice(("", "", str(dice.randrange(1000))))
        found[name if dice.random() < 0.7 else dice.choice(GLUE) + name] = None
    return list(found)[:count]


def git_allows(name):
    """git-check-ref-format(1), for what stands behind refs/heads/."""
    if any(ord(c) < 33 or c in "~^:?*[\\\x7f" for c in name) or ".." in name or "@{" in name or "//" in name:
        return False
    return bool(name) and name[-1] not in "./" and name[0] != "/" and not any(
        part.startswith(".") or part.endswith(".lock") or not part for part in name.split("/"))


def storable(chosen):
    """Of those that git allows, what one repository can hold: no name a folder of another, none too long."""
    kept, folders = set(), set()
    for name in chosen:
        above = ["/".join(name.split("/")[:n]) for n in range(1, name.count("/") + 1)]
        if git_allows(name) and all(len(part.encode()) <= 240 for part in name.split("/")) and \
                len(name.encode()) < 900 and name not in folders and not kept & set(above):
            kept.add(name)
            folders.update(above)
    return sorted(kept, key=lambda name: name.encode())


class Tripwire:
    """Programs that note who started them, on PATH before all others, as far as a mount of our own may be had."""

    def __init__(self, folder):
        self.folder = folder / "trip"
        self.folder.mkdir()
        self.noted = folder / "executed"
        for name in PROGRAMS:
            path = self.folder / name
            path.write_text(f"#!/bin/bash -p\necho \"$0 $*\" >>'{self.noted}'\n", encoding="utf-8")
            path.chmod(0o755)
        self.path = self.folder / "tripwire"
        self.wrapper = ("unshare", "-m", "sh", "-c",
                        f"mount --bind '{self.folder}' /usr/local/bin && exec \"$@\"", "sh")
        self.is_mounted = self.control(*self.wrapper, "tripwire", "control")
        if not self.is_mounted:
            self.wrapper = ()
            must(self.control(str(self.path), "control"), "the tripwire notes nothing")

    def control(self, *command):
        """It notes what is executed, or nothing that follows means anything."""
        subprocess.run(command, check=False, capture_output=True)
        was = self.noted.exists()
        self.noted.unlink(missing_ok=True)
        return was

    def check(self, after):
        must(not self.noted.exists(), lambda: f"EXECUTED after {after}: {self.noted.read_text()[:2000]}")


def configure(folder, trip):
    """Everything that a git of this user, or of this repository, might read: all of it the tripwire."""
    config = "".join(f"[{section}]\n\t{key} = {trip}\n" for section, key in (
        ("core", "pager"), ("core", "editor"), ("core", "fsmonitor"), ("core", "sshCommand"), ("core", "askPass"),
        ("core", "hooksPath"), ("core", "gitProxy"), ("credential", "helper"), ("sequence", "editor"),
        ("gpg", "program"), ("diff", "external"), ("remote \"origin\"", "uploadpack"), ("alias", "fetch"),
        ("uploadpack", "packObjectsHook"), ("log", "showSignature"), ("filter \"x\"", "smudge")))
    (folder / ".gitconfig").write_text(config.replace(f"showSignature = {trip}", "showSignature = true"))
    xdg = folder / ".config" / "git"
    xdg.mkdir(parents=True)
    (xdg / "config").write_text(config)


def hostile_repository(path, chosen, head, trip):
    """The bare repository gets all of the refs, and hooks and settings of its own."""
    lines = ["# pack-refs with: peeled fully-peeled sorted \n"]
    lines += [f"{head} refs/heads/{name}\n" for name in chosen]
    (path / "packed-refs").write_bytes("".join(lines).encode())
    (path / "hooks").mkdir(exist_ok=True)       # none where repositories are made without templates
    for hook in ("post-update", "pre-receive", "post-checkout", "reference-transaction", "post-index-change"):
        (path / "hooks" / hook).unlink(missing_ok=True)
        os.symlink(trip, path / "hooks" / hook)


class RefScene(CrashScene):
    """Nobody's settings but the tripwire's around it."""

    def __init__(self, folder, trip, **settings):
        self.trip = trip
        super().__init__(folder, start=False, settings={
            "HOME": str(folder), "GITHUB_REPOSITORY": "orchard/shop", "LOG_LEVEL": "DEBUG",
            "STAGING_HEALTH_URL": None, "DEPLOY_TIMEOUT_SECONDS": "60", **settings})
        self.start_peers()

    def launch(self):
        self.bot = Deploybot(self.folder, self.settings(), wrapper=self.trip.wrapper)
        self.bot.start()


def by_push(hall, scene, chosen, head):
    """Each as the branch of a signed push; a name that only looks like a branch of ours is none."""
    hub = GitHub(f"http://127.0.0.1:{scene.http_port}/github/webhook", GITHUB_SECRET, "orchard/shop")
    for turn, name in enumerate(chosen):
        if "\ud800" <= max(name) <= "\udfff" or name in ("main", "develop"):
            continue
        said = hub.push(f"refs/heads/{name}", f"{turn + 1:040x}", head, commits=[])
        must(said["status"] in (200, 202, 400), f"a push to {name!r}: {said}")
        hall.hit("as a push")
    must(not scene.audit(action="deploy_requested"), "a hostile name was deployed")


def ask_all(hall, scene, chosen):
    """`heads`, with as many names as fit, and `commits` with each: as the runner asks git."""
    from runner_client import Runner
    program = scene.folder / "runner.sh"
    build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD", str(ROOT / "build"))).resolve()
    words = " ".join(f"'{word}'" for word in scene.trip.wrapper)
    program.write_text(f"#!/bin/sh\nexec {words} '{build}/deploybot-runner' \"$@\" --scripts '{ROOT}/deploy'\n")
    program.chmod(0o755)
    state = scene.folder / "asked"
    state.mkdir()
    runner = Runner(program, state, {"REPOSITORY_URL": str(scene.repository), "HOME": str(scene.folder)})
    try:
        fit = [n for n in chosen if 0 < len(n.encode()) < 200 and not any(ord(c) < 33 or ord(c) == 127 for c in n)]
        for some in batches(fit, 8):
            answer = runner.ask("heads", branches=" ".join(some))
            must(answer["status"] == 0, f"heads {some}: {answer}")
            heard = {line.split(" ", 2)[2] for line in answer.body.decode().split("\n") if line.startswith("head ")}
            must(heard <= set(some), f"heads nobody asked for: {heard - set(some)}")
            hall.hit("as a branch that is looked for", len(some))
        dice = hall.dice("refs commits")
        options = [n for n in fit if n.startswith(("--upload-pack=", "--exec="))]    # what git once executed
        for name in [*options[:3], *dice.sample(fit, hall.size(60, 6))]:
            answer = runner.ask("commits", ref=name, branch="main")
            must(answer["status"] in (0, 64), f"commits {name!r}: {answer}")
            text = answer.body.decode()
            must(all(ord(c) >= 32 or c in "\n\t" for c in text), f"a control character in the answer: {text!r}")
            hall.hit("as a ref that git is asked for")
        must(runner.ask("commits", branch="main")["status"] == 0, "an honest question")
    finally:
        runner.stop()


def batches(some, size):
    some = iter(some)
    while part := list(itertools.islice(some, size)):
        yield part


def by_argument(hall, scene, chosen):
    """`/deploy production NAME`: refused, or asked about, and never begun without a Confirm."""
    people = [Person(scene, FIRST_ADMIN + n) for n in range(ADMINS)]
    for person in people:
        scene.chat.act("users", user_id=person.number, first_name="Somebody", username=f"u{person.number}")
    dice = hall.dice("refs arguments")
    some = dice.sample([n for n in chosen if "\0" not in n and len(n) < 3000], hall.size(48, 6))
    for part in batches(zip(some, itertools.cycle(people)), 20):
        for name, person in part:
            person.say(f"/deploy production {name}")
            hall.hit("as an argument")
        wait_until(lambda: all(has_answer(person) for _, person in part), 2 * PATIENCE_S,
                   f"answers to {[n for n, p in part if not has_answer(p)]}")
    for person in people:
        for view in person.messages():
            check_text(text_of(view), "chat")
    must(not scene.audit(outcome="started"), "something was begun")


def has_answer(person):
    said = person.messages()
    return said and not any("asking git" in text_of(view) for view in said)


def refs_of(scene):
    """As the scripts were given them, the oldest first."""
    file = scene.scripts.folder / "refs"
    return file.read_text("utf-8").split("\n")[:-1] if file.exists() else []


def give_commit(scene, name):
    """A commit of its own, for one that is live already is asked about first; what its short form begins with."""
    git = ["git", "-C", str(scene.repository), "-c", "core.hooksPath=/dev/null", "-c", "user.name=x", "-c",
           "user.email=x@x"]
    made = subprocess.run([*git, "commit-tree", "-p", "main", "-m", name, "main^{tree}"], check=True,
                          capture_output=True, text=True).stdout.strip()
    subprocess.run([*git, "update-ref", f"refs/heads/{name}", made], check=True, capture_output=True)
    return made[:7]


def deploy_odd_ones(hall, scene, stored):
    """Names that git allows are deployed like any other; a script has each whole, in REF."""
    dice = hall.dice("refs deployed")
    scene.scripts.deploy('printf "%s\\n" "$REF" >>"$here/refs"; echo "==> release"; echo "$2" >"$here/$1.live"')
    short = [n for n in stored if not n.startswith("-") and n.isprintable() and len(n.encode()) < 100
             and set(n) - set("0123456789abcdef")]     # that is a commit, whatever branch is called so
    for n, name in enumerate(dice.sample(short, hall.size(6, 1))):
        commit = give_commit(scene, name)
        who = scene.person(FIRST_ADMIN)
        who.say(f"/deploy staging {name}")
        wait_until(lambda n=n: len(refs_of(scene)) > n, 2 * PATIENCE_S, f"the script of /deploy staging {name!r}")
        who.hear("Live: staging", commit, timeout=2 * PATIENCE_S)   # the edits of others name staging too
        scene.wait_free()
        must(refs_of(scene)[n:] == [name], f"REF of {name!r}: {refs_of(scene)}")
        hall.hit("deployed by an odd name")


def play(hall):
    hall.wants("as a push", least=hall.size(3000, 50))
    hall.wants("as a branch that is looked for", least=hall.size(2500, 50))     # those that fit, by lot
    hall.wants("as a ref that git is asked for", "as an argument", least=6)
    hall.wants("stored in the repository", least=hall.size(1000, 20))
    hall.wants("deployed by an odd name")
    folder = hall.room("refs").resolve()
    trip = Tripwire(folder)
    if not trip.is_mounted:
        hall.note("no mount of our own here: the tripwire stands in names, settings and hooks, not on PATH")
    configure(folder, trip.path)
    scene = RefScene(folder, trip)
    try:
        chosen = names(hall.dice("refs"), hall.size(COUNT, 200), str(trip.path))
        stored = storable(chosen)
        head = scene.head("main")
        hostile_repository(pathlib.Path(scene.repository), stored, head, trip.path)
        hall.hit("stored in the repository", len(stored))
        scene.launch()
        with healthz(scene.bot) as asking:
            for name, act in (("pushes", lambda: by_push(hall, scene, chosen, head)),
                              ("questions", lambda: ask_all(hall, scene, [*chosen, "main", "develop"])),
                              ("arguments", lambda: by_argument(hall, scene, chosen)),
                              ("deployments", lambda: deploy_odd_ones(hall, scene, stored))):
                act()
                trip.check(name)
        for line in scene.bot.log().rstrip("\n").split("\n"):
            check_line(line, "the log")
        for entry in scene.audit():
            must(json.dumps(entry), "an entry")
        must(scene.bot.run("audit", "verify").returncode == 0, "the audit")
        hall.note(f"{len(chosen)} names, {len(stored)} of them in the repository; /healthz answered "
                  f"{asking.answered} times, the longest wait {asking.longest_s * 1000:.0f} ms")
    finally:
        status = scene.stop()
        scene.health.close()
    trip.check("the end")
    must(status == 0, f"deploybot ended with {status}")
    check_log(scene.bot.log())
