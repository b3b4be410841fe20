# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# check.sh - what hosts say of themselves before a release: what people are told of it, and what later acts get of it.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh.  Takes from switch.sh how long what is replaced may take to end.

# Of a host's services that no release replaces, as many are named, with so long names.
readonly SSH_OTHERS_MAX=16 SSH_OTHER_BYTES=64 SSH_STOPPED_BYTES=500

# What the hosts said of themselves goes to the log.  Fills ssh_found, what each later act gets of its services and
# tools, ssh_runs and ssh_ids, which release runs there and its image, ssh_others, lines SERVICE IMAGE of those that
# no release replaces, ssh_interrupted, where there is something to be put in order, and what runs then, and ssh_migrating,
# the hosts where a migration is at work.
ssh_show_check() {
	local i line old left stopped others unstarted compose when beside holds port logins kept
	local -A text=() absent=()
	for i in "${ssh_only[@]}"; do
		[[ -s $ssh_folder/out.$i ]] || continue
		old='' left='' stopped='' others=0 unstarted='' compose='docker compose' when=once beside='' holds=''
		logins='' kept=''
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
			elif [[ $line =~ ^unstarted\ ([A-Za-z0-9][A-Za-z0-9._-]*)(\ ([A-Za-z0-9.:-]{1,100}))?$ ]]; then
				((${#BASH_REMATCH[1]} <= SSH_OTHER_BYTES && ${#unstarted} <= SSH_STOPPED_BYTES)) || continue
				unstarted+=" ${BASH_REMATCH[1]}"
				[[ -z ${BASH_REMATCH[3]} || " $logins" == *" login ${BASH_REMATCH[3]} "* ]] ||
					logins+="docker login ${BASH_REMATCH[3]} && "
			elif [[ $line =~ ^local\ (.{1,200})$ ]]; then
				((${#kept} > SSH_STOPPED_BYTES)) || kept+=", ${BASH_REMATCH[1]}"
			elif [[ $line =~ ^boot\ ([0-9a-f-]{36})$ ]]; then
				ssh_boots[i]=${BASH_REMATCH[1]}
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
		[[ -z $unstarted ]] || warn_people "${ssh_hosts[$i]}: does not run there, and no release starts it (another \
image):$unstarted (there, $when: ${logins}cd $ssh_dir && $compose up -d$unstarted${logins:+; the login is needed where that \
image is private, and is one that may pull})"
		[[ -z $beside ]] || warn_people "${ssh_hosts[$i]}: $beside runs there, and no release was switched to it: one is \
at work, or was killed; the next one ends it"
		[[ -z $holds ]] || warn_people "${ssh_hosts[$i]}: $holds has port $port, which every second release needs, and \
deploybot does not end it: when nobody is to be rolled back to it, there: docker rm -f $holds"
		[[ -z $kept || $i != 0 ]] || ssh_warn_of_migration "${kept#, }"
	done
	ssh_judge_deadline
	ssh_compare
	ssh_judge_absent
}

# What the migration changes there no other host has.
ssh_warn_of_migration() { # PATHS
	((${#ssh_hosts[@]} > 1)) || return 0
	warn_people "the migration runs on ${ssh_hosts[0]} alone, and ${MIGRATE_SERVICE:-$COMPOSE_SERVICE} has data of that host: \
$1; that of the other hosts stays as it is: keep it where all reach it, or write :ro where it is only read"
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
		[[ $differs == ' ' ]] || warn_people "the compose files of ${ssh_hosts[0]} and ${ssh_hosts[$i]} \
differ in:${differs% } (is that meant? Compare what \"docker compose config\" prints there)"
	done
}
