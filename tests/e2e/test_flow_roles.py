"""Goal: nobody acts without a role that holds at that moment, and every no is said in HTML, once, and
audited.  Roles stand in .env and are read when they are used."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import ADMIN_IDS, Scene, ended_well
from stage import wait_until
from telegram_client import ADA, CARL, GROUP, MALLORY, text_of


class EnvFile:
    """The .env in which the roles of this scene stand."""

    def __init__(self, folder):
        self.path = folder / ".env"
        # On a fast machine a stranger's many tries would be too many, and a press then has no answer.
        self.values = {"ADMIN_TELEGRAM_IDS": ADMIN_IDS, "STAGING_TELEGRAM_IDS": str(CARL), "RATE_LIMIT_REQUESTS": "0"}
        self.write()

    def write(self, **changes):
        self.values.update(changes)
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{k}={v}\n" for k, v in self.values.items()), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self.path)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    made = Scene(folder, settings={"ADMIN_TELEGRAM_IDS": None, "STAGING_TELEGRAM_IDS": None},
                 start=False)
    made.env = EnvFile(folder)
    made.make_builds_wait()
    made.start()
    yield made
    made.let_go()
    ended_well(made)


def bold_of(view):
    raw = text_of(view).encode("utf-16-le")
    return [raw[2 * e["offset"]:2 * (e["offset"] + e["length"])].decode("utf-16-le")
            for e in view["message"].get("entities", []) if e["type"] == "bold"]


def change(scene, **values):
    before = len(scene.audit(action="settings_reloaded"))
    scene.env.write(**values)
    return scene.wait_for_audit(before + 1, action="settings_reloaded")[-1]


def test_a_contractor_may_deploy_staging(scene):
    scene.carl.say("/deploy staging")
    scene.carl.hear("Live: staging", scene.head("develop")[:7])


@pytest.mark.parametrize("command, words", [
    ("/deploy production", "⛔ Denied: production deploy: only an admin may."),
    ("/rollback staging", "⛔ Denied: staging rollback: only an admin may."),
    ("/cancel production", "⛔ Denied: production cancel: only an admin may.")])
def test_what_is_an_admins_is_denied_to_a_contractor_in_html_and_audited(scene, command, words):
    carl = scene.carl
    denied = len(scene.audit(action="denied", user_id=f"telegram:{CARL}"))
    carl.say(command)
    heard = carl.hear(words)
    assert bold_of(heard) == [command.partition(" ")[2]]
    entry = scene.wait_for_audit(denied + 1, action="denied", user_id=f"telegram:{CARL}")[-1]
    assert entry["outcome"] == "denied"
    assert scene.app("production")[0] == 0


def test_a_contractors_typo_is_no_missing_right(scene):
    scene.carl.say("/deploy stagign")
    scene.carl.hear('No "stagign". Did you mean staging?')


def test_a_contractor_may_look_and_cancel_staging(scene):
    carl = scene.carl
    carl.say("/status")
    carl.hear("staging runs", "No release yet: production")
    carl.say("/history staging")
    carl.hear("live")
    scene.hold()
    carl.say("/deploy staging")
    running = carl.hear("▸ build", buttons=("Stop",))
    carl.press(running, "Stop")
    carl.hear("nothing was changed")
    scene.let_go()


def test_help_lists_what_a_role_may(scene):
    scene.carl.say("/help")
    said = text_of(scene.carl.hear("You may, as staging"))
    assert "In staging only:\n/deploy <environment> [commit or branch] — deploy the newest commit\n" in said
    assert "/rollback" not in said
    scene.ada.say("/help")
    assert "/rollback" in text_of(scene.ada.hear("You may, as admin"))


def test_each_chat_is_offered_the_commands_of_its_role(scene):
    wait_until(lambda: f"chat:{CARL}" in scene.chat.state()["commands"], 20, "Carl's commands")
    def offered(person):
        return {c["command"] for c in scene.chat.state()["commands"][f"chat:{person}"]}
    assert {"deploy", "status", "cancel"} <= offered(CARL) and "rollback" not in offered(CARL)
    wait_until(lambda: f"chat:{ADA}" in scene.chat.state()["commands"], 20, "Ada's commands")
    assert "rollback" in offered(ADA)


def test_a_stranger_in_private_is_told_once(scene):
    mallory = scene.mallory
    for command in ("/deploy staging", "/status", "/deploy production", "/nosuch"):
        mallory.say(command)
    scene.wait_for_audit(1, action="denied", user_id=f"telegram:{MALLORY}")
    wait_until(lambda: scene.bot.counted() == 3, 10, "the others are counted")
    mallory.hear("⛔ Denied: staging deploy: you have no role here.", "/whoami", after=0)
    assert len([m for m in mallory.messages() if "⛔" in text_of(m)]) == 1


def test_a_stranger_in_a_group_is_told_once(scene):
    mallory = scene.mallory
    before, counted = len(scene.audit(action="denied")), scene.bot.counted()
    for command in ("/deploy staging", "/help", "/whoami", "/start", "/status"):
        mallory.say(command, chat=GROUP)
    wait_until(lambda: len(scene.audit(action="denied")) - before + scene.bot.counted() - counted == 5,
               10, "each is an entry, or counted")
    mallory.hear("you have no role here", chat=GROUP, after=0)
    assert len([m for m in mallory.messages(GROUP) if "⛔" in text_of(m)]) == 1


def test_whoami_tells_anyone_in_private_their_id_once_a_minute(scene):
    mallory = scene.mallory
    mallory.say("/whoami")
    mallory.hear(f"Your Telegram id is {MALLORY}", "your role here: nobody", "STAGING_TELEGRAM_IDS")
    mallory.say("/whoami")
    scene.ada.say("/whoami")
    scene.ada.hear(f"Your Telegram id is {ADA}", "admin")
    assert len([m for m in mallory.messages() if "Telegram id is" in text_of(m)]) == 1


@pytest.mark.parametrize("kind, options", [
    ("forwarded", {"extra": {"forward_origin": {"type": "hidden_user", "date": 1,
                                                "sender_user_name": "x"}}}),
    ("through another bot", {"extra": {"via_bot": {"id": 5, "is_bot": True, "first_name": "b",
                                                   "username": "other_bot"}}}),
    ("anonymous", {"anonymous": True, "chat": GROUP})])
def test_what_is_not_said_in_person_is_refused_and_audited(scene, kind, options):
    who = scene.admin()
    before = len(scene.audit(action="denied")) + scene.bot.counted()
    started = len(scene.audit(action="deploy_requested"))
    who.say("/deploy staging", **options)
    wait_until(lambda: len(scene.audit(action="denied")) + scene.bot.counted() == before + 1, 10, kind)
    assert len(scene.audit(action="deploy_requested")) == started, kind


def test_an_edited_message_is_no_command(scene):
    who = scene.admin()
    view = who.say("hello")
    before = len(scene.audit(action="denied"))
    scene.chat.act("edit", user_id=who.number, chat_id=who.number, message_id=view["message_id"],
                   text="/deploy staging")
    scene.wait_for_audit(before + 1, action="denied")
    assert not scene.is_busy("staging")


def test_a_command_to_another_bot_is_ignored_and_ours_is_heard(scene):
    who = scene.admin()
    who.say("/status@another_bot")
    who.say("/status@deploy_demo_bot")
    who.hear("staging")
    assert len(who.messages()) == 1


def test_an_unknown_command_gets_a_hint(scene):
    who = scene.admin()
    who.say("/stauts")
    who.hear("I don't know /stauts. Did you mean /status?")


def test_talk_in_private_gets_help_or_the_command_as_a_button_and_starts_nothing(scene):
    who = scene.admin()
    before = len(scene.audit(action="deploy_requested"))
    who.say("is anybody there?")
    who.hear("I deploy releases", buttons=("What runs where", "All commands"), without=("You may, as",))
    who.say("how do I see the history?")
    who.hear("/history [environment]", buttons=("/history",))
    who.say("deploy staging please")
    who.hear("Did you mean /deploy staging please?", buttons=("/deploy staging please",), without=("You may, as",))
    assert len(scene.audit(action="deploy_requested")) == before


def test_a_new_role_holds_without_a_restart(scene):
    mallory = scene.mallory
    change(scene, STAGING_TELEGRAM_IDS=f"{CARL},{MALLORY}")
    mallory.say("/deploy staging")
    mallory.hear("Live: staging")


def test_a_role_that_was_taken_away_no_longer_confirms(scene):
    change(scene, ADMIN_TELEGRAM_IDS=f"{scene.env.values['ADMIN_TELEGRAM_IDS']},{MALLORY}")
    mallory = scene.mallory
    mallory.say("/deploy production")
    question = mallory.hear("Deploy to production?", buttons=("Deploy to",))
    change(scene, STAGING_TELEGRAM_IDS=str(CARL), ADMIN_TELEGRAM_IDS=scene.env.values[
        "ADMIN_TELEGRAM_IDS"].removesuffix(f",{MALLORY}"))
    assert mallory.press(question, "Deploy to") == "⛔ Denied: deploy: you have no role here."
    assert not scene.is_busy("production") and scene.app("production")[0] == 0


def test_wrong_settings_change_nothing_and_are_named(scene):
    told = change(scene, ADMIN_TELEGRAM_IDS="not-a-number")
    assert "ADMIN_TELEGRAM_IDS" in str(told)
    assert "settings not changed" in scene.bot.log()
    scene.ada.say("/status")
    scene.ada.hear("staging runs")


def test_commands_that_come_too_fast_are_slowed_down(scene):
    who = scene.admin()
    for _ in range(25):
        who.say("/whoami")
    who.hear("Too many commands", after=0)
    wait_until(lambda: scene.chat.state()["pending"] <= 1, 20, "all of them heard")
    assert len([m for m in who.messages() if "Too many" in text_of(m)]) == 1
