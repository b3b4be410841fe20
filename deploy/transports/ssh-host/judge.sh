# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# judge.sh - may a compose file that came from the repository be used here: does it reach beyond its own containers?
# SPDX-License-Identifier: ISC
# Who can push writes that file.  The judge is asked of what compose makes of it, anchors and variables resolved; only what
# compose would have read meanwhile, other files, is looked for in the text, which has to be plain enough for that.

# What a service may say.  Anything else has to be allowed by its name: compose learns new ways out.
readonly SERVICE_KEYS=" annotations attach build cap_drop command configs container_name cpu_count cpu_percent cpu_period \
cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset depends_on deploy dns dns_opt dns_search domainname entrypoint \
environment expose extra_hosts healthcheck hostname image init labels links logging mac_address mem_limit mem_reservation \
mem_swappiness memswap_limit networks oom_kill_disable oom_score_adj pids_limit platform ports profiles read_only restart \
scale secrets shm_size stdin_open stop_grace_period stop_signal sysctls tmpfs tty ulimits user working_dir "
readonly FILE_LINES_MAX=2000 LINE_BYTES_MAX=4096 # a line's words cost the square of its length

refuse_file() { # WHAT-TO-DO
	die 70 "$the_file: $1"
}

# KEY reaches beyond the container.
offense() { # WHERE KEY WHAT
	[[ ,$allow, != *",$2,"* ]] || return 0
	refuse_file "$1: $3 reaches beyond its containers: remove it, or allow it: COMPOSE_ALLOW=\"$2\""
}

# A folder or file of the host.
check_bind() { # WHERE PATH
	local real root word allowed words
	[[ $2 =~ ^/[A-Za-z0-9._/@:+-]*$ ]] ||
		refuse_file "$1: a path of the host that is not plain (A-Z a-z 0-9 . _ / @ : + -): write it so"
	real=$(readlink -m -- "$2")
	root=$(pwd -P)
	case $real in
	"$root"/.env* | "$root"/.deploybot* | "$root"/compose.* | "$root"/docker-compose.*) ;; # who writes these is followed here
	"$root"/*) return 0 ;;
	esac
	IFS=, read -r -a words <<<"$allow"
	for word in ${words[@]+"${words[@]}"}; do
		[[ $word == bind:* ]] || continue
		allowed=$(readlink -m -- "${word#bind:}")
		[[ $real != "$allowed" && $real != "${allowed%/}"/* ]] || return 0
	done
	refuse_file "$1: $2 is not below $dir: put it there (not as .env*, compose.* or .deploybot*), or allow it: \
COMPOSE_ALLOW=\"bind:$real\""
}

# ---- its text ------------------------------------------------------------------------------------

readonly FILE_PATH='[A-Za-z0-9_@+-][A-Za-z0-9._@+/-]*|[.][A-Za-z0-9_@+/-][A-Za-z0-9._@+/-]*'

file_bytes() {
	if [[ -n $offered ]]; then
		base64 -d <<<"$file_text"
	else
		cat -- "$compose_file"
	fi
}

# What would read other files, or hide that it does.
judge_text() {
	local LC_ALL=C text line number=0 depth='' indent rest code flow=0 was_flow column=-1 is_plain=no block='' is_begun=no
	[[ -z $(file_bytes | tr -d '\11\12\15\40-\176\200-\377' | head -c 1 | od -An -c) ]] ||
		refuse_file "it has bytes that are no text (UTF-8): save it as such"
	text=$(file_bytes)
	text=${text//$'\r\n'/$'\n'} text=${text%$'\r'}
	case $text in
	*$'\r'* | *$'\xc2\x85'* | *$'\xe2\x80\xa8'* | *$'\xe2\x80\xa9'* | *$'\xef\xbb\xbf'* | *$'\xff'* | *$'\xfe'*)
		refuse_file "it has line ends of another kind, or a byte order mark: save it as UTF-8 with plain line ends"
		;;
	esac
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		((number <= FILE_LINES_MAX)) || refuse_file "it has more than $FILE_LINES_MAX lines"
		rest=${line#"${line%%[! ]*}"}
		indent=$((${#line} - ${#rest}))
		if is_in_block || [[ $rest =~ ^[[:space:]]*(#|$) ]]; then
			continue
		fi
		if [[ $line =~ ^(---|\.\.\.)([[:space:]]|$) ]]; then
			[[ ${line:3} =~ ^[[:space:]]*([[:space:]]#.*)?$ ]] ||
				refuse_file "line $number: write what is behind ${line:0:3} on a line of its own"
			column=-1 is_plain=no depth=
			continue
		fi
		((${#line} <= LINE_BYTES_MAX)) || refuse_file "line $number has more than $LINE_BYTES_MAX bytes: break it"
		was_flow=$flow
		scan_line
		judge_line
	done <<<"$text"
}

# Is the line one of a text behind | or >?  That has what is as deep as its first line.
is_in_block() {
	[[ -n $block ]] || return 1
	if [[ -z $rest || $indent -ge $block ]]; then
		[[ $is_begun == yes ]] || ((indent <= block)) || block=$indent
		[[ -z $rest ]] || is_begun=yes
		return 0
	fi
	block=
	return 1
}

# Reads a line as YAML's scanners do, word by word: what is a comment, a key or an alias depends on quotes before it.
# Fills code with the line without its comment.  From line to line: flow, how many brackets are open; column, where the
# innermost list or mapping begins; is_plain, a text without quotes goes on where the next line is deeper; block, how deep a
# text behind | or > is.  No text in quotes goes on: then a line's beginning is never within one.
scan_line() {
	local left="$line " start='' at is_open=no
	code=$line
	if [[ $is_plain == yes ]] && ((flow > 0 || indent > column)); then
		start=$indent
		scan_plain
	fi
	while :; do
		left=${left#"${left%%[![:space:]]*}"}
		[[ -n $left ]] || break
		at=$((${#line} + 1 - ${#left}))
		start=${start:-$at}
		scan_word
	done
	is_plain=$is_open
}

scan_word() {
	local word=${left%%[][:space:],\{\}[]*}
	case $left in
	'#'*)
		[[ ${line:at-1:1} == [[:space:]] ]] || refuse_file "line $number: a blank is missing before the #"
		code=${line:0:at} left=
		;;
	\"* | \'*) scan_quoted ;;
	[\[\{]*) ((++flow)) && left=${left:1} ;;
	[]\}]*) flow=$((flow > 0 ? flow - 1 : 0)) left=${left:1} ;;
	,*) left=${left:1} ;;
	:[[:space:]]*) scan_colon ;;
	-[[:space:]]*)
		((flow > 0)) || column=$at
		start='' left=${left:1}
		;;
	\?[[:space:]]*) refuse_file "line $number: a key behind a question mark is not taken: write KEY: VALUE" ;;
	\**)
		[[ $word != *:* && ! ${left:${#word}} =~ ^[[:space:]]*: ]] ||
			refuse_file "line $number: an alias (*) as a key is not taken: write the key itself"
		left=${left:${#word}}
		;;
	\&*)
		[[ $word =~ ^.[A-Za-z0-9_-]+$ ]] || refuse_file "line $number: an anchor has A-Z a-z 0-9 _ - alone: write it so"
		left=${left:${#word}}
		;;
	[%!]*)
		[[ $word =~ ^![A-Za-z0-9_-]*$ ]] || refuse_file "line $number: tags of YAML (!!) are not taken: remove it"
		left=${left:${#word}}
		;;
	[\|\>]*)
		[[ $flow == 0 && $left =~ ^.[-+]?[[:space:]]+(#.*)?$ ]] ||
			refuse_file "line $number: a text over lines begins with ${left:0:1}, ${left:0:1}- or ${left:0:1}+ alone: \
put what begins with it into quotes"
		block=$((column < 0 ? 1 : column + 1)) is_begun=no code=${line:0:at} left=
		;;
	*)
		if ((flow > 0)); then
			case $left in
			:*)
				scan_colon
				return "$?"
				;;
			\?*) refuse_file "line $number: a key behind a question mark is not taken: write KEY: VALUE" ;;
			esac
		fi
		scan_plain
		;;
	esac
}

# What is before it was a key.
scan_colon() {
	[[ ${line:0:at} == *[![:space:]]* ]] ||
		refuse_file "line $number: it begins with a colon: write KEY: VALUE in one line"
	((flow > 0)) || column=$start
	left=${left:1}
}

# Quotes in the middle of a text are none.
scan_plain() {
	local part=$left whole
	((flow == 0)) || part=${part%%[],\{\}[]*}
	whole=${part%%:[[:space:]]*}
	whole=${whole%%[[:space:]]#*}
	[[ $flow == 0 || $whole != *:[\"\']* ]] ||
		refuse_file "line $number: within brackets a blank is missing between a colon and a quote: write KEY: VALUE"
	left=${left:${#whole}}
	[[ $left == *[![:space:]]* ]] || is_open=yes
}

scan_quoted() {
	local quote=${left:0:1} part
	left=${left:1}
	while :; do
		if [[ $quote == \' ]]; then
			part=${left%%\'*}
		else
			part=${left%%[\"\\]*}
		fi
		[[ $part != "$left" ]] || refuse_file "line $number: a text in quotes that goes on in the next line is not taken: \
write it in one line, or without quotes behind >"
		left=${left:${#part}}
		[[ $left != \\[xuU]* ]] || refuse_file "line $number: a character is written as \\x or \\u: write it as it is"
		case $left in
		\\* | \'\'*) left=${left:2} ;;
		*)
			left=${left:1}
			return 0
			;;
		esac
	done
}

# Fills depth while the lines of an env_file go on.
judge_line() {
	code=${code%"${code##*[![:space:]]}"}
	rest=${code:indent}
	if [[ -n $depth ]]; then
		if ((indent > depth)) || [[ $indent == "$depth" && $rest == -* ]]; then
			judge_env_file
			return "$?"
		fi
		depth=
	fi
	[[ ! $code =~ (^|[^A-Za-z0-9_./-])(include|extends|label_file)[\"\']?[[:space:]]*: ]] ||
		refuse_file "line $number: with COMPOSE_SOURCE=repo it is one file that reads no others, without \
${BASH_REMATCH[2]}: write what it brings into this one (anchors help)"
	if [[ $code =~ (^|[^A-Za-z0-9_./-])env_file[\"\']?[[:space:]]*: ]]; then
		[[ $was_flow == 0 && $rest =~ ^env_file:[[:space:]]*(.*)$ ]] ||
			refuse_file "line $number: write env_file on a line of its own"
		depth=$indent rest=${BASH_REMATCH[1]}
		[[ -z $rest ]] || judge_env_file
	fi
}

# The value of an env_file, or a line of its list: plain paths in the folder.
judge_env_file() {
	local part real word parts
	[[ ! $rest =~ ^(required|format):\ [a-z]+$ ]] || return 0
	if [[ $rest =~ ^\[(.*)\]$ ]]; then
		IFS=, read -r -a parts <<<"${BASH_REMATCH[1]}"
	else
		rest=${rest#-} rest=${rest#"${rest%%[! ]*}"} rest=${rest#path: }
		parts=("$rest")
	fi
	for part in ${parts[@]+"${parts[@]}"}; do
		part=${part#"${part%%[! ]*}"} part=${part%"${part##*[! ]}"}
		word=$part
		[[ ! $part =~ ^([\"\'])(.*)[\"\']$ || $part != *"${BASH_REMATCH[1]}" ]] || word=${BASH_REMATCH[2]}
		[[ $word =~ ^($FILE_PATH)$ && /$word/ != */../* ]] ||
			refuse_file "line $number: env_file names plain paths in the folder of the release: $(pwd -P)"
		check_bind "line $number" "$(pwd -P)/$word"
	done
}

# ---- what compose makes of it --------------------------------------------------------------------

judge_config() { # TEXT
	local word section='' name='' key=''
	each_line judge_config_line "$1"
}

judge_config_line() {
	if ((indent == 0)); then
		section=${rest%%:*} name='' key=''
		case $section in
		name | version | services | networks | volumes | secrets | configs | x-*) ;;
		*) offense "its first level" "$section" "$section" ;;
		esac
	elif ((indent == 2)); then
		unquote "${rest%%:*}"
		name=$word key=''
		[[ $section.$name != networks.host ]] || offense "networks" network_mode "the network host"
	else
		case $section in
		services) judge_service ;;
		networks) judge_network ;;
		volumes | secrets | configs) judge_source ;;
		esac
	fi
}

judge_service() {
	local where="service $name"
	if ((indent == 4)) && [[ $rest != '- '* ]]; then
		key=${rest%%:*}
		unquote "${rest#*:}"
		case $key.$word in
		*.null | *.'{}' | *.'[]' | x-* | privileged.false | security_opt. | volumes.) return 0 ;;
		pid.service:* | ipc.service:*) return 0 ;;
		network_mode.none | network_mode.bridge | network_mode.default | network_mode.service:*) return 0 ;;
		ipc.none | ipc.private | ipc.shareable | cgroup.private) return 0 ;;
		pull_policy.always | pull_policy.missing | pull_policy.if_not_present | pull_policy.never) return 0 ;;
		esac
		[[ $SERVICE_KEYS == *" $key "* ]] || offense "$where" "$key" "$key"
		return 0
	fi
	case $key in
	security_opt)
		[[ $rest =~ ^-\ [\"\']?no-new-privileges([:=]true)?[\"\']?$ ]] || offense "$where" security_opt security_opt
		;;
	volumes) judge_mount ;;
	logging) judge_logging ;;
	deploy) [[ ! $rest =~ ^(-\ )?(devices|generic_resources): ]] || offense "$where" devices devices ;;
	esac
}

# A line of a service's logging: dockerd writes it, as root, in the host's network, and to its sockets.
judge_logging() {
	unquote "${rest#*:}"
	case $indent.${rest%%:*}.$word in
	6.driver.json-file | 6.driver.local | 6.driver.none | 6.options. | 6.options.'{}' | 6.*.null) ;;
	8.max-size.* | 8.max-file.* | 8.compress.* | 8.mode.* | 8.max-buffer-size.* | 8.tag.*) ;;
	8.labels.* | 8.labels-regex.* | 8.env.* | 8.env-regex.*) ;;
	*) offense "$where" logging "logging with ${rest%%:*}${word:+ $word}" ;;
	esac
}

# A line of a service's volumes: nothing passes that is not known.
judge_mount() {
	local plain='[A-Za-z0-9._/@+-]+'
	if [[ $rest =~ ^(- )?source:\ [\"\']?([^\"\'[:space:]]+)[\"\']?$ ]]; then
		word=${BASH_REMATCH[2]}
	elif [[ $rest =~ ^-\ [\"\']?(/$plain)(:[A-Za-z,]*)?[\"\']?$ ]]; then # anonymous
		return 0
	elif [[ $rest =~ ^-\ [\"\']?([^:\"\'[:space:]]+):/$plain(:[A-Za-z,]+)?[\"\']?$ ]]; then
		word=${BASH_REMATCH[1]}
		[[ ! ${BASH_REMATCH[2]} =~ (^|[,:])r?(shared|slave)(,|$) ]] || offense "$where" propagation "mount propagation"
	elif [[ $rest =~ ^(-\ )?(type:\ (bind|volume|tmpfs|image)|target:\ .*|read_only:\ (true|false)|consistency:\ [a-z]+|bind:|\
volume:|tmpfs:|volume:\ \{\}|tmpfs:\ \{\}|bind:\ \{\}|create_host_path:\ (true|false)|nocopy:\ (true|false)|size:\ .*|mode:\ .*|\
selinux:\ [zZ]|subpath:\ .*)$ ]]; then
		return 0
	elif [[ $rest == propagation:* ]]; then
		[[ $rest =~ ^propagation:\ r?private$ ]] || offense "$where" propagation "mount propagation"
		return 0
	else
		refuse_file "$where: a volume that is not plain (a path with blanks or quotes?): write SOURCE:TARGET"
	fi
	[[ $word =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || check_bind "$where" "$word"
}

judge_network() {
	unquote "${rest#*:}"
	case $rest in
	name:*) [[ $word != host ]] || offense "network $name" network_mode "the network host" ;;
	driver:*)
		[[ $indent != 4 || " bridge overlay default null " == *" $word "* ]] ||
			offense "network $name" network_driver "driver $word"
		;;
	driver_opts:*) [[ $indent != 4 || $word == '{}' ]] || offense "network $name" network_driver driver_opts ;;
	esac
}

# Of volumes, secrets and configs.
judge_source() {
	local where="${section%s} $name"
	if ((indent > 4)); then
		[[ $key != file ]] || refuse_file "$where: a path that is not plain: write it without blanks"
		return 0
	fi
	key=${rest%%:*}
	unquote "${rest#*:}"
	case $section.$key in
	*.name | *.external | *.labels | *.x-* | secrets.environment | configs.environment | configs.content) ;;
	secrets.file | configs.file) check_bind "$where" "$word" ;;
	volumes.driver) [[ " local default null " == *" $word "* ]] || offense "$where" volume_driver "driver $word" ;;
	*) [[ $word == null || $word == '{}' ]] || offense "$where" "$key" "$key" ;;
	esac
}

# With the very variables that compose will get: a file may say one thing for the port that preflight takes, and another
# for those that it is brought up with.
judge_real() {
	local port
	[[ $strategy == bluegreen ]] && set -- "$port_a" "$port_b" || set --
	judge_one ''
	for port in "$@" 0; do
		judge_one '' "DEPLOY_PORT=$port"
	done
	for port in "$@"; do
		judge_one "$port"
	done
}

judge_one() { # PORT [NAME=VALUE]
	local words status=0
	words=$(limit_memory
		[[ $# == 1 ]] || export "${2?}"
		run_compose "$ASK_SECONDS" "$1" config 2>"$private/words") || status=$?
	((status == 0)) || refuse_file "compose does not understand it: $(last_line "$(<"$private/words")")"
	judge_config "$words"
}
