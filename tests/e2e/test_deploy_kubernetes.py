"""Goal: a release to Kubernetes is there whole or not at all, in its namespace alone, and can be rolled back; what
kubectl is given is known word by word, and a real one says it to a strict stand-in."""
# SPDX-License-Identifier: ISC
import json
import os
import shutil
import urllib.request

import pytest

from kubernetes_aid import LOOK, OLD, PREFLIGHT, TOKEN, USER, image_of, plain, role
# pylint: disable-next=unused-import
from kubernetes_aid import authority, bench, rules, words  # noqa: F401
from runner_client import ROOT


# ---- exact words ---------------------------------------------------------------------------------

WAIT = [["rollout", "status", "deployments.apps/shop", "--timeout=900s"], LOOK]


def test_a_release_word_by_word(words):
    release = words.pushed("one")
    status, said = words.run("deploy.sh", "staging", release[:40], DEPLOY_TIMEOUT_SECONDS="3600")
    assert status == 0, said
    cause = f"deploybot: deployment 1, commit {release[:40]}"
    patch = {"metadata": {"annotations": {"kubernetes.io/change-cause": cause, "deploybot/environment": "staging"}},
             "spec": {"template": {"metadata": {"annotations": {"deploybot/release": release}},
                                   "spec": {"containers": [{"name": "app", "image": image_of(release)}]}}}}
    calls = plain(words)
    assert json.loads(calls[-3][3].removeprefix("--patch=")) == patch
    calls[-3][3] = "PATCH"
    assert calls == [*PREFLIGHT, LOOK, ["patch", "deployments.apps/shop", "--type=strategic", "PATCH"], *WAIT]
    assert words.steps() == [
        "preflight", f"image {release[41:]}", "previous target:revision-1", "release", "rollout", "clean-later"]


def test_a_rollback_word_by_word(words):
    first, _ = words.shipped("one"), words.shipped("two")
    words.forget_calls()
    status, said = words.run("rollback.sh", "staging", first, DEPLOY_TIMEOUT_SECONDS="3600", DEPLOYMENT_ID="77")
    assert status == 0, said
    calls = plain(words)
    assert json.loads(calls[-3][3].removeprefix("--patch=")) == {
        "metadata": {"annotations": {"kubernetes.io/change-cause": "deploybot: deployment 77, revision 2"}},
        "spec": {"template": {
            "$patch": "replace", "metadata": {"annotations": {"deploybot/release": first}, "labels": {"app": "shop"}},
            "spec": {"containers": [{"image": image_of(first), "name": "app"}]}}}}
    calls[-3][3] = "PATCH"
    assert calls == [*PREFLIGHT, LOOK, *2 * [["get", "replicasets.apps", "--output=TEMPLATE"]],
                     ["patch", "deployments.apps/shop", "--type=strategic", "PATCH"], *WAIT]
    assert words.steps() == ["preflight", "release", "rollout"]


def test_logs_word_by_word(words):
    status, said = words.run("target.sh", "staging", "logs", "7")
    assert status == 0 and said[-1] == "listening"
    assert plain(words)[-1] == ["logs", "deployments.apps/shop", "--container=app", "--tail=7"]    # pods are not seen


@pytest.mark.parametrize("settings,text", [
    ({"KUBE_DEPLOYMENT": None}, "KUBE_DEPLOYMENT is not set"),
    ({"KUBE_DEPLOYMENT": "-oops"}, "is not a name in Kubernetes"),
    ({"KUBE_DEPLOYMENT": "a b"}, "is not a name in Kubernetes"),
    ({"KUBE_NAMESPACE": "Shop"}, "KUBE_NAMESPACE"), ({"STAGING_KUBE_NAMESPACE": "a/b"}, "STAGING_KUBE_NAMESPACE"),
    ({"KUBE_CONTAINER": "app;id"}, "KUBE_CONTAINER"), ({"KUBE_CONTAINER": "web"}, "there are: app"),
    ({"KUBECONFIG": None}, "KUBECONFIG is not set"),
    ({"KUBECONFIG": "kubeconfig"}, "KUBECONFIG: \"kubeconfig\" is not the absolute path"),
    ({"STAGING_KUBECONFIG": "/a:/b"}, "STAGING_KUBECONFIG: \"/a:/b\" is not the absolute path of one file"),
    ({"KUBECONFIG": "/nowhere"}, "no file /nowhere")], ids=str)
def test_a_setting_that_cannot_be_meant_stops_before_anything_is_touched(words, settings, text):
    release, status, said = words.release("one", **settings)
    assert (status, text in said[-1]) == (78, True), said
    assert words.world()["kubernetes"]["revisions"] == [["", OLD]] and release not in said


def test_a_kubeconfig_that_others_may_read_and_a_missing_kubectl_are_said(words):
    os.chmod(words.environment["KUBECONFIG"], 0o640)
    _, status, said = words.release("one")
    assert status == 78 and "chmod 600" in said[-1] and not words.calls("kubectl")
    os.chmod(words.environment["KUBECONFIG"], 0o600)
    (words.bin / "kubectl").unlink()
    _, status, said = words.release("one")
    assert status == 78 and "the program kubectl is missing" in said[-1] and "kubernetes-client" in said[-1]


# ---- the real kubectl ----------------------------------------------------------------------------

@pytest.mark.long
def test_a_renamed_environment_keeps_its_deployment(bench):
    """What names it by its former name is its own, and nobody else's."""
    bench.shipped("one")
    (bench.path / "apps").mkdir()
    own = ("REPOSITORY_URL", "GITHUB_REPOSITORY", "REGISTRY_IMAGE", "KUBE_NAMESPACE", "KUBE_DEPLOYMENT")
    text = "".join(f"{name}={bench.environment[name]}\n" for name in own if name in bench.environment)
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    release = bench.pushed("two")
    for former, wanted in (("web", 78), (".", 0)):
        (bench.path / "apps" / "shop.env").write_text(text + f"RENAMED_FROM={former}\n")
        status, said = bench.run("target.sh", "shop/staging", "preflight")
        assert status == wanted, said
        assert wanted == 0 or "is 'staging', not shop/staging" in said[-1], said
        if wanted:
            shutil.rmtree(bench.state / "apps/shop.staging")
    status, said = bench.run("deploy.sh", "shop/staging", release[:40])
    assert status == 0, said
    assert bench.cluster.deployment()["metadata"]["annotations"]["deploybot/environment"] == "shop/staging"


def test_a_release_is_rolled_out_by_digest(bench):
    release = bench.shipped("one")
    assert bench.cluster.pods() == {image_of(release): [True, True]}
    patch, = bench.cluster.of("patch")
    assert patch["type"] == "application/strategic-merge-patch+json"
    assert patch["path"].endswith("/shop/deployments/shop")
    deployment = bench.cluster.deployment()
    assert deployment["metadata"]["annotations"]["kubernetes.io/change-cause"].endswith(release[:40])
    assert deployment["spec"]["template"]["metadata"]["annotations"] == {"deploybot/release": release}
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    status, said = bench.run("target.sh", "staging", "current")
    assert (status, said[-1]) == (0, release)
    assert bench.run("target.sh", "staging", "logs", "3") == (0, ["==> preflight", *2 * ["listening"]])    # pods


@pytest.mark.long
def test_nothing_but_the_rights_in_the_docs_is_needed_and_each_of_them_is(bench):
    rules = role()
    assert [rule["resourceNames"] for rule in rules if "deployments" in rule["resources"]] == [["shop"]]
    bench.cluster.say("tokens", exact="exact")
    bench.cluster.say("roles", namespace="shop", user="exact", rules=rules)
    bench.cluster.kubeconfig("exact")
    bench.cluster.say("plan", images={bench.pushed("bad")[41:]: "CrashLoopBackOff"})
    first = bench.shipped("one")
    bench.shipped("two")
    assert bench.run("rollback.sh", "staging", first)[0] == 0
    # A failure shows why, for which it looks at pods, events and logs.
    bench.release("bad", KUBERNETES_ROLLOUT_SECONDS="2")
    assert bench.run("target.sh", "staging", "logs")[0] == 0
    bench.cluster.say("create", namespace="shop", name="another", image=OLD)
    status, said = bench.run("target.sh", "staging", "preflight", KUBE_DEPLOYMENT="another")
    assert status == 70 and "resourceNames" in said[-1], said
    used = {(note["resource"], note["verb"]) for note in bench.cluster.requests()
            if note.get("status") != 403 and note["verb"] not in (None, "review")}
    assert used == {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.long
@pytest.mark.parametrize("resource,verb", [
    ("deployments", "patch"), ("deployments", "watch"), ("deployments", "list"), ("deployments", "get"),
    ("events", "list"),
    ("replicasets", "list"), ("pods", "list"), ("pods", "get"), ("pods/log", "get")])
def test_a_missing_right_is_named_before_anything_is_touched(bench, rules, resource, verb):
    fewer = [{**rule, "verbs": [each for each in rule["verbs"] if each != verb or resource not in rule["resources"]]}
             for rule in rules]
    bench.cluster.say("tokens", weak="weak")
    bench.cluster.say("roles", namespace="shop", user="weak", rules=fewer)
    bench.cluster.kubeconfig("weak")
    _, status, said = bench.release("one")
    assert status == 70 and "the Role in docs/deploy-scripts.md" in said[-1], said
    assert resource.split("/")[0] in said[-1] and verb in said[-1] and "release" not in bench.steps()
    assert not bench.cluster.of("patch")


@pytest.mark.long
def test_a_rollback_brings_the_recorded_revision_back(bench):
    first, second = bench.shipped("one"), bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0 and bench.cluster.pods() == {image_of(first): [True, True]}, said
    template = next(made["spec"]["template"] for made in bench.cluster.objects("replicasets").values()
                    if made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "4")
    assert list(template["metadata"]["labels"]) == ["app", "pod-template-hash"]     # once, of its own
    assert bench.cluster.deployment()["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "4"
    # And forth again, by the commit alone.
    assert bench.run("rollback.sh", "staging", second[:40])[0] == 0
    assert bench.cluster.pods() == {image_of(second): [True, True]}
    assert bench.run("target.sh", "staging", "current")[1][-1] == second


@pytest.mark.long
def test_the_first_release_is_rolled_back_to_the_revision_before_deploybot(bench):
    release, status, said = bench.release("one", PREVIOUS_RELEASE="")
    assert status == 0 and "previous target:revision-1" in bench.steps(), said
    status, said = bench.run("rollback.sh", "staging", "target:revision-1", PREVIOUS_RELEASE=release)
    assert status == 0 and bench.cluster.pods() == {OLD: [True, True]}, said
    status, said = bench.run("rollback.sh", "staging", "target:revision-9")
    assert status == 64 and "what ran before deploybot is not recorded any more" in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_a_deployment_that_keeps_no_revision_has_none_before_deploybot(bench):
    bench.cluster.say("create", namespace="shop", name="forgetful", image=OLD, revisionHistoryLimit=0)
    _, status, said = bench.release("one", PREVIOUS_RELEASE="", KUBE_DEPLOYMENT="forgetful")
    assert status == 0 and not any(step.startswith("previous") for step in bench.steps()), said


@pytest.mark.long
def test_where_no_revision_is_recorded_any_more_the_image_is_set(bench):
    bench.cluster.say("create", namespace="shop", name="forgetful", image=OLD, revisionHistoryLimit=0)
    bench.environment["KUBE_DEPLOYMENT"] = "forgetful"
    first, _ = bench.shipped("one"), bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0 and "no revision with it is recorded any more: its image is set" in said
    assert bench.cluster.pods()[image_of(first)] == [True, True]
    assert bench.cluster.of("patch")[-1]["type"] == "application/strategic-merge-patch+json"


@pytest.mark.long
def test_a_revision_of_another_deployment_is_not_taken(bench):
    bench.cluster.say("create", namespace="shop", name="twin", image=OLD)
    first = bench.shipped("one", KUBE_DEPLOYMENT="twin")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0 and "no revision with it is recorded any more: its image is set" in said


@pytest.mark.long
def test_a_rollback_to_an_image_that_is_gone_touches_nothing(bench):
    status, said = bench.run("rollback.sh", "staging", "ab" * 20 + "@sha256:" + "0" * 64)
    assert status == 64 and "not there any more" in said[-1] and not bench.cluster.of("patch")


@pytest.mark.long
def test_one_container_among_several(bench):
    bench.cluster.say("create", namespace="shop", name="pair", image=OLD, container="proxy,app")
    _, status, said = bench.release("one", KUBE_DEPLOYMENT="pair")
    assert status == 78 and "several containers (proxy app): KUBE_CONTAINER" in said[-1]
    release = bench.shipped("one", KUBE_DEPLOYMENT="pair", KUBE_CONTAINER="app")
    images = [entry["image"] for entry in bench.cluster.deployment("pair")["spec"]["template"]["spec"]["containers"]]
    assert images == [OLD, image_of(release)]


@pytest.mark.long
def test_what_was_set_by_hand_is_no_release(bench):
    assert bench.run("target.sh", "staging", "current") == (0, ["==> preflight"])
    bench.shipped("one")
    assert "ran before this: " not in "\n".join(bench.said())


@pytest.mark.long
def test_two_environments_cannot_share_one_deployment(bench):
    bench.shipped("one")
    _, status, said = bench.release("two", "production")
    assert status == 78 and "PRODUCTION_KUBE_NAMESPACE" in said[-1].replace("<ENV>", "PRODUCTION")
    assert len(bench.cluster.of("patch")) == 1


@pytest.mark.parametrize("labels,notes,who", [
    ({"argocd.argoproj.io/instance": "fruits"}, {}, "Argo (fruits)"),
    pytest.param({}, {"argocd.argoproj.io/tracking-id": "fruits:apps/Deployment:shop/owned"}, "Argo (fruits:apps/",
                 marks=pytest.mark.long),
    pytest.param({"kustomize.toolkit.fluxcd.io/name": "fruits"}, {}, "Flux (fruits)", marks=pytest.mark.long),
    pytest.param({"helm.toolkit.fluxcd.io/name": "fruits"}, {}, "Flux (fruits)", marks=pytest.mark.long),
    pytest.param({"app.kubernetes.io/instance": "fruits"}, {}, None, marks=pytest.mark.long)], ids=str)
def test_a_deployment_that_argo_or_flux_keeps_is_warned_of(bench, labels, notes, who):
    bench.cluster.say("create", namespace="shop", name="owned", image=OLD, labels=labels, notes=notes)
    status, said = bench.run("target.sh", "staging", "preflight", KUBE_DEPLOYMENT="owned")
    warned = [line for line in said if "kept as in git" in line]
    assert status == 0 and len(warned) == (who is not None) and (who is None or who in warned[0]), said


@pytest.mark.long
def test_a_token_in_a_file_is_read_anew_and_the_pods_own_serves_in_the_cluster(bench):
    """With the configuration that users get, moved to where this machine has such files."""
    with open(os.path.join(ROOT, "deploy", "kubernetes", "in-cluster.yaml"), encoding="utf-8") as file:
        text = file.read()
    pod = bench.path / "serviceaccount"
    pod.mkdir()
    (pod / "ca.crt").write_bytes((bench.cluster.authority / "ca.pem").read_bytes())
    text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(pod))
    config = bench.path / "in-cluster"
    config.write_text(text.replace("https://kubernetes.default.svc", bench.cluster.url))
    config.chmod(0o600)
    for token in ("first", "second"):
        bench.cluster.say("tokens", **{token: USER})
        (pod / "token").write_text(token)
        _, status, said = bench.release(token, KUBECONFIG=str(config))
        assert status == 0, said
    (pod / "token").write_text("third")
    _, status, said = bench.release("third", KUBECONFIG=str(config))
    assert status == 70 and "the cluster does not know who we are" in said[-1], said


# ---- the stand-in is strict ----------------------------------------------------------------------

@pytest.mark.long
@pytest.mark.parametrize("kind,query,patch,status", [
    ("strategic-merge-patch", "?fieldValidation=Strict", {"spec": {"replica": 1}}, 400),
    ("strategic-merge-patch", "", {"metadata": {"annotations": {"a": 1}}}, 400),
    ("strategic-merge-patch", "", {"metadata": {"resourceVersion": "1"}}, 409),
    ("strategic-merge-patch", "", {"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}}, 422),
    ("strategic-merge-patch", "", {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, 400),
    ("strategic-merge-patch", "", {"spec": {"template": {"spec": {
        "containers": [{"name": "app", "image": ""}]}}}}, 422),
    ("strategic-merge-patch", "?force=true", {}, 400), ("apply-patch", "", {}, 415),
    ("merge-patch", "", {"metadata": {"name": "x"}}, 422), ("merge-patch", "", {}, 200)], ids=str)
def test_the_cluster_refuses_what_a_real_one_refuses(bench, kind, query, patch, status):
    request = urllib.request.Request(
        f"{bench.cluster.url}/apis/apps/v1/namespaces/shop/deployments/shop{query}", json.dumps(patch).encode(),
        {"Content-Type": f"application/{kind}+json", "Authorization": f"Bearer {TOKEN}"}, method="PATCH")
    try:
        with urllib.request.urlopen(request, timeout=60, context=bench.cluster.tls) as answer:
            got = answer.status
    except urllib.error.HTTPError as error:
        got = error.code
    assert got == status
    bench.cluster.record.unlink()
