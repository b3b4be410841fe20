"""Goal: what goes to ssh is known word by word; the script on a host pulls, replaces and rolls back against an engine
that is a stand-in; whatever is killed there, the host runs the old or the new release whole."""
# SPDX-License-Identifier: ISC
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from commands.recorder import records_in
from commands_aid import DEPLOY, password_file
from runner_client import ROOT, wait_for
from ssh_aid import COMPOSE, SshBench, host_program, until_at_rest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PASSWORD = 'pass "word" $(id)'


@pytest.fixture(params=["v1", "v2"])
def any_bench(tmp_path, tools_folder, request):
    made = SshBench(tmp_path, tools_folder, request.param)
    yield made
    made.done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


def test_no_two_functions_that_go_to_a_host_have_one_name():
    """The files are one program there: a second one silently replaces the first, and was called with its words."""
    folder = os.path.join(ROOT, "deploy", "transports", "ssh-host")
    found = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found += re.findall(r"^(\w+)\(\)", file.read(), re.M)
    assert len(found) > 50 and not [name for name in set(found) if found.count(name) > 1]


QUESTIONS = r"(?:ask_docker|containers|states|running|serving|left_container)"


def test_docker_is_asked_in_one_way_and_nowhere_does_a_failure_read_as_nothing():
    """In a test, behind a pipe or in < <( ) bash drops the status of a question, and no answer looks like "none"."""
    folder = os.path.join(ROOT, "deploy", "transports", "ssh-host")
    bad = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read().replace("\\\n", " ")
            lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        for line in lines:
            dropped = rf"\[\[[^]]*\$\({QUESTIONS}\b|<\(\s*{QUESTIONS}\b|\b{QUESTIONS} [^|;)]*\|(?!\|)"
            lost = rf"\$\((?:insist )?{QUESTIONS}\b[^)]*\)(?! (?:\|\||&&))"
            if re.search(dropped, line) or (re.search(lost, line) and not re.match(r"\s*if ! \w+=", line)):
                bad.append(f"{name}: {line.strip()}")
            if re.search(r"\bfind_(?:in_docker|of_service|states) ", line) and not line.endswith("|| return 1"):
                bad.append(f"{name}: {line.strip()}")
            if re.search(r"engine\S* ps\b", line) and 'ids=$("${engine[@]}" ps -a -q' not in line:
                bad.append(f"{name}: {line.strip()}")
    assert not bad


# ---- exact words -------------------------------------------------------------------------------


def ssh_words(bench, act, seconds, *words, host="h1", port="22"):
    common = f"environment=staging dir={bench.app} service=app strategy=recreate start=120"
    words += () if act == "check" else ("project=app", "others=", "compose=docker-compose", f"root={bench.host()}")
    return ["ssh", "-F", "none", "-T", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
            f"-oUserKnownHostsFile={bench.known}", "-oGlobalKnownHostsFile=/dev/null", "-oIdentitiesOnly=yes",
            f"-oIdentityFile={bench.key}", "-oConnectTimeout=15", "-oServerAliveInterval=10",
            "-oServerAliveCountMax=3", "-oPermitLocalCommand=no", "-oForwardAgent=no", "-oClearAllForwardings=yes",
            "-p", port, "--", f"deploy@{host}",
            " ".join([f"timeout -k 10 {seconds} bash -s -- {act} {common}", *words])]


def test_a_deployment_is_four_calls_to_a_host_word_by_word(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    release = [f"image={bench.image}@{digest}", f"release={commit}@{digest}", "lock=30", "missing=66", "renew=yes"]
    assert bench.ssh_calls() == [
        ssh_words(bench, "check", 150, f"image={bench.image}"),
        ssh_words(bench, "pull", 1300, *release), ssh_words(bench, "switch", 900, *release),
        ssh_words(bench, "clean", 150, f"image={bench.image}", f"keep={digest}")]
    assert bench.steps() == ["preflight", f"image {digest}", "pull", "release", "switch h1", "clean"]
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
@pytest.mark.first
def test_a_rollback_builds_nothing_and_waits_longer_for_what_it_interrupts(bench):
    commit, digest = bench.shipped("one")
    bench.shipped("two")
    bench.forget_calls()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0, said
    release = [f"image={bench.image}@{digest}", f"release={commit}@{digest}", "lock=300", "missing=64",
               "rollback=yes"]
    assert bench.ssh_calls() == [
        ssh_words(bench, "check", 150, f"image={bench.image}"),
        ssh_words(bench, "pull", 1300, *release), ssh_words(bench, "switch", 900, *release)]
    assert ["docker", "pull"] not in [call[:2] for call in bench.host_calls()[-12:]]  # the image is there still
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
def test_what_runs_is_named_by_commit_and_digest(bench):
    commit, digest = bench.shipped("one")
    status, said = bench.run("target.sh", "staging", "current")
    assert status == 0 and said[-1] == f"{commit}@{digest}"
    status, said = bench.run("target.sh", "staging", "logs", "7")
    assert status == 0 and said[-1] == f"the last words of {bench.image}@{digest}"


def test_both_kinds_of_compose_do_the_same(any_bench):
    _, digest = any_bench.shipped("one")
    assert any_bench.runs() == [(f"{any_bench.image}@{digest}", "running")]
    assert ["compose", "up", "-d", "--no-deps", "--no-build", "app"] in any_bench.host_calls()


@pytest.mark.first
def test_hosts_come_one_after_the_other_with_their_ports(bench):
    commit, _ = bench.release("one")
    # Both are folders of one machine here: what the second host finds is what the first one left.
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")
    assert status == 0, said
    acts = [(call[-2], call[call.index("-p") + 1], call[-1].split()[7]) for call in bench.ssh_calls()]
    both = [("deploy@h1", "22"), ("deploy@h2", "2222")]
    for act, calls in zip(("check", "pull", "switch", "clean"), (acts[0:2], acts[2:4], acts[4:6], acts[6:])):
        # What changes nothing that serves goes to both at once.
        assert (calls if act == "switch" else sorted(calls)) == [(*place, act) for place in both]
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222", HOSTS_PARALLEL="true")
    assert status == 0, said
    assert "switch" in bench.steps() and "switch h1" not in bench.steps()


@pytest.mark.long
@pytest.mark.parametrize("parallel, most", [("1", 1), ("off", 3), ("2", 2), ("3", 3), ("99", 3), ("Yes", 3)])
def test_as_many_hosts_as_the_number_says_work_at_once(bench, parallel, most):
    """Each hangs when it is begun, and when it fails no further one is begun."""
    third_host(bench)
    for name in ("h1", "h2", "h3"):
        bench.host_plan({"when": ["docker"], "hang": True, "times": 1}, {"when": ["docker"], "status": 1}, name=name)
    process = bench.start("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222,h3", HOSTS_PARALLEL=parallel)
    hung = {}
    for name in ("h1", "h2", "h3")[:most]:
        hung[name] = bench.until_host_hangs(name)
    for pid in hung.values():   # these fail, and the others would hang
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=60) != 0 and len(bench.ssh_calls()) == most, bench.said()


def third_host(bench):
    (bench.stand / "hosts" / "h3").mkdir()
    bench.change_engine("h3", images={}, registry=[], containers=[], compose="v1")
    key = bench.known.read_text().partition(" ")[2].splitlines()[0]
    bench.known.write_text(bench.known.read_text() + f"h3 {key}\n")


def test_a_host_that_is_down_is_named_at_once_and_no_further_one_begun(bench):
    third_host(bench)
    (bench.stand / "hosts" / "h2").rename(bench.stand / "hosts" / "gone")
    bench.host_plan({"when": ["docker"], "hang": True})
    process = bench.start("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222,h3", HOSTS_PARALLEL="2")
    hung = bench.until_host_hangs()
    wait_for(lambda: any(line.startswith("h2 cannot be reached: ssh: Could not resolve") for line in bench.said()),
             "h2 to be named while h1 still works", 60)
    assert process.poll() is None
    bench.host_plan()
    os.kill(hung, signal.SIGKILL)
    assert process.wait(timeout=60) == 69
    assert bench.said()[-1].startswith("target.sh: h2 cannot be reached: "), bench.said()
    assert [call[-2] for call in bench.ssh_calls()] == ["deploy@h1"] and not (bench.host("h3") / "calls").exists()


# ssh_everywhere without ssh: $2 is a folder of this test's, `call` what an act on a host does, by its number.
SIDE_BY_SIDE = """set -euo pipefail
here=$1/deploy app=$2 act=ask DEPLOY_USER=deploy
. "$here/common.sh"
. "$here/transports/ssh.sh"
ssh_shares=no
environment=staging STAGING_HOST=$3 HOSTS_PARALLEL=$4 ssh_quiet=no
ssh_find_hosts
ssh_find_at_once
ssh_only=("${!ssh_hosts[@]}")
cd "$2"
until_there() { until [[ $(grep -c "$1" order) -ge $2 ]]; do sleep 0.02; done; }
"""


def side_by_side(path, hosts, parallel, call, act):
    (path / "order").write_text("")
    done = subprocess.run(
        ["/bin/bash", "-c", f"{SIDE_BY_SIDE}"
         "ssh_make_folder() { ssh_folder=$app; [[ -p life ]] || mkfifo life ended; }\n"
         f"ssh_call() {{ exec {{ssh_life}}>&-; {call}\n}}\n"
         f'ssh_everywhere 10 {act} || {{ status=$?; echo "$ssh_said" >&2; exit "$status"; }}',
         "x", ROOT, path, ",".join(hosts), parallel], check=False, timeout=120, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines(), (path / "order").read_text().split()


@pytest.mark.parametrize("act, parallel", [("pull", "off"), ("switch", "2"), ("pull", "true")])
def test_what_hosts_print_is_in_their_order_and_no_line_is_torn(tmp_path, act, parallel):
    """The first host has said half a line when the second one has long ended."""
    call = """printf 'h%s begins a li' "$1"; echo begun >>order
[[ $1 == 0 ]] && until_there '^ended$' 1; printf 'ne\\nh%s ends' "$1"; echo ended >>order"""
    status, said, _, order = side_by_side(tmp_path, ["h0", "h1"], parallel, call, act)
    assert status == 0 and order[-1] == "ended"
    assert said == ["h0 begins a line", "h0 ends", "h1 begins a line", "h1 ends"]


def test_hosts_that_fail_side_by_side_are_all_named(tmp_path):
    call = """echo begun >>order; until_there begun 3; [[ $1 == 1 ]] || { echo "no room $1" >&2; exit 70; }"""
    status, _, said, _ = side_by_side(tmp_path, ["h0", "h1", "h2"], "false", call, "check")
    assert status == 70 and {"h0: no room 0", "h2: no room 2"} <= set(said), said
    assert said[-1] in ("h0: no room 0 (failed too, see above: h2)", "h2: no room 2 (failed too, see above: h0)"), said


def test_a_call_that_is_killed_before_it_can_say_that_it_ends_is_over(tmp_path):
    call = """[[ $1 != 0 ]] || { until_there begun 1; kill -KILL "$BASHPID"; }; echo begun >>order"""
    status, _, said, order = side_by_side(tmp_path, ["h0", "h1"], "true", call, "switch")
    assert status == 70 and said[-1].startswith("h0: what deploybot runs there for this act was killed"), said
    assert order == ["begun"]


@pytest.mark.parametrize("act, parallel, most", [
    ("check", "false", 8), ("pull", "false", 8), ("clean", "off", 8), ("pull", "3", 3), ("pull", "1", 1),
    ("switch", "false", 1), ("start", "false", 1), ("logs", "true", 1), ("switch", "true", 12)])
def test_what_changes_nothing_that_serves_is_done_on_a_few_hosts_at_a_time(tmp_path, act, parallel, most):
    call = f"echo + >>order; until_there '^+$' {most}; echo - >>order"
    status, _, said, order = side_by_side(tmp_path, [f"h{n}" for n in range(12)], parallel, call, act)
    assert status == 0 and order.count("+") == 12, said
    at_work, highest = 0, 0
    for sign in order:
        at_work += 1 if sign == "+" else -1
        highest = max(highest, at_work)
    assert highest == most


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_pull_on_several_hosts_that_is_cut_has_changed_nothing(bench, number):
    _, digest = bench.shipped("one")
    commit, _ = bench.release("two")
    for name in ("h1", "h2"):
        bench.host_plan({"when": ["docker", "pull"], "hang": True}, name=name)
    process = bench.start("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")
    # Both are one folder: whoever has its lock pulls, the other one waits.
    wait_for(lambda: any((bench.host(name) / "hangs").exists() for name in ("h1", "h2")), "one of them to pull", 60)
    assert len([call for call in bench.ssh_calls() if " pull " in call[-1]]) == 2
    os.kill(process.pid, number)
    assert process.wait(timeout=60) != 0 and "release" not in bench.steps()
    wait_for(bench.is_quiet, "the hosts to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")] and bench.runs("h2") == []
    for name in ("h1", "h2"):
        bench.host_plan(name=name)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said


def test_who_was_told_to_stop_begins_nothing_that_would_have_to_be_stopped(tmp_path):
    script = ('. "$1/deploy/transports/ssh-host/base.sh"; cd "$2"; trap \'echo "$why"\' EXIT; told=$3 loose=\n'
              'run_loose 10 touch begun')
    for told, status, names in (("yes", 75, []), ("no", 0, ["begun"])):
        done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT, tmp_path, told], check=False, timeout=60,
                              env={**os.environ, "why": ""}, capture_output=True, text=True)
        assert (done.returncode, os.listdir(tmp_path)) == (status, names), done
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.parametrize("act", ["job", "migrate"])
def test_who_is_told_to_stop_says_so_where_it_is_read(bench, act):
    """Regression: a job's words went to the log, and so did why it ended, which nobody reads there."""
    commit, digest = bench.shipped("one")
    words = [f"dir={bench.app}", f"image={bench.image}@{digest}", f"release={commit}@{digest}", "environment=staging",
             "service=app", "strategy=recreate", "project=app", "others=", "migration=deploybot-migrate-staging",
             "migrator=app", "seconds=600", "job=hang"]
    process = subprocess.Popen(
        ["bash", "-s", "--", act, *words], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": (bench.stand / "host.path").read_text(), "STAND": str(bench.host()), "HOME": str(bench.path)})
    process.stdin.write(f"{host_program()}\n\n\n\n\n")
    process.stdin.flush()
    bench.until_host_hangs()
    out, said = process.communicate(timeout=60)     # the end of its stdin says that we are gone
    assert process.returncode == 75 and "was asked to stop" in said and "was asked to stop" not in out, (out, said)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


# ---- what ran before deploybot -----------------------------------------------------------------


@pytest.mark.first
@pytest.mark.parametrize("server", [{"PREVIOUS_RELEASE": ""}, {}])
def test_the_first_release_can_be_rolled_back_to_what_ran_before_deploybot(bench, server):
    bench.by_hand()
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **server)
    assert status == 0, said
    steps = bench.steps()
    word, = [step.removeprefix("previous ") for step in steps if step.startswith("previous ")]
    assert steps.index(f"previous {word}") < steps.index("release") and "no-rollback" not in steps
    assert len(f"previous {word}") <= 47    # a step's name
    # Somebody cleans up the host; docker spares what has a name or a container.
    images = bench.engine()["images"]
    del images["shop:old"]
    bench.change_engine(images=images)
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0, said
    image = word.replace("target:", "deploybot-before:")
    assert (image, "running") in bench.runs() and (image, "created") in bench.runs()
    assert bench.engine()["images"][image] == "sha256:id-of-before"
    assert not any(call[:2] == ["docker", "pull"] for call in bench.host_calls()[-12:])
    # The next first one finds the same again, and the releases' notes have no word of it.
    bench.run("deploy.sh", "staging", bench.release("two")[0], **server)
    assert f"previous {word}" in bench.steps()
    assert "target" not in (bench.app / ".deploybot.releases").read_text()


@pytest.mark.long
def test_what_ran_before_deploybot_is_kept_until_there_is_a_release_to_roll_back_to(bench):
    bench.by_hand()
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    kept = [image for image in bench.engine()["images"] if image.startswith("deploybot-before:")]
    assert len(kept) == 1 and any(of == kept[0] for of, _ in bench.runs())
    bench.shipped("two", PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert not any("deploybot-before" in image for image in bench.engine()["images"])
    assert not any("deploybot-before" in of for of, _ in bench.runs())
    assert not (bench.app / ".deploybot.target").exists()
    word = kept[0].replace("deploybot-before:", "target:")
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 64 and "what ran before deploybot is not kept there any more" in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_a_target_where_nothing_ran_has_no_previous_release(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    assert status == 0 and not any(step.startswith("previous") for step in bench.steps()), said


@pytest.mark.parametrize("word", ["target:", "target:a b", "target:../x", "target:" + "a" * 31, "target:A"])
def test_a_word_for_what_ran_before_deploybot_is_checked(bench, word):
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 64 and "no release" in said[-1], said
    assert bench.ssh_calls() == []


# ---- secrets and settings ----------------------------------------------------------------------


def test_the_registrys_password_reaches_the_host_over_stdin_alone(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    settings = {"REGISTRY_USER": "robot$shop", "REGISTRY_PASSWORD_FILE": str(file)}
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    assert bench.engine()["login"] == ["robot$shop", PASSWORD]
    config = [record["environment"].get("DOCKER_CONFIG")
              for record in records_in(bench.host() / "calls") if "pull" in record.get("words", ())]
    assert config[0].startswith("/dev/shm/deploybot.") and not os.path.exists(config[0])
    assert not any(PASSWORD in line for line in said)
    assert PASSWORD not in json.dumps(bench.calls(), ensure_ascii=False) + (bench.host() / "calls").read_text()


# What a host that is taken over does with whatever comes to it.
LISTENS = """#!/bin/bash
[[ $1 != -s ]] || exec < <(exec tee -a "$STAND/got.$3" 2>/dev/null)
exec -a bash /bin/bash "$@"
"""


def test_a_host_gets_the_registrys_login_for_a_pull_alone_and_then_the_pulling_one(bench):
    """Regression: it came with every act, to hosts that pulled nothing too, and was the one that pushes."""
    file = bench.host_bin / "bash"
    file.write_text(LISTENS)
    file.chmod(0o755)
    pushes, pulls = "the-one-that-pushes", "the-one-that-pulls"
    settings = {"STAGING_HOST": "h1,h2:2222"}
    for name, word in (("REGISTRY", pushes), ("REGISTRY_PULL", pulls)):
        (bench.path / name).write_text(word)
        (bench.path / name).chmod(0o600)
        settings |= {f"{name}_USER": f"{name.lower()}-robot", f"{name}_PASSWORD_FILE": str(bench.path / name)}
    (commit, _), (later, _) = bench.release("one"), bench.release("two")
    bench.change_world(password=pushes)
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    got = {file.name.removeprefix("got."): file.read_text()
           for name in ("h1", "h2") for file in bench.host(name).glob("got.*")}
    assert {"check", "pull", "switch", "clean"} <= set(got) and pulls in got["pull"]
    assert [act for act, text in got.items() if pushes in text or "robot" in text or pulls in text] == ["pull"]
    assert pushes not in got["pull"] and bench.engine()["login"] == ["registry_pull-robot", pulls]
    bench.run("deploy.sh", "staging", later, **{
        name: value for name, value in settings.items() if "PULL" not in name})
    assert bench.engine()["login"] == ["registry-robot", pushes]


@pytest.mark.parametrize("settings,said", [
    ({"REGISTRY_PULL_USER": "ci"}, "REGISTRY_PULL_USER is set, REGISTRY_PULL_PASSWORD "),
    ({"REGISTRY_PULL_USER": "ci", "REGISTRY_PULL_PASSWORD_FILE": "/nowhere"}, "REGISTRY_PULL_PASSWORD")])
def test_a_pulling_login_without_its_password_reaches_no_host(bench, settings, said):
    status, lines = bench.run("deploy.sh", "staging", bench.release("one")[0], **settings)
    assert status == 78 and said in "\n".join(lines) and not bench.ssh_calls(), lines


def test_a_host_that_was_taken_out_is_named_once(bench):
    """Regression: its scheduler ran on, and no line named it."""
    bench.shipped("one", STAGING_HOST="h1,h2:2222")
    says = ("==> warning h2 (port 2222) is not in STAGING_HOST any more: what the last release started there runs on, "
            "and no release replaces it: stop it there")
    assert says in bench.run("target.sh", "staging", "preflight")[1]
    bench.shipped("two")
    assert bench.said().count(says) == 1
    assert says not in bench.run("target.sh", "staging", "preflight")[1]


UNKNOWN = "; what runs on h3 is not known: a switch that loses us is finished there, or rolled back"


@pytest.mark.parametrize("act, variables, says", [
    ("deploy", "RUN_ID=", "; switched to the new release on h1: deploy/rollback.sh staging old rolls it back"),
    ("deploy", "RUN_ID= barred=yes",
     "; switched to the new release on h1: deploy/rollback.sh staging old --past rolls it back"),
    ("rollback", "RUN_ID= past=yes",
     "; rolled back on h1: deploy/rollback.sh staging to --past goes on with the others"),
    ("deploy", "RUN_ID=1", "; switched to the new release on h1"), ("rollback", "RUN_ID=1", "; rolled back on h1"),
    ("deploy", "RUN_ID=1 barred=yes ssh_done=() ssh_lost=(2)", UNKNOWN.replace("rolled back", "left as it was then")),
    ("deploy", "RUN_ID=1 ssh_lost=(2)", f"{UNKNOWN}; switched to the new release on h1"),
    ("rollback", "RUN_ID=", "; rolled back on h1: deploy/rollback.sh staging to goes on with the others")])
def test_what_some_hosts_run_behind_a_switch_that_failed_is_said_as_it_is(tmp_path, act, variables, says):
    """Regression: behind a rollback that failed, the command named would have brought the bad release back.  And people
    were told to roll back beside the server, which did."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'act=$1 environment=staging release=to PREVIOUS_RELEASE=old barred=no ssh_hosts=(h1 h2 h3) ssh_done=(0)\n'
              f'ssh_status=69 ssh_said=down; {variables}; ssh_switch_failed')
    done = subprocess.run(["/bin/bash", "-c", script, "x", act], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (70, f"x: down{says}\n")


@pytest.mark.parametrize("state, says", [
    ("ssh_switches=no", ""), ("ssh_done=() ssh_begun=([0]=0)", f"it runs on no host yet{UNKNOWN.replace('h3', 'h1')}"),
    ("ssh_done=(0 1) ssh_begun=([0]=0 [1]=1)", "it runs on h1 h2"),
    ("ssh_done=(0) ssh_begun=([0]=0) ssh_lost=(2)", f"it runs on h1{UNKNOWN}")])
def test_where_a_release_runs_that_is_ended_in_its_switch_is_known(tmp_path, state, says):
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              f'ssh_hosts=(h1 h2 h3) barred=no ssh_switches=yes ssh_lost=(); {state}; transport_reached')
    done = subprocess.run(["/bin/bash", "-c", script, "x"], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, says), done


def test_a_host_that_lost_us_while_it_started_is_tidied_or_named(tmp_path):
    """Regression: what it had started beside what serves ran on unsaid."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'act=deploy environment=staging ssh_hosts=(h1 h2 h3) ssh_common=() RUN_ID=1 ssh_started=()\n'
              'SSH_START_SECONDS=1\n'
              'ssh_everywhere() { echo "$2 on ${ssh_only[*]}"; ssh_done=(0) ssh_lost=(2) ssh_status=69 '
              'ssh_said="h3: down"; return 69; }\n'
              'trap on_exit EXIT; ssh_start')
    done = subprocess.run(["/bin/bash", "-c", script, "x"], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 69 and done.stdout.splitlines() == ["==> start", "start on 0 1 2", "tidy on 0 2"], done
    assert "==> warning h3: down; what was started there may run on beside what serves, until the next" in done.stderr


@pytest.mark.parametrize("seconds", ["0", "08", "00009", "14"])
def test_whatever_number_a_host_says_it_drains_the_next_look_is_to_come(tmp_path, seconds):
    """Regression: bash read 08 as an octal number, and the drain of all hosts was over."""
    script = (f'set -euo pipefail; here={ROOT}/deploy; . "$here/common.sh"; . "$here/transports/ssh.sh"\n'
              'ssh_everywhere() { printf "draining %s\\n" "$seconds" >"$ssh_folder/out.0"; mkfifo "$ssh_pipes.in"; }\n'
              'ssh_folder=$1 ssh_pipes=$1/5.1. seconds=$2 ssh_hosts=(h)\n'
              'ssh_common=() ssh_still=() ssh_pause=5 DRAIN_SECONDS=10\n'
              'look() { ssh_look 0 7 "$SECONDS"; }; look; echo "${ssh_still[*]} $ssh_pause"')
    done = subprocess.run(["/bin/bash", "-c", script, "x", tmp_path, seconds], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout == f"0 {min(5, int(seconds) + 1)}\n", done
    # Regression: pipes of each look were left, for as long as a drain may take.
    assert os.listdir(tmp_path) == ["out.0"]


@pytest.mark.long
def test_nobody_else_can_open_the_lock_in_a_hosts_folder(bench):
    """Regression: the application, which may read that folder, held it, and each release and rollback ended with 75."""
    lock = bench.app / ".deploybot.lock"
    lock.write_text("")     # as an earlier version has left it
    lock.chmod(0o644)
    commit, _ = bench.shipped("one")
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and lock.stat().st_mode & 0o777 == 0o600, said


def test_half_a_program_goes_to_no_host(bench):
    # What stands behind it on stdin are the settings, with the registry's password: bash there would execute them.
    link = bench.deploy / "transports" / "ssh-host"
    whole = os.readlink(link)
    link.unlink()
    link.mkdir()
    for name in set(os.listdir(whole)) - {"main.sh"}:
        os.symlink(os.path.join(whole, name), link / name)
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0])
    assert status == 78 and said[-1].endswith("is not whole: install deploybot again"), said
    assert not bench.ssh_calls()


@pytest.mark.long
def test_remote_login_false_sends_none(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    assert bench.run("deploy.sh", "staging", commit, REGISTRY_USER="robot", REGISTRY_PASSWORD_FILE=str(file),
                     REMOTE_LOGIN="false")[0] == 0
    assert "login" not in bench.engine()


@pytest.mark.parametrize("name, value, says", [
    ("STAGING_HOST", "", "STAGING_HOST is not set"),
    ("STAGING_HOST", "-oProxyCommand=id", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1;id", "STAGING_HOST: \"h1;id\" is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1,,h2", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1:99999", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h9", "has no key of h9: ssh-keyscan -p 22 h9"),
    ("STAGING_HOST", "h1:23", "has no key of [h1]:23"),
    ("STAGING_COMPOSE_DIR", "/srv/my app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/$(id)", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "srv/app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/../etc", "is not an absolute path"),
    ("COMPOSE_SERVICE", "a;b", "COMPOSE_SERVICE: \"a;b\" is not a service"),
    ("DEPLOY_USER", "-l", "DEPLOY_USER: \"-l\" is not the name of a user"),
    ("DEPLOY_STRATEGY", "rolling", "is not recreate or bluegreen"),
    ("SMOKE_URL", "https://h1/", "is not http://HOST"),
    ("SMOKE_URL", "http://127.0.0.1:{port}/", "only DEPLOY_STRATEGY=bluegreen knows"),
    ("SSH_KEY_PATH", "/nowhere", "there is no file /nowhere"),
    ("SSH_KNOWN_HOSTS", "/nowhere", "no file /nowhere"),
    ("HOSTS_PARALLEL", "all", "is not a number of hosts, 1 to 99"),
    ("SSH_JUMP", "-oProxyCommand=id", "is not HOST, USER@HOST or USER@HOST:PORT"),
    ("SSH_JUMP", "h1;id", "SSH_JUMP: \"h1;id\" is not HOST, USER@HOST"),
    ("SSH_JUMP", "ops@h9", "has no key of h9: ssh-keyscan -p 22 h9"),
    ("SSH_PROXY_COMMAND", "nc %h %p; id", "SSH_PROXY_COMMAND: \"nc %h %p; id\" is not a command of plain words"),
    ("SSH_PROXY_COMMAND", "no-such-program %h", "no program no-such-program is installed"),
])
def test_a_setting_that_is_no_plain_word_goes_nowhere(bench, name, value, says):
    status, said = bench.run("deploy.sh", "staging", COMMIT, **{name: value})
    assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls() and "release" not in bench.steps()


def test_by_hand_all_settings_that_are_wrong_are_named_at_once(bench):
    status, said = bench.run("deploy.sh", "staging", COMMIT, DEPLOY_STRATEGY="rolling", COMPOSE_SERVICE="a;b")
    assert status == 78 and not bench.ssh_calls(), said
    assert all(name in "\n".join(said) for name in ("DEPLOY_STRATEGY", "COMPOSE_SERVICE")), said


@pytest.mark.parametrize("name, value, says", [
    ("NGINX_UPSTREAM_FILE", None, "needs NGINX_UPSTREAM_FILE"),
    ("NGINX_UPSTREAM_FILE", "app.conf", "is not an absolute path"),
    ("NGINX_RELOAD_COMMAND", "nginx -s reload; id", "is not a command of plain words"),
    ("APP_PORTS", "8001,8001", "is not two different ports"),
    ("APP_PORTS", "8001", "is not two different ports"),
    ("DRAIN_SECONDS", "1s", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "0", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "08", "is not seconds, 1 to 86400"),
    ("DRAIN_SECONDS", "86401", "is not seconds, 1 to 86400"),
    ("SMOKE_URL", "http://127.0.0.1/health", "has no {port}, and DEPLOY_STRATEGY is bluegreen: the release that serves "
     "would answer for the new one; write http://127.0.0.1:{port}/PATH"),
])
def test_bluegreen_settings_are_checked_before_anybody_is_asked(bench, name, value, says):
    settings = {"DEPLOY_STRATEGY": "bluegreen", "NGINX_UPSTREAM_FILE": "/etc/nginx/deploybot/app.conf", name: value}
    for script in ("deploy.sh", "rollback.sh") if name == "SMOKE_URL" else ("deploy.sh",):
        status, said = bench.run(script, "staging", COMMIT, **settings)
        assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls()


@pytest.mark.parametrize("seconds", ["1", "1000", "86400"])
def test_what_check_config_takes_for_draining_the_script_takes(bench, seconds):
    status, said = bench.run("deploy.sh", "staging", COMMIT, DEPLOY_STRATEGY="bluegreen", DRAIN_SECONDS=seconds,
                             NGINX_UPSTREAM_FILE="/etc/nginx/deploybot/app.conf")
    assert status == 70 and "DRAIN" not in said[-1] and f" drain={seconds} " in bench.ssh_calls()[0][-1], said


@pytest.mark.long
@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_host_that_does_not_stop_talking_fills_no_memory(bench, where):
    """What is kept of it stands in /dev/shm until the call is over."""
    commit, _ = bench.shipped("one")
    # Behind what shares the connection.
    said_there = "runs sha256:1 " + "x" * 3000000 if where == "stdout" else "x" * 3000000
    bench.plan({"when": ["ssh"], "status": 0, where: said_there, "after": 0 if where == "stdout" else 1})
    hold = bench.hook("pre-deploy", "look", f"cat {bench.state}/apps/staging/private >{bench.path}/private; "
                      f"while read -r folder; do stat -c %s \"$folder\"/out.0 \"$folder\"/err.0; done "
                      f"<{bench.path}/private >{bench.path}/sizes 2>/dev/null; true")
    status, said = bench.run("deploy.sh", "staging", commit)
    hold.unlink()
    assert "warning: h1 says more than 65536 bytes at once: the rest is left out" in said
    if where == "stdout":
        assert status == 70 and "says nonsense of what runs there: '" + "x" * 200 + "'" in said[-1]
    else:
        assert max(map(int, (bench.path / "sizes").read_text().split())) == 65536
    bench.plan()
    assert bench.run("deploy.sh", "staging", commit)[0] == 0


@pytest.mark.long
def test_a_host_names_no_more_services_than_are_read(bench):
    """Each is a step, and a name in the message."""
    commit, _ = bench.shipped("one")
    lines = "".join(f"{word} s{number} x:1\\n" for number in range(500) for word in ("stays-old", "left-over"))
    lines += f"stays-old {'n' * 1000} x:1\\n"
    program = bench.deploy / "transports" / "ssh-host"
    text = (program / "acts.sh").read_text()
    text = text.replace("\tname_strangers\n", f"\tname_strangers\n\tprintf '{lines}'\n", 1)
    program.unlink()
    shutil.copytree(os.path.join(DEPLOY, "transports", "ssh-host"), program)
    (program / "acts.sh").write_text(text)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and len([step for step in bench.steps() if step.startswith("stays-old")]) <= 16, bench.steps()
    warning = "warning: h1 names 1001 services that no release replaces: the first 16"
    assert any(line.startswith(warning) for line in said), said
    assert "nnnnn" not in "\n".join(said)


def test_a_key_or_known_hosts_that_others_may_change_is_refused(bench):
    bench.key.chmod(0o644)
    assert "chmod 600" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    bench.key.chmod(0o600)
    bench.known.chmod(0o666)
    assert "others may write" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    assert not bench.ssh_calls()


# ---- a host that is not as it should be --------------------------------------------------------


@pytest.mark.parametrize("stderr, says", [
    ("Host key verification failed.\r\n", "shows a key that is not in"),
    ("deploy@h1: Permission denied (publickey).\r\n", "does not let deploy in: put what \"ssh-keygen -y"),
    ("ssh: connect to host h1 port 22: Connection timed out\r\n", "cannot be reached: ssh: connect to host"),
])
def test_what_ssh_says_comes_with_advice(bench, stderr, says):
    bench.plan({"when": ["ssh"], "status": 255, "own": stderr})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 69 and says in said[-1], said
    assert "release" not in bench.steps()


def test_our_own_deadline_is_no_lack_of_memory(bench):
    """Regression: timeout kills a guard that needs longer than 10 s to put things in order, with KILL's status."""
    bench.plan({"when": ["ssh"], "status": 137})
    status, said = bench.run("deploy.sh", "staging", COMMIT, SSH_ASK_SECONDS="0")     # it is over at once
    assert status == 75 and said[-1] == "deploy.sh: h1: out of time", said
    bench.plan({"when": ["ssh"], "status": 137})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70 and "is memory short there" in said[-1], said


NO_SESSION = (
    "ssh: connect to host h1 port 22: Connection refused",
    "ssh: Could not resolve hostname h1: Name or service not known",
    "kex_exchange_identification: Connection closed by remote host", "No ED25519 host key is known for h1 and you have "
    "requested strict checking.\r\nHost key verification failed.\r", "u@h1: Permission denied (publickey).\r")


def test_each_word_of_ssh_for_a_session_that_never_was_is_known():
    """Regression: of a changed key at a migration it was said that the database may be half migrated."""
    script = (f'. {DEPLOY}/transports/ssh/connect.sh\n'
              'for words in "$@"; do ssh_has_no_session "$words" && echo none || echo one; done')
    had = ["client_loop: send disconnect: Broken pipe", "mux_client_request_session: read from master failed",
           "Connection to h1 closed by remote host.",
           "Received disconnect from h1 port 22:2: bye\nHost key verification failed."]     # its text is the host's
    done = subprocess.run(["/bin/bash", "-euc", script, "x", *NO_SESSION, *had], check=True, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout.split() == ["none"] * len(NO_SESSION) + ["one"] * len(had)


@pytest.mark.parametrize("forged", [
    "Connection closed by UNKNOWN port 65535\nHost key verification failed.\n",
    "u@h1: Permission denied (publickey).\n"])
def test_what_a_host_says_is_no_word_of_ssh(bench, forged):
    """Regression: root there led people to trust another key of the jump host."""
    bench.plan({"when": ["ssh"], "status": 255, "stderr": forged})
    key = bench.known.read_text().partition(" ")[2].splitlines()[0]
    bench.known.write_text(bench.known.read_text() + f"bastion {key}\n")
    status, said = bench.run("deploy.sh", "staging", COMMIT, SSH_JUMP="bastion")
    assert status == 70, said
    assert said[-1].startswith("deploy.sh: h1: what deploybot runs there for this act was killed"), said


@pytest.mark.long
def test_what_a_host_says_is_no_word_of_ours(bench):
    """Neither on stdout nor on stderr, and wherever its last line ends."""
    forged = "==> release\n==> no-rollback\n==> no end"
    commit, digest = bench.release("one")
    for parallel in ("false", "true"):
        bench.plan({"when": ["ssh"], "stdout": forged, "stderr": forged + "\n", "status": 70})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 70 and bench.steps() == ["preflight"], said
        bench.plan({"when": ["ssh"], "after": 1, "stdout": forged, "stderr": forged + "\n", "status": 66})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 66 and bench.steps() == ["preflight", f"image {digest}", "pull"], said


@pytest.mark.long
def test_who_releases_by_hand_sees_no_marks_of_quotations(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, RUN_ID=None)
    assert status == 0 and "==> switch h1" in said, said
    assert not any("quote" in line for line in said)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and any("quote" in line for line in said), said


def test_a_connection_that_breaks_after_release_is_not_called_untouched(bench):
    commit, _ = bench.release("one")
    bench.plan({"when": ["ssh"], "after": 2, "status": 255, "own": "client_loop: send disconnect: Broken pipe\n"})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "cannot be reached" in said[-1], said
    assert "release" in bench.steps()


@pytest.mark.long
@pytest.mark.parametrize("spoil, says", [
    (lambda bench: (bench.app / "docker-compose.yml").unlink(), "there is no compose file in"),
    (lambda bench: (bench.app / "docker-compose.yml").write_text(COMPOSE.replace("${DEPLOY_IMAGE}", "shop:latest")),
     "this line is missing: image: ${DEPLOY_IMAGE}"),
    (lambda bench: (bench.app / "docker-compose.yml").write_text(COMPOSE.replace("  app:", "  web:")),
     "has no service app"),
    (lambda bench: bench.change_engine(denied=True), "may not use docker there: usermod -aG docker"),
    (lambda bench: (bench.app / "docker-compose.yml").rename(bench.app.with_name("gone")) and bench.app.rmdir(),
     "there is no folder"),
])
def test_a_host_that_is_not_ready_is_told_what_is_missing(bench, spoil, says):
    spoil(bench)
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70 and says in said[-1], said
    assert "release" not in bench.steps() and "build" not in bench.steps()


@pytest.mark.long
def test_the_first_compose_is_refused_beside_an_engine_that_it_cannot_replace_on(bench):
    """It stopped the service, and died with ContainerConfig before there was another."""
    _, one = bench.shipped("one")
    commit, _ = bench.release("two")
    for docker, wanted in (("26.1.5 1.45", 70), ("29.0.0 1.52", 70), ("25.0.5 1.44", 0)):
        bench.change_engine(docker=docker)
        status, said = bench.run("deploy.sh", "staging", commit)
        assert status == wanted, said
        if wanted != 0:
            assert "docker-compose 1.29.2 cannot replace a container of docker " + docker.split()[0] in said[-1]
            assert bench.steps() == ["preflight"] and bench.runs() == [(f"{bench.image}@{one}", "running")]
    bench.change_engine(docker="26.1.5 1.45", compose="v2")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0, said


@pytest.mark.long
def test_an_image_that_is_gone_is_66_in_a_deployment_and_64_in_a_rollback(bench):
    commit, digest = bench.release("one")
    bench.change_engine(registry=[])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 66 and "does not have" in said[-1], said
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 64 and "does not have" in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_a_registry_that_is_not_trusted_there_is_not_called_empty(bench):
    commit, digest = bench.release("one")
    for words, says in (
            ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "does not trust"),
            ('error getting credentials: exec: "docker-x": executable file not found in $PATH', "cannot be pulled")):
        bench.host_plan({"when": ["docker", "pull"], "status": 1, "stderr": words + "\n"})
        for script, release in (("deploy.sh", commit), ("rollback.sh", f"{commit}@{digest}")):
            status, said = bench.run(script, "staging", release)
            assert status == 66 and says in said[-1], said


@pytest.mark.long
@pytest.mark.parametrize("act,words", [
    ("login", "Error response from daemon: login attempt failed with status: 503 Service Unavailable"),
    ("pull", "toomanyrequests: You have reached your pull rate limit."),
    ("pull", "Get https://r/v2/: net/http: request canceled (Client.Timeout exceeded while awaiting headers)")], ids=str)
def test_a_registry_that_is_busy_is_asked_again_on_the_host(bench, act, words):
    bench.host_plan({"when": ["docker", act], "status": 1, "stderr": words + "\n", "times": 1})
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench))
    assert status == 0, said
    assert any(line.endswith(f": registry.example.org is busy, asked again in 1 s: {words}") for line in said), said


@pytest.mark.long
def test_what_docker_had_to_start_again_long_ago_is_no_new_failure(bench):
    """The second host of a rollback may run that release still, and did so through a crash or two."""
    commit, digest = bench.shipped("one")
    box, = bench.engine()["containers"]
    bench.change_engine(containers=[{**box, "restarts": 2}])
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0 and not (bench.app / ".deploybot.before").exists(), said


# ---- rolling back ------------------------------------------------------------------------------


def test_of_env_only_our_line_changes(bench):
    file = bench.app / ".env"
    file.write_text("# ours\nDEBUG=1\nDEPLOY_IMAGE=x\n DEPLOY_IMAGE=y\nDEPLOY_IMAGES=z\nLAST=no newline")
    file.chmod(0o640)
    _, digest = bench.shipped("one")
    assert file.read_text() == ("# ours\nDEBUG=1\nDEPLOY_IMAGES=z\nLAST=no newline\n"
                                f"DEPLOY_IMAGE={bench.image}@{digest}\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(bench.app)) == [".deploybot.lock", ".deploybot.releases", ".env", "docker-compose.yml"]


def test_a_compose_that_fails_half_way_leaves_the_old_release_running(bench):
    _, digest = bench.shipped("one")
    env = (bench.app / ".env").read_text()
    commit, other = bench.release("two")
    before = bench.engine()["containers"]
    bench.change_engine(refuses=f"{bench.image}@{other}")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("no space left on device; the earlier release runs again"), said
    assert bench.engine()["containers"] == before and bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert (bench.app / ".env").read_text() == env and not (bench.app / ".deploybot.before").exists()


def test_behind_a_barrier_the_host_brings_no_earlier_release_back(bench):
    """Regression: chat said that what is up was left, and the earlier release ran on the newer database."""
    _, old = bench.shipped("one")
    bench.forbid()
    commit, new = bench.release("two")
    bench.change_engine(broken=["sha256:id-of-" + new[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "ended with status 7" in said[-1], said
    assert "; not rolled back (.deploybot/no-rollback); " in said[-1], said
    assert "nothing is rolled back by itself: drops column price (.deploybot/no-rollback)" in said, said
    assert f"{bench.image}@{old}" not in [image for image, _ in bench.runs()], bench.runs()
    assert not (bench.app / ".deploybot.before").exists() and new in (bench.app / ".env").read_text()


@pytest.mark.parametrize("strategy, now", [("bluegreen", "new"), ("recreate", "new"), ("recreate", "")])
@pytest.mark.parametrize("barrier", [True, False])
def test_what_an_interrupted_release_comes_back_to_is_what_is_up_behind_a_barrier(tmp_path, strategy, now, barrier):
    """Regression: the release before was named as what runs once that is put in order, and it stays down."""
    before = tmp_path / ".deploybot.before"
    before.mkdir()
    (before / "port").write_text("8001\n")
    (before / "containers").write_text("old\n")
    if barrier:
        (before / "barrier").touch()
    script = (f"set -euo pipefail; cd {ROOT}/deploy/transports/ssh-host; . ./acts.sh; . ./recreate.sh; cd {tmp_path}\n"
              f"strategy={strategy} now={now}; running() {{ echo old; }}; only_up() {{ echo \"$1\"; }}\n"
              "name_release() { echo \"$id\"; }; say() { :; }; name_interrupted")
    done = subprocess.run(["/bin/bash", "-c", script], check=False, timeout=60, capture_output=True, text=True)
    comes_back = now if barrier or (strategy, now) == ("recreate", "new") else "old"
    assert (done.returncode, done.stdout) == (0, f"interrupted {comes_back}\n"), done


@pytest.mark.long
def test_a_release_that_does_not_stay_up_is_rolled_back(bench):
    _, digest = bench.shipped("one")
    commit, other = bench.release("two")
    bench.change_engine(broken=["sha256:id-of-" + other[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "ended with status 7" in said[-1] and "earlier release runs again" in said[-1], said
    assert any("the last words of" in line for line in said)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
def test_the_first_release_that_fails_leaves_nothing(bench):
    commit, other = bench.release("one")
    bench.change_engine(broken=["sha256:id-of-" + other[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("; as before, no container of app runs in the compose project app"), said
    assert bench.runs() == [] and not (bench.app / ".env").exists()


# ---- docker does not answer --------------------------------------------------------------------


def deaf_while_noting(bench, times):
    """So often docker does not say what the containers are, while that is noted before the switch."""
    bench.on_host("docker", f"""
        if [[ $1 == inspect && "$*" == *RestartCount* && -e {bench.path}/switches && ! -e .deploybot.before ]] &&
            printf x >>{bench.path}/asked && (($(stat -c %s {bench.path}/asked) <= {times})); then
            echo "Error response from daemon: context deadline exceeded" >&2
            exit 1
        fi""")


def test_a_service_has_as_long_to_start_as_the_environment_says(bench):
    bench.shipped("one")
    commit, two = bench.release("two")
    bench.change_engine(health={"sha256:id-of-" + two[-8:]: "starting"})
    status, said = bench.run("deploy.sh", "staging", commit, START_SECONDS="1")
    assert status == 70 and "after 1 s: " in said[-1] and "its health starting" in said[-1], said
    status, said = bench.run("deploy.sh", "staging", commit, START_SECONDS="soon")
    assert status == 78 and "START_SECONDS" in said[-1], said


@pytest.mark.parametrize("words, says", [
    ("[[ $1 == info || $1 == version ]]", "h1: docker does not answer: "),
    ("[[ $1 == ps ]]", "h1: docker does not say what runs; ")])
def test_a_docker_that_does_not_answer_is_as_a_host_that_does_not(bench, words, says):
    """Chat says of 69 that what runs is not known, and of 70 that the live release still does."""
    commit, _ = bench.release("one")
    bench.on_host("docker", f"""
        if {words}; then
            echo "Cannot connect to the Docker daemon" >&2
            exit 1
        fi""")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 69 and says in said[-1] and "release" not in bench.steps(), said


@pytest.mark.long
@pytest.mark.parametrize("times, says", [
    (1, "; the earlier release runs again"), (9, "docker does not say what runs; the release was not begun there")])
def test_what_docker_does_not_say_once_is_asked_again_and_then_nothing_is_touched(bench, times, says):
    """It read as "nothing ran": the earlier release was removed when the new one did not come up."""
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    bench.change_engine(health={"sha256:id-of-" + two[-8:]: "unhealthy"})
    bench.hook("pre-deploy", "10-mark", f"touch {bench.path}/switches")
    deaf_while_noting(bench, times)
    (bench.host() / "calls").unlink()
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and says in said[-1] and (bench.path / "asked").exists(), said
    assert bench.runs() == [(f"{bench.image}@{one}", "running")]
    assert any("up" in call for call in bench.host_calls()) == (times == 1)
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_an_image_of_which_docker_says_nothing_is_not_forgotten(bench):
    bench.environment["KEEP_RELEASES"] = "1"
    commit, one = bench.shipped("one")
    bench.on_host("docker", f"""
        if [[ "$*" == "image inspect "*{one} || "$*" == "image rm "*{one} ]]; then
            echo "Error response from daemon: context deadline exceeded" >&2
            exit 1
        fi""")
    for text in ("two", "three"):
        bench.shipped(text, PREVIOUS_RELEASE="")
    assert f"{commit}@{one}" in (bench.app / ".deploybot.releases").read_text()


# ---- killed ------------------------------------------------------------------------------------


HALF = ("containers", "env", "no-env")


@pytest.mark.long
@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("env", ["SECRET=keep me\n", None])
def test_a_note_of_what_ran_that_is_removed_in_part_is_none(bench, env, runs):
    """Cut there, no further release was possible, or .env was removed."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + COMPOSE.partition("\n")[2].replace("app:", "worker:"))
    if env:
        (bench.app / ".env").write_text(env)
    bench.shipped("one")
    commit, _ = bench.release("two")
    bench.on_host("rm", f"""
        if [[ ${{*: -1}} == .deploybot.before* && -e ${{*: -1}}/port && ! -e {bench.host()}/hangs ]]; then
            for name in {" ".join(HALF)}; do /usr/bin/rm -f "${{*: -1}}/$name"; done
            echo $$ >{bench.host()}/hangs
            exec sleep 1000
        fi""")
    process = bench.start("deploy.sh", "staging", commit)
    bench.kill_host(bench.until_host_hangs())
    assert process.wait(timeout=120) == 70
    if not runs:
        bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])
    (bench.host_bin / "rm").unlink()
    third, three = bench.release("three")
    status, said = bench.run("deploy.sh", "staging", third)
    assert status == 0 and bench.runs() == [(f"{bench.image}@{three}", "running")] * 2, said
    assert (bench.app / ".env").read_text() == (env or "") + f"DEPLOY_IMAGE={bench.image}@{three}\n"
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_half_a_note_that_an_earlier_version_left_is_none(bench):
    (bench.app / ".env").write_text("SECRET=keep me\n")
    bench.shipped("one")
    (bench.app / ".deploybot.before").mkdir()
    (bench.app / ".deploybot.before" / "port").write_text("\n")
    bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])
    _, two = bench.shipped("two")
    assert not any("was interrupted here" in line for line in bench.said())
    assert bench.runs() == [(f"{bench.image}@{two}", "running")]
    assert (bench.app / ".env").read_text() == f"SECRET=keep me\nDEPLOY_IMAGE={bench.image}@{two}\n"


def hanging_up(bench, barrier=None):
    """A deployment hung in `compose up`: (its process, the pid of the compose)."""
    _, digest = bench.shipped("one")
    if barrier:
        bench.forbid(barrier)
    commit, _ = bench.release("two")
    bench.host_plan({"when": ["compose", "up"], "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    file = bench.host() / "hangs"
    pid = int(wait_for(lambda: file.exists() and file.read_text(), "compose to hang", 60))
    return process, pid, digest


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard"])
def test_whichever_of_the_two_on_the_host_is_killed_the_old_release_runs(bench, who):
    process, compose, digest = hanging_up(bench)
    guard, worker = [pid for pid in bench.host_processes() if pid != compose][:2]
    os.kill(worker if who == "worker" else guard, signal.SIGKILL)
    os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_behind_a_barrier_a_killed_host_brings_no_earlier_release_back_either(bench):
    process, compose, digest = hanging_up(bench, "drops column price")
    worker = [pid for pid in bench.host_processes() if pid != compose][1]
    os.kill(worker, signal.SIGKILL)
    os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    said = bench.said()
    assert said[-1].endswith("; not rolled back (.deploybot/no-rollback); up is: app (earlier)"), said
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")], "compose had not come so far"
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_when_all_on_the_host_are_killed_the_next_release_puts_it_right(bench):
    process, compose, digest = hanging_up(bench)
    for pid in [*bench.host_processes(), compose]:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    assert (bench.app / ".deploybot.before").exists()
    bench.host_plan()
    status, said = bench.run("rollback.sh", "staging", next(
        line for line in (bench.app / ".deploybot.releases").read_text().splitlines() if line.endswith(digest)))
    assert status == 0, said
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


def test_what_is_said_to_run_again_outlasts_a_stop_that_nobody_waits_for_any_more(bench):
    """Regression: all was killed while dockerd stopped it (up to 30 min); it was rolled back to, then gone."""
    process, compose, digest = hanging_up(bench)
    bench.kill_host(compose)
    assert process.wait(timeout=120) == 70
    said = bench.said()[-1]
    assert "what runs on h1 is not known" in said or "was killed" in said, said
    bench.host_plan()
    process = bench.start("rollback.sh", "staging", next(
        line for line in (bench.app / ".deploybot.releases").read_text().splitlines() if line.endswith(digest)))
    looks = "it may have begun to stop what runs: that is looked at for 13 s, and started again where it ends"
    wait_for(lambda: process.poll() is not None or any(looks in line for line in bench.said()), "the look", 60)
    assert process.poll() is None, bench.said()
    bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])   # KILL
    assert process.wait(timeout=120) == 0, bench.said()
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("after, status, runs", [
    ("rollback", 0, "old"), ("deploy", 0, "new"), ("deploy of what the registry lost", 66, "old")])
def test_when_all_are_killed_while_nothing_runs_the_next_act_brings_one_up(bench, after, status, runs):
    commit, digest = bench.shipped("one")
    wanted, other = bench.release("two")
    bench.change_engine(halts=True)
    process = bench.start("deploy.sh", "staging", wanted)
    compose = bench.until_host_hangs()
    bench.kill_host(compose)
    assert process.wait(timeout=120) == 70
    assert [status for _, status in bench.runs()] == ["exited"] and (bench.app / ".deploybot.before").exists()
    if after == "rollback":
        found, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    else:
        if after != "deploy":
            bench.change_engine(registry=[], images={
                name: number for name, number in bench.engine()["images"].items() if name.endswith(digest)})
        found, said = bench.run("deploy.sh", "staging", wanted)
    assert found == status, said
    assert any("warning: an earlier release was interrupted here" in line for line in said), said
    if status == 66:    # it has not begun, so it has changed nothing
        assert [status for _, status in bench.runs()] == ["exited"]
        assert "ran before this: no release that is known" in said
        assert bench.run("rollback.sh", "staging", f"{commit}@{digest}")[0] == 0
    assert bench.runs() == [(f"{bench.image}@{digest if runs == 'old' else other}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_we_are_gone_the_host_takes_back_and_a_rollback_waits_for_it(bench, number):
    process, compose, digest = hanging_up(bench)
    os.kill(process.pid, number)
    wait_for(lambda: process.poll() is not None, "deploy.sh to end", 60)
    assert not bench.is_quiet()     # compose is never cut short by us
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.first
def test_two_deploybots_do_not_work_on_one_folder(bench):
    commit, _ = bench.release("three")
    _, compose, _ = hanging_up(bench)
    status, said = bench.run("deploy.sh", "staging", commit, STATE_DIRECTORY=str(bench.path / "another"))
    assert status == 75 and "something else is being released" in said[-1], said
    os.kill(compose, signal.SIGKILL)
