# shellcheck shell=bash disable=SC2154 # variables stand before it
# rotate-host.sh - a host's authorized_keys while deploybot's key changes: the new one beside the old one, then alone.
# SPDX-License-Identifier: ISC
# Sent by deploybot-setup, or pasted: `user`, `old` and `new` (keys as TYPE LETTERS) stand before it, add_key or drop_key behind
# it.  Runs as that user, or as root.

add_key() { change_keys add && printf 'done: the new key is let in beside the old one\n'; }
drop_key() { change_keys drop && printf 'done: the old key is not let in any more\n'; }

# As the user: a link in its home leads root nowhere.  The new key has the old one's options; the file is never half there.
change_keys() { # add|drop
	local run=()
	[[ $(id -un) == "$user" ]] || run=(runuser -u "$user" --)
	# shellcheck disable=SC2016 # the shell that is started expands it
	${run[@]+"${run[@]}"} bash -c 'umask 077
		stop() { echo "error: $1" >&2; exit 1; }
		old=${2#* } new=${3#* }
		file=$(readlink -e -- "$4/.ssh/authorized_keys") || stop "there is no $4/.ssh/authorized_keys"
		has_new=no && ! grep -qF -- "$new" "$file" || has_new=yes
		case $1$has_new in
		addyes) exit 0 ;;
		addno) grep -qF -- "$old" "$file" || stop "$file has not the key that deploybot has"
			edit="\|$old|{p;s|[^ ]* $old.*|$3 deploybot|}" ;;
		dropyes) edit="\|$old|d" ;;
		*) stop "$file has not the new key: the old one stays" ;;
		esac
		fresh=$file.deploybot
		sed -- "$edit" "$file" >"$fresh" && chmod --reference="$file" -- "$fresh" && sync -- "$fresh" &&
			mv -fT -- "$fresh" "$file" || stop "$file cannot be written by $(id -un)"' \
		- "$1" "$old" "$new" "$(getent passwd "$user" | cut -d: -f6)"
}
