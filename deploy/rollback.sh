#!/bin/bash
# rollback.sh ENV RELEASE - brings an earlier release back, without building anything.
# SPDX-License-Identifier: ISC
# RELEASE is its commit, or COMMIT@sha256:DIGEST where it has an image.  Works by hand too, and believes nothing it
# was given.  The contract stands in docs/deploy-scripts.md.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: rollback.sh ENV RELEASE"
check_environment "$1"
check_release "$2"
DEPLOYMENT_ID=${DEPLOYMENT_ID:-$(date +%s)}
check_number DEPLOYMENT_ID "$DEPLOYMENT_ID"
export DEPLOYMENT_ID ENVIRONMENT=$1
run_transport "$here" rollback "$1" "$2"
