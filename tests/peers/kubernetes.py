#!/usr/bin/python3
"""kubernetes.py - a stand-in for a cluster's API: what kubectl asks of Deployments, and what their controller does.

As strict as the real one: no request without a known token (401), none beyond the Roles it was given (403), only the
content types of patches that there are (415), no fields that do not exist, no stale resourceVersion (409).  A
Deployment makes ReplicaSets with revisions, and these make pods, one after the other; what an image does is planned by
its digest.
Every request is written down, a line of JSON each, so that a test can see what was touched.

What a real cluster does that is not here: aggregated discovery, OpenAPI, quotas, scheduling, nodes, other kinds.
"""
# SPDX-License-Identifier: ISC
import argparse
import asyncio
import copy
import hashlib
import json
import pathlib
import re
import ssl
import time
import uuid

from aiohttp import web

import peer_process

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
NOT_COPIED = {REVISION, HISTORY, "kubectl.kubernetes.io/last-applied-configuration",
              "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"}
HASH = "pod-template-hash"
PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json")
# What exists, in a Deployment, of what people set; anything beyond is an unknown field.
METADATA = dict.fromkeys(("name", "namespace", "labels", "annotations", "uid", "resourceVersion", "generation",
                          "creationTimestamp", "managedFields", "ownerReferences", "finalizers"))
CONTAINER = dict.fromkeys(("name", "image", "command", "args", "env", "envFrom", "ports", "resources", "volumeMounts",
                           "livenessProbe", "readinessProbe", "startupProbe", "imagePullPolicy", "securityContext",
                           "terminationMessagePath", "terminationMessagePolicy", "workingDir", "lifecycle"))
POD = {**dict.fromkeys(("restartPolicy", "terminationGracePeriodSeconds", "dnsPolicy", "securityContext",
                        "schedulerName", "volumes", "serviceAccountName", "serviceAccount", "imagePullSecrets",
                        "nodeSelector", "tolerations", "affinity")),
       "containers": [CONTAINER], "initContainers": [CONTAINER]}
DEPLOYMENT = {"apiVersion": None, "kind": None, "metadata": METADATA, "status": None, "spec": {
    **dict.fromkeys(("replicas", "selector", "strategy", "minReadySeconds", "revisionHistoryLimit", "paused",
                     "progressDeadlineSeconds")), "template": {"metadata": METADATA, "spec": POD}}}
RESOURCES = {
    "v1": [("pods", "Pod", ["get", "list", "watch"]), ("pods/log", "Pod", ["get"]),
           ("events", "Event", ["list", "watch"]), ("namespaces", "Namespace", ["get", "list"])],
    "apps/v1": [("deployments", "Deployment", ["get", "list", "watch", "patch", "update"]),
                ("replicasets", "ReplicaSet", ["get", "list", "watch"])],
    "authorization.k8s.io/v1": [("selfsubjectaccessreviews", "SelfSubjectAccessReview", ["create"])]}
# What a pod of a bad image is like: (phase, its container's state, its event)
TROUBLE = {
    "ErrImagePull": ("Pending", {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}},
                     ("Failed", "Failed to pull image: manifest unknown")),
    "CrashLoopBackOff": ("Running", {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}},
                         ("BackOff", "Back-off restarting failed container")),
    "Unschedulable": ("Pending", None, ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")),
    "NotReady": ("Running", {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                 ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500"))}


class Refused(Exception):
    """The API's answer to what it does not do."""

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason = code, reason

    def body(self):
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(self),
                "reason": self.reason, "code": self.code}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# ---- what may be written -------------------------------------------------------------------------


def unknown_fields(value, known, path=""):
    """The paths of fields that do not exist; they are taken out of value, as the API prunes them."""
    if isinstance(known, list):
        return [found for number, entry in enumerate(value or [])
                for found in unknown_fields(entry, known[0], f"{path}[{number}]")]
    if not isinstance(known, dict) or not isinstance(value, dict):
        return []
    found = []
    for key in list(value):
        if key not in known:
            found.append(f"{path}.{key}".lstrip("."))
            del value[key]
        else:
            found += unknown_fields(value[key], known[key], f"{path}.{key}")
    return found


def strategic(old, patch, path=()):
    """Merges as apps/v1 has it: containers by their name, null removes, everything else as a merge patch."""
    if not isinstance(patch, dict) or not isinstance(old, dict):
        return patch
    made = dict(old)
    for key, value in patch.items():
        if key.startswith("$"):
            if key.startswith("$setElementOrder/"):
                continue
            raise Refused(400, "BadRequest", f"the stand-in knows no directive {key}")
        if value is None:
            made.pop(key, None)
        elif key in ("containers", "initContainers") and path[-1:] == ("spec",):
            entries = [dict(entry) for entry in made.get(key, [])]
            for entry in value:
                if "name" not in entry:
                    raise Refused(400, "BadRequest", "map: does not contain declared merge key: name")
                same = [number for number, other in enumerate(entries) if other["name"] == entry["name"]]
                if same:
                    entries[same[0]] = strategic(entries[same[0]], entry, (*path, key))
                else:
                    entries.append(entry)
            made[key] = entries
        else:
            made[key] = strategic(made.get(key, {}) if isinstance(value, dict) else None, value, (*path, key))
    return made


def merge(old, patch):
    if not isinstance(patch, dict):
        return patch
    made = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge(made.get(key), value)
    return made


def json_patch(old, operations):
    made = copy.deepcopy(old)
    for operation in operations:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        place = made
        for part in path:
            place = place[int(part) if isinstance(place, list) else part]
        if operation["op"] == "test":
            if place.get(last) != operation["value"]:
                raise Refused(422, "Invalid", "the server rejected our request: testing path failed")
        elif operation["op"] in ("add", "replace"):
            if operation["op"] == "replace" and last not in place:
                raise Refused(422, "Invalid", f"replace operation does not apply: missing path: {operation['path']}")
            place[last] = operation["value"]
        elif operation["op"] == "remove":
            del place[last]
        else:
            raise Refused(400, "BadRequest", f"unexpected kind: {operation['op']}")
    return made


def normal(value):
    """Without what is empty: a client that knows the types writes that, another does not."""
    if isinstance(value, dict):
        return {key: normal(each) for key, each in value.items() if each not in (None, {}, [])}
    return [normal(each) for each in value] if isinstance(value, list) else value


def validate(new, old):
    """What the API says to a Deployment that decodes but cannot be."""
    def invalid(field, value, text):
        raise Refused(422, "Invalid", f'Deployment.apps "{old["metadata"]["name"]}" is invalid: {field}: '
                      f"Invalid value: {json.dumps(value)}: {text}")
    for holder in (new["metadata"], new["spec"]["template"].get("metadata", {})):
        for kind in ("annotations", "labels"):
            for key, value in (holder.get(kind) or {}).items():
                if not isinstance(value, str):
                    raise Refused(400, "BadRequest", f"json: cannot unmarshal into {kind} of type string")
                if not re.fullmatch(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?"
                                    r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key):
                    invalid(f"metadata.{kind}", key, "a qualified name must consist of alphanumeric characters")
    if new["spec"]["selector"] != old["spec"]["selector"]:
        invalid("spec.selector", new["spec"]["selector"], "field is immutable")
    labels = new["spec"]["template"]["metadata"].get("labels") or {}
    if not new["spec"]["selector"]["matchLabels"].items() <= labels.items():
        invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    names = [entry.get("name") for entry in new["spec"]["template"]["spec"]["containers"]]
    if len(set(names)) != len(names) or not all(
            re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name or "") for name in names):
        invalid("spec.template.spec.containers", names, "names have to be labels, and different")
    for entry in new["spec"]["template"]["spec"]["containers"]:
        if not entry.get("image") or entry["image"] != entry["image"].strip():
            raise Refused(422, "Invalid", "spec.template.spec.containers[0].image: Required value")
    for key in ("name", "namespace", "uid"):
        if new["metadata"].get(key) != old["metadata"][key]:
            invalid(f"metadata.{key}", new["metadata"].get(key), "field is immutable")


# ---- the cluster ---------------------------------------------------------------------------------


class Cluster:
    """All objects, by (namespace, resource) and name; who watches; and the controllers, which tick."""

    def __init__(self, options):
        self.options = options
        self.objects = {}
        self.watchers = []
        self.version = 100
        self.plan = {"pace": options.pace, "images": {}, "faults": []}
        self.tokens = {}        # token: user
        self.roles = []         # {"namespace", "user", "rules"}
        self.logs = {}

    def all(self, namespace, resource):
        return self.objects.setdefault((namespace, resource), {})

    def put(self, resource, entry, event="MODIFIED"):
        self.version += 1
        entry["metadata"]["resourceVersion"] = str(self.version)
        namespace, name = entry["metadata"]["namespace"], entry["metadata"]["name"]
        kept = self.all(namespace, resource)
        if event == "DELETED":
            kept.pop(name, None)
        else:
            kept[name] = entry
        for watcher in self.watchers:
            if watcher["namespace"] == namespace and watcher["resource"] == resource and watcher["matches"](entry):
                watcher["queue"].put_nowait({"type": event, "object": copy.deepcopy(entry)})

    def meta(self, namespace, name, owner=None, **more):
        made = {"name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now(), **more}
        if owner:
            made["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": owner["kind"],
                                        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                                        "controller": True}]
        return made

    def create(self, namespace, name, image, container="app", replicas=2, **spec):
        """A Deployment as people apply it, rolled out already."""
        entry = {"apiVersion": "apps/v1", "kind": "Deployment",
                 "metadata": self.meta(namespace, name, generation=1, annotations={}), "spec": {
                     "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "revisionHistoryLimit": 10,
                     "progressDeadlineSeconds": 600, "template": {
                         "metadata": {"labels": {"app": name}}, "spec": {"containers": [
                             {"name": each, "image": image} for each in container.split(",")]}}, **spec},
                 "status": {}}
        self.put("deployments", entry, "ADDED")
        while not self.advance(entry):
            pass

    def event(self, kind, entry, reason, message, type_="Normal"):
        namespace, name = entry["metadata"]["namespace"], entry["metadata"]["name"]
        self.put("events", {
            "apiVersion": "v1", "kind": "Event", "metadata": self.meta(namespace, f"{name}.{self.version:x}"),
            "involvedObject": {"kind": kind, "name": name, "namespace": namespace}, "reason": reason,
            "message": message, "type": type_, "lastTimestamp": now(), "count": 1}, "ADDED")

    # ---- the Deployment's controller

    def owned(self, resource, owner):
        return [entry for entry in self.all(owner["metadata"]["namespace"], resource).values()
                if entry["metadata"].get("ownerReferences", [{}])[0].get("uid") == owner["metadata"]["uid"]]

    def revision(self, entry):
        return int(entry["metadata"].get("annotations", {}).get(REVISION, 0))

    def set_of(self, deployment):
        """The ReplicaSet of the template, made if there is none, with the newest revision."""
        sets = self.owned("replicasets", deployment)
        digest = hashlib.sha256(json.dumps(deployment["spec"]["template"], sort_keys=True).encode()).hexdigest()[:10]
        newest = max((self.revision(entry) for entry in sets), default=0)
        found = [entry for entry in sets if entry["metadata"]["labels"][HASH] == digest]
        copied = {key: value for key, value in (deployment["metadata"].get("annotations") or {}).items()
                  if key not in NOT_COPIED}
        if found:
            made, = found
            notes = made["metadata"]["annotations"]
            if self.revision(made) != newest:
                notes[HISTORY] = ",".join(filter(None, (notes.get(HISTORY), notes[REVISION])))
                notes[REVISION] = str(newest + 1)
            notes.update(copied)
            self.put("replicasets", made)
        else:
            namespace, name = deployment["metadata"]["namespace"], f"{deployment['metadata']['name']}-{digest}"
            template = copy.deepcopy(deployment["spec"]["template"])
            template["metadata"].setdefault("labels", {})[HASH] = digest
            made = {"apiVersion": "apps/v1", "kind": "ReplicaSet",
                    "metadata": self.meta(namespace, name, deployment, labels=template["metadata"]["labels"],
                                          annotations={**copied, REVISION: str(newest + 1)}),
                    "spec": {"replicas": 0, "template": template,
                             "selector": {"matchLabels": template["metadata"]["labels"]}}, "status": {"replicas": 0}}
            self.put("replicasets", made, "ADDED")
            self.event("Deployment", deployment, "ScalingReplicaSet", f"Scaled up replica set {name} to 1")
        deployment["metadata"].setdefault("annotations", {})[REVISION] = made["metadata"]["annotations"][REVISION]
        return made

    def trouble_of(self, replica_set):
        images = [entry["image"] for entry in replica_set["spec"]["template"]["spec"]["containers"]]
        return next((why for digest, why in self.plan["images"].items() for image in images if digest in image), None)

    def scale(self, replica_set, by):
        """One pod more or less."""
        pods = sorted(self.owned("pods", replica_set), key=self.is_ready, reverse=True)
        replica_set["spec"]["replicas"] += by
        if by < 0:
            self.put("pods", pods[-1], "DELETED")
        else:
            why = self.trouble_of(replica_set)
            phase, state, event = TROUBLE.get(why, ("Running", {"running": {"startedAt": now()}}, None))
            name = f"{replica_set['metadata']['name']}-{uuid.uuid4().hex[:5]}"
            template = replica_set["spec"]["template"]
            pod = {"apiVersion": "v1", "kind": "Pod", "spec": copy.deepcopy(template["spec"]),
                   "metadata": self.meta(replica_set["metadata"]["namespace"], name, replica_set,
                                         labels=template["metadata"]["labels"]),
                   "status": {"phase": phase, "conditions": [{"type": "PodScheduled", "status": "True"}]}}
            if state is None:
                pod["status"]["conditions"] = [
                    {"type": "PodScheduled", "status": "False", "reason": why, "message": event[1]}]
            else:
                pod["status"]["containerStatuses"] = [
                    {"name": entry["name"], "image": entry["image"], "ready": event is None, "state": state,
                     "restartCount": 3 if why == "CrashLoopBackOff" else 0} for entry in template["spec"]["containers"]]
            self.put("pods", pod, "ADDED")
            if event:
                self.event("Pod", pod, *event, "Warning")
        replica_set["status"]["replicas"] = replica_set["spec"]["replicas"]
        self.put("replicasets", replica_set)

    def is_ready(self, pod):
        return all(entry["ready"] for entry in pod["status"].get("containerStatuses", [{"ready": False}]))

    def advance(self, deployment):
        """One step of a rollout: sees the new template, then one new pod, then one old less.  True when all is done."""
        status, spec = deployment["status"], deployment["spec"]
        if spec.get("paused"):
            return True
        if status.get("observedGeneration") != deployment["metadata"]["generation"]:
            current = self.set_of(deployment)
            if status.get("template") != current["metadata"]["name"]:
                status.update(template=current["metadata"]["name"])
                deployment.update(began=time.monotonic())
                self.condition(deployment, "True", "NewReplicaSetCreated")
            status["observedGeneration"] = deployment["metadata"]["generation"]
            self.tell(deployment)
            return False
        if status["conditions"][1]["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
            return True
        current = self.all(deployment["metadata"]["namespace"], "replicasets")[status["template"]]
        old = [entry for entry in self.owned("replicasets", deployment)
               if entry is not current and entry["spec"]["replicas"]]
        ill = [entry for entry in old if not all(map(self.is_ready, self.owned("pods", entry)))]
        pods = self.owned("pods", current)
        ready, verdict = sum(map(self.is_ready, pods)), None
        there = sum(entry["spec"]["replicas"] for entry in old) + len(pods)
        if len(pods) > spec["replicas"]:
            self.scale(current, -1)
        elif ill:       # what never served goes first
            self.scale(ill[0], -1)
        elif old and (there > spec["replicas"] and ready or not spec["replicas"]):
            self.scale(old[0], -1)
        elif len(pods) < spec["replicas"] and there <= spec["replicas"] and ready == len(pods):
            self.scale(current, +1)
            if self.trouble_of(current) is None:
                deployment.update(began=time.monotonic())
        elif not old and ready == spec["replicas"]:
            verdict = ("True", "NewReplicaSetAvailable")
            self.forget(deployment, current)
        elif time.monotonic() - deployment.get("began", 0) > spec["progressDeadlineSeconds"]:
            verdict = ("False", "ProgressDeadlineExceeded")
        else:
            return False
        self.condition(deployment, *(verdict or ("True", "ReplicaSetUpdated")))
        self.tell(deployment)
        return verdict is not None

    def forget(self, deployment, current):
        """The oldest ReplicaSets go, beyond revisionHistoryLimit."""
        old = sorted((entry for entry in self.owned("replicasets", deployment) if entry is not current),
                     key=self.revision)
        for entry in old[:max(0, len(old) - deployment["spec"]["revisionHistoryLimit"])]:
            self.put("replicasets", entry, "DELETED")

    def condition(self, deployment, status, reason):
        deployment["status"]["conditions"] = [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": status, "reason": reason, "lastUpdateTime": now(),
             "message": f'ReplicaSet "{deployment["status"].get("template", "")}" {reason}'}]

    def tell(self, deployment):
        status = deployment["status"]
        pods = [pod for entry in self.owned("replicasets", deployment) for pod in self.owned("pods", entry)]
        new = [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["name"] == status["template"]]
        ready = sum(map(self.is_ready, pods))
        status.update(replicas=len(pods), updatedReplicas=len(new), readyReplicas=ready, availableReplicas=ready,
                      unavailableReplicas=len(pods) - ready)
        self.put("deployments", deployment)

    async def tick(self):
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.02)
            if time.monotonic() - last < self.plan["pace"]:
                continue
            last = time.monotonic()
            for (_, resource), entries in list(self.objects.items()):
                for entry in list(entries.values()) if resource == "deployments" else ():
                    self.advance(entry)

    # ---- who may do what

    def may(self, user, verb, group, resource, namespace, name):
        for role in self.roles:
            if role["user"] != user or role["namespace"] != namespace:
                continue
            for rule in role["rules"]:
                if group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"] and (
                        not rule.get("resourceNames") or name in rule["resourceNames"]):
                    return True
        return False


# ---- the API -------------------------------------------------------------------------------------


PATH = re.compile(r"/(?:api/v1|apis/(?P<group>apps)/v1)/namespaces/(?P<namespace>[^/]+)/(?P<resource>[a-z]+)"
                  r"(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?")
QUERIES = {"get": {"container", "tailLines", "previous", "follow", "timeout"},
           "patch": {"fieldManager", "fieldValidation", "timeout"},
           "list": {"timeout", "limit", "labelSelector", "fieldSelector", "resourceVersion", "continue",
                    "resourceVersionMatch"},
           "watch": {"watch", "labelSelector", "fieldSelector", "resourceVersion", "timeoutSeconds", "timeout",
                     "allowWatchBookmarks", "limit", "sendInitialEvents", "resourceVersionMatch"}}


def selector(query):
    """A predicate for labelSelector and fieldSelector."""
    labels = [part.split("=", 1) for part in query.get("labelSelector", "").split(",") if part]
    fields = [part.split("=", 1) for part in query.get("fieldSelector", "").split(",") if part]
    for key, _ in fields:
        if key not in ("metadata.name", "metadata.namespace"):
            raise Refused(400, "BadRequest", f"field label not supported: {key}")

    def matches(entry):
        return (all(entry["metadata"].get("labels", {}).get(key) == value.lstrip("=") for key, value in labels) and
                all(entry["metadata"][key.split(".")[1]] == value.lstrip("=") for key, value in fields))
    return matches


def protobuf(data):
    """{number: [what stands there]} of a message; a number, or bytes, which may be a message again."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        elif key & 7:
            raise Refused(400, "BadRequest", f"no wire type {key & 7} is expected here")
        found.setdefault(key >> 3, []).append(value)
    return found


def reviewed(content_type, body):
    """The resourceAttributes of a SelfSubjectAccessReview; newer clients send protobuf (api/authorization/v1)."""
    if content_type == "application/json":
        said = json.loads(body)
        kind, attributes = said.get("kind"), said.get("spec", {}).get("resourceAttributes", {})
    elif content_type == "application/vnd.kubernetes.protobuf" and body.startswith(b"k8s\0"):
        envelope = protobuf(body[4:])
        kind = protobuf(envelope[1][0])[2][0].decode()
        fields = protobuf(protobuf(protobuf(envelope[2][0])[2][0])[1][0])
        names = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
        attributes = {name: fields.get(at, [b""])[0].decode() for at, name in enumerate(names, 1)}
    else:
        raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
    if kind != "SelfSubjectAccessReview":
        raise Refused(400, "BadRequest", f"this is a {kind}")
    return attributes


class Api:
    def __init__(self, cluster, record):
        self.cluster = cluster
        self.record = record
        self.seen = set()

    def routes(self):
        return [web.post("/stand-in/{act}", self.control), web.route("*", "/{rest:.*}", self.handle)]

    async def control(self, request):
        """For tests: `create` a Deployment, set `plan`, `tokens`, `roles` or `logs`, see `objects`."""
        said, act = await request.json(), request.match_info["act"]
        if act == "create":
            self.cluster.create(**said)
        elif act == "objects":
            return web.json_response({f"{namespace}/{resource}": entries for (namespace, resource), entries
                                      in self.cluster.objects.items()})
        else:
            kept = getattr(self.cluster, act)
            (kept.append if act == "roles" else kept.update)(said)
        return web.json_response({})

    async def handle(self, request):
        body = await request.read()
        note = {"method": request.method, "path": request.path, "query": dict(request.query),
                "type": request.content_type, "body": body.decode("utf-8", "replace"),
                "user": self.user(request), "verb": None, "resource": None, "namespace": None}
        try:
            return await self.answer(request, body, note)
        except Refused as refused:
            note["status"] = refused.code
            return web.json_response(refused.body(), status=refused.code)
        finally:
            self.write_down(note)

    def write_down(self, note):
        """Once: a request that lasts, a watch, when it begins; all others with how they ended."""
        if not note.pop("written", False):
            with open(self.record, "a", encoding="utf-8") as file:
                file.write(json.dumps(note) + "\n")

    def user(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.cluster.tokens.get(token) if scheme == "Bearer" else None

    async def answer(self, request, body, note):
        if note["user"] is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        match = PATH.fullmatch(request.path)
        if match:
            note.update(match.groupdict(), group=match["group"] or "", verb=self.verb(request, match))
        await self.act_planned(request, note)
        if not match:
            return self.discover(request, body, note)
        resource = match["resource"] + (f"/{match['sub']}" if match["sub"] else "")
        note["resource"] = resource
        if not self.cluster.may(note["user"], note["verb"], note["group"], resource, match["namespace"], match["name"]):
            raise Refused(403, "Forbidden", f'{resource}{"." + note["group"] if note["group"] else ""} '
                          f'{json.dumps(match["name"]) + " " if match["name"] else ""}is forbidden: User '
                          f'"{note["user"]}" cannot {note["verb"]} resource "{resource}" in API group '
                          f'"{note["group"]}" in the namespace "{match["namespace"]}"')
        known = {name: verbs for name, _, verbs in RESOURCES["apps/v1" if match["group"] else "v1"]}
        if resource not in known:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if note["verb"] not in known[resource]:
            raise Refused(405, "MethodNotAllowed", f"the server does not allow this method on {resource}")
        if note["verb"] == "watch":
            self.write_down(note)
            note["written"] = True
        strange = set(request.query) - QUERIES.get(note["verb"], set())
        if strange:
            raise Refused(400, "BadRequest", f"the stand-in knows no {', '.join(sorted(strange))}")
        return await getattr(self, f"do_{note['verb']}")(request, body, match)

    def verb(self, request, match):
        if request.method == "GET":
            if match["name"]:
                return "get"
            return "watch" if request.query.get("watch") in ("true", "1") else "list"
        return {"PATCH": "patch", "PUT": "update", "POST": "create", "DELETE": "delete"}.get(request.method, "none")

    async def act_planned(self, request, note):
        """`faults`: [{"verb" or "path", "times", "status" | "drop" | "hang"}], some only `after` another verb"""
        self.seen.add(note["verb"])
        for fault in self.cluster.plan["faults"]:
            if not fault["times"] or fault.get("after", note["verb"]) not in self.seen or any(
                    note.get(key) != fault[key] for key in ("verb", "path") if key in fault):
                continue
            fault["times"] -= 1
            note["fault"] = fault
            if fault.get("drop"):
                request.transport.abort()
                raise Refused(500, "InternalError", "the connection is gone")
            if fault.get("hang"):
                await asyncio.Event().wait()
            if "status" in fault:
                raise Refused(fault["status"], fault["reason"], fault["message"])

    def discover(self, request, body, note):
        path = request.path
        if request.method == "POST" and path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
            return self.review(request, body, note)
        if request.method != "GET":
            raise Refused(405, "MethodNotAllowed", "the server does not allow this method")
        if path == "/version":
            return web.json_response({"major": "1", "minor": "32", "gitVersion": "v1.32.4", "gitCommit": "0" * 40,
                                      "gitTreeState": "clean", "buildDate": "2025-04-22T00:00:00Z",
                                      "goVersion": "go1.23", "compiler": "gc", "platform": "linux/amd64"})
        if path == "/api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        if path == "/apis":
            return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": version.split("/", maxsplit=1)[0], "versions": [{"groupVersion": version, "version": "v1"}],
                 "preferredVersion": {"groupVersion": version, "version": "v1"}}
                for version in RESOURCES if "/" in version]})
        version = path.removeprefix("/apis/" if path.startswith("/apis/") else "/api/")
        if version in RESOURCES:
            return web.json_response({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [{
                    "name": name, "singularName": "", "kind": kind, "verbs": verbs,
                    "namespaced": name != "namespaces" and "self" not in name}
                    for name, kind, verbs in RESOURCES[version]]})
        if path in ("/openapi/v2", "/openapi/v3") or re.fullmatch(r"/apis?/[a-z0-9./]+", path):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        raise Refused(403, "Forbidden", f'forbidden: User "{note["user"]}" cannot get path "{path}"')

    def review(self, request, body, note):
        asked = reviewed(request.content_type, body)
        resource = asked["resource"] + (f"/{asked['subresource']}" if asked.get("subresource") else "")
        note.update(verb="review", resource=resource, namespace=asked.get("namespace"))
        allowed = self.cluster.may(note["user"], asked["verb"], asked.get("group", ""), resource,
                                   asked.get("namespace"), asked.get("name"))
        return web.json_response({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                                  "metadata": {}, "spec": {"resourceAttributes": asked},
                                  "status": {"allowed": allowed}}, status=201)

    def find(self, match):
        entry = self.cluster.all(match["namespace"], match["resource"]).get(match["name"])
        if entry is None:
            group = f".{match['group']}" if match["group"] else ""
            raise Refused(404, "NotFound", f'{match["resource"]}{group} "{match["name"]}" not found')
        return entry

    async def do_get(self, request, _, match):
        entry = self.find(match)
        if match["sub"] is None:
            return web.json_response(shown(entry))
        names = [container["name"] for container in entry["spec"]["containers"]]
        container = request.query.get("container", names[0] if len(names) == 1 else None)
        if container not in names:
            raise Refused(400, "BadRequest", f"container {container} is not valid for pod {match['name']}" if container
                          else f"a container name must be specified, choose one of: [{' '.join(names)}]")
        image, = [each["image"] for each in entry["spec"]["containers"] if each["name"] == container]
        why = next((why for digest, why in self.cluster.plan["images"].items() if digest in image), None)
        if why in ("ErrImagePull", "Unschedulable"):
            raise Refused(400, "BadRequest", f'container "{container}" in pod "{match["name"]}" is waiting to start')
        lines = [text for digest, text in self.cluster.logs.items() if digest in image] or ["listening"]
        if request.query.get("previous") == "true":
            lines = [f"{line} (of the previous one)" for line in lines]
        return web.Response(text="".join(f"{line}\n" for line in lines[-int(request.query.get("tailLines", 99)):]))

    async def do_list(self, request, _, match):
        matches = selector(request.query)
        kind = {name: kind for version in RESOURCES.values() for name, kind, _ in version}[match["resource"]]
        entries = self.cluster.all(match["namespace"], match["resource"]).values()
        return web.json_response({
            "kind": f"{kind}List", "apiVersion": "apps/v1" if match["group"] else "v1",
            "metadata": {"resourceVersion": str(self.cluster.version)},
            "items": [shown(entry) for entry in entries if matches(entry)]})

    async def do_watch(self, request, _, match):
        if request.query.get("sendInitialEvents"):
            raise Refused(422, "Invalid", "sendInitialEvents is forbidden for watch: WatchList is not enabled")
        queue = asyncio.Queue()
        watcher = {"namespace": match["namespace"], "resource": match["resource"], "matches": selector(request.query),
                   "queue": queue}
        since = int(request.query.get("resourceVersion") or 0)
        for entry in self.cluster.all(match["namespace"], match["resource"]).values():
            if watcher["matches"](entry) and int(entry["metadata"]["resourceVersion"]) > since:
                queue.put_nowait({"type": "MODIFIED" if since else "ADDED", "object": copy.deepcopy(entry)})
        self.cluster.watchers.append(watcher)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        try:
            await response.prepare(request)
            until = time.monotonic() + int(request.query.get("timeoutSeconds", 300))
            while time.monotonic() < until:
                event = await asyncio.wait_for(queue.get(), until - time.monotonic())
                event["object"] = shown(event["object"])
                await response.write(json.dumps(event).encode() + b"\n")
        except (asyncio.TimeoutError, ConnectionError):
            pass
        finally:
            self.cluster.watchers.remove(watcher)
        return response

    async def do_patch(self, request, body, match):
        if request.content_type not in PATCHES:
            raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted "
                          f"media types include: {', '.join(PATCHES)}")
        old = self.find(match)
        try:
            patch = json.loads(body)
            how = {PATCHES[0]: json_patch, PATCHES[1]: merge, PATCHES[2]: strategic}[request.content_type]
            new = how({key: copy.deepcopy(old[key]) for key in ("apiVersion", "kind", "metadata", "spec")}, patch)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise Refused(400, "BadRequest", f"error decoding patch: {error!r}") from error
        headers = {}
        unknown = unknown_fields(new, DEPLOYMENT)
        if unknown and request.query.get("fieldValidation") == "Strict":
            raise Refused(400, "BadRequest", f'strict decoding error: unknown field "{unknown[0]}"')
        if unknown:
            headers["Warning"] = f'299 - "unknown field \\"{unknown[0]}\\""'
        if new["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", f'Operation cannot be fulfilled on deployments.apps "{match["name"]}": the '
                          "object has been modified; please apply your changes to the latest version and try again")
        validate(new, old)
        new["spec"]["template"] = normal(new["spec"]["template"])
        if new["spec"] != old["spec"]:
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        changed = new["spec"] != old["spec"] or new["metadata"] != old["metadata"]
        old.update(metadata=new["metadata"], spec=new["spec"])
        if changed:
            self.cluster.put("deployments", old)
        return web.json_response(shown(old), headers=headers)


def shown(entry):
    """Without what only the controller knows."""
    made = {key: value for key, value in entry.items() if key != "began"}
    if "template" in made.get("status", {}):
        made["status"] = {key: value for key, value in made["status"].items() if key != "template"}
    return made


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    peer_process.add_arguments(parser)
    parser.add_argument("--certificate", required=True, help="PEM: the server's certificate and its key")
    parser.add_argument("--record", required=True, type=pathlib.Path, help="every request is written here")
    parser.add_argument("--pace", type=float, default=0.05, help="seconds between two steps of a rollout")
    options = parser.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.certificate)
    cluster = Cluster(options)
    app = web.Application()
    app.add_routes(Api(cluster, options.record).routes())

    async def controllers(_):
        task = asyncio.create_task(cluster.tick())
        yield
        task.cancel()
    app.cleanup_ctx.append(controllers)
    await peer_process.serve(app, "kubernetes stand-in", options.host, options.port, options.port_file, tls)


if __name__ == "__main__":
    peer_process.die_with_parent()
    asyncio.run(main())
