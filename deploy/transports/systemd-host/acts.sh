# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# acts.sh - what does not change what runs: is all there, releases that come and go, jobs, migrations, logs.
# SPDX-License-Identifier: ISC

readonly TOOLS=(flock:util-linux tar:tar gzip:gzip systemctl:systemd journalctl:systemd)
# What a job or a migration has started, after its end.
readonly WORK_SECONDS=15

act_check() {
	local unit tool user as_user sum longest endless
	for tool in "${TOOLS[@]}"; do
		command -v "${tool%:*}" >/dev/null ||
			die 70 "the program ${tool%:*} is missing there (Debian: apt-get install ${tool#*:})"
	done
	[[ -w . && -x . ]] || die 70 "$me may not write $dir: chown $me it"
	[[ ! -e current || -L current ]] || die 70 "$dir/current is no link: move it away, deploybot makes one"
	[[ $scope == system ]] || check_user
	for unit in "${units[@]}"; do
		check_unit "$unit"
	done
	find_grace
	[[ -z $endless ]] || say "warning: a release waits $GRACE_MAX s at most for the end of what it replaces, and may be \
rolled back for these, which may take longer:$endless (TimeoutStopSec=$((GRACE_MAX / 60))min or less)"
	((up_seconds == UP_SECONDS)) || printf 'grace %s %s\n' "$sum" "$longest"
	[[ $migrates == no ]] || find_user # that is not to be found out behind the build
	! is_interrupted ||
		say "warning: an earlier release was interrupted here, and nothing has put that in order since: deploy, or roll \
back, which does so as it begins"
	[[ $scope == user || $me == root || " $(id -nG) " == *\ @(systemd-journal|adm|wheel)\ * ]] ||
		say "warning: $me may not read the units' logs: usermod -aG systemd-journal $me"
	say "$(ask --version | head -n 1), ${units[*]}, $(($(df -Pk . | awk 'END { print $4 }') / 1024)) MB are free"
}

# What a user's systemd runs ends with that user's last login, but for those who linger.
check_user() {
	local words
	[[ -e /var/lib/systemd/linger/$me || $(loginctl show-user "$me" --property=Linger 2>/dev/null) == Linger=yes ]] ||
		die 70 "$me does not linger: its units end when it logs out, and start at no boot: loginctl enable-linger $me"
	words=$(ask show --property=Version 2>&1) ||
		die 70 "$me has no systemd of its own there (SYSTEMD_SCOPE=user): $(last_line "$words")"
}

check_unit() { # UNIT
	local where=/etc/systemd/system enable="systemctl enable" verb
	look "$1" || die 69 "$said"
	if [[ $scope == user ]]; then
		where="~$me/.config/systemd/user" enable="systemctl --user enable"
	fi
	case ${field[LoadState]} in
	loaded) ;;
	not-found)
		die 70 "there is no unit $1: put it into $where (docs/deploy-scripts.md has one), then \
${enable/enable/daemon-reload}; one that is to run on another host alone belongs to an application of its own"
		;;
	masked) die 70 "the unit $1 is masked: ${enable/enable/unmask} $1" ;;
	*) die 70 "systemd cannot load the unit $1 (${field[LoadState]}): systemd-analyze verify $1 says why" ;;
	esac
	[[ ${field[Type]:-} != oneshot || ${field[RemainAfterExit]:-} == yes ]] ||
		die 70 "the unit $1 is Type=oneshot, which ends and cannot be watched: take it out of SYSTEMD_UNITS"
	[[ " ${field[WorkingDirectory]:-} ${field[RootDirectory]:-} ${field[EnvironmentFiles]:-} ${field[ExecStart]:-}\
${field[ExecStartPre]:-}" =~ [\ =!-]"$dir/current"[/\ ] ]] ||
		die 70 "the unit $1 names nothing in $dir/current, so it would run no release: WorkingDirectory=$dir/current"
	[[ ${field[NeedDaemonReload]:-no} == no ]] ||
		say "warning: the unit $1 was changed, and systemd has not read it: ${enable/enable/daemon-reload}"
	[[ ${field[UnitFileState]:-} == @(enabled*|static|generated|indirect|alias) ]] ||
		say "warning: nothing starts $1 after a reboot: $enable $1"
	((${#become[@]} == 0)) || check_sudo "$1"
}

check_sudo() { # UNIT
	local verb
	command -v sudo >/dev/null || die 70 "the program sudo is missing there (Debian: apt-get install sudo; or set \
SYSTEMD_SCOPE=user)"
	for verb in "--no-block restart" "--no-block stop" "reset-failed"; do
		# shellcheck disable=SC2086 # words
		sudo -n -l -- systemctl $verb "$1" >/dev/null 2>&1 ||
			die 70 "$me may not run \"systemctl $verb $1\" by sudo: visudo -f /etc/sudoers.d/deploybot, and write: \
$me ALL=(root) NOPASSWD: $(sudoers_of)"
	done
}

sudoers_of() {
	local unit program words=''
	program=$(command -v systemctl)
	for unit in "${units[@]}"; do
		words+=", $program --no-block restart $unit, $program --no-block stop $unit, $program reset-failed $unit"
	done
	printf '%s' "${words#, }"
}

# Lines for systemd.sh: `runs releases/NAME`, `interrupted releases/NAME`, which runs once that is put in order, and
# `migrating`.
act_current() {
	local link
	link=$(runs_now) || die 69 "$link"
	[[ -z $link || -n $(commit_of "$link") ]] || say "${units[0]} runs $link, which is no release" >&2
	printf 'runs %s\n' "$(only_there "$link")"
	if is_interrupted; then
		link=$(to_come_back) || die 69 "$link"
		printf 'interrupted %s\n' "$(only_there "$link")"
	fi
	[[ ! -e .deploybot.work ]] || flock -n .deploybot.work true || printf 'migrating\n'
}

only_there() { # releases/NAME
	[[ ! -d $1 ]] || printf '%s' "$1"
}

# Under that word, which a rollback names, whatever becomes of the link.
keep_before() {
	local link
	[[ -n $before ]] || return 0
	link=$(to_come_back) && [[ -n $link && -z $(commit_of "$link") ]] && ln -sfn -- "$link" ".deploybot.target.$before" ||
		die 70 "what runs there now cannot be kept for a rollback: ${link:-nothing runs any more}"
}

# ---- releases ------------------------------------------------------------------------------------

# What comes is on its disk and whole before it has its name.
act_receive() {
	local words
	take_lock
	[[ $(readlink -- current) != "releases/$name" ]] || die 64 "deployment ${name%%-*} is live there already"
	umask 022
	drop "releases/$name"
	empty_dropped
	rm -rf .deploybot.incoming
	mkdir -p releases && mkdir .deploybot.incoming || die 70 "$dir cannot be written: $(df -P . | tail -n 1)"
	words=$({ head -c "$size" <&3 | tar -xzf - --no-same-owner -C .deploybot.incoming; } 2>&1) || {
		rm -rf .deploybot.incoming
		[[ $words != *'No space left'* && $words != *'isk quota'* ]] || die 70 "the disk is full: $(df -P . | tail -n 1)"
		die 70 "the release did not arrive whole: $(last_line "$words")"
	}
	keep_before
	sync -f .deploybot.incoming 2>/dev/null || sync
	mv -T -- .deploybot.incoming "releases/$name" || die 70 "$dir/releases cannot be written: $(df -P . | tail -n 1)"
	say "${release:0:12} is there"
}

act_find() {
	local instead=': deploy that commit instead'
	[[ $release != target:* ]] || instead=
	folder_of "$release" >/dev/null || die "$missing" "the release ${release:0:12} is not kept there any more$instead"
}

# What has its name is whole: it loses that first, for one of its own, as what cannot be removed is not to be in the way of
# others.  Whoever comes later tries again.
drop() { # releases/NAME
	local folder
	if [[ -e $1 ]]; then
		folder=$(mktemp -d .deploybot.dropped.XXXXXXXX) && mv -T -- "$1" "$folder" ||
			say "warning: $dir/$1 cannot be moved away: sudo chown $me it, or remove it"
	fi
}

# What was dropped, also by those who were killed.
empty_dropped() {
	local folder left=''
	for folder in .deploybot.dropped*; do
		[[ ! -e $folder ]] || rm -rf -- "$folder" 2>/dev/null || left+=" $dir/$folder"
	done
	[[ -z $left ]] ||
		say "warning: $me does not own all that is in old releases: sudo rm -rf$left (and User= in the unit)"
}

# COUNT of the newest folders stay, what runs, and the newest one of each commit that is to be kept.  A line `gone COMMIT`
# of each that has none any more, for systemd.sh, and 50 of them at most: see REMOVED_MAX.
act_clean() {
	local folder commit number=0 gone=0 live
	live=$(readlink -- current) || live=
	while IFS= read -r folder; do
		commit=$(commit_of "$folder")
		if [[ $folder == "$live" || (-n $commit && ",$keep," == *",$commit,"*) ]]; then
			keep=,$keep,
			keep=${keep/",$commit,"/,}
			number=$((number + 1))
		elif [[ -n $commit ]] && ((++number > count && gone++ < 50)); then
			say "removed $folder"
			drop "$folder"
			folder_of "$commit" >/dev/null || printf 'gone %s\n' "$commit"
		fi
	done < <(find releases -mindepth 1 -maxdepth 1 -type d | sort -V -r)
	empty_dropped
}

act_logs() {
	local unit words
	for unit in "${units[@]}"; do
		words=$(journal "$unit" "$lines") || die 70 "the log of $unit cannot be read: $(last_line "$words")"
		printf '%s\n' "$words"
	done
}

# ---- jobs and migrations -------------------------------------------------------------------------

# As somebody else we could signal nothing: the end of stdin, whose writer is the worker, ends it, however we end.
# shellcheck disable=SC2016 # the shell that is started expands it
readonly WATCHED='exec 4<&0 </dev/null
	timeout -k 5 "$1" flock -n -E 75 "$2" "${@:3}" 4<&- & child=$!
	{ cat <&4; kill -TERM "$child"; } >/dev/null 2>&1 & watcher=$!
	exec 4<&-
	wait "$child"; status=$?
	kill "$watcher" 2>/dev/null
	exit "$status"'

# Fills user with the first unit's, and as_user with what runs something as that one.
find_user() {
	look "${units[0]}" || die 70 "$said"
	user=${field[User]:-}
	[[ $scope == system ]] || user=$me
	[[ -n $user && ($user != root || $me == root) ]] ||
		die 70 "${units[0]} runs as root, and deploybot runs nothing as root: User= in the unit"
	as_user=()
	[[ $user != "$me" ]] || return 0
	sudo -n -l -u "$user" -- bash -c true >/dev/null 2>&1 ||
		die 70 "$me may run nothing as $user by sudo: visudo -f /etc/sudoers.d/deploybot, and write: \
$me ALL=($user) NOPASSWD: ALL"
	as_user=(sudo -n -u "$user" --)
}

# Runs words, and no shell, in a release's folder as the first unit's user.
run_work() { # SECONDS FOLDER WORDS...
	local status=0 user as_user words application=''
	find_user
	[[ $environment != */* ]] || application=${environment%/*}
	words=(${as_user[@]+"${as_user[@]}"} bash -c "$WATCHED" deploybot "$1" "$dir/.deploybot.work" env --chdir="$dir/$2"
		COMMIT="$(commit_of "$2")" ENVIRONMENT="${environment##*/}" APPLICATION="$application" "${@:3}")
	: >>.deploybot.work
	chmod 644 .deploybot.work
	mkfifo -m 600 -- "$private/work"
	exec 7<>"$private/work"
	begins
	works=yes
	"${words[@]}" <"$private/work" 2>&1 7>&- & # stderr is ours: its end says why
	loose=$!
	wait "$loose" || status=$?
	loose='' works=no
	end_work || die 70 "what it has started is at work still"
	return "$status"
}

# Fails where something is at work still.  Else the next one has a new file: the application, whose user may open it, holds
# none of before.
end_work() {
	exec 7>&-
	[[ ! -e .deploybot.work ]] || { flock -w "$WORK_SECONDS" .deploybot.work true && rm -f .deploybot.work; }
}

# Behind a cut; fills said with what was seen.
stop_work() {
	said="; nothing of it runs there any more"
	end_work || said="; what it has started is at work still"
}

act_job() {
	local link status=0
	link=$(runs_now) || die 70 "$link"
	[[ $(commit_of "$link") == "$release" ]] ||
		die 70 "it runs ${link:-nothing} there, and the job was asked for in ${release:0:12}"
	run_work "$JOB_SECONDS" "$link" "${job[@]}" || status=$?
	((status == 0)) || die 70 "the job ended with status $status"
}

# One that a killed run has left is waited for, and never doubled.
await_work() {
	[[ ! -e .deploybot.work ]] || run_loose "$seconds" flock .deploybot.work true ||
		die 75 "one that was left is at work still, after $seconds s"
}

act_migrate() {
	local to status=0 began
	to=$(folder_of "$release") || die "$missing" "the release ${release:0:12} is not there"
	await_work # another one may have begun since preflight
	began=$SECONDS
	run_work "$seconds" "$to" "${job[@]}" || status=$?
	((status != 124 && status != 137)) || ((SECONDS - began < seconds)) ||
		die 75 "it took longer than $seconds s and was stopped"
	((status == 0)) || die 70 "the migration failed (exit $status)"
}
