# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# registry.sh - registries: where they are, logins, and questions to the one that releases come from.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh comes first.  A password goes from a file or from aws to stdin, and nowhere else: never
# into an argument, a variable of the environment or the log.  docker's configuration is our own and gone afterwards.

: "${LOGIN_SECONDS:=60}"    # one answer of aws or of the registry
: "${REGISTRY_SECONDS:=60}" # one answer of the registry
: "${REGISTRY_AGAIN_SECONDS:=60}" # so long one that is busy or limits us is asked again
: "${DOCKER_SECONDS:=60}"   # a question to the docker daemon
readonly MANIFEST_MAX=4194304 # what registries accept

# What a tag or digest may be: one platform's image, or a list of them.
readonly MANIFESTS="application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"

# ---- settings ------------------------------------------------------------------------------------

# Fills image (repository without a tag), registry_host and registry_api from REGISTRY_URL and REGISTRY_IMAGE.
find_image() {
	local url=${REGISTRY_URL:-} name=${REGISTRY_IMAGE:-myapp} scheme='' path
	[[ -n $url ]] || fail "$EXIT_CONFIG" "REGISTRY_URL is not set: where do images go? (for example registry.example.org)"
	[[ ! $url =~ ^(https?):// ]] || scheme=${BASH_REMATCH[1]}
	url=${url#*://}
	registry_host=${url%%/*}
	path=${url#"$registry_host"}
	repository_name=${path:+${path#/}/}$name
	image=$registry_host/$repository_name
	if [[ -z $scheme ]]; then # as docker has it: plain http to this machine alone
		scheme=https
		[[ $registry_host =~ ^(localhost|127\.[0-9.]+)(:[0-9]+)?$ ]] && scheme=http
	fi
	registry_api=$scheme://$registry_host
	[[ $registry_host != docker.io ]] || registry_api=https://registry-1.docker.io
	find_ecr "$registry_host" "${REGISTRY_USER:-}" "${REGISTRY_PASSWORD_FILE:-}"
}

# Fills ecr_region and ecr_account of a registry that is ECR, by its address, or by the user AWS without a password behind
# a name of one's own: then the account is that of our role.  Both empty: it is another's.
find_ecr() { # HOST USER PASSWORD-FILE
	local names='amazonaws\.(com(\.cn)?|eu)|on\.(aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov'
	names+='|cloud\.adc-e\.uk|csp\.hci\.ic\.gov'
	ecr_region='' ecr_account=''
	if [[ $1 =~ ^([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.($names)$ ]]; then
		ecr_account=${BASH_REMATCH[1]} ecr_region=${BASH_REMATCH[3]}
	elif [[ $2 == AWS && -z $3 ]]; then
		ecr_region=${AWS_REGION:-us-east-1}
	fi
}

# With find_ecr() before.
check_login() { # PREFIX USER PASSWORD-FILE
	if [[ -n $ecr_region ]]; then
		need_tool aws awscli
	elif [[ -n $2 ]]; then
		[[ -n $3 ]] || fail "$EXIT_CONFIG" "$1_USER is set, $1_PASSWORD (or $1_PASSWORD_FILE) is not"
		check_secret "$1_PASSWORD_FILE" "$3"
	fi
}

# Of hosts, where it is not ours.
check_pull_login() {
	local ecr_region=''
	check_login REGISTRY_PULL "${REGISTRY_PULL_USER:-}" "${REGISTRY_PULL_PASSWORD_FILE:-}"
}

check_image_settings() {
	: "${IMAGE_SOURCE:=build}" "${BUILD_AGAIN:=false}"
	: "${IMAGE_WAIT_SECONDS:=0}" # by hand; deploybot says how long
	check_bool BUILD_AGAIN
	need_tool curl curl
	check_login REGISTRY "${REGISTRY_USER:-}" "${REGISTRY_PASSWORD_FILE:-}"
	check_pull_login
}

# ---- login ---------------------------------------------------------------------------------------

# Leaves a registry's password in OUT, without a newline at its end, and fills account with whose it is; empty: there is
# none.  With find_ecr() before.
make_password() { # HOST USER PASSWORD-FILE OUT
	local password='' status=0
	account=$2
	if [[ -n $ecr_region ]]; then
		quote
		limited "$LOGIN_SECONDS" "aws ecr get-login-password" \
			aws ecr get-login-password --region "$ecr_region" >"$4.aws" || status=$?
		unquote
		((status == 0)) || no_login "aws gives no login for $1: see its output in the log"
		account=AWS
		read_line password "$4.aws"
		rm -f -- "$4.aws"
	elif [[ -n $2 ]]; then
		read_line password "$3"
	else
		return 0
	fi
	if [[ -z $password ]]; then
		no_login "the password for $1 is empty: look at its setting, or at what aws says"
		account=
	fi
	printf '%s' "$password" >"$4"
}

# Fills registry_user and registry_password (a file of ours); both empty: no login.
find_password() {
	local account folder
	registry_user='' registry_password=''
	[[ -n $ecr_region || -n ${REGISTRY_USER:-} ]] || return 0
	make_private folder
	make_password "$registry_host" "${REGISTRY_USER:-}" "${REGISTRY_PASSWORD_FILE:-}" "$folder/password"
	[[ -n $account ]] || return 0
	registry_user=$account registry_password=$folder/password
}

# Fills pull_user and pull_password (a file), the login that a target gets; both empty: none.
find_pull_login() {
	pull_user=$registry_user pull_password=$registry_password
	[[ -z ${REGISTRY_PULL_USER:-} ]] || pull_user=$REGISTRY_PULL_USER pull_password=$REGISTRY_PULL_PASSWORD_FILE
}

# A target may have what is rolled back to, whatever becomes of the registry.
no_login() { # TEXT
	[[ $act == rollback ]] || fail "$EXIT_REGISTRY" "$1"
	warn "$1"
}

# docker's configuration of this run alone: nobody else's logins and helpers are used, ours is left to nobody.
own_docker_config() {
	[[ -z ${docker_config:-} ]] || return 0
	make_private docker_config
	export DOCKER_CONFIG=$docker_config
}

log_in_as() { # HOST USER PASSWORD SETTING
	[[ -n $2 ]] || return 0
	patiently "$LOGIN_SECONDS" "docker login to $1" "$3" docker login --username "$2" --password-stdin "$1" ||
		fail "$EXIT_REGISTRY" "$1 refuses the login of $2: is $4 right?"
	printf 'what docker warns of is a file in a folder of this run alone, which is removed at its end\n'
}

# At REGISTRY_URL.
docker_login() {
	log_in_as "$registry_host" "$registry_user" "$registry_password" REGISTRY_PASSWORD
}

# ---- registries beside it ------------------------------------------------------------------------

# Calls back for each of REGISTRIES, whose login a build may need: FUNCTION PREFIX HOST USER PASSWORD-FILE, with find_ecr()
# before.
each_registry() { # FUNCTION
	local name prefix host url user file ecr_region ecr_account
	for name in ${REGISTRIES//,/ }; do
		prefix=${name^^}
		prefix=REGISTRY_${prefix//-/_}
		url=${prefix}_URL
		user=${prefix}_USER
		file=${prefix}_PASSWORD
		file=${file}_FILE
		url=${!url:-} user=${!user:-} file=${!file:-}
		[[ -n $url ]] || fail "$EXIT_CONFIG" "REGISTRIES names $name, and ${prefix}_URL is not set: where is it?"
		host=${url#*://}
		host=${host%%/*}
		find_ecr "$host" "$user" "$file"
		"$1" "$prefix" "$host" "$user" "$file"
	done
}

check_registry() { # as each_registry has it
	# docker keeps one login for each host.
	[[ $registries_seen != *" $2 "* ]] ||
		fail "$EXIT_CONFIG" "$1_URL: there is a login at $2 already: one is enough, take it out of REGISTRIES"
	registries_seen+="$2 "
	[[ -n $3 || -n $ecr_region ]] ||
		fail "$EXIT_CONFIG" "$1_USER is not set: what needs no login needs no place in REGISTRIES"
	check_login "$1" "$3" "$4"
}

check_registries() {
	local registries_seen=" $registry_host "
	each_registry check_registry
}

log_in_at() { # as each_registry has it
	local account folder
	make_private folder
	make_password "$2" "$3" "$4" "$folder/password"
	log_in_as "$2" "$account" "$folder/password" "$1_PASSWORD"
}

# At all registries, before anything is taken from one: bases may be nobody's but ours.
log_in() {
	docker_login
	each_registry log_in_at
}

# ---- patience ------------------------------------------------------------------------------------

# Pauses before a registry is asked again: as long as its Retry-After says, else 1, 2, 4 s and so on.  Returns 1 when that
# would be too long, REGISTRY_AGAIN_SECONDS behind the first time.  patience is empty at first.
wait_longer() { # WHY RETRY-AFTER
	local seconds=$2 until pause
	read -r until pause <<<"${patience:-$((EPOCHSECONDS + REGISTRY_AGAIN_SECONDS)) 1}"
	if [[ $2 =~ ^[A-Z][a-z]{2},\ [0-9]{2}\ [A-Z][a-z]{2}\ [0-9]{4}\ [0-9:]{8}\ GMT$ ]]; then
		seconds=$(date -d "$2" +%s) || seconds=0
		seconds=$((seconds > EPOCHSECONDS ? seconds - EPOCHSECONDS : 1))
	fi
	[[ $seconds =~ ^[1-9][0-9]{0,17}$ ]] || seconds=$pause
	patience="$until $((pause * 2))"
	((EPOCHSECONDS + seconds <= until)) || return 1
	warn "$1: asked again in $seconds s"
	limited $((seconds + KILL_SECONDS)) "a pause" sleep "$seconds"
}

# As quoted, for what docker does at a registry: again while that is busy.  Its stdin is a file.
patiently() { # SECONDS WHAT STDIN CMD...
	local seconds=$1 what=$2 input=$3 said=$app/answer.$act.said text status patience=
	shift 3
	while :; do
		status=0
		quote
		# Of what it says stderr alone is kept until its end: that is where it says why.
		# shellcheck disable=SC2016 # those words are bash's
		bounded "$seconds" bash -c 'exec "${@:2}" 2>"$1"' - "$said" "$@" <"$input" || status=$?
		read_all text "$said"
		rm -f -- "$said"
		printf '%s' "$text" >&2
		unquote
		[[ $is_over == no ]] || fail "$EXIT_BUSY" "$what took longer than $seconds s"
		((status != 0)) && [[ ${text,,} =~ $BUSY_WORDS ]] && wait_longer "$what failed" '' || return "$status"
	done
}

# ---- questions to the registry -------------------------------------------------------------------

# A line for curl's configuration, which it reads from stdin.
curl_word() { # TEXT
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}

# One request; fills http_status, and http_head and http_body with the names of files.  is_late: yes, it took too long.
curl_once() { # CONFIGURATION URL OPTION...
	local config=$1 url=$2 status=0
	shift 2
	is_late=no
	[[ -n ${http_folder:-} ]] || make_private http_folder
	http_head=$http_folder/head http_body=$http_folder/body
	: >"$http_head"
	: >"$http_body"
	: "${file_limit:=$(ulimit -S -f)}"
	ulimit -S -f $((MANIFEST_MAX / 1024)) || true # curl minds --max-filesize only when the length is said before
	asked $((REGISTRY_SECONDS + KILL_SECONDS)) "the registry $registry_host" \
		curl --disable --config - --silent --show-error --proto '=http,https' --connect-timeout 15 \
		--max-time "$REGISTRY_SECONDS" --max-filesize "$MANIFEST_MAX" \
		--dump-header "$http_head" --output "$http_body" --write-out '%{http_code}' "$@" -- "$url" <<<"$config" || status=$?
	ulimit -S -f "$file_limit"
	((status != 63 && status != 153)) || # too long by what it said, by what came (SIGXFSZ)
		fail "$EXIT_REGISTRY" "$registry_host answers with more than $MANIFEST_MAX bytes: is REGISTRY_URL right?"
	((status != 28)) || is_late=yes
	http_status=$answer
	((status == 0)) && [[ $http_status =~ ^[1-5][0-9][0-9]$ ]]
}

# The value of a header of the last answer, in `header`.
header_of() { # NAME in lower case
	local line
	header=
	while IFS= read -r line; do
		line=${line%$'\r'}
		if [[ ${line,,} == "$1":* ]]; then
			header=${line#*:}
			header=${header#"${header%%[![:space:]]*}"}
		fi
	done <"$http_head"
}

# As curl_once, asked again while the registry is busy or limits us; retry_after: what it said of that last.
curl_patiently() { # CONFIGURATION URL OPTION...
	local status said patience=
	while :; do
		status=0 retry_after=
		curl_once "$@" || status=$?
		said="HTTP $http_status"
		[[ $is_late == no ]] || said="no answer in $REGISTRY_SECONDS s"
		[[ $is_late == yes || $http_status =~ ^(429|50[234])$ ]] || return "$status"
		header_of retry-after
		[[ ! $header =~ ^[A-Za-z0-9,:\ ]{1,40}$ ]] || retry_after=$header
		wait_longer "$registry_host: $said" "$retry_after" || break
	done
	[[ $is_late == no ]] || fail "$EXIT_BUSY" "the registry $registry_host took longer than $REGISTRY_SECONDS s"
	return "$status"
}

# May HOST[:PORT] get our login?  Whoever answers for the registry names it: its own host, those of two well-known
# registries, and REGISTRY_REALMS.
is_realm_of_registry() { # HOST[:PORT]
	case ,${REGISTRY_REALMS:-},$registry_host,$1, in
	,*,docker.io,auth.docker.io, | ,*,registry.gitlab.com,gitlab.com,) return 0 ;;
	esac
	[[ ,${REGISTRY_REALMS:-}, == *",$1,"* || ${1%:*} == "${registry_host%:*}" ]]
}

# A token of the kind that the registry asked for; fills registry_access, which curl reads.
get_token() { # ACTIONS
	local realm service='' token='' user=''
	header_of www-authenticate
	[[ $header =~ ^[Bb]earer\ .*realm=\"([^\"]*)\" ]] || return 1
	realm=${BASH_REMATCH[1]}
	[[ $header =~ service=\"([^\"]*)\" ]] && service=${BASH_REMATCH[1]}
	[[ $realm =~ ^https?://[A-Za-z0-9._:/~-]+$ && $service =~ ^[A-Za-z0-9._:/-]*$ ]] || return 1
	[[ $realm == https://* || $registry_api == http://* ]] || return 1 # no password in clear
	if [[ -n $registry_user ]]; then
		user=${realm#*://} user=${user%%/*}
		is_realm_of_registry "$user" || refused_realm=$user
		[[ -z $refused_realm ]] || return 1
		user=$registry_access
	fi
	curl_patiently "$user" "$realm?service=$service&scope=repository:$repository_name:$1" --get || return "$?"
	[[ $http_status == 200 ]] || return 1
	read_all token "$http_body"
	[[ $token =~ \"(access_)?token\":[[:space:]]*\"([A-Za-z0-9._~+/=-]+)\" ]] || return 1
	registry_access="header = \"Authorization: Bearer ${BASH_REMATCH[2]}\""
}

# Asks for a manifest, with a login if there is one; fills http_*.
request_manifest() { # METHOD REFERENCE ACTIONS
	request "$registry_api/v2/$repository_name/manifests/$2" "$1" "$3"
}

request() { # URL METHOD ACTIONS
	local url=$1 password='' registry_access='' method=(--request "$2")
	refused_realm=
	[[ $2 != HEAD ]] || method=(--head)
	if [[ -n $registry_user ]]; then
		read_all password "$registry_password"
		registry_access="user = $(curl_word "$registry_user:$password")"
	fi
	curl_patiently "$registry_access" "$url" "${method[@]}" --header "Accept: $MANIFESTS" || return "$?"
	if [[ $http_status == 401 ]] && get_token "$3"; then
		curl_patiently "$registry_access" "$url" "${method[@]}" --header "Accept: $MANIFESTS"
	fi
}

# Does anybody answer there?  Whether our login is taken is seen by whoever uses it.  One that is busy is asked again, for as
# long as somebody who looks at it waits.
ask_registry() {
	local REGISTRY_AGAIN_SECONDS=$((REGISTRY_AGAIN_SECONDS < 15 ? REGISTRY_AGAIN_SECONDS : 15))
	curl_patiently '' "$registry_api/v2/" || fail "$EXIT_REGISTRY" \
		"the registry $registry_host does not answer: is REGISTRY_URL right, and does this machine reach it?"
	case $http_status in
	429)
		warn "the registry $registry_host is there, and limits us (HTTP 429${retry_after:+, Retry-After: $retry_after}): \
who logs in (REGISTRY_USER) may ask more"
		;;
	50[234])
		fail "$EXIT_REGISTRY" "the registry $registry_host answers HTTP $http_status, also $REGISTRY_AGAIN_SECONDS s \
later: it is down, or busy"
		;;
	5*) fail "$EXIT_REGISTRY" "the registry $registry_host answers HTTP $http_status: look at its log" ;;
	esac
}

# Is there an image of that tag or digest?  0: yes, and its digest is in `digest`, computed here from what the registry
# sent; 1: no; 2: that cannot be known, `why` says why.
find_digest() { # TAG or sha256:DIGEST
	local sum text=''
	digest='' why=''
	if ! request_manifest GET "$1" pull; then
		why="the registry $registry_host cannot be reached: see curl's output in the log; is REGISTRY_URL right?"
		return 2
	fi
	case $http_status in
	200) ;;
	404) return 1 ;;
	401 | 403)
		why="the registry $registry_host refuses to show $repository_name (HTTP $http_status): look at REGISTRY_URL, \
REGISTRY_USER and REGISTRY_PASSWORD, or at this machine's role"
		[[ -z $refused_realm ]] || why="the registry $registry_host wants our login sent to $refused_realm, which gets it \
only where REGISTRY_REALMS names it: is it the registry's own?"
		return 2
		;;
	429)
		why="the registry $registry_host limits us (HTTP 429${retry_after:+, Retry-After: $retry_after}): deploy again \
later; who logs in (REGISTRY_USER) may ask more"
		return 2
		;;
	50[234])
		why="the registry $registry_host is busy or down (HTTP $http_status), also $REGISTRY_AGAIN_SECONDS s later: deploy \
again when it is healthy"
		return 2
		;;
	*)
		why="the registry $registry_host answers HTTP $http_status for $repository_name:"
		why+=" is REGISTRY_URL right, is it healthy?"
		return 2
		;;
	esac
	sum=$(sha256sum <"$http_body")
	sum=sha256:${sum%% *}
	header_of docker-content-digest
	read_all text "$http_body"
	if [[ ! $text =~ \"schemaVersion\"[[:space:]]*:[[:space:]]*2 ]] || [[ -n $header && $header != "$sum" ]] ||
		[[ $1 == sha256:* && $1 != "$sum" ]]; then
		: "${header:=none}"
		why="the registry $registry_host answers nonsense for ${1:0:19}: what it sent has not the digest ${header:0:19}; \
is REGISTRY_URL right?"
		return 2
	fi
	digest=$sum
}

# Is the login that the next deployment uses taken, and is what is live still there?  One that has expired is noticed by a
# look at night, and not by the next deployment.
ask_login() {
	local text='' live='' found=0 REGISTRY_AGAIN_SECONDS=$((REGISTRY_AGAIN_SECONDS < 15 ? REGISTRY_AGAIN_SECONDS : 15))
	find_image
	check_image_settings
	find_password
	[[ ! -e $state_file ]] || text=$(cat -- "$state_file") || fail "$EXIT_CONFIG" "$state_file cannot be read"
	if [[ $text =~ \"commit\":\ *\"([0-9a-f]+)\" ]]; then
		live=${BASH_REMATCH[1]}
		find_digest "$live" || found=$?
		((found != 2)) || fail "$EXIT_REGISTRY" "$why"
		((found != 1)) || warn_people "the registry $registry_host has no image $repository_name of ${live:0:12}, which \
is live: was it deleted, or is REGISTRY_IMAGE another one by now? Nobody can roll back to it"
		return 0
	fi
	# A registry shows an unknown name as one that is not for us to see: the login is asked about by itself.
	request "$registry_api/v2/" GET pull
	[[ -z $registry_user || $http_status != 40[13] ]] || fail "$EXIT_REGISTRY" "the registry $registry_host refuses the \
login of $registry_user (HTTP $http_status): look at REGISTRY_URL, REGISTRY_USER and REGISTRY_PASSWORD"
	[[ $IMAGE_SOURCE != registry ]] || warn_without_tags
}

warn_without_tags() {
	request "$registry_api/v2/$repository_name/tags/list?n=1" GET pull
	[[ -n $registry_user || $http_status != 401 ]] || fail "$EXIT_REGISTRY" "the registry $registry_host shows \
$repository_name to nobody without a login (HTTP 401): set REGISTRY_USER and REGISTRY_PASSWORD; where everybody may read \
its images, have CI push the first one"
	[[ $http_status != 40[134] ]] || warn_people "the registry $registry_host shows no $repository_name (HTTP $http_status): \
fine before CI has pushed the first image, else look at REGISTRY_IMAGE, and whether this login may see it"
}
