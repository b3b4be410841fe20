/* link_listen.c - where hosts and deploybot connect, and how many can.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_listen.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "lib/err.h"
#include "lib/http_listen.h"
#include "lib/log.h"
#include "link/link_socket.h"

size_t
link_listen_files(size_t wanted)
{
	struct rlimit files = { .rlim_cur = wanted };

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &files); /* then fewer hosts are served */
	}
	return files.rlim_cur < wanted ? files.rlim_cur : wanted;
}

static bool
start(struct link_listen *listen, struct link_poll *poll, struct link_watch *watch, int fd)
{
	watch->on_ready = watch == &listen->local ? listen->on_server : listen->on_host;
	watch->ctx = listen->ctx;
	watch->fd = fd;
	if (fd != -1)
		link_watch_start(poll, watch, fd, EPOLLIN);
	return fd != -1;
}

/* A port alone: of IPv4, and of IPv6 where the machine has that. */
bool
link_listen_open(struct link_listen *listen, struct link_poll *poll,
    const struct link_settings *settings, struct err *err)
{
	const char *where = settings->address;
	char both[2][HTTP_LISTEN_PEER_SIZE];

	(void)snprintf(both[0], sizeof(both[0]), "0.0.0.0%s", where);
	(void)snprintf(both[1], sizeof(both[1]), "[::]%s", where);
	if (!start(listen, poll, &listen->net,
		http_listen_open(where[0] == ':' ? both[0] : where, err)))
		return err_wrap(err, "LINK_ADDRESS");
	(void)start(
	    listen, poll, &listen->net6, where[0] == ':' ? http_listen_open(both[1], NULL) : -1);
	return start(listen, poll, &listen->local, link_socket_listen(settings->socket, err)) ||
	    err_wrap(err, "LINK_SOCKET");
}

/* The listener, which would be ready in each turn, is polled again when one may be free. */
int
link_listen_take(
    struct link_listen *listen, struct link_watch *listener, struct sockaddr_storage *from)
{
	socklen_t size = sizeof(*from);
	int fd = accept4(listener->fd, (void *)from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd != -1) {
		listen->is_full = false;
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		if (!listen->is_full)
			log_warning("who connects waits for another one to end: %s",
			    strerrordesc_np(errno));
		listen->is_full = true;
		link_watch_want(listener, 0);
	}
	return fd;
}

void
link_listen_again(struct link_listen *listen)
{
	link_watch_want(&listen->net, EPOLLIN);
	link_watch_want(&listen->net6, EPOLLIN);
	link_watch_want(&listen->local, EPOLLIN);
	if (listen->calls != NULL)
		link_watch_want(listen->calls, EPOLLIN);
}
