"""What the tests of /hooks share: calls, and the settings of some hooks."""
# SPDX-License-Identifier: ISC
import http.client
import json

from stage import wait_until

SHARED = "shared-s3cret-of-the-hooks-0123456789"
OWN = "own-s3cret-of-one-hook-9876543210abc"
HOOKS = {
    "ENABLE_API_SERVER": "true", "WEBHOOK_API_SECRET": SHARED,
    "HOOK_BUILD_DONE_STARTS": "deploy:staging ref=$.build.ref", "HOOK_BUILD_DONE_SECRET": OWN,
    "HOOK_NIGHTLY_STARTS": "deploy:staging", "HOOK_RELEASE_STARTS": "deploy:production ref=$.ref",
}


def call(*words, **named):
    """As call_once(), by a caller who comes again where it is told to wait: a fast machine makes more calls of a hook
    in a moment than it may have."""
    def answer():
        done = call_once(*words, **named)
        return done if done[0] != 429 else None
    return wait_until(answer, 60, "a call that is not too many")


def call_once(port, hook, body=b"{}", token=OWN, method="POST", **headers):
    """(status, the answer's JSON or its bytes); a header of None is left out, body: bytes or what JSON is made of."""
    raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"}
    if token is not None:
        sent["Authorization"] = token if " " in token else f"Bearer {token}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, f"/hooks/{hook}", raw, {k: v for k, v in sent.items() if v is not None})
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.headers.get("Content-Type")
        return answer.status, json.loads(text) if kind == "application/json" else text
    finally:
        connection.close()


def raw_answer(port, hook, token=None):
    """Each byte of the answer but its date."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection.request("POST", f"/hooks/{hook}", b"{}", headers)
        answer = connection.getresponse()
        return answer.status, sorted((k, v) for k, v in answer.getheaders() if k != "Date"), answer.read()
    finally:
        connection.close()
