/* link_net.c - sockets of TCP: listens, accepts, dials.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

#define BACKLOG 1024

static const int on = 1, off = 0;

struct link_dial {
	const struct link_address *address;
	struct addrinfo hints;
	struct gaicb request; /* ar_result: NULL, or what is tried from `next` on */
	bool is_asked;
	const struct addrinfo *next;
};

int
link_net_listen(const struct link_address *address, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	const char *host = address->host[0] == '\0' ? "::" : address->host;
	struct addrinfo *found;
	int fd, failed = getaddrinfo(host, address->port, &hints, &found);

	if (failed != 0)
		return ERR_FD(err_set(err, ERR_CONFIG, "%s: %s", host, gai_strerror(failed)));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	if (fd == -1 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		(void)err_errno(err, ERR_IO, errno, "%s:%s", address->host, address->port);
		if (fd != -1)
			(void)close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

int
link_net_accept(int listener, char ret[LINK_ENDPOINT])
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	const char *bare = host;
	int fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (getnameinfo((struct sockaddr *)&from, size, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		(void)snprintf(host, sizeof(host), "?"), port[0] = '\0';
	if (text_starts(host, "::ffff:"))
		bare += strlen("::ffff:");
	(void)snprintf(ret, LINK_ENDPOINT,
	    strchr(bare, ':') == NULL ? "%.45s:%.5s" : "[%.45s]:%.5s", bare, port);
	return fd;
}

struct link_dial *
link_dial_new(const struct link_address *address)
{
	struct link_dial *dial = mem_new(1, sizeof(*dial));

	dial->address = address;
	dial->hints.ai_socktype = SOCK_STREAM;
	dial->hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
	return dial;
}

static void
look_up(struct link_dial *dial)
{
	struct gaicb *list[] = { &dial->request };

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
	if (fd != -1 && connect(fd, dial->next->ai_addr, dial->next->ai_addrlen) != 0 &&
	    errno != EINPROGRESS) {
		(void)err_errno(err, ERR_IO, errno, "connect");
		(void)close(fd);
		fd = -1;
	}
	dial->next = dial->next->ai_next;
	return fd;
}
