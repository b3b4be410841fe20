#!/bin/bash
# local.sh deploy|rollback ENV RELEASE - one machine, no docker: a folder for each release, one process.
# SPDX-License-Identifier: ISC
#   STATE_DIRECTORY/apps/ENV/releases/<deployment>-<commit>/   what git has at that commit, and what the build made
#   …/releases/<deployment>-<commit>.built                     its build was done: it can be gone back to
#   …/current → releases/…     …/app.pid (pid, start time, boot id)     …/app.log (and app.log.1)
# The application: .deploybot/build (may be missing) and .deploybot/run (stays in the foreground; gets PORT, COMMIT,
# ENVIRONMENT).  It has a session of its own and outlives deploybot.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}/.." && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"

readonly KEEP=5 STOP_SECONDS=10 LOG_MAX=10485760

# Start time of a process in clock ticks after boot; fails when there is none, or a dead one.
start_of() { # PID
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
	read -r -a stat <<<"${stat##*) }"
	[[ ${stat[0]} != [ZX] ]] || return
	printf '%s' "${stat[19]}"
}

boot_of() {
	cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo -
}

# The application's pid, if app.pid names a process that is the same one.
running_pid() {
	local pid start boot
	{ read -r pid start boot <"$app/app.pid"; } 2>/dev/null || return
	[[ $pid =~ ^[1-9][0-9]*$ && $boot == "$(boot_of)" && $(start_of "$pid") == "$start" ]] || return
	printf '%s' "$pid"
}

# Has the process group a member that is not dead?
group_lives() { # PGID
	local file stat
	for file in /proc/[0-9]*/stat; do
		{ read -r stat <"$file"; } 2>/dev/null || continue
		read -r -a stat <<<"${stat##*) }"
		# shellcheck disable=SC2128 # read -a has made it an array
		if [[ ${stat[2]} == "$1" && ${stat[0]} != [ZX] ]]; then
			return 0
		fi
	done
	return 1
}

stop_app() {
	local pid i
	pid=$(running_pid) || return 0
	kill -TERM -- "-$pid" 2>/dev/null || return 0
	for ((i = 0; i < STOP_SECONDS * 20; i++)); do
		group_lives "$pid" || return 0
		sleep 0.05
	done
	kill -KILL -- "-$pid" 2>/dev/null || true
	for ((i = 0; i < 100; i++)); do
		group_lives "$pid" || return 0
		sleep 0.05
	done
	fail "$EXIT_REFUSED" "the old process $pid cannot be stopped"
}

# Writes down who it is before it becomes the application; RUN_ID goes last, so that at every moment either the
# runner or app.pid can find it.
# shellcheck disable=SC2016 # the shell that is started expands it
readonly LAUNCH='
	read -r stat </proc/self/stat; stat=${stat##*) }; set -- $stat
	printf "%s %s %s\n" "$$" "${20}" "$BOOT" >"$PID_FILE.new" && mv -f -- "$PID_FILE.new" "$PID_FILE" || exit 71
	exec env -u RUN_ID -u BOOT -u PID_FILE -u PWD -u OLDPWD -u SHLVL -u _ ./.deploybot/run'

start_app() { # FOLDER COMMIT
	local log=$app/app.log child i
	if [[ -e $log && $(stat -c %s "$log") -gt $LOG_MAX ]]; then
		mv -f -- "$log" "$log.1"
	fi
	rm -f -- "$app/app.pid"
	(
		cd -- "$1"
		exec env -i --default-signal PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 PORT="$port" COMMIT="$2" \
			ENVIRONMENT="$environment" RUN_ID="${RUN_ID:-}" BOOT="$(boot_of)" PID_FILE="$app/app.pid" \
			setsid bash -c "$LAUNCH"
	) </dev/null >>"$log" 2>&1 8>&- 9>&- &
	child=$!
	for ((i = 0; i < 20; i++)); do
		if [[ -e $app/app.pid ]] && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			break
		fi
		start_of "$child" >/dev/null || break
		sleep 0.05
	done
	if ! running_pid >/dev/null; then
		tail -n 20 -- "$log"
		fail "$EXIT_REFUSED" "the application ended as soon as it was started"
	fi
	disown "$child"
}

# Atomically: there is always one, the old or the new.
switch_to() { # FOLDER
	ln -sfn -- "releases/${1##*/}" "$app/current.new"
	mv -Tf -- "$app/current.new" "$app/current"
}

# The newest release of a commit that was built and is still there.
folder_of() { # COMMIT
	local built
	while IFS= read -r built; do
		[[ -d ${built%.built} ]] || continue
		printf '%s' "${built%.built}"
		return 0
	done < <(printf '%s\n' "$app/releases"/*-"$1"*.built | sort -V -r)
	return 1
}

# Five of the newest stay; what is live and what was live before always does.
remove_old() { # CURRENT PREVIOUS
	local folder kept=0
	while IFS= read -r folder; do
		[[ -d $folder ]] || continue
		if ((++kept <= KEEP)) || [[ $folder == "$1" || $folder == "$2" ]]; then
			continue
		fi
		rm -rf -- "$folder.built" "$folder"
	done < <(find "$app/releases" -mindepth 1 -maxdepth 1 -type d | sort -V -r)
}

check_out() { # FOLDER COMMIT
	rm -rf -- "$1.built" "$1"
	mkdir -- "$1"
	GIT_INDEX_FILE=$1.index in_mirror --work-tree="$1" read-tree "$2"
	GIT_INDEX_FILE=$1.index in_mirror --work-tree="$1" checkout-index --all --force
	rm -f -- "$1.index"
}

build() { # FOLDER COMMIT
	local recipe=$1/.deploybot/build
	[[ -f $1/.deploybot/run && -x $1/.deploybot/run ]] ||
		fail "$EXIT_BUILD" "the repository has no executable .deploybot/run at ${2:0:12}"
	[[ -e $recipe ]] || return 0
	[[ -x $recipe ]] || fail "$EXIT_BUILD" ".deploybot/build is not executable"
	(cd -- "$1" && exec env -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 RUN_ID="${RUN_ID:-}" COMMIT="$2" \
		ENVIRONMENT="$environment" PORT="$port" ./.deploybot/build 8>&- 9>&-) ||
		fail "$EXIT_BUILD" ".deploybot/build failed with status $?"
}

deploy() { # COMMIT
	local commit folder previous=
	step checkout
	git_setup "$here"
	if ! commit=$(mirror_commit "$1"); then
		mirror_update || fail "$EXIT_UNREACHABLE" "the repository cannot be fetched"
		commit=$(mirror_commit "$1") || fail "$EXIT_INPUT" "no such commit in the repository: $1"
	fi
	folder=$app/releases/$DEPLOYMENT_ID-$commit
	[[ $(readlink -- "$app/current" || true) != "releases/${folder##*/}" ]] ||
		fail "$EXIT_INPUT" "deployment $DEPLOYMENT_ID is live already"
	check_out "$folder" "$commit"
	step build
	build "$folder" "$commit"
	sync -f -- "$folder" # what is said to be built is there after a power cut too
	: >"$folder.built"
	if [[ -n $PREVIOUS_RELEASE ]] && ! previous=$(folder_of "${PREVIOUS_RELEASE%%@*}"); then
		step no-rollback
		echo "the release that is live, ${PREVIOUS_RELEASE:0:12}, is not kept here any more"
	fi
	step release
	stop_app
	start_app "$folder" "$commit"
	switch_to "$folder"
	remove_old "$folder" "$previous"
}

rollback() { # COMMIT
	local folder commit
	folder=$(folder_of "$1") || fail "$EXIT_INPUT" "the release ${1:0:12} is not kept here any more"
	commit=${folder##*-}
	step release
	stop_app
	start_app "$folder" "$commit"
	switch_to "$folder"
}

[[ $# -eq 3 ]] || fail "$EXIT_INPUT" "usage: local.sh deploy|rollback ENV RELEASE"
environment=$2
check_environment "$environment"
check_release "$3"
port=$(setting_of "$environment" PORT)
if [[ ! $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
	name=${environment^^}
	fail "$EXIT_INPUT" "the transport local needs ${name//-/_}_PORT: where the application is to listen"
fi
umask 077
HOME=${HOME:-/}
app=${STATE_DIRECTORY:=/var/lib/deploybot}/apps/$environment
mkdir -p -- "$app/releases" || fail "$EXIT_CONFIG" "$app cannot be made"
exec 8>"$app/lock"
flock -n 8 || fail "$EXIT_BUSY" "something else is being released to $environment"
case $1 in
deploy) deploy "${3%%@*}" ;;
rollback) rollback "${3%%@*}" ;;
*) fail "$EXIT_INPUT" "neither deploy nor rollback: $1" ;;
esac
