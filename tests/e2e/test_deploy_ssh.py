"""Goal: what goes to ssh is known word by word, to one host after the other or to several at once; what ran before
deploybot can be rolled back to."""
# SPDX-License-Identifier: ISC
import graphlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

from commands_aid import cleans
from runner_client import ROOT, wait_for
from ssh_aid import SshBench, host_program, until_at_rest


@pytest.fixture(params=["v1", "v2"])
def any_bench(tmp_path, tools_folder, request):
    made = SshBench(tmp_path, tools_folder, request.param)
    yield made
    made.done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


@pytest.mark.parametrize("parts", [
    ("ssh-host/*.sh",), ("systemd-host/*.sh", "ssh-host/base.sh", "ssh-host/guard.sh"), ("ssh.sh", "ssh/*.sh"),
    ("systemd.sh", "ssh/connect.sh", "ssh/hosts.sh", "ssh/waves.sh", "ssh/calls.sh", "ssh/switch.sh"),
    ("kubernetes.sh", "kubernetes/*.sh")])
def test_no_two_functions_of_what_is_one_program_have_one_name(parts):
    """A second one silently replaces the first, and was called with its words."""
    folder = pathlib.Path(ROOT, "deploy", "transports")
    found = [name for part in parts for path in folder.glob(part)
             for name in re.findall(r"^(\w+)\(\)", path.read_text("utf-8"), re.M)]
    assert len(found) > 40 and not [name for name in set(found) if found.count(name) > 1]


@pytest.mark.parametrize("name", ["ssh", "kubernetes"])
def test_a_part_of_a_transport_takes_from_those_that_its_head_names_and_never_in_a_circle(name):
    whole = pathlib.Path(ROOT, "deploy", "transports", f"{name}.sh")
    texts = {path.name: path.read_text("utf-8") for path in (whole, *whole.with_suffix("").glob("*.sh"))}
    has = {function: part for part, text in texts.items() for function in re.findall(r"(?m)^(\w+)\(\)", text)}
    takes = {}
    for part, text in texts.items():
        head, _, code = text.partition("\n\n")
        takes[part] = {has[word] for word in re.findall(r"\w+", re.sub("#.*", "", code)) if word in has} - {part}
        assert part == whole.name or takes[part] <= set(re.findall(r"\w+\.sh", head)), (part, takes[part])
    assert len(tuple(graphlib.TopologicalSorter(takes).static_order())) == len(texts) > 5


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
    words += () if act in ("check", "clean") else ("project=app", "others=", "compose=docker-compose",
                                                   f"root={bench.host()}")
    return ["ssh", "-F", "none", "-T", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
            f"-oUserKnownHostsFile={bench.known}", "-oGlobalKnownHostsFile=/dev/null", "-oIdentitiesOnly=yes",
            f"-oIdentityFile={bench.key}", "-oConnectTimeout=15", "-oServerAliveInterval=10",
            "-oServerAliveCountMax=3", "-oPermitLocalCommand=no", "-oForwardAgent=no", "-oClearAllForwardings=yes",
            "-p", port, "--", f"deploy@{host}",
            " ".join([f"timeout -k 10 {seconds} bash -s -- {act} {common}", *words])]


def test_a_deployment_is_three_calls_to_a_host_word_by_word_and_one_behind_it(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    steps = bench.steps()
    cleans(bench, "staging")
    release = [f"image={bench.image}@{digest}", f"release={commit}@{digest}", "lock=30", "missing=66", "renew=yes"]
    assert bench.ssh_calls() == [
        ssh_words(bench, "check", 150, f"image={bench.image}"),
        ssh_words(bench, "pull", 1300, *release), ssh_words(bench, "switch", 900, *release),
        ssh_words(bench, "clean", 150, f"image={bench.image}", f"keep={digest}")]
    assert steps == ["preflight", f"image {digest}", "pull", "release", "switch h1", "clean-later"]
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
        ssh_words(bench, "check", 150, f"image={bench.image}", f"release={commit}@{digest}", "rollback=yes"),
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


@pytest.mark.long
@pytest.mark.parametrize("published, exposed, is_said", [
    ("8081/tcp ", "8080/tcp 9090/tcp ", True), ("8080/tcp ", "8080/tcp 9090/tcp ", False), ("8081/tcp ", "", False),
    ("", "8080/tcp ", False)])
def test_a_first_release_whose_port_leads_nowhere_in_the_container_says_so(bench, published, exposed, is_said):
    """Regression: "connection refused (10 tries in a row)", and nothing said that the container listens elsewhere."""
    commit, _ = bench.release("one")
    bench.change_engine(published=published, exposed=exposed)
    status, said = bench.run("deploy.sh", "staging", commit)
    warning = [line for line in said if "EXPOSE" in line]
    assert status == 0 and len(warning) == is_said and not any("unpublished" in line for line in said), said
    assert not is_said or warning[0].startswith("==> warning h1: compose publishes port 8081/tcp of the container, and "
                                                "its image listens on 8080/tcp 9090/tcp (EXPOSE): "), said
    commit, _ = bench.release("two")
    assert not any("EXPOSE" in line for line in bench.run("deploy.sh", "staging", commit)[1])


def test_both_kinds_of_compose_do_the_same(any_bench):
    _, digest = any_bench.shipped("one")
    assert any_bench.runs() == [(f"{any_bench.image}@{digest}", "running")]
    assert ["compose", "up", "-d", "--no-deps", "--no-build", "app"] in any_bench.host_calls()


@pytest.mark.long
def test_a_host_keeps_what_came_last_whatever_a_clean_up_knows(bench):
    """A deployment that began while the clean-up was on its way is about to start that."""
    digests = [bench.shipped(text)[1] for text in ("one", "two", "three", "four")]
    file = bench.app / ".deploybot.releases"
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{line}\n" for line in (*lines[1:], lines[0])))
    cleans(bench, "staging", KEEP_RELEASES="1", PREVIOUS_RELEASE="")
    assert f"{bench.image}@{digests[0]}" in bench.engine()["images"], bench.said()
    file.write_text("".join(f"{line}\n" for line in lines))
    assert bench.run("clean.sh", "staging", KEEP_RELEASES="1")[0] == 0
    assert f"{bench.image}@{digests[0]}" not in bench.engine()["images"], bench.said()


@pytest.mark.long
@pytest.mark.first
def test_hosts_come_one_after_the_other_with_their_ports(bench):
    commit, _ = bench.release("one")
    # Both are folders of one machine here: what the second host finds is what the first one left.
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")
    assert status == 0, said
    cleans(bench, "staging", STAGING_HOST="h1,h2:2222")
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
    process = bench.start("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222,h3", HOSTS_PARALLEL="2",
                          SSH_ASK_SECONDS="20")
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
here=$1/deploy app=$2 ssh_folder=$2 act=ask DEPLOY_USER=deploy
. "$here/common.sh"
. "$here/transports/ssh.sh"
ssh_shares=no
environment=staging STAGING_HOST=$3 HOSTS_PARALLEL=$4 ssh_quiet=no
ssh_find_hosts
ssh_find_at_once HOSTS_PARALLEL
ssh_only=("${!ssh_hosts[@]}")
cd "$2"
[[ -p life ]] || mkfifo life ended
until_there() { until [[ $(grep -c "$1" order) -ge $2 ]]; do sleep 0.02; done; }
"""


def side_by_side(path, hosts, parallel, call, act):
    (path / "order").write_text("")
    done = subprocess.run(
        ["/bin/bash", "-c", f"{SIDE_BY_SIDE}"
         f"ssh_call() {{ exec {{ssh_life}}>&-; {call}\n}}\n"
         f'ssh_everywhere 10 {act} || {{ status=$?; echo "$ssh_said" >&2; exit "$status"; }}',
         "x", ROOT, path, ",".join(hosts), parallel], check=False, timeout=120, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines(), (path / "order").read_text().split()


@pytest.mark.parametrize("parallel, back, most", [
    ("2", "", "10"), ("off", "", "5"), ("3", "", "12"), ("2", "3", "3"), ("off", "99", "12"), ("2", "true", "12")])
def test_a_rollback_of_touched_hosts_works_on_more_of_them_at_a_time(tmp_path, parallel, back, most):
    done = subprocess.run(
        ["/bin/bash", "-c", f"{SIDE_BY_SIDE}\nROLLBACK_PARALLEL={back}\nssh_hurry\necho $ssh_at_once", "x", ROOT,
         tmp_path, ",".join(f"h{n}" for n in range(12)), parallel],
        check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout.split() == [most], done.stderr


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
    assert status == 70 and said[-1].startswith("h0: deploybot's process there was killed"), said
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
    process.stdin.write(f"{host_program()}\n\n\n\n\n\n")
    process.stdin.flush()
    bench.until_host_hangs()
    out, said = process.communicate(timeout=60)     # the end of its stdin says that we are gone
    assert process.returncode == 75 and "was asked to stop" in said and "was asked to stop" not in out, (out, said)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


# ---- what ran before deploybot -----------------------------------------------------------------


@pytest.mark.long
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
    cleans(bench, "staging")
    kept = [image for image in bench.engine()["images"] if image.startswith("deploybot-before:")]
    assert len(kept) == 1 and any(of == kept[0] for of, _ in bench.runs())
    bench.shipped("two", PREVIOUS_RELEASE=f"{commit}@{digest}")
    cleans(bench, "staging")
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


def test_a_preflight_asks_each_host_once_and_little(bench):
    status, said = bench.run("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222")
    assert status == 0, said
    on_hosts = [bench.host_calls(name) for name in ("h1", "h2")]
    assert all(len(calls) == len({tuple(call) for call in calls}) for calls in on_hosts), on_hosts
    calls = sum(map(len, on_hosts)) + len(bench.calls("docker"))
    assert 0 < calls <= 12, on_hosts  # 20 are the most that a release may ask, with a compose file of the repository


@pytest.mark.parametrize("word", ["target:", "target:a b", "target:../x", "target:" + "a" * 31, "target:A"])
def test_a_word_for_what_ran_before_deploybot_is_checked(bench, word):
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 64 and "no release" in said[-1], said
    assert bench.ssh_calls() == []
