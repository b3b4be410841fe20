# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# ports.sh - does something else have a port that a release publishes?  Asked before a migration, and before what runs is ended.
# SPDX-License-Identifier: ISC
# Takes from base.sh and containers.sh, from services.sh which ports those are, and from bluegreen.sh which of two comes next.

# dockerd, too, listens on each port that it publishes, with its proxy or without: where nobody does, nobody need be asked.
check_ports() {
	local name entry address port protocol idle='' holder ours=" $project "
	[[ ${DOCKER_HOST:-unix:} == unix:* ]] || return 0 # of another machine
	if [[ $strategy == bluegreen ]]; then
		idle=$(live_port)
		idle=$(other_port "${idle:-$port_b}")
		ours+="$(project_of "$port_a") $(project_of "$port_b") "
	fi
	for name in "$service" ${others[@]+"${others[@]}"}; do
		for entry in ${field[$name.published]:-}; do
			IFS='|' read -r address port protocol <<<"$entry"
			[[ $port != "$PROBE_PORT" ]] || port=$idle
			[[ $port =~ ^[0-9]{1,5}$ ]] || continue # of a range docker takes one that is free
			! is_ours_port "$port" && is_listened_to "$address" "$port" "$protocol" || continue
			find_holder "$port" "$protocol"
			port_is_taken "$name" "$port" "$holder"
		done
	done
}

# Does what the release replaces have it?
is_ours_port() { # PORT
	local line its_project its_ports state part
	while IFS='|' read -r line its_project its_ports _; do
		read -r _ _ state _ _ _ _ _ part <<<"$line"
		[[ $ours != *" $its_project "* || " $service ${others[*]-} " != *" $part "* || " $its_ports " != *" $1 "* ]] ||
			! is_up "$state" || return 0
	done <<<"$surveyed"
	return 1
}

# Does anything of this machine listen there?  Of one address who is connected to knows: "all" of one kind may be that of the
# other too.  A client's port of UDP is no listener's.
is_listened_to() { # ADDRESS PORT tcp|udp
	local hex state=0A
	[[ $3 == @(tcp|udp) ]] || return 1
	printf -v hex %04X "$((10#$2))"
	[[ $3 == tcp ]] || state=07
	[[ $3 == tcp || ($1 == @(|0.0.0.0|::) && $2 -lt 32768) ]] &&
		grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:0000 $state " "/proc/net/$3" "/proc/net/${3}6" || return 1
	# shellcheck disable=SC2016 # the shell that is started expands it
	[[ $1 == @(|0.0.0.0|::) ]] || timeout -k 1 2 bash -c ': <>"/dev/tcp/$1/$2"' - "$1" "$2" 2>/dev/null
}

# Fills holder, in words.
find_holder() { # PORT PROTOCOL
	local its_name its_project found
	found=$(ask_docker '{{.Name}} {{index .Config.Labels "com.docker.compose.project"}}' status=running \
		"publish=$1/$2") || found=
	read -r its_name its_project <<<"$found" # of the first
	holder="that of a program there (as root: ss -lnp 'sport = :$1')"
	[[ -z $its_name ]] || holder="that of the container ${its_name#/}${its_project:+, compose project $its_project}"
}

# Who rolls back is not kept from trying.
port_is_taken() { # SERVICE PORT HOLDER
	local says="port $2, which $1 publishes, is $3: end that, or give one of the two another port"
	[[ $rollback == yes ]] || die 70 "$the_file: $says"
	say "warning: $says"
}
