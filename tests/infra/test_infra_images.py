"""Goal: the two images are small, closed and whole: who runs them, what can be executed, whose a fresh volume is."""
# SPDX-License-Identifier: ISC
import hashlib
import io
import re
import subprocess
import tarfile

import pytest

import engine_aid
from engine_aid import Engine, build

SERVER, RUNNER = "deploybot-server:test", "deploybot-runner:test"
SERVER_MAX_BYTES = 120_000_000
GUARDED = ("run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module")
def engine(images):
    with Engine(builds=True) as made:
        yield made


def files_of(engine, image):
    """Every file of an image, as tar has it, by its path."""
    made = engine.docker("create", image)
    try:
        found = subprocess.run([engine_aid.DOCKER, "export", made], env=engine.environment(), capture_output=True,
                               timeout=300, check=True).stdout
    finally:
        engine.docker("rm", made)
    with tarfile.open(fileobj=io.BytesIO(found)) as archive:
        return {member.name: member for member in archive.getmembers()}, found


def content(export, path):
    with tarfile.open(fileobj=io.BytesIO(export)) as archive:
        return archive.extractfile(path).read()


@pytest.mark.parametrize("image, title", [(SERVER, "deploybot server"), (RUNNER, "deploybot runner")])
def test_an_image_says_what_it_is_and_whence(engine, image, title):
    labels = engine.inspect(image)["Config"]["Labels"]
    found = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert found.pop("description")
    assert found == {"title": title, "licenses": "ISC", "version": "1.2.3", "revision": "0123abc",
                     "source": "https://git.example.com/deploybot"}


def test_the_server_is_small_and_nobody_s_root(engine):
    image = engine.inspect(SERVER)
    print(f"infra: the server's image has {image['Size'] / 1e6:.0f} MB, the runner's "
          f"{engine.inspect(RUNNER)['Size'] / 1e6:.0f} MB")
    assert image["Size"] < SERVER_MAX_BYTES
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/lib/deploybot/deploybot", "healthcheck"]
    assert config["Entrypoint"] == ["/usr/lib/deploybot/deploybot"] and config["Cmd"][-1] == "serve"
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert not re.search("TOKEN|SECRET|PASSWORD|KEY", " ".join(config["Env"]))


def test_nothing_can_be_executed_in_the_server_but_the_server(engine):
    files, _ = files_of(engine, SERVER)
    programs = {name for name, member in files.items()
                if member.isfile() and member.mode & 0o111 and not name.startswith((".dockerenv", "dev/", "etc/"))}
    libraries = {name for name in programs if re.search(r"/(ld-[^/]*|lib[^/]*\.so[.0-9]*)$", name)}
    assert programs - libraries == {"usr/lib/deploybot/deploybot"}
    listed = re.compile("var/lib/dpkg(/status.d(/.*)?)?$")      # what scanners read, and nothing runs
    assert not [name for name in files if not listed.match(name)
                and re.search("(^|/)(ba|da|a)?sh$|busybox|perl|python|apt|dpkg", name)]
    wanted = "/bin/sh", "-c", "true"
    done = engine.try_docker(*GUARDED, f"--entrypoint={wanted[0]}", SERVER, *wanted[1:])
    assert done.returncode == 127 and "no such file" in done.stderr


def test_scanners_find_the_packages_of_the_server(engine):
    """Regression: an image out of nothing but files was empty to them, whatever was wrong with libcurl or OpenSSL."""
    files, export = files_of(engine, SERVER)
    status = "var/lib/dpkg/status.d/"
    found = {name.removeprefix(status) for name in files if name.startswith(status) and files[name].isfile()}
    assert {"libcurl4", "libssl3", "libc6", "libsqlite3-0", "libpq5", "libmicrohttpd12", "tzdata"} <= found
    assert "ca-certificates" in found
    for name in found:
        text = content(export, status + name).decode()
        fields = re.findall(r"(?m)^(Package|Status|Architecture|Version): (.*)$", text)
        assert len(fields) == 4 and dict(fields)["Package"] == name and dict(fields)["Status"] == "install ok installed"
    assert "Source: openssl" in content(export, status + "libssl3").decode()
    assert 'VERSION_ID="12"' in content(export, "etc/os-release").decode()
    assert content(export, "etc/debian_version").startswith(b"12.")


@pytest.mark.parametrize("image", [SERVER, RUNNER])
def test_no_file_gives_anybody_s_rights(engine, image):
    files, _ = files_of(engine, image)
    assert not [name for name, member in files.items() if member.isfile() and member.mode & 0o6000]
    writable = [name for name, member in files.items() if member.isfile() and member.mode & 0o002]
    assert not writable


def test_the_server_starts_read_only_without_a_capability(engine):
    said = engine.docker(*GUARDED, SERVER, "--version")
    assert said == "deploybot 1.2.3"
    with_libraries = engine.docker(*GUARDED, "--entrypoint=/lib64/ld-linux-x86-64.so.2", SERVER, "--list",
                                   "/usr/lib/deploybot/deploybot")
    assert "not found" not in with_libraries


@pytest.mark.parametrize("image", [SERVER, RUNNER])
def test_a_fresh_volume_belongs_to_whom_it_must(engine, image):
    engine.docker("volume", "create", "fresh")
    try:
        made = engine.docker("create", "--volume=fresh:/var/lib/deploybot", image)
        engine.docker("rm", made)
        place = engine.docker("volume", "inspect", "--format={{.Mountpoint}}", "fresh")
        said = subprocess.run(["find", place, "-printf", "%P %U:%G %m\n"], capture_output=True, text=True, timeout=60,
                              check=True).stdout
    finally:
        engine.docker("volume", "rm", "--force", "fresh")
    assert sorted(said.splitlines()) == [
        " 0:10001 1770", "apps 10002:10002 700", "approved 10002:10002 700", "environments 10001:10001 2750",
        "git 10002:10002 700", "runs 10002:10001 2750"]


def test_the_runner_has_what_scripts_call_and_its_group(engine):
    config = engine.inspect(RUNNER)["Config"]
    assert config["User"] == "10002"
    assert config["Entrypoint"] == ["/usr/lib/deploybot/deploybot-runner"] and "--drain" in config["Cmd"]
    assert config["Healthcheck"]["Test"][1:3] == ["/usr/lib/deploybot/deploybot-runner", "--ping"]
    said = engine.docker(*GUARDED, "--entrypoint=/bin/bash", RUNNER, "-ec",
                         "id -u; id -G; for name in git ssh ssh-keygen curl docker flock timeout setsid awk sed; "
                         "do command -v $name >/dev/null || echo $name is missing; done; "
                         "! command -v kubectl; ! command -v aws; test -x /usr/lib/deploybot/deploy/deploy.sh; "
                         "for name in judge unpack; do /usr/lib/deploybot/deploybot-$name --version >/dev/null; done; "
                         "docker --version >/dev/null; git --version >/dev/null; "
                         "test -s /etc/ssl/certs/ca-certificates.crt")
    assert said.splitlines()[:2] == ["10002", "10002 10001"], said
    assert "missing" not in said


def test_the_runner_s_clients_are_build_arguments(engine):
    build(engine, "deploybot-runner:clients", "--build-arg=WITH_DOCKER=0", "--build-arg=WITH_KUBECTL=1",
          "--build-arg=WITH_AWS=1", target="runner")
    said = engine.docker(*GUARDED, "--tmpfs=/tmp", "--entrypoint=/bin/bash", "deploybot-runner:clients", "-c",
                         "kubectl version --client --short; aws --version; command -v docker || echo no docker")
    assert re.search(r"Client Version", said) and re.search("aws-cli/", said) and "no docker" in said


def test_another_builder_makes_the_same_programs(engine):
    """BuildKit shares no cache with the classic builder: what both make is made twice."""
    digests = []
    build(engine, "deploybot-server:buildkit", *engine_aid.OURS, target="server", buildkit=True)
    for image in (SERVER, "deploybot-server:buildkit"):
        files, export = files_of(engine, image)
        digests.append({
            "program": hashlib.sha256(content(export, "usr/lib/deploybot/deploybot")).hexdigest(),
            "owners": {name: (member.uid, member.gid, oct(member.mode)) for name, member in files.items()}})
    assert digests[0] == digests[1]


def test_make_images_writes_version_and_revision_into_the_labels(engine):
    subprocess.run(["make", "images", f"IMAGE_FLAGS=--network=host --build-arg=BASE_IMAGE={engine_aid.BASE}"],
                   cwd=engine_aid.ROOT, env=engine.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=1800, check=True)
    version = subprocess.run(["sh", "lib/version.sh"], cwd=engine_aid.ROOT, capture_output=True, text=True,
                             check=True).stdout.strip()
    for target in ("server", "runner"):
        labels = engine.inspect(f"deploybot-{target}:{version}")["Config"]["Labels"]
        assert labels["org.opencontainers.image.version"] == version
        assert re.fullmatch("[0-9a-f]{40}|unknown", labels["org.opencontainers.image.revision"])
        assert engine.inspect(f"deploybot-{target}:latest")["Config"]["Labels"] == labels
    assert engine.docker(*GUARDED, f"deploybot-server:{version}", "--version") == f"deploybot {version}"


def test_docker_compose_builds_both_on_one_base(engine):
    """What compose says of the build is what make images says: the layers are there already."""
    file = engine_aid.ROOT / "docker-compose.yml"
    subprocess.run([engine_aid.COMPOSE, "--file", str(file), "build", "server", "runner"],
                   env=engine.environment(DEPLOYBOT_HOSTNAME="a.example.org", BUILD_NETWORK="host",
                                          BASE_IMAGE=engine_aid.BASE, SERVER_IMAGE="deploybot-server:compose",
                                          RUNNER_IMAGE="deploybot-runner:compose", DEPLOYBOT_VERSION="1.2.3"),
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=1800, check=True)
    for target, ours in (("server", SERVER), ("runner", RUNNER)):
        made, wanted = engine.inspect(f"deploybot-{target}:compose"), engine.inspect(ours)
        assert made["Config"]["Labels"]["org.opencontainers.image.version"] == "1.2.3"
        assert made["RootFS"]["Layers"] == wanted["RootFS"]["Layers"]
