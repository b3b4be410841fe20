# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# images.sh - a release's image is pulled, and those that ran before deploybot are kept for a rollback.
# SPDX-License-Identifier: ISC
# Takes from base.sh, containers.sh and busy.sh, and from bluegreen.sh which port serves.

readonly PULL_SECONDS=900
readonly FREE_KILOBYTES=1048576
# So long a registry is asked again that is busy, limits us or is slow.
: "${BUSY_SECONDS:=60}"

# ---- what ran before deploybot -------------------------------------------------------------------

# A line (STATE) of what serves; nothing when nothing runs.  With bluegreen it may still be what somebody started there
# without a port of ours; what no release was ever switched to is not meant.
serving() {
	local port='' ports=() found=''
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
		[[ -z $port ]] || ports=("$port")
		[[ -z $port ]] || ! has_served "$(other_port "$port")" || ports+=("$(other_port "$port")")
	fi
	for port in ${ports[@]+"${ports[@]}"} ''; do
		found=$(running "$port") || return 1
		[[ -z $found ]] || break
	done
	printf '%s' "${found%%$'\n'*}"
}

# What ran before the first release, under a name of ours, and in a container that never starts: `docker image prune`
# takes neither what has a name nor, with -a, what a container has.
keep_before() {
	local of words name
	[[ -n $before ]] || return 0
	words=$(serving) || no_answer "nothing was changed there"
	[[ -n $words ]] || die 75 "what ran there has just ended: try again"
	read -r _ of _ <<<"$words"
	keep_image "$before" "$of"
	for name in ${others[@]+"${others[@]}"}; do
		words=$(running "" "$name") || no_answer "nothing was changed there"
		read -r _ of _ <<<"$words"
		[[ -z $words ]] || keep_image "$before.$name" "$of"
	done
}

keep_image() { # WORD ID
	local words
	words=$("${engine[@]}" tag "$2" "deploybot-before:$1" 2>&1) ||
		die 70 "what runs there cannot be kept for a rollback: $(last_line "$words")"
	"${engine[@]}" inspect --format '{{.Id}}' "deploybot-$1" >/dev/null 2>&1 ||
		words=$("${engine[@]}" create --name "deploybot-$1" --label com.docker.compose.project=deploybot-before \
			"deploybot-before:$1" true 2>&1) ||
		say "warning: \"docker image prune -a\" may remove what ran before: $(last_line "$words")"
	grep -qxF -- "$1" .deploybot.target 2>/dev/null || add_line .deploybot.target "$1" ||
		die 70 "$dir/.deploybot.target cannot be written"
}

# Once a release was live there is one to roll back to.
drop_before() {
	local word status kept=() id
	[[ -e .deploybot.target ]] || return 0
	while IFS= read -r word; do
		if [[ ! $word =~ ^[a-z0-9][A-Za-z0-9._-]*$ ]]; then
			continue
		elif [[ -n $before && ($word == "$before" || $word == "$before".*) ]]; then
			kept+=("$word")
			continue
		fi
		"${engine[@]}" rm -f "deploybot-$word" >/dev/null 2>&1 || true # docker's own clean-up may have taken it
		status=0
		image_id id "deploybot-before:$word" || status=$?
		((status == 1)) || "${engine[@]}" image rm "deploybot-before:$word" >/dev/null 2>&1 || kept+=("$word")
	done <.deploybot.target
	if ((${#kept[@]} == 0)); then
		rm -f .deploybot.target
	else
		write_file .deploybot.target printf '%s\n' "${kept[@]}" || true # a word too many is looked for and not found
	fi
}

# ---- pull ----------------------------------------------------------------------------------------

pull() {
	local words status=0 busy='' with_login=(env)
	image_id wanted "$image" || status=$?
	if ((status == 0)); then
		note_release
		return "$?"
	fi
	[[ $release != target:* || $status == 1 ]] ||
		die 75 "docker does not say whether it has $image; nothing was changed there (see docker image ls there; try again)"
	[[ $release != target:* ]] || die "$missing" "what ran before deploybot is not kept there any more: no image $image"
	check_disk
	if [[ -n $user ]]; then
		# The user's own configuration says which dockerd, ours has the login.
		words=$("${engine[@]}" context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || words=
		with_login=(env DOCKER_CONFIG="$private" ${words:+DOCKER_HOST="${DOCKER_HOST:-$words}"})
		while ! words=$(printf '%s' "$password" | timeout -k 5 "$ASK_SECONDS" "${with_login[@]}" docker login \
			--username "$user" --password-stdin "${image%%/*}" 2>&1); do
			is_busy "$words" || die 66 "the registry ${image%%/*} refused the login from there: $(last_line "$words")"
		done
	fi
	say "pull $image"
	busy=
	while :; do
		status=0
		run_loose "$PULL_SECONDS" "${with_login[@]}" docker pull --quiet "$image" >"$private/words" 2>&1 || status=$?
		read_file words "$private/words"
		((status != 0)) && is_busy "$words" || break
	done
	[[ -z $user ]] || rm -f -- "$private/config.json"
	if ((status == 0)); then
		note_release
		return "$?"
	fi
	show "$words"
	words=$(last_line "$words")
	case $words in
	*x509*) die 66 "docker there does not trust ${image%%/*}: its CA belongs into /etc/docker/certs.d/${image%%/*}/: $words" ;;
	*'executable file not found'*) ;; # a helper for logins, not the image
	*'no space left'* | *'disk quota'*) die 70 "no room for the image: $words; remove something (docker system df)" ;;
	*'not found'* | *'unknown'* | *'No such'*) die "$missing" "the registry does not have $image (any more): $words" ;;
	esac
	((status != 124 && status != 137)) || die 75 "docker pull took longer than $PULL_SECONDS s"
	# Its words come last: they are long, and a chat shows 200 bytes.
	die 66 \
		"the image cannot be pulled; is the registry healthy? Then try again: ${words:-docker pull ended with $status}"
}

# Is it worth asking the registry again, by what docker said of it?  Pauses before that.  busy is empty at first.
is_busy() { # TEXT
	local until pause
	[[ ${1,,} =~ $BUSY_WORDS ]] || return 1
	read -r until pause <<<"${busy:-$((SECONDS + BUSY_SECONDS)) 1}"
	busy="$until $((pause * 2))"
	((SECONDS + pause <= until)) || return 1
	say "${image%%/*} is busy, asked again in $pause s: $(last_line "$1")"
	run_loose $((pause + 5)) sleep "$pause"
}

check_disk() {
	local free
	[[ -n $root ]] || root=$("${engine[@]}" info --format '{{.DockerRootDir}}' 2>/dev/null) || root=
	[[ -n $root ]] && free=$(df -Pk -- "$root" 2>/dev/null) || free=$(df -Pk /)
	free=${free##*$'\n'}
	# shellcheck disable=SC2086 # a line of words
	set -- $free
	if (($4 < FREE_KILOBYTES)); then
		die 70 "the disk is full: $(($4 / 1024)) MB are free on ${*:6} ($1), 1024 are needed: see \"docker system df\""
	fi
	free_gigabytes=$(($4 / 1048576))
}

note_release() {
	local text
	read_file text .deploybot.releases
	# The last line is of the last that came: a clean-up beside it leaves that here.
	if [[ $release != target:* && $'\n'$text != *$'\n'"$release" ]]; then
		add_line .deploybot.releases "$release" || true # a full disk: by its label it is known still
	fi
}
