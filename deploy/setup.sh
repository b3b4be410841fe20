#!/bin/bash
# setup.sh - `deploybot-setup`: from an installed package to a first `/deploy staging`, by questions or --answers FILE.
# deploybot-setup [OPTION...]                  - sets up this installation, or goes on with what is there
# deploybot-setup [OPTION...] app NAME         - one more application: apps/NAME.env
# deploybot-setup [OPTION...] host [APP/]ENV   - one more host of an environment
# deploybot-setup [OPTION...] webhooks NAME    - from polling to webhooks, at https://NAME behind nginx
# deploybot-setup [OPTION...] alerts           - who is notified of what goes wrong, and who rings when this machine is off
# deploybot-setup [OPTION...] rotate [[APP/]ENV] - new deploy keys, here and on the hosts; of one environment: the key that it has
# deploybot-setup [OPTION...] check            - asks whether all is there; changes nothing, but --stamp's two stamps
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2031 # what a subshell is given is its own
# Everything is asked, looked at and prepared before anything here is changed: an end before that leaves the installation
# as it was, and a draft in FOLDER/setup with which the next try goes on.
set -euo pipefail
shopt -s extglob
here=$(readlink -f -- "${BASH_SOURCE[0]}")
here=${here%/*}
# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/setup/ask.sh
. "$here/setup/ask.sh"
# shellcheck source=deploy/setup/questions.sh
. "$here/setup/questions.sh"
# shellcheck source=deploy/setup/health.sh
. "$here/setup/health.sh"
# shellcheck source=deploy/setup/settings.sh
. "$here/setup/settings.sh"
# shellcheck source=deploy/setup/hosts.sh
. "$here/setup/hosts.sh"
# shellcheck source=deploy/setup/around.sh
. "$here/setup/around.sh"
# shellcheck source=deploy/setup/start.sh
. "$here/setup/start.sh"
# shellcheck source=deploy/setup/alerts.sh
. "$here/setup/alerts.sh"
# shellcheck source=deploy/setup/rotate.sh
. "$here/setup/rotate.sh"

readonly USAGE="usage: deploybot-setup [--folder FOLDER] [--answers FILE] [--anew] [--no-start] [--stamp] \
[app NAME | host [APP/]ENV | webhooks NAME | alerts | rotate [[APP/]ENV] | check]"
readonly FOLDER_INSTALLED=/etc/deploybot

folder=$FOLDER_INSTALLED answers='' starts=yes anew=no stamps=no act=setup name='' application='' first_name='' changed=no
untouched="nothing here was changed; the same command goes on with what was answered, with --anew it asks all of it again"

# ---- where and who ---------------------------------------------------------------------------------

read_words() { # WORD...
	while (($# > 0)); do
		case $1 in
		--folder | --answers)
			[[ $# -ge 2 && -n $2 ]] || fail "$EXIT_INPUT" "$USAGE"
			[[ $1 == --folder ]] && folder=$2 || answers=$2
			shift
			;;
		--anew) anew=yes ;;
		--no-start) starts=no ;;
		--stamp) stamps=yes ;;
		-h | --help | help)
			printf '%s\n' "$USAGE"
			sed -n 's/^# \(deploybot-setup \)/  \1/p' "$here/setup.sh"
			exit 0
			;;
		check | alerts) act=$1 ;;
		rotate)
			act=$1
			[[ $# -lt 2 || $2 == -* ]] || { name=$2 && shift; }
			;;
		app | host | webhooks)
			[[ $# -ge 2 && -n $2 ]] || fail "$EXIT_INPUT" "$USAGE"
			act=$1 name=$2
			shift
			;;
		*) fail "$EXIT_INPUT" "$USAGE" ;;
		esac
		shift
	done
}

# Fills what is where, and whose.  In a folder of one's own there is one user alone.
find_installation() {
	[[ -d $folder ]] || fail "$EXIT_CONFIG" "there is no folder $folder: install deploybot first, or make it"
	folder=$(cd -P -- "$folder" && pwd)
	server_user=$(me) runner_user=$server_user
	if [[ $folder == "$FOLDER_INSTALLED" ]]; then
		((EUID == 0)) ||
			fail "$EXIT_CONFIG" "this changes $folder: put sudo before it, or name a folder of your own with --folder"
		server_user=deploybot runner_user=deploybot-runner
		getent passwd "$server_user" "$runner_user" >/dev/null ||
			fail "$EXIT_CONFIG" "there are no users $server_user and $runner_user: systemd-sysusers deploybot.conf"
	fi
	[[ $act == check || -w $folder ]] || fail "$EXIT_CONFIG" "$folder cannot be written by $(me)"
	find_runner
	program=$(readlink -f -- "$runner")
	program=${program%/*}/deploybot
	conf=$folder/deploybot.conf draft=$folder/setup secrets=$folder/secrets candidate=$folder/.deploybot.conf.setup
	target=$conf conf_there=$conf conf_owner=$(id -u):$(id -g -- "$server_user")
	setting_there SSH_KEY_PATH "$conf"
	key_final=${said:-$secrets/runner/deploy_key}
	setting_there SSH_KNOWN_HOSTS "$conf"
	known_final=${said:-$secrets/runner/known_hosts}
	[[ $folder != "$FOLDER_INSTALLED" || -d $secrets/server && -d $secrets/runner ]] ||
		fail "$EXIT_CONFIG" "$secrets has no folders server and runner: systemd-tmpfiles --create deploybot.conf"
}

# The file alone says nothing: the package brings one.  What is below /run is there while its service runs, or is fetched.
need_set_up() {
	setting_there TELEGRAM_BOT_TOKEN "$conf"
	[[ -z $said ]] || return 0
	setting_there TELEGRAM_BOT_TOKEN_FILE "$conf"
	[[ -n $said && (-s $said || $said == /run/*) ]] ||
		fail "$EXIT_CONFIG" "$conf names no bot's token that is there: first deploybot-setup, without $act"
}

# One at a time, whatever it is at.
begin_draft() {
	exec 9<"$folder"
	flock -n 9 || fail "$EXIT_BUSY" "another deploybot-setup is at work on $folder"
	# Hosts may have the key that was made: another one would be one more that they let in.
	[[ $anew == no || ! -d $draft ]] || find "$draft" -mindepth 1 ! -name 'deploy_key*' -delete
	mkdir -p -- "$draft"
	chmod 0711 -- "$draft" # whose keys are tried may read the keys of hosts in it, and nothing else
	trap on_exit EXIT
	catch_ends
	[[ ! -t 0 ]] || at_exit stty echo
	at_exit rm -f -- "$candidate" "$draft/said" "$draft/shown" "$draft/new.conf"
	[[ ! -f $draft/answers ]] || read_answers drafted "$draft/answers"
	[[ ! -f $draft/refused ]] || read_answers refused "$draft/refused"
	if [[ -n $answers ]]; then
		open_answers "$answers"
		forget_answers
	fi
	known=$draft/known_hosts
	: >>"$draft/confirmed"
	cat -- "$draft/confirmed" >"$known"
	[[ ! -f $known_final ]] || cat -- "$known_final" "$draft/confirmed" >"$known"
	chmod 0644 -- "$known"
}

catch_ends() {
	trap 'end_by_signal 143' TERM
	trap 'end_by_signal 130' INT
	trap 'end_by_signal 129' HUP
}

end_by_signal() { # STATUS
	trap : TERM INT HUP
	printf '\n' >&2
	say '%s' "ended by a signal: $untouched" >&2
	exit "$1"
}

# A file of answers says everything, but who has opened the link.
forget_answers() {
	local admin=${drafted[ADMIN_TELEGRAM_IDS]:-}
	drafted=() refused=()
	[[ -z $admin ]] || drafted[ADMIN_TELEGRAM_IDS]=$admin
	rm -f -- "$draft"/secret.* "$draft/refused"
}

# An installation without a settings file: that of another folder.
begin_settings() {
	[[ ! -f $conf ]] || return 0
	conf_there=$draft/new.conf
	printf '# Settings of deploybot: deploybot.conf(5); deploybot check-config says what is wrong with them.\n' >"$conf_there"
	[[ $folder != "$FOLDER_INSTALLED" ]] || return 0
	want[STATE_DIRECTORY]=$folder/state
	want[AUDIT_LOG_PATH]=$folder/state/audit.log
	want[LOCAL_SOCKET]=$folder/state/local.sock
}

# ---- the end ---------------------------------------------------------------------------------------

# Fills environments with those of all applications, as they are called on the command line.
list_environments() {
	local file own=() main
	setting_there ENVIRONMENTS "$conf"
	main=${said:-staging,production}
	environments=()
	has_applications || IFS=', ' read -r -a environments <<<"$main"
	for file in "$folder"/apps/*.env; do
		[[ -f $file ]] || continue
		setting_there ENVIRONMENTS "$file"
		IFS=', ' read -r -a own <<<"${said:-$main}"
		file=${file##*/}
		environments+=("${own[@]/#/${file%.env}/}")
	done
}

# What /metrics shows of the nightly check, where the server looks for it; as that one's user: in its folder root makes
# nothing.
stamp() { # begun|passed
	[[ $stamps == yes ]] || return 0
	setting_there STATE_DIRECTORY "$conf"
	as "$server_user" touch -- "${said:-/var/lib/deploybot}/check.$1" || stamped=no
}

# The stamp that the alert on old backups looks at is the backup's own: what brings it elsewhere, an ExecStartPost= of that
# unit, may fail behind it each night.  A unit's failure stands until it is started again.
check_backup() {
	! systemctl --quiet is-failed deploybot-backup.service 2>/dev/null && return 0
	warn "deploybot-backup.service has failed: the backup, or what brings it elsewhere: \
journalctl -u deploybot-backup says why; then systemctl start deploybot-backup"
	return 1
}

# Without it a secret that was changed where it is kept stays the old one here.
check_secrets() {
	! systemctl --quiet is-failed deploybot-secrets.service 2>/dev/null && return 0
	warn "deploybot-secrets.service has failed, so secrets are not fetched: journalctl -u deploybot-secrets says why"
	return 1
}

# Days of the audit log without a timestamp, where an authority is named.
check_timestamps() {
	[[ -e $folder/timestamp.conf ]] || return 0
	say '\n==> timestamps of the audit log, as %s' "$server_user"
	as "$server_user" env -i "PATH=$PATH" "$here/timestamp.sh" --check "$folder/timestamp.conf"
}

# Everything that can be asked, as those ask who will need it.
check() {
	local environment bad=0 home stamped=yes status
	[[ -f $conf ]] || fail "$EXIT_CONFIG" "there is no $conf: deploybot-setup makes it"
	stamp begun # where that cannot be written the look is made all the same
	say '\n==> doctor, as %s' "$server_user"
	as "$server_user" env -i "PATH=$PATH" LANG=C.UTF-8 HOME=/ "$program" --env-file "$conf" doctor || bad=1
	home=$(getent passwd "$runner_user" | cut -d: -f6)
	for environment in "$@"; do
		say '\n==> doctor %s, as %s' "$environment" "$runner_user"
		status=0
		as "$runner_user" env -i "PATH=$PATH" LANG=C.UTF-8 "HOME=${home:-/}" \
			"$program" --env-file "$conf" doctor "$environment" || status=$?
		if ((status == 77)); then # of a remote runner's, and of what agents release to, the server knows, which root asks
			status=0
			env -i "PATH=$PATH" LANG=C.UTF-8 HOME=/ "$program" --env-file "$conf" doctor "$environment" || status=$?
		fi
		((status == 0)) || bad=1
	done
	check_backup || bad=1
	check_secrets || bad=1
	check_timestamps || bad=1
	[[ $bad == 1 || $stamped == no ]] || stamp passed
	[[ $stamped == yes ]] || warn "STATE_DIRECTORY: no stamp could be written there, so alerts do not know of this check: \
does a ReadWritePaths= of the unit have that folder?"
	((bad == 0)) || fail "$EXIT_CONFIG" "something is not there yet: see above what to do, then: deploybot-setup check"
	[[ $stamped == yes ]] || fail "$EXIT_CONFIG" "all is there, and only the stamp could not be written: see above"
}

setup() {
	begin_draft
	begin_settings
	begin_want
	check_beginning
	if [[ -z ${want[GITHUB_REPOSITORY]:-}${want[REPOSITORY_URL]:-} ]] && has_applications; then
		ask_bot
		ask_admin
		[[ $(look_at_candidate) != *' REGISTRY_URL: is not set,'* ]] || ask_registry
		find_key
		commit
	else
		ask_repository
		ask_bot
		ask_admin
		ask_token_of_repository
		ask_registry
		set_up_hosts
		commit
	fi
	let_build
	start
	list_environments
	check "${environments[@]}"
	if [[ $starts == yes && $folder == "$FOLDER_INSTALLED" ]]; then
		say '\nNow write to the bot: /deploy %s' "${environments[0]}"
		[[ ${environments[*]} != staging ]] || say 'Once production has a host: deploybot-setup, typed again, asks for it'
		say 'Later: deploybot-setup webhooks NAME (pushes arrive at once), deploybot-setup alerts (trouble is sent)'
	else
		say '\nNow start it: %s --env-file %s; then write to the bot: /deploy %s' "$program" "$conf" "${environments[0]}"
	fi
}

# Applications with files of their own, and none in the settings file.
has_applications() {
	local found
	setting_there GITHUB_REPOSITORY "$conf_there"
	found=$said
	setting_there REPOSITORY_URL "$conf_there"
	[[ -z $found$said ]] && compgen -G "$folder/apps/*.env" >/dev/null
}

set_up_hosts() {
	local environment by_ssh
	ask_environments
	find_key
	((${#by_ssh[@]} > 0)) || return 0
	hosts=() ports=()
	for environment in "${by_ssh[@]}"; do
		add_direct_hosts "$environment"
	done
	ask_jump
	ask_health
	for environment in "${by_ssh[@]}"; do
		set_health "$environment"
	done
	warn_of_shared_health
	check_all || fail "$EXIT_CONFIG" "check-config does not take the answers together: $untouched"
	ask_login
	prepare_environments
}

# One more application, whose file is its own.
set_up_application() {
	application=$1 target=$folder/apps/$1.env draft=$folder/setup.$1 candidate=$folder/setup.$1/apps/$1.env conf_there=$target
	[[ $1 =~ ^[a-z][a-z0-9-]{0,19}$ ]] ||
		fail "$EXIT_INPUT" "${1@Q} is no name of an application: a-z, then up to 19 of a-z 0-9 -"
	need_set_up
	begin_draft
	begin_application
	take_given
	check_beginning
	name_first
	ask_repository
	ask_token_of_repository
	name_image
	set_up_hosts
	commit
	check "${environments[@]/#/$application/}"
	say '\nNow write to the bot: /deploy %s' "$application/${environments[0]}"
}

# Beside the others, as it will stand.
begin_application() {
	mkdir -p -- "$draft/apps"
	rm -f -- "$draft"/apps/*.env
	! compgen -G "$folder/apps/*.env" >/dev/null || cp -- "$folder"/apps/*.env "$draft/apps/"
	if [[ ! -f $conf_there ]]; then
		conf_there=$draft/new.conf
		printf '# Settings of the application %s, beside those of %s.\n' "$application" "$conf" >"$conf_there"
	fi
}

check_name() { # NAME
	[[ $said =~ ^[a-z][a-z0-9-]{0,19}$ && $said != "$application" ]] && return 0
	warn "$1: a-z, then up to 19 of a-z 0-9 -, and another name than $application"
	return 1
}

# Beside an application with a name the one without needs one.
name_first() {
	local there=''
	setting_there REPOSITORY_URL "$conf"
	there=$said
	[[ -n $there ]] || { setting_there GITHUB_REPOSITORY "$conf" && there=$said; }
	[[ -n $there ]] || return 0
	there=${there%.git}
	there=${there##*[/:]}
	ask SETUP_FIRST_NAME "${there,,}" check_name "What is the application called that is there already?" \
		"Its environments are called by it then, as NAME/staging; history and what is live go on"
	first_name=$said
}

# One more host of an environment that has some.
set_up_host() {
	local environment=${1##*/} setting list fresh through reach
	[[ $1 != */* ]] || application=${1%/*}
	check_environment_name "$1"
	draft=$folder/setup.host.${application:+$application.}$environment # what is typed for staging is not production's
	[[ -z $application ]] || target=$folder/apps/$application.env candidate=$draft/apps/$application.env
	conf_there=$target
	need_set_up
	[[ -f $target ]] || fail "$EXIT_CONFIG" "there is no $target: deploybot application list says which applications there are"
	setting=$(name_of "$environment" HOST)
	begin_draft
	[[ -z $application ]] || begin_application
	take_given
	check_beginning
	setting_there "$setting" "$target"
	list=$said
	[[ -n $list ]] || fail_without_hosts "$1" "$environment"
	find_key
	ask SETUP_HOST '' check_new_host "Which host does $1 get? HOST or HOST:PORT" \
		"Releases go there too, behind the others: $list"
	fresh=$said hosts=() ports=()
	find_way_in "$environment"
	if [[ -z $through ]]; then
		add_hosts "$fresh"
		ask_jump
		find_way_in "$environment"
	fi
	hosts=() ports=()
	add_hosts "$fresh"
	find_health "$environment" "$list"
	check_all || fail "$EXIT_CONFIG" "check-config does not take the answers together: $untouched"
	ask_login
	confirm_keys "$through"
	value_of "$(name_of "$environment" COMPOSE_DIR)" "/srv/${application:-app}"
	prepare_as_the_others "$said"
	commit
	check "$1"
}

# Its compose file is to publish what the first host's does.
prepare_as_the_others() { # FOLDER
	local host=${hosts[0]} port=${ports[0]}
	hosts=() ports=()
	add_hosts "$list"
	learn_inside "${hosts[0]}" "${ports[0]}" "$1"
	prepare "$host" "$port" "$1"
}

# Its first host is not added but asked for, with its health check.
fail_without_hosts() { # [APP/]ENV ENV
	local list offered hint="deploybot-setup${application:+ app $application}, typed again, asks where $2 runs"
	list_asked
	if [[ -z $application ]] && has_applications; then
		fail "$EXIT_INPUT" "name its application too: deploybot-setup host APP/$2"
	fi
	[[ " ${list[*]} " == *" $2 "* ]] || hint="write $2 into its ENVIRONMENTS, behind the others; then $hint"
	fail "$EXIT_CONFIG" "$target has no $setting, so $1 has no first host yet: $hint"
}

check_new_host() { # NAME
	local typed=$said bad=0
	[[ -n $typed && $typed != *,* ]] || { warn "$1: one host"; return 1; }
	said=$list,$typed
	check_setting "$setting" || bad=1
	said=$typed
	((bad == 0)) && check_found "$1"
}

# Its health URL is made as the first one's.
find_health() { # ENV LIST
	local setting urls first=${2%%,*} fresh=${hosts[0]}
	setting=$(name_of "$1" HEALTH_URL)
	setting_there "$setting" "$target"
	urls=$said health=8080/health inside=''
	[[ $first == \[* ]] && first=${first%%]*}] || first=${first%%:*}
	[[ $fresh != *:* ]] || fresh="[$fresh]"
	if [[ ${urls%%,*} =~ ^(https?://)(.*)$ && ${BASH_REMATCH[2]} == "$first"[:/]* ]]; then
		first=${BASH_REMATCH[2]#"$first"}
		said=$urls,${BASH_REMATCH[1]}$fresh$first
		[[ ! $first =~ ^:([0-9]+)/ ]] || health=${BASH_REMATCH[1]}/
		check_setting "$setting" || fail "$EXIT_CONFIG" "$setting: no address can be made of the new host: $untouched"
		need_free_port "${want[$setting]##*,}" "$setting"
	elif [[ -n $urls ]]; then
		warn "$setting asks other names than the hosts': add the new host's address to it, where it has one"
	fi
}

read_words "$@"
umask 077
find_installation
case $act in
setup) setup ;;
app) set_up_application "$name" ;;
host) set_up_host "$name" ;;
webhooks) set_up_webhooks "$name" ;;
alerts) set_up_alerts ;;
rotate) rotate "$name" ;;
check)
	list_environments
	check "${environments[@]}"
	;;
esac
