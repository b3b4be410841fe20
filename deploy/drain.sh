#!/bin/bash
# drain.sh ENV - removes what is old, and ends what a release has replaced, as soon as nobody has a connection to it any more.
# SPDX-License-Identifier: ISC
# DEPLOYMENT_ID says which deployment has left it; by hand, without, whichever has.  deploybot runs it when that
# deployment's health gate has passed.  It keeps no lock here: the target's lock keeps it apart from what comes next.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=drain

[[ $# -eq 1 ]] || fail "$EXIT_INPUT" "usage: drain.sh ENV"
deployment=${DEPLOYMENT_ID:-}
check_environment "$1"
check_run
load_transport "$here"
find_place "$1"
take_lock "drain of deployment ${deployment:-any}"
# What the server's order has brought for hosts with an agent (transports/agent.sh) is clean.sh's too.
[[ -z ${RUN_ID:-} || ! -e $app/clean ]] ||
	RELEASE_TICKET=${agent_ticket:-} bounded $((2 * CLEAN_SECONDS + 60)) env \
		DEPLOYBOT_SETTINGS=checked "$here/clean.sh" "$environment" ||
	warn "old images or releases stay; the next deployment continues it"
has_function transport_drain || exit 0
step drain
transport_drain "$deployment"
