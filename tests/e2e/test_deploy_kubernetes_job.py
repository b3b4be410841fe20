"""Goal: a job in the cluster has what the Deployment's pods have, and nothing that keeps it from its end; it is stopped
with its run."""
# SPDX-License-Identifier: ISC
import json
import os
import re
import signal
import subprocess

import pytest

from kubernetes_aid import KUBECTL, PREFLIGHT, RIGHTS, image_of, kube, plain
# pylint: disable-next=unused-import
from kubernetes_aid import authority, bench, rules, words  # noqa: F401

# What a job has of the Deployment's container and of its pods, ...
OF_CONTAINER = {"env": [{"name": "A", "value": 'x \\ "y"'}], "envFrom": [{"secretRef": {"name": "s"}}],
                "workingDir": '/a "b"', "imagePullPolicy": "Always", "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                "resources": {"limits": {"cpu": "1"}}, "securityContext": {"privileged": False}}
NODES = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
OF_POD = {"serviceAccountName": "web", "imagePullSecrets": [{"name": "pull"}], "securityContext": {"runAsUser": 7},
          "volumes": [{"name": "v", "emptyDir": {}}], "nodeSelector": {"disk": "ssd"}, "priorityClassName": "high",
          "tolerations": [{"key": "only", "operator": "Exists"}], "runtimeClassName": "gvisor", "dnsPolicy": "None",
          "dnsConfig": {"nameservers": ["10.0.0.1"]}, "topologySpreadConstraints": [{"maxSkew": 1}],
          "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["db"]}], "whatever-comes": {"a": [1, None]}}
# ... and a whole one.
CONTAINER = {"name": "app", "image": "x", "command": ["bin/server"], "args": ["web"],
             "ports": [{"containerPort": 8080}], "readinessProbe": {"httpGet": {"port": 8080}},
             "lifecycle": {"preStop": {}}, **OF_CONTAINER}
POD = {"affinity": {"nodeAffinity": NODES, "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
       "containers": [{"name": "log", "image": "y", "env": [{"name": "B", "value": "no"}], "workingDir": "/log"},
                      CONTAINER, {"name": "end", "image": "z", "workingDir": "/end"}],
       "initContainers": [{"name": "app", "image": "i", "env": []}], "restartPolicy": "Always", "hostname": "shop",
       "schedulingGates": [{"name": "later"}], "terminationGracePeriodSeconds": 3600, **OF_POD}


def job(bench, release, words="bin/migrate --all a=b", **settings):
    return bench.run("run-job.sh", "staging", release, JOB_COMMAND=words, **settings)


def local(words, thing, *output):
    """What a real kubectl makes of it, by itself."""
    done = subprocess.run([KUBECTL, "label", "--local", "-f", "-", "a=b", *output], input=json.dumps(thing), text=True,
                          check=True, stdout=subprocess.PIPE, timeout=60, env={"HOME": "/proc/nowhere"})
    return done.stdout


def test_a_job_word_by_word(words):
    release = words.shipped("one")
    words.forget_calls()
    kube(words, pod=POD, says=["one", "==> release", "migrated"])
    status, said = job(words, release)
    assert status == 0 and "migrated" in said, said
    name = "deploybot-job-2"
    created = words.world()["kubernetes"]["last_job"]
    assert re.fullmatch(r"2-\d+\.\d{6}", created["metadata"]["annotations"].pop("deploybot/attempt"))
    assert created == {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "annotations": {"deploybot/environment": "staging", "deploybot/release": release}},
        "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 3600, "ttlSecondsAfterFinished": 600, "template": {
            "spec": {
                **OF_POD, "affinity": {"nodeAffinity": NODES}, "restartPolicy": "Never", "containers": [{
                    **OF_CONTAINER, "name": "job", "image": image_of(release),
                    "args": ["bin/migrate", "--all", "a=b"]}]}}}}
    calls = plain(words)
    pods = ["get", "pods", f"--selector=job-name={name}", "--output=TEMPLATE"]
    assert calls[len(PREFLIGHT):] == [
        RIGHTS, ["get", "deployments.apps/shop", "--output=json"],
        ["create", "--filename=PRIVATE/job.json"], pods,
        ["logs", "job-x", "--container=job", "--follow", "--request-timeout=0"], pods,
        ["delete", f"jobs.batch/{name}", "--ignore-not-found", "--cascade=foreground", "--request-timeout=0"]]
    assert words.steps() == ["preflight", "job"]     # what it says is no step
    assert words.world()["kubernetes"]["jobs"] == {} and not (words.state / "apps/staging/job.kubernetes").exists()


def test_a_job_has_what_a_real_kubectl_says_of_the_deployment_and_another_takes_it(words):
    release = words.shipped("one")
    value = 'two\nlines "<&>" }\n                "spec": {'
    pod = {**POD, "containers": [{**CONTAINER, "env": [{"name": "A", "value": value}]}]}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "annotations": {
        "x": '{\n    "spec": {\n        "template": {'}}, "spec": {
            "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}}
    kube(words, says_json=local(words, deployment, "--output=json"))
    assert job(words, release)[0] == 0
    made = words.world()["kubernetes"]["last_job"]
    got = made["spec"]["template"]["spec"]
    assert {key: got[key] for key in OF_POD} == OF_POD and "command" not in got["containers"][0]
    assert got["containers"][0]["env"] == [{"name": "A", "value": value}]
    assert json.loads(local(words, made, "--output=json"))["spec"]["template"]["spec"]["containers"][0]["args"] == [
        "bin/migrate", "--all", "a=b"]


def test_a_job_needs_nothing_of_the_deployment(words):
    status, said = job(words, words.shipped("one"))
    assert status == 0, said
    pod = words.world()["kubernetes"]["last_job"]["spec"]["template"]["spec"]
    assert set(pod) == {"restartPolicy", "containers"} and set(pod["containers"][0]) == {"name", "image", "args"}


@pytest.mark.long
@pytest.mark.parametrize("fields,status,text", [
    ({"pods": ["job-x Running\n", "job-x Failed exit 3\n"]}, 70, "the job ended with status 3"),
    ({"pods": ["job-x Failed\n"]}, 70, "the job ended with status that is not known"),
    ({"pods": ["", 'job-x Pending waiting ContainerCreating ""\n', 'job-x Pending waiting ErrImagePull "none"\n']}, 70,
     "the job could not be started: ErrImagePull"),
    ({"pods": [""], "conditions": "Failed BackoffLimitExceeded\n"}, 70,
     "the job failed, and no pod of it was seen to run: Failed Back"),
    ({"pods": ["job-x Running\n", ""], "conditions": "Failed BackoffLimitExceeded\n"}, 70,
     "the job failed, and how its pod ended is not known: Failed Back"),
    ({"pods": ["job-x Running\n", ""], "conditions": "Failed DeadlineExceeded\n"}, 75, "s, the cluster ended it"),
    ({"pods": ["job-x Failed exit 143\n"], "conditions": "Failed DeadlineExceeded\n"}, 75, "s, the cluster ended it"),
    ({"pod": {"containers": [{"name": "other"}]}}, 70, "the cluster does not say what the container app of shop has"),
    ({"pods": ["job-x Pending\n"]}, 75, "the job took longer than 2 s")])
def test_a_job_that_fails_says_why_and_is_removed(words, fields, status, text):
    release = words.shipped("one")
    kube(words, **fields)
    got, said = job(words, release, JOB_SECONDS="2" if "than 2 s" in text else "60")
    assert got == status and text in "\n".join(said), said
    assert not words.world()["kubernetes"].get("jobs")


def test_a_job_that_is_cancelled_is_stopped(words):
    release = words.shipped("one")
    words.hold_logs()
    process = words.start("run-job.sh", "staging", release, JOB_COMMAND="bin/slow")
    words.until_hangs()
    assert list(words.world()["kubernetes"]["jobs"]) == ["deploybot-job-2"]
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == 143
    assert words.world()["kubernetes"]["jobs"] == {}


def test_the_next_act_stops_a_job_that_a_killed_run_has_left(words):
    release = words.shipped("one")
    words.hold_logs()
    process = words.start("run-job.sh", "staging", release, JOB_COMMAND="bin/slow")
    words.until_hangs()
    words.kill_session(process)
    assert list(words.world()["kubernetes"]["jobs"]) == ["deploybot-job-2"]
    words.let_logs()
    words.forget_calls()
    words.shipped("two")
    assert words.world()["kubernetes"]["jobs"] == {}
    acts = [call[0] for call in plain(words)]
    assert acts.index("delete") < acts.index("patch")     # nothing is released beside it
