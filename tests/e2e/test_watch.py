"""Goal: who follows a log or waits for news is answered when there is something, and keeps no place from anybody else;
what awaits approval, what holds, what may be done and what was done is listed for whoever may know it."""
# SPDX-License-Identifier: ISC
import functools
import json
import os
import socket
import urllib.parse

import pytest

from crash_aid import HOLD, STEADY
from flow_aid import PATIENCE_S
from local_aid import PERSON
from stage import SLOW, wait_until
from test_flow_tokens import TokenScene
from test_local_flow import check

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

WAIT = "Prefer: wait=7\r\n"
# Prints what the test says, once it does.
SAYS = 'while [ ! -e "$here/say" ]; do sleep 0.05; done; cat "$here/say"; '


class Asked:
    """A request that may wait: the server has it when this is made."""

    def __init__(self, scene, path, token=None, prefer=WAIT):
        url = urllib.parse.urlsplit(scene.bot.base)
        self.socket = socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S * SLOW)
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{prefer}"
                             f"Authorization: Bearer {token or scene.ci}\r\n\r\n").encode())
        assert scene.status(scene.fence, "/v1/queue") == 200     # decided behind that one

    def answer(self):
        """(status, JSON)."""
        text = b""
        while piece := self.socket.recv(65536):
            text += piece
        self.socket.close()
        head, _, body = text.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body else None


@pytest.fixture(scope="module")
def scene():
    made = TokenScene(PRODUCTION_CONFIRM="true", PRODUCTION_APPROVALS="1")
    made.ci, made.fence = made.token("ci", role="admin"), made.token("fence", role="admin")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def at_rest(scene):
    yield
    say(scene, "")
    scene.go_on()
    scene.wait_free()
    scene.scripts.clear("say")


def say(scene, words):
    fresh = scene.scripts.folder / "say.new"
    fresh.write_text(words, encoding="utf-8")
    fresh.rename(scene.scripts.folder / "say")


def begin(scene):
    """A deployment to staging that has printed a line, and prints what the test says; (its number, where its log is
    shown up to)."""
    scene.scripts.deploy('echo "a first line"; ' + SAYS + HOLD + "; " + STEADY)
    scene.hold_script()
    scene.commit("develop")
    work = scene.json(PERSON, "deploy", "staging", "--no-wait")["work"]

    def shown():
        return scene.call("GET", f"/v1/log/{work}/0", scene.ci)[1]
    wait_until(lambda: "a first line" in (shown() or {}).get("text", ""), PATIENCE_S, "a log")
    return work, shown()["next"]


def test_who_follows_is_answered_when_the_log_grows_and_when_the_run_ends(scene):
    work, offset = begin(scene)
    run = scene.work_of(work)["run"]
    for path in (f"/v1/log/{work}", f"/v1/run/{run}"):
        asked = Asked(scene, f"{path}/{offset}")
        say(scene, "a second line\n")
        status, answer = asked.answer()
        check(answer, {"$ref": "#/log"})
        assert (status, answer["run"], answer["is_over"], answer["is_unchanged"]) == (200, run, False, False)
        assert answer["text"] == "a second line\n" and answer["next"] == offset + len(answer["text"])
    scene.wait_held()
    asked = [Asked(scene, f"/v1/{path}/{answer['next']}") for path in (f"log/{work}", f"run/{run}")]
    scene.go_on()
    offsets = []
    for one in asked:
        status, answer = one.answer()
        assert (status, answer["is_unchanged"]) == (200, False), "its end has woken it"
        offsets.append(answer["next"])
    scene.wait_free()
    status, answer = Asked(scene, f"/v1/log/{work}/{offsets[0]}").answer()     # nothing follows it: at once
    assert (status, answer["is_over"], answer["is_unchanged"]) == (200, True, False)


def test_a_run_that_follows_wakes_who_follows_the_work(scene):
    scene.commit("main")
    number = scene.json(PERSON, "deploy", "production", "--no-wait")["work"]
    wait_until(lambda: scene.work_of(number)["is_asked"], PATIENCE_S, "a question")
    status, answer = Asked(scene, f"/v1/log/{number}/0").answer()
    if not answer["is_unchanged"]:      # of the message with the question
        status, answer = Asked(scene, f"/v1/log/{number}/0").answer()
    assert (status, answer["run"], answer["is_unchanged"]) == (200, 0, True), "its run is waited for"
    asked = Asked(scene, f"/v1/log/{number}/0")
    scene.run(PERSON, "answer", number, "no", "--no-wait")
    assert asked.answer()[1]["is_unchanged"] is False
    assert Asked(scene, f"/v1/log/{number}/0").answer()[1]["is_unchanged"] is False, "none follows any more"


def test_where_nothing_comes_it_is_over_in_seven_seconds_and_a_fifth_of_a_token_does_not_wait(scene):
    work, offset = begin(scene)
    wait_until(lambda: Asked(scene, f"/v1/log/{work}/{offset}").answer()[1]["is_unchanged"], PATIENCE_S * 3,
               "the chat has its message, and nothing changes any more")
    mine, theirs = scene.token("many", role="admin"), scene.token("few", role="admin")
    asked = [Asked(scene, f"/v1/log/{work}/{offset}", mine) for _ in range(5)]
    other = Asked(scene, f"/v1/log/{work}/{offset}", theirs)
    answers = [one.answer() for one in (*asked, other)]
    assert {status for status, _ in answers} == {200} and {answer["text"] for _, answer in answers} == {""}
    assert sorted(answer["is_unchanged"] for _, answer in answers) == [False] + [True] * 5
    assert answers[4][1]["is_unchanged"] is False and answers[5][1]["is_unchanged"] is True
    status, answer = Asked(scene, f"/v1/log/{work}/{offset}", prefer="").answer()
    assert (status, answer["is_unchanged"]) == (200, False), "who does not ask for it does not wait"


def test_a_right_that_has_ended_waits_no_more(scene):
    work, offset = begin(scene)
    token = scene.token("gone", role="admin")
    asked = Asked(scene, f"/v1/log/{work}/{offset}", token)
    scene.run(PERSON, "token", "revoke", "gone")
    assert asked.answer()[0] == 200      # after 7 s at most; what it may was decided before
    assert Asked(scene, f"/v1/log/{work}/{offset}", token).answer()[0] == 401


def test_a_user_who_follows_twice_can_cancel(scene):
    work, offset = begin(scene)
    following = [scene.start_command(PERSON, "log", "--wait", work) for _ in range(2)]
    for one in following:
        line = one.stdout.readline()
        while line and "a first line" not in line:
            line = one.stdout.readline()
        assert line
    say(scene, "a second line\n")
    for one in following:
        line = one.stdout.readline()
        while line and "a second line" not in line:
            line = one.stdout.readline()
        assert line
    scene.run(PERSON, "cancel", "staging")     # before it releases anything
    for one in following:
        one.communicate(timeout=PATIENCE_S * SLOW)
        assert one.returncode not in (0, 75), one.returncode
    assert offset


def test_news_are_of_what_one_sees(scene):
    limited = scene.token("of-staging", role="observer")
    status, first, _ = scene.call("GET", "/v1/news", scene.ci)
    check(first, {"$ref": "#/news"})
    assert (status, first["again"], first["news"]) == (200, True, [])
    place = f"/v1/news/{first['instance']}/{first['number']}"
    all_of_it, some_of_it = Asked(scene, place), Asked(scene, place, limited)
    scene.run(PERSON, "lock", "production")
    status, answer = all_of_it.answer()
    check(answer, {"$ref": "#/news"})
    assert (status, answer["again"], answer["is_unchanged"]) == (200, False, False)
    assert {(one["environment"], one["work"]) for one in answer["news"]} == {("production", None)}
    assert some_of_it.answer()[1]["news"] == [], "it is not theirs"
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    work = scene.json(PERSON, "deploy", "staging", "--wait")["work"]
    for token in (scene.ci, limited):
        news = scene.call("GET", place, token)[1]["news"]
        assert ("staging", work) in {(one["environment"], one["work"]) for one in news}
    scene.run(PERSON, "unlock", "production")
    for path in (f"/v1/news/{'0' * 32}/{first['number']}", f"/v1/news/{first['instance']}/999999"):
        assert scene.call("GET", path, scene.ci)[1]["again"] is True
    assert scene.call("GET", "/v1/news", "deploybot_" + "0" * 64)[0] == 401


def test_what_awaits_approval_is_said_with_whether_ones_own_counts(scene):
    scene.commit("main")
    number = scene.json(PERSON, "deploy", "production", "--no-wait")["work"]
    wait_until(lambda: scene.work_of(number)["is_asked"], PATIENCE_S, "a question")
    scene.run(PERSON, "answer", number, "yes", "--no-wait")
    wait_until(lambda: scene.work_of(number)["state"] == "awaiting_approval", PATIENCE_S, "approvals are asked for")
    status, answer = scene.ask(PERSON, "GET", "/v1/pending")
    check(answer, {"$ref": "#/pending"})
    assert status == 200
    assert [(one["work"], one["why_not"]) for one in answer["approvals"]] == [(number, "you asked for it")]
    assert "you asked for it" in scene.run(PERSON, "pending")
    assert scene.call("GET", "/v1/pending/staging", scene.ci)[1]["approvals"] == []
    assert scene.call("GET", "/v1/pending", scene.token("other", role="observer"))[1]["approvals"] == []
    scene.run(PERSON, "cancel", "production")


def test_what_holds_and_what_may_be_done_is_listed(scene):
    scene.run(PERSON, "lock", "production")
    status, answer, _ = scene.call("GET", "/v1/holds", scene.ci)
    check(answer, {"$ref": "#/holds"})
    held = {one["environment"]: [hold["kind"] for hold in one["holds"]] for one in answer["environments"]}
    assert (status, held) == (200, {"staging": [], "production": ["lock"]})
    scene.run(PERSON, "unlock", "production")
    assert scene.call("GET", "/v1/holds/nowhere", scene.ci)[0] == 404
    status, answer, _ = scene.call("GET", "/v1/actions", scene.ci)
    check(answer, {"$ref": "#/actions"})
    assert (status, answer["actions"]) == (200, [])


def went(scene, *words):
    """A user has ten requests a second."""
    try:
        scene.run(PERSON, *words)
    except AssertionError as error:
        assert "too many requests" in str(error)
        return False
    return True


def test_the_audit_is_read_by_days_in_pages(scene):
    for word in ("lock", "unlock") * 55:
        wait_until(functools.partial(went, scene, word, "staging"), PATIENCE_S, "room for one request more")
    seen, after = [], 0
    while after is not None:
        status, answer, _ = scene.call("GET", f"/v1/audit/2020-01-01/2099-12-31/{after}", scene.ci)
        check(answer, {"$ref": "#/audit"})
        assert status == 200 and len(answer["entries"]) <= 200
        seen += answer["entries"]
        assert answer["next"] is None or answer["next"] > after
        after = answer["next"]
    assert [one["entry"] for one in seen] == sorted({one["entry"] for one in seen})
    assert len(seen) >= len(scene.audit())
    code = next(one["code"] for one in seen if one["environment"] == "staging")
    found = scene.call("GET", f"/v1/audit/2020-01-01/2099-12-31/{code}/0", scene.ci)[1]["entries"]
    assert found and {one["code"] for one in found} == {code}
    assert scene.call("GET", "/v1/audit/2020-01-01/2020-12-31/0", scene.ci)[1]["entries"] == []
    assert scene.call("GET", "/v1/audit/2020-01-01/2099-12-31/0", scene.token("reader", role="observer"))[0] == 403
    assert scene.call("GET", "/v1/audit/2020-01-01/2099-13-31/0", scene.ci)[0] == 400


def test_the_stop_answers_who_waits_and_the_next_start_has_news_of_its_own(scene):
    first = scene.call("GET", "/v1/news", scene.ci)[1]
    place = f"/v1/news/{first['instance']}/{first['number']}"
    asked = Asked(scene, place)
    assert scene.bot.stop() == 0
    status, answer = asked.answer()
    assert (status, answer["news"], answer["is_unchanged"]) == (200, [], False)
    scene.bot.start()
    answer = scene.call("GET", place, scene.ci)[1]
    assert answer["again"] is True and answer["instance"] != first["instance"]
