# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# build.sh - what builds an image here: which builder there is, what a build needs, the build itself.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh and registry.sh come first.

: "${BUILD_SECONDS:=1800}" # compilers; DEPLOY_TIMEOUT_SECONDS is usually shorter

# ---- what it needs -------------------------------------------------------------------------------

# Looks for what a build needs and says which builder there is.  A release may need none, as its image is there: what is
# missing is only a warning then, and build_trouble for who has to build.
check_build() {
	build_trouble=
	: "${BUILD_NO_CACHE:=false}" "${BUILD_PULL:=}" "${BUILD_ARGS:=}" "${BUILD_SECRETS:=}" "${BUILD_TARGET:=}"
	: "${BUILD_PLATFORM:=}" "${BUILD_CONTEXT:=.}" "${DOCKERFILE:=Dockerfile}" "${REGISTRIES:=}"
	[[ $transport_needs == image && $IMAGE_SOURCE == build ]] || return 0
	check_bool BUILD_NO_CACHE
	# With nothing else said this is the build that the reference document has.
	[[ -n $BUILD_PULL || $BUILD_NO_CACHE == false ]] || BUILD_PULL=false
	: "${BUILD_PULL:=true}"
	check_bool BUILD_PULL
	need_tool docker "docker.io; from Debian 13 on docker-cli beside it"
	need_tool git git
	check_registries
	check_build_secrets
	if find_builder; then
		printf 'images are built by %s\n' "$builder_said"
		return 0
	fi
	[[ $act != ask ]] || fail "$EXIT_CONFIG" "$build_trouble"
	warn "$build_trouble"
}

check_build_secrets() {
	local words word
	read -ra words <<<"$BUILD_SECRETS"
	for word in ${words[@]+"${words[@]}"}; do
		check_secret "BUILD_SECRETS (${word%%=*})" "${word#*=}"
	done
}

# Fills builder: classic, buildkit (within the engine), buildx, or max (buildx, and the engine can keep a cache of all
# stages in the registry); builder_said is that in words.  What keeps from building is in build_trouble.
find_builder() {
	local client platform parts
	if ! asked "$DOCKER_SECONDS" "docker version" docker version \
		--format '{{.Client.Version}} {{.Server.Os}}/{{.Server.Arch}} {{range .Server.Components}}{{.Name}},{{end}}'; then
		build_trouble="nothing can be built: the container engine${DOCKER_HOST:+ $DOCKER_HOST} does not answer, see \
docker's words in the log: does it run, may $(id -un) use it (group docker)?"
		return 1
	fi
	read -r client platform parts <<<"$answer"
	choose_builder "${client%%.*}" "$parts"
	if [[ $builder == classic && -n $BUILD_SECRETS ]]; then
		build_trouble="BUILD_SECRETS needs BuildKit, and docker $client has none here: install buildx (Debian: apt-get \
install docker-buildx)"
		return 1
	fi
	builder_said="docker $client, $builder_said"
	[[ $builder == classic || -z ${APPLICATION:-} ]] ||
		builder_said+="; a RUN --mount=type=cache is one for all applications that are built there"
	[[ -z $BUILD_PLATFORM || $BUILD_PLATFORM == "$platform" || $BUILD_PLATFORM == "$platform"/* ]] ||
		warn "BUILD_PLATFORM is $BUILD_PLATFORM, and the engine is $platform: each RUN needs its emulation (Debian: \
qemu-user-static)"
}

choose_builder() { # MAJOR-VERSION-OF-THE-CLIENT PARTS-OF-THE-ENGINE
	builder=classic builder_said="the classic builder with its own cache"
	# podman speaks docker's language, without BuildKit.
	if [[ $2 == *Podman* || ! $1 =~ ^[0-9]{2,4}$ ]]; then
		:
	elif silently "$DOCKER_SECONDS" "docker buildx version" docker buildx version; then
		builder=buildx builder_said="buildx, with the cache that is within the last image"
		if asked "$DOCKER_SECONDS" "docker info" docker info --format '{{.DriverStatus}}' &&
			[[ $answer == *io.containerd.snapshotter* ]]; then
			builder=max builder_said="buildx, with a cache of all stages: $image:deploybot-cache"
		fi
	elif (($1 < 23)); then # later ones need buildx for it
		builder=buildkit builder_said="BuildKit, with the cache that is within the last image"
	fi
	[[ $BUILD_NO_CACHE == false ]] || builder_said="its own choice, without a cache"
}

# ---- build ---------------------------------------------------------------------------------------

# Leaves exactly the commit in $app/build.  World-readable inside, as COPY keeps modes; the folder above is ours alone.
check_out_source() { # COMMIT
	local work=$app/build
	fetch_source "$1"
	rm -rf -- "$work"
	at_exit rm -rf -- "$work"
	(umask 022 && mkdir -- "$work")
	lay_out_umask=022 lay_out "$work" "$1"
	release=$1
	run_hooks pre-build "$EXIT_BUILD" "$work"
	is_inside "$work" "$BUILD_CONTEXT" && [[ -d $work/$BUILD_CONTEXT ]] ||
		fail "$EXIT_BUILD" "$(its_files) has no folder $BUILD_CONTEXT at ${1:0:12}: BUILD_CONTEXT says which one is built"
	is_inside "$work" "$DOCKERFILE" && [[ -f $work/$DOCKERFILE ]] || no_dockerfile "$1"
}

# Does a path of the repository lead to something in it?  A symbolic link may lead out.
is_inside() { # FOLDER PATH
	local folder
	folder=$(readlink -f -- "$1")
	[[ $(readlink -f -- "$1/$2")/ == "$folder"/* ]]
}

# DOCKERFILE counts from the repository's root, whatever folder is built.
no_dockerfile() { # COMMIT
	local there=${BUILD_CONTEXT%/}/$DOCKERFILE says='DOCKERFILE says where it is'
	[[ ! -f $app/build/$there ]] || says="write DOCKERFILE=$there"
	fail "$EXIT_BUILD" "$(its_files) has no $DOCKERFILE at ${1:0:12}: $says"
}

# Adds to build_words what takes layers from earlier builds, and keeps them for later ones.
add_cache() {
	local last='' cache=type=registry,ref=$image:deploybot-cache
	[[ $builder != max ]] || build_words+=(--cache-from "$cache"
		--cache-to "$cache,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true")
	[[ $builder == buildkit || $builder == buildx ]] || return 0
	build_words+=(--build-arg BUILDKIT_INLINE_CACHE=1)
	[[ ! -s $app/images ]] || last=$(awk '$5 == "pushed" { last = $3 } END { print last }' "$app/images")
	[[ ! $last =~ ^sha256:[0-9a-f]{64}$ ]] || build_words+=(--cache-from "$image@$last")
}

# Fills build_words with docker build's options, but what it builds.
find_build_words() {
	local words word
	build_words=()
	[[ $BUILD_NO_CACHE == false ]] || build_words=(--no-cache)
	[[ $BUILD_PULL == true ]] && build_words+=(--pull) || build_words+=(--pull=false)
	[[ $BUILD_NO_CACHE == true ]] || add_cache
	read -ra words <<<"$BUILD_ARGS"
	for word in ${words[@]+"${words[@]}"}; do
		build_words+=(--build-arg "$word")
	done
	read -ra words <<<"$BUILD_SECRETS"
	for word in ${words[@]+"${words[@]}"}; do
		build_words+=(--secret "id=${word%%=*},src=${word#*=}")
	done
	[[ -z $BUILD_TARGET ]] || build_words+=(--target "$BUILD_TARGET")
	[[ -z $BUILD_PLATFORM ]] || build_words+=(--platform "$BUILD_PLATFORM")
}

build_image() { # COMMIT
	local work=$app/build with=(DOCKER_BUILDKIT=1) context
	context=$work
	[[ $BUILD_CONTEXT == . ]] || context+=/$BUILD_CONTEXT
	step build
	log_in
	find_build_words
	[[ $builder != classic ]] || with=(DOCKER_BUILDKIT=0)
	[[ $builder == classic || $BUILD_NO_CACHE == false || -n $BUILD_SECRETS ]] || with=() # as the reference document has it
	# buildx asks git about the folder that it builds, whose files are anybody's who may push.
	with+=(BUILDX_GIT_INFO=false BUILDX_GIT_LABELS=false GIT_DIR=/dev/null)
	run_build env "${WITHOUT_GIT_LOGIN[@]}" "${with[@]}" docker build "${build_words[@]}" \
		--file "$work/$DOCKERFILE" --build-arg "COMMIT=$1" --label "org.opencontainers.image.revision=$1" \
		--tag "$image:$1" "$context"
	rm -rf -- "$work"
}

# As patiently, and what it says is shown at once: again while a registry is busy that it takes a base from.
run_build() { # CMD...
	local said=$app/answer.$act.said text status patience=
	while :; do
		status=0
		# Of what it says on stderr the last words alone are kept: that is where it says why.
		# shellcheck disable=SC2016 # those words are bash's
		quoted "$BUILD_SECONDS" "docker build" bash -c '{
				"${@:2}" 2>&1 >&3 3>&- | { tee >(tail -c 8192 >"$1") >&2; wait "$!"; } 3>&-
				status=${PIPESTATUS[0]}
			} 3>&1; exit "$status"' - "$said" "$@" </dev/null || status=$?
		((status != 0)) || break
		read_all text "$said"
		base_is_busy "$text" ||
			fail "$EXIT_BUILD" "docker build failed with status $status: its last lines are in the log"
		wait_longer "docker build: a registry is busy" '' ||
			fail "$EXIT_REGISTRY" "a registry that the build takes from is busy, also $REGISTRY_AGAIN_SECONDS s later: \
deploy again later: ${base_said:0:200}"
	done
	rm -f -- "$said"
}

# Did it fail for a registry?  A step of the Dockerfile that says such words itself would only fail again.  Fills base_said.
base_is_busy() { # TEXT
	local line error=''
	base_said=
	while IFS= read -r line; do
		line=${line//$'\r'/}
		[[ -z ${line// /} ]] || base_said=$line
		[[ $line != 'ERROR: '* && $line != 'failed to solve'* ]] || error=$line # BuildKit may say more behind it
	done <<<"$1"
	base_said=${error:-$base_said}
	case $base_said in
	*'did not complete successfully'* | *'executor failed running'* | *'returned a non-zero code'*) return 1 ;;
	esac
	[[ ${base_said,,} =~ $BUSY_WORDS ]]
}
