# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# guard.sh - who guards the worker on a target host: one at a time, and whoever is killed leaves the host whole.
# SPDX-License-Identifier: ISC
# Of ssh-host/ and systemd-host/, whose main.sh has `work`, `on_worker_exit`, `on_worker_killed` and `lock_patience`.

# Not local to `main`: before bash calls a trap for what `set -e` has ended, it forgets what was.
private='' why=''

# shellcheck disable=SC2317 # a trap calls it
on_told() {
	told=yes
	if [[ -n $loose ]]; then
		kill -TERM "$loose" 2>/dev/null || true # it may just have ended
		die 75 "was asked to stop"
	fi
}

# Right before a migration: until then nothing of it ever ran, however we end.  The guard may have to say so.
begins() {
	[[ $told == no ]] || die 75 "was asked to stop"
	: >"$private/begun" || die 75 "$private cannot be written: $(df -P -- "$private" | tail -n 1)"
}

# Where that never came it is said of why we end: whoever sent us reads these words (ssh.sh), and has nothing to stop.
name_not_begun() {
	[[ ${act:-} != migrate || -z $why || (-n $private && -e $private/begun) ]] || why="the migration did not begin: $why"
}

# Behind a later run of the same installation, whose number hosts keep, one that was given up and goes on elsewhere does
# nothing more.  A drain may come behind one: it ends what its own deployment has left.  Half a line is none.
refuse_late() {
	local text of number highest=0 kept=''
	[[ -n $run && $act != drain ]] || return 0
	[[ $run =~ ^[1-9][0-9]{0,17},[0-9a-f]{32}$ ]] || die 64 "no run of an installation: $run"
	read_file text .deploybot.runs
	while read -r of number; do
		[[ $of,$number =~ ^[0-9a-f]{32},[1-9][0-9]{0,17}$ ]] || continue
		[[ $of == "${run#*,}" ]] && highest=$number || kept+="$of $number"$'\n'
	done <<<"$text"
	((highest <= ${run%,*})) ||
		die 75 "a later run was here: run ${run%,*} is over for $dir since run $highest has begun, and does nothing more"
	# What a drain cleans up behind it may come while a deployment works: it is none that others come behind.
	[[ $act != clean ]] || return 0
	((highest == ${run%,*})) || write_file .deploybot.runs printf '%s%s %s\n' "$kept" "${run#*,}" "${run%,*}" ||
		say "warning: $dir/.deploybot.runs cannot be written: an earlier run that still goes on elsewhere is not refused"
}

# Holds the lock; what a killed holder left of its secrets is removed.
take_lock() {
	local folder='' patience
	# Whoever may open it may hold it: not the application, which may read this folder.
	{ [[ -e .deploybot.lock ]] || (umask 077 && : >>.deploybot.lock); } && chmod 600 .deploybot.lock ||
		die 70 "$dir/.deploybot.lock cannot be made $me's alone"
	exec 9<>.deploybot.lock || die 70 "$dir/.deploybot.lock cannot be written"
	flock -n 9 || { lock_patience && flock -w "$patience" 9; } || die 75 "something else is being released to $dir there"
	refuse_late
	IFS= read -r folder <.deploybot.lock || true # empty before the first act
	case $folder in
	*..*) ;;
	/dev/shm/deploybot.???????? | "$dir"/.deploybot.????????) [[ ! -O $folder ]] || rm -rf -- "$folder" ;;
	esac
	# Made first, noted next, used then: who is killed between leaves an empty one.
	private=$(mktemp -d /dev/shm/deploybot.XXXXXXXX 2>/dev/null) || private=$(mktemp -d "$dir/.deploybot.XXXXXXXX") ||
		die 70 "no private folder can be made there, neither in /dev/shm nor in $dir: $(df -P . | tail -n 1)"
	printf '%s\n' "$private" >.deploybot.lock 2>/dev/null || true # a full disk
	{ : >"$private/words"; } 2>/dev/null || die 70 "$private cannot be written: $(df -P -- "$private" | tail -n 1)"
}

guard() {
	local worker watcher status=0
	take_lock
	# What the worker starts has 5 open: the end of 6 is everybody's end.
	exec 5<> <(:)
	exec 6</dev/fd/5
	set -m # a process group of its own: what ends ours does not end it
	(work) </dev/null 3<&- &
	worker=$!
	set +m
	exec 5>&-
	trap 'kill -TERM "$worker" 2>/dev/null || true' TERM HUP INT # it may have ended, as the watcher below
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
	read -r -t "$((up_seconds + ASK_SECONDS))" _ <&6 || true # nobody writes there: the end, or out of time
	if ((status > 128)); then
		was_cut=yes
		why="its process there was killed"
		on_worker_killed
	fi
	exit "$status"
}

# shellcheck disable=SC2317 # a trap calls it
on_exit() { # STATUS
	trap - EXIT
	name_not_begun
	[[ -z $private ]] || rm -rf -- "$private" || true # why we end is said all the same
	[[ -z $why ]] || printf '%s\n' "$why" >&2
	exit "$1"
}
