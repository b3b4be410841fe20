"""kubernetes_cluster.py - the objects of the stand-in for a cluster, who watches them and who may, and the controller
of Deployments, which ticks.  A part of kubernetes.py."""
# SPDX-License-Identifier: ISC
import asyncio
import copy
import hashlib
import json
import time
import uuid

from kubernetes_object import now

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
NOT_COPIED = {REVISION, HISTORY, "kubectl.kubernetes.io/last-applied-configuration",
              "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"}
HASH = "pod-template-hash"
# What a pod of a bad image is like: (phase, its container's state, its event)
TROUBLE = {
    "ErrImagePull": ("Pending", {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}},
                     ("Failed", "Failed to pull image: manifest unknown")),
    "CrashLoopBackOff": ("Running", {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}},
                         ("BackOff", "Back-off restarting failed container")),
    "Unschedulable": ("Pending", None, ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")),
    "NotReady": ("Running", {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                 ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500"))}


class Cluster:
    """All objects, by (namespace, resource) and name; who watches; and the controllers, which tick."""

    def __init__(self, options):
        self.options = options
        self.objects = {}
        self.watchers = []
        self.version = 100
        self.plan = {"pace": options.pace, "images": {}, "sets": {}, "faults": []}
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

    def create(self, namespace, name, image, container="app", replicas=2, init="", labels=None, notes=None, **spec):
        """A Deployment as people apply it, rolled out already."""
        entry = {"apiVersion": "apps/v1", "kind": "Deployment",
                 "metadata": self.meta(namespace, name, generation=1, annotations=notes or {},
                                       **({"labels": labels} if labels else {})), "spec": {
                     "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "revisionHistoryLimit": 10,
                     "progressDeadlineSeconds": 600, "template": {
                         "metadata": {"labels": {"app": name}}, "spec": {"containers": [
                             {"name": each, "image": image} for each in container.split(",")]}}, **spec},
                 "status": {}}
        if init:
            entry["spec"]["template"]["spec"]["initContainers"] = [{"name": "init", "image": init}]
        self.put("deployments", entry, "ADDED")
        while not self.advance(entry):
            pass

    def create_other(self, namespace, kind, name, image, inits="", labels=None):
        """A StatefulSet, a DaemonSet or a CronJob as people apply it; it runs already."""
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
            {"name": "main", "image": image}, {"name": "side", "image": "side:1"}]}}
        if inits:
            template["spec"]["initContainers"] = [{"name": "init", "image": inits}]
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template,
                "updateStrategy": {"type": "RollingUpdate"}}
        if kind == "StatefulSet":
            spec |= {"replicas": 2, "serviceName": name}
        elif kind == "CronJob":
            spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}
        entry = {"apiVersion": "batch/v1" if kind == "CronJob" else "apps/v1", "kind": kind, "spec": spec, "status": {},
                 "metadata": self.meta(namespace, name, generation=1, annotations={}, labels=labels or {})}
        self.put(f"{kind.lower()}s", entry, "ADDED")
        if kind != "CronJob":
            self.advance_set(entry)

    def advance_set(self, entry):
        """A StatefulSet or DaemonSet takes its template, with a revision that keeps it."""
        status, template = entry["status"], entry["spec"]["template"]
        if status.get("observedGeneration") == entry["metadata"]["generation"]:
            return
        data = {"spec": {"template": {**copy.deepcopy(template), "$patch": "replace"}}}
        kept = self.owned("controllerrevisions", entry)
        newest = max((each["revision"] for each in kept), default=0)
        made = next((each for each in kept if each["data"] == data), None)
        if made is None:
            made = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": data, "metadata": self.meta(
                entry["metadata"]["namespace"], f"{entry['metadata']['name']}-{newest + 1}", entry,
                labels=template["metadata"]["labels"])}
        if made.get("revision") != newest or not newest:
            made["revision"] = newest + 1
            self.put("controllerrevisions", made, "ADDED")
        bad = any(digest in each["image"] for each in template["spec"]["containers"] for digest in self.plan["sets"])
        name, number = made["metadata"]["name"], 2
        status.update(observedGeneration=entry["metadata"]["generation"], updateRevision=name, replicas=number,
                      currentRevision=status.get("currentRevision", name) if bad else name, readyReplicas=number - bad,
                      desiredNumberScheduled=number, updatedNumberScheduled=number, numberAvailable=number - bad)
        self.put(f"{entry['kind'].lower()}s", entry)

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
                for entry in list(entries.values()):
                    if resource == "deployments":
                        self.advance(entry)
                    elif resource in ("statefulsets", "daemonsets"):
                        self.advance_set(entry)

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
