"""Goal: a job of a workflow reports its push by the token that its forge gave it, without a secret, once; and a fork's,
an outsider's, an expired or a stolen one gets nothing."""
# SPDX-License-Identifier: ISC
import time

import pytest

from flow_aid import ended_well
from github_tokens import AUDIENCE, Key
from jobs_aid import REPOSITORY, Jobs

MAY = {"WORKFLOW_SHOP_IS": "github 456789 deploy.yml@refs/heads/develop",
       "WORKFLOW_SHOP_MAY": "deploy:staging, status:*"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Jobs(tmp_path_factory.mktemp("jobs"), MAY)
    yield made
    ended_well(made)


def test_a_job_reports_a_push_and_it_is_deployed_once(scene):
    commit = scene.commit("develop")["after"]
    token = scene.issuer.token(repository=REPOSITORY, ref="refs/heads/develop", sha=commit)
    status, said = scene.ask("/v1/push", token=token)
    assert (status, said["said"]) == (202, f"{commit[:7]} is looked for: staging"), said
    scene.ada.hear("Live: staging", commit[:7], after=0)
    assert scene.runs("staging") == commit
    before = len(scene.bot_rows("SELECT id FROM work"))
    assert scene.ask("/v1/push", token=token)[0] == 202, "the same again is answered as it was"
    assert scene.ask("/v1/push", sha=commit)[0] == 202, "nor is another token's of the same commit another push"
    assert len(scene.bot_rows("SELECT id FROM work")) == before
    assert scene.issuer.asked == ["/.well-known/openid-configuration", "/jwks"], "the keys are asked for once"


def test_a_token_is_good_for_one_request(scene):
    token = scene.issuer.token(repository=REPOSITORY, ref="refs/heads/develop", sha="1" * 40)
    assert scene.ask("/v1/push", token=token)[0] == 202
    status, said = scene.ask("/v1/push", {"ref": "refs/heads/develop"}, token=token)
    assert status == 401 and "token_replayed" in said["said"]
    entry = scene.audit(action="denied", reason="its token was used for another request")[-1]
    assert (entry["user_id"], entry["severity"]) == ("workflow:shop", "high")
    assert scene.metric("deploybot_job_refusals_total", reason="replayed") == 1
    assert 'deploybot_job_refusals_total{reason="signature"}' in scene.bot.metrics(), "there from the start"


def test_what_a_request_says_is_what_its_token_says(scene):
    assert scene.ask("/v1/push", {"after": "2" * 40}, sha="3" * 40)[0] == 409
    assert scene.ask("/v1/push", {"ref": "refs/heads/main"}, sha="3" * 40)[0] == 409
    assert scene.ask("/v1/push", {"branch": "main"}, sha="3" * 40)[0] == 400


REFUSED = {
    "of a fork": ({"repository_id": "456790"}, 403),
    "of a pull request": ({"event_name": "pull_request"}, 403),
    "of another file": ({"file": "other.yml"}, 403),
    "for somebody else": ({"aud": "https://other.example.org"}, 401),
    "for two": ({"aud": [AUDIENCE, "https://other.example.org"]}, 401),
    "of another issuer": ({"iss": "https://token.example.org"}, 401),
    "expired": ({"exp": int(time.time()) - 3600, "iat": int(time.time()) - 3900}, 401),
    "of tomorrow": ({"iat": int(time.time()) + 86400, "exp": int(time.time()) + 86700}, 401),
    "that lives for a year": ({"exp": int(time.time()) + 365 * 86400}, 401),
    "without a run": ({"run_id": None}, 401),
    "with a run that is no number": ({"run_id": "../1"}, 401),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_token_that_proves_nothing_here_gets_nothing(scene, what):
    changed, wanted = REFUSED[what]
    assert scene.ask("/v1/push", sha="4" * 40, **changed)[0] == wanted


def test_a_key_that_the_issuer_does_not_have_proves_nothing(scene):
    other = Key("key-1")
    token = scene.issuer.token(key=other, repository=REPOSITORY, ref="refs/heads/develop")
    assert scene.ask("/v1/push", token=token)[0] == 401
