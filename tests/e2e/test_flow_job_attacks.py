"""Goal: tokens that prove nothing get 401 and are counted, whoever's code has made them, each for its own fault; what
is true of somebody else gets 403; and what npm's own code asks for and signs is let in."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from flow_aid import ended_well
from gate_aid import NODE, node_version
from gitlab_aid import GitlabJobs
from github_tokens import AUDIENCE, Runner
from jobs_aid import REPOSITORY, Jobs
from runner_client import ROOT
from stage import wait_until

ATTACKS = pathlib.Path(ROOT) / "tests" / "tools" / "jwt_attacks.py"
TOKENS = pathlib.Path(ROOT) / "tests" / "e2e" / "npm_tokens.mjs"
MODULES = pathlib.Path(ROOT) / "build" / "npm" / "node_modules"
DEVELOP = {"repository": REPOSITORY, "ref": "refs/heads/develop"}
# What the server says of each, where nothing else is wrong with it.
SAID = {
    "alg none": "alg is not RS256", "alg nOnE, and signed": "alg is not", "alg left out": "alg is not",
    "alg HS256 with the public key's PEM": "alg is not", "alg HS256 with the public key's DER": "alg is not",
    "alg HS256 with the key set": "alg is not", "alg RS512": "alg is not", "alg PS256": "alg is not",
    "alg ES256": "alg is not", "alg twice": "header", "typ at+jwt": "typ is not JWT", "jwk": "header has jwk",
    "jku": "header has jku", "x5u": "header has x5u", "x5c": "header has x5c", "crit": "header has crit",
    "b64": "header has b64", "kid of nobody": "kid names no key of the issuer", "kid left out": "kid names no key",
    "kid with a path": "kid names no key", "kid of 200 bytes": "kid names no key", "header that is a list": "no object",
    "another key's signature": "of another key", "another token's claims": "of another key",
    "no signature": "of another key", "half a signature": "of another key|no base64", "padding": "no base64",
    "the other base64": "no base64", "two parts": "unknown token|no token", "four parts": "unknown token|no token",
    "8 KB": "longer than", "a claim twice": "claims", "two aud": "aud is not", "another aud": "aud is not",
    "another issuer": "iss is not|forge that its iss names", "exp in 1970": "has expired",
    "exp in 2100": "lives longer",
    "iat ten minutes ahead": "begins later", "nbf ten minutes ahead": "begins later", "exp that is a text": "no moment",
    "a run that is a number": "(run|pipeline)_id is missing"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Jobs(tmp_path_factory.mktemp("attacks"), {
        "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/develop", "WORKFLOW_SHOP_MAY": "deploy:staging"})
    yield made
    ended_well(made)


@pytest.fixture
def runner(scene):
    made = Runner(scene.issuer, **DEVELOP)
    yield made
    made.stop()


def answer(scene, **named):
    return scene.ask("/v1/push", **named)


def check_forged(scene, issuer, folder, *more):
    key = issuer.keys[0]
    (folder / "issuer").write_bytes(key.pem)
    done = subprocess.run(
        [sys.executable, ATTACKS, f"http://127.0.0.1:{scene.http_port}", scene.folder / "state" / "deploybot.db",
         "--issuer", issuer.url, "--audience", AUDIENCE, "--key", folder / "issuer", "--kid", key.kid, *more],
        capture_output=True, text=True, timeout=600, check=False)
    lines = done.stdout.splitlines()
    assert lines[-1] == "41 forged tokens, 41 × 401, 41 counted" and done.returncode == 0, done.stdout + done.stderr
    said = dict(line[5:].split(": ", 1) for line in lines[:-1])
    assert set(said) == set(SAID)
    wrong = {name: text for name, text in said.items() if not re.search(SAID[name], text)}
    assert not wrong, wrong


@pytest.mark.long
def test_41_forged_tokens_get_401_each_for_its_own_fault_and_are_counted(scene, tmp_path):
    check_forged(scene, scene.issuer, tmp_path)


@pytest.mark.long
def test_41_that_claim_to_be_gitlabs_get_the_same(tmp_path):
    made = GitlabJobs(tmp_path, {"WORKFLOW_SHOP_IS": "gitlab 22 .gitlab-ci.yml@refs/heads/develop",
                                 "WORKFLOW_SHOP_MAY": "deploy:staging"})
    try:
        check_forged(made, made.gitlab, tmp_path, "--gitlab")
    finally:
        ended_well(made)


def test_a_server_that_answers_otherwise_fails_the_tool(scene):
    """A test of the tests: the issuer itself knows no such request."""
    done = subprocess.run([sys.executable, ATTACKS, scene.issuer.url], capture_output=True, text=True, timeout=600,
                          check=False)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "41 forged tokens, 0 × 401", done.stdout


@pytest.mark.parametrize("sub", [
    "repo:octo@42/shop@456789:ref:refs/heads/develop", "repository_owner_id:42:job_workflow_ref:x", "", 7])
def test_a_sub_that_is_customised_or_immutable_counts_for_nothing(scene, sub):
    assert answer(scene, sha="5" * 40, sub=sub)[0] == 202


@pytest.mark.parametrize("changed", [
    {"repository_id": "456790", "repository_owner": "mallory"}, {"event_name": "pull_request"},
    {"event_name": "pull_request_target"}, {"file": "other.yml"}, {"repository_id": 456789},
    {"workflow_ref": "octo/shop/.github/workflows/deploy.yml@refs/heads/feature"},
    {"workflow_ref": "mallory/ci/deploy.yml@refs/heads/develop",
     "job_workflow_ref": "octo/shop/.github/workflows/deploy.yml@refs/heads/develop"}],
    ids=",".join)
def test_what_is_true_of_somebody_else_is_of_no_workflow_here(scene, changed):
    status, said = answer(scene, sha="6" * 40, **changed)
    assert status == 403 and "no WORKFLOW_<NAME>_IS lets in github " in said["said"]


def test_a_token_of_64_kb_is_refused_before_it_is_read(scene):
    token = scene.issuer.token(**DEVELOP, workflow="w" * 48_000)
    assert len(token) > 64_000
    with socket.create_connection(("127.0.0.1", scene.http_port), timeout=60) as connection:
        connection.sendall(f"POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token[:32_000]}".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 431 ")
    assert answer(scene, sha="5" * 40)[0] == 202, "others are served"


# ---- other people's code -------------------------------------------------------------------------

needs_npm = pytest.mark.skipif(
    node_version() < 20 or not (MODULES / "jose").is_dir() or not (MODULES / "@actions" / "core").is_dir(),
    reason="no node 20, or not in build/npm what tests/tools/npm names: tests/tools/lint.sh actions installs it")


def by_npm(what, given, **environment):
    done = subprocess.run([NODE, TOKENS, MODULES, what], input=json.dumps(given), capture_output=True, text=True,
                          timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_npm
def test_what_actions_core_asks_for_is_what_our_step_asks_for_and_is_let_in(scene, runner):
    runner.claims["sha"] = scene.commit("develop")["after"]
    printed = by_npm("core", {"audience": AUDIENCE}, **runner.environment())
    token = printed.splitlines()[-1]
    assert token == runner.made[0] and answer(scene, token=token)[0] == 202
    assert runner.asked == [f"/job/idtoken?api-version=2.0&audience={AUDIENCE.replace(':', '%3A').replace('/', '%2F')}"]


@needs_npm
def test_what_jose_signs_is_let_in_and_what_it_forges_is_not(scene):
    key = scene.issuer.keys[0]
    made = json.loads(by_npm("jose", {"claims": scene.issuer.claims(**DEVELOP, sha="7" * 40), "kid": key.kid,
                                      "pem": key.pem.decode(), "jwk": key.public()}))
    assert answer(scene, token=made.pop("good"))[0] == 202
    assert len(made) == 8
    for name, token in made.items():
        status, said = answer(scene, token=token)
        assert status == 401 and said["said"].startswith("JWT: "), (name, status, said)


def test_where_the_keys_cannot_be_fetched_doctor_and_a_metric_say_so(tmp_path):
    made = Jobs(tmp_path, {
        "WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/develop", "WORKFLOW_SHOP_MAY": "deploy:staging"})
    try:
        said = made.bot.run("doctor").stdout
        assert f"jobs: the keys of {made.issuer.url} can be fetched" in said
        assert "outbound: issuer: 127.0.0.1" in said
        made.issuer.troubles.append(502)
        assert f"jobs: the keys of {made.issuer.url} cannot be fetched (the issuer of tokens answered with 502)" in \
            made.bot.run("doctor").stdout
        assert made.metric("deploybot_job_keys_unreachable") == 0
        made.issuer.troubles.append(502)
        assert answer(made)[0] == 503
        wait_until(lambda: made.metric("deploybot_job_keys_unreachable") == 1, 40, "a metric")
        assert made.bot.log().count("checked by, cannot be fetched: the issuer of tokens answered with 502") == 1
        ended_well(made)
    finally:
        made.issuer.stop()
