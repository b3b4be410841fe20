/* queue.h - hands whole structs from one thread to another; counts, and bounds nothing.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * One mutex, one list, which the taker takes whole.  An item embeds a struct queue_link, is in one
 * queue at a time, and belongs to the queue from push to take.
 */
#pragma once

#include "lib/base.h"

struct queue;

struct queue_link {
	struct queue_link *next;
};

/* The struct around a link:  QUEUE_ITEM(link, struct event, link) */
#define QUEUE_ITEM(l, type, member) ((type *)(void *)((char *)(l)-offsetof(type, member)))

/* wake(arg) is called outside the lock: by push, when the queue was empty before, and by close; may
 * be NULL (then the taker uses queue_wait). */
MUST_USE struct queue *queue_new(void (*wake)(void *arg), void *arg);

/* Takes NULL.  Must be empty: what is inside belongs to somebody. */
void queue_free(struct queue *q);

/* False: closed; the item stays the caller's. */
MUST_USE bool queue_push(struct queue *q, struct queue_link *item);

/* Several at once, linked by next: the taker is woken once, for all of them.
 * False: closed, and all of them stay the caller's. */
MUST_USE bool queue_push_all(struct queue *q, struct queue_link *first);

/* Everything, oldest first, linked by next; NULL when empty.  All of it is the caller's. */
MUST_USE struct queue_link *queue_take_all(struct queue *q);

/* Waits until something is there (true), or until timeout_ms have passed or the queue is closed
 * and empty (false).  timeout_ms < 0: without limit. */
bool queue_wait(struct queue *q, int timeout_ms);

/* No more pushes; wakes the waiter.  What is inside can still be taken. */
void queue_close(struct queue *q);
bool queue_is_closed(struct queue *q);

/* Items waiting. */
size_t queue_length(struct queue *q);
