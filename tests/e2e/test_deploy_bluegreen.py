"""Goal: blue/green over ssh, with a real nginx: releases take turns at two ports, nobody who asks meanwhile is refused;
whatever fails or is killed, nginx points at a release that runs, and the next attempt works."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from runner_client import wait_for
from ssh_aid import COMPOSE, BlueGreenBench, People

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def bench(tmp_path, tools_folder):
    if not os.access("/usr/sbin/nginx", os.X_OK):
        pytest.skip("nginx is not installed")
    made = BlueGreenBench(tmp_path, tools_folder)
    yield made
    made.done()
    wait_for(made.is_quiet, "the host to be at rest", 60)


def is_whole(bench, digest):
    """This release runs and answers, alone; file and .env say so."""
    (port,) = bench.port_of(digest)
    assert bench.serves() == digest
    assert len(bench.engine()["containers"]) == 1 and bench.file_says() == port
    assert f"DEPLOY_IMAGE={bench.image}@{digest}\nDEPLOY_PORT={port}\n" in (bench.app / ".env").read_text()


def deploy(bench, commit):
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, "\n".join(said)
    return said


# ---- without trouble ---------------------------------------------------------------------------


def test_releases_take_turns_at_the_ports_and_nobody_is_refused(bench):
    _, one = bench.shipped("one")
    assert bench.steps() == ["preflight", f"image {one}", "start", "release", "switch h1", "clean"]
    assert bench.port_of(one) == [bench.ports[1]]   # the file named the other one, where nothing ran
    is_whole(bench, one)
    commit, two = bench.release("two")
    with People(bench) as people:
        deploy(bench, commit)
    assert bench.port_of(two) == [bench.ports[0]]
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got


def test_the_first_release_is_rolled_back_to_what_ran_before_deploybot(bench):
    """Somebody has started it in that folder, without a port of ours."""
    labels = {"project": "app", "service": "app", "oneoff": "False", "project.working_dir": str(bench.app)}
    box = {"id": "9" * 64, "name": "app_app_1", "of": "shop:old", "labels": labels, "status": "running"}
    bench.change_engine(images={"shop:old": "sha256:id-of-before"}, containers=[box],
                        health={"sha256:id-of-before": "healthy"})
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous ")]
    assert bench.serves() == digest
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0, said
    assert bench.ask()[1] == word.replace("target:", "deploybot-before:")


@pytest.mark.long
def test_a_release_that_serves_already_is_neither_started_nor_reloaded(bench):
    commit, digest = bench.shipped("one")
    (bench.host() / "calls").unlink()
    assert any("serves already on port" in line for line in deploy(bench, commit))
    assert not [call for call in bench.host_calls() if call[0] == "nginx" or "up" in call]
    is_whole(bench, digest)


@pytest.mark.long
def test_two_kinds_of_compose_name_the_projects_alike(tmp_path, tools_folder):
    made = BlueGreenBench(tmp_path, tools_folder, "v2")
    try:
        _, digest = made.shipped("one")
        is_whole(made, digest)
        assert made.engine()["containers"][0]["labels"]["project"] == f"app-{made.ports[1]}"
    finally:
        made.done()


def test_two_environments_do_not_lead_one_nginx(bench):
    """Whatever the settings say: the file on the host names whose it is, and the other's release touches nothing."""
    bench.shipped("one")
    assert bench.upstream.read_text().endswith("; # deploybot: staging\n")
    before = bench.upstream.read_text(), bench.engine()["containers"]
    other = bench.path / "production"
    other.mkdir()
    (other / "docker-compose.yml").write_text((bench.app / "docker-compose.yml").read_text())
    bench.environment |= {"PRODUCTION_HOST": "h1", "PRODUCTION_COMPOSE_DIR": str(other)}
    commit, _ = bench.release("two")
    for program in (("deploy.sh", "production", commit), ("target.sh", "production", "preflight")):
        status, said = bench.run(*program)
        assert status == 78 and "is staging's, not production's" in said[-1], said
    assert "release" not in bench.steps()
    assert (bench.upstream.read_text(), bench.engine()["containers"]) == before
    deploy(bench, commit)  # whose it is goes on
    bench.upstream.write_text(bench.upstream.read_text().partition(";")[0] + ";\n")
    status, said = bench.run("target.sh", "production", "preflight")
    assert status == 0, said  # nobody's again


def test_an_applications_environment_has_its_nginx_by_both_names(bench):
    """Read back whole: with half a name it would keep itself out, or let another one's environment in."""
    own = ("REPOSITORY_URL", "REGISTRY_IMAGE", "NGINX_UPSTREAM_FILE", "APP_PORTS", "SMOKE_URL", "STAGING_HOST",
           "STAGING_COMPOSE_DIR")
    (bench.path / "apps").mkdir()
    (bench.path / "apps" / "shop.env").write_text(
        "".join(f"{name}={bench.environment[name]}\n" for name in own if name in bench.environment))
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    for text in ("one", "two"):
        commit, digest = bench.release(text)
        status, said = bench.run("deploy.sh", "shop/staging", commit)
        assert status == 0, said
        assert bench.serves() == digest and bench.upstream.read_text().endswith("; # deploybot: shop/staging\n")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 78 and "is shop/staging's, not staging's" in said[-1], said


def test_a_renamed_environment_keeps_its_nginx(bench):
    """What names it by its former name is its own, and nobody else's."""
    bench.shipped("one")
    (bench.path / "apps").mkdir()
    own = ("REPOSITORY_URL", "REGISTRY_IMAGE", "NGINX_UPSTREAM_FILE", "APP_PORTS", "SMOKE_URL", "STAGING_HOST",
           "STAGING_COMPOSE_DIR")
    text = "".join(f"{name}={bench.environment[name]}\n" for name in own if name in bench.environment)
    (bench.path / "apps" / "shop.env").write_text(text + "RENAMED_FROM=web\n")
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    commit, digest = bench.release("two")
    status, said = bench.run("deploy.sh", "shop/staging", commit)
    assert status == 78 and "is staging's, not shop/staging's" in said[-1], said
    (bench.path / "apps" / "shop.env").write_text(text + "RENAMED_FROM=.\n")
    (bench.state / "apps/shop.staging").rename(bench.path / "of-the-try")
    status, said = bench.run("deploy.sh", "shop/staging", commit)
    assert status == 0, said
    assert bench.serves() == digest and bench.upstream.read_text().endswith("; # deploybot: shop/staging\n")


# ---- a release or an nginx that is not as it should be -----------------------------------------


@pytest.mark.parametrize("how, says", [("sick", "health check fails"), ("broken", "ended with status 7")])
def test_a_release_that_is_not_well_touches_nothing(bench, how, says):
    _, one = bench.shipped("one")
    before = bench.engine()["containers"]
    commit, two = bench.release("two")
    if how == "sick":
        bench.set_health(two, "unhealthy")
    else:
        bench.change_engine(broken=["sha256:id-of-" + two[-8:]])
    with People(bench) as people:
        status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and says in said[-1] and "release" not in bench.steps(), said
    assert bench.engine()["containers"] == before and set(people.got) <= {one}
    is_whole(bench, one)


@pytest.mark.long
def test_a_reload_that_fails_points_back(bench):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    (bench.host() / "nginx.refuses").write_text(f"127.0.0.1:{bench.ports[0]}")
    with People(bench) as people:
        status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "[emerg] something is wrong" in said[-1] and "serves still" in said[-1], said
    is_whole(bench, one)
    assert set(people.got) <= {one}
    (bench.host() / "nginx.refuses").unlink()
    deploy(bench, commit)
    is_whole(bench, two)


def needs_a_root_that_is_mounted():
    """Whose root is no mount, as in a chroot, does not learn which file another process means: none is refused."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        if "/" not in [line.split()[4] for line in mounts]:
            pytest.skip("this root is no mount: what nginx reads cannot be told")


def test_an_nginx_that_does_not_read_the_file_is_refused_with_nothing_touched(bench):
    needs_a_root_that_is_mounted()
    bench.configure(f"server 127.0.0.1:{bench.ports[0]};")
    commit, one = bench.release("one")
    for _ in range(2):
        status, said = bench.run("deploy.sh", "staging", commit)
        assert status == 70 and f"nginx does not read {bench.upstream}: include it inside upstream" in said[-1], said
        assert "release" not in bench.steps() and not bench.runs() and bench.file_says() == bench.ports[0]
    bench.configure(f"include {bench.upstream};")
    deploy(bench, commit)
    is_whole(bench, one)


@pytest.mark.long
def test_an_nginx_that_reads_the_file_no_more_keeps_the_container_it_uses(bench):
    needs_a_root_that_is_mounted()
    _, one = bench.shipped("one")
    bench.configure(f"server 127.0.0.1:{bench.ports[1]};")
    commit, two = bench.release("two")
    with People(bench) as people:
        for _ in range(2):
            status, said = bench.run("deploy.sh", "staging", commit)
            assert status == 70 and "nginx does not read" in said[-1], said
    assert set(people.got) <= {one} and bench.file_says() == bench.ports[1]
    bench.configure(f"include {bench.upstream};")
    deploy(bench, commit)
    is_whole(bench, two)


def without(text):
    return lambda bench: (bench.app / "docker-compose.yml").write_text(text)


@pytest.mark.long
@pytest.mark.parametrize("spoil, says", [
    (without(COMPOSE), "below ports this line is missing"),
    (lambda bench: bench.upstream.unlink(), "make it with the line \"server 127.0.0.1:"),
    (lambda bench: bench.upstream.write_text("server 127.0.0.1:80;\n"), "says neither server 127.0.0.1:"),
    (lambda bench: bench.environment.update(NGINX_RELOAD_COMMAND="reload-it"), "the program reload-it is missing"),
])
def test_a_host_that_is_not_ready_for_it_is_told_what_is_missing(bench, spoil, says):
    spoil(bench)
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70 and says in said[-1], said
    assert "start" not in bench.steps() and "build" not in bench.steps()


# ---- ended, killed -----------------------------------------------------------------------------


def hook_that_hangs(bench):
    """Between the start of the new container and the switch."""
    return bench.hook("pre-deploy", "10-hang", f"echo $$ >{bench.path}/hook.pid; exec sleep 600")


def interrupted(bench, moment, commit, old):
    """A deployment hung at this moment; (its process, what hangs on the host)."""
    if moment == "new started, not switched":
        hook = hook_that_hangs(bench)
        process = bench.start("deploy.sh", "staging", commit)
        wait_for((bench.path / "hook.pid").exists, "the hook to run", 60)
        hook.unlink()
        return process, []
    bench.host_plan({"when": {
        "starting": ["compose", "-p", f"app-{bench.ports[0]}", "up"],
        "file written, not reloaded": ["nginx"],
        "reloaded, old not stopped": ["compose", "-p", f"app-{old}", "rm"]}[moment], "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    return process, [bench.until_host_hangs()]


@pytest.mark.long
@pytest.mark.parametrize("moment, after", [
    ("starting", "the same again"), ("new started, not switched", "the same again"),
    ("new started, not switched", "another"), ("file written, not reloaded", "the same again"),
    ("file written, not reloaded", "a rollback"), ("reloaded, old not stopped", "another"),
    ("reloaded, old not stopped", "a rollback")])
def test_after_a_host_was_cut_off_in_the_middle_whatever_comes_next_works(bench, moment, after):
    commit, one = bench.shipped("one")
    another, three = bench.release("three") if after == "another" else (None, None)
    wanted, two = bench.release("two")
    (port,) = bench.port_of(one)
    with People(bench) as people:
        process, hangs = interrupted(bench, moment, wanted, port)
        bench.kill_session(process)
        bench.kill_host(*hangs)
        bench.host_plan()
        (bench.host() / "calls").unlink()
        if after == "a rollback":
            status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
            assert status == 0, said
        else:
            deploy(bench, wanted if after == "the same again" else another)
    is_whole(bench, {"the same again": two, "a rollback": one, "another": three}[after])
    assert set(people.got) <= {one, two, three}, people.got
    if after == "a rollback" or (after == "the same again" and moment != "starting"):
        assert not [call for call in bench.host_calls() if "up" in call], "what runs still is only switched to"


@pytest.mark.long
@pytest.mark.parametrize("moment", ["while it starts", "before the switch"])
def test_a_deployment_that_is_ended_before_the_switch_takes_the_new_one_away(bench, moment):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    if moment == "while it starts":
        bench.set_health(two, "starting")
        process = bench.start("deploy.sh", "staging", commit)
        wait_for(lambda: bench.port_of(two), "the new one to start", 60)
    else:
        process, _ = interrupted(bench, "new started, not switched", commit, 0)
    with People(bench) as people:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) not in (0, 70)
        wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert set(people.got) <= {one} and "release" not in bench.steps()
    is_whole(bench, one)


@pytest.mark.long
@pytest.mark.parametrize("step", ["start", "release", "switch h1", "clean"])
def test_a_script_killed_at_any_step_leaves_a_whole_release(bench, step):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    with People(bench) as people:
        process = bench.start("deploy.sh", "staging", commit)
        wait_for(lambda: step in bench.steps(), f"the step {step}", 60)
        bench.kill_session(process)
        deploy(bench, commit)
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard"])
def test_whichever_of_the_two_on_the_host_is_killed_in_a_switch_one_release_serves(bench, who):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    with People(bench) as people:
        process, (hangs,) = interrupted(bench, "file written, not reloaded", commit, bench.port_of(one)[0])
        guard, worker = bench.host_processes()[:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        bench.host_plan()
        os.kill(hangs, signal.SIGKILL)
        assert process.wait(timeout=120) == 70
        wait_for(bench.is_quiet, "the host to be at rest", 60)
        assert bench.port_of(bench.serves()) == [bench.file_says()]
        deploy(bench, commit)
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got
