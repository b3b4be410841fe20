"""Goal: whatever Telegram does, a deployment ends and its chat is notified how, with its final text."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, Scripts, ended_well
from stage import wait_until
from telegram_client import ADA, GROUP, buttons_of, text_of

RELEASE = 'echo "==> release"; echo "$2" >"$here/$1.live"\n'
WAIT = 'echo "==> build"; touch "$here/up"; until [ -e "$here/go" ]; do sleep 0.05; done\n'
NOT_MODIFIED = ("Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trouble")
    scripts = Scripts(folder / "scripts")
    # Telegram's own limits are on: who keeps them is never refused.
    made = Scene(folder, telegram=("--local",), settings={
        **scripts.settings(), "STAGING_HEALTH_URL": None})
    made.scripts = scripts
    yield made
    scripts.touch("go")
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    scene.scripts.reset()
    scene.scripts.clear("up", "go")
    yield
    scene.scripts.touch("go")
    scene.chat.clear_faults()
    scene.wait_free()


def begin(scene, who=None):
    """A deployment that waits in its build: (who asked, its message, its commit)."""
    change = scene.commit()
    scene.scripts.deploy(WAIT + RELEASE)
    who = who or scene.admin()
    who.say("/deploy staging")
    scene.scripts.wait_for("up")
    running = who.hear(change["after"][:7], "▸ build")
    return who, running, change["after"]


def end(scene):
    scene.scripts.touch("go")


def test_what_telegram_cannot_parse_is_sent_as_plain_text(scene):
    who = scene.admin()
    scene.chat.fault("sendMessage", 1, status=400, description="Bad Request: can't parse "
                     "entities: Unsupported start tag \"x\" at byte offset 5")
    who.say("/help")
    heard = who.hear("/deploy <environment> [commit or branch]")
    assert not any(e["type"] in ("bold", "code") for e in heard["message"].get("entities", []))
    assert "<b>" not in text_of(heard) and "&lt;" not in text_of(heard)
    assert [c["status"] for c in scene.chat.calls("sendMessage")] == [400, 200]


def test_telegrams_limits_are_kept(scene):
    who, _, commit = begin(scene)
    for command in ("/status", "/history", "/status staging", "/history staging", "/help"):
        who.say(command)
        who.say(command, chat=GROUP)
    end(scene)
    who.hear("Live: staging", commit[:7], after=0)
    assert scene.chat.state()["limits"]["refused"] == 0


@pytest.mark.parametrize("fault, times", [
    ({"status": 429, "description": "Too Many Requests: retry after 2", "retry_after": 2}, 2),
    pytest.param({"status": 500, "description": "Internal Server Error"}, 2, marks=pytest.mark.long),
    pytest.param({"status": 502, "raw": "<html>Bad Gateway</html>"}, 2, marks=pytest.mark.long),
    ({"status": 200, "raw": "{", "content_type": "application/json"}, 1),
    ({"close": True}, 2)], ids=["429", "500", "502", "garbage", "closed"])
def test_the_final_text_arrives_after_trouble(scene, fault, times):
    who, running, commit = begin(scene)
    for method in ("editMessageText", "sendMessage"):
        scene.chat.fault(method, times, **fault)
    end(scene)
    final = who.hear("Live: staging", commit[:7])
    assert final["message_id"] == running["message_id"] and buttons_of(final)


def test_a_429_is_obeyed(scene):
    who, _, commit = begin(scene)
    scene.chat.fault("editMessageText", 1, status=429, retry_after=3,
                     description="Too Many Requests: retry after 3")
    end(scene)
    who.hear("Live: staging", commit[:7])
    mine = [call for call in scene.chat.calls("editMessageText")
            if call["arguments"].get("chat_id") == str(who.number)]
    refused = [n for n, call in enumerate(mine) if call["status"] == 429]
    others = [call for call in scene.chat.calls("editMessageText") if call["status"] == 429]
    assert others
    for n in refused:
        assert mine[n + 1]["at"] - mine[n]["at"] >= 3


def test_a_message_that_is_not_modified_is_a_success(scene):
    wait_until(lambda: scene.metric("deploybot_outbox_pending") == 0, 30, "an empty outbox")
    log = len(scene.bot.log())
    who, running, commit = begin(scene, scene.ada)     # her chat is the team's: one message
    scene.chat.fault("editMessageText", 2, status=400, description=NOT_MODIFIED, execute=True)
    end(scene)
    assert who.hear("Live: staging", commit[:7])["message_id"] == running["message_id"]
    who.say("/status staging")
    who.hear("⚪ staging runs " + commit[:7])
    assert "cannot be delivered" not in scene.bot.log()[log:]


def test_a_message_that_somebody_deleted_is_written_anew(scene):
    who, running, commit = begin(scene)
    scene.chat.act("delete", chat_id=running["chat_id"], message_id=running["message_id"])
    end(scene)
    final = who.hear("Live: staging", commit[:7])
    assert final["message_id"] != running["message_id"]


def test_a_group_that_becomes_a_supergroup_hears_the_end(scene):
    old, new = -4_242_001, -1_001_700_000_777
    who = scene.admin()
    scene.chat.act("chats", chat_id=old, title="Basic", kind="group", members=[who.number],
                   admins=[who.number])
    change = scene.commit()
    scene.scripts.deploy(WAIT + RELEASE)
    who.say("/deploy staging", chat=old)
    who.hear("▸ build", chat=old)
    scene.chat.act("migrate", chat_id=old, new_id=new)
    end(scene)
    who.hear("Live: staging", change["after"][:7], chat=new)


def test_the_bot_leaves_a_group_that_it_does_not_know_and_follows_its_own(tmp_path):
    """ALLOWED_CHATS: when it is added and when it is spoken to, without a word; a group that moved is its own."""
    ours, moved, theirs, added = -4_242_101, -1_001_700_000_801, -4_242_102, -1_001_700_000_802
    with Scene(tmp_path, settings={"TELEGRAM_CHAT_ID": str(ours), "ALLOWED_CHATS": str(ADA)}) as scene:
        who = scene.admin()
        for chat, kind in ((ours, "group"), (theirs, "group"), (added, "supergroup")):
            scene.chat.act("chats", chat_id=chat, title="Group", kind=kind, members=[who.number], admins=[who.number])

        def bot_in(chat):
            return next(entry["bot"] for entry in scene.chat.state()["chats"] if entry["id"] == chat)

        scene.chat.act("bot_status", chat_id=added, by_user_id=who.number, status="administrator")
        who.say("/status", chat=theirs)
        for chat in (added, theirs):
            wait_until(lambda chat=chat: bot_in(chat) == "left", 40, f"leaving {chat}")
            assert not who.messages(chat)
        assert f"left chat {theirs}, which is not in ALLOWED_CHATS" in scene.bot.log()
        scene.chat.act("migrate", chat_id=ours, new_id=moved)
        wait_until(lambda: f"became the supergroup {moved}: put that id into TELEGRAM_CHAT_ID" in scene.bot.log(), 20)
        who.say("/whoami", chat=moved)
        who.hear("deployments are reported here", chat=moved)
        told = scene.bot.run("doctor").stdout
        assert f"the group {ours} became the supergroup {moved}: put that id into TELEGRAM_CHAT_ID" in told
        assert bot_in(moved) == "member"


def test_somebody_who_blocks_the_bot_holds_nobody_up(scene):
    who, _, commit = begin(scene)
    scene.chat.act("block", user_id=who.number)
    end(scene)
    scene.wait_free()
    assert scene.state_file("staging")["commit"] == commit
    other = scene.admin()
    other.say("/status staging")
    other.hear("staging runs " + commit[:7])


def test_after_an_outage_the_final_text_is_posted_once(scene):
    who, running, commit = begin(scene)
    scene.chat.fault("*", 100000, close=True)
    end(scene)
    wait_until(lambda: (scene.state_file("staging") or {}).get("commit") == commit, 30,
               "the release without Telegram")
    scene.wait_free()
    waiting = scene.metric("deploybot_outbox_pending")
    scene.chat.clear_faults()
    final = who.hear("Live: staging", commit[:7])
    assert final["message_id"] == running["message_id"] and waiting > 0
    said = [m for m in who.messages() if commit[:7] in text_of(m)]
    assert len(said) == 1


def test_a_revoked_token_is_no_end(scene):
    who, _, commit = begin(scene)
    scene.chat.act("revoke")
    who.say("well?")        # ends the poll that waits, here and below
    end(scene)
    wait_until(lambda: (scene.state_file("staging") or {}).get("commit") == commit, 30,
               "the release without Telegram")
    wait_until(lambda: "TELEGRAM_BOT_TOKEN" in scene.bot.log(), 30, "an alarm in the log")
    wait_until(lambda: "\ndeploybot_telegram_receiving 0\n" in scene.bot.metrics(), 30, "an alarm in the metrics")
    scene.chat.act("revoke", revoked=False)
    assert scene.bot.stop() == 0
    scene.start_bot()
    who.hear("Live: staging", commit[:7], after=0)
    who.say("well?")
    wait_until(lambda: scene.metric("deploybot_telegram_receiving") == 1, 60, "a good answer in the metrics")


def test_another_program_that_polls_this_bot_is_in_the_metrics_though_we_get_our_turn(scene):
    """Goal: an alert hears of it; the last test, for it counts for two minutes."""
    wait_until(lambda: scene.metric("deploybot_telegram_receiving") == 1, 60, "a good answer")
    wait_until(lambda: scene.chat.state()["polling"], 30, "a poll that waits")
    assert scene.chat.bot("getUpdates", timeout=0)[0] == 200
    wait_until(lambda: "another program polls" in scene.bot.log(), 30, "a clash")
    wait_until(lambda: "polling Telegram works again" in scene.bot.log().partition("another program polls")[2], 30,
               "our turn")
    assert "\ndeploybot_telegram_receiving 0\n" in scene.bot.metrics()
    assert "the server that runs here gets no updates" in scene.bot.run("doctor").stdout
