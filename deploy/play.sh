#!/bin/bash
# play.sh TARGET ACTION - has ansible-playbook run PLAYBOOK, a file of ANSIBLE_FOLDER, on a client's hosts there.
# SPDX-License-Identifier: ISC
# The runner starts it: TARGET as for act-on.sh, ACTION run-playbook or preview-playbook (--check).  PLAYBOOK is FILE.yml
# [tags=A,B] [skip-tags=A,B]; the hosts are CLIENT_LIMIT of ANSIBLE_FOLDER/inventory, by default CLIENT_ID.
# Its last line is the recap: "3 hosts: 2 changed, 1 failed (web3: unreachable)".  Exit status: ansible-playbook's where
# that is 1 to 8, 70 where it is not known what it did.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"

readonly act=action names_shown=5
: "${ACT_SECONDS:=3600}" # the server's deadline is the one that counts
played='' said_of=''

# Of a run that a signal ends, too.
what_is_left() {
	[[ -z $played ]] || printf '; it is not known what the playbook did'
}

# Fills file and options.
read_playbook() { # ACTION PLAYBOOK
	local word
	options=()
	[[ $2 =~ ^[A-Za-z0-9._/=,\ -]+$ ]] || fail "$EXIT_CONFIG" "PLAYBOOK: no plain words: ${2@Q}"
	read -r -a words <<<"$2"
	file=${words[0]:-}
	[[ $file =~ ^[A-Za-z0-9_][A-Za-z0-9._/-]*\.ya?ml$ && /$file/ != */../* ]] ||
		fail "$EXIT_CONFIG" "PLAYBOOK names no file of ANSIBLE_FOLDER: ${file@Q}"
	[[ -f $ANSIBLE_FOLDER/$file ]] || fail "$EXIT_CONFIG" "there is no $file in ANSIBLE_FOLDER"
	for word in "${words[@]:1}"; do
		[[ $word =~ ^(skip-)?tags=[A-Za-z0-9_][A-Za-z0-9_,-]*$ ]] ||
			fail "$EXIT_CONFIG" "PLAYBOOK: neither tags=… nor skip-tags=…: ${word@Q}"
		options+=("--$word")
	done
	case $1 in
	run-playbook) ;;
	preview-playbook) options+=(--check) said_of='would be ' ;;
	*) fail "$EXIT_INPUT" "no action with a playbook: ${1@Q}" ;;
	esac
}

# What is text in plain JSON would be a template: {{ lookup("pipe", …) }} runs a program here.
write_variables() { # FILE
	local run=${RUN_ID:-}
	[[ $DEPLOYMENT_ID$CLIENT_ID${run%%-*}${INSTALLATION_ID:-} =~ ^[a-z0-9-]+$ ]] ||
		fail "$EXIT_INPUT" "no number of a work, or no client"
	printf '{"deploybot_work": {"__ansible_unsafe": "%s"}, "deploybot_client": {"__ansible_unsafe": "%s"}, ' \
		"$DEPLOYMENT_ID" "$CLIENT_ID" >"$1"
	printf '"deploybot_run": {"__ansible_unsafe": "%s"}, "deploybot_installation": {"__ansible_unsafe": "%s"}}\n' \
		"${run%%-*}" "${INSTALLATION_ID:-}" >>"$1"
}

# Fills settings with all that ansible-playbook has as its environment: nothing of ours, of a user's ~/.ansible.cfg, of
# /etc/ansible, nor of an ansible.cfg in the folder that it would begin in.  ~ of this machine is in the folder.
find_settings() { # FOLDER
	local user=${DEPLOY_USER:-deploy} key=${CLIENT_SSH_KEY:-${SSH_KEY_PATH:-/app/secrets/deploy_key}}
	local known=${SSH_KNOWN_HOSTS:-/app/secrets/known_hosts} ssh='-o BatchMode=yes -o StrictHostKeyChecking=yes'
	[[ $CLIENT_HOST != *@* ]] || user=${CLIENT_HOST%%@*}
	[[ $known =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: no plain path: ${known@Q}"
	printf '[defaults]\n' >"$1/ansible.cfg"
	mkdir -- "$1/home"
	settings=("PATH=$PATH" "HOME=$1/home" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 "ANSIBLE_CONFIG=$1/ansible.cfg"
		"ANSIBLE_HOME=$1/home" "ANSIBLE_LOCAL_TEMP=$1/home/tmp" 'ANSIBLE_REMOTE_TEMP=~/.ansible/tmp'
		ANSIBLE_HOST_KEY_CHECKING=True ANSIBLE_NOCOLOR=1 ANSIBLE_RETRY_FILES_ENABLED=False
		"ANSIBLE_ROLES_PATH=$ANSIBLE_FOLDER/roles" "ANSIBLE_CALLBACK_PLUGINS=$here/ansible"
		"ANSIBLE_COLLECTIONS_PATH=$ANSIBLE_FOLDER/collections:/usr/share/ansible/collections"
		"ANSIBLE_REMOTE_USER=$user" "ANSIBLE_SSH_CONTROL_PATH_DIR=$1/cp"
		"ANSIBLE_SSH_ARGS=-o ControlMaster=auto -o ControlPersist=30s $ssh -o UserKnownHostsFile=$known"
		"DEPLOYBOT_RECAP=$1/recap")
	[[ ! -r $key ]] || settings+=("ANSIBLE_PRIVATE_KEY_FILE=$key")
	[[ -z ${ANSIBLE_VAULT_PASSWORD_FILE:-} ]] || settings+=("ANSIBLE_VAULT_PASSWORD_FILE=$ANSIBLE_VAULT_PASSWORD_FILE")
}

# Fills recap with the line for people; it is empty where ansible-playbook has left none, or no host was in it.
find_recap() { # FILE
	local host changed unreachable failures all=0 n_changed=0 n_failed=0 names='' why
	recap=
	[[ -f $1 ]] || return 0
	while read -r changed unreachable failures host; do
		((++all))
		why=
		((failures == 0)) || why=failed
		((unreachable == 0)) || why=unreachable
		if [[ -z $why ]]; then
			((changed == 0)) || ((++n_changed))
		elif ((++n_failed <= names_shown)); then
			names+=", $host: $why"
		fi
	done <"$1"
	((all > 0)) || return 0
	((n_failed <= names_shown)) || names+=', …'
	recap="$all host$([[ $all == 1 ]] || printf s): $n_changed ${said_of}changed"
	((n_failed == 0)) || recap+=", $n_failed failed (${names#, })"
}

play() {
	local status=0
	played=yes
	quote
	bounded "$ACT_SECONDS" env -i "${settings[@]}" ansible-playbook --inventory "$ANSIBLE_FOLDER/inventory" \
		--limit "$limit" -e "@$folder/variables.json" "${options[@]}" -- "$ANSIBLE_FOLDER/$file" </dev/null || status=$?
	unquote
	[[ $is_over == no ]] || fail "$EXIT_BUSY" "ansible-playbook took longer than $ACT_SECONDS s$(what_is_left)"
	find_recap "$folder/recap"
	if ((status > 8)); then
		fail "$EXIT_REFUSED" "ansible-playbook ended with $status$(what_is_left)"
	elif ((status > 0)); then
		[[ -n $recap ]] || fail "$status" "ansible-playbook ended with $status and no recap: the log says more"
		say '%s' "$recap"
		exit "$status"
	fi
	[[ -n $recap ]] || fail "$EXIT_REFUSED" "no host of $limit is in a play of $file: nothing was done"
	say '%s' "$recap"
}

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: play.sh TARGET ACTION (PLAYBOOK says what it runs)"
: "${ANSIBLE_FOLDER:=}" "${CLIENT_ID:=}" "${DEPLOYMENT_ID:=0}"
[[ -n ${CLIENT_HOST:-} ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_HOST is not set"
[[ $ANSIBLE_FOLDER =~ ^/[A-Za-z0-9._/@=,+-]*$ ]] || fail "$EXIT_CONFIG" "ANSIBLE_FOLDER: no plain path: ${ANSIBLE_FOLDER@Q}"
readonly limit=${CLIENT_LIMIT:-$CLIENT_ID}
[[ $limit =~ ^[A-Za-z0-9*][A-Za-z0-9._*:!\&,-]*$ ]] || fail "$EXIT_CONFIG" "CLIENT_<ID>_LIMIT: no pattern of hosts: ${limit@Q}"
read_playbook "$2" "${PLAYBOOK:-}"
[[ -e $ANSIBLE_FOLDER/inventory ]] || fail "$EXIT_CONFIG" "there is no inventory in ANSIBLE_FOLDER"
need_tool ansible-playbook ansible-core
find_target "$1"
take_lock "$2"
refuse_late
make_private folder
write_variables "$folder/variables.json"
find_settings "$folder"
step "${2%-playbook} $file"
play
