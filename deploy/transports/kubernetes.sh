# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# kubernetes.sh - the transport to a Deployment in one namespace of a Kubernetes cluster, by kubectl.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  One patch changes image, release and cause at
# once, so a release is there whole or not at all; from then on the cluster carries it out, whatever becomes of us, and
# whoever comes next takes it up.  Nothing is asked or changed outside of the namespace.

readonly transport_needs=image

: "${KUBERNETES_ASK_SECONDS:=60}" # one call of kubectl, with all that it asks
: "${KUBERNETES_ROLLOUT_SECONDS:=900}" # longer than a Deployment's progressDeadlineSeconds is by itself (600)
: "${KUBERNETES_AGAIN_SECONDS:=3}" # between two attempts when the API was not there while the cluster rolls out
readonly KUBERNETES_REQUEST=15s # one answer of the API

# What we write down: on the pod template what runs, on the Deployment whose it is.
readonly KUBERNETES_RELEASE=deploybot/release KUBERNETES_ATTEMPT=deploybot/attempt KUBERNETES_OWNER=deploybot/environment

# Templates of kubectl's; what others may have written is quoted, so that a line stays a line.
readonly KUBERNETES_STATE="uid {{.metadata.uid}}
paused {{with .spec.paused}}true{{end}}
replicas {{.spec.replicas}}
history {{.spec.revisionHistoryLimit}}
revision {{with .metadata.annotations}}{{with index . \"deployment.kubernetes.io/revision\"}}{{.}}{{end}}{{end}}
owner {{with .metadata.annotations}}{{with index . \"$KUBERNETES_OWNER\"}}{{printf \"%q\" .}}{{end}}{{end}}
release {{with .spec.template.metadata.annotations}}{{with index . \"$KUBERNETES_RELEASE\"}}{{printf \"%q\" .}}{{end}}{{end}}
{{range .status.conditions}}{{if eq .type \"Progressing\"}}progress {{.reason}}
{{end}}{{end}}{{range .spec.template.spec.containers}}container {{.name}} {{printf \"%q\" .image}}
{{end}}"
readonly KUBERNETES_SETS="{{range .items}}{{\$set := .}}{{range .metadata.ownerReferences}}{{if eq .kind \"Deployment\"}}\
set {{.uid}} {{\$set.metadata.name}} \
{{with \$set.metadata.annotations}}{{with index . \"deployment.kubernetes.io/revision\"}}{{.}}{{end}}{{end}} \
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

# ---- settings ------------------------------------------------------------------------------------

kubernetes_find_settings() {
	kubernetes_namespace=$(setting_of "$environment" KUBE_NAMESPACE)
	kubernetes_namespace=${kubernetes_namespace:-${KUBE_NAMESPACE:-default}}
	kubernetes_config=$(setting_of "$environment" KUBECONFIG)
	kubernetes_config=${kubernetes_config:-${KUBECONFIG:-}}
	: "${KUBE_DEPLOYMENT:=}" "${KUBE_CONTAINER:=}"
	[[ -n $KUBE_DEPLOYMENT ]] || fail "$EXIT_CONFIG" "KUBE_DEPLOYMENT is not set: which Deployment is released to?"
	[[ -n $kubernetes_config ]] ||
		fail "$EXIT_CONFIG" "KUBECONFIG is not set: where is kubectl's configuration, which names the cluster?"
	check_secret KUBECONFIG "$kubernetes_config"
	[[ -n ${kubernetes_folder:-} ]] || kubernetes_folder=$(private_folder)
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

# Was the API not there, or not well?
kubernetes_is_away() {
	local said
	said=$(<"$kubernetes_folder/said")
	case $said in
	*'Unable to connect'* | *'onnection to the server'* | *'connection refused'* | *'connection reset'* | *EOF* | \
		*'Client.Timeout'* | *'i/o timeout'* | *'TLS handshake timeout'* | *'no route to host'* | *'ServiceUnavailable'* | \
		*'currently unable to handle'* | *'InternalError'* | *'internal error'* | *'TooManyRequests'* | \
		*'http2: '* | *'deadline exceeded'* | *'Timeout: '* | *'request did not complete'*) return 0 ;;
	esac
	return 1
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
		advice="grant that in the namespace $kubernetes_namespace: see the Role in docs/deploy-scripts.md"
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

# Fills kubernetes_{uid,paused,replicas,history,revision,owner,release,progress} and the containers' names and images.
kubernetes_look() {
	local key value image
	kubernetes_ask get "deployments.apps/$KUBE_DEPLOYMENT" "--output=go-template=$KUBERNETES_STATE" || return "$?"
	kubernetes_names=() kubernetes_images=() kubernetes_progress=''
	while read -r key value image; do
		value=${value#\"} value=${value%\"} image=${image#\"} image=${image%\"}
		case $key in
		uid | paused | replicas | history | revision | owner | release | progress)
			printf -v "kubernetes_$key" %s "$value"
			;;
		container) kubernetes_names+=("$value") kubernetes_images+=("$image") ;;
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

kubernetes_no_deployment() {
	local there='not even a list of them may be seen'
	[[ $(<"$kubernetes_folder/said") == *'NotFound'* ]] || kubernetes_failed "the Deployment $KUBE_DEPLOYMENT cannot be seen"
	if kubernetes_ask get deployments.apps '--output=go-template={{range .items}} {{.metadata.name}}{{end}}'; then
		there="there are:${answer:- none}"
	fi
	fail "$EXIT_CONFIG" "there is no Deployment $KUBE_DEPLOYMENT in the namespace $kubernetes_namespace ($there): create it \
once with kubectl apply, or correct KUBE_DEPLOYMENT or KUBE_NAMESPACE"
}

kubernetes_check_deployment() {
	kubernetes_ask get --raw=/version || kubernetes_failed "the cluster cannot be asked"
	kubernetes_look || kubernetes_no_deployment
	[[ $kubernetes_uid =~ ^[0-9a-f-]+$ ]] || fail "$EXIT_REFUSED" "the cluster says nonsense of $KUBE_DEPLOYMENT: ${answer@Q}"
	if [[ -z $KUBE_CONTAINER ]]; then
		((${#kubernetes_names[@]} == 1)) || fail "$EXIT_CONFIG" "the Deployment $KUBE_DEPLOYMENT has several containers \
(${kubernetes_names[*]}): KUBE_CONTAINER has to say which one is the application"
		KUBE_CONTAINER=${kubernetes_names[0]}
	fi
	[[ -n $(kubernetes_image) ]] || fail "$EXIT_CONFIG" "the Deployment $KUBE_DEPLOYMENT has no container $KUBE_CONTAINER \
(there are: ${kubernetes_names[*]}): correct KUBE_CONTAINER"
	[[ $kubernetes_paused != true ]] || fail "$EXIT_REFUSED" "the Deployment $KUBE_DEPLOYMENT is paused, so nothing would be \
rolled out: kubectl --namespace $kubernetes_namespace rollout resume deployment/$KUBE_DEPLOYMENT"
	[[ -z $kubernetes_owner || $kubernetes_owner == "$environment" || $kubernetes_owner == "$former" ]] ||
		fail "$EXIT_CONFIG" "the Deployment $KUBE_DEPLOYMENT in the namespace $kubernetes_namespace is \
${kubernetes_owner@Q}, not $environment: set <ENV>_KUBE_NAMESPACE for each (or remove its annotation $KUBERNETES_OWNER)"
	[[ $kubernetes_replicas != 0 ]] || warn "the Deployment $KUBE_DEPLOYMENT has 0 replicas: nothing will run"
}

kubernetes_check_rights() {
	local right missing=()
	for right in "patch deployments.apps/$KUBE_DEPLOYMENT" "list deployments.apps/$KUBE_DEPLOYMENT" \
		"watch deployments.apps/$KUBE_DEPLOYMENT" "list replicasets.apps" "list pods" "get pods" \
		"get pods --subresource=log" "list events"; do
		# shellcheck disable=SC2086 # its words
		kubernetes_ask auth can-i $right || true # "no" is a failure too
		case $answer in
		yes*) ;;
		no*) missing+=("$right") ;;
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
	local attempt=''
	# The same release again, after the cluster gave up on it: only another template makes it try anew.
	if [[ $kubernetes_release == "$1" && $kubernetes_progress == ProgressDeadlineExceeded ]]; then
		attempt=",\"$KUBERNETES_ATTEMPT\":\"$DEPLOYMENT_ID\""
	fi
	printf '{"metadata":{"annotations":{"kubernetes.io/change-cause":"deploybot: deployment %s, commit %s","%s":"%s"}},' \
		"$DEPLOYMENT_ID" "${1%%@*}" "$KUBERNETES_OWNER" "$environment"
	printf '"spec":{"template":{"metadata":{"annotations":{"%s":"%s"%s}},' "$KUBERNETES_RELEASE" "$1" "$attempt"
	printf '"spec":{"containers":[{"name":"%s","image":"%s"}]}}}}' "$KUBE_CONTAINER" "$(image_of "$1")"
}

kubernetes_set_image() { # RELEASE
	local patch
	patch=$(kubernetes_patch "$1")
	release_begins
	kubernetes_ask patch "deployments.apps/$KUBE_DEPLOYMENT" --type=strategic "--patch=$patch" ||
		kubernetes_failed "the image of $KUBE_DEPLOYMENT could not be set"
	printf '%s' "$answer"
}

# Waits until the cluster has carried it out.  That goes on while the API is away, so we ask again.
kubernetes_wait() { # IMAGE
	local until=$((EPOCHSECONDS + KUBERNETES_ROLLOUT_SECONDS)) left status
	step rollout
	while :; do
		left=$((until - EPOCHSECONDS)) status=0
		((left > 0)) || kubernetes_not_done "$EXIT_BUSY"
		kubernetes_make_call rollout status "deployments.apps/$KUBE_DEPLOYMENT" "--timeout=${left}s"
		limited $((left + KUBERNETES_ASK_SECONDS)) "the rollout of $KUBE_DEPLOYMENT" "${kubernetes_call[@]}" </dev/null ||
			status=$?
		((status != 0)) || break
		if [[ $(<"$kubernetes_folder/said") == *'timed out waiting'* ]]; then
			kubernetes_not_done "$EXIT_BUSY"
		fi
		kubernetes_is_away || kubernetes_not_done "$EXIT_REFUSED"
		warn "the cluster's API is not available; retrying for up to ${KUBERNETES_ROLLOUT_SECONDS} s"
		limited $((KUBERNETES_AGAIN_SECONDS + 10)) "a pause" sleep "$KUBERNETES_AGAIN_SECONDS"
	done
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	[[ $(kubernetes_image) == "$1" ]] || fail "$EXIT_REFUSED" "somebody else has released to $KUBE_DEPLOYMENT \
meanwhile: its image is $(kubernetes_image) now; agree on who releases, then deploy again"
}

# Shows why, and fails.
kubernetes_not_done() { # STATUS
	local said reason='' what="the rollout of $KUBE_DEPLOYMENT failed"
	said=$(<"$kubernetes_folder/said")
	[[ -z $said ]] || kubernetes_show "$said" >&2
	if [[ $said == *orbidden* || $said == *Unauthorized* ]]; then
		kubernetes_failed "the rollout of $KUBE_DEPLOYMENT cannot be followed"
	fi
	(($1 != EXIT_BUSY)) || what="the rollout of $KUBE_DEPLOYMENT took longer than $KUBERNETES_ROLLOUT_SECONDS s"
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
	local set='' uid name revision line pod='' restarts more=()
	kubernetes_look && kubernetes_ask get replicasets.apps "--output=go-template=$KUBERNETES_SETS"
	while read -r line uid name revision _; do
		if [[ $line == set && $uid == "$kubernetes_uid" && $revision == "$kubernetes_revision" ]]; then
			set=$name
		fi
	done <<<"$answer"
	[[ -n $set ]] || return 1
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
		[[ $line != *" $KUBE_DEPLOYMENT "* && $line != *" $set "* && $line != *" $set-"* ]] || printf 'event %s\n' "$line"
	done < <(sort <<<"$answer") | tail -n 20
	[[ -n $pod ]] || return 0
	kubernetes_ask logs "$pod" "--container=$KUBE_CONTAINER" --tail=20 ${more[@]+"${more[@]}"} ||
		return 0 # it may never have run
	printf 'last lines of %s:\n' "$pod"
	kubernetes_show "$answer"
}

# Prints the newest recorded revision that has the release.
kubernetes_revision_of() { # RELEASE
	local uid revision rest found='' exact=''
	while read -r _ uid _ revision rest; do
		[[ $uid == "$kubernetes_uid" && $revision =~ ^[1-9][0-9]*$ ]] || continue
		[[ " $rest " == *" $KUBE_CONTAINER=\"$(image_of "$1")\" "* ]] || continue
		((revision <= ${found:-0})) || found=$revision
		if [[ " $rest " == *" release=\"$1\" "* ]] && ((revision > ${exact:-0})); then
			exact=$revision
		fi
	done <<<"$answer"
	printf '%s' "${exact:-$found}"
}

# ---- the interface -------------------------------------------------------------------------------

transport_preflight() {
	need_tool kubectl kubernetes-client
	kubernetes_find_settings
	kubernetes_check_deployment
	kubernetes_check_rights
}

# What the pod template says; what somebody has set by hand is no release of ours.
transport_current() {
	local now of commit digest found=''
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	[[ $kubernetes_progress != ProgressDeadlineExceeded ]] || warn "the last rollout of $KUBE_DEPLOYMENT failed"
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
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	kubernetes_set_image "$1"
	kubernetes_wait "$(image_of "$1")"
}

# The revision that runs, which the cluster keeps with its ReplicaSet.  One that never came up is no place to go back to.
transport_before() {
	[[ $kubernetes_progress != NewReplicaSetAvailable || $kubernetes_history == 0 ]] ||
		printf 'revision-%s' "$kubernetes_revision"
}

kubernetes_undo() { # REVISION
	release_begins
	kubernetes_ask rollout undo "deployments.apps/$KUBE_DEPLOYMENT" "--to-revision=$1" ||
		kubernetes_failed "the revision $1 of $KUBE_DEPLOYMENT could not be restored"
	printf '%s' "$answer"
}

# Brings back what ran before deploybot.
kubernetes_roll_back_to() { # REVISION
	local uid revision rest was=''
	while read -r _ uid _ revision rest; do
		[[ $uid != "$kubernetes_uid" || $revision != "$1" || ! " $rest " =~ \ "$KUBE_CONTAINER"=\"([^\"]+)\"\  ]] ||
			was=${BASH_REMATCH[1]}
	done <<<"$answer"
	[[ -n $was ]] ||
		fail "$EXIT_INPUT" "what ran before deploybot is not recorded any more: no revision $1 of $KUBE_DEPLOYMENT"
	kubernetes_undo "$1"
	kubernetes_wait "$was"
}

transport_rollback() { # RELEASE
	local revision
	kubernetes_look || kubernetes_failed "what runs now cannot be seen"
	kubernetes_ask get replicasets.apps "--output=go-template=$KUBERNETES_SETS" ||
		kubernetes_failed "the recorded revisions cannot be seen"
	if [[ $1 == target:* ]]; then
		kubernetes_roll_back_to "${1#target:revision-}"
		return "$?"
	fi
	revision=$(kubernetes_revision_of "$1")
	if [[ -n $revision ]]; then
		kubernetes_undo "$revision"
	else
		printf 'no revision with it is recorded any more: its image is set\n'
		kubernetes_set_image "$1"
	fi
	kubernetes_wait "$(image_of "$1")"
}

transport_logs() { # LINES
	kubernetes_ask logs "deployments.apps/$KUBE_DEPLOYMENT" "--container=$KUBE_CONTAINER" "--tail=$1" ||
		kubernetes_failed "the application's log cannot be read"
	printf '%s' "$answer"
}
