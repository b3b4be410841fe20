# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables go from file to file
# job.sh - a Job of the cluster's with the main workload's pods' template: a job of people's, or a migration.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from calls.sh and state.sh, from check.sh which rights we have, and from
# rollout.sh what keeps an earlier run out.

: "${KUBERNETES_LATE_SECONDS:=15}" # behind a create that was not answered: the API may be at it as long as at one request

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

# ---- what a Job is made of -----------------------------------------------------------------------

kubernetes_make_job() { # NAME RELEASE SECONDS WORD...
	kubernetes_attempt=$DEPLOYMENT_ID-$EPOCHREALTIME # another deploybot may have this number too
	kubernetes_ask get "${kubernetes_resources[$kubernetes_main]}" --output=json ||
		kubernetes_failed "what the pods of ${kubernetes_main#*/} have cannot be seen"
	kubernetes_job_body "$@" >"$kubernetes_folder/job.json"
}

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

# ---- a job ---------------------------------------------------------------------------------------

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

# Shows what it prints, until it ends or the API goes away: of a migration as the application's words.
kubernetes_show_job() { # quoted|marked POD SECONDS [OPTION]
	kubernetes_make_call logs "$2" --container=job --follow "${@:4}" --request-timeout=0
	"$1" "$3" "the job" "${kubernetes_call[@]}" </dev/null || true # how it ended is asked
}

# Did the cluster end it for its deadline?  What else it says of it is in `answer`.
kubernetes_check_job() { # NAME SECONDS ENDS
	kubernetes_ask get "jobs.batch/$1" "--output=go-template=$KUBERNETES_JOB_STATE" || answer=''
	[[ $answer != *DeadlineExceeded* || $3 == any ]] || fail "$EXIT_BUSY" "the job took longer than $2 s, the cluster ended it"
}

# To its end; its status is in kubernetes_status, or that it is not known.  ENDS is well, or any: one that is not ours may
# have ended as it likes, and 1 is returned where it has not.
kubernetes_follow_job() { # NAME SECONDS ENDS
	local until=$((EPOCHSECONDS + $2)) left pod phase how what rest more=() seen="and no pod of it was seen to run" as=quoted
	[[ $1 != "$migration_name" ]] || as=marked
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
				kubernetes_show_job "$as" "$pod" "$left" ${more[@]+"${more[@]}"}
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
	kubernetes_take
	kubernetes_make_job "$name" "$1" "$JOB_SECONDS" "${@:2}"
	at_exit kubernetes_leave_job
	printf '%s\n' "$name" >"$app/job.kubernetes"
	kubernetes_ask create "--filename=$kubernetes_folder/job.json" || kubernetes_failed "the job could not be created"
	kubernetes_follow_job "$name" "$JOB_SECONDS" well
	[[ $kubernetes_status == 0 ]] || fail "$EXIT_REFUSED" "the job ended with status $kubernetes_status"
}

# ---- a migration ---------------------------------------------------------------------------------

# Its container never came up.  Surely so once the cluster tries that no more.
kubernetes_end_unstarted() {
	kubernetes_delete_job "$migration_name" &
	! wait "$!" || migration_not_started
}

# One that a killed run has left is followed to its end.  Ours is written down then: all that it takes is there.
transport_await_migration() { # RELEASE WORD...
	kubernetes_await_migration
	kubernetes_job_is=unseen
	kubernetes_take
	kubernetes_make_job "$migration_name" "$1" "$MIGRATE_TIMEOUT_SECONDS" "${@:2}"
}

kubernetes_await_migration() {
	local in_time=yes
	kubernetes_ask get "jobs.batch/$migration_name" --ignore-not-found --output=name ||
		kubernetes_failed "whether a migration is at work still cannot be seen"
	[[ -n $answer ]] || return 0
	migration_is_left
	kubernetes_follow_job "$migration_name" "$MIGRATE_TIMEOUT_SECONDS" any || in_time=no
	kubernetes_take
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
