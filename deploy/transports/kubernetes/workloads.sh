# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# workloads.sh - the other workloads of the image: released behind the main one, and all restored when one fails.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  A workload is KIND/NAME of KUBE_WORKLOADS; of it the containers and init containers are set that
# have our image.  A CronJob has no history and no rollout: its next run has the image.

# Of a workload in KUBERNETES_PARTS, in one form for all kinds; what others may have written is quoted, so that a line stays
# a line.
readonly KUBERNETES_PART="workload {{.kind}}/{{.metadata.name}}
{{\$t := .spec.template}}{{with .spec.jobTemplate}}{{\$t = .spec.template}}{{end}}uid {{.metadata.uid}}
paused {{with .spec.paused}}true{{end}}
strategy {{with .spec.updateStrategy}}{{.type}}{{end}}
revision {{with .metadata.annotations}}{{with index . \"deployment.kubernetes.io/revision\"}}{{urlquery .}}{{end}}{{end}}
owner {{with .metadata.annotations}}{{with index . \"$KUBERNETES_OWNER\"}}{{printf \"%q\" .}}{{end}}{{end}}
release {{with \$t.metadata}}{{with .annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}{{printf \"%q\" .}}{{end}}{{end}}{{end}}
{{range \$t.spec.containers}}containers {{.name}} {{printf \"%q\" .image}}
{{end}}{{range \$t.spec.initContainers}}initContainers {{.name}} {{printf \"%q\" .image}}
{{end}}$KUBERNETES_GITOPS"
# kubectl makes a list of several, and none of one.
readonly KUBERNETES_PARTS="{{define \"part\"}}$KUBERNETES_PART{{end}}{{if .items}}{{range .items}}{{template \"part\" .}}\
{{end}}{{else}}{{template \"part\" .}}{{end}}"
# Revisions of a StatefulSet or DaemonSet, whose templates stand in ControllerRevisions; in the form of KUBERNETES_SETS.
readonly KUBERNETES_REVISIONS="{{range .items}}{{\$r := .}}{{range .metadata.ownerReferences}}\
{{if or (eq .kind \"StatefulSet\") (eq .kind \"DaemonSet\")}}set {{.uid}} {{\$r.metadata.name}} {{\$r.revision}} \
release={{with \$r.data.spec.template.metadata}}{{with .annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}\
{{printf \"%q\" .}}{{end}}{{end}}{{end}}\
{{range \$r.data.spec.template.spec.containers}} {{.name}}={{printf \"%q\" .image}}{{end}} .
{{end}}{{end}}{{end}}"

# By WORKLOAD, or kind of it: what kubectl calls it; its text in KUBERNETES_PARTS, as it was last asked for; the revisions
# that are recorded.
declare -gA kubernetes_resources=() kubernetes_texts=() kubernetes_recorded=()

# Fills kubernetes_main, which is KUBE_DEPLOYMENT or the first of KUBE_WORKLOADS, and kubernetes_workloads, the others.
# kubernetes_workload is what is being looked at or changed.
kubernetes_find_workloads() {
	local workload list
	kubernetes_main='' kubernetes_workloads=() kubernetes_setting=KUBE_WORKLOADS
	: "${KUBE_WORKLOADS:=}"
	if [[ -z $KUBE_WORKLOADS ]]; then
		[[ -n $KUBE_DEPLOYMENT ]] || fail "$EXIT_CONFIG" "KUBE_DEPLOYMENT is not set: which Deployment is released to?"
		kubernetes_main=deployment/$KUBE_DEPLOYMENT kubernetes_setting=KUBE_DEPLOYMENT
	fi
	IFS=, read -r -a list <<<"${KUBE_WORKLOADS// /}"
	for workload in ${list[@]+"${list[@]}"}; do
		[[ $workload =~ ^(deployment|statefulset|daemonset|cronjob)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$ ]] ||
			fail "$EXIT_CONFIG" "KUBE_WORKLOADS: no KIND/NAME: ${workload@Q} (deployment, statefulset, daemonset or \
cronjob)"
		[[ " $kubernetes_main ${kubernetes_workloads[*]-} " != *" $workload "* ]] ||
			fail "$EXIT_CONFIG" "KUBE_WORKLOADS names $workload twice"
		if [[ -z $kubernetes_main ]]; then
			kubernetes_main=$workload
		else
			kubernetes_workloads+=("$workload")
		fi
	done
	kubernetes_check_main_name
	kubernetes_workload=$kubernetes_main
	for workload in "$kubernetes_main" ${kubernetes_workloads[@]+"${kubernetes_workloads[@]}"}; do
		kubernetes_resources[$workload]=${workload%%/*}s.apps/${workload#*/}
		[[ $workload != cronjob/* ]] || kubernetes_resources[$workload]=cronjobs.batch/${workload#*/}
	done
}

# Fills kubernetes_title, for people.
kubernetes_check_main_name() {
	case $kubernetes_main in
	deployment/*) kubernetes_title="Deployment ${kubernetes_main#*/}" ;;
	statefulset/*) kubernetes_title="StatefulSet ${kubernetes_main#*/}" ;;
	daemonset/*) kubernetes_title="DaemonSet ${kubernetes_main#*/}" ;;
	*)
		fail "$EXIT_CONFIG" "KUBE_WORKLOADS: the first one is the main one, which always runs, and $kubernetes_main does \
not: write a deployment/, statefulset/ or daemonset/ before it"
		;;
	esac
	[[ -z $KUBE_DEPLOYMENT || $kubernetes_main == "deployment/$KUBE_DEPLOYMENT" ]] ||
		fail "$EXIT_CONFIG" "KUBE_WORKLOADS: the first one is the main one, $kubernetes_main, and KUBE_DEPLOYMENT says \
deployment/$KUBE_DEPLOYMENT: unset KUBE_DEPLOYMENT, or write deployment/$KUBE_DEPLOYMENT first"
}

# All that is asked for at once is one call.  Where one cannot be had, whoever looks at it is told so.
kubernetes_ask_parts() { # WORKLOAD...
	local line workload=none resources=()
	kubernetes_texts=()
	for workload in "$@"; do
		resources+=("${kubernetes_resources[$workload]}")
	done
	kubernetes_ask get "${resources[@]}" "--output=go-template=$KUBERNETES_PARTS" || return "$?"
	while IFS= read -r line; do
		if [[ $line == 'workload '* ]]; then
			workload=${line#workload } workload=${workload,,}
		else
			kubernetes_texts[$workload]+=$line$'\n'
		fi
	done <<<"$answer"
}

# Fills part_{uid,paused,strategy,revision,owner,release,gitops}, part_all and part_ours, lines KIND-OF-CONTAINER NAME IMAGE: of
# what was last asked for, or else of now.
kubernetes_look_at() { # WORKLOAD
	local key value of
	[[ -n ${kubernetes_texts[$1]:-} ]] || kubernetes_ask_parts "$1" || return "$?"
	part_all=() part_ours=() part_gitops=''
	while read -r key value of; do
		value=${value#\"} value=${value%\"} of=${of#\"} of=${of%\"}
		case $key in
		uid | paused | strategy | revision | owner | release) printf -v "part_$key" %s "$value" ;;
		gitops) part_gitops="$value (${of:0:100})" ;;
		containers | initContainers)
			part_all+=("$key $value $of")
			! kubernetes_is_ours "$of" || part_ours+=("$key $value $of")
			;;
		esac
	done <<<"${kubernetes_texts[$1]}"
	# Of a release under a former REGISTRY_IMAGE.  A container that never had our image is somebody else's, alone or not.
	if [[ -n $part_release ]] && ((${#part_ours[@]} == 0 && ${#part_all[@]} == 1)); then
		part_ours=("${part_all[0]}")
	fi
}

kubernetes_is_ours() { # IMAGE
	local name=${1%%@*}
	[[ $name == "$image" || $name == "$image":* ]]
}

# ---- preflight -----------------------------------------------------------------------------------

# Adds to rights what is needed for them.
kubernetes_check_workloads() {
	local workload resource more
	((${#kubernetes_workloads[@]} > 0)) || return 0
	kubernetes_ask_parts "${kubernetes_workloads[@]}" || true # below
	for workload in "${kubernetes_workloads[@]}"; do
		resource=${kubernetes_resources[$workload]}
		kubernetes_look_at "$workload" || kubernetes_failed "$workload (KUBE_WORKLOADS) cannot be seen"
		((${#part_ours[@]} > 0)) || kubernetes_refuse_foreign
		kubernetes_refuse "$workload" "$workload" "$part_paused" "$part_strategy" "$part_owner"
		kubernetes_warn_of_gitops "$workload" "$part_gitops"
		rights+=("patch $resource")
		[[ $workload == cronjob/* ]] || rights+=("list $resource" "watch $resource")
		case $workload in
		deployment/*) more=("list replicasets.apps") ;;
		*set/*) more=("get controllerrevisions.apps" "list controllerrevisions.apps") ;;
		*) continue ;;
		esac
		[[ " ${rights[*]} " == *" ${more[*]} "* ]] || rights+=("${more[@]}")
	done
	printf 'a release replaces %s (the main one), %s\n' "$kubernetes_main" \
		"${kubernetes_workloads[*]}"
}

# Of workload, without a container that a release would replace.
kubernetes_refuse_foreign() {
	local name
	read -r _ name _ <<<"${part_all[0]:-containers NAME}"
	fail "$EXIT_CONFIG" "$workload has no container with the image $image (there are: $(printf '%s, ' "${part_all[@]#* }")\
none of them is released): take it out of KUBE_WORKLOADS, or where one is to run this image: kubectl --namespace \
$kubernetes_namespace set image $workload $name=$image:TAG"
}

# ---- patches -------------------------------------------------------------------------------------

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

# Nothing was changed where the API says no, or kubectl does before it asks.  Of all else that goes wrong (no answer, or one
# of a server that has had trouble with its store) nobody knows.
kubernetes_was_refused() {
	local said reasons='Forbidden|Invalid|NotFound|Conflict|BadRequest|MethodNotAllowed|RequestEntityTooLarge'
	local words="Error from server \\(($reasons)\\):|Error from server: admission webhook "
	words+="|The [^[:space:]]+ \"[^\"]*\" is invalid:|error: You must be logged in "
	words+="|error: (no rollout history|unable to find specified revision|error validating )"
	said=$(<"$kubernetes_folder/said")
	[[ $'\n'$said =~ $'\n'($words) ]]
}

kubernetes_note_refusal() {
	! kubernetes_was_refused || : >"$kubernetes_folder/refused"
}

kubernetes_patch_part() { # WORKLOAD PATCH
	kubernetes_ask patch "${kubernetes_resources[$1]}" --type=strategic "--patch=$2" || {
		kubernetes_note_refusal
		kubernetes_failed "the image of $1 could not be set"
	}
	printf '%s' "$answer"
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
	[[ $barred == no ]] || fail "$1" "$reason; not rolled back ($BARRIER): these were set to the new image, as \
far as the cluster took that: ${begun[*]}"
	printf '%s\n' "$reason" >&2 # a run's deadline may come before the last line
	step "set back"
	for workload in "${begun[@]}"; do
		kubernetes_restore "$workload" &
		wait "$!" || left+=("$workload")
	done
	((${#left[@]} > 0)) || fail "$1" "$reason; ${begun[*]}: all run what they ran before"
	fail "$1" "$reason; could NOT be set back: ${left[*]} (kubectl --namespace $kubernetes_namespace rollout undo; a pod of \
a StatefulSet that never becomes ready has to be deleted)"
}

# A revision that the cluster keeps no more is no reason to leave it: its images are known.
kubernetes_restore() { # WORKLOAD
	local kubernetes_workload=$1 resource=${kubernetes_resources[$1]}
	if [[ -n ${kubernetes_revisions[$1]:-} ]] &&
		kubernetes_ask rollout undo "$resource" "--to-revision=${kubernetes_revisions[$1]}"; then
		printf '%s' "$answer"
	else
		kubernetes_patch_part "$1" "${kubernetes_former[$1]}"
	fi
	[[ $1 == cronjob/* ]] || kubernetes_follow "$resource"
}

# ---- release -------------------------------------------------------------------------------------

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
	if [[ $2 == target:* ]]; then
		[[ $1 != "$kubernetes_main" ]] || kubernetes_found=${2#target:revision-} wanted=$kubernetes_was
	elif [[ $1 != cronjob/* && -n $KUBE_CONTAINER ]]; then
		kubernetes_uid=${kubernetes_uids[$1]}
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
