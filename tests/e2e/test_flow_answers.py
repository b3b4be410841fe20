"""Goal: whoever asks something while a deployment shows its output is answered within a second, in private and in a
group, within the limits that Telegram really has."""
# SPDX-License-Identifier: ISC
import time

import pytest

from flow_aid import Scene, Scripts, ended_well
from stage import SLOW
from telegram_client import GROUP, text_of

# A step and a line of output all the time: as many edits as there may be.
TALKING = ('n=0; until [ -e "$here/go" ]; do n=$((n + 1)); echo "==> step$n"; echo "line $n"; sleep 0.4; done\n'
           'echo "==> release"; echo "$2" >"$here/$1.live"\n')


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, telegram=("--local", "--limits", "on"),
                 settings={**scripts.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None,
                           "TELEGRAM_CHAT_ID": str(GROUP)})
    made.scripts = scripts
    yield made
    scripts.touch("go")
    ended_well(made)


@pytest.mark.first
def test_an_answer_goes_before_the_edits_of_what_is_in_progress(scene):
    scene.scripts.deploy(TALKING)
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("▸ step3")
    scene.person(0).hear("⏳ Deploying staging", chat=GROUP, after=0)
    refused = scene.chat.state()["limits"]["refused"]
    for _ in range(2):
        for chat in (who.number, GROUP):
            if chat != GROUP:       # which has two edits of it in a minute
                who.hear("step", chat=chat, after=scene.chat.mark())    # its chat has just got an edit
            begun = time.monotonic()
            who.say("/history production", chat=chat)
            view = who.hear("no deployments yet", chat=chat)
            took = time.monotonic() - begun
            assert took < 1.0 * SLOW, f"{took:.1f} s in {chat}: {text_of(view)}"
    assert scene.chat.state()["limits"]["refused"] == refused, "within the limits"
    scene.scripts.touch("go")
    who.hear("Live: staging")
