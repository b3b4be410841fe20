# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# ssh.sh - the transport to hosts with docker compose: one ssh call per host and act, which carries ssh-host/ there.
# SPDX-License-Identifier: ISC
# Sourced, never run; what it has to define stands in docs/transports.md.  Every word that reaches the other shell was
# checked before (ssh_word) and needs no quoting; what cannot be checked so, and the registry's password, goes over stdin.

transport_needs=image

# shellcheck source=deploy/transports/ssh/connect.sh
. "$here/transports/ssh/connect.sh"

# What ssh-host/ may take there in the worst case (its own deadlines stand in it).
: "${SSH_ASK_SECONDS:=150}"      # check, logs, clean
: "${SSH_PULL_SECONDS:=1300}"    # wait for the lock, pull
: "${SSH_DRAIN_SECONDS:=2400}"   # wait for the lock, and stop what has drained, however long its stop_grace_period
# Another deploybot is waited for so long; a rollback waits for what it interrupts, which first puts things in order.
readonly SSH_LOCK_SECONDS=30 SSH_LOCK_ROLLBACK_SECONDS=300
# Of what a host says and we keep until its call is over, in memory.
readonly SSH_WORDS_MAX=65536
ssh_calls=0 ssh_grace=0 ssh_switches=no
# What changes nothing that serves is done on so many hosts at a time where they are released to one after the other: an
# sshd on the way there lets 10 log in at a time.
readonly SSH_ASIDE_AT_ONCE=8
# Of a host's services that no release replaces, as many are named, with so long names.
readonly SSH_OTHERS_MAX=16 SSH_OTHER_BYTES=64 SSH_STOPPED_BYTES=500
# Of a compose file from the repository: each host reads it byte by byte.
readonly COMPOSE_FILE_MAX=65536
# What a host says, on stderr, where a start ends what drains.
readonly SSH_CUT_WORDS='what drains there is ended: its open connections are closed'
# A drain looks at the hosts so often; one that it cannot look at is asked for so long behind DRAIN_SECONDS.
readonly SSH_LOOK_SECONDS=15 SSH_DRAIN_MORE_SECONDS=600

# ---- settings ------------------------------------------------------------------------------------

# Fills ssh_hosts and, in the same order, ssh_ports.
ssh_find_hosts() {
	local list hosts=() ports=()
	find_setting list "$environment" HOST
	[[ -n $list ]] ||
		fail "$EXIT_CONFIG" "$(name_of "$environment" HOST) is not set: which hosts does $environment run on? \
(HOST[:PORT],…)"
	add_hosts "$list"
	ssh_hosts=("${hosts[@]}") ssh_ports=("${ports[@]}")
}

# Fills ssh_at_once, on how many hosts something is done at a time, and ssh_aside, the same of what changes nothing that
# serves.  A number bounds all.
ssh_find_at_once() {
	ssh_aside=
	case ${HOSTS_PARALLEL,,} in
	true | yes | on) ssh_at_once=${#ssh_hosts[@]} ;;
	false | no | off | 0) ssh_at_once=1 ssh_aside=$SSH_ASIDE_AT_ONCE ;;
	*)
		[[ $HOSTS_PARALLEL =~ ^[1-9][0-9]?$ ]] ||
			fail "$EXIT_CONFIG" "HOSTS_PARALLEL is no number of hosts, 1 to 99, and neither true nor false: \
${HOSTS_PARALLEL@Q}"
		ssh_at_once=$HOSTS_PARALLEL
		;;
	esac
	: "${ssh_aside:=$ssh_at_once}"
}

# Who and how: what systemd.sh needs too.
ssh_find_reach() {
	: "${DEPLOY_USER:=deploy}" "${SSH_KEY_PATH:=/app/secrets/deploy_key}" "${SSH_KNOWN_HOSTS:=/app/secrets/known_hosts}"
	: "${HOSTS_PARALLEL:=false}" "${START_SECONDS:=120}"
	check_number START_SECONDS "$START_SECONDS"
	# Wait for a drain that stops something, start beside what serves, until it answers.
	: "${SSH_START_SECONDS:=$((880 + START_SECONDS))}"
	# Wait for what was interrupted, replace, wait until it answers, or take back.
	: "${SSH_SWITCH_SECONDS:=$((660 + 2 * START_SECONDS))}"
	ssh_find_hosts
	ssh_find_at_once
	ssh_find_way
}

# Fills ssh_common, what every act is told.
ssh_find_settings() {
	: "${COMPOSE_SERVICE:=app}" "${COMPOSE_SERVICES:=}" "${REMOTE_LOGIN:=true}"
	: "${COMPOSE_SOURCE:=host}" "${COMPOSE_REPO_FILE:=docker-compose.yml}" "${COMPOSE_REPO_TRUSTED:=false}" "${COMPOSE_ALLOW:=}"
	: "${DEPLOY_STRATEGY:=recreate}" "${NGINX_RELOAD_COMMAND:=sudo -n nginx -s reload}"
	: "${APP_PORTS:=8001,8002}" "${DRAIN_SECONDS:=10}" "${SMOKE_URL:=}"
	check_bool REMOTE_LOGIN
	ssh_find_reach
	find_setting ssh_dir "$environment" COMPOSE_DIR
	ssh_dir=${ssh_dir:-/srv/app}
	ssh_dir=${ssh_dir%/}
	ssh_common=("environment=$environment" "dir=$ssh_dir" "service=$COMPOSE_SERVICE" "strategy=$DEPLOY_STRATEGY"
		"start=$START_SECONDS")
	[[ -z $former ]] || ssh_common+=("former=$former")
	[[ -z $COMPOSE_SERVICES ]] || ssh_common+=("services=${COMPOSE_SERVICES// /}")
	[[ $COMPOSE_SOURCE == host ]] || ssh_find_source
	case $DEPLOY_STRATEGY in
	recreate)
		[[ $SMOKE_URL != *'{port}'* ]] ||
			fail "$EXIT_CONFIG" "SMOKE_URL has {port}, which only DEPLOY_STRATEGY=bluegreen knows"
		;;
	bluegreen) ssh_find_nginx ;;
	esac
}

# The compose file comes from the repository.
ssh_find_source() {
	local words
	[[ $COMPOSE_SOURCE == repo ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is neither host nor repo: ${COMPOSE_SOURCE@Q}"
	check_bool COMPOSE_REPO_TRUSTED
	[[ $COMPOSE_REPO_TRUSTED == true ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo: who can push to the repository decides \
then what runs on the hosts of $environment. If that is meant, set COMPOSE_REPO_TRUSTED=true"
	read -r -a words <<<"$COMPOSE_ALLOW"
	ssh_common+=(source=repo)
	[[ -z $COMPOSE_ALLOW ]] || ssh_common+=("allow=$(IFS=,; printf '%s' "${words[*]}")")
}

ssh_find_nginx() {
	[[ -n ${NGINX_UPSTREAM_FILE:-} ]] ||
		fail "$EXIT_CONFIG" "DEPLOY_STRATEGY=bluegreen needs NGINX_UPSTREAM_FILE: what nginx there includes"
	ssh_common+=("ports=$APP_PORTS" "upstream=$NGINX_UPSTREAM_FILE" "drain=$DRAIN_SECONDS")
}

# What serves would answer for the release beside it.
ssh_check_smoke() {
	[[ $DEPLOY_STRATEGY != bluegreen || -z $SMOKE_URL || $SMOKE_URL == *'{port}'* ]] || fail "$EXIT_CONFIG" "SMOKE_URL has no \
{port}, and DEPLOY_STRATEGY is bluegreen: the release that serves would answer for the new one; write http://127.0.0.1:{port}/PATH"
}

ssh_check_files() {
	local i mode
	need_tool ssh openssh-client
	need_tool ssh-keygen openssh-client
	check_secret SSH_KEY_PATH "$SSH_KEY_PATH"
	ssh_check_known
	mode=$(stat -L -c %a -- "$SSH_KNOWN_HOSTS")
	(((8#$mode & 8#022) == 0)) ||
		fail "$EXIT_CONFIG" "SSH_KNOWN_HOSTS: others may write $SSH_KNOWN_HOSTS (mode $mode): chmod 644 it"
	[[ -z $ssh_jump_host ]] || ssh_check_pinned "$ssh_jump_host" "$ssh_jump_port"
	for i in "${!ssh_hosts[@]}"; do
		ssh_check_pinned "${ssh_hosts[$i]}" "${ssh_ports[$i]}"
	done
}

# ---- calls ---------------------------------------------------------------------------------------

# Runs an act on a host; in a subshell of its own, as it redirects all.  Its last line on stderr says what went wrong.
# The script goes over stdin, the settings behind it, and then the pipe `life`, whose only writer is the main shell: its
# end says there that we are gone, in whatever way.
ssh_call() { # INDEX SECONDS ACT WORD...
	local i=$1 seconds=$2 what=$3 settings=$ssh_folder/settings feeder status=0 own jump ssh_telling
	local began=$EPOCHSECONDS
	[[ $what != pull ]] || settings=$ssh_folder/settings.pull
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

# Of what is written to its pipe the file gets SSH_WORDS_MAX bytes, and nobody the rest, which makes its status 1.
ssh_keep() { # INDEX out|err
	: >"$ssh_folder/$2.$1"
	{
		exec {ssh_life}>&- # or they who are there would not notice our end
		ssh_take_words "$ssh_folder/$2.$1" || { cat >/dev/null; exit 1; }
	} <"$ssh_pipes$1.$2" &
	ssh_guards[$1]+=" $!"
}

# Runs an act on all hosts, or those of ssh_only, ssh_at_once at a time; none is begun when one has failed, but to tidy.  What they
# print goes to the log: of several at a time each host's words whole and in the order of hosts.  With ssh_quiet it stays
# in files OUT.<index>.  Fails with ssh_status and ssh_said of the first that fails, which names the others; ssh_done has
# those where it was done, ssh_begun those where it was begun and has not failed.
ssh_everywhere() { # SECONDS ACT WORD...
	local i word children=() ssh_guards=() quotes=no most=$ssh_at_once kept=$ssh_quiet ssh_unshown=() also=''
	for word in "${@:2}"; do
		ssh_word "a word for $2" "$word"
	done
	case $2 in
	check | current | pull | receive | find | clean | tidy | await-migration) most=$ssh_aside ;;
	logs) most=1 ;; # as long as they are, they go to the log at once
	esac
	((most == 1)) || kept=yes
	[[ $kept == "$ssh_quiet" ]] || ssh_unshown=("${ssh_only[@]}")
	ssh_make_folder
	[[ -n $ssh_shares || $BASHPID != "$$" ]] || ssh_begin_sharing
	ssh_make_pipes
	exec {ssh_life}<>"$ssh_folder/life" {ssh_ended}<>"$ssh_folder/ended"
	ssh_begun=() ssh_done=() ssh_status=0 ssh_said='' ssh_never_came=no ssh_lost=()
	# What a host says is no word of ours.
	if [[ $ssh_quiet == no ]]; then
		quotes=yes
	fi
	[[ $quotes == no || $most == 1 ]] || quote
	for i in "${ssh_only[@]}"; do
		if [[ $2 == switch && $most == 1 ]]; then
			step "switch ${ssh_hosts[$i]}"
		fi
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
	[[ -z $also ]] || ssh_said+=" (failed too, see above:$also)"
	exec {ssh_life}>&- {ssh_ended}>&-
	return "$ssh_status"
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
	! ssh_says_cut "$host_said" || : "${ssh_cut[$1]=${ssh_hosts[$1]}}"
	ssh_show "${jump%$'\n'}"
	ssh_show "${own%$'\n'}"
	if ((status == 0)); then
		ssh_done+=("$1")
		ssh_show "$host_said"
		return "$?"
	fi
	unset "ssh_begun[$1]"
	ssh_last_line "$host_said"
	[[ $host_said != *$'\n'* ]] || ssh_show "${host_said%$'\n'*}"
	ssh_failed "$1" "$status" "$said" "$own" "$jump" "$host_said"
}

# The first failure is ours, and said last; it is said at once too where others go on, and so is each further one.
ssh_failed() { # INDEX STATUS LAST-LINE OWN-WORDS JUMP-WORDS STDERR
	local status=$ssh_status said=$ssh_said
	ssh_explain "$@"
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
	64 | 66 | 69 | 70 | 75 | 78) ;;
	255)
		if ssh_was_killed "$1" "$4$5" "$6"; then
			ssh_killed "$host" "${3:+ ($3)}"
			return "$?"
		fi
		ssh_status=$EXIT_UNREACHABLE
		if ssh_has_no_session "$4"; then
			ssh_never_came=yes
		else
			ssh_lost+=("$1")
		fi
		ssh_explain_lost "$1" "$4" "$5" "$6"
		;;
	124) ssh_lost+=("$1") ssh_status=$EXIT_BUSY ssh_said="$host: out of time" ;;
	126 | 127) ssh_status=$EXIT_REFUSED ssh_said="$host: ${3:-no bash}: bash and timeout (coreutils) are needed there" ;;
	1[2-9][0-9]) ssh_killed "$host" " (status $2)" ;;
	*) ssh_status=$EXIT_REFUSED ssh_said="$host: ended with status $2${3:+: $3}" ;;
	esac
}

# What it had begun is put in order by the other one of its two processes, where that lives, or by whoever comes next.
ssh_killed() { # HOST WORDS
	ssh_status=$EXIT_REFUSED ssh_said="$1: what deploybot runs there for this act was killed$2: is memory short there (dmesg)? \
What it had begun is put in order by its guard, if that lives, or by the next release or rollback"
}

ssh_make_folder() {
	local more=()
	[[ -z ${ssh_folder:-} ]] || return 0
	ssh_folder=$(private_folder)
	mkfifo -m 600 -- "$ssh_folder"/{life,hold,ended}
	# A host parses all that it is sent, with each act.
	[[ $DEPLOY_STRATEGY != bluegreen ]] || more=("$here/transports/ssh-host/bluegreen.sh")
	ssh_write_program "$here/busy.sh" "$here"/transports/ssh-host/{base,file,judge,services,recreate}.sh \
		${more[@]+"${more[@]}"} "$here"/transports/ssh-host/{acts,guard,main}.sh
	ssh_write_settings ''
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

# What stands behind the program; the compose file only where a host may have to keep it.
ssh_write_settings() { # COMPOSE-FILE in base64
	local pull_user='' pull_password='' password=''
	printf '%s\n' '' '' "$SMOKE_URL" "$NGINX_RELOAD_COMMAND" "$1" >"$ssh_folder/settings"
	[[ $REMOTE_LOGIN == false || $reads == logs ]] || find_pull_login
	[[ -z $pull_user ]] || read_line password "$pull_password"
	# No other act needs the login: a host that pulls nothing never sees it.
	printf '%s\n' "$pull_user" "$password" "$SMOKE_URL" "$NGINX_RELOAD_COMMAND" "$1" >"$ssh_folder/settings.pull"
}

# Sends the compose file of the commit with what comes next; fills ssh_origin, which says what it is.
ssh_find_file() {
	local text=''
	ssh_origin=''
	[[ $COMPOSE_SOURCE == repo ]] || return 0
	need_tool git git
	find_repository
	[[ -n $repository ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo, and the compose file is taken from our mirror of the \
repository, with IMAGE_SOURCE=registry too: set GITHUB_REPOSITORY or REPOSITORY_URL"
	git_setup "$here"
	if [[ -z $commit ]]; then
		[[ $act == rollback ]] || # to what ran before deploybot: with the host's
			printf 'a release brings its own compose file: %s of %s\n' "$COMPOSE_REPO_FILE" "${repository##*@}"
		return "$?"
	fi
	ssh_origin=${commit:0:12}:$COMPOSE_REPO_FILE
	ssh_make_folder
	if [[ $act == deploy ]]; then
		fetch_commit "$commit"
		ssh_take_file
		[[ -z $file_trouble ]] || fail "$EXIT_INPUT" "$file_trouble"
	else # the hosts have kept it, or most of them
		[[ $(mirror_commit "$commit") == "$commit" ]] || return 0
		ssh_take_file
		[[ -z $file_trouble ]] || return 0
	fi
	text=$(base64 -w 0 <"$ssh_folder/compose")
	ssh_write_settings "$text"
}

# Leaves the commit's compose file in ssh_folder/compose; what keeps from that is in file_trouble.
ssh_take_file() {
	local mode kind object size where="$COMPOSE_REPO_FILE of ${commit:0:12}"
	file_trouble=
	read -r mode kind object size _ < <(in_mirror ls-tree -l --full-tree "$commit" -- "$COMPOSE_REPO_FILE") ||
		mode=000000
	case $mode in
	100644 | 100755)
		if ((size == 0 || size > COMPOSE_FILE_MAX)); then
			file_trouble="$where has $size bytes, and a compose file may have 1 to $COMPOSE_FILE_MAX"
		else
			in_mirror cat-file blob "$object" >"$ssh_folder/compose" ||
				file_trouble="git cannot read $where: see the log"
		fi
		;;
	120000) file_trouble="$where is a symbolic link, which may lead out of the repository: put the file itself there" ;;
	000000) file_trouble="the repository has no $where: COMPOSE_REPO_FILE says where the compose file is" ;;
	*) file_trouble="$where is no file: COMPOSE_REPO_FILE says where the compose file is" ;;
	esac
}

# As ssh_everywhere on all hosts, and a failure is ours.
ssh_all() { # SECONDS ACT WORD...
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$@" || fail "$ssh_status" "$ssh_said"
}

# ---- the interface -------------------------------------------------------------------------------

transport_preflight() {
	local goes_to=''
	ssh_find_settings
	ssh_check_files
	ssh_started=() ssh_at_work=no ssh_migrating=() ssh_grace=0 ssh_others=() ssh_found=() ssh_runs=()
	ssh_ids=() ssh_interrupted=() ssh_cut=()
	ssh_quiet=no ssh_stops=()
	[[ $reads != logs ]] || return 0 # the call that reads finds out by itself
	ssh_check_smoke
	ssh_name_gone
	ssh_find_file
	ssh_quiet=yes
	ssh_only=("${!ssh_hosts[@]}")
	[[ $act != rollback || $COMPOSE_SOURCE == host ]] || goes_to=$release
	ssh_everywhere "$SSH_ASK_SECONDS" check "${ssh_common[@]}" "image=$image" ${ssh_origin:+"origin=$ssh_origin"} \
		${goes_to:+"release=$goes_to"} \
		${migration_name:+"migration=$migration_name" "migrator=${MIGRATE_SERVICE:-$COMPOSE_SERVICE}"} ||
		true # ssh_status, below
	ssh_quiet=no
	ssh_show_check
	((ssh_status == 0)) || fail "$ssh_status" "$ssh_said"
}

# What the hosts said of themselves goes to the log.  Fills ssh_found, what each later act gets of its services and
# tools, ssh_runs and ssh_ids, which release runs there and its image, ssh_others, lines SERVICE IMAGE of those that
# no release replaces, ssh_interrupted, where there is something to be put in order, and what runs then, and ssh_migrating,
# the hosts where a migration is at work.
ssh_show_check() {
	local i line old left stopped others unstarted compose when beside holds port
	local -A text=() absent=()
	for i in "${ssh_only[@]}"; do
		[[ -s $ssh_folder/out.$i ]] || continue
		old='' left='' stopped='' others=0 unstarted='' compose='docker compose' when=once beside='' holds=''
		quote
		while IFS= read -r line || [[ -n $line ]]; do
			if [[ $line =~ ^(stays-old|left-over)\ ([A-Za-z0-9][A-Za-z0-9._-]*)\ ([^[:space:]]+)$ ]]; then
				((++others <= SSH_OTHERS_MAX && ${#BASH_REMATCH[2]} <= SSH_OTHER_BYTES)) || continue
				ssh_others+=("${BASH_REMATCH[2]} ${BASH_REMATCH[3]}")
				[[ ${BASH_REMATCH[1]} != stays-old ]] || old+=" ${BASH_REMATCH[2]}"
				[[ ${BASH_REMATCH[1]} != left-over ]] || left+=" ${BASH_REMATCH[2]}"
			elif [[ $line =~ ^(beside|holds)\ ([A-Za-z0-9][A-Za-z0-9._-]*)(\ ([0-9]{1,5}))?$ ]]; then
				[[ ${BASH_REMATCH[1]} == beside ]] && beside=${BASH_REMATCH[2]:0:SSH_OTHER_BYTES} ||
					holds=${BASH_REMATCH[2]:0:SSH_OTHER_BYTES} port=${BASH_REMATCH[4]}
			elif [[ $line =~ ^services\ ([a-z0-9_-]+)\ ([A-Za-z0-9._,-]*)$ ]]; then
				ssh_found[i]="project=${BASH_REMATCH[1]} others=${BASH_REMATCH[2]}"
			elif ssh_take_grace "$line" "$i"; then
				ssh_found[i]+=" grace=${BASH_REMATCH[1]},${BASH_REMATCH[2]}"
			elif [[ $line =~ ^tools\ (docker|docker-compose)\ ([A-Za-z0-9._/:@=,+-]*)$ ]]; then
				ssh_found[i]+=" compose=${BASH_REMATCH[1]} root=${BASH_REMATCH[2]}"
				[[ ${BASH_REMATCH[1]} == docker ]] || compose=${compose/docker compose/docker-compose}
			elif [[ $line =~ ^runs\ ([^ ]+)\ (.*)$ ]]; then
				ssh_ids[i]=${BASH_REMATCH[1]} ssh_runs[i]=${BASH_REMATCH[2]:0:200} # longer than any release
			elif [[ $line =~ ^interrupted\ (.*)$ ]]; then
				ssh_interrupted[i]=${BASH_REMATCH[1]:0:200}
			elif [[ $line =~ ^stopped\ ([A-Za-z0-9][A-Za-z0-9._-]*)$ ]]; then
				((${#BASH_REMATCH[1]} <= SSH_OTHER_BYTES && ${#stopped} <= SSH_STOPPED_BYTES)) || continue
				stopped+=" ${BASH_REMATCH[1]}"
			elif [[ $line =~ ^unstarted\ ([A-Za-z0-9][A-Za-z0-9._-]*)$ ]]; then
				((${#BASH_REMATCH[1]} <= SSH_OTHER_BYTES && ${#unstarted} <= SSH_STOPPED_BYTES)) || continue
				unstarted+=" ${BASH_REMATCH[1]}"
			elif [[ $line == unset ]]; then
				compose="DEPLOY_IMAGE=none $compose" # or compose refuses the whole file
			elif [[ $line =~ ^named\ ([A-Za-z0-9._:-]{1,200})$ ]]; then
				compose="COMPOSE_FILE=${BASH_REMATCH[1]} $compose"
				[[ ${BASH_REMATCH[1]} != .* ]] || when='once its compose file is there' # `pull` keeps it
			elif [[ $line =~ ^absent\ ([A-Za-z0-9][A-Za-z0-9._-]*)$ &&
				,${COMPOSE_SERVICES// /}, == *,"${BASH_REMATCH[1]}",* ]]; then
				absent[${BASH_REMATCH[1]}]+=" ${ssh_hosts[$i]}"
			elif [[ $line == migrating ]]; then
				ssh_migrating+=("$i")
			elif [[ $line =~ ^file\ (host|[0-9a-f]{64})$ ]]; then
				ssh_found[i]+=" file=${BASH_REMATCH[1]}"
			elif [[ $line =~ ^service\ ([A-Za-z0-9._-]+)\ ([0-9a-f]{16})$ ]]; then
				text[$i.${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
			else
				printf '%s\n' "$line"
			fi
		done <"$ssh_folder/out.$i"
		unquote
		((others <= SSH_OTHERS_MAX)) || warn "${ssh_hosts[$i]} names $others services that no release replaces: the first \
$SSH_OTHERS_MAX are named here"
		[[ -z $old ]] || warn "${ssh_hosts[$i]}: these have this image, and no release replaces them:$old (write image: \
\${DEPLOY_IMAGE} in the compose file in $ssh_dir there, or stop them)"
		[[ -z $left ]] || warn_people "${ssh_hosts[$i]}: containers of a compose project of $ssh_dir that had another \
name run beside the release; there: docker rm -f$left"
		[[ -z $stopped ]] || warn_people "${ssh_hosts[$i]}: stopped there by somebody, and started by each release and \
rollback:$stopped (is it to stay down? Leave it out of COMPOSE_SERVICES)"
		[[ -z $unstarted ]] || warn_people "${ssh_hosts[$i]}: does not run there, and no release starts it, as its image \
is another one:$unstarted (there, $when: cd $ssh_dir && $compose up -d$unstarted)"
		[[ -z $beside ]] || warn_people "${ssh_hosts[$i]}: $beside runs there, and no release was switched to it: one is \
at work, or was killed; the next one ends it"
		[[ -z $holds ]] || warn_people "${ssh_hosts[$i]}: $holds has port $port, which every second release needs, and \
deploybot does not end it: when nobody is to be rolled back to it, there: docker rm -f $holds"
	done
	ssh_judge_deadline
	ssh_compare
	ssh_judge_absent
}

# A service of COMPOSE_SERVICES stands in the file of one host at least.
ssh_judge_absent() {
	local name on
	for name in "${!absent[@]}"; do
		read -r -a on <<<"${absent[$name]}"
		if ((${#on[@]} < ${#ssh_only[@]})); then
			warn "${absent[$name]# }: the compose file in $ssh_dir there has no service $name, which COMPOSE_SERVICES \
names (meant, where it is to run on other hosts alone)"
		elif ((ssh_status == 0)); then
			ssh_status=$EXIT_REFUSED
			ssh_said="${absent[$name]# }: the compose file in $ssh_dir has no service $name, which \
COMPOSE_SERVICES names"
		fi
	done
}

# Is it a line `grace SUM LONGEST [SLOW]`?  What is replaced may take so long to end, and once more where it is brought back;
# and a stop may take effect late.  Leaves both in BASH_REMATCH, and in ssh_stops what slow ones may take.
ssh_take_grace() { # LINE INDEX
	local most
	[[ $1 =~ ^grace\ (0|[1-9][0-9]{0,5})\ (0|[1-9][0-9]{0,3})(\ (0|[1-9][0-9]{0,5}))?$ ]] || return 1
	most=$((2 * BASH_REMATCH[1] + BASH_REMATCH[2]))
	((most <= ssh_grace)) || ssh_grace=$most
	ssh_stops[$2]=${BASH_REMATCH[4]:-0}
}

# A run that is ended while old ones end brings them back, however good the new ones are.  Hosts are switched in their order,
# so many at a time; that the last of the new ones starts comes on top.
ssh_judge_deadline() {
	local i slot free most=0 busy=()
	[[ -n ${DEPLOY_TIMEOUT_SECONDS:-} && ${#ssh_stops[@]} -gt 0 ]] || return 0
	for i in "${!ssh_hosts[@]}"; do
		free=0
		for ((slot = 0; slot < ssh_at_once; slot++)); do
			((${busy[$slot]:-0} >= ${busy[$free]:-0})) || free=$slot
		done
		busy[free]=$((${busy[$free]:-0} + ${ssh_stops[$i]:-0}))
		((busy[free] <= most)) || most=${busy[$free]}
	done
	((most += START_SECONDS))
	((most <= START_SECONDS || most <= DEPLOY_TIMEOUT_SECONDS)) || warn_people "what runs may take \
$((most - START_SECONDS)) s to end in a release (stop_grace_period), and DEPLOY_TIMEOUT_SECONDS is $DEPLOY_TIMEOUT_SECONDS: \
a release that needs that long would be ended and rolled back, however good it is; set DEPLOY_TIMEOUT_SECONDS to $most or more"
}

# Hosts whose compose files have drifted apart run something else than one has looked at; some may mean it.
ssh_compare() {
	local i key name differs
	for i in "${ssh_only[@]:1}"; do
		[[ -n ${ssh_found[$i]:-} && -n ${ssh_found[0]:-} ]] || continue
		differs=' '
		for key in "${!text[@]}"; do
			name=${key#*.}
			[[ ${text[0.$name]:-} == "${text[$i.$name]:-}" || $differs == *" $name "* ]] || differs+="$name "
		done
		[[ $differs == ' ' ]] || warn "the compose files of ${ssh_hosts[0]} and ${ssh_hosts[$i]} differ in:${differs% } \
(is that meant? Compare what \"docker compose config\" prints there)"
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

# What runs on the first host, as preflight has found it; where others run something else, that is said.  By hand the
# release before is the one that a host comes back to.
transport_current() {
	local i first='' found
	for i in "${!ssh_hosts[@]}"; do
		for found in "${ssh_interrupted[$i]:-}" "${ssh_runs[$i]:-}"; do
			[[ -z $found || $found =~ ^[0-9a-f]{40,64}@sha256:[0-9a-f]{64}$ ]] ||
				fail "$EXIT_REFUSED" "${ssh_hosts[$i]} says nonsense of what runs there: ${found@Q}"
			[[ -z $found ]] || ran_there+=("$found")
		done
		[[ $act != deploy || -z ${ssh_interrupted[$i]:-} ]] || : "${PREVIOUS_RELEASE=${ssh_interrupted[$i]}}"
		[[ $i != 0 ]] || first=$found
		[[ $found == "$first" ]] || warn "${ssh_hosts[$i]} runs ${found:-no known release}, ${ssh_hosts[0]} runs \
${first:-no known release}"
	done
	[[ -z $first ]] || printf '%s\n' "$first"
}

# A name for what runs there now, whatever it is: `pull` keeps it on each host under that name.
transport_before() {
	local i ids=$environment
	for i in "${!ssh_hosts[@]}"; do
		[[ -n ${ssh_ids[$i]:-} ]] || return 0
		ids+=" ${ssh_ids[$i]}"
	done
	ids=$(sha256sum <<<"$ids")
	printf 'before-%s' "${ids:0:16}"
}

transport_ship() { # RELEASE
	ssh_ship "$1" "lock=$SSH_LOCK_SECONDS" "missing=$EXIT_REGISTRY" renew=yes
}

transport_rollback() { # RELEASE
	ssh_ship "$1" "lock=$SSH_LOCK_ROLLBACK_SECONDS" "missing=$EXIT_INPUT" rollback=yes
}

# Adds to `words` what makes a host keep what ran before deploybot.
ssh_add_before() {
	[[ $act != deploy || $PREVIOUS_RELEASE != target:* ]] || words+=("before=${PREVIOUS_RELEASE#target:}")
}

ssh_ship() { # RELEASE WORD...
	local words=("${ssh_common[@]}") of=deploybot-before:${1#target:} # the name that `pull` gave it
	[[ $1 == target:* ]] || of=$(image_of "$1")
	words+=("image=$of" "release=$1" "${@:2}")
	ssh_add_before
	[[ $DEPLOY_STRATEGY != bluegreen ]] || words+=("deployment=$DEPLOYMENT_ID")
	step pull
	ssh_all "$SSH_PULL_SECONDS" pull "${words[@]}" ${ssh_origin:+"origin=$ssh_origin"}
	ssh_write_settings ''
	start_begins
	if [[ $DEPLOY_STRATEGY == bluegreen ]]; then
		# What an interrupted release has left has to be put in order before, and that changes what serves.
		if ((${#ssh_interrupted[@]} > 0)); then
			release_begins
			words+=(settle=yes)
		fi
		ssh_start "${words[@]}"
	fi
	[[ -n $release_began ]] || release_begins
	ssh_name_others "$1"
	ssh_switch "${words[@]}"
	[[ $DEPLOY_STRATEGY != bluegreen ]] || drain_later
}

ssh_switch() { # WORD...
	ssh_only=("${!ssh_hosts[@]}")
	((ssh_at_once == 1)) || step switch
	ssh_begun=() ssh_done=() ssh_lost=() ssh_at_work=yes ssh_switches=yes
	[[ $barred == no ]] || set -- "$@" barrier=yes
	ssh_everywhere $((SSH_SWITCH_SECONDS + ssh_grace)) switch "$@" || ssh_switch_failed
	ssh_started=() ssh_at_work=no ssh_switches=no
	ssh_note_hosts
}

# Of the last release, for ssh_name_gone.
ssh_note_hosts() {
	local i lines=()
	for i in "${!ssh_hosts[@]}"; do
		lines+=("${ssh_hosts[$i]} ${ssh_ports[$i]}")
	done
	printf '%s\n' "${lines[@]}" >"$app/hosts.new" && mv -f -- "$app/hosts.new" "$app/hosts" ||
		warn "$app/hosts cannot be written"
}

# A host that was taken out of the setting runs on, with its workers and schedulers: said until the next release has gone by.
ssh_name_gone() {
	local host port i is_there
	[[ -r $app/hosts ]] || return 0
	while read -r host port; do
		is_there=no
		for i in "${!ssh_hosts[@]}"; do
			[[ ${ssh_hosts[$i]} != "$host" || ${ssh_ports[$i]} != "$port" ]] || is_there=yes
		done
		[[ $is_there == yes ]] || warn_people "$host (port $port) is not in $(name_of "$environment" HOST) any more: what \
the last release started there runs on, and no release replaces it: stop it there"
	done <"$app/hosts"
}

# Beside what serves.
ssh_start() { # WORD...
	local status=0
	step start
	ssh_only=("${!ssh_hosts[@]}") ssh_begun=() ssh_at_work=yes
	at_exit ssh_name_cut # what tidying has found
	at_exit ssh_tidy
	at_exit ssh_name_cut # who is killed while that tidies has said what it knew
	ssh_everywhere $((SSH_START_SECONDS + ssh_grace)) start "$@" || status=$?
	ssh_started=(${ssh_done[@]+"${ssh_done[@]}"} ${ssh_lost[@]+"${ssh_lost[@]}"}) ssh_begun=() ssh_at_work=no
	((status == 0)) || fail "$ssh_status" "$ssh_said"
}

ssh_unknown() { # HOSTS, each behind a blank
	local or='rolled back'
	[[ ${act:-} != rollback ]] || or=undone # or it would be taken for done
	[[ $barred == no ]] || or='left as it was then'
	printf 'what runs on%s is not known: a switch that loses us is finished there, or %s' "$1" "$or"
}

# In the middle of a switch.
transport_reached() {
	local i done_on='' unknown=''
	[[ $ssh_switches == yes ]] || return 0
	for i in "${!ssh_hosts[@]}"; do
		if [[ " ${ssh_done[*]-} " == *" $i "* ]]; then
			done_on+=" ${ssh_hosts[$i]}"
		elif [[ -n ${ssh_begun[$i]:-} || " ${ssh_lost[*]-} " == *" $i "* ]]; then
			unknown+=" ${ssh_hosts[$i]}"
		fi
	done
	printf 'it runs on%s' "${done_on:- no host yet}"
	[[ -z $unknown ]] || printf '; %s' "$(ssh_unknown "$unknown")"
}

# From here on no status may say that the target is untouched.  What runs on a host is what it said when its switch ended.
ssh_switch_failed() {
	local i done_on='' unknown=''
	ssh_at_work=no
	((ssh_status == EXIT_BUSY)) || ssh_status=$EXIT_REFUSED
	for i in ${ssh_done[@]+"${ssh_done[@]}"}; do
		done_on+=" ${ssh_hosts[$i]}"
	done
	for i in ${ssh_lost[@]+"${ssh_lost[@]}"}; do
		unknown+=" ${ssh_hosts[$i]}"
	done
	[[ -z $unknown ]] || ssh_said+="; $(ssh_unknown "$unknown")"
	if [[ -n $done_on && $act == rollback ]]; then
		ssh_said+="; rolled back on$done_on"
		ssh_said+=$(by_hand ': deploy/rollback.sh %s %s%s goes on with the others' "$environment" "$release" \
			"$(past_barriers)")
	elif [[ -n $done_on ]]; then
		ssh_said+="; switched to the new release on$done_on"
		[[ -z $PREVIOUS_RELEASE ]] ||
			ssh_said+=$(by_hand ': deploy/rollback.sh %s %s%s rolls it back' "$environment" "$PREVIOUS_RELEASE" \
				"$(past_barriers)")
	fi
	fail "$ssh_status" "$ssh_said"
}

# Where no release begins it is said that nothing was changed: of what serves that is true.
ssh_name_cut() {
	local i cut_on=''
	[[ -z ${release_began:-} ]] || return 0
	for i in "${!ssh_cut[@]}"; do
		cut_on+=${ssh_cut[$i]:+", ${ssh_cut[$i]}"}
		ssh_cut[i]='' # once
	done
	[[ -n $cut_on ]] || return 0
	unquote
	warn_people "${cut_on#, }: what serves is as it was; what drained beside it was ended to make room, and its open \
connections are closed"
}

# What was started beside what serves and is not switched to any more; where a signal ends the start, wherever that began:
# a host that is at it still notices that we are gone.  One that lost us is asked too, or named.  A host where the
# switch has begun puts itself in order.
ssh_tidy() {
	local i
	if [[ $ssh_at_work == yes ]]; then
		unquote
		((${#ssh_started[@]} > 0)) ||
			ssh_started=(${ssh_begun[@]+"${ssh_begun[@]}"} ${ssh_lost[@]+"${ssh_lost[@]}"}) ssh_begun=()
		ssh_at_work=no
		exec {ssh_life}>&-
	fi
	ssh_only=()
	for i in ${ssh_started[@]+"${ssh_started[@]}"}; do
		[[ -n ${ssh_begun[$i]:-} ]] || ssh_only+=("$i")
	done
	ssh_started=()
	((${#ssh_only[@]} > 0)) || return 0
	ssh_everywhere $((SSH_ASK_SECONDS + ssh_grace)) tidy "${ssh_common[@]}" ||
		warn_people "$ssh_said; what was started there may run on beside what serves, until the next release or rollback"
}

# Looks at each host until nobody has a connection to what that deployment has left there, and it has ended.
transport_drain() { # DEPLOYMENT: "" by hand, whichever it was
	local began=$SECONDS i left ssh_still ssh_pause ssh_undrained='' ssh_undrained_status=$EXIT_REFUSED ssh_seen=()
	REMOTE_LOGIN=false # nothing is pulled
	ssh_find_settings
	[[ $DEPLOY_STRATEGY == bluegreen ]] || return 0
	ssh_check_files
	left=("${!ssh_hosts[@]}")
	while :; do
		ssh_still=() ssh_pause=$SSH_LOOK_SECONDS
		for i in "${left[@]}"; do
			ssh_look "$i" "$1" "$began"
		done
		left=(${ssh_still[@]+"${ssh_still[@]}"})
		((${#left[@]} > 0)) || break
		limited 60 "a look" sleep "$ssh_pause"
	done
	[[ -z $ssh_undrained ]] || fail "$ssh_undrained_status" "${ssh_undrained#; }"
}

# One look: fills ssh_still, ssh_pause and, of what failed for good, ssh_undrained.
ssh_look() { # INDEX DEPLOYMENT BEGAN
	local word=''
	ssh_only=("$1") ssh_quiet=yes
	if ssh_everywhere "$SSH_DRAIN_SECONDS" drain "${ssh_common[@]}" "lock=$SSH_LOCK_SECONDS" ${2:+"deployment=$2"}; then
		read_all word "$ssh_folder/out.$1"
		word=${word%$'\n'} word=${word##*$'\n'}
		if [[ ! $word =~ ^draining\ ([0-9]{1,5})$ ]]; then
			quote
			cat -- "$ssh_folder/out.$1"
			unquote
			return "$?"
		fi
		((10#${BASH_REMATCH[1]} + 1 > ssh_pause)) || ssh_pause=$((10#${BASH_REMATCH[1]} + 1))
		ssh_status=$EXIT_BUSY ssh_said="${ssh_hosts[$1]}: what drains there is not ended: something else may switch to it"
	elif ((ssh_status == EXIT_UNREACHABLE || ssh_status == EXIT_BUSY)) && [[ ${ssh_seen[$1]:-} != "$ssh_said" ]]; then
		ssh_seen[$1]=$ssh_said
		warn "$ssh_said"
	fi
	rm -f -- "$ssh_pipes"*.{in,out,err,own,jump} # a drain may look for a day
	if ((ssh_status == EXIT_UNREACHABLE || ssh_status == EXIT_BUSY)) &&
		((SECONDS - $3 < DRAIN_SECONDS + SSH_DRAIN_MORE_SECONDS)); then
		ssh_still+=("$1")
	else
		ssh_undrained+="; $ssh_said" ssh_undrained_status=$ssh_status
	fi
}

# On the first host, in a container of its own beside what serves.
transport_job() { # RELEASE WORD...
	local words=("${@:2}")
	ssh_only=(0)
	ssh_everywhere "$JOB_SECONDS" job "${ssh_common[@]}" "image=$(image_of "$1")" "release=$1" "lock=$SSH_LOCK_SECONDS" \
		"${words[@]/#/job=}" || fail "$ssh_status" "$ssh_said"
}

# On the first host too, in a container whose name tells it from all others: one that a killed run has left is found by it.
transport_migrate() { # RELEASE WORD...
	local words=("${@:2}")
	ssh_migrate "image=$(image_of "$1")" "release=$1" "migration=$migration_name" \
		"migrator=${MIGRATE_SERVICE:-$COMPOSE_SERVICE}" "${words[@]/#/job=}"
}

transport_await_migration() {
	ssh_await_migration "as $migration_name" "migration=$migration_name"
}

# On whichever host it is: another one may have been the first.  Not in ssh_migrate: who ends this has not ended a migration.
ssh_await_migration() { # WHAT-IT-IS-KNOWN-BY WORD...
	local i migration_at="$1 on"
	((${#ssh_migrating[@]} > 0)) || return 0
	for i in "${ssh_migrating[@]}"; do
		migration_at+=" ${ssh_hosts[$i]}"
	done
	migration_is_left
	ssh_only=("${ssh_migrating[@]}")
	ssh_everywhere $((MIGRATE_TIMEOUT_SECONDS + SSH_ASK_SECONDS)) await-migration "${ssh_common[@]}" \
		"lock=$SSH_LOCK_SECONDS" "seconds=$MIGRATE_TIMEOUT_SECONDS" "${@:2}" ||
		migration_not_begun "$ssh_status" "$ssh_said"
}

# What a host does not say itself did begin, or may have: of a connection that broke, and of one who was killed.
ssh_migrate() { # WORD...
	local status=0
	ssh_only=(0)
	ssh_everywhere $((2 * MIGRATE_TIMEOUT_SECONDS + SSH_ASK_SECONDS)) migrate "${ssh_common[@]}" \
		"lock=$SSH_LOCK_SECONDS" "seconds=$MIGRATE_TIMEOUT_SECONDS" "$@" || status=$?
	((status != 0)) || return 0
	[[ ! $ssh_said =~ ': the migration failed (exit '([0-9]+)')'$ ]] || migration_failed "${BASH_REMATCH[1]}"
	[[ $ssh_never_came == no && $ssh_said != "${ssh_hosts[0]}: the migration did not begin: "* ]] || {
		migration_not_started
		fail "$ssh_status" "$ssh_said"
	}
	fail "$ssh_status" "the migration was cut: $ssh_said"
}

# In a subshell of its own.  It waits for the host's own end of it, by the lock.
transport_end_migration() {
	ssh_end_migration "migration=$migration_name"
}

ssh_end_migration() { # WORD...
	ssh_only=(0)
	ssh_everywhere "$SSH_ASK_SECONDS" end-migration "${ssh_common[@]}" "lock=$SSH_LOCK_SECONDS" "$@" ||
		fail "$ssh_status" "$ssh_said"
}

transport_logs() { # LINES [RELEASE]
	local of=()
	[[ ${2:-} != *@sha256:* ]] || of=("image=$(image_of "$2")")
	ssh_all "$SSH_ASK_SECONDS" logs "${ssh_common[@]}" "lines=$1" ${of[@]+"${of[@]}"}
}

transport_clean() { # DIGEST...
	local keep words
	printf -v keep ',%s' "$@"
	words=("image=$image" "keep=${keep#,}")
	ssh_add_before
	ssh_only=("${!ssh_hosts[@]}")
	ssh_everywhere "$SSH_ASK_SECONDS" clean "${ssh_common[@]}" "${words[@]}" || warn "$ssh_said"
}
