# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# acts.sh - what only looks or cleans up: is all there, what runs, what it says, which images may go.
# SPDX-License-Identifier: ISC

act_check() {
	local words port
	words=$(engine version --format '{{.Server.Version}}' 2>&1) || {
		case $words in
		*'permission denied'*) die 70 "$me may not use docker there: usermod -aG docker $me" ;;
		esac
		die 70 "docker does not answer: $(last_line "$words")"
	}
	command -v flock >/dev/null || die 70 "the program flock is missing there (Debian: apt-get install util-linux)"
	[[ -w . && -x . ]] || die 70 "$me may not write $dir: chown $me it"
	[[ ! -e .env || (-r .env && -w .env) ]] || die 70 "$me may not write $dir/.env: chown $me it"
	check_compose
	check_disk
	if [[ $strategy == bluegreen ]]; then
		check_nginx
	fi
	say "docker $words, ${compose[*]}, $free_gigabytes GB are free"
}

# What compose makes of the file tells more than the file.
check_compose() {
	local file found='' words line name='' others='' in_service=no is_image=no
	for file in compose.yaml compose.yml docker-compose.yml docker-compose.yaml; do
		[[ ! -e $file ]] || found=$file
	done
	if [[ -z $found ]] && ! grep -q '^COMPOSE_FILE=' .env 2>/dev/null; then
		die 70 "there is no compose file in $dir: put docker-compose.yml there (docs/deploy-scripts.md has one)"
	fi
	words=$(DEPLOY_IMAGE=deploybot.invalid/probe:1 DEPLOY_PORT=64999 timeout -k 5 "$ASK_SECONDS" \
		"${compose[@]}" config 2>&1) || {
		show "$words"
		die 70 "compose does not understand $dir/${found:-the compose file}: $(last_line "$words")"
	}
	while IFS= read -r line; do
		[[ $line != '  '[!\ ]*: ]] || name=${line:2:-1}
		case $line in
		"  $service:") in_service=yes ;;
		'  '[!\ ]*) [[ $in_service != yes ]] || in_service=over ;;
		'    image: deploybot.invalid/probe:1')
			others+=" $name"
			[[ $in_service != yes ]] || is_image=yes
			;;
		esac
	done <<<"$words"
	[[ $in_service != no ]] || die 70 "$dir/$found has no service $service: name yours so, or set COMPOSE_SERVICE"
	# shellcheck disable=SC2016 # as it stands in the compose file
	[[ $is_image == yes ]] || die 70 "$dir/$found, service $service: this line is missing: image: "'${DEPLOY_IMAGE}'
	# shellcheck disable=SC2016
	[[ $strategy != bluegreen || $words == *64999* ]] ||
		die 70 "$dir/$found, service $service: below ports this line is missing: - \"127.0.0.1:"'${DEPLOY_PORT}'":8080\" \
(8080: where it listens)"
	name_others "$others"
}

check_nginx() {
	[[ -w ${upstream%/*} ]] ||
		die 70 "$me may not write the folder ${upstream%/*} (NGINX_UPSTREAM_FILE): install -d -o $me ${upstream%/*}"
	[[ -e $upstream ]] ||
		die 70 "there is no $upstream: make it with the line \"server 127.0.0.1:$port_a;\", include it in nginx's upstream"
	check_owner
	[[ -n $(live_port) ]] || die 70 "$upstream says neither server 127.0.0.1:$port_a; nor server 127.0.0.1:$port_b; (APP_PORTS)"
	# shellcheck disable=SC2086 # its words were checked by ssh.sh
	set -- $reload_command
	if [[ $1 == sudo ]]; then
		command -v sudo >/dev/null || die 70 "the program sudo is missing there (NGINX_RELOAD_COMMAND)"
		shift
		while [[ ${1:-} == -* ]]; do
			shift
		done
		sudo -n -l -- "$@" >/dev/null 2>&1 ||
			die 70 "$me may not run \"$*\" by sudo: visudo -f /etc/sudoers.d/deploybot, and write there: \
$me ALL=(root) NOPASSWD: $(command -v -- "$1" || printf '%s' "$1") ${*:2}"
	else
		command -v -- "$1" >/dev/null || die 70 "the program $1 is missing there (NGINX_RELOAD_COMMAND)"
	fi
}

# Lines `stays-old SERVICE IMAGE` for ssh.sh: what runs our image here too, and no release replaces it.
name_others() { # SERVICES: whose image is ours by the compose file
	local ids label found mine name state id of
	ids=$(folder_containers) && [[ -n $ids ]] || return 0
	# shellcheck disable=SC2086 # ids have no blanks
	found=$(engine inspect --format "$RUNS_THERE" $ids 2>/dev/null) || true # one of them may just have gone
	read -r _ mine _ < <(serving) || true # nothing may run
	while read -r name state id of; do
		[[ $name != "$service" && ($state == running || $state == restarting || $state == paused) ]] || continue
		[[ " $1 " == *" $name "* || $id == "${mine:-none}" || $of == "$image" || $of == "$image"[:@]* ]] || continue
		printf 'stays-old %s %s\n' "$name" "$of"
	done <<<"$found" | LC_ALL=C sort -u
}

# Of all services of the compose file, in whatever state.
folder_containers() {
	local label
	for label in "$dir" "$(pwd -P)"; do
		engine ps -a -q --no-trunc --filter "label=com.docker.compose.project.working_dir=$label" \
			--filter label=com.docker.compose.oneoff=False || return "$?"
		[[ $label == "$dir" && $(pwd -P) != "$dir" ]] || return 0
	done
}

# What runs: its release, or an empty line where that is not known, and its image's id.  Nothing where nothing runs.
act_current() {
	local found id of of_image
	found=$(serving) || die 70 "docker does not say what runs"
	[[ -n $found ]] || return 0
	read -r id of _ _ _ _ _ of_image <<<"$found"
	name_release
	printf '%s\n' "$of"
}

name_release() {
	local digest known='' line
	digest=${of_image##*@}
	[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || {
		printf '%s runs %s, which is no digest\n' "$host" "$of_image" >&2
		printf '\n'
		return 0
	}
	while IFS= read -r line; do
		[[ $line != *"@$digest" ]] || known=$line
	done < <(cat .deploybot.releases 2>/dev/null)
	if [[ -z $known ]]; then
		line=$(engine inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$id") || line=
		[[ $line =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]] && known=$line@$digest || {
			printf '%s runs %s, of which no commit is known\n' "$host" "$of_image" >&2
			known=
		}
	fi
	printf '%s\n' "$known"
}

act_logs() {
	local port='' found id
	if [[ $strategy == bluegreen ]]; then
		port=$(live_port)
	fi
	found=$(states "$port") && [[ -n $found ]] || die 70 "no container of $service is there"
	while read -r id _; do
		engine logs --tail "$lines" "$id" 2>&1
	done <<<"$found"
}

# Of our images, those that are not to be kept and that no container has.
act_clean() {
	local line words kept=()
	while IFS= read -r line; do
		if [[ ",$keep," == *",${line##*@},"* ]]; then
			kept+=("$line")
		elif ! engine image inspect "$image@${line##*@}" >/dev/null 2>&1; then
			continue
		elif words=$(engine image rm "$image@${line##*@}" 2>&1); then
			say "removed the image of ${line:0:12}"
		else
			kept+=("$line")
			say "warning: the image of ${line:0:12} could not be removed: $(last_line "$words")"
		fi
	done < <(cat .deploybot.releases 2>/dev/null)
	drop_before
	((${#kept[@]} == 0)) || printf '%s\n' "${kept[@]}" >.deploybot.releases.new
	((${#kept[@]} == 0)) || put_file .deploybot.releases.new .deploybot.releases
}
