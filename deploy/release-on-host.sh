#!/bin/bash
# release-on-host.sh - an act of a release on this host: deploybot-do-release@.service runs it, for deploybot-agent.
# SPDX-License-Identifier: ISC
# stdin: a line `ACT program=3 NAME=VALUE...`, then what ssh-host/base.sh says stands behind the program.  Whoever called has
# looked at nothing: each word is checked here.  The parts of ssh-host/ are this host's own, of its deploybot.
# NGINX_RELOAD_COMMAND, in the unit's environment, is what reloads nginx here: the caller's is not run.  RELEASE_DIRS and
# RELEASE_IMAGES, there too, are lists: only in these folders, only images of these repositories.
set -euo pipefail

# Counts up where what ssh-host/ is sent, or prints for a transport, means another thing than before.
readonly PROGRAM=3

refuse() { # TEXT
	printf '%s\n' "$1" >&2
	exit 64
}

# What a word of that name may be.
form_of() { # NAME; fills form
	case $1 in
	program | start | seconds | lines | lock | missing | drain | deployment) form='[0-9]{1,9}' ;;
	grace | ports) form='[0-9]{1,9},[0-9]{1,9}' ;;
	settle | renew | barrier | rollback) form='(yes|no)' ;;
	strategy) form='(recreate|bluegreen)' ;;
	compose) form='(docker|docker-compose)' ;;
	dir | upstream | root) form='(/[A-Za-z0-9._@:=,+-]+)*/?' ;;
	environment | former) form='[a-z0-9-]{1,31}(/[a-z0-9-]{1,31})?' ;;
	service | migrator | project | migration | before) form='[A-Za-z0-9][A-Za-z0-9._-]{0,127}' ;;
	services | others) form='[A-Za-z0-9._,-]*' ;;
	image | release | keep) form='[A-Za-z0-9][A-Za-z0-9._/:@,-]*' ;;
	file) form='host' ;;
	run) form='[1-9][0-9]{0,17},[0-9a-f]{32}' ;;
	job) form='[A-Za-z0-9._/:@=,+-]+' ;;
	settings) form='[0-9a-f]{64}' ;;
	*) refuse "release-on-host.sh does not know a word $1" ;;
	esac
}

# Without a list anything is.
is_listed() { # FOLDER|IMAGE LIST
	local what=${1%%@*}
	[[ -z $2 || " $2 " == *" ${what%/} "* ]]
}

# Called by ssh-host/main.sh, whose variables they are.
check_settings() {
	local found
	found=$(printf '%s\n' "$user" "$password" "$smoke_url" "$reload_command" "$file_text" "$paths" | sha256sum)
	[[ ${found%% *} == "$signed" ]] || die 64 "what stands behind the words is not what the caller has signed"
	[[ -z $user$password$file_text$paths ]] || die 64 "through an agent neither a login nor a compose file comes"
	form='^http://[]A-Za-z0-9._/:?=&{}[-]{1,500}$'
	[[ -z $smoke_url || $smoke_url =~ $form ]] || die 64 "SMOKE_URL is no plain address"
	# shellcheck disable=SC2034 # main.sh reads it
	reload_command=${NGINX_RELOAD_COMMAND:-sudo -n nginx -s reload}
}

here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
IFS= read -r -n 4096 line || refuse "there is no line with an act on stdin"
read -r -a words <<<"$line"
[[ ${words[0]:-} =~ ^[a-z-]{1,20}$ ]] || refuse "the first word is no act"
[[ ${words[1]:-} == "program=$PROGRAM" ]] ||
	refuse "deploybot on $HOSTNAME is of another version than the server's (program=$PROGRAM, and ${words[1]:-nothing} \
there): install the same on $HOSTNAME"
signed=''
set -- "${words[0]}"
for word in "${words[@]:2}"; do
	form_of "${word%%=*}"
	[[ $word == *=* && ${word#*=} =~ ^$form$ && ${word#*=} != *..* ]] || refuse "no such word: ${word@Q}"
	case $word in
	dir=*) is_listed "${word#*=}" "${RELEASE_DIRS:-}" || refuse "RELEASE_DIRS of $HOSTNAME has no ${word#*=}" ;;
	image=*) is_listed "${word:6}" "${RELEASE_IMAGES:-}" || refuse "RELEASE_IMAGES of $HOSTNAME has no ${word#*=}" ;;
	settings=*) signed=${word#*=} ;;
	esac
	[[ $word == settings=* ]] || set -- "$@" "$word"
done
text=$(cat -- "$here/busy.sh" "$here"/transports/ssh-host/{base,containers,up,images,file,kept,paths,services,ports}.sh \
	"$here"/transports/ssh-host/{recreate,bluegreen,acts,guard,main}.sh) ||
	refuse "deploybot is not whole here: install it again"
eval "$text"
