"""Goal: jobs and migrations run on a host of systemd's as the units' user, once, and are stopped with their run; what
is said of one that was cut is true."""
# SPDX-License-Identifier: ISC
import fcntl
import os
import signal

import pytest

from runner_client import is_alive, wait_for
from systemd_aid import SUDOERS, WORKS, SystemdBench, job, run_as_shop


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = SystemdBench(tmp_path, tools_folder)
    yield made
    made.done()
    wait_for(made.is_quiet, "the host to be at rest", 60)


# ---- jobs ----------------------------------------------------------------------------------------

@pytest.mark.long
@pytest.mark.parametrize("become", [lambda bench: bench.unit("shop.service", User="root"), run_as_shop])
def test_a_job_runs_in_the_folder_of_what_is_live_as_the_units_user(bench, become):
    become(bench)
    commit = bench.commit_app(work=WORKS, build="chmod 755 work")
    assert bench.run("deploy.sh", "staging", commit)[0] == 0
    status, said = job(bench, commit, "./work 0")
    name = bench.link().partition("/")[2]
    user = "shop " if become is run_as_shop else ""
    assert status == 0 and f"{user}at {commit} of staging in {name}".strip() in [line.strip() for line in said], said
    status, said = job(bench, commit, "./work 3")
    assert status == 70 and "the job ended with status 3" in said[-1], said
    assert bench.runs() == ("active", commit) and not (bench.app / ".deploybot.work").exists()  # nobody can hold it


# ---- migrations ----------------------------------------------------------------------------------

MIGRATES = "#!/bin/bash\necho $BECAME migrates ${PWD##*/} >>$1\nexit $(<code)\n"


def migrating(bench, status):
    commit = bench.commit_app(work=MIGRATES, code=status, build="chmod 755 work")
    status, said = bench.run("deploy.sh", "staging", commit,
                             MIGRATE_COMMAND=f"bash work {bench.path}/migrated")
    return commit, status, said


@pytest.mark.long
def test_a_migration_that_takes_too_long_is_stopped(bench):
    run_as_shop(bench)
    first, status, said = migrating(bench, "0")
    assert status == 0, said
    status, said = bench.run("deploy.sh", "staging", bench.commit_app(build="true"), MIGRATE_COMMAND="sleep 1000",
                             MIGRATE_TIMEOUT_SECONDS="1")
    says = "the migration was cut: h1: it took longer than 1 s and was stopped"
    assert status == 75 and says in "\n".join(said), said
    assert bench.steps()[-2:] == ["migrate", "migrate-stopped"], said
    assert bench.runs() == ("active", first)


CUT = """#!/bin/bash
sleep 1000 &
if [[ $1 == stays ]]; then setsid sleep 1000 & fi
echo $! >$2/began
wait
"""


def cut_in_its_migration(bench, how):
    """(The process of a deployment whose migration has begun, the commit that runs, the pid of what may outlive it)."""
    run_as_shop(bench)
    first = bench.shipped_app()
    process = bench.start("deploy.sh", "staging", bench.commit_app(work=CUT),
                          MIGRATE_COMMAND=f"bash work {how} {bench.path}")
    began = bench.path / "began"
    wait_for(lambda: began.exists() and began.read_text(), "the migration", 60)
    return process, first, began.read_text().strip()


@pytest.mark.long
def test_a_migration_that_is_cancelled_is_stopped_and_said_so(bench):
    process, first, _ = cut_in_its_migration(bench, "stops")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert bench.steps()[-2:] == ["migrate", "migrate-stopped"], bench.said()
    assert bench.runs() == ("active", first) and "may still be running" not in "\n".join(bench.said())


def test_a_migration_that_nobody_may_run_is_refused_before_anything(bench):
    """Regression: it was found out behind the build, and called cut."""
    run_as_shop(bench)
    first = bench.shipped_app()
    bench.sudoers(*SUDOERS)
    status, said = bench.run("deploy.sh", "staging", bench.commit_app(), MIGRATE_COMMAND="true")
    assert status == 70 and "deploy may run nothing as shop by sudo" in said[-1], said
    assert bench.steps() == ["preflight"] and bench.runs() == ("active", first), said


@pytest.mark.long
def test_a_migration_that_never_began_is_not_called_cut(bench):
    run_as_shop(bench)
    first = bench.shipped_app()
    bench.hook("pre-start", "10-then", f"sed -i '/shop ALL/d' {bench.host()}/sudoers")
    status, said = bench.run("deploy.sh", "staging", bench.commit_app(), MIGRATE_COMMAND="true")
    assert status == 70 and "the migration did not begin: deploy may run nothing as shop by sudo" in said[-1], said
    assert bench.steps()[-2:] == ["migrate", "migrate-not-started"] and bench.runs() == ("active", first), said


@pytest.mark.long
def test_what_outlives_a_cancelled_migration_is_said_to_run_still(bench):
    process, first, pid = cut_in_its_migration(bench, "stays")
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(timeout=120) == 143
        assert bench.steps()[-1] == "migrate", bench.said()
        said = "\n".join(bench.said())
        assert f"the migration may still be running, in {bench.app} on h1: no other begins beside it" in said, said
        assert is_alive(pid) and bench.runs() == ("active", first)
    finally:
        os.kill(int(pid), signal.SIGKILL)


@pytest.mark.long
def test_one_that_is_left_is_waited_for_and_never_doubled(bench):
    run_as_shop(bench)
    first = bench.shipped_app()
    commit = bench.commit_app()
    with open(bench.app / ".deploybot.work", "wb") as work:
        fcntl.flock(work, fcntl.LOCK_EX)
        status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="true", MIGRATE_TIMEOUT_SECONDS="1")
        says = "the migration did not begin: h1: one that was left is at work still, after 1 s"
        assert status == 75 and says in said[-1], said
        assert not {"migrate", "migrate-stopped", "release"} & set(bench.steps()), said
        process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="true")
        wait_for(lambda: "wait for a migration" in bench.steps(), "the wait for it", 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143 and "its own had not begun, and nothing was changed" in bench.said()[-1]
        assert not {"migrate", "migrate-stopped"} & set(bench.steps()), bench.said()
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="true")
    assert status == 0 and bench.runs() == ("active", commit) != ("active", first), said


def test_one_that_is_left_where_another_host_was_the_first_is_waited_for_there(bench):
    run_as_shop(bench)
    known = bench.known.read_text()
    bench.known.write_text(f"{known}{known.splitlines()[0].replace('h1 ', 'h0 ')}\n")
    # h0 is done with all at once, and nothing is at work there.
    bench.wrap("ssh", """if [[ "$*" == *@h0*"bash -s -- "* ]]; then
    cat >/dev/null & reader=$!
    echo "runs "; kill "$reader"; exit 0
fi
[[ "$*" != *@h0* ]] || { cat >/dev/null & exit 0; }""")
    with open(bench.app / ".deploybot.work", "wb") as work:
        fcntl.flock(work, fcntl.LOCK_EX)
        status, said = bench.run("deploy.sh", "staging", bench.commit_app(), STAGING_HOST="h0,h1",
                                 MIGRATE_COMMAND="true", MIGRATE_TIMEOUT_SECONDS="1")
    assert status == 75 and "the migration did not begin: h1: one that was left is at work still" in said[-1], said
    assert f"a migration that was left is there still, in {bench.app} on h1: waiting for its end" in said, said


@pytest.mark.long
@pytest.mark.parametrize("step", ["copy", "hook pre-start", "migrate", "migrated", "hook pre-deploy", "release",
                                  "switch h1", "hook post-deploy"])
def test_a_script_killed_at_any_step_leaves_one_release_and_the_next_one_works(bench, step):
    first = bench.shipped_app()
    for kind in ("pre-start", "pre-deploy", "post-deploy"):
        bench.hook(kind, kind)
    commit = bench.commit_app()
    process = bench.start("deploy.sh", "staging", commit, MIGRATE_COMMAND="true")
    wait_for(lambda: step in bench.steps(), f"the step {step}", 60)
    bench.kill_session(process)
    bench.at_rest()
    assert bench.runs() in (("active", first), ("active", commit))
    assert bench.runs()[1] == first or "release" in bench.steps()
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="true")
    assert status == 0 and bench.runs() == ("active", commit) and bench.left() == [], said


@pytest.mark.parametrize("status", ["137", pytest.param("124", marks=pytest.mark.long)])
def test_a_migration_that_ends_so_by_itself_is_no_cut_one(bench, status):
    """As one that was killed for its memory."""
    run_as_shop(bench)
    _, ended, said = migrating(bench, status)
    assert ended == 70 and f"the migration failed (exit {status})" in said[-1], said
    assert bench.steps()[-2:] == ["migrate", f"migrate-failed {status}"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["shop/staging", "staging"])
def test_a_migration_and_a_job_know_their_application(bench, name):
    (bench.path / "apps").mkdir()
    (bench.path / "apps" / "shop.env").write_text("".join(
        f"{name}={bench.environment[name]}\n" for name in (
            "REPOSITORY_URL", "STAGING_HOST", "SYSTEMD_UNITS", "SYSTEMD_DIR")) + "MIGRATE_COMMAND=bash work\n")
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    commit = bench.commit_app(work='#!/bin/bash\necho "<$APPLICATION> <$ENVIRONMENT>"\n', build="chmod 755 work")
    status, said = bench.run("deploy.sh", name, commit, MIGRATE_COMMAND="bash work")
    assert status == 0 and f"|app| <{name.rpartition('/')[0]}> <staging>" in said, said
    status, said = bench.run("run-job.sh", name, commit, JOB_COMMAND="bash work")
    assert status == 0 and f"<{name.rpartition('/')[0]}> <staging>" in [line.strip() for line in said], said


@pytest.mark.long
@pytest.mark.first
def test_a_migration_runs_once_before_anything_is_switched(bench):
    run_as_shop(bench)
    first, status, said = migrating(bench, "0")
    assert status == 0, said
    assert bench.steps() == ["preflight", "checkout", "git fetch", "build", "copy", "migrate", "migrated", "release",
                             "switch h1", "clean-later"]
    bench.forget_orders()
    number = bench.number + 1
    _, status, said = migrating(bench, "3")
    assert status == 70 and "the migration failed (exit 3)" in said[-1], said
    assert "release" not in bench.steps() and bench.orders() == [] and bench.runs() == ("active", first)
    bench.run("rollback.sh", "staging", first, MIGRATE_COMMAND=f"bash work {bench.path}/migrated")
    lines = (bench.path / "migrated").read_text().splitlines()
    assert [line.partition("-")[0] for line in lines] == ["shop migrates 2", f"shop migrates {number + 1}"], number


@pytest.mark.long
def test_nothing_is_run_as_root_by_somebody_else(bench):
    bench.become("deploy", "deploy adm")
    bench.sudoers(*SUDOERS, "root ALL", "shop bash -c true")
    commit = bench.shipped_app()
    status, said = job(bench, commit, "id")
    assert status == 70 and "deploybot runs nothing as root: User= in the unit" in said[-1], said
    bench.unit("shop.service", User="web")
    bench.sudoers(*SUDOERS)
    status, said = job(bench, commit, "id")
    assert status == 70 and "deploy ALL=(web) NOPASSWD: ALL" in said[-1], said
