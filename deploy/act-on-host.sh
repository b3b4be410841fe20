#!/bin/bash
# act-on-host.sh ACTION [NAME=VALUE...] - does an action to the machine that it runs on.
# SPDX-License-Identifier: ISC
# act-on.sh runs it here, or brings it to a host over ssh's stdin (bash -s).  On a host it may be installed as well, root's,
# as the only command of the key:
#   restrict,command="/usr/local/lib/deploybot/act-on-host.sh --only restart-web unit=web.service disk-free" ssh-…
# Then what comes over stdin is not read, and only the actions named there are done, with what stands there behind each.
#   unit=UNIT    a unit of systemd, or with dir=FOLDER a service of the compose file there
#   watch=yes    stdin's end says that nobody waits any more: a program that may be stopped is
#   sudo=yes     systemctl is asked through sudo -n: what sudoers has to allow stands in docs/actions.md
#   run=WORD...  what reload-nginx and clear-cache run
# The last line says how it went.  Exit status: 0, 64 a wrong word, 70 it failed.
set -euo pipefail

readonly ASK_SECONDS=30
readonly CONTAINER='{{.State.Status}} {{index .Config.Labels "com.docker.compose.project"}} '\
'{{index .Config.Labels "com.docker.compose.project.working_dir"}}'

die() { # STATUS TEXT
	printf '%s\n' "$2" >&2
	exit "$1"
}

is_word() { # TEXT: no shell makes anything of it
	[[ $1 =~ ^[A-Za-z0-9._/:@=,+-]+$ ]]
}

# Of what ssh was asked for: an action that the key's line lists, with the very words that stand there behind it.
read_forced() { # ALLOWED...
	local asked allowed word found=no is_mine=no own='' theirs=''
	[[ ${SSH_ORIGINAL_COMMAND:-} == *' -s -- '* ]] || die 64 "this key is for actions of deploybot alone"
	read -r -a asked <<<"${SSH_ORIGINAL_COMMAND#* -s -- }"
	for allowed in "$@"; do
		if [[ $allowed != *=* ]]; then
			is_mine=no
			[[ $allowed != "${asked[0]:-}" ]] || is_mine=yes found=yes
		elif [[ $is_mine == yes ]]; then
			own+=" $allowed"
		fi
	done
	[[ $found == yes ]] || die 64 "this key may not do ${asked[0]:-nothing}"
	for word in "${asked[@]:1}"; do
		[[ $word == @(sudo|watch)=yes ]] || theirs+=" $word"
	done
	[[ $theirs == "$own" ]] || die 64 "this key may do ${asked[0]}$own alone, not ${asked[0]}$theirs"
	words=("${asked[@]}")
}

read_words() { # WORD...
	local word
	unit='' dir='' sudo=no watch=no run=()
	action=${1:-}
	for word in "${@:2}"; do
		is_word "$word" || die 64 "no plain word: ${word@Q}"
		case $word in
		unit=*) unit=${word#*=} ;;
		dir=*) dir=${word#*=} ;;
		sudo=*) sudo=${word#*=} ;;
		watch=*) watch=${word#*=} ;;
		run=*) run+=("${word#*=}") ;;
		*) die 64 "no such word: ${word@Q}" ;;
		esac
	done
}

need() { # NAME
	[[ -n ${!1} ]] || die 64 "$action needs $1="
}

system() { # WORD...
	local words=(systemctl --no-ask-password --no-pager "$@")
	[[ $sudo != yes || $EUID == 0 ]] || words=(sudo -n -- "${words[@]}")
	"${words[@]}"
}

# ---- a service of a compose file ---------------------------------------------------------------------

# As ssh-host/containers.sh of the ssh transport has it, whose host this is.
find_compose() {
	if timeout "$ASK_SECONDS" docker compose version </dev/null >/dev/null 2>&1; then
		compose=(docker compose)
	elif command -v docker-compose >/dev/null; then
		compose=(docker-compose)
	else
		die 70 'neither "docker compose" nor docker-compose is there (Debian: apt-get install docker-compose)'
	fi
}

# Fills found with lines STATE PROJECT FOLDER, of each container of the service that was made in the folder, which is ours
# from here on.  docker says it, as ps of docker-compose 1.29 knows no --format.
find_containers() {
	local ids lines line
	[[ $unit != -* ]] || die 64 "no service's name: $unit"
	cd -- "$dir" || die 70 "$unit: there is no folder $dir"
	ids=$(timeout "$ASK_SECONDS" docker ps -a -q --no-trunc --filter "label=com.docker.compose.service=$unit" \
		--filter label=com.docker.compose.oneoff=False </dev/null) || die 70 "$unit: docker does not say what runs"
	found=()
	[[ -n $ids ]] || return 0
	# shellcheck disable=SC2086 # ids have no blanks
	lines=$(timeout "$ASK_SECONDS" docker inspect --format "$CONTAINER" $ids </dev/null) ||
		die 70 "$unit: docker does not say what runs"
	while IFS= read -r line; do
		[[ ! ${line#* * } -ef . ]] || found+=("$line")
	done <<<"$lines"
}

# Fills port and project with those of what serves; empty where that is the folder's own project.  With bluegreen it is the
# one of the port that nginx has surely read, or that the last switch has noted.
find_project() {
	local line projects=' '
	for line in ${found[@]+"${found[@]}"}; do
		line=${line#* }
		projects+="${line%% *} "
	done
	for port in "$(sed -n 2p .deploybot.nginx 2>/dev/null)" \
		"$(sed -n 's/^[[:space:]]*DEPLOY_PORT=//p' .env 2>/dev/null | tail -n 1)"; do
		[[ $port =~ ^[0-9]+$ && $projects =~ \ ([a-z0-9_-]+-$port)\  ]] || continue
		project=${BASH_REMATCH[1]}
		return 0
	done
	port='' project=''
}

compose_status() {
	local line state='' its_project found port project
	find_containers
	find_project
	for line in ${found[@]+"${found[@]}"}; do
		its_project=${line#* }
		[[ ${its_project%% *} == "${project:-${its_project%% *}}" && $state != running ]] || continue
		state=${line%% *}
	done
	[[ $state == running ]] || die 70 "$unit is not running: ${state:-there is no container}"
	echo "$unit is running${port:+ on port $port}"
}

compose_restart() {
	local compose found port project words=() lock=$dir/.deploybot.lock
	# Of a release to that folder, whose user we may be: nothing is restarted in the middle of one.
	if [[ -w $lock ]]; then
		exec 9<>"$lock"
		flock -n 9 || die 70 "$unit: something is being released to $dir: try again when that has ended"
	fi
	find_containers
	find_project
	find_compose
	[[ -z $project ]] || words=(-p "$project")
	env ${port:+"DEPLOY_PORT=$port"} "${compose[@]}" ${words[@]+"${words[@]}"} restart "$unit" </dev/null ||
		die 70 "$unit could not be restarted"
}

# ---- what is done ------------------------------------------------------------------------------------

service_status() {
	local state
	if [[ -n $dir ]]; then
		compose_status
		return 0
	fi
	# No sudo: anybody may ask.
	state=$(timeout "$ASK_SECONDS" systemctl --no-pager show -p ActiveState -p SubState --value -- "$unit") ||
		die 70 "$unit: systemd does not say"
	state=${state//$'\n'/ }
	[[ $state == 'active '* ]] || die 70 "$unit is not running: ${state:-unknown}"
	echo "$unit is running ($state)"
}

restart_web() {
	if [[ -n $dir ]]; then
		compose_restart
	else
		system restart -- "$unit" || die 70 "$unit could not be restarted"
	fi
	service_status
}

disk_free() {
	local fullest
	timeout "$ASK_SECONDS" df -h -l -x tmpfs -x devtmpfs -x overlay -x squashfs
	fullest=$(timeout "$ASK_SECONDS" df -l -x tmpfs -x devtmpfs -x overlay -x squashfs --output=pcent,target | tail -n +2 |
		sort -n | tail -n 1)
	read -r pcent where <<<"$fullest" || die 70 "df names no disk"
	echo "the fullest disk is $where: $pcent"
}

# In a process group of its own, which ends with those who sent us.
watched() { # CMD...
	local child watcher status=0
	exec 3<&0
	set -m
	"$@" </dev/null 3<&- &
	child=$!
	set +m
	{
		cat <&3 >/dev/null
		kill -TERM -- "-$child" && sleep 10 && kill -KILL -- "-$child"
	} >/dev/null 2>&1 &
	watcher=$!
	wait "$child" || status=$?
	kill "$watcher" 2>/dev/null || true
	((status == 0)) || die 70 "$action: $1 ended with status $status"
}

run_words() {
	((${#run[@]} > 0)) || die 64 "$action needs run="
	if [[ $watch == yes && $action == clear-cache ]]; then
		watched "${run[@]}"
	else
		"${run[@]}" </dev/null || die 70 "$action: ${run[0]} ended with status $?"
	fi
	echo "$action: done"
}

main() {
	words=("$@")
	if [[ ${1:-} == --only ]]; then
		shift
		read_forced "$@"
	fi
	read_words "${words[@]}"
	case $action in
	service-status) need unit && service_status ;;
	restart-web) need unit && restart_web ;;
	disk-free) disk_free ;;
	reload-nginx | clear-cache) run_words ;;
	*) die 64 "no such action: ${action@Q}" ;;
	esac
}

main "$@"; exit # what stdin has behind this is not ours
