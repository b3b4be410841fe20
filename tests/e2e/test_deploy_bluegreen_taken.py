"""Goal: blue/green leads nginx to nothing that has not passed its start and stands as it did then, and back to whatever
served, also to what somebody started on one of its ports; what a start that failed has ended or left is said."""
# SPDX-License-Identifier: ISC
import os
import signal
import socket
import subprocess

import pytest

from runner_client import wait_for
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, until_at_rest

WORKER = """  worker:
    image: ${DEPLOY_IMAGE}
    restart: always
"""


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


def on_a_port(bench, image="shop:old"):
    """recreate, or somebody, has started the application in that folder, on the port that nginx leads to."""
    labels = {"project": "app", "service": "app", "oneoff": "False", "project.working_dir": str(bench.app)}
    box = {"id": "9" * 64, "name": "app_app_1", "of": image, "labels": labels, "status": "created",
           "port": bench.ports[0]}
    bench.change_engine(images={image: "sha256:id-of-before"}, containers=[box],
                        health={"sha256:id-of-before": "healthy"})
    subprocess.run([bench.host_bin / "docker", "start", box["id"]], check=True, env={"STAND": str(bench.host())})
    assert bench.ask() == (200, image)


def deploy(bench, commit, **settings):
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, "\n".join(said)
    return said


def fails_in_a_hook(bench, commit):
    hook = bench.hook("pre-deploy", "10-no", "exit 1")
    status, said = bench.run("deploy.sh", "staging", commit)
    hook.unlink()
    assert status == 64 and "release" not in bench.steps(), said
    return said


def warnings(said):
    return [line.removeprefix("==> warning ") for line in said if line.startswith("==> warning ")]


def names(bench):
    return sorted(box["name"] for box in bench.engine()["containers"] if box["status"] == "running")


# ---- what runs on one of the ports under the folder's own name ---------------------------------


@pytest.mark.long
def test_a_migration_does_not_run_for_a_release_that_has_no_port(bench):
    """Regression: the database was migrated, the start was refused, and the old code served it; each time again."""
    on_a_port(bench)
    deploy(bench, bench.release("one")[0])      # on the other port
    commit, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and "migrate" not in bench.steps() and "pull" not in bench.steps(), said
    assert "behind its migration, is that of app_app_1" in said[-1], said
    assert said[-1].endswith("(docker rm -f app_app_1)"), said


@pytest.mark.long
def test_a_switch_that_fails_leads_back_to_what_somebody_has_started_on_a_port(bench):
    """Regression: nginx was left on the new port, whose container was ended, and "as before, nothing runs" was said."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + PORTS + WORKER)
    on_a_port(bench)
    commit, digest = bench.release("one")
    bench.change_engine(ends={f"worker {bench.image}@{digest}": 3})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "worker" in said[-1] and said[-1].endswith("; the earlier release serves still"), said
    assert bench.ask() == (200, "shop:old") and bench.file_says() == bench.ports[0] and names(bench) == ["app_app_1"]


@pytest.mark.long
def test_a_switch_that_fails_leads_back_to_whatever_answered_on_a_port(bench):
    """Also where no container of this folder does."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + PORTS + WORKER)
    on_a_port(bench)
    bench.change_engine(containers=[{**box, "labels": {"project": "of-somebody", "service": "it"}}
                                    for box in bench.engine()["containers"]])
    commit, digest = bench.release("one")
    bench.change_engine(ends={f"worker {bench.image}@{digest}": 3})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("; the earlier release serves still"), said
    assert bench.ask() == (200, "shop:old") and bench.file_says() == bench.ports[0]


@pytest.mark.long
def test_the_first_release_is_rolled_back_to_what_runs_on_a_port_yet(bench):
    """Regression: its image was to be started on the port that it has, which cannot be."""
    on_a_port(bench)
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous ")]
    assert bench.serves() == digest and "app_app_1" in names(bench)
    (bench.host() / "calls").unlink()
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0 and bench.ask() == (200, "shop:old"), said
    assert not [call for call in bench.host_calls() if "up" in call]
    status, said = bench.run("drain.sh", "staging", DEPLOYMENT_ID=None)
    assert status == 0 and names(bench) == ["app_app_1"] and bench.ask() == (200, "shop:old"), said


@pytest.mark.long
def test_a_release_that_needs_the_port_of_what_somebody_has_started_says_so_and_ends_nothing(bench):
    on_a_port(bench)
    commit, one = bench.release("one")
    said = deploy(bench, commit)
    hint = (f"h1: app_app_1 has port {bench.ports[0]}, which every second release needs, and deploybot does not end "
            "it: when nobody is to be rolled back to it, there: docker rm -f app_app_1")
    assert warnings(said) == [hint]
    status, said = bench.run("drain.sh", "staging", DEPLOYMENT_ID=None)
    assert status == 0 and "app_app_1" in names(bench), said    # people end it
    commit, two = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "release" not in bench.steps() and hint in warnings(said), said
    assert said[-1].endswith("when nobody is to be rolled back to it, end it there (docker rm -f app_app_1)"), said
    assert bench.serves() == one and "app_app_1" in names(bench)
    subprocess.run([bench.host_bin / "docker", "rm", "-f", "app_app_1"], check=True, env={"STAND": str(bench.host())})
    assert warnings(deploy(bench, commit)) == [] and bench.serves() == two


@pytest.mark.long
def test_a_start_beside_what_somebody_has_started_that_comes_to_nothing_leaves_nothing(bench):
    """Regression: the new one ran on, and the next deployment, of whatever commit, led nginx to it as it began."""
    on_a_port(bench)
    before = bench.upstream.read_text()
    commit, _ = bench.release("one")
    for _ in range(2):
        said = fails_in_a_hook(bench, commit)
        assert not any("nothing runs" in line for line in said), said
        assert names(bench) == ["app_app_1"] and bench.ask() == (200, "shop:old"), said
        assert bench.upstream.read_text() == before


# ---- where nothing runs --------------------------------------------------------------------------


def test_a_first_release_that_fails_before_it_begins_leaves_nothing(bench):
    """Regression: where nothing had run it stayed, and went live with the next attempt."""
    before = bench.upstream.read_text()
    commit, _ = bench.release("one")
    fails_in_a_hook(bench, commit)
    assert names(bench) == [] and bench.upstream.read_text() == before


LEFT = "h1: {} runs there, and no release was switched to it: one is at work, or was killed; the next one ends it"


def killed_behind_its_start(bench, commit):
    there = bench.path / "there"
    hook = bench.hook("pre-deploy", "10-hang", f": >{there}; exec sleep 600")
    process = bench.start("deploy.sh", "staging", commit)
    wait_for(there.exists, "the hook to run", 60)
    hook.unlink()
    bench.kill_session(process)
    wait_for(bench.is_quiet, "the host to be at rest", 60)


@pytest.mark.long
def test_what_a_killed_start_has_left_is_said_and_no_release_begins_with_it(bench):
    before = bench.upstream.read_text()
    commit, one = bench.release("one")
    other, _ = bench.release("two")
    killed_behind_its_start(bench, commit)
    left, = names(bench)
    said = fails_in_a_hook(bench, other)
    assert warnings(said) == [LEFT.format(left)]
    assert bench.port_of(one) == [] and bench.upstream.read_text() == before, said


@pytest.mark.long
def test_what_a_killed_start_has_left_beside_a_release_is_said_until_the_next_one_ends_it(bench):
    """Regression: preflight and doctor were silent, and it ran on with its threads and connections."""
    _, one = bench.shipped("one")
    bench.run("drain.sh", "staging", DEPLOYMENT_ID=None)
    commit, two = bench.release("two")
    killed_behind_its_start(bench, commit)
    (port,) = bench.port_of(two)
    for _ in range(2):
        status, said = bench.run("target.sh", "staging", "preflight")
        assert status == 0 and warnings(said) == [LEFT.format(f"app-{port}_app_1")], said
        assert bench.serves() == one
    commit, three = bench.release("three")
    deploy(bench, commit)
    assert bench.serves() == three and bench.port_of(two) == []
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and warnings(said) == [], said       # what drains is none


# ---- between the start and the switch ------------------------------------------------------------


def paused_before_the_switch(bench, commit, **settings):
    """(its process, what lets it go on)"""
    there, pipe = bench.path / "there", bench.path / "go"
    os.mkfifo(pipe)
    bench.hook("pre-deploy", "10-wait", f": >{there}; read -r _ <{pipe}")
    process = bench.start("deploy.sh", "staging", commit, **settings)
    wait_for(lambda: there.exists() or process.poll() is not None, "the hook to run", 60)
    assert process.poll() is None, bench.said()
    return process, lambda: pipe.write_text("\n")


def ended(box):
    os.kill(box.pop("pid"), signal.SIGKILL)
    box.update(status="exited", code=7)


@pytest.mark.long
@pytest.mark.parametrize("change, says", [
    (lambda box: box.update(restarts=4), "the application ended and docker started it again, since it was started"),
    (ended, "the application ended with status 7 since it was started"),
    (None, "the container's health check fails")])
def test_nginx_is_not_led_to_what_broke_since_it_was_started(bench, change, says):
    """Regression: image and "running" alone were compared; and one that had crashed was called another's release."""
    _, one = bench.shipped("one")
    port = bench.file_says()
    commit, two = bench.release("two")
    process, go_on = paused_before_the_switch(bench, commit)
    boxes = bench.engine()["containers"]
    if change is None:
        bench.set_health(two, "unhealthy")
    for box in boxes:
        if change is not None and box["of"].endswith(two):
            change(box)
    bench.change_engine(containers=boxes)
    go_on()
    assert process.wait(timeout=120) == 70
    said = bench.said()
    assert said[-1].endswith(f"the new release does not run: {says}; nothing was switched there"), said
    assert f"|app| the last words of {bench.image}@{two}" in said, said
    assert bench.serves() == one and bench.file_says() == port and bench.port_of(two) == [], said


@pytest.mark.long
def test_nginx_is_not_led_to_what_answers_no_more(bench):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    process, go_on = paused_before_the_switch(bench, commit)
    pid, = [box["pid"] for box in bench.engine()["containers"] if box["of"].endswith(two)]
    os.kill(pid, signal.SIGSTOP)
    go_on()
    assert process.wait(timeout=120) == 70
    assert "does not answer; nothing was switched there" in bench.said()[-1], bench.said()
    assert bench.serves() == one and bench.port_of(two) == []


@pytest.mark.long
def test_what_docker_had_started_anew_long_ago_is_switched_to(bench):
    """It drains since: a power cut then is no failure of it now."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    commit, one, two, connection = left_running(bench)
    bench.change_engine(containers=[{**box, "restarts": 3} for box in bench.engine()["containers"]])
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
    assert status == 0 and bench.serves() == one and bench.port_of(two), said
    connection.close()


@pytest.mark.long
def test_what_drains_and_is_unhealthy_is_started_anew_for_a_rollback(bench):
    """Each rollback to it would end at the switch."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    commit, one, two, connection = left_running(bench)
    bench.set_health(one, "unhealthy")
    (bench.host() / "calls").unlink()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
    assert status == 70 and "release" not in bench.steps() and bench.serves() == two, said
    assert [call for call in bench.host_calls() if "up" in call], said
    connection.close()


# ---- what drains beside a start that comes to nothing ---------------------------------------------


def left_running(bench):
    """A release over another with a connection open: (commit and digest of the earlier one, of the new one, that)."""
    commit, one = bench.shipped("one")
    bench.run("drain.sh", "staging", DEPLOYMENT_ID=None)
    later, two = bench.release("two")
    connection = socket.create_connection(("127.0.0.1", bench.port))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")    # its head does not end: no worker may close it
    deploy(bench, later, DEPLOYMENT_ID="40")
    return commit, one, two, connection


CUT = ("h1: what serves is as it was; what drained beside it was ended to make room, and its open connections are "
       "closed")


@pytest.mark.long
def test_a_drain_that_was_cut_for_a_release_that_failed_is_said(bench):
    """Regression: "nothing was changed" was all."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    _, one, two, connection = left_running(bench)
    commit, _ = bench.release("three")
    said = fails_in_a_hook(bench, commit)
    assert warnings(said) == [CUT] and "so nothing was changed" in said[-1], said
    assert bench.port_of(one) == [] and bench.serves() == two
    said = deploy(bench, commit)
    assert warnings(said) == [], said     # nothing drained any more
    connection.close()


@pytest.mark.long
def test_a_drain_that_was_cut_for_a_release_that_came_is_no_warning(bench):
    """The question, or its message, has said so before."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    _, one, _, connection = left_running(bench)
    commit, three = bench.release("three")
    said = deploy(bench, commit)
    assert warnings(said) == [] and any("its open connections are closed" in line for line in said), said
    assert bench.serves() == three and bench.port_of(one) == []
    connection.close()


@pytest.mark.long
@pytest.mark.parametrize("how", ["its start failed", "it was cancelled while it started"])
def test_a_drain_that_was_cut_by_a_start_that_did_not_end_well_is_said(bench, how):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    _, _, two, connection = left_running(bench)
    commit, three = bench.release("three")
    if how == "its start failed":
        bench.set_health(three, "unhealthy")
        status, said = bench.run("deploy.sh", "staging", commit)
        assert status == 70 and said[-1].endswith("the container's health check fails"), said
    else:
        bench.set_health(three, "starting")
        process = bench.start("deploy.sh", "staging", commit)
        wait_for(lambda: bench.port_of(three), "the new one to start", 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 143
        said = bench.said()
    assert warnings(said) == [CUT] and bench.serves() == two, said
    connection.close()
