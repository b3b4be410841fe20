# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# calls.sh - an act on hosts, many at once: one ssh call for each, what they print, and why one of them failed.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh and systemd.sh, which write what stands behind the program, $ssh_folder/settings.  Takes connections and
# why there is none from connect.sh, the hosts, ssh_at_once and ssh_aside that hosts.sh fills, and what is said of a host
# from waves.sh.  Every word that reaches the other shell was checked before (ssh_word) and needs no quoting; what cannot be
# checked so, and the registry's password, goes over stdin.

# What a host may take in the worst case (its own deadlines stand in ssh-host/).
: "${SSH_ASK_SECONDS:=150}" # check, logs, clean
# Another deploybot is waited for so long; a rollback waits for what it interrupts, which first puts things in order.
readonly SSH_LOCK_SECONDS=30 SSH_LOCK_ROLLBACK_SECONDS=300
# The beginning of a line of a host's stderr that is for people; of all hosts so many are passed on.
readonly SSH_PEOPLE_WORDS='for people: ' SSH_PEOPLE_MAX=8
# What a host's last line says where nothing of the release runs there, as nothing did before.
readonly SSH_UNDONE_WORDS='; as before, '
# What a host says, on stderr, where a start ends what drains.
readonly SSH_CUT_WORDS='what drains there is ended: its open connections are closed'
ssh_calls=0

# ---- what goes there -----------------------------------------------------------------------------

# Fills ssh_folder.
ssh_make_folder() { # FILE of the program...
	make_private ssh_folder
	mkfifo -m 600 -- "$ssh_folder"/{life,hold,ended}
	ssh_write_program "$@"
}

# Read once: an upgrade in the middle mixes no versions, and behind half a program a host would execute the settings.
# bash reads a script that comes over a pipe byte by byte: the first line has the rest read at once, by dd, as busybox's
# head takes more than it is asked for, and the settings with it.  The last one ends.
ssh_write_program() { # FILE...
	local LC_ALL=C text # bytes
	text=$(cat -- "$@") ||
		fail "$EXIT_CONFIG" "deploybot's own $here/transports is not whole: install deploybot again"
	# shellcheck disable=SC2016 # the host's shell expands it
	printf 'exec bash -c '\''eval "$(dd bs=%s count=1 iflag=fullblock 2>/dev/null)"; exit %s'\'' bash "$@"\n%s\n' \
		"$((${#text} + 1))" "$EXIT_INPUT" "$text" >"$ssh_folder/program"
}

# ---- calls ---------------------------------------------------------------------------------------

# Runs an act on a host; in a subshell of its own, as it redirects all.  Its last line on stderr says what went wrong.
# The script goes over stdin, the settings behind it, and then the pipe `life`, whose only writer is the main shell: its
# end says there that we are gone, in whatever way.
ssh_call() { # INDEX SECONDS ACT WORD...
	local i=$1 seconds=$2 what=$3 settings=$ssh_folder/settings feeder status=0 own jump ssh_telling
	local began=$EPOCHSECONDS
	[[ $what != pull ]] || settings=$ssh_folder/settings.pull
	[[ $what != paths ]] || settings=$ssh_folder/settings.paths.$i
	shift 2
	exec {ssh_life}>&-
	ssh_find_sharing "$i"
	ssh_await_master "$i"
	ssh_open_words "$ssh_pipes$i"
	# A job, which a signal to us ends; a process substitution would be waited for, and it waits for us.
	cat -- "$ssh_folder/program" "$settings" "$ssh_folder/life" >"$ssh_pipes$i.in" 2>/dev/null &
	feeder=$!
	exec <"$ssh_pipes$i.in"
	limited $((seconds + SSH_CONNECT_SECONDS)) "$what on ${ssh_hosts[$i]}" ssh "${ssh_telling[@]}" "${ssh_options[@]}" \
		${ssh_sharing[@]+"${ssh_sharing[@]}"} -p "${ssh_ports[$i]}" -- "$DEPLOY_USER@${ssh_hosts[$i]}" \
		"timeout -k 10 $seconds bash -s -- $*" || status=$?
	kill "$feeder" 2>/dev/null || true # it has ended where all was read
	# KILL, which timeout sends who is still putting things in order: no lack of memory.
	((status != 137 || EPOCHSECONDS - began < seconds)) || status=124
	! read -r -t 0 -u "$own" || ssh_read_words "$ssh_pipes$i.own" >"$ssh_folder/own.$i"
	! read -r -t 0 -u "$jump" || ssh_read_words "$ssh_pipes$i.jump" >"$ssh_folder/jump.$i"
	exit "$status"
}

# What goes to a host and what it says comes through pipes of one call alone, ssh_pipes<index>.*: for all of ssh_only.
ssh_make_pipes() {
	local i pipes=()
	ssh_pipes=$ssh_folder/$BASHPID.$((++ssh_calls)).
	for i in "${ssh_only[@]}"; do
		pipes+=("$ssh_pipes$i".{in,out,err,own,jump})
		! ssh_wants_master "$i" || [[ -p $ssh_folder/up.$i ]] || pipes+=("$ssh_folder/up.$i"{,.own,.jump})
	done
	mkfifo -m 600 -- "${pipes[@]}"
}

# Of what is written to its pipe the file gets SSH_WORDS_MAX bytes (of out ssh_most, where a caller says so), and nobody the
# rest, which makes its status 1.
ssh_keep() { # INDEX out|err
	: >"$ssh_folder/$2.$1"
	{
		exec {ssh_life}>&- # or they who are there would not notice our end
		[[ $2 == out ]] || ssh_most=$SSH_WORDS_MAX
		ssh_take_words "$ssh_folder/$2.$1" "${ssh_most:-$SSH_WORDS_MAX}" || { cat >/dev/null; exit 1; }
	} <"$ssh_pipes$1.$2" &
	ssh_guards[$1]+=" $!"
}

# What comes of that pipe is the application's own: shown as it comes, with its mark.
ssh_mark() { # INDEX
	{
		exec {ssh_life}>&- # as above
		mark_lines
	} <"$ssh_pipes$1.out" &
	ssh_guards[$1]+=" $!"
}

# Runs an act on all hosts, or those of ssh_only, ssh_at_once at a time; none is begun when one has failed (of a run with
# RUN_HOSTS, when more have than may), but to tidy.  What they
# print goes to the log: of several at a time each host's words whole and in the order of hosts.  With ssh_quiet it stays
# in files OUT.<index>.  Fails with ssh_status and ssh_said of the first that fails, which names the others; ssh_done has
# those where it was done, ssh_begun those where it was begun and has not failed, ssh_undone, of so many ssh_failures, those that
# are as they were, with nothing of ours.
ssh_everywhere() { # SECONDS ACT WORD...
	local i word children=() ssh_guards=() quotes=no most=$ssh_at_once kept=$ssh_quiet ssh_unshown=() also=''
	local to_people=() doing=$2
	for word in "${@:2}"; do
		ssh_word "a word for $2" "$word"
	done
	case $2 in
	check | config | paths | current | pull | receive | find | clean | tidy | await-migration) most=$ssh_aside ;;
	logs | migrate) most=1 ;; # as long as they are, they go to the log at once
	esac
	((most == 1)) || kept=yes
	[[ $kept == "$ssh_quiet" ]] || ssh_unshown=("${ssh_only[@]}")
	[[ -n $ssh_shares || $BASHPID != "$$" ]] || ssh_begin_sharing
	ssh_make_pipes
	exec {ssh_life}<>"$ssh_folder/life" {ssh_ended}<>"$ssh_folder/ended"
	ssh_silent=()
	ssh_begun=() ssh_done=() ssh_status=0 ssh_said='' ssh_never_came=no ssh_lost=() ssh_undone=() ssh_failures=0
	# What a host says is no word of ours.
	if [[ $ssh_quiet == no ]]; then
		quotes=yes
	fi
	[[ $quotes == no || $most == 1 ]] || quote
	for i in "${ssh_only[@]}"; do
		if [[ $2 == switch && $most == 1 && -z ${RUN_HOSTS:-} ]]; then
			step "switch ${ssh_hosts[$i]}"
		fi
		ssh_say_began "$i" "$2"
		[[ $quotes == no || $most != 1 ]] || quote
		ssh_begin "$i" "$@"
		((${#children[@]} < most)) || ssh_finish_some
		[[ $quotes == no || $most != 1 ]] || unquote
		((ssh_status == 0)) || [[ $2 == tidy ]] || break
	done
	while ((${#children[@]} > 0)); do
		ssh_finish_some
	done
	[[ $quotes == no || $most == 1 ]] || unquote
	for word in ${to_people[@]+"${to_people[@]:0:$SSH_PEOPLE_MAX}"}; do
		warn_people "$word"
	done
	[[ -z $also ]] || ssh_said+=" (failed too, see above:$also)"
	exec {ssh_life}>&- {ssh_ended}>&-
	return "$ssh_status"
}

# As ssh_everywhere on all hosts, and a failure is ours.
ssh_all() { # SECONDS ACT WORD...
	ssh_choose
	ssh_everywhere "$@" || fail "$ssh_status" "$ssh_said"
}

# Begins a call, which is a child.
ssh_begin() { # INDEX SECONDS ACT WORD...
	local found
	ssh_begun[$1]=$1
	: >"$ssh_folder/own.$1"
	: >"$ssh_folder/jump.$1"
	ssh_share "$1"
	ssh_keep "$1" err
	read -r -a found <<<"${ssh_found[$1]:-}"
	if [[ $kept == yes ]]; then
		ssh_keep "$1" out
		# reason kept: ssh_finish reads it, here and below
		ssh_child "$@" ${found[@]+"${found[@]}"} >"$ssh_pipes$1.out" 2>"$ssh_pipes$1.err" &
	elif [[ $3 == migrate ]]; then
		ssh_mark "$1"
		# reason kept: the same
		ssh_child "$@" ${found[@]+"${found[@]}"} >"$ssh_pipes$1.out" 2>"$ssh_pipes$1.err" &
	else
		# reason kept: the same
		ssh_child "$@" ${found[@]+"${found[@]}"} 2>"$ssh_pipes$1.err" &
	fi
	children[$1]=$!
}

# Says on the pipe `ended` when it ends.
ssh_child() { # as ssh_call
	trap 'printf "%s\n" "$BASHPID" >&"$ssh_ended"' EXIT
	ssh_call "$@"
}

# Waits until at least one of the children has ended, and takes it out of them.  Each says so on the pipe `ended`; one
# that was killed does not: bash is asked once a second whom it has.  Not by `wait -n`, which (5.2) loses an end that comes
# while it is about to sleep, and would wait for ever.
ssh_finish_some() {
	local i child ended running is_known left=${#children[@]}
	while ((${#children[@]} == left)); do
		is_known=no ended=''
		if ! read_within 1 "$ssh_ended" ended; then
			is_known=yes ended='' running=''
			jobs -rp >"$ssh_folder/running.$BASHPID"
			read_all running "$ssh_folder/running.$BASHPID"
		fi
		for i in "${!children[@]}"; do
			child=${children[$i]}
			[[ $child == "$ended" || ($is_known == yes && $'\n'$running != *$'\n'"$child"$'\n'*) ]] || continue
			unset "children[$i]"
			ssh_finish "$i" "$child"
		done
	done
	ssh_show_ended
}

# ---- what they say -------------------------------------------------------------------------------

# What hosts have printed whose act is over, as far as none before them is at work.
ssh_show_ended() {
	local i line
	for i in ${ssh_unshown[@]+"${ssh_unshown[@]}"}; do
		[[ -z ${children[$i]:-} && -n ${ssh_guards[$i]:-} ]] || break
		while IFS= read -r line || [[ -n $line ]]; do
			printf '%s\n' "$line"
		done <"$ssh_folder/out.$i"
		ssh_unshown=("${ssh_unshown[@]:1}")
	done
}

# What a host said on stderr: set in, so that no line of it is taken for a step.
ssh_show() { # TEXT
	[[ -z $1 ]] || printf '  %s\n' "${1//$'\n'/$'\n'  }" >&2
}

# In a line of the host's own: what the application says there has its mark before it.
ssh_says_cut() { # STDERR
	grep -qE "^[^|]*: $SSH_CUT_WORDS\$" <<<"$1"
}

# Takes the lines that are for people out of host_said; where the application has its say there its mark stands before it.
ssh_take_people() { # INDEX
	local line rest='' form="^[^|]*: $SSH_PEOPLE_WORDS(.{1,300})"
	[[ $host_said == *"$SSH_PEOPLE_WORDS"* ]] || return 0
	while IFS= read -r line; do
		if [[ $line =~ $form ]]; then
			to_people+=("${ssh_hosts[$1]}: ${BASH_REMATCH[1]}")
		else
			rest+=${rest:+$'\n'}$line
		fi
	done <<<"$host_said"
	host_said=$rest
}

# Waits for a call and reads what it has to say: the host, by its stderr, and ssh itself.
ssh_finish() { # INDEX CHILD
	local status=0 guard host_said='' own='' jump='' said
	wait "$2" || status=$?
	for guard in ${ssh_guards[$1]}; do
		wait "$guard" || warn "${ssh_hosts[$1]} says more than $SSH_WORDS_MAX bytes at once: the rest is left out"
	done
	read_all host_said "$ssh_folder/err.$1"
	host_said=${host_said%"${host_said##*[![:space:]]}"}
	read_all own "$ssh_folder/own.$1"
	read_all jump "$ssh_folder/jump.$1"
	ssh_take_people "$1"
	! ssh_says_cut "$host_said" || : "${ssh_cut[$1]=${ssh_hosts[$1]}}"
	ssh_show "${jump%$'\n'}"
	ssh_show "${own%$'\n'}"
	if ((status == 0)); then
		ssh_done+=("$1")
		ssh_take_unpublished "${ssh_hosts[$1]}"
		ssh_show "$host_said"
		[[ $doing != switch ]] || ssh_say_host "$1" ok
		return "$?"
	fi
	unset "ssh_begun[$1]"
	ssh_last_line "$host_said"
	((++ssh_failures))
	[[ $said != *"$SSH_UNDONE_WORDS"* || $said == *' could NOT '* ]] || ssh_undone+=("$1")
	[[ $host_said != *$'\n'* ]] || ssh_show "${host_said%$'\n'*}"
	ssh_failed "$1" "$status" "$said" "$own" "$jump" "$host_said"
}

# Takes a line `unpublished` out of host_said, for people: the health gate will say that nothing answers.
ssh_take_unpublished() { # HOST
	[[ $host_said =~ (^|$'\n')unpublished\ ([0-9/a-z ]{1,80}):\ ([0-9/a-z ]{1,80})($|$'\n') ]] || return 0
	warn_people "$1: compose publishes port ${BASH_REMATCH[2]% } of the container, and its image listens on \
${BASH_REMATCH[3]% } (EXPOSE): where the health check gets no answer, correct the right number of ports: in the compose file there"
	host_said=${host_said/"${BASH_REMATCH[0]}"/"${BASH_REMATCH[1]}"}
}

# The first failure is ours, and said last; it is said at once too where others go on, and so is each further one.
ssh_failed() { # INDEX STATUS LAST-LINE OWN-WORDS JUMP-WORDS STDERR
	local status=$ssh_status said=$ssh_said
	ssh_explain "$@"
	if ssh_may_go_on "$1" "$doing"; then
		printf '%s: it is left out\n' "$ssh_said" >&2
		ssh_status=$status ssh_said=$said
		return 0
	fi
	((${#children[@]} == 0 && status == 0)) || printf '%s\n' "$ssh_said" >&2
	((status != 0)) || return 0
	ssh_status=$status ssh_said=$said
	also+=" ${ssh_hosts[$1]}"
}

# Fills ssh_status and ssh_said.  Why there is no connection is read in ssh's own words alone.
ssh_explain() { # INDEX STATUS LAST-LINE OWN-WORDS JUMP-WORDS STDERR
	local host=${ssh_hosts[$1]}
	ssh_status=$2 ssh_said="$host: $3"
	case $2 in
	69) ! ssh_is_away "$3" || ssh_silent+=("$1") ;;
	64 | 66 | 70 | 75 | 78) ;;
	255)
		if ssh_was_killed "$1" "$4$5" "$6"; then
			ssh_killed "$1" "${3:+; its last line: $3}"
			return "$?"
		fi
		ssh_status=$EXIT_UNREACHABLE
		if ssh_has_no_session "$4"; then
			ssh_never_came=yes
		else
			ssh_lost+=("$1")
		fi
		! ssh_is_silent "$4" "$5" || ssh_silent+=("$1")
		ssh_explain_lost "$1" "$4" "$5" "$6"
		[[ $ssh_never_came == yes ]] || ! ssh_was_restarted "$1" || ssh_said="$host was restarted in the middle of it"
		;;
	124) ssh_lost+=("$1") ssh_status=$EXIT_BUSY ssh_said="$host: out of time" ;;
	126 | 127) ssh_status=$EXIT_REFUSED ssh_said="$host: ${3:-no bash}: bash and timeout (coreutils) are needed there" ;;
	1[2-9][0-9]) ssh_killed "$1" " (status $2)" ;;
	*) ssh_status=$EXIT_REFUSED ssh_said="$host: ended with status $2${3:+: $3}" ;;
	esac
}

# What it had begun is put in order by the other one of its two processes, where that lives, or by whoever comes next.  What
# happened comes first, as the chat cuts a long reason; who has killed it is not known, so nothing is said of that.
ssh_killed() { # INDEX WORDS
	local host=${ssh_hosts[$1]}
	ssh_status=$EXIT_REFUSED ssh_said="$host: deploybot's process there was killed$2; what it had begun is put in order by \
its guard, if that lives, or by the next release or rollback"
	! ssh_was_restarted "$1" || ssh_said="$host was restarted in the middle of it$2; what it had begun is put in order by the \
next release or rollback"
}

# Is it another start of that machine than preflight has seen?  Asked once, where its end is not known.
ssh_was_restarted() { # INDEX
	local answer=''
	[[ -n ${ssh_boots[$1]:-} ]] || return 1
	answered "$SSH_CONNECT_SECONDS" ssh "${ssh_options[@]}" -p "${ssh_ports[$1]}" -- "$DEPLOY_USER@${ssh_hosts[$1]}" \
		'cat /proc/sys/kernel/random/boot_id' 2>/dev/null </dev/null || return 1
	[[ $answer =~ ^[0-9a-f-]{36}[[:space:]]*$ && ${answer%%[[:space:]]*} != "${ssh_boots[$1]}" ]]
}
