#!/bin/bash
# target.sh ENV preflight|current|logs [LINES] - asks a target by hand; changes nothing.
# target.sh ENV logs LINES SECONDS             - the same for deploybot: bounded, and each line with its mark
# target.sh ENV image COMMIT                   - which image of that commit the registry has: its digest
# SPDX-License-Identifier: ISC
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=ask

# 64: it has none; 66: that is not known.
tell_image() { # COMMIT
	local found=0
	[[ $transport_needs == image ]] || fail "$EXIT_CONFIG" "the transport $transport needs no image"
	find_image
	check_image_settings
	find_password
	find_digest "$1" || found=$?
	((found != 1)) || fail "$EXIT_INPUT" "$registry_host has no image $repository_name of ${1:0:12}"
	((found == 0)) || fail "$EXIT_REGISTRY" "$why"
	printf '%s\n' "$digest"
}

# For a person's terminal, which would carry out what it finds in an application's log.
print_plain_log() { # LINES
	local folder
	make_private folder && mkfifo -m 600 -- "$folder/pipe"
	plain_lines <"$folder/pipe" &
	at_exit end_plain_log "$!"
	transport_logs "$1" >"$folder/pipe"
}

# Where that has failed its end of the pipe is ours still.
end_plain_log() { # READER
	exec >/dev/null
	wait "$1"
}

[[ $# -ge 2 && $# -le 3 || ($# -eq 4 && $2 == logs) ]] ||
	fail "$EXIT_INPUT" "usage: target.sh ENV preflight|current|logs [LINES]|image COMMIT"
check_environment "$1"
case $2 in
image) check_commit "${3:-}" ;;
logs)
	[[ $# -eq 2 ]] || check_number LINES "$3"
	[[ $# -ne 4 ]] || check_number SECONDS "$4"
	;;
*) [[ $# -eq 2 ]] || fail "$EXIT_INPUT" "only logs take a number of lines" ;;
esac
check_run
[[ $2 != logs ]] || reads=logs
load_transport "$here"
find_place "$1"
take_lock "target.sh $2"
if [[ $2 == image ]]; then
	tell_image "$3"
	exit 0
fi
preflight
case $2 in
preflight)
	check_build
	[[ $transport_needs != image ]] || { ask_registry; ask_login; }
	echo "all is there"
	;;
current) transport_current ;;
logs)
	if [[ $# -eq 4 ]]; then
		print_application_log "$4" "$3" "$APPLICATION_LOG_BYTES" || fail "$log_status" "$log_trouble"
	else
		print_plain_log "${3:-100}"
	fi
	;;
*) fail "$EXIT_INPUT" "neither preflight, current nor logs: ${2@Q}" ;;
esac
