"""Goal: behind a later run of the same installation one that was given up, and goes on elsewhere, changes nothing more
at its target: a host with compose, one with units of systemd, a cluster.  Each keeps the number of the last run."""
# SPDX-License-Identifier: ISC
import os

import pytest

# pylint: disable-next=unused-import
from kubernetes_aid import authority, rules  # noqa: F401
from kubernetes_aid import bench as cluster  # noqa: F401  pylint: disable=unused-import
from kubernetes_aid import USER, image_of
from runner_client import wait_for
from ssh_aid import BlueGreenBench, SshBench, left_running, until_at_rest
from systemd_aid import SystemdBench

OURS, THEIRS = "0123456789abcdef" * 2, "f" * 32
LATE = "a later run was here: run {} is over for {} since run {} has begun, and does nothing more"


@pytest.fixture
def host(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


@pytest.fixture
def bluegreen(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


@pytest.fixture
def units(tmp_path, tools_folder):
    made = SystemdBench(tmp_path, tools_folder)
    yield made
    made.done()
    wait_for(made.is_quiet, "the host to be at rest", 60)


def of_run(number, installation=OURS):
    """What a script is given of its run."""
    return {"RUN_ID": f"{number}-{'0' * 32}", "INSTALLATION_ID": installation}


BY_HAND = {"RUN_ID": None, "INSTALLATION_ID": None}


def done(bench, script, *words, **settings):
    status, said = bench.run(script, "staging", *words, **settings)
    assert status == 0, "\n".join(said)


def refused(bench, sentence, script, *words, **settings):
    status, said = bench.run(script, "staging", *words, **settings)
    assert status == 75 and said[-1].endswith(sentence), "\n".join(said)


def noted(bench):
    return dict(line.split(" ") for line in (bench.app / ".deploybot.runs").read_text().splitlines())


class Machine:
    """Another one with a runner, whose run waits in a hook right before the release until it is let go on."""

    def __init__(self, bench, *words, **settings):
        self.bench, self.gate = bench, bench.path / "gate"
        self.gate.mkdir()
        bench.hook("pre-deploy", "wait", f"touch {self.gate}/waits; until [[ -e {self.gate}/go ]]; do sleep 0.05; done")
        state = bench.path / "elsewhere"
        state.mkdir()
        self.process = bench.start("deploy.sh", "staging", *words, **settings, STATE_DIRECTORY=str(state))
        self.log = bench.log
        wait_for((self.gate / "waits").exists, "the run to be about to release", 60)
        (bench.hooks / "pre-deploy" / "wait").unlink()

    def ends_late(self, sentence):
        (self.gate / "go").touch()
        assert self.process.wait(timeout=60) == 75, self.log.read_text()
        assert self.log.read_text().splitlines()[-1].endswith(sentence), self.log.read_text()


# ---- a host with compose -------------------------------------------------------------------------

@pytest.mark.first
def test_a_host_refuses_an_earlier_run_and_takes_the_same_and_a_later_one(host):
    (one, was), (two, now) = host.release("one"), host.release("two")
    done(host, "deploy.sh", one, **of_run(12))
    assert noted(host) == {OURS: "12"}
    for script, release in (("deploy.sh", two), ("rollback.sh", f"{two}@{now}")):
        refused(host, f"h1: {LATE.format(11, host.app, 12)}", script, release, **of_run(11))
        assert host.runs() == [(f"{host.image}@{was}", "running")] and noted(host) == {OURS: "12"}
    done(host, "deploy.sh", two, **of_run(12))
    done(host, "rollback.sh", f"{one}@{was}", **of_run(13))
    assert host.runs() == [(f"{host.image}@{was}", "running")] and noted(host) == {OURS: "13"}


def test_another_installations_number_does_not_count_and_by_hand_there_is_none(host):
    one, two = host.release("one")[0], host.release("two")[0]
    done(host, "deploy.sh", one, **of_run(900, THEIRS))
    done(host, "deploy.sh", two, **of_run(2))
    done(host, "deploy.sh", one, **BY_HAND)
    assert noted(host) == {THEIRS: "900", OURS: "2"}
    refused(host, LATE.format(899, host.app, 900), "deploy.sh", two, **of_run(899, THEIRS))
    refused(host, LATE.format(1, host.app, 2), "deploy.sh", two, **of_run(1))


@pytest.mark.parametrize("torn", ["", f"{OURS}", f"{OURS} \n", f"{OURS[1:]} 900\n", f"{OURS} x900\n", "\0" * 40])
def test_half_a_note_of_a_run_is_none(host, torn):
    one = host.release("one")[0]
    (host.app / ".deploybot.runs").write_text(torn)
    done(host, "deploy.sh", one, **of_run(3))
    assert noted(host) == {OURS: "3"}


def test_a_note_that_cannot_be_written_ends_no_release(host):
    one = host.release("one")[0]
    (host.app / ".deploybot.runs.deploybot").mkdir()
    done(host, "deploy.sh", one, **of_run(3))
    assert any("an earlier run that still goes on elsewhere is not refused" in line for line in host.said())
    (host.app / ".deploybot.runs.deploybot").rmdir()


def test_a_run_that_has_pulled_does_not_switch_behind_a_later_one(host):
    (one, was), (two, _) = host.release("one"), host.release("two")
    elsewhere = Machine(host, two, **of_run(11))
    assert noted(host) == {OURS: "11"}
    done(host, "deploy.sh", one, **of_run(12))
    elsewhere.ends_late(f"h1: {LATE.format(11, host.app, 12)}")
    assert host.runs() == [(f"{host.image}@{was}", "running")]


def test_a_job_of_an_earlier_run_does_not_begin(host):
    one, was = host.release("one")
    done(host, "deploy.sh", one, **of_run(12))
    refused(host, LATE.format(11, host.app, 12), "run-job.sh", f"{one}@{was}", JOB_COMMAND="bin/x", **of_run(11))
    done(host, "run-job.sh", f"{one}@{was}", JOB_COMMAND="bin/x", **of_run(13))
    assert noted(host) == {OURS: "13"}


def test_a_drain_comes_behind_a_later_run_too_and_cleans_nothing(bluegreen):
    one, two, client = left_running(bluegreen, **of_run(10))
    (bluegreen.app / ".deploybot.runs").write_text(f"{OURS} 12\n")
    client.ends()
    process = bluegreen.start("drain.sh", "staging", DEPLOYMENT_ID="40", **of_run(11))
    assert process.wait(timeout=60) == 0, bluegreen.said()      # a refusal is tried again for 10 minutes
    assert not bluegreen.port_of(one[1]) and bluegreen.port_of(two[1]) and bluegreen.serves() == two[1]
    assert any(LATE.format(11, bluegreen.app, 12) in line for line in bluegreen.said())
    assert noted(bluegreen) == {OURS: "12"}


@pytest.mark.long
def test_a_start_of_an_earlier_run_is_not_begun_and_its_tidying_touches_nothing(bluegreen):
    (one, was), (two, _) = bluegreen.release("one"), bluegreen.release("two")
    elsewhere = Machine(bluegreen, two, **of_run(11))
    done(bluegreen, "deploy.sh", one, **of_run(12))
    elsewhere.ends_late(f"h1: {LATE.format(11, bluegreen.app, 12)}")
    assert bluegreen.serves() == was and len(bluegreen.engine()["containers"]) == 1


# ---- units of systemd ----------------------------------------------------------------------------

@pytest.mark.first
def test_units_run_no_release_of_an_earlier_run(units):
    one, two = units.commit_app(), units.commit_app()
    done(units, "deploy.sh", one, **of_run(12))
    refused(units, LATE.format(11, units.app, 12), "deploy.sh", two, **of_run(11))
    assert units.runs() == ("active", one) and len(units.releases()) == 1 and noted(units) == {OURS: "12"}
    done(units, "deploy.sh", two, **of_run(12))
    done(units, "deploy.sh", one, **of_run(1, THEIRS))
    refused(units, LATE.format(11, units.app, 12), "rollback.sh", two, **of_run(11))
    assert units.runs() == ("active", one)
    done(units, "rollback.sh", two, **of_run(13))
    assert units.runs() == ("active", two) and noted(units) == {OURS: "13", THEIRS: "1"}


def test_a_release_that_was_copied_is_not_switched_to_behind_a_later_run(units):
    one, two = units.commit_app(), units.commit_app()
    elsewhere = Machine(units, two, **of_run(11))
    done(units, "deploy.sh", one, **of_run(12))
    elsewhere.ends_late(LATE.format(11, units.app, 12))
    assert units.runs() == ("active", one)


# ---- a cluster -----------------------------------------------------------------------------------

def kept(bench, name="shop"):
    labels = bench.cluster.deployment(name)["metadata"].get("labels", {})
    return {key.partition("-")[2]: value for key, value in labels.items() if key.startswith("deploybot/run-")}


def runs(bench):
    return bench.cluster.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.first
def test_a_cluster_refuses_an_earlier_run_and_keeps_the_number_whatever_is_undone(cluster):  # noqa: F811
    late = LATE.format(11, "deployment/shop", 12)
    one, two = cluster.shipped("one", **of_run(12)), cluster.pushed("two")
    assert kept(cluster) == {OURS: "12"}
    for script, release in (("deploy.sh", two[:40]), ("rollback.sh", two)):
        refused(cluster, late, script, release, **of_run(11))
        assert runs(cluster) == image_of(one)
    done(cluster, "deploy.sh", two[:40], **of_run(12))
    done(cluster, "deploy.sh", one[:40], **of_run(900, THEIRS))
    done(cluster, "deploy.sh", two[:40], **BY_HAND)
    done(cluster, "rollback.sh", one, **of_run(13))     # by an undo, which brings annotations of before back
    assert runs(cluster) == image_of(one) and kept(cluster) == {OURS: "13", THEIRS: "900"}
    refused(cluster, LATE.format(12, "deployment/shop", 13), "rollback.sh", two, **of_run(12))
    assert runs(cluster) == image_of(one)


@pytest.mark.parametrize("act", ["deploy.sh", "run-job.sh"])
def test_a_job_or_a_migration_of_an_earlier_run_is_not_created(cluster, act):  # noqa: F811
    cluster.cluster.say("roles", namespace="shop", user=USER, rules=[
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "watch", "delete"]}])
    one = cluster.shipped("one", **of_run(12))
    words = {"JOB_COMMAND": "bin/x"} if act == "run-job.sh" else {"MIGRATE_COMMAND": "bin/x"}
    refused(cluster, LATE.format(11, "deployment/shop", 12), act, one if act == "run-job.sh" else one[:40], **words,
            **of_run(11))
    assert not [note for note in cluster.cluster.of("create") if note["resource"] == "jobs"]


def test_a_run_that_is_about_to_release_patches_nothing_behind_a_later_one(cluster):  # noqa: F811
    one, two = cluster.pushed("one"), cluster.pushed("two")
    elsewhere = Machine(cluster, two[:40], **of_run(11))
    assert kept(cluster) == {OURS: "11"}
    done(cluster, "deploy.sh", one[:40], **of_run(12))
    elsewhere.ends_late(LATE.format(11, "deployment/shop", 12))
    assert runs(cluster) == image_of(one)


def test_what_changes_between_the_look_and_the_patch_is_looked_at_again(cluster):  # noqa: F811
    """The later run comes right behind the look: its number is seen, as the patch was made for another state."""
    real = os.readlink(cluster.bin / "kubectl")
    (cluster.bin / "kubectl").unlink()
    (cluster.bin / "kubectl").write_text(f"""#!/bin/bash
if [[ " $* " == *" patch deployments.apps/shop "*"$(<{cluster.path}/of)"* && -s {cluster.path}/number ]]; then
	number=$(<{cluster.path}/number)
	rm {cluster.path}/number
	{real} "--kubeconfig=$KUBECONFIG" --namespace=shop patch deployments.apps/shop --type=merge \\
		"--patch={{\\"metadata\\":{{\\"labels\\":{{\\"deploybot/run-{OURS}\\":\\"$number\\"}}}}}}" >/dev/null
fi
exec {real} "$@"
""")
    (cluster.bin / "kubectl").chmod(0o755)
    one, two, three = cluster.pushed("one"), cluster.pushed("two"), cluster.pushed("three")
    (cluster.path / "of").write_text("")
    (cluster.path / "number").write_text("3")
    done(cluster, "deploy.sh", one[:40], **of_run(11))
    done(cluster, "deploy.sh", two[:40], **of_run(11))
    for number, of, script, release in ((12, '"replace"', "rollback.sh", one), (13, "", "deploy.sh", three[:40])):
        (cluster.path / "of").write_text(of)
        (cluster.path / "number").write_text(str(number))
        late = LATE.format(number - 1, "deployment/shop", number)
        refused(cluster, late, script, release, **of_run(number - 1))
        assert runs(cluster) == image_of(two) and not (cluster.path / "number").exists()
