# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# common.sh - what the scripts in deploy/ share: checks, steps, deadlines, clean-up, the lock.
# SPDX-License-Identifier: ISC
# Sourced, never run.  Nothing here is ever part of a command that a shell parses again.  What a transport may use is
# described in docs/transports.md.

# Exit codes that the server understands; up to 69 the target was not touched.
readonly EXIT_INPUT=64 EXIT_BUILD=65 EXIT_REGISTRY=66 EXIT_UNREACHABLE=69 EXIT_REFUSED=70 EXIT_BUSY=75 EXIT_CONFIG=78
export EXIT_BUILD EXIT_REGISTRY EXIT_UNREACHABLE EXIT_REFUSED # used by those who source this

# Between TERM and KILL: what a client needs to tell its daemon that it goes.
: "${KILL_SECONDS:=10}"

# The last line that people read in chat: what failed, with which value, and what to do.
fail() { # STATUS TEXT
	printf '%s: %s\n' "${0##*/}" "$2" >&2
	exit "$1"
}

warn() { # TEXT
	printf 'warning: %s\n' "$1" >&2
}

step() { # NAME
	printf '==> %s\n' "$1"
}

# ---- checks --------------------------------------------------------------------------------------

check_environment_name() { # ENV
	local name='[a-z][a-z0-9-]{0,19}'
	[[ $1 =~ ^($name/)?($name)$ ]] || fail "$EXIT_INPUT" "no name of an environment: ${1@Q}"
}

# Of an application it is APPLICATION/ENVIRONMENT, whose settings stand in a file of their own.
check_environment() { # ENV
	local known
	check_environment_name "$1"
	[[ $1 != */* ]] || read_application "$1"
	known=${ENVIRONMENTS:-staging,production}
	[[ ,${known// /}, == *",${1##*/},"* ]] || fail "$EXIT_INPUT" "unknown environment: $1 (there are: $known)"
}

check_commit() { # COMMIT: all its digits, as two commits may begin alike
	[[ $1 =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] ||
		fail "$EXIT_INPUT" "no commit: ${1@Q} (all 40 or 64 digits of it, in lower case)"
}

check_release() { # RELEASE: COMMIT or COMMIT@sha256:DIGEST, or target:WORD, what ran before deploybot
	[[ $1 =~ ^([0-9a-f]{40}|[0-9a-f]{64})(@sha256:[0-9a-f]{64})?$ || $1 =~ ^target:[a-z0-9][a-z0-9.-]{0,29}$ ]] ||
		fail "$EXIT_INPUT" "no release: ${1@Q} (COMMIT or COMMIT@sha256:DIGEST)"
}

check_number() { # NAME VALUE
	[[ $2 =~ ^[1-9][0-9]{0,17}$ ]] || fail "$EXIT_INPUT" "$1 is no number: ${2@Q}"
}

# Fills runner with where deploybot-runner is: it knows what each setting may be.
find_runner() {
	for runner in "${DEPLOYBOT_RUNNER:-$here/../deploybot-runner}" "$here/../build/deploybot-runner" \
		"$(type -P deploybot-runner)"; do
		[[ ! -f $runner || ! -x $runner ]] || return 0
		[[ -z ${DEPLOYBOT_RUNNER:-} ]] || break
	done
	fail "$EXIT_CONFIG" "the settings cannot be checked: no program deploybot-runner is ${DEPLOYBOT_RUNNER:-beside \
${here@Q} or in PATH}: set DEPLOYBOT_RUNNER to where it is"
}

# Who was started by it has what it has looked at.
check_settings() {
	local runner said
	[[ ${DEPLOYBOT_SETTINGS:-} != checked ]] || return 0
	find_runner
	said=$("$runner" --check-settings 2>&1) || fail "$EXIT_CONFIG" "${said:-$runner --check-settings failed}"
}

# By hand: takes the application's settings from its file, and out of the environment what is another one's.
read_application() { # ENV
	local runner said word
	[[ ${DEPLOYBOT_SETTINGS:-} != checked ]] || return 0
	find_runner
	export APPS_DIRECTORY=${APPS_DIRECTORY:-/etc/deploybot/apps}
	said=$("$runner" --settings "$1" 2>&1 >/dev/null) || fail "$EXIT_CONFIG" "${said:-$runner --settings $1 failed}"
	while IFS= read -r -d '' word; do
		if [[ $word == *=* ]]; then
			export "${word?}"
		else
			unset "$word"
		fi
	done < <("$runner" --settings "$1")
	DEPLOYBOT_SETTINGS=checked
}

# Scripts compare with true and false alone; deploybot-runner hands over nothing else.
check_bool() { # NAME: its value, or the one that it has already
	[[ ${!1} == true || ${!1} == false ]] || fail "$EXIT_CONFIG" "$1 is neither true nor false: ${!1@Q}"
}

# Fills VARIABLE with a file's text, or its first line, which need not end.  Bash calls that a failure: there is no NUL,
# or no newline.
read_all() { # VARIABLE FILE
	IFS= read -r -d '' "$1" <"$2" || true
}

read_line() { # VARIABLE FILE
	IFS= read -r "$1" <"$2" || true
}

need_tool() { # PROGRAM PACKAGE
	command -v -- "$1" >/dev/null ||
		fail "$EXIT_CONFIG" "the program $1 is missing: install it where deploybot's runner is (Debian: apt-get install $2)"
}

# A key or password that others may read is nobody's secret; ssh refuses such a key too, but says less.
check_secret() { # SETTING PATH
	local mode
	[[ -f $2 && -r $2 ]] || fail "$EXIT_CONFIG" "$1: there is no file $2 that deploybot may read: put it there or set $1"
	[[ $2 != /proc/+([0-9])/fd/+([0-9]) ]] || return 0 # the runner's: in memory, and as closed to others as the process
	mode=$(stat -L -c %a -- "$2")
	if (((8#$mode & 8#007) != 0)) || { [[ -O $2 ]] && (((8#$mode & 8#077) != 0)); }; then
		fail "$EXIT_CONFIG" "$1: others may read $2 (mode $mode): chmod 600 $2"
	fi
}

# Prints the environment's setting, empty when it is not set: setting_of staging PORT reads STAGING_PORT.
setting_of() { # ENV NAME
	local name
	name=$(name_of "$@")
	printf '%s' "${!name:-}"
}

# Prints what that setting is called; an application's are called as everybody's.
name_of() { # ENV NAME
	local name=${1##*/}
	name=${name^^}
	printf '%s' "${name//-/_}_$2"
}

# ---- clean-up and deadlines ----------------------------------------------------------------------

at_exit_words=() # how many, the words; the newest first

# What is to be done whatever happens; the newest first.  Only from the main shell: a subshell has an exit of its own.
at_exit() { # CMD...
	at_exit_words=("$#" "$@" ${at_exit_words[@]+"${at_exit_words[@]}"})
}

on_exit() {
	local status=$? count
	trap - EXIT
	trap : TERM INT HUP # a second one does not cut the clean-up short
	while ((${#at_exit_words[@]} > 0)); do
		count=${at_exit_words[0]}
		"${at_exit_words[@]:1:count}" || true # the others are to be done all the same
		at_exit_words=("${at_exit_words[@]:count+1}")
	done
	# Up to 69 says that the target is untouched: whoever failed so, it is not true any more.
	if [[ -n ${release_began:-} ]] && ((status >= EXIT_INPUT && status <= EXIT_UNREACHABLE)); then
		exit "$EXIT_REFUSED"
	fi
}

on_signal() { # STATUS
	local child running
	trap : TERM INT HUP
	mapfile -t running < <(jobs -p)
	for child in ${running[@]+"${running[@]}"}; do
		kill -TERM "$child" 2>/dev/null || true # it may have ended, here and below
	done
	sleep 0.2
	for child in ${running[@]+"${running[@]}"}; do
		kill -TERM "$child" 2>/dev/null || true # one that was just being started may not have heard the first
	done
	wait # `timeout` passed it on, and sends KILL when that is not heard
	for child in ${running[@]+"${running[@]}"}; do
		kill -KILL -- "-$child" 2>/dev/null || true # the group of one that died before it knew its child
	done
	printf '%s: ended by a signal\n' "${0##*/}" >&2
	exit "$1"
}

catch_signals() {
	trap 'on_signal 143' TERM
	trap 'on_signal 130' INT
	trap 'on_signal 129' HUP
}

# Runs CMD (no function) with a deadline of its own, in a process group of its own; stdin is handed on.  At the
# deadline the group gets TERM, then KILL, and we fail with 75; else its status is returned.  TERM to us ends it at once,
# which is why it must not stand in $( ) or a pipe, where bash hears nothing: `asked` is for that.  A subshell in the
# background, with its own `limited`, is fine.
limited() { # SECONDS WHAT CMD...
	local seconds=$1 what=$2 child status=0 began=$EPOCHSECONDS
	shift 2
	[[ $BASHPID == "$$" ]] || catch_signals
	timeout --kill-after="$KILL_SECONDS" "$seconds" "$@" <&0 &
	child=$!
	wait "$child" || status=$?
	if ((status == 124 || status == 137)) && ((EPOCHSECONDS - began >= seconds)); then
		kill -KILL -- "-$child" 2>/dev/null || true # those who did not hear TERM, and whose parent did
		fail "$EXIT_BUSY" "$what took longer than $seconds s"
	fi
	return "$status"
}

# As limited, for what shows words that others wrote: nothing that it prints is taken for a step or for our word on the
# release, and what follows begins a line of its own.
quoted() { # SECONDS WHAT CMD...
	local status=0
	quote
	limited "$@" || status=$?
	unquote
	return "$status"
}

# For what `quoted` cannot run.  Only of a run of deploybot's does a supervisor read the steps (RUN_ID); a person wants
# the words as they are.
quote() {
	quote_word=
	[[ -z ${RUN_ID:-} || $act == ask ]] || quote_word=$SRANDOM$SRANDOM
	[[ -z $quote_word ]] || step "quote $quote_word"
}

unquote() {
	[[ -z $quote_word ]] || printf '\n==> unquote %s\n' "$quote_word"
}

# As limited, with what CMD printed in `answer`; stderr stays in the log.
asked() { # SECONDS WHAT CMD...
	local status=0
	limited "$@" >"$app/answer.$act.$BASHPID" || status=$?
	read_all answer "$app/answer.$act.$BASHPID"
	rm -f -- "$app/answer.$act.$BASHPID"
	return "$status"
}

# ---- the place of a run --------------------------------------------------------------------------

# Fills environment, environment_file, which is its name on disk (shop.staging), state_file and app,
# STATE_DIRECTORY/apps/ENV, and makes the latter.
find_place() { # ENV
	local owner me
	check_environment "$1"
	environment=$1
	environment_file=${environment/\//.}
	app=${STATE_DIRECTORY:=/var/lib/deploybot}/apps/$environment_file
	state_file=$STATE_DIRECTORY/environments/$environment_file.json
	umask 077
	HOME=${HOME:-/} APPLICATION=
	[[ $environment != */* ]] || APPLICATION=${environment%/*}
	export STATE_DIRECTORY HOME APPLICATION ENVIRONMENT=${environment##*/}
	me=$(id -un 2>/dev/null || id -u)
	# What root made there the runner could not write: its next deployment would fail.
	if [[ -d ${app%/*} && ! -O ${app%/*} ]]; then
		owner=$(stat -c %U -- "${app%/*}")
		fail "$EXIT_CONFIG" "${app%/*} belongs to $owner, and this runs as $me: run it as $owner"
	fi
	take_former_place
	[[ -d $app ]] || mkdir -p -- "$app" ||
		fail "$EXIT_CONFIG" "$app cannot be made by $me: run this as the user of deploybot's runner, or set STATE_DIRECTORY"
}

# Of an application that was renamed: fills former, whose marks on a target are this one's, and moves what STATE_DIRECTORY
# keeps under that name, once, while nobody else works with it.  What runs may know its folder by the old path: until
# the next release that is a link.
take_former_place() {
	former='' former_app=
	[[ ! -L $app ]] || rm -f -- "$app" # of one that had this name before us
	[[ -n ${RENAMED_FROM:-} ]] || return 0
	former=$ENVIRONMENT
	[[ $RENAMED_FROM == . ]] || former=$RENAMED_FROM/$ENVIRONMENT
	check_environment_name "$former"
	former_app=${app%/*}/${former/\//.}
	[[ $former_app != "$app" && -d $former_app && ! -L $former_app && ! -e $app/before ]] || return 0
	{ exec 8>>"$former_app/lock"; } 2>/dev/null || [[ ! -d $former_app ]] ||
		fail "$EXIT_CONFIG" "$former_app/lock cannot be written: is STATE_DIRECTORY deploybot's own?"
	flock -n 8 || fail "$EXIT_BUSY" "something is being released to $environment under its former name $former: wait for it"
	if [[ ! -L $former_app && $former_app/lock -ef /dev/fd/8 ]]; then # else another act was faster
		make_room
		mv -T -- "$former_app" "$app" || fail "$EXIT_CONFIG" "$former_app cannot become $app"
		ln -s -- "${app##*/}" "$former_app" || warn "no link $former_app leads to $app"
		printf 'what was kept of %s is of %s from now on\n' "$former" "$environment"
	fi
	exec 8>&-
}

# Removes what a mere question has left under the new name.
make_room() {
	[[ -d $app ]] || return 0
	rm -f -- "$app"/{lock,ask.lock}
	[[ ! -d $app/releases ]] || rmdir --ignore-fail-on-non-empty -- "$app/releases"
	rmdir -- "$app" || fail "$EXIT_CONFIG" "$former_app and $app have both something: keep the one that $environment is to \
go on with"
}

# What ran when its folder was moved runs no more.
leave_former_place() {
	[[ -z $former_app || ! -L $former_app ]] || rm -f -- "$former_app"
}

# One at a time.  What we start holds the lock too: nobody else begins while something of a killed run still works on
# the target.  Who only asks has a lock of his own.
take_lock() { # WHAT
	local holder='' lock=$app/lock
	private_notes=$app/private
	if [[ $act == ask ]]; then
		lock=$app/ask.lock private_notes=$app/ask.private
	fi
	exec 8>>"$lock" || fail "$EXIT_CONFIG" "$lock cannot be written: is STATE_DIRECTORY deploybot's own?"
	if ! flock -n 8; then
		read_line holder "$lock"
		fail "$EXIT_BUSY" "something else is being released to $environment (${holder:-unnamed}): wait for it, or cancel it"
	fi
	printf '%s, process %s, since %(%F %T %Z)T\n' "$1" "$$" -1 >"$lock"
	catch_signals
	trap on_exit EXIT
	remove_private
	at_exit remove_private
	rm -f -- "$app/answer.$act".*
}

# Prints a new folder, mode 0700, for what is nobody else's: in memory where that is possible.  It is gone at exit; when
# we were killed, the next run removes it, by the note of its name that is written before it is made.
private_folder() {
	local folder
	for folder in "/dev/shm/deploybot.$BASHPID.${EPOCHREALTIME//[.,]/}" "$app/private.d.$BASHPID.${EPOCHREALTIME//[.,]/}"; do
		printf '%s\n' "$folder" >>"$private_notes"
		if mkdir -m 0700 -- "$folder" 2>/dev/null; then
			printf '%s' "$folder"
			return "$?"
		fi
	done
	fail "$EXIT_CONFIG" "no private folder can be made in /dev/shm or $app"
}

remove_private() {
	local folder
	[[ -e $private_notes ]] || return 0
	while IFS= read -r folder; do
		if [[ $folder == /dev/shm/deploybot.+([0-9]).+([0-9]) || $folder == "$app"/private.d.+([0-9]).+([0-9]) ]]; then
			rm -rf -- "$folder" 2>/dev/null || true # or somebody else's by now
		fi
	done <"$private_notes"
	rm -f -- "$private_notes"
}
