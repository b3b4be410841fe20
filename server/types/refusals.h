/* refusals.h - requests that are refused unread: counted, and handed to the store once a minute.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Anybody can be refused as often as they like, so not each is an event.  The first of a kind
 * (source and reason) is one at once; what comes after it is a number, which the store gets when
 * REFUSALS_PERIOD_MS are over, or when it must have it.  A number that it could not take is kept.
 */
#pragma once

#include "types/event.h"

struct loop;
struct refusals;

#define REFUSALS_PERIOD_MS 60000

struct refusals_config {
	struct loop *loop;
	/* Stamps the event and hands it to the store.  False: refused, it stays ours. */
	bool (*submit)(void *ctx, struct event *event);
	void *ctx;
};

struct refusals *refusals_new(const struct refusals_config *config) MUST_USE;

/* NULL is fine.  When no event of it is in progress any more: what is counted then is lost. */
void refusals_free(struct refusals *refusals);

/* One more.  `source` and `reason` are words of ours, of which there are few, and live on;
 * `application` and `client` as in struct rejected, of the last.  is_now: this one is worth an
 * event at once; whoever calls sees to it that those are few. */
void refusals_add(struct refusals *refusals, const char *source, const char *reason,
    const char *application, const char *client, bool is_now);

/* The program ends, and nobody is refused any more: whatever is counted, at once. */
void refusals_hand_over(struct refusals *refusals);

/* How many the store has not recorded: those it did not take, gave back (503) or has not decided
 * on.  Behind refusals_hand_over() and the last of its answers they are lost. */
int64_t refusals_left(const struct refusals *refusals);
