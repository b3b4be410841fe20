"""Goal: a release replaces every service of its image and no other, the main one first; where one does not come up, all
are as they were; which services these are, and whose containers, compose itself says."""
# SPDX-License-Identifier: ISC
import os
import signal
import subprocess

import pytest

from runner_client import ROOT, wait_for
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest
from stage import free_port

OTHERS = """  worker:
    image: ${DEPLOY_IMAGE}
    restart: always
  scheduler:
    image: ${DEPLOY_IMAGE}
  once:
    image: ${DEPLOY_IMAGE}
    restart: "no"
  jobs:
    profiles:
      - jobs
    image: ${DEPLOY_IMAGE}
  database:
    image: postgres:15
"""


@pytest.fixture(params=["v2", pytest.param("v1", marks=pytest.mark.long)])
def any_bench(tmp_path, tools_folder, request):
    made = SshBench(tmp_path, tools_folder, request.param)
    (made.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    yield made
    made.done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = SshBench(tmp_path, tools_folder, "v2")
    (made.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    yield from until_at_rest(made)


@pytest.fixture
def pair(tmp_path, tools_folder):
    made = BlueGreenBench(tmp_path, tools_folder, "v2")
    (made.app / "docker-compose.yml").write_text(COMPOSE + PORTS + OTHERS)
    yield from until_at_rest(made)


def parts(bench):
    """{service: (digest, status)} of what there is."""
    return {box["labels"]["service"]: (box["of"].partition("@")[2], box["status"])
            for box in bench.engine()["containers"]}


def all_run(digest, *names):
    return {name: (digest, "running") for name in names}


def says(said, text):
    return any(line.partition(": ")[2] == text for line in said)


def ends(bench, service, digest, status):
    bench.change_engine(ends={f"{service} {bench.image}@{digest}": status})


def ups(bench):
    return [call[call.index("up"):] for call in bench.host_calls() if call[0] == "compose" and "up" in call]


# ---- how long they may take to end ---------------------------------------------------------------


def noting_deadlines(bench):
    """What `timeout` is given there for each `up`, and by ssh for each act: a dict of lists of seconds."""
    bench.on_host("timeout", f"""[[ "$*" != *" up -d "* ]] || echo "${{@: -1}} $3" >>{bench.path}/deadlines""")

    def noted():
        found = {}
        for line in (bench.path / "deadlines").read_text().splitlines():
            found.setdefault(line.split()[0], []).append(int(line.split()[1]))
        return found
    return noted


@pytest.mark.parametrize("grace, earlier, up, switch", [
    pytest.param("3m0s", "", 150 + 180 + 10 + 10, 900 + 2 * 200 + 180, marks=pytest.mark.long),
    ("10s", 400, 150 + 400 + 20, 900 + 2 * 420 + 400)])
def test_compose_gets_the_time_that_its_services_may_take_to_end(bench, grace, earlier, up, switch):
    """Regression: it was cut after 180 s, whatever their stop_grace_period; by the file, and by what runs."""
    bench.shipped("one")
    bench.change_engine(containers=[{**box, "grace": earlier} if box["labels"]["service"] == "app" else box
                                    for box in bench.engine()["containers"]])
    (bench.app / "docker-compose.yml").write_text(
        (COMPOSE + OTHERS).replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    noted = noting_deadlines(bench)
    bench.shipped("two")
    assert noted() == {"app": [up], "scheduler": [up]}
    words, = [call[-1].split() for call in bench.ssh_calls() if " switch " in call[-1]]
    assert words[3] == str(switch)


@pytest.mark.parametrize("settings, grace, says", [
    ({}, "4m", None),
    ({}, "8m1s",
     "what runs may take 481 s to end in a release (stop_grace_period), and DEPLOY_TIMEOUT_SECONDS is 600: a release "
     "that needs that long would be ended and rolled back, however good it is; set DEPLOY_TIMEOUT_SECONDS to 601 or "
     "more"),
    ({"DEPLOY_TIMEOUT_SECONDS": "601"}, "8m1s", None),
    ({"STAGING_HOST": "h1,h2:2222"}, "4m1s", "set DEPLOY_TIMEOUT_SECONDS to 602 or more"),
    ({"STAGING_HOST": "h1,h2:2222", "HOSTS_PARALLEL": "true"}, "4m1s", None)])
def test_what_takes_longer_to_end_than_a_run_may_is_said_before_one(bench, settings, grace, says):
    """Regression: the run was ended while it waited, and each good release rolled back."""
    (bench.app / "docker-compose.yml").write_text(
        (COMPOSE + OTHERS).replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    status, said = bench.run("target.sh", "staging", "preflight", **{"DEPLOY_TIMEOUT_SECONDS": "600", **settings})
    assert status == 0, said
    found = [line for line in said if "==> warning what runs may take" in line]
    assert (says is None) == (not found) and (says is None or found[0].endswith(says)), said


@pytest.mark.parametrize("grace, says", [
    ("30m1s", "service worker: its stop_grace_period is 1801 s, and a release waits 1800 s at most for the end of what "
              "it replaces: write 30m or less"),
    ("soon", "service worker: stop_grace_period is no time: 'soon' (write it as 90s or 3m)")])
def test_preflight_refuses_a_grace_that_no_release_waits_for(bench, grace, says):
    (bench.app / "docker-compose.yml").write_text(
        COMPOSE + OTHERS.replace("restart: always\n", f"restart: always\n    stop_grace_period: {grace}\n", 1))
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0])
    assert status == 70 and says in said[-1] and "pull" not in bench.steps(), said


def test_a_pair_does_not_wait_in_a_release_for_the_main_service(pair):
    """Which is drained behind it."""
    (pair.app / "docker-compose.yml").write_text(
        (COMPOSE + PORTS + OTHERS).replace("restart: always\n", "restart: always\n    stop_grace_period: 30m\n", 1))
    status, said = pair.run("target.sh", "staging", "preflight", DEPLOY_TIMEOUT_SECONDS="600")
    assert status == 0 and "what runs may take" not in "\n".join(said), said


NETWORKS = "    networks:\n      - shop\nnetworks:\n  shop:\n    external: true\n    name: acme_shop\n"


@pytest.mark.parametrize("text, networks, says", [
    (COMPOSE + NETWORKS, [],
     "service app: there is no network acme_shop, which is external: compose makes none of these; there: docker "
     "network create acme_shop"),
    (COMPOSE + NETWORKS, ["acme_shop"], None),
    pytest.param(COMPOSE + NETWORKS.replace("true", "true\n    driver: overlay"), [], None, marks=pytest.mark.long),
    pytest.param(COMPOSE + NETWORKS.replace("true", "false"), [], None, marks=pytest.mark.long),
    pytest.param(COMPOSE + "networks:\n  shop:\n    external: true\n", [], None, marks=pytest.mark.long),
    pytest.param(COMPOSE + "networks:\n  default:\n    external: true\n    name: old\n", [],
                 "docker network create old", marks=pytest.mark.long)])
def test_a_network_that_somebody_else_makes_has_to_be_there(bench, text, networks, says):
    """Regression: a migration was the first to miss it."""
    bench.change_engine(networks=networks)
    (bench.app / "docker-compose.yml").write_text(text)
    status, said = bench.run("target.sh", "staging", "preflight")
    asked = [call for call in bench.host_calls() if call[:2] == ["docker", "network"]]
    assert (status, says is None or said[-1].endswith(says)) == (0 if says is None else 70, True), said
    assert len(asked) == (1 if says or networks else 0), asked


def test_on_a_worker_of_a_swarm_a_network_may_be_out_of_sight(bench):
    """Regression: an overlay that no task of the node uses yet is not listed, and the release was refused."""
    bench.change_engine(swarm="manager")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + NETWORKS)
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 70 and "there is no network acme_shop" in said[-1], said
    bench.change_engine(swarm="worker")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and any("the network acme_shop cannot be seen from here" in line for line in said), said


def test_both_versions_words_for_a_time_are_understood():
    script = """. "$1/deploy/transports/ssh-host/services.sh"
for word in 1h1m1s 1.5m 90s 3m 2m0.5s 0s 1500ms; do read_time app $word; echo $seconds; done"""
    done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT], check=True, timeout=60, stdout=subprocess.PIPE,
                          text=True)
    assert done.stdout.split() == ["3661", "120", "90", "180", "121", "0", "2"]


# recreate.sh alone, its clock moved by each pause: the one container runs, but a stop that was begun ends it at $2.
LATE_STOP = """set -euo pipefail
here=$1/deploy/transports/ssh-host
. "$here/base.sh"; . "$here/recreate.sh"
was_cut=yes late_seconds=$3 unsure=$4 service=app ends_at=$2 started=no
unset SECONDS; SECONDS=0
exec 3>&1
pause() { SECONDS=$((SECONDS + 1)); }
ran_before() { echo "i app_app_1 app x shop:1"; }
states() { if [[ $SECONDS -ge $ends_at && $started == no ]]; then echo "i x exited"; else echo "i x running"; fi; }
timeout() { started=yes; echo "start at $SECONDS" >&3; }
stays_up && echo "up at $SECONDS"
"""


@pytest.mark.parametrize("ends_at, late, unsure, says", [
    ("50", "63", " i", ["start at 50", "up at 53"]), ("999", "63", " i", ["up at 63"]),
    ("999", "63", "", ["up at 3"]), ("1", "13", " i", ["start at 1", "up at 4"])])
def test_a_stop_that_takes_effect_late_is_looked_for_as_long_as_it_may(ends_at, late, unsure, says):
    """Regression: after 13 s "the earlier release runs again" was said of what ended behind that."""
    done = subprocess.run(["/bin/bash", "-c", LATE_STOP, "x", ROOT, ends_at, late, unsure], check=False, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines() == says, done


# ---- which ones --------------------------------------------------------------------------------


@pytest.mark.first
def test_a_release_replaces_all_services_of_its_image_the_main_one_first(any_bench):
    commit, digest = any_bench.release("one")
    status, said = any_bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    assert says(said, "a release replaces app (the main service), worker, scheduler; left alone: once (restart: "
                      "\"no\"), jobs (it has a profile)"), said
    up = ["up", "-d", "--no-deps", "--no-build"]
    assert ups(any_bench) == [[*up, "app"], [*up, "worker", "scheduler"]]
    assert parts(any_bench) == all_run(digest, "app", "worker", "scheduler")


STOPPED = ("==> warning h1: stopped there by somebody, and started by each release and rollback: worker (is it to stay "
           "down? Leave it out of COMPOSE_SERVICES)")


def test_a_service_that_somebody_has_stopped_is_named_before_it_is_started(any_bench):
    """Regression: a standby's scheduler ran again behind the next release, without a word."""
    _, digest = any_bench.shipped("one")
    boxes = any_bench.engine()["containers"]
    any_bench.change_engine(containers=[{**box, "status": "running" if box["labels"]["service"] == "app" else "exited"}
                                        for box in boxes])
    _, said = any_bench.run("target.sh", "staging", "preflight")
    assert [line for line in said if "stopped there" in line] == [STOPPED], said
    any_bench.change_engine(containers=boxes)
    assert STOPPED not in "\n".join(any_bench.run("target.sh", "staging", "preflight")[1])
    assert parts(any_bench) == all_run(digest, "app", "worker", "scheduler")


@pytest.mark.long
def test_the_services_that_the_setting_names_are_replaced_and_no_others(bench):
    for services, names in (("scheduler, once,app", ["app", "scheduler", "once"]), ("app", ["app"])):
        bench.change_engine(containers=[])
        _, digest = bench.shipped(services, COMPOSE_SERVICES=services)
        assert parts(bench) == all_run(digest, *names)
    assert any("left alone: worker (not in COMPOSE_SERVICES), " in line for line in
               bench.run("target.sh", "staging", "preflight", COMPOSE_SERVICES="app")[1])


def of_two_hosts(bench, **files):
    """Both are one folder here: a host that is named has a compose file of its own."""
    for name, text in files.items():
        (bench.app / f"{name}.yml").write_text(text)
    bench.on_host("docker", f"[[ ! -e {bench.app}/$HOSTNAME.yml ]] || "
                  "export COMPOSE_FILE=$HOSTNAME.yml COMPOSE_PROJECT_NAME=app")


def test_a_service_that_is_named_may_stand_in_the_file_of_one_host_alone(bench):
    """Regression: every other host was refused, so that one wrote the scheduler into all files, and it ran twice."""
    two = {"COMPOSE_SERVICES": "worker,scheduler", "STAGING_HOST": "h1,h2:2222"}
    of_two_hosts(bench, h2=COMPOSE + "  worker:\n    image: ${DEPLOY_IMAGE}\n    restart: always\n")
    status, said = bench.run("target.sh", "staging", "preflight", **two)
    assert status == 0 and "h1: a release replaces app (the main service), worker, scheduler; left alone: once (not " \
        "in COMPOSE_SERVICES), jobs (not in COMPOSE_SERVICES)" in said, said
    assert "h2: a release replaces app (the main service), worker" in said, said
    assert f"warning: h2: the compose file in {bench.app} there has no service scheduler, which " \
        "COMPOSE_SERVICES names (meant, where it is to run on other hosts alone)" in said, said
    status, said = bench.run("target.sh", "staging", "preflight", **{**two, "COMPOSE_SERVICES": "worker,schedular"})
    assert status == 70 and said[-1].endswith(
        f"h1 h2: the compose file in {bench.app} has no service schedular, which COMPOSE_SERVICES names"), said


def unstarted(said):
    return [line for line in said if "no release starts it" in line]


def test_a_service_of_another_image_that_does_not_run_is_named_with_what_to_type(bench):
    """Regression: the chat said Live, and neither database nor frontend ran."""
    line = ("==> warning h1: does not run there, and no release starts it, as its image is another one: %s (there, "
            f"once: cd {bench.app} && %sdocker compose up -d %s)")
    names = {"seed": {"status": "exited", "code": 0}, "cache": {"status": "running"},
             "broken": {"status": "exited", "code": 1}}
    (bench.app / "docker-compose.yml").write_text(
        COMPOSE + OTHERS + "".join(f"  {name}:\n    image: {name}:1\n" for name in names) +
        "  tool:\n    image: tool:1\n    profiles:\n      - tools\n"
        "  standby:\n    image: standby:1\n    deploy:\n      replicas: 0\n")
    bench.change_engine(images={f"{name}:1": f"sha256:{name}" for name in names}, containers=[
        {"id": f"{number:064x}", "name": f"app_{name}_1", "of": f"{name}:1", **state, "labels": {
            "project": "app", "service": name, "oneoff": "False", "project.working_dir": str(bench.app)}}
        for number, (name, state) in enumerate(names.items(), 1)])
    for more in ("DEPLOY_IMAGE=none ", ""):
        status, said = bench.run("target.sh", "staging", "preflight")
        assert status == 0 and unstarted(said) == [line % ("database broken", more, "database broken")], said
        (bench.app / ".env").write_text("DEPLOY_IMAGE=shop:1\n")


@pytest.mark.long
@pytest.mark.parametrize("text, services, says", [
    (COMPOSE.replace("app:", "web:"), None, "has no service app: name yours so, or set COMPOSE_SERVICE"),
    (COMPOSE.replace("${DEPLOY_IMAGE}", "shop:1") + OTHERS, None,
     "service app: this line is missing: image: ${DEPLOY_IMAGE}"),
    (COMPOSE + OTHERS, "worker,mailer", "has no service mailer, which COMPOSE_SERVICES names"),
    (COMPOSE + OTHERS, "database", "service database (COMPOSE_SERVICES): this line is missing: image: ${DEPLOY_IMAGE}"),
    (COMPOSE + "  worker:\n    image: mirror.example.org/${DEPLOY_IMAGE}\n", None,
     "service worker: ${DEPLOY_IMAGE} is the whole name, with the registry: write image: ${DEPLOY_IMAGE}"),
])
def test_preflight_refuses_services_that_a_release_cannot_replace(bench, text, services, says):
    (bench.app / "docker-compose.yml").write_text(text)
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, COMPOSE_SERVICES=services)
    assert status == 70 and said[-1].endswith(says), said
    assert "release" not in bench.steps() and not bench.engine()["containers"]


@pytest.mark.long
def test_what_has_the_image_and_no_release_replaces_is_named(bench):
    """By its name typed out, or not in the file any more; what is left alone on purpose is not meant."""
    _, digest = bench.shipped("one")
    labels = {"project": "app", "oneoff": "False", "project.working_dir": str(bench.app)}
    bench.change_engine(containers=[*bench.engine()["containers"], *(
        {"id": f"{number:064x}", "name": name, "of": f"{bench.image}@{digest}", "labels": {**labels, "service": name},
         "status": status} for number, name, status in ((91, "typed", "running"), (92, "once", "running"),
                                                        (93, "gone", "exited")))])
    commit, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    warning, = [line for line in said if "no release replaces" in line]
    assert status == 0 and "no release replaces them: typed (write image: ${DEPLOY_IMAGE}" in warning, said
    steps = bench.steps()
    assert steps[steps.index("release"):] == ["release", "stays-old typed", "switch h1", "clean"]


def test_hosts_whose_compose_files_differ_are_named(bench):
    """Both are one folder here: the second one's file is what the first one's check leaves."""
    (bench.app / "more.yml").write_text((COMPOSE + OTHERS).replace("restart: always", "restart: on-failure"))
    status, said = bench.run("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222")
    assert status == 0 and not any("differ" in line for line in said), said
    hold = bench.host_bin / "docker"
    real = os.readlink(hold)
    hold.unlink()
    hold.write_text(f"#!/bin/bash\n[[ $HOSTNAME != h2 ]] || export COMPOSE_FILE=more.yml COMPOSE_PROJECT_NAME=app\n"
                    f"exec -a docker {real} \"$@\"\n")
    hold.chmod(0o755)
    status, said = bench.run("target.sh", "staging", "preflight", STAGING_HOST="h1,h2:2222")
    hold.unlink()
    os.symlink(real, hold)
    warning, = [line for line in said if "differ in" in line]
    assert status == 0 and sorted(warning.partition("differ in: ")[2].partition(" (is")[0].split()) == ["app", "worker"]


@pytest.mark.long
def test_another_service_that_runs_another_image_than_the_main_one_is_named(bench):
    _, digest = bench.shipped("one")
    assert not any("warning: " in line for line in bench.run("target.sh", "staging", "preflight")[1])
    engine = bench.engine()
    for box in engine["containers"]:
        if box["labels"]["service"] == "worker":
            box["of"] = "shop:by-hand"
    bench.change_engine(containers=engine["containers"], images={**engine["images"], "shop:by-hand": "sha256:other"})
    status, said = bench.run("target.sh", "staging", "preflight")
    warning, = [line for line in said if "warning: " in line]
    assert status == 0 and warning.endswith(f"worker runs shop:by-hand, and app {bench.image}@{digest}"), said
    bench.shipped("two")    # which replaces both
    assert not any("warning: " in line for line in bench.run("target.sh", "staging", "preflight")[1])


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_what_a_renamed_project_has_left_running_is_named(strategy, request):
    """Beside the new one; and no other environment's below the folder, no file of its own for a database."""
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    _, digest = bench.shipped("one")
    (bench.app / "other").mkdir()
    (bench.app / "other" / ".deploybot.lock").touch()

    def add(number, project, service, folder, of=f"{bench.image}@{digest}", status="running"):
        labels = {"project": project, "service": service, "oneoff": "False", "project.working_dir": str(folder)}
        return {"id": f"{number:064x}", "name": f"{project}_{service}_1", "of": of, "labels": labels, "status": status}

    bench.change_engine(images={**bench.engine()["images"], "postgres:15": "sha256:db"}, containers=[
        *bench.engine()["containers"], add(91, "shop", "app", bench.app), add(92, "shop", "worker", bench.app),
        add(93, "shop", "database", bench.app, "postgres:15"), add(94, "db", "db", bench.app, "postgres:15"),
        add(95, "other", "app", bench.app / "other"), add(96, "far", "app", bench.path),
        add(97, "gone", "app", bench.app, status="exited")])
    commit, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    warning, = [line for line in said if "another name run" in line]
    names = "shop_app_1 shop_database_1 shop_worker_1"
    assert status == 0 and warning.startswith("==> warning h1: ") and warning.endswith(
        f"; there: docker rm -f {names}"), said
    steps = bench.steps()
    assert [step for step in steps[steps.index("release"):] if step.startswith("stays-old")] == [
        f"stays-old {name}" for name in names.split()]


@pytest.mark.long
def test_a_renamed_project_whose_containers_have_its_port_is_refused(bench):
    """Regression: the release began, and neither it nor its rollback could start."""
    (bench.app / "docker-compose.yml").write_text(
        COMPOSE + f'    ports:\n      - "127.0.0.1:{free_port()}:8080"\n' + OTHERS)
    bench.shipped("one")
    before = bench.runs()
    with open(bench.app / ".env", "a", encoding="utf-8") as file:
        file.write("COMPOSE_PROJECT_NAME=renamed\n")
    commit, digest = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "release" not in bench.steps() and bench.runs() == before, said
    assert said[-1].endswith(f": set COMPOSE_PROJECT_NAME=app in {bench.app}/.env, "
                             "or end it there (docker rm -f app_app_1)")
    (bench.app / ".env").write_text((bench.app / ".env").read_text().replace("=renamed", "=app"))
    assert bench.run("deploy.sh", "staging", commit)[0] == 0
    assert parts(bench) == all_run(digest, "app", "worker", "scheduler")


# ---- whose containers --------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.first
def test_a_compose_file_in_a_subfolder_is_seen_to_run(any_bench):
    """Its folder is what compose calls the project, and its label is not ours."""
    (any_bench.app / "prod").mkdir()
    (any_bench.app / "docker-compose.yml").rename(any_bench.app / "prod" / "compose.yaml")
    (any_bench.app / ".env").write_text("COMPOSE_FILE=prod/compose.yaml\n")
    commit, digest = any_bench.release("before")
    of = f"{any_bench.image}@{digest}"
    labels = {"project": "prod", "service": "app", "oneoff": "False",
              "project.working_dir": str(any_bench.app / "prod")}
    any_bench.change_engine(images={of: "sha256:before"}, containers=[
        {"id": f"{91:064x}", "name": "prod_app_1", "of": of, "labels": labels, "status": "running"}])
    (any_bench.app / ".deploybot.releases").write_text(f"{commit}@{digest}\n")
    status, said = any_bench.run("target.sh", "staging", "current")
    assert status == 0 and said[-1] == f"{commit}@{digest}", said
    commit, digest = any_bench.shipped("one")
    assert any_bench.engine()["containers"][0]["labels"]["project"] == "prod"
    status, said = any_bench.run("target.sh", "staging", "current")
    assert status == 0 and said[-1] == f"{commit}@{digest}"
    _, digest = any_bench.shipped("two")
    assert parts(any_bench) == all_run(digest, "app", "worker", "scheduler")


@pytest.mark.long
def test_a_project_that_another_folder_has_is_not_taken_over(bench):
    """compose would replace the other one's containers."""
    other = bench.path / "other" / "app"
    other.mkdir(parents=True)
    labels = {"project": "app", "service": "app", "oneoff": "False", "project.working_dir": str(other)}
    bench.change_engine(images={"shop:old": "sha256:x"}, containers=[
        {"id": "9" * 64, "name": "app_app_1", "of": "shop:old", "labels": labels, "status": "running"}])
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and f"is of {other}, and compose would replace it: set COMPOSE_PROJECT_NAME" in said[-1], said
    other.rmdir()   # it was ours, and has been moved here
    assert bench.run("deploy.sh", "staging", commit)[0] == 0


@pytest.mark.parametrize("file, is_ours", [("prod/compose.yaml", False), ("../other/prod/compose.yaml", True)])
def test_a_subfolder_of_the_same_name_is_another_project(bench, file, is_ours):
    """Two applications with prod/compose.yaml, and compose calls both "prod"."""
    ours, other = bench.app / "prod", bench.path / "other" / "prod"
    other.mkdir(parents=True)
    ours.mkdir()
    for folder in (ours, other):
        (folder / "compose.yaml").write_text((bench.app / "docker-compose.yml").read_text())
    (bench.app / "docker-compose.yml").unlink()
    (bench.app / ".env").write_text(f"COMPOSE_FILE={file}\n")
    labels = {"project": "prod", "service": "worker", "oneoff": "False", "project.working_dir": str(other)}
    bench.change_engine(images={"shop:old": "sha256:x"}, containers=[
        {"id": "9" * 64, "name": "prod_worker_1", "of": "shop:old", "labels": labels, "status": "running"}])
    status, said = bench.run("target.sh", "staging", "preflight")
    if is_ours:
        assert status == 0, said
    else:
        assert status == 70 and f"of the compose project prod there is of {other}" in said[-1], said


# ---- one that does not come up -----------------------------------------------------------------


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("code", [0, 3])
def test_one_that_ends_is_done_with_0_and_a_failure_with_all_else(bench, code):
    _, old = bench.shipped("one")
    before = parts(bench)
    commit, digest = bench.release("two")
    ends(bench, "scheduler", digest, code)
    status, said = bench.run("deploy.sh", "staging", commit)
    if code == 0:
        assert status == 0 and says(said, "scheduler has ended with 0: it is taken for done"), said
        assert parts(bench) == {**all_run(digest, "app", "worker"), "scheduler": (digest, "exited")}
    else:
        assert status == 70 and said[-1].endswith(
            "the service scheduler does not run: scheduler ended with status 3 as soon as it was started; the earlier "
            "release runs again"), said
        assert parts(bench) == before == all_run(old, "app", "worker", "scheduler")
        assert not (bench.app / ".deploybot.before").exists()
        assert f"DEPLOY_IMAGE={bench.image}@{old}" in (bench.app / ".env").read_text()


@pytest.mark.long
def test_one_that_never_ran_is_gone_again_when_its_release_fails(bench):
    (bench.app / "docker-compose.yml").write_text(COMPOSE)
    _, old = bench.shipped("one")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    commit, digest = bench.release("two")
    ends(bench, "scheduler", digest, 1)
    assert bench.run("deploy.sh", "staging", commit)[0] == 70
    assert parts(bench) == all_run(old, "app")


@pytest.mark.long
def test_a_rollback_replaces_the_services_of_todays_file(bench):
    (bench.app / "docker-compose.yml").write_text(COMPOSE)
    commit, old = bench.shipped("one")
    (bench.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{old}")
    assert status == 0, said
    assert parts(bench) == all_run(old, "app", "worker", "scheduler")


INTERRUPTED = "warning: an earlier release was interrupted here, and nothing has put that in order since: deploy, or"


def begins_no_release(bench):
    """What was interrupted is named, and stays as it is until a release begins."""
    bench.host_plan()
    other, _ = bench.release("three")
    bench.change_engine(registry=[])
    before = bench.engine()["containers"], (bench.app / ".env").read_text()
    status, said = bench.run("deploy.sh", "staging", other)
    assert status == 66 and "release" not in bench.steps() and any(INTERRUPTED in line for line in said), said
    assert (bench.engine()["containers"], (bench.app / ".env").read_text()) == before
    status, said = bench.run("target.sh", "staging", "current")
    assert status == 0 and any(INTERRUPTED in line for line in said), said


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard", "all"])
def test_whatever_is_killed_while_the_others_are_replaced_the_host_is_whole(bench, who):
    _, old = bench.shipped("one")
    wanted, new = bench.release("two")
    bench.host_plan({"when": ["compose", "up", "-d", "--no-deps", "--no-build", "worker"], "hang": True})
    process = bench.start("deploy.sh", "staging", wanted)
    compose = bench.until_host_hangs()
    if who == "all":
        bench.kill_host(compose)
    else:
        guard, worker = [pid for pid in bench.host_processes() if pid != compose][:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    bench.host_plan()
    if who == "all":
        assert parts(bench)["app"] == (new, "running") and parts(bench)["worker"] == (old, "running")
        begins_no_release(bench)
        # What a release that fails comes back to is whole.
        third, bad = bench.release("four")
        bench.change_engine(broken=["sha256:id-of-" + bad[-8:]])
        status, said = bench.run("deploy.sh", "staging", third)
        assert status == 70 and said[-1].endswith("; the earlier release runs again"), said
        assert parts(bench) == all_run(new, "app", "worker", "scheduler")
        assert bench.run("deploy.sh", "staging", wanted)[0] == 0
        assert parts(bench) == all_run(new, "app", "worker", "scheduler")
    else:
        wait_for(bench.is_quiet, "the host to be at rest", 60)
        assert parts(bench) == all_run(old, "app", "worker", "scheduler")
    assert not (bench.app / ".deploybot.before").exists()


# ---- what ran before deploybot -----------------------------------------------------------------


def ran_before(bench):
    """Somebody has started app and worker by hand, of two images that no .env names; no scheduler."""
    bench.change_engine(images={"shop:old": "sha256:old-shop", "worker:old": "sha256:old-worker"}, containers=[
        {"id": number * 64, "name": f"app_{service}_1", "of": of, "status": "running",
         "labels": {"project": "app", "service": service, "oneoff": "False", "project.working_dir": str(bench.app)}}
        for number, service, of in (("8", "app", "shop:old"), ("9", "worker", "worker:old"))])


def ids(bench):
    """{service: the id of the image that runs}"""
    engine = bench.engine()
    return {box["labels"]["service"]: engine["images"][box["of"]] for box in engine["containers"]
            if box["status"] == "running"}


def is_as_before(bench):
    return ids(bench) == {"app": "sha256:old-shop", "worker": "sha256:old-worker"}


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_a_first_release_that_does_not_come_up_leaves_what_each_service_ran(strategy, request):
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    ran_before(bench)
    commit, digest = bench.release("one")
    ends(bench, "scheduler", digest, 3)
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    assert status == 70 and "release" in bench.steps(), said
    assert is_as_before(bench), bench.engine()["containers"]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_a_first_release_is_rolled_back_to_what_each_service_ran(strategy, request):
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    ran_before(bench)
    bench.change_engine(health={"sha256:old-shop": "healthy"})
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous ")]
    engine = bench.engine()     # somebody cleans up the host
    used = {box["of"] for box in engine["containers"]}
    bench.change_engine(images={name: of for name, of in engine["images"].items()
                                if not name.endswith(":old") or name in used})
    assert "worker:old" not in bench.engine()["images"]
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0 and any("scheduler did not run before deploybot: it is removed" in line for line in said), said
    served_now = ids(bench)
    if strategy == "recreate":
        assert is_as_before(bench), served_now
    else:
        assert bench.ask()[1] == word.replace("target:", "deploybot-before:")
        assert (served_now["worker"], "scheduler" in served_now) == ("sha256:old-worker", False)
    first, digest = bench.shipped("two", PREVIOUS_RELEASE="")     # as nothing of ours was ever live
    bench.shipped("three", PREVIOUS_RELEASE=f"{first}@{digest}")
    assert not any("deploybot-before" in name for name in bench.engine()["images"])
    assert not any("deploybot-before" in box["of"] for box in bench.engine()["containers"])


# ---- bluegreen ---------------------------------------------------------------------------------


def served(bench):
    """{project: {service: digest}} of what runs."""
    found = {}
    for box in bench.engine()["containers"]:
        if box["status"] == "running":
            found.setdefault(box["labels"]["project"], {})[box["labels"]["service"]] = box["of"].partition("@")[2]
    return found


def is_whole(bench, digest):
    (port,) = bench.port_of(digest)
    assert bench.serves() == digest and bench.file_says() == port
    found = served(bench)   # what it has replaced may drain beside it
    assert (found[f"app-{port}"], found["app"]) == ({"app": digest}, {"worker": digest, "scheduler": digest})
    assert f"DEPLOY_IMAGE={bench.image}@{digest}\nDEPLOY_PORT={port}\n" in (bench.app / ".env").read_text()
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.first
def test_behind_the_switch_the_others_are_replaced_in_a_project_of_their_own_never_two_at_a_time(pair):
    pair.shipped("one")
    _, two = pair.shipped("two")
    is_whole(pair, two)
    calls = [call for call in pair.host_calls() if call[0] == "compose" and "up" in call or call[0] == "nginx"]
    main = ["compose", "-p", f"app-{pair.file_says()}", "up", "-d", "--no-deps", "--no-build", "app"]
    reload, = [call for call in calls if call[0] == "nginx"][-1:]
    assert calls[-3:] == [main, reload, ["compose", "up", "-d", "--no-deps", "--no-build", "worker", "scheduler"]]


@pytest.mark.first
def test_where_one_does_not_come_up_the_host_switches_back(pair):
    _, old = pair.shipped("one")
    commit, new = pair.release("two")
    ends(pair, "scheduler", new, 3)
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 70 and "release" in pair.steps(), said
    assert said[-1].endswith("the service scheduler does not run: scheduler ended with status 3 as soon as it was "
                             "started; the earlier release serves still"), said
    is_whole(pair, old)


def test_behind_a_barrier_nginx_is_not_led_back_and_what_is_up_is_said(pair):
    """Regression: what had served was stopped at once, with its open requests."""
    _, old = pair.shipped("one")
    pair.forbid()
    commit, new = pair.release("two")
    ends(pair, "scheduler", new, 3)
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith(
        f"; not rolled back (.deploybot/no-rollback); nginx leads to port {pair.file_says()}; up is: "
        f"app (new), worker (new); the earlier one drains on port {pair.port_of(old)[0]}"), said
    assert served(pair)[f"app-{pair.file_says()}"] == {"app": new}
    assert not (pair.app / ".deploybot.before").exists()


@pytest.mark.long
def test_where_nothing_ran_before_nothing_is_left(pair):
    commit, new = pair.release("one")
    ends(pair, "worker", new, 1)
    status, said = pair.run("deploy.sh", "staging", commit)
    ports = " or ".join(map(str, pair.ports))
    assert status == 70 and said[-1].endswith(f"; as before, nothing runs on port {ports}"), said
    assert not served(pair) and not (pair.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard", "all"])
def test_whatever_is_killed_behind_the_switch_one_release_is_there_whole(pair, who):
    _, old = pair.shipped("one")
    commit, new = pair.release("two")
    pair.host_plan({"when": ["compose", "up"], "hang": True})
    process = pair.start("deploy.sh", "staging", commit)
    compose = pair.until_host_hangs()
    assert pair.serves() == new
    if who == "all":
        pair.kill_host(compose)
    else:
        guard, worker = [pid for pid in pair.host_processes() if pid != compose][:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    pair.host_plan()
    wait_for(pair.is_quiet, "the host to be at rest", 60)
    if who == "all":
        begins_no_release(pair)
        assert pair.serves() == new and pair.file_says() == pair.port_of(new)[0]
    else:
        is_whole(pair, old)
    assert pair.run("deploy.sh", "staging", commit)[0] == 0     # its image is there already
    is_whole(pair, new)


@pytest.mark.long
@pytest.mark.first
def test_what_was_interrupted_is_put_in_order_behind_the_beginning_of_a_release(pair):
    """Who fails before it has changed nothing; by hand the release before is what serves when that is done."""
    one, old = pair.shipped("one")
    commit, new = pair.release("two")
    three, third = pair.release("three")
    pair.host_plan({"when": ["compose", "up"], "hang": True})
    process = pair.start("deploy.sh", "staging", commit)
    pair.kill_host(pair.until_host_hangs())
    assert process.wait(timeout=120) == 70
    pair.host_plan()
    pair.hook("pre-start", "10-no", "exit 1")
    before = pair.engine()["containers"], pair.upstream.read_text()
    status, said = pair.run("deploy.sh", "staging", three)
    assert status == 64 and "release" not in pair.steps() and f"ran before this: {commit}@{new}" in said, said
    assert (pair.engine()["containers"], pair.upstream.read_text()) == before and pair.serves() == new
    (pair.hooks / "pre-start" / "10-no").unlink()
    ends(pair, "scheduler", third, 3)
    hook = pair.hook("pre-deploy", "10-note", f"echo $PREVIOUS_RELEASE >{pair.path}/previous")
    status, said = pair.run("deploy.sh", "staging", three)
    hook.unlink()
    steps = pair.steps()
    assert status == 70 and steps.index("release") < steps.index("start"), said
    assert (pair.path / "previous").read_text() == f"{one}@{old}\n"
    is_whole(pair, old)
    assert not any(INTERRUPTED in line for line in pair.run("target.sh", "staging", "preflight")[1])


NEEDS = "    depends_on:\n      %s:\n        condition: service_started\n"
VOLUMES = """volumes:
  data:
    name: app_data
  shared:
    external: true
"""


@pytest.mark.parametrize("app, others, says", [
    ("    container_name: shop\n", "", "only one can be called shop: remove container_name"),
    pytest.param("      - \"127.0.0.1:9090:9090\"\n", "", "only one can have the port 9090: take ${DEPLOY_PORT} alone",
                 marks=pytest.mark.long),
    pytest.param("    volumes:\n      - type: volume\n        source: shared\n"
                 "      - type: volume\n        source: data\n", "",
                 "would have a volume data of its own, one of them empty: docker volume create it",
                 marks=pytest.mark.long),
    ("    volumes:\n    - data:/data:rw\n", "", "would have a volume data of its own"),
    pytest.param(NEEDS % "database", "", "it does not find database: put that", marks=pytest.mark.long),
    pytest.param("", NEEDS % "app", "service database: with bluegreen app is", marks=pytest.mark.long),
    pytest.param("    links:\n    - database:db\n", "", "it does not find database: put that", marks=pytest.mark.long),
    pytest.param("    network_mode: service:database\n", "", "it does not find database: put that",
                 marks=pytest.mark.long),
    pytest.param("", "    pid: 'service:app'\n", "service database: with bluegreen app is", marks=pytest.mark.long),
    ("      - mode: ingress\n        published: \"9091\"\n        target: 9091\n", "",
     "only one can have the port 9091: take ${DEPLOY_PORT} alone"),
    ("    volumes:\n    - shared:/data:rw\n    - /srv/data:/data2:rw\n", "", None),
])
def test_what_cannot_be_there_twice_is_refused_before_anything_begins(pair, app, others, says):
    (pair.app / "docker-compose.yml").write_text(COMPOSE + PORTS + app + OTHERS + others + VOLUMES)
    status, said = pair.run("target.sh", "staging", "preflight")
    assert (status, says is None) == ((0, True) if says is None else (70, False)), said
    assert says is None or says in said[-1], said
    status, said = pair.run("target.sh", "staging", "preflight", DEPLOY_STRATEGY="recreate", SMOKE_URL=None)
    assert status == 0, said    # recreate has nothing twice
