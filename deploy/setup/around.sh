# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# around.sh - what deploybot-setup makes around an installation that works: the address for webhooks.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.  nginx is changed only while it is as Debian installs it; of another's configuration is
# said what to add.

readonly CALL_SECONDS=20 CALL_BYTES_MAX=65536 REGISTER_TRIES=20 CERTBOT_SECONDS=300

# ---- also of alerts.sh -----------------------------------------------------------------------------

# Is a file as its package brought it?  PACKAGE may not be there.
is_untouched() { # FILE PACKAGE
	local sum
	sum=$(dpkg-query -W -f='${Conffiles}\n' "$2" 2>/dev/null | awk -v file="$1" '$1 == file { print $2; exit }') || return 1
	[[ -n $sum && $(md5sum <"$1") == "$sum "* ]]
}

# Fills `examples` with the folder of that name: installed beside us, or in the tree that we run from.
find_examples() { # nginx|monitoring
	for examples in "${here%/lib/deploybot/deploy}/share/doc/deploybot/examples/$1" "$here/$1" "$here/../$1"; do
		[[ ! -d $examples ]] || return 0
	done
	fail "$EXIT_CONFIG" "the examples that are installed with deploybot are not there: share/doc/deploybot/examples/$1"
}

# What answers an address that may have a secret in it, which stands in no argument: its status in `said`, the answer in
# the draft's file `said`.
call() { # URL [FIELD=VALUE...]
	local words=(${call_header:+--header "$call_header"}) field
	for field in "${@:2}"; do
		words+=(--data-urlencode "$field")
	done
	: >"$draft/said"
	said=$(printf '%s = "%s"\n' url "$1" ${call_proxy+proxy "$call_proxy"} |
		curl --disable --config - --silent --show-error --max-time "$CALL_SECONDS" --globoff \
		--max-filesize "$CALL_BYTES_MAX" --output "$draft/said" --write-out '%{http_code}' "${words[@]}" \
		2>"$draft/shown") ||
		said=000
}

# Prints in one line why curl has had no answer.
call_failure() {
	tr -d '[:cntrl:]' <"$draft/shown" | sed 's/^curl: ([0-9]*) //' | head -c 300
}

# Fills `said` with where the server listens: ADDRESS:PORT, or the path of a unix socket.
listen_address() {
	local port
	value_of API_SERVER_PORT 8080
	port=$said
	value_of LISTEN_ADDRESS 127.0.0.1
	case $said in
	/*) ;;
	\[*\]) said+=:$port ;;
	*:*) said="[$said]:$port" ;;
	*) said+=:$port ;;
	esac
}

# The same as it is asked on this machine: HOST:PORT, or unix:PATH.
own_address() {
	listen_address
	case $said in
	/*) said=unix:$said ;;
	0.0.0.0:*) said=127.0.0.1:${said##*:} ;;
	'[::]:'*) said="[::1]:${said##*:}" ;;
	esac
}

# ---- webhooks ------------------------------------------------------------------------------------

# Is it a server_name of what nginx reads, as a whole word and in no comment?
serves_name() { # NAME
	nginx -T 2>/dev/null | sed 's/#.*//' | tr -s '[:space:]' ' ' | tr '\073\173\175' '[\n*]' |
		awk -v name="$1" '$1 == "server_name" { for (i = 2; i <= NF; i++) if (tolower($i) == name) found = 1 }
			END { exit !found }'
}

# What nginx serves beside the page that its package brings: files whose sites would be gone with our configuration, which
# reads none of them.
sites_of_others() { # FOLDER-OF-NGINX FOLDER-OF-THAT-PAGE
	local file page
	for file in "$1"/sites-enabled/* "$1"/conf.d/*.conf; do
		[[ -e $file || -L $file ]] || continue
		if [[ $file -ef $1/sites-available/default ]] && is_untouched "$1/sites-available/default" nginx-common; then
			for page in "$2"/*; do
				[[ ! -e $page || $page == */index.nginx-debian.html ]] || printf '%s ' "$page"
			done
		else
			printf '%s ' "$file"
		fi
	done
}

# nginx.conf as it is for a name and where the server listens.
print_nginx() { # NAME ADDRESS
	sed "s/deploybot\\.example\\.com/$1/; s|server 127\\.0\\.0\\.1:8080;|server $2;|" "$examples/nginx.conf"
}

# Is it as some version came with it, but for these two, whatever name it is?
is_nginx_shipped() { # FILE
	local sum
	sum=$(sed -E 's/^([[:blank:]]+server_name) [a-z0-9.-]+;/\1 deploybot.example.com;/
s|^([[:blank:]]+server) [^ ;{]+;|\1 127.0.0.1:8080;|' -- "$1" | sha256sum)
	[[ $sum == "$(sha256sum <"$examples/nginx.conf")" ]] || grep -Fqsx -- "${sum%-}nginx.conf" "$examples/shipped"
}

# The draft's nginx.conf, and what was there beside it.  Fills kept with where that is.
put_nginx() { # FILE reload|restart
	kept=$1.before-deploybot
	cp -p --backup=numbered -- "$1" "$kept"
	cat -- "$draft/nginx.conf" >"$1"
	untouched="nginx has our configuration now ($kept is what it had), the settings are as they were"
	if ! nginx -t >"$draft/said" 2>&1; then
		cat -- "$kept" >"$1"
		fail "$EXIT_CONFIG" "nginx does not take our configuration: \
$(grep -m 1 -F '[emerg]' -- "$draft/said"); its own is back"
	fi
	systemctl "$2" nginx || fail "$EXIT_CONFIG" "nginx does not start: journalctl -u nginx says why. $untouched"
}

# What this version's example has anew, where nginx.conf is as some version of it came; one that was edited stays.
renew_nginx() { # FILE
	local kept
	if cmp -s -- "$draft/nginx.conf" "$1"; then
		say 'nginx: %s is in its configuration already' "$name"
	elif is_nginx_shipped "$1"; then
		put_nginx "$1" reload
		say 'nginx: %s is from the example of this version now, %s is what it was' "$1" "$kept"
	else
		say 'nginx: %s is in its configuration already, which was edited or is your own, and stays as it is' "$name"
		say '  what this version has: diff -u %s %s' "$1" "$examples/nginx.conf"
	fi
}

# nginx before us, with the certificate that certbot has made.  What it was before is kept beside it.
open_door() { # NAME
	local name=$1 live=/etc/letsencrypt/live/$1 file=/etc/nginx/nginx.conf sites kept
	type -P nginx >/dev/null || fail "$EXIT_CONFIG" "there is no nginx: apt-get install -y nginx certbot; then this again"
	find_examples nginx
	own_address
	print_nginx "$1" "$said" >"$draft/nginx.conf"
	if serves_name "$1"; then
		renew_nginx "$file"
		return 0
	fi
	[[ -s $live/fullchain.pem && -s $live/privkey.pem ]] || fail "$EXIT_CONFIG" "there is no certificate of $1: \
systemctl stop nginx; certbot certonly --standalone -d $1; then this again. $untouched"
	is_untouched "$file" nginx-common || is_nginx_shipped "$file" ||
		fail "$EXIT_CONFIG" "$file is your own: add $1 to it as the head of $examples/nginx.conf says, then this again. \
$untouched"
	sites=$(sites_of_others /etc/nginx /var/www/html)
	[[ -z $sites ]] || fail "$EXIT_CONFIG" "nginx serves other sites, which our configuration does not read: ${sites% }. \
Add $1 beside them as the head of $examples/nginx.conf says, then this again. $untouched"
	install -d -m 0755 /etc/deploybot/tls /var/www/letsencrypt
	ln -sfn -- "$live/fullchain.pem" "$live/privkey.pem" /etc/deploybot/tls/
	put_nginx "$file" restart
	say 'nginx: %s is from the example now, %s is what it was' "$file" "$kept"
}

# Was the certificate got by a certbot that listened on port 80 itself?  There nginx listens now.  Not where a hook ends
# nginx meanwhile, or another port is passed on to certbot (as the server's `doctor` judges it).
renews_standalone() { # NAME
	local etc=/etc/letsencrypt port='^[[:blank:]]*http01_port[[:blank:]]*='
	local file=$etc/renewal/$1.conf
	grep -Eqs '^[[:blank:]]*authenticator[[:blank:]]*=[[:blank:]]*standalone[[:blank:]]*$' "$file" || return 1
	! compgen -G "$etc/renewal-hooks/pre/*" >/dev/null || return 1
	! grep -Eqs '^[[:blank:]]*pre_hook[[:blank:]]*=[[:blank:]]*[^[:blank:]]' "$file" || return 1
	! grep -Es "$port" "$file" | grep -Ev "${port}[[:blank:]]*80[[:blank:]]*\$" >/dev/null
}

# From then on it is renewed through nginx; where that cannot be done here, the last that is said is what to type.
renew_through_nginx() { # NAME
	local words line
	renews_standalone "$1" || return 0
	words=(certbot renew --cert-name "$1" --force-renewal --webroot --webroot-path /var/www/letsencrypt
		--deploy-hook 'systemctl reload nginx')
	if [[ $starts == yes ]] &&
		nginx -T 2>/dev/null | grep -E '^[[:blank:]]*root[[:blank:]]+/var/www/letsencrypt;' >/dev/null; then
		say '\ncertbot renews the certificate of %s once, through nginx, as it has to from now on' "$1"
		said=$(umask 022 && timeout --foreground "$CERTBOT_SECONDS" "${words[@]}" --non-interactive 2>&1 </dev/null) || true
		if ! renews_standalone "$1"; then
			say 'the certificate of %s is renewed through nginx from now on (certbot.timer)' "$1"
			return 0
		fi
		while IFS= read -r line; do
			say '  certbot: %s' "$line"
		done <<<"$said"
	fi
	warn "the certificate of $1 will NOT be renewed: certbot wants port 80 for itself, where nginx listens now"
	say 'Type this now, with the folder that nginx serves /.well-known/acme-challenge/ from, or the certificate expires:'
	printf '  '
	printf '%q ' "${words[@]}"
	printf '\n'
}

# Fills `instance` with which one the server is that runs here.
find_instance() {
	instance=$(deploybot --env-file "$conf" healthcheck --instance 2>"$draft/shown") || fail "$EXIT_CONFIG" "deploybot does \
not run here, so no name leads to it yet: $(tr -d '[:cntrl:]' <"$draft/shown" | head -c 300) \
(systemctl status deploybot). $untouched"
}

# Telegram sends updates to nobody else once the webhook is set: that it leads to the very server that runs here is looked
# at before.  Another one's answers, a proxy's own and a parked domain's are not what that says.
look_at_door() { # NAME
	local call_header='Deploybot-Instance: ?'
	call "https://$1/telegram/webhook"
	case $said in
	000) fail "$EXIT_UNREACHABLE" "https://$1 does not answer with a certificate that is valid: does the name lead here, are \
ports 80 and 443 open, does nginx run? $(call_failure). $untouched" ;;
	502 | 503 | 504) fail "$EXIT_UNREACHABLE" "https://$1 answers $said: nginx is there, deploybot behind it is not: \
systemctl status deploybot. $untouched" ;;
	esac
	[[ $(head -c 100 -- "$draft/said") == "$instance" ]] || fail "$EXIT_CONFIG" "https://$1 answers $said, but that is not this \
deploybot: the name leads to another machine, or to another site of the proxy here, which has to pass on /telegram/webhook \
as $(proxy_example) says. $untouched"
	say 'https://%s leads to the deploybot that runs here' "$1"
}

# Where it stands, to be read.
proxy_example() {
	# reason kept: its name is said in its place
	(find_examples nginx 2>/dev/null && printf '%s/nginx.conf' "$examples") || printf 'nginx.conf of the package'
}

# One that is there stays.
draw_secret() { # NAME
	value_of "$1_FILE" ''
	[[ -z $said ]] || return 0
	secret_file=$draft/secret.$1
	[[ -s $secret_file ]] || (umask 077 && od -An -v -tx1 -N 32 /dev/urandom | tr -d ' \n' >"$secret_file")
	place_secret "$1" server
}

# What is to be typed at the forge, which nobody here may.
say_forge() { # NAME
	local place path=github setting=GITHUB_WEBHOOK_SECRET_FILE
	find_github
	if [[ -n $said ]]; then
		place="https://github.com/$said/settings/hooks/new"
	else
		path=FORGE setting=FORGE_WEBHOOK_SECRET_FILE place="the repository's settings, Webhooks"
	fi
	value_of "$setting" ''
	say '\nAt the forge, once (%s):' "$place"
	if [[ $path == github ]]; then
		say '  Payload URL   https://%s/github/webhook\n  Content type  application/json' "$1"
	else
		say '  URL           https://%s/forge/webhook/gitlab   (or /gitea, /bitbucket)' "$1"
	fi
	say '  Secret        what this shows: sudo cat %s\n  Events        push alone' "$said"
	say 'Where a workflow notifies deploybot (ci-cd.yml) none is needed.'
}

is_registered() { # NAME
	[[ $said =~ (^|[[:space:]])"https://$1/telegram/webhook"([[:space:]]|$) ]]
}

# The server registers it by itself, when it starts.
until_registered() { # NAME
	local tries=0
	while ((tries++ < REGISTER_TRIES)); do
		said=$(deploybot --env-file "$conf" webhook info 2>&1) && is_registered "$1" && break
		sleep 1
	done
	printf '%s\n' "$said"
	is_registered "$1" || fail "$EXIT_CONFIG" "Telegram does not know the webhook yet: \
journalctl -u deploybot says why; deploybot webhook info looks again"
}

# From polling to webhooks, behind nginx.
set_up_webhooks() { # NAME
	local secret=FORGE_WEBHOOK_SECRET instance
	[[ $1 =~ ^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$ && ${#1} -le 253 ]] ||
		fail "$EXIT_INPUT" "${1@Q} is no name in the DNS, in small letters: as bot.example.org"
	need_set_up
	draft=$folder/setup.webhooks
	begin_draft
	take_given
	check_beginning
	find_instance
	[[ $folder != "$FOLDER_INSTALLED" ]] || open_door "$1"
	look_at_door "$1"
	want[TELEGRAM_WEBHOOK_URL]=https://$1/telegram/webhook
	draw_secret TELEGRAM_WEBHOOK_SECRET
	find_github
	[[ -z $said ]] || secret=GITHUB_WEBHOOK_SECRET
	draw_secret "$secret"
	find_key
	commit
	start
	[[ $folder != "$FOLDER_INSTALLED" || $starts == no ]] || until_registered "$1"
	say_forge "$1"
	[[ $folder != "$FOLDER_INSTALLED" ]] || renew_through_nginx "$1"
}
