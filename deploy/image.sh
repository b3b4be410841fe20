# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# image.sh - the image of a commit: built, pushed, found in the registry, and removed from there when it is old.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh comes first.  A password goes from a file or from aws to stdin, and nowhere else: never
# into an argument, a variable of the environment or the log.  docker's configuration is our own and gone afterwards.

: "${BUILD_SECONDS:=1800}"  # compilers; DEPLOY_TIMEOUT_SECONDS is usually shorter
: "${PUSH_SECONDS:=900}"    # a gigabyte over a slow line
: "${LOGIN_SECONDS:=60}"    # one answer of aws or of the registry
: "${REGISTRY_SECONDS:=60}" # one answer of the registry
: "${IMAGE_POLL_SECONDS:=10}" # between two looks for the image that CI is building
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
	if [[ $url =~ ^(https?)://(.*)$ ]]; then
		scheme=${BASH_REMATCH[1]} url=${BASH_REMATCH[2]}
	fi
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
	ecr_region='' ecr_account=''
	if [[ $registry_host =~ ^([0-9]{12})\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$ ]]; then
		ecr_account=${BASH_REMATCH[1]} ecr_region=${BASH_REMATCH[3]}
	fi
}

check_image_settings() {
	: "${IMAGE_SOURCE:=build}" "${BUILD_NO_CACHE:=true}" "${BUILD_AGAIN:=false}" "${DOCKERFILE:=Dockerfile}"
	: "${IMAGE_WAIT_SECONDS:=0}" # by hand; deploybot says how long
	check_bool BUILD_NO_CACHE
	check_bool BUILD_AGAIN
	if [[ $act == deploy && $IMAGE_SOURCE == build ]]; then
		need_tool docker docker.io
		need_tool git git
	fi
	need_tool curl curl
	if [[ -n $ecr_region ]]; then
		need_tool aws awscli
	elif [[ -n ${REGISTRY_USER:-} ]]; then
		[[ -n ${REGISTRY_PASSWORD_FILE:-} ]] ||
			fail "$EXIT_CONFIG" "REGISTRY_USER is set, REGISTRY_PASSWORD (or REGISTRY_PASSWORD_FILE) is not"
		check_secret REGISTRY_PASSWORD_FILE "$REGISTRY_PASSWORD_FILE"
	fi
}

# ---- login ---------------------------------------------------------------------------------------

# Fills registry_user and registry_password (a file of ours, without a newline at its end); both empty: no login.
find_password() {
	local password='' folder status=0
	registry_user='' registry_password=''
	[[ -n $ecr_region || -n ${REGISTRY_USER:-} ]] || return 0
	folder=$(private_folder)
	if [[ -n $ecr_region ]]; then
		quote
		limited "$LOGIN_SECONDS" "aws ecr get-login-password" \
			aws ecr get-login-password --region "$ecr_region" >"$folder/aws" || status=$?
		unquote
		((status == 0)) || no_login "aws gives no login for $registry_host: see its output in the log"
		registry_user=AWS
		read_line password "$folder/aws"
		rm -f -- "$folder/aws"
	else
		registry_user=$REGISTRY_USER
		read_line password "$REGISTRY_PASSWORD_FILE"
	fi
	if [[ -z $password ]]; then
		no_login "the password for $registry_host is empty: look at REGISTRY_PASSWORD, or at what aws says"
		registry_user=
		return 0
	fi
	registry_password=$folder/password
	printf '%s' "$password" >"$registry_password"
}

# A target may have what is rolled back to, whatever becomes of the registry.
no_login() { # TEXT
	[[ $act == rollback ]] || fail "$EXIT_REGISTRY" "$1"
	warn "$1"
}

# docker's configuration of this run alone: nobody else's logins and helpers are used, ours is left to nobody.
own_docker_config() {
	[[ -z ${docker_config:-} ]] || return 0
	docker_config=$(private_folder)
	export DOCKER_CONFIG=$docker_config
}

docker_login() {
	[[ -n $registry_user ]] || return 0
	quoted "$LOGIN_SECONDS" "docker login to $registry_host" \
		docker login --username "$registry_user" --password-stdin "$registry_host" <"$registry_password" ||
		fail "$EXIT_REGISTRY" "$registry_host refuses the login of $registry_user: is REGISTRY_PASSWORD right?"
	printf 'what docker warns of is a file in a folder of this run alone, which is removed at its end\n'
}

# ---- questions to the registry -------------------------------------------------------------------

# A line for curl's configuration, which it reads from stdin.
curl_word() { # TEXT
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}

# One request; fills http_status, and http_head and http_body with the names of files.
curl_once() { # CONFIGURATION URL OPTION...
	local config=$1 url=$2 status=0 limit
	shift 2
	: "${http_folder:=$(private_folder)}"
	http_head=$http_folder/head http_body=$http_folder/body
	: >"$http_head"
	: >"$http_body"
	limit=$(ulimit -S -f)
	ulimit -S -f $((MANIFEST_MAX / 1024)) || true # curl minds --max-filesize only when the length is said before
	asked $((REGISTRY_SECONDS + KILL_SECONDS)) "the registry $registry_host" \
		curl --disable --config - --silent --show-error --proto '=http,https' --connect-timeout 15 \
		--max-time "$REGISTRY_SECONDS" --max-filesize "$MANIFEST_MAX" \
		--dump-header "$http_head" --output "$http_body" --write-out '%{http_code}' "$@" -- "$url" <<<"$config" || status=$?
	ulimit -S -f "$limit"
	((status != 63 && status != 153)) || # too long by what it said, by what came (SIGXFSZ)
		fail "$EXIT_REGISTRY" "$registry_host answers with more than $MANIFEST_MAX bytes: is REGISTRY_URL right?"
	((status != 28)) || fail "$EXIT_BUSY" "the registry $registry_host took longer than $REGISTRY_SECONDS s"
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

# A token of the kind that the registry asked for; fills registry_access, which curl reads.
get_token() { # ACTIONS
	local realm service='' token='' user=''
	header_of www-authenticate
	[[ $header =~ ^[Bb]earer\ .*realm=\"([^\"]*)\" ]] || return 1
	realm=${BASH_REMATCH[1]}
	[[ $header =~ service=\"([^\"]*)\" ]] && service=${BASH_REMATCH[1]}
	[[ $realm =~ ^https?://[A-Za-z0-9._:/~-]+$ && $service =~ ^[A-Za-z0-9._:/-]*$ ]] || return 1
	[[ $realm == https://* || $registry_api == http://* ]] || return 1 # no password in clear
	[[ -z $registry_user ]] || user=$registry_access
	curl_once "$user" "$realm?service=$service&scope=repository:$repository_name:$1" --get || return "$?"
	[[ $http_status == 200 ]] || return 1
	read_all token "$http_body"
	[[ $token =~ \"(access_)?token\":[[:space:]]*\"([A-Za-z0-9._~+/=-]+)\" ]] || return 1
	registry_access="header = \"Authorization: Bearer ${BASH_REMATCH[2]}\""
}

# Asks for a manifest, with a login if there is one; fills http_*.
request_manifest() { # METHOD REFERENCE ACTIONS
	local url=$registry_api/v2/$repository_name/manifests/$2 password='' registry_access=''
	if [[ -n $registry_user ]]; then
		read_all password "$registry_password"
		registry_access="user = $(curl_word "$registry_user:$password")"
	fi
	curl_once "$registry_access" "$url" --request "$1" --header "Accept: $MANIFESTS" || return "$?"
	if [[ $http_status == 401 ]] && get_token "$3"; then
		curl_once "$registry_access" "$url" --request "$1" --header "Accept: $MANIFESTS"
	fi
}

# Is there an image of that tag or digest?  0: yes, and its digest is in `digest`, computed here from what the registry
# sent; 1: no; 2: that cannot be known, `why` says why.
find_digest() { # TAG or sha256:DIGEST
	local sum
	digest='' why=''
	if ! request_manifest GET "$1" pull; then
		why="the registry $registry_host cannot be reached: see curl's output in the log; is REGISTRY_URL right?"
		return 2
	fi
	case $http_status in
	200) ;;
	404) return 1 ;;
	401 | 403)
		why="the registry $registry_host refuses to show $repository_name (HTTP $http_status): look at REGISTRY_USER and \
REGISTRY_PASSWORD, or at this machine's role"
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
	if ! grep -q '"schemaVersion"[[:space:]]*:[[:space:]]*2' "$http_body" || [[ -n $header && $header != "$sum" ]] ||
		[[ $1 == sha256:* && $1 != "$sum" ]]; then
		: "${header:=none}"
		why="the registry $registry_host answers nonsense for ${1:0:19}: what it sent has not the digest ${header:0:19}; \
is REGISTRY_URL right?"
		return 2
	fi
	digest=$sum
}

# ---- build and push ------------------------------------------------------------------------------

# Leaves exactly the commit in $app/build.  World-readable inside, as COPY keeps modes; the folder above is ours alone.
check_out_source() { # COMMIT
	local work=$app/build
	step checkout
	git_setup "$here"
	fetch_commit "$1"
	rm -rf -- "$work"
	(umask 022 && mkdir -- "$work")
	lay_out_umask=022 lay_out "$work" "$1"
	release=$1
	run_hooks pre-build "$EXIT_BUILD" "$work"
	[[ $(readlink -f -- "$work/$DOCKERFILE") == "$(readlink -f -- "$work")"/* && -f $work/$DOCKERFILE ]] ||
		fail "$EXIT_BUILD" "the repository has no $DOCKERFILE at ${1:0:12}: DOCKERFILE says where it is"
}

build_image() { # COMMIT
	local work=$app/build cache=(--no-cache)
	step build
	if [[ $BUILD_NO_CACHE == false ]]; then
		cache=()
		export DOCKER_BUILDKIT=1
	fi
	quoted "$BUILD_SECONDS" "docker build" docker build ${cache[@]+"${cache[@]}"} --pull=false \
		--file "$work/$DOCKERFILE" --build-arg "COMMIT=$1" --label "org.opencontainers.image.revision=$1" \
		--tag "$image:$1" "$work" </dev/null ||
		fail "$EXIT_BUILD" "docker build failed with status $?: its last lines are in the log"
	rm -rf -- "$work"
}

# Fills digest with that of what was pushed, on which docker and the registry have to agree.
push_image() { # COMMIT
	local of_docker line found=no
	step push
	docker_login
	quoted "$PUSH_SECONDS" "docker push" docker push "$image:$1" ||
		fail "$EXIT_REGISTRY" \
			"$registry_host did not take $repository_name, see docker's output: does it exist, may we push?"
	asked "$DOCKER_SECONDS" "docker image inspect" docker image inspect --format '{{join .RepoDigests "\n"}}' "$image:$1" ||
		fail "$EXIT_REGISTRY" "docker does not know what it pushed"
	of_docker=$answer
	find_digest "$1" || fail "$EXIT_REGISTRY" "${why:-the registry $registry_host does not have what was pushed to it}"
	while IFS= read -r line; do
		# docker names its own registry by leaving that out.
		[[ $line != "$image@$digest" && docker.io/$line != "$image@$digest" ]] || found=yes
	done <<<"$of_docker"
	[[ $found == yes ]] ||
		fail "$EXIT_REGISTRY" "the registry has another image as $1 ($digest) than was pushed: who else pushes there?"
}

# Looks for the image of a commit, and leaves the lock that the clean-up of another environment waits for until we have
# noted ours.  Returns as find_digest.
look_for_image() { # COMMIT
	exec 7>>"$STATE_DIRECTORY/apps/images.lock"
	limited "$LOGIN_SECONDS" "another environment's clean-up" flock --shared 7
	find_digest "$1"
}

# The same for an image that CI may still be building: a push is heard here before CI has even begun.  The lock is not
# held meanwhile, and a registry that hiccups is asked again.
wait_for_image() { # COMMIT
	local until=$((EPOCHSECONDS + IMAGE_WAIT_SECONDS)) found=0 left
	look_for_image "$1" || found=$?
	((found == 1 && IMAGE_WAIT_SECONDS > 0)) || return "$found"
	step "wait for CI's image"
	printf '%s is not there yet; waiting %s s at most\n' "$image:$1" "$IMAGE_WAIT_SECONDS"
	while ((found != 0 && (left = until - EPOCHSECONDS) > 0)); do
		exec 7>&-
		((left < IMAGE_POLL_SECONDS)) || left=$IMAGE_POLL_SECONDS
		limited $((left + KILL_SECONDS)) "a pause" sleep "$left"
		found=0
		look_for_image "$1" || found=$?
	done
	return "$found"
}

# Fills release with COMMIT@sha256:…; builds and pushes only what the registry does not have.
make_image() { # COMMIT
	local found=0 origin=' found' look=look_for_image
	[[ $IMAGE_SOURCE == build ]] || look=wait_for_image
	"$look" "$1" || found=$?
	((found != 2)) || fail "$EXIT_REGISTRY" "$why"
	if [[ $IMAGE_SOURCE == registry ]]; then
		((found == 0)) || fail "$EXIT_REGISTRY" "CI has not pushed $image:$1 (waited for: $IMAGE_WAIT_SECONDS s): did \
its run for that commit fail? Repeat it there; IMAGE_WAIT_SECONDS waits longer, IMAGE_SOURCE=build builds here"
	elif ((found == 1)) || [[ $BUILD_AGAIN == true ]]; then
		check_out_source "$1"
		build_image "$1"
		push_image "$1"
		origin=' pushed'
	else
		printf 'the registry has the image of this commit already; BUILD_AGAIN=true builds it anew\n'
	fi
	release=$1@$digest
	TZ=UTC printf '%s %s %s %(%FT%TZ)T%s\n' "$DEPLOYMENT_ID" "$1" "$digest" -1 "$origin" >>"$app/images"
	exec 7>&-
	step "image $digest"
}

# Can an earlier release be had?  0: yes, or nobody can say; 1: no.
image_is_kept() { # RELEASE
	local found=0
	if has_function transport_keeps && transport_keeps "$1"; then
		return 0
	fi
	find_digest "${1#*@}" || found=$?
	((found != 2)) || warn "$why"
	((found != 1))
}

# Gives a release that was named by its commit alone its digest: what we noted when it was shipped, else its tag's.
# Returns as find_digest.
add_digest() { # RELEASE
	local commit of
	release=$1
	[[ $1 != *@* ]] || return 0
	if [[ -e $app/images ]]; then
		while read -r _ commit of _; do
			[[ $commit != "$1" ]] || release=$1@$of
		done <"$app/images"
	fi
	[[ $release != *@* ]] || return 0
	find_digest "$1" || return "$?"
	release=$1@$digest
}

# ---- clean-up ------------------------------------------------------------------------------------

# Fills kept with the digests that stay: of every environment what is live, what was live before, what is noted as
# running there, and the last KEEP_RELEASES; of another application's, whose number is its own, all that it has.
find_kept() {
	local file text rest commit of seen number most commits=' '
	kept=()
	for file in "$STATE_DIRECTORY"/environments/*.json "$STATE_DIRECTORY"/apps/*/before; do
		[[ -e $file ]] || continue
		read_all text "$file"
		rest=$text
		while [[ $rest =~ sha256:[0-9a-f]{64} ]]; do
			keep "${BASH_REMATCH[0]}"
			rest=${rest#*"${BASH_REMATCH[0]}"}
		done
		while [[ $text =~ [^0-9a-f:]([0-9a-f]{40,64})[^0-9a-f] ]]; do # a state file may know no digest
			commits+="${BASH_REMATCH[1]} "
			text=${text#*"${BASH_REMATCH[1]}"}
		done
	done
	for rest in "$release" "$PREVIOUS_RELEASE"; do
		[[ $rest != *@* ]] || keep "${rest#*@}"
	done
	for file in "$STATE_DIRECTORY"/apps/*/images; do
		[[ -e $file ]] || continue
		seen=' ' number=0 most=$KEEP_RELEASES
		is_of_application "$file" || most=1000
		while read -r _ commit of _; do
			[[ $commits != *" $commit "* ]] || keep "$of"
			[[ $seen != *" $of "* ]] || continue
			seen+="$of " number=$((number + 1))
			((number > most)) || keep "$of"
		done < <(tac -- "$file")
	done
}

# Does it belong to an environment of this run's application?
is_of_application() { # FILE in apps/ENV/
	local name=${1%/*}
	name=${name##*/}
	[[ $name == "${APPLICATION:+$APPLICATION.}"+([!.]) ]]
}

is_kept() { # DIGEST
	[[ " ${kept[*]} " == *" $1 "* ]]
}

keep() { # DIGEST
	is_kept "$1" || kept+=("$1")
}

delete_image() { # COMMIT DIGEST
	local status=0
	if [[ $IMAGE_SOURCE == build ]] && command -v docker >/dev/null; then
		limited "$DOCKER_SECONDS" "docker image rm" docker image rm "$image:$1" >/dev/null 2>&1 || true # long gone here
	fi
	if [[ -n $ecr_region ]]; then
		quote
		asked "$REGISTRY_SECONDS" "aws ecr batch-delete-image" aws ecr batch-delete-image --region "$ecr_region" \
			--registry-id "$ecr_account" --repository-name "$repository_name" --image-ids "imageDigest=$2" \
			--query 'failures[].failureCode' --output text || status=$?
		unquote
		((status == 0)) || return "$status"
		answer=${answer//[[:space:]]/}
		[[ -n $answer && $answer != None && $answer != ImageNotFound ]] || return 0
		warn "ECR does not delete ${2:0:19}: $answer" # its status is 0 even then
		return 1
	fi
	request_manifest DELETE "$2" 'pull,delete' || return "$?"
	[[ $http_status != 202 && $http_status != 404 ]] || return 0
	warn "the registry does not delete ${2:0:19} (HTTP $http_status): allow it there, or clean by its own means"
	return 1
}

# Removes from the registry what this environment pushed, once nobody keeps it: what was found there is whoever's who
# pushed it.
clean_registry() {
	local deployment commit of at origin left=() gone=' '
	exec 7>>"$STATE_DIRECTORY/apps/images.lock"
	flock --nonblock 7 || { printf 'another environment makes an image: the next deployment cleans up\n'; return 0; }
	find_kept
	while read -r deployment commit of at origin; do
		[[ $of =~ ^sha256:[0-9a-f]{64}$ && $commit =~ ^[0-9a-f]+$ ]] || continue
		if is_kept "$of"; then
			left+=("$deployment $commit $of $at $origin")
		elif [[ $origin == pushed && $gone != *" $of "* ]]; then
			if delete_image "$commit" "$of"; then
				printf 'removed %s\n' "$image@$of"
				gone+="$of "
			else
				left+=("$deployment $commit $of $at $origin")
			fi
		fi
	done <"$app/images"
	printf '%s\n' "${left[@]}" >"$app/images.new" && mv -f -- "$app/images.new" "$app/images"
	exec 7>&-
}
