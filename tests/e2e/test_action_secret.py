"""Goal: a job at GitHub and one at GitLab borrow a secret by the files of deploy/, before the real server and a Vault:
it is in a file of its user alone, masked line by line, and ends with the job; whoever was first at it is not hidden."""
# SPDX-License-Identifier: ISC
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import threading
import time

import pytest
import yaml

from flow_aid import PATIENCE_S, ended_well
from gate_aid import node_version
from github_tokens import Runner, Server
from gitlab_aid import GitlabJobs
from gitlab_tokens import BEGIN, merged, read_jobs
from gitlab_tokens import Runner as GitlabRunner
from jobs_aid import REPOSITORY, Jobs
from runner_client import ROOT
from secret_action_aid import SecretAction
from secret_aid import VALUE, WORKFLOWS, Job, Lending
from stage import wait_until
from telegram_client import GROUP
from tls_aid import make_certificate

needs_node = pytest.mark.skipif(node_version() < 18, reason="no node of version 18 or later")
KV, ODD_KV, CREDS = "secret/data/django/database", "secret/data/odd", "database/creds/stripe"
GITLAB = pathlib.Path(ROOT) / "deploy" / "gitlab" / "secret.yml"
# What a runner, a shell, a heredoc and C each take for something else.
ODD = "first 100%0A line\n  EOF\nEOF\n::add-mask::x\r\n##[error]y\nNAME<<EOF\n\0tail-behind-it"
FIRST = "Somebody else may have had it: /revoke {}, and look at Vault's audit log"


class Front(Server):
    """Passes on what jobs ask deploybot; `asked`: the paths."""

    methods = ("GET", "POST")
    scene = None
    value = None        # is delivered in the place of a token

    def page(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0)) or None
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.scene.http_port, timeout=60)
        connection.request(request.command, request.path, body, {
            **headers, "X-Real-IP": f"198.51.{next(self.scene.addresses)}"})
        answer = connection.getresponse()
        text = answer.read()
        said = json.loads(text) if answer.headers["Content-Type"] == "application/json" else None
        if self.value is not None and "token" in (said or {}):
            said["value"] = self.value
            del said["token"]
        return answer.status, said


class Both(Lending, GitlabJobs):
    """Lends to jobs of both forges, who ask its front."""

    ask = Jobs.ask

    def __init__(self, folder):
        self.front = Front()
        self.front.scene = self
        super().__init__(folder)

    def stop(self):
        self.front.stop()
        return super().stop()

    def settings(self):
        found = {**super().settings(), "PUBLIC_URL": self.front.url}
        for n in range(WORKFLOWS):
            found[f"WORKFLOW_G{n}_IS"] = f"gitlab 22 g{n}.yml@refs/heads/develop"
            found[f"WORKFLOW_G{n}_MAY"] = "secret.db-migrate:production, secret.stripe:production"
        return found

    def secrets(self):
        with self.vault.lock:
            return [VALUE, *(one.id for one in self.vault.made)]

    def reports(self, job):
        return self.front.asked.count(f"/v1/loan-failed/{job.loan}") == 1

    def is_wrapped(self, job):
        """The wrapping token of what Vault has made for that job."""
        child = job.is_kept().child()
        return next(one for one in self.vault.tokens.values()
                    if one.wraps and one.wraps.answer["auth"]["accessor"] == child.accessor)


def both(folder):
    made = Both(folder)
    yield made
    ended_well(made)
    made.check_kept()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    yield from both(tmp_path_factory.mktemp("both"))


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory):
    """One of its own: of twenty messages in a minute the next may be a minute late."""
    yield from both(tmp_path_factory.mktemp("gitlab"))


@pytest.fixture
def step(scene, tmp_path):
    """step.job is whom deploybot sees."""
    job = Job(scene)
    runner = Runner(scene.issuer, repository=REPOSITORY, ref="refs/heads/develop", sha="1" * 40,
                    file=f"{job.workflow}.yml", run_id=str(job.run), check_run_id=str(job.check_run))
    made = SecretAction(tmp_path, runner, scene.secrets, server=scene.front.url, name="stripe", vault=scene.vault.url,
                        read=CREDS, field="password")
    made.job = job
    yield made
    made.done()
    runner.stop()
    scene.vault.troubles.clear()


def begin(step):
    """Once it waits, with its number known."""
    step.start()
    wait_until(lambda: step.state().get("id"), PATIENCE_S, "its number")
    step.job.loan = int(step.state()["id"])
    return step.job


def borrows(step):
    """main(), to its good end."""
    assert step.main() == 0, step.said()
    step.job.loan = int(step.outputs()["id"])
    return step.file().read_bytes().decode()


def gives_back(step):
    """The post step does, whatever main() has said."""
    assert step.post() == 0 and step.said() == [f"deploybot: #{step.job.loan}: given back"]
    assert not step.has_left()
    step.job.is_over()


def approve(scene, job):
    said = scene.admin().press(job.message("db-migrate", buttons=("Approve", "Reject")), "Approve")
    assert said.startswith("Approved"), said


def stopped(scene, step):
    """The wrapping token, while the step that waits for it stands still; `running` lets it go on."""
    job = begin(step)
    os.kill(step.process.pid, signal.SIGSTOP)
    approve(scene, job)
    return scene.is_wrapped(job)


def running(step):
    os.kill(step.process.pid, signal.SIGCONT)
    return step.finish()


# ---- at GitHub -----------------------------------------------------------------------------------


@needs_node
def test_what_people_have_said_yes_to_is_in_a_file_and_revoked_behind_the_job(scene, step):
    step.inputs |= {"name": "db-migrate", "read": KV}
    before = len(scene.front.asked)
    job = begin(step)
    approve(scene, job)
    assert step.finish() == 0 and step.file().read_text() == VALUE
    child = next(one for one in scene.vault.made if (one.meta or {}).get("work") == str(job.loan))
    assert {VALUE, child.id, *step.runner.made} <= set(step.masked)
    assert len(step.runner.made) == len(scene.front.asked) - before > 1, "each request by a token of its own"
    line = f"deploybot: db-migrate, #{job.loan}: "
    assert step.said()[0] == f"{line}awaiting_approval: a person has to say yes"
    assert step.said()[-1] == f"{line}lent until this job ends" and not step.variables()
    gives_back(step)
    assert "secret_revoked" in job.audited()


@needs_node
def test_a_no_fails_it_with_deploybots_sentence(scene, step):
    step.inputs |= {"name": "db-migrate", "read": KV}
    question, who = begin(step).message("db-migrate", buttons=("Approve", "Reject")), scene.admin()
    who.press(question, "Reject")
    who.press(scene.person(0).hear("press a reason", chat=GROUP, after=0, buttons=("Not tonight",)), "Not tonight")
    assert step.finish() == 1 and step.last().startswith("error: deploybot: ") and "is not lent" in step.last()
    assert step.post() == 0 and not step.has_left()


@needs_node
def test_one_that_somebody_else_has_unwrapped_is_said_and_reported(scene, step):
    step.inputs |= {"name": "db-migrate", "read": KV}
    stolen = step.job.unwraps(stopped(scene, step).id)
    assert running(step) == 1 and not step.has_left()
    assert "is not known to Vault" in step.last() and FIRST.format(step.job.loan) in step.last()
    assert scene.reports(step.job)
    gives_back(step)
    assert scene.at_vault(f"/v1/{KV}", stolen)[0] == 403


@needs_node
def test_what_another_path_has_wrapped_is_not_unwrapped(scene, step):
    step.inputs |= {"name": "db-migrate", "read": KV}
    wrapping = stopped(scene, step)
    wrapping.wraps = wrapping.wraps._replace(path="auth/token/create/deploybot-lend2")
    assert running(step) == 1 and not step.has_left() and wrapping.id in scene.vault.tokens, step.said()
    assert "creation_path auth/token/create/deploybot-lend2, and not of auth/token" in step.last()
    assert FIRST.format(step.job.loan) in step.last() and scene.reports(step.job)
    gives_back(step)


@needs_node
def test_what_was_given_before_is_said_in_deploybots_words(scene, step):
    step.inputs |= {"name": "db-migrate", "read": KV}
    stopped(scene, step)
    assert "token" in step.job.looks(aud=scene.front.url)[1]
    assert running(step) == 1 and "given before" in step.last() and "HTTP" not in step.last()
    gives_back(step)


@needs_node
def test_a_path_that_only_begins_as_the_roles_is_another(scene, step):
    step.inputs["role"] = "deploybot-len"
    assert step.main() == 1 and "creation_path auth/token/create/deploybot-lend, and not of" in step.last()
    step.job.loan = int(step.outputs()["id"])
    gives_back(step)


@needs_node
@pytest.mark.parametrize("trouble", [400, "away"])
def test_an_unwrap_that_fails_is_said_and_reported(scene, step, trouble):
    scene.vault.troubles.append(("sys/wrapping/unwrap", trouble))
    assert step.main() == 1 and not step.has_left()
    step.job.loan = int(step.outputs()["id"])
    assert "not unwrapped: " in step.last() and FIRST.format(step.job.loan) in step.last()
    assert scene.reports(step.job)
    gives_back(step)


@needs_node
@pytest.mark.parametrize("path", ["sys/wrapping/lookup", "sys/wrapping/unwrap"])
def test_a_vault_that_lets_nobody_in_is_no_alarm(scene, step, path):
    scene.vault.troubles.append((path, 403))
    assert step.main() == 1 and "permission denied" in step.last() and not step.has_left(), step.last()
    step.job.loan = int(step.outputs()["id"])
    assert not scene.reports(step.job)
    gives_back(step)


@needs_node
def test_without_a_read_it_is_the_token_itself(scene, step):
    step.inputs |= {"read": "", "field": "", "env": "VAULT_TOKEN"}
    token = borrows(step)
    assert token == step.job.child().id and step.variables() == {"VAULT_TOKEN": token}
    assert scene.at_vault(f"/v1/{CREDS}", token)[0] == 200
    gives_back(step)
    assert scene.at_vault(f"/v1/{CREDS}", token)[0] == 403


def keep_odd(scene):
    """What is at ODD_KV is lent without a yes."""
    rule = 'path "%s" { capabilities = ["read"] }\n'
    scene.vault.policy("deploybot-secret-stripe", rule % CREDS + rule % ODD_KV)
    scene.vault.kv2("secret", "odd", {
        "password": ODD, "tail": ODD.replace("\0", ""), "port": 54321, "on": True, "deep": {"of": ["within it"]}})


@pytest.fixture(name="odd")
def _odd(scene, step):
    keep_odd(scene)
    step.inputs |= {"read": ODD_KV, "field": ""}
    return step


@needs_node
@pytest.mark.parametrize("field, env", [("password", ""), ("tail", "DATABASE_PASSWORD"), ("port", "PORT"), ("", "ALL")])
def test_each_line_of_any_value_is_masked_and_none_is_taken_for_something_else(odd, field, env):
    odd.inputs |= {"field": field, "env": env}
    value = borrows(odd)
    fields = {"password": ODD, "tail": ODD.replace("\0", ""), "port": "54321"}
    assert value == fields.get(field, value) and odd.variables() == ({env: value} if env else {})
    assert field or json.loads(value)["deep"] == {"of": ["within it"]}
    lines = [line for line in re.split("[\r\n\0]+", ODD) if line]
    assert {value, *lines, *fields.values(), "EOF", "within it"} <= set(odd.masked) and "true" not in odd.masked
    gives_back(odd)


@needs_node
@pytest.mark.parametrize("inputs, words", [
    ({"field": "password", "env": "X"}, "it has a NUL, which no variable can have"),
    ({"field": "nothing"}, f"Vault, {ODD_KV}: no field nothing"),
    ({"field": "toString"}, f"Vault, {ODD_KV}: no field toString"),
    ({"read": "secret/data/another"}, "Vault, secret/data/another: 1 error occurred: * permission denied")])
def test_what_cannot_be_delivered_leaves_no_file(odd, inputs, words):
    odd.inputs |= inputs
    assert odd.main() == 1 and words in odd.last() and not odd.has_left() and not odd.variables()
    odd.job.loan = int(odd.outputs()["id"])
    gives_back(odd)


@needs_node
@pytest.mark.parametrize("where, trouble", [
    ("deploybot", 503), ("deploybot", "late away"), ("the runner", 503), ("the runner", "html"),
    ("sys/wrapping/lookup", 503), ("sys/wrapping/lookup", "html"), ("sys/wrapping/unwrap", "quota"),
    ("sys/wrapping/unwrap", "gone"), (CREDS, 412),
    (CREDS, "half"), (CREDS, "huge")])
def test_trouble_passes(scene, step, where, trouble):
    beside = {"deploybot": scene.front.troubles, "the runner": step.runner.troubles}
    beside.get(where, scene.vault.troubles).append(trouble if where in beside else (where, trouble))
    if (where, trouble) == ("sys/wrapping/lookup", "html"):
        assert step.main() == 1 and FIRST.format(step.outputs()["id"]) in step.last(), "a page is no answer of Vault's"
        step.job.loan = int(step.outputs()["id"])
    else:
        assert borrows(step) in {word for word in step.masked if len(word) == 20}
        assert sum("is not reached, trying again: " in line for line in step.said()) == 1, step.said()
        assert (7 in step.waits()) == (trouble == "quota"), "as long as Retry-After says"
    gives_back(step)


@needs_node
def test_a_redirect_is_not_followed(scene, step):
    scene.vault.troubles.append((CREDS, "redirect"))
    assert step.main() == 1 and f"HTTP 307 to {scene.vault.elsewhere}" in step.last()
    step.job.loan = int(step.outputs()["id"])
    gives_back(step)


@needs_node
def test_without_a_yes_in_its_time_it_fails_and_takes_its_question_back(scene, step):
    step.fast = 5000
    step.inputs |= {"name": "db-migrate", "wait": "1"}
    assert step.main() == 1 and step.last().endswith(
        ": not lent in 1 minutes: the input wait of this step is over, and not SECRET_WAIT of deploybot")
    waits = step.waits()
    assert waits == [1] * 10 + [5] * 10, waits
    step.job.loan = int(step.outputs()["id"])
    assert step.post() == 0
    assert scene.comes(lambda: step.job.looks(aud=scene.front.url)[0] == 403, "its end")


@needs_node
@pytest.mark.parametrize("changed, words", [
    ({"ACTIONS_ID_TOKEN_REQUEST_URL": None}, "`permissions: id-token: write`"),
    ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": None}, "`permissions: id-token: write`"),
    ({"RUNNER_TEMP": None}, "RUNNER_TEMP is not set"),
    ({"server": "http://bot.example.org"}, "the input server is no https"),
    ({"vault": "https://vault.example.org/v1"}, "the input vault is no https"),
    ({"name": "../gate"}, "the input name"), ({"read": "secret/../sys/raw"}, "the input read"),
    ({"read": "", "field": "x"}, "the input field"), ({"env": "A=B"}, "the input env"),
    ({"role": "a/b"}, "the input role"),
    ({"wait": "0"}, "the input wait"), ({"namespace": "a\r\nb"}, "the input namespace"), ({"ca": "/none"}, "ENOENT")])
def test_what_is_wrong_with_its_use_is_said_before_anything_is_asked(step, changed, words):
    for name, value in changed.items():
        (step.more if name.isupper() else step.inputs)[name] = value
    assert step.main() == 1 and words in step.last() and not step.runner.made and not step.state()
    assert step.post() == 0 and not step.lines


@needs_node
def test_what_it_may_not_borrow_is_refused_in_deploybots_words(step):
    step.inputs["name"] = "nothing"
    assert step.main() == 1 and "nothing" in step.last() and "HTTP" not in step.last(), step.last()
    assert step.post() == 0 and not step.lines


@needs_node
def test_a_namespace_and_an_audience_are_named(scene, step):
    step.inputs |= {"namespace": "team", "server": scene.bot.base, "audience": scene.front.url}
    assert step.main() == 1 and "namespace not found" in step.last()
    named = [one.headers.get("X-Vault-Namespace") for one in scene.vault.calls if one.path == "/v1/sys/wrapping/lookup"]
    assert named[-1] == "team"
    step.job.loan = int(step.outputs()["id"])
    gives_back(step)


@needs_node
@pytest.mark.parametrize("is_known", [True, False])
def test_certificates_of_ones_own_are_believed_where_they_are_named(scene, step, tmp_path, is_known):
    make_certificate(tmp_path / "tls", time.time() + 86400)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), scene.vault.server.RequestHandlerClass)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    step.inputs |= {"vault": f"https://localhost:{server.server_port}"}
    try:
        if is_known:
            step.inputs["ca"] = str(tmp_path / "tls" / "cert.pem")
            assert borrows(step)
        else:
            assert step.main() == 1 and "Vault is not reached: DEPTH_ZERO_SELF_SIGNED_CERT" in step.last()
            step.job.loan = int(step.outputs()["id"])
        gives_back(step)
    finally:
        server.shutdown()
        server.server_close()


@needs_node
@pytest.mark.parametrize("value", [ODD, '{"user": "ada-of-what-is-lent", "port": 5432}'])
def test_a_value_that_deploybot_delivers_needs_no_vault(scene, step, value):
    step.inputs = {name: text for name, text in step.inputs.items() if name not in ("vault", "read", "field")}
    scene.front.value = value
    try:
        assert borrows(step) == value
    finally:
        scene.front.value = None
    assert "{" not in value or "ada-of-what-is-lent" in step.masked
    gives_back(step)


def test_a_token_needs_a_vault(step):
    step.inputs = {name: text for name, text in step.inputs.items() if name not in ("vault", "read", "field")}
    assert step.main() != 0 and "the input vault is missing" in step.last()
    step.job.loan = int(step.outputs()["id"])
    gives_back(step)


def test_an_end_that_cannot_be_reported_is_a_warning(step):
    borrows(step)
    step.fast = 5000
    step.runner.troubles += [503] * 50
    assert step.post() == 0 and not step.has_left()
    assert step.last() == f"warning: deploybot: #{step.job.loan} is not given back: deploybot is not reached: " \
        f"GitHub gives no token: HTTP 503. /revoke {step.job.loan} in the chat ends it"
    assert 90 <= sum(step.waits()) <= 120
    step.runner.troubles.clear()
    gives_back(step)


# ---- at GitLab -----------------------------------------------------------------------------------


@pytest.fixture
def run(gitlab, tmp_path):
    """run(variables): begins a job whose script copies what it was lent."""
    begun = []

    def begin(shell="bash", **variables):
        job, folder = Job(gitlab), tmp_path / "work"
        folder.mkdir()
        (tmp_path / "ci.yml").write_text(yaml.safe_dump({"migrate": {"extends": ".deploybot-secret", "script": [
            'stat -c "mode %a" "$DEPLOYBOT_SECRET_FILE"\ncat "$DEPLOYBOT_SECRET_FILE" >had']}}))
        made = GitlabRunner(gitlab.gitlab, folder, (GITLAB, tmp_path / "ci.yml"), "migrate", {
            "DEPLOYBOT_URL": gitlab.front.url, "VAULT_ADDR": gitlab.vault.url, "DEPLOYBOT_SECRET": "stripe",
            "DEPLOYBOT_SECRET_READ": CREDS, **variables}, shell, repository=REPOSITORY, ref="refs/heads/develop",
            sha="1" * 40, file=f"g{job.run % WORKFLOWS}.yml", pipeline_id=str(job.run), job_id=str(job.check_run))
        made.secret_job, made.had = job, folder / "had"
        begun.append(made)
        return made.begin()
    yield begin
    for job in begun:
        job.done()
    gitlab.vault.troubles.clear()


def ends(gitlab, run, status):
    """It has ended so, its loan is over, and nothing secret was printed or is left."""
    loan = wait_until(lambda: (path := run.folder.parent / "work.tmp" / "deploybot-secret" / "loan").exists()
                      and path.read_text(), PATIENCE_S, "its number")
    run.secret_job.loan = int(loan)
    assert run.finish() == status, run.log
    run.secret_job.is_over()
    assert not [one for one in gitlab.secrets() if one in run.log], run.log
    assert not (run.folder.parent / "work.tmp" / "deploybot-secret").exists()
    return run.had.read_bytes().decode() if run.had.exists() else None


def test_gitlabs_lines_are_those_of_any_shell():
    job = merged(read_jobs([GITLAB]), ".deploybot-secret")
    for lines in (job["before_script"], job["after_script"]):
        done = subprocess.run(["shellcheck", "-s", "sh", "-"], input=BEGIN + "\n".join(lines) + "\n", text=True,
                              capture_output=True, check=False)
        assert "SC" not in done.stdout.replace("SC3040", ""), done.stdout


def test_a_job_of_gitlab_has_it_behind_a_yes_and_gives_it_back(gitlab, run):
    job = run(DEPLOYBOT_SECRET="db-migrate", DEPLOYBOT_SECRET_READ=KV, DEPLOYBOT_SECRET_FIELD="password")
    words = ("db-migrate", f"pipeline {job.secret_job.run} ")
    asked = gitlab.person(0).hear(*words, chat=GROUP, after=0, buttons=("Approve",))
    assert gitlab.admin().press(asked, "Approve").startswith("Approved")
    assert ends(gitlab, job, "success") == VALUE and "\nmode 600\n" in job.log and "awaiting_approval" in job.log


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_job_of_gitlab_has_any_value_as_it_is(gitlab, run, shell):
    keep_odd(gitlab)
    job = run(shell, DEPLOYBOT_SECRET_READ=ODD_KV, DEPLOYBOT_SECRET_FIELD="password")
    assert ends(gitlab, job, "success") == ODD, job.log


def test_a_value_that_deploybot_delivers_needs_no_vault_at_gitlab(gitlab, run):
    gitlab.front.value = ODD
    try:
        job = run(DEPLOYBOT_SECRET_READ="", VAULT_ADDR="")
        assert ends(gitlab, job, "success") == ODD, job.log
    finally:
        gitlab.front.value = None


@pytest.mark.parametrize("changed, trouble, words", [
    ({"DEPLOYBOT_SECRET_READ": ""}, None, None), ({}, ("sys/wrapping/lookup", 503), None),
    ({}, ("sys/wrapping/unwrap", 403), "Vault: HTTP 403"),
    ({"DEPLOYBOT_VAULT_ROLE": "deploybot-len"}, None, "was not made by creation_path auth/token/create/deploybot-len."),
    ({}, ("sys/wrapping/lookup", 400), "is not known to Vault."), ({}, ("sys/wrapping/unwrap", 400), "not unwrapped."),
    ({"VAULT_NAMESPACE": "team"}, None, "namespace not found"),
    ({"DEPLOYBOT_SECRET_FIELD": "none"}, None, "no such field"), ({}, (CREDS, "redirect"), "HTTP 307")])
def test_what_gitlabs_job_says_of_what_was_lent(gitlab, run, changed, trouble, words):
    gitlab.vault.troubles += [trouble] if trouble else []
    job = run(**changed)
    had = ends(gitlab, job, "failed" if words else "success")
    assert (had is None) == bool(words) and (not words or words in job.log), job.log
    is_alarm = bool(words) and words.endswith(".")
    assert gitlab.reports(job.secret_job) == is_alarm == (FIRST.format(job.secret_job.loan) in job.log), job.log


def test_a_job_of_gitlab_that_may_not_is_refused_in_deploybots_words(run):
    job = run(DEPLOYBOT_SECRET="nothing")
    assert job.finish() == "failed" and "deploybot: deploybot: HTTP 403 " in job.log and not job.had.exists(), job.log
