/* ping.c - says hello to a runner, as a server would, and orders nothing.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/ping.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/file.h"
#include "runner/protocol.h"

#define PATIENCE_S 5 /* of each call; a health check's own limit is longer */

static bool
connect_to(const char *path, int fd, struct err *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_INVALID, "the path is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path));
	/* SO_SNDTIMEO holds for connect(2) too. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return err_errno(err, ERR_IO, errno, "setsockopt");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return err_errno(err, ERR_IO, errno, "%s: no process listens", path);
	return true;
}

bool
ping_runner(const char *path, struct err *err)
{
	const struct protocol_message ours = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .pid = getpid()
	};
	CLEANUP(file_closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char packet[PROTOCOL_PACKET_MAX];
	struct protocol_message theirs;
	size_t len;
	ssize_t n;

	if (fd == -1)
		return err_errno(err, ERR_IO, errno, "socket");
	if (!connect_to(path, fd, err) ||
	    !protocol_encode(&ours, packet, sizeof(packet), &len, err))
		return false;
	if (send(fd, packet, len, MSG_NOSIGNAL) != (ssize_t)len)
		return err_errno(err, ERR_IO, errno, "%s: it does not read", path);
	n = recv(fd, packet, sizeof(packet), 0);
	if (n < 0)
		return err_errno(err, ERR_TIMEOUT, errno, "%s: it does not answer", path);
	if (n == 0)
		return err_set(err, ERR_IO, "%s: it refuses the connection", path);
	if (!protocol_decode(packet, (size_t)n, &theirs, err))
		return false;
	return theirs.kind == PROTOCOL_HELLO ||
	    err_set(err, ERR_IO, "%s: it says %s", path, protocol_kind_name(theirs.kind));
}
