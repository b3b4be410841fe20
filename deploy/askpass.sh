#!/bin/bash
# askpass.sh - tells git its token without showing it: it is in a file, never in an argument or a variable.
# SPDX-License-Identifier: ISC
# Whoever asks, a redirect or another URL may have led there: the token is for the host of REPOSITORY_URL alone.
set -euo pipefail

# Git asks: Username for 'https://HOST': , then: Password for 'https://USER@HOST': ; git-lfs with double quotes.
asks="^(Username|Password) for ['\"]https://([^/@'\"]*@)?([^/@'\"]+)[/'\"]"
if [[ ! ${1:-} =~ $asks || https://${BASH_REMATCH[3]} != "${GIT_TOKEN_HOST:-}" ]]; then
	printf 'askpass.sh: no token for %s: it is for %s, the host of REPOSITORY_URL\n' \
		"${1//[[:cntrl:]]/ }" "${GIT_TOKEN_HOST:-none}" >&2
	exit 1
fi
case $1 in
Username*) printf 'x-access-token\n' ;;
*) cat -- "${REPOSITORY_TOKEN_FILE:?no REPOSITORY_TOKEN is set}" ;;
esac
