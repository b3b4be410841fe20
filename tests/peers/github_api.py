"""github_api.py - a stand-in for GitHub's API, as strict as GitHub's own description (tests/fixtures/github_api.json).

Refuses what GitHub refuses: a request without User-Agent or with another X-GitHub-Api-Version, a path, parameter or
body that the description does not have, an App's JWT that PyJWT does not verify or that lives longer than ten minutes,
a token where the JWT is asked for and the other way round, what the token was not narrowed to.  What it answers itself
fits the description too.  `troubles` says what goes wrong with the next request whose path ends so, one each:

    401, 403, 404, 409, 422, 502    that status;  "429", "limit", "secondary"    the three kinds of a limit
    "half", "torn"    half a body: with its whole length, or as if it were all;  "huge"    10 MB;  "html"    a page
    "moved"    a redirect; of what was carried out: "away"    no answer;  "late"    one, once `let_go` is set
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import contextlib
import hashlib
import http.server
import json
import pathlib
import re
import threading
import time
import urllib.parse
import zlib

import jwt
from cryptography.hazmat.primitives import serialization

import rsa_keys
from github import workflow_run

DESCRIPTION = json.loads((pathlib.Path(__file__).resolve().parents[1] / "fixtures/github_api.json").read_text("utf-8"))
APP_ID = 12345
LEVELS = ("read", "write", "admin")
FIRST_DELIVERY = 12_077_215_967
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}
# What a path below a repository asks for: to read it, to change it.
PERMISSIONS = ((r"/actions/runs/[^/]+/deployment_protection_rule", "deployments"),
               ("/(actions|environments)", "actions"),
               (r"(/commits/{ref})?/check-runs", "checks"),
               ("/deployments", "deployments"), ("/hooks", "repository_hooks"),
               ("", "metadata"))


def new_key():
    """A private key in PEM, of which each line is as good as the whole."""
    return rsa_keys.next_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()).decode()


class Refused(Exception):
    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def wrong(value, schema, where="body"):
    """What GitHub would say of it; None: it fits."""
    if value is None and schema.get("nullable"):
        return None
    for key, enough in (("oneOf", any), ("anyOf", any), ("allOf", all)):
        if key in schema and not enough(wrong(value, one, where) is None for one in schema[key]):
            return f"{where} is none of those"
    found = wrong_itself(value, schema, where)
    if found is None and isinstance(value, list):
        found = next(filter(None, (wrong(one, schema.get("items", {}), f"{where}[]") for one in value)), None)
    return found or (wrong_members(value, schema, where) if isinstance(value, dict) else None)


def wrong_itself(value, schema, where):
    kind = schema.get("type")
    if kind and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{where} is not of type {kind}"
    if value not in schema.get("enum", [value]):
        return f"{where} is not included in the list"
    size = len(value) if isinstance(value, (str, list)) else value if isinstance(value, int) else 0
    for least, most in (("minimum", "maximum"), ("minItems", "maxItems"), ("minLength", "maxLength")):
        if size < schema.get(least, size) or size > schema.get(most, size):
            return f"{where} has the wrong size"
    return None


def wrong_members(value, schema, where):
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}.{name} is missing"
    for name, part in value.items():
        if name not in known and where == "body" and not any(
                schema.get(key) for key in ("additionalProperties", "oneOf", "anyOf")):
            return f"{name} is not a permitted key"
        found = wrong(part, known.get(name, {}), f"{where}.{name}")
        if found:
            return found
    return None


def sample(schema):
    """The least that fits."""
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return sample(schema[key][0])
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())
                if name in schema.get("properties", {})}
    return {"string": "x", "integer": 1, "number": 1, "boolean": False, "array": []}[kind]


class Api:
    """`installations` by owner: id, repositories, permissions, suspended.  `people` by token: repositories and
    permissions.  `calls` is what was asked: (method, path, status).  `waits`: (run, environment) whose jobs wait for an
    answer of the App, `answers`: what it has said of them, with its comment, `reports`: comments alone.  `after`: by
    the end of a path, what is called once when that was done and before anybody hears of it."""

    def __init__(self, installations=None, people=None):
        self.pem = new_key()
        self.public = serialization.load_pem_private_key(self.pem.encode(), None).public_key()
        self.installations = installations or {}
        self.people = people or {}
        self.tokens, self.used, self.calls, self.troubles = {}, {}, [], []
        self.made, self.limit = [], 5000
        self.limited_until = int(time.time()) + 3600    # an hour from its start on: a full one may end soon
        self.waits, self.answers, self.reports, self.after = set(), [], {}, {}
        self.jobs_wait = {}     # the number of a job's Deployment: what of `waits` it is
        self.jobs_over = {}     # and how that ended
        self.runs = []      # of workflows, as github.workflow_run() makes them
        self.jobs, self.annotations = {}, {}    # of a run, by its number; of a job, by its number
        self.hooks = {}     # a webhook's number: the github.GitHub that delivers by it
        self.app_hook = None    # the App's
        self.courier = concurrent.futures.ThreadPoolExecutor(1)     # what is asked for again goes one after the other
        self.endless = False    # a list of deliveries has no end
        self.workflows = {}     # that can be begun, by file: "inputs", "branches", and "title" (its run-name)
        self.is_old = False     # GitHub Enterprise Server 3.19: it does not know return_run_details
        self.can_review = True  # a person's token
        self.deployments, self.payloads_are_text = [], False
        self.rules = {}     # {an environment: Apps that are asked there}
        self.commits = []       # that there are; empty: any
        self.lock, self.let_go = threading.Lock(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # --- who asks ---

    def app_of(self, token):
        """Verified by other people's code."""
        try:
            claims = jwt.decode(token, self.public, algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]})
        except jwt.PyJWTError as error:
            raise Refused(401, f"A JSON web token could not be decoded: {error}") from None
        if str(claims["iss"]) != str(APP_ID):
            raise Refused(404, "Integration not found")
        if claims["exp"] - time.time() > 600:
            raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
        return {"app": True}

    def caller(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused(401, "Requires authentication")
        if token in self.tokens:
            return self.tokens[token]
        if token in self.people:
            return {**self.people[token], "person": True}
        if token.count(".") == 2 and not token.startswith("ghs_"):
            return self.app_of(token)
        raise Refused(401, "Bad credentials")

    def check_caller(self, caller, path, operation, method):
        is_apps = path.startswith("/app") or path.endswith("/{repo}/installation")
        if is_apps != bool(caller.get("app")):
            raise Refused(401, "A JSON web token could not be decoded") if is_apps else Refused(
                403, "Resource not accessible by integration")
        if not is_apps and not operation["apps"] and not caller.get("person"):
            raise Refused(403, "Resource not accessible by integration")
        if path.endswith("deployment_protection_rule") and caller.get("person"):
            raise Refused(403, "Must be an App")
        return None if is_apps else ("read" if method == "get" else "write")

    @staticmethod
    def check_permission(caller, names, rest, level):
        repository = f"{names['owner']}/{names['repo']}".lower()
        if repository not in (one.lower() for one in caller["repositories"]):
            raise Refused(404, "Not Found")
        wanted = next(kind for path, kind in PERMISSIONS if re.match(path, rest))
        if rest.endswith("/pending_deployments") and level == "write":      # to read them it is as all of Actions
            wanted = "deployments"
        granted = caller["permissions"].get(wanted)
        if granted is None or LEVELS.index(granted) < LEVELS.index(level):
            raise Refused(403, "Resource not accessible by integration",
                          X_Accepted_GitHub_Permissions=f"{wanted}={level}")

    # --- what is asked ---

    @staticmethod
    def find(method, path):
        """The path as it is described, what stands in its braces, and the operation."""
        for described, operations in DESCRIPTION["paths"].items():
            match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", described), path)
            if match and method in operations:
                return described, match.groupdict(), operations[method]
        raise Refused(404, "Not Found")

    @staticmethod
    def check_parameters(operation, names, query):
        known = {one["name"]: one for one in operation["parameters"]}
        for name, value in (*names.items(), *query):
            if name not in known:
                raise Refused(422, f"{name} is not a permitted key")
            schema = known[name]["schema"]
            if schema.get("type") == "integer" and not value.isdecimal():
                raise Refused(404 if name in names else 422, f"{name} is not a number")
            found = wrong(int(value) if schema.get("type") == "integer" else value, schema, name)
            if found:
                raise Refused(422, found)

    @staticmethod
    def check_headers(request, body):
        for name, value in (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28")):
            if request.headers.get(name) != value:
                raise Refused(400, f"{name} is not {value}")
        if not request.headers.get("User-Agent"):
            raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a "
                               "User-Agent header")
        if body and request.headers.get("Content-Type") != "application/json":
            raise Refused(415, "Unsupported Media Type")

    @staticmethod
    def read(operation, body):
        described = operation.get("body")
        if not body:
            if described and described["required"]:
                raise Refused(400, "Body should be a JSON object")
            return {}
        try:
            value = json.loads(body)
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None
        found = wrong(value, described["schema"] if described else {"type": "object"})
        if found:
            raise Refused(422, f"Invalid request.\n\n{found}.")
        return value

    # --- what is answered ---

    def make_token(self, names, body):
        for owner, one in self.installations.items():
            if str(one["id"]) == names["installation_id"]:
                break
        else:
            raise Refused(404, "Not Found")
        if one.get("suspended"):
            raise Refused(403, "This installation has been suspended")
        for permission, level in body.get("permissions", {}).items():
            granted = one["permissions"].get(permission)
            if granted is None or LEVELS.index(granted) < LEVELS.index(level):
                raise Refused(422, "The permissions requested are not granted to this installation.")
        repositories = [f"{owner}/{name}" for name in body.get("repositories", ())] or one["repositories"]
        if not set(repositories) <= set(one["repositories"]):
            raise Refused(422, "There is at least one repository that does not exist or is not accessible to the "
                               "parent installation.")
        signed = jwt.encode({"iat": int(time.time()), "jti": len(self.tokens), "pad": "x" * 130}, "a" * 64,
                            algorithm="HS512")
        token = f"ghs_{APP_ID}_{signed}"
        self.tokens[token] = {"permissions": body.get("permissions", one["permissions"]), "repositories": repositories}
        self.made.append((owner, sorted(repositories), body.get("permissions")))
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        return {"token": token, "expires_at": expires, "permissions": body.get("permissions", {})}

    def installation_of(self, names):
        one = self.installations.get(names["owner"])
        if one is None or f"{names['owner']}/{names['repo']}" not in one["repositories"]:
            raise Refused(404, "Not Found")
        return {"id": one["id"], "app_id": APP_ID, "permissions": one["permissions"],
                "suspended_at": "2026-11-20T07:10:48Z" if one.get("suspended") else None}

    def take_answer(self, names, body):
        """Of a run that is gone 404, of an environment that waits for nothing 422, as GitHub says."""
        if not any(run == names["run_id"] for run, _ in self.waits | {one[:2] for one in self.answers}):
            raise Refused(404, "Not Found")
        if (names["run_id"], body["environment_name"]) not in self.waits:
            raise Refused(422, "No pending deployment requests to approve or reject")
        if len(body.get("comment", "")) > 1024:
            raise Refused(422, "comment is too long (maximum is 1024 characters)")
        if "state" not in body:
            if len(self.reports.setdefault((names["run_id"], body["environment_name"]), [])) == 10:
                raise Refused(422, "at most 10 status reports are taken")
            self.reports[names["run_id"], body["environment_name"]].append(body["comment"])
        else:
            self.waits.remove((names["run_id"], body["environment_name"]))
            self.answers.append((names["run_id"], body["environment_name"], body["state"], body.get("comment", "")))

    def pending(self, names, item):
        """What waits of a run, for the token's owner among others."""
        return [{**sample(item), "current_user_can_approve": self.can_review,
                 "environment": {"id": self.environment_number(name), "name": name}}
                for run, name in sorted(self.waits) if run == names["run_id"]]

    @staticmethod
    def environment_number(name):
        return 161_000_000 + zlib.crc32(name.encode()) % 1000

    def reviews(self, names, item):
        return [{**sample(item), "state": state, "comment": comment,
                 "environments": [{"id": self.environment_number(name), "name": name}]}
                for run, name, state, comment in reversed(self.answers) if run == names["run_id"]]

    def take_review(self, names, body):
        """By a reviewer alone, of what waits."""
        for run, name in sorted(self.waits):
            if run == names["run_id"] and body["environment_ids"] == [self.environment_number(name)]:
                self.waits.remove((run, name))
                self.answers.append((run, name, body["state"], body["comment"]))
                return []
        raise Refused(422, "There are no pending deployment requests to approve or reject")

    # --- Deployments ---

    def deploy(self, body):
        """What a client forgets GitHub does by itself: it merges, and waits for every check."""
        if body.get("auto_merge", True):
            raise Refused(409, f"Conflict merging main into {body['ref']}")
        if body.get("required_contexts") != []:
            raise Refused(409, f"Conflict: Commit status checks failed for {body['ref']}")
        if self.commits and body["ref"] not in self.commits:
            raise Refused(422, f"No ref found for: {body['ref']}")
        made = {"id": 6_000_001 + len(self.deployments), "sha": body["ref"], "ref": body["ref"], "task": "deploy",
                "environment": body["environment"], "payload": body.get("payload", {}),
                "production_environment": body.get("production_environment", body["environment"] == "production"),
                "description": body.get("description", ""), "states": []}
        self.deployments.append(made)
        return made

    def note_state(self, names, body):
        """A success makes what was one before it inactive, where it is no production."""
        if len(body.get("description", "")) > 140:
            raise Refused(422, "Validation Failed")
        of = next((one for one in self.deployments if str(one["id"]) == names["deployment_id"]), None)
        if of is None:
            raise Refused(404, "Not Found")
        for other in self.deployments:
            if (body["state"] == "success" and other is not of and other["environment"] == of["environment"]
                    and other["states"][-1:] == ["success"] and not other["production_environment"]):
                other["states"].append("inactive")
        of["states"].append(body["state"])

    def states_of(self, names, item):
        """The newest first; of a job that waits it is `jobs_wait` that says which, until it may go on."""
        number = int(names["deployment_id"])
        made = [one["states"] for one in self.deployments if one["id"] == number]
        if not made and number not in self.jobs_wait:
            raise Refused(404, "Not Found")
        states = made[0] if made else ["pending", *(["in_progress"] if number not in self.waiting_jobs() else []),
                                       *self.jobs_over.get(number, ())]
        return [{**sample(item), "state": state} for state in reversed(states)][:int(names.get("per_page", 30))]

    def waiting_jobs(self):
        """Of those of one run and environment the newest alone waits: of the others each was answered."""
        return {max(number for number, of in self.jobs_wait.items() if of == one)
                for one in self.waits if one in self.jobs_wait.values()}

    def deployments_of(self, names, item):
        """The newest first; a payload comes back as the text that it was sent as, or as its object."""
        found = [{**sample(item), **{key: value for key, value in one.items() if key != "states"},
                  "payload": json.dumps(one["payload"]) if self.payloads_are_text else one["payload"]}
                 for one in reversed(self.deployments) if one["sha"] == names.get("sha", one["sha"])]
        return found[:int(names.get("per_page", 30))]

    # --- runs of workflows ---

    def begin_run(self, names, body):
        """A run of a workflow that is there, on a branch that is there, with all its inputs and no other."""
        workflow = self.workflows.get(names["workflow_id"])
        if workflow is None:
            raise Refused(404, "Not Found")
        if self.is_old and "return_run_details" in body:
            raise Refused(422, "Invalid request.\n\n\"return_run_details\" is not a permitted key.")
        if body["ref"] not in workflow["branches"]:
            raise Refused(422, f"No ref found for: {body['ref']}")
        given = body.get("inputs", {})
        for name in workflow["inputs"]:
            if name not in given:
                raise Refused(422, f"Required input '{name}' not provided")
        if set(given) - set(workflow["inputs"]):
            raise Refused(422, f"Unexpected inputs provided: {sorted(set(given) - set(workflow['inputs']))}")
        run = workflow_run(f"{names['owner']}/{names['repo']}", names["workflow_id"], "c" * 40, len(self.runs) + 1,
                           event="workflow_dispatch", head_branch=body["ref"],
                           display_title=workflow.get("title", "release").format(**given), inputs=given)
        self.runs.append(run)
        return {"workflow_run_id": run["id"], "run_url": f"{self.url}/runs/{run['id']}", "html_url": "x"}

    def run_of(self, names):
        for run in self.runs:
            if str(run["id"]) == names["run_id"]:
                return run
        raise Refused(404, "Not Found")

    def cancel_run(self, names):
        run = self.run_of(names)
        if run["status"] == "completed":
            raise Refused(409, "Cannot cancel a workflow run that is completed.")
        run.update(status="completed", conclusion="cancelled")

    def rerun(self, names):
        run = self.run_of(names)
        if run["status"] != "completed" or run["conclusion"] == "success":
            raise Refused(403, "This workflow run cannot be retried")
        run.update(status="in_progress", conclusion=None, run_attempt=run["run_attempt"] + 1)

    def listed(self, names, schema):
        item = schema["properties"]["workflow_runs"]["items"]
        known = {*self.workflows, *(run["path"].rpartition("/")[2] for run in self.runs)}
        if names.get("workflow_id", "") not in {"", *known}:
            raise Refused(404, "Not Found")
        wanted = [run for run in self.runs if run["head_sha"] == names.get("head_sha", run["head_sha"])
                  and run["event"] == names.get("event", run["event"])
                  and run["path"].endswith(f"/{names.get('workflow_id', run['path'].rpartition('/')[2])}")]
        page = sorted(wanted, key=lambda run: -run["id"])[:int(names.get("per_page", 30))]
        return {"workflow_runs": [{**sample(item), **run} for run in page], "total_count": len(wanted)}

    def content(self, path, names, body, operation, method):
        """Status, what is answered, and the cursor of the next page."""
        status = min(operation.get("answers", operation["statuses"]))
        if path.endswith("/dispatches") and not body.get("return_run_details"):
            self.begin_run(names, body)
            return 204, None, None
        schema = operation.get("answers", {}).get(status)
        if path.startswith(("/repos/{owner}/{repo}/hooks", "/app/hook/deliveries")):
            found, cursor = self.look_at_hooks(path, names, method)
        else:
            found, cursor = self.told(path, names, body, schema or {}, method), None
        if schema is not None and not isinstance(found, list):
            found = {**sample({**schema, "nullable": False}), **(found or {})}
        assert schema is None or wrong(found, schema, "answer") is None, wrong(found, schema, "answer")
        return int(status), None if schema is None else found, cursor

    def told(self, path, names, body, schema, method):
        """What of an answer is more than the least that fits, or a list."""
        says = {
            "/app": lambda: {"id": APP_ID, "slug": "deploys"},
            "/access_tokens": lambda: self.make_token(names, body),
            "/{repo}/installation": lambda: self.installation_of(names),
            "/{repo}/actions/runs": lambda: self.listed(names, schema),
            "/{workflow_id}/runs": lambda: self.listed(names, schema),
            "/dispatches": lambda: self.begin_run(names, body),
            "/runs/{run_id}": lambda: self.run_of(names),
            "/cancel": lambda: self.cancel_run(names),
            "/rerun-failed-jobs": lambda: self.rerun(names),
            "/{attempt_number}/jobs": lambda: self.jobs_of(names, schema["properties"]["jobs"]["items"]),
            "/annotations": lambda: [{**sample(schema["items"]), **one} for one in
                                     self.annotations.get(int(names["check_run_id"]), ())],
            "/deployment_protection_rule": lambda: self.take_answer(names, body),
            "/{repo}/deployments": lambda: (self.deployments_of(names, schema["items"]) if method == "get"
                                            else self.deploy(body)),
            "/approvals": lambda: self.reviews(names, schema["items"]),
            "/pending_deployments": lambda: (self.pending(names, schema["items"]) if method == "get"
                                             else self.take_review(names, body)),
            "/statuses": lambda: (self.states_of(names, schema["items"]) if method == "get"
                                  else self.note_state(names, body)),
            "/environments": lambda: {"environments": [{"name": name} for name in self.rules]},
            "/deployment_protection_rules": lambda: {"custom_deployment_protection_rules": [
                {"id": 1, "enabled": True, "app": {"id": app, "slug": "an-app"}}
                for app in self.rules[urllib.parse.unquote(names["environment_name"])]]},
            "/repos/{owner}/{repo}": lambda: {"full_name": f"{names['owner']}/{names['repo']}", "name": names["repo"]},
        }
        return next((say() for end, say in says.items() if path.endswith(end)), None)

    def jobs_of(self, names, item):
        found = [{**sample(item), **job} for job in self.jobs.get(int(names["run_id"]), ())]
        return {"jobs": found, "total_count": len(found)}

    # --- webhooks ---

    def hook_of(self, names):
        hook = self.hooks.get(int(names["hook_id"])) if "hook_id" in names else self.app_hook
        if hook is not None and "hook_id" not in names:
            return hook
        if hook is None or hook.full_name.lower() != f"{names['owner']}/{names['repo']}".lower():
            raise Refused(404, "Not Found")
        return hook

    @staticmethod
    def delivery(number, entry):
        answered = entry["status"] is not None
        return {"id": number, "guid": entry["guid"], "event": entry["event"], "action": None, "duration": 0.1,
                "delivered_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry["at"])),
                "redelivery": entry["redelivery"], "status_code": entry["status"] or 0,
                "status": "OK" if answered and entry["status"] < 300 else "failed to connect to host",
                "installation_id": None, "repository_id": 812_345_678}

    def failed(self, names):
        """A page of deliveries, the newest first, and the cursor of the next one; None: there is none."""
        found = [(number, self.delivery(number, entry))
                 for number, entry in enumerate(self.hook_of(names).deliveries, FIRST_DELIVERY)]
        wanted = {"failure": False, "success": True}.get(names.get("status"))
        found = [one for number, one in reversed(found) if wanted in (None, one["status"] == "OK")
                 and number <= int(names.get("cursor", f"v1_{len(found) + FIRST_DELIVERY}").removeprefix("v1_"))]
        size = min(int(names.get("per_page", 30)), 100)
        if self.endless:
            return found[:size], "v1_99999999999"
        return found[:size], f"v1_{found[size]['id']}" if len(found) > size else None

    def delivered(self, names):
        hook, at = self.hook_of(names), int(names["delivery_id"]) - FIRST_DELIVERY
        if not 0 <= at < len(hook.deliveries):
            raise Refused(404, "Not Found")
        return hook, hook.deliveries[at]

    def look_at_hooks(self, path, names, method):
        """What is asked of webhooks; the second: the cursor of a next page."""
        if path.endswith("/attempts"):
            hook, entry = self.delivered(names)
            self.courier.submit(hook.redeliver, entry["guid"])
            return {}, None
        if path.endswith("/deliveries"):
            return self.failed(names)
        if path.endswith("/{delivery_id}"):
            entry = self.delivered(names)[1]
            return {**self.delivery(int(names["delivery_id"]), entry),
                    "request": {"headers": entry["headers"], "payload": json.loads(entry["body"])},
                    "response": {"headers": {}, "payload": ""}}, None
        assert method == "get", "nobody makes webhooks"
        item = DESCRIPTION["paths"][path]["get"]["answers"]["200"]["items"]
        return [{**sample(item), "id": number, "type": "Repository", "config": {"url": hook.url}}
                for number, hook in self.hooks.items() if hook.full_name == f"{names['owner']}/{names['repo']}"], None

    def carry_out(self, request, body):
        path, _, query = request.path.partition("?")
        method = request.command.lower()
        self.check_headers(request, body)
        caller = self.caller(request)
        described, names, operation = self.find(method, path)
        asked = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.check_parameters(operation, names, asked)
        level = self.check_caller(caller, described, operation, method)
        if level:
            self.check_permission(caller, names, described.removeprefix("/repos/{owner}/{repo}"), level)
        return self.content(described, {**dict(asked), **names}, self.read(operation, body), operation, method)

    def trouble_of(self, path):
        for at, trouble in enumerate(self.troubles):
            if path.endswith(trouble[0]):
                return self.troubles.pop(at)[1]
        return None

    @staticmethod
    def go_wrong(trouble):
        """Refused, where that is a status."""
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1200)}
        refused = {"429": Refused(429, "You have exceeded a secondary rate limit", Retry_After="30"),
                   "limit": Refused(403, "API rate limit exceeded for installation ID 7."),
                   "secondary": Refused(403, "You have exceeded a secondary rate limit.", Retry_After="60"),
                   "moved": Refused(301, "Moved Permanently", Location="/repositories/456789"),
                   "html": Refused(503, "<html>")}
        refused["limit"].headers.update(reset)
        if trouble in refused:
            raise refused[trouble]
        if isinstance(trouble, int):
            raise Refused(trouble, http.HTTPStatus(trouble).phrase)

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self.lock:
            trouble, headers = self.trouble_of(request.path.partition("?")[0]), {}
            try:
                self.go_wrong(trouble)
                status, found, cursor = self.carry_out(request, body)
                if cursor:
                    address = f"{self.url}/repositories/1{request.path.partition('?')[0]}"
                    headers["Link"] = f'<{address}?per_page=100&cursor={cursor}>; rel="next"'
                self.after.pop(next((end for end in self.after if request.path.endswith(end)), ""), lambda: None)()
                data = b"" if found is None else json.dumps(found).encode()
            except Refused as refused:
                status, headers = refused.status, refused.headers
                data = json.dumps({"message": str(refused), "status": str(status)}).encode()
            if trouble == "huge":
                data = b'{"x":"' + b"x" * (10 << 20) + b'"}'
            etag = f'W/"{hashlib.sha256(data).hexdigest()}"'
            if status == 200 and request.headers.get("If-None-Match") == etag:
                status, data = 304, b""
            self.calls.append((request.command, request.path, status))
            headers = {"ETag": etag, **self.limits(request, status), **headers}
        if trouble == "late":
            self.let_go.wait(60)
        self.send(request, status, data, headers, trouble)

    def limits(self, request, status):
        who = request.headers.get("Authorization", "")
        self.used[who] = self.used.get(who, 0) + (status != 304)
        return {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(self.limit - self.used[who]),
                "X-RateLimit-Reset": str(self.limited_until)}

    @staticmethod
    def send(request, status, data, headers, trouble):
        if trouble in ("half", "torn", "away"):
            request.close_connection = True
        if trouble == "away":
            return
        sent = data[:len(data) // 2] if trouble in ("half", "torn") else data
        request.send_response(status)
        request.send_header("Content-Type", "text/html" if trouble == "html" else "application/json; charset=utf-8")
        if status not in (204, 304):
            request.send_header("Content-Length", str(len(sent if trouble == "torn" else data)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        with contextlib.suppress(ConnectionError):      # it had enough
            request.wfile.write(sent)
