/* route_watch.c - requests to /v1 that wait until there is something new.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_watch.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "runs/run_source.h"

#define FULL_MS 1000 /* for so long after room was made nobody is parked */

struct route_watch {
	struct loop *loop;
	struct run_source *source;
	struct loop_timer timer; /* runs while somebody is parked */
	LIST_HEAD(route_parked_list, route_parked) parked;
	int64_t full_until; /* monotonic ms; INT64_MAX: the server stops */
	struct news_ring ring;
};

static void
wake(struct route_watch *watch, struct route_parked *parked, enum route_watch_why why)
{
	LIST_REMOVE(parked, next);
	if (LIST_EMPTY(&watch->parked))
		loop_timer_stop(&watch->timer);
	parked->on_wake(parked->ctx, why);
}

static void
wake_due(struct route_watch *watch)
{
	int64_t now = clock_monotonic_ms();

	for (struct route_parked *at = LIST_FIRST(&watch->parked), *next; at != NULL; at = next) {
		next = LIST_NEXT(at, next);
		if (at->is_due && now - at->asked_at >= ROUTE_WATCH_PACE_MS)
			wake(watch, at, ROUTE_WATCH_NEW);
		else if (now - at->asked_at >= ROUTE_WATCH_WAIT_MS)
			wake(watch, at, ROUTE_WATCH_TIME);
	}
}

/* --- logs --- */

/* One look at a log, which may be answered when whoever wanted it has gone. */
struct look {
	struct route_watch *watch;
	int64_t run;
	int64_t offset;
};

/* Whoever follows that run reads for themselves: why it cannot be read, too. */
static void
on_looked(void *ctx, UNUSED const struct buf *text, int64_t next, const char *failure)
{
	struct look *look = ctx;
	struct route_parked *at;

	if (failure != NULL || next != look->offset)
		for (at = LIST_FIRST(&look->watch->parked); at != NULL; at = LIST_NEXT(at, next))
			at->is_due |= at->run == look->run;
	free(look);
}

/* Of those who follow one run one looks. */
static bool
looks(const struct route_watch *watch, const struct route_parked *parked)
{
	const struct route_parked *at;

	for (at = LIST_FIRST(&watch->parked); at != NULL; at = LIST_NEXT(at, next))
		if (at->run == parked->run)
			return at == parked && !at->is_due;
	return false;
}

static void
look_at(struct route_watch *watch, struct route_parked *parked)
{
	struct look *look = mem_new(1, sizeof(*look));

	*look = (struct look){ watch, parked->run, parked->offset };
	parked->looked_at = clock_monotonic_ms();
	run_source_piece(watch->source,
	    &(struct run_source_order){ .runner = parked->runner,
		.run = parked->run,
		.offset = parked->offset,
		.ctx = look },
	    on_looked);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	struct route_watch *watch = ctx;
	int64_t now = clock_monotonic_ms();
	struct route_parked *at;

	for (at = LIST_FIRST(&watch->parked); at != NULL; at = LIST_NEXT(at, next))
		if (at->run != 0 && looks(watch, at) &&
		    (run_source_is_here(watch->source, at->runner) ||
			now - at->looked_at >= ROUTE_WATCH_PACE_MS))
			look_at(watch, at);
	wake_due(watch);
}

/* --- what was committed --- */

static bool
wants(const struct route_parked *parked, const struct news_entry *entry)
{
	return (parked->work != 0 && parked->work == entry->news.work) ||
	    (parked->wants != NULL && parked->wants(parked->ctx, entry));
}

void
route_watch_news(struct route_watch *watch, const struct news *news)
{
	const struct news_entry *entry;
	struct route_parked *at;

	news_ring_add(&watch->ring, news, clock_monotonic_ms());
	entry = news_ring_next(&watch->ring, watch->ring.last - 1);
	for (at = LIST_FIRST(&watch->parked); at != NULL; at = LIST_NEXT(at, next))
		at->is_due |= wants(at, entry);
	wake_due(watch);
}

const struct news_ring *
route_watch_ring(const struct route_watch *watch)
{
	return &watch->ring;
}

/* What has changed between an answer and the next request is no older than a moment, and its work
 * was looked at before it. */
static bool
has_just_changed(const struct route_watch *watch, const struct route_parked *parked)
{
	const struct news_entry *entry;

	for (int64_t at = watch->ring.last - 1; parked->work != 0 && at >= 0; at--) {
		entry = news_ring_next(&watch->ring, at);
		if (entry->number != at + 1 || entry->at < parked->asked_at - ROUTE_WATCH_PACE_MS)
			return false;
		if (entry->news.work == parked->work)
			return true;
	}
	return false;
}

/* --- who is parked --- */

static bool
has_room(const struct route_watch *watch, const struct route_parked *parked)
{
	size_t all = 0, own = 0;
	const struct route_parked *at;

	for (at = LIST_FIRST(&watch->parked); at != NULL; at = LIST_NEXT(at, next)) {
		all++;
		own += at->who == parked->who && at->is_network == parked->is_network ? 1 : 0;
	}
	return clock_monotonic_ms() >= watch->full_until && all < LIMIT_PARKED &&
	    own < (parked->is_network ? ROUTE_WATCH_OF_TOKEN : ROUTE_WATCH_OF_USER);
}

bool
route_watch_park(struct route_watch *watch, struct route_parked *parked)
{
	if (!has_room(watch, parked))
		return false;
	parked->is_due |= has_just_changed(watch, parked);
	parked->looked_at = clock_monotonic_ms();
	if (LIST_EMPTY(&watch->parked))
		loop_timer_start(
		    watch->loop, &watch->timer, ROUTE_WATCH_LOOK_MS, ROUTE_WATCH_LOOK_MS);
	LIST_INSERT_HEAD(&watch->parked, parked, next);
	return true;
}

bool
route_watch_make_room(struct route_watch *watch)
{
	bool was_any = !LIST_EMPTY(&watch->parked);

	if (watch->full_until != INT64_MAX)
		watch->full_until = clock_monotonic_ms() + FULL_MS;
	while (!LIST_EMPTY(&watch->parked))
		wake(watch, LIST_FIRST(&watch->parked), ROUTE_WATCH_ROOM);
	return was_any;
}

void
route_watch_stop(struct route_watch *watch)
{
	if (watch == NULL)
		return;
	watch->full_until = INT64_MAX;
	(void)route_watch_make_room(watch);
}

/* --- beginning and end --- */

struct route_watch *
route_watch_new(struct loop *loop, struct run_source *source)
{
	struct route_watch *watch = mem_new(1, sizeof(*watch));

	watch->loop = loop;
	watch->source = source;
	LIST_INIT(&watch->parked);
	loop_timer_init(&watch->timer, on_time, watch);
	return watch;
}

void
route_watch_free(struct route_watch *watch)
{
	if (watch == NULL)
		return;
	assert(LIST_EMPTY(&watch->parked));
	free(watch);
}
