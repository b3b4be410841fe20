# shellcheck shell=bash disable=SC2154 # variables stand before it
# prepare-host.sh - what deploybot needs on a host: container engine, user, key, folder, compose file.  Changes none that is there.
# SPDX-License-Identifier: ISC
# Sent by deploybot-setup, or pasted: `user`, `key`, `dir`, `port`, `inside` (the container's port) and `addresses` (by which
# deploybot comes here) stand before it, `prepare_host` behind it.  Runs as root; needs Debian only where something has to be
# installed.

did() { printf 'done: %s\n' "$1"; }
kept() { printf 'kept: %s\n' "$1"; }
stop() {
	printf 'error: %s\n' "$1" >&2
	return 1
}

has_compose() { docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1; }

prepare_engine() {
	local packages=()
	command -v docker >/dev/null || packages+=(docker.io)
	has_compose || packages+=(docker-compose)
	if ((${#packages[@]} == 0)); then
		kept "the container engine, and compose"
		return 0
	fi
	command -v apt-get >/dev/null ||
		stop "${packages[*]}: there is no apt-get here: install them, and run this again" || return 1
	DEBIAN_FRONTEND=noninteractive apt-get -q update >&2 </dev/null &&
		DEBIAN_FRONTEND=noninteractive apt-get -q install -y "${packages[@]}" >&2 </dev/null ||
		stop "apt-get install ${packages[*]} failed: what it said stands above" || return 1
	did "installed ${packages[*]}"
}

prepare_user() {
	if getent passwd "$user" >/dev/null; then
		kept "the user $user"
	else
		useradd --create-home --shell "${shell:-/bin/bash}" "$user" && usermod -p '*' "$user" ||
			stop "the user $user cannot be made" || return 1
		did "made the user $user, without a password"
	fi
}

prepare_group() {
	if [[ $user != root ]] && getent group docker >/dev/null && [[ " $(id -nG "$user") " != *' docker '* ]]; then
		usermod -aG docker "$user" || stop "$user cannot be put into the group docker" || return 1
		did "put $user into the group docker"
	fi
}

# As the user: a link in its home leads root nowhere.  Where our key is new, what another deploybot left is named.
prepare_key() {
	local home
	home=$(getent passwd "$user" | cut -d: -f6)
	# shellcheck disable=SC2016 # the shell that is started expands it
	runuser -u "$user" -- bash -c 'umask 077 && cd "$1" && mkdir -p .ssh && touch .ssh/authorized_keys &&
		if grep -qF -- "$2" .ssh/authorized_keys; then echo "kept: the key of deploybot"; else
			[[ ! -s .ssh/authorized_keys || -z $(tail -c 1 .ssh/authorized_keys) ]] || echo >>.ssh/authorized_keys
			! grep -q " deploybot$" .ssh/authorized_keys || echo "note: $1/.ssh/authorized_keys has another key of a" \
				"deploybot: unless an earlier set-up or another environment made it, another one comes here too"
			[[ ! -e $4/.deploybot.releases ]] || echo "note: $4 has releases of another deploybot, or of an earlier" \
				"set-up: if that one still runs, each undoes what the other releases there"
			printf "restrict%s %s deploybot\n" "$3" "$2" >>.ssh/authorized_keys &&
				echo "done: the key of deploybot"
		fi' \
		- "$home" "$key" "${allowed:-}" "$dir" || stop "$home/.ssh/authorized_keys of $user cannot be written"
}

prepare_folder() {
	local name
	if [[ ! -d $dir ]]; then
		install -d -o "$user" -- "$dir" || stop "the folder $dir cannot be made" || return 1
		did "made the folder $dir"
	fi
	for name in docker-compose.yml docker-compose.yaml compose.yml compose.yaml; do
		[[ ! -e $dir/$name ]] || { kept "$dir/$name"; return 0; }
	done
	# shellcheck disable=SC2016 # compose expands it
	printf 'version: "3.7"\nservices:\n  app:\n    image: ${DEPLOY_IMAGE}\n    restart: always\n    ports:\n      - "%s:%s"\n' \
		"$port" "$inside" | runuser -u "$user" -- tee -- "$dir/docker-compose.yml" >/dev/null ||
		stop "$dir/docker-compose.yml cannot be written by $user" || return 1
	did "wrote $dir/docker-compose.yml: port $port of this host leads to port $inside of the container"
	say_who_reaches
}

# docker opens a published port past ufw and the like.
say_who_reaches() {
	local address
	printf 'note: whoever reaches an address of this host reaches port %s now, in clear text and past ufw\n' \
		"$port"
	for address in $addresses; do
		[[ $address != 127.* && " $(hostname -I) " != *" $address "* ]] || break
		address=''
	done
	[[ -n ${address:-} ]] || return 0
	[[ $address != *:* ]] || address="[$address]"
	printf 'note: only by the address that deploybot comes to, before a release: %s '\''s/"%s:%s"/"%s:%s:%s"/'\'' %s\n' \
		"sed -i" "$port" "$inside" "$address" "$port" "$inside" "$dir/docker-compose.yml"
}

prepare_host() {
	[[ $(id -u) == 0 ]] || stop "root is needed: put sudo before it" || return 1
	prepare_engine && prepare_user && prepare_group && prepare_key && prepare_folder && printf 'prepared\n'
}

# What hosts of a private network are reached through: it forwards, and does nothing else for us.
prepare_jump() {
	local shell=/usr/sbin/nologin allowed=,port-forwarding
	[[ $(id -u) == 0 ]] || stop "root is needed: put sudo before it" || return 1
	prepare_user && prepare_key && printf 'prepared\n'
}
