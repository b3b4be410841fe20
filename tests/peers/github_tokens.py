"""github_tokens.py - a stand-in for GitHub's issuer of tokens for jobs, and what it signs.

It has a configuration and a set of keys (OpenID Connect Discovery 1.0, RFC 7517), and signs by PyJWT what a job of a
workflow is given: the claims of docs.github.com/actions/reference/security/oidc, all of them texts but the moments.
`asked` counts what was asked of it; `troubles` says what goes wrong with the next answers, one each: a status, "html",
or "away", which ends the connection without an answer.

Runner is the endpoint of a runner that a job asks for its tokens (actions/toolkit, packages/core/src/oidc-utils.ts): it
wants the job's bearer and one audience, and its answers go wrong in the same ways.
"""
# SPDX-License-Identifier: ISC
import base64
import http.server
import json
import threading
import time
import urllib.parse
import uuid

import jwt
from cryptography.hazmat.primitives import serialization

import rsa_keys

AUDIENCE = "https://bot.example.org"


def number(value):
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class Key:
    def __init__(self, kid):
        self.kid = kid
        self.private = rsa_keys.next_key()
        self.pem = self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption())

    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": number(numbers.n),
                "e": number(numbers.e)}


class Server:
    """Answers its methods with JSON: page(request) says (status, value)."""

    methods = ("GET",)

    def __init__(self):
        self.asked, self.troubles = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            do_POST = do_PUT = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def trouble_of(self, path):     # pylint: disable=unused-argument
        return self.troubles.pop(0) if self.troubles else None

    def answer(self, request):
        self.asked.append(request.path)
        trouble = self.trouble_of(request.path)
        if trouble == "away":
            request.close_connection = True
            return
        status, page = self.page(request) if request.command in self.methods else (405, None)
        if trouble == "late away":      # it is done, and nobody hears of it
            request.close_connection = True
            return
        if isinstance(trouble, int):
            status = trouble
        body = b"<html>no</html>" if trouble == "html" else json.dumps(page).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def page(self, request):
        raise NotImplementedError


class Issuer(Server):
    def __init__(self):
        super().__init__()
        self.keys = [Key("key-1")]

    def page(self, request):
        page = {"/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"},
                "/jwks": {"keys": [key.public() for key in self.keys]}}.get(request.path)
        return (404 if page is None else 200), page

    def claims(self, repository="octo/shop", ref="refs/heads/main", sha="0" * 40, file="deploy.yml", **changed):
        """What a job is given; a claim of None is left out."""
        now = int(time.time())
        claims = {
            "jti": str(uuid.uuid4()), "iss": self.url, "aud": AUDIENCE, "iat": now, "nbf": now - 600, "exp": now + 300,
            "sub": f"repo:{repository}:ref:{ref}", "repository": repository, "repository_id": "456789",
            "repository_owner": repository.split("/")[0], "repository_owner_id": "42", "ref": ref, "ref_type": "branch",
            "sha": sha, "workflow": "Deploy", "workflow_ref": f"{repository}/.github/workflows/{file}@{ref}",
            "job_workflow_ref": f"{repository}/.github/workflows/{file}@{ref}", "event_name": "push",
            "actor": "mona", "actor_id": "7", "run_id": "4711", "run_number": "12", "run_attempt": "1",
            "check_run_id": "99001", "runner_environment": "github-hosted", **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key=None, headers=None, **named):
        key = key or self.keys[0]
        return jwt.encode(self.claims(**named), key.pem, algorithm="RS256", headers={"kid": key.kid, **(headers or {})})


class Runner(Server):
    """claims: what its job's tokens say, but for the audience, which the job names; `made` has all that it gave."""

    def __init__(self, issuer, life_s=300, **claims):
        super().__init__()
        self.issuer, self.life_s, self.claims, self.made = issuer, life_s, claims, []
        self.bearer = "of-the-runner-" + uuid.uuid4().hex

    def environment(self):
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/job/idtoken?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.bearer}

    def page(self, request):
        where, _, words = request.path.partition("?")
        words = urllib.parse.parse_qs(words, strict_parsing=True)
        if request.headers.get_all("Authorization") != [f"Bearer {self.bearer}"]:
            return 401, {"message": "no job's bearer"}
        if where != "/job/idtoken" or words.pop("api-version", None) != ["2.0"] or \
                list(words) != ["audience"] or len(words["audience"]) != 1:
            return 400, {"message": f"not asked for as a job asks: {request.path}"}
        now = int(time.time())
        claims = {"aud": words["audience"][0], "iat": now, "exp": now + self.life_s, **self.claims}
        self.made.append(self.issuer.token(**claims))
        return 200, {"count": len(self.made[-1]), "value": self.made[-1]}
