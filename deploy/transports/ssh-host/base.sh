# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# base.sh - works on a target host for ssh.sh, with the files beside it: files, containers, pulls.  Stays nowhere.
# SPDX-License-Identifier: ISC
# base.sh, file.sh, judge.sh, services.sh, recreate.sh, bluegreen.sh (where that is the strategy), acts.sh, guard.sh and
# main.sh, as if they were one, come over ssh to `bash -s -- ACT NAME=VALUE...`, and five lines behind them: the registry's
# user and password, SMOKE_URL, NGINX_RELOAD_COMMAND and a compose file (base64), each may be empty.  Then stdin stays open:
# its end says that they who sent us are gone.
# stdout is the log; stderr ends with what went wrong; the exit status is deploy.sh's.  Needs bash 4.2 and docker with
# compose.  What it keeps in the compose file's folder:
#   .env                  our lines in it: DEPLOY_IMAGE, DEPLOY_PORT, and COMPOSE_FILE (file.sh)
#   .deploybot.lock       who holds it works here; says where the private folder is
#   .deploybot.before/    what ran, while that is being replaced.  Who finds it without holder brings it back
#   .deploybot.nginx      which upstream file nginx has surely read, the port in it, and the process of that nginx
#   .deploybot.made       bluegreen: PORT CONTAINER SUM RESTARTS, by what compose made the container of, and how often docker
#                         had started it anew when it was ready; the last is to be switched to
#   .deploybot.drain      bluegreen: what a switch has left running: DEPLOYMENT PORT SECONDS-OF-UPTIME, then the workers
#                         of nginx that had requests for it, or `blind`;  .deploybot.drain.kept: it is to serve again;
#                         .deploybot.drain.cut: a start has ended it, and no switch has come
#   .deploybot.ending     bluegreen: the containers whose stop has begun
#   .deploybot.releases   COMMIT@sha256:DIGEST of every release that was here
#   .deploybot.compose    which compose file came with which of them, and .deploybot.compose.SUM.yml, these files
#   .deploybot.target     WORD for what ran before deploybot: its image is deploybot-before:WORD; WORD.SERVICE for each
#                         other service that ran
#   NAME.deploybot        what NAME is to become, while that is written; of one who was killed it is nothing
# Two processes work: the worker does the act, the guard waits for it.  Whichever is killed, the other one leaves the
# host whole; where both are, the next act does.
set -euo pipefail

# How long a command may take.  docker answers questions within seconds, or something is wrong with it.
readonly BARRIER=.deploybot/no-rollback
readonly JOB_SECONDS=86400 # they who sent us end it before that
readonly ASK_SECONDS=60 PULL_SECONDS=900 UP_SECONDS=180
# How long a container without a health check has to run to be believed, and how long a start is looked at often.
readonly STEADY_SECONDS=3 QUICK_SECONDS=10
# A docker client that was killed leaves its stop in progress in dockerd: TERM, and KILL as late as stop_grace_period says, ten
# seconds where it says nothing.  The most that it may say, what dockerd needs behind that, and what is no waiting of `up`.
readonly GRACE_SECONDS=10 GRACE_MAX=1800 LATE_SECONDS=3 UP_WORK_SECONDS=150
# What `up` may take, and how late such a stop may still take effect; ssh.sh says so where services have a longer grace.
up_seconds=$UP_SECONDS late_seconds=$((GRACE_SECONDS + LATE_SECONDS))
rollback=no # ssh.sh and systemd.sh say so
# nginx reads its configuration and starts workers; and what is waited where its processes cannot be seen.
readonly RELOAD_SECONDS=15 BLIND_SECONDS=3
readonly FREE_KILOBYTES=1048576
# So long a registry is asked again that is busy, limits us or is slow.
: "${BUSY_SECONDS:=60}"

# Ends us (never in $( ), where it would end that); TEXT is said last, with what has become of the host.
die() { # STATUS TEXT
	why=${why:+"$why; "}$2
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

# What the application itself said, which may be its customers': each line has the mark that act.sh gives its log, so that
# nobody sees it who may not read that, and nothing in a line undoes the mark.
show_application() { # TEXT
	[[ -z $1 ]] || printf '%s\n' "$1" | LC_ALL=C sed 's/\x1b\[[0-?]*[ -/]*[@-~]//g' | LC_ALL=C tr -d '\000-\010\013-\037\177' |
		LC_ALL=C sed 's/^/|app| /' 2>/dev/null || true
}

last_line() { # TEXT
	local text=${1%"${1##*[![:space:]]}"}
	text=${text##*$'\n'}
	printf '%s' "${text//$'\r'/}"
}

# What asks docker; no function, which would be one more process in each $( ).
readonly engine=(timeout -k 5 "$ASK_SECONDS" docker)

# As $(<FILE), without a process; empty where it cannot be read.
read_file() { # VARIABLE FILE
	local its_text=''
	{ IFS= read -r -d '' its_text <"$2"; } 2>/dev/null || true # bash calls the end a failure
	printf -v "$1" %s "${its_text%"${its_text##*[!$'\n']}"}"
}

# As sleep, where the worker is that: nobody writes to what says that it lives (guard.sh).
pause() { # SECONDS
	local status=0
	{ read -r -t "$1" _ <&5; } 2>/dev/null || status=$?
	((status > 128)) || sleep "$1"
}

# Ended at once when we are asked to end, and not begun when we were asked before: for what may be left half-done.
run_loose() { # SECONDS CMD...
	local status=0
	[[ $told == no ]] || die 75 "was asked to stop"
	timeout -k 5 "$@" &
	loose=$!
	[[ $told == no ]] || kill -TERM "$loose" 2>/dev/null || true # told between the two: on_told knew of nothing
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

# Is it the first one, written in Python?  An option that it does not know it answers with its help and status 0, and
# does nothing: whoever needs one asks this, never whether it worked.  Fills compose_version.
is_old_compose() {
	compose_version=
	[[ ${compose[0]} == docker-compose ]] || return 1
	compose_version=$(timeout -k 5 "$ASK_SECONDS" docker-compose version --short 2>/dev/null) || return 1
	[[ $compose_version == 1.* ]]
}

# ---- files ---------------------------------------------------------------------------------------

# Only these: the rest of the file system may have an image to write that was just pulled.  Of a folder: the names in it.
flush() { # FILE|FOLDER...
	sync -- "$@" 2>/dev/null || sync
}

# A power cut leaves the old or the new file.
put_file() { # NEW FILE
	flush "$1"
	mv -f -- "$1" "$2"
}

# FILE becomes what CMD prints, or stays as it is, with a status: where a full disk takes half of that, or CMD fails.  CMD is
# one command: of a group of them the last one's status alone is seen.  Mode and owner of FILE stay.
write_file() { # FILE CMD...
	make_file "$@" && put_file "$1.deploybot" "$1"
}

# The first half of it: what is to become of FILE is beside it.
make_file() { # FILE CMD...
	local new=$1.deploybot
	rm -f -- "$new" && { [[ ! -e $1 ]] || cp -p -- "$1" "$new"; } && "${@:2}" >"$new" && return 0
	rm -f -- "$new"
	return 1
}

# The same with a line more.  One that an earlier version had to leave without its end gets that, and stays apart.
add_line() { # FILE LINE
	local text=''
	[[ ! -e $1 ]] || text=$(cat -- "$1") || return 1
	write_file "$1" printf '%s\n' ${text:+"$text"} "$2"
}

# Of what ran before a change: its name goes first, as half a note is none.
forget_before() {
	[[ -e .deploybot.before ]] || return 0
	{ [[ ! -e .deploybot.before.new ]] || rm -rf .deploybot.before.new; } &&
		mv -T -- .deploybot.before .deploybot.before.new && rm -rf .deploybot.before.new ||
		say "warning: $dir/.deploybot.before cannot be removed: is all in it $me's?"
}

# With what ran before, for whoever finds the note: that was to be left by a rollback; it does not come back by itself.
note_act() {
	[[ $rollback == no ]] || : >.deploybot.before.new/rollback || return "$?"
	[[ $barrier == no ]] || : >.deploybot.before.new/barrier
}

# For people: what we bring.
new_release() {
	if [[ $rollback == no ]]; then
		printf 'the new release'
	elif [[ $release == target:* ]]; then
		printf 'what ran before deploybot'
	else
		printf 'the release to roll back to (%s)' "${release:0:12}"
	fi
}

# For people: what is put back where a change fails.  A rollback puts back what it was to replace, which is no earlier
# release; of a change that was cut its note says which it was.
earlier_release() {
	local was_rollback=$rollback
	if [[ -d .deploybot.before ]]; then
		[[ -e .deploybot.before/rollback ]] && was_rollback=yes || was_rollback=no
	fi
	if [[ $was_rollback == no ]]; then
		printf 'the earlier release'
	else
		printf 'the release that it was to replace'
	fi
}

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

note_release() {
	local text
	read_file text .deploybot.releases
	if [[ $release != target:* && $'\n'$text$'\n' != *$'\n'"$release"$'\n'* ]]; then
		add_line .deploybot.releases "$release" || true # a full disk: by its label it is known still
	fi
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
	timeout -k 10 "$seconds" "${with[@]}" "${compose[@]}" "$@"
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

# A line (STATE) of what serves; nothing when nothing runs.  With bluegreen it may still be what somebody started there
# without a port of ours; what no release was ever switched to is not meant.
serving() {
	local port='' ports=() found=''
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		[[ -z $port ]] || ports=("$port")
		[[ -z $port ]] || ! has_served "$(other_port "$port")" || ports+=("$(other_port "$port")")
	fi
	for port in ${ports[@]+"${ports[@]}"} ''; do
		found=$(running "$port") || return 1
		[[ -z $found ]] || break
	done
	printf '%s' "${found%%$'\n'*}"
}

# What ran before the first release, under a name of ours, and in a container that never starts: `docker image prune`
# takes neither what has a name nor, with -a, what a container has.
keep_before() {
	local of words name
	[[ -n $before ]] || return 0
	words=$(serving) || no_answer "nothing was changed there"
	[[ -n $words ]] || die 75 "what ran there has just ended: try again"
	read -r _ of _ <<<"$words"
	keep_image "$before" "$of"
	for name in ${others[@]+"${others[@]}"}; do
		words=$(running "" "$name") || no_answer "nothing was changed there"
		read -r _ of _ <<<"$words"
		[[ -z $words ]] || keep_image "$before.$name" "$of"
	done
}

keep_image() { # WORD ID
	local words
	words=$("${engine[@]}" tag "$2" "deploybot-before:$1" 2>&1) ||
		die 70 "what runs there cannot be kept for a rollback: $(last_line "$words")"
	"${engine[@]}" inspect --format '{{.Id}}' "deploybot-$1" >/dev/null 2>&1 ||
		words=$("${engine[@]}" create --name "deploybot-$1" --label com.docker.compose.project=deploybot-before \
			"deploybot-before:$1" true 2>&1) ||
		say "warning: \"docker image prune -a\" may remove what ran before: $(last_line "$words")"
	grep -qxF -- "$1" .deploybot.target 2>/dev/null || add_line .deploybot.target "$1" ||
		die 70 "$dir/.deploybot.target cannot be written"
}

# Once a release was live there is one to roll back to.
drop_before() {
	local word status kept=() id
	[[ -e .deploybot.target ]] || return 0
	while IFS= read -r word; do
		if [[ ! $word =~ ^[a-z0-9][A-Za-z0-9._-]*$ ]]; then
			continue
		elif [[ -n $before && ($word == "$before" || $word == "$before".*) ]]; then
			kept+=("$word")
			continue
		fi
		"${engine[@]}" rm -f "deploybot-$word" >/dev/null 2>&1 || true # docker's own clean-up may have taken it
		status=0
		image_id id "deploybot-before:$word" || status=$?
		((status == 1)) || "${engine[@]}" image rm "deploybot-before:$word" >/dev/null 2>&1 || kept+=("$word")
	done <.deploybot.target
	if ((${#kept[@]} == 0)); then
		rm -f .deploybot.target
	else
		write_file .deploybot.target printf '%s\n' "${kept[@]}" || true # a word too many is looked for and not found
	fi
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
		IFS=" " read -r version status _ <&3 && [[ $version == HTTP/* ]] &&
		[[ $status =~ ^[0-9]{3} ]] && printf "%s" "${BASH_REMATCH[0]}"' \
		- "$name" "$port" "${rest#*/}" "$authority" 2>/dev/null
}

# Does it answer?  A port of ours with whatever is http, where SMOKE_URL does not ask that one: it may be nginx's, which leads to
# what was there before.  SMOKE_URL with a 2xx.
answers() { # PORT; fills said
	local url=${smoke_url//'{port}'/$1}
	if [[ -n $1 && $url == "$smoke_url" ]]; then
		said="http://127.0.0.1:$1/ does not answer"
		http_status "http://127.0.0.1:$1/" >/dev/null || return 1
	fi
	[[ -n $url ]] || return 0
	said=$(http_status "$url") || true # then it is empty
	[[ $said != 2?? ]] || return 0
	said="$url answers ${said:-nothing}"
	return 1
}

# How often docker had started a container anew before our change: one that survived a power cut is no new failure.
restarts_before() { # ID
	local id restarts found=${restarts_then:-0}
	if [[ -e .deploybot.before/containers ]]; then
		while read -r id _ _ _ restarts _; do
			[[ $id != "$1" ]] || found=$restarts
		done <.deploybot.before/containers
	fi
	printf '%s' "$found"
}

# compose up of these services; what it says goes to a file, as those who read may be gone.
bring_up() { # PORT SERVICE...
	local words status=0 began=$SECONDS
	run_compose "$up_seconds" "$1" up -d --no-deps --no-build "${@:2}" >"$private/words" 2>&1 || status=$?
	up_since=$SECONDS
	read_file words "$private/words"
	show "$words"
	if ((status > 123)); then
		was_cut=yes
	fi
	((status < 124 || SECONDS - began < up_seconds)) ||
		die 70 "compose up took longer than $up_seconds s: $(last_line "$words")"
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was asked to stop"
}

# Brings up the other services, and waits for each; project and .env are theirs.
bring_up_others() {
	local name
	((${#others[@]} > 0)) || return 0
	if [[ $release == target:* ]]; then
		bring_back_others "${release#target:}"
		return "$?"
	fi
	say "replace ${others[*]}"
	bring_up "" "${others[@]}"
	for name in "${others[@]}"; do
		wait_up "" "$name" || die 70 "the service $name does not run: $said"
	done
}

# The others as they were before deploybot: each with its image of then; what did not run is removed.
bring_back_others() { # WORD
	local name wanted up_image words
	for name in "${others[@]}"; do
		up_image=deploybot-before:$1.$name
		if grep -qxF -- "$1.$name" .deploybot.target 2>/dev/null; then
			image_id wanted "$up_image" || die 70 "what $name ran before deploybot is not kept there any more"
			say "bring back $name"
			bring_up "" "$name"
			wait_up "" "$name" || die 70 "the service $name does not run: $said"
		else
			say "$name did not run before deploybot: it is removed"
			words=$(run_compose "$up_seconds" "" rm -s -f "$name" 2>&1) ||
				die 70 "the service $name cannot be removed: $(last_line "$words")"
		fi
	done
}

# Fills found with the states of a service that is being started.  Which containers it has is asked once, and again when
# one is gone.
look_up() { # PORT SERVICE
	local id
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || ! found=$("${engine[@]}" inspect --format "$STATE" $ids 2>/dev/null) || return 0
	found=$(states "$@") || found='' said="docker does not say how $2 is"
	ids=
	while read -r id _; do
		ids+="${id:+$id }"
	done <<<"$found"
}

# Until what `bring_up` started is the wanted image, healthy, and answers (the main service alone does); fills said when it
# does not.  Another one may also do its work and end.  Of what was started by an earlier act still_up() says what it was then.
wait_up() { # PORT [SERVICE]
	local part=${2:-$service} found line id of state health restarts code name how last='' pause=1 ids=''
	local steady=${steady_seconds:-$STEADY_SECONDS} ended=${ended_when:-as soon as it was started}
	while ((SECONDS - up_since < start_seconds)); do
		[[ $told == no ]] || die 75 "was asked to stop"
		said="no container of $part is there" line=
		look_up "$1" "$part"
		while read -r id of state health restarts code name _; do
			[[ -n $id ]] || continue
			line=bad last=$id
			if [[ $of != "$wanted" ]]; then
				said="${name#/} runs another image"
				break
			elif [[ $part != "$service" && $state == exited && $code == 0 ]]; then
				line=over
				continue
			elif [[ $state == exited || $state == restarting || $state == dead ]] ||
				{ ((restarts > 0)) && ((restarts > $(restarts_before "$id"))); }; then
				how="with status $code"
				[[ $state != running ]] || how="and docker started it again,"
				said="${2:-the application} ended $how $ended"
				show_application "$("${engine[@]}" logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $health == unhealthy ]]; then
				said="the container's health check fails"
				show_application "$("${engine[@]}" inspect --format "$HEALTH_WORDS" "$id" 2>&1 | tail -n 5)"
				show_application "$("${engine[@]}" logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $state != running || $health == starting ]]; then
				said="${name#/} is $state, its health $health"
				break
			fi
			line=$health
		done <<<"$found"
		if [[ $line == over ]]; then
			say "$part has ended with 0: it is taken for done"
			return "$?"
		elif [[ $line == healthy || ($line == - && $((SECONDS - up_since)) -ge $steady) ]]; then
			[[ $part == "$service" ]] || return 0
			! answers "$1" || return 0
		fi
		if [[ $line == - ]] && ((SECONDS - up_since < steady)); then
			pause 1 # it runs, and is not believed yet
			continue
		fi
		# What is quick is not waited for long, and what is slow is not asked often: 0.1, 0.2, 0.4 s, and 1 s in the end.
		pause "$((pause / 10)).$((pause % 10))"
		((pause >= 4)) || pause=$((pause * 2))
		((SECONDS - up_since < QUICK_SECONDS)) || pause=10
	done
	said="after $start_seconds s: $said"
	[[ -z $last ]] || show_application "$("${engine[@]}" logs --tail 20 "$last" 2>&1)"
	return 1
}

# ---- pull ----------------------------------------------------------------------------------------

# Is it worth asking the registry again, by what docker said of it?  Pauses before that.  busy is empty at first.
is_busy() { # TEXT
	local until pause
	[[ ${1,,} =~ $BUSY_WORDS ]] || return 1
	read -r until pause <<<"${busy:-$((SECONDS + BUSY_SECONDS)) 1}"
	busy="$until $((pause * 2))"
	((SECONDS + pause <= until)) || return 1
	say "${image%%/*} is busy, asked again in $pause s: $(last_line "$1")"
	run_loose $((pause + 5)) sleep "$pause"
}

pull() {
	local words status=0 busy='' with_login=(env)
	image_id wanted "$image" || status=$?
	if ((status == 0)); then
		note_release
		return "$?"
	fi
	[[ $release != target:* || $status == 1 ]] ||
		die 75 "docker does not say whether it has $image; nothing was changed there (see docker image ls there; try again)"
	[[ $release != target:* ]] || die "$missing" "what ran before deploybot is not kept there any more: no image $image"
	check_disk
	if [[ -n $user ]]; then
		# The user's own configuration says which dockerd, ours has the login.
		words=$("${engine[@]}" context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || words=
		with_login=(env DOCKER_CONFIG="$private" ${words:+DOCKER_HOST="${DOCKER_HOST:-$words}"})
		while ! words=$(printf '%s' "$password" | timeout -k 5 "$ASK_SECONDS" "${with_login[@]}" docker login \
			--username "$user" --password-stdin "${image%%/*}" 2>&1); do
			is_busy "$words" || die 66 "the registry ${image%%/*} refused the login from there: $(last_line "$words")"
		done
	fi
	say "pull $image"
	busy=
	while :; do
		status=0
		run_loose "$PULL_SECONDS" "${with_login[@]}" docker pull --quiet "$image" >"$private/words" 2>&1 || status=$?
		read_file words "$private/words"
		((status != 0)) && is_busy "$words" || break
	done
	[[ -z $user ]] || rm -f -- "$private/config.json"
	if ((status == 0)); then
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
	local free
	[[ -n $root ]] || root=$("${engine[@]}" info --format '{{.DockerRootDir}}' 2>/dev/null) || root=
	[[ -n $root ]] && free=$(df -Pk -- "$root" 2>/dev/null) || free=$(df -Pk /)
	free=${free##*$'\n'}
	# shellcheck disable=SC2086 # a line of words
	set -- $free
	if (($4 < FREE_KILOBYTES)); then
		die 70 "the disk is full: $(($4 / 1024)) MB are free on ${*:6} ($1), 1024 are needed: see \"docker system df\""
	fi
	free_gigabytes=$(($4 / 1048576))
}
