"""jobs_aid.py - a stage whose jobs of workflows ask over /v1 by tokens of an issuer of its own."""
# SPDX-License-Identifier: ISC
import http.client
import itertools
import json

from flow_aid import Scene
from github_tokens import AUDIENCE, Issuer

REPOSITORY = "octo/shop"


class Jobs(Scene):
    def __init__(self, folder, settings):
        self.issuer = Issuer()
        self.addresses = (f"{n // 250}.{n % 250 + 1}" for n in itertools.count())
        super().__init__(folder, settings={
            "ENABLE_API_SERVER": "true", "PUBLIC_URL": AUDIENCE, "GITHUB_TOKEN_ISSUER": self.issuer.url,
            "GITHUB_REPOSITORY": REPOSITORY, **settings})

    def stop(self):
        status = super().stop()
        self.issuer.stop()
        return status

    def ask(self, path, body=None, token=None, method="POST", **named):
        """(status, answer) of a job's request."""
        named.setdefault("ref", "refs/heads/develop")
        token = token or self.issuer.token(repository=REPOSITORY, **named)
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        try:
            connection.request(method, path, None if method == "GET" else json.dumps(body or {}),
                               {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                                # Each from one of its own: many that fail from one address have to wait.
                                "X-Real-IP": f"198.51.{next(self.addresses)}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
