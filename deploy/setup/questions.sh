# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# shellcheck disable=SC2030,SC2031,SC2153 # what a subshell is given is its own
# questions.sh - the questions of deploybot-setup one by one, each with its default, its reason and what looks at its answer.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.

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

# The same of what an application has of the settings file where its own says nothing.
shared_value_of() { # NAME DEFAULT
	value_of "$1" ''
	[[ -n $said || -z $application ]] || setting_there "$1" "$conf"
	said=${said:-$2}
}

# Of --answers goes into the file what is no question of ours, as it stands; a secret never does.
take_given() {
	local name
	for name in "${!given[@]}"; do
		case $name in
		SETUP_*) ;;
		TELEGRAM_BOT_TOKEN | REPOSITORY_TOKEN | REGISTRY_PASSWORD | ALERT_*) ;;
		*_TOKEN | *_SECRET | *_PASSWORD | *_API_HASH)
			fail "$EXIT_CONFIG" "$answers: $name is a secret: put it into a file of its own, and set ${name}_FILE"
			;;
		*) want["$name"]=${given[$name]} ;;
		esac
	done
}

# Where a secret is to be, when there is one; what is in the draft gets there at the end.
place_secret() { # NAME server|runner
	local path=$secrets/$2/${application:+${application}_}${1,,}
	unset "staged[$1_FILE]"
	[[ -n $secret_file ]] || return 0
	if [[ $secret_file == "$draft"/* ]]; then
		staged[$1_FILE]=$secret_file want[$1_FILE]=$path
	elif [[ -z $application ]]; then
		want[$1_FILE]=$secret_file
	fi
}

# Fills `said` with the file that holds a secret now.
secret_there() { # NAME
	value_of "$1_FILE" ''
}

# ---- questions -------------------------------------------------------------------------------------

# Fills `said` with OWNER/NAME of a repository at GitHub, however its address was pasted; empty of any other one.
github_name() { # TEXT
	local host='[Gg]it[Hh]ub\.com'
	said=
	[[ $1 =~ ^((https?://)?(www\.)?$host/|git@$host:|ssh://git@$host/)?([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+)/?$ ]] ||
		return 0
	said=${BASH_REMATCH[4]%.git}
}

# The same of the one that is set.
find_github() {
	value_of GITHUB_REPOSITORY ''
	[[ -z $said ]] || return 0
	value_of REPOSITORY_URL ''
	github_name "$said"
}

check_repository() { # NAME
	local typed=$said
	if [[ $typed != *[/:]* ]]; then
		warn "$1: OWNER/NAME of a repository at GitHub, or a URL"
		return 1
	fi
	github_name "$typed"
	[[ $typed != "$repository_there" || $typed == "$said.git" ]] || return 0 # both settings stay as they are
	unset "want[GITHUB_REPOSITORY]" "want[REPOSITORY_URL]"
	if [[ -n $said && $typed != *@* ]]; then # ssh has a key of its own
		want[REPOSITORY_URL]=''
		check_setting GITHUB_REPOSITORY
	else
		said=$typed want[GITHUB_REPOSITORY]=''
		check_setting REPOSITORY_URL
	fi
}

ask_repository() {
	local there
	value_of REPOSITORY_URL ''
	there=$said
	[[ -n $there ]] || { value_of GITHUB_REPOSITORY '' && there=$said; }
	repository_there=$there
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
		words=${words##*$'\n'}
		warn "$1: ${words##error+( )} (@BotFather shows the token at /token)"
		return 1
	fi
	show_bot "$1"
}

# A token does not show whose it is: its name is said, and where it was typed what is to be done about another's.
show_bot() { # NAME
	local bot='' else=''
	call_bot getMe || return 1
	! [[ $(<"$draft/said") =~ \"username\":\ ?\"([A-Za-z0-9_]{1,64})\" ]] || bot=${BASH_REMATCH[1]}
	[[ -n $answers || $secret_file != "$draft"/* ]] || else='; another one: Ctrl-C, and deploybot-setup --anew'
	say 'The bot is @%s%s' "$bot" "$else"
}

check_proxy() { # NAME
	check_if_any "$1" && call_telegram ''
}

# Before a token is asked for, which is not the matter then.
ask_way_to_telegram() {
	! call_telegram '' || return 0
	value_of TELEGRAM_PROXY "${https_proxy:-${HTTPS_PROXY:-}}"
	ask TELEGRAM_PROXY "$said" check_proxy "Through which proxy is Telegram reached? http://HOST:PORT or socks5h://HOST:PORT" \
		"- for none, once this machine has a way there: a resolver (/etc/resolv.conf), and port 443 open"
}

ask_bot() {
	ask_way_to_telegram
	secret_there TELEGRAM_BOT_TOKEN
	ask_secret TELEGRAM_BOT_TOKEN "$said" required check_token "The bot's token: write /newbot to @BotFather in Telegram" \
		"Whoever has it is the bot: it goes into a file of deploybot's own user"
}

check_yes_or_no() { # NAME
	[[ ! ${said,,} =~ ^(y|yes|n|no)$ ]] || return 0
	warn "$1: yes or no"
	return 1
}

# Whoever sees the terminal may have opened the link.  False: it was somebody else, who gets nothing.
is_first_admin() { # ID
	local name="somebody without a @name"
	call_bot getChat "chat_id=$1" || true # the id is enough
	! [[ $(<"$draft/said") =~ \"username\":\ ?\"([A-Za-z0-9_]{1,64})\" ]] || name=@${BASH_REMATCH[1]}
	if [[ -n $answers ]]; then # nobody is asked
		say 'The first admin is %s, Telegram id %s.' "$name" "$1"
		return 0
	fi
	unset "drafted[SETUP_ADMIN]" # of who opened another one
	ask SETUP_ADMIN '' check_yes_or_no "$name, Telegram id $1, has opened the link: is that you? yes or no" \
		"Who is the first admin may do everything; where it was not you, there is another link"
	unset "drafted[SETUP_ADMIN]"
	[[ ${said,,} == y* ]]
}

# The first admin proves himself by a link; where that cannot be, the id is typed.
ask_admin() {
	local id tries=0
	value_of ADMIN_TELEGRAM_IDS ''
	[[ ! -v drafted[ADMIN_TELEGRAM_IDS] || -v given[ADMIN_TELEGRAM_IDS] ]] || said=${drafted[ADMIN_TELEGRAM_IDS]}
	if [[ -n $said && $said != 1 ]]; then
		check_setting ADMIN_TELEGRAM_IDS || fail "$EXIT_CONFIG" "ADMIN_TELEGRAM_IDS is wrong: correct it, and begin again"
		return 0
	fi
	want[ADMIN_TELEGRAM_IDS]=1 # nobody yet: the rest can be looked at
	make_candidate
	# Where a server runs already, it is asked over its local socket, which is root's way in.
	while ((tries++ < TRIES_MAX)) && id=$(deploybot --env-file "$candidate" first-admin) && [[ $id =~ ^[1-9][0-9]*$ ]]; do
		is_first_admin "$id" || continue
		want[ADMIN_TELEGRAM_IDS]=$id
		keep_draft ADMIN_TELEGRAM_IDS "$id"
		return 0
	done
	[[ -z $answers ]] || fail "$EXIT_CONFIG" "the first admin is not known: ADMIN_TELEGRAM_IDS in $answers says who: $untouched"
	ask ADMIN_TELEGRAM_IDS '' check_needed "The first admin's Telegram id" "Any bot that shows ids says it, this one at /whoami"
}

# Which are to be written to the file, where it does not say it yet, before what needs them is looked at.
begin_want() {
	local name
	take_given
	for name in TELEGRAM_BOT_TOKEN REPOSITORY_TOKEN REGISTRY_PASSWORD; do
		setting_there "${name}_FILE" "$conf_there" # as the package has it, of a file that is asked for below
		[[ -z $said || -e $said || -v want[${name}_FILE] ]] || want[${name}_FILE]=''
	done
	stage_password
	[[ -v want[ADMIN_TELEGRAM_IDS] ]] || { setting_there ADMIN_TELEGRAM_IDS "$conf_there" && [[ -n $said ]]; } ||
		want[ADMIN_TELEGRAM_IDS]=1
	value_of RUNNER_SOCKET ''
	[[ -n $said || $folder != "$FOLDER_INSTALLED" ]] || want[RUNNER_SOCKET]=/run/deploybot-runner/runner.sock
	want[SSH_KEY_PATH]=$key_final
	want[SSH_KNOWN_HOSTS]=$known_final
}

# check-config wants a login's password beside it, and the first question that it looks at is another one.
stage_password() {
	[[ -n ${given[REGISTRY_USER]:-} ]] || return 0
	if [[ -n ${given[REGISTRY_PASSWORD]:-} ]]; then
		secret_file=$draft/secret.REGISTRY_PASSWORD
		(umask 077 && printf '%s\n' "${given[REGISTRY_PASSWORD]}" >"$secret_file")
		place_secret REGISTRY_PASSWORD runner
		return 0
	fi
	value_of REGISTRY_PASSWORD_FILE ''
	[[ -n $said ]] || value_of REGISTRY_PASSWORD ''
	[[ -n $said ]] || fail "$EXIT_CONFIG" "$answers has REGISTRY_USER, and no REGISTRY_PASSWORD beside it"
}

# In a shell of its own, with the scripts that a deployment asks git and the registry by.
check_git() { # NAME
	: >"$draft/said"
	place_secret "$1" runner
	value_of REPOSITORY_URL ''
	local url=$said github key_path known_path
	value_of GITHUB_REPOSITORY ''
	github=$said
	shared_value_of REPOSITORY_KEY_PATH ''
	key_path=$said
	shared_value_of REPOSITORY_KNOWN_HOSTS ''
	known_path=$said
	# shellcheck disable=SC2030,SC2031 # it is this shell's
	(
		REPOSITORY_URL=$url GITHUB_REPOSITORY=$github STATE_DIRECTORY=$draft REPOSITORY_TOKEN_FILE=$secret_file
		REPOSITORY_KEY_PATH=$key_path REPOSITORY_KNOWN_HOSTS=$known_path
		export REPOSITORY_URL GITHUB_REPOSITORY REPOSITORY_TOKEN_FILE REPOSITORY_KEY_PATH REPOSITORY_KNOWN_HOSTS
		# shellcheck source=deploy/git.sh
		. "$here/git.sh"
		trap - EXIT
		git_setup "$here"
		safe_git ls-remote --quiet --heads -- "$repository" </dev/null >/dev/null 2>"$draft/said"
	) && return 0
	warn "$1: git cannot read ${url:-$github}: $(git_said)"
	return 1
}

# Prints in one line why, without what git advises behind it.
git_said() {
	grep -avE '^(Please make sure|and the repository exists|[[:blank:]]*$)' -- "$draft/said" | tail -n 3 | tr '\n' ' ' |
		tr -d '[:cntrl:]' | head -c 400
}

ask_token_of_repository() {
	local hint
	value_of REPOSITORY_URL ''
	if [[ -n $said && $said != https://* ]]; then
		[[ $said == /* ]] || hint=": by ssh it needs REPOSITORY_KEY_PATH, a key that the forge lets read it, and \
REPOSITORY_KNOWN_HOSTS, with the forge's own key: set both in ${answers:-$target}, or take its https address"
		secret_file=
		check_reading SETUP_REPOSITORY || fail "$EXIT_UNREACHABLE" "the repository cannot be read${hint:-}. $untouched"
		return 0
	fi
	shared_value_of REPOSITORY_TOKEN_FILE ''
	ask_secret REPOSITORY_TOKEN "$said" optional check_reading "A token that may read the repository; none where it is public" \
		"At GitHub: Settings, Developer settings, Fine-grained tokens, this repository, Contents: read-only"
}

check_reading() { # NAME
	look_with check_git "$1" SETUP_REPOSITORY
}

check_source() { # NAME
	if [[ $said == build ]] && ! type -P docker >/dev/null; then
		warn "$1: there is no docker here: apt-get install docker.io (from Debian 13 on docker-cli beside it), as root, \
and answer again; or let CI build"
		return 1
	fi
	check_setting "$1"
}

# Fills `said` with an image's name that the login is to be good for; empty: the default's.
find_image_name() {
	value_of REGISTRY_IMAGE ''
	[[ -z $said ]] || return 0
	set -- "$folder"/apps/*.env
	[[ -f $1 ]] || return 0
	setting_there REGISTRY_IMAGE "$1"
	said=${said:-$(basename -- "$1" .env)}
}

# With the login, for the image of a commit that there is none of: whether the registry answers is what matters.
check_registry_answers() { # NAME
	local url user image status=0
	value_of REGISTRY_URL ''
	url=$said
	value_of REGISTRY_USER ''
	user=$said
	find_image_name
	image=$said
	(
		REGISTRY_URL=$url REGISTRY_USER=$user REGISTRY_IMAGE=$image REGISTRY_PASSWORD_FILE=$secret_file
		REGISTRY_AGAIN_SECONDS=1 app=$draft private_notes=$draft/private
		# shellcheck source=deploy/registry.sh
		. "$here/registry.sh"
		trap on_exit EXIT
		at_exit_words=()
		at_exit remove_private
		find_image
		[[ -z $ecr_region ]] || exit 0 # whose credentials are the runner's: doctor asks as that one
		check_image_settings
		find_password
		find_digest 0000000000000000000000000000000000000000 || status=$?
		((status < 2)) || fail "$EXIT_REGISTRY" "$why"
	) </dev/null >"$draft/said" 2>&1 && return 0
	warn "$1: $(registry_said | head -c 400)"
	return 1
}

# Prints in one line why; there is no log that has curl's reason.
registry_said() {
	local said curl hint='the name, its port, and http:// before it where it has no TLS'
	said=$(tail -n 1 -- "$draft/said" | tr -d '[:cntrl:]')
	curl=$(grep -a '^curl: ' -- "$draft/said" | tail -n 1 | tr -d '[:cntrl:]') || true # something else failed
	[[ -z $curl ]] || said=${said/"see curl's output in the log; is REGISTRY_URL right?"/"$curl; is REGISTRY_URL right: $hint?"}
	printf '%s' "$said"
}

check_password() { # NAME
	place_secret "$1" runner
	look_with check_registry_answers "$1" REGISTRY_URL REGISTRY_USER
}

# Without one there is no password to try it with.
check_login_name() { # NAME
	check_setting "$1" || return 1
	[[ -z $said ]] || return 0
	secret_file=
	look_with check_registry_answers "$1" REGISTRY_URL
}

# Fills `said` with the image's name at a registry.  Those that are shared by everybody have an owner in each name, as the
# repository has; in one's own, or below a path, the repository's name is enough.
image_name_of() { # REGISTRY REPOSITORY
	local host=${1#*://} name=${2%/}
	name=${name%.git}
	[[ $name != *://* ]] || name=${name#*://*/}
	[[ $name != *@*:* ]] || name=${name#*:}
	name=${name#/}
	case ${host%/} in
	ghcr.io | docker.io | quay.io | registry.gitlab.com) said=${name,,} ;;
	*) said=${name##*/} said=${said,,} ;;
	esac
}

# Unless the settings say another.
name_image() {
	local name registry
	shared_value_of REGISTRY_URL ''
	[[ -n $said ]] || return 0
	registry=${said%/}
	value_of REGISTRY_IMAGE ''
	if [[ -z $said ]]; then
		value_of REPOSITORY_URL ''
		name=$said
		[[ -n $name ]] || { value_of GITHUB_REPOSITORY '' && name=$said; }
		[[ -n $name ]] || return 0 # each application has one of its own
		image_name_of "$registry" "$name"
		[[ -z $application || $said == */* ]] || said=$application # two of one repository have an image each
		check_setting REGISTRY_IMAGE ||
			fail "$EXIT_CONFIG" "no image can have the repository's name: set REGISTRY_IMAGE in a file of answers"
	fi
	say '  Images are looked for as %s/%s:COMMIT (REGISTRY_IMAGE says another name)' "${registry#*://}" "$said"
}

ask_registry() {
	local there=registry login_hint=''
	value_of IMAGE_SOURCE ''
	if [[ -z $said ]] && type -P docker >/dev/null; then
		there=build
	fi
	ask IMAGE_SOURCE "${said:-$there}" check_source "Who builds the images? registry: CI pushes them; build: deploybot" \
		"build needs docker on this machine, and its group is as good as root here"
	find_github
	there=${said:+ghcr.io} # whose own it is
	value_of REGISTRY_URL "$there"
	ask REGISTRY_URL "$said" check_needed "Which registry? HOST, or HOST:PORT/PATH" \
		"Images go through it to the hosts, which need a way there too"
	name_image
	value_of REGISTRY_URL ''
	[[ ${said#*://} != ghcr.io* ]] || login_hint="At ghcr.io: your name at GitHub, and a classic token with read:packages alone"
	value_of REGISTRY_USER ''
	ask REGISTRY_USER "$said" check_login_name "The login at the registry; - for none" \
		"${login_hint:-The runner pushes and the hosts pull with it (REGISTRY_PULL_USER gives them one of their own)}"
	[[ -n ${want[REGISTRY_USER]:-} ]] || return 0
	secret_there REGISTRY_PASSWORD
	ask_secret REGISTRY_PASSWORD "$said" required check_password "Its password" "It goes into a file of the runner's user"
}

# Fills list with the environments that are to be looked at.  Where staging is the only one, which is what "nowhere yet"
# leaves in the file, production is offered again (offered), unless --answers say that there is no other.
list_asked() {
	offered=
	shared_value_of ENVIRONMENTS staging,production
	[[ $said != staging || -v given[ENVIRONMENTS] ]] || offered=production
	IFS=', ' read -r -a list <<<"$said${offered:+,$offered}"
}

# Fills `before` with the environments that somebody has named; not with the default's.
list_before() {
	setting_there ENVIRONMENTS "$conf_there"
	[[ -n $said || -z $application || $conf_there != "$target" ]] || setting_there ENVIRONMENTS "$conf"
	IFS=', ' read -r -a before <<<"$said"
}

# Fills `said` with a setting as it is for one environment: <ENV>_NAME, then NAME, both of an application's file first.
value_for() { # ENV NAME
	local name own
	own=$(name_of "$1" "$2")
	said=
	for name in "$own" "$2"; do
		[[ -n $said ]] || value_of "$name" ''
	done
	for name in "$own" "$2"; do
		[[ -n $said || -z $application ]] || setting_there "$name" "$conf"
	done
}

# Fills `way` with how an environment is released to where nobody is asked for its hosts; empty where it is by ssh, be it
# behind a script of somebody's own.
find_way() { # ENV
	local script
	way=
	value_for "$1" DEPLOY_SCRIPT
	script=$said
	value_for "$1" USE_KUBERNETES
	[[ ${said,,} != @(true|yes|1|on) ]] || way=kubernetes
	value_for "$1" DEPLOY_TRANSPORT
	[[ -n $way || ${said:-ssh} == ssh ]] || way=$said
	value_of "$(name_of "$1" HOST)" ''
	[[ -z $script || -z $way && -n $said ]] || way=$script
}

# Has each host of `said` an address?  Behind a jump host or a proxy that one finds it; before a jump host is asked for, a
# name that is typed twice is meant.  A number alone is one that getent takes for an address.
check_found() { # NAME
	local hosts=() ports=() host typed=$said jump hint="type it again"
	[[ -z $answers ]] || hint="set SSH_JUMP too"
	value_for "$environment" SSH_JUMP
	jump=$said${drafted[SSH_JUMP]:-}
	value_for "$environment" SSH_PROXY_COMMAND
	jump+=$said
	said=$typed
	[[ -z $jump && $1=$typed != "${meant:-}" ]] || return 0
	add_hosts "$typed"
	for host in ${hosts[@]+"${hosts[@]}"}; do
		is_found "$host" && continue
		meant=$1=$typed
		warn "$1: $host has no address here. Is it written right? Where a jump host alone knows that name, $hint"
		return 1
	done
}

is_found() { # HOST
	[[ ! $1 =~ ^[0-9]+$ ]] && timeout --foreground 20 getent ahosts "$1" >/dev/null
}

check_hosts() { # NAME
	check_needed "$1" && check_found "$1"
}

# A jump host is reached from here.
check_jump() { # NAME
	local hosts=() ports=() typed=$said
	check_if_any "$1" || return 1
	add_hosts "${typed##*@}"
	[[ -z $typed ]] || is_found "${hosts[0]}" && return 0
	warn "$1: ${hosts[0]} has no address here: USER@HOST or USER@HOST:PORT"
	return 1
}

# What is there already goes by a `-` alone, or an answer in the file that is empty.
check_leaving() { # NAME
	if [[ -z $said && $heard != - && " ${before[*]} " == *" $environment "* ]]; then
		warn "$1: $environment is in ENVIRONMENTS: a host is needed, or - takes it out"
		return 1
	fi
	check_if_any "$1" && check_found "$1"
}

# Fills environments with those that are to be there, and by_ssh with those whose hosts are prepared.
ask_environments() {
	local list offered before environment setting way asked=no
	environments=() by_ssh=()
	list_before
	list_asked
	for environment in "${list[@]}"; do
		check_environment_name "$environment"
		find_way "$environment"
		if [[ -n $way ]]; then
			[[ $environment == "$offered" ]] || keep_environment
			continue
		fi
		asked=yes setting=$(name_of "$environment" HOST)
		value_of "$setting" ''
		if ((${#environments[@]} == 0)); then
			ask "$setting" "$said" check_hosts "Where does $environment run? HOST[:PORT], commas between several" \
				"A Linux with sshd; what deploybot needs there is made below"
		else
			ask "$setting" "$said" check_leaving "Where does $environment run? - for nowhere yet" \
				"Another host than the one before it, or another folder ($(name_of "$environment" COMPOSE_DIR))"
		fi
		value_of "$setting" ''
		[[ -z $said ]] || environments+=("$environment") by_ssh+=("$environment")
	done
	[[ $asked == no ]] || want[ENVIRONMENTS]=$(IFS=,; printf '%s' "${environments[*]}")
	say_leaving
}

keep_environment() {
	environments+=("$environment")
	say '\n%s is released by %s: it stays, and where that goes to is not prepared from here' "$environment" "$way"
}

# Before anything is written.
say_leaving() {
	local environment
	for environment in ${before[@]+"${before[@]}"}; do
		[[ " ${environments[*]} " == *" $environment "* ]] || warn "$environment goes out of ENVIRONMENTS, as answered: no \
deployment, no rollback and no alert on it from then on"
	done
}

can_reach() { # HOST PORT
	# shellcheck disable=SC2016 # the bash that is timed expands it
	timeout --foreground 5 bash -c ': 2>/dev/null <>"/dev/tcp/$1/$2"' - "$1" "$2" 2>/dev/null
}

# Asked where a host cannot be reached from here, and nobody has said how.
ask_jump() {
	local i
	shared_value_of SSH_PROXY_COMMAND ''
	[[ -z $said ]] || return 0
	shared_value_of SSH_JUMP ''
	[[ -z $said ]] || return 0
	for i in "${!hosts[@]}"; do
		can_reach "${hosts[$i]}" "${ports[$i]}" && continue
		ask SSH_JUMP '' check_jump \
			"${hosts[$i]} is not reached from here: through which host? USER@HOST[:PORT], - for none" \
			"A host in a private network is reached through one that forwards; it gets deploybot's key for that alone"
		return "$?"
	done
}

check_login() { # NAME
	[[ -z $said || $said =~ ^[a-z_][a-z0-9._-]{0,31}$ ]] && return 0
	warn "$1: ${said@Q} is no user's name"
	return 1
}

ask_login() {
	local agent="your agent"
	[[ -z ${SUDO_USER:-} || -n ${SSH_AUTH_SOCK:-} ]] ||
		agent="your agent (which sudo hides: sudo --preserve-env=SSH_AUTH_SOCK deploybot-setup)"
	ask SETUP_LOGIN "${SUDO_USER:-root}" check_login "Who may log in to the hosts, root or with sudo? - for a block to paste" \
		"With your key, $agent or a password; it makes the user $deploy_user with deploybot's own key there"
	login=$said
}
