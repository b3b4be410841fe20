# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# judge.sh - a commit's compose file is judged here, by deploybot-judge: its text, and what compose makes of it on each host.
# SPDX-License-Identifier: ISC
# Sourced by ssh.sh.  Takes the hosts from hosts.sh, calls from calls.sh.  A host runs the bytes that were judged, by their
# sum, and what ran there once it takes as it is.  Where the paths lead that the judge names is for that host to see
# (ssh-host/paths.sh).

readonly SSH_JUDGE_SECONDS=20
# What a host prints of itself, and of its configs, in base64 (six for blue/green, each of 262144 bytes at most).
readonly SSH_CONFIGS_MAX=$((65536 + 6 * 350000))
ssh_judged='' ssh_paths=''

# Fills ssh_judge: it stands beside deploybot-runner.
ssh_find_judge() {
	local runner
	find_runner
	# With hooks it is the process that is bound to them: its program's folder counts, also where that was replaced since.
	[[ $runner != /proc/*/exe ]] || runner=$(readlink -- "$runner") ||
		fail "$EXIT_CONFIG" "it is not known where deploybot-runner lies"
	ssh_judge=${runner%/*}/deploybot-judge
	[[ -f $ssh_judge && -x $ssh_judge ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo, and no program deploybot-judge is \
beside ${runner@Q}, which judges that file: install deploybot again"
}

# Leaves the paths of the host in ssh_folder/paths; fails where FILE is refused, with the reason in ssh_why.
ssh_ask_judge() { # FILE WORD...
	local status=0
	ssh_why=''
	limited "$SSH_JUDGE_SECONDS" deploybot-judge "$ssh_judge" "${@:2}" <"$1" >"$ssh_folder/paths" || status=$?
	((status != 0)) || return 0
	((status == EXIT_REFUSED)) || fail "$EXIT_REFUSED" "deploybot-judge ended with status $status"
	read_line ssh_why "$ssh_folder/paths"
	return 1
}

# The text of ssh_folder/compose, before any host's compose reads it.  Fills ssh_judged, its sum, and ssh_paths.
ssh_judge_text() {
	local sum
	ssh_find_judge
	if ssh_ask_judge "$ssh_folder/compose" text; then
		sum=$(sha256sum <"$ssh_folder/compose")
		ssh_judged=${sum%% *}
		ssh_paths=$(base64 -w 0 <"$ssh_folder/paths")
	else
		[[ $act != deploy ]] || fail "$EXIT_REFUSED" "the compose file $ssh_origin: $ssh_why"
		warn "the compose file $ssh_origin is taken only where it ran already: $ssh_why"
	fi
}

# Takes what is for the judge out of what hosts have printed.
ssh_take_configs() {
	local i
	for i in "${ssh_only[@]}"; do
		LC_ALL=C grep -E '^(config [0-9a-f]{64} |as-it-ran$)' "$ssh_folder/out.$i" >"$ssh_folder/configs.$i" || true # none
		LC_ALL=C grep -vE '^(config [0-9a-f]{64} |as-it-ran$)' "$ssh_folder/out.$i" >"$ssh_folder/rest" || true # none
		mv -f -- "$ssh_folder/rest" "$ssh_folder/out.$i"
	done
}

# Of each host whose file is a commit's: what compose makes of it there, and where the paths lead that it names.
ssh_judge_configs() {
	local i
	for i in "${ssh_only[@]}"; do
		[[ " ${ssh_found[$i]:-} " =~ \ file=([0-9a-f]{64})\  ]] || continue
		ssh_judge_host "$i" "${BASH_REMATCH[1]}"
	done
	ssh_check_paths
}

ssh_judge_host() { # INDEX SUM-OF-ITS-FILE
	local kind sum text of is_judged=no allow=''
	[[ -z $COMPOSE_ALLOW ]] || allow=${COMPOSE_ALLOW//[[:space:]]/,}
	: >"$ssh_folder/named.$1"
	while read -r kind sum text; do
		is_judged=yes
		[[ $kind == config ]] || continue
		[[ $2 == "$ssh_judged" ]] ||
			fail "$EXIT_REFUSED" "${ssh_hosts[$1]} would use another compose file than was judged: ${2:0:12}"
		base64 -d <<<"$text" >"$ssh_folder/config" 2>/dev/null || true # seen by its sum
		of=$(sha256sum <"$ssh_folder/config")
		[[ ${of%% *} == "$sum" ]] ||
			fail "$EXIT_REFUSED" "${ssh_hosts[$1]}: what compose makes of the compose file there did not come whole"
		ssh_ask_judge "$ssh_folder/config" config "$allow" ||
			fail "$EXIT_REFUSED" "${ssh_hosts[$1]}: the compose file $ssh_origin: $ssh_why"
		cat -- "$ssh_folder/paths" >>"$ssh_folder/named.$1"
	done <"$ssh_folder/configs.$1"
	[[ $is_judged == yes ]] ||
		fail "$EXIT_REFUSED" "${ssh_hosts[$1]} does not say what compose makes of the compose file $ssh_origin there"
}

# What a host looks at together, in base64: the text's and compose's, as one may lie in the other.
ssh_all_paths() { # INDEX
	{ base64 -d <<<"$ssh_paths" && cat -- "$ssh_folder/looked.$1"; } | LC_ALL=C sort -u | base64 -w 0
}

# Where there are some that were not looked at yet.
ssh_check_paths() {
	local i only=()
	for i in "${ssh_only[@]}"; do
		[[ -s $ssh_folder/named.$i ]] || continue
		: >>"$ssh_folder/looked.$i"
		LC_ALL=C sort -u -- "$ssh_folder/named.$i" | LC_ALL=C comm -13 "$ssh_folder/looked.$i" - >"$ssh_folder/new"
		[[ -s $ssh_folder/new ]] || continue
		LC_ALL=C sort -u -o "$ssh_folder/looked.$i" -- "$ssh_folder/looked.$i" "$ssh_folder/new"
		printf '%s\n' '' '' '' '' '' "$(ssh_all_paths "$i")" >"$ssh_folder/settings.paths.$i"
		only+=("$i")
	done
	((${#only[@]} > 0)) || return 0
	ssh_only=("${only[@]}")
	ssh_everywhere "$SSH_ASK_SECONDS" paths "${ssh_common[@]}" ${ssh_origin:+"origin=$ssh_origin"} ||
		fail "$ssh_status" "$ssh_said"
}

# Behind `pull`, which keeps the file on each host, and before anything of it runs: with the release's own variables.
ssh_judge_real() { # WORD...
	local ssh_most=$SSH_CONFIGS_MAX
	ssh_choose
	ssh_quiet=yes
	ssh_everywhere "$SSH_ASK_SECONDS" config "$@" "origin=$ssh_origin" || fail "$ssh_status" "$ssh_said"
	ssh_quiet=no
	ssh_choose
	ssh_take_configs
	ssh_judge_configs
}
