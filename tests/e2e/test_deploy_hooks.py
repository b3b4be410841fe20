"""Goal: programs of the user's own run before and after, in their order, with what they need; one that fails stops the
deployment, and none that others may write is run."""
# SPDX-License-Identifier: ISC
import os

import pytest

from commands_aid import shipped

TELL = ('printf "%s\\n" "$HOOK ${0##*/} $ENVIRONMENT $COMMIT $RELEASE $IMAGE $PREVIOUS_RELEASE $REF $DEPLOYMENT_ID '
        '$HOSTS $PWD" >>"$STAND/spy"')


def test_hooks_run_in_their_order_with_what_they_need(bench):
    first, digest = shipped(bench, "one")
    bench.forget_calls()
    for kind in ("pre-build", "pre-deploy", "post-deploy", "post-rollback"):
        for name in ("20-second", "10-first", "Z", "a"):
            bench.hook(kind, name, TELL)
        bench.hook(kind, "README", mode=0o644)
    commit = bench.commit("two")
    status, said = bench.run("deploy.sh", "staging", commit, REF="main $(id)", STAGING_HOST="a.example.org",
                             PREVIOUS_RELEASE=f"{first}@{digest}")
    assert status == 0, said
    order = ["10-first", "20-second", "Z", "a"]
    new = bench.digests()[commit]
    release = f"{commit}@{new} {bench.image}@{new} {first}@{digest} main $(id) 2 a.example.org /"
    work = f"{commit}  {first}@{digest} main $(id) 2 a.example.org {bench.state}/apps/staging/build"
    assert bench.spied() == [
        "preflight", *[f"pre-build {name} staging {commit} {work}" for name in order],
        f"pull {bench.image}@{new}", *[f"pre-deploy {name} staging {commit} {release}" for name in order],
        f"ship {commit}@{new}", *[f"post-deploy {name} staging {commit} {release}" for name in order],
        f"clean {digest} {new}"]
    steps = bench.steps()
    assert [step for step in steps if step.startswith("hook")] == [f"hook {name}" for name in order] * 3
    assert steps.index("release") == len(steps) - 6
    bench.forget_calls()
    assert bench.run("rollback.sh", "staging", f"{first}@{digest}")[0] == 0
    assert [line.split()[:2] for line in bench.spied()] == [
        ["preflight"], ["rollback", f"{first}@{digest}"], *[["post-rollback", name] for name in order]]


@pytest.mark.parametrize("kind,status,released", [
    ("pre-build", 65, False), ("pre-deploy", 64, False), ("post-deploy", 70, True)])
def test_a_hook_that_fails_stops_the_deployment(bench, kind, status, released):
    bench.hook(kind, "10-check", "echo not today; exit 3")
    bench.hook(kind, "20-never", 'echo never >>"$STAND/spy"')
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert got == status and "status 3" in said[-1] and "not today" in said
    assert ("release" in bench.steps(), bench.target() != "", "never" in bench.spied()) == (released, released, False)


def test_a_hook_that_fails_after_a_rollback_is_said(bench):
    first, _ = shipped(bench, "one")
    bench.hook("post-rollback", "tell", "exit 1")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 70 and "the earlier release runs" in said[-1]


@pytest.mark.long
def test_a_hook_that_hangs_is_ended(bench):
    bench.hook("pre-deploy", "slow", "trap '' TERM; while :; do sleep 1; done")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), HOOK_SECONDS="1", KILL_SECONDS="1")
    assert status == 75 and "the hook pre-deploy/slow took longer than 1 s" in said[-1] and bench.target() == ""


@pytest.mark.parametrize("what", ["file", "folder", "above", "owner"])
def test_a_hook_that_others_may_write_is_refused(bench, what):
    hook = bench.hook("post-deploy", "smoke", 'echo ran >>"$STAND/spy"')
    if what == "owner":
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(hook, 1234, -1)
    else:
        {"file": hook, "folder": hook.parent, "above": bench.hooks}[what].chmod(0o777)
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 78 and "others may write" in said[-1] and "ran" not in bench.spied() and not bench.calls("docker")


def test_a_hook_that_comes_between_is_looked_at_too(bench):
    bench.hook("pre-build", "plant", f"mkdir -m 0777 {bench.hooks}/post-deploy; cd {bench.hooks}/post-deploy; "
               "printf '#!/bin/bash\necho ran >>\"$STAND/spy\"\n' >planted; chmod 0777 planted . ")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 78 and "others may write" in said[-1] and "ran" not in bench.spied()
