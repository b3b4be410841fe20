"""Goal: a remote runner's scripts see what is live in every environment as its server's would, never older, and remove
nothing before all of it is there.  Drives the real deploybot-remote-runner."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from runner_client import VERSION, wait_for  # noqa: E402
from test_runner_listen import ListenBench  # noqa: E402
from test_runner_orders import SCRIPT, Remote, say_state  # noqa: E402

LIVE = b'{"environment":"shop/staging","release":3}\n'
MOST = 73728            # PROTOCOL_STATE_MAX
UNKNOWN = "it does not know what is live elsewhere: "

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the file of keys is root's")


@pytest.fixture(name="remote")
def make_remote(tmp_path):
    made = Remote(tmp_path)
    yield made
    made.done()


def files(remote):
    """What scripts would read, by name."""
    return {path.name: path.read_bytes() for path in (remote.state / "environments").glob("*.json")}


def refused(remote, run, server):
    said = remote.order(run, server)
    assert said.kind == "refused" and said["why"] == "failed" and said["text"].startswith(UNKNOWN), said
    assert not (remote.state / "runs" / str(run)).exists()
    return said["text"].removeprefix(UNKNOWN)


def greet(server):
    server.send("hello", version=VERSION)
    server.until("hello")


def test_a_state_is_the_servers_file(remote):
    server = remote.server_now
    for number, body in ((7, LIVE), (7, b"another\n"), (9, LIVE)):
        assert "text" not in say_state(server, number, body, application="shop", environment="staging")
        assert files(remote) == {"shop.staging.json": body}
    assert "text" not in say_state(server, 9, b"main\n", environment="staging")
    assert files(remote) == {"shop.staging.json": LIVE, "staging.json": b"main\n"}
    assert (remote.state / "environments" / "staging.json").stat().st_mode & 0o777 == 0o640
    assert "text" not in say_state(server, 10, environment="staging")
    assert "text" not in say_state(server, 10, environment="never-live")
    assert files(remote) == {"shop.staging.json": LIVE}
    assert remote.order(1).kind == "started"


def test_an_older_one_is_not_taken_and_nothing_runs_by_it(remote):
    server = remote.server_now
    assert "text" not in say_state(server, 7, LIVE, environment="staging")
    for which in ({"environment": "staging"}, {"environment": "production"}):
        said = say_state(server, 6, b"old\n", **which)["text"]
        assert said.startswith("it is of audit entry 6 and older than what is here, of 7: ")
        assert said.endswith("remove environments/number")
    assert files(remote) == {"staging.json": LIVE}
    assert refused(remote, 1, server) == said
    assert say_state(server, 7, b"staging.json\n")["text"] == "one of them was not taken"
    refused(remote, 2, server)
    greet(server)
    assert say_state(server, 6, b"staging.json\n")["text"] == said
    assert files(remote) == {"staging.json": LIVE} and said in remote.words()
    greet(server)
    assert "text" not in say_state(server, 7, b"staging.json\n")
    assert remote.order(3).kind == "started"


def test_the_number_outlives_the_runner(remote):
    assert "text" not in say_state(remote.server_now, 7, LIVE, environment="staging")
    remote.process.kill()
    remote.process.wait(20)
    server = remote.start(SCRIPT, "--orders", str(remote.orders), knows=False)
    assert "older" in say_state(server, 6, b"old\n", environment="staging")["text"]
    (remote.state / "environments" / "number").write_text("7 or so\n")
    assert "is no number" in say_state(server, 8, b"new\n", environment="staging")["text"]
    assert files(remote) == {"staging.json": LIVE}


def test_what_the_list_has_not_is_removed(remote):
    server = remote.server_now
    for name in ("staging", "production"):
        assert "text" not in say_state(server, 7, LIVE, application="shop", environment=name)
    for left in ("staging.json", "shop.staging.json.Ab12Cd"):   # of one that was renamed; of a write that was cut off
        (remote.state / "environments" / left).write_bytes(LIVE)
    assert "text" not in say_state(server, 8, b"shop.staging.json\n")
    assert sorted(os.listdir(remote.state / "environments")) == ["number", "shop.staging.json"]
    assert "text" not in say_state(server, 8)
    assert os.listdir(remote.state / "environments") == ["number"]


def test_before_all_of_them_are_there_nothing_runs(remote):
    server = remote.server(knows=False)
    assert refused(remote, 1, server) == "try again"        # of another server they are there
    assert "text" not in say_state(server, 7, LIVE, environment="staging")
    refused(remote, 2, server)
    assert say_state(server, 7, b"staging.json\nproduction.json\n")["text"] == "of 2 that were listed 1 are here"
    refused(remote, 3, server)
    greet(server)
    assert "text" not in say_state(server, 7, b"staging.json\n")
    assert remote.order(4, server).kind == "started"
    greet(server)
    refused(remote, 5, server)


def test_before_all_of_them_are_there_no_mirror_is_tidied(tmp_path):
    remote = Remote(tmp_path)
    remote.process.kill()
    remote.process.wait(20)
    scripts, looked = tmp_path / "scripts", tmp_path / "looked"
    scripts.mkdir()
    for name in ("deploy.sh", "commits.sh"):
        (scripts / name).write_text(f"#!/bin/sh\necho looked >>{looked}; echo end\n")
        (scripts / name).chmod(0o755)
    (tmp_path / "env").write_text("MIRROR_MAINTENANCE_SECONDS=24\n")     # it looks every second
    server = remote.start(SCRIPT, "--orders", str(remote.orders), "--scripts", str(scripts), "--env-file",
                          str(tmp_path / "env"), knows=False)
    assert "text" not in say_state(server, 7, LIVE, environment="staging")
    with pytest.raises(TimeoutError):
        server.receive(seconds=2.5)
    assert not looked.exists()
    assert "text" not in say_state(server, 7, b"staging.json\n")
    wait_for(looked.exists, "a look at the mirrors")
    remote.done()


@pytest.mark.parametrize("which", [
    {"application": "client", "environment": "acme"}, {"environment": "1a"}, {"environment": "a" * 21}], ids=str)
def test_what_is_no_environment_has_no_file(remote, which):
    assert say_state(remote.server_now, 7, LIVE, **which)["text"].endswith(" is no environment")
    assert not files(remote)


def test_what_is_odd_is_refused_unread(remote):
    server = remote.server_now
    server.send("state", number=7, environment="../number", body=LIVE)
    wait_for(lambda: "state: bad environment" in remote.words(), "a refusal")
    server.send("state", environment="staging", body=LIVE)
    server.send("state", number=-1, environment="staging", body=LIVE)
    assert "text" not in say_state(server, 7, b"a" * MOST, environment="staging")
    server.send("state", number=7, environment="staging", body=b"b" * (MOST + 1))
    assert "text" not in say_state(server, 7, b"staging.json\n")
    assert files(remote) == {"staging.json": b"a" * MOST} and not server.skipped


def test_where_it_cannot_be_written_nothing_runs_until_it_can(remote):
    server, folder = remote.server_now, remote.state / "environments"
    (folder / "staging.json").mkdir()
    assert "writing" in say_state(server, 7, LIVE, environment="staging")["text"]
    assert "writing" in refused(remote, 1, server)
    (folder / "staging.json").rmdir()
    greet(server)
    assert "text" not in say_state(server, 7, LIVE, environment="staging")
    assert "text" not in say_state(server, 7, b"staging.json\n")
    assert remote.order(2).kind == "started"


def test_a_local_runner_takes_none(tmp_path):
    bench = ListenBench(tmp_path)
    server = bench.start(SCRIPT)
    server.send("state", number=7, environment="staging", body=LIVE)
    assert server.order(1).kind == "started" and not server.skipped
    assert "refused: state: no word of a local server" in bench.words()
    assert not (bench.state / "environments").exists()
    bench.done()
