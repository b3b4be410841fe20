# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# main.sh - the last part: who works, and the beginning of all.
# SPDX-License-Identifier: ISC

# Whatever ended the worker: it leaves the host whole.
# shellcheck disable=SC2317 # a trap calls it
on_worker_exit() { # STATUS
	trap - EXIT
	trap '' TERM HUP INT
	told=no said=
	[[ $works == no ]] || stop_work
	if [[ $change == begun ]]; then
		take_back || true # what has become of it is in said
	fi
	name_not_begun
	[[ -z $why ]] || printf '%s%s\n' "$why" "$said" >&2
	exit "$1"
}

work() {
	exec 6<&-
	trap on_told TERM
	trap '' HUP INT PIPE
	trap 'on_worker_exit "$?"' EXIT
	case $act in
	find) act_find ;;
	switch) if [[ $release == none ]]; then end_first; else act_switch; fi ;;
	clean) act_clean ;;
	job) act_job ;;
	await-migration) await_work ;;
	migrate) act_migrate ;;
	end-migration) end_work || die 70 "the migration is at work still" ;;
	esac
}

lock_patience() {
	patience=$lock
}

on_worker_killed() {
	status=70
	if [[ $act == switch && -d .deploybot.before ]]; then
		take_back || true # what has become of it is in said
		why+=$said
	elif [[ -p $private/work ]]; then # it has begun
		stop_work
		why+=$said
	fi
}

main() { # ACT NAME=VALUE...
	local act=$1 word dir='' environment='' units=() scope='' steady='' release='' name='' before='' size=0 keep=''
	local count=5 lines=0 lock=30 missing=64 seconds=0 job=() smoke_url='' host me manager=() become=()
	local said='' migrates=no works=no loose='' told=no change='' was_cut=no barrier=no run=''
	local -A field=()
	shift
	trap 'on_exit "$?"' EXIT
	for word in "$@"; do
		case ${word%%=*} in
		dir | environment | scope | steady | release | name | before | size) printf -v "${word%%=*}" %s "${word#*=}" ;;
		barrier | rollback | run | keep | count | lines | lock | missing | seconds | migrates)
			printf -v "${word%%=*}" %s "${word#*=}"
			;;
		units) IFS=, read -r -a units <<<"${word#*=}" ;;
		job) job+=("${word#*=}") ;;
		*) die 64 "systemd-host/main.sh does not know $word" ;;
		esac
	done
	[[ -n $environment && -n $dir && -n ${units[*]-} && -n $scope && -n $steady ]] ||
		die 64 "systemd-host/main.sh was not sent all of ssh_common"
	IFS= read -r smoke_url || die 64 "systemd-host/main.sh got no settings"
	exec 3<&0 </dev/null
	PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin
	host=$(hostname 2>/dev/null) || host=$HOSTNAME
	me=$(id -un)
	if [[ $scope == user ]]; then
		export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$EUID}
		manager=(--user)
	elif [[ $me != root ]]; then
		become=(sudo -n --)
	fi
	cd -- "$dir" 2>/dev/null || die 70 "there is no folder $dir that $me may enter: make it (install -d -o $me $dir)"
	case $act in
	check) act_check ;;
	current) act_current ;;
	logs) act_logs ;;
	receive) act_receive ;;
	find | switch | clean | job | await-migration | migrate | end-migration) guard ;;
	*) die 64 "systemd-host/main.sh does not know $act" ;;
	esac
	exit # here, while what the trap needs is there
}

main "$@"
