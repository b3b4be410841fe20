"""Goal: a release replaces every service of its image and no other, the main one first; which services these are, and
whose containers, compose itself says."""
# SPDX-License-Identifier: ISC
import os

import pytest

from services_aid import OTHERS, all_run, parts, says, ups
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest
from stage import free_port


@pytest.fixture(params=["v2", pytest.param("v1", marks=pytest.mark.long)])
def any_bench(tmp_path, tools_folder, request):
    made = SshBench(tmp_path, tools_folder, request.param)
    (made.app / "docker-compose.yml").write_text(COMPOSE + OTHERS)
    yield made
    made.done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"), COMPOSE + OTHERS)


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"), COMPOSE + PORTS + OTHERS)


# ---- which ones ----------------------------------------------------------------------------------

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
    line = ("==> warning h1: does not run there, and no release starts it (another image): %s (there, "
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
    assert steps[steps.index("release"):] == ["release", "stays-old typed", "switch h1", "clean-later"]


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
    warning, = [line for line in said if line.startswith("==> warning ") and "differ in" in line]
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


# ---- whose containers ----------------------------------------------------------------------------

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


# ---- what cannot be replaced ---------------------------------------------------------------------

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
