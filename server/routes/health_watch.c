/* health_watch.c - facts about the loop and the store, and what they mean.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/health_watch.h"

#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"

#define WATCH_MAGIC  0x68776174u
#define LOOK_EACH_MS 1000

struct health_watch {
	unsigned magic;
	struct loop *loop;
	struct loop_timer timer;
	struct health_facts facts;
	char runner_away[HEALTH_WATCH_WHY]; /* "": it is there */
	bool misses_updates;
	void (*on_lag)(void *ctx, double seconds);
	void *ctx;
};

static void
on_look(UNUSED struct loop_timer *timer, void *ctx)
{
	struct health_watch *watch = OBJ_OF(struct health_watch, ctx, WATCH_MAGIC);
	int64_t lag_us = loop_lag_worst_us(watch->loop);

	if (lag_us > HEALTH_WATCH_LAG_MS * 1000)
		watch->facts.lagged_ms = loop_now_ms();
	if (watch->on_lag != NULL)
		watch->on_lag(watch->ctx, (double)lag_us / 1e6);
}

struct health_watch *
health_watch_new(struct loop *loop, void (*on_lag)(void *ctx, double seconds), void *ctx)
{
	struct health_watch *watch = mem_new(1, sizeof(*watch));

	watch->magic = WATCH_MAGIC;
	watch->loop = loop;
	health_watch_runner(watch, "since the start");
	watch->on_lag = on_lag;
	watch->ctx = ctx;
	loop_timer_init(&watch->timer, on_look, watch);
	loop_timer_start(loop, &watch->timer, LOOK_EACH_MS, LOOK_EACH_MS);
	return watch;
}

void
health_watch_free(struct health_watch *watch)
{
	if (watch == NULL)
		return;
	OBJ_CHECK(watch, WATCH_MAGIC);
	loop_timer_stop(&watch->timer);
	watch->magic = 0;
	free(watch);
}

void
health_watch_asked(struct health_watch *watch)
{
	OBJ_CHECK(watch, WATCH_MAGIC);
	if (watch->facts.waiting++ == 0)
		watch->facts.progress_ms = loop_now_ms();
}

void
health_watch_answered(struct health_watch *watch, int status)
{
	int64_t now = loop_now_ms();

	OBJ_CHECK(watch, WATCH_MAGIC);
	assert(watch->facts.waiting > 0);
	watch->facts.waiting--;
	watch->facts.progress_ms = now;
	watch->facts.refused_ms = status == 503 ? now : 0; /* one success: it is healthy again */
}

void
health_watch_runner(struct health_watch *watch, const char *away)
{
	OBJ_CHECK(watch, WATCH_MAGIC);
	(void)text_copy(watch->runner_away, sizeof(watch->runner_away), away); /* cut */
}

const char *
health_watch_runner_away(const struct health_watch *watch)
{
	OBJ_CHECK(watch, WATCH_MAGIC);
	return watch->runner_away;
}

void
health_watch_telegram(struct health_watch *watch, bool is_receiving)
{
	OBJ_CHECK(watch, WATCH_MAGIC);
	watch->misses_updates = !is_receiving;
}

bool
health_watch_is_receiving(const struct health_watch *watch)
{
	OBJ_CHECK(watch, WATCH_MAGIC);
	return !watch->misses_updates;
}

static bool
is_recent(int64_t at_ms, int64_t now_ms)
{
	return at_ms != 0 && now_ms - at_ms < HEALTH_WATCH_MEMORY_MS;
}

const char health_watch_hangs[] = "the store does not answer";

const char *
health_watch_judge(const struct health_facts *facts)
{
	if (facts->waiting > 0 && facts->now_ms - facts->progress_ms > HEALTH_WATCH_STORE_MS)
		return health_watch_hangs;
	if (is_recent(facts->refused_ms, facts->now_ms))
		return "the store cannot write";
	if (is_recent(facts->lagged_ms, facts->now_ms))
		return "the event loop lags";
	return NULL;
}

const char *
health_watch_illness(const struct health_watch *watch)
{
	struct health_facts facts;

	OBJ_CHECK(watch, WATCH_MAGIC);
	facts = watch->facts;
	facts.now_ms = loop_now_ms();
	return health_watch_judge(&facts);
}
