/* link_poll.c - waits for descriptors and for the next second.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/mem.h"

#define EVENTS	  64
#define SECOND_MS 1000

bool
link_poll_init(struct link_poll *poll, struct err *err)
{
	*poll = (struct link_poll){ .fd = epoll_create1(EPOLL_CLOEXEC) };
	STAILQ_INIT(&poll->over);
	return poll->fd != -1 || err_errno(err, ERR_IO, errno, "epoll_create1");
}

/* What has ended is freed when nobody of this turn's callers uses it any more. */
static void
bury(struct link_poll *poll)
{
	struct link_watch *watch;

	while ((watch = STAILQ_FIRST(&poll->over)) != NULL) {
		STAILQ_REMOVE_HEAD(&poll->over, next);
		if (watch->on_over != NULL)
			watch->on_over(watch, 0);
	}
}

void
link_poll_turn(struct link_poll *poll, void (*on_second)(void *ctx), void *ctx)
{
	struct epoll_event events[EVENTS];
	int64_t wait = poll->second - clock_monotonic_ms();
	int n = epoll_wait(poll->fd, events, EVENTS, wait < 0 ? 0 : (int)wait);

	for (int i = 0; i < n; i++) {
		struct link_watch *watch = events[i].data.ptr;

		if (watch->fd != -1)
			watch->on_ready(watch, events[i].events);
	}
	if (clock_monotonic_ms() >= poll->second) {
		poll->second = clock_monotonic_ms() + SECOND_MS;
		on_second(ctx);
	}
	bury(poll);
}

static void
control(struct link_watch *watch, int operation)
{
	struct epoll_event event = { .events = watch->events, .data.ptr = watch };

	if (epoll_ctl(watch->poll->fd, operation, watch->fd, &event) != 0)
		mem_abort(); /* of these descriptors it fails for want of memory alone */
}

void
link_watch_start(struct link_poll *poll, struct link_watch *watch, int fd, uint32_t events)
{
	watch->poll = poll;
	watch->fd = fd;
	watch->events = events;
	control(watch, EPOLL_CTL_ADD);
}

void
link_watch_want(struct link_watch *watch, uint32_t events)
{
	if (watch->fd == -1 || watch->events == events)
		return;
	watch->events = events;
	control(watch, EPOLL_CTL_MOD);
}

void
link_watch_end(struct link_watch *watch)
{
	if (watch->fd == -1)
		return;
	control(watch, EPOLL_CTL_DEL);
	(void)close(watch->fd);
	watch->fd = -1;
	STAILQ_INSERT_TAIL(&watch->poll->over, watch, next);
}
