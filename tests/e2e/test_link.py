"""Goal: deploybot-link carries packets between a server and hosts that show their certificates, and nobody else's."""
# SPDX-License-Identifier: ISC
import collections
import contextlib
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

import pytest

from link_aid import PROGRAM, Authority, Host, Link, Listener, Server, frame, hello
from runner_client import wait_for
from tls_aid import openssl

TICKS_MAX = 10      # of 100 in a second: what spins takes each one that the machine has left


@pytest.fixture(scope="module", name="authority")
def make_authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("pki") / "ca")
    authority.issue("server", "URI:deploybot:server")
    authority.issue("acme", "URI:deploybot:agent/acme")
    authority.issue("build", "URI:deploybot:runner/build-1")
    return authority


ASK = b"agent/acme 0\nrenew\nrenewal \n"


class Net:
    """A link of the server's side with a stand-in of the server, and hosts."""

    def __init__(self, folder, authority):
        self.folder, self.authority = folder, authority
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.socket, self.links = folder / "server.sock", []
        self.serve = self.start_serve()
        self.server = Server(self.socket)

    def start(self, use, **settings):
        link = Link(use, **settings)
        self.links.append(link)
        return link

    def start_serve(self, **settings):
        return self.start("serve", LINK_ADDRESS=f"127.0.0.1:{self.port}", LINK_SOCKET=self.socket,
                          **self.authority.settings("server"), **settings)

    def start_host(self, file="acme", use="agent", **settings):
        settings = {"LINK_SERVERS": f"127.0.0.1:{self.port}", "RUNNER_SOCKET": self.folder / "runner.sock",
                    "STATE_DIRECTORY": self.folder, "LINK_RECONNECT_S": 1,
                    "LINK_RENEWED_FILE": self.folder / "renewed.pem", **self.authority.settings(file), **settings}
        return self.start(use, **settings)

    def host(self, file="acme", **options):
        return Host(self.port, self.authority, file, **options)

    def close(self):
        for link in self.links:
            link.kill()
        self.server.close()


@pytest.fixture(name="net")
def make_net(authority):
    folder = pathlib.Path(tempfile.mkdtemp())   # a socket's path is short
    with contextlib.closing(Net(folder, authority)) as net:
        yield net
    shutil.rmtree(folder)


def test_a_packet_goes_to_the_runner_and_back(net):
    runner = Listener(net.folder / "runner.sock")
    net.start_host()
    said = net.server.expect("link 0\nhere agent/acme ")
    assert re.fullmatch(r"link 0\nhere agent/acme [0-9a-f]{64} \d+ \S+ 127\.0\.0\.1\n", said)
    assert net.server.checks == [("agent/acme", net.authority.digest("acme"))]
    net.server.send(b"agent/acme 1\nhello\nversion 3\n")
    connection = runner.accept()
    assert connection.next() == b"hello\nversion 3\n"
    connection.send(b"hello\nversion 3\npid 7\n")
    assert net.server.expect("agent/acme 1\n") == "agent/acme 1\nhello\nversion 3\npid 7\n"


def test_a_host_of_the_first_version_is_served(net):
    """Byte by byte what 0.2.0 says, and no field that came later: hosts are not upgraded at once."""
    host = net.host()
    host.send(frame(0, b"hello\nat 1767225600\nepoch 0\nname agent/acme\nversion 0.2.0\n"))
    assert host.next()[1].startswith(b"hello\n")
    assert net.server.expect("link 0\nhere agent/acme ").split()[6] == "0.2.0"
    host.send(frame(1, b"hello\nversion 3\n"))
    assert net.server.expect("agent/acme 1\n") == "agent/acme 1\nhello\nversion 3\n"
    net.server.send(b"agent/acme 1\nhello\nversion 3\n")
    assert host.next() == (1, b"hello\nversion 3\n")


@pytest.mark.parametrize("state", ["short", 120 * "x"], ids=["", "whose_path_is_longer_than_a_sockets_may_be"])
def test_a_run_has_a_channel_of_its_own_until_one_side_closes_it(net, state):
    supervisor = Listener(net.folder / state / "runs" / "12" / "socket")
    net.start_host("build", "runner", STATE_DIRECTORY=net.folder / state)
    net.server.expect("link 0\nhere runner/build-1 ")
    for number in (2, 3):
        net.server.send(f"runner/build-1 0\nopen\nchannel {number}\nid 12\n".encode())
        connection = supervisor.accept()
        net.server.send(f"runner/build-1 {number}\ngo\n".encode())
        assert connection.next() == b"go\n"
        connection.send(b"exit\n")
        assert net.server.expect(f"runner/build-1 {number}\n").endswith("\nexit\n")
        if number == 2:
            connection.close()
            assert "channel 2\n" in net.server.expect("runner/build-1 0\nclose\n")
        else:
            net.server.send(b"runner/build-1 0\nclose\nchannel 3\ntext done\n")
            assert connection.next() is None


def test_a_run_without_a_socket_is_a_closed_channel(net):
    net.start_host()
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 0\nopen\nchannel 2\nid 13\n")
    assert "runs/13/socket: No such file" in net.server.expect("agent/acme 0\nclose\nchannel 2\n")
    net.server.send(b"agent/acme 1\nhello\nversion 3\n")
    assert "runner.sock: No such file" in net.server.expect("agent/acme 0\nclose\nchannel 1\n")
    runner = Listener(net.folder / "runner.sock")
    net.server.send(b"agent/acme 1\nhello\nversion 3\n")
    assert runner.accept().next() == b"hello\nversion 3\n"


def test_much_goes_through_whole_and_in_order(net):
    runner = Listener(net.folder / "runner.sock")
    net.start_host()
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 1\nx")
    connection = runner.accept()
    connection.next()
    packets = [bytes([i % 251]) * (1 + i * 577 % 81920) for i in range(300)]
    for packet in packets:
        net.server.send(b"agent/acme 1\n" + packet)
        assert connection.next() == packet
    for packet in packets:
        connection.send(packet)
    for packet in packets:
        assert net.server.next() == b"agent/acme 1\n" + packet


def test_a_run_that_nobody_reads_stops_itself_alone(net):
    """A supervisor sends more than its credit while the host does not read; another channel goes on."""
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 0\nopen\nchannel 2\nid 5\n")
    assert host.next() == (0, b"open\nchannel 2\nid 5\n")
    for _ in range(5):
        net.server.send(b"agent/acme 2\n" + b"x" * 65536)
    net.server.send(b"agent/acme 1\nend\n")
    assert [host.next() for _ in range(5)] == [(2, b"x" * 65536)] * 4 + [(1, b"end\n")]
    host.send(frame(0, b"credit\nchannel 2\nbytes 65536\n"))
    assert host.next() == (2, b"x" * 65536)
    for _ in range(17):
        net.server.send(b"agent/acme 2\n" + b"x" * 65536)
    assert "channel 2: it takes nothing" in net.server.expect("link 0\ngone agent/acme ")


def test_a_new_server_gets_a_runner_that_begins_anew(net):
    runner = Listener(net.folder / "runner.sock")
    net.start_host()
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 1\nhello\nversion 3\n")
    first = runner.accept()
    assert first.next()
    net.server.close()
    again = Server(net.socket)
    again.send(b"link 0\nlist\n")
    again.expect("link 0\nhere agent/acme ")
    again.send(b"agent/acme 1\nhello\nversion 3\nagain 1\n")
    assert first.next() is None
    assert runner.accept().next() == b"hello\nversion 3\nagain 1\n"
    replacing = Server(net.socket)
    assert again.next() is None
    replacing.send(b"link 0\nlist\n")
    replacing.expect("link 0\nhere agent/acme ")


def test_kill_9_of_each_side_is_followed_by_a_new_connection(net):
    runner = Listener(net.folder / "runner.sock")
    host = net.start_host()
    for kill in ("serve", "host", "runner"):
        net.server.expect("link 0\nhere agent/acme ")
        net.server.send(b"agent/acme 1\nhello\nversion 3\n")
        connection = runner.accept()
        assert connection.next() == b"hello\nversion 3\n"
        if kill == "serve":
            net.serve.kill()
            assert connection.next() is None
            net.serve = net.start_serve()
            net.server = Server(net.socket)
        elif kill == "host":
            host.kill()
            assert connection.next() is None
            assert "closed" in net.server.expect("link 0\ngone agent/acme ")
            host = net.start_host()
        else:
            connection.close()
            assert "closed" in net.server.expect("agent/acme 0\nclose\nchannel 1\n")


def refused(net, why, file, **options):
    """A host that is refused: nothing of it comes to the server, and one line says why."""
    with contextlib.suppress(OSError):
        net.host(file, **options).ends()
    assert len(net.serve.log("refused 127.0.0.1", why)) == 1
    assert net.server.came.empty()


CERTIFICATES = {
    "tls_1_2": ("unsupported protocol", "acme", {"maximum": ssl.TLSVersion.TLSv1_2}),
    "no_certificate": ("peer did not return a certificate", None, {}),
    "expired": ("certificate has expired", "old", {}),
    "a_servers": ("it shows a certificate of a server", "server", {}),
    "another_san": ("does not name an agent or a runner", "dns", {}),
    "two_names": ("does not name an agent or a runner", "two", {}),
    "another_role": ("does not name an agent or a runner", "role", {}),
    "an_odd_name": ("does not name an agent or a runner", "odd", {}),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_is_not_a_hosts_is_refused(net, authority, case):
    why, file, options = CERTIFICATES[case]
    uris = {"old": ("URI:deploybot:agent/acme", "-1"), "dns": ("DNS:acme", "1"),
            "two": ("URI:deploybot:agent/acme,URI:deploybot:agent/other", "1"),
            "role": ("URI:deploybot:admin/acme", "1"), "odd": ("URI:deploybot:agent/../acme", "1")}
    if file in uris:
        authority.issue(file, *uris[file])
    refused(net, why, file, **options)
    net.host().greet("agent/acme")


def test_another_authority_is_refused_on_both_sides(net, tmp_path):
    other = Authority(tmp_path / "other")
    other.issue("acme", "URI:deploybot:agent/acme")
    with contextlib.suppress(OSError):
        Host(net.port, other, "acme").ends()
    net.serve.log("refused 127.0.0.1", "unable to get local issuer certificate")
    host = net.start_host(LINK_CA_FILE=other.ca)
    host.log("disconnected from", "certificate")
    agent = net.authority.settings("acme")
    wrong = net.start("serve", LINK_ADDRESS="127.0.0.1:0", LINK_SOCKET=net.folder / "x.sock", **agent)
    wrong.process.wait(timeout=20)
    wrong.log("serve wants a SAN URI:deploybot:server, not agent/acme")


def test_a_host_whose_clock_is_wrong_connects_all_the_same(net, authority):
    authority.issue("late", "URI:deploybot:server", "-1")
    net.serve.kill()
    net.serve = net.start("serve", LINK_ADDRESS=f"127.0.0.1:{net.port}", LINK_SOCKET=net.socket,
                          **authority.settings("late"))
    net.server = Server(net.socket)
    net.start_host()
    net.server.expect("link 0\nhere agent/acme ")


def test_the_server_says_whose_certificate_is_good_and_is_asked_once_a_minute(net):
    net.server.refused["agent/acme"] = "revoked by ann"
    assert net.host().ends() == [(0, b"close\nchannel 0\ntext the server refuses this certificate: revoked by ann\n")]
    net.serve.log("refused 127.0.0.1", "agent/acme", "revoked by ann")
    assert net.host().ends()
    net.serve.log("refused 127.0.0.1", "less than a minute ago")
    for _ in range(3):
        net.host("build").greet("runner/build-1").sock.close()
        net.server.expect("link 0\ngone runner/build-1 ")
    assert [name for name, _ in net.server.checks] == ["agent/acme", "runner/build-1"]


def test_a_revocation_meets_who_was_found_good_and_has_not_said_hello(net):
    host = net.host()
    wait_for(lambda: net.server.checks, "the question whether it is good")
    net.server.send(f"link 0\ncut agent/acme {net.authority.digest('acme')}\n".encode())
    assert host.ends() == [(0, b"close\nchannel 0\ntext its certificate is revoked\n")]
    net.host("build").greet("runner/build-1")


def test_a_revocation_cuts_what_stands_and_refuses_what_comes(net):
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    net.server.send(f"link 0\ncut agent/acme {'0' * 64}\n".encode())
    net.server.send(f"link 0\ncut agent/other {net.authority.digest('acme')}\n".encode())
    host.send(frame(0, b"ping\n"))
    assert host.next() == (0, b"pong\n")
    net.server.send(f"link 0\ncut agent/acme {net.authority.digest('acme')}\n".encode())
    assert host.ends() == [(0, b"close\nchannel 0\ntext its certificate is revoked\n")]
    assert "revoked" in net.server.expect("link 0\ngone agent/acme ")
    refused(net, "less than a minute ago", "acme")


def test_without_a_server_those_connect_that_it_has_known(net):
    net.host().greet("agent/acme").sock.close()
    net.server.expect("link 0\ngone")
    net.server.close()
    net.serve.log("deploybot is disconnected")
    net.host().greet("agent/acme")
    assert net.host("build").ends()
    net.serve.log("refused 127.0.0.1", "runner/build-1", "deploybot is not connected")


def test_two_hosts_with_one_key_the_second_is_refused_and_both_are_named(net):
    first = net.host().greet("agent/acme")
    second = net.host(source="127.0.0.2")
    second.send(hello("agent/acme"))
    assert b"is connected with this key" in second.ends()[0][1]
    assert first.next() == (0, b"ping\n")
    first.send(frame(0, b"pong\n"))
    assert net.server.expect("link 0\ntwice ") == "link 0\ntwice agent/acme 127.0.0.1 127.0.0.2\n"
    net.serve.log("two hosts have one key: 127.0.0.1 is connected, 127.0.0.2 was refused")
    third = net.host()
    third.send(hello("agent/acme"))     # the first is mute now, as one whose network is gone
    third.ends()
    assert "connects anew" in net.server.expect("link 0\ngone agent/acme ")
    net.host().greet("agent/acme")


def test_a_host_that_was_rebooted_while_it_was_not_read_is_no_second_one(net):
    """What it had sent before is read later, and is no answer."""
    first = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    for channel in range(2, 21):
        net.server.send(f"agent/acme 0\nopen\nchannel {channel}\nid {channel}\n".encode())
        assert first.next()
    net.server.may_read.clear()
    sends = threading.Thread(target=first.send, args=(b"".join(frame(n, b"x" * 80000) * 3 for n in range(1, 21)),))
    sends.start()
    rival = net.host()
    rival.send(hello("agent/acme"))
    waited = net.serve.stat()[1]
    wait_for(lambda: net.serve.stat()[1] >= waited + 3, "link that sleeps, since nobody may be read")
    net.server.may_read.set()
    assert b"is connected with this key" in rival.ends()[0][1]
    sends.join()
    assert all(net.server.next().startswith(b"agent/acme ") for _ in range(60))
    assert b"it does not answer, and connects anew" in net.server.next()
    net.host().greet("agent/acme")


def test_a_new_key_ends_the_connection_of_the_old_one(net, authority):
    first = net.host().greet("agent/acme")
    authority.issue("renewed", "URI:deploybot:agent/acme")
    net.host("renewed").greet("agent/acme")
    assert first.ends() == []
    assert "another key" in net.server.expect("link 0\ngone agent/acme ")


HOSTILE = {
    "length_0": (struct.pack(">II", 0, 1), "a frame of 0 bytes"),
    "length_max": (struct.pack(">I", 2 ** 32 - 1), "a frame of 4294967295 bytes"),
    "length_1_too_many": (struct.pack(">I", 81921), "a frame of 81921 bytes"),
    "length_1": (frame(0, b"\n"), "a kind that it may not send"),
    "no_channel": (frame(7, b"hello\n"), "channel 7 is not open"),
    "opens": (frame(0, b"open\nchannel 2\nid 1\n"), "a kind that it may not send: open"),
    "runs": (frame(0, b"run\nid 1\n"), "a kind that it may not send: run"),
    "closes": (frame(0, b"close\nchannel 9\ntext \n"), "channel 9 is not open"),
    "credits": (frame(0, b"credit\nchannel 1\nbytes 1\n"), "channel 1: more credit than there is"),
    "credits_none": (frame(0, b"credit\nchannel 1\nbytes 0\n"), "credit: bad bytes"),
    "hello_twice": (hello("agent/acme"), "hello was not the first word, or the only one"),
    "nul": (frame(0, b"ping\0\n"), "a word without end"),
    "no_end": (frame(0, b"ping"), "a word without end"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_frame_that_breaks_the_rules_ends_the_connection(net, case):
    data, why = HOSTILE[case]
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    host.send(data)
    host.ends()
    assert why in net.server.expect("link 0\ngone agent/acme ")


def test_a_host_that_closes_its_channels_again_and_again_is_ended(net):
    """Each time its credit would begin anew."""
    host = net.host().greet("agent/acme")
    host.send(frame(0, b"close\nchannel 1\ntext again\n") * 200)
    host.ends()
    net.serve.log("agent/acme is disconnected", "it closes channel 1 again and again")


def test_a_host_of_which_more_runs_are_followed_outlives_a_restart_of_deploybot(net):
    """All channels are closed at once: each once, by each side."""
    host = net.host().greet("agent/acme")
    for channel in range(2, 72):
        net.server.send(f"agent/acme 0\nopen\nchannel {channel}\nid {channel}\n".encode())
        assert host.next()
    net.server.close()
    closes = {host.next()[1].split(b"\n")[1] for _ in range(71)}
    host.send(b"".join(frame(0, b"close\n" + channel + b"\ntext \n") for channel in closes) + frame(0, b"ping\n"))
    assert host.next() == (0, b"pong\n")


def test_what_a_host_has_said_before_its_close_comes_first(net):
    """Also where deploybot does not take it yet."""
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 0\nopen\nchannel 2\nid 5\n")
    assert host.next()
    net.server.may_read.clear()
    for channel in (1, 2):
        host.send(frame(channel, b"x" * 80000) * 3)
    host.send(frame(2, b"exit\n") + frame(0, b"close\nchannel 2\ntext it has ended\n"))
    assert any(host.next() == (0, b"close\nchannel 2\ntext \n") for _ in range(9))
    net.server.may_read.set()
    assert [len(net.server.next()) for _ in range(6)] == [80013] * 6
    assert net.server.next() == b"agent/acme 2\nexit\n"
    assert net.server.next() == b"agent/acme 0\nclose\nchannel 2\ntext it has ended\n"


def test_what_a_run_has_said_before_it_closed_comes_whole(net):
    """Also where it was not read when it closed, with something unread, and deploybot has sent something since."""
    supervisor = Listener(net.folder / "runs" / "12" / "socket")
    host = net.start_host()
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 0\nopen\nchannel 2\nid 12\n")
    connection = supervisor.accept()
    net.server.may_read.clear()
    sent, waited = 0, host.stat()[1]
    while host.stat()[1] < waited + 3:
        with contextlib.suppress(BlockingIOError):
            connection.sock.send(b"x" * 80000, socket.MSG_DONTWAIT)
            sent, waited = sent + 1, host.stat()[1]
    connection.may_read.clear()
    net.server.send(b"agent/acme 2\nend\n")
    net.server.send(b"agent/acme 2\nend\n")
    assert connection.next() == b"end\n"
    waited = host.stat()[1]
    wait_for(lambda: host.stat()[1] >= waited + 2, "what was sent to it")
    connection.close()
    net.server.send(b"agent/acme 2\nend\n")
    ticks, waited = host.stat()
    wait_for(lambda: host.stat()[1] >= waited + 3, "the host's link, which sleeps")
    assert host.stat()[0] - ticks <= TICKS_MAX
    net.server.may_read.set()
    assert [net.server.next() for _ in range(sent)] == [b"agent/acme 2\n" + b"x" * 80000] * sent
    assert net.server.next().startswith(b"agent/acme 0\nclose\nchannel 2\n")


def test_a_channel_that_cannot_be_opened_is_closed(net):
    host = net.host().greet("agent/acme")
    for channel in range(2, 515):
        net.server.send(f"agent/acme 0\nopen\nchannel {channel}\nid {channel}\n".encode())
    assert net.server.expect("agent/acme 0\nclose\n").startswith("agent/acme 0\nclose\nchannel 514\n")
    assert [host.next()[1].split()[2] for _ in range(512)] == [str(channel).encode() for channel in range(2, 514)]


def test_who_sends_more_than_its_credit_is_cut(net):
    host = net.host().greet("agent/acme")
    net.server.may_read.clear()
    with contextlib.suppress(OSError):
        host.send(frame(1, b"x" * 80000) * 32)
    host.ends()
    net.serve.log("agent/acme is disconnected", "channel 1: more than its credit")
    net.server.may_read.set()
    net.server.expect("link 0\ngone agent/acme ")


def memory_kb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text("ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.M)[1])


@pytest.mark.long
def test_many_hosts_that_fill_their_credit_wait_for_a_server_that_is_behind(net, authority):
    """Together they have more than the one socket of the server may hold, and it is not the server that is cut."""
    packet, each, threads, hosts = b"x" * 80000, 3, [], []
    for number in range(300):
        authority.issue(f"h{number}", f"URI:deploybot:agent/h{number}", key_of="acme")
        hosts.append(net.host(f"h{number}").greet(f"agent/h{number}"))
    before = memory_kb(net.serve.process)
    net.server.may_read.clear()
    for host in hosts:
        threads.append(threading.Thread(target=host.send, args=(frame(1, packet) * each,)))
        threads[-1].start()
    waited = net.serve.stat()[1]
    wait_for(lambda: net.serve.stat()[1] >= waited + 3, "link that sleeps, since nobody may be read")
    assert memory_kb(net.serve.process) - before < 16384
    net.server.may_read.set()
    came = collections.Counter()
    while sum(came.values()) < each * len(hosts):
        head = net.server.expect("agent/")
        assert head.partition("\n")[2] == packet.decode()
        came[head.partition(" ")[0]] += 1
    assert set(came.values()) == {each} and len(came) == len(hosts)
    for thread in threads:
        thread.join()
    for host in hosts:
        host.sock.close()


BEFORE_HELLO = {
    "packet": (frame(1, b"run\n"), "a packet before hello"),
    "ping": (frame(0, b"ping\n"), "hello was not the first word, or the only one"),
    "large": (struct.pack(">I", 4097), "a frame of 4097 bytes"),
    "another_name": (hello("agent/other"), "no hello of agent/acme"),
    "another_role": (hello("runner/acme"), "no hello of agent/acme"),
}


@pytest.mark.parametrize("case", BEFORE_HELLO)
def test_before_its_hello_a_host_is_nobody(net, case):
    data, why = BEFORE_HELLO[case]
    host = net.host()
    host.send(data)
    host.ends()
    net.serve.log("refused 127.0.0.1", why)
    assert net.server.came.empty()


def test_what_is_slow_is_cut_and_the_rest_is_served(net):
    """Nothing at all, one byte, a handshake without hello, and a server that does not answer."""
    slow = [socket.create_connection(("127.0.0.1", net.port)) for _ in range(20)]
    for sock in slow[10:]:
        sock.send(b"\x16")
    mute = net.host()
    net.host("build").greet("runner/build-1")
    net.server.is_mute = True
    net.serve.log("no handshake and hello within 10 s", count=21)
    assert mute.ends() == []
    for sock in slow:
        assert sock.recv(1) == b""
        sock.close()


def anew(net, **settings):
    """link once more, with other settings."""
    net.serve.kill()
    net.server.close()
    net.serve = net.start_serve(**settings)
    net.server = Server(net.socket)
    net.serve.log("deploybot is connected")


def test_of_more_handshakes_than_an_eighth_of_its_descriptors_the_oldest_give_way(net):
    anew(net, files=64)
    flood = [socket.create_connection(("127.0.0.1", net.port)) for _ in range(40)]
    refused_ones = net.serve.log("refused 127.0.0.1: more than 9 handshakes at once", count=31)
    assert len(refused_ones) == 31
    for sock in flood[:31]:
        assert sock.recv(1) == b""
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere agent/acme ")
    assert flood[31].recv(1) == b""
    for sock in flood[32:]:     # who is here is none of them
        sock.close()
    net.serve.log("closed by the peer", count=8)
    host.send(frame(0, b"ping\n"))
    assert host.next() == (0, b"pong\n")


def test_a_flood_of_thousands_without_handshake_takes_nothing_from_who_is_here(net):
    """Each is closed by link: not one of them is asked of the server."""
    anew(net, files=2048)
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere agent/acme ")
    with contextlib.ExitStack() as all_of_them:
        for _ in range(8):
            for _ in range(300):
                all_of_them.enter_context(socket.create_connection(("127.0.0.1", net.port)))
            host.send(frame(0, b"ping\n"))
            assert host.next() == (0, b"pong\n")
            all_of_them.pop_all().close()
        net.host("build").greet("runner/build-1")
    net.serve.log("refused 127.0.0.1", count=2400)
    assert [name for name, _ in net.server.checks] == ["agent/acme", "runner/build-1"]


def test_without_a_free_descriptor_who_connects_waits_and_link_does_not_spin(net):
    first = net.host().greet("agent/acme")
    used = len(list(pathlib.Path(f"/proc/{net.serve.process.pid}/fd").iterdir()))
    resource.prlimit(net.serve.process.pid, resource.RLIMIT_NOFILE, (used, used))
    with socket.create_connection(("127.0.0.1", net.port)) as waits:
        net.serve.log("who connects waits for another one to end: Too many open files")
        ticks, waited = net.serve.stat()
        wait_for(lambda: net.serve.stat()[1] >= waited + 3, "link that sleeps while one waits")
        assert net.serve.stat()[0] - ticks <= TICKS_MAX
        assert len(net.serve.found("who connects waits")) == 1
        first.sock.close()
        net.server.expect("link 0\ngone agent/acme ")
        waits.send(b"no TLS at all")
        net.serve.log("refused 127.0.0.1: wrong version number")
    net.host("build").greet("runner/build-1")


def test_who_says_nothing_is_gone_on_both_sides(net):
    net.serve.kill()
    net.serve = net.start_serve(LINK_HEARTBEAT_S=1)
    net.server = Server(net.socket)
    host = net.start_host(LINK_HEARTBEAT_S=1)
    net.server.expect("link 0\nhere agent/acme ")
    host.process.send_signal(signal.SIGSTOP)
    assert "nothing was received" in net.server.expect("link 0\ngone agent/acme ")
    host.process.send_signal(signal.SIGCONT)
    net.server.expect("link 0\nhere agent/acme ")
    before = len(host.found("nothing was received"))
    net.serve.process.send_signal(signal.SIGSTOP)
    host.log("nothing was received", count=before + 1)
    net.serve.process.send_signal(signal.SIGCONT)
    net.server.expect("link 0\nhere agent/acme ")


def test_each_of_several_servers_has_a_connection_of_its_own(net):
    with socket.create_server(("127.0.0.1", 0)) as dead:
        port = dead.getsockname()[1]
    net.start_host(LINK_SERVERS=f"localhost:{port},127.0.0.1:{net.port}").log("localhost", "Connection refused")
    net.server.expect("link 0\nhere agent/acme ")


def test_check_says_whose_certificate_it_is_and_what_is_wrong(net, tmp_path):
    good = net.start_host()
    said = subprocess.run([PROGRAM, "agent", "--check", good.file], text=True, capture_output=True, check=True)
    assert said.stdout == f"agent/acme, key {net.authority.digest('acme')}\n"
    for words in ([], ["nothing", good.file], ["agent", "--odd"], ["agent", good.file, "more"]):
        assert subprocess.run([PROGRAM, *words], capture_output=True, check=False).returncode == 64
    for name, value, why in (("LINK_SERVERS", "acme", "LINK_SERVERS: at most 8 of HOST:PORT"),
                             ("LINK_SERVERS", "acme:99999", "LINK_SERVERS: at most 8 of HOST:PORT"),
                             ("LINK_SERVERS", "", "LINK_SERVERS is not set"),
                             ("LINK_KEY_FILE", tmp_path / "none", "No such file"),
                             ("LINK_KEY_FILE", net.authority.folder / "build.key", "key values mismatch"),
                             ("LINK_HEARTBEAT_S", 0, "LINK_HEARTBEAT_S, LINK_RECONNECT_S: 1 to 300"),
                             ("LINK_SERVER", "x", ": there is no setting LINK_SERVER")):
        link = net.start_host(**{name: value})
        assert link.process.wait(timeout=20) == 78
        link.log(why)
    wrong = net.start("serve", LINK_ADDRESS="link.example.org:9443", LINK_SOCKET=tmp_path / "x.sock",
                      **net.authority.settings("server"))
    assert wrong.process.wait(timeout=20) == 78
    wrong.log("LINK_ADDRESS: where it listens, as :9443 or 10.0.0.5:9443, not link.example.org:9443")


def fold(pem):
    return pem.replace("\n", ",").encode()


def answer(net):
    """The request of a host that was asked for its next key."""
    net.server.send(ASK)
    return net.server.expect("agent/acme 0\nrenew\n").split(" ", 4)[4].strip().replace(",", "\n")


def test_a_certificate_that_is_not_of_the_key_that_was_made_is_not_written(net):
    host = net.start_host()
    net.server.expect("link 0\nhere")
    other = fold((net.authority.folder / "acme.pem").read_text("ascii"))
    net.server.send(b"agent/acme 0\nrenew\nrenewal " + other + b"\n")
    host.log("its certificate is not renewed: a certificate that was not asked for")
    for said, why in ((other, "a certificate of another key"), (b"x", "no certificate")):
        assert answer(net).startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
        net.server.send(b"agent/acme 0\nrenew\nrenewal " + said + b"\n")
        host.log(f"its certificate is not renewed: {why}")
    assert not (net.folder / "renewed.pem").exists() and not host.found("disconnected")


def test_a_host_answers_once_for_each_time_that_it_was_asked_to_renew(net):
    host = net.host().greet("agent/acme")
    net.server.expect("link 0\nhere")
    host.send(frame(0, b"renew\nrenewal unasked\n"))
    net.server.send(ASK)
    assert host.next() == (0, b"renew\nrenewal \n")
    for word in (b"a", b"b"):
        host.send(frame(0, b"renew\nrenewal " + word + b"\n"))
    host.send(frame(1, b"hello\n"))
    assert net.server.next() == b"agent/acme 0\nrenew\nrenewal a\n"
    assert net.server.next() == b"agent/acme 1\nhello\n"


def test_a_host_shows_its_new_certificate_when_no_run_is_followed(net):
    supervisor = Listener(net.folder / "runs" / "12" / "socket")
    host = net.start_host()
    net.server.expect("link 0\nhere")
    net.server.send(b"agent/acme 0\nopen\nchannel 2\nid 12\n")
    connection = supervisor.accept()
    folder = net.authority.folder
    (folder / "next.csr").write_text(answer(net), encoding="ascii")
    openssl(folder, "x509", "-req", "-in", "next.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "1", "-extfile",
            "acme.ext", "-out", "next.pem")
    net.server.send(b"agent/acme 0\nrenew\nrenewal " + fold((folder / "next.pem").read_text("ascii")) + b"\n")
    wait_for((net.folder / "renewed.pem").exists, "a pair")
    net.server.send(ASK)                                   # it has one
    waits = host.stat()[1]
    wait_for(lambda: host.stat()[1] >= waits + 5, "some of its seconds")
    connection.send(b"step\n")
    assert net.server.next() == b"agent/acme 2\nstep\n"
    assert not host.found("disconnected")
    connection.close()
    assert net.server.expect("link 0\nhere").split()[4] == net.authority.digest("next")
