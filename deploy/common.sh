# shellcheck shell=bash
# common.sh - what the scripts in deploy/ share: checks of their arguments, and a git that trusts nobody.
# SPDX-License-Identifier: ISC
# Sourced, never run.  Nothing here is ever part of a command that a shell parses again.

# Exit codes that the server understands; up to 69 the target was not touched.
readonly EXIT_INPUT=64 EXIT_BUILD=65 EXIT_UNREACHABLE=69 EXIT_REFUSED=70 EXIT_BUSY=75 EXIT_CONFIG=78
export EXIT_BUILD EXIT_UNREACHABLE EXIT_REFUSED EXIT_BUSY # used by those who source this

fail() { # STATUS TEXT
	printf '%s: %s\n' "${0##*/}" "$2" >&2
	exit "$1"
}

step() { # NAME
	printf '==> %s\n' "$1"
}

check_environment() { # ENV
	[[ $1 =~ ^[a-z][a-z0-9-]{0,19}$ ]] || fail "$EXIT_INPUT" "no name of an environment: $1"
	local known=",${ENVIRONMENTS:-staging,production},"
	known=${known// /}
	[[ $known == *",$1,"* ]] || fail "$EXIT_INPUT" "unknown environment: $1 (there are: ${ENVIRONMENTS:-staging,production})"
}

check_release() { # RELEASE: COMMIT or COMMIT@sha256:DIGEST
	[[ $1 =~ ^[0-9a-f]{7,64}(@sha256:[0-9a-f]{64})?$ ]] || fail "$EXIT_INPUT" "no commit: $1"
}

check_number() { # NAME VALUE
	[[ $2 =~ ^[1-9][0-9]{0,17}$ ]] || fail "$EXIT_INPUT" "$1 is no number: $2"
}

# Prints the environment's setting, empty when it is not set: setting_of staging PORT reads STAGING_PORT.
setting_of() { # ENV NAME
	local name=${1^^}
	name=${name//-/_}_$2
	printf '%s' "${!name:-}"
}

# Hands over to the transport: transports/NAME.sh deploy|rollback ENV RELEASE.
run_transport() { # HERE deploy|rollback ENV RELEASE
	local here=$1 name=${DEPLOY_TRANSPORT:-ssh} there=() file
	shift
	[[ ${USE_KUBERNETES:-false} == true ]] && name=kubernetes
	if [[ ! $name =~ ^[a-z][a-z0-9-]*$ || ! -r $here/transports/$name.sh ]]; then
		for file in "$here"/transports/*.sh; do
			file=${file##*/}
			there+=("${file%.sh}")
		done
		fail "$EXIT_CONFIG" "there is no transport \"$name\" (DEPLOY_TRANSPORT); there are: ${there[*]}"
	fi
	exec bash "$here/transports/$name.sh" "$@"
}

# ---- git -----------------------------------------------------------------------------------------
# No configuration but ours, no hooks, no prompts, one protocol: the one that REPOSITORY_URL needs.

find_repository() { # fills repository
	repository=${REPOSITORY_URL:-}
	if [[ -z $repository && -n ${GITHUB_REPOSITORY:-} ]]; then
		[[ $GITHUB_REPOSITORY =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] ||
			fail "$EXIT_CONFIG" "GITHUB_REPOSITORY is not owner/name"
		repository=https://github.com/$GITHUB_REPOSITORY.git
	fi
}

git_setup() { # HERE: fills repository, mirror and git_options
	find_repository
	local protocol here=$1 scp='^[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^-].*$'
	case $repository in
	/*) protocol='file' ;;
	https://[A-Za-z0-9]*) protocol=https ;;
	ssh://[A-Za-z0-9]*) protocol=ssh ;;
	'') fail "$EXIT_CONFIG" "neither REPOSITORY_URL nor GITHUB_REPOSITORY is set" ;;
	*)
		[[ $repository =~ $scp ]] ||
			fail "$EXIT_CONFIG" "REPOSITORY_URL is neither https, ssh nor an absolute path"
		protocol=ssh
		;;
	esac
	mirror=${STATE_DIRECTORY:=/var/lib/deploybot}/git/$(printf '%s' "$repository" | sha256sum | cut -c 1-16).git
	git_options=(-c core.hooksPath=/dev/null -c protocol.allow=never -c "protocol.$protocol.allow=always"
		-c core.fsmonitor=false -c gc.auto=0 -c credential.helper= -c advice.detachedHead=false)
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ATTR_NOSYSTEM=1
	export GIT_ALLOW_PROTOCOL=$protocol GIT_ASKPASS=$here/askpass.sh
	export GIT_SSH_COMMAND="ssh -F none -oBatchMode=yes -oConnectTimeout=15"
	export GIT_SSH_VARIANT=ssh
	if [[ $protocol == ssh ]]; then
		git_setup_ssh
	fi
}

git_setup_ssh() {
	if [[ -n ${REPOSITORY_KEY_PATH:-} ]]; then
		[[ -n ${REPOSITORY_KNOWN_HOSTS:-} ]] || fail "$EXIT_CONFIG" "REPOSITORY_KEY_PATH needs REPOSITORY_KNOWN_HOSTS"
		GIT_SSH_COMMAND+=" -oIdentitiesOnly=yes -i $(printf '%q' "$REPOSITORY_KEY_PATH")"
	fi
	if [[ -n ${REPOSITORY_KNOWN_HOSTS:-} ]]; then
		GIT_SSH_COMMAND+=" -oStrictHostKeyChecking=yes -oUserKnownHostsFile=$(printf '%q' "$REPOSITORY_KNOWN_HOSTS")"
	fi
}

safe_git() {
	git "${git_options[@]}" "$@"
}

in_mirror() {
	safe_git --git-dir="$mirror" "$@"
}

mirror_fetch() {
	# A git that was killed leaves locks of its own; ours says that nobody else is here.
	find "$mirror" -name '*.lock' -type f -delete
	in_mirror fetch --quiet --force --prune --no-tags --no-write-fetch-head --end-of-options \
		"$repository" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
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
	if ! flock -w 600 9; then
		echo "the mirror is busy" >&2
		return 1
	fi
	if [[ ! -e $mirror/HEAD ]]; then
		mirror_clone || return
	elif ! mirror_fetch; then
		safe_git ls-remote --quiet --exit-code --end-of-options "$repository" HEAD >/dev/null || return
		mirror_clone || return
	fi
	exec 9>&-
}

# Prints the full commit that hex digits name, if it is in the mirror.
mirror_commit() { # HEX
	in_mirror rev-parse --verify --quiet --end-of-options "$1^{commit}" 2>/dev/null
}
