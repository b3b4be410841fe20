"""runners_log.py - what the server and deploybot-link cost while runs at a remote runner print a megabyte a second.

    make bench-agent     as root

All of them are followed in the chat, as a live message is: a page of each log comes over the link again and again.
What was measured is printed, and no test: it wants a machine on which nothing else runs.
"""
# SPDX-License-Identifier: ISC
import contextlib
import os
import pathlib
import sys
import time

import kit

sys.path[:0] = [str(kit.ROOT / "tests" / folder) for folder in ("e2e", "tools")]

# pylint: disable=wrong-import-position
from agents_aid import Agents  # noqa: E402
from runner_client import wait_for  # noqa: E402
from test_flow_remote_runner import NAME, Remote, listed  # noqa: E402

RUNS, SECONDS, BYTES, MOST = 50, 30, 1_000_000, 20
PRINTS = f"""trap 'kill $!' EXIT
touch "$here/$1.held"
while [ -e "$here/hold" ]; do
	printf '%s line of a build that goes on and on, of sixty bytes\\n' $(seq {BYTES // RUNS // 52})
	sleep 1 & wait $!
done"""


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def printed(agents):
    """Bytes of all logs there."""
    return sum(path.stat().st_size for path in agents.remote.service.state.glob("runs/*/log"))


def main():
    names = [f"env{number}" for number in range(RUNS)]
    settings = {f"{name.upper()}_{key}": value for name in names
                for key, value in (("RUNNER", NAME), ("CONFIRM", "false"))}
    agents = Agents(RUNNERS=NAME, RUNS_MAX=str(RUNS), APPLICATION_RUNS_MAX=str(RUNS),
                    ENVIRONMENTS=",".join(["staging", "production", *names]), **settings)
    with contextlib.closing(agents):
        agents.remote = Remote(agents)
        agents.peers.append(agents.remote)
        wait_for(lambda: "connected, " in listed(agents), "the runner", 60)
        scripts = agents.scene.scripts
        scripts.touch("hold")
        people = [agents.scene.admin() for _ in range(RUNS // 10 + 1)]  # nobody may ask for more in a minute
        for number, name in enumerate(names):
            scripts.deploy(PRINTS, name)
            people[number // 10].say(f"/deploy {name} develop")
            scripts.wait_for(f"{name}.held")
        watched = {"server": agents.scene.bot.process.pid, "deploybot-link there": agents.serve.process.pid,
                   "deploybot-link beside the runner": agents.remote.link.process.pid}
        size, edits = printed(agents), len(agents.scene.chat.calls("editmessagetext"))
        before = {what: cpu_s(pid) for what, pid in watched.items()}
        began = time.monotonic()
        time.sleep(SECONDS)
        took = time.monotonic() - began
        shares = {what: (cpu_s(pid) - before[what]) / took * 100 for what, pid in watched.items()}
        size = (printed(agents) - size) / took
        edits = (len(agents.scene.chat.calls("editmessagetext")) - edits) / took
        (scripts.folder / "hold").unlink()
    share = shares["server"] + shares["deploybot-link there"]
    print(f"{RUNS} remote runs, {size / 1e6:.2f} MB/s in all, {edits:.1f} edits/s: {share:.1f} % of a core "
          f"(at most {MOST}{'!' if share > MOST else ''}): "
          + ", ".join(f"{what} {value:.1f} %" for what, value in shares.items()))


if __name__ == "__main__":
    main()
