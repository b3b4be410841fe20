# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# act.sh - what deploy.sh, rollback.sh and target.sh do alike, with all that they need.
# SPDX-License-Identifier: ISC
# Sourced, never run.  `here` is the folder that the scripts are in.

# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/git.sh
. "$here/git.sh"
# shellcheck source=deploy/source.sh
. "$here/source.sh"
# shellcheck source=deploy/approved.sh
. "$here/approved.sh"
# shellcheck source=deploy/busy.sh
. "$here/busy.sh"
# shellcheck source=deploy/registry.sh
. "$here/registry.sh"
# shellcheck source=deploy/build.sh
. "$here/build.sh"
# shellcheck source=deploy/image.sh
. "$here/image.sh"
# shellcheck source=deploy/hooks.sh
. "$here/hooks.sh"
# shellcheck source=deploy/verify.sh
. "$here/verify.sh"

readonly BARRIER=.deploybot/no-rollback
: "${BARRIER_SECONDS:=60}"

# ---- the transport -------------------------------------------------------------------------------

# Sources transports/NAME.sh, and looks whether it defines what docs/transports.md says.
load_transport() { # HERE
	local here=$1 name=${DEPLOY_TRANSPORT:-ssh} there=() file
	[[ ${USE_KUBERNETES:-false} == true ]] && name=kubernetes
	if [[ ! -r $here/transports/$name.sh ]]; then
		for file in "$here"/transports/*.sh; do
			file=${file##*/}
			there+=("${file%.sh}")
		done
		fail "$EXIT_CONFIG" "there is no transport \"$name\" (DEPLOY_TRANSPORT); there are: ${there[*]}"
	fi
	[[ -z ${RUN_HOSTS:-} || $name == @(ssh|systemd|agent) ]] || fail "$EXIT_CONFIG" "the transport $name knows no hosts, and \
this run is for some of them (RUN_HOSTS): releases in waves are for ssh, systemd and agent"
	transport=$name transport_needs=
	# shellcheck disable=SC1090 # its name is a setting
	. "$here/transports/$name.sh"
	[[ $transport_needs == image || $transport_needs == source ]] ||
		fail "$EXIT_CONFIG" "transports/$name.sh says neither transport_needs=image nor transport_needs=source"
	for file in preflight ship current rollback logs; do
		declare -F "transport_$file" >/dev/null ||
			fail "$EXIT_CONFIG" "transports/$name.sh has no function transport_$file: see docs/transports.md"
	done
	while IFS= read -r file; do
		case ${file#transport_} in
		preflight | ship | current | rollback | logs | before | keeps | job | drain | clean) ;;
		await_migration | migrate | end_migration | reached) ;;
		*)
			fail "$EXIT_CONFIG" "transports/$name.sh has a function $file, which nobody calls: is it misspelt? Names \
of its own begin with the transport's (docs/transports.md)"
			;;
		esac
	done < <(compgen -A function transport_)
	check_halves
}

# What one function begins another one ends, or nobody does: a cut migration would be said to be stopped that works on
# elsewhere, and what was replaced would run for ever.
check_halves() {
	local name present='' missing='' says=drain_later
	for name in migrate await_migration end_migration; do
		if has_function "transport_$name"; then present=transport_$name; else missing=transport_$name; fi
	done
	[[ -z $present || -z $missing ]] || fail "$EXIT_CONFIG" "transports/$transport.sh has a function $present and no $missing: \
what is done for a migration is begun, awaited and ended, so all three are there or none (docs/transports.md)"
	# What stands in a function is indented by bash.  The other way round a DEPLOY_SCRIPT may say it.
	has_function transport_drain || [[ ! $(declare -f) =~ \ drain_later[[:space:]\;\&\|\)] ]] ||
		fail "$EXIT_CONFIG" "transports/$transport.sh says $says and has no function transport_drain: what it replaces \
would run for ever (docs/transports.md)"
}

has_function() { # NAME
	declare -F "$1" >/dev/null
}

# repository@sha256:… of a release; no tag is ever shipped, as that may point elsewhere tomorrow.
image_of() { # RELEASE
	[[ $1 == *@sha256:* ]] || fail "$EXIT_INPUT" "the release $1 has no image's digest"
	printf '%s@%s' "$image" "${1#*@}"
}

# Can PREVIOUS_RELEASE be brought back?
previous_is_kept() {
	local now=$release found=0
	if [[ $transport_needs == source ]]; then
		! has_function transport_keeps || transport_keeps "$PREVIOUS_RELEASE"
		return "$?"
	fi
	add_digest "$PREVIOUS_RELEASE" || found=$?
	# Of a tag alone nobody knows what it is: a rollback would have to have it verified.
	[[ $is_of_tag != yes || -z ${VERIFY_COMMAND:-} ]] || is_noted "$PREVIOUS_RELEASE" verified || found=1
	((found != 0)) || PREVIOUS_RELEASE=$release
	release=$now
	((found == 2)) || { ((found == 0)) && image_is_kept "$PREVIOUS_RELEASE"; }
}

# Once, when every host has what it needs and nothing of the release has been started: the hooks for that, and the
# migration.  release_begins does it for a transport that starts nothing before.
start_begins() {
	[[ -z $start_began ]] || fail "$EXIT_CONFIG" "the transport $transport starts twice: see docs/transports.md"
	start_began=yes
	if [[ $act == rollback ]]; then
		run_hooks pre-rollback "$EXIT_INPUT"
		return "$?"
	fi
	run_hooks pre-start "$EXIT_INPUT"
	[[ -z ${MIGRATE_COMMAND:-} ]] || migrate
}

# The only place that says `==> release`: once, right before the first change to the target.  What may still stop us
# comes before it: the pre-deploy hooks, which know the release by now.
release_begins() {
	[[ -z ${release_began:-} ]] || fail "$EXIT_CONFIG" "the transport $transport begins twice: see docs/transports.md"
	[[ -n $start_began ]] || start_begins
	if [[ $act == deploy ]]; then
		run_hooks pre-deploy "$EXIT_INPUT"
		if [[ $PREVIOUS_RELEASE == target:* ]]; then
			step "previous $PREVIOUS_RELEASE"
		elif [[ -n $PREVIOUS_RELEASE ]] && ! previous_is_kept; then
			step no-rollback
			printf 'the release that is live, %s, is no longer kept here\n' "${PREVIOUS_RELEASE:0:12}"
		fi
	fi
	[[ $act != deploy ]] || find_barrier
	release_began=yes
	printf '\n' # a transport's program may have left its last line open, and this one has to be seen
	step release
}

# Fills barred: does the repository say that nobody rolls back from the release to what runs, or to what ran before one that
# came to some hosts alone?  Then no transport puts that back by itself either.
find_barrier() {
	local base bases=() answer='' why found=$'\nbarrier ([^\n]*)'
	for base in "$PREVIOUS_RELEASE" "$before" ${ran_there[@]+"${ran_there[@]}"}; do
		base=${base%%@*}
		[[ ! $base =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ || " ${bases[*]-} " == *" $base "* ]] || is_noted_upload "$base" ||
			bases+=("$base")
	done
	if ! is_upload; then
		ask_commits barrier "$commit" "${bases[@]-}"
	elif [[ -f $approved/$BARRIER && ! -L $approved/$BARRIER ]]; then # it is in no history
		read_line answer "$approved/$BARRIER"
		answer="barrier ${answer:0:200}"
	else
		answer=end
	fi
	if [[ $'\n'$answer =~ $found ]]; then
		why=${BASH_REMATCH[1]%% }
	elif [[ $'\n'$answer$'\n' == *$'\nend\n'* ]]; then
		return 0
	else
		why="git does not say what lies between"
	fi
	barred=yes
	say 'nothing is rolled back by itself: %s (%s)' "$why" "$BARRIER"
}

# What the mirror says, in `answer`; empty where it does not.  A look that is cut or fails counts as a barrier: it ends no
# deployment behind its migration.
ask_commits() { # past|barrier COMMIT BASE...
	answered "$BARRIER_SECONDS" env DEPLOYBOT_SETTINGS=checked "$here/commits.sh" "$@" || answer=
	[[ $is_over == no ]] || answer="${1/past/past $3} git did not look through all commits within $BARRIER_SECONDS s"
}

# A transport says so where what it has replaced runs still: transport_drain ends that.
drain_later() {
	has_function transport_drain || fail "$EXIT_CONFIG" "the transport $transport leaves something running, and has no \
function transport_drain that would end it (docs/transports.md)"
	drains=yes
	step drain-later
}

# Of a run of deploybot's it is the server that orders it, once the health gate has passed.
drain_by_hand() {
	[[ -z ${RUN_ID:-} && $drains == yes ]] || return 0
	exec 8>&- # the environment is free
	"$here/drain.sh" "$environment" || warn "what ran before may still run: deploy/drain.sh $environment ends it"
}

# Behind a transport's work: one that shipped without a word has changed the target all the same, which is said late
# rather than never.
check_release_began() {
	shipped=yes
	leave_former_place
	[[ -z $release_began ]] || return 0
	step release
	fail "$EXIT_CONFIG" "the transport $transport never says release_begins: see docs/transports.md"
}

# ---- the migration -------------------------------------------------------------------------------

check_migration() {
	local words
	migration_name=
	[[ -n ${MIGRATE_COMMAND:-} && ($act == deploy || $act == ask) ]] || return 0
	check_words MIGRATE_COMMAND "$MIGRATE_COMMAND"
	: "${MIGRATE_TIMEOUT_SECONDS:=900}"
	check_number MIGRATE_TIMEOUT_SECONDS "$MIGRATE_TIMEOUT_SECONDS"
	has_function transport_migrate || fail "$EXIT_CONFIG" "MIGRATE_COMMAND: the transport $transport runs no migrations: \
docs/transports.md says what it lacks; until then unset it, and migrate in a hook of pre-start"
	migration_name=deploybot-migrate-${environment//\//-}
}

# MIGRATE_COMMAND with the new image, once in each deployment.  From `==> migrate` on nobody says that nothing was touched;
# the next steps say how it ended: the server reads them.
migrate() {
	local words began=$SECONDS
	check_words MIGRATE_COMMAND "$MIGRATE_COMMAND"
	transport_await_migration "$release" "${words[@]}"
	awaits_migration=no
	migration=begun
	at_exit migration_leave
	printf '\n' # as below for `==> release`
	step migrate
	{ read_line noted_before "$app/migrated"; } 2>/dev/null
	note_migration began
	transport_migrate "$release" "${words[@]}"
	migration=ran
	migration_seconds=$((SECONDS - began))
	note_migration ran
	step migrated
}

# For a rollback by hand, which brings no database back.
note_migration() { # began|ran
	{ printf '%s %s %(%F)T\n' "$1" "${release%%@*}" -1 >"$app/migrated"; } 2>/dev/null || true # a full disk
}

# One that a killed run has left is at work still.  Ours has not begun while that is waited for, however it ends.
migration_is_left() {
	awaits_migration=yes
	step "wait for a migration"
	printf 'a migration that was left is there still, %s: waiting for its end\n' "${migration_at:-as $migration_name}"
}

migration_not_begun() { # STATUS TEXT
	fail "$1" "the migration did not begin: $2"
}

# Behind `==> migrate`, where whoever was to run it has refused: nothing of it ever ran, and nothing is to be stopped.
migration_not_started() {
	migration=refused
	{ printf '%s\n' "$noted_before" >"$app/migrated"; } 2>/dev/null || true # a full disk
	step migrate-not-started
}

# The command itself has ended so: nothing of it runs any more.
migration_failed() { # STATUS
	migration=failed
	step "migrate-failed $1"
	fail "$EXIT_REFUSED" "the migration failed (exit $1): its last lines are in the log"
}

# One that was cut is not to work on behind us.  Whether it does is said by whoever can know.
migration_leave() {
	[[ $migration == begun ]] || return 0
	migration=left
	unquote # where a signal has ended what was shown
	transport_end_migration &
	if wait "$!"; then
		migration=stopped
		step migrate-stopped
	else
		warn "the migration may still be running, ${migration_at:-as $migration_name}: no other begins beside it"
	fi
}

# ---- the application's log -----------------------------------------------------------------------

: "${APPLICATION_LOG_SECONDS:=5}"
# So much of it goes into the log of a run, or into an answer.
readonly APPLICATION_LOG_LINES=100 APPLICATION_LOG_BYTES=60000
# Stands before each line of it: none is taken for a step, and none is shown to who may not read the application's log.
readonly APPLICATION_MARK='|app| '

# Prints what the application has logged last, of RELEASE where the transport can tell; fails, with log_trouble and
# log_status, where that is nothing.  Of bytes alone, which end SECONDS and a little later whatever hangs.
print_application_log() { # SECONDS LINES BYTES [RELEASE]
	local folder child reader status=0 late=no KILL_SECONDS=1
	log_trouble='there is no room for it' log_status=$EXIT_REFUSED
	make_private folder && mkfifo -m 600 -- "$folder/pipe" || return 1
	tail -c "$3" <"$folder/pipe" >"$folder/log" 2>/dev/null &
	reader=$!
	# It touches nothing, so it holds no lock.
	# reason kept: log_trouble has it
	keep_application_log "$2" "${4:-}" >"$folder/pipe" 2>"$folder/said" 8>&- &
	child=$!
	ends_within "$1" "$child" || { late=yes; kill -TERM "$child" 2>/dev/null || true; }
	ends_within 3 "$child" || kill -KILL "$child" 2>/dev/null || true # here and below: it may just have ended
	wait "$child" || status=$?
	ends_within 1 "$reader" || kill -KILL "$reader" 2>/dev/null || true # somebody of theirs has it open
	log_trouble=$(tail -n 1 -- "$folder/said")
	log_trouble=${log_trouble#"${0##*/}: "} log_trouble=${log_trouble:0:500}
	log_status=$status
	((status >= EXIT_INPUT && status <= EXIT_CONFIG)) || log_status=$EXIT_REFUSED
	if [[ $late == yes ]]; then
		log_trouble="it took longer than $1 s"
	elif [[ -z $log_trouble ]]; then
		log_trouble='the application has logged nothing'
	fi
	mark_application_log "$folder/log" "$3"
	((status == 0)) && [[ -s $folder/log ]]
}

# Looks at it now and then: nobody writes to the pipe that it pauses at.
ends_within() { # SECONDS CHILD
	local never looks=$(($1 * 20))
	exec {never}<> <(:)
	while kill -0 "$2" 2>/dev/null && ((looks-- > 0)); do
		read_within 0.05 "$never" _ || true # that is its time
	done
	exec {never}<&-
	((looks >= 0))
}

# In a subshell of its own.  Nothing of it is quoted: it has a mark.
keep_application_log() { # LINES RELEASE
	local is_kept_back=yes
	catch_signals
	transport_logs "$1" ${2:+"$2"}
}

# Of a line whose beginning was left out nothing is shown: it may be the half of a secret.  Nothing in a line undoes what
# stands before it: what a terminal makes something of is removed.
mark_application_log() { # FILE BYTES
	local from=1
	(($(stat -c %s -- "$1") < $2)) || from=2
	tail -n "+$from" -- "$1" | mark_lines
}

mark_lines() {
	plain_lines -e "s/^/$APPLICATION_MARK/; \$a\\" # ... and the last line ends
}

# What a terminal makes nothing of but letters: without escape sequences, control characters (those of 8 bits too) and marks
# that turn the direction in which a line is read.  Each line as it comes.
plain_lines() { # [SED-OPTION...]
	LC_ALL=C stdbuf -oL sed -e 's/\x1b\[[0-?]*[ -/]*[@-~]//g' \
		-e 's/\xc2[\x80-\x9f]//g; s/\xd8\x9c//g; s/\xe2\x80[\x8e\x8f\xaa-\xae]//g; s/\xe2\x81[\xa6-\xa9]//g' \
		-e 's/[\x00-\x08\x0b-\x1f\x7f]//g' "$@"
}

# As quoted, for what the application says while it works: each line has the mark, so that none of it is a step.
marked() { # SECONDS WHAT CMD...
	local status=0 lines marker
	exec {lines}> >(mark_lines 7>&- 8>&- 9>&-)
	marker=$!
	# shellcheck disable=SC2016 # those words are bash's
	bounded "$1" bash -c 'exec "$@" 2>&1' - "${@:3}" >&"$lines" {lines}>&- || status=$?
	exec {lines}>&-
	wait "$marker" || true # its words are out
	[[ $is_over == no ]] || fail "$EXIT_BUSY" "$2 took longer than $1 s"
	return "$status"
}

# Of the release that a rollback replaces, as its first step; it goes on without.
take_application_log() {
	[[ -n ${RUN_ID:-} && -n ${PREVIOUS_RELEASE:-} && ${FAILURE_LOG_LINES:-0} != 0 ]] || return 0
	step 'application log'
	print_application_log "$APPLICATION_LOG_SECONDS" "$APPLICATION_LOG_LINES" "$APPLICATION_LOG_BYTES" \
		"$PREVIOUS_RELEASE" || warn "no application log: $log_trouble"
}

# ---- what all acts do ----------------------------------------------------------------------------

: "${JOB_SECONDS:=3600}" # a job; the server's deadline is the one that counts
: "${CLEAN_SECONDS:=300}" # the clean-up of all targets, and that of the registry: a drain waits for no more

check_run() {
	: "${DEPLOYMENT_ID:=$EPOCHSECONDS}" "${KEEP_RELEASES:=5}"
	check_number DEPLOYMENT_ID "$DEPLOYMENT_ID"
	[[ -z ${PREVIOUS_RELEASE:-} ]] || check_release "$PREVIOUS_RELEASE"
	[[ -n ${RUN_HOSTS:-} ]] || WAVE=
	[[ ${WAVE:=} =~ ^([1-9][0-9]?/[1-9][0-9]?)?$ ]] || fail "$EXIT_INPUT" "WAVE is none of so many: ${WAVE@Q}"
	is_first_wave || unset MIGRATE_COMMAND
	export DEPLOYMENT_ID
	reads='' release='' commit='' source=git before='' ran_there=() barred=no release_began='' start_began=''
	migration='' awaits_migration=no
	drains=no shipped=no migration_seconds=0
}

# Where the log alone is read (`reads`), nothing is asked that only a release needs: it is wanted most where something is
# wrong.
preflight() {
	step preflight
	if [[ $reads == logs ]]; then
		migration_name=
		[[ $transport_needs != image ]] || find_image
		transport_preflight
		return 0
	fi
	check_hooks
	[[ $act != ask ]] || warn_of_login
	check_migration
	if [[ $transport_needs == image ]]; then
		find_image
		check_image_settings
		own_docker_config
		[[ $act != deploy ]] || check_build
		find_password
	fi
	[[ $act != deploy && $act != ask ]] || check_verify
	transport_preflight
}

# What is done once in each deployment, where that comes to its hosts in waves: WAVE is 2/3, or it is the only one.
is_first_wave() {
	[[ -z $WAVE || $WAVE == 1/* ]]
}

is_last_wave() {
	[[ ${WAVE%/*} == "${WAVE#*/}" ]]
}

# Notes what runs now: what a person needs who has to bring it back by hand.
note_current() {
	transport_current >"$app/before.new"
	mv -f -- "$app/before.new" "$app/before"
	read_line before "$app/before"
	[[ -z $before ]] || check_release "$before"
	[[ -z $before ]] || printf 'ran before this: %s\n' "$before"
	PREVIOUS_RELEASE=${PREVIOUS_RELEASE-$before} # by hand nobody said it
	[[ $act != deploy || -n $PREVIOUS_RELEASE ]] || note_before_deploybot
}

# The first release here: what runs is no release that anybody knows, and still what a bad one is rolled back to.
note_before_deploybot() {
	local word=''
	has_function transport_before || return 0
	transport_before >"$app/answer.$act.before" # not in $( ): it may ask
	read_line word "$app/answer.$act.before"
	rm -f -- "$app/answer.$act.before"
	[[ -n $word ]] || return 0
	PREVIOUS_RELEASE=target:$word
	check_release "$PREVIOUS_RELEASE"
	printf '%s\n' "$PREVIOUS_RELEASE" >"$app/before"
	printf 'a bad release is rolled back to what ran before deploybot: %s\n' "$PREVIOUS_RELEASE"
}

# Has what is too old removed.  Of a run of deploybot's it is the server that orders it, once the health gate has passed.
clean_later() {
	has_function transport_clean || [[ $transport_needs == image ]] || return 0
	is_last_wave || return 0
	if [[ -z ${RUN_ID:-} ]]; then
		clean
	elif { printf '%s\n' "$PREVIOUS_RELEASE" >"$app/clean"; } 2>/dev/null; then # else a full disk: the next one does
		step clean-later
	fi
}

# On the target and in the registry.  What fails or hangs is only a warning: the release is up.
clean() {
	step clean
	clean_part clean_target
	[[ $transport_needs != image ]] || clean_part clean_images
}

# Says what cannot be rolled back to any more, in as many of its digits as a step has room for.
removed() { # COMMIT or DIGEST
	local most=32
	[[ $1 != sha256:* ]] || most=39
	step "removed ${1:0:most}"
	((++n_removed < REMOVED_MAX)) || printf 'no more is removed this time: the next deployment continues it\n'
}

# Of a run 64 steps are passed on: what is removed unsaid would still be offered as a rollback.
readonly REMOVED_MAX=50
n_removed=0
may_remove() { ((n_removed < REMOVED_MAX)); }

# In a subshell of its own, which a deadline may end: its own, or that of something in it.
clean_part() { # FUNCTION
	local child
	"$1" &
	child=$!
	ends_within "$CLEAN_SECONDS" "$child" || kill -TERM "$child" 2>/dev/null || true # it may just have ended
	wait "$child" || warn "the clean-up was not finished; the next deployment continues it"
}

clean_images() {
	catch_signals
	clean_registry || warn "old images stay in the registry"
}

clean_target() {
	local kept=() text live served
	catch_signals
	if [[ $transport_needs == image ]]; then
		find_kept
	else
		find_live "$app/images"
		for text in "$release" "$PREVIOUS_RELEASE" "$before"; do
			[[ -z $text ]] || kept+=("${text%%@*}")
		done
		# A try that failed has a folder too, and pushes none of these out.
		read -r -a served <<<"${live//[\",]/ }"
		kept+=(${served[@]+"${served[@]:0:KEEP_RELEASES}"})
		if [[ -e $state_file ]]; then
			text=$(cat -- "$state_file") || fail "$EXIT_CONFIG" "$state_file cannot be read, so nothing old is removed"
			while [[ $text =~ \"commit\":\ *\"([0-9a-f]+)\" ]]; do
				kept+=("${BASH_REMATCH[1]}")
				text=${text#*"${BASH_REMATCH[0]}"}
			done
		fi
	fi
	! has_function transport_clean || transport_clean ${kept[@]+"${kept[@]}"} || warn "old releases stay on the target"
}
