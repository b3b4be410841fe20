# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# kubernetes.sh - the transport to the workloads of one image in one namespace of a Kubernetes cluster, by kubectl.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  One patch changes image, release and cause at
# once, so a release is there whole or not at all; from then on the cluster carries it out, whatever becomes of us, and
# whoever comes next takes it up.  Nothing is asked or changed outside of the namespace.  It takes from all of kubernetes/, and
# none of them from it.

readonly transport_needs=image

# shellcheck source=deploy/transports/kubernetes/calls.sh
. "$here/transports/kubernetes/calls.sh"
# shellcheck source=deploy/transports/kubernetes/state.sh
. "$here/transports/kubernetes/state.sh"
# shellcheck source=deploy/transports/kubernetes/check.sh
. "$here/transports/kubernetes/check.sh"
# shellcheck source=deploy/transports/kubernetes/rollout.sh
. "$here/transports/kubernetes/rollout.sh"
# shellcheck source=deploy/transports/kubernetes/workloads.sh
. "$here/transports/kubernetes/workloads.sh"
# shellcheck source=deploy/transports/kubernetes/job.sh
. "$here/transports/kubernetes/job.sh"

kubernetes_find_settings() {
	kubernetes_namespace=${KUBE_NAMESPACE:-default}
	kubernetes_config=${KUBECONFIG:-}
	: "${KUBE_DEPLOYMENT:=}" "${KUBE_CONTAINER:=}"
	kubernetes_find_workloads
	[[ -n $kubernetes_config ]] ||
		fail "$EXIT_CONFIG" "KUBECONFIG is not set: where is kubectl's configuration, which names the cluster?"
	check_secret KUBECONFIG "$kubernetes_config"
	[[ -n ${kubernetes_folder:-} ]] || make_private kubernetes_folder
}

transport_preflight() {
	local resource rights=("list replicasets.apps")
	need_tool kubectl kubernetes-client
	kubernetes_find_settings
	resource=${kubernetes_resources[$kubernetes_main]}
	kubernetes_check_main
	[[ $kubernetes_main == deployment/* ]] || rights=("get controllerrevisions.apps" "list controllerrevisions.apps")
	[[ $reads != logs ]] || return 0
	rights=("patch $resource" "list $resource" "watch $resource" "${rights[@]}" "list pods" "get pods" "get pods/log"
		"list events")
	[[ -z $migration_name ]] || rights+=("${KUBERNETES_JOB_RIGHTS[@]}")
	kubernetes_check_workloads
	kubernetes_check_rights "${rights[@]}"
	[[ $act == ask ]] || kubernetes_end_job
}

# ---- what runs -----------------------------------------------------------------------------------

# What the pod template says; what somebody has set by hand is no release of ours.
transport_current() {
	local now of commit digest found=''
	[[ -n $kubernetes_was_seen ]] || kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	kubernetes_was_seen='' # preflight has just looked
	[[ $kubernetes_progress != ProgressDeadlineExceeded ]] || warn "the last rollout of ${kubernetes_main#*/} failed"
	now=$(kubernetes_image)
	[[ $now == "$image@sha256:"* ]] || return 0
	digest=${now##*@}
	if [[ $kubernetes_release =~ ^([0-9a-f]{40}|[0-9a-f]{64})@sha256:[0-9a-f]{64}$ &&
		${kubernetes_release#*@} == "$digest" ]]; then
		found=$kubernetes_release
	elif [[ -e $app/images ]]; then
		while read -r _ commit of _; do
			[[ $of != "$digest" ]] || found=$commit@$digest
		done <"$app/images"
	fi
	[[ -z $found ]] || printf '%s\n' "$found"
}

# The revision that runs, which the cluster keeps with its ReplicaSet.  One that never came up is no place to go back to.
transport_before() {
	[[ $kubernetes_progress == NewReplicaSetAvailable && $kubernetes_history != 0 ]] || return 0
	if [[ $kubernetes_main != deployment/* ]]; then
		kubernetes_find_newest "$kubernetes_uid"
		kubernetes_revision=$kubernetes_found
	fi
	[[ -n $kubernetes_revision ]] || return 0
	kubernetes_note_others "$kubernetes_revision"
	printf 'revision-%s' "$kubernetes_revision"
}

# ---- a release, or back --------------------------------------------------------------------------

transport_ship() { # RELEASE
	kubernetes_take
	start_begins
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	if ((${#kubernetes_workloads[@]} > 0)); then
		kubernetes_ship_all "$1"
		return "$?"
	fi
	kubernetes_set_image "$1"
	kubernetes_wait "$(image_of "$1")"
}

transport_rollback() { # RELEASE
	kubernetes_take
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	if ((${#kubernetes_workloads[@]} > 0)); then
		kubernetes_roll_back_all "$1"
	else
		kubernetes_roll_back_main "$1"
	fi
}

# The main workload, as it was just looked at.
kubernetes_roll_back_main() { # RELEASE
	if [[ $1 == target:* ]]; then
		kubernetes_find_before "${1#target:revision-}"
		kubernetes_undo "${1#target:revision-}"
		kubernetes_wait "$kubernetes_was"
		return "$?"
	fi
	kubernetes_find_revision "$1"
	if [[ -n $kubernetes_found ]]; then
		kubernetes_undo "$kubernetes_found"
	else
		printf 'no revision with it is recorded any more: its image is set\n'
		kubernetes_set_image "$1"
	fi
	kubernetes_wait "$(image_of "$1")"
}

# ---- logs ----------------------------------------------------------------------------------------

# At most so many of its pods.
readonly KUBERNETES_LOGS_OF=5

# Of one that crashes, what it said before: it may have said nothing yet.
transport_logs() { # LINES [RELEASE]
	local name state more
	if kubernetes_find_pods "${2:-}"; then
		while read -r name state; do
			more=()
			[[ $state == *" $KUBE_CONTAINER: ready true"* || ! $state =~ restarts\ [1-9] ]] || more=(--previous)
			! kubernetes_ask logs "$name" "--container=$KUBE_CONTAINER" "--tail=$1" ${more[@]+"${more[@]}"} ||
				printf '%s' "$answer"
		done < <(head -n "$KUBERNETES_LOGS_OF" <<<"${kubernetes_pods%$'\n'}")
		return 0
	fi
	[[ -z ${2:-} ]] || return 0
	kubernetes_ask logs "${kubernetes_resources[$kubernetes_main]}" "--container=$KUBE_CONTAINER" "--tail=$1" ||
		kubernetes_failed "the application's log cannot be read"
	printf '%s' "$answer"
}

# Fills kubernetes_pods, lines OWNER POD STATE: of the release's pods, or of what the template says now.
kubernetes_find_pods() { # [RELEASE]
	local set=${kubernetes_main#*/} uid name revision line
	kubernetes_pods=
	kubernetes_workload=$kubernetes_main
	if [[ $kubernetes_main == deployment/* ]]; then # its pods are a ReplicaSet's
		kubernetes_look || return 1
		kubernetes_found=$kubernetes_revision
		if [[ ${1:-} == *@* ]]; then
			kubernetes_find_revision "$1"
		else
			kubernetes_ask_revisions || return 1
		fi
		set=
		while read -r line uid name revision _; do
			[[ $line != set || $uid != "$kubernetes_uid" || $revision != "$kubernetes_found" ]] || set=$name
		done <<<"$answer"
	fi
	[[ -n $set ]] && kubernetes_ask get pods "--output=go-template=$KUBERNETES_PODS" || return 1
	while read -r _ name line; do
		[[ $name != "$set" ]] || kubernetes_pods+=$line$'\n'
	done <<<"$answer"
	[[ -n $kubernetes_pods ]]
}
