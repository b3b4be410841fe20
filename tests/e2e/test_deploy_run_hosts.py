"""Goal: a run for some hosts says of each that it begins, and changes nothing there before that is kept; as many may
fail as were allowed; a rollback brings each back to what it ran before.  ssh and docker are stand-ins."""
# SPDX-License-Identifier: ISC
import contextlib
import fcntl
import os
import termios

import pytest

from commands_aid import cleans
from runner_client import wait_for
from ssh_aid import BlueGreenBench, SshBench, is_whole, until_at_rest
from systemd_aid import SystemdBench

HOSTS = ("h1:22", "h2:2222")


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"))


def names(bench, *lines):
    """A file of these hosts, as the runner writes it."""
    file = bench.path / "run-hosts"
    file.write_text("".join(f"{line}\n" for line in lines))
    return {"RUN_HOSTS": str(file), "STAGING_HOST": "h1,h2:2222"}


def dies(bench, *hosts):
    for host in hosts:
        bench.host(host).rename(bench.stand / "hosts" / f"dead-{host}")


def said_of_hosts(bench):
    return [step[5:] for step in bench.steps() if step.startswith("host ")]


def acts(bench, host=None):
    return [call[-1].split()[7] for call in bench.ssh_calls() if host is None or call[-2] == f"deploy@{host}"]


def test_each_host_begins_and_ends_and_none_of_it_is_a_step(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **names(bench, *HOSTS))
    assert status == 0, said
    assert bench.steps() == ["preflight", f"image {digest}", "pull", "release", "switch", "host h1:22 began",
                             "host h1:22 ok", "host h2:2222 began", "host h2:2222 ok", "clean-later"]
    status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL="true", **names(bench, *HOSTS))
    assert status == 0 and set(said_of_hosts(bench)) == {
        f"{name} {word}" for name in HOSTS for word in ("began", "ok")}, said


@pytest.mark.long
def test_a_wave_comes_to_its_own_hosts_alone(bench):
    commit, _ = bench.release("one")
    assert bench.run("deploy.sh", "staging", commit, **names(bench, "h2:2222"))[0] == 0
    assert said_of_hosts(bench) == ["h2:2222 began", "h2:2222 ok"] and not acts(bench, "h1")
    assert acts(bench, "h2") == ["check", "pull", "switch"]


@pytest.mark.parametrize("most,reached", [("0", False), ("1", True)])
def test_a_host_that_fails_is_put_back_and_the_others_go_on_as_long_as_it_may_fail(bench, most, reached):
    bench.shipped("one", STAGING_HOST="h1,h2:2222")
    commit, digest = bench.release("two")
    bench.host_plan({"when": ["compose", "up"], "status": 1, "times": 1}, name="h1")
    status, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX=most, **names(bench, *HOSTS))
    told = said_of_hosts(bench)
    assert told[0] == "h1:22 began" and told[1].startswith("h1:22 failed "), told
    assert told[2:] == (["h2:2222 began", "h2:2222 ok"] if reached else []), told
    assert status == (0 if reached else 70), said
    assert ((f"{bench.image}@{digest}", "running") in bench.runs("h2")) == reached
    assert (f"{bench.image}@{digest}", "running") not in bench.runs("h1")


@pytest.mark.long
@pytest.mark.parametrize("most,status", [("0", 69), ("1", 0)])
def test_a_host_that_does_not_answer_counts_and_is_left_out_of_all_that_follows(bench, most, status):
    commit, _ = bench.release("one")
    dies(bench, "h1")
    done, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX=most, **names(bench, *HOSTS))
    told = said_of_hosts(bench)
    assert done == status and told[0].startswith("h1:22 failed unreachable: "), said
    assert told[1:] == (["h2:2222 began", "h2:2222 ok"] if status == 0 else []), told
    assert set(acts(bench, "h1")) <= {"check"}


@pytest.mark.parametrize("most,status", [("0", 78), ("1", 0)])
def test_a_host_whose_key_is_not_known_is_one_that_has_failed(bench, most, status):
    commit, _ = bench.release("one")
    bench.known.write_text(bench.known.read_text().partition("\n")[2])
    done, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX=most, **names(bench, *HOSTS))
    told = said_of_hosts(bench)
    assert done == status and told[0].startswith("h1:22 failed unreachable: known_hosts has no key of h1: "), said
    assert told[1:] == (["h2:2222 began", "h2:2222 ok"] if status == 0 else []) and not acts(bench, "h1"), told
    assert (acts(bench, "h2") == []) == (status != 0)


@pytest.mark.long
def test_a_host_whose_key_is_not_known_keeps_no_other_from_being_rolled_back(bench):
    one = bench.shipped("one", STAGING_HOST="h1,h2:2222")
    commit, _ = bench.release("two")
    assert bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")[0] == 0, bench.said()
    bench.known.write_text(bench.known.read_text().partition("\n")[2])
    status, said = bench.run("rollback.sh", "staging", f"{one[0]}@{one[1]}",
                             **names(bench, f"= {one[0]}@{one[1]}", *HOSTS))
    told = said_of_hosts(bench)
    assert status == 0 and told[0].startswith("h1:22 failed unreachable: known_hosts has no key of h1: "), said
    assert told[1:] == ["h2:2222 began", "h2:2222 ok"], told


@pytest.mark.long
def test_where_all_hosts_of_a_wave_fail_it_has_failed_whatever_may(bench):
    commit, _ = bench.release("one")
    dies(bench, "h1", "h2")
    status, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX="5", **names(bench, *HOSTS))
    assert status == 69 and [line.split()[1] for line in said_of_hosts(bench)] == ["failed", "failed"], said


def test_nothing_is_switched_before_its_line_is_kept(bench):
    """It has read that another one is kept, and waits on."""
    commit, _ = bench.release("one")
    script, ours = os.pipe()
    bench.pass_fds = (script,)
    os.write(ours, b"h2:2222\n")
    process = bench.start("deploy.sh", "staging", commit, HOST_ACKS=str(script), **names(bench, *HOSTS))
    wait_for(lambda: fcntl.ioctl(script, termios.FIONREAD, bytes(4)) == bytes(4), "it to read that", 60)
    assert said_of_hosts(bench) == ["h1:22 began"] and "switch" not in acts(bench) and process.poll() is None
    os.write(ours, b"h1:22\n")
    assert process.wait(timeout=60) == 0 and acts(bench).count("switch") == 2, bench.said()
    os.close(script)
    os.close(ours)


@pytest.mark.long
def test_one_that_waits_for_that_is_ended_by_a_signal(bench):
    commit, _ = bench.release("one")
    script, ours = os.pipe()
    bench.pass_fds = (script,)
    process = bench.start("deploy.sh", "staging", commit, HOST_ACKS=str(script), **names(bench, *HOSTS))
    wait_for(lambda: "==> host h1:22 began" in bench.said(), "the first host", 60)
    process.terminate()
    assert process.wait(timeout=60) == 143 and "switch" not in acts(bench), bench.said()
    os.close(script)
    os.close(ours)


@pytest.mark.long
@pytest.mark.parametrize("wave,kinds", [
    ("1/3", ["pre-start", "pre-deploy"]), ("2/3", []), ("3/3", ["post-deploy"]),
    ("", ["pre-start", "pre-deploy", "post-deploy"])])
def test_hooks_run_once_in_a_deployment_and_know_the_wave(bench, wave, kinds):
    for kind in ("pre-start", "pre-deploy", "post-deploy"):
        bench.hook(kind, "10-say", f'echo "$HOOK:$WAVE" >>"{bench.path}/hooks.ran"')
    commit, _ = bench.release("one")
    (bench.path / "hooks.ran").unlink(missing_ok=True)
    status, said = bench.run("deploy.sh", "staging", commit, WAVE=wave or None, **names(bench, "h1:22"))
    ran = bench.path / "hooks.ran"
    have = ran.read_text().split() if ran.exists() else []
    assert status == 0 and have == [f"{kind}:{wave}" for kind in kinds], said
    assert ("clean-later" in bench.steps()) == (wave in ("", "3/3"))


@pytest.mark.long
@pytest.mark.parametrize("wave,migrates", [("1/2", True), ("2/2", False)])
def test_the_first_wave_migrates_on_its_first_host(bench, wave, migrates):
    commit, digest = bench.release("one")
    release = commit if migrates else f"{commit}@{digest}"
    status, said = bench.run("deploy.sh", "staging", release, WAVE=wave, MIGRATE_COMMAND="bin/migrate",
                             **names(bench, "h2:2222", "h1:22"))
    assert status == 0 and ("migrate" in bench.steps()) == migrates, said
    assert ("migrate" in acts(bench, "h2")) == migrates and "migrate" not in acts(bench, "h1")


@pytest.mark.parametrize("most", ["0", "2"])
def test_a_host_that_runs_something_else_than_it_should_is_named_and_nothing_is_begun(bench, most):
    one, other = bench.shipped("one", STAGING_HOST="h1,h2:2222"), bench.shipped("other", STAGING_HOST="h2:2222")
    commit, _ = bench.release("two")
    before = len(bench.ssh_calls())
    should = names(bench, f"= {one[0]}", *HOSTS)
    status, said = bench.run("deploy.sh", "staging", commit, WAVE_FAILURES_MAX=most, **should)
    stray = f"host h2:2222 failed unknown: it runs {other[0][:7]}, not {one[0][:7]}"
    assert status == 70 and bench.steps() == ["preflight", stray], said
    assert {call[-1].split()[7] for call in bench.ssh_calls()[before:]} == {"check"}
    for expected in (("h2:2222", f"= {one[0]}", "h1:22"),
                     (f"= {one[0]}", "h1:22", f"= {other[0]}@{other[1]}", "h2:2222")):
        status, said = bench.run("deploy.sh", "staging", commit, **names(bench, *expected))
        assert status == 0 and said_of_hosts(bench)[:2] == ["h1:22 began", "h1:22 ok"], said
        for release, host in ((one, "h1,h2:2222"), (other, "h2:2222")):
            assert bench.run("deploy.sh", "staging", f"{release[0]}@{release[1]}", STAGING_HOST=host)[0] == 0


def test_a_host_where_nothing_runs_that_should_is_named(bench):
    one = bench.shipped("one")
    status, said = bench.run("rollback.sh", "staging", "none", **names(bench, "= none", "h1:22"))
    assert status == 0, said
    status, said = bench.run("deploy.sh", "staging", one[0], **names(bench, f"= {one[0]}", "h1:22"))
    assert status == 70 and said_of_hosts(bench) == [
        f"h1:22 failed unknown: it runs no known release, not {one[0][:7]}"], said


@pytest.mark.long
def test_a_rollback_brings_each_host_back_to_what_it_ran(bench):
    one, two = bench.shipped("one", STAGING_HOST="h1"), bench.shipped("two", STAGING_HOST="h2:2222")
    commit, _ = bench.release("three")
    assert bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")[0] == 0, bench.said()
    groups = (f"= {one[0]}@{one[1]}", "h1:22", f"= {two[0]}@{two[1]}", "h2:2222")
    status, said = bench.run("rollback.sh", "staging", f"{one[0]}@{one[1]}", **names(bench, *groups))
    assert status == 0, said
    assert said_of_hosts(bench) == ["h1:22 began", "h1:22 ok", "h2:2222 began", "h2:2222 ok"]
    for host, (_, digest) in (("h1", one), ("h2", two)):
        assert (f"{bench.image}@{digest}", "running") in bench.runs(host)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_rollback_goes_on_without_a_host_that_is_dead_and_names_it(bench, grouped):
    one = bench.shipped("one", STAGING_HOST="h1,h2:2222")
    commit, _ = bench.release("two")
    assert bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")[0] == 0, bench.said()
    dies(bench, "h1")
    release = f"{one[0]}@{one[1]}"
    groups = (f"= {release}", "h1:22", f"= {one[0]}", "h2:2222") if grouped else (f"= {release}", *HOSTS)
    status, said = bench.run("rollback.sh", "staging", release, **names(bench, *groups))
    told = said_of_hosts(bench)
    assert status == 0 and told[0].startswith("h1:22 failed unreachable: "), said
    assert told[1:] == ["h2:2222 began", "h2:2222 ok"], told
    assert (f"{bench.image}@{one[1]}", "running") in bench.runs("h2")


@pytest.mark.long
def test_a_rollback_that_fails_on_a_host_that_answers_rolls_back_the_others_and_has_failed(bench):
    one = bench.shipped("one", STAGING_HOST="h1,h2:2222")
    commit, _ = bench.release("two")
    assert bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")[0] == 0, bench.said()
    bench.host_plan({"when": ["compose", "up"], "status": 1}, name="h1")
    release = f"{one[0]}@{one[1]}"
    status, said = bench.run("rollback.sh", "staging", release, **names(bench, f"= {release}", *HOSTS))
    told = said_of_hosts(bench)
    assert status == 70 and told[0] == "h1:22 began" and "h2:2222 ok" in told, said
    assert any(line.startswith("h1:22 failed ") for line in told)
    bench.host_plan(name="h1")


@pytest.mark.parametrize("kind", [SshBench, BlueGreenBench])
def test_where_nothing_ran_before_what_was_brought_is_ended_and_again_after_the_next_one(tmp_path, tools_folder, kind):
    with contextlib.contextmanager(until_at_rest)(kind(tmp_path, tools_folder, "v2")) as bench:
        for text in ("one", "two"):
            bench.shipped(text)
            assert [status for _, status in bench.runs()] == ["running"]
            status, said = bench.run("rollback.sh", "staging", "none", **names(bench, "= none", "h1:22"))
            assert status == 0 and said_of_hosts(bench) == ["h1:22 began", "h1:22 ok"], said
            assert not bench.runs() and "DEPLOY_" not in (bench.app / ".env").read_text()


STAYS = "h1:22 failed nothing is ended: what ran there before the release is not known"


@pytest.mark.parametrize("there", ["another release", "what ran before deploybot", "that, which came back"])
def test_where_something_ran_before_nothing_is_ended_and_the_others_are_rolled_back(bench, there):
    bench.by_hand()
    one = bench.shipped("one")
    now = one
    if there == "another release":
        now = bench.shipped("two")
    elif there == "that, which came back":
        status, said = bench.run("rollback.sh", "staging", [word for word in (
            bench.app / ".deploybot.target").read_text().split() if "." not in word][0].join(("target:", "")))
        assert status == 0, said
        now = None
    before = bench.runs()
    groups = ("= none", "h1:22", f"= {one[0]}", "h2:2222")
    status, said = bench.run("rollback.sh", "staging", one[0], **names(bench, *groups))
    told = said_of_hosts(bench)
    assert status == 0 and told[0] == "h1:22 began" and told[1].startswith(STAYS), said
    assert told[2:] == ["h2:2222 began", "h2:2222 ok"] and bench.runs() == before and before, said
    assert now is None or (f"{bench.image}@{now[1]}", "running") in before


def test_where_nothing_ran_before_nobody_is_down_whatever_becomes_of_it(bench):
    """Of those who were served none answers: that it is ended elsewhere rolls nothing back."""
    one = bench.shipped("one")
    dies(bench, "h1")
    status, said = bench.run("rollback.sh", "staging", one[0], **names(bench, "= none", "h1:22"))
    assert status == 0 and said_of_hosts(bench)[0].startswith("h1:22 failed unreachable: "), said
    dies(bench, "h2")
    status, said = bench.run("rollback.sh", "staging", one[0], **names(
        bench, "= none", "h1:22", f"= {one[0]}", "h2:2222"))
    assert status == 69, said


def test_nothing_is_what_hosts_of_a_run_alone_go_back_to(bench):
    bench.shipped("one")
    status, said = bench.run("rollback.sh", "staging", "none")
    assert status == 64 and "none is for hosts alone" in said[-1] and bench.runs(), said


@pytest.mark.parametrize("lines", [
    (), ("h1:22 ",), ("-oProxyCommand=x",), ("h1,h2",), ("h1:22", "", "h2:2222"), ("$(id)",)])
def test_what_are_no_hosts_begins_nothing(bench, lines):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **names(bench, *lines))
    assert status == 64 and "RUN_HOSTS" in said[-1] and not bench.ssh_calls(), said


def test_a_transport_without_hosts_refuses_a_run_that_names_some(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, DEPLOY_TRANSPORT="spy", **names(bench, *HOSTS))
    assert status == 78 and "waves are for ssh, systemd and agent" in said[-1], said


@pytest.mark.long
def test_without_a_file_of_hosts_nothing_is_said_of_them_and_a_wave_means_nothing(bench):
    commit, _ = bench.release("one")
    settings = {"STAGING_HOST": "h1,h2:2222", "WAVE": "2/3", "WAVE_FAILURES_MAX": "9"}
    assert bench.run("deploy.sh", "staging", commit, **settings)[0] == 0
    assert not said_of_hosts(bench) and "switch h1" in bench.steps() and "clean-later" in bench.steps()
    cleans(bench, "staging", STAGING_HOST="h1,h2:2222")


@pytest.mark.long
def test_waves_of_units_ship_what_the_first_one_has_built_and_a_rollback_is_said_too(tmp_path, tools_folder):
    bench = SystemdBench(tmp_path, tools_folder)
    first, commit = bench.shipped_app(), bench.commit_app(build=f"echo built >>{bench.path}/built")
    for wave in ("1/2", "2/2"):
        status, said = bench.run("deploy.sh", "staging", commit, WAVE=wave, DEPLOYMENT_ID="9", **names(bench, "h1:22"))
        assert status == 0 and said_of_hosts(bench) == ["h1:22 began", "h1:22 ok"], said
        assert ("build" in bench.steps()) == (wave == "1/2") and bench.runs() == ("active", commit)
        status, said = bench.run("rollback.sh", "staging", commit, **names(bench, f"= {first}", "h1:22"))
        assert status == 0 and said_of_hosts(bench) == ["h1:22 began", "h1:22 ok"], said
        assert bench.runs() == ("active", first)
    status, said = bench.run("rollback.sh", "staging", "none", **names(bench, "= none", "h1:22"))
    assert said_of_hosts(bench)[1].startswith(STAYS) and bench.runs() == ("active", first), said
    assert (bench.path / "built").read_text() == "built\n"
    assert not list((bench.state / "apps" / "staging").glob("wave.*"))
    bench.done()


# ---- blue/green --------------------------------------------------------------------------------


@pytest.fixture
def bluegreen(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


def one_host(bench, *lines):
    file = bench.path / "run-hosts"
    file.write_text("".join(f"{line}\n" for line in lines))
    return {"RUN_HOSTS": str(file), "WAVE_FAILURES_MAX": "0"}


@pytest.mark.long
def test_blue_green_begins_with_a_host_at_its_switch_and_its_drain_ends_what_that_replaced(bluegreen):
    bench, name = bluegreen, f"{bluegreen.environment['STAGING_HOST']}:22"
    bench.environment |= {"DRAIN_SECONDS": "5"}
    one = bench.shipped("one")
    commit, two = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit, DEPLOYMENT_ID="41", **one_host(bench, name))
    steps = bench.steps()
    assert status == 0 and steps.index("start") < steps.index(f"host {name} began"), (steps, said)
    assert said_of_hosts(bench) == [f"{name} began", f"{name} ok"] and "drain-later" in steps
    assert bench.serves() == two and bench.port_of(one[1])      # it stands ready while the next wave goes on
    status, said = bench.run("drain.sh", "staging", DEPLOYMENT_ID="41", **one_host(bench, name))
    assert status == 0 and not bench.port_of(one[1]), said
    is_whole(bench, two)


@pytest.mark.long
def test_blue_green_of_a_host_whose_release_is_not_well_changes_nothing_there(bluegreen):
    bench, name = bluegreen, f"{bluegreen.environment['STAGING_HOST']}:22"
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    bench.set_health(two, "unhealthy")
    status, said = bench.run("deploy.sh", "staging", commit, **one_host(bench, name))
    assert status == 70 and said_of_hosts(bench)[0].startswith(f"{name} failed "), said
    assert bench.serves() == one and not bench.port_of(two)


@pytest.mark.long
def test_blue_green_takes_a_host_back_to_what_it_ran(bluegreen):
    bench, name = bluegreen, f"{bluegreen.environment['STAGING_HOST']}:22"
    one = bench.shipped("one")
    commit, _ = bench.release("two")
    assert bench.run("deploy.sh", "staging", commit, **one_host(bench, name))[0] == 0, bench.said()
    release = f"{one[0]}@{one[1]}"
    status, said = bench.run("rollback.sh", "staging", release, **one_host(bench, f"= {release}", name))
    assert status == 0 and said_of_hosts(bench) == [f"{name} began", f"{name} ok"], said
    assert bench.serves() == one[1]


def test_units_that_ran_nothing_before_are_stopped_and_run_the_next_release(tmp_path, tools_folder):
    bench = SystemdBench(tmp_path, tools_folder)
    for _ in range(2):
        commit = bench.shipped_app()
        assert bench.runs() == ("active", commit)
        status, said = bench.run("rollback.sh", "staging", "none", **names(bench, "= none", "h1:22"))
        assert status == 0 and said_of_hosts(bench) == ["h1:22 began", "h1:22 ok"], said
        assert bench.runs()[0] == "inactive" and not os.path.lexists(bench.app / "current")


def test_units_that_run_something_else_than_they_should_are_named_and_left(tmp_path, tools_folder):
    bench = SystemdBench(tmp_path, tools_folder)
    one, two = bench.shipped_app(), bench.shipped_app()
    status, said = bench.run("deploy.sh", "staging", one, **names(bench, f"= {one}", "h1:22"))
    assert status == 70 and said_of_hosts(bench) == [f"h1:22 failed unknown: it runs {two[:7]}, not {one[:7]}"], said
    assert bench.runs() == ("active", two) and "copy" not in bench.steps()
    status, said = bench.run("deploy.sh", "staging", one, **names(bench, f"= {two}", "h1:22"))
    assert status == 0 and bench.runs() == ("active", one), said
