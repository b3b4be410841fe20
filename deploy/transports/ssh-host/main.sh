# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# main.sh - the last part: who works, and the beginning of all.
# SPDX-License-Identifier: ISC

# Whatever ended the worker: it leaves the host whole.
# shellcheck disable=SC2317 # a trap calls it
on_worker_exit() { # STATUS
	trap - EXIT
	trap '' TERM HUP INT
	told=no said=
	if [[ -n $started ]]; then
		stop_port "$started" || true # else the next act stops it
	fi
	if [[ -n $job_name ]]; then
		! end_container "$job_name" || said="; nothing of it runs there any more" # else what has become of it is there
	fi
	if [[ $change == begun ]]; then
		"take_back_$strategy" || true # what has become of it is in said
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
	if [[ $act.$release == switch.none ]]; then
		end_first
		exit
	fi
	[[ $act != @(start|switch) ]] || note_judged
	case $act.$strategy in
	pull.*) act_pull ;;
	start.bluegreen) start_bluegreen ;;
	switch.recreate) switch_recreate ;;
	switch.bluegreen) switch_bluegreen ;;
	tidy.bluegreen) tidy_bluegreen ;;
	clean.*) act_clean ;;
	drain.bluegreen) end_drain ;;
	job.*) run_job ;;
	await-migration.*) wait_for_migration ;;
	migrate.*) act_migrate ;;
	end-migration.*) end_container "$migration" || die 70 "what became of it is not known$said" ;;
	esac
}

# Fills patience.  Where something drains, whoever holds the lock may be stopping that.
lock_patience() {
	local most=300
	patience=$lock
	[[ $strategy == bluegreen && -e .deploybot.drain ]] || return 0
	patience=$(($(stop_grace) + 30))
	((patience <= most)) || patience=$most
	((patience >= lock)) || patience=$lock
}

on_worker_killed() {
	status=70
	if [[ $act == switch && $strategy == recreate && -d .deploybot.before ]]; then
		take_back_recreate || true # what has become of it is in said
		why+=$said
	elif [[ $act == migrate || $act == job ]]; then
		! end_container "${migration:-deploybot-job-$$}" || said="; nothing of it runs there any more"
		why+=$said
	elif [[ $strategy == bluegreen && ($act == switch || $settle == yes) ]]; then
		settle=yes
		reconcile_bluegreen
		[[ -z $live ]] || why+="; nginx leads to port $live"
		why+=$unrestored
	fi
	if [[ $act.$strategy == start.bluegreen ]]; then
		tidy_bluegreen
	fi
}

main() { # ACT NAME=VALUE...
	local act=$1 word dir='' service='' strategy='' image='' release='' ports='' upstream='' drain=0 keep='' lines=0
	local before='' lock=30 missing=66 user='' password='' smoke_url='' reload_command='' host me port_a port_b
	local compose=()
	local said='' untaken=no loose='' told=no change='' started='' was_cut=no is_blind=no
	local job=() job_name='' migration='' migrator='' seconds=0
	local project='' root='' surveyed='' now='' wanted_services='' others=() left='' names=() externals=''
	local unsure='' start_seconds=120 up_since=0 up_image='' source=host origin='' allow='' chosen='' file_text=''
	local compose_file='' the_file='' offered='' in_force='' named_file='' env_words=() from_folder=() with_release=''
	local frame='' settle=no renew=no judged='' paths=''
	local barrier=no unrestored='' run=''
	local -A field=() aside=()
	local environment='' former='' deployment='' served='' wanted='' live='' idle='' free_gigabytes=0
	shift
	trap 'on_exit "$?"' EXIT
	for word in "$@"; do
		case ${word%%=*} in
		environment | dir | service | strategy | image | release | ports) printf -v "${word%%=*}" %s "${word#*=}" ;;
		job) job+=("${word#*=}") ;;
		migration | migrator | seconds | run) printf -v "${word%%=*}" %s "${word#*=}" ;;
		project | root | source | origin | allow | judged) printf -v "${word%%=*}" %s "${word#*=}" ;;
		compose)
			compose=(docker-compose)
			[[ ${word#*=} == docker-compose ]] || compose=(docker compose)
			;;
		grace) take_grace "${word#*=}" ;;
		settle | renew | barrier | rollback) printf -v "${word%%=*}" %s "${word#*=}" ;;
		start) start_seconds=${word#*=} ;;
		file) chosen=${word#*=} ;;
		services) wanted_services=${word#*=} ;;
		others) IFS=, read -r -a others <<<"${word#*=}" ;;
		former | upstream | drain | deployment | keep | before | lines | lock | missing)
			printf -v "${word%%=*}" %s "${word#*=}"
			;;
		*) die 64 "ssh-host/main.sh does not know $word" ;;
		esac
	done
	IFS= read -r user && IFS= read -r password && IFS= read -r smoke_url && IFS= read -r reload_command &&
		IFS= read -r file_text && IFS= read -r paths ||
		die 64 "ssh-host/main.sh got no settings"
	! declare -F check_settings >/dev/null || check_settings # release-on-host.sh has it
	exec 3<&0 </dev/null
	PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin
	host=$HOSTNAME
	me=${USER:-$(id -un)}
	port_a=${ports%%,*} port_b=${ports##*,}
	cd -- "$dir" 2>/dev/null ||
		die 70 "there is no folder $dir that $me may enter: make it (install -d -o $me $dir), with a compose file in it"
	[[ $act != switch ]] || settle=yes # it is behind `==> release`
	# Else preflight has, as below; that finds out by using it (read_compose).
	[[ $act != check ]] || compose=(docker compose)
	((${#compose[@]} > 0)) || find_compose
	find_file
	[[ -n $project || $act == @(clean|check|drain|paths) ]] || find_services
	case $act in
	check) act_check ;;
	logs) act_logs ;;
	drain) act_drain ;;
	config) act_config ;;
	paths) check_paths ;;
	pull | start | switch | tidy | clean | job | await-migration | migrate | end-migration) guard ;;
	*) die 64 "ssh-host/main.sh does not know $act" ;;
	esac
	exit # here, while what the trap needs is there
}

main "$@"
