# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# systemd.sh - the transport to hosts without containers: a folder for each release, a link, and units of systemd.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  It reaches its hosts as ssh.sh does, and
# carries systemd-host/ there.  What is shipped is built here, by .deploybot/build as for local.sh.

transport_needs=source

# shellcheck source=deploy/transports/ssh/connect.sh
. "$here/transports/ssh/connect.sh"
# shellcheck source=deploy/transports/ssh/hosts.sh
. "$here/transports/ssh/hosts.sh"
# shellcheck source=deploy/transports/ssh/waves.sh
. "$here/transports/ssh/waves.sh"
# shellcheck source=deploy/transports/ssh/calls.sh
. "$here/transports/ssh/calls.sh"
# shellcheck source=deploy/transports/ssh/switch.sh
. "$here/transports/ssh/switch.sh"

: "${SYSTEMD_PACK_SECONDS:=600}"
: "${SYSTEMD_COPY_SECONDS:=1300}" # wait for the lock, copy a release

# ---- settings ------------------------------------------------------------------------------------

# Fills ssh_common, what every act is told.
systemd_find_settings() {
	: "${SYSTEMD_SCOPE:=system}" "${SYSTEMD_DIR:=/srv/app}" "${SYSTEMD_STEADY_SECONDS:=5}" "${SMOKE_URL:=}"
	[[ -n ${SYSTEMD_UNITS:-} ]] ||
		fail "$EXIT_CONFIG" "SYSTEMD_UNITS is not set: which units does a release restart (shop.service,…)?"
	[[ $SMOKE_URL != *'{port}'* ]] ||
		fail "$EXIT_CONFIG" "SMOKE_URL has {port}, which only DEPLOY_STRATEGY=bluegreen knows"
	ssh_find_reach
	ssh_common=("environment=$environment" "dir=${SYSTEMD_DIR%/}" "units=${SYSTEMD_UNITS// /}" "scope=$SYSTEMD_SCOPE"
		"steady=$SYSTEMD_STEADY_SECONDS" ${ssh_run:+"$ssh_run"})
}

# Once: what each call sends, the program and the settings behind it.
systemd_prepare() {
	[[ -z ${ssh_folder:-} ]] || return 0
	ssh_make_folder "$here"/transports/ssh-host/base.sh "$here"/transports/systemd-host/{units,switch,acts}.sh \
		"$here"/transports/ssh-host/guard.sh "$here"/transports/systemd-host/main.sh
	printf '%s\n' "$SMOKE_URL" >"$ssh_folder/settings"
}

# ---- releases ------------------------------------------------------------------------------------

# Whoever runs the units may read it, and nobody but its owner there writes it.
systemd_pack() { # FOLDER PACKED
	limited "$SYSTEMD_PACK_SECONDS" "packing the release" tar -C "$1" --mode=go+u,go-w --owner=0 --group=0 \
		--numeric-owner -czf "$2" . || fail "$EXIT_BUILD" "the release cannot be packed: is ${2%/*} full?"
}

# What goes to a host: the settings, and behind them what was packed.  What later waves need of that stays.
systemd_wrap() { # PACKED FILE
	systemd_size=$(stat -c %s -- "$1")
	{ printf '%s\n' "$SMOKE_URL" && cat -- "$1"; } >"$2" ||
		fail "$EXIT_BUILD" "the release cannot be packed: is ${2%/*} full?"
	! is_last_wave || rm -f -- "$1"
}

# To all hosts, behind the settings.
systemd_copy() { # COMMIT FILE
	local words=("release=$1" "name=$DEPLOYMENT_ID-$1" "size=$systemd_size" "lock=$SSH_LOCK_SECONDS")
	ssh_add_before
	ln -sf -- "$2" "$ssh_folder/settings"
	ssh_all "$SYSTEMD_COPY_SECONDS" receive "${ssh_common[@]}" "${words[@]}"
	rm -f -- "$ssh_folder/settings" "$2"
	printf '%s\n' "$SMOKE_URL" >"$ssh_folder/settings"
}

systemd_switch() { # COMMIT WORD...
	release_begins
	ssh_switch "${ssh_common[@]}" "release=$1" "${@:2}"
}

# ---- the interface -------------------------------------------------------------------------------

transport_preflight() {
	systemd_find_settings
	migration_at="in ${SYSTEMD_DIR%/} on ${ssh_hosts[0]}"
	ssh_check_files
	ssh_quiet=no ssh_migrating=() ssh_grace=0 ssh_stops=() ssh_boots=()
	[[ $reads != logs ]] || return 0
	ssh_name_gone
	ssh_choose
	[[ -z $migration_name ]] || ssh_found=(["${ssh_only[0]}"]=migrates=yes) # on the first host
	systemd_prepare
	ssh_leave_out
	ssh_choose
	ssh_quiet=yes
	ssh_everywhere "$SSH_ASK_SECONDS" check "${ssh_common[@]}" || true # ssh_status, below
	ssh_quiet=no ssh_found=()
	systemd_show
	ssh_name_way_out
	((ssh_status == 0)) || fail "$ssh_status" "$ssh_said"
}

# What the hosts said of themselves goes to the log, but for how long their units may take to end, and, which fills
# systemd_gone, of which commits one has no release any more: no rollback to those is whole.
systemd_show() {
	local i line
	systemd_gone=' '
	for i in "${ssh_only[@]}"; do
		[[ -s $ssh_folder/out.$i ]] || continue
		quote
		while IFS= read -r line || [[ -n $line ]]; do
			if [[ $line =~ ^gone\ ([0-9a-f]{40}|[0-9a-f]{64})$ ]]; then
				[[ $systemd_gone == *" ${line#gone } "* ]] || systemd_gone+="${line#gone } "
			else
				ssh_take_grace "$line" "$i" || printf '%s\n' "$line"
			fi
		done <"$ssh_folder/out.$i"
		unquote
	done
}

transport_ship() { # COMMIT
	local folder=$app/build file=$app/upload packed=$app/upload.tar
	fetch_source "$1"
	[[ -z $WAVE ]] || packed=$app/wave.$DEPLOYMENT_ID-$1.tar
	at_exit rm -rf -- "$folder" "$file" "$app"/upload.tar{,.new}
	if is_first_wave || [[ ! -e $packed ]]; then
		rm -f -- "$app"/wave.*
		check_out "$folder" "$1"
		run_hooks pre-build "$EXIT_BUILD" "$folder"
		step build
		run_recipe "$folder" "$1"
		systemd_pack "$folder" "$packed.new"
		mv -f -- "$packed.new" "$packed"
		rm -rf -- "$folder"
	fi
	systemd_wrap "$packed" "$file"
	step copy
	systemd_copy "$1" "$file"
	systemd_switch "$1" "lock=$SSH_LOCK_SECONDS"
}

transport_rollback() { # COMMIT
	step find
	[[ $1 == none ]] || ssh_all "$SSH_START_SECONDS" find "${ssh_common[@]}" "release=$1" \
		"lock=$SSH_LOCK_ROLLBACK_SECONDS" "missing=$EXIT_INPUT"
	systemd_switch "$1" "lock=$SSH_LOCK_ROLLBACK_SECONDS" rollback=yes
}

# What runs on the first host; where others run something else, that is said.  Fills ssh_migrating, as ssh.sh has it, and
# ssh_ids, of what is no release: what its transport_before makes its word of.  By hand the release before is the one that
# a host comes back to.
transport_current() {
	local i first='' found line of
	ssh_quiet=yes
	ssh_all "$SSH_ASK_SECONDS" current "${ssh_common[@]}"
	ssh_quiet=no
	ssh_choose
	for i in "${ssh_only[@]}"; do
		found='' ssh_ids[i]=''
		while IFS= read -r line; do
			if [[ $line == migrating ]]; then
				ssh_migrating+=("$i")
				continue
			fi
			ssh_ids[i]=${line#* } of=''
			[[ ! ${ssh_ids[$i]} =~ ^releases/[0-9]+-([0-9a-f]{40}|[0-9a-f]{64})$ ]] ||
				ssh_ids[i]='' of=${BASH_REMATCH[1]} ran_there+=("${BASH_REMATCH[1]}")
			if [[ $line == runs\ * ]]; then
				found=$of
			elif [[ $act == deploy ]]; then # interrupted
				: "${PREVIOUS_RELEASE=$of}"
			fi
		done <"$ssh_folder/out.$i"
		[[ $i != "${ssh_only[0]}" ]] || first=$found
		ssh_look_for_stray "$i" "$found"
		[[ $found == "$first" ]] || warn "${ssh_hosts[$i]} runs ${found:-no known release}, $ssh_first runs \
${first:-no known release}"
	done
	ssh_judge_strays >&2 # what is printed is the answer
	[[ -z $first ]] || printf '%s\n' "$first"
}

transport_keeps() { # COMMIT
	ssh_choose
	ssh_everywhere "$SSH_ASK_SECONDS" find "${ssh_common[@]}" "release=${1%%@*}" "lock=$SSH_LOCK_SECONDS" \
		"missing=$EXIT_INPUT" && return 0
	((ssh_status == EXIT_INPUT)) || fail "$ssh_status" "$ssh_said"
	return 1
}

# On the first host, in the folder of what runs.
transport_job() { # COMMIT WORD...
	local words=("${@:2}")
	ssh_choose_first
	ssh_everywhere "$JOB_SECONDS" job "${ssh_common[@]}" "release=${1%%@*}" "lock=$SSH_LOCK_SECONDS" \
		"${words[@]/#/job=}" || fail "$ssh_status" "$ssh_said"
}

transport_await_migration() {
	ssh_await_migration "in ${SYSTEMD_DIR%/}"
}

# On the first host too, in the folder of what is to come.
transport_migrate() { # COMMIT WORD...
	local words=("${@:2}")
	ssh_migrate "release=$1" "${words[@]/#/job=}"
}

transport_end_migration() {
	# shellcheck disable=SC2119 # no word of its own
	ssh_end_migration
}

transport_logs() { # LINES
	systemd_prepare
	ssh_all "$SSH_ASK_SECONDS" logs "${ssh_common[@]}" "lines=$1"
}

transport_clean() { # COMMIT...
	local keep commit
	keep=$(printf '%s\n' "$@" | LC_ALL=C sort -u)
	systemd_prepare
	ssh_only=("${!ssh_hosts[@]}") ssh_quiet=yes
	ssh_everywhere "$SSH_ASK_SECONDS" clean "${ssh_common[@]}" "keep=${keep//$'\n'/,}" "count=$KEEP_RELEASES" \
		"lock=$SSH_LOCK_SECONDS" || warn "$ssh_said"
	systemd_show
	for commit in $systemd_gone; do
		removed "$commit"
	done
}
