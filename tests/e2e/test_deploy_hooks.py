"""Goal: programs of the user's own run before and after, in their order, with what they need; one that fails stops the
deployment, and none that others may write is run."""
# SPDX-License-Identifier: ISC
import os
import subprocess

import pytest

from commands_aid import shipped
from runner_client import PROGRAM, ROOT

TELL = ('printf "%s\\n" "$HOOK ${0##*/} $ENVIRONMENT $COMMIT $RELEASE $IMAGE $PREVIOUS_RELEASE $REF $DEPLOYMENT_ID '
        '$HOSTS $PWD" >>"$STAND/spy"')


@pytest.mark.long
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
        f"ship {commit}@{new}", *[f"post-deploy {name} staging {commit} {release}" for name in order]]
    steps = bench.steps()
    assert [step for step in steps if step.startswith("hook")] == [f"hook {name}" for name in order] * 3
    assert steps.index("release") == len(steps) - 6
    bench.forget_calls()
    assert bench.run("rollback.sh", "staging", f"{first}@{digest}")[0] == 0
    assert [line.split()[:2] for line in bench.spied()] == [
        ["preflight"], ["rollback", f"{first}@{digest}"], *[["post-rollback", name] for name in order]]


@pytest.mark.long
@pytest.mark.parametrize("kind,status,released", [
    ("pre-build", 65, False), ("pre-deploy", 64, False), ("post-deploy", 70, True)])
def test_a_hook_that_fails_stops_the_deployment(bench, kind, status, released):
    bench.hook(kind, "10-check", "echo not today; exit 3")
    bench.hook(kind, "20-never", 'echo never >>"$STAND/spy"')
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert got == status and "status 3" in said[-1] and "not today" in said
    assert ("release" in bench.steps(), bench.target() != "", "never" in bench.spied()) == (released, released, False)


@pytest.mark.long
@pytest.mark.parametrize("settings, says", [
    ({"RUN_ID": None}, ", and the release runs (deploy/rollback.sh staging {first} rolls it back): its last"),
    ({}, "failed with status 3: its last lines")])
def test_a_hook_behind_a_release_says_what_runs(bench, settings, says):
    """Regression: "the release is rolled back", which by hand nobody does."""
    first, digest = shipped(bench, "one")
    bench.hook("post-deploy", "10-check", "exit 3")
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), **settings)
    assert status == 70 and says.format(first=f"{first}@{digest}") in said[-1], said


def test_a_rollback_that_is_named_by_hand_is_one_that_is_not_refused(bench):
    """Regression: behind a barrier the command that was named ended with 64."""
    first, digest = shipped(bench, "one")
    hook = bench.hook("post-deploy", "10-check", "exit 3")
    bench.forbid()
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), RUN_ID=None)
    words = f"staging {first}@{digest} --past"
    assert status == 70 and f" (deploy/rollback.sh {words} rolls it back): its last" in said[-1], said
    hook.unlink()
    status, said = bench.run("rollback.sh", *words.split(), RUN_ID=None)
    assert status == 0 and bench.target() == f"{first}@{digest}", said


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


def bound(bench):
    """As the runner gives it to a run that it has let go."""
    return subprocess.run([PROGRAM, "--hooks", str(bench.hooks)], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


RAN = 'echo "ran ${0##*/}" >>"$STAND/spy"'


def test_hooks_that_are_as_they_were_run(bench):
    bench.hook("pre-deploy", "10-one", RAN)
    bench.hook("post-deploy", "20 two", RAN)
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), HOOKS_BOUND=bound(bench))
    assert status == 0, said
    assert [line for line in bench.spied() if line.startswith("ran")] == ["ran 10-one", "ran 20 two"]


@pytest.mark.parametrize("change", ["echo 'echo other' >>10-migrate", "rm 10-migrate", *(
    pytest.param(change, marks=pytest.mark.long) for change in (
        "mv 10-migrate 20-migrate", "cp 10-migrate 99-more", "chmod a-x 10-migrate", "cd ..; rm -r pre-deploy"))])
def test_a_hook_that_changed_since_the_run_was_let_go_is_not_run(bench, change):
    """Its digest was looked at before; what is run is looked at again."""
    bench.hook("pre-deploy", "10-migrate", RAN)
    bench.hook("pre-build", "change", f"cd {bench.hooks}/pre-deploy && {change}")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), HOOKS_BOUND=bound(bench))
    assert status == 64 and "the hooks of pre-deploy changed since this run was let go" in said[-1], said
    assert not [line for line in bench.spied() if line.startswith("ran")] and bench.target() == ""


def test_a_hook_that_is_replaced_by_the_one_before_it_is_not_run(bench):
    bench.hook("pre-deploy", "20-late", RAN)
    bench.hook("pre-deploy", "10-early", f'{RAN}; echo "# more" >>{bench.hooks}/pre-deploy/20-late')
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), HOOKS_BOUND=bound(bench))
    assert status == 64 and "the hooks of pre-deploy changed" in said[-1], said
    assert "ran 10-early" in bench.spied() and "ran 20-late" not in bench.spied()


SSH = """#!/bin/bash
printf '%s\\n' "${*:1:$#-1}" >>"$STAND/ssh"
mkdir -p "$STAND/${*:$#-1:1}" && cd "$STAND/${*:$#-1:1}" || exit
if [[ -e $STAND/cut ]]; then head -c 5; else cat; fi | bash -c "${*:$#:1}"
"""


def test_the_hook_for_secrets_in_the_docs_sends_them_whole_to_each_host_before_the_release(bench):
    with open(os.path.join(ROOT, "deploy/own/50-secrets"), encoding="utf-8") as file:
        text = file.read().removeprefix("#!/bin/bash\n")
    bench.hook("pre-start", "50-secrets", text.replace("cd $folder && ", "printf '%s' $folder >folder && "))
    for name, script in (("ssh", SSH), ("age", "#!/bin/bash\nprintf 'TOKEN=%s\\nMORE=ü\\n' \"${*: -1}\"\n")):
        (bench.bin / name).write_text(script)
        (bench.bin / name).chmod(0o755)
    settings = {"STAGING_HOST": "h1,h2:2222,[::1]:22", "SSH_KEY_PATH": "/k", "SSH_KNOWN_HOSTS": "/known",
                "DEPLOY_USER": "me", "STAGING_COMPOSE_DIR": "/srv/shop"}
    shipped(bench, "one", **settings)
    files = [bench.stand / f"me@{host}" / "app.env" for host in ("h1", "h2", "::1")]
    told = "TOKEN=/etc/deploybot/secrets/staging.env.age\nMORE=ü\n"
    assert [file.read_text() for file in files] == [told] * 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    common = "-oBatchMode=yes -oStrictHostKeyChecking=yes -oUserKnownHostsFile=/known -i /k -p"
    assert (bench.stand / "ssh").read_text().splitlines() == [
        f"{common} 22 me@h1", f"{common} 2222 me@h2", f"{common} 22 me@::1"]
    assert [(file.parent / "folder").read_text() for file in files] == ["/srv/shop"] * 3
    assert not [line for line in bench.said() if "TOKEN" in line]
    (bench.stand / "ssh").unlink()
    status, said = bench.run("deploy.sh", "staging", bench.commit("behind"), **settings, SSH_JUMP="bastion:2200")
    common = common.removesuffix(" -p")
    assert status == 0 and (bench.stand / "ssh").read_text().splitlines()[0] == (
        f"{common} -oProxyCommand=ssh {common} -W [%h]:%p ssh://me@bastion:2200 -p 22 me@h1"), said
    # A connection that breaks off leaves the old file, and the release stops.
    (bench.stand / "cut").touch()
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), **settings)
    assert status == 64 and files[0].read_text() == told and "release" not in bench.steps(), said
