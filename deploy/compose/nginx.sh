#!/bin/sh
# nginx.sh - the first process of compose's nginx: fits nginx/nginx.conf to a container, checks it, becomes nginx.
# SPDX-License-Identifier: ISC
# There is one configuration, and it is that file.  What differs here: no root, so ports above 1024 and files in /tmp;
# logs go to the container's; deploybot is found by its name, anew after each restart of it.  A line that is no longer
# there to be changed ends the start: better than an nginx that only seems to be set up.
# SERVERS, of servers.yml: addresses of two deploybots, which are asked one after the other.
set -eu

config=/tmp/nginx.conf
certificates=/etc/deploybot/tls

fail() {
	echo "nginx.sh: $1" >&2
	exit 78
}

change() { # PATTERN REPLACEMENT: of sed, on whole lines
	grep -q -- "$1" "$config" || fail "nginx/nginx.conf has no line like '$1' any more: change deploy/compose/nginx.sh too"
	sed "s|$1|$2|" "$config" >"$config.new"
	mv "$config.new" "$config"
}

case ${DEPLOYBOT_HOSTNAME:-} in
'' | *[!A-Za-z0-9.-]*) fail "DEPLOYBOT_HOSTNAME is no host name: '${DEPLOYBOT_HOSTNAME:-}'; set it in .env" ;;
esac
for name in fullchain.pem privkey.pem; do
	[ -r "$certificates/$name" ] || fail "there is no $name that user 101 may read: put it into secrets/tls, \
run deploy/compose/prepare.sh, then: docker-compose restart nginx"
done

cp /etc/deploybot/nginx/nginx.conf "$config"
chmod u+w "$config"
change '^user .*' ''
change '^worker_processes .*' 'worker_processes 2;' # "auto" counts the host's processors, not the container's share
change '^pid .*' 'pid /tmp/nginx.pid;'
change '^error_log .*' 'error_log /dev/stderr error;'
change '^	access_log .*' '	access_log /dev/stdout deploybot;'
change 'deploybot\.example\.com' "$DEPLOYBOT_HOSTNAME"
change '^		listen \[::].*' ''
change '^		listen 80\([ ;].*\)' '		listen 8080\1'
change '^		listen 443\([ ;].*\)' '		listen 8443\1'
change 'include telegram-networks.conf;' 'include /etc/deploybot/nginx/telegram-networks.conf;'
case ${SERVERS:-} in
'') # shellcheck disable=SC2016 # nginx's variable
	change '^			proxy_pass http://deploybot;' '			set $deploybot server:8080; proxy_pass http://$deploybot;' ;;
*[!0-9.:\ ]*) fail "SERVERS are no addresses: '$SERVERS'" ;;
*) # of servers.yml: one leads, and the other says 503
	upstream=
	for server in $SERVERS; do
		upstream="$upstream server $server max_fails=0;"
	done
	change '^		server 127\.0\.0\.1:8080;.*' "		$upstream"
	change '^		proxy_connect_timeout 3s;' '		proxy_connect_timeout 1s;'
	;;
esac
change '^	# --- END ---' '	resolver 127.0.0.11 valid=1s ipv6=off;\
	client_body_temp_path /tmp/body;\
	proxy_temp_path /tmp/proxy;\
	fastcgi_temp_path /tmp/fastcgi;\
	scgi_temp_path /tmp/scgi;\
	uwsgi_temp_path /tmp/uwsgi;\
	server { listen 127.0.0.1:8081; access_log off; return 204; } # the container'"'"'s health'

nginx -q -t -e /dev/stderr -c "$config" || fail "nginx refuses its configuration, see above; is a certificate that of the key?"
exec nginx -e /dev/stderr -c "$config" -g 'daemon off;'
