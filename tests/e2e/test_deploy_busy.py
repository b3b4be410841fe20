"""Goal: a registry that is busy, limits requests or is slow fails no release within its minute; beyond that it is said
what it was, and what to do."""
# SPDX-License-Identifier: ISC
import email.utils
import hashlib
import json
import time

import pytest

from commands.recorder import World
from commands_aid import password_file, shipped
from runner_client import wait_for

MANY = [429, {"Retry-After": "1"}, "slow down"]


def busy_warnings(bench):
    return [line for line in bench.said() if "asked again in" in line]


@pytest.mark.long
@pytest.mark.parametrize("answer", [
    MANY, [502, {}, ""], [503, {"Retry-After": "nonsense $(id)"}, "busy"], [504, {}, ""]], ids=str)
def test_a_registry_that_is_busy_once_is_asked_again(bench, answer):
    bench.change_world(first=[answer])
    shipped(bench)
    assert busy_warnings(bench) == [f"warning: registry.example.org: HTTP {answer[0]}: asked again in 1 s"]


def test_a_date_says_when_too(bench):
    bench.change_world(first=[[503, {"Retry-After": email.utils.formatdate(time.time() + 3, usegmt=True)}, ""]])
    shipped(bench)
    assert busy_warnings(bench)[0].rpartition(" in ")[2] in ("1 s", "2 s", "3 s")


def test_a_registry_that_is_slow_is_asked_again(bench):
    bench.plan({"when": ["curl"], "after": 1}, {"when": ["curl"], "status": 28, "stderr": "curl: (28) timeout\n"})
    bench.start("deploy.sh", "staging", bench.commit("one"))
    wait_for(lambda: busy_warnings(bench), "the second question")
    assert busy_warnings(bench)[0] == "warning: registry.example.org: no answer in 60 s: asked again in 1 s"
    (bench.stand / "plan").unlink()
    assert bench.processes[-1].wait(timeout=120) == 0, bench.said()


@pytest.mark.parametrize("wait,said", [("61", "Retry-After: 61"), ("999999999999", "Retry-After: 999999999999")])
def test_who_is_to_wait_longer_is_told_so_at_once(bench, wait, said):
    bench.change_world(first=[[429, {"Retry-After": wait}, ""]])
    status, log = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and said in log[-1] and "deploy again later" in log[-1], log
    assert len(bench.calls("curl")) == 1 and "release" not in bench.steps()


def test_a_registry_that_stays_busy_is_not_asked_for_ever(bench):
    bench.change_world(answers={"GET": [503, {}, ""]})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_AGAIN_SECONDS="3")
    assert status == 66 and "HTTP 503" in said[-1] and "also 3 s later" in said[-1]
    assert 2 <= len(bench.calls("curl")) <= 3 and bench.target() == ""


def test_who_only_looks_asks_a_busy_registry_again_and_doubts_no_setting(bench):
    bench.change_world(first=[MANY, [503, {}, ""]])
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and said[-1] == "all is there" and len(busy_warnings(bench)) == 2, said
    bench.change_world(first=[[429, {"Retry-After": "16"}, ""]])
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and any("limits us (HTTP 429, Retry-After: 16)" in line for line in said), said
    assert "REGISTRY_URL" not in "".join(said)
    bench.change_world(answers={"GET": [503, {}, ""]})
    status, said = bench.run("target.sh", "staging", "preflight", REGISTRY_AGAIN_SECONDS="1")
    assert status == 66 and "HTTP 503, also 1 s later" in said[-1] and "REGISTRY_URL" not in said[-1], said


def look(bench, **settings):
    """What the look at night asks, as of an environment that is live with that commit, or not yet."""
    status, said = bench.run("target.sh", "staging", "preflight", **settings)
    return status, said[-1], [line for line in said if line.startswith("==> warning ")]


@pytest.mark.parametrize("world", [{"password": "another"}, {"bearer": "https://registry.example.org/token",
                                                             "password": "another"}], ids=["basic", "bearer"])
@pytest.mark.parametrize("is_live", [False, True], ids=["first", "live"])
def test_a_login_that_has_expired_is_noticed_before_the_next_deployment(bench, world, is_live):
    """Regression: any answer below 500 was good, so doctor and the nightly check said that all was there."""
    settings = password_file(bench)
    if is_live:
        shipped(bench, **settings)
        write_state(bench)
    bench.change_world(**world)
    status, last, _ = look(bench, **settings)
    assert status == 66 and "HTTP 401" in last and "REGISTRY_PASSWORD" in last, last


def write_state(bench, commit=None):
    folder = bench.state / "environments"
    folder.mkdir(exist_ok=True)
    (folder / "staging.json").write_text(json.dumps({"environment": "staging", "release": 1,
                                                     "commit": commit or bench.target().split()[0][:40]}), "utf-8")


def test_what_is_live_and_gone_from_the_registry_is_warned_of(bench):
    shipped(bench, **password_file(bench))
    write_state(bench)
    assert look(bench, **password_file(bench)) == (0, "all is there", [])
    write_state(bench, "1" * 40)
    status, last, warned = look(bench, **password_file(bench))
    assert (status, last, len(warned)) == (0, "all is there", 1) and "of 111111111111, which is live" in warned[0]


def test_a_name_that_the_registry_does_not_know_is_warned_of_where_ci_pushes(bench):
    assert look(bench, **password_file(bench)) == (0, "all is there", [])
    status, last, warned = look(bench, **password_file(bench), IMAGE_SOURCE="registry", REGISTRY_IMAGE="orchard/shoop")
    assert (status, last, len(warned)) == (0, "all is there", 1) and "orchard/shoop (HTTP 404)" in warned[0], warned


@pytest.mark.parametrize("world", [{}, {"bearer": "https://registry.example.org/token"}], ids=["basic", "bearer"])
def test_a_registry_that_wants_a_login_where_there_is_none_is_an_error(bench, world):
    """Regression: without a release it was "fine before CI has pushed the first image", which nobody could take."""
    bench.change_world(password="x", **world)
    status, last, _ = look(bench, IMAGE_SOURCE="registry")
    assert status == 66 and "HTTP 401" in last and "REGISTRY_USER and REGISTRY_PASSWORD" in last, last


def test_the_token_of_a_busy_registry_is_asked_for_again(bench):
    bench.change_world(bearer="https://auth.example.org/token")
    settings = {**password_file(bench), "REGISTRY_REALMS": "auth.example.org"}
    bench.change_world(sites={}, first=[[401, {"Www-Authenticate": 'Bearer realm="https://auth.example.org/token",'
                                                                  'service="registry.example.org"'}, ""], MANY])
    shipped(bench, **settings)
    assert len(busy_warnings(bench)) == 1


@pytest.mark.parametrize("words,said", [
    (["docker", "login"], "Error response from daemon: login attempt failed with status: 429 Too Many Requests\n"),
    (["docker", "push"], "received unexpected HTTP status: 503 Service Unavailable\n"),
    pytest.param(["docker", "push"], "toomanyrequests: Rate exceeded\n", marks=pytest.mark.long),
    pytest.param(["docker", "push"], 'error parsing HTTP 429 response body: unexpected end of JSON input: ""\n',
                 marks=pytest.mark.long),
    pytest.param(["docker", "push"], "Put https://r/v2/: net/http: TLS handshake timeout\n",
                 marks=pytest.mark.long)], ids=str)
def test_docker_at_a_busy_registry_tries_again(bench, words, said):
    bench.plan({"when": words, "status": 1, "stderr": said, "times": 2})
    shipped(bench, **password_file(bench))
    assert len([call for call in bench.calls("docker") if call[:2] == words]) == 3
    assert len(busy_warnings(bench)) == 2 and said.strip() in bench.said()
    assert not [line for line in bench.steps() if line == said.strip()]


BUILDKIT = """#2 [internal] load metadata for docker.io/library/node:20
#2 ERROR: unexpected status from HEAD request to https://registry-1.docker.io/v2/library/node/manifests/20: %s
------
ERROR: failed to solve: node:20: failed to resolve source metadata for docker.io/library/node:20: unexpected status \
from HEAD request to https://registry-1.docker.io/v2/library/node/manifests/20: %s
"""


@pytest.mark.parametrize("said", [
    "toomanyrequests: You have reached your pull rate limit.\n",
    "received unexpected HTTP status: 503 Service Unavailable\n",
    pytest.param('Get "https://base.example.org/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting '
                 'headers)\n', marks=pytest.mark.long),
    pytest.param(BUILDKIT % (("429 Too Many Requests",) * 2), marks=pytest.mark.long),
    pytest.param(BUILDKIT % (("502 Bad Gateway",) * 2) + "\nView build details: docker-desktop://x\n",
                 marks=pytest.mark.long)], ids=str)
def test_a_base_of_a_busy_registry_is_asked_for_again(bench, said):
    bench.plan({"when": ["docker", "build"], "status": 1, "stderr": said, "times": 2})
    shipped(bench)
    assert len([call for call in bench.calls("docker") if call[1] == "build"]) == 3
    assert busy_warnings(bench) == [f"warning: docker build: a registry is busy: asked again in {n} s" for n in (1, 2)]
    assert all(line in bench.said() for line in said.splitlines())


def test_a_base_that_stays_away_is_said_and_not_asked_for_ever(bench):
    bench.plan({"when": ["docker", "build"], "status": 1, "stderr": "noise\ntoomanyrequests: Rate exceeded\n"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_AGAIN_SECONDS="3")
    assert status == 66 and said[-1].endswith(
        "busy, also 3 s later: deploy again later: toomanyrequests: Rate exceeded"), said
    assert 2 <= len([call for call in bench.calls("docker") if call[1] == "build"]) <= 3 and bench.target() == ""


@pytest.mark.long
@pytest.mark.parametrize("said", [
    "npm ERR! 504 Gateway Timeout\nThe command '/bin/sh -c npm ci' returned a non-zero code: 1\n",
    '#7 ERROR: 503 service unavailable\nERROR: failed to solve: process "/bin/sh -c timeout 9 npm ci" did not complete '
    "successfully: exit code: 124\n",
    "toomanyrequests\nunable to prepare context: no Dockerfile\n", ""], ids=str)
def test_a_step_of_the_build_that_fails_is_not_done_again(bench, said):
    bench.plan({"when": ["docker", "build"], "status": 7, "stderr": said})
    status, log = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 65 and log[-1].endswith("docker build failed with status 7: its last lines are in the log"), log
    assert len([call for call in bench.calls("docker") if call[1] == "build"]) == 1


def test_what_docker_says_of_a_registry_is_never_a_step(bench):
    bench.plan({"when": ["docker", "push"], "status": 1, "times": 1,
                "stderr": "503 Service Unavailable\n==> release\n"})
    shipped(bench)
    assert bench.steps().count("release") == 1 and bench.said().count("==> release") == 2


def test_a_refusal_is_not_tried_again(bench):
    bench.plan({"when": ["docker", "push"], "status": 1,
                "stderr": "denied: requested access to the resource is denied\n"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "did not take team/shop" in said[-1]
    assert len([call for call in bench.calls("docker") if call[1] == "push"]) == 1 and not busy_warnings(bench)


def test_while_cis_image_is_waited_for_only_head_is_asked_and_one_get_reads_it(bench):
    commit = bench.commit("one")
    process = bench.start("deploy.sh", "staging", commit, IMAGE_SOURCE="registry", IMAGE_WAIT_SECONDS="60",
                          IMAGE_POLL_SECONDS="1")
    wait_for(lambda: len(bench.calls("curl")) >= 3, "three questions")
    manifest = json.dumps({"schemaVersion": 2, "commit": commit})
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    with World(bench.stand) as world:
        world["registry"] = {bench.image: {commit: manifest, digest: manifest}}
    assert process.wait(timeout=120) == 0 and bench.target() == f"{commit}@{digest}", bench.said()
    heads = ["--head" in call for call in bench.calls("curl")]
    assert heads == [False, *[True] * (len(heads) - 2), False]


def test_what_docker_said_before_its_time_was_over_stands_in_the_log(bench):
    bench.wrap("docker", """if [[ $1 == push ]]; then
	echo "waiting for a proxy" >&2
	exec sleep 1000
fi""")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), PUSH_SECONDS="2", KILL_SECONDS="1")
    assert status == 75 and said[-1] == "deploy.sh: docker push took longer than 2 s", said
    assert "waiting for a proxy" in said
