#!/usr/bin/python3
"""kubernetes.py - a stand-in for a cluster's API: what kubectl asks of Deployments, and what their controller does.

As strict as the real one: no request without a known token (401), none beyond the Roles it was given (403), only the
content types of patches that there are (415), no fields that do not exist, no stale resourceVersion (409).  A
Deployment makes ReplicaSets with revisions, and these make pods, one after the other; what an image does is planned by
its digest.  StatefulSets and DaemonSets are rolled out at once, with a ControllerRevision, or never; a CronJob only is.
Every request is written down, a line of JSON each, so that a test can see what was touched.

What a real cluster does that is not here: aggregated discovery, OpenAPI, quotas, scheduling, nodes, other kinds.
"""
# SPDX-License-Identifier: ISC
import argparse
import asyncio
import copy
import json
import pathlib
import re
import ssl
import time

from aiohttp import web

import peer_process
from commands.recorder import append
from kubernetes_cluster import Cluster
from kubernetes_object import (
    PATCHES, SCHEMAS, Refused, holder_of, json_patch, merge, normal, strategic, unknown_fields, validate)

RESOURCES = {
    "v1": [("pods", "Pod", ["get", "list", "watch"]), ("pods/log", "Pod", ["get"]),
           ("events", "Event", ["list", "watch"]), ("namespaces", "Namespace", ["get", "list"])],
    "apps/v1": [*((resource, kind, ["get", "list", "watch", "patch", "update"]) for resource, kind in (
        ("deployments", "Deployment"), ("statefulsets", "StatefulSet"), ("daemonsets", "DaemonSet"))),
                ("replicasets", "ReplicaSet", ["get", "list", "watch"]),
                ("controllerrevisions", "ControllerRevision", ["get", "list", "watch"])],
    "batch/v1": [("cronjobs", "CronJob", ["get", "list", "watch", "patch", "update"])],
    "authorization.k8s.io/v1": [("selfsubjectaccessreviews", "SelfSubjectAccessReview", ["create"])]}
PATH = re.compile(r"/(?:api/v1|apis/(?P<group>apps|batch)/v1)/namespaces/(?P<namespace>[^/]+)/(?P<resource>[a-z]+)"
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
        elif act == "create_other":
            self.cluster.create_other(**said)
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
            append(self.record, note)

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
        # As a real one: who lists or watches by a field selector for one name asks for that name.
        name = match["name"] or request.query.get("fieldSelector", "").partition("metadata.name=")[2] or None
        if not self.cluster.may(note["user"], note["verb"], note["group"], resource, match["namespace"], name):
            raise Refused(403, "Forbidden", f'{resource}{"." + note["group"] if note["group"] else ""} '
                          f'{json.dumps(match["name"]) + " " if match["name"] else ""}is forbidden: User '
                          f'"{note["user"]}" cannot {note["verb"]} resource "{resource}" in API group '
                          f'"{note["group"]}" in the namespace "{match["namespace"]}"')
        known = {name: verbs for name, _, verbs in RESOURCES[f"{match['group']}/v1" if match["group"] else "v1"]}
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
        """`faults`: [{"verb" or "path", "times", "status" | "drop" | "hang"}], some only
        `after` another verb, or behind as many as `skip` says"""
        self.seen.add(note["verb"])
        for fault in self.cluster.plan["faults"]:
            if not fault["times"] or fault.get("after", note["verb"]) not in self.seen or any(
                    note.get(key) != fault[key] for key in ("verb", "path") if key in fault):
                continue
            if fault.get("skip"):
                fault["skip"] -= 1
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
            "kind": f"{kind}List", "apiVersion": f"{match['group']}/v1" if match["group"] else "v1",
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
        unknown = unknown_fields(new, SCHEMAS[match["resource"]])
        if unknown and request.query.get("fieldValidation") == "Strict":
            raise Refused(400, "BadRequest", f'strict decoding error: unknown field "{unknown[0]}"')
        if unknown:
            headers["Warning"] = f'299 - "unknown field \\"{unknown[0]}\\""'
        if new["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", f'Operation cannot be fulfilled on {match["resource"]} "{match["name"]}": '
                          "the object has been modified; please apply your changes to the latest version and try again")
        validate(new, old)
        holder_of(new)["template"] = normal(holder_of(new)["template"])
        if new["spec"] != old["spec"]:
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        changed = new["spec"] != old["spec"] or new["metadata"] != old["metadata"]
        old.update(metadata=new["metadata"], spec=new["spec"])
        if changed:
            self.cluster.put(match["resource"], old)
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
