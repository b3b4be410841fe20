# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# main.sh - the last part: who works and who guards it, and the beginning of all.
# SPDX-License-Identifier: ISC

# shellcheck disable=SC2317 # a trap calls it
on_told() {
	told=yes
	if [[ -n $loose ]]; then
		kill -TERM "$loose" 2>/dev/null
		die 75 "was asked to stop"
	fi
}

# Whatever ended the worker: it leaves the host whole.
# shellcheck disable=SC2317 # a trap calls it
on_worker_exit() { # STATUS
	trap - EXIT
	trap '' TERM HUP INT
	told=no said=
	if [[ -n $started ]]; then
		stop_port "$started" || true # else the next act stops it
	fi
	if [[ $change == begun ]]; then
		take_back || true # what has become of it is in said
	fi
	[[ -z $why ]] || printf '%s%s\n' "$why" "$said" >&2
	exit "$1"
}

work() {
	exec 6<&-
	trap on_told TERM
	trap '' HUP INT PIPE
	trap 'on_worker_exit "$?"' EXIT
	case $act.$strategy in
	prepare.recreate) prepare_recreate ;;
	prepare.bluegreen) prepare_bluegreen ;;
	switch.recreate) switch_recreate ;;
	switch.bluegreen) switch_bluegreen ;;
	tidy.recreate) settle_recreate ;;
	tidy.bluegreen) tidy_bluegreen ;;
	clean.*) act_clean ;;
	esac
}

# Holds the lock; what a killed holder left of its secrets is removed.
take_lock() {
	local folder=
	exec 9<>.deploybot.lock || die 70 "$dir/.deploybot.lock cannot be written"
	flock -w "$lock" 9 || die 75 "something else is being released to $dir there"
	IFS= read -r folder <.deploybot.lock || true # empty before the first act
	case $folder in
	*..*) ;;
	/dev/shm/deploybot.???????? | "$dir"/.deploybot.????????) [[ ! -O $folder ]] || rm -rf -- "$folder" ;;
	esac
	# Made first, noted next, used then: who is killed between leaves an empty one.
	private=$(mktemp -d /dev/shm/deploybot.XXXXXXXX 2>/dev/null) || private=$(mktemp -d "$dir/.deploybot.XXXXXXXX") ||
		die 70 "no private folder can be made there, neither in /dev/shm nor in $dir: $(df -P . | tail -n 1)"
	printf '%s\n' "$private" >.deploybot.lock 2>/dev/null || true # a full disk
	mkfifo -- "$private/lives" || die 70 "$private cannot be written: $(df -P -- "$private" | tail -n 1)"
}

guard() {
	local worker watcher status=0
	take_lock
	# What the worker starts has 5 open: the end of 6 is everybody's end.
	exec 5<>"$private/lives"
	exec 6<"$private/lives"
	set -m # a process group of its own: what ends ours does not end it
	(work) </dev/null 3<&- &
	worker=$!
	set +m
	exec 5>&-
	trap 'kill -TERM "$worker" 2>/dev/null || true' TERM HUP INT # it may have ended, as the watcher below
	(
		trap - EXIT TERM HUP INT
		while IFS= read -r _; do :; done
		kill -TERM "$$"
	) <&3 >/dev/null 2>&1 3<&- 6<&- 9>&- &
	watcher=$!
	while :; do
		status=0
		wait "$worker" 2>/dev/null || status=$?
		kill -0 "$worker" 2>/dev/null || break # else it was our trap
	done
	trap '' TERM HUP INT PIPE
	kill "$watcher" 2>/dev/null || true
	read -r -t "$((UP_SECONDS + ASK_SECONDS))" _ <&6 || true # nobody writes there: the end, or out of time
	if ((status > 128)); then
		was_cut=yes
		why="its process there was killed"
		on_worker_killed
	fi
	exit "$status"
}

on_worker_killed() {
	status=70
	if [[ $act == switch && $strategy == recreate && -d .deploybot.before ]]; then
		take_back || true # what has become of it is in said
		why+=$said
	elif [[ $act != clean && $strategy == bluegreen ]]; then
		settle_bluegreen
		[[ -z $live ]] || why+="; port $live serves"
	fi
}

# shellcheck disable=SC2317 # a trap calls it
on_exit() { # STATUS
	trap - EXIT
	[[ -z $private ]] || rm -rf -- "$private"
	[[ -z $why ]] || printf '%s\n' "$why" >&2
	exit "$1"
}

main() { # ACT NAME=VALUE...
	local act=$1 word dir='' service='' strategy='' image='' release='' ports='' upstream='' drain=0 keep='' lines=0
	local before='' lock=30 missing=66 user='' password='' smoke_url='' reload_command='' host me port_a port_b
	local compose=() private=
	local why='' said='' loose='' told=no change='' started='' was_cut=no is_blind=no
	local environment='' former='' wanted='' live='' idle='' free_gigabytes=0
	shift
	trap 'on_exit "$?"' EXIT
	for word in "$@"; do
		case ${word%%=*} in
		environment | dir | service | strategy | image | release | ports) printf -v "${word%%=*}" %s "${word#*=}" ;;
		former | upstream | drain | keep | before | lines | lock | missing) printf -v "${word%%=*}" %s "${word#*=}" ;;
		*) die 64 "ssh-host/main.sh does not know $word" ;;
		esac
	done
	IFS= read -r user && IFS= read -r password && IFS= read -r smoke_url && IFS= read -r reload_command ||
		die 64 "ssh-host/main.sh got no settings"
	exec 3<&0 </dev/null
	PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin
	host=$(hostname 2>/dev/null) || host=$HOSTNAME
	me=$(id -un)
	port_a=${ports%%,*} port_b=${ports##*,}
	cd -- "$dir" 2>/dev/null ||
		die 70 "there is no folder $dir that $me may enter: make it (install -d -o $me $dir), with a compose file in it"
	find_compose
	case $act in
	check) act_check ;;
	current) act_current ;;
	logs) act_logs ;;
	prepare | switch | tidy | clean) guard ;;
	*) die 64 "ssh-host/main.sh does not know $act" ;;
	esac
	exit # here, while what the trap needs is there
}

main "$@"
