#!/bin/bash
# deploy.sh ENV COMMIT - ships your application by the transport DEPLOY_TRANSPORT names.
# SPDX-License-Identifier: ISC
# Works by hand too, and believes nothing it was given.  The contract (steps, exit codes, variables) stands in
# docs/deploy-scripts.md.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"

[[ $# -eq 2 ]] || fail "$EXIT_INPUT" "usage: deploy.sh ENV COMMIT"
check_environment "$1"
check_release "$2"
DEPLOYMENT_ID=${DEPLOYMENT_ID:-$(date +%s)}
check_number DEPLOYMENT_ID "$DEPLOYMENT_ID"
[[ -z ${PREVIOUS_RELEASE:-} ]] || check_release "$PREVIOUS_RELEASE"
export DEPLOYMENT_ID PREVIOUS_RELEASE=${PREVIOUS_RELEASE:-} ENVIRONMENT=$1
run_transport "$here" deploy "$1" "$2"
