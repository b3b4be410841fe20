"""Goal: users of the machine deploy, follow, answer and roll back over LOCAL_SOCKET, each as who the settings say
they are, whether Telegram is there or not; what they do is seen in the chat and in the audit."""
# SPDX-License-Identifier: ISC
import datetime
import os
import pty
import re
import select
import signal
import subprocess

import pytest

from crash_aid import HOLD, STEADY
from flow_aid import FIRST_ADMIN, PATIENCE_S
from local_aid import PERSON, ROLE, ROLE_ADMIN, LocalScene
from stage import wait_until
from telegram_client import ADA, DEFAULT_TOKEN, MALLORY
from test_api_file import OPENAPI

AS_ADMIN = ["Deploybot-Role: admin"]
NOT_OVER = "not over: it may fail or be replaced"
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "object": dict,
         "array": list}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture(scope="module")
def scene():
    made = LocalScene(settings={"PRODUCTION_CONFIRM": "true"})
    yield made
    made.close()


def check(answer, schema, where=""):
    """Each key of an answer is described, each that is described is there, and is of its type."""
    schemas = OPENAPI["components"]["schemas"]
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema:
        parts = [schemas[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part for part in schema["allOf"]]
        schema = {"type": "object", "properties": {key: of for part in parts for key, of in part["properties"].items()}}
    if "oneOf" in schema:
        schema = {"type": "null"} if answer is None else schema["oneOf"][0]
        check(answer, schema, where)
        return
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(answer, KINDS[kind]) for kind in kinds), (where, answer, kinds)
    assert answer is None or answer in schema.get("enum", [answer]), (where, answer)
    if isinstance(answer, dict):
        assert set(answer) ^ set(schema["properties"]) == set(), where      # names the key
        for key, value in answer.items():
            check(value, schema["properties"][key], f"{where}.{key}")
    elif isinstance(answer, list):
        for value in answer:
            check(value, schema["items"], where + "[]")


@pytest.fixture(autouse=True)
def at_rest(scene):
    yield
    scene.go_on()
    scene.wait_free()


def test_a_key_that_is_described_nowhere_is_named_among_many():
    described = {f"key_{i}": {"type": "integer"} for i in range(20)}
    for key, answer in (("more", {**dict.fromkeys(described, 1), "more": 1}),
                        ("key_13", {key: 1 for key in described if key != "key_13"})):
        with pytest.raises(AssertionError) as failed:
            check(answer, {"type": "object", "properties": described}, ".work")
        assert key in str(failed.value) and ".work" in str(failed.value)


def test_somebody_deploys_and_follows_and_the_chat_sees_it(scene):
    scene.scripts.deploy('echo "this is shown"; ' + STEADY)
    said = scene.run(PERSON, "deploy", "staging", "--wait")
    commit = scene.head("develop")
    assert "==> ship" in said and "this is shown" in said
    assert "Live: staging" in said and f"{commit[:7]}" in said
    assert scene.scripts.live() == commit
    scene.ada.hear("Live: staging", commit[:7], "games (from the machine)", chat=ADA, after=0)
    assert [e["user_id"] for e in scene.audit(action="deploy_requested")] == [f"telegram:{FIRST_ADMIN}"]
    assert scene.audit(action="deploy_requested")[0]["principal"] == "local:games"


def test_a_deployment_is_shown_whole(scene):
    number = scene.json(PERSON, "history", "staging")["work"][0]["work"]
    said = scene.run(PERSON, "show", str(number))
    assert said.startswith("✅ Live: staging") and f"\n#{number}, live since " in said
    assert re.search(r"\ndeploy script: started .*, ok \(run \d+\)\n", said) and "\naudit entries " in said
    assert "There is no deployment of that number: " in scene.run(PERSON, "show", "424242", wanted=1)


def test_figures_are_of_what_was_deployed(scene):
    """By its commit's own time, which git says."""
    figures = scene.json(PERSON, "figures", "staging")
    check(figures, {"$ref": "#/figures"})
    assert figures["deployments"] == 1 and figures["failures"] == 0 and figures["change_failure_rate"] == 0
    assert figures["without_lead_time"] == 0 and figures["lead_time_median_s"] >= 0
    assert sum(week["deployments"] for week in figures["weeks"]) == 1 and figures["days"] == 91
    said = scene.run(PERSON, "figures", "staging")
    assert re.match(r"91 days to \d{4}-\d\d-\d\d: 1 deployments, 0.1 a week; 0 failed \(0.0 %\)\n"
                    r"  from commit to live: .*, nine of ten within .*\n$", said), said
    assert "The last day stands before the first." in scene.run(
        PERSON, "figures", "staging", "--from", "2026-03-02", "--to", "2026-03-01", wanted=64)


def test_lists_of_v1_are_shown_to_people_and_as_json(scene):
    """What keeps work back, what awaits a yes, what one may do: each by a word of the command line."""
    assert scene.run(PERSON, "holds", "staging") == "Nothing keeps new work from starting.\n"
    scene.run(PERSON, "lock", "staging", "30m", "a migration")
    try:
        said = scene.run(PERSON, "holds")
        assert re.search(r"^staging\n  locked by .*, until 20.* UTC: a migration$", said, re.M), said
        check(scene.json(PERSON, "holds", "staging"), {"$ref": "#/holds"})
    finally:
        scene.run(PERSON, "unlock", "staging")
    assert scene.run(PERSON, "hosts", "staging") == "staging: 0 hosts\n"
    assert scene.run(PERSON, "hosts", "staging", "failed") == "staging: 0 failed or unknown hosts\n"
    check(scene.json(PERSON, "hosts", "staging", "old"), {"$ref": "#/hosts"})
    assert "behind it nothing, failed or old" in scene.run(PERSON, "hosts", "shop/staging", "new", wanted=64)
    check(scene.json(PERSON, "actions"), {"$ref": "#/actions"})
    assert scene.run(PERSON, "actions") == "You may ask for no action.\n"
    check(scene.json(PERSON, "pending"), {"$ref": "#/pending"})
    check(scene.json(PERSON, "whoami"), {"$ref": "#/me"})
    assert re.match(r"\w+ \(from the machine\), as admin\n  \*/\*: \*\n", scene.run(PERSON, "whoami"))
    assert scene.run(PERSON, "pending").startswith("Nothing awaits")


def test_what_is_shown_is_what_the_file_says(scene):
    number = scene.json(PERSON, "history", "staging")["work"][0]["work"]
    for path, name in (("status", "status"), ("status/staging", "status"), ("history", "history"), ("queue", "queue"),
                       (f"work/{number}", "work"), (f"log/{number}/0", "log"), ("work/424242", "said")):
        status, answer = scene.ask(PERSON, "GET", f"/v1/{path}")
        assert status == (404 if name == "said" else 200)
        check(answer, {"$ref": "#/" + name}, path)


def test_the_server_that_runs_tells_root_who_has_opened_the_first_admins_link(scene):
    """It has the bot's updates: who asks Telegram for them besides is refused, and takes none of them."""
    words = [str(scene.folder / "lib" / "deploybot"), "first-admin"]
    given = {**scene.bot.environment(), "LOCAL_SOCKET": str(scene.socket)}
    asked = subprocess.Popen(words, cwd="/", env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    try:
        for line in asked.stderr:
            if found := re.search(r"https://t\.me/\w+\?start=([0-9a-f]{16})\n", line):
                break
        status, answer = scene.ask("root", "GET", "/v1/first-admin", headers=AS_ADMIN)
        check(answer, {"$ref": "#/first_admin"})
        assert found and status == 200 and answer == {"person": None, "is_open": True}
        scene.chat.say(MALLORY, MALLORY, f"/start {found[1]}")
        assert asked.communicate(timeout=PATIENCE_S * 2)[0] == f"{MALLORY}\n" and asked.returncode == 0
    finally:
        asked.kill()
        asked.communicate()
    answer = scene.ask("root", "GET", "/v1/first-admin", headers=AS_ADMIN)[1]
    assert answer == {"person": MALLORY, "is_open": False}
    status, answer = scene.ask("root", "POST", "/v1/first-admin-link", {}, AS_ADMIN)
    check(answer, {"$ref": "#/first_admin_link"})
    assert status == 200 and answer["bot"] == int(DEFAULT_TOKEN.partition(":")[0])
    assert scene.ask(PERSON, "GET", "/v1/first-admin")[0] == 403     # an admin, but not root


def test_status_shows_health_as_the_chat_does(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    scene.run(PERSON, "deploy", "staging", "--wait")
    shown = scene.run(PERSON, "status")
    staging, _, production = shown.partition("\nproduction ")
    assert re.search(r"\n  healthy: HTTP 200 in \d+ ms$", staging), shown
    assert "no health check configured" in production
    well = scene.health.answers["staging"]
    scene.health.answers["staging"] = (500, {"commit": "f" * 40})
    try:
        assert re.search(r"\n  DOWN: .*500.*, answers as fffffff\n", scene.run(PERSON, "status", "staging"))
        assert [(h["environment"], h["is_healthy"], h["http_status"]) for h in
                scene.json(PERSON, "status")["health"]] == [("staging", False, 500)]
        scene.health.answers["staging"] = (200, {"commit": "f" * 40})
        assert re.search(r"^staging +another commit answers; last live: release .*\n  healthy: .*, answers as fffffff",
                         scene.run(PERSON, "status", "staging"))
        assert [h["is_other_commit"] for h in scene.json(PERSON, "status")["health"]] == [True]
    finally:
        scene.health.answers["staging"] = well


def test_a_role_is_nobody_at_telegram_and_may_what_the_role_may(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    said = scene.json(ROLE, "deploy", "staging", "--wait")
    assert said["state"] == "live" and said["requested_by"] == "www-data (from the machine)"
    assert scene.audit(action="deploy_requested")[-1]["user_id"] == "local:www-data"
    denied = scene.run(ROLE, "deploy", "production", wanted=77)
    assert "production deploy: only an admin may" in denied
    assert scene.audit(action="denied")[-1]["user_id"] == "local:www-data"


def test_root_says_as_which_role_and_the_audit_says_so(scene):
    scene.scripts.deploy(STEADY)
    assert "--as ROLE" in scene.run("root", "status", wanted=77)
    assert "no such role" in scene.run("root", "status", "--as", "king", wanted=77)
    assert "staging" in scene.run("root", "--as", "staging", "status")     # before the command, too
    assert scene.run("root", "completion", "environments").split() == ["staging", "production"]     # what Tab offers
    assert "only root says --as" in scene.run(PERSON, "status", "--as", "admin", wanted=77)
    scene.commit("develop")
    assert scene.json("root", "deploy", "staging", "--wait", "--as", "staging")["state"] == "live"
    asked, began, live = [e for e in scene.audit() if e["user_id"] == "local:root"][-3:]
    assert [e["action"] for e in (asked, began, live)] == ["deploy_requested", "deploy_started", "deploy_success"]
    assert {e["severity"] for e in (asked, began, live)} == {"high"}
    assert "only an admin may" in scene.run("root", "deploy", "production", "--as", "staging", wanted=77)


def test_a_question_of_the_terminal_is_confirmed_in_the_chat(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("main")
    commit = scene.head("main")
    asking = scene.start_command(ROLE_ADMIN, "deploy", "production", "--wait")
    question = scene.ada.hear("production", commit[:7], "man (from the machine)", buttons=("Deploy to",), chat=ADA,
                              after=0)
    line = asking.stderr.readline()
    while line and "answer it in the chat, or: deploybot answer" not in line:
        line = asking.stderr.readline()
    assert line, "whoever waits without a terminal reads how it is answered"
    assert scene.ada.press(question, "Deploy to") in ("Confirmed.", "Started.")
    out, _ = asking.communicate(timeout=PATIENCE_S)
    assert asking.returncode == 0
    assert "Live: production, not checked" in out and f"{commit[:7]}" in out


def test_a_question_is_answered_in_the_terminal_once(scene):
    scene.commit("main")
    commit = scene.head("main")
    number = scene.json(PERSON, "deploy", "production", "--no-wait")["work"]
    wait_until(lambda: scene.work_of(number)["is_asked"], PATIENCE_S, "a question")
    assert "only an admin may" in scene.run("root", "answer", number, "yes", "--as", "staging", wanted=77)
    assert scene.json(PERSON, "answer", number, "yes", "--wait")["state"] == "live"
    assert scene.scripts.live("production") == commit
    assert "confirmed it already" in scene.run(PERSON, "answer", number, "yes", wanted=1)
    assert "There is no work of that number." in scene.run(PERSON, "answer", 999999, "yes", wanted=1)


def test_without_a_terminal_a_question_is_shown_and_is_no_success(scene):
    """Regression: it ended with 0 before git had answered, and nobody was shown what it asks."""
    scene.scripts.deploy(STEADY)
    scene.commit("main")
    said = scene.run(PERSON, "deploy", "production", wanted=4)
    number = re.search(r"deploybot answer (\d+) yes; it is open until", said)[1]
    assert "❓ Deploy to production?" in said and scene.head("main")[:7] in said
    out = scene.run(PERSON, "answer", number, "yes")
    assert f"{number}: {NOT_OVER}; follow it with: deploybot log --wait {number}\n" in out
    scene.run(PERSON, "log", number, "--wait")
    scene.commit("main")
    scene.run(PERSON, "deploy", "production", wanted=4)
    scene.run(PERSON, "answer", "production", "yes", "--wait")
    first = scene.run(PERSON, "rollback", "production", wanted=4)
    assert "❓ Roll back production?" in first
    second = scene.run(PERSON, "rollback", "production", wanted=4)
    first, second = (re.search(r"deploybot answer (\d+) yes", one)[1] for one in (first, second))
    assert second == first, "an equal one is that question"
    scene.run(PERSON, "answer", first, "yes", "--wait", wanted=None)
    assert "You have confirmed it already." in scene.run(PERSON, "answer", second, "yes", wanted=1)


def test_an_emergency_says_why_and_is_reviewed_by_a_person(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("main")
    assert "say why, behind the word emergency" in scene.run(PERSON, "deploy", "production", "emergency", wanted=1)
    assert "only an admin may" in scene.run("root", "deploy", "production", "--emergency", "down", "--as", "staging",
                                            wanted=77)
    number = scene.json(PERSON, "deploy", "--emergency", "the shop is down", "production", "--no-wait")["work"]
    wait_until(lambda: scene.work_of(number)["is_asked"], PATIENCE_S, "a question")
    assert scene.json(PERSON, "answer", number, "yes", "--wait")["state"] == "live"
    work = scene.work_of(number)
    assert (work["emergency"], work["reviewed_by"]) == ("the shop is down", None)
    assert "only a person counts" in scene.run(ROLE_ADMIN, "review", number, wanted=77)
    assert scene.audit(action="deploy_started")[-1]["severity"] == "high"


def test_a_question_is_found_and_answered_by_its_environment(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("main")
    assert "no question is open there" in scene.run(PERSON, "answer", "production", "yes", wanted=1)
    said = scene.run(PERSON, "deploy", "production", "--no-wait")
    number = int(said.split(":")[0])
    assert f"{number}: it waits for an answer" in said and f"deploybot answer {number} yes" in said
    assert said.count(f"{number}: {NOT_OVER}; follow it with: deploybot log --wait {number}\n") == 1
    wait_until(lambda: scene.work_of(number)["is_asked"], PATIENCE_S, "a question")
    until = scene.work_of(number)["asked_until"][:16].replace("T", " ") + " UTC"
    for word in ("status", "queue"):
        shown = scene.run(ROLE, word, "production")
        assert f"question: #{number} deploy" in shown, word
        assert f"open until {until}: read and answer it: deploybot answer {number}\n" in shown, word
    # A second request is closed when git has answered: it names the question that is open, and leads there.
    again = scene.run(PERSON, "deploy", "production", "--no-wait")
    assert f"the same is asked about already, as #{number}: deploybot answer {number} yes" in again
    other = int(again.split(":")[0])
    wait_until(lambda: scene.work_of(other)["state"] == "superseded", PATIENCE_S, "it is the same")
    assert f"asked about as #{number}" in scene.run(PERSON, "answer", other, "yes", wanted=1)
    asked = scene.run(PERSON, "answer", "production")     # what would change is read before it is answered
    assert "❓ Deploy to production?" in asked and scene.head("main")[:7] in asked
    joining = scene.start_command(ROLE_ADMIN, "deploy", "production", "--wait")
    line = joining.stderr.readline()
    while line and f"as #{number}, whose question is open" not in line:
        line = joining.stderr.readline()
    assert line, "the same was asked for before"
    assert "Confirmed." in scene.run(PERSON, "answer", "production", "yes", "--no-wait")
    out, _ = joining.communicate(timeout=PATIENCE_S)
    assert joining.returncode == 0 and "Live: production, not checked" in out and f"{scene.head('main')[:7]}" in out


def test_the_output_of_a_deployment_and_of_its_rollback_are_shown(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    scene.run(PERSON, "deploy", "staging", "--wait")
    scene.scripts.deploy('echo "this fails"; echo "==> release"; exit 3')
    scene.scripts.rollback('echo "this goes back"; echo "$2" >"$here/$1.live"')
    scene.commit("develop")
    followed = scene.run(PERSON, "deploy", "staging", "--wait", wanted=None)
    number = scene.json(PERSON, "history", "staging")["work"][0]["work"]
    out = scene.run(PERSON, "log", "staging")
    first, second = out.index(f"== #{number}: deploy ==\n"), out.index(f"== #{number}: rollback ==\n")
    assert first < out.index("this fails") < second < out.index("this goes back")
    assert scene.run(PERSON, "log", number) == scene.run(PERSON, "logs", number) == out    # as it was before
    both = subprocess.run(scene.command(PERSON, "logs", number), cwd="/", env=scene.environment(), capture_output=True,
                          text=True, check=True)
    assert "what a deployment has printed is: deploybot log;" in both.stderr
    assert [run["program"] for run in scene.work_of(number)["runs"]] == ["deploy", "rollback"]
    assert scene.ask(PERSON, "GET", "/v1/run/424242/0")[0] == 404
    assert followed is not None
    shown, bad = scene.run(PERSON, "status", "staging"), scene.head("develop")[:7]
    scene.lift_blocks()
    assert f"\n  blocked: {bad}, rolled back by deploybot (script failed: " in shown
    assert f"\n  1 newer commit: its branch is at {bad}\n" in shown


def test_a_log_of_more_pieces_than_one_may_ask_for_at_once_is_whole(scene):
    scene.scripts.deploy('seq -f "line %.0f of a long log, which goes on and on and on and on" 30000; ' + STEADY)
    scene.commit("develop")
    scene.run(ROLE_ADMIN, "deploy", "staging", "--wait")
    lines = [line for line in scene.run(ROLE_ADMIN, "log", "staging").splitlines() if line.startswith("line ")]
    assert (len(lines), lines[-1].split()[1]) == (30000, "30000")


def test_ctrl_d_at_the_question_is_no_answer(scene):
    scene.commit("main")
    ours, theirs = pty.openpty()
    sitting = subprocess.Popen(scene.command(PERSON, "deploy", "production"), cwd="/", env=scene.environment(),
                               stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    read_until(ours, b"Go on? [y/N] ")
    os.write(ours, b"\x04")
    seen = read_until(ours, b" yes\r\n")
    assert b"goes on" in seen and b"stop it: deploybot cancel production" in seen
    assert b"Its question is open: deploybot answer " in seen
    assert sitting.wait(PATIENCE_S) == 130
    os.close(ours)
    assert "No deployment" not in scene.run(PERSON, "answer", "production", "no", "--no-wait")


def test_ctrl_c_leaves_it_running_and_cancel_ends_it(scene):
    scene.scripts.deploy('echo "so far"; ' + HOLD + "; " + STEADY)
    scene.hold_script()
    scene.commit("develop")
    following = scene.start_command(PERSON, "deploy", "staging", "--wait")
    scene.wait_held()
    line = following.stdout.readline()
    while line and "so far" not in line:
        line = following.stdout.readline()
    assert "so far" in line, "output is shown while it runs"
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=PATIENCE_S)
    assert following.returncode == 130 and "goes on" in err
    number = int(err.split("#")[-1].split()[0])
    assert scene.work_of(number)["state"] == "running"
    assert "Stopping: staging" in scene.run(PERSON, "cancel", "staging")
    assert scene.json(PERSON, "log", number, "--wait", wanted=None)["is_over"]
    scene.go_on()      # no sooner: the script would be faster than its end, and what it has begun is rolled back
    assert scene.work_of(number)["state"] == "failed", "nothing was changed: no commit is blocked"


def test_a_failure_is_an_exit_status(scene):
    scene.scripts.deploy("echo no; exit 3")
    scene.commit("develop")
    assert "staging" in scene.run(PERSON, "deploy", "staging", "--wait", wanted=1)
    assert "no\n" in scene.run(PERSON, "log", "staging")
    out, _ = scene.start_command(PERSON, "log", "--wait", scene.json(PERSON, "history", "staging")["work"][0]["work"]
                                 ).communicate(timeout=PATIENCE_S)
    end = out[out.index("no\n"):].splitlines()
    assert end[1].startswith("❌") and any("script failed: no" in line for line in end[2:]), end
    assert "took " in end[-1], "how long it took"
    assert 'No "stagin". Did you mean staging?' in scene.run(PERSON, "deploy", "stagin", wanted=1)


def test_a_question_is_asked_and_answered_on_the_terminal(scene):
    """With a bar and the output, as somebody who sits there sees it."""
    scene.scripts.deploy('echo "so far"; ' + STEADY, "production")
    scene.commit("main")
    commit = scene.head("main")
    ours, theirs = pty.openpty()
    sitting = subprocess.Popen(scene.command(PERSON, "deploy", "production"), cwd="/", env=scene.environment(),
                               stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = read_until(ours, b"Go on? [y/N] ")
    assert commit[:7].encode() in seen
    os.write(ours, b"what?\n")
    read_until(ours, b"y or n? ")
    os.write(ours, b"yes\n")
    seen = read_until(ours, b"Live: production, not checked")
    assert b"Confirmed." in seen and b"so far" in seen
    assert sitting.wait(PATIENCE_S) == 0
    os.close(ours)


def read_until(terminal, words):
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], PATIENCE_S)[0], seen
        seen += os.read(terminal, 4096)
    return seen


def test_a_server_that_comes_again_is_waited_for(scene):
    scene.scripts.deploy(HOLD + "; " + STEADY)
    scene.hold_script()
    scene.commit("develop")
    following = scene.start_command(PERSON, "deploy", "staging", "--wait")
    scene.wait_held()
    scene.bot.kill()
    line = following.stderr.readline()
    while line and "the server does not answer" not in line:
        line = following.stderr.readline()
    scene.bot.start()
    scene.go_on()
    out, _ = following.communicate(timeout=PATIENCE_S)
    assert following.returncode == 0 and "Live: staging" in out and f"{scene.head('develop')[:7]}" in out


def test_locks_and_freezes_are_commands_of_the_machine_too(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    locked = scene.run(ROLE_ADMIN, "lock", "staging", "2h", "an incident, please wait")
    assert "Locked: staging by man (from the machine), until " in locked
    shown = scene.run(PERSON, "status", "staging")
    assert "locked by man (from the machine), until 20" in shown and "an incident, please wait" in shown
    denied = scene.run(PERSON, "deploy", "staging", wanted=77)
    assert "locked by man (from the machine)" in denied and "an incident, please wait" in denied
    assert "Unlocked: staging by " in scene.run(ROLE_ADMIN, "unlock", "staging")
    assert "lock takes no --reason" in scene.run(ROLE_ADMIN, "lock", "staging", "--reason", "why", wanted=64)
    assert "goes deploy ENVIRONMENT" in scene.run(PERSON, "rollback", "staging", "--emergency", "why", wanted=64)
    usage = scene.run(PERSON, "help", "rollback")
    assert "--emergency TEXT]" not in usage and "--reason" not in usage and "deploy ENVIRONMENT COMMIT" in usage
    too_long = scene.run(ROLE_ADMIN, "freeze", "staging", "until", "2099-01-06", wanted=1)
    assert "a freeze lasts a year at most" in too_long
    assert "Not locked" in scene.run(ROLE_ADMIN, "lock", "staging", "2 hours", wanted=1)
    day = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()
    assert "holidays" in scene.run(ROLE_ADMIN, "freeze", "staging", "until", day, "holidays")
    assert '--reason "..."' in scene.run(PERSON, "deploy", "staging", wanted=77)
    assert scene.json(PERSON, "deploy", "staging", "--reason", "the shop is down", "--wait")["state"] == "live"
    assert scene.audit(action="deploy_requested", exception="the shop is down")
    scene.run(ROLE_ADMIN, "unfreeze", "staging")
    assert "Not frozen" in scene.run(ROLE_ADMIN, "unfreeze", "staging", wanted=1)
    assert "Not locked" in scene.run(ROLE_ADMIN, "unlock", "staging", wanted=1)


def test_telegram_is_away_and_all_goes_on(scene):
    """Deploys, follows and rolls back while nothing answers at the chat's address."""
    scene.scripts.deploy(STEADY)
    before = scene.run(PERSON, "status", "production")
    scene.chat.stop()
    scene.commit("develop")
    first, second = scene.scripts.live(), scene.head("develop")
    out = scene.run(PERSON, "deploy", "staging", "--wait")
    assert "Live: staging" in out and f"{second[:7]}" in out and "==> ship" in out
    scene.scripts.rollback('echo "$2" >"$here/$1.live"')
    number = scene.json(PERSON, "rollback", "staging", "--no-wait")["work"]
    assert scene.json(PERSON, "answer", number, "yes", "--wait")["state"] == "live"
    assert scene.scripts.live() == first
    assert scene.run(PERSON, "status", "production") == before
    assert scene.json(PERSON, "queue")["environments"][0]["queue"] == []
    assert [w["program"] for w in scene.json(PERSON, "history", "staging")["work"]][:2] == ["rollback", "deploy"]
