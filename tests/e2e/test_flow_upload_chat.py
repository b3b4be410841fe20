"""Goal: an archive that is sent to the bot, with "/deploy ENVIRONMENT" under it, goes live and is rolled back as a
commit is; whatever is not exactly that is refused in a sentence, and the bot's token is in no log."""
# SPDX-License-Identifier: ISC
import hashlib
import os

import pytest

from flow_aid import PATIENCE_S
from stage import wait_until
from telegram_client import DEFAULT_TOKEN
from test_flow_upload import UploadScene

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
CAPTION = "/deploy staging"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = UploadScene(tmp_path_factory.mktemp("chat"))
    yield made
    made.close()


@pytest.fixture(name="who")
def who_fixture(scene):
    """An admin who has sent no archive yet, and has started the bot."""
    made = scene.admin()
    made.say("/help")
    made.hear("/status")
    return made


def send(scene, who, content, name="site.zip", caption=CAPTION, chat=None, **options):
    who.since = scene.chat.mark()
    return scene.chat.send(who.number, chat or who.number, name, content, caption=caption, **options)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_an_archive_goes_live_and_an_hour_later_it_is_rolled_back(scene, who):
    contents = [scene.site(note, "site.zip").read_bytes() for note in ("one", "two")]
    for content in contents:
        send(scene, who, content)
        asked = who.hear("Deploy to staging?", "as it was sent, not from git", "site", " files, ", " unpacked")
        who.press(asked, "Deploy")
        who.hear("Live: staging", f"upload {digest(content)[:12]}")
        assert scene.runs("staging") == digest(content)
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?"), "Roll back")
    wait_until(lambda: scene.runs("staging") == digest(contents[0]), PATIENCE_S, "the rollback")
    assert scene.uploads() == {digest(content) for content in contents}


def test_a_bad_one_is_refused_in_one_sentence_and_nothing_stays(scene, who):
    before = scene.uploads()
    send(scene, who, scene.pack({"index.html": b"x", "deploy/.env": b"TOKEN=1"}, "bad.zip").read_bytes())
    who.hear("Not deployed: staging", 'deploy/.env" is where secrets are kept')
    wait_until(lambda: scene.uploads() == before, PATIENCE_S, "the archive to be removed")


@pytest.mark.parametrize("extra", [
    {"media_group_id": "13"}, {"forward_origin": {"type": "hidden_user", "sender_user_name": "x", "date": 1}},
    {"via_bot": {"id": 7, "is_bot": True, "first_name": "b"}}, {"animation": {"file_id": "A"}},
    {"document": None, "photo": [{"file_id": "A", "width": 1, "height": 1}]}, {"edit_date": 1700000000},
])
def test_what_is_not_one_document_of_their_own_is_refused(scene, who, extra):
    before = scene.uploads()
    send(scene, who, b"PK\3\4", extra=extra)
    who.hear("Archive not taken: send it here as one file")
    assert scene.uploads() == before


def test_a_caption_in_a_group_is_nobodys_command(scene, who):
    calls = len(scene.chat.calls("getFile"))
    scene.chat.act("chats", chat_id=-77, title="Group", kind="group", members=[who.number], admins=[who.number])
    send(scene, who, b"PK\3\4", chat=-77)
    who.say("/help")
    who.hear("/status")
    assert len(scene.chat.calls("getFile")) == calls


def test_one_above_20_MB_is_refused_before_it_is_asked_for(scene, who):
    calls = len(scene.chat.calls("getFile"))
    send(scene, who, b"PK\3\4", size=20 * 1024 * 1024 + 1)
    who.hear("Not deployed: staging", "larger than 20 MB")
    assert len(scene.chat.calls("getFile")) == calls


@pytest.mark.parametrize("path, says", [
    ("/var/lib/telegram-bot-api/documents/file_0.zip", "start it without --local"),
    ("documents/../../secret", "a path that is none of its"), ("documents/a?b", "a path that is none of its"),
])
def test_a_path_that_telegram_would_not_say_is_not_asked_for(scene, who, path, says):
    before = scene.uploads()
    send(scene, who, b"PK\3\4", path=path)
    who.hear("Not deployed: staging", says)
    assert scene.uploads() == before


def test_what_telegram_does_not_give_is_said(scene, who):
    scene.chat.fault("getFile", status=400, description="Bad Request: file is too big")
    send(scene, who, b"PK\3\4")
    who.hear("Not deployed: staging", "the file was not received", "file is too big")


def test_a_passing_failure_is_no_end(scene, who):
    content = scene.site("three").read_bytes()
    scene.chat.fault("getFile", status=500)
    send(scene, who, content, name="site.tar.gz")
    who.hear("Deploy to staging?", " files, ")


def test_who_may_not_upload_is_refused_before_it_is_asked_for(scene):
    calls = len(scene.chat.calls("getFile"))
    send(scene, scene.mallory, b"PK\3\4")
    wait_until(lambda: any(entry["action"].startswith("denied") for entry in scene.audit()), PATIENCE_S, "the denial")
    assert len(scene.chat.calls("getFile")) == calls


def test_the_token_stands_in_no_log(scene):
    secret = DEFAULT_TOKEN.split(":")[1]
    assert secret not in scene.bot.log() and scene.bot.log()
