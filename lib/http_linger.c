/* http_linger.c - a few sockets that are read into nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLACES	    32
#define PATIENCE_MS 2000
#define BYTES_MAX   (32L * 1024 * 1024) /* more than the largest body that any route takes */
#define TURN_MAX    (256L * 1024)	/* then others have their turn */

struct place {
	struct loop_io io;
	struct loop_timer timer;
	int fd; /* -1: free */
	long bytes_left;
};

struct http_linger {
	struct loop *loop;
	struct place places[PLACES];
};

static void on_readable(struct loop_io *io, unsigned events, void *ctx);
static void on_patience_over(struct loop_timer *timer, void *ctx);

struct http_linger *
http_linger_new(struct loop *loop)
{
	struct http_linger *linger = calloc(1, sizeof(*linger));

	if (linger == NULL)
		return NULL;
	linger->loop = loop;
	for (size_t i = 0; i < PLACES; i++) {
		struct place *place = &linger->places[i];

		place->fd = -1;
		loop_io_init(&place->io, on_readable, place);
		loop_timer_init(&place->timer, on_patience_over, place);
	}
	return linger;
}

static void
leave(struct place *place)
{
	if (place->fd < 0)
		return;
	loop_io_stop(&place->io);
	loop_timer_stop(&place->timer);
	(void)close(place->fd); /* nothing was written */
	place->fd = -1;
}

void
http_linger_free(struct http_linger *linger)
{
	if (linger == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		leave(&linger->places[i]);
	free(linger);
}

void
http_linger_keep(struct http_linger *linger, int fd)
{
	struct place *place = NULL;

	for (size_t i = 0; i < PLACES && place == NULL; i++)
		if (linger->places[i].fd < 0)
			place = &linger->places[i];
	if (place == NULL)
		return;
	place->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (place->fd < 0)
		return;
	/* The FIN is what tells the sender that nothing more will come. */
	(void)shutdown(place->fd, SHUT_WR);
	place->bytes_left = BYTES_MAX;
	loop_io_start(linger->loop, &place->io, place->fd, LOOP_READ);
	loop_timer_start(linger->loop, &place->timer, PATIENCE_MS, 0);
}

static void
on_readable(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct place *place = ctx;
	char nothing[16 * 1024];
	long left = TURN_MAX;

	while (left > 0 && place->bytes_left > 0) {
		ssize_t got = recv(place->fd, nothing, sizeof(nothing), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			break;
		left -= got;
		place->bytes_left -= got;
	}
	if (left > 0 || place->bytes_left <= 0)
		leave(place);
}

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	leave(ctx);
}
