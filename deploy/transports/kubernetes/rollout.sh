# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# rollout.sh - a workload gets an image or a revision, and its rollout is waited for; where that fails, why.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from calls.sh and state.sh.

: "${KUBERNETES_ROLLOUT_SECONDS:=900}" # longer than a Deployment's progressDeadlineSeconds is by itself (600)
readonly KUBERNETES_TELL_SECONDS=30 # of a run's time, to ask why a rollout is not done
# shellcheck disable=SC2016 # kubectl expands it
readonly KUBERNETES_EVENTS='{{range .items}}{{or .lastTimestamp .eventTime}} {{.type}} {{.involvedObject.name}} {{.reason}} '\
'{{printf "%q" .message}}
{{end}}'

readonly KUBERNETES_FENCE_TRIES=30 # a cluster that rolls out changes the object meanwhile, now and then

# ---- late runs -----------------------------------------------------------------------------------

# Behind a later run of the same installation, whose number the workload keeps, one that was given up and goes on elsewhere
# does nothing more.  Fills kubernetes_fence, by which a patch keeps our number and counts for what was just seen alone.
kubernetes_refuse_late() { # WORKLOAD
	local version highest run=${RUN_ID%%-*}
	kubernetes_ask get "${kubernetes_resources[$1]}" "--output=go-template={{.metadata.resourceVersion}} \
{{with .metadata.labels}}{{with index . \"$KUBERNETES_RUN$INSTALLATION_ID\"}}{{.}}{{end}}{{end}}" || {
		kubernetes_note_refusal
		kubernetes_failed "which run was last at $1 cannot be seen"
	}
	read -r version highest <<<"$answer"
	[[ $highest =~ ^[1-9][0-9]{0,17}$ ]] || highest=0
	if ((highest > run)); then
		: >"$kubernetes_folder/refused"
		: >"$kubernetes_folder/late"
		fail "$EXIT_BUSY" "a later run was here: run $run is over for $1 since run $highest has begun, \
and does nothing more"
	fi
	kubernetes_fence="\"resourceVersion\":\"$version\",\"labels\":{\"$KUBERNETES_RUN$INSTALLATION_ID\":\"$run\"},"
}

# By hand there is no run.
kubernetes_is_run() {
	[[ -n ${RUN_ID:-} && -n ${INSTALLATION_ID:-} ]]
}

# All of them, or those named: from now on no earlier run changes them.
kubernetes_take() { # [WORKLOAD...]
	local workload kubernetes_what='whose the workloads are could not be written down'
	kubernetes_is_run || return 0
	(($# > 0)) || set -- "$kubernetes_main" ${kubernetes_workloads[@]+"${kubernetes_workloads[@]}"}
	for workload in "$@"; do
		kubernetes_patch_part "$workload" '{"metadata":{"annotations":{}}}' >/dev/null
	done
}

# ---- change --------------------------------------------------------------------------------------

kubernetes_set_image() { # RELEASE
	local patch
	patch=$(kubernetes_patch "$1")
	[[ -n ${release_began:-} ]] || release_begins
	kubernetes_patch_part "$kubernetes_workload" "$patch"
}

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

kubernetes_patch_part() { # WORKLOAD PATCH, which begins with its metadata
	local kubernetes_fence='' tries=$KUBERNETES_FENCE_TRIES begins='{"metadata":{'
	while :; do
		! kubernetes_is_run || kubernetes_refuse_late "$1"
		! kubernetes_ask patch "${kubernetes_resources[$1]}" --type=strategic \
			"--patch=$begins$kubernetes_fence${2#"$begins"}" || break
		[[ -n $kubernetes_fence ]] && kubernetes_has_changed && ((--tries > 0)) || {
			kubernetes_note_refusal
			kubernetes_failed "${kubernetes_what:-the image of $1 could not be set}"
		}
	done
	printf '%s' "$answer"
}

# Fills undo, the patch that `kubectl rollout undo` would make: ours counts for what was just seen alone.  Fails where that
# revision is not recorded.
kubernetes_find_undo() { # REVISION
	local uid body hash begins="{\"metadata\":{\"annotations\":{\"kubernetes.io/change-cause\":\"deploybot: deployment \
$DEPLOYMENT_ID, revision $1\"}}" of=deployment\\.kubernetes\\.io/revision
	undo=
	if [[ $kubernetes_workload == deployment/* ]]; then # its template, with a label that its controller gives
		kubernetes_ask get replicasets.apps "--output=jsonpath={range .items[?(@.metadata.annotations.$of==\"$1\")]}\
{.metadata.ownerReferences[*].uid} {.spec.template}{\"\\n\"}{end}"
	else # a patch as it is
		kubernetes_ask get controllerrevisions.apps "--output=jsonpath={range .items[?(@.revision==$1)]}\
{.metadata.ownerReferences[*].uid} {.data}{\"\\n\"}{end}"
	fi || return 1
	while read -r uid body; do
		[[ $uid == "$kubernetes_uid" && $body == '{'* ]] || continue
		if [[ $kubernetes_workload == deployment/* ]]; then
			[[ $body =~ ,?\"pod-template-hash\":\"[a-z0-9]+\",? ]] || continue
			hash=${BASH_REMATCH[0]}
			[[ $hash != ,*, ]] || hash=${hash%,}
			body=${body/"$hash"/}
			body="{\"spec\":{\"template\":{\"\$patch\":\"replace\",${body#\{}}}"
		fi
		undo=$begins,${body#\{}
	done <<<"$answer"
	[[ -n $undo ]]
}

kubernetes_undo() { # REVISION
	local undo kubernetes_what="the revision $1 of ${kubernetes_workload#deployment/} could not be restored"
	[[ -n ${release_began:-} ]] || release_begins
	kubernetes_find_undo "$1" || {
		: >"$kubernetes_folder/refused"
		kubernetes_failed "$kubernetes_what"
	}
	kubernetes_patch_part "$kubernetes_workload" "$undo"
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

# ---- wait ----------------------------------------------------------------------------------------

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
