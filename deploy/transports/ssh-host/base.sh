# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# base.sh - the first of what works on a target host: what is said there, what is waited for, and files.  Stays nowhere.
# SPDX-License-Identifier: ISC
# base.sh, containers.sh, up.sh, images.sh, file.sh, kept.sh, paths.sh, services.sh, ports.sh, recreate.sh, bluegreen.sh (where
# that is the strategy), acts.sh, guard.sh and main.sh, as if they were one, come over ssh to `bash -s -- ACT NAME=VALUE...`,
# and five lines behind them: the registry's user and password, SMOKE_URL, NGINX_RELOAD_COMMAND and a compose file (base64),
# each may be empty.  Then stdin stays open: its end says that they who sent us are gone.  base.sh takes from none of them;
# units.sh says what systemd.sh sends.
# stdout is the log; stderr ends with what went wrong; the exit status is deploy.sh's.  Needs bash 4.2 and docker with
# compose.  What it keeps in the compose file's folder:
#   .env                  our lines in it: DEPLOY_IMAGE, DEPLOY_PORT, and COMPOSE_FILE (file.sh)
#   .deploybot.lock       who holds it works here; says where the private folder is
#   .deploybot.runs       INSTALLATION RUN, the highest number of a run of each that worked here
#   .deploybot.before/    what ran, while that is being replaced.  Who finds it without holder brings it back
#   .deploybot.nginx      which upstream file nginx has surely read, the port in it, and the process of that nginx
#   .deploybot.made       bluegreen: PORT CONTAINER SUM RESTARTS, by what compose made the container of, and how often docker
#                         had started it anew when it was ready; the last is to be switched to
#   .deploybot.drain      bluegreen: what a switch has left running: DEPLOYMENT PORT SECONDS-OF-UPTIME, then the workers
#                         of nginx that had requests for it, or `blind`;  .deploybot.drain.kept: it is to serve again;
#                         .deploybot.drain.cut: a start has ended it, and no switch has come
#   .deploybot.ending     bluegreen: the containers whose stop has begun
#   .deploybot.releases   COMMIT@sha256:DIGEST of every release that was here
#   .deploybot.compose    which compose file came with which of them, and .deploybot.compose.SUM.yml, these files;
#                         .deploybot.compose.SUM.unjudged: that one is here, and what compose makes of it is not judged yet
#   .deploybot.with.DIGEST/  the host's own compose files that a release was made with (kept.sh)
#   .deploybot.target     WORD for what ran before deploybot: its image is deploybot-before:WORD; WORD.SERVICE for each
#                         other service that ran
#   NAME.deploybot        what NAME is to become, while that is written; of one who was killed it is nothing
# Two processes work: the worker does the act, the guard waits for it.  Whichever is killed, the other one leaves the
# host whole; where both are, the next act does.
set -euo pipefail

readonly BARRIER=.deploybot/no-rollback
readonly JOB_SECONDS=86400 # they who sent us end it before that
readonly ASK_SECONDS=60    # docker or systemd answers questions within seconds, or something is wrong with it
rollback=no                # ssh.sh and systemd.sh say so
# What a release may take to come up; the most that what it replaces may say it takes to end, and what comes on top of that.
readonly UP_SECONDS=180 GRACE_MAX=1800 UP_WORK_SECONDS=150
up_seconds=$UP_SECONDS # ssh.sh says so where services have a longer grace, units.sh where units have

# Ends us (never in $( ), where it would end that); TEXT is said last, with what has become of the host.
die() { # STATUS TEXT
	why=${why:+"$why; "}$2
	exit "$1"
}

# They who read may be gone, and what is to be done here is done all the same.
say() { # TEXT
	printf '%s: %s\n' "$host" "$1" || true
}

# For people, who do not read the log: whoever sent us says it as a warning.
say_people() { # TEXT
	printf '%s: for people: %s\n' "$host" "$1" >&2 || true
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

# ---- http ----------------------------------------------------------------------------------------

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
