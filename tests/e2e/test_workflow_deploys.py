"""Goal: where CI deploys, it does so by digest with deploybot's own scripts, rolls back what is not healthy, keeps no
key whatever ends it, and sends the chat the truth, in which a commit's message is data."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import signal
import subprocess

import pytest

from runner_client import wait_for
from ssh_aid import SshBench
from workflow_aid import CI_CD, ECR, SECRETS, SETTINGS, Workbench, read

CHAT = f"https://api.telegram.org/bot{SECRETS['TELEGRAM_BOT_TOKEN']}/sendMessage"

# ---- deploying from CI ---------------------------------------------------------------------------


class Deploying(Workbench):
    """The job `deploy`, with the real deploy.sh and hosts that are folders."""

    def __init__(self, path, tools_folder):
        self.bench = SshBench(path, tools_folder, "v2")
        super().__init__(path, tools_folder, ("docker", "aws", "curl", "gh", "ssh"))
        self.plan("ci", "staging")
        (self.work / "deploybot").mkdir()
        os.symlink(self.bench.deploy, self.work / "deploybot" / "deploy")
        self.health = "http://shop.example.org/health"
        self.context["secrets"] = {**SECRETS, "DEPLOY_SSH_KEY": self.bench.key.read_text(),
                                   "DEPLOY_KNOWN_HOSTS": self.bench.known.read_text()}
        self.context["vars"] = {"STAGING_HEALTH_URL": self.health, "ECR_REPOSITORY": "team/shop",
                                "COMPOSE_DIR": str(self.bench.app)}
        self.more = {"HEALTH_CHECKS": "4", "HEALTH_PAUSE_SECONDS": "0", "KILL_SECONDS": "2"}
        self.world(password="twelve-hours", images={}, here={}, registry={}, heads={},
                   sites={self.health: [[200, "ok"]]})

    def git(self, *words):
        return subprocess.run(
            ["git", "-C", str(self.work / "application"), "-c", "user.name=Ada", "-c", "user.email=ada@example.org",
             *words], check=True, capture_output=True, text=True).stdout.strip()

    def pushed(self, text, barrier=None, onto=None):
        """A commit whose image CI has pushed, and that is the branch's head: behind the one before it, or onto that."""
        if not (self.work / "application").exists():
            (self.work / "application").mkdir()
            self.git("init", "--quiet", "--initial-branch=develop")
        if onto:
            self.git("reset", "--quiet", "--hard", onto)
        if barrier:
            (self.work / "application" / ".deploybot").mkdir(exist_ok=True)
            (self.work / "application" / ".deploybot" / "no-rollback").write_text(barrier)
            self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", text)
        self.commit = self.git("rev-parse", "HEAD")
        manifest = json.dumps({"schemaVersion": 2, "config": text})
        digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        image = f"{ECR}/team/shop"
        world = self.world()
        kept = {**world["registry"].get(image, {}), self.commit: manifest, digest: manifest}
        self.world(registry={image: kept}, heads={"develop": self.commit})
        engine = self.bench.engine("h1")    # which sees at once that it is healthy
        self.bench.change_engine("h1", registry=[*engine["registry"], f"{image}@{digest}"],
                                 health={**engine.get("health", {}), "sha256:id-of-" + digest[-8:]: "healthy"})
        return f"{image}@{digest}"

    def left(self):
        """What a job leaves on its machine, but for the list that the cache takes."""
        return [path for path in self.temp.rglob("*")
                if path.relative_to(self.temp).as_posix() not in ("deploybot-images", "deploybot-images/images")]

    def done(self):
        super().done()
        self.bench.done()


@pytest.fixture
def deploying(tmp_path, tools_folder):
    made = Deploying(tmp_path, tools_folder)
    yield made
    made.done()


def test_ci_deploys_by_digest_and_keeps_no_key(deploying):
    image = deploying.pushed("one")
    assert deploying.job("deploy")[0] == 0, deploying.said
    assert deploying.bench.runs() == [(image, "running")]
    assert "staging runs" in deploying.said[-1] and "healthy" in deploying.said[-1]
    assert not deploying.left(), "key, known_hosts and state are gone"
    assert "OPENSSH" not in "\n".join(deploying.said)
    for words in deploying.calls("ssh"):
        assert "-oStrictHostKeyChecking=yes" in words


@pytest.mark.long
def test_as_many_releases_are_kept_as_elsewhere_whatever_machine_the_next_job_has(deploying):
    deploying.more["KEEP_RELEASES"] = "3"
    images = []
    for n in range(5):
        images.append(deploying.pushed(str(n)))
        assert deploying.job("deploy")[0] == 0, deploying.said
    here = deploying.bench.engine("h1")
    assert [image in json.dumps(here["images"]) for image in images] == [False, False, True, True, True], here["images"]
    steps = read(CI_CD)["jobs"]["deploy"]["steps"]
    restored, saved = (step for step in steps if step.get("uses", "").startswith("actions/cache/"))
    assert restored["with"]["path"] == saved["with"]["path"] == "${{ runner.temp }}/deploybot-images"
    assert restored["with"]["key"] == saved["with"]["key"], "of this attempt: a key is saved once"
    assert saved["with"]["key"].endswith("${{ github.run_attempt }}")
    assert saved["with"]["key"].startswith(restored["with"]["restore-keys"]) and saved["if"].startswith("always()")


@pytest.mark.long
def test_a_release_that_never_gets_healthy_is_rolled_back_after_so_many_checks(deploying):
    before = deploying.pushed("one")
    assert deploying.job("deploy")[0] == 0, deploying.said
    first = deploying.commit
    deploying.pushed("two")
    deploying.world(sites={deploying.health: [[200, "ok"], [503, "no"]]})
    assert deploying.job("deploy")[0] == 1
    assert [line for line in deploying.said if line.startswith("health check")] == [
        f"health check {n} of 4: HTTP {status}" for n, status in enumerate((200, 503, 503, 503), 1)]
    assert f"rolled back to {first}" in deploying.said[-1]
    assert deploying.bench.runs() == [(before, "running")] and not deploying.left()


@pytest.mark.long
def test_an_answer_that_names_another_commit_is_no_pass(deploying):
    deploying.pushed("one")
    deploying.world(sites={deploying.health: [[200, json.dumps({"commit": deploying.commit[:8].upper()})]]})
    assert deploying.job("deploy")[0] == 0, deploying.said
    first = deploying.commit
    deploying.pushed("two")
    deploying.world(sites={deploying.health: [[200, json.dumps({"commit": first})]]})
    assert deploying.job("deploy")[0] == 1
    assert f"health check 4 of 4: HTTP 200 of {first}" in deploying.said
    assert f"rolled back to {first}" in deploying.said[-1]


@pytest.mark.long
def test_a_first_release_that_is_not_healthy_has_nothing_to_go_back_to(deploying):
    deploying.pushed("one")
    deploying.world(sites={deploying.health: [[0, ""]]})
    assert deploying.job("deploy")[0] == 1 and "nothing was rolled back" in deploying.said[-1]
    assert not deploying.left()


@pytest.mark.long
def test_what_ran_before_deploybot_comes_back_for_a_first_release_that_is_not_healthy(deploying):
    deploying.bench.by_hand()
    deploying.pushed("one")
    deploying.world(sites={deploying.health: [[503, "no"]]})
    assert deploying.job("deploy")[0] == 1
    assert "rolled back to what ran there before deploybot (target:before-" in deploying.said[-1]


@pytest.mark.long
def test_what_nobody_rolls_back_past_is_left_running(deploying):
    deploying.pushed("one")
    assert deploying.job("deploy")[0] == 0, deploying.said
    image = deploying.pushed("two", barrier="drops column price")
    deploying.world(sites={deploying.health: [[503, "no"]]})
    assert deploying.job("deploy")[0] == 1
    assert f"not healthy with {deploying.commit}, which was left running" in deploying.said[-1]
    assert "No rollback past this release: drops column price. Push a commit" in deploying.said[-1]
    assert deploying.bench.runs() == [(image, "running")] and not deploying.left()


@pytest.mark.long
def test_a_branch_that_was_reset_goes_back_past_nothing_unasked(deploying):
    deploying.pushed("one")
    first = deploying.commit
    image = deploying.pushed("two", barrier="drops column price")
    barred = deploying.commit
    deploying.git("branch", "kept")     # else the repository shows it to nobody
    assert deploying.job("deploy")[0] == 0, deploying.said
    back = deploying.pushed("three", onto=first)
    assert deploying.job("deploy")[0] == 1 and "Re-run this job" in deploying.said[-1]
    assert deploying.said[-2] == f"No rollback past {barred} drops column price"
    assert deploying.bench.runs() == [(image, "running")] and not deploying.left()
    deploying.more["GITHUB_RUN_ATTEMPT"] = "2"
    assert deploying.job("deploy")[0] == 0, deploying.said
    assert deploying.bench.runs() == [(back, "running")]


def test_a_deployment_that_fails_says_deploy_shs_own_last_line_and_keeps_no_key(deploying):
    deploying.pushed("one")
    deploying.context["secrets"]["DEPLOY_KNOWN_HOSTS"] = "elsewhere ssh-ed25519 AAAA"
    assert deploying.job("deploy")[0] == 78 and "has no key of h1" in deploying.said[-1]
    assert not deploying.left() and deploying.bench.runs() == []


@pytest.mark.parametrize("number,status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_cancelled_keeps_no_key_and_leaves_nothing_running(deploying, number, status):
    deploying.pushed("one")
    assert deploying.step("deploy", SETTINGS) == 0 and deploying.step("deploy", "Is this still the newest?") == 0
    deploying.bench.plan({"when": ["ssh"], "hang": True})
    process = deploying.start("deploy", "Deploy, and back again if that is not healthy")
    deploying.bench.until_hangs()
    key, = deploying.temp.glob("deploy.*/key")
    assert key.stat().st_mode & 0o777 == 0o600 and key.parent.stat().st_mode & 0o777 == 0o700
    os.kill(process.pid, number)    # as Actions does: the shell alone
    assert deploying.finish() == status and not deploying.left()
    wait_for(lambda: not deploying.bench.session(process), "everything to be gone")


def test_an_older_commit_than_the_branchs_head_is_not_deployed(deploying):
    deploying.pushed("one")
    deploying.world(heads={"develop": "d" * 40})
    status, ran = deploying.job("deploy")
    assert status == 0 and ran[-1] == "Is this still the newest?" and "Not deployed" in deploying.said[-1]
    assert not deploying.calls("ssh")


def test_without_deploybots_scripts_it_says_where_they_come_from(deploying):
    deploying.pushed("one")
    (deploying.work / "deploybot" / "deploy").unlink()
    assert deploying.job("deploy")[0] == 1 and "DEPLOYBOT_REPOSITORY" in deploying.said[-1]


# ---- the last word -------------------------------------------------------------------------------


@pytest.fixture
def notifying(tmp_path, tools_folder):
    ci = Workbench(tmp_path, tools_folder, ("curl",))
    ci.plan("ci", "production")
    ci.context["needs"] |= {name: {"result": "success"} for name in ("test", "scan", "build")}
    ci.context["needs"]["tell"] = {"result": "skipped"}
    ci.context["needs"]["deploy"] = {"result": "success", "outputs": {"newest": "yes"}}
    ci.context["github"]["event"] = {"head_commit": {"message": "Ripe pears\n\nmore"}}
    ci.world(sites={CHAT: [[200, "{}"]]})
    yield ci
    ci.done()


def sent(ci):
    words = ci.calls("curl")[-1]
    fields = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--data-urlencode")
    assert fields["chat_id"] == "-1001" and SECRETS["TELEGRAM_BOT_TOKEN"] not in json.dumps(words)
    return fields["text"]


def test_the_chat_is_told_what_was_deployed(notifying):
    assert notifying.job("notify")[0] == 0, notifying.said
    assert sent(notifying).split("\n") == ["production: deployed", notifying.commit[:12] + " Ripe pears", "ada",
                                           "https://github.com/orchard/shop/actions/runs/77"]


@pytest.mark.parametrize("needs,text", [
    ({"test": "failure", "build": "skipped"}, "NOT deployed (tests failure)"),
    ({"build": "failure", "deploy": "skipped"}, "NOT deployed (build failure)"),
    ({"deploy": "cancelled"}, "NOT deployed (deployment cancelled)"),
    ({"deploy": "failure"}, "NOT deployed (deployment failure)"),
    ({"newest": ""}, "NOT deployed (a newer commit is there)")], ids=str)
def test_the_chat_is_told_what_was_not(notifying, needs, text):
    for name, result in needs.items():
        if name == "newest":
            notifying.context["needs"]["deploy"]["outputs"] = {}
        else:
            notifying.context["needs"][name]["result"] = result
    assert notifying.job("notify")[0] == 0 and sent(notifying).startswith(f"production: {text}\n")


@pytest.mark.parametrize("mode,needs,text", [
    ("deploybot", {"tell": "success"}, "image pushed, deploybot was notified"),
    ("deploybot", {"tell": "failure"}, "NOT deployed (notice to deploybot failure)"),
    ("deploybot", {"test": "failure", "build": "skipped"}, "NOT deployed (tests failure)"),
    ("build", {}, "image pushed, deploybot finds it by polling"),
    ("build", {"build": "failure"}, "NOT deployed (build failure)"),
    ("", {"build": "skipped"}, "tested, not deployed (DEPLOYBOT_MODE is not set)"),
    ("", {"build": "skipped", "scan": "failure"}, "NOT deployed (scan failure)")], ids=str)
def test_the_chat_is_told_in_every_mode(notifying, mode, needs, text):
    notifying.plan(mode, "production")
    notifying.context["needs"]["deploy"] = {"result": "skipped"}
    for name, result in needs.items():
        notifying.context["needs"][name]["result"] = result
    assert read(CI_CD)["jobs"]["notify"]["if"] == "always() && needs.plan.outputs.environment != ''"
    assert notifying.job("notify")[0] == 0 and sent(notifying).startswith(f"production: {text}\n")


@pytest.mark.parametrize("mode", ["deploybot", "build", ""])
def test_who_has_no_bot_for_ci_is_not_failed_where_deploybot_deploys(notifying, mode):
    notifying.plan(mode, "production")
    notifying.context["secrets"]["TELEGRAM_BOT_TOKEN"] = ""
    assert notifying.job("notify") == (0, [SETTINGS]) and not notifying.calls("curl")
    assert not any("::error::" in line for line in notifying.said) and "TELEGRAM_BOT_TOKEN" in notifying.said[-1]


@pytest.mark.parametrize("message", [
    "$(touch owned) `touch owned`", "a\" -o owned \"b", "url = \"http://evil.example.org\"", "<b>bold</b> *s* _u_", *(
        pytest.param(message, marks=pytest.mark.long) for message in (
            "'; touch owned; '", '"; touch owned; "', "@/etc/passwd", "=x&chat_id=1", "näh \U0001f350", "-",
            "%s %n ${HOME} \\n", ""))], ids=repr)
def test_a_commits_message_is_data(notifying, message):
    notifying.context["github"]["event"] = {"head_commit": {"message": message + "\nsecond line"}}
    assert notifying.job("notify")[0] == 0, notifying.said
    assert sent(notifying).split("\n")[1] == f"{notifying.commit[:12]} {message}"
    assert not [path for path in (*notifying.work.iterdir(), *notifying.temp.iterdir()) if path.name == "owned"]


def test_a_long_message_is_cut_between_letters(notifying):
    notifying.context["github"]["event"] = {"head_commit": {"message": "ä" * 300}}
    assert notifying.job("notify")[0] == 0 and sent(notifying).split("\n")[1].endswith(" " + "ä" * 200)


@pytest.mark.parametrize("answer,text", [
    ([403, '{"description": "bot was kicked"}'], "HTTP 403"), ([0, ""], "HTTP 000")])
def test_a_chat_that_cannot_be_told_fails_the_job(notifying, answer, text):
    notifying.world(sites={CHAT: [answer]})
    assert notifying.job("notify")[0] == 1 and text in notifying.said[-1]


@pytest.mark.parametrize("token", ["4242", '4242:a"b', "4242:a\nurl = x", "4242:a/../x"])
def test_a_token_that_is_none_is_not_sent_anywhere(notifying, token):
    notifying.context["secrets"]["TELEGRAM_BOT_TOKEN"] = token
    assert notifying.job("notify")[0] == 1 and "no token" in notifying.said[-1] and not notifying.calls("curl")
