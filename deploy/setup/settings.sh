# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# settings.sh - the settings file as deploybot-setup changes it: a candidate, looked at by check-config, then renamed.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.  What a value may be, and what two of them mean together, only deploybot knows.

declare -A want=() # what the file is to have, by setting
declare -A staged=() # by setting NAME_FILE: the draft's file that becomes the one it names

# Fills `said` with a setting of the file, empty when it is not set there.
setting_there() { # NAME FILE
	local line
	said=
	[[ -f $2 ]] || return 0
	while IFS= read -r line || [[ -n $line ]]; do
		[[ $line =~ ^[[:blank:]]*(export[[:blank:]]+)?$1=(.*)$ ]] || continue
		read_value "${BASH_REMATCH[2]}" "$2: $1"
	done <"$2"
}

# Fills `quoted_value` with how a value is written there.
quote_value() { # VALUE
	quoted_value=$1
	if [[ ! $1 =~ ^[]A-Za-z0-9._/:@=,+%?\&~*[-]*$ ]]; then
		[[ $1 != *\'* ]] || fail "$EXIT_CONFIG" "a value with a quote in it is not written by this program: ${1@Q}"
		quoted_value="'$1'"
	fi
}

# Prints the file with the settings of `want`: each in the place of the line that has it, or of its default.
with_settings() { # FILE [checked: secrets are those of the draft]
	local line name value
	local -A there=() written=()
	while IFS= read -r line || [[ -n $line ]]; do
		[[ ! $line =~ ^[[:blank:]]*(export[[:blank:]]+)?([A-Z][A-Z0-9_]*)= ]] || there[${BASH_REMATCH[2]}]=yes
	done <"$1"
	while IFS= read -r line || [[ -n $line ]]; do
		if [[ $line =~ ^[[:blank:]]*(#?)(export[[:blank:]]+)?([A-Z][A-Z0-9_]*)= ]]; then
			name=${BASH_REMATCH[3]}
			if [[ -v want[$name] && ! -v written[$name] ]] && [[ -z ${BASH_REMATCH[1]} || ! -v there[$name] ]]; then
				written[$name]=yes
				print_setting "$name" "${2:-}"
				continue
			fi
			# What NAME_FILE takes the place of.
			if [[ -z ${BASH_REMATCH[1]} && -n ${want[${name}_FILE]:-} ]]; then
				printf '#%s=\n' "$name"
				continue
			fi
		fi
		printf '%s\n' "$line"
	done <"$1"
	for name in "${!want[@]}"; do
		[[ -v written[$name] ]] || print_setting "$name" "${2:-}"
	done | sort
}

print_setting() { # NAME [checked]
	local value=${want[$1]} quoted_value
	[[ $2 != checked || ! -v staged[$1] ]] || value=${staged[$1]}
	quote_value "$value"
	if [[ -n $value ]]; then
		printf '%s=%s\n' "$1" "$quoted_value"
	else
		printf '#%s=\n' "$1"
	fi
}

# Puts the candidate beside the file, so that what stands beside that is beside it too.
make_candidate() {
	(umask 077 && with_settings "$conf_there" checked >"$candidate")
}

# What check-config says of it; of an application's file beside all the others that there are.
look_at_candidate() {
	make_candidate
	if [[ -z $application ]]; then
		deploybot --env-file "$candidate" check-config 2>&1 | without_place
	else
		deploybot --env-file "$conf" "APPS_DIRECTORY=${candidate%/*}" check-config 2>&1 | without_place
	fi
}

# The candidate is gone before anybody looks for that line of it.
without_place() {
	local line place=${candidate:0:60} # as it is said
	while IFS= read -r line; do
		[[ $line != *" ($place line "+([0-9])')' ]] || line=${line%" ($place line "*}
		printf '%s\n' "$line"
	done
}

# Ours, with nothing of the caller's environment: it would win over the file.
deploybot() { # --env-file FILE [NAME=VALUE] WORD...
	local given_it=()
	if [[ $3 == *=* ]]; then
		given_it=("$3")
		set -- "$1" "$2" "${@:4}"
	fi
	env -i "PATH=$PATH" LANG=C.UTF-8 "HOME=${HOME:-/}" ${given_it[@]+"${given_it[@]}"} "$program" "$@"
}

# Does check-config take what is said of NAME?  What it says of others is said when they are asked.
check_setting() { # NAME
	local line bad=0
	want[$1]=$said
	while IFS= read -r line; do
		[[ $line =~ ^error\ +"${application:+$application: }$1"(_FILE)?: ]] || continue
		warn "${line##error+( )}"
		bad=1
	done < <(look_at_candidate)
	((bad == 0)) || unset "want[$1]"
	return "$bad"
}

# The same, and it has to be something.
check_needed() { # NAME
	if [[ -z $said ]]; then
		warn "$1: an answer is needed"
		return 1
	fi
	check_setting "$1"
}

# The same, or nothing.
check_if_any() { # NAME
	want[$1]=''
	[[ -z $said ]] || check_setting "$1"
}

# Before anything is asked: what is wrong in the file already, or in --answers; that something is not set yet is neither.
check_beginning() {
	local line bad=0
	while IFS= read -r line; do
		[[ $line =~ ^error\ +"${application:+$application: }"([A-Z][A-Z0-9_]*):\ (.*)$ ]] || continue
		[[ ${BASH_REMATCH[2]} != 'is not set'* ]] || continue
		say '%s' "${line##error+( )}" >&2
		bad=1
	done < <(look_at_candidate)
	((bad == 0)) || fail "$EXIT_CONFIG" "what is said above is wrong${answers:+ in $answers, or} in $target: correct it first"
}

# All of it; prints what is wrong.  An application's file is not to blame for what others have.
check_all() {
	local words name
	words=$(look_at_candidate) && return 0
	if [[ -n $application ]]; then
		grep -E "^error +${application}[:/]" <<<"$words" >&2 || return 0
	else
		grep -e '^error' <<<"$words" >&2 || printf '%s\n' "$words" >&2
	fi
	for name in "${!drafted[@]}"; do
		[[ $name != *_HOST ]] && ! grep -qw "^error.*$name" <<<"$words" || refuse "$name"
	done
	return 1
}

# ---- writing -----------------------------------------------------------------------------------------

# As the user whose file it is, so that no link which that user put there leads root elsewhere.
as() { # USER CMD...
	local user=$1
	shift
	if ((EUID == 0)) && [[ $user != root ]]; then
		runuser -u "$user" -- "$@"
	else
		"$@"
	fi
}

write_secret() { # USER PATH <TEXT
	# shellcheck disable=SC2016 # the shell that is started expands it
	as "$1" bash -c 'umask 077 && cat >"$1.new" && sync -- "$1.new" && mv -fT -- "$1.new" "$1"' - "$2" ||
		fail "$EXIT_CONFIG" "$2 cannot be written by $1: is there room, and does its folder belong to $1?"
}

# Of `want` alone; owner and mode as they were.
write_settings() { # FILE
	local fresh=$1.new
	rm -f -- "$fresh"
	(umask 077 && with_settings "$conf_there" >"$fresh")
	if [[ -e $1 ]]; then
		chown --reference="$1" -- "$fresh"
		chmod --reference="$1" -- "$fresh"
	elif [[ -e $conf ]]; then
		chown --reference="$conf" -- "$fresh"
		chmod --reference="$conf" -- "$fresh"
	else
		chown "$conf_owner" -- "$fresh"
		chmod 0640 -- "$fresh"
	fi
	cmp -s -- "$fresh" "$1" || changed=yes
	sync -- "$fresh"
	mv -fT -- "$fresh" "$1"
	sync -- "${1%/*}"
}

# From here on it goes through: each file is whole at any moment, and the settings, which name the others, come last.
commit() {
	local name user
	check_all || fail "$EXIT_CONFIG" "check-config does not take the answers together: $untouched"
	trap '' INT TERM HUP
	for user in server runner; do
		[[ -d $secrets/$user ]] || mkdir -p -- "$secrets/$user"
	done
	[[ $folder == "$FOLDER_INSTALLED" ]] || mkdir -p -- "$folder/state"
	for name in "${!staged[@]}"; do
		changed=yes
		user=$runner_user
		[[ ${want[$name]} != "$secrets/server/"* ]] || user=$server_user
		write_secret "$user" "${want[$name]}" <"${staged[$name]}"
	done
	[[ $key_shared == "$key_final" ]] || write_secret "$runner_user" "$key_final" <"$key_shared"
	cmp -s -- "$known" "$known_final" || write_secret "$runner_user" "$known_final" <"$known"
	if [[ -n $application ]]; then
		write_application
	else
		write_settings "$target"
	fi
	rm -rf -- "$draft"
	exec 9<&- # what is asked below may leave something running for a while
	untouched="the settings are written"
	catch_ends
	say '\nwritten: %s, and the secrets in %s' "$target" "$secrets"
}

# An application's file stays only where deploybot takes it.
write_application() {
	local before=''
	if [[ ! -d $folder/apps ]]; then
		mkdir -m 0750 -- "$folder/apps"
		chown "$conf_owner" -- "$folder/apps"
	fi
	[[ -z $first_name ]] || deploybot --env-file "$conf" application adopt "$first_name" ||
		fail "$EXIT_CONFIG" "the application that is there does not get the name $first_name: see above"
	if [[ -f $target ]]; then
		before=$draft/before
		cp -p -- "$target" "$before"
	fi
	write_settings "$target"
	as "$server_user" env -i "PATH=$PATH" LANG=C.UTF-8 \
		"$program" --env-file "$conf" application check "$application" && return 0
	if [[ -n $before ]]; then
		mv -fT -- "$before" "$target"
	else
		rm -f -- "$target"
	fi
	fail "$EXIT_CONFIG" "$target is as it was: deploybot does not take what it would be, see above"
}
