#!/bin/bash
# alertmanager.sh FOLDER OUT [GROUP] - writes Alertmanager's configuration with the values that stand in FOLDER.
# SPDX-License-Identifier: ISC
#
# FOLDER has three files of one line each, which root and nobody else may write:
#   alert_bot_token     of a bot of its own (@BotFather): whoever reads OUT has it, so it is never deploybot's bot
#   alert_chat_id       the chat that is notified; this bot must be in it (/whoami of deploybot shows the id)
#   alert_watchdog_url  called each minute while alerts arrive; whoever is behind it rings when the calls stop
#   alert_api_url       only with a Bot API server of your own
# OUT is replaced as a whole, mode 0640; GROUP is that of Alertmanager (Debian: prometheus), or nobody else reads it.
# Exit status: 0 written, 64 usage, 78 a value is missing or is none (which, is said).
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)

fail() {
	printf 'alertmanager.sh: %s\n' "$1" >&2
	exit 78
}

(($# == 2 || $# == 3)) || {
	echo "usage: alertmanager.sh FOLDER OUT [GROUP]" >&2
	exit 64
}
readonly folder=$1 out=$2

value=
# Nothing but what the expression lets through reaches the file: no quote, no line end.
read_value() { # NAME EXPRESSION WHAT
	local path=$folder/$1
	[[ -r $path ]] || fail "$path is missing: $3"
	value=$(head -c 2048 -- "$path" | tr -d '\r')
	[[ $value =~ ^($2)$ ]] || fail "$path is not $3"
}

read_value alert_bot_token '[0-9]{1,19}:[A-Za-z0-9_-]{20,}' "the token of a bot for alerts alone, as @BotFather gives it"
token=$value
for own in "$folder"/telegram_bot_token "$folder"/../server/telegram_bot_token; do
	[[ ! -r $own || $(tr -d '\r\n' <"$own") != "$token" ]] ||
		fail "alert_bot_token is deploybot's own: make another bot at @BotFather, for alerts alone"
done
read_value alert_chat_id '-?[1-9][0-9]{0,18}' "the id of the chat that alerts go to, as -1001234567890"
chat=$value
[[ ! $chat =~ ^100[0-9]{10}$ ]] ||
	fail "$folder/alert_chat_id is a group's id without its minus: did you mean -$chat?"
read_value alert_watchdog_url "https?://[A-Za-z0-9._~:/?#@!\$&()*+,;=%-]+" \
	"an http:// or https:// address that rings when nobody calls it any more"
watchdog=$value
api=https://api.telegram.org
if [[ -e $folder/alert_api_url ]]; then
	read_value alert_api_url "https?://[A-Za-z0-9._:/-]+" "the address of a Bot API server"
	api=$value
fi

text=$(<"$here/alertmanager.yml")
text=${text//@ALERT_BOT_TOKEN@/"$token"}
text=${text//'"@ALERT_CHAT_ID@"'/"$chat"} # a number, there
text=${text//@ALERT_WATCHDOG_URL@/"$watchdog"}
text=${text//@ALERT_API_URL@/"$api"}
machine=$(uname -n | tr -cd 'A-Za-z0-9._-' | head -c 64)
text=${text//@MACHINE@/"${machine:-this machine}"}

umask 077
new=$(mktemp -- "$out.XXXXXX")
trap 'rm -f -- "$new"' EXIT
printf '%s\n' "$text" >"$new"
[[ -z ${3:-} ]] || chgrp -- "$3" "$new"
chmod 0640 -- "$new"
mv -f -- "$new" "$out"
trap - EXIT
printf 'alertmanager.sh: written: %s\n' "$out"
