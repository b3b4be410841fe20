"""forges.py - stand-ins for GitLab, Gitea and Bitbucket Cloud: their pushes, proven as each does it.

GitLab(url, secret, path).push("main", after) and friends send what the forge sends and return {status, answer, headers,
body}; send(body, headers) sends the same bytes again.  A secret that begins with whsec_ is GitLab's signing token.
"""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
import uuid

ZEROS = "0" * 40
LIMIT_S = 30


def hexmac(secret, body):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Forge:
    """One webhook of one repository."""

    def __init__(self, url, secret, path):
        self.url, self.secret, self.path = url, secret, path

    def send(self, body, headers):
        """Sends these bytes; a header of None is left out."""
        place = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT_S)
        kept = {name: value for name, value in headers.items() if value is not None}
        try:
            connection.request("POST", place.path, body, kept)
            answer = connection.getresponse()
            return {"status": answer.status, "answer": answer.read().decode(), "headers": headers, "body": body}
        finally:
            connection.close()

    def deliver(self, payload, **changes):
        body = json.dumps(payload, ensure_ascii=False).encode()
        return self.send(body, {**self.headers(body), **changes})

    def push(self, branch, after, before="1" * 40, **changes):
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        return self.deliver(self.payload(ref, before, after), **changes)

    def headers(self, body):
        raise NotImplementedError

    def payload(self, ref, before, after):
        raise NotImplementedError


class GitLab(Forge):
    """docs.gitlab.com/user/project/integrations/webhook_events, push events."""

    def headers(self, body):
        number = str(uuid.uuid4())
        found = {"Content-Type": "application/json", "User-Agent": "GitLab/17.9.1", "X-Gitlab-Event": "Push Hook",
                 "X-Gitlab-Webhook-UUID": str(uuid.uuid4()), "X-Gitlab-Instance": "https://gitlab.example.org",
                 "X-Gitlab-Event-UUID": str(uuid.uuid4()), "Idempotency-Key": number}
        if self.secret.startswith("whsec_"):
            found |= self.signed(number, body)
        else:
            found["X-Gitlab-Token"] = self.secret
        return found

    def signed(self, number, body, at=None):
        at = str(int(at or time.time()))
        mac = hmac.new(base64.b64decode(self.secret[6:]), f"{number}.{at}.".encode() + body, hashlib.sha256)
        return {"webhook-id": number, "webhook-timestamp": at,
                "webhook-signature": "v1," + base64.b64encode(mac.digest()).decode()}

    def payload(self, ref, before, after):
        name = self.path.rsplit("/", 1)[1]
        page = f"https://gitlab.example.org/{self.path}"
        return {"object_kind": "push", "event_name": "push", "before": before, "after": after, "ref": ref,
                "ref_protected": True, "checkout_sha": None if after == ZEROS else after, "message": None,
                "user_id": 4, "user_name": "Joon Søby", "user_username": "joon", "user_email": None,
                "user_avatar": "https://s.gravatar.com/avatar/d4c74594d841139328695756648b6bd6?s=8",
                "project_id": 15, "project": {
                    "id": 15, "name": name.title(), "description": "", "web_url": page, "avatar_url": None,
                    "git_ssh_url": f"git@gitlab.example.org:{self.path}.git", "git_http_url": f"{page}.git",
                    "namespace": "Orchard", "visibility_level": 0, "path_with_namespace": self.path,
                    "default_branch": "main", "ci_config_path": None, "homepage": page,
                    "url": f"git@gitlab.example.org:{self.path}.git",
                    "ssh_url": f"git@gitlab.example.org:{self.path}.git",
                    "http_url": f"{page}.git"},
                "commits": [] if after == ZEROS else [{
                    "id": after, "message": "Fix \U0001f41b in the ‘cart’\n\nlong", "title": "Fix the cart",
                    "timestamp": "2026-11-22T08:00:00+01:00", "url": f"{page}/-/commit/{after}",
                    "author": {"name": "Joon", "email": "joon@orchard.example"}, "added": ["a"],
                    "modified": ["app/cart.py"], "removed": []}],
                "total_commits_count": 1, "push_options": {}, "repository": {
                    "name": name.title(), "url": f"git@gitlab.example.org:{self.path}.git", "description": "",
                    "homepage": page, "git_http_url": f"{page}.git",
                    "git_ssh_url": f"git@gitlab.example.org:{self.path}.git", "visibility_level": 0}}

    def pipeline(self, status, builds, number=3, **changed):
        """#pipeline-events there; builds: (number, name, status of a job)."""
        page = f"https://gitlab.example.org/{self.path}"
        return {"object_kind": "pipeline", "object_attributes": {
                    "id": 9000 + number, "iid": number, "name": None, "ref": "develop", "tag": False, "sha": "c" * 40,
                    "before_sha": ZEROS, "source": "push", "status": status, "detailed_status": status,
                    "stages": ["test"], "created_at": "2026-11-22 08:00:00 UTC", "finished_at": None, "duration": 63,
                    "queued_duration": 10, "protected_ref": True, "variables": [],
                    "url": f"{page}/-/pipelines/{9000 + number}"} | changed,
                "merge_request": None, "user": {"id": 4, "name": "Joon Søby", "username": "joon"},
                "project": self.payload("", "", "")["project"], "commit": {
                    "id": "c" * 40, "message": "Fix the cart\n", "title": "Fix the cart",
                    "timestamp": "2026-11-22T08:00:00+01:00", "url": f"{page}/-/commit/{'c' * 40}",
                    "author": {"name": "Joon", "email": "[REDACTED]"}},
                "builds": [{
                    "id": build, "stage": "test", "name": name, "status": is_now,
                    "created_at": "2026-11-22 08:00:00 UTC", "started_at": None, "finished_at": None,
                    "duration": None, "queued_duration": None,
                    "failure_reason": "script_failure" if is_now == "failed" else None, "when": "on_success",
                    "manual": False, "allow_failure": False, "user": {"id": 4, "username": "joon"}, "runner": None,
                    "artifacts_file": {"filename": None, "size": None}, "environment": None}
                    for build, name, is_now in builds]}


class Gitea(Forge):
    """services/webhook/deliver.go of go-gitea/gitea; Forgejo sends the same and X-Forgejo-… besides."""

    def headers(self, body):
        number, mac = str(uuid.uuid4()), hexmac(self.secret, body)
        return {"Content-Type": "application/json", "X-Gitea-Delivery": number, "X-Gitea-Event": "push",
                "X-Gitea-Event-Type": "push", "X-Gitea-Signature": mac, "X-Gogs-Delivery": number,
                "X-Gogs-Event": "push", "X-Gogs-Event-Type": "push", "X-Gogs-Signature": mac,
                "X-GitHub-Delivery": number, "X-GitHub-Event": "push", "X-GitHub-Event-Type": "push",
                "X-Hub-Signature": "sha1=" + hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest(),
                "X-Hub-Signature-256": "sha256=" + mac}

    def payload(self, ref, before, after):
        owner, name = self.path.split("/")
        page = f"https://gitea.example.org/{self.path}"
        who = {"id": 7, "login": "joon", "login_name": "", "source_id": 0, "full_name": "Joon", "username": "joon",
               "email": "joon@noreply.gitea.example.org", "avatar_url": f"{page}/avatar", "is_admin": False}
        return {"ref": ref, "before": before, "after": after, "compare_url": f"{page}/compare/{before}...{after}",
                "commits": [], "total_commits": 0, "head_commit": None, "repository": {
                    "id": 3, "owner": {**who, "id": 9, "login": owner, "username": owner}, "name": name,
                    "full_name": self.path, "description": "", "empty": False, "private": True, "fork": False,
                    "html_url": page, "ssh_url": f"git@gitea.example.org:{self.path}.git",
                    "clone_url": f"{page}.git", "default_branch": "main",
                    "created_at": "2025-01-01T00:00:00Z",
                    "updated_at": f"2026-11-22T08:00:{uuid.uuid4().int % 60:02}Z"},
                "pusher": who, "sender": who}


class Bitbucket(Forge):
    """support.atlassian.com/bitbucket-cloud/docs/event-payloads, repo:push."""

    def headers(self, body):
        return {"Content-Type": "application/json", "User-Agent": "Bitbucket-Webhooks/2.0",
                "X-Event-Key": "repo:push", "X-Hook-UUID": "4dc9b0ea-a1a0-4bc4-b5a0-a1f0c4d7a1b2",
                "X-Request-UUID": str(uuid.uuid4()), "X-Attempt-Number": "1",
                "X-Hub-Signature": "sha256=" + hexmac(self.secret, body)}

    def target(self, commit):
        page = f"https://bitbucket.org/{self.path}"
        return {"type": "commit", "hash": commit, "author": {"type": "author", "raw": "Joon <joon@orchard.example>"},
                "message": "Fix the cart\n", "date": "2026-11-22T07:00:00+00:00", "parents": [],
                "links": {"html": {"href": f"{page}/commits/{commit}"}}}

    def ref(self, ref, commit):
        kind, name = ("branch", ref[11:]) if ref.startswith("refs/heads/") else ("tag", ref[10:])
        return None if commit == ZEROS else {"type": kind, "name": name, "target": self.target(commit), "links": {}}

    def change(self, ref, before, after, forced=False):
        return {"forced": forced, "old": self.ref(ref, before), "new": self.ref(ref, after), "truncated": False,
                "created": before == ZEROS, "closed": after == ZEROS, "commits": [], "links": {}}

    def payload(self, ref, before, after):
        return self.pushed(self.change(ref, before, after))

    def pushed(self, *changes):
        return {"push": {"changes": list(changes)}, "repository": {
                    "type": "repository", "full_name": self.path, "name": "Shop", "scm": "git", "is_private": True,
                    "uuid": "{b7f36435-7ea7-4f3e-8c28-9b2d8a6e4f11}", "website": None, "project": None, "links": {}},
                "actor": {"type": "user", "display_name": "Joon Søby", "nickname": "joon", "links": {},
                          "account_id": "557058:6b1c6a8e-4b3d-4d4f-9f1e-2d1f4ad4b7b1",
                          "uuid": "{d301aafa-d676-4ee0-88be-962be7417567}"}}
