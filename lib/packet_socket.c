/* packet_socket.c - a SOCK_SEQPACKET socket at a path of this machine.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/packet_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/text.h"

int
packet_socket(const char *path, bool binds)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *at = (const struct sockaddr *)&address;
	int fd, why;

	static_assert(sizeof(address.sun_path) == PACKET_SOCKET_PATH, "unix(7)");
	if (!text_copy(address.sun_path, sizeof(address.sun_path), path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    (binds ? bind(fd, at, sizeof(address)) : connect(fd, at, sizeof(address))) == 0)
		return fd;
	why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}
