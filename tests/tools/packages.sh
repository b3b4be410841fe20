#!/usr/bin/env bash
# packages.sh GROUP... - installs the Debian packages of a group below (build, demo, test, ...) that are missing.
# SPDX-License-Identifier: ISC
set -euo pipefail

declare -A group=(
	[build]="gcc make libc6-dev libarchive-dev libev-dev libmicrohttpd-dev libcurl4-openssl-dev libjansson-dev libpq-dev libseccomp-dev libsqlite3-dev libssl-dev libsystemd-dev liboath-dev libqrencode-dev libexpat1-dev libyaml-dev zlib1g-dev"
	[demo]="git python3 python3-aiohttp python3-aiosmtpd python3-cryptography python3-jwt ca-certificates fonts-noto-color-emoji"
	[browser]="chromium chromium-driver python3-selenium"
	[test]="ansible-core curl faketime git git-lfs openssh-client openssh-server kubernetes-client nodejs python3 python3-aiohttp python3-aiosmtpd python3-botocore python3-cryptography python3-hvac python3-jmespath python3-jwt python3-pytest python3-pytest-xdist python3-selenium python3-yaml chromium chromium-driver fonts-noto-color-emoji libcmocka-dev nginx prometheus prometheus-alertmanager shellcheck strace ca-certificates openssl postgresql syslog-ng-core systemd mandoc apt-utils dpkg-dev gpg gpg-agent gpgv"
	[picture]="webp chromium chromium-driver python3-selenium fonts-noto-color-emoji fonts-roboto-unhinted pngquant"
	[lint]="shellcheck clang clang-format yamllint pylint nodejs npm"
	[fuzz]="clang-14 llvm-14 libclang-rt-14-dev python3"
	[cover]="gcovr"
	[analyze]="clang-tidy cppcheck python3"
	[targets]="docker.io docker-compose docker-registry openssh-server openssh-client sudo iproute2 nginx wrk hey mmdebstrap systemd-container debian-archive-keyring"
	[valgrind]="valgrind"
	[deb]="build-essential debhelper dpkg-dev fakeroot"
	[unit]="git libcmocka-dev openssl python3 ca-certificates"
	[release]="apt-utils dpkg-dev gpg gpg-agent gpgv python3"
	[infra]="docker.io docker-compose docker-registry openssh-server sudo iproute2 keepalived lintian logrotate mmdebstrap opensmtpd systemd-container systemd debian-archive-keyring"
	[database]="postgresql openssl"
	[patroni]="patroni etcd-server"
	[bench]="webhook nginx g++ git python3 python3-aiohttp nodejs npm libnode-dev"
)
# Servers that tests start by hand, on loopback.  Debian would start them at once and at each boot, open to the network:
# those that are installed here are not.  One that was there before stays as it is.
declare -A servers=(
	[docker.io]="docker.service docker.socket containerd.service" [docker-registry]=docker-registry.service
	[keepalived]=keepalived.service [opensmtpd]=opensmtpd.service
	[nginx]=nginx.service [openssh-server]="ssh.service ssh.socket" [prometheus]=prometheus.service
	[postgresql]=postgresql.service [patroni]=patroni.service [etcd-server]=etcd.service
	[prometheus-alertmanager]=prometheus-alertmanager.service [syslog-ng-core]=syslog-ng.service [webhook]=webhook.service
)
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d} # asked by each package before it starts a service
policy_text=$'#!/bin/sh\n# packages.sh: no service is started by what it installs.\nexit 101\n'

# What the build looks for on another distribution: pkg-config's name and the version it was written with.
curl_needed=7.87
libraries="libmicrohttpd:0.9.75 libcurl:$curl_needed jansson:2.14 sqlite3:3.40 libpq:15 libcrypto:3.0 libsystemd:250"
libraries+=" liboath:2.6.6 libqrencode:4.1.1 expat:2.5.0 yaml-0.1:0.2.5 zlib:1.2.11 libarchive:3.6.2"

say() { printf 'packages: %s\n' "$*" >&2; }

other_distribution() {
	local entry name want have missing=0
	say "this is no Debian: looking for the libraries themselves"
	for entry in $libraries; do
		name=${entry%%:*} want=${entry##*:}
		have=$(pkg-config --modversion "$name" 2>/dev/null || echo none)
		if [[ $have == none ]] || ! pkg-config --atleast-version="$want" "$name"; then
			say "  $name: $have; needed: $want or later"
			missing=1
		else
			say "  $name: $have"
		fi
	done
	[[ -e /usr/include/ev.h || -e /usr/local/include/ev.h ]] || { say "  libev: none (ev.h)"; missing=1; }
	((missing == 0)) || { say "install what is missing with your package manager, then try again"; exit 1; }
	say "all there: going on (tests and demo also need git, and python3 with aiohttp)"
	exit 0
}

# An older Debian or Ubuntu has the packages, but not what they must be able to do.
check_versions() {
	local have
	have=$(dpkg-query -W -f='${Version}' libcurl4-openssl-dev 2>/dev/null) || return 0
	dpkg --compare-versions "$have" ge "$curl_needed" && return 0
	say "libcurl4-openssl-dev is $have; needed: $curl_needed or later (Debian 12, Ubuntu 23.04 and later have it)"
	exit 1
}

# Node may be here from elsewhere, and then Debian's packages would be in its way.  It brings npm, and its headers in
# ../include/node; what is missing beside it is Debian's.
has_node_of_its_own() { # PACKAGE
	local node
	node=$(command -v node) || return 1
	case $1 in
	nodejs) ;;
	npm) command -v npm >/dev/null ;;
	libnode-dev) [[ -e $(dirname "$(dirname "$(readlink -f "$node")")")/include/node/node.h ]] ;;
	*) return 1 ;;
	esac
}

# So may kubectl be, with which Debian's package conflicts.
has_kubectl_of_its_own() { # PACKAGE
	[[ $1 == kubernetes-client ]] && command -v kubectl >/dev/null
}

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || other_distribution

missing=()
for name in "$@"; do
	for package in ${group[$name]}; do
		state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
		[[ $state == installed ]] || has_node_of_its_own "$package" || has_kubectl_of_its_own "$package" ||
			missing+=("$package")
	done
done
((${#missing[@]} > 0)) || { check_versions; exit 0; }

install=(apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}")
as_root=()
if ((EUID != 0)); then
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
		# The proxy variables go along: apt is often behind one.
		as_root=(sudo "--preserve-env=http_proxy,https_proxy,no_proxy,HTTP_PROXY,HTTPS_PROXY,NO_PROXY")
	else
		say "these packages are missing, and installing them needs root.  Run, then try again:"
		printf '\n    sudo apt-get update && sudo %s\n\n' "${install[*]}" >&2
		exit 1
	fi
fi
say "installing ${#missing[@]} missing packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
if ! "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -q update >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	say "apt-get update failed; trying with the lists that are there"
fi

# One that a killed run has left is ours and goes too; another one is the machine's, and is asked as always.
forbid_starts() {
	[[ ! -e $policy || $(<"$policy") == "${policy_text%$'\n'}" ]] || return 0
	printf '%s' "$policy_text" | "${as_root[@]}" install -m 0755 /dev/stdin "$policy"
	trap 'rm -f -- "$log"; "${as_root[@]}" rm -f -- "$policy"' EXIT
}

# Of the servers that were missing.
disable_servers() {
	local package unit units="" names=""
	for package in "${missing[@]}"; do
		[[ -n ${servers[$package]:-} ]] || continue
		units+=" ${servers[$package]}" names+=" $package"
	done
	[[ -n $names ]] || return 0
	for unit in $units; do
		"${as_root[@]}" systemctl disable -q "$unit" >>"$log" 2>&1 || true # one that the package has not, here
		! systemctl is-enabled -q "$unit" 2>>"$log" || say "$unit is started at the next boot: systemctl disable $unit"
	done
	say "not started, nor at a boot:$names (tests start them by hand; systemctl enable --now NAME makes one yours)"
}

forbid_starts
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	say "installing failed; see above"
	exit 1
fi
say "installed"
disable_servers
check_versions
