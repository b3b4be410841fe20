"""Goal: two applications in one chat: named in each form, chosen by a button, shown a page at a time."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from telegram_client import buttons_of, text_of


@pytest.fixture(scope="module", name="scene")
def scene_fixture(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("applications"), applications=("shop", "cider"))
    yield made
    ended_well(made)


def test_a_choice_deploys_to_the_application_that_was_chosen(scene):
    ada = scene.admin()
    ada.say("/deploy staging")
    asked = ada.hear("❓ /deploy staging: of which application?")
    assert buttons_of(asked) == ["cider/staging", "shop/staging"]
    assert ada.press(asked, "shop") == "shop/staging"
    ada.hear(": /deploy shop/staging")
    live = ada.hear("Live: shop/staging", scene.head("develop")[:7])
    assert text_of(live)[:40].count("shop/staging") == 1
    assert scene.runs("shop/staging") == scene.head("develop")
    assert scene.runs("cider/staging") is None


def test_a_status_of_both_is_a_line_for_each_environment(scene):
    ada = scene.admin()
    ada.say("/status")
    ada.hear("No release yet: cider/staging, cider/production, shop/production",
             "4 environments; /status <application> shows all of one.", without=("checking",))
    ada.say("/status cider staging")
    ada.hear("cider/staging has no release yet\nno healthy answer:", without=("shop",))


def test_a_form_that_is_none_is_answered_with_the_nearest(scene):
    ada = scene.admin()
    ada.say("/cancel shop/stagign")
    ada.hear("No \"shop/stagign\". Did you mean shop/staging?")
