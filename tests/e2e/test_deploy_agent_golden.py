"""Goal: a blue/green switch, what drains, a job, a rollback and what fails in between are said the same way over ssh
and through an agent."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import re

import pytest

from ssh_aid import BlueGreenBench, drain, until_at_rest
from test_deploy_agent import AgentBench

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may bind a folder over another one")


class AgentBlueGreenBench(AgentBench, BlueGreenBench):
    """The host behind nginx is one with deploybot-agent; what reloads nginx there is its unit's word."""

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder)
        self.systemd.environment["NGINX_RELOAD_COMMAND"] = self.environment["NGINX_RELOAD_COMMAND"]


@pytest.fixture(name="benches")
def make_benches(tmp_path, tools_folder):
    with contextlib.ExitStack() as made:
        found = []
        for kind in (BlueGreenBench, AgentBlueGreenBench):
            folder = tmp_path / kind.__name__
            folder.mkdir()
            bench = contextlib.contextmanager(until_at_rest)(kind(folder, tools_folder))
            found.append(made.enter_context(bench))
        yield found


def played(bench):
    """What is said of all that is done to one host: (what, status, lines, steps)."""
    found = []

    def note(what, done):
        status, said = done
        found.append((what, status, said, bench.steps()))
        return said

    one, first = bench.release("one")
    two, second = bench.release("two")
    three, third = bench.release("three")
    note("deploy", bench.run("deploy.sh", "staging", one))
    note("drain", drain(bench))
    note("deploy again", bench.run("deploy.sh", "staging", one))
    note("switch", bench.run("deploy.sh", "staging", two, PREVIOUS_RELEASE=f"{one}@{first}"))
    assert bench.serves() == second, found[-1]
    note("drain again", drain(bench))
    note("job", bench.run("run-job.sh", "staging", f"{two}@{second}", JOB_COMMAND="bin/count a=b"))
    note("job that fails", bench.run("run-job.sh", "staging", f"{two}@{second}", JOB_COMMAND="false"))
    note("job of another release", bench.run("run-job.sh", "staging", f"{one}@{first}", JOB_COMMAND="bin/count"))
    bench.set_health(third, "unhealthy")
    note("unhealthy", bench.run("deploy.sh", "staging", three, PREVIOUS_RELEASE=f"{two}@{second}"))
    assert bench.serves() == second, found[-1]
    bench.host_plan({"when": ["nginx"], "status": 1})
    bench.set_health(third, "healthy")
    note("nginx refuses", bench.run("deploy.sh", "staging", three, PREVIOUS_RELEASE=f"{two}@{second}"))
    bench.host_plan()
    note("rollback", bench.run("rollback.sh", "staging", f"{one}@{first}", PREVIOUS_RELEASE=f"{two}@{second}"))
    assert bench.serves() == first, found[-1]
    note("drain at the end", drain(bench))
    return [(what, status, plain(bench, said), plain(bench, steps)) for what, status, said, steps in found]


def plain(bench, lines):
    """Without what is another one each time: ports, commits, digests and folders."""
    text = "\n".join(lines)
    for number, port in enumerate(bench.ports):
        text = text.replace(str(port), f"PORT{number}")
    text = re.sub("[0-9a-f]{64}", "DIGEST", text.replace(str(bench.path), "PATH"))
    return re.sub(r"\b[0-9a-f]{7,40}\b|\b[0-9.]+ s\b", "X", text).splitlines()


@pytest.mark.long
def test_all_that_is_said_of_a_host_is_the_same_over_ssh_and_through_its_agent(benches):
    over_ssh, by_agent = map(played, benches)
    for one, other in zip(over_ssh, by_agent, strict=True):
        assert one == other
    assert [status for _, status, _, _ in over_ssh].count(0) == 8, over_ssh
    assert not benches[1].calls("ssh") and len(benches[1].systemd.starts) > 20
