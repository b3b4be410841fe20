#!/bin/bash
# commits.sh - answers questions about the repository; starts and changes nothing but its own mirror.
# SPDX-License-Identifier: ISC
#   commits.sh commits REF BRANCH BASE [AFTER [PATHS [COMMIT...]]]   REF or, when empty, the newest commit of BRANCH;
#                                        BASE may be empty, and AFTER, the commit that a push announced; do PATHS
#                                        (patterns, a comma between) differ from BASE, and which of these COMMITs does
#                                        it contain?
#   commits.sh past COMMIT LIVE          which barriers has LIVE that COMMIT has not?  By the mirror as it is, which may
#                                        have neither: then it says `unknown`
#   commits.sh barrier COMMIT BASE...    has COMMIT one that a BASE, which may be empty, has not?  By the mirror too,
#                                        which is brought up to date where it does not have COMMIT
#   commits.sh heads BRANCH...           where these branches are
#   commits.sh maintain                  packs each mirror whose day it is; TERM ends it
# The form of the answers stands in runner/protocol.h.  Exit codes: 64 no such ref, 69 unreachable, 78 settings.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/git.sh
. "$here/git.sh"
# shellcheck source=deploy/source.sh
. "$here/source.sh"

readonly BARRIER=.deploybot/no-rollback PAST=8 SHOWN=10 PACK_SECONDS=590 IMAGE_SECONDS=12
: "${TOUCHES_SECONDS:=20}" # a look through many commits or files
: "${MIRROR_MAINTENANCE_SECONDS:=86400}" "${QUERY_KIB:=2097152}"

# Why, of what git said: its first `fatal:`, behind which often comes advice that says nothing alone; else its last line.
# Empty words are no failure.
why_of() { # WORDS
	{
		printf '%s\n' "$1" | grep -m 1 '^fatal:' || printf '%s\n' "$1" | grep -v '^[[:space:]]*$' | tail -n 1 || true
	} | tr -d '\000-\010\013-\037\177'
}

# What git said, as the answer's error, and the status of the question. `advised`: it says what to do.
give_up() { # STATUS WORDS [advised]
	local words hint
	words=$(why_of "$2")
	hint=$(advice "$words")
	printf 'error %s%s\n' "${words:-git failed}" "$hint"
	[[ -z $hint${3-} ]] || printf 'advised 1\n'
	exit "$1"
}

# What to do about git's words, where they do not say it.
advice() { # WORDS
	case $1 in
	*'dubious ownership'*)
		printf '; chown -R %s that folder: git reads no repository of another user' "$(id -un 2>/dev/null || id -u)"
		;;
	*'ould not resolve host'* | *'Name or service not known'* | *'Temporary failure in name resolution'*)
		printf '; is the host of REPOSITORY_URL right, and does this machine resolve names (/etc/resolv.conf)?'
		;;
	esac
}

# What common.sh refuses is an answer here.
fail() { # STATUS TEXT
	give_up "$1" "$2" advised
}

# Questions have their supervisor's deadline.
limited() { # SECONDS WHAT CMD...
	shift 2
	"$@"
}

# What git says on stderr is the answer's error, and on stdout nothing of the answer.
quoted() { # SECONDS WHAT CMD...
	limited "$@" >/dev/null
}

quote() {
	:
}

unquote() {
	:
}

# Each of these lines puts the deadline off.
tell_progress() { # HOW-FAR
	step "git fetch $1"
}

no_such_ref() { # WHY
	printf 'error %s\n' "$1"
	in_mirror for-each-ref --sort=-creatordate --count="$SHOWN" \
		--format='possible %(if:equals=refs/tags)%(refname:rstrip=-2)%(then)tag%(else)branch%(end) %(refname:lstrip=2)' \
		refs/heads refs/tags || true # the reason alone is an answer
	echo end
	exit "$EXIT_INPUT"
}

# Each commit that was meant, all digits of it, and how it is called or what it says.
ambiguous() { # NAMES: lines of `COMMIT WORDS`
	local meant words
	printf 'error %s is ambiguous: type all digits of the one you mean\n' "$name"
	while read -r meant words; do
		printf 'possible commit %s\t%s%s\n' "$meant" "${words:+$words: }" \
			"$(in_mirror log --no-show-signature --encoding=UTF-8 --max-count=1 --format=%s "$meant" -- | printable)"
	done <<<"$1"
	echo end
	exit "$EXIT_INPUT"
}

# Prints the commits whose names begin so, whatever branches and tags are called.
commits_of() { # HEX
	local object
	while read -r object; do
		mirror_commit "$object" || true # a file or a folder
	done < <(in_mirror rev-parse --disambiguate="${1,,}" 2>/dev/null) | sort -u | sed -n "1,${SHOWN}p"
}

# All digits are that commit.  Fewer are it only where nothing else is called so.
resolve_hex() { # HEX
	local found called=''
	found=$(commits_of "$1")
	[[ -z $branch_commit ]] || called+="$branch_commit branch $1"$'\n'
	[[ -z $tag_commit ]] || called+="$tag_commit tag $1"$'\n'
	if [[ $1 =~ ^(.{40}|.{64})$ || ( -n $found && -z $called ) ]] && [[ $found != *$'\n'* ]]; then
		[[ -n $found ]] || no_such_ref "no commit of the repository: $1"
		kind=commit commit=$found
	elif [[ -n $found ]]; then
		ambiguous "$called$found"
	fi
}

# Fills kind, name and commit, and what else is asked by name: of_branch, base and after, empty where it is no commit.  The
# environment's branch is that branch, or who may push could make its name ambiguous.
resolve() { # REF BRANCH BASE AFTER
	local mirror_commits branch_commit tag_commit whole=''
	name=$1 kind='' commit=''
	[[ $name != -* ]] || no_such_ref "a ref does not begin with -"
	if [[ $name =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]]; then
		whole=$name
	else
		git check-ref-format "refs/heads/$name" || no_such_ref "not a name that git allows"
	fi
	find_commits "refs/heads/$name" "refs/tags/$name" "refs/heads/$2" "$3" "$4" "$whole"
	branch_commit=${mirror_commits[0]} tag_commit=${mirror_commits[1]} of_branch=${mirror_commits[2]}
	base=${mirror_commits[3]} after=${mirror_commits[4]}
	if [[ -n $whole && ${mirror_commits[5]} == "$whole" ]]; then # a confirmation asks so: no list is made for it
		kind=commit commit=$whole
	elif [[ $name =~ ^[0-9A-Fa-f]{7,64}$ ]] && [[ $name != "$2" || ${#name} == 40 || ${#name} == 64 ]]; then
		resolve_hex "$name"
	fi
	if [[ -n $kind ]]; then
		return 0
	elif [[ -n $branch_commit ]]; then
		kind=branch commit=$branch_commit
	elif [[ -n $tag_commit ]]; then
		kind=tag commit=$tag_commit
	else
		no_such_ref "no branch, tag or commit of the repository: $name"
	fi
}

# Removes control characters, all but tab and newline, which git puts between fields, and cuts what anybody may have
# written in a commit: bytes, for what cannot be seen has no width, and an answer has an end.
printable() {
	cut -b -4096 | LC_ALL=C sed -E \
		's/[\x00-\x08\x0b-\x1f\x7f]//g; s/^(change [0-9a-f]+ [^\t]{240})[^\t]*/\1/; s/^(.{1200}).*/\1/'
}

tell_branch() { # BRANCH
	local in_branch=0
	[[ -z $1 ]] || printf 'branch %s\n' "$1"
	if [[ -n $of_branch ]]; then
		printf 'branch_commit %s\n' "$of_branch"
		if [[ $of_branch == "$commit" ]] || in_mirror merge-base --is-ancestor "$commit" "$of_branch"; then
			in_branch=1
		fi
	fi
	printf 'in_branch %s\n' "$in_branch"
}

# Fills fork with the commit where base and commit part, which is base where that lies behind commit; empty: nowhere.
find_fork() {
	fork=''
	[[ -z $base ]] || fork=$(in_mirror merge-base "$base" "$commit") || fork=''
}

# A merge says which branch it merged.  What people call it by is the newest commit that it brings, "+4" others.
tell_subject() {
	local log=(in_mirror log --no-show-signature --encoding=UTF-8 --max-count=1) text subject newest='' count=0
	text=$("${log[@]}" --format='%s%n%P.' "$commit" -- | printable)
	subject=${text%$'\n'*}
	if [[ ${text##*$'\n'} == *' '* ]]; then # what a merge brings is said as far as git can read it
		newest=$("${log[@]}" --no-merges --format=%s "$commit^1..$commit" -- | printable) || newest=''
		count=$(in_mirror rev-list --count --no-merges "$commit^1..$commit" --) || count=0
	fi
	((count < 2)) || [[ -z $newest ]] || newest+=" +$((count - 1))"
	printf 'subject %s\n' "${newest:-$subject}"
}

tell_base() {
	local forced=0
	if [[ -z $base ]]; then
		printf 'forced 0\ncount 0\n'
		return 0
	fi
	[[ $fork == "$base" ]] || forced=1
	printf 'base %s\nforced %s\ncount %s\n' "$base" "$forced" "$(in_mirror rev-list --count "$base..$commit")"
	[[ $base == "$commit" ]] || in_mirror log --no-show-signature --encoding=UTF-8 --max-count="$SHOWN" \
		--format='change %H %an%x09%s' "$base..$commit" -- | printable
}

# Of a git that looks through many commits or files; its status is 124 when it took too long.
timely() { # CMD...
	timeout "$TOUCHES_SECONDS" git "${git_options[@]}" --git-dir="$mirror" "$@"
}

# Prints the newest of these commits that have the file as none of their parents has it: they add or change it.  Behind each
# the blob of its text.  On all sides of a merge: what was removed again before it came together may have been done to a
# database all the same.
barriers() { # MOST RANGE
	timely log --date-order --full-history --diff-merges=combined --raw --no-abbrev --no-renames --no-show-signature \
		--format='commit %H' "$2" -- ":(top,literal)$BARRIER" 2>/dev/null |
		LC_ALL=C awk -v path="$BARRIER" -v most="$1" '
			/^commit / { commit = $2 }
			/^:/ && match($0, /^:+/) { # RLENGTH parents: their modes and the new one, their blobs and the new one
				mode = $(RLENGTH + 1)
				blob = $(2 * RLENGTH + 2)
				split($0, part, "\t")
				if (part[2] != path || mode !~ /^1[02]0/)
					next
				for (i = RLENGTH + 2; i < 2 * RLENGTH + 2; i++)
					if ($i == blob)
						next
				print commit, blob
				if (++n == most)
					exit
			}'
}

reason_of() { # COMMIT
	{ in_mirror cat-file blob "$1:$BARRIER" 2>/dev/null || true; } | head -c 4096 | tr '\n\r\t' '   ' | printable
}

# What is live has these, and the commit has not: a step back goes past them.  One that was rebased is on both sides.
tell_past() { # BASE
	local found own barrier blob n=0 status=0
	found=$(barriers "$PAST" "$commit..$1") || status=$?
	[[ -z $found ]] || own=$(barriers 1000 "$1..$commit") || own=''
	while read -r barrier blob; do
		if [[ -n $barrier ]]; then
			n=$((n + 1))
			[[ $own == *" $blob"* ]] || printf 'past %s %s\n' "$barrier" "$(reason_of "$barrier")"
		fi
	done <<<"$found"
	((status == 0 || n == PAST)) || printf 'past %s git did not look through all commits since for %s (status %s)\n' \
		"$1" "$BARRIER" "$status"
}

# What says that nobody rolls back past a release, in the words of whoever wrote it.  Where nothing is live every commit is
# new.  Whoever may push can make the look at them long, and it hides nothing when it is cut.
tell_barrier() { # BASE, as it was given
	local found='' status=0
	if [[ -z $1 ]]; then
		[[ $(in_mirror cat-file -t "$commit:$BARRIER" 2>/dev/null) != blob ]] || found=$commit
	elif [[ -z $fork ]]; then
		printf 'no_history 1\n'
	else
		[[ $base == "$commit" ]] || found=$(barriers 1 "$base..$commit") || status=$?
		[[ $base == "$fork" ]] || tell_past "$base"
	fi
	if [[ -n $found ]]; then
		printf 'barrier %s\n' "$(reason_of "${found%% *}")"
	elif ((status != 0)); then
		printf 'barrier git did not look through all new commits for %s (status %s)\n' "$BARRIER" "$status"
	fi
}

# Does anything that the patterns mean differ?  Where that is not known, it does.
is_touched() { # BASE PATTERN...
	local base=$1 pattern patterns=()
	shift
	for pattern in "$@"; do
		if [[ $pattern == !* ]]; then
			patterns+=(":(exclude,glob)${pattern#!}")
		else
			patterns+=(":(glob)$pattern")
		fi
	done
	! timely diff-tree --quiet -r --end-of-options "$base" "$commit" -- "${patterns[@]}" >/dev/null 2>&1
}

# Can what differs between base and commit be told by their files alone?
is_behind() {
	[[ -n $fork && $fork == "$base" ]]
}

# Whether anything that one of the patterns means has changed, and never what; behind a / alone, of each for itself.
tell_touches() { # PATHS
	local pattern paths=() alone=() is_alone=''
	[[ -n $1 ]] || return 0
	while IFS= read -r -d , pattern; do
		pattern="${pattern#"${pattern%%[![:space:]]*}"}"
		pattern="${pattern%"${pattern##*[![:space:]]}"}"
		if [[ $pattern == / ]]; then
			is_alone=1
		elif [[ -n $is_alone ]]; then
			alone+=("$pattern")
		else
			paths+=("$pattern")
		fi
	done <<<"$1,"
	if [[ ${#paths[@]} -gt 0 ]]; then
		if ! is_behind || is_touched "$base" "${paths[@]}"; then
			printf 'touches 1\n'
		else
			printf 'touches 0\n'
		fi
	fi
	for pattern in ${alone[@]+"${alone[@]}"}; do
		if is_behind && ! is_touched "$base" "$pattern"; then
			printf 'untouched %s\n' "$pattern" | printable
		fi
	done
}

# A release of it will not have these: people are told before and behind it.
tell_missing() {
	local setting
	find_missing "$commit"
	[[ -n $missing ]] || return 0
	setting=$(refused_missing) || setting=''
	printf 'missing %s%s\n' "$missing" "${setting:+; refused ($setting)}" | printable
}

needs_image() {
	local name=${DEPLOY_TRANSPORT:-ssh}
	[[ ${USE_KUBERNETES:-false} != true ]] || name=kubernetes
	[[ -z ${DEPLOY_SCRIPT:-} ]] && grep -Eqs '^(readonly )?transport_needs=image$' "$here/transports/$name.sh"
}

# What a release of it will be made of, as far as it is known before: people are told, and a run is bound to a digest.
tell_image() {
	local said='' status=0
	needs_image || return 0
	if [[ ${IMAGE_SOURCE:-build} == build ]]; then
		echo "image build"
		return 0
	fi
	# It cleans up behind itself; a registry that hangs is no reason not to answer.
	said=$(REGISTRY_SECONDS=8 LOGIN_SECONDS=8 timeout --kill-after=2 "$IMAGE_SECONDS" "$here/target.sh" \
		"${APPLICATION:+$APPLICATION/}${ENVIRONMENT:-}" image "$commit" 2>/dev/null) || status=$?
	said=${said##*$'\n'}
	if ((status == 0)) && [[ $said =~ ^sha256:[0-9a-f]{64}$ ]]; then
		printf 'image %s\n' "$said"
	elif ((status == EXIT_INPUT)); then
		echo "image none"
	else
		echo "image unknown"
	fi
}

# What all mirrors take on the disk, with what else is kept there.
tell_mirrors() {
	local bytes
	bytes=$(du --summarize --block-size=1 "$STATE_DIRECTORY/git" 2>/dev/null) || return 0
	printf 'mirror %s\n' "${bytes%%[!0-9]*}"
}

# Whether a commit that was rolled back lies in this one's history.
tell_contained() { # COMMIT...
	local blocked
	for blocked in "$@"; do
		if [[ $blocked =~ ^[0-9a-f]{40,64}$ ]] &&
			in_mirror merge-base --is-ancestor "$blocked" "$commit" 2>/dev/null; then
			printf 'contains %s\n' "$blocked"
		fi
	done
}

# Who asks for a commit that is there does not wait for somebody else's fetch.
is_there_already() { # REF
	[[ $1 =~ ^[0-9A-Fa-f]{7,64}$ && -e ${mirror%.git}.lock ]] &&
		! flock -n 8 8<"${mirror%.git}.lock" && ! mirror_commit "refs/heads/$1" >/dev/null &&
		mirror_commit "${1,,}" >/dev/null
}

# Of what looks at commits: a message or a folder may have a gigabyte that was a megabyte on its way here.  A pack of any
# size is read in windows that have room.
limit_memory() {
	[[ $(ulimit -S -v) == unlimited ]] || return 0
	git_options+=(-c core.packedGitWindowSize=32m -c core.packedGitLimit=512m)
	ulimit -S -v "$QUERY_KIB"
	memory=unlimited
}

tell_after() { # AFTER
	local lacks=1
	[[ -n $1 ]] || return 0
	[[ $after != "$1" ]] || lacks=0
	printf 'lacks_after %s\n' "$lacks"
}

answer_commits() { # REF BRANCH BASE AFTER PATHS [COMMIT...]
	local ref=${1:-$2} said memory='' of_branch base after fork
	[[ -n $ref ]] || give_up "$EXIT_INPUT" "neither a ref nor a branch was given"
	[[ -z $3 ]] || [[ $3 =~ ^[0-9a-f]{7,64}$ ]] || give_up "$EXIT_INPUT" "the base is no commit"
	if ! is_there_already "$ref"; then
		exec 3>&1
		# reason kept: it is what we say
		said=$(mirror_update 2>&1 >&3) || give_up "$EXIT_UNREACHABLE" "$said"
		exec 3>&-
	fi
	resolve "$ref" "$2" "$3" "${4-}"
	limit_memory
	find_fork
	printf 'ref %s\nkind %s\ncommit %s\n' "$name" "$kind" "$commit"
	in_mirror log --no-show-signature --encoding=UTF-8 --max-count=1 \
		--format='tree %T%nauthor %an%nat %ct' "$commit" -- | printable ||
		give_up "$EXIT_INPUT" \
			"git cannot read the commit ${commit:0:12} with $QUERY_KIB KiB of memory: is its message that large?"
	tell_subject
	tell_branch "$2"
	tell_after "${4-}"
	tell_base
	tell_barrier "$3"
	tell_touches "${5-}"
	tell_missing
	[[ -z $memory ]] || ulimit -S -v "$memory" # others' programs
	tell_image
	tell_mirrors
	tell_contained "${@:6}"
	echo end
}

# For rollback.sh by hand, where perhaps nothing can be fetched.
answer_past() { # COMMIT LIVE
	local memory=''
	check_commit "$1"
	check_commit "$2"
	if [[ -d $mirror ]] && commit=$(mirror_commit "$1") && mirror_commit "$2" >/dev/null; then
		limit_memory
		tell_past "$2"
	else
		printf 'unknown 1\n'
	fi
	echo end
}

# For deploy.sh, which has the commit from us, or has fetched it; of one whose image is there it needs no file.
answer_barrier() { # COMMIT BASE...
	local memory='' given base fork said=''
	check_commit "$1"
	for given in "${@:2}"; do
		[[ -z $given ]] || check_commit "$given"
	done
	if [[ ! -d $mirror || -z $(mirror_commit "$1") ]]; then
		# reason kept: in said, and only progress goes
		said=$(mirror_update 2>&1 >/dev/null) || true
		said=$(why_of "$said")
	fi
	if [[ -d $mirror ]] && commit=$(mirror_commit "$1"); then
		limit_memory
		for given in "${@:2}"; do
			base=$(mirror_commit "$given") || base=''
			find_fork
			tell_barrier "$given"
		done
	else
		printf 'barrier git does not say what lies between%s\n' "${said:+: $said}"
	fi
	echo end
}

answer_heads() { # BRANCH...
	local found line branch
	found=$(safe_git ls-remote --quiet --refs --end-of-options "$repository" 'refs/heads/*' 2>&1) ||
		give_up "$EXIT_UNREACHABLE" "$found"
	while IFS= read -r line; do
		for branch in "$@"; do
			if [[ $line == *$'\trefs/heads/'"$branch" && ${line#*$'\t'} == "refs/heads/$branch" ]]; then
				printf 'head %s %s\n' "${line%%$'\t'*}" "$branch"
			fi
		done
	done <<<"$found"
	tell_mirrors
	echo end
}

# Releases from before they were kept.
keep_releases() {
	local commit
	while read -r commit; do
		[[ $(mirror_commit "$commit") != "$commit" ]] || mirror_keep "$commit"
	done < <(cat -- "$STATE_DIRECTORY"/environments/*.json 2>/dev/null | grep -Eow '[0-9a-f]{40}([0-9a-f]{24})?' | sort -u)
}

end_packing() {
	kill -TERM "$packing" 2>/dev/null || true # it may be over
	wait "$packing" || true
	mirror_tidy
}

on_end() {
	trap '' TERM
	end_packing
	exit 143
}

# Somebody wants the mirror's lock: a script by hand, whom no runner speaks for.
is_waited_for() {
	grep -q -- "-> FLOCK .*:$(stat -c %i -- "${mirror%.git}.lock") " /proc/locks
}

# What no branch, tag or release names any more goes after 90 days.  False: it gave way.
pack_mirror() {
	local cruft=() status=0
	[[ $(git gc -h 2>&1) != *cruft* ]] || cruft=(--cruft)
	timeout --kill-after=5 "$PACK_SECONDS" git "${git_options[@]}" --git-dir="$mirror" gc --quiet --force \
		--prune=90.days.ago "${cruft[@]}" &
	packing=$!
	trap on_end TERM
	while kill -0 "$packing" 2>/dev/null; do
		if is_waited_for; then
			trap - TERM
			end_packing
			return 1
		fi
		sleep 1 9>&- &
		wait -n "$packing" "$!" || true # how it ended is asked below
	done
	wait "$packing" || status=$?
	trap - TERM
	mirror_tidy
	((status == 0)) || failed+=" ${mirror##*/} (status $status)"
}

# Under its lock, where nobody else holds it.
maintain_mirror() {
	exec 9>"${mirror%.git}.lock"
	flock -n 9 || return 0
	mirror_tidy
	if [[ -z $(find "${mirror%.git}.packed" -newermt "-$MIRROR_MAINTENANCE_SECONDS seconds" 2>/dev/null) ]]; then
		keep_releases
		! pack_mirror || : >"${mirror%.git}.packed" # also when it failed: once a day is often enough
	fi
	exec 9>&-
}

answer_maintain() {
	local failed=''
	((MIRROR_MAINTENANCE_SECONDS > 0)) || return 0
	for mirror in "$STATE_DIRECTORY"/git/*.git; do
		[[ ! -e $mirror/HEAD ]] || maintain_mirror
	done
	[[ -z $failed ]] || give_up "$EXIT_UNREACHABLE" "git gc failed for$failed: see above"
	echo end
}

main() {
	check_settings
	[[ ${1:-} != maintain ]] || REPOSITORY_URL=/ # of all mirrors there are; nothing is fetched
	git_setup "$here"
	case ${1:-} in
	commits)
		[[ $# -ge 4 ]] || give_up "$EXIT_INPUT" "commits REF BRANCH BASE [AFTER [PATHS [COMMIT...]]]"
		answer_commits "$2" "$3" "$4" "${@:5}"
		;;
	past)
		[[ $# -eq 3 ]] || give_up "$EXIT_INPUT" "past COMMIT LIVE"
		answer_past "$2" "$3"
		;;
	barrier)
		[[ $# -ge 3 ]] || give_up "$EXIT_INPUT" "barrier COMMIT BASE..."
		answer_barrier "${@:2}"
		;;
	maintain) answer_maintain ;;
	heads)
		shift
		answer_heads "$@"
		;;
	*) give_up "$EXIT_INPUT" "unknown git query" ;;
	esac
}

main "$@"
