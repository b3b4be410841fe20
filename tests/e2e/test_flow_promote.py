"""Goal: what ran on staging goes to production byte for byte, without a build, also where its tag has moved."""
# SPDX-License-Identifier: ISC
import pathlib
import shutil

import pytest

from flow_aid import Scene, ended_well
from test_flow_image import Registry

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "deploy"
TRANSPORT = """transport_needs=image
transport_preflight() { :; }
transport_ship() { release_begins; printf '%s\\n' "$1" >"$STATE_DIRECTORY/$environment_file.live"; }
transport_rollback() { transport_ship "$1"; }
transport_current() { cat "$STATE_DIRECTORY/$environment_file.live" 2>/dev/null || true; }
transport_logs() { :; }
"""


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    registry, folder = Registry(), tmp_path_factory.mktemp("promote")
    shutil.copytree(SCRIPTS, folder / "deploy")
    (folder / "deploy" / "transports" / "ssh.sh").write_text(TRANSPORT)
    made = Scene(folder / "scene", settings={
        "DEPLOY_TRANSPORT": "ssh", "STAGING_HOST": "nowhere.invalid", "PRODUCTION_HOST": "no.invalid",
        "DEPLOY_SCRIPT": str(folder / "deploy" / "deploy.sh"),
        "ROLLBACK_SCRIPT": str(folder / "deploy" / "rollback.sh"),
        "IMAGE_SOURCE": "registry", "REGISTRY_URL": registry.url, "REGISTRY_IMAGE": "team/shop",
        "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None, "PRODUCTION_PROMOTE_FROM": "staging"})
    made.registry = registry
    yield made
    ended_well(made)
    registry.done()


def images(scene, environment):
    return [image for image, in scene.bot_rows(f"SELECT image FROM release WHERE environment = '{environment}'")]


def test_what_ran_on_staging_goes_to_production_and_nothing_is_built(scene):
    scene.commit()
    commit, who = scene.head("develop"), scene.admin()
    first = scene.registry.push(commit, "ci")
    who.say("/deploy staging")
    who.hear("Live: staging")
    assert images(scene, "staging") == [first]
    scene.registry.push(commit, "somebody else")
    who.say("/promote staging production")
    question = who.hear(
        "Deploy to production?", f"{first[:14]}…, on staging since", "; no build", buttons=("Deploy to",))
    who.press(question, "Deploy to")
    live = who.hear("Live: production", f"{first[:14]}…, promoted from staging; no build")
    assert "build" not in [step for step, in scene.bot_rows("SELECT name FROM run_step")], live
    assert images(scene, "production") == [first]
    assert scene.bot_rows("SELECT is_open, image FROM promotion") == [(0, first)]
