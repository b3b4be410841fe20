"""Goal: what else there is on a host keeps a release from beginning, or is said before it: a port that another has,
data that another host has not, an image that wants a login; and what a release left there is said as it is."""
# SPDX-License-Identifier: ISC
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from commands_aid import DEPLOY
from services_aid import OTHERS
from ssh_aid import COMPOSE, BlueGreenBench, SshBench, until_at_rest
from stage import free_port

MIGRATES = {"MIGRATE_COMMAND": "bin/migrate"}


@pytest.fixture(name="bench")
def bench_fixture(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"))


@pytest.fixture(name="pair")
def pair_fixture(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"))


def listens(port, address="127.0.0.1", kind=socket.SOCK_STREAM):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


def publishes(bench, *lines):
    """The application's service with these lines below `ports`, as compose prints them."""
    section = "\n".join(("ports:", *lines)).split("\n")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + "".join(f"    {line}\n" for line in section))


def warnings(said):
    return [line.removeprefix("==> warning ") for line in said if line.startswith("==> warning ")]


# ---- a port --------------------------------------------------------------------------------------


def mail(bench, port):
    """Another application's compose project, whose container has that port."""
    labels = {"project": "mail", "service": "web", "oneoff": "False", "project.working_dir": "/srv/mail"}
    box = {"id": "8" * 64, "name": "mail-web-1", "of": "mail:1", "labels": labels, "status": "created", "port": port}
    state = bench.engine()
    bench.change_engine(images={**state["images"], "mail:1": "sha256:mail"}, containers=[*state["containers"], box])
    subprocess.run([bench.host_bin / "docker", "start", box["id"]], check=True, env={"STAND": str(bench.host())})


def is_refused(bench, says, **settings):
    commit, _ = bench.release("two")
    before = bench.engine()["containers"]
    status, said = bench.run("deploy.sh", "staging", commit, **MIGRATES, **settings)
    assert status == 70 and says in said[-1], said
    assert not {"pull", "migrate", "release"} & set(bench.steps()) and bench.engine()["containers"] == before
    asked, said = bench.run("target.sh", "staging", "preflight", **settings)
    assert asked == 70 and says in said[-1], "doctor: " + "\n".join(said)


def test_a_port_of_another_project_is_found_before_the_migration_of_a_first_release(bench):
    """The attack on oneself that was played: it was found by docker, behind the migration and behind `==> release`."""
    port = free_port()
    publishes(bench, f'- "127.0.0.1:{port}:8080"')
    mail(bench, port)
    is_refused(bench, f"port {port}, which app publishes, is that of the container mail-web-1, compose project mail: ")


@pytest.mark.long
def test_a_port_of_a_program_is_found_too(bench):
    port = free_port()
    publishes(bench, f'- "127.0.0.1:{port}:8080"')
    with listens(port):
        is_refused(bench, f"port {port}, which app publishes, is that of a program there "
                          f"(as root: ss -lnp 'sport = :{port}')")
    bench.shipped("three", **MIGRATES)


@pytest.mark.long
def test_a_port_that_what_runs_has_keeps_no_release_away(bench):
    port = free_port()
    publishes(bench, f'- "127.0.0.1:{port}:8080"')
    bench.shipped("one")
    assert bench.shipped("two") and [box["port"] for box in bench.engine()["containers"]] == [port]


@pytest.mark.long
def test_who_rolls_back_is_warned_of_a_port_and_not_kept_from_it(bench):
    first, digest = bench.shipped("one")
    bench.shipped("two")
    port = free_port()
    publishes(bench, f'- "{port}:8000"')
    for kept in bench.app.glob(".deploybot.with.*"):
        shutil.rmtree(kept)     # as of a release of before: the host's own file is used
    with listens(port):
        status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0 and any(f"warning: port {port}, which app publishes, is that of " in line for line in said), said


LONG = '- mode: ingress\n  host_ip: {}\n  target: 8080\n  published: "{}"\n  protocol: {}'


@pytest.mark.parametrize("line, address, kind, is_taken", [
    ('- "{}:80"', "127.0.0.1", "tcp", True), ("- {}:80/tcp", "0.0.0.0", "tcp", True), ('- "{}:80"', "::", "tcp", True),
    ("- 127.0.0.1:{}:80", "0.0.0.0", "tcp", True), ("- 127.0.0.1:{}:80/tcp", "::", "tcp", True),
    ("- 127.0.0.2:{}:80", "127.0.0.1", "tcp", False), ("- '[::1]:{}:80'", "::1", "tcp", True),
    ("- {}:80/udp", "127.0.0.1", "tcp", False), ("- {}:80/udp", "0.0.0.0", "udp", True),
    ("- {}:80/tcp", "0.0.0.0", "udp", False), ("- {}-65001:80", "0.0.0.0", "tcp", False),
    ("- published: {}\n  target: 80", "127.0.0.1", "tcp", True),
    ("- protocol: udp\n  published: {}\n  target: 80", "127.0.0.1", "tcp", False),
    (LONG.format("127.0.0.2", "{}", "tcp"), "127.0.0.1", "tcp", False),
    (LONG.format("127.0.0.1", "{}", "tcp"), "127.0.0.1", "tcp", True),
    (LONG.format("0.0.0.0", "{}", "udp"), "127.0.0.1", "tcp", False),
    (LONG.format("0.0.0.0", "{}", "udp"), "0.0.0.0", "udp", True),
    ('- target: 8080\n- "{}:80"', "0.0.0.0", "tcp", True),
    ('- mode: ingress\n  target: 90\n  published: "1"\n'
     '- mode: ingress\n  target: 90\n  published: "{}"', "0.0.0.0", "tcp", True)])
def test_who_has_a_port_is_read_in_each_form_and_compared_by_address(bench, line, address, kind, is_taken):
    with socket.socket() as free:   # below 32768 no client is given one
        port = next(port for port in range(24000 + os.getpid() % 5000, 32000)
                    if free.connect_ex(("127.0.0.1", port)) != 0)
    publishes(bench, line.format(port))
    with listens(port, address, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM):
        status, said = bench.run("target.sh", "staging", "preflight")
    is_named = f"port {port}, which app publishes, is that of " in said[-1]
    assert (status, is_named) == ((70, True) if is_taken else (0, False)), said


@pytest.mark.long
def test_the_port_of_a_release_that_is_to_start_beside_what_serves_is_looked_at_too(pair):
    pair.shipped("one")
    idle, = set(pair.ports) - set(box["port"] for box in pair.engine()["containers"])
    with listens(idle):
        is_refused(pair, f"port {idle}, which app publishes, is that of a program there")
    pair.shipped("three")


def test_another_service_of_the_folder_is_a_neighbour_too(bench):
    """A release does not replace it, so that it keeps its port."""
    port = free_port()
    publishes(bench, f'- "127.0.0.1:{port}:8080"')
    mail(bench, port)
    box, = bench.engine()["containers"]
    box["labels"] = {**box["labels"], "project": "app", "service": "maintenance", "project.working_dir": str(bench.app)}
    bench.change_engine(containers=[box])
    is_refused(bench, f"port {port}, which app publishes, is that of the container mail-web-1, compose project app: ")


def test_a_process_of_this_machine_finds_its_port_taken_before_its_migration(tmp_path, tools_folder):
    from test_deploy_migrate import LocalBench      # pylint: disable=import-outside-toplevel; one test
    bench = LocalBench(tmp_path, tools_folder)
    bench.migration(f"touch {tmp_path}/migrated")
    commit, _ = bench.release("one")
    try:
        with listens(int(bench.environment["STAGING_PORT"])):
            status, said = bench.run("deploy.sh", "staging", commit, **MIGRATES)
        assert status == 70 and "(STAGING_PORT) is that of another program" in said[-1], said
        assert not (tmp_path / "migrated").exists() and "release" not in bench.steps()
        assert bench.run("deploy.sh", "staging", commit, **MIGRATES)[0] == 0
        assert bench.run("deploy.sh", "staging", bench.release("two")[0], **MIGRATES)[0] == 0, "its own process has it"
    finally:
        bench.done()


# ---- a first release that its host took back ------------------------------------------------------


def broken(bench, digest, name="h1"):
    bench.change_engine(name, broken=["sha256:id-of-" + digest[-8:]])


TWO = {"STAGING_HOST": "h1,h2:2222", "HOSTS_PARALLEL": "true"}


@pytest.mark.parametrize("where, settings, is_said", [
    (["h1"], {}, True), (["h1"], {"STAGING_HOST": "h1,h2:2222"}, True),
    (["h2"], {"STAGING_HOST": "h1,h2:2222"}, False)])
def test_behind_a_first_release_it_is_said_where_nothing_of_it_runs(bench, where, settings, is_said):
    """Of two hosts the first one runs it where the second one alone took it back."""
    commit, digest = bench.release("one")
    for name in where:
        broken(bench, digest, name)
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 70 and ("nothing-runs" in bench.steps()) == is_said, said
    assert bench.steps()[bench.steps().index("release"):][-1] == ("nothing-runs" if is_said else "switch h2")


@pytest.mark.long
def test_behind_a_later_release_nothing_is_said_of_that(bench):
    bench.shipped("one")
    commit, digest = bench.release("two")
    broken(bench, digest)
    assert bench.run("deploy.sh", "staging", commit)[0] == 70 and "nothing-runs" not in bench.steps()


# ---- a worker that does not end ------------------------------------------------------------------


@pytest.mark.long
def test_what_had_to_be_killed_is_said(bench):
    """As docker's events have it: KILL behind another signal; one that was sent at once was meant."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    bench.shipped("one")
    at = int(time.time()) + 1000     # however long this machine takes
    bench.change_engine(kills=[
        [at, 15, "a" * 64, "worker", "app"], [at + 20, 9, "a" * 64, "worker", "app"], [at, 9, "b" * 64, "app", "app"],
        [at, 15, "c" * 64, "scheduler", "app"],
        [at, 15, "d" * 64, "web", "mail"], [at + 9, 9, "d" * 64, "web", "mail"]])
    bench.on_host("timeout", '[[ " $* " != *" up -d "* ]] || sleep 1.1')
    commit, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and set(warnings(said)[1:]) == {
        "h1: worker did not end within 20 s, and was killed: it gets stop_grace_period, and is to end by itself when "
        "it is sent TERM"}, said
    assert not any("for people" in line for line in said), said


def test_what_a_host_has_for_people_is_bounded_and_no_step(bench):
    script = (f'. {DEPLOY}/common.sh; . {DEPLOY}/transports/ssh/calls.sh; ssh_hosts=(h1) to_people=()\n'
              'host_said=$(cat); ssh_take_people 0; '
              'for word in "${to_people[@]:0:$SSH_PEOPLE_MAX}"; do warn_people "$word"; done; echo "$host_said"')
    lines = [f"h1: for people: {number} \x1b[2Kx\r" for number in range(12)]
    said = "\n".join([*lines, "h1: all else", "|app| h1: for people: ==> release", "h1: for people: " + "y" * 4000])
    done = subprocess.run(["/bin/bash", "-c", script], input=said, check=True, timeout=60, capture_output=True,
                          text=True)
    assert len(done.stderr.splitlines()) == 8 and "\x1b" not in done.stderr
    assert done.stdout.splitlines() == ["h1: all else", "|app| h1: for people: ==> release"]


# ---- data of one host ----------------------------------------------------------------------------


def migrator(bench, *lines, more=""):
    (bench.app / "docker-compose.yml").write_text(
        COMPOSE + "".join(f"    {line}\n" for item in ("volumes:", *lines) for line in item.split("\n")) + more)


VOLUMES = "volumes:\n  data:\n    name: app_data\n"
BIND = "- type: bind\n  source: {}\n  target: /data\n  bind:\n    create_host_path: true"


@pytest.mark.parametrize("line, more, is_said", [
    ("- data:/var/lib/shop", VOLUMES, "data"), ("- data:/var/lib/shop:rw", VOLUMES, "data"),
    ("- data:/var/lib/shop:ro", VOLUMES, None), ("- /srv/data:/data", "", "/srv/data"),
    ("- type: volume\n  source: data\n  target: /data\n  volume: {}", VOLUMES, "data"),
    ("- type: volume\n  source: data\n  target: /data\n  read_only: true", VOLUMES, None),
    ("- read_only: true\n  source: data\n  target: /data\n  type: volume", VOLUMES, None),
    (BIND.format("/srv/my data"), "", "/srv/my data"), (BIND.format("/srv/data") + "\n  read_only: true", "", None),
    ("- type: tmpfs\n  target: /tmp", "", None), ("- /var/lib/nameless", "", None),
    ("- data:/data", VOLUMES + "    driver: local\n    driver_opts:\n      type: nfs\n      device: :/x\n", None),
    ("- data:/data", VOLUMES + "    driver: rexray\n", None),
    ("- shared:/data", "volumes:\n  shared:\n    external: true\n    name: the_shared\n", "shared"),
    ("- remote:/data", "volumes:\n  remote:\n    external: true\n    name: the_remote\n", None),
    ("- type: volume\n  source: a\n  target: /a\n  read_only: true\n"
     "- type: volume\n  source: data\n  target: /b", VOLUMES, "data")])
def test_a_migration_beside_what_one_host_has_alone_is_warned_of(bench, line, more, is_said):
    migrator(bench, line, more=more)
    for name in ("h1", "h2"):
        bench.change_engine(name, volumes={"the_shared": "local ", "the_remote": "local nfs"})
    status, said = bench.run("target.sh", "staging", "preflight", **MIGRATES, **TWO)
    found = [warning for warning in warnings(said) if "the migration runs on h1 alone" in warning]
    assert status == 0 and len(found) == (1 if is_said else 0), said
    assert not is_said or f"app has data of that host: {is_said}; " in found[0], found


@pytest.mark.long
def test_that_is_said_of_several_hosts_and_a_migration_alone(bench):
    migrator(bench, "- data:/var/lib/shop", more=VOLUMES)
    assert not warnings(bench.run("target.sh", "staging", "preflight", **MIGRATES)[1])
    assert not warnings(bench.run("target.sh", "staging", "preflight", **TWO)[1])
    commit, _ = bench.release("one")
    _, said = bench.run("deploy.sh", "staging", commit, **MIGRATES, **TWO)
    assert any("the migration runs on h1 alone" in warning for warning in warnings(said)), said


# ---- an image that wants a login ------------------------------------------------------------------


@pytest.mark.parametrize("image, login, says", [
    ("10.77.0.1:5000/shop/redis:7", None, "docker login 10.77.0.1:5000 && "),
    ("acme/redis", None, "docker login docker.io && "),
    ("ghcr.io/acme/redis:7", "ghcr.io", ""), ("acme/redis", "https://index.docker.io/v1/", ""),
    ("redis:7", None, ""), ("docker.io/library/redis", None, ""), ("mirror.example.org/there:1", None, "")])
def test_the_line_that_starts_a_neighbour_says_to_log_in_first(bench, image, login, says):
    """deploybot's own login is in memory for the pull of a release alone."""
    (bench.app / "docker-compose.yml").write_text(f"{COMPOSE}  cache:\n    image: {image}\n")
    (bench.app / ".env").write_text("DEPLOY_IMAGE=x\n")
    bench.change_engine(images={"mirror.example.org/there:1": "sha256:there"})
    if login:
        (bench.host() / ".docker").mkdir()
        (bench.host() / ".docker" / "config.json").write_text(f'{{"auths": {{"{login}": {{"auth": "x"}}}}}}')
    _, said = bench.run("target.sh", "staging", "preflight")
    line, = [warning for warning in warnings(said) if "no release starts it" in warning]
    assert f"(there, once: {says}cd {bench.app} && docker compose up -d cache" in line, line
    assert ("needed where that image is private" in line) == bool(says)


# ---- a host that was restarted ---------------------------------------------------------------------


@pytest.mark.parametrize("is_other", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_host_that_was_restarted_in_the_middle_is_named_as_such(bench, is_other):
    bench.shipped("one")
    boot = f"{os.urandom(16).hex()}"
    boot = "-".join((boot[:8], boot[8:12], boot[12:16], boot[16:20], boot[20:]))
    bench.on_host("cat", f'[[ $* != */boot_id ]] || {{ echo {boot}; exit; }}' if is_other else "")
    commit, _ = bench.release("two")
    bench.plan({"when": ["ssh"], "after": 2, "times": 1, "status": 255,     # the switch, behind check and pull
                "own": "client_loop: send disconnect: Broken pipe\n"})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and ("h1 was restarted in the middle of it" in said[-1]) == is_other, said
    assert is_other or "cannot be reached" in said[-1], said


# ---- a terminal ------------------------------------------------------------------------------------


def test_a_log_that_somebody_reads_by_hand_does_nothing_to_their_terminal(tmp_path, tools_folder):
    from test_deploy_migrate import LocalBench      # pylint: disable=import-outside-toplevel
    bench = LocalBench(tmp_path, tools_folder)
    folder = bench.state / "apps" / "staging"
    folder.mkdir(parents=True)
    raw = ("one \x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m\r\n".encode()
           + b"\xc2\x9b2J \xe2\x80\xaeturned\xe2\x81\xa9 \xd8\x9c"
           + "Käse\tist gut\n".encode() + b"\x00\x08\x7f\x9b last")
    (folder / "app.log").write_bytes(raw)
    status = bench.start("target.sh", "staging", "logs", RUN_ID=None).wait(timeout=60)
    said = bench.log.read_bytes()
    assert status == 0
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]", said)
    assert "Käse\tist gut\n".encode() in said and b"red" in said and b" last" in said
    bench.done()


def test_a_log_that_cannot_be_read_still_ends_with_why(bench):
    status, said = bench.run("target.sh", "staging", "logs", RUN_ID=None)
    assert status == 70 and "no container of app is there" in said[-1], said
