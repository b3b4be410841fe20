/* health_watch.h - does the loop turn and the store answer?  Serves nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct health_watch;
struct loop;

#define HEALTH_WATCH_STORE_MS	5000	/* an event that waits longer: the store is stuck */
#define HEALTH_WATCH_LAG_MS	1000	/* one turn of the loop that took longer is an illness */
#define HEALTH_WATCH_MEMORY_MS	10000	/* how long a lag or a failed commit is remembered */

/* Looks at the loop's lag once a second.  on_lag (or NULL) is called each time. */
struct health_watch *health_watch_new(struct loop *loop,
    void (*on_lag)(void *ctx, double seconds), void *ctx) MUST_USE;
void health_watch_free(struct health_watch *watch); /* takes NULL */

/* An event with a done callback was handed to the store. */
void health_watch_asked(struct health_watch *watch);
/* Its answer came; status 503: it could not be decided. */
void health_watch_answered(struct health_watch *watch, int status);

#define HEALTH_WATCH_WHY 160

/* away: why the runner is disconnected: orders are queued, and nothing is refused; "": it takes
 * them. */
void health_watch_runner(struct health_watch *watch, const char *away);
const char *health_watch_runner_away(const struct health_watch *watch);

/* Telegram's updates come here, or not: another program polls for this bot, Telegram is not
 * reached, or it calls another webhook.  They come until something else is known. */
void health_watch_telegram(struct health_watch *watch, bool is_receiving);
bool health_watch_is_receiving(const struct health_watch *watch);

/* NULL when healthy; else a short constant sentence, of which the first is the one below. */
const char *health_watch_illness(const struct health_watch *watch);
extern const char health_watch_hangs[]; /* the store takes too long */

/* The same, pure: for tests. */
struct health_facts {
	int64_t now_ms;
	int64_t waiting;	/* events that wait for an answer */
	int64_t progress_ms;	/* the last answer, or the first event that waits */
	int64_t refused_ms;	/* the last 503; 0: never */
	int64_t lagged_ms;	/* the last lag above the limit; 0: never */
};
const char *health_watch_judge(const struct health_facts *facts);
