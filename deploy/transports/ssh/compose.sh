# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# compose.sh - what goes to hosts with docker compose: the program, the settings, and a commit's compose file.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh.  Takes the way there from hosts.sh, from calls.sh how a program is packed, and the verdict from judge.sh.

# Of a compose file from the repository; judge.h has it too.
readonly COMPOSE_FILE_MAX=65536

# ---- settings ------------------------------------------------------------------------------------

# Fills ssh_common, what every act is told.
ssh_find_settings() {
	: "${COMPOSE_SERVICE:=app}" "${COMPOSE_SERVICES:=}" "${REMOTE_LOGIN:=true}"
	: "${COMPOSE_SOURCE:=host}" "${COMPOSE_REPO_FILE:=docker-compose.yml}" "${COMPOSE_REPO_TRUSTED:=false}" "${COMPOSE_ALLOW:=}"
	: "${DEPLOY_STRATEGY:=recreate}" "${NGINX_RELOAD_COMMAND:=sudo -n nginx -s reload}"
	: "${APP_PORTS:=8001,8002}" "${DRAIN_SECONDS:=10}" "${SMOKE_URL:=}"
	check_bool REMOTE_LOGIN
	ssh_find_reach
	find_setting ssh_dir "$environment" COMPOSE_DIR
	ssh_dir=${ssh_dir:-/srv/app}
	ssh_dir=${ssh_dir%/}
	ssh_common=("environment=$environment" "dir=$ssh_dir" "service=$COMPOSE_SERVICE" "strategy=$DEPLOY_STRATEGY"
		"start=$START_SECONDS" ${ssh_run:+"$ssh_run"})
	[[ -z $former ]] || ssh_common+=("former=$former")
	[[ -z $COMPOSE_SERVICES ]] || ssh_common+=("services=${COMPOSE_SERVICES// /}")
	[[ $COMPOSE_SOURCE == host ]] || ssh_find_source
	case $DEPLOY_STRATEGY in
	recreate)
		[[ $SMOKE_URL != *'{port}'* ]] ||
			fail "$EXIT_CONFIG" "SMOKE_URL has {port}, which only DEPLOY_STRATEGY=bluegreen knows"
		;;
	bluegreen) ssh_find_nginx ;;
	esac
}

# The compose file comes from the repository.
ssh_find_source() {
	local words
	[[ $COMPOSE_SOURCE == repo ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is neither host nor repo: ${COMPOSE_SOURCE@Q}"
	check_bool COMPOSE_REPO_TRUSTED
	[[ $COMPOSE_REPO_TRUSTED == true ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo: who can push to the repository decides \
then what runs on the hosts of $environment. If that is meant, set COMPOSE_REPO_TRUSTED=true"
	read -r -a words <<<"$COMPOSE_ALLOW"
	ssh_common+=(source=repo)
	[[ -z $COMPOSE_ALLOW ]] || ssh_common+=("allow=$(IFS=,; printf '%s' "${words[*]}")")
}

ssh_find_nginx() {
	[[ -n ${NGINX_UPSTREAM_FILE:-} ]] ||
		fail "$EXIT_CONFIG" "DEPLOY_STRATEGY=bluegreen needs NGINX_UPSTREAM_FILE: what nginx there includes"
	ssh_common+=("ports=$APP_PORTS" "upstream=$NGINX_UPSTREAM_FILE" "drain=$DRAIN_SECONDS")
}

# What serves would answer for the release beside it.
ssh_check_smoke() {
	[[ $DEPLOY_STRATEGY != bluegreen || -z $SMOKE_URL || $SMOKE_URL == *'{port}'* ]] || fail "$EXIT_CONFIG" "SMOKE_URL has no \
{port}, and DEPLOY_STRATEGY is bluegreen: the release that serves would answer for the new one; write http://127.0.0.1:{port}/PATH"
}

# ---- what is sent --------------------------------------------------------------------------------

# Once: what each call sends.
ssh_prepare() {
	local more=()
	[[ -z ${ssh_folder:-} ]] || return 0
	# A host parses all that it is sent, with each act.
	[[ $DEPLOY_STRATEGY != bluegreen ]] || more=("$here/transports/ssh-host/bluegreen.sh")
	ssh_make_folder "$here/busy.sh" \
		"$here"/transports/ssh-host/{base,containers,up,images,file,kept,paths,services,ports,recreate}.sh \
		${more[@]+"${more[@]}"} "$here"/transports/ssh-host/{acts,guard,main}.sh
	ssh_write_settings ''
}

# What stands behind the program; the compose file only where a host may have to keep it.
ssh_write_settings() { # COMPOSE-FILE in base64
	local pull_user='' pull_password='' password=''
	printf '%s\n' '' '' "$SMOKE_URL" "$NGINX_RELOAD_COMMAND" "$1" "$ssh_paths" >"$ssh_folder/settings"
	[[ $REMOTE_LOGIN == false || $reads == logs ]] || find_pull_login
	[[ -z $pull_user ]] || read_line password "$pull_password"
	# No other act needs the login: a host that pulls nothing never sees it.
	printf '%s\n' "$pull_user" "$password" "$SMOKE_URL" "$NGINX_RELOAD_COMMAND" "$1" '' >"$ssh_folder/settings.pull"
}

# Sends the compose file of the commit with what comes next, once its text is judged; fills ssh_origin, which says what it is.
ssh_find_file() {
	local text=''
	ssh_origin=''
	[[ $COMPOSE_SOURCE == repo ]] && ! is_upload || return 0
	need_tool git git
	find_repository
	[[ -n $repository ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo, and the compose file is taken from our mirror of the \
repository, with IMAGE_SOURCE=registry too: set GITHUB_REPOSITORY or REPOSITORY_URL"
	git_setup "$here"
	if [[ -z $commit ]]; then
		[[ $act == rollback ]] || # to what ran before deploybot: with the host's
			printf 'a release brings its own compose file: %s of %s\n' "$COMPOSE_REPO_FILE" "${repository##*@}"
		return "$?"
	fi
	ssh_origin=${commit:0:12}:$COMPOSE_REPO_FILE
	ssh_prepare
	if [[ $act == deploy ]]; then
		fetch_commit "$commit"
		ssh_take_file
		[[ -z $file_trouble ]] || fail "$EXIT_INPUT" "$file_trouble"
	else # the hosts have kept it, or most of them
		[[ $(mirror_commit "$commit") == "$commit" ]] || return 0
		ssh_take_file
		[[ -z $file_trouble ]] || return 0
	fi
	ssh_judge_text
	text=$(base64 -w 0 <"$ssh_folder/compose")
	ssh_write_settings "$text"
}

# Leaves the commit's compose file in ssh_folder/compose; what keeps from that is in file_trouble.
ssh_take_file() {
	local mode kind object size where="$COMPOSE_REPO_FILE of ${commit:0:12}"
	file_trouble=
	read -r mode kind object size _ < <(in_mirror ls-tree -l --full-tree "$commit" -- "$COMPOSE_REPO_FILE") ||
		mode=000000
	case $mode in
	100644 | 100755)
		if ((size == 0 || size > COMPOSE_FILE_MAX)); then
			file_trouble="$where has $size bytes, and a compose file may have 1 to $COMPOSE_FILE_MAX"
		else
			in_mirror cat-file blob "$object" >"$ssh_folder/compose" ||
				file_trouble="git cannot read $where: see the log"
		fi
		;;
	120000) file_trouble="$where is a symbolic link, which may lead out of the repository: put the file itself there" ;;
	000000) file_trouble="the repository has no $where: COMPOSE_REPO_FILE says where the compose file is" ;;
	*) file_trouble="$where is no file: COMPOSE_REPO_FILE says where the compose file is" ;;
	esac
}
