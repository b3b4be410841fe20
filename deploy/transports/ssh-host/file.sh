# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# file.sh - which compose file an act works with: the one that compose finds here, or one that came with a release.
# SPDX-License-Identifier: ISC
# COMPOSE_SOURCE=repo: the file of a release is .deploybot.compose.SUM.yml, by the SHA-256 of what is in it, and .env's
# COMPOSE_FILE names the one in force: it is switched with DEPLOY_IMAGE, in one rename.  .deploybot.compose has a line
# RELEASE SUM for each release, or RELEASE host where the file was the host's.

readonly CONFIG_KILOBYTES=4194304

kept_file() { # SUM
	printf '.deploybot.compose.%s.yml' "$1"
}

# Fills named_file with the COMPOSE_FILE that .env names, and in_force with the SUM, where it is one of ours; empty: the
# file is the host's.
find_in_force() { # [FILE, which is .env]
	local line
	in_force='' named_file=''
	[[ -r ${1:-.env} ]] || return 0
	while IFS= read -r line || [[ -n $line ]]; do
		[[ ! $line =~ ^COMPOSE_FILE=(.*)$ ]] || named_file=${BASH_REMATCH[1]}
		[[ ! $line =~ ^COMPOSE_FILE=\.deploybot\.compose\.([0-9a-f]{64})\.yml$ ]] || in_force=${BASH_REMATCH[1]}
	done <"${1:-.env}"
}

# Prints SUM or host of a release, the last that was noted; nothing where none is.  By the end of a line: before that there
# may be half a note, to which an earlier version has added the next one.  Of a digest alone none that may have been refused.
noted_file() { # COMMIT@sha256:DIGEST, or a part of that
	local line found=''
	while IFS= read -r line || [[ -n $line ]]; do
		[[ ! $line =~ "$1"[0-9a-f]*(@sha256:[0-9a-f]{64})?\ (host|[0-9a-f]{64})$ ]] ||
			[[ $1 == @* && -e .deploybot.compose.${BASH_REMATCH[2]}.unjudged ]] || found=${BASH_REMATCH[2]}
	done < <(cat .deploybot.compose 2>/dev/null)
	printf '%s' "$found"
}

is_whole() { # SUM
	local found
	found=$(sha256sum 2>/dev/null <"$(kept_file "$1")") && [[ ${found%% *} == "$1" ]]
}

# The files that compose takes where nothing names one.
host_files() {
	local name more
	for name in compose.yaml compose.yml docker-compose.yml docker-compose.yaml; do
		[[ -e $name ]] || continue
		more=${name%.*}.override.${name##*.}
		printf '%s' "$name"
		[[ ! -e $more ]] || printf ':%s' "$more"
		return "$?"
	done
}

has_file() {
	[[ -n $compose_file$(host_files) ]] || grep -q '^COMPOSE_FILE=' .env 2>/dev/null
}

# The words with which .env says that the file of SUM is in force, or the host's; in env_words.
find_env_words() { # SUM|host
	env_words=()
	if [[ $1 != host ]]; then
		env_words=("COMPOSE_FILE=$(kept_file "$1")")
	elif [[ -n $in_force ]]; then
		env_words=(COMPOSE_FILE) # that line goes
	fi
}

# The same for what runs already: with the file that stood beside that image, as both are switched together; two releases
# may have one image.
find_env_words_of() { # IMAGE
	local in_force named_file noted='' file
	env_words=()
	[[ -e .deploybot.compose && $1 == *@sha256:* ]] || return 0
	for file in .env .deploybot.before/env; do
		! grep -qsxF -- "DEPLOY_IMAGE=$1" "$file" || {
			find_in_force "$file"
			noted=${in_force:-host}
			break
		}
	done
	find_in_force
	[[ -n $noted ]] || noted=$(noted_file "@${1##*@}")
	[[ ${noted:-host} == host ]] || is_whole "$noted" || return 0
	find_env_words "${noted:-host}"
}

# Fills compose_file (empty: compose finds it by itself), the_file, which is that in words, and env_words.
use_file() { # SUM|host
	find_env_words "$1"
	if [[ $1 == host ]]; then
		[[ -z $in_force ]] || compose_file=$(host_files)
	else
		compose_file=$(kept_file "$1") the_file="the compose file ${origin:-$compose_file}"
	fi
}

# What each act works with, by what preflight has chosen (`chosen`).
find_file() {
	compose_file='' the_file="the compose file in $dir" env_words=() offered='' in_force=''
	find_in_force
	case $act.$chosen in
	check.*) choose_file ;;
	paths.*) the_file="the compose file $origin" ;;
	*. | logs.* | drain.* | clean.*) [[ -z $in_force ]] || use_file "$in_force" ;;
	pull.* | *.host) use_file "$chosen" ;;
	*)
		is_whole "$chosen" || die 70 "$dir/$(kept_file "$chosen") was changed: deploy again"
		use_file "$chosen"
		;;
	esac
	[[ $act.$chosen != job. || -z $in_force ]] || is_whole "$in_force" ||
		die 70 "$dir/$(kept_file "$in_force") was changed: deploy again"
	[[ $rollback == yes ]] && use_with "$release" && [[ $act == check ]] || return 0
	say_people "its compose file was edited since release ${with_release:0:7}: the rollback uses the one that the release \
was made with; yours is left as it is"
}

# preflight: fills chosen, and offered where the file is not here yet.
choose_file() {
	local noted='' sum=''
	if [[ -n $file_text ]]; then
		sum=$(base64 -d <<<"$file_text" | sha256sum)
		sum=${sum%% *}
	fi
	if [[ $source != repo ]]; then
		[[ -z $in_force ]] || chosen=host
	elif [[ -z $release ]]; then
		chosen=$sum # a deployment; or a question, about what is in force
	else
		noted=$(noted_file "$release")
		if [[ $noted == [0-9a-f]* ]] && is_whole "$noted"; then
			chosen=$noted
		elif [[ $noted == host || $release == target:* ]] ||
			{ [[ -z $noted ]] && grep -q "^$release" .deploybot.releases 2>/dev/null; }; then
			chosen=host
		else
			chosen=$sum
		fi
		[[ -n $chosen ]] || die 64 "the compose file of ${release:0:12} is neither kept in $dir nor in the mirror of the \
repository: take another release, or deploy that commit"
	fi
	[[ -n $chosen || -z $in_force ]] || use_file "$in_force"
	[[ -n $chosen ]] || return 0
	use_file "$chosen"
	[[ $chosen != host || -z $in_force || -n $compose_file ]] ||
		die 70 "there is no compose file of the host's own in $dir, which is what this release needs \
(COMPOSE_SOURCE=host, or it came with that one): put docker-compose.yml there"
	[[ $chosen != "$sum" || -z $sum ]] || offered=$(base64 -d <<<"$file_text" | tr -d '\0')
	[[ $chosen == host ]] || ! grep '^[[:space:]]*\(export[[:space:]]*\)\?COMPOSE_FILE[[:space:]]*=' .env 2>/dev/null |
		grep -qv '=\.deploybot\.compose\.' || die 70 "COMPOSE_FILE in $dir/.env names a file of the host, and with \
COMPOSE_SOURCE=repo a release brings its own: remove that line"
}

# What comes back by itself, or follows what serves, does so with the file that .env names, as it was judged: its very bytes, with
# the very variables (find_with).  The host's is that which the release was made with.
use_again() { # IMAGE
	local in_force named_file
	compose_file='' from_folder=()
	find_in_force
	if [[ -z $in_force ]]; then
		use_with_again "$1"
	elif is_whole "$in_force"; then
		compose_file=$(kept_file "$in_force")
	else
		say_people "$dir/$(kept_file "$in_force") was changed: nothing is started with it; deploy again"
		return 1
	fi
}

is_of_repository() {
	[[ $compose_file == .deploybot.compose.* ]]
}

# Did this file of a commit run here?  Then a rollback, a log, a drain or a job takes it as it is, whatever the judge's
# rules are by now; what a deployment brings is judged anew.
has_run_here() {
	local sum=${compose_file#.deploybot.compose.}
	sum=${sum%.yml}
	[[ $renew == no && ($act != check || -n $release || -z $offered) ]] && is_whole "$sum" && has_run "$sum"
}

# A file that is pulled has a mark until its judgement is over: one that is refused keeps it.
has_run() { # SUM
	local of kept
	[[ $1 != "$in_force" ]] || return 0
	[[ ! -e .deploybot.compose.$1.unjudged ]] || return 1
	while read -r of kept; do
		[[ $kept != "$1" ]] || ! grep -qxF "$of" .deploybot.releases 2>/dev/null || return 0
	done < <(cat .deploybot.compose 2>/dev/null)
	return 1
}

# Fills with: what starts compose, with the variables that say which file.  All profiles: what is judged is what runs.
find_with() {
	with=(env)
	[[ -z $compose_file ]] || with+=("COMPOSE_FILE=$compose_file")
	! is_of_repository || with+=("COMPOSE_PROFILES=*" "DEPLOY_IMAGE=${image:-none}")
}

# A file of a few bytes may stand for gigabytes, by aliases of aliases.
limit_memory() {
	! is_of_repository || ulimit -v "$CONFIG_KILOBYTES" 2>/dev/null || true # it may be lower already
}

# Behind the judgement: what begins now runs.
note_judged() {
	[[ -z $chosen || $chosen == host ]] || rm -f -- ".deploybot.compose.$chosen.unjudged" ||
		true # then it is judged once more
}

# Keeps the file of a release, before anything changes: written, flushed, renamed; then noted.
keep_file() {
	local file
	[[ -n $chosen ]] || return 0
	[[ $chosen == host ]] || has_run "$chosen" || : >".deploybot.compose.$chosen.unjudged" ||
		die 70 "$dir/.deploybot.compose.$chosen.unjudged cannot be written: $(df -P . | tail -n 1)"
	if [[ $chosen != host ]] && ! is_whole "$chosen"; then
		file=$(kept_file "$chosen")
		write_file "$file" base64 -d <<<"$file_text" ||
			die 70 "$dir/$file cannot be written: $(df -P . | tail -n 1)"
		is_whole "$chosen" || die 70 "$dir/$file is not what was sent: deploy again"
	fi
	[[ $chosen == host && ! -e .deploybot.compose ]] || [[ $(noted_file "$release") == "$chosen" ]] ||
		add_line .deploybot.compose "$release $chosen" ||
		die 70 "$dir/.deploybot.compose cannot be written: $(df -P . | tail -n 1)"
}

# The files of releases that are not kept any more.  `kept` has the lines of those that are.
clean_files() {
	local of sum lines=() sums=' ' file in_force
	[[ -e .deploybot.compose ]] || return 0
	for of in ${kept[@]+"${kept[@]}"}; do
		sum=$(noted_file "$of")
		[[ -n $sum ]] || continue
		lines+=("$of $sum") sums+="$sum "
	done
	find_in_force
	write_file .deploybot.compose printf '%s\n' ${lines[@]+"${lines[@]}"} || return 0
	for file in .deploybot.compose.*.{yml,new,yml.deploybot,unjudged}; do
		sum=${file#.deploybot.compose.} sum=${sum%.yml} sum=${sum%.unjudged}
		[[ $sums == *" $sum "* || $sum == "$in_force" ]] || rm -f -- "$file"
	done
}
