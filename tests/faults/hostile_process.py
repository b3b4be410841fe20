"""hostile_process.py - scripts that flood, hide, stop, refuse to die or cannot begin: the loop turns all the
while, memory and log are bounded, nothing of a run outlives it, and its end is reported in the right words."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import re
import threading

from hostile_aid import (IN_PROGRESS, PATIENCE_S, check_log, healthz, high_water_kb, is_sanitized,
                         must)
from crash_aid import STEADY, CrashScene, is_alive, kill
from hostile_crowd import overload
from stage import Deploybot, wait_until
from telegram_client import text_of

LONG_S = 240
LIMIT_MB = 64
MEMORY_KB = {"the server": 40 * 1024, "the supervisor": 8 * 1024}
FRAMES = 4096           # UTF-16 units in a message
# What a script leaves behind, each writing who it is to $here/left.<n>; all of them ignore TERM.
HIDERS = (
    "setsid bash -c '{hide}' &",
    "(setsid setsid bash -c '{hide}' &)",
    "nohup bash -c '{hide}' >/dev/null 2>&1 &",
    "env -i setsid bash -c '{hide}' &",
    "setsid env -i bash -c 'exec -a [kworker/0:1] bash -c \"$0\"' '{hide}' &",
    "setsid bash -c 'exec 0<&- 1>&- 2>&-; {hide}' &",
    "setsid bash -c '{stop}' &",
    "(cd /proc/self; setsid bash -c '(setsid bash -c \"$0\" &) ; exit' '{hide}') &",
    "/usr/bin/python3 -c 'import os, sys\n"
    "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)\n"
    "os.execvp(\"bash\", [\"bash\", \"-c\", sys.argv[1]])' '{hide}' &",
)


class Highs:
    """The most memory that some processes had, looked at again and again."""

    def __init__(self, find):
        self.find = find
        self.most = {}
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def look(self):
        for name, pid in self.find().items():
            self.most[name] = max(self.most.get(name, 0), high_water_kb(pid) or 0)

    def run(self):
        while not self.is_over.wait(0.05):
            with contextlib.suppress(Exception):    # what was looked at has just ended
                self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(PATIENCE_S)


def begin(scene, words):
    scene.scripts.deploy(words)
    scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    return who


def settled(scene, hall, name):
    """It is over, nothing of it lives, and somebody else's deployment works."""
    scene.wait_free()
    wait_until(lambda: not scene.with_run_id(), PATIENCE_S, f"{name}: the end of {scene.with_run_id()}")
    check_log(scene.bot.log())
    hall.hit(name)


# --- output ---------------------------------------------------------------------------------------

def flood(hall, scene, name, words, size_mb, whole=None):
    """Much output: shown to its end, on the way bounded."""
    def find():
        run = scene.last_run()
        return {"the server": scene.server(), "the supervisor": scene.supervisor(run)}
    before = high_water_kb(scene.server())
    with healthz(scene.bot) as asking, Highs(find) as highs:
        who = begin(scene, f'{words}\ntouch "$here/flooded"\n' + STEADY)
        said = who.hear("Live: staging", timeout=LONG_S)
    must(scene.scripts.live() == scene.head("develop"), f"{name}: the script was held up or killed")
    size = (scene.run_folder() / "log").stat().st_size
    must(size <= LIMIT_MB * 2 ** 20 + 400, f"{name}: a log of {size} bytes")
    if size_mb > LIMIT_MB:
        with open(scene.run_folder() / "log", "rb") as log:
            log.seek(-400, os.SEEK_END)
            must(b"RUN_LOG_LIMIT" in log.read(), f"{name}: no mark where the log ends")
    if not is_sanitized():
        for what, most in highs.most.items():
            must(most < MEMORY_KB[what], f"{name}: {what} had {most} kB")
    must(len(text_of(said).encode("utf-16-le")) // 2 <= FRAMES, f"{name}: a message too long")
    check_words(who.messages())
    hall.note(f"{name}, {size_mb} MB: /healthz answered {asking.answered} times, the longest wait "
              f"{asking.longest_s * 1000:.0f} ms; at most {highs.most.get('the server', 0)} kB server"
              f" (before: {before}), {highs.most.get('the supervisor', 0)} kB supervisor")
    settled(scene, hall, name)


def check_words(views):
    for view in views:
        bad = re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text_of(view))
        must(not bad, f"control characters {bad[:5]!r} in {text_of(view)[:300]!r}")


def outputs(hall, scene):
    size = hall.size(1024, 96)
    flood(hall, scene, "output without a newline", f"head -c {size}M /dev/zero | tr '\\0' x", size)
    flood(hall, scene, "binary output", f"head -c {hall.size(256, 8)}M /dev/urandom", hall.size(256, 8))
    if hall.is_short:
        return
    flood(hall, scene, "NUL and nothing else", "head -c 256M /dev/zero", 256)
    flood(hall, scene, "short lines", "yes | head -c 256M", 256)
    flood(hall, scene, "an escape sequence without an end",
          "printf '\\033]0;'; head -c 128M /dev/zero | tr '\\0' a", 128)
    flood(hall, scene, "steps", "yes '==> a step' | head -n 3000000", 45)
    flood(hall, scene, "carriage returns", "yes $'50%\\r' | tr -d '\\n' | head -c 128M", 128)


# --- ways not to end ------------------------------------------------------------------------------

def ends(hall, scene, name, words, heard, is_cancelled=False):
    who = begin(scene, words)
    if is_cancelled:
        scene.scripts.wait_for("up")
        shown = who.hear("⏳ Deploying staging", buttons=("Stop",))
        who.press(shown, "Stop")
    told = text_of(who.hear(*heard, without=IN_PROGRESS, timeout=LONG_S))
    scene.scripts.clear("up")
    settled(scene, hall, name)
    return told


def hiders(here):
    """A script that leaves all of them behind and fails."""
    lines = []
    for n, line in enumerate(HIDERS):
        mark = f"echo $$ >{here}/left.{n}"
        hide = f'trap "" TERM HUP INT; {mark}; while :; do sleep 0.2; done'
        stop = f'trap "" TERM; {mark}; kill -STOP $$; while :; do sleep 0.2; done'
        lines.append(line.replace("{hide}", hide).replace("{stop}", stop))
    lines += [f'until [ -s "{here}/left.{n}" ]; do sleep 0.02; done' for n in range(len(HIDERS))]
    return "\n".join(lines)


def left(scene, least=len(HIDERS)):
    """The pids that hiders wrote."""
    files = list(scene.scripts.folder.glob("left.*"))
    must(len(files) >= least, f"{len(files)} hiders ran, of {least}")
    pids = [int(path.read_text()) for path in files]
    for path in files:
        path.unlink()
    return pids


def ways_not_to_end(hall, scene):
    here = scene.scripts.folder
    ends(hall, scene, "a script that ignores TERM and is cancelled",
         'trap "" TERM; touch "$here/up"; while :; do sleep 0.1; done', ["staging"], True)
    ends(hall, scene, "a failed script with hiders", hiders(here) + "\nexit 1", ["staging"])
    alive = [pid for pid in left(scene) if is_alive(pid)]
    must(not alive, f"hiders are alive after a failure: {alive}")
    ends(hall, scene, "a cancelled script with hiders",
         hiders(here) + '\ntouch "$here/up"; while :; do sleep 0.1; done', ["staging"], True)
    alive = [pid for pid in left(scene) if is_alive(pid)]
    must(not alive, f"hiders are alive after Stop: {alive}")
    told = ends(hall, scene, "killed by signal 9", 'echo "==> build"; kill -9 $$', ["staging"])
    must("signal 9" in told, f"a script killed by signal 9: {told!r}")
    # Closed output is no end: it lives, and releases later.
    who = begin(scene, 'exec >&- 2>&-; touch "$here/up"; until [ -e "$here/go" ]; do sleep 0.05; done\n'
                       'echo "$2" >"$here/$1.live"')
    scene.scripts.wait_for("up")
    must(scene.is_busy("staging"), "closed output was taken for an end")
    scene.scripts.touch("go")
    who.hear("Live: staging")
    scene.scripts.clear("up", "go")
    settled(scene, hall, "closed output")
    # A grandchild that holds the pipe holds nobody up; after a success it stays, on purpose.
    who = begin(scene, f'sleep 600 & echo $! >"$here/left.0"; {STEADY}')
    who.hear("Live: staging")
    scene.wait_free()
    for pid in left(scene, 1):
        must(is_alive(pid), "what a good script left on purpose was ended")
        kill(pid)
    settled(scene, hall, "a grandchild that holds the pipe")


def at_the_deadline(hall, scene):
    """DEPLOY_TIMEOUT_SECONDS is 3 here."""
    for name, words in (("stops itself", 'touch "$here/up"; kill -STOP $$'),
                        ("stops itself and ignores TERM", 'trap "" TERM; kill -STOP $$; while :; do sleep 0.1; done'),
                        ("waits for a question's answer", 'read -r answer; until false; do sleep 0.1; done'),
                        ("forks for ever", 'f() { sleep 0.2; f & wait; }; f')):
        told = ends(hall, scene, f"a script that {name}", words, ["staging"])
        if name != "waits for a question's answer":
            must("timed out" in told or "killed" in told, f"a script that {name}: {told!r}")
        if hall.is_short:
            return


# --- ways not to begin ----------------------------------------------------------------------------

def ways_not_to_begin(hall, scene):
    script = scene.scripts.folder / "deploy.sh"
    good = script.read_bytes()
    live = scene.scripts.live()
    for name in ("missing", "not executable", "no program", "busy", "a folder", "others may write it"):
        writer = None
        if name == "missing":
            script.unlink()
        elif name == "not executable":
            script.chmod(0o644)
        elif name == "no program":
            script.write_bytes(b"\x7fELF\x00")
        elif name == "busy":
            writer = script.open("ab")
        elif name == "a folder":
            script.unlink()
            script.mkdir()
        else:
            script.chmod(0o777)
        who = scene.admin()
        who.say("/deploy staging")
        told = text_of(who.hear("staging", without=IN_PROGRESS, timeout=LONG_S))
        if writer:
            writer.close()
        if script.is_dir():
            script.rmdir()
        script.unlink(missing_ok=True)
        script.write_bytes(good)
        script.chmod(0o755)
        must("Live: staging" not in told and scene.scripts.live() == live, f"{name}: {told!r}")
        settled(scene, hall, f"a script that is {name}")
        if hall.is_short:
            break
    who = begin(scene, STEADY)
    who.hear("Live: staging")


def hostile_parent(hall):
    """Started by somebody who left it everything that is inherited: a script has nothing of it."""
    folder = hall.room("parent")
    evil = folder / "evil"
    mark = folder / "was-sourced"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    evil.chmod(0o755)
    parent = folder / "parent.py"
    parent.write_text("import os, signal, sys\n"
                      "[os.set_inheritable(os.open('/etc/hostname', os.O_RDONLY), True) for _ in range(40)]\n"
                      "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 10, 12, 13, 14, 20, 21, 22)]\n"
                      "signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {9, 19, 32, 33})\n"
                      "os.umask(0); os.nice(5)\n"
                      "os.execv(sys.argv[1], sys.argv[1:])\n", encoding="utf-8")
    strange = {"BASH_ENV": str(evil), "ENV": str(evil), "GIT_SSH_COMMAND": str(evil), "IFS": "/",
               "GIT_EXTERNAL_DIFF": str(evil), "GIT_EXEC_PATH": str(folder), "PS4": f"$({evil})",
               "SHELLOPTS": "xtrace", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor",
               "GIT_CONFIG_VALUE_0": str(evil), "BASH_FUNC_git%%": f"() {{ {evil}; }}",
               "GIT_PROXY_COMMAND": str(evil), "PERL5OPT": "-Mevil", "PYTHONSTARTUP": str(evil),
               "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "LC_ALL": "tr_TR.UTF-8"}
    scene = CrashScene(folder, settings=strange, start=False)
    try:
        scene.start_peers()
        scene.bot = Deploybot(folder, scene.settings(), wrapper=("/usr/bin/python3", str(parent)))
        scene.bot.start()
        who = begin(scene, 'grep -E "^Sig(Blk|Ign)" /proc/self/status >"$here/signals"\n'
                           'ls /proc/self/fd >"$here/fds"; env >"$here/env"; umask >"$here/umask"\n' + STEADY)
        who.hear("Live: staging")
        seen = {path.name: path.read_text() for path in scene.scripts.folder.iterdir()}
        masks = [line.split()[1] for line in seen["signals"].splitlines()]
        must(masks == ["0" * 16] * 2, f"signals of a script: {masks}")
        must(len(seen["fds"].split()) <= 4, f"descriptors of a script: {seen['fds'].split()}")
        names = {line.partition("=")[0] for line in seen["env"].splitlines()}
        must(not names & set(strange), f"a script has of our parent: {names & set(strange)}")
        must(seen["umask"].strip() == "0077" and not mark.exists(), "the parent's umask or BASH_ENV")
        settled(scene, hall, "a hostile parent")
    finally:
        close(scene)


def close(scene):
    status = scene.stop()
    scene.health.close()
    must(status == 0, f"deploybot ended with {status}:\n{scene.bot.log()[-4000:]}")
    check_log(scene.bot.log())


SHORT = ("output without a newline", "binary output", "a script that is missing", "a script that stops itself")
WHOLE = (*SHORT, "NUL and nothing else", "short lines", "an escape sequence without an end", "steps",
         "a script that ignores TERM and is cancelled", "a failed script with hiders", "closed output",
         "a cancelled script with hiders", "killed by signal 9", "a grandchild that holds the pipe",
         "a script that is not executable", "a script that is no program", "a script that is busy",
         "a script that is a folder", "a script that is others may write it", "a script that forks for ever",
         "a hostile parent")


def play(hall):
    hall.wants(*(SHORT if hall.is_short else WHOLE))
    scene = CrashScene(hall.room("process"), settings={
        "RUN_LOG_LIMIT": f"{LIMIT_MB}M", "STAGING_HEALTH_URL": None, "DEPLOY_TIMEOUT_SECONDS": "600"})
    try:
        scene.scripts.deploy(STEADY)
        scene.release()
        outputs(hall, scene)
        if not hall.is_short:
            ways_not_to_end(hall, scene)
        ways_not_to_begin(hall, scene)
        must(scene.bot.stop() == 0, "a stop")
        scene.start_bot(DEPLOY_TIMEOUT_SECONDS="3")
        at_the_deadline(hall, scene)
        begin(scene, STEADY).hear("Live: staging")
    finally:
        close(scene)
    if not hall.is_short:
        hostile_parent(hall)
        overload(hall)
