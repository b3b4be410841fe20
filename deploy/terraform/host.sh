#!/usr/bin/env bash
# host.sh - the first boot of a machine, as root: ssh for keys alone, sessions, updates by themselves, docker, the account deploy.
# SPDX-License-Identifier: ISC
# compute.tf puts ROLE (app or deploybot), SESSIONS (the region, or nothing), and for app DEPLOY_PUBLIC_KEY, REGISTRY,
# DOMAIN (or nothing), EMAIL and APP_PORT, before this text.  Each step may be done twice.  Its last line, "host.sh:
# ready" or "host.sh: FAILED ...", is in /var/log/cloud-init-output.log, where cloud-init has lines of its own below it.
set -euo pipefail
trap 'echo "host.sh: FAILED at line $LINENO; when it is fixed: sudo bash /var/lib/cloud/instance/user-data.txt"' ERR

[[ ${ROLE:-} == app || ${ROLE:-} == deploybot ]] || { echo "host.sh: ROLE is neither app nor deploybot"; exit 1; }
export DEBIAN_FRONTEND=noninteractive

# ---- ssh first: what comes after takes minutes ----
users="admin"
[[ $ROLE != app ]] || users="admin deploy"
cat >/etc/ssh/sshd_config.d/10-deploybot.conf <<-END
	PermitRootLogin no
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	AllowUsers $users
	AllowAgentForwarding no
	X11Forwarding no
	MaxAuthTries 3
	LoginGraceTime 20
END
sshd -t
systemctl reload ssh

# ---- packages; a machine that has just started may have no network yet, and its own updates hold the lock ----
packages=(unattended-upgrades ca-certificates curl)
case $ROLE in
app) packages+=(docker.io docker-compose amazon-ecr-credential-helper nginx sudo certbot) ;;
deploybot) packages+=(awscli git openssh-client nginx certbot) ;;
esac
apt=(apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600 -q -y)
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends "${packages[@]}"

# ---- sessions: Debian has no package of AWS's agent; it comes from AWS's own bucket of this region ----
if [[ -n ${SESSIONS:-} ]] && ! dpkg -s amazon-ssm-agent >/dev/null 2>&1; then
	agent=$(mktemp -d)
	curl -fsS --retry 5 --retry-all-errors --proto '=https' --max-time 300 -o "$agent/agent.deb" \
		"https://amazon-ssm-$SESSIONS.s3.$SESSIONS.amazonaws.com/latest/debian_amd64/amazon-ssm-agent.deb"
	"${apt[@]}" install "$agent/agent.deb"
	rm -rf -- "$agent"
	systemctl enable --now amazon-ssm-agent
fi

cat >/etc/apt/apt.conf.d/20auto-upgrades <<-END
	APT::Periodic::Update-Package-Lists "1";
	APT::Periodic::Unattended-Upgrade "1";
	APT::Periodic::AutocleanInterval "7";
END

# ---- the account that releases come by ----
if [[ $ROLE == app ]]; then
	cat >/etc/docker/daemon.json <<-END
		{
		  "live-restore": true,
		  "log-driver": "json-file",
		  "log-opts": { "max-size": "20m", "max-file": "5" }
		}
	END
	systemctl restart docker

	id deploy >/dev/null 2>&1 || useradd --create-home --shell /bin/bash deploy
	usermod -p '*' -aG docker deploy
	home=$(getent passwd deploy | cut -d: -f6)
	install -d -m 0700 -o deploy -g deploy "$home/.ssh" "$home/.docker"
	printf 'restrict %s\n' "$DEPLOY_PUBLIC_KEY" >"$home/.ssh/authorized_keys"
	# The machine's own role pulls (REMOTE_LOGIN=false): no password of the registry comes here.
	printf '{ "credHelpers": { "%s": "ecr-login" } }\n' "$REGISTRY" >"$home/.docker/config.json"
	chown deploy:deploy "$home/.ssh/authorized_keys" "$home/.docker/config.json"
	chmod 0600 "$home/.ssh/authorized_keys" "$home/.docker/config.json"
	install -d -o deploy -g deploy /srv/app
fi

# ---- nginx before the application: https as soon as the name leads here ----
site() { # FOLDER [tls] - nginx's file; FOLDER has the upstream that a release is switched by (NGINX_UPSTREAM_FILE)
	local answer='return 503'
	[[ -z ${2:-} ]] || answer="return 301 https://\$host\$request_uri"
	# nginx's 64 bytes are too few for a name of 47 letters beside Debian's own site; these are enough for the longest there is.
	cat <<-END
		server_names_hash_bucket_size 512;
		upstream app { include $1/app.conf; }
		map \$http_upgrade \$app_connection { default upgrade; '' ''; }
		server {
			listen 80;
			server_name $DOMAIN;
			location /.well-known/acme-challenge/ { root /var/www/letsencrypt; }
			location / { $answer; }
		}
	END
	[[ -n ${2:-} ]] || return 0
	cat <<-END
		server {
			listen 443 ssl;
			server_name $DOMAIN;
			server_tokens off;
			ssl_certificate /etc/letsencrypt/live/app/fullchain.pem;
			ssl_certificate_key /etc/letsencrypt/live/app/privkey.pem;
			ssl_protocols TLSv1.2 TLSv1.3;
			ssl_session_cache shared:app:1m;
			ssl_session_tickets off;
			location / {
				proxy_pass http://app;
				proxy_http_version 1.1;
				proxy_set_header Host \$host;
				proxy_set_header X-Forwarded-For \$remote_addr;
				proxy_set_header X-Forwarded-Proto https;
				proxy_set_header Upgrade \$http_upgrade;
				proxy_set_header Connection \$app_connection;
			}
		}
	END
}

if [[ $ROLE == app && -n ${DOMAIN:-} ]]; then
	install -d -o deploy -g deploy /etc/nginx/deploybot
	[[ -e /etc/nginx/deploybot/app.conf ]] || echo "server 127.0.0.1:$APP_PORT;" >/etc/nginx/deploybot/app.conf
	chown deploy:deploy /etc/nginx/deploybot/app.conf
	echo 'deploy ALL=(root) NOPASSWD: /usr/sbin/nginx -s reload' >/etc/sudoers.d/deploybot
	chmod 0440 /etc/sudoers.d/deploybot
	install -d /var/www/letsencrypt /usr/local/share/deploybot-host
	site /etc/nginx/deploybot tls >/usr/local/share/deploybot-host/app.conf
	if [[ -e /etc/letsencrypt/live/app ]]; then
		cp /usr/local/share/deploybot-host/app.conf /etc/nginx/conf.d/app.conf
	else
		site /etc/nginx/deploybot >/etc/nginx/conf.d/app.conf
	fi
	nginx -t
	systemctl reload nginx
	# Until DNS leads here there is none: asked for every 20 minutes, as Let's Encrypt bears five failures an hour.
	cat >/etc/systemd/system/deploybot-certificate.service <<-END
		[Unit]
		Description=A certificate for $DOMAIN, once its name leads here
		ConditionPathExists=!/etc/letsencrypt/live/app
		After=network-online.target nginx.service
		[Service]
		Type=oneshot
		ExecStart=/usr/bin/certbot certonly --webroot -w /var/www/letsencrypt --cert-name app -d $DOMAIN -n \
		    --agree-tos -m $EMAIL --deploy-hook "systemctl reload nginx"
		ExecStart=/usr/bin/cp /usr/local/share/deploybot-host/app.conf /etc/nginx/conf.d/app.conf
		ExecStart=/usr/sbin/nginx -t
		ExecStart=/usr/bin/systemctl reload nginx
	END
	cat >/etc/systemd/system/deploybot-certificate.timer <<-END
		[Timer]
		OnBootSec=1min
		OnUnitInactiveSec=20min
		[Install]
		WantedBy=timers.target
	END
	systemctl daemon-reload
	systemctl enable --now deploybot-certificate.timer
fi
echo "host.sh: ready"
