"""bench_deploy.py - from the order to the first answer of the new release, beside a shell line that does as much.

The hosts are a real sshd with a port for each; the engine there is a stand-in, which takes a second to pull and one to
start, and writes down how long it took for each call.
"""
# SPDX-License-Identifier: ISC
import getpass
import html
import os
import statistics
import subprocess
import sys
import time

import kit

sys.path.insert(0, str(kit.ROOT / "tests" / "e2e"))

from commands_aid import stand_in, tools  # noqa: E402  pylint: disable=wrong-import-position
from ssh_aid import COMPOSE, SshBench, Sshd  # noqa: E402  pylint: disable=wrong-import-position
from stage import free_port, get  # noqa: E402  pylint: disable=wrong-import-position

ROUNDS = 5
RATIO, OWN_SECONDS, MANY_RATIO = 1.5, 3, 3
MANY, AT_ONCE = 20, 10
# ssh 9.2 takes 0.2 s of a core to begin with sntrup761; 10.0 begins with ML-KEM, in as little as X25519 alone.
EXCHANGES = {"": "", ", a key exchange that costs nothing": "KexAlgorithms curve25519-sha256\n"}
LOOK_S = 0.05      # each look is a millisecond of a core, which the hosts share with it
PICTURE = "deploy.svg"
COLOURS = ("#8a6d3b", "#2f9e77", "#d9772f", "#5b7fd0", "#b06fc4", "#9a9a2e", "#2e9a9a")   # on white and on black
WIDTH, LEFT, TOP, HEIGHT = 760, 12, 62, 34
ENGINE = """#!/bin/bash
began=$EPOCHREALTIME
case "$*" in
pull* | *"up -d"*) sleep 1 ;;
esac
"{real}/${{0##*/}}" "$@"
status=$?
echo "$began $EPOCHREALTIME" >>"$STAND/clock"
exit "$status"
"""
# What one types, for each host: the same calls of the engine, until its healthcheck is content.
LINE = """cd {folder} && docker pull --quiet {image} && echo DEPLOY_IMAGE={image} >.env &&
docker compose -p app up -d --no-deps --no-build app && until docker inspect --format '{template}' app_app_1 |
grep -q ' healthy '; do sleep 0.5; done"""
HEALTH = ('{{.Id}} {{.Image}} {{.State.Status}} {{with index .State "Health"}}{{.Status}}{{else}}-{{end}} '
          "{{.RestartCount}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}} "
          '{{index .Config.Labels "com.docker.compose.service"}}')


class Fleet(SshBench):
    """So many hosts; each has a folder of its own where the settings say the same of all."""

    def __init__(self, path, count, exchange):
        super().__init__(path, tools(path / "tools"), "v2")
        self.exchange = exchange
        (self.bin / "ssh").unlink()
        os.symlink("/usr/bin/ssh", self.bin / "ssh")
        self.make_engine(path / "real")
        shell = path / "host-shell"
        shell.write_text('#!/bin/bash\nexec bash -c "${SSH_ORIGINAL_COMMAND//dir=$SHARED/dir=$STAND/app}"\n')
        shell.chmod(0o755)
        self.live = ""
        self.names = [f"n{number}" for number in range(count)]
        self.app_ports = {name: free_port() for name in self.names}
        ports = [free_port() for _ in self.names]
        for name in self.names:
            self.make_host(name)
        self.daemons = [self.begin(path / f"sshd-{name}", name, port, shell) for name, port in zip(self.names, ports)]
        self.known.write_text("".join(daemon.known for daemon in self.daemons))
        self.places = [f"127.0.0.1:{port}" for port in ports]
        self.environment |= {"DEPLOY_USER": getpass.getuser(), "STAGING_HOST": ",".join(self.places)}

    def begin(self, folder, name, port, shell):
        folder.mkdir()
        (folder / "authorized").write_text(self.key.with_name("key.pub").read_text())
        # What stands in somebody's .bashrc, which bash reads under sshd, is no part of a release.
        where = {"PATH": (self.stand / "host.path").read_text(), "STAND": self.host(name), "SHARED": self.app,
                 "HOME": self.host(name)}
        return Sshd(folder, [("127.0.0.1", port, where)], f"ForceCommand {shell}\n{self.exchange}")

    def make_engine(self, real):
        real.mkdir()
        for name in ("docker", "docker-compose"):
            os.symlink(stand_in("host/docker"), real / name)
            (self.host_bin / name).unlink()
            (self.host_bin / name).write_text(ENGINE.format(real=real))
            (self.host_bin / name).chmod(0o755)

    def make_host(self, name):
        folder = self.host(name) / "app"
        folder.mkdir(parents=True)
        (folder / "docker-compose.yml").write_text(
            COMPOSE + f'    ports:\n      - "127.0.0.1:{self.app_ports[name]}:8080"\n')
        self.change_engine(name, images={}, registry=[], containers=[], compose="v2")

    def release(self, text):
        commit, digest = super().release(text)
        for name in self.names:
            engine = self.engine(name)
            self.change_engine(name, registry=[*engine["registry"], f"{self.image}@{digest}"],
                               health={**engine.get("health", {}), "sha256:id-of-" + digest[-8:]: "healthy"})
            (self.host(name) / "clock").unlink(missing_ok=True)
        return commit, digest

    def is_live(self, digest, hosts):
        """On the last of so many hosts."""
        status, text = get(f"http://127.0.0.1:{self.app_ports[self.names[hosts - 1]]}/", timeout=30)
        return status == 200 and text.endswith(digest)

    def engine_seconds(self, began, ended):
        """In which an engine worked, on whichever host."""
        clocks = [self.host(name) / "clock" for name in self.names]
        spans = sorted(tuple(map(float, line.split())) for clock in clocks if clock.exists()
                       for line in clock.read_text().splitlines())
        total, until = 0, began
        for first, last in spans:
            first, last = max(first, until), min(last, ended)
            if last > first:
                total, until = total + last - first, last
        return total

    def ours(self, text, hosts, **settings):
        """{seconds, own, steps} of a release to the first so many hosts."""
        commit, digest = self.release(text)
        began, steps = time.time(), {}
        process = self.start("deploy.sh", "staging", commit, STAGING_HOST=",".join(self.places[:hosts]),
                             PREVIOUS_RELEASE=self.live, **settings)
        while not self.is_live(digest, hosts) and process.poll() is None:
            for step in self.steps():
                steps.setdefault(step, time.time() - began)
            time.sleep(LOOK_S)
        ended = time.time()
        assert process.wait(timeout=300) == 0 and self.is_live(digest, hosts), self.said()
        self.live = f"{commit}@{digest}"    # as the server says it
        return {"seconds": ended - began, "own": ended - began - self.engine_seconds(began, ended), "steps": steps}

    def theirs(self, text):
        _, digest = self.release(text)
        image, began = f"{self.image}@{digest}", time.time()
        for place, name in zip(self.places, self.names):
            host, _, port = place.partition(":")
            line = LINE.format(folder=self.host(name) / "app", image=image, template=HEALTH).replace("\n", " ")
            subprocess.run(["ssh", "-F", "none", "-i", self.key, f"-oUserKnownHostsFile={self.known}", "-p", port,
                            host, line], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=300)
        while not self.is_live(digest, len(self.names)):
            time.sleep(LOOK_S)
        return time.time() - began

    def is_quiet(self):
        return True

    def done(self):
        super().done()
        for daemon in self.daemons:
            daemon.done()


def with_fleet(bench, count, act, exchange=""):
    folder = bench.new_folder(f"deploy-{count}{'-quick' if exchange else ''}")
    os.environ.setdefault("DEPLOYBOT_BUILD", str(kit.build_dir()))
    fleet = Fleet(folder, count, exchange)
    try:
        return act(fleet)
    finally:
        fleet.done()


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def two_hosts(fleet):
    fleet.ours("first", 2)      # nobody's: what follows replaces something
    ours, theirs = [], []
    for number in range(ROUNDS):
        ours.append(fleet.ours(f"ours {number}", 2))
        theirs.append(fleet.theirs(f"theirs {number}"))
    return ours, statistics.median(theirs)


def many_hosts(fleet):
    """By turns: one host, and all of them."""
    rounds = [(fleet.ours(f"one {number}", 1), fleet.ours(f"all {number}", MANY, HOSTS_PARALLEL=str(AT_ONCE)))
              for number in range(3)]
    return (statistics.median(one["seconds"] for one, _ in rounds),
            statistics.median(two["seconds"] for _, two in rounds))


# ---- the picture ---------------------------------------------------------------------------------


def pieces(marks, row, scale):
    """Pieces side by side, in a line of their own: [(began, ended, class)]."""
    return [f'<rect class="{piece}" x="{LEFT + began * scale:.1f}" y="{TOP + row * (HEIGHT + 30)}" '
            f'width="{(ended - began) * scale:.1f}" height="{HEIGHT}"/>' for began, ended, piece in marks]


def draw(one, theirs):
    """Two bars from the order to the first answer: a release's, a piece for each step, and the shell line's."""
    scale = (WIDTH - 2 * LEFT) / max(one["seconds"], theirs)
    begins = [("start", 0.0), *sorted(one["steps"].items(), key=lambda step: step[1])]
    ends = [at for _, at in begins[1:]] + [one["seconds"]]
    steps = [(name.split(" ")[0], began, ended) for (name, began), ended in zip(begins, ends) if ended - began >= 0.05]
    bottom = TOP + 2 * HEIGHT + 64
    out = pieces([(began, ended, f"s{n}") for n, (_, began, ended) in enumerate(steps)], 0, scale)
    out += pieces([(0, theirs, "line")], 1, scale)
    for row, text in enumerate((f"deploybot: {one['seconds']:.1f} s, of which the engines took "
                                f"{one['seconds'] - one['own']:.1f} s", f"the shell line: {theirs:.1f} s")):
        out.append(f'<text x="{LEFT}" y="{TOP - 6 + row * (HEIGHT + 30)}">{html.escape(text)}</text>')
    for n, (name, began, ended) in enumerate(steps):
        x = LEFT + n * (WIDTH - 2 * LEFT) / len(steps)
        out.append(f'<rect class="s{n}" x="{x:.1f}" y="{bottom - 11}" width="12" height="12"/>'
                   f'<text x="{x + 18:.1f}" y="{bottom}">{html.escape(name)} {ended - began:.1f} s</text>')
    title = "A release to two hosts, from the order to the first answer of the second"
    colours = "".join(f".s{n}{{fill:{colour}}}" for n, colour in enumerate(COLOURS))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 16}" '
            f'font-family="sans-serif" font-size="13">\n<title>{title}</title>\n'
            f"<style>.paper{{fill:#fff}}text{{fill:#1f2328}}.line{{fill:#8c959f}}{colours}"
            "@media (prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}}</style>\n"
            f'<rect class="paper" width="100%" height="100%"/>\n<text x="{LEFT}" y="26" font-size="15">{title}</text>\n'
            + "\n".join(out) + "\n</svg>\n")


def measure_deploy(bench):
    ours, theirs = with_fleet(bench, 2, two_hosts)
    seconds, own = median(ours, "seconds"), median(ours, "own")
    bench.row("a release on 2 hosts, beside the line of shell",
              f"{seconds:.1f} s, {theirs:.1f} s: {seconds / theirs:.2f} ×", f"≤ {RATIO} ×", seconds <= RATIO * theirs)
    bench.row("of that what no engine took", f"{own:.1f} s", f"≤ {OWN_SECONDS} s", own <= OWN_SECONDS)
    picture = kit.build_dir() / PICTURE
    picture.write_text(draw(min(ours, key=lambda one: abs(one["seconds"] - seconds)), theirs), encoding="utf-8")
    for words, exchange in EXCHANGES.items():
        one, many = with_fleet(bench, MANY, many_hosts, exchange)
        bench.row(f"{MANY} hosts, {AT_ONCE} at a time, beside one{words}",
                  f"{many:.1f} s, {one:.1f} s: {many / one:.2f} ×", f"≤ {MANY_RATIO} ×", many <= MANY_RATIO * one)
