# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# check.sh - may a release be rolled out here: what is there, who else keeps it, and which rights we have.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from calls.sh and state.sh.

# One line for each right that was asked about: true or false.
readonly KUBERNETES_RIGHTS='{{.status.allowed}}
'

kubernetes_check_main() {
	kubernetes_look || kubernetes_none_there
	kubernetes_was_seen=yes
	[[ $kubernetes_uid =~ ^[0-9a-f-]+$ ]] || fail "$EXIT_REFUSED" "the cluster says nonsense of $kubernetes_main: ${answer@Q}"
	if [[ -z $KUBE_CONTAINER ]]; then
		((${#kubernetes_names[@]} == 1)) || fail "$EXIT_CONFIG" "the $kubernetes_title has several containers \
(${kubernetes_names[*]}): KUBE_CONTAINER has to say which one is the application"
		KUBE_CONTAINER=${kubernetes_names[0]}
	fi
	[[ -n $(kubernetes_image) ]] || fail "$EXIT_CONFIG" "the $kubernetes_title has no container $KUBE_CONTAINER \
(there are: ${kubernetes_names[*]}): correct KUBE_CONTAINER"
	[[ $reads != logs ]] || kubernetes_paused='' kubernetes_strategy=''
	kubernetes_refuse "the $kubernetes_title" "$kubernetes_main" "$kubernetes_paused" "$kubernetes_strategy" \
		"$kubernetes_owner"
	kubernetes_warn_of_gitops "the $kubernetes_title" "$kubernetes_gitops"
	[[ $kubernetes_replicas != 0 ]] || warn_people "the $kubernetes_title has 0 replicas: nothing will run"
}

kubernetes_none_there() {
	local there='not even a list of them may be seen' said=''
	read_all said "$kubernetes_folder/said"
	[[ $said != *orbidden* ]] || kubernetes_failed "the $kubernetes_title cannot be seen"
	[[ $said == *NotFound* ]] || kubernetes_failed "the cluster cannot be asked"
	if kubernetes_ask get "${kubernetes_main%%/*}s.apps" '--output=go-template={{range .items}} {{.metadata.name}}{{end}}'; then
		there="there are:${answer:- none}"
	fi
	fail "$EXIT_CONFIG" "there is no $kubernetes_title in the namespace $kubernetes_namespace ($there): create it once with \
kubectl apply, or correct $kubernetes_setting or KUBE_NAMESPACE"
}

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

kubernetes_warn_of_gitops() { # TITLE WHO, or nobody
	[[ -z $2 ]] || warn_people "$1 is kept as in git by $2, which sets the image back when it looks next: leave the \
image to deploybot there, see docs/deploy-scripts.md"
}

# What is not to be released to, whichever workload it is.
kubernetes_refuse() { # TITLE WORKLOAD PAUSED STRATEGY OWNER
	[[ $3 != true ]] || fail "$EXIT_REFUSED" "$1 is paused, so nothing would be rolled out: kubectl --namespace \
$kubernetes_namespace rollout resume $2"
	[[ $4 != OnDelete ]] || fail "$EXIT_REFUSED" "$1 has the updateStrategy OnDelete: nobody would see when it is rolled \
out; RollingUpdate does that"
	[[ -z $5 || $5 == "$environment" || $5 == "$former" ]] ||
		fail "$EXIT_CONFIG" "$1 in the namespace $kubernetes_namespace is ${5@Q}, not $environment: set \
<ENV>_KUBE_NAMESPACE for each (or remove its annotation $KUBERNETES_OWNER)"
}

# As kubectl auth can-i asks for one of them, in one call.  All that goes into it was checked, or is ours.
kubernetes_check_rights() { # RIGHT..., each VERB RESOURCE[/SUBRESOURCE] or VERB RESOURCE.GROUP[/NAME]
	local right verb resource group name sub list='' said missing=()
	for right in "$@"; do
		read -r verb resource <<<"$right"
		name='' group='' sub=''
		case $resource in
		*.*) group=${resource%%/*} group=${group#*.} name=${resource#*/} ;;
		*/*) sub=${resource#*/} ;;
		esac
		[[ $name != "$resource" ]] || name=
		resource=${resource%%/*}
		list+=',{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{'
		list+="\"namespace\":\"$kubernetes_namespace\",\"verb\":\"$verb\",\"group\":\"$group\","
		list+="\"resource\":\"${resource%%.*}\",\"subresource\":\"$sub\",\"name\":\"$name\"}}}"
	done
	printf '{"apiVersion":"v1","kind":"List","items":[%s]}\n' "${list#,}" >"$kubernetes_folder/rights.json"
	kubernetes_ask create "--filename=$kubernetes_folder/rights.json" --validate=false \
		"--output=go-template=$KUBERNETES_RIGHTS" || kubernetes_failed "the cluster does not say what we may do there"
	for right in "$@"; do
		said=${answer%%$'\n'*} answer=${answer#*$'\n'}
		case $said in
		true) ;;
		false) missing+=("$right") ;;
		*) kubernetes_failed "the cluster does not say what we may do there" ;;
		esac
	done
	((${#missing[@]} == 0)) && return 0
	right=$(printf '%s, ' "${missing[@]}")
	fail "$EXIT_REFUSED" "we may not do this in the namespace $kubernetes_namespace: ${right%, }; the Role in \
docs/deploy-scripts.md has all that is needed: kubectl apply it there"
}
