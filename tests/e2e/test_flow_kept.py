"""Goal: /rollback offers what a clean-up has left, and says of the rest what brings it back."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import PATIENCE_S, Scene, ended_well
from stage import wait_until
from telegram_client import buttons_of, text_of


@pytest.fixture(name="scene")
def fixture_scene(tmp_path):
    made = Scene(tmp_path, settings={"KEEP_RELEASES": "1"})
    yield made
    ended_well(made)


def released(scene):
    scene.commit()
    scene.release()
    return scene.head("develop")


@pytest.mark.long
def test_what_a_clean_up_has_removed_is_offered_no_more_until_it_is_deployed_anew(scene):
    removed = "SELECT commit_id FROM release WHERE removed_at <> 0"
    old, before, live = (released(scene) for _ in range(3))
    wait_until(lambda: scene.bot_rows(removed) == [(old,)], PATIENCE_S, "the clean-up's word")
    who = scene.admin()
    who.say("/rollback staging")
    question = who.hear("Roll back staging?", f"{live[:7]} → {before[:7]}", without=("removed",))
    assert not any("Older" in label for label in buttons_of(question)), question
    # Whoever names it reads what to do, and the run changes nothing.
    who.say(f"/rollback staging {old[:7]}")
    question = who.hear(f"{live[:7]} → {old[:7]}", "removed by a clean-up", f"/deploy staging {old[:7]}")
    who.press(question, "Roll back")
    failed = who.hear("is no longer kept here: deploy that commit instead")
    assert "DOWN" not in text_of(failed) and scene.runs("staging") == live
    scene.release(ref=old[:7])
    assert scene.runs("staging") == old and scene.bot_rows(removed) != [(old,)]
