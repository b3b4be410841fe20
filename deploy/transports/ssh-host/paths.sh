# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# paths.sh - of a compose file from the repository: what compose makes of it, for who judges that, and where its paths lead.
# SPDX-License-Identifier: ISC
# Who can push writes that file.  ssh.sh judges its text before compose here reads it (judged: its sum), then what compose
# makes of it; the paths that both name are sent back as a list, as only this host knows where its links lead.

readonly CONFIG_BYTES_MAX=262144 # judge.h has it too
readonly LINKS_MAX=40             # as the kernel has it

refuse_file() { # WHAT-TO-DO
	die 70 "$the_file: $1"
}

# A folder or file of the host.
check_bind() { # WHERE PATH
	local real root word allowed words
	[[ $2 =~ ^/[A-Za-z0-9._/@:+-]*$ ]] ||
		refuse_file "$1: a path of the host that is not plain (A-Z a-z 0-9 . _ / @ : + -): write it so"
	real=$(readlink -m -- "$2")
	root=$(pwd -P)
	case $real in
	"$root"/.env* | "$root"/.deploybot* | "$root"/compose.* | "$root"/docker-compose.*) ;; # who writes these is followed here
	"$root"/*) is_of_another "$real" || return 0 ;;
	esac
	IFS=, read -r -a words <<<"$allow"
	for word in ${words[@]+"${words[@]}"}; do
		[[ $word == bind:* ]] || continue
		allowed=$(readlink -m -- "${word#bind:}")
		[[ $real != "$allowed" && $real != "${allowed%/}"/* ]] || return 0
	done
	refuse_file "$1: $2 is not below $dir: put it there (not as .env*, compose.*, .deploybot* or in \
the folder of another environment), or allow it: COMPOSE_ALLOW=\"bind:$real\""
}

# Is it, or has it, the folder of another environment, whose files compose reads there?
is_of_another() { # PATH below root
	local at=$1 file
	while [[ $at != "$root" ]]; do
		[[ ! -e $at/.deploybot.lock ]] || return 0
		at=${at%/*}
	done
	for file in "$1"/*/.deploybot.lock; do
		[[ ! -e $file ]] || return 0
	done
	return 1
}

# The judge's list: WHERE, a tab, PATH or $NAME in each line, and `ro` behind a tab where nothing writes.
check_paths() {
	local list where path mode root ways at env_ways all=() wheres=() paths_there=()
	local -A writable=()
	list=$(base64 -d <<<"$paths") || die 64 "the list of paths is none"
	[[ -n $list ]] || return 0
	root=$(pwd -P)
	while IFS=$'\t' read -r where path mode; do
		if [[ $path == \$* ]]; then
			check_name "$where" "${path#?}"
			continue
		fi
		[[ $path == /* ]] || path=$root/$path
		check_bind "$where" "$path"
		find_ways "$path"
		all+=("$ways") wheres+=("$where") paths_there+=("$path")
		[[ $mode == ro ]] || writable[${at:-/}]=$where
	done <<<"$list"
	[[ $act != paths ]] || find_writers || no_answer "nothing was changed there"
	check_nested
}

# Who is there yet, of the release before, may write until the start, and what it left is followed then.
find_writers() {
	local port port_project folder
	for port in '' $port_a $port_b; do # of bluegreen alone
		port_project=$project
		[[ -z $port ]] || find_project_of "$port"
		find_in_docker "$WRITTEN" "label=com.docker.compose.project=$port_project" || return 1
		while IFS= read -r folder; do
			[[ $folder == /* ]] || continue
			find_ways "$folder"
			: "${writable[${at:-/}]:=what is there of the release before}"
		done <<<"$docker_said"
	done
}

# What compose puts in for a name is judged, and so has to be the same whoever starts it: a person in a shell, too.
check_name() { # WHERE NAME
	grep -qsE "^[[:space:]]*(export[[:space:]]+)?$2[[:space:]]*=" .env ||
		refuse_file "$1: $dir/.env has no $2, and a commit's file takes no other variables: write $2=VALUE there, or \
\$\$$2 where the container's own shell is to read it"
}

# Fills ways with all that is looked up on the way to PATH, links too, a newline before each, and at with where it leads.
find_ways() { # PATH
	local rest=$1 part to links=0
	at='' ways=
	while [[ -n $rest ]]; do
		part=${rest%%/*}
		[[ $rest == */* ]] && rest=${rest#*/} || rest=
		case $part in
		'' | .) continue ;;
		..)
			at=${at%/*}
			continue
			;;
		esac
		ways+=$'\n'$at/$part
		if [[ -L $at/$part ]] && ((++links <= LINKS_MAX)); then
			to=$(readlink -- "$at/$part")
			[[ $to != /* ]] || at=
			rest=$to${rest:+/$rest}
		else
			at+=/$part
		fi
	done
}

# dockerd, as root, follows at each start what then stands there: who may write in a folder of the host from within a container
# may put a link to anything below it.
check_nested() {
	local i folder
	env_ways=
	if [[ -L .env ]]; then
		find_ways "$root/.env"
		env_ways=$ways
	fi
	for folder in ${writable[@]+"${!writable[@]}"}; do
		for i in "${!all[@]}"; do
			[[ ${all[$i]} != *$'\n'"$folder"/* ]] || refuse_file "${wheres[$i]}: ${paths_there[$i]} lies in $folder, \
which ${writable[$folder]} may write: a link there would lead dockerd anywhere: mount $folder with :ro, or put one of \
them elsewhere"
		done
		[[ $env_ways$'\n' != *$'\n'"$folder"[/$'\n']* ]] || refuse_file "${writable[$folder]}: $folder, where \
$dir/.env leads, would be written by the application: put .env itself into $dir, or mount that with :ro"
	done
}

# compose reads no file of a commit that was not judged.
check_judged() {
	local sum=${compose_file#.deploybot.compose.}
	sum=${sum%.yml}
	if [[ $act != check || $sum == "$in_force" && $sum != "$chosen" ]]; then
		die 70 "$dir/$compose_file was changed: deploy again"
	elif [[ -z $judged || $sum != "$judged" ]]; then
		refuse_file "it is refused, or is in no mirror of the repository, and it never ran here: take another release"
	fi
	check_paths
}

# A line for ssh.sh.
name_config() { # TEXT
	local LC_ALL=C sum # bytes
	((${#1} <= CONFIG_BYTES_MAX)) || refuse_file "compose makes more than $CONFIG_BYTES_MAX bytes of it"
	sum=$(sha256sum <<<"$1")
	printf 'config %s %s\n' "${sum%% *}" "$(base64 -w 0 <<<"$1")"
}

# With the very variables that compose will get: a file may say one thing for the port that preflight takes, and another
# for those that it is brought up with.
act_config() {
	local port
	if ! is_of_repository || has_run_here; then
		printf 'as-it-ran\n'
		return "$?"
	fi
	[[ $strategy == bluegreen ]] && set -- "$port_a" "$port_b" || set --
	name_one ''
	for port in "$@" 0; do
		name_one '' "DEPLOY_PORT=$port"
	done
	for port in "$@"; do
		name_one "$port"
	done
}

name_one() { # PORT [NAME=VALUE]
	local words
	words=$(real_config "$@" 2>/dev/null) || {
		words=$(real_config "$@" 2>&1) || true # once more, for what it says
		refuse_file "compose does not understand it: $(last_line "$words")"
	}
	name_config "$words"
}

real_config() { # PORT [NAME=VALUE]
	limit_memory
	[[ $# == 1 ]] || export "${2?}"
	run_compose "$ASK_SECONDS" "$1" config
}
