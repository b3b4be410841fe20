# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# source.sh - a commit as files: laid out with its submodules and LFS files, or what of these is missing; and its build.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh, git.sh and approved.sh come first.

: "${LOCAL_BUILD_SECONDS:=1800}" # compilers; DEPLOY_TIMEOUT_SECONDS is usually shorter
: "${REPOSITORY_SUBMODULES:=warn}" "${REPOSITORY_LFS:=warn}"

# Of a commit as files, with its submodules: files, folders and submodules; bytes; submodules.
: "${CHECKOUT_ENTRIES:=1000000}" "${CHECKOUT_BYTES:=21474836480}" "${CHECKOUT_SUBMODULES:=100}"
: "${SUBMODULE_MIRRORS:=200}" # of submodules, of all applications

readonly SUBMODULES_DEEP=5 MISSING_SHOWN=3 GITMODULES_BYTES=1048576 COUNT_SECONDS=60
readonly LFS_POINTER='version https://git-lfs.github.com/spec/v1'

# ---- what is missing -----------------------------------------------------------------------------

# Fills entries and bytes with how much a commit is as files, and submodules and attributes with how many of these entries
# are such; or says false and fills only why: no more is counted than may be.  A few objects can be as many files as one
# likes, as a folder may be there many times; with -t also none but folders.
count_tree() { # COMMIT
	local said
	entries=0 bytes=0 submodules=0 attributes=0 why=''
	said=$(timeout "$COUNT_SECONDS" git "${git_options[@]}" --git-dir="$mirror" ls-tree -r -t -l --full-tree "$1" |
		LC_ALL=C awk -v files="$CHECKOUT_ENTRIES" -v most="$CHECKOUT_BYTES" '
			{ n++; size += $4; if (n > files || size > most) exit }
			$2 == "commit" { submodules++ }
			/[\t\/]\.gitattributes"?$/ { attributes++ }
			END { printf "%d %.0f %d %d\n", n, size, submodules, attributes }') ||
		why="git cannot count the files of ${1:0:12} within $COUNT_SECONDS s"
	read -r entries bytes submodules attributes <<<"${said:-0 0 0 0}"
	if ((entries > CHECKOUT_ENTRIES)); then
		why="${1:0:12} has more than $CHECKOUT_ENTRIES files and folders (CHECKOUT_ENTRIES)"
	elif ((bytes > CHECKOUT_BYTES)); then
		why="the files of ${1:0:12} have more than $CHECKOUT_BYTES bytes (CHECKOUT_BYTES)"
	fi
	[[ -z $why ]]
}

# Prints the folders that are other repositories, one a line, as git quotes names.
submodules_of() { # COMMIT
	in_mirror ls-tree -r --full-tree "$1" | sed -n 's/^160000 commit [0-9a-f]*\t//p'
}

# Prints the files that only point to what git-lfs keeps.  Only where attributes say that there are such; a pointer has
# less than 1024 bytes, and begins with that line.
lfs_pointers_of() { # COMMIT
	in_mirror grep -q -I -F 'filter=lfs' "$1" -- ':(glob)**/.gitattributes' || return 0
	{
		small_files_of "$1" | LC_ALL=C awk '!seen[$3]++ { print $3 }' | in_mirror cat-file --batch='@%(objectname)' |
			LC_ALL=C awk -v is="$LFS_POINTER" '
				$0 == is && before ~ /^@[0-9a-f]+$/ { print substr(before, 2) }
				{ before = $0 }'
		echo -
		small_files_of "$1"
	} | LC_ALL=C awk '
		$0 == "-" { list = 1; next }
		!list { pointer[$1] = 1; next }
		pointer[$3] { sub(/^[^\t]*\t/, ""); print }'
}

small_files_of() { # COMMIT
	in_mirror ls-tree -r -l --full-tree "$1" | LC_ALL=C awk '$2 == "blob" && $4 >= 100 && $4 < 1024'
}

# Adds "2 submodules (a, b)" to missing, of the paths on stdin, of which there may be a million.
add_missing() { # WHAT
	local count shown
	IFS=$'\t' read -r count shown < <(LC_ALL=C awk -v most="$MISSING_SHOWN" '
		NR <= most { shown = shown (NR > 1 ? ", " : "") substr($0, 1, 60) }
		END { printf "%d\t%s%s\n", NR, shown, (NR > most ? ", …" : "") }')
	((count > 0)) || return 0
	[[ $count != 1 ]] || set -- "${1%s}"
	missing+="${missing:+ and }$count $1 ($shown)"
}

# Does a release lay its commit out here?
is_laid_out() {
	[[ -z ${DEPLOY_SCRIPT:-} ]] || return 1 # how that one gets its files, nobody knows
	[[ ${IMAGE_SOURCE:-build} == build || ${DEPLOY_TRANSPORT:-ssh} == @(local|systemd) ]]
}

# Fills missing: what a release that is built here will not have; empty where nothing is, or nothing is built here.
find_missing() { # COMMIT
	local entries bytes submodules attributes why
	missing=''
	is_laid_out || return 0
	count_tree "$1" || return 0 # it is refused when it is laid out
	[[ $REPOSITORY_SUBMODULES == fetch ]] || ((submodules == 0)) || add_missing submodules < <(submodules_of "$1")
	[[ $REPOSITORY_LFS == fetch ]] || ((attributes == 0)) || add_missing "LFS files" < <(lfs_pointers_of "$1")
}

# A setting of `refuse` that this commit does not pass.
refused_missing() {
	[[ $missing == *" submodule"* && $REPOSITORY_SUBMODULES == refuse ]] && printf 'REPOSITORY_SUBMODULES' && return 0
	[[ $missing == *" LFS file"* && $REPOSITORY_LFS == refuse ]] && printf 'REPOSITORY_LFS'
}

check_missing() { # COMMIT
	local setting
	find_missing "$1"
	[[ -n $missing ]] || return 0
	if setting=$(refused_missing); then
		fail "$EXIT_BUILD" "${1:0:12} would be shipped without $missing: $setting is refuse; fetch brings them"
	fi
	warn "shipped without $missing: REPOSITORY_SUBMODULES=fetch and REPOSITORY_LFS=fetch bring them"
}

# ---- laying it out -------------------------------------------------------------------------------

# Leaves exactly the commit in FOLDER, which is there and empty.  What is in it has the modes of lay_out_umask.
lay_out() { # FOLDER COMMIT
	local laid_entries=0 laid_bytes=0 laid_submodules=0
	if is_upload; then
		lay_out_approved "$1" "$2"
		return 0
	fi
	check_missing "$2"
	lay_out_one "$1" "$2"
	[[ $REPOSITORY_SUBMODULES != fetch ]] || lay_out_submodules "$1" "$2" 1
}

# Before anything is written, of all that is laid out together.
check_size() { # COMMIT
	local entries bytes submodules attributes why
	count_tree "$1" || fail "$EXIT_BUILD" "$why: it is not laid out"
	((laid_entries += entries, laid_bytes += bytes, 1))
	((laid_entries <= CHECKOUT_ENTRIES && laid_bytes <= CHECKOUT_BYTES)) ||
		fail "$EXIT_BUILD" "with its submodules the commit has more than $CHECKOUT_ENTRIES files and folders \
(CHECKOUT_ENTRIES) or $CHECKOUT_BYTES bytes (CHECKOUT_BYTES): it is not laid out"
}

# By an index of its own; a git that was killed leaves its lock.
lay_out_one() { # FOLDER COMMIT
	local index=$app/source.index
	check_size "$2"
	rm -f -- "$index" "$index.lock"
	[[ $REPOSITORY_LFS != fetch ]] || local git_options=("${git_options[@]}")
	[[ $REPOSITORY_LFS != fetch ]] || use_lfs
	GIT_INDEX_FILE=$index mirror_tree "$1" read-tree "$2" || cannot_check_out "$2"
	umask "${lay_out_umask:-077}"
	GIT_INDEX_FILE=$index mirror_tree "$1" checkout-index --all --force || cannot_check_out "$2"
	umask 077
	rm -f -- "$index"
}

# A repository's .lfsconfig does not choose where our token goes.
use_lfs() {
	need_tool git-lfs git-lfs
	local url=$repository
	case $repository in
	/*) url=file://$repository ;;
	https://*) url=${repository%/} url=${url%.git}.git/info/lfs ;;
	esac
	git_options+=(-c "lfs.url=$url" -c filter.lfs.required=true -c "filter.lfs.smudge=git-lfs smudge -- %f"
		-c "filter.lfs.process=git-lfs filter-process" -c "remote.origin.url=$repository")
}

# Is it a URL that git, curl and ssh each read alike?  One user at most, and nothing behind which another host may stand.
is_plain_url() { # URL
	local user='([A-Za-z0-9._-]+@)?' name='[A-Za-z0-9.-]+' path='[^?#\@[:cntrl:]]+$'
	[[ $1 =~ ^(https|ssh)://$user($name|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?/$path || $1 =~ ^$user$name:$path ||
		$1 =~ ^\.{0,2}/$path ]]
}

# Fills url; a relative one counts from the repository that names it.
resolve_url() { # URL
	url=$1
	[[ $url == ./* || $url == ../* ]] || return 0
	local base=${repository%/}
	while [[ $url == ./* || $url == ../* ]]; do
		if [[ $url == ../* && $base == */* ]]; then
			base=${base%/*}
		elif [[ $url == ../* ]]; then
			base=${base%%:*}: # git@host:name
		fi
		url=${url#*/}
	done
	[[ $base == *: ]] || base+=/
	url=$base$url
}

# Fills inside, the path of a URL without the / before it, and reach, who is asked there and as whom; of two spellings of one
# host it is the same, and empty where there is none.  Another user of ssh has other rights; https has our token's alone.
find_inside() { # URL
	local user='([A-Za-z0-9._-]+)@' host='[A-Za-z0-9.-]+' port=22
	if [[ $1 == /* ]]; then
		reach=/ inside=${1#/}
	elif [[ $1 =~ ^(https|ssh)://($user)?($host|\[[0-9A-Fa-f:]+\])(:([0-9]+))?/(.*)$ ]]; then
		[[ ${BASH_REMATCH[1]} != https ]] || user='' port=443
		reach=${BASH_REMATCH[1]}://${user:+${BASH_REMATCH[3]}@}${BASH_REMATCH[4],,}:${BASH_REMATCH[6]:-$port}
		inside=${BASH_REMATCH[7]}
	elif [[ $1 =~ ^($user)?($host):/?(.*)$ ]]; then
		reach=ssh://${BASH_REMATCH[2]}@${BASH_REMATCH[3],,}:$port inside=${BASH_REMATCH[4]}
	else
		reach='' inside=''
	fi
}

# Is it a path that every server reads as it stands here?  What some take for another folder, or cut, is in none.
is_plain_inside() { # PATH
	local part='([A-Za-z0-9._~+-]|%20)+'
	[[ $1 =~ ^$part(/$part)*$ && /$1/ != */./* && /$1/ != */../* ]]
}

# Does REPOSITORY_SUBMODULES_FROM name the repository at this path?  On this machine by where its entries lead to.
is_from() { # PATH
	local entry is_folder of=$1
	while IFS=$' ' read -r entry; do
		[[ -n $entry ]] || continue
		[[ $entry == */ ]] && is_folder=yes || is_folder=no
		entry=${entry#/} entry=${entry%/}
		[[ $reach != / || -z $entry ]] || { entry=$(readlink -m -- "/$entry") && entry=${entry#/}; } || return 1
		if [[ $is_folder == yes ]]; then
			[[ -n $entry && $of/ != "$entry"/?* ]] || return 0
		else
			[[ $of != "$entry" && $of.git != "$entry" ]] || return 0
		fi
	done <<<"${REPOSITORY_SUBMODULES_FROM//,/$'\n'}"
	return 1
}

# Does nothing say which repositories they may have, and git logs in with what others have too?
is_login_of_others() {
	[[ -z ${REPOSITORY_SUBMODULES_FROM:-} && ${REPOSITORY_LOGIN:-} != own ]]
}

# For who asks before there is such a commit.
warn_of_login() {
	[[ $REPOSITORY_SUBMODULES == fetch ]] && is_laid_out && is_login_of_others || return 0
	warn_people "a commit with submodules is refused: git's login is not for ${APPLICATION:-this application} alone; write \
REPOSITORY_SUBMODULES_FROM=/PATH,… of what whoever may push here may read, in ${APPLICATION:+apps/$APPLICATION}.env"
}

# Whoever may push chooses what stands in .gitmodules, and is to read no other repository with our rights.
check_from() { # PATH-OF-THE-SUBMODULE
	local inside=$inside file="${APPLICATION:+apps/$APPLICATION}.env" if="if whoever may push here may read that"
	[[ $inside != *[!/].git ]] || inside=${inside%.git}
	if is_login_of_others; then
		fail "$EXIT_BUILD" "the submodule ${1:0:60} comes from /$inside: $if, write REPOSITORY_SUBMODULES_FROM=/$inside in \
$file (git's login is not for ${APPLICATION:-this application} alone)"
	elif [[ -n ${REPOSITORY_SUBMODULES_FROM:-} ]] && ! is_from "$inside"; then
		fail "$EXIT_BUILD" "the submodule ${1:0:60} comes from /$inside: $if, add it to REPOSITORY_SUBMODULES_FROM in $file"
	fi
}

check_gitmodules() { # COMMIT
	local size
	size=$(in_mirror cat-file -s "$1:.gitmodules" 2>/dev/null) || size=0
	((size <= GITMODULES_BYTES)) || fail "$EXIT_BUILD" "the file .gitmodules at ${1:0:12} has more than $GITMODULES_BYTES bytes"
}

# Fills url with where the submodule in PATH comes from: the path that was looked at, behind what REPOSITORY_URL has before its own.
find_submodule() { # COMMIT PATH
	local key value name='' inside reach ours before
	while IFS=$'\n' read -r -d '' key value; do
		[[ $value != "$2" ]] || name=${key#submodule.} name=${name%.path}
	done < <(in_mirror config --blob "$1:.gitmodules" --null --get-regexp '^submodule\..*\.path$')
	url=$(in_mirror config --blob "$1:.gitmodules" --get "submodule.$name.url") ||
		fail "$EXIT_BUILD" "the submodule $2 has no URL in .gitmodules at ${1:0:12}"
	is_plain_url "$url" ||
		fail "$EXIT_BUILD" "the submodule $2 comes from $url: write it as https://HOST/PATH, ssh://USER@HOST/PATH, \
USER@HOST:PATH or ../PATH, without ? # \\ and @"
	resolve_url "$url"
	find_inside "$repository"
	ours=$reach before=${repository%"$inside"}
	find_inside "$url"
	[[ -n $reach && $reach == "$ours" ]] ||
		fail "$EXIT_BUILD" "the submodule $2 comes from $url: only what begins with $before gets our key and token"
	inside=${inside%/}
	if [[ $reach != / ]]; then
		is_plain_inside "$inside" || fail "$EXIT_BUILD" "the submodule $2 comes from $url: write its path with A-Z a-z 0-9 \
. _ ~ + - (%20: a blank), and without . or .. for a folder"
	else
		inside=$(readlink -m -- "/$inside") && inside=${inside#/} || fail "$EXIT_BUILD" "the submodule $2 comes from $url: \
no path can be found there"
	fi
	check_from "$2"
	url=$before$inside
}

# A mirror that is there for submodules alone has a mark, whose time is that of its last use.  As whoever may push chooses
# what is fetched, only so many stay.
mark_mirror() {
	local old
	[[ -e $mirror/HEAD && ! -e ${mirror%.git}.submodule ]] || : >"${mirror%.git}.submodule"
	while read -r _ old; do
		(flock -n 9 && rm -rf -- "${old%.submodule}".{git,packed,progress,submodule}) 9>>"${old%.submodule}.lock" || true
	done < <(find "${mirror%/*}" -name '*.submodule' -printf '%T@ %p\n' | sort -rn | tail -n "+$((SUBMODULE_MIRRORS + 1))")
}

# A redirect may lead to another repository than the one that was looked at.
lay_out_submodule() { # FOLDER COMMIT DEPTH
	local repository=$url mirror fetched="the submodule ${path:0:60}" git_options=("${git_options[@]}")
	git_options+=(-c http.followRedirects=false)
	mirror=$(mirror_of "$repository")
	mark_mirror
	fetch_commit "$2"
	lay_out_one "$1" "$2"
	lay_out_submodules "$1" "$2" "$3"
}

lay_out_submodules() { # FOLDER COMMIT DEPTH
	local entry path url
	local -a entries
	mapfile -d '' -t entries < <(in_mirror ls-tree -r -z --full-tree "$2" | LC_ALL=C grep -z '^160000 ' |
		head -z -n "$((CHECKOUT_SUBMODULES + 1))")
	((laid_submodules += ${#entries[@]}, laid_submodules <= CHECKOUT_SUBMODULES)) ||
		fail "$EXIT_BUILD" "the commit has more than $CHECKOUT_SUBMODULES submodules (CHECKOUT_SUBMODULES)"
	((${#entries[@]} == 0)) || check_gitmodules "$2"
	for entry in ${entries[@]+"${entries[@]}"}; do
		path=${entry#*$'\t'}
		(($3 <= SUBMODULES_DEEP)) || fail "$EXIT_BUILD" "submodules in submodules, more than $SUBMODULES_DEEP deep: $path"
		find_submodule "$2" "$path"
		(umask "${lay_out_umask:-077}" && mkdir -p -- "$1/$path")
		[[ $(readlink -f -- "$1/$path") == "$(readlink -f -- "$1")/$path" ]] ||
			fail "$EXIT_BUILD" "the submodule $path lies outside of its repository"
		entry=${entry#160000 commit }
		lay_out_submodule "$1/$path" "${entry%%$'\t'*}" "$(($3 + 1))"
	done
}

# ---- building it, where there is no image --------------------------------------------------------

# Leaves exactly the commit in FOLDER, whatever was there.
check_out() { # FOLDER COMMIT
	rm -rf -- "$1"
	mkdir -- "$1"
	lay_out "$1" "$2"
}

# Runs the commit's .deploybot/build, where it has one.
run_recipe() { # FOLDER COMMIT NAME=VALUE...
	local recipe=$1/.deploybot/build
	[[ -e $recipe ]] || return 0
	[[ -x $recipe ]] || fail "$EXIT_BUILD" ".deploybot/build is not executable"
	quoted "$LOCAL_BUILD_SECONDS" .deploybot/build env --chdir="$1" -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 \
		RUN_ID="${RUN_ID:-}" COMMIT="$2" SOURCE="$source" ENVIRONMENT="$ENVIRONMENT" APPLICATION="$APPLICATION" "${@:3}" \
		./.deploybot/build </dev/null 8>&- 9>&- ||
		fail "$EXIT_BUILD" ".deploybot/build failed with status $?: its last lines are in the log"
}
