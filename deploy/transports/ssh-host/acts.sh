# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# acts.sh - what only looks, pulls or cleans up: is all there, what runs, what it says, which images may go.
# SPDX-License-Identifier: ISC

act_check() {
	local words version port
	ask_aside info "${engine[@]}" info --format '{{.ServerVersion}}|{{.DockerRootDir}}'
	ask_aside survey ask_docker "$SURVEY" label=com.docker.compose.oneoff=False
	# What came from a repository is looked at before compose reads it.
	is_of_repository || ask_aside config compose_config
	find_version
	command -v flock >/dev/null || die 70 "the program flock is missing there (Debian: apt-get install util-linux)"
	[[ -w . && -x . ]] || die 70 "$me may not write $dir: chown $me it"
	[[ ! -e .env || (-r .env && -w .env) ]] || die 70 "$me may not write $dir/.env: chown $me it"
	check_compose
	check_disk
	if [[ $strategy == bluegreen ]]; then
		check_nginx
	fi
	say "docker $version, ${compose[*]}, $free_gigabytes GB are free"
	name_boot
	name_tools
	name_current
	name_interrupted
	name_edited
}

# For ssh.sh: which start of this machine it is.
name_boot() {
	local boot
	read_file boot /proc/sys/kernel/random/boot_id
	[[ ! $boot =~ ^[0-9a-f-]{36}$ ]] || printf 'boot %s\n' "$boot"
}

# Fills version, the engine's, and root, its folder.
find_version() {
	if answer_of info && [[ $words =~ ^([0-9][^|]*)\|(.*)$ ]]; then
		version=${BASH_REMATCH[1]} root=${BASH_REMATCH[2]}
		return 0
	fi
	words=$(ask_version 2>&1) || {
		case $words in
		*'permission denied'*) die 70 "$me may not use docker there: usermod -aG docker $me" ;;
		esac
		die 69 "docker does not answer: $(last_line "$words")"
	}
	version=${words% *}
}

ask_version() {
	"${engine[@]}" version --format '{{.Server.Version}} {{.Server.APIVersion}}'
}

# For ssh.sh, which tells it to the acts that come: they need not ask again.
name_tools() {
	[[ $root =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || root=
	printf 'tools %s %s\n' "${compose[0]}" "$root"
}

# docker-compose 1 takes an engine's answer apart that engines of API 1.45 (Docker 26) do not give any more: it creates
# containers, but replacing one ends with ContainerConfig, behind stopping it.
check_versions() {
	local api minor
	[[ ${compose[0]} == docker-compose ]] && api=$(ask_version) || return 0
	api=${api##* } minor=${api##*1.}
	[[ $api == 1.+([0-9]) ]] && ((minor >= 45)) && is_old_compose || return 0
	die 70 "docker-compose $compose_version cannot replace a container of docker $version (API $api): it would stop the \
service and end with ContainerConfig: install Compose 2 (Debian 13: apt-get install docker-compose; else docker-compose-plugin)"
}

# What is slow and touches nothing that serves.
act_pull() {
	keep_file
	keep_before
	pull
}

# What compose makes of the file tells more than the file.
check_compose() {
	if [[ -z $chosen ]] && ! has_file; then
		if [[ $source == repo ]]; then
			find_compose
			say "no release has brought its compose file here yet: it is looked at when one does"
			return 0
		fi
		die 70 "there is no compose file in $dir: put docker-compose.yml there (docs/deploy-scripts.md has one)"
	fi
	find_services
	check_versions
	survey
	check_services
	name_services
	name_grace
	name_drifted
	name_stopped
	name_unstarted
	[[ -z $chosen ]] || printf 'file %s\n' "$chosen"
	! is_of_repository || say "$the_file, sha256 ${compose_file:19:12}"
	name_strangers
	name_left_over
	name_on_ports
	check_ports
	[[ -z $migrator ]] || check_migrator
}

check_migrator() {
	[[ " ${names[*]} " == *" $migrator "* ]] ||
		die 70 "$the_file has no service $migrator: correct MIGRATE_SERVICE"
	# shellcheck disable=SC2016 # as it stands in the compose file
	[[ ${field[$migrator.image]:-} == "$PROBE_IMAGE" ]] ||
		die 70 "$the_file, service $migrator: it would not migrate with the new image: \
write image: "'${DEPLOY_IMAGE}'", or correct MIGRATE_SERVICE"
	name_migration
	name_local
}

# File systems, and volumes, that other hosts have too.
readonly REMOTE_KINDS='@(nfs|cifs|smb|ceph|fuse|lustre|gpfs|gfs|ocfs|afs|9p|v9fs)*'

# Lines `local PATH` for ssh.sh: what the migration may write that is this host's alone.
name_local() {
	local source kind
	while IFS= read -r source; do
		[[ -n $source ]] || continue
		if [[ $source == /* ]]; then
			kind=$(stat -f -c %T -- "$source" 2>/dev/null) || kind= # docker makes it, there
			# shellcheck disable=SC2053 # a pattern
			[[ ! -S $source && $kind != $REMOTE_KINDS ]] || continue
		else
			is_local_volume "$source" || continue
		fi
		printf 'local %s\n' "$source"
	done <<<"${field[$migrator.written]:-}"
}

# One that compose does not make is asked about.
is_local_volume() { # NAME
	local driver=${field[volume/$1.driver]:-local} type=${field[volume/$1.type]:-}
	[[ $externals != *" $1 "* ]] || read -r driver type < <("${engine[@]}" volume inspect --format \
		'{{.Driver}} {{index .Options "type"}}' "${field[volume/$1.name]:-$1}" 2>/dev/null) || return 1
	# shellcheck disable=SC2053 # a pattern, as above
	[[ $driver == local && $type != $REMOTE_KINDS ]]
}

# A line `migrating` for ssh.sh.
name_migration() {
	local left
	[[ -n $migration ]] || return 0
	left=$(left_container "$migration") || no_answer "nothing was changed there"
	[[ -z $left ]] || printf 'migrating\n'
}

check_nginx() {
	[[ -w ${upstream%/*} ]] ||
		die 70 "$me may not write the folder ${upstream%/*} (NGINX_UPSTREAM_FILE): install -d -o $me ${upstream%/*}"
	[[ -e $upstream ]] ||
		die 70 "there is no $upstream: make it with the line \"server 127.0.0.1:$port_a;\", include it in nginx's upstream"
	check_owner
	[[ -n $(live_port) ]] || die 70 "$upstream says neither server 127.0.0.1:$port_a; nor server 127.0.0.1:$port_b; (APP_PORTS)"
	# shellcheck disable=SC2086 # its words were checked by ssh.sh
	set -- $reload_command
	if [[ $1 == sudo ]]; then
		command -v sudo >/dev/null || die 70 "the program sudo is missing there (NGINX_RELOAD_COMMAND)"
		shift
		while [[ ${1:-} == -* ]]; do
			shift
		done
		sudo -n -l -- "$@" >/dev/null 2>&1 ||
			die 70 "$me may not run \"$*\" by sudo: visudo -f /etc/sudoers.d/deploybot, and write there: \
$me ALL=(root) NOPASSWD: $(command -v -- "$1" || printf '%s' "$1") ${*:2}"
	else
		command -v -- "$1" >/dev/null || die 70 "the program $1 is missing there (NGINX_RELOAD_COMMAND)"
	fi
}

# What a release replaces together runs one image, or somebody has changed one of them by hand; what the main service runs
# is compared with other hosts by ssh.sh.
name_drifted() {
	local mine='' image_now name of image_of_it line
	read -r _ mine _ _ _ _ _ image_now _ <<<"$now" # nothing may run, here and below
	for name in ${others[@]+"${others[@]}"}; do
		find_surveyed "$project" "$name"
		read -r _ of _ _ _ _ _ image_of_it _ <<<"$line"
		[[ -z $mine || -z $of || $of == "$mine" ]] || say "warning: $name runs $image_of_it, and $service $image_now"
	done
}

# Lines `stopped SERVICE` for ssh.sh: what somebody has stopped, in an incident or as a standby, runs again behind a release.
# One that ends by itself is not meant.
name_stopped() {
	local name line its_project state part is
	for name in ${others[@]+"${others[@]}"}; do
		[[ ${field[$name.restart]:-} == @(always|unless-stopped) ]] || continue
		is=
		while IFS='|' read -r line its_project _; do
			read -r _ _ state _ _ _ _ _ part <<<"$line"
			[[ $its_project == "$project" && $part == "$name" ]] || continue
			is+=" $state"
		done <<<"$surveyed"
		[[ -z $is || -n ${is// exited/} ]] || printf 'stopped %s\n' "$name"
	done
}

# Lines `unstarted SERVICE` for ssh.sh: those of other images, which no release starts, and that do not run; `unset` where
# compose does not know yet what DEPLOY_IMAGE is, and `named FILE` where .env names another file.  One that has done
# its work, or is not to be started by itself, is not meant.
name_unstarted() {
	local name line its_project state code part is_there
	for name in "${names[@]}"; do
		[[ ${field[$name.image]:-} != "$PROBE_IMAGE" && -z ${field[$name.profiles]+is} && ${field[$name.restart]:-} != no &&
			${field[$name.scale]:-} != 0 ]] || continue
		is_there=no
		while IFS='|' read -r line its_project _; do
			read -r _ _ state _ _ code _ _ part <<<"$line"
			[[ $its_project == "$project" && $part == "$name" ]] || continue
			! is_up "$state" && [[ $state.$code != exited.0 ]] || is_there=yes
		done <<<"$surveyed"
		[[ $is_there == yes ]] || printf 'unstarted %s%s\n' "$name" "$(login_of "${field[$name.image]:-}")"
	done
	grep -qs '^DEPLOY_IMAGE=' .env || printf 'unset\n'
	[[ -z $compose_file || $compose_file == "$named_file" || ${#from_folder[@]} -gt 0 ]] || printf 'named %s\n' "$compose_file"
}

# Prints " HOST" where an image is to be pulled first from a registry that may want a login, which nobody has there: ours is
# for the pull of a release alone.  Docker Hub's own images want none.
login_of() { # IMAGE
	local registry=${1%%/*} id logins=''
	[[ $1 == */* ]] && ! image_id id "$1" || return 0
	[[ $registry == *[.:]* || $registry == localhost ]] || registry=docker.io
	[[ $1 != docker.io/library/* ]] || return 0
	read_file logins "${DOCKER_CONFIG:-${HOME:-}/.docker}/config.json"
	[[ $logins == *"\"$registry\""* || ($registry == docker.io && $logins == *'"https://index.docker.io/'*) ]] ||
		printf ' %s' "$registry"
}

# Lines `stays-old SERVICE IMAGE` for ssh.sh: what runs our image here too, by another name or from another file, and no
# release replaces it.  What is left alone on purpose is not meant.
name_strangers() {
	local mine name state id of line its_project found=''
	read -r _ mine _ <<<"$now" # nothing may run
	while IFS='|' read -r line its_project _; do
		read -r _ id state _ _ _ _ of name <<<"$line"
		is_up "$state" && [[ $its_project == "$project" && $name != "$service" ]] || continue
		[[ ${field[$name.image]:-} != "$PROBE_IMAGE" ]] || continue
		[[ $id == "${mine:-none}" || $of == "$image" || $of == "$image"[:@]* ]] || continue
		found+="stays-old $name $of"$'\n'
	done <<<"$surveyed"
	[[ -z $found ]] || printf '%s' "$found" | LC_ALL=C sort -u
}

# Lines `left-over CONTAINER IMAGE`: what runs of a project of this folder that has another name now, the release's image or
# a service of its file.  Another environment's folder below it is not meant.  Beside what has a port of ours no release
# could start.
name_left_over() {
	local line its_project ports port folder state of container name ours=" $project " root taken='' found=''
	root=$(pwd -P)
	for name in "$service" ${others[@]+"${others[@]}"}; do
		taken+="${field[$name.fixed]:-} "
	done
	[[ $strategy != bluegreen ]] || ours+="$(project_of "$port_a") $(project_of "$port_b") "
	while IFS='|' read -r line its_project ports _ folder; do
		read -r _ _ state _ _ _ container of name <<<"$line"
		is_up "$state" && [[ $ours != *" $its_project "* ]] || continue
		[[ $folder -ef . || (($folder == "$dir"/* || $folder == "$root"/*) && ! -e $folder/.deploybot.lock) ]] || continue
		[[ $of == "$image" || $of == "$image"[:@]* || " ${names[*]} " == *" $name "* ]] || continue
		for port in $ports; do
			[[ $taken != *" $port "* ]] ||
				die 70 "${container#/} of the former compose project $its_project has port $port: set \
COMPOSE_PROJECT_NAME=$its_project in $dir/.env, or end it there (docker rm -f ${container#/})"
		done
		found+="left-over ${container#/} $of"$'\n'
	done <<<"$surveyed"
	[[ -z $found ]] || printf '%s' "$found" | LC_ALL=C sort -u
}

# Lines `holds CONTAINER PORT`: what was started without a port in its project's name has one of ours; and `beside CONTAINER`:
# what was started for a release, and no switch has come.  Whoever has the lock is at it.  Where the next one would start on that
# port behind a migration, it is to fail before that.
name_on_ports() {
	local line its_project ports port state container name beside='' idle held=''
	[[ $strategy == bluegreen ]] || return 0
	port=$(live_port)
	idle=$(other_port "${port:-$port_b}")
	if [[ -n $port ]] && ! has_served "$(other_port "$port")" && ! is_interrupted &&
		{ [[ ! -e .deploybot.lock ]] || flock -s -n .deploybot.lock true; }; then
		beside=$(project_of "$(other_port "$port")")
	fi
	while IFS='|' read -r line its_project ports _; do
		read -r _ _ state _ _ _ container _ name <<<"$line"
		is_up "$state" && [[ $name == "$service" ]] || continue
		[[ $its_project != "$beside" ]] || printf 'beside %s\n' "${container#/}"
		for port in $ports; do
			[[ $its_project == "$project" && ($port == "$port_a" || $port == "$port_b") ]] || continue
			printf 'holds %s %s\n' "${container#/}" "$port"
			[[ $port != "$idle" ]] || held=${container#/}
		done
	done <<<"$surveyed"
	[[ -z $held || -z $migrator || $rollback == yes ]] || die 70 "port $idle, where the new release would start behind its \
migration, is that of $held, which no release has started: when nobody is to be rolled back to it, end it there (docker \
rm -f $held)"
}

# Fills surveyed, a line (SURVEY) for each container that compose keeps here, and now, the one (STATE) that serves.
survey() {
	local words line='' port='' place places=()
	answer_of survey || words=$(ask_docker "$SURVEY" label=com.docker.compose.oneoff=False) ||
		no_answer "nothing was changed there"
	surveyed=$words
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		[[ -z $port ]] || places=("$(project_of "$port"):" "$project:$port")
		[[ -z $port ]] || ! has_served "$(other_port "$port")" || places+=("$(project_of "$(other_port "$port")"):")
	fi
	for place in ${places[@]+"${places[@]}"} "$project:"; do # as serving() has it
		find_surveyed "${place%:*}" "$service" "${place##*:}"
		[[ -z $line ]] || break
	done
	now=$line
}

# Fills line with the first of surveyed that is up, as STATE has it; empty: there is none.
find_surveyed() { # PROJECT SERVICE [PORT]
	local its_project ports part state
	while IFS='|' read -r line its_project ports _; do
		read -r _ _ state _ _ _ _ _ part <<<"$line"
		[[ $its_project != "$1" || $part != "$2" || (-n ${3:-} && " $ports " != *" $3 "*) ]] || ! is_up "$state" || return 0
	done <<<"$surveyed"
	line=
}

# For ssh.sh, what runs: the id of its image and its release, which may not be known.  Nothing where nothing runs.
name_current() {
	local id of of_image
	[[ -n $now ]] || return 0
	read -r id of _ _ _ _ _ of_image _ <<<"$now"
	printf 'runs %s %s\n' "$of" "$(name_release)"
}

# Lines `interrupted RELEASE` for ssh.sh, and what people can do: what is to be put in order is left alone until a release
# begins.  RELEASE, where it is known, runs once that is done.
name_interrupted() {
	local found='' port='' id of_image what="an earlier release was interrupted here"
	if is_interrupted; then
		if [[ -e .deploybot.before/barrier ]]; then
			found=$now # what is up is left
		elif [[ $strategy == bluegreen ]]; then
			IFS= read -r port <.deploybot.before/port || true # nothing served
			[[ -z $port ]] || found=$(running "$port") || no_answer "nothing was changed there"
		elif [[ -z $now ]]; then
			found=$(grep -v '^ *$' .deploybot.before/containers) || true # nothing ran
			found=$(only_up "$found")
		fi
	elif [[ $strategy == bluegreen ]] && is_led_elsewhere; then
		what="a switch of nginx was interrupted here"
	elif [[ $strategy == bluegreen ]] && is_led_nowhere; then
		what="nginx leads to port $(live_port) here, where nothing runs"
	else
		return 0
	fi
	read -r id _ _ _ _ _ _ of_image _ <<<"${found:-$now}" # nothing may run
	printf 'interrupted %s\n' "${id:+$(name_release)}"
	# Whoever has the lock is at it.
	[[ -e .deploybot.lock ]] && ! flock -s -n .deploybot.lock true ||
		say "warning: $what, and nothing has put that in order since: deploy, or roll back, which does so as it begins"
}

# Does nginx lead to a port where nothing runs, while the other one, which has served, answers?
is_led_nowhere() {
	local port found
	port=$(live_port)
	[[ $now != *" /$(project_of "$port")"[-_]* ]] || return 1 # what serves runs there: docker need not be asked again
	has_served "$(other_port "$port")" || return 1
	found=$(on_port "$port") || no_answer "nothing was changed there"
	[[ -z $found ]] || return 1
	port=$(other_port "$port")
	found=$(running "$port") || no_answer "nothing was changed there"
	[[ -n $found ]] && http_status "http://127.0.0.1:$port/" >/dev/null
}

name_release() {
	local digest known='' line text
	digest=${of_image##*@}
	[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || {
		printf '%s runs %s, which is no digest\n' "$host" "$of_image" >&2
		return 0
	}
	read_file text .deploybot.releases
	while IFS= read -r line; do
		[[ $line != *"@$digest" ]] || known=$line
	done <<<"$text"
	if [[ -z $known ]]; then
		line=$("${engine[@]}" inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$id") ||
			line=
		[[ $line =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] && known=$line@$digest || {
			printf '%s runs %s, of which no commit is known\n' "$host" "$of_image" >&2
			known=
		}
	fi
	printf '%s\n' "$known"
}

# A container of its own, with the image that serves and the compose file's words; its dependencies are there already.
run_job() {
	local status=0 port='' found with
	found=$(serving) || no_answer "the job was not started"
	read -r _ _ _ _ _ _ _ found _ <<<"$found"
	[[ $found == "$image" ]] || die 70 "it runs ${found:-nothing} there, and the job was asked for in $image"
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		compose+=(-p "$(project_of "$port")")
	fi
	job_name=deploybot-job-$$ # of the guard, which removes it where we are killed, and waits for no client then
	find_with
	with+=("COMPOSE_PROJECT_NAME=$project")
	# stderr is ours, as in a migration
	run_loose "$JOB_SECONDS" bash -c 'exec "$@" 2>&1' job "${with[@]}" DEPLOY_IMAGE="$image" DEPLOY_PORT="${port:-0}" \
		"${compose[@]}" run --rm --no-deps -T --name "$job_name" "$service" "${job[@]}" 5>&- || status=$?
	((status == 0)) || end_container "$job_name" || die 70 "the job ended with status $status"
	job_name=''
	((status == 0)) || die 70 "the job ended with status $status"
}

# With the new image, before anything of the release runs; its name tells it from all others.  In the project of the
# folder, whose network it has.
act_migrate() {
	local status=0 began began_at with
	image_id wanted "$image" || die 75 "docker has no $image any more, or does not answer: try again"
	wait_for_migration # another one may have begun since preflight
	job_name=$migration
	began=$SECONDS began_at=$(engine_now) || began_at=
	# Without the lock: where all of us are killed and it goes on, who comes next finds it by its name.
	find_with
	with+=("COMPOSE_PROJECT_NAME=$project")
	begins
	# stderr is ours: its end says why, also where we are asked to stop meanwhile
	run_loose "$seconds" bash -c 'exec "$@" 2>&1' migrate "${with[@]}" DEPLOY_IMAGE="$image" DEPLOY_PORT=0 "${compose[@]}" \
		run --rm --no-deps -T --name "$migration" "$migrator" "${job[@]}" 5>&- 9>&- || status=$?
	end_container "$migration" || die 70 "its end was not seen" # once more, behind this
	job_name=''
	((status == 0)) || ((SECONDS - began < seconds)) || die 75 "it took longer than $seconds s and was stopped"
	if ((status != 0)) && has_never_run "$migration" "$began_at"; then
		rm -f -- "$private/begun"
		die 70 "compose run ended with status $status before anything of it ran: see its own words above"
	fi
	((status == 0)) || die 70 "the migration failed (exit $status)"
}

# In seconds: the engine may be another machine's, whose clock is another one too.
engine_now() {
	local at
	at=$("${engine[@]}" info --format '{{.SystemTime}}' 2>/dev/null) && date -d "$at" +%s 2>/dev/null
}

# Was no container of that name started since then, as compose was refused one, or what it is to run is not there?  The engine
# keeps its last events alone: unless one from before is among them nobody knows.
has_never_run() { # NAME SINCE
	local words at action name until is_whole=no
	[[ -n $2 ]] && until=$(engine_now) || return 1
	words=$("${engine[@]}" events --since 1 --until "$((until + 1))" \
		--format '{{.Time}} {{.Action}} {{index .Actor.Attributes "name"}}' 2>/dev/null) || return 1
	while read -r at action name; do
		[[ $at =~ ^[0-9]{1,12}$ ]] || continue # a command of several lines
		if ((at < $2)); then
			is_whole=yes
		elif [[ $action == start && $name == "$1" ]]; then
			return 1
		fi
	done <<<"$words"
	[[ $is_whole == yes ]]
}

# One that a killed run has left: two at a time are never started.  That docker does not answer is not its end.
wait_for_migration() {
	local left status=0 until=$((SECONDS + seconds))
	left=$(left_container "$migration") || die 75 "docker does not say whether an earlier one is at work still: try again"
	[[ -n $left ]] || return 0
	until status=0 && run_loose $((until > SECONDS ? until - SECONDS : 1)) docker wait "$migration" >/dev/null 2>&1; do
		status=$?
		((status != 124)) || break
		! left=$(left_container "$migration") || [[ -n $left ]] || break # it has just ended
		status=124
		((SECONDS < until)) || break
		pause 1
	done
	end_container "$migration" || die 70 "one that was left does not end$said"
	((status != 124)) || die 75 "one that was left worked for $seconds s more, and was stopped"
}

left_container() { # NAME
	ask_docker '' "name=^$1\$"
}

# Stops the container, not its client alone, and sees that it is gone; else fills said.
end_container() { # NAME
	local left
	if ! left=$(left_container "$1") || [[ -n $left ]]; then
		"${engine[@]}" stop -t 5 "$1" >/dev/null 2>&1 || true # it may just have ended, here and below
		"${engine[@]}" rm -f "$1" >/dev/null 2>&1 || true
	fi
	if ! left=$(left_container "$1"); then
		said="; docker does not say whether $1 is at work still"
	elif [[ -n $left ]]; then
		said="; the container $1 cannot be stopped"
	else
		return 0
	fi
	return 1
}

# Of one image: of all services that a release replaces, wherever they are; nothing where it is not there any more.
act_logs() {
	local port='' found id of wanted='' seen=' '
	if [[ -n $image ]]; then
		image_id wanted "$image" || return 0
		found=$(of_release) || no_answer "nothing was changed there"
	else
		[[ $strategy != bluegreen ]] || port=$(live_port)
		found=$(states "$port") || no_answer "nothing was changed there"
		[[ -n $found ]] || die 70 "no container of $service is there"
	fi
	while read -r id of _; do
		[[ -n $id && (-z $wanted || $of == "$wanted") && $seen != *" $id "* ]] || continue
		seen+="$id "
		"${engine[@]}" logs --tail "$lines" "$id" 2>&1
	done <<<"$found"
}

of_release() {
	local port ports=('')
	[[ $strategy != bluegreen ]] || ports+=("$port_a" "$port_b")
	for port in "${ports[@]}"; do
		states "$port" "$service" ${others[@]+"${others[@]}"} || return 1
		printf '\n'
	done
}

# Of our images, those that are not to be kept, that no container has, and that did not come last: a deployment that began
# meanwhile is about to start that one.
act_clean() {
	local line words status kept=() runs='' id text last
	[[ $strategy != bluegreen ]] || runs=$(states "$port_a" && states "$port_b") || no_answer "no image was removed"
	read_file text .deploybot.releases
	last=${text##*$'\n'}
	while IFS= read -r line; do
		[[ -n $line ]] || continue
		[[ $line != "$last" ]] || continue
		if [[ ",$keep," == *",${line##*@},"* || $runs == *"@${line##*@}"* ]]; then
			kept+=("$line")
			continue
		fi
		status=0
		image_id id "$image@${line##*@}" || status=$?
		if ((status == 1)); then
			continue
		elif words=$("${engine[@]}" image rm "$image@${line##*@}" 2>&1); then
			say "removed the image of ${line:0:12}"
		else
			kept+=("$line")
			say "warning: the image of ${line:0:12} could not be removed: $(last_line "$words")"
		fi
	done <<<"$text"
	[[ -z $last ]] || kept+=("$last")
	drop_before
	((${#kept[@]} == 0)) || write_file .deploybot.releases printf '%s\n' "${kept[@]}" ||
		say "warning: $dir/.deploybot.releases cannot be written: $(df -P . | tail -n 1)"
	clean_files
	clean_with
}
