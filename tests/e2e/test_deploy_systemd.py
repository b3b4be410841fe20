"""Goal: a release reaches units of systemd as a folder behind a link; what fails or is killed at any moment leaves the
old or the new one, whole, and what is said of the host is true."""
# SPDX-License-Identifier: ISC
import os
import signal
import subprocess

import pytest

from commands_aid import DEPLOY, cleans, goes_live
from runner_client import ROOT, wait_for
from systemd_aid import SUDOERS, WORKS, SystemdBench, job, run_as_shop


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = SystemdBench(tmp_path, tools_folder)
    yield made
    made.done()
    wait_for(made.is_quiet, "the host to be at rest", 60)


# ---- releases ------------------------------------------------------------------------------------

@pytest.mark.first
def test_a_release_is_built_here_copied_there_and_switched_to(bench):
    commit = bench.commit_app(build="echo built >made; chmod 600 made; mkdir bin; ln -s ../app bin/run")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    assert bench.steps() == ["preflight", "checkout", "git fetch", "build", "copy", "release", "switch h1",
                             "clean-later"]
    assert bench.runs() == ("active", commit) and bench.link() == f"releases/2-{commit}"
    folder = bench.app / "current"
    assert (folder / "made").read_text() == "built\n" and os.readlink(folder / "bin" / "run") == "../app"
    # The units' user may read all of it, and nobody but its owner write it.
    assert (folder / "made").stat().st_mode & 0o777 == 0o644
    assert (folder / ".deploybot" / "build").stat().st_mode & 0o777 == 0o755
    assert bench.orders() == [["reset-failed", "shop.service"], ["--no-block", "restart", "shop.service"]]
    assert bench.left() == []
    assert not {"build", "upload", "upload.tar", "releases"} & set(os.listdir(bench.state / "apps" / "staging"))
    assert bench.current() == commit


@pytest.mark.long
def test_a_commit_with_the_names_that_deploybot_keeps_changes_nothing_beside_its_release(bench):
    """Files and links called as what stands in SYSTEMD_DIR: who may push holds no lock and leads nothing elsewhere."""
    run_as_shop(bench)
    first = bench.shipped_app()
    outside = bench.path / "outside"
    for name in (".deploybot.lock", ".deploybot.work", ".deploybot.before", "current"):
        os.symlink(outside, bench.repository / name)
    commit = bench.commit_app(work=WORKS, build="chmod 755 work; ln -s ../../.deploybot.lock made", releases="x")
    status, said = bench.run("deploy.sh", "staging", commit, MIGRATE_COMMAND="bash work 0")
    assert status == 0 and bench.runs() == ("active", commit), said
    assert job(bench, commit, "./work 0")[0] == 0
    assert bench.run("rollback.sh", "staging", first)[0] == 0 and bench.runs() == ("active", first)
    assert not outside.exists() and bench.left() == [], bench.left()


@pytest.mark.long
def test_a_rollback_is_the_link_and_a_restart(bench):
    first = bench.shipped_app()
    second = bench.shipped_app()
    bench.forget_orders()
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0, said
    assert bench.steps() == ["preflight", "find", "release", "switch h1"]
    assert bench.runs() == ("active", first) and bench.current() == first and len(bench.releases()) == 2
    assert bench.orders() == [["reset-failed", "shop.service"], ["--no-block", "restart", "shop.service"]]
    status, said = bench.run("rollback.sh", "staging", second)
    assert status == 0 and bench.runs() == ("active", second), said


@pytest.mark.long
def test_a_release_that_is_not_kept_is_64_and_nothing_changes(bench):
    first = bench.shipped_app()
    bench.forget_orders()
    status, said = bench.run("rollback.sh", "staging", "0" * 40)
    assert status == 64 and "is not kept there any more: deploy that commit instead" in said[-1], said
    assert "release" not in bench.steps() and bench.orders() == [] and bench.runs() == ("active", first)


@pytest.mark.long
def test_a_build_that_fails_touches_no_host(bench):
    first = bench.shipped_app()
    bench.forget_orders()
    status, said = bench.run("deploy.sh", "staging", bench.commit_app(build="exit 3"))
    assert status == 65 and "status 3" in said[-1], said
    assert "release" not in bench.steps() and bench.orders() == [] and len(bench.releases()) == 1
    assert bench.runs() == ("active", first)


@pytest.mark.long
def test_all_units_of_the_list_run_the_release(bench):
    for name in ("worker.service", "cron@a.service"):
        bench.unit(name, TimeoutStopUSec="10min" if name == "worker.service" else "1min 30s")
    units = "shop.service, worker.service,cron@a.service"
    commit = bench.shipped_app("comes 2", SYSTEMD_UNITS=units)
    assert {bench.runs(name) for name in units.replace(" ", "").split(",")} == {("active", commit)}
    assert [words[-1] for words in bench.orders() if "restart" in words] == units.replace(" ", "").split(",")
    # They may take as long to end twice, as what is brought back may, and the longest of them once more.
    assert [call[-1].split()[3] for call in bench.ssh_calls() if " switch " in call[-1]] == [
        str(900 + 2 * (600 + 90) + 600)]


@pytest.mark.long
def test_old_releases_go_but_what_is_live_and_what_was_before(bench):
    commits = [bench.shipped_app(PREVIOUS_RELEASE="") for _ in range(3)]
    cleans(bench, "staging", KEEP_RELEASES="2")
    assert [name.partition("-")[2] for name in bench.releases()] == commits[1:]
    status, said = bench.run("rollback.sh", "staging", commits[1])
    assert status == 0, said
    # What is newer and not live counts too; what is live stays whatever its age.
    commits += [bench.shipped_app(PREVIOUS_RELEASE=commits[1])]
    cleans(bench, "staging", KEEP_RELEASES="1")
    assert [name.partition("-")[2] for name in bench.releases()] == [commits[1], commits[3]]


@pytest.mark.long
def test_folders_of_tries_push_out_none_that_was_live(bench):
    live = bench.shipped_app(PREVIOUS_RELEASE="")
    goes_live(bench, "staging", live)
    tries = [bench.shipped_app(PREVIOUS_RELEASE="") for _ in range(3)]
    cleans(bench, "staging", KEEP_RELEASES="1")
    kept = [name.partition("-")[2] for name in bench.releases()]
    assert live in kept and tries[0] not in kept and tries[-1] in kept
    gone = {f"removed {commit[:32]}" for commit in tries if commit not in kept}
    assert {step for step in bench.steps() if "removed" in step} == gone and f"removed {tries[0][:32]}" in gone


@pytest.mark.long
def test_what_is_removed_is_said_however_much_it_is(bench):
    """Of a run 64 steps are passed on: a host removes no more at a time than that."""
    first = bench.shipped_app(PREVIOUS_RELEASE="")
    folder = bench.app / "releases"
    for i in range(70):
        (folder / f"0-{i:040x}").mkdir()
    goes_live(bench, "staging", first)
    cleans(bench, "staging", KEEP_RELEASES="1")
    left = {path.name for path in folder.glob("0-*")}
    assert len(left) >= 20 and len(left) + sum("removed" in step for step in bench.steps()) == 70


@pytest.mark.long
def test_a_commit_of_which_a_newer_folder_stays_is_not_said_to_be_removed(bench):
    commit = bench.shipped_app(PREVIOUS_RELEASE="")
    assert bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")[0] == 0
    assert len(bench.releases()) == 2
    goes_live(bench, "staging", commit)
    cleans(bench, "staging", KEEP_RELEASES="1")
    assert len(bench.releases()) == 1 and not [step for step in bench.steps() if "removed" in step], bench.said()


@pytest.mark.long
def test_the_log_is_the_units(bench):
    bench.shipped_app()
    status, said = bench.run("target.sh", "staging", "logs", "7")
    assert status == 0 and said[-1] == "the last 7 words of shop.service", said


# ---- what ran before deploybot -------------------------------------------------------------------

def by_hand(bench, name="v7"):
    """A release that somebody put there, and that runs."""
    folder = bench.app / "releases" / name
    folder.mkdir(parents=True)
    (folder / "app").write_text("up")
    os.symlink(f"releases/{name}", bench.app / "current")
    bench.unit("shop.service", ActiveState="active", SubState="running", MainPID="7", InvocationID="7" * 32, runs=name)
    return f"releases/{name}"


@pytest.mark.long
def test_a_bad_first_release_is_rolled_back_to_what_ran_before(bench):
    before = by_hand(bench, "0.7")    # older than ours to a clean-up
    commit = bench.commit_app()
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and bench.runs() == ("active", commit), said
    word, = [step for step in bench.steps() if step.startswith("previous target:before-")]
    cleans(bench, "staging", KEEP_RELEASES="1")
    status, said = bench.run("rollback.sh", "staging", word.split()[1])
    assert status == 0 and bench.link() == before and bench.runs()[0] == "active", said
    assert bench.units()["shop.service"]["runs"] == "0.7" and "release" in bench.steps()
    # It is no release of ours: the next first one can be rolled back to it too, once more by that word.
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and word in bench.steps(), said


@pytest.mark.long
def test_what_ran_before_and_was_removed_is_64_and_nothing_changes(bench):
    by_hand(bench)
    commit = bench.shipped_app()
    word, = [step for step in bench.steps() if step.startswith("previous target:before-")]
    (bench.app / "releases" / "v7" / "app").unlink()
    (bench.app / "releases" / "v7").rmdir()
    bench.forget_orders()
    for wanted in (word.split()[1], "target:before-1"):
        status, said = bench.run("rollback.sh", "staging", wanted)
        assert status == 64 and "is not kept there any more" in said[-1] and "instead" not in said[-1], said
    assert bench.orders() == [] and bench.runs() == ("active", commit)


@pytest.mark.long
def test_where_nothing_ran_before_there_is_nothing_to_roll_back_to(bench):
    os.symlink("releases/gone", bench.app / "current")
    bench.shipped_app()
    assert not any(step.startswith("previous ") for step in bench.steps())


# ---- what does not stay up -----------------------------------------------------------------------

@pytest.mark.parametrize("fate, says", [
    ("ends 3", "shop.service ended (exit-code, status 3)"),
    pytest.param("later 1", "shop.service ended, and systemd started it again", marks=pytest.mark.long)])
def test_a_release_that_does_not_stay_up_is_taken_back(bench, fate, says):
    first = bench.shipped_app()
    link = bench.link()
    bench.forget_orders()
    status, said = bench.run("deploy.sh", "staging", bench.commit_app(fate))
    assert status == 70 and says in said[-1] and said[-1].endswith("the earlier release runs again"), said
    assert "|app| the last 20 words of shop.service" in said
    assert bench.runs() == ("active", first) and bench.link() == link and bench.left() == []
    # What has failed too often is started by nobody before that is reset.
    assert bench.orders()[2:] == [["reset-failed", "shop.service"], ["--no-block", "restart", "shop.service"]]


@pytest.mark.parametrize("state, says", [
    ("inactive", "; as before, none is up of a.service"),
    ("deactivating", "; none was up before, and still there is: a.service (deactivating)")])
def test_what_was_told_to_stop_and_is_there_yet_is_not_called_down(tmp_path, state, says):
    """It may take its TimeoutStopSec, and nobody waits so long."""
    (tmp_path / ".deploybot.before").mkdir()
    for name, text in (("link", "\n"), ("units", "a.service inactive \n"), ("touched", "a.service\n")):
        (tmp_path / ".deploybot.before" / name).write_text(text)
    script = (f'set -euo pipefail; cd {DEPLOY}/transports; . ssh-host/base.sh; . systemd-host/switch.sh; cd "$1"\n'
              'order() { :; }; point_to() { :; }; say() { :; }; forget_before() { :; }; pause() { SECONDS=1000; }\n'
              'declare -A field; look() { field=([ActiveState]=$is); }\n'
              'units=(a.service) is=$2 steady=1 up_seconds=1; find_grace() { :; }; take_back; echo "$said"')
    done = subprocess.run(["/bin/bash", "-c", script, "x", tmp_path, state], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout == f"{says}\n", done


@pytest.mark.parametrize("act, status", [
    ("check_unit a.service", 69), ("act_current", 69), ("act_job", 70), ("before=w; keep_before", 70)])
def test_why_systemd_does_not_answer_is_said_by_whoever_asks_what_runs(act, status):
    """Regressions: it ended $( ) alone, and the reason was lost with that; and chat said that the release still
    runs."""
    script = (f'set -euo pipefail; cd {DEPLOY}/transports; . ssh-host/base.sh; . systemd-host/units.sh\n'
              '. systemd-host/switch.sh; . systemd-host/acts.sh\n'
              'look() { said="systemd does not say how $1 is: no bus"; return 1; }\n'
              'die() { echo "$1 $2"; exit; }; declare -A field; units=(a.service) said=; cd /\n')
    done = subprocess.run(["/bin/bash", "-c", script + act], check=False, timeout=60, capture_output=True, text=True)
    assert done.stdout.startswith(f"{status} "), done
    assert done.stdout.endswith("systemd does not say how a.service is: no bus\n"), done


def test_the_first_release_that_fails_leaves_nothing(bench):
    status, said = bench.run("deploy.sh", "staging", bench.commit_app("ends 3"))
    assert status == 70 and said[-1].endswith("; as before, none is up of shop.service"), said
    assert bench.link() == "" and bench.runs()[0] == "inactive" and bench.left() == []


@pytest.mark.long
def test_units_behind_one_that_fails_are_not_touched(bench):
    bench.unit("worker.service")
    first = bench.shipped_app(SYSTEMD_UNITS="shop.service,worker.service")
    # It was started again once, long ago, and runs on.
    bench.unit("worker.service", NRestarts="2")
    before = bench.units()["worker.service"]
    status, said = bench.run("deploy.sh", "staging", bench.commit_app("ends 3"),
                             SYSTEMD_UNITS="shop.service,worker.service")
    assert status == 70 and said[-1].endswith("the earlier release runs again"), said
    assert bench.units()["worker.service"] == before and bench.runs() == ("active", first)


@pytest.mark.long
def test_behind_a_barrier_the_units_are_left_as_they_are(bench):
    bench.unit("worker.service")
    first = bench.shipped_app(SYSTEMD_UNITS="shop.service,worker.service")
    bench.forbid()
    commit = bench.commit_app("ends 3")
    status, said = bench.run("deploy.sh", "staging", commit, SYSTEMD_UNITS="shop.service,worker.service")
    assert status == 70 and said[-1].endswith(
        "; not rolled back (.deploybot/no-rollback); shop.service (new) is failed; worker.service "
        "(earlier) is active"), said
    assert commit in bench.link() and first not in bench.link() and bench.left() == []


@pytest.mark.long
def test_an_earlier_release_that_does_not_come_up_again_is_said(bench):
    bench.shipped_app()
    (bench.app / "current" / "app").write_text("ends 9")
    status, said = bench.run("deploy.sh", "staging", bench.commit_app("ends 3"))
    assert status == 70 and "could NOT be restored (shop.service ended (exit-code, status 9))" in said[-1], said
    # And the next release is not kept from coming.
    commit = bench.shipped_app()
    assert bench.runs() == ("active", commit) and bench.left() == []


@pytest.mark.long
def test_a_url_that_does_not_answer_is_a_failure(bench):
    first = bench.shipped_app()
    commit = bench.commit_app()
    status, said = bench.run("rollback.sh", "staging", first, SMOKE_URL="http://127.0.0.1:{port}/")
    assert status == 78 and "{port}" in said[-1], said
    del commit


# ---- what has to be there ------------------------------------------------------------------------

@pytest.mark.parametrize("spoil, says", [
    (lambda b: b.unit("shop.service", LoadState="not-found"),
     "there is no unit shop.service: put it into /etc/systemd/system"),
    pytest.param(lambda b: b.unit("shop.service", LoadState="masked"), "is masked: systemctl unmask shop.service",
                 marks=pytest.mark.long),
    pytest.param(lambda b: b.unit("shop.service", LoadState="bad-setting"),
                 "systemd-analyze verify shop.service says why", marks=pytest.mark.long),
    pytest.param(lambda b: b.unit("shop.service", Type="oneshot"), "is Type=oneshot", marks=pytest.mark.long),
    pytest.param(lambda b: b.unit("shop.service", WorkingDirectory="/opt/shop", ExecStart="{ path=/opt/shop ; }"),
                 "so it would run no release: WorkingDirectory=", marks=pytest.mark.long),
    pytest.param(lambda b: (b.app / "current").mkdir(), "current is no link", marks=pytest.mark.long),
    (lambda b: b.app.rmdir(), "there is no folder"),
    (lambda b: (b.become("deploy", "deploy"), b.unit("shop.service", User="shop")),
     'deploy may not run "systemctl --no-block restart shop.service" by sudo: visudo -f /etc/sudoers.d/deploybot'),
])
@pytest.mark.first
def test_a_host_that_is_not_ready_is_told_what_is_missing(bench, spoil, says):
    spoil(bench)
    status, said = bench.run("deploy.sh", "staging", bench.commit_app())
    assert status == 70 and says in said[-1], said
    assert bench.steps() == ["preflight"] and bench.orders() == []


def test_a_host_without_sudo_is_told_that_and_not_what_to_write_for_it():
    script = """die() { echo "$2"; exit "$1"; }
. "$1/deploy/transports/systemd-host/acts.sh"
me=deploy units=(shop.service) PATH=/nowhere
check_sudo shop.service"""
    done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT], check=False, timeout=60, capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout) == (
        70, "the program sudo is missing there (Debian: apt-get install sudo; or set SYSTEMD_SCOPE=user)\n"), done


def test_what_no_boot_starts_is_warned_of(bench):
    bench.unit("shop.service", UnitFileState="disabled", NeedDaemonReload="yes", TimeoutStopUSec="infinity")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and any("nothing starts shop.service after a reboot: systemctl enable" in line for line in said)
    assert any("systemd has not read it: systemctl daemon-reload" in line for line in said), said
    assert any("waits 1800 s at most" in line and "take longer: shop.service (TimeoutStopSec=30min or less)" in line
               for line in said), said
    assert not any("grace" in line for line in said), said


@pytest.mark.parametrize("spans, wanted", [
    (("1min 30s", "2h 1min"), "1890 1800 2040 b"), (("1min 30s",), "90 90 240 "), (("0",), "0 0 180 "),
    (("500ms",), "1 1 180 "),
    (("2min", "10min"), "720 600 870 "), (("20min 0.5s",), "1202 1202 1352 "), (("infinity",), "1800 1800 1950 a"),
    (("1w 2d", "30min", "45min"), "5400 1800 5550 a c"), (("", "5s"), "5 5 180 "),
    (("soon", "5s"), "1805 1800 1955 a"), (("1month 13h 30min",), "1800 1800 1950 a"), (("1y",), "1800 1800 1950 a")])
def test_units_get_the_time_that_they_may_take_to_end(spans, wanted):
    """Regression: all of them had 180 s together, whatever their TimeoutStopSec, and 90 s is systemd's default."""
    script = (f'set -euo pipefail; cd {DEPLOY}/transports; . ssh-host/base.sh; . systemd-host/units.sh\n'
              'declare -A field; look() { i=$(printf "%d" "\'$1"); field=([TimeoutStopUSec]=${spans[i - 97]}); }\n'
              'units=(a b c); units=("${units[@]:0:$#}"); spans=("$@")\n'
              'find_grace; echo $sum $longest $up_seconds$endless')
    done = subprocess.run(["/bin/bash", "-c", script, "x", *spans], check=True, timeout=60, capture_output=True,
                          text=True)
    assert done.stdout.strip() == wanted.strip(), done


@pytest.mark.long
def test_sudo_for_these_words_is_all_that_it_takes(bench):
    bench.become("deploy", "deploy adm")
    bench.change_units(sudo=True)
    for missing in range(3):
        bench.sudoers(*(rule for number, rule in enumerate(SUDOERS) if number != missing))
        status, said = bench.run("target.sh", "staging", "preflight")
        assert status == 70 and SUDOERS[missing].removeprefix("root ") in said[-1], said
        assert "systemctl --no-block restart shop.service, " in said[-1].partition("NOPASSWD: ")[2], said
    bench.sudoers(*SUDOERS)
    first = bench.shipped_app()
    status, said = bench.run("deploy.sh", "staging", bench.commit_app("ends 3"))
    assert status == 70 and bench.runs() == ("active", first), said


@pytest.mark.long
def test_a_users_own_systemd_needs_a_user_who_lingers(bench):
    bench.become("deploy", "deploy")
    bench.change_units(scope="user")
    status, said = bench.run("target.sh", "staging", "preflight", SYSTEMD_SCOPE="user")
    assert status == 70 and said[-1].endswith("loginctl enable-linger deploy"), said
    (bench.host() / "linger").touch()
    commit = bench.shipped_app(SYSTEMD_SCOPE="user")
    assert bench.runs() == ("active", commit) and ["--user", "--no-block", "restart", "shop.service"] in bench.orders()
    assert not any(call[0] == "sudo" for call in bench.host_calls())


@pytest.mark.parametrize("name, value, says", [
    ("SYSTEMD_UNITS", None, "SYSTEMD_UNITS is not set"),
    ("SYSTEMD_UNITS", "a.service;id", "SYSTEMD_UNITS: "),
    ("SYSTEMD_UNITS", "shop", "SYSTEMD_UNITS: "),
    ("SYSTEMD_UNITS", "shop.timer", "SYSTEMD_UNITS: "),
    ("SYSTEMD_UNITS", "-H.service", "SYSTEMD_UNITS: "),
    ("SYSTEMD_UNITS", "a.service,,b.service", "SYSTEMD_UNITS: "),
    ("SYSTEMD_SCOPE", "global", "is not system or user"),
    ("SYSTEMD_DIR", "srv/app", "is not an absolute path"),
    ("SYSTEMD_DIR", "/srv/my app", "is not an absolute path"),
    ("SYSTEMD_STEADY_SECONDS", "61", "is not a number, 1 to 60"),
    ("SYSTEMD_STEADY_SECONDS", "0", "is not a number, 1 to 60"),
    ("STAGING_HOST", "", "STAGING_HOST is not set"),
])
def test_a_setting_that_is_no_plain_word_goes_nowhere(bench, name, value, says):
    status, said = bench.run("deploy.sh", "staging", "0" * 40, **{name: value})
    assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls() and "release" not in bench.steps()


# ---- killed --------------------------------------------------------------------------------------

def hanging(bench, *when, after=0, fate="up"):
    """A deployment hung there: (its process, what ran, the commit that comes)."""
    first = bench.shipped_app()
    commit = bench.commit_app(fate)
    bench.host_plan({"when": when, "hang": True, "after": after})
    process = bench.start("deploy.sh", "staging", commit)
    return process, first, commit


@pytest.mark.parametrize("who", ["worker", pytest.param("guard", marks=pytest.mark.long)])
def test_whichever_of_the_two_on_the_host_is_killed_the_old_release_runs(bench, who):
    process, first, _ = hanging(bench, "systemctl", "--no-block", "restart")
    pid = bench.until_host_hangs()
    bench.host_plan()
    guard, worker = [pid for pid in bench.host_processes()][:2]
    os.kill(worker if who == "worker" else guard, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    bench.at_rest()
    assert bench.runs() == ("active", first) and bench.link() == f"releases/2-{first}"


# Three questions come before the switch: its note, reset-failed, restart, and the looks at what was started.
@pytest.mark.long
@pytest.mark.parametrize("after", range(3, 9))
def test_when_all_on_the_host_are_killed_what_is_said_is_true_and_the_next_act_works(bench, after):
    process, first, commit = hanging(bench, "systemctl", after=after)
    pid = bench.until_host_hangs()
    bench.kill_host(pid)
    bench.host_plan()
    assert process.wait(timeout=120) == 70, bench.said()
    released = "release" in bench.steps()
    said = bench.current()      # asking is a look, at which systemd has come further
    runs = bench.runs()[1]
    assert runs in (first, commit) and said == runs
    if not released:
        assert runs == first and bench.link() == f"releases/2-{first}"
    if after % 2:
        status, said = bench.run("rollback.sh", "staging", first)
        assert status == 0 and bench.runs() == ("active", first), said
    else:
        third = bench.shipped_app()
        assert bench.runs() == ("active", third)
    bench.at_rest()
    assert bench.left() == []


@pytest.mark.long
def test_what_was_interrupted_is_named_and_stays_as_it_is_until_a_release_begins(bench):
    """Regression: the copy restarted units, and the release whose hook failed then had changed nothing, it said."""
    process, first, commit = hanging(bench, "systemctl", "--no-block", "restart")
    bench.kill_host(bench.until_host_hangs())
    bench.host_plan()
    assert process.wait(timeout=120) == 70
    link = bench.link()
    bench.forget_orders()
    hook = bench.hook("pre-start", "10-no", "exit 1")
    for words in (("deploy.sh", "staging", commit), ("rollback.sh", "staging", "0" * 40)):
        status, said = bench.run(*words)
        assert status == 64 and "release" not in bench.steps(), said
        assert any("warning: an earlier release was interrupted here" in line for line in said), said
        assert bench.orders() == [] and bench.link() == link
    hook.unlink()
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 0 and bench.runs() == ("active", first), said
    _, said = bench.run("target.sh", "staging", "preflight")
    assert not any("was interrupted here, and nothing" in line for line in said)


def test_what_an_interrupted_release_comes_back_to_is_what_is_up_behind_a_barrier(tmp_path):
    """Regression: the release before was named, and nothing brings that back."""
    before = tmp_path / ".deploybot.before"
    before.mkdir()
    (before / "link").write_text("releases/old\n")
    script = (f". {ROOT}/deploy/transports/systemd-host/switch.sh; runs_now() {{ printf releases/new; }}\n"
              "to_come_back; echo; : >.deploybot.before/barrier; to_come_back")
    done = subprocess.run(["/bin/bash", "-c", script], check=False, timeout=60, cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.stdout.split() == ["releases/old", "releases/new"], done


@pytest.mark.long
@pytest.mark.parametrize("before", ["a release", "by hand"])
def test_what_is_rolled_back_to_is_what_ran_before_the_one_that_was_interrupted(bench, before):
    """Regression: by hand it was the interrupted release, which had been switched to and had never been well."""
    is_release = before == "a release"
    first = bench.shipped_app() if is_release else by_hand(bench)
    second = bench.commit_app()
    # One of the looks at what was started.
    bench.host_plan({"when": ["systemctl"], "hang": True, "after": 11})
    process = bench.start("deploy.sh", "staging", second)
    bench.kill_host(bench.until_host_hangs())
    bench.host_plan()
    assert process.wait(timeout=120) == 70 and bench.runs() == ("active", second)
    bench.hook("post-deploy", "10-note", f'echo "$PREVIOUS_RELEASE" >{bench.path}/previous')
    third = bench.shipped_app()
    assert bench.runs() == ("active", third)
    previous = (bench.path / "previous").read_text().strip()
    assert previous == first if is_release else previous.startswith("target:"), bench.said()
    status, said = bench.run("rollback.sh", "staging", previous)
    assert status == 0 and bench.link().endswith(first) and second not in bench.link(), said


@pytest.mark.long
def test_a_copy_that_is_cut_is_no_release(bench):
    """Half of it came, and whatever received it was killed."""
    first = bench.shipped_app()
    (bench.app / ".deploybot.incoming").mkdir()
    (bench.app / ".deploybot.incoming" / "half").touch()
    (bench.app / ".deploybot.dropped").mkdir()
    commit = bench.shipped_app()
    assert bench.runs() == ("active", commit) and bench.left() == [] and len(bench.releases()) == 2
    assert not (bench.app / "current" / "half").exists() and first != commit


def test_a_release_that_does_not_arrive_whole_is_refused(bench):
    first = bench.shipped_app()
    fake = bench.host_bin / "head"
    fake.write_text('#!/bin/bash\n[[ $1 != -c ]] || set -- -c $(($2 - 20))\nexec /usr/bin/head "$@"\n')
    fake.chmod(0o755)
    status, said = bench.run("deploy.sh", "staging", bench.commit_app())
    assert status == 70 and "did not arrive whole" in said[-1], said
    assert bench.releases() == [f"2-{first}"] and bench.left() == [] and "release" not in bench.steps()


@pytest.mark.long
def test_an_old_release_that_cannot_be_removed_is_in_the_way_of_none(bench):
    """Of root's in it, say."""
    bench.environment["KEEP_RELEASES"] = "1"
    bench.on_host("rm", """
        for folder in .deploybot.dropped*; do
            if [[ " $* " == *" $folder "* && -e $folder/of-root ]]; then
                echo "rm: cannot remove '$folder/of-root': Permission denied" >&2
                exit 1
            fi
        done""")
    bench.shipped_app()
    (bench.app / "current" / "of-root").touch()
    for _ in range(4):
        commit = bench.shipped_app()
        cleans(bench, "staging")
    assert bench.runs() == ("active", commit) and len(bench.releases()) == 2
    said = [line for line in bench.said() if "warning" in line]
    (left,) = bench.left()
    assert said and all("sudo rm -rf" in line and left in line for line in said), said
    (bench.host_bin / "rm").unlink()
    bench.shipped_app()
    cleans(bench, "staging")
    assert bench.left() == []


def test_what_ends_an_act_by_surprise_is_said_and_leaves_nothing_private(bench):
    """By set -e, outside of what a worker does: no "unbound variable"."""
    first = bench.shipped_app()
    bench.on_host("rm", """
        if [[ $* == '-rf .deploybot.incoming' ]]; then
            echo "rm: cannot remove '.deploybot.incoming/x': Permission denied" >&2
            exit 1
        fi""")
    status, said = bench.run("deploy.sh", "staging", bench.commit_app())
    assert status == 70 and "Permission denied" in said[-1] and "unbound" not in "\n".join(said), said
    assert not os.path.exists((bench.app / ".deploybot.lock").read_text().strip())
    assert bench.runs() == ("active", first)
