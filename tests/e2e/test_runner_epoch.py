"""Goal: a server that led before, was stopped and goes on, acts nowhere once another leads: not at a runner, not at a
run's gate, neither by what it says nor by its end.  Drives the real deploybot-runner."""
# SPDX-License-Identifier: ISC
import fcntl
import os
import signal
import termios

import pytest

from runner_client import VERSION, Supervisor, wait_for
from test_runner_listen import ListenBench, Server

SCRIPT = 'echo begun >>$MARKS/begun; while [ ! -e $MARKS/end ]; do sleep 0.05; done'


class Leader(Server):
    """A server that says in which epoch it leads."""

    def __init__(self, bench, epoch):
        super().__init__(bench.socket, greet=False)
        bench.servers.append(self)
        self.bench, self.epoch = bench, epoch
        self.send("hello", version=VERSION, epoch=epoch or None)
        self.hello = self.until("hello")

    def order(self, run, **fields):
        return super().order(run, **{"epoch": self.epoch, **fields})

    def supervisor(self, run, waits=False):
        """Connected, and it has said its hello.  waits: it may be sent away without an answer."""
        made = Supervisor(self.bench.state / "runs" / str(run), {"version": VERSION, "epoch": self.epoch}, waits)
        wait_for(lambda: fcntl.ioctl(made.sock, termios.TIOCOUTQ, b"\0\0\0\0") == b"\0\0\0\0", "a reader")
        return made


@pytest.fixture(name="bench")
def make_bench(tmp_path):
    made = ListenBench(tmp_path)
    made.start(SCRIPT).close()
    yield made
    made.done()


def kept(bench):
    path = bench.state / "runs" / "epoch"
    return int(path.read_text()) if path.exists() else 0


def begun(bench):
    path = bench.marks / "begun"
    return path.read_text().count("begun") if path.exists() else 0


def end(bench, supervisor):
    (bench.marks / "end").touch()
    return supervisor.exit()


def test_a_lower_one_is_refused_and_those_that_are_connected_go(bench):
    old, doctor = Leader(bench, 17), Leader(bench, 0)
    assert old.hello["epoch"] == 17 and kept(bench) == 17
    new = Leader(bench, 18)
    assert new.hello["epoch"] == 18 and kept(bench) == 18
    assert old.until_closed()
    late = Leader(bench, 17)
    assert late.hello["epoch"] == 18 and late.until_closed()
    assert "refused: it is of epoch 17, and epoch 18 has begun" in bench.words()
    assert new.settle(1)["state"] == doctor.settle(1)["state"] == "never"
    assert Leader(bench, 18).settle(1)["state"] == "never"


def test_it_is_kept_where_the_runner_is_started_again(bench):
    Leader(bench, 18)
    bench.process.send_signal(signal.SIGTERM)
    bench.process.wait(20)
    bench.start(SCRIPT).close()
    assert Leader(bench, 17).until_closed()
    assert Leader(bench, 0).hello["epoch"] == 18
    assert Leader(bench, 18).settle(1)["state"] == "never"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a full disk")
def test_what_cannot_be_kept_does_not_count(bench):
    (bench.state / "runs" / "epoch").symlink_to("/dev/full")
    assert Leader(bench, 18).until_closed()
    assert "refused: writing runs/epoch: " in bench.words()
    (bench.state / "runs" / "epoch").unlink()
    assert Leader(bench, 17).settle(1)["state"] == "never"


def test_one_that_cannot_be_read_starts_no_runner(bench):
    bench.process.send_signal(signal.SIGTERM)
    bench.process.wait(20)
    (bench.state / "runs" / "epoch").write_text("seventeen\n")
    assert bench.refused() == (
        78, "deploybot-runner: runs/epoch cannot be read: which server led last is not known")


def test_an_order_of_a_lower_one_is_refused(bench):
    leader = Leader(bench, 18)
    said = leader.order(1, epoch=17)
    assert (said.kind, said["why"]) == ("refused", "invalid")
    assert said["text"] == "it is of epoch 17, and epoch 18 has begun"
    assert not (bench.state / "runs" / "1").exists()
    assert leader.order(1).kind == "started"
    assert leader.order(2, epoch=None).kind == "started"    # of a server that says none


def test_who_led_before_takes_nobody_s_place_at_a_gate_and_does_not_shut_it(bench):
    old = Leader(bench, 17)
    assert old.order(1).kind == "started"
    first = old.supervisor(1)
    new = Leader(bench, 18)
    second = new.supervisor(1)
    assert first.until_closed()
    third = old.supervisor(1, waits=True)
    assert third.until_closed()
    second.send("go", epoch=18)
    assert bench.mark("begun") == "begun"
    assert end(bench, second)["gate"] == 1 and begun(bench) == 1


def test_its_late_go_opens_no_gate_and_its_end_shuts_none(bench):
    """It is connected when another has said hello to the runner, and not yet to the run."""
    old = Leader(bench, 17)
    for run in (1, 2):
        assert old.order(run).kind == "started"
    goes, ends = old.supervisor(1), old.supervisor(2)
    new = Leader(bench, 18)
    goes.send("go", epoch=17)
    assert goes.until_closed()
    ends.close()
    supervisors = [new.supervisor(run) for run in (1, 2)]
    assert [one.hello["gate"] for one in supervisors] == [0, 0] and begun(bench) == 0
    for one in supervisors:
        one.send("go", epoch=18)
    wait_for(lambda: begun(bench) == 2, "both")
    assert [end(bench, one)["gate"] for one in supervisors] == [1, 1]


def test_its_word_to_stop_counts_for_nothing(bench):
    old = Leader(bench, 17)
    old.order(1)
    first = old.supervisor(1)
    first.send("go", epoch=17)
    bench.mark("begun")
    new = Leader(bench, 18)
    first.end()
    assert first.until_closed()
    assert new.supervisor(1).hello["gate"] == 1
    assert end(bench, new.supervisor(1))["ended"] == 0


def test_a_newer_one_takes_the_place_at_once_and_one_of_the_same_too(bench):
    old = Leader(bench, 17)
    old.order(1)
    first = old.supervisor(1)
    second = old.supervisor(1)      # it has lost its connection, and was started again
    assert first.until_closed()
    second.send("go", epoch=17)
    assert bench.mark("begun") == "begun"
    third = Leader(bench, 18).supervisor(1)
    assert second.until_closed() and end(bench, third)["gate"] == 1


def test_the_end_of_who_leads_shuts_the_gate_as_ever(bench):
    leader = Leader(bench, 17)
    leader.order(1)
    leader.supervisor(1).close()
    said = leader.until("settled")
    assert said["state"] == "ended" and said["gate"] == 0 and begun(bench) == 0


def test_servers_that_say_none_are_as_they_were(bench):
    """One takes the other's place, and its end shuts the gate, also where another server has led here before."""
    Leader(bench, 17).close()
    alone = Leader(bench, 0)
    alone.order(1, epoch=None)
    first = Supervisor(bench.state / "runs" / "1")
    second = Supervisor(bench.state / "runs" / "1").go()
    assert first.until_closed() and bench.mark("begun") == "begun"
    second.end().exit()
    alone.order(2, epoch=None)
    Supervisor(bench.state / "runs" / "2").close()
    said = alone.until("settled")
    while said["id"] != 2:
        said = alone.until("settled")
    assert said["gate"] == 0
    leader = Leader(bench, 18)
    leader.order(3)
    one = Supervisor(bench.state / "runs" / "3").go()       # a run of a server that had led, and was moved back
    wait_for(lambda: begun(bench) == 2, "it")
    assert end(bench, one)["gate"] == 1
