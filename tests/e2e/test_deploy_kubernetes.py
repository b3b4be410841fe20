"""Goal: a release to Kubernetes is there whole or not at all, in its namespace alone, and can be rolled back, however
the cluster fails; what kubectl is given is known word by word, and a real one says it to a strict stand-in."""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest

from commands.recorder import records_in
from commands_aid import DEPLOY, CommandBench, stand_in
from runner_client import ROOT, wait_for

# The client that the tests use; any since Debian's 1.20 will do.
KUBECTL = os.environ.get("KUBECTL") or shutil.which("kubectl")
PEER = os.path.join(ROOT, "tests", "peers", "kubernetes.py")
USER = "system:serviceaccount:shop:deploybot"
TOKEN = "a-token-that-nobody-may-see"
OLD = "registry.example.org/team/shop:by-hand"
IMAGE = "registry.example.org/team/shop"
# Started thousands of times, for a question each: Go's threads and garbage collector cost it a third of its time.
KUBECTL_IN_A_HURRY = {"GOMAXPROCS": "1", "GOGC": "off"}


def role():
    """The rules of the Role in docs/deploy-scripts.md, as kubectl reads them."""
    with open(os.path.join(ROOT, "docs", "deploy-scripts.md"), encoding="utf-8") as file:
        text = re.search(r"exactly them. -->\n```yaml\n(.*?)```", file.read(), re.S)[1]
    documents = []
    for document in text.split("---\n"):
        # --local: nobody is asked; and nobody can make that HOME, as kubectl does for its cache.
        said = subprocess.run([KUBECTL, "label", "--local", "-f", "-", "-o", "json", "a=b"], input=document, text=True,
                              check=True, stdout=subprocess.PIPE, timeout=60, env={"HOME": "/proc/nowhere"})
        documents.append(json.loads(said.stdout))
    account, rules, binding = documents[0], documents[1], documents[2]
    assert binding["roleRef"]["name"] == rules["metadata"]["name"]
    assert binding["subjects"][0]["name"] == account["metadata"]["name"]
    return rules["rules"]


@pytest.fixture(scope="session")
def rules():
    """Those, for Deployments of any name: the tests have many."""
    return [{key: value for key, value in rule.items() if key != "resourceNames"} for rule in role()]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A CA of our own (ca.pem) and the API's certificate with its key (server.pem)."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*words):
        subprocess.run(["/usr/bin/openssl", *words], check=True, capture_output=True, cwd=folder, timeout=60)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=cluster", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *key, "-subj", "/CN=api", "-keyout", "api.key", "-out", "api.csr")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "api.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile", "names",
            "-out", "api.pem")
    (folder / "server.pem").write_text((folder / "api.pem").read_text() + (folder / "api.key").read_text())
    return folder


class Cluster:
    """The stand-in's process, and what a test says to it."""

    def __init__(self, path, authority):
        self.path, self.authority = path, authority
        self.record = path / "requests"
        port_file = path / "port"
        self.process = subprocess.Popen(
            ["/usr/bin/python3", PEER, "--certificate", str(authority / "server.pem"), "--record", str(self.record),
             "--port-file", str(port_file)], stdout=subprocess.DEVNULL, stderr=sys.stderr)
        self.port = int(wait_for(lambda: port_file.exists() and port_file.read_text(), "the cluster's port", 60))
        self.url = f"https://127.0.0.1:{self.port}"
        self.tls = ssl.create_default_context(cafile=authority / "ca.pem")

    def say(self, act, **said):
        request = urllib.request.Request(f"{self.url}/stand-in/{act}", json.dumps(said).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60, context=self.tls) as answer:
            return json.load(answer)

    def kubeconfig(self, token=TOKEN, url=None, ca="ca.pem"):
        file = self.path / "kubeconfig"
        file.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "preferences": {},
            "clusters": [{"name": "c", "cluster": {"server": url or self.url, "certificate-authority-data":
                                                   base64.b64encode((self.authority / ca).read_bytes()).decode()}}],
            "users": [{"name": "u", "user": {"token": token}}],
            # Another namespace than the one that is meant, so that one call without --namespace would be seen.
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "other"}}]}))
        file.chmod(0o600)
        return str(file)

    def objects(self, resource, namespace="shop"):
        return self.say("objects").get(f"{namespace}/{resource}", {})

    def deployment(self, name="shop", namespace="shop"):
        return self.objects("deployments", namespace)[name]

    def requests(self):
        return records_in(self.record)

    def of(self, verb):
        return [note for note in self.requests() if note["verb"] == verb]

    def pods(self):
        """{image: [is ready]} of what there is."""
        found = {}
        for pod in self.objects("pods").values():
            ready = pod["status"].get("containerStatuses", [{"ready": False}])[0]["ready"]
            found.setdefault(pod["spec"]["containers"][0]["image"], []).append(ready)
        return found

    def done(self):
        self.process.terminate()
        self.process.wait(timeout=30)


class KubeBench(CommandBench):
    """A bench whose registry has the images of commits, as CI has pushed them."""

    def __init__(self, path, tools_folder, commands):
        super().__init__(path, tools_folder, commands, ("kubernetes",))
        self.environment.update(DEPLOY_TRANSPORT="kubernetes", IMAGE_SOURCE="registry", KUBE_NAMESPACE="shop",
                                KUBE_DEPLOYMENT="shop", KUBERNETES_AGAIN_SECONDS="1",
                                **KUBECTL_IN_A_HURRY)

    def hold_logs(self):
        """kubectl logs does not end."""
        real = os.readlink(self.bin / "kubectl")
        (self.bin / "kubectl").unlink()
        (self.bin / "kubectl").write_text(f"""#!/bin/bash
case " $* " in
*" logs "*) echo $$ >{self.stand}/hangs; exec sleep 600 ;;
esac
exec {real} "$@"
""")
        (self.bin / "kubectl").chmod(0o755)
        self.held = real

    def let_logs(self):
        (self.bin / "kubectl").unlink()
        os.symlink(self.held, self.bin / "kubectl")

    def pushed(self, text, commit=None):
        """A commit whose image is in the registry: COMMIT@sha256:…"""
        commit = commit or hashlib.sha1(text.encode()).hexdigest()
        manifest = json.dumps({"schemaVersion": 2, "config": text})
        digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        kept = self.world()["registry"]
        kept.setdefault(IMAGE, {}).update({commit: manifest, digest: manifest})
        self.change_world(registry=kept)
        return f"{commit}@{digest}"

    def release(self, text, environment="staging", **settings):
        """Deploys what CI pushed as `text`: (release, status, log)."""
        release = self.pushed(text)
        return release, *self.run("deploy.sh", environment, release[:40], **settings)

    def shipped(self, text, **settings):
        release, status, said = self.release(text, **settings)
        assert status == 0, said
        return release


@pytest.fixture
def words(tmp_path, tools_folder):
    """With a kubectl that only notes its words."""
    bench = KubeBench(tmp_path, tools_folder, ("curl", "kubectl"))
    config = tmp_path / "kubeconfig"
    config.write_text("{}")
    config.chmod(0o600)
    bench.environment["KUBECONFIG"] = str(config)
    bench.change_world(kubernetes={"name": "shop", "uid": "5a", "revisions": [["", OLD]]})
    yield bench
    bench.done()


@pytest.fixture
def bench(tmp_path, tools_folder, authority, rules):
    """With the real kubectl and the stand-in of a cluster, where another namespace is full too."""
    made = KubeBench(tmp_path, tools_folder, ("curl",))
    os.symlink(os.path.realpath(KUBECTL), made.bin / "kubectl")
    made.cluster = Cluster(tmp_path, authority)
    made.environment["KUBECONFIG"] = made.cluster.kubeconfig()
    made.cluster.say("tokens", **{TOKEN: USER})
    made.cluster.say("roles", namespace="shop", user=USER, rules=rules)
    for namespace in ("shop", "other", "default"):
        made.cluster.say("create", namespace=namespace, name="shop", image=OLD, progressDeadlineSeconds=60)
    others = [made.cluster.deployment(namespace=namespace) for namespace in ("other", "default")]
    yield made
    made.done()
    try:
        if made.cluster.process.poll() is None:
            assert [made.cluster.deployment(namespace=namespace) for namespace in ("other", "default")] == others
        for note in made.cluster.requests():    # nothing outside of the namespace was ever asked for
            assert note["namespace"] in ("shop", None), note
            assert note["status"] != 400 if "status" in note and note["resource"] != "pods/log" else True, note
        assert TOKEN not in "".join(log.read_text() for log in tmp_path.glob("log.*"))
        for folder, _, names in os.walk(made.state):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    assert TOKEN.encode() not in file.read(), name
    finally:
        made.cluster.done()


def image_of(release):
    return f"{IMAGE}@{release.partition('@')[2]}"


# ---- exact words -------------------------------------------------------------------------------


def plain(bench):
    """The calls of kubectl, with what is new each time as a word, and without what all have."""
    common = [f"--kubeconfig={bench.environment['KUBECONFIG']}", "--cache-dir=PRIVATE/cache", "--namespace=shop",
              "--request-timeout=15s"]
    found = []
    for call in bench.calls("kubectl"):
        call = [re.sub(r"/dev/shm/deploybot\.\d+\.\d+", "PRIVATE", word) for word in call[1:]]
        assert call[:4] == common, call
        found.append([re.sub(r"(?s)=go-template=.*", "=TEMPLATE", word) for word in call[4:]])
    return found


LOOK = ["get", "deployments.apps/shop", "--output=TEMPLATE"]
RIGHTS = ["create", "--filename=PRIVATE/rights.json", "--validate=false", "--output=TEMPLATE"]
PREFLIGHT = [LOOK, RIGHTS]
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
        "preflight", f"image {release[41:]}", "previous target:revision-1", "release", "rollout", "clean"]


def test_a_rollback_word_by_word(words):
    first, _ = words.shipped("one"), words.shipped("two")
    words.forget_calls()
    status, said = words.run("rollback.sh", "staging", first, DEPLOY_TIMEOUT_SECONDS="3600")
    assert status == 0, said
    assert plain(words) == [*PREFLIGHT, LOOK, ["get", "replicasets.apps", "--output=TEMPLATE"],
                            ["rollout", "undo", "deployments.apps/shop", "--to-revision=2"], *WAIT]
    assert words.steps() == ["preflight", "release", "rollout"]


def test_logs_word_by_word(words):
    status, said = words.run("target.sh", "staging", "logs", "7")
    assert status == 0 and said[-1] == "listening"
    assert plain(words)[-1] == ["logs", "deployments.apps/shop", "--container=app", "--tail=7"]    # pods are not seen


# ---- a job -------------------------------------------------------------------------------------


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


def kube(bench, **fields):
    bench.change_world(kubernetes={**bench.world()["kubernetes"], **fields})


def job(bench, release, words="bin/migrate --all a=b", **settings):
    return bench.run("run-job.sh", "staging", release, JOB_COMMAND=words, **settings)


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


def local(words, thing, *output):
    """What a real kubectl makes of it, by itself."""
    done = subprocess.run([KUBECTL, "label", "--local", "-f", "-", "a=b", *output], input=json.dumps(thing), text=True,
                          check=True, stdout=subprocess.PIPE, timeout=60, env={"HOME": "/proc/nowhere"})
    return done.stdout


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


@pytest.mark.long
@pytest.mark.parametrize("when,status", [("get", 75), ("create", 75), ("patch", 75), ("rollout", 75)])
def test_a_kubectl_that_hangs_is_ended(words, when, status):
    words.environment.update(KUBERNETES_ASK_SECONDS="1", KUBERNETES_ROLLOUT_SECONDS="1", KILL_SECONDS="1")
    real = words.bin / "kubectl"
    target = os.readlink(real)
    real.unlink()   # its act stands behind the options that all calls have
    hang = '{ trap "" TERM; cat <>"$STAND/fifo"; }'
    real.write_text(f'#!/bin/bash\n[[ $5 != {when} ]] || {hang}\nexec {target} "$@"\n')
    os.mkfifo(words.stand / "fifo")
    real.chmod(0o755)
    process = words.start("deploy.sh", "staging", words.pushed("one")[:40])
    assert process.wait(timeout=120) == status and "took longer than" in words.said()[-1], words.said()
    wait_for(lambda: not words.session(process), "end of the deaf one")


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


# ---- the real kubectl --------------------------------------------------------------------------


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


def test_a_rollback_brings_the_recorded_revision_back(bench):
    first, second = bench.shipped("one"), bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0 and bench.cluster.pods() == {image_of(first): [True, True]}, said
    assert bench.cluster.of("patch")[-1]["type"] == "application/json-patch+json"      # kubectl rollout undo
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
    assert "ran before this: no release that is known" in "\n".join(bench.said())


# ---- bad weather -------------------------------------------------------------------------------


@pytest.mark.parametrize("why, says", [
    pytest.param("CrashLoopBackOff", "no database: bye (of the previous one)", marks=pytest.mark.long),
    ("NotReady", "no database: bye")])
def test_a_rollback_takes_what_the_new_pods_logged_and_nothing_of_the_old(bench, why, says):
    first, bad = bench.shipped("one"), bench.pushed("bad")
    bench.cluster.say("create", namespace="shop", name="hasty", image=image_of(first), progressDeadlineSeconds=1)
    bench.cluster.say("plan", images={bad[41:]: why})
    bench.cluster.say("logs", **{bad[41:]: "no database: bye"})
    bad, status, said = bench.release("bad", KUBE_DEPLOYMENT="hasty")
    assert status == 70 and f"|app| {says}" in said and f"  {says}" not in said, said
    status, said = bench.run("target.sh", "staging", "logs", "7", KUBE_DEPLOYMENT="hasty")
    assert status == 0 and set(said[1:]) == {says}, said
    _, said = bench.run("rollback.sh", "staging", first, KUBE_DEPLOYMENT="hasty", PREVIOUS_RELEASE=bad,
                        FAILURE_LOG_LINES="5")
    assert {line for line in said if line.startswith("|app| ")} == {f"|app| {says}"}, said
    assert bench.steps()[:2] == ["preflight", "application log"]


@pytest.mark.long
@pytest.mark.parametrize("why,text", [
    ("ErrImagePull", "may the cluster pull from registry.example.org"),
    ("CrashLoopBackOff", "last lines are in the log"),
    ("NotReady", "readinessProbe"), ("Unschedulable", "give the cluster room")])
def test_a_rollout_that_fails_says_why_and_the_old_pods_go_on(bench, why, text):
    first = bench.shipped("one")
    bad = bench.pushed("bad")
    bench.cluster.say("create", namespace="shop", name="hasty", image=image_of(first), progressDeadlineSeconds=1)
    bench.cluster.say("plan", images={bad[41:]: why})
    bench.cluster.say("logs", **{bad[41:]: "no database: bye"})
    _, status, said = bench.release("bad", KUBE_DEPLOYMENT="hasty")
    assert status == 70 and text in said[-1] and "the rollout of hasty failed: the pod hasty-" in said[-1], said
    assert "release" in bench.steps() and bench.cluster.pods()[image_of(first)] == [True] * 4
    log = "\n".join(said)
    assert "exceeded its progress deadline" in log and "event 20" in log
    if why == "CrashLoopBackOff":
        assert "no database: bye (of the previous one)" in log
    if why == "NotReady":
        assert "no database: bye" in log
    # The same once more, as somebody corrected what was wrong around it: it is tried anew.
    bench.cluster.say("plan", images={})
    bench.shipped("bad", KUBE_DEPLOYMENT="hasty")
    assert bench.cluster.pods()[image_of(bad)] == [True, True]


@pytest.mark.long
def test_a_rollout_that_takes_too_long_is_out_of_time_and_can_be_rolled_back(bench):
    first = bench.shipped("one")
    bench.cluster.say("plan", images={bench.pushed("bad")[41:]: "NotReady"})
    _, status, said = bench.release("bad", KUBERNETES_ROLLOUT_SECONDS="2")
    assert status == 75 and "took longer than 2 s" in said[-1]
    assert bench.run("rollback.sh", "staging", first)[0] == 0
    assert bench.cluster.pods() == {image_of(first): [True, True]}


@pytest.mark.long
def test_a_run_that_is_ended_before_the_cluster_gives_up_says_why(bench):
    """Regression: it was ended while it waited, and nobody had looked at the pods."""
    bench.cluster.say("plan", images={bench.pushed("bad")[41:]: "CrashLoopBackOff"})
    bench.environment["DEPLOYMENT_ID"] = "8"
    _, status, said = bench.release("bad", RUN_ID="1", DEPLOY_TIMEOUT_SECONDS="15")
    assert status == 75 and re.search(r"took longer than (1?[0-9]) s: the pod .*CrashLoopBackOff", said[-1]), said


FETCH_TAKES = 5     # more than the calls of a slow machine


@pytest.mark.parametrize("settings, seconds", [
    (":", 900), ("DEPLOY_TIMEOUT_SECONDS=600", 900), ("RUN_ID=1 DEPLOY_TIMEOUT_SECONDS=600", 600 - 100 - 30),
    ("RUN_ID=1 DEPLOY_TIMEOUT_SECONDS=200 migration_seconds=50", 200 + 50 - 100 - 10),
    ("RUN_ID=1 DEPLOY_TIMEOUT_SECONDS=200 migration_seconds=30 fetch_seconds=20", 200 + 30 + 20 - 100 - 10),
    ("RUN_ID=1 DEPLOY_TIMEOUT_SECONDS=60", 1), ("RUN_ID=1 DEPLOY_TIMEOUT_SECONDS=3600", 900)])
def test_a_rollout_is_waited_for_as_long_as_its_run_has(settings, seconds):
    script = f"""migration_seconds=0 fetch_seconds=0 here={DEPLOY}; . {DEPLOY}/transports/kubernetes.sh
SECONDS=100; {settings}; kubernetes_find_patience; echo $kubernetes_patience"""
    done = subprocess.run(["bash", "-c", script], check=True, timeout=60, stdout=subprocess.PIPE, text=True)
    assert int(done.stdout) == seconds


def test_a_rollout_waits_as_long_behind_a_fetch_that_took_its_time(words):
    """Regression: a fetch, for which the run's deadline waits, was taken from the rollout of a good release."""
    os.symlink(stand_in("docker"), words.bin / "docker")
    (words.bin / "git").write_text(f"""#!/bin/bash
[[ " $* " != *" fetch "* ]] || sleep {FETCH_TAKES}
exec /usr/bin/git "$@"
""")
    (words.bin / "git").chmod(0o755)
    words.wrap("kubectl", f'[[ "$*" != *"rollout status"* ]] || echo "$EPOCHREALTIME" >{words.stand}/began')
    commit = words.commit("one")
    started = time.time()
    status, said = words.run("deploy.sh", "staging", commit, IMAGE_SOURCE="build", DEPLOY_TIMEOUT_SECONDS="300")
    assert status == 0 and "git fetch" in words.steps(), said
    used = float((words.stand / "began").read_text()) - started - FETCH_TAKES
    waited = next(int(call[3][len("--timeout="):-1]) for call in plain(words) if call[:2] == ["rollout", "status"])
    assert waited >= 300 - 15 - used - 1


def test_a_missing_deployment_is_said_with_those_that_are_there(bench):
    _, status, said = bench.release("one", KUBE_DEPLOYMENT="shap")
    assert status == 78 and "there is no Deployment shap in the namespace shop (there are: shop)" in said[-1]


def test_another_namespace_is_refused_by_the_cluster_and_said(bench, rules):
    """And it is the setting that decides, not the context that kubeconfig names."""
    bench.cluster.say("roles", namespace="quiet", user=USER, rules=rules)
    _, status, said = bench.release("one", STAGING_KUBE_NAMESPACE="quiet")
    assert status == 78 and "no Deployment shop in the namespace quiet (there are: none)" in said[-1]
    assert {note["namespace"] for note in bench.cluster.requests()} <= {"quiet", None}
    bench.cluster.record.unlink()


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
    """With the configuration of docs/deploy-scripts.md, moved to where this machine has such files."""
    with open(os.path.join(ROOT, "docs", "deploy-scripts.md"), encoding="utf-8") as file:
        text = re.search(r"takes this from here. -->\n```yaml\n(.*?)```", file.read(), re.S)[1]
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


@pytest.mark.long
def test_a_paused_deployment_is_refused(bench):
    bench.cluster.say("create", namespace="shop", name="still", image=OLD, paused=True)
    _, status, said = bench.release("one", KUBE_DEPLOYMENT="still")
    assert status == 70 and "rollout resume" in said[-1] and "release" not in bench.steps()


@pytest.mark.long
@pytest.mark.parametrize("what,status,text", [
    ("token", 70, "does not know who we are"), ("port", 69, "look at server in"), ("authority", 69, "certificate"),
    ("text", 78, "no configuration for kubectl")])
def test_an_api_that_cannot_be_reached_or_does_not_know_us(bench, authority, what, status, text):
    if what == "token":
        bench.cluster.kubeconfig("old")
    elif what == "port":
        bench.cluster.kubeconfig(url="https://127.0.0.1:1")
    elif what == "authority":
        subprocess.run(["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=x",
                        "-keyout", "/dev/null", "-out", str(authority / "other.pem")], check=True,
                       capture_output=True, timeout=60)
        bench.cluster.kubeconfig(ca="other.pem")
    else:
        with open(bench.environment["KUBECONFIG"], "w", encoding="utf-8") as file:
            file.write("{]")
    _, got, said = bench.release("one")
    assert (got, text in said[-1]) == (status, True), said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_what_a_cluster_says_is_no_word_of_ours(bench):
    bench.cluster.say("plan", faults=[{"verb": "get", "times": 99, "status": 403, "reason": "Forbidden",
                                       "message": "no\n==> release\n==> no-rollback\nend"}])
    _, status, said = bench.release("one")
    assert status != 0 and bench.steps() == ["preflight"] and any("==> release" in line for line in said), said


@pytest.mark.long
def test_a_patch_that_is_refused_or_lost_is_no_untouched_target(bench):
    bench.cluster.say("plan", faults=[
        {"verb": "patch", "times": 1, "status": 403, "reason": "Forbidden", "message": "quota"}])
    release, status, said = bench.release("one")
    assert status == 70 and "could not be set" in said[-1] and bench.steps()[-1] == "release"
    bench.cluster.say("plan", faults=[{"verb": "patch", "times": 9, "drop": True}])
    _, status, said = bench.release("one")
    assert status == 70 and "look at server" in said[-1]
    assert bench.cluster.pods() == {OLD: [True, True]}
    bench.cluster.say("plan", faults=[])
    assert bench.shipped("one") == release


@pytest.mark.long
def test_an_api_that_goes_away_while_the_cluster_rolls_out_is_asked_again(bench):
    away = {"status": 503, "reason": "ServiceUnavailable", "message": "the server is currently unable to handle it"}
    bench.cluster.say("plan", pace=0.5, faults=[
        {"verb": "get", "after": "patch", "times": 2, **away}, {"verb": "watch", "times": 2, "drop": True},
        {"verb": "list", "times": 2, **away}])
    release = bench.shipped("one")
    assert bench.cluster.pods() == {image_of(release): [True, True]}
    assert {note["fault"]["verb"] for note in bench.cluster.requests() if "fault" in note} == {"get", "watch", "list"}
    assert "the cluster's API is not available; retrying" in "\n".join(bench.said())


AWAY = {"etcd": {"status": 500, "reason": "", "message": "etcdserver: leader changed"},
        "timeout": {"status": 504, "reason": "Timeout", "message": "the server was unable to return a response"},
        "restart": {"status": 503, "reason": "ServiceUnavailable", "message": "apiserver is shutting down"}}
SHOP = "/apis/apps/v1/namespaces/shop/deployments/shop"


@pytest.mark.parametrize("why", ["etcd", pytest.param("timeout", marks=pytest.mark.long),
                                 pytest.param("restart", marks=pytest.mark.long)])
def test_a_release_that_is_rolled_out_is_no_failure_for_one_answer_that_is_missing(bench, why):
    """Regression: the look behind the rollout was never repeated, and the server rolled a good release back."""
    bench.cluster.say("plan", pace=0.3, faults=[
        {"verb": "get", "path": SHOP, "after": "watch", "times": 2, **AWAY[why]}])
    release = bench.shipped("one")
    assert bench.cluster.pods() == {image_of(release): [True, True]}
    faults = [note for note in bench.cluster.requests() if "fault" in note]
    assert len(faults) == 2 and "the cluster's API is not available; retrying" in "\n".join(bench.said())


@pytest.mark.long
def test_a_release_that_cannot_be_seen_any_more_fails_in_its_time(bench):
    bench.cluster.say("plan", pace=0.3, faults=[
        {"verb": "get", "path": SHOP, "after": "watch", "times": 99, **AWAY["etcd"]}])
    _, status, said = bench.release("one", KUBERNETES_ROLLOUT_SECONDS="5")
    assert status == 70 and "what runs now cannot be seen: Error from server: etcdserver" in said[-1], said


@pytest.mark.long
def test_somebody_elses_release_meanwhile_is_said(bench):
    bench.cluster.say("plan", pace=600)
    other = bench.pushed("other")
    process = bench.start("deploy.sh", "staging", bench.pushed("one")[:40])
    wait_for(lambda: bench.cluster.of("watch"), "the rollout to be watched", 60)
    by_hand = subprocess.run(
        [KUBECTL, f"--kubeconfig={bench.environment['KUBECONFIG']}", "--namespace=shop", f"--cache-dir={bench.path}/c",
         "set", "image", "deployment/shop", f"app={image_of(other)}"], check=False, capture_output=True, timeout=60,
        text=True)
    assert by_hand.returncode == 0, by_hand.stderr
    bench.cluster.say("plan", pace=0.02)
    assert process.wait(timeout=120) == 70 and "somebody else has released" in bench.said()[-1], bench.said()


@pytest.mark.long
@pytest.mark.parametrize("moment", ["review", "patch", "watch"])
@pytest.mark.parametrize("how", ["kill", "term"])
def test_killed_in_the_middle_the_next_attempt_works(bench, moment, how):
    first = bench.shipped("one")
    before = len(bench.cluster.requests())
    bench.cluster.say("plan", pace=0.3)
    process = bench.start("deploy.sh", "staging", bench.pushed("two")[:40])
    wait_for(lambda: [note for note in bench.cluster.requests()[before:] if note["verb"] == moment], moment, 60)
    if how == "kill":
        bench.kill_session(process)
    else:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        wait_for(lambda: not bench.session(process), "end of what it started")
    assert set(bench.cluster.pods()) <= {image_of(first), image_of(bench.pushed("two"))}
    second = bench.shipped("two")
    assert bench.cluster.pods() == {image_of(second): [True, True]}
    bench.release("three")
    assert bench.run("rollback.sh", "staging", second)[0] == 0
    assert not [name for name in os.listdir("/dev/shm") if name.startswith(f"deploybot.{process.pid}.")]


# ---- the stand-in is strict --------------------------------------------------------------------


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
