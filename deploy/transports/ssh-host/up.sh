# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables go from file to file
# up.sh - compose brings services up, and each is waited for until it is healthy and answers.
# SPDX-License-Identifier: ISC
# Takes from base.sh and containers.sh.

# How long a container without a health check has to run to be believed, and how long a start is looked at often.
readonly STEADY_SECONDS=3 QUICK_SECONDS=10
# A docker client that was killed leaves its stop in progress in dockerd: TERM, and KILL as late as stop_grace_period says, ten
# seconds where it says nothing; and what dockerd needs behind that.
readonly GRACE_SECONDS=10 LATE_SECONDS=3
late_seconds=$((GRACE_SECONDS + LATE_SECONDS)) # ssh.sh says so where services have a longer grace

# compose up of these services; what it says goes to a file, as those who read may be gone.
bring_up() { # PORT SERVICE...
	local words status=0 began=$SECONDS
	run_compose "$up_seconds" "$1" up -d --no-deps --no-build "${@:2}" >"$private/words" 2>&1 || status=$?
	up_since=$SECONDS
	read_file words "$private/words"
	show "$words"
	if ((status > 123)); then
		was_cut=yes
	fi
	((up_since == began)) || name_killed $((up_since - began + 1))
	((status < 124 || SECONDS - began < up_seconds)) ||
		die 70 "compose up took longer than $up_seconds s: $(last_line "$words")"
	((status == 0)) || die 70 "compose up failed: $(last_line "$words")"
	[[ $told == no ]] || die 75 "was asked to stop"
}

readonly KILLS='{{.Time}} {{with .Actor}}{{.Attributes.signal}} {{.ID}} {{index .Attributes "com.docker.compose.service"}}{{end}}'

# What did not end when it was asked to, as docker's own events have it: KILL behind another signal.
name_killed() { # SECONDS
	local at signal part id n=0
	local -A asked=()
	[[ ${DOCKER_HOST:-unix:} == unix:* ]] || return 0 # its clock is another one
	while read -r at signal id part; do
		[[ $at =~ ^[0-9]{1,12}$ && $part =~ ^[A-Za-z0-9._-]{1,64}$ ]] || continue
		if [[ $signal != 9 ]]; then
			asked[$id]=$at
		elif [[ -n ${asked[$id]:-} ]] && ((++n <= 4)); then
			say_people "$part did not end within $((at - asked[$id])) s, and was killed: it gets stop_grace_period, \
and is to end by itself when it is sent TERM"
		fi
	done < <(timeout -k 1 10 docker events --since "$1s" --until 0s --filter event=kill \
		--filter "label=com.docker.compose.project=$project" --format "$KILLS" 2>/dev/null)
}

# Brings up the other services, and waits for each; project and .env are theirs.
bring_up_others() {
	local name
	((${#others[@]} > 0)) || return 0
	if [[ $release == target:* ]]; then
		bring_back_others "${release#target:}"
		return "$?"
	fi
	say "replace ${others[*]}"
	bring_up "" "${others[@]}"
	for name in "${others[@]}"; do
		wait_up "" "$name" || die 70 "the service $name does not run: $said"
	done
}

# The others as they were before deploybot: each with its image of then; what did not run is removed.
bring_back_others() { # WORD
	local name wanted up_image words
	for name in "${others[@]}"; do
		up_image=deploybot-before:$1.$name
		if grep -qxF -- "$1.$name" .deploybot.target 2>/dev/null; then
			image_id wanted "$up_image" || die 70 "what $name ran before deploybot is not kept there any more"
			say "bring back $name"
			bring_up "" "$name"
			wait_up "" "$name" || die 70 "the service $name does not run: $said"
		else
			say "$name did not run before deploybot: it is removed"
			words=$(run_compose "$up_seconds" "" rm -s -f "$name" 2>&1) ||
				die 70 "the service $name cannot be removed: $(last_line "$words")"
		fi
	done
}

# Until what `bring_up` started is the wanted image, healthy, and answers (the main service alone does); fills said when it
# does not.  Another one may also do its work and end.  Of what was started by an earlier act still_up() says what it was then.
wait_up() { # PORT [SERVICE]
	local part=${2:-$service} found line id of state health restarts code name how last='' pause=1 ids=''
	local steady=${steady_seconds:-$STEADY_SECONDS} ended=${ended_when:-as soon as it was started}
	while ((SECONDS - up_since < start_seconds)); do
		[[ $told == no ]] || die 75 "was asked to stop"
		said="no container of $part is there" line=
		look_up "$1" "$part"
		while read -r id of state health restarts code name _; do
			[[ -n $id ]] || continue
			line=bad last=$id
			if [[ $of != "$wanted" ]]; then
				said="${name#/} runs another image"
				break
			elif [[ $part != "$service" && $state == exited && $code == 0 ]]; then
				line=over
				continue
			elif [[ $state == exited || $state == restarting || $state == dead ]] ||
				{ ((restarts > 0)) && ((restarts > $(restarts_before "$id"))); }; then
				how="with status $code"
				[[ $state != running ]] || how="and docker started it again,"
				said="${2:-the application} ended $how $ended"
				show_application "$("${engine[@]}" logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $health == unhealthy ]]; then
				said="the container's health check fails"
				show_application "$("${engine[@]}" inspect --format "$HEALTH_WORDS" "$id" 2>&1 | tail -n 5)"
				show_application "$("${engine[@]}" logs --tail 20 "$id" 2>&1)"
				return 1
			elif [[ $state != running || $health == starting ]]; then
				said="${name#/} is $state, its health $health"
				break
			fi
			line=$health
		done <<<"$found"
		if [[ $line == over ]]; then
			say "$part has ended with 0: it is taken for done"
			return "$?"
		elif [[ $line == healthy || ($line == - && $((SECONDS - up_since)) -ge $steady) ]]; then
			[[ $part == "$service" ]] || return 0
			! answers "$1" || return 0
		fi
		if [[ $line == - ]] && ((SECONDS - up_since < steady)); then
			pause 1 # it runs, and is not believed yet
			continue
		fi
		# What is quick is not waited for long, and what is slow is not asked often: 0.1, 0.2, 0.4 s, and 1 s in the end.
		pause "$((pause / 10)).$((pause % 10))"
		((pause >= 4)) || pause=$((pause * 2))
		((SECONDS - up_since < QUICK_SECONDS)) || pause=10
	done
	said="after $start_seconds s: $said"
	[[ -z $last ]] || show_application "$("${engine[@]}" logs --tail 20 "$last" 2>&1)"
	return 1
}

# Fills found with the states of a service that is being started.  Which containers it has is asked once, and again when
# one is gone.
look_up() { # PORT SERVICE
	local id
	# shellcheck disable=SC2086 # ids have no blanks
	[[ -z $ids ]] || ! found=$("${engine[@]}" inspect --format "$STATE" $ids 2>/dev/null) || return 0
	found=$(states "$@") || found='' said="docker does not say how $2 is"
	ids=
	while read -r id _; do
		ids+="${id:+$id }"
	done <<<"$found"
}

# How often docker had started a container anew before our change: one that survived a power cut is no new failure.
restarts_before() { # ID
	local id restarts found=${restarts_then:-0}
	if [[ -e .deploybot.before/containers ]]; then
		while read -r id _ _ _ restarts _; do
			[[ $id != "$1" ]] || found=$restarts
		done <.deploybot.before/containers
	fi
	printf '%s' "$found"
}
