"""Goal: a database that was restored, or begun anew, beside the folders of later runs takes none of their
records for one of its own."""
# SPDX-License-Identifier: ISC
import shutil

import pytest

from crash_aid import PATIENCE_S, CrashScene
from ops_aid import wait_audit
from stage import wait_until

COUNTED = 'echo "==> ship"; echo x >>"$here/begun"; echo "==> release"; echo "$2" >"$here/$1.live"'


@pytest.fixture
def scene(tmp_path):
    made = CrashScene(tmp_path / "scene")
    made.scripts.deploy(COUNTED)
    yield made
    made.close()


def begun(scene):
    return len((scene.scripts.folder / "begun").read_text(encoding="ascii").split())


def release_another(scene):
    scene.commit()
    scene.release()


@pytest.mark.parametrize("how", ("restored", pytest.param("begun anew", marks=pytest.mark.long)))
def test_the_record_of_another_history_is_no_result(scene, how):
    state, saved = scene.folder / "state", scene.folder / "saved"
    release_another(scene)
    assert scene.bot.stop() == 0
    saved.mkdir()
    for name in ("deploybot.db", "audit.log"):
        shutil.copy(state / name if name.endswith("db") else scene.folder / name, saved / name)
    scene.bot.start()
    release_another(scene)
    release_another(scene)
    assert scene.bot.stop() == 0

    for path in state.glob("deploybot.db*"):
        path.unlink()
    (scene.folder / "audit.log").rename(saved / "audit.later")
    if how == "restored":
        shutil.copy(saved / "deploybot.db", state)
        shutil.copy(saved / "audit.log", scene.folder)
    scene.bot.start()
    before, last = begun(scene), scene.last_run()
    release_another(scene)
    assert begun(scene) == before + 1, "the script never ran"
    assert scene.last_run() == last + 1
    scene.check()


def test_a_folder_with_a_number_that_no_run_can_have_ends_nothing(scene):
    """Whatever a run executes may make one: were it counted, SQLite would have no number for the next run, ever."""
    release_another(scene)
    assert scene.bot.stop() == 0
    for number in ("9223372036854775807", "1000000000001"):
        (scene.folder / "state" / "runs" / number).mkdir()
    scene.bot.start()
    assert "runs/9223372036854775807: no run has such a number: remove it" in scene.bot.log()
    before = begun(scene)
    release_another(scene)
    assert begun(scene) == before + 1
    for number in ("9223372036854775807", "1000000000001"):
        (scene.folder / "state" / "runs" / number).rmdir()
    scene.check()


def test_deploybot_restore_is_refused_beside_the_server_and_the_next_start_knows_of_the_copy(scene, tmp_path):
    """Once: a later start is one as always."""
    release_another(scene)
    first, copy = scene.state_file("staging")["commit"], tmp_path / "copy.db"
    assert scene.bot.run("backup", str(copy)).returncode == 0
    release_another(scene)
    refused = scene.bot.run("restore", str(copy))
    assert refused.returncode == 75 and "deploybot runs: wait" in refused.stderr, refused
    assert scene.bot.stop() == 0
    done = scene.bot.run("restore", str(copy))
    assert done.returncode == 0 and done.stdout.startswith(f"ok: {copy} is the database now: "), done
    assert "valid again as they were: tokens that were revoked since that backup was made" in done.stdout, done
    state = scene.folder / "state"
    assert (state / "restore").exists() and not (scene.folder / "audit.log").exists()
    scene.bot.start()
    wait_until(lambda: scene.state_file("staging")["commit"] == first, PATIENCE_S, "the state file")
    doubts = wait_audit(scene.bot, 2, action="state_unknown")
    assert sorted(entry["environment"] for entry in doubts) == ["production", "staging"], doubts
    assert all("restored from a backup" in entry["why"] for entry in doubts), doubts
    wait_until(lambda: not (state / "restore").exists(), PATIENCE_S, "the mark's end")
    assert scene.bot.run("audit", "verify").returncode == 0
    for times in (1, 1):
        assert scene.bot.log().count("the database was restored: what runs where is not known") == times
        assert scene.bot.stop() == 0
        scene.bot.start()
