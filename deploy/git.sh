# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# git.sh - a git that trusts nobody, and the mirror of your repository that all questions are asked of.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh comes first.

# A fetch goes on while it makes progress; the seconds without any that end it, and those that end any.
: "${FETCH_STALL_SECONDS:=60}" "${FETCH_TIMEOUT_SECONDS:=3600}" "${CHECKOUT_SECONDS:=300}"
: "${FETCH_BYTES:=21474836480}" # of what one fetch brings
# What a fetch that was cut ends with: the repository is unreachable, and the mirror is as good as it was.
readonly FETCH_CUT=75
fetch_seconds=0 # of this run: its deadline waits for so many

# No configuration but ours, no hooks, no prompts, one protocol: the one that REPOSITORY_URL needs.

find_repository() { # fills repository
	repository=${REPOSITORY_URL:-}
	if [[ -z $repository && -n ${GITHUB_REPOSITORY:-} ]]; then
		repository=https://github.com/$GITHUB_REPOSITORY.git
	fi
}

# Prints where the copy of a repository is: an application that fetches with other credentials has another one, or it
# would read what these do not give it.  REPOSITORY_CREDENTIALS: where they stand, by the runner's word, which hands a
# secret over in memory.
mirror_of() { # URL
	local what=$1
	[[ -z ${APPLICATION:-} ]] ||
		what+=$'\n'${REPOSITORY_KEY_PATH:-}$'\n'${REPOSITORY_CREDENTIALS-${REPOSITORY_TOKEN_FILE:-}}
	what=$(printf '%s' "$what" | sha256sum)
	printf '%s/git/%s.git' "$STATE_DIRECTORY" "${what:0:16}"
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
	# It is not there for submodules alone (source.sh).
	[[ ! -e ${mirror%.git}.submodule ]] || rm -f -- "${mirror%.git}.submodule"
	git_options=(-c core.hooksPath=/dev/null -c protocol.allow=never -c "protocol.$protocol.allow=always"
		-c core.fsmonitor=false -c maintenance.auto=false -c gc.auto=0 -c credential.helper= -c advice.detachedHead=false
		-c core.warnAmbiguousRefs=false)
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_ATTR_NOSYSTEM=1
	GIT_TOKEN_HOST=$(host_of "$repository")
	export GIT_TOKEN_HOST # the one that askpass.sh tells the token
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
	quoted "$CHECKOUT_SECONDS" "git $2" git "${git_options[@]}" --git-dir="$mirror" --work-tree="$1" "${@:2}"
}

cannot_check_out() { # COMMIT
	fail "$EXIT_BUILD" "git cannot lay out ${1:0:12} in $app: see its output in the log; is there room on that disk?"
}

# Fills uptime, in seconds: no jump of the clock changes it.
look_at_uptime() {
	IFS=. read -r uptime _ </proc/uptime
}

# There is progress, of ours or of whoever has the mirror's lock: said when it is another, and now and then.
say_progress() {
	look_at_uptime
	[[ $how_far != "$said_far" ]] || ((uptime >= said_at + 20)) || return 0
	said_far=$how_far said_at=$uptime
	tell_progress "$how_far"
}

# In a run's log, now and then.
tell_progress() { # HOW-FAR
	((uptime >= told_at + 10)) || return 0
	told_at=$uptime
	printf 'git fetch: %s\n' "${1:-in progress}"
}

# Fills how_far from git's words.  Nothing else of what a server writes is shown to people.
take_progress() { # WORDS
	local form='(Counting|Compressing|Receiving|Resolving|Unpacking) (objects|deltas): +([0-9]{1,3})%'
	local size='\), ([0-9.]{1,9} ([KMGT]iB|bytes))'
	[[ $1 =~ $form ]] || return 0
	how_far="${BASH_REMATCH[1],} ${BASH_REMATCH[2]} ${BASH_REMATCH[3]} %"
	[[ ! $1 =~ $size ]] || how_far+=" (${BASH_REMATCH[1]})"
}

note_progress() {
	idle=0 progress=$((progress + 1))
	printf '%s %s\n' "$BASHPID.$progress" "$how_far" >"$progress_file"
	say_progress
}

pack_size() {
	du -sb -- "$mirror/objects/pack" 2>/dev/null || true # what it is looking at may go away
}

# Reads what git says until it has ended; false: it made no progress for too long.
watch_progress() { # FD
	local piece got size='' now
	while :; do
		got=0
		IFS= read -r -d $'\r' -n 4096 -t 1 -u "$1" piece || got=$?
		if [[ -n $piece ]] || ((got == 0)); then
			take_progress "$piece"
			words+=$piece
			((got != 0)) || words=${words%"${words##*$'\n'}"} # a line that is written over
			((${#words} <= 8000)) || words=${words: -4000}
			note_progress
		elif ((got <= 128)); then
			return 0
		else
			now=$(pack_size)
			[[ $now == "$size" ]] || note_progress
			size=$now idle=$((idle + 1))
			((idle < FETCH_STALL_SECONDS)) || return 1
		fi
	done
}

# Git does not say that it was ended for what it wrote.
is_cut_pack() {
	[[ -n $(find "$mirror/objects/pack" -name 'tmp_pack_*' -size "+$((FETCH_BYTES / 1024 * 1024 - 1))c" 2>/dev/null) ]]
}

# Runs git for as long as it makes progress: whatever it says is, and what grows in the mirror.  Its words are on stderr
# when it fails; FETCH_CUT when we ended it.
progressing() { # CMD...
	local child fd status=0 words='' why='' idle=0 progress=0 pipe=${mirror%.git}.words uptime began
	look_at_uptime
	began=$uptime
	[[ $BASHPID == "$$" ]] || catch_signals
	[[ ! -e $pipe ]] || rm -f -- "$pipe"
	mkfifo -m 0600 -- "$pipe" || return 1
	(ulimit -f $((FETCH_BYTES / 1024)) 2>/dev/null || true # it may be lower already
		exec timeout --kill-after="$KILL_SECONDS" "$FETCH_TIMEOUT_SECONDS" "$@") \
		</dev/null >/dev/null 2>"$pipe" &
	child=$!
	exec {fd}<"$pipe"
	rm -f -- "$pipe"
	if ! watch_progress "$fd"; then
		why="git fetch made no progress for $FETCH_STALL_SECONDS s"
		kill -TERM "$child" 2>/dev/null || true # `timeout` hands it on, and KILL behind it
	fi
	exec {fd}<&-
	wait "$child" || status=$?
	look_at_uptime
	if [[ -z $why ]] && ((status == 124 || status == 137)) && ((uptime - began >= FETCH_TIMEOUT_SECONDS - 1)); then
		why="git fetch took longer than $FETCH_TIMEOUT_SECONDS s (FETCH_TIMEOUT_SECONDS)"
	elif [[ -z $why ]] && ((status != 0)) && is_cut_pack; then
		why="git fetch brings more than $FETCH_BYTES bytes at once (FETCH_BYTES)"
	fi
	if [[ -n $why ]] || ((status > 128)); then
		kill -KILL -- "-$child" 2>/dev/null || true # those who did not hear TERM
		words="fatal: ${why:-git fetch was killed}" status=$FETCH_CUT
	fi
	if ((status != 0)); then
		quote
		printf '%s\n' "$words" >&2
		unquote
	fi
	return "$status"
}

# A git that was killed leaves locks of its own and half a pack, one that was cut too; our lock says that nobody else is here.
mirror_tidy() {
	find "$mirror" -type f \( -name '*.lock' -o -name gc.pid -o -path '*/objects/*' \
		\( -name 'tmp_*' -o -name '.tmp-*' -o -name '*.keep' \) \) -delete
}

# A release may be brought back long after its branch was moved away from it: its commit is kept.
mirror_keep() { # COMMIT
	in_mirror update-ref "refs/deploybot/$1" "$1"
}

mirror_fetch() {
	local status=0
	mirror_tidy
	# Always as a pack: what is unpacked grows in memory, and a large file among few objects shows no progress.
	progressing git "${git_options[@]}" -c fetch.unpackLimit=1 --git-dir="$mirror" fetch --progress --force --prune --no-tags \
		--no-write-fetch-head --end-of-options "$repository" '+refs/heads/*:refs/heads/*' \
		'+refs/tags/*:refs/tags/*' || status=$?
	((status == 0)) || mirror_tidy
	return "$status"
}

mirror_clone() {
	rm -rf -- "$mirror"
	safe_git init --quiet --bare "$mirror" && mirror_fetch
}

# The progress of whoever has it counts as ours.
mirror_lock() {
	local idle=0 waited=0 seen='' now=''
	until flock -w 1 9; do
		[[ ! -e $progress_file ]] || read_line now "$progress_file"
		if [[ $now != "$seen" ]]; then
			seen=$now how_far=${now#* } idle=0
			say_progress
		fi
		idle=$((idle + 1)) waited=$((waited + 1))
		if ((idle > FETCH_STALL_SECONDS || waited > FETCH_TIMEOUT_SECONDS)); then
			echo "fatal: the mirror is busy: another fetch of it has not ended" >&2
			return "$FETCH_CUT"
		fi
	done
}

# Can all that its branches need be read?  A pack that lost its bytes with the power is asked for by itself: its index
# promises commits that no branch has yet, and git wants them of it instead of fetching them.
mirror_is_sound() {
	silently "$CHECKOUT_SECONDS" "git fsck" git "${git_options[@]}" --git-dir="$mirror" fsck --connectivity-only \
		--no-dangling --no-progress &&
		{ ! compgen -G "$mirror/objects/pack/*.idx" >/dev/null ||
			silently "$CHECKOUT_SECONDS" "git verify-pack" git "${git_options[@]}" verify-pack \
				"$mirror"/objects/pack/*.idx; }
}

# Brings the mirror up to date, under its lock.  A mirror that is unusable while the repository answers is made
# anew; one whose fetch was cut, by us or by the network, is not.  Fails with git's words on stderr.
mirror_update() {
	local status=0 how_far='' said_far='' said_at uptime told_at progress_file=${mirror%.git}.progress
	look_at_uptime
	said_at=$uptime told_at=$uptime
	[[ -d ${mirror%/*} ]] || mkdir -p "${mirror%/*}"
	step 'git fetch'
	exec 9>"${mirror%.git}.lock"
	mirror_lock || return "$?"
	if [[ ! -e $mirror/HEAD ]]; then
		mirror_clone || return "$?"
	else
		mirror_fetch || status=$?
		((status != FETCH_CUT)) || return "$status"
	fi
	if ((status != 0)); then
		quoted "$CHECKOUT_SECONDS" "git ls-remote" git "${git_options[@]}" ls-remote --quiet --exit-code \
			--end-of-options "$repository" HEAD || return "$?"
		! mirror_is_sound || return "$status"
		mirror_clone || return "$?"
	fi
	exec 9>&-
}

# Prints the full commit that hex digits name, if it is in the mirror.
mirror_commit() { # HEX
	in_mirror rev-parse --verify --quiet --end-of-options "$1^{commit}" 2>/dev/null
}

# Fills mirror_commits with the commits that these name, empty where one is none: no NAME has a newline.
find_commits() { # NAME...
	local type commit n=0
	mirror_commits=("${@/*/}")
	while read -r type commit; do
		[[ $type != commit ]] || mirror_commits[n]=$commit
		n=$((n + 1))
	done < <(printf '%s^{commit}\n' "$@" | in_mirror cat-file --batch-check='%(objecttype) %(objectname)' 2>/dev/null)
}

fetch_new() { # COMMIT
	local began=$SECONDS
	mirror_update ||
		fail "$EXIT_UNREACHABLE" "${fetched:-the repository} cannot be fetched: see git's output in the log, \
${fetched:+its URL in .gitmodules (a redirect is not followed), }REPOSITORY_URL and its key"
	fetch_seconds=$((fetch_seconds + SECONDS - began))
	((fetch_seconds <= FETCH_TIMEOUT_SECONDS)) || fetch_seconds=$FETCH_TIMEOUT_SECONDS # for no more
	[[ $(mirror_commit "$1") == "$1" ]] ||
		fail "$EXIT_INPUT" "the commit $1 is not in the repository: was it pushed, and not rewritten since?"
}

# Sees to it that the mirror has exactly this commit, and keeps it.  fetched: what people call that repository, if not that.
fetch_commit() { # COMMIT
	[[ $(mirror_commit "$1") == "$1" ]] || fetch_new "$1"
	mirror_keep "$1" || warn "the commit $1 cannot be kept in $mirror"
}
