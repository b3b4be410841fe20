# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# source.sh - a commit as files: laid out with its submodules and LFS files, or what of these is missing.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh and git.sh come first.

: "${REPOSITORY_SUBMODULES:=warn}" "${REPOSITORY_LFS:=warn}"

readonly SUBMODULES_DEEP=5 MISSING_SHOWN=3
readonly LFS_POINTER='version https://git-lfs.github.com/spec/v1'

# ---- what is missing -----------------------------------------------------------------------------

# Prints the folders that are other repositories, one a line, as git quotes names.
submodules_of() { # COMMIT
	in_mirror ls-tree -r --full-tree "$1" | sed -n 's/^160000 commit [0-9a-f]*\t//p'
}

# Prints the files that only point to what git-lfs keeps.  Only where attributes say that there are such; a pointer has
# less than 1024 bytes, and begins with that line.
lfs_pointers_of() { # COMMIT
	local small
	in_mirror grep -q -I -F 'filter=lfs' "$1" -- ':(glob)**/.gitattributes' || return 0
	small=$(in_mirror ls-tree -r -l --full-tree "$1" | awk '$2 == "blob" && $4 >= 100 && $4 < 1024')
	[[ -n $small ]] || return 0
	{
		awk '{ print $3 }' <<<"$small" | in_mirror cat-file --batch='@%(objectname)' |
			LC_ALL=C awk -v is="$LFS_POINTER" '
				$0 == is && before ~ /^@[0-9a-f]+$/ { print substr(before, 2) }
				{ before = $0 }'
		printf -- '-\n%s\n' "$small"
	} | LC_ALL=C awk '
		$0 == "-" { list = 1; next }
		!list { pointer[$1] = 1; next }
		pointer[$3] { sub(/^[^\t]*\t/, ""); print }'
}

# Adds "2 submodules (a, b)" to missing.
add_missing() { # WHAT PATHS
	local count shown
	[[ -n $2 ]] || return 0
	count=$(wc -l <<<"$2")
	shown=$(head -n "$MISSING_SHOWN" <<<"$2" | cut -b -60 | paste -s -d , | sed 's/,/, /g')
	((count <= MISSING_SHOWN)) || shown+=", …"
	[[ $count != 1 ]] || set -- "${1%s}"
	missing+="${missing:+ and }$count $1 ($shown)"
}

# Fills missing: what a release that is built here will not have; empty where nothing is, or nothing is built here.
find_missing() { # COMMIT
	missing=''
	[[ -z ${DEPLOY_SCRIPT:-} ]] || return 0 # how that one gets its files, nobody knows
	[[ ${IMAGE_SOURCE:-build} == build || ${DEPLOY_TRANSPORT:-ssh} == local ]] || return 0
	[[ $REPOSITORY_SUBMODULES == fetch ]] || add_missing submodules "$(submodules_of "$1")"
	[[ $REPOSITORY_LFS == fetch ]] || add_missing "LFS files" "$(lfs_pointers_of "$1")"
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
	check_missing "$2"
	lay_out_one "$1" "$2"
	[[ $REPOSITORY_SUBMODULES != fetch ]] || lay_out_submodules "$1" "$2" 1
}

# By an index of its own; a git that was killed leaves its lock.
lay_out_one() { # FOLDER COMMIT
	local index=$app/source.index
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

# Prints where a repository is, without what stands behind its host: what our key and token are for.
host_of() { # URL
	case $1 in
	https://* | ssh://*)
		local host=${1#*://}
		host=${host%%/*}
		printf '%s' "${1%%://*}://${host##*@}"
		;;
	/*) printf '%s' "${1%/*}" ;;
	*:*)
		local host=${1%%:*}
		printf 'ssh://%s' "${host##*@}"
		;;
	esac
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

# Fills url with where the submodule in PATH comes from.
find_submodule() { # COMMIT PATH
	local key value name=''
	while IFS=$'\n' read -r -d '' key value; do
		[[ $value != "$2" ]] || name=${key#submodule.} name=${name%.path}
	done < <(in_mirror config --blob "$1:.gitmodules" --null --get-regexp '^submodule\..*\.path$')
	url=$(in_mirror config --blob "$1:.gitmodules" --get "submodule.$name.url") ||
		fail "$EXIT_BUILD" "the submodule $2 has no URL in .gitmodules at ${1:0:12}"
	resolve_url "$url"
	[[ $(host_of "$url") == "$(host_of "$repository")" && $url != *..* ]] ||
		fail "$EXIT_BUILD" "the submodule $2 comes from $url: only $(host_of "$repository") gets our key and token"
}

lay_out_submodule() { # FOLDER COMMIT DEPTH
	local repository=$url mirror
	mirror=$(mirror_of "$repository")
	fetch_commit "$2"
	lay_out_one "$1" "$2"
	lay_out_submodules "$1" "$2" "$3"
}

lay_out_submodules() { # FOLDER COMMIT DEPTH
	local entry path url
	local -a entries
	mapfile -d '' -t entries < <(in_mirror ls-tree -r -z --full-tree "$2" | LC_ALL=C grep -z '^160000 ')
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
