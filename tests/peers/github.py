#!/usr/bin/python3
"""github.py - a stand-in for GitHub: signed webhook deliveries, and a repository to push to.

As a module: GitHub(url, secret).push(…) and friends send what GitHub sends, keep every answer and
redeliver under the same id. As a program: the chat page's repository panel. It commits a good or a
broken change to the sample application and delivers the push when a URL is configured; otherwise
whoever polls finds it.

GitHub waits ten seconds for an answer, follows no redirects, and never tries again by itself.
"""
# SPDX-License-Identifier: ISC
import argparse
import asyncio
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import ssl
import time
import urllib.parse
import uuid

import aiohttp
from aiohttp import web

import peer_process
import sample_app

ANSWER_LIMIT_S = 10
READ_LIMIT_S = 30
HOOK_ID = 501_234_567
PANEL_COMMITS = 5
ZEROS = "0" * 40
API = "https://api.github.com"
SITE = "https://github.com"


def sign(secret, body):
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def encode(payload, content_type="json"):
    """The bytes of a delivery and its content type, as the hook's setting says."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    if content_type == "json":
        return text.encode(), "application/json"
    return urllib.parse.urlencode({"payload": text}).encode(), "application/x-www-form-urlencoded"


# --- payloads ---

def account(login, number, kind="User"):
    base = f"{API}/users/{login}"
    return {
        "login": login, "id": number, "node_id": f"U_kgDO{number:x}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4", "gravatar_id": "",
        "url": base, "html_url": f"{SITE}/{login}", "followers_url": f"{base}/followers",
        "following_url": f"{base}/following{{/other_user}}",
        "gists_url": f"{base}/gists{{/gist_id}}",
        "starred_url": f"{base}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{base}/subscriptions", "organizations_url": f"{base}/orgs",
        "repos_url": f"{base}/repos", "events_url": f"{base}/events{{/privacy}}",
        "received_events_url": f"{base}/received_events", "type": kind,
        "user_view_type": "public", "site_admin": False}


REPOSITORY_URLS = {
    "forks": "", "keys": "{/key_id}", "collaborators": "{/collaborator}", "teams": "",
    "hooks": "", "issue_events": "issues/events{/number}", "events": "", "assignees": "{/user}",
    "branches": "{/branch}", "tags": "", "blobs": "git/blobs{/sha}",
    "git_tags": "git/tags{/sha}", "git_refs": "git/refs{/sha}", "trees": "git/trees{/sha}",
    "statuses": "statuses/{sha}", "languages": "", "stargazers": "", "contributors": "",
    "subscribers": "", "subscription": "", "commits": "{/sha}", "git_commits": "git/commits{/sha}",
    "comments": "{/number}", "issue_comment": "issues/comments{/number}",
    "contents": "contents/{+path}", "compare": "compare/{base}...{head}", "merges": "",
    "archive": "{archive_format}{/ref}", "downloads": "", "issues": "{/number}",
    "pulls": "{/number}", "milestones": "{/number}",
    "notifications": "notifications{?since,all,participating}", "labels": "{/name}",
    "releases": "{/id}", "deployments": "",
}


def repository(full_name, number=812_345_678, private=True, default_branch="main"):
    owner, name = full_name.split("/")
    base, site = f"{API}/repos/{full_name}", f"{SITE}/{full_name}"
    found = {"id": number, "node_id": f"R_kgDO{number:x}", "name": name, "full_name": full_name,
             "private": private,
             "owner": {"name": owner, "email": f"hello@{owner}.example",
                       **account(owner, 9_876_543, "Organization")},
             "html_url": site, "description": "The small fruit shop", "fork": False, "url": site}
    for key, path in REPOSITORY_URLS.items():
        inside = path if path and not path.startswith("{/") else key + path
        found[f"{key}_url"] = f"{base}/{inside}"
    found.update({
        "created_at": 1_718_000_000, "updated_at": "2026-11-18T09:12:44Z",
        "pushed_at": int(time.time()), "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git", "clone_url": f"{site}.git",
        "svn_url": site, "homepage": "", "size": 348, "stargazers_count": 4,
        "watchers_count": 4, "language": "Python", "has_issues": True, "has_projects": True,
        "has_downloads": True, "has_wiki": False, "has_pages": False, "has_discussions": False,
        "forks_count": 0, "mirror_url": None, "archived": False, "disabled": False,
        "open_issues_count": 3, "license": None, "allow_forking": False, "is_template": False,
        "web_commit_signoff_required": False, "topics": [], "visibility": "private",
        "forks": 0, "open_issues": 3, "watchers": 4, "default_branch": default_branch,
        "stargazers": 4, "master_branch": default_branch, "organization": owner,
        "custom_properties": {}})
    return found


def workflow_run(full_name, file, sha, number=1, conclusion=None, repository_id=812_345_678, **changed):
    """As an event and the API have it; one without a conclusion is in progress.  `fork`: the number of another one."""
    fork = changed.pop("fork", repository_id)
    found = {"id": 9_000_000 + number, "run_number": number, "run_attempt": 1, "event": "push", "head_sha": sha,
             "path": f".github/workflows/{file}", "status": "completed" if conclusion else "in_progress",
             "conclusion": conclusion, "head_branch": "develop", "name": file, "display_title": "A change",
             "actor": {"login": "mona"}, "triggering_actor": {"login": "mona"},
             "repository": repository(full_name, repository_id),
             "head_repository": repository(full_name if fork == repository_id else "eve/shop", fork)}
    return {**found, **changed}


def protection_rule(full_name, sha, run, deployment, environment="production", repository_id=812_345_678, **changed):
    """What an App is asked that is a protection rule of that environment."""
    host = changed.pop("host", API)
    found = {"action": "requested", "environment": environment, "event": "push",
             "deployment_callback_url": f"{host}/repos/{full_name}/actions/runs/{run}/deployment_protection_rule",
             "deployment": {"id": deployment, "sha": sha, "ref": "main", "task": "deploy", "environment": environment,
                            "original_environment": environment, "payload": {}, "description": None,
                            "creator": account("github-actions[bot]", 41_898_282, "Bot")},
             "pull_requests": [], "repository": repository(full_name, repository_id),
             "installation": {"id": 7}, "sender": account("ada-byron", 424_242)}
    return {**found, **changed}


def review(full_name, sha, run, environment="production", repository_id=812_345_678, **changed):
    """What those are asked who review that environment: it has the run, and no Deployment."""
    found = {"action": "requested", "environment": environment, "since": "2026-11-27T07:00:00Z", "reviewers": [],
             "workflow_run": workflow_run(full_name, "deploy.yml", sha, repository_id=repository_id, id=run,
                                          status="waiting"),
             "workflow_job_run": {"id": 30_000 + run, "name": "deploy", "environment": environment},
             "requestor": account("ada-byron", 424_242), "repository": repository(full_name, repository_id),
             "organization": {"login": full_name.split("/", 1)[0]}, "sender": account("ada-byron", 424_242)}
    return {**found, **changed}


def workflow_job(full_name, run, deployment=None, conclusion="success", repository_id=812_345_678,
                 environment="production", **changed):
    found = {"id": 30_000 + run, "run_id": run, "run_attempt": 1, "status": "completed", "conclusion": conclusion,
             "name": "deploy", "head_sha": "1" * 40, **changed}
    more = {"deployment": {"id": deployment, "environment": environment}} if deployment else {}
    return {"action": "completed" if conclusion else "in_progress", "workflow_job": found, **more,
            "repository": repository(full_name, repository_id), "sender": account("ada-byron", 424_242)}


def commit_entry(full_name, commit_id, subject, author="Ada Byron", email="ada@shop.example",
                 login="ada-byron", at=None, tree=None, modified=("release.json",)):
    person = {"name": author, "email": email, "username": login}
    stamp = at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    tree = tree or hashlib.sha1(commit_id.encode()).hexdigest()
    return {"id": commit_id, "tree_id": tree, "distinct": True, "message": subject,
            "timestamp": stamp, "url": f"{SITE}/{full_name}/commit/{commit_id}",
            "author": person, "committer": dict(person), "added": [], "removed": [],
            "modified": list(modified)}


def push_payload(full_name, ref, before, after, commits=None, login="ada-byron",
                 login_id=424_242, forced=False, repository_id=812_345_678, subject="A change"):
    """A push as GitHub describes it; commits may be made with commit_entry()."""
    deleted, created = after == ZEROS, before == ZEROS
    if commits is None:
        commits = [] if deleted else [commit_entry(full_name, after, subject, login=login)]
    head = None if deleted or not commits else commits[-1]
    return {
        "ref": ref, "before": before, "after": after,
        "repository": repository(full_name, repository_id),
        "pusher": {"name": login, "email": f"{login}@shop.example"},
        "organization": organization(full_name.split("/")[0], 9_876_543),
        "sender": account(login, login_id), "created": created, "deleted": deleted,
        "forced": forced, "base_ref": None,
        "compare": f"{SITE}/{full_name}/compare/{before[:12]}...{after[:12]}",
        "commits": commits, "head_commit": head}


def organization(login, number):
    base = f"{API}/orgs/{login}"
    return {"login": login, "id": number, "node_id": f"O_kgDO{number:x}", "url": base,
            "repos_url": f"{base}/repos", "events_url": f"{base}/events",
            "hooks_url": f"{base}/hooks", "issues_url": f"{base}/issues",
            "members_url": f"{base}/members{{/member}}",
            "public_members_url": f"{base}/public_members{{/member}}",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
            "description": "Fruit, picked this morning"}


def ping_payload(full_name, repository_id=812_345_678):
    return {"zen": "Keep it logically awesome.", "hook_id": HOOK_ID,
            "hook": {"type": "Repository", "id": HOOK_ID, "name": "web", "active": True,
                     "events": ["push"], "config": {"content_type": "json", "insecure_ssl": "0",
                                                    "secret": "********"}},
            "repository": repository(full_name, repository_id),
            "sender": account("ada-byron", 424_242)}


# --- deliveries ---

class GitHub:
    """One webhook of one repository. Every delivery and its answer is kept in `deliveries`."""

    def __init__(self, url, secret, full_name="orchard/shop", content_type="json",
                 certificate=None):
        self.url = url
        self.secret = secret
        self.full_name = full_name
        self.content_type = content_type
        self.certificate = certificate
        self.deliveries = []

    def push(self, branch, after, before=None, **options):
        """A push to a branch (or, beginning with refs/, to any ref). Returns its delivery."""
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        before = before or hashlib.sha1(f"before {after}".encode()).hexdigest()
        return self.deliver("push", push_payload(self.full_name, ref, before, after, **options))

    def ping(self):
        return self.deliver("ping", ping_payload(self.full_name))

    def deliver(self, event, payload, **options):
        """Signs and sends a payload under a new id. Options as in send()."""
        body, kind = encode(payload, options.pop("content_type", self.content_type))
        return self.send(event, body, kind, **options)

    def send(self, event, body, kind="application/json", guid=None, secret=None, signature=None,
             headers=None):
        """Sends these bytes; `signature` and `headers` (None removes one) replace the right ones.

        Returns {guid, event, status, answer, seconds, too_slow, error}; status is None when no
        answer came."""
        guid = guid or str(uuid.uuid4())
        right = {"Content-Type": kind, "User-Agent": "GitHub-Hookshot/f05835d", "Accept": "*/*",
                 "X-GitHub-Event": event, "X-GitHub-Delivery": guid,
                 "X-GitHub-Hook-ID": str(HOOK_ID),
                 "X-GitHub-Hook-Installation-Target-Type": "repository",
                 "X-GitHub-Hook-Installation-Target-ID": "812345678",
                 "X-Hub-Signature-256": signature or sign(secret or self.secret, body)}
        right.update(headers or {})
        kept = {name: value for name, value in right.items() if value is not None}
        entry = {"guid": guid, "event": event, "body": body, "headers": kept, "at": time.time(),
                 "redelivery": any(d["guid"] == guid for d in self.deliveries)}
        entry.update(self.post(body, kept))
        self.deliveries.append(entry)
        return entry

    def redeliver(self, guid):
        """The same bytes under the same id, as the button on GitHub's page does."""
        first = next(d for d in self.deliveries if d["guid"] == guid)
        return self.send(first["event"], first["body"], first["headers"]["Content-Type"],
                         guid=guid)

    def post(self, body, headers):
        parts = urllib.parse.urlsplit(self.url)
        began = time.monotonic()
        found = {"status": None, "answer": "", "answer_headers": {}, "error": None}
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.certificate)
            connection = http.client.HTTPSConnection(parts.netloc, timeout=READ_LIMIT_S,
                                                     context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=READ_LIMIT_S)
        try:
            connection.request("POST", parts.path or "/", body, headers)
            answer = connection.getresponse()
            found.update(status=answer.status, answer_headers=dict(answer.getheaders()),
                         answer=answer.read(1 << 20).decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            found["error"] = f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        seconds = time.monotonic() - began
        return {**found, "seconds": seconds, "too_slow": seconds >= ANSWER_LIMIT_S}


# --- the repository panel ---

class Panel:
    """HTTP routes for the chat page: what is in the repository, what the applications answer."""

    def __init__(self, options):
        self.trees = {name: pathlib.Path(tree) for name, _, tree in (work.rpartition("=") for work in options.work)}
        self.apps = [app.partition("=")[::2] for app in options.app]
        self.lock = asyncio.Lock()
        self.session = None
        self.github = None
        self.pid_file = options.server_pid
        if options.deliver_to:
            secret = pathlib.Path(options.secret_file).read_text(encoding="utf-8").strip()
            self.github = GitHub(options.deliver_to, secret, options.repository)

    def routes(self):
        return [web.get("/state", self.state), web.post("/push", self.push),
                web.post("/promote", self.promote), web.get("/deliveries", self.deliveries),
                web.post("/redeliver", self.redeliver), web.post("/kill", self.kill),
                web.get("/preview/{name:.+}", self.preview)]

    async def state(self, _):
        async with self.lock:
            applications = await asyncio.to_thread(self.applications)
        apps = await asyncio.gather(*(self.look(name, url) for name, url in self.apps))
        return web.json_response({"available": True, "applications": applications, "apps": list(apps),
                                  "delivers": self.github is not None})

    def applications(self):
        return [{"name": name, "branches": [{"name": branch, "commits": sample_app.log(tree, branch, PANEL_COMMITS)}
                                            for branch in ("develop", "main")]}
                for name, tree in self.trees.items()]

    async def look(self, name, url):
        """What one running application answers, as a person with a browser would see it."""
        found = {"name": name, "url": url, "up": False, "status": None, "health": None}
        began = time.monotonic()
        try:
            async with self.session.get(url.rstrip("/") + "/health") as answer:
                found["status"] = answer.status
                found["up"] = answer.status == 200
                found["health"] = await answer.json()
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            pass
        found["ms"] = round((time.monotonic() - began) * 1000, 1)
        return found

    async def preview(self, request):
        """The application's page through us: its own port may not be reachable for the reader."""
        url = dict(self.apps).get(request.match_info["name"])
        if url is None:
            raise web.HTTPNotFound()
        try:
            async with self.session.get(url) as answer:
                return web.Response(status=answer.status, text=await answer.text(),
                                    content_type="text/html")
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return web.Response(status=502, text="not running", content_type="text/plain")

    async def push(self, request):
        wanted = await request.json()
        return await self.changed(wanted, sample_app.change, wanted.get("branch", "develop"),
                                  wanted.get("kind", "good"))

    async def promote(self, request):
        return await self.changed(await request.json(), sample_app.promote)

    async def kill(self, _):
        """SIGKILL to the server, as a power cut would do it; whoever started it starts it again."""
        try:
            os.kill(int(pathlib.Path(self.pid_file).read_text(encoding="ascii")), signal.SIGKILL)
        except (TypeError, OSError, ValueError):
            return web.json_response({"error": "the server is not running"}, status=400)
        return web.json_response({})

    async def changed(self, wanted, make, *arguments):
        """Makes a commit in that application's repository, then notifies whoever has a webhook."""
        tree = self.trees.get(wanted.get("application", next(iter(self.trees))))
        if tree is None:
            return web.json_response({"error": "there is no such application"}, status=400)
        async with self.lock:
            try:
                made = await asyncio.to_thread(make, tree, *arguments)
            except (ValueError, RuntimeError) as error:
                return web.json_response({"error": str(error)}, status=400)
        if self.github:
            made["delivery"] = await asyncio.to_thread(self.tell, tree, made)
        return web.json_response(made)

    def tell(self, tree, made):
        commits = [commit_entry(self.github.full_name, c["id"], c["subject"], c["author"],
                                c["email"], c["author"].lower().replace(" ", "-"), c["at"],
                                c["tree"])
                   for c in reversed(sample_app.log(tree,
                                                    f"{made['before']}..{made['after']}", 20))]
        return summary(self.github.push(made["branch"], made["after"], made["before"],
                                        commits=commits))

    async def deliveries(self, _):
        kept = self.github.deliveries if self.github else []
        return web.json_response([summary(entry) for entry in kept])

    async def redeliver(self, request):
        wanted = await request.json()
        if not self.github or wanted.get("guid") not in {d["guid"]
                                                         for d in self.github.deliveries}:
            raise web.HTTPNotFound()
        return web.json_response(summary(await asyncio.to_thread(self.github.redeliver,
                                                                 wanted["guid"])))


def summary(entry):
    return {key: entry[key] for key in ("guid", "event", "status", "seconds", "too_slow", "error",
                                        "redelivery")}


def make_app(options):
    panel = Panel(options)
    app = web.Application()
    app.add_routes(panel.routes())

    async def session(_):
        panel.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.5))
        yield
        await panel.session.close()
    app.cleanup_ctx.append(session)
    return app


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    peer_process.add_arguments(parser)
    parser.add_argument("--work", required=True, action="append", metavar="[APPLICATION=]FOLDER",
                        help="the work tree of a sample application; may be given for several")
    parser.add_argument("--app", action="append", default=[], metavar="ENVIRONMENT=URL",
                        help="where a running application answers")
    parser.add_argument("--deliver-to", help="webhook URL; without it nothing is delivered")
    parser.add_argument("--secret-file", help="file with the webhook secret")
    parser.add_argument("--server-pid", help="file with the pid of the server that the page may kill")
    parser.add_argument("--repository", default="orchard/shop", help="its name on GitHub")
    options = parser.parse_args()
    if options.deliver_to and not options.secret_file:
        parser.error("--deliver-to needs --secret-file")
    await peer_process.serve(make_app(options), "github stand-in", options.host, options.port,
                             options.port_file)


if __name__ == "__main__":
    peer_process.die_with_parent()
    asyncio.run(main())
