"""Goal: a release through an agent is what ssh's is: calls go through a real deploybot-link on both sides and a real
deploybot-agent, whose systemd is a stand-in, and what has no good ticket starts nothing."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from agent import order_bytes
from commands_aid import DEPLOY
from link_aid import PROGRAM, Authority, Link, Server
from runner_client import wait_for
from ssh_aid import SshBench, until_at_rest
from stage import free_port
from systemd_bus import Systemd
from test_link import TICKS_MAX

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may bind a folder over another one")

UNIT = "deploybot-do-release@.service"
AGENT = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
         'mount --bind "$1" /etc/systemd/system && exec "$2" serve "$3"', "sh"]


class AgentBench(SshBench):
    """h1 is a host with deploybot-agent; h2 is none.  What a server does is done by hand: the ticket."""

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder, "v1")
        for name in ("agent.sh", "ssh.sh", "ssh", "ssh-host"):
            link = self.deploy / "transports" / name
            if not link.exists():
                os.symlink(os.path.join(DEPLOY, "transports", name), link)
        self.folder = pathlib.Path(tempfile.mkdtemp())      # a socket's path is short
        self.key = Ed25519PrivateKey.generate()
        self.made = []
        self.start_link()
        self.start_agent()
        self.environment |= {"DEPLOY_TRANSPORT": "agent", "TRANSPORT_LINK_CALLS": str(self.folder / "calls.sock")}

    def start(self, script, *words, **settings):
        program = {"run-job.sh": "action"}.get(script, script.removesuffix(".sh"))
        return super().start(script, *words, **{"RELEASE_TICKET": self.ticket(program=program), **settings})

    def start_link(self):
        authority = Authority(self.folder / "ca")
        authority.issue("server", "URI:deploybot:server")
        authority.issue("h1", "URI:deploybot:agent/h1")
        address = f"127.0.0.1:{free_port()}"
        self.serve = Link("serve", LINK_ADDRESS=address, LINK_SOCKET=self.folder / "server.sock",
                          LINK_CALLS=self.folder / "calls.sock", **authority.settings("server"))
        self.server = Server(self.folder / "server.sock")
        self.link = Link("agent", LINK_SERVERS=address, RUNNER_SOCKET=self.folder / "run" / "runner.sock",
                         STATE_DIRECTORY=self.folder / "state", LINK_RENEWED_FILE=self.folder / "h1.pem",
                         LINK_RECONNECT_S=1, **authority.settings("h1"))
        self.server.expect("link 0\nhere agent/h1 ")

    def start_agent(self):
        for name in ("run", "state", "units"):
            (self.folder / name).mkdir(exist_ok=True)
        text = pathlib.Path(DEPLOY, "agent", "units", UNIT).read_text("utf-8")
        (self.folder / "units" / UNIT).write_text(
            text.replace("/run/deploybot-agent", str(self.folder / "run"))
            .replace("/usr/lib/deploybot/deploy", str(self.deploy)))
        self.systemd = Systemd(self.folder / "bus", self.folder / "units", {
            "PATH": f"{self.host_bin}:{self.tools}", "HOME": str(self.host()), "STAND": str(self.host()),
            "HOSTNAME": "h1", "USER": "deploy"})
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        (self.folder / "agent.conf").write_text(f"AGENT_NAME=h1\nORDER_KEYS={public}\n")
        self.log_of_agent = open(self.folder / "agent.log", "wb")   # pylint: disable=consider-using-with
        self.agent = subprocess.Popen(
            [*AGENT, self.folder / "units", PROGRAM.parent / "deploybot-agent", self.folder / "agent.conf"],
            stderr=self.log_of_agent,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus",
                 "STATE_DIRECTORY": str(self.folder / "state"), "RUNTIME_DIRECTORY": str(self.folder / "run")})
        wait_for((self.folder / "state" / "runs" / "0" / "socket").exists, "the agent")

    def check(self):
        """What `deploybot-agent check` says."""
        words = [*AGENT, self.folder / "units", PROGRAM.parent / "deploybot-agent", self.folder / "agent.conf"]
        words[words.index("sh") + 2] = words[words.index("sh") + 2].replace("serve", "check")
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={
            **os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}).stdout

    def manifest(self):
        return re.search("(?m)^manifest +([0-9a-f]{64})$", self.check())[1]

    def ticket(self, run=12, environment="staging", seconds=600, agents=None, key=None, epoch=0, seed=None,
               program="deploy"):
        """As lib/release_ticket.h says, with the seed of its key behind it."""
        own = Ed25519PrivateKey.generate()
        public = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        seed = seed or own.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
        agents = f"""{agents or f"h0={'0' * 64},h1={self.manifest()}"},={public}"""
        until = int(time.time()) + seconds
        signed = order_bytes("ticket", environment, program, run, epoch,
                             hashlib.sha256(agents.encode()).hexdigest(), until)
        return f"{run} {epoch} {environment} {program} {until} {agents} {(key or self.key).sign(signed).hex()} {seed}"

    def call(self, *words, ticket=None, agent="h1", text="\n" * 6, signed=None, seconds=60):
        """text: what stands behind the words; signed: what is said to."""
        if "program=3" in words:
            words = (*words, f"settings={hashlib.sha256((signed or text).encode()).hexdigest()}")
        return subprocess.run(
            [PROGRAM, "call", agent, str(seconds), *words], input=text, capture_output=True, text=True, check=False,
            timeout=120, env={"LINK_CALLS": str(self.folder / "calls.sock"), "RELEASE_TICKET": ticket or self.ticket()})

    def done(self):
        found = super().done()
        self.agent.kill()
        self.agent.wait()
        self.log_of_agent.close()
        self.server.close()
        for link in (self.link, self.serve):
            link.kill()
        self.systemd.close()
        shutil.rmtree(self.folder)
        return found


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(AgentBench(tmp_path, tools_folder))


def lies_there(bench):
    """Pipes of acts."""
    return [path.name for path in (bench.folder / "run").iterdir() if path.name != "runner.sock"]


def test_a_deployment_and_a_rollback_go_through_link_and_agent(bench):
    first, digest = bench.shipped("one")
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not bench.calls("ssh") and not lies_there(bench)
    names = bench.systemd.starts
    assert len(names) == len(set(names)) > 2 and all(re.fullmatch(r"deploybot-do-release@12-\d+\.service", name)
                                                     for name in names)
    second, other = bench.shipped("two", PREVIOUS_RELEASE=f"{first}@{digest}")
    assert bench.runs() == [(f"{bench.image}@{other}", "running")] and second != first
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said
    status, said = bench.run("deploy.sh", "staging", second, RELEASE_TICKET=None)
    assert status == 78 and "is ordered by deploybot's server alone" in said[-1], said


def test_a_run_for_some_hosts_says_of_each_agent_how_it_ends(bench):
    """h2 is none: its agent is not connected."""
    first, digest = bench.shipped("one")
    commit, other = bench.release("two")
    hosts = bench.path / "run-hosts"
    hosts.write_text("h2:22\nh1:22\n")
    wave = {"RUN_HOSTS": str(hosts), "STAGING_HOST": "h2,h1", "WAVE": "1/2", "PREVIOUS_RELEASE": f"{first}@{digest}"}
    status, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX="1", **wave)
    told = [step[5:] for step in bench.steps() if step.startswith("host ")]
    assert status == 0 and told[0].startswith("h2:22 failed unreachable: "), said
    assert told[1:] == ["h1:22 began", "h1:22 ok"], told
    assert bench.runs() == [(f"{bench.image}@{other}", "running")] and not bench.calls("ssh")
    hosts.write_text(f"= {first}@{digest}\nh1:22\n")
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}", **wave)
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said


def test_a_migration_runs_there_once(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate a=b", MIGRATE_SERVICE="app")
    assert status == 0 and "migrated" in bench.steps(), (bench.steps(), said)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


def test_a_migration_that_the_agent_refuses_is_said_not_to_have_begun(bench):
    commit, _ = bench.release("one")
    bench.on_host("docker", f'[[ $1 != pull ]] || echo "# edited meanwhile" >>{bench.folder}/units/{UNIT}')
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bin/migrate", MIGRATE_SERVICE="app")
    assert status == 70 and "migrate-not-started" in bench.steps() and not bench.runs(), (bench.steps(), said)
    assert said[-1].startswith("deploy.sh: h1: nothing was begun: its ticket is not for h1, or the units"), said


def test_a_call_with_a_ticket_of_64_hosts_fits(bench):
    others = ",".join(f"{number:057}={'0' * 64}" for number in range(63))
    done = bench.call("check", "program=3", *[f"job={'x' * 120}"] * 20,
                      ticket=bench.ticket(agents=f"{others},h1={bench.manifest()}"))
    assert "no compose file" in done.stderr and len(bench.systemd.starts) == 1, done


@pytest.mark.parametrize("wrong,words", [
    ({"key": Ed25519PrivateKey.generate()}, "no order key that is known here has signed this ticket"),
    ({"seconds": 0}, "its ticket ended "), ({"agents": f"h1={'0' * 64}"}, "its ticket is not for h1, or the units"),
    ({"agents": f"h2={'0' * 64}"}, "its ticket is not for h1"), ({"run": 0}, "what it shows is no ticket"),
    ({"seed": "7" * 64}, "the key of its ticket has not signed this call")])
def test_what_has_no_good_ticket_starts_nothing(bench, wrong, words):
    done = bench.call("check", "program=3", ticket=bench.ticket(**wrong))
    assert done.returncode == 70 and words in done.stderr, done
    assert not bench.systemd.starts and not lies_there(bench)


def test_who_passes_a_call_on_makes_no_other_one_of_it(bench):
    """As link would: another act, other words, more seconds, and the same once more, with all that it has seen."""
    ticket = bench.ticket()
    shown, seed = ticket.rsplit(" ", 1)
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    seen = []

    def connect(act="check", words="program=3", seconds=60, signature=None):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as call:
            call.connect(str(bench.folder / "calls.sock"))
            call.send(b"h1\n")
            challenge = call.recv(100)[1:].decode()
            signature = signature or key.sign(order_bytes(
                "call", "h1", "check", 0, 0, hashlib.sha256(b"60 program=3").hexdigest(), challenge)).hex()
            seen.append(signature)
            call.send(f"{seconds}\n{act}\n{shown}\n{words}\n{signature}\n".encode())
            call.send(b"0")
            while not (said := call.recv(70000)).startswith(b"x"):
                assert said
            return said.decode()
    assert connect().startswith("x64") and len(bench.systemd.starts) == 1       # it has no settings
    for other in ({"act": "job"}, {"words": "program=3 job=x"}, {"seconds": 61}, {"signature": seen[0]},
                  {"signature": "0" * 128}, {"signature": "x"}):
        assert connect(**other) == "x70 the key of its ticket has not signed this call", other
    assert len(bench.systemd.starts) == 1
    done = bench.call("check", "program=3", ticket=shown)
    assert done.returncode == 64 and "the ticket has no key behind it" in done.stderr, done


def test_words_are_looked_at_on_the_host(bench):
    for words, said in ((["config", "program=3"], "its ticket is for deploy, and config is no act of that"),
                        (["check", "x"], "NAME=VALUE: x"),
                        (["check", "program=3", "dir=/srv/$(id)"], "a word is not NAME=VALUE: dir=/srv/$(id)"),
                        (["check", *[f"job={'x' * 200}"] * 20], "bytes of words")):
        done = bench.call(*words)
        assert done.returncode == 70 and said in done.stderr, done
    assert not bench.systemd.starts
    for words, said in ((["program=1"], "deploybot on h1 is of another version than the server's (program=3, "),
                        ([], "another version"),
                        (["program=3", "dir=/srv/../etc"], "no such word: 'dir=/srv/../etc'"),
                        (["program=3", "lock=a"], "no such word: 'lock=a'"), (["program=3", "file=x"], "no such word"),
                        (["program=3", "origin=1:x"], "does not know a word origin")):
        done = bench.call("check", *words)
        assert done.returncode == 64 and said in done.stderr, done
    for text in ("user\n\n\n\n\n\n", "\nsecret\n\n\n\n\n", "\n\n\n\nc2VydmljZXM6Cg==\n\n", "\n\nfile:///etc\n\n\n\n"):
        done = bench.call("check", "program=3", f"dir={bench.app}", "service=app", "strategy=recreate", text=text)
        assert done.returncode == 64 and not bench.host_calls(), done
    done = bench.call("check", "program=3", text="\n\nhttp://10.0.0.1/stop\n\n\n\n", signed="\n" * 6)
    assert done.returncode == 64 and "is not what the caller has signed" in done.stderr, done
    assert len(bench.systemd.starts) == 11 and not lies_there(bench)


def test_a_ticket_is_for_the_acts_of_its_program(bench):
    """What another run may still do when its release is over, as a drain of a day, is no release."""
    release = {"check", "logs", "pull", "start", "switch", "tidy"}
    programs = {"deploy": release | {"await-migration", "end-migration", "migrate"}, "rollback": release,
                "action": {"check", "job"}, "drain": {"clean", "drain"}, "other": set()}
    for program, acts in programs.items():
        ticket = bench.ticket(program=program)
        for act in set().union(*programs.values()):
            before = len(bench.systemd.starts)
            done = bench.call(act, ticket=ticket)       # no words: the host refuses what was begun
            word = "another version" if act in acts else f"its ticket is for {program}, and {act} is no act of that"
            assert word in done.stderr and len(bench.systemd.starts) == before + (act in acts), (program, done)


def test_a_job_and_what_is_behind_the_gate_go_by_tickets_of_their_own(bench):
    first, digest = bench.shipped("one", RUN_ID="1-1")
    second, other = bench.shipped("two", RUN_ID="2-2", PREVIOUS_RELEASE=f"{first}@{digest}")
    status, said = bench.run("run-job.sh", "staging", f"{second}@{other}", JOB_COMMAND="bin/job")
    assert status == 0 and "job" in bench.steps(), (status, said)
    status, said = bench.run("drain.sh", "staging", RUN_ID="3-3")
    assert status == 0 and not any("stay" in line for line in said), said


def test_an_agents_host_refuses_an_earlier_run_too(bench):
    first, digest = bench.shipped("one", RUN_ID="12-1", INSTALLATION_ID="0a" * 16)
    second, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", second, RUN_ID="11-1", INSTALLATION_ID="0a" * 16)
    assert status == 75 and "h1: a later run was here: run 11 is over" in said[-1], said
    assert [of for of, _ in bench.runs()] == [f"{bench.image}@{digest}"] and first != second


def test_of_stdin_a_call_has_256_kilobytes(bench):
    """Its first line among them; all of them are with the unit, which says what it thinks of them."""
    line = len("check program=3 settings=\n") + 64
    for more, status, said in ((0, 64, "neither a login nor a compose file comes"),
                               (1, 255, "more than 262144 bytes for stdin of 12-")):
        text = "\n" * 4 + "x" * (262144 - line - 6 + more) + "\n" * 2
        done = bench.call("check", "program=3", text=text)
        assert done.returncode == status and said in done.stderr, done
    wait_for(lambda: not lies_there(bench), "its end", 60)


def test_a_call_that_is_too_long_to_sign_is_not_sent(bench):
    for words, said in ((["x" * 600], "the call is too long to sign: an act of 600 bytes"),
                        (["check", "program=3", "job=" + "x" * 16384],
                         "the call is too long: more than 16384 bytes with its ticket")):
        done = bench.call(*words)
        assert done.returncode == 64 and done.stderr.startswith(f"nothing was begun: {said}"), done
    assert not bench.systemd.starts


def test_root_says_on_the_host_what_may_be_released_there(bench):
    words = ["check", "program=3", f"dir={bench.app}", "service=app", "strategy=recreate"]
    bench.systemd.environment |= {"RELEASE_DIRS": f"/srv/blog {bench.app}", "RELEASE_IMAGES": "example.org/blog r/shop"}
    assert bench.call(*words).returncode == 0
    for word, said in (("dir=/srv", "RELEASE_DIRS of h1 has no /srv"), ("image=r/shop2@sha256:1", "has no r/shop2@"),
                       ("image=r/shop:1", "RELEASE_IMAGES of h1 has no r/shop:1")):
        done = bench.call(*words, word)
        assert done.returncode == 64 and said in done.stderr, done
    assert bench.call(*words, "image=r/shop@sha256:1").returncode == 0


def hanging_up(bench):
    """A deployment whose `compose up` hangs on the host: (its process, compose's pid, what runs)."""
    _, digest = bench.shipped("one")
    commit, _ = bench.release("two")
    bench.host_plan({"when": ["compose", "up"], "hang": True})
    return bench.start("deploy.sh", "staging", commit), bench.until_host_hangs(), digest


def is_put_in_order(bench, compose, digest):
    """What was begun is undone, once what hung has ended."""
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    wait_for(lambda: not lies_there(bench) or bench.agent.poll() is not None, "the act's end", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


def test_a_host_notices_that_the_deployment_was_killed(bench):
    process, compose, digest = hanging_up(bench)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    is_put_in_order(bench, compose, digest)


def test_a_host_notices_that_its_agent_was_killed(bench):
    process, compose, digest = hanging_up(bench)
    bench.agent.kill()
    assert process.wait(timeout=120) == 70
    assert "the connection to h1's agent broke" in bench.said()[-1], bench.said()
    is_put_in_order(bench, compose, digest)


def test_where_systemd_does_not_answer_nobody_says_that_nothing_was_begun(bench):
    bench.systemd.hangs_up = True
    done = bench.call("check", "program=3", f"dir={bench.app}", "service=app", "strategy=recreate")
    assert done.returncode == 255 and done.stderr == "the connection to h1's agent broke\n", done
    assert bench.agent.wait(60) == 1 and len(bench.systemd.starts) == 1


def test_a_server_that_is_started_anew_leaves_calls_alone(bench):
    process, compose, _ = hanging_up(bench)
    bench.server.close()
    bench.serve.log("deploybot is disconnected")
    bench.server = Server(bench.folder / "server.sock")
    bench.serve.log("deploybot is connected", count=2)
    assert process.poll() is None and lies_there(bench)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(bench.is_quiet, "the host to be at rest", 60)


def test_who_calls_without_a_free_descriptor_waits_and_link_does_not_spin(bench):
    pid = bench.serve.process.pid
    used, limits = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())), resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, limits[1]))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as call:
        call.connect(str(bench.folder / "calls.sock"))
        bench.serve.log("who connects waits for another one to end: Too many open files")
        ticks, waited = bench.serve.stat()
        wait_for(lambda: bench.serve.stat()[1] >= waited + 3, "link that sleeps while one waits")
        assert bench.serve.stat()[0] - ticks <= TICKS_MAX
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        call.send(b"h1\n")
        assert call.recv(100).startswith(b"n")


def test_of_calls_at_once_there_is_a_limit(bench):
    """Who may call takes no more descriptors of deploybot-link's than that, and the next one is served behind it."""
    def connect():
        call = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        call.connect(str(bench.folder / "calls.sock"))
        return call
    calls = [connect() for _ in range(256)]
    for _ in range(2):
        done = bench.call("check", "program=3")
        assert done.returncode == 69 and done.stderr == "nothing was begun: 256 calls are in progress at once\n", done
    more = [connect() for _ in range(100)]
    assert all(call.recv(100).startswith(b"x69 ") and not call.recv(100) for call in more)
    assert len(bench.serve.found("more than 256 calls at once")) == 1
    for call in (*calls, *more):
        call.close()
    bench.serve.process.send_signal(signal.SIGSTOP)
    for call in (calls := [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(64)]):
        call.setblocking(False)     # a release to as many hosts calls all at once
        call.connect(str(bench.folder / "calls.sock"))
    bench.serve.process.send_signal(signal.SIGCONT)
    for call in calls:
        call.close()
    assert "no compose file" in bench.call("check", "program=3").stderr        # the act's own words


def connected(bench):
    """A call, and what the agent has drawn for it."""
    call = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    call.connect(str(bench.folder / "calls.sock"))
    call.settimeout(45)         # of an answer that does not come; what waits for half a minute waits elsewhere
    call.send(b"h1\n")
    return call, call.recv(100)[1:].decode()


def signed(ticket, challenge, act, words):
    shown, seed = ticket.rsplit(" ", 1)
    proof = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).sign(order_bytes(
        "call", "h1", act, 0, 0, hashlib.sha256(f"600 {words}".encode()).hexdigest(), challenge))
    return f"600\n{act}\n{shown}\n{words}\n{proof.hex()}\n".encode()


def test_nothing_is_begun_for_who_has_hung_up(bench):
    """Its end is at the agent before that has read what it had said."""
    folder = pathlib.Path(f"/proc/{bench.link.process.pid}/fd")
    open_files = len(list(folder.iterdir()))
    call, challenge = connected(bench)
    packet = signed(bench.ticket(), challenge, "check", "program=3")
    bench.agent.send_signal(signal.SIGSTOP)
    call.send(packet)
    call.close()
    wait_for(lambda: len(list(folder.iterdir())) == open_files, "the call's end on the host")
    bench.agent.send_signal(signal.SIGCONT)
    wait_for(lambda: b"who has called has hung up" in (bench.folder / "agent.log").read_bytes(), "the agent's word")
    assert not bench.systemd.starts and not lies_there(bench)


@pytest.mark.long
def test_nothing_is_begun_late(bench):
    """Who carries a call may hold it back for half a minute."""
    call, challenge = connected(bench)
    packet = signed(bench.ticket(), challenge, "check", "program=3")
    bench.agent.send_signal(signal.SIGSTOP)
    call.send(packet)
    over = time.monotonic() + 31
    wait_for(lambda: time.monotonic() >= over, "the end of its half minute", 60)
    bench.agent.send_signal(signal.SIGCONT)
    assert call.recv(1000) == b"x70 it came more than 30 s behind its challenge"
    call.close()
    assert not bench.systemd.starts and not lies_there(bench)


@pytest.mark.long
def test_who_stays_or_reads_nothing_is_hung_up_on(bench):
    """Half a minute later each."""
    made = [connected(bench)[0] for _ in range(8)]
    for call in made:
        call.send(b"x")
        assert call.recv(1000) == b"x70 it is no call"
    bench.shipped("one")
    bench.on_host("docker", "[[ $1 != logs ]] || { head -c 9000000 /dev/zero | tr '\\0' x; exit; }")
    words = f"program=3 dir={bench.app} service=app strategy=recreate lines=9 settings="
    words += hashlib.sha256(b"\n" * 6).hexdigest()
    call, challenge = connected(bench)
    call.send(signed(bench.ticket(), challenge, "logs", words))
    call.send(b"0" + b"\n" * 6)
    wait_for(lambda: lies_there(bench), "the act", 60)
    began = time.monotonic()
    wait_for(lambda: not lies_there(bench), "its end", 80)
    assert time.monotonic() > began + 20       # it did not end by itself
    for one in (*made, call):
        one.close()


def test_an_act_ends_with_its_time(bench):
    bench.host_plan({"when": ["docker", "info"], "hang": True})
    done = bench.call("check", "program=3", f"dir={bench.app}", "service=app", "strategy=recreate", seconds=2)
    assert done.returncode == 124 and len(bench.systemd.stops) == 1, done
    bench.host_plan()


def test_a_rollback_can_leave_a_host_out_whose_agent_is_away(bench):
    first, digest = bench.shipped("one")
    bench.shipped("two", PREVIOUS_RELEASE=f"{first}@{digest}")
    both = {"STAGING_HOST": "h1,h2"}
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}", **both)
    assert status == 69 and "unreachable h2" in bench.steps(), (bench.steps(), said)
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}", WITHOUT_HOSTS="h2", **both)
    assert status == 0 and bench.runs() == [(f"{bench.image}@{digest}", "running")], said


def test_an_agent_that_is_away_is_said_to_be(bench):
    bench.agent.kill()
    bench.agent.wait()
    done = bench.call("check", "program=3")
    assert done.returncode == 69 and done.stderr == "nothing was begun: h1's agent does not answer\n", done
    bench.link.kill()
    bench.serve.log("agent/h1 is disconnected")
    done = bench.call("check", "program=3")
    assert done.returncode == 69 and done.stderr == "nothing was begun: agent/h1 is not connected\n"
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 69 and said[-1] == "deploy.sh: h1: nothing was begun: agent/h1 is not connected", said
    bench.serve.kill()
    assert "nothing was begun: deploybot-link on this machine is not there: " in bench.call("check").stderr
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 69 and "deploybot-link on this machine is not there: " in said[-1], said


def test_a_link_of_the_servers_that_ends_is_said_to_have(bench):
    """In an act, and before its agent has said anything: it is not the host that is gone."""
    process, compose, digest = hanging_up(bench)
    bench.serve.kill()
    assert process.wait(timeout=120) == 70
    assert "h1: deploybot-link on this machine has ended" in bench.said()[-1], bench.said()
    is_put_in_order(bench, compose, digest)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        (bench.folder / "calls.sock").unlink()
        link.bind(str(bench.folder / "calls.sock"))
        link.listen()

        def hang_up():
            link.accept()[0].close()
        threading.Thread(target=hang_up).start()
        done = bench.call("check", "program=3")
    assert done.returncode == 69, done
    assert done.stderr == "nothing was begun: deploybot-link on this machine has ended\n"
