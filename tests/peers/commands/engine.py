"""engine.py - docker of a target host: a strict stand-in for the engine, and for compose under either of its names.

STAND/engine: {"images": {name: id}, "registry": [names], "containers": [...], "compose": "v1" or "v2"}; "docker" is
its version and that of its API. A container that is started runs, unless its image's id stands in "broken"; what
"health" says of that id is its health. One with a port answers there with the name of its image. "ends": {SERVICE:
STATUS}, what ends at once; "fails": TEXT, what ends with 3, as its lines of the compose file have that. "halts":
compose hangs between stop and start. "killed": which ones `docker rm -f` has ended while they ran. "networks": those
there; "events": [TIME, ACTION, NAME], by its clock, so many seconds "ahead"; X "unmade": TEXT, with which compose
refuses to make the container of a `run`. compose reads image and port from the environment, then from .env. Plans
(recorder.py) go by "docker" or "compose" and their words.
"""
# SPDX-License-Identifier: ISC
# pylint: disable=import-outside-toplevel; most calls need none of those
import datetime
import os
import re
import signal
import sys
import time

import recorder
from recorder import FILES_MAX, Call, Refused, World, options, read, write

INSPECT = ("{{.Id}} {{.Image}} {{.State.Status}} {{with index .State \"Health\"}}{{.Status}}{{else}}-{{end}} "
           "{{.RestartCount}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}} "
           '{{index .Config.Labels "com.docker.compose.service"}}')

SURVEY = (INSPECT + '|{{index .Config.Labels "com.docker.compose.project"}}|'
          '{{range .HostConfig.PortBindings}}{{range .}}{{.HostPort}} {{end}}{{end}}|'
          '{{with index .Config "StopTimeout"}}{{.}}{{end}}|'
          '{{index .Config.Labels "com.docker.compose.project.working_dir"}}')

PUBLISHED = "{{range $port, $to := .HostConfig.PortBindings}}{{if $to}}{{$port}} {{end}}{{end}}"
EXPOSED = "{{range $port, $any := .Config.ExposedPorts}}{{$port}} {{end}}"
KILLS = ('{{.Time}} {{with .Actor}}{{.Attributes.signal}} {{.ID}} '
         '{{index .Attributes "com.docker.compose.service"}}{{end}}')

# Of act-on-host.sh.
SERVICE = ('{{.State.Status}} {{index .Config.Labels "com.docker.compose.project"}} '
           '{{index .Config.Labels "com.docker.compose.project.working_dir"}}')


def refuse(word):
    return Refused(125, f"unknown flag: {word}")


class Engine(World):
    """What a call that was refused did to it is lost."""
    name = "engine"

    def __exit__(self, kind, *_):
        if kind is None:
            self.save()
        self.file.close()


def engine():
    return Engine(os.environ["STAND"])


def find(state, word):
    for box in state["containers"]:
        if word in (box["id"], box["name"]):
            return box
    raise Refused(1, f"Error: No such container: {word}")


def start(state, box):
    box["status"] = "restarting" if state["images"][box["of"]] in state.get("broken", []) else "running"
    code = state.get("ends", {}).get(f"{box['labels'].get('service')} {box['of']}")
    if "fails" in state and state["fails"] in box.get("made", ""):
        code = 3
    if code is not None:
        box.update(status="exited", code=code)
    if "port" not in box or "pid" in box or box["status"] != "running":
        return
    import socket
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", box["port"]))
        except OSError as error:
            raise Refused(1, f"Bind for 127.0.0.1:{box['port']} failed: port is already allocated") from error
        listener.listen(128)
        box["pid"] = os.fork()
        if box["pid"] == 0:
            try:
                serve(listener.fileno(), box["of"])
            finally:
                os._exit(1)


def end(box):
    """What it does is cut off, as by a KILL."""
    if "pid" not in box:
        return
    import select
    try:
        process = os.pidfd_open(box.pop("pid"))
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [])
    except ProcessLookupError:
        pass


def serve(number, text):
    """The application in a container: of nobody's session, with nobody's files."""
    import contextlib
    import socket
    os.setsid()
    os.chdir("/")
    os.dup2(number, 3)
    os.closerange(4, FILES_MAX)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)
    listener = socket.socket(fileno=3)
    while True:
        with listener.accept()[0] as client, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                more = client.recv(4096)
                if not more:
                    break
                asked += more
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            client.sendall((head + text).encode())


# ---- docker ------------------------------------------------------------------------------------


def ps(state, words):
    found, rest = options(words, flags=("-a", "-q", "--no-trunc"), values=("--filter",), refuse=refuse)
    if rest or not {"-a", "-q", "--no-trunc"} <= set(found):
        raise Refused(125, "the stand-in lists ids of all containers")
    wanted = dict(word[len("label=com.docker.compose."):].split("=", 1) for word in found["--filter"]
                  if word.startswith("label="))
    names = [word.removeprefix("name=") for word in found["--filter"] if word.startswith("name=")]
    ports = [word.removeprefix("publish=") for word in found["--filter"] if word.startswith("publish=")]
    runs = "status=running" in found["--filter"]
    for box in state["containers"]:
        if (wanted.items() <= box["labels"].items() and all(re.search(name, box["name"]) for name in names)
                and all(port == f"{box.get('port')}/tcp" for port in ports)
                and (not runs or box["status"] == "running")):
            print(box["id"])


def inspect(state, words):
    found, rest = options(words, values=("--format",), refuse=refuse)
    template = found["--format"][0]
    for word in rest:
        box = find(state, word)
        if template in (INSPECT, SURVEY):
            broken = box["status"] == "restarting"
            print(box["id"], state["images"][box["of"]], box["status"],
                  state.get("health", {}).get(state["images"][box["of"]], "-"), 3 if broken else box.get("restarts", 0),
                  7 if broken else box.get("code", 0),
                  "/" + box["name"], box["of"], box["labels"].get("service", ""),
                  end=f"|{box['labels'].get('project', '')}|{box.get('port', '')}|"
                      f"{box.get('grace', '')}|{box['labels'].get('project.working_dir', '')}\n"
                  if template == SURVEY else "\n")
        elif template == SERVICE:
            print(box["status"], box["labels"].get("project", ""), box["labels"].get("project.working_dir", ""))
        elif template == "{{.Name}} {{.State.Running}}":
            print("/" + box["name"], str(box["status"] == "running").lower())
        elif "{{range .Mounts}}" in template:
            print("".join(f"{path}\n" for path in box.get("written", [])))
        elif template == PUBLISHED:
            print(state.get("published", ""))
        elif template == '{{.Name}} {{index .Config.Labels "com.docker.compose.project"}}':
            print("/" + box["name"], box["labels"].get("project", ""))
        elif template == "{{.Id}}":
            print(box["id"])
        elif template == "{{.Config.StopTimeout}}":
            print(box.get("grace", "<nil>"))
        elif "Health.Log" in template:
            print("what the check said")
        elif "revision" in template:
            print()
        else:
            raise Refused(64, f"template parsing error: {template}")


def image(state, words):
    act, *words = words
    found, (name,) = options(words, values=("--format",) if act == "inspect" else (), refuse=refuse)
    if name not in state["images"]:
        raise Refused(1, f"Error: No such image: {name}")
    if act == "rm":
        if any(box["of"] == name for box in state["containers"]):
            raise Refused(1, f"Error response from daemon: conflict: unable to remove {name}: in use")
        del state["images"][name]
    elif act == "inspect":
        print(state.get("exposed", "") if found.get("--format") == [EXPOSED] else state["images"][name])
    else:
        raise Refused(1, f"no docker image {act}")


def tag(state, words):
    _, (image_id, name) = options(words, refuse=refuse)
    if image_id not in state["images"].values():
        raise Refused(1, f"Error response from daemon: No such image: {image_id}")
    state["images"][name] = image_id


def create(state, words):
    found, (name, *_) = options(words, values=("--name", "--label"), refuse=refuse)
    if any(box["name"] == found["--name"][0] for box in state["containers"]):
        raise Refused(1, f"Conflict. The container name {found['--name'][0]} is already in use")
    if name not in state["images"]:
        raise Refused(1, f"Unable to find image '{name}' locally")
    labels = dict(label.removeprefix("com.docker.compose.").split("=", 1) for label in found["--label"])
    state["number"] = state.get("number", 0) + 1
    state["containers"].append({"id": f"{state['number']:064x}", "name": found["--name"][0], "of": name,
                                "labels": labels, "status": "created"})


def pull(state, words):
    _, (name,) = options(words, flags=("--quiet",), refuse=refuse)
    if name not in state["registry"]:
        raise Refused(1, f"Error response from daemon: manifest for {name} not found: manifest unknown")
    state["images"][name] = "sha256:id-of-" + name[-8:]


def login(state, words):
    found, _ = options(words, flags=("--password-stdin",), values=("--username",), refuse=refuse)
    config = os.environ["DOCKER_CONFIG"]
    if os.stat(config).st_mode & 0o777 != 0o700:
        raise Refused(1, "the configuration is not private")
    state["login"] = [found["--username"][0], sys.stdin.read()]
    write(os.path.join(config, "config.json"), "{}")


def change(state, act, words):
    found, rest = options(words, flags=("-f",) if act == "rm" else (), values=("--tail",) if act == "logs" else (),
                          refuse=refuse)
    box = find(state, rest[0])
    if act == "start":
        start(state, box)
    elif act == "rename":
        box["name"] = rest[1]
    elif act == "logs":
        print("the last words of", box["of"])
    for box in [find(state, word) for word in rest] if act == "rm" else ():
        if box["status"] == "running" and "-f" not in found:
            raise Refused(1, "You cannot remove a running container")
        if box["status"] == "running":
            state.setdefault("killed", []).append(box["name"])
        end(box)
        state["containers"].remove(box)


def stop(words):
    """One of `compose run --rm` is gone with its end, and its client ends."""
    _, names = options(words, values=("-t",), refuse=refuse)
    with engine() as state:
        boxes = [find(state, name) for name in names]
        for box in boxes:
            if box["labels"].get("oneoff") == "True":
                state["containers"].remove(box)
            elif box["status"] == "running":
                end(box)
                box.update(status="exited", code=143)
    for box in boxes:
        try:
            os.kill(box["client"], signal.SIGTERM)
        except (ProcessLookupError, KeyError):
            pass


def wait(words):
    import select
    (name,) = words
    while True:
        with engine() as state:
            if not any(box["name"] == name for box in state["containers"]):
                print(0)
                return
        select.select([], [], [], 0.05)


def network(state, words):
    if words != ["ls", "--no-trunc", "--format", "{{.Name}} {{.ID}}"]:
        raise Refused(1, f"no docker network {words}")
    for number, name in enumerate(["bridge", "host", "none", *state.get("networks", [])]):
        print(name, f"{number:064x}")


def volume(state, words):
    if words[:3] != ["inspect", "--format", '{{.Driver}} {{index .Options "type"}}'] or len(words) != 4:
        raise Refused(1, f"no docker volume {words}")
    if words[3] not in state.get("volumes", {}):
        raise Refused(1, f"Error: No such volume: {words[3]}")
    print(state["volumes"][words[3]])


def info(state, words):
    if state.get("denied"):
        raise Refused(1, "errors pretty printing info")
    values = {"ServerVersion": state.get("docker", "20.10.24 1.41").partition(" ")[0],
              "DockerRootDir": os.environ["STAND"],
              "SystemTime": datetime.datetime.fromtimestamp(now(state), datetime.timezone.utc).isoformat(),
              "Swarm.LocalNodeState": "active" if state.get("swarm") else "inactive",
              "Swarm.ControlAvailable": "true" if state.get("swarm") == "manager" else "false"}
    flag, form = words
    try:
        print(re.sub(r"\{\{\.([\w.]+)\}\}", lambda match: values[match[1]], form))
    except KeyError as what:
        raise Refused(1, f"docker info {flag} {form}: no {what}") from what


def now(state):
    return int(time.time()) + state.get("ahead", 0)


def kills(state, found):
    """Of the last seconds, by the clock of whoever asks: [TIME, SIGNAL, ID, SERVICE, PROJECT]."""
    if (found["--until"] != ["0s"] or found["--filter"][0] != "event=kill" or len(found["--filter"]) != 2
            or found["--format"] != [KILLS]):
        raise Refused(64, f"the stand-in tells of kills of a project: {found}")
    project = found["--filter"][1].removeprefix("label=com.docker.compose.project=")
    for at, sent, name, service, its_project in state.get("kills", []):
        if its_project == project and at >= time.time() - int(found["--since"][0].removesuffix("s")) - 1:
            print(at, sent, name, service)


def events(state, words):
    found, rest = options(words, values=("--since", "--until", "--filter", "--format"), refuse=refuse)
    if "--filter" in found:
        kills(state, found)
        return
    if rest or found["--format"] != ['{{.Time}} {{.Action}} {{index .Actor.Attributes "name"}}']:
        raise Refused(64, f"the stand-in tells of all events: {words}")
    if int(found["--until"][0]) > now(state) + 2:
        raise Refused(64, f"the stand-in does not wait for what is to come: {words}")
    for at, action, name in state.get("events", []):
        if int(found["--since"][0]) <= at <= int(found["--until"][0]):
            print(at, action, name)


def docker(words):
    act, *rest = words
    if act in ("stop", "wait"):
        {"stop": stop, "wait": wait}[act](rest)
        return
    with engine() as state:
        simple = {"ps": ps, "inspect": inspect, "image": image, "pull": pull, "login": login, "tag": tag,
                  "create": create, "network": network, "volume": volume, "events": events, "info": info}
        if act in simple:
            simple[act](state, rest)
        elif act in ("start", "rename", "rm", "logs"):
            change(state, act, rest)
        elif act == "version":
            if state.get("denied"):
                raise Refused(1, "Got permission denied while trying to connect to the Docker daemon socket")
            print(state.get("docker", "20.10.24 1.41"))
        elif rest and (act, rest[0]) == ("context", "inspect"):
            print("unix:///var/run/docker.sock")
        else:
            raise Refused(1, f"docker: '{act}' is not a docker command.")


# ---- compose -----------------------------------------------------------------------------------


def variables():
    found = {}
    if os.path.exists(".env"):
        for line in read(".env").splitlines():
            key, _, value = line.partition("=")
            found[key] = value
    return {**found, **os.environ}


def compose_files():
    """With -f - compose reads a file from its standard input, as if it lay here."""
    if "-f" in sys.argv:
        return ["-"]
    for names in (variables().get("COMPOSE_FILE", "-").split(":"), ["docker-compose.yml"], ["compose.yaml"]):
        if all(os.path.exists(name) for name in names):
            more = "docker-compose.override.yml"
            return [*names, more] if names == ["docker-compose.yml"] and os.path.exists(more) else names
    raise Refused(1, "no configuration file provided: not found")


def project_folder():
    if "--project-directory" in sys.argv:
        return os.path.abspath(sys.argv[sys.argv.index("--project-directory") + 1])
    return os.path.dirname(os.path.abspath(compose_files()[0]))


def file_with_values():
    """Of several files each has services of its own."""
    if "-f" in sys.argv:
        text = sys.stdin.read()
    else:
        first, *others = map(read, compose_files())
        text = first + "".join(other.removeprefix("services:\n") for other in others)
    values = variables()
    text = re.sub(r"^    env_file: (\S+)\n", lambda match: "    environment:\n" + "".join(
        f"      {line.replace('=', ': ', 1)}\n"
        for line in sorted(read(os.path.join(project_folder(), match[1])).splitlines())), text, flags=re.M)
    return re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], ""), text)


def up(state, project, service):
    block = re.search(rf"^  {service}:\n((?:    .*\n)*)", file_with_values(), re.M)
    if not block:
        raise Refused(1, f"No such service: {service}")
    of = re.search(r"^    image: (\S+)", block[1], re.M)[1]
    port = re.search(r'- "127\.0\.0\.1:(\d+):8080"', block[1])
    folder = project_folder()
    labels = {"project": project, "service": service, "oneoff": "False", "project.working_dir": folder}
    old = [box for box in state["containers"]
           if {"project": project, "service": service, "oneoff": "False"}.items() <= box["labels"].items()]
    if old and old[0]["of"] == of and old[0].get("made", block[1]) == block[1]:
        start(state, old[0])
        return 0
    name = f"{project}_{service}_1"
    for box in old: # as docker-compose 1.29: stop, rename, create, start, remove
        end(box)
        box.update(status="exited", name=f"{box['id'][:12]}_{name}")
    if state.pop("halts", False):
        return "halts"
    if state.get("refuses") == of:
        print(f"ERROR: for {service}  Cannot create container: no space left on device", file=sys.stderr)
        return 1
    state["number"] = state.get("number", 0) + 1
    box = {"id": f"{state['number']:064x}", "name": name, "of": of, "labels": labels, "made": block[1]}
    if port:
        box["port"] = int(port[1])
    start(state, box)
    state["containers"] = [other for other in state["containers"] if other not in old] + [box]
    print(f"Recreating {name} ... done")
    return 0


def remove(state, project, service):
    for box in list(state["containers"]):
        if {"project": project, "service": service}.items() <= box["labels"].items():
            end(box)
            state["containers"].remove(box)


def restart(state, project, service):
    boxes = [box for box in state["containers"]
             if {"project": project, "service": service, "oneoff": "False"}.items() <= box["labels"].items()]
    if not boxes:
        raise Refused(1, "ERROR: No containers to restart")
    for box in boxes:
        end(box)
        start(state, box)
        print(f"Restarting {box['name']} ... done")


def run_once(call, project, name, service, words):
    of = variables()["DEPLOY_IMAGE"]
    with engine() as state:
        if any(box["name"] == name for box in state["containers"]):
            raise Refused(125, f"Conflict. The container name {name} is already in use")
        if "unmade" in state:
            raise Refused(1, state["unmade"])
        state["number"] = state.get("number", 0) + 1
        state.setdefault("events", []).append([now(state), "start", name])
        box = {"id": f"{state['number']:064x}", "name": name, "of": of, "status": "running",
               "client": recorder.caller.pid(), "labels": {"project": project, "service": service, "oneoff": "True"}}
        state["containers"].append(box)
    print(f"{service} of {of}: {' '.join(words)}", flush=True)
    if words[0] == "hang":
        call.hang()     # whoever kills this client leaves its container
    with engine() as state:
        state["containers"] = [other for other in state["containers"] if other["id"] != box["id"]]
    return 3 if words[0] == "false" else 0


def compose(call):   # pylint: disable=too-many-branches; a command each
    words = call.words
    found, rest = [], words[2:] if words[:2] == ["-f", "-"] else list(words)
    if rest[0] == "--project-directory":
        rest = rest[2:]
    if rest[0] == "-p":
        found, rest = rest[:2], rest[2:]
    is_old = os.path.basename(sys.argv[0]) == "docker-compose"
    if rest == ["version"] or (is_old and rest == ["version", "--short"]):     # wherever one is
        print("1.29.2" if rest[1:] else "compose")
        return 0
    project = found[1] if found else variables().get(
        "COMPOSE_PROJECT_NAME", os.path.basename(project_folder()))
    if rest == ["config"]:
        with engine() as state:
            version = state["compose"]
        print((f"name: {project}\n" if version == "v2" else "") + file_with_values(), end="")
    elif rest == ["--verbose", "ps", "-q"]:     # as docker-compose 1.29; version 2 has no such option
        print(f"docker containers <- (all=True, filters={{'label': ['com.docker.compose.project={project}']}})",
              file=sys.stderr)
    elif rest[:4] == ["up", "-d", "--no-deps", "--no-build"] and len(rest) > 4:
        for service in rest[4:]:
            with engine() as state:
                status = up(state, project, service)
            if status == "halts":
                call.hang()
            if status:
                return status
    elif rest[:1] == ["restart"] and len(rest) == 2:
        with engine() as state:
            restart(state, project, rest[1])
    elif rest[:3] == ["rm", "-s", "-f"] and len(rest) == 4:
        with engine() as state:
            remove(state, project, rest[3])
    elif rest[:4] == ["run", "--rm", "--no-deps", "-T"] and rest[4] == "--name" and len(rest) > 7:
        return run_once(call, project, *rest[5:7], rest[7:])
    elif is_old and any(word.startswith("-") for word in rest):
        print("Define and run multi-container applications with Docker.\n\nUsage:")   # and status 0, as 1.29 does
    else:
        raise Refused(1, f"no such command of the stand-in: {rest}")
    return 0


def main():
    words = sys.argv[1:]
    name = os.path.basename(sys.argv[0])
    if name == "docker-compose" or words[0] == "compose":
        with engine() as state:
            version = state["compose"]
        if (name == "docker-compose") != (version == "v1"):
            sys.exit(f"{name}: {words[0]!r} is not known here")
        words = words[words[0] == "compose":]
        call = Call("compose", words)
    else:
        call = Call("docker", words)
    call.act_planned()
    try:
        sys.exit((compose(call) or 0) if call.name == "compose" else docker(words))
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(refused.status)
