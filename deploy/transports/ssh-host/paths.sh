# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# paths.sh - of a compose file from the repository: what compose makes of it, for who judges that, and where its paths lead.
# SPDX-License-Identifier: ISC
# Who can push writes that file.  ssh.sh judges its text before compose here reads it (judged: its sum), then what compose
# makes of it; the paths that both name are sent back as a list, as only this host knows where its links lead.

readonly CONFIG_BYTES_MAX=262144 # judge.h has it too

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
	"$root"/*) return 0 ;;
	esac
	IFS=, read -r -a words <<<"$allow"
	for word in ${words[@]+"${words[@]}"}; do
		[[ $word == bind:* ]] || continue
		allowed=$(readlink -m -- "${word#bind:}")
		[[ $real != "$allowed" && $real != "${allowed%/}"/* ]] || return 0
	done
	refuse_file "$1: $2 is not below $dir: put it there (not as .env*, compose.* or .deploybot*), or allow it: \
COMPOSE_ALLOW=\"bind:$real\""
}

# The judge's list: WHERE, a tab, PATH in each line.
check_paths() {
	local list where path
	list=$(base64 -d <<<"$paths") || die 64 "the list of paths is none"
	[[ -n $list ]] || return 0
	while IFS=$'\t' read -r where path; do
		[[ $path == /* ]] || path=$(pwd -P)/$path
		check_bind "$where" "$path"
	done <<<"$list"
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
