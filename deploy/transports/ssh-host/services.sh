# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables go from file to file
# services.sh - which services of the compose file a release replaces, and whether it can, as compose itself reads it.
# SPDX-License-Identifier: ISC

# What stands for image and port while compose is asked.
readonly PROBE_IMAGE=deploybot.invalid/probe:1 PROBE_PORT=64999

# compose's own reading of its file: anchors, extends, defaults and .env are resolved.  With the services of all profiles.
compose_config() {
	(limit_memory && ask_compose COMPOSE_PROFILES='*' -- config)
}

ask_compose() { # [NAME=VALUE] -- WORDS...
	local with
	find_with
	with+=("DEPLOY_IMAGE=$PROBE_IMAGE" "DEPLOY_PORT=$PROBE_PORT")
	[[ $1 == -- ]] || with+=("$1")
	[[ $1 == -- ]] || shift
	shift
	if [[ -n $offered ]]; then
		timeout -k 5 "$ASK_SECONDS" "${with[@]}" "${compose[@]}" -f - "$@" <<<"$offered"
	else
		timeout -k 5 "$ASK_SECONDS" "${with[@]}" "${compose[@]}" ${from_folder[@]+"${from_folder[@]}"} "$@"
	fi
}

unquote() { # TEXT; fills word
	word=${1#"${1%%[! ]*}"}
	case $word in
	\'*\' | \"*\") word=${word:1:-1} ;;
	esac
}

# Both versions of compose print a file in one form: two blanks before a service, four before what it has, lists with -.
# Fills project (version 2 alone says it), names of services, externals, frame, what stands beside the services, and field,
# by NAME.KEY, of networks by /NAME.KEY and of volumes by volume/NAME.KEY; `field` has of lists: .fixed, ports of the host that
# are none of ours; .published, all of them as ADDRESS|PORT|PROTOCOL; .volumes, named ones; .written, a line for each of
# these, and each path of the host, that is not read alone; .needs, other services; .networks.
read_config() { # TEXT
	local word section='' name='' key=''
	local item_before='' item_port='' item_address='' item_protocol=tcp item_source='' item_kind=''
	each_line read_config_line "$1"
}

# Calls back for each line of what compose printed, with what stands behind its blanks in rest, and how many in indent.
each_line() { # FUNCTION TEXT
	local line rest indent
	while IFS= read -r line; do
		rest=${line#"${line%%[! ]*}"}
		[[ -n $rest ]] || continue
		indent=$((${#line} - ${#rest}))
		"$1"
	done <<<"$2"
}

read_config_line() {
	[[ $section != services || $indent == 0 ]] || read_service_line
	case $indent.$section in
	0.*)
		section=${rest%%:*} name=''
		unquote "${rest#*:}"
		[[ $section != name ]] || project=$word
		;;
	2.volumes | 2.networks)
		unquote "${rest%%:*}"
		name=$word
		;;
	4.volumes)
		[[ $rest != external:* || $rest == *false ]] || externals+=" $name "
		unquote "${rest#*:}"
		field[volume/$name.${rest%%:*}]=$word
		;;
	6.volumes)
		unquote "${rest#*:}"
		[[ $rest != type:* ]] || field[volume/$name.type]=$word # of driver_opts
		;;
	4.networks)
		unquote "${rest#*:}"
		field[/$name.${rest%%:*}]=$word
		;;
	esac
	[[ $section == services ]] || frame+=$line$'\n'
}

# A sum of what compose makes of the main service: its files with variables (env_file) are in it, image and port are not.
sum_of_main() {
	local words project='' names=() externals='' frame=''
	local -A field=()
	words=$(compose_config 2>/dev/null) || return 1
	read_config "$words"
	words=$(sha256sum <<<"$frame${field[$service.text]:-}")
	printf '%s' "${words%% *}"
}

# A line that a release writes into .env, where that is an env_file too: it is another one for each port and release.
is_ours_of_env() {
	[[ $key == environment && $rest =~ ^(DEPLOY_IMAGE|DEPLOY_PORT|COMPOSE_FILE): &&
		$rest != *"$PROBE_IMAGE"* && $rest != *"$PROBE_PORT"* ]]
}

# A line of the section `services`.
read_service_line() {
	if ((indent == 2)); then
		unquote "${rest%:}"
		name=$word key=''
		names+=("$name")
		return 0
	fi
	is_ours_of_env || field[$name.text]+=$line$'\n'
	if ((indent == 4)) && [[ $rest != '- '* ]]; then
		key=${rest%%:*}
		unquote "${rest#*:}"
		field[$name.$key]=$word
		[[ $key != @(network_mode|ipc|pid) || $word != service:* ]] || field[$name.needs]+=" ${word#service:}"
		return 0
	fi
	case $key in
	ports) read_port ;;
	deploy) [[ $indent != 6 || $rest != 'replicas: 0' ]] || field[$name.scale]=0 ;;
	volumes) # SOURCE:TARGET, or a line of its own
		[[ ! $rest =~ ^(- )?source:\ [\'\"]?([A-Za-z0-9][A-Za-z0-9_.-]*)[\'\"]?$ &&
			! $rest =~ ^(- )[\'\"]?([A-Za-z0-9][A-Za-z0-9_.-]*):/ ]] || field[$name.volumes]+=" ${BASH_REMATCH[2]}"
		read_volume
		;;
	depends_on | links | volumes_from)
		[[ $rest != '- '* && $indent != 6 ]] || [[ ! $rest =~ ^(- )?[\'\"]?([A-Za-z0-9._-]+) ]] ||
			field[$name.needs]+=" ${BASH_REMATCH[2]}"
		;;
	networks)
		((indent > 6)) || [[ ! $rest =~ ^(- )?[\'\"]?([A-Za-z0-9._-]+) ]] ||
			field[$name.networks]+=" ${BASH_REMATCH[2]}"
		;;
	esac
}

# [ADDRESS:]PORT:TARGET[/PROTOCOL], or a line for each, in whichever order.
read_port() {
	local port=''
	[[ $rest != '- '* ]] ||
		item_before=${field[$name.published]:-} item_port='' item_address='' item_protocol=tcp
	if [[ $rest =~ published:\ [\'\"]?([0-9-]+) ]]; then
		port=${BASH_REMATCH[1]}
	elif [[ $rest =~ host_ip:\ [\'\"]?([0-9A-Fa-f.:]+) ]]; then
		item_address=${BASH_REMATCH[1]}
	elif [[ $rest =~ protocol:\ [\'\"]?([a-z]+) ]]; then
		item_protocol=${BASH_REMATCH[1]}
	elif [[ $rest =~ ^-\ [\'\"]?(([^\'\"\ /]*):)?([0-9-]+):[0-9-]+(/([a-z]+))?[\'\"]?$ ]]; then
		item_address=${BASH_REMATCH[2]} port=${BASH_REMATCH[3]} item_protocol=${BASH_REMATCH[5]:-tcp}
		item_address=${item_address#[} item_address=${item_address%]}
	fi
	[[ -z $port || $port == "$PROBE_PORT" ]] || field[$name.fixed]+=" $port"
	item_port=${port:-$item_port}
	[[ -z $item_port ]] || field[$name.published]="$item_before $item_address|$item_port|$item_protocol"
}

# SOURCE:TARGET[:MODE], or a line for each.
read_volume() {
	[[ $rest != '- '* ]] || item_before=${field[$name.written]:-} item_source='' item_kind=''
	if [[ $rest =~ source:\ (.*)$ ]]; then
		unquote "${BASH_REMATCH[1]}"
		item_source=$word
	elif [[ $rest =~ type:\ [\'\"]?(tmpfs|npipe) || $rest =~ (read_only):\ true ]]; then
		item_kind=${BASH_REMATCH[1]}
	elif [[ $rest =~ ^-\ [\'\"]?([^:]+):/[^:]*(:([a-zA-Z,]+))?[\'\"]?$ ]]; then
		item_source=${BASH_REMATCH[1]}
		[[ ,${BASH_REMATCH[3]}, != *,ro,* ]] || item_kind=read_only
	fi
	field[$name.written]=$item_before
	[[ -z $item_source || -n $item_kind ]] || field[$name.written]+=$item_source$'\n'
}

# Begins to ask, without stderr: what is asked at once takes as long as the slowest.
ask_aside() { # NAME CMD...
	local fd
	exec {fd}< <("${@:2}" 2>/dev/null && printf yes)
	aside[$1]=$fd
}

# Waits for what was asked and fills words with it; fails as that did.
answer_of() { # NAME
	local fd=${aside[$1]}
	words=$(</dev/fd/"$fd")
	exec {fd}<&-
	unset "aside[$1]"
	[[ $words == *yes ]] || return 1
	words=${words%yes} words=${words%$'\n'}
}

# Fills words with what compose makes of its file.  Which compose there is need not be known yet: nearly every host has the
# one that is a part of docker, and asking for its version costs as much as using it.
read_compose() {
	if [[ $act == check ]]; then
		[[ -n ${aside[config]:-} ]] || ask_aside config compose_config
		! answer_of config || return 0
		find_compose
		[[ ${compose[0]} == docker-compose ]] || return 1
	fi
	# Version 1 takes half a second to begin: both questions at once.
	[[ ${compose[0]} != docker-compose ]] ||
		exec {asked}< <(limit_memory && ask_compose -- --verbose ps -q 2>&1 5>&- 9>&-)
	words=$(compose_config 2>/dev/null)
}

# Fills project, `others`, which a release replaces behind the main service, and `left`, words on those of our image that
# it does not.
find_services() {
	local words name asked='' is_new=no
	! is_of_repository || has_run_here || is_new=yes
	[[ $is_new == no ]] || check_judged
	read_compose || {
		words=$(compose_config 2>&1) || true # once more, for what it says
		show "$words"
		die 70 "compose does not understand $the_file: $(last_line "$words")"
	}
	if [[ $is_new == yes ]]; then
		name_config "$words"
	elif [[ $act == check ]] && is_of_repository; then
		printf 'as-it-ran\n'
	fi
	read_config "$words"
	find_project
	others=() left=''
	for name in ${names[@]+"${names[@]}"}; do
		[[ $name != "$service" && ${field[$name.image]:-} == "$PROBE_IMAGE" ]] || continue
		if [[ -n $wanted_services ]]; then
			if [[ ,$wanted_services, == *",$name,"* ]]; then
				others+=("$name")
			else
				left+=", $name (not in COMPOSE_SERVICES)"
			fi
		elif [[ -n ${field[$name.profiles]+is} ]]; then
			left+=", $name (it has a profile)"
		elif [[ ${field[$name.restart]:-} == no ]]; then
			left+=", $name (restart: \"no\")"
		else
			others+=("$name")
		fi
	done
	left=${left#, }
}

# Which project the containers are of says compose, whatever its file and folder are called.  Version 1 says it only in what
# it asks docker: that is read from `asked`.
find_project() {
	local words=''
	[[ -z $project ]] || return 0
	[[ -z $asked ]] || words=$(</dev/fd/"$asked")
	[[ $words =~ com\.docker\.compose\.project=([a-z0-9_-]+) ]] ||
		die 70 "compose does not say the name of its project: set COMPOSE_PROJECT_NAME in $dir/.env${words:+; it says: \
$(last_line "$words")}"
	project=${BASH_REMATCH[1]}
	exec {asked}<&-
}

# ---- preflight -----------------------------------------------------------------------------------

check_services() {
	local name where=$the_file
	[[ " ${names[*]-} " == *" $service "* ]] || die 70 "$where has no service $service: name yours so, or set COMPOSE_SERVICE"
	# shellcheck disable=SC2016 # as it stands in the compose file
	for name in "${names[@]}"; do
		case ${field[$name.image]:-} in
		"$PROBE_IMAGE") ;;
		*"$PROBE_IMAGE"*)
			die 70 "$where, service $name: "'${DEPLOY_IMAGE}'" is the whole name, with the registry: write \
image: "'${DEPLOY_IMAGE}'
			;;
		*)
			[[ $name != "$service" ]] || die 70 "$where, service $name: this line is missing: image: "'${DEPLOY_IMAGE}'
			[[ ,$wanted_services, != *",$name,"* ]] ||
				die 70 "$where, service $name (COMPOSE_SERVICES): this line is missing: image: "'${DEPLOY_IMAGE}'
			;;
		esac
	done
	# For ssh.sh: a scheduler may stand in the file of one host alone.
	for name in ${wanted_services//,/ }; do
		[[ " ${names[*]} " == *" $name "* ]] || printf 'absent %s\n' "$name"
	done
	check_project
	[[ $strategy != bluegreen ]] || check_pair
	check_networks
}

# One that compose does not make has to be there: a migration would be the first to miss it.
check_networks() {
	local name of real found asked=no
	for name in "$service" ${others[@]+"${others[@]}"} ${migrator:+"$migrator"}; do
		[[ -z ${field[$name.network_mode]:-} ]] || continue
		for of in ${field[$name.networks]:-default}; do
			[[ ${field[/$of.external]:-} == true && ${field[/$of.driver]:-} != overlay ]] || continue
			if [[ $asked == no ]]; then
				found=$("${engine[@]}" network ls --no-trunc --format '{{.Name}} {{.ID}}' 2>/dev/null) || return 0
				asked=yes
			fi
			real=${field[/$of.name]:-$of}
			[[ $'\n'$found == *$'\n'"$real "* || $found == *" $real"* ]] || no_network "$name" "$real"
		done
	done
}

# A worker of a swarm does not list an overlay that no task of its own uses yet; a manager lists all.
no_network() { # SERVICE NETWORK
	local swarm
	swarm=$("${engine[@]}" info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}' 2>/dev/null) || swarm=
	[[ $swarm != 'active false' ]] || {
		say "warning: $the_file, service $1: the network $2 cannot be seen from here, a worker of a swarm"
		return 0
	}
	die 70 "$the_file, service $1: there is no network $2, which is external: compose makes none of these; \
there: docker network create $2"
}

# What cannot be there twice cannot stand beside the release that it replaces.
check_pair() {
	local name where="$the_file, service $service"
	# shellcheck disable=SC2016 # as it stands in the compose file
	[[ ${field[$service.text]} == *"$PROBE_PORT"* ]] ||
		die 70 "$where: below ports this line is missing: - \"127.0.0.1:"'${DEPLOY_PORT}'":8080\" (8080: where it listens)"
	[[ -z ${field[$service.container_name]:-} ]] ||
		die 70 "$where: with bluegreen two releases run for a moment, and only one can be called \
${field[$service.container_name]}: remove container_name"
	# shellcheck disable=SC2016
	[[ -z ${field[$service.fixed]:-} ]] ||
		die 70 "$where: with bluegreen two releases run for a moment, and only one can have the port\
${field[$service.fixed]}: take "'${DEPLOY_PORT}'" alone, or DEPLOY_STRATEGY=recreate"
	for name in ${field[$service.volumes]:-}; do
		[[ $externals == *" $name "* ]] ||
			die 70 "$where: with bluegreen each of two releases would have a volume $name of its own, one of them \
empty: docker volume create it, copy what $name has, and write external: true below it"
	done
	check_needs
}

# The main service is in a project of its own, without the others' network.
check_needs() {
	local name
	[[ -z ${field[$service.needs]:-} ]] ||
		die 70 "$the_file, service $service: with bluegreen it is in a project of its own, where it does \
not find${field[$service.needs]}: put that into another file with a network that is external, and remove depends_on"
	for name in "${names[@]}"; do
		[[ " ${field[$name.needs]:-} " != *" $service "* ]] ||
			die 70 "$the_file, service $name: with bluegreen $service is in a project of its own, where \
$name does not find it: remove depends_on, and use a network that is external"
	done
}

# Two folders of one name are one project for compose: it would take the other one's containers for ours.
check_project() {
	local line of folder file='' ours=$dir
	[[ -n $in_force ]] || file=$named_file
	file=${file//[\"\']/} file=${file%%:*}
	[[ $file != */* ]] || ours=${file%/*}/ # compose takes the folder of the first for the project's
	while IFS='|' read -r line of _ _ folder; do
		[[ $of == "$project" ]] || continue
		! is_gone "$folder" || continue # it may have been moved here
		[[ $folder -ef $ours || $folder -ef $dir || $folder/ == "$dir"/* || $folder/ == "$(pwd -P)"/* ]] ||
			die 70 "what runs of the compose project $project there is of $folder, and compose would replace it: set \
COMPOSE_PROJECT_NAME in $dir/.env to another name"
	done <<<"$surveyed"
}

# One that we may not see is not gone.
is_gone() { # FOLDER
	local at=$1
	[[ $at == /* ]] || return 0 # no label
	[[ ! -d $at ]] || return 1
	until [[ -d ${at:-/} ]]; do
		at=${at%/*}
	done
	[[ -x ${at:-/} ]]
}

# Fills `seconds` with what compose's words for a time say, rounded up: 1m30s, or 1.5m of version 1.
read_time() { # SERVICE TEXT
	local rest=$2 number
	seconds=0
	while [[ $rest =~ ^([0-9]{1,6})(\.[0-9]+)?(h|ms|m|us|µs|ns|s) ]]; do
		rest=${rest#"${BASH_REMATCH[0]}"} number=$((10#${BASH_REMATCH[1]}))
		[[ -z ${BASH_REMATCH[2]} ]] || ((++number))
		case ${BASH_REMATCH[3]} in
		h) ((seconds += number * 3600)) ;;
		m) ((seconds += number * 60)) ;;
		s) ((seconds += number)) ;;
		ms) ((seconds += number / 1000 + 1)) ;;
		*) ((seconds += 1)) ;;
		esac
	done || true
	[[ -z $rest ]] ||
		die 70 "$the_file, service $1: stop_grace_period is no time: ${2@Q} (write it as 90s or 3m)"
}

# A line `grace SUM LONGEST SLOW` for ssh.sh, where that is longer than usual: the seconds that what a release replaces may take
# to end, by the file and by what runs, which was made of an earlier one; SLOW of those alone that somebody has given longer, and
# that end within the release.
name_grace() {
	local name seconds line grace port port_project sum=0 longest=0 slow=0 projects=" $project "
	for port in $port_a $port_b; do # of bluegreen alone
		find_project_of "$port"
		projects+="$port_project "
	done
	for name in "$service" ${others[@]+"${others[@]}"}; do
		read_time "$name" "${field[$name.stop_grace_period]:-${GRACE_SECONDS}s}"
		((seconds <= GRACE_MAX)) || die 70 "$the_file, service $name: its stop_grace_period is ${seconds} s, and a release \
waits $GRACE_MAX s at most for the end of what it replaces: write $((GRACE_MAX / 60))m or less"
		find_surveyed_grace "$name"
		((grace <= seconds)) || seconds=$grace
		((longest >= seconds)) || longest=$seconds
		((sum += seconds)) || true # 0
		((seconds <= GRACE_SECONDS)) || [[ $name == "$service" && $strategy == bluegreen ]] || ((slow += seconds))
	done
	((sum + UP_WORK_SECONDS <= UP_SECONDS && longest <= GRACE_SECONDS)) ||
		printf 'grace %s %s %s\n' "$sum" "$longest" "$slow"
}

# What preflight has found so.
take_grace() { # SUM,LONGEST
	((${1%,*} + UP_WORK_SECONDS <= up_seconds)) || up_seconds=$((${1%,*} + UP_WORK_SECONDS))
	((${1#*,} + LATE_SECONDS <= late_seconds)) || late_seconds=$((${1#*,} + LATE_SECONDS))
}

# Fills grace with the longest of a service's containers that there are; no more than GRACE_MAX.
find_surveyed_grace() { # SERVICE
	local its_project part its_grace
	grace=0
	while IFS='|' read -r line its_project _ its_grace _; do
		read -r _ _ _ _ _ _ _ _ part <<<"$line"
		[[ $part == "$1" && $projects == *" $its_project "* && $its_grace =~ ^[0-9]{1,6}$ ]] || continue
		((10#$its_grace <= grace)) || grace=$((10#$its_grace))
	done <<<"$surveyed"
	((grace <= GRACE_MAX)) || grace=$GRACE_MAX
}

# For people, and lines for ssh.sh: what it found, and what the file says of each service, as a sum.
name_services() {
	local name sum list=''
	((${#others[@]} == 0)) || printf -v list ',%s' "${others[@]}"
	say "a release replaces $service (the main service)${list//,/, }${left:+; left alone: $left}"
	printf 'services %s %s\n' "$project" "${list#,}"
	while read -r name sum; do
		printf 'service %s %s\n' "$name" "$sum"
	done < <(name_sums)
}

# A line NAME SUM for each that a release replaces.
name_sums() {
	local name sum
	for name in "$service" ${others[@]+"${others[@]}"}; do
		sum=$(sha256sum <<<"${field[$name.text]:-}")
		printf '%s %s\n' "$name" "${sum:0:16}"
	done
}
