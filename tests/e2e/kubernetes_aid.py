"""kubernetes_aid.py - a release to a cluster: a kubectl that only notes its words, or a real one before a stand-in."""
# SPDX-License-Identifier: ISC
import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request

import pytest

from commands.recorder import records_in
from commands_aid import CommandBench, git
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
LOOK = ["get", "deployments.apps/shop", "--output=TEMPLATE"]
RIGHTS = ["create", "--filename=PRIVATE/rights.json", "--validate=false", "--output=TEMPLATE"]
PREFLIGHT = [LOOK, RIGHTS]


def role():
    """The rules of the Role that users get, as kubectl reads them: the cluster in the tests grants exactly them."""
    with open(os.path.join(ROOT, "deploy", "kubernetes", "role.yaml"), encoding="utf-8") as file:
        text = file.read()
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

    def known(self, text):
        """The commit that was made with that text; "": none."""
        return git(self.repository, "rev-list", "--all", "--max-count=1", f"--grep=^{text}$")

    def pushed(self, text, commit=None):
        """A commit whose image is in the registry: COMMIT@sha256:…"""
        commit = commit or self.known(text) or self.commit(text)
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


def plain(bench):
    """The calls of kubectl, with what is new each time as a word, and without what all have."""
    common = [f"--kubeconfig={bench.environment['KUBECONFIG']}", "--cache-dir=PRIVATE/cache", "--namespace=shop",
              "--request-timeout=15s"]
    found = []
    for call in bench.calls("kubectl"):
        call = [re.sub(r"/dev/shm/deploybot\.\d+\.\d+", "PRIVATE", word) for word in call[1:]]
        assert call[:4] == common, call
        found.append([re.sub(r"(?s)=(go-template|jsonpath)=.*", "=TEMPLATE", word) for word in call[4:]])
    return found


def kube(bench, **fields):
    bench.change_world(kubernetes={**bench.world()["kubernetes"], **fields})
