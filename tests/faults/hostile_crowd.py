"""hostile_crowd.py - more processes than a user may have: a fork bomb is ended to its last process, and
a machine without room for another process refuses one run, not all that come after."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import subprocess

from hostile_aid import ROOT, must
from stage import wait_until

USER = 54_321           # nobody's: the limit counts this user's processes on the whole machine
MOST = 100
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--")
BOMB = """bomb() { bomb | bomb & }
trap '' TERM
echo "==> build"
bomb
while :; do bomb; sleep 0.05; done
"""


def of_user(user):
    """Living processes of a user."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == user and \
                    (path / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()[0] not in "ZX":
                found.append(int(path.name))
        except OSError:
            pass
    return found


def overload(hall):
    if os.geteuid() != 0:
        hall.note("no fork bomb: another user, whose processes are limited, can be had as root alone")
        return
    hall.wants("a fork bomb", "no room for a process")
    from runner_client import Bench, Runner
    folder = hall.room("crowd")
    for above in (folder, *folder.parents):
        if above.is_relative_to(hall.folder.parent):    # the worker's own, which is another user's
            above.chmod(0o755)
    build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD", str(ROOT / "build")))
    program = folder / "deploybot-runner"
    shutil.copy2(build / "deploybot-runner", program)
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    wrapper = folder / "limited"
    wrapper.write_text(f"#!/bin/sh\nexec prlimit --nproc={MOST} {' '.join(AS_USER)} '{program}' \"$@\"\n",
                       encoding="ascii")
    wrapper.chmod(0o755)
    bench = Bench(folder)
    try:
        for path in (bench.state, bench.marks):
            os.chown(path, USER, USER)
        script = bench.script(BOMB)
        os.chown(script, USER, USER)
        os.chown(folder, USER, USER)
        runner = Runner(wrapper, bench.state, {"DEPLOY_SCRIPT": script})
        bench.runners.append(runner)
        bomb(hall, runner)
        no_room(hall, bench, runner)
    finally:
        bench.done()
        for pid in of_user(USER):
            os.kill(pid, 9)


def bomb(hall, runner):
    supervisor = runner.start(1, deadline_s=3, grace_s=1)
    wait_until(lambda: len(of_user(USER)) > MOST - 10, 30, "a bomb that went off")
    record = supervisor.exit(seconds=120)
    must(record["timed_out"], f"a fork bomb: {record}")
    wait_until(lambda: len(of_user(USER)) <= 1, 60, f"the bomb's end: {len(of_user(USER))} are alive")
    hall.hit("a fork bomb")


def no_room(hall, bench, runner):
    """fork() says EAGAIN: that run is refused, the runner lives, and the next one runs."""
    script = bench.script("exit 7")
    os.chown(script, USER, USER)
    others = [subprocess.Popen([*AS_USER, "sleep", "600"]) for _ in range(MOST)]
    try:
        wait_until(lambda: len(of_user(USER)) > MOST, 60, "a user with too many processes")
        refused = runner.order(2)
        must(refused.kind == "refused" and refused["why"] == "failed", f"without a process to have: {refused}")
    finally:
        for other in others:
            other.kill()
        for other in others:
            other.wait()
    record = runner.start(3).exit(seconds=60)
    must(record["status"] == 7, f"with room again: {record}")
    hall.hit("no room for a process")
