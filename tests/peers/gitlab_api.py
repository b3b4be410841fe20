"""gitlab_api.py - a stand-in for GitLab's API (docs.gitlab.com/api/rest, /api/pipelines, /api/jobs).

Refuses what GitLab refuses, a token that has not that project among it, a path that is not escaped; and what GitLab
would take no notice of: a parameter that it does not have.  A pipeline is added by begin(); its jobs by job(), whose
states make its own.  `troubles`: as Server has them, for the next requests about pipelines, jobs and deployments;
("/hooks", trouble) for the next of such a path, which comes by itself.  What is begun by a request has the inputs of
`inputs`, all of them and no other, on a branch of `branches`.
"""
# SPDX-License-Identifier: ISC
import datetime
import itertools
import json
import time
import urllib.parse

from github_tokens import Server

LISTED = ("id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at", "web_url")
PARAMETERS = {"pipelines": {"sha", "ref", "source", "status", "per_page", "page", "order_by", "sort"},
              "jobs": {"scope[]", "include_retried", "per_page", "page"}, "hooks": {"per_page", "page"},
              "events": {"status", "per_page", "page"},
              "deployments": {"order_by", "sort", "per_page", "page", "environment", "status"}}
# What a deployment may become (docs.gitlab.com/api/deployments): what has ended stays as it is.
NEXT = {"created": {"running", "success", "failed", "canceled"}, "running": {"success", "failed", "canceled"}}


# What a list of a webhook's events may be narrowed to (lib/api/hooks/events.rb); how many are sent again in a minute.
FAILED = {"client_failure": range(400, 500), "server_failure": range(500, 600)}
RESENT = 5


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class GitlabApi(Server):
    """`tokens`: the paths of the projects that each may use; `readers`: those that have read_api alone.  `calls`: (path
    with its query, status)."""

    methods = ("GET", "POST", "PUT")

    def __init__(self, tokens, project=22):
        super().__init__()
        self.tokens, self.project = tokens, project
        self.pipelines, self.calls, self.hooks, self.readers = [], [], [], set()
        self.deployments = []
        self.events, self.resent = [], []
        self.refusals = []      # the statuses of the next requests to change something
        self.inputs, self.branches = (), ("main", "develop")
        self.numbers, self.jobs = itertools.count(9001), itertools.count(380)

    def begin(self, sha, ref="develop", source="push", tag=False):
        number = next(self.numbers)
        made = {"id": number, "iid": number - 9000, "project_id": self.project, "sha": sha, "ref": ref,
                "status": "created", "source": source, "tag": tag, "created_at": "2026-11-22T08:00:00.000Z",
                "updated_at": "2026-11-22T08:00:00.000Z", "web_url": f"{self.url}/-/pipelines/{number}", "jobs": []}
        self.pipelines.append(made)
        return made

    def job(self, pipeline, name, status):
        """One that is begun again takes the place of the one before, under a number of its own."""
        pipeline["jobs"] = [one for one in pipeline["jobs"] if one["name"] != name]
        pipeline["jobs"].append({"id": next(self.jobs), "name": name, "status": status, "stage": "test"})
        states = {one["status"] for one in pipeline["jobs"]}
        pipeline["status"] = next(one for one in ("running", "pending", "canceled", "failed", "success")
                                  if one in states)

    def hook(self, lab):
        """Its webhook, by which `lab` sends."""
        self.hooks.append({"id": 31 + len(self.hooks), "url": lab.url, "alert_status": "executable",
                           "disabled_until": None, "sends": lab})
        return self.hooks[-1]

    def fails(self, hook, payload, ago_s=60, status="502", headers=None):
        """An event that nobody took; its key."""
        headers = headers or hook["sends"].headers(json.dumps(payload).encode())
        at = datetime.datetime.fromtimestamp(time.time() - ago_s, datetime.timezone.utc)
        self.events.append({
            "id": 70 + len(self.events), "url": hook["url"], "trigger": payload["object_kind"] + "_hooks",
            "request_headers": {**headers, "X-Gitlab-Token": "[REDACTED]"}, "request_data": payload,
            "response_headers": {}, "response_body": "", "execution_duration": 1.5, "response_status": status,
            "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")})
        return headers["Idempotency-Key"]

    # --- what is answered ---

    def trouble_of(self, path):
        for at, trouble in enumerate(self.troubles):
            part, wrong = trouble if isinstance(trouble, tuple) else (None, trouble)
            if part in path if part else "/hooks" not in path:
                del self.troubles[at]
                return wrong
        return None

    def page(self, request):
        try:
            page = self.content(request)
            status = 201 if request.command == "POST" else 200
        except Refused as refused:
            said = refused.message
            status, page = refused.status, {"message": said if isinstance(said, dict) else f"{refused.status} {said}"}
        self.calls.append((request.path, status))
        return status, page

    def content(self, request):
        path, _, query = request.path.partition("?")
        words = path.split("/")
        if path == "/api/v4/personal_access_tokens/self":
            token = self.token(request)
            return {"id": 5, "name": "bot", "revoked": False, "active": True,
                    "scopes": ["read_api"] if token in self.readers else ["api", "read_repository"]}
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        if words[:4] != ["", "api", "v4", "projects"] or len(words) < 6:
            raise Refused(404, "Not Found")
        self.check(request, urllib.parse.unquote(words[4]))
        if request.command != "GET":
            return self.change(words[5:], self.read(request))
        unknown = set(query) - PARAMETERS.get(words[-1], set())
        if unknown:
            raise Refused(400, f"no such parameter: {unknown}")
        if int(query.get("per_page", 20)) not in range(1, 21 if words[-1] == "events" else 101):
            raise Refused(400, "per_page does not have a valid value")
        if words[5] == "hooks" and len(words) == 8 and words[7] == "events":
            return self.failures(words[6], query)
        pages = {"pipelines": lambda: self.listed(query),
                 "hooks": lambda: [{**one, "sends": None} for one in self.hooks],
                 "deployments": lambda: sorted(self.deployments, key=lambda one: -one["id"])}
        if len(words) == 6 and words[5] in pages:
            return pages[words[5]]()[:int(query.get("per_page", 20))]
        if words[5] == "pipelines" and len(words) == 7:
            return {name: self.pipeline(words[6])[name] for name in (*LISTED, "tag")}
        if words[5] == "pipelines" and words[7:] == ["jobs"]:
            return self.jobs_of(words[6], query)
        raise Refused(404, "Not Found")

    def token(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise Refused(401, "Unauthorized")
        return token

    def check(self, request, project):
        token = self.token(request)
        if request.command != "GET" and token in self.readers:
            raise Refused(403, "Forbidden")     # insufficient_scope
        if project.lower() not in (one.lower() for one in self.tokens[token]):
            raise Refused(404, "Project Not Found")

    def listed(self, query):
        wanted = [one for one in self.pipelines if all(one[name] == query.get(name, one[name])
                                                       for name in ("sha", "ref", "source", "status"))]
        wanted.sort(key=lambda one: -one["id"])
        return [{name: one[name] for name in LISTED} for one in wanted]

    def pipeline(self, number):
        for one in self.pipelines:
            if str(one["id"]) == number:
                return one
        raise Refused(404, "Not Found")

    def jobs_of(self, number, query):
        one = self.pipeline(number)
        jobs = sorted(one["jobs"], key=lambda job: -job["id"])[:int(query.get("per_page", 20))]
        return [{**job, "tag": one["tag"], "ref": one["ref"], "commit": {"id": one["sha"], "title": "Fix it"},
                 "user": {"id": 4, "username": "joon"}, "pipeline": {
                     name: one[name] for name in ("id", "project_id", "ref", "sha", "status")}}
                for job in jobs]

    def failures(self, number, query):
        url = self.hook_of(number)["url"]
        wanted = query["status"].split(",")
        if not all(one in FAILED for one in wanted):
            raise Refused(400, "status does not have a valid value")
        found = [one for one in reversed(self.events) if one["url"] == url and any(
            one["response_status"] == "internal error" and name == "server_failure"
            or one["response_status"].isdigit() and int(one["response_status"]) in FAILED[name] for name in wanted)]
        size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
        return found[(page - 1) * size:page * size]

    def hook_of(self, number):
        for one in self.hooks:
            if str(one["id"]) == number:
                return one
        raise Refused(404, "Not Found")

    def resend(self, number, event):
        """app/services/web_hooks/events/resend_service.rb: the same key, and by a webhook that is on alone."""
        hook = self.hook_of(number)
        self.resent = [at for at in self.resent if at > time.monotonic() - 60]
        if len(self.resent) >= RESENT:
            raise Refused(429, "This endpoint has been requested too many times. Try again later.")
        self.resent.append(time.monotonic())
        for one in self.events:
            if str(one["id"]) == event and one["url"] == hook["url"]:
                break
        else:
            raise Refused(404, "Not Found")
        if hook["alert_status"] != "executable":
            raise Refused(422, "Hook disabled")
        headers = {**one["request_headers"], **hook["sends"].headers(json.dumps(one["request_data"]).encode()),
                   "Idempotency-Key": one["request_headers"]["Idempotency-Key"]}
        status = hook["sends"].deliver(one["request_data"], **headers)["status"]
        if status >= 300:
            self.fails(hook, one["request_data"], 0, str(status), headers)
        return {"response_status": status}

    # --- what is changed ---

    @staticmethod
    def read(request):
        size = int(request.headers.get("Content-Length") or 0)
        if size and request.headers.get("Content-Type") != "application/json":
            raise Refused(415, "The provided content-type is not supported.")
        body = json.loads(request.rfile.read(size) or b"{}")
        if not isinstance(body, dict):
            raise Refused(400, "Bad Request")
        return body

    def change(self, words, body):
        if self.refusals:
            raise Refused(self.refusals.pop(0), "Refused")
        if words[0] == "hooks" and words[2:3] == ["events"] and words[4:] == ["resend"]:
            return self.resend(words[1], words[3])
        if words == ["pipeline"]:
            return self.create(body)
        if words == ["deployments"]:
            return self.deploy(body)
        if words[0] == "deployments" and len(words) == 2:
            return self.update(words[1], body)
        if words[0] == "jobs" and words[2:] == ["cancel"]:
            return self.cancel_job(words[1])
        if words[0] == "pipelines" and words[2:] in (["retry"], ["cancel"]):
            one = self.pipeline(words[1])
            for job in list(one["jobs"]):
                if words[2] == "cancel" and job["status"] in ("running", "pending"):
                    job["status"] = one["status"] = "canceled"
                if words[2] == "retry" and job["status"] in ("failed", "canceled"):
                    self.job(one, job["name"], "running")
            return one
        raise Refused(404, "Not Found")

    def cancel_job(self, number):
        """One that is over stays as it is, and is no error."""
        for job in (job for one in self.pipelines for job in one["jobs"] if str(job["id"]) == number):
            if job["status"] in ("running", "pending"):
                job["status"] = "canceled"
            return job
        raise Refused(404, "Not Found")

    def deploy(self, body, job=None):
        if set(body) != {"environment", "sha", "ref", "tag", "status"} or body["tag"] is not False or not all(
                isinstance(body[name], str) and body[name] for name in ("environment", "sha", "ref", "status")):
            raise Refused(400, "environment, sha, ref, tag, status")
        if body["status"] not in ("running", "success", "failed", "canceled"):
            raise Refused(400, "status does not have a valid value")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        number = len(self.deployments) + 1
        self.deployments.append({
            "id": 40 + number, "iid": number, "ref": body["ref"], "sha": body["sha"], "status": body["status"],
            "created_at": now, "updated_at": now, "environment": {"id": 9, "name": body["environment"]},
            "user": {"id": 4, "username": "bot"}, "deployable": job, "states": [body["status"]]})
        return self.deployments[-1]

    def update(self, number, body):
        for one in self.deployments:
            if str(one["id"]) == number and set(body) == {"status"} and not one["deployable"]:
                if body["status"] not in NEXT.get(one["status"], ()):
                    raise Refused(400, {"status": ["transition cannot be made"]})
                one["status"] = body["status"]
                one["states"].append(body["status"])
                return one
        raise Refused(404, "Not Found")

    def create(self, body):
        if set(body) - {"ref", "variables", "inputs"}:
            raise Refused(400, "no such parameter")
        if body.get("ref") not in self.branches:
            raise Refused(400, {"base": ["Reference not found"]})
        if set(body.get("inputs", {})) != set(self.inputs):
            raise Refused(400, {"base": ["Unexpected inputs"]})
        made = self.begin("c" * 40, body["ref"], source="api")
        made["inputs"] = body.get("inputs", {})
        self.job(made, "unit", "running")
        return made
