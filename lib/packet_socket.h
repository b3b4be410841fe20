/* packet_socket.h - a SOCK_SEQPACKET socket at a path of this machine.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define PACKET_SOCKET_PATH 108 /* with its NUL */

/* Connected to that path, or bound to it, and it never waits: where there is no room for one more
 * connection it is EAGAIN.  -1: errno; a path that is too long is ENAMETOOLONG. */
int packet_socket(const char *path, bool binds) MUST_USE;
