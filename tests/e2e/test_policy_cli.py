"""Goal: `deploybot policy` says who may what, by which line, and what was used, beside a server that runs or not."""
# SPDX-License-Identifier: ISC
import datetime
import re

import pytest

from flow_aid import ADMIN_IDS, Scene, ended_well
from telegram_client import ADA, CARL, MALLORY, text_of
from test_flow_roles import EnvFile

UNTIL = (datetime.date.today() + datetime.timedelta(days=60)).isoformat()
BOB = 424_249_100
OPS = 424_249_101
OWNER = 424_249_102
OF_SHOP = f'''ROLE_OWNER_IDS={OWNER}
ROLE_OWNER_MAY=*:*, token
HOOK_CI_STARTS=deploy:staging ref=$.ref
'''


class PolicyScene(Scene):
    """apps/shop.env has a role and a hook of its own."""

    def settings(self):
        found = super().settings()
        with open(self.folder / "apps" / "shop.env", "a", encoding="utf-8") as file:
            file.write(OF_SHOP)
        return found


@pytest.fixture(scope="module", name="scene")
def scene_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    made = PolicyScene(folder, applications=("shop", "cider"), start=False)
    made.extra |= {"ADMIN_TELEGRAM_IDS": None, "STAGING_TELEGRAM_IDS": None}
    made.env = EnvFile(folder)
    made.env.values = {"ADMIN_TELEGRAM_IDS": ADMIN_IDS, "ROLE_CONTRACTOR_IDS": f"{CARL}, {BOB} until 2026-01-31",
                       "ROLE_CONTRACTOR_MAY": "deploy:shop/staging, log", "ROLE_CONTRACTOR_UNTIL": UNTIL,
                       "CLIENTS": "acme, beta", "CLIENT_ACME_HOST": "acme.example",
                       "CLIENT_ACME_ACTIONS": "restart-web",
                       "CLIENT_ACME_WEB_UNIT": "web.service", "CLIENT_BETA_HOST": "h.example",
                       "CLIENT_BETA_ACTIONS": "disk-free", "CLIENT_BETA_ENVIRONMENT": "shop/staging",
                       "WEBHOOK_API_SECRET": "canary-of-the-secret-of-hooks-5Rd8Wm2Xq",
                       "ROLE_OPS_IDS": str(OPS), "ROLE_OPS_MAY": "do.restart-web:client/acme, do.disk-free:client/beta"}
    made.env.write()
    made.start()
    yield made
    ended_well(made)


def explain(scene, who, action, target):
    done = scene.bot.run("policy", "explain", str(who), action, target)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("who, action, target, line", [
    (CARL, "deploy", "shop/staging", "ROLE_CONTRACTOR_MAY"), (CARL, "log", "shop/staging", "ROLE_CONTRACTOR_MAY"),
    (ADA, "rollback", "cider/production", "ADMIN_TELEGRAM_IDS"), ("system", "deploy", "shop/staging", "")])
def test_a_yes_names_the_line_that_decides(scene, who, action, target, line):
    status, said = explain(scene, who, action, target)
    name = f"telegram:{who}" if isinstance(who, int) else who
    assert status == 0 and said.startswith(f"yes: {name} may {action} {target}: ") and line in said, said


@pytest.mark.parametrize("who, action, target, sees", [
    (CARL, "rollback", "shop/staging", True), (CARL, "deploy", "shop/production", False),
    (CARL, "log", "cider/staging", False), (MALLORY, "status", "shop/staging", False),
    (BOB, "deploy", "shop/staging", False)])
def test_a_no_says_whether_they_learn_that_it_exists(scene, who, action, target, sees):
    status, said = explain(scene, who, action, target)
    assert status == 1 and said.startswith(f"no: telegram:{who} may not {action} {target}: "), said
    assert ("does not learn that it exists" in said) == (not sees), said
    assert ("note: the role contractor ended with 2026-01-31" in said.lower()) == (who == BOB), said


def test_an_action_and_a_client_are_explained(scene):
    for action, target in (("do.restart-web", "client/acme"), ("do.disk-free", "client/beta")):
        status, said = explain(scene, OPS, action, target)
        assert status == 0 and f"yes: telegram:{OPS} may {action} {target}: " in said, said
    status, said = explain(scene, OPS, "do", "client/acme")
    assert status == 1 and said.startswith(f"no: telegram:{OPS} may not do client/acme: "), said
    assert "note: they may do.restart-web there" in said, said
    status, said = explain(scene, OPS, "do.clear-cache", "client/acme")
    assert status == 1 and "CLIENT_<ID>_ACTIONS of acme does not name it" in said, said
    assert explain(scene, ADA, "do", "client/acme")[0] == 0
    assert 'there is no action "do.restart-wep"; did you mean do.restart-web?' in \
        explain(scene, OPS, "do.restart-wep", "client/acme")[1]


@pytest.mark.parametrize("who, action, said", [
    (OWNER, "token", "deny: a token is the server's; grants of apps/shop.env do not reach it\n"),
    (OWNER, "2fa", "deny: another person's second factor is the server's; grants of apps/shop.env do not reach it\n"),
    ("hook:shop/ci", "token", "deny: a token is the server's; grants of apps/shop.env do not reach it\n"),
    (CARL, "token", "deny: a token is the server's; only a grant on all reaches it: token:*/*\n"),
    (MALLORY, "token", f"deny: a token is the server's; telegram:{MALLORY} has no role here\n"),
    (ADA, "token", "allow: a token is the server's: admin (ADMIN_TELEGRAM_IDS: *:*/*)\n")])
def test_what_is_the_servers_is_explained_whatever_the_target(scene, who, action, said):
    for target in ("shop/staging", "cider/production", "*/*"):
        assert explain(scene, who, action, target) == (int(said.startswith("deny")), said), target


@pytest.mark.parametrize("who, target, status, said", [
    ("hook:shop/ci", "shop/staging", 0, "yes: hook:shop/ci may deploy shop/staging: hook (HOOK_CI_STARTS of shop: "),
    ("hook:shop/ci", "shop/production", 1, "no: hook:shop/ci may not deploy shop/production: "),
    ("hook:shop/ci", "cider/staging", 1, "no: hook:shop/ci may not deploy cider/staging: "),
    ("hook:ci", "shop/staging", 64, 'error: no HOOK_<NAME>_STARTS is the hook "ci"'),
    ("token:none", "shop/staging", 1, "note: that is an unknown token\n")])
def test_a_hook_and_a_token_are_explained_by_the_grants_that_they_have(scene, who, target, status, said):
    heard = explain(scene, who, "deploy", target)
    assert heard[0] == status and heard[1].startswith(said), heard


@pytest.mark.parametrize("who, action, target, said", [
    ("carl", "deploy", "shop/staging", '"carl" is not a Telegram id'),
    (CARL, "deplyo", "shop/staging", 'there is no action "deplyo"; did you mean deploy?'),
    (CARL, "deploy", "shop/stagign", 'there is no environment "shop/stagign"')])
def test_a_question_that_is_none_is_64_and_named(scene, who, action, target, said):
    status, heard = explain(scene, who, action, target)
    assert status == 64 and heard.startswith("error: ") and said in heard, heard


def test_words_that_are_missing_are_usage(scene):
    done = scene.bot.run("policy", "explain", str(CARL), "deploy")
    assert done.returncode == 64 and "policy explain WHO ACTION TARGET" in " ".join(done.stderr.split())
    assert scene.bot.run("policy").returncode == 64


def test_what_the_chat_answers_is_what_it_explains(scene):
    for command, action, target in (("/rollback shop/staging", "rollback", "shop/staging"),
                                    ("/deploy shop/production", "deploy", "shop/production")):
        scene.carl.say(command)
        said = text_of(scene.carl.hear(target))
        assert said.startswith("⛔" if "learn" not in explain(scene, CARL, action, target)[1] else "No \""), said


def of_person(report, number):
    found = re.search(rf"^telegram:{number} (.*)\n  may (.*)\n  last use (.*)$", report, re.M)
    return found.groups() if found else None


def test_the_report_lists_each_person_and_their_last_use(scene):
    def report():
        done = scene.bot.run("policy", "report")
        assert done.returncode == 0 and "warning" not in done.stderr, done
        return done.stdout

    role, may, last = of_person(report(), CARL)
    assert "contractor" in role.lower() and UNTIL in role and last == "never"
    assert may == "deploy:shop/staging, log:shop/staging"     # what no target was named for holds where the others do
    assert re.search(rf"^telegram:{BOB} nobody\n  has ended: contractor until 2026-01-31\n", report(), re.M | re.I)
    assert of_person(report(), BOB) is None and of_person(report(), MALLORY) is None
    assert of_person(report(), ADA)[1] == "*:*/*, *:client/*"
    days = {datetime.datetime.now(datetime.timezone.utc).date().isoformat()}
    scene.carl.say("/deploy staging")
    scene.carl.hear("Live: shop/staging")
    days.add(datetime.datetime.now(datetime.timezone.utc).date().isoformat())
    assert of_person(report(), CARL)[2] in days


@pytest.mark.long
def test_check_config_names_whose_access_has_ended(scene):
    assert f"note: the role contractor of {BOB} ended with 2026-01-31\n" in scene.bot.run("check-config").stdout
