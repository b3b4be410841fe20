# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# git.sh - a git that trusts nobody, and the mirror of your repository that all questions are asked of.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh comes first.

# A first fetch of a big repository, over a slow line.
: "${FETCH_SECONDS:=300}"

# No configuration but ours, no hooks, no prompts, one protocol: the one that REPOSITORY_URL needs.

find_repository() { # fills repository
	repository=${REPOSITORY_URL:-}
	if [[ -z $repository && -n ${GITHUB_REPOSITORY:-} ]]; then
		repository=https://github.com/$GITHUB_REPOSITORY.git
	fi
}

# Prints where the copy of a repository is.
mirror_of() { # URL
	printf '%s/git/%s.git' "$STATE_DIRECTORY" "$(printf '%s' "$1" | sha256sum | cut -c 1-16)"
}

git_setup() { # HERE: fills repository, mirror and git_options
	find_repository
	local protocol here=$1
	case $repository in
	/*) protocol='file' ;;
	https://*) protocol=https ;;
	'') fail "$EXIT_CONFIG" "neither REPOSITORY_URL nor GITHUB_REPOSITORY is set" ;;
	*) protocol=ssh ;;
	esac
	: "${STATE_DIRECTORY:=/var/lib/deploybot}"
	mirror=$(mirror_of "$repository")
	git_options=(-c core.hooksPath=/dev/null -c protocol.allow=never -c "protocol.$protocol.allow=always"
		-c core.fsmonitor=false -c gc.auto=0 -c credential.helper= -c advice.detachedHead=false
		-c core.warnAmbiguousRefs=false)
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ATTR_NOSYSTEM=1
	export GIT_ALLOW_PROTOCOL=$protocol GIT_ASKPASS=$here/askpass.sh
	export GIT_SSH_COMMAND="ssh -F none -oBatchMode=yes -oConnectTimeout=15"
	export GIT_SSH_VARIANT=ssh
	if [[ $protocol == ssh ]]; then
		git_setup_ssh
	fi
}

# Prints TEXT as one word of any sh: git hands its command to /bin/sh, which need not know bash's $'…'.
sh_word() { # TEXT
	local quote="'\\''"
	printf "'%s'" "${1//"'"/"$quote"}"
}

git_setup_ssh() {
	if [[ -n ${REPOSITORY_KEY_PATH:-} ]]; then
		[[ -n ${REPOSITORY_KNOWN_HOSTS:-} ]] || fail "$EXIT_CONFIG" "REPOSITORY_KEY_PATH needs REPOSITORY_KNOWN_HOSTS"
		GIT_SSH_COMMAND+=" -oIdentitiesOnly=yes -i $(sh_word "$REPOSITORY_KEY_PATH")"
	fi
	if [[ -n ${REPOSITORY_KNOWN_HOSTS:-} ]]; then
		GIT_SSH_COMMAND+=" -oStrictHostKeyChecking=yes -oUserKnownHostsFile=$(sh_word "$REPOSITORY_KNOWN_HOSTS")"
	fi
}

safe_git() {
	git "${git_options[@]}" "$@"
}

in_mirror() {
	safe_git --git-dir="$mirror" "$@"
}

# What writes a work tree may take its time.
mirror_tree() { # FOLDER CMD...
	quoted "$FETCH_SECONDS" "git $2" git "${git_options[@]}" --git-dir="$mirror" --work-tree="$1" "${@:2}"
}

cannot_check_out() { # COMMIT
	fail "$EXIT_BUILD" "git cannot lay out ${1:0:12} in $app: see its output above; is there room on that disk?"
}

# A git that was killed leaves locks of its own and half a pack; our lock says that nobody else is here.
mirror_tidy() {
	find "$mirror" -type f \( -name '*.lock' -o -name gc.pid -o -path '*/objects/*' \
		\( -name 'tmp_*' -o -name '.tmp-*' \) \) -delete
}

# A release may be brought back long after its branch was moved away from it: its commit is kept.
mirror_keep() { # COMMIT
	in_mirror update-ref "refs/deploybot/$1" "$1"
}

mirror_fetch() {
	mirror_tidy
	quoted "$FETCH_SECONDS" "git fetch" git "${git_options[@]}" --git-dir="$mirror" fetch --quiet --force --prune \
		--no-tags --no-write-fetch-head --end-of-options "$repository" \
		'+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
}

mirror_clone() {
	step clone
	rm -rf -- "$mirror"
	safe_git init --quiet --bare "$mirror" && mirror_fetch
}

# Brings the mirror up to date, under its lock.  A mirror that is unusable while the repository answers is made
# anew.  Fails with git's words on stderr.
mirror_update() {
	mkdir -p "${mirror%/*}"
	exec 9>"${mirror%.git}.lock"
	if ! limited 610 "the mirror's lock" flock -w 600 9; then
		echo "the mirror is busy" >&2
		return 1
	fi
	if [[ ! -e $mirror/HEAD ]]; then
		mirror_clone || return "$?"
	elif ! mirror_fetch; then
		quoted "$FETCH_SECONDS" "git ls-remote" git "${git_options[@]}" ls-remote --quiet --exit-code \
			--end-of-options "$repository" HEAD || return "$?"
		mirror_clone || return "$?"
	fi
	exec 9>&-
}

# Prints the full commit that hex digits name, if it is in the mirror.
mirror_commit() { # HEX
	in_mirror rev-parse --verify --quiet --end-of-options "$1^{commit}" 2>/dev/null
}

fetch_new() { # COMMIT
	mirror_update ||
		fail "$EXIT_UNREACHABLE" "the repository cannot be fetched: see git's output above, REPOSITORY_URL and its key"
	[[ $(mirror_commit "$1") == "$1" ]] ||
		fail "$EXIT_INPUT" "the commit $1 is not in the repository: was it pushed, and not rewritten since?"
}

# Sees to it that the mirror has exactly this commit, and keeps it.
fetch_commit() { # COMMIT
	[[ $(mirror_commit "$1") == "$1" ]] || fetch_new "$1"
	mirror_keep "$1" || warn "the commit $1 cannot be kept in $mirror"
}
