# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# calls.sh - a question to the cluster by kubectl, and what it means when that fails.
# SPDX-License-Identifier: ISC
# Sourced by kubernetes.sh.  Takes from no file here.

: "${KUBERNETES_ASK_SECONDS:=60}" # one call of kubectl, with all that it asks
: "${KUBERNETES_AGAIN_SECONDS:=3}" # between two attempts when the API was not there while the cluster rolls out
readonly KUBERNETES_REQUEST=15s # one answer of the API

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

# Of a patch that says which state it was made for: is that over?
kubernetes_has_changed() {
	grep -q '^Error from server (Conflict):' "$kubernetes_folder/said"
}

kubernetes_note_refusal() {
	! kubernetes_was_refused || : >"$kubernetes_folder/refused"
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
