#!/bin/bash
# act-on.sh TARGET ACTION - does an action to a client, client/ID or the environment that it is; or runs a job there.
# SPDX-License-Identifier: ISC
# The runner starts it.  CLIENT_HOST says where: local, or [USER@]HOST[:PORT] over ssh; what act-on-host.sh needs there
# stands in CLIENT_WEB_UNIT, CLIENT_COMPOSE_DIR, CLIENT_CACHE_COMMAND and NGINX_RELOAD_COMMAND, all of them words that no
# shell makes anything of.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"

readonly act=action
: "${ACT_SECONDS:=3600}" # the server's deadline is the one that counts

# Fills words, what act-on-host.sh is told.
find_words() { # ACTION
	local command=()
	words=("$1")
	case $1 in
	service-status | restart-web)
		[[ -n ${CLIENT_WEB_UNIT:-} ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_WEB_UNIT is not set, and $1 needs it"
		words+=("unit=$CLIENT_WEB_UNIT")
		[[ -z ${CLIENT_COMPOSE_DIR:-} ]] || words+=("dir=$CLIENT_COMPOSE_DIR")
		;;
	reload-nginx) read -r -a command <<<"${NGINX_RELOAD_COMMAND:-sudo -n nginx -s reload}" ;;
	clear-cache)
		[[ -n ${CLIENT_CACHE_COMMAND:-} ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_CACHE_COMMAND is not set, and $1 needs it"
		read -r -a command <<<"$CLIENT_CACHE_COMMAND"
		;;
	disk-free) ;;
	*) fail "$EXIT_INPUT" "no action on a client: ${1@Q}" ;;
	esac
	[[ $CLIENT_HOST == local ]] || words+=("sudo=yes" "watch=yes") # here polkit says who may (docs/actions.md)
	words+=(${command[@]+"${command[@]/#/run=}"})
	for word in "${words[@]}"; do
		[[ $word =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || fail "$EXIT_CONFIG" "cannot go to a host's shell as it is: ${word@Q}"
	done
}

# Fills user, host and port, and ssh_options: the way there is that of releases, with the client's key at its end.
find_host() {
	local i key jump_key
	# shellcheck source=deploy/transports/ssh/connect.sh
	. "$here/transports/ssh/connect.sh"
	: "${DEPLOY_USER:=deploy}" "${SSH_KNOWN_HOSTS:=/app/secrets/known_hosts}"
	[[ $CLIENT_HOST =~ ^(([a-z_][a-z0-9._-]*)@)?(\[(.*)\]|([^:]*))(:(.*))?$ ]]
	user=${BASH_REMATCH[2]:-$DEPLOY_USER} host=${BASH_REMATCH[4]}${BASH_REMATCH[5]} port=${BASH_REMATCH[7]:-22}
	key=${CLIENT_SSH_KEY:-${SSH_KEY_PATH:-/app/secrets/deploy_key}} jump_key=${SSH_KEY_PATH:-}
	need_tool ssh openssh-client
	check_secret CLIENT_SSH_KEY_PATH "$key"
	ssh_check_known
	if [[ -z ${SSH_JUMP:-} || -z $jump_key ]]; then
		jump_key=$key # whom the jump host knows
	fi
	SSH_KEY_PATH=$jump_key
	ssh_find_way
	[[ -z $ssh_jump_host ]] || check_secret SSH_KEY_PATH "$jump_key"
	[[ -z $ssh_jump_host ]] || ssh_check_pinned "$ssh_jump_host" "$ssh_jump_port"
	for i in "${!ssh_options[@]}"; do
		[[ ${ssh_options[$i]} != -oIdentityFile=* ]] || ssh_options[i]=-oIdentityFile=$key
	done
}

# stdin stays open as long as ssh lives: its end shows the host that what can be stopped is to be stopped.
act_over_ssh() {
	local status=0 folder feeder way=''
	find_host
	[[ -z $ssh_jump_host ]] || way=", by the jump host $ssh_jump_host"
	[[ -z $SSH_PROXY_COMMAND ]] || way=", by SSH_PROXY_COMMAND"
	make_private folder
	mkfifo -m 600 -- "$folder/in"
	{ cat -- "$here/act-on-host.sh" && exec sleep "$ACT_SECONDS"; } >"$folder/in" &
	feeder=$!
	step "ssh $host"
	quoted "$ACT_SECONDS" "$action on $host" ssh "${ssh_options[@]}" -p "$port" -- "$user@$host" "bash -s -- ${words[*]}" \
		<"$folder/in" || status=$?
	kill "$feeder" 2>/dev/null || true # nobody reads: it may have ended
	case $status in
	0) ;;
	255) fail "$EXIT_REFUSED" "$host cannot be reached$way, or does not let $user in: the log says more" ;;
	*) exit "$EXIT_REFUSED" ;; # its last line said why
	esac
}

act_here() {
	local status=0
	step "$action"
	quoted "$ACT_SECONDS" "$action" bash "$here/act-on-host.sh" "${words[@]}" </dev/null || status=$?
	((status == 0)) || exit "$EXIT_REFUSED"
}

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: act-on.sh TARGET ACTION"
readonly action=$2
[[ -n ${CLIENT_HOST:-} ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_HOST is not set"
[[ $CLIENT_HOST != agent:* ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_HOST is an agent, which does it itself: nothing is done by ssh"
find_words "$action"
find_target "$1"
take_lock "$action"
if [[ $CLIENT_HOST == local ]]; then
	act_here
else
	act_over_ssh
fi
