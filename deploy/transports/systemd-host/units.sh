# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# units.sh - works on a target host for systemd.sh, with the files beside it: the units, and the link to what they run.
# SPDX-License-Identifier: ISC
# ssh-host/base.sh, units.sh, switch.sh, acts.sh, ssh-host/guard.sh and main.sh, as if they were one, come over ssh to
# `bash -s -- ACT NAME=VALUE...`, a line with SMOKE_URL behind them (it may be empty), and, for `receive`, the release.
# Then stdin stays open, as for ssh-host/.  Needs bash 4.2, systemd, tar and gzip.  What it keeps in the folder:
#   releases/DEPLOYMENT-COMMIT/   what is there is whole
#   current -> releases/…         what the units run
#   .deploybot.incoming/          a release that is being received
#   .deploybot.dropped.*/         an old one that is being removed, or could not be
#   .deploybot.before/            what ran, while that is being replaced.  Who finds it without holder brings it back
#   .deploybot.lock               who holds it works here; says where the private folder is
#   .deploybot.work               held by what a job or a migration has started
#   .deploybot.target.WORD -> …   what `current` named before deploybot

# Questions, which anybody may ask.
ask() { # WORDS...
	timeout -k 5 "$ASK_SECONDS" systemctl ${manager[@]+"${manager[@]}"} --no-pager "$@"
}

# Word by word what sudoers allows (docs/deploy-scripts.md).  Nobody waits here: a program of sudo's hears no signal of ours.
order() { # WORDS... UNIT; fills said
	said=$(timeout -k 5 "$ASK_SECONDS" ${become[@]+"${become[@]}"} systemctl ${manager[@]+"${manager[@]}"} "$@" 2>&1) || {
		said=$(last_line "$said")
		return 1
	}
}

readonly FIELDS=(LoadState ActiveState SubState MainPID InvocationID NRestarts Job Result ExecMainStatus Type
	RemainAfterExit UnitFileState NeedDaemonReload User WorkingDirectory RootDirectory EnvironmentFiles ExecStart
	ExecStartPre TimeoutStopUSec)

# Fills field; what that systemd does not know stays out.
look() { # UNIT
	local words line name
	field=()
	words=$(ask show "${FIELDS[@]/#/--property=}" -- "$1" 2>&1) || {
		said="systemd does not say how $1 is: $(last_line "$words")"
		return 1
	}
	while IFS= read -r line; do
		[[ $line == *=* ]] || continue
		name=${line%%=*}
		field["$name"]=${field["$name"]:+"${field["$name"]} "}${line#*=} # some have several lines
	done <<<"$words"
}

# Fills seconds: systemd writes "1min 30s", and "infinity" (systemd.time(7)).
read_span() { # TEXT
	local word
	seconds=0
	[[ $1 != infinity ]] || seconds=$((GRACE_MAX + 1))
	for word in ${1/infinity/}; do
		[[ $word != 0 ]] || continue
		[[ $word =~ ^([0-9]{1,7})(\.[0-9]+)?(y|month|w|d|h|min|s|ms|us)$ ]] || return 1
		case ${BASH_REMATCH[3]} in
		y | month | w | d) seconds=$((GRACE_MAX + 1)) ;;
		h) seconds=$((seconds + 10#${BASH_REMATCH[1]} * 3600)) ;;
		min) seconds=$((seconds + 10#${BASH_REMATCH[1]} * 60)) ;;
		s) seconds=$((seconds + 10#${BASH_REMATCH[1]} + ${#BASH_REMATCH[2]})) ;; # a little more where it has a fraction
		*) seconds=$((seconds + 1)) ;;
		esac
	done
}

# How long the units may take to end, by TimeoutStopSec, one after the other and the longest.  Fills sum, longest and
# up_seconds, and endless with who may take longer than anybody waits.
find_grace() {
	local unit seconds
	sum=0 longest=0 endless=
	for unit in "${units[@]}"; do
		look "$unit" || field=()
		read_span "${field[TimeoutStopUSec]:-}" || seconds=$((GRACE_MAX + 1)) # what cannot be read is not 0
		((seconds <= GRACE_MAX)) || endless+=" $unit" seconds=$GRACE_MAX
		((longest >= seconds)) || longest=$seconds
		sum=$((sum + seconds))
	done
	# shellcheck disable=SC2153 # base.sh has it
	up_seconds=$((sum + UP_WORK_SECONDS > UP_SECONDS ? sum + UP_WORK_SECONDS : UP_SECONDS))
}

journal() { # UNIT LINES
	timeout -k 5 "$ASK_SECONDS" journalctl ${manager[@]+"${manager[@]}"} --no-pager -q -n "$2" -u "$1" 2>&1
}

# Until each of them has been up for so long as one process, and by `until`, unless we were `told` to stop; fills said when
# one is not.  Another process than before, or a restart of one that we have restarted: systemd started it again.
wait_up() { # SECONDS UNIT...
	local since=$SECONDS unit now is_up
	local -A runs=()
	while :; do
		[[ $told == no ]] || die 75 "was asked to stop"
		is_up=yes
		for unit in "${@:2}"; do
			look "$unit" || field=([ActiveState]=unknown)
			case ${field[Job]:+job}.${field[ActiveState]:-}.${field[SubState]:-} in
			.active.* | .reloading.*)
				now="${field[MainPID]:-} ${field[InvocationID]:-} ${field[NRestarts]:-}"
				[[ ${runs[$unit]:-$now} == "$now" ]] && { [[ $now == *' '@(0|) ]] || ! was_touched "$unit"; } || {
					has_ended "$unit" again
					return 1
				}
				runs[$unit]=$now
				;;
			.failed.* | .inactive.* | .activating.auto-restart*)
				has_ended "$unit"
				return 1
				;;
			.unknown.*) is_up=no ;;
			*) is_up=no said="$unit is ${field[ActiveState]:-} (${field[SubState]:-})" ;;
			esac
		done
		if [[ $is_up == no ]]; then
			since=$SECONDS
		elif (($1 == 0 || SECONDS - since > $1)); then
			return 0
		fi
		((SECONDS < until)) || return 1
		pause 0.2
	done
}

# How it ended is not known any more once systemd has started it again.
has_ended() { # UNIT [again]; fills said
	said="$1 ended (${field[Result]:-unknown}, status ${field[ExecMainStatus]:-unknown})"
	[[ -z ${2:-} ]] || said="$1 ended, and systemd started it again"
	show_application "$(journal "$1" 20)"
}

# ---- the link ------------------------------------------------------------------------------------

# Atomically: there is always one, the old or the new.
point_to() { # releases/NAME, or nothing
	if [[ -n $1 ]]; then
		ln -sfn -- "$1" .deploybot.current && mv -T -f -- .deploybot.current current || return "$?"
	else
		rm -f -- current || return "$?"
	fi
	flush . # the name is all that is new
}

# Prints the newest folder of a commit, or what ran before deploybot.
folder_of() { # COMMIT or target:WORD
	local found
	if [[ $1 == target:* ]]; then
		found=$(readlink -- ".deploybot.target.${1#target:}") && [[ -d $found ]] && printf '%s' "$found"
		return "$?"
	fi
	found=$(find releases -mindepth 1 -maxdepth 1 -type d -name "*-$1" 2>/dev/null | sort -V | tail -n 1)
	[[ -n $found ]] && printf '%s' "$found"
}

commit_of() { # releases/NAME: nothing, where it is none of ours
	[[ ! $1 =~ ^releases/[0-9]+-([0-9a-f]{40}|[0-9a-f]{64})$ ]] || printf '%s' "${BASH_REMATCH[1]}"
}

# Prints what the first unit runs, as releases/NAME, or why that is not known, with a status.  While that is being
# replaced, the one that still runs was started before.
runs_now() {
	local link unit state id
	look "${units[0]}" || {
		printf '%s' "$said"
		return 70
	}
	[[ ${field[ActiveState]:-} == @(active|reloading|activating) ]] || return 0
	link=$(readlink -- current) || link=
	if [[ -e .deploybot.before/units ]]; then
		while read -r unit state id; do
			if [[ $unit == "${units[0]}" && -n $id && $id == "${field[InvocationID]:-}" ]]; then
				IFS= read -r link <.deploybot.before/link || true # it may be empty
			fi
		done <.deploybot.before/units
	fi
	printf '%s' "$link"
}
