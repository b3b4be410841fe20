"""Goal: a job of GitLab reports its push by the token that GitLab gave it, without a secret, once; and what a merge
request, a fork, another project, an open ref or the other forge brings gets nothing."""
# SPDX-License-Identifier: ISC
import time

import pytest

from flow_aid import ended_well
from github_tokens import AUDIENCE
from gitlab_aid import GitlabJobs
from jobs_aid import REPOSITORY
from stage import wait_until

LINE = ".gitlab-ci.yml@refs/heads/develop"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = GitlabJobs(tmp_path_factory.mktemp("gitlab"), {
        "WORKFLOW_SHOP_IS": f"gitlab 22 {LINE}", "WORKFLOW_SHOP_MAY": "deploy:staging, status:*",
        "WORKFLOW_OTHER_IS": "github 22 ci.yml@refs/heads/develop", "WORKFLOW_OTHER_MAY": "deploy:staging"})
    yield made
    ended_well(made)


def answer(scene, **named):
    """(status, said) of a push; many that fail from one address have to wait."""
    def asked():
        status, said = scene.ask("/v1/push", **named)
        return None if status == 429 else (status, said["said"])
    return wait_until(asked, 60, "an answer")


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
