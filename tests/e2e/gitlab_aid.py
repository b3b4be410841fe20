"""gitlab_aid.py - a stage whose jobs of GitLab ask over /v1, beside those of GitHub, by tokens of another issuer."""
# SPDX-License-Identifier: ISC
from gitlab_tokens import Gitlab
from jobs_aid import REPOSITORY, Jobs


class GitlabJobs(Jobs):
    def __init__(self, folder, settings):
        self.gitlab = Gitlab()
        super().__init__(folder, {"GITLAB_URL": self.gitlab.url, "REPOSITORY_PATH": REPOSITORY, **settings})

    def stop(self):
        status = super().stop()
        self.gitlab.stop()
        return status

    def ask(self, path, body=None, token=None, method="POST", **named):
        named.setdefault("ref", "refs/heads/develop")
        token = token or self.gitlab.token(repository=REPOSITORY, **named)
        return super().ask(path, body, token, method)
