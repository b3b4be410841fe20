#!/bin/bash
# secrets.sh PROGRAM FILE [--folder FOLDER] [--users SERVER,RUNNER] - `deploybot secrets fetch`: runs each NAME_COMMAND of FILE.
# SPDX-License-Identifier: ISC
# As root.  What one prints becomes FOLDER/server/NAME or FOLDER/runner/NAME, 0400 of the user who reads it, whole or not
# at all; whatever goes wrong, a value that was fetched before stays.  The folders are root's: nobody else puts anything
# there.  A value goes from file to file: it is in no argument, variable or environment, so that set -x shows none.
set -euo pipefail
umask 077
ulimit -c 0
readonly PATIENCE=30 MOST=16384 # seconds of one command, bytes that it may print

say() { # TEXT
	printf 'deploybot: %s\n' "$1" >&2
}

stop() { # STATUS TEXT
	say "$2"
	exit "$1"
}

program=$1 file=$2 folder=/run/deploybot/secrets users=deploybot,deploybot-runner
shift 2
while (($# > 0)); do
	case $1=${2-} in
	--folder=/*) folder=$2 ;;
	--users=*?,?*) users=$2 ;;
	*) stop 64 "secrets fetch [--folder FOLDER] [--users SERVER,RUNNER]" ;;
	esac
	shift 2
done
((EUID == 0)) || stop 77 "secrets fetch runs as root: what it makes belongs to other users"
declare -A uid gid user=([server]=${users%%,*} [runner]=${users#*,})
for side in server runner; do
	uid[$side]=$(id -u -- "${user[$side]}" 2>/dev/null) && gid[$side]=$(id -g -- "${user[$side]}" 2>/dev/null) ||
		stop 78 "there is no user ${user[$side]}: name both with --users SERVER,RUNNER"
done
[[ -n $file ]] || stop 78 "there is no settings file: --env-file FILE"
path=$(realpath -- "$file" 2>/dev/null) || stop 78 "$file: there is no such file"
mapfile -d '' -t fields < <("$program" --env-file "$path" secrets commands && printf 'end\0')
((${#fields[@]} > 0)) && [[ ${fields[-1]} == end ]] || exit 78 # it has said why
unset 'fields[-1]'

# Who owns the folder above may put another in its place: from here on it is the one that we are in.
not_ours="$folder is not root's alone: look who made it, then remove it"
enter() {
	(umask 066 && mkdir -- "$folder" 2>/dev/null) || [[ -d $folder ]] || return 1
	where=$(realpath -- "${folder%/*}/") && cd -P -- "$folder" &&
		[[ $(readlink /proc/self/cwd) == "${where%/}/${folder##*/}" ]] && read -r owner mode < <(stat -c '%u %a' .) &&
		((owner == 0 && (8#$mode & 8#22) == 0)) && chmod 0711 .
}
enter || { ((${#fields[@]} == 0)) && exit 0 || stop 75 "$not_ours"; }
exec 9<. && flock 9
trap 'rm -f .printed .fresh' EXIT

# Also those of before, which were their users': what is no file there is somebody's trap.  Nobody but their reader goes
# through, and nobody lists them: the runner's user is in the server's group.
for side in server runner; do
	[[ -e $side || -L $side ]] || mkdir "$side"
	[[ ! -L $side && -d $side ]] || continue
	chown "0:${gid[$side]}" "$side" && chmod 0710 "$side"
	find "$side" -mindepth 1 -maxdepth 1 ! -type f -exec rm -rf {} +
done

# What the command complains of is for a person alone, as it may hold what it was to print.
exec 3>/dev/null
[[ ! -t 2 ]] || exec 3>&2

print() { # WORD...: what it prints becomes .printed, else $wrong says why not
	local begun=$SECONDS status=(0 0)
	(cd / && exec timeout -k 1 "$PATIENCE" "$@") </dev/null 2>&3 3>&- 9>&- |
		timeout "$((PATIENCE + 2))" head -c "$((MOST + 1))" >.printed 9>&- || status=("${PIPESTATUS[@]}")
	wrong=
	if (($(stat -c %s .printed) > MOST)); then
		wrong="it printed more than $MOST bytes"
	elif ((SECONDS - begun >= PATIENCE && (status[0] != 0 || status[1] != 0))); then
		wrong="it did not end within $PATIENCE seconds"
	elif ((status[0] > 128)); then
		wrong="it was ended by signal $((status[0] - 128))"
	elif ((status[0] != 0)); then
		wrong="it failed"
		((status[0] != 127)) || wrong="it could not be started"
		wrong+=" (status ${status[0]}); run secrets fetch at a terminal to see why"
	fi
	[[ -z $wrong ]]
}

# What is the same is not touched, so that nothing is read anew for it.
keep() { # SIDE NAME
	rm -f .fresh # one that is left has an owner, who may read on in it
	wrong=$("$program" secrets take "$2_COMMAND" <.printed 2>&1 >.fresh) || return 1
	wrong="$folder/$1 has to be a folder of root's"
	[[ ! -L $1 && -d $1 ]] || return 1
	chown "${uid[$1]}:${gid[$1]}" .fresh && chmod 0400 .fresh
	[[ -f $1/$2 && $(stat -c '%u %a' "$1/$2") == "${uid[$1]} 400" ]] && cmp -s .fresh "$1/$2" && return 0
	wrong=$(mv -fT .fresh "$1/$2" 2>&1)
}

declare -A wanted
kept=0 missing=0
for ((at = 0; at < ${#fields[@]}; at++)); do
	side=${fields[at]} name=${fields[at + 1]} wrong=${fields[at + 2]} words=()
	for ((at += 3; ${#fields[at]} > 0; at++)); do
		words+=("${fields[at]}")
	done
	wanted[$side/$name]=yes
	if [[ -z $wrong ]] && print "${words[@]}" && keep "$side" "$name"; then
		kept=$((kept + 1))
		continue
	fi
	say "${name}_COMMAND: $wrong"
	if [[ ! -L $side && -f $side/$name ]]; then
		say "${name}_COMMAND: the value that was fetched before stays"
	else
		missing=$((missing + 1))
	fi
done

# What no command prints any more is a secret that lies around.
shopt -s dotglob nullglob
for old in server/* runner/*; do
	[[ -L ${old%/*} || -n ${wanted[$old]-} ]] || rm -f -- "$old"
done
plural=s
((kept != 1)) || plural=
((kept == 0)) || printf 'ok: %d secret%s in %s\n' "$kept" "$plural" "$folder"
((missing == 0)) || exit 75
