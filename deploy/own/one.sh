# one.sh - one container on the docker that DOCKER_HOST names.  Sourced, never run.
# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2154
transport_needs=image

transport_preflight() {
	one_name=one-$environment_file one_port=$(setting_of "$environment" PORT)
	[[ $one_port =~ ^[1-9][0-9]{0,4}$ ]] ||
		fail "$EXIT_CONFIG" "$(name_of "$environment" PORT) is not set: which port is the application to have?"
	need_tool docker docker.io
	limited 30 "docker info" docker info >/dev/null ||
		fail "$EXIT_UNREACHABLE" "docker does not answer: look at DOCKER_HOST, and whether its daemon runs"
}

transport_ship() { # RELEASE
	docker_login
	quoted 600 "docker pull" docker pull --quiet "$(image_of "$1")" ||
		fail "$EXIT_REGISTRY" "the image cannot be pulled: see docker's words in the log"
	release_begins
	one_run "$1"
}

transport_rollback() { # RELEASE
	docker_login
	quoted 600 "docker pull" docker pull --quiet "$(image_of "$1")" ||
		fail "$EXIT_INPUT" "the image of ${1:0:12} is not available any more: deploy that commit instead"
	release_begins
	one_run "$1"
}

# A kill between the two leaves no container; the image is here, so the next attempt needs a second.
one_run() { # RELEASE
	limited 60 "docker rm" docker rm --force "$one_name" >/dev/null
	limited 60 "docker run" docker run --detach --restart unless-stopped --name "$one_name" \
		--label "deploybot.release=$1" --publish "127.0.0.1:$one_port:8080" "$(image_of "$1")" ||
		fail "$EXIT_REFUSED" "the container cannot be started: see docker's words in the log"
	for ((i = 0; i < 60; i++)); do
		if (: <>"/dev/tcp/127.0.0.1/$one_port") 2>/dev/null; then
			return 0
		fi
		sleep 0.5
	done
	transport_logs 20
	fail "$EXIT_REFUSED" "nothing listens on port $one_port after 30 s: the application's last words are in the log"
}

transport_current() {
	limited 30 "docker ps" docker ps --filter "name=^$one_name\$" --format '{{.Label "deploybot.release"}}' ||
		fail "$EXIT_UNREACHABLE" "docker does not say what runs: look at DOCKER_HOST"
}

transport_logs() { # LINES
	limited 30 "docker logs" docker logs --tail "$1" "$one_name" || warn "there is no container $one_name"
}
