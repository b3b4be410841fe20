# shellcheck shell=bash
# ssh-host.sh - works on a target host for ssh.sh: looks, pulls, starts, switches, takes back.  Stays nowhere.
# SPDX-License-Identifier: ISC
# Comes over ssh to `bash -s -- ACT NAME=VALUE...`, and four lines behind it: the registry's user and password,
# SMOKE_URL and NGINX_RELOAD_COMMAND, each may be empty.  Then stdin stays open: its end says that they who sent us are gone.
# stdout is the log; stderr ends with what went wrong; the exit status is deploy.sh's.  Needs bash 4.2 and docker with
# compose.  What it keeps in the compose file's folder:
#   .env                  our lines in it: DEPLOY_IMAGE, DEPLOY_PORT
#   .deploybot.lock       who holds it works here; says where the private folder is
#   .deploybot.before/    recreate: what ran, while that is being replaced.  Who finds it without holder brings it back
#   .deploybot.nginx      which upstream file nginx has surely read
#   .deploybot.releases   COMMIT@sha256:DIGEST of every release that was here
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

say() { # TEXT
	printf '%s: %s\n' "$host" "$1" || true
}

# What a program said: set in, so that no line of it is taken for a step.
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
	if ! grep -qxF -- "$release" .deploybot.releases 2>/dev/null; then
		printf '%s\n' "$release" >>.deploybot.releases || true
	fi
}

# ---- containers ----------------------------------------------------------------------------------

readonly HEALTH='{{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}}'
readonly HEALTH_WORDS='{{range .State.Health.Log}}{{println .Output}}{{end}}'
readonly STATE="{{.Id}} {{.Image}} {{.State.Status}} $HEALTH {{.RestartCount}} {{.State.ExitCode}} {{.Name}} {{.Config.Image}}"

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
	said=$(http_status "$url") || true
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
		[[ $told == no ]] || die 75 "was told to end"
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
	die 66 "the image cannot be pulled; is the registry well? Then try again: ${words:-docker pull ended with status $status}"
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

# ---- recreate ------------------------------------------------------------------------------------

# Writes down what runs, before anything changes.
note_before() {
	rm -rf .deploybot.before.new
	mkdir .deploybot.before.new && running "" >.deploybot.before.new/containers || return "$?"
	[[ ! -e .env ]] || cp -p -- .env .deploybot.before.new/env || return "$?"
	sync -f .deploybot.before.new 2>/dev/null || sync
	mv -T -- .deploybot.before.new .deploybot.before
}

# Brings back what ran before a change that was not finished; nobody may stop this.
take_back() {
	local id of state name rest is there missing=no status=0
	trap '' TERM HUP INT
	say "taking back the earlier release"
	if [[ -e .deploybot.before/env ]]; then
		cp -p .deploybot.before/env .env.deploybot && put_file .env.deploybot "$(readlink -f .env)" || status=1
	else
		rm -f .env
	fi
	there=$(states "") || there=
	while read -r id of state rest; do
		[[ -z $id ]] || grep -q "^$id " .deploybot.before/containers || engine rm -f "$id" >/dev/null || status=1
	done <<<"$there"
	while read -r id of state _ _ _ name _; do
		if ! is=$(engine inspect --format '{{.Name}} {{.State.Running}}' "$id" 2>/dev/null); then
			missing=yes
			continue
		fi
		[[ ${is% *} == "$name" ]] || engine rename "$id" "${name#/}" || true
		[[ ${is#* } == true ]] || engine start "$id" >/dev/null || missing=yes
	done <.deploybot.before/containers
	if [[ $missing == yes ]]; then
		show "$(run_compose "$UP_SECONDS" "" up -d --no-deps "$service" 2>&1)"
	fi
	if [[ ! -s .deploybot.before/containers ]]; then
		said="; as before, nothing runs"
	elif stays_up; then
		said="; the earlier release runs again"
	else
		said="; the earlier release could NOT be brought back: docker ps -a on $host shows why"
		return 1
	fi
	rm -rf .deploybot.before
	return "$status"
}

# Runs still when a stop that is under way has come through; started again if not.
stays_up() {
	local began=$SECONDS seconds=$STEADY_SECONDS line id state up
	[[ $was_cut == no ]] || seconds=$LATE_STOP_SECONDS
	while :; do
		up=no
		while read -r id _ state _; do
			[[ -n $id ]] || continue
			up=yes
			[[ $state == running ]] || engine start "$id" >/dev/null || up=no
		done < <(states "" || true)
		((SECONDS - began < seconds)) || break
		sleep 0.3
	done
	[[ $up == yes ]]
}

# What an earlier act could not finish, as it was killed together with its guard, or the host was.
settle_recreate() {
	local found id image_now
	[[ -d .deploybot.before ]] || return 0
	say "an earlier release was interrupted here"
	found=$(running "") || die 70 "docker does not say what runs"
	if [[ -z $found ]]; then
		take_back || die 70 "an earlier release was interrupted here$said"
		return "$?"
	fi
	while read -r id _; do
		[[ -z $id || $found == *"$id"* ]] || engine rm -f "$id" >/dev/null || true
	done < <(states "" || true)
	read -r _ _ _ _ _ _ _ image_now <<<"$found"
	write_env "DEPLOY_IMAGE=$image_now" || die 70 ".env in $dir cannot be written"
	rm -rf .deploybot.before
}

prepare_recreate() {
	settle_recreate
	pull
}

switch_recreate() {
	local status=0 words
	settle_recreate
	[[ $told == no ]] || die 75 "was told to end"
	wanted=$(image_id "$image") || die 70 "docker has no $image any more, or does not answer"
	note_before || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	change=begun
	write_env "DEPLOY_IMAGE=$image" || die 70 "$dir/.env cannot be written: $(df -P . | tail -n 1)"
	# Never cut short by us: between its stop and its start nothing runs.  What it says goes to a file, as those who
	# read may be gone.
	run_compose "$UP_SECONDS" "" up -d --no-deps "$service" >"$private/words" 2>&1 || status=$?
	words=$(<"$private/words")
	show "$words"
	if ((status > 123)); then
		was_cut=yes
	fi
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was told to end"
	wait_up "" || die 70 "the new release does not run: $said"
	rm -rf .deploybot.before
	change=over
	say "${release:0:12} runs"
}

# ---- bluegreen -----------------------------------------------------------------------------------

# The port that the upstream file names; none when it is none of ours.
live_port() {
	local text
	text=$(cat -- "$upstream" 2>/dev/null) || return 0
	[[ $text =~ server[[:space:]]+127\.0\.0\.1:([0-9]+) ]] || return 0
	[[ ${BASH_REMATCH[1]} != "$port_a" && ${BASH_REMATCH[1]} != "$port_b" ]] || printf '%s' "${BASH_REMATCH[1]}"
}

other_port() { # PORT
	if [[ $1 == "$port_a" ]]; then printf '%s' "$port_b"; else printf '%s' "$port_a"; fi
}

# nginx's workers that take requests: lines MASTER PID.
workers() {
	local file stat
	grep -lzx '[n]ginx: worker process' /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
		{ read -r stat <"${file%/cmdline}/stat"; } 2>/dev/null || continue
		# shellcheck disable=SC2086 # a line of words
		set -- ${stat##*) }
		file=${file#/proc/}
		printf '%s %s\n' "$2" "${file%/cmdline}"
	done
}

# Have all workers of one master, that took requests before, been replaced?
are_replaced() { # BEFORE; fills reloaded, the master
	local now line
	now=$(workers)
	while read -r reloaded _; do
		[[ $'\n'$now == *$'\n'"$reloaded "* ]] || continue
		while read -r line; do
			[[ $line != "$reloaded "* || $'\n'$now$'\n' != *$'\n'"$line"$'\n'* ]] || continue 2
		done <<<"$1"
		return 0
	done <<<"$1"
	return 1
}

# Which file it is: a new one after every switch.
upstream_stamp() {
	stat -L -c '%d %i %Y %Z' -- "$upstream"
}

# Where it is for a process: device and path on it; nothing where a read leaves no mark.
place_of() { # FILE PID
	local device root point options best='' found=''
	while read -r _ _ device root point options _; do
		[[ $1 == "${point%/}"/* ]] && ((${#point} >= ${#best})) || continue
		best=$point found=
		[[ ,$options, == *,ro,* || ,$options, == *,noatime,* ]] || found="$device ${root%/}/${1#"${point%/}"/}"
	done 2>/dev/null <"/proc/$2/mountinfo" || true
	printf '%s' "$found"
}

is_unread() {
	[[ $(stat -L -c %X -- "$upstream") == 1 ]]
}

# Makes the upstream file one that was never read; false where a read would not show.
mark_unread() {
	touch -a -d @1 -- "$upstream" && cat -- "$upstream" >/dev/null && ! is_unread && touch -a -d @1 -- "$upstream"
} 2>/dev/null

# Has the nginx that was reloaded surely not read it?  One in a container may see it where reading leaves no mark.
is_passed_over() {
	local file place
	is_unread && file=$(readlink -f -- "$upstream") || return "$?"
	place=$(place_of "$file" self)
	[[ -n $place && $place == "$(place_of "$file" "$reloaded")" ]]
}

# Returns when requests that come from now on go where the upstream file says; else fills said.
reload() {
	local before words began reloaded='' marked=no
	before=$(workers)
	if mark_unread; then
		marked=yes
	fi
	# It may start nginx anew: that is not to hold what says that we live.
	# shellcheck disable=SC2086 # its words were checked by ssh.sh
	words=$(timeout -k 5 "$ASK_SECONDS" $reload_command 2>&1 </dev/null 5>&- 9>&-) || {
		show "$words"
		said="\"$reload_command\" failed: $(last_line "$words")"
		return 1
	}
	began=$SECONDS
	if [[ -z $before ]]; then
		is_blind=yes
		sleep "$BLIND_SECONDS"
	else
		until are_replaced "$before"; do
			((SECONDS - began < RELOAD_SECONDS)) || break
			sleep 0.1
		done
	fi
	if [[ $is_blind == yes ]] || are_replaced "$before"; then
		if [[ $is_blind == no && $marked == yes ]] && is_passed_over; then
			said="nginx does not read $upstream: include it inside upstream { } (docs/deploy-scripts.md, bluegreen)"
			return 1
		fi
		upstream_stamp >.deploybot.nginx || true
		return 0
	fi
	said="nginx did not take its configuration within $RELOAD_SECONDS s: its error log says why"
	return 1
}

# Until nginx's earlier workers have answered their last requests, DRAIN_SECONDS at most; where they cannot be seen, all
# of those.
drain_old() {
	local began=$SECONDS
	while ((SECONDS - began < drain)); do
		[[ $told == no ]] || return 0
		[[ $is_blind == yes ]] || grep -qz '^[n]ginx: worker .* shutting' /proc/[0-9]*/cmdline 2>/dev/null || return 0
		sleep 0.2
	done
}

point_at() { # PORT
	local file new
	file=$(readlink -f -- "$upstream") || return "$?"
	new=$file.deploybot
	printf 'server 127.0.0.1:%s;\n' "$1" >"$new" && chmod 644 -- "$new" && put_file "$new" "$file"
}

stop_port() { # PORT
	local ids words
	ids=$(containers "$1") && [[ -n $ids ]] || return 0
	words=$(run_compose "$UP_SECONDS" "$1" rm -s -f "$service" 2>&1) || show "$words"
	ids=$(containers "$1") || return "$?"
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || engine rm -f $ids >/dev/null
}

# Makes nginx and the upstream file say the same, and that what runs; fills live with its port, empty when none does.
settle_bluegreen() {
	local other
	live=$(live_port)
	if [[ -n $live && -z $(running "$live") ]]; then
		other=$(other_port "$live")
		if [[ -n $(running "$other") ]] && http_status "http://127.0.0.1:$other/" >/dev/null; then
			say "the upstream file says $live, where nothing runs: back to $other"
			point_at "$other" || die 70 "$upstream cannot be written"
			live=$other
		fi
	fi
	# A reload may cost a client that keeps its connection open a request: none that is not needed.
	if [[ $(cat .deploybot.nginx 2>/dev/null) != "$(upstream_stamp)" ]]; then
		reload || die 70 "$said"
	fi
	[[ -n $live && -n $(running "$live") ]] || live=
}

prepare_bluegreen() {
	local words status=0
	settle_bluegreen
	pull
	if [[ -n $live ]] && runs_wanted "$live"; then
		say "${release:0:12} serves already on port $live"
		return "$?"
	fi
	idle=$(live_port)
	idle=$(other_port "${idle:-$port_b}")
	if runs_wanted "$idle" && answers "$idle"; then
		say "${release:0:12} runs still on port $idle"
		return "$?"
	fi
	[[ -z $(running "$idle") ]] || drain_old # an interrupted switch may have left requests there
	stop_port "$idle" || die 70 "what runs on port $idle cannot be stopped"
	started=$idle
	say "start ${release:0:12} on port $idle"
	run_compose "$UP_SECONDS" "$idle" up -d --no-deps "$service" >"$private/words" 2>&1 || status=$?
	words=$(<"$private/words")
	show "$words"
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was told to end"
	wait_up "$idle" || die 70 "the new release does not run: $said"
	started=
}

switch_bluegreen() {
	local old new
	wanted=$(image_id "$image") || die 70 "docker has no $image any more, or does not answer"
	old=$(live_port)
	if [[ -n $old ]] && runs_wanted "$old"; then
		new=$old
		old=$(other_port "$new")
		settle_bluegreen
	else
		new=$(other_port "${old:-$port_b}")
		runs_wanted "$new" || die 75 "what was started on port $new is not there any more: something else is being released"
		point_at "$new" || die 70 "$upstream cannot be written: $(df -P -- "${upstream%/*}" | tail -n 1)"
		if ! reload; then
			point_back "$old" "$new"
			die 70 "$said"
		fi
	fi
	write_env "DEPLOY_IMAGE=$image" "DEPLOY_PORT=$new" || say "warning: $dir/.env could not be written"
	say "${release:0:12} serves on port $new"
	old=$(other_port "$new")
	if [[ -n $(containers "$old") ]]; then
		drain_old
		[[ $told == no ]] || die 75 "was told to end; what ran before runs still, on port $old"
		stop_port "$old" || say "warning: what ran on port $old could not be stopped"
	fi
}

# nginx has the old port still, or nothing that works: the file says so too.
point_back() { # OLD NEW
	local why=$said
	if [[ -n $1 && -n $(running "$1") ]]; then
		point_at "$1" && reload && stop_port "$2" || true
		why+="; the earlier release serves still"
	fi
	said=$why
}

# Takes away what was started beside what serves.
tidy_bluegreen() {
	settle_bluegreen
	[[ -n $live ]] || return 0
	drain_old
	stop_port "$(other_port "$live")"
}

# ---- acts ----------------------------------------------------------------------------------------

act_check() {
	local words port
	words=$(engine version --format '{{.Server.Version}}' 2>&1) || {
		case $words in
		*'permission denied'*) die 70 "$me may not use docker there: usermod -aG docker $me" ;;
		esac
		die 70 "docker does not answer: $(last_line "$words")"
	}
	command -v flock >/dev/null || die 70 "the program flock is missing there (Debian: apt-get install util-linux)"
	[[ -w . && -x . ]] || die 70 "$me may not write $dir: chown $me it"
	[[ ! -e .env || (-r .env && -w .env) ]] || die 70 "$me may not write $dir/.env: chown $me it"
	check_compose
	check_disk
	if [[ $strategy == bluegreen ]]; then
		check_nginx
	fi
	say "docker $words, ${compose[*]}, $free_gigabytes GB are free"
}

# What compose makes of the file tells more than the file.
check_compose() {
	local file found='' words line in_service=no is_image=no
	for file in compose.yaml compose.yml docker-compose.yml docker-compose.yaml; do
		[[ ! -e $file ]] || found=$file
	done
	if [[ -z $found ]] && ! grep -q '^COMPOSE_FILE=' .env 2>/dev/null; then
		die 70 "there is no compose file in $dir: put docker-compose.yml there (docs/deploy-scripts.md has one)"
	fi
	words=$(DEPLOY_IMAGE=deploybot.invalid/probe:1 DEPLOY_PORT=64999 timeout -k 5 "$ASK_SECONDS" \
		"${compose[@]}" config 2>&1) || {
		show "$words"
		die 70 "compose does not understand $dir/${found:-the compose file}: $(last_line "$words")"
	}
	while IFS= read -r line; do
		case $line in
		"  $service:") in_service=yes ;;
		'  '[!\ ]*) [[ $in_service != yes ]] || in_service=over ;;
		'    image: deploybot.invalid/probe:1') [[ $in_service != yes ]] || is_image=yes ;;
		esac
	done <<<"$words"
	[[ $in_service != no ]] || die 70 "$dir/$found has no service $service: name yours so, or set COMPOSE_SERVICE"
	# shellcheck disable=SC2016 # as it stands in the compose file
	[[ $is_image == yes ]] || die 70 "$dir/$found, service $service: this line is missing: image: "'${DEPLOY_IMAGE}'
	# shellcheck disable=SC2016
	[[ $strategy != bluegreen || $words == *64999* ]] ||
		die 70 "$dir/$found, service $service: below ports this line is missing: - \"127.0.0.1:"'${DEPLOY_PORT}'":8080\" \
(8080: where it listens)"
}

check_nginx() {
	[[ -w ${upstream%/*} ]] ||
		die 70 "$me may not write the folder ${upstream%/*} (NGINX_UPSTREAM_FILE): install -d -o $me ${upstream%/*}"
	[[ -e $upstream ]] ||
		die 70 "there is no $upstream: make it with the line \"server 127.0.0.1:$port_a;\", include it in nginx's upstream"
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

act_current() {
	local found='' port='' id of_image digest known line
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		[[ -n $port ]] || return 0
		found=$(running "$port") || die 70 "docker does not say what runs"
		if [[ -z $found ]]; then
			port=$(other_port "$port")
		fi
	fi
	[[ -n $found ]] || found=$(running "$port") || die 70 "docker does not say what runs"
	[[ -n $found ]] || return 0
	read -r id _ _ _ _ _ _ of_image <<<"$found"
	digest=${of_image##*@}
	[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || {
		printf '%s runs %s, which is no digest\n' "$host" "$of_image" >&2
		return 0
	}
	while IFS= read -r line; do
		[[ $line != *"@$digest" ]] || known=$line
	done < <(cat .deploybot.releases 2>/dev/null)
	if [[ -z ${known:-} ]]; then
		line=$(engine inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$id") || line=
		[[ $line =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] && known=$line@$digest || {
			printf '%s runs %s, of which no commit is known\n' "$host" "$of_image" >&2
			return 0
		}
	fi
	printf '%s\n' "$known"
}

act_logs() {
	local port='' found id
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
	fi
	found=$(states "$port") && [[ -n $found ]] || die 70 "no container of $service is there"
	while read -r id _; do
		engine logs --tail "$lines" "$id" 2>&1
	done <<<"$found"
}

# Of our images, those that are not to be kept and that no container has.
act_clean() {
	local line words kept=()
	while IFS= read -r line; do
		if [[ ",$keep," == *",${line##*@},"* ]]; then
			kept+=("$line")
		elif ! engine image inspect "$image@${line##*@}" >/dev/null 2>&1; then
			continue
		elif words=$(engine image rm "$image@${line##*@}" 2>&1); then
			say "removed the image of ${line:0:12}"
		else
			kept+=("$line")
			say "warning: the image of ${line:0:12} stays: $(last_line "$words")"
		fi
	done < <(cat .deploybot.releases 2>/dev/null)
	((${#kept[@]} == 0)) || printf '%s\n' "${kept[@]}" >.deploybot.releases.new
	((${#kept[@]} == 0)) || put_file .deploybot.releases.new .deploybot.releases
}

# ---- the worker and its guard --------------------------------------------------------------------

# shellcheck disable=SC2317 # a trap calls it
on_told() {
	told=yes
	if [[ -n $loose ]]; then
		kill -TERM "$loose" 2>/dev/null
		die 75 "was told to end"
	fi
}

# Whatever ended the worker: it leaves the host whole.
# shellcheck disable=SC2317 # a trap calls it
on_worker_exit() { # STATUS
	trap - EXIT
	trap '' TERM HUP INT
	told=no said=
	if [[ -n $started ]]; then
		stop_port "$started" || true
	fi
	if [[ $change == begun ]]; then
		take_back || true
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
	IFS= read -r folder <.deploybot.lock || true
	case $folder in
	*..*) ;;
	/dev/shm/deploybot.???????? | "$dir"/.deploybot.????????) [[ ! -O $folder ]] || rm -rf -- "$folder" ;;
	esac
	private=$(mktemp -u /dev/shm/deploybot.XXXXXXXX)
	[[ -w /dev/shm ]] || private=$(mktemp -u "$dir/.deploybot.XXXXXXXX")
	printf '%s\n' "$private" >.deploybot.lock 2>/dev/null || true # a full disk
	mkdir -m 700 -- "$private" && mkfifo -- "$private/lives" || die 70 "no private folder can be made there: $private"
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
	trap 'kill -TERM "$worker" 2>/dev/null || true' TERM HUP INT
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
	read -r -t "$((UP_SECONDS + ASK_SECONDS))" _ <&6 || true
	if ((status > 128)); then
		was_cut=yes
		why="what worked there was killed"
		on_worker_killed
	fi
	exit "$status"
}

on_worker_killed() {
	status=70
	if [[ $act == switch && $strategy == recreate && -d .deploybot.before ]]; then
		take_back || true
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
	local lock=30 missing=66 user='' password='' smoke_url='' reload_command='' host me port_a port_b compose=() private=
	local why='' said='' loose='' told=no change='' started='' was_cut=no is_blind=no
	local wanted='' live='' idle='' free_gigabytes=0
	shift
	trap 'on_exit "$?"' EXIT
	for word in "$@"; do
		case ${word%%=*} in
		dir | service | strategy | image | release | ports) printf -v "${word%%=*}" %s "${word#*=}" ;;
		upstream | drain | keep | lines | lock | missing) printf -v "${word%%=*}" %s "${word#*=}" ;;
		*) die 64 "ssh-host.sh does not know $word" ;;
		esac
	done
	IFS= read -r user && IFS= read -r password && IFS= read -r smoke_url && IFS= read -r reload_command ||
		die 64 "ssh-host.sh got no settings"
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
	*) die 64 "ssh-host.sh does not know $act" ;;
	esac
	exit # here, while what the trap needs is there
}

main "$@"
