/* journal.c - a datagram for each line, as fast as the journal takes them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clients/forward_text.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

#define MAGIC	   0x6a6f7572u
#define TIMEOUT_MS 30000

struct journal_call {
	unsigned magic;
	struct journal_send send;
	size_t n;
	int fd;
	struct loop_io io;
	struct loop_timer deadline;
};

static void
release(struct journal_call *call)
{
	loop_timer_stop(&call->deadline);
	loop_io_stop(&call->io);
	if (call->fd >= 0)
		(void)close(call->fd);
	call->magic = 0;
	free(call);
}

void
journal_cancel(struct journal_call *call)
{
	if (call == NULL)
		return;
	OBJ_CHECK(call, MAGIC);
	release(call);
}

static void
finish(struct journal_call *call, const struct err *why)
{
	journal_done_fn *on_done = call->send.on_done;
	void *ctx = call->send.ctx;
	size_t n = call->n;

	release(call);
	on_done(ctx, n, why);
}

/* False: *err says why not, or nothing (EAGAIN) where it takes no more for now. */
static bool
send_line(struct journal_call *call, size_t size, struct err *err)
{
	CLEANUP(buf_done) struct buf datagram = buf_make(size + FORWARD_TEXT_MORE);
	bool ok;

	forward_text_journal(&datagram, call->send.lines, size);
	ok = buf_check(&datagram, err);
	if (ok && send(call->fd, datagram.data, datagram.size, MSG_NOSIGNAL) < 0) {
		ok = false;
		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			(void)err_errno(err, ERR_IO, errno, "the journal");
	}
	return ok;
}

static void
on_ready(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct journal_call *call = OBJ_OF(struct journal_call, ctx, MAGIC);
	struct err err = { 0 };

	while (call->send.size > 0) {
		const char *end = memchr(call->send.lines, '\n', call->send.size);
		size_t size = end == NULL ? call->send.size : (size_t)(end - call->send.lines);

		if (!send_line(call, size, &err)) {
			if (err.code != ERR_NONE)
				finish(call, &err);
			return;
		}
		size += end != NULL;
		call->send.lines += size;
		call->send.size -= size;
		call->n++;
	}
	finish(call, NULL);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct journal_call *call = OBJ_OF(struct journal_call, ctx, MAGIC);
	struct err err = { 0 };

	(void)err_set(
	    &err, ERR_TIMEOUT, "the journal has not taken all within %d s", TIMEOUT_MS / 1000);
	finish(call, &err);
}

static bool
connect_to(struct journal_call *call, struct err *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!text_copy(to.sun_path, sizeof(to.sun_path), call->send.socket))
		return err_set(err, ERR_INVALID, "%s is too long", call->send.socket);
	call->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return err_errno(err, ERR_IO, errno, "a socket for the journal");
	return connect(call->fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
	    err_errno(err, ERR_IO, errno, "the journal (%s)", call->send.socket);
}

struct journal_call *
journal_start(struct loop *loop, const struct journal_send *send, struct err *err)
{
	struct journal_call *call = mem_new(1, sizeof(*call));

	*call = (struct journal_call){ .magic = MAGIC, .send = *send, .fd = -1 };
	loop_io_init(&call->io, on_ready, call);
	loop_timer_init(&call->deadline, on_deadline, call);
	if (!connect_to(call, err)) {
		release(call);
		return NULL;
	}
	loop_io_start(loop, &call->io, call->fd, LOOP_WRITE);
	loop_timer_start(loop, &call->deadline, TIMEOUT_MS, 0);
	return call;
}
