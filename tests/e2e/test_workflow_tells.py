"""Goal: what CI sends deploybot when its image is there is, to the real server, a push: it deploys that, once, and
believes no job that it does not know."""
# SPDX-License-Identifier: ISC
import pytest

from flow_aid import Scene, ended_well
from github_tokens import Issuer, Runner
from workflow_aid import Workbench

REPOSITORY = "orchard/shop"
TELL = "Notify deploybot of the push"


class Told(Scene):
    def __init__(self, folder):
        self.issuer = Issuer()
        super().__init__(folder, settings={
            "ENABLE_API_SERVER": "true", "GITHUB_REPOSITORY": "Orchard/Shop", "GITHUB_TOKEN_ISSUER": self.issuer.url,
            "PUBLIC_URL": "http://127.0.0.1:{port}", "WORKFLOW_STAGING_IS": "github 456789 ci-cd.yml@refs/heads/develop",
            "WORKFLOW_STAGING_MAY": "deploy:staging",
            "WORKFLOW_PRODUCTION_IS": "github 456789 ci-cd.yml@refs/heads/main", "WORKFLOW_PRODUCTION_MAY": "status:*"})

    def settings(self):
        return {name: value.replace("{port}", str(self.http_port)) if name == "PUBLIC_URL" else value
                for name, value in super().settings().items()}

    def stop(self):
        status = super().stop()
        self.issuer.stop()
        return status


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Told(tmp_path_factory.mktemp("tells"))
    yield made
    ended_well(made)


@pytest.fixture
def ci(scene, tmp_path):
    made = Workbench(tmp_path, "/usr/bin:/bin", commands=())    # the real curl
    made.runner = Runner(scene.issuer, repository=REPOSITORY, ref="refs/heads/develop", file="ci-cd.yml")
    made.plan("deploybot", "staging")
    made.context["secrets"] = {"DEPLOYBOT_URL": scene.bot.base + "/"}
    made.more = {"no_proxy": "127.0.0.1", **made.runner.environment()}
    yield made
    made.done()
    made.runner.stop()


def pushed(scene, ci):
    commit = scene.commit("develop", "good")["after"]
    ci.commit = ci.runner.claims["sha"] = commit
    return commit


def test_a_push_that_ci_tells_goes_live_once(scene, ci):
    commit = pushed(scene, ci)
    assert ci.job("tell")[0] == 0 and f"{commit[:7]} is looked for: staging" in ci.said[-1], ci.said
    scene.ada.hear("Live: staging", commit[:7], "pushed by mona (GitHub)", after=0)
    asked = len(scene.audit(action="deploy_requested", environment="staging"))
    # A job that is repeated, and one that is run again later.
    for attempt in ("1", "2"):
        ci.runner.claims["run_attempt"] = attempt
        assert ci.step("tell", TELL) == 0, ci.said
    scene.ada.say("/deploy staging nosuch")
    scene.ada.hear("Not deployed: staging")
    assert len(scene.audit(action="deploy_requested", environment="staging")) == asked + 1, "the question alone"
    assert scene.runs("staging") == commit


def test_a_job_that_is_not_known_is_told_which_line_lets_it_in_and_deploys_nothing(scene, ci):
    commit = pushed(scene, ci)
    ci.runner.claims["repository_id"] = "1"
    assert ci.job("tell")[0] == 1 and \
        "no WORKFLOW_<NAME>_IS lets in github 1 ci-cd.yml@refs/heads/develop, by push" in ci.said[-1], ci.said
    assert "_MAY" not in ci.said[-1], "no grant lets in what has no workflow"
    assert scene.runs("staging") != commit


def test_a_job_whose_workflow_may_not_deploy_is_told_of_its_grant(scene, ci):
    ci.plan("deploybot", "production")
    ci.runner.claims.update({"ref": "refs/heads/main", "sha": scene.head("main"),
                             "workflow_ref": f"{REPOSITORY}/.github/workflows/ci-cd.yml@refs/heads/main"})
    assert ci.job("tell")[0] == 1 and "that workflow:production may deploy follows main" in ci.said[-1] and \
        "(its grant: WORKFLOW_<NAME>_MAY=deploy:ENVIRONMENT)" in ci.said[-1], ci.said


def test_a_token_for_somebody_else_is_said(scene, ci):
    commit = pushed(scene, ci)
    ci.runner.claims["aud"] = "https://other.example.org"
    assert ci.job("tell")[0] == 1 and f"JWT: aud is not {scene.bot.base} alone" in ci.said[-1], ci.said
    assert scene.runs("staging") != commit
