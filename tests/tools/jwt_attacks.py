#!/usr/bin/python3
"""jwt_attacks.py URL [DATABASE] - 41 tokens that prove nothing, to POST /v1/push: each must get 401, and be counted.

    --issuer ISSUER      GITHUB_TOKEN_ISSUER or (--gitlab) GITLAB_URL there; its keys are read as a stranger reads them
    --audience AUDIENCE  PUBLIC_URL there (URL)
    --key FILE --kid ID  a private key of the issuer: then nothing but what is tried is wrong with a token

Prints a line each, and `41 forged tokens, 41 × 401, 41 counted`; the last with DATABASE, the server's, which has what
is refused within a minute.  A server takes 10 that fail of one address, then one every 6 s: that is waited for; on
loopback each few come from another address.  Exit status 1 where one was let in, answered otherwise, or not counted.
"""
# SPDX-License-Identifier: ISC
import argparse
import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import sqlite3
import sys
import time
import urllib.parse
import urllib.request
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PACE_S = 6
PATIENCE_S = 180        # the server hands over what it has counted once a minute
OF_ONE_ADDRESS = 10
# The first of a kind is an entry of the audit; the others are counted, and become one each hour.
COUNTED = """SELECT (SELECT coalesce(sum(n), 0) FROM stranger WHERE input LIKE 'api: %token%') +
(SELECT coalesce(sum(json_extract(meta, '$.count')), 0) FROM audit WHERE action = 'token_refused' AND
coalesce(json_extract(meta, '$.input'), json_extract(meta, '$.reason')) LIKE '%token%')"""
RAW = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def encode(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Forge:
    """Who forges: with a key of the issuer where there is one, else with one that looks like it."""

    def __init__(self, issuer, audience, key=None, kid=None, jwks=None, is_gitlab=False):
        self.issuer, self.audience, self.is_gitlab = issuer, audience, is_gitlab
        self.own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key, self.jwks = key or self.own, jwks or {"keys": []}
        known = next(iter(self.jwks["keys"]), {})
        self.kid = kid or known.get("kid", "key-1")
        self.public = (rsa.RSAPublicNumbers(*(int.from_bytes(base64.urlsafe_b64decode(known[name] + "=="), "big")
                                              for name in ("e", "n"))).public_key() if known else self.key.public_key())
        self.now = int(time.time())

    def claims(self, **changed):
        """What a job that is let in says, as far as a stranger knows; of None nothing."""
        claims = {"jti": str(uuid.uuid4()), "iss": self.issuer, "aud": self.audience, "iat": self.now, "nbf": self.now,
                  "exp": self.now + 300, "sha": "4" * 40}
        if self.is_gitlab:
            host = self.issuer.partition("://")[2]
            claims |= {"sub": "project_path:octo/shop:ref_type:branch:ref:develop", "project_path": "octo/shop",
                       "project_id": "22", "ref": "develop", "ref_type": "branch", "ref_path": "refs/heads/develop",
                       "ref_protected": "true", "pipeline_source": "push", "user_login": "mona", "user_id": "7",
                       "pipeline_id": "574", "job_id": "302", "job_project_id": "22", "job_project_path": "octo/shop",
                       "ci_config_ref_uri": f"{host}/octo/shop//.gitlab-ci.yml@refs/heads/develop"}
        else:
            claims |= {"sub": "repo:octo/shop:ref:refs/heads/develop", "repository": "octo/shop",
                       "repository_id": "456789", "ref": "refs/heads/develop", "event_name": "push", "actor": "mona",
                       "workflow_ref": "octo/shop/.github/workflows/deploy.yml@refs/heads/develop",
                       "actor_id": "7", "run_id": "4711", "run_attempt": "1", "check_run_id": "99001"}
        claims |= changed
        return {name: value for name, value in claims.items() if value is not None}

    def header(self, **changed):
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid, **changed}
        return {name: value for name, value in header.items() if value is not None}

    def signed(self, header, claims, key=None, kind=None, pad=None):
        """Header and claims are objects, or the bytes of one."""
        text = f"{encode(header)}.{encode(claims)}"
        pad = pad or padding.PKCS1v15()
        return f"{text}.{encode((key or self.key).sign(text.encode(), pad, kind or hashes.SHA256()))}"

    def mac(self, secret):
        text = f"{encode(self.header(alg='HS256'))}.{encode(self.claims())}"
        return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    def by_header(self, **changed):
        return self.signed(self.header(**changed), self.claims())

    def by_claims(self, **changed):
        return self.signed(self.header(), self.claims(**changed))

    def by_curve(self):
        text = f"{encode(self.header(alg='ES256'))}.{encode(self.claims())}"
        signature = ec.generate_private_key(ec.SECP256R1()).sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        return f"{text}.{encode(signature)}"

    def own_jwk(self):
        numbers = self.own.public_key().public_numbers()
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": number(numbers.n),
                "e": number(numbers.e)}

    def of_headers(self):
        good, elsewhere = self.claims(), "https://attacker.example.org/keys"
        return {
            "alg none": f"{encode(self.header(alg='none'))}.{encode(good)}.",
            "alg nOnE, and signed": self.by_header(alg="nOnE"),
            "alg left out": self.by_header(alg=None),
            "alg HS256 with the public key's PEM": self.mac(self.public.public_bytes(*PEM)),
            "alg HS256 with the public key's DER": self.mac(self.public.public_bytes(*RAW)),
            "alg HS256 with the key set": self.mac(json.dumps(self.jwks).encode()),
            "alg RS512": self.signed(self.header(alg="RS512"), good, kind=hashes.SHA512()),
            "alg PS256": self.signed(self.header(alg="PS256"), good,
                                     pad=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)),
            "alg ES256": self.by_curve(),
            "alg twice": self.signed(b'{"alg":"none","typ":"JWT","kid":"%s","alg":"RS256"}' % self.kid.encode(), good),
            "typ at+jwt": self.by_header(typ="at+jwt"),
            "jwk": self.signed(self.header(jwk=self.own_jwk()), good, self.own),
            "jku": self.signed(self.header(jku=elsewhere), good, self.own),
            "x5u": self.signed(self.header(x5u=elsewhere), good, self.own),
            "x5c": self.signed(self.header(x5c=[encode(self.own.public_key().public_bytes(*RAW))]), good, self.own),
            "crit": self.by_header(crit=["exp"]),
            "b64": self.by_header(b64=False),
            "kid of nobody": self.by_header(kid="0" * 40),
            "kid left out": self.by_header(kid=None),
            "kid with a path": self.by_header(kid="../../../../etc/hostname"),
            "kid of 200 bytes": self.by_header(kid="k" * 200),
            "header that is a list": self.signed([self.header()], good),
        }

    def of_forms(self):
        good = self.by_claims()
        head, body, signature = good.split(".")
        odd = next(token for token in iter(self.by_claims, None) if set(token) & set("-_"))
        return {
            "another key's signature": self.signed(self.header(), self.claims(), self.own),
            "another token's claims": f"{head}.{self.by_claims(sub='8').split('.')[1]}.{signature}",
            "no signature": f"{head}.{body}.",
            "half a signature": f"{head}.{body}.{signature[:len(signature) // 2]}",
            "padding": f"{good}==",
            "the other base64": odd.replace("-", "+").replace("_", "/"),
            "two parts": f"{head}.{body}",
            "four parts": f"{good}.{signature}",
            "8 KB": self.by_claims(workflow="w" * 6000),
        }

    def of_claims(self):
        doubled = json.dumps(self.claims()).replace('"ref":', '"ref": "refs/heads/main", "ref":').encode()
        return {
            "a claim twice": self.signed(self.header(), doubled),
            "two aud": self.by_claims(aud=[self.audience, "https://other.example.org"]),
            "another aud": self.by_claims(aud=self.audience + ".example.org"),
            "another issuer": self.by_claims(iss=self.issuer + "/"),
            "exp in 1970": self.by_claims(iat=0, nbf=0, exp=300),
            "exp in 2100": self.by_claims(exp=4102444800),
            "iat ten minutes ahead": self.by_claims(iat=self.now + 600, exp=self.now + 900),
            "nbf ten minutes ahead": self.by_claims(nbf=self.now + 600),
            "exp that is a text": self.by_claims(exp=str(self.now + 300)),
            "a run that is a number": self.by_claims(**{"pipeline_id" if self.is_gitlab else "run_id": 4711}),
        }

    def tokens(self):
        return {**self.of_headers(), **self.of_forms(), **self.of_claims()}


class Target:
    """The server: on loopback each few requests come from an address of their own."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.n = 0

    def post(self, token):
        """(status, what it says, Retry-After)."""
        self.n += 1
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        where = (f"127.0.0.{2 + self.n // OF_ONE_ADDRESS}", 0) if self.url.hostname == "127.0.0.1" else None
        connection = kind(self.url.hostname, self.url.port, timeout=60, source_address=where)
        try:
            connection.request("POST", "/v1/push", "{}",
                               {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read(65536)
            try:
                said = json.loads(text)["said"]
            except (ValueError, KeyError, TypeError):
                said = ""
            return answer.status, said, float(answer.headers.get("Retry-After") or PACE_S)
        finally:
            connection.close()

    def try_token(self, token):
        while True:
            status, said, after = self.post(token)
            if status != 429:
                return status, said
            time.sleep(after)


def counted(database):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(COUNTED).fetchone()[0]
    finally:
        connection.close()


def read_issuer(issuer):
    """Its key set; an empty one where there is none."""
    try:
        with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=30) as answer:
            where = json.load(answer)["jwks_uri"]
        with urllib.request.urlopen(where, timeout=30) as answer:
            return json.load(answer)
    except (OSError, ValueError, KeyError) as wrong:
        print(f"the keys of {issuer} are not known ({wrong}): forged as if there were one")
        return None


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("database", nargs="?")
    parser.add_argument("--issuer", default="https://token.actions.githubusercontent.com")
    parser.add_argument("--gitlab", action="store_true")
    parser.add_argument("--audience")
    parser.add_argument("--key")
    parser.add_argument("--kid")
    return parser.parse_args()


def main():
    words = arguments()
    url = words.url.rstrip("/")
    key = words.key and serialization.load_pem_private_key(pathlib.Path(words.key).read_bytes(), None)
    forge = Forge(words.issuer, words.audience or url, key, words.kid, read_issuer(words.issuer), words.gitlab)
    target, good, n = Target(url), 0, 0
    before = counted(words.database) if words.database else 0
    for name, token in forge.tokens().items():
        status, said = target.try_token(token)
        n += 1
        good += status == 401
        print(f"{status}  {name}: {said}", flush=True)
    found, until = 0, time.monotonic() + PATIENCE_S
    while words.database and found != n and time.monotonic() < until:
        time.sleep(1)
        found = counted(words.database) - before
    print(f"{n} forged tokens, {good} × 401" + (f", {found} counted" if words.database else ""))
    sys.exit(0 if good == n and (found == n or not words.database) else 1)


if __name__ == "__main__":
    main()
