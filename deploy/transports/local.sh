# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# local.sh - the transport for one machine without docker: a folder for each release, one process.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.
#   STATE_DIRECTORY/apps/ENV/releases/<deployment>-<commit>/   what git has at that commit, and what the build made
#   …/releases/<deployment>-<commit>.built                     its build was done: it can be gone back to
#   …/current → releases/…     …/app.pid (pid, start time, boot id)     …/app.log (and app.log.1)
# The application: .deploybot/build (may be missing) and .deploybot/run (stays in the foreground; gets PORT, COMMIT,
# ENVIRONMENT).  It has a session of its own and outlives deploybot.

readonly transport_needs=source

readonly LOCAL_LOG_MAX=10485760
: "${LOCAL_STOP_SECONDS:=10}"   # for the application to end what it is doing

# Fills local_began, the start time of a process in clock ticks after boot; fails when there is none, or a dead one.
local_find_start() { # PID
	local stat=''
	{ read_all stat "/proc/$1/stat"; } 2>/dev/null
	[[ -n $stat ]] || return 1
	read -r -a stat <<<"${stat##*) }"
	[[ ${stat[0]} != [ZX] ]] || return 1
	local_began=${stat[19]}
}

# Fills local_boot, which start of the machine it is.
local_find_boot() {
	{ read_line local_boot /proc/sys/kernel/random/boot_id; } 2>/dev/null
	: "${local_boot:=-}"
}

# Fills local_pid with the application's, if app.pid names a process that is the same one; else fails.
local_find_pid() {
	local start boot
	{ read -r local_pid start boot <"$app/app.pid"; } 2>/dev/null || return "$?"
	local_find_boot
	[[ $local_pid =~ ^[1-9][0-9]*$ && $boot == "$local_boot" ]] && local_find_start "$local_pid" &&
		[[ $local_began == "$start" ]]
}

# Has the process group a member that is not dead?
local_group_lives() { # PGID
	local file stat
	for file in /proc/[0-9]*/stat; do
		{ read -r stat <"$file"; } 2>/dev/null || continue
		read -r -a stat <<<"${stat##*) }"
		# shellcheck disable=SC2128 # read -a has made it an array
		if [[ ${stat[2]} == "$1" && ${stat[0]} != [ZX] ]]; then
			return 0
		fi
	done
	return 1
}

local_stop() {
	local pid i
	local_find_pid || return 0
	pid=$local_pid
	kill -TERM -- "-$pid" 2>/dev/null || return 0
	for ((i = 0; i < LOCAL_STOP_SECONDS * 20; i++)); do
		local_group_lives "$pid" || return 0
		sleep 0.05
	done
	kill -KILL -- "-$pid" 2>/dev/null || true # it may just have ended
	for ((i = 0; i < 100; i++)); do
		local_group_lives "$pid" || return 0
		sleep 0.05
	done
	fail "$EXIT_REFUSED" "the old process $pid cannot be stopped"
}

# Writes down who it is before it becomes the application; RUN_ID goes last, so that at every moment either the
# runner or app.pid can find it.
# shellcheck disable=SC2016 # the shell that is started expands it
readonly LOCAL_LAUNCH='
	read -r stat </proc/self/stat; stat=${stat##*) }; set -- $stat
	printf "%s %s %s\n" "$$" "${20}" "$BOOT" >"$PID_FILE.new" && mv -f -- "$PID_FILE.new" "$PID_FILE" || exit 71
	exec env -u RUN_ID -u BOOT -u PID_FILE -u PWD -u OLDPWD -u SHLVL -u _ ./.deploybot/run'

local_start() { # FOLDER COMMIT
	local log=$app/app.log child i
	if [[ -e $log && $(stat -c %s "$log") -gt $LOCAL_LOG_MAX ]]; then
		mv -f -- "$log" "$log.1"
	fi
	rm -f -- "$app/app.pid"
	local_find_boot
	(
		cd -- "$1" || exit
		exec env -i --default-signal PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 PORT="$local_port" COMMIT="$2" \
			ENVIRONMENT="$ENVIRONMENT" APPLICATION="$APPLICATION" RUN_ID="${RUN_ID:-}" \
			BOOT="$local_boot" PID_FILE="$app/app.pid" \
			setsid bash -c "$LOCAL_LAUNCH"
	) </dev/null >>"$log" 2>&1 8>&- 9>&- &
	child=$!
	for ((i = 0; i < 20; i++)); do
		if [[ -e $app/app.pid ]] && (: <>"/dev/tcp/127.0.0.1/$local_port") 2>/dev/null; then
			break
		fi
		local_find_start "$child" || break
		sleep 0.05
	done
	if ! local_find_pid; then
		tail -n 20 -- "$log" | mark_lines
		fail "$EXIT_REFUSED" "the application ended as soon as it was started"
	fi
	disown "$child"
}

# Atomically: there is always one, the old or the new.
local_switch() { # FOLDER
	ln -sfn -- "releases/${1##*/}" "$app/current.new"
	mv -Tf -- "$app/current.new" "$app/current"
}

# The newest release of a commit that was built and is still there.
local_folder() { # COMMIT
	local built
	while IFS= read -r built; do
		[[ -d ${built%.built} ]] || continue
		printf '%s' "${built%.built}"
		return 0
	done < <(printf '%s\n' "$app/releases"/*-"$1"*.built | sort -V -r)
	return 1
}

local_build() { # FOLDER COMMIT
	[[ -f $1/.deploybot/run && -x $1/.deploybot/run ]] ||
		fail "$EXIT_BUILD" "$(its_files) has no executable .deploybot/run at ${2:0:12}"
	run_recipe "$1" "$2" PORT="$local_port"
}

# Brings a folder up; the old one ends first, as both listen on the same port.
local_bring_up() { # FOLDER
	release_begins
	local_stop
	local_start "$1" "${1##*-}"
	local_switch "$1"
}

# ---- what act.sh calls ---------------------------------------------------------------------------

transport_preflight() {
	refuse_late
	find_setting local_port "$environment" PORT
	[[ -n $local_port ]] ||
		fail "$EXIT_INPUT" "the transport local needs $(name_of "$environment" PORT): where the application is to listen"
	migration_at="holding $app/migrate.lock"
	[[ -d $app/releases ]] || mkdir -- "$app/releases"
	[[ $act != @(deploy|ask) || -n $reads ]] || local_check_port
}

# Does something else listen where the application is to?  What we have started ends before the new one begins.
local_check_port() {
	# shellcheck disable=SC2016 # the shell that is started expands it
	! local_find_pid && bounded 2 bash -c ': <>"/dev/tcp/127.0.0.1/$1"' - "$local_port" 2>/dev/null || return 0
	fail "$EXIT_REFUSED" "port $local_port ($(name_of "$environment" PORT)) is that of another program (as root: ss -ltnp \
'sport = :$local_port'): end that, or set another port"
}

transport_ship() { # COMMIT
	local folder=$app/releases/$DEPLOYMENT_ID-$1
	fetch_source "$1"
	[[ $(readlink -- "$app/current") != "releases/${folder##*/}" ]] ||
		fail "$EXIT_INPUT" "deployment $DEPLOYMENT_ID is live already"
	rm -f -- "$folder.built"
	check_out "$folder" "$1"
	run_hooks pre-build "$EXIT_BUILD" "$folder"
	step build
	local_build "$folder" "$1"
	sync -f -- "$folder" # what is said to be built is there after a power cut too
	: >"$folder.built"
	start_begins
	local_bring_up "$folder"
}

transport_current() {
	local folder
	if local_find_pid && folder=$(readlink -- "$app/current"); then
		printf '%s\n' "${folder##*-}"
	fi
}

transport_rollback() { # COMMIT
	local folder
	folder=$(local_folder "$1") ||
		fail "$EXIT_INPUT" "the release ${1:0:12} is no longer kept here: deploy that commit instead"
	local_bring_up "$folder"
}

transport_keeps() { # COMMIT
	local_folder "${1%%@*}" >/dev/null
}

# In the folder of the release, with what the application gets.
transport_job() { # COMMIT WORD...
	local folder
	folder=$(local_folder "${1%%@*}") || fail "$EXIT_INPUT" "the release ${1:0:12} is no longer kept here"
	quoted "$JOB_SECONDS" "the job" env --chdir="$folder" -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 \
		RUN_ID="${RUN_ID:-}" COMMIT="${1%%@*}" ENVIRONMENT="$ENVIRONMENT" APPLICATION="$APPLICATION" PORT="$local_port" \
		"${@:2}" </dev/null 8>&- 9>&- || fail "$EXIT_REFUSED" "the job ended with status $?"
}

# Who holds the lock is the migration itself, whatever has become of its run.
transport_await_migration() {
	local lock=$app/migrate.lock
	! flock -n -- "$lock" true || return 0
	migration_is_left
	bounded "$MIGRATE_TIMEOUT_SECONDS" flock -- "$lock" true ||
		migration_not_begun "$EXIT_BUSY" "one that was left is at work still, after $MIGRATE_TIMEOUT_SECONDS s"
}

# In the folder of the release that is to come, with what the application gets.
transport_migrate() { # COMMIT WORD...
	local status=0 lock=$app/migrate.lock
	marked "$MIGRATE_TIMEOUT_SECONDS" "the migration" flock -n -- "$lock" \
		env --chdir="$app/releases/$DEPLOYMENT_ID-$1" -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 RUN_ID="${RUN_ID:-}" \
		COMMIT="$1" ENVIRONMENT="$ENVIRONMENT" APPLICATION="$APPLICATION" PORT="$local_port" "${@:2}" \
		</dev/null 8>&- 9>&- || status=$?
	((status == 0)) || migration_failed "$status"
}

# Whoever is at work there holds its lock.
transport_end_migration() {
	limited "$KILL_SECONDS" "the migration's end" flock -- "$app/migrate.lock" true
}

transport_logs() { # LINES
	[[ ! -e $app/app.log ]] || tail -n "$1" -- "$app/app.log"
}

# KEEP_RELEASES of the newest folders stay, and the newest one of each commit that is to be kept.
transport_clean() { # KEEP...
	local folder number=0 commits=" $* "
	while IFS= read -r folder; do
		[[ -d $folder ]] || continue
		if [[ $commits == *" ${folder##*-} "* && -e $folder.built ]]; then
			commits=${commits/ ${folder##*-} / }
			number=$((number + 1))
		elif ((++number > KEEP_RELEASES)) && may_remove; then
			rm -f -- "$folder.built"
			local_folder "${folder##*-}" >/dev/null || removed "${folder##*-}"
			rm -rf -- "$folder"
		fi
	done < <(find "$app/releases" -mindepth 1 -maxdepth 1 -type d | sort -V -r)
}
