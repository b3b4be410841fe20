/* queue.c - a mutex, a condition, the list being filled.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "lib/mem.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_link *first;
	struct queue_link **end; /* where the next one is hung */
	size_t length;
	bool closed;
	void (*wake)(void *arg);
	void *wake_arg;
};

static void
lock(struct queue *q)
{
	int failed = pthread_mutex_lock(&q->lock);

	assert(failed == 0);
	(void)failed;
}

static void
unlock(struct queue *q)
{
	int failed = pthread_mutex_unlock(&q->lock);

	assert(failed == 0);
	(void)failed;
}

/* A condition whose deadlines no change of the wall clock moves.  Linux refuses none of these. */
static void
init_condition(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	bool ok = pthread_condattr_init(&attr) == 0 &&
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(cond, &attr) == 0;

	assert(ok);
	(void)ok;
	(void)pthread_condattr_destroy(&attr); /* always 0 */
}

struct queue *
queue_new(void (*wake)(void *arg), void *arg)
{
	struct queue *q = mem_new(1, sizeof(*q));

	init_condition(&q->filled);
	(void)pthread_mutex_init(&q->lock, NULL); /* a plain mutex: takes nothing */
	q->end = &q->first;
	q->wake = wake;
	q->wake_arg = arg;
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	assert(q->first == NULL);
	(void)pthread_cond_destroy(&q->filled); /* nobody waits: caller's promise */
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

/* Appends what is linked from first to last; the caller holds the lock. */
static void
append(struct queue *q, struct queue_link *first, struct queue_link *last, size_t count)
{
	last->next = NULL;
	*q->end = first;
	q->end = &last->next;
	q->length += count;
}

/* Without the lock: who is woken below it goes to sleep again at once. */
static void
wake_taker(struct queue *q)
{
	(void)pthread_cond_signal(&q->filled); /* always 0 */
	if (q->wake != NULL)
		q->wake(q->wake_arg);
}

bool
queue_push(struct queue *q, struct queue_link *item)
{
	item->next = NULL;
	return queue_push_all(q, item);
}

bool
queue_push_all(struct queue *q, struct queue_link *first)
{
	struct queue_link *last = first;
	bool accepted, was_empty;
	size_t count = 1;

	if (first == NULL)
		return true;
	for (; last->next != NULL; last = last->next)
		count++;
	lock(q);
	was_empty = q->first == NULL;
	accepted = !q->closed;
	if (accepted)
		append(q, first, last, count);
	unlock(q);
	if (accepted && was_empty)
		wake_taker(q);
	return accepted;
}

struct queue_link *
queue_take_all(struct queue *q)
{
	struct queue_link *all;

	lock(q);
	all = q->first;
	q->first = NULL;
	q->end = &q->first;
	q->length = 0;
	unlock(q);
	return all;
}

static void
deadline_after(struct timespec *ret, int timeout_ms)
{
	(void)clock_gettime(CLOCK_MONOTONIC, ret); /* cannot fail */
	ret->tv_sec += timeout_ms / 1000;
	ret->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_sec++;
		ret->tv_nsec -= 1000000000;
	}
}

bool
queue_wait(struct queue *q, int timeout_ms)
{
	struct timespec deadline;
	int failed = 0;
	bool filled;

	if (timeout_ms >= 0)
		deadline_after(&deadline, timeout_ms);
	lock(q);
	while (q->first == NULL && !q->closed && failed != ETIMEDOUT)
		failed = timeout_ms < 0 ? pthread_cond_wait(&q->filled, &q->lock) :
					  pthread_cond_timedwait(&q->filled, &q->lock, &deadline);
	filled = q->first != NULL;
	unlock(q);
	return filled;
}

void
queue_close(struct queue *q)
{
	lock(q);
	q->closed = true;
	unlock(q);
	wake_taker(q);
}

bool
queue_is_closed(struct queue *q)
{
	bool closed;

	lock(q);
	closed = q->closed;
	unlock(q);
	return closed;
}

size_t
queue_length(struct queue *q)
{
	size_t length;

	lock(q);
	length = q->length;
	unlock(q);
	return length;
}
