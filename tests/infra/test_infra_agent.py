"""Goal: on a real systemd the agent starts what root has put there, where the server orders it, at most once; nothing
else and nobody else makes it start anything. The journal is the witness of each start. One machine's life, in order."""
# SPDX-License-Identifier: ISC
import contextlib
import itertools
import os

import pytest

from agent_aid import PATIENCE_S, STATE, UNIT, AgentHost, Channel, Server, key_of, unit_text
from stage import ROOT, wait_until

RUNS = itertools.count(1000)
NAME = "AGENT_NAME=acme\n"
SLOW = unit_text("echo begun; exec sleep 600")


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with AgentHost(tmp_path_factory.mktemp("agent")) as made:
        made.put("disk-free", unit_text("echo first; echo last >&2"))
        made.put("restart-web", unit_text('echo \\"==> release\\"; exit 3'))
        made.put("clear-cache", SLOW)
        made.restart_agent()
        yield made


@pytest.fixture
def server(host):
    with contextlib.closing(Server(host)) as made:
        yield made


@pytest.fixture
def number():
    return next(RUNS)


@contextlib.contextmanager
def another_unit(host, name, text):
    """For a test alone."""
    path = host.root.path / f"etc/systemd/system/deploybot-do-{name}.service"
    before = path.read_text("utf-8") if path.exists() else None
    try:
        yield host.put(name, text)
    finally:
        path.unlink(missing_ok=True)
        host.sh(f"rm -rf /etc/systemd/system/{path.name}.d")
        if before is not None:
            host.put(name, before, reload=False)
        host.run("systemctl", "daemon-reload")


def is_active(host, name):
    return host.active(f"deploybot-do-{name}.service")[0] in ("active", "activating", "deactivating")


# ---- an order ----------------------------------------------------------------------------------------

def test_an_order_starts_its_unit_once_and_its_end_is_said(host, server, number):
    assert list(server.hello.capabilities) == ["clear-cache", "disk-free", "restart-web"]
    over = server.play(number, "disk-free")
    assert (over["gate"], over["status"], over["lost"]) == ("1", "0", "0") and int(over["ended_at"]) > 0
    assert host.log(number) == "first\nlast\n"
    assert host.starts("disk-free") == 1
    settled = server.settle(number)
    assert settled["state"] == "ended" and settled["status"] == "0"


def test_a_unit_that_fails_is_said_with_its_status_and_no_line_of_it_is_a_step(host, server, number):
    over = server.play(number, "restart-web")
    assert (over["gate"], over["status"], over["released"]) == ("1", "3", "0") and "step" not in over.fields
    assert host.log(number).startswith("==> release\n")


def test_a_unit_that_a_signal_ends_is_said_with_it(host, server, number):
    with another_unit(host, "disk-free", unit_text("kill -SEGV $$$$")):
        with contextlib.closing(Server(host)) as again:
            assert again.play(number, "disk-free")["signal"] == "11"


def test_what_a_condition_keeps_from_running_is_no_success(host, number):
    with another_unit(host, "disk-free", "[Unit]\nConditionPathExists=/nowhere\n" + unit_text("true")):
        with contextlib.closing(Server(host)) as server:
            assert server.play(number, "disk-free")["status"] == "70"
    assert "systemd has run nothing" in host.log(number)


def test_a_unit_that_ends_with_0_leaves_no_children(host, number):
    with another_unit(host, "disk-free", unit_text("setsid sleep 4242 & echo left")):
        with contextlib.closing(Server(host)) as server:
            assert server.play(number, "disk-free")["status"] == "0"
    assert not host.sh("grep -lsz [4]242 /proc/[0-9]*/cmdline || true")


def test_output_is_cut_at_1_mb(host, number):
    with another_unit(host, "disk-free", unit_text("yes $$(printf %%01000d 0) | head -n 1500",
                                                "LogRateLimitIntervalSec=0\n")):
        with contextlib.closing(Server(host)) as server:
            assert server.play(number, "disk-free")["status"] == "0"
    text = host.log(number)
    assert 900_000 < len(text) <= 1 << 20 and "the rest is in the journal" in text[-200:]


def test_a_run_at_its_gate_starts_nothing_and_end_says_so(host, server, number):
    before = host.starts("disk-free")
    with contextlib.closing(server.at_gate(number, "disk-free")) as channel:
        assert server.settle(number)["state"] == "alive"
        channel.send("end")
        over = channel.hear("exit")
    assert (over["gate"], over["ended"]) == ("0", "1") and host.starts("disk-free") == before


def test_end_stops_the_whole_unit(host, server, number):
    with contextlib.closing(server.at_gate(number, "clear-cache")) as channel:
        server.go(channel, number, "clear-cache")
        wait_until(lambda: is_active(host, "clear-cache"), PATIENCE_S, "the unit")
        channel.send("end")
        over = channel.hear("exit")
    assert (over["gate"], over["ended"], over["signal"]) == ("1", "1", "15") and not is_active(host, "clear-cache")
    assert host.log(number).startswith("begun\n")


def test_the_deadline_of_the_order_stops_it(host, server, number):
    with contextlib.closing(server.at_gate(number, "clear-cache", deadline_s=1)) as channel:
        server.go(channel, number, "clear-cache")
        over = channel.hear("exit")
    assert (over["gate"], over["timed_out"], over["ended"]) == ("1", "1", "0") and not is_active(host, "clear-cache")


def test_a_server_that_goes_before_go_leaves_a_shut_gate(host, server, number):
    server.at_gate(number, "disk-free").close()
    wait_until(lambda: server.settle(number)["state"] == "ended", PATIENCE_S, "its end")
    assert server.settle(number)["gate"] == "0"


def test_a_server_that_comes_back_is_said_that_it_runs(host, server, number):
    with contextlib.closing(server.at_gate(number, "clear-cache")) as channel:
        server.go(channel, number, "clear-cache")
        wait_until(lambda: is_active(host, "clear-cache"), PATIENCE_S, "the unit")
    with contextlib.closing(Server(host)) as again:
        assert again.settle(number)["state"] == "alive"
        with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
            assert channel.hear("hello")["gate"] == "1"
            channel.send("end")
            assert channel.hear("exit")["ended"] == "1"


# ---- what is no order --------------------------------------------------------------------------------

def refused(host, server, why, **fields):
    """The text of a refusal, behind which nothing was started."""
    before = host.starts("disk-free")
    server.send("run", **fields)
    answer = server.hear("started", "refused")
    assert answer.kind == "refused" and answer["why"] == why, answer.fields
    assert host.starts("disk-free") == before and server.settle(fields["id"])["state"] == "never"
    return answer


def test_an_order_that_is_repeated_is_refused_in_its_session_and_the_next(host, server, number):
    fields = server.fields(number, "disk-free", server.challenge())
    server.send("run", **fields)
    assert server.hear("started").kind == "started"
    server.send("run", **fields)
    assert server.hear("refused")["why"] == "invalid"
    with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
        channel.hear("hello")
        channel.send("end")
        channel.hear("exit")
    assert server.order(number, "disk-free")["why"] == "exists"
    with contextlib.closing(Server(host)) as again:
        again.send("run", **fields)
        assert again.hear("refused")["why"] == "invalid"


def test_an_order_of_an_earlier_session_is_refused(host, server, number):
    fields = server.fields(number, "disk-free", server.challenge())
    with contextlib.closing(Server(host)) as again:
        refused(host, again, "invalid", **fields)
        again.challenge()
        refused(host, again, "invalid", **fields)


def test_an_order_that_never_has_overtaken_is_refused(host, server, number):
    fields = server.fields(number, "disk-free", server.challenge())
    assert server.settle(number)["state"] == "never"
    refused(host, server, "invalid", **fields)


@pytest.mark.parametrize("change", ["key", "name", "capability", "run", "kind", "unsigned", "other epoch",
                                    "manifest"])
def test_an_order_of_which_anything_else_was_signed_is_refused(host, server, number, change):
    challenge = server.challenge()
    fields = server.fields(number, "disk-free", challenge)
    if change == "key":
        server.key = key_of(2)[0]
    if change == "name":
        server.name = "acme2"
    signed = {"kind": "go" if change == "kind" else "run", "run": number + (change == "run"),
              "capability": "restart-web" if change == "capability" else "disk-free", "challenge": challenge,
              "manifest": "0" * 64 if change == "manifest" else None}
    fields["signature"] = server.sign(**signed)
    if change == "unsigned":
        del fields["signature"]
    if change == "other epoch":
        fields["epoch"] = 1
    assert "no order key" in refused(host, server, "invalid", **fields)["text"]


def test_what_this_host_does_not_have_is_refused(host, server, number):
    for capability in ("reload-nginx", "release", "shutdown"):
        refused(host, server, "invalid", **server.fields(number, capability, server.challenge()))
    refused(host, server, "invalid", **server.fields(number, "disk-free", server.challenge(), program="deploy"))


def test_another_manifest_is_said_with_the_one_there_is(host, server, number):
    fields = server.fields(number, "disk-free", server.challenge(), fingerprint="0" * 64)
    answer = refused(host, server, "changed", **fields)
    assert dict(word.split("=") for word in answer["settings"].split(" ")) == server.hello.capabilities


def test_one_run_at_a_time(host, server, number):
    with contextlib.closing(server.at_gate(number, "disk-free")) as channel:
        answer = server.order(next(RUNS), "disk-free")
        assert answer["why"] == "failed" and "another run" in answer["text"]
        channel.send("end")
        channel.hear("exit")


def test_a_number_below_all_records_is_refused(host):
    host.sh(f"systemctl stop {UNIT}; mv {STATE}/records /srv/")
    host.restart_agent()
    with contextlib.closing(Server(host)) as server:
        assert server.play(500, "disk-free")["status"] == "0"
        answer = server.order(499, "disk-free")
        assert answer["why"] == "invalid" and "below" in answer["text"]
        assert server.settle(499)["state"] == "never"
    host.sh(f"systemctl stop {UNIT}; mv /srv/records {STATE}/")
    host.restart_agent()


def test_packets_that_cannot_be_read_end_their_connection_alone(host, server, number):
    for data in (b"run", b"run\n", b"\0" * 70000, b"hello\nversion 3\nversion 3\n", os.urandom(500), b"shell\n"):
        with contextlib.closing(Channel(host, "/run/deploybot-agent/runner.sock")) as channel:
            channel.socket.send(data)
            assert channel.hear() is None
    with contextlib.closing(Channel(host, "/run/deploybot-agent/runner.sock")) as channel:
        channel.send("challenge")       # before hello
        assert channel.hear() is None
    with contextlib.closing(Channel(host, "/run/deploybot-agent/runner.sock")) as channel:
        channel.send("hello", version=2)
        assert channel.hear("hello")["version"] == "3" and channel.hear() is None
    with contextlib.closing(Server(host)) as again:
        assert again.settle(number)["state"] == "never"


def test_go_is_an_order_of_its_own(host, server):
    for lie in ("order", "key", "none", "stale"):
        number, before = next(RUNS), host.starts("disk-free")
        challenge = server.challenge()
        fields = server.fields(number, "disk-free", challenge)
        server.send("run", **fields)
        assert server.hear("started", "refused").kind == "started"
        with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
            channel.hear("hello")
            fresh = channel.challenge()
            if lie == "order":          # the signature of the run
                channel.send("go", challenge=fresh, epoch=0, signature=fields["signature"])
            elif lie == "none":
                channel.send("go")
            elif lie == "stale":        # signed for the challenge of the run
                server.go(channel, number, "disk-free", challenge=challenge)
            else:
                channel.send("go", challenge=fresh, epoch=0, signature="0" * 128)
            assert channel.hear("exit")["gate"] == "0"
        assert host.starts("disk-free") == before


def test_both_keys_of_a_rotation_order_and_a_third_does_not(host):
    host.configure(f"{NAME}ORDER_KEYS={key_of(1)[1]} {key_of(2)[1]}\n")
    host.restart_agent()
    for key, kind in ((1, "started"), (2, "started"), (3, "refused")):
        with contextlib.closing(Server(host, key)) as server:
            number = next(RUNS)
            answer = server.order(number, "disk-free")
            assert answer.kind == kind, answer.fields
        if kind == "started":
            with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
                channel.hear("hello")
                channel.send("end")
                channel.hear("exit")
    host.configure(f"{NAME}ORDER_KEYS={key_of(1)[1]}\n")
    host.restart_agent()


# ---- units that are not as they were -----------------------------------------------------------------

def drop_in(host, name, text):
    folder = host.root.path / f"etc/systemd/system/deploybot-do-{name}.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "more.conf").write_text(text, encoding="ascii")
    return folder / "more.conf"


def is_there(host, name="reload-nginx"):
    """Does a hello name it?"""
    with contextlib.closing(Server(host)) as server:
        return name in server.hello.capabilities


def test_a_unit_that_has_changed_is_another_manifest(host, server, number):
    fields = server.fields(number, "disk-free", server.challenge())
    before = (host.root.path / "etc/systemd/system/deploybot-do-restart-web.service").read_text("utf-8")
    host.put("restart-web", unit_text("exit 4"), reload=False)
    refused(host, server, "changed", **fields)          # one unit stands for all
    host.run("systemctl", "daemon-reload")
    with contextlib.closing(Server(host)) as again:
        assert again.hello["manifest"] != server.hello["manifest"]
    host.put("restart-web", before)
    with contextlib.closing(Server(host)) as again:
        assert again.hello["manifest"] == server.hello["manifest"]


def test_what_a_reload_has_changed_is_said_to_whoever_is_connected(host, server, number):
    channel = server.at_gate(number, "disk-free")
    with another_unit(host, "reload-nginx", unit_text("true")):
        assert server.settle(number)["state"] == "alive"        # not while a run goes on
        channel.close()
        assert server.hear() is None, "it is hung up on, and so asks again"
        assert is_there(host)
    with contextlib.closing(Server(host)) as again:
        with another_unit(host, "reload-nginx", unit_text("true")):
            assert again.hear() is None
            assert is_there(host)
    with contextlib.closing(Server(host)) as same:
        host.run("systemctl", "daemon-reload")
        assert same.settle(number)["state"] == "ended"


def test_check_says_that_polkit_is_missing(host):
    host.sh("systemctl stop polkit; systemctl mask --runtime polkit")
    said = host.run("/usr/lib/deploybot/deploybot-agent", "check", check=False)
    host.sh("systemctl unmask --runtime polkit")
    assert said.returncode == 1 and "polkit does not answer" in said.stdout, said.stdout
    assert host.run("/usr/lib/deploybot/deploybot-agent", "check").returncode == 0


@pytest.mark.parametrize("change, words", [
    ("unit", "systemctl daemon-reload"), ("drop-in", "systemctl daemon-reload"), ("gone", "there is no"),
    ("read drop-in", "not that of the order"), ("type drop-in", "not that of the order")])
def test_a_unit_that_changes_between_start_and_go_is_not_started(host, server, number, change, words):
    before = host.starts("disk-free")
    with contextlib.closing(server.at_gate(number, "disk-free")) as channel:
        with another_unit(host, "disk-free", unit_text("echo first; echo last >&2")):
            if change == "unit":
                host.put("disk-free", unit_text("echo other"), reload=False)
            elif change == "gone":
                host.sh("rm /etc/systemd/system/deploybot-do-disk-free.service; systemctl daemon-reload")
            elif change == "type drop-in":
                host.sh("mkdir -p /etc/systemd/system/service.d; echo [Service] >/etc/systemd/system/service.d/x.conf; "
                        "systemctl daemon-reload")
            else:
                drop_in(host, "disk-free", "[Service]\nExecStartPre=/bin/true\n")
                if change == "read drop-in":
                    host.run("systemctl", "daemon-reload")
            server.go(channel, number, "disk-free")
            assert channel.hear("exit")["gate"] == "0"
            host.sh("rm -rf /etc/systemd/system/service.d")
    host.put("disk-free", unit_text("echo first; echo last >&2"))
    assert host.starts("disk-free") == before and words in host.log(number)


def test_a_unit_that_somebody_else_has_started_is_not_started(host, server, number):
    with contextlib.closing(server.at_gate(number, "clear-cache")) as channel:
        host.run("systemctl", "start", "--no-block", "deploybot-do-clear-cache.service")
        wait_until(lambda: is_active(host, "clear-cache"), PATIENCE_S, "the unit")
        server.go(channel, number, "clear-cache")
        assert channel.hear("exit")["gate"] == "0"
    assert is_active(host, "clear-cache") and "already" in host.log(number)
    host.run("systemctl", "stop", "deploybot-do-clear-cache.service")


@pytest.mark.parametrize("script", [
    "mv {unit} /srv/u; ln -s /srv/u {unit}", "chmod g+w {unit}", "chown 1 {unit}", "chmod o+w {folder}",
    "mv {folder} /srv/f; ln -s /srv/f {folder}", "mkdir {unit}.d; echo >{unit}.d/x.conf; chmod o+w {unit}.d/x.conf",
    "mkdir {unit}.d; echo >{unit}.d/x.conf; chmod o+w {unit}.d", "chmod 600 {unit}",
    "mkdir {unit}.d; echo >/opt/x.conf; ln -s /opt/x.conf {unit}.d",
    "echo RemainAfterExit=yes >>{unit}", "echo Restart=on-failure >>{unit}", "echo KillMode=process >>{unit}",
    "echo Type=simple >>{unit}", "head -c 70000 /dev/zero | tr '\\0' '#' >>{unit}"])
def test_a_unit_that_cannot_be_trusted_is_no_capability(host, script):
    folder = "/etc/systemd/system"
    with another_unit(host, "reload-nginx", unit_text("true")):
        assert is_there(host)
        host.sh(script.format(unit=f"{folder}/deploybot-do-reload-nginx.service", folder=folder) +
                "; systemctl daemon-reload")
        try:
            assert not is_there(host)
            said = host.run("/usr/lib/deploybot/deploybot-agent", "check", check=False)
            assert said.returncode == 1 and "WRONG" in said.stdout, said.stdout
        finally:
            host.sh(f"chmod 755 {folder}; [[ ! -L {folder} ]] || {{ rm {folder}; mv /srv/f {folder}; }}; "
                    "rm -rf /srv/d /srv/u")


def test_check_says_what_there_is_and_what_is_wrong(host):
    said = host.run("/usr/lib/deploybot/deploybot-agent", "check")
    with contextlib.closing(Server(host)) as server:
        for name, digest in server.hello.capabilities.items():
            assert f"{name:<15} {digest} /etc/systemd/system/deploybot-do-{name}.service\n" in said.stdout
        assert f"{server.hello['manifest']}\n" in said.stdout and "service-status  -: there is no" in said.stdout
    with another_unit(host, "reload-nginx", unit_text("true").replace("900", "30")):
        said = host.run("/usr/lib/deploybot/deploybot-agent", "check", check=False)
        assert said.returncode == 1 and "below its order's 60 s" in said.stdout


def test_the_sample_units_are_what_they_are_to_be(host):
    folder = ROOT / "deploy/agent/units"
    with contextlib.ExitStack() as stack:
        for path in sorted(folder.iterdir()):
            name = path.name.removeprefix("deploybot-do-").removesuffix(".service")
            stack.enter_context(another_unit(host, name, path.read_text("utf-8")))
        said = host.run("/usr/lib/deploybot/deploybot-agent", "check")
        assert said.stdout.count("/etc/systemd/system/") == 6, said.stdout


# ---- the agent dies, or cannot write ------------------------------------------------------------------

AT_GATE = ("agent_order_read", "agent_record_made", "agent_started_said", "agent_go_read")
BEHIND = ("agent_gate_flushed", "agent_unit_started", "agent_unit_ended", "agent_record_due", "agent_record_done")


@pytest.mark.parametrize("point", AT_GATE + BEHIND)
def test_an_agent_that_is_killed_never_starts_twice_and_never_lies(host, number, point):
    host.restart_agent(point)
    name = "clear-cache" if point == "agent_unit_started" else "disk-free"
    before = host.starts(name)
    with contextlib.closing(Server(host)) as server, contextlib.suppress(OSError, AttributeError, AssertionError):
        server.send("run", **server.fields(number, name, server.challenge()))
        server.hear("started")
        with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
            channel.hear("hello")
            server.go(channel, number, name)
            channel.hear("exit")
    wait_until(lambda: host.active(UNIT) == ["failed"], PATIENCE_S, "its death")
    host.restart_agent()
    with contextlib.closing(Server(host)) as server:
        settled = server.settle(number)
        started = host.starts(name) - before
        if point == "agent_order_read":
            assert (settled["state"], started) == ("never", 0)
            return
        assert server.order(number, name)["why"] == "exists"
        if point in AT_GATE:
            assert (settled["state"], settled["gate"], started) == ("ended", "0", 0)
        elif point == "agent_record_done":
            assert (settled["state"], settled["status"], started) == ("ended", "0", 1)
        else:
            assert (settled["state"], settled["gate"], settled["lost"], settled["unswept"]) == ("lost", "1", "1", "0")
            assert started == (0 if point == "agent_gate_flushed" else 1) and not is_active(host, name)


@pytest.mark.parametrize("command", ["daemon-reload", "daemon-reexec"])
def test_a_systemd_that_begins_anew_says_the_end(host, number, command):
    with another_unit(host, "disk-free", unit_text("echo begun; until [ -e /run/anew ]; do sleep 1; done; exit 4")), \
            contextlib.closing(Server(host)) as server, \
            contextlib.closing(server.at_gate(number, "disk-free")) as channel:
        server.go(channel, number, "disk-free")
        wait_until(lambda: is_active(host, "disk-free"), PATIENCE_S, "the unit")
        host.sh(f"systemctl {command}; touch /run/anew")
        over = channel.hear("exit")
        assert (over["status"], over["lost"], over["timed_out"]) == ("4", "0", "0")
    assert host.log(number).startswith("begun\n")
    host.sh("rm /run/anew")


def test_an_agent_whose_bus_has_gone_is_lost_and_comes_again(host, server, number):
    with contextlib.closing(server.at_gate(number, "clear-cache")) as channel:
        server.go(channel, number, "clear-cache")
        wait_until(lambda: is_active(host, "clear-cache"), PATIENCE_S, "the unit")
        host.sh("systemctl restart dbus")
        assert channel.hear("exit") is None
    with contextlib.closing(Server(host)) as again:
        wait_until(lambda: again.settle(number)["state"] != "alive", PATIENCE_S, "its end")
        assert again.settle(number)["state"] == "lost" and not is_active(host, "clear-cache")
        assert again.play(next(RUNS), "disk-free")["status"] == "0"


def test_a_stop_of_the_agent_lets_the_run_end(host, number):
    with another_unit(host, "disk-free", unit_text("echo begun; while [ ! -e /run/end ]; do sleep 0.1; done")):
        with contextlib.closing(Server(host)) as server:
            with contextlib.closing(server.at_gate(number, "disk-free")) as channel:
                server.go(channel, number, "disk-free")
                wait_until(lambda: is_active(host, "disk-free"), PATIENCE_S, "the unit")
                host.run("systemctl", "restart", "--no-block", UNIT)
                wait_until(lambda: host.active(UNIT) == ["deactivating"], PATIENCE_S, "its stop")
                assert server.order(next(RUNS), "disk-free")["why"] == "failed"
                host.sh("touch /run/end")
                assert channel.hear("exit")["status"] == "0"
    with contextlib.closing(Server(host)) as server:
        assert server.settle(number)["state"] == "ended"


def test_a_full_disk_costs_the_log_and_no_record(host, number):
    host.sh(f"systemctl stop {UNIT}; mkdir -p /srv/full; mount -t tmpfs -o size=256k full /srv/full; "
            f"cp -a {STATE}/records /srv/full/; chown deploybot-agent: /srv/full; "
            f"mount --bind /srv/full {STATE}; systemctl start {UNIT}")
    try:
        with another_unit(host, "disk-free", unit_text("yes | head -c 300000")), \
                contextlib.closing(Server(host)) as server:
            over = server.play(number, "disk-free")
            assert (over["gate"], over["status"]) == ("1", "0")
            host.sh(f"cat /dev/zero >{STATE}/rest || true")
            number = next(RUNS)
            answer = server.order(number, "disk-free")
            if answer.kind == "started":        # a folder took no block
                with contextlib.closing(Channel(host, f"{STATE}/runs/{number}/socket")) as channel:
                    channel.hear("hello")
                    server.go(channel, number, "disk-free")
                    assert channel.hear("exit")["gate"] == "1"
                assert server.settle(number)["status"] == "0"
            else:
                assert server.settle(number)["state"] == "never"
    finally:
        host.sh(f"systemctl stop {UNIT}; umount {STATE} /srv/full; systemctl start {UNIT}")


def test_a_first_start_on_a_full_disk_takes_no_orders(host):
    host.sh(f"systemctl stop {UNIT}; mkdir -p /srv/full; mount -t tmpfs -o size=16k full /srv/full; "
            f"chown deploybot-agent: /srv/full; mount --bind /srv/full {STATE}")
    try:
        host.run("systemctl", "start", UNIT, check=False)
        wait_until(lambda: "room for them: No space left" in host.journal(UNIT), PATIENCE_S, "its words")
    finally:
        host.sh(f"systemctl stop {UNIT}; umount {STATE} /srv/full; systemctl reset-failed {UNIT} || true; "
                f"systemctl start {UNIT}")


# ---- what its user may do ----------------------------------------------------------------------------

def test_its_user_starts_and_stops_these_units_and_nothing_else(host):
    host.put("other", unit_text("true"))
    for words, is_good in (("start deploybot-do-disk-free.service", True),
                           ("stop deploybot-do-disk-free.service", True),
                           ("restart deploybot-do-disk-free.service", False),
                           ("kill deploybot-do-disk-free.service", False),
                           ("start deploybot-do-other.service", False), (f"stop {UNIT}", False),
                           ("daemon-reload", False),
                           ("set-environment A=B", False), ("reboot", False),
                           ("enable deploybot-do-disk-free.service", False)):
        done = host.as_user("deploybot-agent", f"systemctl --no-ask-password {words}", check=False)
        assert (done.returncode == 0) == is_good, f"{words}: {done.stdout}"
    done = host.as_user("deploybot-agent", "systemd-run --no-ask-password true", check=False)
    assert done.returncode != 0


def test_its_settings_are_roots_and_whole(host):
    good = f"{NAME}ORDER_KEYS={key_of(1)[1]}\n"
    for text, said in (("", "AGENT_NAME"), (NAME, "ORDER_KEYS"), (f"{NAME}ORDER_KEYS=abc\n", "64 hex"),
                       (good + "PLUGIN=1\n", "PLUGIN"), (good.replace("acme", "a b"), "AGENT_NAME")):
        host.configure(text)
        done = host.run("/usr/lib/deploybot/deploybot-agent", "check", check=False)
        assert done.returncode == 1 and said in done.stdout, done.stdout
    host.configure(good)
    host.sh("chmod o+w /etc/deploybot-agent/agent.conf")
    host.sh(f"systemctl restart {UNIT} || true")
    wait_until(lambda: "may be written by others" in host.journal(UNIT), PATIENCE_S, "its words")
    host.sh(f"chmod o-w /etc/deploybot-agent/agent.conf; systemctl reset-failed {UNIT}; systemctl start {UNIT}")


def test_its_unit_is_a_sandbox(host):
    said = host.run("systemd-analyze", "security", "--no-pager", UNIT).stdout
    assert float(said.split("Overall exposure level for")[1].split(":")[1].split()[0]) <= 1.5, said[-300:]
    memory = int(host.show(UNIT, "MemoryCurrent") if host.show(UNIT, "MemoryCurrent").isdigit() else 0)
    assert memory < 32 << 20
