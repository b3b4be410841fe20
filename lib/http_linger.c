/* http_linger.c - a few sockets that are read into nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"

#define SLOTS	    32
#define PATIENCE_MS 2000
#define BYTES_MAX   (32L * 1024 * 1024) /* more than the largest body that any route takes */
#define TURN_MAX    (256L * 1024)	/* then others have their turn */

struct slot {
	struct loop_io io;
	struct loop_timer timer;
	int fd; /* -1: free */
	long bytes_left;
};

struct http_linger {
	struct loop *loop;
	struct slot slots[SLOTS];
};

static void on_readable(struct loop_io *io, unsigned events, void *ctx);
static void on_patience_over(struct loop_timer *timer, void *ctx);

struct http_linger *
http_linger_new(struct loop *loop)
{
	struct http_linger *linger = mem_new(1, sizeof(*linger));

	linger->loop = loop;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &linger->slots[i];

		slot->fd = -1;
		loop_io_init(&slot->io, on_readable, slot);
		loop_timer_init(&slot->timer, on_patience_over, slot);
	}
	return linger;
}

static void
leave(struct slot *slot)
{
	if (slot->fd < 0)
		return;
	loop_io_stop(&slot->io);
	loop_timer_stop(&slot->timer);
	(void)close(slot->fd); /* nothing was written */
	slot->fd = -1;
}

void
http_linger_free(struct http_linger *linger)
{
	if (linger == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		leave(&linger->slots[i]);
	free(linger);
}

void
http_linger_keep(struct http_linger *linger, int fd)
{
	struct slot *slot = NULL;

	for (size_t i = 0; i < SLOTS && slot == NULL; i++)
		if (linger->slots[i].fd < 0)
			slot = &linger->slots[i];
	if (slot == NULL)
		return;
	slot->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (slot->fd < 0)
		return;
	/* The FIN says that nothing more will come. */
	(void)shutdown(slot->fd, SHUT_WR);
	slot->bytes_left = BYTES_MAX;
	loop_io_start(linger->loop, &slot->io, slot->fd, LOOP_READ);
	loop_timer_start(linger->loop, &slot->timer, PATIENCE_MS, 0);
}

static void
on_readable(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct slot *slot = ctx;
	char nothing[16 * 1024];
	long left = TURN_MAX;

	while (left > 0 && slot->bytes_left > 0) {
		ssize_t got = recv(slot->fd, nothing, sizeof(nothing), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			break;
		left -= got;
		slot->bytes_left -= got;
	}
	if (left > 0 || slot->bytes_left <= 0)
		leave(slot);
}

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	leave(ctx);
}
