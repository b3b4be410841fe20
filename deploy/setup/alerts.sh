# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# alerts.sh - what deploybot-setup makes so that somebody is notified: Prometheus, Alertmanager, the nightly looks.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh behind around.sh, never run.  What is another's own configuration is left, and what to add is said.

readonly ALERT_TRIES=180

# As the server calls it: through TELEGRAM_PROXY, and through no proxy of our environment.
call_telegram() { # PATH [FIELD=VALUE...]
	local api call_proxy
	value_of TELEGRAM_PROXY ''
	call_proxy=$said
	value_of TELEGRAM_API_BASE https://api.telegram.org
	api=${said%/}
	call "$api/$1" "${@:2}"
	[[ $said == 000 ]] || return 0
	warn "Telegram does not answer this machine${call_proxy:+ through $call_proxy}: $(call_failure) ($api)"
	return 1
}

# Of whichever bot secret_file is; the answer is not shown, for it has the token's number in it.
call_bot() { # METHOD [FIELD=VALUE...]
	local complaint=''
	call_telegram "bot$(<"$secret_file")/$1" "${@:2}" || return 1
	[[ $said != 200 ]] || return 0
	! [[ $(<"$draft/said") =~ \"description\":\ ?\"(([^\"\\]|\\.){1,200})\" ]] || complaint=${BASH_REMATCH[1]}
	warn "Telegram does not take it (status $said): ${complaint:-it does not say why}"
	return 1
}

check_alert_token() { # NAME
	local own
	if [[ -z $secret_file || ! $(<"$secret_file") =~ ^[0-9]{1,19}:[A-Za-z0-9_-]{20,}$ ]]; then
		warn "$1: it is no token as @BotFather gives it"
		return 1
	fi
	value_of TELEGRAM_BOT_TOKEN_FILE ''
	own=$said
	if [[ -r $own && $(<"$own") == "$(<"$secret_file")" ]]; then
		warn "$1: that is deploybot's own bot: make a second one at @BotFather: who reads Alertmanager's file has it"
		return 1
	fi
	call_bot getMe
}

check_alert_chat() { # NAME
	local chat=$said
	if [[ ! $chat =~ ^-?[1-9][0-9]{0,18}$ ]]; then
		warn "$1: ${chat@Q} is no chat's id, as -1001234567890"
		return 1
	fi
	if [[ $chat =~ ^100[0-9]{10}$ ]]; then
		warn "$1: $chat is a group's id without its minus: did you mean -$chat?"
		return 1
	fi
	call_bot sendMessage "chat_id=$chat" "text=deploybot's alerts arrive here." && return 0
	warn "$1: is the second bot in that chat?  In private it has to be written to first."
	return 1
}

check_watchdog() { # NAME
	local url=$said
	if [[ ! $url =~ ^https?://[A-Za-z0-9._~:/?#@!\$\&()*+,\;=%-]+$ ]]; then
		warn "$1: it is no http:// or https:// address"
		return 1
	fi
	call "$url"
	[[ $said != 2* ]] || return 0
	warn "$1: it answers $said (000: not at all)"
	return 1
}

# Where deploybot's own rules lead to until somebody says where they are to.
readonly RUNBOOKS_NOWHERE=https://github.com/your-org/deploybot/blob/main/docs

# Is it as some version came with it, but for where its links lead to and where the server listens?
is_shipped() { # FILE ADDRESS
	local sum
	sum=$(sed -E "s#https?://[^ ]+/OPERATIONS\.md\##$RUNBOOKS_NOWHERE/OPERATIONS.md\##; \
		s#github\.com/[A-Za-z0-9._-]+#github.com/your-org#; s|\"$2\"|\"127.0.0.1:8080\"|" -- "$1" | sha256sum)
	grep -Fqsx -- "${sum%-}${1##*/}" "$examples/shipped"
}

# May FILE be replaced: is it the package's, as we would make it, as we installed it last, or as it was ever shipped?
is_replaceable() { # FILE PACKAGE FRESH ADDRESS
	[[ ! -e $1 ]] || is_untouched "$1" "$2" || cmp -s -- "$1" "$3" ||
		grep -Fqsx -- "$(sha256sum <"$1")$1" "$values/installed" || is_shipped "$1" "$4"
}

# So that the next time tells an edit from an older one of ours.
note_installed() { # FILE
	{
		grep -Fv -- "  -$1" "$values/installed" 2>/dev/null || true
		printf '%s%s\n' "$(sha256sum <"$1")" "$1"
	} >"$draft/installed"
	write_secret "$(me)" "$values/installed" <"$draft/installed"
}

put_in_place() { # FRESH FILE
	install -m 0644 -- "$1" "$2.new"
	mv -fT -- "$2.new" "$2"
	note_installed "$2"
}

# Alertmanager's is made anew as a whole; one that is not as we left it is kept beside it, and so is each later one.
install_receivers() { # FILE [GROUP]
	local kept=$1.before-deploybot
	if ! is_replaceable "$1" prometheus-alertmanager "$draft/ours/alertmanager.yml" ''; then
		cp -p --backup=numbered -- "$1" "$kept"
		warn "$1 was not as deploybot-setup left it: what it was is $kept now; diff -u $kept $1"
	fi
	"$examples/alertmanager.sh" "$values" "$@" ||
		fail "$EXIT_CONFIG" "Alertmanager's configuration is as it was: see above"
	note_installed "$1"
}

# Nothing is replaced by what Prometheus and Alertmanager, as they are here, would not take.
check_ours() {
	mkdir -p -- "$draft/ours"
	cp -- "$examples"/{alerts,prometheus}.yml "$draft/ours"
	"$examples/alertmanager.sh" "$values" "$draft/ours/alertmanager.yml" >/dev/null ||
		fail "$EXIT_CONFIG" "Alertmanager's configuration is as it was: see above"
	check_configurations "$draft/ours"
}

# What somebody's own prometheus.yml lacks of what alerts need, as a list.
lacking() { # FILE
	local text job list=()
	text=$(sed 's/[[:blank:]]*#.*//' -- "$1")
	for job in deploybot alertmanager; do
		grep -Eq "^[[:blank:]]*(- )?job_name:[[:blank:]]*[\"']?${job}[\"']?$" <<<"$text" || list+=("the job $job")
	done
	grep -Eq "[[:blank:]\"'/\[](alerts|[^[:blank:]]*\*[^[:blank:]]*)\.ya?ml" <<<"$text" || list+=("alerts.yml in rule_files")
	grep -Eq '^[[:blank:]]*(- )?alertmanagers:' <<<"$text" || list+=("alerting")
	printf '%s\n' "${list[@]}" | paste -sd, - | sed 's/,/, /g'
}

# Fills `said` with the folder that the links of rules lead to; empty: nowhere yet, or to several.
find_runbooks() { # RULES
	said=$(grep -oE 'https?://[^ ]+/OPERATIONS\.md#' -- "$1" 2>/dev/null | sort -u) || true # there are none
	said=${said%/OPERATIONS.md#}
	[[ $said != "$RUNBOOKS_NOWHERE" && $said != *$'\n'* ]] || said=
}

check_runbooks() { # NAME
	[[ ! ${said:--} =~ ^(-|https?://[A-Za-z0-9._~:/@%+=-]+)$ ]] || return 0
	warn "$1: it is no http:// or https:// address"
	return 1
}

# Prometheus asks us, and knows the rules.  What was edited since we installed it stays, and is said.
install_rules() { # FOLDER
	local file=$1/prometheus.yml rules=$1/alerts.yml lacks
	own_address
	if [[ $said == unix:* ]]; then
		warn "Prometheus asks no socket in a file, as LISTEN_ADDRESS is one: change the job deploybot in $file"
		said=127.0.0.1:8080
	fi
	sed "s|$RUNBOOKS_NOWHERE/OPERATIONS\\.md#|${runbooks:-$RUNBOOKS_NOWHERE}/OPERATIONS.md#|" "$examples/alerts.yml" \
		>"$draft/alerts.yml"
	if ! is_replaceable "$rules" '' "$draft/alerts.yml" "$said"; then
		stayed+=" $rules"
		warn "$rules was edited and stays as it is; what is new: diff -u $rules $examples/alerts.yml"
	elif ! cmp -s -- "$draft/alerts.yml" "$rules" || ! grep -Fqs -- "  -$rules" "$values/installed"; then
		put_in_place "$draft/alerts.yml" "$rules"
	fi
	sed "s|\"127\\.0\\.0\\.1:8080\"|\"$said\"|" "$examples/prometheus.yml" >"$draft/prometheus.yml"
	if is_replaceable "$file" prometheus "$draft/prometheus.yml" "$said"; then
		put_in_place "$draft/prometheus.yml" "$file"
		return 0
	fi
	own_prometheus=yes stayed+=" $file"
	lacks=$(lacking "$file")
	[[ -z $lacks ]] || warn "$file is your own: add what $examples/prometheus.yml has and it has not: $lacks"
}

# Messages leave a link out that leads nowhere.
say_where_links_lead() { # RULES
	! grep -qF -- "$RUNBOOKS_NOWHERE/" "$1" 2>/dev/null || say "Alerts have no link, as nobody has said where to: what to \
do stands in %s/OPERATIONS.md, below the name of each" "${examples%/examples/monitoring}"
}

# Before anything is started again: does who will read it take it?
check_configurations() { # FOLDER
	local bad=0
	: >"$draft/said"
	! type -P promtool >/dev/null || promtool check config "$1/prometheus.yml" >"$draft/said" 2>&1 || bad=1
	((bad == 1)) || ! type -P amtool >/dev/null || amtool check-config "$1/alertmanager.yml" >"$draft/said" 2>&1 || bad=1
	((bad == 0)) || fail "$EXIT_CONFIG" "$1: nothing is started with that: \
$(grep -iE 'fail|error' -- "$draft/said" | head -n 3 | tr '\n' ' ' | head -c 600)"
}

# Fills `said` with where one of the two answers on this machine; empty where its options do not say it plainly.
listens_at() { # FILE-OF-DEFAULTS DEFAULT
	local args
	args=$(sed -n '/^[[:blank:]]*#/d; /^[[:blank:]]*ARGS=/,$p' -- "$1" 2>/dev/null) || true
	said=$2
	if [[ $args =~ .*--web\.listen-address[=[:blank:]]([^[:blank:]\"\']*) ]]; then
		said=${BASH_REMATCH[1]}
		said=${said/#:/127.0.0.1:} said=${said/#0.0.0.0:/127.0.0.1:} said=${said/#'[::]:'/'[::1]:'}
	fi
	[[ $said =~ ^[][A-Za-z0-9.:-]+:[0-9]+$ && ! $args =~ --web\.(config\.file|route-prefix|external-url) ]] || said=
}

# Fills `missing` with why no alert would arrive, empty where they do: a chain from deploybot to the watchdog's receiver.
ask_alert_chain() { # PROMETHEUS ALERTMANAGER
	missing=
	call "http://$2/-/ready"
	[[ $said == 200 ]] || missing="Alertmanager does not answer at $2: \
journalctl -u prometheus-alertmanager says why"
	[[ -z $missing ]] || return 0
	call "http://$1/-/ready"
	[[ $said == 200 ]] || missing="Prometheus does not answer at $1: journalctl -u prometheus says why"
	[[ -z $missing ]] || return 0
	call "http://$1/api/v1/query" 'query=up{job="deploybot"} == 1'
	[[ $(<"$draft/said") == *'"value":'* ]] || missing="Prometheus does not reach deploybot: \
the job deploybot in prometheus.yml, LISTEN_ADDRESS, API_SERVER_PORT, ENABLE_TELEMETRY; systemctl status deploybot"
	[[ -z $missing ]] || return 0
	call "http://$1/api/v1/query" 'query=up{job="alertmanager"} == 1'
	[[ $(<"$draft/said") == *'"value":'* ]] || missing="Prometheus does not reach Alertmanager: \
the job alertmanager in prometheus.yml has to name $2"
	[[ -z $missing ]] || return 0
	call "http://$2/api/v2/alerts?filter=alertname%3D%22DeploybotWatchdog%22"
	[[ $(<"$draft/said") == *'"name":"watchdog"'* ]] || missing="Alertmanager has no DeploybotWatchdog of Prometheus: \
rule_files and alerting in prometheus.yml; http://$1/rules says what it knows"
}

# Rules are looked at each 15 seconds; what Prometheus sends before it knows Alertmanager it sends again after a minute.
# Status 1 where it is not known whom to ask.
until_alerts_arrive() { # FOLDER-OF-DEFAULTS
	local tries=0 missing prometheus
	listens_at "$1/prometheus" 127.0.0.1:9090
	prometheus=$said
	listens_at "$1/prometheus-alertmanager" 127.0.0.1:9093
	[[ -n $prometheus && -n $said ]] || return 1
	set -- "$prometheus" "$said"
	say '\nwaiting until Alertmanager has an alert of Prometheus: one that always fires; up to three minutes'
	while ((tries++ < ALERT_TRIES)); do
		ask_alert_chain "$@"
		[[ -n $missing ]] || return 0
		sleep 1
	done
	fail "$EXIT_CONFIG" "the configurations are written, and no alert would arrive: $missing"
}

# Puts options into ARGS of a file of /etc/default; one that is there with another value stays as it is.
set_arguments() { # FILE OPTION=VALUE...
	local file=$1 option line there words=''
	[[ -e $file ]] || install -m 0644 /dev/null "$file"
	line=$(grep -n '^[[:blank:]]*ARGS=' -- "$file" | tail -n 1 | cut -d: -f1) || true
	there=$(tail -n "+${line:-1}" -- "$file" | grep -v '^[[:blank:]]*#') || true
	for option in "${@:2}"; do
		[[ $there == *"${option%%=*}"[=[:space:]]* ]] || words+="${words:+ }$option"
	done
	[[ -n $words ]] || return 0
	cp -p -- "$file" "$file.new"
	if [[ -z $line ]]; then
		[[ -z $(tail -c 1 -- "$file") ]] || echo >>"$file.new"
		printf 'ARGS="%s"\n' "$words" >>"$file.new"
	else
		awk -v line="$line" -v words="$words" '
			NR == line {
				match($0, /ARGS=/)
				value = substr($0, RSTART + 5)
				quote = value ~ /^["\047]/ ? substr(value, 1, 1) : "\""
				if (value !~ /^["\047]/)
					value = quote value quote
				space = substr(value, 2, 1) == quote ? "" : " "
				$0 = substr($0, 1, RSTART + 4) quote words space substr(value, 2)
			}
			{ print }' "$file" >"$file.new"
	fi
	sync -- "$file.new"
	mv -fT -- "$file.new" "$file"
	say '%s: ARGS has %s now' "$file" "$words"
}

# Neither asks for a login, so no other machine reaches them; and an Alertmanager that looks for others of its kind ends
# at once where this machine has no private address.
keep_to_this_machine() { # FOLDER-OF-DEFAULTS
	set_arguments "$1/prometheus-alertmanager" --cluster.listen-address= --web.listen-address=127.0.0.1:9093
	if [[ $own_prometheus == no ]]; then
		set_arguments "$1/prometheus" --web.listen-address=127.0.0.1:9090
	elif ! grep -Eqs '^[[:blank:]]*ARGS=.*--web\.listen-address' "$1/prometheus"; then
		warn "Prometheus is your own, and $1/prometheus names no --web.listen-address: port 9090 may be open to everybody"
	fi
	! grep -Es '^[[:blank:]]*ARGS=.*--web\.listen-address[= ]' "$1"/prometheus{,-alertmanager} |
		grep -Eqv -- '--web\.listen-address[= ](127\.|\[::1\]|localhost:)' ||
		warn "$1: an address in ARGS is not of this machine alone: whoever reaches it needs no login, may silence alerts"
	# Debian recommends it beside Prometheus.  Somebody else's may be read from elsewhere, on purpose.
	[[ ! -e $1/prometheus-node-exporter ]] ||
		grep -Eqs '^[[:blank:]]*ARGS=.*--web\.listen-address[= ](127\.|\[::1\]|localhost:)' "$1/prometheus-node-exporter" ||
		warn "prometheus-node-exporter shows this machine to everybody at port 9100, and nothing here needs it: \
apt-get purge prometheus-node-exporter, or --web.listen-address=127.0.0.1:9100 in $1/prometheus-node-exporter"
}

set_up_alerts() {
	local place=$folder/alerts group=() values=$secrets/alerts watchdog runbooks name file own_prometheus=no stayed=''
	need_set_up
	if [[ $folder == "$FOLDER_INSTALLED" ]]; then
		place=/etc/prometheus group=(prometheus)
		type -P prometheus >/dev/null && type -P prometheus-alertmanager >/dev/null || fail "$EXIT_CONFIG" \
			"there is no Alertmanager: \
apt-get install -y --no-install-recommends prometheus prometheus-alertmanager; then this again"
		find_examples monitoring
		file=$place/alertmanager.yml
		[[ ! -e $file ]] || grep -q '^# alertmanager\.yml - .*: alertmanager\.sh fills it in\.$' "$file" ||
			is_untouched "$file" prometheus-alertmanager ||
			fail "$EXIT_CONFIG" "$file is your own: add to it what $examples/alertmanager.yml has, by hand, with \
alerts.yml and what prometheus.yml there has; and what alerts look at each night: systemctl enable --now ${NIGHTLY[*]}. $untouched"
	fi
	draft=$folder/setup.alerts
	begin_draft
	ask_secret ALERT_BOT_TOKEN "$values/alert_bot_token" required check_alert_token \
		"The token of a second bot: write /newbot to @BotFather again" "Alertmanager's file has it, and not deploybot's own"
	ask_alerts "$place"
	mkdir -p -- "$values" "$place"
	for name in alert_bot_token alert_chat_id alert_watchdog_url alert_api_url; do
		[[ ! -e $draft/$name ]] || write_secret "$(me)" "$values/$name" <"$draft/$name"
	done
	find_examples monitoring
	check_ours
	install_rules "$place"
	say_where_links_lead "$place/alerts.yml"
	install_receivers "$place/alertmanager.yml" "${group[@]}"
	check_configurations "$place"
	if [[ $folder != "$FOLDER_INSTALLED" ]]; then
		rm -rf -- "$draft"
		say '\nwritten: %s; no alert arrives before a Prometheus and an Alertmanager are started with that' "$place"
		return 0
	fi
	keep_to_this_machine /etc/default
	if [[ $starts != yes || ! -d /run/systemd/system ]]; then
		rm -rf -- "$draft"
		say '\nwritten: %s; no alert arrives before this: systemctl restart prometheus prometheus-alertmanager' "$place"
		return 0
	fi
	systemctl enable --now "${NIGHTLY[@]}" && systemctl restart prometheus prometheus-alertmanager ||
		fail "$EXIT_CONFIG" "they do not start: journalctl -u prometheus -u prometheus-alertmanager says why"
	if until_alerts_arrive /etc/default; then
		say '\nalerts go to that chat; %s is called each minute, and has to ring when that stops' "$watchdog"
	else
		say '\nwritten and restarted; whether alerts arrive was not looked at, as ARGS in /etc/default/prometheus or'
		say 'prometheus-alertmanager has web options of your own: in three minutes %s has to have been called' "$watchdog"
	fi
	rm -rf -- "$draft"
	[[ -z $stayed ]] || warn "not renewed, for it is edited:$stayed"
}

# What goes into the three files, and where the rules' links lead to.
ask_alerts() { # FOLDER-OF-RULES
	local chat='' url=''
	cat -- "$secret_file" >"$draft/alert_bot_token"
	[[ ! -r $values/alert_chat_id ]] || chat=$(<"$values/alert_chat_id")
	ask ALERT_CHAT_ID "$chat" check_alert_chat "The chat that is notified: its id" \
		"The second bot has to be in it; /whoami, written there to deploybot, says it.  A message goes there now"
	printf '%s\n' "$said" >"$draft/alert_chat_id"
	[[ ! -r $values/alert_watchdog_url ]] || url=$(<"$values/alert_watchdog_url")
	ask ALERT_WATCHDOG_URL "$url" check_watchdog "An address that rings when nobody calls it any more" \
		"It notices that this machine is off: healthchecks.io and others give such"
	watchdog=$said
	printf '%s\n' "$said" >"$draft/alert_watchdog_url"
	find_runbooks "$1/alerts.yml"
	ask ALERT_RUNBOOKS_URL "${said:--}" check_runbooks \
		"Where does your team read OPERATIONS.md? Its folder's address, - for nowhere" \
		"Each alert links to its section there, as https://git.example.org/ops/deploybot/docs"
	said=${said%/} said=${said%/OPERATIONS.md}
	runbooks=${said#-}
	value_of TELEGRAM_API_BASE ''
	[[ -z $said ]] || printf '%s\n' "${said%/}" >"$draft/alert_api_url"
}
