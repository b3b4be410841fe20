"""Goal: every command has a deadline; what stops deploy.sh at any moment, signal or kill, leaves nothing for the next
to stumble over, and two never work on one target."""
# SPDX-License-Identifier: ISC
import os
import signal

import pytest

from commands_aid import ECR, password_file, private_folders, shipped
from runner_client import is_alive, wait_for

MOMENTS = [["docker", "build"], ["docker", "login"], ["docker", "push"], ["docker", "image", "inspect"], ["curl"]]
SECONDS = {f"{what}_SECONDS": "1" for what in ("BUILD", "LOGIN", "PUSH", "DOCKER", "REGISTRY", "KILL")}


@pytest.mark.long
@pytest.mark.parametrize("when", MOMENTS, ids=" ".join)
def test_a_command_that_hangs_is_ended_even_when_it_is_deaf(bench, when):
    bench.plan({"when": when, "hang": True, "deaf": True})
    process = bench.start("deploy.sh", "staging", bench.commit("one"), **password_file(bench), **SECONDS)
    pid = bench.until_hangs()
    assert process.wait(timeout=60) == 75 and "took longer than" in bench.said()[-1], bench.said()
    wait_for(lambda: not is_alive(pid) and not bench.session(process), "end of the deaf one")


@pytest.mark.long
def test_aws_that_hangs_is_ended(bench):
    bench.plan({"when": ["aws"], "hang": True})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_URL=ECR, **SECONDS)
    assert status == 75 and "aws ecr get-login-password took longer than 1 s" in said[-1]


SIGNALS = [*((signal.SIGTERM, when) for when in (*MOMENTS, ["spy", "ship"], ["hook"])),
           (signal.SIGINT, ["docker", "push"]), (signal.SIGHUP, ["spy", "ship"])]


@pytest.mark.long
@pytest.mark.parametrize("number,when", SIGNALS, ids=str)
def test_a_signal_ends_everything_at_once_and_cleans_up(bench, number, when):
    process = start_that_hangs(bench, when)
    config = [record["environment"]["DOCKER_CONFIG"] for record in bench.records() if "environment" in record][-1]
    assert os.path.exists(config)
    os.kill(process.pid, number)     # to the script alone, as by hand
    assert process.wait(timeout=60) == 128 + number and "ended by a signal" in bench.said()[-1]
    wait_for(lambda: not bench.session(process), "end of what the script started")
    assert not os.path.exists(config) and not private_folders(bench)
    let_go(bench)
    shipped(bench, "after")


def start_that_hangs(bench, when, environment="staging"):
    """A deployment that is at a moment, and stays there."""
    settings = password_file(bench)
    bench.environment.update(settings)
    commit = bench.commit("one")
    if when[0] == "hook":
        bench.hook("pre-deploy", "slow", f"echo $$ >{bench.stand}/hangs; exec sleep 600")
    elif when[0] == "spy":
        (bench.stand / f"{when[1]}.hang").touch()
    else:
        bench.plan({"when": when, "hang": True})
    process = bench.start("deploy.sh", environment, commit)
    if when[0] == "spy":
        wait_for(lambda: any(line.startswith(when[1]) for line in bench.spied()), "the transport's turn")
        wait_for(lambda: len(bench.session(process)) > 1, "what it hangs in")
    else:
        bench.until_hangs()
    return process


def let_go(bench):
    for file in (*bench.stand.glob("*.hang"), bench.stand / "plan", bench.stand / "hangs",
                 bench.hooks / "pre-deploy" / "slow"):
        file.unlink(missing_ok=True)


STEPS = [["spy", "preflight"], *MOMENTS, ["hook"], ["spy", "pull"], ["spy", "ship"]]


@pytest.mark.long
@pytest.mark.parametrize("when", STEPS, ids=" ".join)
def test_of_an_application_killed_at_any_step_the_next_attempt_works(bench, when):
    """While another application's environment of the same name goes on, and finds nothing of it."""
    (bench.path / "apps").mkdir()
    for name in ("shop", "blog"):
        (bench.path / "apps" / f"{name}.env").write_text(f"REPOSITORY_URL={bench.repository}\n")
    bench.environment.update(APPS_DIRECTORY=str(bench.path / "apps"))
    process = start_that_hangs(bench, when, "shop/staging")
    folders = private_folders(bench)
    bench.kill_session(process)
    let_go(bench)
    assert bench.run("deploy.sh", "blog/staging", bench.commit("other"))[0] == 0
    assert set(os.listdir(bench.state / "apps" / "blog.staging")) == {"lock", "before", "images", "clean"}
    assert all(os.path.exists(folder) for folder in folders)    # whoever it belongs to takes it away
    commit = bench.commit("after")
    status, said = bench.run("deploy.sh", "shop/staging", commit)
    assert status == 0, said
    assert bench.target().startswith(f"{commit}@")
    assert not any(os.path.exists(folder) for folder in folders)
    assert set(os.listdir(bench.state / "apps" / "shop.staging")) == {"lock", "before", "images", "clean"}
    assert set(os.listdir(bench.state / "apps")) == {"images.lock", "images.turn", "blog.staging", "shop.staging"}


@pytest.mark.long
@pytest.mark.parametrize("when", STEPS, ids=" ".join)
def test_killed_at_any_step_the_next_attempt_works(bench, when):
    process = start_that_hangs(bench, when)
    folders = private_folders(bench)
    assert folders or when == ["spy", "preflight"]
    bench.kill_session(process)
    assert all(os.path.exists(folder) for folder in folders)
    let_go(bench)
    commit, digest = shipped(bench, "after")
    assert bench.target() == f"{commit}@{digest}"
    assert not any(os.path.exists(folder) for folder in folders), "the next run removes what the killed one left"
    left = set(os.listdir(bench.state / "apps" / "staging"))
    assert left == {"lock", "before", "images", "clean"}, left


def test_a_lock_that_a_killed_git_left_is_in_nobodys_way(bench):
    (bench.state / "apps" / "staging").mkdir(parents=True)
    (bench.state / "apps" / "staging" / "build.index.lock").touch()
    shipped(bench, "one")


def test_a_commit_that_cannot_be_laid_out_is_said_with_what_to_do(bench):
    commit = bench.commit("one")
    (bench.bin / "git").write_text("""#!/bin/bash
[[ " $* " != *" checkout-index "* ]] || { echo "error: unable to write file: No space left on device" >&2; exit 128; }
exec /usr/bin/git "$@"
""")
    (bench.bin / "git").chmod(0o755)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 65 and "is there room on that disk" in said[-1]
    assert not any("build" in call[1:2] for call in bench.calls("docker"))


def test_what_a_killed_run_left_in_memory_goes_first(bench):
    process = start_that_hangs(bench, ["docker", "push"])
    folders = private_folders(bench)
    bench.kill_session(process)
    let_go(bench)
    (bench.stand / "preflight.hang").touch()
    bench.start("deploy.sh", "staging", bench.commit("two"))
    wait_for(lambda: not any(os.path.exists(folder) for folder in folders), "end of the password that was left")


def test_a_script_that_dies_alone_keeps_others_out_until_what_it_started_ends(bench):
    process = start_that_hangs(bench, ["docker", "push"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"))
    assert status == 75 and "deployment 1, process" in said[-1]
    bench.kill_session(process)
    let_go(bench)
    shipped(bench, "three")


@pytest.mark.long
def test_a_second_run_is_told_who_is_first_and_another_environment_goes_on(bench):
    process = start_that_hangs(bench, ["spy", "ship"])
    for script in ("deploy.sh", "rollback.sh"):
        status, said = bench.run(script, "staging", bench.commit("two"))
        assert status == 75 and f"deployment 1, process {process.pid}, since 20" in said[-1]
    assert bench.run("target.sh", "staging", "current")[0] == 0    # who only asks need not wait
    (bench.stand / "ship.hang").unlink()
    assert bench.run("deploy.sh", "production", bench.commit("three"))[0] == 0
    assert process.poll() is None
