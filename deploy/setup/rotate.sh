# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# rotate.sh - `deploybot-setup rotate`: new deploy keys.  Both are let in until the new one is known to open each host.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.
#
# Of each key the draft has deploy_key.ID, the new one, and deploy_key.ID.old, what is public of the old one: where ID is in place
# the old one is left to be taken out of the hosts.  So whatever ends us, the same command goes on where that was.

readonly OLD_IN_USE="the old key is still the one in use; the same command, typed again, goes on"

rotate() { # [APP/]ENV, or nothing: all keys
	local file left=no
	local -A opens=()
	draft=$folder/setup.rotate untouched=$OLD_IN_USE
	need_set_up
	begin_draft
	list_keys "$1"
	for file in "${!opens[@]}"; do
		rotate_key "$file"
	done
	[[ $left == no ]] || fail "$EXIT_UNREACHABLE" "the new key is in use, and an old one is still let in: see above. \
The same command, typed again, takes it out"
	rm -rf -- "$draft"
	exec 9<&-
	target=$conf conf_there=$conf application=''
	list_environments
	check "${environments[@]}"
}

# From here on its settings are those that are looked up.
enter() { # [APP/]ENV
	environment=${1##*/} application='' target=$conf
	[[ $1 != */* ]] || application=${1%/*} target=$folder/apps/${1%/*}.env
	conf_there=$target
}

# Fills opens, by the file of each key that is to go, with the environments that it opens.
list_keys() { # [APP/]ENV, or nothing
	local each environment wanted=''
	key_shared=$key_final
	list_environments
	for each in "${environments[@]}"; do
		enter "$each"
		value_of "$(name_of "$environment" HOST)" ''
		[[ -n $said ]] || continue
		find_way_in "$environment"
		[[ -z $1 || $1 != "$each" ]] || wanted=$key
		opens[$key]+=${opens[$key]:+ }$each
	done
	[[ -z $1 || -n $wanted ]] || fail "$EXIT_INPUT" "$1 is no environment with hosts: ${environments[*]}"
	((${#opens[@]} > 0)) || fail "$EXIT_CONFIG" "no environment has hosts: there is no deploy key to change"
	for each in "${!opens[@]}"; do
		[[ -z $1 || $each == "$wanted" ]] || unset "opens[$each]"
	done
}

# Sets left where it is in place, and the old one could not be taken out everywhere.
rotate_key() { # FILE
	local fresh id old new sent=change_program login=''
	id=$(sha256sum <<<"$1")
	fresh=$draft/deploy_key.${id:0:16}
	[[ $1 != /run/* ]] || fail "$EXIT_CONFIG" "$1 is fetched (NAME_COMMAND): change it where it is kept. $untouched"
	use_key "$1"
	old=$public_key
	[[ ! -s $fresh.old ]] || old=$(cat -- "$fresh.old")
	say '\n==> %s, which opens %s' "$1" "${opens[$1]}"
	[[ -s $fresh ]] || ssh-keygen -q -t ed25519 -N '' -C "deploybot-$(date +%F)" -f "$fresh"
	printf '%s\n' "$old" >"$fresh.old"
	use_key "$fresh"
	new=$public_key
	use_key "$1"
	if [[ $public_key != "$new" ]]; then
		at_each add_to "$1" || fail "$EXIT_UNREACHABLE" "a host does not take the new key: see above. $untouched"
		write_secret "$runner_user" "$1" <"$fresh"
		as "$runner_user" rm -f -- "$1.pub" # of the old one: ssh would offer that
		say '%s is the new key' "$1"
	fi
	at_each drop_from "$1" || { left=yes && return 0; }
	rm -f -- "$fresh" "$fresh.pub" "$fresh.old"
}

# Calls it for each host of a key once, also behind one that failed; the jump hosts are first where a key is added, and last
# where it is taken out.
at_each() { # add_to|drop_from FILE
	local each i at bad=0 environment through reach
	local -A seen=() leads=()
	for each in ${opens[$2]}; do
		enter "$each"
		value_for "$environment" SSH_PROXY_COMMAND
		[[ -z $said ]] ||
			fail "$EXIT_CONFIG" "$each is reached by SSH_PROXY_COMMAND: change its key by hand (SECURITY-OPERATIONS.md)"
		find_way_in "$environment"
		jump=$through
		value_of "$(name_of "$environment" HOST)" ''
		hosts=() ports=()
		add_hosts "$said"
		for i in "${!hosts[@]}"; do
			at=$deploy_user@${hosts[$i]}:${ports[$i]}
			[[ -z ${seen[$at]:-} ]] || continue
			seen[$at]=yes
			[[ $1 != add_to || -z $jump || -n ${leads[$jump]:-} ]] || add_to_jump "${hosts[$i]}" "${ports[$i]}"
			[[ -z $jump ]] || leads[$jump]=$deploy_user
			"$1" "${hosts[$i]}" "${ports[$i]}" || bad=1
		done
	done
	for each in "${!leads[@]}"; do
		[[ $1 == drop_from && $bad == 0 ]] || break
		deploy_user=${leads[$each]}
		change_jump "$each" drop_key || bad=1
	done
	return "$bad"
}

change_program() {
	printf 'user=%q old=%q new=%q\n' "$deploy_user" "$old" "$new"
	cat -- "$here/setup/rotate-host.sh"
}

# With a key of deploybot's alone, as a deployment comes there.
login_with() { # KEYFILE HOST PORT WORD <PROGRAM
	local caller=() key=$1
	[[ -z $jump ]] || split_jump "$jump"
	ssh_to "$LOGIN_SECONDS" "$3" -F none -oBatchMode=yes -oIdentitiesOnly=yes "-oIdentityFile=$1" -- "$deploy_user@$2" "$4" \
		>"$draft/said" 2>&1
}

add_to() { # HOST PORT
	if ! { change_program && echo add_key; } | login_with "$key" "$1" "$2" 'exec bash -s'; then
		print_said "$1"
		warn "$1: the new key is not there"
		return 1
	fi
	print_said "$1"
	login_with "$fresh" "$1" "$2" true </dev/null && return 0
	print_said "$1"
	warn "$1 has the new key and does not let $deploy_user in with it"
	return 1
}

drop_from() { # HOST PORT
	local status=0
	{ change_program && echo drop_key; } | login_with "$fresh" "$1" "$2" 'exec bash -s' || status=1
	print_said "$1"
	((status == 0)) || warn "$1: the old key is still let in there"
	return "$status"
}

# A jump host forwards, and runs nothing for us: somebody who may log in there changes its file.
change_jump() { # SSH_JUMP add_key|drop_key
	local deploy_user=$deploy_user jump=''
	split_jump "$1"
	deploy_user=$jump_user
	[[ -n $login ]] || ask_login
	[[ -z $login ]] || ! prepare_through "$jump_host" "$jump_port" '' "$2" || return 0
	print_block "$jump_host" '' "$2"
	[[ -z $answers ]] || return 1
	hear "Enter, when it has printed \"done\" > "
}

# Before a host behind it: which is how the new key is known to lead there.
add_to_jump() { # HOST PORT: of one behind it
	local kept=$key
	change_jump "$jump" add_key || fail "$EXIT_UNREACHABLE" "$jump_host has not the new key. $untouched"
	key=$fresh
	split_jump "$jump"
	jump_leads "$1" "$2" || fail "$EXIT_UNREACHABLE" "$jump_host does not let the new key through to $1:$2. $untouched"
	key=$kept
}
