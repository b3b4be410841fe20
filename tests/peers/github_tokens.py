"""github_tokens.py - a stand-in for GitHub's issuer of tokens for jobs, and what it signs.

It has a configuration and a set of keys (OpenID Connect Discovery 1.0, RFC 7517), and signs by PyJWT what a job of a
workflow is given: the claims of docs.github.com/actions/reference/security/oidc, all of them texts but the moments.
`asked` counts what was asked of it; `troubles` says what goes wrong with the next answers, one each: a status, "html",
or "away", which ends the connection without an answer.
"""
# SPDX-License-Identifier: ISC
import base64
import http.server
import json
import threading
import time
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "https://bot.example.org"


def number(value):
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class Key:
    def __init__(self, kid, bits=2048):
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.pem = self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption())

    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": number(numbers.n),
                "e": number(numbers.e)}


class Issuer:
    def __init__(self):
        self.keys = [Key("key-1")]
        self.asked, self.troubles = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def pages(self):
        return {"/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"},
                "/jwks": {"keys": [key.public() for key in self.keys]}}

    def answer(self, request):
        self.asked.append(request.path)
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "away":
            request.close_connection = True
            return
        page = self.pages().get(request.path)
        status = trouble if isinstance(trouble, int) else 200 if page is not None else 404
        body = b"<html>no</html>" if trouble == "html" else json.dumps(page).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

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
