"""Goal: every strategy goes through a release in the one order that docs draw; a migration runs once, with the new
image, before anything starts, never in a rollback; one that is cut is stopped, one that is left is waited for."""
# SPDX-License-Identifier: ISC
import os
import re
import signal
import subprocess

import pytest

from commands_aid import CommandBench
from kubernetes_aid import OLD, RIGHTS, KubeBench, kube, plain
from runner_client import ROOT, wait_for
from ssh_aid import COMPOSE, BlueGreenBench, SshBench
from stage import free_port
from systemd_aid import SystemdBench

KINDS = ("pre-start", "pre-deploy", "post-deploy", "pre-rollback", "post-rollback")
RUN = """#!/usr/bin/python3
import http.server, os
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def drawn():
    with open(os.path.join(ROOT, "docs", "deploy-scripts.md"), encoding="utf-8") as file:
        text = re.search(r"to this drawing. -->\n```\n(.*?)```", file.read(), re.S)[1]
    return [re.match(r"[a-z-]+(?: gate)?", line)[0] for line in text.splitlines()]


class LocalBench(CommandBench):
    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder)
        self.environment |= {"DEPLOY_TRANSPORT": "local", "STAGING_PORT": str(free_port())}
        folder = self.repository / ".deploybot"
        folder.mkdir()
        (folder / "run").write_text(RUN)
        (folder / "run").chmod(0o755)

    def migration(self, text):
        file = self.repository / "bin" / "migrate"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def release(self, text):
        return self.commit(text), None

    def done(self):
        for file in self.state.glob("apps/*/app.pid"):
            os.killpg(int(file.read_text().split()[0]), signal.SIGKILL)
        super().done()


def kube_bench(path, tools_folder):
    made = KubeBench(path, tools_folder, ("curl", "kubectl"))
    config = path / "kubeconfig"
    config.write_text("{}")
    config.chmod(0o600)
    made.environment["KUBECONFIG"] = str(config)
    made.change_world(kubernetes={"name": "shop", "uid": "5a", "revisions": [["", OLD]]})
    return made


class UnitsBench(SystemdBench):
    def release(self, text):
        return self.commit_app(), text


STRATEGIES = {"recreate": lambda *of: SshBench(*of, "v1"), "bluegreen": BlueGreenBench, "kubernetes": kube_bench,
              "local": LocalBench, "systemd": UnitsBench}
HAVE_NOT = {"recreate": {"start"}, "bluegreen": set(), "kubernetes": {"pull", "start"},
            "local": {"image", "start", "switch"}, "systemd": {"image", "start"}}


@pytest.fixture
def bench(tmp_path, tools_folder, request):
    made = STRATEGIES[getattr(request, "param", "recreate")](tmp_path, tools_folder)
    yield made
    made.done()
    if isinstance(made, SshBench):
        wait_for(made.is_quiet, "the hosts to be at rest", 60)


def release_of(bench, text):
    if isinstance(bench, KubeBench):
        return bench.pushed(text)[:40]
    return bench.release(text)[0]


def way(bench):
    """The steps that were said, as the drawing calls them."""
    names = {"build": "pull", "rollout": "switch"}
    found = []
    for step in bench.steps():
        word, _, rest = step.partition(" ")
        found.append(rest if word == "hook" else names.get(word, word))
    return [name for name in found if name in {*drawn(), *KINDS}]


# ---- the order ---------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("bench", ["bluegreen", "local", "recreate", "kubernetes", "systemd"], indirect=True)
def test_every_strategy_goes_the_one_way_that_is_drawn(bench, request):
    strategy = request.node.callspec.params["bench"]
    for kind in KINDS:
        bench.hook(kind, kind, f'echo "{kind} of $RELEASE" >>"$STAND/told"')
    if strategy == "local":
        bench.migration("echo '==> release'; echo at $PWD: $COMMIT $PORT")
    if strategy == "kubernetes":
        kube(bench, says=["==> release", "migrated"])
    migrate = "echo bin/migrate --all" if strategy == "systemd" else "bin/migrate --all"
    expected = [name for name in drawn() if name not in {"health gate", "drain", *HAVE_NOT[strategy]}]
    first = release_of(bench, "one")
    status, said = bench.run("deploy.sh", "staging", first, MIGRATE_COMMAND=migrate)
    assert status == 0, said
    assert way(bench) == expected
    assert any(line.startswith("|app| ") for line in said), f"what a migration prints is the application's: {said}"
    assert bench.steps()[bench.steps().index("migrate") + 1] == "migrated"
    status, said = bench.run("deploy.sh", "staging", release_of(bench, "two"), MIGRATE_COMMAND=migrate)
    assert status == 0 and way(bench) == expected, said
    old = next(line for line in (bench.stand / "told").read_text().splitlines() if first in line).split()[-1]
    status, said = bench.run("rollback.sh", "staging", old, MIGRATE_COMMAND=migrate)
    assert status == 0, said
    back = {"pre-start": "pre-rollback", "post-deploy": "post-rollback"}
    assert way(bench) == [back.get(name, name) for name in expected if name not in {"image", "migrate", "pre-deploy"}
                          and not (strategy in ("local", "systemd") and name == "pull")]


@pytest.mark.long
@pytest.mark.parametrize("command, wanted", [(None, False), ("bin/migrate", True)])
def test_the_marker_is_said_where_there_is_a_command_alone(bench, command, wanted):
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0], MIGRATE_COMMAND=command)
    assert status == 0 and ("migrate" in bench.steps()) == wanted, said


LAST = """set -euo pipefail; here=%s/deploy; . "$here/act.sh"
act=deploy; %s; environment=staging PREVIOUS_RELEASE=; shipped=no awaits_migration=no release=to
trap on_exit EXIT; at_exit migration_leave; %s"""
ENDS = "transport_end_migration() { :; }"
STOPPED = "; its migration was stopped, and the database may be half migrated; nothing was released"


@pytest.mark.parametrize("state, ends, says", [
    (f"migration=begun RUN_ID=; {ENDS}", "fail 75 cut", f"cut{STOPPED}"),
    (f"migration=begun RUN_ID=; {ENDS}", "on_signal 130", f"ended by a signal{STOPPED}"),
    (f"migration=begun RUN_ID=1; {ENDS}", "on_signal 130", "ended by a signal"),
    ("migration=begun RUN_ID= migration_name=m; transport_end_migration() { false; }", "fail 70 cut",
     "cut; its migration may still be running, as m, and the database may be half migrated; nothing was released"),
    ("migration=ran RUN_ID=", "fail 70 down", "down; its migration ran, and that stays; nothing was released"),
    ("migration=ran RUN_ID=1", "fail 70 down", "down"), ("migration=failed RUN_ID=", "fail 70 down", "down"),
    ("migration=ran RUN_ID= release_began=yes", "on_signal 143",
     "ended by a signal; the release had begun, on some hosts or on all: deploy/deploy.sh staging to goes on with it; "
     "its migration ran, and that stays"),
    ("migration= act=rollback past=yes RUN_ID= release_began=yes", "on_signal 143",
     "ended by a signal; the rollback had begun, on some hosts or on all: deploy/rollback.sh staging to --past goes on "
     "with it"),
    ("migration= RUN_ID=1 release_began=yes", "on_signal 143",
     "ended by a signal; the release had begun, on some hosts or on all")])
def test_who_works_by_hand_is_told_last_what_became_of_the_migration(tmp_path, state, ends, says):
    """Regression: "ended by a signal" was all, in the middle of it; and a server's run named a rollback by hand."""
    done = subprocess.run(["/bin/bash", "-c", LAST % (ROOT, state, ends), "x"], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == f"x: {says}", done


# ---- on hosts ----------------------------------------------------------------------------------


def migrations(bench):
    return [call for call in bench.host_calls() if call[:2] == ["compose", "run"]]


def left(bench):
    return [box["name"] for box in bench.engine()["containers"] if box["name"].startswith("deploybot-migrate")]


@pytest.mark.long
def test_it_runs_once_on_the_first_host_with_the_new_image(bench):
    bench.shipped("one")
    commit, digest = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222",
                             MIGRATE_COMMAND="bin/migrate a=b", MIGRATE_SERVICE="app")
    assert status == 0, said
    assert f"|app| app of {bench.image}@{digest}: bin/migrate a=b" in said
    assert migrations(bench) == [["compose", "run", "--rm", "--no-deps", "-T", "--name", "deploybot-migrate-staging",
                                  "app", "bin/migrate", "a=b"]]
    assert (bench.state / "apps" / "staging" / "migrated").read_text().startswith(f"ran {commit} ")
    acts = [(call[-2], call[-1].split()[7]) for call in bench.ssh_calls()]
    assert acts.count(("deploy@h1", "migrate")) == 1 and ("deploy@h2", "migrate") not in acts
    came = [acts.index(act) for act in (("deploy@h2", "pull"), ("deploy@h1", "migrate"), ("deploy@h1", "switch"))]
    assert came == sorted(came)


@pytest.mark.long
def test_an_applications_migration_has_both_names(bench):
    (bench.path / "apps").mkdir()
    (bench.path / "apps" / "shop.env").write_text("".join(f"{name}={bench.environment[name]}\n" for name in (
        "REPOSITORY_URL", "REGISTRY_IMAGE", "STAGING_HOST", "STAGING_COMPOSE_DIR")) + "MIGRATE_COMMAND=bin/migrate\n")
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "shop/staging", commit, APPS_DIRECTORY=str(bench.path / "apps"))
    assert status == 0, said
    assert migrations(bench)[0][6] == "deploybot-migrate-shop-staging"


@pytest.mark.long
@pytest.mark.parametrize("settings, status, text", [
    ({"MIGRATE_COMMAND": "bin/x ;id"}, 78, "MIGRATE_COMMAND"),
    ({"MIGRATE_COMMAND": "bin/x", "MIGRATE_SERVICE": "worker"}, 70, "has no service worker: correct MIGRATE_SERVICE"),
    ({"MIGRATE_COMMAND": "bin/x", "MIGRATE_SERVICE": "db"}, 70, "it would not migrate with the new image"),
    ({"MIGRATE_COMMAND": "bin/x", "MIGRATE_TIMEOUT_SECONDS": "0"}, 78, "MIGRATE_TIMEOUT_SECONDS"),
    ({"MIGRATE_COMMAND": "bin/x", "DEPLOY_TRANSPORT": "spy"}, 78, "the transport spy runs no migrations")])
def test_what_is_wrong_is_said_before_anything(bench, settings, status, text):
    (bench.app / "docker-compose.yml").write_text(COMPOSE + "  db:\n    image: postgres:15\n")
    got, said = bench.run("deploy.sh", "staging", bench.release("one")[0], **settings)
    assert got == status and text in "\n".join(said), said
    assert "migrate" not in bench.steps() and "pull" not in bench.steps()


@pytest.mark.long
def test_one_that_fails_is_the_end_and_what_was_live_serves(bench):
    _, one = bench.shipped("one")
    status, said = bench.run("deploy.sh", "staging", bench.release("two")[0], MIGRATE_COMMAND="false")
    assert status == 70 and "the migration failed (exit 3)" in said[-1] and "nothing was" not in said[-1], said
    assert bench.steps()[-2:] == ["migrate", "migrate-failed 3"]
    assert bench.runs() == [(f"{bench.image}@{one}", "running")]


NETWORK = "network shop declared as external, but could not be found"
# What the engine remembers: of before, too, so that it is all since then; or of before alone what was long ago.
WHOLE, CUT = [[100, "exec_start: sh", "app_1"]], []


@pytest.mark.parametrize("settings, events, began", [
    ({"unmade": NETWORK}, WHOLE, False),
    pytest.param({"unmade": NETWORK}, [*WHOLE, [101, "start", "deploybot-migrate-staging"]], False,
                 marks=pytest.mark.long),
    pytest.param({"unmade": NETWORK}, CUT, True, marks=pytest.mark.long),
    pytest.param({}, WHOLE, True, marks=pytest.mark.long),
    pytest.param({"ahead": -3600}, WHOLE, True, marks=pytest.mark.long),
    pytest.param({"ahead": 3600}, WHOLE, True, marks=pytest.mark.long),
    pytest.param({"ahead": -3600, "unmade": NETWORK}, WHOLE, False, marks=pytest.mark.long)])
def test_one_whose_container_never_started_did_not_begin(bench, settings, events, began):
    """Regression: whatever compose itself refused was "the database may be half migrated".  What the engine has
    forgotten may have been its start."""
    _, one = bench.shipped("one")
    bench.change_engine(**settings, events=events)
    status, said = bench.run("deploy.sh", "staging", bench.release("two")[0], MIGRATE_COMMAND="false")
    assert status == 70 and bench.runs() == [(f"{bench.image}@{one}", "running")], said
    if began:
        assert re.search(r"the migration failed \(exit [13]\): ", said[-1]), said
        assert bench.steps()[-2].startswith("migrate") and bench.steps()[-1].startswith("migrate-failed "), said
    else:
        assert "the migration did not begin: compose run ended with status 1" in said[-1], said
        assert bench.steps()[-2:] == ["migrate", "migrate-not-started"], said


@pytest.mark.long
@pytest.mark.parametrize("kind", ["pre-start", "pre-deploy"])
def test_a_hook_that_fails_says_whether_the_migration_ran(bench, kind):
    commit, _ = bench.release("one")
    bench.hook(kind, "10-no", "exit 3")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    ran = kind == "pre-deploy"
    assert (status, "migrated" in bench.steps()) == ((70, True) if ran else (64, False)), said
    assert ("behind the migration" if ran else "so nothing was changed") in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_a_hook_before_a_rollback_stops_it(bench):
    commit, one = bench.shipped("one")
    _, two = bench.shipped("two")
    bench.hook("pre-rollback", "10-no", "exit 3")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
    assert status == 64 and "so nothing was rolled back" in said[-1] and "release" not in bench.steps(), said
    assert bench.runs() == [(f"{bench.image}@{two}", "running")]


@pytest.mark.long
def test_one_that_takes_too_long_is_stopped_and_not_its_client_alone(bench):
    _, one = bench.shipped("one")
    status, said = bench.run("deploy.sh", "staging", bench.release("two")[0], MIGRATE_COMMAND="hang",
                             MIGRATE_TIMEOUT_SECONDS="1")
    assert status == 75, said
    assert "the migration was cut: h1: it took longer than 1 s and was stopped" in "\n".join(said), said
    assert bench.steps()[-2:] == ["migrate", "migrate-stopped"] and not left(bench)
    assert bench.runs() == [(f"{bench.image}@{one}", "running")]


@pytest.mark.long
def test_one_that_fails_behind_much_that_it_says_is_no_cut_one(bench):
    """Of what a host says of itself 64 KB are kept, the first; what the migration says is not of that."""
    bench.shipped("one")
    words = "INFO step\n" * 8000
    bench.host_plan({"when": ["compose", "run", "--rm"], "stderr": words + "boom\n", "status": 3})
    status, said = bench.run("deploy.sh", "staging", bench.release("two")[0], MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and "the migration failed (exit 3)" in said[-1], said[-5:]
    assert bench.steps()[-2:] == ["migrate", "migrate-failed 3"] and "|app| boom" in said


WAITED = "it waited for an earlier migration, its own had not begun, and nothing was changed"


# ---- killed ------------------------------------------------------------------------------------


def hung(bench, text="two"):
    """A deployment whose migration works for ever."""
    commit, digest = bench.release(text)
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="hang")
    bench.until_host_hangs()
    return process, commit, digest


@pytest.mark.long
def test_a_deployment_that_is_cancelled_stops_its_migration_and_says_so(bench):
    _, one = bench.shipped("one")
    process, *_ = hung(bench)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert bench.steps()[-2:] == ["migrate", "migrate-stopped"] and not left(bench), bench.said()
    assert bench.runs() == [(f"{bench.image}@{one}", "running")]


@pytest.mark.long
@pytest.mark.parametrize("who", ["we", "worker", "nobody"])
def test_whichever_is_killed_the_host_stops_the_migration(bench, who):
    bench.shipped("one")
    process, commit, digest = hung(bench)
    if who == "we":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        guard, worker = bench.host_processes()[:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL if who == "worker" else signal.SIGTERM)
        assert process.wait(timeout=60) == (70 if who == "worker" else 75)
        says = "its process there was killed" if who == "worker" else "was asked to stop"
        says += "; nothing of it runs there any more"
        assert f"deploy.sh: the migration was cut: h1: {says}" in bench.said(), bench.said()
        assert bench.steps()[-1] == "migrate-stopped"
    wait_for(lambda: not left(bench), "the end of its container", 60)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said


HELD = """if [[ -e %s/held ]]; then
	[[ "$*" != %s ]] || { echo "%s" >>"%s"; exit %d; }
fi"""


@pytest.mark.parametrize("program, words, says, status, end", [
    pytest.param("flock", "*", "", 1, "the migration did not begin: something else is being released to {app} there",
                 marks=pytest.mark.long),
    pytest.param("docker", "'image inspect'*", "Cannot connect to the Docker daemon", 1,
                 "the migration did not begin: docker has no ", marks=pytest.mark.long),
    ("ssh", "*'bash -s -- migrate '*", "ssh: connect to host h1 port 22: Connection refused", 255, " be reached: "),
    pytest.param("ssh", "*'bash -s -- migrate '*", "client_loop: send disconnect: Broken pipe", 255, None,
                 marks=pytest.mark.long),
    ("ssh's host", "*'bash -s -- migrate '*", "u@h1: Permission denied (publickey).", 255, None)])
def test_one_that_never_began_is_not_called_cut(bench, program, words, says, status, end):
    """Regression: nothing had run, and people compared schemas.  Of a connection that broke nobody knows."""
    _, one = bench.shipped("one")
    text = HELD % (bench.path, words, says, "$2" if program == "ssh" else "/dev/stderr", status)    # ssh -E FILE
    if program.startswith("ssh"):
        bench.wrap("ssh", text)
    else:
        bench.on_host(program, text)
    commit, _ = bench.release("two")
    bench.hook("pre-start", "10-then", f"touch {bench.path}/held")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    assert status in (70, 75) and migrations(bench) == [] and bench.runs() == [(f"{bench.image}@{one}", "running")]
    assert bench.steps()[-2:] == ["migrate", "migrate-not-started" if end else "migrate-stopped"], said
    assert ("the migration was cut" in said[-1]) == (end is None), said
    assert end is None or end.format(app=bench.app) in said[-1], said


@pytest.mark.long
def test_one_that_a_killed_run_and_host_left_is_waited_for_and_never_doubled(bench):
    bench.shipped("one")
    process, commit, digest = hung(bench)
    bench.kill_session(process)     # the host's side of it too
    bench.kill_host()
    assert left(bench) == ["deploybot-migrate-staging"]
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    wait_for(lambda: ["docker", "wait", "deploybot-migrate-staging"] in bench.host_calls(), "the wait for it", 60)
    assert len(migrations(bench)) == 1 and process.poll() is None
    assert bench.steps()[-1] == "wait for a migration" and "migrate" not in bench.steps()   # its own has not begun
    bench.change_engine(containers=[box for box in bench.engine()["containers"] if box["name"] not in left(bench)])
    assert process.wait(timeout=60) == 0, bench.said()
    assert len(migrations(bench)) == 2 and bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
def test_one_that_is_left_where_another_host_was_the_first_is_waited_for_there(bench):
    """Regression: the first host alone was asked, and the order of hosts may have changed."""
    bench.shipped("one", STAGING_HOST="h1,h2:2222")
    process, commit, _ = hung(bench)
    bench.kill_session(process)
    bench.kill_host()
    process = bench.start("deploy.sh", "staging", commit, STAGING_HOST="h2:2222,h1", MIGRATE_COMMAND="bin/migrate")
    waits = ["docker", "wait", "deploybot-migrate-staging"]
    wait_for(lambda: waits in bench.host_calls() or process.poll() is not None, "the wait for it on h1", 60)
    assert process.poll() is None and "migrate" not in bench.steps(), bench.said()
    assert "a migration that was left is there still, as deploybot-migrate-staging on h1: waiting for its end" in \
        bench.said()
    bench.change_engine(containers=[box for box in bench.engine()["containers"] if box["name"] not in left(bench)])
    assert process.wait(timeout=60) == 0, bench.said()
    assert len(migrations(bench)) == 1 and ["compose", "run"] in [call[:2] for call in bench.host_calls("h2")]


@pytest.mark.long
def test_one_that_is_left_is_not_stopped_where_docker_does_not_answer_the_wait(bench):
    bench.shipped("one")
    process, commit, digest = hung(bench)
    bench.kill_session(process)
    bench.kill_host()
    bench.host_plan({"when": ["docker", "wait"], "status": 1, "stderr": "Cannot connect", "times": 1})
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    waits = ["docker", "wait", "deploybot-migrate-staging"]
    wait_for(lambda: bench.host_calls().count(waits) == 2 or process.poll() is not None, "a second wait for it", 60)
    assert process.poll() is None and left(bench) and len(migrations(bench)) == 1, bench.said()
    bench.change_engine(containers=[box for box in bench.engine()["containers"] if box["name"] not in left(bench)])
    assert process.wait(timeout=60) == 0, bench.said()
    assert len(migrations(bench)) == 2 and bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
def test_one_that_is_left_and_does_not_end_is_stopped(bench):
    bench.shipped("one")
    process, commit, _ = hung(bench)
    bench.kill_session(process)
    bench.kill_host()
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate", MIGRATE_TIMEOUT_SECONDS="1")
    assert status == 75, "\n".join(said)
    assert "the migration did not begin: h1: one that was left worked for 1 s more, and was stopped" in said[-1], said
    assert not left(bench) and len(migrations(bench)) == 1 and "migrate" not in bench.steps()


@pytest.mark.long
def test_whoever_waits_for_one_and_is_cancelled_has_begun_none(bench):
    """Regression: "the migration was cut", it read, and stopped the one that it waited for."""
    _, one = bench.shipped("one")
    process, commit, _ = hung(bench)
    bench.kill_session(process)
    bench.kill_host()
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    wait_for(lambda: ["docker", "wait", "deploybot-migrate-staging"] in bench.host_calls(), "the wait for it", 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert WAITED in bench.said()[-1], bench.said()
    assert not {"migrate", "migrate-stopped", "release"} & set(bench.steps())
    assert left(bench) == ["deploybot-migrate-staging"] and len(migrations(bench)) == 1
    assert bench.runs()[0] == (f"{bench.image}@{one}", "running")


@pytest.mark.long
@pytest.mark.parametrize("step", ["pull", "migrate", "migrated", "hook pre-start"])
@pytest.mark.parametrize("bench", ["recreate", "bluegreen"], indirect=True)
def test_a_script_killed_at_any_new_step_is_followed_by_one_that_works(bench, step):
    bench.shipped("one")
    bench.hook("pre-start", "pre-start")
    commit, two = bench.release("two")
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    wait_for(lambda: step in bench.steps(), f"the step {step}", 60)
    bench.kill_session(process)
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    assert status == 0, said
    assert (f"{bench.image}@{two}", "running") in bench.runs() and not left(bench)


# ---- local -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", ["local"], indirect=True)
def test_local_runs_it_in_the_new_releases_folder(bench):
    bench.migration('echo "at $PWD: $1 $COMMIT"')
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate now")
    assert status == 0, said
    assert f"|app| at {bench.state}/apps/staging/releases/1-{commit}: now {commit}" in said
    bench.migration("exit 4")
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and "the migration failed (exit 4)" in said[-1] and "release" not in bench.steps(), said
    assert bench.run("target.sh", "staging", "current")[1][-1] == commit


@pytest.mark.parametrize("bench", ["local"], indirect=True)
def test_local_waits_for_one_that_was_left(bench):
    bench.migration(f'echo $$ >>{bench.path}/began; while [[ ! -e {bench.path}/go ]]; do sleep 0.1; done; echo {{}} >>'
                    f'{bench.path}/ended')
    commit = bench.commit("one")
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    began, ended = bench.path / "began", bench.path / "ended"
    wait_for(began.exists, "the migration", 60)
    process.kill()
    process.wait()
    again = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    left = f"a migration that was left is there still, holding {bench.state}/apps/staging/migrate.lock: waiting"
    wait_for(lambda: any(line.startswith(left) for line in bench.said()), "the second one to say that it waits", 60)
    assert bench.steps()[-1] == "wait for a migration"
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=60) == 143
    assert WAITED in bench.said()[-1] and "migrate" not in bench.steps(), bench.said()
    again = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate", MIGRATE_TIMEOUT_SECONDS="1")
    assert again.wait(timeout=60) == 75
    says = "the migration did not begin: one that was left is at work still, after 1 s"
    assert says in bench.said()[-1] and "migrate" not in bench.steps(), bench.said()
    again = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    wait_for(lambda: "wait for a migration" in bench.steps(), "the next one to come to it", 60)
    assert len(began.read_text().split()) == 1
    (bench.path / "go").touch()
    assert again.wait(timeout=60) == 0, bench.said()
    assert len(began.read_text().split()) == 2 and len(ended.read_text().split()) == 2


# ---- kubernetes --------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_migration_is_a_job_of_its_own_name(bench):
    release = bench.pushed("one")
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate --all",
                             MIGRATE_TIMEOUT_SECONDS="77")
    assert status == 0, said
    made = bench.world()["kubernetes"]["last_job"]
    assert made["metadata"]["name"] == "deploybot-migrate-staging"
    assert (made["spec"]["backoffLimit"], made["spec"]["activeDeadlineSeconds"]) == (0, 77)
    container, = made["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["bin/migrate", "--all"] and container["image"].endswith(release[40:])
    acts = [call[0] for call in plain(bench)]
    assert acts.index("create") < acts.index("delete") < acts.index("patch")
    assert bench.world()["kubernetes"]["jobs"] == {}


@pytest.mark.parametrize("fields, seconds, status, step", [
    ({"pods": ["job-x Running\n", "job-x Failed exit 3\n"]}, 60, 70, "migrate-failed 3"),
    ({"pods": ["job-x Failed\n"]}, 60, 70, "migrate-stopped"),
    ({"pods": ['job-x Pending waiting ErrImagePull "none"\n']}, 60, 70, "migrate-not-started"),
    ({"pods": ["job-x Pending\n"]}, 2, 75, "migrate-stopped")])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_fails_or_is_cut_leaves_the_release_as_it_was(bench, fields, seconds, status, step):
    release = bench.pushed("one")
    kube(bench, **fields)
    got, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate",
                          MIGRATE_TIMEOUT_SECONDS=str(seconds))
    assert got == status and bench.steps()[-1] == step, said
    assert not bench.world()["kubernetes"].get("jobs") and len(bench.world()["kubernetes"]["revisions"]) == 1


@pytest.mark.long
@pytest.mark.parametrize("says, step", [
    ('Error from server (Forbidden): jobs.batch "x" is forbidden: exceeded quota: pods', "migrate-not-started"),
    ('error: error validating "job.json": error validating data: failed to download openapi: Get "https://10.0.0.1:6443/'
     'openapi/v2?timeout=15s": context deadline exceeded', "migrate-not-started"),
    ("The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
     "migrate-not-started"),
    ("Unable to connect to the server: dial tcp: lookup k8s.example.org on 10.0.0.2:53: no such host",
     "migrate-not-started"),
    ("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout", "migrate-not-started")])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_the_cluster_refuses_has_not_been_started(bench, says, step):
    """Regression: "the migration was cut" was said of it, and "half migrated".  Without an answer nobody knows."""
    release = bench.pushed("one")
    kube(bench, refuses_jobs=says)
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and bench.steps()[-2:] == ["migrate", step] and says in said[-1], said
    assert "the migration could not be created" in said[-1]
    assert not any(call[0] == "delete" for call in plain(bench))


# As a real kubectl says them; of the last two it had sent the request twice, and says of the second time alone.
UNSURE = ["Unable to connect to the server: EOF",
          'Error from server (Timeout): error when creating "job.json": the server was unable to return a response in '
          "the time allotted, but may still be processing the request (post jobs.batch)",
          "Error from server (ServerTimeout): The POST operation against Job.batch could not be completed at this time",
          "Error from server: etcdserver: request timed out", "Error from server: etcdserver: leader changed",
          'Error from server (AlreadyExists): error when creating "job.json": jobs.batch "x" already exists',
          'error: error when creating "job.json": Post "https://10.0.0.1:6443/apis/batch/v1/namespaces/shop/jobs": dial tcp '
          "10.0.0.1:6443: connect: connection refused"]


@pytest.mark.parametrize("says", [UNSURE[1], *(pytest.param(text, marks=pytest.mark.long) for text in UNSURE
                                               if text != UNSURE[1])])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_the_cluster_may_have_begun_is_ended_and_called_cut(bench, says):
    """Regression: "nothing ran" was said of one that the cluster had stored, and that went on to migrate."""
    release = bench.pushed("one")
    kube(bench, loses_jobs=says)
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and bench.steps()[-2:] == ["migrate", "migrate-stopped"], said
    assert f"the migration was cut as it began: {says}" in said[-1] and "could not be created" not in said[-1], said
    kept = bench.world()["kubernetes"]
    assert kept["last_job"]["metadata"]["name"] == "deploybot-migrate-staging" and not kept["jobs"]
    assert len(kept["revisions"]) == 1
    assert (bench.state / "apps" / "staging" / "migrated").read_text().startswith(f"began {release[:40]} ")


@pytest.mark.parametrize("of_another", [{"deploybot/attempt": "1-1700000000.000000"}, {}])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_another_deploybot_was_quicker_to_create_is_left_to_it(bench, of_another):
    """Regression: it was taken for ours, and removed in the middle of a migration."""
    release = bench.pushed("one")
    kube(bench, other_jobs=of_another)
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    assert status == 75 and bench.steps()[-2:] == ["migrate", "migrate-not-started"], said
    assert "another deployment's is at work, as deploybot-migrate-staging in the namespace shop" in said[-1], said
    kept = bench.world()["kubernetes"]
    assert kept["jobs"]["deploybot-migrate-staging"]["metadata"]["annotations"] == of_another
    assert len(kept["revisions"]) == 1 and not any(call[0] == "delete" for call in plain(bench))


@pytest.mark.parametrize("says, is_seen", [("(AlreadyExists)", False), (UNSURE[1], False), (UNSURE[1], True)])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_is_not_seen_to_be_ours_is_not_removed(bench, says, is_seen):
    """It may be ours, and at work: nobody says that it did not begin, nor that it was stopped."""
    release = bench.pushed("one")
    kube(bench, other_jobs={}, **({} if says == "(AlreadyExists)" else {"refuses_jobs": says}))
    if not is_seen:
        bench.wrap("kubectl", """if [[ "$*" == *"=go-template=attempt "* ]]; then
	echo "Unable to connect to the server: EOF" >&2
	exit 1
fi""")
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate",
                             KUBERNETES_LATE_SECONDS="1", KUBERNETES_AGAIN_SECONDS="1")
    assert status == 70 and bench.steps()[-1] == "migrate", said
    assert "the migration was cut as it began: " in said[-1] and says in said[-1], said
    assert any("the migration may still be running, as deploybot-migrate-staging" in line for line in said), said
    assert list(bench.world()["kubernetes"]["jobs"]) == ["deploybot-migrate-staging"]
    assert not any(call[0] == "delete" for call in plain(bench))


@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_comes_behind_its_lost_answer_is_waited_for_and_ended(bench):
    release = bench.pushed("one")
    kube(bench, loses_jobs=UNSURE[1], late_jobs=2)
    status, _ = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate",
                          KUBERNETES_AGAIN_SECONDS="1")
    kept = bench.world()["kubernetes"]
    assert status == 70 and bench.steps()[-1] == "migrate-stopped"
    assert (kept["late_jobs"], kept["jobs"]) == (0, {})


# Of its own end, or of its deadline's, behind which the cluster removes its pods.
@pytest.mark.long
@pytest.mark.parametrize("fields, logs", [
    ({"pods": ["job-x Running\n", "job-x Succeeded exit 0\n"]}, 2),
    ({"pods": ["", "job-x Succeeded exit 0\n"], "conditions": "Failed DeadlineExceeded\n"}, 1)])
@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_a_killed_run_has_left_is_followed_to_its_end(bench, fields, logs):
    release = bench.pushed("one")
    bench.hold_logs()
    process = bench.start("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    bench.until_hangs()
    bench.kill_session(process)
    assert list(bench.world()["kubernetes"]["jobs"]) == ["deploybot-migrate-staging"]
    bench.let_logs()
    bench.forget_calls()
    kube(bench, **fields)
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    assert status == 0, said
    acts = [call[0] for call in plain(bench) if call[0] in ("logs", "delete", "create", "patch") and call != RIGHTS]
    assert acts == ["logs", "delete", "create", "logs", "delete", "patch"][2 - logs:], acts
    assert bench.world()["kubernetes"]["jobs"] == {}


@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_a_job_that_is_left_and_does_not_end_is_removed_before_ours_begins(bench):
    release = bench.pushed("one")
    bench.hold_logs()
    process = bench.start("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate")
    bench.until_hangs()
    bench.kill_session(process)
    bench.let_logs()
    kube(bench, pods=["job-x Pending\n"])
    status, said = bench.run("deploy.sh", "staging", release[:40], MIGRATE_COMMAND="bin/migrate",
                             MIGRATE_TIMEOUT_SECONDS="2")
    assert status == 75, said
    assert "the migration did not begin: one that was left worked for 2 s more, and was stopped" in said[-1], said
    assert bench.world()["kubernetes"]["jobs"] == {} and not {"migrate", "release"} & set(bench.steps()), said


@pytest.mark.parametrize("bench", ["kubernetes"], indirect=True)
def test_an_api_that_is_away_when_a_job_is_looked_at_is_asked_again(bench):
    blip = bench.path / "blip"
    bench.wrap("kubectl", f"""if [[ "$*" == *"get pods --selector"* && ! -e {blip} ]]; then
	touch {blip}
	echo "The connection to the server x was refused - connection refused" >&2
	exit 1
fi""")
    status, said = bench.run("deploy.sh", "staging", release_of(bench, "one"), MIGRATE_COMMAND="bin/migrate",
                             KUBERNETES_AGAIN_SECONDS="1")
    assert blip.exists() and status == 0 and "migrated" in bench.steps(), said
