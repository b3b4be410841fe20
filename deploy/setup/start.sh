# shellcheck shell=bash disable=SC2154 # variables go from file to file
# start.sh - how deploybot-setup starts what it has set up: units, timers, groups, and where the socket unit listens.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh behind around.sh, never run.

readonly UNITS=(deploybot.socket deploybot-local.socket deploybot-runner.service deploybot.service)
readonly NIGHTLY=(deploybot-backup.timer deploybot-check.timer)
# Where the unit listens by itself; and what says another address, before what `systemctl edit` writes.
readonly SOCKET_LISTENS=127.0.0.1:8080 SOCKET_DROP_IN=/etc/systemd/system/deploybot.socket.d/deploybot-setup.conf

# Who builds needs the container engine here.
let_build() {
	value_of IMAGE_SOURCE build
	[[ $said == build && $folder == "$FOLDER_INSTALLED" ]] && getent group docker >/dev/null || return 0
	[[ " $(id -nG "$runner_user") " != *' docker '* ]] || return 0
	usermod -aG docker "$runner_user" || fail "$EXIT_CONFIG" "$runner_user cannot be put into the group docker, to build"
	say '%s is in the group docker now, to build' "$runner_user"
}

# The server is given its socket by deploybot.socket, so an address of the settings counts only where that unit has it.
# Fills moved: is it another one now?
move_socket() {
	local fresh=$SOCKET_DROP_IN.new
	moved=no
	listen_address
	if [[ $said == "$SOCKET_LISTENS" ]]; then
		[[ ! -e $SOCKET_DROP_IN ]] || { rm -f -- "$SOCKET_DROP_IN" && moved=yes; }
		return 0
	fi
	install -d -m 0755 -- "${SOCKET_DROP_IN%/*}"
	printf '# Of LISTEN_ADDRESS and API_SERVER_PORT, by deploybot-setup.\n[Socket]\nListenStream=\nListenStream=%s\n' \
		"$said" >"$fresh"
	chmod 0644 -- "$fresh"
	cmp -s -- "$fresh" "$SOCKET_DROP_IN" || moved=yes
	mv -fT -- "$fresh" "$SOCKET_DROP_IN"
	[[ $moved == no ]] || say '\n%s: deploybot.socket listens on %s' "$SOCKET_DROP_IN" "$said"
}

start() {
	local moved
	[[ $folder == "$FOLDER_INSTALLED" ]] || return 0
	move_socket
	[[ $starts == yes && -d /run/systemd/system ]] || return 0
	[[ $moved == no ]] || systemctl daemon-reload
	if ! systemctl is-active --quiet deploybot.service; then
		say '\nstarting deploybot'
		systemctl enable --now "${UNITS[@]}" "${NIGHTLY[@]}"
	elif [[ $moved == yes ]]; then
		say '\nrestarting deploybot, and its socket'
		systemctl stop "${UNITS[@]}" # systemd refuses a socket whose server runs
		systemctl start "${UNITS[@]}"
	elif [[ $changed == yes ]]; then
		say '\nrestarting deploybot'
		systemctl restart deploybot-runner.service deploybot.service
	else
		say '\ndeploybot runs already, with these settings'
	fi || fail "$EXIT_CONFIG" "deploybot does not start: journalctl -u deploybot -u deploybot-runner says why"
}
