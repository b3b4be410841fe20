# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# ssh.sh - the transport to hosts with docker compose: one ssh call per host and act, which carries ssh-host/ there.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  Every word that reaches the other shell was
# checked before (ssh_word) and needs no quoting; what cannot be checked so, and the registry's password, goes over stdin.

readonly transport_needs=image

# What ssh-host/ may take there in the worst case (its own deadlines stand in it); and half a minute to connect.
: "${SSH_ASK_SECONDS:=150}"      # check, current, logs, clean
: "${SSH_PREPARE_SECONDS:=1500}" # pull, and start beside what serves
: "${SSH_SWITCH_SECONDS:=900}"   # wait for what was interrupted, replace, wait until it answers, or take back
readonly SSH_CONNECT_SECONDS=30
# Another deploybot is waited for so long; a rollback waits for what it interrupts, which first puts things in order.
readonly SSH_LOCK_SECONDS=30 SSH_LOCK_ROLLBACK_SECONDS=300
# Of what a host says and we keep until its call is over, in memory.
readonly SSH_WORDS_MAX=65536

# ---- settings ------------------------------------------------------------------------------------

# What the shell at the other end takes as one plain word.
ssh_word() { # SETTING VALUE
	[[ $2 =~ ^[A-Za-z0-9._/:@=,+-]+$ ]] || fail "$EXIT_CONFIG" "$1 cannot go to a host's shell as it is: ${2@Q}"
}

# Fills ssh_hosts and, in the same order, ssh_ports.
ssh_find_hosts() {
	local list entry
	list=$(setting_of "$environment" HOST)
	[[ -n $list ]] ||
		fail "$EXIT_CONFIG" "$(name_of "$environment" HOST) is not set: which hosts does $environment run on? \
(HOST[:PORT],…)"
	ssh_hosts=() ssh_ports=()
	while IFS= read -r entry; do
		[[ $entry =~ ^(\[(.*)\]|([^:]*))(:(.*))?$ ]]
		ssh_hosts+=("${BASH_REMATCH[2]}${BASH_REMATCH[3]}")
		ssh_ports+=("${BASH_REMATCH[5]:-22}")
	done <<<"${list//,/$'\n'}"
}

# Fills ssh_common, what every act is told.
ssh_find_settings() {
	: "${DEPLOY_USER:=deploy}" "${SSH_KEY_PATH:=/app/secrets/deploy_key}" "${SSH_KNOWN_HOSTS:=/app/secrets/known_hosts}"
	: "${HOSTS_PARALLEL:=false}" "${COMPOSE_SERVICE:=app}" "${REMOTE_LOGIN:=true}" "${DEPLOY_STRATEGY:=recreate}"
	: "${NGINX_RELOAD_COMMAND:=sudo -n nginx -s reload}" "${APP_PORTS:=8001,8002}" "${DRAIN_SECONDS:=10}" "${SMOKE_URL:=}"
	check_bool HOSTS_PARALLEL
	check_bool REMOTE_LOGIN
	ssh_find_hosts
	ssh_dir=$(setting_of "$environment" COMPOSE_DIR)
	ssh_dir=${ssh_dir:-/srv/app}
	ssh_dir=${ssh_dir%/}
	ssh_common=("environment=$environment" "dir=$ssh_dir" "service=$COMPOSE_SERVICE" "strategy=$DEPLOY_STRATEGY")
	[[ -z $former ]] || ssh_common+=("former=$former")
	case $DEPLOY_STRATEGY in
	recreate)
		[[ $SMOKE_URL != *'{port}'* ]] ||
			fail "$EXIT_CONFIG" "SMOKE_URL has {port}, which only DEPLOY_STRATEGY=bluegreen knows"
		;;
	bluegreen) ssh_find_nginx ;;
	esac
}

ssh_find_nginx() {
	[[ -n ${NGINX_UPSTREAM_FILE:-} ]] ||
		fail "$EXIT_CONFIG" "DEPLOY_STRATEGY=bluegreen needs NGINX_UPSTREAM_FILE: what nginx there includes"
	ssh_common+=("ports=$APP_PORTS" "upstream=$NGINX_UPSTREAM_FILE" "drain=$DRAIN_SECONDS")
}

# ssh's name of a host, as it stands in known_hosts.
ssh_known_as() { # INDEX
	if [[ ${ssh_ports[$1]} == 22 ]]; then
		printf '%s' "${ssh_hosts[$1]}"
	else
		printf '[%s]:%s' "${ssh_hosts[$1]}" "${ssh_ports[$1]}"
	fi
}

ssh_check_files() {
	local i name mode
	need_tool ssh openssh-client
	need_tool ssh-keygen openssh-client
	check_secret SSH_KEY_PATH "$SSH_KEY_PATH"
	[[ -f $SSH_KNOWN_HOSTS && -r $SSH_KNOWN_HOSTS ]] ||
		fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: no file $SSH_KNOWN_HOSTS is there: docs/deploy-scripts.md says how it is made"
	mode=$(stat -L -c %a -- "$SSH_KNOWN_HOSTS")
	(((8#$mode & 8#022) == 0)) ||
		fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: others may write $SSH_KNOWN_HOSTS (mode $mode): chmod 644 it"
	for i in "${!ssh_hosts[@]}"; do
		name=$(ssh_known_as "$i")
		ssh-keygen -F "$name" -f "$SSH_KNOWN_HOSTS" >/dev/null 2>&1 ||
			fail "$EXIT_CONFIG" "$SSH_KNOWN_HOSTS has no key of $name: ssh-keyscan -p ${ssh_ports[$i]} \
${ssh_hosts[$i]}, compare it with the host's own, add it there"
	done
}

# ---- calls ---------------------------------------------------------------------------------------

# Runs an act on a host; in a subshell of its own, as it redirects all.  Its last line on stderr says what went wrong.
# The script goes over stdin, the settings behind it, and then the pipe `life`, whose only writer is the main shell: its
# end says there that we are gone, in whatever way.
ssh_call() { # INDEX SECONDS ACT WORD...
	local i=$1 seconds=$2 what=$3 feeder status=0
	shift 2
	exec {ssh_life}>&-
	rm -f -- "$ssh_folder/in.$i"
	mkfifo -m 600 -- "$ssh_folder/in.$i"
	# A job, which a signal to us ends; a process substitution would be waited for, and it waits for us.
	cat -- "$ssh_folder/program" "$ssh_folder/settings" "$ssh_folder/life" >"$ssh_folder/in.$i" 2>/dev/null &
	feeder=$!
	exec <"$ssh_folder/in.$i"
	limited $((seconds + SSH_CONNECT_SECONDS)) "$what on ${ssh_hosts[$i]}" ssh -F none -T -oBatchMode=yes \
		-oStrictHostKeyChecking=yes "-oUserKnownHostsFile=$SSH_KNOWN_HOSTS" -oGlobalKnownHostsFile=/dev/null \
		-oIdentitiesOnly=yes "-oIdentityFile=$SSH_KEY_PATH" -oConnectTimeout=15 -oServerAliveInterval=10 \
		-oServerAliveCountMax=3 -oPermitLocalCommand=no -oForwardAgent=no -oClearAllForwardings=yes \
		-p "${ssh_ports[$i]}" -- "$DEPLOY_USER@${ssh_hosts[$i]}" "timeout -k 10 $seconds bash -s -- $*" || status=$?
	kill "$feeder" 2>/dev/null || true # it has ended where all was read
	exit "$status"
}

# Makes FILE.pipe: of what is written there FILE gets SSH_WORDS_MAX bytes, and nobody the rest.
ssh_keep() { # INDEX FILE
	: >"$2"
	rm -f -- "$2.pipe"
	mkfifo -m 600 -- "$2.pipe"
	{
		exec {ssh_life}>&- # or they who are there would not notice our end
		head -c "$SSH_WORDS_MAX" >"$2"
		cat >/dev/null
	} <"$2.pipe" &
	ssh_guards[$1]+=" $!"
}

# Runs an act on all hosts, or those of ssh_only, one after the other, or HOSTS_PARALLEL.  What they print goes to the
# log, with ssh_quiet into files OUT.<index>.  Fails with ssh_status and ssh_said of the first that fails; ssh_done has
# those where it was done.
ssh_everywhere() { # SECONDS ACT WORD...
	local i word children=() ssh_guards=() quotes=no
	for word in "${@:2}"; do
		ssh_word "a word for $2" "$word"
	done
	ssh_make_folder
	exec {ssh_life}<>"$ssh_folder/life"
	ssh_done=() ssh_status=0 ssh_said=
	# What a host says is no word of ours.
	if [[ $ssh_quiet == no ]]; then
		quotes=yes
	fi
	[[ $quotes == no || $HOSTS_PARALLEL == false ]] || quote
	for i in "${ssh_only[@]}"; do
		if [[ $2 == switch && $HOSTS_PARALLEL == false ]]; then
			step "switch ${ssh_hosts[$i]}"
		fi
		[[ $quotes == no || $HOSTS_PARALLEL == true ]] || quote
		rm -f -- "$ssh_folder/out.$i"
		ssh_keep "$i" "$ssh_folder/err.$i"
		if [[ $ssh_quiet == yes ]]; then
			ssh_keep "$i" "$ssh_folder/out.$i"
			ssh_call "$i" "$@" >"$ssh_folder/out.$i.pipe" 2>"$ssh_folder/err.$i.pipe" &
		else
			ssh_call "$i" "$@" 2>"$ssh_folder/err.$i.pipe" &
		fi
		children[i]=$!
		if [[ $HOSTS_PARALLEL == false ]]; then
			ssh_finish "$i" "${children[$i]}"
			[[ $quotes == no ]] || unquote
			((ssh_status == 0)) || break
		fi
	done
	if [[ $HOSTS_PARALLEL == true ]]; then
		for i in "${ssh_only[@]}"; do
			ssh_finish "$i" "${children[$i]}"
		done
		[[ $quotes == no ]] || unquote
	fi
	exec {ssh_life}>&-
	return "$ssh_status"
}

# What a host said on stderr: set in, so that no line of it is taken for a step.
ssh_show() { # TEXT
	[[ -z $1 ]] || printf '  %s\n' "${1//$'\n'/$'\n'  }" >&2
}

# Waits for a call and reads what it has to say.
ssh_finish() { # INDEX CHILD
	local status=0 words said
	wait "$2" || status=$?
	# shellcheck disable=SC2086 # numbers
	wait ${ssh_guards[$1]}
	for words in "$ssh_folder"/{out,err}."$1"; do
		[[ ! -e $words ]] || (($(stat -c %s -- "$words") < SSH_WORDS_MAX)) ||
			warn "${ssh_hosts[$1]} says more than $SSH_WORDS_MAX bytes at once: the rest is left out"
	done
	words=$(<"$ssh_folder/err.$1")
	words=${words%"${words##*[![:space:]]}"}
	if ((status == 0)); then
		ssh_done+=("$1")
		ssh_show "$words"
		return "$?"
	fi
	said=${words##*$'\n'}
	said=${said:0:1000}
	[[ $words != *$'\n'* ]] || ssh_show "${words%$'\n'*}"
	((ssh_status == 0)) || printf '%s: %s\n' "${ssh_hosts[$1]}" "$ssh_said" >&2 # the last one is said last
	ssh_explain "$1" "$status" "$said" "$words"
}

# Fills ssh_status and ssh_said.
ssh_explain() { # INDEX STATUS LAST-LINE WORDS
	local host=${ssh_hosts[$1]}
	ssh_status=$2 ssh_said="$host: $3"
	case $2 in
	64 | 66 | 70 | 75 | 78) ;;
	255)
		ssh_status=$EXIT_UNREACHABLE
		case $4 in
		*'Host key verification failed'* | *'IDENTIFICATION HAS CHANGED'*)
			ssh_said="$host shows a key that is not in $SSH_KNOWN_HOSTS: is somebody in between? If the host's is new: \
ssh-keyscan -p ${ssh_ports[$1]} $host, compare, put it there"
			;;
		*'Permission denied'*)
			ssh_said="$host does not let $DEPLOY_USER in: put what \"ssh-keygen -y -f $SSH_KEY_PATH\" prints into \
~$DEPLOY_USER/.ssh/authorized_keys there"
			;;
		*) ssh_said="$host cannot be reached: ${3:-ssh says no more} (is it up, and port ${ssh_ports[$1]} open to us?)" ;;
		esac
		;;
	124) ssh_status=$EXIT_BUSY ssh_said="$host: out of time" ;;
	126 | 127) ssh_status=$EXIT_REFUSED ssh_said="$host: ${3:-no bash}: bash and timeout (coreutils) are needed there" ;;
	1[2-9][0-9]) ssh_status=$EXIT_REFUSED ssh_said="$host: ssh, or what it started there, was killed (status $2)" ;;
	*) ssh_status=$EXIT_REFUSED ssh_said="$host: ended with status $2${3:+: $3}" ;;
	esac
}

ssh_make_folder() {
	local user='' password=''
	[[ -z ${ssh_folder:-} ]] || return 0
	ssh_folder=$(private_folder)
	mkfifo -m 600 -- "$ssh_folder/life"
	# Read once: an upgrade in the middle mixes no versions, and behind half a program a host would execute the settings.
	cat -- "$here"/transports/ssh-host/{base,recreate,bluegreen,acts,main}.sh >"$ssh_folder/program" ||
		fail "$EXIT_CONFIG" "deploybot's own $here/transports/ssh-host is not whole: install deploybot again"
	if [[ $REMOTE_LOGIN == true && -n $registry_user ]]; then
		user=$registry_user
		read_all password "$registry_password"
	fi
	printf '%s\n' "$user" "$password" "$SMOKE_URL" "${NGINX_RELOAD_COMMAND}" >"$ssh_folder/settings"
}

# As ssh_everywhere on all hosts, and a failure is ours.
ssh_all() { # SECONDS ACT WORD...
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$@" || fail "$ssh_status" "$ssh_said"
}

# ---- the interface -------------------------------------------------------------------------------

transport_preflight() {
	ssh_find_settings
	ssh_check_files
	ssh_prepared=() ssh_others=() ssh_quiet=yes
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$SSH_ASK_SECONDS" check "${ssh_common[@]}" "image=$image" || true # ssh_status, below
	ssh_quiet=no
	ssh_show_check
	((ssh_status == 0)) || fail "$ssh_status" "$ssh_said"
}

# What the hosts said of themselves goes to the log.  Fills ssh_others, lines SERVICE IMAGE.
ssh_show_check() {
	local i line old
	for i in "${ssh_only[@]}"; do
		[[ -s $ssh_folder/out.$i ]] || continue
		old=
		quote
		while IFS= read -r line || [[ -n $line ]]; do
			if [[ $line =~ ^stays-old\ ([A-Za-z0-9][A-Za-z0-9._-]*)\ ([^[:space:]]+)$ ]]; then
				ssh_others+=("${BASH_REMATCH[1]} ${BASH_REMATCH[2]}")
				old+=" ${BASH_REMATCH[1]}"
			else
				printf '%s\n' "$line"
			fi
		done <"$ssh_folder/out.$i"
		unquote
		[[ -z $old ]] || warn "${ssh_hosts[$i]}: a release updates the service $COMPOSE_SERVICE alone; of the same image \
these stay old:$old (after it, in $ssh_dir there: docker compose up -d$old)"
	done
}

# Names for chat which of them do not run what is shipped.
ssh_name_others() { # RELEASE
	local line seen=' '
	for line in ${ssh_others[@]+"${ssh_others[@]}"}; do
		[[ $line != *"@${1#*@}" && $seen != *" ${line%% *} "* ]] || continue
		seen+="${line%% *} "
		step "stays-old ${line%% *}"
	done
}

# What runs on the first host; where others run something else, that is said.  Fills ssh_ids, of what runs on each.
transport_current() {
	local i first='' found lines
	ssh_quiet=yes
	ssh_all "$SSH_ASK_SECONDS" current "${ssh_common[@]}"
	ssh_quiet=no
	for i in "${!ssh_hosts[@]}"; do
		mapfile -t -n 2 lines <"$ssh_folder/out.$i"
		found=${lines[0]:-} ssh_ids[i]=${lines[1]:-}
		found=${found:0:200} # longer than any release
		[[ -z $found || $found =~ ^[0-9a-f]{40,64}@sha256:[0-9a-f]{64}$ ]] ||
			fail "$EXIT_REFUSED" "${ssh_hosts[$i]} says nonsense of what runs there: ${found@Q}"
		[[ $i != 0 ]] || first=$found
		[[ $found == "$first" ]] || warn "${ssh_hosts[$i]} runs ${found:-nothing}, ${ssh_hosts[0]} runs ${first:-nothing}"
	done
	[[ -z $first ]] || printf '%s\n' "$first"
}

# A name for what runs there now, whatever it is: `prepare` keeps it on each host under that name.
transport_before() {
	local i ids=$environment
	for i in "${!ssh_hosts[@]}"; do
		[[ -n ${ssh_ids[$i]} ]] || return 0
		ids+=" ${ssh_ids[$i]}"
	done
	ids=$(sha256sum <<<"$ids")
	printf 'before-%s' "${ids:0:16}"
}

transport_ship() { # RELEASE
	ssh_ship "$1" "lock=$SSH_LOCK_SECONDS" "missing=$EXIT_REGISTRY"
}

transport_rollback() { # RELEASE
	ssh_ship "$1" "lock=$SSH_LOCK_ROLLBACK_SECONDS" "missing=$EXIT_INPUT"
}

# As image_of; what ran before deploybot has the name that `prepare` gave it.
ssh_image_of() { # RELEASE
	if [[ $1 == target:* ]]; then
		printf 'deploybot-before:%s' "${1#target:}"
	else
		image_of "$1"
	fi
}

# The word that makes a host keep what ran before deploybot.
ssh_before() {
	[[ $act != deploy || $PREVIOUS_RELEASE != target:* ]] || printf 'before=%s' "${PREVIOUS_RELEASE#target:}"
}

ssh_ship() { # RELEASE WORD...
	local words=("${ssh_common[@]}" "image=$(ssh_image_of "$1")" "release=$1" "${@:2}")
	[[ -z $(ssh_before) ]] || words+=("$(ssh_before)")
	if [[ $DEPLOY_STRATEGY == bluegreen ]]; then
		step start
		at_exit ssh_tidy
	else
		step pull
	fi
	ssh_only=("${!ssh_hosts[@]}")
	if ! ssh_everywhere "$SSH_PREPARE_SECONDS" prepare "${words[@]}"; then
		ssh_prepared=(${ssh_done[@]+"${ssh_done[@]}"})
		fail "$ssh_status" "$ssh_said"
	fi
	ssh_prepared=("${ssh_done[@]}")
	release_begins
	ssh_name_others "$1"
	ssh_prepared=()
	[[ $HOSTS_PARALLEL == false ]] || step switch
	ssh_everywhere "$SSH_SWITCH_SECONDS" switch "${words[@]}" || ssh_switch_failed
}

# From here on no status may say that the target is untouched.
ssh_switch_failed() {
	local i done_on=''
	((ssh_status == EXIT_BUSY)) || ssh_status=$EXIT_REFUSED
	for i in ${ssh_done[@]+"${ssh_done[@]}"}; do
		done_on+=" ${ssh_hosts[$i]}"
	done
	if [[ -n $done_on ]]; then
		ssh_said+="; the new release runs on$done_on"
		[[ -z $PREVIOUS_RELEASE ]] || ssh_said+=": deploy/rollback.sh $environment $PREVIOUS_RELEASE rolls it back"
	fi
	fail "$ssh_status" "$ssh_said"
}

# What was started beside what serves and is not switched to any more.
ssh_tidy() {
	((${#ssh_prepared[@]} > 0)) || return 0
	ssh_only=("${ssh_prepared[@]}") ssh_prepared=()
	ssh_everywhere "$SSH_ASK_SECONDS" tidy "${ssh_common[@]}" || warn "$ssh_said"
}

transport_logs() { # LINES
	ssh_all "$SSH_ASK_SECONDS" logs "${ssh_common[@]}" "lines=$1"
}

transport_clean() { # DIGEST...
	local keep words
	keep=$(printf '%s\n' "$@" | LC_ALL=C sort -u)
	words=("image=$image" "keep=${keep//$'\n'/,}")
	[[ -z $(ssh_before) ]] || words+=("$(ssh_before)")
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$SSH_ASK_SECONDS" clean "${ssh_common[@]}" "${words[@]}" || warn "$ssh_said"
}
