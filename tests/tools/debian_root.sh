#!/bin/sh
# debian_root.sh WORDS... - mmdebstrap, whose mounts nobody else sees and the kernel ends with it, however it is ended.
# Cut short by itself it leaves /dev/shm, /proc and /sys mounted below the root, for the next `rm -rf` to walk into.
# SPDX-License-Identifier: ISC
exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private \
	mmdebstrap "$@"
