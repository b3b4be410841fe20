"""Goal: the step of a job at GitHub waits as long as deploybot says, goes on when its gate is open, fails with
deploybot's words, and reports how the job ended, whatever goes wrong; nobody's words are a command to the runner."""
# SPDX-License-Identifier: ISC
import json
import re
import time
import urllib.parse

import pytest

from gate_aid import Action, command_of, node_version
from gate_api import GateApi
from github_tokens import Issuer, Runner
from runner_client import wait_for
from tls_aid import make_certificate

pytestmark = pytest.mark.skipif(node_version() < 18, reason="no node of version 18 or later")
NAME = "shop/production"
DAY_S = 86400


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture
def api(issuer):
    made = GateApi(issuer)
    yield made
    made.stop()


@pytest.fixture
def runner(issuer):
    made = Runner(issuer)
    yield made
    made.stop()


@pytest.fixture
def action(tmp_path, api, runner):
    made = Action(tmp_path, runner, url=api.url, environment=NAME)
    yield made
    made.done()


def paths(api):
    return [f"{method} {path}" for method, path, *_ in api.asked]


# ---- the way through -----------------------------------------------------------------------------


def test_an_open_gate_lets_the_job_go_on_and_its_end_is_reported(api, action):
    assert action.main() == 0 and action.said() == [f"deploybot: {NAME}, work 12: open: this job goes on"]
    assert action.state() == {"id": "12"}
    assert action.post() == 0 and action.said() == ["deploybot: work 12 has ended: success"]
    assert paths(api) == ["POST /v1/gate", "POST /v1/gate-end/12"] and api.ended == ["success"]


def test_each_change_of_what_it_waits_for_is_one_line_in_words(api, action):
    api.states = ["requested", "requested", "awaiting_confirmation", "awaiting_confirmation",
                  {"state": "awaiting_approval", "approvals_open": 2},
                  {"state": "awaiting_approval", "approvals_open": 2},
                  {"state": "awaiting_approval", "approvals_open": 1},
                  {"state": "queued", "said": "behind deployment 11, since 12:04"},
                  {"state": "queued", "said": "behind deployment 11, since 12:05"}, "running"]
    assert action.main() == 0
    assert [line.removeprefix(f"deploybot: {NAME}, work 12: ") for line in action.said()] == [
        "the commit is looked for", "awaiting confirmation in the chat", "awaiting approval in the chat, 2 missing",
        "awaiting approval in the chat, 1 missing", "queued: behind deployment 11, since 12:04",
        "open: this job goes on"]
    assert paths(api) == ["POST /v1/gate"] + ["GET /v1/work/12"] * 9


def test_it_asks_every_five_seconds(api, action):
    api.states = ["queued"] * 6 + ["running"]
    assert action.main() == 0 and action.waits() == [5] * 6


@pytest.mark.parametrize("job, conclusion", [
    ("success", "success"), ("failure", "failure"), ("cancelled", "cancelled"), ("", "failure"), ("odd", "failure")])
def test_how_the_job_ended_is_what_its_post_step_is_given(api, action, job, conclusion):
    assert action.main() == 0 and action.post(job) == 0 and api.ended == [conclusion]


# ---- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["done", "failed", "refused", "cancelled", "expired", "superseded"])
def test_an_end_before_it_was_open_fails_with_deploybots_words_and_is_reported_by_nobody(api, action, state):
    api.states = ["awaiting_approval", {"state": state, "detail": "Bea has rejected it"}]
    assert action.main() == 1
    assert action.said()[-1] == f"error: deploybot: {NAME}, work 12: {state}: Bea has rejected it"
    assert action.post("failure") == 0 and not action.said() and not api.ended


def test_an_end_that_has_a_new_name_is_known_by_is_over(api, action):
    api.states = ["queued", {"state": "withdrawn", "is_over": True}]
    assert action.main() == 1 and action.said()[-1] == f"error: deploybot: {NAME}, work 12: withdrawn"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_what_is_refused_fails_at_once_with_deploybots_words(api, action, status):
    api.troubles = [(status, "workflow:release may not: gate:shop/production")]
    assert action.main() == 1
    assert action.said() == ["error: deploybot: workflow:release may not: gate:shop/production"]
    assert len(api.asked) == 1 and action.post("failure") == 0 and len(api.asked) == 1


def test_a_server_that_does_not_serve_v1_is_said(api, action, runner):
    api.troubles = ["off"]
    assert action.main() == 1 and len(api.asked) == 1
    assert action.said() == ["error: deploybot: nothing is served at /v1 there: ENABLE_API_SERVER=true and a restart, "
                             "and a proxy that passes /v1/ on"]
    runner.troubles = [404]
    assert action.main() == 1 and action.said() == ["error: deploybot: GitHub gives no token: HTTP 404"]


def test_work_that_is_not_to_be_seen_any_more_ends_the_wait_and_is_cancelled(api, action):
    api.states = ["queued"]
    api.troubles = [None, None, (404, "there is no work 12")]
    assert action.main() == 1 and action.said()[-1] == "error: deploybot: there is no work 12"
    assert api.ended == ["cancelled"] and action.state() == {"id": ""}


def test_without_a_yes_in_time_it_fails_and_takes_its_question_back(api, action):
    action.inputs["timeout-minutes"] = "3"
    api.states = ["awaiting_approval"]
    assert action.main() == 1 and action.said()[-1] == f"error: deploybot: no yes for {NAME} in 3 minutes"
    assert sum(action.waits()) == 180 and api.ended == ["cancelled"]
    assert paths(api).count("POST /v1/gate-end/12") == 1, "by a token of its own, which is not refused"
    assert action.post("failure") == 0 and api.ended == ["cancelled"]


@pytest.mark.parametrize("word", ["SIGINT", "SIGTERM"])
def test_a_job_that_is_cancelled_while_it_waits_takes_its_question_back(api, action, word):
    api.states = ["awaiting_approval"]
    action.fast = 20
    action.start()
    wait_for(lambda: "GET /v1/work/12" in paths(api), "a question")
    action.cancel(word)
    assert action.finish() == 1 and action.said()[-1] == "error: deploybot: this job was cancelled while it waited"
    assert api.ended == ["cancelled"]
    assert action.post("cancelled") == 0 and api.ended == ["cancelled"], "once"


def test_a_job_that_is_cancelled_while_deploybot_is_away_leaves_it_to_its_post_step(api, action):
    api.states = ["awaiting_approval"]
    action.start()
    wait_for(lambda: "GET /v1/work/12" in paths(api), "a question")
    api.down = True
    action.cancel()
    assert action.finish(timeout=7.5) == 1, "the runner would have killed it"
    assert action.said()[-1].startswith("warning: deploybot: not cancelled there: not reached for 6 s:"), action.said()
    api.down = False
    assert action.post("cancelled") == 0 and api.ended == ["cancelled"]


def test_a_job_that_is_cancelled_before_it_has_a_number_ends_at_once(api, action, runner):
    action.fast = 1
    runner.troubles = [503] * 9
    action.start()
    wait_for(lambda: runner.asked, "a question")
    action.cancel()
    assert action.finish() == 1 and not api.asked
    assert action.post("cancelled") == 0 and not api.asked


# ---- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [429, 500, 502, 503, 504, "away", "html", "long"])
def test_trouble_passes(api, action, trouble):
    api.states = ["queued", "queued", "running"]
    api.troubles = [trouble, trouble, None, trouble, None, trouble]
    assert action.main() == 0
    said = [line for line in action.said() if "trying again" in line]
    assert len(said) == 3 and len(action.said()) == 5, "once for each request"
    assert paths(api) == ["POST /v1/gate"] * 3 + ["GET /v1/work/12"] * 4
    api.troubles = [trouble]
    assert action.post() == 0 and api.ended == ["success"]


def test_the_pause_before_another_try_grows_and_is_at_most_a_minute(api, action):
    api.states = ["queued", "running"]
    api.troubles = [None] + [503] * 9
    assert action.main() == 0 and action.waits() == [5, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("after, pause", [("30", 30), ("7200", 60), ("soon", 1), ("-5", 1)])
def test_retry_after_is_kept_as_far_as_it_makes_sense(api, action, after, pause):
    api.troubles = [(429, {"Retry-After": after})]
    assert action.main() == 0 and action.waits() == [pause]


def test_an_address_where_nobody_answers_keeps_a_runner_for_five_minutes(api, action):
    api.down = True
    assert action.main() == 1
    assert re.fullmatch(r"error: deploybot: not reached for 300 s: \w+.*", action.said()[-1]), action.said()
    assert action.waits() == [1, 2, 4, 8, 16, 32, 60, 60, 60] and action.state() == {}


def test_an_outage_of_forty_minutes_is_waited_for_and_one_of_an_hour_is_not(api, action):
    api.states = ["awaiting_approval", "running"]
    api.troubles = [None] + ["away"] * 45
    assert action.main() == 0 and sum(action.waits()) > 40 * 60
    api.asked, api.job, api.states, api.troubles = [], None, ["awaiting_approval"], [None] + ["away"] * 200
    assert action.main() == 1 and "error: deploybot: not reached for 3600 s: " in "".join(action.said())
    assert 58 * 60 < sum(action.waits()) < 61 * 60


def test_a_redirect_is_not_followed(api, action):
    api.troubles = ["redirect"]
    assert action.main() == 1 and action.said() == ["error: deploybot: HTTP 302"] and paths(api) == ["POST /v1/gate"]


def test_an_answer_without_a_number_or_a_state_is_none(api, action):
    for said in ({"id": "12", "state": "running"}, {"id": -1, "state": "running"}, {"id": 12, "state": "::x::"},
                 {"id": 1.5, "state": "running"}, {"state": "running"}, [], None, {"id": 12, "state": 7}):
        api.begin = lambda *_, said=said: said
        assert action.main() == 1 and "no answer of deploybot" in action.said()[-1], said
    assert action.state() == {}


def test_a_certificate_that_nobody_vouches_for_ends_it_before_a_token_is_sent(issuer, runner, tmp_path):
    folder = make_certificate(tmp_path / "tls", int(time.time()) + 30 * DAY_S)
    api = GateApi(issuer, certificate=folder)
    action = Action(tmp_path, runner, url=api.url, environment=NAME)
    try:
        assert action.main() == 1 and "DEPTH_ZERO_SELF_SIGNED_CERT" in action.said()[-1], action.said()
        assert not api.asked
        action.more["NODE_EXTRA_CA_CERTS"] = str(folder / "cert.pem")
        assert action.main() == 0 and paths(api) == ["POST /v1/gate"]
    finally:
        action.done()
        api.stop()


# ---- tokens --------------------------------------------------------------------------------------


def test_a_token_that_lives_is_used_again_but_never_for_a_second_change(api, action, runner):
    api.states = ["queued"] * 5 + ["running"]
    assert action.main() == 0 and action.post() == 0
    used = [asked[3] for asked in api.asked]
    assert len(set(used[:-1])) == 1 and used[-1] != used[0] and len(runner.made) == 2
    audience = urllib.parse.quote(api.url, safe="")
    assert runner.asked == [f"/job/idtoken?api-version=2.0&audience={audience}"] * 2


def test_deploybot_is_told_of_the_gate_by_masked_tokens(action, runner):
    assert action.main() == 0 and action.lines[0] == f"::add-mask::{runner.made[0]}"
    assert action.post() == 0 and action.lines[0] == f"::add-mask::{runner.made[1]}"


def test_a_token_that_ends_within_a_minute_is_not_used_again(api, action, runner):
    runner.life_s = 55
    api.states = ["queued"] * 5 + ["running"]
    assert action.main() == 0
    assert len({asked[3] for asked in api.asked}) == len(api.asked) == len(runner.made)


def test_a_token_whose_end_cannot_be_read_is_used_once(api, action, runner):
    runner.claims["exp"] = 2**31
    api.states = ["queued", "queued", "running"]
    assert action.main() == 0 and len(runner.made) == 1, "this one can"
    runner.issuer.token, token = lambda **_: "a.b.c", runner.issuer.token
    try:
        assert action.main() == 1 and [asked[3] for asked in api.asked[-2:]] == ["a.b.c"] * 2 and len(runner.made) == 3
    finally:
        runner.issuer.token = token


def test_a_token_that_is_refused_is_taken_anew_once(api, action, runner):
    api.states = ["queued", "queued", "running"]
    api.troubles = [(401, "JWT: it has expired"), None, (401, "JWT: it has expired")]
    assert action.main() == 0 and len(runner.made) == 3
    api.asked, api.job, runner.made[:] = [], None, []
    api.troubles = [(401, "JWT: aud is not https://b.example.org alone")] * 2
    assert action.main() == 1 and len(api.asked) == len(runner.made) == 2
    assert action.said() == ["error: deploybot: JWT: aud is not https://b.example.org alone"]


@pytest.mark.parametrize("trouble", [429, 500, 503, "away", "html"])
def test_trouble_at_the_runners_endpoint_passes(api, action, runner, trouble):
    runner.troubles = [trouble, trouble]
    assert action.main() == 0
    assert [line for line in action.said() if "trying again: GitHub gives no token" in line], action.said()


def test_a_job_that_gets_no_token_says_which_right_it_lacks(api, action, runner):
    action.more = dict.fromkeys(runner.environment())
    assert action.main() == 1 and not api.asked
    assert action.said() == [
        "error: deploybot: GitHub gives this job no token: it needs `permissions: id-token: write`"]
    action.more = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-another"}
    assert action.main() == 1 and action.said() == ["error: deploybot: GitHub gives no token: HTTP 401"]
    assert not api.asked


@pytest.mark.parametrize("value", ["", "a.b", "a.b.c.d", "a.b.c\n::error::x", "a.b.c" + 8000 * "d", 7, None],
                         ids=["empty", "two", "four", "lines", "long", "number", "null"])
def test_what_is_no_token_is_neither_printed_nor_sent(api, action, runner, value):
    runner.page = lambda request: (200, {"value": value})
    assert action.main() == 1 and "GitHub gives no token: what it answers is none" in action.said()[-1], action.said()
    assert not api.asked and not [line for line in action.lines if "add-mask" in line]


# ---- words of others -----------------------------------------------------------------------------

NASTY = ("a\n::stop-commands::x", "a\r::error::x", "\n::add-mask::e", "x ##[add-mask]e", "##\u200b[error]x",
         "###[error]x", "100%0A::warning::x", "%25%0A::set-env name=PATH::x", "\u2028::error::x", "\u0085::error::x",
         "\x1b[2Jx", "\ud800x", 40_000 * "long ")


@pytest.mark.parametrize("number", range(len(NASTY)))
def test_no_word_of_a_server_is_a_command_to_the_runner(api, action, number):
    api.states = [{"state": "queued", "said": NASTY[number]}, {"state": "refused", "detail": NASTY[number]}]
    assert action.main() == 1      # check_log() looks at each line
    assert len(action.said()) == 2, "a line each"
    data = command_of(next(line for line in action.lines if line.startswith("::error::")))[1]
    assert "\n" not in data and "\r" not in data and "##[" not in data


def test_what_is_said_of_trouble_is_no_command_either(api, action):
    api.troubles = [(503, "a\n::stop-commands::x ##[add-mask]e"), (403, "a\n::stop-commands::x ##[add-mask]e%0A")]
    assert action.main() == 1 and len(action.said()) == 2
    assert action.said()[-1] == "error: deploybot: a ::stop-commands::x ## [add-mask]e%0A"


# ---- inputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, value", [
    *(("url", url) for url in ("", "http://bot.example.org", "https://bot.example.org/v1", "https://a@b.example.org",
                               "https://a b", "ftp://b.example.org", "https://b.example.org?x",
                               "http://127.0.0.1.example.org")),
    *(("environment", name) for name in ("", "a b", "shop/production/x", "../x", "SHOP", 65 * "a", "a\nb")),
    *(("timeout-minutes", minutes) for minutes in ("0", "-1", "x", "1e3", "100000"))])
def test_an_input_that_is_none_is_named_before_anything_is_sent(api, action, runner, name, value):
    action.inputs[name] = value
    assert action.main() == 1 and f"the input {name} is no" in action.said()[0] and not api.asked and not runner.asked


def test_an_address_with_a_slash_behind_it_is_the_same(api, action):
    action.inputs["url"] += "/"
    assert action.main() == 0 and paths(api) == ["POST /v1/gate"]


# ---- the post step -------------------------------------------------------------------------------


def test_an_end_that_cannot_be_reported_is_a_warning_after_two_minutes(api, action):
    assert action.main() == 0
    api.down = True
    assert action.post("failure") == 0
    assert re.fullmatch("warning: deploybot: it does not know how this job ended: not reached for 120 s: .*"
                        "/cancel there frees the environment", action.said()[-1]), action.said()
    assert action.waits() == [1, 2, 4, 8, 16, 32]


def test_an_end_that_deploybot_knows_better_is_a_warning_with_its_words(api, action):
    assert action.main() == 0
    api.troubles = [(409, "the gate has ended at 12:04")]
    assert action.post() == 0 and "the gate has ended at 12:04" in action.said()[0] and len(api.asked) == 2


def test_a_post_step_without_a_gate_says_nothing_and_one_with_a_wrong_number_asks_nothing(api, action, runner):
    assert action.post("failure") == 0 and not action.lines
    for number in ("../x", "1\nid=2", "0", "-1", 17 * "9"):
        action.more = {"STATE_id": number}
        assert action.post("failure") == 0 and "STATE_id is no number" in action.said()[0]
    assert not api.asked and not runner.asked


# ---- other people's code -------------------------------------------------------------------------


def test_the_action_is_what_github_reads(action):
    assert action.definition["runs"] == {"using": "node24", "main": "main.js", "post": "post.js", "post-if": "always()"}
    assert action.definition["inputs"]["status"]["default"] == "${{ job.status }}"
    assert action.definition["inputs"]["timeout-minutes"]["default"] == "480"


def test_the_stand_in_answers_as_the_contract_says(api):
    """A test of the tests."""
    api.states = ["queued"]
    assert set(api.begin({"environment": NAME}, ("1", "2", "3", "4"))) == {"id", "state", "said"}
    assert {"state", "is_over", "detail", "approvals_open"} <= set(api.work()) and json.dumps(api.work())
