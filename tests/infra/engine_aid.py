"""engine_aid.py - a container engine for the tests of images: one that builds, or one in a network of its own.

    with Engine(builds=True) as engine:     # the machine's network, for apt-get in a Dockerfile; none of containers
        engine.docker("build", ...)
    with Engine() as engine:                # a host of its own, with bridges and ports, at HOST
        with engine.world():                # the caller's thread, and what it starts, is at WORLD: all there is outside
            engine.docker("run", ...)

Both keep their images in build/infra/engine, so that what was built is there, and a second run builds little.
"""
# SPDX-License-Identifier: ISC
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for _folder in (ROOT / "tests" / part for part in ("targets", "peers", "demo", "e2e")):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import inside  # noqa: E402  pylint: disable=wrong-import-position
from stage import wait_until  # noqa: E402  pylint: disable=wrong-import-position

CACHE = ROOT / "build" / "infra"
DOCKER = "/usr/bin/docker"      # another client on PATH may lack the builder
COMPOSE = "/usr/bin/docker-compose"
BASE = "deploybot-test-base:12"
WORLD, HOST = "10.78.0.1", "10.78.0.2"
CLONE_NEWNET = 0x40000000
START_S = 120
NAMESPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL",
              "--mount-proc", "--propagation", "private"]
# The first process: bash waits for orphans too.  The world is a network namespace at the other end of a wire.
FIRST = """set -e
folder=$1 world=$2 host=$3
shift 3
ip link set lo up
if [[ -n $world ]]; then
	touch "$folder/world"
	unshare --net="$folder/world" true
	ip link add eth0 type veth peer name eth1
	ip link set eth1 netns "$folder/world"
	ip address add "$host/24" dev eth0
	ip link set eth0 up
	nsenter --net="$folder/world" ip link set lo up
	nsenter --net="$folder/world" ip address add "$world/24" dev eth1
	nsenter --net="$folder/world" ip link set eth1 up
	ip route add default via "$world"
fi
/usr/sbin/dockerd "$@" &
wait $!
"""


def refused():
    """Why there can be no engine here; empty when there can."""
    for program in ("/usr/sbin/dockerd", DOCKER, COMPOSE, "/usr/bin/mmdebstrap"):
        if not os.path.exists(program):
            return f"{program} is missing"
    return inside.refused()


class Engine:
    def __init__(self, builds=False):
        self.builds = builds
        self.process = None
        self.folder = None
        self.socket = None
        self.lock = None
        self.group = f"{inside.CGROUP}{os.getpid()}"

    def start(self):
        inside.remove_cgroups()
        inside.hand_on_controllers()
        CACHE.mkdir(parents=True, exist_ok=True)
        # Images are kept in one place: two engines would ruin it.
        self.lock = open(CACHE / "engine.lock", "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # Short: sockets are made in it, and their paths are 107 bytes at most.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
        self.socket = self.folder / "docker.sock"
        words = ["--storage-driver=overlay2", f"--data-root={CACHE / 'engine'}", f"--exec-root={self.folder / 'exec'}",
                 f"--pidfile={self.folder / 'pid'}", f"--host=unix://{self.socket}",
                 "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.group}"]
        if self.builds:
            words += ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, *([] if self.builds else ["--net"]), "bash", "-c", FIRST, "dockerd", str(self.folder),
                 "" if self.builds else WORLD, HOST, *words],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(self.is_up, START_S, "the container engine")
        except BaseException:
            self.stop()
            raise
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError("dockerd ended:\n" + (self.folder / "log").read_text("utf-8", "replace")[-4000:])
        return self.socket.exists() and self.try_docker("version").returncode == 0

    def stop(self):
        """Ends it and all that runs in it; their mounts and networks end with the last process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        wait_until(self.end_cgroups, START_S, "the end of all containers")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()

    def end_cgroups(self):
        left = [found for root in inside.hierarchies() for found in root.glob(self.group)]
        for folder in left:
            for path, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):      # something in it is still ending
                    os.rmdir(path)
        return not any(folder.exists() for folder in left)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # --- its commands ---

    def environment(self, **more):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8",
                "DOCKER_HOST": f"unix://{self.socket}", **more}

    def try_docker(self, *words, timeout=600, **more):
        return subprocess.run([DOCKER, *words], env=self.environment(**more), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def docker(self, *words, timeout=600, **more):
        """Runs docker, which must succeed; what it prints."""
        done = self.try_docker(*words, timeout=timeout, **more)
        assert done.returncode == 0, (f"docker {' '.join(words)}: {done.returncode}\n{done.stdout[-6000:]}"
                                      f"{done.stderr[-3000:]}")
        return done.stdout.strip()

    def inspect(self, name):
        return json.loads(self.docker("inspect", name))[0]

    @contextlib.contextmanager
    def world(self):
        """The calling thread is where the internet would be; so is what it starts."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        first = wait_until(lambda: children.read_text("ascii").split(), START_S, "the engine's first process")[0]
        # The name stands in the engine's mounts only.
        with (open("/proc/thread-self/ns/net", "rb") as ours,
              open(f"/proc/{first}/root{self.folder}/world", "rb") as theirs):
            enter(theirs.fileno())
            try:
                yield
            finally:
                enter(ours.fileno())


def enter(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


# --- images ---

def make_base(engine):
    """A minimal Debian, as debian:12-slim is one: there is no registry to pull that from."""
    if engine.try_docker("image", "inspect", BASE).returncode == 0:
        return
    tree = CACHE / "base.tar"
    if not tree.exists():
        print("infra: making a minimal Debian (a minute)", flush=True)
        fresh = CACHE / "base.new.tar"
        made = [ROOT / "tests" / "tools" / "debian_root.sh", "--quiet", "--variant=minbase", "bookworm", fresh]
        subprocess.run(made, check=True, timeout=900)
        fresh.replace(tree)
    engine.docker("import", str(tree), BASE)


# Of both images: the version is in the programs too.
OURS = ("--build-arg=VERSION=1.2.3", "--build-arg=REVISION=0123abc", "--build-arg=SOURCE=https://git.example.com/deploybot")


def build(engine, name, *words, target=None, file="Dockerfile", context=ROOT, buildkit=False):
    """Builds an image on the base; what docker says."""
    print(f"infra: building {name}", flush=True)
    return engine.docker("build", "--force-rm", "--network=host", f"--build-arg=BASE_IMAGE={BASE}", f"--tag={name}",
                         f"--file={file}", *([f"--target={target}"] if target else []), *words, str(context),
                         timeout=1800, DOCKER_BUILDKIT="1" if buildkit else "0")


def build_all(engine):
    """The two images of this tree, and from Debian's packages those that compose takes from elsewhere."""
    make_base(engine)
    for target in ("server", "runner"):
        build(engine, f"deploybot-{target}:test", *OURS, target=target)
    for target in ("nginx", "prometheus", "alertmanager"):
        build(engine, f"{target}:test", target=target, file=HERE / "parts.Dockerfile", context=HERE)
