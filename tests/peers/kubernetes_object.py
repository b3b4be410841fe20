"""kubernetes_object.py - what may be written to the stand-in for a cluster: the fields that there are, the three kinds
of patches, and what the API says to a Deployment that cannot be.  A part of kubernetes.py."""
# SPDX-License-Identifier: ISC
import copy
import json
import re
import time

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
TEMPLATE = {"metadata": METADATA, "spec": POD}
SET = {**DEPLOYMENT, "spec": {**dict.fromkeys(("replicas", "selector", "serviceName", "podManagementPolicy",
                                               "updateStrategy", "revisionHistoryLimit", "minReadySeconds")),
                              "template": TEMPLATE}}
CRON_JOB = {**DEPLOYMENT, "spec": {**dict.fromkeys(("schedule", "suspend", "concurrencyPolicy")),
                                   "jobTemplate": {"metadata": METADATA, "spec": {"template": TEMPLATE}}}}
SCHEMAS = {"deployments": DEPLOYMENT, "statefulsets": SET, "daemonsets": SET, "cronjobs": CRON_JOB}


def holder_of(entry):
    """What has the template of its pods."""
    return entry["spec"].get("jobTemplate", entry)["spec"]


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
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
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
    """What the API says to one that decodes but cannot be."""
    template = holder_of(new)["template"]

    def invalid(field, value, text):
        raise Refused(422, "Invalid", f'{old["kind"]} "{old["metadata"]["name"]}" is invalid: {field}: '
                      f"Invalid value: {json.dumps(value)}: {text}")
    for holder in (new["metadata"], template.get("metadata", {})):
        for kind in ("annotations", "labels"):
            for key, value in (holder.get(kind) or {}).items():
                if not isinstance(value, str):
                    raise Refused(400, "BadRequest", f"json: cannot unmarshal into {kind} of type string")
                if not re.fullmatch(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?"
                                    r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key):
                    invalid(f"metadata.{kind}", key, "a qualified name must consist of alphanumeric characters")
    if new["spec"].get("selector") != old["spec"].get("selector"):
        invalid("spec.selector", new["spec"]["selector"], "field is immutable")
    labels = template["metadata"].get("labels") or {}
    if "selector" in new["spec"] and not new["spec"]["selector"]["matchLabels"].items() <= labels.items():
        invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    names = [entry.get("name") for entry in template["spec"]["containers"]]
    if len(set(names)) != len(names) or not all(
            re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name or "") for name in names):
        invalid("spec.template.spec.containers", names, "names have to be labels, and different")
    for entry in template["spec"]["containers"]:
        if not entry.get("image") or entry["image"] != entry["image"].strip():
            raise Refused(422, "Invalid", "spec.template.spec.containers[0].image: Required value")
    for key in ("name", "namespace", "uid"):
        if new["metadata"].get(key) != old["metadata"][key]:
            invalid(f"metadata.{key}", new["metadata"].get(key), "field is immutable")
