"""Goal: with the keepalived.conf that ships the address of two servers is at the machine of the one that leads, and
at no other for long, whatever becomes of them.  Two machines are two network namespaces with a real keepalived each;
the real servers are outside, and what is asked in a namespace is asked of the one that belongs there."""
# SPDX-License-Identifier: ISC
import ctypes
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from infra_aid import ROOT, run
from namespace_aid import need
from postgresql_aid import Pair
from stage import get, wait_until

ADDRESS = "10.0.0.10"
FIRST, SECOND = "10.0.0.11", "10.0.0.12"    # as the file has them
PORT = 8080
PATIENCE_S = 60
FOLLOWS_S = 12      # behind kill -9: a lease of 4 s, a look of each second, and three of keepalived's intervals
BOTH_S = 1.5
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """This thread alone."""
    assert LIBC.setns(namespace, 0x40000000) == 0, os.strerror(ctypes.get_errno())


class Machine:
    """A namespace with an address of its own on the wire; keepalived in front of a server."""

    def __init__(self, folder, address, server):
        self.folder, self.address, self.server = pathlib.Path(folder), address, server
        self.folder.mkdir()
        self.name = f"keepalived-{os.getpid()}-{address.rpartition('.')[2]}"
        self.wire = f"k{os.getpid()}-{address.rpartition('.')[2]}"
        self.keepalived = self.relay = self.thread = None
        run(["ip", "netns", "add", self.name])
        self.namespace, self.outside = (os.open(path, os.O_RDONLY) for path in (
            f"/run/netns/{self.name}", "/proc/self/ns/net"))

    def connect(self, between):
        run(["ip", "-n", between, "link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns",
             self.name])
        run(["ip", "-n", between, "link", "set", self.wire, "master", "bridge", "up"])
        for words in (f"address add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            run(["ip", "-n", self.name, *words.split()])

    def listen(self):
        """The server's port here; a socket stays where the thread was that made it, and so do threads of that."""
        server, outside = self.server, self.outside

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):       # pylint: disable=invalid-name
                enter(outside)
                status, text = get(server.base + self.path)
                if status:          # else there is no answer, as there is none of the server
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(text.encode())

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        def make():
            enter(self.namespace)
            self.relay = http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Handler)
            self.relay.serve_forever()
        self.thread = threading.Thread(target=make, daemon=True)
        self.thread.start()

    def start(self, text):
        self.listen()
        (self.folder / "keepalived.conf").write_text(text, encoding="ascii")
        with (self.folder / "log").open("ab") as log:
            self.keepalived = subprocess.Popen(
                ["ip", "netns", "exec", self.name, "keepalived", "--dont-fork", "--log-console", "--log-detail",
                 "--vrrp", "-f", self.folder / "keepalived.conf", "-p", self.folder / "pid",
                 "-r", self.folder / "pid-of-vrrp"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def close(self):
        if self.keepalived is not None:
            self.keepalived.terminate()
            self.keepalived.wait(PATIENCE_S)
            self.relay.shutdown()
            self.thread.join()
            self.relay.server_close()
        os.close(self.namespace)
        os.close(self.outside)
        run(["ip", "netns", "delete", self.name])


class Watch(threading.Thread):
    """Who has the address, all the time: [(since when, who)], as who can bind a socket to it."""

    def __init__(self, machines):
        super().__init__(daemon=True)
        self.machines = machines
        self.seen = [(time.monotonic(), ())]
        self.over = threading.Event()

    def who(self):
        found = []
        for machine in self.machines:
            enter(machine.namespace)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
                try:
                    made.bind((ADDRESS, 0))
                except OSError:
                    continue
                found.append(machine.server)
        return tuple(found)

    def run(self):
        while not self.over.wait(0.02):
            found = self.who()
            if found != self.seen[-1][1]:
                self.seen.append((time.monotonic(), found))

    def now(self):
        return self.seen[-1][1]

    def both_s(self):
        """The longest time that two had it."""
        ends = [at for at, _ in self.seen[1:]] + [time.monotonic()]
        return max((end - at for (at, who), end in zip(self.seen, ends) if len(who) > 1), default=0)


class Two:
    """A pair of servers, and a machine for each on a wire; whoever asks for the address is in the namespace between."""

    def __init__(self, folder):
        self.between = f"keepalived-{os.getpid()}"
        self.machines, self.watch = [], None
        self.pair = Pair(folder)
        try:
            self.make(folder)
        except BaseException:
            self.close()
            raise

    def make(self, folder):
        run(["ip", "netns", "add", self.between])
        for words in ("link add bridge type bridge", "link set bridge up", "address add 10.0.0.1/24 dev bridge"):
            run(["ip", "-n", self.between, *words.split()])
        for address, server in ((FIRST, self.pair.bot), (SECOND, self.pair.other)):
            made = Machine(folder / address, address, server)
            self.machines.append(made)
            made.connect(self.between)
        self.watch = Watch(self.machines)
        self.watch.start()
        text = (ROOT / "nginx/keepalived.conf").read_text("ascii")
        other = re.sub(f"{FIRST}|{SECOND}", lambda found: SECOND if found[0] == FIRST else FIRST, text)
        assert other != text
        for machine, its in zip(self.machines, (text, other)):
            machine.start(its)

    def leader_and_other(self):
        """(who leads, the standby), both alive, with the address where it belongs."""
        pair = self.pair
        wait_until(lambda: pair.leads(pair.bot) or pair.leads(pair.other), PATIENCE_S, "a leader")
        leader, other = (pair.bot, pair.other) if pair.leads(pair.bot) else (pair.other, pair.bot)
        self.wait_at(leader)
        return leader, other

    def wait_at(self, *servers):
        wait_until(lambda: self.watch.now() == servers, PATIENCE_S, "the address")

    def ask(self, path="/readyz", more=()):
        """The status of whoever has the address, as somebody on the same network sees it; 0 where nobody answers."""
        done = run(["ip", "netns", "exec", self.between, "curl", "-s", "--max-time", "2", "-o", "/dev/null",
                    "-w", "%{http_code}", *more, f"http://{ADDRESS}:{PORT}{path}"], check=False)
        return int(done.stdout)

    def wait_asked(self):
        wait_until(lambda: self.ask() == 200, PATIENCE_S, "an answer of the address")

    def follows(self, to, began):
        """How long behind `began` it was there, which is printed."""
        self.wait_at(to)
        took = self.watch.seen[-1][0] - began
        nobody = [at for at, who in self.watch.seen if at > began and not who]
        left = nobody[0] - began if nobody else took
        print(f"it followed in {took:.1f} s, left after {left:.1f} s; two had it for {self.watch.both_s():.2f} s")
        assert took < FOLLOWS_S, self.watch.seen
        self.wait_asked()
        assert self.watch.both_s() < BOTH_S, self.watch.seen

    def close(self):
        try:
            if self.watch is not None:
                self.watch.over.set()
                self.watch.join()
            for machine in self.machines:
                machine.close()
            run(["ip", "netns", "delete", self.between], check=False)
        finally:
            self.pair.close()


@pytest.fixture(scope="module", name="two")
def make_two(tmp_path_factory):
    need("unshare", "--net")
    for program in ("keepalived", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: make packages-infra")
    made = Two(tmp_path_factory.mktemp("keepalived"))
    yield made
    made.close()


def test_the_address_is_where_the_one_is_that_leads(two):
    leader, _ = two.leader_and_other()
    two.wait_asked()
    assert two.watch.now() == (leader,) and two.watch.both_s() < BOTH_S
    for machine in two.machines:
        assert not re.search("(?i)security|unsafe|disabl|unknown|warning|error", machine.log()), machine.log()


def test_behind_kill_9_it_is_at_the_other_one(two):
    leader, other = two.leader_and_other()
    began = time.monotonic()
    leader.kill()
    two.follows(other, began)
    assert two.pair.leads(other)
    leader.start()
    two.pair.wait_stands_by(leader)
    two.wait_at(other)


def test_a_leader_that_was_only_stopped_has_it_no_longer(two):
    """Its keepalived lives all the time."""
    leader, other = two.leader_and_other()
    began = time.monotonic()
    leader.process.send_signal(signal.SIGSTOP)
    two.follows(other, began)
    leader.process.send_signal(signal.SIGCONT)
    assert leader.process.wait(PATIENCE_S) == 75
    leader.start()
    two.pair.wait_stands_by(leader)
    wait_until(lambda: two.ask() == 200, PATIENCE_S, "an answer")
    assert two.watch.now() == (other,) and two.watch.both_s() < BOTH_S


def test_it_follows_a_hand_over(two):
    leader, other = two.leader_and_other()
    began = time.monotonic()
    done = leader.run("hand-over")
    assert done.returncode == 0 and leader.process.wait(PATIENCE_S) == 75, done
    leader.start()
    two.follows(other, began)


def test_machines_that_do_not_hear_each_other_do_not_both_have_it(two):
    """The database says who leads, and not the network between them."""
    leader, other = two.leader_and_other()
    wire, = [machine.wire for machine in two.machines if machine.server is other]
    log, = [machine.log for machine in two.machines if machine.server is other]
    run(["ip", "-n", two.between, "link", "set", wire, "nomaster"])
    changes = len(two.watch.seen)
    two.watch.over.wait(3)      # ten of its intervals
    assert two.watch.now() == (leader,) and len(two.watch.seen) == changes, log()
    began = time.monotonic()
    leader.kill()
    two.wait_at(other)
    assert two.watch.both_s() < BOTH_S
    run(["ip", "-n", two.between, "link", "set", wire, "master", "bridge"])
    two.follows(other, began)
    leader.start()
    two.pair.wait_stands_by(leader)
    two.wait_at(other)


def test_where_nobody_leads_nobody_has_it(two):
    leader, other = two.leader_and_other()
    other.stop()
    began = time.monotonic()
    leader.kill()
    two.wait_at()
    print(f"nobody had it after {two.watch.seen[-1][0] - began:.1f} s")
    assert two.ask() == 0
    leader.start()
    other.start()
    two.leader_and_other()
    two.wait_asked()
    assert two.watch.both_s() < BOTH_S
