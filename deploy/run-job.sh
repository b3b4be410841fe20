#!/bin/bash
# run-job.sh ENV RELEASE - runs JOB_COMMAND, words and no shell, in the release that is live there; changes no release.
# SPDX-License-Identifier: ISC
# Exit status: that of deploy.sh before it begins, 70 when the job failed.  Its last line is the job's.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=job

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: run-job.sh ENV RELEASE (JOB_COMMAND says what it runs)"
check_environment "$1"
check_release "$2"
check_run
check_words JOB_COMMAND "${JOB_COMMAND:-}"
load_transport "$here"
has_function transport_job || fail "$EXIT_CONFIG" "the transport $transport runs no jobs: see docs/actions.md"
find_place "$1"
take_lock "job $DEPLOYMENT_ID"
preflight
transport_current >"$app/job.now"
read_line now "$app/job.now"
[[ $now == "$2" || $now == "${2%%@*}" ]] ||
	fail "$EXIT_REFUSED" "${now:-nothing} runs there, and the job was asked for in $2: ask again"
step job
transport_job "$2" "${words[@]}"
