#!/bin/bash
# inside.sh COMMAND... - the first process in inside.py's namespaces: the wires, and a docker that is Debian's.
# SPDX-License-Identifier: ISC
# Bash as the first process waits for orphans too.
set -euo pipefail

ip link set lo up
ip link add bed0 type bridge
ip address add 10.77.0.1/24 dev bed0
ip link set bed0 up
# A load makes more connections than there are ports, unless those that were closed are used again.
echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse
# Names of network namespaces are files here: ours are nobody else's.
mkdir -p /run/netns
mount -t tmpfs -o size=1m bed /run/netns
# Passwords are kept there while a script runs: what is left is seen, and nobody else's.
mount -t tmpfs -o mode=1777 bed /dev/shm
# To Debian 13 belongs its own docker here too, with buildx.
if [[ $BED_ROOT != / ]]; then
	mount --bind "$BED_ROOT/usr/bin/docker" /usr/bin/docker
	mount -t overlay -o "ro,lowerdir=/usr/libexec:$BED_ROOT/usr/libexec" plugins /usr/libexec
fi
# Another client that comes first on PATH may lack the builder.
if [[ -e /usr/local/bin/docker && -e /usr/bin/docker ]]; then
	mount --bind /usr/bin/docker /usr/local/bin/docker
fi
"$@"
exit $?
