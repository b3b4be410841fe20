#!/bin/bash
# askpass.sh - tells git its token without showing it: it is in a file, never in an argument or a variable.
# SPDX-License-Identifier: ISC
set -euo pipefail

case ${1:-} in
Username*) printf 'x-access-token\n' ;;
*) cat -- "${REPOSITORY_TOKEN_FILE:?no REPOSITORY_TOKEN is set}" ;;
esac
