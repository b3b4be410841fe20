# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# hosts.sh - how deploybot-setup comes to a host: its key, confirmed before anything is sent; what is prepared there.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.

readonly SCAN_SECONDS=15 PREPARE_SECONDS=900 LOGIN_SECONDS=60 HOST_SAYS_MAX=65536

# ---- keys of hosts ---------------------------------------------------------------------------------

# Prints the keys that a host shows; through a jump host, where ssh-keyscan does not come, the best one.
scan_key() { # HOST PORT
	if [[ -z $jump ]]; then
		timeout --foreground "$SCAN_SECONDS" ssh-keyscan -T 10 -p "$2" -t ed25519,ecdsa,rsa -- "$1" 2>/dev/null
		return "$?"
	fi
	rm -f -- "$draft/scanned"
	# Nobody is let in so: it ends behind the key.
	timeout --foreground "$SCAN_SECONDS" ssh -F none -oBatchMode=yes -oStrictHostKeyChecking=accept-new \
		"-oUserKnownHostsFile=$draft/scanned" -oGlobalKnownHostsFile=/dev/null -oHashKnownHosts=no \
		-oPreferredAuthentications=none "-oHostKeyAlgorithms=ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,\
ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256" "-oProxyCommand=$key_way" -p "$2" -- "$deploy_user@$1" true \
		</dev/null >/dev/null 2>&1 || true # as it must
	cat -- "$draft/scanned" 2>/dev/null
}

# Appends to the draft's file `shown` the key that a host shows now, the best of its kinds.  One that is known has to be
# the same: another one is no question.
look_at_key() { # HOST PORT
	local name found kind host_key=''
	known_as name "$1" "$2"
	found=$(scan_key "$1" "$2" | head -c "$HOST_SAYS_MAX") || true # it says nothing then
	for kind in ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 ssh-rsa; do
		[[ $found =~ [[:blank:]]("$kind "[A-Za-z0-9+/=]+) ]] || continue
		host_key=${BASH_REMATCH[1]}
		break
	done
	[[ -n $host_key ]] || refuse_host "$1"
	[[ -n $host_key || -z $jump ]] || refuse SSH_JUMP
	[[ -n $host_key ]] || fail "$EXIT_UNREACHABLE" "$1 shows no ssh key at port $2${jump:+ through $jump}: is it up, and the \
port open to ${jump:-this machine}? $untouched"
	if ssh-keygen -F "$name" -f "$known" >/dev/null 2>&1; then
		ssh-keygen -F "$name" -f "$known" | grep -qF -- " $host_key" || refuse_key "$1" "$name"
		return 0
	fi
	printf '%s %s\n' "$name" "$host_key" >>"$draft/shown"
}

# Root's ssh-keygen -R would leave a file that the runner may not read; before the first set-up is over there is none.
refuse_key() { # HOST NAME
	local where="was confirmed before" then="begin again with --anew" as=''
	if ssh-keygen -F "$2" -f "$known_final" >/dev/null 2>&1; then
		[[ $runner_user == "$(me)" ]] || as="sudo -u $runner_user "
		where="$known_final has of it" then="${as}ssh-keygen -R '$2' -f $known_final, and begin again"
	fi
	fail "$EXIT_REFUSED" "$1 shows another key than $where: is somebody in between? If the host was made anew: $then. \
$untouched"
}

# A yes, or all the fingerprints, as a file of answers has to have them.
check_fingerprints() { # NAME
	local print hint='yes, or '
	[[ -n $answers || ! ${said,,} =~ ^y(es)?$ ]] || return 0
	[[ -z $answers ]] || hint='' # nobody has looked at them
	[[ ! ${said,,} =~ ^no?$ ]] || refuse_these
	[[ ! ${said,,} =~ ^no?$ ]] || fail "$EXIT_REFUSED" "the hosts' keys were not confirmed: $untouched"
	for print in "${prints[@]}"; do
		if [[ ,${said// /}, != *",$print,"* ]]; then
			warn "$1: ${hint}the fingerprints that the hosts themselves print: $print is not among them"
			return 1
		fi
	done
}

# Who does not know their keys may have typed others than were meant.
refuse_these() {
	local host
	for host in "${hosts[@]}"; do
		refuse_host "$host"
	done
}

# Shows the keys of all hosts that are new, and has them confirmed: before the first byte goes there.  That of a jump host
# first, which then has to let us through to see theirs.
confirm_keys() { # SSH_JUMP
	local behind=("${hosts[@]}") at=("${ports[@]}")
	jump='' key_way=''
	if [[ -n $1 ]]; then
		split_jump "$1"
		hosts=("$jump_host") ports=("$jump_port")
		confirm_these
		prepare_jump_host "${behind[0]}" "${at[0]}"
		jump=$1
	fi
	hosts=("${behind[@]}") ports=("${at[@]}")
	confirm_these
}

# Fills jump_user, jump_host and jump_port, and key_way, which leads through it with deploybot's key.
split_jump() { # SSH_JUMP
	[[ $1 =~ ^(([a-z_][a-z0-9._-]*)@)?(\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*))(:([0-9]{1,5}))?$ ]] ||
		fail "$EXIT_CONFIG" "SSH_JUMP is not USER@HOST or USER@HOST:PORT: ${1@Q}"
	jump_user=${BASH_REMATCH[2]:-$deploy_user} jump_host=${BASH_REMATCH[4]}${BASH_REMATCH[5]} jump_port=${BASH_REMATCH[7]:-22}
	[[ $key$known =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] ||
		fail "$EXIT_CONFIG" "with SSH_JUMP the folder may have no blank or sign of a shell in its name: $folder"
	way_words=(-oStrictHostKeyChecking=yes "-oUserKnownHostsFile=$known" -oGlobalKnownHostsFile=/dev/null
		-oConnectTimeout=15 -oForwardAgent=no -oPermitLocalCommand=no)
	key_way="ssh -F none -oBatchMode=yes -oIdentitiesOnly=yes -oIdentityFile=$key ${way_words[*]} -W [%h]:%p -p $jump_port \
-- $jump_user@$jump_host"
}

# Does it lead to a host, with deploybot's key alone?  The first word of any sshd is SSH-.
jump_leads() { # HOST PORT
	local way=${key_way//%h/$1} words said
	read -r -a words <<<"${way//%p/$2}"
	said=$(timeout --foreground "$LOGIN_SECONDS" "${words[@]}" </dev/null 2>"$draft/said" | head -c 4) || true # it is cut
	[[ $said == SSH- ]]
}

prepare_jump_host() { # HOST PORT: of one behind it
	local deploy_user=$jump_user tries=0
	if jump_leads "$1" "$2"; then
		say '%s: it leads to %s already' "$jump_host" "$1"
		return 0
	fi
	if [[ -n $login ]] && prepare_through "$jump_host" "$jump_port" '' prepare_jump && jump_leads "$1" "$2"; then
		return 0
	fi
	[[ -z $login ]] || refuse SETUP_LOGIN
	print_block "$jump_host" '' prepare_jump
	while [[ -z $answers ]] && ((tries++ < TRIES_MAX)); do
		hear "Enter, when it has printed \"prepared\" > "
		if jump_leads "$1" "$2"; then
			return 0
		fi
		print_said "$jump_host"
	done
	print_said "$jump_host"
	refuse SSH_JUMP
	fail "$EXIT_UNREACHABLE" "$jump_host does not let $jump_user through to $1:$2 with deploybot's key: paste the block above \
there, and begin again; its sshd needs AllowTcpForwarding. $untouched"
}

confirm_these() {
	local line i prints=() table=''
	: >"$draft/shown"
	for i in "${!hosts[@]}"; do
		look_at_key "${hosts[$i]}" "${ports[$i]}"
	done
	sort -u -o "$draft/shown" -- "$draft/shown"
	[[ -s $draft/shown ]] || return 0
	while IFS= read -r line; do
		prints+=("$(ssh-keygen -l -f /dev/stdin <<<"${line#* }" | cut -d' ' -f2)")
		table+=$'\n'"    ${line%% *}  ${prints[-1]}"
	done <"$draft/shown"
	printf '\nThe hosts show these keys:%s\n' "$table"
	unset "drafted[SETUP_HOST_KEYS]" # of other keys, perhaps
	ask SETUP_HOST_KEYS no check_fingerprints "Are these the hosts' own keys? yes or no" \
		"At each host's own console it has to be what this prints: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub"
	cat -- "$draft/shown" >>"$draft/confirmed"
	cat -- "$draft/shown" >>"$known"
}

# ---- there -----------------------------------------------------------------------------------------

# Ends with ssh's status.  Nothing of it is asked of the caller's own known_hosts.
ssh_to() { # SECONDS PORT WORD...
	local words=(-T -oStrictHostKeyChecking=yes "-oUserKnownHostsFile=$known" -oGlobalKnownHostsFile=/dev/null
		-oConnectTimeout=15 -oServerAliveInterval=10 -oForwardAgent=no -oClearAllForwardings=yes -oPermitLocalCommand=no)
	[[ -z $answers ]] || words+=(-oBatchMode=yes)
	[[ -z $jump ]] || words+=("-oProxyCommand=${way:-$key_way}")
	timeout --foreground "$1" ${caller[@]+"${caller[@]}"} ssh "${words[@]}" -p "$2" "${@:3}"
}

# Prints the addresses by which deploybot comes to a host's application: through a jump host that is asked on the host itself.
addresses_of() { # HOST
	[[ -z $jump ]] || { printf '127.0.0.1'; return 0; }
	timeout --foreground 20 getent ahosts "$1" | awk '!seen[$1]++ { printf "%s ", $1 }'
}

# Prints prepare-host.sh with what it is to prepare.
host_program() { # HOST FOLDER
	local addresses
	addresses=$(addresses_of "$1") || addresses=''
	printf 'user=%q key=%q dir=%q port=%q inside=%q addresses=%q\n' "$deploy_user" "$public_key" "$2" "${health%%/*}" \
		"${inside:-${health%%/*}}" "$addresses"
	cat -- "$here/setup/prepare-host.sh"
}

# What a host said, for a terminal.
print_said() { # HOST
	local line
	while IFS= read -r line || [[ -n $line ]]; do
		say '  %s: %s' "$1" "${line:0:300}"
	done < <(head -c "$HOST_SAYS_MAX" -- "$draft/said")
}

# Does it let deploybot in, with its key alone, and is the folder there?  Fills lacks with what is wrong.
is_ready() { # HOST PORT FOLDER
	local caller=() status=0
	ssh_to "$LOGIN_SECONDS" "$2" -F none -oBatchMode=yes -oIdentitiesOnly=yes "-oIdentityFile=$key" -- "$deploy_user@$1" \
		"test -d ${3@Q}" </dev/null >"$draft/said" 2>&1 || status=$?
	lacks="does not let $deploy_user in with deploybot's key"
	((status != 1)) || lacks="has no folder $3 that $deploy_user sees"
	return "$status"
}

# Through whoever has sudo there, with the keys and the agent of who called us.  `sent` prints another program than host_program.
prepare_through() { # HOST PORT FOLDER [prepare_jump]
	local caller=() status=0 way=''
	if ((EUID == 0)) && [[ -n ${SUDO_USER:-} && $SUDO_USER != root ]]; then
		caller=(runuser -u "$SUDO_USER" --)
		# Who called us may not read deploybot's key.
		[[ -z $jump ]] || way="ssh ${way_words[*]} -W [%h]:%p -p $jump_port -- $login@$jump_host"
	fi
	say '\n%s: preparing it as %s (at most %s minutes)' "$1" "$login" "$((PREPARE_SECONDS / 60))"
	# shellcheck disable=SC2016 # the host's shell expands it
	{ "${sent:-host_program}" "$1" "$3" && echo "${4:-prepare_host}"; } | ssh_to "$PREPARE_SECONDS" "$2" -- "$login@$1" \
		'if [ "$(id -u)" = 0 ]; then exec bash -s; else exec sudo -n bash -s; fi' >"$draft/said" 2>&1 || status=$?
	print_said "$1"
	((status == 0))
}

# For whoever may come there in no way that we may.  `sent`: as above.
print_block() { # HOST FOLDER [prepare_jump]
	printf '\n%s: paste this there, as root:\n\n' "$1"
	# shellcheck disable=SC2016 # the host's shell expands it
	printf "if [ \"\$(id -u)\" = 0 ]; then bash; else sudo bash; fi <<'DEPLOYBOT'\n" # root may have no sudo
	"${sent:-host_program}" "$1" "$2"
	printf '%s\nDEPLOYBOT\n\n' "${3:-prepare_host}"
}

# Fills inside, where it is not known, with the container's port as a compose file that is there publishes it.
learn_inside() { # HOST PORT FOLDER
	local caller=() text port="-[[:blank:]]*[\"']?([^[:space:]\"']*:)?[0-9]{1,5}:([0-9]{1,5})[/\"'[:space:]]"
	[[ -z $inside ]] || return 0
	text=$(ssh_to "$LOGIN_SECONDS" "$2" -F none -oBatchMode=yes -oIdentitiesOnly=yes "-oIdentityFile=$key" -- \
		"$deploy_user@$1" "cd ${3@Q} && cat docker-compose.yml docker-compose.yaml compose.yml compose.yaml 2>/dev/null" \
		</dev/null 2>/dev/null | head -c "$HOST_SAYS_MAX") || true # not all four are there
	! [[ $text$'\n' =~ $port ]] || inside=${BASH_REMATCH[2]}
}

# Until deploybot's key opens it.
prepare() { # HOST PORT FOLDER
	local tries=0 lacks prepared=no
	if [[ -n $login ]]; then
		prepare_through "$@" && prepared=yes || refuse SETUP_LOGIN
	fi
	if is_ready "$@"; then
		[[ $prepared == yes ]] || say '%s: it lets %s in already, and %s is there' "$1" "$deploy_user" "$3"
		return 0
	fi
	print_block "$1" "$3"
	while [[ -z $answers ]] && ((tries++ < TRIES_MAX)); do
		hear "Enter, when it has printed \"prepared\" > "
		if is_ready "$@"; then
			return 0
		fi
		print_said "$1"
	done
	print_said "$1"
	refuse_host "$1"
	fail "$EXIT_UNREACHABLE" "$1 $lacks: paste the block above there, and begin \
again. $untouched"
}

# ---- all of them ------------------------------------------------------------------------------------

# The key of all that have none of their own.
find_key() {
	shared_value_of DEPLOY_USER deploy
	deploy_user=$said
	key_shared=$key_final
	if [[ ! -s $key_final ]]; then
		key_shared=$draft/deploy_key
		[[ -s $key_shared ]] || ssh-keygen -q -t ed25519 -N '' -C deploybot -f "$key_shared"
	fi
	use_key "$key_shared"
}

use_key() { # FILE
	key=$1
	public_key=$(ssh-keygen -y -f "$key") || fail "$EXIT_CONFIG" "$key is no key that ssh-keygen can read"
	public_key=$(cut -d' ' -f1,2 <<<"$public_key")
}

# Fills deploy_user, key, public_key and `through`, its SSH_JUMP, as a deployment there will have them, which comes with no
# other environment's key; and `reach`, the same for those that are reached by the same user and key over one jump host.
find_way_in() { # ENV
	value_for "$1" DEPLOY_USER
	deploy_user=${said:-deploy}
	value_for "$1" SSH_KEY_PATH
	[[ -n $said && $said != "$key_final" ]] || said=$key_shared
	[[ -s $said ]] || fail "$EXIT_CONFIG" "$(name_of "$1" SSH_KEY_PATH): the key of $1, $said, is not there yet: make it, as \
$runner_user: ssh-keygen -q -t ed25519 -N '' -C deploybot -f $said; then begin again. $untouched"
	use_key "$said"
	value_for "$1" SSH_JUMP
	through=$said reach=direct
	[[ -z $through ]] || reach="$deploy_user $key $through"
}

# Adds those of an environment that this machine comes to by itself, as far as the settings say.
add_direct_hosts() { # ENV
	value_for "$1" SSH_JUMP
	[[ -z $said ]] || return 0
	value_of "$(name_of "$1" HOST)" ''
	add_hosts "$said"
}

# Those that are reached in the same way are asked about at once.
confirm_keys_of_all() {
	local environment
	local -A lists=()
	for environment in "${by_ssh[@]}"; do
		find_way_in "$environment"
		value_of "$(name_of "$environment" HOST)" ''
		lists[$reach]+=${lists[$reach]:+,}$said
	done
	for environment in "${by_ssh[@]}"; do
		find_way_in "$environment"
		[[ -n ${lists[$reach]} ]] || continue
		hosts=() ports=()
		add_hosts "${lists[$reach]}"
		lists[$reach]=''
		confirm_keys "$through"
	done
}

# All of the environments': their keys first.
prepare_environments() {
	local environment i through reach
	confirm_keys_of_all
	for environment in "${by_ssh[@]}"; do
		find_way_in "$environment"
		jump=$through
		[[ -z $jump ]] || split_jump "$jump"
		value_of "$(name_of "$environment" HOST)" ''
		hosts=() ports=()
		add_hosts "$said"
		value_of "$(name_of "$environment" COMPOSE_DIR)" "/srv/${application:-app}"
		for i in "${!hosts[@]}"; do
			prepare "${hosts[$i]}" "${ports[$i]}" "$said"
			learn_inside "${hosts[$i]}" "${ports[$i]}" "$said"
		done
	done
}
