"""Goal: a contractor whose role is one action on one environment can do that and nothing else: the rest is not there
for them, in no form, and what they queued does not start once their role is gone."""
# SPDX-License-Identifier: ISC
import datetime

import pytest

from flow_aid import ADMIN_IDS, Scene, ended_well
from telegram_client import CARL, GROUP, MALLORY, buttons_of, text_of
from test_flow_roles import EnvFile, change

UNTIL = (datetime.date.today() + datetime.timedelta(days=60)).isoformat()
FIRST = 424_249_000    # whoever writes too often is slowed down
ROLE = {"ROLE_CONTRACTOR_IDS": f"{CARL},{FIRST + 1},{FIRST + 2},{FIRST + 3}",
        "ROLE_CONTRACTOR_MAY": "deploy:shop/staging", "ROLE_CONTRACTOR_UNTIL": UNTIL}
UNSEEN = ("cider", "production")


@pytest.fixture(scope="module", name="scene")
def scene_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contractor")
    made = Scene(folder, applications=("shop", "cider"), start=False)
    made.extra |= {"ADMIN_TELEGRAM_IDS": None, "STAGING_TELEGRAM_IDS": None}
    made.env = EnvFile(folder)
    made.env.values = {"ADMIN_TELEGRAM_IDS": ADMIN_IDS, **ROLE}
    made.env.write()
    made.make_builds_wait()
    made.start()
    yield made
    made.let_go()
    ended_well(made)


def contractor(scene, number):
    scene.chat.act("users", user_id=FIRST + number, first_name=f"Contractor{number}", username=f"contractor_{number}")
    return scene.person(FIRST + number)


def denied(scene):
    return len(scene.audit(action="denied", user_id=f"telegram:{CARL}"))


def requested(scene):
    return len(scene.audit(action="deploy_requested", user_id=f"telegram:{CARL}"))


def test_they_deploy_their_one_environment_by_its_short_name(scene):
    carl = scene.carl
    carl.say("/deploy staging")     # the only one that they see is not asked about
    carl.hear("Live: shop/staging", scene.head("develop")[:7])
    carl.say("/deploy shop staging")
    question = carl.hear("shop/staging", buttons=("Deploy again",))
    carl.press(question, "Deploy again")
    carl.hear("Live: shop/staging")
    assert scene.runs("cider/staging") is None


@pytest.mark.parametrize("number, name, absent", [
    (1, "shop/production", "shop/productiom"), (2, "cider/staging", "cidar/staging"), (3, "cider", "cidar")])
def test_what_is_not_theirs_is_answered_as_what_does_not_exist(scene, number, name, absent):
    who = contractor(scene, number)
    for command in ("deploy", "rollback", "cancel", "status", "history", "queue"):
        who.say(f"/{command} {name}")
        said = text_of(who.hear(name))
        who.say(f"/{command} {absent}")
        assert text_of(who.hear(absent)) == said.replace(name, absent), command
    assert scene.app("shop/production")[0] == 0 and scene.app("cider/staging")[0] == 0


def test_what_they_may_not_do_to_theirs_is_denied_and_audited(scene):
    carl, before = scene.carl, denied(scene)
    carl.say("/rollback shop/staging")
    carl.hear("⛔ Denied: shop/staging rollback: ")
    entry = scene.wait_for_audit(before + 1, action="denied", user_id=f"telegram:{CARL}")[-1]
    assert entry["environment"] == "shop/staging" and entry["outcome"] == "denied"


@pytest.mark.parametrize("command", ["/help", "/start", "/deploy", "/deploy nosuch"])
def test_no_answer_names_what_they_do_not_see(scene, command):
    who = contractor(scene, 1)
    who.say(command)
    said = text_of(who.hear(""))
    assert not [word for word in UNSEEN if word in said], said


def test_whoami_and_help_say_what_they_may(scene):
    carl = scene.carl
    carl.say("/whoami")
    said = text_of(carl.hear(f"Your Telegram id is {CARL}", "contractor", "deploy", " in shop/staging", UNTIL))
    assert not [word for word in UNSEEN if word in said], said
    carl.say("/help")
    said = text_of(carl.hear("/deploy <environment>"))
    assert "/rollback" not in said and "shop/staging" in said


def test_buttons_of_others_are_not_theirs(scene):
    ada, carl = scene.admin(), scene.carl
    ada.say("/deploy shop/production", chat=GROUP)
    question = ada.hear("shop/production", buttons=("Deploy to",), chat=GROUP)
    before, asked = denied(scene), requested(scene)
    for word in ("Deploy to", "Not now"):
        toast = carl.press(question, word)
        assert toast is not None and not toast.startswith("Started"), toast
    scene.wait_for_audit(before + 1, action="denied", user_id=f"telegram:{CARL}")
    assert any("Deploy to" in label for label in buttons_of(scene.chat.message(question)))
    ada.press(question, "Not now")
    assert requested(scene) == asked and scene.app("shop/production")[0] == 0


def test_a_role_that_is_withdrawn_while_they_are_queued_starts_nothing(scene):
    ada, carl = scene.admin(), scene.carl
    first = scene.commit()["after"]
    scene.hold()
    ada.say(f"/deploy shop/staging {first}")
    ada.hear("▸ build")
    second = scene.commit()["after"]
    carl.say(f"/deploy shop/staging {second}")
    carl.hear("⏳ Queued: 1st in shop/staging", second[:7])
    change(scene, ROLE_CONTRACTOR_IDS=str(MALLORY))
    scene.let_go()
    ada.hear("Live: shop/staging", first[:7])
    carl.hear("who asked for it may no longer do this: somebody who may has to ask")
    assert second not in [entry["commit"] for entry in scene.audit(action="deploy_started")]
    assert scene.runs("shop/staging") == first
    carl.say("/deploy shop/staging")
    carl.hear("⛔ Denied: shop/staging deploy: you have no role here.")


def test_whoever_got_the_role_has_it_at_once_and_loses_it_with_its_last_day(scene):
    mallory = scene.mallory
    mallory.say("/deploy shop/staging")
    mallory.hear("Live: shop/staging", scene.head("develop")[:7])
    change(scene, ROLE_CONTRACTOR_UNTIL="2026-01-31")
    mallory.say("/deploy shop/staging")
    mallory.hear("⛔ Denied: shop/staging deploy: you have no role here.")
