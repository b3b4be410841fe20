#!/bin/bash
# setup.sh - `deploybot-setup`: from an installed package to a first `/deploy staging`, by questions or --answers FILE.
# deploybot-setup [OPTION...]                  - sets up this installation, or goes on with what is there
# deploybot-setup [OPTION...] app NAME         - one more application: apps/NAME.env
# deploybot-setup [OPTION...] host [APP/]ENV   - one more host of an environment
# deploybot-setup [OPTION...] check            - asks whether all is there; changes nothing
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2030,SC2031 # what a subshell is given is its own
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
# shellcheck source=deploy/setup/settings.sh
. "$here/setup/settings.sh"
# shellcheck source=deploy/setup/hosts.sh
. "$here/setup/hosts.sh"

readonly UNITS=(deploybot.socket deploybot-local.socket deploybot-runner.service deploybot.service)
readonly USAGE="usage: deploybot-setup [--folder FOLDER] [--answers FILE] [--no-start] [app NAME | host [APP/]ENV | check]"
readonly FOLDER_INSTALLED=/etc/deploybot

folder=$FOLDER_INSTALLED answers='' starts=yes act=setup name=''
untouched="nothing here was changed"

# ---- where and who ---------------------------------------------------------------------------------

read_words() { # WORD...
	while (($# > 0)); do
		case $1 in
		--folder | --answers)
			[[ $# -ge 2 && -n $2 ]] || fail "$EXIT_INPUT" "$USAGE"
			[[ $1 == --folder ]] && folder=$2 || answers=$2
			shift
			;;
		--no-start) starts=no ;;
		-h | --help | help)
			printf '%s\n' "$USAGE"
			exit 0
			;;
		check) act=check ;;
		app | host)
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
		((EUID == 0)) || fail "$EXIT_CONFIG" "this changes $folder: put sudo before it, or name a folder of your own with --folder"
		server_user=deploybot runner_user=deploybot-runner
		getent passwd "$server_user" "$runner_user" >/dev/null ||
			fail "$EXIT_CONFIG" "there are no users $server_user and $runner_user: systemd-sysusers deploybot.conf"
	fi
	[[ -w $folder ]] || fail "$EXIT_CONFIG" "$folder cannot be written by $(me)"
	find_runner
	program=$(readlink -f -- "$runner")
	program=${program%/*}/deploybot
	conf=$folder/deploybot.conf draft=$folder/setup secrets=$folder/secrets candidate=$folder/.deploybot.conf.setup
	conf_there=$conf conf_owner=$(id -u):$(id -g -- "$server_user")
	key_final=$secrets/runner/deploy_key known_final=$secrets/runner/known_hosts
}

# One at a time.
begin_draft() {
	(umask 077 && mkdir -p -- "$draft" && exec 9>>"$draft/lock")
	chmod 0711 -- "$draft" # whose keys are tried may read the keys of hosts in it
	exec 9>>"$draft/lock"
	flock -n 9 || fail "$EXIT_BUSY" "another deploybot-setup is at work on $folder"
	trap on_exit EXIT
	trap 'end_by_signal 143' TERM
	trap 'end_by_signal 130' INT
	trap 'end_by_signal 129' HUP
	at_exit rm -f -- "$candidate" "$draft/said" "$draft/shown" "$draft/new.conf"
	[[ ! -f $draft/answers ]] || read_answers drafted "$draft/answers"
	[[ -z $answers ]] || open_answers "$answers"
	known=$draft/known_hosts
	[[ -f $known ]] || copy_known
	chmod 0644 -- "$known"
}

copy_known() {
	if [[ -f $known_final ]]; then
		cat -- "$known_final" >"$known"
	else
		: >"$known"
	fi
}

end_by_signal() { # STATUS
	trap : TERM INT HUP
	printf '\n' >&2
	say '%s' "ended by a signal: $untouched; the same command goes on with what was answered" >&2
	exit "$1"
}

# An installation without a settings file: that of another folder.
begin_settings() {
	[[ ! -f $conf ]] || return 0
	conf_there=$draft/new.conf
	printf '# Settings of deploybot: deploybot.conf(5), or deploybot check-config, which says what is wrong with them.\n' >"$conf_there"
	[[ $folder != "$FOLDER_INSTALLED" ]] || return 0
	want[STATE_DIRECTORY]=$folder/state
	want[AUDIT_LOG_PATH]=$folder/state/audit.log
	want[LOCAL_SOCKET]=$folder/state/local.sock
}

# ---- values ----------------------------------------------------------------------------------------

# Fills `said` with what the file is to have of NAME, or has already.
value_of() { # NAME DEFAULT
	if [[ -v want[$1] ]]; then
		said=${want[$1]}
	else
		setting_there "$1" "$conf_there"
	fi
	said=${said:-$2}
}

# Of --answers goes into the file what is no question of ours, as it stands; a secret never does.
take_given() {
	local name
	for name in "${!given[@]}"; do
		case $name in
		SETUP_*) ;;
		TELEGRAM_BOT_TOKEN | REPOSITORY_TOKEN | REGISTRY_PASSWORD) ;;
		*_TOKEN | *_SECRET | *_PASSWORD | *_API_HASH)
			fail "$EXIT_CONFIG" "$answers: $name is a secret, and no file but its own has it: put it there, and set ${name}_FILE"
			;;
		*) want[$name]=${given[$name]} ;;
		esac
	done
}

# Where a secret is to be, when there is one; what is in the draft gets there at the end.
place_secret() { # NAME server|runner
	local path=$secrets/$2/${1,,}
	unset "staged[$1_FILE]"
	[[ -n $secret_file ]] || return 0
	if [[ $secret_file == "$draft"/* ]]; then
		staged[$1_FILE]=$secret_file want[$1_FILE]=$path
	else
		want[$1_FILE]=$secret_file
	fi
}

# Fills `said` with the file that holds a secret now.
secret_there() { # NAME
	value_of "$1_FILE" ''
}

# ---- questions -------------------------------------------------------------------------------------

check_repository() { # NAME
	local pattern='^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$' typed=$said
	if [[ -z $typed ]]; then
		warn "$1: an answer is needed"
		return 1
	fi
	unset "want[GITHUB_REPOSITORY]" "want[REPOSITORY_URL]"
	if [[ $typed =~ $pattern ]]; then
		want[REPOSITORY_URL]=''
		check_setting GITHUB_REPOSITORY
	else
		want[GITHUB_REPOSITORY]=''
		check_setting REPOSITORY_URL
	fi
}

ask_repository() {
	local there
	value_of REPOSITORY_URL ''
	there=$said
	[[ -n $there ]] || { value_of GITHUB_REPOSITORY '' && there=$said; }
	[[ -z $there || ! -v given[GITHUB_REPOSITORY] && ! -v given[REPOSITORY_URL] ]] || given[SETUP_REPOSITORY]=$there
	ask SETUP_REPOSITORY "$there" check_repository "Which repository? OWNER/NAME at GitHub, or a URL" \
		"It needs a Dockerfile; the branch develop becomes staging, main production (man deploybot.conf has others)"
}

# The token as check-config takes it, and as Telegram does.
check_token() { # NAME
	local words
	place_secret "$1" server
	said=${want[TELEGRAM_BOT_TOKEN_FILE]}
	check_setting TELEGRAM_BOT_TOKEN_FILE || return 1
	make_candidate
	if ! words=$(deploybot --env-file "$candidate" webhook info 2>&1); then
		warn "$1: ${words##*$'\n'} (@BotFather shows the token at /token)"
		return 1
	fi
}

ask_bot() {
	secret_there TELEGRAM_BOT_TOKEN
	ask_secret TELEGRAM_BOT_TOKEN "$said" required check_token "The bot's token: write /newbot to @BotFather in Telegram" \
		"Whoever has it is the bot: it goes into a file of deploybot's own user"
}

# The first admin proves himself by a link; where that cannot be, the id is typed.
ask_admin() {
	local id
	value_of ADMIN_TELEGRAM_IDS ''
	[[ ! -v drafted[ADMIN_TELEGRAM_IDS] || -v given[ADMIN_TELEGRAM_IDS] ]] || said=${drafted[ADMIN_TELEGRAM_IDS]}
	if [[ -n $said && $said != 1 ]]; then
		check_setting ADMIN_TELEGRAM_IDS || fail "$EXIT_CONFIG" "ADMIN_TELEGRAM_IDS is wrong: correct it, and begin again"
		return 0
	fi
	want[ADMIN_TELEGRAM_IDS]=1 # nobody yet: the rest can be looked at
	make_candidate
	if [[ -f $conf ]] && deploybot --env-file "$conf" healthcheck >/dev/null 2>&1; then
		say '\nThe server is running, and receives what is written to the bot: write /whoami to it.'
	elif id=$(deploybot --env-file "$candidate" first-admin) && [[ $id =~ ^[1-9][0-9]*$ ]]; then
		say 'The first admin has the Telegram id %s.' "$id"
		want[ADMIN_TELEGRAM_IDS]=$id
		keep_draft ADMIN_TELEGRAM_IDS "$id"
		return 0
	fi
	[[ -z $answers ]] || fail "$EXIT_CONFIG" "the first admin is not known: ADMIN_TELEGRAM_IDS in $answers says who: $untouched"
	ask ADMIN_TELEGRAM_IDS '' check_needed "The first admin's Telegram id" "Any bot that shows ids says it, this one at /whoami"
}

# Which are to be written to the file, where it does not say it yet, before what needs them is looked at.
begin_want() {
	take_given
	[[ -v want[ADMIN_TELEGRAM_IDS] ]] || { setting_there ADMIN_TELEGRAM_IDS "$conf_there" && [[ -n $said ]]; } ||
		want[ADMIN_TELEGRAM_IDS]=1
	[[ $folder != "$FOLDER_INSTALLED" ]] || want[RUNNER_SOCKET]=/run/deploybot-runner/runner.sock
	want[SSH_KEY_PATH]=$key_final
	want[SSH_KNOWN_HOSTS]=$known_final
}

# In a shell of its own, with the scripts that a deployment asks git and the registry by.
check_git() { # NAME
	place_secret "$1" runner
	value_of REPOSITORY_URL ''
	local url=$said github
	value_of GITHUB_REPOSITORY ''
	github=$said
	# shellcheck disable=SC2030,SC2031 # it is this shell's
	(
		REPOSITORY_URL=$url GITHUB_REPOSITORY=$github STATE_DIRECTORY=$draft REPOSITORY_TOKEN_FILE=$secret_file
		export REPOSITORY_URL GITHUB_REPOSITORY REPOSITORY_TOKEN_FILE
		# shellcheck source=deploy/git.sh
		. "$here/git.sh"
		trap - EXIT
		git_setup "$here"
		safe_git ls-remote --quiet --heads -- "$repository" </dev/null >/dev/null 2>"$draft/said"
	) && return 0
	warn "$1: git cannot read ${url:-$github}: $(tail -n 1 -- "$draft/said" | tr -d '[:cntrl:]' | head -c 300)"
	return 1
}

ask_token_of_repository() {
	value_of REPOSITORY_URL ''
	if [[ -n $said && $said != https://* ]]; then
		secret_file=
		check_git REPOSITORY_TOKEN || fail "$EXIT_UNREACHABLE" "the repository cannot be read: $untouched"
		return 0
	fi
	secret_there REPOSITORY_TOKEN
	ask_secret REPOSITORY_TOKEN "$said" optional check_git "A token that may read the repository; none where it is public" \
		"At GitHub: Settings, Developer settings, Fine-grained tokens, this repository, Contents: read-only"
}

check_source() { # NAME
	if [[ $said == build ]] && ! type -P docker >/dev/null; then
		warn "$1: there is no docker here: apt-get install docker.io, as root, and answer again; or let CI build"
		return 1
	fi
	check_setting "$1"
}

# With the login, for the image of a commit that there is none of: whether the registry answers is what matters.
check_registry_answers() { # NAME
	local url user image status=0
	value_of REGISTRY_URL ''
	url=$said
	value_of REGISTRY_USER ''
	user=$said
	value_of REGISTRY_IMAGE myapp
	image=$said
	(
		REGISTRY_URL=$url REGISTRY_USER=$user REGISTRY_IMAGE=$image REGISTRY_PASSWORD_FILE=$secret_file REGISTRY_AGAIN_SECONDS=1
		app=$draft private_notes=$draft/private
		# shellcheck source=deploy/registry.sh
		. "$here/registry.sh"
		trap on_exit EXIT
		at_exit_words=()
		at_exit remove_private
		find_image
		check_image_settings
		find_password
		find_digest 0000000000000000000000000000000000000000 || status=$?
		((status < 2)) || fail "$EXIT_REGISTRY" "$why"
	) </dev/null >"$draft/said" 2>&1 && return 0
	warn "$1: $(tail -n 1 -- "$draft/said" | tr -d '[:cntrl:]' | head -c 400)"
	return 1
}

check_password() { # NAME
	place_secret "$1" runner
	check_registry_answers "$1"
}

# Without one there is no password to try it with.
check_login_name() { # NAME
	check_setting "$1" || return 1
	[[ -z $said ]] || return 0
	secret_file=
	check_registry_answers "$1"
}

# Its image has the repository's name, unless the settings say another.
name_image() {
	local name
	value_of REGISTRY_IMAGE ''
	[[ -z $said ]] || return 0
	value_of REPOSITORY_URL ''
	name=$said
	[[ -n $name ]] || { value_of GITHUB_REPOSITORY '' && name=$said; }
	name=${name%/}
	name=${name%.git}
	name=${name##*[/:]}
	said=${name,,}
	check_setting REGISTRY_IMAGE || fail "$EXIT_CONFIG" "no image can have the repository's name: set REGISTRY_IMAGE in a file of answers"
}

ask_registry() {
	local there=registry
	value_of IMAGE_SOURCE ''
	if [[ -z $said ]] && type -P docker >/dev/null; then
		there=build
	fi
	ask IMAGE_SOURCE "${said:-$there}" check_source "Who builds the images? registry: CI has pushed them; build: deploybot, here" \
		"build needs docker on this machine, and its group is as good as root here"
	value_of REGISTRY_URL ''
	ask REGISTRY_URL "$said" check_needed "Which registry? HOST, or HOST:PORT/PATH" \
		"Images go through it to the hosts, which need a way there too"
	name_image
	value_of REGISTRY_USER ''
	ask REGISTRY_USER "$said" check_login_name "The login at the registry; - for none" \
		"The runner pushes and the hosts pull with it (REGISTRY_PULL_USER gives them one of their own)"
	[[ -n ${want[REGISTRY_USER]:-} ]] || return 0
	secret_there REGISTRY_PASSWORD
	ask_secret REGISTRY_PASSWORD "$said" required check_password "Its password" "It goes into a file of the runner's user"
}

# Fills environments with those that have hosts.
ask_environments() {
	local list environment setting
	environments=()
	value_of ENVIRONMENTS staging,production
	IFS=', ' read -r -a list <<<"$said"
	for environment in "${list[@]}"; do
		setting=$(name_of "$environment" HOST)
		value_of "$setting" ''
		if ((${#environments[@]} == 0)); then
			ask "$setting" "$said" check_needed "Where does $environment run? HOST or HOST:PORT, several with commas between" \
				"A Linux with sshd; what deploybot needs there is made below"
		else
			ask "$setting" "$said" check_if_any "Where does $environment run? - for nowhere yet" \
				"Another host than the one before it, or another folder, which $(name_of "$environment" COMPOSE_DIR) names"
		fi
		value_of "$setting" ''
		[[ -z $said ]] || environments+=("$environment")
	done
	want[ENVIRONMENTS]=$(IFS=,; printf '%s' "${environments[*]}")
}

check_login() { # NAME
	[[ -z $said || $said =~ ^[a-z_][a-z0-9._-]{0,31}$ ]] && return 0
	warn "$1: ${said@Q} is no user's name"
	return 1
}

check_health() { # NAME
	[[ $said =~ ^([1-9][0-9]{0,4})/[A-Za-z0-9._~/?=\&%-]*$ ]] && ((BASH_REMATCH[1] <= 65535)) && return 0
	warn "$1: ${said@Q} is not PORT/PATH, as 8080/health"
	return 1
}

# A health URL for each host, where the settings have none.
set_health() { # ENV
	local setting entry i urls='' list
	setting=$(name_of "$1" HEALTH_URL)
	value_of "$setting" ''
	[[ -z $said ]] || return 0
	value_of "$(name_of "$1" HOST)" ''
	hosts=() ports=()
	add_hosts "$said"
	for i in "${!hosts[@]}"; do
		entry=${hosts[$i]}
		[[ $entry != *:* ]] || entry="[$entry]"
		urls+=${urls:+,}http://$entry:$health
	done
	said=$urls
	check_setting "$setting" || fail "$EXIT_CONFIG" "$setting: no address can be made of the hosts: set it in a file of answers"
}

ask_health() {
	ask SETUP_HEALTH 8080/health check_health "PORT/PATH at which the application answers when it is healthy" \
		"Asked on each host after a release: one that does not answer 200 is rolled back"
	health=$said
}

ask_login() {
	ask SETUP_LOGIN "${SUDO_USER:-root}" check_login "Who may log in to the hosts now, as root or with sudo? - for a block to paste" \
		"With your key, your agent or a password; it makes the user $deploy_user with deploybot's own key there"
	login=$said
}

# ---- hosts -----------------------------------------------------------------------------------------

find_key() {
	value_of DEPLOY_USER deploy
	deploy_user=$said
	key=$key_final
	if [[ ! -s $key_final ]]; then
		key=$draft/deploy_key
		[[ -s $key ]] || ssh-keygen -q -t ed25519 -N '' -C deploybot -f "$key"
	fi
	public_key=$(ssh-keygen -y -f "$key") || fail "$EXIT_CONFIG" "$key is no key that ssh-keygen can read"
	public_key=$(cut -d' ' -f1,2 <<<"$public_key")
}

# All of the environments': their keys first, all at once.
prepare_environments() {
	local environment i
	hosts=() ports=()
	for environment in "${environments[@]}"; do
		value_of "$(name_of "$environment" HOST)" ''
		add_hosts "$said"
	done
	confirm_keys
	for environment in "${environments[@]}"; do
		value_of "$(name_of "$environment" HOST)" ''
		hosts=() ports=()
		add_hosts "$said"
		value_of "$(name_of "$environment" COMPOSE_DIR)" /srv/app
		for i in "${!hosts[@]}"; do
			prepare "${hosts[$i]}" "${ports[$i]}" "$said"
		done
	done
}

# ---- the end ---------------------------------------------------------------------------------------

# From here on it goes through: each file is whole at any moment, and the settings, which name the others, come last.
commit() {
	local name user
	check_all || fail "$EXIT_CONFIG" "check-config does not take the answers together: $untouched"
	trap '' INT TERM HUP
	for user in server runner; do
		[[ -d $secrets/$user ]] || (umask 077 && mkdir -p -- "$secrets/$user")
	done
	for name in "${!staged[@]}"; do
		user=$runner_user
		[[ ${want[$name]} != "$secrets/server/"* ]] || user=$server_user
		write_secret "$user" "${want[$name]}" <"${staged[$name]}"
	done
	[[ $key == "$key_final" ]] || write_secret "$runner_user" "$key_final" <"$key"
	write_secret "$runner_user" "$known_final" <"$known"
	write_settings "$conf"
	rm -rf -- "$draft"
	end_signals
	say '\nwritten: %s, and the secrets in %s' "$conf" "$secrets"
}

end_signals() {
	untouched="the settings are written"
	trap 'end_by_signal 143' TERM
	trap 'end_by_signal 130' INT
	trap 'end_by_signal 129' HUP
}

# Who builds needs the container engine here.
let_build() {
	value_of IMAGE_SOURCE build
	[[ $said == build && $folder == "$FOLDER_INSTALLED" ]] && getent group docker >/dev/null || return 0
	[[ " $(id -nG "$runner_user") " != *' docker '* ]] || return 0
	usermod -aG docker "$runner_user" || fail "$EXIT_CONFIG" "$runner_user cannot be put into the group docker, to build"
	say '%s is in the group docker now, to build' "$runner_user"
}

start() {
	[[ $starts == yes && $folder == "$FOLDER_INSTALLED" && -d /run/systemd/system ]] || return 0
	say '\nstarting deploybot'
	if systemctl is-active --quiet deploybot.service; then
		systemctl restart deploybot-runner.service deploybot.service
	else
		systemctl enable --now "${UNITS[@]}"
	fi || fail "$EXIT_CONFIG" "deploybot does not start: journalctl -u deploybot -u deploybot-runner says why"
}

# Everything that can be asked, as those ask who will need it.
check() {
	local environment bad=0 list
	say '\n==> check-config, as %s' "$server_user"
	as "$server_user" env -i "PATH=$PATH" LANG=C.UTF-8 "$program" --env-file "$conf" check-config || bad=1
	mapfile -t list < <(deploybot --env-file "$conf" completion environments 2>/dev/null)
	for environment in "${list[@]}"; do
		say '\n==> doctor %s, as %s' "$environment" "$runner_user"
		as "$runner_user" env -i "PATH=$PATH" LANG=C.UTF-8 HOME=/ "$program" --env-file "$conf" doctor "$environment" || bad=1
	done
	((${#list[@]} > 0)) || bad=1
	if ((bad != 0)); then
		fail "$EXIT_CONFIG" "something is not there yet: see above what to do, then: deploybot-setup check"
	fi
	first_environment=${list[0]}
}

setup() {
	begin_draft
	begin_settings
	begin_want
	if [[ -z ${want[GITHUB_REPOSITORY]:-}${want[REPOSITORY_URL]:-} ]] && has_applications; then
		ask_bot
		ask_admin
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
	check
	if [[ $starts == yes && $folder == "$FOLDER_INSTALLED" ]]; then
		say '\nNow write to the bot: /deploy %s' "$first_environment"
	else
		say '\nNow start it: %s --env-file %s; then write to the bot: /deploy %s' "$program" "$conf" "$first_environment"
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
	local environment
	value_of DEPLOY_TRANSPORT ssh
	if [[ $said != ssh ]]; then
		say '\nDEPLOY_TRANSPORT is %s: where that ships to is not prepared from here.' "$said"
		find_key
		return 0
	fi
	ask_environments
	find_key
	ask_health
	for environment in "${environments[@]}"; do
		set_health "$environment"
	done
	ask_login
	prepare_environments
}

read_words "$@"
find_installation
case $act in
setup) setup ;;
check) check ;;
*) fail "$EXIT_INPUT" "$USAGE" ;;
esac
