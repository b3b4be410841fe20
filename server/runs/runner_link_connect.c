/* runner_link_connect.c - the runner as a service: its socket is connected to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runs/runner_link_inside.h"

static const char *
say_failure(int number)
{
	switch (number) {
	case ENOENT:
		return "there is no such socket: start deploybot-runner, or set RUNNER_SOCKET "
		       "right";
	case ECONNREFUSED:
		return "nobody listens there: start deploybot-runner";
	case EACCES:
		return "permission denied: our user must be in the group of the socket and of its "
		       "folder";
	case EPROTOTYPE:
		return "that is not the socket of a deploybot-runner";
	case EAGAIN:
		return "it does not take connections";
	default:
		return strerrordesc_np(number);
	}
}

/* Of a socket in the file system connect(2) does not wait: where there is no room it says so. */
static bool
get_connection(struct runner_link *link, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(link->socket);

	if (size >= sizeof(address.sun_path))
		return err_set(err, ERR_CONFIG, "its path is longer than %zu bytes",
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, link->socket, size);
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0)
		return err_errno(err, ERR_IO, errno, "socket");
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	(void)err_set(err, ERR_IO, "%s", say_failure(errno));
	(void)close(link->fd);
	link->fd = -1;
	return false;
}

static void
connect_anew(struct runner_link *link, const char *why)
{
	runner_link_close(link);
	runner_link_lost(link, why);
}

static bool
is_never_busy(UNUSED struct runner_link *link)
{
	return false;
}

static void
nothing_more(UNUSED struct runner_link *link)
{
}

const struct runner_link_way runner_link_connect = {
	.again_most_ms = 5000,
	.get = get_connection,
	.on_useless = connect_anew,
	.on_silent = connect_anew,
	.is_busy = is_never_busy,
	.done = nothing_more,
};
