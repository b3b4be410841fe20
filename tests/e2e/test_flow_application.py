"""Goal: from a command in the chat to a script: a deployment of one application runs with its settings, as they are
when the server has read them."""
# SPDX-License-Identifier: ISC
import json
import signal

import pytest

from flow_aid import Applications, Scripts, ended_well

WAIT_S = 40


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("applications")
    scripts = Scripts(folder / "scripts")
    scripts.write("deploy.sh", 'echo "==> release"; env >"$here/${1/\\//.}.env"; echo "$2" >"$here/${1/\\//.}.live"')
    made = Applications(folder, settings={**scripts.settings(), "STAGING_HEALTH_URL": None})
    made.scripts = scripts
    yield made
    ended_well(made)


def given(scene, name):
    text = (scene.scripts.folder / f"{name}.env").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_a_deployment_of_an_application_has_its_settings_and_its_names(scene):
    commit = scene.commit()["after"]
    who = scene.admin()
    who.say("/deploy shop/staging")
    who.hear("Live: shop/staging")
    assert scene.scripts.live("shop.staging") == commit and scene.scripts.live("blog.staging") is None
    variables = given(scene, "shop.staging")
    assert (variables["APPLICATION"], variables["ENVIRONMENT"]) == ("shop", "staging")
    assert (variables["STAGING_HOST"], variables["REGISTRY_IMAGE"]) == ("shop.example.org", "shop")
    state = scene.folder / "state" / "environments"
    assert [path.name for path in state.iterdir()] == ["shop.staging.json"]
    assert json.loads((state / "shop.staging.json").read_text(encoding="utf-8"))["environment"] == "shop/staging"


def test_settings_that_the_server_has_not_read_ship_nothing_until_it_has(scene):
    """A mistake in the same file: the runner reads what the server does not take."""
    before = scene.scripts.live("blog.staging")
    scene.write("blog", STAGING_HOST="new.example.org", HEALTH_CHECK_RETRIES="many")
    commit = scene.commit()["after"]
    who = scene.admin()
    who.say("/deploy blog/staging")
    who.hear("blog/staging", "the settings are not read yet (STAGING_HOST)")
    assert scene.scripts.live("blog.staging") == before
    scene.write("blog", STAGING_HOST="new.example.org")
    scene.bot.process.send_signal(signal.SIGHUP)
    who.hear("Live: blog/staging")
    assert scene.scripts.live("blog.staging") == commit
    assert given(scene, "blog.staging")["STAGING_HOST"] == "new.example.org"
