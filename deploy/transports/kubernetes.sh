# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# kubernetes.sh - the transport to the workloads of one image in one namespace of a Kubernetes cluster, by kubectl.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  One patch changes image, release and cause at
# once, so a release is there whole or not at all; from then on the cluster carries it out, whatever becomes of us, and
# whoever comes next takes it up.  Nothing is asked or changed outside of the namespace.

readonly transport_needs=image

: "${KUBERNETES_ASK_SECONDS:=60}" # one call of kubectl, with all that it asks
: "${KUBERNETES_ROLLOUT_SECONDS:=900}" # longer than a Deployment's progressDeadlineSeconds is by itself (600)
: "${KUBERNETES_LATE_SECONDS:=15}" # behind a create that was not answered: the API may be at it as long as at one request
: "${KUBERNETES_AGAIN_SECONDS:=3}" # between two attempts when the API was not there while the cluster rolls out
readonly KUBERNETES_REQUEST=15s # one answer of the API
readonly KUBERNETES_TELL_SECONDS=30 # of a run's time, to ask why a rollout is not done

# What we write down: on the pod template what runs, on the workload whose it is.
readonly KUBERNETES_RELEASE=deploybot/release KUBERNETES_ATTEMPT=deploybot/attempt KUBERNETES_OWNER=deploybot/environment

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
# shellcheck disable=SC2016 # kubectl expands it
readonly KUBERNETES_PODS='{{range .items}}{{$pod := .}}{{range .metadata.ownerReferences}}pod {{.name}} {{$pod.metadata.name}} '\
'{{$pod.status.phase}}{{range $pod.status.conditions}}{{if and (eq .type "PodScheduled") (eq .status "False")}} '\
'{{.reason}} {{printf "%q" .message}}{{end}}{{end}}{{range $pod.status.containerStatuses}} {{.name}}: ready {{.ready}}, '\
'restarts {{.restartCount}}{{with .state.waiting}}, {{.reason}} {{printf "%q" .message}}{{end}}{{end}}
{{end}}{{end}}'
readonly KUBERNETES_EVENTS='{{range .items}}{{or .lastTimestamp .eventTime}} {{.type}} {{.involvedObject.name}} {{.reason}} '\
'{{printf "%q" .message}}
{{end}}'

# shellcheck source=deploy/transports/kubernetes/workloads.sh
. "$here/transports/kubernetes/workloads.sh"

# One line for each right that was asked about: true or false.
readonly KUBERNETES_RIGHTS='{{.status.allowed}}
'

# What a job has not of the main workload's pods and their container: other containers, which would keep it running, names and
# ports, what would keep it from being scheduled, or from its end where it is cut, and what the server in it begins with or is
# asked.  Their labels it has not either, or the Service would send it requests.
readonly KUBERNETES_NOT_OF_POD=' containers initContainers ephemeralContainers restartPolicy hostname subdomain schedulingGates '\
'terminationGracePeriodSeconds '
readonly KUBERNETES_NOT_OF_AFFINITY=' podAntiAffinity ' # nodes that each have a pod of these would be none for it
readonly KUBERNETES_NOT_OF_CONTAINER=' name image command args ports livenessProbe readinessProbe startupProbe lifecycle '\
'restartPolicy stdin stdinOnce tty '
# shellcheck disable=SC2016 # kubectl expands it
readonly KUBERNETES_JOB_PODS='{{range .items}}{{.metadata.name}} {{.status.phase}}{{range .status.containerStatuses}}'\
'{{with .state.terminated}} exit {{.exitCode}}{{end}}'\
'{{with .state.waiting}} waiting {{.reason}} {{printf "%q" .message}}{{end}}{{end}}
{{end}}'
readonly KUBERNETES_JOB_STATE='{{range .status.conditions}}{{if eq .status "True"}}{{.type}} {{.reason}}
{{end}}{{end}}'
readonly KUBERNETES_JOB_ATTEMPT="attempt {{with .metadata.annotations}}\
{{with index . \"$KUBERNETES_ATTEMPT\"}}{{printf \"%q\" .}}{{end}}{{end}}"
readonly KUBERNETES_JOB_RIGHTS=("create jobs.batch" "get jobs.batch" "list jobs.batch" "watch jobs.batch" "delete jobs.batch")
readonly KUBERNETES_JOB_KEPT=600 # seconds behind its end, where we could not remove it

# ---- settings ------------------------------------------------------------------------------------

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

# ---- calls ---------------------------------------------------------------------------------------

# Fills kubernetes_call.  kubectl's own words go to a file, as they say what went wrong; what it learns of the API stays
# in our folder.
# shellcheck disable=SC2016 # the shell that is started expands it; nothing is parsed again
kubernetes_make_call() { # WORD...
	kubernetes_call=(bash -c 'exec "$@" 2>"$0"' "$kubernetes_folder/said" kubectl "--kubeconfig=$kubernetes_config"
		"--cache-dir=$kubernetes_folder/cache" "--namespace=$kubernetes_namespace"
		"--request-timeout=$KUBERNETES_REQUEST" "$@")
}

# Asks the cluster; what it says is in `answer`.
kubernetes_ask() { # WORD...
	kubernetes_make_call "$@"
	asked "$KUBERNETES_ASK_SECONDS" "the cluster's answer to kubectl $1" "${kubernetes_call[@]}" </dev/null
}

# Was the API not there, or unhealthy?
kubernetes_is_away() {
	local said
	said=$(<"$kubernetes_folder/said")
	case $said in
	*'Unable to connect'* | *'onnection to the server'* | *'connection refused'* | *'connection reset'* | *EOF* | \
		*'Client.Timeout'* | *'i/o timeout'* | *'TLS handshake timeout'* | *'no route to host'* | *'ServiceUnavailable'* | \
		*'currently unable to handle'* | *'InternalError'* | *'internal error'* | *'TooManyRequests'* | \
		*'http2: '* | *'deadline exceeded'* | *'Timeout: '* | *'(Timeout)'* | *'request did not complete'* | \
		*'(ServerTimeout)'* | *'etcdserver: '*) return 0 ;;
	esac
	return 1
}

# Of these: did no connection come about, so that no request was ever sent?  Not of a create that has begun: where an answer
# says so kubectl sends it again by itself, and tells of the last time alone.
kubernetes_was_not_asked() {
	local said
	said=$(<"$kubernetes_folder/said")
	[[ $said != *'error when creating'* ]] || return 1
	[[ $said == *@('connection refused'|'was refused - did you specify'|'no route to host'|'TLS handshake timeout')* ||
		$said == *'dial tcp'*@('no such host'|'i/o timeout')* ]]
}

# What others wrote: set in, so that no line of it is taken for a step.
kubernetes_show() { # TEXT
	printf '  %s\n' "${1//$'\n'/$'\n'  }"
}

# Fails with what kubectl said and what to do.  Once the release has begun, no status may say that nothing was changed.
kubernetes_failed() { # WHAT
	local said last status=$EXIT_REFUSED advice='see its output in the log'
	said=$(<"$kubernetes_folder/said")
	said=${said%"${said##*[![:space:]]}"}
	last=${said##*$'\n'}
	[[ $said != *$'\n'* ]] || kubernetes_show "${said%$'\n'*}" >&2
	case $said in
	*x509* | *'certificate'*)
		status=$EXIT_UNREACHABLE
		advice="the certificate is not what $kubernetes_config expects: look at server and certificate-authority-data"
		;;
	*Unauthorized* | *'must be logged in'* | *'provide credentials'*)
		advice="the cluster does not know who we are: put a new token into $kubernetes_config"
		;;
	*orbidden*)
		advice="grant that in the namespace $kubernetes_namespace, where resourceNames stand to that name: see the Role in \
docs/deploy-scripts.md"
		;;
	*'error loading config'* | *'invalid configuration'* | *'no configuration has been provided'* | \
		*"couldn't get version/kind"* | *'context was not found'* | *'does not exist'*)
		status=$EXIT_CONFIG
		advice="$kubernetes_config is no configuration for kubectl"
		;;
	*)
		if kubernetes_is_away || [[ $said == *'no such host'* ]]; then
			status=$EXIT_UNREACHABLE
			advice="look at server in $kubernetes_config, at the network, and whether the cluster is healthy"
		fi
		;;
	esac
	if [[ -n ${release_began:-} ]]; then
		status=$EXIT_REFUSED
	fi
	fail "$status" "$1: ${last:-kubectl says no more}; $advice"
}

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

# ---- preflight -----------------------------------------------------------------------------------

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

# ---- release -------------------------------------------------------------------------------------

# One patch, so that nothing is ever half-done.  All that goes into it was checked: there is nothing to escape.
kubernetes_patch() { # RELEASE
	local attempt='' init inits=''
	# The same release again, after the cluster gave up on it: only another template makes it try anew.
	if [[ $kubernetes_release == "$1" && $kubernetes_progress == ProgressDeadlineExceeded ]]; then
		attempt=",\"$KUBERNETES_ATTEMPT\":\"$DEPLOYMENT_ID\""
	fi
	printf '{"metadata":{"annotations":{"kubernetes.io/change-cause":"deploybot: deployment %s, commit %s","%s":"%s"}},' \
		"$DEPLOYMENT_ID" "${1%%@*}" "$KUBERNETES_OWNER" "$environment"
	printf '"spec":{"template":{"metadata":{"annotations":{"%s":"%s"%s}},' "$KUBERNETES_RELEASE" "$1" "$attempt"
	for init in ${kubernetes_inits[@]+"${kubernetes_inits[@]}"}; do
		inits+=",{\"name\":\"$init\",\"image\":\"$(image_of "$1")\"}"
	done
	printf '"spec":{"containers":[{"name":"%s","image":"%s"}]%s}}}}' "$KUBE_CONTAINER" "$(image_of "$1")" \
		"${inits:+,\"initContainers\":[${inits#,}]}"
}

kubernetes_set_image() { # RELEASE
	local patch
	patch=$(kubernetes_patch "$1")
	[[ -n ${release_began:-} ]] || release_begins
	kubernetes_patch_part "$kubernetes_workload" "$patch"
}

# Waits until the cluster has carried it out.  That goes on while the API is away, so we ask again.  Returns 0, EXIT_BUSY
# when that takes too long, or EXIT_REFUSED.
kubernetes_follow() { # RESOURCE [SECONDS]
	local until=$((EPOCHSECONDS + ${2:-KUBERNETES_ROLLOUT_SECONDS})) left status
	while :; do
		left=$((until - EPOCHSECONDS)) status=0
		((left > 0)) || return "$EXIT_BUSY"
		kubernetes_make_call rollout status "$1" "--timeout=${left}s"
		limited $((left + KUBERNETES_ASK_SECONDS)) "the rollout of ${1#*/}" "${kubernetes_call[@]}" </dev/null || status=$?
		((status != 0)) || return 0
		if [[ $(<"$kubernetes_folder/said") == *'timed out waiting'* ]]; then
			return "$EXIT_BUSY"
		fi
		kubernetes_is_away || return "$EXIT_REFUSED"
		kubernetes_ask_later
	done
}

kubernetes_ask_later() {
	warn "the cluster's API is not available; retrying for up to ${kubernetes_patience:-$KUBERNETES_ROLLOUT_SECONDS} s"
	limited $((KUBERNETES_AGAIN_SECONDS + 10)) "a pause" sleep "$KUBERNETES_AGAIN_SECONDS"
}

# What was rolled out is no failure for an answer that is missing: asked again as in kubernetes_follow.
kubernetes_look_behind() {
	local kubernetes_patience until
	kubernetes_find_patience
	until=$((EPOCHSECONDS + kubernetes_patience))
	until kubernetes_look; do
		kubernetes_is_away && ((EPOCHSECONDS < until)) || kubernetes_failed "what runs now cannot be seen"
		kubernetes_ask_later
	done
}

# Fills kubernetes_patience: how long a rollout is waited for.  Where a run is ended by then it is less: somebody has to say
# what keeps the cluster from it.
kubernetes_find_patience() {
	local all=${DEPLOY_TIMEOUT_SECONDS:-} spared left
	kubernetes_patience=$KUBERNETES_ROLLOUT_SECONDS
	[[ -n ${RUN_ID:-} && -n $all ]] || return 0
	spared=$((all / 20 < KUBERNETES_TELL_SECONDS ? all / 20 : KUBERNETES_TELL_SECONDS))
	left=$((all + migration_seconds + fetch_seconds - SECONDS - spared))
	((left >= kubernetes_patience)) || kubernetes_patience=$left
	((kubernetes_patience > 0)) || kubernetes_patience=1
}

kubernetes_wait() { # [IMAGE]
	local status=0 name=${kubernetes_workload#deployment/} kubernetes_patience
	step "rollout${kubernetes_workloads[*]+ $kubernetes_workload}"
	kubernetes_find_patience
	kubernetes_follow "${kubernetes_resources[$kubernetes_workload]}" "$kubernetes_patience" || status=$?
	((status == 0)) || kubernetes_not_done "$status"
	[[ -n ${1:-} ]] || return 0
	kubernetes_look_behind
	[[ $(kubernetes_image) == "$1" ]] || fail "$EXIT_REFUSED" "somebody else has released to $name meanwhile: its image \
is $(kubernetes_image) now; agree on who releases, then deploy again"
}

# Shows why, and fails.
kubernetes_not_done() { # STATUS
	local said reason='' what="the rollout of $name failed"
	said=$(<"$kubernetes_folder/said")
	[[ -z $said ]] || kubernetes_show "$said" >&2
	if [[ $said == *orbidden* || $said == *Unauthorized* ]]; then
		kubernetes_failed "the rollout of $name cannot be followed"
	fi
	(($1 != EXIT_BUSY)) || what="the rollout of $name took longer than $kubernetes_patience s"
	kubernetes_tell_why &
	wait "$!" || warn "the cluster does not say why"
	[[ ! -s $kubernetes_folder/why ]] || reason=$(<"$kubernetes_folder/why")
	case $reason in
	*ErrImagePull* | *ImagePullBackOff* | *InvalidImageName*)
		reason+="; may the cluster pull from $registry_host? (imagePullSecrets of the pod or its service account)"
		;;
	*CrashLoopBackOff* | *RunContainerError*) reason+="; its last lines are in the log: correct that, then deploy again" ;;
	*CreateContainerConfigError*) reason+="; create what it names in the namespace $kubernetes_namespace" ;;
	*Unschedulable*) reason+="; give the cluster room, or ask for less" ;;
	*ready*) reason+="; look at its readinessProbe and at its last lines above" ;;
	*) reason+="see the events above" ;;
	esac
	fail "$1" "$what: $reason"
}

# The new pods, the last events and the application's last words; in a subshell of its own, as it may fail or hang.  The
# reason goes to the file `why`.
kubernetes_tell_why() {
	local set=${kubernetes_workload#*/} uid name revision line pod='' restarts more=()
	if [[ $kubernetes_workload == deployment/* ]]; then # its pods are a ReplicaSet's
		set=
		kubernetes_look && kubernetes_ask_revisions
		while read -r line uid name revision _; do
			if [[ $line == set && $uid == "$kubernetes_uid" && $revision == "$kubernetes_revision" ]]; then
				set=$name
			fi
		done <<<"$answer"
		[[ -n $set ]] || return 1
	fi
	kubernetes_ask get pods "--output=go-template=$KUBERNETES_PODS"
	while read -r _ name line; do
		[[ $name == "$set" ]] || continue
		printf 'pod %s\n' "$line"
		if [[ $line != *" $KUBE_CONTAINER: ready true"* && -z $pod ]]; then
			pod=${line%% *}
			printf 'the pod %s\n' "$line" >"$kubernetes_folder/why"
			[[ ! $line =~ restarts\ ([1-9]) ]] || more=(--previous) # this one may have said nothing yet
		fi
	done <<<"$answer"
	kubernetes_ask get events "--output=go-template=$KUBERNETES_EVENTS"
	while read -r line; do
		[[ $line != *" ${kubernetes_workload#*/} "* && $line != *" $set "* && $line != *" $set-"* ]] ||
			printf 'event %s\n' "$line"
	done < <(sort <<<"$answer") | tail -n 20
	[[ -n $pod ]] || return 0
	kubernetes_ask logs "$pod" "--container=$KUBE_CONTAINER" --tail=20 ${more[@]+"${more[@]}"} ||
		return 0 # it may never have run
	printf 'last lines of %s:\n' "$pod"
	mark_lines <<<"$answer"
}

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

# ---- the interface -------------------------------------------------------------------------------

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

transport_ship() { # RELEASE
	start_begins
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	if ((${#kubernetes_workloads[@]} > 0)); then
		kubernetes_ship_all "$1"
		return "$?"
	fi
	kubernetes_set_image "$1"
	kubernetes_wait "$(image_of "$1")"
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

kubernetes_undo() { # REVISION
	[[ -n ${release_began:-} ]] || release_begins
	kubernetes_ask rollout undo "${kubernetes_resources[$kubernetes_workload]}" "--to-revision=$1" || {
		kubernetes_note_refusal
		kubernetes_failed "the revision $1 of ${kubernetes_workload#deployment/} could not be restored"
	}
	printf '%s' "$answer"
}

# Fills kubernetes_was, the image of the main workload before deploybot; fails where that is not recorded any more.
kubernetes_find_before() { # REVISION
	local uid revision rest
	kubernetes_was=
	kubernetes_ask_revisions || kubernetes_failed "the recorded revisions cannot be seen"
	while read -r _ uid _ revision rest; do
		[[ $uid != "$kubernetes_uid" || $revision != "$1" || ! " $rest " =~ \ "$KUBE_CONTAINER"=\"([^\"]+)\"\  ]] ||
			kubernetes_was=${BASH_REMATCH[1]}
	done <<<"$answer"
	[[ -n $kubernetes_was ]] || fail "$EXIT_INPUT" "what ran before deploybot is not recorded any more: no revision $1 of \
${kubernetes_main#deployment/}"
}

transport_rollback() { # RELEASE
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

# ---- a job ---------------------------------------------------------------------------------------

# Fills job_pod and job_container, members of JSON, each with a comma behind it: what a job has of the main workload, which
# stands in `answer` as kubectl prints JSON, a line for each value, four blanks a level.  No string has a line's end.
kubernetes_read_template() {
	local line rest indent where='' of='' name='' text='' affinity='' container='' is_ours=no
	job_pod='' job_container=''
	while IFS= read -r line; do
		rest=${line#"${line%%[! ]*}"}
		indent=$((${#line} - ${#rest}))
		case $indent in
		4) [[ $rest == '"spec": {' ]] && where=spec || where= ;;
		8) [[ $where == spec* && $rest == '"template": {' ]] && where=spec.template || where=${where:+spec} ;;
		12)
			[[ $where != spec.template.pod ]] || kubernetes_end_member
			[[ $where == spec.template* && $rest == '"spec": {' ]] && where=spec.template.pod || where=${where%.pod}
			;;
		*) [[ $where != spec.template.pod ]] || kubernetes_read_line ;;
		esac
	done <<<"$answer"
	[[ -n $job_container ]] # a blank at least
}

# A line below the pods' spec: what begins there is a member of it, of its affinity, or of a container.
kubernetes_read_line() {
	case $indent.$of in
	16.*)
		if [[ $rest =~ ^\"([A-Za-z]+)\":\  ]]; then
			kubernetes_end_member
			of=${BASH_REMATCH[1]} name=''
		fi
		[[ $of == affinity || $of == containers ]] || text+=$rest
		;;
	20.affinity | 24.containers)
		if [[ $rest =~ ^\"([A-Za-z]+)\":\  ]]; then
			kubernetes_end_part
			name=${BASH_REMATCH[1]}
		fi
		text+=$rest
		;;
	20.containers)
		kubernetes_end_part
		[[ $rest != '{' ]] || container='' is_ours=no
		[[ $rest != '}'* || $is_ours == no ]] || job_container=" $container"
		;;
	*) text+=$rest ;;
	esac
}

# Of the affinity or of a container.
kubernetes_end_part() {
	[[ $of.$name != containers.name || ${text%,} != "\"name\": \"$KUBE_CONTAINER\"" ]] || is_ours=yes
	if [[ $of == affinity && -n $name && $KUBERNETES_NOT_OF_AFFINITY != *" $name "* ]]; then
		affinity+=${affinity:+,}${text%,}
	elif [[ $of == containers && -n $name && $KUBERNETES_NOT_OF_CONTAINER != *" $name "* ]]; then
		container+=${text%,},
	fi
	name='' text=''
}

kubernetes_end_member() {
	[[ $of != affinity && $of != containers ]] || kubernetes_end_part
	if [[ $of == affinity ]]; then
		job_pod+="\"affinity\":{$affinity},"
	elif [[ -n $of && $KUBERNETES_NOT_OF_POD != *" $of "* ]]; then
		job_pod+=${text%,},
	fi
	of='' text=''
}

# The live release's image, with the words as its arguments: what an image begins with (ENTRYPOINT) stays, as with compose.
# What stands in `answer` is the main workload's.
kubernetes_job_body() { # NAME RELEASE SECONDS WORD...
	local words job_pod job_container
	kubernetes_read_template ||
		fail "$EXIT_REFUSED" "the cluster does not say what the container $KUBE_CONTAINER of ${kubernetes_main#*/} has"
	words=$(printf '"%s",' "${@:4}")
	printf '{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"%s","annotations":{"%s":"%s","%s":"%s","%s":"%s"}},' \
		"$1" "$KUBERNETES_OWNER" "$environment" "$KUBERNETES_RELEASE" "$2" "$KUBERNETES_ATTEMPT" "$kubernetes_attempt"
	printf '"spec":{"backoffLimit":0,"activeDeadlineSeconds":%s,"ttlSecondsAfterFinished":%s,"template":{"spec":{' \
		"$3" "$KUBERNETES_JOB_KEPT"
	printf '%s"restartPolicy":"Never","containers":[{"name":"job","image":"%s",%s"args":[%s]}]}}}}\n' "$job_pod" \
		"$(image_of "$2")" "${job_container# }" "${words%,}"
}

# Stops and removes the job that is noted, with its pod; also one that a killed run has left.
kubernetes_end_job() {
	local name=''
	[[ -e $app/job.kubernetes ]] || return 0
	read_line name "$app/job.kubernetes"
	if [[ $name =~ ^deploybot-job-[0-9]+$ ]]; then
		kubernetes_delete_job "$name"
	fi
	rm -f -- "$app/job.kubernetes"
}

kubernetes_delete_job() { # NAME
	kubernetes_ask delete "jobs.batch/$1" --ignore-not-found --cascade=foreground --request-timeout=0 ||
		kubernetes_failed "the job $1, which may still run, could not be removed"
}

# In a subshell of its own: what else is to be done at the end is done all the same.
kubernetes_leave_job() {
	kubernetes_end_job &
	wait "$!" || warn "the cluster removes it $KUBERNETES_JOB_KEPT s after its end, and ends it after $JOB_SECONDS s"
}

# Shows what it prints, until it ends or the API goes away.
kubernetes_show_job() { # POD SECONDS [OPTION]
	kubernetes_make_call logs "$1" --container=job --follow "${@:3}" --request-timeout=0
	quoted "$2" "the job" "${kubernetes_call[@]}" </dev/null || true # how it ended is asked
}

# Did the cluster end it for its deadline?  What else it says of it is in `answer`.
kubernetes_check_job() { # NAME SECONDS ENDS
	kubernetes_ask get "jobs.batch/$1" "--output=go-template=$KUBERNETES_JOB_STATE" || answer=''
	[[ $answer != *DeadlineExceeded* || $3 == any ]] || fail "$EXIT_BUSY" "the job took longer than $2 s, the cluster ended it"
}

# To its end; its status is in kubernetes_status, or that it is not known.  ENDS is well, or any: one that is not ours may
# have ended as it likes, and 1 is returned where it has not.
kubernetes_follow_job() { # NAME SECONDS ENDS
	local until=$((EPOCHSECONDS + $2)) left pod phase how what rest more=() seen="and no pod of it was seen to run"
	while (((left = until - EPOCHSECONDS) > 0)); do
		pod='' phase='' how='' what='' rest='' # where the API is away
		if kubernetes_ask get pods "--selector=job-name=$1" "--output=go-template=$KUBERNETES_JOB_PODS"; then
			read -r pod phase how what rest <<<"$answer" || true
		elif ! kubernetes_is_away; then
			kubernetes_failed "the job cannot be followed"
		fi
		case "${pod:+$phase} $how" in
		'Succeeded '* | 'Failed '* | 'Running '*)
			[[ ${more[*]} == --tail=0 && $phase != Running ]] ||
				kubernetes_show_job "$pod" "$left" ${more[@]+"${more[@]}"}
			more=(--tail=0) seen="and how its pod ended is not known"
			[[ $phase == Running ]] || break
			;;
		*' waiting')
			case $what in
			*ImagePull* | InvalidImageName | Create*Error | RunContainerError)
				[[ $3 == well ]] || break
				[[ $1 != "$migration_name" || -n ${more[*]-} ]] || kubernetes_end_unstarted
				fail "$EXIT_REFUSED" "the job could not be started: $what ${rest:0:160}"
				;;
			esac
			;;
		' '*)
			kubernetes_check_job "$@"
			[[ $answer != *Failed* || $3 == any ]] || fail "$EXIT_REFUSED" "the job failed, $seen: ${answer%%$'\n'*}"
			[[ $answer != *Failed* ]] || break
			;;
		esac
		limited $((KUBERNETES_AGAIN_SECONDS + 10)) "a pause" sleep "$KUBERNETES_AGAIN_SECONDS"
	done
	((left > 0)) || [[ $3 == well ]] || return 1
	((left > 0)) || fail "$EXIT_BUSY" "the job took longer than $2 s"
	[[ $phase == Succeeded ]] || kubernetes_check_job "$@" # its pod was ended, and did not fail
	kubernetes_status=${what:-that is not known}
	[[ $phase != Succeeded ]] || kubernetes_status=0
}

transport_job() { # RELEASE WORD...
	local name=deploybot-job-$DEPLOYMENT_ID
	kubernetes_check_rights "${KUBERNETES_JOB_RIGHTS[@]}"
	kubernetes_make_job "$name" "$1" "$JOB_SECONDS" "${@:2}"
	at_exit kubernetes_leave_job
	printf '%s\n' "$name" >"$app/job.kubernetes"
	kubernetes_ask create "--filename=$kubernetes_folder/job.json" || kubernetes_failed "the job could not be created"
	kubernetes_follow_job "$name" "$JOB_SECONDS" well
	[[ $kubernetes_status == 0 ]] || fail "$EXIT_REFUSED" "the job ended with status $kubernetes_status"
}

kubernetes_make_job() { # NAME RELEASE SECONDS WORD...
	kubernetes_attempt=$DEPLOYMENT_ID-$EPOCHREALTIME # another deploybot may have this number too
	kubernetes_ask get "${kubernetes_resources[$kubernetes_main]}" --output=json ||
		kubernetes_failed "what the pods of ${kubernetes_main#*/} have cannot be seen"
	kubernetes_job_body "$@" >"$kubernetes_folder/job.json"
}

# Its container never came up.  Surely so once the cluster tries that no more.
kubernetes_end_unstarted() {
	kubernetes_delete_job "$migration_name" &
	! wait "$!" || migration_not_started
}

# One that a killed run has left is followed to its end.  Ours is written down then: all that it takes is there.
transport_await_migration() { # RELEASE WORD...
	kubernetes_await_migration
	kubernetes_job_is=unseen
	kubernetes_make_job "$migration_name" "$1" "$MIGRATE_TIMEOUT_SECONDS" "${@:2}"
}

kubernetes_await_migration() {
	local in_time=yes
	kubernetes_ask get "jobs.batch/$migration_name" --ignore-not-found --output=name ||
		kubernetes_failed "whether a migration is at work still cannot be seen"
	[[ -n $answer ]] || return 0
	migration_is_left
	kubernetes_follow_job "$migration_name" "$MIGRATE_TIMEOUT_SECONDS" any || in_time=no
	kubernetes_delete_job "$migration_name"
	[[ $in_time == yes ]] || migration_not_begun "$EXIT_BUSY" \
		"one that was left worked for $MIGRATE_TIMEOUT_SECONDS s more, and was stopped"
}

# A Job whose name tells it from all others: the cluster itself has one at most.  What the API refuses is not there, nor what
# it was never asked for.  Behind any other answer, and none, it may be at work; so it may where one is there already, as
# there was none before, and kubectl may have sent it twice: unless it is seen to be another's.
transport_migrate() { # RELEASE WORD...
	kubernetes_ask create "--filename=$kubernetes_folder/job.json" || {
		kubernetes_was_refused || kubernetes_was_not_asked || {
			kubernetes_unanswered=yes
			kubernetes_leave_to_another
			kubernetes_failed "the migration was cut as it began"
		}
		migration_not_started
		kubernetes_failed "the migration could not be created"
	}
	kubernetes_job_is=ours
	kubernetes_follow_job "$migration_name" "$MIGRATE_TIMEOUT_SECONDS" well
	[[ $kubernetes_status =~ ^[0-9]+$ ]] || fail "$EXIT_REFUSED" "the migration was cut: how it ended is not known"
	kubernetes_delete_job "$migration_name" &
	wait "$!" || warn "the job $migration_name, which has ended, could not be removed"
	[[ $kubernetes_status == 0 ]] || migration_failed "$kubernetes_status"
}

# Fills kubernetes_job_is: ours, another, none or unseen.
kubernetes_find_migration() {
	kubernetes_job_is=unseen
	kubernetes_ask get "jobs.batch/$migration_name" --ignore-not-found "--output=go-template=$KUBERNETES_JOB_ATTEMPT" ||
		return 0
	case $answer in
	'') kubernetes_job_is=none ;;
	"attempt \"$kubernetes_attempt\"") kubernetes_job_is=ours ;;
	*) kubernetes_job_is=another ;;
	esac
}

# Somebody else's that came between our look and our create.
kubernetes_leave_to_another() {
	local said
	said=$(<"$kubernetes_folder/said")
	[[ $said == *'(AlreadyExists)'* ]] || return 0
	kubernetes_find_migration
	if [[ $kubernetes_job_is == another ]]; then
		migration_not_started
		fail "$EXIT_BUSY" "the migration did not begin: another deployment's is at work, as $migration_name in the \
namespace $kubernetes_namespace, and was left; agree on who releases, then deploy again"
	fi
	printf '%s\n' "$said" >"$kubernetes_folder/said"
}

# Only what is known to be ours is removed.
transport_end_migration() {
	[[ $kubernetes_job_is == ours ]] || kubernetes_await_late
	case $kubernetes_job_is in
	ours) kubernetes_delete_job "$migration_name" ;;
	another) fail "$EXIT_BUSY" "the job $migration_name is another deployment's, and was left" ;;
	unseen) kubernetes_failed "whose the job $migration_name is cannot be seen" ;;
	esac
}

# What is removed before it is there would come behind us.
kubernetes_await_late() {
	local until=$((EPOCHSECONDS + KUBERNETES_LATE_SECONDS))
	while :; do
		kubernetes_find_migration
		[[ $kubernetes_job_is != ours && $kubernetes_job_is != another ]] || break
		[[ -n ${kubernetes_unanswered:-} ]] && ((EPOCHSECONDS < until)) || break
		limited $((KUBERNETES_AGAIN_SECONDS + 10)) "a pause" sleep "$KUBERNETES_AGAIN_SECONDS"
	done
}

# At most so many of its pods.
readonly KUBERNETES_LOGS_OF=5

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
