/* link_dial.c - connects to a name, without waiting for who looks it up.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/err.h"

static void
look_up(struct link_dial *dial)
{
	struct gaicb *list[] = { &dial->request };

	dial->hints = (struct addrinfo){ .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG,
		.ai_socktype = SOCK_STREAM };
	if (dial->request.ar_result != NULL)
		freeaddrinfo(dial->request.ar_result);
	dial->request = (struct gaicb){ .ar_name = dial->address->host,
		.ar_service = dial->address->port,
		.ar_request = &dial->hints };
	dial->is_asked = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0;
}

int
link_dial_try(struct link_dial *dial, struct err *err)
{
	const int on = 1;
	int status, fd;

	if (dial->next == NULL && !dial->is_asked) {
		look_up(dial);
		return -1;
	}
	if (dial->is_asked) {
		status = gai_error(&dial->request);
		if (status == EAI_INPROGRESS)
			return -1;
		dial->is_asked = false;
		if (status != 0)
			return ERR_FD(err_set(err, ERR_IO, "%s", gai_strerror(status)));
		dial->next = dial->request.ar_result;
	}
	fd = socket(dial->next->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	else
		(void)err_errno(err, ERR_IO, errno, "socket");
	if (fd != -1 && connect(fd, dial->next->ai_addr, dial->next->ai_addrlen) != 0 &&
	    errno != EINPROGRESS) {
		(void)err_errno(err, ERR_IO, errno, "connect");
		(void)close(fd);
		fd = -1;
	}
	dial->next = dial->next->ai_next;
	return fd;
}
