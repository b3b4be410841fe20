"""Goal: with a slow, lagging or unreachable git server who waits is told how far it is, a push is neither lost nor
deployed twice, and the chat is told once of an outage and once of its end."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import random
import shutil

import pytest

import sample_app
from flow_aid import Scene, ended_well
from github import GitHub
from stage import GITHUB_SECRET, ROOT, wait_until
from telegram_client import text_of

FAST = "100000000"
PEER = ROOT / "tests" / "peers" / "slow_git.py"


def programs(folder):
    """deploybot and its runner beside scripts whose git has the slow line, and less patience."""
    build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve()
    (folder / "bin").mkdir(parents=True)
    (folder / "line").mkdir()
    (folder / "deploy").mkdir()
    (folder / "bin" / "ssh").symlink_to(PEER)
    for name in ("deploybot", "deploybot-runner"):
        shutil.copy2(build / name, folder / name)
    for name in ("commits.sh", "deploy.sh", "rollback.sh"):
        script = folder / "deploy" / name
        script.write_text(
            f'#!/bin/bash\nexport PATH={folder}/bin:$PATH SLOW_GIT={folder}/line FETCH_STALL_SECONDS=3\n'
            f'exec "{ROOT}/deploy/{name}" "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fetch").resolve()
    made = Scene(folder, start=False, build=programs(folder / "programs"),
                 settings={"GITHUB_REPOSITORY": "orchard/shop"})
    made.pace_file = folder / "programs" / "line" / "pace"
    # The stand-in serves what lies beside its folder.
    shutil.move(made.repository, folder / "programs" / "shop.git")
    made.repository = folder / "programs" / "shop.git"
    sample_app.git(made.work, "remote", "set-url", "origin", str(made.repository))
    made.extra["REPOSITORY_URL"] = f"ssh://git@slow{made.repository}"
    pace(made, FAST)
    made.start()
    made.hub = GitHub(made.bot.base + "/github/webhook", GITHUB_SECRET, "orchard/shop")
    yield made
    pace(made, FAST)
    ended_well(made)


def pace(scene, text):
    fresh = scene.pace_file.with_suffix(".new")
    fresh.write_text(f"{text}\n", encoding="ascii")
    fresh.replace(scene.pace_file)


def grow(scene, megabytes):
    """A change that git cannot make small."""
    sample_app.check_out(scene.work, "develop")
    (pathlib.Path(scene.work) / "blob").write_bytes(random.randbytes(int(megabytes * 1e6)))
    return scene.commit()


def tell(scene, change):
    entry = scene.hub.push(change["branch"], change["after"], change["before"])
    assert entry["status"] == 200 and entry["answer"] == "", entry
    return entry


def told(scene, words):
    """Messages of the team's chat, the first admin's here, with these words."""
    return [view for view in scene.ada.messages() if words in text_of(view)]


def show(scene, branch, commit):
    """What git shows of a branch."""
    sample_app.git(scene.repository, "update-ref", f"refs/heads/{branch}", commit)


@pytest.mark.long
def test_a_slow_fetch_succeeds_and_who_waits_is_told_how_far_it_is(scene):
    change = grow(scene, 6)
    pace(scene, 400_000)
    who = scene.admin()
    who.say("/deploy staging")
    who.hear("staging: git is still fetching: receiving objects", "%")
    pace(scene, FAST)
    who.hear("Live: staging", change["after"][:7])
    assert scene.runs("staging") == change["after"]


def test_an_outage_is_told_once_and_its_end_once(scene):
    scene.wait_free()
    pace(scene, "0")
    change = grow(scene, 0.1)
    scene.ada.since = scene.chat.mark()
    tell(scene, change)
    said = scene.ada.hear("Push delayed: staging: ", "git fetch made no progress for 3 s", timeout=60)
    assert text_of(said).startswith("⏳ Push delayed: staging: ")
    pace(scene, FAST)
    scene.ada.hear("Git answers: staging", timeout=60)
    scene.ada.hear("Live: staging", change["after"][:7], "pushed by ", " (GitHub)")
    assert len(told(scene, "Push delayed")) == 1
    assert len(told(scene, "Git answers")) == 1


def test_a_push_that_git_shows_late_is_deployed_once(scene):
    scene.wait_free()
    change = scene.commit()
    show(scene, "develop", change["before"])
    entry = tell(scene, change)
    assert scene.hub.redeliver(entry["guid"])["status"] == 200
    who = scene.admin()
    who.say("/deploy staging nosuch")   # asked behind the push
    who.hear("Not deployed")
    assert scene.audit(action="deploy_requested", commit=change["after"]) == []
    show(scene, "develop", change["after"])
    scene.ada.hear("Live: staging", change["after"][:7], "pushed by ", " (GitHub)")
    scene.wait_free()
    assert len(scene.audit(action="deploy_started", commit=change["after"])) == 1
    assert told(scene, "git does not show") == []


def test_a_restart_does_not_forget_a_push_that_git_does_not_show_yet(scene):
    scene.wait_free()
    change = scene.commit()
    show(scene, "develop", change["before"])
    tell(scene, change)
    who = scene.admin()
    who.say("/deploy staging nosuch")
    who.hear("Not deployed")
    scene.bot.process.kill()
    scene.bot.process.wait()
    show(scene, "develop", change["after"])
    scene.start_bot()
    scene.hub = GitHub(scene.bot.base + "/github/webhook", GITHUB_SECRET, "orchard/shop")
    scene.ada.hear("Live: staging", change["after"][:7], "pushed by ", " (GitHub)")
    wait_until(lambda: scene.runs("staging") == change["after"], what="the release")
