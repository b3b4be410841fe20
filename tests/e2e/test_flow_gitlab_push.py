"""Goal: a job of GitLab reports its push by the token that GitLab gave it, without a secret, once; and what a merge
request, a fork, another project, an open ref or the other forge brings gets nothing."""
# SPDX-License-Identifier: ISC
import re
import time

import jwt
import pytest

from flow_aid import ended_well
from github_tokens import AUDIENCE
from gitlab_aid import GitlabJobs
from jobs_aid import REPOSITORY

LINE = ".gitlab-ci.yml@refs/heads/develop"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = GitlabJobs(tmp_path_factory.mktemp("gitlab"), {
        "WORKFLOW_SHOP_IS": f"gitlab 22 {LINE}", "WORKFLOW_SHOP_MAY": "deploy:staging, status:*",
        "WORKFLOW_OTHER_IS": "github 22 ci.yml@refs/heads/develop", "WORKFLOW_OTHER_MAY": "deploy:staging"})
    yield made
    ended_well(made)


def answer(scene, **named):
    status, said = scene.ask("/v1/push", **named)
    return status, said["said"]


def test_a_job_reports_a_push_and_it_is_deployed_once(scene):
    commit = scene.commit("develop")["after"]
    token = scene.gitlab.token(repository=REPOSITORY, ref="refs/heads/develop", sha=commit)
    assert answer(scene, token=token) == (202, f"{commit[:7]} is looked for: staging")
    scene.ada.hear("Live: staging", commit[:7], after=0)
    assert scene.runs("staging") == commit
    before = len(scene.bot_rows("SELECT id FROM work"))
    assert answer(scene, token=token)[0] == 202, "the same again is answered as it was"
    assert answer(scene, sha=commit, job_id="303")[0] == 202, "the job that is begun again finds it live"
    assert len(scene.bot_rows("SELECT id FROM work")) == before
    assert scene.gitlab.asked == ["/.well-known/openid-configuration", "/oauth/discovery/keys"]
    assert not scene.issuer.asked, "nobody asks GitHub about a token of GitLab"


# ---- who is let in -------------------------------------------------------------------------------

# What the server says of each, where nothing else is wrong with it.
NO_PROOF = {
    "iss": "of the forge that its iss names|iss is not|kid names no key",
    "aud": "aud is not", "iat": "no moment", "exp": "no moment", "jti": "jti is missing", "sha": "sha is missing",
    "user_id": "user_id is missing", "user_login": "user_login is missing", "pipeline_id": "pipeline_id is missing",
    "job_id": "job_id is missing"}
NO_WORKFLOW = ["project_id", "project_path", "ref_path", "ref_protected", "pipeline_source", "ci_config_ref_uri"]


@pytest.mark.parametrize("claim", [*NO_PROOF, *NO_WORKFLOW])
def test_a_token_without_a_claim_that_counts_gets_nothing(scene, claim):
    status, said = answer(scene, **{"sha": "4" * 40, claim: None})
    assert status == (401 if claim in NO_PROOF else 403)
    assert re.search(NO_PROOF.get(claim, "no WORKFLOW_<NAME>_IS"), said), said


FALSE = {
    # numbers and booleans in place of texts
    "a number as project_id": ({"project_id": 22}, 403, "lets in gitlab \\? "),
    "a number as job_project_id": ({"job_project_id": 22}, 403, "no WORKFLOW_<NAME>_IS"),
    "a number as pipeline_id": ({"pipeline_id": 574}, 401, "pipeline_id is missing"),
    "a number as job_id": ({"job_id": 302}, 401, "job_id is missing"),
    "a number as user_id": ({"user_id": 7}, 401, "user_id is missing"),
    "ref_protected that is true": ({"ref_protected": True}, 403, "of a ref that is not protected"),
    "a path as job_id": ({"job_id": "../1"}, 401, "job_id is missing"),
    "a path as pipeline_id": ({"pipeline_id": "../1"}, 401, "pipeline_id is missing"),
    # what is true of somebody else
    "another project": ({"project_id": "23"}, 403, "lets in gitlab 23 "),
    "another project of the name": ({"project_id": "23", "job_project_id": "23"}, 403, "lets in gitlab 23 "),
    "a ref that is not protected": ({"ref_protected": "false"}, 403, "of a ref that is not protected"),
    "another branch": ({"ref": "refs/heads/main"}, 403, "@refs/heads/main, by push"),
    "a tag of the branch's name": ({"ref": "refs/tags/develop"}, 403, "@refs/tags/develop"),
    "another file": ({"file": "ci/other.yml"}, 403, "ci/other.yml@"),
    "another project's file": ({"ci_config_ref_uri": f"gitlab.com/mallory/shop//{LINE}"}, 403, "gitlab 22 \\?"),
    "a file of a project behind": ({"ci_config_ref_uri": f"gitlab.com/x/{REPOSITORY}//{LINE}"}, 403, "gitlab 22 \\?"),
    "a file elsewhere": ({"ci_config_ref_uri": f"https://ci.example.org/{LINE}"}, 403, "gitlab 22 \\?"),
    "another ref_path": ({"ref_path": "refs/heads/main"}, 403, "no WORKFLOW_<NAME>_IS"),
    # merge requests: that of a fork runs in the target's project, and its project_* are the fork's (gitlab#563038)
    "a merge request": ({"pipeline_source": "merge_request_event"}, 403, "by merge_request_event"),
    "a pull request": ({"pipeline_source": "external_pull_request_event"}, 403, "by external_pull_request_event"),
    "a fork's merge request": ({"project_id": "99", "project_path": "mallory/shop"}, 403, "lets in gitlab 99 "),
    "our fork's merge request": ({"job_project_id": "99"}, 403, "no WORKFLOW_<NAME>_IS"),
    "a trigger": ({"pipeline_source": "trigger"}, 403, "by trigger"),
    "another pipeline": ({"pipeline_source": "pipeline"}, 403, "by pipeline"),
    "a child pipeline": ({"pipeline_source": "parent_pipeline"}, 403, "by parent_pipeline"),
    "a source of tomorrow": ({"pipeline_source": "push_event"}, 403, "by push_event"),
    # claims of any token
    "for somebody else": ({"aud": "https://other.example.org"}, 401, "aud is not"),
    "for two": ({"aud": [AUDIENCE, "https://other.example.org"]}, 401, "aud is not"),
    "for us in a list": ({"aud": [AUDIENCE]}, 401, "aud is not"),
    "expired": ({"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}, 401, "has expired"),
    "of tomorrow": ({"iat": int(time.time()) + 86400, "exp": int(time.time()) + 86700}, 401, "begins later"),
    "for a day": ({"exp": int(time.time()) + 2 * 86400}, 401, "lives longer than 1380 minutes"),
}


@pytest.mark.parametrize("what", FALSE)
def test_a_token_of_what_is_not_let_in_gets_nothing(scene, what):
    changed, status, words = FALSE[what]
    found = answer(scene, sha="4" * 40, **changed)
    assert found[0] == status and re.search(words, found[1]), found
    assert "GitHub" not in found[1]


def test_what_people_with_the_right_to_push_begin_is_let_in(scene):
    for source in ("push", "web", "api", "schedule"):
        assert answer(scene, sha="5" * 40, pipeline_source=source)[0] == 202, source
    assert answer(scene, sha="5" * 40, life_s=22 * 3600)[0] == 202, "a job may wait for its yes for hours"
    assert answer(scene, sha="5" * 40, job_project_id=None, job_project_path=None)[0] == 202, "of an older GitLab"
    assert answer(scene, sha="5" * 40, sub="project_path:mallory/x", user_email=None)[0] == 202, "a project may set it"


def test_a_token_of_one_forge_is_none_of_the_other(scene):
    """Both have a workflow of repository 22 and of that branch here."""
    develop = {"repository": REPOSITORY, "ref": "refs/heads/develop", "sha": "6" * 40}
    of_github = {**develop, "repository_id": "22", "file": "ci.yml"}
    assert answer(scene, token=scene.issuer.token(**of_github))[0] == 202
    both = {**scene.gitlab.claims(**develop), **scene.issuer.claims(**of_github)}
    # What GitHub signs is no word of GitLab's, whatever claims it has, and the other way round.
    for iss, key in ((scene.gitlab.url, scene.issuer.keys[0]), (scene.issuer.url, scene.gitlab.keys[0])):
        status, said = answer(scene, token=jwt.encode({**both, "iss": iss}, key.pem, algorithm="RS256",
                                                      headers={"kid": key.kid}))
        assert (status, said) == (401, "JWT: kid names no key of the issuer")
        other = scene.gitlab.keys[0] if key is scene.issuer.keys[0] else scene.issuer.keys[0]
        status, said = answer(scene, token=jwt.encode({**both, "iss": iss}, key.pem, algorithm="RS256",
                                                      headers={"kid": other.kid}))
        assert (status, said) == (401, "JWT: the signature is of another key")
    # What is signed is read by the rules of whoever has signed it.
    github, gitlab = scene.issuer.claims(**of_github), scene.gitlab.claims(**develop)
    assert answer(scene, token=sign(scene.gitlab, {**github, "iss": scene.gitlab.url}))[0] == 403
    assert answer(scene, token=sign(scene.issuer, {**gitlab, "iss": scene.issuer.url}))[0] == 403
    both.update(iss=scene.gitlab.url, ref_protected="false")
    assert answer(scene, token=sign(scene.gitlab, both))[0] == 403


def sign(issuer, claims):
    key = issuer.keys[0]
    return jwt.encode(claims, key.pem, algorithm="RS256", headers={"kid": key.kid})


def test_a_token_is_good_for_one_request(scene):
    token = scene.gitlab.token(repository=REPOSITORY, ref="refs/heads/develop", sha="1" * 40)
    assert answer(scene, token=token)[0] == 202
    status, said = answer(scene, token=token, body={"ref": "refs/heads/develop"})
    assert status == 401 and "token_replayed" in said
    entry = scene.audit(action="denied", reason="its token was used for another request")[-1]
    assert (entry["user_id"], entry["severity"]) == ("workflow:shop", "high")
