"""Hosts that are files: the programs and scripts of deploybot with a transport ssh whose hosts do as they are told, for
releases in waves.  Of a host HOST:22 the state folder has runs-HOST:22, what it runs; each of its switches is a line
`HOST COMMIT ACT` of the file switched.  A file fails-HOST:22 makes its next releases fail there, hold-HOST:22 stops one
in the middle.  The file fleet says how many at once, and how long each takes: `50 1`."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil

from stage import ROOT

# As transports/ssh.sh says it of each host.
TRANSPORT = r"""transport_needs=source
transport_preflight() { :; }
transport_current() { :; }
transport_logs() { :; }
transport_drain() { :; }
hosts_switch() { # RELEASE
	local host acked failed=0 acks='' at_once=1 seconds=0 some i list hosts=$STATE_DIRECTORY/hosts
	release_begins
	find_hosts list
	# Those behind a line `= COMMIT` should run it, and come first; of a rollback each is a run of its own.
	[[ -z ${RUN_HOSTS:-} ]] || sed -n '/^= /,${/^= /!p}' "$RUN_HOSTS" >"$hosts"
	[[ -z ${RUN_HOSTS:-} ]] || sed '/^= /,$d' "$RUN_HOSTS" >>"$hosts"
	[[ -n ${RUN_HOSTS:-} ]] || sed 's/,/\n/g' <<<"$list" | sed '/:/!s/$/:22/' >"$hosts" # a person's rollback
	[[ ! -e $STATE_DIRECTORY/fleet ]] || read -r at_once seconds <"$STATE_DIRECTORY/fleet"
	[[ $act == deploy ]] || at_once=$((at_once * 5))
	[[ -z ${HOST_ACKS:-} ]] || exec {acks}<>"/proc/self/fd/$HOST_ACKS"
	while mapfile -t -u 9 -n "$at_once" some && ((${#some[@]} > 0)); do
		for host in "${some[@]}"; do
			step "host $host began"
		done
		for host in "${some[@]}"; do
			acked=$host
			[[ -z $acks ]] || IFS= read -r -u "$acks" acked
			[[ $acked == "$host" ]] || fail "$EXIT_REFUSED" "acknowledged: ${acked@Q}"
			printf '%s %s %s\n' "$host" "${1%%@*}" "$act" >>"$STATE_DIRECTORY/switched"
		done
		for host in "${some[@]}"; do
			until [[ ! -e $STATE_DIRECTORY/hold-$host ]]; do limited 60 "a look" sleep 0.05; done
		done
		[[ $seconds == 0 ]] || limited 60 "a switch" sleep "$seconds"
		for host in "${some[@]}"; do
			if [[ $act == deploy && -e $STATE_DIRECTORY/fails-$host ]]; then
				step "host $host failed no space left"
				failed=$((failed + 1))
				continue
			fi
			printf '%s\n' "${1%%@*}" >"$STATE_DIRECTORY/runs-$host"
			step "host $host ok"
		done
		[[ $act == rollback ]] || ((failed <= WAVE_FAILURES_MAX)) || fail "$EXIT_REFUSED" "$failed hosts failed"
	done 9<"$hosts"
}
transport_ship() { hosts_switch "$1"; }
transport_rollback() { hosts_switch "$1"; }
"""


def own_build(folder):
    """The programs, beside a folder deploy whose hosts are files."""
    given = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build")
    folder.mkdir()
    for name in ("deploybot", "deploybot-runner"):
        shutil.copy(given / name, folder / name)
    (folder / "deploy" / "transports").mkdir(parents=True)
    for script in pathlib.Path(ROOT, "deploy").glob("*.sh"):
        (folder / "deploy" / script.name).symlink_to(script)
    (folder / "deploy" / "transports" / "local.sh").symlink_to(pathlib.Path(ROOT, "deploy", "transports", "local.sh"))
    (folder / "deploy" / "transports" / "ssh.sh").write_text(TRANSPORT, encoding="ascii")
    return folder


def settings_of(hosts, waves, **more):
    return {"STAGING_DEPLOY_TRANSPORT": "ssh", "STAGING_HOST": ",".join(hosts), "STAGING_WAVES": waves,
            "STAGING_COMPOSE_DIR": "/srv/app", "STAGING_PORT": None, "STAGING_HEALTH_URL": None, **more}


class Hosts:
    """What stands in the state folder of them."""

    def __init__(self, state):
        self.state = pathlib.Path(state)

    def mark(self, name):
        return self.state / name

    def publish(self, commit):
        """Nothing is built for them."""

    def runs(self, host):
        """The commit; empty where none came there yet."""
        path = self.mark(f"runs-{host}:22")
        return path.read_text(encoding="ascii").strip() if path.exists() else ""

    def switches(self, commit, act="deploy"):
        """Which hosts were brought to that commit, one for each time."""
        path = self.mark("switched")
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()] if path.exists() else []
        return [host for host, of, why in rows if (of, why) == (commit, act)]
