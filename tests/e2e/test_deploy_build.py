"""Goal: an image is built with all that its bases, stages and secrets need, by the best builder that docker has; what
is missing is said before anything is begun, and no secret is where others look."""
# SPDX-License-Identifier: ISC
import json

import re

import pytest

from commands_aid import ECR, PASSWORD, git, password_file, shipped

BASE = {"REGISTRIES": "base", "REGISTRY_BASE_URL": "base.example.org:5000", "REGISTRY_BASE_USER": "reader"}


def build_of(bench):
    """The last build: its record."""
    return [record for record in bench.records() if record.get("words", [])[:1] == ["build"]][-1]


def pairs(words):
    return list(zip(words, words[1:]))


def of_file(bench, name, text=PASSWORD, mode=0o600):
    file = bench.path / name
    file.write_text(text + "\n")
    file.chmod(mode)
    return str(file)


def commit_from(bench, base):
    """A commit whose image begins with a base in a registry."""
    (bench.repository / "Dockerfile").write_text(f"FROM {base}\n")
    git(bench.repository, "add", "-A")
    git(bench.repository, "commit", "-q", "-m", base)
    return git(bench.repository, "rev-parse", "HEAD")


# ---- logins ------------------------------------------------------------------------------------


def test_a_private_base_in_the_same_registry_is_had(bench):
    settings = password_file(bench)
    bench.change_world(logins={"registry.example.org": PASSWORD})
    commit = commit_from(bench, "registry.example.org/team/base")
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    acts = [call[1] for call in bench.calls("docker") if call[1] in ("login", "build", "push")]
    assert acts == ["login", "build", "push"]


def test_bases_come_from_other_registries_each_with_its_own_login(bench):
    bench.change_world(logins={"base.example.org:5000": "of-base", ECR: "of-aws"}, password="of-aws")
    commit = commit_from(bench, "base.example.org:5000/jdk")
    settings = {**BASE, "REGISTRIES": "base, night-2", "REGISTRY_BASE_PASSWORD_FILE": of_file(bench, "base", "of-base"),
                "REGISTRY_NIGHT_2_URL": f"https://{ECR}/team"}
    bench.change_world(password="of-aws")
    status, said = bench.run("deploy.sh", "staging", commit, **settings, REGISTRY_URL=ECR)
    assert status == 78 and f"REGISTRY_NIGHT_2_URL: there is a login at {ECR} already" in said[-1], said
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "staging", commit, **settings, **password_file_of(bench, "of-aws"))
    assert status == 0, said
    logins = [call[2:] for call in bench.calls("docker") if call[1] == "login"]
    assert logins == [["--username", "robot", "--password-stdin", "registry.example.org"],
                      ["--username", "reader", "--password-stdin", "base.example.org:5000"],
                      ["--username", "AWS", "--password-stdin", ECR]]
    for record in bench.records():
        assert "of-base" not in json.dumps([record.get("words"), record.get("environment")])
    assert "of-base" not in bench.log.read_text()


def password_file_of(bench, text):
    return {"REGISTRY_USER": "robot", "REGISTRY_PASSWORD_FILE": of_file(bench, "own", text)}


@pytest.mark.parametrize("settings,text", [
    ({"REGISTRIES": "image"}, "REGISTRIES"), ({"REGISTRIES": "url"}, "REGISTRIES"),
    ({"REGISTRIES": "user"}, "REGISTRIES"), ({"REGISTRIES": "password"}, "REGISTRIES"),
    ({"REGISTRIES": "BASE"}, "REGISTRIES"), ({"REGISTRIES": "base-"}, "REGISTRIES"),
    ({"REGISTRIES": "base"}, "REGISTRY_BASE_URL is not set"),
    ({"REGISTRIES": "base", "REGISTRY_BASE_URL": "b.example.org"}, "REGISTRY_BASE_USER is not set"),
    ({"REGISTRIES": "base", "REGISTRY_BASE_URL": "b.example.org;id"}, "REGISTRY_BASE_URL"),
    ({**BASE, "REGISTRIES": "base"}, "REGISTRY_BASE_PASSWORD_FILE) is not"),
    ({**BASE, "REGISTRY_BASE_PASSWORD_FILE": "/nowhere"}, "/nowhere"),
    ({"BUILD_ARGS": "no-value"}, "BUILD_ARGS"), ({"BUILD_ARGS": "A=1 NPM_TOKEN=abc"}, "BUILD_SECRETS"),
    ({"BUILD_ARGS": "db_password=abc"}, "BUILD_SECRETS"), ({"BUILD_ARGS": "COMMIT=abc"}, "COMMIT"),
    ({"BUILD_SECRETS": "npmrc=relative"}, "BUILD_SECRETS"), ({"BUILD_SECRETS": "a=/b,src=/c"}, "BUILD_SECRETS"),
    ({"BUILD_SECRETS": "npmrc=/nowhere"}, "BUILD_SECRETS (npmrc): there is no file /nowhere"),
    ({"BUILD_TARGET": "-x"}, "BUILD_TARGET"), ({"BUILD_PLATFORM": "arm64"}, "BUILD_PLATFORM"),
    ({"BUILD_PULL": "perhaps"}, "BUILD_PULL")], ids=str)
def test_what_a_build_cannot_mean_stops_before_anything_is_begun(bench, settings, text):
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), **settings)
    assert status == 78 and text in said[-1], said
    assert "abc" not in said[-1], "the value may be a secret"
    assert "checkout" not in bench.steps() and bench.target() == ""


def test_another_registrys_refusal_names_its_setting(bench):
    bench.change_world(logins={"base.example.org:5000": "another"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), **BASE,
                             REGISTRY_BASE_PASSWORD_FILE=of_file(bench, "base", "of-base"))
    assert status == 66
    assert "base.example.org:5000 refuses the login of reader: is REGISTRY_BASE_PASSWORD right?" in said[-1]
    assert "build" not in [call[1] for call in bench.calls("docker")]


def test_the_region_of_a_registry_with_a_name_of_ones_own_is_said(bench):
    bench.change_world(password="twelve-hours")
    shipped(bench, REGISTRY_USER="AWS", AWS_REGION="eu-central-1")
    assert ["aws", "ecr", "get-login-password", "--region", "eu-central-1"] in bench.calls()


@pytest.mark.long
@pytest.mark.parametrize("host", [
    "123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    "123456789012.dkr.ecr-fips.us-east-2.amazonaws.com", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"])
def test_each_kind_of_address_of_ecr_tells_its_region(bench, host):
    bench.change_world(password="twelve-hours")
    shipped(bench, REGISTRY_URL=host, AWS_REGION="mars-1")
    call, = [call for call in bench.calls("aws") if call[2] == "get-login-password"]
    assert call[-1] == host.split(".")[2] if "dkr-ecr" in host else call[-1] in host


# ---- builders ----------------------------------------------------------------------------------

INLINE = ("--build-arg", "BUILDKIT_INLINE_CACHE=1")
STORE = "[[driver-type io.containerd.snapshotter.v1]]"


@pytest.mark.long
@pytest.mark.parametrize("world,buildkit,cache,said", [
    ({}, "1", INLINE, "docker 20.10.24, BuildKit"),
    ({"client": "26.1.5", "buildx": True}, "1", INLINE, "docker 26.1.5, buildx"),
    ({"client": "28.2.2", "buildx": True, "store": STORE}, "1", "mode=max", "cache of all stages"),
    ({"client": "26.1.5"}, "0", None, "the classic builder"),
    ({"client": "26.1.5", "buildx": True, "parts": "Podman Engine,Conmon,"}, "0", None, "the classic builder"),
], ids=str)
def test_the_best_builder_that_docker_has_builds(bench, world, buildkit, cache, said):
    bench.change_world(**world)
    shipped(bench, DOCKER_HOST="unix:///run/d.sock")
    assert any(line.startswith("images are built by ") and said in line for line in bench.said())
    build = build_of(bench)
    assert build["environment"]["DOCKER_BUILDKIT"] == buildkit and "--no-cache" not in build["words"]
    assert build["environment"]["DOCKER_HOST"] == "unix:///run/d.sock"
    assert (INLINE in pairs(build["words"])) == (cache == INLINE)
    assert any("mode=max" in word for word in build["words"]) == (cache == "mode=max")
    shipped(bench, "two")
    first = next(line.split()[2] for line in (bench.state / "apps/staging/images").read_text().splitlines())
    wanted = {INLINE: [f"{bench.image}@{first}"],
              "mode=max": [f"type=registry,ref={bench.image}:deploybot-cache"]}.get(cache, [])
    assert [word for option, word in pairs(build_of(bench)["words"]) if option == "--cache-from"] == wanted


@pytest.mark.parametrize("environment, world, is_said", [
    ("shop/staging", {}, True), ("staging", {}, False), ("shop/staging", {"client": "26.1.5"}, False)], ids=str)
def test_that_applications_share_cache_mounts_is_said_where_there_are_several(bench, environment, world, is_said):
    bench.change_world(**world)
    (bench.path / "apps").mkdir()
    (bench.path / "apps" / "shop.env").write_text("".join(
        f"{name}={bench.environment[name]}\n" for name in ("REPOSITORY_URL", "REGISTRY_IMAGE")))
    status, said = bench.run("target.sh", environment, "preflight", APPS_DIRECTORY=str(bench.path / "apps"))
    line, = [line for line in said if line.startswith("images are built by ")]
    says = "a RUN --mount=type=cache is one for all applications that are built there"
    assert status == 0 and (says in line) == is_said, said


@pytest.mark.long
def test_without_a_cache_it_is_the_reference_documents_build(bench):
    commit, _ = shipped(bench, BUILD_NO_CACHE="true")
    build = build_of(bench)
    work = f"{bench.state}/apps/staging/build"
    assert build["words"] == ["build", "--no-cache", "--pull=false", "--file", f"{work}/Dockerfile",
                              "--build-arg", f"COMMIT={commit}",
                              "--label", f"org.opencontainers.image.revision={commit}",
                              "--tag", f"{bench.image}:{commit}", work]
    assert "DOCKER_BUILDKIT" not in build["environment"]
    shipped(bench, "two", BUILD_NO_CACHE="true", BUILD_PULL="true")
    assert build_of(bench)["words"][1:3] == ["--no-cache", "--pull"]
    shipped(bench, "three", BUILD_PULL="false")
    assert "--pull=false" in build_of(bench)["words"]


def test_arguments_target_and_platform_are_handed_on(bench):
    shipped(bench, BUILD_ARGS="A=1  B=two=2 C=*", BUILD_TARGET="web", BUILD_PLATFORM="linux/arm64")
    words = pairs(build_of(bench)["words"])
    assert [value for option, value in words if option == "--build-arg"][1:4] == ["A=1", "B=two=2", "C=*"]
    assert ("--target", "web") in words and ("--platform", "linux/arm64") in words
    assert any("the engine is linux/amd64" in line for line in bench.said())
    shipped(bench, "two", BUILD_PLATFORM="linux/amd64")
    assert not any(line.startswith("warning:") for line in bench.said())


# ---- which files a build sees --------------------------------------------------------------------


def monorepo(bench):
    """A commit of two services, each with a Dockerfile that copies from beside itself; and links that lead out."""
    for service in ("orders", "billing"):
        (bench.repository / "services" / service).mkdir(parents=True, exist_ok=True)
        (bench.repository / "services" / service / "Dockerfile").write_text("FROM scratch\nCOPY requirements.txt .\n")
        (bench.repository / "services" / service / "requirements.txt").write_text(f"{service}\n")
    for name, leads_to in (("out", "/etc"), ("above", ".."), ("inside", "services/orders"), ("file", "/etc/passwd")):
        if not (bench.repository / name).is_symlink():
            (bench.repository / name).symlink_to(leads_to)
    return bench.commit("monorepo")


@pytest.mark.parametrize("context, dockerfile", [
    ("services/orders", "services/orders/Dockerfile"), ("services/orders/", "services/billing/Dockerfile"),
    ("inside", "inside/Dockerfile"), (".", "services/orders/Dockerfile")])
def test_a_build_sees_the_folder_that_build_context_names(bench, context, dockerfile):
    commit = monorepo(bench)
    status, said = bench.run("deploy.sh", "staging", commit, BUILD_CONTEXT=context, DOCKERFILE=dockerfile)
    work = f"{bench.state}/apps/staging/build"
    words = build_of(bench)["words"]
    assert status == 0 and words[-1] == (work if context == "." else f"{work}/{context}"), said
    assert ("--file", f"{work}/{dockerfile}") in pairs(words)
    sees = set(re.findall(r"^(\S+) 100\d{3} ", bench.world()["images"][f"{bench.image}:{commit}"]["context"], re.M))
    assert ("services/billing/Dockerfile" if context == "." else "requirements.txt") in sees, sees
    assert context == "." or not any(name.startswith("services/") for name in sees), sees


@pytest.mark.parametrize("settings, status, text", [
    ({"BUILD_CONTEXT": "/etc"}, 78, "BUILD_CONTEXT"), ({"BUILD_CONTEXT": "../x"}, 78, "BUILD_CONTEXT"),
    ({"BUILD_CONTEXT": "out"}, 65, "no folder out at"), ({"BUILD_CONTEXT": "above"}, 65, "no folder above at"),
    ({"BUILD_CONTEXT": "out/ssl"}, 65, "no folder out/ssl at"),
    ({"BUILD_CONTEXT": "elsewhere"}, 65, "no folder elsewhere at"),
    ({"BUILD_CONTEXT": "Dockerfile"}, 65, "BUILD_CONTEXT says which one is built"),
    ({"BUILD_CONTEXT": "services/orders", "DOCKERFILE": "file"}, 65, "no file at"),
    ({"BUILD_CONTEXT": "services/orders", "DOCKERFILE": "requirements.txt"}, 65,
     "write DOCKERFILE=services/orders/requirements.txt")])
def test_no_folder_outside_of_the_repository_is_built(bench, settings, status, text):
    commit = monorepo(bench)
    got, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert got == status and text in said[-1], said
    assert not [call for call in bench.calls("docker") if call[1] == "build"], said


def test_secrets_of_a_build_are_files_that_others_cannot_read(bench):
    file = of_file(bench, "npmrc")
    shipped(bench, BUILD_SECRETS=f"npmrc={file} other={file}")
    words = pairs(build_of(bench)["words"])
    assert ("--secret", f"id=npmrc,src={file}") in words and ("--secret", f"id=other,src={file}") in words
    assert PASSWORD not in bench.log.read_text()
    (bench.path / "npmrc").chmod(0o644)
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), BUILD_SECRETS=f"npmrc={file}")
    assert status == 78 and "BUILD_SECRETS (npmrc): others may read" in said[-1]


def test_secrets_of_a_build_need_buildkit(bench):
    bench.change_world(client="26.1.5")
    settings = {"BUILD_SECRETS": f"npmrc={of_file(bench, 'npmrc')}"}
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), **settings)
    assert status == 78 and "BUILD_SECRETS needs BuildKit" in said[-1] and "docker-buildx" in said[-1]
    assert "checkout" not in bench.steps()
    assert bench.run("target.sh", "staging", "preflight", **settings)[0] == 78


def test_an_engine_that_does_not_answer_is_said_and_stops_no_release_whose_image_is_there(bench):
    commit, _ = shipped(bench)
    bench.plan({"when": ["docker", "version"], "status": 1, "stderr": "Cannot connect to the Docker daemon\n"})
    status, said = bench.run("target.sh", "staging", "preflight", DOCKER_HOST="tcp://build:2376")
    assert status == 78 and "the container engine tcp://build:2376 does not answer" in said[-1]
    assert bench.run("target.sh", "staging", "logs")[0] == 0
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"))
    assert status == 78 and "does not answer" in said[-1] and "checkout" not in bench.steps()
    assert bench.run("deploy.sh", "production", commit)[0] == 0


def test_preflight_says_what_builds(bench):
    status, said = bench.run("target.sh", "staging", "preflight")
    assert (status, said[-1]) == (0, "all is there")
    assert "images are built by docker 20.10.24, BuildKit, with the cache that is within the last image" in said


def test_a_buildx_that_hangs_is_said(bench):
    bench.plan({"when": ["docker", "buildx"], "hang": True})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), DOCKER_SECONDS="2", KILL_SECONDS="1")
    assert status == 75 and said[-1] == "deploy.sh: docker buildx version took longer than 2 s", said
