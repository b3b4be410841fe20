"""Goal: a wave by the real runner and supervisor, with the real scripts, ssh and sshd: what is said of a host is on
disk before anything is switched there, whoever dies in between.  Only the engines of the hosts are stand-ins."""
# SPDX-License-Identifier: ISC
import os
import shlex
import signal

import pytest

from runner_client import Runner, encode, gone, wait_for
from ssh_aid import SshdBench, until_at_rest

pytestmark = pytest.mark.long


class WavesBench(SshdBench):
    """Its scripts are started by a runner, which gives them settings of a file; the rest of the bench's they find."""
    OURS = ("PATH", "STAND", "DEPLOYBOT_RUNNER")

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder)
        self.hosts = (f"[::1]:{self.port}", f"127.0.0.1:{self.port_2}")
        self.scripts = path / "scripts"
        self.scripts.mkdir()
        for name in ("deploy.sh", "rollback.sh"):
            words = " ".join(f"{key}={shlex.quote(self.environment[key])}" for key in self.OURS)
            (self.scripts / name).write_text(f'#!/bin/bash\nexport {words}\nexec {self.deploy}/{name} "$@"\n')
            (self.scripts / name).chmod(0o755)
        self.runner = None
        self.number = 40

    def start_runner(self):
        settings = self.path / "settings"
        names = {key: value for key, value in self.environment.items()
                 if key not in (*self.OURS, "HOME", "LANG", "RUN_ID", "STATE_DIRECTORY")}
        settings.write_text("".join(f"{key}={value}\n" for key, value in names.items()))
        settings.chmod(0o600)
        self.runner = Runner(self.environment["DEPLOYBOT_RUNNER"], self.state, {},
                             ["--env-file", str(settings), "--scripts", str(self.scripts)])

    def order(self, argument, hosts, program="deploy", **fields):
        """A run of these hosts: (its number, its supervisor)."""
        self.number += 1
        words = {"program": program, "environment": "staging", "argument": argument, "deadline_s": 120, "grace_s": 5,
                 "deployment": self.number, "ref": "main", **fields}
        body = "".join(f"{host}\n" for host in hosts).encode()
        self.runner.sock.send(encode("run", body=body, id=self.number, **words))
        said = self.runner.until("started", "refused")
        assert said.kind == "started", said
        return self.number, self.runner.supervisor(self.number).go()

    def results(self, run):
        with open(self.state / "runs" / str(run) / "results", encoding="utf-8") as file:
            return file.read().splitlines()[1:]

    def done(self):
        if self.runner is not None and self.runner.process.poll() is None:
            self.runner.kill()
        return super().done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(WavesBench(tmp_path, tools_folder))


def serves(bench, digest):
    return [(f"{bench.image}@{digest}", "running") in bench.runs(name) for name in ("h1", "h2")]


def test_two_waves_come_to_one_host_each(bench):
    commit, digest = bench.release("one")
    bench.start_runner()
    run, supervisor = bench.order(commit, bench.hosts[:1], wave="1/2")
    said = supervisor.exit(seconds=120)
    assert said["status"] == 0 and said["released"] and said["image"] == digest, bench.runner.log(run)
    assert bench.results(run) == [f"{bench.hosts[0]} began", f"{bench.hosts[0]} ok"]
    assert serves(bench, digest) == [True, False] and not any("host" in name for name in said.names)
    run, supervisor = bench.order(f"{commit}@{digest}", bench.hosts[1:], wave="2/2")
    assert supervisor.exit(seconds=120)["status"] == 0, bench.runner.log(run)
    assert serves(bench, digest) == [True, True]


@pytest.mark.parametrize("most", [0, 1])
def test_a_host_that_fails_is_known_by_name_and_the_rest_as_many_may(bench, most):
    commit, digest = bench.release("one")
    bench.start_runner()
    bench.host_plan({"when": ["compose", "up"], "status": 1, "times": 1})
    run, supervisor = bench.order(commit, bench.hosts, wave="1/2", failures_max=most)
    said, told = supervisor.exit(seconds=120), bench.results(run)
    assert said["status"] == (0 if most else 70) and told[0] == f"{bench.hosts[0]} began", bench.runner.log(run)
    assert told[1].startswith(f"{bench.hosts[0]} failed ")
    assert told[2:] == ([f"{bench.hosts[1]} began", f"{bench.hosts[1]} ok"] if most else [])
    assert serves(bench, digest) == [False, bool(most)]


def test_a_supervisor_that_is_killed_between_the_line_and_its_acknowledgement_lets_nothing_be_switched(bench):
    commit, digest = bench.release("one")
    go = bench.path / "go"
    bench.hook("pre-deploy", "10-wait", f'until [[ -e {go} ]]; do read -r -t 0.05 <> <(:) || true; done')
    bench.start_runner()
    run, supervisor = bench.order(commit, bench.hosts, wave="1/2")
    leader = supervisor.hello["pid"]
    while "hook 10-wait" not in supervisor.until("step", seconds=120).names:
        continue
    with open(f"/proc/{leader}/stat", encoding="ascii") as file:
        keeper = int(file.read().rsplit(")", 1)[1].split()[1])
    os.kill(keeper, signal.SIGSTOP)     # it reads no line from here on
    go.touch()
    output = b""
    with open(f"/proc/{leader}/fd/1", "rb", buffering=0) as pipe:
        while f"==> host {bench.hosts[0]} began".encode() not in output:
            output += pipe.read(4096)
    os.kill(keeper, signal.SIGKILL)
    gone(leader)
    assert bench.runner.until("settled", seconds=60)["state"] == "lost"
    wait_for(bench.is_quiet, "the hosts to be at rest", 60)
    assert not bench.results(run) and serves(bench, digest) == [False, False]


def test_the_death_of_server_and_runner_holds_nothing_up(bench):
    commit, digest = bench.release("one")
    bench.start_runner()
    run, supervisor = bench.order(commit, bench.hosts, wave="1/1")
    supervisor.close()
    bench.runner.kill()
    wait_for(lambda: len(bench.results(run)) == 4, "both hosts", 120)
    assert serves(bench, digest) == [True, True]
    bench.start_runner()
    assert wait_for(lambda: bench.runner.settle(run)["state"] == "ended", "its record", 60)
