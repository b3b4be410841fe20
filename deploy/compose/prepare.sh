#!/usr/bin/env bash
# prepare.sh [--polling] - makes config/ and secrets/ for docker-compose.yml, for the containers' users; says what is missing.
# SPDX-License-Identifier: ISC
# Run as root in a checkout, before the first start and after each file that was put there.  No content is changed; a
# file that is there stays.  --polling: without a domain; server and runner alone are started, and ask Telegram and git.
# Exit status: 0 all is there, 1 something is missing (what, is said), 64 usage, 77 not root.
set -euo pipefail
cd "$(dirname "$0")/../.."

# As in Dockerfile, and in the images of the others.
polling=
case $#${1:-} in
0) ;;
1--polling) polling=yes ;;
*)
	echo "usage: prepare.sh [--polling]" >&2
	exit 64
	;;
esac
readonly SERVER=10001 RUNNER=10002 NGINX=101 GRAFANA=472 ALERTMANAGER=65534
missing=0

# As docker-compose finds it: in the environment, or in .env.
variable() { # NAME DEFAULT
	local value=${!1:-}
	[[ -n $value || ! -r .env ]] || value=$(sed -n "s/^$1=//p" .env | tail -n 1)
	[[ $value != [\"\']*[\"\'] ]] || value=${value:1:-1}
	printf '%s' "${value:-$2}"
}

config=$(variable CONFIG_DIR config) secrets=$(variable SECRETS_DIR secrets) acme=$(variable ACME_DIR config/acme)

say() { printf 'prepare.sh: %s\n' "$1"; }

miss() { # PATH WHAT
	say "$1 is missing: $2"
	missing=$((missing + 1))
}

# The value of a setting that is set in config/deploybot.conf.
value_of() { # NAME
	sed -nE "s/^[[:blank:]]*(export[[:blank:]]+)?$1=(.+)/\2/p" "$config/deploybot.conf" | tail -n 1
}

# A secret that the configuration names must be there, and say something.
need_secret() { # SETTING FOLDER WHAT
	local path
	path=$(value_of "$1")
	[[ $path == /run/secrets/* ]] || return 0
	path=$secrets/$2/${path#/run/secrets/}
	[[ -s $path ]] || miss "$path" "$3 ($1 names it)"
}

own() { # FOLDER OWNER FOLDER'S_MODE FILES'_MODE
	install -d -m "$3" "$1"
	chown -R -- "$2" "$1"
	find "$1" -type d -exec chmod -- "$3" {} +
	find "$1" -type f -exec chmod -- "$4" {} +
}

if ((EUID != 0)); then
	say "files are given to the containers' users, which needs root: sudo $0"
	exit 77
fi

install -d -m 0755 "$config" "$acme"
[[ -e $config/deploybot.conf ]] || cp deploy/compose/deploybot.conf "$config/deploybot.conf"
chown "0:$SERVER" "$config/deploybot.conf" # the runner's user is in this group too
chmod 0640 "$config/deploybot.conf"
install -d -m 0711 "$secrets"
own "$secrets/server" "$SERVER:$SERVER" 0700 0600
own "$secrets/runner" "$RUNNER:$RUNNER" 0700 0600
own "$secrets/tls" "0:$NGINX" 0750 0640
# Without one Grafana would start as it comes: admin, with the password admin.
if [[ ! -s $secrets/grafana/admin_password ]]; then
	install -d -m 0700 "$secrets/grafana"
	(umask 077 && head -c 24 /dev/urandom | base64 >"$secrets/grafana/admin_password")
	say "made $secrets/grafana/admin_password: of the user admin in Grafana"
fi
own "$secrets/grafana" "$GRAFANA:$GRAFANA" 0700 0600

# A bot that is not deploybot's: Alertmanager and whoever takes it over would have that.
alerts=$secrets/alertmanager
install -d -m 0700 "$alerts"
for name in "alert_bot_token:the token of a second bot from @BotFather, for alerts alone" \
	"alert_chat_id:the id of the chat that alerts go to; the second bot must be in it" \
	"alert_watchdog_url:an address that rings when nobody calls it any more (healthchecks.io and others have them)"; do
	[[ -n $polling || -s $alerts/${name%%:*} ]] || miss "$alerts/${name%%:*}" "${name#*:}"
done
if [[ -s $alerts/alert_bot_token && -s $alerts/alert_chat_id && -s $alerts/alert_watchdog_url ]]; then
	said=$(deploy/monitoring/alertmanager.sh "$alerts" "$alerts/alertmanager.yml" 2>&1) ||
		miss "$alerts/alertmanager.yml" "${said#*: }"
fi
own "$alerts" "$ALERTMANAGER:$ALERTMANAGER" 0700 0600

# docker-compose wants one, whichever services are started.
if [[ -n $polling && -z $(variable DEPLOYBOT_HOSTNAME '') ]]; then
	[[ ! -s .env || -z $(tail -c 1 .env) ]] || echo >>.env
	echo DEPLOYBOT_HOSTNAME=polling.invalid >>.env
fi
[[ -n $(variable DEPLOYBOT_HOSTNAME '') ]] ||
	miss "DEPLOYBOT_HOSTNAME in .env" \
		"the name that Telegram and GitHub call: echo DEPLOYBOT_HOSTNAME=deploybot.your.org >>.env"
network=$(variable PROXY_NETWORK 10.255.255)
if [[ ! $network =~ ^[0-9]{1,3}(\.[0-9]{1,3}){2}$ ]]; then
	say "PROXY_NETWORK in .env is $network: write the first three numbers of a network of IPv4, like 10.255.255"
	missing=$((missing + 1))
fi
[[ -n $(value_of ADMIN_TELEGRAM_IDS) ]] || miss "ADMIN_TELEGRAM_IDS in $config/deploybot.conf" "your Telegram id"
need_secret TELEGRAM_BOT_TOKEN_FILE server "the bot's token from @BotFather"
need_secret TELEGRAM_WEBHOOK_SECRET_FILE server "openssl rand -hex 32 makes one"
need_secret GITHUB_WEBHOOK_SECRET_FILE server "openssl rand -hex 32 makes one; GitHub gets the same"
need_secret TOTP_KEY_FILE server "openssl rand -hex 32 makes one, and second factors end with it: keep a copy"
[[ -z $(variable SERVER_NAME '') || -s $secrets/server/database_url ]] ||
	miss "$secrets/server/database_url" "the URL of PostgreSQL that two servers have, postgresql://… (servers.yml names it)"
need_secret CLOUDFLARE_API_TOKEN_FILE server "a token with Zone Settings: Edit"
need_secret AUDIT_S3_SECRET_ACCESS_KEY_FILE server "the secret half of a key that may put objects into the bucket, and nothing else"
need_secret REPOSITORY_TOKEN_FILE runner "a token that may read the repository"
need_secret REPOSITORY_KEY_PATH runner "the key that may read the repository"
need_secret REGISTRY_PASSWORD_FILE runner "the password at the registry"
if [[ -n $(value_of STAGING_HOST)$(value_of PRODUCTION_HOST) ]]; then
	need_secret SSH_KEY_PATH runner "the key that the hosts let in"
	need_secret SSH_KNOWN_HOSTS runner "ssh-keyscan HOST, compared with the host's own ssh-keygen -lf"
fi
for name in fullchain.pem privkey.pem; do
	[[ -n $polling || -s $secrets/tls/$name ]] || miss "$secrets/tls/$name" "TLS certificate and key, e.g. certbot's"
done
if ((missing > 0)); then
	say "$missing missing: put them there, then run this again"
	exit 1
fi
say "nothing is missing: docker-compose up --detach${polling:+ server runner}"
