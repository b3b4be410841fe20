"""oracle.py - what must hold of a deploybot that has come to rest, after whatever fault.

    oracle.check(scene, who)    # raises Broken: the invariant's name, and what shows it

I1-I14 are the names of docs/fault-catalogue.md.  What rows and files show is for the C oracle (oracle.c), which the
campaign's build has; here is what only the world around shows: processes, targets, chats, what was acknowledged.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import subprocess
from collections import Counter

import canary
from scene import ENVIRONMENTS, PATIENCE_S, Broken, forks_of, is_alive, wait_until
from flow_aid import text_of

COMPLAINTS = ("AddressSanitizer", "runtime error:", "LeakSanitizer", "ThreadSanitizer", "Assertion")
SIGNS = {"LIVE": ("✅ Live", "Live: ", "↩️ Rolled back", "✅ Rolled forward"),
         "ROLLED_BACK": ("❌ Rolled back", "⛔ Rolled back"),
         "FAILED": ("❌", "🔥", "⛔ Stopped:", "✅ Over: "), "ROLLBACK_FAILED": ("🔥", "✅ Over: "),
         "REFUSED": ("⛔",), "DONE": ("✅ Done",), "CANCELLED": ("⛔",), "EXPIRED": ("⛔",), "SUPERSEDED": ("⛔",)}
FILES_MORE = 12     # connections that libcurl and MHD keep open for the next request


def check(scene, who):
    """All of it, the cheap ones first."""
    no_sanitizer_complains(scene)
    rows_and_files_hold(scene)
    nothing_lives(scene)
    no_two_programs_met(scene)
    a_program_begins_once(scene)
    the_target_runs_what_is_said(scene)
    the_end_is_one_of_these(scene)
    untouched_is_untouched(scene)
    what_is_acknowledged_is_stored_once(scene)
    one_request_is_one_deployment(scene)
    every_chat_was_told(scene, who)
    back_to_the_baseline(scene)
    no_secret_is_anywhere(scene)


def no_sanitizer_complains(scene):
    log = scene.bot.log()
    for word in COMPLAINTS:
        if word in log:
            raise Broken("no_sanitizer_complains", log[max(log.index(word) - 500, 0):][:6000])


PASSING = ("entries are not in the file", "the_state_file_names_the_release: ", "only_standing_waits_are_open: ask ")


def rows_and_files_hold(scene):
    """What is on disk, in the words of the C oracle. What goes by itself is waited for: a file that could not be
    written is so a little later, and git may be asked in this very moment whether branches have moved."""
    last = []

    def holds():
        try:
            look_at_folder(scene.real, scene.folder)
        except Broken as problem:
            last[:] = [problem]
            if not any(words in str(problem) for words in PASSING):
                raise
            return False
        return True
    try:
        wait_until(holds, PATIENCE_S)
    except TimeoutError:
        raise last[0] from None


def look_at_folder(build, folder, *how):
    """The C oracle of that build on state/ and audit.log there; `moving`: what holds after any commit."""
    done = subprocess.run([str(build / "faults" / "oracle"), str(folder / "state"), str(folder / "audit.log"), *how],
                          capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        name = done.stdout.split(": ")[1] if done.stdout.startswith("broken: ") else "the_oracle_can_look"
        raise Broken(name, done.stdout + done.stderr)


def nothing_lives(scene):
    """I4: of no run is a process left, and of runners and supervisors the server's own runner alone."""
    try:
        wait_until(lambda: not scene.with_run_id(), PATIENCE_S)
    except TimeoutError:
        raise Broken("nothing_lives", describe(scene.with_run_id())) from None
    try:
        wait_until(lambda: set(scene.runners()) == {scene.runner()}, PATIENCE_S)
    except TimeoutError:
        raise Broken("one_runner_and_no_supervisor", describe(scene.runners())) from None


def describe(pids):
    return [(pid, read_command(pid)) for pid in pids if is_alive(pid)]


def read_command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def no_two_programs_met(scene):
    overlap = scene.scripts.folder / "overlap"
    if overlap.exists():
        raise Broken("one_program_on_a_target", overlap.read_text("ascii"))


def a_program_begins_once(scene):
    """A run's gate opens once; a deployment's script begins once, and its rollback once but for those killed."""
    begun = Counter(line[4] for line in scene.begun() if line[0] == "begin")
    if any(n > 1 for n in begun.values()):
        raise Broken("a_run_begins_once", begun)
    programs = Counter(line[1:3] for line in scene.begun() if line[0] == "begin")
    for (program, environment), n in programs.items():
        most = 1 + (scene.lost_runs if program == "rollback" else 0)
        if n > most:
            raise Broken("a_program_begins_once", f"{n} times {program} {environment}: {scene.begun()}")


def the_target_runs_what_is_said(scene):
    """I11: the state file, the rows and the target say the same; or it is said to be down."""
    for environment in ENVIRONMENTS:
        rows = scene.rows("SELECT r.commit_id, e.is_down FROM environment e JOIN release r"
                          " ON r.id = e.current_release WHERE e.name = ?", environment)
        if not rows and scene.template_rows[0] == 0:
            continue    # nothing is said of it: it began with an empty folder
        if not rows:
            raise Broken("the_target_runs_what_is_said", f"{environment} had a release, and has none")
        row = rows[0]
        known, live = scene.state_file(environment), scene.scripts.live(environment)
        if known["commit"] != row[0] or (not row[1] and row[0] != live):
            raise Broken("the_target_runs_what_is_said",
                         f"{environment}: file {known['commit']}, row {row}, target {live}")


def deployments(scene):
    """(id, environment, state, commit, previous, message, also) of this trial."""
    return scene.rows("SELECT id, environment, state, commit_id, previous, message, also_message"
                      " FROM work WHERE id > ? ORDER BY id", scene.template_rows[0])


def the_end_is_one_of_these(scene):
    if scene.expected is None:
        return
    ended = [row[2] for row in deployments(scene)]
    if not ended or ended[-1] not in scene.expected:
        raise Broken("the_end_is_one_of_these", f"{ended}, not {sorted(scene.expected)}\n{scene.bot.log()[-3000:]}")


def untouched_is_untouched(scene):
    """Who says that nothing was changed has no script that came behind its release."""
    for (number,) in scene.rows("SELECT id FROM work WHERE id > ? AND state = 'FAILED' AND is_touched = 0",
                                scene.template_rows[0]):
        if any(line[0] == "touch" for line in scene.begun()):
            raise Broken("untouched_is_untouched", f"deployment {number}: {scene.begun()}")


def what_is_acknowledged_is_stored_once(scene):
    """I1"""
    stored = Counter(scene.rows("SELECT source, id FROM inbox WHERE seq > ?", scene.template_rows[1]))
    sources = {source for source, _ in stored}
    for source, name in set(scene.acknowledged):
        n = sum(count for (kind, key), count in stored.items() if kind.startswith(source) and key == name)
        if n != 1:
            raise Broken("what_is_acknowledged_is_stored_once", f"{source} {name}: {n} times, of {sources}")
    told = sum(n for (kind, _), n in stored.items() if kind.startswith("telegram"))
    if told < scene.said:
        raise Broken("what_is_acknowledged_is_stored_once", f"{told} updates stored, {scene.said} brought")


def one_request_is_one_deployment(scene):
    """What was asked for once is there once, however often it was delivered."""
    found = deployments(scene)
    if len(found) != 1:
        raise Broken("one_request_is_one_deployment", found)


def every_chat_was_told(scene, who):
    """I8: the message that is known says the end; no text stands twice, but where the answer to a send was lost."""
    views = {(view["chat_id"], view["message_id"]): text_of(view) for view in who.messages()}
    for number, environment, state, _, _, message, _ in deployments(scene):
        where = scene.rows("SELECT chat, remote_id FROM message WHERE id = ?", message)
        said = views.get(where[0]) if where else None
        if said is None or not said.startswith(SIGNS[state]):
            raise Broken("every_chat_was_told", f"deployment {number} of {environment} is {state}: {said!r}")
    for text, n in Counter(views.values()).items():
        if n > 1 + scene.kills:
            raise Broken("an_end_is_told_once", f"{n} times after {scene.kills} kills: {text!r}")


def no_secret_is_anywhere(scene):
    """I9: in nothing that was written, in no answer and in no chat."""
    names = canary.secret_settings()
    secrets = {name: value for name, value in scene.settings().items() if name in names}
    if not secrets:
        raise Broken("no_secret_is_anywhere", f"of {names} the scene has none: nothing would be found")
    said = [("the chat", str(view)) for view in scene.who.messages()]
    try:
        canary.check(scene.folder, secrets, [*said, ("metrics", scene.bot.metrics())])
    except canary.Leak as leak:
        raise Broken("no_secret_is_anywhere", leak) from None


def back_to_the_baseline(scene):
    """I10: one child, no zombie, no file of a run open."""
    server = scene.bot.process.pid
    forks = forks_of(server)
    if len(forks) != 1 or not all(map(is_alive, forks)):
        raise Broken("back_to_the_baseline", f"children {forks}")
    files = []
    for entry in pathlib.Path(f"/proc/{server}/fd").iterdir():
        try:
            files.append(os.readlink(entry))
        except OSError:
            pass
    if any("/runs/" in name for name in files) or len(files) > scene.files_at_rest + FILES_MORE:
        raise Broken("back_to_the_baseline", f"{len(files)} descriptors, {scene.files_at_rest} at first: {files}")
