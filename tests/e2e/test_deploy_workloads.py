"""Goal: a release reaches every workload of KUBE_WORKLOADS, CronJobs and init containers too; where one fails, all are
set back, the newest first, and what could not be is named.  The real kubectl, before a strict stand-in of a cluster."""
# SPDX-License-Identifier: ISC
import json
import os
import re
import subprocess

import pytest

# pylint: disable-next=unused-import
from kubernetes_aid import IMAGE, KUBECTL, OLD, USER, authority, bench, image_of, rules  # noqa: F401
from runner_client import ROOT, wait_for

WORKLOADS = "deployment/shop, deployment/worker,statefulset/queue,daemonset/agent,cronjob/report"


@pytest.fixture
def many(bench):  # noqa: F811  pylint: disable=redefined-outer-name
    bench.cluster.say("create", namespace="shop", name="worker", image=OLD, progressDeadlineSeconds=2, init=OLD)
    for kind, name in (("StatefulSet", "queue"), ("DaemonSet", "agent"), ("CronJob", "report")):
        bench.cluster.say("create_other", namespace="shop", kind=kind, name=name, image=OLD, inits=f"{IMAGE}:seed")
    with open(os.path.join(ROOT, "deploy", "kubernetes", "workloads.yaml"), encoding="utf-8") as file:
        more = file.read()
    found = re.findall(r"apiGroups: \[(.*?)\], resources: \[(.*?)\], verbs: \[(.*?)\]", more)
    assert len(found) == more.count("\n  - {apiGroups")
    bench.cluster.say("roles", namespace="shop", user=USER, rules=[
        dict(zip(("apiGroups", "resources", "verbs"), (words.split(", ") for words in rule))) for rule in found])
    bench.environment.update(KUBE_WORKLOADS=WORKLOADS, KUBERNETES_ROLLOUT_SECONDS="20")
    return bench


def templates(bench):  # noqa: F811  pylint: disable=redefined-outer-name
    """{KIND/NAME: its pods' template}"""
    found = {}
    for resource in ("deployments", "statefulsets", "daemonsets", "cronjobs"):
        for name, entry in bench.cluster.objects(resource).items():
            spec = entry["spec"].get("jobTemplate", entry)["spec"]
            found[f"{resource[:-1]}/{name}"] = spec["template"]
    return found


def images(bench):  # noqa: F811  pylint: disable=redefined-outer-name
    """Of each workload the images of ours, and the one beside them."""
    return {name: [each["image"] for each in (*spec["spec"]["containers"], *spec["spec"].get("initContainers", []))]
            for name, spec in templates(bench).items()}


def expected(image):
    sets = [image, "side:1", image]
    return {"deployment/shop": [image], "deployment/worker": [image, image], "statefulset/queue": sets,
            "daemonset/agent": sets, "cronjob/report": sets}


@pytest.mark.long
@pytest.mark.first
def test_a_release_and_a_rollback_reach_all_workloads_and_their_init_containers(many):
    first = many.shipped("one")
    assert images(many) == expected(image_of(first))
    assert many.steps() == ["preflight", f"image {first[41:]}", "previous target:revision-1", "release",
                            "rollout deployment/shop", "rollout deployment/worker", "rollout statefulset/queue",
                            "rollout daemonset/agent", "clean-later"]
    assert all(spec["metadata"]["annotations"]["deploybot/release"] == first for spec in templates(many).values())
    second = many.shipped("two")
    assert images(many) == expected(image_of(second))
    status, said = many.run("rollback.sh", "staging", first)
    assert status == 0, said
    assert images(many) == expected(image_of(first))
    assert not many.steps().count("set back")
    undone = [note["path"] for note in many.cluster.of("patch")]
    assert undone[-5:] == [f"/apis/{group}/v1/namespaces/shop/{path}" for group, path in (
        ("apps", "deployments/shop"), ("apps", "deployments/worker"), ("apps", "statefulsets/queue"),
        ("apps", "daemonsets/agent"), ("batch", "cronjobs/report"))]


@pytest.mark.long
@pytest.mark.first
def test_where_one_fails_all_are_set_back_the_newest_first(many):
    many.shipped("one")
    before = templates(many)
    release = many.pushed("bad")
    many.cluster.say("plan", sets={release[41:]: "never ready"})
    many.environment["KUBERNETES_ROLLOUT_SECONDS"] = "5"
    patched = len(many.cluster.of("patch"))
    status, said = many.run("deploy.sh", "staging", release[:40])
    assert status == 75 and said[-1].endswith(
        "statefulset/queue deployment/worker deployment/shop: all run what they ran before"), said
    assert "the rollout of statefulset/queue took longer than 5 s" in said[-1] and "set back" in many.steps()
    assert templates(many) == before
    names = [note["path"].rpartition("/")[2] for note in many.cluster.of("patch")[patched:]]
    assert names == ["shop", "worker", "queue", "queue", "worker", "shop"]


@pytest.mark.long
def test_behind_a_barrier_none_is_set_back(many):
    first = many.pushed("one", many.commit("one"))
    assert many.run("deploy.sh", "staging", first[:40])[0] == 0
    many.forbid()
    release = many.pushed("bad", many.commit("bad"))
    assert many.run("commits.sh", "commits", release[:40], "main", "")[0] == 0  # the mirror has both
    many.cluster.say("plan", sets={release[41:]: "never ready"})
    status, said = many.run("deploy.sh", "staging", release[:40], KUBERNETES_ROLLOUT_SECONDS="2")
    assert status == 75 and "; not rolled back (.deploybot/no-rollback): " in said[-1], said
    assert said[-1].endswith("the new image, as far as the cluster took that: statefulset/queue deployment/worker "
                             "deployment/shop"), said
    assert "set back" not in many.steps() and images(many)["deployment/worker"] == [image_of(release)] * 2


@pytest.mark.long
def test_what_cannot_be_set_back_is_named(many):
    many.shipped("one")
    release = many.pushed("bad")
    worker = "/apis/apps/v1/namespaces/shop/deployments/worker"
    many.cluster.say("plan", sets={release[41:]: "never ready"}, faults=[{
        "verb": "patch", "path": worker, "skip": 1, "times": 9, "status": 500, "reason": "InternalError",
        "message": "etcd is gone"}])
    many.environment["KUBERNETES_ROLLOUT_SECONDS"] = "5"
    status, said = many.run("deploy.sh", "staging", release[:40])
    assert status == 75 and "could NOT be set back: deployment/worker (kubectl" in said[-1], said
    found = images(many)
    assert found["deployment/worker"] == [image_of(release)] * 2
    del found["deployment/worker"]
    assert image_of(release) not in sum(found.values(), [])


@pytest.mark.long
def test_what_the_cluster_refuses_was_not_changed_and_is_set_back_by_nobody(many):
    """Regression: `rollout undo` was advised for it, which would have taken it one release further back."""
    many.shipped("one")
    before = templates(many)
    release = many.pushed("bad")
    worker = "/apis/apps/v1/namespaces/shop/deployments/worker"
    many.cluster.say("plan", sets={}, faults=[{
        "verb": "patch", "path": worker, "times": 9, "status": 403, "reason": "Forbidden",
        "message": "admission webhook \"sign.example.org\" denied the request"}])
    patched = len(many.cluster.of("patch"))
    status, said = many.run("deploy.sh", "staging", release[:40])
    assert status == 70 and "denied the request" in said[-1] and "rollout undo" not in said[-1], said
    assert said[-1].endswith("; deployment/shop: all run what they ran before"), said
    names = [note["path"].rpartition("/")[2] for note in many.cluster.of("patch")[patched:]]
    assert names == ["shop", "worker", "shop"] and templates(many) == before


@pytest.mark.parametrize("said, is_refused", [
    ("Error from server (Forbidden): deployments.apps \"shop\" is forbidden", True),
    ("Error from server: admission webhook \"sign.example.org\" denied the request: no", True),
    ("Warning: old\nThe Deployment \"shop\" is invalid: spec.template: no", True),
    ("error: error validating \"job.json\": error validating data: failed to download openapi: EOF", True),
    ("Error from server (AlreadyExists): error when creating \"job.json\": jobs.batch \"x\" already exists", False),
    ("Error from server (Timeout): the server was unable to return a response in the time allotted, but may still be "
     "processing the request", False),
    ("Error from server: etcdserver: request timed out", False),
    ("Error from server: etcdserver: leader changed", False),
    ("Error from server (InternalError): failed calling webhook: Error from server (Forbidden): no", False),
    ("Unable to connect to the server: EOF", False)])
def test_only_what_the_cluster_says_no_to_was_surely_not_changed(tmp_path, said, is_refused):
    """Regression: of a change that may have been carried out it was said that no workload was changed."""
    (tmp_path / "said").write_text(said)
    script = (f"kubernetes_folder={tmp_path}; . {ROOT}/deploy/transports/kubernetes/calls.sh\n"
              "kubernetes_note_refusal")
    subprocess.run(["/bin/bash", "-c", script], check=True, timeout=60)
    assert (tmp_path / "refused").exists() == is_refused


def applied(many, workload, name, value):
    """As somebody's kubectl apply that changes more than an image: of this release's template alone."""
    said = subprocess.run(
        [KUBECTL, f"--kubeconfig={many.environment['KUBECONFIG']}", "--namespace=shop", f"--cache-dir={many.path}/c",
         "patch", workload, "--type=merge", "--patch",
         json.dumps({"spec": {"template": {"metadata": {"labels": {name: value}}}}})],
        check=False, capture_output=True, timeout=60, text=True)
    assert said.returncode == 0, said.stderr
    many.cluster.say("plan", pace=0.02)


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("first", ["release", "before deploybot"])
def test_a_rollback_that_fails_at_one_sets_all_back_whole_templates_too(many, first):
    release = many.shipped("one", **({"PREVIOUS_RELEASE": ""} if first == "before deploybot" else {}))
    if first == "before deploybot":
        release, digest = "target:revision-1", OLD
    else:
        digest = release[41:]
        many.shipped("two")
    for workload in ("deployment/shop", "deployment/worker", "statefulset/queue"):
        applied(many, workload, "with", "more")
    wait_for(lambda: all(entry["spec"]["replicas"] in (0, 2) for entry in many.cluster.objects("replicasets").values()),
             "the templates to be rolled out", 60)
    before = templates(many)
    many.cluster.say("plan", sets={digest: "never ready"})
    many.environment["KUBERNETES_ROLLOUT_SECONDS"] = "8"
    patched = len(many.cluster.of("patch"))
    status, said = many.run("rollback.sh", "staging", release)
    assert status == 75 and said[-1].endswith(
        "statefulset/queue deployment/worker deployment/shop: all run what they ran before"), said
    assert "release" in many.steps() and "set back" in many.steps()
    assert templates(many) == before
    names = [note["path"].rpartition("/")[2] for note in many.cluster.of("patch")[patched:]]
    assert names == ["shop", "worker", "queue", "queue", "worker", "shop"]


@pytest.mark.long
def test_what_a_rollback_cannot_set_back_is_named(many):
    first = many.shipped("one")
    many.shipped("two")
    many.cluster.say("plan", sets={first[41:]: "never ready"}, faults=[{
        "verb": "patch", "path": "/apis/apps/v1/namespaces/shop/deployments/worker", "skip": 1, "times": 9,
        "status": 500, "reason": "InternalError", "message": "etcd is gone"}])
    many.environment["KUBERNETES_ROLLOUT_SECONDS"] = "5"
    status, said = many.run("rollback.sh", "staging", first)
    assert status == 75 and "could NOT be set back: deployment/worker (kubectl" in said[-1], said
    found = images(many)
    assert found.pop("deployment/worker") == [image_of(first)] * 2
    assert image_of(first) not in sum(found.values(), [])


@pytest.mark.long
@pytest.mark.parametrize("main", ["statefulset/queue", "daemonset/agent"])
def test_the_main_one_may_be_a_statefulset_or_a_daemonset(many, main):
    """With the rights that the docs name for it, and none on Deployments but what the other one needs."""
    kind, _, name = main.partition("/")
    many.environment.update(KUBE_WORKLOADS=f"{main},deployment/worker", KUBE_DEPLOYMENT="", KUBE_CONTAINER="main")
    before = images(many)
    release, status, said = many.release("one", PREVIOUS_RELEASE="")
    assert status == 0, said
    assert f"a release replaces {main} (the main one), deployment/worker" in said
    assert many.steps() == ["preflight", f"image {release[41:]}", "previous target:revision-1", "release",
                            f"rollout {main}", "rollout deployment/worker", "clean-later"]
    assert images(many)[main] == [image_of(release), "side:1", image_of(release)]
    assert many.run("target.sh", "staging", "current")[1][-1] == release
    assert many.run("rollback.sh", "staging", "target:revision-1")[0] == 0
    assert images(many) == before
    second = many.shipped("two", KUBE_WORKLOADS=main)
    bad = many.pushed("bad")
    many.cluster.say("plan", sets={bad[41:]: "never ready"})
    status, said = many.run("deploy.sh", "staging", bad[:40], KUBE_WORKLOADS=main, KUBERNETES_ROLLOUT_SECONDS="3")
    assert status == 75 and f"the rollout of {main} took longer than 3 s" in said[-1], said
    status, said = many.run("rollback.sh", "staging", second, KUBE_WORKLOADS=main)
    assert status == 0 and images(many)[main][0] == image_of(second), said
    status, said = many.run("target.sh", "staging", "preflight", KUBE_WORKLOADS=f"{kind}/none")
    assert status == 78 and f"there is no {kind}" in said[-1].lower() and f"(there are: {name})" in said[-1], said


@pytest.mark.long
@pytest.mark.parametrize("workloads, status, text", [
    ("statefulset/queue", 78, "the main one, statefulset/queue, and KUBE_DEPLOYMENT says deployment/shop: unset"),
    ("deployment/other", 78, "the main one, deployment/other, and KUBE_DEPLOYMENT says deployment/shop: unset"),
    ("cronjob/report,deployment/shop", 78, "the main one, which always runs, and cronjob/report does not"),
    ("deployment/shop,cronjob/report,cronjob/report", 78, "names cronjob/report twice"),
    ("deployment/shop,pod/x", 78, "KUBE_WORKLOADS: \"pod/x\" is not KIND/NAME"),
    ("deployment/shop,cronjob/none", 70, "cronjob/none (KUBE_WORKLOADS) cannot be seen"),
    ("deployment/shop,daemonset/strange", 78, "daemonset/strange has no container with the image"),
    ("deployment/shop,deployment/frontend", 78, f"deployment/frontend has no container with the image {IMAGE} "
     "(there are: app nginx:1.27, none of them is released): take it out of KUBE_WORKLOADS, or where one is to run "
     f"this image: kubectl --namespace shop set image deployment/frontend app={IMAGE}:TAG"),
])
def test_workloads_that_cannot_be_meant_stop_before_anything_is_touched(many, workloads, status, text):
    many.cluster.say("create_other", namespace="shop", kind="DaemonSet", name="strange", image="other:1")
    many.cluster.say("create", namespace="shop", name="frontend", image="nginx:1.27")
    release = many.pushed("one")
    found, said = many.run("deploy.sh", "staging", release[:40], KUBE_WORKLOADS=workloads)
    assert found == status and text in said[-1], said
    assert not many.cluster.of("patch") and "release" not in many.steps()


def test_whoever_keeps_another_one_as_in_git_is_named(many):
    """Regression: the main one's labels alone were looked at."""
    many.cluster.say("create", namespace="shop", name="mailer", image=OLD, notes={
        "argocd.argoproj.io/tracking-id": "fruits:apps/Deployment:shop/mailer"})
    many.cluster.say("create_other", namespace="shop", kind="CronJob", name="nightly", image=OLD, labels={
        "kustomize.toolkit.fluxcd.io/name": "fruits"})
    status, said = many.run("target.sh", "staging", "preflight",
                            KUBE_WORKLOADS="deployment/shop,deployment/mailer,deployment/worker,cronjob/nightly")
    assert status == 0, said
    named = [line for line in said if "is kept as in git by " in line]
    assert [line.partition(", which")[0] for line in named] == [
        "==> warning deployment/mailer is kept as in git by Argo (fruits:apps/Deployment:shop/mailer)",
        "==> warning cronjob/nightly is kept as in git by Flux (fruits)"], said


@pytest.mark.long
def test_what_the_others_ran_before_deploybot_is_rolled_back_to(many):
    before = images(many)
    release = many.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in many.steps() if step.startswith("previous ")]
    status, said = many.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=release)
    assert status == 0, said
    assert images(many) == before


def test_a_role_that_lacks_a_right_for_one_is_told_so(many):
    many.cluster.say("roles", namespace="shop", user="nobody", rules=[])
    config = many.cluster.kubeconfig(token="another-token")
    many.cluster.say("tokens", **{"another-token": "nobody"})
    release = many.pushed("one")
    status, said = many.run("deploy.sh", "staging", release[:40], KUBECONFIG=config)
    assert status == 70 and "release" not in many.steps(), said


@pytest.mark.long
def test_of_one_whose_init_container_alone_is_ours_a_rollback_changes_nothing_else(many):
    many.cluster.say("create", namespace="shop", name="seeder", image="other:1", progressDeadlineSeconds=2, init=OLD)
    many.environment["KUBE_WORKLOADS"] = "deployment/shop,deployment/seeder"
    first = many.shipped("one")
    many.shipped("two")
    status, said = many.run("rollback.sh", "staging", first)
    assert status == 0, said
    assert images(many)["deployment/seeder"] == ["other:1", image_of(first)]


def test_what_somebody_writes_at_one_workload_is_no_line_of_another(tmp_path):
    """Regression: a revision with a line's end in it spoke for the workloads that are asked about in the same call."""
    forged = '7\nworkload deployment/main\nowner ""\ninitContainers a OUR_IMAGE:x'
    part = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {
        "name": "queue", "uid": "1", "annotations": {"deployment.kubernetes.io/revision": forged}},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "i"}]}}}}
    script = f'set -eu; . {ROOT}/deploy/transports/kubernetes/state.sh; printf %s "$KUBERNETES_PARTS"'
    template = subprocess.run(["/bin/bash", "-c", script], check=True, timeout=60,
                              stdout=subprocess.PIPE, text=True, cwd=tmp_path).stdout
    said = subprocess.run([KUBECTL, "label", "--local", "-f", "-", "-o", f"go-template={template}", "a=b"], check=True,
                          input=json.dumps(part), stdout=subprocess.PIPE, text=True, timeout=60,
                          env={"HOME": "/proc/nowhere"}).stdout
    assert [line.split(" ", 1)[0] for line in said.split("\n") if line] == [
        "workload", "uid", "paused", "strategy", "revision", "owner", "release", "containers"], said
    assert "\nrevision 7%0A" in said
