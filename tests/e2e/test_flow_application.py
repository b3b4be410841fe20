"""Goal: from a command in the chat to a script: a deployment of one application runs with its settings, as they are
when the server has read them."""
# SPDX-License-Identifier: ISC
import json
import re
import signal

import pytest

from flow_aid import Scene, Scripts, ended_well
from stage import wait_until

OWN = re.compile(
    r"GITHUB_REPOSITORY$|REPOSITORY_URL$|ENVIRONMENTS$|GITHUB_BRANCH_|(STAGING|PRODUCTION)_(?!TELEGRAM_IDS)")
WAIT_S = 40


class Applications(Scene):
    """A scene whose environments are those of two applications, each with the settings that were one's own."""

    def settings(self):
        found = super().settings()
        own = {name: found.pop(name) for name in list(found) if OWN.match(name)}
        self.own = {name: value for name, value in own.items() if value is not None}
        for name in ("shop", "blog"):
            self.write(name, STAGING_HOST=f"{name}.example.org")
        return {**found, "APPS_DIRECTORY": str(self.folder / "apps")}

    def write(self, application, **settings):
        (self.folder / "apps").mkdir(exist_ok=True)
        file = self.folder / "apps" / f"{application}.env"
        fresh = file.with_suffix(".new")
        fresh.write_text("".join(f"{k}={v}\n" for k, v in {**self.own, **settings}.items()), encoding="utf-8")
        fresh.chmod(0o640)
        fresh.replace(file)


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
    who.hear("shop/staging runs")
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
    words = "the settings changed since it was asked for: STAGING_HOST"
    wait_until(lambda: f"{words}; it is ordered again" in scene.bot.log(), WAIT_S, "the runner's refusal")
    assert scene.scripts.live("blog.staging") == before
    scene.write("blog", STAGING_HOST="new.example.org")
    scene.bot.process.send_signal(signal.SIGHUP)
    who.hear("blog/staging runs")
    assert scene.scripts.live("blog.staging") == commit
    assert given(scene, "blog.staging")["STAGING_HOST"] == "new.example.org"
