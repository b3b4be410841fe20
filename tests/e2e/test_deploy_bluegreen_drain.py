"""Goal: what a switch has replaced runs until nobody has a connection to it; whatever becomes of its drain, one release
serves."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import signal
import subprocess

import pytest

from commands_aid import goes_live
from runner_client import ROOT, wait_for
from ssh_aid import NGINX, BlueGreenBench, Download, People, deploy, drain, is_whole, left_running, until_at_rest
from stage import each_process, free_port, get


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


@pytest.mark.long
def test_a_release_ends_without_draining_and_a_drain_waits_for_the_last_connection(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (_, one), (_, two), client = left_running(bench)
    assert bench.steps()[-2:] == ["drain-later", "clean-later"]
    assert bench.serves() == two and bench.port_of(one) and client.is_open()
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    wait_for(lambda: "drain" in bench.steps(), "the drain to begin", 60)
    assert bench.is_quiet() or bench.host_processes()  # it holds the lock for no look
    assert b"200 OK" in client.ends()
    assert process.wait(timeout=60) == 0
    assert "has ended" in "\n".join(bench.said())
    assert not bench.port_of(one) and bench.serves() == two


@contextlib.contextmanager
def another_nginx(bench, name="other-nginx"):
    """A master of its own on the same host, which is not the application's."""
    folder, port = bench.path / name, free_port()
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX % (f"server 127.0.0.1:{bench.ports[0]};", port))
    with subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-e", folder / "nginx.log", "-c", folder / "nginx.conf"],
                          stdin=subprocess.DEVNULL) as other:
        try:
            wait_for(lambda: get(f"http://127.0.0.1:{port}/", timeout=30)[0] != 0, "the other nginx to listen", 60)
            yield other
        finally:
            other.terminate()


@pytest.mark.long
def test_a_drain_waits_for_no_worker_of_an_nginx_that_was_not_reloaded(bench):
    """Regression: beside another nginx on the host a drain lasted all of DRAIN_SECONDS."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    with another_nginx(bench):
        (_, one), (_, two), client = left_running(bench)
        process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
        wait_for(lambda: "drain" in bench.steps(), "the drain to begin", 60)
        assert bench.port_of(one) and client.is_open()      # of the one that was it waits for each
        assert b"200 OK" in client.ends()
        assert process.wait(timeout=60) == 0
        assert not bench.port_of(one) and bench.serves() == two


@pytest.mark.long
def test_a_drain_waits_for_no_nginx_that_was_not_reloaded_where_another_was(bench):
    with another_nginx(bench), another_nginx(bench, "third-nginx") as third:
        both = bench.path / "reload-both"
        both.write_text(f"#!/bin/sh\nkill -HUP {third.pid}\nexec nginx -s reload\n", encoding="ascii")
        both.chmod(0o755)
        bench.environment |= {"DRAIN_SECONDS": "86400", "NGINX_RELOAD_COMMAND": str(both)}
        (_, one), (_, two), client = left_running(bench)
        process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
        wait_for(lambda: "drain" in bench.steps(), "the drain to begin", 60)
        assert bench.port_of(one) and b"200 OK" in client.ends()
        try:
            assert process.wait(timeout=60) == 0
        finally:
            bench.kill_session(process)
        assert not bench.port_of(one) and bench.serves() == two


def is_pausing(bench, process):
    """Between two looks."""
    names = []
    for pid in bench.session(process):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names.append(pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip())
    return "sleep" in names and "ssh" not in names


# reload() alone: $2 are the workers (MASTER PID START;…) before it, $3 those behind it.
RELOADED = """set -euo pipefail
here=$1/deploy/transports/ssh-host
. "$here/base.sh"; . "$here/bluegreen.sh"
cd "$4"; upstream=app.conf reload_command='touch reloaded' told=no is_blind=no served='' port_a=1 port_b=2
echo "server 127.0.0.1:1;" >app.conf
workers() { if [[ -e reloaded ]]; then tr ';' '\\n' <<<"$behind"; else tr ';' '\\n' <<<"$before_it"; fi; }
before_it=$2 behind=$3
mark_unread() { false; }
reload
printf '%s' "${served//$'\\n'/;}"
"""


UNRESTORED = """
set -euo pipefail
here=$1/deploy/transports/ssh-host
for part in base containers up recreate bluegreen; do . "$here/$part.sh"; done
eval "$(sed -n '/^on_worker_killed() {/,/^}/p' "$here/main.sh")"
cd "$2"
mkdir .deploybot.before
echo 8001 >.deploybot.before/port
echo "9 id running - 0 0 /w shop:old worker" >.deploybot.before/containers
file=8002
live_port() { printf '%s' "$file"; }
point_at() { file=$1; }
running() { printf 'id of running'; }
upstream_stamp() { printf 1; }
find_read() { read_stamp=1 read_port=$file; }
reload() { :; }; check_owner() { :; }; drop_ready() { :; }; answers() { :; }; restore_before() { return 1; }
host=h1 dir=$PWD strategy=bluegreen act=switch settle=no others=(worker) port_a=8001 port_b=8002 upstream=x
was_cut=no said='' why="its process there was killed" live='' status=0 unrestored=''
on_worker_killed
printf '%s\n' "$why"
[[ -e .deploybot.before/containers ]] # the next preflight names it
settle=yes
reconcile_for_release
[[ ! -e .deploybot.before && $live == 8001 ]] # and the next release goes by
"""


def test_another_service_that_could_not_be_brought_back_is_said_and_noted_until_a_release_replaces_it(tmp_path):
    """Regression: the note was gone, and with it what its guard had to say and what the next preflight would."""
    done = subprocess.run(["/bin/bash", "-c", UNRESTORED, "x", ROOT, tmp_path], check=False, timeout=60,
                          capture_output=True, text=True)
    left = "the earlier release serves still, but worker could NOT be restored: docker ps -a on h1 shows why"
    assert done.returncode == 0, done
    assert f"its process there was killed; nginx leads to port 8001; {left}\n" in done.stdout, done
    assert done.stdout.endswith(f"h1: warning: {left}\n"), done


@pytest.mark.parametrize("before, behind, served", [
    ("10 11 1;10 12 1;20 21 1;20 22 1", "10 13 2;10 14 2;20 21 1;20 22 1", "10 11 1;10 12 1"),
    ("20 21 1;10 11 1", "20 21 1;10 13 2", "10 11 1"),
    ("10 11 1;20 21 1;20 22 1", "10 13 2;20 23 2;20 22 1", "10 11 1;20 21 1;20 22 1"),  # nobody knows whose
    ("10 11 1", "10 13 2", "10 11 1")])
def test_a_drain_watches_the_nginx_that_was_reloaded_where_that_is_certain(tmp_path, before, behind, served):
    """Regression: another one that was reloaded later, with long connections of its own, made it last."""
    done = subprocess.run(["/bin/bash", "-c", RELOADED, "x", ROOT, before, behind, tmp_path], check=False, timeout=60,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, served), done


@pytest.mark.long
def test_where_the_workers_of_nginx_cannot_be_seen_a_drain_takes_its_seconds(bench):
    """As of an nginx in a container of another namespace of processes: nobody knows who is connected still."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    bench.on_host("grep", '[[ "$*" != *"ginx: worker process"* ]] || exit 1')
    (_, one), (_, two), client = left_running(bench)
    assert bench.serves() == two and b"200 OK" in client.ends()
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    wait_for(lambda: process.poll() is not None or is_pausing(bench, process), "a look at what drains", 60)
    assert process.poll() is None and bench.port_of(one)
    bench.kill_session(process)
    status, said = drain(bench, DEPLOYMENT_ID="40", DRAIN_SECONDS="1")
    assert status == 0 and not bench.port_of(one) and bench.serves() == two, said


@pytest.mark.long
def test_a_drain_ends_after_its_seconds_whoever_is_connected_still(bench):
    bench.environment |= {"DRAIN_SECONDS": "1"}
    (_, one), (_, two), client = left_running(bench)
    status, said = drain(bench, DEPLOYMENT_ID="40")
    assert status == 0 and not bench.port_of(one) and bench.serves() == two, said
    client.socket.close()


@pytest.mark.long
def test_an_automatic_rollback_only_points_nginx_back(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (commit, one), (_, two), client = left_running(bench)
    (bench.host() / "calls").unlink()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}", DEPLOYMENT_ID="40")
    assert status == 0 and bench.steps()[-1] == "drain-later", said
    assert bench.serves() == one and not [call for call in bench.host_calls() if {"up", "rm"} & set(call)]
    assert b"200 OK" in client.ends()
    status, said = drain(bench, DEPLOYMENT_ID="40")
    assert status == 0 and bench.serves() == one and not bench.port_of(two), said


@pytest.mark.long
def test_a_drain_of_an_earlier_deployment_ends_nothing(bench):
    bench.environment |= {"DRAIN_SECONDS": "1"}
    (_, one), _, client = left_running(bench)
    status, said = drain(bench, DEPLOYMENT_ID="39")
    assert status == 0 and "nothing of this deployment drains here" in "\n".join(said) and bench.port_of(one), said
    client.socket.close()


@pytest.mark.long
def test_a_release_that_needs_the_port_ends_the_drain_first(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (_, one), (_, two), client = left_running(bench)
    commit, three = bench.release("three")
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    log = bench.log
    said = deploy(bench, commit)
    assert any("what drains there is ended: its open connections are closed" in line for line in said), said
    assert not bench.port_of(one) and bench.port_of(two) and bench.serves() == three
    assert process.wait(timeout=60) == 0 and "nothing of this deployment drains here" in log.read_text()
    client.socket.close()


@pytest.mark.long
def test_what_fails_before_it_began_leaves_the_drain_as_it_was(bench):
    """A rollback to what drains, of which a hook says no: it drains on."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (commit, one), (_, two), client = left_running(bench)
    bench.hook("pre-deploy", "10-no", "exit 1")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 64 and "release" not in bench.steps(), said
    assert bench.port_of(one) and client.is_open() and bench.serves() == two
    assert not (bench.app / ".deploybot.drain.kept").exists()
    assert b"200 OK" in client.ends()
    status, said = drain(bench, DEPLOYMENT_ID="40")
    assert status == 0 and not bench.port_of(one), said


def uptime():
    return float(pathlib.Path("/proc/uptime").read_text(encoding="ascii").split()[0])


def sleeps(bench, process):
    """It has looked, and waits for its next look."""
    for pid in bench.session(process):
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:1] == [b"sleep"]:
                return True
    return False


@pytest.mark.long
def test_what_is_to_serve_again_is_not_ended_by_its_drain(bench):
    """Between the two acts of a rollback to it."""
    bench.environment |= {"DRAIN_SECONDS": "1"}
    (_, one), _, client = left_running(bench)
    (bench.app / ".deploybot.drain.kept").touch()
    since = int((bench.app / ".deploybot.drain").read_text().split()[2])
    wait_for(lambda: uptime() > since + 1, "its time to be over", 60)
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    wait_for(lambda: process.poll() is not None or sleeps(bench, process), "a look to have ended", 60)
    assert process.poll() is None and bench.port_of(one)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    client.socket.close()


@pytest.mark.long
def test_a_drain_that_is_cut_ends_no_release_and_the_next_one_tidies(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (_, one), (_, two), client = left_running(bench)
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    wait_for(lambda: "drain" in bench.steps(), "the drain to begin", 60)
    bench.kill_session(process)
    assert bench.port_of(one) and bench.serves() == two
    commit, three = bench.release("three")
    deploy(bench, commit)
    client.socket.close()
    assert bench.serves() == three and not bench.port_of(one)


@pytest.mark.long
def test_a_drain_behind_a_rollback_without_a_dead_host_does_not_ask_it(bench):
    """Regression: it was asked until the drain's time was over, and then the old one was said to run on."""
    bench.environment |= {"DRAIN_SECONDS": "1"}
    (_, one), (_, two), client = left_running(bench)
    client.socket.close()
    bench.host("h2").rename(bench.stand / "hosts" / "gone")
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40", STAGING_HOST="h1,h2:2222",
                          WITHOUT_HOSTS="h2")
    wait_for(lambda: process.poll() is not None or sleeps(bench, process), "a look to have ended", 60)
    if process.poll() is None:
        bench.kill_session(process)
    assert process.wait(timeout=60) == 0, bench.said()
    assert not bench.port_of(one) and bench.serves() == two
    assert any("h2 does not answer: nothing was switched there" in line for line in bench.said())
    assert "unreachable h2" not in bench.steps()    # the rollback has said so
    (bench.stand / "hosts" / "gone").rename(bench.host("h2"))


@pytest.mark.long
def test_nothing_is_switched_to_whose_stop_has_begun(bench):
    """Regression: all was killed while dockerd stopped it (up to 30 min), and a rollback led nginx there."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (commit, one), (_, two), client = left_running(bench)
    client.socket.close()
    before = {box["id"] for box in bench.engine()["containers"]}
    bench.host_plan({"when": ["compose", "-p", f"app-{bench.port_of(one)[0]}", "rm"], "hang": True})
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    wait_for(lambda: process.poll() is not None or (bench.host() / "hangs").exists(), "the stop", 60)
    assert process.poll() is None, bench.said()
    bench.kill_host(bench.until_host_hangs())
    bench.kill_session(process)
    assert bench.port_of(one) and bench.serves() == two and (bench.app / ".deploybot.ending").exists()
    bench.host_plan()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
    assert status == 0 and bench.serves() == one, said
    served, = [box["id"] for box in bench.engine()["containers"] if box["of"].endswith(one)]
    assert served not in before and not (bench.app / ".deploybot.ending").exists(), said


@pytest.mark.long
def test_a_clean_up_keeps_an_image_that_drains(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400", "KEEP_RELEASES": "1"}
    (first, one), (commit, two), client = left_running(bench)
    goes_live(bench, "staging", first)
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE=f"{commit}@{two}")  # the same once more
    assert status == 0 and bench.port_of(one), said
    goes_live(bench, "staging", commit)
    process = bench.start("drain.sh", "staging")    # which drains on when it has cleaned up
    wait_for(lambda: "drain" in bench.steps(), "the clean-up", 60)
    said = bench.said()
    bench.kill_session(process)
    assert f"{bench.image}@{one}" in bench.engine()["images"] and "could not be removed" not in "\n".join(said), said
    assert one in (bench.app / ".deploybot.releases").read_text()
    client.socket.close()


@pytest.mark.long
@pytest.mark.parametrize("after", [0, 1, 4])    # what serves, what is to be ended, what of that is left
def test_a_drain_that_docker_does_not_answer_ends_and_switches_nothing_and_looks_again(bench, after):
    """No answer read as "nothing runs there": nginx was led back, or what drained stayed until the next release."""
    bench.environment |= {"DRAIN_SECONDS": "1"}
    _, one = bench.shipped("one")
    drain(bench)
    _, two = bench.shipped("two")
    (bench.state / "apps" / "staging" / "clean").unlink()   # a clean-up would ask first
    bench.host_plan({"when": ["docker", "ps"], "after": after, "times": 1, "status": 1, "stderr": "Error: timeout\n"})
    process = bench.start("drain.sh", "staging", DEPLOYMENT_ID=None)
    wait_for(lambda: process.poll() is not None or sleeps(bench, process), "a look to have ended", 60)
    assert process.poll() is None and (bench.app / ".deploybot.drain").exists(), bench.said()
    assert bench.serves() == two and bench.file_says() == bench.port_of(two)[0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    is_whole(bench, two)
    assert not bench.port_of(one) and not (bench.app / ".deploybot.drain").exists()


@pytest.mark.long
@pytest.mark.parametrize("question", ["ps", "inspect"])
@pytest.mark.parametrize("after", range(2, 14, 3))
def test_whichever_question_docker_does_not_answer_one_release_serves(bench, question, after):
    _, one = bench.shipped("one")
    drain(bench)
    commit, two = bench.release("two")
    bench.host_plan({"when": ["docker", question], "after": after, "times": 2, "status": 1})
    with People(bench) as people:
        status, said = bench.run("deploy.sh", "staging", commit)
        serves = bench.serves()
        bench.host_plan()
        assert serves == (two if status == 0 else one) or "release" in bench.steps(), said
        deploy(bench, commit)
    assert set(people.got) <= {one, two}, people.got
    is_whole(bench, two)


@pytest.mark.long
@pytest.mark.parametrize("drains", [False, True])
def test_a_start_that_is_cancelled_on_the_second_host_leaves_nothing_new_on_the_first(bench, drains):
    """What was started on h1 stayed there; and what drains there drains on."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    if drains:
        (_, one), (_, two), client = left_running(bench)
    else:
        _, two = bench.shipped("two")
    commit, three = bench.release("three")
    real = os.readlink(bench.bin / "ssh")
    (bench.bin / "ssh").unlink()
    where, first = ("h1", "no host") if drains else ("h2", "@h2")
    (bench.bin / "ssh").write_text(f"""#!/bin/bash
        if [[ "$*" == *@{where}*" start "* ]]; then touch {bench.path}/there; exec sleep 1000; fi
        if [[ "$*" == *"{first}"* ]]; then exec cat >/dev/null </dev/null; fi
        exec -a ssh {real} "$@"\n""")
    (bench.bin / "ssh").chmod(0o755)
    process = bench.start("deploy.sh", "staging", commit, STAGING_HOST="h1" if drains else "h1,h2:2222")
    wait_for((bench.path / "there").exists, "the start on the last host", 60)
    assert drains or bench.port_of(three)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert not bench.port_of(three) and bench.serves() == two, bench.said()
    if drains:
        assert bench.port_of(one) and client.is_open()
        client.socket.close()


@pytest.mark.long
def test_by_hand_a_release_is_drained_by_the_one_who_ships_it(bench):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit, RUN_ID=None)
    assert status == 0 and "==> drain" in said, said
    assert not bench.port_of(one) and bench.serves() == two


@pytest.mark.long
def test_what_another_reload_has_left_is_not_waited_for(bench):
    """Of another environment at the same nginx, say: its worker is on its way out too."""
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    (_, one), (_, two), client = left_running(bench)
    other = Download(bench)
    before = workers_on_their_way_out()
    subprocess.run([bench.host_bin / "nginx", "-s", "reload"], check=True, env={"STAND": str(bench.host())})
    wait_for(lambda: workers_on_their_way_out() - before, "a worker of the other reload", 60)
    assert b"200 OK" in client.ends()
    status, said = drain(bench, DEPLOYMENT_ID="40")
    assert status == 0 and not bench.port_of(one), said
    assert other.is_open() and bench.serves() == two
    other.socket.close()


def workers_on_their_way_out():
    return {pid for pid, line in each_process("cmdline") if line.startswith(b"nginx: worker process is shutting down")}


def waits_for_the_lock():
    lines = (line.split(b"\0") for _, line in each_process("cmdline"))
    return [int(words[2]) for words in lines if words[:2] == [b"flock", b"-w"] and words[3:4] == [b"9"]]


@pytest.mark.long
def test_who_comes_while_a_drain_stops_something_waits_for_that(bench):
    """stop_grace_period and 30 s, 300 at most."""
    bench.environment |= {"DRAIN_SECONDS": "1"}
    (_, one), _, client = left_running(bench)
    (port,) = bench.port_of(one)
    commit, three = bench.release("three")
    state = bench.engine()
    bench.change_engine(containers=[{**box, "grace": 90} for box in state["containers"]])
    bench.host_plan({"when": ["compose", "-p", f"app-{port}", "rm"], "hang": True})
    draining = bench.start("drain.sh", "staging", DEPLOYMENT_ID="40")
    hangs = bench.until_host_hangs()
    bench.host_plan()
    process = bench.start("deploy.sh", "staging", commit)
    wait_for(lambda: 120 in waits_for_the_lock(), "the release to wait for the lock", 60)
    os.kill(hangs, signal.SIGKILL)
    assert draining.wait(timeout=60) == 0 and process.wait(timeout=120) == 0, bench.said()
    assert bench.serves() == three
    client.socket.close()
