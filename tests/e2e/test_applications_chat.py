"""Goal: two applications in one chat: named in each form, chosen by a button, shown a page at a time."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from stage import free_port
from telegram_client import buttons_of, text_of

APPLICATIONS = ("blog", "shop")


class TwoApplications(Scene):
    """Both are of one repository, each with ports of its own."""

    def __init__(self, folder, **options):
        apps = folder / "apps"
        own = ("REPOSITORY_URL", *(f"{name}_{what}" for name in ("STAGING", "PRODUCTION")
                                   for what in ("PORT", "HEALTH_URL")))
        super().__init__(folder, settings={**dict.fromkeys(own), "APPS_DIRECTORY": str(apps)}, start=False, **options)
        apps.mkdir(mode=0o700)
        self.ports = {}
        for name in APPLICATIONS:
            lines = [f"REPOSITORY_URL={self.repository}"]
            for environment in ("staging", "production"):
                port = self.ports[f"{name}/{environment}"] = free_port()
                lines += [f"{environment.upper()}_PORT={port}",
                          f"{environment.upper()}_HEALTH_URL=http://127.0.0.1:{port}/health"]
            self.write_application(name, lines)

    def settings(self):
        ports, self.ports = self.ports, {}
        found = super().settings()
        self.ports = ports
        return found

    def write_application(self, name, lines):
        path = self.folder / "apps" / f"{name}.env"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)


@pytest.fixture(scope="module", name="scene")
def scene_fixture(tmp_path_factory):
    made = TwoApplications(tmp_path_factory.mktemp("applications"))
    made.start()
    yield made
    ended_well(made)


def test_a_choice_deploys_to_the_application_that_was_chosen(scene):
    ada = scene.admin()
    ada.say("/deploy staging")
    asked = ada.hear("❓ /deploy staging: of which application?")
    assert buttons_of(asked) == ["blog/staging", "shop/staging"]
    assert ada.press(asked, "shop") == "shop/staging"
    ada.hear("👉 /deploy shop/staging, @admin_")
    live = ada.hear("shop/staging runs " + scene.head("develop")[:7])
    assert text_of(live)[:40].count("shop/staging") == 1
    assert scene.runs("shop/staging") == scene.head("develop")
    assert scene.runs("blog/staging") is None


def test_a_status_of_both_is_a_line_for_each_environment(scene):
    ada = scene.admin()
    ada.say("/status")
    ada.hear("blog/staging has no release yet", "blog/production has no release yet",
             "shop/production has no release yet", "4 environments; /status <application> shows all of one.",
             without=("checking",))
    ada.say("/status blog")
    ada.hear("blog/staging has no release yet\nno healthy answer:", without=("shop",))


def test_a_form_that_is_none_is_answered_with_the_nearest(scene):
    ada = scene.admin()
    ada.say("/cancel shop/stagign")
    ada.hear("There is no environment shop/stagign. Did you mean shop/staging?")
