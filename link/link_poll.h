/* link_poll.h - waits for descriptors and for the next second.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

#include "lib/base.h"

struct link_watch;
typedef void link_watch_fn(struct link_watch *watch, uint32_t events);

struct link_poll {
	int fd;
	int64_t second; /* monotonic ms: of the next one */
	STAILQ_HEAD(link_watch_list, link_watch) over;
};

/* Embedded in its owner, as the first member. */
struct link_watch {
	struct link_poll *poll;
	void *ctx;		/* the owner's */
	int fd;			/* -1: it has ended */
	uint32_t events;
	link_watch_fn *on_ready;
	/* Frees its owner, at the bottom of the turn in which it ended; NULL: nothing does. */
	link_watch_fn *on_over;
	STAILQ_ENTRY(link_watch) next;
};

bool link_poll_init(struct link_poll *poll, struct err *err) MUST_USE;
/* Waits, then hands out what has come; on_second is called once a second, at its bottom. */
void link_poll_turn(struct link_poll *poll, void (*on_second)(void *ctx), void *ctx);

/* Takes fd; on_ready and on_over are set.  events are those of epoll(7). */
void link_watch_start(struct link_poll *poll, struct link_watch *watch, int fd, uint32_t events);
void link_watch_want(struct link_watch *watch, uint32_t events);
/* Closes fd; on_ready is not called any more.  Harmless on one that has ended. */
void link_watch_end(struct link_watch *watch);
