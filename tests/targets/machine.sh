#!/bin/bash
# machine.sh NAME FOLDER SERVICE... - the first process of one of the bed's machines: disk, files, services.
# SPDX-License-Identifier: ISC
# Runs in namespaces of its own. The root is $BED_ROOT, ours as it is or a Debian 13, with a disk of memory over it: what a
# machine writes stays in it, and is gone with it. FOLDER is seen there as /bed. Ends when it is killed, and all in the
# machine with it.
set -euo pipefail

name=$1 folder=$2
shift 2
readonly DISK=2G
hostname "$name"
disk=$folder/disk
mkdir -p "$disk"
mount -t tmpfs -o "size=$DISK,mode=755" disk "$disk"
mkdir "$disk"/{upper,work,root}
mount -t overlay -o "lowerdir=$BED_ROOT,upperdir=$disk/upper,workdir=$disk/work" root "$disk/root"
cd "$disk/root"
mkdir -p bed old srv var/lib/docker
mount --bind "$folder" bed
mount -t tmpfs -o "size=$DISK,mode=711" docker var/lib/docker
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=700 home root # a login of docker in ours is none of theirs
mount -t tmpfs -o mode=1777 tmp tmp
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 shm dev/shm
pivot_root . old
cd /
umount -l /old
rm -f /usr/local/bin/docker
ip link set lo up
mkdir -p /run/sshd /run/lock
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >/etc/hosts

# A user without a password is locked, and sshd lets no locked user in.
add_user() { # NAME
	useradd --create-home --base-dir /srv --shell /bin/bash --password '*' "$1"
	install -d -m 700 -o "$1" "/srv/$1/.ssh"
	install -m 600 -o "$1" /bed/authorized_keys "/srv/$1/.ssh/authorized_keys"
}

start_sshd() {
	install -m 600 /bed/host_key /etc/ssh/host_key
	cat >/etc/ssh/bed_config <<-END
		HostKey /etc/ssh/host_key
		UsePAM no
		PasswordAuthentication no
		MaxStartups 100
	END
	/usr/sbin/sshd -D -e -f /etc/ssh/bed_config 2>>/bed/sshd.log &
}

start_docker() {
	/usr/sbin/dockerd --storage-driver=overlay2 --insecure-registry=10.77.0.0/24 \
		--insecure-registry=http://10.77.0.1:5000 --group docker \
		-H unix:///run/docker.sock \
		-H unix:///bed/docker.sock --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent="/$BED_CGROUP/$name" \
		>>/bed/docker.log 2>&1 &
}

# In the place of docker: a program that makes of it what a test wants, and python's part of it behind that.
start_stand_in() {
	install -m 755 /bed/docker /usr/local/bin/docker
	install -m 666 /dev/null /bed/switched
	mkdir /run/stand
	cp /bed/caller /run/stand/caller
	(umask 0 && sleep infinity | /usr/bin/python3 -IS /bed/commands/resident.py /run/stand >/bed/stand.log 2>&1) &
	until grep -qs '^ready' /bed/stand.log; do sleep 0.05; done
}

start_registry() {
	docker-registry serve /bed/registry.yml >>/bed/registry.log 2>&1 &
}

start_nginx() {
	install -m 644 /bed/nginx.conf /etc/nginx/nginx.conf
	install -d -m 755 -o deploy /etc/nginx/upstream
	echo 'server 127.0.0.1:8001;' >/etc/nginx/upstream/app.conf
	chown deploy: /etc/nginx/upstream/app.conf
	echo 'deploy ALL=(root) NOPASSWD: /usr/sbin/nginx -s reload' >/etc/sudoers.d/deploy
	nginx 2>>/bed/nginx.log
}

start_git() {
	add_user git
	git config --system --add safe.directory '*'
}

start_app() {
	add_user deploy
	groupadd -f docker
	usermod --append --groups docker deploy
	install -d -m 755 -o deploy /srv/app
	install -m 644 -o deploy /bed/docker-compose.yml /srv/app/docker-compose.yml
}

for service in "$@"; do
	"start_$service"
done
: >/bed/started
sleep infinity &
wait $!
