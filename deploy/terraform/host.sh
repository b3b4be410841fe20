#!/usr/bin/env bash
# host.sh - the first boot of a machine, as root: ssh for keys alone, updates by themselves, docker, the account deploy.
# SPDX-License-Identifier: ISC
# compute.tf puts ROLE (app or deploybot), and for app DEPLOY_PUBLIC_KEY and REGISTRY, before this text.  Each step may
# be done twice.  Its last line, "host.sh: ready" or "host.sh: FAILED ...", is in /var/log/cloud-init-output.log, where
# cloud-init has lines of its own below it.
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
app) packages+=(docker.io docker-compose amazon-ecr-credential-helper nginx sudo) ;;
deploybot) packages+=(awscli git openssh-client nginx certbot) ;;
esac
apt=(apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600 -q -y)
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends "${packages[@]}"

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
echo "host.sh: ready"
