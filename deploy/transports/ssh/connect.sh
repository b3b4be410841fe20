# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# connect.sh - how a host is reached: through what, over one connection for a run, and why it cannot.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh and systemd.sh, and by act-on.sh, which has one call alone; never run.  Takes from no file here.

# To connect; an act's own time comes on top.
readonly SSH_CONNECT_SECONDS=30
# Of what a host says and we keep until its call is over, in memory.
readonly SSH_WORDS_MAX=65536
# Bytes of a shared connection's socket: ssh makes it under a name that is 17 longer, and an address holds 107.
readonly SSH_CONTROL_PATH_MAX=80
# What a host's shell may print before our word on a shared connection: a .bashrc of its own.
readonly SSH_UP_MAX=4096

ssh_masters=() ssh_shares='' # by index, the process of its connection; yes or no, when it is known

# Others cannot read what root's ssh-keygen -R has written anew.
ssh_check_known() {
	[[ ! -f $SSH_KNOWN_HOSTS || ! -r $SSH_KNOWN_HOSTS ]] || return 0
	[[ ! -f $SSH_KNOWN_HOSTS ]] || fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: $SSH_KNOWN_HOSTS is there, and $(me) may not read \
it: as root: chown $(me) $SSH_KNOWN_HOSTS"
	fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: no file $SSH_KNOWN_HOSTS is there: docs/deploy-scripts.md says how it is made"
}

# ---- the way -------------------------------------------------------------------------------------

# What the shell at the other end takes as one plain word.
ssh_word() { # SETTING VALUE
	[[ $2 =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || fail "$EXIT_CONFIG" "$1 cannot go to a host's shell as it is: ${2@Q}"
}

# Fills ssh_options, what every ssh is told, and the jump host's ssh_jump_user, ssh_jump_host and ssh_jump_port.
ssh_find_way() {
	: "${SSH_JUMP:=}" "${SSH_PROXY_COMMAND:=}"
	ssh_jump_host='' ssh_jump_words=()
	ssh_options=(-F none -T -oBatchMode=yes -oStrictHostKeyChecking=yes "-oUserKnownHostsFile=$SSH_KNOWN_HOSTS"
		-oGlobalKnownHostsFile=/dev/null -oIdentitiesOnly=yes "-oIdentityFile=$SSH_KEY_PATH" -oConnectTimeout=15
		-oServerAliveInterval=10 -oServerAliveCountMax=3 -oPermitLocalCommand=no -oForwardAgent=no
		-oClearAllForwardings=yes)
	[[ -z $SSH_JUMP || -z $SSH_PROXY_COMMAND ]] ||
		fail "$EXIT_CONFIG" "SSH_JUMP and SSH_PROXY_COMMAND are both set: keep the one that leads to the hosts"
	[[ -z $SSH_JUMP ]] || ssh_find_jump
	[[ -z $SSH_PROXY_COMMAND ]] || ssh_find_proxy
}

# -J would hand the jump host's ssh none of our options, not even which keys of hosts are good.  What stands in a
# ProxyCommand goes through a shell here.
ssh_find_jump() {
	local word
	[[ $SSH_JUMP =~ ^(([a-z_][a-z0-9._-]*)@)?(\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*))(:([0-9]{1,5}))?$ ]] ||
		fail "$EXIT_CONFIG" "SSH_JUMP is not USER@HOST or USER@HOST:PORT: ${SSH_JUMP@Q}"
	ssh_jump_user=${BASH_REMATCH[2]:-$DEPLOY_USER} ssh_jump_host=${BASH_REMATCH[4]}${BASH_REMATCH[5]}
	ssh_jump_port=${BASH_REMATCH[7]:-22}
	for word in SSH_KNOWN_HOSTS SSH_KEY_PATH; do
		ssh_word "With SSH_JUMP, $word" "${!word}"
	done
	ssh_jump_words=("${ssh_options[@]}" -W "[%h]:%p" -p "$ssh_jump_port" -- "$ssh_jump_user@$ssh_jump_host")
	ssh_options+=("-oProxyCommand=ssh ${ssh_jump_words[*]}")
}

ssh_find_proxy() {
	[[ $SSH_PROXY_COMMAND =~ ^[A-Za-z0-9/]([A-Za-z0-9._/:@=,+\ -]|%[hpr])*$ ]] ||
		fail "$EXIT_CONFIG" "SSH_PROXY_COMMAND is not a command of plain words, with %h %p %r: ${SSH_PROXY_COMMAND@Q}"
	command -v -- "${SSH_PROXY_COMMAND%% *}" >/dev/null ||
		fail "$EXIT_CONFIG" "SSH_PROXY_COMMAND: no program ${SSH_PROXY_COMMAND%% *} is installed where \
deploybot's runner is"
	ssh_options+=("-oProxyCommand=$SSH_PROXY_COMMAND")
}

# Fills scan: what shows the key of a host, typed where the host can be reached.
ssh_find_scan() { # HOST PORT
	scan="ssh-keyscan -p $2 $1"
	[[ -z $ssh_jump_host || $1 == "$ssh_jump_host" ]] || scan="on the jump host $ssh_jump_host: $scan"
	[[ -z $SSH_PROXY_COMMAND ]] || scan="where SSH_PROXY_COMMAND leads: $scan"
}

ssh_check_pinned() { # HOST PORT
	ssh_is_pinned "$1" "$2" || fail "$EXIT_CONFIG" "${ssh_said#*: }"
}

# Fails with ssh_said: that, behind the host.
ssh_is_pinned() { # HOST PORT
	local name scan
	known_as name "$1" "$2"
	# A name that stands there as it is; what ssh-keygen finds are hashes and lists of names too.
	: "${ssh_known:=$'\n'$(<"$SSH_KNOWN_HOSTS")}"
	[[ $ssh_known != *$'\n'"$name "[!' ']* ]] || return 0
	ssh-keygen -F "$name" -f "$SSH_KNOWN_HOSTS" >/dev/null 2>&1 && return 0
	ssh_find_scan "$1" "$2"
	ssh_said="$1: known_hosts has no key of $name: $scan, compare it with the host's own, add it to $SSH_KNOWN_HOSTS"
	return 1
}

# ---- what ssh itself says --------------------------------------------------------------------------

# A host's stderr comes on ours, and who is root there writes what he likes to it.  What ssh says goes to a pipe of its own,
# and what the jump host's says to another one, each of which holds so much as a pipe does: that is read when it is over.
ssh_open_words() { # PIPES; fills own and jump, open as long as we are, and ssh_telling, which comes before ssh_options
	exec {own}<>"$1.own" {jump}<>"$1.jump"
	ssh_telling=(-E "$1.own")
	[[ -z $ssh_jump_host || ! $1 =~ ^[A-Za-z0-9._/-]+$ ]] || # it goes through a shell
		ssh_telling+=("-oProxyCommand=ssh -E $1.jump ${ssh_jump_words[*]}")
}

# Prints what stands in one of them, of which nothing was read yet.
ssh_read_words() { # PIPE
	dd if="$1" iflag=nonblock bs="$SSH_WORDS_MAX" count=1 2>/dev/null || true # nothing
}

# ---- one connection for a run --------------------------------------------------------------------

# Is a connection to a host to be made that all calls to it share?  The main shell alone makes some.
ssh_wants_master() { # INDEX
	[[ $BASHPID == "$$" && $ssh_shares == yes && -z ${ssh_masters[$1]:-} ]]
}

# Shares a connection with all calls to a host, if it can be: its ssh is our child, and started once.  It lives as long
# as the pipe `hold` has a writer, which is the main shell: it goes when we are gone, in whatever way.
ssh_share() { # INDEX
	ssh_wants_master "$1" || return 0
	ssh_master "$1" &
	ssh_masters[$1]=$!
}

# Fills ssh_shares.  The socket of a host's connection is c<index> in ssh_folder.
ssh_begin_sharing() {
	local LC_ALL=C path=$ssh_folder/c999 # bytes
	ssh_shares=yes
	if ((${#path} > SSH_CONTROL_PATH_MAX)); then
		ssh_shares=no
		warn "each call connects anew: the path of a socket for all of them, $path, has more than \
$SSH_CONTROL_PATH_MAX bytes"
		return 0
	fi
	exec {ssh_hold}<>"$ssh_folder/hold"
	at_exit ssh_unshare
}

ssh_master() { # INDEX
	local own jump ssh_telling
	exec {ssh_hold}>&- {ssh_life}>&-
	ssh_open_words "$ssh_folder/up.$1"
	# What waits for `up` stands in ssh_await_master.
	exec ssh "${ssh_telling[@]}" "${ssh_options[@]}" -oControlMaster=yes "-oControlPath=$ssh_folder/c$1" -oControlPersist=no \
		-p "${ssh_ports[$1]}" -- "$DEPLOY_USER@${ssh_hosts[$1]}" "echo && echo up && exec cat" \
		<"$ssh_folder/hold" >"$ssh_folder/up.$1" 7>&- 8>&- 2> >(ssh_keep_master "$1")
}

# Of what comes FILE gets so many bytes, once that is all or too much; fails where it is too much, and more is to
# come.
ssh_take_words() { # FILE BYTES
	local LC_ALL=C words='' # bytes
	{ # it is opened now: at our end it may be gone
		IFS= read -r -N "$2" words || true # that is all
		printf '%s' "$words"
	} >"$1"
	! IFS= read -r -N 1 words
}

# Of what a connection says on stderr, where a host may say what it likes, master.<index> gets that, and nobody the rest.
# It has `up` open until then: who waits there for its end finds all of it.
ssh_keep_master() { # INDEX
	local to_own to_jump # opened now, as below
	exec 7>&- 8>&- {to_own}>"$ssh_folder/own.master.$1" {to_jump}>"$ssh_folder/jump.master.$1"
	ssh_take_words "$ssh_folder/master.$1" "$SSH_WORDS_MAX" || cat >/dev/null
	ssh_read_words "$ssh_folder/up.$1.own" >&"$to_own"
	ssh_read_words "$ssh_folder/up.$1.jump" >&"$to_jump"
}

# Ends well at a line `up` within so many bytes.
# shellcheck disable=SC2016 # the shell that is started expands it
readonly SSH_UP='left=$1
	while ((left > 0)) && IFS= read -r -n "$left" line; do
		[[ $line != up ]] || exit 0
		((left -= ${#line} + 1))
	done <"$2"
	exit 1'

# In a call's own shell: until the connection is there.  What says nothing, as a host that allows one session alone, is
# done without.
ssh_await_master() { # INDEX
	[[ -n ${ssh_masters[$1]:-} ]] || return 0
	exec {ssh_hold}>&-
	[[ ! -e $ssh_folder/awaited.$1 ]] || return 0
	if limited "$SSH_CONNECT_SECONDS" "connecting to ${ssh_hosts[$1]}" \
		bash -c "$SSH_UP" - "$SSH_UP_MAX" "$ssh_folder/up.$1"; then
		: >"$ssh_folder/awaited.$1"
		return 0
	fi
	: >"$ssh_folder/awaited.$1"
	[[ -s $ssh_folder/master.$1 || -s $ssh_folder/own.master.$1 ]] || return 0
	cp -f -- "$ssh_folder/own.master.$1" "$ssh_folder/own.$1"
	cp -f -- "$ssh_folder/jump.master.$1" "$ssh_folder/jump.$1"
	head -c "$SSH_WORDS_MAX" -- "$ssh_folder/master.$1" >&2
	exit 255
}

# What a call adds to ssh_options.
ssh_find_sharing() { # INDEX
	ssh_sharing=()
	[[ -z ${ssh_masters[$1]:-} ]] || ssh_sharing=(-oControlMaster=no "-oControlPath=$ssh_folder/c$1")
}

ssh_unshare() {
	local i asking=()
	for i in "${!ssh_masters[@]}"; do
		[[ -e $ssh_folder/c$i ]] || continue
		timeout 5 ssh -F none "-oControlPath=$ssh_folder/c$i" -O exit -- "${ssh_hosts[$i]}" >/dev/null 2>&1 &
		asking+=("$!")
	done
	((${#asking[@]} == 0)) || wait "${asking[@]}" 2>/dev/null || true # bash complains of one that it forgot
	exec {ssh_hold}>&-
	for i in "${!ssh_masters[@]}"; do
		kill -TERM "${ssh_masters[$i]}" 2>/dev/null || true # it has gone, as asked
		wait "${ssh_masters[$i]}" 2>/dev/null || true
	done
	ssh_masters=()
}

# ---- why not -------------------------------------------------------------------------------------

# What ssh says of a connection that breaks, or was none.
readonly SSH_LOST="(^|[^a-z])(connect(ion|ing)? |client_loop|broken pipe|timeout, server|kex_|ssh: |packet_write|proxy|\
permission denied|host key|identification|stdio forwarding|unknown port|no route|channel [0-9]|disconnect)"
# The one word that it has for it on stderr.
readonly SSH_CLOSED=$'(^|\n)Connection to [^ ]+ closed( by remote host)?\\.\r?$'

# Did a call end with ssh's 255 while its connection stood?  Then it is what it ran there that was killed: ssh has no word
# for that.
ssh_was_killed() { # INDEX OWN-WORDS STDERR
	[[ ! ${2,,} =~ $SSH_LOST && ! $3 =~ $SSH_CLOSED ]] || return 1
	[[ -n ${ssh_masters[$1]:-} ]] || return 0
	[[ -e $ssh_folder/awaited.$1 ]] &&
		timeout 5 ssh -F none "-oControlPath=$ssh_folder/c$1" -O check -- "${ssh_hosts[$1]}" >/dev/null 2>&1
}

# Fills ssh_is with what the first of ssh's own words that says anything means.  In those behind it a host may have its say:
# the text with which it ends a session has as many lines as it likes.
ssh_find_reason() { # OWN-WORDS
	local line
	ssh_is=''
	while IFS= read -r line; do
		case $line in
		'ssh: connect to host '* | 'ssh: Could not resolve hostname '*) ssh_is=unreached ;;
		'kex_exchange_identification: '* | 'banner exchange: '*) ssh_is=unreached ;;
		'@ '*'IDENTIFICATION HAS CHANGED'*) ssh_is=changed ;;
		'Host key verification failed.'*) ssh_is=key ;;
		[!\ ]*@*': Permission denied ('*) ssh_is=denied ;;
		'stdio forwarding failed'*) ssh_is=forwarding ;;
		mux_client* | client_loop* | *packet_write* | 'Timeout, server '* | *'roken pipe'*) ssh_is=lost ;;
		'Received disconnect '* | 'Disconnected '* | 'Connection '*) ssh_is=lost ;;
		*) continue ;;
		esac
		return 0
	done <<<"$1"
}

# Did ssh end before anything could be run there?  Where a connection stood and broke nobody knows.
ssh_has_no_session() { # OWN-WORDS
	local ssh_is
	ssh_find_reason "$1"
	[[ $ssh_is == @(unreached|key|changed|denied) ]]
}

# Of a host that says itself why: it is there.
ssh_is_away() { return 1; }

# The last line of words, as long as people read.
ssh_last_line() { # WORDS; fills said
	said=${1%"${1##*[![:space:]]}"}
	said=${said##*$'\n'}
	said=${said:0:1000} said=${said%$'\r'}
}

# Is it the host itself that gave no answer: not the jump host, nor somebody in its place?
ssh_is_silent() { # OWN-WORDS JUMP-WORDS
	local ssh_is
	ssh_find_reason "$2"
	[[ $ssh_is != forwarding ]] || return 0
	[[ -z $ssh_is || -z $ssh_jump_host ]] || return 1
	ssh_find_reason "$1"
	[[ $ssh_is == unreached ]]
}

# Looks once, over a connection of its own.
ssh_answers() { # INDEX
	local status=0 own jump said='' over='' ssh_telling
	mkfifo -m 600 -- "$ssh_folder"/look.{own,jump}
	ssh_open_words "$ssh_folder/look"
	bounded "$SSH_CONNECT_SECONDS" ssh "${ssh_telling[@]}" "${ssh_options[@]}" -p "${ssh_ports[$1]}" -- \
		"$DEPLOY_USER@${ssh_hosts[$1]}" true </dev/null >/dev/null 2>&1 || status=$?
	! read -r -t 0 -u "$own" || said=$(ssh_read_words "$ssh_folder/look.own")
	! read -r -t 0 -u "$jump" || over=$(ssh_read_words "$ssh_folder/look.jump")
	exec {own}>&- {jump}>&-
	rm -f -- "$ssh_folder"/look.{own,jump}
	[[ $is_over == no ]] && { ((status != 255)) || ! ssh_is_silent "$said" "$over"; }
}

# Fills ssh_said of a connection that did not come about, or broke: by what ssh says itself, and the jump host's.  A path
# stands last: the chat cuts a long line, and what to do has to stand before that.
ssh_explain_lost() { # INDEX OWN-WORDS JUMP-WORDS STDERR
	local host=${ssh_hosts[$1]} port=${ssh_ports[$1]} user=$DEPLOY_USER said what=host ssh_is scan
	ssh_last_line "${2:-$4}"
	[[ -n $2 || -z $said || $4 =~ $SSH_CLOSED ]] || said="it says: $said"
	ssh_find_reason "$3"
	if [[ $ssh_is == forwarding ]]; then
		ssh_last_line "$(grep -v '^stdio forwarding failed' <<<"$3")"
	elif [[ -n $ssh_is && -n $ssh_jump_host ]]; then
		what=jump host=$ssh_jump_host port=$ssh_jump_port user=$ssh_jump_user
		ssh_last_line "$3"
	elif [[ -n ${SSH_PROXY_COMMAND:-} && $2 == *'UNKNOWN port 65535'* ]] && ssh_has_no_session "$2"; then
		ssh_last_line "$4"
		ssh_said="$host cannot be reached through SSH_PROXY_COMMAND: ${said:-it says no more}"
		return "$?"
	else
		ssh_find_reason "$2"
	fi
	case $ssh_is in
	key)
		ssh_find_scan "$host" "$port"
		ssh_said="$host shows an unknown key: is somebody in between? If the host's is new: $scan, compare, put it into \
$SSH_KNOWN_HOSTS"
		;;
	changed)
		ssh_find_scan "$host" "$port"
		ssh_said="$host shows ANOTHER key: is somebody in between? If the host's was changed: $scan, compare, replace its \
line in $SSH_KNOWN_HOSTS"
		;;
	denied)
		ssh_said="$host does not let $user in: add to ~$user/.ssh/authorized_keys there what \
\"ssh-keygen -y -f $SSH_KEY_PATH\" prints"
		;;
	forwarding)
		ssh_said="$host cannot be reached from the jump host $ssh_jump_host: ${said:-it says no more} (is it up, and port \
$port open to that one?)"
		;;
	*) ssh_said="$host cannot be reached: ${said:-ssh says no more} (is it up, and port $port open to us?)" ;;
	esac
	[[ $what != jump ]] || ssh_said="the jump host $ssh_said"
}
