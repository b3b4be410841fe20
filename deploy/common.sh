# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# common.sh - what the scripts in deploy/ share: checks, steps, deadlines, clean-up, the lock.
# SPDX-License-Identifier: ISC
# Sourced, never run.  Nothing here is ever part of a command that a shell parses again.  What a transport may use is
# described in docs/transports.md.

# Exit codes that the server understands; up to 69 the target was not touched.
readonly EXIT_INPUT=64 EXIT_BUILD=65 EXIT_REGISTRY=66 EXIT_UNREACHABLE=69 EXIT_REFUSED=70 EXIT_BUSY=75 EXIT_CONFIG=78
export EXIT_BUILD EXIT_REGISTRY EXIT_UNREACHABLE EXIT_REFUSED # used by those who source this

# No git, of ours or of what we start, takes a folder for a repository because of the files in it: a commit may have the
# files of one, whose configuration names programs.  Those of ours are named by --git-dir.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.bareRepository GIT_CONFIG_VALUE_0=explicit
# For env(1): what git_setup has for our own git, which nobody else needs.
readonly WITHOUT_GIT_LOGIN=(-u GIT_ASKPASS -u GIT_SSH_COMMAND -u REPOSITORY_TOKEN_FILE)

# Between TERM and KILL: what a client needs to tell its daemon that it goes.
: "${KILL_SECONDS:=10}"

# The reason of this run's failure, and whether more was said behind it.
failure='' said_more=''

# Prints a line of ours, and no other, whatever names, URLs and answers of others stand in it: what begins a line is read
# as a step.  Nor is there what cannot be seen and changes what is (lib/clean.h): U+061C, 200B-F, 2028-E, 2060-F, FEFF.
say() { # FORMAT-OF-ONE-LINE TEXT...
	local text=("${@:2}") LC_ALL
	text=("${text[@]//[[:cntrl:]]/ }")
	LC_ALL=C # bytes, in whatever language we run
	text=("${text[@]//$'\xe2\x80'[$'\x8b'-$'\x8f'$'\xa8'-$'\xae']/}")
	text=("${text[@]//$'\xe2\x81'[$'\xa0'-$'\xaf']/}")
	text=("${text[@]//$'\xef\xbb\xbf'/}")
	text=("${text[@]//$'\xd8\x9c'/}")
	text=("${text[@]//$'\xc2'[$'\x80'-$'\x9f']/ }")
	# shellcheck disable=SC2059 # the format is ours
	printf "$1\n" "${text[@]}"
}

# The last line that people read in chat: what failed, with which value, and what to do.
fail() { # STATUS TEXT
	tell_failure "$2"
	exit "$1"
}

tell_failure() { # TEXT
	failure=$1 said_more=
	say '%s: %s' "${0##*/}" "$1" >&2
}

# The same of several lines, of our own program.
fail_in_lines() { # STATUS TEXT
	local lines line
	mapfile -t lines <<<"$2"
	for line in "${lines[@]:0:${#lines[@]}-1}"; do
		say '%s' "$line" >&2
	done
	fail "$1" "${lines[-1]}"
}

warn() { # TEXT
	said_more=yes
	say 'warning: %s' "$1" >&2
}

# For people, who do not read the log: the deployment's message has it too, and `deploybot doctor ENV`.
warn_people() { # TEXT
	said_more=yes
	say '==> warning %s' "$1" >&2
}

step() { # NAME
	said_more=yes
	say '==> %s' "$1"
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
	read_settings "$1"
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
	for runner in "${DEPLOYBOT_RUNNER:-$here/../deploybot-runner}" "$here/../build/deploybot-runner" ''; do
		[[ -n $runner ]] || runner=$(type -P deploybot-runner) || break
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
	said=$("$runner" --check-settings 2>&1) || fail_in_lines "$EXIT_CONFIG" "${said:-$runner --check-settings failed}"
}

# By hand: every setting becomes what it is for this environment, <ENV>_NAME or an application's file before NAME, as the
# runner hands it over; out of the environment goes what is another one's.
read_settings() { # ENV
	local runner said word handed=() wait
	[[ ${DEPLOYBOT_SETTINGS:-} != checked ]] || return 0
	find_setting wait "$1" IMAGE_WAIT_SECONDS
	wait+=${IMAGE_WAIT_SECONDS:-}
	find_runner
	if [[ $1 == */* ]]; then
		export APPS_DIRECTORY=${APPS_DIRECTORY:-/etc/deploybot/apps}
	else
		check_settings # it names all that is wrong
	fi
	# Its last word says that all came: bash (5.2) loses the end of such a process now and then, and `wait` fails.
	mapfile -d '' -t handed < <("$runner" --settings "$1" 2>/dev/null && printf 'whole\0')
	((${#handed[@]} > 0)) && [[ ${handed[-1]} == whole ]] || { # once more, for what it says
		said=$("$runner" --settings "$1" 2>&1 >/dev/null) || true
		fail_in_lines "$EXIT_CONFIG" "${said:-$runner --settings $1 failed}"
	}
	for word in "${handed[@]:0:${#handed[@]}-1}"; do
		if [[ $word == *=* ]]; then
			export "${word?}"
		else
			unset "$word"
		fi
	done
	[[ $1 == */* || -n $wait ]] || unset IMAGE_WAIT_SECONDS # a person does not wait for CI, unless it is said
	DEPLOYBOT_SETTINGS=checked
}

# Fills `words` with those of a command that no shell is to read.
check_words() { # SETTING TEXT
	local word
	read -r -a words <<<"$2"
	((${#words[@]} > 0)) || fail "$EXIT_CONFIG" "$1 is not set"
	for word in "${words[@]}"; do
		[[ $word =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || fail "$EXIT_CONFIG" "$1: no plain word: ${word@Q}"
	done
}

# Scripts compare with true and false alone; deploybot-runner hands over nothing else.
check_bool() { # NAME: its value, or the one that it has already
	[[ ${!1} == true || ${!1} == false ]] || fail "$EXIT_CONFIG" "$1 is neither true nor false: ${!1@Q}"
}

# Fills VARIABLE with a file's text, or its first line, which need not end; empty where it cannot be read.  Bash calls the
# end a failure: there is no NUL, or no newline.
read_all() { # VARIABLE FILE
	printf -v "$1" ''
	IFS= read -r -d '' "$1" <"$2" || true
}

read_line() { # VARIABLE FILE
	printf -v "$1" ''
	IFS= read -r "$1" <"$2" || true
}

need_tool() { # PROGRAM PACKAGE
	command -v -- "$1" >/dev/null ||
		fail "$EXIT_CONFIG" "the program $1 is missing: install it where deploybot's runner is (Debian: apt-get install $2)"
}

# A key or password that others may read is nobody's secret; ssh refuses such a key too, but says less.
check_secret() { # SETTING PATH
	local mode
	[[ ! -f $2 || -r $2 ]] || fail "$EXIT_CONFIG" "$1: $2 is not to be read by user $(id -un): sudo chown $(id -un) $2"
	[[ -f $2 ]] || fail "$EXIT_CONFIG" "$1: there is no file $2 that deploybot may read: put it there or set $1"
	[[ $2 != /proc/+([0-9])/fd/+([0-9]) ]] || return 0 # the runner's: in memory, and as closed to others as the process
	mode=$(stat -L -c %a -- "$2")
	if (((8#$mode & 8#007) != 0)) || { [[ -O $2 ]] && (((8#$mode & 8#077) != 0)); }; then
		fail "$EXIT_CONFIG" "$1: others may read $2 (mode $mode): chmod 600 $2"
	fi
}

# Fills VARIABLE with the environment's setting, empty when it is not set: of staging and PORT it is STAGING_PORT.
find_setting() { # VARIABLE ENV NAME
	local setting_name
	find_name "${@:2}"
	printf -v "$1" %s "${!setting_name:-}"
}

# Fills setting_name with what that setting is called; an application's are called as everybody's.
find_name() { # ENV NAME
	setting_name=${1##*/}
	setting_name=${setting_name^^}
	setting_name=${setting_name//-/_}_$2
}

# The same printed, which costs a process.
setting_of() { # ENV NAME
	local value
	find_setting value "$@"
	printf '%s' "$value"
}

name_of() { # ENV NAME
	local setting_name
	find_name "$@"
	printf '%s' "$setting_name"
}

# Fills VARIABLE with the environment's hosts, a comma between, and hosts_setting with what says which they are.
find_hosts() { # VARIABLE
	local path line named=() lines=() setting_name
	find_setting "$1" "$environment" HOST
	find_setting path "$environment" HOSTS_FILE
	find_name "$environment" HOST
	hosts_setting=$setting_name
	[[ -n $path ]] || return 0
	find_name "$environment" HOSTS_FILE
	[[ -z ${!1} ]] ||
		fail "$EXIT_CONFIG" "$hosts_setting and $setting_name are both set: take one of them out"
	hosts_setting=$setting_name
	[[ -f $path && -r $path ]] || fail "$EXIT_CONFIG" "$hosts_setting: there is no file $path that may be read"
	mapfile -t -n 20000 lines <"$path"
	for line in ${lines[@]+"${lines[@]}"}; do
		[[ ! $line =~ ^[[:space:]]*(#|$) ]] || continue
		[[ $line =~ ^[[:blank:]]*(([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)[[:space:]]*(#.*)?$ ]] ||
			fail "$EXIT_CONFIG" "$hosts_setting: $path: no HOST or HOST:PORT: ${line@Q}"
		named+=("${BASH_REMATCH[1]}")
	done
	((${#named[@]} > 0 && ${#named[@]} <= 1000)) ||
		fail "$EXIT_CONFIG" "$hosts_setting: $path names ${#named[@]} hosts: 1 to 1000, one on each line"
	printf -v path '%s,' "${named[@]}"
	printf -v "$1" %s "${path%,}"
}

# Appends to hosts and ports those of a list as check_settings takes it: h1,h2:2222,[2001:db8::1]:22.
add_hosts() { # LIST
	local entry
	[[ -n $1 ]] || return 0
	while IFS= read -r entry; do
		[[ $entry =~ ^(\[(.*)\]|([^:]*))(:(.*))?$ ]]
		hosts+=("${BASH_REMATCH[2]}${BASH_REMATCH[3]}")
		ports+=("${BASH_REMATCH[5]:-22}")
	done <<<"${1//,/$'\n'}"
}

# Fills VARIABLE with ssh's name of a host, as it stands in known_hosts.
known_as() { # VARIABLE HOST PORT
	printf -v "$1" %s "$2"
	[[ $3 == 22 ]] || printf -v "$1" '[%s]:%s' "$2" "$3"
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
	catches=no
	trap : TERM INT HUP # a second one does not cut the clean-up short
	while ((${#at_exit_words[@]} > 0)); do
		count=${at_exit_words[0]}
		"${at_exit_words[@]:1:count}" || true # the others are to be done all the same
		at_exit_words=("${at_exit_words[@]:count+1}")
	done
	[[ -z $failure || -n ${RUN_ID:-} ]] || add_migration
	[[ -z $failure || -z $said_more ]] || tell_failure "$failure" # it stands last, whatever the clean-up has said
	# Up to 69 says that the target is untouched: whoever failed so, it is not true any more.
	if [[ -n ${release_began:-}${migration:-} ]] && ((status >= EXIT_INPUT && status <= EXIT_UNREACHABLE)); then
		exit "$EXIT_REFUSED"
	fi
}

on_signal() { # STATUS
	local child running
	catches=no
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
	tell_failure "ended by a signal$(what_is_left)"
	exit "$1"
}

# What somebody who works by hand has to know behind any failure: of a run of deploybot's the server says it.
add_migration() {
	local is=''
	case ${migration:-} in
	ran) is="its migration ran, and that stays" ;;
	stopped) is="its migration was stopped, and the database may be half migrated" ;;
	left) is="its migration may still be running, ${migration_at:-as $migration_name}, and the database may be half migrated" ;;
	*) return 0 ;;
	esac
	failure+="; $is" said_more=yes
	[[ -n ${release_began:-} ]] || failure+="; nothing was released"
}

# Prints a command, which somebody who works by hand may take: of a run of deploybot's it is the server that rolls back.
by_hand() { # FORMAT WORD...
	# shellcheck disable=SC2059 # the format is ours
	[[ -n ${RUN_ID:-} ]] || printf "$@"
}

# What a rollback by hand needs too: without it one stops before a barrier.
past_barriers() {
	[[ ${barred:-no} == no && ${past:-no} == no ]] || printf ' --past'
}

where_it_runs() {
	local where=''
	! declare -F transport_reached >/dev/null || where=$(transport_reached)
	[[ -z $where ]] || where=": $where"
	printf '%s' "${where:-, on some hosts or on all}"
}

# Behind `==> release`, and what helps.
what_is_left() {
	[[ ${awaits_migration:-no} == no ]] ||
		printf '; it waited for an earlier migration, its own had not begun, and nothing was changed'
	[[ -n ${release_began:-} ]] || return 0
	if [[ $shipped == yes ]]; then
		printf '; %s runs, and what comes behind that (hooks, clean-up) was not finished' "$release"
	elif [[ $act == rollback ]]; then
		printf '; the rollback had begun%s' "$(where_it_runs)"
		by_hand ': deploy/rollback.sh %s %s%s goes on with it' "$environment" "$release" "$(past_barriers)"
	else
		printf '; the release had begun%s' "$(where_it_runs)"
		by_hand ': deploy/deploy.sh %s %s goes on with it' "$environment" "$release"
		[[ -z $PREVIOUS_RELEASE ]] ||
			by_hand ', deploy/rollback.sh %s %s%s rolls it back' "$environment" "$PREVIOUS_RELEASE" "$(past_barriers)"
	fi
}

catch_signals() {
	catches=yes
	trap 'on_signal 143' TERM
	trap 'on_signal 130' INT
	trap 'on_signal 129' HUP
}

# Reads a line of a pipe that we have open to write too; fails where none comes within SECONDS.  A signal that comes
# meanwhile is handled behind it: bash (5.2) would do so within `read`, where it learns of no child's end.
read_within() { # SECONDS FD VARIABLE
	local status=0 told='' fd=$2 caught=${catches:-no}
	if [[ $caught == yes ]]; then
		trap 'told=143; echo >&"$fd"' TERM
		trap 'told=130; echo >&"$fd"' INT
		trap 'told=129; echo >&"$fd"' HUP
	fi
	read -r -t "$1" -u "$fd" "$3" || status=$?
	[[ $caught == no ]] || catch_signals
	[[ -z $told ]] || on_signal "$told"
	return "$status"
}

# Runs CMD (no function) with a deadline of its own, in a process group of its own; stdin is handed on, its status is
# returned.  At the deadline the group gets TERM, then KILL, and is_over is yes.  TERM to us ends it at once, which is why
# it must not stand in $( ) or a pipe, where bash handles no signal: `asked` is for that.  A subshell in the background,
# with its own `bounded`, is fine.
bounded() { # SECONDS CMD...
	local seconds=$1 child status=0 began=$EPOCHSECONDS
	shift
	is_over=no
	[[ $BASHPID == "$$" ]] || catch_signals
	timeout --kill-after="$KILL_SECONDS" "$seconds" "$@" <&0 &
	child=$!
	wait "$child" || status=$?
	if ((status == 124 || status == 137)) && ((EPOCHSECONDS - began >= seconds)); then
		kill -KILL -- "-$child" 2>/dev/null || true # those who did not hear TERM, and whose parent did
		is_over=yes
	fi
	return "$status"
}

# As bounded, but at the deadline we fail with 75, and say so on stderr: whoever redirects that loses the reason, so
# `make lint` refuses it.
limited() { # SECONDS WHAT CMD...
	local status=0
	bounded "$1" "${@:3}" || status=$?
	[[ $is_over == no ]] || fail "$EXIT_BUSY" "$2 took longer than $1 s"
	return "$status"
}

# As limited, without a word of CMD's.
silently() { # SECONDS WHAT CMD...
	# shellcheck disable=SC2016 # those words are bash's
	limited "$1" "$2" bash -c 'exec "$@" >/dev/null 2>&1' - "${@:3}"
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
	quote_word='' said_more=yes
	[[ -z ${RUN_ID:-} || $act == ask || -n ${is_kept_back:-} ]] || quote_word=$SRANDOM$SRANDOM
	[[ -z $quote_word ]] || step "quote $quote_word"
}

unquote() {
	[[ -z ${quote_word:-} ]] || printf '\n==> unquote %s\n' "$quote_word"
	quote_word=
}

# As limited, with what CMD printed in `answer`; stderr stays in the log.  The file is emptied, and removed at our end.
asked() { # SECONDS WHAT CMD...
	local status=0
	answered "$1" "${@:3}" || status=$?
	[[ $is_over == no ]] || fail "$EXIT_BUSY" "$2 took longer than $1 s"
	return "$status"
}

# As asked, but its deadline is no failure: is_over says so.
answered() { # SECONDS CMD...
	local status=0 file=$app/answer.$act.$BASHPID
	bounded "$@" >"$file" || status=$?
	read_all answer "$file"
	: >"$file" || true
	return "$status"
}

# ---- the place of a run --------------------------------------------------------------------------

# Fills environment, environment_file, which is its name on disk (shop.staging), state_file and app,
# STATE_DIRECTORY/apps/ENV, and makes the latter.
find_place() { # ENV
	local owner
	check_environment "$1"
	environment=$1
	environment_file=${environment/\//.}
	app=${STATE_DIRECTORY:=/var/lib/deploybot}/apps/$environment_file
	state_file=$STATE_DIRECTORY/environments/$environment_file.json
	umask 077
	HOME=${HOME:-/} APPLICATION=
	[[ $environment != */* ]] || APPLICATION=${environment%/*}
	export STATE_DIRECTORY HOME APPLICATION ENVIRONMENT=${environment##*/}
	# What root made there the runner could not write: its next deployment would fail.
	if [[ -d ${app%/*} && ! -O ${app%/*} ]]; then
		owner=$(stat -c %U -- "${app%/*}")
		fail "$EXIT_CONFIG" "${app%/*} belongs to $owner, and this runs as $(me): run it as $owner"
	fi
	take_former_place
	[[ -d $app ]] || mkdir -p -- "$app" ||
		fail "$EXIT_CONFIG" "$app cannot be made by $(me): run this as the user of deploybot's runner, or set \
STATE_DIRECTORY"
}

# A client that is no environment has a folder and a lock of its own.
find_target() { # TARGET
	if [[ $1 =~ ^client/[a-z0-9][a-z0-9-]{0,30}$ ]]; then
		environment=$1 app=${STATE_DIRECTORY:=/var/lib/deploybot}/apps/client.${1#*/}
		umask 077
		mkdir -p -- "$app" || fail "$EXIT_CONFIG" "$app cannot be made: run this as the user of deploybot's runner"
	else
		find_place "$1"
	fi
}

# Prints who we are.
me() {
	id -un 2>/dev/null || id -u
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
	rm -f -- "$app"/{lock,ask.lock,drain.lock,clean.lock}
	[[ ! -d $app/releases ]] || rmdir --ignore-fail-on-non-empty -- "$app/releases"
	rmdir -- "$app" || fail "$EXIT_CONFIG" "$former_app and $app have both something: keep the one that $environment is to \
go on with"
}

# What ran when its folder was moved runs no more.
leave_former_place() {
	[[ -z $former_app || ! -L $former_app ]] || rm -f -- "$former_app"
}

: "${DRAIN_LOCK_SECONDS:=60}" "${ASK_LOCK_SECONDS:=10}"

# One at a time.  What we start holds the lock too: nobody else begins while something of a killed run still works on
# the target.  Who only asks has a lock of his own, and so has a drain; of both the one before is about to end.
take_lock() { # WHAT
	local holder='' lock=$app/lock patience=0
	private_notes=$app/private
	if [[ $act == @(ask|drain|clean) ]]; then
		lock=$app/$act.lock private_notes=$app/$act.private
	fi
	[[ $act != @(drain|clean) ]] || patience=$DRAIN_LOCK_SECONDS
	[[ $act != ask ]] || patience=$ASK_LOCK_SECONDS
	exec 8>>"$lock" || fail "$EXIT_CONFIG" "$lock cannot be written: is STATE_DIRECTORY deploybot's own?"
	if ! flock -w "$patience" 8; then
		read_line holder "$lock"
		[[ $act != ask ]] ||
			fail "$EXIT_BUSY" "somebody else asks $environment (${holder:-unnamed}): try again when that has ended"
		fail "$EXIT_BUSY" "something else is being released to $environment (${holder:-unnamed}): wait for it, or cancel it"
	fi
	{ printf '%s, process %s, since %(%F %T %Z)T\n' "$1" "$$" -1 >"$lock"; } 2>/dev/null || true # a full disk
	catch_signals
	trap on_exit EXIT
	remove_private
	at_exit remove_private
}

# Under the lock, for a target that keeps no number itself: behind a later run of the same installation, whose number stands
# beside the lock, one that was given up before it came so far does nothing more.
refuse_late() {
	local of='' highest=0 run=${RUN_ID:-}
	run=${run%%-*}
	[[ -n $run && -n ${INSTALLATION_ID:-} && $act != @(ask|drain|clean) ]] || return 0
	if [[ -s $app/last-run ]]; then
		read -r of highest <"$app/last-run" ||
			fail "$EXIT_BUSY" "$app/last-run cannot be read: which run was last here is not known"
	fi
	[[ $of == "$INSTALLATION_ID" && $highest =~ ^[1-9][0-9]{0,17}$ ]] || highest=0
	((highest <= run)) || fail "$EXIT_BUSY" "a later run was here: run $run is over for $environment since run $highest has \
begun, and does nothing more"
	{ printf '%s %s\n' "$INSTALLATION_ID" "$run" >"$app/last-run.new" && mv -f -- "$app/last-run.new" "$app/last-run"; } ||
		warn "$app/last-run cannot be written: an earlier run that still goes on elsewhere is not refused"
}

# Fills VARIABLE with a new folder, mode 0700, for what is nobody else's: in memory where that is possible.  It is gone at
# exit; when we were killed, the next run removes it, by the note of its name that is written before it is made.
make_private() { # VARIABLE
	local new_folder own=$BASHPID.${EPOCHREALTIME//[.,]/}
	for new_folder in "/dev/shm/deploybot.$own" "$app/private.d.$own"; do
		printf '%s\n' "$new_folder" >>"$private_notes"
		if mkdir -m 0700 -- "$new_folder" 2>/dev/null; then
			printf -v "$1" %s "$new_folder"
			return "$?"
		fi
	done
	fail "$EXIT_CONFIG" "no private folder can be made in /dev/shm or $app"
}

# The same printed, which costs a process.
private_folder() {
	local made
	make_private made
	printf '%s' "$made"
}

# And what `asked` has left.
remove_private() {
	local folder traces=("$app/answer.$act".*)
	[[ -e ${traces[0]} ]] || traces=()
	if [[ -e $private_notes ]]; then
		while IFS= read -r folder; do
			if [[ $folder == @(/dev/shm/deploybot|"$app"/private.d).+([0-9]).+([0-9]) ]]; then
				traces+=("$folder")
			fi
		done <"$private_notes"
		traces+=("$private_notes") # the last, as it names the others
	fi
	((${#traces[@]} == 0)) || rm -rf -- "${traces[@]}" 2>/dev/null || true # one may be somebody else's by now
}
