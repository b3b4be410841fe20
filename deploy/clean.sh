#!/bin/bash
# clean.sh ENV - removes what is too old, on the target and in the registry; what serves is not touched.
# SPDX-License-Identifier: ISC
# drain.sh runs it behind the health gate; by hand it does the same.  It holds no lock that a deployment waits for: killed
# or refused it harms nothing, and the next one continues it.  The last release that came to a host stays there.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=clean

[[ $# -eq 1 ]] || fail "$EXIT_INPUT" "usage: clean.sh ENV"
check_environment "$1"
check_run
load_transport "$here"
find_place "$1"
take_lock clean
PREVIOUS_RELEASE=
[[ ! -e $app/clean ]] || read_line PREVIOUS_RELEASE "$app/clean"
[[ -z $PREVIOUS_RELEASE ]] || check_release "$PREVIOUS_RELEASE"
reads=logs # that no host is looked at before: one whose disk is full needs this most
preflight
if [[ $transport_needs == image ]]; then
	check_image_settings
	own_docker_config
	find_password
fi
clean
rm -f -- "$app/clean"
