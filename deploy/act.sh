# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# act.sh - what deploy.sh, rollback.sh and target.sh do alike, with all that they need.
# SPDX-License-Identifier: ISC
# Sourced, never run.  `here` is the folder that the scripts are in.

# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/git.sh
. "$here/git.sh"
# shellcheck source=deploy/source.sh
. "$here/source.sh"
# shellcheck source=deploy/image.sh
. "$here/image.sh"
# shellcheck source=deploy/hooks.sh
. "$here/hooks.sh"

# ---- the transport -------------------------------------------------------------------------------

# Sources transports/NAME.sh, and looks whether it defines what docs/transports.md says.
load_transport() { # HERE
	local here=$1 name=${DEPLOY_TRANSPORT:-ssh} there=() file
	[[ ${USE_KUBERNETES:-false} == true ]] && name=kubernetes
	if [[ ! -r $here/transports/$name.sh ]]; then
		for file in "$here"/transports/*.sh; do
			file=${file##*/}
			there+=("${file%.sh}")
		done
		fail "$EXIT_CONFIG" "there is no transport \"$name\" (DEPLOY_TRANSPORT); there are: ${there[*]}"
	fi
	transport=$name transport_needs=
	# shellcheck disable=SC1090 # its name is a setting
	. "$here/transports/$name.sh"
	[[ $transport_needs == image || $transport_needs == source ]] ||
		fail "$EXIT_CONFIG" "transports/$name.sh says neither transport_needs=image nor transport_needs=source"
	for file in preflight ship current rollback logs; do
		declare -F "transport_$file" >/dev/null ||
			fail "$EXIT_CONFIG" "transports/$name.sh has no function transport_$file: see docs/transports.md"
	done
}

has_function() { # NAME
	declare -F "$1" >/dev/null
}

# repository@sha256:… of a release; no tag is ever shipped, as that may point elsewhere tomorrow.
image_of() { # RELEASE
	[[ $1 == *@sha256:* ]] || fail "$EXIT_INPUT" "the release $1 has no image's digest"
	printf '%s@%s' "$image" "${1#*@}"
}

# Can PREVIOUS_RELEASE be brought back?
previous_is_kept() {
	local now=$release found=0
	if [[ $transport_needs == source ]]; then
		! has_function transport_keeps || transport_keeps "$PREVIOUS_RELEASE"
		return "$?"
	fi
	add_digest "$PREVIOUS_RELEASE" || found=$?
	((found != 0)) || PREVIOUS_RELEASE=$release
	release=$now
	((found == 2)) || { ((found == 0)) && image_is_kept "$PREVIOUS_RELEASE"; }
}

# The only place that says `==> release`: once, right before the first change to the target.  What may still stop us
# comes before it: the pre-deploy hooks, which know the release by now.
release_begins() {
	[[ -z ${release_began:-} ]] || fail "$EXIT_CONFIG" "the transport $transport begins twice: see docs/transports.md"
	if [[ $act == deploy ]]; then
		run_hooks pre-deploy "$EXIT_INPUT"
		if [[ $PREVIOUS_RELEASE == target:* ]]; then
			step "previous $PREVIOUS_RELEASE"
		elif [[ -n $PREVIOUS_RELEASE ]] && ! previous_is_kept; then
			step no-rollback
			printf 'the release that is live, %s, is no longer kept here\n' "${PREVIOUS_RELEASE:0:12}"
		fi
	fi
	release_began=yes
	printf '\n' # a transport's program may have left its last line open, and this one has to be seen
	step release
}

# Behind a transport's work: one that shipped without a word has changed the target all the same, which is said late
# rather than never.
check_release_began() {
	leave_former_place
	[[ -z $release_began ]] || return 0
	step release
	fail "$EXIT_CONFIG" "the transport $transport never says release_begins: see docs/transports.md"
}

# ---- what all acts do ----------------------------------------------------------------------------

check_run() {
	: "${DEPLOYMENT_ID:=$EPOCHSECONDS}" "${KEEP_RELEASES:=5}"
	check_number DEPLOYMENT_ID "$DEPLOYMENT_ID"
	check_settings
	[[ -z ${PREVIOUS_RELEASE:-} ]] || check_release "$PREVIOUS_RELEASE"
	export DEPLOYMENT_ID
	release='' release_began=''
}

preflight() {
	step preflight
	check_hooks
	if [[ $transport_needs == image ]]; then
		find_image
		check_image_settings
		own_docker_config
		find_password
	fi
	transport_preflight
}

# Notes what runs now: what a person needs who has to bring it back by hand.
note_current() {
	transport_current >"$app/before.new"
	mv -f -- "$app/before.new" "$app/before"
	IFS= read -r before <"$app/before" || before=
	[[ -z $before ]] || check_release "$before"
	printf 'runs now: %s\n' "${before:-nothing}"
	PREVIOUS_RELEASE=${PREVIOUS_RELEASE-$before} # by hand nobody said it
	[[ $act != deploy || -n $PREVIOUS_RELEASE ]] || note_before_deploybot
}

# The first release here: what runs is no release that anybody knows, and still what a bad one is rolled back to.
note_before_deploybot() {
	local word=''
	has_function transport_before || return 0
	word=$(transport_before)
	[[ -n $word ]] || return 0
	PREVIOUS_RELEASE=target:$word
	check_release "$PREVIOUS_RELEASE"
	printf 'a bad release is rolled back to what ran before deploybot: %s\n' "$PREVIOUS_RELEASE"
}

# Removes what is too old, on the target and in the registry.  What fails or hangs is only a warning: the release is up.
clean() {
	has_function transport_clean || [[ $transport_needs == image ]] || return 0
	step clean
	clean_all &
	wait "$!" || warn "the clean-up was not finished; the next deployment continues it"
}

# In a subshell of its own, which a deadline may end.
clean_all() {
	local kept=() text
	catch_signals
	if [[ $transport_needs == image ]]; then
		find_kept
	else
		kept=("$release")
		for text in "$PREVIOUS_RELEASE" "$before"; do
			[[ -z $text ]] || kept+=("${text%%@*}")
		done
		if [[ -r $state_file ]]; then
			read_all text "$state_file"
			while [[ $text =~ \"commit\":\ *\"([0-9a-f]+)\" ]]; do
				kept+=("${BASH_REMATCH[1]}")
				text=${text#*"${BASH_REMATCH[0]}"}
			done
		fi
	fi
	! has_function transport_clean || transport_clean "${kept[@]}" || warn "old releases stay on the target"
	[[ $transport_needs != image ]] || clean_registry || warn "old images stay in the registry"
}
