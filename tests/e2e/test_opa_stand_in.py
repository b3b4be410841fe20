"""Goal: the stand-in for OPA takes what another people's client sends and answers what it reads; it refuses what OPA
refuses; the policy that docs/opa gives away does what it says, where there is an OPA."""
# SPDX-License-Identifier: ISC
import http.client
import json
import pathlib
import shutil
import subprocess

import pytest

from gate_aid import NODE, node_version
from opa import TOKEN, UNDEFINED, Opa
from runner_client import ROOT

MODULES = pathlib.Path(ROOT) / "build" / "npm" / "node_modules"
SCRIPT = pathlib.Path(ROOT) / "tests" / "e2e" / "npm_opa.mjs"
POLICY = pathlib.Path(ROOT) / "docs" / "opa"
RULE = "/v1/data/deploybot/allow"


def decide(asked):
    return {"yes": True, "no": False, "why": {"allow": False, "reason": "not on Fridays"}}.get(
        asked["action"], UNDEFINED)


@pytest.fixture(name="opa")
def _opa():
    made = Opa(decide, token=TOKEN)
    yield made
    made.close()


def send(opa, method, path, body, **headers):
    """Status and the answer's body, of JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", opa.server.server_address[1], timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def ask(opa, body, method="POST", path=RULE, token=TOKEN, kind="application/json"):
    headers = {"Content_Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
    return send(opa, method, path, body if isinstance(body, bytes) else json.dumps(body), **headers)


def test_it_answers_as_opa_does(opa):
    status, said = ask(opa, {"input": {"action": "yes"}})
    assert (status, said["result"], len(said["decision_id"])) == (200, True, 36)
    assert ask(opa, {"input": {"action": "why"}})[1]["result"] == {"allow": False, "reason": "not on Fridays"}
    for path, action in ((RULE, "undefined"), ("/v1/data/deploybot/elsewhere", "yes")):
        status, said = ask(opa, {"input": {"action": action}}, path=path)
        assert status == 200 and "result" not in said
    opa.logs = False
    assert ask(opa, {"input": {"action": "yes"}}) == (200, {"result": True})


@pytest.mark.parametrize("asked, status, code", [
    ({"token": None}, 401, "unauthorized"), ({"token": "another"}, 401, "unauthorized"),
    ({"path": "/v2/data/deploybot/allow"}, 404, "resource_not_found"), ({"path": "/"}, 404, "resource_not_found"),
    ({"method": "GET"}, 405, "invalid_method"), ({"method": "PUT"}, 405, "invalid_method"),
    ({"body": b"{\"input\":"}, 400, "invalid_parameter"), ({"body": b"[1]"}, 400, "invalid_parameter"),
    ({"kind": "text/plain"}, 400, "invalid_parameter")], ids=str)
def test_it_refuses_what_opa_refuses(opa, asked, status, code):
    got, said = ask(opa, **{"body": {"input": {"action": "yes"}}, **asked})
    assert (got, said["code"]) == (status, code) and opa.inputs == []


@pytest.mark.skipif(node_version() < 20 or not (MODULES / "@open-policy-agent" / "opa").is_dir(),
                    reason="no node 20, or not in build/npm what tests/tools/npm names: tests/tools/lint.sh actions "
                           "installs it")
def test_opas_own_client_reads_it(opa):
    given = {"url": opa.base, "token": TOKEN, "path": "deploybot/allow",
             "inputs": {name: {"action": name} for name in ("yes", "no", "why", "undefined")}}
    done = subprocess.run([NODE, SCRIPT, MODULES], input=json.dumps(given), capture_output=True, text=True, timeout=60,
                          check=False, env={})
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["yes"] == {"result": True} and said["no"] == {"result": False}
    assert said["why"] == {"result": {"allow": False, "reason": "not on Fridays"}}
    assert said["undefined"] == said["elsewhere"] == {"result": "undefined"}
    assert [said[who]["status"] for who in ("stranger", "nobody")] == [401, 401], said
    assert [asked["action"] for asked in opa.inputs] == ["yes", "no", "why", "undefined", "yes"]


def test_the_policy_is_short():
    assert len((POLICY / "deploybot.rego").read_text(encoding="utf-8").splitlines()) <= 60
    assert (POLICY / "deploybot_test.rego").read_text(encoding="utf-8").count("\ntest_") >= 10


@pytest.mark.skipif(shutil.which("opa") is None, reason="not run: there is no opa on PATH")
def test_the_policy_passes_its_own_tests():
    done = subprocess.run(["opa", "test", "-v", POLICY / "deploybot.rego", POLICY / "deploybot_test.rego"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
