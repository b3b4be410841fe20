"""Goal: a release that does not come up in one service leaves all as they were, with blue/green too; each may take
the time to end that its compose file says."""
# SPDX-License-Identifier: ISC
import os
import shutil
import signal
import subprocess

import pytest

from commands_aid import cleans
from runner_client import ROOT, wait_for
from services_aid import OTHERS, all_run, ends, parts, says
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"), COMPOSE + OTHERS)


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"), COMPOSE + PORTS + OTHERS)


# ---- how long they may take to end ---------------------------------------------------------------

def noting_deadlines(bench):
    """What `timeout` is given there for each `up`, and by ssh for each act: a dict of lists of seconds."""
    bench.on_host("timeout", f"""[[ "$*" != *" up -d "* ]] || echo "${{@: -1}} $3" >>{bench.path}/deadlines""")

    def noted():
        found = {}
        for line in (bench.path / "deadlines").read_text().splitlines():
            found.setdefault(line.split()[0], []).append(int(line.split()[1]))
        return found
    return noted


@pytest.mark.long
@pytest.mark.parametrize("grace, earlier, up, switch", [
    ("3m0s", "", 150 + 180 + 10 + 10, 900 + 2 * 200 + 180),
    ("10s", 400, 150 + 400 + 20, 900 + 2 * 420 + 400)])
def test_compose_gets_the_time_that_its_services_may_take_to_end(bench, grace, earlier, up, switch):
    """Regression: it was cut after 180 s, whatever their stop_grace_period; by the file, and by what runs."""
    bench.shipped("one")
    bench.change_engine(containers=[{**box, "grace": earlier} if box["labels"]["service"] == "app" else box
                                    for box in bench.engine()["containers"]])
    (bench.app / "docker-compose.yml").write_text(
        (COMPOSE + OTHERS).replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    noted = noting_deadlines(bench)
    bench.shipped("two")
    assert noted() == {"app": [up], "scheduler": [up]}
    words, = [call[-1].split() for call in bench.ssh_calls() if " switch " in call[-1]]
    assert words[3] == str(switch)


@pytest.mark.parametrize("settings, grace, says", [
    ({}, "4m", None),
    ({}, "8m1s",
     "what runs may take 481 s to end in a release (stop_grace_period), and DEPLOY_TIMEOUT_SECONDS is 600: a release "
     "that needs that long would be ended and rolled back, however good it is; set DEPLOY_TIMEOUT_SECONDS to 601 or "
     "more"),
    ({"DEPLOY_TIMEOUT_SECONDS": "601"}, "8m1s", None),
    ({"STAGING_HOST": "h1,h2:2222"}, "4m1s", "set DEPLOY_TIMEOUT_SECONDS to 602 or more"),
    ({"STAGING_HOST": "h1,h2:2222", "HOSTS_PARALLEL": "true"}, "4m1s", None)])
def test_what_takes_longer_to_end_than_a_run_may_is_said_before_one(bench, settings, grace, says):
    """Regression: the run was ended while it waited, and each good release rolled back."""
    (bench.app / "docker-compose.yml").write_text(
        (COMPOSE + OTHERS).replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    status, said = bench.run("target.sh", "staging", "preflight", **{"DEPLOY_TIMEOUT_SECONDS": "600", **settings})
    assert status == 0, said
    found = [line for line in said if "==> warning what runs may take" in line]
    assert (says is None) == (not found) and (says is None or found[0].endswith(says)), said


@pytest.mark.parametrize("grace, says", [
    ("30m1s", "service worker: its stop_grace_period is 1801 s, and a release waits 1800 s at most for the end of what "
              "it replaces: write 30m or less"),
    ("soon", "service worker: stop_grace_period is no time: 'soon' (write it as 90s or 3m)")])
def test_preflight_refuses_a_grace_that_no_release_waits_for(bench, grace, says):
    (bench.app / "docker-compose.yml").write_text(
        COMPOSE + OTHERS.replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0])
    assert status == 70 and says in said[-1] and "pull" not in bench.steps(), said


def test_a_pair_does_not_wait_in_a_release_for_the_main_service(pair):
    """Which is drained behind it."""
    (pair.app / "docker-compose.yml").write_text(
        (COMPOSE + PORTS + OTHERS).replace("restart: always\n", "restart: always\n    stop_grace_period: 30m\n", 1))
    status, said = pair.run("target.sh", "staging", "preflight", DEPLOY_TIMEOUT_SECONDS="600")
    assert status == 0 and "what runs may take" not in "\n".join(said), said


def test_both_versions_words_for_a_time_are_understood():
    script = """. "$1/deploy/transports/ssh-host/services.sh"
for word in 1h1m1s 1.5m 90s 3m 2m0.5s 0s 1500ms; do read_time app $word; echo $seconds; done"""
    done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT], check=True, timeout=60, stdout=subprocess.PIPE,
                          text=True)
    assert done.stdout.split() == ["3661", "120", "90", "180", "121", "0", "2"]


# recreate.sh alone, its clock moved by each pause: the one container runs, but a stop that was begun ends it at $2.
LATE_STOP = """set -euo pipefail
here=$1/deploy/transports/ssh-host
for part in base containers up recreate; do . "$here/$part.sh"; done
was_cut=yes late_seconds=$3 unsure=$4 service=app ends_at=$2 started=no
unset SECONDS; SECONDS=0
exec 3>&1
pause() { SECONDS=$((SECONDS + 1)); }
ran_before() { echo "i app_app_1 app x shop:1"; }
states() { if [[ $SECONDS -ge $ends_at && $started == no ]]; then echo "i x exited"; else echo "i x running"; fi; }
timeout() { started=yes; echo "start at $SECONDS" >&3; }
stays_up && echo "up at $SECONDS"
"""


@pytest.mark.parametrize("ends_at, late, unsure, says", [
    ("50", "63", " i", ["start at 50", "up at 53"]), ("999", "63", " i", ["up at 63"]),
    ("999", "63", "", ["up at 3"]), ("1", "13", " i", ["start at 1", "up at 4"])])
def test_a_stop_that_takes_effect_late_is_looked_for_as_long_as_it_may(ends_at, late, unsure, says):
    """Regression: after 13 s "the earlier release runs again" was said of what ended behind that."""
    done = subprocess.run(["/bin/bash", "-c", LATE_STOP, "x", ROOT, ends_at, late, unsure], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines() == says, done


# ---- one that does not come up -------------------------------------------------------------------

@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("code", [0, 3])
def test_one_that_ends_is_done_with_0_and_a_failure_with_all_else(bench, code):
    _, old = bench.shipped("one")
    before = parts(bench)
    commit, digest = bench.release("two")
    ends(bench, "scheduler", digest, code)
    status, said = bench.run("deploy.sh", "staging", commit)
    if code == 0:
        assert status == 0 and says(said, "scheduler has ended with 0: it is taken for done"), said
        assert parts(bench) == {**all_run(digest, "app", "worker"), "scheduler": (digest, "exited")}
    else:
        assert status == 70 and said[-1].endswith(
            "the service scheduler does not run: scheduler ended with status 3 as soon as it was started; the earlier "
            "release runs again"), said
        assert parts(bench) == before == all_run(old, "app", "worker", "scheduler")
        assert not (bench.app / ".deploybot.before").exists()
        assert f"DEPLOY_IMAGE={bench.image}@{old}" in (bench.app / ".env").read_text()


@pytest.mark.long
def test_one_that_never_ran_is_gone_again_when_its_release_fails(bench):
    (bench.app / "docker-compose.yml").write_text(COMPOSE)
    _, old = bench.shipped("one")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    commit, digest = bench.release("two")
    ends(bench, "scheduler", digest, 1)
    assert bench.run("deploy.sh", "staging", commit)[0] == 70
    assert parts(bench) == all_run(old, "app")


@pytest.mark.long
def test_a_rollback_names_the_services_that_were_added_since(bench):
    """Its own compose file does not have them: they stay on the release that it replaces."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE)
    commit, old = bench.shipped("one")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    _, new = bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{old}")
    assert status == 0, said
    assert parts(bench) == {**all_run(old, "app"), **all_run(new, "worker", "scheduler")}
    assert [step for step in bench.steps() if step.startswith("stays-old ")] == [
        "stays-old scheduler", "stays-old worker"]


@pytest.mark.long
def test_a_rollback_whose_compose_file_is_not_kept_replaces_the_services_of_todays(bench):
    (bench.app / "docker-compose.yml").write_text(COMPOSE)
    commit, old = bench.shipped("one")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    bench.shipped("two")
    shutil.rmtree(bench.app / f".deploybot.with.{old.removeprefix('sha256:')}")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{old}")
    assert status == 0, said
    assert parts(bench) == all_run(old, "app", "worker", "scheduler")


INTERRUPTED = "warning: an earlier release was interrupted here, and nothing has put that in order since: deploy, or"


def begins_no_release(bench):
    """What was interrupted is named, and stays as it is until a release begins."""
    bench.host_plan()
    other, _ = bench.release("three")
    bench.change_engine(registry=[])
    before = bench.engine()["containers"], (bench.app / ".env").read_text()
    status, said = bench.run("deploy.sh", "staging", other)
    assert status == 66 and "release" not in bench.steps() and any(INTERRUPTED in line for line in said), said
    assert (bench.engine()["containers"], (bench.app / ".env").read_text()) == before
    status, said = bench.run("target.sh", "staging", "current")
    assert status == 0 and any(INTERRUPTED in line for line in said), said


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard", "all"])
def test_whatever_is_killed_while_the_others_are_replaced_the_host_is_whole(bench, who):
    _, old = bench.shipped("one")
    wanted, new = bench.release("two")
    bench.host_plan({"when": ["compose", "up", "-d", "--no-deps", "--no-build", "worker"], "hang": True})
    process = bench.start("deploy.sh", "staging", wanted)
    compose = bench.until_host_hangs()
    if who == "all":
        bench.kill_host(compose)
    else:
        guard, worker = [pid for pid in bench.host_processes() if pid != compose][:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    bench.host_plan()
    if who == "all":
        assert parts(bench)["app"] == (new, "running") and parts(bench)["worker"] == (old, "running")
        begins_no_release(bench)
        # What a release that fails comes back to is whole.
        third, bad = bench.release("four")
        bench.change_engine(broken=["sha256:id-of-" + bad[-8:]])
        status, said = bench.run("deploy.sh", "staging", third)
        assert status == 70 and said[-1].endswith("; the earlier release runs again"), said
        assert parts(bench) == all_run(new, "app", "worker", "scheduler")
        assert bench.run("deploy.sh", "staging", wanted)[0] == 0
        assert parts(bench) == all_run(new, "app", "worker", "scheduler")
    else:
        wait_for(bench.is_quiet, "the host to be at rest", 60)
        assert parts(bench) == all_run(old, "app", "worker", "scheduler")
    assert not (bench.app / ".deploybot.before").exists()


# ---- what ran before deploybot -------------------------------------------------------------------

def ran_before(bench):
    """Somebody has started app and worker by hand, of two images that no .env names; no scheduler."""
    bench.change_engine(images={"shop:old": "sha256:old-shop", "worker:old": "sha256:old-worker"}, containers=[
        {"id": number * 64, "name": f"app_{service}_1", "of": of, "status": "running",
         "labels": {"project": "app", "service": service, "oneoff": "False", "project.working_dir": str(bench.app)}}
        for number, service, of in (("8", "app", "shop:old"), ("9", "worker", "worker:old"))])


def ids(bench):
    """{service: the id of the image that runs}"""
    engine = bench.engine()
    return {box["labels"]["service"]: engine["images"][box["of"]] for box in engine["containers"]
            if box["status"] == "running"}


def is_as_before(bench):
    return ids(bench) == {"app": "sha256:old-shop", "worker": "sha256:old-worker"}


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_a_first_release_that_does_not_come_up_leaves_what_each_service_ran(strategy, request):
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    ran_before(bench)
    commit, digest = bench.release("one")
    ends(bench, "scheduler", digest, 3)
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    assert status == 70 and "release" in bench.steps(), said
    assert is_as_before(bench), bench.engine()["containers"]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_a_first_release_is_rolled_back_to_what_each_service_ran(strategy, request):
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    ran_before(bench)
    bench.change_engine(health={"sha256:old-shop": "healthy"})
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous ")]
    engine = bench.engine()     # somebody cleans up the host
    used = {box["of"] for box in engine["containers"]}
    bench.change_engine(images={name: of for name, of in engine["images"].items()
                                if not name.endswith(":old") or name in used})
    assert "worker:old" not in bench.engine()["images"]
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0 and any("scheduler did not run before deploybot: it is removed" in line for line in said), said
    served_now = ids(bench)
    if strategy == "recreate":
        assert is_as_before(bench), served_now
    else:
        assert bench.ask()[1] == word.replace("target:", "deploybot-before:")
        assert (served_now["worker"], "scheduler" in served_now) == ("sha256:old-worker", False)
    first, digest = bench.shipped("two", PREVIOUS_RELEASE="")     # as nothing of ours was ever live
    bench.shipped("three", PREVIOUS_RELEASE=f"{first}@{digest}")
    cleans(bench, "staging")
    assert not any("deploybot-before" in name for name in bench.engine()["images"])
    assert not any("deploybot-before" in box["of"] for box in bench.engine()["containers"])


# ---- bluegreen -----------------------------------------------------------------------------------

def served(bench):
    """{project: {service: digest}} of what runs."""
    found = {}
    for box in bench.engine()["containers"]:
        if box["status"] == "running":
            found.setdefault(box["labels"]["project"], {})[box["labels"]["service"]] = box["of"].partition("@")[2]
    return found


def is_whole(bench, digest):
    (port,) = bench.port_of(digest)
    assert bench.serves() == digest and bench.file_says() == port
    found = served(bench)   # what it has replaced may drain beside it
    assert (found[f"app-{port}"], found["app"]) == ({"app": digest}, {"worker": digest, "scheduler": digest})
    assert f"DEPLOY_IMAGE={bench.image}@{digest}\nDEPLOY_PORT={port}\n" in (bench.app / ".env").read_text()
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.first
def test_behind_the_switch_the_others_are_replaced_in_a_project_of_their_own_never_two_at_a_time(pair):
    pair.shipped("one")
    _, two = pair.shipped("two")
    is_whole(pair, two)
    calls = [call for call in pair.host_calls() if call[0] == "compose" and "up" in call or call[0] == "nginx"]
    main = ["compose", "-p", f"app-{pair.file_says()}", "up", "-d", "--no-deps", "--no-build", "app"]
    reload, = [call for call in calls if call[0] == "nginx"][-1:]
    assert calls[-3:] == [main, reload, ["compose", "up", "-d", "--no-deps", "--no-build", "worker", "scheduler"]]


@pytest.mark.long
@pytest.mark.first
def test_where_one_does_not_come_up_the_host_switches_back(pair):
    _, old = pair.shipped("one")
    commit, new = pair.release("two")
    ends(pair, "scheduler", new, 3)
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 70 and "release" in pair.steps(), said
    assert said[-1].endswith("the service scheduler does not run: scheduler ended with status 3 as soon as it was "
                             "started; the earlier release serves still"), said
    is_whole(pair, old)


@pytest.mark.long
def test_behind_a_barrier_nginx_is_not_led_back_and_what_is_up_is_said(pair):
    """Regression: what had served was stopped at once, with its open requests."""
    _, old = pair.shipped("one")
    pair.forbid()
    commit, new = pair.release("two")
    ends(pair, "scheduler", new, 3)
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith(
        f"; not rolled back (.deploybot/no-rollback); nginx leads to port {pair.file_says()}; up is: "
        f"app (new), worker (new); the earlier one drains on port {pair.port_of(old)[0]}"), said
    assert served(pair)[f"app-{pair.file_says()}"] == {"app": new}
    assert not (pair.app / ".deploybot.before").exists()


@pytest.mark.long
def test_where_nothing_ran_before_nothing_is_left(pair):
    commit, new = pair.release("one")
    ends(pair, "worker", new, 1)
    status, said = pair.run("deploy.sh", "staging", commit)
    ports = " or ".join(map(str, pair.ports))
    assert status == 70 and said[-1].endswith(f"; as before, nothing runs on port {ports}"), said
    assert not served(pair) and not (pair.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard", "all"])
def test_whatever_is_killed_behind_the_switch_one_release_is_there_whole(pair, who):
    _, old = pair.shipped("one")
    commit, new = pair.release("two")
    pair.host_plan({"when": ["compose", "up"], "hang": True})
    process = pair.start("deploy.sh", "staging", commit)
    compose = pair.until_host_hangs()
    assert pair.serves() == new
    if who == "all":
        pair.kill_host(compose)
    else:
        guard, worker = [pid for pid in pair.host_processes() if pid != compose][:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    pair.host_plan()
    wait_for(pair.is_quiet, "the host to be at rest", 60)
    if who == "all":
        begins_no_release(pair)
        assert pair.serves() == new and pair.file_says() == pair.port_of(new)[0]
    else:
        is_whole(pair, old)
    assert pair.run("deploy.sh", "staging", commit)[0] == 0     # its image is there already
    is_whole(pair, new)


@pytest.mark.long
@pytest.mark.first
def test_what_was_interrupted_is_put_in_order_behind_the_beginning_of_a_release(pair):
    """Who fails before it has changed nothing; by hand the release before is what serves when that is done."""
    one, old = pair.shipped("one")
    commit, new = pair.release("two")
    three, third = pair.release("three")
    pair.host_plan({"when": ["compose", "up"], "hang": True})
    process = pair.start("deploy.sh", "staging", commit)
    pair.kill_host(pair.until_host_hangs())
    assert process.wait(timeout=120) == 70
    pair.host_plan()
    pair.hook("pre-start", "10-no", "exit 1")
    before = pair.engine()["containers"], pair.upstream.read_text()
    status, said = pair.run("deploy.sh", "staging", three)
    assert status == 64 and "release" not in pair.steps() and f"ran before this: {commit}@{new}" in said, said
    assert (pair.engine()["containers"], pair.upstream.read_text()) == before and pair.serves() == new
    (pair.hooks / "pre-start" / "10-no").unlink()
    ends(pair, "scheduler", third, 3)
    hook = pair.hook("pre-deploy", "10-note", f"echo $PREVIOUS_RELEASE >{pair.path}/previous")
    status, said = pair.run("deploy.sh", "staging", three)
    hook.unlink()
    steps = pair.steps()
    assert status == 70 and steps.index("release") < steps.index("start"), said
    assert (pair.path / "previous").read_text() == f"{one}@{old}\n"
    is_whole(pair, old)
    assert not any(INTERRUPTED in line for line in pair.run("target.sh", "staging", "preflight")[1])
