# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# image.sh - the image of a commit: pushed, found in the registry, and removed from there when it is old.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh, registry.sh and build.sh come first.

: "${PUSH_SECONDS:=900}"    # a gigabyte over a slow line
: "${IMAGE_POLL_SECONDS:=10}" # between two looks for the image that CI is building
: "${IMAGE_LOCK_SECONDS:=300}" # as long as another environment's clean-up may take for one image

# ---- push ---------------------------------------------------------------------------------------

# Fills digest with that of what was pushed, on which docker and the registry have to agree.
push_image() { # COMMIT
	local of_docker line found=no
	step push
	patiently "$PUSH_SECONDS" "docker push" /dev/null docker push "$image:$1" ||
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

# Looks for the image of a commit, or of a promotion's digest, and leaves the lock that the clean-up of another environment
# has to get for each image until we have noted ours.  Whoever waits for it has images.turn, so that the clean-up leaves it
# to us.  Returns as find_digest.
look_for_image() { # COMMIT or sha256:DIGEST
	exec 7>>"$STATE_DIRECTORY/apps/images.lock"
	limited "$IMAGE_LOCK_SECONDS" "another environment's clean-up, which removes an image from $registry_host," \
		flock --shared "$STATE_DIRECTORY/apps/images.turn" flock --shared 7 ||
		fail "$EXIT_CONFIG" "$STATE_DIRECTORY/apps/images.turn cannot be locked: is STATE_DIRECTORY deploybot's own?"
	find_digest "$1"
}

# By HEAD, which no registry that counts pulls counts as one.
is_missing() { # TAG
	request_manifest HEAD "$1" pull && [[ $http_status == 404 ]]
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
		found=1
		is_missing "$1" || { found=0; look_for_image "$1" || found=$?; }
	done
	return "$found"
}

# Is what the registry has as that commit (digest) noted as pushed from here, found there, or verified?  Of a tag alone
# nobody knows who pushed it: a host whose login may push can put its own image there, for others to ship.
is_noted() { # COMMIT pushed|found|verified
	local file commit of origin
	for file in "$STATE_DIRECTORY"/apps/*/images; do
		[[ -e $file ]] || continue
		while read -r _ commit of _ origin _; do
			[[ "$commit $of $origin" != "$1 $digest $2" ]] || return 0
		done <"$file"
	done
	return 1
}

# What was approved is shipped, or nothing.
check_digest() { # RELEASE
	[[ $1 == "${1%%@*}" || $digest == "${1#*@}" ]] || fail "$EXIT_REGISTRY" "the registry has another image of ${1:0:12} \
(${digest:0:19}) than the one that was approved (${1:${#1}-71:19}): somebody pushed it again meanwhile; deploy again"
}

# Fills release with COMMIT@sha256:…; builds and pushes only what the registry does not have.  Another digest than the one
# that is named is refused.
make_image() { # COMMIT[@sha256:DIGEST]
	local found=0 origin=' found' look=look_for_image named=$1 reference=${1%%@*} which='that was approved'
	set -- "${1%%@*}"
	# One that was approved was there.
	[[ $IMAGE_SOURCE == build || $named != "$1" ]] || look=wait_for_image
	# What is live elsewhere is that image, whatever the registry calls by its commit since.
	if [[ ${PROMOTED:-} == true && $named != "$1" ]]; then
		reference=${named#*@} which='that its source runs'
	fi
	"$look" "$reference" || found=$?
	((found != 2)) || fail "$EXIT_REGISTRY" "$why"
	if ((found == 0)) && [[ $IMAGE_SOURCE == build && $named == "$1" ]] && ! is_noted "$1" pushed; then
		warn "$registry_host has an image of ${1:0:12} (${digest:0:19}) that was not pushed from here: it is built anew \
(where CI pushes, IMAGE_SOURCE=registry)"
		found=1
	fi
	if [[ $named != "$1" ]]; then
		((found == 0)) || fail "$EXIT_REGISTRY" "$registry_host no longer has the image of ${1:0:12} $which \
(${named:${#named}-71:19}), so nothing was changed: deploy ${1:0:12} again, and what it is made of then is asked for anew"
	elif [[ $IMAGE_SOURCE == registry ]]; then
		((found == 0)) || fail "$EXIT_REGISTRY" "CI has not pushed $image:$1 (waited for: $IMAGE_WAIT_SECONDS s): did \
its run for that commit fail? Repeat it there; IMAGE_WAIT_SECONDS waits longer, IMAGE_SOURCE=build builds here"
	elif ((found == 1)) || [[ $BUILD_AGAIN == true ]]; then
		[[ -z $build_trouble ]] || fail "$EXIT_CONFIG" "$build_trouble"
		check_out_source "$1"
		build_image "$1"
		push_image "$1"
		origin=' pushed'
	else
		printf 'the registry has the image of this commit already; BUILD_AGAIN=true builds it anew\n'
	fi
	check_digest "$named"
	if [[ -n ${VERIFY_COMMAND:-} ]]; then
		verify_image "$1"
		origin=' verified'
	fi
	release=$1@$digest
	# By hand nobody says later whether it went live, and it counts as if it had.
	TZ=UTC printf '%s %s %s %(%FT%TZ)T%s%s\n' "$DEPLOYMENT_ID" "$1" "$digest" -1 "$origin" "${RUN_ID:+ tried}" \
		>>"$app/images"
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

# Gives a release that was named by its commit alone its digest: what we noted when it was shipped, else its tag's, which
# is_of_tag says.  Returns as find_digest.
add_digest() { # RELEASE
	local commit of
	release=$1 is_of_tag=no
	[[ $1 != *@* ]] || return 0
	if [[ -e $app/images ]]; then
		while read -r _ commit of _; do
			[[ $commit != "$1" ]] || release=$1@$of
		done <"$app/images"
	fi
	[[ $release != *@* ]] || return 0
	find_digest "$1" || return "$?"
	[[ $IMAGE_SOURCE == registry ]] || is_noted "$1" pushed || return 1
	release=$1@$digest is_of_tag=yes
}

# ---- clean-up ------------------------------------------------------------------------------------

# Of what never went live so many stay: a try that failed is tried again.
readonly KEEP_TRIED=2 STATE_LIVE='"live": *\[([^]]*)\]'

# Fills kept with the digests that stay: of every environment what is live, what was live before, what is noted as
# running there, the last KEEP_RELEASES that were live, by its state file, also by a rollback to what was made long before,
# as many of those that were made last, and the last KEEP_TRIED of those that never were live;
# of another application's, whose number is its own, all that it has.  Fails where something cannot be read: it may name
# what is needed.
find_kept() {
	local file text rest commit of word live served last seen number tries most most_tried lines commits=' '
	kept=()
	for file in "$STATE_DIRECTORY"/environments/*.json "$STATE_DIRECTORY"/apps/*/before; do
		[[ -e $file ]] || continue
		text=$(cat -- "$file") || cannot_clean "$file"
		if [[ $text =~ $STATE_LIVE ]]; then # those are counted below
			text=${text/"${BASH_REMATCH[0]}"/}
		fi
		text+=$'\n'
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
		lines=$(tac -- "$file") || cannot_clean "$file"
		find_live "$file"
		seen=' ' number=0 tries=0 most=$KEEP_RELEASES most_tried=$KEEP_TRIED
		is_of_application "$file" || most=1000 most_tried=1000
		read -r -a served <<<"${live//[\",]/ }"
		last=" ${served[*]:0:most} "
		while read -r _ commit of _ _ word; do
			[[ $commits != *" $commit "* ]] || keep "$of"
			[[ $seen != *" $of "* ]] || continue
			seen+="$of "
			if [[ $word != tried || $live == *"\"$commit\""* ]]; then
				((++number > most)) && [[ $last != *" $commit "* ]] || keep "$of"
			else
				((++tries > most_tried)) || keep "$of"
			fi
		done <<<"$lines"
	done
}

# Fills live with what was live in an environment, newest first, as its state file has it.
find_live() { # FILE in apps/ENV/
	local state=${1%/*} text=''
	state=$STATE_DIRECTORY/environments/${state##*/}.json
	[[ ! -e $state ]] || text=$(cat -- "$state") || cannot_clean "$state"
	[[ $text =~ $STATE_LIVE ]] && live=${BASH_REMATCH[1]} || live=
}

cannot_clean() { # FILE
	fail "$EXIT_CONFIG" "$1 cannot be read, and may name an image that is needed: nothing old is removed until it can"
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
	local status=0 REGISTRY_AGAIN_SECONDS=0 # a registry that is busy has something better to do
	if [[ $IMAGE_SOURCE == build ]] && command -v docker >/dev/null; then
		bounded "$DOCKER_SECONDS" docker image rm "$image:$1" >/dev/null 2>&1 || true # long gone here
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

# Removes an image, unless somebody keeps it by now.  Nobody waits for more than one: others_wait is yes where somebody did.
remove_image() { # COMMIT DIGEST
	local status=0
	exec 7>>"$STATE_DIRECTORY/apps/images.lock"
	if ! flock --nonblock "$STATE_DIRECTORY/apps/images.turn" flock --nonblock 7; then
		printf 'another environment makes an image: the next deployment cleans up\n'
		others_wait=yes status=1
	else
		find_kept
		! is_kept "$2" && delete_image "$@" || status=1
	fi
	exec 7>&-
	return "$status"
}

# Removes from the registry what this environment pushed, once nobody keeps it: what was found there is whoever's who
# pushed it.
clean_registry() {
	local deployment commit of at origin left=() gone=' ' others_wait=no
	find_kept
	while read -r deployment commit of at origin; do
		[[ $of =~ ^sha256:[0-9a-f]{64}$ && $commit =~ ^[0-9a-f]+$ ]] || continue
		if is_kept "$of"; then
			left+=("$deployment $commit $of $at $origin")
		elif [[ ${origin%% *} == pushed && $gone != *" $of "* ]]; then
			if [[ $others_wait == no ]] && may_remove && remove_image "$commit" "$of"; then
				printf 'removed %s\n' "$image@$of"
				removed "$of"
				gone+="$of "
			else
				left+=("$deployment $commit $of $at $origin")
			fi
		fi
	done <"$app/images"
	printf '%s\n' "${left[@]}" >"$app/images.new" && mv -f -- "$app/images.new" "$app/images"
}
