"""Goal: what is no deployment is done to a client by the runner, takes its turn, and its message says how it went."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import text_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("actions")
    programs = folder / "programs"
    programs.mkdir()
    for name, words in {"clear": 'echo "cleared $*"\n',
                        "slow": f'touch {folder}/up; until [ -e {folder}/go ]; do sleep 0.05; done; echo reloaded\n',
                        }.items():
        (programs / name).write_text("#!/bin/bash\n" + words)
        (programs / name).chmod(0o755)
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, settings={
        **scripts.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None,
        "CLIENTS": "acme,beta", "CLIENT_ACME_HOST": "local", "CLIENT_ACME_NAME": "Acme Ltd",
        "CLIENT_ACME_ACTIONS": "clear-cache,disk-free,reload-nginx,service-status",
        "CLIENT_ACME_CACHE_COMMAND": f"{programs}/clear all of it", "CLIENT_ACME_WEB_UNIT": "no-such-unit.service",
        "NGINX_RELOAD_COMMAND": f"{programs}/slow",
        "CLIENT_BETA_HOST": "local", "CLIENT_BETA_ACTIONS": "disk-free"})
    made.folder, made.scripts = folder, scripts
    yield made
    (folder / "go").touch()
    ended_well(made)


def test_a_program_runs_and_its_last_line_is_the_answer(scene):
    who = scene.admin()
    who.say("/do clear-cache acme")
    said = text_of(who.hear("✅ Done: client/acme clear-cache", "requested by"))
    assert "clear-cache: done" in said and "requested by" in said
    assert scene.audit(environment="client/acme")[-1]["action"] == "action_completed"
    who.say("/do disk-free acme")
    said = text_of(who.hear("✅ Done: client/acme disk-free", "requested by"))
    assert said.startswith("✅ Done: client/acme disk-free\nthe fullest disk is /") and "Mounted on" in said, said


def test_what_fails_says_why(scene):
    who = scene.admin()
    who.say("/do service-status acme")
    said = text_of(who.hear("❌ Failed: client/acme service-status"))
    assert "exit 70" in said and "no-such-unit.service" in said


def test_one_at_a_time_and_the_next_waits_its_turn(scene):
    first, second, third = scene.admin(), scene.admin(), scene.admin()
    first.say("/do reload-nginx acme")
    first.hear("⏳ Running client/acme reload-nginx")
    wait_until((scene.folder / "up").exists)
    second.say("/do disk-free acme")
    second.hear("⏳ Queued: 1st in client/acme disk-free", "starts after #", "does reload-nginx")
    third.say("/do disk-free beta")     # the same machine
    third.hear("⏳ Queued: 1st in client/beta", "which holds host:local")
    (scene.folder / "go").touch()
    first.hear("✅ Done: client/acme reload-nginx")
    second.hear("✅ Done: client/acme disk-free")
    third.hear("✅ Done: client/beta disk-free")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The transport local, as it is: jobs run in the folder of the release."""
    made = Scene(tmp_path_factory.mktemp("jobs"), settings={
        "JOB_SHOW": "cat release.json", "JOB_WRONG": "false", "JOB_SLOW": "sleep 600"})
    yield made
    ended_well(made)


def job(who, name):
    """Asks for it, and confirms."""
    who.say(f"/do run-job staging {name}")
    question = who.hear(f"❓ Run this? staging run-job {name}", "in the live release")
    who.press(question, "run-job")


def test_a_job_runs_in_the_release_that_is_live(real):
    who = real.admin()
    who.say("/do run-job staging show")
    who.hear("⛔ Not done: staging run-job\nnothing is released there yet")
    who.say("/deploy staging")
    who.hear("Live: staging")
    who.say("/do run-job staging nothing")
    who.hear("which job? There are show, wrong, slow")
    job(who, "show")
    said = text_of(who.hear("✅ Done: staging run-job show", "requested by"))
    assert said.startswith("✅ Done: staging run-job show\n") and '"version":' in said and '"headline":' in said, said
    job(who, "wrong")
    assert "exit 70: run-job.sh: the job ended with status 1" in text_of(who.hear("❌ Failed: staging run-job wrong"))
    who.say("/status staging")
    who.hear("staging runs")


def test_a_cancelled_job_is_ended_whole(real):
    who = real.admin()
    who.say("/deploy staging")
    who.hear("Live: staging")
    job(who, "slow")
    view = who.hear("⏳ Running staging run-job slow", "▸ job", buttons=("Stop",))
    who.press(view, "Stop")
    who.hear("⛔ Stopped: staging run-job slow")
