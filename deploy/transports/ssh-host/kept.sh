# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# kept.sh - the host's own compose files that a release was made with: kept, and taken again where that comes back.
# SPDX-License-Identifier: ISC
# Takes from base.sh, and from file.sh which file an act works with.
# .deploybot.with.DIGEST has for a release that came up here `of`, a line with its name and one for each file, and these
# files, in that order: 1.yml, 2.yml and so on.

# Fills own with the host's own files that compose takes; none, where one of them is none that can be read.
find_own() {
	local list=${compose_file:-${COMPOSE_FILE:-$named_file}} name
	own=()
	IFS=: read -r -a own <<<"${list:-$(host_files)}"
	for name in ${own[@]+"${own[@]}"}; do
		[[ -f $name && -r $name && $name != .deploybot.* ]] || own=()
	done
}

# Fills folder, with_release and with_names of what a release was made with; false: nothing is kept of it.
find_with_release() { # RELEASE, or a part of it with its commit or its digest
	local of=$1 line text
	with_release='' with_names=()
	if [[ $of != *@* ]]; then
		read_file text .deploybot.releases
		while IFS= read -r line; do
			[[ $line != "$1"*@* ]] || of=$line
		done <<<"$text"
	fi
	[[ $of =~ @sha256:([0-9a-f]{64})$ ]] || return 1
	folder=.deploybot.with.${BASH_REMATCH[1]}
	[[ -r $folder/of ]] || return 1
	{ read -r with_release && mapfile -t with_names; } <"$folder/of"
	((${#with_names[@]} > 0))
}

# Are those the host's own files, as they are now?
is_unedited() {
	local i own
	find_own
	[[ "${own[*]-}" == "${with_names[*]}" ]] || return 1
	for i in "${!own[@]}"; do
		cmp -s -- "${own[$i]}" "$folder/$((i + 1)).yml" || return 1
	done
}

# What is relative in the kept ones stays so to the folder of the host's, and so does .env.
take_with() {
	local i
	compose_file=
	for i in "${!with_names[@]}"; do
		compose_file+=${compose_file:+:}$folder/$((i + 1)).yml
	done
	the_file="the compose file that ${with_release:0:12} was made with ($dir/$folder)"
	from_folder=(--project-directory .)
	[[ ${with_names[0]} != */* ]] || from_folder[1]=${with_names[0]%/*}/
}

# Where the host's were edited since a release was made: it comes back with what it was made with; false: as they are now.
use_with() { # RELEASE, as above
	local folder with_names
	! is_of_repository && find_with_release "$1" && ! is_unedited || return 1
	take_with
}

# The same of what comes back by itself, where .env says which file; said to people.
use_with_again() { # RELEASE
	local in_force named_file with_release
	find_in_force
	[[ -z $in_force ]] && use_with "$1" || return 0
	say_people "its compose file was edited since release ${with_release:0:7}: what comes back there does so with the one \
that it was made with; yours is left as it is"
}

# Before compose reads them.  Nothing of a release depends on it.
copy_own() {
	local folder with_release with_names own name n=0
	[[ ! -e .deploybot.with.new ]] || rm -rf .deploybot.with.new
	! is_of_repository && ((${#from_folder[@]} == 0)) && [[ $release == *@sha256:* ]] || return 0
	! find_with_release "$release" || ! is_unedited || return 0
	find_own
	((${#own[@]} > 0)) || return 0
	(
		umask 077
		mkdir .deploybot.with.new && printf '%s\n' "$release" "${own[@]}" >.deploybot.with.new/of || exit
		for name in "${own[@]}"; do
			n=$((n + 1))
			cat -- "$name" >".deploybot.with.new/$n.yml" || exit
		done
	) && return 0
	say "warning: the compose file of this release cannot be kept in $dir: $(df -P . | tail -n 1)"
	rm -rf .deploybot.with.new
}

# Behind a release that came up: what was copied is whole, or it is not there.
keep_own() {
	local folder=.deploybot.with.${release##*:}
	[[ -e .deploybot.with.new ]] || return 0
	flush .deploybot.with.new/* .deploybot.with.new
	rm -rf -- "$folder" && mv -T -- .deploybot.with.new "$folder" ||
		say "warning: $dir/$folder cannot be written: a rollback to ${release:0:12} would use the compose file of that day"
}

# preflight, for people: whose settings were edited since what runs was made; the next release brings that too.
name_edited() {
	local folder with_release with_names of_image words line found=''
	[[ $rollback == no && -n $now ]] && ! is_of_repository || return 0
	read -r _ _ _ _ _ _ _ of_image _ <<<"$now"
	find_with_release "$of_image" && ! is_unedited || return 0
	words=$(sums_of_kept) || words=
	while read -r line; do
		[[ $'\n'$words$'\n' == *$'\n'"$line"$'\n'* ]] || found+=", ${line% *}"
	done < <(name_sums)
	[[ -z $found ]] || say_people "its compose file was edited since release ${with_release:0:7} was made, which runs: \
${found:2:150} (is that meant? The next release brings it)"
}

# The same of the kept ones; in a subshell of its own.
sums_of_kept() {
	local words compose_file the_file from_folder names=() externals='' frame=''
	local -A field=()
	take_with
	words=$(compose_config 2>/dev/null) || return 1
	read_config "$words"
	name_sums
}

# Of releases that are not kept any more.  `kept` has the lines of those that are.
clean_with() {
	local folder
	for folder in .deploybot.with.*; do
		[[ " ${kept[*]-} " == *":${folder##*.} "* ]] || rm -rf -- "$folder"
	done
}
