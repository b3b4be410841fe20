# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# verify.sh - asks VERIFY_COMMAND whether an image has the right signature, before anything of it is pulled.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh, registry.sh, image.sh and hooks.sh come first.  Not in a rollback to what was deployed from
# here: that digest was verified then, and what a signature is compared with may not answer.

: "${VERIFY_SECONDS:=180}" # cosign's own limit

# What is not asked would be taken for verified.
check_verify() {
	[[ -n ${VERIFY_COMMAND:-} ]] || return 0
	[[ $transport_needs == image && $IMAGE_SOURCE == registry ]] || fail "$EXIT_CONFIG" "VERIFY_COMMAND is for images that \
CI has pushed and signed: set IMAGE_SOURCE=registry, with a transport that ships images, or take it out"
	[[ -f $VERIFY_COMMAND && -x $VERIFY_COMMAND ]] ||
		fail "$EXIT_CONFIG" "VERIFY_COMMAND: there is no program $VERIFY_COMMAND: put it there, and chmod +x it"
	check_hook "$VERIFY_COMMAND" VERIFY_COMMAND
}

# With the digest that was found, so that nobody puts another image in its place behind it.
verify_image() { # COMMIT
	local status=0
	check_hook "$VERIFY_COMMAND" VERIFY_COMMAND # again: it may be new
	step verify
	quoted "$VERIFY_SECONDS" "VERIFY_COMMAND, which asks for the signature of $image@$digest," \
		env "${WITHOUT_GIT_LOGIN[@]}" --chdir=/ REGISTRY_USER="$registry_user" REGISTRY_PASSWORD_FILE="$registry_password" \
		"$VERIFY_COMMAND" "$image@$digest" "$1" </dev/null 7>&- 8>&- || status=$?
	((status == 0)) || fail "$EXIT_REGISTRY" "VERIFY_COMMAND does not accept the image of ${1:0:12} (${digest:0:19}, status \
$status), so nothing was changed: its last lines are in the log; was it signed, and by whom?"
}

# A rollback to what was deployed from here goes on, verified or not: what is wrong now may be worse.  A digest that only
# the registry's tag names, or whoever types it, was never looked at: it is asked for as in a deployment.
verify_rollback() { # RELEASE server|tag|hand
	local digest=${1#*@} commit=${1%%@*}
	[[ -n ${VERIFY_COMMAND:-} && $1 == *@* ]] || return 0
	! is_noted "$commit" verified || return 0
	if [[ $2 == server ]] || is_noted "$commit" found || is_noted "$commit" pushed; then
		warn "the image of ${commit:0:12} (${digest:0:19}) was never verified: it was deployed before VERIFY_COMMAND was \
set, or is no longer noted"
		return 0
	fi
	check_verify
	verify_image "$commit"
}
