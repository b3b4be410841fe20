/* store_thread.c - group commit: whatever waits is decided together, without any delay.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/store_thread.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"
#include "store/store_inside.h"
#include "store/store_reserve.h"

/* Of which only what is used takes memory.  A decision uses some 250 KB; ThreadSanitizer keeps
 * 800 KB of a thread's stack for itself. */
#define STACK_BYTES  (2 * 1024 * 1024)
#define IDLE_MS	     200 /* nothing came for so long: time for what can wait */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define ROOM_MS	     1000 /* how often a full disk is asked for room */
#define LAST_RETRIES 5	  /* after close: what is not decided then is found at the next start */

struct store_thread {
	struct store *store;
	struct crossing *crossing;
	pthread_t thread;
	struct queue_list events; /* what could not be committed, and what came since */
	int retry_ms;		  /* 0: the last batch went well */
	int64_t retry_at;	  /* monotonic ms: nothing is decided before */
	bool is_full;		  /* the reserve is in use: nothing new is taken in */
	int64_t room_at;	  /* monotonic ms: when room is looked for again */
	int project_ms;		  /* until a projection is tried again; 0: none is behind */
	bool is_rested;		  /* idle work was done since the last batch */
	bool is_all_decided;	  /* the crossing is closed, and all that came is on disk */
};

static int
longer(int delay_ms)
{
	if (delay_ms == 0)
		return RETRY_MIN_MS;
	return 2 * delay_ms < RETRY_MAX_MS ? 2 * delay_ms : RETRY_MAX_MS;
}

/* Until the batch that could not be committed is tried again; 0: it may be now. */
static int
put_off_ms(const struct store_thread *t)
{
	int64_t left = t->retry_ms == 0 ? 0 : t->retry_at - clock_monotonic_ms();

	return left > 0 ? (int)left : 0;
}

static int
patience(const struct store_thread *t)
{
	if (t->events.length > 0)
		return put_off_ms(t);
	if (!t->is_rested)
		return IDLE_MS;
	if (t->is_full)
		return ROOM_MS;
	return t->project_ms > 0 ? t->project_ms : -1;
}

/* Of a batch that was long some are left. */
static size_t
room(const struct store_thread *t)
{
	return t->events.length < LIMIT_BATCH ? LIMIT_BATCH - t->events.length : 0;
}

static void
put(struct store_thread *t, struct queue_list *outcomes)
{
	if (outcomes->length > 0)
		crossing_put(t->crossing, outcomes);
}

/* --- a full disk --- */

static void
use_reserve(struct store_thread *t)
{
	if (t->is_full)
		return;
	t->is_full = true;
	t->room_at = clock_monotonic_ms() + ROOM_MS;
	store_reserve_give(t->store);
}

static void
look_for_room(struct store_thread *t)
{
	if (!t->is_full || clock_monotonic_ms() < t->room_at)
		return;
	t->is_full = !store_reserve_take(t->store);
	t->room_at = clock_monotonic_ms() + ROOM_MS;
	if (!t->is_full)
		log_info("disk space is available again");
}

/* --- deciding --- */

static void
rest(struct store_thread *t)
{
	struct queue_list outcomes = { 0 };

	t->project_ms = store_idle(t->store, &outcomes) ? longer(t->project_ms) : 0;
	t->is_rested = true;
	put(t, &outcomes);
}

static void
project(struct store_thread *t, struct queue_list *outcomes)
{
	if (store_project(t->store, outcomes))
		t->project_ms = longer(0);
}

static void
decide(struct store_thread *t)
{
	struct queue_list outcomes = { 0 };
	struct err err;
	bool ok = store_batch(t->store, &t->events, &outcomes, &err);

	if (ok && t->project_ms == 0 && store_is_release_unreported(t->store))
		project(t, &outcomes);
	put(t, &outcomes);
	t->is_rested = false;
	if (!ok && err.code == ERR_CHANGED) {
		log_error("%s", err.text);
		_exit(err_exit_status(err.code)); /* nothing in memory counts any more */
	}
	if (!ok) {
		if (t->retry_ms == 0)
			log_error("the store cannot commit: %s", err.text);
		if (err.code == ERR_FULL)
			use_reserve(t);
		t->retry_ms = longer(t->retry_ms);
		t->retry_at = clock_monotonic_ms() + t->retry_ms;
		store_checkpoint(
		    t->store, 1); /* on a full disk: the log's own room is used again */
		return;
	}
	if (t->retry_ms != 0)
		log_info("the store commits again");
	t->retry_ms = 0;
	if (t->project_ms == 0)
		project(t, &outcomes);
	put(t, &outcomes);
	store_checkpoint(t->store, STORE_LOG_BUSY); /* it would grow as long as work comes */
}

/* The disk had no room a moment ago: whoever asks meanwhile is answered so, and what is ours is
 * queued.  Else every request would decide all of it again, and use what is left for the end. */
static void
refuse(struct store_thread *t)
{
	struct queue_list outcomes = { 0 };

	store_refuse(&t->events, &outcomes);
	put(t, &outcomes);
}

static void
pause_ms(int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };

	(void)nanosleep(&time, NULL); /* shorter does no harm */
}

/* The crossing is closed: results that the disk refuses get a few more chances. */
static void
finish(struct store_thread *t)
{
	for (int i = 0; i < LAST_RETRIES && t->events.length > 0; i++) {
		pause_ms(RETRY_MIN_MS);
		decide(t);
	}
	t->is_all_decided = t->events.length == 0;
	event_free_all(&t->events);
	rest(t);
}

static void *
run(void *arg)
{
	struct store_thread *t = arg;

	while (crossing_take_events(t->crossing, &t->events, room(t), patience(t))) {
		bool came = t->events.length > 0;

		look_for_room(t);
		if (t->is_full || put_off_ms(t) > 0)
			refuse(t);
		if (t->events.length > 0 && put_off_ms(t) == 0)
			decide(t);
		else if (!came)
			rest(t);
	}
	finish(t);
	return NULL;
}

struct store_thread *
store_thread_start(struct store *store, struct crossing *crossing, struct err *err)
{
	struct store_thread *t = mem_new(1, sizeof(*t));
	int failed;

	t->store = store;
	t->crossing = crossing;
	if (!store_reserve_take(store))
		log_warning("the disk of the database is nearly full");
	failed = thread_start(&t->thread, STACK_BYTES, run, t);
	if (failed == 0)
		return t;
	(void)err_errno(err, ERR_IO, failed, "starting the store's thread");
	free(t);
	return NULL;
}

void
store_thread_join(struct store_thread *thread, const int64_t *unanswered, size_t n)
{
	int failed = pthread_join(thread->thread, NULL);
	struct err err;

	assert(failed == 0);
	(void)failed;
	if (thread->is_all_decided && unanswered != NULL &&
	    !store_end(thread->store, unanswered, n, &err))
		log_warning("messages in hand may be sent again with a note: %s", err.text);
	store_close(thread->store);
	free(thread);
}
