"""Goal: however the cluster fails, a release to Kubernetes is there whole or not at all, and what is said is true."""
# SPDX-License-Identifier: ISC
import os
import re
import signal
import subprocess
import time

import pytest

from commands_aid import DEPLOY, stand_in
from kubernetes_aid import KUBECTL, OLD, USER, image_of, plain
# pylint: disable-next=unused-import
from kubernetes_aid import authority, bench, rules, words  # noqa: F401
from runner_client import wait_for

FETCH_TAKES = 5     # more than the calls of a slow machine
AWAY = {"etcd": {"status": 500, "reason": "", "message": "etcdserver: leader changed"},
        "timeout": {"status": 504, "reason": "Timeout", "message": "the server was unable to return a response"},
        "restart": {"status": 503, "reason": "ServiceUnavailable", "message": "apiserver is shutting down"}}
SHOP = "/apis/apps/v1/namespaces/shop/deployments/shop"


# ---- a rollout that fails ------------------------------------------------------------------------

@pytest.mark.long
@pytest.mark.parametrize("why, says", [
    ("CrashLoopBackOff", "no database: bye (of the previous one)"),
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


# ---- what is not as it should be -----------------------------------------------------------------

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
def test_a_paused_deployment_is_refused(bench):
    bench.cluster.say("create", namespace="shop", name="still", image=OLD, paused=True)
    _, status, said = bench.release("one", KUBE_DEPLOYMENT="still")
    assert status == 70 and "rollout resume" in said[-1] and "release" not in bench.steps()


# ---- an API that is away -------------------------------------------------------------------------

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
