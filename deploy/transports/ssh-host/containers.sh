# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# containers.sh - which containers and images docker has, as it says it, and compose with our lines in .env.
# SPDX-License-Identifier: ISC
# Takes from base.sh, and from file.sh which compose file is meant.

# What asks docker; no function, which would be one more process in each $( ).
readonly engine=(timeout -k 5 "$ASK_SECONDS" docker)

find_compose() {
	if timeout -k 5 "$ASK_SECONDS" docker compose version >/dev/null 2>&1; then
		compose=(docker compose)
	elif command -v docker-compose >/dev/null; then
		compose=(docker-compose)
	else
		die 70 "neither \"docker compose\" nor docker-compose is there (Debian: apt-get install docker-compose)"
	fi
}

# Is it the first one, written in Python?  An option that it does not know it answers with its help and status 0, and
# does nothing: whoever needs one asks this, never whether it worked.  Fills compose_version.
is_old_compose() {
	compose_version=
	[[ ${compose[0]} == docker-compose ]] || return 1
	compose_version=$(timeout -k 5 "$ASK_SECONDS" docker-compose version --short 2>/dev/null) || return 1
	[[ $compose_version == 1.* ]]
}

# ---- .env ----------------------------------------------------------------------------------------

# Puts our lines into .env: mode and all other lines stay.  A NAME without = takes its line out.
write_env() { # NAME[=VALUE]...
	make_env "$@" && put_env
}

# The first half of it: whether there is room for it is known before anything else is changed.
make_env() { # NAME[=VALUE]...
	local file line name text=''
	file=$(env_file) || return "$?"
	if [[ -e $file ]]; then
		while IFS= read -r line || [[ -n $line ]]; do
			for name in "$@"; do
				if [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?"${name%%=*}"[[:space:]]*= ]]; then
					continue 2
				fi
			done
			text+=$line$'\n'
		done <"$file" || return "$?"
	fi
	for name in "$@"; do
		[[ $name != *=* ]] || text+=$name$'\n'
	done
	(
		[[ -e $file ]] || umask 077
		make_file "$file" printf %s "$text"
	)
}

put_env() {
	local file
	file=$(env_file) && put_file "$file.deploybot" "$file"
}

# What make_env has made is not to be.
drop_env() {
	local file
	file=$(env_file) && rm -f -- "$file.deploybot"
}

env_file() {
	if [[ -L .env ]]; then readlink -f -- .env; else printf .env; fi
}

# ---- containers ----------------------------------------------------------------------------------

# Not .State.Health: beside .Id docker reads the JSON itself, which has no such key without a health check, and fails.
readonly HEALTH='{{with index .State "Health"}}{{.Status}}{{else}}-{{end}}'
readonly HEALTH_WORDS='{{range .State.Health.Log}}{{println .Output}}{{end}}'
readonly STATE="{{.Id}} {{.Image}} {{.State.Status}} $HEALTH {{.RestartCount}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}} \
{{index .Config.Labels \"com.docker.compose.service\"}}"

# And its project, its ports of the host, the seconds that it may take to end, where somebody has said so, and the folder of its
# compose file, which may have blanks.
readonly SURVEY="$STATE|{{index .Config.Labels \"com.docker.compose.project\"}}|\
{{range .HostConfig.PortBindings}}{{range .}}{{.HostPort}} {{end}}{{end}}|{{with index .Config \"StopTimeout\"}}{{.}}{{end}}|\
{{index .Config.Labels \"com.docker.compose.project.working_dir\"}}"

# Ports of the container: those that compose publishes, and those that the image says it listens on.
# shellcheck disable=SC2016 # the engine's own words
readonly PUBLISHED='{{range $port, $to := .HostConfig.PortBindings}}{{if $to}}{{$port}} {{end}}{{end}}'
# shellcheck disable=SC2016
readonly EXPOSED='{{range $port, $any := .Config.ExposedPorts}}{{$port}} {{end}}'

# Folders and files of the host that a container may write.
readonly WRITTEN='{{range .Mounts}}{{if and .RW (eq .Type "bind")}}{{println .Source}}{{end}}{{end}}'

project_of() { # PORT
	local port_project
	find_project_of "$1"
	printf '%s' "$port_project"
}

# The same in port_project, without a process.
find_project_of() { # PORT
	port_project=${dir##*/}
	port_project=${port_project,,}
	port_project=${port_project//[^a-z0-9_-]/}
	port_project=${port_project##[_-]}-$1
}

# compose, for the container behind PORT when there is one: the variables that it gets win over those of .env, and so does
# up_image where it is set.  The project is the one that preflight has found: a file may name another one for other variables.
run_compose() { # SECONDS PORT WORDS...
	local seconds=$1 port=$2 with
	shift 2
	find_with
	if [[ -z $port ]]; then
		with+=(${project:+"COMPOSE_PROJECT_NAME=$project"} ${up_image:+"DEPLOY_IMAGE=$up_image"})
	else
		with+=("DEPLOY_PORT=$port" "DEPLOY_IMAGE=${image:-none}")
		set -- -p "$(project_of "$port")" "$@"
	fi
	timeout -k 10 "$seconds" "${with[@]}" "${compose[@]}" ${from_folder[@]+"${from_folder[@]}"} "$@"
}

# The one way to ask docker which containers there are: a line of FORMAT for each, or with none its id.  With status 0 docker has
# answered, and nothing means that there is none; else it has not answered, and nobody knows.  So do all that ask through it, and
# whoever asks them writes `found=$(running "$port") || …`: in a test or a pipe their failure would read as "there is none".
ask_docker() { # FORMAT FILTER...
	find_in_docker "$@" || return 1
	[[ -z $docker_said ]] || printf '%s\n' "$docker_said"
}

# The same in docker_said, without a process: of the functions here.
find_in_docker() { # FORMAT FILTER...
	local format=$1 word ids before='' filters=()
	docker_said=
	for word in "${@:2}"; do
		filters+=(--filter "$word")
	done
	while :; do
		ids=$("${engine[@]}" ps -a -q --no-trunc "${filters[@]}") || return 1
		if [[ -z $ids || -z $format ]]; then
			docker_said=$ids
			return 0
		elif [[ $ids == "$before" ]]; then
			# shellcheck disable=SC2086 # ids have no blanks, here and below
			docker_said=$("${engine[@]}" inspect --format "$format" $ids)
			return "$?"
		fi
		# shellcheck disable=SC2086
		docker_said=$("${engine[@]}" inspect --format "$format" $ids 2>/dev/null) && return 0 # one may just have gone
		before=$ids
	done
}

# What cannot be done without docker's answer ends here, with what is true there: as of a host that does not answer, nobody
# knows what runs.
no_answer() { # TEXT
	local status=69
	[[ $act != drain ]] || status=75 # it looks again
	die "$status" "docker does not say what runs; $1 (\"docker ps\" on $host shows why; then try again)"
}

# Who rolls back comes only once: what docker does not answer is asked again.
insist() { # CMD...
	local until=$((SECONDS + ASK_SECONDS))
	until "$@"; do
		((SECONDS < until)) || return 1
		sleep 1
	done
}

# Ids of a service's containers, in whatever state; of the main service when none is named.
containers() { # PORT [SERVICE]
	find_of_service '' "$@" || return 1
	printf '%s' "$docker_said"
}

find_of_service() { # FORMAT PORT [SERVICE]
	local port_project=$project
	[[ -z $2 ]] || find_project_of "$2"
	find_in_docker "$1" "label=com.docker.compose.project=$port_project" "label=com.docker.compose.service=${3:-$service}" \
		label=com.docker.compose.oneoff=False || return 1
}

# A line (STATE) for each of them.
states() { # PORT [SERVICE...]
	find_states "$@" || return 1
	printf '%s' "$docker_said"
}

find_states() { # PORT [SERVICE...]
	local port=$1 name all='' holders=''
	[[ $# -gt 1 ]] || set -- "$1" "$service"
	for name in "${@:2}"; do
		find_of_service "$STATE" "$port" "$name" || return 1
		[[ -z $docker_said ]] || all+=$docker_said$'\n'
	done
	if [[ -n $port && -z $(only_up "$all") ]]; then
		find_holders "$port" || return 1
	fi
	docker_said=$all$holders
}

# Fills holders with the lines (STATE) of those of the main service that run in the folder's own project and have that port:
# recreate, or somebody, has started them.  They are looked at and switched to as others are, and nobody but people ends them.
find_holders() { # PORT
	local line its_project ports state
	holders=''
	[[ -n $project ]] || return 0 # nobody has asked compose yet: `clean`
	find_of_service "$SURVEY" '' || return 1
	while IFS='|' read -r line its_project ports _; do
		read -r _ _ state _ <<<"$line"
		! is_up "$state" || [[ " $ports " != *" $1 "* ]] || holders+=$line$'\n'
	done <<<"$docker_said"
}

is_up() { # STATE
	[[ $1 == running || $1 == restarting || $1 == paused ]]
}

only_up() { # LINES
	local id of state rest
	while read -r id of state rest; do
		! is_up "$state" || printf '%s\n' "$id $of $state $rest"
	done <<<"$1"
}

running() { # PORT [SERVICE...]: the lines of those that run
	find_states "$@" || return 1
	only_up "$docker_said"
}

# Does the wanted image run there, and nothing else?  For `start` and `switch`.
runs_wanted() { # PORT
	local found want=no
	found=$(running "$1") || no_answer "nothing was ${act}ed there"
	[[ -n $found ]] || return 1
	while read -r _ of state _; do
		[[ $of == "$wanted" && $state == running ]] || return 1
		want=yes
	done <<<"$found"
	[[ $want == yes ]]
}

# Fills VARIABLE, empty where it fails.  Status 1: docker has no such image; 2: it does not say.
image_id() { # VARIABLE IMAGE
	local its_id
	printf -v "$1" ''
	its_id=$("${engine[@]}" image inspect --format '{{.Id}}' "$2" 2>&1) || {
		[[ ${its_id,,} != *@(no such image|not found|not known)* ]] || return 1
		return 2
	}
	printf -v "$1" %s "${its_id##*$'\n'}"
}
