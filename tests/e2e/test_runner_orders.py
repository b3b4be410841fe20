"""Goal: a remote runner begins a run and opens its gate by signed orders alone, each once; of a local one nothing is
asked.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import os
import pathlib
import re
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from agent import order_bytes  # noqa: E402
from link_aid import Authority  # noqa: E402
from runner_client import PROGRAM as LOCAL  # noqa: E402
from runner_client import VERSION, Message, Supervisor, encode, wait_for  # noqa: E402
from test_link import Net  # noqa: E402
from test_runner_listen import ListenBench  # noqa: E402

SCRIPT = 'echo "==> release"; touch "$MARKS/ran"'
WORK = {"program": "deploy", "environment": "staging", "argument": "1a2b3c4d5e6f", "deployment": 7, "ref": "main"}
ORDER = {**WORK, "deadline_s": 60, "grace_s": 1}
OTHERS = {"program": "rollback", "environment": "production", "argument": "ffffffffffff", "deployment": 8,
          "ref": "develop", "previous": "aaaaaaaaaaaa", "application": "shop", "client": "acme", "without": "web1"}
PLACES = ("program", "application", "environment", "argument", "client", "deadline_s", "deployment", "previous", "ref",
          "without")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the file of keys is root's")


def work(fields):
    """What is signed of the work: a run of these words, in the order of the protocol's table."""
    words = {**fields, "deadline_s": 1}
    return hashlib.sha256(encode("run", id=1, **{name: words.get(name) for name in PLACES})).hexdigest()


KEYS = [Ed25519PrivateKey.generate() for _ in range(3)]      # a runner does not know the third


def standing(kind, run, packet, key=0, name="build-1"):
    """The signature of what answers no challenge, of which `packet` is what is signed."""
    digest = hashlib.sha256(packet).hexdigest()
    return KEYS[key].sign(order_bytes(kind, name, digest, run, 0, "", "")).hex()


def say_state(channel, number, body=b"", key=0, **which):
    words = {name: which[name] for name in ("application", "environment") if name in which}
    channel.send("state", body=body, number=number, **words,
                 signature=standing("state", number, encode("state", body, number=1, **words), key))
    said = channel.until("state")
    assert said["number"] == number
    return said


PROGRAM = os.path.join(os.path.dirname(LOCAL), "deploybot-remote-runner")


class RemoteBench(ListenBench):
    """The place of a remote runner."""

    def command(self, *more, listen=None, state=None):
        return [PROGRAM, *super().command(*more, listen=listen, state=state)[1:]]


class Remote(RemoteBench):
    """A runner with --orders, and who orders there."""

    def __init__(self, path):
        super().__init__(path)
        self.knows = True
        self.keys = KEYS
        self.orders = path / "runner.conf"
        known = " ".join(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() for key in self.keys[:2])
        self.orders.write_text(f'RUNNER_NAME=build-1\nORDER_KEYS="{known}"\n')
        self.orders.chmod(0o640)
        self.server_now = self.start(SCRIPT, "--orders", str(self.orders))

    def start(self, script, *more, wrapper=(), knows=True):
        self.knows = knows
        return super().start(script, *more, wrapper=wrapper)

    def server(self, greet=True, knows=None):
        """One that has said what is live elsewhere: nothing."""
        made = super().server(greet)
        if greet and (self.knows if knows is None else knows):
            assert "text" not in say_state(made, 0)
        return made

    def challenge(self, channel):
        channel.send("challenge")
        drawn = channel.until("challenge")["challenge"]
        drawn = drawn if isinstance(drawn, str) else f"{drawn:032d}"      # all digits
        assert re.fullmatch("[0-9a-f]{32}", drawn)
        return drawn

    def proof(self, kind, run, challenge, **but):
        signed = [but.get("as_kind", kind), but.get("name", "build-1"), work(but.get("of", WORK)), run,
                  but.get("epoch", 0), "", challenge]
        return {"challenge": challenge, "signature": self.keys[but.get("key", 0)].sign(order_bytes(*signed)).hex()}

    def order(self, run, server=None, **but):
        server = server or self.server_now
        challenge = self.challenge(server)
        server.send("run", id=run, **{**ORDER, **but.get("sent", {})}, **self.proof("run", run, challenge, **but))
        return server.until("started", "refused")

    def greeting(self):
        server = self.server(greet=False)
        server.send("hello", version=VERSION)
        return server.until("hello")

    def supervisor(self, run):
        return Supervisor(self.state / "runs" / str(run))

    def ran(self):
        return (self.marks / "ran").exists()

    def ends_at_its_gate(self, run):
        """The connection that has said a wrong `go` is closed, and the script never ran."""
        settled = wait_for(lambda: (said := self.server_now.settle(run))["state"] == "ended" and said, "its end")
        assert not settled["gate"] and not self.ran()


@pytest.fixture(name="remote")
def make_remote(tmp_path):
    made = Remote(tmp_path)
    yield made
    made.done()


def went(remote, run, **but):
    supervisor = remote.supervisor(run)
    supervisor.send("go", **remote.proof("go", run, remote.challenge(supervisor), **but))
    return supervisor


@pytest.mark.parametrize("key", [0, 1])
def test_a_run_and_its_gate_are_opened_by_two_orders_of_a_key_that_is_known(remote, key):
    assert remote.order(1, key=key).kind == "started"
    record = went(remote, 1, key=key).exit()
    assert record["released"] and record["status"] == 0 and remote.ran()


@pytest.mark.parametrize("but", [
    {"key": 2}, {"name": "build-2"}, {"as_kind": "go"}, {"epoch": 1},
    *({"sent": {name: value}} for name, value in OTHERS.items())], ids=str)
def test_an_order_to_run_of_which_anything_else_was_signed_is_refused(remote, but):
    said = remote.order(1, **but)
    assert said.kind == "refused" and said["why"] == "invalid" and "no order key that is known here" in said["text"]
    assert not (remote.state / "runs" / "1").exists()
    assert remote.order(1).kind == "started"


def test_without_a_proof_nothing_runs(remote):
    server = remote.server_now
    assert server.order(1)["why"] == "invalid"
    challenge = remote.challenge(server)
    server.send("run", id=1, **ORDER)                       # takes the challenge
    assert server.until("refused")["why"] == "invalid"
    server.send("run", id=1, **ORDER, **remote.proof("run", 1, challenge))
    assert server.until("refused")["why"] == "invalid"
    assert "refused" in remote.words() and not (remote.state / "runs" / "1").exists()


def test_an_order_counts_once_and_for_its_own_run_and_connection(remote):
    server, other = remote.server_now, remote.server()
    challenge = remote.challenge(server)
    proof = remote.proof("run", 1, challenge)
    other.send("run", id=1, **ORDER, **proof)
    assert other.until("refused")["why"] == "invalid"
    server.send("run", id=2, **ORDER, **proof)
    assert server.until("refused")["why"] == "invalid"
    challenge = remote.challenge(server)
    proof = remote.proof("run", 1, challenge)
    server.send("run", id=1, **ORDER, **proof)
    assert server.until("started", "refused").kind == "started"
    server.send("run", id=1, **ORDER, **proof)
    assert server.until("refused")["why"] == "invalid"


def test_a_never_makes_the_orders_before_it_void_also_those_of_other_connections(remote):
    server, other = remote.server_now, remote.server()
    held = remote.proof("run", 1, remote.challenge(server))
    assert other.settle(1)["state"] == "never"
    server.send("run", id=1, **ORDER, **held)
    assert server.until("started", "refused")["why"] == "invalid"


@pytest.mark.parametrize("but", [
    {"key": 2}, {"name": "build-2"}, {"as_kind": "run"}, {"of": {**WORK, "ref": "develop"}}], ids=str)
def test_go_of_which_anything_else_was_signed_ends_the_run_at_its_gate(remote, but):
    assert remote.order(1).kind == "started"
    supervisor = went(remote, 1, **but)
    assert supervisor.until_closed()
    remote.ends_at_its_gate(1)


def test_go_without_a_proof_ends_the_run_at_its_gate(remote):
    assert remote.order(1).kind == "started"
    assert remote.supervisor(1).go().until_closed()
    remote.ends_at_its_gate(1)


def test_go_answers_a_challenge_of_its_connection(remote):
    """The runner's own, or that of a connection before, is none."""
    assert remote.order(1).kind == "started"
    supervisor = remote.supervisor(1)
    supervisor.send("go", **remote.proof("go", 1, remote.challenge(remote.server_now)))
    assert supervisor.until_closed()
    remote.ends_at_its_gate(1)


def test_what_needs_no_proof_is_taken_without(remote):
    """Who owns link can stop a run, and read, and start nothing."""
    assert remote.order(1).kind == "started"
    supervisor = remote.supervisor(1).end()
    record = supervisor.exit()
    assert record["ended"] and not record["gate"] and not remote.ran()
    assert remote.server_now.settle(1)["state"] == "ended"


def test_its_hello_has_its_highest_run(remote):
    assert remote.greeting()["highest"] == 0
    (remote.state / "runs" / "spare").mkdir(exist_ok=True)
    for run in (7, 41, 9):
        (remote.state / "runs" / str(run)).mkdir()
    assert remote.greeting()["highest"] == 41


def test_the_end_of_a_log_is_read_and_nothing_else_of_the_machine(remote):
    server, log = remote.server_now, remote.state / "runs" / "1" / "log"
    assert remote.order(1).kind == "started"
    went(remote, 1).exit()

    def end_of(run, **place):
        server.send("read", id=run, **place)
        said = server.until("piece")
        assert said["id"] == run and said["from"] == place.get("from", 0)
        assert said["size"] == (log.stat().st_size if run == 1 and log.is_file() and not log.is_symlink() else 0)
        return said.body
    assert end_of(1) == b"==> release\n" and end_of(2) == b""
    log.write_bytes(b"a" * 10 + b"\n\n\0" + b"b" * 16383)
    assert end_of(1) == b"\0" + b"b" * 16383
    assert end_of(1, **{"from": 9}) == b"aa\n\n\0" + b"b" * 16383
    assert end_of(1, **{"from": log.stat().st_size}) == b"b" and end_of(1, **{"from": 2**63 - 1}) == b""
    log.write_bytes(bytes(range(256)) * 300)
    assert end_of(1, **{"from": 257}) == bytes(range(256)) * 256
    for put in (lambda: log.symlink_to("/etc/passwd"), lambda: os.mkfifo(log)):
        log.unlink()
        put()
        assert end_of(1) == b""


def test_a_lower_epoch_than_has_ordered_is_refused(remote):
    server = remote.server_now
    for run, epoch, said in ((1, 2, "started"), (2, 1, "refused"), (3, 2, "started")):
        proof = remote.proof("run", run, remote.challenge(server), epoch=epoch)
        server.send("run", id=run, **ORDER, **proof, epoch=epoch)
        assert server.until("started", "refused").kind == said


def test_what_is_said_of_hosts_is_read_in_the_same_way(remote):
    server = remote.server_now
    assert remote.order(1).kind == "started"
    went(remote, 1).exit()
    (remote.state / "runs" / "1" / "results").write_bytes(b"hosts\nweb1:22 began\n")
    server.send("read", id=1, results=1, **{"from": 7})
    said = server.until("piece")
    assert said.body == b"web1:22 began\n" and said["results"] == 1 and said["size"] == 20 and said["from"] == 7
    server.send("read", id=2, results=1, **{"from": 1})
    said = server.until("piece")
    assert said.body == b"" and said["size"] == 0


def test_hosts_that_were_not_signed_are_released_to_by_nobody(remote):
    """A link that adds one, or takes them all out."""
    server = remote.server_now
    proof = remote.proof("run", 1, remote.challenge(server))
    server.sock.send(encode("run", body=b"web1:22\n", id=1, **ORDER, **proof))
    assert server.until("refused")["why"] == "invalid" and not (remote.state / "runs" / "1").exists()


class Far:
    """A channel of a host, over two deploybot-links; a stand-in of the server has the other end."""

    def __init__(self, net, number):
        self.net, self.head = net, f"runner/build-1 {number}\n"

    def send(self, kind, **fields):
        self.net.server.send(self.head.encode() + encode(kind, **fields))

    def until(self, kind):
        return Message(self.net.server.expect(f"{self.head}{kind}\n")[len(self.head):].encode())


@pytest.fixture(name="net")
def make_net(tmp_path):
    authority = Authority(tmp_path / "ca")
    authority.issue("server", "URI:deploybot:server")
    authority.issue("build", "URI:deploybot:runner/build-1")
    with contextlib.closing(Net(tmp_path, authority)) as net:
        yield net


def test_what_is_live_elsewhere_and_what_is_removed_only_the_server_says(remote):
    """Who owns link has a runner neither forget that a run was, so that it could be begun again, nor remove images."""
    server, folder = remote.server_now, remote.state / "runs" / "1"
    assert remote.order(1).kind == "started"
    went(remote, 1).exit()
    assert remote.server_now.settle(1)["state"] == "ended"
    server.send("forget", id=1)
    for run, packet, key in ((1, "forget\nid 1\n", 2), (2, "forget\nid 1\n", 0), (1, "forget\nid 2\n", 0)):
        server.send("forget", id=1, signature=standing("forget", run, packet.encode(), key))
    server.send("forget", id=1, signature=standing("state", 1, b"forget\nid 1\n"))
    assert remote.server_now.settle(1)["state"] == "ended" and folder.is_dir()
    server.send("forget", id=1, signature=standing("forget", 1, b"forget\nid 1\n"))
    assert server.until("forgotten")["removal"] == "gone" and not folder.exists()
    assert "has signed this" in say_state(server, 7, b"{}\n", key=2, environment="staging")["text"]
    server.send("state", body=b"", number=7)
    assert server.until("state")["text"] and not (remote.state / "environments" / "staging.json").exists()


def test_git_and_the_applications_log_are_asked_by_the_server_alone(remote):
    """Who owns link reads what is answered, and asks nothing."""
    server = remote.server_now
    for number, (asked, key, signed) in enumerate([
            ("logs", None, ""), ("logs", 2, "logs"), ("logs", 0, "settings"), ("settings", 0, "settings")], 1):
        proof = {} if key is None else {"signature": standing(
            "ask", number, encode("ask", id=1, environment="staging", question=signed), key)}
        server.send("ask", id=number, environment="staging", question=asked, **proof)
        said = server.until("answer")
        assert said["id"] == number
        assert (said["status"] == 64 and "has signed this" in said["text"]) == (asked == "logs"), said


def test_a_run_elsewhere_from_hello_to_the_end_of_its_log(remote, net):
    net.start_host("build", "runner", RUNNER_SOCKET=remote.socket, STATE_DIRECTORY=remote.state)
    net.server.expect("link 0\nhere runner/build-1 ")
    runner, supervisor = Far(net, 1), Far(net, 2)
    runner.send("hello", version=VERSION)
    assert runner.until("hello")["version"] == VERSION
    assert "text" not in say_state(runner, 7, b"{}\n", environment="staging")
    assert "text" not in say_state(runner, 7, b"staging.json\n")
    assert (remote.state / "environments" / "staging.json").read_bytes() == b"{}\n"
    runner.send("run", id=12, **ORDER, **remote.proof("run", 12, remote.challenge(runner)))
    assert runner.until("started")["id"] == 12
    net.server.send(b"runner/build-1 0\nopen\nchannel 2\nid 12\n")
    assert supervisor.until("hello")["version"] == VERSION
    supervisor.send("go", **remote.proof("go", 12, remote.challenge(supervisor)))
    assert supervisor.until("exit")["released"]
    runner.send("read", id=12)
    assert runner.until("piece").body == b"==> release\n"
    runner.send("settle", id=12)
    assert runner.until("settled")["state"] == "ended"


def test_a_link_that_goes_at_the_gate_ends_the_run_there(remote, net):
    host = net.start_host("build", "runner", RUNNER_SOCKET=remote.socket, STATE_DIRECTORY=remote.state)
    net.server.expect("link 0\nhere runner/build-1 ")
    assert remote.order(12).kind == "started"
    net.server.send(b"runner/build-1 0\nopen\nchannel 2\nid 12\n")
    Far(net, 2).until("hello")
    host.process.kill()
    remote.ends_at_its_gate(12)


def test_of_a_local_runner_no_proof_is_asked(tmp_path):
    bench = ListenBench(tmp_path)
    server = bench.start(SCRIPT)
    assert server.order(1).kind == "started"
    supervisor = Supervisor(bench.state / "runs" / "1")
    for channel in (server, supervisor):
        channel.send("challenge")                           # is answered nothing
    server.send("read", id=1)
    assert supervisor.go().exit()["released"]
    assert not any(message.kind == "challenge" for message in supervisor.skipped)
    assert server.settle(1)["state"] == "ended" and not server.skipped
    bench.done()


@pytest.mark.parametrize("text, mode, said", [
    ("", 0o640, "RUNNER_NAME"), ("RUNNER_NAME=build-1\n", 0o640, "ORDER_KEYS is not set"),
    ("AGENT_NAME=build-1\nORDER_KEYS=" + "0" * 64 + "\n", 0o640, "there is no setting AGENT_NAME"),
    ("RUNNER_NAME=build-1\nORDER_KEYS=" + "0" * 64 + "\n", 0o666, "runner.conf"), (None, 0, "runner.conf")])
def test_where_the_keys_cannot_be_read_it_does_not_start(tmp_path, text, mode, said):
    bench = RemoteBench(tmp_path)
    if text is not None:
        (tmp_path / "runner.conf").write_text(text)
        (tmp_path / "runner.conf").chmod(mode)
    status, line = bench.refused("--orders", str(tmp_path / "runner.conf"))
    assert status == 78 and said in line, line
    bench.done()


@pytest.mark.parametrize("program, words", [
    (PROGRAM, ["--fd", "3", "--state", "/", "--orders", "x"]), (PROGRAM, ["--check-settings", "--orders", "x"]),
    (PROGRAM, ["--listen", "x"]), (LOCAL, ["--listen", "x", "--orders", "x"])])
def test_keys_are_a_remote_runners_which_is_none_without(program, words):
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 64 and "usage: deploybot-runner" in done.stderr
