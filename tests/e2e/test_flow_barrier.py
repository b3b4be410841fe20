"""Goal: what a repository says nobody rolls back past is not rolled back past by deploybot, and by a person only
when they want it all the same."""
# SPDX-License-Identifier: ISC
import pytest

import sample_app
from flow_aid import Scene, ended_well
from telegram_client import buttons_of, text_of

REASON = "drops column price"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("barrier"), settings={"HEALTH_CHECK_DEADLINE": "5"})
    yield made
    ended_well(made)


def forbid(scene, reason):
    """The next commit of develop says that nobody rolls back past it."""
    sample_app.check_out(scene.work, "develop")
    sample_app.write(scene.work, ".deploybot/no-rollback", reason)


@pytest.mark.long
def test_what_nobody_rolls_back_past_is_left_when_it_fails_and_rolled_back_by_who_wants_it(scene):
    scene.release()
    before = scene.head("develop")
    forbid(scene, f"  {REASON} \u202e\n")
    bad = scene.commit(kind="broken")["after"]
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("🔥 DOWN: staging, not rolled back", bad[:7], f"⛔ No rollback past this release: {REASON}\n",
             f"Last known release: {before[:7]}")
    heard = who.hear("🔥 DOWN: staging, not rolled back", buttons=("all the same", "Log"))
    assert not scene.audit(environment="staging", action="rollback_started")
    who.say("/rollback staging")
    refused = who.hear(f"⛔ Not rolled back: staging → {before[:7]}", f"⛔ No rollback past {bad[:7]}: {REASON}",
                       buttons=("all the same",))
    assert len(buttons_of(refused)) == 1
    who.press(heard, "all the same")
    question = who.hear("Roll back staging?", f"→ {before[:7]}", f"⛔ No rollback past {bad[:7]}: {REASON}",
                        buttons=("all the same",))
    assert scene.runs("staging") != before
    who.press(question, "all the same")
    who.hear("↩️ Rolled back: staging", before[:7] + "\nrequested by ")
    assert scene.runs("staging") == before
    asked = [entry for entry in scene.audit(environment="staging", action="deploy_requested")
             if REASON in str(entry)]
    assert len(asked) == 1, asked


@pytest.mark.long
def test_a_release_behind_a_barrier_is_named_in_the_question_and_not_gone_past(scene):
    """The fix has the same word in its history."""
    first = scene.runs("staging")
    scene.release("production", first)
    barred = scene.commit()["after"]
    who = scene.admin()
    who.say("/deploy production develop")
    who.hear("Deploy to production?", f"⛔ No rollback past this release: {REASON}", buttons=("Deploy to",))
    scene.release()
    after = scene.commit()["after"]
    scene.release()
    who.say("/rollback staging")
    question = who.hear("Roll back staging?", f"{after[:7]} → {barred[:7]}")
    assert "⛔" not in text_of(question)
    who.say("/rollback staging 1")
    who.hear("⛔ Not rolled back: staging", f"{barred[:7]}: {REASON}", buttons=("all the same",))
