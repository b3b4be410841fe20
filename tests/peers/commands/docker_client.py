"""docker_client.py - docker, a strict stand-in: builds, tags, pushes and pulls in STAND/world; containers do nothing.

world["client"]: its version (20.10.24); world["buildx"]: the plugin is there; world["parts"]: the engine's (Engine);
world["store"]: its DriverStatus.  world["logins"]: {host: password}: who takes a base from there has to be logged in.
"""
# SPDX-License-Identifier: ISC
# pylint: disable=import-outside-toplevel; most calls need none of those
import json
import os
import re

from recorder import Refused, options, read, write

NAME = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})?")


def unknown(word):
    return Refused(125, f"unknown flag: {word}\nSee 'docker --help'.")


def config():
    """The path of its configuration, which may not exist yet."""
    folder = os.environ.get("DOCKER_CONFIG", "/nowhere")
    if not os.path.isdir(folder) or os.stat(folder).st_mode & 0o777 != 0o700:
        raise Refused(1, f"the configuration {folder} is not private")
    return os.path.join(folder, "config.json")


def known_logins():
    return json.loads(read(config()))["auths"] if os.path.exists(config()) else {}


def sha256(text):
    import hashlib
    return hashlib.sha256(text.encode()).hexdigest()


def checked(name):
    if not NAME.fullmatch(name):
        raise Refused(1, f"invalid reference format: {name}")
    return name


def manifest_of(image):
    """As a registry would keep it: the digest is that of these very bytes."""
    return json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + image["id"]}, "layers": []})


def digest_of(image):
    return "sha256:" + sha256(manifest_of(image))


def builder_of(world):
    """As docker chooses it: classic, buildkit (in the engine) or buildx."""
    wanted, has = os.environ.get("DOCKER_BUILDKIT"), world.get("buildx", False)
    if int(world.get("client", "20.10.24").split(".")[0]) < 23:
        return "buildkit" if wanted == "1" else "classic"
    if wanted == "1" and not has:
        raise Refused(1, "ERROR: BuildKit is enabled but the buildx component is missing or broken.")
    return "buildx" if has and wanted != "0" else "classic"


def look_at_git(folder):
    """What buildx asks git for the record and the labels of a build, in the folder that is built."""
    no = ("0", "false", "False")
    if os.environ.get("BUILDX_GIT_INFO", "true") in no and os.environ.get("BUILDX_GIT_LABELS", "false") in no:
        return
    import subprocess
    for words in (["rev-parse", "--is-inside-work-tree"], ["show", "--format=%H", "HEAD", "--quiet", "--"],
                  ["rev-parse", "--show-toplevel"]):
        subprocess.run(["git", *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def build(call, words):
    with call.world() as world:
        builder, logins = builder_of(world), world.get("logins", {})
        if builder != "classic" and "Podman" in world.get("parts", ""):
            raise Refused(1, "ERROR: no BuildKit in podman")
    found, rest = options(
        words, refuse=unknown,
        flags=("--no-cache", "--pull", "--pull=false", *(("--load",) if builder == "buildx" else ())),
        values=("--file", "--build-arg", "--label", "--tag", "--target", "--platform", "--cache-from",
                *(("--cache-to",) if builder == "buildx" else ()), *(("--secret",) if builder != "classic" else ())))
    if len(rest) != 1:
        raise Refused(1, '"docker build" requires exactly 1 argument.')
    from pathlib import Path
    folder, file = Path(rest[0]), Path(found["--file"][0])
    for secret in found.get("--secret", []):
        path = re.fullmatch(r"id=[A-Za-z0-9._-]+,src=(/[^,]+)", secret)
        if not os.path.isfile(path[1]):
            raise Refused(1, f"could not parse secrets: {secret}")
    if builder == "buildx":
        look_at_git(folder)
    if file.is_file():
        known = known_logins() if "DOCKER_CONFIG" in os.environ else {}
        for host in re.findall(r"^FROM ([a-z0-9.:-]+)/", file.read_text(), re.M):
            if host in logins and host not in known:
                raise Refused(1, f"Error response from daemon: Get https://{host}/v2/: no basic auth credentials")
    if not file.is_file():
        raise Refused(1, f"unable to prepare context: unable to evaluate symlinks in Dockerfile path: {file}")
    text = "".join(f"{path.relative_to(folder)} {path.stat().st_mode:o} {path.read_text()}\n"
                   for path in sorted(folder.rglob("*")) if path.is_file())
    with call.world() as world:
        for tag in found["--tag"]:
            world["images"][checked(tag)] = {"id": sha256(text), "context": text,
                                             "labels": found["--label"], "digests": []}
    for kept in found.get("--cache-to", []):
        if kept.startswith("type=local,"):
            folder = Path(re.search(r",dest=([^,]+)", kept)[1])
            folder.mkdir(exist_ok=True)
            write(folder / "index.json", "{}")
    print("Successfully built")


def login(call, words):
    found, rest = options(words, flags=("--password-stdin",), values=("--username",), refuse=unknown)
    if len(rest) != 1 or "--password-stdin" not in found:
        raise Refused(1, "the stand-in takes a password on stdin alone")
    password = call.stdin().removesuffix("\n")   # docker takes one away, too
    with call.world() as world:
        if password != world.get("logins", {}).get(rest[0], world.get("password", password)):
            raise Refused(1, f"Error response from daemon: login attempt to https://{rest[0]}/v2/ failed")
    import base64
    secret = base64.b64encode(f"{found['--username'][0]}:{password}".encode()).decode()
    write(config(), json.dumps({"auths": {**known_logins(), rest[0]: {"auth": secret}}}))
    print("Login Succeeded")


def push(call, words):
    _, rest = options(words, refuse=unknown)
    name, = rest
    with call.world() as world:
        image = world["images"].get(checked(name))
        if image is None:
            raise Refused(1, f"An image does not exist locally with the tag: {name}")
        if "password" in world and not os.path.exists(config()):
            raise Refused(1, "denied: requested access to the resource is denied")
        repository, tag = name.rsplit(":", 1)
        digest = digest_of(image)
        kept = world["registry"].setdefault(repository, {})
        kept[tag] = kept[digest] = manifest_of(image)
        image["digests"] = [f"{repository.removeprefix('docker.io/')}@{digest}"]  # as docker calls its own registry
    print(f"The push refers to repository [{repository}]\n{tag}: digest: {digest} size: 528")


def pull(call, words):
    _, rest = options(words, flags=("--quiet",), refuse=unknown)
    name, = rest
    repository, _, digest = checked(name).partition("@")
    with call.world() as world:
        if digest not in world["registry"].get(repository, {}):
            raise Refused(1, f"Error response from daemon: manifest for {name} not found: manifest unknown")
        world["here"][name] = {}
    print(name)


def image(call, words):
    act, *words = words
    found, rest = options(words, values=("--format",) if act == "inspect" else (), refuse=unknown)
    name, = rest
    with call.world() as world:
        if act == "rm":
            if world["images"].pop(checked(name), None) is None and world["here"].pop(name, None) is None:
                raise Refused(1, f"Error response from daemon: No such image: {name}")
            print(f"Untagged: {name}")
            return
        if act != "inspect":
            raise Refused(1, f"docker: 'image {act}' is not known to the stand-in")
        if checked(name) not in world["images"] and name not in world["here"]:
            raise Refused(1, f"Error response from daemon: No such image: {name}")
        if found.get("--format") == ['{{join .RepoDigests "\\n"}}']:
            print("\n".join(world["images"][name]["digests"]))
        elif "--format" in found:
            raise Refused(64, f"template parsing error: {found['--format']}")


def container(call, act, words):
    """run, rm, ps and logs: a container is its name, image and labels."""
    found, rest = options(
        words, flags={"run": ("--detach",), "rm": ("--force",)}.get(act, ()),
        values={"run": ("--name", "--restart", "--publish", "--label"), "logs": ("--tail",),
                "ps": ("--filter", "--format")}.get(act, ()), refuse=unknown)
    with call.world() as world:
        there = world.setdefault("containers", {})
        if act == "run":
            name, = found["--name"]
            if name in there:
                raise Refused(125, f'Conflict. The container name "/{name}" is already in use')
            if checked(rest[0]) not in world["here"]:
                raise Refused(125, f"Unable to find image '{rest[0]}' locally")
            there[name] = {"image": rest[0], "labels": dict(label.split("=", 1) for label in found.get("--label", []))}
            print("c0ffee")
        elif act == "ps":
            name = re.fullmatch(r"name=\^([a-z-]+)\$", found["--filter"][0])
            label = re.fullmatch(r'\{\{\.Label "([a-z.]+)"\}\}', found["--format"][0])
            if name[1] in there:
                print(there[name[1]]["labels"].get(label[1], ""))
        elif act == "logs":
            if rest[0] not in there:
                raise Refused(1, f"Error: No such container: {rest[0]}")
            print("the last words of the application")
        elif there.pop(rest[0], None) is None and "--force" not in found:
            raise Refused(1, f"Error: No such container: {rest[0]}")


def version(call, words):
    found, rest = options(words, values=("--format",), refuse=unknown)
    if rest or found["--format"] != ['{{.Client.Version}} {{.Server.Os}}/{{.Server.Arch}} '
                                     '{{range .Server.Components}}{{.Name}},{{end}}']:
        raise Refused(64, f"template parsing error: {words}")
    with call.world() as world:
        print(world.get("client", "20.10.24"), "linux/amd64", world.get("parts", "Engine,containerd,runc,"))


def info(call, words):
    found, rest = options(words, values=("--format",), refuse=unknown)
    if rest or found.get("--format", ["{{.DriverStatus}}"]) != ["{{.DriverStatus}}"]:
        raise Refused(64, f"template parsing error: {words}")
    with call.world() as world:
        print(world.get("store", "[[Backing Filesystem extfs]]"))


def buildx(call, words):
    create = ["create", "--driver", "docker-container", "--use"]
    with call.world() as world:
        if not world.get("buildx", False) or words not in (["version"], create):
            raise Refused(1, "docker: 'buildx' is not a docker command.\nSee 'docker --help'")
    print("github.com/docker/buildx 0.13.1")


def manifest(call, words):
    """inspect REPOSITORY:TAG alone."""
    act, name = words
    repository, _, tag = name.rpartition(":")
    with call.world() as world:
        if act != "inspect" or tag not in world["registry"].get(repository, {}):
            raise Refused(1, "manifest unknown")
    print("{}")


def docker(call):
    if not call.words:
        raise Refused(1, "docker needs a command")
    act, *words = call.words
    acts = {"build": build, "login": login, "push": push, "pull": pull, "image": image, "version": version,
            "info": info, "buildx": buildx, "manifest": manifest}
    if act in acts:
        return acts[act](call, words)
    if act in ("run", "rm", "logs", "ps"):
        return container(call, act, words)
    raise Refused(1, f"docker: '{act}' is not a docker command.")
