# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# workloads.sh - the other workloads of the image: released behind the main one, and all restored when one fails.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from calls.sh, state.sh and rollout.sh.  A workload is KIND/NAME of KUBE_WORKLOADS; of it
# the containers and init containers are set that have our image.  A CronJob has no history and no rollout: its next run has
# the image.

# As transport_ship where there are others.
kubernetes_ship_all() { # RELEASE
	local -A kubernetes_patches=() kubernetes_former=() kubernetes_container=() kubernetes_revisions=() kubernetes_uids=()
	kubernetes_note_parts "$1"
	release_begins
	kubernetes_change_all kubernetes_roll_out "$1"
}

kubernetes_roll_out() { # WORKLOAD RELEASE
	local KUBE_CONTAINER=${kubernetes_container[$1]:-} kubernetes_workload=$1
	kubernetes_patch_part "$1" "${kubernetes_patches[$1]}"
	[[ $1 != cronjob/* ]] || return 0 # its next run has it
	kubernetes_wait ${KUBE_CONTAINER:+"$(image_of "$2")"}
}

# ---- rollback ------------------------------------------------------------------------------------

# As transport_rollback where there are others.
kubernetes_roll_back_all() { # RELEASE
	local -A kubernetes_patches=() kubernetes_former=() kubernetes_container=() kubernetes_revisions=() kubernetes_uids=()
	kubernetes_record
	[[ $1 != target:* ]] || kubernetes_find_before "${1#target:revision-}"
	kubernetes_note_parts "$1"
	release_begins
	kubernetes_change_all kubernetes_roll_back "$1"
}

# Fills kubernetes_recorded, of all kinds that there are.
kubernetes_record() {
	local kubernetes_workload
	for kubernetes_workload in "$kubernetes_main" "${kubernetes_workloads[@]}"; do
		[[ $kubernetes_workload != cronjob/* && -z ${kubernetes_recorded[${kubernetes_workload%%/*}]:-} ]] || continue
		kubernetes_see_revisions
		kubernetes_recorded[${kubernetes_workload%%/*}]=$answer
		[[ $kubernetes_workload != *set/* ]] ||
			kubernetes_recorded[statefulset]=$answer kubernetes_recorded[daemonset]=$answer
	done
}

# To a recorded revision with RELEASE, else by its image.
kubernetes_roll_back() { # WORKLOAD RELEASE
	local KUBE_CONTAINER=${kubernetes_container[$1]:-} kubernetes_workload=$1 kubernetes_found='' wanted=''
	kubernetes_uid=${kubernetes_uids[$1]}
	if [[ $2 == target:* ]]; then
		[[ $1 != "$kubernetes_main" ]] || kubernetes_found=${2#target:revision-} wanted=$kubernetes_was
	elif [[ $1 != cronjob/* && -n $KUBE_CONTAINER ]]; then
		kubernetes_find_revision "$2"
		wanted=$(image_of "$2")
	fi
	if [[ -n $kubernetes_found ]]; then
		kubernetes_undo "$kubernetes_found"
	else
		kubernetes_patch_part "$1" "${kubernetes_patches[$1]}"
	fi
	[[ $1 == cronjob/* ]] || kubernetes_wait "$wanted"
}

# ---- all of them ---------------------------------------------------------------------------------

# Of all, the main one first: what sets them to RELEASE (target:revision-N: the others to what they ran before deploybot),
# and what sets them back.
kubernetes_note_parts() { # RELEASE
	local workload kind name
	kubernetes_ask_parts "$kubernetes_main" "${kubernetes_workloads[@]}" || true # below
	for workload in "$kubernetes_main" "${kubernetes_workloads[@]}"; do
		kubernetes_look_at "$workload" || kubernetes_failed "what $workload runs cannot be seen"
		[[ $workload != "$kubernetes_main" ]] || kubernetes_take_main
		kubernetes_uids[$workload]=$part_uid
		ran_there+=("$part_release")
		kubernetes_former[$workload]=$(kubernetes_part_patch "$workload" "$part_release" '')
		read -r kind name _ <<<"${part_ours[0]}"
		[[ $kind != containers ]] || kubernetes_container[$workload]=$name
		if [[ $act == rollback ]]; then
			kubernetes_note_revision "$workload"
		fi
		if [[ $1 != target:* ]]; then
			kubernetes_patches[$workload]=$(kubernetes_part_patch "$workload" "$1" "$(image_of "$1")")
		elif [[ $workload != "$kubernetes_main" ]]; then
			kubernetes_take_before "$workload" "${1#target:revision-}"
			kubernetes_patches[$workload]=$(kubernetes_part_patch "$workload" '' '')
		fi
	done
	[[ $1 == target:* ]] || kubernetes_patches[$kubernetes_main]=$(kubernetes_patch "$1")
}

# Of the main one KUBE_CONTAINER says which container is ours.
kubernetes_take_main() {
	local entry kept=()
	for entry in "${part_all[@]}"; do
		[[ $entry != "containers $KUBE_CONTAINER "* ]] || kept+=("$entry")
	done
	for entry in "${part_ours[@]}"; do
		[[ $entry != initContainers* ]] || kept+=("$entry")
	done
	part_ours=("${kept[@]}")
}

# A rollback replaces a whole template, so it is undone by the revision that runs now, as it was just looked at.
kubernetes_note_revision() { # WORKLOAD
	local kubernetes_workload=$1
	case $1 in
	cronjob/*) ;; # has none
	deployment/*) kubernetes_revisions[$1]=$part_revision ;;
	*)
		kubernetes_find_newest "$part_uid"
		kubernetes_revisions[$1]=$kubernetes_found
		;;
	esac
}

# Sets what was found as part_ours; all that goes into it was checked, or comes from the cluster as a name or an image.
kubernetes_part_patch() { # WORKLOAD RELEASE-ANNOTATION IMAGE, empty: as it was
	local kind entry name of list template='' note=null
	for kind in containers initContainers; do
		list=''
		for entry in "${part_ours[@]}"; do
			read -r of name entry <<<"$entry"
			[[ $of != "$kind" ]] || list+=",{\"name\":\"$name\",\"image\":\"${3:-$entry}\"}"
		done
		[[ -z $list ]] || template+=",\"$kind\":[${list#,}]"
	done
	[[ -z $2 ]] || note="\"$2\""
	template="{\"metadata\":{\"annotations\":{\"$KUBERNETES_RELEASE\":$note}},\"spec\":{${template#,}}}"
	[[ $1 != cronjob/* ]] || template="{\"spec\":{\"template\":$template}}"
	printf '{"metadata":{"annotations":{"%s":"%s"}},"spec":{"%s":%s}}' "$KUBERNETES_OWNER" "$environment" \
		"$([[ $1 == cronjob/* ]] && echo jobTemplate || echo template)" "$template"
}

# FUNCTION WORKLOAD RELEASE for each, in a subshell of its own.  Where one fails, all that were changed are set back, the
# newest first, and what could not be is named.
kubernetes_change_all() { # FUNCTION RELEASE
	local workload status=0 begun=()
	for workload in "$kubernetes_main" "${kubernetes_workloads[@]}"; do
		rm -f -- "$kubernetes_folder/refused"
		"$1" "$workload" "$2" 2>"$kubernetes_folder/reason" &
		wait "$!" || status=$?
		[[ -e $kubernetes_folder/refused ]] || begun=("$workload" ${begun[@]+"${begun[@]}"})
		((status == 0)) || kubernetes_set_back "$status"
	done
}

kubernetes_set_back() { # STATUS
	local reason workload left=()
	reason=$(<"$kubernetes_folder/reason")
	[[ $reason != *$'\n'* ]] || printf '%s\n' "${reason%$'\n'*}" >&2
	reason=${reason##*$'\n'} reason=${reason#"${0##*/}: "}
	((${#begun[@]} > 0)) || fail "$1" "$reason; no workload was changed"
	[[ ! -e $kubernetes_folder/late ]] || fail "$1" "$reason; it had set before that: ${begun[*]}"
	[[ $barred == no ]] || fail "$1" "$reason; not rolled back ($BARRIER): these were set to the new image, as \
far as the cluster took that: ${begun[*]}"
	printf '%s\n' "$reason" >&2 # a run's deadline may come before the last line
	step "set back"
	for workload in "${begun[@]}"; do
		kubernetes_restore "$workload" &
		wait "$!" || left+=("$workload")
	done
	((${#left[@]} > 0)) || fail "$1" "$reason; ${begun[*]}: all run what they ran before"
	[[ ! -e $kubernetes_folder/late ]] || fail "$1" "$reason; a later run was at: ${left[*]}, and they are its own now"
	fail "$1" "$reason; could NOT be set back: ${left[*]} (kubectl --namespace $kubernetes_namespace rollout undo; a pod of \
a StatefulSet that never becomes ready has to be deleted)"
}

# A revision that the cluster keeps no more is no reason to leave it: its images are known.
kubernetes_restore() { # WORKLOAD
	local kubernetes_workload=$1 kubernetes_uid=${kubernetes_uids[$1]} undo=''
	[[ -z ${kubernetes_revisions[$1]:-} ]] || kubernetes_find_undo "${kubernetes_revisions[$1]}" || undo=''
	kubernetes_patch_part "$1" "${undo:-${kubernetes_former[$1]}}"
	[[ $1 == cronjob/* ]] || kubernetes_follow "${kubernetes_resources[$1]}"
}

# ---- what ran before deploybot -------------------------------------------------------------------

# The others' images, which no revision of the main one has; kept for target:revision-N.
kubernetes_note_others() { # REVISION
	local workload
	for workload in ${kubernetes_workloads[@]+"${kubernetes_workloads[@]}"}; do
		kubernetes_look_at "$workload" || kubernetes_failed "what $workload runs cannot be seen"
		printf '%s\n' "${part_ours[@]/#/$workload }"
	done >"$app/kubernetes.before.$1"
}

# As kubernetes_look_at, of what was noted then.
kubernetes_take_before() { # WORKLOAD REVISION
	local of kind name entry
	part_ours=()
	while read -r of kind name entry; do
		[[ $of != "$1" ]] || part_ours+=("$kind $name $entry")
	done < <(cat -- "$app/kubernetes.before.$2" 2>/dev/null)
	((${#part_ours[@]} > 0)) || fail "$EXIT_INPUT" "what $1 ran before deploybot is not recorded: deploy a commit instead"
}
