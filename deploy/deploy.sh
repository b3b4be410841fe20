#!/bin/bash
# deploy.sh ENV COMMIT[@sha256:DIGEST] - ships your application by the transport DEPLOY_TRANSPORT names.
# SPDX-License-Identifier: ISC
# With a digest, which somebody has approved, no other image is shipped.
# Works by hand too, and believes nothing it was given.  The contract (steps, exit codes, variables) stands in
# docs/deploy-scripts.md.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/act.sh
. "$here/act.sh"

readonly act=deploy

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: deploy.sh ENV COMMIT[@sha256:DIGEST]"
check_environment "$1"
check_commit "${2%%@*}"
check_release "$2"
check_run
load_transport "$here"
find_place "$1"
take_lock "deployment $DEPLOYMENT_ID"

commit=${2%%@*}
find_source "$commit"
preflight
check_upload
note_current
if [[ $transport_needs == image ]]; then
	make_image "$2"
else
	release=${2%%@*}
fi
transport_ship "$release"
check_release_began
run_hooks post-deploy "$EXIT_REFUSED"
clean_later
drain_by_hand
