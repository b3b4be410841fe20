# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# state.sh - which workloads are meant, what each runs, and which revisions and pods of it the cluster has.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from calls.sh.

# What we write down: on the pod template what runs, on the workload whose it is.
readonly KUBERNETES_RELEASE=deploybot/release KUBERNETES_ATTEMPT=deploybot/attempt KUBERNETES_OWNER=deploybot/environment

# ... and the highest number of a run of each installation, which is no annotation: an undo brings back a Deployment's.
readonly KUBERNETES_RUN=deploybot/run-

# Templates of kubectl's; what others may have written is quoted, so that a line stays a line.
readonly KUBERNETES_GITOPS="\
{{with .metadata.annotations}}{{with index . \"argocd.argoproj.io/tracking-id\"}}gitops Argo {{printf \"%q\" .}}
{{end}}{{end}}{{with .metadata.labels}}{{with index . \"argocd.argoproj.io/instance\"}}gitops Argo {{printf \"%q\" .}}
{{end}}{{with index . \"kustomize.toolkit.fluxcd.io/name\"}}gitops Flux {{printf \"%q\" .}}
{{end}}{{with index . \"helm.toolkit.fluxcd.io/name\"}}gitops Flux {{printf \"%q\" .}}
{{end}}{{end}}"
readonly KUBERNETES_STATE="uid {{.metadata.uid}}
paused {{with .spec.paused}}true{{end}}
strategy {{with .spec.updateStrategy}}{{.type}}{{end}}
replicas {{.spec.replicas}}
history {{.spec.revisionHistoryLimit}}
revision {{with .metadata.annotations}}{{with index . \"deployment.kubernetes.io/revision\"}}{{urlquery .}}{{end}}{{end}}
owner {{with .metadata.annotations}}{{with index . \"$KUBERNETES_OWNER\"}}{{printf \"%q\" .}}{{end}}{{end}}
release {{with .spec.template.metadata.annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}{{printf \"%q\" .}}{{end}}{{end}}
{{range .status.conditions}}{{if eq .type \"Progressing\"}}progress {{.reason}}
{{end}}{{end}}{{with .status.currentRevision}}steady {{.}} {{with \$.status.updateRevision}}{{.}}{{end}}
{{end}}{{with .status.desiredNumberScheduled}}steady {{.}} {{with \$.status.numberAvailable}}{{.}}{{end}}
{{end}}{{range .spec.template.spec.containers}}container {{.name}} {{printf \"%q\" .image}}
{{end}}{{range .spec.template.spec.initContainers}}init {{.name}} {{printf \"%q\" .image}}
{{end}}$KUBERNETES_GITOPS"
readonly KUBERNETES_SETS="{{range .items}}{{\$set := .}}{{range .metadata.ownerReferences}}{{if eq .kind \"Deployment\"}}\
set {{.uid}} {{\$set.metadata.name}} \
{{with \$set.metadata.annotations}}{{with index . \"deployment.kubernetes.io/revision\"}}{{urlquery .}}{{end}}{{end}} \
release={{with \$set.spec.template.metadata.annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}{{printf \"%q\" .}}{{end}}{{end}}\
{{range \$set.spec.template.spec.containers}} {{.name}}={{printf \"%q\" .image}}{{end}} .
{{end}}{{end}}{{end}}"
# Revisions of a StatefulSet or DaemonSet, whose templates stand in ControllerRevisions; in the form of KUBERNETES_SETS.
readonly KUBERNETES_REVISIONS="{{range .items}}{{\$r := .}}{{range .metadata.ownerReferences}}\
{{if or (eq .kind \"StatefulSet\") (eq .kind \"DaemonSet\")}}set {{.uid}} {{\$r.metadata.name}} {{\$r.revision}} \
release={{with \$r.data.spec.template.metadata}}{{with .annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}\
{{printf \"%q\" .}}{{end}}{{end}}{{end}}\
{{range \$r.data.spec.template.spec.containers}} {{.name}}={{printf \"%q\" .image}}{{end}} .
{{end}}{{end}}{{end}}"
# shellcheck disable=SC2016 # kubectl expands it
readonly KUBERNETES_PODS='{{range .items}}{{$pod := .}}{{range .metadata.ownerReferences}}pod {{.name}} {{$pod.metadata.name}} '\
'{{$pod.status.phase}}{{range $pod.status.conditions}}{{if and (eq .type "PodScheduled") (eq .status "False")}} '\
'{{.reason}} {{printf "%q" .message}}{{end}}{{end}}{{range $pod.status.containerStatuses}} {{.name}}: ready {{.ready}}, '\
'restarts {{.restartCount}}{{with .state.waiting}}, {{.reason}} {{printf "%q" .message}}{{end}}{{end}}
{{end}}{{end}}'
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

# ---- what runs -----------------------------------------------------------------------------------

# Of kubernetes_workload: fills kubernetes_{uid,paused,strategy,replicas,history,revision,owner,release,progress} and the
# containers' names and images.
kubernetes_look() {
	local key value of
	kubernetes_ask get "${kubernetes_resources[$kubernetes_workload]}" "--output=go-template=$KUBERNETES_STATE" ||
		return "$?"
	kubernetes_names=() kubernetes_images=() kubernetes_inits=() kubernetes_progress='' kubernetes_gitops=''
	kubernetes_strategy=
	while read -r key value of; do
		value=${value#\"} value=${value%\"} of=${of#\"} of=${of%\"}
		case $key in
		uid | paused | strategy | replicas | history | revision | owner | release | progress)
			printf -v "kubernetes_$key" %s "$value"
			;;
		# Of a StatefulSet the revisions of its pods, of a DaemonSet how many there have to be and are.
		steady) [[ $value != "$of" ]] || kubernetes_progress=NewReplicaSetAvailable ;;
		gitops) kubernetes_gitops="$value (${of:0:100})" ;;
		container) kubernetes_names+=("$value") kubernetes_images+=("$of") ;;
		init) ! kubernetes_is_ours "$of" || kubernetes_inits+=("$value") ;;
		esac
	done <<<"$answer"
}

# The image of our container in the pod template.
kubernetes_image() {
	local i
	for i in "${!kubernetes_names[@]}"; do
		[[ ${kubernetes_names[$i]} != "$KUBE_CONTAINER" ]] || printf '%s' "${kubernetes_images[$i]}"
	done
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

# ---- revisions -----------------------------------------------------------------------------------

# The recorded revisions are in `answer`, a line each: of a Deployment they are ReplicaSets.
kubernetes_ask_revisions() {
	if [[ $kubernetes_workload == deployment/* ]]; then
		kubernetes_ask get replicasets.apps "--output=go-template=$KUBERNETES_SETS"
	else
		kubernetes_ask get controllerrevisions.apps "--output=go-template=$KUBERNETES_REVISIONS"
	fi
}

# The same, as they were before anything was changed, where they were asked for then (kubernetes_recorded).
kubernetes_see_revisions() {
	answer=${kubernetes_recorded[${kubernetes_workload%%/*}]:-}
	[[ -n $answer ]] || kubernetes_ask_revisions || kubernetes_failed "the recorded revisions cannot be seen"
}

# Fills kubernetes_found: the newest of them that has the release, or nothing.
kubernetes_find_revision() { # RELEASE
	local uid revision rest found='' exact=''
	kubernetes_see_revisions
	while read -r _ uid _ revision rest; do
		[[ $uid == "$kubernetes_uid" && $revision =~ ^[1-9][0-9]*$ ]] || continue
		[[ " $rest " == *" $KUBE_CONTAINER=\"$(image_of "$1")\" "* ]] || continue
		((revision <= ${found:-0})) || found=$revision
		if [[ " $rest " == *" release=\"$1\" "* ]] && ((revision > ${exact:-0})); then
			exact=$revision
		fi
	done <<<"$answer"
	kubernetes_found=${exact:-$found}
}

# Fills kubernetes_found: of a StatefulSet or DaemonSet what runs, or is being rolled out, is the newest.
kubernetes_find_newest() { # UID
	local uid revision
	kubernetes_found=
	kubernetes_see_revisions
	while read -r _ uid _ revision _; do
		[[ $uid != "$1" || ! $revision =~ ^[1-9][0-9]*$ ]] || ((revision <= ${kubernetes_found:-0})) ||
			kubernetes_found=$revision
	done <<<"$answer"
}
