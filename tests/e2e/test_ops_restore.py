"""Goal: a database that was restored, or begun anew, beside the folders of later runs takes none of their
records for one of its own."""
# SPDX-License-Identifier: ISC
import shutil

import pytest

from crash_aid import CrashScene

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
