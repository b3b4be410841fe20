"""gitlab_tokens.py - a stand-in for GitLab's issuer of tokens for jobs, and for the runner that hands them to a job.

What it signs is what lib/gitlab/ci/jwt.rb and jwt_v2.rb of GitLab sign, described at
docs.gitlab.com/ci/secrets/id_token_authentication: claims are texts, but for moments and runner_id; a job is given all
of its tokens at once, each with an id of its own, for as long as it may take.  The id of a key is its thumbprint
(RFC 7638), and its keys are at /oauth/discovery/keys.

Runner does with a job of a .gitlab-ci.yml what GitLab does: `extends` is followed, tokens and variables are in the
environment, before_script and script are one script of bash, after_script is another one, which is told CI_JOB_STATUS
(docs.gitlab.com/ci/yaml).  What a job may not have is an error here.
"""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import time
import uuid

import yaml

from github_tokens import AUDIENCE, Issuer, Key

KEYWORDS = {"after_script", "before_script", "environment", "extends", "id_tokens", "image", "needs", "resource_group",
            "rules", "script", "stage", "timeout", "variables"}
# As the runner begins each script (gitlab-runner, shells/bash.go).
BEGIN = "if set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n"


def thumbprint(key):
    public = key.public()
    text = json.dumps({name: public[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Gitlab(Issuer):
    def __init__(self):
        super().__init__()
        self.keys = [self.new_key()]

    @staticmethod
    def new_key():
        made = Key("")
        made.kid = thumbprint(made)
        return made

    def page(self, request):
        keys = "/oauth/discovery/keys"
        page = {"/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.url + keys},
                keys: {"keys": [key.public() for key in self.keys]}}.get(request.path)
        return (404 if page is None else 200), page

    def claims(self, repository="octo/shop", ref="refs/heads/main", sha="0" * 40, file=".gitlab-ci.yml", life_s=3600,
               **changed):
        """What a job is given; a claim of None is left out."""
        now = int(time.time())
        kind = "tag" if ref.startswith("refs/tags/") else "branch"
        name = ref.split("/", 2)[2]
        claims = {
            "jti": str(uuid.uuid4()), "iss": self.url, "aud": AUDIENCE, "iat": now, "nbf": now - 5, "exp": now + life_s,
            "sub": f"project_path:{repository}:ref_type:{kind}:ref:{name}",
            "namespace_id": "72", "namespace_path": repository.rpartition("/")[0], "project_id": "22",
            "project_path": repository, "job_project_id": "22", "job_project_path": repository, "user_id": "7",
            "user_login": "mona", "user_email": "mona@example.org", "user_access_level": "maintainer",
            "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": name, "ref_type": kind,
            "ref_path": ref, "ref_protected": "true", "runner_id": 1, "runner_environment": "gitlab-hosted", "sha": sha,
            "project_visibility": "private", "ci_config_sha": sha,
            "ci_config_ref_uri": f"{self.url.partition('://')[2]}/{repository}//{file}@{ref}", **changed}
        return {name: value for name, value in claims.items() if value is not None}


def read_jobs(files):
    found = {}
    for file in files:
        found.update(yaml.safe_load(file.read_text("utf-8")))
    return found


def merged(jobs, name):
    """A job with what it extends: hashes are merged, all else is replaced."""
    job = jobs[name]
    assert set(job) <= KEYWORDS, set(job) - KEYWORDS
    below = job.get("extends", [])
    found = {}
    for other in [below] if isinstance(below, str) else below:
        found = mix(found, merged(jobs, other))
    return mix(found, {key: value for key, value in job.items() if key != "extends"})


def mix(below, above):
    return {**below, **{key: mix(below.get(key, {}), value) if isinstance(value, dict) else value
                        for key, value in above.items()}}


class Runner:
    """One run of a job.  variables: those of the project; named: claims of its tokens."""

    def __init__(self, gitlab, folder, files, job, variables, shell="bash", **named):
        self.jobs = read_jobs(files)
        self.job = merged(self.jobs, job)
        self.folder, self.shell, self.log, self.status = folder, shell, "", None
        self.tools = folder.parent / "tools"     # its seconds are short
        self.tools.mkdir(exist_ok=True)
        (self.tools / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.6\n")
        (self.tools / "sleep").chmod(0o755)
        variables = {**self.jobs.get("variables", {}), **self.job.get("variables", {}), **variables}
        self.made = {}
        for token, of in self.job["id_tokens"].items():
            audience = re.sub(r"\$\{?(\w+)\}?", lambda word: variables[word[1]], of["aud"])
            self.made[token] = gitlab.token(aud=audience, **named)
        self.variables = {**variables, **self.made, "CI_PROJECT_DIR": str(folder), "CI": "true", "GITLAB_CI": "true",
                          "CI_COMMIT_SHA": named["sha"]}

    def start(self, lines, **more):
        assert all(isinstance(line, str) for line in lines), "GitLab joins texts alone"
        script = BEGIN + "".join(line.rstrip("\n") + "\n" for line in lines)
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen([self.shell, "-c", script], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, start_new_session=True,
                                    env={"PATH": f"{self.tools}:{os.environ['PATH']}", **self.variables, **more})

    def begin(self):
        self.process = self.start(self.job.get("before_script", []) + self.job["script"])
        return self

    def wait(self, process, timeout):
        status = process.wait(timeout=timeout)
        self.log = (self.folder / "log").read_text("utf-8")
        assert not [token for token in self.made.values() if token in self.log], "a token is in the log"
        return status

    def finish(self, is_cancelled=False, timeout=60):
        """Its status, as GitLab shows it."""
        failed = self.wait(self.process, timeout) != 0
        self.status = "canceled" if is_cancelled else "failed" if failed else "success"
        if "after_script" in self.job:     # how that ends changes nothing
            self.wait(self.start(self.job["after_script"], CI_JOB_STATUS=self.status), timeout)
        return self.status

    def cancel(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        return self.finish(is_cancelled=True)

    def done(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
