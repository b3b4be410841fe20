#!/bin/bash
# target.sh ENV preflight|current|logs [LINES] - asks a target by hand; changes nothing.
# SPDX-License-Identifier: ISC
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=ask

[[ $# -ge 2 && $# -le 3 ]] || fail "$EXIT_INPUT" "usage: target.sh ENV preflight|current|logs [LINES]"
check_environment "$1"
[[ $# -eq 2 ]] || check_number LINES "$3"
[[ $# -eq 2 || $2 == logs ]] || fail "$EXIT_INPUT" "only logs take a number of lines"
check_run
load_transport "$here"
find_place "$1"
take_lock "target.sh $2"
preflight
case $2 in
preflight) echo "all is there" ;;
current) transport_current ;;
logs) transport_logs "${3:-100}" ;;
*) fail "$EXIT_INPUT" "neither preflight, current nor logs: ${2@Q}" ;;
esac
