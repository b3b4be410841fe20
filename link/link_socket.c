/* link_socket.c - one socket of this machine that keeps the bounds of packets.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/packet_socket.h"

#define PACKETS_TURN 16
#define OUT_MAX	     (64u * 1024 * 1024) /* of one who takes nothing; then it is lost */
#define BACKLOG	     64

static void
lose(struct link_socket *local, const char *why)
{
	if (local->watch.fd == -1)
		return;
	link_socket_end(local);
	if (local->on->on_lost != NULL)
		local->on->on_lost(local, why);
}

static void
want(struct link_socket *local)
{
	/* That the other side has closed is said once to who is held, and then when it is read. */
	link_watch_want(&local->watch,
	    (local->is_held ? EPOLLET : EPOLLIN) |
		(STAILQ_FIRST(&local->out.all) == NULL ? 0u : EPOLLOUT));
}

static void
flush(struct link_socket *local)
{
	struct link_packet *packet;

	while (local->watch.fd != -1 && (packet = STAILQ_FIRST(&local->out.all)) != NULL) {
		void *token = packet->token;
		size_t cost = packet->cost;

		/* Who has closed may have said something before, which is still to be read. */
		if (send(local->watch.fd, packet->data, packet->size,
			MSG_NOSIGNAL | MSG_DONTWAIT) == -1 &&
		    errno != EPIPE && errno != ECONNRESET) {
			if (errno != EAGAIN && errno != EINTR)
				lose(local, strerrordesc_np(errno));
			break;
		}
		link_packets_drop(&local->out);
		local->on->on_sent(local, token, cost);
	}
	want(local);
}

/* False: there is nothing more for now. */
static bool
receive(struct link_socket *local)
{
	char packet[LINK_SOCKET_MAX + 1];
	ssize_t n = recv(local->watch.fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == -1 && errno == ECONNRESET)
		return true; /* once, and before what it had said */
	if (n > 0 && n <= LINK_SOCKET_MAX) {
		local->on->on_packet(local, packet, (size_t)n);
		return true;
	}
	lose(local,
	    n > 0      ? "a packet that is too large" :
		n == 0 ? "closed" :
			 strerrordesc_np(errno));
	return false;
}

static void
on_ready(struct link_watch *watch, uint32_t events)
{
	struct link_socket *local = (struct link_socket *)watch;

	if ((events & EPOLLOUT) != 0)
		flush(local);
	for (int i = 0; i < PACKETS_TURN && watch->fd != -1 && !local->is_held && receive(local);)
		i++;
}

static void
on_over(struct link_watch *watch, UNUSED uint32_t events)
{
	free(watch);
}

struct link_socket *
link_socket_new(struct link_poll *poll, int fd, const struct link_socket_events *on, void *ctx)
{
	struct link_socket *local = mem_new(1, sizeof(*local));

	local->on = on;
	local->watch.ctx = ctx;
	local->watch.on_ready = on_ready;
	local->watch.on_over = on_over;
	STAILQ_INIT(&local->out.all);
	link_watch_start(poll, &local->watch, fd, EPOLLIN);
	return local;
}

int
link_socket_open(const char *path, bool binds, struct err *err)
{
	int fd = packet_socket(path, binds);

	return fd != -1 ? fd : ERR_FD(err_errno(err, ERR_IO, errno, "%s", path));
}

int
link_socket_listen(const char *path, struct err *err)
{
	CLEANUP(file_closep) int fd = link_socket_open(path, false, NULL);
	struct stat st;

	if (fd != -1)
		return ERR_FD(err_set(err, ERR_BUSY, "%s: another process uses it", path));
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path); /* of one that has ended; else bind says it */
	fd = link_socket_open(path, true, err);
	if (fd == -1 || (chmod(path, 0660) == 0 && listen(fd, BACKLOG) == 0))
		return TAKE_FD(fd);
	return ERR_FD(err_errno(err, ERR_IO, errno, "%s", path));
}

void
link_socket_send(
    struct link_socket *local, const char *head, const char *packet, size_t size, void *token)
{
	struct link_packet *added;

	if (local->watch.fd == -1)
		return;
	added = link_packets_add(&local->out, head, strlen(head), packet, size);
	added->token = token;
	added->cost = size;
	if (local->out.size > OUT_MAX)
		lose(local, "it takes nothing");
	else
		flush(local);
}

void
link_socket_say(struct link_socket *local, const char *head, const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (local == NULL)
		return;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	link_socket_send(local, head, line, strlen(line), NULL);
}

void
link_socket_hold(struct link_socket *local, bool is_held)
{
	local->is_held = is_held;
	want(local);
}

void
link_socket_end(struct link_socket *local)
{
	if (local == NULL || local->watch.fd == -1)
		return;
	if (local->count != NULL)
		--*local->count;
	link_watch_end(&local->watch);
	link_packets_done(&local->out);
}
