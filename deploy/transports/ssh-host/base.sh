# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# base.sh - works on a target host for ssh.sh, with the files beside it: files, containers, pulls.  Stays nowhere.
# SPDX-License-Identifier: ISC
# base.sh, recreate.sh, bluegreen.sh, acts.sh and main.sh, as if they were one, come over ssh to
# `bash -s -- ACT NAME=VALUE...`, and four lines behind them: the registry's user and password,
# SMOKE_URL and NGINX_RELOAD_COMMAND, each may be empty.  Then stdin stays open: its end says that they who sent us are gone.
# stdout is the log; stderr ends with what went wrong; the exit status is deploy.sh's.  Needs bash 4.2 and docker with
# compose.  What it keeps in the compose file's folder:
#   .env                  our lines in it: DEPLOY_IMAGE, DEPLOY_PORT
#   .deploybot.lock       who holds it works here; says where the private folder is
#   .deploybot.before/    recreate: what ran, while that is being replaced.  Who finds it without holder brings it back
#   .deploybot.nginx      which upstream file nginx has surely read
#   .deploybot.releases   COMMIT@sha256:DIGEST of every release that was here
#   .deploybot.target     WORD for what ran before deploybot: its image is deploybot-before:WORD
# Two processes work: the worker does the act, the guard waits for it.  Whichever is killed, the other one leaves the
# host whole; where both are, the next act does.
set -euo pipefail

# How long a command may take.  docker answers questions within seconds, or something is wrong with it.
readonly ASK_SECONDS=60 PULL_SECONDS=900 UP_SECONDS=180
# From the start of a container until it answers; and how long one without a health check has to run to be believed.
readonly START_SECONDS=120 STEADY_SECONDS=3
# A docker client that was killed leaves its stop under way in dockerd: TERM, KILL ten seconds later.
readonly LATE_STOP_SECONDS=13
# nginx reads its configuration and starts workers; and what is waited where its processes cannot be seen.
readonly RELOAD_SECONDS=15 BLIND_SECONDS=3
readonly FREE_KILOBYTES=1048576

# Ends us (never in $( ), where it would end that); TEXT is said last, with what has become of the host.
die() { # STATUS TEXT
	why=$2
	exit "$1"
}

# They who read may be gone, and what is to be done here is done all the same.
say() { # TEXT
	printf '%s: %s\n' "$host" "$1" || true
}

# What a program said: set in, so that no line of it is taken for a step.  As say, where nobody reads.
show() { # TEXT
	[[ -z $1 ]] || printf '  %s\n' "${1//$'\n'/$'\n  '}" || true
}

last_line() { # TEXT
	local text=${1%"${1##*[![:space:]]}"}
	text=${text##*$'\n'}
	printf '%s' "${text//$'\r'/}"
}

# Questions to docker.
engine() { # WORDS...
	timeout -k 5 "$ASK_SECONDS" docker "$@"
}

# Ended at once when we are told to end: for what may be left half-done.
run_loose() { # SECONDS CMD...
	local status=0
	timeout -k 5 "$@" &
	loose=$!
	wait "$loose" || status=$?
	loose=
	return "$status"
}

find_compose() {
	if timeout -k 5 "$ASK_SECONDS" docker compose version >/dev/null 2>&1; then
		compose=(docker compose)
	elif command -v docker-compose >/dev/null; then
		compose=(docker-compose)
	else
		die 70 "neither \"docker compose\" nor docker-compose is there (Debian: apt-get install docker-compose)"
	fi
}

# ---- files ---------------------------------------------------------------------------------------

# A power cut leaves the old or the new file.
put_file() { # NEW FILE
	sync -- "$1" 2>/dev/null || sync
	mv -f -- "$1" "$2"
}

# Puts our lines into .env: mode and all other lines stay.
write_env() { # NAME=VALUE...
	local file new line name
	file=$(readlink -f -- .env)
	new=$file.deploybot
	[[ -e $file ]] || (umask 077 && : >"$file") || return "$?"
	rm -f -- "$new"
	cp -p -- "$file" "$new" || return "$?"
	{
		while IFS= read -r line || [[ -n $line ]]; do
			for name in "$@"; do
				if [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?"${name%%=*}"[[:space:]]*= ]]; then
					continue 2
				fi
			done
			printf '%s\n' "$line"
		done <"$file"
		printf '%s\n' "$@"
	} >"$new" || {
		rm -f -- "$new"
		return 1
	}
	put_file "$new" "$file"
}

note_release() {
	if [[ $release != target:* ]] && ! grep -qxF -- "$release" .deploybot.releases 2>/dev/null; then
		printf '%s\n' "$release" >>.deploybot.releases || true # a full disk: by its label it is known still
	fi
}

# ---- containers ----------------------------------------------------------------------------------

readonly HEALTH='{{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}}'
readonly HEALTH_WORDS='{{range .State.Health.Log}}{{println .Output}}{{end}}'
readonly STATE="{{.Id}} {{.Image}} {{.State.Status}} $HEALTH {{.RestartCount}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}}"

readonly RUNS_THERE='{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.Image}} {{.Config.Image}}'

project_of() { # PORT
	local name=${dir##*/}
	name=${name,,}
	name=${name//[^a-z0-9_-]/}
	printf '%s-%s' "${name##[_-]}" "$1"
}

# compose, for the container behind PORT when there is one: what it is told goes before what .env says.
run_compose() { # SECONDS PORT WORDS...
	local seconds=$1 port=$2
	shift 2
	if [[ -z $port ]]; then
		timeout -k 10 "$seconds" "${compose[@]}" "$@"
	else
		timeout -k 10 "$seconds" env DEPLOY_PORT="$port" DEPLOY_IMAGE="${image:-none}" "${compose[@]}" \
			-p "$(project_of "$port")" "$@"
	fi
}

# Ids of the service's containers, in whatever state.
containers() { # PORT
	local label
	if [[ -n $1 ]]; then
		containers_with "project=$(project_of "$1")"
		return $? # a bare one, in an EXIT trap, returns what the exit was about
	fi
	containers_with "project.working_dir=$dir" || return "$?"
	label=$(pwd -P) # what compose calls the folder, where dir is a link to it
	[[ $label == "$dir" ]] || containers_with "project.working_dir=$label"
}

containers_with() { # LABEL=VALUE
	engine ps -a -q --no-trunc --filter "label=com.docker.compose.$1" \
		--filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False
}

# A line (STATE) for each of them.
states() { # PORT
	local ids
	ids=$(containers "$1") || return "$?"
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || engine inspect --format "$STATE" $ids 2>/dev/null || true # one of them may just have gone
}

running() { # PORT: the lines of those that run
	states "$1" | while read -r id of state rest; do
		[[ $state != running && $state != restarting && $state != paused ]] || printf '%s\n' "$id $of $state $rest"
	done
}

# A line (STATE) of what serves; nothing when nothing runs.  With bluegreen it may still be what somebody started there
# without a port of ours.
serving() {
	local port='' ports=() found=''
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		[[ -z $port ]] || ports=("$port" "$(other_port "$port")")
	fi
	for port in ${ports[@]+"${ports[@]}"} ''; do
		found=$(running "$port") || return "$?"
		[[ -z $found ]] || break
	done
	printf '%s' "${found%%$'\n'*}"
}

# What ran before the first release, under a name of ours, and in a container that never starts: `docker image prune`
# takes neither what has a name nor, with -a, what a container has.
keep_before() {
	local of words
	[[ -n $before ]] || return 0
	words=$(serving) || die 70 "docker does not say what runs"
	[[ -n $words ]] || die 75 "what ran there has just ended: try again"
	read -r _ of _ <<<"$words"
	words=$(engine tag "$of" "deploybot-before:$before" 2>&1) ||
		die 70 "what runs there cannot be kept for a rollback: $(last_line "$words")"
	engine inspect --format '{{.Id}}' "deploybot-$before" >/dev/null 2>&1 ||
		words=$(engine create --name "deploybot-$before" --label com.docker.compose.project=deploybot-before \
			"deploybot-before:$before" true 2>&1) ||
		say "warning: \"docker image prune -a\" may remove what ran before: $(last_line "$words")"
	grep -qxF -- "$before" .deploybot.target 2>/dev/null || printf '%s\n' "$before" >>.deploybot.target ||
		die 70 "$dir/.deploybot.target cannot be written"
}

# Once a release was live there is one to roll back to.
drop_before() {
	local word kept=()
	[[ -e .deploybot.target ]] || return 0
	while IFS= read -r word; do
		if [[ ! $word =~ ^[a-z0-9][a-z0-9.-]*$ ]]; then
			continue
		elif [[ $word == "$before" ]]; then
			kept+=("$word")
			continue
		fi
		engine rm -f "deploybot-$word" >/dev/null 2>&1 || true # docker's own clean-up may have taken it
		! image_id "deploybot-before:$word" >/dev/null || engine image rm "deploybot-before:$word" >/dev/null 2>&1 ||
			kept+=("$word")
	done <.deploybot.target
	if ((${#kept[@]} == 0)); then
		rm -f .deploybot.target
	else
		printf '%s\n' "${kept[@]}" >.deploybot.target.new && put_file .deploybot.target.new .deploybot.target
	fi
}

image_id() { # IMAGE
	engine image inspect --format '{{.Id}}' "$1" 2>/dev/null
}

# Does the wanted image run there, and nothing else?
runs_wanted() { # PORT
	local found want=no
	found=$(running "$1") && [[ -n $found ]] || return 1
	while read -r _ of state _; do
		[[ $of == "$wanted" && $state == running ]] || return 1
		want=yes
	done <<<"$found"
	[[ $want == yes ]]
}

# Prints the status that an http address answers with.
http_status() { # URL
	local rest=${1#http://} authority name port=80
	authority=${rest%%/*}
	if [[ $authority =~ ^(.*):([0-9]+)$ ]]; then
		port=${BASH_REMATCH[2]}
	fi
	name=${authority%":$port"}
	name=${name#[} name=${name%]}
	[[ $rest == */* ]] || rest+=/
	# shellcheck disable=SC2016 # the shell that is started expands it
	timeout -k 1 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit
		printf "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: deploybot\r\nConnection: close\r\n\r\n" "$3" "$4" >&3
		IFS=" " read -r version status _ <&3 && [[ $version == HTTP/* ]] && printf "%s" "${status%$'"'\r'"'}"' \
		- "$name" "$port" "${rest#*/}" "$authority" 2>/dev/null
}

# Does it answer?  SMOKE_URL with a 2xx; without one, a port of ours with whatever is http.
answers() { # PORT; fills said
	local url=${smoke_url//'{port}'/$1}
	if [[ -z $url ]]; then
		said="http://127.0.0.1:$1/ does not answer"
		[[ -z $1 ]] || http_status "http://127.0.0.1:$1/" >/dev/null
		return "$?"
	fi
	said=$(http_status "$url") || true # then it is empty
	[[ $said != 2?? ]] || return 0
	said="$url answers ${said:-nothing}"
	return 1
}

# How often docker had started a container anew before our change: one that survived a power cut is no new failure.
restarts_before() { # ID
	local id restarts found=0
	if [[ -e .deploybot.before/containers ]]; then
		while read -r id _ _ _ restarts _; do
			[[ $id != "$1" ]] || found=$restarts
		done <.deploybot.before/containers
	fi
	printf '%s' "$found"
}

# Until what runs there is the wanted image, healthy, and answers; fills said when it does not.
wait_up() { # PORT
	local began=$SECONDS found line id of state health restarts code name first='' last=''
	while ((SECONDS - began < START_SECONDS)); do
		[[ $told == no ]] || die 75 "was asked to stop"
		found=$(states "$1") || found=
		said="no container of $service is there" line=
		while read -r id of state health restarts code name _; do
			[[ -n $id ]] || continue
			line=bad last=$id
			if [[ $of != "$wanted" ]]; then
				said="${name#/} runs another image"
				break
			elif [[ $state == exited || $state == restarting || $state == dead ]] ||
				((restarts > $(restarts_before "$id"))); then
				said="the application ended with status $code as soon as it was started"
				show "$(engine logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $health == unhealthy ]]; then
				said="the container's health check fails"
				show "$(engine inspect --format "$HEALTH_WORDS" "$id" 2>&1 | tail -n 5)"
				show "$(engine logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $state != running || $health == starting ]]; then
				said="${name#/} is $state, its health $health"
				break
			fi
			line=$health
		done <<<"$found"
		if [[ $line == - && -z $first ]]; then
			first=$SECONDS
		fi
		if [[ $line == healthy || ($line == - && $((SECONDS - first)) -ge $STEADY_SECONDS) ]] && answers "$1"; then
			return 0
		fi
		sleep 0.3
	done
	said="after $START_SECONDS s: $said"
	[[ -z $last ]] || show "$(engine logs --tail 20 "$last" 2>&1)"
	return 1
}

# ---- pull ----------------------------------------------------------------------------------------

pull() {
	local words status=0 with_login=(env)
	if wanted=$(image_id "$image"); then
		note_release
		return "$?"
	fi
	[[ $release != target:* ]] || die "$missing" "what ran before deploybot is not kept there any more: no image $image"
	check_disk
	if [[ -n $user ]]; then
		# The user's own configuration says which dockerd, ours has the login.
		words=$(engine context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || words=
		with_login=(env DOCKER_CONFIG="$private" ${words:+DOCKER_HOST="${DOCKER_HOST:-$words}"})
		words=$(printf '%s' "$password" | timeout -k 5 "$ASK_SECONDS" "${with_login[@]}" docker login --username "$user" \
			--password-stdin "${image%%/*}" 2>&1) ||
			die 66 "the registry ${image%%/*} refused the login from there: $(last_line "$words")"
	fi
	say "pull $image"
	run_loose "$PULL_SECONDS" "${with_login[@]}" docker pull --quiet "$image" >"$private/words" 2>&1 || status=$?
	words=$(<"$private/words")
	rm -f -- "$private/config.json"
	if ((status == 0)); then
		wanted=$(image_id "$image") || die 70 "docker has pulled $image and does not know it"
		note_release
		return "$?"
	fi
	show "$words"
	words=$(last_line "$words")
	case $words in
	*x509*) die 66 "docker there does not trust ${image%%/*}: its CA belongs into /etc/docker/certs.d/${image%%/*}/: $words" ;;
	*'executable file not found'*) ;; # a helper for logins, not the image
	*'no space left'* | *'disk quota'*) die 70 "no room for the image: $words; remove something (docker system df)" ;;
	*'not found'* | *'unknown'* | *'No such'*) die "$missing" "the registry does not have $image (any more): $words" ;;
	esac
	((status != 124 && status != 137)) || die 75 "docker pull took longer than $PULL_SECONDS s"
	# Its words come last: they are long, and a chat shows 200 bytes.
	die 66 \
		"the image cannot be pulled; is the registry healthy? Then try again: ${words:-docker pull ended with $status}"
}

check_disk() {
	local root free
	root=$(engine info --format '{{.DockerRootDir}}' 2>/dev/null) || root=
	[[ -n $root ]] && free=$(df -Pk -- "$root" 2>/dev/null) || free=$(df -Pk /)
	free=${free##*$'\n'}
	# shellcheck disable=SC2086 # a line of words
	set -- $free
	if (($4 < FREE_KILOBYTES)); then
		die 70 "the disk is full: $(($4 / 1024)) MB are free on ${*:6} ($1), 1024 are needed: see \"docker system df\""
	fi
	free_gigabytes=$(($4 / 1048576))
}
