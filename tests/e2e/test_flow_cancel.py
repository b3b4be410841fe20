"""Goal: whatever a deployment's script does and whoever stops it, the environment ends with one known
release, and the chat says which."""
# SPDX-License-Identifier: ISC
import threading

import pytest

from flow_aid import Health, Scene, Scripts, ended_well, is_alive
from stage import wait_until
from telegram_client import buttons_of, text_of

# A script's two moments: it has begun (mark up), and it may go on (mark go).
BUILDING = 'echo "==> build"; touch "$here/up"; until [ -e "$here/go" ]; do sleep 0.05; done\n'
RELEASE = 'echo "==> release"; echo "$2" >"$here/$1.live"\n'
RELEASING = RELEASE + 'touch "$here/up"; until [ -e "$here/go" ]; do sleep 0.05; done\n'


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cancel")
    scripts, health = Scripts(folder / "scripts"), Health()
    made = Scene(folder, settings={**scripts.settings(), "STAGING_HEALTH_URL": health.url("staging"),
                                   "PRODUCTION_HEALTH_URL": None})
    made.scripts, made.health = scripts, health
    yield made
    scripts.touch("go")
    health.close()
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    scene.scripts.reset()
    scene.scripts.clear("up", "go")
    scene.health.answers.clear()
    yield
    scene.scripts.touch("go")
    scene.wait_free()


def begin(scene, words):
    """Starts a deployment of staging with this script; who asked, once the script is at its mark."""
    scene.commit()
    scene.scripts.deploy(words)
    who = scene.admin()
    who.begin()
    scene.scripts.wait_for("up")
    return who


def test_a_broken_first_release_has_nothing_to_go_back_to_and_says_so(scene):
    scene.health.answers["staging"] = (503, {"status": "starting"})
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("🔥 DOWN: staging, nothing to roll back to", "staging is DOWN: ", "no rollback was started",
             "Last known release: none", "HTTP 503")
    assert scene.state_file("staging") is None
    assert scene.audit(environment="staging")[-1]["action"] == "deploy_failed"
    who.say("/status staging")
    who.hear("🔥 staging", "/logs staging")
    scene.health.answers.clear()
    scene.release()


def test_nothing_in_progress_cannot_be_cancelled(scene):
    who = scene.admin()
    who.say("/cancel staging")
    who.hear("Nothing to stop: staging: no deployment is in progress or queued.")


def test_a_cancel_during_the_build_touches_nothing(scene):
    live = scene.scripts.live()
    who = begin(scene, BUILDING + RELEASE)
    other = scene.admin()
    other.say("/cancel staging")
    other.hear("⏳ Stopping: staging")
    said = text_of(who.hear("nothing was changed", f"staging still runs {live[:7]}"))
    assert "⛔ Stopped: staging, nothing was changed" in said and f" by @admin_{scene.next_admin}" in said
    assert scene.scripts.live() == live == scene.state_file("staging")["commit"]


def test_a_cancel_after_the_release_began_goes_back(scene):
    live = scene.scripts.live()
    who = begin(scene, RELEASING)
    who.hear("▸ release")
    bad = scene.scripts.live()
    who.say("/cancel staging")
    who.hear(f"staging is NOT running {bad[:7]}; it runs {live[:7]} again", "cancelled")
    assert scene.scripts.live() == live == scene.state_file("staging")["commit"]
    assert [e["action"] for e in scene.audit(environment="staging")][-2:] == [
        "rollback_started", "auto_rollback_completed"]


def test_the_cancel_button_is_for_whoever_may_cancel(scene):
    live = scene.scripts.live()
    who = begin(scene, BUILDING)
    running = who.hear("▸ build", buttons=("Stop",))
    assert scene.mallory.press(running, "Stop") == "⛔ Denied: cancel: you have no role here."
    assert scene.carl.press(running, "Stop") == "Stopping…"
    final = who.hear("⛔ Stopped: staging", "by @carl_contractor", f"staging still runs {live[:7]}")
    assert not any("Stop" in label for label in buttons_of(final))


def test_a_cancel_while_health_is_checked_goes_back(scene):
    live = scene.scripts.live()
    scene.health.gates["staging"] = gate = threading.Event()
    asked = scene.health.times("staging")
    try:
        scene.commit()
        who = scene.admin()
        who.say("/deploy staging")
        who.hear("🩺 checking health")
        wait_until(lambda: scene.health.times("staging") > asked, 20, "a probe")
        scene.health.gates.clear()
        who.say("/cancel staging")
        who.hear(f"it runs {live[:7]} again", "cancelled")
    finally:
        scene.health.gates.clear()
        gate.set()
    assert scene.scripts.live() == live


def test_a_script_that_ends_well_after_a_cancel_is_rolled_back(scene):
    live = scene.scripts.live()
    who = begin(scene, 'trap "exit 0" TERM\n' + RELEASING)
    who.say("/cancel staging")
    who.hear(f"it runs {live[:7]} again", "cancelled")
    assert scene.scripts.live() == live


def test_a_cancel_ends_everything_that_the_script_started(scene):
    who = begin(scene, 'setsid sleep 1000 & echo $! >"$here/child"\n'
                       '(sleep 1000; true) & echo $! >"$here/other"\n' + BUILDING)
    who.say("/cancel staging")
    who.hear("nothing was changed")
    for name in ("child", "other"):
        pid = (scene.scripts.folder / name).read_text().strip()
        assert not is_alive(pid), name


def test_an_automatic_rollback_cannot_be_cancelled(scene):
    live = scene.scripts.live()
    scene.scripts.rollback(RELEASING)
    who = begin(scene, RELEASE + "exit 70")
    who.hear("↩️ rolling back to " + live[:7])
    assert not any("Stop" in label for label in buttons_of(who.messages()[-1]))
    who.say("/cancel staging")
    who.hear("which ends by itself")
    scene.scripts.touch("go")
    who.hear(f"it runs {live[:7]} again", "script failed: exit 70")


def test_a_rollback_that_was_asked_for_cannot_be_cancelled(scene):
    scene.release()
    to = scene.state_file("staging")["previous"]["commit"]
    scene.scripts.rollback(RELEASING)
    who = scene.admin()
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?"), "Roll back")
    scene.scripts.wait_for("up")
    who.say("/cancel staging")
    who.hear("Not cancelled: staging is rolling back, which ends by itself")
    scene.scripts.touch("go")
    who.hear("↩️ Rolled back: staging", to[:7] + "\nrequested by ")
    assert scene.scripts.live() == to == scene.state_file("staging")["commit"]


def test_a_waiting_question_can_be_cancelled(scene):
    who = scene.admin()
    who.say("/deploy production")
    question = who.hear("Deploy to production?")
    who.say("/cancel production")
    who.hear("cancelled before it began", after=0)
    assert buttons_of(scene.chat.message(question)) == []


def test_when_the_rollback_fails_too_the_environment_is_down(scene):
    live = scene.scripts.live()
    scene.scripts.deploy(RELEASE)
    scene.health.answers["staging"] = (500, {})
    change = scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("🔥 DOWN: staging", f"staging is DOWN: {live[:7]} is back, and is not healthy either")
    assert scene.audit(environment="staging")[-1]["action"] == "auto_rollback_failed"
    lines = [line for line in scene.bot.log().splitlines() if change["after"][:7] in line]
    assert [line.split()[1] for line in lines[-3:]] == ["warning", "info", "error"], lines
    assert lines[-3].endswith(f"(staging {change['after'][:7]}): unhealthy: HTTP 500"), lines
    assert scene.metric("deploybot_environment_down", environment="staging") == 1
    assert scene.metric("deploybot_rollback_unacknowledged", environment="staging") == 0    # nothing serves instead
    assert scene.state_file("staging")["commit"] == live
    scene.health.answers.clear()
    scene.release()
    assert 'deploybot_environment_down{' not in scene.bot.metrics()


@pytest.mark.parametrize("status", [64, 69, *(pytest.param(status, marks=pytest.mark.long) for status in (65, 66))])
def test_exit_64_to_69_says_that_the_target_was_not_touched(scene, status):
    scene.release()
    live = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy(f'echo "==> build"; echo "why it failed" >&2; exit {status}')
    who = scene.admin()
    who.say("/deploy staging")
    runs = f"staging still runs {live[:7]}"
    if status == 69:
        runs = f"staging: {live[:7]} was not replaced; whether it still runs is not known"
    who.hear("nothing was changed", runs, "script failed: why it failed")


def test_after_a_rollback_both_logs_can_be_had(scene):
    scene.commit()
    scene.scripts.deploy('echo "the reason why"\n' + RELEASE + "exit 70")
    scene.scripts.rollback('echo "on the way back"\n' + RELEASE)
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("staging is NOT running", "script failed: the reason why")
    final = who.hear("staging is NOT running", buttons=("Log",))
    logs = []
    for label in buttons_of(final):
        who.since = scene.chat.mark()
        who.press(final, label)
        logs.append(scene.chat.file(who.hear("Log of staging")).decode())
    assert "the reason why" in logs[0] and "on the way back" in logs[1]


def test_the_same_commit_once_more_rolls_back_to_what_was_live_before_it(scene):
    before = scene.scripts.live()
    scene.commit()
    scene.release()
    live = scene.scripts.live()
    scene.scripts.deploy(RELEASE + "exit 70")
    who = scene.admin()
    who.say("/deploy staging")
    who.hear(f"staging is NOT running {live[:7]}; it runs {before[:7]} again")
    assert scene.scripts.live() == before == scene.state_file("staging")["commit"]
    who.say("/status staging")
    who.hear("staging runs " + before[:7], "blocked: " + live[:7])


def test_what_ran_already_and_runs_again_is_not_held_against_itself(scene):
    scene.commit()
    for _ in range(2):
        scene.release()
    live = scene.scripts.live()
    scene.scripts.deploy(RELEASE + "exit 70")
    who = scene.admin()
    who.say("/deploy staging")
    said = text_of(who.hear(f"staging runs its earlier release of {live[:7]} again", "exit 70"))
    assert "NOT running" not in said
    assert scene.scripts.live() == live == scene.state_file("staging")["commit"]
    who.say("/status staging")
    assert "held" not in text_of(who.hear("staging runs " + live[:7], "healthy"))


def test_a_script_killed_by_a_signal_is_told_as_that(scene):
    live = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy(RELEASE + "kill -KILL $$")
    who = scene.admin()
    who.say("/deploy staging")
    who.hear(f"it runs {live[:7]} again", "killed by signal 9 (out of memory?)")


def test_of_a_script_killed_behind_its_start_nobody_says_that_nothing_was_changed(scene):
    """Regression: what it had started beside what serves ran on, unsaid; and it is no release to roll back."""
    live = scene.scripts.live()
    scene.commit()
    scene.scripts.deploy('echo "==> start"; kill -KILL $$')
    who = scene.admin()
    who.say("/deploy staging")
    said = text_of(who.hear(f"staging still runs {live[:7]}; what was started there may run on, until the next deploy",
                            "what it left is not known", "killed by signal 9 (out of memory?)"))
    assert "nothing was changed" not in said and scene.scripts.live() == live


def test_a_script_may_say_that_there_is_no_rollback(scene):
    live = scene.scripts.live()
    change = scene.commit()
    scene.scripts.deploy('echo "==> no-rollback"\n' + RELEASE + "exit 1")
    scene.scripts.rollback('touch "$here/up"')
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("staging may be DOWN: its state is unknown", "no rollback was started",
             f"Last known release: {live[:7]}", change["after"][:7])
    assert not (scene.scripts.folder / "up").exists(), "no rollback was tried"
    scene.scripts.reset()
    scene.release()


def test_a_script_that_cannot_be_started_touches_nothing(scene):
    live = scene.scripts.live()
    script = scene.scripts.folder / "deploy.sh"
    script.chmod(0o600)
    try:
        scene.commit()
        who = scene.admin()
        who.say("/deploy staging")
        who.hear("nothing was changed", f"staging still runs {live[:7]}", "failed")
    finally:
        script.chmod(0o755)
    assert not scene.is_busy("staging")


def test_a_script_without_steps_may_release(scene):
    scene.scripts.deploy('echo "$2" >"$here/$1.live"')
    change = scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", change["after"][:7])
    assert scene.scripts.live() == change["after"]


def test_an_old_version_that_answers_is_not_a_pass(scene):
    live = scene.scripts.live()
    scene.health.answers["staging"] = (200, {"status": "ok", "commit": live})
    change = scene.commit()
    who = scene.admin()
    who.say("/deploy staging")
    said = text_of(who.hear(f"it runs {live[:7]} again"))
    assert f"answers commit {live[:7]}, expected {change['after'][:7]}" in said


@pytest.mark.parametrize("answer", [{"commit": "PREFIX"}, b"fine", *(
    pytest.param(answer, marks=pytest.mark.long) for answer in ({"commit": "unknown"}, {"commit": 7}, b"", b"[1]"))])
def test_a_prefix_or_no_commit_at_all_is_a_pass(scene, answer):
    change = scene.commit()
    if isinstance(answer, dict) and answer["commit"] == "PREFIX":
        answer = {"commit": change["after"][:9].upper()}
    scene.health.answers["staging"] = (200, answer)
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", change["after"][:7])


def test_the_log_of_the_audit_is_whole_after_all_of_it(scene):
    done = scene.bot.run("audit", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
